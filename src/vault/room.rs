//! Space on a drive, as the drive tells it.

use super::look;
use super::mounts::{is_read_only, mount_table};
use rustix::fd::BorrowedFd;
use rustix::fs::StatVfsMountFlags;

/// Space on a drive, in bytes, and whether it takes any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// All of it.
    pub total_bytes: u64,
    /// What is written.
    pub used_bytes: u64,
    /// What larder may still write; a filesystem may keep some of the rest for the system.
    pub free_bytes: u64,
    /// Whether nothing can be written: mounted so, or turned so by the kernel after errors.
    pub is_read_only: bool,
    /// The device, major and minor.
    pub device: (u32, u32),
}

impl Usage {
    /// Looks at the drive that an open folder is on.
    pub fn of(folder: BorrowedFd<'_>) -> rustix::io::Result<Self> {
        let told = rustix::fs::fstatvfs(folder)?;
        let stat = look::look_at(folder)?;
        let device = (stat.stx_dev_major, stat.stx_dev_minor);
        let is_read_only = told.f_flag.contains(StatVfsMountFlags::RDONLY)
            || mount_table().is_some_and(|table| is_read_only(&table, device));
        Ok(Self {
            total_bytes: told.f_blocks.saturating_mul(told.f_frsize),
            used_bytes: told.f_blocks.saturating_sub(told.f_bfree).saturating_mul(told.f_frsize),
            free_bytes: told.f_bavail.saturating_mul(told.f_frsize),
            is_read_only,
            device,
        })
    }
}

/// Space on one drive, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Room {
    /// All of it.
    pub total: u64,
    /// What larder may still write.
    pub free: u64,
}

impl Room {
    /// On the drive that an open folder is on; `None` where the filesystem does not tell: it says that it has
    /// no blocks at all, which is not the same as being full.
    pub fn on(folder: BorrowedFd<'_>) -> rustix::io::Result<Option<Self>> {
        let told = rustix::fs::fstatvfs(folder)?;
        let bytes = |blocks: u64| blocks.saturating_mul(told.f_frsize);
        let room = Self { total: bytes(told.f_blocks), free: bytes(told.f_bavail) };
        Ok((room.total > 0).then_some(room))
    }
}
