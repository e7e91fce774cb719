//! The part of larder's room of accounts that knows tokens of locks.

#[path = "../../../src/auth/lock_token.rs"]
pub mod lock_token;

/// Stands in for the real one: a run like another.
pub mod key {
    use crate::error::Result;

    /// Bytes that are always the same, so that what was found is found again.
    pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
        Ok([7; N])
    }
}
