//! `/s/<token>`: what people without an account see by a link (second contract, section 15, "For guests"). What they
//! bring is in `guest_uploads`.

use serde::{Deserialize, Serialize};

use crate::auth::caller::Guest;
use crate::auth::sign_in::LinkPassword;
use crate::clock;
use crate::error::{Error, Result, SignInProblem};
use crate::http::answer::{Answer, Done, Time, done, sentence};
use crate::http::call::Call;
use crate::http::cookie;
use crate::http::guests;
use crate::http::handlers::download::{self, Download};
use crate::http::handlers::folders::{self, EntryType, Listing};
use crate::http::handlers::pages::{self, Page};
use crate::http::handlers::thumb::{self, Looked, NO_THUMBNAIL, Sent};
use crate::http::question::{Ask, Filled, Query, Question};
use crate::links::{self, Link, NO_LONGER};
use crate::logbook::Event;
use crate::vault::{Kind, Share, VaultPath};

/// What clients may keep of what is downloaded by a link: nothing that they do not ask about again.
const KEPT: &str = "private, no-cache";

/// `GET /s/<token>`: the page, the same for every token, so that it tells nothing of any.
///
/// Errors: `NotFound` in a larder that was built without its pages.
pub fn page(call: &mut Call<'_>, (): ()) -> Result<Page> {
    let Page(reply) = pages::send(call, "guest.html")?;
    Ok(Page(reply.set("Cache-Control", "no-store")))
}

/// What a link is, to somebody who has it.
#[derive(Default, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkInfo {
    /// Whether a password is missing; then nothing else is told.
    needs_password: bool,
    /// The rest.
    #[serde(flatten)]
    opened: Option<OpenedInfo>,
}

/// What is told of a link to whoever may use it.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
struct OpenedInfo {
    /// Whether it opens a file or a folder.
    r#type: EntryType,
    /// What that is called.
    name: String,
    /// The maker's own words for it.
    label: String,
    /// Bytes of a file that may be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    /// Whether it may be looked at and downloaded.
    read: bool,
    /// Whether files may be brought.
    write: bool,
    /// When it closes; `null`: never.
    expires: Option<Time>,
    /// Who made it, as they are called.
    from: String,
}

/// `GET /s/<token>/info`.
///
/// Errors: `Gone`, `StorageAbsent`.
pub fn info(call: &mut Call<'_>, (): ()) -> Result<Answer<LinkInfo>> {
    let guest = call.guest()?;
    if !guest.is_let_in {
        return Answer::of(&LinkInfo { needs_password: true, opened: None });
    }
    let link = link_of(call, guest)?;
    let (share, kind) = opened(call)?;
    let may_read = guest.may_read();
    let size = || share.look(&link.path).map(|entry| entry.size);
    let is_told = may_read && kind == Kind::File;
    let maker = call.app.users.by_id(link.user_id)?.ok_or(NO_LONGER)?;
    let opened = OpenedInfo {
        r#type: kind.into(),
        name: link.path.name().to_owned(),
        label: link.label.clone(),
        size: is_told.then(size).transpose()?,
        read: may_read,
        write: guest.may_write(),
        expires: link.expires.map(Time::of_seconds),
        from: if maker.name.is_empty() { maker.username.clone() } else { maker.name.clone() },
    };
    Answer::of(&LinkInfo { needs_password: false, opened: Some(opened) })
}

/// The link that a guest came by, as it is now.
///
/// Errors: `Gone`.
pub fn link_of(call: &Call<'_>, guest: &Guest) -> Result<Link> {
    match call.app.links.by_id(guest.link_id) {
        Err(Error::NotFound(_)) => Err(NO_LONGER),
        link => link,
    }
}

/// What a link opens, with what kind of thing that is.
///
/// Errors: `Gone` when it is not there, or another kind of thing is; `StorageAbsent`.
pub fn opened(call: &Call<'_>) -> Result<(Share, Kind)> {
    let is_folder = link_of(call, call.guest()?)?.is_folder;
    let share = call.share()?;
    let kind = must_be_there(&share, is_folder)?;
    Ok((share, kind))
}

/// Looks whether what a link opens is still there, and what it was; what it is.
///
/// Errors: `Gone`, `StorageAbsent`.
pub fn must_be_there(share: &Share, is_folder: bool) -> Result<Kind> {
    let wanted = if is_folder { Kind::Folder } else { Kind::File };
    share.kind_of_confines()?.filter(|kind| *kind == wanted).ok_or(NO_LONGER)
}

/// What `open` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Opening {
    /// The link's password, if it has one.
    password: Option<String>,
    /// What the guest calls themselves.
    guest: Option<String>,
}

impl Question for Opening {}

sentence!(/// Of `open`.
    LinkOpened, "Opened");

/// `POST /s/<token>/open`: who knows the password gets a cookie that stands for it.
///
/// Errors: `Invalid`, `SignIn` (it is missing or wrong), `TooSoon`, `Gone`.
pub fn open(call: &mut Call<'_>, ask: Ask<Opening>) -> Result<Answer<Done<LinkOpened>>> {
    let ask = ask.read(call)?;
    let link = link_of(call, call.guest()?)?;
    // By the link as it is now: another password counts from its first moment.
    let known = guests::known(call.app, call.request, &link);
    let given = ask.password.as_deref().filter(|given| !given.is_empty());
    if let Some(hash) = &link.password_hash
        && (given.is_some() || known.is_none())
    {
        must_be_right(call, &link, hash, given)?;
    }
    let is_proven = link.password_hash.is_none() || given.is_some();
    let guest = guest_of(call, ask.guest.as_deref().unwrap_or_default(), known, is_proven)?;
    let seal = call.app.links.seal(&link, &guest);
    let seconds = guest.time_left(clock::now());
    let path = format!("/s/{}", guests::token_of(call.request));
    let cookie = cookie::GUEST.field(call.is_secure(), &seal, &path, seconds);
    Ok(done()?.with("Set-Cookie", cookie))
}

/// Who opens a link under this name. Whoever is known stays who they are; their time begins anew only when they have
/// proven that they may come in.
///
/// Errors: `Io` (no randomness), `Store`.
fn guest_of(
    call: &Call<'_>,
    name: &str,
    known: Option<links::Guest>,
    is_proven: bool,
) -> Result<links::Guest> {
    let mut guest = links::Guest::new(name.trim(), clock::now())?;
    match known {
        Some(known) => {
            guest.id = known.id;
            guest.since = if is_proven { guest.since } else { known.since };
        }
        None if call.guest()?.is_let_in => guests::is_known_now(call, &guest)?,
        None => {}
    }
    Ok(guest)
}

/// Looks whether a password opens a link. The log hears of wrong ones.
///
/// Errors: `SignIn`, `TooSoon`.
fn must_be_right(call: &Call<'_>, link: &Link, hash: &str, given: Option<&str>) -> Result<()> {
    let given = given.ok_or(Error::SignIn(SignInProblem::LinkPassword))?;
    let password = LinkPassword { id: link.id, epoch: link.epoch, hash };
    if call.app.sign_in.opens_link(&password, call.address, given)? {
        return Ok(());
    }
    let event = Event::refused("wrong password").at(link.path.as_str());
    call.app.logbook.note_refusal(&call.by(), event);
    Err(Error::SignIn(SignInProblem::WrongLinkPassword))
}

/// What `list` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkFind {
    /// The folder, relative to the link's; that one if left out.
    path: Option<String>,
}

impl Question for LinkFind {}

/// `GET /s/<token>/list`: as `finder` with `details=1`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Gone`.
pub fn list(call: &mut Call<'_>, ask: Query<LinkFind>) -> Result<Answer<Listing>> {
    let ask = ask.read(call)?;
    let folder = place_of(call, ask.path.as_deref().unwrap_or_default())?;
    let (share, _) = opened(call)?;
    folders::told_to_guest(share.list(&folder)?)
}

/// A path as guests say it, relative to what the link opens, as one of the share.
///
/// Errors: `Invalid`.
fn place_of(call: &Call<'_>, path: &str) -> Result<VaultPath> {
    let place = call.guest()?.place.join_path(&VaultPath::parse(path)?);
    VaultPath::parse(place.as_str())
}

/// What `download` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkWanted {
    /// A file or folder, relative to the link's; several become one ZIP. All of the link if left out.
    #[serde(default)]
    path: Vec<String>,
    /// Whether to show it rather than save it (anything but `0`).
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "String"))]
    inline: bool,
}

impl Question for LinkWanted {}

/// `GET /s/<token>/download`: as `/api/download`. Counted once for each guest and what they want, when its first byte
/// is certain to follow.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Gone` (also where the link is used up).
pub fn download(call: &mut Call<'_>, ask: Query<LinkWanted>) -> Result<Download> {
    let ask = ask.read(call)?;
    let places = ask.path.iter().map(|path| place_of(call, path));
    let mut places = places.collect::<Result<Vec<VaultPath>>>()?;
    if places.is_empty() {
        places.push(call.guest()?.place.clone());
    }
    opened(call)?;
    let counted = count(call, &places)?;
    let reply = download::deliver(call, &places, ask.inline, &mut || counted.begin(call))?;
    Ok(Download(reply.set("Cache-Control", KEPT)))
}

/// A download as it is counted.
struct Counted {
    /// By whom.
    guest: String,
    /// Of what: a selection is one thing, in whatever order it was made.
    what: String,
    /// By which link.
    link_id: i64,
}

/// What a download of these is counted as.
fn count(call: &Call<'_>, places: &[VaultPath]) -> Result<Counted> {
    let guest = call.guest()?;
    let mut names: Vec<&str> = places.iter().map(VaultPath::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let (what, link_id) = (names.join("\0"), guest.link_id);
    Ok(Counted { guest: guest.known_by(call.address), what, link_id })
}

impl Counted {
    /// It begins, unless it has. Whoever only asks what would come is told the same, and not counted.
    ///
    /// Errors: `Gone`.
    fn begin(&self, call: &Call<'_>) -> Result<()> {
        let links = &call.app.links;
        if call.request.method().as_str() != "HEAD" {
            return links.begin_download(self.link_id, &self.guest, &self.what);
        }
        let link = link_of(call, call.guest()?)?;
        let is_used_up = link.downloads_max.is_some_and(|max| link.downloads >= max);
        if is_used_up && !links.has_begun(self.link_id, &self.guest, &self.what)? {
            return Err(NO_LONGER);
        }
        Ok(())
    }
}

/// What `thumb` is asked by.
#[derive(Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct LinkThumb {
    /// The file, relative to the link's folder; what the link opens if left out.
    path: Option<Filled>,
    /// The longer side in pixels at most: `160`, `320` or `1280`; `160` if left out.
    size: Option<String>,
}

impl Question for LinkThumb {}

/// `GET /s/<token>/thumb`: a small picture of a file.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Gone`, `Busy`.
pub fn thumb(call: &mut Call<'_>, ask: Query<LinkThumb>) -> Result<Sent> {
    let ask = ask.read(call)?;
    let file = place_of(call, ask.path.as_deref().map_or("", |path| path))?;
    opened(call)?;
    match thumb::look(call, &file, (ask.size.as_deref(), None))? {
        Looked::Found(reply) => Ok(Sent(reply.set("Cache-Control", KEPT))),
        Looked::None(_) => Err(NO_THUMBNAIL),
    }
}
