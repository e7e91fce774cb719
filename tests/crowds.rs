//! Many long answers at once, of clients that do not read them: `API-2.md`, section 26.

use std::fs::{self, File};

use crate::harness::ftp::FtpHouse;
use crate::harness::{Larder, Wire, password_of, wait};

/// Bytes that larder may ever take with all of them at once (KiB).
const PEAK_KIB_MAX: u64 = 128 << 10;

/// Files in the large folder: their names alone outgrow what sockets take of an unread answer.
const MANY: usize = 8_000;

/// Puts very many files with long names into a folder of the share.
fn fill(larder: &Larder, folder: &str) {
    let folder = larder.root().join(folder);
    fs::create_dir_all(&folder).unwrap();
    for number in 0..MANY {
        File::create(folder.join(format!("{number:0240}"))).unwrap();
    }
}

/// Asks as somebody, from an address of their own, and reads nothing.
fn ask(larder: &Larder, user: u16, target: &str) -> Wire {
    let mut wire = larder.wire_from_afar_by(user);
    let key = larder.key(&format!("u{user}"));
    wire.send(format!("GET {target} HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n"));
    wire
}

/// Asks so often as each of the users, all at once, and reads nothing but the statuses.
fn crowd(larder: &Larder, users: u16, each: usize, target: &str) -> Vec<(Wire, u16)> {
    let asked: Vec<Wire> = (0..users)
        .flat_map(|user| (0..each).map(move |_| user))
        .map(|user| ask(larder, user, target))
        .collect();
    let status = |mut wire: Wire| {
        let status = wire.status();
        (wire, status)
    };
    asked.into_iter().map(status).collect()
}

#[test]
fn long_answers_that_nobody_reads_cost_a_bounded_memory() {
    let FtpHouse { larder, port } = FtpHouse::start();
    let larder = (0..4).fold(larder, |larder, user| larder.reader(&format!("u{user}")));
    let house = FtpHouse { larder, port };
    fill(&house.larder, "many");
    let larder = &house.larder;
    let zips = crowd(larder, 4, 10, "/api/download?file_path=many");
    let listings = crowd(larder, 4, 10, "/api/finder?path=many&details=1");
    let names = crowd(larder, 4, 4, "/api/finder?path=many");
    let mut lists = Vec::new();
    for _ in 0..20 {
        let mut ftp = house.sign_in("cam");
        let data = ftp.passive();
        ftp.send("NLST many\r\n");
        lists.push((ftp, data));
    }
    larder.sign_in("ana", &password_of("ana")).expect(200);
    let peak = larder.process().memory_peak_kib();
    assert!(peak < PEAK_KIB_MAX, "{peak} KiB");
    for (_, status) in zips.iter().chain(&listings).chain(&names) {
        assert!(matches!(status, 200 | 429), "{status}");
    }
}

#[test]
fn one_user_has_a_bounded_number_of_long_answers_and_the_others_have_theirs() {
    let larder = (0..2).fold(Larder::start(), |larder, user| larder.reader(&format!("u{user}")));
    let larder = larder.folder("big");
    // More than sockets take.
    File::create(larder.root().join("big/file")).unwrap().set_len(32 << 20).unwrap();
    let asked = crowd(&larder, 1, 33, "/api/download?file_path=big");
    let count = |wanted: u16| asked.iter().filter(|(_, status)| *status == wanted).count();
    assert_eq!((count(200), count(429)), (32, 1));
    assert_eq!(ask(&larder, 0, "/api/finder?path=big").status(), 429);
    assert_eq!(ask(&larder, 1, "/api/finder?path=big").status(), 200);
    drop(asked);
    wait::until("a place again", || ask(&larder, 0, "/api/finder?path=big").status() == 200);
}
