//! The nouns of Precordia: ids, units, people, recordings, measurements, flags.
//!
//! Pure values. Nothing here reads a clock, a file, a socket or a source of randomness, and nothing
//! here knows how a value was encoded, stored or shown.

mod alarm;
mod beat;
mod flag;
mod holter;
mod id;
mod intake;
mod lead;
mod lead_wave;
mod measurement;
mod patient;
mod phi;
mod problem;
mod recording;
mod statement;
mod time;
mod user;

pub use alarm::*;
pub use beat::*;
pub use flag::*;
pub use holter::*;
pub use id::*;
pub use intake::*;
pub use lead::*;
pub use lead_wave::*;
pub use measurement::*;
pub use patient::*;
pub use phi::*;
pub use problem::*;
pub use recording::*;
pub use statement::*;
pub use time::*;
pub use user::*;
