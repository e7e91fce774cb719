//! Holds the source against the map in ARCHITECTURE.md: which room uses which.

use std::path::{Path, PathBuf};

/// Rooms that every room may use.
const OPEN_TO_ALL: &[&str] = &["error", "limits", "threads", "terminal", "zone"];

/// Each room with what it may use besides; rooms that are not listed are the outermost and may use all.
const MAY_USE: &[(&str, &[&str])] = &[
    ("ftp", &["app", "auth", "ftp", "logbook", "settings", "store", "vault"]),
    ("auth", &["store", "vault", "auth"]),
    ("people", &["auth", "settings", "store", "vault"]),
    ("events", &["vault"]),
    ("vault", &["budget", "vault"]),
    ("budget", &[]),
    ("store", &["store"]),
    ("settings", &["settings"]),
    ("logbook", &["store"]),
    ("cloud", &["fetch", "settings"]),
    ("fetch", &[]),
    ("update", &["fetch", "settings", "update"]),
    ("presence", &[]),
    ("tickets", &["auth", "vault"]),
    ("process", &[]),
    ("secrets", &[]),
    ("console", &["vault", "process"]),
    ("system", &["vault", "process", "logbook", "system", "settings"]),
    ("error", &[]),
    ("limits", &[]),
    ("threads", &[]),
    ("zone", &[]),
    ("terminal", &[]),
];

/// Words that only these rooms may say.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("tiny_http", &["http"]),
    ("rusqlite", &["store", "logbook"]),
    (
        "std::fs",
        &["vault", "store", "settings", "app", "backup", "check", "system", "update", "zone"],
    ),
    ("jwt_simple", &["auth"]),
    ("ureq", &["fetch"]),
    ("ed25519", &["update"]),
    ("argon2::", &["auth"]),
    ("rustls::", &["ftp"]),
];

/// Each file of `src/` with its room and its text up to its tests.
fn sources() -> Vec<(PathBuf, String, String)> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![top.clone()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
            let inside = path.strip_prefix(&top).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
            let room = first.trim_end_matches(".rs").to_owned();
            found.push((path, room, code));
        }
    }
    assert!(found.len() > 30, "the source was not found: {found:?}");
    found
}

/// The rooms that a file names as `crate::room`.
fn rooms_used(code: &str) -> Vec<String> {
    let is_part = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
    let mut rooms: Vec<String> = Vec::new();
    for after in code.split("crate::").skip(1) {
        match after.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap();
                rooms.extend(
                    group.split(',').map(|name| name.trim().chars().take_while(is_part).collect()),
                );
            }
            None => rooms.push(after.chars().take_while(is_part).collect()),
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn rooms_use_only_what_the_map_allows() {
    let mut wrong = Vec::new();
    for (path, room, code) in sources() {
        let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == room) else { continue };
        for used in rooms_used(&code) {
            if !allowed.contains(&used.as_str()) && !OPEN_TO_ALL.contains(&used.as_str()) {
                wrong.push(format!("{}: {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn some_words_belong_to_one_room() {
    let mut wrong = Vec::new();
    for (path, room, code) in sources() {
        for (word, rooms) in ONLY_IN {
            let is_said = code
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(word));
            if is_said && !rooms.contains(&room.as_str()) {
                wrong.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_file_says_what_it_is_for() {
    for (path, _, code) in sources() {
        assert!(code.starts_with("//! "), "{}", path.display());
    }
}
