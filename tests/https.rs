//! HTTPS: on the port of plain HTTP or on one of its own, with the owner's certificate or larder's.

use std::fs;
use std::io::{Read, Write};
use std::iter;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustls::{ClientConnection, StreamOwned};
use serde_json::{Value, json};
use ureq::tls::TlsConfig;

use crate::harness::ftp::{Ftp, FtpHouse};
use crate::harness::tus::{BYTES, UPLOADS, content};
use crate::harness::wait::{PATIENCE, until};
use crate::harness::{Client, Form, Larder, password_of, tls};

/// The client's side of a handshake, as of a browser.
fn session() -> ClientConnection {
    tls::session(&["h2", "http/1.1"])
}

/// A bare connection.
fn bare(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// A connection over TLS, hands shaken.
fn shaken(port: u16) -> StreamOwned<ClientConnection, TcpStream> {
    let mut stream = StreamOwned::new(session(), bare(port));
    stream.conn.complete_io(&mut stream.sock).unwrap();
    stream
}

/// The certificate that a port shows.
fn shown(port: u16) -> Vec<u8> {
    shaken(port).conn.peer_certificates().unwrap()[0].to_vec()
}

/// Without credentials, over TLS.
fn over_tls(port: u16) -> Client {
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_mins(1)))
        .tls_config(TlsConfig::builder().disable_verification(true).build())
        .build()
        .into();
    Client { agent, base: format!("https://127.0.0.1:{port}"), headers: Vec::new() }
}

/// Somebody over TLS.
fn secure(larder: &Larder, name: &str) -> Client {
    over_tls(larder.port()).with("X-API-KEY", larder.key(name))
}

/// A larder with `ana` and these settings.
fn with(settings: &Value) -> Larder {
    let larder = Larder::prepare().settings(settings);
    larder.launch().user("ana")
}

/// A program with this on its standard input.
fn run(program: &str, words: &[&str], input: &str) -> Output {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Whoever is refused may be gone before it reads this.
    let _maybe_gone = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

/// A port that is free, and stays so until larder takes it: of none that the system gives to whoever asks for any, as all
/// other tests do.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 10_000 + u16::try_from(std::process::id() % 10_000).unwrap();
    let mut ports = iter::repeat_with(|| first + NEXT.fetch_add(1, Ordering::Relaxed));
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).unwrap()
}

#[test]
fn one_port_speaks_both() {
    let larder = with(&json!({}));
    larder.anonymous().get("/api/is_up").expect(200);
    over_tls(larder.port()).get("/").expect(200);
    assert_eq!(shaken(larder.port()).conn.alpn_protocol(), Some(&b"http/1.1"[..]));
    let url = format!("https://localhost:{}/", larder.port());
    for version in ["--tlsv1.3", "--tls-max"] {
        let words = if version == "--tls-max" { vec![version, "1.2"] } else { vec![version] };
        let told =
            run("curl", &[&["-skS", "-w", "%{http_code}"], &words[..], &[&url]].concat(), "");
        assert!(told.stdout.ends_with(b"200"), "{}", String::from_utf8_lossy(&told.stderr));
    }
}

#[test]
fn old_versions_and_renegotiation_are_refused() {
    let larder = with(&json!({}));
    let address = format!("127.0.0.1:{}", larder.port());
    let connect = ["s_client", "-connect", &address];
    let old = ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"];
    let told = run("openssl", &[&connect[..], &old].concat(), "");
    let said = String::from_utf8_lossy(&told.stderr);
    assert!(said.contains("alert"), "{said}");
    assert!(String::from_utf8_lossy(&told.stdout).contains("Cipher is (NONE)"), "{said}");
    // `R` asks to renegotiate, which is refused at once, not when the connection has rested for its minute.
    let asked = Instant::now();
    let told = run("openssl", &[&connect[..], &["-tls1_2"]].concat(), "R\nGET / HTTP/1.1\n\n");
    let said = String::from_utf8_lossy(&told.stderr).to_lowercase();
    assert!(said.contains("no renegotiation"), "{said}");
    assert!(asked.elapsed() < Duration::from_secs(30), "whoever asks waits");
    over_tls(larder.port()).get("/").expect(200);
}

#[test]
fn files_go_both_ways() {
    let bytes = content(3 << 20);
    let larder = with(&json!({})).file("film.bin", &bytes);
    let ana = secure(&larder, "ana");
    assert!(ana.get("/api/download?file_path=film.bin").expect(200).body == bytes);
    let part = ana.ask(
        "GET",
        "/api/download?file_path=film.bin",
        &[("Range", "bytes=70001-2000000")],
        &[],
    );
    assert!(part.expect(206).body == bytes[70_001..=2_000_000]);
    let parts = [("Range", "bytes=5-9,2000000-2000004")];
    let several = ana.ask("GET", "/api/download?file_path=film.bin", &parts, &[]).expect(206);
    assert!(several.header("Content-Type").unwrap().starts_with("multipart/byteranges"));
    let form = Form::new().field("path", "").file("sent.bin", &bytes);
    ana.upload(&form).expect(200);
    assert!(larder.read_bytes("sent.bin") == bytes);
    // One that goes on.
    let length = bytes.len().to_string();
    let name = ("Upload-Metadata", "filename Z29uZS1vbi5iaW4=,path ");
    let begun = ana.ask(
        "POST",
        UPLOADS,
        &[("Tus-Resumable", "1.0.0"), ("Upload-Length", &length), name],
        &[],
    );
    let at = begun.expect(201).header("Location").unwrap().to_owned();
    assert!(!at.starts_with("http://"), "{at}");
    let at = at.strip_prefix(&ana.base).unwrap_or(&at).to_owned();
    for (offset, piece) in [(0, &bytes[..1_000_000]), (1_000_000, &bytes[1_000_000..])] {
        let offset = offset.to_string();
        let fields = [("Tus-Resumable", "1.0.0"), ("Upload-Offset", &offset), BYTES];
        assert!(ana.ask("PATCH", &at, &fields, piece).status < 300);
    }
    assert!(larder.read_bytes("gone-on.bin") == bytes);
}

#[test]
fn events_come_as_they_happen() {
    let larder = with(&json!({}));
    let mut stream = shaken(larder.port());
    let key = larder.key("ana");
    write!(stream, "GET /api/events HTTP/1.1\r\nHost: larder\r\nX-API-KEY: {key}\r\n\r\n").unwrap();
    let mut said = String::new();
    let mut hear = |what: &str| {
        let mut piece = [0; 4096];
        while !said.contains(what) {
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "{said}");
            said.push_str(&String::from_utf8_lossy(&piece[..count]));
        }
    };
    hear("event: hello");
    secure(&larder, "ana")
        .upload(&Form::new().field("path", "").file("new.txt", "new"))
        .expect(200);
    hear("event: change");
}

#[test]
fn plain_http_leads_to_https_where_nothing_else_is_wanted() {
    let larder = with(&json!({ "https": "only", "trusted_proxies": ["127.0.0.1"] }));
    let plain = larder.anonymous();
    let port = larder.port();
    for target in
        ["/", "/web/x.js", "/api/finder?path=a%20b", "/s/abc/info", "/nowhere", "/davs", "/cats"]
    {
        let answer = plain.get(target).expect(308);
        let wanted = format!("https://127.0.0.1:{port}{target}");
        assert_eq!(answer.header("Location"), Some(&*wanted));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    }
    plain.post("/api/user/login", json!({ "username": "ana", "password": "x" })).expect(308);
    plain.get("/api/is_up").expect(200);
    for target in ["/dav/x", "/dav", "/ca", "/ca.crt", "/ca.mobileconfig"] {
        assert_ne!(plain.get(target).status, 308, "{target}");
    }
    over_tls(port).get("/").expect(200);
    let proxied = |scheme: &str| plain.clone().with("X-Forwarded-Proto", scheme).get("/").status;
    assert_eq!((proxied("https"), proxied("http")), (200, 308));
    assert_eq!((proxied("https, http"), proxied("http, https")), (200, 308));
    // Whoever names nobody cannot be sent anywhere.
    let mut wire = larder.wire();
    wire.send("GET / HTTP/1.0\r\n\r\n");
    wire.answer().expect(400);
}

/// Where the way leads is the browser's own word, and one that is ours.
#[test]
fn the_way_to_https_leads_to_nobody_else() {
    let larder = with(&json!({ "https": "only" }));
    let ask = |target: &str, fields: &str| {
        let mut wire = larder.wire();
        wire.send(format!("GET {target} HTTP/1.1\r\n{fields}\r\n\r\n"));
        wire.answer()
    };
    for host in ["evil.example", "evil.example:443", "evil%2eexample", "nas.local.evil.example"] {
        let answer = ask("/", &format!("Host: {host}")).expect_error(421, "Unknown host");
        assert_eq!(answer.header("Location"), None);
    }
    for malformed in
        ["nas@evil.example", "evil.example/x", "nas\\evil.example", "a b", "evil\u{3002}example"]
    {
        let answer = ask("/", &format!("Host: {malformed}")).expect(400);
        assert_eq!(answer.header("Location"), None);
    }
    let fields =
        "Host: nas.local\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example";
    for (target, location) in [
        ("/a?b=c", "https://nas.local/a?b=c"),
        ("//evil.example/x", "https://nas.local//evil.example/x"),
        ("/\\evil.example", "https://nas.local/\\evil.example"),
        ("/%0d%0aX:y", "https://nas.local/%0d%0aX:y"),
    ] {
        let answer = ask(target, fields);
        // What is no target at all is refused.
        if answer.status != 400 {
            assert_eq!(answer.expect(308).header("Location"), Some(location));
        }
    }
}

#[test]
fn without_https_nobody_speaks_it() {
    let alone = free_port();
    let larder = with(&json!({ "https": "off", "https_port": alone }));
    larder.anonymous().get("/").expect(200);
    for port in [larder.port(), alone] {
        let mut stream = StreamOwned::new(session(), bare(port));
        assert!(stream.conn.complete_io(&mut stream.sock).is_err());
    }
    let mut plain = bare(alone);
    let _may_be_cut = plain.write_all(b"GET / HTTP/1.1\r\nHost: larder\r\n\r\n");
    let mut said = Vec::new();
    let _may_be_cut = plain.read_to_end(&mut said);
    assert_eq!(said, b"");
    // At once, without a restart.
    larder.http("ana").post("/api/update_settings", json!({ "https": "on" })).expect(200);
    over_tls(larder.port()).get("/").expect(200);
    over_tls(alone).get("/").expect(200);
}

#[test]
fn a_port_of_its_own_speaks_nothing_else() {
    let alone = free_port();
    let larder = with(&json!({ "https_port": alone }));
    over_tls(alone).get("/").expect(200);
    over_tls(larder.port()).get("/").expect(200);
    let mut plain = larder.anonymous();
    plain.base = format!("http://127.0.0.1:{alone}");
    plain.get("/api/is_up").expect_error(400, "This port speaks HTTPS");
    let ana = larder.http("ana");
    let changed = ana.post("/api/update_settings", json!({ "https_port": 0 })).expect(200);
    assert_eq!(changed.json()["restart_required"], json!(["https_port"]));
}

#[test]
fn a_port_of_its_own_is_another_than_that_where_everything_is_spoken() {
    let larder = with(&json!({ "port": 7000 }));
    let ana = larder.http("ana");
    let before = larder.stored_settings();
    for same in [json!({ "https_port": 7000 }), json!({ "port": 7001, "https_port": 7001 })] {
        let sentence = "Invalid settings: https_port: must be another than port";
        ana.post("/api/update_settings", same).expect_error(400, sentence);
        assert_eq!(larder.stored_settings(), before);
    }
    ana.post("/api/update_settings", json!({ "port": 0, "https_port": 0 })).expect(200);
    // In a file that was edited by hand it is told, once, and in the way of nothing.
    let port = free_port();
    let larder = Larder::prepare().settings(&json!({ "port": port, "https_port": port }));
    let larder = larder.launch_with(|command| {
        command.args(["--port", &port.to_string()]);
    });
    let told = "https_port must be another than port";
    larder.process().wait_for_complaint(told);
    assert_eq!(larder.process().complaints().matches(told).count(), 1);
    let larder = larder.user("ana");
    larder.http("ana").post("/api/update_settings", json!({ "upload_days": 3 })).expect(200);
    over_tls(larder.port()).get("/").expect(200);
}

#[test]
fn each_scheme_has_its_own_cookie() {
    let larder = with(&json!({ "trusted_proxies": ["127.0.0.1"] }));
    let plain = larder.anonymous();
    let proxied = plain.clone().with("X-Forwarded-Proto", "https");
    let tls = over_tls(larder.port());
    let ask = json!({ "username": "ana", "password": password_of("ana") });
    // Each from an address of its own, since signing in is bounded for each.
    let sign_in = |client: &Client, from: &str| {
        let client = client.clone().with("X-Forwarded-For", from);
        client.post("/api/user/login", ask.clone()).expect(200)
    };
    for (client, from, is_secure) in
        [(&plain, "10.0.0.1", false), (&proxied, "10.0.0.2", true), (&tls, "10.0.0.3", true)]
    {
        let answer = sign_in(client, from);
        let cookie = answer.header("Set-Cookie").unwrap().to_owned();
        let token = answer.json()["token"].as_str().unwrap().to_owned();
        let name = if is_secure { "__Host-larder_session" } else { "larder_session" };
        assert!(cookie.starts_with(&format!("{name}={token};")), "{cookie}");
        assert_eq!(cookie.contains("; Secure"), is_secure, "{cookie}");
        assert!(cookie.contains("; Path=/;") && !cookie.contains("Domain"), "{cookie}");
        let by = |client: &Client, name: &str| {
            let client = client.clone().with("Cookie", &format!("{name}={token}"));
            client.get("/api/user/get_self").status
        };
        assert_eq!(by(&plain, "larder_session"), 200);
        assert_eq!(by(&plain, "__Host-larder_session"), 401);
        for secure in [&proxied, &tls] {
            assert_eq!(by(secure, "__Host-larder_session"), 200);
            assert_eq!(by(secure, "larder_session"), 401);
        }
        let signed_in = client.clone().with("Authorization", &format!("Bearer {token}"));
        let gone = signed_in.post("/api/user/logout", json!({})).expect(200);
        let cookie = gone.header("Set-Cookie").unwrap();
        assert!(cookie.starts_with(&format!("{name}=;")) && cookie.contains("Max-Age=0"));
    }
}

#[test]
fn guests_and_addresses_know_the_scheme() {
    let larder = with(&json!({ "https": "on" })).file("album/a.txt", "a");
    let ana = secure(&larder, "ana");
    let ask = json!({ "path": "album", "password": "sesame", "expires": 5 });
    let made = ana.post("/api/link/create", ask).expect(200).json();
    let url = made["url"].as_str().unwrap();
    let path = &url[url.find("/s/").unwrap()..];
    let guest = over_tls(larder.port());
    let opened = guest.post(&format!("{path}/open"), json!({ "password": "sesame" })).expect(200);
    let cookie = opened.header("Set-Cookie").unwrap();
    assert!(cookie.starts_with("__Secure-larder_link=") && cookie.contains("; Secure"), "{cookie}");
    let (pair, _) = cookie.split_once(';').unwrap();
    let info = format!("{path}/info");
    assert_eq!(guest.clone().with("Cookie", pair).get(&info).status, 200);
    let crossed = pair.replace("__Secure-larder_link", "larder_link");
    let asked_more = guest.get(&info);
    assert_eq!(guest.with("Cookie", &crossed).get(&info).text(), asked_more.text());
    let id = &made["id"];
    let qr = ana.head(&format!("/api/link/qr?id={id}"));
    let address = qr.header("Larder-Address").unwrap();
    assert!(address.starts_with("https://"), "{address}");
}

#[test]
fn browsers_are_told_to_insist_only_if_the_owner_says_so() {
    let larder = with(&json!({}));
    let told =
        |client: &Client| client.get("/").header("Strict-Transport-Security").map(str::to_owned);
    let (plain, tls) = (larder.anonymous(), over_tls(larder.port()));
    assert_eq!((told(&plain), told(&tls)), (None, None));
    larder.http("ana").post("/api/update_settings", json!({ "hsts_days": 2 })).expect(200);
    assert_eq!((told(&plain), told(&tls)), (None, Some("max-age=172800".to_owned())));
}

#[test]
fn the_owners_certificate_is_served_and_followed() {
    let larder = with(&json!({}));
    let state = larder.state();
    let ana = larder.http("ana");
    let change = |changes: Value| ana.post("/api/update_settings", changes);
    let first = tls::pair(&state, "a.pem", "a.key");
    tls::pair(&state, "b.pem", "b.key");
    fs::write(state.join("nonsense.pem"), "nonsense").unwrap();
    for (chain, key, why) in [
        ("a.pem", "b.key", "do not fit"),
        ("a.pem", "nowhere.key", "there is no such file"),
        ("nonsense.pem", "a.key", "no certificate is in it"),
        ("a.key", "a.key", "no certificate is in it"),
        ("a.pem", "nonsense.pem", "nonsense.pem: "),
        ("a.pem", "", "go together"),
        ("", "a.key", "go together"),
    ] {
        let answer = change(json!({ "tls_cert": chain, "tls_key": key })).expect_refusal(400);
        let said = answer.text();
        assert!(said.contains("Invalid settings: tls_") && said.contains(why), "{said}");
    }
    let own = shown(larder.port());
    assert!(own != first);
    change(json!({ "tls_cert": "a.pem", "tls_key": "a.key" })).expect(200);
    assert!(shown(larder.port()) == first);
    // A pair that does not fit is told, and the old one stays.
    fs::copy(state.join("b.pem"), state.join("a.pem")).unwrap();
    larder.process().signal(Signal::HUP);
    larder.process().wait_for_complaint("do not fit");
    assert!(shown(larder.port()) == first);
    // What is in the way of nobody who changes something else.
    change(json!({ "hsts_days": 0 })).expect(200);
    let second = tls::pair(&state, "a.pem", "a.key");
    larder.process().signal(Signal::HUP);
    until("the new certificate is served", || shown(larder.port()) == second);
}

/// The certificate that FTP shows after `AUTH TLS`.
fn shown_by_ftp(port: u16) -> Vec<u8> {
    let mut ftp = Ftp::open(Ipv4Addr::LOCALHOST.into(), port);
    ftp.expect("AUTH TLS", 234);
    let mut stream = StreamOwned::new(tls::session(&[]), ftp.stream.into_inner());
    stream.conn.complete_io(&mut stream.sock).unwrap();
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

#[test]
fn ftp_shows_the_same_certificate_also_after_another_has_come() {
    let prepared = Larder::prepare();
    let own = FtpHouse::around(prepared);
    assert!(shown_by_ftp(own.port) == shown(own.larder.port()), "larder's own");
    let state = own.larder.state();
    let first = tls::pair(&state, "a.pem", "a.key");
    let change = json!({ "tls_cert": "a.pem", "tls_key": "a.key" });
    own.admin().post("/api/update_settings", change).expect(200);
    assert!(shown_by_ftp(own.port) == first && shown(own.larder.port()) == first);
    let second = tls::pair(&state, "a.pem", "a.key");
    own.larder.process().signal(Signal::HUP);
    until("the new certificate is served", || shown_by_ftp(own.port) == second);
    assert!(shown(own.larder.port()) == second);
    // What does not fit leaves both where they are.
    fs::write(state.join("a.key"), "nonsense").unwrap();
    own.larder.process().signal(Signal::HUP);
    own.larder.process().wait_for_complaint("a.key");
    assert!(shown_by_ftp(own.port) == second && shown(own.larder.port()) == second);
}

#[test]
fn half_a_pair_in_the_file_keeps_nobody_out() {
    let larder = with(&json!({ "tls_cert": "a.pem" }));
    over_tls(larder.port()).get("/").expect(200);
    larder.process().wait_for_complaint("tls_cert and tls_key go together");
    larder.http("ana").post("/api/update_settings", json!({ "hsts_days": 1 })).expect(200);
}

#[test]
fn handshakes_that_say_nothing_delay_nobody() {
    let larder = with(&json!({}));
    let mut hello = Vec::new();
    session().write_tls(&mut hello).unwrap();
    let mut silent: Vec<TcpStream> = Vec::new();
    for (number, said) in
        [&[0x16][..], &hello[..hello.len() / 2], &hello].iter().cycle().take(500).enumerate()
    {
        let mut stream = bare(larder.port());
        let _may_be_cut = stream.write_all(said);
        silent.push(stream);
        if number % 50 == 49 {
            for client in [larder.anonymous(), over_tls(larder.port())] {
                let begun = Instant::now();
                // Once a second for each address, else by 429.
                client.get("/api/is_up");
                client.get("/").expect(200);
                // Less than the ten seconds of a handshake, which whoever waited for one of these would wait.
                assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
            }
        }
    }
    drop(silent);
    over_tls(larder.port()).get("/").expect(200);
}
