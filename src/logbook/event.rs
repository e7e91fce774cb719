//! What a row of the log says: who did what through which door, and to which path. The sentence for people and
//! the columns for filters are made from the same things in the same place, so that they cannot disagree.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::{limits, words};

/// The way by which somebody came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// The JSON API, the pages included.
    Api,
    /// `WebDAV`.
    Dav,
    /// FTP.
    Ftp,
    /// The address of a link.
    Link,
    /// The machine itself: larder, its signals, its command line.
    Machine,
}

impl Door {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Dav => "dav",
            Self::Ftp => "ftp",
            Self::Link => "link",
            Self::Machine => "machine",
        }
    }
}

/// What kind of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// Something new is there.
    Create,
    /// A file has another content.
    Write,
    /// Something has another name in its folder.
    Rename,
    /// Something is in another folder.
    Move,
    /// Something is there twice.
    Copy,
    /// Something is gone, or in the trash.
    Delete,
    /// Something is back from the trash.
    Restore,
    /// Somebody looks at something by a link; other reading is not told of.
    Read,
    /// Somebody signed in.
    SignIn,
    /// Somebody signed out.
    SignOut,
    /// Somebody was not let in, or may not do what they asked for.
    Refused,
    /// Users, roles, settings or what is known of a file are others.
    Change,
    /// A command was run.
    Command,
    /// Larder, or one of its servers, started.
    Start,
    /// It stopped.
    Stop,
}

impl Op {
    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Write => "write",
            Self::Rename => "rename",
            Self::Move => "move",
            Self::Copy => "copy",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Read => "read",
            Self::SignIn => "sign_in",
            Self::SignOut => "sign_out",
            Self::Refused => "refused",
            Self::Change => "change",
            Self::Command => "command",
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

/// Who did something, and where they came in.
#[derive(Clone, Debug)]
pub struct By<'a> {
    /// The way in.
    pub(super) door: Door,
    /// The user's name, once they have signed in.
    pub(super) user: Option<&'a str>,
    /// Where they are; nowhere when it is the machine itself.
    pub(super) ip: Option<IpAddr>,
    /// What the sentence begins with when nobody has signed in.
    nobody: &'static str,
    /// The narrowed key that they came with: its words and its beginning.
    key: Option<(&'a str, &'a str)>,
}

impl<'a> By<'a> {
    /// A caller of the API.
    pub const fn api(user: Option<&'a str>, ip: IpAddr) -> Self {
        Self { door: Door::Api, user, ip: Some(ip), nobody: "somebody: ", key: None }
    }

    /// The same over `WebDAV`.
    pub const fn dav(user: Option<&'a str>, ip: IpAddr) -> Self {
        Self { door: Door::Dav, ..Self::api(user, ip) }
    }

    /// A session of FTP.
    pub const fn ftp(user: Option<&'a str>, ip: IpAddr) -> Self {
        Self { door: Door::Ftp, user, ip: Some(ip), nobody: "ftp somebody: ", key: None }
    }

    /// Somebody who came by a link, which is their name.
    pub const fn link(label: Option<&'a str>, ip: IpAddr) -> Self {
        Self { door: Door::Link, user: label, ip: Some(ip), nobody: "somebody: ", key: None }
    }

    /// Larder itself.
    pub const fn machine() -> Self {
        Self { door: Door::Machine, user: None, ip: None, nobody: "", key: None }
    }

    /// Whoever sits at the machine.
    pub const fn command_line() -> Self {
        Self { door: Door::Machine, user: None, ip: None, nobody: "command line: ", key: None }
    }

    /// The same, with a narrowed key.
    pub const fn with_key(mut self, key: Option<(&'a str, &'a str)>) -> Self {
        self.key = key;
        self
    }

    /// What the sentence begins with.
    pub(super) fn prefix(&self) -> Cow<'static, str> {
        match (self.user, self.door) {
            (None, _) => Cow::Borrowed(self.nobody),
            (Some(user), Door::Ftp) => Cow::Owned(format!("ftp {user}{}: ", self.by_key())),
            (Some(user), _) => Cow::Owned(format!("{user}{}: ", self.by_key())),
        }
    }

    /// Their key, as it is told beside their name.
    fn by_key(&self) -> String {
        self.key.map(|(label, hint)| format!(" (key {label}, {hint}…)")).unwrap_or_default()
    }
}

/// Something that happened. Paths are those of the share, as callers are told them.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// What kind of thing it was, if it has a word.
    pub(super) op: Option<Op>,
    /// The sentence, without who did it.
    pub(super) words: String,
    /// Whether the sentence does not begin with who did it.
    pub(super) is_whole: bool,
    /// The name that was tried, of whoever has not signed in.
    pub(super) tried: Option<String>,
    /// What it happened to.
    pub(super) path: Option<String>,
    /// Where that went.
    pub(super) path_to: Option<String>,
    /// Where in the trash is what went or was replaced.
    pub(super) trash_id: Option<String>,
}

impl Event {
    /// Of this kind, in these words.
    fn of(op: Op, words: String) -> Self {
        Self { op: Some(op), words, ..Self::default() }
    }

    /// What has no word of its own.
    pub fn other(words: impl Into<String>) -> Self {
        Self { words: words.into(), ..Self::default() }
    }

    /// Users, roles, settings or what is known of a file are others.
    pub fn change(words: impl Into<String>) -> Self {
        Self::of(Op::Change, words.into())
    }

    /// Somebody was not let in, or may not do what they asked for.
    pub fn refused(words: impl Into<String>) -> Self {
        Self::of(Op::Refused, words.into())
    }

    /// Larder, or one of its servers, started.
    pub fn start(words: impl Into<String>) -> Self {
        Self::of(Op::Start, words.into())
    }

    /// Larder, or one of its servers, stopped.
    pub fn stop(words: impl Into<String>) -> Self {
        Self::of(Op::Stop, words.into())
    }

    /// A command is run.
    pub fn command(command: &str) -> Self {
        Self::of(Op::Command, format!("command: {command}"))
    }

    /// Things in the trash are gone for good.
    pub fn cleared(words: impl Into<String>) -> Self {
        Self::of(Op::Delete, words.into())
    }

    /// A file was made.
    pub fn created(path: &str) -> Self {
        Self::of(Op::Create, format!("created /{path}")).at(path)
    }

    /// A folder was made.
    pub fn created_folder(path: &str) -> Self {
        Self::of(Op::Create, format!("created folder /{path}")).at(path)
    }

    /// A file was uploaded.
    pub fn uploaded(path: &str, is_new: bool) -> Self {
        Self::of(written(is_new), format!("uploaded /{path}")).at(path)
    }

    /// A file was edited.
    pub fn edited(path: &str, is_new: bool) -> Self {
        Self::of(written(is_new), format!("edited /{path}")).at(path)
    }

    /// A file was stored, of this size.
    pub fn stored(path: &str, bytes: u64, is_new: bool) -> Self {
        Self::of(written(is_new), format!("stored /{path} ({bytes} bytes)")).at(path)
    }

    /// Something was deleted: it is there in the trash, or gone. `what` stands before the path.
    pub fn deleted(what: &str, path: &str, trash_id: Option<&str>) -> Self {
        let fate = if trash_id.is_some() { "moved to the trash" } else { "deleted" };
        Self::of(Op::Delete, format!("{fate} {what}/{path}")).at(path).trashed(trash_id)
    }

    /// What was broken off of an upload was deleted.
    pub fn part_deleted(path: &str) -> Self {
        Self::of(Op::Delete, format!("deleted the part of /{path}")).at(path)
    }

    /// Something has another name.
    pub fn renamed(path: &str, path_to: &str) -> Self {
        Self::moving("renamed", path, path_to)
    }

    /// Something is in another folder.
    pub fn moved(path: &str, path_to: &str) -> Self {
        Self::moving("moved", path, path_to)
    }

    /// Something is there twice.
    pub fn copied(path: &str, path_to: &str) -> Self {
        Self::of(Op::Copy, format!("copied /{path} to /{path_to}")).at(path).to(path_to)
    }

    /// Either of the two: what stays in its folder was renamed, whatever it was asked by.
    fn moving(verb: &str, path: &str, path_to: &str) -> Self {
        let op = if folder_of(path) == folder_of(path_to) { Op::Rename } else { Op::Move };
        Self::of(op, format!("{verb} /{path} to /{path_to}")).at(path).to(path_to)
    }

    /// Something is back from there in the trash.
    pub fn restored(path: &str, trash_id: &str) -> Self {
        let words = format!("restored from the trash /{path}");
        Self::of(Op::Restore, words).at(path).trashed(Some(trash_id))
    }

    /// Somebody looked at what a link opens, there; `name` is how they call themselves, if they do.
    pub fn opened_link(path: &str, name: &str) -> Self {
        Self::of(Op::Read, format!("opened /{path}")).at(path).named(name)
    }

    /// Somebody signed in.
    pub fn signed_in() -> Self {
        Self::of(Op::SignIn, "signed in".to_owned())
    }

    /// Somebody signed in by a code; which one nobody is told.
    pub fn signed_in_by_code() -> Self {
        Self::of(Op::SignIn, "signed in with a one-time code".to_owned())
    }

    /// Somebody did not get in by a code.
    pub fn failed_code() -> Self {
        Self::of(Op::Refused, "failed sign-in with a one-time code".to_owned()).whole()
    }

    /// Somebody signed out, in these words.
    pub fn signed_out(words: &str) -> Self {
        Self::of(Op::SignOut, words.to_owned())
    }

    /// Somebody did not get in by this name, in these words. What could not be a user's name is none.
    pub fn failed_sign_in(username: &str, words: String) -> Self {
        let is_name = username.len() <= limits::USERNAME_BYTES_MAX && words::are_plain(username);
        let tried = is_name.then(|| username.to_owned());
        Self { tried, ..Self::of(Op::Refused, words) }
    }

    /// The sentence does not begin with who did it.
    pub fn whole(self) -> Self {
        Self { is_whole: true, ..self }
    }

    /// It happened to what is, or was, there.
    pub fn at(self, path: &str) -> Self {
        Self { path: Some(path.to_owned()), ..self }
    }

    /// Whoever did it calls themselves so, which nobody has looked into; nothing is added for who gave no name.
    pub fn named(mut self, name: &str) -> Self {
        if !name.is_empty() {
            self.words.push_str(" as ");
            self.words.push_str(name);
        }
        self
    }

    /// What went, or was replaced, is there in the trash.
    pub fn trashed(self, trash_id: Option<&str>) -> Self {
        Self { trash_id: trash_id.map(str::to_owned), ..self }
    }

    /// It went there.
    fn to(self, path_to: &str) -> Self {
        Self { path_to: Some(path_to.to_owned()), ..self }
    }
}

/// A file came into its place.
const fn written(is_new: bool) -> Op {
    if is_new { Op::Create } else { Op::Write }
}

/// The folder around a path.
fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_in_its_folder_is_renamed_and_what_leaves_it_is_moved() {
        for (from, to, op) in [
            ("a", "b", Op::Rename),
            ("d/a", "d/b", Op::Rename),
            ("a", "d/a", Op::Move),
            ("d/a", "a", Op::Move),
            ("d/a", "de/a", Op::Move),
        ] {
            assert_eq!(Event::moved(from, to).op, Some(op), "{from} {to}");
            assert_eq!(Event::renamed(from, to).op, Some(op), "{from} {to}");
        }
        assert_eq!(Event::copied("a", "b").op, Some(Op::Copy));
    }

    #[test]
    fn a_sentence_begins_with_who_did_it() {
        let ip = IpAddr::from([10, 0, 0, 1]);
        for (by, prefix) in [
            (By::api(Some("ana"), ip), "ana: "),
            (By::api(None, ip), "somebody: "),
            (By::ftp(Some("cam"), ip), "ftp cam: "),
            (By::ftp(None, ip), "ftp somebody: "),
            (By::link(Some("link party"), ip), "link party: "),
            (By::link(None, ip), "somebody: "),
            (By::machine(), ""),
            (By::command_line(), "command line: "),
        ] {
            assert_eq!(by.prefix(), prefix);
        }
    }
}
