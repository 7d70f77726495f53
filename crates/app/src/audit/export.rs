//! An organization's logs as files that an outsider without keys can verify.
//!
//! What is written where is fixed by `docs/audit-format/README.md`. Sealed values stay sealed; only the
//! details of accesses are opened, and only when asked.

use std::collections::BTreeMap;
use std::io;

use aws_lc_rs::digest::{Context, SHA256, digest};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use precordia_model::OrganizationId;
use serde::{Deserialize, Serialize};

use super::lines::RowLine;
use super::rows::{CheckpointLine, ConsistencyLine, hex, unhex};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::chain::{Consistency, Frontier, GENESIS, Hash};
use crate::port::{LogName, Position, RealmId, StoreError};

pub const EXPORT_FORMAT: &str = "precordia.audit.export.1";

/// The files of lines; the manifest names them with their digests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExportFile {
    Events,
    Access,
    Checkpoints,
    Proofs,
    AuditEvents,
}

impl ExportFile {
    pub const ALL: [ExportFile; 5] =
        [Self::Events, Self::Access, Self::Checkpoints, Self::Proofs, Self::AuditEvents];

    pub const fn name(self) -> &'static str {
        match self {
            ExportFile::Events => "events.ndjson",
            ExportFile::Access => "access.ndjson",
            ExportFile::Checkpoints => "checkpoints.ndjson",
            ExportFile::Proofs => "proofs.ndjson",
            ExportFile::AuditEvents => "audit-events.ndjson",
        }
    }
}

/// What an export is of. Its bytes are signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: String,
    pub realm: OrganizationId,
    pub organization: String,
    pub exported_at_us: i64,
    /// Whether sealed details of accesses were opened.
    pub with_details: bool,
    /// By the log's name.
    pub logs: BTreeMap<String, LogEnd>,
    /// SHA-256 of each file's bytes.
    pub files: BTreeMap<String, String>,
}

/// How a log ended when it was exported.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEnd {
    pub rows: Position,
    /// Hash of the last row; zeros of none.
    pub hash: String,
    pub root: String,
}

/// The content of `signature.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestSignature {
    pub public_key: String,
    pub signature: String,
}

/// The bytes that are signed. Fixed for ever.
fn signed_bytes(manifest: &[u8]) -> Vec<u8> {
    [b"precordia.export.1".as_slice(), digest(&SHA256, manifest).as_ref()].concat()
}

impl ManifestSignature {
    fn new(pair: &Ed25519KeyPair, manifest: &[u8]) -> Self {
        let signature = pair.sign(&signed_bytes(manifest));
        Self { public_key: hex(pair.public_key().as_ref()), signature: hex(signature.as_ref()) }
    }

    /// The key with which these bytes are signed, if they are.
    pub fn signer_of(&self, manifest: &[u8]) -> Option<Vec<u8>> {
        let (key, signature) = (unhex(&self.public_key)?, unhex(&self.signature)?);
        let check = UnparsedPublicKey::new(&ED25519, &key);
        check.verify(&signed_bytes(manifest), &signature).ok().map(|()| key)
    }
}

/// Takes the lines of a file, without their ends, in their order.
pub type Sink<'a> = dyn FnMut(ExportFile, &[u8]) -> io::Result<()> + Send + 'a;

/// What is written when all lines are.
pub struct Exported {
    pub manifest: Vec<u8>,
    pub signature: Vec<u8>,
    pub rows: Position,
}

struct Writer<'a, 'b> {
    sink: &'a mut Sink<'b>,
    digests: BTreeMap<ExportFile, Context>,
}

impl Writer<'_, '_> {
    fn line(&mut self, file: ExportFile, line: &impl Serialize) -> Result<(), AppError> {
        let bytes = json(line)?;
        if let Some(digest) = self.digests.get_mut(&file) {
            digest.update(&bytes);
            digest.update(b"\n");
        }
        (self.sink)(file, &bytes).map_err(|cause| {
            let message = cause.to_string();
            StoreError::Failed { context: "writing an export", message }.into()
        })
    }
}

fn json(value: &impl Serialize) -> Result<Vec<u8>, AppError> {
    serde_json::to_vec(value).map_err(|cause| AppError::Damaged(cause.to_string()))
}

impl App {
    /// Writes down in the access log that it happens, takes a last checkpoint if there is a witness, and
    /// hands out all rows up to then.
    pub async fn export(
        &self,
        slug: &str,
        with_details: bool,
        sink: &mut Sink<'_>,
    ) -> Result<Exported, AppError> {
        let organization = self.organization_named(slug).await?;
        let scope = self.system_scope(organization.id, "export");
        let action = if with_details { "access-log.export-opened" } else { "access-log.export" };
        self.write_access((&scope).into(), self.access_row(&scope, action, "-", "ok")).await?;
        let no_key = || AppError::Damaged(String::from("there is no key to sign an export with"));
        let pair = self.signing_pair().await?.ok_or_else(no_key)?;
        let realm = RealmId(Some(organization.id));
        if self.ports.witness.witnessed(realm).await?.is_some() {
            self.checkpoint_realm((&scope).into(), &pair).await?;
        }

        let digests = ExportFile::ALL.map(|file| (file, Context::new(&SHA256))).into();
        let mut writer = Writer { sink, digests };
        let witnessed = self.ports.witness.witnessed(realm).await?.unwrap_or_default();
        for (number, checkpoint) in (1..).zip(&witnessed.checkpoints) {
            writer.line(ExportFile::Checkpoints, &CheckpointLine::new(number, checkpoint))?;
        }
        let mut logs = BTreeMap::new();
        for log in [LogName::Events, LogName::Access] {
            let sizes = sizes(&witnessed.checkpoints, log);
            let end = self.export_log(&scope, log, sizes, with_details, &mut writer).await?;
            logs.insert(log.name().to_owned(), end);
        }
        let files = writer.digests.into_iter();
        let manifest = Manifest {
            format: EXPORT_FORMAT.into(),
            realm: organization.id,
            organization: organization.slug,
            exported_at_us: self.now().micros(),
            with_details,
            files: files.map(|(f, d)| (f.name().to_owned(), hex(d.finish().as_ref()))).collect(),
            logs,
        };
        let rows = manifest.logs.values().map(|end| end.rows).sum();
        let manifest = json(&manifest)?;
        let signature = json(&ManifestSignature::new(&pair, &manifest))?;
        Ok(Exported { manifest, signature, rows })
    }

    async fn export_log(
        &self,
        scope: &OrgScope,
        log: LogName,
        sizes: Vec<u64>,
        with_details: bool,
        writer: &mut Writer<'_, '_>,
    ) -> Result<LogEnd, AppError> {
        let file = match log {
            LogName::Events => ExportFile::Events,
            LogName::Access => ExportFile::Access,
        };
        // The witness was read before, so no checkpoint lies beyond.
        let head = self.ports.log.head(scope.into(), log).await?.position;
        let mut proofs = Proofs::new(log, sizes);
        let (mut hash, mut after) = (GENESIS, 0);
        while after < head {
            let lines = self.lines(scope.into(), log, after).await?;
            let Some(last) = lines.last() else { break };
            after = last.position();
            for row in lines.iter().filter(|row| row.position() <= head) {
                writer.line(file, row)?;
                hash = *row.hash();
                if let Some(proof) = proofs.push(&hash) {
                    writer.line(ExportFile::Proofs, &proof)?;
                }
                if let RowLine::Access(row) = row {
                    let event = self.audit_event(scope, row, with_details).await?;
                    writer.line(ExportFile::AuditEvents, &event)?;
                }
            }
        }
        let rows = Position::try_from(proofs.tree.len()).unwrap_or(Position::MAX);
        Ok(LogEnd { rows, hash: hex(&hash), root: hex(&proofs.tree.root()) })
    }

    async fn audit_event(
        &self,
        scope: &OrgScope,
        row: &super::rows::AccessLine,
        with_details: bool,
    ) -> Result<serde_json::Value, AppError> {
        let mut stored = crate::port::StoredAccess::from(row.clone());
        if !with_details {
            stored.detail = None;
        }
        let entry = self.open_accesses(scope, vec![stored]).await?.pop();
        let Some(entry) = entry else {
            return Err(AppError::Damaged(String::from("an access row was lost on the way")));
        };
        let detail = entry.detail.as_ref().map(|detail| detail.reveal().as_str());
        Ok(crate::fhir::audit_event_of(scope, &entry.row, detail))
    }
}

/// Where the checkpoints of a log stand, ascending and each once.
fn sizes(checkpoints: &[crate::port::Checkpoint], log: LogName) -> Vec<u64> {
    let own = checkpoints.iter().filter(|checkpoint| checkpoint.log == log);
    let mut sizes: Vec<u64> = own.filter_map(|c| u64::try_from(c.position).ok()).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Makes the proof between each checkpoint and the next while the rows go by.
struct Proofs {
    log: LogName,
    tree: Frontier,
    /// The last is the next.
    ahead: Vec<u64>,
    open: Option<(u64, Consistency)>,
}

impl Proofs {
    fn new(log: LogName, mut sizes: Vec<u64>) -> Self {
        sizes.reverse();
        Self { log, tree: Frontier::default(), ahead: sizes, open: None }
    }

    fn push(&mut self, row: &Hash) -> Option<ConsistencyLine> {
        self.tree.push(row);
        self.open.iter_mut().for_each(|(_, proof)| proof.push(row));
        let size = self.tree.len();
        self.ahead.pop_if(|next| *next == size)?;
        let next = self.ahead.last();
        let opened = next.and_then(|next| Some((size, Consistency::after(&self.tree, *next)?)));
        let (first, proof) = std::mem::replace(&mut self.open, opened)?;
        let number = |size: u64| Position::try_from(size).ok();
        Some(ConsistencyLine::new(self.log, number(first)?, number(size)?, &proof.finish()?))
    }
}
