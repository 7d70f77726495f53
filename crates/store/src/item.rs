//! Items: what came in and what became of it.

use async_trait::async_trait;
use precordia_app::access::OrgScope;
use precordia_app::port::{DoorCount, ItemRow, ItemViews, Position, StoreError, position_of};
use precordia_model::{BlobId, Door, ItemId, ItemState, RecordingId, Timestamp};

use crate::engine::{DbError, Query, Row, Script, Statement, id, id_opt};
use crate::store::Store;

const COLUMNS: &str = "SELECT id, state, door, sender, site, received_at, size_bytes, blob, \
     recording, linked_to, position, version, reason, sealed FROM item";

fn read(row: Row) -> Result<ItemRow, DbError> {
    let mut f = row.fields("item row");
    Ok(ItemRow {
        id: f.id()?,
        state: f.named(ItemState::parse)?,
        door: f.named(Door::parse)?,
        sender: f.text()?,
        site: f.id_opt()?,
        received_at: f.time()?,
        size_bytes: f.int()?,
        blob: f.id_opt()?,
        recording: f.id_opt()?,
        linked_to: f.id_opt()?,
        position: f.int()?,
        version: f.int()?,
        reason: f.text_opt()?,
        sealed: f.blob()?,
    })
}

pub(crate) fn put<'a>(script: &mut Script<'a>, row: &'a ItemRow, first: Position) {
    let position = position_of(row.position, first);
    script.push(Statement {
        sql: "INSERT INTO item (id, state, door, sender, site, received_at, size_bytes, blob, \
                recording, linked_to, position, version, reason, sealed) \
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
              ON CONFLICT (id) DO UPDATE SET state = excluded.state, door = excluded.door, \
                sender = excluded.sender, site = excluded.site, \
                received_at = excluded.received_at, size_bytes = excluded.size_bytes, \
                blob = excluded.blob, recording = excluded.recording, \
                linked_to = excluded.linked_to, position = excluded.position, \
                version = excluded.version, reason = excluded.reason, sealed = excluded.sealed",
        params: vec![
            id(row.id),
            row.state.name().into(),
            row.door.name().into(),
            (&row.sender).into(),
            id_opt(row.site),
            row.received_at.into(),
            row.size_bytes.into(),
            id_opt(row.blob),
            id_opt(row.recording),
            id_opt(row.linked_to),
            position.into(),
            row.version.into(),
            row.reason.as_ref().into(),
            (&row.sealed).into(),
        ],
    });
}

#[async_trait]
impl ItemViews for Store {
    async fn item(&self, scope: &OrgScope, item: ItemId) -> Result<Option<ItemRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("id = ").bind(id(item));
        self.find_one(scope.into(), "reading an item", query, read).await
    }

    async fn items(
        &self,
        scope: &OrgScope,
        state: Option<ItemState>,
        before: Option<(Timestamp, ItemId)>,
        limit: u32,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        if let Some(state) = state {
            query.and("state = ").bind(state.name());
        }
        if let Some((at, item)) = before {
            query.and("(received_at, id) < (").bind(at).push(", ").bind(id(item)).push(")");
        }
        query.push(" ORDER BY received_at DESC, id DESC LIMIT ").bind(i64::from(limit));
        self.find(scope.into(), "listing items", query, read).await
    }

    async fn items_of_recording(
        &self,
        scope: &OrgScope,
        recording: RecordingId,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("recording = ").bind(id(recording)).push(" ORDER BY received_at, id");
        self.find(scope.into(), "listing the items of a recording", query, read).await
    }

    async fn items_of_blob(
        &self,
        scope: &OrgScope,
        blob: BlobId,
    ) -> Result<Vec<ItemRow>, StoreError> {
        let mut query = Query::new(COLUMNS);
        query.and("blob = ").bind(id(blob)).push(" ORDER BY received_at, id");
        self.find(scope.into(), "listing the items of a content", query, read).await
    }

    async fn blobs_of_items(
        &self,
        scope: &OrgScope,
        blobs: &[BlobId],
    ) -> Result<Vec<BlobId>, StoreError> {
        let context = "looking for the items of contents";
        let mut query = Query::new("SELECT DISTINCT blob FROM item");
        query.and("blob IN ");
        query.list(blobs.iter().map(id)).map_err(|e| e.store(context))?;
        self.find(scope.into(), context, query, |row| row.fields("item row").id()).await
    }

    async fn item_counts(&self, scope: &OrgScope) -> Result<Vec<DoorCount>, StoreError> {
        let query = Query::new(
            "SELECT door, state, count(*) FROM item GROUP BY door, state ORDER BY door, state",
        );
        self.find(scope.into(), "counting items", query, |row| {
            let mut f = row.fields("item count");
            Ok(DoorCount {
                door: f.named(Door::parse)?,
                state: f.named(ItemState::parse)?,
                count: f.int()?,
            })
        })
        .await
    }
}
