//! How much there is to EXIF before it is understood (TIFF 6.0, section 2). Its directories may point into each other
//! and lie over each other, so that 64 KiB of them become gigabytes of tags; a camera writes five with some hundred.

use crate::limits;

/// Tags whose value is the place of another directory: of EXIF, of positions, of interoperability (EXIF 2.32, 4.6.3).
const POINTERS: [u16; 3] = [0x8769, 0x8825, 0xa005];

/// Bytes of one entry of a directory.
const ENTRY_BYTES: usize = 12;

/// Bytes as TIFF orders them.
struct Data<'a> {
    /// From the header on.
    bytes: &'a [u8],
    /// Whether the small end comes first.
    is_little: bool,
}

impl Data<'_> {
    /// A number of two bytes.
    fn short(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little { u16::from_le_bytes(*bytes) } else { u16::from_be_bytes(*bytes) })
    }

    /// A number of four bytes.
    fn long(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..)?.first_chunk()?;
        Some(if self.is_little { u32::from_le_bytes(*bytes) } else { u32::from_be_bytes(*bytes) })
    }

    /// Where the directories start that this one leads to; 0 stands for none. Counts what is in it.
    fn leads_to(&self, at: usize, entries: &mut usize) -> Option<Vec<usize>> {
        // What is cut off is not read by anybody.
        let Some(count) = self.short(at) else { return Some(Vec::new()) };
        *entries += usize::from(count);
        if *entries > limits::EXIF_ENTRIES_MAX {
            return None;
        }
        let first = at + 2;
        let mut found = Vec::new();
        for entry in (0..usize::from(count)).map(|number| first + number * ENTRY_BYTES) {
            let Some(tag) = self.short(entry) else { return Some(found) };
            if POINTERS.contains(&tag) {
                // One number of four bytes, which stands in the entry itself.
                let is_pointer = self.short(entry + 2)? == 4 && self.long(entry + 4)? == 1;
                found.push(is_pointer.then(|| self.long(entry + 8))?? as usize);
            }
        }
        let next = self.long(first + usize::from(count) * ENTRY_BYTES).unwrap_or(0);
        found.push(next as usize);
        Some(found)
    }
}

/// Whether there is no more to it than a camera may have written.
pub fn are_modest(bytes: &[u8]) -> bool {
    let is_little = match bytes {
        [b'I', b'I', ..] => true,
        [b'M', b'M', ..] => false,
        _ => return false,
    };
    let data = Data { bytes, is_little };
    let Some(first) = data.long(4) else { return false };
    let (mut entries, mut directories) = (0, 0);
    let mut waiting = vec![first as usize];
    while let Some(at) = waiting.pop() {
        if at == 0 {
            continue;
        }
        directories += 1;
        let Some(found) = data.leads_to(at, &mut entries) else { return false };
        if directories > limits::EXIF_DIRECTORIES_MAX {
            return false;
        }
        waiting.extend(found);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EXIF of one directory with these tags, each of one long number.
    fn exif(tags: &[(u16, u32)], next: u32) -> Vec<u8> {
        let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
        bytes.extend(u16::try_from(tags.len()).unwrap().to_be_bytes());
        for (tag, value) in tags {
            bytes.extend(tag.to_be_bytes());
            bytes.extend([0, 4, 0, 0, 0, 1]);
            bytes.extend(value.to_be_bytes());
        }
        bytes.extend(next.to_be_bytes());
        bytes
    }

    #[test]
    fn what_a_camera_writes_is_modest() {
        assert!(are_modest(&exif(&[(0x0112, 6), (0x8769, 0)], 0)));
        assert!(are_modest(&exif(&[(0x0112, 6)], 0)[..15]), "cut off");
        assert!(are_modest(&exif(&[(0x0112, 6)], 60_000)), "leads out of it");
        assert!(!are_modest(b"MM"));
        assert!(!are_modest(b"<html></html>"));
    }

    #[test]
    fn circles_and_heaps_are_not() {
        assert!(!are_modest(&exif(&[], 8)), "its own next one");
        assert!(!are_modest(&exif(&[(0x8769, 8), (0x8825, 8)], 0)));
        let many: Vec<_> = (0..4000).map(|_| (0x0112, 1)).collect();
        assert!(!are_modest(&exif(&many, 0)));
        let heap = b"\x88\x25\0\x04\0\0\0\x01".iter().copied().cycle().take(60_000);
        let heap: Vec<u8> = b"MM\0*\0\0\0\x08\x10\0".iter().copied().chain(heap).collect();
        assert!(!are_modest(&heap));
        // A pointer of another kind would be looked for elsewhere.
        let mut odd = exif(&[(0x8769, 8)], 0);
        odd[13] = 1;
        assert!(!are_modest(&odd));
    }
}
