//! Verifies an export from its files alone: no database, no key. Line by line, in little memory.

use std::io::{BufRead, Read};

use aws_lc_rs::digest::{Context, SHA256};
use precordia_model::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::export::{EXPORT_FORMAT, ExportFile, LogEnd, Manifest, ManifestSignature};
use super::report::{Finding, LogReport, VerifyReport};
use super::rows::{AccessLine, CheckpointLine, ConsistencyLine, EventLine, hex, log_name};
use super::verify::report_of;
use super::walk::{Signer, Step, Versions, WITNESS_LAG_SECONDS, Walk};
use crate::chain::{Hash, consistency_holds};
use crate::port::{Checkpoint, LogName, Position, RealmId, Witnessed};

/// Longer than any line that an export has; a sealed payload is a small part of an object.
const LINE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why a directory is not an export that can be verified.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("the manifest is not one of an export of format `{EXPORT_FORMAT}`")]
    NotAnExport,
    #[error("could not read `{name}`")]
    Read {
        name: &'static str,
        #[source]
        cause: std::io::Error,
    },
}

/// The files of an export.
pub struct Export<'a> {
    pub manifest: &'a [u8],
    pub signature: &'a [u8],
    pub open: &'a dyn Fn(ExportFile) -> std::io::Result<Box<dyn BufRead>>,
}

impl Export<'_> {
    pub fn read_manifest(&self) -> Result<Manifest, ExportError> {
        let manifest: Manifest =
            serde_json::from_slice(self.manifest).map_err(|_| ExportError::NotAnExport)?;
        let known = manifest.format == EXPORT_FORMAT;
        known.then_some(manifest).ok_or(ExportError::NotAnExport)
    }

    /// Compares with `witness`, or with the checkpoints of the export itself if there is none.
    pub fn verify(
        &self,
        signer: &Signer,
        witness: Option<Witnessed>,
    ) -> Result<VerifyReport, ExportError> {
        let manifest = self.read_manifest()?;
        let realm = RealmId(Some(manifest.realm));
        let mut files_wrong = Vec::new();
        let signature: Option<ManifestSignature> = serde_json::from_slice(self.signature).ok();
        match signature.and_then(|signature| signature.signer_of(self.manifest)) {
            Some(key) if signer.public_key().is_none_or(|known| known == key) => {}
            _ => files_wrong.push(String::from("signature.json")),
        }
        let mut reader = Reader { export: self, manifest: &manifest, files_wrong };
        let own = reader.checkpoints(realm)?;
        let proofs = reader.proofs(&own.checkpoints)?;
        let witnessed = witness.unwrap_or(own);
        let described = reader.audit_events()?;
        let mut logs = Vec::new();
        for log in [LogName::Events, LogName::Access] {
            let own = witnessed.checkpoints.iter().filter(|c| c.log == log).cloned();
            let mut walk = Walk::new(log, own, signer, WITNESS_LAG_SECONDS);
            proofs.iter().filter(|(of, _)| *of == log).for_each(|(_, position)| {
                walk.find(Finding::ProofFails { position: *position });
            });
            logs.push(reader.log(realm, log, walk)?);
        }
        if logs.last().is_none_or(|access| access.rows != described) {
            reader.wrong(ExportFile::AuditEvents);
        }
        let files_wrong = reader.files_wrong;
        let mut report = report_of(realm.to_string(), logs, Some(witnessed), signer);
        report.files_wrong = files_wrong;
        Ok(report)
    }
}

struct Reader<'a> {
    export: &'a Export<'a>,
    manifest: &'a Manifest,
    files_wrong: Vec<String>,
}

impl Reader<'_> {
    fn wrong(&mut self, file: ExportFile) {
        let name = file.name();
        if !self.files_wrong.iter().any(|known| known == name) {
            self.files_wrong.push(name.into());
        }
    }

    /// Reads a file to its end or its first line that is none, and compares its digest.
    fn lines<T: DeserializeOwned>(
        &mut self,
        file: ExportFile,
        mut take: impl FnMut(T) -> bool,
    ) -> Result<(), ExportError> {
        let failed = |cause| ExportError::Read { name: file.name(), cause };
        let mut from = (self.export.open)(file).map_err(failed)?;
        let mut digest = Context::new(&SHA256);
        let mut bytes = Vec::new();
        let mut readable = true;
        loop {
            bytes.clear();
            let read = from.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes);
            if read.map_err(failed)? == 0 {
                break;
            }
            digest.update(&bytes);
            if readable {
                let line = bytes.strip_suffix(b"\n").and_then(|l| serde_json::from_slice(l).ok());
                readable = line.is_some_and(&mut take);
            }
        }
        let expected = self.manifest.files.get(file.name());
        if !readable || expected.is_none_or(|known| *known != hex(digest.finish().as_ref())) {
            self.wrong(file);
        }
        Ok(())
    }

    fn checkpoints(&mut self, realm: RealmId) -> Result<Witnessed, ExportError> {
        let mut witnessed = Witnessed::default();
        let checkpoints = &mut witnessed.checkpoints;
        self.lines(ExportFile::Checkpoints, |line: CheckpointLine| {
            let checkpoint = line.checkpoint().filter(|checkpoint| checkpoint.realm == realm);
            let numbered = line.number == checkpoints.len() as u64 + 1;
            let good = checkpoint.is_some() && numbered;
            checkpoints.extend(checkpoint);
            good
        })?;
        Ok(witnessed)
    }

    /// The checkpoints for which there is no proof that holds. Each needs one from the checkpoint before it.
    fn proofs(&mut self, all: &[Checkpoint]) -> Result<Vec<(LogName, Position)>, ExportError> {
        let mut proven = Vec::new();
        let root = |log: LogName, at: Position| {
            all.iter().find(|c| c.log == log && c.position == at).map(|c| c.root)
        };
        self.lines(ExportFile::Proofs, |line: ConsistencyLine| {
            let holds = (|| {
                let log = log_name(&line.log)?;
                let (first, last) = (root(log, line.first)?, root(log, line.size)?);
                let sizes = (u64::try_from(line.first).ok()?, u64::try_from(line.size).ok()?);
                consistency_holds(sizes.0, &first, sizes.1, &last, &line.path()?)
                    .then_some((log, line.first, line.size))
            })();
            proven.extend(holds);
            true
        })?;
        let mut unproven = Vec::new();
        for log in [LogName::Events, LogName::Access] {
            let own = all.iter().filter(|c| c.log == log);
            let mut sizes: Vec<Position> = own.map(|c| c.position).collect();
            sizes.sort_unstable();
            sizes.dedup();
            let pairs = sizes.windows(2).map(|pair| (log, pair[0], pair[1]));
            let missing = pairs.filter(|pair| !proven.contains(pair));
            unproven.extend(missing.map(|(log, _, size)| (log, size)));
        }
        Ok(unproven)
    }

    /// How many audit events there are, if they are those of the rows 1, 2, 3 … in their order.
    fn audit_events(&mut self) -> Result<Position, ExportError> {
        #[derive(Deserialize)]
        struct AuditEvent {
            id: String,
        }
        let mut count = 0;
        self.lines(ExportFile::AuditEvents, |event: AuditEvent| {
            count += 1;
            event.id == format!("access-{count}")
        })?;
        Ok(count)
    }

    fn log(
        &mut self,
        realm: RealmId,
        log: LogName,
        mut walk: Walk,
    ) -> Result<LogReport, ExportError> {
        match log {
            LogName::Events => {
                let mut versions = Versions::new();
                self.lines(ExportFile::Events, |line: EventLine| {
                    step(
                        &mut walk,
                        line.position,
                        &line.previous,
                        &line.hash,
                        &line.computed(realm),
                        line.at_us,
                    );
                    if !versions.follows(&line.stream, line.version) {
                        let (position, stream) = (line.position, line.stream);
                        walk.find(Finding::VersionOutOfOrder { position, stream });
                    }
                    true
                })?;
            }
            LogName::Access => self.lines(ExportFile::Access, |line: AccessLine| {
                step(
                    &mut walk,
                    line.position,
                    &line.previous,
                    &line.hash,
                    &line.computed(realm),
                    line.at_us,
                );
                true
            })?,
        }
        let none = LogEnd { rows: 0, hash: String::new(), root: String::new() };
        let end = self.manifest.logs.get(log.name()).unwrap_or(&none);
        if walk.position < end.rows {
            walk.find(Finding::CutOff { position: walk.position + 1, head: end.rows });
        } else if hex(&walk.previous) != end.hash || hex(&walk.frontier.root()) != end.root {
            walk.find(Finding::HeadChanged { position: walk.position });
        }
        Ok(walk.finish())
    }
}

fn step(
    walk: &mut Walk,
    position: Position,
    previous: &Hash,
    hash: &Hash,
    computed: &Hash,
    at_us: i64,
) {
    walk.row(&Step { position, previous, hash, computed, at: Timestamp(at_us) });
}
