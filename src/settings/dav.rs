//! What the settings say of `WebDAV` (second contract, section 14).

use super::values::{Keys, Wrong};

/// What `WebDAV` is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DavSettings {
    /// Whether it is spoken.
    pub is_on: bool,
    /// Whether everything but `OPTIONS` needs TLS.
    pub needs_tls: bool,
    /// Whether what Macs leave in every folder is refused.
    pub refuses_litter: bool,
}

impl DavSettings {
    /// Reads it.
    ///
    /// Errors: the key that is wrong, and why.
    pub(super) fn read(keys: &Keys<'_>) -> Result<Self, Wrong> {
        let refuses_litter = match keys.value("dav_litter")?.as_str() {
            Some("refuse") => true,
            Some("keep") => false,
            _ => return Err(("dav_litter", "must be \"refuse\" or \"keep\"".to_owned())),
        };
        let (is_on, needs_tls) = (keys.flag("dav")?, keys.flag("dav_require_tls")?);
        Ok(Self { is_on, needs_tls, refuses_litter })
    }
}
