//! Rows of a backup, put back as they were.

use async_trait::async_trait;
use precordia_app::chain::Frontier;
use precordia_app::port::{
    KeyRow, LogName, Position, Realm, Restore, RestoredRows, Secrets, StoreError, StoredAccess,
    StoredEvent, StoredResource,
};

use crate::engine::{Connection, DbError, Script, Statement};
use crate::log::{self, LogEnd};
use crate::store::Store;
use crate::{account, key};

fn event(event: StoredEvent) -> Statement<'static> {
    Statement {
        sql: log::PUT_EVENT,
        params: vec![
            event.position.into(),
            event.stream.into(),
            event.version.into(),
            event.kind.into(),
            event.schema.into(),
            event.actor.into(),
            event.at.into(),
            event.cause.into(),
            event.request.into(),
            event.payload.into(),
            event.resources.into(),
            event.previous.into(),
            event.hash.into(),
        ],
    }
}

fn resource(resource: StoredResource) -> Statement<'static> {
    Statement {
        sql: crate::resource::PUT,
        params: vec![
            resource.position.into(),
            resource.ordinal.into(),
            resource.kind.into(),
            resource.id.into(),
            resource.version.into(),
            resource.at.into(),
            resource.deleted.into(),
            resource.body.into(),
        ],
    }
}

fn access(row: StoredAccess) -> Statement<'static> {
    Statement {
        sql: log::PUT_ACCESS,
        params: vec![
            row.position.into(),
            row.at.into(),
            row.actor.into(),
            row.roles.into(),
            row.action.into(),
            row.target.into(),
            row.purpose.into(),
            row.outcome.into(),
            row.request.into(),
            row.detail.into(),
            row.previous.into(),
            row.hash.into(),
        ],
    }
}

/// Refused unless the log ends at `after`.
async fn put(
    connection: &mut dyn Connection,
    script: &Script<'static>,
    log: LogName,
    after: Position,
) -> Result<(), DbError> {
    let ends = log::lock_ends(connection).await?;
    let now = match log {
        LogName::Events => ends.events.position,
        LogName::Access => ends.access.position,
    };
    if now != after {
        let text = format!("the log ends at {now}, and the rows follow {after}");
        return Err(DbError::Refused(text));
    }
    connection.run(script).await
}

#[async_trait]
impl Restore for Store {
    async fn put_rows(&self, realm: Realm<'_>, rows: RestoredRows) -> Result<(), StoreError> {
        let context = "restoring rows";
        let RestoredRows { events, resources, accesses, after, log, head } = rows;
        let mut script: Script<'static> = Vec::new();
        script.extend(events.into_iter().map(event));
        script.extend(resources.into_iter().map(resource));
        script.extend(accesses.into_iter().map(access));
        let damaged = || DbError::Damaged { what: "head", detail: "its tree".into() };
        let frontier = Frontier::from_bytes(&head.frontier).ok_or_else(damaged);
        let frontier = frontier.map_err(|e| e.store(context))?;
        LogEnd { position: head.position, hash: head.hash, frontier }.put(&mut script, log);
        let open = self.realm(realm).await?;
        let done = open.database.write(move |connection: &mut dyn Connection| {
            Box::pin(async move { put(connection, &script, log, after).await })
        });
        done.await.map_err(|e| e.store(context))
    }

    async fn put_keys(&self, realm: Realm<'_>, keys: Vec<KeyRow>) -> Result<(), StoreError> {
        self.run(realm, "restoring keys", keys.into_iter().map(key::restore).collect()).await
    }

    async fn put_secrets(&self, realm: Realm<'_>, secrets: Secrets) -> Result<(), StoreError> {
        let mut script = Script::new();
        for (user, hash) in secrets.passwords {
            account::put_password(&mut script, user, hash);
        }
        script.extend(secrets.tokens.into_iter().map(account::put_token));
        self.run(realm, "restoring secrets", script).await
    }
}
