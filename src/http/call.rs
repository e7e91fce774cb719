//! One request as a handler sees it: who asks, what they ask, and the rooms that can answer.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use tiny_http::Request;

use crate::app::App;
use crate::auth::caller::{Caller, Guest};
use crate::auth::throttle::network_of;
use crate::budget::Line;
use crate::error::{Error, Result};
use crate::http::api::Endpoint;
use crate::http::body;
use crate::http::gate::{self, Standing};
use crate::http::question::{Content, Question};
use crate::http::{query, router};
use crate::limits;
use crate::logbook::{By, Event};
use crate::store::{User, Whence};
use crate::vault::{Share, Spool, VaultPath};

/// What a handler is lent.
pub struct Call<'a> {
    /// The long-lived parts.
    pub app: &'a Arc<App>,
    /// The row that was matched.
    pub endpoint: &'static Endpoint,
    /// Where the client is.
    pub address: IpAddr,
    /// The request; its body is not read yet.
    pub request: &'a mut Request,
    /// Who asks, unless the endpoint is public.
    caller: Option<Caller>,
    /// A file's content out of the body, once that has been read.
    content: Option<Spool>,
}

impl<'a> Call<'a> {
    /// Puts one together.
    pub fn new(
        app: &'a Arc<App>,
        endpoint: &'static Endpoint,
        address: IpAddr,
        request: &'a mut Request,
        caller: Option<Caller>,
    ) -> Self {
        Self { app, endpoint, address, request, caller, content: None }
    }

    /// Who asks. The gate has seen to it that there is somebody.
    pub fn caller(&self) -> Result<&Caller> {
        self.caller.as_ref().ok_or(Error::Bug("a public endpoint asked for its caller".into()))
    }

    /// The row of the caller, where only a user of the house can be meant.
    ///
    /// Errors: `Refused` for anybody else.
    pub fn user(&self) -> Result<&Arc<User>> {
        self.caller()?.user().ok_or(Error::Refused)
    }

    /// Who came by a link, where only they can be meant.
    ///
    /// Errors: `Refused` for anybody else.
    pub fn guest(&self) -> Result<&Arc<Guest>> {
        self.caller()?.guest().ok_or(Error::Refused)
    }

    /// Whether the caller may also use what stands under this path in `roles.json`.
    pub fn may(&self, path: &str) -> Result<bool> {
        Ok(gate::may(self.app, self.caller()?, path))
    }

    /// What the caller may see of the share.
    ///
    /// Errors: `StorageAbsent`.
    pub fn share(&self) -> Result<Share> {
        self.share_of(self.caller()?)
    }

    /// The share as far as a caller may. Guests queue by link and network: their label is no name.
    ///
    /// Errors: `StorageAbsent`.
    fn share_of(&self, caller: &Caller) -> Result<Share> {
        let share = self.app.share(Arc::clone(caller.grant()), caller.label())?;
        Ok(match caller.guest() {
            Some(guest) => share.in_line(Line::Guest(guest.link_id, network_of(self.address))),
            None => share,
        })
    }

    /// The same now that time has passed, as far as the caller may by now.
    ///
    /// Errors: `SignIn`, `Refused`, `StorageAbsent`.
    pub fn share_by_now(&self) -> Result<Share> {
        let caller = Standing::of(self.caller()?, self.endpoint).renewed(self.app)?;
        self.share_of(&caller)
    }

    /// What follows the path of the row in the request's, decoded segment by segment.
    ///
    /// Errors: `Invalid` (not UTF-8, NUL, or a `/` that was encoded).
    pub fn rest(&self) -> Result<Cow<'_, str>> {
        let (path, _) = query::split(self.request.url());
        query::decode_segments(router::rest_of(self.endpoint.path, path))
    }

    /// Reads the query.
    ///
    /// Errors: `Invalid`.
    pub fn query<Q: Question>(&self) -> Result<Q> {
        let (_, query) = query::split(self.request.url());
        query::read(query)
    }

    /// Reads the JSON body.
    ///
    /// Errors: `Invalid`, `TooLarge`, `Disconnected`; those of the vault for a file's content.
    pub fn ask<Q: Question>(&mut self) -> Result<Q> {
        let content = self.caller.as_ref().map(|caller| (self.app, caller));
        let length = self.request.content_length();
        let (question, content) = body::read(self.request, &mut |near| {
            let (app, caller) = content.ok_or(Error::Bug("content without a caller".into()))?;
            // If the path has come already, its drive takes the content at once.
            let near = near.and_then(|path| VaultPath::parse(path).ok());
            app.share(Arc::clone(caller.grant()), caller.label())?
                .spool_sized(near.as_ref(), length)
        })?;
        self.content = content;
        self.must_still_be_let_in()?;
        Ok(question)
    }

    /// The bytes that the sign stands for, once.
    pub fn take_content(&mut self, _: &Content) -> Result<Spool> {
        self.content.take().ok_or(Error::Bug("content that did not come".into()))
    }

    /// Judges the caller anew, now that the body has been read: a slow one may have taken hours.
    ///
    /// Errors: `SignIn`, `Gone`.
    pub fn must_still_be_let_in(&self) -> Result<()> {
        let lasts = self
            .caller
            .as_ref()
            .is_none_or(|caller| Standing::of(caller, self.endpoint).lasts_in_session(self.app));
        match &self.caller {
            Some(caller) if !lasts => Err(gate::gone(caller)),
            _ => Ok(()),
        }
    }

    /// Whether the request came over TLS.
    pub fn is_secure(&self) -> bool {
        gate::is_secure(self.request, &self.app.config.settings().trusted_proxies)
    }

    /// Tells of the caller, as long as larder runs, whether they may still have done what they asked for.
    pub fn standing(&self) -> Result<impl Fn() -> bool + Send + Sync + use<>> {
        let standing = Standing::of(self.caller()?, self.endpoint);
        // Jobs that have ended are remembered by the app: they must not keep it.
        let app = Arc::downgrade(self.app);
        Ok(move || app.upgrade().is_some_and(|app| standing.lasts(&app)))
    }

    /// The same, for what ends with the session that they came with.
    pub fn standing_in_session(&self) -> Result<impl Fn() -> bool + Send + Sync + use<>> {
        let standing = Standing::of(self.caller()?, self.endpoint);
        let app = Arc::downgrade(self.app);
        Ok(move || app.upgrade().is_some_and(|app| standing.lasts_in_session(&app)))
    }

    /// From where the caller comes, and by what program.
    pub fn whence(&self) -> Whence<'_> {
        let agent = self.request.header("User-Agent").unwrap_or_default();
        Whence { address: self.address, agent }
    }

    /// Reads a small JSON object whole, whatever its keys; `None` without a body.
    ///
    /// Errors: `Invalid` (also `wrong_shape`), `TooLarge`, `Disconnected`.
    pub fn ask_whole<T: DeserializeOwned>(
        &mut self,
        wrong_shape: &'static str,
    ) -> Result<Option<T>> {
        let asked = body::read_whole(self.request, limits::STATE_FILE_BYTES_MAX, wrong_shape)?;
        self.must_still_be_let_in()?;
        Ok(asked)
    }

    /// Who the logbook says it was.
    pub fn by(&self) -> By<'_> {
        self.endpoint.by(self.caller.as_ref(), self.address)
    }

    /// Notes in the logbook what the caller did.
    pub fn note(&self, event: Event) {
        self.app.logbook.note(&self.by(), event);
    }

    /// Notes what the caller did when the request is over for us, and its answer goes on.
    pub fn noted_later(&self) -> impl Fn(Event) + Send + use<> {
        let (app, caller, address) = (Arc::clone(self.app), self.caller.clone(), self.address);
        let endpoint = self.endpoint;
        move |event| app.logbook.note(&endpoint.by(caller.as_ref(), address), event)
    }

    /// Notes one of many things that the caller did in one go.
    pub fn note_one_of_many(&self, event: Event) {
        self.app.logbook.note_one_of_many(&self.by(), event);
    }
}
