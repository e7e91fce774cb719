//! Files in both directions, and how their data connections are made: RFC 959, 4.1.2 and 4.1.3;
//! RFC 2428; RFC 3659, 5.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Instant;

use crate::auth::key;
use crate::error::Error;
use crate::ftp::channel::Channel;
use crate::ftp::data::{self, Broken, Ready};
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::{Session, Type};
use crate::limits;
use crate::vault::{IfExists, OpenFile, Opened, Place, Share, Spool, VaultPath};

/// `TYPE`: text or bytes.
pub fn set_type(session: &mut Session, argument: &str) -> Answer {
    session.kind = match argument.trim().to_ascii_uppercase().as_str() {
        "A" | "A N" => Type::Ascii,
        "I" | "L 8" => Type::Image,
        _ => return Err(Reply::new(504, "TYPE knows A, I and L 8")),
    };
    Ok(Reply::new(200, "Type set"))
}

/// `MODE S`.
pub fn set_mode(_session: &mut Session, argument: &str) -> Answer {
    only(argument, "S", "MODE knows S only")
}

/// `STRU F`.
pub fn structure(_session: &mut Session, argument: &str) -> Answer {
    only(argument, "F", "STRU knows F only")
}

/// Takes one value.
fn only(argument: &str, value: &str, sentence: &'static str) -> Answer {
    if argument.trim().eq_ignore_ascii_case(value) {
        return Ok(Reply::new(200, "Fine"));
    }
    let code = if argument.is_empty() { 501 } else { 504 };
    Err(Reply::new(code, sentence))
}

/// `ALLO`: nothing needs to be set aside.
pub fn allocate(_session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(202, "No need to"))
}

/// `REST`: where the next transfer begins.
pub fn restart(session: &mut Session, argument: &str) -> Answer {
    let offset =
        argument.trim().parse::<u64>().ok().filter(|offset| i64::try_from(*offset).is_ok());
    session.restart = offset.ok_or(Reply::new(501, "REST takes a number of bytes"))?;
    Ok(Reply::new(350, format!("The next transfer begins at {}", session.restart)))
}

/// `ABOR` while nothing runs; a running transfer looks for it itself.
pub fn abort(session: &mut Session, _argument: &str) -> Answer {
    session.ready = None;
    Ok(Reply::new(226, "Nothing to abort"))
}

/// `PASV`.
pub fn passive(session: &mut Session, _argument: &str) -> Answer {
    not_after_epsv_all(session)?;
    let IpAddr::V4(local) = session.local.ip() else {
        return Err(Reply::new(425, "PASV knows no IPv6: use EPSV"));
    };
    let port = listen(session)?;
    let told = told_address(session, local);
    let ([a, b, c, d], [high, low]) = (told.octets(), port.to_be_bytes());
    Ok(Reply::new(227, format!("Entering Passive Mode ({a},{b},{c},{d},{high},{low})")))
}

/// `EPSV` (RFC 2428, 3).
pub fn extended_passive(session: &mut Session, argument: &str) -> Answer {
    let own = if session.local.is_ipv4() { "1" } else { "2" };
    match argument.trim().to_ascii_uppercase().as_str() {
        "ALL" => {
            session.only_epsv = true;
            return Ok(Reply::new(200, "From now on EPSV only"));
        }
        asked if asked.is_empty() || asked == own => {}
        "1" | "2" => {
            return Err(Reply::new(522, format!("Network protocol not supported, use ({own})")));
        }
        _ => return Err(Reply::new(501, "EPSV takes 1, 2 or ALL")),
    }
    let port = listen(session)?;
    Ok(Reply::new(229, format!("Entering Extended Passive Mode (|||{port}|)")))
}

/// Listens for the next data connection.
fn listen(session: &mut Session) -> Result<u16, Reply> {
    session.ready = None;
    let listener = data::listen(session.local, &session.settings().ftp.passive_ports);
    let listener = listener.map_err(|_| Reply::new(425, "No port is free for data"))?;
    let port =
        listener.local_addr().map_err(|_| Reply::new(425, "No port is free for data"))?.port();
    session.ready = Some(Ready::Passive(listener));
    Ok(port)
}

/// The address that a passive client is told: ours, or the public one of the settings. Who is in the
/// same house would be sent around through the router by that, and keeps ours; this machine itself is
/// where a tunnel or the owner's own test comes from.
fn told_address(session: &Session, local: Ipv4Addr) -> Ipv4Addr {
    let settings = session.settings();
    let host = settings.ftp.public_host.as_str();
    let is_near = match session.peer.ip() {
        IpAddr::V4(peer) => peer.is_private() || peer.is_link_local(),
        IpAddr::V6(_) => true,
    };
    if host.is_empty() || is_near {
        return local;
    }
    let found = match host.parse() {
        Ok(address) => Some(address),
        Err(_) => (host, 0).to_socket_addrs().ok().and_then(|mut all| {
            all.find_map(|address| match address.ip() {
                IpAddr::V4(address) => Some(address),
                IpAddr::V6(_) => None,
            })
        }),
    };
    found.unwrap_or(local)
}

/// `PORT`.
pub fn active(session: &mut Session, argument: &str) -> Answer {
    not_after_epsv_all(session)?;
    let target =
        data::parse_port(argument).ok_or(Reply::new(501, "PORT takes h1,h2,h3,h4,p1,p2"))?;
    set_target(session, target)
}

/// `EPRT`.
pub fn extended_active(session: &mut Session, argument: &str) -> Answer {
    not_after_epsv_all(session)?;
    set_target(session, data::parse_eprt(argument)?)
}

/// The next data connection goes there.
fn set_target(session: &mut Session, target: SocketAddr) -> Answer {
    session.ready = None;
    let judged = data::check_target(target, session.peer);
    if judged.is_err() {
        session.note(&format!("a data connection to {target} was refused"));
    }
    session.ready = Some(Ready::Active(judged?));
    Ok(Reply::new(200, "Fine"))
}

/// After `EPSV ALL` nothing else may be used (RFC 2428, 4).
fn not_after_epsv_all(session: &Session) -> Result<(), Reply> {
    if session.only_epsv { Err(Reply::new(503, "EPSV ALL was said")) } else { Ok(()) }
}

/// `RETR`.
pub fn retrieve(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    let Opened::File(mut file) = session.share()?.open(&target)? else {
        return Err(Reply::new(550, "Path is not a file"));
    };
    let offset = session.restart;
    if offset > file.size {
        return Err(Reply::new(554, "The file is shorter than that"));
    }
    session.handle.begin("RETR", format!("/{target}"));
    let opening = format!("Here comes the file ({} bytes)", file.size - offset);
    let mut channel = session.open_data(opening)?;
    let sent = send(session, &mut channel, &mut file, offset);
    let sent = sent.and_then(|read| session.end_data(channel).map(|()| read));
    let bytes = session.handle.bytes();
    match sent {
        Ok(Ok(())) => {
            session.note(&format!("retrieved /{target} ({bytes} bytes)"));
            Ok(Reply::new(226, "Sent"))
        }
        Ok(Err(cause)) => {
            session.note(&format!("reading /{target}: {cause}"));
            Err(Reply::new(451, "The file can't be read"))
        }
        Err(why) => {
            session.note(&format!("retrieving /{target} was broken off after {bytes} bytes"));
            Err(session.broken(why))
        }
    }
}

/// Sends a file from `offset` on.
///
/// Errors: `Ok(Err(..))` when the file can't be read.
fn send(
    session: &mut Session,
    channel: &mut Channel,
    file: &mut OpenFile,
    offset: u64,
) -> Result<io::Result<()>, Broken> {
    if session.kind != Type::Ascii && !channel.is_secure() {
        return session.send_file(channel, &file.file, offset);
    }
    if let Err(cause) = file.file.seek(SeekFrom::Start(offset)) {
        return Ok(Err(cause));
    }
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    let mut text = Vec::new();
    let mut last = 0;
    loop {
        let count = match file.file.read(&mut buffer) {
            Ok(0) => return Ok(Ok(())),
            Ok(count) => count,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Ok(Err(cause)),
        };
        if session.kind == Type::Ascii {
            to_network(&buffer[..count], &mut last, &mut text);
            session.send(channel, &text)?;
        } else {
            session.send(channel, &buffer[..count])?;
        }
    }
}

/// Text as it goes over the network: each line ends with CR LF (RFC 959, 3.1.1.1). One that does already
/// is left alone. `last` is the byte before.
fn to_network(bytes: &[u8], last: &mut u8, text: &mut Vec<u8>) {
    text.clear();
    for byte in bytes {
        if *byte == b'\n' && *last != b'\r' {
            text.push(b'\r');
        }
        text.push(*byte);
        *last = *byte;
    }
}

/// Text as it lies here: lines end with LF. `is_cr_held` says that a CR was the last byte before, and
/// waits for what follows it.
fn from_network(bytes: &[u8], is_cr_held: &mut bool, text: &mut Vec<u8>) {
    text.clear();
    for byte in bytes {
        if std::mem::take(is_cr_held) && *byte != b'\n' {
            text.push(b'\r');
        }
        if *byte == b'\r' {
            *is_cr_held = true;
        } else {
            text.push(*byte);
        }
    }
}

/// What an upload does with what is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It replaces it, from `REST` on.
    Replace,
    /// It goes on behind it.
    Append,
    /// It takes another name.
    Unique,
}

/// `STOR`.
pub fn store(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    receive(session, "STOR", &target, Manner::Replace)
}

/// `APPE`.
pub fn append(session: &mut Session, argument: &str) -> Answer {
    let target = session.target(argument)?;
    receive(session, "APPE", &target, Manner::Append)
}

/// `STOU`: under the name that was asked for, if it is free, else under one like it (RFC 1123, 4.1.2.9).
pub fn store_unique(session: &mut Session, argument: &str) -> Answer {
    let asked = if argument.is_empty() { "upload" } else { argument };
    let share = session.share()?;
    let target = session.target(asked)?;
    if !argument.is_empty() && share.check_place(&target)?.is_none() {
        return receive(session, "STOU", &target, Manner::Unique);
    }
    let mark = key::hex(&key::random_bytes::<6>()?);
    let target = session.target(&format!("{asked}.{mark}"))?;
    receive(session, "STOU", &target, Manner::Unique)
}

/// Receives a file into a hidden one, which takes its place once it is whole and on the disk. What is
/// broken off leaves the old file as it was, and waits to be taken up again.
fn receive(
    session: &mut Session,
    verb: &'static str,
    target: &VaultPath,
    manner: Manner,
) -> Answer {
    let share = session.share()?;
    let key = session.part_key(target)?;
    let there = share.check_place(target)?;
    let mut spool = begin(session, &share, target, &key, there, manner)?;
    session.handle.begin(verb, format!("/{target}"));
    let opening = match manner {
        // The name must come first, and in this form (RFC 1123, 4.1.2.9).
        Manner::Unique => format!("FILE: {}", target.name()),
        _ => "Go on".to_owned(),
    };
    let mut channel = match session.open_data(opening) {
        Ok(channel) => channel,
        Err(reply) => {
            // What was taken up again must not be lost by a data connection that never came.
            keep(session, spool, &key, target);
            return Err(reply);
        }
    };
    let mut last = Instant::now();
    let received = fill(session, &mut channel, &mut spool, &mut last);
    let ended = Instant::now();
    let is_doubtful = ended.duration_since(last) >= limits::FTP_STILL_TIME;
    if matches!(received, Ok(Ok(()))) {
        // Clients of TLS wait for our end as well; whether they get it changes nothing for us.
        let _gone = session.end_data(channel);
    }
    session.handle.set_data(None);
    match received {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            session.note(&format!("storing /{target}: {error}"));
            return Err(error.into());
        }
        Err(why) => {
            session.note(&format!("storing /{target} was broken off after {} bytes", spool.len()));
            keep(session, spool, &key, target);
            return Err(session.broken(why));
        }
    }
    spool.finish()?;
    let time = if is_doubtful { limits::FTP_CUT_TIME_DOUBTFUL } else { limits::FTP_CUT_TIME };
    if session.has_client_gone(ended, time) {
        session.note(&format!("storing /{target} was cut off after {} bytes", spool.len()));
        keep(session, spool, &key, target);
        return Err(Broken::ClientGone.into());
    }
    let if_exists = match manner {
        Manner::Unique => IfExists::Error("Target already exists"),
        _ => IfExists::Overwrite,
    };
    let options = Place { if_exists, make_parents: false, files_only: true };
    let bytes = spool.len();
    share.place(vec![(spool, target.clone())], &options)?;
    // An older attempt that was broken off is of no use any more.
    drop(share.resume(target, &key, 0)?);
    session.note(&format!("stored /{target} ({bytes} bytes)"));
    Ok(Reply::new(226, "Stored"))
}

/// The hidden file, with what of the old content stays.
fn begin(
    session: &Session,
    share: &Share,
    target: &VaultPath,
    key: &str,
    there: Option<u64>,
    manner: Manner,
) -> Result<Spool, Reply> {
    let folder = target.parent().unwrap_or_default();
    let offset = match (manner, there) {
        (Manner::Unique, _) => 0,
        (Manner::Append, Some(size)) => size,
        (Manner::Append, None) => share.kept(target, key)?.map_or(0, |kept| kept.size),
        (Manner::Replace, _) => session.restart,
    };
    if offset > 0 && (manner == Manner::Replace || there.is_none()) {
        // What this user sent before comes first: `REST` counts in that.
        if let Some(spool) = share.resume(target, key, offset)? {
            return Ok(spool);
        }
    }
    let mut spool = share.spool(Some(&folder))?;
    if offset > 0 {
        if there.is_none_or(|size| size < offset) {
            return Err(Reply::new(554, "There is not so much of it"));
        }
        share.copy_beginning(target, offset, &mut spool)?;
    }
    Ok(spool)
}

/// Receives until the client ends the data connection; `last` is when something came.
///
/// Errors: `Ok(Err(..))` when it can't be written.
fn fill(
    session: &mut Session,
    channel: &mut Channel,
    spool: &mut Spool,
    last: &mut Instant,
) -> Result<Result<(), Error>, Broken> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    let (mut text, mut is_cr_held) = (Vec::new(), false);
    loop {
        let count = session.receive(channel, &mut buffer)?;
        if count > 0 {
            // Before the disk takes its time, which says nothing of the client.
            *last = Instant::now();
        }
        let mut bytes = &buffer[..count];
        if session.kind == Type::Ascii {
            from_network(bytes, &mut is_cr_held, &mut text);
            if count == 0 && is_cr_held {
                text.push(b'\r');
            }
            bytes = &text;
        }
        if let Err(cause) = spool.write_all(bytes) {
            return Ok(Err(cause.into()));
        }
        if count == 0 {
            return Ok(Ok(()));
        }
    }
}

/// Keeps an upload that was broken off, for the same user and the same place.
fn keep(session: &Session, spool: Spool, key: &str, target: &VaultPath) {
    if !spool.is_empty()
        && let Err(error) = spool.keep(key)
    {
        session.note(&format!("the beginning of /{target} was not kept: {error}"));
    }
}

impl Session {
    /// The name under which an upload that was broken off is kept: nobody else can say it.
    pub fn part_key(&self, target: &VaultPath) -> Result<String, Reply> {
        Ok(key::hash(&format!("{}\0{target}", self.account()?.username)))
    }

    /// What is said after a transfer that did not come to its end.
    pub fn broken(&mut self, why: Broken) -> Reply {
        if why == Broken::Aborted
            && let Err(reply) = self.say(&Reply::new(426, "Transfer broken off"))
        {
            return reply;
        }
        why.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Text through both ways, in pieces of some size.
    fn there_and_back(bytes: &[u8], piece: usize) -> Vec<u8> {
        let (mut last, mut is_cr_held, mut text, mut back) = (0, false, Vec::new(), Vec::new());
        let mut sent = Vec::new();
        for part in bytes.chunks(piece) {
            to_network(part, &mut last, &mut text);
            sent.extend_from_slice(&text);
        }
        for part in sent.chunks(piece) {
            from_network(part, &mut is_cr_held, &mut text);
            back.extend_from_slice(&text);
        }
        if is_cr_held {
            back.push(b'\r');
        }
        back
    }

    #[test]
    fn lines_end_with_cr_lf_on_the_way_only() {
        let (mut last, mut text) = (0, Vec::new());
        to_network(b"a\nb\r\nc\r", &mut last, &mut text);
        assert_eq!(text, b"a\r\nb\r\nc\r");
        to_network(b"\n\n", &mut last, &mut text);
        assert_eq!(text, b"\n\r\n");
        let mut is_cr_held = false;
        from_network(b"a\r\nb\rc\r", &mut is_cr_held, &mut text);
        assert_eq!((text.as_slice(), is_cr_held), (b"a\nb\rc".as_slice(), true));
    }

    proptest! {
        #[test]
        fn text_without_cr_comes_back_as_it_was(text in "[a\\nü]{0,80}", piece in 1_usize..9) {
            prop_assert_eq!(there_and_back(text.as_bytes(), piece), text.as_bytes());
        }
    }
}
