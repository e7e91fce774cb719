//! The properties of what is in the share: those that larder knows itself (RFC 4918, 15; RFC 4331), and those that
//! clients keep with it, whatever they mean.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

use crate::dav::locking;
use crate::dav::xml::{DAV, escaped};
use crate::http::handlers::{download, media};
use crate::vault::{Entry, Kind, Share, VaultPath};

/// A property that larder knows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// When it was made.
    CreationDate,
    /// What it is called.
    DisplayName,
    /// Bytes.
    ContentLength,
    /// Its media type.
    ContentType,
    /// Its tag.
    Etag,
    /// When it changed last.
    LastModified,
    /// Whether it is a folder.
    ResourceType,
    /// Which locks there can be.
    SupportedLock,
    /// Which locks there are.
    LockDiscovery,
    /// Bytes that may come.
    QuotaAvailable,
    /// Bytes that are there.
    QuotaUsed,
}

/// All of them by name; the last two are told only by name.
const LIVE: [(&str, Live); 11] = [
    ("creationdate", Live::CreationDate),
    ("displayname", Live::DisplayName),
    ("getcontentlength", Live::ContentLength),
    ("getcontenttype", Live::ContentType),
    ("getetag", Live::Etag),
    ("getlastmodified", Live::LastModified),
    ("resourcetype", Live::ResourceType),
    ("supportedlock", Live::SupportedLock),
    ("lockdiscovery", Live::LockDiscovery),
    ("quota-available-bytes", Live::QuotaAvailable),
    ("quota-used-bytes", Live::QuotaUsed),
];

/// What is asked about: one thing in the share.
pub struct Subject<'a> {
    /// Whose view it is.
    pub share: &'a Share,
    /// Where it is.
    pub path: &'a VaultPath,
    /// What it is.
    pub entry: &'a Entry,
}

impl Live {
    /// The one of this name.
    pub fn find(namespace: &str, name: &str) -> Option<Self> {
        let found = LIVE.iter().find(|(known, _)| namespace == DAV && *known == name);
        found.map(|(_, live)| *live)
    }

    /// Those that are told without being named, with their names.
    pub fn usual() -> impl Iterator<Item = (&'static str, Self)> {
        LIVE.into_iter().filter(|(_, live)| !matches!(live, Self::QuotaAvailable | Self::QuotaUsed))
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        LIVE.iter().find(|(_, live)| *live == self).map_or("", |(name, _)| name)
    }

    /// Its value, as XML; `None` where there is none.
    pub fn value(self, of: &Subject<'_>) -> Option<String> {
        let entry = of.entry;
        let is_folder = entry.kind == Kind::Folder;
        match self {
            Self::CreationDate => entry.born.and_then(moment),
            Self::DisplayName if of.path.is_root() => Some("larder".to_owned()),
            Self::DisplayName => Some(escaped(&entry.name).into_owned()),
            Self::LastModified => Some(download::last_modified(entry.modified)),
            Self::ResourceType if is_folder => Some("<D:collection/>".to_owned()),
            Self::ResourceType => Some(String::new()),
            Self::SupportedLock => Some(locking::SUPPORTED.to_owned()),
            Self::LockDiscovery => Some(locking::discovery(of.share, of.path)),
            Self::ContentLength => (!is_folder).then(|| entry.size.to_string()),
            Self::ContentType => {
                let media_type = || media::content_type(&media::of(&entry.name));
                (!is_folder).then(|| escaped(&media_type()).into_owned())
            }
            Self::Etag => entry.stamp.map(|stamp| format!("&quot;{}&quot;", stamp.tag())),
            Self::QuotaAvailable | Self::QuotaUsed => {
                let usage = is_folder.then(|| of.share.usage_of(of.path).ok()).flatten()?;
                let is_known = usage.total_bytes > 0;
                let bytes =
                    if self == Self::QuotaUsed { usage.used_bytes } else { usage.free_bytes };
                is_known.then(|| bytes.to_string())
            }
        }
    }
}

/// A moment as RFC 3339 has it.
fn moment(time: SystemTime) -> Option<String> {
    let seconds = time.duration_since(UNIX_EPOCH).ok()?.as_secs();
    Some(Timestamp::from_second(i64::try_from(seconds).ok()?).ok()?.to_string())
}

/// What clients keep with a thing, in the order in which it came. It is stored as triples of namespace, name and the
/// whole element as text, each ended by a NUL, which XML cannot have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead(Vec<Property>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// What its prefix stands for.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// The element, with its value.
    pub text: String,
}

impl Dead {
    /// Reads what is stored; what cannot be read is none.
    pub fn parse(notes: &[u8]) -> Self {
        let text = std::str::from_utf8(notes).unwrap_or_default();
        let fields: Vec<&str> = text.split_terminator('\0').collect();
        let (triples, _rest) = fields.as_chunks::<3>();
        let property = |[namespace, name, text]: &[&str; 3]| Property {
            namespace: (*namespace).to_owned(),
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        };
        Self(triples.iter().map(property).collect())
    }

    /// As it is stored.
    pub fn to_notes(&self) -> Vec<u8> {
        let fields = self.0.iter().flat_map(|one| [&one.namespace, &one.name, &one.text]);
        fields.flat_map(|field| field.bytes().chain([0])).collect()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Property> {
        self.0.iter()
    }

    /// The one of this name.
    pub fn find(&self, namespace: &str, name: &str) -> Option<&Property> {
        self.0.iter().find(|one| one.namespace == namespace && one.name == name)
    }

    /// Takes one out, if it is there.
    pub fn remove(&mut self, namespace: &str, name: &str) {
        self.0.retain(|one| one.namespace != namespace || one.name != name);
    }

    /// Puts one in, instead of the one of its name.
    pub fn set(&mut self, property: Property) {
        self.remove(&property.namespace, &property.name);
        self.0.push(property);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_as_it_was() {
        let property = |name: &str, text: &str| Property {
            namespace: "urn:x".to_owned(),
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let mut dead = Dead::default();
        dead.set(property("a", "<a/>"));
        dead.set(property("b", ""));
        dead.set(property("a", "<a>ü</a>"));
        assert_eq!(dead.iter().map(|one| &*one.text).collect::<Vec<_>>(), ["", "<a>ü</a>"]);
        assert_eq!(Dead::parse(&dead.to_notes()), dead);
        dead.remove("urn:x", "a");
        assert!(dead.find("urn:x", "a").is_none() && dead.find("urn:x", "b").is_some());
        for damaged in [&b""[..], b"\xff", b"a\0b\0", b"\0"] {
            assert_eq!(Dead::parse(damaged), Dead::default());
        }
    }
}
