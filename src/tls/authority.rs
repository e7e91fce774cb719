//! larder as its own authority: what devices are told to trust, so that they believe the certificates that it makes
//! (`leaf`). It can vouch for nothing but names and addresses of a house, whoever has its key: that stands in it,
//! critical, and clients refuse what is outside (decision 0025). The key is read when something is to be signed and
//! is not kept in memory.

use std::net::IpAddr;
use std::time::SystemTime;

use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, PublicKeyData,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use sha2::{Digest, Sha256};

use crate::limits;
use crate::tls::clock::{self, Moment};
use crate::tls::der::{self, Facts};
use crate::tls::public_suffix;

/// Domains that no stranger can have a name in; the bare `localhost` is one that nobody can have at all.
const OF_THE_HOUSE: &[&str] =
    &["local", "lan", "home.arpa", "internal", "home", "fritz.box", "localhost"];

/// Networks that no stranger can be reached in (RFC 1918, 3927, 1122; RFC 4193, 4291), each with the bits that count.
const NETWORKS: &[(&str, u8)] = &[
    ("10.0.0.0", 8),
    ("172.16.0.0", 12),
    ("192.168.0.0", 16),
    ("169.254.0.0", 16),
    ("127.0.0.0", 8),
    ("fc00::", 7),
    ("fe80::", 10),
    ("::1", 128),
];

/// What the subject of every authority of larder's begins with.
const SUBJECT: &str = "larder on ";

/// Why there is no authority in two files.
#[derive(Debug)]
pub enum Trouble {
    /// There is none yet.
    None,
    /// There is half of one, or two halves of different ones: what a power cut can leave, and nobody can use.
    Half(String),
    /// Somebody's whole one, which larder cannot sign in the name of: it is nobody's to throw away.
    Foreign(String),
}

/// An authority, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The certificate.
    der: CertificateDer<'static>,
    /// What it is called.
    subject: String,
    /// The last second in which it holds.
    ends: Moment,
    /// The domains that it may vouch for names in.
    domains: Vec<String>,
}

/// A certificate and its key, as they are written into files.
pub struct Made {
    /// The certificate, PEM.
    pub certificate: String,
    /// The key, PEM.
    pub key: String,
}

/// Makes an authority for a machine of this name. `names` are the machine's own ones, which it may vouch for besides
/// those of a house.
///
/// Errors: one line.
pub fn make<'a>(
    host: &str,
    names: impl Iterator<Item = &'a str>,
    now: SystemTime,
) -> Result<Made, String> {
    let key = KeyPair::generate().map_err(|cause| cause.to_string())?;
    let mut wanted = params(&subject(host, &key));
    wanted.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    // Not for signed programs or mail, of which name constraints say nothing.
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let constraints =
        NameConstraints { permitted_subtrees: permitted(names), excluded_subtrees: Vec::new() };
    wanted.name_constraints = Some(constraints);
    // From a year before any clock that was ever set. A board without a battery makes its authority when it believes
    // to be in 1970, and certificates that begin a month before that; devices whose clock is right must take both.
    let begins = Moment::EARLIEST.before(limits::AUTHORITY_BACKDATED);
    clock::hold(&mut wanted, begins, Moment::read(now).after(limits::AUTHORITY_LIFE));
    let certificate = wanted.self_signed(&key).map_err(|cause| cause.to_string())?.pem();
    Ok(Made { certificate, key: key.serialize_pem() })
}

/// What an authority is called: devices show it, and take two of one name for one.
fn subject(host: &str, key: &KeyPair) -> String {
    let end = host.floor_char_boundary(limits::AUTHORITY_HOST_BYTES_MAX);
    let mark = Sha256::digest(key.subject_public_key_info());
    let mark = mark.iter().take(limits::AUTHORITY_MARK_BYTES);
    let mark: Vec<String> = mark.map(|byte| format!("{byte:02x}")).collect();
    format!("{SUBJECT}{}, {}", host.get(..end).unwrap_or_default(), mark.concat())
}

/// All that an authority may vouch for.
fn permitted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<GeneralSubtree> {
    let own = names.filter(|name| may_permit(name) && !is_below(name, OF_THE_HOUSE));
    let domains = OF_THE_HOUSE.iter().copied().chain(own);
    let network = |(address, bits): &(&str, u8)| {
        address.parse().ok().map(|address: IpAddr| CidrSubnet::from_addr_prefix(address, *bits))
    };
    let domains = domains.map(|name| GeneralSubtree::DnsName(name.to_owned()));
    let networks = NETWORKS.iter().filter_map(network).map(GeneralSubtree::IpAddress);
    domains.chain(networks).collect()
}

impl Authority {
    /// An authority that lies in two files, `None` for one that is not there.
    ///
    /// Errors: what is wrong with them.
    pub fn read(certificate: Option<&[u8]>, key: Option<&[u8]>) -> Result<Self, Trouble> {
        let half = |what: &str| Trouble::Half(what.to_owned());
        let (certificate, key) = match (certificate, key) {
            (Some(certificate), Some(key)) => (certificate, key),
            (None, None) => return Err(Trouble::None),
            (Some(_), None) => return Err(half("its key is missing")),
            (None, Some(_)) => return Err(half("its certificate is missing")),
        };
        let authority = Self::read_certificate(certificate)?;
        authority.key(key).map_err(Trouble::Half)?;
        if authority.subject.is_empty() {
            return Err(Trouble::Foreign("it is not one that larder has made".to_owned()));
        }
        Ok(authority)
    }

    /// What stands in a certificate; without a subject where it is not one of ours.
    fn read_certificate(pem: &[u8]) -> Result<Self, Trouble> {
        let half = |what: &str| Trouble::Half(what.to_owned());
        let der = CertificateDer::from_pem_slice(pem).map_err(|cause| half(&cause.to_string()))?;
        let found = der::facts(&der).ok_or_else(|| half("its certificate cannot be read"))?;
        let is_by_itself = found.issuer == found.subject;
        let is_ours = |name: &String| name.starts_with(SUBJECT) && is_by_itself;
        let subject = found.subject.filter(is_ours).unwrap_or_default();
        let (ends, domains) = (Moment::at(found.ends), found.permitted_domains);
        Ok(Self { der, subject, ends, domains })
    }

    /// The certificate.
    pub const fn der(&self) -> &CertificateDer<'static> {
        &self.der
    }

    /// What it is called.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The last second in which it holds.
    pub const fn ends(&self) -> Moment {
        self.ends
    }

    /// Whether a certificate by it was this PEM's; cheap.
    pub fn is_in(&self, certificate: &[u8]) -> bool {
        CertificateDer::from_pem_slice(certificate).is_ok_and(|der| der == self.der)
    }

    /// SHA-256 of the certificate, as devices show it: pairs of hexadecimal digits with colons.
    pub fn fingerprint(&self) -> String {
        let pairs: Vec<String> =
            Sha256::digest(&self.der).iter().map(|byte| format!("{byte:02X}")).collect();
        pairs.join(":")
    }

    /// Whether it may vouch for this name.
    pub fn permits(&self, name: &str) -> bool {
        is_below(name, &self.domains)
    }

    /// What signs in its name, by this key.
    ///
    /// Errors: one line; the key is another's.
    pub fn signer(&self, key: &[u8]) -> Result<Issuer<'static, KeyPair>, String> {
        Ok(Issuer::new(params(&self.subject), self.key(key)?))
    }

    /// Its key, from PEM.
    fn key(&self, pem: &[u8]) -> Result<KeyPair, String> {
        let found = der::facts(&self.der).ok_or("its certificate cannot be read")?;
        key_of(&found, pem)
    }
}

/// The key of a certificate, from PEM.
///
/// Errors: one line; it is none, or another's.
pub fn key_of(certificate: &Facts, pem: &[u8]) -> Result<KeyPair, String> {
    let text = str::from_utf8(pem).map_err(|_| "its key cannot be read")?;
    let key = KeyPair::from_pem(text).map_err(|_| "its key cannot be read")?;
    if key.subject_public_key_info() != certificate.key {
        return Err("its key is that of another".to_owned());
    }
    Ok(key)
}

/// Whether a certificate says that it is by one of larder's authorities, whichever.
pub fn has_made(certificate: &[u8]) -> bool {
    let der = CertificateDer::from_pem_slice(certificate);
    let der = der.as_ref().map(AsRef::as_ref).unwrap_or_default();
    der::facts(der).and_then(|found| found.issuer).is_some_and(|name| name.starts_with(SUBJECT))
}

/// What every certificate of an authority's says of it, itself included.
fn params(subject: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, subject);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// Whether an authority that is made now would vouch for this name. Constraints cannot permit a name without permitting
/// everything below it, so a machine that is called like a domain of the internet must do without that name.
pub fn may_permit(name: &str) -> bool {
    is_below(name, OF_THE_HOUSE) || !public_suffix::may_be(name)
}

/// Whether a name is one of these domains, or in one.
fn is_below<D: AsRef<str>>(name: &str, domains: &[D]) -> bool {
    domains.iter().any(|domain| {
        name.strip_suffix(domain.as_ref())
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// Whether this is an address that the authority may vouch for.
pub const fn is_of_house(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_loopback(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;
    use std::process::Command;
    use std::time::{Duration, UNIX_EPOCH};

    /// A moment of today's.
    fn now() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_795_000_000)
    }

    /// Makes one and reads it again.
    fn authority(host: &str, names: &[&str]) -> (Made, Authority) {
        let made = make(host, names.iter().copied(), now()).unwrap();
        let read = Authority::read(Some(made.certificate.as_bytes()), Some(made.key.as_bytes()));
        (made, read.unwrap())
    }

    /// What openssl says of a certificate.
    fn told(folder: &Path, certificate: &str) -> String {
        let file = folder.join("ca.pem");
        std::fs::write(&file, certificate).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["x509", "-noout", "-text", "-fingerprint", "-sha256", "-in"]).arg(&file);
        String::from_utf8(openssl.output().unwrap().stdout).unwrap()
    }

    #[test]
    fn others_read_in_it_what_it_may_vouch_for() {
        let folder = tempfile::tempdir().unwrap();
        let (made, authority) = authority("nas", &["nas", "nas.example.org", "x.local", "cloud"]);
        let told = told(folder.path(), &made.certificate);
        let constraints = told.split("Name Constraints: critical").nth(1).unwrap();
        let constraints = constraints.split("Signature Algorithm").next().unwrap();
        let permitted: Vec<&str> = constraints
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("DNS:") || line.starts_with("IP:"))
            .collect();
        let domains = ["local", "lan", "home.arpa", "internal", "home", "fritz.box", "localhost"];
        let own = ["nas", "nas.example.org"];
        let mut wanted: Vec<String> =
            domains.iter().chain(&own).map(|name| format!("DNS:{name}")).collect();
        wanted.extend([
            "IP:10.0.0.0/255.0.0.0".to_owned(),
            "IP:172.16.0.0/255.240.0.0".to_owned(),
            "IP:192.168.0.0/255.255.0.0".to_owned(),
            "IP:169.254.0.0/255.255.0.0".to_owned(),
            "IP:127.0.0.0/255.0.0.0".to_owned(),
            "IP:FC00:0:0:0:0:0:0:0/FE00:0:0:0:0:0:0:0".to_owned(),
            "IP:FE80:0:0:0:0:0:0:0/FFC0:0:0:0:0:0:0:0".to_owned(),
            format!("IP:0:0:0:0:0:0:0:1/{}", ["FFFF"; 8].join(":")),
        ]);
        assert_eq!(permitted, wanted, "{told}");
        for line in [
            "CA:TRUE, pathlen:0",
            "Basic Constraints: critical",
            "Certificate Sign, CRL Sign",
            "TLS Web Server Authentication",
            "ASN1 OID: prime256v1",
            "Not Before: Jan  2 00:00:00 2024 GMT",
            authority.subject(),
            &format!("Fingerprint={}", authority.fingerprint()),
        ] {
            assert!(told.contains(line), "{line} is missing in {told}");
        }
        assert_eq!(authority.ends().seconds() - 1_795_000_000, 10 * 365 * 24 * 3600);
    }

    #[test]
    fn what_it_permits_is_what_stands_in_it() {
        let (_, authority) = authority("nas", &["nas", "nas.example.org", "cloud"]);
        for name in ["nas", "larder.local", "local", "a.b.lan", "nas.example.org", "localhost"] {
            assert!(authority.permits(name), "{name}");
        }
        for name in ["example.org", "notlocal", "cloud", "x.cloud", "larder.local.example", "com"] {
            assert!(!authority.permits(name), "{name}");
        }
        assert!(!may_permit("cloud") && may_permit("nas") && may_permit("cloud.fritz.box"));
        for (address, is_ours) in
            [("10.1.2.3", true), ("192.168.0.1", true), ("fd00::1", true), ("fe80::1", true)]
                .into_iter()
                .chain([("8.8.8.8", false), ("2001:db8::1", false), ("172.32.0.1", false)])
        {
            assert_eq!(is_of_house(address.parse().unwrap()), is_ours, "{address}");
        }
    }

    #[test]
    fn each_has_a_subject_of_its_own_that_is_never_too_long() {
        let (_, one) = authority("nas", &[]);
        let (_, other) = authority("nas", &[]);
        assert_ne!(one.subject(), other.subject());
        let mark = one.subject().strip_prefix("larder on nas, ").unwrap();
        assert!(mark.len() == 8 && mark.bytes().all(|byte| byte.is_ascii_hexdigit()), "{mark}");
        let (_, long) = authority(&"ü".repeat(40), &[]);
        assert!(long.subject().len() <= 64, "{}", long.subject());
    }

    #[test]
    fn half_of_one_and_one_of_somebody_else_are_told_apart() {
        let (one, _) = authority("nas", &[]);
        let (other, _) = authority("nas", &[]);
        let read = |certificate: Option<&str>, key: Option<&str>| {
            Authority::read(certificate.map(str::as_bytes), key.map(str::as_bytes))
        };
        assert!(matches!(read(None, None), Err(Trouble::None)));
        for (certificate, key) in [
            (Some(&*one.certificate), None),
            (None, Some(&*one.key)),
            (Some(&*one.certificate), Some(&*other.key)),
            (Some("nonsense"), Some(&*one.key)),
            (Some(""), Some("")),
            (Some(&*one.certificate), Some("nonsense")),
        ] {
            let read = read(certificate, key);
            assert!(matches!(read, Err(Trouble::Half(_))), "{certificate:?} {key:?} {read:?}");
        }
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap().pem();
        let foreign = read(Some(&certificate), Some(&key.serialize_pem()));
        assert!(matches!(foreign, Err(Trouble::Foreign(_))), "{foreign:?}");
    }

    #[test]
    fn a_clock_that_was_never_set_makes_one_that_holds_now() {
        let made = make("nas", std::iter::empty(), UNIX_EPOCH).unwrap();
        let read = Authority::read(Some(made.certificate.as_bytes()), Some(made.key.as_bytes()));
        let ends = read.unwrap().ends();
        assert_eq!(ends, Moment::EARLIEST.after(limits::AUTHORITY_LIFE));
        let far = UNIX_EPOCH + Duration::from_secs(u64::MAX >> 8);
        assert!(make("nas", std::iter::empty(), far).is_ok(), "nor does one that is far off break");
    }
}
