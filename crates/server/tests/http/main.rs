//! The whole server in front of real storage in a temporary directory: what a client sees, and what it
//! must not see.

#![allow(clippy::unwrap_used)]
mod alarm;
mod event;
mod fhir;
mod host;
mod isolation;
mod operations;
mod operator;
mod recording;
mod session;
mod tls;
mod upload;
mod work;
mod world;
