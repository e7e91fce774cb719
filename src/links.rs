//! Links, by which people without an account see one file or folder, or bring files into one. A link can never do
//! more than its maker may at that moment (`links/standing`), and its address is a secret that the database does
//! not hold (`links/keys`). Where larder moves what it leads to, it goes along (`links/follow`). Knows no requests.

mod follow;
mod keys;
mod standing;

pub use keys::Guest;
pub use standing::{DOWNLOAD, Standing, State, Terms, UPLOAD};

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::auth::key;
use crate::auth::throttle::LossThrottle;
use crate::clock::now;
use crate::error::{Error, Result};
pub use crate::store::Edit;
pub use crate::store::{LinkChange as Wanted, LinkOwner as Owner};
use crate::store::{LinkRow, LinkStore, Made, NewLink, UserStore};
use crate::vault::VaultPath;
use keys::{Bound, Keys};

/// What is said of a link that nobody has made, or may know of.
const NOT_FOUND: Error = Error::NotFound("Link not found");

/// What is said of one that was good once.
pub const NO_LONGER: Error = Error::Gone("Link is no longer available");

/// All links.
pub struct Links {
    /// Their rows.
    store: Arc<LinkStore>,
    /// Their makers.
    users: Arc<UserStore>,
    /// Makes their tokens, and seals their guests' cookies.
    keys: Keys,
    /// How much guests begin to bring and lose again.
    pub losses: LossThrottle,
}

/// One of them: its row, and where that leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is stored of it.
    row: Arc<LinkRow>,
    /// What it opens: the row's path, looked through.
    pub path: VaultPath,
}

impl std::ops::Deref for Link {
    type Target = LinkRow;

    fn deref(&self) -> &LinkRow {
        &self.row
    }
}

impl Links {
    /// The links in this database, with tokens that are made with this secret.
    pub fn new(store: LinkStore, users: Arc<UserStore>, secret: &[u8]) -> Self {
        let losses = LossThrottle::default();
        Self { store: Arc::new(store), users, keys: Keys::new(secret), losses }
    }

    /// The link with this token: one look, from memory or by an index, however many are guessed.
    ///
    /// Errors: `NotFound`.
    pub fn find(&self, token: &str) -> Result<Link> {
        let hash = keys::token_hash(token).ok_or(NOT_FOUND)?;
        let row = self.store.by_token_hash(&hash)?.ok_or(NOT_FOUND)?;
        if !keys::has_hash(token, &row.token_hash) {
            return Err(NOT_FOUND);
        }
        Link::read(row)
    }

    /// The link with this number.
    ///
    /// Errors: `NotFound`.
    pub fn by_id(&self, id: i64) -> Result<Link> {
        Link::read(self.store.by_id(id)?.ok_or(NOT_FOUND)?.into())
    }

    /// Somebody's links, or with `None` everybody's, in the order in which they were made, at most so many of
    /// those after `last`; and the last of them, if there may be more. One whose row is damaged is passed over.
    pub fn after(
        &self,
        whose: Option<Owner>,
        last: Option<Made>,
        count: usize,
    ) -> Result<(Vec<Link>, Option<Made>)> {
        let rows = self.store.after(whose, last.unwrap_or(Made::MIN), count)?;
        let last = rows.last().filter(|_| rows.len() >= count).map(LinkRow::made);
        let links = rows.into_iter().filter_map(|row| Link::read(row.into()).ok());
        Ok((links.collect(), last))
    }

    /// How many have neither ended nor been used up by now.
    pub fn count_open(&self, now: i64) -> Result<i64> {
        self.store.count_open(now)
    }

    /// Makes a link; it is on the disk when this returns, and its rights are the caller's to judge.
    ///
    /// Errors: `Conflict` when the user has too many.
    pub fn create(
        &self,
        owner: Owner,
        path: &VaultPath,
        is_folder: bool,
        wanted: &Wanted<'_>,
    ) -> Result<Link> {
        let id = key::new_id()?;
        let (nonce, token_hash) = self.new_token(id)?;
        self.store.insert(&NewLink {
            id,
            owner,
            token_hash: &token_hash,
            nonce: &nonce,
            path: path.as_str(),
            is_folder,
            created_ms: Timestamp::now().as_millisecond(),
            change: *wanted,
        })?;
        self.by_id(id)
    }

    /// Changes a link, with `renew` its token too; it is on the disk when this returns.
    ///
    /// Errors: `NotFound`; those of `judge`, which sees the link as it would be, and then nothing changes.
    pub fn edit(
        &self,
        id: i64,
        wanted: &Wanted<'_>,
        renew: bool,
        judge: impl FnOnce(&Link) -> Result<()>,
    ) -> Result<()> {
        let token = if renew { Some(self.new_token(id)?) } else { None };
        let token = token.as_ref().map(|(nonce, hash)| (nonce.as_str(), hash.as_str()));
        self.store.change(id, &Wanted { token, ..*wanted }, |row| judge(&Link::read(row.into())?))
    }

    /// Ends a link; that is on the disk when this returns.
    ///
    /// Errors: `NotFound`.
    pub fn delete(&self, id: i64) -> Result<()> {
        self.store.delete(id)
    }

    /// A link's token, for its maker's eyes; `None` where `secret.key` is another than when it was made.
    pub fn token(&self, link: &Link) -> Option<String> {
        let nonce = keys::from_hex::<16>(&link.nonce)?;
        let token = self.keys.token(link.id, &nonce);
        keys::has_hash(&token, &link.token_hash).then_some(token)
    }

    /// Counts a download of `what` (a path, or the whole of a selection) by a guest (their id, else their
    /// address), once within 24 hours. It must not be called where nobody may wait for a disk.
    ///
    /// Errors: `Gone` when the link is used up for who has not begun yet.
    pub fn begin_download(&self, link_id: i64, guest: &str, what: &str) -> Result<()> {
        if self.store.begin_download(link_id, &digest(guest, what), now())? {
            return Ok(());
        }
        Err(NO_LONGER)
    }

    /// Whether that guest has begun that download within 24 hours.
    pub fn has_begun(&self, link_id: i64, guest: &str, what: &str) -> Result<bool> {
        self.store.has_begun(link_id, &digest(guest, what), now())
    }

    /// Counts one file of so many bytes before they come. What does not come is to be taken back.
    ///
    /// Errors: `LimitReached`; `NotFound` when the link is no more.
    pub fn begin_upload(&self, link_id: i64, bytes: u64) -> Result<()> {
        let bytes = i64::try_from(bytes).map_err(|_| Error::LimitReached)?;
        if self.store.begin_upload(link_id, bytes, 1)? { Ok(()) } else { Err(Error::LimitReached) }
    }

    /// Takes back so many bytes and files that were counted and never arrived.
    pub fn take_back_upload(&self, link_id: i64, bytes: u64, files: u32) -> Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.store.take_back_upload(link_id, bytes, files.into())
    }

    /// Takes back once what was counted of one upload that goes as nobody went on with it, however often that is said.
    pub fn return_upload(&self, link_id: i64, upload: &str, bytes: u64) -> Result<()> {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.store.return_upload(link_id, upload, bytes)
    }

    /// Such an upload has gone: nobody says it again.
    pub fn upload_was_returned(&self, upload: &str) -> Result<()> {
        self.store.upload_was_returned(upload)
    }

    /// Remembers that a guest (their id, else their address) used a link; says whether for the first time on this
    /// day. Mostly it is known already, which writes nothing.
    pub fn seen(&self, link_id: i64, guest: &str) -> Result<bool> {
        self.store.seen(link_id, &digest(guest, ""), now())
    }

    /// Writes down how links were used, when it is time to, or `at_once`.
    pub fn write_uses(&self, at_once: bool) -> Result<()> {
        self.store.write_uses(now(), at_once)
    }

    /// A guest as the value of a cookie that is good for this link, its password and 12 hours from when they came.
    pub fn seal(&self, link: &Link, guest: &Guest) -> String {
        self.keys.seal(link.bound(), guest)
    }

    /// The guest of such a cookie.
    pub fn unseal(&self, link: &Link, cookie: &str) -> Option<Guest> {
        self.keys.unseal(link.bound(), cookie, now())
    }

    /// A new nonce and the hash of the token that it makes.
    fn new_token(&self, id: i64) -> Result<(String, String)> {
        let nonce = key::random_bytes::<16>()?;
        Ok((key::hex(&nonce), key::hash(&self.keys.token(id, &nonce))))
    }
}

impl Link {
    /// One row. A path that nobody could have stored opens nothing.
    fn read(row: Arc<LinkRow>) -> Result<Self> {
        let path = VaultPath::parse(&row.path).map_err(|_| NOT_FOUND)?;
        Ok(Self { row, path })
    }

    /// What its guests' cookies are bound to.
    fn bound(&self) -> Bound {
        Bound { link_id: self.id, epoch: self.epoch }
    }
}

/// Whom and what, told in 32 bytes; the length keeps the two apart.
fn digest(guest: &str, what: &str) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update((guest.len() as u64).to_be_bytes());
    digest.update(guest);
    digest.update(what);
    digest.finalize().into()
}

#[cfg(test)]
mod tests;
