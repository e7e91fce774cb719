//! Black-box tests: the real larder in an empty folder, asked by real clients.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

mod harness;

mod account_rights;
mod backup;
mod check;
mod cloud;
mod compression;
mod confinement;
mod console;
mod crash;
mod deleting;
mod denied;
mod download;
mod drive;
mod events;
mod files;
mod folders;
mod ftp;
mod ftp_clients;
mod ftp_hostile;
mod ftp_parts;
mod ftp_truth;
mod guessing;
mod http;
mod jobs;
mod listing;
mod logs;
mod move_copy;
mod openapi;
mod pages;
mod permissions;
mod roles;
mod service;
mod settings;
mod signing_in;
mod silence;
mod start;
mod system;
mod table;
mod tickets;
mod tidy;
mod trash;
mod update;
mod upload;
mod users;
