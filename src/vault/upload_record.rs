//! What is written down of an upload that can be gone on with: whose it is, where it goes, how much of it is
//! durable. The record lies beside the bytes on the drive where the file will be, so that both go with the drive;
//! a drive may come from anywhere, so nothing that a record says is believed unseen.

use super::hidden::{self, TEMPORARY};
use super::path::VaultPath;
use super::{discard, look, os};
use crate::error::{Error, Result};
use crate::{limits, threads};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, SystemTime};

/// Uploads that this process knows to be open. There are no more than may be open on all drives.
static OPEN: Mutex<BTreeSet<UploadId>> = Mutex::new(BTreeSet::new());

/// There is such an upload. Those that are bound to a place are parts of broken-off ones, which nobody has begun so that
/// they could be gone on with.
pub(super) fn note_open(id: &UploadId) {
    if !id.is_bound() {
        threads::locked(&OPEN).insert(id.clone());
    }
}

/// How many there are.
pub(super) fn count_open() -> usize {
    threads::locked(&OPEN).len()
}

/// What the record of an upload is called behind its id.
const RECORD: &str = ".json";

/// Hexadecimal digits of an id that stand for the place of an upload that is bound to one.
const PLACE_DIGITS: usize = 32;

/// The same for its owner.
const OWNER_DIGITS: usize = 16;

/// The same that are random.
const RANDOM_DIGITS: usize = 32;

/// What the digits for the owner begin with where that is one of a crowd. Of a million others one does too, and is only
/// counted as such.
const CROWDS: &str = "00000";

/// Digits for the crowd behind that: those that share them only share what one may have.
const CROWD_DIGITS: usize = 5;

/// Digits for a network, that the random ones of somebody of a crowd begin with; enough of them are left that nobody
/// guesses an id.
const NETWORK_DIGITS: usize = 8;

/// What ends the part of an owner's word that is the crowd's.
pub(super) const CROWD_END: char = '/';

/// What an upload is called: its place, if it is bound to one, its owner, and what no other has. Nothing else
/// parses, so holding one proves that it is one plain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UploadId(String);

impl UploadId {
    /// A new one.
    ///
    /// Errors: `Io`.
    pub(super) fn new(place: Option<&str>, owner: &str) -> Result<Self> {
        let random = hidden::random_hex(RANDOM_DIGITS / 2).map_err(os)?;
        Ok(Self(format!("{}{random}", prefix(place, owner))))
    }

    /// A new one of somebody of a crowd, by which those of one network can be counted.
    ///
    /// Errors: `Io`.
    pub(super) fn of_network(network: &str, owner: &str) -> Result<Self> {
        let random = hidden::random_hex((RANDOM_DIGITS - NETWORK_DIGITS) / 2).map_err(os)?;
        let network = hash_digits(network, NETWORK_DIGITS);
        Ok(Self(format!("{}{network}{random}", prefix(None, owner))))
    }

    /// Reads one.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex =
            |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let parts: Vec<&str> = text.splitn(4, '-').collect();
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        let is_good = lengths == [OWNER_DIGITS, RANDOM_DIGITS]
            || lengths == [PLACE_DIGITS, OWNER_DIGITS, RANDOM_DIGITS];
        (is_good && parts.iter().all(|part| is_hex(part))).then(|| Self(text.to_owned()))
    }

    /// Reads one from the name of an upload's bytes or record.
    pub(super) fn of_name(name: &[u8]) -> Option<Self> {
        let name = std::str::from_utf8(name).ok()?;
        Self::parse(name.strip_suffix(RECORD).unwrap_or(name))
    }

    /// As text: the name of its bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of this owner's that are not bound to a place.
    pub fn is_of(&self, owner: &str) -> bool {
        self.0.starts_with(&prefix(None, owner))
    }

    /// Whether it is one of somebody of any crowd.
    pub(super) fn is_of_crowds(&self) -> bool {
        !self.is_bound() && self.0.starts_with(CROWDS)
    }

    /// Whether it is one of a crowd's.
    pub(super) fn is_of_crowd(&self, crowd: &str) -> bool {
        !self.is_bound() && self.0.starts_with(&crowd_prefix(crowd))
    }

    /// Whether it is one that somebody of a crowd began from this network.
    pub(super) fn is_from(&self, network: &str) -> bool {
        let random = self.0.get(OWNER_DIGITS + 1..).filter(|_| self.is_of_crowds());
        random.is_some_and(|random| random.starts_with(&hash_digits(network, NETWORK_DIGITS)))
    }

    /// Whether it is of the same owner as another, neither of them bound to a place.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.0.as_bytes().get(..OWNER_DIGITS) == other.0.as_bytes().get(..OWNER_DIGITS)
    }

    /// Whether it is bound to a place.
    pub(super) fn is_bound(&self) -> bool {
        self.0.len() > OWNER_DIGITS + RANDOM_DIGITS + 1
    }

    /// The name of its record.
    pub(super) fn record(&self) -> String {
        format!("{}{RECORD}", self.0)
    }
}

/// What the ids of one owner's uploads begin with, of those that are bound to a place or of those that are not.
pub(super) fn prefix(place: Option<&str>, owner: &str) -> String {
    let owner = match crowd_of(owner) {
        None => hash_digits(owner, OWNER_DIGITS),
        Some(crowd) => {
            let crowd = crowd_prefix(crowd);
            let own = hash_digits(owner, OWNER_DIGITS - crowd.len());
            crowd + &own
        }
    };
    place.map_or_else(|| format!("{owner}-"), |place| format!("{place}-{owner}-"))
}

/// The crowd that an owner is one of, if they are of any: the first part of their word.
pub(super) fn crowd_of(owner: &str) -> Option<&str> {
    owner.find(CROWD_END).and_then(|end| owner.get(..=end))
}

/// What the ids of a crowd's uploads begin with.
pub(super) fn crowd_prefix(crowd: &str) -> String {
    format!("{CROWDS}{}", hash_digits(crowd, CROWD_DIGITS))
}

/// The first hexadecimal digits of a text's hash.
fn hash_digits(text: &str, count: usize) -> String {
    let hash = Sha256::digest(text);
    let hex = hash.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    hex.get(..count).unwrap_or_default().to_owned()
}

/// A time of the running kernel and of one mount: in it, what was written is there, whether the drive has it or
/// not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Here {
    /// The kernel's id of this boot; empty where it does not tell.
    boot: String,
    /// The number of the mount, which none other gets until the next boot; `None` where the kernel has only
    /// numbers that are used again (before Linux 6.8): a drive that was pulled out would have the same.
    mount: Option<u64>,
}

impl Here {
    /// That of an open folder, now.
    ///
    /// Errors: `Io`.
    pub fn of(folder: impl AsFd) -> Result<Self> {
        static BOOT: OnceLock<String> = OnceLock::new();
        let told =
            || std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let boot = BOOT.get_or_init(|| told().trim().to_owned()).clone();
        Ok(Self { boot, mount: look::unique_mount_of(folder).map_err(os)? })
    }

    /// Whether it can be told from all others.
    pub fn is_known(&self) -> bool {
        !self.boot.is_empty() && self.mount.is_some()
    }

    /// Whether it is for certain the same time as another.
    fn is_surely(&self, other: &Self) -> bool {
        self.is_known() && self == other
    }
}

/// What is written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Whose it is: a word of the door's that means nothing here.
    pub owner: String,
    /// Where it goes, relative to the share root, by the name that was used.
    pub path: String,
    /// What was there when it began, for an upload that is bound to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// Bytes of the whole, if its sender told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Bytes that are durable.
    pub offset: u64,
    /// When that was written down (milliseconds since 1970).
    pub last_ms: u64,
    /// How long it is kept after its last byte (seconds).
    pub kept_s: u64,
    /// The same while there is none, where that is another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept_empty_s: Option<u64>,
    /// Where and when the size of its bytes can be believed.
    pub here: Here,
    /// What the door notes for itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// Whether all of it was to come with what began it, so that nobody was told what it is called.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_untold: bool,
}

impl Record {
    /// Reads one; `None` for what larder would not have written.
    pub fn parse(text: &[u8]) -> Option<Self> {
        if text.len() > limits::UPLOAD_RECORD_BYTES_MAX {
            return None;
        }
        let record: Self = serde_json::from_slice(text).ok()?;
        let path = VaultPath::parse(&record.path).ok()?;
        let is_good = !path.is_root()
            && !path.is_reserved()
            && record.owner.len() <= limits::UPLOAD_OWNER_BYTES_MAX
            && record.state.as_ref().is_none_or(|state| state.len() <= limits::NAME_BYTES_MAX)
            && record.note.len() <= limits::UPLOAD_NOTE_BYTES_MAX
            && record.kept_s <= limits::UPLOAD_AGE_MAX.as_secs()
            && record.length.is_none_or(|length| record.offset <= length);
        is_good.then_some(record)
    }

    /// Looks whether it can be written down.
    ///
    /// Errors: `Invalid`.
    pub fn check(&self) -> Result<()> {
        self.to_text().map(|_text| ())
    }

    /// As text.
    ///
    /// Errors: `Invalid` when it would be longer than can be read.
    fn to_text(&self) -> Result<Vec<u8>> {
        let text = serde_json::to_vec(self).map_err(|_| Error::Bug("a record".into()))?;
        // What would not be read again must not be written.
        if Self::parse(&text).is_none() {
            return Err(Error::invalid("There is too much to note about the upload"));
        }
        Ok(text)
    }

    /// How many bytes count of those that are there: all, while nothing can have been lost, else what was made
    /// durable.
    pub fn trusted(&self, size: u64, now: &Here) -> u64 {
        let believed = if self.here.is_surely(now) { size } else { self.offset.min(size) };
        self.length.map_or(believed, |length| believed.min(length))
    }

    /// How long it is kept after its last byte, of which so many count.
    pub fn kept(&self, offset: u64) -> Duration {
        let empty = self.kept_empty_s.filter(|_| offset == 0);
        Duration::from_secs(empty.unwrap_or(self.kept_s).min(self.kept_s))
    }

    /// When its last byte came: `modified` is what the bytes themselves say, in which a checkpoint may be missing.
    pub fn last(&self, modified: SystemTime) -> SystemTime {
        let noted = SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(self.last_ms));
        noted.map_or(modified, |noted| noted.max(modified))
    }
}

/// Reads a record; `None` when there is none that can be read.
///
/// Errors: `Io`.
pub(super) fn read(parts: BorrowedFd<'_>, id: &UploadId) -> Result<Option<Record>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::openat(parts, id.record(), flags, Mode::empty()) {
        Err(Errno::NOENT | Errno::LOOP | Errno::NXIO | Errno::ACCESS) => return Ok(None),
        opened => File::from(opened.map_err(os)?),
    };
    let mut text = Vec::new();
    match file.take(limits::UPLOAD_RECORD_BYTES_MAX as u64 + 1).read_to_end(&mut text) {
        Ok(_) => Ok(Record::parse(&text)),
        Err(cause) if cause.kind() == ErrorKind::IsADirectory => Ok(None),
        // It may be read again: nothing is to be swept for it.
        Err(cause) => Err(cause.into()),
    }
}

/// A record that is written and not in its place yet. Dropping it removes it.
pub(super) struct Written {
    /// Larder's folder for unfinished things, beside the one where uploads wait.
    workshop: OwnedFd,
    /// Its name there.
    name: String,
}

impl Written {
    /// Writes a record; `is_durable` says whether its text outlasts a power cut.
    ///
    /// Errors: `Invalid`, `DiskFull`, `Io`.
    pub fn new(parts: BorrowedFd<'_>, record: &Record, is_durable: bool) -> Result<Self> {
        let text = record.to_text()?;
        let home = look::open_place(parts, b"..").map_err(os)?;
        let workshop = hidden::open_or_make(home.as_fd(), TEMPORARY).map_err(os)?;
        let written = Self { workshop, name: hidden::temporary_name() };
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = rustix::fs::openat(&written.workshop, &written.name, flags, Mode::from(0o600));
        let mut file = File::from(opened.map_err(os)?);
        file.write_all(&text)?;
        if is_durable {
            file.sync_all()?;
        }
        Ok(written)
    }

    /// Puts it in the place of the last one; a reader sees the old or the new.
    ///
    /// Errors: `DiskFull`, `Io`; then the last one stays.
    pub fn place(self, parts: BorrowedFd<'_>, id: &UploadId) -> Result<()> {
        rustix::fs::renameat(&self.workshop, &self.name, parts, id.record()).map_err(os)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        hidden::unlink(self.workshop.as_fd(), &self.name);
    }
}

/// Writes a record and puts it in its place. `is_durable` says whether it outlasts a power cut before this returns;
/// else it outlasts the end of larder alone.
///
/// Errors: `Invalid`, `DiskFull`, `Io`.
pub(super) fn put(
    parts: BorrowedFd<'_>,
    id: &UploadId,
    record: &Record,
    is_durable: bool,
) -> Result<()> {
    Written::new(parts, record, is_durable)?.place(parts, id)?;
    note_open(id);
    if is_durable { look::sync_folder(parts).map_err(os) } else { Ok(()) }
}

/// Removes an upload: its bytes, then its record, so that no bytes are left that nobody knows. Returns whether this
/// removed anything: of several who do it at once one is told so.
pub(super) fn remove(parts: BorrowedFd<'_>, id: &UploadId) -> bool {
    threads::locked(&OPEN).remove(id);
    let are_bytes_gone = discard::give_up(parts, id.as_str());
    discard::give_up(parts, &id.record()) || are_bytes_gone
}

#[cfg(test)]
mod tests {
    use super::super::tests::House;
    use super::*;
    use proptest::prelude::*;

    /// What one may look like.
    fn record() -> Record {
        Record {
            owner: "ana".to_owned(),
            path: "films/a.mkv".to_owned(),
            state: None,
            length: Some(100),
            offset: 40,
            last_ms: 5000,
            kept_s: 60,
            kept_empty_s: None,
            here: Here { boot: "b".to_owned(), mount: Some(7) },
            note: String::new(),
            is_untold: false,
        }
    }

    #[test]
    fn an_id_is_one_plain_name_of_two_forms() {
        let free = UploadId::new(None, "ana").unwrap();
        let bound = UploadId::new(Some(&"a".repeat(32)), "ana").unwrap();
        assert!(!free.is_bound() && bound.is_bound());
        for id in [&free, &bound] {
            assert_eq!(UploadId::parse(id.as_str()).as_ref(), Some(id));
            assert_eq!(UploadId::of_name(id.record().as_bytes()).as_ref(), Some(id));
            assert!(id.record().len() <= limits::NAME_BYTES_MAX);
        }
        assert!(free.as_str().starts_with(&prefix(None, "ana")));
        assert!(!free.as_str().starts_with(&prefix(None, "anna")));
        // A part of the version before, and what is no name of ours.
        for bad in [
            "",
            "-",
            "..",
            "0123456789abcdef",
            &format!("{}.ab.new", "a".repeat(32)),
            &free.as_str().to_uppercase(),
            &format!("{}-", free.as_str()),
            &format!("{}/x", free.as_str()),
            &format!("{}-{}", bound.as_str(), "a".repeat(16)),
        ] {
            assert_eq!(UploadId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_size_is_believed_in_the_same_boot_and_mount_alone() {
        let record = record();
        let here = record.here.clone();
        assert_eq!(record.trusted(70, &here), 70);
        assert_eq!(record.trusted(170, &here), 100);
        for other in [
            Here { boot: "c".to_owned(), mount: Some(7) },
            Here { boot: "b".to_owned(), mount: Some(8) },
            Here { boot: "b".to_owned(), mount: None },
        ] {
            assert_eq!(record.trusted(70, &other), 40);
            assert_eq!(record.trusted(30, &other), 30);
        }
        // Nothing that is not told is the same as anything.
        for here in [
            Here { boot: String::new(), mount: Some(7) },
            Here { boot: "b".to_owned(), mount: None },
        ] {
            let record = Record { here: here.clone(), ..record.clone() };
            assert_eq!(record.trusted(70, &here), 40);
        }
    }

    #[test]
    fn the_kernel_tells_where_we_are() {
        let house = House::new();
        let folder = File::open(house.root()).unwrap();
        let here = Here::of(&folder).unwrap();
        assert!(!here.boot.is_empty());
        assert_eq!(here, Here::of(&folder).unwrap());
        let elsewhere = Here::of(File::open("/proc").unwrap()).unwrap();
        assert!(here.mount.is_none() || here != elsewhere);
    }

    #[test]
    fn what_larder_would_not_write_is_no_record() {
        let text = |change: &dyn Fn(&mut Record)| {
            let mut record = record();
            change(&mut record);
            serde_json::to_vec(&record).unwrap()
        };
        assert_eq!(Record::parse(&text(&|_| ())), Some(record()));
        let bad: [&dyn Fn(&mut Record); 8] = [
            &|record| record.path.clear(),
            &|record| record.path = "../etc".to_owned(),
            &|record| record.path = ".larder/id".to_owned(),
            &|record| record.owner = "x".repeat(limits::UPLOAD_OWNER_BYTES_MAX + 1),
            &|record| record.note = "x".repeat(limits::UPLOAD_NOTE_BYTES_MAX + 1),
            &|record| record.kept_s = u64::MAX,
            &|record| record.offset = 101,
            &|record| record.length = Some(0),
        ];
        for change in bad {
            assert_eq!(Record::parse(&text(change)), None);
            let mut record = record();
            change(&mut record);
            assert!(record.to_text().is_err());
        }
        let plain = String::from_utf8(text(&|_| ())).unwrap();
        for (from, to) in [
            ("\"offset\":40", "\"offset\":-1"),
            ("\"offset\":40", "\"offset\":1e30"),
            ("\"offset\":40", "\"offset\":\"40\""),
            ("\"length\":100", "\"length\":18446744073709551616"),
            ("\"here\":{", "\"here\":[{"),
            ("\"owner\":\"ana\"", "\"owner\":null"),
            ("{", "[{"),
            ("}}", "}"),
        ] {
            let odd = plain.replacen(from, to, 1);
            assert_ne!(odd, plain);
            assert_eq!(Record::parse(odd.as_bytes()), None, "{odd}");
        }
        let long = plain.replace("ana", &" ".repeat(limits::UPLOAD_RECORD_BYTES_MAX));
        assert_eq!(Record::parse(long.as_bytes()), None);
        assert_eq!(Record::parse(&b"[".repeat(10_000)), None);
        // What a later version knows besides is passed over.
        let more = plain.replacen('{', "{\"digest\":[1,{\"a\":null}],", 1);
        assert_eq!(Record::parse(more.as_bytes()), Some(record()));
    }

    #[test]
    fn the_last_byte_came_when_either_says_so() {
        let record = record();
        let at = |ms| SystemTime::UNIX_EPOCH + Duration::from_millis(ms);
        assert_eq!(record.last(at(4000)), at(5000));
        assert_eq!(record.last(at(6000)), at(6000));
        // Never panics.
        let _any = Record { last_ms: u64::MAX, ..record }.last(at(1));
    }

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was(
            owner in "[ -~]{0,64}",
            note in "\\PC{0,200}",
            name in "[a-zä🍯 .]{0,20}x",
            numbers in any::<(Option<u64>, u64, u64, u32)>(),
            boot in "[0-9a-f-]{0,36}",
            mount in any::<Option<u64>>(),
            is_untold in any::<bool>(),
        ) {
            let (length, offset, last_ms, kept_s) = numbers;
            let offset = offset.min(length.unwrap_or(u64::MAX));
            let kept_s = u64::from(kept_s).min(limits::UPLOAD_AGE_MAX.as_secs());
            let record = Record {
                owner, path: name, state: None, length, offset, last_ms, kept_s,
                kept_empty_s: None,
                here: Here { boot, mount }, note, is_untold,
            };
            prop_assert_eq!(Record::parse(&record.to_text().unwrap()), Some(record));
        }

        #[test]
        fn garbage_is_no_record_and_never_panics(text in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(Record::parse(&text), None);
        }

        #[test]
        fn a_record_with_a_byte_changed_is_read_safely(at in 0_usize..120, byte in any::<u8>()) {
            let mut text = record().to_text().unwrap();
            let at = at % text.len();
            text[at] = byte;
            if let Some(record) = Record::parse(&text) {
                let counted = record.trusted(70, &record.here);
                prop_assert!(counted <= 70);
            }
        }

        #[test]
        fn never_more_counts_than_there_is(size in any::<u64>(), offset in any::<u64>(), length in any::<Option<u64>>(), is_same in any::<bool>()) {
            let record = Record { length, offset, ..record() };
            let there = Here { boot: "elsewhere".to_owned(), mount: Some(1) };
            let counted = record.trusted(size, if is_same { &record.here } else { &there });
            prop_assert!(counted <= size && length.is_none_or(|length| counted <= length));
            prop_assert!(is_same || counted <= offset);
        }
    }
}
