//! The FTP door: RFC 959 with what RFC 1123, 2228, 2389, 2428, 2640, 3659 and 4217 add. Knows the table
//! of verbs, sessions and data connections; every file is reached through a vault `Share`, as over
//! HTTP, of which this room knows nothing.
//!
//! listener, then one thread for each session: line (bounded), `Command`, gate by login and letter,
//! command function, `Reply`.

mod channel;
mod commands;
mod control;
mod data;
mod lent;
mod line;
mod listing;
mod reply;
mod serve;
mod session;
mod told;
mod verbs;

pub use lent::Lent;
pub use serve::Controller;
