//! The keys of `settings.json` (contract, section 6): their types, defaults and rules.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::certificate::CertificateFiles;
use super::dav::DavSettings;
use super::discovery::{self, DiscoverySettings};
use super::notify::{self, Target};
use super::roles::is_role_name;
use crate::limits;

/// One consistent set of settings, checked as a whole.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Address that HTTP listens at.
    pub host: IpAddr,
    /// Port that HTTP listens at; 0 takes a free one.
    pub port: u16,
    /// The share root; relative to the state directory unless absolute.
    pub path: String,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// Web origins whose pages may use the API from a browser.
    pub cors_origins: Vec<String>,
    /// Names beside its own that larder may be asked for by: each whole, `*.` and a domain, or `*` for any.
    pub allowed_hosts: Vec<String>,
    /// Where larder is reached from elsewhere, as an origin; empty when nowhere.
    pub public_url: String,
    /// Days that log rows are kept.
    pub log_retention_days: u32,
    /// Where the cloud's bridge is; empty when there is none.
    pub cloud_url: String,
    /// Where release manifests come from; empty when nowhere.
    pub update_url: String,
    /// The public key that releases are signed for (Ed25519, base64); empty for the built-in one.
    pub update_public_key: String,
    /// The FTP server.
    pub ftp: FtpSettings,
    /// HTTP over TLS.
    pub https: HttpsSettings,
    /// Where the owner's certificate lies.
    pub certificate: CertificateFiles,
    /// What powers the machine off: a program and its arguments.
    pub shutdown_command: Vec<String>,
    /// What restarts the machine.
    pub restart_command: Vec<String>,
    /// How long a command of the console may run (s).
    pub command_timeout_s: u32,
    /// Days that the trash keeps things; 0 turns it off.
    pub trash_days: u32,
    /// Percent of a drive that the trash may take; 0 turns it off.
    pub trash_percent: u32,
    /// Versions of one file that are kept.
    pub versions_max: u32,
    /// Days that an upload that broke off waits to be gone on with.
    pub upload_days: u32,
    /// Megabytes of small pictures that each drive keeps; 0 keeps none.
    pub thumbs_mb: u32,
    /// Whether each drive keeps a list of its names, for searches.
    pub search_index: bool,
    /// Whether links open.
    pub links: bool,
    /// `WebDAV`.
    pub dav: DavSettings,
    /// Roles whose members sign in with a code beside the password.
    pub totp_roles: Vec<String>,
    /// How it is found in the local network.
    pub discovery: DiscoverySettings,
    /// Who is told when something happens.
    pub notify: Vec<Target>,
    /// Everything, keys that we don't know included, as it is stored.
    object: Value,
}

/// What the FTP server is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FtpSettings {
    /// Whether it runs.
    pub is_on: bool,
    /// Address that it listens at; `None` for that of larder itself.
    pub host: Option<IpAddr>,
    /// Port that it listens at; 0 takes a free one.
    pub port: u16,
    /// How long a client may be silent between two commands (s).
    pub timeout_s: u32,
    /// Ports for passive data connections.
    pub passive_ports: RangeInclusive<u16>,
    /// What clients from elsewhere are told as our name or address; empty for the one they used.
    pub public_host: String,
    /// Whether signing in and sending need TLS.
    pub needs_tls: bool,
}

/// Whether HTTP is spoken over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Https {
    /// Beside plain HTTP.
    On,
    /// Plain HTTP leads there.
    Only,
    /// No.
    Off,
}

/// What HTTP over TLS is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpsSettings {
    /// Whether it is spoken.
    pub mode: Https,
    /// Port where nothing else is spoken, in addition; 0 for none.
    pub port: u16,
    /// Days that browsers are to come by nothing else; 0 tells them nothing.
    pub hsts_days: u32,
}

/// A block of addresses, as in `192.168.0.0/16` (RFC 4632, RFC 4291).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    /// Any address of the block.
    address: IpAddr,
    /// How many leading bits decide.
    prefix_bits: u32,
}

/// What is wrong: the key, and why.
pub type Wrong = (&'static str, String);

/// What an answer has beside the settings: those that something else covers. It is no setting itself.
pub const IN_FORCE: &str = "in_force";

/// The keys that a change from outside never touches: a secret, what the program itself is, and what was
/// only told.
const KEPT: [&str; 3] = ["com_password", "version", IN_FORCE];

/// What stands in an answer for a secret that is set.
pub(super) const MASK: &str = "********";

impl Settings {
    /// Whether members of a role sign in with a code beside the password.
    pub fn wants_factor(&self, role: &str) -> bool {
        self.totp_roles.iter().any(|wanted| wanted == role)
    }

    /// Fills in the default of each key that is missing; says whether none was.
    ///
    /// `version` always becomes this program's.
    pub fn with_defaults(mut found: Map<String, Value>) -> (Map<String, Value>, bool) {
        let Value::Object(defaults) = defaults() else { return (found, true) };
        let mut is_complete = true;
        for (key, value) in defaults {
            if key == "version" {
                is_complete &= found.get(&key) == Some(&value);
                found.insert(key, value);
            } else if !found.contains_key(&key) {
                is_complete = false;
                found.insert(key, value);
            }
        }
        (found, is_complete)
    }

    /// Checks every key that we know.
    ///
    /// Errors: the first key that is wrong, and why, in words for the owner.
    pub fn parse(object: Map<String, Value>) -> Result<Self, Wrong> {
        let keys = Keys(&object);
        let settings = Self {
            host: keys.address("host")?,
            port: keys.port("port")?,
            path: keys.path("path")?.to_owned(),
            trusted_proxies: keys.networks("trusted_proxies")?,
            cors_origins: keys.origins("cors_origins")?,
            allowed_hosts: keys.hosts("allowed_hosts")?,
            public_url: keys.origin("public_url")?,
            log_retention_days: keys.number("log_retention_days", limits::LOG_RETENTION_DAYS)?,
            cloud_url: keys.url("cloud_url")?.to_owned(),
            update_url: keys.url("update_url")?.to_owned(),
            update_public_key: keys.public_key("update_public_key")?.to_owned(),
            ftp: keys.ftp()?,
            https: keys.https()?,
            certificate: keys.certificate()?,
            shutdown_command: keys.command("shutdown_command")?,
            restart_command: keys.command("restart_command")?,
            command_timeout_s: keys.number("command_timeout", limits::COMMAND_TIMEOUT_S)?,
            trash_days: keys.number("trash_days", limits::TRASH_DAYS)?,
            trash_percent: keys.number("trash_percent", limits::TRASH_PERCENT)?,
            versions_max: keys.number("versions_max", limits::VERSIONS_MAX)?,
            upload_days: keys.number("upload_days", limits::UPLOAD_DAYS)?,
            thumbs_mb: keys.number("thumbs_mb", limits::THUMBS_MB)?,
            search_index: keys.flag("search_index")?,
            links: keys.flag("links")?,
            dav: DavSettings::read(&keys)?,
            totp_roles: keys.roles("totp_roles")?,
            discovery: DiscoverySettings::read(&keys)?,
            notify: notify::read(&keys)?,
            object: Value::Null,
        };
        keys.check_the_others()?;
        Ok(Self { object: Value::Object(object), ..settings })
    }

    /// Whether the port of HTTPS alone is another than that where everything is spoken.
    ///
    /// Errors: it is not. In a file that was edited by hand this is no reason to refuse the rest.
    pub fn check_ports(&self) -> Result<(), Wrong> {
        if self.https.port == 0 || self.https.port != self.port {
            return Ok(());
        }
        Err(("https_port", "must be another than port".to_owned()))
    }

    /// The host of `public_url`, perhaps with its port.
    pub fn public_host(&self) -> Option<&str> {
        self.public_url.split_once("://").map(|(_, host)| host)
    }

    /// As it is stored: a JSON object.
    pub fn object(&self) -> &Value {
        &self.object
    }

    /// The value of one key as it is stored.
    pub fn value(&self, key: &str) -> Option<&Value> {
        self.object.get(key)
    }

    /// The same settings with some keys replaced, checked as a whole. What may not be changed from
    /// outside stays as it is, whatever `changes` say.
    pub fn merged(&self, changes: Map<String, Value>) -> Result<Self, Wrong> {
        let mut object = self.object.as_object().cloned().unwrap_or_default();
        let may_change = |key: &String| !KEPT.contains(&key.as_str());
        let stored = object.get(notify::KEY).cloned().unwrap_or_default();
        object.extend(changes.into_iter().filter(|(key, _)| may_change(key)));
        object.get_mut(notify::KEY).map_or(Ok(()), |all| notify::unmask(all, &stored))?;
        Self::parse(object)
    }

    /// The keys whose stored value is another in `new`, or that only one of both has.
    pub fn differing(&self, new: &Self) -> Vec<String> {
        let keys = |settings: &Self| {
            settings.object.as_object().into_iter().flat_map(Map::keys).cloned().collect::<Vec<_>>()
        };
        let mut all = keys(new);
        all.extend(keys(self).into_iter().filter(|key| new.value(key).is_none()));
        all.retain(|key| self.value(key) != new.value(key));
        all
    }

    /// As an answer may show it: the secret masked.
    pub fn to_show(&self) -> Value {
        let mut object = self.object.clone();
        if let Some(secret) = object.get_mut("com_password").filter(|secret| **secret != "") {
            *secret = Value::from(MASK);
        }
        object.get_mut(notify::KEY).map(notify::mask);
        object
    }
}

impl Network {
    /// Reads an address or a block.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let bits_max = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = bits.unwrap_or(bits_max);
        (prefix_bits <= bits_max).then_some(Self { address, prefix_bits })
    }

    /// Whether `address` lies in the block. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let shift = 32 - self.prefix_bits;
                ours.to_bits().checked_shr(shift) == theirs.to_bits().checked_shr(shift)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let shift = 128 - self.prefix_bits;
                ours.to_bits().checked_shr(shift) == theirs.to_bits().checked_shr(shift)
            }
            _ => false,
        }
    }
}

/// Every key with its default, in the order in which the file shows them.
pub(super) fn defaults() -> Value {
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "host": Ipv4Addr::UNSPECIFIED.to_string(),
        "port": 6969,
        "path": "files",
        "com_password": "",
        "ftp": false,
        "ftp_host": "",
        "ftp_port": 2121,
        "ftp_timeout": 300,
        "ftp_passive_ports": "50000-50100",
        "ftp_public_host": "",
        "ftp_require_tls": false,
        "https": "on",
        "https_port": 0,
        "tls_cert": "",
        "tls_key": "",
        "hsts_days": 0,
        "shutdown_command": ["systemctl", "poweroff"],
        "restart_command": ["systemctl", "reboot"],
        "command_timeout": 30,
        "log_retention_days": 90,
        "update_url": "",
        "update_public_key": "",
        "cloud_url": "",
        "trusted_proxies": [],
        "cors_origins": [],
        "allowed_hosts": [],
        "public_url": "",
        "trash_days": 30,
        "trash_percent": 10,
        "versions_max": limits::VERSIONS_DEFAULT,
        "upload_days": 7,
        "thumbs_mb": 512,
        "search_index": true,
        "links": true,
        "dav": true,
        "dav_require_tls": false,
        "dav_litter": "refuse",
        "totp_roles": [],
        "discovery": true,
        "discovery_name": "larder",
        "server_name": discovery::default_server_name(),
        "notify": [],
    })
}

/// The object, with one reader for each type.
pub(super) struct Keys<'a>(&'a Map<String, Value>);

impl<'a> Keys<'a> {
    /// The value of a key; `with_defaults` has put every known one there.
    pub(super) fn value(&self, key: &'static str) -> Result<&'a Value, Wrong> {
        self.0.get(key).ok_or_else(|| (key, "missing".to_owned()))
    }

    /// A string without NUL.
    pub(super) fn text(&self, key: &'static str) -> Result<&'a str, Wrong> {
        match self.value(key)?.as_str() {
            Some(text) if !text.contains('\0') => Ok(text),
            _ => Err((key, "must be a text".to_owned())),
        }
    }

    /// An IP address to listen at.
    fn address(&self, key: &'static str) -> Result<IpAddr, Wrong> {
        let text = self.text(key)?;
        text.parse().map_err(|_| (key, "must be an IP address, such as 0.0.0.0".to_owned()))
    }

    /// A whole number within a range.
    fn number(&self, key: &'static str, range: RangeInclusive<u32>) -> Result<u32, Wrong> {
        let number = self.value(key)?.as_u64().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| range.contains(number)).ok_or_else(|| {
            (key, format!("must be a whole number from {} to {}", range.start(), range.end()))
        })
    }

    /// A TCP port; 0 takes a free one.
    fn port(&self, key: &'static str) -> Result<u16, Wrong> {
        let number = self.number(key, 0..=u32::from(u16::MAX))?;
        u16::try_from(number).map_err(|_| (key, "must be a port".to_owned()))
    }

    /// An array of strings.
    fn texts(&self, key: &'static str) -> Result<Vec<&'a str>, Wrong> {
        let texts: Option<Vec<&str>> =
            self.value(key)?.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
        texts.ok_or_else(|| (key, "must be an array of texts".to_owned()))
    }

    /// A folder; where larder's own things lie is for the caller to judge.
    fn path(&self, key: &'static str) -> Result<&'a str, Wrong> {
        let text = self.text(key)?;
        if text.is_empty() { Err((key, "must name a folder".to_owned())) } else { Ok(text) }
    }

    /// A program and its arguments.
    fn command(&self, key: &'static str) -> Result<Vec<String>, Wrong> {
        let words = self.texts(key)?;
        if words.first().is_none_or(|program| program.is_empty()) {
            return Err((key, "must name a program".to_owned()));
        }
        if words.iter().any(|word| word.contains('\0')) {
            return Err((key, "must not contain NUL".to_owned()));
        }
        Ok(words.into_iter().map(str::to_owned).collect())
    }

    /// An array of origins: scheme, host and perhaps port (RFC 6454, 6.2).
    fn origins(&self, key: &'static str) -> Result<Vec<String>, Wrong> {
        self.texts(key)?.into_iter().map(|origin| origin_of(key, origin)).collect()
    }

    /// Nothing, or one origin; a slash at its end is passed over.
    fn origin(&self, key: &'static str) -> Result<String, Wrong> {
        let text = self.text(key)?.trim();
        if text.is_empty() {
            return Ok(String::new());
        }
        origin_of(key, text.strip_suffix('/').unwrap_or(text))
    }

    /// An array of names of roles.
    fn roles(&self, key: &'static str) -> Result<Vec<String>, Wrong> {
        let names = self.texts(key)?;
        if names.len() > limits::ROLES_PER_ENDPOINT_MAX {
            return Err((key, "too many roles".to_owned()));
        }
        match names.iter().find(|name| !is_role_name(name)) {
            Some(name) => Err((key, format!("{name:?} is no name of a role"))),
            None => Ok(names.into_iter().map(Into::into).collect()),
        }
    }

    /// An array of names of servers.
    fn hosts(&self, key: &'static str) -> Result<Vec<String>, Wrong> {
        let check = |text: &str| {
            let name = text.trim().trim_end_matches('.').to_ascii_lowercase();
            let plain = name.strip_prefix("*.").unwrap_or(&name);
            if name != "*" && !is_host_name(plain) {
                return Err((key, format!("{text:?} is no name, such as nas.example.org")));
            }
            Ok(name)
        };
        self.texts(key)?.into_iter().map(check).collect()
    }

    /// An array of addresses or blocks.
    fn networks(&self, key: &'static str) -> Result<Vec<Network>, Wrong> {
        let parse = |text: &str| {
            Network::parse(text)
                .ok_or_else(|| (key, format!("{text:?} is no address or block of addresses")))
        };
        self.texts(key)?.into_iter().map(parse).collect()
    }

    /// Keys that nothing reads yet are checked all the same, so that a mistake shows at once.
    fn check_the_others(&self) -> Result<(), Wrong> {
        for key in ["version", "com_password"] {
            self.text(key)?;
        }
        Ok(())
    }

    /// What the FTP server is told.
    fn ftp(&self) -> Result<FtpSettings, Wrong> {
        let settings = FtpSettings {
            is_on: self.flag("ftp")?,
            host: match self.text("ftp_host")? {
                "" => None,
                _ => Some(self.address("ftp_host")?),
            },
            port: self.port("ftp_port")?,
            timeout_s: self.number("ftp_timeout", limits::FTP_TIMEOUT_S)?,
            passive_ports: self.ports("ftp_passive_ports")?,
            public_host: self.text("ftp_public_host")?.trim().to_owned(),
            needs_tls: self.flag("ftp_require_tls")?,
        };
        Ok(settings)
    }

    /// HTTP over TLS.
    fn https(&self) -> Result<HttpsSettings, Wrong> {
        let mode = match self.value("https")?.as_str() {
            Some("on") => Https::On,
            Some("only") => Https::Only,
            Some("off") => Https::Off,
            _ => return Err(("https", "must be \"on\", \"only\" or \"off\"".to_owned())),
        };
        let hsts_days = self.number("hsts_days", limits::HSTS_DAYS)?;
        Ok(HttpsSettings { mode, port: self.port("https_port")?, hsts_days })
    }

    /// Where the owner's certificate lies.
    fn certificate(&self) -> Result<CertificateFiles, Wrong> {
        let (chain, key) = (self.text("tls_cert")?.to_owned(), self.text("tls_key")?.to_owned());
        Ok(CertificateFiles { chain, key })
    }

    /// True or false.
    pub(super) fn flag(&self, key: &'static str) -> Result<bool, Wrong> {
        self.value(key)?.as_bool().ok_or_else(|| (key, "must be true or false".to_owned()))
    }

    /// `"50000-50100"`: a range of unprivileged ports.
    fn ports(&self, key: &'static str) -> Result<RangeInclusive<u16>, Wrong> {
        let range = self.text(key)?.split_once('-').and_then(|(first, last)| {
            let range = first.trim().parse().ok()?..=last.trim().parse().ok()?;
            (*range.start() >= 1024 && range.start() <= range.end()).then_some(range)
        });
        range.ok_or_else(|| {
            (key, "must be a range of ports from 1024 on, such as 50000-50100".to_owned())
        })
    }

    /// Nothing, or an Ed25519 public key in base64 (RFC 8032, 5.1.5: 32 bytes).
    fn public_key(&self, key: &'static str) -> Result<&'a str, Wrong> {
        let text = self.text(key)?;
        if text.is_empty() || BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32) {
            return Ok(text);
        }
        Err((key, "must be the 32 bytes of an Ed25519 key in base64".to_owned()))
    }

    /// Nothing, or an address of the web.
    fn url(&self, key: &'static str) -> Result<&'a str, Wrong> {
        let text = self.text(key)?;
        if text.is_empty() || is_web_address(text) {
            return Ok(text);
        }
        Err((key, "must begin with http:// or https://".to_owned()))
    }
}

/// An origin in lower case: scheme, host and perhaps port.
fn origin_of(key: &'static str, origin: &str) -> Result<String, Wrong> {
    let host = origin.split_once("://").map_or("", |(_, host)| host);
    if !is_web_address(origin) || host.contains(['/', '?', '#', '@', '*']) {
        return Err((key, format!("{origin:?} is no origin, such as http://nas.example")));
    }
    Ok(origin.to_ascii_lowercase())
}

/// Whether this may be the name of a server (RFC 1123, 2.1; with the underscores that some have).
fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether this begins as an `http` or `https` address with a host.
pub(super) fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(|letter: char| letter.is_whitespace() || letter.is_control())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str, value: Value) -> Result<Settings, Wrong> {
        let (mut object, _) = Settings::with_defaults(Map::new());
        object.insert(key.to_owned(), value);
        Settings::parse(object)
    }

    #[test]
    fn the_defaults_are_good_and_complete() {
        let (object, was_complete) = Settings::with_defaults(Map::new());
        assert!(!was_complete);
        let (object, is_complete) = Settings::with_defaults(object);
        assert!(is_complete);
        let settings = Settings::parse(object).unwrap();
        assert_eq!((settings.port, settings.host.to_string().as_str()), (6969, "0.0.0.0"));
    }

    #[test]
    fn unknown_keys_are_kept() {
        assert_eq!(
            with("of_the_future", json!([1])).unwrap().object()["of_the_future"],
            json!([1])
        );
    }

    #[test]
    fn a_change_replaces_what_it_names_and_spares_what_it_may_not_touch() {
        let old = with("com_password", json!("secret")).unwrap();
        let Value::Object(changes) = json!({
            "port": 8080, "com_password": "other", "version": "9.9.9", "new": {"a": 1}
        }) else {
            unreachable!()
        };
        let new = old.merged(changes).unwrap();
        assert_eq!((new.port, new.value("new")), (8080, Some(&json!({"a": 1}))));
        assert_eq!(new.value("com_password"), Some(&json!("secret")));
        assert_eq!(new.value("version"), Some(&json!(env!("CARGO_PKG_VERSION"))));
        assert_eq!(new.value("host"), old.value("host"));
        assert_eq!(new.to_show()["com_password"], MASK);
        assert_eq!(new.to_show()["port"], 8080);
    }

    #[test]
    fn a_secret_that_is_not_set_needs_no_mask() {
        assert_eq!(with("com_password", json!("")).unwrap().to_show()["com_password"], "");
    }

    #[test]
    fn each_wrong_value_names_its_key() {
        for (key, value) in [
            ("host", json!("nas.local")),
            ("port", json!(65536)),
            ("port", json!("80")),
            ("port", json!(-1)),
            ("path", json!(7)),
            ("path", json!("a\0b")),
            ("ftp", json!("yes")),
            ("ftp_passive_ports", json!("100-200")),
            ("ftp_timeout", json!(0)),
            ("ftp_require_tls", json!(1)),
            ("tls_key", json!(null)),
            ("https", json!("ON")),
            ("https", json!(true)),
            ("https_port", json!(65536)),
            ("hsts_days", json!(731)),
            ("ftp_passive_ports", json!("6000-5000")),
            ("shutdown_command", json!([])),
            ("restart_command", json!("reboot")),
            ("log_retention_days", json!(0)),
            ("update_url", json!("file:///etc")),
            ("update_public_key", json!("AAAA")),
            ("update_public_key", json!("not base64")),
            ("trusted_proxies", json!(["10.0.0.0/33"])),
            ("path", json!("")),
            ("shutdown_command", json!([""])),
            ("restart_command", json!(["a", "b\0"])),
            ("command_timeout", json!(0)),
            ("cors_origins", json!(["*"])),
            ("cors_origins", json!(["http://*"])),
            ("cors_origins", json!(["http://nas.example/"])),
            ("cors_origins", json!(["http://nas.example/app"])),
            ("cors_origins", json!(["http://ana@nas.example"])),
            ("cors_origins", json!(["http://nas\r\nX: y"])),
            ("trash_percent", json!(91)),
            ("versions_max", json!(0)),
            ("totp_roles", json!("admin")),
            ("totp_roles", json!([1])),
            ("totp_roles", json!([""])),
            ("totp_roles", json!([" admin"])),
            ("totp_roles", json!(vec!["x"; 1000])),
            ("allowed_hosts", json!(["nas.example:80"])),
            ("allowed_hosts", json!(["http://nas.example"])),
            ("allowed_hosts", json!(["*nas.example"])),
            ("allowed_hosts", json!([""])),
            ("allowed_hosts", json!("nas.example")),
            ("public_url", json!("nas.example")),
            ("public_url", json!("https://nas.example/larder")),
        ] {
            assert_eq!(with(key, value.clone()).unwrap_err().0, key, "{value}");
        }
    }

    #[test]
    fn a_block_of_addresses_holds_its_own_and_no_neighbour() {
        let block = Network::parse("192.168.4.0/22").unwrap();
        for (address, is_inside) in [
            ("192.168.4.1", true),
            ("192.168.7.255", true),
            ("192.168.8.0", false),
            ("::ffff:192.168.5.5", true),
            ("fe80::1", false),
        ] {
            assert_eq!(block.contains(address.parse().unwrap()), is_inside, "{address}");
        }
        assert!(Network::parse("0.0.0.0/0").unwrap().contains("8.8.8.8".parse().unwrap()));
        assert!(Network::parse("::/0").unwrap().contains("::1".parse().unwrap()));
        assert!(!Network::parse("10.0.0.1").unwrap().contains("10.0.0.2".parse().unwrap()));
        assert_eq!(Network::parse("10.0.0.0/x"), None);
    }
}
