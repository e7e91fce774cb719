//! `WebDAV`: who is let in (second contract, section 14, "Signing in"), and what that costs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;

use crate::harness::dav::{self, Dav, basic};
use crate::harness::ftp::{ALL_LETTERS, FtpHouse};
use crate::harness::{Larder, password_of, wait};
use crate::totp::turn_on;

/// A larder with ana and ben, who may everything, and ida, an admin.
fn house() -> Larder {
    dav::house().user("ben").admin("ida").file("a.txt", "A")
}

/// Somebody with a name and a password, from one of many addresses.
fn with<'a>(larder: &'a Larder, name: &str, password: &str, from: u16) -> Dav<'a> {
    Dav::nobody(larder).with("Authorization", &basic(name, password)).afar(from)
}

/// Asks for a file; the status.
fn status(client: &Dav<'_>) -> u16 {
    client.say("GET", "/dav/a.txt").status
}

#[test]
fn who_has_a_second_factor_comes_by_a_key_only() {
    let larder = house();
    // What was right before does not outlive the factor.
    assert_eq!(status(&with(&larder, "ana", &password_of("ana"), 1)), 200);
    let owner = turn_on(&larder, "ana");
    for from in 1..4 {
        let answer = with(&larder, "ana", &password_of("ana"), from).say("PROPFIND", "/dav/");
        let answer = answer.expect(401);
        assert_eq!(answer.text(), "A key is needed\n");
        assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Basic "), "{answer}");
    }
    let told = "sign-in as ana stopped at the code; the password was right";
    wait::until("it is told", || {
        let rows = larder.http("ida").get("/api/get_logs?op=refused").expect(200).json();
        rows.as_array().unwrap().iter().any(|row| row["action"] == told && row["door"] == "dav")
    });
    let wish = json!({ "label": "drive", "doors": ["dav"] });
    let (_, key) = larder.bearer(&owner.token).make_key(wish);
    assert_eq!(status(&with(&larder, "ana", &key, 5)), 200);
    assert_eq!(status(&Dav::of(&larder, "ana")), 200);
    let bearer = format!("Bearer {}", owner.token);
    assert_eq!(status(&Dav::nobody(&larder).with("Authorization", &bearer)), 200);
}

#[test]
fn whose_role_must_have_a_factor_and_who_has_none_is_let_in_by_nothing() {
    let larder = house();
    let (_, key) = larder.session("ana").make_key(json!({ "label": "k", "doors": ["dav"] }));
    assert_eq!(status(&with(&larder, "ana", &password_of("ana"), 1)), 200);
    let ask = json!({ "totp_roles": ["user"] });
    larder.session("ida").post("/api/update_settings", ask).expect(200);
    for client in [
        with(&larder, "ana", &password_of("ana"), 2),
        with(&larder, "ana", &key, 3),
        Dav::of(&larder, "ana"),
    ] {
        let answer = client.say("GET", "/dav/a.txt").expect(403);
        assert_eq!(answer.text(), "Second factor needed\n");
    }
    assert_eq!(status(&Dav::of(&larder, "ida")), 200);
}

#[test]
fn a_right_password_is_forgotten_with_what_it_was_right_for() {
    let larder = house();
    let old = with(&larder, "ana", &password_of("ana"), 1);
    let ben = with(&larder, "ben", &password_of("ben"), 2);
    assert_eq!((status(&old), status(&ben)), (200, 200));
    let edit = json!({ "password": "another password" });
    larder.session("ana").post("/api/user/edit_self", edit).expect(200);
    assert_eq!(status(&with(&larder, "ana", &password_of("ana"), 4)), 401);
    let new = with(&larder, "ana", "another password", 3);
    assert_eq!(status(&new), 200);
    // What ends all sessions has the password judged anew, which is still right.
    let session = larder.login(&json!({ "username": "ana", "password": "another password" }));
    let token = session.expect(200).json()["token"].as_str().unwrap().to_owned();
    let everywhere = json!({ "everywhere": true });
    larder.bearer(&token).post("/api/user/logout", everywhere).expect(200);
    let rows = || {
        let rows = larder.http("ida").get("/api/get_logs?door=dav&op=sign_in&user=ana");
        rows.expect(200).json().as_array().unwrap().len()
    };
    wait::until("both have signed in", || rows() == 2);
    wait::until("its turn", || status(&new) == 200);
    wait::until("judged once more", || rows() == 3);
    // Whoever is gone is let in by nothing that was remembered.
    larder.session("ida").post("/api/user/delete", json!({ "username": "ben" })).expect(200);
    assert_eq!(status(&with(&larder, "ben", &password_of("ben"), 5)), 401);
}

/// Whatever is judged anew takes the one try of its address in that second: so many in a row are all remembered.
#[test]
fn many_requests_are_one_try() {
    let larder = house();
    let ana = with(&larder, "ana", &password_of("ana"), 1);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..16).map(|_| scope.spawn(|| status(&ana))).collect();
        for one in all {
            assert_eq!(one.join().unwrap(), 200, "many at the same time, of a password not known");
        }
    });
    let mut wire = larder.wire_from_afar_by(1);
    let request = format!(
        "GET /dav/a.txt HTTP/1.1\r\nHost: nas\r\nAuthorization: {}\r\n\r\n",
        basic("ana", &password_of("ana"))
    );
    for _ in 0..1000 {
        wire.send(&request);
        wire.answer().expect(200);
    }
    let rows = larder.http("ida").get("/api/get_logs?door=dav&op=sign_in").expect(200).json();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
}

/// Fifty who guess: never more than two are hashed at a time, which shows in memory, and nobody else waits for them.
#[test]
fn a_crowd_that_guesses_is_judged_two_at_a_time_and_holds_up_nobody() {
    /// Memory of one Argon2id run.
    const ONE_KIB: u64 = 12 * 1024;
    let larder = house();
    // The first one makes the decoy.
    assert_eq!(status(&with(&larder, "nobody", "wrong", 100)), 401);
    let before = larder.process().memory_peak_kib();
    let mut crowd: Vec<_> = (0..50)
        .map(|number| {
            let guess = with(&larder, &format!("nobody{number}"), "wrong", number);
            guess.begin("GET", "/dav/a.txt", &[], b"")
        })
        .collect();
    let mut wire = larder.wire_from_afar();
    wire.send("GET /api/is_up HTTP/1.1\r\nHost: nas\r\n\r\n");
    wire.answer().expect(200);
    let waiting = crowd.iter_mut().filter_map(|wire| wire.status_at_once().is_none().then_some(()));
    assert!(waiting.count() > 0, "it is up while they wait");
    for mut wire in crowd {
        assert!(matches!(wire.answer().status, 401 | 429));
    }
    let grown = larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < 3 * ONE_KIB, "{grown} KiB");
}

#[test]
fn wrong_passwords_count_at_the_same_door_as_in_the_pages() {
    let larder = house();
    let known = with(&larder, "ana", &password_of("ana"), 1);
    assert_eq!(status(&known), 200);
    let late = (10..40).find_map(|from| {
        let answer = with(&larder, "ana", "wrong", from).say("GET", "/dav/a.txt");
        assert!(matches!(answer.status, 401 | 429), "{answer}");
        (answer.status == 429).then_some(answer)
    });
    let late = late.expect("a name that is guessed is delayed");
    assert!(late.header("Retry-After").unwrap().parse::<u64>().unwrap() >= 1);
    assert_eq!(late.header("WWW-Authenticate"), None, "nobody is asked for another password");
    // So it is in the pages, and by the name that Windows makes of it; whoever was right lately waits for nobody.
    larder.sign_in("ana", &password_of("ana")).expect_refusal(429);
    assert_eq!(status(&with(&larder, "PC\\ana", "wrong", 41)), 429);
    assert_eq!(status(&known), 200);
    assert_eq!(status(&with(&larder, "ben", &password_of("ben"), 42)), 200);
    wait::until("it is told", || !refusals_of_dav(&larder).is_empty());
}

/// The refusals of this door that the log tells.
fn refusals_of_dav(larder: &Larder) -> Vec<String> {
    let rows = larder.http("ida").get("/api/get_logs?op=refused&door=dav").expect(200).json();
    let rows = rows.as_array().unwrap().iter();
    rows.map(|row| row["action"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_the_pages_count_counts_here() {
    let larder = house();
    assert!((0..30).any(|_| larder.sign_in("ana", "wrong").status == 429));
    let answer = with(&larder, "ana", &password_of("ana"), 1).say("GET", "/dav/a.txt").expect(429);
    assert!(answer.header("Retry-After").is_some());
    // One address, one try in a second, whichever door it is; of what is remembered as many as one likes.
    let ben = with(&larder, "ben", &password_of("ben"), 2);
    assert_eq!(status(&ben), 200);
    let ida = with(&larder, "ida", &password_of("ida"), 2);
    let tries: Vec<u16> = (0..10).map(|_| status(&ida)).collect();
    assert!(tries.contains(&429) || tries[0] == 200, "{tries:?}");
    assert_eq!(status(&ben), 200);
}

#[test]
fn ftps_own_users_are_at_another_door() {
    let house = FtpHouse::start();
    house.user("kim", "", ALL_LETTERS);
    let larder = &house.larder;
    let late = (1..40).any(|from| status(&with(larder, "kim", "wrong", from)) == 429);
    assert!(late, "a name that nobody has is delayed like any other");
    house.sign_in("kim").expect("NOOP", 200);
    // And who is only that is nobody here.
    assert_eq!(status(&with(larder, "cam", crate::harness::ftp::FTP_PASSWORD, 50)), 401);
}

#[test]
fn names_are_utf_8_and_count_from_behind_their_last_backslash() {
    let larder = house().user("j\u{fc}rgen");
    for (from, name) in (1..).zip([
        "ana",
        "LAPTOP\\ana",
        "WORK\\GROUP\\ana",
        "\\ana",
        "j\u{fc}rgen",
        "PC\\j\u{fc}rgen",
    ]) {
        let own = name.rsplit('\\').next().unwrap();
        assert_eq!(status(&with(&larder, name, &password_of(own), from)), 200, "{name}");
    }
    for (from, name) in (20..).zip(["ana\\", "ana\\x", "ANA", "ana ", "/ana", ""]) {
        assert_eq!(status(&with(&larder, name, &password_of("ana"), from)), 401, "{name}");
    }
}

#[test]
fn what_is_no_name_and_password_is_as_if_there_were_none() {
    let larder = house();
    let no_utf_8 = format!("Basic {}", BASE64.encode(b"ana:\xff"));
    let no_colon = format!("Basic {}", BASE64.encode(b"ana"));
    let long = basic("ana", &"x".repeat(5000));
    for field in [
        "Basic",
        "Basic ",
        "Basic !",
        "Basic YW5h OmFuYQ==",
        "Digest x",
        &no_utf_8,
        &no_colon,
        &long,
    ] {
        let answer = Dav::nobody(&larder).with("Authorization", field).say("GET", "/dav/a.txt");
        let challenge = answer.header("WWW-Authenticate");
        assert_eq!(challenge, Some("Basic realm=\"larder\", charset=\"UTF-8\""), "{answer}");
        answer.expect(401);
    }
    // The old key for everything is none that stands for a password.
    assert_eq!(status(&with(&larder, "ana", larder.key("ana"), 1)), 401);
}

#[test]
fn a_key_is_as_good_as_its_time_and_no_longer_than_it_is_there() {
    let larder = house();
    let session = larder.session("ana");
    let (id, key) = session.make_key(json!({ "label": "d", "doors": ["dav"], "expires": 1 }));
    let client = with(&larder, "ana", &key, 1);
    assert_eq!(status(&client), 200);
    larder.let_end("keys", id, "2025-02-03T04:05:06Z");
    wait::until("the key to be over", || status(&client) == 401);
    let (id, key) = session.make_key(json!({ "label": "d", "doors": ["dav"] }));
    let client = with(&larder, "ana", &key, 2);
    assert_eq!(status(&client), 200);
    session.post("/api/key/delete", json!({ "id": id })).expect(200);
    assert_eq!(status(&client), 401);
}
