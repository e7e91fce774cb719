//! One-time codes: who may make one, what it signs in, and when it no longer does.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::harness::{Answer, Larder, everybody_may_everything, login_request, password_of, wait};

/// A larder with the helper hel, who looks after people within `a`, and gus, who may read `a/x`.
fn house() -> Larder {
    let mut roles = everybody_may_everything();
    for path in ["/api/user/create", "/api/user/edit", "/api/user/delete", "/api/finder"] {
        roles[path] = json!(["admin", "user", "helper"]);
    }
    roles["/api/role/edit"] = json!(["admin"]);
    Larder::prepare()
        .roles(&roles)
        .launch()
        .user("ana")
        .user_with("hel", "helper", r#"["a"]"#, r#"["a"]"#)
        .user_with("gus", "guest", r#"["a/x"]"#, "[]")
        .admin("ida")
}

/// Asks for a code for `whom`, as `who` who has signed in.
#[track_caller]
fn ask(larder: &Larder, who: &str, whom: &str) -> Answer {
    larder.session(who).post("/api/user/signin_code", json!({ "username": whom }))
}

/// A code for `whom`, made by ida.
#[track_caller]
fn code(larder: &Larder, whom: &str) -> String {
    ask(larder, "ida", whom).expect(200).json()["code"].as_str().unwrap().to_owned()
}

/// Signs in by a code, from an address of its own each time.
#[track_caller]
fn sign_in(larder: &Larder, code: &str) -> Answer {
    larder.login(&json!({ "code": code }))
}

/// Who the answer signed in.
#[track_caller]
fn who(larder: &Larder, answer: &Answer) -> Value {
    let token = answer.json()["token"].as_str().unwrap().to_owned();
    larder.bearer(&token).get("/api/user/get_self").expect(200).json()["username"].clone()
}

/// It was no good.
#[track_caller]
fn expect_dead(larder: &Larder, code: &str) {
    sign_in(larder, code).expect_error(401, "Invalid username or password");
}

#[test]
fn a_code_signs_in_once_with_a_cookie_and_the_log_has_neither_it_nor_its_hash() {
    let larder = house();
    let answer = ask(&larder, "ida", "gus").expect(200);
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let made = answer.json();
    let code = made["code"].as_str().unwrap();
    assert_eq!(made["status"], "Code made");
    assert_eq!(made["url"], format!("/auth#code={code}"));
    assert!(made["address"].as_str().unwrap().ends_with(&format!("/auth#code={code}")), "{made}");
    assert!(made["qr"].as_str().unwrap().starts_with("<svg "), "{made}");
    assert!(made["expires"].as_str().unwrap().ends_with('Z'), "{made}");
    let answer = sign_in(&larder, code).expect(200);
    assert!(answer.header("Set-Cookie").unwrap().starts_with("larder_session="));
    assert_eq!(who(&larder, &answer), "gus");
    expect_dead(&larder, code);
    wait::until("rows of the log", || {
        let log = larder.http("ana").get("/api/get_logs").expect(200).json().to_string();
        assert!(!log.contains(code) && !log.contains("#code"), "{log}");
        log.contains("gus: signed in with a one-time code")
            && log.contains("ida: made a sign-in code for gus")
            && log.contains("failed sign-in with a one-time code")
    });
}

#[test]
fn a_code_is_taken_in_capitals_and_without_its_dashes() {
    let larder = house();
    let typed = code(&larder, "gus").replace('-', " ").to_uppercase();
    assert_eq!(who(&larder, &sign_in(&larder, &typed).expect(200)), "gus");
}

#[test]
fn of_a_hundred_at_once_one_is_signed_in() {
    let larder = house();
    let request = login_request(&json!({ "code": code(&larder, "gus") }), "");
    let (larder, request, start) = (&larder, &request, Barrier::new(100));
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..100)
            .map(|number| {
                let start = &start;
                scope.spawn(move || {
                    let mut wire = larder.wire_from_afar_by(number + 1);
                    start.wait();
                    wire.send(request);
                    wire.answer()
                })
            })
            .collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let signed_in = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(signed_in, 1);
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 401 | 429 | 503)));
}

#[test]
fn wrong_codes_are_counted_by_address_and_wait() {
    let larder = house();
    let good = code(&larder, "gus");
    let guess = |code: &str| {
        let mut wire = larder.wire_from_afar_by(7);
        wire.send(login_request(&json!({ "code": code }), ""));
        wire.answer()
    };
    let mut waits = Vec::new();
    wait::until("a delay that grows", || {
        let answer = guess("abcd-efgh-ijkm");
        let after = answer.header("Retry-After").map(|after| after.parse::<u64>().unwrap());
        waits.extend(after);
        after.is_some_and(|after| after > 1)
    });
    let refused = guess(&good).expect(429);
    assert!(refused.header("Retry-After").is_some(), "the right one waits, too: {waits:?}");
    assert_eq!(who(&larder, &sign_in(&larder, &good).expect(200)), "gus", "elsewhere it is good");
}

#[test]
fn nothing_but_a_code_is_one() {
    let larder = house();
    for odd in ["x", "abcd-efgh-ijkl", &"a".repeat(1000), "' OR 1=1 --", "ä"] {
        expect_dead(&larder, odd);
    }
    for body in [json!({}), json!({ "username": "gus" }), json!({ "password": "x" })] {
        larder.login(&body).expect_error(400, "No username or password provided");
    }
    for body in [json!({ "code": "" }), json!({ "code": 5 }), json!({ "code": [] })] {
        larder.login(&body).expect(400);
    }
}

#[test]
fn codes_are_good_at_home_only_where_the_client_is_and_not_its_proxy() {
    let larder = house();
    larder
        .http("ana")
        .post("/api/update_settings", json!({ "trusted_proxies": ["127.0.0.0/8"] }))
        .expect(200);
    let code = code(&larder, "gus");
    let from = |address: &str| {
        let mut wire = larder.wire_from_afar();
        let field = format!("X-Forwarded-For: {address}\r\n");
        wire.send(login_request(&json!({ "code": code }), &field));
        wire.answer()
    };
    for away in ["203.0.113.9", "2001:db8::7", "100.64.0.1"] {
        from(away).expect_error(401, "Invalid username or password");
    }
    for unknown in ["garbage", "8.8.8.8, garbage", "", "192.168.1.30,"] {
        from(unknown).expect_error(401, "Invalid username or password");
    }
    assert_eq!(who(&larder, &from("192.168.1.30").expect(200)), "gus", "those did not use it up");
}

#[test]
fn nobody_makes_a_code_for_who_may_more_than_they() {
    let larder = house();
    for stronger in ["ida", "ana", "admin"] {
        ask(&larder, "hel", stronger).expect(403);
    }
    ask(&larder, "hel", "gus").expect(200);
    ask(&larder, "hel", "hel").expect(200);
    ask(&larder, "hel", "nobody").expect_error(404, "User not found");
    ask(&larder, "gus", "gus").expect(403);
    let by_key =
        |name: &str| larder.http(name).post("/api/user/signin_code", json!({ "username": name }));
    by_key("ida").expect(401);
    by_key("hel").expect(401);
    larder.anonymous().post("/api/user/signin_code", json!({ "username": "gus" })).expect(401);
}

#[test]
fn a_code_ends_with_what_its_user_was_when_it_was_made() {
    let larder = house();
    let ida = larder.http("ida");
    let everybody = ida.get("/api/user/get_all").expect(200).json();
    let all = everybody.as_array().unwrap();
    let gus = all.iter().find(|user| user["username"] == "gus").unwrap();
    let edit = |change: Value| {
        let mut asked = json!({ "id": gus["id"], "username": "gus", "name": "Gus" });
        asked.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        ida.post("/api/user/edit", asked).expect(200);
    };
    for change in [
        json!({ "password": "another" }),
        json!({ "role": "admin" }),
        json!({ "paths": [""] }),
        json!({ "paths_write": ["a"] }),
    ] {
        let code = code(&larder, "gus");
        edit(change);
        expect_dead(&larder, &code);
    }
    let kept = code(&larder, "gus");
    edit(json!({}));
    sign_in(&larder, &kept).expect(200);
    let left = code(&larder, "gus");
    ida.post("/api/user/delete", json!({ "username": "gus" })).expect(200);
    expect_dead(&larder, &left);
}

#[test]
fn who_has_no_password_is_let_in_by_a_code_and_chooses_one() {
    let larder = house();
    let ida = larder.http("ida");
    let anna = json!({ "username": "anna", "name": "Anna", "role": "user", "paths": ["Anna"],
        "paths_write": ["Anna"], "without_password": true });
    let mut with_neither = anna.clone();
    with_neither["without_password"] = json!(false);
    ida.post("/api/user/create", with_neither)
        .expect_error(400, "No username, password, name or role provided");
    ida.post("/api/user/create", anna).expect(200);
    for guess in ["x", " ", "anna"] {
        larder.sign_in("anna", guess).expect_error(401, "Invalid username or password");
    }
    let token = sign_in(&larder, &code(&larder, "anna")).expect(200).json()["token"].clone();
    let anna = larder.bearer(token.as_str().unwrap());
    assert_eq!(anna.get("/api/user/get_self").expect(200).json()["has_password"], false);
    let chosen = anna.post("/api/user/edit_self", json!({ "password": password_of("anna") }));
    let token = chosen.expect(200).json()["token"].clone();
    let anna = larder.bearer(token.as_str().unwrap());
    assert_eq!(anna.get("/api/user/get_self").expect(200).json()["has_password"], true);
    larder.token("anna");
    let checked = larder.run(&["check"], "");
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert!(!said.contains("password hash"), "{said}");
}

#[test]
fn a_first_start_shows_a_code_and_a_later_one_does_not() {
    let mut larder = Larder::bare().launch();
    let lines = std::iter::from_fn(|| larder.process().next_line(wait::PATIENCE));
    let line = lines.into_iter().find(|line| line.contains("/auth#code=")).unwrap();
    let code = line.rsplit_once('=').unwrap().1;
    assert!(line.trim().starts_with(&format!("http://127.0.0.1:{}/auth#code=", larder.port())));
    assert_eq!(who(&larder, &sign_in(&larder, code).expect(200)), "admin");
    larder.stop();
    let larder = larder.launch();
    let next = || larder.process().next_line(std::time::Duration::from_millis(300));
    let later: Vec<String> = std::iter::from_fn(next).collect();
    assert!(later.iter().all(|line| !line.contains("#code=")), "{later:?}");
}

#[test]
fn the_command_line_makes_a_code_beside_a_running_server_and_without_one() {
    let mut larder = house();
    let run = |larder: &Larder, words: &[&str]| {
        let output = larder.run(&[&["signin-code"], words].concat(), "");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
        said
    };
    let code_in = |said: &str| {
        let after = said.split_once("#code=").unwrap().1;
        after.chars().take_while(|letter| !letter.is_whitespace()).collect::<String>()
    };
    let said = run(&larder, &[]);
    assert!(said.contains(&format!("http://127.0.0.1:{}/auth#code=", larder.port())), "{said}");
    let answer = sign_in(&larder, &code_in(&said)).expect(200);
    assert_eq!(who(&larder, &answer), "admin", "the first admin");
    let of_gus = code_in(&run(&larder, &["gus"]));
    assert_eq!(who(&larder, &sign_in(&larder, &of_gus).expect(200)), "gus");
    let unknown = larder.run(&["signin-code", "nobody"], "");
    assert!(!unknown.status.success());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("User not found"));
    larder.stop();
    let said = run(&larder, &["gus"]);
    assert!(said.contains("No larder is running"), "{said}");
    let of_gus = code_in(&said).trim_end_matches(',').to_owned();
    let larder = larder.launch();
    assert_eq!(who(&larder, &sign_in(&larder, &of_gus).expect(200)), "gus");
}

/// Starts larder on a terminal of this kind; gives what it shows until it is stopped.
#[track_caller]
fn on_a_terminal(locale: &str, columns: u16) -> String {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

    let larder = Larder::bare();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave =
        std::fs::OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut size = rustix::termios::tcgetwinsize(&master).unwrap();
    size.ws_col = columns;
    rustix::termios::tcsetwinsize(&master, size).unwrap();
    let mut command = larder.command();
    command.env("LC_ALL", locale).env("TERM", "xterm-256color");
    let mut child =
        command.stdin(Stdio::null()).stdout(slave).stderr(Stdio::null()).spawn().unwrap();
    drop(command);
    let (mut shown, mut lines) = (String::new(), BufReader::new(std::fs::File::from(master)));
    while lines.read_line(&mut shown).unwrap_or(0) > 0 {
        if shown.lines().last().is_some_and(|line| line.contains("#code=")) {
            // What it has begun to say it says to its end.
            let id = rustix::process::Pid::from_child(&child);
            rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        }
    }
    child.wait().unwrap();
    shown
}

#[test]
fn a_terminal_of_utf_8_that_is_wide_enough_shows_the_address_as_a_qr_code() {
    let shown = on_a_terminal("C.UTF-8", 80);
    assert!(shown.contains("/auth#code=") && shown.contains('▀'), "{shown}");
    for (locale, columns) in [("C", 80), ("C.UTF-8", 30)] {
        let shown = on_a_terminal(locale, columns);
        assert!(shown.contains("/auth#code=") && !shown.contains('▀'), "{locale}: {shown}");
    }
}

#[test]
fn the_address_is_that_by_which_the_one_who_asks_is_here() {
    let larder = house();
    let token = larder.token("ida");
    let address = |origin: &str| {
        let ida = larder.bearer(&token).with("Origin", origin);
        let answer = ida.post("/api/user/signin_code", json!({ "username": "gus" })).expect(200);
        let made = answer.json();
        let url = made["url"].as_str().unwrap();
        made["address"].as_str().unwrap().strip_suffix(url).unwrap().to_owned()
    };
    let own = format!("127.0.0.1:{}", larder.port());
    assert_eq!(address(&format!("https://{own}")), format!("https://{own}"), "behind a proxy");
    assert_eq!(address("http://elsewhere.example"), format!("http://{own}"));
    assert_eq!(address("null"), format!("http://{own}"));
    let settings = json!({ "public_url": "https://nas.example" });
    larder.http("ana").post("/api/update_settings", settings).expect(200);
    assert_eq!(address("https://nas.example"), "https://nas.example");
    assert_eq!(
        address(&format!("http://{own}")),
        format!("http://{own}"),
        "at home by the address"
    );
    assert_eq!(address("null"), "https://nas.example");
}
