//! Names of one folder, gathered in one piece of memory up to a bound.

use super::names_list::Sort;
use crate::limits;

/// Some names, and what they stand for.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// All of them, one after another.
    bytes: Vec<u8>,
    /// Where each begins, how long it is, and what it stands for.
    spans: Vec<(u32, u16, Sort)>,
}

impl Gather {
    /// Adds a name.
    pub fn push(&mut self, name: &[u8], sort: Sort) {
        let at = (u32::try_from(self.bytes.len()), u16::try_from(name.len()));
        if let (Ok(start), Ok(length)) = at {
            self.bytes.extend(name);
            self.spans.push((start, length, sort));
        }
    }

    /// Whether no more are to be added.
    pub fn is_full(&self) -> bool {
        self.bytes.len() >= limits::NAMES_GATHER_BYTES
    }

    /// Sorts them by their bytes.
    pub fn sort(&mut self) {
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_unstable_by(|one, other| self.name(*one).cmp(self.name(*other)));
        self.spans = spans;
    }

    /// One name.
    fn name(&self, (start, length, _): (u32, u16, Sort)) -> &[u8] {
        let start = start as usize;
        self.bytes.get(start..start + usize::from(length)).unwrap_or_default()
    }

    /// All of them.
    pub fn each(&self) -> impl Iterator<Item = (&[u8], Sort)> {
        self.spans.iter().map(|span| (self.name(*span), span.2))
    }

    /// The names, the last first.
    pub fn each_down(&self, take: &mut dyn FnMut(&[u8])) {
        self.spans.iter().rev().for_each(|span| take(self.name(*span)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_come_back_from_either_end() {
        let mut gather = Gather::default();
        for name in ["b", "a", "", "ab"] {
            gather.push(name.as_bytes(), Sort::Folder);
        }
        gather.push(b"c", Sort::Link);
        gather.sort();
        let names: Vec<&[u8]> = gather.each().map(|(name, _)| name).collect();
        assert_eq!(names, [&b""[..], b"a", b"ab", b"b", b"c"]);
        assert_eq!(gather.each().last(), Some((&b"c"[..], Sort::Link)));
        let mut down = Vec::new();
        gather.each_down(&mut |name| down.push(name.to_vec()));
        down.reverse();
        assert_eq!(down, names);
        while !gather.is_full() {
            gather.push(&[b'x'; 255], Sort::File);
        }
        assert!(gather.bytes.len() < limits::NAMES_GATHER_BYTES + 255);
    }
}
