//! An organization with staff on the embedded storage, a clock that can be moved, and files to send.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use precordia_app::access::{OrgScope, Session, SignedIn};
use precordia_app::port::{Clock, Ports};
use precordia_app::{
    App, Applied, Arrival, Item, NewUser, OrganizationSpec, ReceiveError, Settings, SiteSpec, Stop,
    WorklistQuery, WorklistRow,
};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_model::{
    DevicePatient, Door, ItemId, ItemState, PartialDate, PatientId, Phi, Recording, RecordingId,
    Role, Sex, Timestamp, UserId,
};
use precordia_store::{SecureRandom, SqliteOptions, Store, SystemClock};
use precordia_synth::{Spec, synthesize};
use zeroize::Zeroizing;

pub const PASSWORD: &str = "a trace of twelve leads";

/// The machine's time, moved by hand.
#[derive(Default)]
pub struct MovedClock(AtomicI64);

impl MovedClock {
    pub fn advance(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for MovedClock {
    fn now(&self) -> Timestamp {
        Timestamp(SystemClock.now().micros() + self.0.load(Ordering::SeqCst))
    }
}

pub struct House {
    pub dir: tempfile::TempDir,
    pub store: Arc<Store>,
    pub ports: Ports,
    pub app: App,
    pub clock: Arc<MovedClock>,
    pub slug: String,
    /// Every role of an organization at once.
    pub all: OrgScope,
    pub all_cookie: String,
    pub admin: OrgScope,
}

pub async fn house() -> House {
    house_with(Settings { workers: Some(2), ..Settings::default() }).await
}

pub async fn house_with(settings: Settings) -> House {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("witness")).unwrap();
    let clock = Arc::new(MovedClock::default());
    let store = precordia_store::open_sqlite(SqliteOptions::new(dir.path().join("data"))).await;
    let store = store.unwrap();
    let ports = ports_on(&dir, &store, &clock, "master.key");
    let app = App::new(ports.clone(), settings);
    let slug = String::from("riverside");
    let (admin, _) = organization(&app, &slug).await;
    let roles = vec![Role::Cardiologist, Role::OrganizationAdministrator, Role::Auditor];
    add_user(&app, &admin, "all", roles).await;
    let signed_in = sign_in(&app, &slug, "all").await;
    let all = scope_of(&app, &signed_in.cookie).await;
    let all_cookie = signed_in.cookie.to_string();
    House { dir, store, ports, app, clock, slug, all, all_cookie, admin }
}

pub fn ports_on(
    dir: &tempfile::TempDir,
    store: &Arc<Store>,
    clock: &Arc<MovedClock>,
    master: &str,
) -> Ports {
    let master = precordia_store::master_from_file(&dir.path().join(master), true).unwrap();
    let witness = precordia_store::witness_of(&dir.path().join("witness"));
    precordia_store::ports(store, master, witness, clock.clone(), Arc::new(SecureRandom))
}

/// A fresh organization and its administrator's handle.
pub async fn organization(app: &App, slug: &str) -> (OrgScope, SignedIn) {
    let code = apply(app, slug).await.setup_code.expect("a fresh organization has a set-up code");
    let signed_in = app.set_up(slug, &code, "admin", "O. Keeper", password()).await.unwrap();
    (scope_of(app, &signed_in.cookie).await, signed_in)
}

pub async fn apply(app: &App, slug: &str) -> Applied {
    let spec = OrganizationSpec {
        slug: slug.to_owned(),
        name: format!("House {slug}"),
        sites: vec![SiteSpec { name: "Ward".into(), time_zone: "Europe/London".into() }],
    };
    app.apply_organization(&app.local_operator(), &spec).await.unwrap()
}

pub fn password() -> Zeroizing<String> {
    Zeroizing::new(PASSWORD.to_owned())
}

pub async fn add_user(app: &App, admin: &OrgScope, name: &str, roles: Vec<Role>) -> UserId {
    let new = NewUser {
        user_name: name.to_owned(),
        display_name: format!("Display {name}"),
        roles,
        password: password(),
    };
    app.add_user(admin, new).await.unwrap().id
}

pub async fn sign_in(app: &App, slug: &str, name: &str) -> SignedIn {
    app.sign_in(slug, name, password(), "test").await.unwrap()
}

pub async fn session(app: &App, cookie: &str) -> Option<Session> {
    app.session(cookie, app.new_request()).await.unwrap()
}

pub async fn scope_of(app: &App, cookie: &str) -> OrgScope {
    session(app, cookie).await.expect("the session is valid").scope
}

pub fn person(id: &str, family: &str) -> DevicePatient {
    let said = |text: &str| (!text.is_empty()).then(|| Phi::new(text.to_owned()));
    DevicePatient {
        id: said(id),
        id_issuer: None,
        family: said(family),
        given: said("Emmy").into_iter().collect(),
        name_as_written: said(&format!("{family}^Emmy")),
        birth_date: Some(Phi::new(PartialDate::Day(1958, 3, 23))),
        sex: Some(Sex::Female),
        age_years: None,
    }
}

fn base() -> &'static Recording {
    static BASE: OnceLock<Recording> = OnceLock::new();
    BASE.get_or_init(|| {
        let spec = Spec { duration_s: 4.0, sampling_hz: 250.0, ..Spec::default() };
        synthesize(&spec).recording
    })
}

/// A DICOM ECG that names this person; another number is another content.
pub fn file_of(patient: DevicePatient, number: u32) -> Vec<u8> {
    let recording = Recording { patient, ..base().clone() };
    let id = |n: u32| format!("2.25.7311{n}{number:05}");
    let mut bytes = dicom::write(&recording, &ObjectIds::new(id(1), id(2), id(3))).unwrap();
    // Data Set Trailing Padding (FFFC,FFFC) carries the number.
    bytes.extend_from_slice(&[0xFC, 0xFF, 0xFC, 0xFF, b'O', b'B', 0, 0, 4, 0, 0, 0]);
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes
}

pub fn file(id: &str, family: &str, number: u32) -> Vec<u8> {
    file_of(person(id, family), number)
}

pub fn arrival(bytes: &[u8]) -> Arrival {
    Arrival {
        door: Door::Upload,
        site: None,
        file_name: Some(Phi::new(String::from("cart.dcm"))),
        declared_bytes: Some(bytes.len() as u64),
    }
}

pub async fn send(app: &App, scope: &OrgScope, bytes: &[u8]) -> ItemId {
    try_send(app, scope, bytes).await.unwrap()
}

pub async fn try_send(app: &App, scope: &OrgScope, bytes: &[u8]) -> Result<ItemId, ReceiveError> {
    let mut receiving = app.receive(scope, arrival(bytes)).await?;
    receiving.write(bytes).await?;
    receiving.finish().await
}

/// Workers that run until this is dropped or ended.
pub struct Working {
    stop: Stop,
    task: Option<tokio::task::JoinHandle<()>>,
}

impl Working {
    pub fn on(app: &App) -> Self {
        let stop = Stop::default();
        let (app, told) = (app.clone(), stop.clone());
        let task = tokio::spawn(async move { app.work(&told).await });
        Self { stop, task: Some(task) }
    }

    pub async fn end(mut self) {
        self.stop.now();
        let task = self.task.take().expect("workers end once");
        tokio::time::timeout(Duration::from_secs(20), task).await.expect("workers stop").unwrap();
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.stop.now();
    }
}

impl House {
    /// The same data through handles of their own, as a second process has them.
    pub async fn another_process(&self) -> App {
        let options = SqliteOptions::new(self.dir.path().join("data"));
        let store = precordia_store::open_sqlite(options).await.unwrap();
        let ports = ports_on(&self.dir, &store, &self.clock, "master.key");
        App::new(ports, Settings::default())
    }

    /// A fresh session of whoever holds every role, for a clock that was moved.
    pub async fn signed_in_again(&self) -> OrgScope {
        scope_of(&self.app, &sign_in(&self.app, &self.slug, "all").await.cookie).await
    }

    pub async fn send(&self, bytes: &[u8]) -> ItemId {
        send(&self.app, &self.all, bytes).await
    }

    pub async fn decided(&self, id: ItemId) -> Item {
        let item = self.app.wait_for_item(&self.all, id, Duration::from_secs(60)).await.unwrap();
        assert_ne!(item.row.state, ItemState::InFlight, "the item was not decided in a minute");
        item
    }

    /// Sends a file that is filed, and names its recording and patient.
    pub async fn filed(&self, bytes: &[u8]) -> (RecordingId, PatientId) {
        let item = self.send(bytes).await;
        let item = self.decided(item).await;
        assert_eq!(item.row.state, ItemState::Filed, "{:?}", item.details.reason);
        let recording = item.row.recording.unwrap();
        (recording, self.row(recording).await.row.patient.unwrap())
    }

    pub async fn row(&self, id: RecordingId) -> WorklistRow {
        self.app.recording(&self.all, id).await.unwrap().head
    }

    pub async fn worklist(&self) -> Vec<WorklistRow> {
        let query = WorklistQuery { limit: 200, ..WorklistQuery::default() };
        self.app.worklist(&self.all, query).await.unwrap().rows
    }

    /// Everything that must hold whatever was done: the books close and the chains verify.
    pub async fn check(&self) {
        for report in self.app.balance_all().await.unwrap() {
            assert!(report.closes(), "{:?}", report.disagreements);
        }
        for report in self.app.verify_all().await.unwrap() {
            assert!(report.is_clean(), "{report:?}");
        }
    }

    /// Whether text stands anywhere in the data directory, plain, in base64 or in UTF-16.
    pub fn on_disk(&self, text: &str) -> Vec<String> {
        find_on_disk(self.dir.path(), text)
    }

    pub fn bytes_on_disk(&self, wanted: &[u8]) -> bool {
        let mut found = false;
        walk(self.dir.path(), &mut |_, bytes| {
            found |= bytes.windows(wanted.len()).any(|window| window == wanted);
        });
        found
    }

    pub fn blob_files(&self) -> usize {
        let mut count = 0;
        walk(&self.dir.path().join("data").join("org"), &mut |path, _| {
            count += usize::from(path.components().any(|part| part.as_os_str() == "blobs"));
        });
        count
    }
}

pub fn find_on_disk(dir: &std::path::Path, text: &str) -> Vec<String> {
    use base64::Engine;
    let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let base64 = base64::engine::general_purpose::STANDARD_NO_PAD.encode(text);
    let needles = [text.as_bytes().to_vec(), base64.into_bytes(), utf16];
    let mut found = Vec::new();
    walk(dir, &mut |path, bytes| {
        for needle in &needles {
            if bytes.windows(needle.len()).any(|window| window == needle) {
                found.push(path.display().to_string());
            }
        }
    });
    found
}

pub fn files_under(dir: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    walk(dir, &mut |path, _| found.push(path.to_owned()));
    found.sort_unstable();
    found
}

fn walk(dir: &std::path::Path, see: &mut impl FnMut(&std::path::Path, &[u8])) {
    for entry in std::fs::read_dir(dir).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => walk(&path, see),
            false => see(&path, &std::fs::read(&path).unwrap_or_default()),
        }
    }
}

impl House {
    /// Waits until nothing is in flight.
    pub async fn settled(&self) {
        for _ in 0..6000 {
            let flying = self.app.items(&self.all, Some(ItemState::InFlight), None, 1).await;
            if flying.unwrap().is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("items are still in flight after two minutes");
    }
}
