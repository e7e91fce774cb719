//! Whatever a stranger sends as a head is read or refused, without a panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tiny_http::fuzzing::read_head(bytes));
