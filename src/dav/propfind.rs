//! `PROPFIND`: what something is and, of a folder, what is in it, told while the folder is read.

use std::io::Write;
use std::sync::Arc;

use crate::dav::door::{self, Depth};
use crate::dav::properties::{Dead, Live, Subject};
use crate::dav::xml::{DAV, Element};
use crate::dav::{address, locking, multistatus, refusal};
use crate::error::{Error, Result};
use crate::http::answer;
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;
use crate::vault::{Entry, Kind, Listing, Share, VaultPath};

/// Which properties are asked for.
enum Wanted {
    /// All that are usually told, and these.
    All(Vec<Name>),
    /// The names of all.
    Names,
    /// These.
    These(Vec<Name>),
}

/// The name of a property.
struct Name {
    /// What its prefix stands for.
    namespace: Arc<str>,
    /// What it is called there.
    local: String,
    /// The property, if larder knows it itself.
    live: Option<Live>,
}

/// What is asked, and how it is to be told.
struct Question {
    /// Which properties.
    wanted: Wanted,
    /// Whether nothing is told of those that are not there.
    is_brief: bool,
}

/// Tells it.
///
/// Errors: `Invalid`, `TooLarge`, `Refused`, `NotFound`, `PreconditionFailed`.
pub fn find(call: &mut Call<'_>) -> Result<Reply> {
    let depth = door::depth(call.request)?;
    let body = door::body(call)?;
    let (share, path) = locking::enter(call)?;
    let wanted = body.as_ref().map_or(Ok(Wanted::All(Vec::new())), wanted)?;
    let question = Question { wanted, is_brief: is_brief(call) };
    let entry = share.look(&path)?;
    let is_folder = entry.kind == Kind::Folder;
    if is_folder && matches!(depth, None | Some(Depth::Infinity)) {
        return Ok(refusal::by_condition(403, "propfind-finite-depth", &[]));
    }
    let has_members = is_folder && depth == Some(Depth::Members);
    if address::is_top(call) {
        return Ok(of_top(&question, &share, &entry, has_members));
    }
    let listing = if has_members { Some(share.list(&path)?) } else { None };
    let mut answer = Told { question, share, path, entry, listing };
    answer::in_memory_or_streamed(move |out| answer.write(out)).map(multistatus::reply)
}

/// Whether less is to be told (`Brief` of Microsoft's; RFC 8144).
fn is_brief(call: &Call<'_>) -> bool {
    let is_said =
        call.request.header("Brief").is_some_and(|word| word.trim().eq_ignore_ascii_case("t"));
    let mut wishes = call.request.headers_named("Prefer").flat_map(|list| list.split(','));
    is_said || wishes.any(|wish| wish.trim().eq_ignore_ascii_case("return=minimal"))
}

/// Reads what is asked for.
///
/// Errors: `Invalid`.
fn wanted(body: &Element) -> Result<Wanted> {
    const NONE: Error = Error::invalid("The body asks for no properties");
    if !body.is("propfind") {
        return Err(NONE);
    }
    if let Some(properties) = body.child("prop") {
        return names(properties).map(Wanted::These);
    }
    if body.child("allprop").is_some() {
        return body.child("include").map_or(Ok(Vec::new()), names).map(Wanted::All);
    }
    if body.child("propname").is_some() { Ok(Wanted::Names) } else { Err(NONE) }
}

/// The properties that are named in an element.
///
/// Errors: `Invalid`: too many.
fn names(element: &Element) -> Result<Vec<Name>> {
    let name = |one: &Element| Name {
        namespace: Arc::clone(&one.namespace),
        local: one.name.clone(),
        live: Live::find(&one.namespace, &one.name),
    };
    let names: Vec<Name> = element.elements().map(name).collect();
    if names.len() > limits::DAV_PROPERTIES_MAX {
        return Err(Error::invalid("Too many properties"));
    }
    Ok(names)
}

/// The answer about the very top, whose only member is where everything is.
fn of_top(question: &Question, share: &Share, entry: &Entry, has_members: bool) -> Reply {
    let root = VaultPath::root();
    let subject = Subject { share, path: &root, entry };
    let mut parts = String::new();
    question.tell(&mut parts, "/", &subject, &Vec::new);
    if has_members {
        let notes = || share.notes(&root).unwrap_or_default();
        question.tell(&mut parts, &address::told(&root, true), &subject, &notes);
    }
    multistatus::of(&parts)
}

/// An answer about something in the share.
struct Told {
    /// What was asked.
    question: Question,
    /// Whose view it is.
    share: Share,
    /// Where it is.
    path: VaultPath,
    /// What it is.
    entry: Entry,
    /// What is in it, if that is asked for.
    listing: Option<Listing>,
}

impl Told {
    /// Writes it.
    fn write(&mut self, out: &mut dyn Write) -> Result<()> {
        let (question, share, path) = (&self.question, &self.share, &self.path);
        multistatus::begin(out)?;
        let mut part = String::new();
        let href = address::told(path, self.entry.kind == Kind::Folder);
        let subject = Subject { share, path, entry: &self.entry };
        question.tell(&mut part, &href, &subject, &|| share.notes(path).unwrap_or_default());
        out.write_all(part.as_bytes())?;
        if let Some(listing) = &mut self.listing {
            listing.for_each_noted(&mut |entry, notes| {
                let Ok(path) = path.child(&entry.name) else { return Ok(()) };
                let subject = Subject { share, path: &path, entry };
                part.clear();
                let href = address::told(&path, entry.kind == Kind::Folder);
                question.tell(&mut part, &href, &subject, notes);
                Ok(out.write_all(part.as_bytes())?)
            })?;
        }
        Ok(multistatus::end(out)?)
    }
}

impl Question {
    /// Tells of one thing.
    fn tell(&self, out: &mut String, href: &str, of: &Subject<'_>, notes: &dyn Fn() -> Vec<u8>) {
        multistatus::open_part(out, href);
        let (mut found, mut missing) = (String::new(), String::new());
        match &self.wanted {
            Wanted::All(others) => {
                for (_, live) in Live::usual() {
                    tell_live(&mut found, live, of);
                }
                let dead = Dead::parse(&notes());
                found.extend(dead.iter().map(|property| &*property.text));
                let is_told = |name: &Name| {
                    Live::usual().any(|(_, live)| Some(live) == name.live)
                        || dead.find(&name.namespace, &name.local).is_some()
                };
                for name in others.iter().filter(|name| !is_told(name)) {
                    name.tell((&mut found, &mut missing), of, &dead);
                }
            }
            Wanted::Names => {
                for (name, live) in Live::usual() {
                    if live.value(of).is_some() {
                        multistatus::empty(&mut found, DAV, name);
                    }
                }
                for property in Dead::parse(&notes()).iter() {
                    multistatus::empty(&mut found, &property.namespace, &property.name);
                }
            }
            Wanted::These(names) => {
                let has_dead = names.iter().any(|name| name.live.is_none());
                let dead = if has_dead { Dead::parse(&notes()) } else { Dead::default() };
                for name in names {
                    name.tell((&mut found, &mut missing), of, &dead);
                }
            }
        }
        let tells_missing = !missing.is_empty() && !self.is_brief;
        if !found.is_empty() || !tells_missing {
            multistatus::propstat(out, &found, 200, None);
        }
        if tells_missing {
            multistatus::propstat(out, &missing, 404, None);
        }
        multistatus::close_part(out);
    }
}

impl Name {
    /// Tells of this property, or that it is not there.
    fn tell(&self, (found, missing): (&mut String, &mut String), of: &Subject<'_>, dead: &Dead) {
        let is_found = if let Some(live) = self.live {
            tell_live(found, live, of)
        } else {
            let property = dead.find(&self.namespace, &self.local);
            property.map(|property| found.push_str(&property.text)).is_some()
        };
        if !is_found {
            multistatus::empty(missing, &self.namespace, &self.local);
        }
    }
}

/// Tells of a property that larder knows itself; whether it is there.
fn tell_live(out: &mut String, live: Live, of: &Subject<'_>) -> bool {
    let Some(value) = live.value(of) else { return false };
    let name = live.name();
    match value.as_str() {
        "" => multistatus::empty(out, DAV, name),
        value => out.extend(["<D:", name, ">", value, "</D:", name, ">"]),
    }
    true
}
