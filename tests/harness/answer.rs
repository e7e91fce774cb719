//! One HTTP answer, and what a test may demand of it.

use serde_json::Value;

/// What came back.
pub struct Answer {
    /// What was asked, for the message of a failing test.
    pub asked: String,
    /// The status code.
    pub status: u16,
    /// Header fields in the order in which they came, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, free of any transfer coding.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap_or_else(|_| panic!("not UTF-8: {self}"))
    }

    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|cause| panic!("no JSON ({cause}): {self}"))
    }

    /// Demands a status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self}");
        self
    }

    /// Demands 200 and JSON with this `status` text; gives the JSON.
    #[track_caller]
    pub fn expect_status(self, sentence: &str) -> Value {
        let answer = self.expect(200);
        assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
        let json = answer.json();
        assert_eq!(json["status"], sentence, "{answer}");
        json
    }

    /// Demands a refusal in the contract's shape, with this sentence.
    #[track_caller]
    pub fn expect_error(self, status: u16, sentence: &str) -> Self {
        let answer = self.expect_refusal(status);
        assert_eq!(answer.json()["error"], sentence, "{answer}");
        answer
    }

    /// Demands a refusal in the contract's shape, with this word for programs.
    #[track_caller]
    pub fn expect_code(self, status: u16, code: &str) -> Self {
        let answer = self.expect_refusal(status);
        assert_eq!(answer.json()["code"], code, "{answer}");
        answer
    }

    /// Demands a refusal in the contract's shape, whatever its sentence.
    #[track_caller]
    pub fn expect_refusal(self, status: u16) -> Self {
        let answer = self.expect(status);
        assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
        assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{answer}");
        let json = answer.json();
        let sentence = json["error"].as_str().unwrap_or_default();
        assert!(!sentence.is_empty(), "no sentence: {answer}");
        let code = json["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty(), "no code for programs: {answer}");
        assert!(code.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{answer}");
        for secret in ["/tmp", "src/", "os error", "panicked", ".rs"] {
            assert!(!sentence.contains(secret), "an error shows internals: {answer}");
        }
        answer
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{} -> {}", self.asked, self.status)?;
        for (name, value) in &self.headers {
            writeln!(out, "{name}: {value}")?;
        }
        let shown = &self.body[..self.body.len().min(600)];
        write!(out, "{}", String::from_utf8_lossy(shown))
    }
}
