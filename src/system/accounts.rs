//! The accounts that the system itself lists, in `passwd(5)` and `group(5)`. Those of a directory elsewhere (LDAP) are
//! not among them.

use std::fs::File;
use std::io::Read as _;

use crate::limits;

/// Numbers of people's accounts, as `useradd(8)` gives them: below are the system's own, above nobody and dynamic ones.
const PEOPLE: std::ops::Range<u32> = 1000..60_000;

/// What both files said.
pub struct Accounts {
    /// Name and number of each user.
    users: Vec<(String, u32)>,
    /// The same of each group.
    groups: Vec<(String, u32)>,
}

impl Accounts {
    /// Reads both; what cannot be read lists nobody.
    pub fn read() -> Self {
        Self::of(&text_of("/etc/passwd"), &text_of("/etc/group"))
    }

    /// The same of their texts.
    pub fn of(passwd: &str, group: &str) -> Self {
        Self { users: rows(passwd), groups: rows(group) }
    }

    /// The name of the user with this number.
    pub fn user_of(&self, number: u32) -> Option<&str> {
        name_of(&self.users, number)
    }

    /// The name of the group with this number.
    pub fn group_of(&self, number: u32) -> Option<&str> {
        name_of(&self.groups, number)
    }

    /// Whether there is a user of this name.
    pub fn has_user(&self, name: &str) -> bool {
        self.users.iter().any(|(known, _)| known == name)
    }

    /// Whether this name is a person's, or free to become one's: no program has it, and no group.
    pub fn could_be_of_person(&self, name: &str) -> bool {
        let mut numbers = self.users.iter().filter(|(known, _)| known == name).peekable();
        match numbers.peek() {
            Some(_) => numbers.all(|(_, number)| PEOPLE.contains(number)),
            None => !self.groups.iter().any(|(known, _)| known == name),
        }
    }
}

/// The first name of this number.
fn name_of(rows: &[(String, u32)], number: u32) -> Option<&str> {
    rows.iter().find(|(_, known)| *known == number).map(|(name, _)| name.as_str())
}

/// Name and number of each line: the first and the third field of both files.
fn rows(text: &str) -> Vec<(String, u32)> {
    let row = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        Some((name.to_owned(), fields.nth(1)?.parse().ok()?))
    };
    text.lines().filter_map(row).collect()
}

/// One of the files; empty when there is none.
fn text_of(path: &str) -> String {
    let mut bytes = Vec::new();
    if let Ok(file) = File::open(path) {
        let _what_was_read_counts = file.take(limits::ACCOUNTS_BYTES_MAX).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_found_and_broken_lines_are_nobody() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nana:x:1000:1000::/home/ana:/bin/sh\nbad\n:x:5:\nx:y:z:\n\
                      larder:x:998:998::/:/bin/false\nnobody:x:65534:65534::/:/bin/false\n";
        let accounts = Accounts::of(passwd, "users:x:100:\nana:x:1000:\nlarder:x:998:");
        assert_eq!(accounts.user_of(998), Some("larder"));
        assert_eq!((accounts.user_of(5), accounts.group_of(100)), (None, Some("users")));
        assert!(accounts.has_user("ana") && !accounts.has_user("users") && !accounts.has_user("x"));
        for (name, is_free) in [
            ("ana", true),
            ("bea", true),
            ("root", false),
            ("larder", false),
            ("nobody", false),
            ("users", false),
        ] {
            assert_eq!(accounts.could_be_of_person(name), is_free, "{name}");
        }
    }
}
