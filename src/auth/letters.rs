//! What an FTP user may do: the letters of contract section 8, and the `Grant` that they and the home
//! folder make.

use crate::error::{Error, Result};
use crate::vault::{Grant, VaultPath};

/// Every letter there is, in the contract's order.
const ALL: &str = "elradfmwMT";

/// Letters for what only shows.
const READING: &str = "elr";

/// A set of letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letters(String);

impl Letters {
    /// Reads letters in any order; one that comes twice counts once.
    ///
    /// Errors: `Invalid("Invalid permissions")` for none or an unknown one.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() || !text.chars().all(|letter| ALL.contains(letter)) {
            return Err(Error::invalid("Invalid permissions"));
        }
        Ok(Self(ALL.chars().filter(|letter| text.contains(*letter)).collect()))
    }

    /// What a stored row says. One that can't be read permits nothing: it must not open doors.
    pub fn stored(text: &str) -> Self {
        Self::parse(text).unwrap_or(Self(String::new()))
    }

    /// What a narrowed key permits (second contract, section 21): everything, or only what shows, and of that what its
    /// user's role may do at the API, as `may` says of its endpoints.
    pub fn of_key(may_write: bool, may: impl Fn(&str) -> bool) -> Self {
        let is_given = |letter: &char| {
            (may_write || READING.contains(*letter))
                && endpoints_of(*letter).iter().all(|path| may(path))
        };
        Self(ALL.chars().filter(is_given).collect())
    }

    /// The letters in the contract's order.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether any of these is among them.
    pub fn has_any(&self, letters: &str) -> bool {
        letters.chars().any(|letter| self.0.contains(letter))
    }

    /// Whether all of them are among others.
    pub fn are_among(&self, others: &Self) -> bool {
        self.0.chars().all(|letter| others.0.contains(letter))
    }

    /// What may be read and written below the home folder. Which of it, the table of verbs decides.
    pub fn grant(&self, home: &VaultPath) -> Grant {
        let home_if = |is_granted: bool| is_granted.then_some(home);
        Grant::everything().within(home_if(self.has_any(READING)), home_if(self.change_something()))
    }

    /// Whether somebody with this grant has at `home` what these letters give there.
    pub fn are_within(&self, grant: &Grant, home: &VaultPath) -> bool {
        (!self.has_any(READING) || grant.may_read(home))
            && (!self.change_something() || grant.may_write(home))
    }

    /// Whether any of them is for more than looking.
    fn change_something(&self) -> bool {
        self.0.chars().any(|letter| !READING.contains(letter))
    }
}

/// The endpoints that do at the API what a letter permits here.
fn endpoints_of(letter: char) -> &'static [&'static str] {
    match letter {
        'r' => &["/api/download"],
        'd' => &["/api/delete_file", "/api/delete_folder"],
        'f' => &["/api/rename_file", "/api/rename_folder"],
        'm' => &["/api/create_folder"],
        'a' | 'w' | 'M' | 'T' => &["/api/upload"],
        _ => &["/api/finder"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_letters_are_permissions() {
        assert_eq!(Letters::parse("elradfmwMT").unwrap().as_str(), ALL);
        assert_eq!(Letters::parse("wwle").unwrap().as_str(), "elw");
        for bad in ["", "x", "el r", "E", "elé", "t"] {
            assert!(matches!(Letters::parse(bad), Err(Error::Invalid(..))), "{bad:?}");
        }
        assert!(!Letters::stored("x").has_any(ALL));
    }

    #[test]
    fn a_key_has_the_letters_of_its_right_and_of_what_its_users_role_may() {
        assert_eq!(Letters::of_key(true, |_| true).as_str(), ALL);
        assert_eq!(Letters::of_key(false, |_| true).as_str(), READING);
        assert_eq!(
            Letters::of_key(true, |path| path != "/api/delete_folder").as_str(),
            "elrafmwMT"
        );
        assert_eq!(Letters::of_key(true, |path| path == "/api/upload").as_str(), "awMT");
        assert_eq!(Letters::of_key(false, |path| path == "/api/download").as_str(), "r");
        assert_eq!(Letters::of_key(true, |_| false).as_str(), "");
    }

    #[test]
    fn nobody_hands_out_letters_for_what_they_may_not_do_themselves() {
        let home = VaultPath::parse("cam").unwrap();
        let beside = VaultPath::parse("cam2").unwrap();
        let at = |place: &VaultPath| vec![place.clone()];
        let reader = Grant::new(at(&home), at(&beside));
        let dropper = Grant::new(at(&beside), at(&home));
        let owner = Grant::everything();
        for (letters, reads, writes) in [
            ("e", true, false),
            ("elr", true, false),
            ("w", false, true),
            ("adfmMT", false, true),
            ("lw", true, true),
            (ALL, true, true),
        ] {
            let letters = Letters::parse(letters).unwrap();
            assert_eq!(letters.are_within(&reader, &home), !writes, "{letters:?}");
            assert_eq!(letters.are_within(&dropper, &home), !reads, "{letters:?}");
            assert!(
                letters.are_within(&owner, &home) && letters.are_within(&owner, &VaultPath::root())
            );
            assert!(!letters.are_within(&reader, &VaultPath::root()));
        }
        assert!(Letters::stored("x").are_within(&reader, &home), "it gives nothing");
    }

    #[test]
    fn letters_grant_their_side_of_the_home_and_nothing_beside_it() {
        let home = VaultPath::parse("cam").unwrap();
        let (inside, beside) = (home.child("a").unwrap(), VaultPath::parse("cam2").unwrap());
        let looks = Letters::parse("el").unwrap().grant(&home);
        assert!(looks.may_read(&inside) && !looks.may_write(&inside) && !looks.may_read(&beside));
        let drops = Letters::parse("w").unwrap().grant(&home);
        assert!(!drops.may_read(&inside) && drops.may_write(&inside) && !drops.may_write(&beside));
    }
}
