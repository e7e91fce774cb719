//! Whatever a `WebDAV` client sends is read within its bounds or refused, without a panic: bodies, `If`, lists of tags,
//! `Timeout` and tokens of locks. What was read of a body can be written, and is then read as the same.
#![no_main]
#![allow(dead_code, reason = "files of larder's own, of which only a part is used here")]

mod auth;
mod dav;
#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/limits/dav.rs"]
mod limits;

use auth::lock_token::LockTokens;
use dav::tags::Tags;
use dav::{if_header, wish, xml};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(root) = xml::parse(bytes) {
        let told = root.to_text();
        let again = xml::parse(told.as_bytes()).expect("what was written is well-formed");
        assert_eq!(again.to_text(), told, "what was written is what was read");
        if let Ok(wanted) = wish::read(&root) {
            let around = format!("<D:owner xmlns:D='DAV:'>{}</D:owner>", wanted.words);
            // An owner's words may stand deeper where they are told than where they were sent.
            let _may_be_too_deep = xml::parse(around.as_bytes());
            assert!(wanted.words.len() <= limits::LOCK_OWNER_BYTES_MAX);
        }
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(lists) = if_header::parse(text) {
        let count: usize = lists.iter().map(|list| list.conditions.len()).sum();
        assert!(count <= limits::DAV_IF_CONDITIONS_MAX, "no more than are judged");
        assert!(lists.iter().all(|list| !list.conditions.is_empty()), "an empty list holds always");
    }
    let _lists_or_none = Tags::parse(text);
    assert!(wish::time(text) <= limits::LOCK_TIME_MAX);
    let escaped = xml::escaped(text);
    let around = format!("<a b='{}'>{escaped}</a>", xml::escaped_value(text));
    assert!(xml::parse(around.as_bytes()).is_ok(), "what is told of any name is well-formed");
    let tokens = LockTokens::new(b"a secret that the fuzzer knows").expect("a key");
    let _claim_or_none = tokens.read(text);
});
