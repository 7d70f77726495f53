//! Files to a recording.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use precordia_formats::{MAX_INPUT_BYTES, Part, companions};
use precordia_model::{Recording, Refusal};

/// The exit code of a file that was refused.
const REFUSED: u8 = 2;

/// More files than any record is spread over.
pub(super) const PARTS_MAX: usize = 10_000;

/// A recording, or the exit code of a refusal that was told.
pub enum Loaded {
    Recording(Box<Recording>),
    Refused(ExitCode),
}

/// Reads a recording from its files; no more of them is held than a reader would take.
pub fn load(files: &[PathBuf]) -> anyhow::Result<Loaded> {
    let mut held: Vec<(String, Vec<u8>)> = Vec::new();
    for path in files {
        held.push((file_name(path), bytes(path)?));
    }
    let folder = files[0].parent().map(Path::to_owned).unwrap_or_default();
    let mut looked_at = 0;
    // Segments of a record name signal files in their turn.
    while looked_at < held.len() && held.len() < PARTS_MAX {
        let (name, content) = &held[looked_at];
        let named = companions(&Part { name, bytes: content });
        looked_at += 1;
        for name in named {
            if held.iter().any(|(known, _)| *known == name) {
                continue;
            }
            // One that is missing is for the reader to refuse, which knows what it is for.
            if let Ok(content) = bytes(&folder.join(&name)) {
                held.push((name, content));
            }
        }
    }
    let parts: Vec<Part> = held.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    match precordia_interop::ecg::read(&parts) {
        Ok(recording) => Ok(Loaded::Recording(Box::new(recording))),
        Err(refusal) => Ok(Loaded::Refused(say_refused(&files[0], &refusal)?)),
    }
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    let attempt = || format!("could not read recording file `{}`", path.display());
    let file = File::open(path).with_context(attempt)?;
    let mut bytes = Vec::new();
    file.take(MAX_INPUT_BYTES as u64 + 1).read_to_end(&mut bytes).with_context(attempt)?;
    Ok(bytes)
}

pub(super) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Tells why a file was refused.
pub(super) fn say_refused(path: &Path, refusal: &Refusal) -> io::Result<ExitCode> {
    let mut stderr = io::stderr().lock();
    writeln!(stderr, "refused `{}`: {refusal} [{}]", path.display(), refusal.code)?;
    if refusal.code == "input_too_large" {
        writeln!(stderr, "hint: `precordia ecg holter` reads long recordings block by block")?;
    }
    if let Some(hint) = &refusal.hint {
        writeln!(stderr, "hint: {hint}")?;
    }
    Ok(ExitCode::from(REFUSED))
}
