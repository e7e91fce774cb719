//! The floor: tiny_http's interface, written anew for machines that stand on a network.
//!
//! Every length, time and count is bounded (`Limits`), every message has one reading, a body that
//! breaks off is an error, and files leave through `sendfile(2)`. What goes beyond the interface of
//! the published crate is gathered in [`ext`]. It knows nothing of the program that uses it.
//!
//! One thread accepts; each connection has a small thread of its own, which reads heads and does
//! whatever may block; workers take finished requests from `Server::recv`.
//!
//! ```no_run
//! let server = tiny_http::Server::http("127.0.0.1:0").expect("a free port");
//! for request in server.incoming_requests() {
//!     let _gone = request.respond(tiny_http::Response::from_string("hello"));
//! }
//! ```

mod accept;
mod answer;
mod chunks;
mod common;
mod connection;
pub mod ext;
mod head;
mod link;
mod queue;
mod registry;
mod request;
mod response;
mod secure;
mod server;
mod wire;

pub use common::{HTTPVersion, Header, HeaderField, Method, StatusCode};
pub use ext::{Body, Counters, Head, Limits, Part, Refusal, Secured, TlsSource};
pub use request::Request;
pub use response::{Response, ResponseBox};
pub use server::{IncomingRequests, ListenAddr, Server};

/// What the fuzz targets reach for; no part of the interface.
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::chunks::{BadChunk, Chunks};

    /// Scans and parses `bytes` as a connection would.
    pub fn read_head(bytes: &[u8]) {
        let limits = crate::Limits::default();
        let mut scan = crate::head::Scan::default();
        if let Ok(Some(length)) = scan.look(bytes, &limits) {
            let mut fields = Vec::new();
            if let Ok(facts) = crate::head::parse(&bytes[..length], &mut fields, &limits) {
                assert!(!matches!(facts.method, crate::Method::Connect));
                for field in &fields {
                    assert!(!field.name.bytes(bytes).is_empty());
                    assert!(!field.value.bytes(bytes).contains(&b'\n'));
                }
            }
        }
    }
}
