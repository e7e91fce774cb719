//! Permits: places of which there are so many in all, and so many for each of those who take them. Whoever gets none
//! is told so at once; a place is free again when its permit is dropped.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::threads;

/// Counts what each has taken. Who has nothing takes no memory.
#[derive(Debug)]
pub struct Tally<K>(BTreeMap<K, usize>);

impl<K: Ord + Clone> Tally<K> {
    /// Nobody has taken anything.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Takes one for `whose`, unless they have so many already.
    pub fn take(&mut self, whose: &K, of_one_max: usize) -> bool {
        let taken = self.0.get(whose).copied().unwrap_or(0);
        if taken >= of_one_max {
            return false;
        }
        self.0.insert(whose.clone(), taken + 1);
        true
    }

    /// Gives one back.
    pub fn give_back(&mut self, whose: &K) {
        match self.0.get_mut(whose) {
            Some(taken) if *taken > 1 => *taken -= 1,
            _ => {
                self.0.remove(whose);
            }
        }
    }

    /// How many are taken.
    pub fn in_all(&self) -> usize {
        self.0.values().sum()
    }
}

impl<K: Ord + Clone> Default for Tally<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// So many places; `K` tells those apart who take them.
#[derive(Debug)]
pub struct Permits<K> {
    /// Places.
    in_all_max: usize,
    /// Places for one of them.
    of_one_max: usize,
    /// Who has some.
    taken: Mutex<Tally<K>>,
}

/// The right to one of the places.
#[derive(Debug)]
pub struct Permit<'a, K: Ord + Clone> {
    /// Where it is counted.
    permits: &'a Permits<K>,
    /// Whose it is.
    whose: K,
}

impl<K: Ord + Clone> Permits<K> {
    /// So many in all, and for each.
    pub const fn new(in_all_max: usize, of_one_max: usize) -> Self {
        Self { in_all_max, of_one_max, taken: Mutex::new(Tally::new()) }
    }

    /// Takes a place, if there is one.
    pub fn take(&self, whose: K) -> Option<Permit<'_, K>> {
        let mut taken = threads::locked(&self.taken);
        let is_taken = taken.in_all() < self.in_all_max && taken.take(&whose, self.of_one_max);
        // A permit that is made only to be thrown away would give back a place that nobody took.
        is_taken.then(|| Permit { permits: self, whose })
    }

    /// How many are taken now.
    pub fn taken(&self) -> usize {
        threads::locked(&self.taken).in_all()
    }
}

impl<K: Ord + Clone> Drop for Permit<'_, K> {
    fn drop(&mut self) {
        threads::locked(&self.permits.taken).give_back(&self.whose);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_takes_all_places_and_each_comes_back() {
        let permits = Permits::new(3, 2);
        let of_one: Vec<_> = (0..2).map(|_| permits.take("one").unwrap()).collect();
        assert!(permits.take("one").is_none());
        let of_two = permits.take("two").unwrap();
        assert!(permits.take("three").is_none(), "there are three in all");
        drop(of_two);
        assert!(permits.take("three").is_some());
        drop(of_one);
        assert!(permits.take("one").is_some());
        assert_eq!(permits.taken(), 0);
        assert!(threads::locked(&permits.taken).0.is_empty(), "nothing is kept of who has gone");
    }
}
