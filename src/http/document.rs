//! The OpenAPI document as the program carries it: `docs/openapi.json`, compressed when larder was built.

use std::io::{self, Read};

use flate2::read::GzDecoder;

/// `docs/openapi.json` in gzip form, by the build script.
static PACKED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.gz"));

/// The document, pretty-printed, with a line break at its end.
///
/// Errors: none that this program was not built with.
pub fn document() -> io::Result<String> {
    let mut text = String::new();
    GzDecoder::new(PACKED).read_to_string(&mut text)?;
    Ok(text)
}
