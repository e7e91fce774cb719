//! Uploads over FTP that broke off, and what may go on from them: contract, section 26.

use std::io::{Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use suppaftp::types::FileType;
use suppaftp::{RustlsConnector, RustlsFtpStream};

use crate::harness::ftp::{ALL_LETTERS, FTP_PASSWORD, Ftp, FtpHouse};
use crate::harness::{Form, Larder, tls, wait};

/// Bytes of an upload that is cut.
const CUT: usize = 70_000;

/// Sends the beginning of an upload and breaks it off.
#[track_caller]
fn cut(house: &FtpHouse, ftp: &mut Ftp, line: &str) {
    cut_with(house, ftp, line, &vec![b'p'; CUT]);
}

/// The same with this beginning.
#[track_caller]
fn cut_with(house: &FtpHouse, ftp: &mut Ftp, line: &str, beginning: &[u8]) {
    let mut data = ftp.passive();
    ftp.expect(line, 150);
    data.write_all(beginning).unwrap();
    wait::until("the bytes to arrive", || {
        house.sessions().iter().any(|session| session["bytes"] == beginning.len())
    });
    ftp.expect("ABOR", 426);
    ftp.expect_reply(226);
}

/// What lies in the trash.
fn trashed(house: &FtpHouse) -> Vec<Value> {
    house.admin().get("/api/trash").expect(200).json().as_array().unwrap().clone()
}

/// A house with two users who may do everything.
fn house() -> FtpHouse {
    let house = FtpHouse::start();
    house.user("other", "", ALL_LETTERS);
    house
}

#[test]
fn a_target_that_any_door_changed_drops_the_part() {
    type Way = fn(&FtpHouse, &mut Ftp, &str);
    let ways: [(&str, Way); 8] = [
        ("another name", |_, ftp, name| {
            assert_eq!(ftp.store("STOR g.tmp", vec![b'n'; 1000]).0, 226);
            ftp.expect("RNFR g.tmp", 350);
            ftp.expect(&format!("RNTO {name}"), 250);
        }),
        ("another user", |house, _, name| {
            let mut other = house.sign_in("other");
            assert_eq!(other.store(&format!("STOR {name}"), vec![b'n'; 1000]).0, 226);
        }),
        ("an upload of the pages", |house, _, name| {
            let form = Form::new().field("path", "").file(name, vec![b'n'; 1000]);
            house.admin().upload(&form).expect(200);
        }),
        ("the disk", |house, _, name| house.larder.write(name, vec![b'n'; 1000])),
        ("a rename of the API", |house, _, name| {
            house.larder.write("api.tmp", vec![b'n'; 1000]);
            let _gone = std::fs::remove_file(house.larder.root().join(name));
            let ask = json!({ "path": "", "file_name": "api.tmp", "new_name": name });
            house.admin().post("/api/rename_file", ask).expect(200);
        }),
        ("a copy of the API", |house, _, name| {
            house.larder.write(&format!("far/{name}"), vec![b'n'; 1000]);
            let ask =
                json!({ "paths": [format!("far/{name}")], "to": "", "if_exists": "overwrite" });
            house.admin().post("/api/copy", ask).expect(200);
        }),
        ("the trash", |house, _, name| {
            house.larder.write(name, vec![b'n'; 1000]);
            house.admin().post("/api/delete_file", json!({ "path": name })).expect(200);
            let ids = json!([trashed(house)[0]["id"]]);
            house.admin().post("/api/trash/restore", json!({ "ids": ids })).expect(200);
        }),
        ("its own deletion and another upload", |_, ftp, name| {
            ftp.expect(&format!("DELE {name}"), 250);
            assert_eq!(ftp.store(&format!("STOR {name}"), vec![b'n'; 1000]).0, 226);
        }),
    ];
    let house = house();
    for (number, (way, change)) in ways.iter().enumerate() {
        for was_there in [false, true] {
            let name = format!("grow{number}{was_there}.log");
            if was_there {
                house.larder.write(&name, vec![b'o'; 20_000]);
            }
            let mut ftp = house.sign_in("cam");
            cut(&house, &mut ftp, &format!("STOR {name}"));
            change(&house, &mut ftp, &name);
            assert!(ftp.expect(&format!("SIZE {name}"), 213).ends_with(" 1000\r\n"), "{way}");
            ftp.expect("REST 1000", 350);
            assert_eq!(ftp.store(&format!("STOR {name}"), vec![b'n'; 500]).0, 226, "{way}");
            assert!(house.larder.read_bytes(&name) == vec![b'n'; 1500], "{way}, {was_there}");
        }
    }
    let left = std::fs::read_dir(house.larder.root().join(".larder/parts")).unwrap().count();
    assert_eq!(left, 0, "parts of no use are gone");
}

#[test]
fn what_came_and_went_in_between_drops_the_part_too() {
    type Way = fn(&FtpHouse, &mut Ftp);
    let ways: [Way; 5] = [
        |house, _| {
            let form = Form::new().field("path", "").file("f", "theirs");
            house.admin().upload(&form).expect(200);
            house.admin().post("/api/delete_file", json!({ "path": "f" })).expect(200);
        },
        |house, _| {
            house.larder.write("d/f", "theirs");
            house.admin().post("/api/move", json!({ "paths": ["d/f"], "to": "" })).expect(200);
            house
                .admin()
                .post("/api/move", json!({ "paths": ["f"], "to": "d", "if_exists": "overwrite" }))
                .expect(200);
        },
        |_, ftp| {
            ftp.expect("MKD f", 257);
            ftp.expect("RMD f", 250);
        },
        |_, ftp| {
            assert_eq!(ftp.store("STOR f", "mine").0, 226);
            ftp.expect("RNFR f", 350);
            ftp.expect("RNTO f2", 250);
        },
        |house, _| {
            let mut other = house.sign_in("other");
            other.store("STOR f", "x");
            other.expect("DELE f", 250);
        },
    ];
    let house = house();
    for (number, change) in ways.iter().enumerate() {
        let mut ftp = house.sign_in("cam");
        cut(&house, &mut ftp, "STOR f");
        change(&house, &mut ftp);
        ftp.expect("SIZE f", 550);
        ftp.expect("REST 1000", 350);
        assert_eq!(ftp.store("STOR f", "x").0, 554, "{number}");
    }
}

#[test]
fn another_folder_of_the_same_name_knows_no_part() {
    let house = house();
    let mut ftp = house.sign_in("cam");
    ftp.expect("MKD d", 257);
    cut(&house, &mut ftp, "STOR d/f");
    ftp.expect("RMD d", 250);
    ftp.expect("MKD d", 257);
    ftp.expect("SIZE d/f", 550);
}

#[test]
fn what_is_added_to_a_log_never_follows_an_old_part() {
    let house = house();
    let mut ftp = house.sign_in("cam");
    house.larder.write("log.csv", "old lines\n");
    cut(&house, &mut ftp, "APPE log.csv");
    ftp.expect("RNFR log.csv", 350);
    ftp.expect("RNTO log.1.csv", 250);
    assert_eq!(ftp.store("APPE log.csv", "NEW\n").0, 226);
    assert_eq!(house.larder.read("log.csv"), "NEW\n");
    assert_eq!(house.larder.read("log.1.csv"), "old lines\n");
    // The same after `STOR` and `DELE`, with and without something there, and after nothing at all.
    for (line, then) in
        [("STOR a.csv", "DELE a.csv"), ("STOR b.csv", "NOOP"), ("APPE c.csv", "NOOP")]
    {
        let name = &line[5..];
        cut(&house, &mut ftp, line);
        ftp.say(then);
        assert_eq!(ftp.store(&format!("APPE {name}"), "NEW\n").0, 226);
        assert_eq!(house.larder.read(name), "NEW\n", "{line}, {then}");
    }
    // An addition that was cut leaves the file as it was, and the next begins where that ends.
    cut(&house, &mut ftp, "APPE log.1.csv");
    assert_eq!(ftp.store("APPE log.1.csv", "NEW\n").0, 226);
    assert_eq!(house.larder.read("log.1.csv"), "old lines\nNEW\n");
}

#[test]
fn a_part_is_told_by_size_alone_and_goes_with_dele() {
    let house = house();
    let mut ftp = house.sign_in("cam");
    cut(&house, &mut ftp, "STOR f");
    for line in
        ["MLST f", "RETR f", "RNFR f", "MDTM f", "MFMT 20200101000000 f", "SITE CHMOD 600 f"]
    {
        ftp.passive();
        ftp.expect(line, 550);
    }
    assert!(ftp.names("NLST").is_empty());
    house.sign_in("other").expect("SIZE f", 550);
    house.sign_in("other").expect("DELE f", 550);
    assert_eq!(ftp.expect("SIZE f", 213), format!("213 {CUT}\r\n"));
    ftp.expect("DELE f", 250);
    for line in ["SIZE f", "DELE f"] {
        ftp.expect(line, 550);
    }
    // `RNTO` onto the name is an end of it as well.
    house.larder.write("g", "whole");
    cut(&house, &mut ftp, "STOR f");
    ftp.expect("RNFR g", 350);
    ftp.expect("RNTO f", 250);
    ftp.expect("RNFR f", 350);
    ftp.expect("RNTO g", 250);
    ftp.expect("SIZE f", 550);
}

#[test]
fn whoever_asked_for_the_size_goes_on_with_appe_and_with_rest() {
    let house = house();
    let mut ftp = house.sign_in("cam");
    cut(&house, &mut ftp, "STOR f");
    // Another session has not asked.
    let mut second = house.sign_in("cam");
    ftp.expect("SIZE f", 213);
    ftp.expect("NOOP", 200);
    assert_eq!(ftp.store("APPE f", "end").0, 226);
    assert_eq!(house.larder.read("f"), "p".repeat(CUT) + "end");
    cut(&house, &mut second, "STOR g");
    assert_eq!(second.store("APPE g", "end").0, 226);
    assert_eq!(house.larder.read("g"), "end");
    // What was told last counts: it is gone by now.
    cut(&house, &mut ftp, "STOR h");
    ftp.expect("SIZE h", 213);
    second.expect("DELE h", 250);
    ftp.expect("SIZE h", 550);
    assert_eq!(ftp.store("APPE h", "end").0, 226);
    assert_eq!(house.larder.read("h"), "end");
    cut(&house, &mut ftp, "STOR i");
    ftp.expect(&format!("REST {CUT}"), 350);
    assert_eq!(ftp.store("STOR i", "end").0, 226);
    assert_eq!(house.larder.read("i"), "p".repeat(CUT) + "end");
    // Nobody adds to nothing what was meant to go behind a part.
    cut(&house, &mut ftp, "STOR j");
    ftp.expect("SIZE j", 213);
    second.expect("DELE j", 250);
    assert_eq!(ftp.store("APPE j", "end").0, 450);
    assert_eq!(ftp.store("APPE j", "whole").0, 226);
    assert_eq!(house.larder.read("j"), "whole");
    // Whoever may only store sees no files, and is told of the part that is to take a file's place.
    house.user("drop", "", "wa");
    let mut drop = house.sign_in("drop");
    cut(&house, &mut drop, "STOR i");
    assert_eq!(drop.expect("SIZE i", 213), format!("213 {CUT}\r\n"));
    assert_eq!(drop.store("APPE i", "!").0, 226);
    assert_eq!(house.larder.read("i"), "p".repeat(CUT) + "!");
}

#[test]
fn what_is_longer_than_the_part_is_not_gone_on_from() {
    let house = house();
    house.larder.write("v.tar", vec![b'o'; CUT + 1000]);
    let mut ftp = house.sign_in("cam");
    cut(&house, &mut ftp, "STOR v.tar");
    // The client takes the old file for the beginning of what it sends.
    ftp.expect(&format!("REST {}", CUT + 1000), 350);
    assert_eq!(ftp.store("STOR v.tar", vec![b'n'; 500]).0, 554);
    assert!(house.larder.read_bytes("v.tar") == vec![b'o'; CUT + 1000]);
    // What it has sent is still there, and a whole upload makes an end of it.
    ftp.expect(&format!("REST {CUT}"), 350);
    assert_eq!(ftp.store("STOR v.tar", vec![b'p'; 500]).0, 226);
    assert!(house.larder.read_bytes("v.tar") == vec![b'p'; CUT + 500]);
    ftp.expect(&format!("REST {}", CUT + 500), 350);
    assert_eq!(ftp.store("STOR v.tar", vec![b'p'; 500]).0, 226);
    assert!(house.larder.read_bytes("v.tar") == vec![b'p'; CUT + 1000]);
}

#[test]
fn a_part_behind_a_link_is_found_again() {
    let larder = Larder::prepare().file("real/f", "old").folder("links");
    let larder = larder.link("links/f", "../real/f");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    cut(&house, &mut ftp, "STOR links/f");
    ftp.expect(&format!("REST {CUT}"), 350);
    assert_eq!(ftp.store("STOR real/f", "end").0, 226);
    assert_eq!(house.larder.read("real/f"), "p".repeat(CUT) + "end");
}

#[test]
fn a_part_that_is_to_replace_a_file_is_told_too() {
    let house = house();
    house.larder.write("f", vec![b'o'; CUT + 1000]);
    let mut ftp = house.sign_in("cam");
    cut(&house, &mut ftp, "STOR f");
    // As text the file's, as `RETR` would send it; to anybody else as well.
    assert_eq!(ftp.expect("SIZE f", 213), format!("213 {CUT}\r\n"));
    ftp.expect("TYPE A", 200);
    assert_eq!(ftp.expect("SIZE f", 213), format!("213 {}\r\n", CUT + 1000));
    ftp.expect("TYPE I", 200);
    let mut other = house.sign_in("other");
    assert_eq!(other.expect("SIZE f", 213), format!("213 {}\r\n", CUT + 1000));
    // What clients do that resume with `APPE`: never a mixture of old and new.
    ftp.expect("SIZE f", 213);
    assert_eq!(ftp.store("APPE f", "end").0, 226);
    assert_eq!(house.larder.read("f"), "p".repeat(CUT) + "end");
    assert_eq!(ftp.expect("SIZE f", 213), format!("213 {}\r\n", CUT + 3));
    house.user("see", "", "lr");
    house.sign_in("see").expect("SIZE f", 213);
}

// Over the end of larder, and of a connection that nobody knows to be dead.

/// Bytes that are surely written down: more than are between two checkpoints.
const LONG: usize = 70 << 20;

/// Sends so many bytes of an upload and leaves it there; the data connection.
#[track_caller]
fn send_long(house: &FtpHouse, ftp: &mut Ftp, line: &str, content: &[u8]) -> TcpStream {
    let mut data = ftp.passive();
    ftp.expect(line, 150);
    data.write_all(content).unwrap();
    wait::until("the bytes to arrive", || {
        house.sessions().iter().any(|session| session["bytes"] == content.len())
    });
    data
}

/// Bytes that do not repeat in any obvious way.
fn content(bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_le_bytes()[3]
    };
    (0..bytes).map(next).collect()
}

/// The number in an answer to `SIZE`.
fn told(ftp: &mut Ftp, name: &str) -> usize {
    let line = ftp.expect(&format!("SIZE {name}"), 213);
    line.trim()[4..].parse().unwrap()
}

#[test]
fn an_upload_goes_on_after_larder_was_killed() {
    let house = house();
    let whole = content(LONG + 1000);
    let mut ftp = house.sign_in("cam");
    let _data = send_long(&house, &mut ftp, "STOR f", &whole[..LONG]);
    let FtpHouse { mut larder, .. } = house;
    larder.kill();
    let larder = larder.launch_with(|command| {
        command.args(["--ftp-port", "0"]);
    });
    let port = FtpHouse::switch_on(&larder);
    let house = FtpHouse { larder, port };
    let mut ftp = house.sign_in("cam");
    let bytes = told(&mut ftp, "f");
    // Kernels before 6.8 do not say whether the drive is still the same: then what was made durable counts alone.
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let numbers: Vec<u32> =
        release.split(['.', '-']).take(2).map_while(|part| part.parse().ok()).collect();
    if numbers >= vec![6, 8] {
        assert!((LONG - (1 << 20)..=LONG).contains(&bytes), "{bytes}");
    }
    ftp.expect(&format!("REST {bytes}"), 350);
    assert_eq!(ftp.store("STOR f", &whole[bytes..]).0, 226);
    assert!(house.larder.read_bytes("f") == whole);
    let left = std::fs::read_dir(house.larder.root().join(".larder/parts")).unwrap().count();
    assert_eq!(left, 0);
    house.larder.wait_until_tidy();
}

#[test]
fn whoever_comes_back_does_not_wait_for_a_dead_connection() {
    let house = house();
    let whole = content(LONG + 1000);
    let mut dead = house.sign_in("cam");
    let mut data = send_long(&house, &mut dead, "STOR f", &whole[..LONG]);
    let mut ftp = house.sign_in("cam");
    // What is worked on is nobody's to delete, and another whole upload is another.
    ftp.expect("DELE f", 550);
    let bytes = told(&mut ftp, "f");
    assert!(bytes >= LONG - (1 << 20), "{bytes}");
    ftp.expect(&format!("REST {bytes}"), 350);
    assert_eq!(ftp.store("STOR f", &whole[bytes..]).0, 226);
    assert!(house.larder.read_bytes("f") == whole);
    // The dead one comes alive: nothing it sends counts any more.
    let _broken = data.write_all(&vec![0; 1 << 20]);
    drop(data);
    let (code, text) = dead.reply();
    assert!(code == 550 && text.contains("another connection"), "{code} {text}");
    assert!(house.larder.read_bytes("f") == whole);
    house.larder.wait_until_tidy();
}

// Adding.

#[test]
fn an_addition_puts_nothing_into_the_trash_and_shows_no_half() {
    let house = house();
    let mut ftp = house.sign_in("cam");
    let old = vec![b'o'; 2_000_000];
    house.larder.write("log", &old);
    let mut reader = std::fs::File::open(house.larder.root().join("log")).unwrap();
    for _ in 0..3 {
        assert_eq!(ftp.store("APPE log", "tail\n").0, 226);
    }
    assert_eq!(ftp.store("APPE log", "").0, 226);
    ftp.expect("REST 2000015", 350);
    assert_eq!(ftp.store("STOR log", "more\n").0, 226);
    let content = house.larder.read_bytes("log");
    assert!(content.starts_with(&old) && content.ends_with(b"otail\ntail\ntail\nmore\n"));
    assert_eq!(content.len(), 2_000_020);
    assert_eq!(trashed(&house), Vec::<Value>::new());
    // Who had it open sees what it was.
    reader.seek(SeekFrom::Start(0)).unwrap();
    let mut seen = Vec::new();
    reader.read_to_end(&mut seen).unwrap();
    assert!(seen == old);
    // What takes something away does.
    ftp.expect("REST 10", 350);
    assert_eq!(ftp.store("STOR log", "short").0, 226);
    assert_eq!(trashed(&house).len(), 1);
    house.larder.wait_until_tidy();
}

#[test]
fn two_who_add_at_once_lose_nothing() {
    let house = house();
    house.larder.write("log", "begin\n");
    let house = &house;
    std::thread::scope(|scope| {
        for writer in 0..3 {
            scope.spawn(move || {
                let mut ftp = house.sign_in("cam");
                for line in 0..8 {
                    let line = format!("{writer} {line}\n");
                    assert_eq!(ftp.store("APPE log", line).0, 226);
                }
            });
        }
    });
    let content = house.larder.read("log");
    let mut lines: Vec<&str> = content.lines().collect();
    assert_eq!(lines.remove(0), "begin");
    lines.sort_unstable();
    let all: Vec<String> = (0..3).flat_map(|w| (0..8).map(move |n| format!("{w} {n}"))).collect();
    assert_eq!(lines, all);
}

#[test]
fn what_was_replaced_while_something_was_added_is_what_it_is_added_to() {
    let house = house();
    house.larder.write("log", "old\n");
    let mut ftp = house.sign_in("cam");
    let mut data = ftp.passive();
    ftp.expect("APPE log", 150);
    data.write_all(b"mine\n").unwrap();
    house.larder.write("log", "replaced\n");
    drop(data);
    ftp.expect_reply(226);
    assert_eq!(house.larder.read("log"), "replaced\nmine\n");
    assert!(trashed(&house).is_empty());
}

#[test]
fn a_kill_in_the_middle_of_an_addition_leaves_whole_lines_and_all_that_was_told() {
    let mut house = house();
    house.larder.write("log", "");
    let mut told = 0;
    for kill in 0..100 {
        // A busy machine stores few lines before each.
        if kill >= 12 && told > 12 {
            break;
        }
        let mut ftp = house.sign_in("cam");
        let adding = std::thread::spawn(move || {
            let mut last = told;
            while try_to_add(&mut ftp, &format!("line {}\n", last + 1)) {
                last += 1;
            }
            last
        });
        let moment = Duration::from_millis(20 + kill % 40 * 7);
        wait::comes_true(moment, || false);
        house.larder.kill();
        told = adding.join().unwrap();
        let FtpHouse { larder, .. } = house;
        let larder = larder.launch_with(|command| {
            command.args(["--ftp-port", "0"]);
        });
        let port = FtpHouse::switch_on(&larder);
        house = FtpHouse { larder, port };
        let content = house.larder.read("log");
        let lines = content.lines().count();
        for (number, line) in content.lines().enumerate() {
            assert_eq!(line, format!("line {}", number + 1));
        }
        assert!(content.is_empty() || content.ends_with('\n'), "{content}");
        // The last may have been stored without having been told.
        assert!((told..=told + 1).contains(&lines), "{told}, {lines}");
        told = lines;
    }
    assert!(told > 12, "too few lines to tell: {told}");
    house.larder.wait_until_tidy();
    assert!(trashed(&house).is_empty());
}

/// Adds to the file `log`; says whether that was told to be done.
fn try_to_add(ftp: &mut Ftp, text: &str) -> bool {
    let mut ask = |line: &str| {
        let sent = ftp.stream.get_mut().write_all(line.as_bytes());
        sent.ok().and_then(|()| ftp.try_reply()).map_or((0, String::new()), |reply| reply)
    };
    let (_, passive) = ask("EPSV\r\n");
    let Some(port) = passive.split('|').nth(3).and_then(|port| port.parse::<u16>().ok()) else {
        return false;
    };
    let Ok(mut data) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else { return false };
    if ask("APPE log\r\n").0 != 150 || data.write_all(text.as_bytes()).is_err() {
        return false;
    }
    drop(data);
    ftp.try_reply().is_some_and(|(code, _)| code == 226)
}

// Names.

#[test]
fn rnto_follows_a_rnfr_that_worked_at_once_or_not_at_all() {
    let larder = Larder::prepare().file("a", "a").file("b", "b");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    for between in [
        &b"RNFR nope"[..],
        b"XYZZY",
        b"12 34",
        b"",
        b"NOOP",
        b"RNTO",
        b"MKD \xff\xff\xff",
        b"\0",
        &[b'x'; 9000],
    ] {
        ftp.expect("RNFR a", 350);
        ftp.send([between, b"\r\n"].concat());
        ftp.reply();
        ftp.expect("RNTO b", 503);
        assert_eq!(house.larder.read("b"), "b");
    }
    ftp.expect("RNFR a", 350);
    ftp.expect("RNTO b", 250);
}

#[test]
fn rmd_takes_nothing_along() {
    let larder = Larder::prepare().folder("empty").file("full/x", "x").file("file", "x");
    let larder = larder.folder("behind").link("link", "behind");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    assert!(ftp.expect("RMD full", 550).contains("not empty"));
    ftp.expect("RMD file", 550);
    ftp.expect("RMD gone", 550);
    ftp.expect("RMD empty", 250);
    ftp.expect("RMD link", 250);
    assert_eq!(house.larder.tree(), ["behind/", "file", "full/", "full/x"]);
    // What was in it before comes back with its folder.
    let mut ftp = house.sign_in("cam");
    ftp.expect("DELE full/x", 250);
    ftp.expect("RMD full", 250);
    let item = trashed(&house).into_iter().find(|item| item["path"] == "full/x").unwrap();
    let ask = json!({ "ids": [item["id"]] });
    house.admin().post("/api/trash/restore", ask).expect(200);
    assert_eq!(house.larder.read("full/x"), "x");
    // An empty folder is nothing that the trash would have to keep.
    assert!(trashed(&house).iter().all(|item| item["path"] != "empty"));
}

// TLS.

#[test]
fn an_upload_over_tls_that_ends_without_a_farewell_is_doubted() {
    let house = house();
    house.larder.write("f", "the old one");
    for _ in 0..20 {
        let mut ftp = RustlsFtpStream::connect(("127.0.0.1", house.port)).unwrap();
        ftp = ftp.into_secure(RustlsConnector::from(tls::config(&[])), "localhost").unwrap();
        ftp.login("cam", FTP_PASSWORD).unwrap();
        ftp.transfer_type(FileType::Binary).unwrap();
        let mut data = ftp.put_with_stream("f").unwrap();
        data.write_all(&vec![b'n'; 100_000]).unwrap();
        data.flush().unwrap();
        let ended = Instant::now();
        data.get_ref().get_ref().shutdown(std::net::Shutdown::Write).unwrap();
        std::thread::sleep(Duration::from_millis(30));
        ftp.get_ref().shutdown(std::net::Shutdown::Both).unwrap();
        // On a busy machine this may have come later than larder waits.
        let is_in_time = ended.elapsed() < Duration::from_millis(100);
        wait::until("the session to end", || house.sessions().is_empty());
        if is_in_time {
            assert_eq!(house.larder.read("f"), "the old one");
            return;
        }
        house.larder.write("f", "the old one");
    }
    panic!("this machine is too busy to tell");
}
