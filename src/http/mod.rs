//! Speaks HTTP: the table of endpoints, the way of a request, and how answers look. Knows no FTP
//! and never touches the disk itself.

mod answer;
mod api;
mod assets;
mod body;
mod call;
mod coding;
mod cookie;
mod cors;
mod document;
mod gate;
mod guests;
mod handlers;
mod host;
mod https;
mod multipart;
#[cfg(test)]
mod openapi;
mod origin;
mod problem;
mod query;
mod question;
mod range;
mod reply;
mod router;
mod serve;
mod tus;

pub use api::role_paths;
pub use document::document;
pub use serve::Server;
