//! XML as `WebDAV` has it (RFC 4918, 14; Namespaces in XML 1.0): small bodies read whole, within bounds and without any
//! entity but the five that XML itself has; and what answers are written with. The only file that knows `quick_xml`.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;

use quick_xml::escape::{escape, unescape};
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use crate::error::{Error, Result};
use crate::limits;

/// The namespace of `WebDAV` itself.
pub const DAV: &str = "DAV:";

/// The namespace of `xml:lang`: no prefix but `xml` may stand for it.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The namespace of declarations: no prefix may stand for it.
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

/// An element with all that is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// What its name is written with before the colon; empty for nothing.
    prefix: String,
    /// What that stands for; empty for none. Shared, as one declaration may be for a thousand names.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: String,
    /// Its attributes, declarations of namespaces among them.
    attributes: Vec<Attribute>,
    /// What is in it.
    pub children: Vec<Node>,
}

/// What is in an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// Another.
    Element(Element),
    /// Text, unescaped.
    Text(String),
}

/// An attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    /// Its name as it is written.
    name: String,
    /// What its prefix stands for; empty for none.
    namespace: Arc<str>,
    /// Its value, unescaped.
    value: String,
}

impl Attribute {
    /// The prefix that it declares, if it does: empty for the namespace of names without one.
    fn declares(&self) -> Option<&str> {
        match self.name.as_str() {
            "xmlns" => Some(""),
            name => name.strip_prefix("xmlns:"),
        }
    }
}

impl Element {
    /// Whether it is this one of `WebDAV`'s.
    pub fn is(&self, name: &str) -> bool {
        &*self.namespace == DAV && self.name == name
    }

    /// The elements in it.
    pub fn elements(&self) -> impl Iterator<Item = &Self> {
        self.children.iter().filter_map(|child| match child {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element in it that is this one of `WebDAV`'s.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.elements().find(|element| element.is(name))
    }

    /// The text that stands directly in it.
    pub fn text(&self) -> String {
        let text = self.children.iter().filter_map(|child| match child {
            Node::Element(_) => None,
            Node::Text(text) => Some(text.as_str()),
        });
        text.collect()
    }

    /// Its language, if it says one itself.
    pub fn language(&self) -> Option<&str> {
        let language = self.attributes.iter().find(|attribute| attribute.name == "xml:lang");
        language.map(|attribute| attribute.value.as_str())
    }

    /// Gives it a language, unless it has one.
    pub fn set_language(&mut self, language: &str) {
        if self.language().is_none() {
            self.attributes.push(Attribute {
                name: "xml:lang".to_owned(),
                namespace: XML.into(),
                value: language.to_owned(),
            });
        }
    }

    /// As it can stand in any document: what its names stand for is declared in it.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.write(&mut out, &mut vec![(String::new(), "".into())]);
        out
    }

    /// Writes it where these prefixes stand for these namespaces.
    fn write(&self, out: &mut String, scope: &mut Scope) {
        let outer = scope.len();
        let own = self.attributes.iter();
        let declared =
            own.filter_map(|one| Some((one.declares()?.to_owned(), one.value.as_str().into())));
        scope.extend(declared);
        let mut missing = Vec::new();
        let with_prefix = self.attributes.iter().filter(|one| one.declares().is_none());
        let named = with_prefix.filter_map(|one| {
            let (prefix, _) = one.name.split_once(':')?;
            Some((prefix, &one.namespace))
        });
        for (prefix, namespace) in named.chain([(self.prefix.as_str(), &self.namespace)]) {
            if prefix != "xml" && meaning(scope, prefix) != Some(namespace) {
                let new = (prefix.to_owned(), Arc::clone(namespace));
                scope.push(new.clone());
                missing.push(new);
            }
        }
        let colon = if self.prefix.is_empty() { "" } else { ":" };
        let name = format!("{}{colon}{}", self.prefix, self.name);
        let _infallible = write!(out, "<{name}");
        for (prefix, namespace) in &missing {
            let colon = if prefix.is_empty() { "" } else { ":" };
            let _infallible = write!(out, " xmlns{colon}{prefix}=\"{}\"", escaped_value(namespace));
        }
        for one in &self.attributes {
            let _infallible = write!(out, " {}=\"{}\"", one.name, escaped_value(&one.value));
        }
        if self.children.is_empty() {
            out.push_str("/>");
        } else {
            out.push('>');
            for child in &self.children {
                match child {
                    Node::Element(element) => element.write(out, scope),
                    Node::Text(text) => out.push_str(&escaped(text)),
                }
            }
            let _infallible = write!(out, "</{name}>");
        }
        scope.truncate(outer);
    }
}

/// What prefixes stand for, the innermost last.
type Scope = Vec<(String, Arc<str>)>;

/// What a prefix stands for.
fn meaning<'a>(scope: &'a Scope, prefix: &str) -> Option<&'a Arc<str>> {
    let found = scope.iter().rev().find(|(known, _)| known == prefix);
    found.map(|(_, namespace)| namespace)
}

/// A text as it stands between tags. Names on the drive may have letters that no document may have, not even escaped.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().all(is_letter) {
        let told: String =
            text.chars().map(|one| if is_letter(one) { one } else { '\u{fffd}' }).collect();
        return escaped(&told).into_owned().into();
    }
    let kept = escape(text);
    // What a reader would make a line feed of.
    if kept.contains('\r') { kept.replace('\r', "&#13;").into() } else { kept }
}

/// A text as it stands in an attribute.
pub fn escaped_value(text: &str) -> Cow<'_, str> {
    let kept = escaped(text);
    // What a reader would make a blank of.
    if kept.contains(['\n', '\t']) {
        return kept.replace('\n', "&#10;").replace('\t', "&#9;").into();
    }
    kept
}

/// What is said of everything that is no XML of ours.
const MALFORMED: Error = Error::invalid("The body is not well-formed XML");

/// Reads a document.
///
/// Errors: `Invalid`.
pub fn parse(bytes: &[u8]) -> Result<Element> {
    let text = decode(bytes)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut parser = Parser::default();
    loop {
        match reader.read_event().map_err(|_| MALFORMED)? {
            Event::Start(start) => parser.open(&start)?,
            Event::End(_) => parser.close()?,
            Event::Text(text) => parser.text(&text)?,
            Event::CData(text) => parser.text(&text)?,
            Event::GeneralRef(name) => {
                let text = unescape(&format!("&{};", &*name)).map_err(|_| MALFORMED)?.into_owned();
                parser.reference(&text)?;
            }
            Event::Decl(decl) => {
                let encoding = decl.encoding().transpose().map_err(|_| MALFORMED)?;
                let is_known = |name: &str| {
                    let known = ["utf-8", "utf8", "us-ascii", "utf-16"];
                    known.iter().any(|known| name.eq_ignore_ascii_case(known))
                };
                if encoding.is_some_and(|name| !is_known(&name)) {
                    return Err(MALFORMED);
                }
            }
            Event::Comment(_) | Event::PI(_) => {}
            // Nothing of ours has one, and it is where entities come from.
            Event::DocType(_) => return Err(MALFORMED),
            Event::Eof => return parser.root.filter(|_| parser.open.is_empty()).ok_or(MALFORMED),
            Event::Empty(_) => return Err(Error::Bug("an empty element was not expanded".into())),
        }
    }
}

/// The text of a document: UTF-8, or UTF-16 with its mark (XML 1.0, 4.3.3).
fn decode(bytes: &[u8]) -> Result<String> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        let text: std::result::Result<String, _> =
            char::decode_utf16(units.iter().map(|pair| unit(*pair))).collect();
        text.ok().filter(|_| rest.is_empty())
    };
    let text = match bytes {
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            std::str::from_utf8(bytes).ok().map(str::to_owned)
        }
    };
    text.filter(|text| text.chars().all(is_letter)).ok_or(MALFORMED)
}

/// Whether a document may have it (XML 1.0, 2.2).
fn is_letter(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

/// Whether this may be a name without a colon (XML 1.0, 2.3; Namespaces in XML, 3). What is kept is told to others,
/// whose readers give up at any other.
fn is_name(name: &str) -> bool {
    let is_next = |letter: char| {
        is_first_of_name(letter)
            || matches!(letter, '-' | '.' | '0'..='9' | '·' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
    };
    name.starts_with(is_first_of_name) && name.chars().all(is_next)
}

/// Whether a name may begin with it.
fn is_first_of_name(letter: char) -> bool {
    matches!(letter,
        '_' | 'A'..='Z' | 'a'..='z'
        | '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}'
        | '\u{2c00}'..='\u{2fef}' | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}'
        | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// A document while it is read.
#[derive(Default)]
struct Parser {
    /// The elements that are open, from the outermost.
    open: Vec<Element>,
    /// The outermost once it is closed.
    root: Option<Element>,
    /// Elements so far.
    count: usize,
    /// What prefixes stand for.
    scope: Scope,
}

impl Parser {
    /// An element begins.
    fn open(&mut self, start: &BytesStart<'_>) -> Result<()> {
        self.count += 1;
        if self.root.is_some()
            || self.open.len() >= limits::DAV_XML_DEPTH_MAX
            || self.count > limits::DAV_XML_ELEMENTS_MAX
        {
            return Err(MALFORMED);
        }
        let (mut attributes, none) = (Vec::new(), Arc::<str>::from(""));
        let mut checked = start.attributes();
        // Repeated ones are looked for here: there are few.
        for attribute in checked.with_checks(false) {
            let attribute = attribute.map_err(|_| MALFORMED)?;
            let name = attribute.key.0.to_owned();
            if attribute.value.contains('<') || attributes.len() >= limits::DAV_XML_ATTRIBUTES_MAX {
                return Err(MALFORMED);
            }
            let value = unescape(&attribute.value).map_err(|_| MALFORMED)?.into_owned();
            let is_twice = attributes.iter().any(|other: &Attribute| other.name == name);
            if is_twice || !value.chars().all(is_letter) {
                return Err(MALFORMED);
            }
            attributes.push(Attribute { name, namespace: Arc::clone(&none), value });
        }
        for one in &attributes {
            if let Some(prefix) = one.declares() {
                let is_reserved = matches!(prefix, "xml" | "xmlns");
                let is_undone = !prefix.is_empty() && (one.value.is_empty() || !is_name(prefix));
                let is_too_long = one.value.len() > limits::DAV_NAMESPACE_BYTES_MAX;
                if is_reserved || is_undone || is_too_long || matches!(&*one.value, XML | XMLNS) {
                    return Err(MALFORMED);
                }
                self.scope.push((prefix.to_owned(), one.value.as_str().into()));
            }
        }
        for one in &mut attributes {
            if one.declares().is_none() {
                let (prefix, _) = split(&one.name)?;
                if !prefix.is_empty() {
                    one.namespace = self.meaning(prefix)?;
                }
            }
        }
        if has_twice(&attributes) {
            return Err(MALFORMED);
        }
        let name = start.name();
        let (prefix, name) = split(name.0)?;
        let namespace = self.meaning(prefix)?;
        let (prefix, name) = (prefix.to_owned(), name.to_owned());
        self.open.push(Element { prefix, namespace, name, attributes, children: Vec::new() });
        Ok(())
    }

    /// What a prefix stands for.
    ///
    /// Errors: `Invalid`: nothing.
    fn meaning(&self, prefix: &str) -> Result<Arc<str>> {
        match (prefix, meaning(&self.scope, prefix)) {
            ("xml", _) => Ok(XML.into()),
            (_, Some(namespace)) => Ok(Arc::clone(namespace)),
            ("", None) => Ok("".into()),
            _ => Err(MALFORMED),
        }
    }

    /// The innermost element ends.
    fn close(&mut self) -> Result<()> {
        let element = self.open.pop().ok_or(MALFORMED)?;
        let declared = element.attributes.iter().filter(|one| one.declares().is_some()).count();
        self.scope.truncate(self.scope.len() - declared);
        match self.open.last_mut() {
            Some(around) => around.children.push(Node::Element(element)),
            None => self.root = Some(element),
        }
        Ok(())
    }

    /// Text comes, its line ends as XML has them (2.11).
    fn text(&mut self, text: &str) -> Result<()> {
        if self.open.is_empty() && text.trim_ascii().is_empty() {
            return Ok(());
        }
        self.reference(&text.replace("\r\n", "\n").replace('\r', "\n"))
    }

    /// Text comes that stands for itself.
    fn reference(&mut self, text: &str) -> Result<()> {
        let around = self.open.last_mut().ok_or(MALFORMED)?;
        if !text.chars().all(is_letter) {
            return Err(MALFORMED);
        }
        match around.children.last_mut() {
            Some(Node::Text(before)) => before.push_str(text),
            _ if text.is_empty() => {}
            _ => around.children.push(Node::Text(text.to_owned())),
        }
        Ok(())
    }
}

/// Whether two attributes are the same one by two prefixes (Namespaces in XML, 6.3).
fn has_twice(attributes: &[Attribute]) -> bool {
    let local = |one: &Attribute| one.name.split_once(':').map(|(_, local)| local.to_owned());
    let named =
        || attributes.iter().filter(|one| one.declares().is_none() && !one.namespace.is_empty());
    named().enumerate().any(|(at, one)| {
        named().skip(at + 1).any(|two| one.namespace == two.namespace && local(one) == local(two))
    })
}

/// A name's prefix, and the rest.
fn split(name: &str) -> Result<(&str, &str)> {
    let (prefix, local) = name.split_once(':').unwrap_or(("", name));
    let is_good = (is_name(prefix) || !name.contains(':')) && is_name(local) && prefix != "xmlns";
    if is_good { Ok((prefix, local)) } else { Err(MALFORMED) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_mean_what_their_prefixes_stand_for() {
        let body = br#"<?xml version="1.0" encoding="utf-8"?><a:x xmlns:a="DAV:" xmlns="u">
            <y b='1 &amp; 2'/><a:z xmlns:a="v">t&#228;<![CDATA[<&>]]></a:z><n xmlns=""/></a:x>"#;
        let root = parse(body).unwrap();
        assert!(root.is("x"));
        let named: Vec<_> = root.elements().map(|one| (&*one.namespace, &*one.name)).collect();
        assert_eq!(named, [("u", "y"), ("v", "z"), ("", "n")]);
        let inner: Vec<_> = root.elements().map(Element::to_text).collect();
        assert_eq!(inner[0], r#"<y xmlns="u" b="1 &amp; 2"/>"#);
        assert_eq!(inner[1], r#"<a:z xmlns:a="v">tä&lt;&amp;&gt;</a:z>"#);
        assert_eq!(inner[2], r#"<n xmlns=""/>"#);
    }

    #[test]
    fn what_other_readers_would_give_up_at_is_refused() {
        for inner in [
            "<a×b/>",
            "<ªb/>",
            "<p a×='1'/>",
            "<·p/>",
            "<p xmlns:a='v' xmlns:b='v' a:q='1' b:q='2'/>",
            "<x:p xmlns:x='http://www.w3.org/2000/xmlns/'/>",
            "<p xmlns='http://www.w3.org/2000/xmlns/'/>",
            &format!("<p xmlns='{}'/>", "u".repeat(1025)),
        ] {
            assert!(parse(format!("<a>{inner}</a>").as_bytes()).is_err(), "{inner:.60}");
        }
        let fine = "<a><é·-/><p xmlns:a='v' xmlns:b='w' a:q='1' b:q='2' q='3'/><xml:p/></a>";
        assert!(parse(fine.as_bytes()).is_ok());
    }

    #[test]
    fn what_no_document_may_have_is_told_as_another_letter() {
        assert_eq!(escaped("a\u{1}<b\u{fffe}\r"), "a\u{fffd}&lt;b\u{fffd}&#13;");
    }

    #[test]
    fn what_is_not_well_formed_or_beyond_the_bounds_is_refused() {
        let deep = |count: usize| "<a>".repeat(count) + &"</a>".repeat(count);
        let many = |count: usize| format!("<a>{}</a>", "<b/>".repeat(count - 1));
        let declared = |count: usize| {
            let all: String = (0..count)
                .fold(String::new(), |all, number| all + &format!(" xmlns:p{number}='u'"));
            format!("<a{all}/>")
        };
        for good in [deep(32), many(1000), declared(64), "<a/>\n<!-- x --> ".to_owned()] {
            assert!(parse(good.as_bytes()).is_ok(), "{good:.60}");
        }
        for bad in [
            "",
            " ",
            "x",
            "<a>",
            "</a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>x",
            "x<a/>",
            "<a b=1/>",
            "<a b='<'/>",
            "<a b='1' b='2'/>",
            "<p:a/>",
            "<a p:b='1'/>",
            "<a xmlns:p=''/>",
            "<a:b:c xmlns:a='x'/>",
            "<:a/>",
            "<1a/>",
            "<a>&x;</a>",
            "<a>&#0;</a>",
            "<a>&#x1;</a>",
            "<a>\u{1}</a>",
            "<a>&amp</a>",
            "<a xmlns:xml='x'/>",
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>",
            "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
            &deep(33),
            &many(1001),
            &declared(65),
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad:.60}");
        }
        assert!(parse(b"<a>\xff</a>").is_err());
        let wide: Vec<u8> =
            "\u{feff}<a>\u{e4}</a>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(parse(&wide).unwrap().text(), "\u{e4}");
    }

    proptest! {
        /// Whatever is read can be written, and is the same when it is read again.
        #[test]
        fn what_is_written_is_read_as_the_same(
            text in "(<(a|p:b)( xmlns(:p)?='[uv]')?( c='&lt;|x')?>|</(a|p:b)>|&amp;|[a-z \r\n]|<!---->){0,20}"
        ) {
            let whole = format!("<a xmlns:p='u'>{text}</a>");
            if let Ok(read) = parse(whole.as_bytes()) {
                let again = parse(read.to_text().as_bytes()).unwrap();
                prop_assert_eq!(again.to_text(), read.to_text());
                prop_assert_eq!(again.text(), read.text());
            }
        }

        #[test]
        fn nothing_makes_it_fail(bytes: Vec<u8>) {
            let _read_or_not = parse(&bytes);
        }
    }
}
