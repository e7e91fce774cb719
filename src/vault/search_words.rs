//! What is looked for by name, and whether a name is that (second contract, section 17): words that must all be in it.
//! Case and accents do not matter, in whatever Unicode form they are. However odd the words are, the time that a name
//! takes grows with its length alone.

use crate::limits;
use memchr::memmem::Finder;
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::canonical_combining_class;

/// The words of a search.
#[derive(Debug, Default)]
pub struct Words {
    /// What must be so of a name or a path.
    words: Vec<Word>,
    /// Whether hidden names are meant, too.
    means_hidden: bool,
}

/// One of them, folded.
#[derive(Debug)]
enum Word {
    /// It is in the name.
    InName(Finder<'static>),
    /// It is in the path, names parted by `/`.
    InPath(Finder<'static>),
    /// The whole name looks so.
    Name(Pattern),
    /// The whole path looks so, from one of its names on.
    Path(Pattern),
}

impl Words {
    /// Takes a query apart; `None` if it is longer or has more words than anybody has use for.
    pub fn parse(query: &str) -> Option<Self> {
        let query = query.trim_start();
        if query.len() > limits::SEARCH_QUERY_BYTES_MAX {
            return None;
        }
        let fold = |word: &str| {
            let mut folded = String::new();
            fold_into(word, &mut folded);
            folded
        };
        let words: BTreeSet<String> = query.split_whitespace().map(fold).collect();
        let words: Vec<Word> = words.iter().filter(|word| !word.is_empty()).map(word_of).collect();
        let means_hidden = query.starts_with('.');
        (words.len() <= limits::SEARCH_WORDS_MAX).then_some(Self { words, means_hidden })
    }

    /// Whether there is none, so that every name is right.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether hidden names are meant, too.
    pub fn means_hidden(&self) -> bool {
        self.means_hidden
    }

    /// Whether any word is about paths.
    fn is_about_paths(&self) -> bool {
        self.words.iter().any(|word| matches!(word, Word::InPath(_) | Word::Path(_)))
    }
}

/// A folded word.
fn word_of(word: &String) -> Word {
    let is_pattern = word.contains(['*', '?']);
    match (is_pattern, word.contains('/')) {
        (false, false) => Word::InName(Finder::new(word).into_owned()),
        (false, true) => Word::InPath(Finder::new(word).into_owned()),
        (true, false) => Word::Name(Pattern::of(word)),
        // Paths begin with `/` here, so that a word which does is bound to the beginning.
        (true, true) if word.starts_with('/') => Word::Path(Pattern::of(word)),
        (true, true) => Word::Path(Pattern::of(&format!("*/{word}"))),
    }
}

/// Judges names, one after another.
#[derive(Debug)]
pub struct Judge<'w> {
    /// What is looked for.
    words: &'w Words,
    /// The folded name, to be used again.
    name: String,
    /// The folded path of the folder, between two `/`, and then of the name in it.
    path: String,
    /// How long the folder's is.
    folder_bytes: usize,
    /// Where a pattern stands, to be used again.
    states: Vec<u64>,
}

impl<'w> Judge<'w> {
    /// By these words.
    pub fn by(words: &'w Words) -> Self {
        Self {
            words,
            name: String::new(),
            path: String::new(),
            folder_bytes: 0,
            states: Vec::new(),
        }
    }

    /// The names that come are in this folder; where it is by where the search began.
    pub fn enter(&mut self, folder: &str) {
        if self.words.is_about_paths() {
            self.path.clear();
            self.path.push('/');
            fold_into(folder, &mut self.path);
            if !folder.is_empty() {
                self.path.push('/');
            }
            self.folder_bytes = self.path.len();
        }
    }

    /// Whether a name in the folder has all words.
    pub fn is_meant(&mut self, name: &str) -> bool {
        if self.words.is_empty() {
            return true;
        }
        self.name.clear();
        fold_into(name, &mut self.name);
        if self.words.is_about_paths() {
            self.path.truncate(self.folder_bytes);
            self.path.push_str(&self.name);
        }
        self.words.words.iter().all(|word| match word {
            Word::InName(word) => word.find(self.name.as_bytes()).is_some(),
            Word::InPath(word) => word.find(self.path.as_bytes()).is_some(),
            Word::Name(pattern) => pattern.is_like(&self.name, &mut self.states),
            Word::Path(pattern) => pattern.is_like(&self.path, &mut self.states),
        })
    }
}

/// Appends a text as it is compared: in small letters, decomposed (NFD), without accents.
fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.extend(text.chars().map(|letter| letter.to_ascii_lowercase()));
        return;
    }
    let letters = text.nfd().filter(|letter| !is_accent(*letter)).flat_map(char::to_lowercase);
    for letter in letters {
        // What is no letter with an accent to Unicode, and is one to whoever types.
        match letter {
            'ß' => out.push_str("ss"),
            'æ' => out.push_str("ae"),
            'œ' => out.push_str("oe"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'đ' => out.push('d'),
            'ı' => out.push('i'),
            'ς' => out.push('σ'),
            letter if is_accent(letter) => {}
            letter => out.push(letter),
        }
    }
}

/// Whether it is a mark on another letter that may be left out: accents, and the vowel signs of Hebrew and Arabic (by
/// their combining classes). Others, such as those of Indian scripts and of kana, make another letter.
fn is_accent(letter: char) -> bool {
    !letter.is_ascii() && matches!(canonical_combining_class(letter), 10..=36 | 200..=240)
}

/// A pattern with `*` (anything) and `?` (one letter), as a machine that is in several places of it at once, a bit for
/// each: what a text costs grows with its length and never explodes.
#[derive(Debug)]
struct Pattern {
    /// Letters in it, `?` included; the place behind the last is where a text must end.
    length: usize,
    /// The places behind which each letter stands that it names.
    letters: Vec<(char, Vec<u64>)>,
    /// The places behind which any letter may stand.
    any: Vec<u64>,
    /// The places at which any number of letters may stand.
    stars: Vec<u64>,
}

/// Bits of a number in which places are kept.
const BITS: usize = u64::BITS as usize;

/// Adds a place.
fn set(places: &mut [u64], place: usize) {
    if let Some(bits) = places.get_mut(place / BITS) {
        *bits |= 1 << (place % BITS);
    }
}

impl Pattern {
    /// Reads one.
    fn of(text: &str) -> Self {
        let length = text.chars().filter(|letter| *letter != '*').count();
        let nothing = vec![0; length / BITS + 1];
        let (mut any, mut stars, mut place) = (nothing.clone(), nothing.clone(), 0);
        let mut letters: Vec<(char, Vec<u64>)> = Vec::new();
        for letter in text.chars() {
            match letter {
                '*' => {
                    set(&mut stars, place);
                    continue;
                }
                '?' => set(&mut any, place),
                letter => {
                    let at = letters.binary_search_by_key(&letter, |(known, _)| *known);
                    let at = at.unwrap_or_else(|at| {
                        letters.insert(at, (letter, nothing.clone()));
                        at
                    });
                    set(&mut letters[at].1, place);
                }
            }
            place += 1;
        }
        Self { length, letters, any, stars }
    }

    /// Whether a whole text looks so. `states` is memory to be used again.
    fn is_like(&self, text: &str, states: &mut Vec<u64>) -> bool {
        // A text has no more letters than bytes.
        if text.len() < self.length {
            return false;
        }
        states.clear();
        states.resize(self.any.len(), 0);
        set(states, 0);
        for letter in text.chars() {
            let at = self.letters.binary_search_by_key(&letter, |(known, _)| *known).ok();
            let named = at.map(|at| &self.letters[at].1);
            let (mut carried, mut is_anywhere) = (0, 0);
            for (at, state) in states.iter_mut().enumerate() {
                let fits = self.any[at] | named.map_or(0, |named| named[at]);
                let moved = *state & fits;
                *state = moved << 1 | carried | (*state & self.stars[at]);
                carried = moved >> (BITS - 1);
                is_anywhere |= *state;
            }
            if is_anywhere == 0 {
                return false;
            }
        }
        states[self.length / BITS] >> (self.length % BITS) & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, Instant};

    /// Whether a name in a folder is found by a query.
    fn finds(query: &str, folder: &str, name: &str) -> bool {
        let words = Words::parse(query).unwrap();
        let mut judge = Judge::by(&words);
        judge.enter(folder);
        judge.is_meant(name)
    }

    /// A text as it is compared.
    fn folded(text: &str) -> String {
        let mut out = String::new();
        fold_into(text, &mut out);
        out
    }

    #[test]
    fn neither_case_nor_accents_nor_their_form_matter() {
        for (query, name) in [
            ("muller", "Müller.txt"),
            ("MÜLLER", "mu\u{308}ller.TXT"),
            ("mu\u{308}ller", "MÜLLER"),
            ("strasse", "Straße 5"),
            ("straße", "STRASSE"),
            ("oresund", "Øresund.jpg"),
            ("lodz", "Łódź"),
            ("istanbul", "İstanbul"),
            ("οδος", "ΟΔΟΣ"),
            ("елка", "Ёлка"),
            ("viet nam", "Việt_Nam.pdf"),
            ("2024 urlaub", "Urlaub im Mai 2024.mp4"),
            ("가", "각하"),
        ] {
            assert!(finds(query, "", name), "{query} {name}");
        }
        for (query, name) in [("muller", "Miller"), ("a b", "a"), ("ab", "a b"), ("が", "か")] {
            assert!(!finds(query, "", name), "{query} {name}");
        }
    }

    #[test]
    fn patterns_are_for_the_whole_name_and_slashes_for_the_path() {
        for (query, folder, name, is_found) in [
            ("*.jpg", "", "a.JPG", true),
            ("*.jpg", "", "a.jpg.txt", false),
            ("img_????.*", "", "IMG_1234.HEIC", true),
            ("img_????.*", "", "IMG_123.HEIC", false),
            ("?", "", "ü", true),
            ("?", "", "ab", false),
            ("*", "", "anything", true),
            ("*a*b*", "", "xaxbx", true),
            ("*a*b*", "", "xbxax", false),
            ("urlaub/*.jpg", "photos/Urlaub", "a.jpg", true),
            ("urlaub/*.jpg", "photos/Urlaub/2024", "a.jpg", true),
            ("urlaub/*.jpg", "photos/MeinUrlaub", "a.jpg", false),
            ("/photos/*", "photos", "a.jpg", true),
            ("/photos/*", "old/photos", "a.jpg", false),
            ("otos/url", "photos/Urlaub", "a.jpg", true),
            ("photos/a", "photos", "a.jpg", true),
            ("photos/ jpg", "photos", "a.jpg", true),
            ("photos/ jpg", "", "photos", false),
            ("/a", "", "a.jpg", true),
            ("/a", "", "ba.jpg", false),
            ("a b", "a", "b", false),
        ] {
            assert_eq!(finds(query, folder, name), is_found, "{query} {folder} {name}");
        }
    }

    #[test]
    fn a_query_that_nobody_needs_is_none_and_marks_alone_are_no_words() {
        assert!(Words::parse(&"a".repeat(limits::SEARCH_QUERY_BYTES_MAX + 1)).is_none());
        let many = |count: usize| ('\u{4e00}'..).take(count).flat_map(|word| [word, ' ']);
        let many = |count: usize| many(count).collect::<String>();
        assert!(Words::parse(&many(limits::SEARCH_WORDS_MAX)).is_some());
        assert!(Words::parse(&many(limits::SEARCH_WORDS_MAX + 1)).is_none());
        for nothing in ["", "  ", "\u{301}", "\t\n"] {
            assert!(Words::parse(nothing).unwrap().is_empty(), "{nothing:?}");
        }
        assert!(Words::parse(" .git").unwrap().means_hidden());
        assert!(!Words::parse("a .git").unwrap().means_hidden());
    }

    #[test]
    fn no_pattern_takes_long() {
        let name = "a".repeat(255);
        let since = Instant::now();
        for query in [
            format!("{}b", "*a".repeat(400)),
            format!("{}b", "a*?".repeat(300)),
            format!("{}b", "*".repeat(900)),
            "?*".repeat(500),
        ] {
            let words = Words::parse(&query).unwrap();
            let mut judge = Judge::by(&words);
            for _ in 0..1000 {
                let _found = judge.is_meant(&name);
            }
        }
        // Unoptimised, on a busy machine; what explodes would take years.
        assert!(since.elapsed() < Duration::from_mins(2));
    }

    /// What a pattern means, told another way.
    fn is_like(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=text.len()).any(|cut| is_like(rest, &text[cut..])),
            (['?', rest @ ..], [_, text @ ..]) => is_like(rest, text),
            ([one, rest @ ..], [other, text @ ..]) => one == other && is_like(rest, text),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn patterns_agree_with_the_model(pattern in "[ab*?]{1,10}", text in "[ab]{0,12}") {
            let letters = |text: &str| text.chars().collect::<Vec<_>>();
            let told = Pattern::of(&pattern).is_like(&text, &mut Vec::new());
            prop_assert_eq!(told, is_like(&letters(&pattern), &letters(&text)));
        }

        #[test]
        fn long_patterns_agree_with_short_ones(pattern in "[ab?]{60,140}", text in "[ab]{60,140}") {
            let same = pattern.chars().zip(text.chars()).all(|(one, other)| one == '?' || one == other);
            let told = Pattern::of(&pattern).is_like(&text, &mut Vec::new());
            prop_assert_eq!(told, same && pattern.len() == text.len());
        }

        #[test]
        fn folding_knows_no_form_and_does_nothing_twice(text in "\\PC{0,20}") {
            let once = folded(&text);
            prop_assert_eq!(&folded(&text.nfc().collect::<String>()), &once);
            prop_assert_eq!(&folded(&text.nfd().collect::<String>()), &once);
            prop_assert_eq!(&folded(&once), &once);
        }

        #[test]
        fn every_name_is_found_by_its_parts(name in "[\\PC&&[^*?/\\s]]{1,20}", from in 0_usize..20, to in 0_usize..20) {
            let letters: Vec<char> = name.nfc().collect();
            let (from, to) = (from.min(letters.len()), to.min(letters.len()));
            let part: String = letters.get(from..to).unwrap_or_default().iter().collect();
            let words = Words::parse(&part).unwrap();
            prop_assert!(words.is_empty() || Judge::by(&words).is_meant(&name), "{} {}", part, name);
        }
    }
}
