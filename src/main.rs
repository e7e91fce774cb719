//! Reads the command line, runs it, turns its outcome into an exit code; nothing else.

mod app;
mod auth;
mod backup;
mod check;
mod cli;
mod cloud;
mod error;
mod events;
mod fetch;
mod ftp;
mod http;
mod limits;
mod logbook;
mod offline;
mod people;
mod renew;
mod service;
mod settings;
mod store;
mod terminal;
mod threads;
mod update;
mod vault;

use std::process::ExitCode;

fn main() -> ExitCode {
    larder_heap::keep_small();
    cli::run()
}
