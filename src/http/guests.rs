//! Whoever comes by a link: from the token in the path, and the cookie if there is one, to a `Caller` who may at this
//! moment what the link's maker lets them do. No account helps here, and none is looked at.

use std::net::IpAddr;
use std::sync::Arc;

use tiny_http::Request;

use crate::app::App;
use crate::auth::caller::{Caller, Credential, Guest, Who};
use crate::auth::throttle::network_of;
use crate::clock;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::http::{assets, cookie, gate, query, router};
use crate::links::{self, Link, Terms};
use crate::logbook::Event;
use crate::settings::{Roles, Settings};

/// The endpoint that listing acts as: reading is not enough for it.
const LIST: &str = "/api/finder";

/// Whether the owner lets anybody come by a link.
pub fn are_served(settings: &Settings) -> bool {
    settings.links
}

/// The caller that a link's address, and its cookie, stand for.
///
/// Errors: `NotFound`, `TooSoon` (too many wrong guesses), `Gone`, `ClockNotSet`.
pub fn recognize(app: &App, request: &Request) -> Result<Caller> {
    let settings = app.config.settings();
    let address = gate::client_address(request, &settings.trusted_proxies);
    let link = find(app, token_of(request), address)?;
    let (id, name) = known(app, request, &link).map(|guest| (guest.id, guest.name)).unzip();
    let is_let_in = link.password_hash.is_none() || id.is_some();
    caller(app, &link, (id, name.unwrap_or_default(), is_let_in))
}

/// Who a request's cookie says that its sender is, if that is still good for a link.
pub fn known(app: &App, request: &Request, link: &Link) -> Option<links::Guest> {
    let is_secure = gate::is_secure(request, &app.config.settings().trusted_proxies);
    let mut cookies = cookie::GUEST.values(request, is_secure);
    cookies.find_map(|cookie| app.links.unseal(link, cookie))
}

/// The link with this token. Who guesses right is always heard; who guesses wrong not for long.
///
/// Errors: `NotFound`, `TooSoon`.
fn find(app: &App, token: &str, address: IpAddr) -> Result<Link> {
    app.links.find(token).map_err(|error| match error {
        Error::NotFound(_) => app.link_guesses.was_wrong(address).err().unwrap_or(error),
        other => other,
    })
}

/// The token in the path of a request.
pub fn token_of(request: &Request) -> &str {
    let (path, _) = query::split(request.url());
    router::link_in(path).map_or("", |(token, _)| token)
}

/// Judges a guest anew: `None` when the link, or the right to use it, has gone since they came.
///
/// Errors: `Store`: nobody can say.
pub fn again(app: &App, guest: &Guest) -> Result<Option<Caller>> {
    if !are_served(&app.config.settings()) {
        return Ok(None);
    }
    let link = match app.links.by_id(guest.link_id) {
        Err(Error::NotFound(_)) => return Ok(None),
        link => link?,
    };
    if link.epoch != guest.epoch {
        return Ok(None);
    }
    match caller(app, &link, (guest.id.clone(), guest.name.clone(), guest.is_let_in)) {
        Err(Error::Gone(_) | Error::ClockNotSet) => Ok(None),
        now => now.map(Some),
    }
}

/// Somebody who uses a link: who they are, what they call themselves, whether they are let in.
///
/// Errors: `Gone`, `ClockNotSet`.
fn caller(
    app: &App,
    link: &Link,
    (id, name, is_let_in): (Option<String>, String, bool),
) -> Result<Caller> {
    // Whoever looks for a user learns of what changed in the database, the roles too: guests bring none.
    let _seen_anew = app.users.by_id(link.user_id)?;
    let (roles, settings) = (app.roles(), app.config.settings());
    let terms = Terms { roles: &roles, settings: &settings };
    let standing = app.links.admit(link, terms, clock::now())?;
    let guest = Guest {
        link_id: link.id,
        epoch: link.epoch,
        place: link.path.clone(),
        label: label(link),
        id,
        name,
        is_let_in,
        may: rights(&standing, &roles),
        grant: Arc::new(standing.grant.confined_to(&link.path)),
    };
    Ok(Caller::new(Who::Guest(Arc::new(guest)), Credential::Link))
}

/// What a link's guests may act as.
fn rights(standing: &links::Standing, roles: &Roles) -> Vec<&'static str> {
    let mut may = Vec::new();
    if standing.read {
        may.push(links::DOWNLOAD);
        may.extend(roles.allow(LIST, &standing.maker.role).then_some(LIST));
    }
    may.extend(standing.write.then_some(links::UPLOAD));
    may
}

/// What the logbook and the trash call the guests of a link.
fn label(link: &Link) -> String {
    if link.label.is_empty() { format!("link {}", link.id) } else { format!("link {}", link.label) }
}

/// Notes that somebody used a link, once for each guest and day in the log.
///
/// Errors: `Store`.
pub fn saw(call: &Call<'_>) -> Result<()> {
    let Ok(guest) = call.guest() else { return Ok(()) };
    if !guest.is_let_in {
        return Ok(());
    }
    if call.app.links.seen(guest.link_id, &guest.known_by(call.address))? {
        note_opened(call, guest, &guest.name);
    }
    Ok(())
}

/// Notes the same of somebody who was known by their address and has a cookie from now on. They are one guest: who
/// was noted by the one is not noted by the other.
///
/// Errors: `Store`.
pub fn is_known_now(call: &Call<'_>, named: &links::Guest) -> Result<()> {
    let guest = call.guest()?;
    if call.app.links.seen(guest.link_id, &guest.known_by(call.address))? {
        note_opened(call, guest, &named.name);
    }
    let _is_first = call.app.links.seen(guest.link_id, &named.id)?;
    Ok(())
}

/// Tells the log that a link was opened, and by whom, if they said it.
fn note_opened(call: &Call<'_>, guest: &Guest, name: &str) {
    call.note(Event::opened_link(guest.place.as_str(), name));
}

/// What each answer has that somebody gets by a link: the address is the key, so no page may learn it from us, no search
/// engine list it, and nothing keep what was behind it.
pub const CLOSED: [(&str, &str); 4] = [
    NO_REFERRER,
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", assets::CONTENT_SECURITY_POLICY),
];

/// The one of them that no answer says otherwise.
const NO_REFERRER: (&str, &str) = ("Referrer-Policy", "no-referrer");

/// Adds that to an answer, as far as it does not say something else on purpose.
pub fn mark(reply: Reply) -> Reply {
    let (name, value) = NO_REFERRER;
    CLOSED.into_iter().fold(reply.set(name, value), |reply, (name, value)| {
        if reply.has(name) { reply } else { reply.with(name, value) }
    })
}

impl Guest {
    /// Whether they may look and download.
    pub fn may_read(&self) -> bool {
        self.may.contains(&links::DOWNLOAD)
    }

    /// Whether they may bring files.
    pub fn may_write(&self) -> bool {
        self.may.contains(&links::UPLOAD)
    }

    /// What tells them from other guests: their cookie, else where they are.
    pub fn known_by(&self, address: IpAddr) -> String {
        let network = || network_of(address).to_string();
        self.id.clone().unwrap_or_else(network)
    }
}
