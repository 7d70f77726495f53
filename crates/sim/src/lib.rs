//! The seeded rig: the product on a disk that forgets, with everything that may go wrong thrown by dice.
//!
//! The real use cases, rules and storage run on SQLite over a simulated disk. A seed decides the work,
//! the faults and the ends; the same seed gives the same run. Nothing of this ships. `docs/safety/rigs.md`
//! says what is simulated and what is not.

#![allow(clippy::print_stderr)] // A run that is asked to tells its steps.

mod actor;
mod check;
mod content;
mod dice;
mod disk;
mod files;
mod log;
mod plant;
mod run;
mod shm;
mod stage;
mod vfs;
mod world;

pub use plant::Plant;
pub use run::{Failure, Order, Report, STEPS, run};
