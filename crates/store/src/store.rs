//! The storage of one program: which realms are open, and how the ports reach their tables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use precordia_app::port::{
    Append, Batch, Clock, MasterKey, NoChannels, Ports, Random, Realm, RealmId, StoreError, Witness,
};
use precordia_model::OrganizationId;
use tokio::sync::OnceCell;
use tokio_postgres::Config;

use crate::append;
use crate::blob::BlobRoot;
use crate::commit::Committer;
use crate::directories;
use crate::engine::postgres::PostgresSchema;
use crate::engine::postgres_pool::Pool;
use crate::engine::postgres_tls::Connector;
use crate::engine::sqlite::{SqliteDatabase, SqlitePlace};
use crate::engine::{
    Connection, Database, DbError, Query, Row, Script, Statement, TransactionError, Value,
};
use crate::files::{Files, LocalFiles};
use crate::migration::Shape;
use crate::syncs::{SyncAlarm, Syncs, WatchedFiles};

/// The embedded default: everything under one directory.
#[derive(Clone)]
pub struct SqliteOptions {
    /// Holds `control.db` and `org/<id>/` for each organization. Created if absent, for this user only.
    pub data_dir: PathBuf,
    /// Organizations whose files are open at once; the least recently used is closed.
    pub organizations_open_max: usize,
    /// The machine's own, unless a test wants worse ones.
    pub files: Arc<dyn Files>,
    /// Pages of a journal from which a commit moves them to the main file.
    pub journal_pages: u32,
    pub on_failed_sync: SyncAlarm,
}

impl SqliteOptions {
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            organizations_open_max: 64,
            files: Arc::new(LocalFiles),
            journal_pages: 4000,
            on_failed_sync: SyncAlarm::default(),
        }
    }
}

/// Tables on a PostgreSQL server, blobs in a directory.
#[derive(Clone, Debug)]
pub struct PostgresOptions {
    /// A connection string of PostgreSQL: `postgresql://user:password@host/database` or `host=… user=…`.
    ///
    /// The login role needs `CREATEROLE`, and `CREATE` on the database; it must be no superuser and, before
    /// PostgreSQL 16, be `NOINHERIT`.
    pub connection: String,
    /// PEM certificates that the server's certificate must chain to. Without them the server must be on
    /// this machine.
    pub tls_ca_file: Option<PathBuf>,
    /// Holds `org/<id>/blobs`.
    pub data_dir: PathBuf,
    pub connections_max: usize,
    /// Organizations whose committers are kept; the least recently used is stopped.
    pub organizations_open_max: usize,
    /// Of blobs; the server looks after its own.
    pub on_failed_sync: SyncAlarm,
}

impl PostgresOptions {
    pub fn new(connection: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        Self {
            connection: connection.into(),
            tls_ca_file: None,
            data_dir: data_dir.into(),
            connections_max: 16,
            organizations_open_max: 1024,
            on_failed_sync: SyncAlarm::default(),
        }
    }
}

/// Every storage port, on one of the two engines. Several may be open on the same data, in one process
/// or in many.
pub struct Store {
    engine: Engine,
    open_max: usize,
    realms: Mutex<Realms>,
    pub(crate) blobs: BlobRoot,
}

enum Engine {
    Sqlite { files: Arc<dyn Files>, syncs: Syncs, journal_pages: u32, data_dir: PathBuf },
    Postgres { pool: Arc<Pool> },
}

/// A realm in use: its tables and its committer.
pub(crate) struct OpenRealm {
    pub(crate) database: Arc<Database>,
    committer: Committer,
}

/// Opened by the first who comes; the others wait for it.
type Opening = Arc<OnceCell<Arc<OpenRealm>>>;

#[derive(Default)]
struct Place {
    opening: Opening,
    /// The use that was last.
    used: u64,
}

#[derive(Default)]
struct Realms {
    open: BTreeMap<RealmId, Place>,
    uses: u64,
}

/// Opens the embedded storage and brings the control ledger up to date.
pub async fn open_sqlite(options: SqliteOptions) -> Result<Arc<Store>, StoreError> {
    let SqliteOptions { files, data_dir, journal_pages, .. } = options;
    let syncs = Syncs::new(options.on_failed_sync);
    let files: Arc<dyn Files> = Arc::new(WatchedFiles { files, syncs: syncs.clone() });
    let control = data_dir.join("control.db");
    directories::create_file(&files, &data_dir, &control).await?;
    let blobs = BlobRoot::new(Arc::clone(&files), &data_dir);
    let engine = Engine::Sqlite { files, syncs, journal_pages, data_dir };
    Store::start(engine, options.organizations_open_max, blobs).await
}

/// Connects to the server and brings the control ledger up to date.
pub async fn open_postgres(options: PostgresOptions) -> Result<Arc<Store>, StoreError> {
    let context = "opening PostgreSQL";
    let failed = |message: &str| StoreError::Failed { context, message: String::from(message) };
    // The parser's own message may quote the password.
    let mut config: Config =
        options.connection.parse().map_err(|_| failed("the connection string is not readable"))?;
    config.application_name("precordia");
    let connector = Connector::new(&mut config, options.tls_ca_file.as_deref())?;
    let pool = Pool::new(config, connector, options.connections_max);
    let durable = pool.is_durable().await.map_err(|e| e.store(context))?;
    if !durable {
        return Err(failed(
            "the server runs with `fsync` or `full_page_writes` off, or `data_sync_retry` on",
        ));
    }
    if let Some(fault) = pool.login_fault().await.map_err(|e| e.store(context))? {
        return Err(failed(fault));
    }
    directories::create(&options.data_dir).await?;
    let platform = schema_name(RealmId::PLATFORM);
    PostgresSchema::provision(&pool, &platform, Shape::Platform)
        .await
        .map_err(|e| e.store(context))?;
    let syncs = Syncs::new(options.on_failed_sync);
    let files = WatchedFiles { files: Arc::new(LocalFiles), syncs };
    let blobs = BlobRoot::new(Arc::new(files), &options.data_dir);
    Store::start(Engine::Postgres { pool }, options.organizations_open_max, blobs).await
}

/// Puts the storage and the other adapters together as the use cases hold them. Channels for alarms are
/// not of the storage; whoever has some puts them in.
pub fn ports(
    store: &Arc<Store>,
    master: Arc<dyn MasterKey>,
    witness: Arc<dyn Witness>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
) -> Ports {
    Ports {
        log: Arc::<Store>::clone(store),
        items: Arc::<Store>::clone(store),
        recordings: Arc::<Store>::clone(store),
        patients: Arc::<Store>::clone(store),
        resources: Arc::<Store>::clone(store),
        accounts: Arc::<Store>::clone(store),
        directory: Arc::<Store>::clone(store),
        work: Arc::<Store>::clone(store),
        work_views: Arc::<Store>::clone(store),
        work_waiting: Arc::<Store>::clone(store),
        alarms: Arc::<Store>::clone(store),
        notifier: Arc::new(NoChannels),
        blobs: Arc::<Store>::clone(store),
        keys: Arc::<Store>::clone(store),
        restore: Arc::<Store>::clone(store),
        vaults: None,
        master,
        witness,
        clock,
        random,
    }
}

fn schema_name(realm: RealmId) -> String {
    match realm.0 {
        Some(organization) => format!("org_{}", organization.0.simple()),
        None => "precordia_platform".into(),
    }
}

fn ledger_path(data_dir: &Path, realm: RealmId) -> PathBuf {
    match realm.0 {
        Some(organization) => organization_dir(data_dir, organization).join("ledger.db"),
        None => data_dir.join("control.db"),
    }
}

pub(crate) fn organization_dir(data_dir: &Path, organization: OrganizationId) -> PathBuf {
    data_dir.join("org").join(organization.to_string())
}

const fn shape(realm: RealmId) -> Shape {
    match realm.0 {
        Some(_) => Shape::Organization,
        None => Shape::Platform,
    }
}

impl Store {
    async fn start(
        engine: Engine,
        open_max: usize,
        blobs: BlobRoot,
    ) -> Result<Arc<Self>, StoreError> {
        let store = Self { engine, open_max: open_max.max(1), realms: Mutex::default(), blobs };
        store.realm_by_id(RealmId::PLATFORM).await?;
        Ok(Arc::new(store))
    }

    pub(crate) async fn provision_organization(
        &self,
        organization: OrganizationId,
    ) -> Result<(), StoreError> {
        let realm = RealmId(Some(organization));
        match &self.engine {
            Engine::Sqlite { files, data_dir, .. } => {
                let ledger = ledger_path(data_dir, realm);
                directories::create_file(files, data_dir, &ledger).await?;
            }
            Engine::Postgres { pool } => {
                PostgresSchema::provision(pool, &schema_name(realm), Shape::Organization)
                    .await
                    .map_err(|e| e.store("provisioning an organization"))?;
            }
        }
        self.blobs.provision(organization).await?;
        self.realm_by_id(realm).await.map(drop)
    }

    pub(crate) async fn realm(&self, realm: Realm<'_>) -> Result<Arc<OpenRealm>, StoreError> {
        self.realm_by_id(realm.id()).await
    }

    async fn realm_by_id(&self, realm: RealmId) -> Result<Arc<OpenRealm>, StoreError> {
        let opening = self.place(realm);
        let opened = opening.get_or_try_init(|| self.open(realm)).await.cloned();
        if opened.is_err() {
            self.realms.lock().unwrap_or_else(PoisonError::into_inner).open.remove(&realm);
        }
        opened
    }

    /// The realm's place among those that are open; makes room for it.
    fn place(&self, realm: RealmId) -> Opening {
        let mut guard = self.realms.lock().unwrap_or_else(PoisonError::into_inner);
        let realms = &mut *guard;
        realms.uses += 1;
        let place = realms.open.entry(realm).or_default();
        place.used = realms.uses;
        let opening = Arc::clone(&place.opening);
        while realms.open.len() > self.open_max + 1 {
            // The control ledger stays; it is needed all the time.
            let organizations = realms.open.iter().filter(|(id, _)| **id != RealmId::PLATFORM);
            let oldest = organizations.min_by_key(|(_, place)| place.used).map(|(id, _)| *id);
            let Some(oldest) = oldest else { break };
            realms.open.remove(&oldest);
        }
        opening
    }

    async fn open(&self, realm: RealmId) -> Result<Arc<OpenRealm>, StoreError> {
        let context = "opening an organization's storage";
        let unknown = || match realm.0 {
            Some(organization) => StoreError::UnknownOrganization(organization),
            None => DbError::Unable("the control ledger is gone".into()).store(context),
        };
        let database = match &self.engine {
            Engine::Sqlite { files, syncs, journal_pages, data_dir } => {
                let path = ledger_path(data_dir, realm);
                let looked_at = path.clone();
                let look = move |files: &dyn Files| files.exists(&looked_at);
                if !directories::run_on(files, context, look).await? {
                    return Err(unknown());
                }
                let (files, syncs) = (Arc::clone(files), syncs.clone());
                let place = SqlitePlace { path, files, syncs, journal_pages: *journal_pages };
                let database = SqliteDatabase::open(place, shape(realm)).await;
                Database::Sqlite(Arc::new(database.map_err(|e| e.store(context))?))
            }
            Engine::Postgres { pool } => {
                let name = schema_name(realm);
                let schema = PostgresSchema::open(Arc::clone(pool), name, shape(realm)).await;
                Database::Postgres(schema.map_err(|e| e.store(context))?.ok_or_else(unknown)?)
            }
        };
        let database = Arc::new(database);
        let committer = Committer::start(Arc::clone(&database), realm);
        Ok(Arc::new(OpenRealm { database, committer }))
    }

    pub(crate) async fn commit(
        &self,
        realm: Realm<'_>,
        batch: Batch,
    ) -> Result<Append, StoreError> {
        if let Some(fault) = append::fault(&batch) {
            return Err(StoreError::Failed { context: "appending", message: fault.into() });
        }
        let open = self.realm(realm).await?;
        open.committer.append(batch).await
    }

    /// All rows of a search, each read by `read`.
    pub(crate) async fn find<T: Send + 'static>(
        &self,
        realm: Realm<'_>,
        context: &'static str,
        query: Query,
        read: fn(Row) -> Result<T, DbError>,
    ) -> Result<Vec<T>, StoreError> {
        let open = self.realm(realm).await?;
        let rows = open.database.read(move |connection: &mut dyn Connection| {
            Box::pin(async move {
                query.rows(connection).await?.into_iter().map(read).collect::<Result<Vec<_>, _>>()
            })
        });
        rows.await.map_err(|e| e.store(context))
    }

    pub(crate) async fn find_one<T: Send + 'static>(
        &self,
        realm: Realm<'_>,
        context: &'static str,
        query: Query,
        read: fn(Row) -> Result<T, DbError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.find(realm, context, query, read).await?.into_iter().next())
    }

    /// Statements in a transaction of their own, outside the logs.
    pub(crate) async fn run(
        &self,
        realm: Realm<'_>,
        context: &'static str,
        script: Script<'static>,
    ) -> Result<(), StoreError> {
        let open = self.realm(realm).await?;
        let done = open.database.write(move |connection: &mut dyn Connection| {
            Box::pin(async move { connection.run(&script).await })
        });
        done.await.map_err(|e: TransactionError| e.store(context))
    }

    /// A statement in a transaction of its own that answers rows.
    pub(crate) async fn change(
        &self,
        realm: Realm<'_>,
        context: &'static str,
        sql: &'static str,
        params: Vec<Value<'static>>,
    ) -> Result<Vec<Row>, StoreError> {
        let open = self.realm(realm).await?;
        let statement = Statement { sql, params };
        let rows = open.database.write(move |connection: &mut dyn Connection| {
            Box::pin(async move { connection.query(statement.sql, &statement.params).await })
        });
        rows.await.map_err(|e| e.store(context))
    }
}
