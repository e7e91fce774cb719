//! The OpenAPI 3.1 document of the HTTP API: the table of endpoints, with what `manual.rs` says of their
//! questions and answers, as JSON.

use serde_json::{Map, Value, json};

use crate::http::api::{Access, ENDPOINTS, Endpoint, Lane, Method, Proof};
use crate::http::body::{Field, Kind};
use crate::http::manual::{self, Answer, Ask, Doc, Parameter, Property, Schema};
use crate::limits;

/// The document, pretty-printed, with a line break at its end.
pub fn document() -> String {
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
        "paths": paths(),
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "The token of `/api/user/login`, good for 24 hours.",
                },
                "key": {
                    "type": "apiKey", "in": "header", "name": "X-API-KEY",
                    "description": "A user's API key.",
                },
                "cookie": {
                    "type": "apiKey", "in": "cookie", "name": "larder_session",
                    "description": "The same token, set by `/api/user/login`; counts for GET and HEAD only.",
                },
            },
            "schemas": { "Error": schema(&manual::ERROR) },
            "responses": responses(),
        },
    });
    // Made of literals and numbers, so there is nothing that JSON could not say.
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

/// Every path with its operations.
fn paths() -> Value {
    let mut paths = Map::new();
    for row in ENDPOINTS {
        let Some((group, doc)) = manual::of(row.path) else { continue };
        let path =
            if row.is_prefix { format!("{}{{path}}", row.path) } else { row.path.to_owned() };
        let operations = paths.entry(path).or_insert_with(|| json!({}));
        for method in row.methods {
            let method = if *method == Method::Get { "get" } else { "post" };
            operations[method] = operation(row, group, doc);
        }
    }
    paths.into()
}

/// One operation.
fn operation(row: &Endpoint, group: &str, doc: &Doc) -> Value {
    let mut operation = json!({
        "operationId": operation_id(row.path),
        "tags": [group],
        "summary": row.purpose,
    });
    if !row.acts_as.is_empty() {
        let others: Vec<String> = row.acts_as.iter().map(|path| format!("`{path}`")).collect();
        operation["description"] = json!(format!("For whoever may use {}.", others.join(" and ")));
        // For programs: no role is ever given this one.
        operation["x-acts-as"] = json!(row.acts_as);
    }
    let proofs = row.proofs.iter().filter_map(|proof| match proof {
        Proof::Bearer => Some(json!({ "bearer": [] })),
        Proof::Key => Some(json!({ "key": [] })),
        Proof::Cookie => row.only_reads().then(|| json!({ "cookie": [] })),
    });
    operation["security"] = proofs.collect();
    let mut parameters: Vec<Value> = doc.query.iter().map(parameter).collect();
    if row.is_prefix {
        parameters.push(json!({
            "name": "path", "in": "path", "required": true, "schema": { "type": "string" },
        }));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = request_body(row, doc) {
        operation["requestBody"] = body;
    }
    let mut answers = Map::new();
    for (status, answer) in doc.answers {
        answers.insert(status.to_string(), self::answer(answer));
    }
    for status in refusals(row, doc) {
        let reference = json!({ "$ref": format!("#/components/responses/{status}") });
        answers.entry(status.to_string()).or_insert(reference);
    }
    operation["responses"] = answers.into();
    operation
}

/// `/api/user/login` is `user_login`.
fn operation_id(path: &str) -> String {
    let name = path.strip_prefix("/api").unwrap_or(path).trim_matches('/').replace('/', "_");
    if name.is_empty() { "index".to_owned() } else { name }
}

/// One parameter of a query.
fn parameter(parameter: &Parameter) -> Value {
    let mut shown = json!({
        "name": parameter.name,
        "in": "query",
        "required": parameter.is_required,
        "description": parameter.purpose,
        "schema": schema(&parameter.schema),
    });
    match parameter.schema {
        Schema::Text => {
            shown["schema"] = text(parameter.name, parameter.is_required);
            shown["schema"]["type"] = json!("string");
        }
        Schema::List(_) => {
            shown["style"] = json!("form");
            shown["explode"] = json!(true);
            // An empty one is the share root.
            shown["schema"]["items"] = text(parameter.name, false);
            shown["schema"]["items"]["type"] = json!("string");
            shown["schema"]["minItems"] = json!(usize::from(parameter.is_required));
        }
        _ => {}
    }
    shown
}

/// The body of a question, if it has one.
fn request_body(row: &Endpoint, doc: &Doc) -> Option<Value> {
    let (media_type, schema) = match &doc.ask {
        Ask::Fields(_) if row.fields.is_empty() => return None,
        Ask::Fields(required) => ("application/json", fields(row.fields, required, doc.words)),
        Ask::Json(given) => {
            let mut shown = schema(given);
            // Nothing at all is refused.
            shown["minProperties"] = json!(1);
            ("application/json", shown)
        }
        Ask::Form(given) => ("multipart/form-data", schema(given)),
    };
    let is_required = matches!(&doc.ask, Ask::Fields(required) if !required.is_empty())
        || !matches!(&doc.ask, Ask::Fields(_));
    Some(json!({
        "required": is_required,
        "content": { media_type: { "schema": schema } },
    }))
}

/// The fields of a JSON body.
fn fields(known: &[Field], required: &[&str], words: Option<(&str, &[&str])>) -> Value {
    let mut properties = Map::new();
    for field in known {
        let is_required = required.contains(&field.name);
        let word = words.filter(|(name, _)| *name == field.name);
        let shown = match (field.kind, word) {
            (_, Some((_, words))) => json!({ "type": "string", "enum": words }),
            (Kind::Text, None) => text(field.name, is_required),
            (Kind::Content, None) => json!({ "type": optional("string", is_required) }),
            (Kind::Flag, None) => json!({ "type": optional("boolean", is_required) }),
            (Kind::Id, None) => json!({ "type": ["integer", "string"] }),
            (Kind::Texts, None) => json!({
                "type": optional("array", is_required),
                "items": { "type": "string" },
            }),
            (Kind::Paths, None) => json!({
                "type": ["array", "string", "null"],
                "items": { "type": "string" },
                "description": "An array of paths, or a string that is one in JSON.",
            }),
        };
        properties.insert(field.name.to_owned(), shown);
    }
    let mut object = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// A type, or `null`, which counts as missing.
fn optional(kind: &str, is_required: bool) -> Value {
    if is_required { json!(kind) } else { json!([kind, "null"]) }
}

/// A short text, with what can be said of it by its name.
fn text(name: &str, is_required: bool) -> Value {
    let mut shown = json!({ "type": optional("string", is_required) });
    match name {
        "file_name" | "new_name" | "folder_name" => {
            shown["minLength"] = json!(1);
            shown["maxLength"] = json!(limits::NAME_BYTES_MAX);
            shown["pattern"] = json!("^[^/\\u0000]+$");
        }
        // Empty, these are the share root.
        "path" | "to" => {
            shown["maxLength"] = json!(limits::PATH_BYTES_MAX);
            shown["pattern"] = json!("^[^\\u0000]*$");
        }
        _ if is_required => shown["minLength"] = json!(1),
        _ => {}
    }
    if let Some((_, example)) = EXAMPLES.iter().find(|(known, _)| *known == name) {
        shown["examples"] = json!([example]);
    }
    shown
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

/// One good answer.
fn answer(answer: &Answer) -> Value {
    match answer {
        Answer::Json(given) => json!({
            "description": "Done.",
            "content": { "application/json": { "schema": schema(given) } },
        }),
        Answer::Media(media_type, what) => json!({
            "description": what,
            "content": { *media_type: {} },
        }),
        Answer::Bare(what) => json!({ "description": what }),
    }
}

/// A shape in the words of JSON Schema 2020-12.
fn schema(given: &Schema) -> Value {
    match given {
        Schema::Text => json!({ "type": "string" }),
        Schema::File => json!({ "type": "string", "contentMediaType": "application/octet-stream" }),
        Schema::Sentence(sentence) => json!({ "const": sentence }),
        Schema::OneOf(words) => json!({ "enum": words }),
        Schema::Time => json!({ "type": "string", "format": "date-time" }),
        Schema::Integer => json!({ "type": "integer" }),
        Schema::Between(low, high) => {
            json!({ "type": "integer", "minimum": low, "maximum": high })
        }
        Schema::Flag => json!({ "type": "boolean" }),
        Schema::Anything => json!({}),
        Schema::List(item) => json!({ "type": "array", "items": schema(item) }),
        Schema::Map(item) => json!({ "type": "object", "additionalProperties": schema(item) }),
        Schema::Either(shapes) => json!({ "anyOf": shapes.iter().map(schema).collect::<Vec<_>>() }),
        Schema::Object(properties) => object(properties),
    }
}

/// An object; further keys are welcome.
fn object(properties: &[Property]) -> Value {
    let shown: Map<String, Value> = properties
        .iter()
        .map(|property| (property.name.to_owned(), schema(&property.schema)))
        .collect();
    let required: Vec<&str> = properties
        .iter()
        .filter(|property| property.is_required)
        .map(|property| property.name)
        .collect();
    json!({ "type": "object", "properties": shown, "required": required })
}

/// Every refusal that an endpoint may give: its own, and those that come with the gate, the lane, the body
/// and the floor.
fn refusals(row: &Endpoint, doc: &Doc) -> Vec<u16> {
    let mut statuses = vec![400, 408, 414, 431, 500, 503];
    if row.path != "/api/is_up" {
        statuses.push(421);
    }
    if row.access != Access::Public {
        statuses.push(401);
    }
    // Beside the role: what a browser fetches as a script.
    if row.path.starts_with("/api/") {
        statuses.push(403);
    }
    if !row.only_reads() {
        statuses.extend([413, 417]);
    }
    if row.lane == Lane::Transfer {
        statuses.push(429);
    }
    statuses.extend(doc.refusals);
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
    (413, "The body is too large."),
    (414, "The target is too long."),
    (416, "No such range."),
    (417, "The expectation can't be met."),
    (429, "Too many requests; `Retry-After` says when to come back."),
    (421, "The server is asked for by a name that it does not know (`allowed_hosts`)."),
    (431, "The header fields are too large."),
    (500, "The server is at fault."),
    (502, "Another server failed."),
    (503, "The drive is absent, or the server is at its limit."),
    (507, "The disk is full."),
];

/// All refusals, to be referred to.
fn responses() -> Value {
    let shown = |(status, meaning): &(u16, &str)| {
        let mut response = json!({
            "description": meaning,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
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

    /// A new endpoint needs a line in `manual.rs`.
    #[test]
    fn every_row_says_what_it_answers() {
        for row in ENDPOINTS {
            let (_, doc) = manual::of(row.path)
                .unwrap_or_else(|| panic!("manual.rs says nothing of {}", row.path));
            assert!(doc.answers.iter().any(|(status, _)| *status == 200), "{}", row.path);
            if let Ask::Fields(required) = &doc.ask {
                for name in *required {
                    let is_known = row.fields.iter().any(|field| field.name == *name);
                    assert!(is_known, "{} has no field {name}", row.path);
                }
            }
            for status in refusals(row, doc) {
                assert!(REFUSALS.iter().any(|(known, _)| *known == status), "{status}");
            }
        }
    }

    #[test]
    fn the_manual_says_everything_once_and_nothing_else() {
        let mut paths = BTreeSet::new();
        for (_, docs) in manual::GROUPS {
            for doc in *docs {
                assert!(paths.insert(doc.path), "{} twice", doc.path);
                let is_there = ENDPOINTS.iter().any(|row| row.path == doc.path);
                assert!(is_there, "{} is in no row", doc.path);
            }
        }
    }

    #[test]
    fn operations_have_names_of_their_own() {
        let names: BTreeSet<String> = ENDPOINTS.iter().map(|row| operation_id(row.path)).collect();
        assert_eq!(names.len(), ENDPOINTS.len());
        assert_eq!(operation_id("/api/user/login"), "user_login");
    }
}
