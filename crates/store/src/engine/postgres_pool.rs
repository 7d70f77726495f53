//! A bounded set of PostgreSQL connections, each with the statements that it has prepared.
//!
//! A connection goes back only when its transaction is known to be over; one whose caller went away is
//! closed, and the server rolls back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::{Client, Config, Statement};

use super::DbError;
use super::postgres::failed;
use super::postgres_tls::Connector;

/// Distinct statements of the product and shapes of searches, with room.
const STATEMENTS_CACHED_MAX: usize = 512;

/// How long a caller waits for another's connection.
const TURN_WAIT_MAX: Duration = Duration::from_secs(30);

/// How long opening a connection may take, unless the connection string says so.
const CONNECT_WAIT_MAX: Duration = Duration::from_secs(10);

/// A network that swallows everything is noticed after so long.
const SILENCE_MAX: Duration = Duration::from_secs(60);

pub(crate) struct Pool {
    config: Config,
    connect_wait_max: Duration,
    connector: Connector,
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<PgClient>>,
}

impl Pool {
    pub(crate) fn new(
        mut config: Config,
        connector: Connector,
        connections_max: usize,
    ) -> Arc<Self> {
        config.keepalives_idle(SILENCE_MAX).tcp_user_timeout(SILENCE_MAX);
        Arc::new(Self {
            connect_wait_max: config.get_connect_timeout().copied().unwrap_or(CONNECT_WAIT_MAX),
            config,
            connector,
            permits: Arc::new(Semaphore::new(connections_max.max(1))),
            idle: Mutex::default(),
        })
    }

    /// Waits for a free place, then takes an idle connection or opens one.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Taken, DbError> {
        let free = Arc::clone(&self.permits).acquire_owned();
        let permit = tokio::time::timeout(TURN_WAIT_MAX, free).await;
        let busy = || DbError::Unable("every connection to PostgreSQL is in use".into());
        let permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
        let client = match self.idle_client() {
            Some(client) => client,
            None => self.connect().await?,
        };
        Ok(Taken { client: Some(client), pool: Arc::clone(self), _permit: permit })
    }

    /// Whether what the server calls committed is on stable storage.
    pub(crate) async fn is_durable(self: &Arc<Self>) -> Result<bool, DbError> {
        let mut taken = self.take().await?;
        let sql = "SELECT current_setting('fsync') = 'on' \
                   AND current_setting('full_page_writes') = 'on' \
                   AND COALESCE(current_setting('data_sync_retry', true), 'off') = 'off'";
        let row = taken.client().client.query_one(sql, &[]).await.map_err(failed)?;
        taken.give_back();
        row.try_get(0).map_err(failed)
    }

    /// Why the login role must not be used: it could read every organization without becoming its role.
    pub(crate) async fn login_fault(self: &Arc<Self>) -> Result<Option<&'static str>, DbError> {
        let mut taken = self.take().await?;
        let sql = "SELECT rolsuper, rolinherit \
                     AND CAST(current_setting('server_version_num') AS int) < 160000 \
                   FROM pg_roles WHERE CAST(rolname AS text) = CAST(current_user AS text)";
        let row = taken.client().client.query_one(sql, &[]).await.map_err(failed)?;
        taken.give_back();
        let (superuser, inherits) =
            (row.try_get(0).map_err(failed)?, row.try_get(1).map_err(failed)?);
        Ok(match (superuser, inherits) {
            (true, _) => Some("the login role is a superuser; give the program a role of its own"),
            (_, true) => Some("the login role inherits; run `ALTER ROLE … NOINHERIT` for it"),
            _ => None,
        })
    }

    fn idle_client(&self) -> Option<PgClient> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|client| !client.client.is_closed());
        idle.pop()
    }

    async fn connect(&self) -> Result<PgClient, DbError> {
        // The driver's own bound ends with the network's handshake; a server may also fall silent after it.
        let connected =
            tokio::time::timeout(self.connect_wait_max, self.connector.connect(&self.config)).await;
        let silent = || DbError::Unable("PostgreSQL did not answer in time".into());
        let client = connected.map_err(|_| silent())?.map_err(failed)?;
        Ok(PgClient { client, statements: HashMap::new() })
    }
}

pub(crate) struct PgClient {
    pub(crate) client: Client,
    statements: HashMap<String, Statement>,
}

impl PgClient {
    pub(crate) async fn prepared(&mut self, sql: &str) -> Result<Statement, DbError> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await.map_err(failed)?;
        if self.statements.len() >= STATEMENTS_CACHED_MAX {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), statement.clone());
        Ok(statement)
    }
}

/// A connection in use. Dropped without [`Taken::give_back`], it is closed.
pub(crate) struct Taken {
    client: Option<PgClient>,
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Taken {
    pub(crate) fn client(&mut self) -> &mut PgClient {
        self.client.as_mut().expect("only a failed reconnect leaves it empty, and ends the use")
    }

    /// Closes the connection and opens another in its place.
    pub(crate) async fn reconnect(&mut self) -> Result<(), DbError> {
        self.client = None;
        self.client = Some(self.pool.connect().await?);
        Ok(())
    }

    pub(crate) fn give_back(mut self) {
        if let Some(client) = self.client.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(client);
        }
    }
}
