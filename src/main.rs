//! Reads the command line, runs it, turns its outcome into an exit code; nothing else.
// `json!` takes a step for each word of the longest object: all settings with their defaults.
#![recursion_limit = "256"]

mod app;
mod auth;
mod backup;
mod budget;
mod check;
mod cli;
mod clock;
mod cloud;
mod console;
mod dav;
mod discovery;
mod door;
mod error;
mod events;
mod fetch;
mod ftp;
mod http;
mod jobs;
mod limits;
mod links;
mod logbook;
mod metrics;
mod notify;
mod offline;
mod people;
mod permits;
mod picture;
mod presence;
mod process;
mod qr;
mod renew;
mod samba;
mod searches;
mod secrets;
mod serve;
mod service;
mod sessions;
mod settings;
mod store;
mod system;
mod terminal;
mod threads;
mod thumbs;
mod tickets;
mod tls;
mod trust;
mod update;
mod vault;
mod welcome;
mod words;
mod zone;

use std::process::ExitCode;

fn main() -> ExitCode {
    larder_heap::keep_small();
    process::keep_to_itself();
    cli::run()
}
