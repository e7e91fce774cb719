//! The OpenAPI 3.1 document of the HTTP API: the table of endpoints, with the types of their questions and
//! answers, as JSON. Only the tests make it: one of them compares it with `docs/openapi.json`, which is what
//! the program carries (see `document.rs`).

use std::collections::BTreeMap;

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use crate::error::Result;
use crate::http::answer::Answered;
use crate::http::api::{Access, ENDPOINTS, Endpoint, Lane, Method, Proof};
use crate::http::call::Call;
use crate::http::problem::Problem;
use crate::http::question::Asked;
use crate::http::router;
use crate::limits;

/// What the document says of one endpoint beyond what larder needs to know itself.
pub struct Manual {
    /// What it is about.
    pub group: Group,
    /// What it is for, in a sentence.
    pub purpose: &'static str,
    /// The statuses of its refusals besides those that every endpoint of its kind has (`refusals`).
    pub refusals: &'static [u16],
    /// Tells of its question and its answer.
    pub describe: fn(&mut Book, &mut Value, &mut Responses),
}

/// The answers of one operation by status.
pub type Responses = Map<String, Value>;

/// What an endpoint is about. Pages show the rights of a role in these groups; whoever keeps files here needs
/// the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// What is in the share, and what becomes of it.
    Files,
    /// What people without an account may see or bring.
    Links,
    /// Who there is, and what they may do.
    People,
    /// The machine, and larder itself.
    System,
    /// The FTP server and its users.
    Ftp,
    /// The cloud's account.
    Cloud,
    /// What a browser shows.
    Pages,
}

impl Group {
    /// What it is called, in plain language.
    const fn name(self) -> &'static str {
        match self {
            Self::Files => "Files and folders",
            Self::Links => "Links",
            Self::People => "People and roles",
            Self::System => "System",
            Self::Ftp => "FTP",
            Self::Cloud => "Cloud",
            Self::Pages => "Pages",
        }
    }
}

/// Tells of the question and the answer of a handler.
pub fn describe<Q: Asked, A: Answered>(
    _: fn(&mut Call<'_>, Q) -> Result<A>,
    book: &mut Book,
    operation: &mut Value,
    responses: &mut Responses,
) {
    Q::describe(book, operation);
    A::describe(book, responses);
}

/// Gathers the types.
pub struct Book {
    /// Of questions: what may be left out.
    asks: SchemaGenerator,
    /// Of answers: what is always there.
    answers: SchemaGenerator,
}

impl Book {
    /// Knows nothing yet.
    fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
        };
        Self {
            asks: settings().for_deserialize().into_generator(),
            answers: settings().for_serialize().into_generator(),
        }
    }

    /// A reference to the type of an answer.
    pub fn answer<T: JsonSchema>(&mut self) -> Value {
        self.answers.subschema_for::<T>().to_value()
    }

    /// Adds a body to an operation, unless nothing can be in it.
    pub fn describe_body<Q: JsonSchema>(&mut self, media_type: &str, operation: &mut Value) {
        let whole = Q::json_schema(&mut self.asks).to_value();
        let is_fixed = whole["additionalProperties"].is_null();
        if is_fixed && whole["properties"].as_object().is_none_or(Map::is_empty) {
            return;
        }
        let schema = match media_type {
            "application/json" if is_fixed => self.asks.subschema_for::<Q>().to_value(),
            "application/json" => whole.clone(),
            // A form has no null.
            _ => {
                let mut form = whole.clone();
                for_each_property(&mut form, &mut |name, property, _| {
                    let_not_be_null(property);
                    say_more(name, property);
                });
                form
            }
        };
        operation["requestBody"] = json!({
            "required": whole["required"].is_array(),
            "content": { media_type: { "schema": schema } },
        });
    }

    /// Adds the parameters of a query to an operation.
    pub fn describe_query<Q: JsonSchema>(&mut self, operation: &mut Value) {
        let whole = Q::json_schema(&mut self.asks).to_value();
        let required = whole["required"].as_array().cloned().unwrap_or_default();
        let properties = whole["properties"].as_object().cloned().unwrap_or_default();
        let parameters: Vec<Value> = properties
            .into_iter()
            .map(|(name, schema)| {
                let is_required = required.contains(&json!(name));
                parameter(&name, schema, is_required)
            })
            .collect();
        operation["parameters"] = parameters.into();
    }

    /// All types that were told of, by name.
    fn schemas(mut self) -> BTreeMap<String, Value> {
        let mut schemas = BTreeMap::new();
        for (name, mut schema) in self.asks.take_definitions(true) {
            for_each_property(&mut schema, &mut |name, property, is_required| {
                say_more(name, property);
                if !is_required {
                    let_be_null(property);
                }
            });
            schemas.insert(name, schema);
        }
        for (name, mut schema) in self.answers.take_definitions(true) {
            for_each_property(&mut schema, &mut |_, property, is_required| {
                // What may be left out is never null instead.
                if !is_required {
                    let_not_be_null(property);
                }
            });
            let before = schemas.insert(name.clone(), schema.clone());
            assert!(before.is_none_or(|before| before == schema), "two types are called {name}");
        }
        schemas
    }
}

/// Looks at each property of an object: its name, its schema, whether it must be there.
fn for_each_property(schema: &mut Value, look: &mut dyn FnMut(&str, &mut Value, bool)) {
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for (name, property) in properties {
            look(name, property, required.contains(&json!(name)));
        }
    }
}

/// One parameter of a query.
fn parameter(name: &str, mut schema: Value, is_required: bool) -> Value {
    let_not_be_null(&mut schema);
    let description = schema.as_object_mut().and_then(|schema| {
        schema.remove("default");
        schema.remove("description")
    });
    let mut shown = json!({
        "name": name, "in": "query", "required": is_required, "description": description,
    });
    if schema["type"] == "array" {
        say_more(name, &mut schema["items"]);
        shown["style"] = json!("form");
        shown["explode"] = json!(true);
    } else {
        say_more(name, &mut schema);
    }
    shown["schema"] = schema;
    shown
}

/// What can be said of a text by its name.
fn say_more(name: &str, schema: &mut Value) {
    let is_text = match &schema["type"] {
        Value::Array(types) => types.contains(&json!("string")) && types.len() == 2,
        one => one == "string",
    };
    // What says itself which texts it takes knows better.
    if !is_text || schema.get("pattern").is_some() {
        return;
    }
    match name {
        "file_name" | "new_name" | "folder_name" => {
            schema["minLength"] = json!(1);
            schema["maxLength"] = json!(limits::NAME_BYTES_MAX);
            schema["pattern"] = json!("^[^/\\u0000]+$");
        }
        // Empty, these are the share root.
        "path" | "to" => {
            schema["maxLength"] = json!(limits::PATH_BYTES_MAX);
            schema["pattern"] = json!("^[^\\u0000]*$");
        }
        _ => {}
    }
    if let Some((_, example)) = EXAMPLES.iter().find(|(known, _)| *known == name) {
        schema["examples"] = json!([example]);
    }
}

/// `null` counts as missing, and need not be told as what a field is without.
fn let_be_null(schema: &mut Value) {
    if let Some(schema) =
        schema.as_object_mut().filter(|schema| schema.get("default") == Some(&Value::Null))
    {
        schema.remove("default");
    }
    match schema.get_mut("type") {
        Some(Value::Array(types)) if !types.contains(&json!("null")) => types.push(json!("null")),
        Some(Value::Array(_)) | None => {}
        Some(one) => *one = json!([one.take(), "null"]),
    }
}

/// Takes `null` out of what a schema allows.
fn let_not_be_null(schema: &mut Value) {
    if let Some(types) = schema.get_mut("type").and_then(Value::as_array_mut) {
        types.retain(|name| name != "null");
        if let [one] = &types[..] {
            schema["type"] = one.clone();
        }
    }
    let without = schema["anyOf"].as_array().map(|forms| {
        forms.iter().filter(|form| form["type"] != "null").cloned().collect::<Vec<_>>()
    });
    if let (Some(Value::Object(only)), Some(schema)) =
        (without.as_ref().and_then(|forms| forms.first()), schema.as_object_mut())
    {
        schema.remove("anyOf");
        schema.extend(only.clone());
    }
}

/// The document, pretty-printed, with a line break at its end.
fn document() -> String {
    let mut book = Book::new();
    let paths = paths(&mut book);
    let error = book.answer::<Problem<'_>>();
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "larder",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A home NAS. Paths are relative to the share root, without `..`. HEAD works wherever \
                GET does. Every failure is `{\"error\": \"...\", \"code\": \"...\"}`: a sentence for people, and a word for programs, \
                which never changes. A missing field and `null` are the same.",
            "license": { "name": "MIT OR Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        // What is no API and has a row in `roles.json` all the same; RFC 4918 describes it.
        "x-doors": [{ "path": "/dav/", "group": Group::Files.name() }],
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The token of `/api/user/login`, good for 24 hours.",
                },
                "key": {
                    "type": "apiKey", "in": "header", "name": "X-API-KEY",
                    "description": "A user's API key for everything or, wherever `basic` is taken too, a narrowed one.",
                },
                "basic": {
                    "type": "http", "scheme": "basic",
                    "description": "A user's name and one of their narrowed keys.",
                },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "larder_session",
                    "description": "The same token, set by `/api/user/login`; counts for GET and HEAD only. Over TLS it is \
                        called `__Host-larder_session`, and each scheme takes its own alone.",
                },
            },
            "schemas": book.schemas(),
            "responses": responses(&error),
        },
    });
    let mut document = document;
    unwrap_lines(&mut document);
    format!("{document:#}\n")
}

/// Joins the lines of the comments that descriptions are made of.
fn unwrap_lines(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get_mut("description") {
                *text = text.replace('\n', " ");
            }
            object.values_mut().for_each(unwrap_lines);
        }
        Value::Array(items) => items.iter_mut().for_each(unwrap_lines),
        _ => {}
    }
}

/// Every path with its operations.
fn paths(book: &mut Book) -> Value {
    let mut paths = Map::new();
    for row in ENDPOINTS {
        let path =
            if row.is_prefix { format!("{}{{path}}", row.path) } else { row.path.to_owned() };
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        for method in row.methods {
            let above = row.path.trim_end_matches('/');
            let is_below = row.is_prefix && ENDPOINTS.iter().any(|other| other.path == above);
            let id = operation_id(row.path, *method, is_below || operations != &json!({}));
            operations[word(*method)] = operation(book, row, &id);
        }
    }
    paths.into()
}

/// How the document calls a method.
fn word(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Post => "post",
        Method::Head => "head",
        Method::Patch => "patch",
        Method::Delete => "delete",
        Method::Options => "options",
        Method::Put => "put",
        _ => {
            panic!("the document knows no such method")
        }
    }
}

/// One operation.
fn operation(book: &mut Book, row: &Endpoint, id: &str) -> Value {
    let mut operation = json!({
        "operationId": id,
        "tags": [row.manual.group.name()],
        "summary": row.manual.purpose,
    });
    if !row.acts_as.is_empty() {
        let others: Vec<String> = row.acts_as.iter().map(|path| format!("`{path}`")).collect();
        let others = others.join(" and ");
        operation["description"] = json!(match row.access {
            Access::Link => format!("As long as whoever made the link may use {others}."),
            _ => format!("For whoever may use {others}."),
        });
        // For programs: no role is ever given this one.
        operation["x-acts-as"] = json!(row.acts_as);
    }
    // For programs, too: what a role decides about, and what anybody may who has signed in.
    operation["x-access"] = json!(match row.access {
        Access::Public => "public",
        Access::SignedIn => "signed_in",
        Access::ByRole => "by_role",
        Access::Link | Access::Knocking => "by_link",
    });
    let proofs = row.proofs.iter().filter_map(|proof| match proof {
        Proof::Bearer | Proof::Lasting => Some(json!({ "bearer": [] })),
        Proof::Key => Some(json!({ "key": [] })),
        Proof::Cookie => row.only_reads().then(|| json!({ "cookie": [] })),
        // One is in the path, the other is for no endpoint of the document.
        Proof::Link | Proof::Password => None,
    });
    let narrowed = row.is_open_to_keys.then(|| json!({ "basic": [] }));
    operation["security"] = proofs.chain(narrowed).collect();
    let mut answers = Map::new();
    (row.manual.describe)(book, &mut operation, &mut answers);
    let in_path = |name: &str| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } });
    let token = router::link_in(row.path).map(|_| in_path("token"));
    let path = row.is_prefix.then(|| in_path("path"));
    if token.is_some() || path.is_some() {
        let others = operation["parameters"].as_array().cloned().unwrap_or_default();
        operation["parameters"] = token.into_iter().chain(path).chain(others).collect();
    }
    for status in refusals(row) {
        let reference = json!({ "$ref": format!("#/components/responses/{status}") });
        answers.entry(status.to_string()).or_insert(reference);
    }
    operation["responses"] = answers.into();
    operation
}

/// `/api/user/login` is `user_login`; what shares its path with another adds its method.
fn operation_id(path: &str, method: Method, is_another: bool) -> String {
    let path = path.replace("/s/{token}", "/link");
    let name = path.strip_prefix("/api").unwrap_or(&path).trim_matches('/').replace('/', "_");
    let name = if name.is_empty() { "index".to_owned() } else { name };
    if is_another { format!("{name}_{}", word(method)) } else { name }
}

/// What a text of that name may look like.
const EXAMPLES: &[(&str, &str)] = &[
    ("path", "photos"),
    ("to", "photos"),
    ("file_path", "photos/holiday.jpg"),
    ("file_name", "holiday.jpg"),
    ("new_name", "beach.jpg"),
    ("folder_name", "photos"),
    ("file_content", "1. Holiday"),
    ("username", "ana"),
    ("role", "family"),
    ("permissions", "elr"),
];

/// Every refusal that an endpoint may give: its own, and those that come with the gate, the lane, the body
/// and the floor.
fn refusals(row: &Endpoint) -> Vec<u16> {
    let mut statuses = vec![400, 408, 414, 431, 500, 503];
    if row.path != "/api/is_up" {
        statuses.push(421);
    }
    if row.access != Access::Public {
        statuses.push(401);
    }
    // Beside the role: what a browser fetches as a script.
    if row.path.starts_with("/api/") || router::link_in(row.path).is_some() {
        statuses.push(403);
    }
    if !row.only_reads() {
        statuses.extend([413, 417]);
    }
    // Whatever waits, for the drive or for a body, has a bounded number of places.
    if !matches!(row.lane, Lane::Quick | Lane::Picture)
        || (row.lane == Lane::Quick && !row.only_reads())
    {
        statuses.push(429);
    }
    statuses.extend(row.manual.refusals);
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// What each refusal means (contract, section 2).
const REFUSALS: &[(u16, &str)] = &[
    (400, "Something is missing or invalid."),
    (401, "No token, a bad or expired one, or not permitted."),
    (403, "Not permitted, or not for a script, style or worker."),
    (404, "It does not exist."),
    (408, "The request took too long."),
    (409, "It would overwrite or collide."),
    (410, "The link is no longer available."),
    (412, "It is not what the client takes it for."),
    (413, "The body is too large."),
    (414, "The target is too long."),
    (415, "The body is of another kind than is taken here."),
    (416, "No such range."),
    (417, "The expectation can't be met."),
    (421, "The server is asked for by a name that it does not know (`allowed_hosts`)."),
    (429, "Too many requests; `Retry-After` says when to come back."),
    (431, "The header fields are too large."),
    (500, "The server is at fault."),
    (502, "Another server failed."),
    (503, "The drive is absent, or the server is at its limit."),
    (507, "The disk is full."),
];

/// All refusals, to be referred to.
fn responses(error: &Value) -> Value {
    let shown = |(status, meaning): &(u16, &str)| {
        let mut response = json!({
            "description": meaning,
            "content": { "application/json": { "schema": error } },
        });
        if *status == 429 {
            response["headers"] = json!({
                "Retry-After": { "required": true, "schema": { "type": "string", "pattern": "^[0-9]+$" } },
            });
        }
        (status.to_string(), response)
    };
    REFUSALS.iter().map(shown).collect::<Map<_, _>>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// `larder openapi` prints the committed one.
    #[test]
    fn the_committed_document_is_what_the_types_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
        let made = document();
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, &made).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        let first = committed.lines().zip(made.lines()).find(|(one, other)| one != other);
        assert!(
            committed == made,
            "docs/openapi.json is not what the table and its types say; the first difference is \
             {first:?}. UPDATE=1 cargo test --bin larder openapi:: rewrites it"
        );
    }

    #[test]
    fn every_row_says_what_it_is_for_and_what_it_answers() {
        let document: Value = serde_json::from_str(&document()).unwrap();
        let mut names = BTreeSet::new();
        for row in ENDPOINTS {
            let purpose = row.manual.purpose;
            assert!(purpose.ends_with('.') && purpose.len() > 10, "{}", row.path);
            let path =
                if row.is_prefix { format!("{}{{path}}", row.path) } else { row.path.to_owned() };
            for method in row.methods {
                let operation = &document["paths"][&path][word(*method)];
                let is_good = |status| operation["responses"][status].is_object();
                assert!(
                    ["200", "201", "204", "303"].into_iter().any(is_good),
                    "{path}: {operation}"
                );
                let name = operation["operationId"].as_str().unwrap().to_owned();
                assert!(names.insert(name), "two operations are called as that of {path}");
            }
            for status in refusals(row) {
                assert!(REFUSALS.iter().any(|(known, _)| *known == status), "{status}");
            }
        }
    }

    /// Clients make types of them.
    #[test]
    fn schemas_have_names_of_their_own() {
        let mut book = Book::new();
        paths(&mut book);
        for name in book.schemas().into_keys() {
            let is_good = name.chars().all(char::is_alphabetic) && !name.contains("_for_");
            assert!(is_good, "{name} is no name that one would choose");
        }
    }

    #[test]
    fn operations_are_called_by_their_path() {
        assert_eq!(operation_id("/api/user/login", Method::Post, false), "user_login");
        assert_eq!(operation_id("/api/user/login", Method::Get, true), "user_login_get");
        assert_eq!(operation_id("/", Method::Get, false), "index");
    }
}
