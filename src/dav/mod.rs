//! `WebDAV` (RFC 4918; second contract, section 14): the share as a drive, a third door over the same vault. It comes in
//! by HTTP's listener, way and gate; which methods there are stands in `methods.rs`, as HTTP's endpoints and FTP's verbs
//! have tables of their own.

mod address;
mod collections;
mod conditions;
mod content;
mod door;
mod if_header;
mod locking;
mod methods;
mod multistatus;
mod properties;
mod propfind;
mod proppatch;
mod put;
mod refusal;
mod relocation;
mod tags;
mod wish;
mod xml;

pub use door::{is_ours, judge, mark, path_of};
pub use methods::METHODS;
pub use refusal::of_floor;
