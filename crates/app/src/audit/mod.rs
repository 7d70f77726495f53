//! Proof: checkpoints to a witness, verification of the chains, conservation of what was received.

mod accesses;
mod balance;
mod checkpoint;
mod export;
mod lines;
mod offline;
mod prove;
mod report;
mod rows;
mod show;
mod verify;
mod walk;

pub use balance::*;
pub use export::{ExportFile, Exported, Manifest};
pub use lines::RowLine;
pub use offline::{Export, ExportError};
pub use prove::Proof;
pub use report::*;
pub use rows::{AccessLine, CheckpointLine, ConsistencyLine, EventLine, hex, realm_named, unhex};
pub(crate) use verify::digest_of;
pub use walk::Signer;
