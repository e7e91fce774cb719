//! Where EXIF lies in HEIC, AVIF and their like (ISO/IEC 23008-12, annex A; the boxes: ISO/IEC 14496-12, 8.11).

use std::io::{BufRead, ErrorKind, Read, Result, Seek, SeekFrom};

use crate::limits;

/// Reads EXIF, from its TIFF header on; `None` when there is none, or it lies in pieces.
///
/// Errors: the drive's.
pub fn find_exif(reader: &mut (impl BufRead + Seek)) -> Result<Option<Vec<u8>>> {
    let found = match find_meta(reader) {
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        found => found?,
    };
    let Some((start, length)) = found.and_then(|meta| locate(&meta)) else { return Ok(None) };
    reader.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    reader.take(length.min(limits::HEIF_EXIF_BYTES_MAX)).read_to_end(&mut bytes)?;
    Ok(behind_offset(&bytes).map(<[u8]>::to_vec))
}

/// What comes behind the offset that such an item begins with.
fn behind_offset(item: &[u8]) -> Option<&[u8]> {
    let (offset, rest) = item.split_first_chunk()?;
    rest.get(u32::from_be_bytes(*offset) as usize..)
}

/// The content of the box that tells what there is and where.
fn find_meta(reader: &mut (impl BufRead + Seek)) -> Result<Option<Vec<u8>>> {
    for _ in 0..limits::PICTURE_SEGMENTS_MAX {
        let mut head = [0; 8];
        reader.read_exact(&mut head)?;
        let [a, b, c, d, name @ ..] = head;
        let (length, behind) = match u32::from_be_bytes([a, b, c, d]) {
            1 => {
                let mut long = [0; 8];
                reader.read_exact(&mut long)?;
                (u64::from_be_bytes(long), 16)
            }
            // To the end: there is nothing behind it.
            0 if &name != b"meta" => return Ok(None),
            0 => (limits::HEIF_META_BYTES_MAX, 8),
            length => (length.into(), 8),
        };
        let Some(length) = length.checked_sub(behind) else { return Ok(None) };
        if &name == b"meta" {
            let mut meta = Vec::new();
            reader.take(length.min(limits::HEIF_META_BYTES_MAX)).read_to_end(&mut meta)?;
            return Ok(Some(meta));
        }
        let Ok(step) = i64::try_from(length) else { return Ok(None) };
        reader.seek_relative(step)?;
    }
    Ok(None)
}

/// Bytes that are taken from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    /// So many.
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of so many bytes; of none it is 0.
    fn number(&mut self, count: usize) -> Option<u64> {
        let bytes = self.take(count).filter(|_| count <= 8)?;
        Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    /// The next box: its name and its content.
    fn next_box(&mut self) -> Option<(&'a [u8], Bytes<'a>)> {
        let length = usize::try_from(self.number(4)?).ok()?;
        let name = self.take(4)?;
        Some((name, Bytes(self.take(length.checked_sub(8)?)?)))
    }
}

/// Where in the file EXIF lies: start and length.
fn locate(meta: &[u8]) -> Option<(u64, u64)> {
    let mut meta = Bytes(meta);
    // Version and flags.
    meta.take(4)?;
    let (mut item, mut places) = (None, None);
    while let Some((name, content)) = meta.next_box() {
        match name {
            b"iinf" => item = find_item(content),
            b"iloc" => places = Some(content),
            _ => {}
        }
    }
    find_place(places?, item?)
}

/// The number of the item that is EXIF.
fn find_item(mut list: Bytes) -> Option<u64> {
    let version = list.number(4)? >> 24;
    let count = list.number(if version == 0 { 2 } else { 4 })?;
    for _ in 0..count {
        let (name, mut entry) = list.next_box()?;
        let version = entry.number(4)? >> 24;
        if name != b"infe" || !(2..=3).contains(&version) {
            continue;
        }
        let number = entry.number(if version == 2 { 2 } else { 4 })?;
        // Which protection it has.
        entry.take(2)?;
        if entry.take(4)? == b"Exif" {
            return Some(number);
        }
    }
    None
}

/// Where an item lies: in one piece, counted from the beginning of the file.
fn find_place(mut list: Bytes, wanted: u64) -> Option<(u64, u64)> {
    let version = list.number(4)? >> 24;
    if version > 2 {
        return None;
    }
    let sizes = list.take(2)?;
    let (offset_size, length_size) = (usize::from(sizes[0] >> 4), usize::from(sizes[0] & 15));
    let base_size = usize::from(sizes[1] >> 4);
    let index_size = if version == 0 { 0 } else { usize::from(sizes[1] & 15) };
    let number_size = if version == 2 { 4 } else { 2 };
    for _ in 0..list.number(number_size)? {
        let item = list.number(number_size)?;
        let method = if version == 0 { 0 } else { list.number(2)? & 15 };
        let source = list.number(2)?;
        let base = list.number(base_size)?;
        let pieces = list.number(2)?;
        for _ in 0..pieces {
            list.take(index_size)?;
            let start = list.number(offset_size)?.checked_add(base)?;
            let length = list.number(length_size)?;
            if item == wanted {
                let is_plain = method == 0 && source == 0 && pieces == 1;
                return is_plain.then_some((start, length));
            }
        }
    }
    None
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// A box.
    fn boxed(name: &[u8], content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).unwrap().to_be_bytes();
        [&length[..], name, content].concat()
    }

    /// A file with EXIF and nothing else, as phones lay it out.
    pub fn file_with(exif: &[u8]) -> Vec<u8> {
        file_of(exif, &[])
    }

    /// The same with a size.
    pub fn file_of_size(exif: &[u8], width: u32, height: u32) -> Vec<u8> {
        let size = [[0; 4], width.to_be_bytes(), height.to_be_bytes()].concat();
        file_of(exif, &boxed(b"iprp", &boxed(b"ipco", &boxed(b"ispe", &size))))
    }

    /// The same with these properties.
    fn file_of(exif: &[u8], properties: &[u8]) -> Vec<u8> {
        let item = |number: u8, kind: &[u8]| {
            boxed(b"infe", &[&[2, 0, 0, 0, 0, number, 0, 0][..], kind, b"\0"].concat())
        };
        let list = boxed(
            b"iinf",
            &[&[0, 0, 0, 0, 0, 2][..], &item(1, b"hvc1"), &item(2, b"Exif")].concat(),
        );
        let content = [&[0, 0, 0, 6][..], b"Exif\0\0", exif].concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        let with = |start: u32| {
            let place = |number, start: [u8; 4], length: [u8; 4]| {
                [&[0, number, 0, 0, 0, 0, 0, 1][..], &start, &length].concat()
            };
            let places = [place(1, [0; 4], [0; 4]), place(2, start.to_be_bytes(), length)].concat();
            let places = boxed(b"iloc", &[&[1, 0, 0, 0, 0x44, 0, 0, 2][..], &places].concat());
            let handler = boxed(b"hdlr", &[0; 24]);
            let meta =
                boxed(b"meta", &[&[0; 4][..], &handler, &list, &places, properties].concat());
            [boxed(b"ftyp", b"heic\0\0\0\0mif1heic"), meta].concat()
        };
        let start = u32::try_from(with(0).len() + 8).unwrap();
        [with(start), boxed(b"mdat", &content)].concat()
    }

    #[test]
    fn exif_is_found_where_the_boxes_say() {
        let file = file_with(b"MM\0*");
        assert_eq!(find_exif(&mut Cursor::new(&file)).unwrap().as_deref(), Some(&b"MM\0*"[..]));
        for end in 0..file.len() - 4 {
            // Cut off anywhere, it is another or none, and nothing breaks.
            find_exif(&mut Cursor::new(&file[..end])).unwrap();
        }
    }

    #[test]
    fn of_much_exif_the_beginning_is_read() {
        let much = [b"MM\0*".to_vec(), vec![0; 192 << 10]].concat();
        let found = find_exif(&mut Cursor::new(file_with(&much))).unwrap().unwrap();
        assert!(much.starts_with(&found) && found.len() > 120 << 10);
    }

    proptest! {
        #[test]
        fn any_bytes_do_no_harm(bytes: Vec<u8>, flips in prop::collection::vec((0_usize..200, any::<u8>()), 0..8)) {
            let _none = find_exif(&mut Cursor::new(&bytes));
            let mut file = file_with(b"MM\0*");
            let length = file.len();
            for (at, value) in flips {
                file[at % length] = value;
            }
            let _any = find_exif(&mut Cursor::new(&file));
        }
    }
}
