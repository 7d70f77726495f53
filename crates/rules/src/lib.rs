//! State and command in, events or a refusal out.
//!
//! No clock, no store, no network, no `await`: everything that a decision needs is an argument.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod event;
pub mod intake;
pub mod password;
pub mod patient;
pub mod recording;
