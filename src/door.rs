//! A door that the owner opens and closes while larder runs, as those see it who do not stand in it: the API that
//! has a button for it, and the settings that say where it is.

use std::net::SocketAddr;

use crate::error::Result;
use crate::settings::Settings;

/// What a door can be told and asked.
pub trait Door: Send + Sync {
    /// Lets clients in from now on; where it does already, at another address if the settings now name one. What
    /// runs goes on when that fails.
    ///
    /// Errors: `Failed` (the port is taken).
    fn open(&self, settings: &Settings) -> Result<SocketAddr>;

    /// Lets nobody in any more and asks everybody to leave, who may finish what they do within the grace. Says
    /// whether it was open.
    fn close(&self) -> bool;

    /// Follows changed settings. What can't be followed is told and leaves what runs as it is.
    fn follow(&self, settings: &Settings);

    /// Where clients come in, while it is open.
    fn address(&self) -> Option<SocketAddr>;
}
