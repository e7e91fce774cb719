//! Who may do what where: one table of callers, one of operations, and every door asked for all of it. What is allowed
//! works; what is not is refused as that door says it, changes nothing, and tells nobody whether something is there.

use std::fs;

use serde_json::{Value, json};

use crate::harness::dav::{Dav, basic};
use crate::harness::ftp::{FTP_PASSWORD, Ftp, FtpHouse};
use crate::harness::tus::{BYTES, encoded};
use crate::harness::{Answer, Client, Larder};

/// The folders of the share. Each has the file `f.txt` and the folder `d` with something in it.
const PLACES: [&str; 4] = ["read", "both", "drop", "none"];

/// Somebody who comes, and what they may in each of the places: `r` to read, `w` to write.
struct Who {
    told: &'static str,
    may: [&'static str; 4],
    way: Way,
}

/// What they come with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A user of this name.
    User(&'static str),
    /// One of eve's keys: its folder, and whether it writes.
    Key(&'static str, bool),
    /// One that is for every door but the one where it is shown.
    OfAnotherDoor,
    /// One whose time is over.
    Over,
    /// One of FTP's own users, who may only read.
    OfFtp,
}

/// Who comes.
#[rustfmt::skip]
const CALLERS: [Who; 8] = [
    Who { told: "an admin",              may: ["rw", "rw", "rw", "rw"], way: Way::User("ida") },
    Who { told: "a user",                may: ["r",  "rw", "w",  ""],   way: Way::User("eve") },
    Who { told: "her key that reads",    may: ["r",  "r",  "",   ""],   way: Way::Key("", false) },
    Who { told: "her key that writes",   may: ["r",  "rw", "w",  ""],   way: Way::Key("", true) },
    Who { told: "her key for a folder",  may: ["",   "rw", "",   ""],   way: Way::Key("both", true) },
    Who { told: "her key for elsewhere", may: ["",   "",   "",   ""],   way: Way::OfAnotherDoor },
    Who { told: "her key of once",       may: ["",   "",   "",   ""],   way: Way::Over },
    Who { told: "a camera that reads",   may: ["r",  "r",  "r",  "r"],  way: Way::OfFtp },
];

/// Something that one may want to do in a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    List,
    Read,
    Add,
    Replace,
    MakeFolder,
    Delete,
    DeleteFolder,
    Rename,
    Date,
    CopyOut,
    MoveOut,
    CopyIn,
    MoveIn,
    Lock,
}

/// What is needed for it: in the place itself, and in `both`, where things are brought to or from.
#[rustfmt::skip]
const DEEDS: [(Deed, &str, &str); 14] = [
    (Deed::List,         "r",  ""),
    (Deed::Read,         "r",  ""),
    (Deed::Add,          "w",  ""),
    (Deed::Replace,      "w",  ""),
    (Deed::MakeFolder,   "w",  ""),
    (Deed::Delete,       "w",  ""),
    (Deed::DeleteFolder, "w",  ""),
    (Deed::Rename,       "w",  ""),
    (Deed::Date,         "w",  ""),
    (Deed::CopyOut,      "r",  "w"),
    (Deed::MoveOut,      "rw", "w"),
    (Deed::CopyIn,       "w",  "r"),
    (Deed::MoveIn,       "w",  "rw"),
    (Deed::Lock,         "w",  ""),
];

/// A door, as somebody stands before it.
trait Door {
    /// Does something in a place, to the thing of this name; `None` where this door has no such thing. Whether it was
    /// done, and all that was said.
    fn attempt(&mut self, deed: Deed, place: &str, name: &str) -> Option<(bool, String)>;

    /// What is needed in the place, if that is not what the table says.
    fn needs<'a>(&self, _deed: Deed, table: &'a str) -> &'a str {
        table
    }

    /// Whether who may write in a place, and not read, hears what is there.
    fn tells_writers(&self) -> bool {
        false
    }

    /// How it refuses somebody.
    fn refusal(&self, way: Way) -> &'static str;
}

/// A house with those who come, its FTP server on.
fn house() -> FtpHouse {
    let mut house = FtpHouse::start();
    house.larder = house.larder.admin("ida").user_with(
        "eve",
        "user",
        r#"["read", "both"]"#,
        r#"["both", "drop"]"#,
    );
    house.user("reader", "", "elr");
    fill(&house.larder);
    house
}

/// Puts everything back as it was.
fn fill(larder: &Larder) {
    for place in PLACES {
        let folder = larder.root().join(place);
        let _not_there_yet = fs::remove_dir_all(&folder);
        larder.write(&format!("{place}/f.txt"), "secret");
        larder.write(&format!("{place}/d/in.txt"), "secret");
    }
    larder.write("both/b.txt", "B");
    fs::create_dir(larder.root().join("both/to")).unwrap();
}

/// All that is in the share.
fn all(larder: &Larder) -> Vec<(String, Option<String>)> {
    let content = |path: &String| (!path.ends_with('/')).then(|| larder.read(path));
    larder.tree().into_iter().map(|path| (path.clone(), content(&path))).collect()
}

/// A key of eve's.
fn key(house: &FtpHouse, way: Way, door: &str) -> String {
    let session = house.larder.session("eve");
    match way {
        Way::Key(path, write) => {
            session.make_key(json!({ "label": "k", "path": path, "write": write })).1
        }
        Way::OfAnotherDoor => {
            let others: Vec<&str> =
                ["api", "dav", "ftp"].into_iter().filter(|other| *other != door).collect();
            session.make_key(json!({ "label": "k", "write": true, "doors": others })).1
        }
        _ => {
            let (id, key) = session.make_key(json!({ "label": "k", "write": true, "expires": 1 }));
            house.larder.let_end("keys", id, "2025-02-03T04:05:06Z");
            key
        }
    }
}

/// Asks one door for everything, as everybody who can come to it.
fn ask_all<'a, D: Door>(house: &'a FtpHouse, stand: impl Fn(&'a FtpHouse, Way) -> Option<D>) {
    let larder = &house.larder;
    let mut asked = 0;
    for who in &CALLERS {
        let Some(mut door) = stand(house, who.way) else { continue };
        let before = all(larder);
        for (place, may) in PLACES.iter().zip(who.may) {
            for (deed, needs, needs_in_both) in DEEDS {
                let has = |may: &str, needs: &str| needs.chars().all(|one| may.contains(one));
                let needs = door.needs(deed, needs);
                let is_allowed = has(may, needs) && has(who.may[1], needs_in_both);
                let Some((is_done, said)) = door.attempt(deed, place, "") else { continue };
                asked += 1;
                let told = format!("{}: {deed:?} in {place}: {said}", who.told);
                assert_eq!(is_done, is_allowed, "{told}");
                if is_allowed {
                    if !matches!(deed, Deed::List | Deed::Read | Deed::Date | Deed::Lock) {
                        assert!(all(larder) != before, "nothing was done: {told}");
                    }
                    fill(larder);
                } else {
                    assert!(said.contains(door.refusal(who.way)), "{told}");
                    assert!(!said.contains("secret") && !said.contains("in.txt"), "{told}");
                    if !(door.tells_writers() && may.contains('w')) {
                        let other = door.attempt(deed, place, "none").unwrap();
                        assert_eq!((is_done, said), other, "{told}: it tells what is there");
                    }
                    assert_eq!(all(larder), before, "{told}");
                }
            }
        }
    }
    assert!(asked > 100, "{asked}");
}

/// The API.
struct Api(Client);

/// What an answer says, without what each request has of its own.
fn said(answer: &Answer) -> String {
    let mut text = format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body));
    text.truncate(2000);
    text
}

impl Door for Api {
    fn attempt(&mut self, deed: Deed, place: &str, name: &str) -> Option<(bool, String)> {
        let (file, folder) = match name {
            "" => ("f.txt", "d"),
            name => (name, name),
        };
        let path = format!("{place}/{file}");
        let post = |endpoint: &str, ask: Value| self.0.post(endpoint, ask);
        let named = |key: &str, name: &str| json!({ "path": place, key: name });
        let bring = |from: &str, to: &str| json!({ "paths": [from], "to": to });
        let answer = match deed {
            Deed::List if name.is_empty() => self.0.get_with("/api/finder", "path", place),
            Deed::List => self.0.get_with("/api/finder", "path", &path),
            Deed::Read => self.0.get_with("/api/download", "file_path", &path),
            Deed::Add => {
                let mut ask = named("file_name", "new.txt");
                ask["file_content"] = "N".into();
                post("/api/new_file", ask)
            }
            Deed::Replace => post("/api/edit_file", json!({ "path": path, "file_content": "N" })),
            Deed::MakeFolder => post("/api/create_folder", named("folder_name", "made")),
            Deed::Delete => post("/api/delete_file", json!({ "path": path })),
            Deed::DeleteFolder => {
                post("/api/delete_folder", json!({ "path": format!("{place}/{folder}") }))
            }
            Deed::Rename => {
                let mut ask = named("file_name", file);
                ask["new_name"] = "renamed".into();
                post("/api/rename_file", ask)
            }
            Deed::CopyOut => post("/api/copy", bring(&path, "both/to")),
            Deed::MoveOut => post("/api/move", bring(&path, "both/to")),
            Deed::CopyIn => post("/api/copy", bring("both/b.txt", &format!("{place}/d"))),
            Deed::MoveIn => post("/api/move", bring("both/b.txt", &format!("{place}/d"))),
            Deed::Date | Deed::Lock => return None,
        };
        Some((answer.status == 200, said(&answer)))
    }

    fn refusal(&self, way: Way) -> &'static str {
        match way {
            Way::User(_) => "401 {\"error\":\"Unauthorized\",\"code\":\"not_permitted\"",
            Way::Over => "401 {\"error\":\"Unauthorized\",\"code\":\"unauthorized\"",
            _ => "403 {\"error\":\"Not permitted\",\"code\":\"not_permitted\"",
        }
    }
}

/// `WebDAV`.
struct WebDav<'a>(Dav<'a>);

impl Door for WebDav<'_> {
    fn attempt(&mut self, deed: Deed, place: &str, name: &str) -> Option<(bool, String)> {
        let (file, folder) = match name {
            "" => ("f.txt", "d"),
            name => (name, name),
        };
        let top = format!("/dav/{place}/");
        let at = |name: &str| format!("{top}{name}");
        let (path, dav) = (at(file), &self.0);
        let answer = match deed {
            Deed::List if name.is_empty() => dav.find(&top, "1", ""),
            Deed::List => dav.find(&path, "1", ""),
            Deed::Read => dav.say("GET", &path),
            Deed::Add => dav.put(&at("new.txt"), "N"),
            Deed::Replace => dav.put(&path, "N"),
            Deed::MakeFolder => dav.say("MKCOL", &at("made")),
            Deed::Delete => dav.say("DELETE", &path),
            Deed::DeleteFolder => dav.say("DELETE", &at(folder)),
            Deed::Rename => dav.bring("MOVE", &path, &at("renamed"), &[]),
            Deed::Date => {
                let body = b"<D:propertyupdate xmlns:D='DAV:'><D:set><D:prop>\
                    <Win32LastModifiedTime xmlns='urn:schemas-microsoft-com:'>Sun, 06 Nov 1994 08:49:37 GMT\
                    </Win32LastModifiedTime></D:prop></D:set></D:propertyupdate>";
                dav.ask("PROPPATCH", &path, &[], body)
            }
            Deed::CopyOut => dav.bring("COPY", &path, "/dav/both/to/new", &[]),
            Deed::MoveOut => dav.bring("MOVE", &path, "/dav/both/to/new", &[]),
            Deed::CopyIn => dav.bring("COPY", "/dav/both/b.txt", &at("d/new"), &[]),
            Deed::MoveIn => dav.bring("MOVE", "/dav/both/b.txt", &at("d/new"), &[]),
            Deed::Lock => {
                let body = b"<D:lockinfo xmlns:D='DAV:'><D:lockscope><D:exclusive/></D:lockscope>\
                    <D:locktype><D:write/></D:locktype></D:lockinfo>";
                let given = dav.ask("LOCK", &path, &[], body);
                if let Some(token) = given.header("Lock-Token") {
                    dav.ask("UNLOCK", &path, &[("Lock-Token", token)], b"").expect(204);
                }
                given
            }
        };
        Some((matches!(answer.status, 200..=299), said(&answer)))
    }

    fn needs<'a>(&self, deed: Deed, table: &'a str) -> &'a str {
        // Here it is a move, as any other.
        if deed == Deed::Rename { "rw" } else { table }
    }

    fn refusal(&self, way: Way) -> &'static str {
        if way == Way::Over { "401 Unauthorized\n" } else { "403 Not permitted\n" }
    }
}

/// FTP: somebody who has signed in, or what they heard who may not.
struct OverFtp(Result<Ftp, (u16, String)>);

impl Door for OverFtp {
    fn attempt(&mut self, deed: Deed, place: &str, name: &str) -> Option<(bool, String)> {
        if matches!(deed, Deed::CopyOut | Deed::CopyIn | Deed::Lock) {
            return None;
        }
        let ftp = match &mut self.0 {
            Ok(ftp) => ftp,
            Err((code, text)) => return Some((false, format!("{code} {text}"))),
        };
        let (file, folder) = match name {
            "" => ("f.txt", "d"),
            name => (name, name),
        };
        let path = format!("/{place}/{file}");
        let mut rename = |from: &str, to: &str| match ftp.say(&format!("RNFR {from}")) {
            (350, _) => ftp.say(&format!("RNTO {to}")),
            refused => refused,
        };
        let (code, text) = match deed {
            Deed::List if name.is_empty() => ftp.fetch(&format!("MLSD /{place}")).1,
            Deed::List => ftp.fetch(&format!("MLSD {path}")).1,
            Deed::Read => ftp.fetch(&format!("RETR {path}")).1,
            Deed::Add => ftp.store(&format!("STOR /{place}/new.txt"), "N"),
            Deed::Replace => ftp.store(&format!("STOR {path}"), "N"),
            Deed::MakeFolder => ftp.say(&format!("MKD /{place}/made")),
            Deed::Delete => ftp.say(&format!("DELE {path}")),
            Deed::DeleteFolder => {
                // Only empty ones go; in one that may not be emptied nothing is done either.
                match ftp.say(&format!("DELE /{place}/{folder}/in.txt")) {
                    (250, _) => ftp.say(&format!("RMD /{place}/{folder}")),
                    refused => refused,
                }
            }
            Deed::Rename => rename(&path, &format!("/{place}/renamed")),
            Deed::Date => ftp.say(&format!("MFMT 19941106084937 {path}")),
            Deed::MoveOut => rename(&path, "/both/to/new"),
            Deed::MoveIn => rename("/both/b.txt", &format!("/{place}/d/new")),
            Deed::CopyOut | Deed::CopyIn | Deed::Lock => return None,
        };
        Some((matches!(code, 200..=299), format!("{code} {text}")))
    }

    fn tells_writers(&self) -> bool {
        // A rename begins before it is known where to, and may be one that only needs the right to write.
        true
    }

    fn refusal(&self, way: Way) -> &'static str {
        match way {
            Way::Over | Way::OfAnotherDoor => "530 530 ",
            _ => "550 550 ",
        }
    }
}

#[test]
fn at_the_api() {
    let house = house();
    ask_all(&house, |house, way| match way {
        Way::User(name) => Some(Api(house.larder.http(name))),
        Way::OfFtp => None,
        _ => Some(Api(house.larder.with_key(&key(house, way, "api")))),
    });
}

#[test]
fn at_webdav() {
    let house = house();
    ask_all(&house, |house, way| match way {
        Way::User(name) => Some(WebDav(Dav::of(&house.larder, name))),
        Way::OfFtp => None,
        _ => {
            let field = basic("eve", &key(house, way, "dav"));
            Some(WebDav(Dav::nobody(&house.larder).with("Authorization", &field)))
        }
    });
}

#[test]
fn at_ftp() {
    let house = house();
    ask_all(&house, |house, way| {
        let (name, password) = match way {
            // Users of the house come here by their keys.
            Way::User("eve") => return None,
            Way::User(name) => {
                let wish = json!({ "label": "k", "write": true });
                (name, house.larder.session(name).make_key(wish).1)
            }
            Way::OfFtp => ("reader", FTP_PASSWORD.to_owned()),
            _ => ("eve", key(house, way, "ftp")),
        };
        let mut ftp = house.connect();
        ftp.expect(&format!("USER {name}"), 331);
        Some(OverFtp(match ftp.say(&format!("PASS {password}")) {
            (230, _) => {
                ftp.expect("TYPE I", 200);
                Ok(ftp)
            }
            refused => Err(refused),
        }))
    });
}

/// What a link opens and how wide, what its maker may there, and so what a guest may.
#[rustfmt::skip]
const LINKS: [(&str, &str, &str); 5] = [
    // place   the link  the guest
    ("read",   "r",      "r"),
    ("both",   "rw",     "rw"),
    ("both",   "r",      "r"),
    ("both",   "w",      "w"),
    ("drop",   "w",      "w"),
];

#[test]
fn by_links() {
    let house = house();
    let (larder, guest) = (&house.larder, house.larder.anonymous());
    let make = |place: &str, wide: &str| {
        let ask = json!({ "path": place, "read": wide.contains('r'), "write": wide.contains('w') });
        larder.http("eve").post("/api/link/create", ask)
    };
    for (place, wide, may) in LINKS {
        let link = make(place, wide).expect_status("Link created");
        let url = link["url"].as_str().unwrap();
        let bring = |name: &str, folder: &str| {
            let metadata = encoded(&[("filename", name), ("path", folder)]);
            let fields = [("Upload-Length", "1"), ("Upload-Metadata", &*metadata), BYTES];
            guest.ask("POST", &format!("{url}/uploads"), &fields, b"N")
        };
        let get = |what: &str, path: &str| guest.get(&format!("{url}/{what}?path={path}"));
        let before = all(larder);
        for (needs, answers) in [
            ("r", [get("list", ""), get("list", "none")]),
            ("r", [get("download", "f.txt"), get("download", "none")]),
            ("w", [bring("new.txt", ""), bring("new2.txt", "d")]),
        ] {
            let is_allowed = may.contains(needs);
            for (answer, is_there) in answers.iter().zip([true, needs == "w"]) {
                let told = format!("a link {wide} to {place}: {answer}");
                match (is_allowed, is_there) {
                    (true, true) => assert!(matches!(answer.status, 200..=299), "{told}"),
                    (true, false) => assert_eq!(answer.status, 404, "{told}"),
                    (false, _) => {
                        assert_eq!(answer.status, 403, "{told}");
                        assert!(said(answer).contains("\"Not permitted\""), "{told}");
                    }
                }
            }
        }
        assert_eq!(all(larder) != before, may.contains('w'));
        fill(larder);
        // There is no way beside it.
        let before = all(larder);
        for path in ["..", "../none", "../none/f.txt", "/../none"] {
            for answer in [get("list", path), get("download", path), bring("x", path)] {
                assert!(matches!(answer.status, 400 | 403 | 404), "{path}: {answer}");
                assert!(!said(&answer).contains("secret"), "{path}: {answer}");
            }
        }
        assert_eq!(all(larder), before);
    }
    // Nobody gives by a link what they do not have.
    for (place, wide) in
        [("read", "rw"), ("read", "w"), ("drop", "r"), ("none", "r"), ("none", "w")]
    {
        make(place, wide).expect_error(403, "Not permitted");
    }
}
