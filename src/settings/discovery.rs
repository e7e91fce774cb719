//! What the settings say of being found in the local network (second contract, section 23).

use super::values::{Keys, Wrong};
use crate::{limits, words};

/// How larder is found in the local network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiscoverySettings {
    /// Whether it is announced.
    pub is_on: bool,
    /// What the machine is to be called, before `.local`; in lower case.
    pub name: String,
    /// What its services are to be called.
    pub server_name: String,
}

impl DiscoverySettings {
    /// Reads it.
    ///
    /// Errors: the key that is wrong, and why.
    pub(super) fn read(keys: &Keys<'_>) -> Result<Self, Wrong> {
        let name = keys.text("discovery_name")?.to_ascii_lowercase();
        if !is_label(&name) {
            let why = "must be one label of 1 to 63 letters, digits and hyphens, such as larder";
            return Err(("discovery_name", why.to_owned()));
        }
        let server_name = keys.text("server_name")?.to_owned();
        let is_fit = (1..=limits::LABEL_BYTES_MAX).contains(&server_name.len());
        if !is_fit || !words::are_plain(&server_name) {
            let why = "must have 1 to 63 bytes, and no control characters or marks that turn its direction";
            return Err(("server_name", why.to_owned()));
        }
        Ok(Self { is_on: keys.flag("discovery")?, name, server_name })
    }
}

/// What a larder is called whose owner has not said it.
pub(super) fn default_server_name() -> String {
    let uname = rustix::system::uname();
    let mut name = words::plain(&format!("larder on {}", uname.nodename().to_string_lossy()));
    name.truncate(name.floor_char_boundary(limits::LABEL_BYTES_MAX));
    name
}

/// Whether this may be the name of a machine within a domain (RFC 1123, 2.1).
fn is_label(name: &str) -> bool {
    (1..=limits::LABEL_BYTES_MAX).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use crate::settings::{Settings, Wrong};

    /// The defaults with this key.
    fn with(key: &str, value: Value) -> Result<Settings, Wrong> {
        let (mut object, _) = Settings::with_defaults(Map::new());
        object.insert(key.to_owned(), value);
        Settings::parse(object)
    }

    #[test]
    fn a_larder_is_called_as_its_owner_says_else_by_its_machine() {
        let settings = with("discovery_name", json!("Attic-2")).unwrap();
        assert_eq!(settings.discovery.name, "attic-2", "as names are compared");
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        assert!(format!("larder on {host}").starts_with(&settings.discovery.server_name));
        let name = "ä".repeat(31) + "x";
        let settings = with("server_name", json!(name)).unwrap();
        assert_eq!(settings.discovery.server_name, name);
        assert!(with("discovery_name", json!("x".repeat(63))).is_ok());
    }

    #[test]
    fn what_is_no_name_is_refused_by_its_key() {
        for (key, value) in [
            ("discovery", json!("on")),
            ("discovery_name", json!("")),
            ("discovery_name", json!("nas.local")),
            ("discovery_name", json!("-nas")),
            ("discovery_name", json!("nas-")),
            ("discovery_name", json!("my nas")),
            ("discovery_name", json!("n_as")),
            ("discovery_name", json!("küche")),
            ("discovery_name", json!("x".repeat(64))),
            ("server_name", json!("nas \u{202e}gpj")),
            ("server_name", json!("")),
            ("server_name", json!("x".repeat(64))),
            ("server_name", json!("ä".repeat(32))),
            ("server_name", json!("a\nb")),
            ("server_name", json!("a\u{7f}b")),
        ] {
            assert_eq!(with(key, value.clone()).unwrap_err().0, key, "{value}");
        }
    }
}
