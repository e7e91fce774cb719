//! Links go where larder moves what they lead to. A move is noted before it is made, and what a crash left of that is
//! settled at the next start by looking where the thing is: else a link could lead nowhere for ever.

use std::sync::Arc;

use super::Links;
use crate::error::{Error, Result};
use crate::store::LinkStore;
use crate::vault::{Follower, Move, Share, VaultPath};

/// Told by the vault.
pub(super) struct Following(pub(super) Arc<LinkStore>);

impl std::fmt::Debug for Following {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Following")
    }
}

impl Following {
    /// Those of some moves that take a link along. Nearly always there are none, which writes nothing.
    fn with_links<'m>(&self, moves: &'m [Move]) -> Result<Vec<(&'m str, &'m str)>> {
        if !self.0.has_any()? {
            return Ok(Vec::new());
        }
        let mut taken = Vec::new();
        for one in moves {
            if self.0.leads_into(one.from.as_str())? {
                taken.push((one.from.as_str(), one.to.as_str()));
            }
        }
        Ok(taken)
    }

    /// Does something with those moves that take a link along, if there are any. A link that cannot follow is closed,
    /// and its maker sees that; the move itself is not to fail for it.
    fn for_links(&self, moves: &[Move], work: impl FnOnce(&[(&str, &str)]) -> Result<()>) {
        let _is_closed = self
            .with_links(moves)
            .and_then(|taken| if taken.is_empty() { Ok(()) } else { work(&taken) });
    }
}

impl Follower for Following {
    fn will_move(&self, moves: &[Move]) {
        self.for_links(moves, |taken| self.0.note_moves(taken));
    }

    fn moved(&self, moves: &[Move]) {
        self.for_links(moves, |taken| self.0.follow(taken));
    }

    fn stayed(&self, moves: &[Move]) {
        self.for_links(moves, |taken| {
            let from: Vec<&str> = taken.iter().map(|(from, _)| *from).collect();
            self.0.forget_moves(&from)
        });
    }
}

impl Links {
    /// Keeps account of where what links lead to is.
    pub fn follower(&self) -> Arc<dyn Follower> {
        Arc::new(Following(Arc::clone(&self.store)))
    }

    /// Settles the moves in whose middle larder ended, in a share of everything: what is where it was stayed there.
    ///
    /// Errors: `Store`; those of looking, and then what is left waits for the next time.
    pub fn settle_moves(&self, share: &Share) -> Result<()> {
        for (from, to) in self.store.noted_moves()? {
            let is_there = |path: &str| is_there(share, path);
            if is_there(&from)? {
                self.store.forget_moves(&[&from])?;
            } else if is_there(&to)? {
                self.store.follow(&[(&from, &to)])?;
            }
            // A drive in the share that is not there has neither; it may come back.
        }
        Ok(())
    }
}

/// Whether there is something.
///
/// Errors: those of looking, when nobody can say.
fn is_there(share: &Share, path: &str) -> Result<bool> {
    match VaultPath::parse(path).and_then(|path| share.look(&path)) {
        Ok(_) => Ok(true),
        Err(Error::NotFound(_) | Error::Invalid(..)) => Ok(false),
        Err(error) => Err(error),
    }
}
