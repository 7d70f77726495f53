//! What a backup brings back, what it never brings back, and what stops it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use precordia_app::access::OrgScope;
use precordia_app::port::{BlobWriter, Ports, StoreError, Vault, Vaults};
use precordia_app::{Alarm, App, AppError, RestoreRequest, Restored, Settings};
use precordia_model::{AlarmCode, AlarmSubject, ItemState, RecordingId};
use precordia_store::SqliteOptions;

use crate::house::{House, Working, file, house, ports_on, scope_of, sign_in};

fn vaults(dir: &Path) -> Vaults {
    let of = |name: &str| precordia_store::vault_in(&dir.join(name), &[]).unwrap();
    Vaults { data: of("vault-data"), keys: of("vault-keys") }
}

/// The same house, which makes backups.
fn keeping(house: &House) -> App {
    let ports = Ports { vaults: Some(vaults(house.dir.path())), ..house.ports.clone() };
    App::new(ports, Settings::default())
}

/// A fresh storage for a restore, with the master key and a witness of its own.
struct Elsewhere {
    dir: tempfile::TempDir,
    app: App,
}

async fn elsewhere(house: &House, vaults: Vaults) -> Elsewhere {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("witness")).unwrap();
    std::fs::copy(house.dir.path().join("master.key"), dir.path().join("master.key")).unwrap();
    let store = precordia_store::open_sqlite(SqliteOptions::new(dir.path().join("data"))).await;
    let ports = ports_on(&dir, &store.unwrap(), &house.clock, "master.key");
    let app = App::new(Ports { vaults: Some(vaults), ..ports }, Settings::default());
    Elsewhere { dir, app }
}

fn request() -> RestoreRequest {
    RestoreRequest { reason: String::from("the disk failed"), ..RestoreRequest::default() }
}

async fn restored(house: &House, request: &RestoreRequest) -> (Elsewhere, Restored) {
    let there = elsewhere(house, vaults(house.dir.path())).await;
    let done = there.app.restore(request).await.unwrap();
    (there, done)
}

impl Elsewhere {
    async fn scope(&self, house: &House) -> OrgScope {
        scope_of(&self.app, &sign_in(&self.app, &house.slug, "all").await.cookie).await
    }

    /// The books close, the chains hold, and every view is what its events say.
    async fn check(&self) {
        for report in self.app.balance_all().await.unwrap() {
            assert!(report.closes(), "{:?}", report.disagreements);
        }
        for report in self.app.verify_all().await.unwrap() {
            assert!(report.views.as_ref().unwrap().is_equal(), "{report:?}");
            assert!(report.logs.iter().all(|log| log.findings.is_empty()), "{report:?}");
        }
    }

    fn on_disk(&self, text: &str) -> Vec<String> {
        crate::house::find_on_disk(self.dir.path(), text)
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, AppError>) -> String {
    match result {
        Err(AppError::Refused { code, .. }) => code.to_owned(),
        Err(other) => other.to_string(),
        Ok(done) => panic!("{done:?}"),
    }
}

async fn opens(app: &App, scope: &OrgScope, id: RecordingId) {
    app.recording(scope, id).await.unwrap();
    app.waveform(scope, id).await.unwrap();
    app.original(scope, id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_comes_back_from_a_backup() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (first, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (second, b) = house.filed(&file("B-1", "Germain", 2)).await;
    house.app.merge(&house.all, a, b, "the same person").await.unwrap();
    let item = house.send(&file("B-1", "Lovelace", 3)).await;
    let held = house.decided(item).await.row.recording.unwrap();
    let item = house.send(&file("A-1", "Noether", 1)).await;
    assert_eq!(house.decided(item).await.row.state, ItemState::Linked);
    let item = house.send(b"not an ECG").await;
    assert_eq!(house.decided(item).await.row.state, ItemState::Quarantined);
    working.end().await;
    // Received and not yet worked on: its work comes back, too.
    let waiting = house.send(&file("C-1", "Agnesi", 4)).await;
    let alarm = Alarm::new(AlarmCode::DiskLow, AlarmSubject::platform("disk"));
    house.app.alarms().raise(alarm).await;
    let done = keeping(&house).back_up_all().await.unwrap();
    assert!(done.iter().all(|one| one.complete), "{done:?}");
    assert_eq!(done[1].new_blobs, 5);

    let (there, done) = restored(&house, &request()).await;
    assert_eq!(done.unknown, Vec::<String>::new());
    let own = &done.realms[1];
    assert_eq!((own.organization.as_deref(), own.blobs), (Some(house.slug.as_str()), 5));
    assert_eq!((own.blobs_missing, own.erasures), (0, 0));
    assert_eq!(own.events.restored, own.events.backup);
    there.check().await;
    // The witness of before proves what came back.
    let signer = there.app.signer().await.unwrap();
    house.app.checkpoint_all().await.unwrap();
    for realm in &done.realms {
        let proven = there.app.proven_by(house.ports.witness.clone(), realm, &signer).await;
        let proven = proven.unwrap().unwrap();
        assert!(proven.logs.iter().all(|log| log.findings.is_empty()), "{proven:?}");
    }
    // People sign in with their passwords and see what they saw.
    let scope = there.scope(&house).await;
    for id in [first, second, held] {
        opens(&there.app, &scope, id).await;
        let before = house.app.recording(&house.all, id).await.unwrap();
        let after = there.app.recording(&scope, id).await.unwrap();
        assert_eq!(
            format!("{:?}", before.head.row.patient),
            format!("{:?}", after.head.row.patient)
        );
        assert_eq!(before.facts, after.facts);
        assert_eq!(
            house.app.original(&house.all, id).await.unwrap().0,
            there.app.original(&scope, id).await.unwrap().0
        );
    }
    let _working = Working::on(&there.app);
    let item = there.app.wait_for_item(&scope, waiting, std::time::Duration::from_secs(60)).await;
    assert_eq!(item.unwrap().row.state, ItemState::Filed);
    // Effect keys are back: the same bytes are known, the same person is the same patient.
    let again = crate::house::send(&there.app, &scope, &file("A-1", "Noether", 1)).await;
    let item = there.app.wait_for_item(&scope, again, std::time::Duration::from_secs(60)).await;
    assert_eq!(item.unwrap().row.state, ItemState::Linked);
    there.check().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_takes_what_is_new_and_nothing_else() {
    let house = house().await;
    let _working = Working::on(&house.app);
    house.filed(&file("A-1", "Noether", 1)).await;
    let app = keeping(&house);
    app.back_up_all().await.unwrap();
    let nothing = app.back_up((&house.all).into()).await.unwrap();
    assert_eq!((nothing.new_rows, nothing.new_blobs), (0, 0));
    let before = nothing.events;
    house.filed(&file("A-1", "Noether", 2)).await;
    let more = app.back_up((&house.all).into()).await.unwrap();
    assert_eq!((more.new_blobs, more.complete), (1, true));
    let accesses = more.accesses - nothing.accesses;
    assert_eq!(more.new_rows, more.events - before + accesses);
    let state = app.backup_state((&house.all).into()).await.unwrap().unwrap();
    assert_eq!((state.events, state.blobs), (more.events, 2));
    let (there, _) = restored(&house, &request()).await;
    assert_eq!(
        there
            .app
            .worklist(&there.scope(&house).await, Default::default())
            .await
            .unwrap()
            .rows
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_original_that_is_not_in_the_backup_is_missed_whatever_became_of_its_item() {
    let house = house().await;
    let working = Working::on(&house.app);
    house.filed(&file("A-1", "Noether", 1)).await;
    let item = house.send(b"not an ECG").await;
    house.decided(item).await;
    working.end().await;
    keeping(&house).back_up_all().await.unwrap();
    let files = crate::house::files_under(&house.dir.path().join("vault-data"));
    let is_blob = |path: &&std::path::PathBuf| path.iter().any(|part| part == "blobs");
    for (missing, path) in (1..).zip(files.iter().filter(is_blob)) {
        std::fs::remove_file(path).unwrap();
        let (_, done) = restored(&house, &request()).await;
        assert_eq!((done.realms[1].blobs, done.realms[1].blobs_missing), (2 - missing, missing));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_that_was_never_backed_up_comes_back_empty_and_works() {
    let house = house().await;
    let app = keeping(&house);
    app.back_up_all().await.unwrap();
    let (late, _) = crate::house::organization(&house.app, "late").await;
    app.back_up_platform().await;
    let (there, done) = restored(&house, &request()).await;
    assert_eq!(done.unknown, [late.organization().to_string()]);
    there.check().await;
    let names = there.app.organizations(&there.app.local_operator()).await.unwrap();
    assert_eq!(names.len(), 2);
    // Nobody can sign in to it; its operator makes it anew under the same name.
    let applied = crate::house::apply(&there.app, "late").await;
    assert_eq!(applied.organization.id, late.organization());
}

/// What an erasure took is not in the backup after the next run, and no older state of the data brings it
/// back with the keys of now.
#[tokio::test(flavor = "multi_thread")]
async fn an_erasure_reaches_the_backup() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (gone, a) = house.filed(&file("A-77001", "Noether", 1)).await;
    let (kept, _) = house.filed(&file("B-77002", "Germain", 2)).await;
    working.end().await;
    let app = keeping(&house);
    app.back_up_all().await.unwrap();
    let old = tempfile::tempdir().unwrap();
    copy(&house.dir.path().join("vault-data"), &old.path().join("vault-data"));
    let position = app.backup_state((&house.all).into()).await.unwrap().unwrap().events;
    house.app.erase(&house.all, a, "Noether", "asked for", &[]).await.unwrap();
    let done = app.back_up((&house.all).into()).await.unwrap();
    assert_eq!(done.removed_blobs, 1);
    let files = crate::house::files_under(&house.dir.path().join("vault-keys"));
    let ends = files.iter().filter(|path| path.ends_with("end")).count();
    assert_eq!(ends, 2, "one set of keys a realm: {files:?}");

    // To the end, to before the erasure, and from a copy of the data that never heard of it.
    let earlier =
        RestoreRequest { positions: [(house.slug.clone(), position)].into(), ..request() };
    let copied = Vaults {
        data: precordia_store::vault_in(&old.path().join("vault-data"), &[]).unwrap(),
        keys: vaults(house.dir.path()).keys,
    };
    for (n, request, from) in [
        (0, request(), vaults(house.dir.path())),
        (1, earlier, vaults(house.dir.path())),
        (2, request(), copied),
    ] {
        let there = elsewhere(&house, from).await;
        let done = there.app.restore(&request).await.unwrap();
        assert_eq!(done.realms[1].erasures, u64::from(n == 1), "{n}");
        let scope = there.scope(&house).await;
        opens(&there.app, &scope, kept).await;
        assert!(there.app.recording(&scope, gone).await.is_err(), "{n}");
        assert!(there.app.patient_page(&scope, a).await.is_err(), "{n}");
        for text in ["Noether", "A-77001"] {
            assert_eq!(there.on_disk(text), Vec::<String>::new(), "{n}");
            let query = precordia_app::WorklistQuery {
                patient: Some(text.into()),
                limit: 10,
                ..Default::default()
            };
            let found = there.app.worklist(&scope, query).await.unwrap().rows;
            assert_eq!(found.len(), 0, "{n}");
        }
        if n < 2 {
            there.check().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organization_is_put_back_to_an_earlier_event() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (first, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let position = house.app.verify_all().await.unwrap()[1].logs[0].rows;
    let (later, b) = house.filed(&file("B-1", "Germain", 2)).await;
    house.app.unassign(&house.all, first, "not theirs").await.unwrap();
    house.app.assign(&house.all, first, b).await.unwrap();
    working.end().await;
    keeping(&house).back_up_all().await.unwrap();
    let positions = [(house.slug.clone(), position)].into();
    let (there, done) = restored(&house, &RestoreRequest { positions, ..request() }).await;
    let own = &done.realms[1];
    assert_eq!(own.events.restored, position);
    assert!(own.events.backup > position);
    assert_eq!(
        own.accesses.restored, own.accesses.backup,
        "who looked at what is never taken back"
    );
    there.check().await;
    let scope = there.scope(&house).await;
    opens(&there.app, &scope, first).await;
    assert_eq!(there.app.recording(&scope, first).await.unwrap().head.row.patient, Some(a));
    assert!(there.app.recording(&scope, later).await.is_err());
    // Its key was moved under the later patient's, who was never here: an erasure of the one reaches it.
    there.app.erase(&scope, a, "Noether", "asked for", &[]).await.unwrap();
    assert!(there.app.recording(&scope, first).await.is_err());
    there.check().await;

    let before = precordia_model::Timestamp(0);
    let (there, done) =
        restored(&house, &RestoreRequest { before: Some(before), ..request() }).await;
    assert_eq!(done.realms[1].events.restored, 0);
    assert_eq!(done.realms[0].events.restored, done.realms[0].events.backup);
    assert!(there.app.balance_all().await.unwrap()[0].closes());
    let positions = [(house.slug.clone(), 1_000_000)].into();
    let there = elsewhere(&house, vaults(house.dir.path())).await;
    let refused = there.app.restore(&RestoreRequest { positions, ..request() }).await;
    assert_eq!(code(refused), "beyond_backup");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_as_it_was_is_refused() {
    let house = house().await;
    let working = Working::on(&house.app);
    house.filed(&file("A-1", "Noether", 1)).await;
    working.end().await;
    let app = keeping(&house);
    app.back_up_all().await.unwrap();
    let realm = house.dir.path().join("vault-data").join(house.all.organization().to_string());
    let files = crate::house::files_under(house.dir.path().join("vault-data").as_path());
    let keys = crate::house::files_under(house.dir.path().join("vault-keys").as_path());
    for path in files.iter().chain(&keys) {
        let whole = std::fs::read(path).unwrap();
        let mut changed = whole.clone();
        let middle = changed.len() / 2;
        changed[middle] ^= 1;
        std::fs::write(path, &changed).unwrap();
        let there = elsewhere(&house, vaults(house.dir.path())).await;
        let outcome = there.app.restore(&request()).await;
        std::fs::write(path, &whole).unwrap();
        // An original is sealed by its own key and tells when it is opened.
        if path.components().any(|part| part.as_os_str() == "blobs") {
            let done = outcome.unwrap();
            let scope = there.scope(&house).await;
            let rows = there.app.worklist(&scope, Default::default()).await.unwrap().rows;
            assert_eq!((rows.len(), done.realms[1].blobs), (1, 1));
            assert!(there.app.original(&scope, rows[0].row.id).await.is_err());
        } else {
            assert!(outcome.is_err(), "{}", path.display());
        }
    }
    // A file of rows that is gone.
    let segment = std::fs::read_dir(realm.join("events")).unwrap().next().unwrap().unwrap().path();
    app.back_up_all().await.unwrap();
    let working = Working::on(&house.app);
    house.filed(&file("A-1", "Noether", 2)).await;
    working.end().await;
    app.back_up_all().await.unwrap();
    std::fs::rename(&segment, house.dir.path().join("aside")).unwrap();
    let there = elsewhere(&house, vaults(house.dir.path())).await;
    let lacks = code(there.app.restore(&request()).await);
    assert!(lacks.contains("lacks row 1 "), "{lacks}");
    std::fs::rename(house.dir.path().join("aside"), &segment).unwrap();
    // A storage that has something already, be it what an unfinished restore left.
    assert_eq!(code(there.app.restore(&request()).await), "not_empty");
    let again = elsewhere(&house, vaults(house.dir.path())).await;
    again.app.restore(&request()).await.unwrap();
    assert_eq!(code(again.app.restore(&request()).await), "not_empty");
    // The history that was restored went on here and there: the backup is of one of them.
    house.app.checkpoint_all().await.unwrap();
    app.back_up_all().await.unwrap();
    let working = Working::on(&house.app);
    house.filed(&file("A-1", "Noether", 3)).await;
    working.end().await;
    app.back_up_all().await.unwrap();
    assert_eq!(code(again.app.back_up_all().await), "backup_of_another");
}

/// A vault whose process dies at a chosen call.
struct Dying {
    vault: Arc<dyn Vault>,
    left: Arc<AtomicUsize>,
}

impl Dying {
    fn step(&self) -> Result<(), StoreError> {
        let more = |left: usize| left.checked_sub(1);
        let message = String::from("the process was killed");
        let left = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        left.map(drop).map_err(|_| StoreError::Failed { context: "dying", message })
    }
}

struct DyingWriter {
    writer: Box<dyn BlobWriter>,
    left: Arc<AtomicUsize>,
}

#[async_trait]
impl BlobWriter for DyingWriter {
    async fn write(&mut self, bytes: Bytes) -> Result<(), StoreError> {
        self.writer.write(bytes).await
    }

    async fn finish(self: Box<Self>) -> Result<(), StoreError> {
        let dying =
            Dying { vault: precordia_store::vault_in(Path::new("-"), &[])?, left: self.left };
        dying.step()?;
        self.writer.finish().await?;
        // It had its effect and nobody heard of it.
        dying.step()
    }

    async fn abandon(self: Box<Self>) {
        self.writer.abandon().await;
    }
}

#[async_trait]
impl Vault for Dying {
    async fn create(&self, name: &str) -> Result<Box<dyn BlobWriter>, StoreError> {
        self.step()?;
        let writer = self.vault.create(name).await?;
        Ok(Box::new(DyingWriter { writer, left: self.left.clone() }))
    }

    async fn read(
        &self,
        name: &str,
        offset: u64,
        length: u32,
    ) -> Result<Option<Bytes>, StoreError> {
        self.vault.read(name, offset, length).await
    }

    async fn list(&self, folder: &str) -> Result<Vec<String>, StoreError> {
        self.vault.list(folder).await
    }

    async fn remove(&self, name: &str) -> Result<(), StoreError> {
        self.step()?;
        self.vault.remove(name).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_anywhere_is_gone_on_with() {
    let house = house().await;
    let working = Working::on(&house.app);
    let (_, a) = house.filed(&file("A-1", "Noether", 1)).await;
    let (kept, _) = house.filed(&file("B-1", "Germain", 2)).await;
    working.end().await;
    keeping(&house).back_up_all().await.unwrap();
    house.app.erase(&house.all, a, "Noether", "asked for", &[]).await.unwrap();
    for steps in 0.. {
        let copied = tempfile::tempdir().unwrap();
        for name in ["vault-data", "vault-keys"] {
            copy(&house.dir.path().join(name), &copied.path().join(name));
        }
        let left = Arc::new(AtomicUsize::new(steps));
        let dying = |vault| Arc::new(Dying { vault, left: left.clone() });
        let Vaults { data, keys } = vaults(copied.path());
        let killed = Some(Vaults { data: dying(data), keys: dying(keys) });
        let app = App::new(Ports { vaults: killed, ..house.ports.clone() }, Settings::default());
        let ended = app.back_up_all().await.is_ok();
        // Whatever was left: a restore brings back one of the states between the runs.
        let there = elsewhere(&house, vaults(copied.path())).await;
        there.app.restore(&request()).await.unwrap();
        let scope = there.scope(&house).await;
        opens(&there.app, &scope, kept).await;
        there.check().await;
        // The next run makes it whole, and the erased patient is gone.
        let whole = Some(vaults(copied.path()));
        let app = App::new(Ports { vaults: whole, ..house.ports.clone() }, Settings::default());
        app.back_up_all().await.unwrap();
        assert_eq!(app.back_up_all().await.unwrap()[1].new_rows, 0);
        let files = crate::house::files_under(&copied.path().join("vault-keys"));
        assert_eq!(files.iter().filter(|path| path.ends_with("envelope")).count(), 2, "{files:?}");
        let there = elsewhere(&house, vaults(copied.path())).await;
        there.app.restore(&request()).await.unwrap();
        let scope = there.scope(&house).await;
        assert!(there.app.patient_page(&scope, a).await.is_err());
        opens(&there.app, &scope, kept).await;
        if ended {
            assert!(steps > 8, "{steps}");
            return;
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap().path();
        let to = to.join(entry.file_name().unwrap());
        match entry.is_dir() {
            true => copy(&entry, &to),
            false => drop(std::fs::copy(&entry, &to).unwrap()),
        }
    }
}
