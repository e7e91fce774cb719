//! Another machine: a bare HTTP server that hears one question after another and answers as it is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, PoisonError};

use super::wait::PATIENCE;

/// What it answers, byte for byte; an empty answer closes the connection.
type Answers = Arc<Mutex<Box<dyn FnMut(&str) -> Vec<u8> + Send>>>;

/// The machine; its thread ends with the test.
pub struct Machine {
    /// `http://127.0.0.1:<port>`.
    pub url: String,
    /// The questions it was asked, whole.
    questions: Receiver<String>,
}

impl Machine {
    /// Answers each question with what `answer` makes of its first line's path.
    pub fn start(answer: impl FnMut(&str) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (sender, questions) = mpsc::channel();
        let answers: Answers = Arc::new(Mutex::new(Box::new(answer)));
        std::thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let (sender, answers) = (sender.clone(), Arc::clone(&answers));
                std::thread::spawn(move || {
                    let _gone = serve(socket, &sender, &answers);
                });
            }
        });
        Self { url, questions }
    }

    /// Answers everything with this status and body.
    pub fn saying(status: &str, body: &str) -> Self {
        let answer = response(status, body.as_bytes());
        Self::start(move |_path| answer.clone())
    }

    /// The next question: head and body.
    #[track_caller]
    pub fn question(&self) -> String {
        self.questions.recv_timeout(PATIENCE).expect("a question")
    }

    /// Whether it was asked nothing (more).
    pub fn was_not_asked(&self) -> bool {
        self.questions.try_recv().is_err()
    }
}

/// A whole answer.
pub fn response(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// One question, one answer.
fn serve(
    mut socket: TcpStream,
    questions: &mpsc::Sender<String>,
    answers: &Answers,
) -> io::Result<()> {
    let question = read_question(&mut socket)?;
    let path = question.split(' ').nth(1).unwrap_or_default().to_owned();
    let _test_is_over = questions.send(question);
    let answer = (answers.lock().unwrap_or_else(PoisonError::into_inner))(&path);
    socket.write_all(&answer)?;
    socket.shutdown(Shutdown::Write)?;
    // Without this what is unread would reset the connection, and the answer with it.
    io::copy(&mut socket, &mut io::sink()).map(|_bytes| ())
}

/// Head and body, by its length.
fn read_question(socket: &mut TcpStream) -> io::Result<String> {
    let mut question = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&question).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .to_ascii_lowercase()
                .lines()
                .find_map(|line| line.strip_prefix("content-length: ").map(str::to_owned));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Ok(text);
            }
        }
        match socket.read(&mut buffer)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => question.extend_from_slice(&buffer[..count]),
        }
    }
}
