//! Media types by name, and what they mean for a browser.

/// The type of a file with this name; `application/octet-stream` when the name says nothing.
pub fn of(name: &str) -> String {
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
