//! One client from its greeting to its end: what it has said so far, and who it is.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConnection;

use crate::auth::caller::{Caller, Who};
use crate::auth::key;
use crate::auth::letters::Letters;
use crate::error::{Error, Result};
use crate::ftp::control::{Control, Next};
use crate::ftp::data::Ready;
use crate::ftp::lent::Lent;
use crate::ftp::line::{self, Command};
use crate::ftp::listing::Facts;
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::told::Told;
use crate::ftp::verbs::{self, Needs, Verb};
use crate::limits;
use crate::logbook::{By, Event};
use crate::sessions::Handle;
use crate::settings::{Roles, Settings};
use crate::vault::{Share, VaultPath};

/// How far signing in has got.
pub enum Login {
    /// Not begun.
    Nobody,
    /// A name was given.
    Named(String),
    /// Done.
    Done(Account),
}

/// Somebody who has signed in.
pub struct Account {
    /// Who it is.
    pub caller: Caller,
    /// Their home folder, which they see as `/`.
    pub home: VaultPath,
    /// What they may do, by verbs; their grant says it for the vault.
    pub letters: Letters,
}

impl Account {
    /// Of somebody who was let in.
    ///
    /// Errors: `Invalid` (a home that can't be read), `Refused` for who has no home, `FactorNeeded`.
    pub fn of(caller: Caller, roles: &Roles, settings: &Settings) -> Result<Self> {
        if caller.lacks_factor(settings) {
            return Err(Error::FactorNeeded);
        }
        let (home, letters) = match (caller.who(), caller.narrowed_key()) {
            (Who::FtpUser(user), _) => {
                (VaultPath::parse(&user.home)?, Letters::stored(&user.permissions))
            }
            // A user of the house is at home in all of the share that they may see.
            (Who::User(_), Some(key)) => {
                let letters = Letters::of_key(key.may_write, |path| caller.may(path, roles));
                (VaultPath::root(), letters)
            }
            _ => return Err(Error::Refused),
        };
        Ok(Self { caller, home, letters })
    }

    /// Whether it still gives all that the other did.
    fn covers(&self, other: &Self) -> bool {
        self.caller.covers(&other.caller) && other.letters.are_among(&self.letters)
    }
}

/// How files are sent (RFC 959, 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// The client has not said. By RFC 959 that is ASCII; a camera that forgets to say it would have its
    /// pictures broken, so files go as they are.
    Unsaid,
    /// Text, its lines ending with CR LF on the way.
    Ascii,
    /// As it is.
    Image,
}

/// One client.
pub struct Session {
    /// The long-lived parts of the house.
    pub lent: Arc<Lent>,
    /// Its control connection.
    pub control: Control,
    /// How others see it.
    pub handle: Arc<Handle>,
    /// Where it is; IPv4 unwrapped.
    pub peer: SocketAddr,
    /// Where we are for it.
    pub local: SocketAddr,
    /// Who it is.
    pub login: Login,
    /// When it was last looked whether they may still come in.
    judged: Instant,
    /// Wrong passwords so far.
    pub failures: u32,
    /// The current folder below the home folder.
    pub folder: VaultPath,
    /// How files are sent.
    pub kind: Type,
    /// Where the next transfer begins (bytes; RFC 3659, 5).
    pub restart: u64,
    /// Which parts' sizes it was told.
    pub told: Told,
    /// What is to be renamed.
    pub rename_from: Option<VaultPath>,
    /// How the next data connection will be made.
    pub ready: Option<Ready>,
    /// Whether only `EPSV` may be used (RFC 2428, 4).
    pub only_epsv: bool,
    /// Whether `PBSZ` came (RFC 4217, 8).
    pub has_buffer_size: bool,
    /// Whether data connections speak TLS.
    pub is_protected: bool,
    /// What `MLSD` tells.
    pub facts: Facts,
}

impl Session {
    /// A session over an accepted socket.
    pub fn new(
        lent: Arc<Lent>,
        handle: Arc<Handle>,
        peer: SocketAddr,
        local: SocketAddr,
    ) -> io::Result<Self> {
        let control = Control::new(handle.stream())?;
        Ok(Self {
            lent,
            control,
            handle,
            peer,
            local,
            login: Login::Nobody,
            judged: Instant::now(),
            failures: 0,
            folder: VaultPath::root(),
            kind: Type::Unsaid,
            restart: 0,
            told: Told::default(),
            rename_from: None,
            ready: None,
            only_epsv: false,
            has_buffer_size: false,
            is_protected: false,
            facts: Facts::default(),
        })
    }

    /// Greets, and obeys until either side has enough.
    pub fn converse(&mut self) -> io::Result<()> {
        let born = Instant::now();
        self.control.say(&Reply::new(220, "larder is ready"))?;
        loop {
            if self.handle.is_stopping() {
                return self.control.say(&Reply::new(421, "The server is stopping"));
            }
            self.handle.rest();
            let next = self.control.next(self.patience(born))?;
            // `RNTO` must follow `RNFR` at once (RFC 959, 4.1.3): a line that is no command comes between
            // them as well.
            let renaming = self.rename_from.take();
            let reply = match next {
                Next::Line(line) => {
                    self.handle.wake();
                    match line::parse(&line).and_then(|command| self.obey(&command, renaming)) {
                        Ok(reply) | Err(reply) => reply,
                    }
                }
                Next::TooLong => Reply::new(500, "Command line too long"),
                Next::Flood => Reply::new(421, "That is no FTP").and_close(),
                Next::Silence => Reply::new(421, "Nothing came for too long").and_close(),
                Next::End if self.handle.is_stopping() => continue,
                Next::End => return Ok(()),
            };
            self.handle.set_data(None);
            // Before the reply: whoever has heard it finds nothing going on.
            self.handle.end_transfer();
            if !reply.is_said() {
                self.control.say(&reply)?;
            }
            if reply.is_last {
                return Ok(());
            }
        }
    }

    /// How long the next command may take to come.
    fn patience(&self, born: Instant) -> Duration {
        let time = Duration::from_secs(self.settings().ftp.timeout_s.into());
        match self.login {
            Login::Done(_) => time,
            _ => time.min(limits::FTP_LOGIN_TIME.saturating_sub(born.elapsed())),
        }
    }

    /// Looks a command up and does it if it is permitted. `renaming` is what the command before this one
    /// was `RNFR` for.
    fn obey(&mut self, command: &Command, renaming: Option<VaultPath>) -> Answer {
        let Some(verb) = verbs::find(&command.verb) else {
            return Err(verbs::refusal(&command.verb));
        };
        if verb.name == "RNTO" {
            self.rename_from = renaming;
        }
        self.judge_key()?;
        let answer = self.permit(verb).and_then(|()| (verb.run)(self, &command.argument));
        // `REST` is for the next of these, whatever becomes of it (RFC 3659, 5.2).
        if matches!(verb.name, "RETR" | "STOR" | "APPE" | "STOU" | "LIST" | "NLST" | "MLSD") {
            self.restart = 0;
        }
        answer
    }

    /// Judges anew who came with a narrowed key: it may be gone or over, and its user may have lost a path or a role.
    /// From here on they may what they may now. As long as nobody can say, nothing has changed.
    ///
    /// Errors: 421: the key lets them in no more.
    fn judge_key(&mut self) -> std::result::Result<(), Reply> {
        let Login::Done(account) = &self.login else { return Ok(()) };
        if account.caller.narrowed_key().is_none() {
            return Ok(());
        }
        self.judged = Instant::now();
        match self.account_by_now(&account.caller) {
            Ok(account) => self.login = Login::Done(account),
            Err(Error::SignIn(_) | Error::FactorNeeded) => {
                return Err(Reply::new(421, "The key lets nobody in any more").and_close());
            }
            Err(_) => {}
        }
        Ok(())
    }

    /// Somebody's account as it is now.
    ///
    /// Errors: `SignIn`, `Store`.
    fn account_by_now(&self, caller: &Caller) -> Result<Account> {
        let caller = self.lent.sign_in.again(caller)?;
        Account::of(caller, &self.roles(), &self.settings())
    }

    /// Who may use what, as of the last time that a user was asked for. What can't be read leaves the old state in force.
    pub fn roles(&self) -> Arc<Roles> {
        let config = &self.lent.config;
        config
            .roles_as_of(self.lent.sign_in.roles_edition())
            .unwrap_or_else(|_told_by_the_api| config.roles())
    }

    /// Whether a transfer that runs may go on: its client is judged anew from time to time, and must have lost nothing.
    pub fn may_go_on(&mut self) -> bool {
        self.judged.elapsed() < limits::FTP_JUDGE_INTERVAL || self.may_still()
    }

    /// The same at once.
    pub fn may_still(&mut self) -> bool {
        let Login::Done(account) = &self.login else { return true };
        self.judged = Instant::now();
        match self.account_by_now(&account.caller) {
            Ok(now) => now.covers(account),
            Err(error) => !matches!(error, Error::SignIn(_) | Error::FactorNeeded),
        }
    }

    /// Whether this client may use a verb now.
    ///
    /// Errors: 530, 550.
    fn permit(&self, verb: &Verb) -> std::result::Result<(), Reply> {
        match (verb.needs, &self.login) {
            (Needs::Nothing, _) | (Needs::Login, Login::Done(_)) => Ok(()),
            (Needs::AnyOf(letters), Login::Done(account)) if account.letters.has_any(letters) => {
                Ok(())
            }
            (_, Login::Done(_)) => Err(Reply::new(550, "Permission denied")),
            _ => Err(Reply::new(530, "Please sign in with USER and PASS")),
        }
    }

    /// Says something before the reply.
    ///
    /// Errors: nobody listens any more.
    pub fn say(&mut self, reply: &Reply) -> std::result::Result<(), Reply> {
        self.control.say(reply).map_err(|_| Reply::new(421, "Connection closed").and_close())
    }

    /// The settings in force.
    pub fn settings(&self) -> Arc<Settings> {
        self.lent.config.settings()
    }

    /// A new TLS connection for one of this session's sockets.
    pub fn tls_connection(&self) -> std::result::Result<ServerConnection, Reply> {
        let made =
            self.lent.tls.config().and_then(|config| {
                ServerConnection::new(config).map_err(|cause| cause.to_string())
            });
        made.map_err(|line| {
            self.note_refusal(Event::other(format!("TLS: {line}")));
            Reply::new(431, "TLS is not available")
        })
    }

    /// Who has signed in. The table of verbs has seen to it that there is somebody.
    pub fn account(&self) -> std::result::Result<&Account, Reply> {
        match &self.login {
            Login::Done(account) => Ok(account),
            _ => Err(Reply::new(530, "Please sign in with USER and PASS")),
        }
    }

    /// What they may see of the share, opened for one command.
    ///
    /// Errors: 450.
    pub fn share(&self) -> std::result::Result<Share, Reply> {
        let caller = &self.account()?.caller;
        Ok(self.lent.vault.share(Arc::clone(caller.grant()), caller.label())?)
    }

    /// Where `text` leads from the current folder, below the home folder: `..` ends at the top.
    ///
    /// Errors: 550.
    pub fn below_home(&self, text: &str) -> std::result::Result<VaultPath, Reply> {
        Ok(resolve(&self.folder, text)?)
    }

    /// The place in the share that stands at `path` below the home folder.
    pub fn in_share(&self, path: &VaultPath) -> std::result::Result<VaultPath, Reply> {
        Ok(VaultPath::parse(&format!("{}/{path}", self.account()?.home))?)
    }

    /// A place in the share as its user sees it, below the home folder.
    pub fn seen(&self, path: &VaultPath) -> std::result::Result<VaultPath, Reply> {
        let home = self.account()?.home.as_str();
        Ok(VaultPath::parse(path.as_str().strip_prefix(home).unwrap_or_default())?)
    }

    /// A place in the share as its user can name it in the current folder.
    pub fn named_here(&self, path: &VaultPath) -> std::result::Result<String, Reply> {
        let seen = self.seen(path)?;
        Ok(if seen.starts_with(&self.folder) {
            let rest = seen.as_str().strip_prefix(self.folder.as_str()).unwrap_or_default();
            rest.trim_start_matches('/').to_owned()
        } else {
            format!("/{seen}")
        })
    }

    /// A transfer of what is, or will be, at a place in the share begins.
    pub fn begin(&self, verb: &'static str, path: &VaultPath) -> std::result::Result<(), Reply> {
        self.handle.begin(verb, format!("/{path}"), format!("/{}", self.seen(path)?));
        Ok(())
    }

    /// Whose uploads these are, as the vault is told: nobody else can say it.
    pub fn owner(&self) -> std::result::Result<String, Reply> {
        let caller = &self.account()?.caller;
        // A user of the house is not FTP's own of the same name, which has no such character in it.
        Ok(match caller.narrowed_key() {
            Some(narrowed) => key::hash(&format!("\0key {}", narrowed.id)),
            None => key::hash(caller.label()),
        })
    }

    /// Where a command's argument leads in the share.
    ///
    /// Errors: 501 without an argument, 550.
    pub fn target(&self, argument: &str) -> std::result::Result<VaultPath, Reply> {
        if argument.is_empty() {
            return Err(Reply::new(501, "This command takes a path"));
        }
        self.in_share(&self.below_home(argument)?)
    }

    /// Notes in the logbook what the client did.
    pub fn note(&self, event: Event) {
        self.lent.logbook.note(&self.by(), event);
    }

    /// Notes in the logbook what was refused to a client who need not have signed in.
    pub fn note_refusal(&self, event: Event) {
        self.lent.logbook.note_refusal(&self.by(), event);
    }

    /// Who the logbook says it was.
    fn by(&self) -> By<'_> {
        match &self.login {
            Login::Done(account) => account.caller.by_ftp(self.peer.ip()),
            _ => By::ftp(None, self.peer.ip()),
        }
    }
}

/// Where `text` leads from `folder`; neither ever leaves the top.
fn resolve(folder: &VaultPath, text: &str) -> Result<VaultPath> {
    let mut parts: Vec<&str> =
        if text.starts_with('/') { Vec::new() } else { folder.components().collect() };
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    VaultPath::parse(&parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_above_the_home() {
        let folder = VaultPath::parse("a/b").unwrap();
        for (text, wanted) in [
            ("", "a/b"),
            ("c", "a/b/c"),
            ("/c", "c"),
            ("..", "a"),
            ("../../../..", ""),
            ("/../../etc/passwd", "etc/passwd"),
            ("../x/./y//z/", "a/x/y/z"),
            ("/", ""),
        ] {
            assert_eq!(resolve(&folder, text).unwrap().as_str(), wanted, "{text}");
        }
        assert!(resolve(&folder, &"x".repeat(256)).is_err());
    }
}
