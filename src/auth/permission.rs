//! A user's paths into a `Grant`.

use crate::error::{Error, Result};
use crate::limits;
use crate::store::User;
use crate::vault::{Grant, VaultPath};

/// A list of prefixes that grants nothing.
pub const NOTHING: &str = "[]";

/// What this user may read and write in the share.
///
/// A stored list that can't be read grants nothing: a damaged row must not open doors.
pub fn grant(user: &User) -> Grant {
    Grant::new(
        prefixes(&user.paths).unwrap_or_default(),
        prefixes(&user.paths_write).unwrap_or_default(),
    )
}

/// Reads a list of path prefixes: a JSON array of texts, `""` for everything.
///
/// Errors: `Invalid("Invalid paths")`.
pub fn prefixes(json: &str) -> Result<Vec<VaultPath>> {
    let invalid = || Error::invalid("Invalid paths");
    if json.len() > limits::USER_TEXT_BYTES_MAX {
        return Err(invalid());
    }
    let texts: Vec<String> = serde_json::from_str(json).map_err(|_| invalid())?;
    if texts.len() > limits::USER_PATHS_MAX {
        return Err(invalid());
    }
    texts.iter().map(|text| VaultPath::parse(text).map_err(|_| invalid())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_prefixes_is_read_strictly() {
        assert_eq!(prefixes("[]").unwrap(), []);
        assert!(prefixes("[\"\"]").unwrap()[0].is_root());
        assert_eq!(prefixes("[\"/docs/shared/\"]").unwrap()[0].as_str(), "docs/shared");
        for bad in ["", "photos", "[1]", "{}", "[\"../x\"]", "null", "[\"a\"", "[\"a\\u0000\"]"] {
            assert!(matches!(prefixes(bad), Err(Error::Invalid(..))), "{bad}");
        }
        let list = |count: usize, text: &str| serde_json::to_string(&vec![text; count]).unwrap();
        assert_eq!(prefixes(&list(limits::USER_PATHS_MAX, "a")).unwrap().len(), 256);
        assert!(prefixes(&list(limits::USER_PATHS_MAX + 1, "a")).is_err());
        assert!(prefixes(&list(9, &"a/".repeat(1000))).is_err());
    }
}
