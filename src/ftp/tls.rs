//! FTPS (RFC 4217): the certificate, the owner's or one that larder makes itself at its first use.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection};

use crate::settings::{self, FtpSettings};
use crate::{limits, threads};

/// The certificate that larder makes, in the state directory.
const CERTIFICATE: &str = "tls-cert.pem";

/// Its key.
const KEY: &str = "tls-key.pem";

/// What TLS connections are made from, read when the first one is wanted.
pub struct Tls {
    /// The state directory.
    state: PathBuf,
    /// What was read, and from where.
    read: Mutex<Option<(FtpSettings, Arc<ServerConfig>)>>,
}

impl Tls {
    /// Nothing is read yet.
    pub fn new(state: &Path) -> Self {
        Self { state: state.to_path_buf(), read: Mutex::new(None) }
    }

    /// A new connection.
    ///
    /// Errors: one line for the logbook.
    pub fn connection(&self, settings: &FtpSettings) -> Result<ServerConnection, String> {
        let mut read = threads::locked(&self.read);
        let known = read
            .as_ref()
            .filter(|(of, _)| (&of.certificate, &of.key) == (&settings.certificate, &settings.key));
        let config = if let Some((_, config)) = known {
            Arc::clone(config)
        } else {
            let config = Arc::new(self.read(settings)?);
            *read = Some((settings.clone(), Arc::clone(&config)));
            config
        };
        ServerConnection::new(config).map_err(|cause| cause.to_string())
    }

    /// Forgets what was read: the files may be others now.
    pub fn forget(&self) {
        *threads::locked(&self.read) = None;
    }

    /// Reads certificate and key, making them if they are to be larder's own.
    fn read(&self, settings: &FtpSettings) -> Result<ServerConfig, String> {
        let is_own = settings.certificate.is_empty();
        let (certificate, key) = if is_own {
            (self.state.join(CERTIFICATE), self.state.join(KEY))
        } else {
            (self.state.join(&settings.certificate), self.state.join(&settings.key))
        };
        let bytes = |path: &Path| settings::read_bounded(path);
        let missing = |path: &Path| format!("{}: there is no such file", path.display());
        let (chain, secret) = match (bytes(&certificate)?, bytes(&key)?) {
            (Some(chain), Some(secret)) => (chain, secret),
            _ if is_own => make(&certificate, &key)?,
            (None, _) => return Err(missing(&certificate)),
            (_, None) => return Err(missing(&key)),
        };
        let wrong = |path: &Path| {
            let path = path.display().to_string();
            move |cause: &dyn std::fmt::Display| format!("{path}: {cause}")
        };
        let chain = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| wrong(&certificate)(&cause))?;
        let secret = PrivateKeyDer::from_pem_slice(&secret).map_err(|cause| wrong(&key)(&cause))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| cause.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|cause| wrong(&certificate)(&cause))
    }
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
fn make(certificate: &Path, key: &Path) -> Result<(Vec<u8>, Vec<u8>), String> {
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
    settings::write_private(certificate, &chain)?;
    Ok((chain, secret))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn settings(certificate: &str, key: &str) -> FtpSettings {
        FtpSettings {
            is_on: true,
            host: None,
            port: 0,
            timeout_s: 1,
            passive_ports: 2000..=2001,
            public_host: String::new(),
            needs_tls: false,
            certificate: certificate.to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn a_certificate_is_made_once_and_its_key_is_private() {
        let folder = tempfile::tempdir().unwrap();
        Tls::new(folder.path()).connection(&settings("", "")).unwrap();
        let read = || std::fs::read(folder.path().join(CERTIFICATE)).unwrap();
        let first = read();
        Tls::new(folder.path()).connection(&settings("", "")).unwrap();
        assert_eq!(read(), first);
        let mode = folder.path().join(KEY).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        // The same files by their names are as good.
        Tls::new(folder.path()).connection(&settings(CERTIFICATE, KEY)).unwrap();
    }

    #[test]
    fn whom_to_trust_is_told_by_the_certificate() {
        let folder = tempfile::tempdir().unwrap();
        Tls::new(folder.path()).connection(&settings("", "")).unwrap();
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

    #[test]
    fn what_is_no_certificate_is_named() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.pem"), "nonsense").unwrap();
        let tls = Tls::new(folder.path());
        assert!(tls.connection(&settings("a.pem", "b.pem")).unwrap_err().contains("b.pem"));
        std::fs::write(folder.path().join("b.pem"), "nonsense").unwrap();
        assert!(tls.connection(&settings("a.pem", "b.pem")).is_err());
    }
}
