//! A chunked body has one reading, however it is cut into pieces on the way.
#![no_main]

use tiny_http::fuzzing::Chunks;

/// The data of a body that arrives in pieces of `step` bytes, and whether it ended well.
fn read(bytes: &[u8], step: usize) -> (Vec<u8>, bool, bool) {
    let mut chunks = Chunks::new();
    let mut data = Vec::new();
    for mut piece in bytes.chunks(step) {
        while !piece.is_empty() && !chunks.is_done() {
            let Ok(used) = chunks.advance(piece) else { return (data, false, true) };
            piece = &piece[used..];
            let left = usize::try_from(chunks.data_left()).unwrap_or(usize::MAX);
            let count = left.min(piece.len());
            data.extend_from_slice(&piece[..count]);
            chunks.take(count as u64);
            piece = &piece[count..];
        }
    }
    (data, chunks.is_done(), false)
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((step, body)) = bytes.split_first() else { return };
    let whole = read(body, body.len().max(1));
    assert_eq!(read(body, usize::from(*step).max(1)), whole);
});
