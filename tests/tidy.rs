//! Holds the source against the map and the tables in ARCHITECTURE.md: which rooms there are, and which uses which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The map.
fn map() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    std::fs::read_to_string(path).unwrap()
}

/// The names in backticks.
fn names(text: &str) -> Vec<String> {
    text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The rows of the map's table whose first column has this head, each as its cells.
fn table(head: &str) -> Vec<Vec<String>> {
    let map = map();
    let rows = map.lines().skip_while(|line| !line.starts_with(&format!("| {head} |"))).skip(2);
    let rows = rows.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|line| line.trim_matches('|').split('|').map(str::trim));
    let rows: Vec<Vec<String>> = cells.map(|row| row.map(str::to_owned).collect()).collect();
    assert!(rows.len() > 5, "the table of each {head} was not found: {rows:?}");
    rows
}

/// What the map says about rooms.
struct Rooms {
    /// Those that every room may use.
    open: Vec<String>,
    /// What each may use: only these, or with `false` all but these.
    may_use: BTreeMap<String, (bool, Vec<String>)>,
}

impl Rooms {
    /// Reads them.
    fn read() -> Self {
        let mut rooms = Self { open: Vec::new(), may_use: BTreeMap::new() };
        for row in table("room") {
            let but = row[1].strip_prefix("every room but ");
            let listed = names(but.unwrap_or(&row[1]));
            assert!(
                row[1] == "nobody" || row[1].ends_with("open to all") || !listed.is_empty(),
                "may use whom? {row:?}"
            );
            for room in names(&row[0]) {
                if row[1].ends_with("open to all") {
                    rooms.open.push(room.clone());
                }
                let twice = rooms.may_use.insert(room, (but.is_none(), listed.clone()));
                assert_eq!(twice, None, "two rows for one room: {row:?}");
            }
        }
        rooms
    }

    /// Whether a room may use another one.
    fn allow(&self, room: &str, used: &str) -> bool {
        let Some((is_listed, names)) = self.may_use.get(room) else { return false };
        let is_named = names.iter().any(|name| name == used);
        room == used || self.open.iter().any(|open| open == used) || is_named == *is_listed
    }
}

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
    let rooms = Rooms::read();
    let mut wrong = Vec::new();
    for (path, room, code) in sources() {
        for used in rooms_used(&code) {
            if !rooms.allow(&room, &used) {
                wrong.push(format!("{}: {used}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_room_stands_in_the_map_and_the_map_has_no_others() {
    let rooms = Rooms::read();
    let there: BTreeSet<String> = sources().into_iter().map(|(_, room, _)| room).collect();
    let in_table: BTreeSet<String> = rooms.may_use.keys().cloned().collect();
    assert_eq!(there, in_table, "the rooms of src/, and those of the table");
    let of_use = rooms.may_use.values().flat_map(|(_, names)| names);
    let unknown: Vec<&String> = of_use.filter(|name| !there.contains(*name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let map = map();
    let drawn: BTreeSet<String> = map
        .lines()
        .skip_while(|line| *line != "src/")
        .skip(1)
        .take_while(|line| line.starts_with("  "))
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.trim_start().split([' ', '.', '/']).next())
        .map(str::to_owned)
        .collect();
    assert_eq!(there, drawn, "the rooms of src/, and those of the map");
}

#[test]
fn a_room_is_left_by_its_name_only() {
    for (path, _, code) in sources() {
        let is_on_top = below_src(&path).find('/').is_none();
        // There `super` is the whole house.
        assert!(!is_on_top || !code.contains("super::"), "{}", path.display());
    }
}

#[test]
fn some_words_belong_to_one_room() {
    let words = table("word");
    let mut wrong = Vec::new();
    for (path, room, code) in sources() {
        let is_said = |word: &str| {
            code.lines().any(|line| !line.trim_start().starts_with("//") && line.contains(word))
        };
        for row in &words {
            let is_home = names(&row[1]).contains(&room);
            for word in names(&row[0]).into_iter().filter(|word| !is_home && is_said(word)) {
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

/// Lines that a file of `src/` may have, its tests included.
const FILE_LINES_MAX: usize = 700;

/// Files that still have more; nothing may be added here.
const LONG_FILES: &[&str] = &[];

/// Lines that a function of `src/` may have, from its name to its closing brace.
const FUNCTION_LINES_MAX: usize = 70;

/// Functions that still have more; nothing may be added here.
const LONG_FUNCTIONS: &[&str] = &[];

/// What a file is called below `src/`.
fn below_src(path: &Path) -> String {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    path.strip_prefix(top).unwrap().display().to_string()
}

/// The functions in a text that rustfmt has laid out, each with how many lines it has.
fn functions(text: &str) -> Vec<(String, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let inner = line.trim_start();
        let margin = &line[..line.len() - inner.len()];
        let words = inner.split(' ').take_while(|word| *word != "fn");
        let is_head = |word: &str| word.starts_with("pub") || ["const", "async"].contains(&word);
        let Some((_, after)) = inner.split_once("fn ").filter(|_| words.clone().all(is_head))
        else {
            continue;
        };
        let name: String =
            after.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
        let is_end = |line: &&str| line.strip_prefix(margin) == Some("}");
        let length = lines[at..].iter().position(is_end);
        // A declaration without a body ends on its own line.
        if let Some(length) = length.filter(|_| !line.ends_with(';')) {
            found.push((name, length + 1));
        }
    }
    found
}

/// What of `found` is not among the known exceptions, and which of these are none any more.
fn compare(found: &[String], known: &[&str]) {
    let new: Vec<_> = found.iter().filter(|name| !known.contains(&name.as_str())).collect();
    assert!(new.is_empty(), "split by idea: {new:#?}");
    let gone: Vec<_> = known.iter().filter(|name| !found.contains(&(**name).into())).collect();
    assert!(gone.is_empty(), "well done, take off the list: {gone:#?}");
}

#[test]
fn files_and_functions_are_of_a_size_that_can_be_read() {
    let (mut long_files, mut long_functions) = (Vec::new(), Vec::new());
    let mut count = 0;
    for (path, _, _) in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        let name = below_src(&path);
        if text.lines().count() > FILE_LINES_MAX {
            long_files.push(name.clone());
        }
        for (function, lines) in functions(&text) {
            count += 1;
            if lines > FUNCTION_LINES_MAX {
                long_functions.push(format!("{name}: {function}"));
            }
        }
    }
    assert!(count > 1500, "the functions were not found: {count}");
    compare(&long_files, LONG_FILES);
    compare(&long_functions, LONG_FUNCTIONS);
}

/// The files of one room that one of them names as `super::file` or `crate::room::file`, also by what the
/// room hands out under its own name.
fn neighbours(code: &str, room: &str, files: &[String], given: &[(String, String)]) -> Vec<String> {
    let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut named = Vec::new();
    for way in ["super::".to_owned(), format!("crate::{room}::")] {
        for after in code.split(way.as_str()).skip(1) {
            let group = after.strip_prefix('{').map(|group| group.split(';').next().unwrap());
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
            let words = match group {
                Some(group) => group.split(|letter| !is_part(letter)).collect(),
                None => vec![after.split(|letter| !is_part(letter)).next().unwrap()],
            };
            for word in words {
                let by = given.iter().find(|(what, _)| what == word).map(|(_, file)| file);
                named.extend(files.iter().find(|file| *file == word).or(by).cloned());
            }
        }
    }
    named.sort();
    named.dedup();
    named
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    text.split(move |letter| !is_part(letter)).filter(|word| !word.is_empty())
}

/// Whether a line begins the definition of this type.
fn declares(line: &str, name: &str) -> bool {
    let mut words = words(line).skip_while(|word| !["struct", "enum", "trait"].contains(word));
    !line.starts_with([' ', '/']) && words.nth(1) == Some(name)
}

/// The methods that a file adds to types of other files, which are called without any `use` that tells where they are
/// from: each with its type.
fn added(code: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut of = None;
    for line in code.lines() {
        if line.starts_with("impl") && !line.contains(" for ") {
            let head = line.trim_start_matches(|letter: char| letter != ' ');
            let name = words(head).next().unwrap();
            of = (!code.lines().any(|line| declares(line, name))).then_some(name);
        } else if line == "}" {
            of = None;
        }
        let is_method = line.strip_prefix("    ").is_some_and(|line| !line.starts_with([' ', '/']));
        if let (Some(of), true, Some((_, after))) = (of, is_method, line.split_once("fn ")) {
            found.push((of, words(after).next().unwrap()));
        }
    }
    found
}

/// The files of a room that a text uses by calling methods that they add to types of others: on a value that is called
/// as the type is, or on itself where only one file has a method of that name.
fn called(code: &str, room: &[(String, String)]) -> Vec<String> {
    let code: String = code.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
    let has = |text: &str, name: &str| text.contains(&format!("fn {name}("));
    let is_called = |(of, name): (&str, &str)| {
        let on_value = format!("{}.{name}(", of.to_lowercase());
        let is_only_one = || room.iter().filter(|(_, text)| has(text, name)).count() == 1;
        let is_its_own = || code.contains(&format!("impl {of} {{"));
        code.contains(&on_value)
            || code.contains(&format!("self.{name}(")) && is_its_own() && is_only_one()
    };
    let used = room.iter().filter(|(_, text)| added(text).into_iter().any(is_called));
    used.map(|(file, _)| file.clone()).collect()
}

/// What a room hands out under its own name (`pub use file::{..}` in its `mod.rs`), with the file.
fn given(root: &str) -> Vec<(String, String)> {
    let mut given = Vec::new();
    for after in root.split("pub use ").skip(1) {
        let (file, what) = after.split(';').next().unwrap().split_once("::").unwrap();
        let names = what.trim_matches(['{', '}']).split(',').map(str::trim);
        given.extend(names.filter(|name| !name.is_empty()).map(|name| (name.into(), file.into())));
    }
    given
}

#[test]
fn the_files_of_the_vault_use_each_other_in_one_direction() {
    let inside: Vec<(String, String)> = sources()
        .into_iter()
        .filter_map(|(path, _, code)| {
            let name = below_src(&path);
            let file = name.strip_prefix("vault/")?.strip_suffix(".rs")?.to_owned();
            (!file.contains("tests")).then_some((file, code))
        })
        .collect();
    let files: Vec<String> =
        inside.iter().map(|(file, _)| file.clone()).filter(|file| file != "mod").collect();
    let given = given(&inside.iter().find(|(file, _)| file == "mod").unwrap().1);
    let mut left: Vec<(String, Vec<String>)> = inside
        .iter()
        .filter(|(file, _)| file != "mod")
        .map(|(file, code)| {
            let mut uses = neighbours(code, "vault", &files, &given);
            uses.extend(called(code, &inside));
            uses.sort();
            uses.dedup();
            uses.retain(|used| used != file);
            (file.clone(), uses)
        })
        .collect();
    let edges: usize = left.iter().map(|(_, uses)| uses.len()).sum();
    assert!(edges > 150, "the uses were not found: {edges}");
    let is_called = |by: &str, used: &str| {
        let code = inside.iter().find(|(file, _)| file == by).map(|(_, code)| code);
        code.is_some_and(|code| called(code, &inside).iter().any(|file| file == used))
    };
    assert!(is_called("journal", "part") && is_called("write", "made"), "no calls were found");
    // What uses nothing that is left is taken off, again and again; a circle stays.
    loop {
        let names: Vec<String> = left.iter().map(|(file, _)| file.clone()).collect();
        for (_, uses) in &mut left {
            uses.retain(|used| names.contains(used));
        }
        let before = left.len();
        left.retain(|(_, uses)| !uses.is_empty());
        if left.len() == before {
            break;
        }
    }
    assert!(left.is_empty(), "these go round in a circle, or use one that does: {left:#?}");
}

/// What gives a thing a name, or takes one away by giving another.
const NAMING: [&str; 8] = [
    "fs::renameat",
    "fs::linkat",
    "fs::mkdirat",
    "fs::symlinkat",
    "fs::rename(",
    "rename_noreplace(",
    " exchange(",
    "discard::take_out(",
];

/// Files of the vault that say one of these words, and why they may.
const NAMERS: &[(&str, &str)] = &[
    ("renames", "this is where a name changes hands"),
    ("put", "gives things their names, or takes them away, each written into the journal"),
    ("journal", "takes back what was written into it"),
    ("aside", "shows again what could not be removed"),
    ("thing", "its way to another name, and back after a change of places"),
    ("throw", "the way into the trash, also by a second name"),
    ("discard", "the way out of sight, and trees that nobody sees any more"),
    ("group", "takes back what a crash cut off"),
    ("hidden", "makes larder's own folders"),
    ("root", "the marker, in larder's own folder"),
    ("kept", "documents in larder's own folder"),
    ("photos_store", "notes inside larder's own folder"),
    ("names_store", "lists of names inside larder's own folder"),
    ("thumbs", "small pictures in larder's own folder"),
    ("trash", "records and things inside larder's own folder"),
    ("spool", "files inside larder's own folder"),
    ("upload_record", "records inside larder's own folder"),
    ("copy", "trees that are made inside larder's own folder"),
    ("unfinished", "back to where it waits, inside larder's own folder"),
];

#[test]
fn names_change_hands_in_few_places() {
    let mut namers: Vec<String> = sources()
        .into_iter()
        .filter_map(|(path, room, code)| {
            let is_code = |line: &&str| !line.trim_start().starts_with("//");
            let says = |line: &str| NAMING.iter().any(|word| line.contains(word));
            let is_namer = room == "vault" && code.lines().filter(is_code).any(says);
            let name = below_src(&path);
            is_namer.then(|| name.trim_start_matches("vault/").trim_end_matches(".rs").to_owned())
        })
        .filter(|name| !name.contains("tests"))
        .collect();
    namers.sort();
    let known: Vec<&str> = NAMERS.iter().map(|(name, _)| *name).collect();
    compare(&namers, &known);
}

#[test]
fn only_what_gives_names_and_takes_them_away_writes_into_the_journal() {
    let code = |wanted: &str| {
        let is_wanted = |(path, ..): &(PathBuf, String, String)| below_src(path) == wanted;
        sources().into_iter().find(is_wanted).unwrap().2
    };
    let step = "Step::";
    let kinds: Vec<String> = code("vault/journal.rs")
        .split("pub(super) enum Step {")
        .nth(1)
        .and_then(|after| after.split("\n}").next())
        .unwrap()
        .lines()
        .filter_map(|line| {
            line.strip_prefix("    ").filter(|line| line.starts_with(char::is_uppercase))
        })
        .map(|line| line.chars().take_while(|letter| letter.is_alphanumeric()).collect())
        .collect();
    assert!(kinds.len() >= 3, "the steps were not found: {kinds:?}");
    let made = code("vault/put.rs");
    for kind in kinds {
        assert!(made.contains(&format!("done.push({step}{kind}")), "{kind} is written elsewhere");
    }
    let writers = sources().into_iter().filter(|(_, _, code)| code.contains(".done.push("));
    let writers: Vec<String> = writers.map(|(path, ..)| below_src(&path)).collect();
    assert_eq!(writers, ["vault/put.rs"]);
}

/// Files from the socket to the folder's sync that whoever follows an upload has to read, at most.
const WALK_FILES_MAX: usize = 25;

#[test]
fn the_walk_of_an_upload_is_short_and_goes_into_no_room_twice() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let map = map();
    let section = map.lines().skip_while(|line| !line.starts_with("### One upload,"));
    let steps = section.skip_while(|line| !line.starts_with("1. "));
    let mut rooms: Vec<(String, Vec<String>)> = Vec::new();
    for line in steps.take_while(|line| !line.is_empty()) {
        for name in names(line) {
            let is_room = line.starts_with(|letter: char| letter.is_ascii_digit())
                && line.split('`').nth(1) == Some(&name);
            if is_room {
                rooms.push((name, Vec::new()));
            } else if name.contains(".rs") {
                rooms.last_mut().unwrap().1.push(name);
            }
        }
    }
    let count: usize = rooms.iter().map(|(_, files)| files.len()).sum();
    assert!(count > 15 && count <= WALK_FILES_MAX, "{count} files: {rooms:?}");
    let mut known = BTreeSet::new();
    assert!(rooms.iter().all(|(room, _)| known.insert(room)), "{rooms:?}");
    let vault: Vec<(String, String)> = sources()
        .into_iter()
        .filter(|(_, room, _)| room == "vault")
        .map(|(path, _, code)| (path.file_stem().unwrap().to_str().unwrap().to_owned(), code))
        .collect();
    let mut before = String::new();
    for (room, files) in &rooms {
        let mut is_first = true;
        for file in files {
            let text = std::fs::read_to_string(top.join(room).join(file)).expect(file);
            let code = text.split("#[cfg(test)]").next().unwrap();
            let stem = file.trim_end_matches(".rs").rsplit('/').next().unwrap();
            let is_used = words(&before).any(|word| word == stem)
                || called(&before, &vault).iter().any(|used| used == stem);
            assert!(is_first || is_used, "{room}/{file} is used by none before it");
            is_first = false;
            before.extend(code.lines().filter(|line| !line.trim_start().starts_with("//")));
            before.push('\n');
        }
    }
}
