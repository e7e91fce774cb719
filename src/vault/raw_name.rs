//! How a name on the drive that is no text is told, and found again: `%=` and then the name, in which the bytes
//! that are not UTF-8, and every `%`, are `%XX`. So `\xe9t\xe9.txt` is told `%=%E9t%E9.txt`. A name that is text is
//! told as it is, unless it begins with the mark itself; then it is told in this way as well, so that no two names
//! are told alike and each means what it says (decision 0010).

use crate::error::{Error, Result, Why};
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

/// What a name begins with that is not told as it is.
pub(super) const MARK: &str = "%=";

/// What a name on the drive is called towards callers.
pub fn tell(on_disk: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(on_disk) {
        Ok(text) if !text.starts_with(MARK) => Cow::Borrowed(text),
        _ => Cow::Owned(escaped(on_disk)),
    }
}

/// The name on the drive that is told so; `None` for what no name is ever told.
pub fn on_disk(told: &str) -> Option<Cow<'_, OsStr>> {
    let Some(rest) = told.strip_prefix(MARK) else {
        return Some(Cow::Borrowed(OsStr::new(told)));
    };
    let mut bytes = Vec::with_capacity(rest.len());
    let mut parts = rest.split('%');
    bytes.extend(parts.next().unwrap_or_default().as_bytes());
    for part in parts {
        bytes.push(u8::from_str_radix(part.get(..2)?, 16).ok()?);
        bytes.extend(part.get(2..)?.as_bytes());
    }
    (tell(&bytes) == told).then(|| Cow::Owned(OsString::from_vec(bytes)))
}

/// The same for a name that was judged before.
pub fn known(told: &str) -> Cow<'_, OsStr> {
    on_disk(told).unwrap_or(Cow::Borrowed(OsStr::new(told)))
}

/// Whether a name is not told as it is on the drive.
pub fn is_raw(told: &str) -> bool {
    told.starts_with(MARK)
}

/// Whether a name is text.
///
/// Errors: `Invalid("Invalid name")`.
pub fn must_be_text(on_disk: &OsStr) -> Result<()> {
    match std::str::from_utf8(on_disk.as_bytes()) {
        Ok(_) => Ok(()),
        Err(_) => Err(Error::invalid_as(Why::Name, "Invalid name")),
    }
}

/// A name that is not told as it is.
fn escaped(on_disk: &[u8]) -> String {
    let mut told = String::from(MARK);
    for chunk in on_disk.utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '%' => told.push_str("%25"),
                letter => told.push(letter),
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(told, "%{byte:02X}");
        }
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn what_is_no_text_is_told_and_found_again() {
        for (on_disk_name, told) in [
            (b"plain.txt".as_slice(), "plain.txt"),
            (b"100%E9.txt", "100%E9.txt"),
            (b"\xe9t\xe9.txt", "%=%E9t%E9.txt"),
            (b"50%\xff", "%=50%25%FF"),
            (b"%=%E9t%E9.txt", "%=%25=%25E9t%25E9.txt"),
            (b"%=", "%=%25="),
        ] {
            assert_eq!(tell(on_disk_name), told);
            assert_eq!(on_disk(told).unwrap().as_bytes(), on_disk_name);
        }
        for never in
            ["%=", "%=a", "%=.larder", "%=%2F", "%=..", "%=%2E%2E", "%=%00", "%=%e9", "%=%E", "%=%"]
        {
            assert_eq!(on_disk(never), None, "{never}");
        }
    }

    proptest! {
        #[test]
        fn every_name_is_told_in_one_way_and_means_itself(
            names in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![Just(b'%'), Just(b'='), Just(b'E'), Just(b'9'),
                    Just(0xe9_u8), Just(0xc3_u8), Just(0xa9_u8)], 1..7), 1..40)
        ) {
            let mut known = HashMap::new();
            for name in names {
                let told = tell(&name).into_owned();
                prop_assert!(on_disk(&told).unwrap().as_bytes() == name.as_slice());
                let before = known.insert(told, name.clone());
                prop_assert!(before.is_none_or(|before| before == name));
            }
        }

        #[test]
        fn what_is_found_is_told_so(told in "%=(%[0-9A-F]{2}|[a-z.%=]){0,6}") {
            if let Some(name) = on_disk(&told) {
                prop_assert_eq!(&tell(name.as_bytes()), &told);
                prop_assert!(!name.as_bytes().contains(&b'/') && !name.is_empty());
            }
        }
    }
}
