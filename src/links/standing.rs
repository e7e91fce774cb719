//! What a link may do at this moment: never more than its maker may.

use std::sync::Arc;

use super::{Link, Links, NO_LONGER};
use crate::auth::{factor, narrowed, permission};
use crate::clock;
use crate::error::{Error, Result};
use crate::settings::{Roles, Settings};
use crate::store::User;
use crate::vault::Grant;

/// What a role must be allowed for its links to be good.
const CREATE: &str = "/api/link/create";

/// The endpoint that looking and downloading act as.
pub const DOWNLOAD: &str = "/api/download";

/// The endpoint that bringing files acts as.
pub const UPLOAD: &str = "/api/upload";

/// What decides about makers at this moment.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// What each role may.
    pub roles: &'a Roles,
    /// Which of them want a second factor.
    pub settings: &'a Settings,
}

impl Terms<'_> {
    /// Whether a maker may use an endpoint. Who lacks the second factor of their role may nothing, by a link as by a key.
    fn allow(self, path: &str, maker: &User) -> bool {
        self.roles.allow(path, &maker.role) && !factor::is_lacking(maker, self.settings)
    }
}

/// A maker who may still have their link, and what it may do.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Who made it.
    pub maker: Arc<User>,
    /// Whether guests may look and download.
    pub read: bool,
    /// Whether guests may bring files.
    pub write: bool,
    /// Where they may: within what the link opens, and within what its maker may.
    pub grant: Arc<Grant>,
}

/// How a link stands (contract, section 15).
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It opens.
    Open,
    /// Its time is over.
    Expired,
    /// As many downloads have begun as may, or as much was brought.
    UsedUp,
    /// Its maker may not any more, or what it opens is not there, or nobody knows the time.
    Closed,
}

impl Links {
    /// What a link may do now, whatever its own limits say.
    ///
    /// Errors: `Gone` when its maker, or the key that made it, is gone or may not any more; `ClockNotSet`.
    pub fn standing(&self, link: &Link, terms: Terms<'_>) -> Result<Standing> {
        let maker = self.users.by_id(link.user_id)?.ok_or(NO_LONGER)?;
        let may = |path| terms.allow(path, &maker);
        if !may(CREATE) {
            return Err(NO_LONGER);
        }
        let (read, write) = (link.read && may(DOWNLOAD), link.write && may(UPLOAD));
        let place = Some(&link.path);
        let makers = self.grant_of_maker(link, &maker)?;
        let grant = makers.within(place.filter(|_| read), place.filter(|_| write));
        // There is nothing below a file that its maker could have kept.
        let reaches = link.is_folder || makers.may_read(&link.path);
        let read = read && reaches && !grant.readable().is_empty();
        let write = write && grant.may_write_somewhere();
        if !read && !write {
            return Err(NO_LONGER);
        }
        Ok(Standing { maker, read, write, grant: Arc::new(grant) })
    }

    /// Whether a link's maker may read, or write, all that it opens: what it is given to do must be theirs to give.
    ///
    /// Errors: `Refused`.
    pub fn ask_maker(&self, link: &Link, terms: Terms<'_>, read: bool, write: bool) -> Result<()> {
        let maker = self.users.by_id(link.user_id)?.ok_or(Error::Refused)?;
        if !read && !write {
            return Ok(());
        }
        let grant = match self.grant_of_maker(link, &maker) {
            Err(Error::Gone(_)) => Err(Error::Refused),
            other => other,
        }?;
        let may = |path| terms.allow(path, &maker);
        let is_theirs = (!read || (may(DOWNLOAD) && grant.may_read(&link.path)))
            && (!write || (may(UPLOAD) && grant.may_write(&link.path)));
        if is_theirs { Ok(()) } else { Err(Error::Refused) }
    }

    /// What a link's maker has to give: what is theirs, of which the link of a narrowed key gets what that key still
    /// reaches. A link is never more than the key that made it, and ends with it.
    ///
    /// Errors: `Gone` (the key was deleted, or its time is over), `ClockNotSet` (nobody knows whether it is).
    fn grant_of_maker(&self, link: &Link, maker: &User) -> Result<Grant> {
        let Some(id) = link.key_id else { return Ok(permission::grant(maker)) };
        let key = self.users.key_of(maker.id, id)?.ok_or(NO_LONGER)?;
        match narrowed::must_last(&key) {
            Err(Error::SignIn(_)) => Err(NO_LONGER),
            other => other.map(|()| narrowed::grant(maker, &key)),
        }
    }

    /// What a link may do for a guest now.
    ///
    /// Errors: `Gone` when it has expired, its maker is gone or may not any more; `ClockNotSet`.
    pub fn admit(&self, link: &Link, terms: Terms<'_>, now: i64) -> Result<Standing> {
        match link.time_left(now) {
            TimeLeft::Unknown => Err(Error::ClockNotSet),
            TimeLeft::Over => Err(NO_LONGER),
            TimeLeft::Some => self.standing(link, terms),
        }
    }
}

/// Whether a link's time is over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TimeLeft {
    /// It is not.
    Some,
    /// It is.
    Over,
    /// Nobody knows.
    Unknown,
}

impl Link {
    /// How it stands. `may` says whether its maker still may, `is_there` whether what it opens is.
    pub fn state(&self, may: bool, is_there: bool, now: i64) -> State {
        match self.time_left(now) {
            TimeLeft::Over => State::Expired,
            TimeLeft::Unknown => State::Closed,
            TimeLeft::Some if !may || !is_there => State::Closed,
            TimeLeft::Some if self.is_used_up() => State::UsedUp,
            TimeLeft::Some => State::Open,
        }
    }

    /// Whether nobody new may download or, where nobody may anyway, bring anything.
    fn is_used_up(&self) -> bool {
        let is_reached = |max: Option<i64>, count: i64| max.is_some_and(|max| count >= max);
        if self.read {
            return is_reached(self.downloads_max, self.downloads);
        }
        is_reached(self.upload_files_max, self.uploaded_files)
            || is_reached(self.upload_bytes_max, self.uploaded_bytes)
    }

    /// Whether its time is over.
    fn time_left(&self, now: i64) -> TimeLeft {
        match self.expires {
            Some(_) if !clock::is_set(now) => TimeLeft::Unknown,
            Some(expires) if expires <= now => TimeLeft::Over,
            _ => TimeLeft::Some,
        }
    }
}
