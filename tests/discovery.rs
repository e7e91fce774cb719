//! Being found in the local network (second contract, section 23), each time in a network of the test's own.

use std::net::{Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::harness::network::{
    A, AAAA, ANY, Ear, NSEC, PTR, Record, SRV, TXT, claim, head, in_own_network, ip,
    launch_in_network, plug_in, question,
};
use crate::harness::wait::until;
use crate::harness::{Larder, ftp::FtpHouse, program};

/// Where the machine is in the house.
const HOME: [u8; 4] = [192, 168, 77, 4];
/// Where another machine is.
const OTHER: [u8; 4] = [192, 168, 77, 9];
/// The name of the services.
const NAME: &str = "Küche on nas";

/// A running larder with an admin, these settings and a name of its own.
#[track_caller]
fn started(settings: Value) -> Larder {
    started_at("0.0.0.0", settings)
}

/// The same at another address than all of IPv4.
#[track_caller]
fn started_at(host: &str, settings: Value) -> Larder {
    let mut settings = settings;
    settings["server_name"] = json!(NAME);
    launch_in_network(FtpHouse::settings(Larder::prepare(), &settings), host).admin("ana")
}

/// In a house with one interface.
fn house() -> Ear {
    plug_in("house", "192.168.77.4/24");
    Ear::at(HOME, 5353)
}

/// The full name of a service.
fn of(kind: &str) -> String {
    format!("{NAME}.{kind}._tcp.local")
}

/// Whether a record takes back what is said of a name.
fn takes_back(record: &Record, name: &str, kind: u16) -> bool {
    record.name == name && record.kind == kind && record.ttl == 0
}

#[test]
fn the_name_and_the_services_are_found_by_who_asks() {
    in_own_network(|| {
        let ear = house();
        let larder = started(json!({}));
        // It asks whether the name is free before it tells it.
        let probed = (0..200).find_map(|_| ear.next().filter(|packet| !packet.is_answer));
        let probed = probed.expect("it asks first");
        assert!(probed.questions.contains(&"larder.local".to_owned()), "{probed:?}");
        let told = ear.hears("the announcement", |record| record.name == "larder.local");
        assert!(told.is_unique && told.ttl == 120 && told.data == HOME, "{told:?}");
        ear.forget();

        let found = ear.finds("LARDER.local".to_lowercase().as_str(), A);
        assert_eq!(found.data, HOME);
        ear.ask("larder.local", AAAA);
        ear.hears("that there is no other address", |record| record.kind == NSEC);

        // As a browser of networks does: which types, which services of a type, where.
        ear.ask("_services._dns-sd._udp.local", PTR);
        let types =
            ["_http", "_https", "_webdav", "_webdavs"].map(|kind| format!("{kind}._tcp.local"));
        let mut seen = Vec::new();
        until("all types are listed", || {
            let packet = ear.next().filter(|packet| packet.is_answer);
            let records = packet.into_iter().flat_map(|packet| packet.records);
            let listed = records.filter(|record| record.name == "_services._dns-sd._udp.local");
            seen.extend(listed.map(|record| record.target));
            types.iter().all(|kind| seen.contains(kind))
        });
        assert!(seen.iter().all(|seen| types.contains(seen)), "no FTP: {seen:?}");
        for (kind, text) in [
            ("_http", b"\x06path=/".as_slice()),
            ("_https", b"\x06path=/"),
            ("_webdav", b"\x0apath=/dav/"),
            ("_webdavs", b"\x0apath=/dav/"),
        ] {
            assert_eq!(ear.finds(&format!("{kind}._tcp.local"), PTR).target, of(kind));
            let place = ear.finds(&of(kind), SRV);
            assert_eq!(place.target, "larder.local");
            assert_eq!(place.data[4..6], larder.port().to_be_bytes());
            assert_eq!(ear.finds(&of(kind), TXT).data, text);
        }

        // Who knows only DNS asks from another port, and hears their question again.
        let plain = UdpSocket::bind((Ipv4Addr::from(HOME), 0)).unwrap();
        plain.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
        let mut space = [0; 1500];
        until("an answer by plain DNS", || {
            plain
                .send_to(
                    &question(0x1234, "larder.local", A),
                    (Ipv4Addr::new(224, 0, 0, 251), 5353),
                )
                .unwrap();
            plain.recv(&mut space).is_ok()
        });
        assert_eq!(space[..6], [0x12, 0x34, 0x84, 0, 0, 1], "its number, an answer, one question");
        drop(larder);
    });
}

#[test]
fn what_is_announced_follows_the_settings_and_is_taken_back_at_the_end() {
    in_own_network(|| {
        let ear = house();
        let mut larder = started(json!({}));
        ear.finds(&of("_https"), SRV);
        let admin = larder.http("ana");
        let change = |settings: Value| {
            admin.post("/api/update_settings", settings).expect(200);
        };

        admin.post("/api/ftp/start", json!({})).expect(200);
        let place = ear.finds(&of("_ftp"), SRV);
        assert_eq!(ear.finds(&of("_ftp"), TXT).data, [0]);
        assert_ne!(place.data[4..6], larder.port().to_be_bytes());
        admin.post("/api/ftp/stop", json!({})).expect(200);
        ear.hears("FTP's goodbye", |record| takes_back(record, "_ftp._tcp.local", PTR));

        change(json!({ "dav_require_tls": true }));
        ear.hears("plain WebDAV's goodbye", |record| takes_back(record, &of("_webdav"), SRV));
        change(json!({ "dav": false }));
        ear.hears("WebDAV's goodbye", |record| takes_back(record, &of("_webdavs"), SRV));
        change(json!({ "https": "off" }));
        ear.hears("the goodbye of HTTPS", |record| takes_back(record, &of("_https"), SRV));
        change(json!({ "https": "only" }));
        ear.hears("the goodbye of HTTP", |record| takes_back(record, &of("_http"), SRV));
        ear.finds(&of("_https"), SRV);
        // As an owner does who has locked themselves out.
        let mut stored = larder.stored_settings();
        stored["https"] = json!("on");
        let file = larder.state().join("settings/settings.json");
        std::fs::write(file, stored.to_string()).unwrap();
        larder.process().signal(Signal::HUP);
        ear.finds(&of("_http"), SRV);

        change(json!({ "discovery_name": "Attic" }));
        ear.hears("the old name's goodbye", |record| takes_back(record, "larder.local", A));
        assert_eq!(ear.finds("attic.local", A).data, HOME);
        change(json!({ "server_name": "Attic" }));
        ear.finds("Attic._http._tcp.local", SRV);

        change(json!({ "discovery": false }));
        ear.hears("a goodbye", |record| takes_back(record, "attic.local", A));
        ear.forget();
        ear.ask("attic.local", ANY);
        // Nobody is there who could answer: no thread of larder's, no socket.
        let threads = std::fs::read_dir(format!("/proc/{}/task", larder.process().pid())).unwrap();
        let names =
            threads.map(|thread| std::fs::read_to_string(thread.unwrap().path().join("comm")));
        assert!(!names.flatten().any(|name| name.trim() == "discovery"));
        change(json!({ "discovery": true }));
        ear.finds("attic.local", A);

        larder.stop();
        ear.hears("a last goodbye", |record| takes_back(record, "attic.local", A));
    });
}

#[test]
fn another_that_has_the_name_keeps_it() {
    in_own_network(|| {
        let ear = house();
        let larder = started(json!({}));
        until("it has asked for the name and heard that it is taken", || {
            let asked = ear.next().is_some_and(|packet| {
                !packet.is_answer && packet.questions.iter().any(|name| name == "larder.local")
            });
            if asked {
                ear.shout(&claim("larder.local", OTHER));
            }
            asked
        });
        assert_eq!(ear.finds("larder-2.local", A).data, HOME);
        assert_eq!(ear.finds(&of("_http"), SRV).target, "larder-2.local");
        until("the owner is told", || larder.process().complaints().contains("larder-2.local"));
        // Whoever comes by either name finds a certificate for it.
        until("a certificate for both", || {
            let names = ["x509", "-in", "tls-cert.pem", "-noout", "-ext", "subjectAltName"];
            let told = program::run(&larder.state(), "openssl", &names).stdout;
            let told = String::from_utf8(told).unwrap();
            ["larder", "larder-2"].iter().all(|name| told.contains(&format!("DNS:{name}.local")))
        });
        // One who comes later and takes the name by force: it is asked for anew, and left when it is defended.
        until("the next name", || {
            ear.shout(&claim("larder-2.local", OTHER));
            ear.ask("larder-3.local", A);
            ear.next().is_some_and(|packet| {
                packet.is_answer
                    && packet.records.iter().any(|record| record.name == "larder-3.local")
            })
        });
        // To say the same is no conflict: avahi may have the same name for the same machine.
        ear.shout(&claim("larder-3.local", HOME));
        assert_eq!(ear.finds("larder-3.local", A).data, HOME);
    });
}

#[test]
fn hostile_packets_leave_it_alive_and_floods_are_bounded() {
    in_own_network(|| {
        let ear = house();
        let larder = started(json!({}));
        ear.finds("larder.local", A);
        let body = |flags: u16, counts: [u16; 4], rest: &[u8]| {
            [&head(0, flags, counts)[..], rest].concat()
        };
        let long = [[63].as_slice(), &[b'a'; 63]].concat().repeat(140);
        let whole = question(0, "larder.local", ANY);
        let mut hostile = vec![
            Vec::new(),
            vec![0; 11],
            body(0, [1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1]),
            body(0, [2, 0, 0, 0], &[1, b'a', 0xc0, 14, 0, 1, 0, 1, 0xc0, 12, 0, 1, 0, 1]),
            body(0, [u16::MAX; 4], &[0; 8000]),
            body(0, [1, 0, 0, 0], &long[..8900]),
            body(0x8400, [0, 1, 0, 0], &[0, 0, 16, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 1]),
            body(0x8400, [0, 1, 0, 0], &[0, 0, 33, 0, 1, 0, 0, 0, 9, 0, 2, 1, 1]),
            body(0x8400, [0, 0, 0, 9], &[0xc0, 0xff, 0, 12, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12]),
            vec![0xff; 8999],
        ];
        hostile.extend((0..whole.len()).map(|end| whole[..end].to_vec()));
        for _ in 0..3 {
            for bytes in &hostile {
                ear.shout(bytes);
            }
        }
        ear.forget();
        assert_eq!(ear.finds("larder.local", A).data, HOME);

        // Each question of plain DNS would have an answer of its own.
        let asker = Ear::at(HOME, 0);
        let begun = Instant::now();
        for id in 0..400 {
            asker.shout(&question(id, "larder.local", A));
        }
        let mut answers = 0;
        while let Some(packet) = asker.next() {
            answers += u64::from(packet.is_answer);
        }
        let most = 10 * (begun.elapsed().as_secs() + 2);
        assert!((1..=most).contains(&answers), "{answers} of at most {most}");
        assert_eq!(ear.finds("larder.local", A).data, HOME);
        larder.http("ana").get("/api/role/self").expect(200);
    });
}

#[test]
fn a_port_that_another_holds_is_told_and_everything_else_works() {
    in_own_network(|| {
        plug_in("house", "192.168.77.4/24");
        let _holds_it_alone = UdpSocket::bind(("0.0.0.0", 5353)).unwrap();
        let mut larder = started(json!({}));
        until("the owner is told", || larder.process().complaints().contains("port 5353"));
        larder.http("ana").get("/api/role/self").expect(200);
        larder.stop();
        let complaints = std::fs::read_to_string(larder.folder_path().join("stderr")).unwrap();
        assert_eq!(complaints.matches("5353").count(), 1, "{complaints}");
    });
}

#[test]
fn it_is_found_by_ipv6_as_well() {
    in_own_network(|| {
        plug_in("house", "192.168.77.4/24");
        ip("addr add fd00:77::4/64 dev house nodad");
        let ear = Ear::at_v6("house");
        let mut larder = started_at("::", json!({}));
        let address: Ipv6Addr = "fd00:77::4".parse().unwrap();
        // The link's own address is one of its addresses, too.
        let found = ear.finds("larder.local", AAAA).data;
        assert!(found == address.octets() || found.starts_with(&[0xfe, 0x80]), "{found:?}");
        assert_eq!(ear.finds("larder.local", A).data, HOME, "either way leads to both");
        assert_eq!(ear.finds(&of("_http"), SRV).target, "larder.local");
        larder.stop();
        ear.hears("a goodbye", |record| takes_back(record, "larder.local", AAAA));
    });
}

#[test]
fn a_name_is_asked_for_again_when_the_cable_was_out() {
    in_own_network(|| {
        let ear = house();
        let larder = started(json!({}));
        ear.finds("larder.local", A);
        let sockets = format!("/proc/{}/net/udp", larder.process().pid());
        let mouths = || {
            let told = std::fs::read_to_string(&sockets).unwrap();
            told.matches(":14E9 ").count()
        };
        assert_eq!(mouths(), 2, "larder's and the test's");
        ip("link set house-end down");
        until("larder has heard of it", || mouths() == 1);
        ear.forget();
        ip("link set house-end up");
        let probed = (0..400).find_map(|_| ear.next().filter(|packet| !packet.is_answer));
        let probed = probed.expect("another may have come to have the name");
        assert!(probed.questions.contains(&"larder.local".to_owned()), "{probed:?}");
        assert_eq!(ear.finds("larder.local", A).data, HOME);
    });
}

#[test]
fn networks_come_and_go_and_public_ones_hear_nothing() {
    in_own_network(|| {
        plug_in("public", "203.0.113.4/24");
        let outside = Ear::at([203, 0, 113, 4], 5353);
        let _larder = started(json!({}));
        let ear = house();
        assert_eq!(ear.finds("larder.local", A).data, HOME, "in one that came later");
        ip("addr add 192.168.77.5/24 dev house");
        ear.hears("the new address", |record| record.kind == A && record.data == [192, 168, 77, 5]);
        ip("addr del 192.168.77.5/24 dev house");
        ear.hears("its goodbye", |record| record.data == [192, 168, 77, 5] && record.ttl == 0);
        ip("link del house");
        let ear = house();
        assert_eq!(ear.finds("larder.local", A).data, HOME, "in one that has come back");
        outside.ask("larder.local", A);
        ear.finds(&of("_http"), SRV);
        let heard = std::iter::from_fn(|| outside.next());
        let heard: Vec<_> =
            heard.filter(|packet| packet.is_answer || packet.questions.len() != 1).collect();
        assert!(heard.is_empty(), "{heard:?}");
    });
}
