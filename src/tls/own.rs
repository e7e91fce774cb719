//! larder's own authority and certificate, as they lie in the state directory and are kept there.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::settings;
use crate::tls::Pair;
use crate::tls::authority::{self, Authority, Made, Trouble};
use crate::tls::clock::Moment;
use crate::tls::leaf::{self, Leaf, Wanted};

/// A pair of files in the state directory.
struct Files {
    /// With the certificate.
    certificate: &'static str,
    /// With its key.
    key: &'static str,
}

/// The authority.
const AUTHORITY: Files = Files { certificate: "tls-ca.pem", key: "tls-ca-key.pem" };

/// The certificate for the machine.
const LEAF: Files = Files { certificate: "tls-cert.pem", key: "tls-key.pem" };

/// What is in force: looked at again now and then by whoever owns it.
pub struct Own {
    /// The state directory.
    state: PathBuf,
    /// What was found or made; nothing before the first look.
    held: Option<Held>,
}

/// Both.
#[derive(Clone)]
struct Held {
    /// Who vouches.
    authority: Authority,
    /// For the machine.
    leaf: Leaf,
}

impl Own {
    /// Nothing is looked at yet.
    pub fn new(state: &Path) -> Self {
        Self { state: state.to_path_buf(), held: None }
    }

    /// What devices are to trust; nothing before the first look.
    pub fn authority(&self) -> Option<&Authority> {
        self.held.as_ref().map(|held| &held.authority)
    }

    /// What the machine proves itself by; nothing before the first look.
    pub fn pair(&self) -> Option<&Pair> {
        self.held.as_ref().map(|held| held.leaf.pair())
    }

    /// Sees to it that there are an authority and a certificate by it for all that is `wanted`. Only the first look of a
    /// run makes an authority: at any later one somebody else may be at it (`renew`). Gives what is worth a line in the
    /// log.
    ///
    /// Errors: one line; then everything is as before.
    pub fn look(&mut self, wanted: &Wanted, now: SystemTime) -> Result<Vec<String>, String> {
        let mut news = Vec::new();
        let authority = self.find_authority(wanted, now, &mut news)?;
        let before = match &self.held {
            Some(held) => Some(held.leaf.clone()),
            None => self.read_leaf()?,
        };
        let now = Moment::read(now);
        let fault = before
            .as_ref()
            .map_or(Some("there was none"), |before| before.fault(&authority, wanted, now));
        let leaf = match (before, fault) {
            (Some(before), None) => before,
            (_, fault) => {
                let leaf = self.make_leaf(&authority, wanted, now, &mut news)?;
                let why = fault.unwrap_or_default();
                news.push(format!("made a new certificate for this machine: {why}"));
                leaf
            }
        };
        self.held = Some(Held { authority, leaf });
        Ok(news)
    }

    /// The authority that lies in the state directory.
    fn find_authority(
        &self,
        wanted: &Wanted,
        now: SystemTime,
        news: &mut Vec<String>,
    ) -> Result<Authority, String> {
        let certificate = settings::read_bounded(&self.state.join(AUTHORITY.certificate))?;
        if let (Some(held), Some(certificate)) = (&self.held, &certificate)
            && held.authority.is_in(certificate)
        {
            return Ok(held.authority.clone());
        }
        let key = settings::read_bounded(&self.state.join(AUTHORITY.key))?;
        let trouble = match Authority::read(certificate.as_deref(), key.as_deref()) {
            Ok(authority) => return Ok(authority),
            Err(trouble) => trouble,
        };
        let path = self.state.join(AUTHORITY.certificate);
        let line = |why: &str| format!("{}: {why}", path.display());
        match (&trouble, &self.held) {
            (Trouble::Half(why), None) => {
                AUTHORITY.put_aside(&self.state)?;
                news.push(format!("{}, and was put aside", line(why)));
            }
            (Trouble::None, None) => {}
            // Not ours to decide, or not while larder runs; what is in memory still serves.
            (Trouble::Foreign(why), _) | (Trouble::Half(why), Some(_)) => return Err(line(why)),
            (Trouble::None, Some(_)) => return Err(line("there is no such file any more")),
        }
        let authority = make_authority(&self.state, wanted, now)?;
        let (subject, print) = (authority.subject(), authority.fingerprint());
        news.push(format!("made an authority for certificates: {subject}, {print}"));
        Ok(authority)
    }

    /// The certificate that lies in the state directory; nothing where there is no whole pair.
    fn read_leaf(&self) -> Result<Option<Leaf>, String> {
        let certificate = settings::read_bounded(&self.state.join(LEAF.certificate))?;
        let key = settings::read_bounded(&self.state.join(LEAF.key))?;
        let Some((certificate, key)) = certificate.zip(key) else { return Ok(None) };
        Ok(Leaf::read(&certificate, &key).ok())
    }

    /// Makes a certificate, and keeps it, so that devices that ask their owner about it ask once and not after each
    /// start. What somebody else has made is put aside first.
    fn make_leaf(
        &self,
        authority: &Authority,
        wanted: &Wanted,
        now: Moment,
        news: &mut Vec<String>,
    ) -> Result<Leaf, String> {
        let key = settings::read_bounded(&self.state.join(AUTHORITY.key))?;
        let key = key.ok_or_else(|| format!("{}: there is no such file", AUTHORITY.key))?;
        let made = leaf::make(authority, &key, wanted, now)?;
        let leaf = Leaf::read(made.certificate.as_bytes(), made.key.as_bytes())?;
        let kept = self.put_strangers_aside(news).and_then(|()| LEAF.write(&self.state, &made));
        if let Err(line) = kept {
            // It serves from memory; the next start makes another.
            news.push(format!("the new certificate could not be kept: {line}"));
        }
        Ok(leaf)
    }

    /// Puts a certificate aside that none of larder's authorities has made.
    fn put_strangers_aside(&self, news: &mut Vec<String>) -> Result<(), String> {
        let path = self.state.join(LEAF.certificate);
        let Some(pem) = settings::read_bounded(&path)? else { return Ok(()) };
        if authority::has_made(&pem) {
            return Ok(());
        }
        LEAF.put_aside(&self.state)?;
        news.push(format!(
            "{} is by none of larder's authorities (FTP clients may know it) and was put aside",
            LEAF.certificate
        ));
        Ok(())
    }
}

impl Files {
    /// Writes both. The key first: a certificate without its key is taken for a whole pair by nobody.
    fn write(&self, state: &Path, made: &Made) -> Result<(), String> {
        settings::write_private(&state.join(self.key), made.key.as_bytes())?;
        settings::write_private(&state.join(self.certificate), made.certificate.as_bytes())
    }

    /// Gives both another name, so that nothing is lost that somebody may have put there.
    fn put_aside(&self, state: &Path) -> Result<(), String> {
        for name in [self.certificate, self.key] {
            settings::put_aside(&state.join(name))?;
        }
        Ok(())
    }
}

/// Makes an authority in the place of whatever there is, which nobody can use any more from then on. A server that runs
/// takes it up at its next look.
///
/// Errors: one line.
pub fn make_authority(state: &Path, wanted: &Wanted, now: SystemTime) -> Result<Authority, String> {
    let made = authority::make(wanted.host(), wanted.names(), now)?;
    AUTHORITY.write(state, &made)?;
    read_authority(state)?.ok_or_else(|| format!("{} is gone again", AUTHORITY.certificate))
}

/// The authority that lies in a state directory; changes nothing.
///
/// Errors: one line; there is half of one, or somebody else's.
pub fn read_authority(state: &Path) -> Result<Option<Authority>, String> {
    let path = state.join(AUTHORITY.certificate);
    let certificate = settings::read_bounded(&path)?;
    let key = settings::read_bounded(&state.join(AUTHORITY.key))?;
    match Authority::read(certificate.as_deref(), key.as_deref()) {
        Ok(authority) => Ok(Some(authority)),
        Err(Trouble::None) => Ok(None),
        Err(Trouble::Half(why) | Trouble::Foreign(why)) => {
            Err(format!("{}: {why}", path.display()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use std::time::{Duration, UNIX_EPOCH};

    /// A moment of today's.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000)
    }

    /// The machine at this address.
    fn wanted(address: &str) -> Wanted {
        Wanted::of("nas", &[], &[address.parse().unwrap()])
    }

    /// What lies in a file of a folder.
    fn content(folder: &Path, name: &str) -> Vec<u8> {
        std::fs::read(folder.join(name)).unwrap()
    }

    /// A first look of a new run.
    fn look(folder: &Path, address: &str) -> (Own, Vec<String>) {
        let mut own = Own::new(folder);
        let news = own.look(&wanted(address), now()).unwrap();
        (own, news)
    }

    #[test]
    fn both_are_made_once_and_nobody_else_may_read_them() {
        let folder = tempfile::tempdir().unwrap();
        let (own, news) = look(folder.path(), "10.0.0.1");
        assert_eq!(news.len(), 2, "{news:?}");
        for name in ["tls-ca.pem", "tls-ca-key.pem", "tls-cert.pem", "tls-key.pem"] {
            let mode = folder.path().join(name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
        let (again, news) = look(folder.path(), "10.0.0.1");
        assert!(news.is_empty(), "{news:?}");
        assert_eq!(again.authority(), own.authority());
        assert!(again.pair() == own.pair());
    }

    #[test]
    fn another_address_makes_another_certificate_by_the_same_authority() {
        let folder = tempfile::tempdir().unwrap();
        let (mut own, _) = look(folder.path(), "10.0.0.1");
        let (authority, pair) = (own.authority().cloned(), own.pair().cloned());
        assert!(own.look(&wanted("10.0.0.1"), now()).unwrap().is_empty());
        assert_eq!(own.look(&wanted("10.0.0.2"), now()).unwrap().len(), 1);
        assert_eq!(own.authority().cloned(), authority);
        assert!(own.pair().cloned() != pair);
        let (again, _) = look(folder.path(), "10.0.0.2");
        assert!(again.pair() == own.pair(), "which is kept");
    }

    #[test]
    fn an_authority_that_was_renewed_beside_us_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let (mut own, _) = look(folder.path(), "10.0.0.1");
        let before = own.authority().cloned();
        let renewed = make_authority(folder.path(), &wanted("10.0.0.1"), now()).unwrap();
        assert_eq!(own.look(&wanted("10.0.0.1"), now()).unwrap().len(), 1);
        assert_eq!(own.authority(), Some(&renewed));
        assert_ne!(own.authority().cloned(), before);
    }

    #[test]
    fn half_an_authority_is_put_aside_at_the_start_and_only_then() {
        for missing in ["tls-ca.pem", "tls-ca-key.pem"] {
            let folder = tempfile::tempdir().unwrap();
            let (mut own, _) = look(folder.path(), "10.0.0.1");
            std::fs::remove_file(folder.path().join(missing)).unwrap();
            let before = own.authority().cloned();
            let _told_or_not_yet = own.look(&wanted("10.0.0.2"), now());
            assert_eq!(own.authority().cloned(), before, "what is in memory still serves");
            let (after, news) = look(folder.path(), "10.0.0.1");
            assert_ne!(after.authority().cloned(), before);
            assert!(news[0].contains("put aside"), "{news:?}");
            let is_aside = |name: &str| folder.path().join(format!("{name}.before")).exists();
            assert!(is_aside("tls-ca.pem") || is_aside("tls-ca-key.pem"));
            assert!(read_authority(folder.path()).unwrap().is_some());
        }
    }

    #[test]
    fn half_a_certificate_is_made_whole() {
        let folder = tempfile::tempdir().unwrap();
        look(folder.path(), "10.0.0.1");
        // As a power cut between the two files leaves it.
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        std::fs::write(folder.path().join("tls-key.pem"), key).unwrap();
        let (own, news) = look(folder.path(), "10.0.0.1");
        assert_eq!(news.len(), 1, "{news:?}");
        let kept = Leaf::read(
            &content(folder.path(), "tls-cert.pem"),
            &content(folder.path(), "tls-key.pem"),
        );
        assert!(kept.unwrap().pair() == own.pair().unwrap());
    }

    #[test]
    fn a_certificate_of_before_is_put_aside_and_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["larder".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("tls-cert.pem"), &certificate).unwrap();
        std::fs::write(folder.path().join("tls-key.pem"), key.serialize_pem()).unwrap();
        let (_, news) = look(folder.path(), "10.0.0.1");
        assert!(news.iter().any(|line| line.contains("put aside")), "{news:?}");
        assert_eq!(content(folder.path(), "tls-cert.pem.before"), certificate.as_bytes());
        assert_ne!(content(folder.path(), "tls-cert.pem"), certificate.as_bytes());
    }

    #[test]
    fn somebody_elses_authority_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::default();
        let certificate = params.self_signed(&key).unwrap().pem();
        std::fs::write(folder.path().join("tls-ca.pem"), &certificate).unwrap();
        std::fs::write(folder.path().join("tls-ca-key.pem"), key.serialize_pem()).unwrap();
        let told = Own::new(folder.path()).look(&wanted("10.0.0.1"), now()).unwrap_err();
        assert!(told.contains("tls-ca.pem"), "{told}");
        assert_eq!(content(folder.path(), "tls-ca.pem"), certificate.as_bytes());
    }
}
