//! Who is to reach which folder by Samba, and how: what larder's paths, roles and second factors leave of it. Knows no
//! disk and nothing of how it is written down.

use std::collections::{BTreeMap, BTreeSet};

use crate::auth::{factor, permission};
use crate::limits;
use crate::settings::{Roles, Settings};
use crate::store::User;
use crate::system::Accounts;
use crate::vault::{Grant, VaultPath};
use crate::words;

/// The endpoints that do at the API what reading a share does.
const READING: &[&str] = &["/api/finder", "/api/download"];

/// The same of changing things in one. Samba cannot take single ones of them away.
const WRITING: &[&str] = &[
    "/api/upload",
    "/api/create_folder",
    "/api/delete_file",
    "/api/delete_folder",
    "/api/rename_file",
    "/api/rename_folder",
    "/api/move",
];

/// What people have in Samba who cannot have their own name: this and their number.
const ALIAS: &str = "larder-";

/// What decides about people besides their own row.
pub struct House {
    /// Of them, which roles want a second factor.
    pub settings: Settings,
    /// Which role may do what.
    pub roles: Roles,
    /// Which names the system has.
    pub accounts: Accounts,
}

/// Somebody as Samba is to know them.
#[derive(Debug, PartialEq, Eq)]
pub struct Person {
    /// Their name in larder.
    pub username: String,
    /// Their name in Samba, which is one of the system.
    pub account: String,
    /// Whether the system has it.
    pub has_account: bool,
    /// Whether larder asks them for a code beside the password.
    pub has_factor: bool,
}

/// Who reaches one folder, by their names in Samba.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// Those who only look.
    pub readers: Vec<String>,
    /// Those who change things.
    pub writers: Vec<String>,
}

/// What is to be shared with whom.
#[derive(Default)]
pub struct Plan {
    /// Everybody who reaches something.
    pub people: Vec<Person>,
    /// Each folder with those who reach it.
    pub folders: BTreeMap<VaultPath, Members>,
    /// What is left out and why, in sentences.
    pub remarks: Vec<String>,
    /// Names in the lists of all folders.
    entries: usize,
}

impl Plan {
    /// Adds what somebody may reach.
    pub fn add(&mut self, user: &User, house: &House) {
        let name = shown(&user.username);
        let may =
            |endpoints: &[&str]| endpoints.iter().all(|path| house.roles.allow(path, &user.role));
        let why = if !user.has_password() {
            Some("they have not chosen a password in larder yet")
        } else if factor::is_lacking(user, &house.settings) {
            Some("their role wants a second factor that they do not have")
        } else if !may(READING) {
            Some("their role may not list folders and fetch files")
        } else {
            None
        };
        if let Some(why) = why {
            return self.remark(format!("{name} is left out: {why}."));
        }
        let (Ok(read), Ok(mut write)) =
            (permission::prefixes(&user.paths), permission::prefixes(&user.paths_write))
        else {
            return self.remark(format!("{name} is left out: their paths can't be read."));
        };
        if !may(WRITING) && !write.is_empty() {
            write.clear();
            self.remark(format!(
                "{name} only looks: their role may not do all that Samba lets people do who change files."
            ));
        }
        let grant = Grant::new(read.clone(), write.clone());
        for place in write.iter().filter(|place| !grant.may_read(place)) {
            self.remark(format!(
                "{name} may bring things to {} without seeing what is there: no share of Samba does that.",
                shown(place.as_str())
            ));
        }
        let places = places(&grant, read.into_iter().chain(write));
        if places.is_empty() || self.is_too_large() {
            return;
        }
        let person = Person::of(user, &house.accounts);
        self.entries += places.len();
        for (place, changes) in places {
            let members = self.folders.entry(place).or_default();
            let list = if changes { &mut members.writers } else { &mut members.readers };
            list.push(person.account.clone());
        }
        self.people.push(person);
    }

    /// Whether it is more than anybody could look through.
    pub fn is_too_large(&self) -> bool {
        self.entries > limits::SAMBA_ENTRIES_MAX
    }

    /// Notes a sentence, as long as there are not too many of them.
    fn remark(&mut self, sentence: String) {
        match self.remarks.len() {
            few if few < limits::SAMBA_REMARKS_MAX => self.remarks.push(sentence),
            limits::SAMBA_REMARKS_MAX => self.remarks.push("There is more like this.".to_owned()),
            _ => {}
        }
    }

    /// The names by which people may sign in though Samba knows them by another, each with that: those that
    /// `username map` can say, and that it does not take for somebody else's, as it makes no difference of case.
    pub fn other_names(&self) -> Vec<(&str, &str)> {
        let folded = |name: &str| name.to_lowercase();
        let mut seen = BTreeSet::new();
        let mut twice = BTreeSet::new();
        for person in &self.people {
            let name = folded(&person.username);
            if !seen.insert(name.clone()) {
                twice.insert(name);
            }
        }
        let can_be_said = |name: &str| {
            name.chars().all(|letter| letter.is_alphanumeric() || " .-_".contains(letter))
                && !is_alias(name)
        };
        let others = self.people.iter().filter(|person| person.username != person.account);
        others
            .filter(|person| can_be_said(&person.username))
            .filter(|person| !twice.contains(&folded(&person.username)))
            .map(|person| (&*person.username, &*person.account))
            .collect()
    }
}

impl Person {
    /// Somebody of larder's, with a name that the system has for a person or could have.
    fn of(user: &User, accounts: &Accounts) -> Self {
        let is_theirs = is_plain(&user.username) && accounts.could_be_of_person(&user.username);
        let account = if is_theirs { user.username.clone() } else { format!("{ALIAS}{}", user.id) };
        Self {
            username: user.username.clone(),
            has_account: accounts.has_user(&account),
            has_factor: user.has_factor(),
            account,
        }
    }
}

/// Whether the tools of every distribution take this for the name of a new account, and it is nobody's alias.
fn is_plain(name: &str) -> bool {
    name.len() <= limits::ACCOUNT_NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
        && !is_alias(name)
}

/// Whether a name could be the one that somebody else has in Samba.
fn is_alias(name: &str) -> bool {
    name.to_lowercase().starts_with(ALIAS)
}

/// The folders that somebody reaches, each with whether they change things in it. Whoever may read a folder may read
/// all that is in it, and likewise for writing, so one that lies in another is only worth a share of its own where
/// they may do more in it.
fn places(grant: &Grant, edges: impl Iterator<Item = VaultPath>) -> Vec<(VaultPath, bool)> {
    let seen = edges.filter(|place| grant.may_read(place) && !place.is_reserved());
    let all: BTreeMap<VaultPath, bool> =
        seen.map(|place| (place.clone(), grant.may_write(&place))).collect();
    let is_in_another = |place: &VaultPath, changes: bool| {
        all.iter().any(|(other, as_much)| {
            other != place && place.starts_with(other) && (*as_much || !changes)
        })
    };
    let worth = all.iter().filter(|(place, changes)| !is_in_another(place, **changes));
    worth.map(|(place, changes)| (place.clone(), *changes)).collect()
}

/// What somebody has chosen, within a comment: in one line, not too long, and closed, so that no `\` comes last in it.
pub fn shown(text: &str) -> String {
    let cut = text.floor_char_boundary(limits::SAMBA_SHOWN_BYTES_MAX);
    let (start, rest) = text.split_at(cut);
    format!("\"{}{}\"", words::told(start), if rest.is_empty() { "" } else { "…" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> VaultPath {
        VaultPath::parse(text).unwrap()
    }

    fn paths(texts: &[&str]) -> Vec<VaultPath> {
        texts.iter().map(|text| path(text)).collect()
    }

    fn places_of(read: &[&str], write: &[&str]) -> Vec<(String, bool)> {
        let (read, write) = (paths(read), paths(write));
        let grant = Grant::new(read.clone(), write.clone());
        let found = places(&grant, read.into_iter().chain(write));
        found.into_iter().map(|(place, changes)| (place.as_str().to_owned(), changes)).collect()
    }

    #[test]
    fn a_folder_in_another_is_worth_a_share_where_more_is_allowed() {
        for (read, write, want) in [
            (&[""][..], &[""][..], &[("", true)][..]),
            (&[""], &[], &[("", false)]),
            (&["", "docs"], &["docs"], &[("", false), ("docs", true)]),
            (&[""], &["docs", "docs/in"], &[("", false), ("docs", true)]),
            (&["docs", "docs/in", "photos"], &[""], &[("docs", true), ("photos", true)]),
            (&["docs"], &["docs2", ""], &[("docs", true)]),
            (&["docs"], &["inbox"], &[("docs", false)]),
            (&[".larder", "a/.LARDER/b"], &[".larder"], &[]),
            (&[], &[""], &[]),
        ] {
            let want: Vec<_> = want.iter().map(|(path, it)| ((*path).to_owned(), *it)).collect();
            assert_eq!(places_of(read, write), want, "{read:?} {write:?}");
        }
    }

    #[test]
    fn only_names_that_every_system_takes_are_plain() {
        for good in ["ana", "a", "ana-2", "ana_b", "x11"] {
            assert!(is_plain(good), "{good}");
        }
        for bad in
            ["", "Ana", "7a", "-a", "_a", "a b", "a\\", "a\"", "a%u", "ä", "larder-7", "a.b", "a$"]
        {
            assert!(!is_plain(bad), "{bad}");
        }
        assert!(is_plain(&"a".repeat(31)) && !is_plain(&"a".repeat(33)));
    }

    #[test]
    fn what_is_shown_stays_in_its_line() {
        assert_eq!(shown("a\nb\\"), "\"a\u{fffd}b\\\"");
        assert!(shown(&"ä".repeat(500)).ends_with("…\""));
    }

    proptest! {
        /// Whatever the paths are: what lies in the places is what larder lets them reach, as larder lets them.
        #[test]
        fn places_give_what_larder_gives_and_nothing_else(
            read in prop::collection::vec("[ab](/[ab]){0,2}|", 0..4),
            write in prop::collection::vec("[ab](/[ab]){0,2}|", 0..4),
            asked in prop::collection::vec("[abc](/[ab]){0,3}", 1..12),
        ) {
            let parse = |texts: &[String]| texts.iter().map(|text| path(text)).collect::<Vec<_>>();
            let (read, write) = (parse(&read), parse(&write));
            let grant = Grant::new(read.clone(), write.clone());
            let found = places(&grant, read.into_iter().chain(write));
            for place in parse(&asked) {
                let around = || found.iter().filter(|(folder, _)| place.starts_with(folder));
                prop_assert_eq!(around().count() > 0, grant.may_read(&place));
                let changes = around().any(|(_, changes)| *changes);
                prop_assert_eq!(changes, grant.may_read(&place) && grant.may_write(&place));
            }
        }
    }
}
