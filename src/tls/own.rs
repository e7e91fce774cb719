//! The certificate that larder makes itself where its owner gave none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::tls::Pair;
use crate::{limits, settings};

/// The certificate that larder makes, in the state directory.
const CERTIFICATE: &str = "tls-cert.pem";

/// Its key.
const KEY: &str = "tls-key.pem";

/// Reads it, making it where it is not there yet.
///
/// Errors: one line.
pub fn pair(state: &Path) -> Result<Pair, String> {
    let (certificate, key) = (state.join(CERTIFICATE), state.join(KEY));
    let is_there = |path: &Path| settings::read_bounded(path).map(|found| found.is_some());
    if !is_there(&certificate)? || !is_there(&key)? {
        make(&certificate, &key)?;
    }
    Pair::read(&certificate, &key)
}

/// The addresses of this machine by which clients may call it, loopback first.
fn addresses() -> Vec<IpAddr> {
    let mut found = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    if let Ok(networks) = sysinfo::Networks::new_with_refreshed_list() {
        let all = networks.values().flat_map(sysinfo::NetworkData::ip_networks);
        let mut all: Vec<IpAddr> = all.map(|network| network.addr).collect();
        all.sort();
        all.dedup();
        all.retain(|address| !found.contains(address));
        found.extend(all);
    }
    found.truncate(limits::FTP_CERTIFICATE_ADDRESSES_MAX);
    found
}

/// Makes a certificate that is its own authority, with the names and addresses of now, and keeps it: a
/// client that has accepted it once knows it again. So it is not made anew when an address comes, of which
/// IPv6 has a new one each day.
fn make(certificate: &Path, key: &Path) -> Result<(), String> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut names = vec!["larder".to_owned(), "larder.local".to_owned(), "localhost".to_owned()];
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.');
    if !host.is_empty() && host.chars().all(is_name) {
        names.extend([format!("{host}.local"), host]);
    }
    let made = || {
        let mut wanted = rcgen::CertificateParams::new(names)?;
        wanted.subject_alt_names.extend(addresses().into_iter().map(rcgen::SanType::IpAddress));
        // What clients show to whoever is to trust it.
        wanted.distinguished_name.push(rcgen::DnType::CommonName, "larder");
        // From before any board's clock, which may be wrong, up to the last year that clients of old can
        // tell from 1950 (RFC 5280, 4.1.2.5).
        wanted.not_before = rcgen::date_time_ymd(2020, 1, 1);
        wanted.not_after = rcgen::date_time_ymd(2049, 12, 31);
        let pair = rcgen::KeyPair::generate()?;
        let made = wanted.self_signed(&pair)?;
        Ok((made.pem().into_bytes(), pair.serialize_pem().into_bytes()))
    };
    let (chain, secret) = made().map_err(|cause: rcgen::Error| cause.to_string())?;
    // The key first: a certificate without its key would be taken for a whole pair by nobody.
    settings::write_private(key, &secret)?;
    settings::write_private(certificate, &chain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = pair(folder.path()).unwrap();
        assert!(pair(folder.path()).unwrap() == first);
        let mode = folder.path().join(KEY).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn whom_to_trust_is_told_by_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        pair(folder.path()).unwrap();
        let told = std::process::Command::new("openssl")
            .args(["x509", "-noout", "-subject", "-dates", "-in"])
            .arg(folder.path().join(CERTIFICATE))
            .output()
            .unwrap();
        let told = String::from_utf8(told.stdout).unwrap();
        assert!(told.contains("CN = larder") || told.contains("CN=larder"), "{told}");
        assert!(told.contains("notBefore=Jan  1 00:00:00 2020 GMT"), "{told}");
        assert!(told.contains("notAfter=Dec 31 00:00:00 2049 GMT"), "{told}");
    }
}
