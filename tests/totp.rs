//! The second factor: how it is set up, what it is asked for, and that each code is good once.

use std::sync::Barrier;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac_sha1_compact::HMAC;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::table::Row;
use crate::harness::{
    Answer, Client, Larder, TABLE, everybody_may_everything, login_request, password_of, wait,
};

/// What a phone knows.
struct Phone {
    secret: Vec<u8>,
}

impl Phone {
    /// Reads what is told in base32.
    fn of(text: &str) -> Self {
        let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let bits: Vec<u8> = text
            .chars()
            .flat_map(|letter| {
                let five = letters.find(letter).expect("base32");
                (0..5).rev().map(move |bit| u8::try_from(five >> bit & 1).unwrap())
            })
            .collect();
        let byte = |eight: &[u8]| eight.iter().fold(0_u8, |byte, bit| byte << 1 | bit);
        Self { secret: bits.chunks_exact(8).map(byte).collect() }
    }

    /// What it shows so many steps from now.
    fn shows(&self, steps: i64) -> String {
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let step = i64::try_from(now / 30).unwrap() + steps;
        let mac = HMAC::mac(step.to_be_bytes().as_slice(), &self.secret);
        let offset = usize::from(mac[19] & 15);
        let word: [u8; 4] = mac[offset..offset + 4].try_into().unwrap();
        format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000)
    }
}

/// Somebody with a second factor.
pub struct Owner {
    phone: Phone,
    recovery: Vec<String>,
    pub token: String,
}

/// Asks for something about the second factor of the bearer.
fn totp(larder: &Larder, token: &str, ask: Value) -> Answer {
    larder.bearer(token).post("/api/user/totp", ask)
}

impl Owner {
    /// A code that was not taken yet. It is the next step's, which is good now, and still is if this step ends before it
    /// arrives.
    fn code(&self) -> String {
        self.phone.shows(1)
    }
}

/// Turns it on, by the code of the present step.
#[track_caller]
pub fn turn_on(larder: &Larder, name: &str) -> Owner {
    let token = larder.token(name);
    let ask = json!({ "action": "start", "password": password_of(name) });
    let started = totp(larder, &token, ask).expect(200).json();
    let phone = Phone::of(started["secret"].as_str().unwrap());
    let ask = json!({ "action": "confirm", "code": phone.shows(0) });
    let confirmed = totp(larder, &token, ask).expect_status("Second factor on");
    let recovery = confirmed["recovery"].as_array().unwrap().iter();
    let recovery = recovery.map(|code| code.as_str().unwrap().to_owned()).collect();
    Owner { phone, recovery, token }
}

/// Signs in with name, password and perhaps a code, from an address of its own.
fn sign_in(larder: &Larder, name: &str, code: Option<&str>) -> Answer {
    let mut body = json!({ "username": name, "password": password_of(name) });
    if let Some(code) = code {
        body["code"] = code.into();
    }
    larder.login(&body)
}

/// What the log says of who was sent away, that holds these words, the newest first.
#[track_caller]
fn refusals(larder: &Larder, what: &str) -> Vec<Value> {
    let rows = larder.http("boss").get("/api/get_logs?op=refused").expect(200).json();
    let has = |row: &&Value| row["action"].as_str().is_some_and(|action| action.contains(what));
    rows.as_array().unwrap().iter().filter(has).cloned().collect()
}

/// Somebody has the password and lacks the code: nobody else would tell the owner.
#[test]
fn the_right_password_without_the_code_is_told_in_the_log() {
    let larder = Larder::start().user("ana").admin("boss");
    let owner = turn_on(&larder, "ana");
    let stopped = "sign-in as ana stopped at the code; the password was right";
    let wrong = json!({ "username": "ana", "password": "wrong" });
    larder.login(&wrong).expect_error(401, "Invalid username or password");
    wait::until("it is told", || !refusals(&larder, "failed sign-in as ana").is_empty());
    assert_eq!(refusals(&larder, stopped).len(), 0);
    sign_in(&larder, "ana", None).expect_error(401, "Code required");
    wait::until("it is told", || !refusals(&larder, stopped).is_empty());
    let row = refusals(&larder, stopped).remove(0);
    assert_eq!((&row["op"], &row["door"]), (&json!("refused"), &json!("api")), "{row}");
    assert!(!row.to_string().contains(&password_of("ana")), "{row}");
    // Over WebDAV nobody is asked for one, and as much is told.
    let pair = BASE64.encode(format!("ana:{}", password_of("ana")));
    let mut wire = larder.wire_from_afar();
    wire.send(format!(
        "PROPFIND /dav/ HTTP/1.1\r\nHost: larder\r\nDepth: 0\r\nAuthorization: Basic {pair}\r\n\r\n"
    ));
    wire.answer().expect(401);
    let is_of_dav = |row: &Value| row["door"] == "dav";
    wait::until("it is told", || refusals(&larder, stopped).iter().any(is_of_dav));
    // Where it is to be turned off, too.
    let ask =
        json!({ "action": "stop", "password": password_of("ana"), "code": owner.phone.shows(7) });
    totp(&larder, &owner.token, ask).expect_error(400, "Wrong code");
    let told = "failed to turn the second factor of ana off: wrong code";
    wait::until("it is told", || !refusals(&larder, told).is_empty());
}

/// Turns on that a role wants it.
#[track_caller]
fn demand(admin: &Client, roles: &Value) {
    admin.post("/api/update_settings", json!({ "totp_roles": roles })).expect(200);
}

#[test]
fn it_is_set_up_with_a_code_that_a_phone_shows() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    let ask = json!({ "action": "start", "password": password_of("ana") });
    let answer = totp(&larder, &token, ask.clone()).expect(200);
    let started = answer.json();
    let secret = started["secret"].as_str().unwrap();
    assert_eq!(secret.len(), 32);
    let uri = started["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/larder:ana?"), "{uri}");
    for part in [&format!("secret={secret}"), "issuer=larder", "digits=6", "period=30"] {
        assert!(uri.contains(part), "{uri}");
    }
    assert!(started["qr"].as_str().unwrap().starts_with("<svg "));
    // Nothing counts before a code of it was shown; another start makes another.
    sign_in(&larder, "ana", None).expect(200);
    let again = totp(&larder, &token, ask).expect(200).json();
    let again = again["secret"].as_str().unwrap();
    let phone = Phone::of(again);
    let confirm = |code: &str| totp(&larder, &token, json!({ "action": "confirm", "code": code }));
    confirm(&Phone::of(secret).shows(0))
        .expect_error(400, "Wrong code")
        .expect_code(400, "wrong_code");
    confirm(&phone.shows(-4)).expect_error(400, "Wrong code");
    let confirmed = confirm(&phone.shows(0)).expect_status("Second factor on");
    let recovery: Vec<&str> =
        confirmed["recovery"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert_eq!(recovery.len(), 10);
    confirm(&phone.shows(1)).expect_error(409, "Begin with start");
    let me = larder.bearer(&token).get("/api/user/get_self").expect(200).json();
    assert_eq!((&me["totp"], &me["totp_needed"]), (&json!(true), &json!(false)));
    let all = larder.http("ana").get("/api/user/get_all").expect(200).json().to_string();
    assert!(all.contains(r#""totp":true"#) && !all.contains(again), "{all}");
    // What lies in the state directory tells nobody.
    let database = std::fs::read(larder.state().join("db/users.db")).unwrap();
    let log = std::fs::read(larder.state().join("db/users.db-wal")).unwrap_or_default();
    for bytes in [&database, &log] {
        let has = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        assert!(!has(&phone.secret) && !has(recovery[0].as_bytes()));
    }
}

#[test]
fn name_and_password_are_not_enough_then() {
    let larder = Larder::start().user("ana").user("bea");
    let owner = turn_on(&larder, "ana");
    let refused = sign_in(&larder, "ana", None).expect_error(401, "Code required");
    assert_eq!(refused.json()["code_required"], true);
    assert_eq!(refused.json()["code"], "code_required");
    assert_eq!(refused.header("Set-Cookie"), None);
    for body in [
        json!({ "username": "ana", "password": "wrong" }),
        json!({ "username": "ana", "password": "wrong", "code": owner.code() }),
        json!({ "username": "nobody", "password": "wrong", "code": "123456" }),
    ] {
        let refused = larder.login(&body).expect_error(401, "Invalid username or password");
        assert_eq!(refused.json().get("code_required"), None);
    }
    for wrong in [&owner.phone.shows(-5), &owner.phone.shows(5), "x", "12345"] {
        let refused = sign_in(&larder, "ana", Some(wrong)).expect_error(401, "Wrong code");
        refused.expect_code(401, "wrong_code");
    }
    sign_in(&larder, "ana", Some(&owner.code())).expect(200);
    // Whoever has none is asked for none, and what they say is passed over.
    sign_in(&larder, "bea", Some("123456")).expect(200);
    // Sessions and keys from before go on.
    larder.bearer(&owner.token).get("/api/user/get_self").expect(200);
    larder.http("ana").get("/api/user/get_self").expect(200);
    wait::until("rows of the log", || {
        let log = larder.http("ana").get("/api/get_logs").expect(200).json().to_string();
        log.contains("ana: turned their second factor on")
            && log.contains("failed sign-in as ana: refused: wrong code")
    });
}

#[test]
fn a_code_is_good_once_however_many_bring_it_at_once() {
    let mut larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    let race = |code: &str| {
        let ask = json!({ "username": "ana", "password": password_of("ana"), "code": code });
        let (request, start) = (login_request(&ask, ""), Barrier::new(20));
        std::thread::scope(|scope| {
            let tries: Vec<_> = (0..20)
                .map(|number| {
                    let (start, request, larder) = (&start, &request, &larder);
                    scope.spawn(move || {
                        let mut wire = larder.wire_from_afar_by(number + 1);
                        start.wait();
                        wire.send(request);
                        wire.answer().status
                    })
                })
                .collect();
            let told: Vec<u16> = tries.into_iter().map(|one| one.join().unwrap()).collect();
            assert!(told.iter().all(|status| [200, 401, 429].contains(status)), "{told:?}");
            told.iter().filter(|status| **status == 200).count()
        })
    };
    let code = owner.code();
    assert_eq!(race(&code), 1);
    // The delay that the others earned is over with the server's memory; what was taken is not.
    larder.kill();
    larder.restart();
    sign_in(&larder, "ana", Some(&code)).expect_error(401, "Wrong code");
    sign_in(&larder, "ana", Some(&owner.recovery[0])).expect(200);
    larder.kill();
    larder.restart();
    sign_in(&larder, "ana", Some(&owner.recovery[0])).expect_error(401, "Wrong code");
}

#[test]
fn many_with_one_recovery_code_are_one() {
    let larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    let typed = owner.recovery[9].to_uppercase().replace('-', " ");
    let start = Barrier::new(10);
    let good = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    sign_in(&larder, "ana", Some(&typed)).status
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).filter(|status| *status == 200).count()
    });
    assert_eq!(good, 1);
}

#[test]
fn wrong_codes_wait_longer_and_longer_though_the_password_was_right() {
    let larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    wait::until("a delay that grows", || {
        let answer = sign_in(&larder, "ana", Some("000000"));
        let after = answer.header("Retry-After").and_then(|after| after.parse::<u64>().ok());
        after.is_some_and(|after| after > 1)
    });
    sign_in(&larder, "ana", Some(&owner.code())).expect(429);
    sign_in(&larder, "ana", None).expect_error(401, "Code required");
}

#[test]
fn it_is_turned_off_with_both_and_begun_with_the_password() {
    let larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    let ask = |ask: Value| totp(&larder, &owner.token, ask);
    let password = password_of("ana");
    ask(json!({ "action": "start", "password": password }))
        .expect_error(409, "The second factor is on already");
    ask(json!({ "action": "start", "password": "wrong" }))
        .expect_error(401, "Invalid username or password");
    ask(json!({ "action": "stop", "password": "wrong", "code": owner.recovery[0] }))
        .expect_error(401, "Invalid username or password");
    ask(json!({ "action": "stop", "password": password, "code": "000000" }))
        .expect_error(400, "Wrong code");
    ask(json!({ "action": "stop", "password": password, "code": owner.recovery[0] }))
        .expect_status("Second factor off");
    sign_in(&larder, "ana", None).expect(200);
    ask(json!({ "action": "stop", "password": password, "code": owner.recovery[1] }))
        .expect_error(409, "The second factor is off");
    turn_on(&larder, "ana");
}

#[test]
fn bad_questions_are_refused_and_change_nothing() {
    let larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    let ask = |ask: Value| totp(&larder, &owner.token, ask);
    ask(json!({})).expect_error(400, "No action provided");
    ask(json!({ "action": "begin" })).expect_error(400, "action must be start, confirm or stop");
    ask(json!({ "action": "start" })).expect_error(400, "No password provided");
    ask(json!({ "action": "confirm" })).expect_error(400, "No code provided");
    ask(json!({ "action": "stop", "password": "x" })).expect_error(400, "No code provided");
    ask(json!({ "action": "stop", "code": "1" })).expect_error(400, "No password provided");
    for bad in [
        json!([]),
        json!({ "action": 1 }),
        json!({ "action": ["start"] }),
        json!({ "action": "start", "password": {} }),
        json!({ "action": "confirm", "code": 123_456.5 }),
        json!({ "action": "confirm", "code": [1] }),
        json!({ "action": "stop", "password": true, "code": "x" }),
    ] {
        ask(bad).expect_refusal(400);
    }
    let body = json!({ "username": "ana", "password": password_of("ana"), "code": ["x"] });
    larder.login(&body).expect_refusal(400);
    for strange in ["००००००", "' OR 1", "12345\u{0}", "-00001"] {
        sign_in(&larder, "ana", Some(strange)).expect_error(401, "Wrong code");
    }
    // Neither a key nor the cookie nor nobody.
    let start = json!({ "action": "start", "password": password_of("ana") });
    larder.http("ana").post("/api/user/totp", start.clone()).expect_error(401, "Unauthorized");
    larder
        .browser(&owner.token)
        .post("/api/user/totp", start.clone())
        .expect_error(401, "Unauthorized");
    larder.anonymous().post("/api/user/totp", start).expect_error(401, "Unauthorized");
    sign_in(&larder, "ana", None).expect_error(401, "Code required");
}

#[test]
fn who_lacks_what_their_role_wants_may_only_get_it() {
    let larder = Larder::start().user("ana").admin("boss");
    let larder = larder.file("a.txt", "A");
    let (ana, boss) = (larder.token("ana"), larder.token("boss"));
    demand(&larder.bearer(&boss), &json!(["user", "admin"]));
    let ana_now = larder.token("ana");
    for token in [&ana, &ana_now] {
        let client = larder.bearer(token);
        for target in
            ["/api/finder", "/api/user/sessions", "/api/role/self", "/api/download?file_path=a.txt"]
        {
            client
                .get(target)
                .expect_error(403, "Second factor needed")
                .expect_code(403, "second_factor_needed");
        }
        for path in
            ["/api/user/edit_self", "/api/user/renew", "/api/new_file", "/api/user/end_session"]
        {
            client.post(path, json!({})).expect_error(403, "Second factor needed");
        }
        let me = client.get("/api/user/get_self").expect(200).json();
        assert_eq!((&me["totp"], &me["totp_needed"]), (&json!(false), &json!(true)));
    }
    // By a key there is nothing at all; the only admin is no exception, and not locked out either.
    for name in ["ana", "boss"] {
        for target in ["/api/finder", "/api/user/get_self"] {
            larder.http(name).get(target).expect_error(403, "Second factor needed");
        }
    }
    let owner = turn_on(&larder, "boss");
    larder.bearer(&owner.token).get("/api/finder").expect(200);
    larder.bearer(&boss).get("/api/finder").expect(200);
    larder.http("boss").get("/api/finder").expect(200);
    larder.bearer(&ana).get("/api/finder").expect_error(403, "Second factor needed");
    // Without it again they are where they were.
    let stop =
        json!({ "action": "stop", "password": password_of("boss"), "code": owner.recovery[0] });
    totp(&larder, &owner.token, stop).expect_status("Second factor off");
    larder.bearer(&boss).get("/api/finder").expect_error(403, "Second factor needed");
    larder.bearer(&ana).post("/api/user/logout", json!({})).expect_status("Logged out");
}

/// The whole table, so that an endpoint that comes later is asked about, too.
#[test]
fn of_all_endpoints_three_are_open_to_who_lacks_it_and_none_to_a_key() {
    const OPEN: [(&str, &str); 3] =
        [("POST", "/api/user/totp"), ("POST", "/api/user/logout"), ("GET", "/api/user/get_self")];
    let larder = Larder::start().user("ana").admin("boss").user_with("cas", "family", "[]", "[]");
    let tokens = ["ana", "boss"].map(|name| larder.token(name));
    let keys = ["ana", "boss"]
        .map(|name| larder.session(name).make_key(json!({ "label": "all", "write": true })).1);
    demand(&larder.session("boss"), &json!(["user", "admin"]));
    let rows = || TABLE.iter().filter(|row| !row.is_public() && !row.is_by_link());
    let ask = |client: &Client, row: &Row| {
        let body: &[u8] = if matches!(row.method, "GET" | "HEAD") { b"" } else { b"{}" };
        client.ask(row.method, row.path, &[], body)
    };
    let expect_needed = |answer: Answer, who: &str| {
        assert_eq!(answer.status, 403, "{who}: {answer}");
        // Nothing has a body that was asked for by HEAD.
        if !answer.body.is_empty() {
            answer
                .expect_error(403, "Second factor needed")
                .expect_code(403, "second_factor_needed");
        }
    };
    for (at, name) in ["ana", "boss"].into_iter().enumerate() {
        let session = larder.bearer(&tokens[at]);
        for row in rows().filter(|row| !OPEN.contains(&(row.method, row.path))) {
            expect_needed(ask(&session, row), name);
        }
        let browser = larder.browser(&tokens[at]);
        for row in rows().filter(|row| row.method == "GET" && row.path != OPEN[2].1) {
            // Where a cookie counts for nothing it tells nobody either.
            let answer = ask(&browser, row);
            if answer.status != 401 {
                expect_needed(answer, name);
            }
        }
        let narrowed = larder.with_key(&keys[at]);
        rows().for_each(|row| expect_needed(ask(&narrowed, row), "a narrowed key"));
        for row in rows() {
            let answer = ask(&larder.http(name), row);
            // Rows that take a session's token only do not know whose key it is.
            if answer.status != 401 {
                expect_needed(answer, "a key for everything");
            }
        }
        ask_open(&session);
    }
    // Of a role that wants none nobody is asked for more.
    larder.session("cas").get("/api/user/sessions").expect(200);
}

/// What is open to who lacks it answers as to everybody; the session ends with it.
#[track_caller]
fn ask_open(session: &Client) {
    session.get("/api/user/get_self").expect(200);
    session.post("/api/user/totp", json!({})).expect(400);
    session.post("/api/user/logout", json!({})).expect_status("Logged out");
    session.get("/api/user/get_self").expect_refusal(401);
}

#[test]
fn what_runs_ends_when_the_role_wants_more() {
    // More than passes before anybody looks, and no bytes on the disk.
    const LENGTH: u64 = 8 << 30;
    let larder = Larder::start().user("ana").admin("boss");
    larder.sparse("big", LENGTH);
    let mut running = ["/api/download?file_path=big", "/api/events"].map(|target| {
        let mut wire = larder.wire();
        let key = larder.key("ana");
        wire.send(format!(
            "GET {target} HTTP/1.1\r\nHost: larder\r\nConnection: close\r\nX-API-KEY: {key}\r\n\r\n"
        ));
        assert_eq!(wire.status(), 200);
        wire
    });
    demand(&larder.http("boss"), &json!(["user"]));
    for wire in &mut running {
        assert!(wire.pass_over() < LENGTH / 2);
    }
}

/// By a link others act for its maker: it is closed until the maker has what their role wants, and opens again then.
#[test]
fn links_of_who_lacks_it_are_closed_until_they_have_it() {
    let larder = Larder::start().user("ana").admin("boss");
    let larder = larder.file("photos/a.txt", "A");
    let ask = json!({ "path": "photos", "write": true });
    let made = larder.http("ana").post("/api/link/create", ask).expect_status("Link created");
    let url = made["url"].as_str().unwrap();
    let guest = larder.anonymous();
    guest.get(&format!("{url}/download?path=a.txt")).expect(200);
    demand(&larder.http("boss"), &json!(["user"]));
    for target in ["/info", "/list", "/download?path=a.txt", "/uploads"] {
        guest.get(&format!("{url}{target}")).expect_error(410, "Link is no longer available");
    }
    let listed = || larder.http("boss").get("/api/link/get_all?all=1").expect(200).json();
    assert_eq!(listed()[0]["state"], "closed");
    turn_on(&larder, "ana");
    guest.get(&format!("{url}/download?path=a.txt")).expect(200);
    assert_eq!(listed()[0]["state"], "open");
}

#[test]
fn one_time_codes_are_no_way_around_it() {
    let mut roles = everybody_may_everything();
    roles["/api/role/edit"] = json!(["admin"]);
    let larder = Larder::prepare().roles(&roles).launch();
    let larder = larder.user("ana").admin("boss");
    let boss = larder.token("boss");
    let ask = json!({ "username": "ana" });
    let made = larder.bearer(&boss).post("/api/user/signin_code", ask.clone()).expect(200).json();
    turn_on(&larder, "ana");
    larder
        .login(&json!({ "code": made["code"] }))
        .expect_error(401, "Invalid username or password");
    larder
        .bearer(&boss)
        .post("/api/user/signin_code", ask)
        .expect_error(409, "The user has a second factor");
    let told = larder.run(&["signin-code", "ana"], "");
    assert!(!told.status.success(), "{told:?}");
    // Who was let in by a code, and has no password to show, gets a factor without.
    let new =
        json!({ "username": "cleo", "without_password": true, "name": "Cleo", "role": "guest" });
    larder.bearer(&boss).post("/api/user/create", new).expect(200);
    demand(&larder.bearer(&boss), &json!(["guest"]));
    let ask = json!({ "username": "cleo" });
    let made = larder.bearer(&boss).post("/api/user/signin_code", ask).expect(200).json();
    let cleo = larder.login(&json!({ "code": made["code"] })).expect(200).json();
    let cleo = cleo["token"].as_str().unwrap();
    larder.bearer(cleo).post("/api/user/edit_self", json!({ "password": "mine" })).expect(403);
    let started = totp(&larder, cleo, json!({ "action": "start" })).expect(200).json();
    let phone = Phone::of(started["secret"].as_str().unwrap());
    totp(&larder, cleo, json!({ "action": "confirm", "code": phone.shows(0) })).expect(200);
    larder.bearer(cleo).post("/api/user/edit_self", json!({ "password": "mine" })).expect(200);
}

#[test]
fn a_key_is_no_way_around_it() {
    let larder = Larder::start().user("ana").user("ben");
    for (name, has_factor) in [("ana", true), ("ben", false)] {
        if has_factor {
            turn_on(&larder, name);
        }
        let ask = json!({ "password": "another password" });
        let answer = larder.http(name).post("/api/user/edit_self", ask).expect(200);
        let has_session = answer.header("Set-Cookie").is_some();
        assert_eq!((answer.json()["token"].is_string(), has_session), (!has_factor, !has_factor));
    }
}

#[test]
fn the_machine_takes_it_off_and_a_new_key_of_the_house_leaves_recovery_codes() {
    let mut larder = Larder::start().user("ana").user("bea");
    let owner = turn_on(&larder, "ana");
    larder.stop();
    std::fs::remove_file(larder.state().join("secret.key")).unwrap();
    larder.restart();
    sign_in(&larder, "ana", Some(&owner.code())).expect_error(401, "Wrong code");
    sign_in(&larder, "ana", Some(&owner.recovery[0])).expect(200);
    let off = larder.run(&["user", "totp-off", "ana"], "");
    assert!(off.status.success(), "{off:?}");
    sign_in(&larder, "ana", None).expect(200);
    let again = larder.run(&["user", "totp-off", "ana"], "");
    assert!(String::from_utf8_lossy(&again.stderr).contains("ana has no second factor"));
    let nobody = larder.run(&["user", "totp-off", "eve"], "");
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("User not found"));
}

#[test]
fn a_clock_that_went_back_is_told_and_recovery_codes_count() {
    let mut larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    larder.stop();
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    database
        .execute("UPDATE users SET totp_step = totp_step + 1000 WHERE totp IS NOT NULL", [])
        .unwrap();
    drop(database);
    larder.restart();
    let refused = sign_in(&larder, "ana", Some(&owner.code()));
    let sentence = "The clock of the board is not set; use a recovery code";
    refused.expect_error(401, sentence).expect_code(401, "clock_not_set");
    sign_in(&larder, "ana", Some(&owner.recovery[0])).expect(200);
}

#[test]
fn a_new_password_keeps_it_and_a_backup_does_not_carry_it() {
    let larder = Larder::start().user("ana");
    let owner = turn_on(&larder, "ana");
    assert!(larder.run(&["user", "passwd", "ana"], "ana opens the larder\n").status.success());
    sign_in(&larder, "ana", None).expect_error(401, "Code required");
    let saved = larder.run(&["backup"], "");
    assert!(saved.status.success(), "{saved:?}");
    let path = String::from_utf8(saved.stdout).unwrap();
    let document: Value = serde_json::from_slice(&std::fs::read(path.trim()).unwrap()).unwrap();
    let tables = document["tables"].as_object().unwrap();
    for gone in ["sessions", "recovery", "signin_codes"] {
        assert!(!tables.contains_key(gone), "{gone}");
    }
    let users = tables["users"].to_string();
    assert!(users.contains("ana") && !users.contains("totp"), "{users}");
    sign_in(&larder, "ana", Some(&owner.code())).expect(200);
}
