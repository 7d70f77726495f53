//! `audit`: on the data itself, with or without a server beside it.

mod balance;
mod export;
mod show;
mod verify;

pub use balance::balance;
pub use export::{ExportArgs, ProveArgs, export, prove};
pub use show::{ShowArgs, show};
pub use verify::{VerifyArgs, print_realm, verify};
