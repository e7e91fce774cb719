//! Uploads that have ended well, remembered for a while: whoever did not hear the last answer asks again and need not
//! send everything twice.

use super::path::VaultPath;
use super::upload_record::UploadId;
use crate::limits;
use crate::threads::locked;
use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Instant, SystemTime};

/// One that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndedUpload {
    /// Where the file got its place.
    pub path: VaultPath,
    /// What the door noted.
    pub note: String,
    /// Its bytes.
    pub length: u64,
    /// The SHA-256 of its content, if that was asked for.
    pub digest: Option<[u8; 32]>,
    /// Until when that is remembered, if nothing else is.
    pub expires: SystemTime,
}

impl EndedUpload {
    /// One that has ended now.
    pub(super) fn new(
        path: VaultPath,
        note: String,
        length: u64,
        digest: Option<[u8; 32]>,
    ) -> Self {
        let expires = SystemTime::now() + limits::UPLOAD_ENDED_TIME;
        Self { path, note, length, digest, expires }
    }

    /// Bytes of what is told of it.
    fn bytes(&self) -> usize {
        self.path.as_str().len() + self.note.len()
    }
}

/// Those of the last minutes, of all shares, the oldest first: ids are random.
static ENDED: Mutex<Memory> = Mutex::new(Memory { all: VecDeque::new(), told_bytes: 0 });

/// What is remembered, within its bounds.
struct Memory {
    /// Each with when that was.
    all: VecDeque<(Instant, UploadId, EndedUpload)>,
    /// Bytes of their paths and notes.
    told_bytes: usize,
}

impl Memory {
    /// Forgets those that are older than that.
    fn forget(&mut self, now: Instant) {
        let is_old =
            |since: Instant| now.saturating_duration_since(since) >= limits::UPLOAD_ENDED_TIME;
        while self.all.front().is_some_and(|(since, ..)| is_old(*since)) {
            self.drop_at(0);
        }
    }

    /// Forgets one.
    fn drop_at(&mut self, at: usize) {
        if let Some((_, _, ended)) = self.all.remove(at) {
            self.told_bytes -= ended.bytes();
        }
    }

    /// Remembers one more. Of somebody who has more than their share the oldest makes room, else the oldest of all.
    fn note(&mut self, now: Instant, id: UploadId, ended: EndedUpload) {
        self.forget(now);
        let bytes = ended.bytes();
        let is_full = |memory: &Self| {
            memory.all.len() >= limits::UPLOADS_ENDED_MAX
                || memory.told_bytes + bytes > limits::UPLOADS_ENDED_BYTES_MAX
        };
        while is_full(self) && !self.all.is_empty() {
            let mut own =
                self.all.iter().enumerate().filter(|(_, (_, other, _))| other.is_beside(&id));
            let oldest = own.next().map(|(at, _)| at);
            let has_share = own.count() * 2 >= self.all.len();
            self.drop_at(oldest.filter(|_| has_share).unwrap_or(0));
        }
        self.told_bytes += bytes;
        self.all.push_back((now, id, ended));
    }
}

/// Remembers one.
pub(super) fn note(id: UploadId, ended: EndedUpload) {
    locked(&ENDED).note(Instant::now(), id, ended);
}

/// What is remembered of one.
pub(super) fn find(id: &UploadId) -> Option<EndedUpload> {
    let mut memory = locked(&ENDED);
    memory.forget(Instant::now());
    memory.all.iter().find(|(_, other, _)| other == id).map(|(.., ended)| ended.clone())
}

#[cfg(test)]
mod tests {
    use super::super::tests::path;
    use super::*;

    /// One of some owner's.
    fn id(owner: &str) -> UploadId {
        UploadId::new(None, owner).unwrap()
    }

    /// One with a path of some bytes.
    fn ended(bytes: usize) -> EndedUpload {
        EndedUpload::new(path(&"x".repeat(bytes)), String::new(), 1, None)
    }

    #[test]
    fn they_are_remembered_for_ten_minutes() {
        let mut memory = Memory { all: VecDeque::new(), told_bytes: 0 };
        let now = Instant::now();
        memory.note(now, id("ana"), ended(4));
        memory.forget(now + limits::UPLOAD_ENDED_TIME / 2);
        assert_eq!((memory.all.len(), memory.told_bytes), (1, 4));
        memory.forget(now + limits::UPLOAD_ENDED_TIME);
        assert_eq!((memory.all.len(), memory.told_bytes), (0, 0));
        let id = id("ana");
        let one = ended(4);
        note(id.clone(), one.clone());
        assert_eq!(find(&id), Some(one));
    }

    #[test]
    fn who_ends_many_makes_only_their_own_forgotten() {
        let mut memory = Memory { all: VecDeque::new(), told_bytes: 0 };
        let now = Instant::now();
        let first = id("cam");
        memory.note(now, first.clone(), ended(4));
        for _ in 0..limits::UPLOADS_ENDED_MAX * 2 {
            memory.note(now, id("ana"), ended(4));
        }
        assert_eq!(memory.all.len(), limits::UPLOADS_ENDED_MAX);
        assert!(memory.all.iter().any(|(_, id, _)| *id == first));
        for _ in 0..2000 {
            memory.note(now, id("ana"), ended(200));
        }
        assert!(memory.told_bytes <= limits::UPLOADS_ENDED_BYTES_MAX);
        assert!(memory.all.iter().any(|(_, id, _)| *id == first));
    }
}
