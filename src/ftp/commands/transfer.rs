//! Files in both directions, and how their data connections are made: RFC 959, 4.1.2 and 4.1.3;
//! RFC 2428; RFC 3659, 5.

use std::io::{self, Read, Seek, SeekFrom};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Instant;

use crate::auth::key;
use crate::error::Error;
use crate::ftp::channel::Channel;
use crate::ftp::data::{self, Broken, Ready};
use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::{Session, Type};
use crate::limits;
use crate::logbook::Event;
use crate::vault::{
    IfExists, OpenFile, Opened, Place, Placed, Share, Spool, TrashId, Upload, UploadTarget,
    VaultPath,
};

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

/// `ALLO`: nothing needs to be set aside. RFC 959 would have 202; some clients take nothing but 200.
pub fn allocate(_session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(200, "No need to"))
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
        session.note(Event::refused(format!("a data connection to {target} was refused")));
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
    let (offset, is_text) = (session.restart, session.kind == Type::Ascii);
    if offset > file.size && !is_text {
        return Err(shorter());
    }
    session.begin("RETR", &target)?;
    let opening = if is_text {
        "Here comes the text".to_owned()
    } else {
        format!("Here comes the file ({} bytes)", file.size - offset)
    };
    let mut channel = session.open_data(opening)?;
    let sent = send(session, &mut channel, &mut file, offset);
    let sent = sent.and_then(|read| session.end_data(channel).map(|()| read));
    let bytes = session.handle.bytes();
    match sent {
        Ok(Ok(0)) if !is_text && bytes < file.size - offset => {
            let words = format!("/{target} was cut while it was retrieved");
            session.note(Event::other(words).at(target.as_str()));
            Err(Reply::new(451, "The file became shorter meanwhile"))
        }
        Ok(Ok(0)) => Ok(Reply::new(226, "Sent")),
        Ok(Ok(_lacking)) => Err(shorter()),
        Ok(Err(cause)) => {
            session.note(Event::other(format!("reading /{target}: {cause}")).at(target.as_str()));
            Err(Reply::new(451, "The file can't be read"))
        }
        Err(why) => Err(session.broken(why)),
    }
}

/// What is said when `REST` leads behind the end.
fn shorter() -> Reply {
    Reply::new(554, "The file is shorter than that")
}

/// Sends a file from `offset` on; returns how many bytes before that there were not (text only, whose
/// length on the way shows when it is sent).
///
/// Errors: `Ok(Err(..))` when the file can't be read.
fn send(
    session: &mut Session,
    channel: &mut Channel,
    file: &mut OpenFile,
    offset: u64,
) -> Result<io::Result<u64>, Broken> {
    if session.kind == Type::Ascii {
        return send_text(session, channel, &mut file.file, offset);
    }
    if !channel.is_secure() {
        return session.send_file(channel, &file.file, offset).map(|sent| sent.map(|()| 0));
    }
    if let Err(cause) = file.file.seek(SeekFrom::Start(offset)) {
        return Ok(Err(cause));
    }
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    loop {
        match read(&mut file.file, &mut buffer) {
            Ok(0) => return Ok(Ok(0)),
            Ok(count) => session.send(channel, &buffer[..count])?,
            Err(cause) => return Ok(Err(cause)),
        }
    }
}

/// Sends a text from `skip` bytes on, counted as they go over the network (RFC 3659, 5.3); returns how many
/// of them were lacking.
fn send_text(
    session: &mut Session,
    channel: &mut Channel,
    file: &mut impl Read,
    mut skip: u64,
) -> Result<io::Result<u64>, Broken> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    let (mut text, mut last) = (Vec::new(), 0);
    loop {
        match read(file, &mut buffer) {
            Ok(0) => return Ok(Ok(skip)),
            Ok(count) => to_network(&buffer[..count], &mut last, &mut text),
            Err(cause) => return Ok(Err(cause)),
        }
        let skipped = usize::try_from(skip).map_or(text.len(), |skip| skip.min(text.len()));
        skip -= skipped as u64;
        session.send(channel, &text[skipped..])?;
    }
}

/// Reads some of a file; 0 at its end.
fn read(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    loop {
        match file.read(buffer) {
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            read => return read,
        }
    }
}

/// Bytes of a text as they go over the network.
///
/// Errors: it can't be read.
pub fn text_bytes(mut file: impl Read) -> io::Result<u64> {
    let mut buffer = vec![0; limits::COPY_BUFFER_BYTES];
    let (mut text, mut last, mut bytes) = (Vec::new(), 0, 0);
    loop {
        match read(&mut file, &mut buffer)? {
            0 => return Ok(bytes),
            count => to_network(&buffer[..count], &mut last, &mut text),
        }
        bytes += text.len() as u64;
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
    let target = session.target(asked)?;
    let is_free = session.share()?.upload_target(&target, &session.owner()?)?.size().is_none();
    if is_free && !argument.is_empty() {
        return receive(session, "STOU", &target, Manner::Unique);
    }
    let mark = key::hex(&key::random_bytes::<6>()?);
    receive(session, "STOU", &target.marked(&format!("-{mark}"))?, Manner::Unique)
}

/// An upload that has begun.
struct Arrival {
    /// Where it goes.
    target: UploadTarget,
    /// What has come, behind what it goes on from.
    upload: Upload,
    /// Whether it only adds to what is there.
    only_adds: bool,
}

/// Receives a file into a hidden one, which takes its place once it is whole and on the disk. What is
/// broken off leaves the old file as it was, and waits to be taken up again.
fn receive(session: &mut Session, verb: &'static str, path: &VaultPath, manner: Manner) -> Answer {
    let share = session.share()?;
    let mut arrival = begin(session, &share, path, manner)?;
    session.begin(verb, path)?;
    let opening = match manner {
        // The name must come first, and in this form (RFC 1123, 4.1.2.9).
        Manner::Unique => format!("FILE: {}", session.named_here(path)?),
        _ => "Go on".to_owned(),
    };
    let mut channel = match session.open_data(opening) {
        Ok(channel) => channel,
        Err(reply) => {
            // What was taken up again must not be lost by a data connection that never came.
            keep(session, &share, arrival, path);
            return Err(reply);
        }
    };
    let mut last = Instant::now();
    let received = fill(session, &mut channel, &mut arrival.upload, &mut last);
    let ended = Instant::now();
    let is_doubtful = channel.is_cut() || ended.duration_since(last) >= limits::FTP_STILL_TIME;
    if matches!(received, Ok(Ok(()))) {
        // Clients of TLS wait for our end as well; whether they get it changes nothing for us.
        let _gone = session.end_data(channel);
    }
    session.handle.set_data(None);
    let bytes = arrival.upload.offset();
    match received {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            session.note(Event::other(format!("storing /{path}: {error}")).at(path.as_str()));
            // A drive that is full is not kept full by what did not fit.
            let _nobody_elses = arrival.upload.discard();
            return Err(error.into());
        }
        Err(why) => {
            let words = format!("storing /{path} was broken off after {bytes} bytes");
            session.note(Event::other(words).at(path.as_str()));
            keep(session, &share, arrival, path);
            return Err(session.broken(why));
        }
    }
    arrival.upload.seal()?;
    let time = if is_doubtful { limits::FTP_CUT_TIME_DOUBTFUL } else { limits::FTP_CUT_TIME };
    if session.has_client_gone(ended, time) {
        let words = format!("storing /{path} was cut off after {bytes} bytes");
        session.note(Event::other(words).at(path.as_str()));
        keep(session, &share, arrival, path);
        return Err(Broken::ClientGone.into());
    }
    if !session.may_still() {
        keep(session, &share, arrival, path);
        return Err(Broken::NotAllowed.into());
    }
    let Arrival { target, upload, only_adds } = arrival;
    let put = |spool| put(&share, (target, only_adds), spool, path, manner);
    let placed = upload.finish(put)?;
    session.told.forget(path);
    let event = Event::stored(placed.path.as_str(), bytes, placed.is_new);
    session.note(event.trashed(placed.trash.as_ref().map(TrashId::as_str)));
    if placed.path != *path {
        // Two had asked for the same name, and the other was faster.
        return Ok(Reply::new(226, format!("Stored as {}", session.named_here(&placed.path)?)));
    }
    Ok(Reply::new(226, "Stored"))
}

/// Puts a whole upload in its place; says what became of it.
fn put(
    share: &Share,
    (target, only_adds): (UploadTarget, bool),
    mut spool: Spool,
    path: &VaultPath,
    manner: Manner,
) -> Result<Placed, Error> {
    let is_new = target.size().is_none();
    let in_place = Placed { path: path.clone(), size: spool.len(), is_new, trash: None };
    if only_adds && target.size() == Some(spool.len()) {
        // Nothing was added.
        return Ok(in_place);
    }
    if only_adds && manner == Manner::Append {
        share.append(target, spool)?;
        return Ok(in_place);
    }
    if only_adds {
        let Some(back) = share.extend(&target, spool)? else { return Ok(in_place) };
        spool = back;
    }
    let if_exists = match manner {
        Manner::Unique => IfExists::Rename,
        _ => IfExists::Overwrite,
    };
    let options = Place { if_exists, make_parents: false, drops_empty: false, files_only: true };
    let placed = share.place(vec![(spool, path.clone())], &options)?;
    Ok(placed.into_iter().next().unwrap_or(in_place))
}

/// The hidden file, with what of the old content stays.
fn begin(
    session: &mut Session,
    share: &Share,
    path: &VaultPath,
    manner: Manner,
) -> Result<Arrival, Reply> {
    let mut target = share.upload_target(path, &session.owner()?)?;
    let offset = match manner {
        Manner::Unique => 0,
        // Whoever was told the size of a part adds to that; RFC 959 knows of none.
        Manner::Append => session.told.bytes_of(target.owner(), path).unwrap_or(0),
        Manner::Replace => session.restart,
    };
    if offset > 0 && session.kind == Type::Ascii {
        return Err(Reply::new(504, "Text can't be taken up again"));
    }
    if offset > 0
        && let Some(upload) = share.resume(&target, offset)?
    {
        // `REST` counts in what this user sent before.
        return Ok(Arrival { target, upload, only_adds: false });
    }
    if offset > 0 && manner == Manner::Append {
        // What is added to nothing now would be taken for the whole.
        session.told.forget(path);
        return Err(Reply::new(450, "The part is gone: ask for the size again"));
    }
    if offset > 0 && manner == Manner::Replace && share.kept_bytes(&target)?.is_some() {
        // Of what this user sends there is less than that. Behind the old file's beginning the rest of it would
        // make a mixture of both.
        return Err(not_so_much());
    }
    let mut upload = share.begin_upload_to(&target)?;
    let size = target.size();
    let old = match manner {
        Manner::Unique => None,
        Manner::Append => size.map(|_| None),
        Manner::Replace if offset == 0 => None,
        Manner::Replace if size.is_some_and(|size| size >= offset) => Some(Some(offset)),
        Manner::Replace => return Err(not_so_much()),
    };
    if let Some(bytes) = old {
        share.copy_beginning(&mut target, bytes, &mut upload)?;
    }
    let only_adds = match manner {
        Manner::Unique => false,
        Manner::Append => true,
        Manner::Replace => offset > 0 && target.size() == Some(offset),
    };
    Ok(Arrival { target, upload, only_adds })
}

/// What is said when an upload is to go on behind what is not there.
fn not_so_much() -> Reply {
    Reply::new(554, "There is not so much of it")
}

/// Receives until the client ends the data connection; `last` is when something came.
///
/// Errors: `Ok(Err(..))` when it can't be written.
fn fill(
    session: &mut Session,
    channel: &mut Channel,
    upload: &mut Upload,
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
        if let Err(error) = upload.append(bytes) {
            return Ok(Err(error));
        }
        if count == 0 {
            return Ok(Ok(()));
        }
    }
}

/// Keeps an upload that was broken off, for the same user and the same place.
fn keep(session: &Session, share: &Share, arrival: Arrival, path: &VaultPath) {
    if let Err(error) = share.keep_part(&arrival.target, arrival.upload) {
        let words = format!("the beginning of /{path} was not kept: {error}");
        session.note(Event::other(words).at(path.as_str()));
    }
}

impl Session {
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
