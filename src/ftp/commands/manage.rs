//! Making, renaming and removing, and what is known of files besides their content: RFC 959, 4.1.3.

use std::time::SystemTime;

use crate::error::Error;
use crate::ftp::commands::navigate::quoted;
use crate::ftp::listing::{parse_timestamp, timestamp};
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::Session;
use crate::logbook::Event;
use crate::vault::{Fate, IfExists, Kind, TrashId, VaultPath, What};

/// `MKD`.
pub fn make_folder(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    session.share()?.make_folder(&target).map_err(|error| match error {
        Error::Collision(sentence) => Reply::new(550, sentence),
        other => other.into(),
    })?;
    session.note(Event::created_folder(target.as_str()));
    Ok(Reply::new(257, format!("{} created", quoted(&session.below_home(argument)?))))
}

/// `RMD`: an empty folder only. Clients empty a folder themselves, and rely on being told when it is not.
pub fn remove_folder(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    if session.below_home(argument)?.is_root() {
        return Err(Reply::new(550, "The home folder can't be removed"));
    }
    let kept = session.share()?.remove(&target, What::EmptyFolder, Fate::Trash)?;
    session.note(deleted("folder ", &target, kept.as_ref()));
    Ok(Reply::new(250, "Folder removed"))
}

/// `DELE`: into the trash, where one can be kept. What was broken off of an upload by the same user goes
/// with it, and is deleted itself where there is nothing else.
pub fn delete(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    let share = session.share()?;
    match share.remove(&target, What::File, Fate::Trash) {
        Ok(kept) => session.note(deleted("", &target, kept.as_ref())),
        Err(error @ Error::NotFound(_)) => {
            let upload = share.upload_target(&target, &session.owner()?)?;
            if !share.drop_part(&upload)? {
                return Err(error.into());
            }
            session.note(Event::part_deleted(target.as_str()));
        }
        Err(error) => return Err(error.into()),
    }
    session.told.forget(&target);
    Ok(Reply::new(250, "File deleted"))
}

/// What the log says of a deletion; `what` stands before the path.
fn deleted(what: &str, path: &VaultPath, kept: Option<&TrashId>) -> Event {
    Event::deleted(what, path.as_str(), kept.map(TrashId::as_str))
}

/// `RNFR`.
pub fn rename_from(session: &mut Session, argument: &str) -> Answer {
    let source = session.target(argument)?;
    if session.below_home(argument)?.is_root() {
        return Err(Reply::new(550, "The home folder can't be renamed"));
    }
    session.share()?.kind_of(&source)?;
    session.rename_from = Some(source);
    Ok(Reply::new(350, "And the new name?"))
}

/// `RNTO`: a file takes the place of another, as every client expects that puts a finished upload in the
/// old file's place; whoever may not store files may not do that either. Folders never do. Onto itself
/// there is nothing to be done.
pub fn rename_to(session: &mut Session, argument: &str) -> Answer {
    let source = session.rename_from.take().ok_or(Reply::new(503, "RNFR comes first"))?;
    let target = session.target(argument)?;
    let share = session.share()?;
    let kind = share.kind_of(&source)?;
    if share.is_same_place(&source, &target)? {
        return Ok(Reply::new(250, "Renamed"));
    }
    let may_replace = kind == Kind::File && session.account()?.letters.has_any("wd");
    let if_exists = if may_replace { IfExists::Overwrite } else { IfExists::REFUSE };
    let landed = share.rename((&source, &target), kind, if_exists)?;
    session.told.forget(&source);
    session.told.forget(&target);
    let event = Event::renamed(source.as_str(), target.as_str());
    session.note(event.trashed(landed.trash().map(TrashId::as_str)));
    Ok(Reply::new(250, "Renamed"))
}

/// `MFMT`: sets when a file changed last.
pub fn set_modified(session: &mut Session, argument: &str) -> Answer {
    let wrong = || Reply::new(501, "MFMT takes YYYYMMDDHHMMSS and a file");
    let (time, name) = argument.split_once(' ').ok_or_else(wrong)?;
    let time: SystemTime = parse_timestamp(time).ok_or_else(wrong)?;
    stamp(session, name, time)?;
    Ok(Reply::new(213, format!("Modify={}; {name}", timestamp(time))))
}

/// Sets when a file changed last.
pub fn stamp(session: &Session, name: &str, time: SystemTime) -> Result<(), Reply> {
    let target = session.target(name)?;
    session.share()?.set_modified(&target, time)?;
    session.note(Event::change(format!("set the time of /{target}")).at(target.as_str()));
    Ok(())
}

/// `SITE CHMOD` and `SITE HELP`.
pub fn site(session: &mut Session, argument: &str) -> Answer {
    let (word, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    match word.to_ascii_uppercase().as_str() {
        "CHMOD" => change_mode(session, rest),
        "HELP" => Ok(Reply::lines(
            214,
            "SITE knows:",
            vec![" CHMOD mode file".into(), " HELP".into()],
            "End",
        )),
        _ => Err(Reply::new(504, "SITE knows CHMOD and HELP")),
    }
}

/// `SITE CHMOD mode file`, the mode in octal digits.
fn change_mode(session: &mut Session, argument: &str) -> Answer {
    if !session.account()?.letters.has_any("M") {
        return Err(Reply::new(550, "Permission denied"));
    }
    let wrong = || Reply::new(501, "SITE CHMOD takes a mode such as 644 and a file");
    let (mode, name) = argument.trim_start().split_once(' ').ok_or_else(wrong)?;
    let mode =
        u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(wrong)?;
    let target = session.target(name)?;
    session.share()?.set_mode(&target, mode)?;
    let words = format!("set the mode of /{target} to {mode:o}");
    session.note(Event::change(words).at(target.as_str()));
    Ok(Reply::new(200, "Mode changed"))
}
