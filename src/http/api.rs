//! Everything larder answers over HTTP. Each endpoint is declared once, here, and named by the handler whose
//! signature says what it is asked by and what it answers; the router, `Allow`, `HEAD`, the default roles,
//! the document of the API and the tests follow from this table.

use std::net::IpAddr;

use crate::auth::caller::Caller;
use crate::auth::narrowed::Door;
use crate::dav;
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::{
    ca, cloud, console, deletion, download, events, explain, files, folders, ftp, guest,
    guest_uploads, jobs, keys, links, logs, metrics, notify, pages, photos, roles, search,
    sessions, settings, signin_code, system, thumb, totp, transfers, trash, upload, uploads, users,
};
#[cfg(test)]
use crate::http::openapi::Manual;
use crate::http::reply::Reply;
use crate::logbook::By;

use Access::{ByRole, Knocking, Public, SignedIn};
use Lane::{Disk, Picture, Quick, Transfer};
use Method::{Delete, Get, Head, Options, Patch, Post};

/// One row of the table. Several rows may share a path, as long as no two have a method in common.
#[expect(clippy::struct_excessive_bools, reason = "each is a matter of its own")]
pub struct Endpoint {
    /// What it answers to.
    pub methods: &'static [Method],
    /// The whole path, or its beginning when `is_prefix`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// What it takes of those who want to be let in, in the order in which it is looked for.
    pub proofs: &'static [Proof],
    /// Which threads work on it.
    pub lane: Lane,
    /// Whether it asks the drive when it is asked with a query: then it goes to that lane.
    pub may_ask_drive: bool,
    /// What answers.
    pub handler: fn(&mut Call<'_>) -> Result<Reply>,
    /// Whether everything below `path` belongs to it; the handler hears of it by `Call::rest`.
    pub is_prefix: bool,
    /// The door that it belongs to.
    pub door: Door,
    /// How its door words what it refuses; the same for all rows of a path.
    pub dictionary: Dictionary,
    /// The endpoints that it acts as: whoever may use all of them may use it, so that it has no row in
    /// `roles.json` (second contract, section 13). Empty for one that has a row of its own.
    pub acts_as: &'static [&'static str],
    /// Whether `roles.json` decides about it besides, where it acts as others, or about a part of what it does, where
    /// whoever has signed in may use it.
    pub has_own_row: bool,
    /// Whether long answers may be compressed. Not where they hold a secret beside what a caller sends: their
    /// length would tell of it; nor where they grow.
    pub compresses: bool,
    /// Whether somebody who is known and may not hears 403; the endpoints of the first contract say 401.
    pub forbids: bool,
    /// Whether narrowed keys may use it, as far as their user's role may (second contract, section 21).
    pub is_open_to_keys: bool,
    /// From when on it is open to somebody whose role wants a second factor.
    pub opens: Opens,
    /// What the document says of it.
    #[cfg(test)]
    pub manual: Manual,
}

/// When a row is open to somebody whose role wants a second factor (second contract, section 21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    /// Once they have one.
    WithFactor,
    /// Also before, to whoever has signed in.
    BeforeFactor,
}

/// From an error to the answer that tells of it.
pub type Dictionary = fn(&Error) -> Reply;

/// The methods that endpoints are declared with (RFC 9110, 9.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; `HEAD` comes with it.
    Get,
    /// Changes.
    Post,
    /// Asks about one thing that cannot be read.
    Head,
    /// Changes a part (RFC 5789).
    Patch,
    /// Removes.
    Delete,
    /// Asks what the endpoint can do.
    Options,
    /// Stores what is sent.
    Put,
    /// Makes a folder (RFC 4918, 9.3).
    Mkcol,
    /// Copies (RFC 4918, 9.8).
    Copy,
    /// Moves (RFC 4918, 9.9).
    Move,
    /// Asks for properties (RFC 4918, 9.1).
    Propfind,
    /// Changes properties (RFC 4918, 9.2).
    Proppatch,
    /// Locks (RFC 4918, 9.10).
    Lock,
    /// Ends a lock (RFC 4918, 9.11).
    Unlock,
}

impl Method {
    /// As requests and `Allow` name it, with what comes with it.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Get => &["GET", "HEAD"],
            Self::Post => &["POST"],
            Self::Head => &["HEAD"],
            Self::Patch => &["PATCH"],
            Self::Delete => &["DELETE"],
            Self::Options => &["OPTIONS"],
            Self::Put => &["PUT"],
            Self::Mkcol => &["MKCOL"],
            Self::Copy => &["COPY"],
            Self::Move => &["MOVE"],
            Self::Propfind => &["PROPFIND"],
            Self::Proppatch => &["PROPPATCH"],
            Self::Lock => &["LOCK"],
            Self::Unlock => &["UNLOCK"],
        }
    }
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody.
    Public,
    /// Whoever has signed in.
    SignedIn,
    /// Whoever's role is listed for it in `roles.json`.
    ByRole,
    /// Whoever has come by a link, with its password if it has one, as far as the link's maker may use what the row
    /// acts as.
    Link,
    /// Whoever has come by a link, also while its password is missing.
    Knocking,
}

/// What a request can bring to say whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A session's token, in `Authorization`.
    Bearer,
    /// The same, also one whose 24 hours are over, as long as its session lasts.
    Lasting,
    /// An API key, in `X-API-KEY`.
    Key,
    /// A session's token, in the cookie: for what changes nothing, whatever the endpoint is.
    Cookie,
    /// The token of a link, in the path, and the cookie that belongs to it.
    Link,
    /// A user's name and password, with each request (RFC 7617).
    Password,
}

/// What an endpoint takes unless it says otherwise, in the order in which it is looked for (contract, section 3).
pub const ANY_PROOF: &[Proof] = &[Proof::Bearer, Proof::Key, Proof::Cookie];

/// Which threads work on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The few workers: memory and the state directory's databases only. Never waits for a client, a
    /// hash, a sync or the drive.
    Quick,
    /// The connection's own thread, in a bounded number: whatever touches the drive.
    Disk,
    /// The same, with a number of its own: hashes, syncs of the state directory, other programs and
    /// machines. A drive that does not answer takes no place from these.
    Transfer,
    /// The same for small pictures, which wait for each other: they take no place from what else touches the drive,
    /// and those too many are told to come back soon.
    Picture,
}

/// A row: methods, path, who may, lane, what it is about, handler, refusals of its own, and what it is for. The
/// handler's signature says what it is asked by and what it answers.
macro_rules! row {
    (
        [$($method:expr),+], $path:literal, $access:expr, $lane:expr, $group:ident, $handler:path,
        [$($refusal:literal),*], $purpose:literal
    ) => {
        $crate::http::api::Endpoint {
            methods: &[$($method),+],
            path: $path,
            access: $access,
            proofs: match $access {
                $crate::http::api::Access::Public => &[],
                $crate::http::api::Access::Link | $crate::http::api::Access::Knocking => {
                    &[$crate::http::api::Proof::Link]
                }
                _ => $crate::http::api::ANY_PROOF,
            },
            lane: $lane,
            may_ask_drive: false,
            handler: |call| $crate::http::answer::ask(call, $handler),
            is_prefix: false,
            door: $crate::auth::narrowed::Door::Api,
            dictionary: $crate::http::problem::reply,
            acts_as: &[],
            has_own_row: false,
            compresses: true,
            forbids: false,
            is_open_to_keys: false,
            opens: $crate::http::api::Opens::WithFactor,
            #[cfg(test)]
            manual: $crate::http::openapi::Manual {
                group: $crate::http::openapi::Group::$group,
                purpose: $purpose,
                refusals: &[$($refusal),*],
                describe: |book, operation, responses| {
                    $crate::http::openapi::describe($handler, book, operation, responses);
                },
            },
        }
    };
}
#[cfg(test)]
pub(super) use row;

impl Endpoint {
    /// Everything below the path belongs to it too.
    pub const fn and_below(mut self) -> Self {
        self.is_prefix = true;
        self
    }

    /// Acts as these older endpoints; being newer than they are, it answers 403.
    const fn acts_as(mut self, others: &'static [&'static str]) -> Self {
        self.acts_as = others;
        self.forbids()
    }

    /// Is of the second contract: answers 403 where the caller is known and may not.
    const fn forbids(mut self) -> Self {
        self.forbids = true;
        self
    }

    /// Is there for narrowed keys, too.
    const fn open_to_keys(mut self) -> Self {
        self.is_open_to_keys = true;
        self
    }

    /// Words what it refuses in a manner of its own.
    const fn worded(mut self, dictionary: Dictionary) -> Self {
        self.dictionary = dictionary;
        self
    }

    /// Has a row in `roles.json` although whoever has signed in may use it: its handler asks for more.
    const fn more_by_role(mut self) -> Self {
        self.has_own_row = true;
        self
    }

    /// Takes a session's token only: an API key gives nobody more than itself.
    const fn by_session(mut self) -> Self {
        self.proofs = &[Proof::Bearer];
        self
    }

    /// Is open to who must get a second factor first.
    const fn without_factor(mut self) -> Self {
        self.opens = Opens::BeforeFactor;
        self
    }

    /// Takes a session's token only, also one that has expired meanwhile.
    const fn by_lasting_session(mut self) -> Self {
        self.proofs = &[Proof::Lasting];
        self
    }

    /// Asks the drive when it is asked with a query.
    const fn may_ask_drive(mut self) -> Self {
        self.may_ask_drive = true;
        self
    }

    /// Which threads work on a request.
    pub fn lane_for(&self, has_query: bool) -> Lane {
        if self.may_ask_drive && has_query { Lane::Disk } else { self.lane }
    }

    /// Answers as things are found: who compresses would hold them back.
    const fn uncompressed(mut self) -> Self {
        self.compresses = false;
        self
    }

    /// Answers with secrets.
    const fn secret(mut self) -> Self {
        self.compresses = false;
        self
    }

    /// Whether all that it answers to changes nothing.
    #[cfg(test)]
    pub fn only_reads(&self) -> bool {
        self.methods.iter().all(|method| matches!(method, Get | Head | Options))
    }

    /// Whether it answers to the method of a request.
    pub fn takes_method(&self, name: &str) -> bool {
        self.methods.iter().any(|method| method.names().contains(&name))
    }

    /// Who the logbook says it was that used it.
    pub fn by<'a>(&self, caller: Option<&'a Caller>, address: IpAddr) -> By<'a> {
        let nobody = if self.door == Door::Dav { By::dav } else { By::api };
        caller.map_or_else(|| nobody(None, address), |caller| caller.by_door(self.door, address))
    }

    /// Whether somebody may use it, once they have signed in, who may use what `may` says.
    pub fn is_open_to(&self, may: impl Fn(&str) -> bool) -> bool {
        match (self.access, self.acts_as) {
            (Access::Public | Access::SignedIn | Access::Knocking, _) => true,
            (Access::ByRole, []) => may(self.path),
            (Access::ByRole, _) if self.has_own_row && !may(self.path) => false,
            (Access::ByRole | Access::Link, others) => others.iter().all(|path| may(path)),
        }
    }
}

/// The table. The order is that of the document.
#[rustfmt::skip]
pub static ENDPOINTS: &[Endpoint] = &[
    //   methods     path                          who may   lane      about    handler                refusals          what it is for
    row!([Get],  "/api/is_up",                 Public,   Quick,    System,  system::is_up,         [429],            "Say that the server is up; with `deep`, to whoever has signed in, whether its drive is there.").may_ask_drive(),
    row!([Post], "/api/notify/test",           ByRole,   Transfer, System,  notify::test,          [404, 502],       "Send a test notification.").forbids(),
    row!([Get],  "/metrics",                   ByRole,   Quick,    System,  metrics::tell,         [],               "Tell how larder is in numbers, for Prometheus.").forbids().open_to_keys(),
    row!([Post], "/api/shutdown",              ByRole,   Transfer, System,  system::shut_down,     [409],            "Power the machine off."),
    row!([Post], "/api/restart",               ByRole,   Transfer, System,  system::restart,       [409],            "Restart the machine."),
    row!([Get],  "/api/finder",                ByRole,   Disk,     Files,   folders::list,         [404],            "List one folder.").open_to_keys(),
    row!([Post], "/api/new_file",              ByRole,   Disk,     Files,   files::create,         [404, 409, 507],  "Create a text file; never overwrites.").open_to_keys(),
    row!([Post], "/api/edit_file",             ByRole,   Disk,     Files,   files::edit,           [404, 409, 507],  "Replace a file's content.").open_to_keys(),
    row!([Post], "/api/delete_file",           ByRole,   Disk,     Files,   files::delete,         [404, 409, 507],  "Delete a file, into the trash.").open_to_keys(),
    row!([Get],  "/api/get_file",              ByRole,   Disk,     Files,   files::content,        [404],            "Get a file's content inside JSON.").open_to_keys(),
    row!([Post], "/api/rename_file",           ByRole,   Disk,     Files,   files::rename,         [404, 409, 507],  "Rename a file; never overwrites.").open_to_keys(),
    row!([Post], "/api/upload",                ByRole,   Disk,     Files,   upload::receive,       [404, 409, 507],  "Store one or more files.").open_to_keys(),
    row!([Post], "/api/uploads",               ByRole,   Disk,     Files,   uploads::begin,        [409, 412, 415, 429, 507], "Begin an upload that can be gone on with (tus 1.0).").acts_as(&["/api/upload"]).worded(uploads::refusal).open_to_keys(),
    row!([Get],  "/api/uploads",               ByRole,   Disk,     Files,   uploads::list,         [412],            "List one's own uploads that wait to be gone on with.").acts_as(&["/api/upload"]).worded(uploads::refusal).open_to_keys(),
    row!([Options], "/api/uploads",            Public,   Quick,    Files,   uploads::tell,         [],               "Tell what can be done with uploads (tus 1.0).").worded(uploads::refusal),
    row!([Patch], "/api/uploads/",             ByRole,   Disk,     Files,   uploads::go_on,        [404, 409, 412, 415, 507], "Go on with an upload; its last byte puts the file in place.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal).open_to_keys(),
    row!([Head], "/api/uploads/",              ByRole,   Disk,     Files,   uploads::look,         [404, 412, 507],  "Tell how far an upload is.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal).open_to_keys(),
    row!([Delete], "/api/uploads/",            ByRole,   Disk,     Files,   uploads::remove,         [404, 412],       "Drop an upload.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal).open_to_keys(),
    row!([Get],  "/api/download",              ByRole,   Disk,     Files,   download::send,        [404, 412, 416, 429, 507], "Send a file, or a folder as a ZIP; honours Range.").open_to_keys(),
    row!([Post], "/api/download_ticket",       ByRole,   Disk,     Files,   download::make_ticket, [429],            "Remember a selection of any size, to be downloaded by a short address.").acts_as(&["/api/download"]).open_to_keys(),
    row!([Get],  "/api/thumb",                 ByRole,   Picture,  Files,   thumb::send,           [404],       "Send a small picture of a file.").acts_as(&["/api/download"]).open_to_keys(),
    row!([Post], "/api/thumb",                 ByRole,   Picture,  Files,   thumb::keep,           [404, 409, 412, 507], "Keep a small picture of a file that larder can make none of.").acts_as(&["/api/upload"]).open_to_keys(),
    row!([Post], "/api/create_folder",         ByRole,   Disk,     Files,   folders::create,       [404, 409, 507],  "Create a folder.").open_to_keys(),
    row!([Post], "/api/delete_folder",         ByRole,   Disk,     Files,   folders::delete,       [404, 409, 507],  "Delete a folder with all that is in it, into the trash.").open_to_keys(),
    row!([Post], "/api/delete",                ByRole,   Disk,     Files,   deletion::delete,      [404, 409, 507],  "Delete several files and folders, all of them or none.").acts_as(&["/api/delete_file", "/api/delete_folder"]).open_to_keys(),
    row!([Post], "/api/rename_folder",         ByRole,   Disk,     Files,   folders::rename,       [404, 409, 507],  "Rename a folder; never overwrites.").open_to_keys(),
    row!([Post], "/api/move",                  ByRole,   Disk,     Files,   transfers::relocate,   [404, 409, 507],  "Move files and folders into a folder.").open_to_keys(),
    row!([Post], "/api/copy",                  ByRole,   Disk,     Files,   transfers::copy,       [404, 409, 507],  "Copy files and folders into a folder.").open_to_keys(),
    row!([Get],  "/api/search",                ByRole,   Disk,     Files,   search::find,          [404, 429],       "Find files and folders by name, kind, size and date, told as they are found (lines of JSON).").acts_as(&["/api/finder"]).uncompressed().open_to_keys(),
    row!([Get],  "/api/photos",                ByRole,   Disk,     Files,   photos::list,          [404, 429],       "Tell the months in which pictures were taken, or the pictures of one.").acts_as(&["/api/download"]).open_to_keys(),
    row!([Post], "/api/photos/scan",           ByRole,   Disk,     Files,   photos::scan,          [404, 429],       "Look through folders for pictures, as a job.").acts_as(&["/api/finder"]).open_to_keys(),
    row!([Post], "/api/link/create",           ByRole,   Disk,     Links,   links::create,         [404, 409],       "Make a link, by which people without an account see one file or folder, or bring files.").forbids().secret().open_to_keys(),
    row!([Get],  "/api/link/get_all",          ByRole,   Disk,     Links,   links::get_all,        [],               "List one's own links.").acts_as(&["/api/link/create"]).secret().open_to_keys(),
    row!([Post], "/api/link/edit",             ByRole,   Transfer, Links,   links::edit,           [404],            "Change a link.").acts_as(&["/api/link/create"]).secret().open_to_keys(),
    row!([Post], "/api/link/delete",           ByRole,   Transfer, Links,   links::delete,         [404],            "End a link.").acts_as(&["/api/link/create"]).secret().open_to_keys(),
    row!([Get],  "/api/link/qr",               ByRole,   Quick,    Links,   links::qr,             [404, 409],       "Show a link's whole address as a QR code.").acts_as(&["/api/link/create"]).secret().open_to_keys(),
    row!([Get],  "/api/jobs",                  ByRole,   Quick,    Files,   jobs::list,            [],               "List work that goes on, and the last that ended.").open_to_keys(),
    row!([Post], "/api/jobs/cancel",           ByRole,   Quick,    Files,   jobs::cancel,          [404],            "Call a job off.").open_to_keys(),
    row!([Get],  "/api/trash",                 ByRole,   Disk,     Files,   trash::list,           [],               "List what was deleted or replaced.").open_to_keys(),
    row!([Get],  "/api/versions",              ByRole,   Disk,     Files,   trash::versions,       [404],            "List what a file replaced.").acts_as(&["/api/trash"]),
    row!([Post], "/api/trash/restore",         ByRole,   Disk,     Files,   trash::restore,        [404, 409, 507],  "Put things back where they were.").open_to_keys(),
    row!([Post], "/api/trash/empty",           ByRole,   Disk,     Files,   trash::empty,          [404, 409],       "Remove things from the trash for good.").open_to_keys(),
    row!([Post], "/api/update",                ByRole,   Transfer, System,  system::update,        [],               "Look for a newer larder, check it, and become it."),
    row!([Get],  "/api/events",                ByRole,   Disk,     Files,   events::follow,        [404, 429],       "Follow changes as they happen (Server-Sent Events).").open_to_keys(),
    row!([Post], "/api/command",               ByRole,   Disk,     System,  console::run,          [],               "Run a command of a shell on the machine."),
    row!([Get],  "/api/resources",             ByRole,   Quick,    System,  system::resources,     [],               "Tell how busy the machine is."),
    row!([Get],  "/api/get_logs",              ByRole,   Transfer, System,  logs::list,            [],               "Page through the log, newest first."),
    row!([Get],  "/api/get_settings",          ByRole,   Quick,    System,  settings::get,         [],               "Get all settings; secrets are masked."),
    row!([Post], "/api/update_settings",       ByRole,   Transfer, System,  settings::update,      [],               "Change settings; they apply at once."),
    row!([Get],  "/api/get_version",           ByRole,   Quick,    System,  system::version,       [],               "Tell which version this is."),
    row!([Post], "/update_start_exit_program", ByRole,   Transfer, System,  system::exit,          [],               "Stop larder, as before an update."),
    row!([Post], "/api/user/login",            Public,   Transfer, People,  users::login,          [401],            "Sign in with name and password, or with a one-time code.").secret(),
    row!([Post], "/api/user/logout",           SignedIn, Transfer, People,  users::logout,         [],               "End this session, or all of one's own.").without_factor(),
    row!([Post], "/api/user/renew",            SignedIn, Transfer, People,  sessions::renew,       [],               "Get a new token of one's session, also when the last has expired.").forbids().by_lasting_session().secret(),
    row!([Get],  "/api/user/sessions",         SignedIn, Transfer, People,  sessions::list,        [],               "List one's own sessions, the last used first.").forbids(),
    row!([Post], "/api/user/end_session",      SignedIn, Transfer, People,  sessions::end,         [404],            "End one of one's own sessions.").forbids(),
    row!([Post], "/api/user/totp",             SignedIn, Transfer, People,  totp::change,          [409, 429],       "Begin, confirm or stop one's second factor.").forbids().by_session().without_factor().secret(),
    row!([Get],  "/api/user/get_self",         SignedIn, Quick,    People,  users::get_self,       [],               "Tell the caller who they are.").without_factor(),
    row!([Post], "/api/user/edit_self",        SignedIn, Transfer, People,  users::edit_self,      [409],            "Change one's own name, password, key or texts.").secret(),
    row!([Get],  "/api/user/get_all",          ByRole,   Quick,    People,  users::get_all,        [],               "List all users."),
    row!([Post], "/api/user/create",           ByRole,   Transfer, People,  users::create,         [409],            "Add a user; shows their API key once.").secret(),
    row!([Post], "/api/user/edit",             ByRole,   Transfer, People,  users::edit,           [404, 409],       "Change a user."),
    row!([Post], "/api/user/signin_code",      ByRole,   Transfer, People,  signin_code::make,     [404, 409],       "Make a one-time code that signs a user in.").acts_as(&["/api/user/edit"]).by_session().secret(),
    row!([Post], "/api/user/delete",           ByRole,   Transfer, People,  users::delete,         [404, 409],       "Delete a user, and their role when nobody else has it."),
    row!([Post], "/api/key/create",            SignedIn, Disk,     People,  keys::create,          [404, 409],       "Make a key for an app or a device, narrowed to what it needs; shows it once.").by_session().forbids().secret(),
    row!([Get],  "/api/key/get_all",           SignedIn, Quick,    People,  keys::get_all,         [404],            "List one's own keys or, for an admin, another user's.").by_session().forbids().secret(),
    row!([Post], "/api/key/delete",            SignedIn, Transfer, People,  keys::delete,          [404],            "Delete a key; whatever goes on with it ends.").by_session().forbids().secret(),
    row!([Get],  "/api/explain",               SignedIn, Disk,     People,  explain::explain,      [404],            "Tell whether, and why, one may do something with a place; with a right of its own also of others.").forbids().more_by_role(),
    row!([Get],  "/api/role/get",              ByRole,   Quick,    People,  roles::get,            [],               "Tell which role may use which endpoint."),
    row!([Post], "/api/role/edit",             ByRole,   Transfer, People,  roles::edit,           [],               "Decide which role may use which endpoint."),
    row!([Get],  "/api/role/self",             SignedIn, Quick,    People,  roles::mine,           [],               "List what the caller may use."),
    row!([Post], "/api/cloud/manage",          ByRole,   Transfer, Cloud,   cloud::manage,         [404, 409, 502],  "Enable the cloud, forget its account, or sign up."),
    row!([Get],  "/api/cloud/get",             ByRole,   Quick,    Cloud,   cloud::get,            [404],            "Show the cloud's settings, secrets masked."),
    row!([Post], "/api/ftp/create_user",       ByRole,   Disk,     Ftp,     ftp::create_user,      [404, 409],       "Add an FTP user."),
    row!([Post], "/api/ftp/delete_user",       ByRole,   Transfer, Ftp,     ftp::delete_user,      [404],            "Remove an FTP user and close their sessions."),
    row!([Get],  "/api/ftp/get_users",         ByRole,   Quick,    Ftp,     ftp::get_users,        [],               "List the FTP users."),
    row!([Post], "/api/ftp/edit_user",         ByRole,   Disk,     Ftp,     ftp::edit_user,        [404],            "Change an FTP user."),
    row!([Post], "/api/ftp/start",             ByRole,   Transfer, Ftp,     ftp::start,            [],               "Start the FTP server, now and at every start."),
    row!([Post], "/api/ftp/stop",              ByRole,   Transfer, Ftp,     ftp::stop,             [],               "Stop the FTP server, for good."),
    row!([Get],  "/api/ftp/sessions",          ByRole,   Quick,    Ftp,     ftp::sessions,         [],               "List who is on by FTP, and what they do."),
    row!([Get],  "/",                          Public,   Quick,    Pages,   pages::index,          [],               "The file manager's page."),
    row!([Get],  "/auth",                      Public,   Quick,    Pages,   pages::login,          [],               "The sign-in page."),
    row!([Get],  "/preview",                   Public,   Quick,    Pages,   pages::preview,        [],               "The page that shows one file."),
    row!([Post], "/share",                     Public,   Quick,    Pages,   pages::share,          [],               "What is shared into the pages of a browser whose worker does not take it: leads back to them, and keeps nothing."),
    row!([Get],  "/ca",                        Public,   Transfer, Pages,   ca::page,              [404],            "The page that shows how a device is told to trust larder's own authority."),
    row!([Get],  "/ca.css",                    Public,   Transfer, Pages,   ca::style,             [404],            "The style of that page."),
    row!([Get],  "/ca.crt",                    Public,   Transfer, Pages,   ca::certificate,       [404],            "The certificate of larder's own authority."),
    row!([Get],  "/ca.mobileconfig",           Public,   Transfer, Pages,   ca::profile,           [404],            "The same as a profile for Apple's devices."),
    row!([Get],  "/web/",                      Public,   Quick,    Pages,   pages::asset,          [404],            "Scripts, styles and icons of the pages.").and_below(),
    row!([Get],  "/s/{token}",                 Public,   Quick,    Links,   guest::page,           [404],            "The page that whoever comes by a link sees, the same for all."),
    row!([Get],  "/s/{token}/info",            Knocking, Disk,     Links,   guest::info,           [404, 410],       "Tell what a link opens.").forbids(),
    row!([Post], "/s/{token}/open",            Knocking, Transfer, Links,   guest::open,           [404, 410],       "Open a link with its password, or tell who one is.").forbids().secret(),
    row!([Get],  "/s/{token}/list",            Access::Link, Disk, Links,   guest::list,           [404, 410],       "List a folder of a link.").acts_as(&["/api/finder"]),
    row!([Get],  "/s/{token}/download",        Access::Link, Disk, Links,   guest::download,       [404, 410, 412, 416, 429, 507], "Send a file, or a folder or a selection as a ZIP; honours Range.").acts_as(&["/api/download"]),
    row!([Get],  "/s/{token}/thumb",           Access::Link, Picture, Links, guest::thumb,         [404, 410, 429],  "Send a small picture of a file.").acts_as(&["/api/download"]),
    row!([Post], "/s/{token}/uploads",         Access::Link, Disk, Links,   guest_uploads::begin,  [404, 409, 410, 412, 415, 429, 507], "Begin an upload that can be gone on with (tus 1.0).").acts_as(&["/api/upload"]).worded(uploads::refusal),
    row!([Get],  "/s/{token}/uploads",         Access::Link, Disk, Links,   guest_uploads::list,   [404, 410, 412],  "List one's own uploads that wait to be gone on with.").acts_as(&["/api/upload"]).worded(uploads::refusal),
    row!([Options], "/s/{token}/uploads",      Public,   Quick,    Links,   uploads::tell,         [404],            "Tell what can be done with uploads (tus 1.0).").worded(uploads::refusal),
    row!([Patch], "/s/{token}/uploads/",       Access::Link, Disk, Links,   guest_uploads::go_on,  [404, 409, 410, 412, 415, 507], "Go on with an upload; its last byte puts the file in place.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal),
    row!([Head], "/s/{token}/uploads/",        Access::Link, Disk, Links,   guest_uploads::look,   [404, 410, 412, 507], "Tell how far an upload is.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal),
    row!([Delete], "/s/{token}/uploads/",      Access::Link, Disk, Links,   guest_uploads::remove, [404, 410, 412],  "Drop an upload.").and_below().acts_as(&["/api/upload"]).worded(uploads::refusal),
];

/// All that is answered over HTTP: the API, and `WebDAV`.
pub fn all() -> impl Iterator<Item = &'static Endpoint> {
    ENDPOINTS.iter().chain(dav::METHODS)
}

/// Whether narrowed keys may use what stands under this path.
pub fn is_open_to_keys(path: &str) -> bool {
    ENDPOINTS.iter().any(|row| row.path == path && row.is_open_to_keys)
}

/// The paths that `roles.json` decides about.
pub fn role_paths() -> Vec<&'static str> {
    let has_row =
        |row: &&Endpoint| row.has_own_row || row.access == ByRole && row.acts_as.is_empty();
    let mut paths: Vec<&str> = all().filter(has_row).map(|row| row.path).collect();
    paths.dedup();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::router;
    use crate::settings::Roles;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_unique() {
        let mut operations = BTreeSet::new();
        for row in ENDPOINTS {
            assert!(row.path.starts_with('/'), "{}", row.path);
            for name in row.methods.iter().flat_map(|method| method.names()) {
                assert!(operations.insert((row.path, *name)), "{name} {} twice", row.path);
            }
        }
    }

    /// Who acts as others can only be judged by others that the file decides about.
    #[test]
    fn what_is_acted_as_has_a_row_of_its_own() {
        let listed = role_paths();
        for row in ENDPOINTS.iter().filter(|row| !row.acts_as.is_empty()) {
            assert!(matches!(row.access, ByRole | Access::Link) && row.forbids, "{}", row.path);
            assert!(!listed.contains(&row.path), "{}", row.path);
            for other in row.acts_as {
                assert!(listed.contains(other), "{} acts as {other}", row.path);
            }
        }
    }

    #[test]
    fn all_that_is_acted_as_must_be_open() {
        let object = serde_json::json!({ "/a": ["ana", "eve"], "/b": ["ana"], "/both": ["eve"] });
        let roles = Roles::parse(object.as_object().unwrap()).unwrap();
        let row = || row!([Get], "/both", ByRole, Quick, Files, roles::mine, [], "");
        let both = row().acts_as(&["/a", "/b"]);
        let ana = |path: &str| roles.allow(path, "ana");
        let eve = |path: &str| roles.allow(path, "eve");
        assert!(both.is_open_to(ana));
        assert!(!both.is_open_to(eve), "a row of its own decides nothing");
        let own = row().forbids();
        assert!(own.is_open_to(eve) && !own.is_open_to(ana));
    }

    /// What a key may do is a visible change, too: those that deal with files and links, of sections 5, 11 and 13
    /// to 19.
    #[test]
    fn keys_are_let_into_these_and_no_others() {
        let open: BTreeSet<&str> =
            ENDPOINTS.iter().filter(|row| row.is_open_to_keys).map(|row| row.path).collect();
        assert_eq!(
            open.into_iter().collect::<Vec<_>>(),
            [
                "/api/copy",
                "/api/create_folder",
                "/api/delete",
                "/api/delete_file",
                "/api/delete_folder",
                "/api/download",
                "/api/download_ticket",
                "/api/edit_file",
                "/api/events",
                "/api/finder",
                "/api/get_file",
                "/api/jobs",
                "/api/jobs/cancel",
                "/api/link/create",
                "/api/link/delete",
                "/api/link/edit",
                "/api/link/get_all",
                "/api/link/qr",
                "/api/move",
                "/api/new_file",
                "/api/photos",
                "/api/photos/scan",
                "/api/rename_file",
                "/api/rename_folder",
                "/api/search",
                "/api/thumb",
                "/api/trash",
                "/api/trash/empty",
                "/api/trash/restore",
                "/api/upload",
                "/api/uploads",
                "/api/uploads/",
                "/metrics",
            ]
        );
        for row in ENDPOINTS.iter().filter(|row| row.is_open_to_keys) {
            assert!(row.access == ByRole && row.proofs.contains(&Proof::Key), "{}", row.path);
        }
    }

    /// Another way in is a visible change, too.
    #[test]
    fn who_is_let_in_brings_a_token_or_a_key_and_public_rows_look_at_neither() {
        for row in ENDPOINTS {
            let wanted: &[Proof] = match row.access {
                _ if row.path == "/api/user/signin_code" || row.path.starts_with("/api/key/") => {
                    &[Proof::Bearer]
                }
                SignedIn if row.path == "/api/user/renew" => &[Proof::Lasting],
                SignedIn if row.path == "/api/user/totp" => &[Proof::Bearer],
                Public => &[],
                SignedIn | ByRole => &[Proof::Bearer, Proof::Key, Proof::Cookie],
                Access::Link | Knocking => &[Proof::Link],
            };
            let is_by_link = row.path.starts_with(router::LINKS);
            assert_eq!(is_by_link && row.access != Public, wanted == [Proof::Link], "{}", row.path);
            assert_eq!(row.proofs, wanted, "{}", row.path);
        }
    }

    /// Opening a door is a visible change: this list and the table must both be edited.
    #[test]
    fn these_and_no_others_are_open() {
        let open =
            |access| ENDPOINTS.iter().filter(move |row| row.access == access).map(|row| row.path);
        assert_eq!(
            open(Public).collect::<Vec<_>>(),
            [
                "/api/is_up",
                "/api/uploads",
                "/api/user/login",
                "/",
                "/auth",
                "/preview",
                "/share",
                "/ca",
                "/ca.css",
                "/ca.crt",
                "/ca.mobileconfig",
                "/web/",
                "/s/{token}",
                "/s/{token}/uploads"
            ]
        );
        assert_eq!(open(Knocking).collect::<Vec<_>>(), ["/s/{token}/info", "/s/{token}/open"]);
        assert_eq!(
            open(SignedIn).collect::<Vec<_>>(),
            [
                "/api/user/logout",
                "/api/user/renew",
                "/api/user/sessions",
                "/api/user/end_session",
                "/api/user/totp",
                "/api/user/get_self",
                "/api/user/edit_self",
                "/api/key/create",
                "/api/key/get_all",
                "/api/key/delete",
                "/api/explain",
                "/api/role/self"
            ]
        );
    }
}
