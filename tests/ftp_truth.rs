//! What the FTP door says is so: names, sizes, paths, times and addresses (contract, section 26).

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::path::Path;

use serde_json::json;

use crate::harness::ftp::{ALL_LETTERS, Ftp, FtpHouse};
use crate::harness::{Larder, wait};

/// A house over a prepared folder, with the user `cam`.
fn around(larder: Larder) -> FtpHouse {
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    house
}

#[test]
fn names_are_told_as_they_are() {
    let name = "tab\there \u{1b}[31m bell\u{7} \u{85} del\u{7f}";
    let house = around(Larder::prepare().file(&format!("{name}/in\t"), "x"));
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.fetch_text("NLST"), format!("{name}\r\n"));
    assert!(ftp.fetch_text("LIST").ends_with(&format!(" {name}\r\n")));
    assert!(ftp.fetch_text("MLSD").ends_with(&format!("; {name}\r\n")));
    assert!(ftp.expect(&format!("MLST {name}"), 250).contains(&format!("; /{name}\r\n")));
    assert!(ftp.expect(&format!("STAT {name}"), 213).contains(" in\t\r\n"));
    assert!(ftp.expect(&format!("CWD {name}"), 250).contains(name));
    assert!(ftp.expect("PWD", 257).contains(&format!("\"/{name}\"")));
    assert_eq!(ftp.fetch_text("RETR in\t"), "x");
    assert!(ftp.expect("MKD new\t", 257).contains(&format!("\"/{name}/new\t\"")));
}

#[test]
fn size_in_ascii_is_what_retr_sends() {
    let larder =
        Larder::prepare().file("unix", "a\nb\n\n").file("dos", "a\r\nb\r\n").file("none", "");
    let larder = larder.file("odd", b"\n\r\r\n\n\xff\r");
    let house = around(larder);
    let mut ftp = house.sign_in("cam");
    ftp.expect("TYPE A", 200);
    for name in ["unix", "dos", "none", "odd"] {
        let (sent, (code, _)) = ftp.fetch(&format!("RETR {name}"));
        assert_eq!(code, 226);
        assert_eq!(ftp.expect(&format!("SIZE {name}"), 213), format!("213 {}\r\n", sent.len()));
        // And `REST` counts in the same.
        for offset in 0..=sent.len() {
            ftp.expect(&format!("REST {offset}"), 350);
            assert_eq!(ftp.fetch(&format!("RETR {name}")).0, sent[offset..], "{name} {offset}");
        }
    }
    ftp.expect("REST 100", 350);
    assert_eq!(ftp.fetch("RETR unix").1.0, 554);
    ftp.expect("REST 2", 350);
    assert_eq!(ftp.store("STOR unix", "x").0, 504);
    assert_eq!(house.larder.read("unix"), "a\nb\n\n");
    let big = std::fs::File::create(house.larder.root().join("big")).unwrap();
    big.set_len(1 << 30).unwrap();
    ftp.expect("SIZE big", 550);
    ftp.expect("TYPE I", 200);
    assert!(ftp.expect("SIZE big", 213).contains("1073741824"));
    assert!(ftp.expect("SIZE unix", 213).contains(" 5"));
}

#[test]
fn a_file_that_became_shorter_while_it_was_sent_is_not_told_as_whole() {
    let house = around(Larder::prepare());
    let file = std::fs::File::create(house.larder.root().join("big")).unwrap();
    let mut ftp = house.sign_in("cam");
    for offset in [0, 1_000_000] {
        file.set_len(256 << 20).unwrap();
        let mut data = ftp.passive();
        ftp.expect(&format!("REST {offset}"), 350);
        ftp.expect("RETR big", 150);
        // Nothing was read yet: much more lies in the file than sockets hold.
        file.set_len(64 << 20).unwrap();
        let got = std::io::copy(&mut data, &mut std::io::sink()).unwrap();
        assert!(got < (256 << 20) - offset, "{got}");
        ftp.expect_reply(451);
    }
    ftp.expect("NOOP", 200);
}

#[test]
fn status_tells_paths_as_the_user_sees_them() {
    let larder = Larder::prepare().folder("family/cam/sub");
    let house = FtpHouse::around(larder);
    house.user("cam", "family/cam", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    ftp.expect("CWD sub", 250);
    let mut data = ftp.passive();
    ftp.expect("STOR a.bin", 150);
    data.write_all(&[7; 1000]).unwrap();
    wait::until("the bytes to arrive", || house.sessions()[0]["bytes"] == 1000);
    let told = ftp.expect("STAT", 213);
    assert!(told.contains("STOR /sub/a.bin") && told.contains("1000"), "{told}");
    assert!(!told.contains("family"), "{told}");
    // The owner sees where it is in the share.
    assert_eq!(house.sessions()[0]["path"], "/family/cam/sub/a.bin");
    drop(data);
    ftp.expect_reply(226);
    std::fs::File::create(house.larder.root().join("family/cam/big"))
        .unwrap()
        .set_len(1 << 30)
        .unwrap();
    let data = ftp.passive();
    ftp.expect("RETR /big", 150);
    let told = ftp.expect("STAT", 213);
    assert!(told.contains("RETR /big") && !told.contains("family"), "{told}");
    ftp.expect("ABOR", 426);
    ftp.expect_reply(226);
    drop(data);
    let told = ftp.expect("STAT", 211);
    assert!(told.contains(" /sub\r\n") && !told.contains("family"), "{told}");
    assert!(!ftp.expect("STAT /sub", 213).contains("family"));
}

#[test]
fn mdtm_with_a_time_sets_it() {
    let house = around(Larder::prepare().file("a b.txt", "a").file("20200101000000 c", "c"));
    house.user("looker", "", "elr");
    house.user("setter", "", "T");
    let mut ftp = house.sign_in("cam");
    ftp.expect("MDTM 20020717210715 a b.txt", 213);
    assert_eq!(ftp.expect("MDTM a b.txt", 213), "213 20020717210715\r\n");
    ftp.expect("MDTM 20020717210715 gone", 550);
    ftp.expect("MDTM 20029917210715 a b.txt", 550);
    // A file that has such a name is asked for by it (RFC 3659, 3).
    let told = ftp.expect("MDTM 20200101000000 c", 213);
    assert!(!told.contains("20200101000000"), "{told}");
    house.sign_in("looker").expect("MDTM 20030717210715 a b.txt", 550);
    let mut setter = house.sign_in("setter");
    setter.expect("MDTM a b.txt", 550);
    setter.expect("MDTM 20040717210715 a b.txt", 213);
    assert_eq!(ftp.expect("MDTM a b.txt", 213), "213 20040717210715\r\n");
}

#[test]
fn small_words_are_the_expected_ones() {
    let house = around(Larder::prepare().file("a", "a").file("d/x", "x").link("e", "d"));
    house.user("renamer", "", "elf");
    let mut ftp = house.sign_in("cam");
    for line in ["ALLO 10", "ALLO 10 R 5", "ALLO"] {
        ftp.expect(line, 200);
    }
    let mut renamer = house.sign_in("renamer");
    for (from, to) in [("a", "a"), ("d", "d"), ("a", "./a"), ("d/x", "e/x"), ("e", "e")] {
        for ftp in [&mut ftp, &mut renamer] {
            ftp.expect(&format!("RNFR {from}"), 350);
            ftp.expect(&format!("RNTO {to}"), 250);
        }
    }
    assert_eq!(house.larder.tree(), ["a", "d/", "d/x", "e"]);
    assert_eq!(house.larder.read("d/x"), "x");
    assert_eq!(house.admin().get("/api/trash").json(), json!([]));
}

/// Whether a name ends as one of a PDF does.
fn is_pdf(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "pdf")
}

#[test]
fn a_unique_name_keeps_its_extension_at_the_end() {
    let house = around(Larder::prepare().folder("d"));
    let mut ftp = house.sign_in("cam");
    let mut store = |asked: &str| {
        let mut data = ftp.passive();
        let opening = ftp.expect(&format!("STOU {asked}"), 150);
        data.write_all(asked.as_bytes()).unwrap();
        drop(data);
        ftp.expect_reply(226);
        let name = opening.trim().rsplit_once("FILE: ").unwrap().1.to_owned();
        assert_eq!(house.larder.read(&name), asked);
        name
    };
    let long = format!("{}.pdf", "ü".repeat(125));
    for asked in ["scan.pdf", "d/scan.pdf", long.as_str()] {
        assert_eq!(store(asked), asked);
        let second = store(asked);
        assert!(is_pdf(&second) && second != asked, "{second}");
        assert!(second.starts_with(&asked[..4]), "{second}");
    }
    assert_eq!(store("plain"), "plain");
    assert!(store("plain").starts_with("plain"));
    assert_eq!(store(".hidden"), ".hidden");
    assert!(store(".hidden").starts_with(".hidden"));
}

#[test]
fn two_who_store_the_same_unique_name_at_once_both_keep_theirs() {
    let house = around(Larder::prepare());
    let (mut one, mut two) = (house.sign_in("cam"), house.sign_in("cam"));
    let (mut first, mut second) = (one.passive(), two.passive());
    one.expect("STOU scan.pdf", 150);
    two.expect("STOU scan.pdf", 150);
    first.write_all(b"one").unwrap();
    second.write_all(b"two").unwrap();
    drop((first, second));
    one.expect_reply(226);
    let told = two.expect_reply(226);
    let tree = house.larder.tree();
    assert_eq!(tree.len(), 2, "{tree:?}");
    let mut contents: Vec<String> = tree.iter().map(|name| house.larder.read(name)).collect();
    contents.sort();
    assert_eq!(contents, ["one", "two"]);
    assert!(tree.iter().all(|name| is_pdf(name)), "{tree:?}: {told}");
}

// Where it listens.

/// A larder with FTP on, started with `--host`, and the ports of both.
fn at_host(host: &str, settings: serde_json::Value) -> (Larder, u16) {
    let mut settings = settings;
    settings["ftp"] = json!(true);
    let larder = FtpHouse::settings(Larder::prepare(), &settings).launch_with(|command| {
        command.args(["--ftp-port", "0", "--host", host]);
    });
    let mut line = String::new();
    wait::until("the banner's line about FTP", || {
        line = larder.process().next_line(wait::PATIENCE).unwrap_or_default();
        line.trim().starts_with("ftp://")
    });
    let port = line.trim().trim_end_matches('/').rsplit_once(':').unwrap().1.parse().unwrap();
    (larder, port)
}

/// Whether somebody answers there.
fn answers(address: impl std::net::ToSocketAddrs) -> bool {
    let Ok(mut stream) = TcpStream::connect(address) else { return false };
    let mut greeting = [0; 4];
    stream.read_exact(&mut greeting).is_ok() && &greeting == b"220 "
}

#[test]
fn ftp_listens_where_larder_does_unless_told_otherwise() {
    let (_larder, port) = at_host("127.0.0.1", json!({}));
    assert!(answers((Ipv4Addr::LOCALHOST, port)));
    assert!(!answers((Ipv4Addr::new(127, 0, 0, 2), port)));
    let (_larder, port) = at_host("127.0.0.1", json!({ "ftp_host": "127.0.0.2" }));
    assert!(answers((Ipv4Addr::new(127, 0, 0, 2), port)));
    assert!(!answers((Ipv4Addr::LOCALHOST, port)));
    let (_larder, port) = at_host("127.0.0.1", json!({ "ftp_host": "0.0.0.0" }));
    assert!(answers((Ipv4Addr::new(127, 0, 0, 2), port)));
}

#[test]
fn ftp_follows_larder_to_ipv6() {
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        // This machine has no IPv6.
        return;
    }
    let (_larder, port) = at_host("::", json!({}));
    assert!(answers((Ipv6Addr::LOCALHOST, port)));
    assert!(answers((Ipv4Addr::LOCALHOST, port)));
    Ftp::open(Ipv6Addr::LOCALHOST.into(), port);
}

#[test]
fn the_certificate_names_its_addresses() {
    let house = around(Larder::prepare());
    let mut ftp = house.connect();
    ftp.expect("AUTH TLS", 234);
    let told = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-ext", "subjectAltName", "-in"])
        .arg(house.larder.state().join("tls-cert.pem"))
        .output()
        .unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    for name in
        ["DNS:localhost", "DNS:larder.local", "IP Address:127.0.0.1", "IP Address:0:0:0:0:0:0:0:1"]
    {
        assert!(told.contains(name), "{name}: {told}");
    }
}
