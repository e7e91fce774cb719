//! Folders as ZIP files, read back by the `zip` crate.

use super::super::root::Quirks;
use super::alone::{Surroundings, alone};
use super::{House, path, raw, refusal};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Cursor, Read as _, Seek, SeekFrom, Write};

/// Everything in the ZIP of a folder: names with contents.
fn zipped(share: &super::Share, folder: &str) -> BTreeMap<String, Vec<u8>> {
    let mut bytes = Vec::new();
    share.zip(&path(folder)).unwrap().write(&mut bytes).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut members = BTreeMap::new();
    for number in 0..zip.len() {
        let mut member = zip.by_index(number).unwrap();
        let mut content = Vec::new();
        // The checksum is compared at the end of the content.
        member.read_to_end(&mut content).unwrap();
        let name = std::str::from_utf8(member.name_raw()).unwrap().to_owned();
        assert!(members.insert(name.clone(), content).is_none(), "{name} comes twice");
    }
    members
}

/// The names only.
fn names(share: &super::Share, folder: &str) -> Vec<String> {
    zipped(share, folder).into_keys().collect()
}

#[test]
fn odd_names_empty_folders_and_modes_are_kept() {
    let house = House::new();
    house.file("docs/it's (a) 🍯", "honey");
    house.file(format!("docs/{}", "x".repeat(255)), "");
    house.folder("docs/empty/er");
    house.file("docs/run", "#!");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o750);
    fs::set_permissions(house.root().join("docs/run"), mode).unwrap();
    house.file("docs/.larder/id", "hidden");
    house.file("docs/.hidden", "shown");
    let share = house.share();
    let long = "x".repeat(255);
    assert_eq!(
        names(&share, "docs"),
        [".hidden", "empty/", "empty/er/", "it's (a) 🍯", "run", &long]
    );
    assert_eq!(zipped(&share, "docs")["it's (a) 🍯"], b"honey");
    assert!(names(&share, "docs/empty/er").is_empty());
    let mut bytes = Vec::new();
    share.zip(&path("docs")).unwrap().write(&mut bytes).unwrap();
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(zip.by_name("run").unwrap().unix_mode(), Some(0o100_750));
    assert!(zip.by_name("empty/").unwrap().is_dir());
    let all = names(&share, "");
    assert!(all.iter().all(|name| !name.contains(".larder")) && all.len() == 7, "{all:?}");
}

#[test]
fn names_that_are_not_utf8_are_told_apart() {
    let house = House::new();
    for (name, content) in
        [(b"a\xff".as_slice(), "1"), (b"a\xfe", "2"), (b"\xff\xff/in", "3"), (b"\xfe\xfe/in", "4")]
    {
        house.file(raw(&[b"docs/", name].concat()), content);
    }
    let members = zipped(&house.share(), "docs");
    let mut contents: Vec<_> =
        members.values().filter(|content| !content.is_empty()).cloned().collect();
    contents.sort();
    assert_eq!(contents, [b"1", b"2", b"3", b"4"]);
    assert_eq!(members.len(), 6);
}

#[test]
fn links_are_followed_inside_once_and_never_outside() {
    for quirks in [Quirks::default(), Quirks { no_openat2: true, ..Quirks::default() }] {
        let house = House::with_quirks(quirks);
        let outside = house.outside("secret");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("s"), "secret").unwrap();
        house.file("docs/a", "A");
        house.file("docs/sub/b", "B");
        house.file("else/c", "C");
        house.link("else/back", "../docs");
        house.link("else/more", "../third");
        house.file("third/t", "T");
        house.link("docs/file", "../else/c");
        house.link("docs/folder", "../else");
        house.link("docs/self", ".");
        house.link("docs/sub/up", "..");
        house.link("docs/top", "..");
        house.link("docs/out", &outside);
        house.link("docs/out-file", outside.join("s"));
        house.link("docs/dangling", "none");
        house.link("docs/loop", "loop");
        house.link("docs/own", "../.larder");
        house.link("docs/id", "../.larder/id");
        let share = house.share();
        assert_eq!(names(&share, "docs"), ["a", "file", "folder/", "folder/c", "sub/", "sub/b"]);
        // What the caller may not read is passed over.
        let share = house.share_of(&["docs"], &[]);
        assert_eq!(names(&share, "docs"), ["a", "sub/", "sub/b"]);
        assert_eq!(refusal(share.zip(&path("else"))).as_deref(), Some("refused"));
        assert_eq!(refusal(share.zip(&path(""))).as_deref(), Some("refused"));
    }
}

#[test]
fn a_file_is_no_folder_and_a_missing_one_is_not_found() {
    let house = House::new();
    house.file("a", "A");
    let share = house.share();
    assert_eq!(refusal(share.zip(&path("a"))).as_deref(), Some("invalid: Path is not a folder"));
    assert_eq!(refusal(share.zip(&path("b"))).as_deref(), Some("not found: Path does not exist"));
    // One that goes before it is written is no empty success.
    house.folder("c");
    let archive = share.zip(&path("c")).unwrap();
    fs::remove_dir(house.root().join("c")).unwrap();
    assert!(archive.write(&mut Vec::new()).is_err());
}

#[test]
fn what_may_not_be_read_is_told_in_a_last_entry() {
    fn body() {
        let house = House::new();
        house.file("docs/a", "A");
        house.file("docs/no/deep", "D");
        house.file("docs/no.txt", "N");
        house.file("docs/sub/MISSING.txt", "mine");
        house.link("docs/way", "no/deep");
        let lock = |name: &str, mode: u32| {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
            fs::set_permissions(house.root().join(name), mode).unwrap();
        };
        lock("docs/no", 0);
        lock("docs/no.txt", 0);
        let share = house.share();
        let told = |members: &BTreeMap<String, Vec<u8>>, name: &str| {
            String::from_utf8(members[name].clone()).unwrap()
        };
        let members = zipped(&share, "docs");
        let names: Vec<_> = members.keys().map(String::as_str).collect();
        assert_eq!(names, ["MISSING.txt", "a", "sub/", "sub/MISSING.txt"]);
        for name in ["no/", "no.txt", "way"] {
            let line = format!("\n{name}: not permitted on the drive\r\n");
            assert!(told(&members, "MISSING.txt").contains(&line), "{name}");
        }
        let mut bytes = Vec::new();
        let paths = ["docs/no.txt", "docs/a", "docs/sub/MISSING.txt"].map(path);
        let missing = share.zip_selection(&paths, "all").unwrap().write(&mut bytes).unwrap();
        assert_eq!((missing.count(), missing.first()), (1, "no.txt: not permitted on the drive"));
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        assert_eq!(io::read_to_string(zip.by_name("MISSING.txt").unwrap()).unwrap(), "mine");
        let last = zip.by_index(zip.len() - 1).unwrap();
        assert_eq!(last.name_raw(), b"MISSING (1).txt");
        drop(last);
        lock("docs/no", 0o700);
    }
    let name = "zip::what_may_not_be_read_is_told_in_a_last_entry";
    alone(name, Surroundings::Ordinary, body, body);
}

#[test]
fn what_vanishes_meanwhile_is_told_in_a_last_entry() {
    /// Removes a folder at the first byte that goes out.
    struct Remover(Vec<u8>, Option<std::path::PathBuf>);
    impl Write for Remover {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(place) = self.1.take() {
                fs::remove_dir_all(place)?;
            }
            self.0.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let house = House::new();
    house.file("docs/b/in", "B");
    house.file("docs/a", "A");
    let mut out = Remover(Vec::new(), Some(house.root().join("docs/b")));
    let missing = house.share().zip(&path("docs")).unwrap().write(&mut out).unwrap();
    assert_eq!(missing.first(), "b/: gone when its turn came");
    let zip = zip::ZipArchive::new(Cursor::new(out.0)).unwrap();
    assert!(zip.index_for_name("MISSING.txt").is_some() && zip.index_for_name("a").is_some());
}

#[test]
fn names_that_lead_astray_elsewhere_are_changed_and_stay_different() {
    let house = House::new();
    for name in ["..\\..\\evil.bat", ".._.._evil.bat", "con.txt", "a:b/in:side", "a*b/in", "end. "]
    {
        house.file(format!("docs/{name}"), name);
    }
    let members = zipped(&house.share(), "docs");
    let contents = |name: &str| String::from_utf8(members[name].clone()).unwrap();
    assert_eq!(contents(".._.._evil.bat"), ".._.._evil.bat");
    assert_eq!(contents(".._.._evil (1).bat"), "..\\..\\evil.bat");
    assert_eq!(contents("con_.txt"), "con.txt");
    assert_eq!(contents("end._"), "end. ");
    assert_eq!(members.keys().filter(|name| name.starts_with("a_b")).count(), 4);
    // As what was asked for, too.
    let paths = ["docs/..\\..\\evil.bat", "docs/.._.._evil.bat", "docs/a:b"].map(path);
    let mut bytes = Vec::new();
    house.share().zip_selection(&paths, "all").unwrap().write(&mut bytes).unwrap();
    let zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    for name in [".._.._evil.bat", ".._.._evil (1).bat", "a_b/in_side"] {
        assert!(names.iter().any(|there| there == name), "{name}: {names:?}");
    }
}

#[test]
fn more_entries_than_the_old_format_counts() {
    const FILES: usize = 66_000;
    let house = House::in_memory();
    for folder in 0..10 {
        let place = house.folder(format!("many/{folder}"));
        for number in 0..FILES / 10 {
            File::create(place.join(format!("{number}"))).unwrap();
        }
    }
    fs::write(house.root().join("many/last"), "L").unwrap();
    let mut bytes = Vec::new();
    house.share().zip(&path("many")).unwrap().write(&mut bytes).unwrap();
    assert!(bytes.len() > crate::limits::ZIP_DIRECTORY_BYTES_MAX, "the hidden file was needed");
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    assert_eq!(zip.len(), FILES + 10 + 1);
    assert_eq!(io::read_to_string(zip.by_name("last").unwrap()).unwrap(), "L");
    zip.by_name("9/6599").unwrap();
    assert!(house.unfinished("").is_empty());
}

/// A file that blocks of zeros are skipped in, so that gigabytes of them cost nothing.
struct Sparse(File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        static ZEROS: [u8; crate::limits::COPY_BUFFER_BYTES] = [0; _];
        if ZEROS.get(..bytes.len()).is_some_and(|zeros| zeros == bytes) {
            self.0.seek(SeekFrom::Current(i64::try_from(bytes.len()).unwrap()))?;
            return Ok(bytes.len());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_file_larger_than_the_old_format_counts() {
    const SIZE: u64 = (4 << 30) + 12_345;
    let house = House::in_memory();
    let mut big = File::create(house.file("docs/b", "")).unwrap();
    big.set_len(SIZE).unwrap();
    big.seek(SeekFrom::End(-3)).unwrap();
    big.write_all(b"end").unwrap();
    house.file("docs/a", "A");
    house.file("docs/c", "C");
    house.file("docs/d/e", "E");
    let mut out = Sparse(tempfile::tempfile_in(house.outside(".")).unwrap());
    house.share().zip(&path("docs")).unwrap().write(&mut out).unwrap();
    let mut zip = zip::ZipArchive::new(out.0).unwrap();
    assert_eq!(zip.len(), 5);
    let (start, crc) = {
        let big = zip.by_name("b").unwrap();
        assert_eq!((big.size(), big.compressed_size()), (SIZE, SIZE));
        (big.data_start().unwrap(), big.crc32())
    };
    // The checksum of zeros is combined, not calculated: `a` bytes, then `end`.
    let mut wanted = crc_of_zeros(SIZE - 3);
    let mut tail = crc32fast::Hasher::new();
    tail.update(b"end");
    wanted.combine(&tail);
    assert_eq!(crc, wanted.finalize());
    // At least what comes after `d/` lies beyond 4 GiB.
    for (name, content) in [("a", "A"), ("c", "C"), ("d/e", "E")] {
        assert_eq!(io::read_to_string(zip.by_name(name).unwrap()).unwrap(), content);
    }
    assert!(zip.by_name("d/e").unwrap().header_start() > u64::from(u32::MAX));
    let mut file = zip.into_inner();
    file.seek(SeekFrom::Start(start + SIZE - 3)).unwrap();
    let mut end = [0; 3];
    file.read_exact(&mut end).unwrap();
    assert_eq!(&end, b"end");
}

/// The checksum of so many zeros, by doubling.
fn crc_of_zeros(count: u64) -> crc32fast::Hasher {
    let mut whole = crc32fast::Hasher::new();
    let mut block = crc32fast::Hasher::new();
    block.update(&[0]);
    for bit in 0..u64::BITS - count.leading_zeros() {
        if count >> bit & 1 == 1 {
            whole.combine(&block);
        }
        let same = block.clone();
        block.combine(&same);
    }
    whole
}

#[test]
fn a_file_that_changes_its_size_meanwhile_does_not_break_the_zip() {
    /// Cuts or lengthens a file at the first byte that goes out.
    struct Meddler {
        /// What came out.
        bytes: Vec<u8>,
        /// The file, and its new size.
        todo: Option<(File, u64)>,
    }
    impl Write for Meddler {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some((file, size)) = self.todo.take() {
                file.set_len(size)?;
            }
            self.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for size in [0, 10, 5_000_000] {
        let house = House::new();
        let file = house.file("docs/a", vec![7; 1_000_000]);
        let file = File::options().write(true).open(file).unwrap();
        let mut out = Meddler { bytes: Vec::new(), todo: Some((file, size)) };
        house.share().zip(&path("docs")).unwrap().write(&mut out).unwrap();
        let mut zip = zip::ZipArchive::new(Cursor::new(out.bytes)).unwrap();
        let mut content = Vec::new();
        zip.by_name("a").unwrap().read_to_end(&mut content).unwrap();
        assert_eq!(content.len() as u64, size);
        let told = zip.by_name("MISSING.txt").map(|entry| io::read_to_string(entry).unwrap());
        assert_eq!(told.is_ok_and(|text| text.contains("a: cut short")), size < 1_000_000);
    }
}
