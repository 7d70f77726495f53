//! Somebody has the database and changes it. What was done, and where first, is named.

// All edits have one type, also those that only exchange.
#![allow(clippy::unwrap_used, clippy::print_stderr, clippy::ptr_arg)]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use common::forge::{self, Event, Ledger};
use common::{Client, Site, file_of};
use precordia_app::port::RealmId;
use precordia_synth::{Pattern, Person};
use serde_json::Value;

/// What is done to the database, and the finding that must come first.
const CASES: &[(&str, &str, &str)] = &[
    (
        "an event's sealed payload is changed",
        "UPDATE event SET payload = zeroblob(length(payload)) WHERE position = 5",
        "changed",
    ),
    (
        "an event's clear field is changed",
        "UPDATE event SET at = at + 1 WHERE position = 5",
        "changed",
    ),
    (
        "an event's actor is changed",
        "UPDATE event SET actor = 'user/00000000-0000-7000-8000-000000000000' WHERE position = 5",
        "changed",
    ),
    ("an event is removed", "DELETE FROM event WHERE position = 5", "removed"),
    (
        "two events are exchanged",
        "UPDATE event SET position = -1 WHERE position = 5; UPDATE event SET position = 5 WHERE position = 6; UPDATE event SET position = 6 WHERE position = -1",
        "unchained",
    ),
    (
        "an event is inserted",
        "UPDATE event SET position = -position WHERE position >= 5; UPDATE event SET position = 1 - position WHERE position < 0; INSERT INTO event SELECT 5, 'item/x', 1, kind, schema, actor, at, cause, request, payload, resources, previous, hash FROM event WHERE position = 4",
        "unchained",
    ),
    (
        "the last events are cut off",
        "DELETE FROM event WHERE position > (SELECT max(position) - 3 FROM event)",
        "cut-off",
    ),
    (
        "the last events and the head are cut off",
        "DELETE FROM resource WHERE position > 5; DELETE FROM event WHERE position > 5; UPDATE head SET position = 5, hash = (SELECT hash FROM event WHERE position = 5) WHERE log = 'events'",
        "head-changed",
    ),
    (
        "a resource version is changed",
        "UPDATE resource SET body = zeroblob(length(body)) WHERE position = (SELECT min(position) FROM resource)",
        "resource-changed",
    ),
    (
        "a resource version is removed",
        "DELETE FROM resource WHERE position = (SELECT min(position) FROM resource)",
        "resource-changed",
    ),
    (
        "an access row is changed",
        "UPDATE access_log SET outcome = 'denied' WHERE position = 3",
        "changed",
    ),
    ("an access row is removed", "DELETE FROM access_log WHERE position = 3", "removed"),
    (
        "the last access rows are cut off",
        "DELETE FROM access_log WHERE position > (SELECT max(position) - 2 FROM access_log)",
        "cut-off",
    ),
    (
        "the head is moved",
        "UPDATE head SET hash = zeroblob(32) WHERE log = 'access'",
        "head-changed",
    ),
];

#[test]
fn every_kind_of_tampering_is_found_and_named() {
    let site = Site::new("warn");
    let code = site.apply("alpha", "Alpha");
    let mut server = site.serve();
    let administrator = Client::set_up(&server.url, "alpha", &code);
    let doctor = administrator.user("alpha", "doctor", "cardiologist");
    for number in 0..4 {
        let item = doctor.upload(&file_of(Pattern::ALL[number], &Person::demo(number), number));
        doctor.get(&format!("/api/recordings/{}", item["recording_id"].as_str().unwrap())).ok();
    }
    assert_eq!(server.stop(), Some(0));
    let (code, clean) = verify_words(site.root(), &[]);
    assert_eq!(code, 0, "{clean}");

    for (what, sql, expected) in CASES {
        let copy = copy_of(&site, "copy");
        Ledger::of(&copy.join("data"), "").open().execute_batch(sql).unwrap();
        let (code, report) = verify_with(&copy, None);
        assert_eq!(code, 4, "{what}: {report}");
        assert_eq!(report["first"]["kind"], *expected, "{what}: {report:#}");
    }
}

/// Who attacks: each has what the one before has, but that `Witness` does without the signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attacker {
    /// Has the database and edits rows in it.
    Edits,
    /// Has the database and makes chain, tree and head fit again.
    Forges,
    /// And has the master key, so that views can be sealed and checkpoints signed; not the place where
    /// those are kept.
    Key,
    /// Forges, and has the witness's directory; not the key.
    Witness,
    /// Has everything.
    All,
}

/// What the verifier says, who has the genuine witness but for `Witness` and `All`.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// Exit 4, and this kind first.
    Found(&'static str),
    /// Exit 4, because a view is not what its events make of it.
    View,
    /// Exit 3, and a warning of this kind.
    Warned(&'static str),
    /// Exit 0. With a copy of the witness that was kept elsewhere: this.
    Hidden(&'static Outcome),
    /// Needs what this attacker does not have.
    Cannot,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Outcome::Found(kind) => write!(f, "`{kind}`"),
            Outcome::View => f.write_str("`views`"),
            Outcome::Warned(kind) => write!(f, "`{kind}`, exit 3"),
            Outcome::Hidden(kept) => write!(f, "not found; by a kept witness: {kept}"),
            Outcome::Cannot => f.write_str("cannot"),
        }
    }
}

type Edit = fn(&mut Vec<Event>);

/// What is done to the event log of the organization `alpha`.
enum Deed {
    Edit(Edit),
    /// A row is added that says that it is a day old; whoever only edits turns the machine's clock instead.
    Backdate,
    SwapOrganizations,
    OldCopy,
    CutWitness,
    EditView,
    HideOrganization,
}

struct Row {
    name: &'static str,
    what: &'static str,
    deed: Deed,
    cells: [(Attacker, Outcome); 5],
}

const DIFFERS: Outcome = Outcome::Found("differs-from-witness");
const OLD: Outcome = Outcome::Found("old-copy");
const UNSIGNED: Outcome = Outcome::Found("witness-unsigned");
const CLOCK: Outcome = Outcome::Warned("clock");

const fn cells(
    edits: Outcome,
    forges: Outcome,
    key: Outcome,
    witness: Outcome,
    all: Outcome,
) -> [(Attacker, Outcome); 5] {
    [
        (Attacker::Edits, edits),
        (Attacker::Forges, forges),
        (Attacker::Key, key),
        (Attacker::Witness, witness),
        (Attacker::All, all),
    ]
}

const fn against_the_witness(edits: &'static str) -> [(Attacker, Outcome); 5] {
    let hidden = Outcome::Hidden(&DIFFERS);
    cells(Outcome::Found(edits), DIFFERS, DIFFERS, UNSIGNED, hidden)
}

/// The table of `docs/safety/tamper.md`, and a test for each of its rows.
macro_rules! table {
    ($($name:ident: $what:literal, $deed:expr, $cells:expr;)*) => {
        const TABLE: &[Row] = &[
            $(Row { name: stringify!($name), what: $what, deed: $deed, cells: $cells }),*
        ];
        $(#[test] fn $name() { attack(stringify!($name)); })*
    };
}

table! {
    a_row_is_changed: "change a row", Deed::Edit(change), against_the_witness("changed");
    a_row_is_inserted: "insert a row", Deed::Edit(insert), against_the_witness("changed");
    rows_are_reordered: "exchange two rows", Deed::Edit(reorder), against_the_witness("unchained");
    a_row_is_removed: "remove a row", Deed::Edit(remove), against_the_witness("removed");
    the_tail_is_cut: "cut the tail off", Deed::Edit(cut),
        cells(Outcome::Found("cut-off"), OLD, OLD, UNSIGNED, Outcome::Hidden(&OLD));
    a_stream_is_dropped: "drop a stream", Deed::Edit(drop_stream), against_the_witness("removed");
    organizations_are_swapped: "swap the rows of two organizations", Deed::SwapOrganizations,
        against_the_witness("unchained");
    the_clock_is_rolled_back: "roll the clock back", Deed::Backdate,
        cells(CLOCK, CLOCK, CLOCK, UNSIGNED, Outcome::Hidden(&CLOCK));
    an_old_copy_is_restored: "restore an old copy", Deed::OldCopy,
        cells(OLD, OLD, OLD, Outcome::Hidden(&OLD), Outcome::Hidden(&OLD));
    the_witness_is_cut_back: "cut the witness back, and change what it no longer covers", Deed::CutWitness,
        cells(Outcome::Cannot, Outcome::Cannot, Outcome::Cannot, Outcome::Hidden(&DIFFERS), Outcome::Hidden(&DIFFERS));
    a_view_is_edited: "edit a view", Deed::EditView,
        cells(Outcome::View, Outcome::View, Outcome::View, Outcome::View, Outcome::View);
    an_organization_is_hidden: "take an organization out of the directory", Deed::HideOrganization,
        cells(OLD, DIFFERS, DIFFERS, UNSIGNED, Outcome::Hidden(&DIFFERS));
}

/// Where the row is that is touched: the first break-glass access, which somebody would like to hide. A
/// checkpoint has seen it long ago.
fn touched(events: &[Event]) -> usize {
    events.iter().position(|event| event.stream.starts_with("break-glass/")).unwrap()
}

const ANOTHER_USER: &str = "user/00000000-0000-7000-8000-000000000000";
const ANOTHER_STREAM: &str = "break-glass/00000000-0000-7000-8000-000000000000";

fn change(events: &mut Vec<Event>) {
    let at = touched(events);
    events[at].actor = ANOTHER_USER.into();
}

fn insert(events: &mut Vec<Event>) {
    let at = touched(events);
    let mut inserted = events[at].clone();
    inserted.stream = ANOTHER_STREAM.into();
    events[at..].iter_mut().for_each(|event| event.position += 1);
    events.insert(at, inserted);
}

fn reorder(events: &mut Vec<Event>) {
    let at = touched(events);
    events.swap(at, at + 1);
    events[at].position -= 1;
    events[at + 1].position += 1;
}

fn remove(events: &mut Vec<Event>) {
    events.remove(touched(events));
}

fn cut(events: &mut Vec<Event>) {
    events.truncate(events.len() - 3);
}

/// An item, from its receipt to its end.
fn drop_stream(events: &mut Vec<Event>) {
    let first = events.iter().find(|event| event.stream.starts_with("item/")).unwrap();
    let stream = first.stream.clone();
    events.retain(|event| event.stream != stream);
}

fn backdate(events: &mut Vec<Event>) {
    let mut late = events[touched(events)].clone();
    late.position = events.len() as i64 + 1;
    late.stream = ANOTHER_STREAM.into();
    late.at -= DAY_US;
    events.push(late);
}

const DAY_US: i64 = 86_400_000_000;

/// Two organizations, an old state of them, and the witness of today as somebody kept it.
struct Scene {
    site: Site,
    alpha: String,
    beta: String,
}

fn scene() -> &'static Scene {
    static SCENE: OnceLock<Scene> = OnceLock::new();
    SCENE.get_or_init(|| {
        let site = Site::new("warn");
        let codes = ["alpha", "beta"].map(|slug| site.apply(slug, slug));
        let mut server = site.serve();
        for (slug, code) in ["alpha", "beta"].iter().zip(codes) {
            let administrator = Client::set_up(&server.url, slug, &code);
            let doctor = administrator.user(slug, "doctor", "cardiologist");
            break_glass(&administrator);
            for number in 0..2 {
                doctor.upload(&file_of(Pattern::ALL[number], &Person::demo(number), number));
            }
        }
        assert_eq!(server.stop(), Some(0));
        copy_of(&site, "old");
        let mut server = site.serve();
        for slug in ["alpha", "beta"] {
            break_glass(&Client::sign_in(&server.url, slug, "root-admin"));
            let doctor = Client::sign_in(&server.url, slug, "doctor");
            for number in 2..4 {
                doctor.upload(&file_of(Pattern::ALL[number], &Person::demo(number), number));
            }
        }
        assert_eq!(server.stop(), Some(0));
        copy_dir(&site.path("data-witness"), &site.path("kept"));
        let organization = |slug: &str| {
            let output =
                site.run(&["org", "apply", site.path(&format!("{slug}.toml")).to_str().unwrap()]);
            let text = String::from_utf8(output.stdout).unwrap();
            let line = text.lines().find_map(|line| line.strip_prefix("organization ")).unwrap();
            line.split(' ').next_back().unwrap().to_owned()
        };
        let (alpha, beta) = (organization("alpha"), organization("beta"));
        Scene { site, alpha, beta }
    })
}

fn break_glass(client: &Client) {
    let reason = serde_json::json!({ "reason": "asked for in the night" });
    client.post("/api/break-glass", &reason).ok();
}

/// Every attacker of a row does it to a copy.
fn attack(name: &str) {
    let row = TABLE.iter().find(|row| row.name == name).unwrap();
    for (attacker, outcome) in &row.cells {
        if matches!(outcome, Outcome::Cannot) {
            continue;
        }
        let copy = copy_of(&scene().site, &format!("{name}-{attacker:?}"));
        strike(&row.deed, *attacker, &copy);
        let who = format!("{}, {attacker:?}", row.what);
        expect(outcome, &who, verify_with(&copy, None));
        if let Outcome::Hidden(kept) = outcome {
            expect(kept, &who, verify_with(&copy, Some(&scene().site.path("kept"))));
        }
        if *attacker == Attacker::Key && !matches!(row.deed, Deed::EditView) {
            // His checkpoints are good ones. Only that they are not where ours are tells them apart.
            let own = copy.join("own-witness");
            forge::sign_with_master(&copy.join("data"), &copy.join("data-keys/master.key"), &own);
            expect(&Outcome::Hidden(outcome), &who, verify_with(&copy, Some(&own)));
        }
        std::fs::remove_dir_all(&copy).unwrap();
    }
}

fn strike(deed: &Deed, attacker: Attacker, copy: &Path) {
    let (data, witness) = (copy.join("data"), copy.join("data-witness"));
    let master = copy.join("data-keys/master.key");
    let old = scene().site.path("old");
    let alpha = Ledger::of(&data, &scene().alpha);
    let beta = Ledger::of(&data, &scene().beta);
    let control = Ledger { path: data.join("control.db"), realm: RealmId::PLATFORM };
    let has_witness = matches!(attacker, Attacker::Witness | Attacker::All);
    let put = |ledger: &Ledger, events: Vec<Event>| match attacker {
        Attacker::Edits => ledger.write(&events),
        _ => ledger.forge(events),
    };
    let edit = |edit: Edit| {
        let mut events = alpha.read();
        edit(&mut events);
        put(&alpha, events);
    };
    match deed {
        Deed::Edit(by) => edit(*by),
        Deed::Backdate if attacker == Attacker::Edits => {
            forge::sign_in_with_clock(copy, -DAY_US, "alpha", "doctor");
        }
        Deed::Backdate => edit(backdate),
        Deed::SwapOrganizations => {
            let (mut of_alpha, mut of_beta) = (alpha.read(), beta.read());
            let (a, b) = (touched(&of_alpha), touched(&of_beta));
            assert_eq!(of_alpha[a].position, of_beta[b].position);
            std::mem::swap(&mut of_alpha[a], &mut of_beta[b]);
            put(&alpha, of_alpha);
            put(&beta, of_beta);
        }
        Deed::HideOrganization => {
            let sql = "DELETE FROM site; DELETE FROM organization WHERE slug = 'alpha'";
            control.open().execute_batch(sql).unwrap();
            // With the rows alone, the next fold would have it back.
            if attacker != Attacker::Edits {
                let registered = format!("organization/{}", scene().alpha);
                let mut events = control.read();
                events.retain(|e| e.stream != registered && !e.stream.starts_with("site/"));
                control.forge(events);
            }
        }
        Deed::EditView => {
            let sql = "UPDATE recording SET severity = 'critical'; UPDATE item SET size_bytes = 1";
            alpha.open().execute_batch(sql).unwrap();
        }
        Deed::OldCopy => {
            std::fs::remove_dir_all(&data).unwrap();
            copy_dir(&old.join("data"), &data);
        }
        Deed::CutWitness => {
            let covered = Ledger::of(&old.join("data"), &scene().alpha).read().len();
            let mut events = alpha.read();
            change_after(&mut events, covered);
            alpha.forge(events);
        }
    }
    if matches!(attacker, Attacker::Key | Attacker::All) && !matches!(deed, Deed::EditView) {
        forge::rebuild_views(&data, &master);
    }
    let mut struck = vec![&alpha, &beta];
    struck.extend(matches!(deed, Deed::HideOrganization).then_some(&control));
    match (deed, attacker) {
        _ if !has_witness => {}
        (Deed::EditView, _) => {}
        (Deed::OldCopy | Deed::CutWitness, _) => copy_dir(&old.join("data-witness"), &witness),
        (_, Attacker::Witness) => struck.iter().for_each(|l| l.witness_with_own_key(&witness)),
        _ => {
            for ledger in struck {
                std::fs::remove_file(witness.join(format!("{}.jsonl", ledger.realm))).unwrap();
            }
            forge::sign_with_master(&data, &master, &witness);
        }
    }
}

/// A row that a witness of so many rows has not seen.
fn change_after(events: &mut [Event], covered: usize) {
    let at = covered + touched(&events[covered..]);
    events[at].actor = ANOTHER_USER.into();
}

#[track_caller]
fn expect(outcome: &Outcome, who: &str, (code, report): (i32, Value)) {
    match outcome {
        Outcome::Found(kind) => {
            assert_eq!(code, 4, "{who}: {report:#}");
            assert_eq!(report["first"]["kind"], *kind, "{who}: {report:#}");
        }
        Outcome::View => {
            assert_eq!((code, &report["first"]), (4, &Value::Null), "{who}: {report:#}");
            let different = |realm: &Value| realm["views"]["different"].as_u64();
            let realms = report["realms"].as_array().unwrap();
            assert!(
                realms.iter().filter_map(different).any(|count| count > 0),
                "{who}: {report:#}"
            );
        }
        Outcome::Warned(kind) => {
            assert_eq!(code, 3, "{who}: {report:#}");
            assert_eq!(kinds_of(&report, "warnings").first().unwrap(), kind, "{who}: {report:#}");
        }
        Outcome::Hidden(_) => {
            assert_eq!((code, &report["first"]), (0, &Value::Null), "{who}: {report:#}")
        }
        Outcome::Cannot => panic!("{who}: nothing to expect"),
    }
}

#[test]
fn whoever_only_edits_is_found_at_the_first_row_that_is_wrong() {
    let alpha = Ledger::of(&scene().site.path("data"), &scene().alpha);
    let touched = touched(&alpha.read()) as i64 + 1;
    for (edit, kind) in [(change as Edit, "changed"), (insert, "changed"), (remove, "removed")] {
        let copy = copy_of(&scene().site, &format!("first-{edit:p}"));
        let alpha = Ledger::of(&copy.join("data"), &scene().alpha);
        let mut events = alpha.read();
        edit(&mut events);
        alpha.write(&events);
        let (_, report) = verify_with(&copy, None);
        let first = serde_json::json!({ "realm": scene().alpha, "log": "events", "position": touched, "kind": kind });
        assert_eq!(report["first"], first);
        let log = realm_of(&report, &scene().alpha)["logs"][0].clone();
        assert!(log["proven_to"].as_i64().unwrap() < touched, "{log:#}");
    }
}

#[test]
fn what_no_checkpoint_has_seen_can_be_forged_and_the_report_says_from_where() {
    let copy = copy_of(&scene().site, "unwitnessed");
    let old = scene().site.path("old");
    copy_dir(&old.join("data-witness"), &copy.join("data-witness"));
    let covered = Ledger::of(&old.join("data"), &scene().alpha).read().len() as i64;
    let alpha = Ledger::of(&copy.join("data"), &scene().alpha);
    let mut events = alpha.read();
    let rows = events.len() as i64;
    change_after(&mut events, covered as usize);
    alpha.forge(events);
    let (code, report) = verify_with(&copy, None);
    assert_eq!(code, 0, "{report:#}");
    let log = &realm_of(&report, &scene().alpha)["logs"][0];
    assert_eq!(log["proven_to"], covered);
    assert_eq!(log["chained_only"], serde_json::json!({ "from": covered + 1, "to": rows }));
}

#[test]
fn without_a_witness_or_its_key_that_is_said() {
    let scene = scene();
    let copy = copy_of(&scene.site, "bare");
    let key = verify_with(&copy, None).1["public_key"].as_str().unwrap().to_owned();
    std::fs::remove_file(copy.join("data-keys/master.key")).unwrap();
    // Without the master key views cannot be folded; that is said as well.
    let (code, report) = verify_with(&copy, None);
    let unknown = String::from("key-unknown");
    assert!(code == 3 && kinds_of(&report, "warnings").contains(&unknown), "{report:#}");
    let words = ["--public-key", &key];
    let (code, report) = verify_words(&copy, &words);
    assert!(code == 3 && !kinds_of(&report, "warnings").contains(&unknown), "{report:#}");
    assert!(report["realms"][1]["logs"][0]["proven_to"].as_i64().unwrap() > 0, "{report:#}");
    assert_eq!(verify_words(&copy, &["--public-key", &"11".repeat(32)]).0, 4);
    std::fs::remove_dir_all(copy.join("data-witness")).unwrap();
    let (code, report) = verify_words(&copy, &words);
    assert_eq!((code, &report["realms"][0]["witness"]), (3, &Value::Bool(false)));
}

#[test]
fn a_copy_is_verified_offline_where_it_lies() {
    let scene = scene();
    let copy = copy_of(&scene.site, "offline");
    let run = |data: &Path, witness: &Path| {
        let words = ["--data", data.to_str().unwrap(), "--witness", witness.to_str().unwrap()];
        verify_words(&scene.site.path(""), &words).0
    };
    assert_eq!(run(&copy.join("data"), &scene.site.path("kept")), 0);
    let alpha = Ledger::of(&copy.join("data"), &scene.alpha);
    let mut events = alpha.read();
    change(&mut events);
    alpha.forge(events);
    assert_eq!(run(&copy.join("data"), &scene.site.path("kept")), 4);
    assert_eq!(run(&scene.site.path("data"), &scene.site.path("kept")), 0);
    let nothing =
        scene.site.run(&["audit", "verify", "--data", copy.join("data-keys").to_str().unwrap()]);
    assert_eq!(nothing.status.code(), Some(1), "a directory without data is not verified");
    assert!(!copy.join("data-keys/control.db").exists(), "and none is made in it");
}

#[test]
fn the_document_has_this_table() {
    let mut table = String::from(
        "| attack | edits rows | forges chain and head | and has the signing key | forges, and has the witness | has everything | test |\n|---|---|---|---|---|---|---|\n",
    );
    for row in TABLE {
        let cells: Vec<String> = row.cells.iter().map(|(_, outcome)| outcome.to_string()).collect();
        table.push_str(&format!("| {} | {} | `{}` |\n", row.what, cells.join(" | "), row.name));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/safety/tamper.md");
    let document = std::fs::read_to_string(path).unwrap();
    assert!(document.contains(&table), "docs/safety/tamper.md must have this table:\n{table}");
}

fn verify_with(copy: &Path, witness: Option<&Path>) -> (i32, Value) {
    match witness {
        Some(dir) => verify_words(copy, &["--witness", dir.to_str().unwrap()]),
        None => verify_words(copy, &[]),
    }
}

/// By the configuration in `dir`.
fn verify_words(dir: &Path, words: &[&str]) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_precordia"))
        .args(["audit", "verify", "--json", "--config"])
        .arg(dir.join("precordia.toml"))
        .args(words)
        .output()
        .unwrap();
    let report = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), report)
}

fn realm_of<'a>(report: &'a Value, realm: &str) -> &'a Value {
    report["realms"].as_array().unwrap().iter().find(|r| r["realm"] == realm).unwrap()
}

/// Kinds of findings or warnings, realm by realm and log by log.
fn kinds_of(report: &Value, what: &str) -> Vec<String> {
    let realms = report["realms"].as_array().unwrap();
    let of_logs = realms.iter().flat_map(|realm| realm["logs"].as_array().unwrap());
    let all = of_logs.chain(realms).filter_map(|holder| holder[what].as_array()).flatten();
    all.map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// Data, witness and keys in a directory of their own, with a configuration that names them.
fn copy_of(site: &Site, name: &str) -> std::path::PathBuf {
    let copy = site.path(name);
    let _ = std::fs::remove_dir_all(&copy);
    for dir in ["data", "data-witness", "data-keys"] {
        copy_dir(&site.path(dir), &copy.join(dir));
    }
    let config = format!("data_dir = {:?}\n[log]\nlevel = \"warn\"\n", copy.join("data"));
    std::fs::write(copy.join("precordia.toml"), config).unwrap();
    copy
}

fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
