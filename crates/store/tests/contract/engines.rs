//! The engines under test, and how a test gets a storage of its own on one of them.

use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Once};

use precordia_app::access::{OrgScope, PlatformScope};
use precordia_app::port::Directory;
use precordia_model::{OrganizationId, RequestId};
use precordia_store::{PostgresOptions, SqliteOptions, Store, open_postgres, open_sqlite};
use tempfile::TempDir;
use tokio_postgres::NoTls;

use crate::samples::uuid;
pub use crate::server::Server;

/// A storage that nobody else uses.
pub struct Opened {
    pub store: Arc<Store>,
    pub engine: Engine,
    dir: TempDir,
}

#[derive(Clone)]
pub enum Engine {
    Sqlite,
    Postgres { connection: String },
}

impl Opened {
    pub async fn sqlite() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = open_sqlite(SqliteOptions::new(dir.path())).await.unwrap();
        Self { store, engine: Engine::Sqlite, dir }
    }

    /// `None` where no PostgreSQL is installed; says so once.
    pub async fn postgres(cases: usize) -> Option<Self> {
        static SAID: Once = Once::new();
        let Some(server) = tokio::task::spawn_blocking(Server::get).await.unwrap() else {
            // Past the harness, which keeps what a passing test prints.
            SAID.call_once(|| {
                let _ = writeln!(std::io::stderr(), "skipped: no PostgreSQL ({cases} cases)");
            });
            return None;
        };
        let dir = tempfile::tempdir().unwrap();
        let connection = server.database().await;
        let store = open_postgres(PostgresOptions::new(&connection, dir.path())).await.unwrap();
        Some(Self { store, engine: Engine::Postgres { connection }, dir })
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self.engine, Engine::Sqlite)
    }

    /// Another handle on the same data, as another process would have.
    pub async fn again(&self) -> Arc<Store> {
        self.engine.open(self.dir()).await
    }

    pub async fn organization(&self) -> OrgScope {
        let organization = OrganizationId(uuid());
        self.store.provision(&platform(), organization).await.unwrap();
        scope(organization)
    }

    /// A plain connection of the login role, which sees nothing before it becomes a realm's.
    pub async fn raw_postgres(&self) -> Option<tokio_postgres::Client> {
        match &self.engine {
            Engine::Sqlite => None,
            Engine::Postgres { connection } => Some(connect(connection).await),
        }
    }

    pub fn raw_sqlite(&self, organization: OrganizationId) -> Option<rusqlite::Connection> {
        let path = self.dir().join(format!("org/{organization}/ledger.db"));
        self.is_sqlite().then(|| rusqlite::Connection::open(path).unwrap())
    }

    /// Holds the write lock of an organization, as another process that is slow would.
    pub async fn hold(&self, organization: OrganizationId) -> Held {
        if let Some(raw) = self.raw_sqlite(organization) {
            raw.execute_batch("BEGIN IMMEDIATE").unwrap();
            return Held::Sqlite(raw);
        }
        let raw = self.raw_postgres().await.unwrap();
        let schema = format!("org_{}", organization.0.simple());
        let lock =
            format!("SET ROLE \"{schema}\"; BEGIN; SELECT * FROM \"{schema}\".head FOR UPDATE");
        raw.batch_execute(&lock).await.unwrap();
        Held::Postgres(raw)
    }

    /// Every byte that the engine keeps in its files, the server's own journal left out.
    pub async fn raw_bytes(&self) -> Vec<u8> {
        let root = match self.raw_postgres().await {
            None => self.dir().to_owned(),
            Some(client) => {
                let server = Server::get().unwrap();
                server.admin().await.batch_execute("CHECKPOINT").await.unwrap();
                let sql = "SELECT CAST(oid AS text) FROM pg_database \
                           WHERE datname = current_database()";
                let oid: String = client.query_one(sql, &[]).await.unwrap().get(0);
                server.dir.join("data/base").join(oid)
            }
        };
        let mut bytes = Vec::new();
        let mut dirs = vec![root];
        while let Some(dir) = dirs.pop() {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    dirs.push(path);
                } else if let Ok(mut content) = std::fs::read(&path) {
                    // The server removes files of its own while they are read.
                    bytes.append(&mut content);
                }
            }
        }
        bytes
    }
}

/// A write lock. Nobody appends to the organization until it is released.
pub enum Held {
    Sqlite(rusqlite::Connection),
    Postgres(tokio_postgres::Client),
}

impl Held {
    pub async fn release(self) {
        match self {
            Held::Sqlite(raw) => raw.execute_batch("COMMIT").unwrap(),
            Held::Postgres(raw) => raw.batch_execute("COMMIT").await.unwrap(),
        }
    }
}

impl Engine {
    pub async fn open(&self, dir: &Path) -> Arc<Store> {
        match self {
            Engine::Sqlite => open_sqlite(SqliteOptions::new(dir)).await.unwrap(),
            Engine::Postgres { connection } => {
                open_postgres(PostgresOptions::new(connection, dir)).await.unwrap()
            }
        }
    }
}

pub fn scope(organization: OrganizationId) -> OrgScope {
    OrgScope::for_tests(organization, RequestId(uuid()))
}

pub fn platform() -> PlatformScope {
    PlatformScope::for_tests(RequestId(uuid()))
}

pub async fn connect(connection: &str) -> tokio_postgres::Client {
    let (client, driver) = tokio_postgres::connect(connection, NoTls).await.unwrap();
    tokio::spawn(driver);
    client
}

impl Server {
    /// A new database, and the connection string of a login role that may do what the product needs and
    /// no more.
    pub async fn database(&self) -> String {
        static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let guard = ONE_AT_A_TIME.lock().await;
        let admin = self.admin().await;
        let role = "SELECT 1 FROM pg_roles WHERE rolname = 'product'";
        if admin.query(role, &[]).await.unwrap().is_empty() {
            let create = "CREATE ROLE product LOGIN CREATEROLE NOINHERIT";
            admin.batch_execute(create).await.unwrap();
        }
        let name = format!("test_{}", uuid().simple());
        let create = format!("CREATE DATABASE {name} OWNER product");
        admin.batch_execute(&create).await.unwrap();
        drop(guard);
        format!("{} user=product dbname={name}", self.address())
    }

    fn address(&self) -> String {
        format!("host={} port={}", self.dir.display(), self.port)
    }

    /// The server's superuser, whom the product never is.
    pub async fn admin(&self) -> tokio_postgres::Client {
        connect(&format!("{} user=postgres", self.address())).await
    }
}
