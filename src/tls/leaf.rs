//! The certificate that larder's own authority (`authority`) makes for the machine: for the names and addresses of
//! now, and when it is to be made anew.

use std::collections::BTreeSet;
use std::net::IpAddr;

use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::RootCertStore;
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, DnsName, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;

use crate::limits;
use crate::tls::authority::{self, Authority, Made};
use crate::tls::clock::{self, Moment};
use crate::tls::{Pair, der};

/// The names that every larder has.
const ALWAYS: [&str; 2] = ["larder.local", "localhost"];

/// By which names and addresses the machine is to be reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What the machine is called.
    host: String,
    /// Names, in lower case.
    names: BTreeSet<String>,
    /// Addresses.
    addresses: BTreeSet<IpAddr>,
}

impl Wanted {
    /// Of a machine with these names and addresses, as far as certificates can be for them; addresses that anybody could
    /// have are left out.
    pub fn of(host: &str, names: &[String], addresses: &[IpAddr]) -> Self {
        let label = host.split('.').next().unwrap_or(host);
        let local = format!("{label}.local");
        let names =
            ALWAYS.into_iter().chain([&*local, host]).chain(names.iter().map(|name| &**name));
        let names = names.map(str::to_ascii_lowercase).filter(|name| is_name(name));
        let addresses = addresses.iter().copied().filter(|ip| authority::is_of_house(*ip));
        Self {
            host: host.to_owned(),
            names: names.take(limits::LEAF_NAMES_MAX).collect(),
            addresses: addresses.take(limits::LEAF_ADDRESSES_MAX).collect(),
        }
    }

    /// What the machine is called.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What the authority may vouch for.
    #[must_use]
    pub fn permitted_by(&self, authority: &Authority) -> Self {
        let mut permitted = self.clone();
        permitted.names.retain(|name| authority.permits(name));
        permitted
    }

    /// Those of its names that an authority made now would vouch for, and this one may not.
    pub fn left_out_by<'a>(&'a self, authority: &'a Authority) -> impl Iterator<Item = &'a str> {
        self.names().filter(|name| !authority.permits(name) && authority::may_permit(name))
    }

    /// All of them, as certificates are asked for them.
    fn server_names(&self) -> impl Iterator<Item = ServerName<'_>> {
        let names = self.names().filter_map(|name| ServerName::try_from(name).ok());
        names.chain(self.addresses.iter().map(|address| ServerName::from(*address)))
    }
}

/// Whether a certificate can be for this name.
fn is_name(name: &str) -> bool {
    DnsName::try_from(name).is_ok() && name.parse::<IpAddr>().is_err() && !name.ends_with('.')
}

/// A certificate by the authority, with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// What a server proves itself by. The authority's certificate does not go along: whoever trusts it has it, nobody
    /// else is convinced by it, and every handshake would be longer by it.
    pair: Pair,
    /// Since when it holds.
    begins: Moment,
    /// The last second in which it does.
    ends: Moment,
}

impl Leaf {
    /// Reads both files.
    ///
    /// Errors: one line; there is no whole pair in them.
    pub fn read(certificate: &[u8], key: &[u8]) -> Result<Self, String> {
        let der = CertificateDer::from_pem_slice(certificate).map_err(|cause| cause.to_string())?;
        let found = der::facts(&der).ok_or("it cannot be read")?;
        authority::key_of(&found, key)?;
        let (begins, ends) = (Moment::at(found.begins), Moment::at(found.ends));
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|cause| cause.to_string())?;
        Ok(Self { pair: Pair { chain: vec![der], key }, begins, ends })
    }

    /// What a server proves itself by.
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// Why it is to be made anew, for the log; nothing where it is as it should be.
    pub fn fault(
        &self,
        authority: &Authority,
        wanted: &Wanted,
        now: Moment,
    ) -> Option<&'static str> {
        if !self.is_by(authority) {
            return Some("the one of before was not by this authority");
        }
        let (begins, ends) = span(authority, now);
        let would_hold = begins <= now && now <= ends;
        if (now < self.begins || now > self.ends) && would_hold {
            return Some("the one of before does not hold at this time");
        }
        let is_due = now > self.ends.before(limits::LEAF_RENEWED_BEFORE);
        if is_due && ends > self.ends {
            return Some("the one of before was about to end");
        }
        let lacks = !self.is_for(&wanted.permitted_by(authority));
        lacks.then_some("the machine has another name or address")
    }

    /// Whether devices that trust the authority believe it, while it holds: judged as they do.
    fn is_by(&self, authority: &Authority) -> bool {
        let mut roots = RootCertStore::empty();
        let Some(certificate) = self.pair.chain.first() else { return false };
        let Ok(certificate) = ParsedCertificate::try_from(certificate) else { return false };
        if roots.add(authority.der().clone()).is_err() {
            return false;
        }
        let algorithms = ring::default_provider().signature_verification_algorithms.all;
        let when = UnixTime::since_unix_epoch(self.begins.since_epoch());
        verify_server_cert_signed_by_trust_anchor(&certificate, &roots, &[], when, algorithms)
            .is_ok()
    }

    /// Whether it is for all of these.
    fn is_for(&self, wanted: &Wanted) -> bool {
        let certificate = self.pair.chain.first().map(ParsedCertificate::try_from);
        let Some(Ok(certificate)) = certificate else { return false };
        wanted.server_names().all(|name| verify_server_name(&certificate, &name).is_ok())
    }
}

/// From when to when a certificate holds that is made now. It ends no later than the authority.
fn span(authority: &Authority, now: Moment) -> (Moment, Moment) {
    let begins = now.before(limits::LEAF_BACKDATED);
    (begins, begins.after(limits::LEAF_LIFE).min(authority.ends()))
}

/// Makes a certificate, with a key of its own, by the authority's key.
///
/// Errors: one line.
pub fn make(
    authority: &Authority,
    authority_key: &[u8],
    wanted: &Wanted,
    now: Moment,
) -> Result<Made, String> {
    let signer = authority.signer(authority_key)?;
    let wanted = wanted.permitted_by(authority);
    let made = || {
        let mut params = CertificateParams::new(wanted.names.into_iter().collect::<Vec<_>>())?;
        params.subject_alt_names.extend(wanted.addresses.into_iter().map(SanType::IpAddress));
        // Only to be shown: names are in the extension alone.
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "larder");
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let (begins, ends) = span(authority, now);
        clock::hold(&mut params, begins, ends);
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &signer)?.pem();
        Ok(Made { certificate, key: key.serialize_pem() })
    };
    made().map_err(|cause: rcgen::Error| cause.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;
    use std::time::{Duration, UNIX_EPOCH};

    /// A day, in seconds.
    const DAY: i64 = 24 * 3600;

    /// A moment of today's.
    const NOW: i64 = 1_795_000_000;

    /// An authority with its key, made then.
    fn authority(at: i64) -> (Made, Authority) {
        let at = UNIX_EPOCH + Duration::from_secs(at.cast_unsigned());
        let made = authority::make("nas", ["nas"].into_iter(), at).unwrap();
        let key = Some(made.key.as_bytes());
        let read = Authority::read(Some(made.certificate.as_bytes()), key).unwrap();
        (made, read)
    }

    /// The machine, with these besides what it always has.
    fn wanted(names: &[&str], addresses: &[&str]) -> Wanted {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let addresses: Vec<IpAddr> = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
        Wanted::of("nas", &names, &addresses)
    }

    /// A certificate for these, made then.
    fn leaf(by: &(Made, Authority), wanted: &Wanted, at: i64) -> (Made, Leaf) {
        let made = make(&by.1, by.0.key.as_bytes(), wanted, Moment::at(at)).unwrap();
        let read = Leaf::read(made.certificate.as_bytes(), made.key.as_bytes()).unwrap();
        (made, read)
    }

    #[test]
    fn it_is_for_what_the_machine_is_called_and_nothing_that_others_could_have() {
        let names = ["NAS.fritz.box", "10.0.0.1", "a b", "x.", "", "münchen"];
        let found = wanted(&names, &["192.168.1.4", "8.8.8.8", "2001:db8::1", "fd00::2", "::1"]);
        let names: Vec<&str> = found.names().collect();
        assert_eq!(names, ["larder.local", "localhost", "nas", "nas.fritz.box", "nas.local"]);
        let addresses: Vec<String> = found.addresses.iter().map(ToString::to_string).collect();
        assert_eq!(addresses, ["192.168.1.4", "::1", "fd00::2"]);
        let of_domain = Wanted::of("nas.example.org", &[], &[]);
        assert!(of_domain.names().any(|name| name == "nas.local"));
        assert!(of_domain.names().any(|name| name == "nas.example.org"));
    }

    #[test]
    fn others_believe_it_for_its_names_while_it_holds() {
        let folder = tempfile::tempdir().unwrap();
        let by = authority(NOW);
        let (made, _) = leaf(&by, &wanted(&[], &["127.0.0.1", "::1", "10.0.0.4"]), NOW);
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", &by.0.certificate);
        write("leaf.pem", &made.certificate);
        let verify = |more: &[&str]| {
            let mut openssl = Command::new("openssl");
            openssl.current_dir(folder.path());
            openssl.args(["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", "ca.pem"]);
            openssl.args(["-attime", &NOW.to_string()]).args(more).arg("leaf.pem");
            let told = openssl.output().unwrap();
            (told.status.success(), String::from_utf8_lossy(&told.stderr).into_owned())
        };
        for name in ["localhost", "nas", "nas.local", "larder.local"] {
            let (is_good, told) = verify(&["-verify_hostname", name]);
            assert!(is_good, "{name}: {told}");
        }
        for address in ["127.0.0.1", "::1", "10.0.0.4"] {
            let (is_good, told) = verify(&["-verify_ip", address]);
            assert!(is_good, "{address}: {told}");
        }
        assert!(!verify(&["-verify_hostname", "other.local"]).0);
        assert!(!verify(&["-verify_ip", "10.0.0.5"]).0);
    }

    #[test]
    fn it_lasts_a_year_and_is_made_anew_a_month_before_its_end() {
        let by = authority(NOW);
        let wanted = wanted(&[], &["127.0.0.1"]);
        let (_, leaf) = leaf(&by, &wanted, NOW);
        assert_eq!(leaf.ends.seconds() - leaf.begins.seconds(), 365 * DAY);
        let fault = |days: i64| leaf.fault(&by.1, &wanted, Moment::at(NOW + days * DAY));
        for days in [-30, -1, 0, 100, 304] {
            assert_eq!(fault(days), None, "{days}");
        }
        assert_eq!(fault(306), Some("the one of before was about to end"));
        for days in [-31, 336, 3000] {
            assert_eq!(fault(days), Some("the one of before does not hold at this time"), "{days}");
        }
    }

    #[test]
    fn it_ends_with_the_authority_and_then_no_new_one_helps() {
        let by = authority(NOW);
        let wanted = wanted(&[], &[]);
        let end = by.1.ends().seconds();
        let (_, leaf) = leaf(&by, &wanted, end - 40 * DAY);
        assert_eq!(leaf.ends, by.1.ends());
        for day in [-40, -20, 0, 1, 400] {
            assert_eq!(leaf.fault(&by.1, &wanted, Moment::at(end + day * DAY)), None, "{day}");
        }
    }

    #[test]
    fn another_name_or_address_needs_another_and_one_that_goes_does_not() {
        let by = authority(NOW);
        let (_, leaf) = leaf(&by, &wanted(&["nas.lan"], &["10.0.0.4", "127.0.0.1"]), NOW);
        let fault =
            |names: &[&str], ips: &[&str]| leaf.fault(&by.1, &wanted(names, ips), Moment::at(NOW));
        assert_eq!(fault(&["nas.lan"], &["10.0.0.4"]), None);
        assert_eq!(fault(&[], &[]), None);
        let other = Some("the machine has another name or address");
        assert_eq!(fault(&[], &["10.0.0.5"]), other);
        assert_eq!(fault(&["nas.home"], &[]), other);
        assert_eq!(fault(&[], &["8.8.8.8"]), None, "which is nothing to vouch for");
    }

    #[test]
    fn names_that_the_authority_may_not_vouch_for_are_left_out() {
        let by = authority(NOW);
        let renamed = Wanted::of("attic", &["cloud".to_owned()], &[]);
        let (_, leaf) = leaf(&by, &renamed, NOW);
        assert_eq!(leaf.fault(&by.1, &renamed, Moment::at(NOW)), None);
        assert!(!leaf.is_for(&renamed));
        let left_out: Vec<&str> = renamed.left_out_by(&by.1).collect();
        assert_eq!(left_out, ["attic"], "a new authority would permit this one alone");
    }

    #[test]
    fn one_by_another_authority_is_none() {
        let (by, other) = (authority(NOW), authority(NOW));
        let wanted = wanted(&[], &[]);
        let (made, leaf) = leaf(&by, &wanted, NOW);
        let why = leaf.fault(&other.1, &wanted, Moment::at(NOW));
        assert_eq!(why, Some("the one of before was not by this authority"));
        assert!(make(&by.1, other.0.key.as_bytes(), &wanted, Moment::at(NOW)).is_err());
        assert!(authority::has_made(made.certificate.as_bytes()));
        assert!(Leaf::read(made.certificate.as_bytes(), by.0.key.as_bytes()).is_err());
        assert!(Leaf::read(b"nonsense", made.key.as_bytes()).is_err());
    }

    #[test]
    fn a_name_outside_is_refused_even_when_the_key_was_stolen() {
        let by = authority(NOW);
        let signer = by.1.signer(by.0.key.as_bytes()).unwrap();
        for name in ["example.com", "1.2.3.4", "evil.dev"] {
            let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
            params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
            clock::hold(&mut params, Moment::at(NOW - DAY), Moment::at(NOW + DAY));
            let key = KeyPair::generate().unwrap();
            let certificate = params.signed_by(&key, &signer).unwrap().pem();
            let stolen = Leaf::read(certificate.as_bytes(), key.serialize_pem().as_bytes());
            assert!(!stolen.unwrap().is_by(&by.1), "{name}");
        }
    }
}
