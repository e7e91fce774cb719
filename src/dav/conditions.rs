//! On what condition something shall be changed: the fields of RFC 9110 (13.1).

use std::time::{SystemTime, UNIX_EPOCH};

use tiny_http::Request;

use crate::dav::tags::Tags;
use crate::error::{Error, Result};
use crate::vault::{Share, Tagged, VaultPath};

/// Whether what is there is what the request takes it for. Of a place that may only be written nobody learns anything
/// by this.
///
/// Errors: `PreconditionFailed`, `StorageAbsent`.
pub fn judge(request: &Request, share: &Share, path: &VaultPath) -> Result<()> {
    let fields =
        ["If-Match", "If-None-Match", "If-Unmodified-Since"].map(|name| request.header(name));
    if fields.iter().all(Option::is_none) {
        return Ok(());
    }
    let is_there = match share.look(path) {
        Ok(_) => true,
        Err(Error::NotFound(_)) => false,
        Err(Error::Refused) => return Ok(()),
        Err(error) => return Err(error),
    };
    let tagged = share.tagged(path)?;
    if holds(fields, is_there, tagged.as_ref()) { Ok(()) } else { Err(Error::PreconditionFailed) }
}

/// The same of what was looked at.
fn holds(
    [if_match, if_none_match, if_unmodified_since]: [Option<&str>; 3],
    is_there: bool,
    tagged: Option<&Tagged>,
) -> bool {
    let names = |list: &Tags<'_>, is_weak: bool| match list {
        Tags::Any => is_there,
        Tags::These(tags) => tags.iter().any(|tag| {
            (is_weak || !tag.is_weak) && tagged.is_some_and(|now| now.is_known_by(tag.text))
        }),
    };
    match if_match.and_then(Tags::parse) {
        Some(list) if !names(&list, false) => return false,
        Some(_) => {}
        None => {
            let date =
                if_unmodified_since.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
            let seconds = |time: SystemTime| {
                time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
            };
            if date.zip(tagged).is_some_and(|(date, now)| seconds(now.modified) > seconds(date)) {
                return false;
            }
        }
    }
    if_none_match.and_then(Tags::parse).is_none_or(|list| !names(&list, true))
}
