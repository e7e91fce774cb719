//! Telling: listings, facts, features, help and status.

use std::time::SystemTime;

use crate::error::{Error, Result as HouseResult};
use crate::ftp::channel::Channel;
use crate::ftp::commands::navigate::quoted;
use crate::ftp::commands::{manage, transfer};
use crate::ftp::data::Broken;
use crate::ftp::listing::{self, Facts};
use crate::ftp::reply::{Answer, Reply, one_line};
use crate::ftp::session::{Login, Session, Type};
use crate::ftp::verbs::{self, MLST_FEATURE, VERBS};
use crate::limits;
use crate::vault::{Entry, Kind, Listing, Opened, Share, VaultPath};

/// `NOOP`.
pub fn nothing(_session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(200, "Here"))
}

/// `SYST`: what clients take for "lists like `ls -l`".
pub fn system(_session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(215, "UNIX Type: L8"))
}

/// `FEAT`.
pub fn features(session: &mut Session, _argument: &str) -> Answer {
    let mut lines: Vec<String> = VERBS
        .iter()
        .filter_map(|verb| verb.feature)
        .map(|feature| match feature {
            MLST_FEATURE => format!(" {MLST_FEATURE} {}", session.facts.starred()),
            other => format!(" {other}"),
        })
        .collect();
    lines.sort_unstable();
    Ok(Reply::lines(211, "Features:", lines, "End"))
}

/// `HELP`: every verb, or what one takes.
pub fn help(_session: &mut Session, argument: &str) -> Answer {
    if argument.is_empty() {
        let names: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        let lines = names.chunks(8).map(|row| format!(" {}", row.join(" "))).collect();
        return Ok(Reply::lines(214, "These commands are known:", lines, "HELP verb says more"));
    }
    let name = argument.trim().to_ascii_uppercase();
    let verb = verbs::find(&name).ok_or(Reply::new(501, "No such command"))?;
    let syntax = format!("{} {}", verb.name, verb.takes);
    Ok(Reply::new(214, format!("Syntax: {} ({})", syntax.trim_end(), verb.defined_in)))
}

/// `OPTS`: UTF-8 is always on; the facts of `MLST` are chosen.
pub fn options(session: &mut Session, argument: &str) -> Answer {
    let (word, rest) = argument.split_once(' ').unwrap_or((argument, ""));
    match (word.to_ascii_uppercase().as_str(), rest.trim().to_ascii_uppercase().as_str()) {
        ("UTF8" | "UTF-8", "" | "ON" | "NLST") => Ok(Reply::new(200, "UTF-8 is always on")),
        ("UTF8" | "UTF-8", _) => Err(Reply::new(504, "UTF-8 is always on")),
        ("MLST", _) => {
            session.facts = Facts::chosen(rest);
            Ok(Reply::new(200, format!("MLST OPTS {}", session.facts.told()).trim_end().to_owned()))
        }
        _ => Err(Reply::new(501, "OPTS knows UTF8 and MLST")),
    }
}

/// `SIZE`: bytes that `RETR` would send now (RFC 3659, 4). Of what one's own upload has sent of a file before it broke
/// off, those bytes: clients take it up again behind them. The old file's would have them begin with a part of that,
/// or add the rest of the new one to it.
pub fn size(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    session.told.forget(&target);
    let share = session.share()?;
    let letters = &session.account()?.letters;
    let seen = if letters.has_any("lr") {
        share.look(&target)
    } else {
        Err(Error::NotFound("Path does not exist"))
    };
    let is_part_possible = letters.has_any("aw") && session.kind != Type::Ascii;
    match seen {
        Ok(entry) if entry.kind == Kind::File && session.kind == Type::Ascii => {
            text_size(&share, &target, entry.size)
        }
        Ok(entry) if entry.kind == Kind::File => {
            // Whoever may not put anything there has sent nothing there.
            let part = if is_part_possible { part_size(session, &share, target) } else { Ok(None) };
            let bytes = part.ok().flatten().unwrap_or(entry.size);
            Ok(Reply::new(213, bytes.to_string()))
        }
        Ok(_) => Err(Reply::new(550, "Path is not a file")),
        Err(error @ Error::NotFound(_)) if is_part_possible => {
            let bytes = part_size(session, &share, target)?.ok_or(error)?;
            Ok(Reply::new(213, bytes.to_string()))
        }
        Err(error) => Err(error.into()),
    }
}

/// The size of a text on the way, which shows only when it is read.
fn text_size(share: &Share, target: &VaultPath, bytes: u64) -> Answer {
    if bytes > limits::FTP_TEXT_BYTES_MAX {
        return Err(Reply::new(550, "Too long to count its lines: use TYPE I"));
    }
    match share.open(target)? {
        Opened::File(file) => {
            let bytes = transfer::text_bytes(file.file);
            let bytes = bytes.map_err(|_| Reply::new(451, "The file can't be read"))?;
            Ok(Reply::new(213, bytes.to_string()))
        }
        Opened::Folder => Err(Reply::new(550, "Path is not a file")),
    }
}

/// The size of what one's own upload has sent so far; it would not be sent by `RETR`, and so has none as text.
fn part_size(
    session: &mut Session,
    share: &Share,
    target: VaultPath,
) -> Result<Option<u64>, Reply> {
    let owner = session.owner()?;
    let upload = share.upload_target(&target, &owner)?;
    let bytes = share.kept_bytes(&upload)?;
    if let Some(bytes) = bytes {
        session.told.note(owner, target, bytes);
    }
    Ok(bytes)
}

/// `MDTM`, also with a time before the name, which many clients send to set it. A file that has such a name
/// is asked for by it.
pub fn modified(session: &mut Session, argument: &str) -> Answer {
    let letters = &session.account()?.letters;
    let seen = if letters.has_any("lr") {
        session.share()?.look(&session.target(argument)?)
    } else {
        Err(Error::Refused)
    };
    let wish = argument
        .split_once(' ')
        .and_then(|(time, name)| Some((listing::parse_timestamp(time)?, name)));
    match (seen, wish) {
        (Ok(entry), _) => Ok(Reply::new(213, listing::timestamp(entry.modified))),
        (Err(_), Some(_)) if !letters.has_any("T") => Err(Reply::new(550, "Permission denied")),
        (Err(_), Some((time, name))) => {
            manage::stamp(session, name, time)?;
            Ok(Reply::new(213, listing::timestamp(time)))
        }
        (Err(error), None) => Err(error.into()),
    }
}

/// `MLST`: one entry's facts, over the control connection.
pub fn facts_of_one(session: &mut Session, argument: &str) -> Answer {
    let path = session.below_home(argument)?;
    let entry = session.share()?.look(&session.in_share(&path)?)?;
    let line = session.facts.line(&entry, &format!("/{path}"), &session.account()?.letters);
    Ok(Reply::lines(250, format!("Listing {}", quoted(&path)), vec![format!(" {line}")], "End"))
}

/// `STAT`: how things are, or a listing over the control connection.
pub fn status(session: &mut Session, argument: &str) -> Answer {
    if !argument.is_empty() {
        return listing_by_control(session, argument);
    }
    let who = match &session.login {
        Login::Done(account) => account.caller.label().to_owned(),
        _ => "nobody".to_owned(),
    };
    let kind = match session.kind {
        Type::Ascii => "ASCII",
        Type::Unsaid | Type::Image => "Image",
    };
    let is_secure = |is_secure: bool| if is_secure { "TLS" } else { "in the clear" };
    let lines = vec![
        format!(" Connected from {}, signed in as {who}", session.peer.ip()),
        format!(" Current folder: /{}", session.folder),
        format!(" Type: {kind}, mode: Stream, structure: File"),
        format!(" Control connection: {}", is_secure(session.control.channel.is_secure())),
        format!(" Data connections: {}", is_secure(session.is_protected)),
    ];
    Ok(Reply::lines(211, "larder", lines, "End"))
}

/// `STAT name`: like `LIST`, but on the control connection.
fn listing_by_control(session: &mut Session, argument: &str) -> Answer {
    if !session.account()?.letters.has_any("l") {
        return Err(Reply::new(550, "Permission denied"));
    }
    let source = Source::find(session, argument)?;
    let gone = |_| Reply::new(421, "Connection closed").and_close();
    session.control.write(b"213-Status:\r\n").map_err(gone)?;
    let now = SystemTime::now();
    let mut text = String::new();
    let told = source.for_each(&mut |entry, name| {
        text.push(' ');
        text.push_str(&listing::ls_line(entry, name, now));
        text.push_str("\r\n");
        if text.len() >= limits::FTP_LISTING_BUFFER_BYTES {
            session.control.write(text.as_bytes())?;
            text.clear();
        }
        Ok(())
    });
    session.control.write(text.as_bytes()).map_err(gone)?;
    told.map_err(crowded)?;
    Ok(Reply::new(213, "End"))
}

/// `LIST`.
pub fn list(session: &mut Session, argument: &str) -> Answer {
    let now = SystemTime::now();
    send(session, "LIST", argument, &mut |entry, name| listing::ls_line(entry, name, now))
}

/// `NLST`: names that can be used as they are (RFC 1123, 4.1.2.7), so with the folder that was asked for.
pub fn names(session: &mut Session, argument: &str) -> Answer {
    let path = without_flags(argument);
    let folder = match path.rsplit_once('/') {
        Some((folder, last)) if is_pattern(last) => format!("{folder}/"),
        _ if path.is_empty() || is_pattern(path) => String::new(),
        _ => format!("{}/", path.trim_end_matches('/')),
    };
    let path = path.to_owned();
    send(session, "NLST", argument, &mut |entry, name| {
        // A file that was asked for by its name is told by that.
        if name == path {
            one_line(name).into_owned()
        } else {
            one_line(&format!("{folder}{}", entry.name)).into_owned()
        }
    })
}

/// `MLSD`.
pub fn facts_of_all(session: &mut Session, argument: &str) -> Answer {
    let path = session.below_home(argument)?;
    let is_folder = session.share()?.look(&session.in_share(&path)?)?.kind == Kind::Folder;
    if !is_folder {
        return Err(Reply::new(501, "Path is not a folder"));
    }
    let (facts, letters) = (session.facts, session.account()?.letters.clone());
    let source = Source::Folder(list_of(&session.share()?, &session.in_share(&path)?)?, None);
    send_from(session, ("MLSD", &path), source, &mut |entry, name| {
        facts.line(entry, name, &letters)
    })
}

/// What is to be listed.
enum Source {
    /// A folder, or what of it fits a pattern.
    Folder(Listing, Option<String>),
    /// One file, by the name it was asked for.
    File(Entry, String),
}

impl Source {
    /// Finds what an argument of `LIST` means: flags of `ls` are passed over, `*` and `?` in the last
    /// part stand for names.
    fn find(session: &Session, argument: &str) -> Result<Self, Reply> {
        let text = without_flags(argument);
        let share = session.share()?;
        let path = session.below_home(text)?;
        match share.look(&session.in_share(&path)?) {
            Ok(entry) if entry.kind == Kind::Folder => {
                Ok(Self::Folder(list_of(&share, &session.in_share(&path)?)?, None))
            }
            Ok(entry) => Ok(Self::File(entry, text.to_owned())),
            Err(Error::NotFound(_)) if is_pattern(path.name()) => {
                let folder: VaultPath = path.parent().unwrap_or_default();
                let listing = list_of(&share, &session.in_share(&folder)?)?;
                Ok(Self::Folder(listing, Some(path.name().to_owned())))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Hands out the entries with their names.
    fn for_each(self, take: &mut dyn FnMut(&Entry, &str) -> HouseResult<()>) -> HouseResult<()> {
        match self {
            Self::File(entry, name) => take(&entry, &name),
            Self::Folder(mut listing, pattern) => {
                listing.for_each_entry(&mut |entry| match &pattern {
                    Some(pattern) if !listing::matches(pattern, &entry.name) => Ok(()),
                    _ => take(entry, &entry.name),
                })
            }
        }
    }
}

/// Opens a folder to be listed.
fn list_of(share: &Share, folder: &VaultPath) -> Result<Listing, Reply> {
    share.list(folder).map_err(crowded)
}

/// What a client is told whose listing failed: here "too soon" means that there are too many at once.
fn crowded(error: Error) -> Reply {
    match error {
        Error::TooSoon { .. } => Reply::new(450, "Too many listings at once"),
        other => other.into(),
    }
}

/// Whether a name stands for several.
fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?'])
}

/// An argument without the flags of `ls` that clients put before it.
fn without_flags(argument: &str) -> &str {
    let mut rest = argument;
    while rest.starts_with('-') {
        rest = rest.split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    }
    rest
}

/// Sends what an argument means, a line for each entry.
fn send(
    session: &mut Session,
    verb: &'static str,
    argument: &str,
    line: &mut dyn FnMut(&Entry, &str) -> String,
) -> Answer {
    let path = session.below_home(without_flags(argument))?;
    let source = Source::find(session, argument)?;
    send_from(session, (verb, &path), source, line)
}

/// Sends entries over a data connection while they are read; they are never all in memory.
fn send_from(
    session: &mut Session,
    (verb, path): (&'static str, &VaultPath),
    source: Source,
    line: &mut dyn FnMut(&Entry, &str) -> String,
) -> Answer {
    session.handle.begin(verb, String::new(), format!("/{path}"));
    let mut channel = session.open_data("Here comes the listing".to_owned())?;
    let mut broken = None;
    let mut text = Vec::with_capacity(limits::FTP_LISTING_BUFFER_BYTES + 1024);
    let told = source.for_each(&mut |entry, name| {
        text.extend_from_slice(line(entry, name).as_bytes());
        text.extend_from_slice(b"\r\n");
        if text.len() < limits::FTP_LISTING_BUFFER_BYTES {
            return Ok(());
        }
        let sent = session.send(&mut channel, &text);
        text.clear();
        sent.map_err(|why| {
            broken = Some(why);
            Error::Disconnected
        })
    });
    let told = match broken {
        Some(why) => Err(session.broken(why)),
        None => told.map_err(crowded),
    };
    told?;
    finish(session, channel, &text)
}

/// Sends the rest of a listing and ends it.
fn finish(session: &mut Session, mut channel: Channel, rest: &[u8]) -> Answer {
    let sent: Result<(), Broken> =
        session.send(&mut channel, rest).and_then(|()| session.end_data(channel));
    sent.map_err(|why| session.broken(why))?;
    Ok(Reply::new(226, "That was all"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_of_ls_are_passed_over() {
        for (argument, rest) in
            [("-la", ""), ("-l -a x y", "x y"), ("", ""), ("a -l", "a -l"), ("-a  b", "b")]
        {
            assert_eq!(without_flags(argument), rest, "{argument:?}");
        }
    }
}
