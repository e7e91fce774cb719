//! `COPY` and `MOVE`.

use tiny_http::ext::Body;

use crate::dav::door::Depth;
use crate::dav::{address, conditions, door, locking, multistatus, put, refusal};
use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::handlers::jobs::{self, Scribe};
use crate::http::reply::Reply;
use crate::jobs::Kind as JobKind;
use crate::logbook::Event;
use crate::vault::{Fate, IfExists, Kind, Share, TransferKind, TrashId, VaultPath, What};

/// One of the two.
#[derive(Clone, Copy)]
struct Verb {
    /// What it does.
    kind: TransferKind,
    /// What it is as a job.
    job: JobKind,
    /// What the log says of it: from where, and where it is now.
    told: fn(&str, &str) -> Event,
}

/// What goes where.
struct Way {
    /// From where.
    source: VaultPath,
    /// Whether that is a folder.
    is_folder: bool,
    /// Where to.
    target: VaultPath,
    /// What is there by now.
    old: Option<Kind>,
}

/// `COPY`.
///
/// Errors: as `relocate`.
pub fn copy(call: &mut Call<'_>) -> Result<Reply> {
    transfer(call, Verb { kind: TransferKind::Copy, job: JobKind::Copy, told: Event::copied })
}

/// `MOVE`.
///
/// Errors: `Invalid`, `Refused`, `NotFound`, `Forbidden` (onto or into itself), `PreconditionFailed` (something is there
/// that shall stay), `Conflict` (no folder around the target), `DiskFull`.
pub fn relocate(call: &mut Call<'_>) -> Result<Reply> {
    transfer(call, Verb { kind: TransferKind::Move, job: JobKind::Move, told: Event::moved })
}

/// Either.
fn transfer(call: &mut Call<'_>, verb: Verb) -> Result<Reply> {
    let (share, source) = locking::enter(call)?;
    let is_copy = verb.kind == TransferKind::Copy;
    let is_shallow = match door::depth(call.request)? {
        None | Some(Depth::Infinity) => false,
        Some(Depth::Itself) if is_copy => true,
        Some(_) => return Err(Error::invalid("Depth must be infinity")),
    };
    let overwrites = overwrites(call)?;
    let Some(target) = address::destination(call, &share)? else {
        return Ok(refusal::said(502, "Destination is elsewhere"));
    };
    must_be_permitted(call, is_copy, &source, &target)?;
    let refused = door::refuse_litter(call, &target).filter(|_| !is_copy);
    if let Some(refused) = refused {
        return Ok(refused);
    }
    let way = look(&share, source, target)?;
    conditions::judge(call.request, &share, &way.source)?;
    if way.old.is_some() && !overwrites {
        return Err(Error::PreconditionFailed);
    }
    let ending = share.tokens_below(&share.own_place(&way.source));
    let taken_away = make_way(&share, &way, is_shallow)?;
    let outcome = if is_shallow && way.is_folder {
        copy_folder_alone(call, &share, &way)
    } else {
        run(call, &share, &way, verb, overwrites)
    };
    if let (Err(_), Some(id)) = (&outcome, &taken_away) {
        // It is in the trash if it cannot come back.
        let _stays_there = share.restore(&[id.as_str().to_owned()], IfExists::REFUSE);
    }
    match outcome {
        Err(Error::Remains(paths)) => Ok(multistatus::of_remains(&paths)),
        Err(error) => Err(error),
        Ok(()) => {
            if !is_copy {
                share.end_locks(&ending);
            }
            Ok(Reply::new(if way.old.is_some() { 204 } else { 201 }, Body::Empty))
        }
    }
}

/// Whether what is there may be replaced (RFC 4918, 10.6).
fn overwrites(call: &Call<'_>) -> Result<bool> {
    match call.request.header("Overwrite").map(str::trim) {
        None | Some("T") => Ok(true),
        Some("F") => Ok(false),
        Some(_) => Err(Error::invalid("Overwrite must be T or F")),
    }
}

/// Refuses what may not be done, before anything is told of what is there.
fn must_be_permitted(
    call: &Call<'_>,
    is_copy: bool,
    source: &VaultPath,
    target: &VaultPath,
) -> Result<()> {
    let grant = call.caller()?.grant();
    let may_take = grant.may_read(source) && (is_copy || grant.may_write(source));
    if !may_take || !grant.may_write(target) {
        return Err(Error::Refused);
    }
    let is_onto_itself = target.starts_with(source) || source.starts_with(target);
    if is_onto_itself { Err(Error::Forbidden) } else { Ok(()) }
}

/// Looks at both ends.
fn look(share: &Share, source: VaultPath, target: VaultPath) -> Result<Way> {
    let is_folder = share.look(&source)?.kind == Kind::Folder;
    put::must_have_folder(share, &target)?;
    let old = match share.kind_of(&target) {
        Ok(kind) => Some(kind),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let real = share.real_place(&source)?;
    if share.real_place(&target).is_ok_and(|target| target == real) {
        return Err(Error::Forbidden);
    }
    Ok(Way { source, is_folder, target, old })
}

/// Takes away what a thing of this kind cannot replace in one step, into the trash.
fn make_way(share: &Share, way: &Way, is_shallow: bool) -> Result<Option<TrashId>> {
    let Some(old) = way.old else { return Ok(None) };
    let is_alike = (old == Kind::Folder) == way.is_folder && !(is_shallow && way.is_folder);
    if is_alike {
        return Ok(None);
    }
    let what = if old == Kind::Folder { What::Tree } else { What::File };
    share.remove(&way.target, what, Fate::Trash)
}

/// Makes a folder like another, with nothing in it.
fn copy_folder_alone(call: &Call<'_>, share: &Share, way: &Way) -> Result<()> {
    let notes = share.notes(&way.source)?;
    share.make_folder(&way.target)?;
    if !notes.is_empty() {
        match share.note(&way.target, Some(&notes), None) {
            // What is noted is worth less than the folder.
            Ok(()) | Err(Error::Unsupported | Error::DiskFull) => {}
            Err(error) => return Err(error),
        }
    }
    call.note(Event::copied(way.source.as_str(), way.target.as_str()));
    Ok(())
}

/// Does it, in one step.
fn run(call: &Call<'_>, share: &Share, way: &Way, verb: Verb, overwrites: bool) -> Result<()> {
    let if_exists = if overwrites { IfExists::Overwrite } else { IfExists::REFUSE };
    let pair = (way.source.clone(), way.target.clone());
    let worded = |error| match error {
        Error::Collision(_) if !overwrites => Error::PreconditionFailed,
        Error::Collision(sentence) => Error::Conflict(sentence),
        // Into itself, by another name.
        Error::Invalid(crate::error::Why::Input, _) => Error::Forbidden,
        other => other,
    };
    let transfer = share.relocate(verb.kind, vec![pair], if_exists).map_err(worded)?;
    let owner = jobs::owner(call)?;
    let shown = call.app.jobs.wait_for_shown(owner, verb.job, call.standing()?)?;
    let scribe = Scribe::of(call)?;
    let outcome = transfer.run(&shown.progress, &mut |source, landed| {
        let trash = landed.trash().map(TrashId::as_str);
        scribe.note((verb.told)(source.as_str(), landed.path.as_str()).trashed(trash));
    });
    outcome.map_err(worded)?;
    shown.done();
    Ok(())
}
