//! How far somebody who adds and changes users may go: nobody gives paths that they do not have themselves, nobody
//! but who may edit the roles makes another who may, and nobody changes the password of somebody who has more.

use std::sync::Arc;

use crate::auth::caller::Caller;
use crate::auth::permission::{self, NOTHING};
use crate::error::{Error, Result};
use crate::settings::Roles;
use crate::store::User;
use crate::vault::Grant;

/// What the caller may give.
pub struct Authority(Option<Bounds>);

/// The rights of a caller who does not decide about all rights.
struct Bounds {
    /// What each role may use.
    roles: Arc<Roles>,
    /// Their paths.
    grant: Arc<Grant>,
}

impl Authority {
    /// Of whoever is at the machine itself, and where no right is given.
    pub fn unbounded() -> Self {
        Self(None)
    }

    /// Of a caller, by what they may use and by their paths. Who may edit the roles decides about all rights
    /// anyway.
    pub fn of(caller: &Caller, roles: Arc<Roles>) -> Self {
        if caller.may_edit_roles(&roles) {
            return Self::unbounded();
        }
        Self(Some(Bounds { roles, grant: Arc::clone(caller.grant()) }))
    }

    /// Whether somebody with this role and these paths is within what the caller may give.
    ///
    /// Errors: `Refused`; `Invalid` for paths that are none.
    pub(super) fn must_cover(&self, role: &str, paths: &str, paths_write: &str) -> Result<()> {
        let Some(bounds) = &self.0 else { return Ok(()) };
        let (read, write) = (permission::prefixes(paths)?, permission::prefixes(paths_write)?);
        // Roles are the owner's bundles, made to be handed out by whoever looks after people, who need not
        // have them; only the one that decides about all rights is not theirs to give.
        let is_within = !bounds.roles.may_edit_roles(role)
            && read.iter().all(|path| bounds.grant.may_read(path))
            && write.iter().all(|path| bounds.grant.may_write(path));
        if is_within { Ok(()) } else { Err(Error::Refused) }
    }

    /// The same for somebody who is there. A stored list that can't be read grants nothing.
    ///
    /// Errors: `Refused`.
    pub(super) fn must_cover_user(&self, user: &User) -> Result<()> {
        let granted = |stored| permission::prefixes(stored).map_or(NOTHING, |_| stored);
        self.must_cover(&user.role, granted(&user.paths), granted(&user.paths_write))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::caller::{Credential, Who};
    use crate::people::NewPerson;
    use crate::people::tests::{house, person};
    use crate::people::{Changes, change, create, delete};
    use serde_json::json;

    fn caller(user: &User) -> Caller {
        Caller::new(Who::User(Arc::new(user.clone())), Credential::Password)
    }

    /// What `user`, who is the helper of the house, may give.
    fn helper(user: &User) -> Authority {
        let roles = json!({
            "/api/finder": ["admin", "family", "helper"], "/api/upload": ["admin", "family"],
            "/api/user/create": ["admin", "helper"], "/api/user/edit": ["admin", "helper"],
            "/api/user/delete": ["admin", "helper"], "/api/role/edit": ["admin"],
        });
        let roles = Arc::new(Roles::parse(roles.as_object().unwrap()).unwrap());
        Authority::of(&caller(user), roles)
    }

    #[test]
    fn nobody_gives_what_they_do_not_have() {
        let (folder, users) = house();
        let all = Authority::unbounded();
        let of_helper =
            NewPerson { paths: "[\"a\"]", paths_write: "[\"a/b\"]", ..person("hel", "helper") };
        create(&users, &all, &of_helper).unwrap();
        let hel = users.by_username("hel").unwrap().unwrap();
        let may = helper(&hel);
        let guest = NewPerson { paths: "[\"a/x\"]", ..person("gus", "guest") };
        create(&users, &may, &guest).unwrap();
        // A role of more than the helper has is theirs to hand out, as long as it is not the owner's.
        create(&users, &may, &NewPerson { paths: "[\"a\"]", ..person("fay", "family") }).unwrap();
        let is_refused = |result: Result<()>| matches!(result, Err(Error::Refused));
        for too_much in [
            NewPerson { role: "admin", ..person("x", "guest") },
            NewPerson { paths: "[\"\"]", ..person("x", "guest") },
            NewPerson { paths: "[]", paths_write: "[\"a\"]", ..person("x", "guest") },
        ] {
            assert!(is_refused(create(&users, &may, &too_much).map(drop)), "{}", too_much.role);
        }
        let edit = |id, changes: &Changes<'_>| change(&users, &may, id, changes).map(drop);
        let role = |role| Changes { role: Some(role), ..Changes::default() };
        let password = Changes { password: Some("new"), ..Changes::default() };
        assert!(is_refused(edit(hel.id, &role("admin"))));
        let paths = Changes { paths: Some("[\"\"]"), ..Changes::default() };
        assert!(is_refused(edit(hel.id, &paths)));
        edit(hel.id, &password).unwrap();
        let (root, gus) = (
            users.by_username("root").unwrap().unwrap(),
            users.by_username("gus").unwrap().unwrap(),
        );
        edit(gus.id, &role("helper")).unwrap();
        for stronger in [&*root, &*users.by_username("ana").unwrap().unwrap()] {
            assert!(is_refused(edit(stronger.id, &password)), "{}", stronger.username);
            let gone = delete(&users, &may, folder.path(), &stronger.username);
            assert!(is_refused(gone), "{}", stronger.username);
        }
        delete(&users, &may, folder.path(), "gus").unwrap();
        assert!(matches!(delete(&users, &may, folder.path(), "gus"), Err(Error::NotFound(_))));
        assert!(Authority::of(&caller(&root), may.0.unwrap().roles).0.is_none());
    }
}
