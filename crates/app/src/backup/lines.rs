//! What stands in the files: rows as lines of JSON, the same as in an export of the audit.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::{KeyId, Timestamp, TokenId, UserId};
use serde::{Deserialize, Serialize};

use crate::app::AppError;
use crate::audit::{AccessLine, EventLine};
use crate::port::{ApiTokenRow, KeyKind, KeyRow, KeyState, StoredResource, WrappedKey};

/// One line of a file of rows. A resource version follows the event that it was written with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Line {
    Event(Box<EventLine>),
    Resource(ResourceLine),
    Access(Box<AccessLine>),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceLine {
    position: i64,
    ordinal: i64,
    kind: String,
    id: String,
    version: i64,
    at_us: i64,
    deleted: bool,
    /// Ciphertext, base64.
    body: String,
}

impl From<StoredResource> for ResourceLine {
    fn from(row: StoredResource) -> Self {
        Self {
            position: row.position,
            ordinal: row.ordinal,
            kind: row.kind,
            id: row.id,
            version: row.version,
            at_us: row.at.micros(),
            deleted: row.deleted,
            body: STANDARD.encode(row.body),
        }
    }
}

impl ResourceLine {
    pub(super) fn row(self) -> Result<StoredResource, AppError> {
        Ok(StoredResource {
            position: self.position,
            ordinal: self.ordinal,
            kind: self.kind,
            id: self.id,
            version: self.version,
            at: Timestamp(self.at_us),
            deleted: self.deleted,
            body: bytes(&self.body)?,
        })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyLine {
    id: KeyId,
    kind: String,
    subject: String,
    wrapped_by: KeyId,
    wrapped: String,
    retired: bool,
    destroyed_at_us: Option<i64>,
    created_at_us: i64,
    uses: i64,
}

impl From<KeyRow> for KeyLine {
    fn from(KeyRow { key, uses }: KeyRow) -> Self {
        Self {
            id: key.id,
            kind: key.kind.name().to_owned(),
            subject: key.subject,
            wrapped_by: key.wrapped_by,
            wrapped: STANDARD.encode(key.wrapped),
            retired: key.state == KeyState::Retired,
            destroyed_at_us: match key.state {
                KeyState::Destroyed { at } => Some(at.micros()),
                KeyState::Active | KeyState::Retired => None,
            },
            created_at_us: key.created_at.micros(),
            uses,
        }
    }
}

impl KeyLine {
    pub(super) fn row(self) -> Result<KeyRow, AppError> {
        let unknown = || AppError::Damaged(format!("key kind `{}` of a backup", self.kind));
        let key = WrappedKey {
            id: self.id,
            kind: KeyKind::parse(&self.kind).ok_or_else(unknown)?,
            subject: self.subject,
            wrapped_by: self.wrapped_by,
            wrapped: bytes(&self.wrapped)?,
            state: match (self.destroyed_at_us, self.retired) {
                (Some(at), _) => KeyState::Destroyed { at: Timestamp(at) },
                (None, true) => KeyState::Retired,
                (None, false) => KeyState::Active,
            },
            created_at: Timestamp(self.created_at_us),
        };
        Ok(KeyRow { key, uses: self.uses })
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TokenLine {
    id: TokenId,
    user: UserId,
    label: String,
    secret_hash: String,
    roles: String,
    created_at_us: i64,
    expires_at_us: Option<i64>,
    revoked_at_us: Option<i64>,
}

impl From<ApiTokenRow> for TokenLine {
    fn from(row: ApiTokenRow) -> Self {
        Self {
            id: row.id,
            user: row.user,
            label: row.label,
            secret_hash: STANDARD.encode(row.secret_hash),
            roles: row.roles,
            created_at_us: row.created_at.micros(),
            expires_at_us: row.expires_at.map(Timestamp::micros),
            revoked_at_us: row.revoked_at.map(Timestamp::micros),
        }
    }
}

impl TokenLine {
    pub(super) fn row(self) -> Result<ApiTokenRow, AppError> {
        Ok(ApiTokenRow {
            id: self.id,
            user: self.user,
            label: self.label,
            secret_hash: bytes(&self.secret_hash)?,
            roles: self.roles,
            created_at: Timestamp(self.created_at_us),
            expires_at: self.expires_at_us.map(Timestamp),
            revoked_at: self.revoked_at_us.map(Timestamp),
        })
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, AppError> {
    STANDARD.decode(text).map_err(|_| AppError::Damaged("base64 of a backup".into()))
}

pub(super) fn put(lines: &mut Vec<u8>, line: &impl Serialize) -> Result<(), AppError> {
    serde_json::to_writer(&mut *lines, line)
        .map_err(|_| AppError::Damaged("a row does not encode".into()))?;
    lines.push(b'\n');
    Ok(())
}

pub(super) fn each<'a, T: Deserialize<'a>>(
    text: &'a [u8],
    name: &'a str,
) -> impl Iterator<Item = Result<T, AppError>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines.enumerate().map(move |(n, line)| {
        serde_json::from_slice(line).map_err(|_| {
            AppError::Damaged(format!("line {} of `{name}` in the backup does not decode", n + 1))
        })
    })
}
