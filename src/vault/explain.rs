//! Why somebody may do something with a place in the share, or may not: the steps of the doors, kept. Each asks the
//! function that the doors ask. Changes nothing.

use super::NOT_THERE;
use super::grant::Grant;
use super::look;
use super::path::VaultPath;
use super::permit::Permit;
use super::resolve::{Follow, Lost, Spot};
use super::share::{Need, Share};
use crate::error::Error;
use rustix::fs::{Access, AtFlags, FileType, Statx};

/// What somebody may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// To see what is in a file, or a folder with all that is in it.
    Read,
    /// To replace a file, or to make something there.
    Write,
    /// To see the names in a folder.
    List,
    /// To take it away.
    Delete,
}

/// A step on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(inline))]
#[serde(rename_all = "lowercase")]
pub enum Asked {
    /// What the role may use.
    Role,
    /// The paths of the account.
    Paths,
    /// Where links on the drive lead.
    Link,
    /// What others have locked.
    Lock,
    /// What somebody came with.
    Key,
    /// What the drive permits larder.
    Disk,
    /// Whether the drive is there.
    Drive,
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "ExplainStep"))]
pub struct Step {
    /// What was asked.
    pub what: Asked,
    /// Whether it lets go on.
    pub ok: bool,
    /// Why, in a sentence.
    pub detail: String,
}

impl Step {
    /// One.
    pub fn new(what: Asked, ok: bool, detail: impl Into<String>) -> Self {
        Self { what, ok, detail: detail.into() }
    }
}

impl Action {
    /// The right that it needs.
    fn need(self) -> Need {
        match self {
            Self::Read => Need::Read,
            Self::List => Need::See,
            Self::Write | Self::Delete => Need::Write,
        }
    }

    /// What it is called.
    fn word(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "written",
            Self::List => "listed",
            Self::Delete => "deleted",
        }
    }

    /// Whether it changes anything.
    fn changes(self) -> bool {
        self.need() == Need::Write
    }

    /// What the paths of an account say of a place. Asks no drive.
    pub fn by_paths(self, grant: &Grant, path: &VaultPath) -> Step {
        let ok = self.need().is_granted(grant, path);
        let list = if self.changes() { "paths_write" } else { "paths" };
        let reach = if ok { "reach" } else { "do not reach" };
        Step::new(Asked::Paths, ok, format!("The account's {list} {reach} this place."))
    }
}

impl Share {
    /// The steps that follow once the drive is there and the paths reach the place: and whether there is anything.
    /// `asker` is what whoever asks may see: of other places they are told nothing.
    pub fn explain(
        &self,
        path: &VaultPath,
        action: Action,
        asker: &Grant,
    ) -> (Vec<Step>, Option<bool>) {
        let mut steps = Vec::new();
        let follow = if action == Action::Delete { Follow::NotLast } else { Follow::Last };
        let itself = self.finder.locate(path, Follow::NotLast);
        let spot = match follow {
            Follow::Last => self.finder.locate(path, Follow::Last),
            Follow::NotLast => itself.clone(),
        };
        let is_there = itself.is_ok_and(|spot| spot.stat.is_some());
        let spot = match spot {
            Ok(spot) => spot,
            Err(lost) => {
                steps.extend(lost_at(lost));
                return (steps, (lost != Lost::Silent).then_some(is_there));
            }
        };
        steps.push(Step::new(Asked::Drive, true, "The drive is there."));
        let ends = self.ends(path, &spot);
        let is_led = ends.iter().any(|end| end != path);
        let may_go_there = ends.iter().all(|end| action.need().is_granted(self.grant(), end));
        let may_know = ends.iter().all(|end| asker.may_see(end));
        let leads = match ends.last().filter(|_| is_led) {
            None => "No link leads elsewhere.".to_owned(),
            Some(end) if may_know => {
                let reach = if may_go_there { "reach" } else { "do not reach" };
                format!("A link leads to {end}, which the account's paths {reach}.")
            }
            Some(_) if may_go_there => "A link leads to a place that you may not see.".to_owned(),
            Some(_) => "A link leads to a place that the account's paths do not reach.".to_owned(),
        };
        steps.push(Step::new(Asked::Link, may_go_there, leads));
        if !may_go_there || !may_know {
            return (steps, Some(is_there));
        }
        steps.push(self.explain_locks(path, &spot, action));
        steps.push(explain_disk(&spot, action));
        (steps, Some(spot.stat.is_some()))
    }

    /// Where the doors judge a place: where it really is, and where it leads if it is a link itself.
    fn ends(&self, path: &VaultPath, spot: &Spot) -> Vec<VaultPath> {
        let mut ends = vec![spot.path.clone()];
        if spot.is_link()
            && let Ok(end) = self.finder.locate(path, Follow::Last)
        {
            ends.push(end.path);
        }
        ends
    }

    /// What others have locked that is in the way.
    fn explain_locks(&self, path: &VaultPath, spot: &Spot, action: Action) -> Step {
        let judged = match action {
            Action::Read | Action::List => Ok(()),
            Action::Write if spot.stat.is_none() => {
                self.ask(path, Need::Write).and_then(|()| self.may_come(&spot.path))
            }
            Action::Write => {
                self.ask(path, Need::Write).and_then(|()| self.ask(&spot.path, Need::Write))
            }
            Action::Delete => self.ask(path, Need::Write).and_then(|()| self.may_go(&spot.path)),
        };
        match judged {
            Err(Error::Locked { sentence, .. }) => {
                Step::new(Asked::Lock, false, format!("{sentence}."))
            }
            _ => Step::new(Asked::Lock, true, "No lock is in the way."),
        }
    }
}

/// The step at which nobody gets any further.
fn lost_at(lost: Lost) -> Vec<Step> {
    let drive = || Step::new(Asked::Drive, true, "The drive is there.");
    let link = |why: &str| vec![drive(), Step::new(Asked::Link, false, why)];
    match lost {
        Lost::Silent => vec![Step::new(Asked::Drive, false, "The drive does not answer.")],
        Lost::Escapes => link("A link leads out of the share."),
        Lost::Loops => link("Links lead to each other without end."),
        Lost::Missing => {
            vec![drive(), Step::new(Asked::Link, true, "A folder on the way is not there.")]
        }
        Lost::Os(errno) => {
            let denied = matches!(Error::from(Lost::Os(errno)), Error::DeniedByDrive);
            let step = if denied {
                Step::new(
                    Asked::Disk,
                    false,
                    "The drive does not let larder into a folder on the way.",
                )
            } else {
                Step::new(Asked::Disk, false, "The drive fails.")
            };
            vec![drive(), step]
        }
    }
}

/// What the drive permits larder there.
fn explain_disk(spot: &Spot, action: Action) -> Step {
    let Some(stat) = &spot.stat else {
        let ok = !action.changes() || Permit::of(&*spot.folder).lets_come();
        let why = match (action.changes(), ok) {
            (false, _) => "Nothing is there.".to_owned(),
            (true, true) => "Nothing is there; the drive lets larder make something.".to_owned(),
            (true, false) => {
                format!(
                    "The drive does not let larder write in the folder ({}).",
                    bits_around(spot)
                )
            }
        };
        return Step::new(Asked::Disk, ok, why);
    };
    let ok = is_permitted(spot, stat, action);
    let bits = match action {
        // Files are replaced and removed by their folder.
        Action::Write if look::type_of(stat) != FileType::Directory => bits_around(spot),
        Action::Delete => bits_around(spot),
        _ => bits(stat),
    };
    let not = if ok { "lets it be" } else { "does not let it be" };
    Step::new(Asked::Disk, ok, format!("The drive {not} {} by larder ({bits}).", action.word()))
}

/// Whether the drive lets larder do that with what is there.
fn is_permitted(spot: &Spot, stat: &Statx, action: Action) -> bool {
    let opens =
        |wanted| rustix::fs::accessat(&*spot.folder, &spot.name, wanted, AtFlags::EACCESS).is_ok();
    match (action, look::type_of(stat) == FileType::Directory) {
        (Action::Write, _) => spot.permits(stat),
        (Action::Delete, _) => Permit::after_unlocking(&*spot.folder).lets_go(stat),
        (Action::Read | Action::List, true) => opens(Access::READ_OK | Access::EXEC_OK),
        (Action::Read | Action::List, false) => opens(Access::READ_OK),
    }
}

/// The mode bits and owner of something.
fn bits(stat: &Statx) -> String {
    format!("mode {:04o}, owner {}, group {}", stat.stx_mode & 0o7777, stat.stx_uid, stat.stx_gid)
}

/// Those of the folder around it.
fn bits_around(spot: &Spot) -> String {
    look::look_at(&*spot.folder)
        .map_or_else(|_| NOT_THERE.to_string(), |stat| format!("folder: {}", bits(&stat)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{House, path};
    use super::*;
    use std::sync::Arc;

    /// What stops somebody, and whether anything is there.
    fn stopped(
        share: &Share,
        place: &str,
        action: Action,
        asker: &Grant,
    ) -> (Vec<Asked>, Option<bool>) {
        let (steps, is_there) = share.explain(&path(place), action, asker);
        let refused = steps.iter().filter(|step| !step.ok).map(|step| step.what);
        (refused.collect(), is_there)
    }

    #[test]
    fn a_link_stops_whom_its_end_is_closed_to_and_tells_nobody_else_where_it_leads() {
        let house = House::new();
        house.file("in/a.txt", "a");
        house.file("out/secret.txt", "canary");
        house.link("in/way", "../out/secret.txt");
        house.link("in/broken", "../out/none");
        house.link("in/away", "/etc/passwd");
        house.link("in/round", "round");
        let share = house.share_of(&["in"], &["in"]);
        let (all, own) = (Grant::everything(), Arc::new(share.grant().clone()));
        for action in [Action::Read, Action::Write, Action::Delete] {
            assert_eq!(stopped(&share, "in/a.txt", action, &own), (vec![], Some(true)));
            let way = stopped(&share, "in/way", action, &own);
            assert_eq!(way, (vec![Asked::Link], Some(true)), "{action:?}");
        }
        assert_eq!(stopped(&share, "in/away", Action::Read, &own).0, [Asked::Link]);
        assert_eq!(stopped(&share, "in/round", Action::Read, &own).0, [Asked::Link]);
        assert_eq!(stopped(&share, "in/none", Action::Write, &own), (vec![], Some(false)));
        assert_eq!(stopped(&share, "in/none/x", Action::Read, &own), (vec![], Some(false)));
        // To those who may not see there, a link that leads to something is as one that leads to nothing.
        let words = |share: &Share, place: &str, asker: &Grant| {
            format!("{:?}", share.explain(&path(place), Action::Read, asker))
        };
        let (way, broken) = (words(&share, "in/way", &own), words(&share, "in/broken", &own));
        assert_eq!(way, broken);
        assert!(!way.contains("secret"), "{way}");
        assert!(words(&house.share(), "in/way", &all).contains("out/secret.txt"));
        let told = words(&house.share(), "in/way", &own);
        assert!(!told.contains("secret") && !told.contains("mode"), "{told}");
        assert!(!words(&house.share(), "in/a.txt", &all).contains("canary"));
    }
}
