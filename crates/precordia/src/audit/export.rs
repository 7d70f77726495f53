//! `audit export` and `audit prove`: what an outsider is handed, and how an export is read back.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use precordia_app::audit::{Export, ExportFile, Signer, Verification};
use precordia_app::port::{LogName, RealmId, Witness};
use precordia_app::{App, AppError};

use super::verify::{TAMPERED, UNPROVEN};
use crate::output::{data, words};

pub const MANIFEST: &str = "manifest.json";
const SIGNATURE: &str = "signature.json";

#[derive(Args)]
pub struct ExportArgs {
    /// Short name of the organization.
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    /// A directory that does not exist yet, or is empty.
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Open what was sealed with an access, such as the reason of a break-glass access.
    #[arg(long)]
    pub with_details: bool,
}

pub async fn export(app: &App, args: ExportArgs) -> Result<ExitCode> {
    let dir = &args.out;
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| format!("could not make `{}`", dir.display()))?;
    if std::fs::read_dir(dir)?.next().is_some() {
        bail!("`{}` is not empty; an export takes a directory of its own", dir.display());
    }
    let mut files = BTreeMap::new();
    for file in ExportFile::ALL {
        files.insert(file, BufWriter::new(create(dir, file.name())?));
    }
    let mut sink = |file: ExportFile, line: &[u8]| match files.get_mut(&file) {
        Some(to) => to.write_all(line).and_then(|()| to.write_all(b"\n")),
        None => Ok(()),
    };
    let exported = app.export(&args.organization, args.with_details, &mut sink).await?;
    for (file, writer) in files {
        let done = writer.into_inner().map_err(|e| e.into_error()).and_then(|f| f.sync_all());
        done.with_context(|| format!("could not write `{}`", file.name()))?;
    }
    for (name, bytes) in [(MANIFEST, &exported.manifest), (SIGNATURE, &exported.signature)] {
        let mut file = create(dir, name)?;
        file.write_all(bytes)
            .and_then(|()| file.sync_all())
            .with_context(|| format!("could not write `{name}`"))?;
    }
    words(&format!("{} rows exported to `{}`", exported.rows, dir.display()));
    if let Signer::Key(key) = app.signer().await? {
        data(&format!("public-key {}", precordia_app::audit::hex(&key)));
    }
    Ok(ExitCode::SUCCESS)
}

fn create(dir: &Path, name: &str) -> Result<File> {
    let path = dir.join(name);
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("could not create `{}`", path.display()))
}

/// Reads an export back; `witness` is a witness directory of one's own.
pub async fn verify_export(
    dir: &Path,
    witness: Option<&Path>,
    signer: &Signer,
) -> Result<Verification> {
    let read = |name: &str| {
        let path = dir.join(name);
        std::fs::read(&path).with_context(|| format!("could not read `{}`", path.display()))
    };
    let (manifest, signature) = (read(MANIFEST)?, read(SIGNATURE)?);
    let open = |file: ExportFile| -> std::io::Result<Box<dyn BufRead>> {
        Ok(Box::new(BufReader::new(File::open(dir.join(file.name()))?)))
    };
    let export = Export { manifest: &manifest, signature: &signature, open: &open };
    let witnessed = match witness {
        Some(dir) => {
            let realm = RealmId(Some(export.read_manifest()?.realm));
            let witness: std::sync::Arc<dyn Witness> = precordia_store::witness_of(dir);
            Some(witness.witnessed(realm).await?.unwrap_or_default())
        }
        None => None,
    };
    let report = export.verify(signer, witnessed)?;
    Ok(Verification::new(vec![report], signer.public_key()))
}

#[derive(Clone, Copy, ValueEnum)]
pub enum LogArg {
    Events,
    Access,
}

#[derive(Args)]
pub struct ProveArgs {
    /// Short name of the organization.
    #[arg(long, value_name = "SLUG")]
    pub organization: String,
    #[arg(long, value_enum)]
    pub log: LogArg,
    /// Place of the row in its log, from 1.
    #[arg(long, value_name = "N")]
    pub position: i64,
    /// Position of the checkpoint to prove it against; without it the first that saw the row.
    #[arg(long, value_name = "N")]
    pub checkpoint: Option<i64>,
    /// Print the whole proof, for others to verify; docs/audit-format describes it.
    #[arg(long)]
    pub json: bool,
}

/// Exit 0: proven; 3: no checkpoint saw the row; 4: the log is not what the checkpoint saw.
pub async fn prove(app: &App, args: ProveArgs) -> Result<ExitCode> {
    let log = match args.log {
        LogArg::Events => LogName::Events,
        LogArg::Access => LogName::Access,
    };
    let proof = match app.prove_of(&args.organization, log, args.position, args.checkpoint).await {
        Ok(proof) => proof,
        Err(cause @ AppError::NotFound("checkpoint that saw this row")) => {
            words(&format!("not proven: {cause}"));
            return Ok(ExitCode::from(UNPROVEN));
        }
        Err(AppError::Damaged(what)) => {
            words(&format!("TAMPERED: {what}"));
            return Ok(ExitCode::from(TAMPERED));
        }
        Err(other) => return Err(other.into()),
    };
    if args.json {
        data(&serde_json::to_string_pretty(&proof)?);
        return Ok(ExitCode::SUCCESS);
    }
    data(&format!("realm {}, log {}, position {}", proof.realm, proof.log, proof.row.position()));
    data(&format!("row hash {}", precordia_app::audit::hex(proof.row.hash())));
    for (what, line, path) in [
        ("is in the checkpoint", &proof.checkpoint, &proof.inclusion),
        ("which the newest checkpoint continues", &proof.newest, &proof.consistency),
    ] {
        let at = precordia_model::Timestamp(line.at_us).to_rfc3339();
        data(&format!("{what} at position {}, signed {at}, root {}", line.position, line.root));
        path.iter().for_each(|part| data(&format!("  {part}")));
    }
    Ok(ExitCode::SUCCESS)
}
