//! Roles: contract, section 7.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::auth::caller::Caller;
use crate::error::{Error, Result, Why};
use crate::http::api;
use crate::http::call::Call;
use crate::http::reply::{Reply, Status};
use crate::logbook::Event;
use crate::people;
use crate::settings::Roles;

/// `GET /api/role/get`: each endpoint with the roles that may use it.
pub fn get(call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(&call.app.roles().to_json())
}

/// `POST /api/role/edit`: the body is what `get` answers, changed; it replaces all that was.
///
/// Errors: `Invalid`, `DiskFull`.
pub fn edit(call: &mut Call<'_>) -> Result<Reply> {
    let wanted: BTreeMap<String, Vec<String>> = call
        .ask_whole("Roles must be an object from endpoints to arrays of role names")?
        .unwrap_or_default();
    if wanted.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No roles provided"));
    }
    let roles =
        call.app.roles().replaced_by(wanted, &api::role_paths()).map_err(Error::invalid_text)?;
    people::replace_roles(&call.app.users, call.app.config.folder(), &roles)?;
    call.note(Event::change("changed the roles"));
    Reply::json(&Status { status: "Roles updated" })
}

/// `GET /api/role/self`: each endpoint that roles decide about, or that acts as such, and whether the
/// caller may use it.
pub fn mine(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer, written without a copy: every page asks for it.
    struct Mine<'a>(&'a Roles, &'a Caller);

    impl Serialize for Mine<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.collect_map(api::rights_of(self.1, self.0))
        }
    }
    Reply::json(&Mine(&call.app.roles(), call.caller()?))
}
