//! Roles: contract, section 7.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::error::{Error, Result, Why};
use crate::http::answer::{Answer, Done, done, sentence};
use crate::http::api;
use crate::http::call::Call;
use crate::http::question::AskWhole;
use crate::http::rights::Rights;
use crate::logbook::Event;
use crate::people;

/// Each endpoint with the roles that may use it.
type RolesByEndpoint = BTreeMap<String, Vec<String>>;

sentence!(/// Of `role/edit`.
    RolesUpdated, "Roles updated");

/// What `role/get` answers.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Roles", with = "RolesByEndpoint"))]
pub struct Shown(Value);

/// `GET /api/role/get`: each endpoint with the roles that may use it.
pub fn get(call: &mut Call<'_>, (): ()) -> Result<Answer<Shown>> {
    Answer::of(&Shown(call.app.roles().to_json()))
}

/// `POST /api/role/edit`: the body is what `get` answers, changed; it replaces all that was.
///
/// Errors: `Invalid`, `DiskFull`.
pub fn edit(
    call: &mut Call<'_>,
    ask: AskWhole<RolesByEndpoint>,
) -> Result<Answer<Done<RolesUpdated>>> {
    let wanted = ask
        .read(call, "Roles must be an object from endpoints to arrays of role names")?
        .unwrap_or_default();
    if wanted.is_empty() {
        return Err(Error::invalid_as(Why::Missing, "No roles provided"));
    }
    let roles =
        call.app.roles().replaced_by(wanted, &api::role_paths()).map_err(Error::invalid_text)?;
    people::replace_roles(&call.app.users, call.app.config.folder(), &roles)?;
    call.note(Event::change("changed the roles"));
    done()
}

/// Each endpoint and whether the caller may use it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "Rights", with = "BTreeMap<String, bool>"))]
pub struct Mine(());

/// `GET /api/role/self`: each endpoint that roles decide about, or that acts as such, and whether the
/// caller may use it.
pub fn mine(call: &mut Call<'_>, (): ()) -> Result<Answer<Mine>> {
    let (roles, role) = (call.app.roles(), call.caller()?.role());
    let json = || serde_json::to_vec(&Rights { roles: &roles, role });
    let make = || json().map_err(|cause| Error::Bug(format!("json: {cause}").into()));
    let told = call.app.rights.of(&roles, role.unwrap_or_default(), make)?;
    Ok(Answer::of_text(told.to_vec()))
}
