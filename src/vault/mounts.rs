//! What the kernel tells of mounts: where drives are mounted, and which take no writes.

use crate::limits;
use rustix::fd::{AsRawFd as _, BorrowedFd};
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

/// The mount points strictly below an open folder, relative to it. Empty where the kernel does
/// not tell.
pub(super) fn mounts_below(folder: BorrowedFd<'_>) -> Vec<PathBuf> {
    let Ok(top) = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())) else {
        return Vec::new();
    };
    let Some(lines) = mount_table() else { return Vec::new() };
    mount_points(&lines)
        .filter_map(|point| Some(point.strip_prefix(&top).ok()?.to_path_buf()))
        .filter(|below| !below.as_os_str().is_empty())
        .collect()
}

/// The lines of the mount table that are about an open folder, what is below it, or what it lies
/// on, as numbers; differs whenever a drive comes or goes there. Empty where the kernel does
/// not tell.
pub(super) fn mounts_around(folder: BorrowedFd<'_>) -> Vec<u8> {
    let Ok(top) = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())) else {
        return Vec::new();
    };
    let Some(lines) = mount_table() else { return Vec::new() };
    let mut around = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        let Some(point) = mount_points(line).next() else { continue };
        if point.starts_with(&top) || top.starts_with(&point) {
            // Number, parent, device.
            for field in line.split(|byte| *byte == b' ').take(3) {
                around.extend_from_slice(field);
                around.push(b' ');
            }
        }
    }
    around
}

/// What the kernel tells of mounts, as bytes (`proc(5)`, mountinfo).
pub(super) fn mount_table() -> Option<Vec<u8>> {
    let table = File::open("/proc/self/mountinfo").ok()?;
    let mut lines = Vec::new();
    table.take(limits::MOUNT_TABLE_BYTES_MAX).read_to_end(&mut lines).ok()?;
    Some(lines)
}

/// Whether the filesystem on a device (not only one mount of it) takes no writes. Newer kernels do not
/// turn an ext4 with errors read-only as a mount: they say `emergency_ro` or `shutdown` among the
/// options of its superblock, which come last in its line.
pub(super) fn is_read_only(table: &[u8], (major, minor): (u32, u32)) -> bool {
    let device = format!("{major}:{minor}");
    let of_device = |line: &&[u8]| {
        line.split(|byte| *byte == b' ').nth(2).is_some_and(|field| field == device.as_bytes())
    };
    let options = |line: &[u8]| {
        let last = line.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        last.split(|byte| *byte == b',')
            .any(|option| matches!(option, b"ro" | b"emergency_ro" | b"shutdown"))
    };
    table.split(|byte| *byte == b'\n').filter(of_device).any(options)
}

/// The mount points in a table like `/proc/self/mountinfo`: the fifth field of each line (`proc(5)`).
pub(super) fn mount_points(table: &[u8]) -> impl Iterator<Item = PathBuf> {
    table
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4))
        .map(|field| PathBuf::from(std::ffi::OsString::from_vec(unescape(field))))
}

/// Undoes the kernel's `\040` for space, tab, newline and backslash.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).filter(|_| *byte == b'\\');
        let octal = digits.and_then(|digits| {
            digits.iter().try_fold(0_u8, |number, digit| {
                let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
                number.checked_mul(8)?.checked_add(digit)
            })
        });
        plain.push(octal.unwrap_or(*byte));
        rest = if octal.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mount_table_is_read_with_its_escapes() {
        let table = b"36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw\n\
            37 35 8:1 / /srv/a\\040b\\134c rw - vfat /dev/sda1 rw\nbroken\n\
            38 35 8:1 / /srv/\\08\\777 rw - vfat /dev/sda1 rw\n";
        let points: Vec<_> = mount_points(table).collect();
        let wanted = ["/mnt2", "/srv/a b\\c", "/srv/\\08\\777"].map(PathBuf::from);
        assert_eq!(points, wanted);
    }

    #[test]
    fn a_drive_that_the_kernel_has_closed_for_writing_is_known() {
        let table = b"36 35 8:1 / /srv rw,noatime - ext4 /dev/sda1 rw,errors=remount-ro\n\
            37 35 8:2 / /a rw - ext4 /dev/sda2 rw,emergency_ro\n38 35 8:3 / /b rw - ext4 /dev/sda3 ro\n\
            39 35 8:4 / /c ro - ext4 /dev/sda4 rw\nbroken\n";
        for (minor, wanted) in [(1, false), (2, true), (3, true), (4, false), (5, false)] {
            assert_eq!(is_read_only(table, (8, minor)), wanted, "{minor}");
        }
    }
}
