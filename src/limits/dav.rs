//! `WebDAV` (RFC 4918; second contract, section 14).

/// Bytes of a body that is XML: ten times what any client sends.
pub const DAV_XML_BYTES_MAX: usize = 64 * 1024;

/// Elements inside each other in such a body; clients have six.
pub const DAV_XML_DEPTH_MAX: usize = 32;

/// Elements of such a body.
pub const DAV_XML_ELEMENTS_MAX: usize = 1000;

/// Attributes of one element, declarations of namespaces among them; clients have four.
pub const DAV_XML_ATTRIBUTES_MAX: usize = 64;

/// Properties that one request may name.
pub const DAV_PROPERTIES_MAX: usize = 100;

/// Bytes of all that clients have kept with one file: ext4 has one block of 4 KiB for all attributes.
pub const DAV_NOTES_BYTES_MAX: usize = 3 * 1024;

/// Bytes of an attribute of larder's own that are read: with room to spare for what an older larder has kept.
pub const NOTES_BYTES_READ: usize = 8 * 1024;
