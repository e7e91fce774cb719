//! Speaks HTTP: the table of endpoints, the way of a request, and how answers look. Knows no FTP
//! and never touches the disk itself.

mod api;
mod assets;
mod body;
mod call;
mod coding;
mod cors;
mod gate;
mod handlers;
mod host;
mod manual;
mod multipart;
mod openapi;
mod problem;
mod query;
mod range;
mod reply;
mod router;
mod serve;

pub use api::role_paths;
pub use openapi::document;
pub use serve::Server;
