//! Those who guess passwords: they are slowed down, and slow down nobody else.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::ftp::{ALL_LETTERS, FTP_PASSWORD, Ftp, FtpHouse};
use crate::harness::{Answer, Larder, Wire, login_request, password_of, wait};

/// Signs in over HTTP from a given address.
#[track_caller]
fn sign_in_from(larder: &Larder, from: Ipv4Addr, name: &str, password: &str) -> Answer {
    let ask = json!({ "username": name, "password": password });
    let mut wire = Wire::open_from(from, larder.port());
    wire.send(login_request(&ask, ""));
    wire.answer()
}

/// One try of a new FTP session from a given address; gives the last reply.
#[track_caller]
fn ftp_try(port: u16, from: Ipv4Addr, name: &str, password: &str) -> (u16, String) {
    let mut ftp = Ftp::open(from.into(), port);
    ftp.expect(&format!("USER {name}"), 331);
    ftp.say(&format!("PASS {password}"))
}

/// The addresses 127.2.x.1, which count as one client each.
fn addresses(count: u8) -> impl Iterator<Item = Ipv4Addr> {
    (0..count).map(|number| Ipv4Addr::new(127, 2, number, 1))
}

/// Guesses an FTP name from many addresses until it is delayed.
fn guess_by_ftp_until_delayed(house: &FtpHouse, name: &str) {
    for from in addresses(20) {
        if ftp_try(house.port, from, name, "wrong").1.contains("Too many") {
            return;
        }
    }
    panic!("twenty guesses were judged");
}

#[test]
fn guesses_by_ftp_make_nobody_wait_in_the_pages_nor_the_other_way_round() {
    let house = FtpHouse::start();
    house.user("ana", "", ALL_LETTERS);
    guess_by_ftp_until_delayed(&house, "ana");
    house.larder.sign_in("ana", &password_of("ana")).expect(200);
    let late =
        (0..12).map(|_| house.larder.sign_in("cam", "wrong")).find(|late| late.status == 429);
    assert!(late.is_some(), "the pages delay a name, too");
    let (code, text) = ftp_try(house.port, Ipv4Addr::new(127, 2, 0, 1), "cam", FTP_PASSWORD);
    assert_eq!(code, 230, "{text}");
}

#[test]
fn of_many_guesses_at_the_same_moment_few_are_judged() {
    let larder = Larder::start().user("ana");
    let together = Barrier::new(60);
    let answers: Vec<u16> = thread::scope(|scope| {
        let guesses: Vec<_> = addresses(60)
            .map(|from| {
                let (larder, together) = (&larder, &together);
                scope.spawn(move || {
                    together.wait();
                    sign_in_from(larder, from, "ana", "wrong").status
                })
            })
            .collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    let mut counted: BTreeMap<u16, usize> = BTreeMap::new();
    for status in answers {
        *counted.entry(status).or_default() += 1;
    }
    let judged = counted.get(&401).copied().unwrap_or_default();
    assert!((1..=10).contains(&judged), "{counted:?}");
    assert_eq!(judged + counted.get(&429).copied().unwrap_or_default(), 60, "{counted:?}");
}

#[test]
fn of_many_ftp_sessions_that_guess_one_name_few_are_judged() {
    let house = FtpHouse::start();
    let replies: Vec<(u16, String)> = thread::scope(|scope| {
        let port = house.port;
        // Of each address two, as many from one would only wait for one another.
        let guesses: Vec<_> = addresses(55)
            .chain(addresses(55))
            .map(|from| scope.spawn(move || ftp_try(port, from, "cam", "wrong")))
            .collect();
        guesses.into_iter().map(|guess| guess.join().unwrap()).collect()
    });
    assert!(replies.iter().all(|(code, _)| *code == 530), "{replies:?}");
    let judged = replies.iter().filter(|(_, text)| text.contains("Invalid")).count();
    assert!((1..=10).contains(&judged), "{judged} were judged");
}

#[test]
fn an_address_guesses_once_a_second_by_ftp_and_others_need_not_wait() {
    let house = FtpHouse::start();
    let attacker = Ipv4Addr::new(127, 2, 0, 1);
    let begun = Instant::now();
    thread::scope(|scope| {
        let port = house.port;
        let guesses: Vec<_> = (0..4)
            .map(|number| {
                scope.spawn(move || ftp_try(port, attacker, &format!("nobody{number}"), "wrong"))
            })
            .collect();
        // Somebody else comes in between, and from the guesser's own address whoever knows their password.
        house.sign_in("cam").expect("NOOP", 200);
        assert_eq!(ftp_try(port, attacker, "cam", FTP_PASSWORD).0, 230);
        for guess in guesses {
            let (code, text) = guess.join().unwrap();
            assert!(code == 530 && text.contains("Invalid"), "{text}");
        }
    });
    // Three full seconds between four of them, and the delay of the last answer.
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn a_program_that_opens_many_connections_at_once_gets_them() {
    let house = FtpHouse::start();
    let together = Barrier::new(20);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                together.wait();
                house.sign_in("cam").expect("NOOP", 200);
            });
        }
    });
}

#[test]
fn who_signed_in_lately_is_not_delayed_by_strangers() {
    let house = FtpHouse::start();
    let home = Ipv4Addr::new(127, 3, 0, 1);
    sign_in_from(&house.larder, home, "ana", &password_of("ana")).expect(200);
    assert_eq!(ftp_try(house.port, home, "cam", FTP_PASSWORD).0, 230);
    let last = Instant::now();
    guess_by_ftp_until_delayed(&house, "cam");
    let (code, text) = ftp_try(house.port, home, "cam", FTP_PASSWORD);
    assert_eq!(code, 230, "{text}");
    // Its own turn of once a second must be over, or it would be that which refuses.
    wait::until("the next second", || last.elapsed() > Duration::from_millis(1100));
    let late =
        (0..12).map(|_| house.larder.sign_in("ana", "wrong")).find(|late| late.status == 429);
    assert!(late.is_some());
    sign_in_from(&house.larder, home, "ana", &password_of("ana")).expect(200);
}

#[test]
fn a_known_address_that_guesses_is_delayed_itself() {
    let house = FtpHouse::start();
    let home = Ipv4Addr::new(127, 3, 0, 1);
    assert_eq!(ftp_try(house.port, home, "cam", FTP_PASSWORD).0, 230);
    let is_late = || ftp_try(house.port, home, "cam", "wrong").1.contains("Too many");
    assert!((0..20).any(|_| is_late()));
}

#[test]
fn a_flood_of_refusals_does_not_push_out_the_log() {
    let larder = Larder::start().user("ana");
    let ana = larder.http("ana");
    for number in 0..150 {
        let mut wire = larder.wire_from_afar_by(number);
        wire.send("GET /api/finder HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n");
        wire.answer().expect_error(401, "Invalid token");
    }
    let rows = |what: &str| {
        let log = ana.get("/api/get_logs?limit=1000").expect(200).json();
        let rows = log.as_array().unwrap().clone();
        rows.into_iter().filter(|row| row["action"].as_str().unwrap().contains(what)).count()
    };
    let begun = rows("invalid token");
    assert!((1..=150).contains(&begun));
    wait::until("a row that tells of the rest", || rows("were left out") > 0);
    // On a machine so slow that the flood lasts longer than the ten seconds there may be some more.
    assert!(rows("invalid token") < 149, "{}", rows("invalid token"));
}
