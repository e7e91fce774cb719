//! A bare FTP client, which says exactly what it is told to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use serde_json::{Value, json};

use super::wait::PATIENCE;
use super::{Client, Larder};

/// The password of every FTP user.
pub const FTP_PASSWORD: &str = "the camera drops in";

/// Every letter there is.
pub const ALL_LETTERS: &str = "elradfmwMT";

/// A larder with its FTP server on, and the administrator's client.
pub struct FtpHouse {
    /// The larder, with the user `ana`, who may do everything.
    pub larder: Larder,
    /// The port of the FTP server.
    pub port: u16,
}

impl FtpHouse {
    /// Starts both, with the FTP user `cam`, who may do everything.
    #[track_caller]
    pub fn start() -> Self {
        let house = Self::around(Larder::prepare());
        house.user("cam", "", ALL_LETTERS);
        house
    }

    /// Starts both over a prepared folder, without FTP users.
    #[track_caller]
    pub fn around(larder: Larder) -> Self {
        let larder = larder.launch_with(|command| {
            command.args(["--ftp-port", "0"]);
        });
        let larder = larder.user("ana");
        let port = Self::switch_on(&larder);
        Self { larder, port }
    }

    /// Starts the FTP server; gives its port.
    #[track_caller]
    pub fn switch_on(larder: &Larder) -> u16 {
        let answer = larder.http("ana").post("/api/ftp/start", json!({}));
        let port = answer.expect_status("FTP server started")["port"].as_u64().unwrap();
        u16::try_from(port).unwrap()
    }

    /// Whoever may do everything over HTTP.
    pub fn admin(&self) -> Client {
        self.larder.http("ana")
    }

    /// Adds an FTP user.
    #[track_caller]
    pub fn user(&self, name: &str, home: &str, letters: &str) {
        let ask = json!({
            "username": name, "password": FTP_PASSWORD, "path": home, "permissions": letters
        });
        self.admin().post("/api/ftp/create_user", ask).expect_status("FTP user created");
    }

    /// Changes settings as their owner does: in the file, and then the signal.
    #[track_caller]
    pub fn settings(larder: Larder, changes: &Value) -> Larder {
        let path = larder.state().join("settings/settings.json");
        let old = std::fs::read_to_string(&path).unwrap_or_else(|_| "{}".to_owned());
        let mut object: Value = serde_json::from_str(&old).unwrap();
        for (key, value) in changes.as_object().unwrap() {
            object[key] = value.clone();
        }
        std::fs::write(path, object.to_string()).unwrap();
        larder
    }

    /// A connection that has said nothing yet; the greeting is read.
    #[track_caller]
    pub fn connect(&self) -> Ftp {
        Ftp::open(Ipv4Addr::LOCALHOST.into(), self.port)
    }

    /// Somebody who has signed in, sending bytes as they are.
    #[track_caller]
    pub fn sign_in(&self, name: &str) -> Ftp {
        let mut ftp = self.connect();
        ftp.sign_in(name);
        ftp
    }

    /// Who is on.
    #[track_caller]
    pub fn sessions(&self) -> Vec<Value> {
        self.admin().get("/api/ftp/sessions").expect(200).json().as_array().unwrap().clone()
    }
}

/// A control connection.
pub struct Ftp {
    /// To and from the server.
    pub stream: BufReader<TcpStream>,
}

impl Ftp {
    /// Connects from an address of ours and reads the greeting.
    #[track_caller]
    pub fn open(from: IpAddr, port: u16) -> Self {
        let stream = connect_from(from, port).unwrap();
        let mut ftp = Self { stream: BufReader::new(stream) };
        let (code, text) = ftp.reply();
        assert_eq!(code, 220, "{text}");
        ftp
    }

    /// Signs in.
    #[track_caller]
    pub fn sign_in(&mut self, name: &str) {
        self.expect(&format!("USER {name}"), 331);
        self.expect(&format!("PASS {FTP_PASSWORD}"), 230);
        self.expect("TYPE I", 200);
    }

    /// Sends bytes as they are.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// The next reply, whole; `None` when the connection ended.
    pub fn try_reply(&mut self) -> Option<(u16, String)> {
        let mut text = String::new();
        let mut end = None;
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).ok()? == 0 {
                return None;
            }
            text.push_str(&line);
            let code = line.get(..3)?.parse::<u16>().ok();
            match (end, line.as_bytes().get(3)) {
                (None, Some(b'-')) => end = code,
                (None, _) => return Some((code?, text)),
                (Some(_), Some(b' ')) if code == end => return Some((code?, text)),
                _ => {}
            }
        }
    }

    /// The next reply.
    #[track_caller]
    pub fn reply(&mut self) -> (u16, String) {
        self.try_reply().expect("a reply")
    }

    /// Sends a line and reads the reply.
    #[track_caller]
    pub fn say(&mut self, line: &str) -> (u16, String) {
        self.send(format!("{line}\r\n"));
        self.reply()
    }

    /// Sends a line and demands a code; gives the reply's text.
    #[track_caller]
    pub fn expect(&mut self, line: &str, code: u16) -> String {
        let (got, text) = self.say(line);
        assert_eq!(got, code, "{line}: {text}");
        text
    }

    /// Demands the code of the next reply.
    #[track_caller]
    pub fn expect_reply(&mut self, code: u16) -> String {
        let (got, text) = self.reply();
        assert_eq!(got, code, "{text}");
        text
    }

    /// Demands that the server closes the connection.
    #[track_caller]
    pub fn expect_end(&mut self) {
        while let Some((code, text)) = self.try_reply() {
            assert!(code == 421 || code == 426, "{text}");
        }
    }

    /// Asks for a passive port.
    #[track_caller]
    pub fn passive_port(&mut self) -> u16 {
        let text = self.expect("EPSV", 229);
        text.split('|').nth(3).unwrap().parse().unwrap()
    }

    /// A passive data connection.
    #[track_caller]
    pub fn passive(&mut self) -> TcpStream {
        let port = self.passive_port();
        let server = self.stream.get_ref().peer_addr().unwrap().ip();
        let data = TcpStream::connect(SocketAddr::new(server, port)).unwrap();
        data.set_read_timeout(Some(PATIENCE)).unwrap();
        data
    }

    /// Stores a file; gives the last reply.
    #[track_caller]
    pub fn store(&mut self, line: &str, content: impl AsRef<[u8]>) -> (u16, String) {
        let mut data = self.passive();
        let (code, text) = self.say(line);
        if code != 150 {
            return (code, text);
        }
        data.write_all(content.as_ref()).unwrap();
        drop(data);
        self.reply()
    }

    /// What a command sends, and the last reply.
    #[track_caller]
    pub fn fetch(&mut self, line: &str) -> (Vec<u8>, (u16, String)) {
        let mut data = self.passive();
        let (code, text) = self.say(line);
        if code != 150 {
            return (Vec::new(), (code, text));
        }
        let mut content = Vec::new();
        data.read_to_end(&mut content).unwrap();
        (content, self.reply())
    }

    /// What a command sends, as text; demands that it worked.
    #[track_caller]
    pub fn fetch_text(&mut self, line: &str) -> String {
        let (content, (code, text)) = self.fetch(line);
        assert_eq!(code, 226, "{line}: {text}");
        String::from_utf8(content).unwrap()
    }

    /// The names that `NLST` tells.
    #[track_caller]
    pub fn names(&mut self, line: &str) -> Vec<String> {
        self.fetch_text(line).lines().map(str::to_owned).collect()
    }

    /// Listens for an active data connection; gives it and what `PORT` takes.
    #[track_caller]
    pub fn active(&self) -> (TcpListener, String) {
        let own = self.stream.get_ref().local_addr().unwrap();
        let listener = TcpListener::bind(SocketAddr::new(own.ip(), 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let IpAddr::V4(ip) = own.ip() else { panic!("{own}") };
        let [a, b, c, d] = ip.octets();
        (listener, format!("{a},{b},{c},{d},{},{}", port / 256, port % 256))
    }
}

/// Connects from one of this machine's addresses.
pub fn connect_from(from: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let family = if from.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    // Or a server that another test is just starting would hold it open.
    let socket = rustix::net::socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::net::bind(&socket, &SocketAddr::new(from, 0))?;
    let server: IpAddr = if from.is_ipv4() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        std::net::Ipv6Addr::LOCALHOST.into()
    };
    rustix::net::connect(&socket, &SocketAddr::new(server, port))?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE + Duration::from_secs(10)))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}
