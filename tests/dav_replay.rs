//! Recordings of what programs say to a `WebDAV` server that cannot run where the tests do, played to the real larder:
//! `tests/clients/dav/*.txt`. They are written by us, from what is told publicly of these programs, and some from what
//! they said here. All requests of a recording come over one connection, which is opened anew only where larder says
//! that it closes. A line begins with what it is:
//!
//! | line | meaning |
//! | --- | --- |
//! | `# words` | a remark |
//! | `+ path: content` | what is in the share before; a number of files where the path has `{1..99}` |
//! | `> words` | the request: its line, its fields, an empty one, its body. `Host` and the length are added; with `Transfer-Encoding` the body goes in chunks |
//! | `>* 3000` | a body of so many letters |
//! | `< 207` | the answer that is demanded: its status |
//! | `< Name: value` | a field of it; `-` says that there is none |
//! | `< Name: not value` | a field with another value |
//! | `<+ words`, `<- words` | words that its body has, or does not have |
//! | `<= words` | its whole body |
//! | `<# 7` | how many things it tells of |
//! | `= path: content` | what is in the share by now |
//! | `! path` | what is not |
//!
//! `{name}` in a demanded field catches what is there, unless it is known; everywhere else it stands for what was
//! caught. Known from the beginning are `{ana}` and `{pc}`, what follows `Basic` for ana and her key (`{pc}` with the
//! name of a computer before hers), and `{host}`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::harness::dav::basic;
use crate::harness::{Answer, Larder, Wire, everybody_may_everything};

/// Makes a test of each recording, and knows them all.
macro_rules! recordings {
    ($($name:ident)*) => {
        $(#[test]
        fn $name() {
            play(stringify!($name));
        })*

        #[test]
        fn every_recording_is_played() {
            let names = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
            names.sort();
            let played: Vec<String> = [$(stringify!($name)),*].map(|name| format!("{name}.txt")).into();
            assert_eq!(names, played);
        }
    };
}

recordings! { android cyberduck davfs2 explorer finder gnome joplin kde keepass office zotero }

/// Where the recordings are.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/dav")
}

/// Plays a recording.
fn play(name: &str) {
    let larder = Larder::prepare().roles(&everybody_may_everything()).launch().user("ana");
    let wish = json!({ "label": "drive", "write": true, "doors": ["dav"] });
    let (_, key) = larder.session("ana").make_key(wish);
    let secret = |name: &str| basic(name, &key).trim_start_matches("Basic ").to_owned();
    let known = [
        ("ana", secret("ana")),
        ("pc", secret("LAPTOP\\ana")),
        ("host", format!("127.0.0.1:{}", larder.port())),
    ];
    let known = known.map(|(name, value)| (name.to_owned(), value)).into();
    let wire = larder.wire();
    let mut player = Player { larder, wire, known, ask: Ask::default(), answer: None };
    let text = fs::read_to_string(folder().join(format!("{name}.txt"))).unwrap();
    for (number, line) in (1..).zip(text.lines()) {
        let is_so = player.hear(line);
        let answer = player.answer.as_ref().map(ToString::to_string).unwrap_or_default();
        assert!(is_so, "{name}.txt, line {number}: {line}\nThe answer: {answer}");
    }
}

/// KDE brings several files at once, and its password with none of them that was not refused before.
#[test]
fn several_large_files_are_refused_before_they_are_here() {
    let larder = Larder::prepare().roles(&everybody_may_everything()).launch().user("ana");
    let body = vec![b'x'; 3_000_000];
    let mut wires: Vec<Wire> = (0..6).map(|_| larder.wire()).collect();
    for (number, wire) in wires.iter_mut().enumerate() {
        let length = "Content-Length: 3000000";
        wire.send(format!("PUT /dav/{number}.bin HTTP/1.1\r\nHost: nas\r\n{length}\r\n\r\n"));
    }
    for wire in &mut wires {
        wire.send_until_answered(&body);
        let answer = wire.answer().expect(401);
        assert_eq!(answer.header("DAV"), Some("1, 2"), "{answer}");
    }
    assert_eq!((larder.tree().len(), larder.unfinished()), (0, 0));
}

/// A request as it is read.
#[derive(Default)]
struct Ask {
    /// Its line and its fields.
    head: Vec<String>,
    /// The lines of its body.
    body: Vec<String>,
    /// Whether the head is over.
    has_body: bool,
}

/// Plays one recording, line by line.
struct Player {
    /// To whom.
    larder: Larder,
    /// Over which connection.
    wire: Wire,
    /// What names in braces stand for.
    known: BTreeMap<String, String>,
    /// The request that is being read.
    ask: Ask,
    /// What the last one was answered.
    answer: Option<Answer>,
}

impl Player {
    /// Does what a line says; whether what it demands is so.
    fn hear(&mut self, line: &str) -> bool {
        let (kind, words) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "" | "#" => true,
            "+" => self.put(words),
            ">" if words.is_empty() => {
                self.ask.has_body = true;
                true
            }
            ">" => {
                let words = self.known(words);
                let part = if self.ask.has_body { &mut self.ask.body } else { &mut self.ask.head };
                part.push(words);
                true
            }
            ">*" => {
                self.ask.has_body = true;
                self.ask.body.push("x".repeat(words.parse().unwrap()));
                true
            }
            "<" if words.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.send();
                words.parse().is_ok_and(|status: u16| status == self.answered().status)
            }
            "<" => self.demand(words),
            "<+" => self.answered().text().contains(&self.known(words)),
            "<-" => !self.answered().text().contains(&self.known(words)),
            "<=" => self.answered().text() == self.known(words),
            "<#" => {
                self.answered().text().matches("<D:response>").count()
                    == words.parse::<usize>().unwrap()
            }
            "=" => {
                let (path, content) = words.split_once(": ").unwrap_or((words, ""));
                self.larder.exists(path) && self.larder.read(path) == content
            }
            "!" => !self.larder.exists(words),
            _ => panic!("no recording has such a line: {line}"),
        }
    }

    /// What was answered last.
    fn answered(&self) -> &Answer {
        self.answer.as_ref().expect("a request before what is demanded of its answer")
    }

    /// Puts something into the share.
    fn put(&self, words: &str) -> bool {
        let (path, content) = words.split_once(": ").unwrap_or((words, ""));
        match path.split_once("{1..") {
            Some((before, rest)) => {
                let (count, behind) = rest.split_once('}').unwrap();
                for number in 1..=count.parse::<usize>().unwrap() {
                    self.larder.write(&format!("{before}{number}{behind}"), content);
                }
            }
            None => self.larder.write(path, content),
        }
        true
    }

    /// The same with what names in braces stand for.
    fn known(&self, words: &str) -> String {
        let put = |text: String, (name, value): (&String, &String)| {
            text.replace(&format!("{{{name}}}"), value)
        };
        self.known.iter().fold(words.to_owned(), put)
    }

    /// Says the request that was read, and hears the answer.
    fn send(&mut self) {
        let ask = std::mem::take(&mut self.ask);
        let body = ask.body.join("\n");
        let has =
            |field: &str| ask.head.iter().any(|line| line.to_ascii_lowercase().starts_with(field));
        let mut bytes = format!("{}\r\nHost: {}\r\n", ask.head[0], self.known["host"]);
        for field in &ask.head[1..] {
            bytes.extend([field, "\r\n"]);
        }
        let is_chunked = has("transfer-encoding:");
        if ask.has_body && !is_chunked && !has("content-length:") {
            bytes.extend(["Content-Length: ", &body.len().to_string(), "\r\n"]);
        }
        bytes.push_str("\r\n");
        if is_chunked {
            let (one, two) = body.split_at(body.len() / 2);
            bytes.extend([one, two].map(|part| format!("{:X}\r\n{part}\r\n", part.len())));
            bytes.push_str("0\r\n\r\n");
        } else {
            bytes.push_str(&body);
        }
        self.wire.send_until_answered(bytes.as_bytes());
        let is_head = ask.head[0].starts_with("HEAD ");
        let mut answer = if is_head { self.wire.head_answer() } else { self.wire.answer() };
        answer.asked.clone_from(&ask.head[0]);
        if answer.header("Connection") == Some("close") {
            self.wire = self.larder.wire();
        }
        self.answer = Some(answer);
    }

    /// Whether the answer has a field as it is demanded; what is not known yet is caught.
    fn demand(&mut self, words: &str) -> bool {
        let (name, wanted) = words.split_once(": ").expect("a field");
        let (wanted, found) = (self.known(wanted), self.answered().header(name));
        let Some(found) = found.map(str::to_owned) else { return wanted == "-" };
        if let Some(other) = wanted.strip_prefix("not ") {
            return found != other;
        }
        let Some((before, rest)) = wanted.split_once('{') else { return found == wanted };
        let (caught, behind) = rest.split_once('}').unwrap();
        let value = found.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind));
        let value = value.map(|value| (caught.to_owned(), value.to_owned()));
        value.is_some_and(|(caught, value)| self.known.insert(caught, value).is_none())
    }
}
