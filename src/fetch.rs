//! The one door to other machines: questions over http and https, each bounded in time, size and
//! redirects. Knows neither what is asked for nor who wants it.
//!
//! Certificates are checked against Mozilla's roots, which are compiled in: a board may have none of
//! its own. Proxies of the environment are not used, so that what the owner set is what is asked.

use std::fmt;
use std::io::{self, Read, Write};
use std::time::Duration;

use ureq::http::Response;
use ureq::{Agent, Body};

use crate::limits;

/// What another machine answered.
#[derive(Debug)]
pub struct Answer {
    /// RFC 9110, section 15.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
}

/// Why there is no answer, in words for the owner.
#[derive(Debug, PartialEq, Eq)]
pub enum Fault {
    /// The machine was not reached, broke off, or took too long.
    Network(String),
    /// It said more than we are ready to hear.
    TooLarge,
    /// It answered this instead of what was asked for.
    Status(u16),
    /// Our own side failed: what came could not be written down.
    Local(io::ErrorKind),
}

/// Sends JSON to `url` and takes any status as an answer; a redirect is one, too, since what was sent
/// is for this machine alone.
///
/// `time` bounds everything from the name's lookup to the answer's last byte. Errors: `Network`,
/// `TooLarge` (the answer, beyond `bytes_max`).
pub fn post_json(url: &str, json: &[u8], bytes_max: u64, time: Duration) -> Result<Answer, Fault> {
    let request = agent(0, time).post(url).content_type("application/json");
    let response = request.send(json).map_err(|cause| Fault::of(&cause))?;
    let status = response.status().as_u16();
    let mut body = Vec::new();
    copy(response, bytes_max, &mut body)?;
    Ok(Answer { status, body })
}

/// Something to be sent.
pub struct Post<'a> {
    /// Where.
    pub url: &'a str,
    /// Fields of its head.
    pub fields: &'a [(&'a str, &'a str)],
    /// What.
    pub body: &'a [u8],
}

/// Sends it, and gives the status that is answered, whatever that is; a redirect is one, too. The rest of the answer is
/// nobody's business.
///
/// `time` as for `post_json`. Errors: `Network`.
pub fn post(post: &Post<'_>, time: Duration) -> Result<u16, Fault> {
    let mut request = agent(0, time).post(post.url);
    for (name, value) in post.fields {
        request = request.header(*name, *value);
    }
    let response = request.send(post.body).map_err(|cause| Fault::of(&cause))?;
    Ok(response.status().as_u16())
}

/// Gets what lies at `url` into `target`; gives the number of bytes.
///
/// `time` as for `post_json`; besides, no read may take longer than `FETCH_STALL_TIME`. Errors: all.
pub fn get(
    url: &str,
    bytes_max: u64,
    time: Duration,
    target: &mut dyn Write,
) -> Result<u64, Fault> {
    let request = agent(limits::FETCH_REDIRECTS_MAX, time).get(url);
    let response = request.call().map_err(|cause| Fault::of(&cause))?;
    match response.status().as_u16() {
        200 => copy(response, bytes_max, target),
        other => Err(Fault::Status(other)),
    }
}

/// A client for one question.
fn agent(redirects_max: u32, time: Duration) -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(redirects_max)
        .timeout_global(Some(time))
        .timeout_per_read(Some(time.min(limits::FETCH_STALL_TIME)))
        .proxy(None)
        .user_agent(concat!("larder/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

/// Moves a body into `target`; an answer that ends before its declared length is an error.
fn copy(response: Response<Body>, bytes_max: u64, target: &mut dyn Write) -> Result<u64, Fault> {
    let mut reader = response.into_body().into_reader().take(bytes_max + 1);
    let mut buffer = vec![0; limits::FETCH_BUFFER_BYTES];
    let mut bytes = 0;
    loop {
        let count = match reader.read(&mut buffer) {
            Ok(0) => return Ok(bytes),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(Fault::of(&ureq::Error::from(cause))),
        };
        bytes += count as u64;
        if bytes > bytes_max {
            return Err(Fault::TooLarge);
        }
        target.write_all(&buffer[..count]).map_err(|cause| Fault::Local(cause.kind()))?;
    }
}

impl Fault {
    /// In words that an owner understands and that name no internals.
    fn of(cause: &ureq::Error) -> Self {
        Self::Network(match cause {
            ureq::Error::Timeout(_) => "no answer in time".to_owned(),
            ureq::Error::HostNotFound => "the host's name is not known".to_owned(),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => "the address is not valid".to_owned(),
            ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::TimedOut => {
                "no answer in time".to_owned()
            }
            // What TLS says of a certificate, among others.
            ureq::Error::Io(cause) if cause.kind() == io::ErrorKind::InvalidData => {
                cause.get_ref().map_or_else(|| cause.kind().to_string(), ToString::to_string)
            }
            ureq::Error::Io(cause) => cause.kind().to_string(),
            ureq::Error::Rustls(cause) => format!("TLS: {cause}"),
            ureq::Error::Protocol(_) => "the answer is not HTTP, or broke off".to_owned(),
            ureq::Error::LargeResponseHeader(..) => "the answer's head is too large".to_owned(),
            ureq::Error::TooManyRedirects | ureq::Error::RedirectFailed => {
                "too many redirects".to_owned()
            }
            _ => "the connection failed".to_owned(),
        })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Network(why) => out.write_str(why),
            Self::TooLarge => out.write_str("the answer is too large"),
            Self::Status(status) => write!(out, "the answer is {status}"),
            Self::Local(kind) => write!(out, "writing failed: {kind}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Shutdown, TcpListener};
    use std::time::Instant;

    const PLENTY: Duration = Duration::from_secs(30);

    /// A machine that answers one connection with `answer`, byte by byte for ever if it drips.
    fn machine(answer: &'static [u8], drips: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut head = [0; 1024];
            let _head = socket.read(&mut head).unwrap();
            socket.write_all(answer).unwrap();
            while drips && socket.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
            let _gone = socket.shutdown(Shutdown::Write);
            // The client may still be sending; a reset would cost it the answer.
            let _rest = io::copy(&mut socket, &mut io::sink());
        });
        format!("http://{address}/")
    }

    fn fetch(url: &str, bytes_max: u64, time: Duration) -> Result<Vec<u8>, Fault> {
        let mut body = Vec::new();
        let bytes = get(url, bytes_max, time, &mut body)?;
        assert_eq!(bytes, body.len() as u64);
        Ok(body)
    }

    #[test]
    fn what_fits_comes_whole_and_no_more_is_read() {
        const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        assert_eq!(fetch(&machine(ANSWER, false), 5, PLENTY).unwrap(), b"hello");
        assert_eq!(fetch(&machine(ANSWER, false), 4, PLENTY), Err(Fault::TooLarge));
        let endless = machine(b"HTTP/1.1 200 OK\r\n\r\n", true);
        assert_eq!(fetch(&endless, 9, PLENTY), Err(Fault::TooLarge));
    }

    #[test]
    fn an_answer_that_breaks_off_is_none() {
        let cut = machine(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhello", false);
        assert!(matches!(fetch(&cut, 1000, PLENTY), Err(Fault::Network(_))));
        let nothing = machine(b"", false);
        assert!(matches!(fetch(&nothing, 1000, PLENTY), Err(Fault::Network(_))));
    }

    #[test]
    fn time_is_over_for_the_silent_and_for_those_who_drip() {
        let started = Instant::now();
        let url = machine(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n", true);
        let fault = fetch(&url, 1_000_000, Duration::from_millis(150)).unwrap_err();
        assert_eq!(fault, Fault::Network("no answer in time".to_owned()));
        assert!(started.elapsed() < PLENTY);
        // Accepts (the kernel does) and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let fault = post_json(&url, b"{}", 10, Duration::from_millis(100)).unwrap_err();
        assert_eq!(fault, Fault::Network("no answer in time".to_owned()));
    }

    #[test]
    fn another_status_is_named_and_a_redirect_of_what_was_posted_is_not_followed() {
        let absent = machine(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false);
        assert_eq!(fetch(&absent, 10, PLENTY), Err(Fault::Status(404)));
        let away = machine(
            b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            false,
        );
        assert_eq!(post_json(&away, b"{}", 10, PLENTY).unwrap().status, 307);
    }

    #[test]
    fn what_is_no_address_is_said_to_be_none() {
        for url in ["http://", "nonsense", "http://a b/", "ftp://127.0.0.1/"] {
            assert!(matches!(fetch(url, 10, PLENTY), Err(Fault::Network(_))), "{url}");
        }
    }
}
