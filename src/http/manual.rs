//! What the manual says of each endpoint beyond its row: what its query and body hold, what it answers,
//! how it refuses. One line for each endpoint; `openapi.rs` prints it, and the tests hold the two together.

/// What the manual says of one endpoint.
pub struct Doc {
    /// The row's path.
    pub path: &'static str,
    /// The parameters of its query.
    pub query: &'static [Parameter],
    /// Its body.
    pub ask: Ask,
    /// A field of the row that takes only these words.
    pub words: Option<(&'static str, &'static [&'static str])>,
    /// Its good answers by status.
    pub answers: &'static [(u16, Answer)],
    /// Its refusals besides those that every endpoint of its kind has (`openapi::refusals`).
    pub refusals: &'static [u16],
}

/// The body of a question.
pub enum Ask {
    /// The fields of the row, if it has any; these must be there.
    Fields(&'static [&'static str]),
    /// JSON of this shape.
    Json(Schema),
    /// `multipart/form-data` of this shape.
    Form(Schema),
}

/// A good answer.
pub enum Answer {
    /// JSON.
    Json(Schema),
    /// Another media type, and what it is.
    Media(&'static str, &'static str),
    /// No body; and what that means.
    Bare(&'static str),
}

/// A parameter of a query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// What it must be.
    pub schema: Schema,
    /// Whether it must be there.
    pub is_required: bool,
}

/// The shape of a piece of JSON.
pub enum Schema {
    /// Any text.
    Text,
    /// A file's bytes.
    File,
    /// This text.
    Sentence(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// RFC 3339.
    Time,
    /// A whole number.
    Integer,
    /// A whole number from one to the other.
    Between(i64, i64),
    /// `true` or `false`.
    Flag,
    /// Anything.
    Anything,
    /// An array of these.
    List(&'static Schema),
    /// An object with any keys, whose values are these.
    Map(&'static Schema),
    /// One of these.
    Either(&'static [Schema]),
    /// An object with at least these keys.
    Object(&'static [Property]),
}

/// A key of an object.
pub struct Property {
    /// The key.
    pub name: &'static str,
    /// Its value.
    pub schema: Schema,
    /// Whether it is always there.
    pub is_required: bool,
}

/// A key that is always there.
const fn has(name: &'static str, schema: Schema) -> Property {
    Property { name, schema, is_required: true }
}

/// A key that may be there.
const fn may_have(name: &'static str, schema: Schema) -> Property {
    Property { name, schema, is_required: false }
}

/// A parameter that must be there.
const fn needs(name: &'static str, schema: Schema, purpose: &'static str) -> Parameter {
    Parameter { name, purpose, schema, is_required: true }
}

/// A parameter that may be there.
const fn takes(name: &'static str, schema: Schema, purpose: &'static str) -> Parameter {
    Parameter { name, purpose, schema, is_required: false }
}

/// An endpoint that answers 200 with JSON.
const fn doc(path: &'static str, answers: &'static [(u16, Answer)]) -> Doc {
    Doc { path, query: &[], ask: Ask::Fields(&[]), words: None, answers, refusals: &[] }
}

impl Doc {
    /// With a query.
    const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// With fields that must be there.
    const fn needs(mut self, names: &'static [&'static str]) -> Self {
        self.ask = Ask::Fields(names);
        self
    }

    /// With a field that takes only these words.
    const fn words(mut self, name: &'static str, words: &'static [&'static str]) -> Self {
        self.words = Some((name, words));
        self
    }

    /// With another body than the row's fields.
    const fn asks(mut self, ask: Ask) -> Self {
        self.ask = ask;
        self
    }

    /// With refusals of its own.
    const fn refuses(mut self, statuses: &'static [u16]) -> Self {
        self.refusals = statuses;
        self
    }
}

/// What is said of a path, and in which group.
pub fn of(path: &str) -> Option<(&'static str, &'static Doc)> {
    GROUPS.iter().find_map(|(group, docs)| {
        docs.iter().find(|doc| doc.path == path).map(|found| (*group, found))
    })
}

use crate::http::problem;

use Answer::{Bare, Json, Media};
use Schema::{
    Anything, Between, Either, File, Flag, Integer, List, Map, Object, OneOf, Sentence, Text, Time,
};

/// How every refusal looks.
pub const ERROR: Schema = Object(&[
    has("error", Text),
    has("code", OneOf(problem::CODES)),
    may_have("details", Text),
    may_have("failed", List(&Text)),
]);

/// `{"status": ...}`.
macro_rules! status {
    ($sentence:literal $(, $property:expr)* $(,)?) => {
        &[(200, Json(Object(&[has("status", Sentence($sentence)) $(, $property)*])))]
    };
}

/// JSON of any other shape.
macro_rules! json {
    ($schema:expr) => {
        &[(200, Json($schema))]
    };
}

/// A page or an asset, which a client may have already.
const PAGE: &[(u16, Answer)] =
    &[(200, Media("*/*", "The page.")), (304, Bare("The client has it already."))];

/// One of the finder's entries.
const ENTRY: Schema = Object(&[
    has("name", Text),
    may_have("raw", Flag),
    has("type", OneOf(&["file", "folder", "other"])),
    has("size", Integer),
    has("modified", Time),
    has("mime", Text),
    has("writable", Flag),
]);

/// A user as others see them.
const USER: Schema = Object(&[
    has("id", Integer),
    has("username", Text),
    has("password", Sentence("")),
    has("name", Text),
    has("ip", Text),
    has("last_seen", Text),
    has("last_agent", Text),
    has("role", Text),
    has("ftp_users", Text),
    has("paths", Text),
    has("settings", Text),
    has("API_KEY", Text),
    has("paths_write", Text),
]);

/// Something in the trash.
const TRASHED: Schema = Object(&[
    has("id", Text),
    has("path", Text),
    has("name", Text),
    has("type", OneOf(&["file", "folder", "other"])),
    has("size", Integer),
    has("deleted", Time),
    has("by", Text),
    has("reason", OneOf(&["deleted", "replaced"])),
]);

/// A job.
const JOB: Schema = Object(&[
    has("id", Text),
    has("kind", Text),
    has("state", OneOf(&["running", "done", "failed", "cancelled"])),
    has("done_bytes", Integer),
    has("total_bytes", Integer),
    has("done_items", Integer),
    has("total_items", Integer),
    may_have("error", Text),
    may_have("code", OneOf(problem::CODES)),
    may_have("failed", List(&Text)),
    has("trash", List(&Text)),
]);

/// What was done at once, with the ids of what went into the trash, or began as a job.
macro_rules! deleted {
    ($sentence:literal $(, $property:expr)* $(,)?) => {
        &[(200, Json(Either(&[
            Object(&[
                has("status", Sentence($sentence)),
                has("trash", List(&Text))
                $(, $property)*
            ]),
            Object(&[has("status", Sentence("Started")), has("job", Text)]),
        ])))]
    };
}

/// The endpoints, in groups; the order is that of the table.
pub static GROUPS: &[(&str, &[Doc])] = &[
    ("Files and folders", FILES),
    ("People and roles", PEOPLE),
    ("System", SYSTEM),
    ("FTP", FTP),
    ("Cloud", CLOUD),
    ("Pages", PAGES),
];

/// Contract, sections 5 and 11.
const FILES: &[Doc] = &[
    doc(
        "/api/finder",
        json!(Object(&[has("items", List(&Text)), may_have("entries", List(&ENTRY))])),
    )
    .query(&[
        takes("path", Text, "The folder; the share root if left out."),
        takes("details", Text, "Whether to say what each name is (anything but `0`)."),
    ])
    .refuses(&[404]),
    doc("/api/new_file", status!("File created", has("path", Text)))
        .needs(&["file_name", "file_content"])
        .refuses(&[404, 409, 507]),
    doc("/api/edit_file", status!("File edited", has("path", Text), has("trash", List(&Text))))
        .needs(&["path"])
        .refuses(&[404, 409, 507]),
    doc("/api/delete_file", deleted!("File deleted", may_have("permanent", Flag)))
        .needs(&["path"])
        .refuses(&[404, 409, 507]),
    doc(
        "/api/get_file",
        json!(Object(&[
            has("status", Sentence("File content retrieved")),
            has("content", Text),
            has("type", OneOf(&["text", "binary"])),
        ])),
    )
    .query(&[needs("file_path", Text, "The file.")])
    .refuses(&[404]),
    doc("/api/rename_file", status!("File renamed", has("path", Text)))
        .needs(&["file_name", "new_name", "path"])
        .refuses(&[404, 409, 507]),
    doc(
        "/api/upload",
        status!(
            "File uploaded",
            has("files", List(&Object(&[has("path", Text), has("size", Integer)]))),
            has("trash", List(&Text)),
        ),
    )
    .asks(Ask::Form(Object(&[
        has("file", List(&File)),
        may_have("path", Text),
        may_have("if_exists", OneOf(&["overwrite", "rename", "error"])),
        may_have("modified", Text),
    ])))
    .refuses(&[404, 409, 507]),
    doc(
        "/api/download",
        &[
            (200, Media("*/*", "The file, or a ZIP of the folder or of several.")),
            (206, Media("*/*", "The ranges that were asked for.")),
            (304, Bare("The client has it already.")),
        ],
    )
    .query(&[
        takes(
            "file_path",
            List(&Text),
            "A file or folder; several become one ZIP. Needed without a ticket.",
        ),
        takes("ticket", Text, "A ticket of `/api/download_ticket`, in place of paths."),
        takes("inline", Text, "Whether to show it rather than save it (anything but `0`)."),
    ])
    .refuses(&[404, 416, 429, 507]),
    doc("/api/download_ticket", status!("Ticket made", has("url", Text)))
        .needs(&["paths"])
        .refuses(&[429]),
    doc("/api/create_folder", status!("Folder created", has("path", Text)))
        .needs(&["folder_name"])
        .refuses(&[404, 409, 507]),
    doc("/api/delete_folder", deleted!("Folder deleted", may_have("permanent", Flag)))
        .needs(&["path"])
        .refuses(&[404, 409, 507]),
    doc("/api/delete", deleted!("Deleted", has("permanent", Flag)))
        .needs(&["paths"])
        .refuses(&[404, 409, 507]),
    doc("/api/rename_folder", status!("Folder renamed", has("path", Text)))
        .needs(&["folder_name", "new_name"])
        .refuses(&[404, 409, 507]),
    doc("/api/move", deleted!("Moved", has("paths", List(&Text))))
        .needs(&["paths", "to"])
        .refuses(&[404, 409, 507]),
    doc("/api/copy", deleted!("Copied", has("paths", List(&Text))))
        .needs(&["paths", "to"])
        .refuses(&[404, 409, 507]),
    doc("/api/jobs", json!(List(&JOB))),
    doc("/api/jobs/cancel", status!("Cancelled")).needs(&["id"]).refuses(&[404]),
    doc("/api/trash", json!(List(&TRASHED))),
    doc("/api/trash/restore", status!("Restored", has("paths", List(&Text))))
        .needs(&["ids"])
        .refuses(&[404, 409, 507]),
    doc("/api/trash/empty", status!("Trash emptied")).refuses(&[404, 409]),
    doc(
        "/api/events",
        &[(200, Media("text/event-stream", "`change`, `job` and `resources`, without end."))],
    )
    .query(&[takes("path", List(&Text), "A folder to follow; all that may be read if left out.")])
    .refuses(&[404, 429]),
];

/// Contract, sections 3 and 7.
const PEOPLE: &[Doc] = &[
    doc("/api/user/login", json!(Object(&[has("token", Text)])))
        .needs(&["username", "password"])
        .refuses(&[401]),
    doc("/api/user/logout", status!("Logged out")),
    doc(
        "/api/user/get_self",
        json!(Object(&[
            has("id", Integer),
            has("username", Text),
            has("password", Sentence("")),
            has("name", Text),
            has("role", Text),
            has("ftp_users", Text),
            has("paths", Text),
            has("settings", Text),
            has("paths_write", Text),
        ])),
    ),
    doc(
        "/api/user/edit_self",
        status!("User updated", may_have("token", Text), may_have("API_KEY", Text)),
    )
    .refuses(&[409]),
    doc("/api/user/get_all", json!(List(&USER))),
    doc("/api/user/create", status!("User created", has("API_KEY", Text)))
        .needs(&["username", "password", "name", "role"])
        .refuses(&[409]),
    doc("/api/user/edit", status!("User edited"))
        .needs(&["id", "username", "name"])
        .refuses(&[404, 409]),
    doc("/api/user/delete", status!("User deleted")).needs(&["username"]).refuses(&[404, 409]),
    doc("/api/role/get", json!(Map(&List(&Text)))),
    doc("/api/role/edit", status!("Roles updated")).asks(Ask::Json(Map(&List(&Text)))),
    doc("/api/role/self", json!(Map(&Flag))),
];

/// Contract, sections 4 and 6.
const SYSTEM: &[Doc] = &[
    doc("/api/is_up", status!("Server is up")).refuses(&[429]),
    doc("/api/shutdown", status!("Shutting down")).refuses(&[409]),
    doc("/api/restart", status!("Restarting")).refuses(&[409]),
    doc(
        "/api/command",
        status!(
            "Command executed",
            has("output", Text),
            has("exit_code", Integer),
            has("timed_out", Flag),
            has("truncated", Flag),
        ),
    )
    .needs(&["command"]),
    doc(
        "/api/resources",
        json!(Object(&[
            has("cpu", Between(0, 100)),
            has("memory", Between(0, 100)),
            has("disk", Between(0, 100)),
            may_have(
                "history",
                List(&Object(&[
                    has("t", Integer),
                    has("cpu", Between(0, 100)),
                    has("memory", Between(0, 100)),
                    has("disk", Between(0, 100)),
                ])),
            ),
        ])),
    )
    .query(&[takes(
        "history",
        Text,
        "Whether to tell the last ten minutes, too (anything but `0`); `t` is in seconds since 1970.",
    )]),
    doc(
        "/api/get_logs",
        json!(List(&Object(&[
            has("id", Integer),
            has("timestamp", Text),
            has("action", Text),
            has("ip", Text),
            may_have("user", Text),
            may_have("door", Text),
            may_have("op", Text),
            may_have("path", Text),
            may_have("path_to", Text),
            may_have("trash_id", Text),
        ]))),
    )
    .query(&[
        takes(
            "limit",
            Between(1, i64::MAX),
            "How many rows at most (125 if left out; never more than 1000).",
        ),
        takes("before", Between(0, i64::MAX), "Only rows older than the one with this id."),
        takes("user", Text, "Only what this user did, or somebody who tried to be them."),
        takes("door", Text, "Only what came by this door: `api`, `ftp` or `machine`."),
        takes("op", Text, "Only this kind: `create`, `write`, `rename`, `move`, `copy`, `delete`, `restore`, `sign_in`, `sign_out`, `refused`, `change`, `command`, `start` or `stop`."),
        takes("path", Text, "Only what happened to this path or below, wherever it went or came from."),
    ]),
    doc("/api/get_settings", json!(Map(&Anything))),
    doc("/api/update_settings", status!("Settings updated", has("restart_required", List(&Text))))
        .asks(Ask::Json(Map(&Anything))),
    doc("/api/get_version", json!(Object(&[has("version", Text)]))),
    doc(
        "/api/update",
        json!(Object(&[
            has("status", OneOf(&["Update started", "Update checked"])),
            may_have("version", Text),
            may_have("available", Anything),
            may_have("problem", Text),
        ])),
    ),
    doc("/update_start_exit_program", status!("Update started")),
];

/// Contract, section 8.
const FTP: &[Doc] = &[
    doc("/api/ftp/create_user", status!("FTP user created"))
        .needs(&["username", "password", "permissions"])
        .refuses(&[404, 409]),
    doc("/api/ftp/delete_user", status!("FTP user deleted")).needs(&["username"]).refuses(&[404]),
    doc(
        "/api/ftp/get_users",
        json!(List(&Object(&[
            has("username", Text),
            has("password", Sentence("")),
            has("path", Text),
            has("permissions", Text),
        ]))),
    ),
    doc("/api/ftp/edit_user", status!("FTP user edited")).needs(&["username"]).refuses(&[404]),
    doc("/api/ftp/sessions", json!(List(&Map(&Anything)))),
    doc("/api/ftp/start", status!("FTP server started", has("port", Integer))),
    doc("/api/ftp/stop", status!("FTP server stopped")),
];

/// Contract, section 10.
const CLOUD: &[Doc] = &[
    doc(
        "/api/cloud/manage",
        json!(Object(&[
            has(
                "status",
                OneOf(&[
                    "Cloud enabled",
                    "Cloud disabled",
                    "Authentication data deleted",
                    "Signup successful",
                ]),
            ),
            may_have("data", Anything),
        ])),
    )
    .needs(&["action"])
    .words("action", &["enable", "delete_auth", "signup"])
    .refuses(&[404, 409, 502]),
    doc("/api/cloud/get", json!(Map(&Anything))).refuses(&[404]),
];

/// Contract, section 9.
const PAGES: &[Doc] = &[
    doc("/", PAGE),
    doc("/auth", PAGE),
    doc("/preview", PAGE),
    doc("/web/", PAGE).refuses(&[404]),
];
