//! A place under the share root, as a proof: whoever holds a `VaultPath` knows that it has no `..`,
//! no NUL and no component that cannot exist. Knows nothing of what is on the disk.

use super::raw_name;
use crate::error::{Error, Result, Why};
use crate::limits;
use std::borrow::Cow;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// A place under the share root: `/`-separated, free of `..`, empty and NUL parts, each part
/// within `limits::NAME_BYTES_MAX` bytes. The root is the empty path. Names are as callers are told them;
/// `raw_name.rs` knows what they are on the drive.
/// `parse` and `child` are the only ways to make one, so holding one is the proof.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(into = "String", try_from = "String")]
pub struct VaultPath(String);

impl From<VaultPath> for String {
    fn from(path: VaultPath) -> Self {
        path.0
    }
}

impl TryFrom<String> for VaultPath {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        Self::parse(&text).map_err(|_| "a path")
    }
}

impl VaultPath {
    /// The share root itself.
    pub const fn root() -> Self {
        Self(String::new())
    }

    /// Reads what a caller wrote. A leading `/` is ignored; doubled and trailing slashes and `.`
    /// parts are dropped; Unicode is kept as it is.
    ///
    /// Errors: `Invalid("Invalid path")` for `..`, NUL, a part or a whole that is too long.
    pub fn parse(text: &str) -> Result<Self> {
        const INVALID: Error = Error::invalid_as(Why::Path, "Invalid path");
        if text.len() > limits::TOLD_PATH_BYTES_MAX || text.contains('\0') {
            return Err(INVALID);
        }
        let mut path = String::with_capacity(text.len());
        let mut bytes = text.len();
        for part in text.split('/').filter(|part| !matches!(*part, "" | ".")) {
            let name = raw_name::on_disk(part).ok_or(INVALID)?;
            if part == ".." || name.len() > limits::NAME_BYTES_MAX {
                return Err(INVALID);
            }
            bytes -= part.len() - name.len();
            if !path.is_empty() {
                path.push('/');
            }
            path.push_str(part);
        }
        if bytes > limits::PATH_BYTES_MAX {
            return Err(INVALID);
        }
        Ok(Self(path))
    }

    /// A place that was found on the drive, its length not judged.
    pub(super) fn from_disk(place: &[u8]) -> Self {
        let parts = place.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
        parts.fold(Self::root(), |path, part| path.join(&raw_name::tell(part)))
    }

    /// Whether a name in it is not told as it is on the drive.
    pub(super) fn has_raw_names(&self) -> bool {
        self.components().any(raw_name::is_raw)
    }

    /// As it is on the drive, relative to the root.
    pub(super) fn on_disk(&self) -> Cow<'_, [u8]> {
        if !self.has_raw_names() {
            return Cow::Borrowed(self.0.as_bytes());
        }
        let names: Vec<_> = self.components().map(raw_name::known).collect();
        let names: Vec<&[u8]> = names.iter().map(|name| name.as_bytes()).collect();
        Cow::Owned(names.join(&b'/'))
    }

    /// Its last component as it is on the drive.
    pub(super) fn name_on_disk(&self) -> OsString {
        raw_name::known(self.name()).into_owned()
    }

    /// The place called `name` in this folder.
    ///
    /// Errors: `Invalid("Invalid name")` unless `name` is one component of 1 to 255 bytes that is
    /// neither `.` nor `..` nor larder's own folder; `Invalid("Invalid path")` when the whole
    /// grows too long.
    pub fn child(&self, name: &str) -> Result<Self> {
        let length = raw_name::on_disk(name).map_or(0, |name| name.len());
        let fits = (1..=limits::NAME_BYTES_MAX).contains(&length);
        if !fits || name.contains(['/', '\0']) || matches!(name, "." | "..") || is_reserved(name) {
            return Err(Error::invalid_as(Why::Name, "Invalid name"));
        }
        let path = self.join(name);
        if path.on_disk().len() > limits::PATH_BYTES_MAX {
            return Err(Error::invalid_as(Why::Path, "Invalid path"));
        }
        Ok(path)
    }

    /// The folder around it; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        Some(Self(self.0.rsplit_once('/').map_or_else(String::new, |(parent, _)| parent.into())))
    }

    /// Its last component; empty for the root.
    pub fn name(&self) -> &str {
        self.0.rsplit_once('/').map_or(&self.0, |(_, name)| name)
    }

    /// Its components from the root down; none for the root.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> + Clone {
        self.0.split('/').filter(|part| !part.is_empty())
    }

    /// Whether it is `folder` or lies in it. Whole components count: `photos2` does not start
    /// with `photos`.
    pub fn starts_with(&self, folder: &Self) -> bool {
        match self.0.strip_prefix(&folder.0) {
            Some(rest) => folder.is_root() || rest.is_empty() || rest.starts_with('/'),
            None => false,
        }
    }

    /// Whether what is on the way from `folder` to it, or it itself, is hidden: has a name that begins with a dot.
    pub(super) fn is_hidden_in(&self, folder: &Self) -> bool {
        let below = self.below(folder).unwrap_or_default();
        below.components().any(|name| is_hidden(raw_name::known(name).as_bytes()))
    }

    /// The same relative to `folder`; `None` when it does not lie in it.
    pub fn below(&self, folder: &Self) -> Option<Self> {
        let rest = self.0.strip_prefix(&folder.0).filter(|_| self.starts_with(folder))?;
        Some(Self(rest.strip_prefix('/').unwrap_or(rest).to_owned()))
    }

    /// The place at `path` in this folder; the length is not judged.
    pub fn join_path(&self, path: &Self) -> Self {
        if path.is_root() { self.clone() } else { self.join(&path.0) }
    }

    /// Whether it is the share root.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// As text, relative to the root, without a leading `/`; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Joins a name that came from the disk or was checked already; the length is not judged.
    pub(super) fn join(&self, name: &str) -> Self {
        if self.is_root() {
            return Self(name.into());
        }
        Self(format!("{}/{name}", self.0))
    }

    /// Whether a component of it is larder's own hidden folder.
    pub fn is_reserved(&self) -> bool {
        self.components().any(is_reserved)
    }
}

impl std::fmt::Display for VaultPath {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// The hidden folder in the share root where everything of larder's own lies.
pub(super) const HOME: &str = ".larder";

/// Whether a name on the drive is one that programs do not show.
pub(super) fn is_hidden(name: &[u8]) -> bool {
    name.starts_with(b".")
}

/// Whether a drive could take `name` for larder's hidden folder: FAT and its kin ignore the case
/// and drop trailing dots and spaces.
pub(super) fn is_reserved(name: &str) -> bool {
    name.trim_end_matches(['.', ' ']).eq_ignore_ascii_case(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What `parse` should do, told another way: fold the parts into a list.
    fn model(text: &str) -> Option<Vec<&str>> {
        let mut parts = Vec::new();
        if text.len() > 4096 {
            return None;
        }
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." => return None,
                part if part.contains('\0') || part.len() > 255 => return None,
                part => parts.push(part),
            }
        }
        Some(parts)
    }

    proptest! {
        #[test]
        fn parse_agrees_with_the_model(text in "(/|\\.|\\.\\.|a|b{250,260}|\0|ü|🍊| |\n){0,12}") {
            let parsed = VaultPath::parse(&text).ok();
            let told = model(&text);
            prop_assert_eq!(parsed.is_some(), told.is_some());
            if let (Some(path), Some(parts)) = (parsed, told) {
                prop_assert_eq!(path.components().collect::<Vec<_>>(), parts.clone());
                prop_assert_eq!(path.as_str(), parts.join("/"));
                prop_assert_eq!(VaultPath::parse(path.as_str()).ok(), Some(path.clone()));
                prop_assert_eq!(path.is_root(), parts.is_empty());
                prop_assert_eq!(path.name(), parts.last().copied().unwrap_or(""));
                let parent = path.parent().map(|p| p.components().map(str::to_owned).collect::<Vec<_>>());
                prop_assert_eq!(parent.is_some(), !parts.is_empty());
                if let Some(parent) = parent {
                    prop_assert_eq!(parent, &parts[..parts.len() - 1]);
                }
            }
        }

        #[test]
        fn anything_parses_or_is_refused(text in ".{0,300}") {
            // Names that are told in larder's own way have their rules, and their properties, in `raw_name`.
            prop_assume!(!text.contains(raw_name::MARK));
            prop_assert_eq!(VaultPath::parse(&text).is_ok(), model(&text).is_some());
        }

        #[test]
        fn starts_with_compares_whole_components(a in "(a|ab|/){0,6}", b in "(a|ab|/){0,6}") {
            let (Ok(a), Ok(b)) = (VaultPath::parse(&a), VaultPath::parse(&b)) else { panic!() };
            let parts: Vec<_> = a.components().collect();
            let prefix: Vec<_> = b.components().collect();
            prop_assert_eq!(a.starts_with(&b), parts.starts_with(&prefix));
        }

        #[test]
        fn a_child_is_one_component(name in "(/|\\.|a|\0|ü|b{125,130}){0,4}") {
            let good = !name.is_empty() && name.len() <= 255 && !name.contains('/')
                && !name.contains('\0') && name != "." && name != "..";
            let child = VaultPath::root().child(&name);
            prop_assert_eq!(child.is_ok(), good);
            if let Ok(child) = child {
                prop_assert_eq!(child.name(), name.as_str());
                prop_assert_eq!(VaultPath::parse(&name).ok(), Some(child));
            }
        }
    }

    #[test]
    fn the_root_has_many_names() {
        for text in ["", "/", ".", "//", "./", "/./."] {
            assert!(VaultPath::parse(text).expect(text).is_root(), "{text:?}");
        }
    }

    #[test]
    fn larders_own_folder_is_no_name_for_anybody() {
        for name in [".larder", ".LARDER", ".Larder.", ".larder ", ".larder. ."] {
            assert!(is_reserved(name), "{name:?}");
            assert!(VaultPath::root().child(name).is_err(), "{name:?}");
        }
        for name in ["larder", ".larder2", ".larde", " .larder", ".larder.txt"] {
            assert!(!is_reserved(name), "{name:?}");
            assert!(VaultPath::root().child(name).is_ok(), "{name:?}");
        }
    }

    #[test]
    fn a_path_longer_than_linux_takes_is_refused() {
        let longest = format!("{}a", "a/".repeat(2047));
        assert_eq!(longest.len(), 4095);
        let path = VaultPath::parse(&longest).expect("4095 bytes");
        assert!(path.child("bc").is_err());
        assert!(VaultPath::parse(&"a/".repeat(2049)).is_err());
    }
}
