//! Everything larder answers over HTTP. Each endpoint is declared once, here; the router, `Allow`,
//! `HEAD`, the default roles and the tests follow from this table.

use crate::error::Result;
use crate::http::body::Field;
use crate::http::call::Call;
use crate::http::handlers::{
    cloud, console, download, events, files, folders, ftp, jobs, logs, pages, roles, settings,
    system, transfers, trash, upload, users,
};
use crate::http::reply::Reply;

use Access::{ByRole, Public, SignedIn};
use Lane::{Quick, Transfer};
use Method::{Get, Post};

/// One row of the table.
pub struct Endpoint {
    /// `Get` also answers `HEAD`.
    pub method: Method,
    /// The whole path, or its beginning when `is_prefix`.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Which threads work on it.
    pub lane: Lane,
    /// What answers.
    pub handler: fn(&mut Call<'_>) -> Result<Reply>,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// The fields of its JSON body that it knows.
    pub fields: &'static [Field],
    /// Whether everything below `path` belongs to it.
    pub is_prefix: bool,
}

/// The methods that endpoints are declared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Reads; `HEAD` comes with it.
    Get,
    /// Changes.
    Post,
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

/// Which threads work on a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The few workers: never waits for a client, a hash or a disk's sync.
    Quick,
    /// The connection's own thread, in a bounded number.
    Transfer,
}

/// A row.
const fn endpoint(
    method: Method,
    path: &'static str,
    access: Access,
    lane: Lane,
    handler: fn(&mut Call<'_>) -> Result<Reply>,
    purpose: &'static str,
) -> Endpoint {
    Endpoint { method, path, access, lane, handler, purpose, fields: &[], is_prefix: false }
}

impl Endpoint {
    /// Names the fields of the JSON body.
    const fn takes(mut self, fields: &'static [Field]) -> Self {
        self.fields = fields;
        self
    }

    /// Everything below the path belongs to it too.
    const fn and_below(mut self) -> Self {
        self.is_prefix = true;
        self
    }
}

/// The table. The order is the order of the manual.
#[rustfmt::skip]
pub static ENDPOINTS: &[Endpoint] = &[
    //       method path                      who may   lane      handler               what it is for
    endpoint(Get,  "/api/is_up",              Public,   Quick,    system::is_up,        "Say that the server is up."),
    endpoint(Post, "/api/shutdown",           ByRole,   Transfer, system::shut_down,    "Power the machine off."),
    endpoint(Post, "/api/restart",            ByRole,   Transfer, system::restart,      "Restart the machine."),
    endpoint(Get,  "/api/finder",             ByRole,   Quick,    folders::list,        "List one folder."),
    endpoint(Post, "/api/new_file",           ByRole,   Transfer, files::create,        "Create a text file; never overwrites.").takes(files::CREATE),
    endpoint(Post, "/api/edit_file",          ByRole,   Transfer, files::edit,          "Replace a file's content.").takes(files::EDIT),
    endpoint(Post, "/api/delete_file",        ByRole,   Transfer, files::delete,        "Delete a file, into the trash.").takes(files::DELETE),
    endpoint(Get,  "/api/get_file",           ByRole,   Quick,    files::content,       "Get a file's content inside JSON."),
    endpoint(Post, "/api/rename_file",        ByRole,   Transfer, files::rename,        "Rename a file; never overwrites.").takes(files::RENAME),
    endpoint(Post, "/api/upload",             ByRole,   Transfer, upload::receive,      "Store one or more files."),
    endpoint(Get,  "/api/download",           ByRole,   Quick,    download::send,       "Send a file, or a folder as a ZIP; honours Range."),
    endpoint(Post, "/api/create_folder",      ByRole,   Transfer, folders::create,      "Create a folder.").takes(folders::CREATE),
    endpoint(Post, "/api/delete_folder",      ByRole,   Transfer, folders::delete,      "Delete a folder with all that is in it, into the trash.").takes(folders::DELETE),
    endpoint(Post, "/api/rename_folder",      ByRole,   Transfer, folders::rename,      "Rename a folder; never overwrites.").takes(folders::RENAME),
    endpoint(Post, "/api/move",               ByRole,   Transfer, transfers::relocate,  "Move files and folders into a folder.").takes(transfers::FIELDS),
    endpoint(Post, "/api/copy",               ByRole,   Transfer, transfers::copy,      "Copy files and folders into a folder.").takes(transfers::FIELDS),
    endpoint(Get,  "/api/jobs",               ByRole,   Quick,    jobs::list,           "List work that goes on, and the last that ended."),
    endpoint(Post, "/api/jobs/cancel",        ByRole,   Quick,    jobs::cancel,         "Call a job off.").takes(jobs::CANCEL),
    endpoint(Get,  "/api/trash",              ByRole,   Transfer, trash::list,          "List what was deleted or replaced."),
    endpoint(Post, "/api/trash/restore",      ByRole,   Transfer, trash::restore,       "Put things back where they were.").takes(trash::RESTORE),
    endpoint(Post, "/api/trash/empty",        ByRole,   Transfer, trash::empty,         "Remove things from the trash for good.").takes(trash::EMPTY),
    endpoint(Post, "/api/update",             ByRole,   Transfer, system::update,       "Look for a newer larder, check it, and become it.").takes(system::UPDATE),
    endpoint(Get,  "/api/events",             ByRole,   Quick,    events::follow,       "Follow changes as they happen (Server-Sent Events)."),
    endpoint(Post, "/api/command",            ByRole,   Transfer, console::run,         "Run a command of a shell on the machine.").takes(console::RUN),
    endpoint(Get,  "/api/resources",          ByRole,   Quick,    system::resources,    "Tell how busy the machine is."),
    endpoint(Get,  "/api/get_logs",           ByRole,   Transfer, logs::list,           "Page through the log, newest first."),
    endpoint(Get,  "/api/get_settings",       ByRole,   Quick,    settings::get,        "Get all settings; secrets are masked."),
    endpoint(Post, "/api/update_settings",    ByRole,   Transfer, settings::update,     "Change settings; they apply at once."),
    endpoint(Get,  "/api/get_version",        ByRole,   Quick,    system::version,      "Tell which version this is."),
    endpoint(Post, "/update_start_exit_program", ByRole, Transfer, system::exit,        "Stop larder, as before an update."),
    endpoint(Post, "/api/user/login",         Public,   Transfer, users::login,         "Sign in with name and password.").takes(users::LOGIN),
    endpoint(Post, "/api/user/logout",        SignedIn, Transfer, users::logout,        "End this session, or all of one's own.").takes(users::LOGOUT),
    endpoint(Get,  "/api/user/get_self",      SignedIn, Quick,    users::get_self,      "Tell the caller who they are."),
    endpoint(Post, "/api/user/edit_self",     SignedIn, Transfer, users::edit_self,     "Change one's own name, password, key or texts.").takes(users::EDIT_SELF),
    endpoint(Get,  "/api/user/get_all",       ByRole,   Quick,    users::get_all,       "List all users."),
    endpoint(Post, "/api/user/create",        ByRole,   Transfer, users::create,        "Add a user; shows their API key once.").takes(users::CREATE),
    endpoint(Post, "/api/user/edit",          ByRole,   Transfer, users::edit,          "Change a user.").takes(users::EDIT),
    endpoint(Post, "/api/user/delete",        ByRole,   Transfer, users::delete,        "Delete a user, and their role when nobody else has it.").takes(users::DELETE),
    endpoint(Get,  "/api/role/get",           ByRole,   Quick,    roles::get,           "Tell which role may use which endpoint."),
    endpoint(Post, "/api/role/edit",          ByRole,   Transfer, roles::edit,          "Decide which role may use which endpoint."),
    endpoint(Get,  "/api/role/self",          SignedIn, Quick,    roles::mine,          "List what the caller may use."),
    endpoint(Post, "/api/cloud/manage",       ByRole,   Transfer, cloud::manage,        "Enable the cloud, forget its account, or sign up.").takes(cloud::MANAGE),
    endpoint(Get,  "/api/cloud/get",          ByRole,   Quick,    cloud::get,           "Show the cloud's settings, secrets masked."),
    endpoint(Post, "/api/ftp/create_user",    ByRole,   Transfer, ftp::create_user,     "Add an FTP user.").takes(ftp::USER),
    endpoint(Post, "/api/ftp/delete_user",    ByRole,   Transfer, ftp::delete_user,     "Remove an FTP user and close their sessions.").takes(ftp::DELETE),
    endpoint(Get,  "/api/ftp/get_users",      ByRole,   Quick,    ftp::get_users,       "List the FTP users."),
    endpoint(Post, "/api/ftp/edit_user",      ByRole,   Transfer, ftp::edit_user,       "Change an FTP user.").takes(ftp::USER),
    endpoint(Post, "/api/ftp/start",          ByRole,   Transfer, ftp::start,           "Start the FTP server, now and at every start."),
    endpoint(Post, "/api/ftp/stop",           ByRole,   Transfer, ftp::stop,            "Stop the FTP server, for good."),
    endpoint(Get,  "/api/ftp/sessions",       ByRole,   Quick,    ftp::sessions,        "List who is on by FTP, and what they do."),
    endpoint(Get,  "/",                       Public,   Quick,    pages::index,         "The file manager's page."),
    endpoint(Get,  "/auth",                   Public,   Quick,    pages::login,         "The sign-in page."),
    endpoint(Get,  "/preview",                Public,   Quick,    pages::preview,       "The page that shows one file."),
    endpoint(Get,  "/web/",                   Public,   Quick,    pages::asset,         "Scripts, styles and icons of the pages.").and_below(),
];

/// The paths that `roles.json` decides about.
pub fn role_paths() -> Vec<&'static str> {
    ENDPOINTS.iter().filter(|row| row.access == ByRole).map(|row| row.path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_unique_and_well_described() {
        let paths: BTreeSet<_> = ENDPOINTS.iter().map(|row| row.path).collect();
        assert_eq!(paths.len(), ENDPOINTS.len());
        for row in ENDPOINTS {
            assert!(row.purpose.ends_with('.') && row.purpose.len() > 10, "{}", row.path);
            assert!(row.path.starts_with('/'), "{}", row.path);
            assert!(row.method == Post || row.fields.is_empty(), "{}", row.path);
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
