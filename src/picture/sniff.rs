//! What kind of picture a file is, by its first bytes: its name may say anything.

/// How many first bytes tell it.
pub const BYTES: usize = 12;

/// Kinds of files that have a picture for larder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// PNG (W3C, third edition).
    Png,
    /// WebP (RFC 9649).
    WebP,
    /// HEIF and its like, HEIC and AVIF: looked into for the picture inside only (ISO/IEC 23008-12).
    Heif,
}

/// The kind of a file that begins like this.
pub fn kind_of(start: &[u8]) -> Option<Kind> {
    match start {
        [0xff, 0xd8, 0xff, ..] => Some(Kind::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some(Kind::Png),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Kind::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => is_heif(brand).then_some(Kind::Heif),
        _ => None,
    }
}

/// Whether the major brand of a file in boxes is one of still pictures. Films are of the same family.
fn is_heif(brand: &[u8]) -> bool {
    let still: [&[u8]; 8] =
        [b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"avif"];
    still.iter().any(|still| brand.starts_with(still))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_tell_the_kind() {
        assert_eq!(kind_of(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(Kind::Jpeg));
        assert_eq!(kind_of(b"\x89PNG\r\n\x1a\n\0\0\0\r"), Some(Kind::Png));
        assert_eq!(kind_of(b"RIFF\x24\0\0\0WEBPVP8 "), Some(Kind::WebP));
        assert_eq!(kind_of(b"\0\0\0\x18ftypheic"), Some(Kind::Heif));
        for none in [
            &b""[..],
            b"\xff\xd8",
            b"GIF89a",
            b"<html>",
            b"\0\0\0\x18ftypisom",
            b"RIFF\0\0\0\0WAVE",
        ] {
            assert_eq!(kind_of(none), None, "{none:?}");
        }
    }
}
