//! The server that the numbers in the README were measured with: `bench PORT WORKERS [FILE]`
//! answers 30 bytes of JSON, and `FILE` at `/file`; uploads to `/sink` are counted.

use std::borrow::Cow;
use std::error::Error;
use std::fs::File;
use std::net::TcpListener;
use std::sync::Arc;

use tiny_http::{Body, Head, Limits, Part, Refusal, Request, Server};

/// What a small answer holds.
const SMALL: &[u8] = br#"{"status":"up","version":"1"}"#;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let port: u16 = arguments.next().ok_or("no port")?.parse()?;
    let workers: usize = arguments.next().ok_or("no number of workers")?.parse()?;
    let file = match arguments.next() {
        Some(path) => Some(Arc::new(File::open(path)?)),
        None => None,
    };
    let length = file.as_ref().map_or(Ok(0), |file| file.metadata().map(|data| data.len()))?;
    let refuse = |_, reason: &'static str, _: &str| Refusal {
        content_type: "text/plain",
        body: reason.to_owned(),
        fields: &[],
        more: &[],
    };
    let server = Server::start(TcpListener::bind(("127.0.0.1", port))?, Limits::default(), refuse)?;
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                for request in server.incoming_requests() {
                    let _gone = match (request.url(), &file) {
                        ("/file", Some(file)) => {
                            let file = Arc::clone(file);
                            let whole = Part::File { file, offset: 0, length };
                            request.send(Head::new(200), Body::Parts(vec![whole]))
                        }
                        ("/sink", _) => {
                            request.run_on_connection(Box::new(swallow));
                            Ok(())
                        }
                        _ => request.send(
                            Head::new(200).with("Content-Type", "application/json"),
                            Body::Bytes(Cow::Borrowed(SMALL)),
                        ),
                    };
                }
            });
        }
    });
    Ok(())
}

/// Reads a body and says how long it was.
fn swallow(mut request: Request) {
    let mut buffer = vec![0; 256 * 1024];
    let mut sum: u64 = 0;
    loop {
        match request.as_reader().read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => sum += count as u64,
            Err(_) => return,
        }
    }
    let _gone = request.send(Head::new(200), Body::from(format!("{sum}\n")));
}
