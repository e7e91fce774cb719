//! The SHA-256 of an upload, made while its bytes come, over all its requests. What did not come through this process
//! is read from the drive, and not sooner than the whole is there.

use super::upload_record::UploadId;
use crate::error::Result;
use crate::limits;
use crate::threads::locked;
use sha2::{Digest as _, Sha256};
use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Mutex;

/// How far the hash of an upload is.
#[derive(Clone, Default)]
pub(super) struct ContentHash {
    /// Of the first bytes.
    state: Sha256,
    /// How many those are.
    at: u64,
}

/// Those of uploads that nobody works on, of all shares, the oldest first.
static WAITING: Mutex<VecDeque<(UploadId, ContentHash)>> = Mutex::new(VecDeque::new());

impl ContentHash {
    /// That of an upload of which so many bytes are there, as far as it was made before.
    pub fn of(id: &UploadId, offset: u64) -> Self {
        let mut all = locked(&WAITING);
        let at = all.iter().position(|(other, _)| other == id);
        let found = at.and_then(|at| all.remove(at)).map(|(_, hash)| hash);
        found.filter(|hash| hash.at <= offset).unwrap_or_default()
    }

    /// Keeps it for the next request.
    pub fn wait(self, id: UploadId) {
        let mut all = locked(&WAITING);
        all.retain(|(other, _)| *other != id);
        if all.len() >= limits::UPLOADS_MAX {
            all.pop_front();
        }
        all.push_back((id, self));
    }

    /// Bytes have come behind the first `offset`. When some before them are missing, they are read later.
    pub fn update(&mut self, offset: u64, bytes: &[u8]) {
        if self.at == offset {
            self.state.update(bytes);
            self.at += bytes.len() as u64;
        }
    }

    /// Reads what is missing; `may_go_on` is asked at each step.
    ///
    /// Errors: `Io`, those of `may_go_on`.
    pub fn catch_up(
        &mut self,
        file: &File,
        length: u64,
        may_go_on: impl Fn() -> Result<()>,
    ) -> Result<()> {
        if self.at >= length {
            return Ok(());
        }
        let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
        while self.at < length {
            may_go_on()?;
            let rest = usize::try_from(length - self.at).unwrap_or(usize::MAX).min(buffer.len());
            file.read_exact_at(&mut buffer[..rest], self.at)?;
            self.update(self.at, &buffer[..rest]);
        }
        Ok(())
    }

    /// The hash of what it has seen.
    pub fn value(&self) -> [u8; 32] {
        self.state.clone().finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    /// What it must come to.
    fn whole(bytes: &[u8]) -> [u8; 32] {
        Sha256::digest(bytes).into()
    }

    #[test]
    fn it_goes_on_over_requests_and_reads_only_what_it_has_not_seen() {
        let id = UploadId::new(None, "ana").unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"----456789").unwrap();
        let mut hash = ContentHash::default();
        hash.update(0, b"0123");
        hash.wait(id.clone());
        let mut hash = ContentHash::of(&id, 4);
        hash.catch_up(&file, 10, || Ok(())).unwrap();
        assert_eq!(hash.value(), whole(b"0123456789"));
        // What was cut off is not believed, and nothing is kept twice.
        hash.wait(id.clone());
        assert_eq!(ContentHash::of(&id, 9).at, 0);
        assert_eq!(ContentHash::of(&id, 10).at, 0);
        let mut late = ContentHash::default();
        late.update(4, b"456789");
        assert_eq!(late.at, 0);
        late.catch_up(&file, 10, || Ok(())).unwrap();
        assert_eq!(late.value(), whole(b"----456789"));
        assert!(late.catch_up(&file, 11, || Ok(())).is_err());
    }
}
