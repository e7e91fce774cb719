//! `LOCK`, `UNLOCK`, and what a request shows of locks (RFC 4918, 6, 7, 9.10 and 9.11).

use std::cell::RefCell;
use std::time::{Duration, Instant};

use tiny_http::ext::Body;

use crate::auth::lock_token::{Claim, Wish};
use crate::clock;
use crate::dav::door::{self, Depth};
use crate::dav::if_header::{self, Condition, List, State};
use crate::dav::methods::ROOT;
use crate::dav::wish;
use crate::dav::xml::escaped;
use crate::dav::{address, conditions, put, refusal};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::limits;
use crate::logbook::Event;
use crate::vault::{IfExists, Kind, Lock, NoLock, Place, Share, VaultPath};

/// What a request is about, for somebody who shows what `If` has; what it says must be so, whatever the method
/// (RFC 4918, 10.4.1).
///
/// Errors: those of `address::of`; `Invalid`, `Refused`, `PreconditionFailed`.
pub fn enter(call: &Call<'_>) -> Result<(Share, VaultPath)> {
    let share = call.share()?;
    let path = address::of(call, &share)?;
    let Some(field) = call.request.header("If") else { return Ok((share, path)) };
    let lists = if_header::parse(field)?;
    let grant = call.caller()?.grant();
    if !grant.may_see(&path) && !grant.may_write(&path) {
        return Err(Error::Refused);
    }
    let places = Places { call, share: &share, path: &path, found: RefCell::default() };
    let tokens = places.shown(&lists)?;
    let mut each = lists.iter();
    if !each.any(|list| list.conditions.iter().all(|one| places.holds(list.about, one))) {
        return Err(Error::PreconditionFailed);
    }
    Ok((share.holding(tokens), path))
}

/// What the lists of `If` are about. Each is looked for once, and only if something depends on where it is.
struct Places<'a> {
    /// The request.
    call: &'a Call<'a>,
    /// What the caller may see.
    share: &'a Share,
    /// What the request is about.
    path: &'a VaultPath,
    /// What was found so far; `None` for what is none of ours.
    found: RefCell<Vec<(&'a str, Option<VaultPath>)>>,
}

impl<'a> Places<'a> {
    /// What a list is about; `None` for what is none of ours.
    fn of(&self, about: Option<&'a str>) -> Option<VaultPath> {
        let Some(about) = about else { return Some(self.path.clone()) };
        let mut found = self.found.borrow_mut();
        if let Some((_, place)) = found.iter().find(|(known, _)| *known == about) {
            return place.clone();
        }
        let place = self.look_for(about, found.len() < limits::DAV_IF_SEARCHES_MAX);
        found.push((about, place.clone()));
        place
    }

    /// Looks for it; without `searches` only by the name as it was sent.
    fn look_for(&self, about: &str, searches: bool) -> Option<VaultPath> {
        let about = address::path_of_uri(about)?;
        let below = about.strip_prefix(ROOT).or((about == "/dav").then_some(""))?;
        let place = address::parse(below).ok()?;
        if searches {
            self.share.meant_by(&place, address::composes(self.call)).ok()
        } else {
            Some(place)
        }
    }

    /// The tokens in `If` that are the caller's, of locks that are there; those of an earlier run are there again.
    fn shown(&self, lists: &[List<'a>]) -> Result<Vec<String>> {
        let (user, lock_tokens) = (self.call.user()?.id, &self.call.app.lock_tokens);
        let mut tokens = Vec::new();
        for list in lists {
            for condition in &list.conditions {
                let State::Token(token) = condition.state else { continue };
                let Some(claim) = lock_tokens.read(token) else { continue };
                if claim.user != user {
                    continue;
                }
                if lock_tokens.is_of_before(&claim)
                    && let Some(place) = self.of(list.about)
                {
                    bring_back(self.call, self.share, &place, (token, &claim))?;
                }
                tokens.push(token.to_owned());
            }
        }
        Ok(tokens)
    }

    /// Whether something has a tag, or is locked with a token, or has not or is not. What somebody else's token says is
    /// as if it had not been said.
    fn holds(&self, about: Option<&'a str>, condition: &Condition<'_>) -> bool {
        let is_so = match &condition.state {
            State::Token(token) => match self.call.app.lock_tokens.read(token) {
                None => false,
                Some(claim) if self.call.user().is_ok_and(|user| claim.user != user.id) => {
                    return true;
                }
                Some(_) => self.of(about).is_some_and(|place| {
                    self.share.locks_at(&place).iter().any(|lock| lock.token == *token)
                }),
            },
            State::Tag(tag) => {
                let tagged = || self.share.tagged(&self.of(about)?).ok()?;
                !tag.is_weak && tagged().is_some_and(|now| now.tag == tag.text)
            }
        };
        is_so != condition.is_not
    }
}

/// Has a lock again that was given before a restart, until its time is over, unless somebody else has locked meanwhile.
fn bring_back(
    call: &Call<'_>,
    share: &Share,
    place: &VaultPath,
    (token, claim): (&str, &Claim),
) -> Result<()> {
    let left = clock::known().map_or(0, |now| claim.expires - now);
    let Some(left) = u64::try_from(left).ok().filter(|left| *left > 0) else { return Ok(()) };
    if share.locks_at(place).iter().any(|lock| lock.token == token) {
        return Ok(());
    }
    let place = share.true_place(place);
    let mut above = std::iter::successors(Some(place), VaultPath::parent);
    let Some(root) = above.find(|root| claim.is_for(root.as_str())) else { return Ok(()) };
    if !call.caller()?.grant().may_write(&root) {
        return Ok(());
    }
    let Ok(kind) = share.kind_to_lock(&root) else { return Ok(()) };
    let _taken_meanwhile = share.lock(&Lock {
        token: token.to_owned(),
        root,
        is_folder: kind == Some(Kind::Folder),
        is_deep: claim.is_deep,
        is_exclusive: claim.is_exclusive,
        holder: claim.user,
        by: call.user()?.name.clone(),
        words: "".into(),
        until: Instant::now() + Duration::from_secs(left).min(limits::LOCK_TIME_MAX),
    });
    Ok(())
}

/// `LOCK`: locks something, or has a lock last.
///
/// Errors: `Invalid`, `TooLarge`, `Refused`, `PreconditionFailed`, `Conflict` (no folder around it), `Locked`, `Busy`.
pub fn lock(call: &mut Call<'_>) -> Result<Reply> {
    let body = door::body(call)?;
    let time = wish::time(call.request.header("Timeout").unwrap_or_default());
    let Some(body) = body else { return refresh(call, time) };
    let wanted = wish::read(&body)?;
    let is_deep = match door::depth(call.request)? {
        None | Some(Depth::Infinity) => true,
        Some(Depth::Itself) => false,
        Some(Depth::Members) => return Err(Error::invalid("Depth must be 0 or infinity")),
    };
    let (share, path) = enter(call)?;
    door::must_write(call, &path)?;
    if let Some(refused) = door::refuse_litter(call, &path) {
        return Ok(refused);
    }
    conditions::judge(call.request, &share, &path)?;
    let kind = share.kind_to_lock(&path)?;
    if kind.is_none() {
        put::must_have_folder(&share, &path)?;
    }
    let (user, root) = (call.user()?, share.true_place(&path));
    let expires = clock::now() + i64::try_from(time.as_secs()).unwrap_or(0);
    let wish = Wish { is_deep, is_exclusive: wanted.is_exclusive, user: user.id, expires };
    let lock = Lock {
        token: call.app.lock_tokens.make(root.as_str(), wish),
        root,
        is_folder: kind == Some(Kind::Folder),
        is_deep,
        is_exclusive: wanted.is_exclusive,
        holder: user.id,
        by: user.name.clone(),
        words: wanted.words.into(),
        until: Instant::now() + time,
    };
    match share.lock(&lock) {
        Err(NoLock::Taken(other)) => {
            let root = address::told(&other.root, other.is_folder);
            return Ok(refusal::by_condition(423, "no-conflicting-lock", &[root]));
        }
        Err(NoLock::TooMany | NoLock::Busy) => {
            return Err(Error::Busy { retry_after_s: limits::LOCKS_RETRY_AFTER_S });
        }
        Ok(()) => {}
    }
    if kind.is_none() {
        let share = share.holding(vec![lock.token.clone()]);
        if let Err(error) = make_empty(call, &share, &path) {
            call.share()?.unlock(&lock.token);
            return Err(error);
        }
        // Its time begins when it is told, however long the drive took.
        share.keep_lock(&path, &lock.token, Instant::now() + time);
    }
    let reply = told(if kind.is_none() { 201 } else { 200 }, &lock, time);
    Ok(reply.with("Lock-Token", format!("<{}>", lock.token)))
}

/// Makes the empty file that is locked before anything is in it.
fn make_empty(call: &Call<'_>, share: &Share, path: &VaultPath) -> Result<()> {
    let options = Place {
        if_exists: IfExists::Error("Something is there by now"),
        make_parents: false,
        drops_empty: false,
        files_only: true,
    };
    let spool = share.spool(path.parent().as_ref())?;
    share.place(vec![(spool, path.clone())], &options)?;
    call.note(Event::created(path.as_str()));
    Ok(())
}

/// Has a lock last longer.
///
/// Errors: `PreconditionFailed`: there is none of that token.
fn refresh(call: &Call<'_>, time: Duration) -> Result<Reply> {
    let field = call.request.header("If").ok_or(Error::invalid("The body asks for no lock"))?;
    let share = call.share()?;
    let path = address::of(call, &share)?;
    door::must_write(call, &path)?;
    let lists = if_header::parse(field)?;
    let places = Places { call, share: &share, path: &path, found: RefCell::default() };
    let tokens = places.shown(&lists)?;
    let until = Instant::now() + time;
    let kept = tokens.iter().find_map(|token| share.keep_lock(&path, token, until));
    kept.map(|lock| told(200, &lock, time)).ok_or(Error::PreconditionFailed)
}

/// The answer that tells of a lock which lasts so long from now on.
fn told(status: u16, lock: &Lock, time: Duration) -> Reply {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<D:prop xmlns:D=\"DAV:\"><D:lockdiscovery>{}</D:lockdiscovery></D:prop>\n",
        active(lock, &lock.words, time)
    );
    Reply::new(status, Body::Bytes(text.into_bytes().into()))
        .with("Content-Type", refusal::XML)
        .with("Cache-Control", "no-store")
}

/// `UNLOCK`: for whoever has the lock, and for an admin.
///
/// Errors: `Invalid`, `Refused`.
pub fn unlock(call: &mut Call<'_>) -> Result<Reply> {
    let (share, path) = enter(call)?;
    let field = call.request.header("Lock-Token").unwrap_or_default().trim();
    let token = field.strip_prefix('<').and_then(|token| token.strip_suffix('>'));
    let token = token.ok_or(Error::invalid("Lock-Token is missing or malformed"))?;
    if let Some(claim) = call.app.lock_tokens.read(token)
        && call.app.lock_tokens.is_of_before(&claim)
        && claim.user == call.user()?.id
    {
        bring_back(call, &share, &path, (token, &claim))?;
    }
    let caller = call.caller()?;
    // Who has lost the right to write may still give a lock back, but by no key that changes nothing.
    let is_by_reader = caller.narrowed_key().is_some() && !caller.grant().may_write(&path);
    if is_by_reader || !(caller.grant().may_see(&path) || caller.grant().may_write(&path)) {
        return Err(Error::Refused);
    }
    let locks = share.locks_at(&path);
    let Some(lock) = locks.iter().find(|lock| lock.token == token) else {
        return Ok(refusal::by_condition(409, "lock-token-matches-request-uri", &[]));
    };
    if lock.holder != call.user()?.id && !caller.may_end_all_locks() {
        return Err(Error::Refused);
    }
    share.unlock(token);
    Ok(Reply::new(204, Body::Empty))
}

/// The value of `lockdiscovery` of something. There may be a thousand locks whose owners say 4 KiB each, and all are told
/// with each thing that they cover: beyond a bound it is not told what owners say, which nobody must (RFC 4918, 14.1).
pub fn discovery(share: &Share, path: &VaultPath) -> String {
    let mut room = limits::LOCK_OWNERS_BYTES_TOLD_MAX;
    let told = |lock: &Lock| {
        let words = if lock.words.len() <= room { &*lock.words } else { "" };
        room -= words.len();
        active(lock, words, lock.time_left())
    };
    share.locks_at(path).iter().map(told).collect()
}

/// The value of `supportedlock`.
pub const SUPPORTED: &str = "<D:lockentry><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype>\
    </D:lockentry><D:lockentry><D:lockscope><D:shared/></D:lockscope><D:locktype><D:write/></D:locktype></D:lockentry>";

/// A lock with so much time left, as `lockdiscovery` tells it (RFC 4918, 14.1), with what its owner says.
fn active(lock: &Lock, words: &str, left: Duration) -> String {
    let scope = if lock.is_exclusive { "exclusive" } else { "shared" };
    let depth = if lock.is_deep { "infinity" } else { "0" };
    let owner = match words {
        "" => String::new(),
        words => format!("<D:owner>{words}</D:owner>"),
    };
    let (seconds, token) = (left.as_secs(), escaped(&lock.token));
    let root = address::told(&lock.root, lock.is_folder);
    format!(
        "<D:activelock><D:locktype><D:write/></D:locktype><D:lockscope><D:{scope}/></D:lockscope>\
         <D:depth>{depth}</D:depth>{owner}<D:timeout>Second-{seconds}</D:timeout>\
         <D:locktoken><D:href>{token}</D:href></D:locktoken>\
         <D:lockroot><D:href>{root}</D:href></D:lockroot></D:activelock>"
    )
}
