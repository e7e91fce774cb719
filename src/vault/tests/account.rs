//! What those hear who keep account of where things are.

use super::super::root::Quirks;
use super::super::{Follower, IfExists, Move, Progress, TransferKind};
use super::{House, path};
use crate::error::Result;
use std::sync::{Arc, Mutex};

/// What the contract says when nothing else is asked for.
const REFUSE: IfExists = IfExists::Error("Target already exists");

/// Moves, or copies, with all rights.
fn transfer(
    house: &House,
    kind: TransferKind,
    sources: &[&str],
    to: &str,
    if_exists: IfExists,
) -> Result<()> {
    let sources = sources.iter().map(|source| path(source)).collect();
    let transfer = house.share().relocate_into(kind, sources, &path(to), if_exists)?;
    transfer.run(&Progress::default(), &mut |_, _| {}).map(drop)
}

/// Writes down what it is told of moves.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<String>>);

impl Told {
    fn note(&self, what: &str, moves: &[Move]) {
        let moves: Vec<String> =
            moves.iter().map(|one| format!("{} to {}", one.from, one.to)).collect();
        self.0.lock().unwrap().push(format!("{what} {}", moves.join(", ")));
    }
}

impl Follower for Told {
    fn will_move(&self, moves: &[Move]) {
        self.note("will", moves);
    }

    fn moved(&self, moves: &[Move]) {
        self.note("did", moves);
    }

    fn stayed(&self, moves: &[Move]) {
        self.note("did not", moves);
    }
}

#[test]
fn whoever_keeps_account_hears_of_moves_before_and_after() {
    // Within one filesystem, and between two.
    for far_apart in [false, true] {
        let mut house = House::in_memory();
        house.vault = house.vault.with_quirks(Quirks { far_apart, ..Quirks::default() });
        for name in ["a/1", "a/2", "b/x", "c/1", "real/f"] {
            house.file(name, "x");
        }
        house.link("way", "real");
        let told = Arc::new(Told::default());
        house.vault.tell_of_moves(told.clone());
        let heard = || std::mem::take(&mut *told.0.lock().unwrap());
        transfer(&house, TransferKind::Move, &["a/1", "a/2"], "b", REFUSE).unwrap();
        let both = "a/1 to b/1, a/2 to b/2";
        assert_eq!(heard(), [format!("will {both}"), format!("did {both}")]);
        transfer(&house, TransferKind::Move, &["b/1"], "way", REFUSE).unwrap();
        assert_eq!(heard(), ["will b/1 to real/1", "did b/1 to real/1"], "where it really is");
        // Nobody could tell after a crash whether the other name is ours.
        transfer(&house, TransferKind::Move, &["c/1"], "way", IfExists::Rename).unwrap();
        assert_eq!(heard(), ["did c/1 to real/1 (1)"]);
        transfer(&house, TransferKind::Copy, &["b/2"], "c", REFUSE).unwrap();
        assert!(heard().iter().all(|line| !line.contains("to")), "copies move nothing");
    }
}

#[test]
fn what_fails_half_way_did_not_move() {
    let house = House::in_memory();
    for name in ["a/1", "a/2", "b/x"] {
        house.file(name, "x");
    }
    let told = Arc::new(Told::default());
    house.vault.tell_of_moves(told.clone());
    let sources = vec![path("a/1"), path("a/2")];
    let transfer =
        house.share().relocate_into(TransferKind::Move, sources, &path("b"), REFUSE).unwrap();
    // Somebody takes the second name after it was looked at.
    house.file("b/2", "theirs");
    assert!(transfer.run(&Progress::default(), &mut |_, _| {}).is_err());
    let both = "a/1 to b/1, a/2 to b/2";
    assert_eq!(*told.0.lock().unwrap(), [format!("will {both}"), format!("did not {both}")]);
    assert!(house.root().join("a/1").exists() && !house.root().join("b/1").exists());
}
