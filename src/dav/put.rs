//! `PUT`: a file comes whole into its place, or not at all.

use std::io;
use std::time::{Duration, SystemTime};

use tiny_http::ext::Body;

use crate::dav::{conditions, door, locking};
use crate::error::{Error, Result, Why};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Kind, Place, Share, TrashId, Upload, VaultPath};

/// What is said where the folder around a new thing is missing.
const NO_FOLDER: Error = Error::Conflict("The folder does not exist");

/// Stores what is sent.
///
/// Errors: `Invalid`, `Refused`, `Conflict` (no folder), `Method` (a folder is there), `PreconditionFailed`, `DiskFull`,
/// `Disconnected`.
pub fn store(call: &mut Call<'_>) -> Result<Reply> {
    let (share, path) = locking::enter(call)?;
    door::must_write(call, &path)?;
    if let Some(refused) = door::refuse_litter(call, &path) {
        return Ok(refused);
    }
    if call.request.header("Content-Range").is_some() {
        return Err(Error::invalid("Content-Range has no meaning here"));
    }
    if path.is_root() {
        return Err(door::not_here());
    }
    must_have_folder(&share, &path)?;
    share.foresee_upload(&path, IfExists::Overwrite).map_err(in_the_way)?;
    conditions::judge(call.request, &share, &path)?;
    let told = call.request.header("X-Expected-Entity-Length");
    let told = told.and_then(|length| length.trim().parse::<u64>().ok());
    let modified = call.request.header("X-OC-Mtime").and_then(moment);
    let length = call.request.content_length().or(told);
    let mut upload = share.begin_upload(path.parent().as_ref(), length)?;
    if let Some(modified) = modified {
        upload.date(modified);
    }
    receive(call, &mut upload)?;
    if told.is_some_and(|told| told != upload.offset()) {
        return Err(Error::invalid("X-Expected-Entity-Length says another number of bytes"));
    }
    upload.seal()?;
    let share = call.share_by_now()?.holding_as(&share);
    conditions::judge(call.request, &share, &path)?;
    let options = Place {
        if_exists: IfExists::Overwrite,
        make_parents: false,
        drops_empty: true,
        files_only: true,
    };
    let placed = share.place(vec![(upload.finish(Ok)?, path.clone())], &options);
    let placed = placed.map_err(in_the_way)?;
    let is_new = placed.iter().all(|placed| placed.is_new);
    for placed in &placed {
        let trash = placed.trash.as_ref().map(TrashId::as_str);
        call.note_one_of_many(Event::uploaded(path.as_str(), placed.is_new).trashed(trash));
    }
    let reply = Reply::new(if is_new { 201 } else { 204 }, Body::Empty);
    let reply = match share.tagged(&path) {
        Ok(Some(tagged)) => reply.with("ETag", format!("\"{}\"", tagged.tag)),
        _ => reply,
    };
    Ok(if modified.is_some() { reply.with("X-OC-Mtime", "accepted") } else { reply })
}

/// The folder must be there before anything comes.
///
/// Errors: `Conflict`.
pub fn must_have_folder(share: &Share, path: &VaultPath) -> Result<()> {
    let parent = path.parent().unwrap_or_default();
    match share.look(&parent) {
        Err(Error::NotFound(_)) => Err(NO_FOLDER),
        Ok(entry) if entry.kind != Kind::Folder => Err(NO_FOLDER),
        // Somebody may write there, and see nothing of the folder.
        Ok(_) | Err(Error::Refused) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is in the way of a file, as this door says it.
fn in_the_way(error: Error) -> Error {
    match error {
        Error::NotFound(_) => NO_FOLDER,
        Error::Collision(_) | Error::Invalid(Why::NotAFile, _) => door::not_here(),
        other => other,
    }
}

/// Takes the body in.
fn receive(call: &mut Call<'_>, upload: &mut Upload) -> Result<()> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    loop {
        match call.request.as_reader().read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => upload.append(&buffer[..count])?,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                return Err(Error::invalid("The body is not sent as HTTP has it"));
            }
            Err(_) => return Err(Error::Disconnected),
        }
    }
}

/// Reads seconds since 1970, perhaps with a fraction, if a file may be dated so.
fn moment(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(seconds) || !is_number(fraction) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let since = Duration::new(seconds.parse().ok()?, digits.parse().ok()?);
    let modified = SystemTime::UNIX_EPOCH.checked_add(since)?;
    let latest = SystemTime::now() + limits::MODIFIED_AHEAD_MAX;
    (modified <= latest).then_some(modified)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_seconds_perhaps_with_a_fraction() {
        let at = |s, ns| Some(SystemTime::UNIX_EPOCH + Duration::new(s, ns));
        assert_eq!(moment("1700000000"), at(1_700_000_000, 0));
        assert_eq!(moment(" 1700000000.25 "), at(1_700_000_000, 250_000_000));
        assert_eq!(moment("0.1234567891"), at(0, 123_456_789));
        for none in ["", "-1", "x", "1.x", "1e9", "+1", "99999999999", "99999999999999999999"] {
            assert_eq!(moment(none), None, "{none}");
        }
    }
}
