//! The list of the names on one filesystem, as it is kept for the next search: the folders in the order of their places,
//! each with a mark that tells whether its names are still those, and the names with what they stand for. Format in
//! decision 0034. It is read and written piece by piece, and each piece is checked: one that is not exactly what was
//! once written ends the list, and of a file that is not whole nothing is believed.

use crate::error::Result;
use crate::limits;
use rustix::fs::FileType;
use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// What a list begins with: the last byte is the version of the format.
const MAGIC: [u8; 8] = *b"LNAMES\0\x01";

/// Bytes before each piece: how long it is, and its checksum.
const HEAD_BYTES: usize = 8;

/// Bytes of what ends a list: a piece of no length, and what a whole list has.
const TAIL_BYTES: usize = HEAD_BYTES + 24;

/// What a name stands for, as far as the folder tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A link.
    Link,
    /// Anything else.
    Other,
}

impl Sort {
    /// By its number in a list.
    fn of(number: u64) -> Self {
        match number & 3 {
            0 => Self::File,
            1 => Self::Folder,
            2 => Self::Link,
            _ => Self::Other,
        }
    }
}

impl From<FileType> for Sort {
    fn from(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

/// Bits of a piece's flags.
mod bits {
    /// It is the first of its folder.
    pub(super) const FIRST: u8 = 1;
    /// It is the last of its folder.
    pub(super) const LAST: u8 = 1 << 1;
    /// A mark follows.
    pub(super) const MARK: u8 = 1 << 2;
}

/// Which of two places comes first: that of a folder before all that is in it, and all that is in it before its next
/// sibling.
pub(super) fn order(one: &[u8], other: &[u8]) -> Ordering {
    one.split(|byte| *byte == b'/').cmp(other.split(|byte| *byte == b'/'))
}

/// Appends a number, seven bits a byte, the lowest first (LEB128).
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

/// Takes a number from the beginning of bytes.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// How many bytes two texts begin with alike.
fn shared(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}

/// Appends a text, of which only what differs from the one before.
fn put_text(out: &mut Vec<u8>, text: &[u8], before: &[u8], (factor, rest): (u64, u64)) {
    let shared = shared(text, before);
    put_number(out, shared as u64 * factor + rest);
    put_number(out, (text.len() - shared) as u64);
    out.extend(&text[shared..]);
}

/// Turns a text into the next one, of which so much is the same.
fn take_text(bytes: &mut &[u8], shared: u64, text: &mut Vec<u8>) -> Option<()> {
    let (shared, length) =
        (usize::try_from(shared).ok()?, usize::try_from(take_number(bytes)?).ok()?);
    let (rest, left) = bytes.split_at_checked(length)?;
    if shared > text.len() {
        return None;
    }
    text.truncate(shared);
    text.extend(rest);
    *bytes = left;
    Some(())
}

/// Whether a name is one that a folder can have.
fn is_name(name: &[u8]) -> bool {
    (1..=limits::NAME_BYTES_MAX).contains(&name.len())
        && !name.iter().any(|byte| matches!(byte, b'/' | 0))
        && !matches!(name, b"." | b"..")
}

/// Whether a place is one that a folder can have.
fn is_place(place: &[u8]) -> bool {
    place.len() <= limits::PATH_BYTES_MAX
        && (place.is_empty() || place.split(|byte| *byte == b'/').all(is_name))
}

/// One piece of a list: a folder, or a part of one.
#[derive(Debug, Default)]
pub(super) struct Piece {
    /// Where the folder is, by the top of the filesystem.
    pub place: Vec<u8>,
    /// Whether it is the first of its folder.
    pub is_first: bool,
    /// Whether it is the last of its folder.
    pub is_last: bool,
    /// Of the first one: what the folder was when its names were read; `None` when it was not to be believed.
    pub mark: Option<i64>,
    /// As it lies there.
    bytes: Vec<u8>,
    /// Where in it the names begin.
    names_at: usize,
}

impl Piece {
    /// Hands out the names in it.
    ///
    /// Errors: those of `take`.
    pub fn each(&self, take: &mut dyn FnMut(&[u8], Sort) -> Result<()>) -> Result<()> {
        let mut bytes = self.bytes.get(self.names_at..).unwrap_or_default();
        let mut name = Vec::new();
        while !bytes.is_empty() {
            let Some(head) = take_number(&mut bytes) else { break };
            if take_text(&mut bytes, head >> 2, &mut name).is_none() || !is_name(&name) {
                break;
            }
            take(&name, Sort::of(head))?;
        }
        Ok(())
    }

    /// Reads what stands before the names. `place` is still that of the piece before; whether it makes sense behind
    /// that.
    fn read_head(&mut self, is_begun: bool) -> Option<()> {
        let before = self.place.clone();
        let mut bytes = self.bytes.as_slice();
        let same = take_number(&mut bytes)?;
        take_text(&mut bytes, same, &mut self.place)?;
        let (flags, rest) = bytes.split_first()?;
        bytes = rest;
        let was_whole = self.is_last || !is_begun;
        (self.is_first, self.is_last) = (flags & bits::FIRST != 0, flags & bits::LAST != 0);
        self.mark = None;
        if flags & bits::MARK != 0 {
            let (mark, rest) = bytes.split_at_checked(8)?;
            self.mark = Some(i64::from_le_bytes(mark.try_into().ok()?));
            bytes = rest;
        }
        self.names_at = self.bytes.len() - bytes.len();
        let follows = if self.is_first {
            was_whole && (!is_begun || order(&self.place, &before) == Ordering::Greater)
        } else {
            !was_whole && self.place == before
        };
        (follows && is_place(&self.place)).then_some(())
    }
}

/// A list as it lies somewhere, to be read any number of times.
#[derive(Clone, Debug)]
pub(super) enum List {
    /// In a file.
    File(Arc<File>),
    /// In memory.
    Memory(Arc<[u8]>),
}

impl List {
    /// Bytes of it.
    fn length(&self) -> Option<u64> {
        match self {
            Self::File(file) => Some(file.metadata().ok()?.len()),
            Self::Memory(list) => Some(list.len() as u64),
        }
    }

    /// Its bytes from there on.
    fn from(&self, offset: u64) -> Stretch {
        Stretch { list: self.clone(), offset }
    }
}

/// Bytes of a list from somewhere on.
#[derive(Debug)]
struct Stretch {
    /// The list.
    list: List,
    /// How many of them were read.
    offset: u64,
}

impl Read for Stretch {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = match &self.list {
            List::File(file) => file.read_at(out, self.offset)?,
            List::Memory(list) => {
                let at = usize::try_from(self.offset).unwrap_or(usize::MAX);
                let mut rest = list.get(at..).unwrap_or_default();
                rest.read(out)?
            }
        };
        self.offset += count as u64;
        Ok(count)
    }
}

/// Reads a list from its beginning.
#[derive(Debug)]
pub(super) struct Reader {
    /// The bytes that are still to be read.
    from: BufReader<Stretch>,
    /// The piece that it is at.
    piece: Piece,
    /// Whether there is one.
    is_at_piece: bool,
    /// How many pieces it is past.
    passed: u64,
}

impl Reader {
    /// Over a list; `None` if that is not whole.
    pub fn of(list: &List) -> Option<Self> {
        let bytes = list.length()?;
        let mut tail = [0; TAIL_BYTES];
        list.from(bytes.checked_sub(TAIL_BYTES as u64)?).read_exact(&mut tail).ok()?;
        let (head, totals) = tail.split_at_checked(HEAD_BYTES)?;
        if head != head_of(0, totals)
            || number_at(totals, 16)? != bytes
            || bytes > limits::NAMES_LIST_BYTES_MAX
        {
            return None;
        }
        let mut magic = [0; MAGIC.len()];
        let mut from = BufReader::with_capacity(limits::NAMES_BUFFER_BYTES, list.from(0));
        from.read_exact(&mut magic).ok()?;
        if magic != MAGIC {
            return None;
        }
        let piece = Piece::default();
        let mut reader = Self { from, piece, is_at_piece: false, passed: 0 };
        reader.is_at_piece = reader.read(false).is_some();
        Some(reader)
    }

    /// The piece that it is at; `None` at the end.
    pub fn piece(&self) -> Option<&Piece> {
        self.is_at_piece.then_some(&self.piece)
    }

    /// How many pieces it is past.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Goes on to the next piece.
    pub fn step(&mut self) {
        if self.is_at_piece {
            self.passed += 1;
            self.is_at_piece = self.read(true).is_some();
        }
    }

    /// Reads a piece; `None` at the end, and where something is not as it was written.
    fn read(&mut self, is_begun: bool) -> Option<()> {
        let mut head = [0; HEAD_BYTES];
        self.from.read_exact(&mut head).ok()?;
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::try_from(length).ok()?;
        if !(1..=limits::NAMES_PIECE_BYTES_MAX).contains(&length) {
            return None;
        }
        self.piece.bytes.resize(length, 0);
        self.from.read_exact(&mut self.piece.bytes).ok()?;
        if head != head_of(length, &self.piece.bytes) {
            return None;
        }
        self.piece.read_head(is_begun)
    }
}

/// Eight bytes as a number.
fn number_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// What stands before a piece of this length with these bytes.
fn head_of(length: usize, bytes: &[u8]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    let (first, second) = head.split_at_mut(4);
    first.copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    second.copy_from_slice(&crc32fast::hash(bytes).to_le_bytes());
    head
}

/// Where a list is written to.
#[derive(Debug)]
enum Out {
    /// A file.
    File(BufWriter<File>),
    /// Memory.
    Memory(Vec<u8>),
}

/// A list that has been written.
pub(super) enum Written {
    /// A file, nothing of which is durable yet.
    File(File),
    /// In memory.
    Memory(Arc<[u8]>),
}

/// Writes a list.
#[derive(Debug)]
pub(super) struct Writer {
    /// Where to.
    out: Out,
    /// Bytes of it at most.
    bytes_max: u64,
    /// Bytes of it so far.
    bytes: u64,
    /// Names in it.
    names: u64,
    /// Names in it without the folder it is at.
    names_before: u64,
    /// Folders in it.
    folders: u64,
    /// The place of the piece that was written last, then that of the folder it is at.
    places: (Vec<u8>, Vec<u8>),
    /// The piece that is being made.
    piece: Vec<u8>,
    /// Where in it the flags are.
    flags_at: usize,
    /// The name that was added last to the piece.
    name: Vec<u8>,
}

impl Writer {
    /// Into a file.
    pub fn to_file(file: File) -> io::Result<Self> {
        let out = BufWriter::with_capacity(limits::NAMES_BUFFER_BYTES, file);
        Self::begin(Out::File(out), limits::NAMES_LIST_BYTES_MAX)
    }

    /// Into memory.
    pub fn to_memory() -> io::Result<Self> {
        Self::begin(Out::Memory(Vec::new()), limits::NAMES_MEMORY_BYTES_MAX)
    }

    /// Begins it.
    fn begin(out: Out, bytes_max: u64) -> io::Result<Self> {
        let (places, piece, name) = <((Vec<u8>, Vec<u8>), Vec<u8>, Vec<u8>)>::default();
        let (bytes, names, names_before, folders, flags_at) = (0, 0, 0, 0, 0);
        let mut writer = Self {
            out,
            bytes_max,
            bytes,
            names,
            names_before,
            folders,
            places,
            piece,
            flags_at,
            name,
        };
        writer.put(&MAGIC)?;
        Ok(writer)
    }

    /// Bytes of it so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Names in it so far.
    pub fn names(&self) -> u64 {
        self.names
    }

    /// Begins a folder; those come in order.
    pub fn enter(&mut self, place: &[u8], mark: Option<i64>) {
        self.folders += 1;
        self.names_before = self.names;
        self.places.1.clear();
        self.places.1.extend(place);
        self.begin_piece(true, mark);
    }

    /// Adds a name to the folder.
    pub fn push(&mut self, name: &[u8], sort: Sort) -> io::Result<()> {
        if self.piece.len() >= limits::NAMES_PIECE_BYTES {
            self.end_piece(0)?;
            self.begin_piece(false, None);
        }
        self.names += 1;
        put_text(&mut self.piece, name, &self.name, (4, sort as u64));
        self.name.clear();
        self.name.extend(name);
        Ok(())
    }

    /// Ends the folder.
    pub fn leave(&mut self) -> io::Result<()> {
        self.end_piece(bits::LAST)
    }

    /// Takes the folder out again that it is at; whether it could: not once a part of it is written.
    pub fn take_out(&mut self) -> bool {
        let is_first = self.piece.get(self.flags_at).is_some_and(|flags| flags & bits::FIRST != 0);
        self.folders -= u64::from(is_first);
        self.names = self.names_before;
        is_first
    }

    /// Adds a piece of another list; its folder's first before its others.
    pub fn copy(&mut self, piece: &Piece) -> io::Result<()> {
        if piece.is_first {
            self.enter(&piece.place, piece.mark);
        } else {
            self.begin_piece(false, None);
        }
        let mut count = 0;
        let counted = piece.each(&mut |_, _| {
            count += 1;
            Ok(())
        });
        self.names += counted.map_or(0, |()| count);
        self.piece.extend(piece.bytes.get(piece.names_at..).unwrap_or_default());
        self.end_piece(if piece.is_last { bits::LAST } else { 0 })
    }

    /// Begins a piece of the folder.
    fn begin_piece(&mut self, is_first: bool, mark: Option<i64>) {
        self.piece.clear();
        self.name.clear();
        put_text(&mut self.piece, &self.places.1, &self.places.0, (1, 0));
        self.flags_at = self.piece.len();
        let first = if is_first { bits::FIRST } else { 0 };
        let has_mark = if mark.is_some() { bits::MARK } else { 0 };
        self.piece.push(first | has_mark);
        self.piece.extend(mark.map(i64::to_le_bytes).into_iter().flatten());
    }

    /// Writes the piece.
    fn end_piece(&mut self, last: u8) -> io::Result<()> {
        if let Some(flags) = self.piece.get_mut(self.flags_at) {
            *flags |= last;
        }
        let piece = std::mem::take(&mut self.piece);
        self.put(&head_of(piece.len(), &piece))?;
        self.put(&piece)?;
        self.piece = piece;
        self.places.0.clone_from(&self.places.1);
        Ok(())
    }

    /// Writes bytes.
    ///
    /// Errors: `FileTooLarge` beyond the bound.
    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.bytes += bytes.len() as u64;
        if self.bytes + TAIL_BYTES as u64 > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match &mut self.out {
            Out::File(file) => file.write_all(bytes),
            Out::Memory(memory) => {
                memory.extend(bytes);
                Ok(())
            }
        }
    }

    /// Ends it.
    pub fn finish(mut self) -> io::Result<Written> {
        let length = self.bytes + TAIL_BYTES as u64;
        let totals: Vec<u8> = [self.names, self.folders, length]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect();
        let tail = [&head_of(0, &totals), totals.as_slice()].concat();
        match self.out {
            Out::File(ref mut file) => file.write_all(&tail)?,
            Out::Memory(ref mut memory) => memory.extend(&tail),
        }
        Ok(match self.out {
            Out::File(file) => {
                Written::File(file.into_inner().map_err(io::IntoInnerError::into_error)?)
            }
            Out::Memory(memory) => Written::Memory(memory.into()),
        })
    }
}

#[cfg(test)]
mod tests;
