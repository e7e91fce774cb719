//! What the settings say of who is told when something happens (second contract, section 24).

use std::fmt;

use serde_json::{Map, Value};

use super::values::{Keys, MASK, Wrong, is_web_address};
use crate::limits;

/// Where it stands.
pub(super) const KEY: &str = "notify";

/// What somebody can be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A drive is away, or does not answer.
    DriveGone,
    /// It is there again.
    DriveBack,
    /// A drive, or the card, is nearly full.
    DriveFull,
    /// A drive, or the card, takes nothing any more.
    ReadOnly,
    /// The power supply is too weak.
    Power,
    /// The board is too hot.
    Heat,
    /// Somebody without an account has brought a file.
    LinkUpload,
    /// Somebody signed in from where, or by what, nobody knows them.
    NewSignIn,
    /// Many sign-ins have failed.
    Failures,
    /// There is a newer program, or it could not be taken.
    Update,
    /// The contents of a drive were read through.
    Scrub,
}

impl Kind {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 11] = [
        Self::DriveGone,
        Self::DriveBack,
        Self::DriveFull,
        Self::ReadOnly,
        Self::Power,
        Self::Heat,
        Self::LinkUpload,
        Self::NewSignIn,
        Self::Failures,
        Self::Update,
        Self::Scrub,
    ];

    /// The contract's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::DriveGone => "drive_gone",
            Self::DriveBack => "drive_back",
            Self::DriveFull => "drive_full",
            Self::ReadOnly => "read_only",
            Self::Power => "power",
            Self::Heat => "heat",
            Self::LinkUpload => "link_upload",
            Self::NewSignIn => "new_sign_in",
            Self::Failures => "failures",
            Self::Update => "update",
            Self::Scrub => "scrub",
        }
    }
}

/// In which form somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A sentence, with a title and what phones need in fields of the head: as ntfy takes it.
    Ntfy,
    /// An object.
    Json,
}

/// Who is told, and of what.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Where it is sent.
    pub url: String,
    /// What it is sent of.
    pub kinds: Vec<Kind>,
    /// In which form.
    pub format: Format,
    /// What larder shows there; empty for nothing.
    pub token: String,
}

/// Without its secret, and without its address, which may hold one.
impl fmt::Debug for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Target({:?}, {:?})", self.kinds, self.format)
    }
}

/// All of them.
///
/// Errors: what is wrong with which.
pub(super) fn read(keys: &Keys<'_>) -> Result<Vec<Target>, Wrong> {
    let wrong = |why: String| (KEY, why);
    let all = keys.value(KEY)?.as_array().ok_or_else(|| wrong("must be an array".to_owned()))?;
    if all.len() > limits::NOTIFY_TARGETS_MAX {
        return Err(wrong(format!("must have {} at most", limits::NOTIFY_TARGETS_MAX)));
    }
    let read = |(at, one)| read_one(one).map_err(|why| wrong(format!("number {}: {why}", at + 1)));
    all.iter().enumerate().map(read).collect()
}

/// One of them.
///
/// Errors: what is wrong.
fn read_one(one: &Value) -> Result<Target, String> {
    let one = one.as_object().ok_or("must be an object")?;
    let url = text(one, "url")?.ok_or("url is missing")?;
    let authority = url.split('/').nth(2).unwrap_or_default();
    if !is_web_address(url) || url.len() > limits::NOTIFY_URL_BYTES_MAX {
        return Err("url must begin with http:// or https://".to_owned());
    }
    if authority.contains('@') {
        return Err("url must have no name and password; use token".to_owned());
    }
    let format = match text(one, "format")? {
        Some("ntfy") => Format::Ntfy,
        Some("json") => Format::Json,
        _ => return Err("format must be \"ntfy\" or \"json\"".to_owned()),
    };
    let token = text(one, "token")?.unwrap_or_default();
    let is_fit = |byte: u8| byte.is_ascii_graphic();
    if token.len() > limits::NOTIFY_TOKEN_BYTES_MAX || !token.bytes().all(is_fit) {
        return Err("token must have no blanks and nothing but ASCII".to_owned());
    }
    Ok(Target { url: url.to_owned(), kinds: kinds(one)?, format, token: token.to_owned() })
}

/// What it is sent of; each counts once.
///
/// Errors: what is wrong.
fn kinds(one: &Map<String, Value>) -> Result<Vec<Kind>, String> {
    let named = one.get("events").and_then(Value::as_array).ok_or("events must be an array")?;
    let mut kinds = Vec::new();
    for name in named {
        let known = Kind::ALL.into_iter().find(|kind| name.as_str() == Some(kind.as_str()));
        let kind = known.ok_or_else(|| format!("{name} is no event"))?;
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Ok(kinds)
}

/// A text of an object; `None` where it is missing or null.
///
/// Errors: it is none.
fn text<'a>(one: &'a Map<String, Value>, key: &str) -> Result<Option<&'a str>, String> {
    match one.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| format!("{key} must be a text")),
    }
}

/// Masks the secrets of all of them.
pub(super) fn mask(all: &mut Value) {
    for one in all.as_array_mut().into_iter().flatten() {
        if let Some(token) = one.get_mut("token").filter(|token| *token != "" && !token.is_null()) {
            *token = Value::from(MASK);
        }
    }
}

/// Puts the secrets back that come masked: those that were stored for the same address, or else in the same place and
/// for the same server. A secret never goes to another server because somebody changed the address before it.
///
/// Errors: nobody knows which.
pub(super) fn unmask(all: &mut Value, stored: &Value) -> Result<(), Wrong> {
    let none = Vec::new();
    let stored = stored.as_array().unwrap_or(&none);
    for (at, one) in all.as_array_mut().into_iter().flatten().enumerate() {
        if one.get("token").is_none_or(|token| token != MASK) {
            continue;
        }
        let url = address(one).to_owned();
        let there = stored.get(at).filter(|before| server(address(before)) == server(&url));
        let mut by_url = stored.iter().filter(|before| address(before) == url);
        let exact = there.filter(|before| address(before) == url);
        let before = exact.or_else(|| by_url.next()).or(there);
        let token = before.and_then(|before| before.get("token")).cloned();
        let why =
            || format!("number {}: the token has to be given again for another server", at + 1);
        one["token"] = token.ok_or_else(|| (KEY, why()))?;
    }
    Ok(())
}

/// The address of one, as it is written.
fn address(one: &Value) -> &str {
    one.get("url").and_then(Value::as_str).unwrap_or_default()
}

/// Scheme, host and port of an address, in lower case.
fn server(url: &str) -> String {
    let end = url.find("://").and_then(|at| {
        let rest = url.get(at + 3..)?;
        rest.find(['/', '?', '#']).map(|length| at + 3 + length)
    });
    url.get(..end.unwrap_or(url.len())).unwrap_or(url).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use serde_json::json;

    /// Settings with these.
    fn with(notify: Value) -> Result<Settings, Wrong> {
        let (mut object, _) = Settings::with_defaults(Map::new());
        object.insert(KEY.to_owned(), notify);
        Settings::parse(object)
    }

    /// One that is right.
    fn one() -> Value {
        json!({ "url": "https://ntfy.example/box", "events": ["power", "heat", "power"], "format": "ntfy", "token": "tk_1" })
    }

    #[test]
    fn each_is_read_and_none_is_the_default() {
        assert!(with(json!([])).unwrap().notify.is_empty());
        let settings =
            with(json!([one(), { "url": "http://10.0.0.2:8080", "events": [], "format": "json" }]));
        let [ntfy, json] = settings.unwrap().notify.try_into().unwrap();
        assert_eq!((ntfy.kinds, ntfy.format), (vec![Kind::Power, Kind::Heat], Format::Ntfy));
        assert_eq!((json.token.as_str(), json.format), ("", Format::Json));
        let every: Vec<&str> = Kind::ALL.map(Kind::as_str).to_vec();
        let all = json!([{ "url": "http://a", "events": every, "format": "json", "token": null }]);
        assert_eq!(with(all).unwrap().notify[0].kinds, Kind::ALL);
    }

    #[test]
    fn what_is_wrong_is_told_by_the_key_and_the_number() {
        let changed = |key: &str, value: Value| {
            let mut one = one();
            one[key] = value;
            json!([one])
        };
        for (notify, word) in [
            (json!("x"), "array"),
            (json!([7]), "number 1"),
            (json!([one(), one(), one(), one(), one(), one()]), "5"),
            (changed("url", json!("ftp://a")), "url"),
            (changed("url", json!("http://")), "url"),
            (changed("url", json!("http://a b")), "url"),
            (changed("url", json!("http://a\r\nX: y")), "url"),
            (changed("url", json!("http://ana:secret@a/b")), "token"),
            (changed("url", json!(format!("http://{}", "a".repeat(3000)))), "url"),
            (changed("url", Value::Null), "url"),
            (changed("events", json!(["party"])), "party"),
            (changed("events", json!("power")), "events"),
            (changed("events", json!([1])), "event"),
            (changed("format", json!("xml")), "format"),
            (changed("format", Value::Null), "format"),
            (changed("token", json!(7)), "token"),
            (changed("token", json!("a b")), "token"),
            (changed("token", json!("a\r\nb")), "token"),
            (changed("token", json!("ä")), "token"),
        ] {
            let (key, why) = with(notify.clone()).unwrap_err();
            assert!(key == KEY && why.contains(word), "{notify}: {why}");
        }
    }

    #[test]
    fn a_token_is_masked_and_one_that_comes_back_masked_stays() {
        let settings = with(json!([one()])).unwrap();
        let mut shown = settings.to_show();
        assert_eq!(shown[KEY][0]["token"], MASK);
        assert!(!format!("{settings:?}").contains("Target(\"tk_1"));
        // Other events, and another topic of the same server.
        shown[KEY][0]["events"] = json!(["update"]);
        shown[KEY][0]["url"] = json!("https://NTFY.example/other?x=1");
        let change = |notify: Value| settings.merged(Map::from_iter([(KEY.to_owned(), notify)]));
        assert_eq!(change(shown[KEY].clone()).unwrap().notify[0].token, "tk_1");
        // In another place.
        let before = json!({ "url": "http://a", "events": [], "format": "json" });
        let moved = json!([before, settings.to_show()[KEY][0]]);
        assert_eq!(change(moved).unwrap().notify[1].token, "tk_1");
        // To another server it does not go.
        for url in
            ["https://evil.example/box", "http://ntfy.example/box", "https://ntfy.example:444/box"]
        {
            shown[KEY][0]["url"] = json!(url);
            assert_eq!(change(shown[KEY].clone()).unwrap_err().0, KEY, "{url}");
        }
        shown[KEY][0]["token"] = json!("");
        assert_eq!(change(shown[KEY].clone()).unwrap().notify[0].token, "");
        assert_eq!(change(json!([])).unwrap().notify.len(), 0);
    }
}
