//! Lists that are written, read, spoiled and made up.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Folders by their places, each with its mark and its names.
type Folders = Vec<(Vec<u8>, Option<i64>, Vec<(Vec<u8>, Sort)>)>;

/// A list of these.
fn written(folders: &Folders) -> Arc<[u8]> {
    let mut writer = Writer::to_memory().unwrap();
    for (place, mark, names) in folders {
        writer.enter(place, *mark);
        for (name, sort) in names {
            writer.push(name, *sort).unwrap();
        }
        writer.leave().unwrap();
    }
    match writer.finish().unwrap() {
        Written::Memory(list) => list,
        Written::File(_) => panic!("a file"),
    }
}

/// What is in a list, as far as it can be read.
fn read(list: &[u8]) -> Option<Folders> {
    let mut reader = Reader::of(&List::Memory(list.into()))?;
    let mut folders = Folders::new();
    while let Some(piece) = reader.piece() {
        if piece.is_first {
            folders.push((piece.place.clone(), piece.mark, Vec::new()));
        }
        let names = &mut folders.last_mut().unwrap().2;
        piece
            .each(&mut |name, sort| {
                names.push((name.to_vec(), sort));
                Ok(())
            })
            .unwrap();
        reader.step();
    }
    Some(folders)
}

/// Some folders.
fn folders() -> impl Strategy<Value = Folders> {
    let place = prop::collection::vec("[ab/.]{1,3}|é", 0..4).prop_map(|parts| {
        let parts: Vec<String> = parts.iter().map(|part| part.replace(['/', '.'], "c")).collect();
        parts.join("/").into_bytes()
    });
    let sort = (0_u64..4).prop_map(Sort::of);
    let name = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..255),
        "[a-c]{1,4}".prop_map(String::into_bytes)
    ];
    let name = name.prop_filter("a name", |name| is_name(name));
    let names = prop::collection::vec((name, sort), 0..120);
    prop::collection::vec((place, any::<Option<i64>>(), names), 0..9).prop_map(|all| {
        let by_place: BTreeMap<Vec<Vec<u8>>, _> = all
            .into_iter()
            .map(|(place, mark, names)| {
                let parts = place.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
                (parts, (place, mark, names))
            })
            .collect();
        by_place.into_values().collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_was_written_is_read(folders in folders()) {
        prop_assert_eq!(read(&written(&folders)), Some(folders));
    }

    #[test]
    fn a_copy_is_the_same(folders in folders()) {
        let list = written(&folders);
        let mut reader = Reader::of(&List::Memory(Arc::clone(&list))).unwrap();
        let mut writer = Writer::to_memory().unwrap();
        while let Some(piece) = reader.piece() {
            writer.copy(piece).unwrap();
            reader.step();
        }
        let Written::Memory(copy) = writer.finish().unwrap() else { panic!("a file") };
        prop_assert_eq!(&*copy, &*list);
    }

    #[test]
    fn of_a_list_that_was_cut_nothing_is_believed(folders in folders(), cut in any::<prop::sample::Index>()) {
        let list = written(&folders);
        prop_assert_eq!(read(&list[..cut.index(list.len())]), None);
    }

    #[test]
    fn what_is_spoiled_ends_a_list_before_it(
        folders in folders(),
        at in any::<prop::sample::Index>(),
        bit in 0..8,
    ) {
        let mut list = written(&folders).to_vec();
        let at = at.index(list.len());
        list[at] ^= 1_u8 << bit;
        if let Some(found) = read(&list) {
            prop_assert!(found.len() <= folders.len());
            for (found, wanted) in found.iter().zip(&folders) {
                prop_assert!(found.0 == wanted.0 && found.1 == wanted.1);
                prop_assert!(wanted.2.starts_with(&found.2));
            }
        }
    }

    #[test]
    fn nothing_hurts_that_somebody_made_up(pieces in prop::collection::vec(
        prop::collection::vec(prop_oneof![Just(0_u8), Just(1), Just(3), Just(b'/'), Just(b'.'), any::<u8>()], 1..40), 0..6))
    {
        let mut list = MAGIC.to_vec();
        for piece in &pieces {
            list.extend(head_of(piece.len(), piece));
            list.extend(piece);
        }
        let length = (list.len() + TAIL_BYTES) as u64;
        let totals = [0_u64, 0, length].iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<u8>>();
        list.extend(head_of(0, &totals));
        list.extend(&totals);
        let mut reader = Reader::of(&List::Memory(list.into())).unwrap();
        let mut is_first = true;
        while let Some(piece) = reader.piece() {
            prop_assert!(is_place(&piece.place) && (piece.is_first || !is_first));
            is_first = false;
            piece.each(&mut |name, _| { assert!(is_name(name)); Ok(()) }).unwrap();
            reader.step();
        }
    }
}

#[test]
fn names_take_little_and_large_folders_have_several_pieces() {
    let names = |number: usize| (format!("IMG_{number:05}.jpg").into_bytes(), Sort::File);
    let folders: Folders = vec![
        (Vec::new(), Some(1), vec![(b"photos".to_vec(), Sort::Folder)]),
        (b"photos".to_vec(), Some(2), (0..20_000).map(names).collect()),
    ];
    let list = written(&folders);
    assert_eq!(read(&list), Some(folders));
    assert!(list.len() < 20_000 * 22);
    let mut reader = Reader::of(&List::Memory(list)).unwrap();
    while reader.piece().is_some() {
        reader.step();
    }
    assert!(reader.passed() > 5);
}

#[test]
fn a_folder_that_was_not_finished_is_taken_out_again() {
    let mut writer = Writer::to_memory().unwrap();
    writer.enter(b"a", Some(1));
    writer.push(b"x", Sort::File).unwrap();
    writer.leave().unwrap();
    writer.enter(b"b", Some(2));
    writer.push(b"y", Sort::File).unwrap();
    assert!(writer.take_out());
    writer.enter(b"c", None);
    writer.push(b"z", Sort::Link).unwrap();
    writer.leave().unwrap();
    let Written::Memory(list) = writer.finish().unwrap() else { panic!("a file") };
    let wanted: Folders = vec![
        (b"a".to_vec(), Some(1), vec![(b"x".to_vec(), Sort::File)]),
        (b"c".to_vec(), None, vec![(b"z".to_vec(), Sort::Link)]),
    ];
    assert_eq!(&*list, &*written(&wanted), "as if it had not been there");
    let mut writer = Writer::to_memory().unwrap();
    writer.enter(b"", Some(1));
    while writer.bytes() < 100 {
        writer.push(&[b'x'; 255], Sort::File).unwrap();
        writer.push(b"y", Sort::File).unwrap();
    }
    assert!(!writer.take_out());
}

#[test]
fn a_list_that_grows_too_large_is_given_up() {
    let mut writer = Writer::to_memory().unwrap();
    writer.enter(b"", None);
    let name = [b'x'; 200];
    let mut pushed = 0_u64;
    let ends = loop {
        let name = [&pushed.to_be_bytes().map(|byte| byte | 0x80), &name[..]].concat();
        if let Err(error) = writer.push(&name, Sort::File) {
            break error;
        }
        pushed += 1;
    };
    assert_eq!(ends.kind(), io::ErrorKind::FileTooLarge);
    assert!(
        writer.bytes() <= limits::NAMES_MEMORY_BYTES_MAX + limits::NAMES_PIECE_BYTES_MAX as u64
    );
    assert_eq!(writer.names(), pushed);
}
