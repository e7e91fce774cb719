//! What has to be seen to of uploads that wait, known without asking the drives, so that these may sleep: whose there
//! are, and when the first of them has waited long enough.

use super::upload_record::crowd_of;
use crate::threads::locked;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::SystemTime;

/// What is known of all drives of this process.
static KNOWN: Mutex<Known> = Mutex::new(Known { owners: BTreeSet::new(), first: None });

/// What is known.
struct Known {
    /// Whose uploads there may be; a crowd, who go together, is one, however many they are.
    owners: BTreeSet<String>,
    /// When the first of them may go.
    first: Option<SystemTime>,
}

/// What is to be done.
pub(super) struct Due {
    /// All uploads of these go.
    pub gone: Vec<String>,
    /// Some may have waited long enough.
    pub is_late: bool,
}

/// There is an upload, perhaps of somebody's who may go, that waits until then.
pub(super) fn note(owner: Option<&str>, expires: Option<SystemTime>) {
    let mut known = locked(&KNOWN);
    let owner = owner.map(|owner| crowd_of(owner).unwrap_or(owner));
    if let Some(owner) = owner.filter(|owner| !known.owners.contains(*owner)) {
        known.owners.insert(owner.to_owned());
    }
    known.first = known.first.into_iter().chain(expires).min();
}

/// What is to be done now, where `is_gone` says who is not there any more; `None` for nothing.
pub(super) fn due(is_gone: impl Fn(&str) -> bool) -> Option<Due> {
    let (owners, first) = {
        let known = locked(&KNOWN);
        (known.owners.clone(), known.first)
    };
    let gone: Vec<String> = owners.into_iter().filter(|owner| is_gone(owner)).collect();
    let is_late = first.is_some_and(|first| first < SystemTime::now());
    (is_late || !gone.is_empty()).then_some(Due { gone, is_late })
}

/// It is being done. What stays says so again when it is looked at.
pub(super) fn begin(due: &Due) {
    let mut known = locked(&KNOWN);
    known.owners.retain(|owner| !due.gone.contains(owner));
    known.first = known.first.filter(|_| !due.is_late);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_is_one_however_many_they_are() {
        (0..1000).for_each(|guest| note(Some(&format!("tending:link:7/{guest}")), None));
        note(Some("tending:5"), None);
        let gone = due(|owner| owner.starts_with("tending:")).map(|due| due.gone);
        assert_eq!(gone, Some(vec!["tending:5".to_owned(), "tending:link:7/".to_owned()]));
    }
}
