//! What the metadata of an upload say of its file (second contract, section 16).

use std::time::SystemTime;

use crate::error::{Error, Result, Why};
use crate::http::handlers::upload::if_exists;
use crate::http::tus::{self, Metadata};
use crate::vault::{IfExists, VaultPath};

/// What the file is to be.
pub struct Wish {
    /// Where it goes, name included.
    pub path: VaultPath,
    /// What to do about a file that is there.
    pub if_exists: IfExists,
    /// When it changed last, where it comes from.
    pub modified: Option<SystemTime>,
}

impl Wish {
    /// Reads what the client said of the file.
    ///
    /// Errors: `Invalid`.
    pub fn parse(metadata: &str) -> Result<Self> {
        let told = Metadata::parse(metadata)?;
        let if_exists = told.text("if_exists", Why::Input, "if_exists is not UTF-8")?;
        let if_exists = if_exists.map_or(Ok(IfExists::REFUSE), self::if_exists)?;
        Self::parse_but(metadata, if_exists)
    }

    /// The same where it is not for the client to say what becomes of a file that is there.
    ///
    /// Errors: `Invalid`.
    pub fn parse_but(metadata: &str, if_exists: IfExists) -> Result<Self> {
        const NAME: (Why, &str) = (Why::Name, "Invalid name");
        const PATH: (Why, &str) = (Why::Path, "Invalid path");
        let metadata = Metadata::parse(metadata)?;
        let text = |key, (why, wrong)| metadata.text(key, why, wrong);
        let name = match text("filename", NAME)? {
            None => text("name", NAME)?,
            name => name,
        };
        let folder = VaultPath::parse(text("path", PATH)?.unwrap_or_default())?;
        // Clients that send what they were given say `null` where there is nothing (Uppy).
        let below =
            text("relativePath", PATH)?.filter(|below| *below != "null" || name == Some("null"));
        let path = match (below, name) {
            (None, None) => return Err(Error::invalid_as(Why::Missing, "No file name provided")),
            (None, Some(name)) => folder.child(name)?,
            (Some(below), name) => below_folder(&folder, below, name)?,
        };
        Ok(Self {
            path,
            if_exists,
            modified: text("modified", (Why::Input, "")).ok().flatten().and_then(tus::moment),
        })
    }
}

/// The place of a file some folders below one, whose last name is the file's.
///
/// Errors: `Invalid`.
fn below_folder(folder: &VaultPath, below: &str, name: Option<&str>) -> Result<VaultPath> {
    const WRONG: Error = Error::invalid_as(Why::Path, "Invalid path");
    let below = VaultPath::parse(below)?;
    if below.is_root() || name.is_some_and(|name| name != below.name()) {
        return Err(WRONG);
    }
    below.components().try_fold(folder.clone(), |path, name| path.child(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD as BASE64;

    /// Metadata of these keys and values.
    fn metadata(pairs: &[(&str, &str)]) -> String {
        let pair = |(key, value): &(&str, &str)| format!("{key} {}", BASE64.encode(value));
        pairs.iter().map(pair).collect::<Vec<_>>().join(",")
    }

    /// Where a file of such metadata goes, or what is said.
    fn place(pairs: &[(&str, &str)]) -> std::result::Result<String, String> {
        let wish = Wish::parse(&metadata(pairs));
        wish.map(|wish| wish.path.as_str().to_owned()).map_err(|error| match error {
            Error::Invalid(_, sentence) => sentence.into_owned(),
            other => other.to_string(),
        })
    }

    #[test]
    fn the_place_is_folder_folders_below_and_name() {
        let good =
            |pairs: &[(&str, &str)], path: &str| assert_eq!(place(pairs).as_deref(), Ok(path));
        good(&[("filename", "a.txt")], "a.txt");
        good(&[("name", "a.txt"), ("path", "b/ä")], "b/ä/a.txt");
        good(&[("filename", "a"), ("name", "b")], "a");
        good(&[("filename", "a"), ("path", "/p/"), ("relativePath", "q/r/a")], "p/q/r/a");
        good(&[("relativePath", "/q/a")], "q/a");
        good(&[("filename", "a"), ("relativePath", "null")], "a");
        good(&[("filename", "null"), ("relativePath", "q/null")], "q/null");
    }

    #[test]
    fn what_is_no_place_is_refused() {
        let bad =
            |pairs: &[(&str, &str)], said: &str| assert_eq!(place(pairs), Err(said.to_owned()));
        bad(&[], "No file name provided");
        bad(&[("filename", "")], "No file name provided");
        bad(&[("path", "a")], "No file name provided");
        for name in ["..", ".", "a/b", "a\0b", "/"] {
            bad(&[("filename", name)], "Invalid name");
        }
        bad(&[("filename", "a"), ("path", "../b")], "Invalid path");
        bad(&[("filename", "a"), ("relativePath", "b/../a")], "Invalid path");
        bad(&[("filename", "a"), ("relativePath", "q/b")], "Invalid path");
        assert!(place(&[("filename", "a"), ("if_exists", "maybe")]).is_err());
    }
}
