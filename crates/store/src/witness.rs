//! A witness in a directory outside the data: one line of JSON a checkpoint, one file a realm.
//!
//! Lines are numbered, so a line that is taken out of the middle or the start is missed. A witness on the
//! same disk protects against changes of the data directory, not against somebody who has both.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use precordia_app::chain::Hash;
use precordia_app::port::{Checkpoint, LogName, RealmId, StoreError, Witness};
use precordia_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::directories::{create, run, sync};

const WHAT: &str = "witness";

/// Longer than any line that this program writes.
const LINE_BYTES_MAX: u64 = 4096;

struct FileWitness {
    dir: PathBuf,
}

/// A witness in `dir`, which is created if absent. It must not lie in `data_dir`, nor hold it.
pub async fn witness_in(dir: &Path, data_dir: &Path) -> Result<Arc<dyn Witness>, StoreError> {
    create(dir).await?;
    let witness = witness_of(dir);
    let (dir, data_dir) = (dir.to_owned(), data_dir.to_owned());
    let apart = run("placing the witness", move || {
        let dir = dir.canonicalize()?;
        let data_dir = data_dir.canonicalize().unwrap_or(data_dir);
        Ok(!dir.starts_with(&data_dir) && !data_dir.starts_with(&dir))
    });
    if apart.await? {
        return Ok(witness);
    }
    Err(StoreError::Failed {
        context: "placing the witness",
        message: "its directory must be apart from the data directory".into(),
    })
}

/// The witness in `dir` as it is: for verification, which must not create one.
pub fn witness_of(dir: &Path) -> Arc<dyn Witness> {
    Arc::new(FileWitness { dir: dir.to_owned() })
}

impl FileWitness {
    fn path(&self, realm: RealmId) -> PathBuf {
        self.dir.join(format!("{realm}.jsonl"))
    }
}

#[async_trait]
impl Witness for FileWitness {
    async fn record(&self, checkpoint: &Checkpoint) -> Result<(), StoreError> {
        let (dir, path) = (self.dir.clone(), self.path(checkpoint.realm));
        let checkpoint = checkpoint.clone();
        run("recording a checkpoint", move || Ok(append(&dir, &path, &checkpoint))).await?
    }

    async fn checkpoints(&self, realm: RealmId) -> Result<Option<Vec<Checkpoint>>, StoreError> {
        let (dir, path) = (self.dir.clone(), self.path(realm));
        let text = run("reading the witness", move || {
            if !dir.is_dir() {
                return Ok(None);
            }
            match std::fs::read(&path) {
                Ok(text) => Ok(Some(text)),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Some(Vec::new())),
                Err(e) => Err(e),
            }
        });
        text.await?.map(|text| read(realm, &text)).transpose()
    }
}

/// Field order is the order in the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    number: u64,
    realm: String,
    log: String,
    position: i64,
    hash: String,
    root: String,
    at_us: i64,
    public_key: String,
    signature: String,
}

impl Line {
    fn new(number: u64, checkpoint: &Checkpoint) -> Self {
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

    fn checkpoint(&self, realm: RealmId) -> Option<Checkpoint> {
        let log = [LogName::Events, LogName::Access].into_iter().find(|l| l.name() == self.log)?;
        (self.realm == realm.to_string()).then_some(())?;
        Some(Checkpoint {
            realm,
            log,
            position: self.position,
            hash: Hash::try_from(unhex(&self.hash)?).ok()?,
            root: Hash::try_from(unhex(&self.root)?).ok()?,
            at: Timestamp(self.at_us),
            public_key: unhex(&self.public_key)?,
            signature: unhex(&self.signature)?,
        })
    }
}

fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { what: WHAT, detail }
}

/// Every line but an unfinished last one, which was never acknowledged.
fn read(realm: RealmId, text: &[u8]) -> Result<Vec<Checkpoint>, StoreError> {
    let mut checkpoints = Vec::new();
    let mut lines = text.split(|byte| *byte == b'\n').collect::<Vec<_>>();
    lines.pop();
    for (number, line) in (1..).zip(lines) {
        let line: Line = serde_json::from_slice(line)
            .map_err(|_| damaged(format!("line {number} is not a checkpoint")))?;
        if line.number != number {
            return Err(damaged(format!("line {number} says that it is line {}", line.number)));
        }
        let checkpoint = line.checkpoint(realm);
        checkpoints
            .push(checkpoint.ok_or_else(|| damaged(format!("line {number} is not a checkpoint")))?);
    }
    Ok(checkpoints)
}

fn append(dir: &Path, path: &Path, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let failed = |e: io::Error| crate::directories::failed("recording a checkpoint", &e);
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map_err(failed)?;
    // Several processes may record; closing the file unlocks it.
    file.lock().map_err(failed)?;
    let (length, last) = last_line(&mut file).map_err(failed)?;
    let number = match last {
        None => 1,
        Some(line) => {
            let line: Line = serde_json::from_slice(&line)
                .map_err(|_| damaged("the last line is not a checkpoint".into()))?;
            line.number + 1
        }
    };
    let mut line = serde_json::to_vec(&Line::new(number, checkpoint))
        .map_err(|_| damaged("a checkpoint cannot be written".into()))?;
    line.push(b'\n');
    file.set_len(length)
        .and_then(|()| file.write_all(&line))
        .and_then(|()| file.sync_all())
        .and_then(|()| sync(dir))
        .map_err(failed)
}

/// The last whole line, and how long the file is up to its end.
fn last_line(file: &mut File) -> io::Result<(u64, Option<Vec<u8>>)> {
    let length = file.metadata()?.len();
    let start = length.saturating_sub(2 * LINE_BYTES_MAX);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.take(length - start).read_to_end(&mut tail)?;
    let Some(end) = tail.iter().rposition(|byte| *byte == b'\n') else {
        return Ok((start, None)).and_then(|none| match start {
            0 => Ok(none),
            _ => Err(io::Error::from(io::ErrorKind::InvalidData)),
        });
    };
    let begin = tail[..end].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    Ok((start + end as u64 + 1, Some(tail[begin..end].to_vec())))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    rest.is_empty().then(|| pairs.iter().map(byte).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    fn checkpoint(position: i64) -> Checkpoint {
        Checkpoint {
            realm: RealmId::PLATFORM,
            log: if position % 2 == 0 { LogName::Access } else { LogName::Events },
            position,
            hash: [1; 32],
            root: [2; 32],
            at: Timestamp(-5),
            public_key: vec![3; 32],
            signature: vec![4; 64],
        }
    }

    async fn three(dir: &Path) -> Arc<dyn Witness> {
        let witness = witness_in(&dir.join("witness"), &dir.join("data")).await.unwrap();
        for position in 1..=3 {
            witness.record(&checkpoint(position)).await.unwrap();
        }
        witness
    }

    #[tokio::test]
    async fn checkpoints_come_back_in_order_and_only_for_their_realm() {
        let dir = tempfile::tempdir().unwrap();
        let absent = witness_of(&dir.path().join("witness"));
        assert_eq!(absent.checkpoints(RealmId::PLATFORM).await.unwrap(), None);
        let witness = three(dir.path()).await;
        let all = witness.checkpoints(RealmId::PLATFORM).await.unwrap();
        assert_eq!(all, Some((1..=3).map(checkpoint).collect()));
        let other = RealmId(Some(precordia_model::OrganizationId(uuid::Uuid::from_u128(9))));
        assert_eq!(witness.checkpoints(other).await.unwrap(), Some(Vec::new()));
        let file = dir.path().join("witness/platform.jsonl");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(dir.path().join("witness")).unwrap().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn a_line_changed_inserted_taken_out_or_swapped_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let witness = three(dir.path()).await;
        let file = dir.path().join("witness/platform.jsonl");
        let whole = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let (a, b, c) = (lines[0], lines[1], lines[2]);
        let cases = [
            format!("{b}\n{c}\n"),
            format!("{a}\n{c}\n"),
            format!("{a}\n{a}\n{b}\n{c}\n"),
            format!("{b}\n{a}\n{c}\n"),
            format!("{a}\n\n{b}\n{c}\n"),
            format!("{a}\n{}\n{c}\n", &b[1..]),
            format!("{a}\n{}\n{c}\n", b.replace("access", "excess")),
            format!("{a}\n{}\n{c}\n", b.replace("platform", "elsewhere")),
            format!("{a}\n{}\n{c}\n", b.replace("0101", "01")),
        ];
        for text in cases {
            std::fs::write(&file, &text).unwrap();
            let read = witness.checkpoints(RealmId::PLATFORM).await;
            assert!(matches!(read, Err(StoreError::Damaged { what: WHAT, .. })), "{text}");
        }
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_short_is_dropped_and_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let witness = three(dir.path()).await;
        let file = dir.path().join("witness/platform.jsonl");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
        let two: Vec<_> = (1..=2).map(checkpoint).collect();
        assert_eq!(witness.checkpoints(RealmId::PLATFORM).await.unwrap(), Some(two.clone()));
        witness.record(&checkpoint(7)).await.unwrap();
        let all = witness.checkpoints(RealmId::PLATFORM).await.unwrap().unwrap();
        assert_eq!(all, [two, vec![checkpoint(7)]].concat());
    }

    #[tokio::test]
    async fn a_witness_inside_the_data_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        assert!(witness_in(&data.join("witness"), &data).await.is_err());
        assert!(witness_in(&data, &data).await.is_err());
        assert!(witness_in(dir.path(), &data).await.is_err());
    }
}
