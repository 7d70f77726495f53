//! The use cases on the embedded storage, from the outside: what people and doors can do, in any order
//! and at once, and what must hold afterwards.

#![allow(clippy::unwrap_used)]

mod alarm;
mod audit;
mod backup;
mod failing;
mod fhir;
mod house;
mod intake;
mod key;
mod operations;
mod overview;
mod past;
mod patient;
mod session;
mod sweep;
mod view;
mod worker;
