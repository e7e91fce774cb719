//! A certificate and its key, as they lie in two PEM files.

use std::path::Path;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::settings;

/// What a server proves itself by.
#[derive(Debug, PartialEq, Eq)]
pub struct Pair {
    /// Its certificate, and those that vouch for it, each by the next.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of the first.
    pub key: PrivateKeyDer<'static>,
}

impl Pair {
    /// Reads both files.
    ///
    /// Errors: one line that names the file.
    pub fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let chain = CertificateDer::pem_slice_iter(&bytes(certificate)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| wrong(certificate, &cause))?;
        if chain.is_empty() {
            return Err(wrong(certificate, &"no certificate is in it"));
        }
        let key =
            PrivateKeyDer::from_pem_slice(&bytes(key)?).map_err(|cause| wrong(key, &cause))?;
        Ok(Self { chain, key })
    }
}

impl Clone for Pair {
    fn clone(&self) -> Self {
        Self { chain: self.chain.clone(), key: self.key.clone_key() }
    }
}

/// What is in a file that has to be there.
fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    settings::read_bounded(path)?.ok_or_else(|| wrong(path, &"there is no such file"))
}

/// One line that names the file.
fn wrong(path: &Path, cause: &dyn std::fmt::Display) -> String {
    format!("{}: {cause}", path.display())
}
