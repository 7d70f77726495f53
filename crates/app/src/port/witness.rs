//! Where checkpoints go, outside the data directory.

use async_trait::async_trait;
use precordia_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{LogName, Position, RealmId, StoreError};
use crate::chain::Hash;

/// A signed statement of how a log stood. Field order is the signed order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    pub realm: RealmId,
    pub log: LogName,
    /// Number of rows, which is the last position.
    pub position: Position,
    /// Hash of the last row.
    pub hash: Hash,
    /// Root of the Merkle tree over the rows' hashes (RFC 9162 section 2.1).
    pub root: Hash,
    pub at: Timestamp,
    /// Ed25519 public key (32 bytes) and signature (64 bytes).
    pub public_key: Vec<u8>,
    pub signature: Vec<u8>,
}

/// What a witness holds of one realm.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witnessed {
    /// In the witness's order, which is oldest first.
    pub checkpoints: Vec<Checkpoint>,
    /// Places in the file where a line was begun and not ended, by a crash; none was acknowledged.
    pub torn: Vec<u64>,
    /// Numbers of lines that are missing, repeated or damaged.
    pub wrong: Vec<u64>,
}

#[async_trait]
pub trait Witness: Send + Sync {
    /// Durable when it answers. A witness only ever adds.
    async fn record(&self, checkpoint: &Checkpoint) -> Result<(), StoreError>;

    /// Every realm that was ever recorded; none when there is no witness to ask.
    async fn realms(&self) -> Result<Vec<RealmId>, StoreError>;

    /// All that is known of a realm. `None` when there is no witness to ask.
    async fn witnessed(&self, realm: RealmId) -> Result<Option<Witnessed>, StoreError>;
}

/// For structured answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WitnessState {
    Present,
    Absent,
}
