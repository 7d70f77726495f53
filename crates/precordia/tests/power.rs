//! The power fails while files come in. What was acknowledged before is there, once, with its bytes.
//!
//! One run of the program is recorded, system call by system call. From the record the rig makes the
//! directory that a power cut at any moment would have left, with nothing that was not synced or with
//! some of it, and starts the real program on that. Killing alone cannot show this: the system keeps
//! what a killed program wrote.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;
mod power {
    pub mod replay;
}

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::{Client, Site, file_of};
use power::replay::{Dice, LeftOut, Moment, Record, Unsynced};
use precordia_synth::{Pattern, Person};
use serde_json::json;

/// Uploads of the recorded run.
const UPLOADS: usize = 48;

/// Lives of the program in the recorded run; each is killed, and all but the last are followed by one that
/// a failed sync ends.
const LIVES: usize = 3;

/// The exit code after a failed sync.
const UNSYNCED: i32 = 5;

/// Power cuts; `PRECORDIA_POWER_CUTS` sets another number.
fn cuts() -> u64 {
    std::env::var("PRECORDIA_POWER_CUTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100)
}

struct Receipt {
    /// Everything that the acknowledgement stands on was recorded before.
    moment: Moment,
    item: String,
    file: usize,
}

struct Recorded {
    record: Record,
    service: Client,
    receipts: Vec<Receipt>,
    files: Vec<Vec<u8>>,
}

#[test]
fn every_acknowledged_file_is_there_once_after_a_power_cut() {
    let recorded = recorded();
    assert_eq!(recorded.record.not_understood(), Vec::<String>::new());
    let begun = std::time::Instant::now();
    let (mut looked_at, mut failed) = (0, Vec::new());
    for seed in 1..=cuts() {
        match recorded.cut(seed, LeftOut::Nothing) {
            Ok(items) => looked_at += items,
            Err(cause) => failed.push(format!("cut {seed}: {cause}")),
        }
    }
    eprintln!(
        "{} power cuts in {:.1} s, {} uploads acknowledged, {looked_at} times an original compared",
        cuts(),
        begun.elapsed().as_secs_f64(),
        recorded.receipts.len(),
    );
    assert_eq!(failed, Vec::<String>::new());
    for left_out in [
        LeftOut::Journal,
        LeftOut::Directories,
        LeftOut::OriginalsDirectories,
        LeftOut::JournalAgain,
        LeftOut::WitnessAgain,
    ] {
        let found = (1..=100).find_map(|seed| recorded.cut(seed, left_out).err());
        let found = found.unwrap_or_else(|| panic!("{left_out:?} left out was not found"));
        eprintln!("{left_out:?} not synced: {}", found.lines().next().unwrap_or_default());
    }
}

/// A run of the program with uploads, kills and restarts.
fn recorded() -> Recorded {
    let aside = tempfile::tempdir().unwrap();
    let record = aside.path().join("record");
    let order = aside.path().join("fail-sync");
    let mut site = Site::new("error");
    site.environment = vec![
        ("LD_PRELOAD", recorder(aside.path())),
        ("PRECORDIA_RECORD_LOG", record.clone()),
        ("PRECORDIA_RECORD_ROOT", site.root().to_owned()),
        ("PRECORDIA_FAIL_SYNC", order.clone()),
    ];
    std::fs::write(&order, "data-keys").unwrap();
    assert!(site.try_serve().is_err(), "nobody knows whether the master key's name lasts");
    assert!(!order.exists());
    let code = site.apply("power", "Power Hospital");
    let mut server = site.serve();
    let service = Client::set_up(&server.url, "power", &code).service();
    let files: Vec<Vec<u8>> = (0..UPLOADS)
        .map(|number| {
            file_of(Pattern::ALL[number % Pattern::ALL.len()], &Person::demo(number % 9), number)
        })
        .collect();
    let (next, receipts) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    for life in 1..=LIVES {
        let service = service.at(&server.url);
        std::thread::scope(|threads| {
            for _ in 0..3 {
                threads.spawn(|| {
                    while next.load(Ordering::SeqCst) < UPLOADS * life / LIVES {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        // Some copies, so that links are among what must survive.
                        let file = if number % 6 == 5 { number - 3 } else { number };
                        let Some(bytes) = files.get(file) else { return };
                        let answer = service.try_upload(bytes, 0).unwrap();
                        assert_eq!(answer.status, 202);
                        let moment = std::fs::metadata(&record).unwrap().len() as Moment;
                        let item = answer.json()["item_id"].as_str().unwrap().to_owned();
                        receipts.lock().unwrap().push(Receipt { moment, item, file });
                    }
                });
            }
        });
        // Work is under way: the next life begins with a journal that a killed one left.
        server.kill();
        if life < LIVES {
            server = site.serve();
            let service = service.at(&server.url);
            let upload = || drop(service.try_upload(&files[life], 0));
            let length = witness(&site).1;
            // A process that has written a line there believes what it wrote itself.
            until(|| witness(&site).1 > length, upload);
            for path in [witness(&site).0.as_str(), "ledger.db-wal"] {
                std::fs::write(&order, path).unwrap();
                until(|| !order.exists(), upload);
            }
            assert_eq!(server.wait(), Some(UNSYNCED));
            server = site.serve();
        }
    }
    let receipts = receipts.into_inner().unwrap();
    Recorded { record: Record::read(&record, site.root()), service, receipts, files }
}

/// The organization's file of the witness, and how long it is.
fn witness(site: &Site) -> (String, u64) {
    let files = std::fs::read_dir(site.path("data-witness")).unwrap();
    let files = files.map(|file| file.unwrap());
    let named = files.map(|file| (file.file_name().into_string().unwrap(), file));
    let mut ours = named.filter(|(name, _)| name != "platform.jsonl");
    ours.next().map_or_else(Default::default, |(name, file)| (name, file.metadata().unwrap().len()))
}

/// Uploads are committed at once, and witnessed a second later.
fn until(done: impl Fn() -> bool, upload: impl Fn()) {
    while !done() {
        upload();
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The recorder, built with the compiler that SQLite is built with.
fn recorder(dir: &Path) -> PathBuf {
    let library = dir.join("recorder.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/power/recorder.c");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("a C compiler is there, as for SQLite");
    assert!(built.success());
    library
}

impl Recorded {
    /// Cuts the power at a moment that the seed decides, starts the program on what is left, and answers
    /// how many originals were compared.
    fn cut(&self, seed: u64, left_out: LeftOut) -> Result<usize, String> {
        let mut dice = Dice(seed);
        let first = self.receipts.iter().map(|receipt| receipt.moment).min().unwrap();
        let moment = first + dice.next() as usize % (self.record.end() - first);
        let unsynced = match seed.is_multiple_of(2) {
            true => Unsynced::Some(dice.next()),
            false => Unsynced::Lost,
        };
        let site = Site::new("error");
        self.record.cut(moment, left_out, unsynced, site.root());
        let mut server = site.try_serve()?;
        let acknowledged = self.receipts.iter().filter(|receipt| receipt.moment <= moment);
        let compared = self.compare(&self.service.at(&server.url), acknowledged)?;
        server.kill();
        for words in [["audit", "balance"], ["audit", "verify"]] {
            let output = site.run(&words);
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stdout).into_owned();
                return Err(format!("{}: {said}", words.join(" ")));
            }
        }
        Ok(compared)
    }

    fn compare<'a>(
        &self,
        service: &Client,
        acknowledged: impl Iterator<Item = &'a Receipt>,
    ) -> Result<usize, String> {
        let answer = service.post("/api/items/search", &json!({"limit": 200}));
        if answer.status != 200 {
            return Err(format!("the items cannot be listed: {}", answer.status));
        }
        let list = answer.json();
        let rows = list["rows"].as_array().unwrap();
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let items: BTreeMap<String, String> =
            rows.iter().map(|row| (text(&row["item_id"]), text(&row["state"]))).collect();
        let mut recordings = BTreeSet::new();
        for row in rows.iter().filter(|row| row["state"] == "filed" || row["state"] == "held") {
            if !recordings.insert(text(&row["recording_id"])) {
                return Err(format!("filed twice: {row}"));
            }
        }
        let mut compared = 0;
        for Receipt { item, file, .. } in acknowledged {
            if !items.contains_key(item) {
                return Err(format!("acknowledged item {item} is missing"));
            }
            let original = service.get(&format!("/api/items/{item}/original"));
            if original.status != 200 || original.body != self.files[*file] {
                return Err(format!(
                    "the original of {item} is not what was sent: {}",
                    original.status
                ));
            }
            compared += 1;
        }
        Ok(compared)
    }
}
