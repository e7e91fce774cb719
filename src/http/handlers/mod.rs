//! One file per noun: each handler reads its question, asks a room below, returns its answer.

pub mod cloud;
pub mod console;
pub mod deletion;
pub mod download;
pub mod events;
pub mod files;
pub mod folders;
pub mod ftp;
pub mod jobs;
pub mod links;
pub mod logs;
mod media;
pub mod pages;
pub mod photos;
mod resumable;
pub mod roles;
pub mod settings;
pub mod signin_code;
pub mod system;
pub mod thumb;
pub mod transfers;
pub mod trash;
pub mod upload;
pub mod uploads;
pub mod users;
