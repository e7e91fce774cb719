//! Those who shall know of one folder only: what is around it, and what is hidden in it, is not there, whatever leads
//! there.

use super::super::root::Quirks;
use super::super::{Grant, Kind, Share};
use super::{House, UPLOAD, entries, listed, opened, path, raw, refusal, upload};
use std::fs;
use std::io::Cursor;
use std::sync::Arc;

/// What a place that is not there is called.
const GONE: Option<&str> = Some("not found: Path does not exist");

/// Houses where the kernel finds places, and where larder must.
fn houses() -> [House; 2] {
    [House::new(), House::with_quirks(Quirks { no_openat2: true, ..Quirks::default() })]
}

/// A share of somebody who may do everything, confined to there.
fn confined(house: &House, place: &str) -> Share {
    let grant = Grant::everything().confined_to(&path(place));
    house.vault.share(Arc::new(grant), "link 1").unwrap()
}

/// The names in the ZIP of these.
fn zipped(share: &Share, paths: &[&str]) -> Vec<String> {
    let mut bytes = Vec::new();
    let paths: Vec<_> = paths.iter().map(|text| path(text)).collect();
    let archive = match &paths[..] {
        [folder] => share.zip(folder).unwrap(),
        several => share.zip_selection(several, "larder").unwrap(),
    };
    archive.write(&mut bytes).unwrap();
    let zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.sort();
    names
}

/// A folder with everything in it that leads elsewhere.
fn furnish(house: &House) {
    house.file("canary", "canary");
    house.file("other/canary", "canary");
    house.file("album/a.jpg", "a");
    house.file("album/in/b.jpg", "b");
    house.file("album/.hidden/canary", "canary");
    house.file("album/in/.canary", "canary");
    house.file(raw(b"album/.canary\xff"), "canary");
    house.link("album/up", "..");
    house.link("album/file", "../canary");
    house.link("album/folder", "../other");
    house.link("album/absolute", house.root().join("other"));
    house.link("album/to-hidden", ".hidden/canary");
    house.link("album/to-hidden-folder", ".hidden");
    house.link("album/in/far", "../../other/canary");
    house.link("album/around", "../other/../other");
    house.link("album/in/out-and-in", "../../album/a.jpg");
    house.link("album/to-root", house.root());
    house.link("album/in/home", house.root().join("album/a.jpg"));
    house.link("album/good", "in/b.jpg");
    house.link("album/good-folder", "in");
    house.link("other/back", "../album");
}

#[test]
fn nothing_outside_and_nothing_hidden_is_found_by_any_way() {
    for house in houses() {
        furnish(&house);
        let share = confined(&house, "album");
        for name in [
            "",
            "canary",
            "other",
            "other/canary",
            "other/back/a.jpg",
            "album/up",
            "album/up/canary",
            "album/up/album/a.jpg",
            "album/file",
            "album/folder",
            "album/folder/canary",
            "album/absolute/canary",
            "album/to-hidden",
            "album/to-hidden-folder",
            "album/to-hidden-folder/canary",
            "album/.hidden",
            "album/.hidden/canary",
            "album/.none",
            "album/in/.canary",
            "album/in/far",
            "album/around/canary",
            "album/in/out-and-in",
            "album/to-root",
            "album/to-root/album/a.jpg",
            "album/up/other/back/a.jpg",
            "album/%=.canary%FF",
            "album2",
        ] {
            let what = format!("{name:?}");
            assert_eq!(refusal(opened(&share, name)).as_deref(), GONE, "{what}");
            assert_eq!(refusal(listed(&share, name)).as_deref(), GONE, "{what}");
            assert_eq!(refusal(share.zip(&path(name))).as_deref(), GONE, "{what}");
            let several = [path("album/a.jpg"), path(name)];
            assert_eq!(refusal(share.zip_selection(&several, "x")).as_deref(), GONE, "{what}");
            assert_eq!(refusal(share.open_pictured(&path(name))).as_deref(), GONE, "{what}");
            assert_eq!(refusal(share.look(&path(name))).as_deref(), GONE, "{what}");
            let inside = format!("{name}/new");
            assert!(upload(&share, &[(&inside, "x")], &UPLOAD).is_err(), "{what}");
        }
        for hidden in
            ["album/.new", "album/.new/x", "album/in/.x", "album/up/new", "album/folder/x"]
        {
            assert_eq!(
                refusal(upload(&share, &[(hidden, "x")], &UPLOAD)).as_deref(),
                GONE,
                "{hidden}"
            );
        }
        assert_eq!(opened(&share, "album/good").unwrap(), "b");
        assert_eq!(opened(&share, "album/good-folder/b.jpg").unwrap(), "b");
        assert_eq!(opened(&share, "album/in/home").unwrap(), "a");
        assert_eq!(opened(&house.share(), "album/in/out-and-in").unwrap(), "a");
        assert_eq!(house.content("canary").as_deref(), Some("canary"));
        assert_eq!(fs::read_dir(house.root().join("other")).unwrap().count(), 2);
        assert_eq!(fs::read_dir(house.root().join("album/.hidden")).unwrap().count(), 1);
    }
}

#[test]
fn listings_and_zips_have_nothing_that_leads_out() {
    for house in houses() {
        furnish(&house);
        let share = confined(&house, "album");
        for entry in entries(&share, "album").unwrap() {
            let wanted = match &*entry.name {
                "a.jpg" | "good" => Kind::File,
                "in" | "good-folder" => Kind::Folder,
                name => {
                    assert!(!name.starts_with('.') && !name.starts_with('%'), "{name}");
                    Kind::Other
                }
            };
            assert_eq!(entry.kind, wanted, "{}", entry.name);
            assert!(
                wanted != Kind::Other || (entry.size == 0 && !entry.writable),
                "{}",
                entry.name
            );
        }
        assert_eq!(listed(&share, "album/in").unwrap(), ["b.jpg", "far", "home", "out-and-in"]);
        assert_eq!(zipped(&share, &["album"]), ["a.jpg", "good", "in/", "in/b.jpg", "in/home"]);
        assert_eq!(
            zipped(&share, &["album/in", "album/good-folder"]),
            ["good-folder/", "good-folder/b.jpg", "good-folder/home", "in/", "in/b.jpg", "in/home"]
        );
        // Who is not confined misses nothing.
        assert!(listed(&house.share(), "album").unwrap().contains(&".hidden".to_owned()));
        assert_eq!(opened(&house.share(), "album/file").unwrap(), "canary");
    }
}

#[test]
fn a_place_that_is_reached_by_a_link_is_none_and_a_hidden_one_is() {
    let house = House::new();
    furnish(&house);
    house.link("shortcut", "album");
    let share = confined(&house, "shortcut");
    assert_eq!(refusal(listed(&share, "shortcut")).as_deref(), GONE);
    assert_eq!(refusal(opened(&share, "shortcut/a.jpg")).as_deref(), GONE);
    // Whoever shares something hidden means it.
    let share = confined(&house, "album/.hidden");
    assert_eq!(listed(&share, "album/.hidden").unwrap(), ["canary"]);
    let file = confined(&house, "album/in/.canary");
    assert_eq!(opened(&file, "album/in/.canary").unwrap(), "canary");
    assert_eq!(refusal(opened(&file, "album/in/b.jpg")).as_deref(), GONE);
    assert_eq!(refusal(opened(&file, "album/in/.canary/x")).as_deref(), GONE);
}

#[test]
fn a_way_that_is_taken_by_a_file_goes_around_it_and_tells_nothing() {
    for house in houses() {
        furnish(&house);
        house.file("album/taken (1)", "file too");
        house.file("album/taken", "file");
        let share = confined(&house, "album");
        let base = path("album");
        let around = |name: &str| share.way_around(&base, &path(name)).unwrap();
        for (wanted, way) in [
            ("album/new.jpg", "album/new.jpg"),
            ("album/a.jpg", "album/a.jpg"),
            ("album/in/x", "album/in/x"),
            ("album/good-folder/x", "album/good-folder/x"),
            ("album/none/deep/x", "album/none/deep/x"),
            ("album/a.jpg/x", "album/a (1).jpg/x"),
            ("album/taken/deep/x", "album/taken (2)/deep/x"),
            ("album/up/x", "album/up (1)/x"),
            ("album/folder/canary/x", "album/folder (1)/canary/x"),
            ("album/file/x", "album/file (1)/x"),
        ] {
            assert_eq!(around(wanted).as_str(), way, "{wanted}");
            upload(&share, &[(around(&format!("{wanted}.new")).as_str(), "x")], &UPLOAD).unwrap();
        }
    }
}
