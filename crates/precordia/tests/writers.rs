//! Processes append while they are killed, alone and two at a time. Each writer was told the truth, and the
//! ledger holds what was acknowledged, once, and nothing that nobody asked for.
//!
//! Where `storm` goes in by the door, this goes as far as the ledger takes: the program's own `bench write`
//! appends sealed facts with rows, work and effect keys, on the configuration's own storage.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod common;
mod writers {
    pub mod book;
    pub mod ledger;
}

use std::io::Write;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use common::{Client, PASSWORD, Site};
use precordia_bench::{Answer, Intent, WriterTask};
use writers::book::Book;
use writers::ledger::{Judged, Ledger};

const SLUG: &str = "writers";

on_both_engines! {
    every_acknowledged_append_is_there_once_after_kills at "warn";
    two_processes_write_one_chain_and_tell_512_writers_the_truth at "warn";
}

/// What a measurement leaves on a server is there at the next one.
#[test]
fn a_measurement_can_be_repeated_on_one_server() {
    let Some(database) = common::postgres::database() else { return };
    for run in 0..2 {
        let measured = std::process::Command::new(env!("CARGO_BIN_EXE_precordia"))
            .args(["bench", "ledger", "--json", "--seconds", "0.2", "--processes", "2"])
            .args(["--postgres", &database.url()])
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&measured.stderr);
        assert!(measured.status.success(), "run {run}: {error}");
        let told = String::from_utf8(measured.stdout).unwrap();
        assert!(told.contains("appends_per_second_512"), "run {run} told {told:?} and {error}");
    }
}

/// How many are acknowledged and how often the process is killed; `make million` sets other numbers.
fn size(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|n| n.parse().ok()).unwrap_or(otherwise)
}

fn every_acknowledged_append_is_there_once_after_kills(site: &Site) {
    let appends = size("PRECORDIA_WRITERS_APPENDS", 20_000);
    let kills = size("PRECORDIA_WRITERS_KILLS", 10);
    const WRITERS: u64 = 64;
    let mut run = Run::begin(site);
    let mut dice = Dice(appends ^ kills);
    for kill in 1..=kills {
        let mut process = run.start(WRITERS, u64::MAX);
        // Over the whole run, so that a large ledger is hit as often as a small one; and now and then a
        // process that has hardly begun.
        if kill % 8 == 0 {
            std::thread::sleep(Duration::from_millis(dice.below(300)));
        } else {
            let share = appends / (kills + 1);
            let goal = share * (kill - 1) + 1 + dice.below(share * 3 / 2);
            run.until_acknowledged(&mut [&mut process], goal);
            std::thread::sleep(Duration::from_millis(dice.below(20)));
        }
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let rest = appends.saturating_sub(run.acknowledged());
    let mut last = run.start(WRITERS, rest.max(1));
    run.until_ended(&mut last);
    run.judge(kills);
}

fn two_processes_write_one_chain_and_tell_512_writers_the_truth(site: &Site) {
    const EACH: u64 = 8_000;
    let mut run = Run::begin(site);
    let mut one = run.start(256, EACH);
    let mut other = run.start(256, EACH);
    run.until_acknowledged(&mut [&mut one, &mut other], EACH);
    one.kill().unwrap();
    one.wait().unwrap();
    let mut again = run.start(256, EACH);
    run.until_ended(&mut other);
    run.until_ended(&mut again);
    let refused = |intent| {
        let told = run.books.iter().flat_map(|book| &book.told);
        let refused = told.filter(|told| {
            told.intent == intent
                && matches!(told.answer, Answer::Conflict { .. } | Answer::Duplicate { .. })
        });
        refused.count()
    };
    for intent in
        [Intent::TakenVersion, Intent::KnownEffect, Intent::SameContent, Intent::SameStream]
    {
        assert!(refused(intent) > 50, "{intent:?} was refused {} times", refused(intent));
    }
    let judged = run.judge(1);
    nothing_to_put_right(site, &judged);
}

/// An organization, and the books of all processes that wrote to it.
struct Run<'a> {
    site: &'a Site,
    before: Ledger,
    books: Vec<Book>,
    begun: Instant,
}

impl<'a> Run<'a> {
    fn begin(site: &'a Site) -> Self {
        let code = site.apply(SLUG, "Writers' Hospital");
        let mut server = site.serve();
        Client::set_up(&server.url, SLUG, &code);
        assert_eq!(server.stop(), Some(0));
        Self { site, before: Ledger::read(site), books: Vec::new(), begun: Instant::now() }
    }

    /// A process with so many writers, which ends by itself after so many acknowledged appends.
    fn start(&mut self, writers: u64, appends: u64) -> Child {
        let life = self.books.len() as u64 + 1;
        let path = self.site.path(&format!("book-{life}"));
        let task = WriterTask {
            organization: SLUG.into(),
            user: "root-admin".into(),
            password: PASSWORD.into(),
            life,
            writers,
            appends,
            book: path.clone(),
        };
        self.books.push(Book::new(life, writers, path));
        let mut program = self.site.program();
        let mut process = program.args(["bench", "write"]).stdin(Stdio::piped()).spawn().unwrap();
        let task = serde_json::to_vec(&task).unwrap();
        process.stdin.take().unwrap().write_all(&task).unwrap();
        process
    }

    fn acknowledged(&mut self) -> u64 {
        self.books.iter_mut().map(Book::acknowledged).sum()
    }

    fn until_acknowledged(&mut self, processes: &mut [&mut Child], goal: u64) {
        wait_for("enough is acknowledged", || {
            for process in processes.iter_mut() {
                let ended = process.try_wait().unwrap();
                assert!(ended.is_none(), "a writing process ended by itself: {ended:?}");
            }
            self.acknowledged() >= goal
        });
    }

    fn until_ended(&mut self, process: &mut Child) {
        wait_for("the last process ends", || process.try_wait().unwrap().is_some());
        assert!(process.wait().unwrap().success());
    }

    fn judge(mut self, kills: u64) -> Judged {
        let appended = self.begun.elapsed().as_secs_f64();
        let acknowledged = self.acknowledged();
        let ledger = Ledger::read(self.site);
        let judged = ledger.judge(&self.before, &self.books);
        eprintln!(
            "{kills} kills, {acknowledged} appends acknowledged in {appended:.1} s; {judged:?}",
        );
        let verify = run(self.site, &["audit", "verify", "--json"]);
        assert_eq!(verify.code, Some(0), "{}", verify.said);
        eprintln!("audit verify: {:.1} s, {:.0} MB at its peak", verify.seconds, verify.memory_mb);
        judged
    }
}

/// Compares once more, as `audit verify` did, and would write what differs.
fn nothing_to_put_right(site: &Site, judged: &Judged) {
    let rebuild = run(site, &["views", "rebuild", "--json"]);
    assert_eq!(rebuild.code, Some(0), "{}", rebuild.said);
    let rebuilt: serde_json::Value = serde_json::from_str(&rebuild.said).unwrap();
    let realms = rebuilt.as_array().unwrap();
    let count = |one: &serde_json::Value, what: &str| one["rebuilt"][what].as_u64().unwrap();
    assert!(realms.iter().all(|one| count(one, "put_right") == 0), "{rebuilt}");
    let own = realms.iter().find(|one| one["organization"] == SLUG).unwrap();
    assert!(count(own, "compared") >= judged.items, "{rebuilt}");
}

struct Ran {
    code: Option<i32>,
    said: String,
    seconds: f64,
    memory_mb: f64,
}

/// A verb of the program, and what it took.
fn run(site: &Site, words: &[&str]) -> Ran {
    let begun = Instant::now();
    let out = site.path("said");
    let file = std::fs::File::create(&out).unwrap();
    let mut process = site.program().args(words).stdout(file).spawn().unwrap();
    let status = format!("/proc/{}/status", process.id());
    let mut memory_mb = 0.0f64;
    let code = loop {
        if let Some(ended) = process.try_wait().unwrap() {
            break ended.code();
        }
        let peak = std::fs::read_to_string(&status).ok().and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
            line.split_whitespace().next()?.parse::<f64>().ok()
        });
        memory_mb = memory_mb.max(peak.unwrap_or_default() / 1024.0);
        std::thread::sleep(Duration::from_millis(20));
    };
    let said = std::fs::read_to_string(out).unwrap();
    Ran { code, said, seconds: begun.elapsed().as_secs_f64(), memory_mb }
}

/// A million appends on a slow machine take their time.
fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(3600), "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit.max(1)
    }
}
