//! Keeps the C library's allocator small on a small board.
//!
//! glibc keeps what a program frees: each thread may get an arena of its own, and after the first
//! large block is freed the limit above which blocks go straight back to the system rises to that
//! block's size. For larder that means that a sign-in (12 MiB for Argon2id) would stay resident for
//! good, once for each arena. Stacks are as bad: what was touched once stays. This crate knows nothing of larder.

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

/// Bytes below the frame that asks for it which stay as they are: more than that frame itself and the call of the system
/// have on the stack. Frames of programs that are not optimised are larger.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const STACK_KEPT_BYTES: usize = if cfg!(debug_assertions) { 4096 } else { 512 };

/// Gives back the pages of this thread's stack that nothing lies in: what an earlier, deeper call has touched stays
/// resident for as long as the thread lives. For a thread that is about to wait, of which there may be many; each page
/// is there again, empty, as soon as it is needed. Whether there was anything to give back.
///
/// Source: `madvise(2)`; glibc does the same when a thread ends. Elsewhere than on glibc it does nothing.
pub fn give_back_stack() -> bool {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        own_stack().is_some_and(|(lowest, page)| give_back_from(lowest, page))
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    false
}

/// Where this thread's stack ends, as long as it may grow, and how large a page is.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn own_stack() -> Option<(*mut libc::c_void, usize)> {
    let mut attributes = std::mem::MaybeUninit::uninit();
    let (mut lowest, mut length) = (std::ptr::null_mut(), 0);
    #[expect(unsafe_code, reason = "the C library tells of a thread's own stack by pointers")]
    // SAFETY: all pointers are to variables above, `attributes` is read only when it was filled, and then ended.
    let page = unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        libc::pthread_attr_getstack(attributes.as_ptr(), &raw mut lowest, &raw mut length);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        libc::sysconf(libc::_SC_PAGESIZE)
    };
    let page = usize::try_from(page).ok().filter(|page| page.is_power_of_two())?;
    (!lowest.is_null() && lowest.addr() % page == 0).then_some((lowest, page))
}

/// Gives back what lies between the end of this thread's stack and this very frame. It has a frame of its own, and does
/// nothing else in it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[inline(never)]
fn give_back_from(lowest: *mut libc::c_void, page: usize) -> bool {
    let mark = 0_u8;
    let here = std::hint::black_box(&raw const mark);
    let until = here.addr().saturating_sub(STACK_KEPT_BYTES) & !(page - 1);
    let unused = until.saturating_sub(lowest.addr());
    if unused == 0 {
        return false;
    }
    #[expect(unsafe_code, reason = "the kernel is told of pages that no frame lies in")]
    // SAFETY: stacks grow downwards on all that glibc runs on. The range ends below this frame, which is the last but
    // that of the call, by what both of them have at most: no value in it is ever read again.
    let failed = unsafe { libc::madvise(lowest, unused, libc::MADV_DONTNEED) };
    failed == 0
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
    /// Touches so many KiB of the stack, and says the sum of what it wrote.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[inline(never)]
    fn dive(kib: usize) -> usize {
        let room = std::hint::black_box([1_u8; 1024]);
        let here = room.iter().map(|&byte| usize::from(byte)).sum::<usize>();
        if kib > 1 { here + dive(kib - 1) } else { here }
    }

    /// Resident KiB of the mapping that an address is in.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn resident_kib(address: usize) -> usize {
        let all = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let mut is_it = false;
        for line in all.lines() {
            let range = line.split(' ').next().and_then(|range| range.split_once('-'));
            let number = |text| usize::from_str_radix(text, 16);
            if let Some((Ok(from), Ok(to))) = range.map(|(from, to)| (number(from), number(to))) {
                is_it = (from..to).contains(&address);
            } else if let Some(rest) = line.strip_prefix("Rss:").filter(|_| is_it) {
                return rest.trim().trim_end_matches(" kB").parse().unwrap();
            }
        }
        panic!("no mapping has {address:x}");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    fn a_stack_is_no_larger_than_what_is_on_it() {
        let diver = std::thread::Builder::new().stack_size(4 << 20).spawn(|| {
            let held = std::hint::black_box([7_u8; 4096]);
            let address = held.as_ptr().addr();
            assert_eq!(dive(1024), 1 << 20);
            let deep = resident_kib(address);
            assert!(super::give_back_stack());
            let flat = resident_kib(address);
            assert!(deep >= 1024 && flat < deep / 4, "{deep} KiB, then {flat}");
            // What is above has not changed, and what is below can be used again.
            assert!(held.iter().all(|&byte| byte == 7));
            assert_eq!(dive(1024), 1 << 20);
        });
        diver.unwrap().join().unwrap();
    }

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
