//! What this door is lent of the house. Nothing else of it can be reached from here.

use std::sync::Arc;

use crate::auth::authenticator::Authenticator;
use crate::auth::pace::Pace;
use crate::logbook::Logbook;
use crate::sessions::Sessions;
use crate::settings::Config;
use crate::store::FtpUserStore;
use crate::vault::Vault;

/// The long-lived parts that sessions work with.
pub struct Lent {
    /// The settings.
    pub config: Arc<Config>,
    /// The share.
    pub vault: Vault,
    /// What happened.
    pub logbook: Arc<Logbook>,
    /// The FTP users.
    pub users: Arc<FtpUserStore>,
    /// Judges those who sign in as FTP users.
    pub sign_in: Arc<Authenticator>,
    /// One wrong password per second for an address.
    pub pace: Arc<Pace>,
    /// Who is on.
    pub sessions: Arc<Sessions>,
}
