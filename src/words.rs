//! Words that people give to themselves, to others and to things, and that others read in one line, among words that are
//! not theirs: names, labels, what a program calls itself. The one place that says what may be in them.

/// Whether a letter does something to the line that it stands in, or to how the letters around it are read, instead of
/// being read itself: control characters (C0, C1), and what parts lines or turns their direction (Unicode, UAX 9). With
/// one of them "gpj.exe" is shown as "exe.jpg", and the half of a row of the log that is larder's backwards. Joiners are
/// none: writing systems, and families of emoji, need them.
pub fn misleads(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether there is no such letter: what people choose is refused otherwise, so that it is what they see.
pub fn are_plain(text: &str) -> bool {
    !text.contains(misleads)
}

/// Words without such letters: of what nobody can be asked to choose anew.
pub fn plain(text: &str) -> String {
    text.chars().filter(|letter| !misleads(*letter)).collect()
}

/// Words in which such letters are seen where they were.
pub fn told(text: &str) -> String {
    text.chars().map(|letter| if misleads(letter) { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// One of each kind, and the ends of each row of them.
    pub const MISLEADING: [char; 16] = [
        '\0', '\n', '\u{1b}', '\u{7f}', '\u{80}', '\u{9f}', '\u{61c}', '\u{200e}', '\u{200f}',
        '\u{2028}', '\u{2029}', '\u{202a}', '\u{202e}', '\u{2066}', '\u{2068}', '\u{2069}',
    ];

    #[test]
    fn what_turns_or_parts_a_line_is_in_no_words() {
        for letter in MISLEADING {
            let text = format!("a{letter}b");
            assert!(!are_plain(&text), "{}", letter.escape_unicode());
            assert_eq!((plain(&text), told(&text)), ("ab".to_owned(), "a\u{fffd}b".to_owned()));
        }
    }

    #[test]
    fn what_people_write_with_is() {
        let family = "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}";
        for text in [
            "",
            "Ana",
            "Jürgen\u{308}",
            "שלום",
            "عربي",
            "می\u{200c}خواهم",
            family,
            "a\u{a0}b",
            "\u{2065}",
        ] {
            assert!(are_plain(text), "{text}");
            assert_eq!((plain(text).as_str(), told(text).as_str()), (text, text));
        }
    }
}
