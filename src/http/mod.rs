//! Speaks HTTP: the table of endpoints, the way of a request, and how answers look. Knows no FTP
//! and never touches the disk itself.

pub mod answer;
pub mod api;
mod assets;
mod body;
pub mod call;
mod coding;
mod cookie;
pub mod cors;
mod document;
pub mod gate;
mod guests;
pub mod handlers;
mod host;
mod https;
mod multipart;
#[cfg(test)]
pub mod openapi;
mod origin;
pub mod problem;
pub mod query;
mod question;
mod range;
pub mod reply;
mod rights;
pub mod router;
mod serve;
mod tus;

pub use api::role_paths;
pub use document::document;
pub use serve::Server;
