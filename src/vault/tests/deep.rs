//! Trees of thousands of levels: neither stack nor descriptors may pay for depth.

use super::super::{Fate, What};
use super::alone::{Surroundings, alone};
use super::mounts::without_openat2;
use super::{House, UPLOAD, listed, opened, path, raw, refusal, upload};
use rustix::fs::{Mode, OFlags};
use std::io::Cursor;
use std::path::Path;

/// Makes a chain of `levels` folders called `name` in `top`, with a file `end` in the last.
fn dig(top: &Path, name: &[u8], levels: usize) {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = rustix::fs::open(top, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        rustix::fs::mkdirat(&folder, name, Mode::RWXU).unwrap();
        folder = rustix::fs::openat(&folder, name, flags, Mode::empty()).unwrap();
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC;
    rustix::fs::openat(&folder, "end", flags, Mode::from(0o600)).unwrap();
}

/// Runs with few descriptors and the stack that larder gives its threads.
fn scarce(work: fn()) {
    use rustix::process::{Resource, Rlimit, setrlimit};
    setrlimit(Resource::Nofile, Rlimit { current: Some(32), maximum: Some(32) }).unwrap();
    let small = std::thread::Builder::new().stack_size(crate::limits::THREAD_STACK_BYTES);
    small.spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_deep_tree_is_deleted() {
    fn body() {
        scarce(|| {
            let house = House::new();
            for name in [b"d".as_slice(), b"\xff"] {
                dig(&house.folder("deep"), name, 5000);
                // A wide one beside it, and both again below.
                for number in 0..50 {
                    house.folder(format!("deep/w{number}/x/y"));
                    house.file(format!("deep/w{number}/x/f"), "x");
                }
                house.share().remove(&path("deep"), What::Tree, Fate::Gone).unwrap();
                assert!(house.on_disk("").is_empty());
                assert!(house.unfinished("").is_empty());
            }
        });
    }
    alone("deep::a_deep_tree_is_deleted", Surroundings::Process, body, || unreachable!());
}

#[test]
fn a_deep_tree_is_zipped() {
    fn body() {
        scarce(|| {
            let house = House::new();
            let without = without_openat2(&house);
            // Without the kernel's help each folder costs a walk from the root.
            for (share, levels) in [(house.share(), 3000), (without.share(), 600)] {
                dig(&house.folder("deep"), b"d", levels);
                dig(&house.folder("deep"), b"\xfe", 100);
                let mut bytes = Vec::new();
                share.zip(&path("deep")).unwrap().write(&mut bytes).unwrap();
                let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
                assert_eq!(zip.len(), levels + 1 + 100 + 1);
                zip.by_name(&("d/".repeat(levels) + "end")).unwrap();
                share.remove(&path("deep"), What::Tree, Fate::Gone).unwrap();
            }
        });
    }
    alone("deep::a_deep_tree_is_zipped", Surroundings::Process, body, || unreachable!());
}

#[test]
fn as_deep_as_a_path_reaches_everything_works() {
    fn body() {
        scarce(|| {
            let house = House::new();
            dig(&house.root(), b"d", 2500);
            let deep = vec!["d"; 2040].join("/");
            for share in [house.share(), without_openat2(&house).share()] {
                assert_eq!(listed(&share, &deep).unwrap(), ["d"]);
                let file = format!("{deep}/file");
                upload(&share, &[(&file, "F")], &UPLOAD).unwrap();
                assert_eq!(opened(&share, &file).unwrap(), "F");
                share.make_folder(&path(&format!("{deep}/new"))).unwrap();
                assert_eq!(listed(&share, &deep).unwrap(), ["d", "file", "new"]);
                share.remove(&path(&file), What::File, Fate::Gone).unwrap();
                share.remove(&path(&format!("{deep}/new")), What::Tree, Fate::Gone).unwrap();
                assert_eq!(
                    refusal(listed(&share, &file)).unwrap(),
                    "not found: Path does not exist"
                );
            }
            house.share().remove(&path("d"), What::Tree, Fate::Gone).unwrap();
            assert!(house.on_disk("").is_empty());
        });
    }
    let name = "deep::as_deep_as_a_path_reaches_everything_works";
    alone(name, Surroundings::Process, body, || unreachable!());
}

#[test]
fn a_link_into_the_depth_reaches_further_than_a_path() {
    let house = House::new();
    dig(&house.root(), b"d", 4000);
    let half = vec!["d"; 1900].join("/");
    house.link("half", &half);
    house.link(&format!("{half}/more"), &half);
    let share = house.share();
    assert_eq!(listed(&share, "half/more").unwrap(), ["d"]);
    assert_eq!(opened(&share, &format!("half/more/{}/end", vec!["d"; 200].join("/"))).unwrap(), "");
    upload(&share, &[(&format!("half/more/{}/new", vec!["d"; 200].join("/")), "N")], &UPLOAD)
        .unwrap();
    share.remove(&path("d"), What::Tree, Fate::Gone).unwrap();
    assert_eq!(house.on_disk(""), ["half"]);
}

#[test]
fn leftovers_of_any_depth_are_swept() {
    let house = House::new();
    let left = house.folder(".larder/tmp/0123456789abcdef-7");
    dig(&left, b"d", 3000);
    std::fs::write(house.root().join(".larder/tmp").join(raw(b"\xff")), "x").unwrap();
    assert_eq!(house.vault.sweep().unwrap(), 2);
    assert!(house.unfinished("").is_empty());
}
