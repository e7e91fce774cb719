//! What is noted of the pictures of one folder: one small file, written whole and replaced whole. Format in
//! decision 0019. A file that is not exactly what was once written is none, so that one torn by a power cut is made
//! anew and never believed. It is read piece by piece, so that a folder may have any number of pictures.

use crate::limits;
use crate::picture::facts::{Clock, Place};
use jiff::civil::DateTime;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;

/// What such a file begins with: the last byte is the version of the format.
const MAGIC: [u8; 4] = *b"LPN\x01";

/// Bytes before the first picture.
const HEAD_BYTES: usize = 32;

/// Bytes of one picture at most: a name and little more.
const RECORD_BYTES_MAX: usize = 640;

/// What is in a folder beside its pictures, and as of when.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// When the folder was changed last (nanoseconds since 1970), at the time of the note; `None` when that was so
    /// near that another change could have the same time.
    pub changed_ns: Option<i64>,
    /// Whether there are folders in it.
    pub has_folders: bool,
}

/// Who says when a picture was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TakenFrom {
    /// The camera, in EXIF.
    Exif,
    /// The film itself.
    Film,
    /// The file's time of modification.
    File,
}

impl From<Clock> for TakenFrom {
    fn from(clock: Clock) -> Self {
        match clock {
            Clock::Exif => Self::Exif,
            Clock::Film => Self::Film,
        }
    }
}

/// What is noted of one picture or film.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Noted {
    /// Its name on the drive.
    pub name: Vec<u8>,
    /// Whether it is a film.
    pub is_film: bool,
    /// Bytes.
    pub size: u64,
    /// When its content changed last (nanoseconds since 1970).
    pub modified_ns: i64,
    /// When it was taken: seconds since 1970 on the camera's clock.
    pub taken_s: i64,
    /// Who says so.
    pub taken_from: TakenFrom,
    /// Width and height.
    pub pixels: Option<(u32, u32)>,
    /// How long it lasts (ms).
    pub duration_ms: Option<u64>,
    /// Where it was.
    pub place: Option<Place>,
    /// What stands behind the last point in the name of the film that belongs to it.
    pub pair: Option<Vec<u8>>,
}

impl Default for Noted {
    fn default() -> Self {
        Self {
            name: Vec::new(),
            is_film: false,
            size: 0,
            modified_ns: 0,
            taken_s: 0,
            taken_from: TakenFrom::File,
            pixels: None,
            duration_ms: None,
            place: None,
            pair: None,
        }
    }
}

/// A time without a zone as seconds since 1970.
pub(super) fn seconds_of(time: DateTime) -> i64 {
    time.duration_since(DateTime::constant(1970, 1, 1, 0, 0, 0, 0)).as_secs()
}

/// The same back; what no calendar has is 1970.
pub(super) fn time_of(seconds: i64) -> DateTime {
    let first = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    first.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(first)
}

/// Bits of a record's first byte.
mod bits {
    /// Two bits: who says when.
    pub(super) const TAKEN_FROM: u8 = 0b11;
    /// It has width and height.
    pub(super) const PIXELS: u8 = 1 << 2;
    /// It lasts.
    pub(super) const DURATION: u8 = 1 << 3;
    /// It was somewhere.
    pub(super) const PLACE: u8 = 1 << 4;
    /// A film belongs to it.
    pub(super) const PAIR: u8 = 1 << 5;
    /// It is a film.
    pub(super) const FILM: u8 = 1 << 6;
}

/// Appends a number, seven bits a byte, the lowest first (LEB128).
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// The same for one with a sign, which goes to the lowest bit.
fn put_signed(out: &mut Vec<u8>, number: i64) {
    put_number(out, (number << 1 ^ number >> 63).cast_unsigned());
}

/// Bytes of a record that are still to be read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// The next ones.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next one.
    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    /// The next number.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// The next number that has a sign.
    fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    /// The next four bytes as a number.
    fn four(&mut self) -> Option<i32> {
        Some(i32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
}

impl Noted {
    /// Appends it as a record; of the name only what differs from the one before.
    fn put(&self, out: &mut Vec<u8>, before: &[u8]) {
        let from = match self.taken_from {
            TakenFrom::File => 0,
            TakenFrom::Exif => 1,
            TakenFrom::Film => 2,
        };
        let bit = |is_set: bool, bit: u8| if is_set { bit } else { 0 };
        out.push(
            from | bit(self.pixels.is_some(), bits::PIXELS)
                | bit(self.duration_ms.is_some(), bits::DURATION)
                | bit(self.place.is_some(), bits::PLACE)
                | bit(self.pair.is_some(), bits::PAIR)
                | bit(self.is_film, bits::FILM),
        );
        let shared = self.name.iter().zip(before).take_while(|(one, other)| one == other).count();
        let rest = self.name.get(shared..).unwrap_or_default();
        put_number(out, shared as u64);
        put_number(out, rest.len() as u64);
        out.extend(rest);
        put_number(out, self.size);
        put_signed(out, self.modified_ns);
        put_signed(out, self.taken_s);
        if let Some((width, height)) = self.pixels {
            put_number(out, width.into());
            put_number(out, height.into());
        }
        if let Some(duration) = self.duration_ms {
            put_number(out, duration);
        }
        if let Some(place) = self.place {
            out.extend(place.latitude.to_le_bytes());
            out.extend(place.longitude.to_le_bytes());
        }
        if let Some(pair) = &self.pair {
            put_number(out, pair.len() as u64);
            out.extend(pair);
        }
    }

    /// Becomes the next record; `None` if there is none. The name begins with what was there.
    fn take(&mut self, bytes: &mut Bytes<'_>) -> Option<()> {
        let flags = bytes.byte()?;
        let length = |number: u64| {
            usize::try_from(number).ok().filter(|length| *length <= limits::NAME_BYTES_MAX)
        };
        let (shared, rest) = (length(bytes.number()?)?, length(bytes.number()?)?);
        if shared > self.name.len() || shared + rest > limits::NAME_BYTES_MAX {
            return None;
        }
        self.name.truncate(shared);
        self.name.extend(bytes.take(rest)?);
        self.is_film = flags & bits::FILM != 0;
        (self.size, self.modified_ns) = (bytes.number()?, bytes.signed()?);
        self.taken_s = bytes.signed()?;
        self.taken_from = match flags & bits::TAKEN_FROM {
            0 => TakenFrom::File,
            1 => TakenFrom::Exif,
            _ => TakenFrom::Film,
        };
        let has = |bit: u8| flags & bit != 0;
        let side = |number: u64| u32::try_from(number).ok();
        self.pixels = None;
        if has(bits::PIXELS) {
            self.pixels = Some((side(bytes.number()?)?, side(bytes.number()?)?));
        }
        self.duration_ms = if has(bits::DURATION) { Some(bytes.number()?) } else { None };
        self.place = None;
        if has(bits::PLACE) {
            self.place = Some(Place { latitude: bytes.four()?, longitude: bytes.four()? });
        }
        self.pair = None;
        if has(bits::PAIR) {
            let pair = length(bytes.number()?)?;
            self.pair = Some(bytes.take(pair)?.to_vec());
        }
        Some(())
    }
}

/// A note that is being written.
pub(super) struct Writer {
    /// The file, which nobody knows yet.
    file: BufWriter<File>,
    /// Checks the records.
    sum: crc32fast::Hasher,
    /// The last name.
    last: Vec<u8>,
    /// The record being made.
    record: Vec<u8>,
    /// How many there are.
    count: u32,
}

impl Writer {
    /// Into an empty file.
    pub fn new(file: File) -> io::Result<Self> {
        let mut file = BufWriter::new(file);
        // Its head is written last.
        file.write_all(&[0; HEAD_BYTES])?;
        let (sum, last, record) = (crc32fast::Hasher::new(), Vec::new(), Vec::new());
        Ok(Self { file, sum, last, record, count: 0 })
    }

    /// Adds a picture; they come in the order of their names.
    pub fn push(&mut self, noted: &Noted) -> io::Result<()> {
        self.record.clear();
        noted.put(&mut self.record, &self.last);
        self.last.clone_from(&noted.name);
        self.sum.update(&self.record);
        self.count += 1;
        self.file.write_all(&self.record)
    }

    /// How many pictures there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Makes it whole.
    pub fn finish(self, head: Head) -> io::Result<()> {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&head.changed_ns.unwrap_or(0).to_le_bytes());
        bytes[16..20].copy_from_slice(&self.count.to_le_bytes());
        bytes[20] = u8::from(head.changed_ns.is_some()) | u8::from(head.has_folders) << 1;
        let mut sum = crc32fast::Hasher::new();
        sum.update(&bytes[8..]);
        sum.combine(&self.sum);
        bytes[4..8].copy_from_slice(&sum.finalize().to_le_bytes());
        let file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.write_all_at(&bytes, 0)
    }
}

/// A note that is being read.
#[derive(Debug)]
pub(super) struct Reader {
    /// The file, which nobody changes any more.
    file: File,
    /// What was noted of the folder.
    head: Head,
    /// Bytes of the file from `offset` on.
    buffer: Vec<u8>,
    /// Where they begin in the file.
    offset: u64,
    /// How many of them were taken.
    taken: usize,
    /// Records that are still to come.
    left: u32,
    /// How many there are in all.
    count: u32,
    /// The last one.
    noted: Noted,
}

impl Reader {
    /// Of a file; `None` when that is not exactly what was once written.
    pub fn open(file: File) -> Option<Self> {
        let mut reader = Self {
            file,
            head: Head::default(),
            buffer: Vec::new(),
            offset: 0,
            taken: 0,
            left: 0,
            count: 0,
            noted: Noted::default(),
        };
        reader.fill(0)?;
        let head: [u8; HEAD_BYTES] = *reader.buffer.first_chunk()?;
        if head[..4] != MAGIC || reader.sum()?.to_le_bytes() != head[4..8] {
            return None;
        }
        let changed_ns = i64::from_le_bytes(*head[8..].first_chunk()?);
        reader.head.changed_ns = Some(changed_ns).filter(|_| head[20] & 1 != 0);
        reader.head.has_folders = head[20] & 2 != 0;
        reader.count = u32::from_le_bytes(*head[16..].first_chunk()?);
        reader.rewind()?;
        Some(reader)
    }

    /// Goes back before the first picture.
    pub fn rewind(&mut self) -> Option<()> {
        (self.left, self.noted) = (self.count, Noted::default());
        if self.offset > 0 {
            self.fill(0)?;
        }
        self.taken = HEAD_BYTES;
        Some(())
    }

    /// What was noted of the folder.
    pub fn head(&self) -> Head {
        self.head
    }

    /// How many pictures there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The next picture.
    pub fn next(&mut self) -> Option<&Noted> {
        self.left = self.left.checked_sub(1)?;
        let rest = self.buffer.len() - self.taken;
        if rest < RECORD_BYTES_MAX && self.buffer.len() >= limits::PHOTOS_PIECE_BYTES {
            self.fill(self.offset + self.taken as u64)?;
        }
        let mut bytes = Bytes(self.buffer.get(self.taken..)?);
        self.noted.take(&mut bytes)?;
        self.taken = self.buffer.len() - bytes.0.len();
        Some(&self.noted)
    }

    /// The checksum of all that it covers.
    fn sum(&mut self) -> Option<u32> {
        let mut sum = crc32fast::Hasher::new();
        sum.update(self.buffer.get(8..)?);
        while self.buffer.len() >= limits::PHOTOS_PIECE_BYTES {
            self.fill(self.offset + self.buffer.len() as u64)?;
            sum.update(&self.buffer);
        }
        Some(sum.finalize())
    }

    /// Reads the piece that begins there.
    fn fill(&mut self, offset: u64) -> Option<()> {
        self.buffer.resize(limits::PHOTOS_PIECE_BYTES, 0);
        let mut filled = 0;
        while let Some(rest) = self.buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        self.buffer.truncate(filled);
        (self.offset, self.taken) = (offset, 0);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A note of these, as bytes.
    fn written(head: Head, noted: &[Noted]) -> Vec<u8> {
        let file = tempfile::tempfile().unwrap();
        let mut writer = Writer::new(file.try_clone().unwrap()).unwrap();
        for noted in noted {
            writer.push(noted).unwrap();
        }
        writer.finish(head).unwrap();
        let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
        file.read_exact_at(&mut bytes, 0).unwrap();
        bytes
    }

    /// What is in a note of these bytes.
    fn read(bytes: &[u8]) -> Option<(Head, Vec<Noted>)> {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(bytes, 0).unwrap();
        let mut reader = Reader::open(file)?;
        let mut all = Vec::new();
        while let Some(noted) = reader.next() {
            all.push(noted.clone());
        }
        reader.rewind()?;
        assert_eq!(reader.next(), all.first());
        Some((reader.head(), all))
    }

    /// Anything that can be noted.
    fn noted() -> impl Strategy<Value = Noted> {
        let from = prop_oneof![Just(TakenFrom::File), Just(TakenFrom::Exif), Just(TakenFrom::Film)];
        let place = prop::option::of((any::<i32>(), any::<i32>()));
        let place = place
            .prop_map(|place| place.map(|(latitude, longitude)| Place { latitude, longitude }));
        let pair = prop::option::of(prop::collection::vec(any::<u8>(), 0..5));
        let name = prop::collection::vec(prop_oneof![Just(b'a'), any::<u8>()], 1..=255);
        let (pixels, duration) =
            (prop::option::of(any::<(u32, u32)>()), prop::option::of(any::<u64>()));
        let numbers = (any::<bool>(), any::<u64>(), any::<i64>(), any::<i64>());
        (name, numbers, from, pixels, duration, place, pair).prop_map(
            |(
                name,
                (is_film, size, modified_ns, taken_s),
                taken_from,
                pixels,
                duration_ms,
                place,
                pair,
            )| {
                Noted {
                    name,
                    is_film,
                    size,
                    modified_ns,
                    taken_s,
                    taken_from,
                    pixels,
                    duration_ms,
                    place,
                    pair,
                }
            },
        )
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            changed_ns in any::<Option<i64>>(),
            has_folders in any::<bool>(),
            all in prop::collection::vec(noted(), 0..20),
        ) {
            let head = Head { changed_ns, has_folders };
            prop_assert_eq!(read(&written(head, &all)), Some((head, all)));
        }

        #[test]
        fn one_that_is_torn_or_changed_is_none(
            all in prop::collection::vec(noted(), 0..5),
            at in any::<prop::sample::Index>(),
            bit in 0..8_u8,
        ) {
            let whole = written(Head::default(), &all);
            let at = at.index(whole.len());
            prop_assert_eq!(read(&whole[..at]), None);
            let mut changed = whole.clone();
            changed[at] ^= 1 << bit;
            prop_assert_eq!(read(&changed), None);
            // As a power cut leaves it: as long as it should be, with nothing in it.
            let mut hollow = whole;
            hollow[at..].fill(0);
            if hollow.iter().any(|byte| *byte != 0) {
                let _no_panic = read(&hollow);
            }
        }
    }

    #[test]
    fn a_long_one_is_read_in_pieces() {
        let one = |number: u32| Noted {
            name: format!("IMG_{number:08}.JPG").into_bytes(),
            size: u64::from(number) << 20,
            ..Noted::default()
        };
        let all: Vec<Noted> = (0..50_000).map(one).collect();
        let bytes = written(Head::default(), &all);
        assert!(bytes.len() > 3 * limits::PHOTOS_PIECE_BYTES && bytes.len() < 50_000 * 30);
        assert_eq!(read(&bytes), Some((Head::default(), all)));
    }

    /// Second contract, 19.
    #[test]
    fn a_picture_takes_a_hundred_bytes_at_most() {
        let noted = Noted {
            name: b"20260803_123456_a long name by hand.jpeg".to_vec(),
            size: u64::from(u32::MAX),
            modified_ns: 1_785_000_000_123_456_789,
            taken_s: 1_785_000_000,
            taken_from: TakenFrom::Exif,
            pixels: Some((12_000, 9_000)),
            duration_ms: Some(3_600_000),
            place: Place::of(48.8577, 2.295),
            pair: Some(b"MOV".to_vec()),
            is_film: false,
        };
        let mut bytes = Vec::new();
        noted.put(&mut bytes, b"");
        assert!(bytes.len() <= 100, "{}", bytes.len());
    }
}
