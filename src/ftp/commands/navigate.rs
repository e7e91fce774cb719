//! Where one is: RFC 959, 4.1.1 and 4.1.3.

use crate::ftp::reply::{Answer, Reply};
use crate::ftp::session::Session;
use crate::vault::{Kind, VaultPath};

/// `CWD`.
pub fn enter(session: &mut Session, argument: &str) -> Answer {
    if argument.is_empty() {
        return Err(Reply::new(501, "CWD takes a folder"));
    }
    let folder = session.below_home(argument)?;
    go(session, folder)
}

/// `CDUP`.
pub fn leave(session: &mut Session, _argument: &str) -> Answer {
    let folder = session.folder.parent().unwrap_or_default();
    go(session, folder)
}

/// Goes to a folder below the home folder, if it is one.
fn go(session: &mut Session, folder: VaultPath) -> Answer {
    let entry = session.share()?.look(&session.in_share(&folder)?)?;
    if entry.kind != Kind::Folder {
        return Err(Reply::new(550, "Path is not a folder"));
    }
    session.folder = folder;
    Ok(Reply::new(250, format!("Now in {}", quoted(&session.folder))))
}

/// `PWD`.
pub fn tell(session: &mut Session, _argument: &str) -> Answer {
    Ok(Reply::new(257, format!("{} is the current folder", quoted(&session.folder))))
}

/// A path in quotes, as 257 wants it: those in it doubled (RFC 959, appendix II).
pub fn quoted(path: &VaultPath) -> String {
    format!("\"/{}\"", path.as_str().replace('"', "\"\""))
}
