//! Where the owner's certificate lies (second contract, section 20).

use super::values::Wrong;

/// Where the owner's certificate lies, for every door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    /// File with the chain (PEM), relative to the state directory unless absolute; empty for one that larder makes
    /// itself.
    pub chain: String,
    /// File with its key (PEM); likewise.
    pub key: String,
}

impl CertificateFiles {
    /// Whether larder makes its own.
    pub fn is_own(&self) -> bool {
        self.chain.is_empty() && self.key.is_empty()
    }

    /// Whether both are named, or neither.
    ///
    /// Errors: the key that is lacking. In a file that was edited by hand this is no reason to refuse the rest.
    pub fn check_whole(&self) -> Result<(), Wrong> {
        if self.chain.is_empty() == self.key.is_empty() {
            return Ok(());
        }
        let lacking = if self.key.is_empty() { "tls_key" } else { "tls_cert" };
        Err((lacking, "tls_cert and tls_key go together".to_owned()))
    }
}
