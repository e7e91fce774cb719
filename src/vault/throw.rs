//! The way into the trash: first a place in it with a durable record, then the thing itself.

use super::group::Group;
use super::hidden;
use super::hidden::TRASH;
use super::look;
use super::path::VaultPath;
use super::resolve::{Spot, there};
use super::room::Room;
use super::share::Share;
use super::spool::Spool;
use super::trash::{
    self, Bin, Incoming, Reason, Record, bytes_of, is_no_place, write_one_of_many, write_record,
};
use super::trash_id::TrashId;
use super::unfinished::{End, Unfinished};
use super::{discard, os};
use crate::error::{Error, Result, Why};
use crate::limits;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, FileType};
use rustix::io::Errno;
use std::collections::HashSet;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;

/// A place in the trash with a durable record, for a thing that has not come yet. Dropping it gives the
/// place up.
pub(super) struct Ticket {
    /// What the thing will be called.
    pub id: TrashId,
    /// The record.
    record: Unfinished,
}

impl Ticket {
    /// The trash folder.
    pub fn bin(&self) -> &Arc<OwnedFd> {
        &self.record.folder
    }

    /// The thing has come.
    pub fn fill(self) -> Binned {
        let (bin, id) = (Arc::clone(&self.record.folder), self.id);
        self.record.leave();
        Binned { bin, id }
    }
}

/// A thing in the trash. As long as its record is not settled, the sweep after a crash decides what becomes of it.
pub(super) struct Binned {
    /// The trash folder.
    pub bin: Arc<OwnedFd>,
    /// What the thing is called.
    pub id: TrashId,
}

impl Binned {
    /// It is to stay: the record gets its name for good. Durable with the next sync of the folder.
    pub fn settle(&self) -> rustix::io::Result<()> {
        rustix::fs::renameat(&*self.bin, self.id.unsettled(), &*self.bin, self.id.record())
    }

    /// It has gone back: the record goes, which may have been settled.
    pub fn give_up(&self) {
        hidden::unlink(self.bin.as_fd(), &self.id.unsettled());
        hidden::unlink(self.bin.as_fd(), &self.id.record());
    }
}

impl Share {
    /// Prepares for what is at a place to go into the trash. `None` when it cannot be kept: the trash is off,
    /// the drive is full or does not let us, or the file alone is more than the trash may be.
    ///
    /// Errors: what says nothing about the trash, such as a failing drive.
    pub(super) fn ticket(
        &self,
        spot: &Spot,
        reason: Reason,
        incoming: Option<Incoming>,
        group: Option<&Group>,
    ) -> Result<Option<Ticket>> {
        self.ticket_written(spot, (reason, incoming, group), write_record)
    }

    /// Prepares for many things to be deleted into the trash, their records made durable all together. What
    /// has no ticket afterwards, because it cannot be kept or the drive failed, is still to be asked for
    /// alone; so is each of a few, which would wait for what others write.
    pub(super) fn tickets(&self, spots: &[Spot], group: Option<&Group>) -> Vec<Option<Ticket>> {
        if spots.len() <= limits::FEW_FILES {
            return Vec::new();
        }
        self.tickets_of_many(spots, group).unwrap_or_default()
    }

    /// The work of `tickets`.
    fn tickets_of_many(
        &self,
        spots: &[Spot],
        group: Option<&Group>,
    ) -> Result<Vec<Option<Ticket>>> {
        let mut tickets = Vec::with_capacity(spots.len());
        for spot in spots {
            tickets.push(self.ticket_written(
                spot,
                (Reason::Deleted, None, group),
                write_one_of_many,
            )?);
        }
        let mut synced = HashSet::new();
        for ticket in tickets.iter().flatten() {
            if synced.insert(Arc::as_ptr(ticket.bin())) {
                look::sync_whole(&**ticket.bin()).map_err(os)?;
            }
        }
        Ok(tickets)
    }

    /// The same as `ticket`, the record written like this.
    fn ticket_written(
        &self,
        spot: &Spot,
        (reason, incoming, group): (Reason, Option<Incoming>, Option<&Group>),
        write: impl Fn(BorrowedFd<'_>, &str, &Record) -> rustix::io::Result<()>,
    ) -> Result<Option<Ticket>> {
        let keeping = &self.finder.root.keeping;
        if !keeping.is_on() {
            return Ok(None);
        }
        let Some((bin, path)) = self.bin_of(spot)? else { return Ok(None) };
        let stat = there(spot)?;
        let quota = keeping.bytes_max(Room::on(bin.folder.as_fd()).map_err(os)?);
        if look::type_of(stat) == FileType::RegularFile && bytes_of(stat) > quota {
            return Ok(None);
        }
        let (by, group) = (self.by().to_owned(), group.map(|group| group.name().to_owned()));
        let record =
            Record { path: path.as_str().to_owned(), by, reason, size: None, incoming, group };
        let mut id = TrashId::new();
        if reason == Reason::Replaced {
            // Before there is a record: whoever renames from now on finds it.
            self.finder.root.versions.note(&spot.path);
            keeping.thin_again();
        } else {
            id = id.of_deleted();
        }
        let mut written = write(bin.folder.as_fd(), &id.unsettled(), &record);
        if let Err(Errno::NOSPC | Errno::DQUOT) = written
            && trash::make_some_room(bin.folder.as_fd())
        {
            written = write(bin.folder.as_fd(), &id.unsettled(), &record);
        }
        match written {
            Ok(()) => {}
            Err(errno) if is_no_place(errno) => return Ok(None),
            Err(errno) => return Err(os(errno)),
        }
        keeping.look_again();
        let record = Unfinished::new(bin.folder, id.unsettled(), End::Removed);
        Ok(Some(Ticket { id, record }))
    }

    /// The trash for what is at a place, and the place relative to the top of its filesystem.
    fn bin_of(&self, spot: &Spot) -> Result<Option<(Bin, VaultPath)>> {
        let parent = spot.path.parent().unwrap_or_default();
        let (top, folder) = match self.finder.hidden(&parent, TRASH) {
            Ok(found) => found,
            // `NotFound`: something else than a folder is in the trash's place.
            Err(Error::DiskFull | Error::DeniedByDrive | Error::NotFound(_)) => return Ok(None),
            Err(Error::Io(cause)) if Errno::from_io_error(&cause).is_some_and(is_no_place) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        // A place so deep that nobody could name it could not be restored either.
        let path =
            spot.path.below(&top).filter(|path| path.as_str().len() <= limits::PATH_BYTES_MAX);
        Ok(path.map(|path| (Bin { folder, top }, path)))
    }

    /// Moves what is at a place into the trash by its ticket, where it is durable once the ticket is settled and the trash
    /// and the folder are synced, in that order. `None` when it cannot be kept, and then nothing was changed.
    ///
    /// Errors: `EBUSY` and `EXDEV` in the words of `failed`; `Invalid` when something of another kind has
    /// come there since.
    pub(super) fn throw_away(
        &self,
        spot: &Spot,
        ticket: Ticket,
        failed: impl Fn(Errno) -> Error,
    ) -> Result<Option<Binned>> {
        let taken = discard::moving(spot.folder.as_fd(), spot.name.as_bytes(), true, || {
            rustix::fs::renameat(&*spot.folder, &spot.name, &**ticket.bin(), ticket.id.as_str())
        });
        match taken {
            Ok(()) => {}
            // Names of one filesystem that it does not let us move: an overlay's lower layer.
            Err(Errno::XDEV) if !spot.is_folder() => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        }
        let binned = ticket.fill();
        let (bin, id) = (&*binned.bin, binned.id.as_str());
        let moved = look::look(bin, id.as_bytes()).map_err(os)?;
        let is_folder = moved.is_some_and(|stat| look::type_of(&stat) == FileType::Directory);
        if is_folder != spot.is_folder() {
            self.rename_noreplace(bin, id, &spot.folder, &spot.name).map_err(os)?;
            binned.give_up();
            return Err(if is_folder {
                Error::invalid_as(Why::NotAFile, "Path is not a file")
            } else {
                Error::invalid_as(Why::NotAFolder, "Path is not a folder")
            });
        }
        Ok(Some(binned))
    }

    /// Puts the file at a place into the trash while it stays where it is: by a second name, or as a copy
    /// where the filesystem has no second names.
    pub(super) fn put_aside(
        &self,
        spot: &Spot,
        workshop: &Arc<OwnedFd>,
        ticket: Ticket,
    ) -> Result<Binned> {
        if !self.finder.root.quirks.no_links {
            let none = AtFlags::empty();
            match rustix::fs::linkat(
                &*spot.folder,
                &spot.name,
                &**ticket.bin(),
                ticket.id.as_str(),
                none,
            ) {
                Ok(()) => return Ok(ticket.fill()),
                Err(
                    Errno::PERM
                    | Errno::OPNOTSUPP
                    | Errno::NOSYS
                    | Errno::INVAL
                    | Errno::MLINK
                    | Errno::XDEV,
                ) => {}
                Err(errno) => return Err(os(errno)),
            }
        }
        let mut copy = Spool::copy_of(&spot.folder, &spot.name, Arc::clone(workshop))?;
        copy.take_after(spot)?;
        copy.rename_to(ticket.bin(), ticket.id.as_str()).map_err(os)?;
        copy.at.leave();
        Ok(ticket.fill())
    }
}
