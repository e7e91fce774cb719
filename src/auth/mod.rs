//! Who somebody is and what they may do: passwords, tokens, keys, roles and paths into a `Caller` with its
//! `Grant`, and how often they may try. Knows no requests and not the disk.

pub mod accounts;
mod authenticator;
pub mod caller;
pub mod factor;
pub mod key;
pub mod letters;
pub mod lock_token;
mod names;
pub mod narrowed;
mod pace;
pub mod password;
pub mod permission;
mod sealed;
pub mod sign_in;
pub mod throttle;
pub mod token;
pub mod totp;
mod turns;
mod verified;
