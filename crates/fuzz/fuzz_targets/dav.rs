//! The part of larder's room of `WebDAV` that knows no requests.

#[path = "../../../src/dav/if_header.rs"]
pub mod if_header;
#[path = "../../../src/dav/tags.rs"]
pub mod tags;
#[path = "../../../src/dav/wish.rs"]
pub mod wish;
#[path = "../../../src/dav/xml.rs"]
pub mod xml;
