//! Somebody who may do something: who they are, what they came with, and what follows from both. A caller need
//! not be a user of the house. One more kind of them is one more `Who`, one more way to be let in one more
//! `Credential`; the questions below are all that the doors and rooms ask of either.

use std::sync::Arc;

use crate::auth::letters::Letters;
use crate::auth::permission;
use crate::auth::token::Session;
use crate::auth::verified::Stored;
use crate::error::{Error, Result};
use crate::settings::{ADMIN, Roles};
use crate::store::{FtpUser, User};
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
}

/// What somebody came with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// A session's token.
    Session(Session),
    /// An API key, by its hash.
    Key(String),
    /// A name and its password.
    Password,
}

/// What something may be bound to that only the same caller gets again: nobody else has it, and it ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A session, by the id of its token.
    Session(String),
    /// An API key, by its hash.
    Key(String),
}

impl Caller {
    /// Puts one together; whoever does has judged what they came with.
    pub fn new(who: Who, credential: Credential) -> Self {
        let grant = Arc::new(who.grant());
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
        }
    }

    /// Their row, if they are a user of the house.
    pub fn user(&self) -> Option<&Arc<User>> {
        match &self.who {
            Who::User(user) => Some(user),
            Who::FtpUser(_) => None,
        }
    }

    /// Their role, which decides about endpoints; FTP's own users have none.
    fn role(&self) -> Option<&str> {
        self.user().map(|user| user.role.as_str())
    }

    /// Whether they may use what stands under this path in `roles.json`.
    pub fn may(&self, path: &str, roles: &Roles) -> bool {
        self.role().is_some_and(|role| roles.allow(path, role))
    }

    /// Whether they may edit the roles, and so decide about every right there is.
    pub fn may_edit_roles(&self, roles: &Roles) -> bool {
        self.role().is_some_and(|role| roles.may_edit_roles(role))
    }

    /// Whether they see, and call off, everybody's jobs (contract, section 11).
    pub fn may_see_all_jobs(&self) -> bool {
        self.is_admin()
    }

    /// Whether they see, change and end everybody's links (second contract, section 15).
    pub fn may_manage_all_links(&self) -> bool {
        self.is_admin()
    }

    /// Where they may restore from the trash and remove from it: an admin everywhere (contract, section 12).
    pub fn grant_in_trash(&self) -> Arc<Grant> {
        if self.is_admin() { Arc::new(Grant::everything()) } else { Arc::clone(&self.grant) }
    }

    /// Whether they look after the house. Nobody but this room asks: what follows from it has a name above.
    fn is_admin(&self) -> bool {
        self.role() == Some(ADMIN)
    }

    /// What they came with, to bind something to it.
    ///
    /// Errors: `Refused` for who came with nothing that lasts.
    pub fn holder(&self) -> Result<Holder> {
        match &self.credential {
            Credential::Session(session) => Ok(Holder::Session(session.token_id.clone())),
            Credential::Key(hash) => Ok(Holder::Key(hash.clone())),
            Credential::Password => Err(Error::Refused),
        }
    }

    /// Whether this is the same somebody with the same rights.
    pub fn is_same_as(&self, other: &Self) -> bool {
        match (&self.who, &other.who) {
            (Who::User(one), Who::User(two)) => {
                let rights = |user: &User| {
                    (user.id, &user.role, &user.paths, &user.paths_write)
                        == (one.id, &one.role, &one.paths, &one.paths_write)
                };
                Arc::ptr_eq(one, two) || rights(two)
            }
            (Who::FtpUser(one), Who::FtpUser(two)) => one == two,
            _ => false,
        }
    }

    /// Whether the password that let the other in is still the one that lets them in.
    pub(super) fn has_password_of(&self, other: &Self) -> bool {
        self.who.stored() == other.who.stored()
    }

    /// Whether they may read and write all that the other may.
    pub fn covers(&self, other: &Self) -> bool {
        self.grant.covers(&other.grant)
    }
}

impl Who {
    /// What their password is compared with.
    pub(super) fn stored(&self) -> Stored<'_> {
        match self {
            Self::User(user) => {
                Stored { id: user.id, epoch: user.epoch, hash: &user.password_hash }
            }
            Self::FtpUser(user) => Stored { id: user.id, epoch: 0, hash: &user.password_hash },
        }
    }

    /// Whether there is a password that could be right.
    pub(super) fn has_password(&self) -> bool {
        !self.stored().hash.is_empty()
    }

    /// What they may read and write. A stored list, or home, that can't be read grants nothing.
    fn grant(&self) -> Grant {
        match self {
            Self::User(user) => permission::grant(user),
            Self::FtpUser(user) => VaultPath::parse(&user.home)
                .map(|home| Letters::stored(&user.permissions).grant(&home))
                .unwrap_or_default(),
        }
    }
}
