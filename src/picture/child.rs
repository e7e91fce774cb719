//! `larder picture`: reads a picture from its standard input, writes a small one as a JPEG to its standard output.
//! What happens to it happens to nobody else: it has given up whatever it does not need before it reads a byte.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::ExitCode;

use rustix::fs::{OFlags, fcntl_getfl};

use super::head::{self, Coding};
use super::source::Source;
use super::task::Task;
use super::{decode, encode, profile, sniff};
use crate::{limits, process};

/// The exit code when there is no small picture of this one.
pub const EXIT_NONE: u8 = 2;

/// The exit code when the drive would not give what is there: another time it may.
pub const EXIT_UNREADABLE: u8 = 3;

/// Does the task that the argument says.
pub fn run(argument: &str) -> ExitCode {
    match attempt(argument) {
        Ok(()) => ExitCode::SUCCESS,
        Err(code) => ExitCode::from(code),
    }
}

/// The same.
///
/// Errors: an exit code.
fn attempt(argument: &str) -> Result<(), u8> {
    let task = Task::from_argument(argument).ok_or(EXIT_NONE)?;
    let input = take_input().map_err(|_| EXIT_UNREADABLE)?;
    process::confine(&process::Bounds {
        memory_bytes: limits::PICTURE_CHILD_MEMORY_BYTES,
        processor_time_s: limits::PICTURE_CHILD_CPU_S,
    })
    .map_err(|_| EXIT_UNREADABLE)?;
    let jpeg = make(&input, task)?;
    let mut output = io::stdout().lock();
    let written = output.write_all(&jpeg).and_then(|()| output.flush());
    written.map_err(|_| EXIT_UNREADABLE)
}

/// The small picture of a file.
///
/// Errors: an exit code.
fn make(input: &File, task: Task) -> Result<Vec<u8>, u8> {
    if is_in_one_pass(input) {
        larder_heap::keep_freed();
    }
    let has_failed = Cell::new(false);
    let source = Source::watched(input, limits::PICTURE_READ_BYTES_MAX, &has_failed);
    let canvas = decode::make(source, task, larder_heap::in_use).ok();
    let made = canvas.and_then(|canvas| encode::encode(&canvas));
    let made = made.map(|jpeg| in_its_colours(input, jpeg));
    made.ok_or(if has_failed.get() { EXIT_UNREADABLE } else { EXIT_NONE })
}

/// Whether a file is a JPEG in one pass. What that takes comes in blocks of like sizes, one after the other; of others
/// more has been given back before the next is needed.
fn is_in_one_pass(input: &File) -> bool {
    let head = head::read(&mut head_of(input)).ok().flatten();
    head.is_some_and(|head| head.frame.coding == Coding::Sequential)
}

/// The beginning of a file.
fn head_of(input: &File) -> BufReader<Source<'_>> {
    let source = Source::new(input, limits::PICTURE_HEAD_BYTES_MAX);
    BufReader::with_capacity(limits::PICTURE_HEAD_BUFFER_BYTES, source)
}

/// A small picture with what its file says of colours.
fn in_its_colours(input: &File, jpeg: Vec<u8>) -> Vec<u8> {
    let mut reader = head_of(input);
    let kind = reader.fill_buf().ok().and_then(sniff::kind_of);
    match kind.and_then(|kind| profile::read(&mut reader, kind)) {
        Some(profile) => profile::put(&jpeg, &profile),
        None => jpeg,
    }
}

/// Standard input, if it is a file that can't be written through it.
fn take_input() -> io::Result<File> {
    let input = io::stdin().as_fd().try_clone_to_owned()?;
    if !is_read_only(&input)? {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(File::from(input))
}

/// Whether an open file can only be read.
pub fn is_read_only(file: impl AsFd) -> io::Result<bool> {
    Ok(fcntl_getfl(file)?.intersection(OFlags::RWMODE) == OFlags::RDONLY)
}
