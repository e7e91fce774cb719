//! Which versions of a file are kept: of those that one user replaced within some minutes only the first and the last,
//! and of all no more than so many.

use crate::limits;
use std::collections::HashMap;

/// When a version was replaced, and by whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Replaced {
    /// In milliseconds since 1970.
    pub ms: u64,
    /// A number that stands for the one who did it.
    pub by: u64,
}

/// Which versions of one file, the oldest first, are to go; and when the next may be (milliseconds since 1970).
pub(super) fn superfluous(versions: &[Replaced], now_ms: u64, most: usize) -> (Vec<bool>, u64) {
    // Each row begins with its first and takes in what the same one replaced within the time from there.
    let mut rows: Vec<(usize, usize)> = Vec::new();
    let mut latest_of: HashMap<u64, usize> = HashMap::new();
    let mut row_of = Vec::with_capacity(versions.len());
    for (number, version) in versions.iter().enumerate() {
        let is_near = |first: usize| {
            version.ms.saturating_sub(versions[first].ms) <= limits::VERSIONS_NEAR_MS
        };
        let row = latest_of.get(&version.by).copied().filter(|row| is_near(rows[*row].0));
        let row = row.unwrap_or(rows.len());
        match rows.get_mut(row) {
            Some((_, last)) => *last = number,
            None => rows.push((number, number)),
        }
        latest_of.insert(version.by, row);
        row_of.push(row);
    }
    let mut next_ms = u64::MAX;
    let mut goes: Vec<bool> = Vec::with_capacity(versions.len());
    for (number, row) in row_of.into_iter().enumerate() {
        let (first, last) = rows[row];
        let old_ms = versions[last].ms.saturating_add(limits::VERSIONS_WHOLE_MS);
        let is_between = number != first && number != last;
        if is_between && old_ms > now_ms {
            next_ms = next_ms.min(old_ms);
        }
        goes.push(is_between && old_ms <= now_ms);
    }
    let kept = goes.iter().filter(|goes| !**goes).count();
    let oldest = goes.iter_mut().filter(|goes| !**goes).take(kept.saturating_sub(most));
    oldest.for_each(|goes| *goes = true);
    (goes, next_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: u64 = 60 * 1000;
    /// Late enough for everything.
    const LATE: u64 = 1000 * 60 * MINUTE;

    /// Which of these, by minute and user, are kept.
    fn kept(versions: &[(u64, u64)], now: u64, most: usize) -> Vec<(u64, u64)> {
        let replaced: Vec<_> =
            versions.iter().map(|(minute, by)| Replaced { ms: minute * MINUTE, by: *by }).collect();
        let (goes, _) = superfluous(&replaced, now, most);
        versions.iter().zip(goes).filter(|(_, goes)| !goes).map(|(one, _)| *one).collect()
    }

    #[test]
    fn of_what_one_user_replaced_in_ten_minutes_the_first_and_the_last_stay() {
        let one = |minutes: &[u64]| minutes.iter().map(|minute| (*minute, 7)).collect::<Vec<_>>();
        for (given, left) in [
            (&[0, 1, 2, 3, 10][..], &[0, 10][..]),
            (&[0, 5, 10, 11, 12, 21, 30], &[0, 10, 11, 21, 30]),
            (&[0, 11, 22], &[0, 11, 22]),
            (&[0, 1], &[0, 1]),
            (&[0], &[0]),
            (&[], &[]),
        ] {
            assert_eq!(kept(&one(given), LATE, 1000), one(left), "{given:?}");
        }
        // Others in between are rows of their own.
        let given = [(0, 1), (1, 2), (2, 1), (3, 2), (4, 1), (5, 2)];
        assert_eq!(kept(&given, LATE, 1000), [(0, 1), (1, 2), (4, 1), (5, 2)]);
    }

    #[test]
    fn what_is_young_stays_and_says_when_it_will_not() {
        let given = [(0, 1), (3, 1), (6, 1)];
        assert_eq!(kept(&given, 66 * MINUTE - 1, 1000), given);
        assert_eq!(kept(&given, 66 * MINUTE, 1000), [(0, 1), (6, 1)]);
        let replaced = given.map(|(minute, by)| Replaced { ms: minute * MINUTE, by });
        assert_eq!(superfluous(&replaced, 10 * MINUTE, 1000).1, 66 * MINUTE);
        assert_eq!(superfluous(&replaced, 66 * MINUTE, 1000).1, u64::MAX);
        assert_eq!(superfluous(&replaced[..2], 10 * MINUTE, 1000).1, u64::MAX);
    }

    #[test]
    fn of_too_many_the_oldest_go_whatever_their_age() {
        let given: Vec<_> = (0..6).map(|number| (number * 20, 1)).collect();
        assert_eq!(kept(&given, 0, 2), given[4..]);
        assert_eq!(kept(&given, LATE, 6), given);
        // What goes anyway counts no more.
        assert_eq!(kept(&[(0, 1), (1, 1), (2, 1), (60, 1)], LATE, 3), [(0, 1), (2, 1), (60, 1)]);
    }

    proptest! {
        /// What is left once is left again; the latest stays; and no more than was said.
        #[test]
        fn thinning_again_changes_nothing(
            given in prop::collection::vec((0_u64..300, 0_u64..3), 1..60),
            most in 1_usize..90,
            now in 0_u64..600,
        ) {
            let mut given = given;
            given.sort_unstable();
            let once = kept(&given, now * MINUTE, most);
            // Where the oldest had to go, the rows begin anew.
            if given.len() <= most {
                prop_assert_eq!(kept(&once, now * MINUTE, most), once.clone());
            }
            prop_assert!(once.len() <= most);
            prop_assert_eq!(once.last(), given.last());
            let young = |one: &&(u64, u64)| one.0 + 60 > now;
            if given.len() <= most {
                prop_assert!(given.iter().filter(young).all(|one| once.contains(one)));
            }
        }
    }
}
