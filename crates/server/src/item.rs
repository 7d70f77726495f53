//! What became of what was sent in.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use precordia_app::access::OrgScope;
use precordia_model::{ItemId, Phi};
use precordia_rules::intake::Balance as Counts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::{Addressed, Answers, Signed, WithBody};
use crate::auth::Caller;
use crate::body::{Checked, Input, whole};
use crate::error::Failure;
use crate::id::Id;
use crate::state::Server;
use crate::words::{self, ItemState};
use crate::{check, cursor};

/// One received object.
#[derive(Serialize, ToSchema)]
pub(crate) struct Item {
    item_id: Id,
    state: ItemState,
    door: String,
    sender: String,
    #[schema(format = DateTime)]
    received_at: String,
    size_bytes: i64,
    recording_id: Option<Id>,
    linked_to_item: Option<Id>,
    reason: Option<ItemReason>,
}

/// Why an item is where it is.
#[derive(Serialize, ToSchema)]
pub(crate) struct ItemReason {
    code: String,
    text: String,
    hint: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ItemSearch {
    state: Option<ItemState>,
    #[schema(pattern = "^[0-9]{1,16}-[0-9a-f]{32}$")]
    cursor: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

impl Checked for ItemSearch {
    fn check(&self) -> Result<(), Failure> {
        check::limit(self.limit, 200, 50)?;
        self.cursor.as_deref().map(cursor::decode).transpose().map(drop)
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Items {
    rows: Vec<Item>,
    next_cursor: Option<String>,
    counts: ItemCounts,
}

/// Over all doors of the organization.
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct ItemCounts {
    received: i64,
    in_flight: i64,
    filed: i64,
    linked: i64,
    held: i64,
    quarantined: i64,
    rejected: i64,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Balance {
    doors: Vec<DoorBalance>,
    /// Whether everything that was received is accounted for.
    closes: bool,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct DoorBalance {
    door: String,
    received: i64,
    in_flight: i64,
    filed: i64,
    linked: i64,
    held: i64,
    quarantined: i64,
    rejected: i64,
    closes: bool,
}

/// One item.
#[utoipa::path(get, path = "/api/items/{id}", operation_id = "item", tag = "intake", params(("id" = Id, Path)),
    responses((status = 200, body = Item), Answers, Signed, Addressed))]
pub(crate) async fn item(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Item>, Failure> {
    let id = ItemId(caller.id(&server, &id).await?);
    let item = server.app.item(caller.scope(), id).await?;
    Ok(Json(answer(&server, caller.scope(), item).await?))
}

/// Items, newest first.
#[utoipa::path(post, path = "/api/items/search", operation_id = "search_items", tag = "intake",
    request_body = ItemSearch, responses((status = 200, body = Items), Answers, Signed, WithBody))]
pub(crate) async fn search_items(
    State(server): State<Server>,
    caller: Caller,
    Input(body): Input<ItemSearch>,
) -> Result<Json<Items>, Failure> {
    let limit = check::limit(body.limit, 200, 50)?;
    let before =
        body.cursor.as_deref().map(cursor::decode).transpose()?.map(|(at, id)| (at, ItemId(id)));
    let scope = caller.scope();
    let mut items = server.app.items(scope, body.state.map(Into::into), before, limit + 1).await?;
    let more = items.len() > limit as usize;
    items.truncate(limit as usize);
    let last = items.last().filter(|_| more);
    let next_cursor = last.map(|item| cursor::encode(item.row.received_at, item.row.id.0));
    let counts = sum(&server.app.item_counts(scope).await?);
    let senders: Vec<&str> = items.iter().map(|item| item.row.sender.as_str()).collect();
    let names = server.app.actor_names(scope, &senders).await?;
    let rows = items.into_iter().map(|item| shown(item, &names)).collect();
    Ok(Json(Items { rows, next_cursor, counts }))
}

/// The original bytes of an item, whatever became of it.
#[utoipa::path(get, path = "/api/items/{id}/original", operation_id = "item_original", tag = "intake",
    params(("id" = Id, Path)),
    responses((status = 200, body = [u8], content_type = "application/octet-stream"), Answers, Signed, Addressed))]
pub(crate) async fn item_original(
    State(server): State<Server>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = ItemId(caller.id(&server, &id).await?);
    let bytes = server.app.item_original(caller.scope(), id).await?;
    Ok(attachment(bytes, "application/octet-stream", &format!("{id}.bin")))
}

/// The conservation equation.
#[utoipa::path(get, path = "/api/balance", operation_id = "balance", tag = "intake",
    responses((status = 200, body = Balance), Answers, Signed))]
pub(crate) async fn balance(
    State(server): State<Server>,
    caller: Caller,
) -> Result<Json<Balance>, Failure> {
    let report = server.app.balance(caller.scope()).await?;
    let closes = report.closes();
    let doors = report
        .doors
        .iter()
        .map(|(door, counts)| DoorBalance {
            door: door.name().to_owned(),
            received: counts.received,
            in_flight: counts.in_flight,
            filed: counts.filed,
            linked: counts.linked,
            held: counts.held,
            quarantined: counts.quarantined,
            rejected: counts.rejected,
            closes: counts.closes(),
        })
        .collect();
    Ok(Json(Balance { doors, closes }))
}

/// An item with its sender's name.
pub(crate) async fn answer(
    server: &Server,
    scope: &OrgScope,
    item: precordia_app::Item,
) -> Result<Item, Failure> {
    let names = server.app.actor_names(scope, &[item.row.sender.as_str()]).await?;
    Ok(shown(item, &names))
}

fn shown(item: precordia_app::Item, names: &BTreeMap<String, Phi<String>>) -> Item {
    let precordia_app::Item { row, details } = item;
    let reason = details.reason.map(|reason| ItemReason {
        code: reason.code,
        text: reason.text,
        hint: reason.hint,
    });
    let linked = row.linked_to.map(|_| ItemReason {
        code: String::from("seen_before"),
        text: String::from("the same bytes were received before"),
        hint: None,
    });
    Item {
        item_id: Id(row.id.0),
        state: row.state.into(),
        door: row.door.name().to_owned(),
        sender: words::actor(&row.sender, names.get(&row.sender)),
        received_at: words::time(row.received_at),
        size_bytes: row.size_bytes,
        recording_id: row.recording.map(|id| Id(id.0)),
        linked_to_item: row.linked_to.map(|id| Id(id.0)),
        reason: reason.or(linked),
    }
}

fn sum(doors: &[(precordia_model::Door, Counts)]) -> ItemCounts {
    doors.iter().fold(ItemCounts::default(), |sum, (_, one)| ItemCounts {
        received: sum.received + one.received,
        in_flight: sum.in_flight + one.in_flight,
        filed: sum.filed + one.filed,
        linked: sum.linked + one.linked,
        held: sum.held + one.held,
        quarantined: sum.quarantined + one.quarantined,
        rejected: sum.rejected + one.rejected,
    })
}

/// Bytes to be saved, under a name that says nothing of a person.
pub(crate) fn attachment(bytes: Vec<u8>, content_type: &'static str, name: &str) -> Response {
    let disposition = format!("attachment; filename=\"{name}\"");
    let headers = [
        (header::CONTENT_TYPE, content_type.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, Body::from(bytes)).into_response()
}
