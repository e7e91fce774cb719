//! How shares are written for Samba (`smb.conf(5)`). Whatever people have chosen gets into a value only if no reading of
//! it can mean anything but itself: Samba's format has no way to quote a `%`, a `"` or the end of a line.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::limits;
use crate::samba::plan::{Members, Person, Plan, shown};
use crate::vault::VaultPath;
use crate::words;

/// What stands first.
const HEAD: &str = "\
# Samba's shares beside larder, for what speaks nothing else; made by `larder samba` from what people may in larder now.
#
#   larder samba > /etc/samba/larder.conf      as root, or as the account that larder runs as
#   include = /etc/samba/larder.conf           the last line of /etc/samba/smb.conf
#   testparm -s && systemctl restart smbd
#
# Make it anew when people, paths, roles or folders change: Samba hears nothing of that. None of your own shares may
# have a name of these. In [global] of smb.conf (the last line only where testparm knows it):
#   map to guest = Never
#   server min protocol = SMB2
#   fruit:nfs_aces = no
#   smb3 unix extensions = no
#
# By Samba, unlike by larder's own doors,
# - passwords are Samba's, nobody is asked for a second factor, and larder's log tells nothing;
# - what is deleted goes to the folder .recycle of its share, which nothing empties, and not to larder's trash;
# - what is overwritten is gone, and files are seen while they are being written;
# - locks do not meet: what one has locked by WebDAV or by Samba the other may change;
# - symbolic links are not followed, and a file that larder replaces loses what a Mac noted beside it.
";

/// What every share says after its own lines, all of it, so that no [global] decides otherwise.
const EVERY_SHARE: &str = "    read only = yes
    admin users =
    invalid users =
    guest ok = no
    guest only = no
    available = yes
    browseable = yes
    access based share enum = yes
    printable = no
    # Larder's own folder, also as drives that know no case or no last dot take it: unfinished files, trash, versions.
    case sensitive = no
    veto files = /.larder/.larder.*/.larder */
    delete veto files = no
    follow symlinks = no
    wide links = no
    msdfs root = no
    ea support = no
    nt acl support = no
    create mask = 0640
    force create mode = 0
    directory mask = 0750
    force directory mode = 0
    # Larder changes files too, so nobody keeps copies of them.
    oplocks = no
    level2 oplocks = no
    vfs objects = catia fruit streams_xattr recycle
    fruit:metadata = stream
    fruit:encoding = native
    fruit:veto_appledouble = no
    fruit:posix_rename = yes
    fruit:wipe_intentionally_left_blank_rfork = yes
    fruit:delete_empty_adfiles = yes
    recycle:repository = .recycle
    recycle:keeptree = yes
    recycle:versions = yes
    recycle:touch = yes
";

/// Names of shares that mean something to Samba or to Windows.
const NAMES_TAKEN: &[&str] = &["global", "homes", "printers", "print", "netlogon", "sysvol", "ipc"];

/// What all shares stand on.
pub struct Ground {
    /// The share root.
    root: String,
    /// The account that larder's files belong to.
    user: String,
    /// Its group, where that has a name that can be written.
    group: Option<String>,
}

impl Ground {
    /// Judges what they are.
    ///
    /// Errors: a sentence.
    pub fn new(root: &Path, user: Option<&str>, group: Option<&str>) -> Result<Self, &'static str> {
        let root = value_of(root).ok_or("smb.conf has no way to write such a path")?;
        let can_be_said = |name: &&str| {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !name.is_empty() && name.bytes().all(is_part)
        };
        let user = user.filter(can_be_said).ok_or(
            "the files belong to an account that /etc/passwd has no name for, and Samba needs one",
        )?;
        let group = group.filter(can_be_said).map(str::to_owned);
        Ok(Self { root: root.to_owned(), user: user.to_owned(), group })
    }

    /// What refuses everybody while the drive is away, when Samba would write into the empty mount point.
    fn guard(&self) -> String {
        // Whoever runs commands for Samba is a shell, and this is the only letter that ends these quotes.
        if self.root.contains('\'') {
            return "    # With the drive away Samba would write into the mount point: stop it before you unplug.\n"
                .to_owned();
        }
        format!("    preexec = test -d '{}/.larder'\n    preexec close = yes\n", self.root)
    }
}

/// A path as a value. `None` for one that Samba would read otherwise: it replaces what follows `%`, goes on in the next
/// line after `\`, takes quotes off and blanks at the end, and makes one blank of many, which is another folder.
fn value_of(path: &Path) -> Option<&str> {
    let text = path.to_str().filter(|text| text.starts_with('/'))?;
    let is_good = words::are_plain(text)
        && !text.contains(['%', '"', '\\'])
        && !text.contains("  ")
        && !text.ends_with(char::is_whitespace);
    is_good.then_some(text)
}

/// All of it. `find` tells where on the machine a folder is, if one stands there.
pub fn text(plan: &Plan, ground: &Ground, find: impl Fn(&VaultPath) -> Option<PathBuf>) -> String {
    let mut out = HEAD.to_owned();
    let mut sections = String::new();
    let mut remarks: Vec<String> = plan.remarks.clone();
    let mut taken: BTreeSet<String> = NAMES_TAKEN.iter().map(|name| (*name).to_owned()).collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for (path, members) in &plan.folders {
        let place = find(path);
        match place.as_deref().map(value_of) {
            Some(Some(place)) => {
                reached.extend(members.readers.iter().chain(&members.writers).map(String::as_str));
                sections.push_str(&section(&share_name(path, &mut taken), place, members, ground));
            }
            Some(None) => remarks.push(format!(
                "{} is no share: smb.conf has no way to write such a path.",
                shown(path.as_str())
            )),
            None => remarks.push(format!(
                "{} is no share: no folder stands there now, or a link leads to it.",
                shown(path.as_str())
            )),
        }
    }
    if ground.user == "root" {
        remarks.push(
            "Larder's files belong to root here: run larder as an account of its own.".to_owned(),
        );
    }
    if !remarks.is_empty() {
        out.push_str("#\n# Left out, or worth a look:\n");
    }
    for remark in remarks {
        add(&mut out, format_args!("# - {remark}\n"));
    }
    out.push_str(&people(plan, &reached));
    if sections.is_empty() {
        out.push_str("\n# There is nothing to share.\n");
    }
    out + &sections
}

/// What is to be typed for each of those who reach something, as comments.
fn people(plan: &Plan, reached: &BTreeSet<&str>) -> String {
    let mut out = "\
#
# People: an account of the system without a login, all of them before Samba is started anew, and a password of Samba's
# (not the one in larder: Samba keeps what is as good as it). Who has gone: smbpasswd -x NAME
"
    .to_owned();
    let all = plan.people.iter().filter(|person| reached.contains(&*person.account));
    for Person { username, account, has_account, has_factor } in all {
        if username != account {
            add(&mut out, format_args!("#   {} is {account} in Samba:\n", shown(username)));
        }
        if *has_factor {
            add(&mut out, format_args!("#   {account} has a second factor in larder:\n"));
        }
        if !has_account {
            add(&mut out, format_args!("#   useradd -M -s /usr/sbin/nologin {account}\n"));
        }
        add(&mut out, format_args!("#   smbpasswd -a {account}\n"));
    }
    let mut others = plan.other_names();
    others.retain(|(_, account)| reached.contains(account));
    if !others.is_empty() {
        out.push_str(
            "# To sign in by the name in larder: `username map = /etc/samba/larder.map` in [global], and in that file\n",
        );
    }
    for (username, account) in others {
        add(&mut out, format_args!("#   {account} = \"{username}\"\n"));
    }
    out
}

/// One share.
fn section(name: &str, place: &str, members: &Members, ground: &Ground) -> String {
    let (readers, writers) = (&members.readers, &members.writers);
    let everybody = [readers.as_slice(), writers].concat();
    let mut out = format!("\n[{name}]\n    path = {place}\n");
    for (what, accounts) in
        [("valid users", &everybody), ("read list", readers), ("write list", writers)]
    {
        add(&mut out, format_args!("    {what} ={}\n", list(accounts)));
    }
    add(&mut out, format_args!("    force user = {}\n", ground.user));
    if let Some(group) = &ground.group {
        add(&mut out, format_args!("    force group = {group}\n"));
    }
    out + &ground.guard() + EVERY_SHARE
}

/// A list of people, each with a blank before. As users of the system and nothing else: a bare name Samba also takes for
/// a group's or for one of Windows' own.
fn list(accounts: &[String]) -> String {
    let names: Vec<String> =
        accounts.iter().map(|account| format!(" \"Unix User\\{account}\"")).collect();
    names.join(",")
}

/// A name for a share that no other has, whatever the case of its letters: its path, as far as a name takes it.
fn share_name(path: &VaultPath, taken: &mut BTreeSet<String>) -> String {
    let is_part = |letter: char| letter.is_alphanumeric() || "-_. ".contains(letter);
    let letters = path.as_str().replace('/', "-");
    let name: String =
        letters.chars().map(|letter| if is_part(letter) { letter } else { '_' }).collect();
    let name = &name[..name.floor_char_boundary(limits::SAMBA_NAME_BYTES_MAX)];
    // Samba makes one blank of many, and one share of two that are called the same then.
    let words: Vec<&str> = name.split_whitespace().collect();
    let name = match words.join(" ") {
        name if !name.is_empty() => name,
        _ if path.is_root() => "larder".to_owned(),
        _ => "folder".to_owned(),
    };
    let numbered = (2_u32..).map(|number| format!("{name}-{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    let free = names.find(|name| taken.insert(name.to_lowercase()));
    free.unwrap_or_default()
}

/// Writes to a text.
fn add(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _never_fails = out.write_fmt(what);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ground() -> Ground {
        Ground::new(Path::new("/srv/larder"), Some("larder"), Some("larder")).unwrap()
    }

    fn named(paths: &[&str]) -> Vec<String> {
        let mut taken = NAMES_TAKEN.iter().map(|name| (*name).to_owned()).collect();
        paths.iter().map(|path| share_name(&VaultPath::parse(path).unwrap(), &mut taken)).collect()
    }

    #[test]
    fn shares_have_names_of_their_own_that_mean_nothing_else() {
        assert_eq!(
            named(&[
                "", "Larder", "docs/a", "docs-a", "DOCS/A", "Global", "a]b%u\\;", " ", "...",
                "x y", "x  y"
            ]),
            [
                "larder", "Larder-2", "docs-a", "docs-a-2", "DOCS-A-3", "Global-2", "a_b_u__",
                "folder", "...", "x y", "x y-2"
            ]
        );
        assert!(named(&[&"ä".repeat(100)])[0].len() <= limits::SAMBA_NAME_BYTES_MAX);
    }

    #[test]
    fn only_paths_that_mean_themselves_are_values() {
        for good in ["/srv/larder", "/srv/Ana's photos", "/a;b#c", "/ä [1]", "/a b"] {
            assert_eq!(value_of(Path::new(good)), Some(good));
        }
        for bad in [
            "",
            "a",
            "/a%u",
            "/50%",
            "/a\\",
            "/a\"b",
            "/a\nb",
            "/a ",
            "/a  b",
            "/a\u{a0}",
            "/a\u{85}b",
        ] {
            assert_eq!(value_of(Path::new(bad)), None, "{bad:?}");
        }
    }

    #[test]
    fn the_ground_needs_an_account_with_a_name_and_a_root_that_can_be_written() {
        let root = Path::new("/srv/larder");
        assert!(Ground::new(root, None, None).is_err());
        assert!(Ground::new(root, Some("+wheel"), None).is_err());
        assert!(Ground::new(Path::new("/50%"), Some("larder"), None).is_err());
        let quoted =
            Ground::new(Path::new("/Ana's"), Some("larder"), Some("domain users")).unwrap();
        assert!(quoted.group.is_none() && !quoted.guard().contains("preexec"));
        assert!(ground().guard().contains("preexec = test -d '/srv/larder/.larder'\n"));
    }

    proptest! {
        /// Whatever people are called and whatever their folders: each line is a comment, a section of ours or a
        /// parameter of ours, and none goes on in the next.
        #[test]
        fn nothing_that_people_choose_makes_a_line(
            name in "[\\PC\n\r\\\\]{0,30}",
            folder in "[a-c%\\\\\"\n; \\]\\[#=.]{1,20}",
        ) {
            let Ok(path) = VaultPath::parse(&folder) else { return Ok(()) };
            let place = Path::new("/srv/larder").join(&folder);
            let account = "larder-7".to_owned();
            let members = Members { readers: vec![], writers: vec![account.clone()] };
            let person = Person { username: name, account, has_account: false, has_factor: true };
            let mut plan = Plan::default();
            plan.people.push(person);
            plan.folders.insert(path, members);
            let text = text(&plan, &ground(), |_| Some(place.clone()));
            let mut sections = 0;
            for line in text.split(['\n', '\r']) {
                prop_assert!(!line.ends_with('\\'), "{}", line);
                let line = line.trim();
                sections += usize::from(line.starts_with('['));
                let is_ours = line.is_empty()
                    || line.starts_with('#')
                    || line.starts_with('[') && line.ends_with(']') && line.matches([']', '[']).count() == 2
                    || line.starts_with("path = /srv/larder")
                    || line.starts_with("force ")
                    || line.starts_with("preexec ")
                    || line.starts_with("valid users = \"Unix User\\larder-7\"")
                    || line.starts_with("write list = \"Unix User\\larder-7\"")
                    || line == "read list ="
                    || EVERY_SHARE.lines().any(|known| known.trim() == line);
                prop_assert!(is_ours, "{}", line);
                prop_assert!(line.starts_with('#') || !line.contains('%'), "{}", line);
            }
            prop_assert!(sections <= 1);
        }
    }
}
