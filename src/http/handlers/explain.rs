//! `GET /api/explain`: why somebody may do something with a place, or may not: second contract, section 22.

use serde::{Deserialize, Serialize};

use crate::auth::caller::{Caller, Credential, Who};
use crate::error::{Error, Result};
use crate::http::answer::Answer;
use crate::http::call::Call;
use crate::http::gate;
use crate::http::question::{Query, Question};
use crate::vault::{Action, Asked, Step, VaultPath};

/// What `explain` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Explain {
    /// Whose rights; one's own if left out.
    user: Option<String>,
    /// The place, which need not exist.
    path: String,
    /// What they want to do: `read`, `write`, `list` or `delete`.
    #[cfg_attr(test, schemars(extend("pattern" = "^(read|write|list|delete)$")))]
    action: String,
}

impl Question for Explain {}

/// What they may, and why.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Explained {
    /// Whether nothing is in the way.
    allowed: bool,
    /// Why, in a sentence.
    because: String,
    /// Whether there is anything; left out where whoever asks may not know, and where nobody can say.
    #[serde(skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
    /// What the doors ask, in their order, up to where they go no further.
    steps: Vec<Step>,
}

/// Tells what the doors would say, and why. Changes nothing.
///
/// Errors: `Invalid`, `Refused` (somebody else, for those whose role may not), `NotFound` (the user).
pub fn explain(call: &mut Call<'_>, ask: Query<Explain>) -> Result<Answer<Explained>> {
    let ask = ask.read(call)?;
    let other =
        ask.user.as_deref().filter(|name| call.user().is_ok_and(|own| own.username != **name));
    if other.is_some() && !call.may("/api/explain")? {
        return Err(Error::Refused);
    }
    let (action, path) = (action(&ask.action)?, VaultPath::parse(&ask.path)?);
    let caller = whose(call, other)?;
    let asker = call.caller()?;
    let (app, grant) = (call.app, caller.grant());
    let mut steps = vec![by_role(call, &caller, action)];
    if matches!(caller.credential(), Credential::Key(_)) {
        steps.push(Step::new(Asked::Key, true, "The API key is for all that its user may."));
    }
    steps.push(action.by_paths(grant, &path));
    let mut exists = None;
    let is_open = steps.iter().all(|step| step.ok);
    // Whoever could not find out otherwise is not told here.
    let may_know = gate::may(app, asker, "/api/finder") && asker.grant().may_see(&path);
    if is_open && may_know {
        match app.share(grant.clone(), caller.label()) {
            Ok(share) => {
                let (of_place, is_there) = share.explain(&path, action, asker.grant());
                steps.extend(of_place);
                exists = is_there;
            }
            Err(Error::StorageAbsent) => {
                steps.push(Step::new(Asked::Drive, false, "The storage is not available."));
            }
            Err(error) => return Err(error),
        }
    }
    let refused = steps.iter().find(|step| !step.ok);
    let because = match refused {
        Some(step) => step.detail.clone(),
        None if is_open && !may_know => {
            "Role and paths allow it; what is there you may not see.".into()
        }
        None => "Nothing is in the way.".into(),
    };
    Answer::of(&Explained { allowed: refused.is_none(), because, exists, steps })
}

/// What was meant by its name.
///
/// Errors: `Invalid`.
fn action(name: &str) -> Result<Action> {
    match name {
        "read" => Ok(Action::Read),
        "write" => Ok(Action::Write),
        "list" => Ok(Action::List),
        "delete" => Ok(Action::Delete),
        _ => Err(Error::invalid("Invalid action")),
    }
}

/// Whose rights are meant: the caller's own as they came, or those of somebody named.
///
/// Errors: `NotFound`.
fn whose(call: &Call<'_>, other: Option<&str>) -> Result<Caller> {
    let Some(username) = other else { return call.caller().cloned() };
    let user = call.app.users.by_username(username)?.ok_or(Error::NotFound("User not found"))?;
    Ok(Caller::new(Who::User(user), Credential::Password))
}

/// What the role says: of the endpoint that everybody's pages would ask.
fn by_role(call: &Call<'_>, caller: &Caller, action: Action) -> Step {
    let endpoint = match action {
        Action::Read => "/api/download",
        Action::List => "/api/finder",
        Action::Write => "/api/upload",
        Action::Delete => "/api/delete_file",
    };
    let role = caller.role().unwrap_or_default();
    if caller.lacks_factor(&call.app.config.settings()) {
        let why = format!("The role {role} wants a second factor, which is not set up.");
        return Step::new(Asked::Role, false, why);
    }
    let ok = gate::may(call.app, caller, endpoint);
    let not = if ok { "may" } else { "may not" };
    Step::new(Asked::Role, ok, format!("The role {role} {not} use {endpoint}."))
}
