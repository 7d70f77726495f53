//! Rows, checkpoints and proofs as lines of JSON: the same in the witness, in an export and in a proof.
//!
//! `docs/audit-format/README.md` describes every field; a change here needs a new format number there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::{OrganizationId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_with_bytes::{b64, b64_opt, hash};

use crate::chain::{EventFields, Hash, access_hash, event_hash};
use crate::port::{Checkpoint, LogName, NewAccess, Position, RealmId, StoredAccess, StoredEvent};

/// One event with all that its hash is made of. Field order is the order in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventLine {
    pub position: Position,
    pub stream: String,
    pub version: i64,
    pub kind: String,
    pub schema: i64,
    pub actor: String,
    pub at_us: i64,
    pub cause: Option<Position>,
    pub request: String,
    /// Ciphertext.
    #[serde(with = "b64")]
    pub payload: Vec<u8>,
    #[serde(with = "hash")]
    pub resources: Hash,
    #[serde(with = "hash")]
    pub previous: Hash,
    #[serde(with = "hash")]
    pub hash: Hash,
}

impl EventLine {
    pub fn computed(&self, realm: RealmId) -> Hash {
        let fields = EventFields {
            stream: &self.stream,
            version: self.version,
            kind: &self.kind,
            schema: self.schema,
            actor: &self.actor,
            at_micros: self.at_us,
            cause: self.cause,
            request: &self.request,
            payload: &self.payload,
        };
        event_hash(realm, self.position, fields, &self.resources, &self.previous)
    }
}

impl From<StoredEvent> for EventLine {
    fn from(event: StoredEvent) -> Self {
        Self {
            position: event.position,
            stream: event.stream,
            version: event.version,
            kind: event.kind,
            schema: event.schema,
            actor: event.actor,
            at_us: event.at.micros(),
            cause: event.cause,
            request: event.request,
            payload: event.payload,
            resources: event.resources,
            previous: event.previous,
            hash: event.hash,
        }
    }
}

impl From<EventLine> for StoredEvent {
    fn from(line: EventLine) -> Self {
        Self {
            position: line.position,
            stream: line.stream,
            version: line.version,
            kind: line.kind,
            schema: line.schema,
            actor: line.actor,
            at: Timestamp(line.at_us),
            cause: line.cause,
            request: line.request,
            payload: line.payload,
            resources: line.resources,
            previous: line.previous,
            hash: line.hash,
        }
    }
}

/// One row of the access log with all that its hash is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccessLine {
    pub position: Position,
    pub at_us: i64,
    pub actor: String,
    pub roles: String,
    pub action: String,
    pub target: String,
    pub purpose: String,
    pub outcome: String,
    pub request: String,
    /// Ciphertext.
    #[serde(with = "b64_opt")]
    pub detail: Option<Vec<u8>>,
    #[serde(with = "hash")]
    pub previous: Hash,
    #[serde(with = "hash")]
    pub hash: Hash,
}

impl AccessLine {
    pub fn computed(&self, realm: RealmId) -> Hash {
        let new = NewAccess {
            at: Timestamp(self.at_us),
            actor: self.actor.clone(),
            roles: self.roles.clone(),
            action: self.action.clone(),
            target: self.target.clone(),
            purpose: self.purpose.clone(),
            outcome: self.outcome.clone(),
            // The hash is over the text as stored, which comes apart from the row.
            request: precordia_model::RequestId(uuid::Uuid::nil()),
            detail: self.detail.clone(),
        };
        access_hash(realm, self.position, &new, &self.request, &self.previous)
    }
}

impl From<StoredAccess> for AccessLine {
    fn from(row: StoredAccess) -> Self {
        Self {
            position: row.position,
            at_us: row.at.micros(),
            actor: row.actor,
            roles: row.roles,
            action: row.action,
            target: row.target,
            purpose: row.purpose,
            outcome: row.outcome,
            request: row.request,
            detail: row.detail,
            previous: row.previous,
            hash: row.hash,
        }
    }
}

impl From<AccessLine> for StoredAccess {
    fn from(line: AccessLine) -> Self {
        Self {
            position: line.position,
            at: Timestamp(line.at_us),
            actor: line.actor,
            roles: line.roles,
            action: line.action,
            target: line.target,
            purpose: line.purpose,
            outcome: line.outcome,
            request: line.request,
            detail: line.detail,
            previous: line.previous,
            hash: line.hash,
        }
    }
}

/// A signed checkpoint. `number` counts the lines of one realm's file from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckpointLine {
    pub number: u64,
    pub realm: String,
    pub log: String,
    pub position: Position,
    pub hash: String,
    pub root: String,
    pub at_us: i64,
    pub public_key: String,
    pub signature: String,
}

impl CheckpointLine {
    pub fn new(number: u64, checkpoint: &Checkpoint) -> Self {
        Self {
            number,
            realm: checkpoint.realm.to_string(),
            log: checkpoint.log.name().into(),
            position: checkpoint.position,
            hash: hex(&checkpoint.hash),
            root: hex(&checkpoint.root),
            at_us: checkpoint.at.micros(),
            public_key: hex(&checkpoint.public_key),
            signature: hex(&checkpoint.signature),
        }
    }

    /// `None` if a field does not have its form. Whether the signature holds is another question.
    pub fn checkpoint(&self) -> Option<Checkpoint> {
        Some(Checkpoint {
            realm: realm_named(&self.realm)?,
            log: log_name(&self.log)?,
            position: self.position,
            hash: Hash::try_from(unhex(&self.hash)?).ok()?,
            root: Hash::try_from(unhex(&self.root)?).ok()?,
            at: Timestamp(self.at_us),
            public_key: unhex(&self.public_key)?,
            signature: unhex(&self.signature)?,
        })
    }
}

/// That the tree of one checkpoint begins with the rows of the one before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConsistencyLine {
    pub log: String,
    /// Rows of the smaller tree.
    pub first: Position,
    /// Rows of the larger tree.
    pub size: Position,
    pub path: Vec<String>,
}

impl ConsistencyLine {
    pub fn new(log: LogName, first: Position, size: Position, path: &[Hash]) -> Self {
        Self { log: log.name().into(), first, size, path: path.iter().map(|h| hex(h)).collect() }
    }

    /// `None` if a part is not 32 bytes in hexadecimal.
    pub fn path(&self) -> Option<Vec<Hash>> {
        self.path.iter().map(|part| Hash::try_from(unhex(part)?).ok()).collect()
    }
}

/// An organization's id or `platform`, as [`RealmId`] prints it and in no other writing.
pub fn realm_named(text: &str) -> Option<RealmId> {
    let realm = match text {
        "platform" => RealmId::PLATFORM,
        _ => RealmId(Some(OrganizationId(text.parse().ok()?))),
    };
    (realm.to_string() == text).then_some(realm)
}

pub fn log_name(text: &str) -> Option<LogName> {
    [LogName::Events, LogName::Access].into_iter().find(|log| log.name() == text)
}

pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Lower-case digits alone, so that every value has one writing.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

/// How bytes are written in these lines.
mod serde_with_bytes {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Engine, Hash, STANDARD, hex, unhex};

    pub(super) mod hash {
        use super::*;

        pub fn serialize<S: Serializer>(hash: &Hash, to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&hex(hash))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Hash, D::Error> {
            let text = String::deserialize(from)?;
            let bytes = unhex(&text).and_then(|bytes| Hash::try_from(bytes).ok());
            bytes.ok_or_else(|| D::Error::custom("not 32 bytes in hexadecimal"))
        }
    }

    pub(super) mod b64 {
        use super::*;

        pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
            to.serialize_str(&STANDARD.encode(bytes))
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
            let text = String::deserialize(from)?;
            STANDARD.decode(text).map_err(|_| D::Error::custom("not base64"))
        }
    }

    pub(super) mod b64_opt {
        use super::*;

        pub fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
            match bytes {
                Some(bytes) => to.serialize_str(&STANDARD.encode(bytes)),
                None => to.serialize_none(),
            }
        }

        pub fn deserialize<'de, D: Deserializer<'de>>(
            from: D,
        ) -> Result<Option<Vec<u8>>, D::Error> {
            let text = Option::<String>::deserialize(from)?;
            let bytes = text.map(|text| STANDARD.decode(text)).transpose();
            bytes.map_err(|_| D::Error::custom("not base64"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_one_writing() {
        assert_eq!(unhex("00ff"), Some(vec![0, 255]));
        for other in ["0", "0F", "0g", "+1", " 1"] {
            assert_eq!(unhex(other), None, "{other}");
        }
        assert_eq!(realm_named("platform"), Some(RealmId::PLATFORM));
        let id = "0190c0de-0000-7000-8000-00000000000a";
        assert_eq!(realm_named(id).unwrap().to_string(), id);
        for other in ["Platform", "", &id.to_uppercase(), &id.replace('-', "")] {
            assert_eq!(realm_named(other), None, "{other}");
        }
    }
}
