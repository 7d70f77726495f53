//! `audit`: on the data itself, with or without a server beside it.

mod balance;
mod verify;

pub use balance::balance;
pub use verify::{VerifyArgs, verify};
