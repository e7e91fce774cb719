//! The FTP door: contract, section 8, verb by verb over a bare connection.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpListener};
use std::os::unix::fs::PermissionsExt;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::ftp::{ALL_LETTERS, FTP_PASSWORD, Ftp, FtpHouse};
use crate::harness::{Larder, password_of, wait};

/// The port that the page of the FTP server names.
fn told_port(larder: &Larder) -> Value {
    larder.http("ana").get("/api/resources").expect(200).json()["ftp_port"].clone()
}

/// The settings as they are stored.
fn stored(larder: &Larder) -> Value {
    let path = larder.state().join("settings/settings.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

// The endpoints.

#[test]
fn an_ftp_user_is_made_listed_changed_and_deleted() {
    let larder = Larder::start().user("ana").folder("photos/cam");
    let ana = larder.http("ana");
    let ask = json!({
        "username": "cam", "password": "secret", "path": "/photos/cam/", "permissions": "wle"
    });
    ana.post("/api/ftp/create_user", ask.clone()).expect_status("FTP user created");
    ana.post("/api/ftp/create_user", ask).expect_error(409, "Username already exists");
    let shown = ana.get("/api/ftp/get_users").expect(200);
    assert!(!shown.text().contains("argon2"));
    let one = json!({
        "username": "cam", "password": "", "path": "photos/cam", "permissions": "elw"
    });
    assert_eq!(shown.json(), json!([one]));
    ana.post("/api/ftp/edit_user", json!({ "username": "cam", "permissions": "el", "path": "" }))
        .expect_status("FTP user edited");
    let one = json!({ "username": "cam", "password": "", "path": "", "permissions": "el" });
    assert_eq!(ana.get("/api/ftp/get_users").json(), json!([one]));
    ana.post("/api/ftp/delete_user", json!({ "username": "cam" }))
        .expect_status("FTP user deleted");
    ana.post("/api/ftp/delete_user", json!({ "username": "cam" })).expect_refusal(404);
    assert_eq!(ana.get("/api/ftp/get_users").json(), json!([]));
}

#[test]
fn a_wrong_question_about_ftp_users_is_refused_as_the_contract_says() {
    let larder = Larder::start().user("ana").reader("rob").file("file", "x").folder("photos");
    let larder = larder.user_with("cas", "user", r#"["photos"]"#, r#"["photos"]"#);
    let ana = larder.http("ana");
    let missing = "No username, password or permissions provided";
    for ask in [
        json!({}),
        json!({ "username": "cam", "password": "x" }),
        json!({ "username": "cam", "permissions": "l" }),
        json!({ "password": "x", "permissions": "l" }),
        json!({ "username": "", "password": "x", "permissions": "l" }),
        json!({ "username": "cam", "password": "", "permissions": "l" }),
    ] {
        ana.post("/api/ftp/create_user", ask).expect_error(400, missing);
    }
    let ask = |path: &str, letters: &str| json!({ "username": "cam", "password": "x", "path": path, "permissions": letters });
    for letters in ["x", "el r", "E", "elé"] {
        ana.post("/api/ftp/create_user", ask("", letters)).expect_error(400, "Invalid permissions");
    }
    ana.post("/api/ftp/create_user", ask("gone", "l")).expect_error(404, "Path does not exist");
    ana.post("/api/ftp/create_user", ask("../x", "l")).expect_error(400, "Invalid path");
    ana.post("/api/ftp/create_user", ask("file", "l")).expect_refusal(400);
    // Nobody gives away what they do not have.
    larder.http("cas").post("/api/ftp/create_user", ask("", "l")).expect_refusal(401);
    larder.http("cas").post("/api/ftp/create_user", ask("photos", "l")).expect(200);
    for path in ["/api/ftp/delete_user", "/api/ftp/edit_user"] {
        ana.post(path, json!({})).expect_error(400, "No username provided");
        ana.post(path, json!({ "username": "nobody" })).expect_refusal(404);
    }
    let edit = |change: Value| {
        let mut ask = json!({ "username": "cam" });
        ask.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ana.post("/api/ftp/edit_user", ask)
    };
    edit(json!({ "permissions": "z" })).expect_error(400, "Invalid permissions");
    edit(json!({ "path": "gone" })).expect_error(404, "Path does not exist");
}

#[test]
fn an_edited_user_keeps_the_password_that_was_not_given() {
    let house = FtpHouse::start();
    let edit = |ask| house.admin().post("/api/ftp/edit_user", ask).expect_status("FTP user edited");
    edit(json!({ "username": "cam", "password": "" }));
    house.sign_in("cam").expect("NOOP", 200);
    edit(json!({ "username": "cam", "password": "another" }));
    let mut ftp = house.connect();
    ftp.expect("USER cam", 331);
    ftp.expect(&format!("PASS {FTP_PASSWORD}"), 530);
    ftp.expect("USER cam", 331);
    ftp.expect("PASS another", 230);
}

#[test]
fn starting_and_stopping_act_at_once_and_are_remembered() {
    let larder = Larder::prepare().launch_with(|command| {
        command.args(["--ftp-port", "0"]);
    });
    let mut larder = larder.user("ana");
    assert_eq!(stored(&larder)["ftp"], false);
    let ask = |larder: &Larder, path: &str| larder.http("ana").post(path, json!({}));
    ask(&larder, "/api/ftp/stop").expect_error(400, "FTP server is not running");
    let port = FtpHouse::switch_on(&larder);
    assert_eq!(FtpHouse::switch_on(&larder), port, "it runs already");
    assert_eq!(told_port(&larder), json!(port), "not what the settings say");
    assert_eq!(stored(&larder)["ftp"], true);
    Ftp::open(Ipv4Addr::LOCALHOST.into(), port);
    ask(&larder, "/api/ftp/stop").expect_status("FTP server stopped");
    assert_eq!(told_port(&larder), Value::Null);
    assert_eq!(stored(&larder)["ftp"], false);
    assert!(std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
    ask(&larder, "/api/ftp/stop").expect_error(400, "FTP server is not running");
    FtpHouse::switch_on(&larder);
    larder.stop();
    // What was on is on at the next start, and the banner says where.
    let larder = larder.launch_with(|command| {
        command.args(["--ftp-port", "0"]);
    });
    let line = larder.process().next_line(wait::PATIENCE).unwrap();
    let port = line.trim().strip_prefix("ftp://").unwrap();
    let port = port.trim_end_matches('/').rsplit_once(':').unwrap().1.parse().unwrap();
    Ftp::open(Ipv4Addr::LOCALHOST.into(), port);
}

#[test]
fn a_taken_port_is_told_and_changes_nothing() {
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let larder = Larder::prepare().launch_with(|command| {
        command.args(["--ftp-port", &port]);
    });
    let larder = larder.user("ana");
    larder.http("ana").post("/api/ftp/start", json!({})).expect_refusal(500);
    assert_eq!(stored(&larder)["ftp"], false);
    larder.http("ana").post("/api/ftp/stop", json!({})).expect_refusal(400);
}

#[test]
fn stopping_says_goodbye_to_who_waits_and_lets_a_transfer_end() {
    let house = FtpHouse::start();
    let mut idle = house.sign_in("cam");
    let mut busy = house.sign_in("cam");
    let mut data = busy.passive();
    busy.expect("STOR late.txt", 150);
    data.write_all(b"half ").unwrap();
    wait::until("the transfer to begin", || {
        house.sessions().iter().any(|session| session["bytes"] == 5)
    });
    house.admin().post("/api/ftp/stop", json!({})).expect_status("FTP server stopped");
    idle.expect_reply(421);
    idle.expect_end();
    data.write_all(b"and half").unwrap();
    drop(data);
    busy.expect_reply(226);
    busy.expect_reply(421);
    assert_eq!(house.larder.read("late.txt"), "half and half");
    wait::until("nobody to be on", || house.sessions().is_empty());
}

#[test]
fn deleting_a_user_closes_their_sessions_and_nobody_elses() {
    let house = FtpHouse::start();
    house.user("scanner", "", "elw");
    let (mut cam, mut scanner) = (house.sign_in("cam"), house.sign_in("scanner"));
    house
        .admin()
        .post("/api/ftp/delete_user", json!({ "username": "cam" }))
        .expect_status("FTP user deleted");
    cam.expect_end();
    scanner.expect("NOOP", 200);
    let mut again = house.connect();
    again.expect("USER cam", 331);
    again.expect(&format!("PASS {FTP_PASSWORD}"), 530);
}

/// The changes by which somebody of FTP loses a right, whatever runs.
const LOSSES: [(&str, Option<(&str, &str)>); 3] = [
    ("delete_user", None),
    ("edit_user", Some(("permissions", "e"))),
    ("edit_user", Some(("path", "elsewhere"))),
];

#[test]
fn what_runs_ends_with_the_right_to_it() {
    let house = FtpHouse::start();
    std::fs::create_dir(house.larder.root().join("elsewhere")).unwrap();
    // Longer than what the sockets hold, and of no blocks.
    let film = std::fs::File::create(house.larder.root().join("film.mkv")).unwrap();
    film.set_len(8 << 30).unwrap();
    let listed = house.larder.root().join("many");
    std::fs::create_dir(&listed).unwrap();
    for number in 0..3000 {
        let name = format!("{number:0>240}");
        std::fs::File::create(listed.join(name)).unwrap();
    }
    for (endpoint, loss) in LOSSES {
        for (verb, is_upload) in [
            ("RETR film.mkv", false),
            ("MLSD many", false),
            ("STOR new", true),
            ("APPE more", true),
        ] {
            house.user("cam2", "", ALL_LETTERS);
            let mut ftp = house.sign_in("cam2");
            let mut data = ftp.passive();
            ftp.expect(verb, 150);
            if is_upload {
                data.write_all(b"half").unwrap();
            } else {
                data.read_exact(&mut [0; 1]).unwrap();
            }
            let mut change = json!({ "username": "cam2" });
            if let Some((field, value)) = loss {
                change[field] = json!(value);
            }
            let is_done = house.admin().post(&format!("/api/ftp/{endpoint}"), change);
            is_done.expect(200);
            // Whoever brings hears it by the end of their connection, or when they go on.
            let told = std::io::copy(&mut data, &mut std::io::sink());
            assert!(is_upload || told.is_err() || told.unwrap() < 8 << 30, "{verb}");
            drop(data);
            ftp.expect_end();
            assert!(!house.larder.exists("new") && !house.larder.exists("more"), "{verb}");
            wait::until("nobody to be on", || house.sessions().is_empty());
            if loss.is_some() {
                let gone = json!({ "username": "cam2" });
                house.admin().post("/api/ftp/delete_user", gone).expect(200);
            }
        }
    }
}

#[test]
fn the_sessions_say_who_is_on_from_where_and_what_they_do() {
    let house = FtpHouse::start();
    house.admin().get("/api/ftp/sessions").expect(200);
    assert!(house.sessions().is_empty());
    let mut ftp = house.sign_in("cam");
    let mut data = ftp.passive();
    ftp.expect("STOR big.bin", 150);
    data.write_all(&[7; 1000]).unwrap();
    wait::until("the bytes to arrive", || {
        let sessions = house.sessions();
        sessions.len() == 1 && sessions[0]["bytes"] == 1000
    });
    let session = &house.sessions()[0];
    assert_eq!(session["username"], "cam");
    assert_eq!(session["address"], "127.0.0.1");
    assert_eq!((&session["doing"], &session["path"]), (&json!("STOR"), &json!("/big.bin")));
    assert_eq!(session["tls"], false);
    assert!(session["rate"].is_u64());
    // `STAT` on the way tells the client the same (RFC 959, 4.1.3).
    assert!(ftp.expect("STAT", 213).contains("1000"));
    drop(data);
    ftp.expect_reply(226);
    assert_eq!(house.sessions()[0]["doing"], "");
    ftp.expect("QUIT", 221);
    wait::until("nobody to be on", || house.sessions().is_empty());
}

#[test]
fn settings_are_followed_while_it_runs() {
    let larder = FtpHouse::settings(Larder::prepare(), &json!({ "ftp_port": 0 })).launch();
    let larder = larder.user("ana");
    let port = FtpHouse::switch_on(&larder);
    Ftp::open(Ipv4Addr::LOCALHOST.into(), port);
    let change = |larder, changes: Value| {
        let larder = FtpHouse::settings(larder, &changes);
        larder.process().signal(Signal::HUP);
        larder
    };
    let connects = |port: u16| std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    let larder = change(larder, json!({ "ftp": false }));
    wait::until("FTP to be off", || !connects(port));
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let _larder = change(larder, json!({ "ftp": true, "ftp_port": free }));
    wait::until("FTP to be on at another port", || connects(free));
}

// Signing in.

#[test]
fn nothing_is_done_before_signing_in() {
    let house = FtpHouse::start();
    let mut ftp = house.connect();
    for line in [
        "PWD",
        "CWD /",
        "CDUP",
        "TYPE I",
        "PASV",
        "EPSV",
        "PORT 127,0,0,1,9,9",
        "LIST",
        "NLST",
        "MLSD",
        "MLST",
        "RETR x",
        "STOR x",
        "APPE x",
        "STOU",
        "REST 0",
        "DELE x",
        "RMD x",
        "MKD x",
        "RNFR x",
        "RNTO y",
        "SIZE x",
        "MDTM x",
        "MFMT 20200101000000 x",
        "SITE CHMOD 644 x",
        "STAT",
        "ABOR",
        "ALLO 1",
    ] {
        ftp.expect(line, 530);
    }
    for (line, code) in [
        ("NOOP", 200),
        ("SYST", 215),
        ("FEAT", 211),
        ("HELP", 214),
        ("HELP stor", 214),
        ("OPTS UTF8 ON", 200),
        ("PASS x", 503),
        ("XYZZY", 500),
        ("ACCT x", 502),
        ("USER", 501),
    ] {
        ftp.expect(line, code);
    }
    ftp.expect("USER cam", 331);
    ftp.expect("PWD", 530);
    assert!(house.larder.tree().is_empty());
}

#[test]
fn wrong_passwords_are_slowed_down_and_sent_away() {
    let house = FtpHouse::start();
    let mut ftp = house.connect();
    let begun = std::time::Instant::now();
    for name in ["cam", "nobody"] {
        ftp.expect(&format!("USER {name}"), 331);
        assert_eq!(ftp.expect("PASS wrong", 530), "530 Invalid username or password\r\n");
    }
    // The users of HTTP are no FTP users.
    ftp.expect("USER ana", 331);
    ftp.expect(&format!("PASS {}", password_of("ana")), 530);
    assert!(begun.elapsed().as_secs() >= 3);
    ftp.expect_end();
}

// Where one is, and what one sees.

#[test]
fn the_home_folder_is_the_top() {
    let larder =
        Larder::prepare().file("cam/in.txt", "in").file("out.txt", "out").folder("cam/sub");
    let larder = larder.link("cam/escape", "../out.txt").folder("cam2");
    let house = FtpHouse::around(larder);
    house.user("cam", "cam", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    assert!(ftp.expect("PWD", 257).contains("\"/\""));
    assert_eq!(ftp.names("NLST"), ["escape", "in.txt", "sub"]);
    ftp.expect("CWD ..", 250);
    ftp.expect("CDUP", 250);
    assert!(ftp.expect("XPWD", 257).contains("\"/\""));
    assert_eq!(ftp.fetch_text("RETR ../../in.txt"), "in");
    for line in [
        "RETR ../out.txt",
        "RETR /out.txt",
        "RETR escape",
        "CWD ../cam2",
        "CWD /cam",
        "SIZE escape",
    ] {
        ftp.passive();
        ftp.expect(line, 550);
    }
    ftp.expect("CWD sub", 250);
    assert!(ftp.expect("PWD", 257).contains("\"/sub\""));
    ftp.expect("CWD in.txt", 550);
    ftp.expect("CWD /in.txt", 550);
    for line in ["RMD /", "RNFR /", "RMD ."] {
        ftp.expect("CWD /", 250);
        ftp.expect(line, 550);
    }
    assert_eq!(house.larder.read("out.txt"), "out");
}

#[test]
fn larders_own_folder_is_neither_seen_nor_touched() {
    let house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    assert!(!ftp.fetch_text("LIST -a").contains("larder/"));
    assert!(ftp.names("NLST -la").is_empty());
    assert!(ftp.fetch_text("MLSD").is_empty());
    for line in [
        "CWD .larder",
        "RETR .larder/id",
        "SIZE .larder/id",
        "DELE .larder/id",
        "MLST .LARDER",
        "RNFR .larder",
    ] {
        let (code, text) = ftp.say(line);
        assert!(code >= 500, "{line}: {text}");
    }
    assert!(ftp.store("STOR .larder/x", "x").0 >= 500);
    assert!(ftp.store("STOR .larder", "x").0 >= 500);
    assert!(ftp.say("MKD .larder. ").0 >= 500);
}

#[test]
fn each_letter_opens_its_verbs_and_no_others() {
    let larder = Larder::prepare().file("a.txt", "a").folder("d");
    let house = FtpHouse::around(larder);
    let verbs: &[(&str, &str)] = &[
        ("CWD d", "e"),
        ("CDUP", "e"),
        ("LIST", "l"),
        ("NLST", "l"),
        ("MLSD", "l"),
        ("MLST a.txt", "l"),
        ("STAT a.txt", "l"),
        ("RETR a.txt", "r"),
        ("STOR new.txt", "w"),
        ("STOU", "w"),
        ("APPE log.txt", "a"),
        ("MKD made", "m"),
        ("RNFR a.txt", "f"),
        ("MFMT 20200101000000 a.txt", "T"),
        ("SITE CHMOD 644 a.txt", "M"),
        ("RMD made", "d"),
    ];
    for letter in ALL_LETTERS.chars() {
        let name = format!("only-{letter}");
        house.user(&name, "", &letter.to_string());
        let mut ftp = house.sign_in(&name);
        for (line, needed) in verbs {
            let mut data = ftp.passive();
            let (code, text) = ftp.say(line);
            if needed.contains(letter) {
                assert!(code != 550 || text.contains("exist"), "{letter}: {line}: {text}");
                if code == 150 {
                    data.shutdown(Shutdown::Write).unwrap();
                    data.read_to_end(&mut Vec::new()).unwrap();
                    let (code, text) = ftp.reply();
                    assert_eq!(code, 226, "{letter}: {line}: {text}");
                }
            } else {
                assert_eq!(
                    (code, text.contains("Permission denied")),
                    (550, true),
                    "{letter}: {line}: {text}"
                );
            }
        }
    }
}

#[test]
fn listings_tell_names_as_they_are() {
    let larder = Larder::prepare()
        .file("Grüße & 🍊.txt", "12345")
        .file(".hidden", "")
        .file("a  b", "x")
        .folder("Ordner")
        .file("Ordner/x.jpg", "x")
        .file("Ordner/y.txt", "y");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.names("NLST"), [".hidden", "Grüße & 🍊.txt", "Ordner", "a  b"]);
    assert_eq!(ftp.names("NLST Ordner"), ["Ordner/x.jpg", "Ordner/y.txt"]);
    assert_eq!(ftp.names("NLST Ordner/*.jpg"), ["Ordner/x.jpg"]);
    assert_eq!(ftp.names("NLST *.txt"), ["Grüße & 🍊.txt"]);
    assert_eq!(ftp.names("NLST a  b"), ["a  b"]);
    let list = ftp.fetch_text("LIST");
    let line = list.lines().find(|line| line.ends_with(" Grüße & 🍊.txt")).unwrap();
    assert!(line.starts_with("-rw") && line.contains(" 5 "), "{line}");
    assert!(list.lines().any(|line| line.starts_with('d') && line.ends_with(" Ordner")));
    assert_eq!(ftp.fetch_text("LIST -la Ordner").lines().count(), 2);
    assert!(ftp.expect("STAT Ordner", 213).contains("x.jpg"));
    for line in ["LIST gone", "NLST gone", "MLSD gone", "MLST gone", "STAT gone"] {
        let _unused = ftp.passive();
        ftp.expect(line, 550);
    }
    let facts = ftp.fetch_text("MLSD Ordner");
    assert!(facts.lines().all(|line| line.starts_with("type=file;size=1;modify=2")), "{facts}");
    assert!(facts.contains(";perm=adfrw;unique=") && facts.contains("; x.jpg"), "{facts}");
    ftp.passive();
    ftp.expect("MLSD a  b", 501);
    ftp.expect("OPTS MLST type;size;", 200);
    assert!(ftp.expect("FEAT", 211).contains(" MLST type*;size*;modify;"));
    assert!(ftp.expect("MLST Ordner", 250).contains("\r\n type=dir; /Ordner\r\n"));
}

#[test]
fn features_and_help_come_from_the_table() {
    let house = FtpHouse::start();
    let mut ftp = house.connect();
    let features = ftp.expect("FEAT", 211);
    for feature in [
        "AUTH TLS",
        "EPRT",
        "EPSV",
        "MDTM",
        "MFMT",
        "MLST type*;",
        "PBSZ",
        "PROT",
        "REST STREAM",
        "SIZE",
        "TVFS",
        "UTF8",
    ] {
        assert!(features.contains(&format!("\r\n {feature}")), "{feature}: {features}");
    }
    let help = ftp.expect("HELP", 214);
    for verb in ["STOR", "MLSD", "XPWD", "SITE"] {
        assert!(help.contains(verb), "{help}");
    }
    assert!(ftp.expect("HELP rest", 214).contains("RFC 3659"));
}

// Files.

#[test]
fn a_file_goes_up_and_comes_down_in_both_ways_of_connecting() {
    let house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    let content: Vec<u8> = (0..3_000_000_u32).map(|n| (n * 7 % 251) as u8).collect();
    assert_eq!(ftp.store("STOR up.bin", &content).0, 226);
    assert_eq!(house.larder.read_bytes("up.bin"), content);
    let (back, (code, _)) = ftp.fetch("RETR up.bin");
    assert_eq!((code, back == content), (226, true));
    assert!(ftp.expect("SIZE up.bin", 213).contains("3000000"));
    for command in ["PORT", "EPRT"] {
        let (listener, target) = ftp.active();
        let port = listener.local_addr().unwrap().port();
        match command {
            "PORT" => ftp.expect(&format!("PORT {target}"), 200),
            _ => ftp.expect(&format!("EPRT |1|127.0.0.1|{port}|"), 200),
        };
        ftp.expect("RETR up.bin", 150);
        let (mut data, from) = listener.accept().unwrap();
        assert_eq!(from.ip(), Ipv4Addr::LOCALHOST);
        let mut back = Vec::new();
        data.read_to_end(&mut back).unwrap();
        ftp.expect_reply(226);
        assert!(back == content);
    }
    assert_eq!(ftp.store("STOR up.bin", "").0, 226);
    assert_eq!(house.larder.read("up.bin"), "");
    house.larder.wait_until_tidy();
}

#[test]
fn ipv6_works_like_ipv4() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // This machine has no IPv6.
        return;
    }
    let larder =
        FtpHouse::settings(Larder::prepare().file("a", "six"), &json!({ "ftp_host": "::" }));
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = Ftp::open(Ipv6Addr::LOCALHOST.into(), house.port);
    ftp.sign_in("cam");
    assert_eq!(ftp.fetch_text("RETR a"), "six");
    ftp.expect("EPSV 1", 522);
    ftp.expect("EPSV 2", 229);
    ftp.expect("PASV", 425);
    let listener = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    ftp.expect(&format!("EPRT |2|::1|{port}|"), 200);
    ftp.expect("NLST", 150);
    drop(listener.accept().unwrap());
    ftp.reply();
    // The same server for IPv4, where `PASV` is at home.
    let mut four = house.sign_in("cam");
    assert!(four.expect("PASV", 227).contains("(127,0,0,1,"));
}

#[test]
fn passive_ports_and_the_public_host_are_those_of_the_settings() {
    let settings = json!({ "ftp_passive_ports": "46100-46149", "ftp_public_host": "203.0.113.7" });
    let house = FtpHouse::around(FtpHouse::settings(Larder::prepare(), &settings));
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    let port = ftp.passive_port();
    assert!((46_100..=46_149).contains(&port), "{port}");
    assert!(ftp.expect("PASV", 227).contains("(203,0,113,7,180,"));
    ftp.expect("EPSV ALL", 200);
    ftp.expect("PASV", 503);
    ftp.expect("PORT 127,0,0,1,200,1", 503);
    ftp.expect("EPRT |1|127.0.0.1|50000|", 503);
    ftp.expect("EPSV", 229);
}

#[test]
fn a_restart_goes_on_in_both_directions() {
    let larder = Larder::prepare().file("a.txt", "0123456789");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    ftp.expect("REST 7", 350);
    assert_eq!(ftp.fetch_text("RETR a.txt"), "789");
    assert_eq!(ftp.fetch_text("RETR a.txt"), "0123456789", "once only");
    ftp.expect("REST 10", 350);
    assert_eq!(ftp.fetch_text("RETR a.txt"), "");
    ftp.expect("REST 11", 350);
    assert_eq!(ftp.fetch("RETR a.txt").1.0, 554);
    ftp.expect("REST 4", 350);
    assert_eq!(ftp.store("STOR a.txt", "abc").0, 226);
    assert_eq!(house.larder.read("a.txt"), "0123abc");
    ftp.expect("REST 100", 350);
    assert_eq!(ftp.store("STOR a.txt", "abc").0, 554);
    assert_eq!(ftp.store("APPE a.txt", "!").0, 226);
    assert_eq!(ftp.store("APPE new.txt", "?").0, 226);
    assert_eq!(
        (house.larder.read("a.txt"), house.larder.read("new.txt")),
        ("0123abc!".into(), "?".into())
    );
    for bad in ["REST", "REST x", "REST -1", "REST 99999999999999999999"] {
        ftp.expect(bad, 501);
    }
}

#[test]
fn offsets_beyond_4_gib_are_whole() {
    let house = FtpHouse::start();
    let file = std::fs::File::create(house.larder.root().join("big")).unwrap();
    file.set_len(5 << 30).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"end", (5 << 30) - 3).unwrap();
    let mut ftp = house.sign_in("cam");
    assert!(ftp.expect("SIZE big", 213).contains("5368709120"));
    ftp.expect("REST 5368709115", 350);
    assert_eq!(ftp.fetch("RETR big").0, b"\0\0end");
}

#[test]
fn a_unique_name_never_overwrites() {
    let house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    for _ in 0..2 {
        let mut data = ftp.passive();
        let opening = ftp.expect("STOU a.txt", 150);
        let name = opening.trim().rsplit_once("FILE: ").unwrap().1.to_owned();
        data.write_all(b"x").unwrap();
        drop(data);
        ftp.expect_reply(226);
        assert_eq!(house.larder.read(&name), "x");
    }
    assert_eq!(house.larder.tree().len(), 2);
    assert_eq!(ftp.store("STOU", "y").0, 226);
}

#[test]
fn text_is_translated_only_when_the_client_said_so() {
    let house = FtpHouse::start();
    let mut ftp = house.connect();
    ftp.expect("USER cam", 331);
    ftp.expect(&format!("PASS {FTP_PASSWORD}"), 230);
    // A camera that says nothing gets its pictures stored as they are.
    assert_eq!(ftp.store("STOR raw", b"a\r\nb\n\r\r\n").0, 226);
    assert_eq!(house.larder.read("raw"), "a\r\nb\n\r\r\n");
    ftp.expect("TYPE A", 200);
    assert_eq!(ftp.store("STOR text", b"a\r\nb\rc\r\n\r").0, 226);
    assert_eq!(house.larder.read("text"), "a\nb\rc\n\r");
    assert_eq!(ftp.fetch("RETR text").0, b"a\r\nb\rc\r\n\r");
    for (line, code) in [
        ("TYPE E", 504),
        ("TYPE L 8", 200),
        ("MODE S", 200),
        ("MODE B", 504),
        ("STRU F", 200),
        ("STRU P", 504),
        ("ALLO 10", 200),
    ] {
        ftp.expect(line, code);
    }
}

#[test]
fn folders_and_names_are_changed() {
    let larder = Larder::prepare().file("a.txt", "a").file("b.txt", "b").file("full/x", "x");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    assert!(ftp.expect("MKD x \"y\"", 257).starts_with("257 \"/x \"\"y\"\"\" "));
    ftp.expect("MKD x \"y\"", 550);
    ftp.expect("MKD gone/x", 550);
    ftp.expect("XMKD e", 257);
    ftp.expect("RMD full", 550);
    ftp.expect("RMD a.txt", 550);
    ftp.expect("XRMD e", 250);
    ftp.expect("DELE full", 550);
    ftp.expect("DELE gone", 550);
    ftp.expect("RNTO c.txt", 503);
    ftp.expect("RNFR gone", 550);
    ftp.expect("RNFR a.txt", 350);
    ftp.expect("RNTO full/c.txt", 250);
    assert_eq!(house.larder.read("full/c.txt"), "a");
    ftp.expect("RNFR full", 350);
    ftp.expect("NOOP", 200);
    ftp.expect("RNTO moved", 503);
    ftp.expect("RNFR full", 350);
    ftp.expect("RNTO moved", 250);
    ftp.expect("DELE moved/c.txt", 250);
    ftp.expect("DELE b.txt", 250);
    assert_eq!(house.larder.tree(), ["moved/", "moved/x", "x \"y\"/"]);
    ftp.expect("STOR", 501);
    let _unused = ftp.passive();
    ftp.expect("STOR gone/x", 550);
    ftp.expect("STOR moved", 550);
}

#[test]
fn a_finished_upload_is_renamed_over_the_old_file() {
    let larder = Larder::prepare().file("a.part", "new").file("a.txt", "old").file("d/x", "x");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    house.user("renamer", "", "elf");
    let mut ftp = house.sign_in("renamer");
    ftp.expect("RNFR a.part", 350);
    ftp.expect("RNTO a.txt", 553);
    let mut ftp = house.sign_in("cam");
    for (source, target) in [("a.part", "d"), ("d", "a.txt")] {
        ftp.expect(&format!("RNFR {source}"), 350);
        ftp.expect(&format!("RNTO {target}"), 553);
    }
    assert_eq!(house.larder.read("a.txt"), "old");
    ftp.expect("RNFR a.part", 350);
    ftp.expect("RNTO a.txt", 250);
    assert_eq!(house.larder.tree(), ["a.txt", "d/", "d/x"]);
    assert_eq!(house.larder.read("a.txt"), "new");
}

#[test]
fn times_and_modes_are_told_and_set() {
    let larder = Larder::prepare().file("a b.txt", "a").folder("d");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    assert!(
        ftp.expect("MFMT 20020717210715 a b.txt", 213).contains("Modify=20020717210715; a b.txt")
    );
    assert_eq!(ftp.expect("MDTM a b.txt", 213), "213 20020717210715\r\n");
    assert!(ftp.fetch_text("LIST").contains("Jul 17  2002 a b.txt"));
    for bad in ["MFMT", "MFMT 2002 a b.txt", "MFMT 20029917210715 a b.txt"] {
        ftp.expect(bad, 501);
    }
    ftp.expect("MFMT 20020717210715 gone", 550);
    ftp.expect("SITE CHMOD 600 a b.txt", 200);
    ftp.expect("SITE CHMOD 4755 d", 200);
    let mode = |name: &str| house.larder.root().join(name).metadata().unwrap().permissions().mode();
    assert_eq!((mode("a b.txt") & 0o7777, mode("d") & 0o7777), (0o600, 0o755));
    ftp.expect("SITE CHMOD 9 a b.txt", 501);
    ftp.expect("SITE CHMOD 600 gone", 550);
    ftp.expect("SITE EXEC ls", 504);
}

#[test]
fn an_abort_leaves_the_session_usable_and_the_old_file_whole() {
    let larder = Larder::prepare().file("a.txt", "old");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let file = std::fs::File::create(house.larder.root().join("big")).unwrap();
    file.set_len(1 << 30).unwrap();
    let mut ftp = house.sign_in("cam");
    // Telnet's Synch before it, as RFC 959, 4.1.3 has it, or not.
    for abort in [&b"ABOR\r\n"[..], b"\xff\xf4\xff\xf2ABOR\r\n", b"NOOP\r\nABOR\r\n"] {
        let data = ftp.passive();
        ftp.expect("RETR big", 150);
        ftp.send(abort);
        ftp.expect_reply(426);
        ftp.expect_reply(226);
        if abort.starts_with(b"NOOP") {
            ftp.expect_reply(200);
        }
        drop(data);
    }
    let mut data = ftp.passive();
    ftp.expect("STOR a.txt", 150);
    data.write_all(b"new").unwrap();
    ftp.send("ABOR\r\n");
    ftp.expect_reply(426);
    ftp.expect_reply(226);
    assert_eq!(house.larder.read("a.txt"), "old");
    // Waiting for a data connection can be aborted, too.
    ftp.passive_port();
    ftp.expect("STOR b.txt", 150);
    ftp.expect("ABOR", 426);
    ftp.expect_reply(226);
    ftp.expect("ABOR", 226);
    assert_eq!(ftp.store("STOR a.txt", "newer").0, 226);
    assert_eq!(house.larder.read("a.txt"), "newer");
    house.larder.wait_until_tidy();
}

#[test]
fn an_upload_that_was_cut_off_leaves_the_old_file_and_is_taken_up_again() {
    let larder = Larder::prepare().file("old.txt", "the old one");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    house.user("other", "", ALL_LETTERS);
    for name in ["old.txt", "new.txt"] {
        let mut ftp = house.sign_in("cam");
        let mut data = ftp.passive();
        ftp.expect(&format!("STOR {name}"), 150);
        data.write_all(b"01234567").unwrap();
        wait::until("the bytes to arrive", || {
            house.sessions().iter().any(|session| session["bytes"] == 8)
        });
        // It stands still for a moment, then the client is gone: data first, then control.
        wait::comes_true(std::time::Duration::from_millis(400), || false);
        drop(data);
        drop(ftp);
        wait::until("the session to end", || house.sessions().is_empty());
    }
    assert_eq!(house.larder.read("old.txt"), "the old one");
    assert_eq!(house.larder.tree(), ["old.txt"]);
    house.larder.wait_until_tidy();
    // Nobody else sees it, or can go on with it.
    let mut other = house.sign_in("other");
    other.expect("SIZE new.txt", 550);
    other.expect("REST 8", 350);
    assert_eq!(other.store("STOR new.txt", "x").0, 554);
    let mut ftp = house.sign_in("cam");
    assert!(ftp.expect("SIZE new.txt", 213).contains(" 8"));
    assert_eq!(ftp.store("APPE new.txt", "89").0, 226);
    assert_eq!(house.larder.read("new.txt"), "0123456789");
    ftp.expect("REST 5", 350);
    assert_eq!(ftp.store("STOR old.txt", "abc").0, 226);
    assert_eq!(house.larder.read("old.txt"), "01234abc");
    assert_eq!(std::fs::read_dir(house.larder.root().join(".larder/parts")).unwrap().count(), 0);
}

#[test]
fn without_the_drive_one_signs_in_and_is_told() {
    let house = FtpHouse::start();
    let mut before = house.sign_in("cam");
    let root = house.larder.root();
    std::fs::rename(root.join(".larder"), root.join("away")).unwrap();
    let mut ftp = house.sign_in("cam");
    for line in [
        "CWD /", "LIST", "NLST", "MLSD", "MLST", "RETR x", "STOR x", "SIZE x", "MDTM x", "DELE x",
        "MKD x", "RMD x", "RNFR x",
    ] {
        let _unused = ftp.passive();
        ftp.expect(line, 450);
    }
    before.expect("MKD x", 450);
    before.expect("PWD", 257);
    std::fs::rename(root.join("away"), root.join(".larder")).unwrap();
    ftp.expect("MKD x", 257);
    assert_eq!(house.larder.tree(), ["x/"]);
}

#[test]
fn an_idle_session_holds_nothing_of_the_drive_open() {
    let larder = Larder::prepare().file("d/a.txt", "a");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    ftp.expect("CWD d", 250);
    ftp.fetch_text("LIST");
    ftp.fetch_text("RETR a.txt");
    assert_eq!(ftp.store("STOR b.txt", "b").0, 226);
    let root = house.larder.root().canonicalize().unwrap();
    let open = house.larder.process().open_files().unwrap_or_default();
    let held: Vec<_> = open.iter().filter(|target| target.starts_with(&root)).collect();
    assert!(held.is_empty(), "{held:?}");
}

#[test]
fn what_happens_is_in_the_log_and_no_secret_is() {
    let mut house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    ftp.store("STOR a.txt", "a");
    ftp.fetch_text("RETR a.txt");
    ftp.expect("DELE a.txt", 250);
    ftp.expect("QUIT", 221);
    house.larder.stop();
    let log = std::fs::read(house.larder.state().join("db/logs.db")).unwrap();
    let log = String::from_utf8_lossy(&log);
    for line in [
        "ftp cam: signed in",
        "ftp cam: stored /a.txt (1 bytes)",
        "ftp cam: moved to the trash /a.txt",
        "created FTP user cam",
    ] {
        assert!(log.contains(line), "{line}");
    }
    assert!(!log.contains(FTP_PASSWORD));
    // Who reads is nobody's business.
    assert!(!log.contains("retriev"));
}
