//! A witness in a directory outside the data: one line of JSON a checkpoint, one file a realm.
//!
//! The file only grows: a line that a crash cut short stays, is ended, and is followed by the whole one, so
//! it may lie on storage that refuses anything but appending. Lines are numbered, so a line that is taken
//! out of the middle or the start is missed; one that is taken from the end is not. A witness on the same
//! disk protects against changes of the data directory, not against somebody who has both.
//!
//! The end of a file may read well and not be on the disk, when a sync failed here or in a process before.
//! So before a process appends its first line, and after every failure, the end is written once more in its
//! place. Storage that refuses this is believed until a sync fails.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use precordia_app::audit::{CheckpointLine, realm_named};
use precordia_app::port::{Checkpoint, RealmId, StoreError, Witness, Witnessed};

use crate::directories::{create, run, sync};

const WHAT: &str = "witness";

/// A hundred times the lines that this program writes; at least one of them must be whole.
const TAIL_BYTES: u64 = 65_536;

struct FileWitness {
    dir: PathBuf,
    ends: Arc<Mutex<BTreeMap<RealmId, End>>>,
}

/// What this process knows of the end of a file.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum End {
    /// Another one wrote it.
    #[default]
    Unknown,
    /// It is being written, or could not be synced.
    Doubtful,
    Durable,
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
    Arc::new(FileWitness { dir: dir.to_owned(), ends: Arc::default() })
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
        let (checkpoint, ends) = (checkpoint.clone(), Arc::clone(&self.ends));
        run("recording a checkpoint", move || {
            let mut ends = ends.lock().unwrap_or_else(PoisonError::into_inner);
            let end = ends.entry(checkpoint.realm).or_default();
            Ok(append(&dir, &path, end, &checkpoint))
        })
        .await?
    }

    async fn realms(&self) -> Result<Vec<RealmId>, StoreError> {
        let dir = self.dir.clone();
        run("listing the witness", move || {
            let mut realms = Vec::new();
            let entries = match std::fs::read_dir(&dir) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(realms),
                entries => entries?,
            };
            for entry in entries {
                let name = entry?.file_name();
                let name = name.to_str().and_then(|name| name.strip_suffix(".jsonl"));
                realms.extend(name.and_then(realm_named));
            }
            realms.sort_unstable();
            Ok(realms)
        })
        .await
    }

    async fn witnessed(&self, realm: RealmId) -> Result<Option<Witnessed>, StoreError> {
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
        Ok(text.await?.map(|text| read(realm, &text)))
    }
}

/// Every line that is one. What stands between them is torn if no number is missing there, else wrong.
fn read(realm: RealmId, text: &[u8]) -> Witnessed {
    let mut witnessed = Witnessed::default();
    let mut expected = 1;
    let mut fragments = Vec::new();
    let ended = text.last().is_none_or(|byte| *byte == b'\n');
    let mut lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if ended {
        lines.pop();
    }
    for (place, line) in (1..).zip(lines) {
        let Some(line) = parse(line) else {
            fragments.push(place);
            continue;
        };
        match line.number {
            number if number == expected => witnessed.torn.append(&mut fragments),
            number if number > expected => witnessed.wrong.extend(expected..number),
            number => witnessed.wrong.push(number),
        }
        fragments.clear();
        expected = expected.max(line.number.saturating_add(1));
        match line.checkpoint().filter(|checkpoint| checkpoint.realm == realm) {
            Some(checkpoint) => witnessed.checkpoints.push(checkpoint),
            None => witnessed.wrong.push(line.number),
        }
    }
    match fragments.len() {
        0 => {}
        1 if !ended => witnessed.torn.append(&mut fragments),
        _ => witnessed.wrong.push(expected),
    }
    witnessed
}

/// A number beyond any that was counted would make the list of missing ones endless.
const LINES_MAX: u64 = 1 << 32;

fn parse(line: &[u8]) -> Option<CheckpointLine> {
    let line: CheckpointLine = serde_json::from_slice(line).ok()?;
    (1..LINES_MAX).contains(&line.number).then_some(line)
}

fn append(
    dir: &Path,
    path: &Path,
    end: &mut End,
    checkpoint: &Checkpoint,
) -> Result<(), StoreError> {
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
    let tail = tail(&mut file).map_err(failed)?;
    if *end != End::Durable {
        match write_again(path, &file, &tail) {
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied && *end == End::Unknown => {}
            done => done.map_err(failed)?,
        }
    }
    let last = tail.split(|byte| *byte == b'\n').rev().find_map(parse);
    let number = match last {
        Some(line) => line.number + 1,
        // Only the very first line can have been cut short without a whole one before it.
        None if !tail.contains(&b'\n') => 1,
        None => {
            let detail = String::from("its end holds no checkpoint");
            return Err(StoreError::Damaged { what: WHAT, detail });
        }
    };
    let mut bytes = Vec::new();
    if tail.last().is_some_and(|byte| *byte != b'\n') {
        bytes.push(b'\n');
    }
    let line = CheckpointLine::new(number, checkpoint);
    serde_json::to_writer(&mut bytes, &line).map_err(|e| failed(e.into()))?;
    bytes.push(b'\n');
    *end = End::Doubtful;
    file.write_all(&bytes)
        .and_then(|()| file.sync_all())
        .and_then(|()| sync(dir))
        .map_err(failed)?;
    *end = End::Durable;
    Ok(())
}

/// Writes the end of the file once more in its place, and syncs it.
fn write_again(path: &Path, file: &File, tail: &[u8]) -> io::Result<()> {
    let at = file.metadata()?.len().saturating_sub(tail.len() as u64);
    // Another handle: on this one every write goes to the end.
    let file = OpenOptions::new().write(true).open(path)?;
    file.write_all_at(tail, at)?;
    file.sync_all()
}

/// The end of the file; its first line may be cut.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES)))?;
    let mut tail = Vec::new();
    file.take(TAIL_BYTES).read_to_end(&mut tail)?;
    Ok(tail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use precordia_app::port::LogName;
    use precordia_model::Timestamp;
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

    async fn read_back(witness: &Arc<dyn Witness>) -> Witnessed {
        witness.witnessed(RealmId::PLATFORM).await.unwrap().unwrap()
    }

    fn positions(witnessed: &Witnessed) -> Vec<i64> {
        witnessed.checkpoints.iter().map(|checkpoint| checkpoint.position).collect()
    }

    #[tokio::test]
    async fn checkpoints_come_back_in_order_and_only_for_their_realm() {
        let dir = tempfile::tempdir().unwrap();
        let absent = witness_of(&dir.path().join("witness"));
        assert_eq!(absent.witnessed(RealmId::PLATFORM).await.unwrap(), None);
        assert_eq!(absent.realms().await.unwrap(), []);
        let witness = three(dir.path()).await;
        let all = Witnessed {
            checkpoints: (1..=3).map(checkpoint).collect(),
            torn: Vec::new(),
            wrong: Vec::new(),
        };
        assert_eq!(read_back(&witness).await, all);
        let other = RealmId(Some(precordia_model::OrganizationId(uuid::Uuid::from_u128(9))));
        assert_eq!(witness.witnessed(other).await.unwrap(), Some(Witnessed::default()));
        assert_eq!(absent.realms().await.unwrap(), [RealmId::PLATFORM]);
        let file = dir.path().join("witness/platform.jsonl");
        assert_eq!(std::fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(dir.path().join("witness")).unwrap().mode() & 0o777, 0o700);
    }

    #[tokio::test]
    async fn a_line_changed_taken_out_repeated_or_swapped_is_named_and_the_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let witness = three(dir.path()).await;
        let file = dir.path().join("witness/platform.jsonl");
        let whole = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = whole.lines().collect();
        let (a, b, c) = (lines[0], lines[1], lines[2]);
        let cases: &[(String, &[u64], &[i64])] = &[
            (format!("{b}\n{c}\n"), &[1], &[2, 3]),
            (format!("{a}\n{c}\n"), &[2], &[1, 3]),
            (format!("{a}\n{a}\n{b}\n{c}\n"), &[1], &[1, 1, 2, 3]),
            (format!("{b}\n{a}\n{c}\n"), &[1, 1], &[2, 1, 3]),
            (format!("{a}\n{}\n{c}\n", &b[1..]), &[2], &[1, 3]),
            (format!("{a}\n{b}\n{}\n", &c[1..]), &[3], &[1, 2]),
            (format!("{a}\n{}\n{c}\n", b.replace("access", "excess")), &[2], &[1, 3]),
            (format!("{a}\n{}\n{c}\n", b.replace("platform", "elsewhere")), &[2], &[1, 3]),
            (format!("{a}\n{}\n{c}\n", b.replace("0101", "01")), &[2], &[1, 3]),
        ];
        for (text, wrong, left) in cases {
            std::fs::write(&file, text).unwrap();
            let read = read_back(&witness).await;
            assert_eq!(
                (read.wrong.as_slice(), positions(&read).as_slice()),
                (*wrong, *left),
                "{text}"
            );
            assert_eq!(read.torn, Vec::<u64>::new(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_line_that_a_crash_cut_short_is_told_and_takes_no_other_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let witness = three(dir.path()).await;
        let file = dir.path().join("witness/platform.jsonl");
        let whole = std::fs::read(&file).unwrap();
        let line = whole.len() / 3;
        for cut in 1..line {
            std::fs::write(&file, &whole[..whole.len() - cut]).unwrap();
            let before = read_back(&witness).await;
            // Only its end is missing: the statement is whole and signed.
            let left: &[i64] = if cut == 1 { &[1, 2, 3] } else { &[1, 2] };
            assert_eq!(positions(&before), left);
            assert_eq!(before.torn.len(), usize::from(cut != 1));
            witness.record(&checkpoint(7)).await.unwrap();
            let after = read_back(&witness).await;
            assert_eq!(positions(&after), [left, &[7]].concat(), "{cut}");
            assert_eq!((after.torn.len(), after.wrong.len()), (usize::from(cut != 1), 0), "{cut}");
            let text = std::fs::read(&file).unwrap();
            assert!(text.starts_with(&whole[..whole.len() - cut]), "the file only grows");
        }
    }

    #[tokio::test]
    async fn the_first_line_may_be_the_one_that_was_cut_short() {
        let dir = tempfile::tempdir().unwrap();
        let witness = three(dir.path()).await;
        let file = dir.path().join("witness/platform.jsonl");
        std::fs::write(&file, "{\"number\":1,\"realm\":\"plat").unwrap();
        witness.record(&checkpoint(7)).await.unwrap();
        let read = read_back(&witness).await;
        assert_eq!((positions(&read), read.torn, read.wrong), (vec![7], vec![1], vec![]));
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
