//! Keeps the C library's allocator small on a small board.
//!
//! glibc keeps what a program frees: each thread may get an arena of its own, and after the first
//! large block is freed the limit above which blocks go straight back to the system rises to that
//! block's size. For larder that means that a sign-in (12 MiB for Argon2id) would stay resident for
//! good, once for each arena. This crate knows nothing of larder.

/// Blocks from this size on are mapped and, when freed, given back to the system at once (bytes).
pub const MMAP_THRESHOLD_BYTES: i32 = 128 * 1024;

/// The top of a heap is given back to the system when more than this is free there (bytes).
pub const TRIM_THRESHOLD_BYTES: i32 = 256 * 1024;

/// Heaps in all; more only buys speed for threads that allocate all the time, which none here do.
pub const ARENAS_MAX: i32 = 2;

/// Fixes the three limits for the life of the process; call it first in `main`.
///
/// Source: `mallopt(3)`. Elsewhere than on glibc it does nothing.
pub fn keep_small() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (option, value) in [
        (libc::M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES),
        (libc::M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES),
        (libc::M_ARENA_MAX, ARENAS_MAX),
    ] {
        set(option, value);
    }
}

/// Has all threads share one heap: a second one takes 64 MiB of address space before its first byte is used, which a
/// process with a bound on its address space does not have. Call it before another thread exists.
pub fn share_one() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    set(libc::M_ARENA_MAX, 1);
}

/// Blocks that are kept when they are freed, in a process that keeps them (bytes): as many as the allocator allows.
pub const KEPT_BYTES_MAX: i32 = 32 << 20;

/// Keeps what is freed for what is allocated next: each page that comes from the system anew costs a small board a
/// microsecond or two. For a process that ends with its task. Where a word has four bytes it changes nothing.
pub fn keep_freed() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for option in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        set(option, KEPT_BYTES_MAX);
    }
}

/// Bytes that are allocated now, in all threads; `None` where nobody counts them.
///
/// Source: `mallinfo2(3)`, since glibc 2.33.
pub fn in_use() -> Option<usize> {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        #[expect(unsafe_code, reason = "mallinfo2 takes nothing and gives back numbers")]
        // SAFETY: it reads the allocator's own counts, under the allocator's locks.
        let counts = unsafe { libc::mallinfo2() };
        Some(counts.uordblks.saturating_add(counts.hblkhd))
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    None
}

/// Sets one of the allocator's parameters.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn set(option: libc::c_int, value: libc::c_int) {
    #[expect(unsafe_code, reason = "mallopt takes two integers and cannot touch memory of ours")]
    // SAFETY: mallopt only stores the value; it is called before any other thread exists.
    let _known = unsafe { libc::mallopt(option, value) };
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn what_is_allocated_is_counted() {
        let before = super::in_use().unwrap();
        let large = std::hint::black_box(vec![1_u8; 64 << 20]);
        let with = super::in_use().unwrap();
        assert!(with - before > 60 << 20, "{before} {with}");
        drop(large);
        assert!(super::in_use().unwrap() < with);
    }
}
