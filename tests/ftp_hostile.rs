//! The FTP door against those who mean harm, over bare sockets.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};

use serde_json::json;

use crate::harness::ftp::{ALL_LETTERS, FtpHouse, connect_from};
use crate::harness::{Larder, wait};

#[test]
fn nobody_is_attacked_through_us() {
    let house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    // The bounce of RFC 2577, 3: another host, a system's port.
    for line in [
        "PORT 10,0,0,1,200,1",
        "PORT 127,0,0,2,200,1",
        "PORT 127,0,0,1,0,22",
        "PORT 127,0,0,1,3,255",
        "EPRT |1|10.0.0.1|50000|",
        "EPRT |1|127.0.0.2|50000|",
        "EPRT |1|127.0.0.1|80|",
    ] {
        ftp.expect(line, 504);
        ftp.expect("LIST", 425);
    }
    for line in ["PORT", "PORT 1,2,3", "PORT 256,0,0,1,1,1", "PORT a,b,c,d,e,f", "EPRT x", "EPSV 7"]
    {
        ftp.expect(line, 501);
    }
    ftp.expect("EPRT |3|x|1|", 522);
    ftp.expect("EPSV 2", 522);
    let victim = TcpListener::bind("127.0.0.2:0").unwrap();
    let port = victim.local_addr().unwrap().port();
    ftp.expect(&format!("PORT 127,0,0,2,{},{}", port / 256, port % 256), 504);
    victim.set_nonblocking(true).unwrap();
    assert!(victim.accept().is_err());
}

#[test]
fn a_passive_port_is_for_its_client_only() {
    let larder = Larder::prepare().file("secret.txt", "for cam only");
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    let port = ftp.passive_port();
    // The thieves are first, one in the queue and one while the server waits.
    let mut thief = connect_from(Ipv4Addr::new(127, 0, 0, 2).into(), port).unwrap();
    ftp.expect("RETR secret.txt", 150);
    let mut second = connect_from(Ipv4Addr::new(127, 0, 0, 3).into(), port).unwrap();
    let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let mut content = String::new();
    data.read_to_string(&mut content).unwrap();
    ftp.expect_reply(226);
    assert_eq!(content, "for cam only");
    for thief in [&mut thief, &mut second] {
        let mut stolen = Vec::new();
        let _reset = thief.read_to_end(&mut stolen);
        assert!(stolen.is_empty());
    }
    // Nor can a thief put something in the client's place.
    let port = ftp.passive_port();
    ftp.expect("STOR secret.txt", 150);
    let mut thief = connect_from(Ipv4Addr::new(127, 0, 0, 2).into(), port).unwrap();
    let _reset = thief.write_all(b"forged");
    let mut data = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    data.write_all(b"real").unwrap();
    drop(data);
    ftp.expect_reply(226);
    assert_eq!(house.larder.read("secret.txt"), "real");
    // A port that was used is gone.
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err());
}

#[test]
fn odd_lines_are_refused_and_the_session_goes_on() {
    let house = FtpHouse::start();
    let mut ftp = house.sign_in("cam");
    for (line, code) in [
        (vec![b'A'; 8192], 500),
        ([b"STOR ".to_vec(), vec![b'x'; 8192]].concat(), 500),
        (b"DELE a\0b".to_vec(), 501),
        (b"MKD \xff\xfe\xff\xff".to_vec(), 501),
        (b"MKD caf\xe9".to_vec(), 501),
        (b"".to_vec(), 500),
        (b"   ".to_vec(), 500),
        (b"\x16\x03\x01\x02\x00".to_vec(), 501),
        (b"GET / HTTP/1.1".to_vec(), 500),
        (b"SITE".to_vec(), 504),
        (b"OPTS".to_vec(), 501),
        (b"TYPE".to_vec(), 504),
        (b"\xff\xfb\x01NOOP".to_vec(), 200),
        (b"\xff\xf4\xff\xf2NOOP".to_vec(), 200),
        (b"noop \xff\xf1 with argument".to_vec(), 200),
    ] {
        ftp.send([line.as_slice(), b"\r\n"].concat());
        let (got, text) = ftp.reply();
        assert_eq!(got, code, "{}: {text}", String::from_utf8_lossy(&line[..line.len().min(40)]));
    }
    // Many at once are obeyed one after the other; a line may come in pieces.
    ftp.send("NOOP\r\nPWD\nSYST\r\nNO");
    for code in [200, 257, 215] {
        ftp.expect_reply(code);
    }
    ftp.send("OP\r\n");
    ftp.expect_reply(200);
    assert!(house.larder.tree().is_empty());
    // Nobody sends for ever without a line's end.
    let mut flood = house.connect();
    let block = [b'A'; 8192];
    while flood.stream.get_mut().write_all(&block).is_ok() {}
    house.sign_in("cam").expect("NOOP", 200);
}

#[test]
fn names_cannot_forge_replies_or_listings() {
    let house = FtpHouse::start();
    house.larder.write("a\r\n-rwxrwxrwx 1 x x 1 Jan 1 00:00 forged", "x");
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.fetch_text("LIST").lines().count(), 1);
    assert_eq!(ftp.fetch_text("MLSD").lines().count(), 1);
    assert_eq!(ftp.names("NLST").len(), 1);
    // CR NUL stands for a CR (RFC 2640, 3.1); an LF cannot be said at all.
    ftp.send(b"MKD b\r\x00c\r\n");
    let (code, text) = ftp.reply();
    assert_eq!((code, text.lines().count()), (257, 1), "{text}");
    assert!(house.larder.exists("b\rc"));
}

#[test]
fn two_hundred_silent_clients_keep_nobody_out() {
    let house = FtpHouse::start();
    let silent: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, house.port)).unwrap()).collect();
    let mut ftp = house.sign_in("cam");
    assert_eq!(ftp.store("STOR a.txt", "a").0, 226);
    // Who has signed in does not make room for those who have not.
    let more: Vec<TcpStream> =
        (0..200).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, house.port)).unwrap()).collect();
    wait::until("the crowd to be let in", || house.sessions().len() >= 120);
    ftp.expect("NOOP", 200);
    drop((silent, more));
}

#[test]
fn a_hundred_quick_clients_are_all_greeted() {
    let house = FtpHouse::start();
    let mut all: Vec<_> = (0..100).map(|_| house.connect()).collect();
    for ftp in &mut all {
        ftp.expect("NOOP", 200);
    }
    for mut ftp in all {
        ftp.expect("QUIT", 221);
    }
    wait::until("everybody to have left", || house.sessions().is_empty());
}

#[test]
fn who_is_silent_for_too_long_is_sent_away() {
    let larder = FtpHouse::settings(Larder::prepare(), &json!({ "ftp_timeout": 1 }));
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let mut ftp = house.sign_in("cam");
    // Dripping is as good as silence.
    ftp.send("NO");
    ftp.expect_reply(421);
    ftp.expect_end();
    // A transfer is no silence.
    let mut ftp = house.sign_in("cam");
    let mut data = ftp.passive();
    ftp.expect("STOR slow.txt", 150);
    let begun = std::time::Instant::now();
    while begun.elapsed().as_millis() < 1500 {
        data.write_all(b"x").unwrap();
        wait::comes_true(std::time::Duration::from_millis(100), || false);
    }
    drop(data);
    ftp.expect_reply(226);
    ftp.expect("NOOP", 200);
}

#[test]
fn no_transfer_takes_memory_in_proportion() {
    let house = FtpHouse::start();
    let file = std::fs::File::create(house.larder.root().join("big")).unwrap();
    file.set_len(256 << 20).unwrap();
    let mut ftp = house.sign_in("cam");
    ftp.fetch_text("LIST");
    let before = house.larder.process().memory_peak_kib();
    let mut data = ftp.passive();
    ftp.expect("RETR big", 150);
    assert_eq!(std::io::copy(&mut data, &mut std::io::sink()).unwrap(), 256 << 20);
    ftp.expect_reply(226);
    let mut data = ftp.passive();
    ftp.expect("STOR up", 150);
    std::io::copy(&mut std::io::repeat(7).take(256 << 20), &mut data).unwrap();
    drop(data);
    ftp.expect_reply(226);
    let grown = house.larder.process().memory_peak_kib().saturating_sub(before);
    assert!(grown < 4096, "{grown} KiB");
}

#[test]
fn a_stranger_to_the_port_range_gets_a_clear_answer() {
    // One port for two sessions: the second is told, the first is not disturbed.
    let free = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let range = format!("{port}-{port}");
    let larder = FtpHouse::settings(Larder::prepare(), &json!({ "ftp_passive_ports": range }));
    let house = FtpHouse::around(larder);
    house.user("cam", "", ALL_LETTERS);
    let (mut one, mut two) = (house.sign_in("cam"), house.sign_in("cam"));
    one.expect("EPSV", 229);
    two.expect("EPSV", 425);
    two.expect("LIST", 425);
    one.expect("EPSV", 229);
}
