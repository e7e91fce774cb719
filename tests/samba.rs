//! `larder samba`: what it prints, and that Samba reads it as it is meant.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{Larder, program};

/// What was printed.
pub struct Printed {
    /// All of it.
    pub text: String,
    /// Sections with their parameters.
    pub shares: BTreeMap<String, BTreeMap<String, String>>,
    /// Each line behind a `#`.
    pub comments: Vec<String>,
}

impl Printed {
    /// Reads it as `smb.conf(5)` says, and demands that every line is whole.
    #[track_caller]
    fn read(text: String) -> Self {
        let (mut shares, mut comments) = (BTreeMap::new(), Vec::new());
        let mut name = None;
        for line in text.lines() {
            assert!(!line.ends_with('\\') && !line.contains('\r'), "{line:?}");
            let line = line.trim();
            if let Some(comment) = line.strip_prefix('#') {
                comments.push(comment.trim().to_owned());
            } else if let Some(section) = line.strip_prefix('[') {
                let section = section.strip_suffix(']').unwrap().to_owned();
                let twice = shares.insert(section.clone(), BTreeMap::new());
                assert!(twice.is_none(), "{section} is there twice: {text}");
                name = Some(section);
            } else if !line.is_empty() {
                assert!(!line.starts_with(';'), "{line:?}");
                let (key, value) = line.split_once('=').unwrap();
                let share = shares.get_mut(name.as_ref().expect("a section")).unwrap();
                let twice = share.insert(key.trim().to_owned(), value.trim().to_owned());
                assert!(twice.is_none(), "{line:?} is there twice");
            }
        }
        Self { text, shares, comments }
    }

    /// The shares that somebody gets, each with whether they change things there.
    fn of(&self, account: &str) -> Vec<(&str, bool)> {
        let member = format!("\"Unix User\\{account}\"");
        let has = |share: &BTreeMap<String, String>, list: &str| {
            share[list].split(", ").any(|one| one == member)
        };
        let mut found = Vec::new();
        for (name, share) in &self.shares {
            let changes = has(share, "write list");
            assert!(!(changes && has(share, "read list")), "{name}: {share:?}");
            assert_eq!(has(share, "valid users"), changes || has(share, "read list"), "{name}");
            if has(share, "valid users") {
                found.push((name.as_str(), changes));
            }
        }
        found
    }

    /// Whether a comment has all of these words.
    fn says(&self, words: &[&str]) -> bool {
        self.comments.iter().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

/// Runs it on what the larder holds.
#[track_caller]
pub fn shares(larder: &Larder) -> Printed {
    let output = larder.run(&["samba"], "");
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    Printed::read(String::from_utf8(output.stdout).unwrap())
}

/// Demands that it prints nothing and says why in one line.
#[track_caller]
fn expect_refusal(larder: &Larder, why: &str) {
    let output = larder.run(&["samba"], "");
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{complaint}");
    assert!(output.stdout.is_empty(), "{complaint}");
    assert!(complaint.contains(why) && complaint.lines().count() == 1, "{complaint}");
}

#[test]
fn everybody_gets_the_folders_that_they_reach_and_no_more() {
    let larder = Larder::start()
        .folder("photos")
        .folder("docs/inbox")
        .folder("cam")
        .admin("smbada")
        .user("smbuta")
        .reader("smbrea")
        .user_with(
            "smbsev",
            "user",
            r#"["photos", "docs"]"#,
            r#"["docs/inbox", "docs/inbox/deep"]"#,
        )
        .user_with("smbdro", "user", r#"["photos"]"#, r#"["cam"]"#)
        .user_with("smbnon", "user", "[]", "[]")
        .user_with("smbout", "nobody", r#"[""]"#, r#"[""]"#);
    let printed = shares(&larder);
    assert_eq!(printed.of("smbada"), [("larder", true)]);
    assert_eq!(printed.of("smbuta"), [("larder", true)]);
    assert_eq!(printed.of("smbrea"), [("larder", false)]);
    let several = [("docs", false), ("docs-inbox", true), ("photos", false)];
    assert_eq!(printed.of("smbsev"), several);
    assert_eq!(printed.of("smbdro"), [("photos", false)]);
    assert!(printed.of("smbnon").is_empty() && printed.of("smbout").is_empty());
    assert!(printed.says(&["smbdro", "\"cam\"", "without seeing"]), "{}", printed.text);
    assert!(printed.says(&["smbout", "left out", "role"]), "{}", printed.text);
    let names: Vec<&String> = printed.shares.keys().collect();
    assert_eq!(names, ["docs", "docs-inbox", "larder", "photos"]);
    for (name, share) in &printed.shares {
        for (key, value) in [
            ("read only", "yes"),
            ("guest ok", "no"),
            ("admin users", ""),
            ("veto files", "/.larder/.larder.*/.larder */"),
            ("delete veto files", "no"),
            ("follow symlinks", "no"),
            ("wide links", "no"),
            ("vfs objects", "catia fruit streams_xattr recycle"),
            ("recycle:repository", ".recycle"),
        ] {
            assert_eq!(share[key], value, "{name}: {key}");
        }
        let path = Path::new(&share["path"]);
        assert!(path.starts_with(larder.root()) && path.is_dir(), "{name}");
    }
    assert_eq!(printed.shares["larder"]["path"], larder.root().to_str().unwrap());
    for name in ["smbada", "smbuta", "smbrea", "smbsev", "smbdro"] {
        assert!(printed.comments.contains(&format!("smbpasswd -a {name}")), "{}", printed.text);
    }
    assert!(!printed.comments.contains(&"smbpasswd -a smbnon".to_owned()));
    assert!(printed.says(&[".recycle", "not to larder's trash"]) && printed.says(&["locks"]));
}

#[test]
fn it_changes_nothing_and_does_not_need_the_server() {
    let mut larder = Larder::start().folder("docs").user("smbuta");
    let content = |larder: &Larder| {
        let files = ["settings/settings.json", "settings/roles.json", "db/users.db"];
        let read = |file: &&str| fs::read(larder.state().join(file)).unwrap();
        let hidden = fs::read_dir(larder.root().join(".larder")).unwrap().flatten();
        let mut hidden: Vec<_> = hidden.map(|entry| entry.path()).collect();
        hidden.sort();
        (files.iter().map(read).collect::<Vec<_>>(), hidden, larder.tree())
    };
    let beside = shares(&larder).text;
    larder.stop();
    let before = content(&larder);
    assert_eq!(shares(&larder).text, beside);
    assert_eq!(content(&larder), before);
}

#[test]
fn what_cannot_be_shared_says_so_in_one_line() {
    let mut larder = Larder::prepare();
    fs::remove_dir_all(larder.state()).unwrap();
    expect_refusal(&larder, "no larder has been started there yet");
    larder = Larder::start().user("smbuta");
    larder.unplug();
    expect_refusal(&larder, "is the drive mounted?");
    larder.plug();
    shares(&larder);
    larder.stop();
    // As nobody can start anew, but older ones may go on: the state lies in what is shared.
    let record = larder.state().join("settings/root.json");
    let text = fs::read_to_string(&record).unwrap();
    let around = larder.folder_path().to_str().unwrap();
    fs::rename(larder.root().join(".larder"), larder.folder_path().join(".larder")).unwrap();
    fs::write(&record, text.replace(larder.root().to_str().unwrap(), around)).unwrap();
    expect_refusal(&larder, "with all its secrets");
}

#[test]
fn roles_and_second_factors_count_and_who_cannot_sign_in_is_left_out() {
    let larder = Larder::start()
        .admin("smbada")
        .user("smbuta")
        .user("smbnew")
        .user_with("smbguest", "guest", r#"[""]"#, r#"[""]"#);
    let mut roles = crate::harness::everybody_may_everything();
    for path in ["/api/finder", "/api/download", "/api/upload"] {
        roles[path] = json!(["admin", "user", "guest"]);
    }
    let larder = larder.roles(&roles);
    let database = rusqlite::Connection::open(larder.state().join("db/users.db")).unwrap();
    let sql = "UPDATE users SET password = '' WHERE username = 'smbnew'";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    drop(database);
    let printed = shares(&larder);
    assert_eq!(printed.of("smbuta"), [("larder", true)]);
    assert_eq!(printed.of("smbguest"), [("larder", false)], "it may not delete");
    assert!(printed.says(&["smbguest", "only looks"]), "{}", printed.text);
    assert!(printed.of("smbnew").is_empty() && printed.says(&["smbnew", "password"]));
    let larder = larder.settings(&json!({ "totp_roles": ["user"] }));
    let printed = shares(&larder);
    assert!(printed.of("smbuta").is_empty(), "{}", printed.text);
    assert!(printed.says(&["smbuta", "left out", "second factor"]), "{}", printed.text);
    assert_eq!(printed.of("smbada"), [("larder", true)]);
}

/// Names of people that mean something to Samba, to the system or to this format.
const ODD_NAMES: &[&str] = &[
    "root",
    "larder-3",
    "everyone",
    "Smb Müller",
    "SMBCASE",
    "smbcase",
    "smb\\",
    "%u",
    "+wheel",
    "@wheel",
    "a, b",
    "a; guest ok = yes",
    "#x",
    "[global]",
    "\"quoted\"",
    "BUILTIN\\Users",
    "smb\u{200d}x",
];

#[test]
fn names_that_mean_something_else_are_nobodys_in_samba() {
    let larder = ODD_NAMES.iter().fold(Larder::start(), |larder, name| larder.user(name));
    let printed = shares(&larder);
    let members: BTreeSet<&str> = printed.shares["larder"]["valid users"].split(", ").collect();
    assert_eq!(members.len(), ODD_NAMES.len() + 1, "{}", printed.text);
    for member in &members {
        let name = member.strip_prefix("\"Unix User\\").and_then(|name| name.strip_suffix('"'));
        let name = name.unwrap_or_else(|| panic!("{member}"));
        let is_alias = name.strip_prefix("larder-").is_some_and(|id| id.parse::<u32>().is_ok());
        assert!(is_alias || ["admin", "smbcase", "everyone"].contains(&name), "{member}");
        assert!(printed.comments.contains(&format!("smbpasswd -a {name}")), "{name}");
    }
    // Only what `username map` can say, and takes for one person's alone.
    let map: Vec<&String> = printed
        .comments
        .iter()
        .filter(|line| line.starts_with("larder-") && line.contains("= \""))
        .collect();
    let mapped = |name: &str| map.iter().any(|line| line.ends_with(&format!("= \"{name}\"")));
    assert!(mapped("Smb Müller") && mapped("root"), "{map:?}");
    assert_eq!(map.len(), 2, "{map:?}");
}

/// Folders in whose path something means something to this format; whether smb.conf can say it.
const ODD_FOLDERS: &[(&str, bool)] = &[
    ("50%", false),
    ("%U", false),
    ("end\\", false),
    ("li\nne", false),
    ("re\rturn", false),
    ("blank ", false),
    ("two  blanks", false),
    ("one blank", true),
    ("nbsp\u{a0}", false),
    ("quo\"te", false),
    ("\u{202e}turned", false),
    ("a] [b", true),
    ("a;b#c = d", true),
    ("; x", true),
    ("global", true),
    ("homes", true),
    ("Smb's", true),
    ("übung", true),
    ("A-b", true),
    ("a/B", true),
];

/// A larder with one person who reaches all of these folders and nothing else.
fn with_odd_folders() -> Larder {
    let paths: Vec<&str> = ODD_FOLDERS.iter().map(|(path, _)| *path).collect();
    let paths = json!(paths).to_string();
    let larder = ODD_FOLDERS.iter().fold(Larder::start(), |larder, (path, _)| larder.folder(path));
    larder.user_with("smbodd", "user", &paths, &paths)
}

/// What names of folders are mixed from that something may not read as they are.
const MIXED: &str = "aB  ;#=[]'$`()&|<>*?!@+,:~^{}.-_üé\u{a0}日\"%\\";

/// So many names of such letters, always the same.
fn mixed_names(count: u64) -> Vec<String> {
    let letters: Vec<char> = MIXED.chars().collect();
    let mut state = 1_u64;
    let mut next = |below: usize| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    let mut name = |number: u64| {
        let length = 1 + next(8);
        let mixed: String = (0..length).map(|_| letters[next(letters.len())]).collect();
        // Whatever the letters are, each is a name of its own, and some end with them.
        if number.is_multiple_of(2) {
            format!("{mixed}{number}")
        } else {
            format!("{number}{mixed}")
        }
    };
    (0..count).map(&mut name).collect()
}

#[test]
fn folders_that_smb_conf_cannot_say_are_left_out() {
    let larder = with_odd_folders();
    let printed = shares(&larder);
    let paths: BTreeSet<&str> = printed.shares.values().map(|share| &*share["path"]).collect();
    for (folder, can_be_said) in ODD_FOLDERS {
        let path = larder.root().join(folder);
        assert_eq!(paths.contains(path.to_str().unwrap()), *can_be_said, "{folder:?}");
    }
    let good = ODD_FOLDERS.iter().filter(|(_, can_be_said)| *can_be_said).count();
    assert_eq!(printed.of("smbodd").len(), good);
    assert_eq!(printed.shares.len(), good + 1, "the admin's");
    let left_out = printed.comments.iter().filter(|line| line.contains("no way to write")).count();
    assert_eq!(left_out, ODD_FOLDERS.len() - good, "{}", printed.text);
    for (name, share) in &printed.shares {
        assert!(!["global", "homes"].contains(&&*name.to_lowercase()), "{name}");
        assert_eq!(share["guest ok"], "no", "{name}");
    }
    // Nobody tells two of these apart who ignores the case.
    let names: BTreeSet<String> = printed.shares.keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(names.len(), printed.shares.len());
}

#[test]
fn only_folders_that_stand_where_they_are_named_are_shared() {
    let larder = Larder::start().file("docs/a.txt", "A").folder("real");
    let larder = larder.link("link", "real").link("out", "/etc").folder("deep/.LARDER.");
    let paths = r#"["docs/a.txt", "link", "link/in", "out", "gone", ".larder", ".larder/trash", "deep/.LARDER."]"#;
    let larder = larder.user_with("smbodd", "user", paths, paths);
    let printed = shares(&larder);
    assert!(printed.of("smbodd").is_empty(), "{}", printed.text);
    for path in ["docs/a.txt", "link", "out", "gone"] {
        assert!(printed.says(&[&format!("\"{path}\""), "no share"]), "{path}: {}", printed.text);
    }
    assert_eq!(printed.shares.len(), 1, "the admin's");
    // Nobody is to be given a password for nothing.
    assert!(!printed.says(&["smbpasswd", "smbodd"]), "{}", printed.text);
}

#[test]
fn samba_reads_it_as_it_is_meant() {
    let larder = with_odd_folders().user("smbuta").reader("Smb Müller").user("%u").user("smb\\");
    let mixed = mixed_names(200);
    let larder = mixed.iter().fold(larder, |larder, name| larder.folder(name));
    let larder = larder.user_with("smbmix", "user", &json!(mixed).to_string(), "[]");
    let printed = shares(&larder);
    let shared = printed.of("smbmix").len();
    assert!((60..200).contains(&shared), "{shared}");
    let file = larder.folder_path().join("smb.conf");
    fs::write(&file, &printed.text).unwrap();
    let output =
        program::run(larder.folder_path(), "testparm", &["-s", "-v", file.to_str().unwrap()]);
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    for bad in ["nknown", "rror", "gnor", "nvalid", "not exist"] {
        assert!(!complaint.contains(bad), "{complaint}");
    }
    let text = String::from_utf8(output.stdout).unwrap();
    let mut read: BTreeMap<&str, BTreeMap<String, String>> = BTreeMap::new();
    let mut name = "";
    for line in text.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            name = section.strip_suffix(']').unwrap();
            read.entry(name).or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
            read.entry(name).or_default().insert(key, value);
        }
    }
    let names: Vec<&str> = read.keys().copied().filter(|name| *name != "global").collect();
    assert_eq!(names, printed.shares.keys().collect::<Vec<_>>());
    for (name, share) in &printed.shares {
        let seen = &read[name.as_str()];
        for (key, value) in share {
            // Of services it only tells what is not as always.
            let Some(told) = seen.get(key) else {
                assert!(AS_ALWAYS.contains(&(key, value)), "{name}: no {key} in {seen:?}");
                continue;
            };
            let normal = |text: &str| text.replace(", ", " ").to_lowercase();
            match &**key {
                "path" => assert_eq!(told, value, "{name}"),
                _ => assert_eq!(normal(told), normal(value), "{name}: {key}"),
            }
        }
    }
}

/// Parameters that say what Samba does anyway, unless its owner decided otherwise for all shares.
const AS_ALWAYS: &[(&str, &str)] = &[
    ("read only", "yes"),
    ("admin users", ""),
    ("invalid users", ""),
    ("read list", ""),
    ("write list", ""),
    ("guest ok", "no"),
    ("guest only", "no"),
    ("available", "yes"),
    ("browseable", "yes"),
    ("printable", "no"),
    ("delete veto files", "no"),
    ("wide links", "no"),
    ("msdfs root", "no"),
    ("force create mode", "0"),
    ("force directory mode", "0"),
];

#[test]
fn what_the_owner_of_samba_says_of_all_shares_opens_none_of_these() {
    let larder = Larder::start().reader("smbrea");
    let printed = shares(&larder);
    let open = "guest ok = yes\nread only = no\nadmin users = smbrea\nwrite list = smbrea\nwide links = yes\n\
                follow symlinks = yes\nveto files =\ndelete veto files = yes\nforce user = nobody\n\
                guest only = yes\nforce create mode = 0777\nmsdfs root = yes\n";
    let text = format!("[global]\n{open}[larder]\npath = /etc\n{open}{}", printed.text);
    let file = larder.folder_path().join("smb.conf");
    fs::write(&file, text).unwrap();
    for (key, value) in &printed.shares["larder"] {
        if !open.contains(&format!("{key} =")) && key != "path" {
            continue;
        }
        let words = ["-s", "--section-name=larder", &format!("--parameter-name={key}")];
        let words = [&words[..], &[file.to_str().unwrap()]].concat();
        let output = program::run(larder.folder_path(), "testparm", &words);
        let told = String::from_utf8(output.stdout).unwrap();
        let normal = |text: &str| text.trim().replace(", ", " ").to_lowercase();
        let is_same =
            normal(&told) == normal(value) || key.ends_with("mode") && normal(&told) == "0000";
        assert!(is_same, "{key} = {value:?} became {told:?}");
    }
}
