//! What the verbs do, one file for each family.

#![expect(clippy::unnecessary_wraps, reason = "all commands have the shape that the table wants")]

pub mod info;
pub mod login;
pub mod manage;
pub mod navigate;
pub mod transfer;
