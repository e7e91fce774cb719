//! Somebody who may do something: who they are, what they came with, and what follows from both. A caller need
//! not be a user of the house. One more kind of them is one more `Who`, one more way to be let in one more
//! `Credential`; the questions below are all that the doors and rooms ask of either.

use std::net::IpAddr;
use std::sync::Arc;

use crate::auth::factor;
use crate::auth::letters::Letters;
use crate::auth::narrowed::{self, Door};
use crate::auth::permission;
use crate::auth::token::Session;
use crate::auth::verified::Stored;
use crate::error::{Error, Result};
use crate::logbook::By;
use crate::settings::{ADMIN, Roles, Settings};
use crate::store::{FtpUser, KeyRow, User};
use crate::vault::{Grant, VaultPath};

/// Somebody who was let in.
#[derive(Clone)]
pub struct Caller {
    /// Who it is.
    who: Who,
    /// What they came with.
    credential: Credential,
    /// What they may read and write.
    grant: Arc<Grant>,
}

/// Who a caller is.
#[derive(Clone)]
pub enum Who {
    /// A user of the house.
    User(Arc<User>),
    /// One of FTP's own.
    FtpUser(Arc<FtpUser>),
    /// Somebody without an account, who came by a link.
    Guest(Arc<Guest>),
}

/// Somebody who came by a link, and what that lets them do at this moment: it is worked out anew each time.
#[derive(Debug, PartialEq, Eq)]
pub struct Guest {
    /// The link's number.
    pub link_id: i64,
    /// Raised by whatever ends the visits of the link's guests.
    pub epoch: i64,
    /// What it opens: a true path.
    pub place: VaultPath,
    /// What the logbook and the trash call its guests; never its token.
    pub label: String,
    /// Who they are, for larder alone; `None` for somebody who has no cookie of ours.
    pub id: Option<String>,
    /// What they call themselves; empty when they did not say.
    pub name: String,
    /// Whether nothing more is asked of them: no password, or a cookie of whoever knew it.
    pub is_let_in: bool,
    /// The endpoints that the link's maker lets them act as.
    pub may: Vec<&'static str>,
    /// What they may read and write.
    pub grant: Arc<Grant>,
}

/// What somebody came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session's token.
    Session(Session),
    /// An API key for everything, by its hash.
    Key(String),
    /// A narrowed key: they are its user, as far as it reaches.
    Narrowed(Arc<KeyRow>),
    /// A name and its password.
    Password,
    /// The address of a link, with its cookie if there is one.
    Link,
}

/// What something may be bound to that only the same caller gets again: nobody else has it, and it ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A session, by its id: a token that takes another's place has what was bound to that.
    Session(String),
    /// An API key, by its hash.
    Key(String),
}

impl Caller {
    /// Puts one together; whoever does has judged what they came with.
    pub fn new(who: Who, credential: Credential) -> Self {
        let grant = match (&who, &credential) {
            (Who::User(user), Credential::Narrowed(key)) => Arc::new(narrowed::grant(user, key)),
            _ => who.grant(),
        };
        Self { who, credential, grant }
    }

    /// Who it is.
    pub fn who(&self) -> &Who {
        &self.who
    }

    /// What they came with.
    pub fn credential(&self) -> &Credential {
        &self.credential
    }

    /// What they may read and write.
    pub fn grant(&self) -> &Arc<Grant> {
        &self.grant
    }

    /// What the logbook and the trash call them.
    pub fn label(&self) -> &str {
        match &self.who {
            Who::User(user) => &user.username,
            Who::FtpUser(user) => &user.username,
            Who::Guest(guest) => &guest.label,
        }
    }

    /// What the link says that they came by, if they did.
    pub fn guest(&self) -> Option<&Arc<Guest>> {
        match &self.who {
            Who::Guest(guest) => Some(guest),
            Who::User(_) | Who::FtpUser(_) => None,
        }
    }

    /// The narrowed key that they came with, if they did: what it does not reach is not theirs, whoever they are.
    pub fn narrowed_key(&self) -> Option<&Arc<KeyRow>> {
        match &self.credential {
            Credential::Narrowed(key) => Some(key),
            _ => None,
        }
    }

    /// Whether what they came with opens a door at all.
    pub fn opens(&self, door: Door) -> bool {
        self.narrowed_key().is_none_or(|key| narrowed::opens(key, door))
    }

    /// Who the logbook says it was, at one of the house's doors or by a link.
    pub fn by_door(&self, door: Door, address: IpAddr) -> By<'_> {
        let by = match door {
            _ if self.guest().is_some() => By::link,
            Door::Api => By::api,
            Door::Dav => By::dav,
            Door::Ftp => By::ftp,
        };
        by(Some(self.label()), address).with_key(self.told_key())
    }

    /// The same at FTP's door.
    pub fn by_ftp(&self, address: IpAddr) -> By<'_> {
        self.by_door(Door::Ftp, address)
    }

    /// How the logbook names their key: by its words and its beginning, never by itself.
    fn told_key(&self) -> Option<(&str, &str)> {
        self.narrowed_key().map(|key| (&*key.label, &*key.hint))
    }

    /// Their row, if they are a user of the house.
    pub fn user(&self) -> Option<&Arc<User>> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::FtpUser(_) | Who::Guest(_) => None,
        }
    }

    /// Their role, which decides about endpoints; FTP's own users and guests have none.
    pub fn role(&self) -> Option<&str> {
        self.user().map(|user| user.role.as_str())
    }

    /// Whether they may use what stands under this path in `roles.json`. Whether a key may is for the table of
    /// endpoints to say besides.
    pub fn may(&self, path: &str, roles: &Roles) -> bool {
        if let Who::Guest(guest) = &self.who {
            return guest.may.contains(&path);
        }
        self.role().is_some_and(|role| roles.allow(path, role))
    }

    /// Whether their role wants a second factor that they do not have: then they may do nothing but get one, and by a
    /// key nothing at all (second contract, section 21). To be asked at every door that lets users in.
    pub fn lacks_factor(&self, settings: &Settings) -> bool {
        self.user().is_some_and(|user| factor::is_lacking(user, settings))
    }

    /// Whether they came with a session, and not with a key or anything else.
    pub fn has_session(&self) -> bool {
        matches!(self.credential, Credential::Session(_))
    }

    /// Whether they may edit the roles, and so decide about every right there is.
    pub fn may_edit_roles(&self, roles: &Roles) -> bool {
        self.narrowed_key().is_none() && self.role().is_some_and(|role| roles.may_edit_roles(role))
    }

    /// Whether they see, and call off, everybody's jobs (contract, section 11).
    pub fn may_see_all_jobs(&self) -> bool {
        self.is_admin()
    }

    /// Whether they see, change and end everybody's links (second contract, section 15).
    pub fn may_manage_all_links(&self) -> bool {
        self.is_admin()
    }

    /// Whether they see and end everybody's narrowed keys (second contract, section 21).
    pub fn may_manage_all_keys(&self) -> bool {
        self.is_admin()
    }

    /// Whether they end everybody's locks (second contract, section 14).
    pub fn may_end_all_locks(&self) -> bool {
        self.is_admin()
    }

    /// Of which places they may hear where links lead: an admin of all.
    pub fn grant_over_links(&self) -> Arc<Grant> {
        if self.is_admin() { Arc::new(Grant::everything()) } else { Arc::clone(&self.grant) }
    }

    /// Where they may restore from the trash and remove from it: an admin everywhere (contract, section 12).
    pub fn grant_in_trash(&self) -> Arc<Grant> {
        if self.is_admin() { Arc::new(Grant::everything()) } else { Arc::clone(&self.grant) }
    }

    /// Whether they look after the house; an admin's narrowed key does not. Nobody but this room asks: what follows from
    /// it has a name above.
    fn is_admin(&self) -> bool {
        self.narrowed_key().is_none() && self.role() == Some(ADMIN)
    }

    /// What they came with, to bind something to it.
    ///
    /// Errors: `Refused` for who came with nothing that lasts.
    pub fn holder(&self) -> Result<Holder> {
        match &self.credential {
            Credential::Session(session) => Ok(Holder::Session(session.id.clone())),
            Credential::Key(hash) => Ok(Holder::Key(hash.clone())),
            Credential::Narrowed(key) => Ok(Holder::Key(key.hash.clone())),
            Credential::Password | Credential::Link => Err(Error::Refused),
        }
    }

    /// Whether this is the same somebody with the same rights.
    pub fn is_same_as(&self, other: &Self) -> bool {
        if self.narrowed_key().map(|key| key.id) != other.narrowed_key().map(|key| key.id) {
            return false;
        }
        match (&self.who, &other.who) {
            (Who::User(one), Who::User(two)) => {
                let rights = |user: &User| {
                    (user.id, &user.role, &user.paths, &user.paths_write)
                        == (one.id, &one.role, &one.paths, &one.paths_write)
                };
                Arc::ptr_eq(one, two) || rights(two)
            }
            (Who::FtpUser(one), Who::FtpUser(two)) => one == two,
            (Who::Guest(one), Who::Guest(two)) => one == two,
            _ => false,
        }
    }

    /// Whether the password that let the other in is still the one that lets them in.
    pub(super) fn has_password_of(&self, other: &Self) -> bool {
        let stored = self.who.stored();
        stored.is_some() && stored == other.who.stored()
    }

    /// Whether they may read and write all that the other may.
    pub fn covers(&self, other: &Self) -> bool {
        self.grant.covers(&other.grant)
    }
}

impl Who {
    /// What their password is compared with, if it is theirs.
    pub(super) fn stored(&self) -> Option<Stored<'_>> {
        match self {
            Self::User(user) => {
                Some(Stored { id: user.id, epoch: user.epoch, hash: &user.password_hash })
            }
            Self::FtpUser(user) => {
                Some(Stored { id: user.id, epoch: 0, hash: &user.password_hash })
            }
            Self::Guest(_) => None,
        }
    }

    /// Whether there is a password that could be right.
    pub(super) fn has_password(&self) -> bool {
        self.stored().is_some_and(|stored| !stored.hash.is_empty())
    }

    /// What they may read and write. A stored list, or home, that can't be read grants nothing.
    fn grant(&self) -> Arc<Grant> {
        match self {
            Self::User(user) => Arc::new(permission::grant(user)),
            Self::FtpUser(user) => {
                let home = VaultPath::parse(&user.home);
                let grant = home.map(|home| Letters::stored(&user.permissions).grant(&home));
                Arc::new(grant.unwrap_or_default())
            }
            Self::Guest(guest) => Arc::clone(&guest.grant),
        }
    }
}
