//! What this door is lent of the house. Nothing else of it can be reached from here.

use std::sync::Arc;

use crate::auth::sign_in::SignIn;
use crate::logbook::Logbook;
use crate::sessions::Sessions;
use crate::settings::Config;
use crate::tls::Tls;
use crate::vault::Vault;

/// The long-lived parts that sessions work with.
pub struct Lent {
    /// The settings.
    pub config: Arc<Config>,
    /// The share.
    pub vault: Vault,
    /// What happened.
    pub logbook: Arc<Logbook>,
    /// Judges those who sign in.
    pub sign_in: Arc<SignIn>,
    /// Who is on.
    pub sessions: Arc<Sessions>,
    /// What TLS connections are made from.
    pub tls: Arc<Tls>,
}
