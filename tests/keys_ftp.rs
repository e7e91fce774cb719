//! Narrowed keys at FTP's door: user name and key as password.

use std::io::{Read as _, Write as _};
use std::net::Ipv4Addr;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::everybody_may_everything;
use crate::harness::ftp::{FTP_PASSWORD, Ftp, FtpHouse};

/// What a transfer hears that ends because its client may do less than before.
const NOT_ALLOWED: &str = "421 Your rights have changed: transfer broken off";

/// A house with an FTP server, files, and kim, who may read `photos` and write `photos/new`.
fn house() -> FtpHouse {
    let mut house = FtpHouse::start();
    let larder = house.larder;
    house.larder = larder
        .user_with("kim", "user", r#"["photos", "docs/shared"]"#, r#"["photos/new"]"#)
        .file("photos/a.txt", "A")
        .file("photos/new/n.txt", "N")
        .file("docs/p.txt", "secret")
        .file("docs/shared/s.txt", "S")
        .file("top.txt", "secret");
    house
}

/// Signs in; gives the last code.
#[track_caller]
fn try_in(house: &FtpHouse, name: &str, password: &str) -> (Ftp, u16) {
    let mut ftp = house.connect();
    let (code, _) = try_over(&mut ftp, name, password);
    (ftp, code)
}

/// The same over a connection; gives the last reply.
#[track_caller]
fn try_over(ftp: &mut Ftp, name: &str, password: &str) -> (u16, String) {
    ftp.expect(&format!("USER {name}"), 331);
    ftp.say(&format!("PASS {password}"))
}

/// A connection from one of many addresses, each of which may try once a second: 127.2.x.1.
#[track_caller]
fn from_afar(house: &FtpHouse, number: u8) -> Ftp {
    Ftp::open(Ipv4Addr::new(127, 2, number, 1).into(), house.port)
}

/// Somebody who was let in.
#[track_caller]
fn sign_in(house: &FtpHouse, name: &str, key: &str) -> Ftp {
    let (ftp, code) = try_in(house, name, key);
    assert_eq!(code, 230);
    ftp
}

#[test]
fn a_key_comes_with_the_port_where_it_is_good() {
    let house = house();
    let kim = house.larder.session("kim");
    let port = json!(house.port);
    for (doors, port) in [(json!(["ftp"]), Some(&port)), (json!(["api", "dav"]), None)] {
        let wish = json!({ "label": "Camera", "doors": doors, "show": true });
        let made = kim.post("/api/key/create", wish).expect(200).json();
        assert_eq!(made.get("ftp_port"), port, "{doors}");
    }
}

#[test]
fn a_key_with_that_door_lets_its_user_in_and_nothing_else_does() {
    let house = house();
    let kim = house.larder.session("kim");
    let (_, key) = kim.make_key(json!({ "label": "Camera", "doors": ["ftp"] }));
    let (_, other) = kim.make_key(json!({ "label": "App", "doors": ["api", "dav"] }));
    let (id, over) = kim.make_key(json!({ "label": "Old", "expires": 1 }));
    house.larder.let_end("keys", id, "2025-02-03T04:05:06Z");
    let _stays = sign_in(&house, "kim", &key);
    let told = house.sessions();
    assert!(told.iter().any(|session| session["username"] == "kim"), "{told:?}");
    let nobody = format!("lk_{}", "0".repeat(48));
    let wrong = [
        ("kim", &*other),
        ("kim", &over),
        ("ana", &key),
        ("cam", &key),
        ("kim", "kim opens the larder"),
        ("kim", house.larder.key("kim")),
        ("kim", &nobody),
    ];
    // At once, since each is answered late.
    std::thread::scope(|scope| {
        for (number, (name, password)) in (0..).zip(wrong) {
            let mut ftp = from_afar(&house, number);
            scope.spawn(move || {
                let (code, _) = try_over(&mut ftp, name, password);
                assert_eq!(code, 530, "{name} {password}");
            });
        }
    });
    let log = house.admin().get("/api/get_logs").expect(200);
    assert!(log.text().contains(&format!("ftp kim (key Camera, {}…): ", &key[..7])), "{log}");
    assert!(!log.text().contains(&key), "{log}");
    let used = kim.get("/api/key/get_all").expect(200).json()[0].clone();
    assert_eq!(used["ip"], "127.0.0.1", "{used}");
}

#[test]
fn the_root_is_the_share_as_its_user_sees_it_within_the_key() {
    let house = house();
    let kim = house.larder.session("kim");
    let (_, key) = kim.make_key(json!({ "label": "a", "write": true }));
    let mut ftp = sign_in(&house, "kim", &key);
    assert_eq!(ftp.names("NLST"), ["docs", "photos"]);
    assert_eq!(ftp.names("NLST docs"), ["docs/shared"]);
    assert_eq!(ftp.fetch_text("RETR photos/a.txt"), "A");
    assert_eq!(ftp.store("STOR photos/new/b.txt", "B").0, 226);
    assert_eq!(house.larder.read("photos/new/b.txt"), "B");
    for path in ["docs/p.txt", "top.txt", "../top.txt", "docs/none"] {
        ftp.passive();
        ftp.expect(&format!("RETR {path}"), 550);
        ftp.expect(&format!("DELE {path}"), 550);
    }
    ftp.passive();
    ftp.expect("STOR photos/c.txt", 550);
    ftp.expect("RNFR photos/new/n.txt", 350);
    ftp.expect("RNTO photos/m.txt", 550);
    let (_, key) = kim.make_key(json!({ "label": "a", "path": "photos/new", "write": true }));
    let mut ftp = sign_in(&house, "kim", &key);
    assert_eq!(ftp.names("NLST"), ["photos"]);
    assert_eq!(ftp.names("NLST photos"), ["photos/new"]);
    assert_eq!(ftp.fetch_text("RETR photos/new/n.txt"), "N");
    ftp.passive();
    ftp.expect("RETR photos/a.txt", 550);
    ftp.expect("DELE photos/new/n.txt", 250);
    assert!(!house.larder.exists("photos/new/n.txt"));
}

#[test]
fn without_write_it_has_the_letters_that_look() {
    let house = house();
    let (_, key) = house.larder.session("kim").make_key(json!({ "label": "a" }));
    let mut ftp = sign_in(&house, "kim", &key);
    ftp.expect("CWD photos/new", 250);
    assert_eq!(ftp.fetch_text("RETR n.txt"), "N");
    for line in
        ["DELE n.txt", "MKD x", "RNFR n.txt", "STOR x", "APPE n.txt", "SITE CHMOD 600 n.txt"]
    {
        ftp.passive();
        assert!(ftp.say(line).0 >= 500, "{line}");
    }
    assert_eq!(house.larder.tree().iter().filter(|path| path.contains("new")).count(), 2);
}

/// It is never more than its user, also where the role decides.
#[test]
fn a_role_that_may_not_at_the_api_may_not_here() {
    let house = house();
    let (_, key) = house.larder.session("kim").make_key(json!({ "label": "a", "write": true }));
    let mut ftp = sign_in(&house, "kim", &key);
    assert_eq!(ftp.fetch_text("RETR photos/a.txt"), "A");
    let mut roles = everybody_may_everything();
    roles["/api/download"] = json!(["admin"]);
    roles["/api/upload"] = json!(["admin"]);
    house.admin().post("/api/role/edit", roles).expect(200);
    ftp.passive();
    ftp.expect("RETR photos/a.txt", 550);
    ftp.expect("STOR photos/new/x", 550);
    ftp.expect("MKD photos/new/folder", 257);
}

#[test]
fn an_ftp_user_of_the_same_name_is_another_and_each_comes_by_their_own() {
    let house = house();
    house.user("kim", "photos/new", "el");
    let (_, key) = house.larder.session("kim").make_key(json!({ "label": "a", "write": true }));
    assert_eq!(sign_in(&house, "kim", &key).names("NLST"), ["docs", "photos"]);
    assert_eq!(sign_in(&house, "kim", FTP_PASSWORD).names("NLST"), ["n.txt"]);
    // What one of them has sent in part is not the other's to go on with.
    let mut by_key = sign_in(&house, "kim", &key);
    let mut data = by_key.passive();
    by_key.expect("STOR photos/new/part.bin", 150);
    data.write_all(&vec![7; 1 << 20]).unwrap();
    by_key.send("ABOR\r\n");
    by_key.expect_reply(426);
    by_key.expect_reply(226);
    drop(data);
    let size = by_key.say("SIZE photos/new/part.bin");
    let mut other = sign_in(&house, "kim", FTP_PASSWORD);
    assert_eq!(other.say("SIZE part.bin").0, 550, "{size:?}");
}

#[test]
fn deleting_it_ends_what_goes_on_with_it() {
    let house = house();
    let larder = &house.larder;
    larder.write("photos/large.bin", vec![7; 64 << 20]);
    let kim = house.larder.session("kim");
    let (id, key) = kim.make_key(json!({ "label": "a", "write": true }));
    let (_, other) = kim.make_key(json!({ "label": "b" }));
    let mut idle = sign_in(&house, "kim", &key);
    let mut stays = sign_in(&house, "kim", &other);
    let mut fetches = sign_in(&house, "kim", &key);
    let mut data = fetches.passive();
    fetches.expect("RETR photos/large.bin", 150);
    let mut some = [0; 1024];
    data.read_exact(&mut some).unwrap();
    let mut stores = sign_in(&house, "kim", &key);
    let mut arriving = stores.passive();
    stores.expect("STOR photos/new/late.bin", 150);
    arriving.write_all(&some).unwrap();
    kim.post("/api/key/delete", json!({ "id": id })).expect_status("Key deleted");
    let mut rest = Vec::new();
    let _cut = data.read_to_end(&mut rest);
    assert!(rest.len() < (64 << 20) - 1024, "all of it came");
    drop(arriving);
    idle.expect_end();
    assert!(!larder.exists("photos/new/late.bin"));
    stays.expect("NOOP", 200);
    assert_eq!(try_in(&house, "kim", &key).1, 530);
}

/// Whoever changes a user need not know of FTP: a transfer looks by itself.
#[test]
fn what_its_user_loses_ends_at_the_next_command_and_in_a_running_transfer() {
    let house = house();
    let larder = &house.larder;
    larder.write("photos/large.bin", vec![7; 64 << 20]);
    let (_, key) = house.larder.session("kim").make_key(json!({ "label": "a" }));
    let mut idle = sign_in(&house, "kim", &key);
    let mut fetches = sign_in(&house, "kim", &key);
    let mut data = fetches.passive();
    fetches.expect("RETR photos/large.bin", 150);
    let mut some = [0; 1024];
    data.read_exact(&mut some).unwrap();
    let id = larder.http("kim").get("/api/user/get_self").expect(200).json()["id"].clone();
    let edit = json!({
        "id": id, "username": "kim", "name": "kim", "role": "user",
        "paths": r#"["docs/shared"]"#, "paths_write": "[]",
    });
    house.admin().post("/api/user/edit", edit).expect_status("User edited");
    assert_eq!(idle.names("NLST"), ["docs"]);
    let (code, sentence) = fetches.reply();
    assert_eq!((code, sentence.trim_end()), (421, NOT_ALLOWED));
    let mut rest = Vec::new();
    let _cut = data.read_to_end(&mut rest);
    assert!(rest.len() < (64 << 20) - 1024, "all of it came");
    let output = larder.run(&["user", "delete", "kim"], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    idle.expect("NOOP", 421);
    idle.expect_end();
}

/// Also of who came by a password, where nobody told the FTP server of it: what came is judged once more before it is put
/// in its place.
#[test]
fn what_an_ftp_user_may_no_longer_bring_is_not_put_in_its_place() {
    let house = house();
    house.user("dora", "photos/new", "elw");
    let mut ftp = house.sign_in("dora");
    let mut data = ftp.passive();
    ftp.expect("STOR late.bin", 150);
    data.write_all(&[7; 1024]).unwrap();
    let database = Connection::open(house.larder.state().join("db/users.db")).unwrap();
    database.execute("UPDATE ftp_users SET permissions = 'el'", []).unwrap();
    drop(data);
    let (code, sentence) = ftp.reply();
    assert_eq!((code, sentence.trim_end()), (421, NOT_ALLOWED));
    assert!(!house.larder.exists("photos/new/late.bin"));
}

#[test]
fn guesses_are_delayed_as_of_passwords() {
    let house = house();
    let (_, key) = house.larder.session("kim").make_key(json!({ "label": "a" }));
    let guess = format!("lk_{}", "0".repeat(48));
    sign_in(&house, "kim", &key);
    let is_delayed = (0..20).any(|number| {
        try_over(&mut from_afar(&house, number), "kim", &guess).1.contains("Too many")
    });
    assert!(is_delayed, "twenty guesses were judged");
    let log = house.admin().get("/api/get_logs").expect(200);
    assert!(log.text().contains("failed sign-in as kim"), "{log}");
    assert!(!log.text().contains(&guess), "{log}");
    // Whoever was let in lately from where they are is kept waiting by nobody's guesses.
    sign_in(&house, "kim", &key);
}

#[test]
fn a_key_lets_nobody_in_who_lacks_the_second_factor_of_their_role() {
    let house = house();
    let (_, key) =
        house.larder.session("kim").make_key(json!({ "label": "Camera", "doors": ["ftp"] }));
    let mut ftp = sign_in(&house, "kim", &key);
    let demand = |roles: Value| {
        house.admin().post("/api/update_settings", json!({ "totp_roles": roles })).expect(200)
    };
    demand(json!(["user"]));
    ftp.expect("NLST", 421);
    assert_eq!(try_in(&house, "kim", &key).1, 530);
    // FTP's own users have no role.
    house.sign_in("cam").expect("PWD", 257);
}
