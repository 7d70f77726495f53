//! Proof: checkpoints to a witness, verification of the chains, conservation of what was received.

mod accesses;
mod balance;
mod checkpoint;
mod verify;

pub use balance::*;
pub use verify::*;
