//! Signing in and out: passwords, tokens, keys, the cookie, and who may use what.

use std::fs;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_simple::prelude::{Claims, Duration as Life, HS256Key, HS384Key, MACLike};
use serde_json::{Value, json};

use crate::harness::{Larder, TABLE, password_of, wait};

/// Who the bearer of a token is, or the refusal.
#[track_caller]
fn expect_invalid(larder: &Larder, token: &str, sentence: &str) {
    larder.bearer(token).get("/api/user/get_self").expect_error(401, sentence);
}

/// The claims of a token.
fn claims_of(token: &str) -> serde_json::Map<String, Value> {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&claims).unwrap()
}

/// What a stranger with the server's key could sign: the claims of a token with a new time.
fn forged(
    larder: &Larder,
    token: &str,
    change: impl FnOnce(&mut serde_json::Map<String, Value>),
) -> String {
    let key = HS256Key::from_bytes(&fs::read(larder.state().join("secret.key")).unwrap());
    let mut claims = claims_of(token);
    change(&mut claims);
    let jwt_id = claims.remove("jti").and_then(|id| id.as_str().map(str::to_owned));
    let seconds =
        |claim: Option<Value>| claim.and_then(|claim| claim.as_u64()).map(Life::from_secs);
    let (issued, expires) = (seconds(claims.remove("iat")), seconds(claims.remove("exp")));
    let mut made = Claims::with_custom_claims(claims, Life::from_hours(1));
    made.invalid_before = None;
    made.issued_at = issued;
    made.expires_at = expires;
    made.jwt_id = jwt_id;
    key.authenticate(made).unwrap()
}

#[test]
fn the_right_password_gives_a_token_and_a_cookie() {
    let larder = Larder::start().user("ana");
    let answer = larder.sign_in("ana", &password_of("ana")).expect(200);
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let json = answer.json();
    let token = json["token"].as_str().unwrap();
    let cookie = answer.header("Set-Cookie").expect("a cookie");
    let mut parts = cookie.split(';').map(str::trim);
    assert_eq!(parts.next(), Some(format!("larder_session={token}").as_str()));
    let attributes: Vec<&str> = parts.collect();
    for wanted in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(attributes.contains(&wanted), "{cookie}");
    }
    let claims = claims_of(token);
    assert_eq!(claims["username"], "ana");
    let life = claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap();
    assert_eq!(life, 24 * 3600);
    let myself = larder.bearer(token).get("/api/user/get_self").expect(200).json();
    assert_eq!(myself["id"], claims["user_id"]);
    assert_eq!(myself["username"], "ana");
    assert_eq!(myself["password"], "");
    assert_eq!(myself["role"], "user");
    assert_eq!(myself["paths"], r#"[""]"#);
    assert_eq!(myself["paths_write"], r#"[""]"#);
    for key in ["name", "ftp_users", "settings"] {
        assert!(myself[key].is_string(), "{key} in {myself}");
    }
    let text = myself.to_string();
    assert!(!text.contains("argon2") && !text.contains("API_KEY"), "{text}");
}

#[test]
fn a_wrong_password_and_an_unknown_name_get_the_same_answer() {
    let larder = Larder::start().user("ana");
    let wrong = larder.sign_in("ana", "wrong").expect_error(401, "Invalid username or password");
    let unknown =
        larder.sign_in("nobody", "wrong").expect_error(401, "Invalid username or password");
    let but_date = |answer: &crate::harness::Answer| {
        let kept = answer.headers.iter().filter(|(name, _)| name != "date");
        kept.cloned().collect::<Vec<_>>()
    };
    assert_eq!(but_date(&wrong), but_date(&unknown));
    assert_eq!(wrong.body, unknown.body);
    assert!(wrong.header("Set-Cookie").is_none());
    for name in ["Ana", " ana", "ana ", "ana\0", "an"] {
        larder.sign_in(name, &password_of("ana")).expect_error(401, "Invalid username or password");
    }
    larder.sign_in(&"a".repeat(300), "x").expect_error(401, "Invalid username or password");
    larder.sign_in("ana", &"p".repeat(3000)).expect_error(401, "Invalid username or password");
}

#[test]
fn an_unknown_name_takes_as_long_as_a_wrong_password() {
    const TRIES: usize = 5;
    let larder = Larder::start().user("ana").user("eve");
    larder.sign_in("nobody", "warm up").expect(401);
    // What larder itself works for it: how long that takes by a clock says more of who else is on the machine.
    let work = |names: [&str; 2]| {
        let before = larder.process().processor_time();
        for name in names {
            for _ in 0..TRIES {
                larder.sign_in(name, "wrong").expect(401);
            }
        }
        larder.process().processor_time().saturating_sub(before)
    };
    let (known, unknown) = (work(["ana", "eve"]), work(["mallory", "nemo"]));
    // Hashing takes many milliseconds, a mere look into the database far less than one.
    assert!(!known.is_zero() && unknown * 3 > known, "known {known:?}, unknown {unknown:?}");
}

#[test]
fn a_login_without_name_or_password_is_refused() {
    let larder = Larder::start();
    for body in [
        json!({}),
        json!({ "username": "admin" }),
        json!({ "password": "x" }),
        json!({ "username": null, "password": "x" }),
        json!({ "username": "", "password": "x" }),
        json!({ "username": "admin", "password": "" }),
    ] {
        larder.login(&body).expect_error(400, "No username or password provided");
    }
    let mut wire = larder.wire_from_afar();
    wire.send("POST /api/user/login HTTP/1.1\r\nHost: a\r\nContent-Length: 24\r\n\r\n{\"username\": 1, \"x\": 12}");
    wire.answer().expect_refusal(400);
}

#[test]
fn an_address_may_sign_in_once_a_second() {
    let larder = Larder::start().user("ana");
    let client = larder.anonymous();
    let ask = json!({ "username": "ana", "password": password_of("ana") });
    client.post("/api/user/login", ask.clone()).expect(200);
    let late = (0..10)
        .map(|_| client.post("/api/user/login", ask.clone()))
        .find(|answer| answer.status != 200)
        .expect("ten sign-ins within a second");
    let late = late.expect_refusal(429);
    let seconds: u64 = late.header("Retry-After").expect("Retry-After").parse().unwrap();
    assert!((1..=5).contains(&seconds));
    // Another address is not held up by this one.
    larder.sign_in("ana", &password_of("ana")).expect(200);
    wait::until("its turn again", || client.post("/api/user/login", ask.clone()).status == 200);
}

#[test]
fn repeated_wrong_passwords_slow_a_name_down_on_every_address() {
    let larder = Larder::start().user("ana").user("bea");
    let refused = (0..12).find_map(|_| {
        let answer = larder.sign_in("ana", "wrong");
        (answer.status == 429).then_some(answer)
    });
    let refused = refused.expect("a delay after many wrong passwords").expect_refusal(429);
    assert!(refused.header("Retry-After").is_some());
    larder.sign_in("bea", &password_of("bea")).expect(200);
}

#[test]
fn the_cookie_reads_but_does_not_change() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    let cookie = format!("theme=dark; larder_session={}; x=y", larder.token("ana"));
    let client = larder.anonymous().with("Cookie", &cookie);
    client.get("/api/user/get_self").expect(200);
    client.head("/api/user/get_self").expect(200);
    assert_eq!(client.get("/api/download?file_path=a.txt").expect(200).text(), "A");
    let ask = json!({ "path": "a.txt", "file_content": "B" });
    client.post("/api/edit_file", ask).expect_error(401, "Unauthorized");
    client.post("/api/user/logout", json!({})).expect_error(401, "Unauthorized");
    assert_eq!(larder.read("a.txt"), "A");
}

#[test]
fn a_token_comes_before_a_key_and_a_key_before_the_cookie() {
    let larder = Larder::start().user("ana").user("bea").user("cid");
    let (ana, cid) = (larder.token("ana"), larder.token("cid"));
    let cookie = format!("larder_session={cid}");
    let who = |client: &crate::harness::Client| {
        client.get("/api/user/get_self").expect(200).json()["username"].as_str().unwrap().to_owned()
    };
    let by_key = larder.http("bea").with("Cookie", &cookie);
    assert_eq!(who(&by_key), "bea");
    let by_token = by_key.clone().with("Authorization", &format!("Bearer {ana}"));
    assert_eq!(who(&by_token), "ana");
    let by_cookie = larder.anonymous().with("Cookie", &cookie);
    assert_eq!(who(&by_cookie), "cid");
    // What comes first decides, also when it is bad.
    let bad = by_key.with("Authorization", "Bearer nonsense");
    bad.get("/api/user/get_self").expect_error(401, "Invalid token");
    let bad = by_cookie.with("X-API-KEY", "nonsense");
    bad.get("/api/user/get_self").expect_error(401, "Unauthorized");
}

#[test]
fn the_schemes_case_does_not_matter_and_other_schemes_do_not_count() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    let client = |value: &str| larder.anonymous().with("Authorization", value);
    client(&format!("bearer {token}")).get("/api/user/get_self").expect(200);
    client(&format!("BEARER  {token}")).get("/api/user/get_self").expect(200);
    client("Basic YW5hOng=").get("/api/finder").expect_error(401, "Unauthorized");
    client(&token).get("/api/finder").expect_error(401, "Unauthorized");
}

#[test]
fn an_api_key_is_as_good_as_a_token() {
    let larder = Larder::start().user("ana").user("bea");
    let key = larder.key("ana").to_owned();
    assert!(key.len() >= 32, "{key}");
    assert_ne!(key, larder.key("bea"));
    larder.http("ana").get("/api/user/get_self").expect(200);
    let ask = json!({ "file_name": "a.txt", "file_content": "A" });
    larder.http("ana").post("/api/new_file", ask).expect(200);
    for wrong in [&key[..key.len() - 1], &format!("{key}x"), "x", &key.to_uppercase()] {
        let client = larder.with_key(wrong);
        client.get("/api/finder").expect_error(401, "Unauthorized");
    }
    // It is stored as a hash only.
    for entry in fs::read_dir(larder.state().join("db")).unwrap().flatten() {
        let bytes = fs::read(entry.path()).unwrap();
        let has = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has(&key) && !has(&password_of("ana")), "{}", entry.path().display());
    }
}

#[test]
fn no_credentials_are_refused_everywhere_but_at_the_open_doors() {
    let larder = Larder::start();
    larder.anonymous().get("/api/finder").expect_error(401, "Unauthorized");
    larder.anonymous().get("/api/user/get_self").expect_error(401, "Unauthorized");
    larder.anonymous().get("/api/role/self").expect_error(401, "Unauthorized");
    larder.anonymous().post("/api/user/logout", json!({})).expect_error(401, "Unauthorized");
    for path in ["/", "/auth", "/preview"] {
        larder.anonymous().get(path).expect(200);
    }
    // Bad credentials do not close an open door.
    larder.bearer("nonsense").get("/auth").expect(200);
    larder.bearer("nonsense").get("/api/is_up").expect(200);
}

#[test]
fn forged_tokens_are_invalid() {
    let larder = Larder::start().user("ana");
    let good = larder.token("ana");
    let [head, claims, tag] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    let capital = URL_SAFE_NO_PAD.encode(r#"{"alg":"None","typ":"JWT"}"#);
    let mut flipped = tag.to_owned().into_bytes();
    flipped[3] = if flipped[3] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let mut other = claims_of(&good);
    other["user_id"] = 1.into();
    let other = URL_SAFE_NO_PAD.encode(Value::from(other).to_string());
    for token in [
        "x",
        "a.b.c",
        "..",
        "Bearer",
        &format!("{head}.{claims}"),
        &format!("{head}.{claims}."),
        &format!("{none}.{claims}."),
        &format!("{none}.{claims}.{tag}"),
        &format!("{capital}.{claims}."),
        &format!("{head}.{claims}.{flipped}"),
        &format!("{head}.{other}.{tag}"),
        &format!("{good}.{tag}"),
        &format!("{good}x"),
        &"x".repeat(6000),
    ] {
        expect_invalid(&larder, token, "Invalid token");
    }
    larder.bearer(&good).get("/api/user/get_self").expect(200);
}

#[test]
fn tokens_of_another_key_or_algorithm_are_invalid() {
    let larder = Larder::start().user("ana");
    let good = larder.token("ana");
    let secret = fs::read(larder.state().join("secret.key")).unwrap();
    let sign =
        |key: &dyn Fn(jwt_simple::prelude::JWTClaims<serde_json::Map<String, Value>>) -> String| {
            let mut custom = claims_of(&good);
            custom.retain(|name, _| !matches!(name.as_str(), "iat" | "exp" | "jti"));
            let id = claims_of(&good)["jti"].as_str().unwrap_or("x").to_owned();
            key(Claims::with_custom_claims(custom, Life::from_hours(1)).with_jwt_id(id))
        };
    let other_key = sign(&|claims| HS256Key::from_bytes(&[7; 32]).authenticate(claims).unwrap());
    expect_invalid(&larder, &other_key, "Invalid token");
    let other_algorithm =
        sign(&|claims| HS384Key::from_bytes(&secret).authenticate(claims).unwrap());
    expect_invalid(&larder, &other_algorithm, "Invalid token");
    let same = forged(&larder, &good, |_| {});
    larder.bearer(&same).get("/api/user/get_self").expect(200);
}

#[test]
fn an_expired_token_says_so() {
    let larder = Larder::start().user("ana");
    let good = larder.token("ana");
    let expired = forged(&larder, &good, |claims| {
        for name in ["iat", "exp"] {
            claims[name] = (claims[name].as_u64().unwrap() - 25 * 3600).into();
        }
    });
    expect_invalid(&larder, &expired, "Token expired");
    let just_now = forged(&larder, &good, |claims| {
        claims["exp"] = (claims["iat"].as_u64().unwrap() - 1).into();
    });
    expect_invalid(&larder, &just_now, "Token expired");
}

#[test]
fn a_token_of_a_user_who_never_was_is_unauthorized() {
    let larder = Larder::start().user("ana");
    let good = larder.token("ana");
    for id in [0, -1, 999, i64::MAX] {
        let token = forged(&larder, &good, |claims| claims["user_id"] = id.into());
        expect_invalid(&larder, &token, "Unauthorized");
    }
}

#[test]
fn signing_out_ends_this_token_alone() {
    let larder = Larder::start().user("ana");
    let (one, two) = (larder.token("ana"), larder.token("ana"));
    let answer = larder.bearer(&one).post("/api/user/logout", json!({}));
    let cookie = answer.header("Set-Cookie").unwrap_or_default().to_owned();
    assert_eq!(answer.header("Clear-Site-Data"), Some("\"cache\""), "{answer}");
    answer.expect_status("Logged out");
    assert!(cookie.starts_with("larder_session=;") && cookie.contains("Max-Age=0"), "{cookie}");
    expect_invalid(&larder, &one, "Invalid token");
    let by_cookie = larder.browser(&one);
    by_cookie.get("/api/finder").expect_error(401, "Invalid token");
    larder.bearer(&two).get("/api/user/get_self").expect(200);
    larder.http("ana").get("/api/user/get_self").expect(200);
}

#[test]
fn signing_out_everywhere_ends_all_tokens_of_this_user_alone() {
    let larder = Larder::start().user("ana").user("bea");
    let (one, two, bea) = (larder.token("ana"), larder.token("ana"), larder.token("bea"));
    let ask = json!({ "everywhere": true });
    larder.bearer(&one).post("/api/user/logout", ask).expect_status("Logged out");
    expect_invalid(&larder, &one, "Invalid token");
    expect_invalid(&larder, &two, "Invalid token");
    larder.bearer(&bea).get("/api/user/get_self").expect(200);
    let new = larder.token("ana");
    larder.bearer(&new).get("/api/user/get_self").expect(200);
}

#[test]
fn signing_out_needs_no_body_and_refuses_a_bad_one() {
    let larder = Larder::start().user("ana");
    let token = larder.token("ana");
    let ask = json!({ "everywhere": "yes" });
    larder.bearer(&token).post("/api/user/logout", ask).expect_refusal(400);
    larder.bearer(&token).get("/api/user/get_self").expect(200);
    larder.bearer(&token).post_raw("/api/user/logout", None, b"").expect_status("Logged out");
    expect_invalid(&larder, &token, "Invalid token");
}

#[test]
fn many_sign_outs_do_not_revive_an_old_token() {
    let larder = Larder::start().user("ana");
    let good = larder.token("ana");
    let tokens: Vec<String> = (0..120)
        .map(|number| {
            forged(&larder, &good, |claims| claims["jti"] = format!("{number:032x}").into())
        })
        .collect();
    for token in &tokens {
        let answer = larder.bearer(token).post("/api/user/logout", json!({}));
        assert!(answer.status == 200 || answer.status == 401, "{answer}");
    }
    for token in &tokens {
        expect_invalid(&larder, token, "Invalid token");
    }
}

#[test]
fn sessions_outlive_a_stop_and_sign_outs_outlive_a_crash() {
    let mut larder = Larder::start().user("ana").user("bea");
    let (kept, ended) = (larder.token("ana"), larder.token("ana"));
    let bea = larder.token("bea");
    larder.bearer(&ended).post("/api/user/logout", json!({})).expect(200);
    larder.bearer(&bea).post("/api/user/logout", json!({ "everywhere": true })).expect(200);
    larder.kill();
    larder.restart();
    larder.bearer(&kept).get("/api/user/get_self").expect(200);
    expect_invalid(&larder, &ended, "Invalid token");
    expect_invalid(&larder, &bea, "Invalid token");
    larder.stop();
    larder.restart();
    larder.bearer(&kept).get("/api/user/get_self").expect(200);
    expect_invalid(&larder, &ended, "Invalid token");
    expect_invalid(&larder, &bea, "Invalid token");
}

#[test]
fn a_role_that_is_not_listed_gets_only_what_everybody_gets() {
    let larder = Larder::start().user_with("eve", "guest", r#"[""]"#, r#"[""]"#).user("ana");
    let eve = larder.http("eve");
    eve.get("/api/finder").expect_error(401, "Unauthorized");
    eve.get("/api/get_file?file_path=a").expect_error(401, "Unauthorized");
    eve.post("/api/new_file", json!({})).expect_error(401, "Unauthorized");
    let myself = eve.get("/api/user/get_self").expect(200).json();
    assert_eq!(myself["role"], "guest");
    let mine = eve.get("/api/role/self").expect(200).json();
    for (path, allowed) in mine.as_object().unwrap() {
        let is_anybodys = TABLE.iter().any(|row| row.path == path && row.is_anybodys());
        assert_eq!(*allowed, is_anybodys, "{path}");
    }
    assert_eq!((&mine["/api/finder"], &mine["/api/user/renew"]), (&json!(false), &json!(true)));
    let hers = larder.http("ana").get("/api/role/self").expect(200).json();
    assert!(hers.as_object().unwrap().values().all(|allowed| *allowed == true), "{hers}");
    eve.post("/api/user/logout", json!({})).expect_status("Logged out");
}

#[test]
fn by_default_only_admins_may() {
    let larder = Larder::bare().launch().user("ana").user_with("ann", "admin", r#"[""]"#, "[]");
    larder.http("ana").get("/api/finder").expect_error(401, "Unauthorized");
    larder.http("ann").get("/api/finder").expect(200);
    let admin = larder.token("admin");
    larder.bearer(&admin).get("/api/finder").expect(200);
    let ask = json!({ "file_name": "a.txt", "file_content": "A" });
    larder.bearer(&admin).post("/api/new_file", ask).expect(200);
}

#[test]
fn the_role_is_asked_before_the_input_is_looked_at() {
    let larder = Larder::start().user_with("eve", "guest", r#"[""]"#, r#"[""]"#);
    let eve = larder.http("eve");
    eve.post_raw("/api/edit_file", None, b"nonsense").expect_error(401, "Unauthorized");
    eve.get("/api/finder?path=..").expect_error(401, "Unauthorized");
    larder
        .anonymous()
        .post_raw("/api/edit_file", None, b"nonsense")
        .expect_error(401, "Unauthorized");
}

#[test]
fn a_user_added_beside_the_running_server_is_known_at_once() {
    let larder = Larder::start().user("ana");
    larder.http("ana").get("/api/user/get_self").expect(200);
    let larder = larder.user("bea");
    larder.http("bea").get("/api/user/get_self").expect(200);
    let token = larder.token("bea");
    larder.bearer(&token).get("/api/user/get_self").expect(200);
}

#[test]
fn a_deleted_user_is_gone_at_once() {
    let larder = Larder::start().user("ana").user("bea");
    let token = larder.token("ana");
    larder.bearer(&token).get("/api/user/get_self").expect(200);
    larder.http("ana").get("/api/user/get_self").expect(200);
    let database = rusqlite::Connection::open(larder.state().join("db/users.db")).unwrap();
    database.busy_timeout(wait::PATIENCE).unwrap();
    assert_eq!(database.execute("DELETE FROM users WHERE username = 'ana'", ()).unwrap(), 1);
    larder.bearer(&token).get("/api/finder").expect_error(401, "Unauthorized");
    larder.http("ana").get("/api/finder").expect_error(401, "Unauthorized");
    larder.http("bea").get("/api/user/get_self").expect(200);
    larder.sign_in("ana", &password_of("ana")).expect_error(401, "Invalid username or password");
}

#[test]
fn is_up_answers_once_a_second() {
    let larder = Larder::start();
    let client = larder.anonymous();
    client.get("/api/is_up").expect_status("Server is up");
    let refused = (0..10)
        .map(|_| client.get("/api/is_up"))
        .find(|answer| answer.status != 200)
        .expect("ten within a second");
    assert!(refused.expect_refusal(429).header("Retry-After").is_some());
    let mut other = larder.wire_from_afar();
    other.send("GET /api/is_up HTTP/1.1\r\nHost: a\r\n\r\n");
    other.answer().expect_status("Server is up");
}

#[test]
fn a_flood_of_sign_ins_does_not_hold_up_others() {
    let larder = Larder::start().user("ana").file("a.txt", "A");
    std::thread::scope(|scope| {
        for number in 0..20 {
            let larder = &larder;
            scope.spawn(move || {
                let answer = larder.sign_in(&format!("nobody{number}"), "wrong");
                assert!(matches!(answer.status, 401 | 429), "{answer}");
            });
        }
        for _ in 0..20 {
            let before = Instant::now();
            larder.http("ana").get("/api/user/get_self").expect(200);
            assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
        }
    });
}
