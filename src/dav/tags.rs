//! Entity tags, one by one and in lists (RFC 9110, 8.8.3 and 13.1).

/// What a field of tags names.
pub enum Tags<'a> {
    /// Whatever is there.
    Any,
    /// One of these.
    These(Vec<Tag<'a>>),
}

/// An entity tag (RFC 9110, 8.8.3).
#[derive(Debug, PartialEq, Eq)]
pub struct Tag<'a> {
    /// Without its quotes.
    pub text: &'a str,
    /// Whether it is a weak one.
    pub is_weak: bool,
}

impl<'a> Tags<'a> {
    /// Reads a list. What has not the form of a tag is none; a list of nothing else is no condition.
    pub fn parse(list: &'a str) -> Option<Self> {
        if list.trim() == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = list.trim_start();
        while !rest.is_empty() {
            match Tag::begin(rest) {
                Some((tag, behind)) => {
                    let behind = behind.trim_start();
                    if behind.is_empty() || behind.starts_with(',') {
                        tags.push(tag);
                    }
                    rest = behind.split_once(',').map_or("", |(_, rest)| rest);
                }
                None => rest = rest.split_once(',').map_or("", |(_, rest)| rest),
            }
            rest = rest.trim_start();
        }
        (!tags.is_empty()).then_some(Self::These(tags))
    }
}

impl<'a> Tag<'a> {
    /// Reads one from the beginning of a text, and gives what is behind it.
    pub fn begin(text: &'a str) -> Option<(Self, &'a str)> {
        let strong = text.strip_prefix("W/");
        let quoted = strong.unwrap_or(text).strip_prefix('"')?;
        let (tag, behind) = quoted.split_once('"')?;
        let is_tag = tag.chars().all(|letter| letter > ' ' && letter != '\u{7f}');
        is_tag.then_some((Self { text: tag, is_weak: strong.is_some() }, behind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(list: &str) -> Vec<String> {
        match Tags::parse(list) {
            None => Vec::new(),
            Some(Tags::Any) => vec!["*".to_owned()],
            Some(Tags::These(tags)) => {
                let told =
                    |tag: &Tag<'_>| format!("{}{}", if tag.is_weak { "W/" } else { "" }, tag.text);
                tags.iter().map(told).collect()
            }
        }
    }

    #[test]
    fn what_has_no_form_of_a_tag_is_none() {
        assert_eq!(texts(" * "), ["*"]);
        assert_eq!(texts("\"a\", W/\"b,c\" ,\"\""), ["a", "W/b,c", ""]);
        assert_eq!(texts("JoplinIgnore-74610"), [""; 0]);
        assert_eq!(texts("x, \"a\", \"b\" c, \"d"), ["a"]);
        assert_eq!(texts("w/\"a\""), [""; 0]);
        assert_eq!(texts(""), [""; 0]);
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(list in "[\"W/*, a\u{e9}]{0,30}") {
            if let Some(Tags::These(tags)) = Tags::parse(&list) {
                prop_assert!(!tags.is_empty() && tags.iter().all(|tag| !tag.text.contains('"')));
            }
        }
    }
}
