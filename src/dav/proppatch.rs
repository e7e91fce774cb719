//! `PROPPATCH`: changes what is kept with something, all or nothing.

use std::time::SystemTime;

use crate::dav::properties::{Dead, Live, Property};
use crate::dav::xml::Element;
use crate::dav::{address, conditions, door, locking, multistatus};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;
use crate::logbook::Event;
use crate::vault::Kind;

/// The namespace of what Windows sets of its files.
const WINDOWS: &str = "urn:schemas-microsoft-com:";

/// One step of a change.
struct Step<'a> {
    /// The property, with its value.
    element: &'a Element,
    /// The language that holds where it stands.
    language: Option<&'a str>,
    /// Whether it is taken away.
    is_removal: bool,
}

/// What a property is to larder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Larder's own, which nobody sets.
    Protected,
    /// When it changed last, as Windows says it.
    Modified,
    /// Something of Windows' that nobody here has a use for.
    Forgotten,
    /// Something that is kept.
    Kept,
}

/// Why a step cannot be taken: the status, and the condition that says so.
type Refused = (u16, Option<&'static str>);

/// Changes it.
///
/// Errors: `Invalid`, `TooLarge`, `Refused`, `NotFound`, `PreconditionFailed`.
pub fn change(call: &mut Call<'_>) -> Result<Reply> {
    let body = door::body(call)?.ok_or(Error::invalid("The body changes no properties"))?;
    let (share, path) = locking::enter(call)?;
    door::must_write(call, &path)?;
    let steps = steps(&body)?;
    if let Some(refused) = door::refuse_litter(call, &path) {
        return Ok(refused);
    }
    let is_folder = share.kind_of(&path)? == Kind::Folder;
    conditions::judge(call.request, &share, &path)?;
    let mut dead = Dead::parse(&share.notes(&path).unwrap_or_default());
    let (before, mut modified) = (dead.clone(), None);
    let mut refused: Vec<Option<Refused>> =
        steps.iter().map(|step| step.take(&mut dead, &mut modified).err()).collect();
    let kept = dead.to_notes();
    let is_kept = |step: &Step<'_>| sort(step.element) == Sort::Kept;
    if kept.len() > limits::DAV_NOTES_BYTES_MAX && kept.len() > before.to_notes().len() {
        refuse(&steps, &mut refused, |step| is_kept(step) && !step.is_removal, 507);
    }
    if refused.iter().all(Option::is_none) && (dead != before || modified.is_some()) {
        match share.note(&path, (dead != before).then_some(&kept[..]), modified) {
            Err(Error::Unsupported) => refuse(&steps, &mut refused, is_kept, 403),
            Err(Error::DiskFull) => refuse(&steps, &mut refused, is_kept, 507),
            noted => {
                noted?;
                let words = format!("changed the properties of /{path}");
                call.note(Event::change(words).at(path.as_str()));
            }
        }
    }
    let mut part = String::new();
    multistatus::open_part(&mut part, &address::told(&path, is_folder));
    tell(&mut part, &steps, &refused);
    multistatus::close_part(&mut part);
    Ok(multistatus::of(&part))
}

/// The steps of a change, in their order.
///
/// Errors: `Invalid`.
fn steps(body: &Element) -> Result<Vec<Step<'_>>> {
    const NONE: Error = Error::invalid("The body changes no properties");
    if !body.is("propertyupdate") {
        return Err(NONE);
    }
    let mut steps = Vec::new();
    for one in body.elements().filter(|one| one.is("set") || one.is("remove")) {
        for list in one.elements().filter(|list| list.is("prop")) {
            let language = list.language().or(one.language()).or(body.language());
            let is_removal = one.is("remove");
            steps.extend(list.elements().map(|element| Step { element, language, is_removal }));
        }
    }
    match steps.len() {
        0 => Err(NONE),
        count if count > limits::DAV_PROPERTIES_MAX => Err(Error::invalid("Too many properties")),
        _ => Ok(steps),
    }
}

/// What a property is to larder.
fn sort(element: &Element) -> Sort {
    if Live::find(&element.namespace, &element.name).is_some() {
        return Sort::Protected;
    }
    match (&*element.namespace, element.name.as_str()) {
        (WINDOWS, "Win32LastModifiedTime") => Sort::Modified,
        (WINDOWS, "Win32CreationTime" | "Win32LastAccessTime" | "Win32FileAttributes") => {
            Sort::Forgotten
        }
        _ => Sort::Kept,
    }
}

impl Step<'_> {
    /// Takes it.
    fn take(
        &self,
        dead: &mut Dead,
        modified: &mut Option<SystemTime>,
    ) -> std::result::Result<(), Refused> {
        let (namespace, name) = (&self.element.namespace, &self.element.name);
        match sort(self.element) {
            Sort::Protected => return Err((403, Some("cannot-modify-protected-property"))),
            Sort::Forgotten => {}
            Sort::Modified if self.is_removal => {}
            Sort::Modified => {
                let date = httpdate::parse_http_date(self.element.text().trim());
                *modified = Some(date.map_err(|_| (409, None))?);
            }
            Sort::Kept if self.is_removal => dead.remove(namespace, name),
            Sort::Kept => {
                let mut element = self.element.clone();
                if let Some(language) = self.language {
                    element.set_language(language);
                }
                let text = element.to_text();
                let namespace = namespace.as_ref().to_owned();
                dead.set(Property { namespace, name: name.clone(), text });
            }
        }
        Ok(())
    }
}

/// Refuses some of the steps.
fn refuse(
    steps: &[Step<'_>],
    refused: &mut [Option<Refused>],
    is_meant: impl Fn(&Step<'_>) -> bool,
    status: u16,
) {
    for (step, refused) in steps.iter().zip(refused) {
        if refused.is_none() && is_meant(step) {
            *refused = Some((status, None));
        }
    }
}

/// Tells what became of each step: of one that failed, why; then nothing was done for the others.
fn tell(out: &mut String, steps: &[Step<'_>], refused: &[Option<Refused>]) {
    let has_failed = refused.iter().any(Option::is_some);
    let others: Refused = if has_failed { (424, None) } else { (200, None) };
    let mut told: Vec<Refused> = Vec::new();
    for refused in refused {
        let kind = refused.unwrap_or(others);
        if !told.contains(&kind) {
            told.push(kind);
        }
    }
    for kind in told {
        let mut properties = String::new();
        for (step, _) in steps.iter().zip(refused).filter(|(_, one)| one.unwrap_or(others) == kind)
        {
            multistatus::empty(&mut properties, &step.element.namespace, &step.element.name);
        }
        multistatus::propstat(out, &properties, kind.0, kind.1);
    }
}
