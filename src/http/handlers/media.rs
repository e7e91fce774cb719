//! Media types by name, and what they mean for a browser.

/// Types that the list of names has otherwise, or in a form that players do not know (IANA's registry).
const OURS: &[(&str, &str)] = &[("m4a", "audio/mp4"), ("m4b", "audio/mp4"), ("ts", "video/mp2t")];

/// The type of a file with this name; `application/octet-stream` when the name says nothing.
pub fn of(name: &str) -> String {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = OURS.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    if let Some((_, media_type)) = known {
        return (*media_type).to_owned();
    }
    mime_guess::from_path(name).first_or_octet_stream().essence_str().to_owned()
}

/// Pictures, films and sound: what `get_file` answers as binary (contract, section 5).
pub fn is_media(media_type: &str) -> bool {
    ["image/", "video/", "audio/"].iter().any(|kind| media_type.starts_with(kind))
}

/// As a `Content-Type` field: text is taken for UTF-8, which is what people write today.
pub fn content_type(media_type: &str) -> String {
    if media_type.starts_with("text/") {
        return format!("{media_type}; charset=utf-8");
    }
    media_type.to_owned()
}

/// What a browser shows without running anything of it. Everything else is sandboxed when shown
/// inline: the list names what is known to be harmless, not what is known to be dangerous.
pub fn is_passive(media_type: &str) -> bool {
    let is_drawing = media_type.contains("svg") || media_type.contains("xml");
    (is_media(media_type) && !is_drawing) || matches!(media_type, "application/pdf" | "text/plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn players_know_the_types() {
        for (name, media_type) in [
            ("book.m4b", "audio/mp4"),
            ("song.M4A", "audio/mp4"),
            ("film.part.ts", "video/mp2t"),
            ("ts", "application/octet-stream"),
            ("film.mp4", "video/mp4"),
        ] {
            assert_eq!(of(name), media_type, "{name}");
        }
    }

    #[test]
    fn what_may_hold_a_script_is_not_passive() {
        for name in [
            "a.html",
            "a.htm",
            "a.xhtml",
            "a.svg",
            "a.SVG",
            "a.xml",
            "a.js",
            "a.unknown",
            "a",
            "a.swf",
        ] {
            assert!(!is_passive(&of(name)), "{name} {}", of(name));
        }
        for name in ["a.jpg", "a.PNG", "a.mp4", "a.mp3", "a.pdf", "a.txt"] {
            assert!(is_passive(&of(name)), "{name} {}", of(name));
        }
    }
}
