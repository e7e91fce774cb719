//! What TLS connections are made from, for every door: certificate and key, the owner's or larder's own, looked at
//! again now and then, so that whoever renews them tells nobody. Knows no protocol above TLS.

mod authority;
mod clock;
mod der;
mod leaf;
mod own;
mod pair;
mod public_suffix;

pub use authority::Authority;
pub use leaf::Wanted;
pub use own::{make_authority, read_authority};
pub use pair::Pair;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Instant, SystemTime};

use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::{NoServerSessionStorage, ProducesTickets};

use crate::logbook::{Event, Logbook};
use crate::settings::{CertificateFiles, Config, Https, Settings, Wrong};
use crate::tls::own::Own;
use crate::{limits, system, terminal, threads};

/// Where connections come from.
pub struct Tls {
    /// The state directory.
    state: PathBuf,
    /// Which files they are.
    config: Arc<Config>,
    /// Where a pair that does not fit is told of.
    logbook: Arc<Logbook>,
    /// The ciphers.
    provider: Arc<CryptoProvider>,
    /// Seals what clients come back with. Its keys are of this run, and outlast another certificate.
    tickets: Arc<dyn ProducesTickets>,
    /// What was found at the last look.
    known: Mutex<Known>,
    /// larder's own authority, and what that makes. Locked behind `known`, if both are.
    own: Mutex<Own>,
    /// The authority as of the last look; never locked for long.
    authority: Mutex<Option<Authority>>,
    /// The name by which the machine is found in the local network, where that is another than its owner wants.
    announced: Mutex<Option<String>>,
}

/// What is known of the files.
#[derive(Default)]
struct Known {
    /// When they were looked at; `None` for a look that is due.
    looked: Option<Instant>,
    /// What `made` was made from.
    pair: Option<Pair>,
    /// What connections are made from.
    made: Option<Made>,
    /// What is wrong with the files of now, told already.
    complaint: Option<String>,
}

/// What connections are made from, ready for each door.
#[derive(Clone)]
struct Made {
    /// Without any protocol above.
    plain: Arc<ServerConfig>,
    /// With that of the pages, which clients ask for by name (RFC 7301).
    http: Arc<ServerConfig>,
}

impl Tls {
    /// Nothing is read yet.
    ///
    /// Errors: one line; the system gives no random bytes.
    pub fn new(state: &Path, config: &Arc<Config>, logbook: &Arc<Logbook>) -> Result<Self, String> {
        Ok(Self {
            state: state.to_path_buf(),
            config: Arc::clone(config),
            logbook: Arc::clone(logbook),
            provider: Arc::new(ring::default_provider()),
            tickets: ring::Ticketer::new().map_err(|cause| cause.to_string())?,
            known: Mutex::default(),
            own: Mutex::new(Own::new(state)),
            authority: Mutex::default(),
            announced: Mutex::default(),
        })
    }

    /// What devices are to trust, which is made at the first look; nothing where the owner gave files of another's.
    /// Looks at the files as `config` does.
    ///
    /// Errors: one line.
    pub fn authority(&self) -> Result<Option<Authority>, String> {
        if self.has_authority() {
            self.config()?;
        }
        Ok(self.known_authority())
    }

    /// The same as of the last look. Waits for nothing.
    pub fn known_authority(&self) -> Option<Authority> {
        self.has_authority().then(|| threads::locked(&self.authority).clone()).flatten()
    }

    /// Whether larder is its own authority.
    fn has_authority(&self) -> bool {
        let settings = self.config.settings();
        settings.https.mode != Https::Off && settings.certificate.is_own()
    }

    /// Whether connections could be made from these files.
    ///
    /// Errors: the key of the settings that is wrong, and why.
    pub fn check(&self, files: &CertificateFiles) -> Result<(), Wrong> {
        files.check_whole()?;
        let made = self.named(files).and_then(|pair| pair.map(|pair| self.make(pair)).transpose());
        made.map(|_made| ()).map_err(|why| ("tls_cert", why))
    }

    /// The files may be others now. Where they are in use, or named, they are looked at at once, so that whoever
    /// changed them hears in time what is wrong with them.
    pub fn look_again(&self) {
        let mut known = threads::locked(&self.known);
        known.looked = None;
        let settings = self.config.settings();
        let is_asked_for = settings.https.mode != Https::Off || !settings.certificate.is_own();
        if known.made.is_some() || is_asked_for {
            self.look(&mut known, Instant::now());
        }
    }

    /// The machine is found in the local network under this label from now on, before `.local`.
    pub fn announced_as(&self, label: &str) {
        *threads::locked(&self.announced) = Some(label.to_owned());
        self.look_again();
    }

    /// What a connection is made from.
    ///
    /// Errors: one line.
    pub fn config(&self) -> Result<Arc<ServerConfig>, String> {
        Ok(self.made_at(Instant::now())?.plain)
    }

    /// The same for HTTP.
    ///
    /// Errors: one line.
    pub fn config_for_http(&self) -> Result<Arc<ServerConfig>, String> {
        Ok(self.made_at(Instant::now())?.http)
    }

    /// What was made from the files of at most a minute before `now`.
    fn made_at(&self, now: Instant) -> Result<Made, String> {
        let mut known = threads::locked(&self.known);
        let age = known.looked.map(|looked| now.saturating_duration_since(looked));
        if age.is_none_or(|age| age >= limits::CERTIFICATE_LOOK_TIME) {
            self.look(&mut known, now);
        }
        let Known { made, complaint, .. } = &*known;
        made.clone().ok_or_else(|| complaint.clone().unwrap_or_default())
    }

    /// Looks at the files. What does not fit leaves everything as it was, and is told once.
    fn look(&self, known: &mut Known, now: Instant) {
        known.looked = Some(now);
        match self.renewed(known.pair.as_ref()) {
            Ok(None) => known.complaint = None,
            Ok(Some((pair, made))) => {
                *known = Known { pair: Some(pair), made: Some(made), complaint: None, ..*known };
            }
            Err(line) => {
                if known.complaint.as_ref() != Some(&line) {
                    terminal::warn(&format!("the certificate: {line}"));
                    self.logbook.note_own(Event::other(format!("the certificate: {line}")));
                }
                known.complaint = Some(line);
                self.stand_in(known);
            }
        }
    }

    /// What the files of now make, if they are others than `before`.
    fn renewed(&self, before: Option<&Pair>) -> Result<Option<(Pair, Made)>, String> {
        let files = &self.config.settings().certificate;
        let pair = match self.named(files)? {
            Some(pair) => pair,
            None => self.own_pair()?,
        };
        if before == Some(&pair) {
            return Ok(None);
        }
        let made = self.make(pair.clone())?;
        Ok(Some((pair, made)))
    }

    /// Where nothing of the owner's was ever usable in this run, larder's own pair stands in for it: a browser that
    /// asks is better than one that gets no answer.
    fn stand_in(&self, known: &mut Known) {
        if known.made.is_some() {
            return;
        }
        let own = self.own_pair().and_then(|pair| Ok((self.make(pair.clone())?, pair)));
        if let Ok((made, pair)) = own {
            known.made = Some(made);
            known.pair = Some(pair);
        }
    }

    /// larder's own pair, for the names and addresses of now.
    fn own_pair(&self) -> Result<Pair, String> {
        let announced = threads::locked(&self.announced).clone();
        let wanted = wanted(&self.config.settings(), announced.as_deref());
        let mut own = threads::locked(&self.own);
        for line in own.look(&wanted, SystemTime::now())? {
            self.logbook.note_own(Event::change(line));
        }
        *threads::locked(&self.authority) = own.authority().cloned();
        own.pair().cloned().ok_or_else(|| "there is no certificate".to_owned())
    }

    /// The pair of the owner, if the settings name one.
    fn named(&self, files: &CertificateFiles) -> Result<Option<Pair>, String> {
        if files.is_own() {
            return Ok(None);
        }
        files.check_whole().map_err(|(key, why)| format!("{key}: {why}"))?;
        let pair = Pair::read(&self.state.join(&files.chain), &self.state.join(&files.key));
        // Whoever asks by the API knows what they wrote, and is not told where the state lies.
        let place = format!("{}/", self.state.display());
        pair.map(Some).map_err(|line| line.replace(&place, ""))
    }

    /// What connections are made from, of a pair.
    fn make(&self, pair: Pair) -> Result<Made, String> {
        let mut plain = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|cause| cause.to_string())?
            .with_no_client_auth()
            .with_single_cert(pair.chain, pair.key)
            .map_err(|cause| format!("certificate and key do not fit: {cause}"))?;
        plain.ticketer = Arc::clone(&self.tickets);
        // Whoever comes back brings a ticket, so that nothing is kept of those who do not.
        plain.session_storage = Arc::new(NoServerSessionStorage {});
        let mut http = plain.clone();
        http.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Made { plain: Arc::new(plain), http: Arc::new(http) })
    }
}

/// By which names and addresses this machine is to be reached: what it is called, what its owner calls it, and where
/// it is in the network now. `announced`: the label under which others find it there.
pub fn wanted(settings: &Settings, announced: Option<&str>) -> Wanted {
    let labels = [Some(&*settings.discovery.name), announced].into_iter().flatten();
    let mut names: Vec<String> = labels.map(|label| format!("{label}.local")).collect();
    names.extend(system::look_up());
    let without_port = |host: &str| host.split(':').next().unwrap_or(host).to_owned();
    names.extend(settings.public_host().map(without_port));
    names.extend(settings.allowed_hosts.iter().filter(|name| !name.contains('*')).cloned());
    Wanted::of(&system::host(), &names, &system::lasting())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logbook::Filter;

    /// A house without doors, whose settings name these files.
    fn tls(folder: &Path, chain: &str, key: &str) -> Tls {
        let named = format!(r#"{{"tls_cert": "{chain}", "tls_key": "{key}"}}"#);
        std::fs::write(folder.join("settings.json"), named).unwrap();
        let config = Arc::new(Config::open(folder, &[]).unwrap());
        let logbook = Arc::new(Logbook::open(&folder.join("logs.db"), 1).unwrap());
        Tls::new(folder, &config, &logbook).unwrap()
    }

    /// Which pair is served.
    fn served(tls: &Tls) -> Pair {
        tls.config().unwrap();
        threads::locked(&tls.known).pair.clone().unwrap()
    }

    /// The pair that larder has made, or makes, in a folder.
    fn own_of(folder: &Path) -> Pair {
        let mut own = Own::new(folder);
        let (settings, _) = Settings::with_defaults(serde_json::Map::new());
        own.look(&wanted(&Settings::parse(settings).unwrap(), None), SystemTime::now()).unwrap();
        own.pair().unwrap().clone()
    }

    /// Puts another pair into two files.
    fn put(folder: &Path, chain: &str, key: &str) -> Pair {
        let made = tempfile::tempdir().unwrap();
        let pair = own_of(made.path());
        std::fs::copy(made.path().join("tls-cert.pem"), folder.join(chain)).unwrap();
        std::fs::copy(made.path().join("tls-key.pem"), folder.join(key)).unwrap();
        pair
    }

    #[test]
    fn another_pair_is_served_when_it_is_looked_at_again() {
        let folder = tempfile::tempdir().unwrap();
        let first = put(folder.path(), "a.pem", "b.pem");
        let tls = tls(folder.path(), "a.pem", "b.pem");
        assert!(served(&tls) == first);
        let second = put(folder.path(), "a.pem", "b.pem");
        assert!(served(&tls) == first, "a minute has not gone by");
        tls.look_again();
        assert!(served(&tls) == second);
    }

    /// Which pair is served at a later time, when nobody but who connects looks at the files.
    fn served_at(tls: &Tls, now: Instant) -> Pair {
        tls.made_at(now).unwrap();
        threads::locked(&tls.known).pair.clone().unwrap()
    }

    #[test]
    fn files_are_followed_by_the_minute_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (start, minute) = (Instant::now(), limits::CERTIFICATE_LOOK_TIME);
        let first = put(folder.path(), "a.pem", "b.pem");
        let tls = tls(folder.path(), "a.pem", "b.pem");
        assert!(served_at(&tls, start) == first);
        let second = put(folder.path(), "a.pem", "b.pem");
        assert!(served_at(&tls, start + minute / 2) == first);
        assert!(served_at(&tls, start + minute) == second);
        let third = put(folder.path(), "a.pem", "b.pem");
        assert!(served_at(&tls, start + minute + minute / 2) == second, "the minute begins anew");
        assert!(served_at(&tls, start + 2 * minute) == third);
    }

    /// What the log says of certificates.
    fn complaints(tls: &Tls) -> usize {
        let all = Filter { rows_max: 100, ..Filter::default() };
        let rows = tls.logbook.newest(&all).unwrap();
        rows.iter().filter(|row| row.action.contains("the certificate: ")).count()
    }

    #[test]
    fn a_pair_that_does_not_fit_is_told_once_and_not_each_minute() {
        let folder = tempfile::tempdir().unwrap();
        let (start, minute) = (Instant::now(), limits::CERTIFICATE_LOOK_TIME);
        let first = put(folder.path(), "a.pem", "b.pem");
        let tls = tls(folder.path(), "a.pem", "b.pem");
        assert!(served_at(&tls, start) == first);
        let second = put(folder.path(), "a.pem", "c.pem");
        for minutes in 1..=5 {
            assert!(served_at(&tls, start + minutes * minute) == first);
        }
        assert_eq!(complaints(&tls), 1);
        // Another thing is wrong with it by now.
        std::fs::remove_file(folder.path().join("b.pem")).unwrap();
        for minutes in 6..=8 {
            assert!(served_at(&tls, start + minutes * minute) == first);
        }
        assert_eq!(complaints(&tls), 2);
        std::fs::copy(folder.path().join("c.pem"), folder.path().join("b.pem")).unwrap();
        assert!(served_at(&tls, start + 9 * minute) == second);
        // Once mended, the same fault is news again.
        std::fs::remove_file(folder.path().join("b.pem")).unwrap();
        assert!(served_at(&tls, start + 10 * minute) == second);
        assert!(served_at(&tls, start + 11 * minute) == second);
        assert_eq!(complaints(&tls), 3);
    }

    #[test]
    fn what_does_not_fit_leaves_the_old_pair() {
        let folder = tempfile::tempdir().unwrap();
        let first = put(folder.path(), "a.pem", "b.pem");
        let tls = tls(folder.path(), "a.pem", "b.pem");
        assert!(served(&tls) == first);
        put(folder.path(), "a.pem", "c.pem");
        tls.look_again();
        assert!(served(&tls) == first);
        let complaint = threads::locked(&tls.known).complaint.clone().unwrap();
        assert!(complaint.contains("do not fit"), "{complaint}");
    }

    #[test]
    fn what_is_no_certificate_is_named_and_larders_own_stands_in() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.pem"), "nonsense").unwrap();
        let tls = tls(folder.path(), "a.pem", "b.pem");
        let check = |chain: &str, key: &str| {
            let files = CertificateFiles { chain: chain.to_owned(), key: key.to_owned() };
            tls.check(&files).unwrap_err()
        };
        assert!(check("a.pem", "b.pem").1.contains("a.pem: no certificate is in it"));
        assert!(check("c.pem", "b.pem").1.contains("c.pem: there is no such file"));
        assert_eq!(check("", "b.pem").0, "tls_cert");
        assert_eq!(check("a.pem", "").0, "tls_key");
        assert!(served(&tls) == own_of(folder.path()));
        // Half of a pair is no reason to serve nothing.
        let half = self::tls(folder.path(), "a.pem", "");
        assert!(served(&half) == own_of(folder.path()));
    }
}
