//! Use cases, the roles' loops, and the ports that they need.
//!
//! A use case fetches through ports, asks `rules`, seals, and appends. It knows no table, no status code
//! and no socket.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
pub mod chain;
pub mod port;
