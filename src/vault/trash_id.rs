//! What a thing in the trash is called, and its record. An id begins with the time of deletion, so that
//! names sort by age.

use super::hidden;
use crate::limits;
use serde::Serialize;
use std::time::{Duration, SystemTime};

/// Hexadecimal digits of the time (milliseconds since 1970) that an id begins with: enough until the year
/// 10889.
const TIME_DIGITS: usize = 12;

/// Now, in milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// What the record of a thing in the trash is called behind its id.
pub(super) const RECORD: &str = ".json";

/// The same while the thing is on its way in.
pub(super) const UNSETTLED: &str = ".new";

/// What stands behind the number of what was deleted, and is no version of anything: so it need not be looked at when
/// versions are looked for.
const OF_DELETED: &str = "-d";

/// What a thing in the trash is called: time, process and number. Nothing else parses, so holding one proves
/// that it is one plain name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
pub struct TrashId(String);

impl TrashId {
    /// A new one, with the present time.
    pub(super) fn new() -> Self {
        let ms = now_ms() & ((1 << (4 * TIME_DIGITS)) - 1);
        Self(format!("{ms:0TIME_DIGITS$x}-{}", hidden::temporary_name()))
    }

    /// The same for something that is deleted.
    pub(super) fn of_deleted(self) -> Self {
        Self(self.0 + OF_DELETED)
    }

    /// Whether it was certainly deleted, rather than replaced.
    pub(super) fn is_of_deleted(&self) -> bool {
        self.0.ends_with(OF_DELETED)
    }

    /// Reads one.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        let time = text.get(..TIME_DIGITS)?;
        let is_good = text.len() <= limits::TRASH_ID_BYTES_MAX
            && text.bytes().all(is_plain)
            && u64::from_str_radix(time, 16).is_ok()
            && text.as_bytes().get(TIME_DIGITS) == Some(&b'-');
        is_good.then(|| Self(text.to_owned()))
    }

    /// Reads one from the name of a record.
    pub(super) fn of_record(name: &[u8]) -> Option<Self> {
        Self::parse(std::str::from_utf8(name).ok()?.strip_suffix(RECORD)?)
    }

    /// Reads one from the name of a record, settled or not.
    pub(super) fn of_any_record(name: &str) -> Option<Self> {
        Self::parse(name.strip_suffix(RECORD).or_else(|| name.strip_suffix(UNSETTLED))?)
    }

    /// Whether the process made it that gave this temporary name.
    pub(super) fn is_of_process_of(&self, temporary: &str) -> bool {
        let mark = temporary.split('-').next().unwrap_or_default();
        self.0.get(TIME_DIGITS + 1..).and_then(|rest| rest.strip_prefix(mark)).is_some()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// When the thing came in, in milliseconds since 1970.
    pub(super) fn ms(&self) -> u64 {
        self.0
            .get(..TIME_DIGITS)
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .unwrap_or(0)
    }

    /// When the thing came in.
    pub(super) fn time(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(self.ms())
    }

    /// Whether this process made it.
    pub(super) fn is_ours(&self) -> bool {
        self.0.get(TIME_DIGITS + 1..).is_some_and(hidden::is_ours)
    }

    /// The name of its record.
    pub(super) fn record(&self) -> String {
        format!("{}{RECORD}", self.0)
    }

    /// The name of its record on the way in.
    pub(super) fn unsettled(&self) -> String {
        format!("{}{UNSETTLED}", self.0)
    }
}
