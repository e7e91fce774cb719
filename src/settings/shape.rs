//! How `settings.json` and `cloud.json` are told in the OpenAPI document. Only the tests make that document;
//! the tests below hold this against the defaults and the checks, so that neither can go without the other.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::limits;

/// The settings as they are stored, and as a change may name them. Keys that larder does not know are kept.
#[derive(Default, JsonSchema)]
#[schemars(default, rename = "StoredSettings", extend("additionalProperties" = true))]
#[schemars(transform = leave_defaults_out)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct SettingsShape {
    /// This larder's version; a change never touches it.
    version: String,
    /// Address that HTTP listens at, such as `0.0.0.0`.
    host: String,
    /// Port that HTTP listens at; 0 takes a free one.
    port: u16,
    /// The folder that is shared; relative to the state directory unless absolute.
    #[schemars(length(min = 1))]
    path: String,
    /// A secret, masked in answers; a change never touches it.
    com_password: String,
    /// Whether the FTP server runs.
    ftp: bool,
    /// Address that FTP listens at; empty for that of HTTP.
    ftp_host: String,
    /// Port that FTP listens at; 0 takes a free one.
    ftp_port: u16,
    /// Seconds that an FTP client may be silent.
    #[schemars(range(min = *limits::FTP_TIMEOUT_S.start(), max = *limits::FTP_TIMEOUT_S.end()))]
    ftp_timeout: u32,
    /// Ports for FTP's passive data connections, first and last, from 1024 on.
    #[schemars(regex(pattern = r"^\s*\d+\s*-\s*\d+\s*$"))]
    ftp_passive_ports: String,
    /// Name or address that FTP clients from elsewhere are told; empty for the one they used.
    ftp_public_host: String,
    /// Whether signing in and sending by FTP need TLS.
    ftp_require_tls: bool,
    /// Whether HTTP is spoken over TLS: beside plain HTTP, alone (which plain HTTP then leads to), or not at all.
    #[schemars(regex(pattern = "^(on|only|off)$"))]
    https: String,
    /// Port where HTTP is spoken over TLS alone, in addition; 0 for none.
    https_port: u16,
    /// File with the certificate chain (PEM) for HTTPS and FTP, relative to the state directory unless absolute; empty, as `tls_key`, for one that larder makes itself.
    tls_cert: String,
    /// File with its key (PEM).
    tls_key: String,
    /// Days that browsers are told to come by HTTPS alone; 0 tells them nothing.
    #[schemars(range(min = *limits::HSTS_DAYS.start(), max = *limits::HSTS_DAYS.end()))]
    hsts_days: u32,
    /// What powers the machine off: a program and its arguments.
    #[schemars(length(min = 1))]
    shutdown_command: Vec<String>,
    /// What restarts the machine: a program and its arguments.
    #[schemars(length(min = 1))]
    restart_command: Vec<String>,
    /// Seconds that a command of the console may run.
    #[schemars(range(min = *limits::COMMAND_TIMEOUT_S.start(), max = *limits::COMMAND_TIMEOUT_S.end()))]
    command_timeout: u32,
    /// Days that rows of the log are kept.
    #[schemars(range(min = *limits::LOG_RETENTION_DAYS.start(), max = *limits::LOG_RETENTION_DAYS.end()))]
    log_retention_days: u32,
    /// Where new versions are told of, `http` or `https`; empty for nowhere.
    update_url: String,
    /// The key that new versions are signed for: Ed25519, 32 bytes in base64; empty for the built-in one.
    update_public_key: String,
    /// Where the cloud's bridge is, `http` or `https`; empty for none.
    cloud_url: String,
    /// Addresses and blocks of addresses whose `X-Forwarded-For` is believed.
    trusted_proxies: Vec<String>,
    /// Web origins whose pages may use the API from a browser.
    cors_origins: Vec<String>,
    /// Names beside its own that larder may be asked for by: each whole, `*.` and a domain, or `*` for any.
    allowed_hosts: Vec<String>,
    /// Where larder is reached from elsewhere, as an origin; empty for nowhere.
    public_url: String,
    /// Days that the trash keeps things; 0 turns it off.
    #[schemars(range(min = *limits::TRASH_DAYS.start(), max = *limits::TRASH_DAYS.end()))]
    trash_days: u32,
    /// Percent of a drive that the trash may take; 0 turns it off.
    #[schemars(range(min = *limits::TRASH_PERCENT.start(), max = *limits::TRASH_PERCENT.end()))]
    trash_percent: u32,
    /// Versions of one file that the trash keeps.
    #[schemars(range(min = *limits::VERSIONS_MAX.start(), max = *limits::VERSIONS_MAX.end()))]
    versions_max: u32,
    /// Days that an upload that broke off waits to be gone on with.
    #[schemars(range(min = *limits::UPLOAD_DAYS.start(), max = *limits::UPLOAD_DAYS.end()))]
    upload_days: u32,
    /// Megabytes of small pictures of photos that each drive keeps, at most 1 % of it; 0 keeps none.
    #[schemars(range(min = *limits::THUMBS_MB.start(), max = *limits::THUMBS_MB.end()))]
    thumbs_mb: u32,
    /// Whether each drive keeps a list of its names, so that a search finds them at once.
    search_index: bool,
    /// Whether links open, by which people without an account see or bring files.
    links: bool,
    /// Whether `WebDAV` is spoken, below `/dav/`: the share as a drive in every file manager.
    dav: bool,
    /// Whether `WebDAV` wants HTTPS.
    dav_require_tls: bool,
    /// What becomes of what Macs leave in every folder (`._*`, `.DS_Store`) over `WebDAV`.
    #[schemars(regex(pattern = "^(refuse|keep)$"))]
    dav_litter: String,
    /// Roles whose members sign in with a code beside the password; who has none may only set one up.
    totp_roles: Vec<String>,
    /// Whether larder announces itself in the local network (mDNS), where that is a house's own.
    discovery: bool,
    /// The name that it is to be found by, before `.local`; with a number behind it where another has it.
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$")
    )]
    discovery_name: String,
    /// What its services are called in lists of what is in the network: 1 to 63 bytes.
    #[schemars(length(min = 1, max = 63))]
    server_name: String,
    /// Who is told when something happens, and of what.
    #[schemars(length(max = limits::NOTIFY_TARGETS_MAX))]
    notify: Vec<NotifyShape>,
}

/// One of those who are told.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its shape is asked for")]
struct NotifyShape {
    /// Where it is sent, `http` or `https`; never with a name or a password in it.
    url: String,
    /// What it is sent of: `drive_gone`, `drive_back`, `drive_full`, `read_only`, `power`, `heat`, `link_upload`, `new_sign_in`, `failures`, `update`, `scrub`.
    events: Vec<String>,
    /// `ntfy` for a sentence as ntfy takes it, `json` for an object.
    #[schemars(regex(pattern = "^(ntfy|json)$"))]
    format: String,
    /// Sent as `Authorization: Bearer`; masked in answers, and kept when it comes back masked for the same server.
    #[schemars(default, skip_serializing_if = "String::is_empty")]
    token: String,
}

/// The settings as they are stored, the secret masked, and those that something else covers.
pub struct ShownShape;

impl JsonSchema for ShownShape {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Settings".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = SettingsShape::json_schema(generator);
        schema.insert("description".to_owned(), "All settings by name, as they are stored.".into());
        let names: Vec<String> = properties(&schema).keys().cloned().collect();
        let mut required: Vec<serde_json::Value> = names.into_iter().map(Into::into).collect();
        required.push(super::IN_FORCE.into());
        schema.insert("required".to_owned(), required.into());
        let in_force = generator.subschema_for::<SettingsInForce>();
        if let Some(properties) = schema.get_mut("properties").and_then(|all| all.as_object_mut()) {
            properties.insert(super::IN_FORCE.to_owned(), in_force.to_value());
        }
        schema
    }
}

/// What the command line or the environment says instead of the settings, as it is in force.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its shape is asked for")]
struct SettingsInForce {
    /// Address that HTTP listens at.
    #[schemars(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    /// Port that HTTP listens at.
    #[schemars(skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    /// The folder that is shared.
    #[schemars(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Port that FTP listens at.
    #[schemars(skip_serializing_if = "Option::is_none")]
    ftp_port: Option<u16>,
}

/// What is kept of the cloud, its secrets masked. Keys that larder does not know are kept, the times of
/// registration among them, which each bridge words in its own way.
#[derive(JsonSchema)]
#[schemars(rename = "CloudSettings", extend("additionalProperties" = true))]
#[expect(dead_code, reason = "only its shape is asked for")]
pub struct CloudShape {
    /// Whether the cloud is on.
    #[schemars(skip_serializing_if = "Option::is_none")]
    enabled: Option<bool>,
    /// What this larder proves itself with to the bridge, masked; its owner puts it there.
    #[schemars(skip_serializing_if = "Option::is_none")]
    auth_token: Option<String>,
    /// The account's name.
    #[schemars(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    /// A password that its owner put there, masked.
    #[schemars(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    /// The account's id, as the bridge tells it.
    #[schemars(skip_serializing_if = "Option::is_none", extend("type" = ["string", "number"]))]
    user_id: Option<serde_json::Value>,
    /// This larder's id at the bridge, as the bridge tells it.
    #[schemars(skip_serializing_if = "Option::is_none", extend("type" = ["string", "number"]))]
    server_id: Option<serde_json::Value>,
    /// What the bridge calls this larder.
    #[schemars(skip_serializing_if = "Option::is_none", extend("type" = ["string", "number"]))]
    server_name: Option<serde_json::Value>,
}

/// `default` only lets a change be without a setting, which then stays as it is; so none is told.
fn leave_defaults_out(schema: &mut Schema) {
    schema.remove("default");
    let all = schema.get_mut("properties").and_then(|all| all.as_object_mut());
    for one in all.into_iter().flat_map(|all| all.values_mut()) {
        if let Some(one) = one.as_object_mut() {
            one.remove("default");
        }
    }
}

/// The properties of an object's schema.
fn properties(schema: &Schema) -> serde_json::Map<String, serde_json::Value> {
    schema.get("properties").and_then(|all| all.as_object()).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::settings::Settings;
    use crate::settings::values::defaults;

    /// The shape of each setting by its name.
    fn shapes() -> Map<String, Value> {
        properties(&SettingsShape::json_schema(&mut SchemaGenerator::default()))
    }

    /// Whether larder takes a value for a setting.
    fn takes(key: &str, value: Value) -> bool {
        let (mut object, _) = Settings::with_defaults(Map::new());
        object.insert(key.to_owned(), value);
        Settings::parse(object).is_ok()
    }

    #[test]
    fn every_setting_has_a_shape_and_its_default_fits() {
        let (defaults, shapes) = (defaults(), shapes());
        let defaults = defaults.as_object().unwrap();
        let names = |all: &Map<String, Value>| {
            let mut names: Vec<String> = all.keys().cloned().collect();
            names.sort();
            names
        };
        assert_eq!(names(&shapes), names(defaults));
        for (key, value) in defaults {
            let wanted = match value {
                Value::Bool(_) => "boolean",
                Value::Number(_) => "integer",
                Value::Array(_) => "array",
                _ => "string",
            };
            assert_eq!(shapes[key]["type"], wanted, "{key}");
            assert!(shapes[key]["description"].is_string(), "{key}");
        }
    }

    #[test]
    fn larder_takes_numbers_as_far_as_it_says() {
        for (key, shape) in shapes().into_iter().filter(|(_, shape)| shape["type"] == "integer") {
            let bound =
                |which: &str| shape[which].as_i64().unwrap_or_else(|| panic!("{key}: {which}"));
            let (least, most) = (bound("minimum"), bound("maximum"));
            assert!(takes(&key, json!(least)) && takes(&key, json!(most)), "{key}");
            assert!(!takes(&key, json!(least - 1)) && !takes(&key, json!(most + 1)), "{key}");
        }
    }

    #[test]
    fn what_is_of_another_type_is_not_taken() {
        for (key, shape) in shapes() {
            let other = if shape["type"] == "string" { json!(7) } else { json!("7") };
            assert!(!takes(&key, other), "{key}");
        }
    }
}
