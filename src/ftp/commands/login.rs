//! Signing in and out, and into TLS: RFC 959, 4.1.1; RFC 2228; RFC 4217.

use std::time::Instant;

use crate::auth::sign_in::{Attempt, Entrance, Visitor};
use crate::error::Error;
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::{Account, Login, Session};
use crate::limits;
use crate::logbook::Event;
use crate::sessions::Handle;
use crate::vault::VaultPath;

/// `USER`: begins anew.
pub fn user(session: &mut Session, argument: &str) -> Answer {
    require_tls(session)?;
    if argument.is_empty() {
        return Err(Reply::new(501, "USER takes a name"));
    }
    session.handle.signed_out();
    session.folder = VaultPath::root();
    session.ready = None;
    session.login = Login::Named(argument.to_owned());
    Ok(Reply::new(331, "Password, please"))
}

/// `PASS`: the same answer in the same time whether there is such a user or not.
pub fn pass(session: &mut Session, argument: &str) -> Answer {
    require_tls(session)?;
    let username = match std::mem::replace(&mut session.login, Login::Nobody) {
        Login::Named(username) => username,
        other => {
            session.login = other;
            return Err(Reply::new(503, "USER comes first"));
        }
    };
    match sign_in(session, &username, argument) {
        Ok(account) => {
            session.login = Login::Done(account);
            Ok(Reply::new(230, "Welcome"))
        }
        // The session was closed while it waited for its turn: nothing was judged.
        Err(Error::Disconnected) => Err(Reply::new(421, "Connection closed").and_close()),
        Err(error) => Err(refuse(session, error)),
    }
}

/// Judges name and password, and lets the session be seen as that user's.
fn sign_in(session: &Session, name: &str, password: &str) -> Result<Account, Error> {
    let (from, at) = (session.peer.ip(), Entrance::Ftp(&*session.handle));
    let caller = session.lent.sign_in.sign_in(&Attempt { name, password, from, at })?;
    Account::of(caller, &session.roles(), &session.settings())
        .inspect_err(|_| session.handle.signed_out())
}

impl Visitor for Handle {
    fn is_leaving(&self) -> bool {
        self.is_leaving()
    }

    fn sits_down(&self, name: &str, key_id: Option<i64>) {
        self.signed_in(name, key_id);
    }

    fn stands_up(&self) {
        self.signed_out();
    }
}

/// Makes whoever guesses wait, and sends them away after a few times.
fn refuse(session: &mut Session, error: Error) -> Reply {
    let until = Instant::now() + limits::FTP_FAILURE_DELAY;
    while Instant::now() < until && !session.handle.is_leaving() {
        std::thread::sleep(limits::FTP_TRY_LOOK_TIME);
    }
    session.failures += 1;
    let reply = Reply::from(error);
    if session.failures < limits::FTP_FAILURES_MAX { reply } else { reply.and_close() }
}

/// Refuses to hear names and passwords in the clear where the owner wants TLS.
fn require_tls(session: &Session) -> Result<(), Reply> {
    if session.settings().ftp.needs_tls && !session.control.channel.is_secure() {
        return Err(Reply::new(530, "Please use AUTH TLS first"));
    }
    Ok(())
}

/// `QUIT`.
pub fn quit(_session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(221, "Goodbye").and_close())
}

/// `AUTH TLS` (RFC 4217, 4): whatever was sent behind it in the clear is thrown away, and so is who one
/// was.
pub fn auth(session: &mut Session, argument: &str) -> Answer {
    let mechanism = argument.trim().to_ascii_uppercase();
    if !matches!(mechanism.as_str(), "TLS" | "TLS-C" | "SSL" | "TLS-P") {
        return Err(Reply::new(504, "Only AUTH TLS is known"));
    }
    if session.control.channel.is_secure() {
        return Err(Reply::new(503, "This connection speaks TLS already"));
    }
    let tls = session.tls_connection()?;
    let gone = |_| Reply::new(421, "Connection closed").and_close();
    session.control.drop_pending().map_err(gone)?;
    session.say(&Reply::new(234, "Begin TLS"))?;
    if session.control.secure(tls).is_err() {
        session.note_refusal(Event::refused("the TLS handshake failed"));
        return Err(Reply::said().and_close());
    }
    session.handle.is_secure_now();
    session.handle.signed_out();
    session.login = Login::Nobody;
    session.ready = None;
    // Older clients that ask for SSL expect their data connections protected (RFC 4217, 17).
    session.is_protected = matches!(mechanism.as_str(), "SSL" | "TLS-P");
    Ok(Reply::said())
}

/// `PBSZ 0`: TLS has no buffer to agree on.
pub fn buffer_size(session: &mut Session, argument: &str) -> Answer {
    if !session.control.channel.is_secure() {
        return Err(Reply::new(503, "AUTH TLS comes first"));
    }
    if argument.trim().parse::<u32>().is_err() {
        return Err(Reply::new(501, "PBSZ takes a number"));
    }
    session.has_buffer_size = true;
    Ok(Reply::new(200, "PBSZ=0"))
}

/// `PROT`: whether data connections speak TLS.
pub fn protection(session: &mut Session, argument: &str) -> Answer {
    if !session.control.channel.is_secure() {
        return Err(Reply::new(503, "AUTH TLS comes first"));
    }
    if !session.has_buffer_size {
        return Err(Reply::new(503, "PBSZ comes first"));
    }
    match argument.trim().to_ascii_uppercase().as_str() {
        "P" => {
            session.is_protected = true;
            Ok(Reply::new(200, "Data connections speak TLS"))
        }
        "C" if session.settings().ftp.needs_tls => {
            Err(Reply::new(534, "Data connections must speak TLS here"))
        }
        "C" => {
            session.is_protected = false;
            Ok(Reply::new(200, "Data connections are in the clear"))
        }
        "S" | "E" => Err(Reply::new(536, "TLS knows only P and C")),
        _ => Err(Reply::new(504, "PROT takes P or C")),
    }
}
