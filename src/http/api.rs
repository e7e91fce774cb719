//! Everything larder answers over HTTP. Each endpoint is declared once, here; the router, `Allow`,
//! `HEAD`, the default roles and the tests follow from this table.

use crate::auth::caller::Caller;
use crate::error::{Error, Result};
use crate::http::body::Field;
use crate::http::call::Call;
use crate::http::handlers::{
    cloud, console, deletion, download, events, files, folders, ftp, jobs, logs, pages, roles,
    settings, system, transfers, trash, upload, users,
};
use crate::http::problem;
use crate::http::reply::Reply;
use crate::settings::Roles;

use Access::{ByRole, Public, SignedIn};
use Lane::{Disk, Quick, Transfer};
use Method::{Get, Post};

/// One row of the table. Several rows may share a path, as long as no two have a method in common.
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
    /// What answers.
    pub handler: fn(&mut Call<'_>) -> Result<Reply>,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// The fields of its JSON body that it knows.
    pub fields: &'static [Field],
    /// Whether everything below `path` belongs to it; the handler hears of it by `Call::rest`.
    pub is_prefix: bool,
    /// How its door words what it refuses; the same for all rows of a path.
    pub dictionary: Dictionary,
    /// The endpoints that it acts as: whoever may use all of them may use it, so that it has no row in
    /// `roles.json` (second contract, section 13). Empty for one that has a row of its own.
    pub acts_as: &'static [&'static str],
    /// Whether long answers may be compressed. Not where they hold a secret beside what a caller sends: their
    /// length would tell of it.
    pub compresses: bool,
    /// Whether somebody who is known and may not hears 403; the endpoints of the first contract say 401.
    pub forbids: bool,
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
}

impl Method {
    /// As requests and `Allow` name it, with what comes with it.
    pub const fn names(self) -> &'static [&'static str] {
        match self {
            Self::Get => &["GET", "HEAD"],
            Self::Post => &["POST"],
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
}

/// What a request can bring to say whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A session's token, in `Authorization`.
    Bearer,
    /// An API key, in `X-API-KEY`.
    Key,
    /// A session's token, in the cookie: for what changes nothing, whatever the endpoint is.
    Cookie,
}

/// What an endpoint takes unless it says otherwise, in the order in which it is looked for (contract, section 3).
const ANY_PROOF: &[Proof] = &[Proof::Bearer, Proof::Key, Proof::Cookie];

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
}

/// A row.
pub const fn endpoint(
    methods: &'static [Method],
    path: &'static str,
    access: Access,
    lane: Lane,
    handler: fn(&mut Call<'_>) -> Result<Reply>,
    purpose: &'static str,
) -> Endpoint {
    Endpoint {
        methods,
        path,
        access,
        proofs: if matches!(access, Public) { &[] } else { ANY_PROOF },
        lane,
        handler,
        purpose,
        fields: &[],
        is_prefix: false,
        dictionary: problem::reply,
        acts_as: &[],
        compresses: true,
        forbids: false,
    }
}

impl Endpoint {
    /// Names the fields of the JSON body.
    const fn takes(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }

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

    /// Answers with secrets.
    const fn secret(mut self) -> Self {
        self.compresses = false;
        self
    }

    /// Whether all that it answers to changes nothing.
    pub fn only_reads(&self) -> bool {
        self.methods.iter().all(|method| *method == Get)
    }

    /// Whether it answers to the method of a request.
    pub fn takes_method(&self, name: &str) -> bool {
        self.methods.iter().any(|method| method.names().contains(&name))
    }

    /// Whether somebody may use it, once they have signed in, who may use what `may` says.
    pub fn is_open_to(&self, may: impl Fn(&str) -> bool) -> bool {
        match (self.access, self.acts_as) {
            (Access::Public | Access::SignedIn, _) => true,
            (Access::ByRole, []) => may(self.path),
            (Access::ByRole, others) => others.iter().all(|path| may(path)),
        }
    }
}

/// The table. The order is the order of the manual.
#[rustfmt::skip]
pub static ENDPOINTS: &[Endpoint] = &[
    //       methods path                     who may   lane      handler               what it is for
    endpoint(&[Get],  "/api/is_up",              Public,   Quick,    system::is_up,        "Say that the server is up."),
    endpoint(&[Post], "/api/shutdown",           ByRole,   Transfer, system::shut_down,    "Power the machine off."),
    endpoint(&[Post], "/api/restart",            ByRole,   Transfer, system::restart,      "Restart the machine."),
    endpoint(&[Get],  "/api/finder",             ByRole,   Disk,     folders::list,        "List one folder."),
    endpoint(&[Post], "/api/new_file",           ByRole,   Disk,     files::create,        "Create a text file; never overwrites.").takes(files::CREATE),
    endpoint(&[Post], "/api/edit_file",          ByRole,   Disk,     files::edit,          "Replace a file's content.").takes(files::EDIT),
    endpoint(&[Post], "/api/delete_file",        ByRole,   Disk,     files::delete,        "Delete a file, into the trash.").takes(files::DELETE),
    endpoint(&[Get],  "/api/get_file",           ByRole,   Disk,     files::content,       "Get a file's content inside JSON."),
    endpoint(&[Post], "/api/rename_file",        ByRole,   Disk,     files::rename,        "Rename a file; never overwrites.").takes(files::RENAME),
    endpoint(&[Post], "/api/upload",             ByRole,   Disk,     upload::receive,      "Store one or more files."),
    endpoint(&[Get],  "/api/download",           ByRole,   Disk,     download::send,       "Send a file, or a folder as a ZIP; honours Range."),
    endpoint(&[Post], "/api/download_ticket",    ByRole,   Disk,     download::make_ticket, "Remember a selection of any size, to be downloaded by a short address.").takes(download::TICKET).acts_as(&["/api/download"]),
    endpoint(&[Post], "/api/create_folder",      ByRole,   Disk,     folders::create,      "Create a folder.").takes(folders::CREATE),
    endpoint(&[Post], "/api/delete_folder",      ByRole,   Disk,     folders::delete,      "Delete a folder with all that is in it, into the trash.").takes(folders::DELETE),
    endpoint(&[Post], "/api/delete",             ByRole,   Disk,     deletion::delete,     "Delete several files and folders, all of them or none.").takes(deletion::FIELDS).acts_as(&["/api/delete_file", "/api/delete_folder"]),
    endpoint(&[Post], "/api/rename_folder",      ByRole,   Disk,     folders::rename,      "Rename a folder; never overwrites.").takes(folders::RENAME),
    endpoint(&[Post], "/api/move",               ByRole,   Disk,     transfers::relocate,  "Move files and folders into a folder.").takes(transfers::FIELDS),
    endpoint(&[Post], "/api/copy",               ByRole,   Disk,     transfers::copy,      "Copy files and folders into a folder.").takes(transfers::FIELDS),
    endpoint(&[Get],  "/api/jobs",               ByRole,   Quick,    jobs::list,           "List work that goes on, and the last that ended."),
    endpoint(&[Post], "/api/jobs/cancel",        ByRole,   Quick,    jobs::cancel,         "Call a job off.").takes(jobs::CANCEL),
    endpoint(&[Get],  "/api/trash",              ByRole,   Disk,     trash::list,          "List what was deleted or replaced."),
    endpoint(&[Post], "/api/trash/restore",      ByRole,   Disk,     trash::restore,       "Put things back where they were.").takes(trash::RESTORE),
    endpoint(&[Post], "/api/trash/empty",        ByRole,   Disk,     trash::empty,         "Remove things from the trash for good.").takes(trash::EMPTY),
    endpoint(&[Post], "/api/update",             ByRole,   Transfer, system::update,       "Look for a newer larder, check it, and become it.").takes(system::UPDATE),
    endpoint(&[Get],  "/api/events",             ByRole,   Disk,     events::follow,       "Follow changes as they happen (Server-Sent Events)."),
    endpoint(&[Post], "/api/command",            ByRole,   Disk,     console::run,         "Run a command of a shell on the machine.").takes(console::RUN),
    endpoint(&[Get],  "/api/resources",          ByRole,   Quick,    system::resources,    "Tell how busy the machine is."),
    endpoint(&[Get],  "/api/get_logs",           ByRole,   Transfer, logs::list,           "Page through the log, newest first."),
    endpoint(&[Get],  "/api/get_settings",       ByRole,   Quick,    settings::get,        "Get all settings; secrets are masked."),
    endpoint(&[Post], "/api/update_settings",    ByRole,   Transfer, settings::update,     "Change settings; they apply at once."),
    endpoint(&[Get],  "/api/get_version",        ByRole,   Quick,    system::version,      "Tell which version this is."),
    endpoint(&[Post], "/update_start_exit_program", ByRole, Transfer, system::exit,        "Stop larder, as before an update."),
    endpoint(&[Post], "/api/user/login",         Public,   Transfer, users::login,         "Sign in with name and password.").takes(users::LOGIN).secret(),
    endpoint(&[Post], "/api/user/logout",        SignedIn, Transfer, users::logout,        "End this session, or all of one's own.").takes(users::LOGOUT),
    endpoint(&[Get],  "/api/user/get_self",      SignedIn, Quick,    users::get_self,      "Tell the caller who they are."),
    endpoint(&[Post], "/api/user/edit_self",     SignedIn, Transfer, users::edit_self,     "Change one's own name, password, key or texts.").takes(users::EDIT_SELF).secret(),
    endpoint(&[Get],  "/api/user/get_all",       ByRole,   Quick,    users::get_all,       "List all users."),
    endpoint(&[Post], "/api/user/create",        ByRole,   Transfer, users::create,        "Add a user; shows their API key once.").takes(users::CREATE).secret(),
    endpoint(&[Post], "/api/user/edit",          ByRole,   Transfer, users::edit,          "Change a user.").takes(users::EDIT),
    endpoint(&[Post], "/api/user/delete",        ByRole,   Transfer, users::delete,        "Delete a user, and their role when nobody else has it.").takes(users::DELETE),
    endpoint(&[Get],  "/api/role/get",           ByRole,   Quick,    roles::get,           "Tell which role may use which endpoint."),
    endpoint(&[Post], "/api/role/edit",          ByRole,   Transfer, roles::edit,          "Decide which role may use which endpoint."),
    endpoint(&[Get],  "/api/role/self",          SignedIn, Quick,    roles::mine,          "List what the caller may use."),
    endpoint(&[Post], "/api/cloud/manage",       ByRole,   Transfer, cloud::manage,        "Enable the cloud, forget its account, or sign up.").takes(cloud::MANAGE),
    endpoint(&[Get],  "/api/cloud/get",          ByRole,   Quick,    cloud::get,           "Show the cloud's settings, secrets masked."),
    endpoint(&[Post], "/api/ftp/create_user",    ByRole,   Disk,     ftp::create_user,     "Add an FTP user.").takes(ftp::USER),
    endpoint(&[Post], "/api/ftp/delete_user",    ByRole,   Transfer, ftp::delete_user,     "Remove an FTP user and close their sessions.").takes(ftp::DELETE),
    endpoint(&[Get],  "/api/ftp/get_users",      ByRole,   Quick,    ftp::get_users,       "List the FTP users."),
    endpoint(&[Post], "/api/ftp/edit_user",      ByRole,   Disk,     ftp::edit_user,       "Change an FTP user.").takes(ftp::USER),
    endpoint(&[Post], "/api/ftp/start",          ByRole,   Transfer, ftp::start,           "Start the FTP server, now and at every start."),
    endpoint(&[Post], "/api/ftp/stop",           ByRole,   Transfer, ftp::stop,            "Stop the FTP server, for good."),
    endpoint(&[Get],  "/api/ftp/sessions",       ByRole,   Quick,    ftp::sessions,        "List who is on by FTP, and what they do."),
    endpoint(&[Get],  "/",                       Public,   Quick,    pages::index,         "The file manager's page."),
    endpoint(&[Get],  "/auth",                   Public,   Quick,    pages::login,         "The sign-in page."),
    endpoint(&[Get],  "/preview",                Public,   Quick,    pages::preview,       "The page that shows one file."),
    endpoint(&[Get],  "/web/",                   Public,   Quick,    pages::asset,         "Scripts, styles and icons of the pages.").and_below(),
];

/// The paths that `roles.json` decides about.
pub fn role_paths() -> Vec<&'static str> {
    let has_row = |row: &&Endpoint| row.access == ByRole && row.acts_as.is_empty();
    ENDPOINTS.iter().filter(has_row).map(|row| row.path).collect()
}

/// Each endpoint that `role/self` tells, and whether this caller may use it: what stands in `roles.json`, and
/// whatever else the second contract has for those who have signed in.
pub fn rights_of<'a>(
    caller: &'a Caller,
    roles: &'a Roles,
) -> impl Iterator<Item = (&'a str, bool)> {
    let may = |path: &str| caller.may(path, roles);
    let of_table = || ENDPOINTS.iter().filter(|row| row.forbids && row.access != Public);
    // A row of that name in the file, by a newer larder or by hand, decides nothing.
    let is_of_file = move |path: &str| of_table().all(|row| row.path != path);
    let of_file = roles.paths().filter(move |path| is_of_file(path));
    of_file
        .map(move |path| (path, may(path)))
        .chain(of_table().map(move |row| (row.path, row.is_open_to(may))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_unique_and_well_described() {
        let mut operations = BTreeSet::new();
        for row in ENDPOINTS {
            assert!(row.purpose.ends_with('.') && row.purpose.len() > 10, "{}", row.path);
            assert!(row.path.starts_with('/'), "{}", row.path);
            assert!(!row.only_reads() || row.fields.is_empty(), "{}", row.path);
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
            assert!(row.access == ByRole && row.forbids, "{}", row.path);
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
        let handler = |_: &mut Call<'_>| Err(Error::Refused);
        let both = endpoint(&[Get], "/both", ByRole, Quick, handler, "").acts_as(&["/a", "/b"]);
        let ana = |path: &str| roles.allow(path, "ana");
        let eve = |path: &str| roles.allow(path, "eve");
        assert!(both.is_open_to(ana));
        assert!(!both.is_open_to(eve), "a row of its own decides nothing");
        let own = endpoint(&[Get], "/both", ByRole, Quick, handler, "").forbids();
        assert!(own.is_open_to(eve) && !own.is_open_to(ana));
    }

    /// Another way in is a visible change, too.
    #[test]
    fn who_is_let_in_brings_a_token_or_a_key_and_public_rows_look_at_neither() {
        for row in ENDPOINTS {
            let wanted: &[Proof] = match row.access {
                Public => &[],
                SignedIn | ByRole => &[Proof::Bearer, Proof::Key, Proof::Cookie],
            };
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
            ["/api/is_up", "/api/user/login", "/", "/auth", "/preview", "/web/"]
        );
        assert_eq!(
            open(SignedIn).collect::<Vec<_>>(),
            ["/api/user/logout", "/api/user/get_self", "/api/user/edit_self", "/api/role/self"]
        );
    }
}
