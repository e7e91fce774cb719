//! Every verb larder knows, each declared once, here: the gate, `HELP`, `FEAT` and the tests follow
//! from this table.

use crate::ftp::commands::{info, login, manage, navigate, transfer};
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::Session;

use Needs::{AnyOf, Login, Nothing};

/// One row of the table.
pub struct Verb {
    /// In capitals.
    pub name: &'static str,
    /// Who may use it.
    pub needs: Needs,
    /// What obeys.
    pub run: fn(&mut Session, &str) -> Answer,
    /// What follows the name.
    pub takes: &'static str,
    /// Its line in `FEAT` (RFC 2389, 3), if it has one.
    pub feature: Option<&'static str>,
    /// Where it is defined.
    pub defined_in: &'static str,
}

/// Who may use a verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Everybody.
    Nothing,
    /// Whoever has signed in.
    Login,
    /// Whoever has any of these letters.
    AnyOf(&'static str),
}

/// A row.
const fn verb(
    name: &'static str,
    needs: Needs,
    run: fn(&mut Session, &str) -> Answer,
    takes: &'static str,
    feature: Option<&'static str>,
    defined_in: &'static str,
) -> Verb {
    Verb { name, needs, run, takes, feature, defined_in }
}

/// What stands in the table for the facts, which each session chooses for itself.
pub const MLST_FEATURE: &str = "MLST";

/// The table.
#[rustfmt::skip]
pub static VERBS: &[Verb] = &[
    //   name    needs          command               takes              in FEAT             defined in
    verb("USER", Nothing,       login::user,          "name",            None,               "RFC 959, 4.1.1"),
    verb("PASS", Nothing,       login::pass,          "password",        None,               "RFC 959, 4.1.1"),
    verb("QUIT", Nothing,       login::quit,          "",                None,               "RFC 959, 4.1.1"),
    verb("AUTH", Nothing,       login::auth,          "TLS",             Some("AUTH TLS"),   "RFC 2228, 3; RFC 4217, 4"),
    verb("PBSZ", Nothing,       login::buffer_size,   "0",               Some("PBSZ"),       "RFC 2228, 3; RFC 4217, 8"),
    verb("PROT", Nothing,       login::protection,    "P|C",             Some("PROT"),       "RFC 2228, 3; RFC 4217, 9"),
    verb("CWD",  AnyOf("e"),    navigate::enter,      "folder",          Some("TVFS"),       "RFC 959, 4.1.1; RFC 3659, 6"),
    verb("XCWD", AnyOf("e"),    navigate::enter,      "folder",          None,               "RFC 775; RFC 1123, 4.1.3.1"),
    verb("CDUP", AnyOf("e"),    navigate::leave,      "",                None,               "RFC 959, 4.1.1"),
    verb("XCUP", AnyOf("e"),    navigate::leave,      "",                None,               "RFC 775; RFC 1123, 4.1.3.1"),
    verb("PWD",  Login,         navigate::tell,       "",                None,               "RFC 959, 4.1.3"),
    verb("XPWD", Login,         navigate::tell,       "",                None,               "RFC 775; RFC 1123, 4.1.3.1"),
    verb("TYPE", Login,         transfer::set_type,   "A|I|L 8",         None,               "RFC 959, 4.1.2"),
    verb("MODE", Login,         transfer::set_mode,   "S",               None,               "RFC 959, 4.1.2"),
    verb("STRU", Login,         transfer::structure,  "F",               None,               "RFC 959, 4.1.2"),
    verb("ALLO", Login,         transfer::allocate,   "bytes",           None,               "RFC 959, 4.1.3"),
    verb("PASV", Login,         transfer::passive,    "",                None,               "RFC 959, 4.1.2"),
    verb("EPSV", Login,         transfer::extended_passive, "[1|2|ALL]", Some("EPSV"),       "RFC 2428, 3"),
    verb("PORT", Login,         transfer::active,     "h1,h2,h3,h4,p1,p2", None,             "RFC 959, 4.1.2"),
    verb("EPRT", Login,         transfer::extended_active, "|protocol|address|port|", Some("EPRT"), "RFC 2428, 2"),
    verb("REST", Login,         transfer::restart,    "offset",          Some("REST STREAM"), "RFC 3659, 5"),
    verb("RETR", AnyOf("r"),    transfer::retrieve,   "file",            None,               "RFC 959, 4.1.3"),
    verb("STOR", AnyOf("w"),    transfer::store,      "file",            None,               "RFC 959, 4.1.3"),
    verb("APPE", AnyOf("a"),    transfer::append,     "file",            None,               "RFC 959, 4.1.3"),
    verb("STOU", AnyOf("w"),    transfer::store_unique, "[file]",        None,               "RFC 959, 4.1.3; RFC 1123, 4.1.2.9"),
    verb("ABOR", Login,         transfer::abort,      "",                None,               "RFC 959, 4.1.3"),
    verb("MKD",  AnyOf("m"),    manage::make_folder,  "folder",          None,               "RFC 959, 4.1.3"),
    verb("XMKD", AnyOf("m"),    manage::make_folder,  "folder",          None,               "RFC 775; RFC 1123, 4.1.3.1"),
    verb("RMD",  AnyOf("d"),    manage::remove_folder, "folder",         None,               "RFC 959, 4.1.3"),
    verb("XRMD", AnyOf("d"),    manage::remove_folder, "folder",         None,               "RFC 775; RFC 1123, 4.1.3.1"),
    verb("DELE", AnyOf("d"),    manage::delete,       "file",            None,               "RFC 959, 4.1.3"),
    verb("RNFR", AnyOf("f"),    manage::rename_from,  "name",            None,               "RFC 959, 4.1.3"),
    verb("RNTO", AnyOf("f"),    manage::rename_to,    "name",            None,               "RFC 959, 4.1.3"),
    verb("MFMT", AnyOf("T"),    manage::set_modified, "time file",       Some("MFMT"),       "draft-somers-ftp-mfxx-04, 3"),
    verb("SITE", Login,         manage::site,         "CHMOD mode file|HELP", None,          "RFC 959, 4.1.3; RFC 1123, 4.1.2.8"),
    verb("LIST", AnyOf("l"),    info::list,           "[folder|pattern]", None,              "RFC 959, 4.1.3"),
    verb("NLST", AnyOf("l"),    info::names,          "[folder|pattern]", None,              "RFC 959, 4.1.3; RFC 1123, 4.1.2.7"),
    verb("MLSD", AnyOf("l"),    info::facts_of_all,   "[folder]",        None,               "RFC 3659, 7"),
    verb("MLST", AnyOf("l"),    info::facts_of_one,   "[name]",          Some(MLST_FEATURE), "RFC 3659, 7"),
    verb("SIZE", AnyOf("lrwa"), info::size,           "file",            Some("SIZE"),       "RFC 3659, 4"),
    verb("MDTM", AnyOf("lrT"),  info::modified,      "[time] file",     Some("MDTM"),       "RFC 3659, 3"),
    verb("STAT", Login,         info::status,         "[name]",          None,               "RFC 959, 4.1.3"),
    verb("OPTS", Nothing,       info::options,        "UTF8 ON|MLST facts", Some("UTF8"),    "RFC 2389, 4; RFC 2640, 3.2"),
    verb("FEAT", Nothing,       info::features,       "",                None,               "RFC 2389, 3"),
    verb("HELP", Nothing,       info::help,           "[verb]",          None,               "RFC 959, 4.1.3"),
    verb("SYST", Nothing,       info::system,         "",                None,               "RFC 959, 4.1.3"),
    verb("NOOP", Nothing,       info::nothing,        "",                None,               "RFC 959, 4.1.3"),
];

/// Verbs that stand in an RFC and that larder leaves out on purpose: accounts, mounts, restarts of the
/// session, Kerberos, leaving TLS, other languages and other hosts.
const LEFT_OUT: &[&str] =
    &["ACCT", "SMNT", "REIN", "ADAT", "CCC", "CONF", "ENC", "MIC", "LANG", "HOST"];

/// The row of a verb in capitals.
pub fn find(name: &str) -> Option<&'static Verb> {
    VERBS.iter().find(|verb| verb.name == name)
}

/// What is said about a verb that has no row (RFC 959, 4.2: 502 known but not implemented, 500 unknown).
pub fn refusal(name: &str) -> Reply {
    if LEFT_OUT.contains(&name) {
        Reply::new(502, "Not implemented")
    } else {
        Reply::new(500, "Unknown command")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rows_are_unique_and_say_where_they_come_from() {
        let names: BTreeSet<_> = VERBS.iter().map(|verb| verb.name).collect();
        assert_eq!(names.len(), VERBS.len());
        for verb in VERBS {
            let is_name = (3..=4).contains(&verb.name.len());
            assert!(is_name && verb.name.bytes().all(|byte| byte.is_ascii_uppercase()));
            let is_defined = verb.defined_in.starts_with("RFC ") || verb.name == "MFMT";
            assert!(is_defined, "{}", verb.name);
            assert!(!LEFT_OUT.contains(&verb.name));
        }
    }

    /// The contract's list (section 8), and nothing less.
    #[test]
    fn every_verb_of_the_contract_is_there() {
        let wanted = "USER PASS QUIT NOOP SYST FEAT HELP STAT OPTS TYPE MODE STRU ALLO PWD CWD CDUP MKD \
                      RMD LIST NLST MLSD MLST SIZE MDTM MFMT STOR APPE STOU RETR REST ABOR RNFR RNTO \
                      DELE SITE PASV EPSV PORT EPRT AUTH PBSZ PROT XPWD XCWD XCUP XMKD XRMD";
        let mut wanted: Vec<&str> = wanted.split_whitespace().collect();
        let mut names: Vec<&str> = VERBS.iter().map(|verb| verb.name).collect();
        wanted.sort_unstable();
        names.sort_unstable();
        assert_eq!(names, wanted);
    }

    /// Opening a door is a visible change: this list and the table must both be edited.
    #[test]
    fn these_and_no_others_need_no_login() {
        let open = VERBS.iter().filter(|verb| verb.needs == Nothing).map(|verb| verb.name);
        assert_eq!(
            open.collect::<Vec<_>>(),
            [
                "USER", "PASS", "QUIT", "AUTH", "PBSZ", "PROT", "OPTS", "FEAT", "HELP", "SYST",
                "NOOP"
            ]
        );
    }

    #[test]
    fn letters_are_the_contracts() {
        for verb in VERBS {
            if let AnyOf(letters) = verb.needs {
                assert!(letters.chars().all(|letter| "elradfmwMT".contains(letter)));
            }
        }
    }
}
