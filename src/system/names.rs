//! The names of the machine itself: what it is called, and what its own files make of that. Knows no
//! requests.

use std::fs::File;
use std::io::Read;
use std::sync::Mutex;
use std::time::Instant;

use crate::{limits, threads};

/// The machine's names, looked up anew now and then: it may be renamed while larder runs.
#[derive(Default)]
pub struct Names(Mutex<Option<(Instant, Vec<String>)>>);

impl Names {
    /// Whether this is one of them; in lower case.
    pub fn has(&self, name: &str) -> bool {
        let mut known = threads::locked(&self.0);
        let is_fresh = |(at, _): &mut (Instant, _)| at.elapsed() < limits::OWN_NAMES_TIME;
        if known.as_mut().is_none_or(|known| !is_fresh(known)) {
            *known = Some((Instant::now(), look_up()));
        }
        known.as_ref().is_some_and(|(_, names)| names.iter().any(|own| own == name))
    }
}

/// What the machine is called, in lower case.
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase()
}

/// The machine's names of now, its own first, in lower case.
pub fn look_up() -> Vec<String> {
    names_of(&host(), &text_of("/etc/hosts"), &text_of("/etc/resolv.conf"))
}

/// A small file of the system; empty when there is none.
pub(super) fn text_of(path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _what_was_read_counts = file.take(limits::PROC_BYTES_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).to_ascii_lowercase()
}

/// The names of a machine that is called so: itself, what `hosts(5)` lists beside it, and it within
/// each domain of `resolv.conf(5)`.
fn names_of(called: &str, hosts: &str, resolver: &str) -> Vec<String> {
    let label = called.split('.').next().unwrap_or(called);
    let mut names = vec![called.to_owned()];
    for line in hosts.lines() {
        let listed = words(line).skip(1);
        if listed.clone().any(|name| name == called || name == label) {
            names.extend(listed.map(str::to_owned));
        }
    }
    for line in resolver.lines() {
        let mut words = words(line);
        if matches!(words.next(), Some("search" | "domain")) {
            names.extend(words.map(|domain| format!("{label}.{}", domain.trim_matches('.'))));
        }
    }
    names
}

/// The words of a line, up to its comment.
fn words(line: &str) -> impl Iterator<Item = &str> + Clone {
    line.split(['#', ';']).next().unwrap_or_default().split_ascii_whitespace()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_called_what_its_files_say() {
        let hosts = "127.0.0.1 localhost\n127.0.1.1\tnas.example.org nas # box\n\
                     10.0.0.9 printer.example.org printer\n# 10.0.0.8 nas old.example.org\n";
        let resolver =
            "nameserver 10.0.0.1\nsearch example.net. home.example\n; search no.example\n";
        let names = names_of("nas", hosts, resolver);
        for own in ["nas", "nas.example.org", "nas.example.net", "nas.home.example"] {
            assert!(names.iter().any(|name| name == own), "{own}: {names:?}");
        }
        for other in ["localhost", "printer.example.org", "old.example.org", "nas.no.example"] {
            assert!(names.iter().all(|name| name != other), "{other}: {names:?}");
        }
        assert_eq!(names_of("nas.example.org", "", ""), ["nas.example.org"]);
    }

    #[test]
    fn this_machine_has_its_own_name() {
        let called = rustix::system::uname().nodename().to_string_lossy().to_ascii_lowercase();
        let names = Names::default();
        assert!(names.has(&called) && names.has(&called));
        assert!(!names.has("evil.example"));
    }
}
