//! One message as it is sent: the sentence with what ntfy wants in fields of the head, or an object. What people have
//! named never gets into the head.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;

use super::News;
use crate::fetch::{self, Post};
use crate::limits;
use crate::settings::{NotifyFormat as Format, NotifyTarget as Target};

/// Bytes of a text in one encoded word, so that the word has at most 75 (RFC 2047, 2).
const WORD_BYTES: usize = 45;

/// What is told.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// The contract's word for its kind.
    pub event: &'static str,
    /// How many of the kind there were besides.
    pub more: u32,
    /// The newest.
    pub news: News,
}

/// The same as an object (second contract, section 24).
#[derive(Serialize)]
struct Object<'a> {
    /// What kind of thing.
    event: &'a str,
    /// When (RFC 3339, UTC).
    time: String,
    /// Which larder tells it.
    server: &'a str,
    /// A sentence for people.
    text: &'a str,
    /// Whose doing it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    /// Which place of the share it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'a str>,
}

impl Message {
    /// The sentence, with how many more there are.
    pub fn text(&self) -> String {
        match self.more {
            0 => self.news.text.clone(),
            more => format!("{}, and {more} more.", self.news.text.trim_end_matches('.')),
        }
    }

    /// How much it matters to ntfy (1 to 5), and the signs that it shows beside it.
    fn weight(&self) -> (&'static str, &'static str) {
        match self.event {
            "drive_gone" | "read_only" => ("5", "rotating_light,"),
            "drive_full" | "power" | "heat" => ("4", "warning,"),
            "new_sign_in" | "failures" => ("4", "closed_lock_with_key,"),
            "link_upload" => ("3", "inbox_tray,"),
            _ => ("3", ""),
        }
    }
}

/// Sends a message, of a larder that is called so.
///
/// Errors: why it did not arrive, in words for the owner, without anything that the other side has said.
pub(super) fn send(target: &Target, message: &Message, server: &str) -> Result<(), String> {
    let text = message.text();
    let (priority, sign) = message.weight();
    let bearer = format!("Bearer {}", target.token);
    let (title, tags) = (encoded(server), format!("{sign}{}", message.event));
    let mut fields: Vec<(&str, &str)> = Vec::new();
    if !target.token.is_empty() {
        fields.push(("Authorization", &bearer));
    }
    let body = match target.format {
        Format::Ntfy => {
            fields.extend([("Title", title.as_str()), ("Priority", priority), ("Tags", &tags)]);
            fields.push(("Content-Type", "text/plain; charset=utf-8"));
            text
        }
        Format::Json => {
            fields.push(("Content-Type", "application/json"));
            let News { user, path, at, .. } = &message.news;
            let time = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
            let (user, path) = (user.as_deref(), path.as_deref());
            let object = Object { event: message.event, time, server, text: &text, user, path };
            serde_json::to_string(&object).map_err(|cause| cause.to_string())?
        }
    };
    let post = Post { url: &target.url, fields: &fields, body: body.as_bytes() };
    match fetch::post(&post, limits::NOTIFY_TIME) {
        Ok(200..=299) => Ok(()),
        Ok(status @ 300..=399) => {
            Err(format!("the answer is {status}, which leads elsewhere: name that address instead"))
        }
        Ok(status) => Err(format!("the answer is {status}")),
        Err(fault) => Err(fault.to_string()),
    }
}

/// A text as a field of a head may hold it: what is not ASCII in encoded words (RFC 2047), which ntfy reads.
fn encoded(text: &str) -> String {
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let (mut words, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.floor_char_boundary(WORD_BYTES));
        words.push(format!("=?utf-8?B?{}?=", BASE64.encode(word)));
        rest = after;
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_name_in_ascii_stays_and_any_other_becomes_words_that_fit() {
        assert_eq!(encoded("larder on nas"), "larder on nas");
        assert_eq!(encoded("Büro"), "=?utf-8?B?QsO8cm8=?=");
        assert_eq!(encoded("ä".repeat(31).as_str()).split(' ').count(), 2);
    }

    proptest! {
        #[test]
        fn whatever_a_larder_is_called_its_title_is_one_line_of_ascii(name in ".{0,63}") {
            let title = encoded(&name);
            prop_assert!(title.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
            for word in title.split(' ').filter(|word| word.starts_with("=?utf-8?B?")) {
                prop_assert!(word.len() <= 75 || name == title);
            }
        }
    }
}
