//! A ZIP file, written as a stream: no seeking, no temporary copy, any number of files of any size.
//! Knows the format and nothing else.
//!
//! Source: PKWARE's APPNOTE.TXT 6.3.10; numbers behind names below are its sections. Content is stored,
//! not compressed: pictures and films do not shrink, and a board has better use for its processor. Since
//! checksum and size are known only behind the content, they follow it in a data descriptor (4.3.9).

use std::io::{self, Read, Write};
use std::time::SystemTime;

use jiff::Timestamp;

use crate::{limits, zone};

/// The largest size and offset that the old 32-bit fields hold; all ones means "see Zip64" (4.5.3).
const MAX_32: u64 = 0xffff_fffe;

/// The largest number of entries that the old 16-bit field holds.
const MAX_16: u64 = 0xfffe;

/// Flags (4.4.4): bit 3, a data descriptor follows; bit 11, the name is UTF-8.
const FLAGS: u16 = 1 << 3 | 1 << 11;

/// Version needed (4.4.3): 2.0 for folders, 4.5 for Zip64.
const VERSION_OLD: u16 = 20;
/// See `VERSION_OLD`.
const VERSION_ZIP64: u16 = 45;

/// Made by (4.4.2): Unix, so that the mode counts.
const MADE_BY_UNIX: u16 = 3 << 8;

/// Where the table of contents waits until the end.
pub trait Backing {
    /// Keeps more bytes behind those kept before.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Copies all that was kept.
    fn copy_to(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// Writes a ZIP.
pub struct Packer<'a, B> {
    /// Where it goes.
    out: &'a mut dyn Write,
    /// Bytes written so far.
    offset: u64,
    /// Entries so far.
    entries: u64,
    /// The newest part of the table of contents.
    directory: Vec<u8>,
    /// Bytes that `directory` may have before it goes to `backing`.
    directory_bound: usize,
    /// Bytes of the table of contents that are in `backing`.
    backed: u64,
    /// The older part.
    backing: B,
    /// For content on its way.
    buffer: Vec<u8>,
}

/// What is known of an entry before its content.
pub struct Member<'a> {
    /// `/`-separated, relative; a folder's ends in `/`.
    pub name: &'a str,
    /// When it changed last.
    pub modified: SystemTime,
    /// Bytes expected; decides whether Zip64 is needed.
    pub size: u64,
    /// The Unix mode, file type included.
    pub mode: u32,
}

/// What came of adding a file.
pub struct Added {
    /// Bytes that were added.
    pub size: u64,
    /// How they ended.
    pub end: End,
}

/// How a file's content ended.
pub enum End {
    /// With the file.
    Whole,
    /// Where the header's field was full.
    Cut,
    /// Where reading failed.
    Failed(io::Error),
}

/// What is known behind the content.
#[derive(Clone, Copy)]
struct Tail {
    /// Checksum.
    crc: u32,
    /// Bytes.
    size: u64,
    /// Where the entry begins in the ZIP.
    offset: u64,
    /// Whether its header promised Zip64 sizes.
    is_large: bool,
}

impl<'a, B: Backing> Packer<'a, B> {
    /// Writes to `out`; the table of contents goes to `backing` when it grows beyond its bound.
    pub fn new(out: &'a mut dyn Write, backing: B) -> Self {
        let (directory, buffer) = (Vec::new(), Vec::new());
        let directory_bound = limits::ZIP_DIRECTORY_BYTES_MAX;
        Self { out, offset: 0, entries: 0, directory, directory_bound, backed: 0, backing, buffer }
    }

    /// Adds a folder, which has no content.
    pub fn add_folder(&mut self, member: &Member<'_>) -> io::Result<()> {
        let tail = Tail { crc: 0, size: 0, offset: self.offset, is_large: false };
        self.write_header(member, tail.is_large)?;
        self.write_descriptor(tail)?;
        self.remember(member, tail)
    }

    /// Adds a file: as much as there is of it now. One that grew past what its header can tell is cut
    /// there, one that cannot be read to its end where that failed.
    ///
    /// Errors: writing failed; then the ZIP cannot be completed.
    pub fn add_file(&mut self, member: &Member<'_>, content: &mut impl Read) -> io::Result<Added> {
        // A file that grows while it is read gets 64 MiB of grace.
        let is_large = member.size > MAX_32 - (64 << 20);
        let offset = self.offset;
        self.write_header(member, is_large)?;
        self.buffer.resize(limits::COPY_BUFFER_BYTES, 0);
        let mut hasher = crc32fast::Hasher::new();
        let mut rest = if is_large { u64::MAX } else { MAX_32 };
        let mut end = End::Cut;
        while rest > 0 {
            let count = match content.read(&mut self.buffer) {
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    end = End::Failed(cause);
                    break;
                }
                Ok(count) => count,
            };
            if count == 0 {
                end = End::Whole;
                break;
            }
            let count = usize::try_from(rest).map_or(count, |rest| count.min(rest));
            hasher.update(&self.buffer[..count]);
            self.out.write_all(&self.buffer[..count])?;
            self.offset += count as u64;
            rest -= count as u64;
        }
        let size = if is_large { u64::MAX - rest } else { MAX_32 - rest };
        let tail = Tail { crc: hasher.finalize(), size, offset, is_large };
        self.write_descriptor(tail)?;
        self.remember(member, tail)?;
        Ok(Added { size, end })
    }

    /// Writes the table of contents and the end.
    pub fn finish(mut self) -> io::Result<()> {
        let start = self.offset;
        let length = self.backed + self.directory.len() as u64;
        self.backing.copy_to(self.out)?;
        self.out.write_all(&self.directory)?;
        let mut end = Vec::new();
        if self.entries > MAX_16 || length > MAX_32 || start > MAX_32 {
            // Zip64 end of central directory record (4.3.14) and its locator (4.3.15).
            end.extend(0x0606_4b50_u32.to_le_bytes());
            end.extend(44_u64.to_le_bytes());
            end.extend((MADE_BY_UNIX | VERSION_ZIP64).to_le_bytes());
            end.extend(VERSION_ZIP64.to_le_bytes());
            end.extend([0; 8]);
            for number in [self.entries, self.entries, length, start] {
                end.extend(number.to_le_bytes());
            }
            end.extend(0x0706_4b50_u32.to_le_bytes());
            end.extend([0; 4]);
            end.extend((start + length).to_le_bytes());
            end.extend(1_u32.to_le_bytes());
        }
        // End of central directory record (4.3.16).
        end.extend(0x0605_4b50_u32.to_le_bytes());
        end.extend([0; 4]);
        for number in [self.entries, self.entries] {
            end.extend(u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes());
        }
        for number in [length, start] {
            end.extend(short(number).to_le_bytes());
        }
        end.extend([0; 2]);
        self.out.write_all(&end)
    }

    /// Writes and counts.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Local file header (4.3.7).
    fn write_header(&mut self, member: &Member<'_>, is_large: bool) -> io::Result<()> {
        let extra = if is_large {
            // Zip64 (4.5.3): both sizes, zero since they follow the content.
            [0x0001_u16.to_le_bytes().as_slice(), &16_u16.to_le_bytes(), &[0; 16]].concat()
        } else {
            Vec::new()
        };
        let stamp = time_extra(member.modified);
        let size_field: u32 = if is_large { u32::MAX } else { 0 };
        let mut header = Vec::with_capacity(30 + member.name.len() + extra.len() + stamp.len());
        header.extend(0x0403_4b50_u32.to_le_bytes());
        header.extend((if is_large { VERSION_ZIP64 } else { VERSION_OLD }).to_le_bytes());
        header.extend(common(member));
        header.extend(0_u32.to_le_bytes());
        header.extend(size_field.to_le_bytes());
        header.extend(size_field.to_le_bytes());
        header.extend(name_length(member.name)?.to_le_bytes());
        header.extend(length_16(extra.len() + stamp.len())?.to_le_bytes());
        header.extend(member.name.as_bytes());
        header.extend(extra);
        header.extend(stamp);
        self.write(&header)
    }

    /// Data descriptor (4.3.9), with the signature that everybody writes.
    fn write_descriptor(&mut self, tail: Tail) -> io::Result<()> {
        let mut descriptor = Vec::with_capacity(24);
        descriptor.extend(0x0807_4b50_u32.to_le_bytes());
        descriptor.extend(tail.crc.to_le_bytes());
        for _compressed_and_not in 0..2 {
            if tail.is_large {
                descriptor.extend(tail.size.to_le_bytes());
            } else {
                descriptor.extend(short(tail.size).to_le_bytes());
            }
        }
        self.write(&descriptor)
    }

    /// Central directory header (4.3.12), kept for the end.
    fn remember(&mut self, member: &Member<'_>, tail: Tail) -> io::Result<()> {
        let mut zip64 = Vec::new();
        if tail.size > MAX_32 || tail.is_large {
            zip64.extend(tail.size.to_le_bytes());
            zip64.extend(tail.size.to_le_bytes());
        }
        if tail.offset > MAX_32 {
            zip64.extend(tail.offset.to_le_bytes());
        }
        let version = if zip64.is_empty() { VERSION_OLD } else { VERSION_ZIP64 };
        let size_field = if tail.is_large { u32::MAX } else { short(tail.size) };
        let stamp = time_extra(member.modified);
        let extra_length = stamp.len() + if zip64.is_empty() { 0 } else { 4 + zip64.len() };
        let directory = &mut self.directory;
        directory.extend(0x0201_4b50_u32.to_le_bytes());
        directory.extend((MADE_BY_UNIX | VERSION_ZIP64).to_le_bytes());
        directory.extend(version.to_le_bytes());
        directory.extend(common(member));
        directory.extend(tail.crc.to_le_bytes());
        directory.extend(size_field.to_le_bytes());
        directory.extend(size_field.to_le_bytes());
        directory.extend(name_length(member.name)?.to_le_bytes());
        directory.extend(length_16(extra_length)?.to_le_bytes());
        directory.extend([0; 6]);
        // The Unix mode, and DOS's own bit for a folder (4.4.15).
        let is_folder = u32::from(member.name.ends_with('/'));
        directory.extend((member.mode << 16 | is_folder << 4).to_le_bytes());
        directory.extend(short(tail.offset).to_le_bytes());
        directory.extend(member.name.as_bytes());
        if !zip64.is_empty() {
            directory.extend(0x0001_u16.to_le_bytes());
            directory.extend(length_16(zip64.len())?.to_le_bytes());
            directory.extend(zip64);
        }
        directory.extend(stamp);
        self.entries += 1;
        if self.directory.len() <= self.directory_bound {
            return Ok(());
        }
        match self.backing.append(&self.directory) {
            Ok(()) => {
                self.backed += self.directory.len() as u64;
                self.directory.clear();
                self.directory_bound = limits::ZIP_DIRECTORY_BYTES_MAX;
            }
            // A full drive is what one wants to save one's files from.
            Err(_) if self.directory_bound < limits::ZIP_DIRECTORY_BYTES_UNBACKED_MAX => {
                self.directory_bound = limits::ZIP_DIRECTORY_BYTES_UNBACKED_MAX;
            }
            Err(cause) => return Err(cause),
        }
        Ok(())
    }
}

/// Flags, method and time, which both headers share.
fn common(member: &Member<'_>) -> [u8; 8] {
    let (time, date) = dos_time(member.modified);
    let mut bytes = [0; 8];
    bytes[..2].copy_from_slice(&FLAGS.to_le_bytes());
    // Method 0: stored (4.4.5).
    bytes[4..6].copy_from_slice(&time.to_le_bytes());
    bytes[6..].copy_from_slice(&date.to_le_bytes());
    bytes
}

/// A 32-bit field: the number, or all ones for "see Zip64".
fn short(number: u64) -> u32 {
    u32::try_from(number).ok().filter(|number| u64::from(*number) <= MAX_32).unwrap_or(u32::MAX)
}

/// A name's length; a deeper path than the format can tell ends the ZIP.
fn name_length(name: &str) -> io::Result<u16> {
    length_16(name.len())
}

/// A 16-bit length.
fn length_16(length: usize) -> io::Result<u16> {
    u16::try_from(length).map_err(|_| io::ErrorKind::InvalidFilename.into())
}

/// Extended timestamp (Info-ZIP's extra field 0x5455): seconds since 1970, UTC, which the format's own
/// local time with its two-second steps cannot tell. Left out beyond 2038.
fn time_extra(modified: SystemTime) -> Vec<u8> {
    let seconds =
        modified.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let Ok(seconds) = i32::try_from(seconds) else { return Vec::new() };
    let mut extra = Vec::with_capacity(9);
    extra.extend(0x5455_u16.to_le_bytes());
    extra.extend(5_u16.to_le_bytes());
    extra.push(1);
    extra.extend(seconds.to_le_bytes());
    extra
}

/// Time and date as DOS has them (4.4.6): local time, 1980 to 2107, two-second steps.
fn dos_time(modified: SystemTime) -> (u16, u16) {
    /// 1 January 1980, 00:00.
    const FIRST: (u16, u16) = (0, 1 << 5 | 1);
    let Ok(stamp) = Timestamp::try_from(modified) else { return FIRST };
    let local = stamp.to_zoned_datetime(zone::local()).datetime();
    let part = |number: i8| u16::try_from(number).unwrap_or(0);
    let Ok(year) = u16::try_from(local.year() - 1980) else { return FIRST };
    if year > 127 {
        return FIRST;
    }
    let time =
        (part(local.hour()) << 11) | (part(local.minute()) << 5) | (part(local.second()) / 2);
    (time, (year << 9) | (part(local.month()) << 5) | part(local.day()))
}
