//! One file per noun: each handler reads its question, asks a room below, returns its answer.

pub mod cloud;
pub mod download;
pub mod events;
pub mod files;
pub mod folders;
pub mod ftp;
mod media;
pub mod pages;
pub mod roles;
pub mod system;
pub mod upload;
pub mod users;
