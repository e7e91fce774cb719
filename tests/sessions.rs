//! Sessions: how long they last, what their tokens are good for, and how they end on every door.

use std::sync::Barrier;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{Claims, Duration as Life, HS256Key, MACLike};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::harness::{Answer, Client, Larder, login_request, password_of, wait};

/// A day in seconds.
const DAY: i64 = 24 * 3600;

/// A token in an answer.
#[track_caller]
fn token_in(answer: &Answer) -> String {
    answer.json()["token"].as_str().expect("a token").to_owned()
}

/// Signs in with these fields besides name and password.
fn login(larder: &Larder, name: &str, more: &Value) -> Answer {
    let mut body = json!({ "username": name, "password": password_of(name) });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut wire = larder.wire_from_afar();
    wire.send(login_request(&body, "User-Agent: a test/1\r\n"));
    wire.answer()
}

/// Signs in to stay.
#[track_caller]
fn remembered(larder: &Larder, name: &str) -> String {
    token_in(&login(larder, name, &json!({ "remember": true })).expect(200))
}

/// Asks for the next token.
fn renew(larder: &Larder, token: &str) -> Answer {
    larder.bearer(token).post_raw("/api/user/renew", None, b"")
}

/// The sessions that the bearer of a token has.
#[track_caller]
fn sessions(larder: &Larder, token: &str) -> Vec<Value> {
    larder.bearer(token).get("/api/user/sessions").expect(200).json().as_array().unwrap().clone()
}

/// The id of the bearer's own.
#[track_caller]
fn own_id(larder: &Larder, token: &str) -> String {
    let all = sessions(larder, token);
    let own: Vec<&Value> = all.iter().filter(|session| session["is_this"] == true).collect();
    assert_eq!(own.len(), 1, "{all:?}");
    own[0]["id"].as_str().unwrap().to_owned()
}

fn end(client: &Client, id: &str) -> Answer {
    client.post("/api/user/end_session", json!({ "id": id }))
}

#[track_caller]
fn expect_good(larder: &Larder, token: &str) {
    larder.bearer(token).get("/api/user/get_self").expect(200);
}

/// Its session is over: what is said of it is another as soon as the row is gone, which nobody waits for.
#[track_caller]
fn expect_over(larder: &Larder, token: &str) {
    let answers = [
        larder.bearer(token).get("/api/user/get_self"),
        larder.browser(token).get("/api/user/get_self"),
        renew(larder, token),
    ];
    for answer in answers {
        let said = answer.expect_refusal(401).json()["error"].clone();
        assert!(said == "Token expired" || said == "Invalid token", "{said}");
    }
}

/// It is good for nothing, neither as token nor as cookie nor to be renewed.
#[track_caller]
fn expect_dead(larder: &Larder, token: &str, sentence: &str) {
    larder.bearer(token).get("/api/user/get_self").expect_error(401, sentence);
    larder.browser(token).get("/api/user/get_self").expect_error(401, sentence);
    renew(larder, token).expect_error(401, sentence);
}

/// The same token as the server would have issued it with other claims.
fn forged(larder: &Larder, token: &str, change: impl FnOnce(&mut Map<String, Value>)) -> String {
    let key = std::fs::read(larder.state().join("secret.key")).unwrap();
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Map<String, Value> = serde_json::from_slice(&claims).unwrap();
    change(&mut claims);
    let mut number = |name: &str| claims.remove(name).unwrap().as_u64().unwrap();
    let (issued, expires) = (number("iat"), number("exp"));
    let id = claims.remove("jti").unwrap();
    let mut made = Claims::with_custom_claims(claims, Life::from_hours(1));
    made.invalid_before = None;
    made.issued_at = Some(Life::from_secs(issued));
    made.expires_at = Some(Life::from_secs(expires));
    made.jwt_id = id.as_str().map(str::to_owned);
    HS256Key::from_bytes(&key).authenticate(made).unwrap()
}

/// The same token, issued a day and more ago.
fn a_day_old(larder: &Larder, token: &str) -> String {
    forged(larder, token, |claims| {
        for name in ["iat", "exp"] {
            claims[name] = (claims[name].as_i64().unwrap() - DAY - 1).into();
        }
    })
}

/// The same as a larder would have issued it that knew no sessions.
fn of_old(larder: &Larder, token: &str) -> String {
    forged(larder, token, |claims| {
        claims.remove("sid");
        claims.remove("generation");
    })
}

/// Stops larder, changes what it has written, and starts it again.
fn meanwhile(larder: &mut Larder, change: &str) {
    larder.stop();
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    database.execute(change, []).unwrap();
    drop(database);
    larder.restart();
}

#[test]
fn each_sign_in_is_a_session_that_is_told_as_it_is() {
    let larder = Larder::start().user("ana").user("bea");
    let one = login(&larder, "ana", &json!({})).expect(200);
    let two = login(&larder, "ana", &json!({ "remember": true })).expect(200);
    let age = |answer: &Answer| {
        let cookie = answer.header("Set-Cookie").unwrap().to_owned();
        cookie.split("Max-Age=").nth(1).unwrap().parse::<i64>().unwrap()
    };
    assert_eq!((age(&one), age(&two)), (DAY, 90 * DAY));
    login(&larder, "bea", &json!({})).expect(200);
    let told = sessions(&larder, &token_in(&one));
    assert_eq!(told.len(), 2, "{told:?}");
    for session in &told {
        for time in ["created", "last_used"] {
            assert!(session[time].as_str().unwrap().ends_with('Z'), "{session}");
        }
        assert!(session["ip"].as_str().unwrap().starts_with("127.0."), "{session}");
        assert!(session["id"].as_str().is_some_and(|id| !id.is_empty()), "{session}");
    }
    let of = |remembered: bool| told.iter().find(|one| one["remembered"] == remembered).unwrap();
    assert_eq!((&of(false)["is_this"], &of(true)["is_this"]), (&json!(true), &json!(false)));
    assert_eq!(of(true)["agent"], "a test/1");
    // The key of a user is no session.
    let by_key = larder.http("ana").get("/api/user/sessions").expect(200).json();
    assert!(by_key.as_array().unwrap().iter().all(|session| session["is_this"] == false));
    assert_eq!(by_key.as_array().unwrap().len(), 2);
    larder.anonymous().get("/api/user/sessions").expect_error(401, "Unauthorized");
}

#[test]
fn a_renewed_token_takes_the_place_of_the_one_before() {
    let mut larder = Larder::start().user("ana");
    let first = remembered(&larder, "ana");
    let answer = renew(&larder, &first).expect(200);
    let second = token_in(&answer);
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.starts_with(&format!("larder_session={second};")), "{cookie}");
    assert!(cookie.ends_with(&format!("Max-Age={}", 90 * DAY)), "{cookie}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    expect_good(&larder, &first);
    expect_good(&larder, &second);
    // Whoever did not hear of it asks again.
    let again = token_in(&renew(&larder, &first).expect(200));
    expect_good(&larder, &again);
    expect_good(&larder, &second);
    let third = token_in(&renew(&larder, &second).expect(200));
    expect_dead(&larder, &first, "Invalid token");
    expect_good(&larder, &second);
    assert_eq!(own_id(&larder, &second), own_id(&larder, &third));
    assert_eq!(sessions(&larder, &third).len(), 1);
    // Larder's own restart is no reason to end it early, and does not make it last.
    larder.kill();
    larder.restart();
    expect_good(&larder, &second);
    expect_good(&larder, &third);
    meanwhile(&mut larder, "UPDATE sessions SET renewed = renewed - 60");
    expect_dead(&larder, &second, "Invalid token");
    expect_good(&larder, &third);
}

#[test]
fn many_renewals_of_one_token_at_once_give_good_ones() {
    let larder = Larder::start().user("ana");
    let (token, start) = (larder.token("ana"), Barrier::new(10));
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..10)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    token_in(&renew(&larder, &token).expect(200))
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for token in &tokens {
        expect_good(&larder, token);
    }
    assert_eq!(sessions(&larder, &token).len(), 1);
}

#[test]
fn a_token_lasts_a_day_and_is_renewed_as_long_as_its_session_lasts() {
    let mut larder = Larder::start().user("ana");
    let (short, long) = (larder.token("ana"), remembered(&larder, "ana"));
    let (short, long) = (a_day_old(&larder, &short), a_day_old(&larder, &long));
    for token in [&short, &long] {
        larder.bearer(token).get("/api/user/get_self").expect_error(401, "Token expired");
        expect_good(&larder, &token_in(&renew(&larder, token).expect(200)));
        // Its minute is no second day.
        larder.bearer(token).get("/api/user/get_self").expect_error(401, "Token expired");
    }
    let (short, long) = (larder.token("ana"), remembered(&larder, "ana"));
    meanwhile(&mut larder, &format!("UPDATE sessions SET last_used = last_used - {}", DAY - 60));
    expect_good(&larder, &short);
    meanwhile(&mut larder, &format!("UPDATE sessions SET last_used = last_used - {DAY}"));
    expect_over(&larder, &short);
    expect_good(&larder, &long);
    meanwhile(
        &mut larder,
        &format!("UPDATE sessions SET last_used = last_used - {}", 90 * DAY - 60),
    );
    expect_good(&larder, &long);
    meanwhile(&mut larder, &format!("UPDATE sessions SET last_used = last_used - {}", 90 * DAY));
    expect_over(&larder, &long);
    wait::until("the rows to go", || {
        let database = Connection::open(larder.state().join("db/users.db")).unwrap();
        let count = "SELECT count(*) FROM sessions";
        database.query_row(count, [], |row| row.get::<_, i64>(0)).unwrap() == 0
    });
}

#[test]
fn a_board_that_woke_in_1970_ends_nothing() {
    let mut larder = Larder::start().user("ana");
    let token = larder.token("ana");
    // It was issued before anybody knew the time, and the clock was set meanwhile.
    let early = forged(&larder, &token, |claims| {
        claims["iat"] = 100.into();
        claims["exp"] = (100 + DAY).into();
    });
    expect_good(&larder, &early);
    meanwhile(&mut larder, "UPDATE sessions SET created = 0, last_used = 0");
    expect_good(&larder, &early);
    meanwhile(
        &mut larder,
        &format!("UPDATE sessions SET last_used = 0, renewed = renewed - {DAY}"),
    );
    larder.bearer(&early).get("/api/user/get_self").expect_error(401, "Token expired");
    expect_good(&larder, &token_in(&renew(&larder, &early).expect(200)));
}

#[test]
fn a_session_is_ended_by_its_user_alone_and_once() {
    let larder = Larder::start().user("ana").user("bea");
    let (one, two) = (larder.token("ana"), larder.token("ana"));
    let bea = larder.token("bea");
    let id = own_id(&larder, &two);
    end(&larder.bearer(&bea), &id).expect_error(404, "Session not found");
    expect_good(&larder, &two);
    let answer = end(&larder.bearer(&one), &id);
    assert_eq!(answer.header("Set-Cookie"), None, "the asking browser keeps its own");
    answer.expect_status("Session ended");
    expect_dead(&larder, &two, "Invalid token");
    expect_good(&larder, &one);
    end(&larder.bearer(&one), &id).expect_error(404, "Session not found");
    end(&larder.bearer(&one), "no such").expect_error(404, "Session not found");
    let answer = end(&larder.bearer(&one), &own_id(&larder, &one)).expect(200);
    assert!(answer.header("Set-Cookie").unwrap().contains("Max-Age=0"));
    expect_dead(&larder, &one, "Invalid token");
}

#[test]
fn what_runs_ends_with_the_session_on_every_door() {
    // More than passes before anybody looks, and no bytes on the disk.
    const LENGTH: u64 = 8 << 30;
    let larder = Larder::start().user("ana");
    larder.sparse("big", LENGTH);
    let (one, two) = (larder.token("ana"), larder.token("ana"));
    let cookie = format!("Cookie: larder_session={two}\r\nConnection: close\r\n");
    let open = |target: &str| {
        let mut wire = larder.wire();
        wire.send(format!("GET {target} HTTP/1.1\r\nHost: larder\r\n{cookie}\r\n"));
        assert_eq!(wire.head_answer().status, 200, "{target}");
        wire
    };
    let ticket = larder
        .bearer(&two)
        .post("/api/download_ticket", json!({ "paths": ["big"] }))
        .expect(200)
        .json();
    let running = [
        open("/api/download?file_path=big"),
        open("/api/download?file_path="),
        open(ticket["url"].as_str().unwrap()),
    ];
    let mut events = open("/api/events");
    let mut upload = larder.wire();
    let body = json!({ "path": "new.txt", "file_content": "x" }).to_string();
    upload.send(format!(
        "POST /api/edit_file HTTP/1.1\r\nHost: larder\r\nAuthorization: Bearer {two}\r\nContent-Length: {}\r\n\r\n{}",
        body.len(),
        &body[..10]
    ));
    // What was begun in it outlives another token of the same session.
    let renewed = token_in(&renew(&larder, &two).expect(200));
    let by_cookie = larder.browser(&renewed);
    by_cookie.head(ticket["url"].as_str().unwrap()).expect(200);
    end(&larder.bearer(&one), &own_id(&larder, &renewed)).expect(200);
    events.pass_over();
    for mut wire in running {
        assert!(wire.pass_over() < LENGTH / 2);
    }
    upload.send(&body[10..]);
    upload.answer().expect_refusal(401);
    assert!(!larder.exists("new.txt"));
    for token in [&two, &renewed] {
        expect_dead(&larder, token, "Invalid token");
        let by_cookie = larder.browser(token);
        by_cookie.get(ticket["url"].as_str().unwrap()).expect_refusal(401);
    }
}

#[test]
fn a_new_password_ends_all_others_and_every_token() {
    let larder = Larder::start().user("ana").admin("boss");
    let (mine, other) = (remembered(&larder, "ana"), larder.token("ana"));
    let before = own_id(&larder, &mine);
    let ask = json!({ "password": "another one" });
    let answer = larder.bearer(&mine).post("/api/user/edit_self", ask).expect(200);
    let token = token_in(&answer);
    let cookie = answer.header("Set-Cookie").unwrap();
    assert!(cookie.ends_with(&format!("Max-Age={}", 90 * DAY)), "{cookie}");
    expect_dead(&larder, &mine, "Invalid token");
    expect_dead(&larder, &other, "Invalid token");
    assert_eq!(own_id(&larder, &token), before);
    let told = sessions(&larder, &token);
    assert!(told.len() == 1 && told[0]["remembered"] == true, "{told:?}");
    let id = larder.http("ana").get("/api/user/get_self").expect(200).json()["id"].clone();
    let ask = json!({ "id": id, "username": "ana", "name": "Ana", "password": "a third" });
    larder.http("boss").post("/api/user/edit", ask).expect(200);
    expect_dead(&larder, &token, "Invalid token");
    assert_eq!(larder.http("ana").get("/api/user/sessions").expect(200).json(), json!([]));
    // Who came with a key gets a session of their own.
    let ask = json!({ "password": password_of("ana") });
    let token = token_in(&larder.http("ana").post("/api/user/edit_self", ask).expect(200));
    own_id(&larder, &token);
}

#[test]
fn signing_out_everywhere_and_by_the_machine_leaves_no_session() {
    let larder = Larder::start().user("ana").user("bea");
    let (one, two, bea) = (remembered(&larder, "ana"), larder.token("ana"), larder.token("bea"));
    let ask = json!({ "everywhere": true });
    larder.bearer(&one).post("/api/user/logout", ask).expect_status("Logged out");
    expect_dead(&larder, &one, "Invalid token");
    expect_dead(&larder, &two, "Invalid token");
    expect_good(&larder, &bea);
    let ana = larder.token("ana");
    assert_eq!(sessions(&larder, &ana).len(), 1);
    assert!(larder.run(&["user", "passwd", "ana"], "another\n").status.success());
    wait::until("the end", || renew(&larder, &ana).status == 401);
    assert_eq!(larder.http("ana").get("/api/user/sessions").expect(200).json(), json!([]));
}

#[test]
fn of_more_than_fifty_the_longest_unused_goes() {
    let larder = Larder::start().user("ana").user("bea");
    let bea = larder.token("bea");
    let tokens: Vec<String> = (0..50).map(|_| larder.token("ana")).collect();
    assert_eq!(sessions(&larder, &tokens[1]).len(), 50);
    // Used later than all others were made.
    wait::until("another second", || {
        expect_good(&larder, &tokens[0]);
        own_id(&larder, &tokens[0]) == sessions(&larder, &tokens[0])[0]["id"]
    });
    let last = larder.token("ana");
    assert_eq!(sessions(&larder, &last).len(), 50);
    expect_good(&larder, &tokens[0]);
    let ended = |token: &&String| larder.bearer(token).get("/api/user/get_self").status == 401;
    let gone: Vec<&String> = tokens.iter().filter(ended).collect();
    assert_eq!(gone.len(), 1);
    expect_dead(&larder, gone[0], "Invalid token");
    expect_good(&larder, &bea);
}

#[test]
fn a_token_from_before_there_were_sessions_lasts_until_its_end() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    end(&larder.http("ana"), &own_id(&larder, &token)).expect(200);
    let other = |id: u8| {
        let token = of_old(&larder, &token);
        forged(&larder, &token, |claims| claims["jti"] = format!("{id:032x}").into())
    };
    let (one, two) = (other(1), other(2));
    expect_good(&larder, &one);
    assert_eq!(sessions(&larder, &one), Vec::<Value>::new());
    let old = a_day_old(&larder, &one);
    larder.bearer(&old).get("/api/user/get_self").expect_error(401, "Token expired");
    renew(&larder, &old).expect_error(401, "Token expired");
    // It is logged out as it always was.
    larder.bearer(&two).post("/api/user/logout", json!({})).expect_status("Logged out");
    expect_dead(&larder, &two, "Invalid token");
    // Once it is renewed there is a session, with which it ends for good.
    let renewed = token_in(&renew(&larder, &one).expect(200));
    expect_good(&larder, &one);
    end(&larder.bearer(&renewed), &own_id(&larder, &renewed)).expect(200);
    expect_dead(&larder, &one, "Invalid token");
    expect_dead(&larder, &renewed, "Invalid token");
    // Nobody comes by a session by leaving it out.
    let live = larder.token("ana");
    for change in ["sid", "generation"] {
        let half = forged(&larder, &live, |claims| drop(claims.remove(change)));
        expect_dead(&larder, &half, "Invalid token");
    }
}

#[test]
fn what_was_answered_outlives_a_crash() {
    let mut larder = Larder::start().user("ana");
    let (kept, ended) = (remembered(&larder, "ana"), larder.token("ana"));
    let id = own_id(&larder, &ended);
    let renewed = token_in(&renew(&larder, &kept).expect(200));
    let third = token_in(&renew(&larder, &renewed).expect(200));
    end(&larder.bearer(&renewed), &id).expect(200);
    larder.kill();
    larder.restart();
    expect_good(&larder, &third);
    expect_dead(&larder, &kept, "Invalid token");
    expect_dead(&larder, &ended, "Invalid token");
    let last = larder.token("ana");
    larder.kill();
    larder.restart();
    expect_good(&larder, &last);
    assert_eq!(sessions(&larder, &last).len(), 2);
}

#[test]
fn using_a_session_writes_nothing_until_it_is_time_to() {
    let mut larder = Larder::start().user("ana");
    // From where it is used as well: another address would be written at once.
    let ask = json!({ "username": "ana", "password": password_of("ana") });
    let token = token_in(&larder.anonymous().post("/api/user/login", ask).expect(200));
    let database = || Connection::open(larder.state().join("db/users.db")).unwrap();
    database().execute("UPDATE sessions SET last_used = last_used - 1000", []).unwrap();
    let in_table = |database: Connection| {
        let ask = "SELECT last_used FROM sessions";
        database.query_row(ask, [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let before = in_table(database());
    for _ in 0..50 {
        expect_good(&larder, &token);
    }
    assert_eq!(in_table(database()), before);
    let mut elsewhere = larder.wire_from_afar();
    elsewhere.send(format!(
        "GET /api/user/get_self HTTP/1.1\r\nHost: larder\r\nAuthorization: Bearer {token}\r\n\r\n"
    ));
    elsewhere.answer().expect(200);
    // It is told as it is nevertheless, and written when larder stops.
    let told = sessions(&larder, &token)[0]["last_used"].as_str().unwrap().to_owned();
    let path = larder.state().join("db/users.db");
    larder.stop();
    assert!(in_table(Connection::open(path).unwrap()) >= before + 1000);
    larder.restart();
    let later = sessions(&larder, &token)[0]["last_used"].as_str().unwrap().to_owned();
    assert!(later >= told, "{later} is before {told}");
}

#[test]
fn bad_questions_are_refused_and_change_nothing() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    for bad in [json!("yes"), json!(1), json!([]), json!({}), json!("true")] {
        let answer = login(&larder, "ana", &json!({ "remember": bad }));
        answer.expect_refusal(400);
    }
    login(&larder, "ana", &json!({ "remember": null })).expect(200);
    let client = larder.bearer(&token);
    for bad in [json!({}), json!({ "id": null }), json!({ "id": "" })] {
        client.post("/api/user/end_session", bad).expect_error(400, "No id provided");
    }
    for bad in
        [json!([]), json!("x"), json!({ "id": ["a"] }), json!({ "id": {} }), json!({ "id": true })]
    {
        client.post("/api/user/end_session", bad).expect_refusal(400);
    }
    end(&client, &"x".repeat(1000)).expect_error(404, "Session not found");
    end(&client, "' OR 1=1 --").expect_error(404, "Session not found");
    assert_eq!(sessions(&larder, &token).len(), 2);
    // A body is not looked at, and nothing but a token gets another.
    client.post("/api/user/renew", json!([1])).expect(200);
    larder.http("ana").post("/api/user/renew", json!({})).expect_error(401, "Unauthorized");
    let by_cookie = larder.browser(&token);
    by_cookie.post("/api/user/renew", json!({})).expect_error(401, "Unauthorized");
    by_cookie.post("/api/user/end_session", json!({})).expect_error(401, "Unauthorized");
    larder.anonymous().post("/api/user/renew", json!({})).expect_error(401, "Unauthorized");
    for garbage in ["", "x", "a.b.c", &format!("{token}x")] {
        renew(&larder, garbage).expect_error(401, "Invalid token");
    }
    client.get("/api/user/renew").expect(405);
    client.post("/api/user/sessions", json!({})).expect(405);
}

#[test]
fn who_cannot_write_can_sign_in() {
    // What fills the state's drive can only be removed by somebody who gets in.
    let larder = Larder::start().user("ana");
    let database = Connection::open(larder.state().join("db/users.db")).unwrap();
    database
        .execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON sessions BEGIN SELECT raise(ABORT, 'full'); END",
        )
        .unwrap();
    let token = larder.token("ana");
    expect_good(&larder, &token);
    assert_eq!(sessions(&larder, &token), Vec::<Value>::new());
    larder.bearer(&token).post("/api/user/logout", json!({})).expect_status("Logged out");
    expect_dead(&larder, &token, "Invalid token");
}
