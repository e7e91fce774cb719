//! What the drive itself permits larder to change, whoever asks: modes, owners, access lists, flags, and
//! filesystems that are read-only. Larder replaces files rather than write into them, so what counts for a
//! file is the folder around it. Knows no grants.

use super::look;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Access, AtFlags, FileType, Statx, StatxAttributes};

/// The bit of a folder's mode that lets only their owners rename and remove things (`S_ISVTX`).
const STICKY: u16 = 0o1000;

/// What the drive permits in one folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permit {
    /// Whether names may be made and taken away.
    is_writable: bool,
    /// In a sticky folder, whose things only their owners may rename: the folder's owner.
    sticky: Option<u32>,
    /// Whether a folder is judged by its mode alone: the drive is not asked.
    is_by_mode: bool,
}

impl Permit {
    /// In this folder, which may be open as a mere place.
    pub fn of<Fd: AsFd>(folder: Fd) -> Self {
        let Ok(stat) = look::look_at(folder.as_fd()) else { return Self::nothing() };
        let sticky = (stat.stx_mode & STICKY != 0).then_some(stat.stx_uid);
        // Names may be added to such a folder and never taken away again.
        let is_append_only = stat.stx_attributes.contains(StatxAttributes::APPEND);
        Self { is_writable: !is_append_only && may_write_in(folder), sticky, is_by_mode: false }
    }

    /// For the top of another drive, which is not asked; the mount table says whether it is read-only.
    pub const fn of_top(is_read_only: bool) -> Self {
        Self { is_writable: !is_read_only, sticky: None, is_by_mode: true }
    }

    /// Nothing at all.
    const fn nothing() -> Self {
        Self { is_writable: false, sticky: None, is_by_mode: false }
    }

    /// Whether what is called `name` in the folder may be changed: a folder if things may be put into it,
    /// anything else if it may be replaced and removed.
    pub fn permits(self, folder: &OwnedFd, name: &[u8], stat: &Statx) -> bool {
        if look::type_of(stat) == FileType::Directory && self.is_by_mode {
            return self.is_writable && may_write_by_mode(stat);
        }
        if look::type_of(stat) == FileType::Directory {
            return look::open_place(folder, name).is_ok_and(may_write_in);
        }
        self.lets_go(stat)
    }

    /// Whether names may be made in the folder.
    pub fn lets_come(self) -> bool {
        self.is_writable
    }

    /// Whether such a thing may be taken out of the folder.
    pub fn lets_go(self, stat: &Statx) -> bool {
        let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
        self.is_writable && !stat.stx_attributes.intersects(fixed) && self.is_ours(stat)
    }

    /// The same in a folder that is unlocked first if it is ours: only its mode may be in the way then.
    pub fn after_unlocking<Fd: AsFd>(folder: Fd) -> Self {
        let permit = Self::of(folder.as_fd());
        let Ok(stat) = look::look_at(folder) else { return permit };
        let fixed = StatxAttributes::IMMUTABLE | StatxAttributes::APPEND;
        let is_locked = stat.stx_uid == rustix::process::geteuid().as_raw()
            && stat.stx_mode & 0o300 != 0o300
            && !stat.stx_attributes.intersects(fixed);
        Self { is_writable: permit.is_writable || is_locked, ..permit }
    }

    /// Whether a sticky folder lets us move such a thing.
    fn is_ours(self, stat: &Statx) -> bool {
        let me = rustix::process::geteuid();
        let Some(owner) = self.sticky else { return true };
        me.is_root() || [owner, stat.stx_uid].contains(&me.as_raw())
    }
}

/// Whether a folder's mode lets us make names in it; access lists and groups beside the first are left
/// out.
fn may_write_by_mode(stat: &Statx) -> bool {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid().as_raw());
    let bits = match () {
        () if user.is_root() => return true,
        () if stat.stx_uid == user.as_raw() => 0o300,
        () if stat.stx_gid == group => 0o030,
        () => 0o003,
    };
    stat.stx_mode & bits == bits
}

/// Whether names may be made in a folder.
fn may_write_in<Fd: AsFd>(folder: Fd) -> bool {
    let wanted = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(folder, c".", wanted, AtFlags::EACCESS).is_ok()
}
