//! Items: what came in and what became of it.

use precordia_model::{ItemId, ItemState};
use precordia_rules::event::{ErasedItem, Event, HoldReason, ItemReceived, ItemRejected};

use super::rebuild::{Check, Moves, fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::intake::{FOLLOW, INGEST, Item, ItemDetails, Reason, content_effect, work};
use crate::ledger::{Draft, named_key};
use crate::patient::is_erased;
use crate::port::{EffectKey, ItemRow, NewWork, StoredEvent, Stream, ViewChange};
use crate::seal::DataKey;

impl Draft<'_> {
    /// Appends an item's next event and puts the row that it makes beside it.
    pub(crate) fn item(
        &mut self,
        key: &DataKey,
        id: ItemId,
        before: Option<Item>,
        event: Event,
    ) -> Result<Item, AppError> {
        let stream = Stream::new("item", id);
        let version = before.as_ref().map_or(1, |item| item.row.version + 1);
        let index = self.event(key, &stream, version, &event);
        let now = fold(id, before, &self.fact(index, stream.as_str(), version, &event))?;
        let row = sealed(self, key, &now);
        // An item that is received and linked at once has two events and one row.
        self.batch.views.retain(|view| !matches!(view, ViewChange::Item(row) if row.id == id));
        self.view(ViewChange::Item(row));
        Ok(now)
    }
}

pub(crate) fn sealed(draft: &Draft<'_>, key: &DataKey, item: &Item) -> ItemRow {
    let stream = format!("item/{}", item.row.id);
    let sealed = draft.sealed(key, &stream, "details", item.row.version, &item.details);
    ItemRow { sealed, ..item.row.clone() }
}

pub(crate) fn fold(id: ItemId, before: Option<Item>, fact: &Fact<'_>) -> Result<Item, AppError> {
    let version = fact.version;
    let mut item = match (fact.event, before) {
        (Event::ItemReceived(received), None) => return Ok(taken_in(id, fact, received)),
        (Event::ItemRejected(rejected), None) => return Ok(turned_away(id, fact, rejected)),
        (_, Some(before)) => before,
        (_, None) => return Err(misplaced(fact)),
    };
    item.row.version = version;
    match fact.event {
        Event::ItemFiled(filed) => {
            item.row.state = ItemState::Filed;
            item.row.recording = Some(filed.recording);
            tell(&mut item, None);
        }
        Event::ItemHeld(held) => {
            item.row.state = ItemState::Held;
            item.row.recording = Some(held.recording);
            tell(&mut item, Some(hold_reason(held.reason)));
        }
        Event::ItemQuarantined(quarantined) => {
            let refusal = &quarantined.refusal;
            item.row.state = ItemState::Quarantined;
            let (code, text, hint) =
                (refusal.code.clone(), refusal.to_string(), refusal.hint.clone());
            tell(&mut item, Some(Reason { code, text, hint }));
        }
        Event::ItemLinked(linked) => {
            item.row.state = ItemState::Linked;
            item.row.linked_to = Some(linked.to);
            item.row.recording = linked.recording;
            item.row.reason = Some(String::from("seen_before"));
        }
        _ => return Err(misplaced(fact)),
    }
    Ok(item)
}

fn tell(item: &mut Item, reason: Option<Reason>) {
    item.row.reason = reason.as_ref().map(|reason| reason.code.clone());
    item.details.reason = reason;
}

fn taken_in(id: ItemId, fact: &Fact<'_>, received: &ItemReceived) -> Item {
    let row = ItemRow {
        id,
        state: ItemState::InFlight,
        door: received.door,
        sender: received.sender.clone(),
        site: received.site,
        received_at: fact.at,
        size_bytes: bytes(received.size_bytes),
        blob: Some(received.blob),
        recording: None,
        linked_to: None,
        position: fact.position,
        version: fact.version,
        reason: None,
        sealed: Vec::new(),
    };
    let details = ItemDetails {
        file_name: received.file_name.clone(),
        content_hash: Some(received.content_hash.clone()),
        reason: None,
    };
    Item { row, details }
}

fn turned_away(id: ItemId, fact: &Fact<'_>, rejected: &ItemRejected) -> Item {
    let reason = Reason {
        code: String::from("too_large"),
        text: format!("the object is larger than the limit of {} bytes", rejected.limit_bytes),
        hint: Some(String::from("send a single recording; archives of many are not taken here")),
    };
    let row = ItemRow {
        id,
        state: ItemState::Rejected,
        door: rejected.door,
        sender: rejected.sender.clone(),
        site: rejected.site,
        received_at: fact.at,
        size_bytes: rejected.declared_bytes.map_or(0, bytes),
        blob: None,
        recording: None,
        linked_to: None,
        position: fact.position,
        version: fact.version,
        reason: None,
        sealed: Vec::new(),
    };
    let mut item = Item { row, details: ItemDetails::default() };
    tell(&mut item, Some(reason));
    item
}

fn hold_reason(reason: HoldReason) -> Reason {
    Reason {
        code: reason.name().to_owned(),
        text: reason.text().to_owned(),
        hint: Some(String::from("compare both identities and assign the recording to its patient")),
    }
}

fn bytes(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What the erasure of a patient leaves of an item: it stays counted, and what it held is gone.
pub(crate) fn emptied(row: ItemRow) -> ItemRow {
    ItemRow { blob: None, recording: None, sealed: Vec::new(), ..row }
}

/// What an erasure writes down of an item, so that it can be counted without its own facts.
pub(crate) fn remembered(row: &ItemRow) -> ErasedItem {
    ErasedItem {
        item: row.id,
        door: row.door,
        site: row.site,
        size_bytes: u64::try_from(row.size_bytes).unwrap_or_default(),
        linked_to: row.linked_to,
        reason: row.reason.clone(),
    }
}

impl App {
    pub(super) async fn check_item(
        &self,
        scope: &OrgScope,
        moves: &Moves,
        id: ItemId,
        events: Vec<StoredEvent>,
        check: Check,
    ) -> Result<Check, AppError> {
        let row = self.ports.items.item(scope, id).await?;
        let key = events.last().map(|last| named_key(&last.payload, &last.stream, "payload"));
        let Some(key) = key.transpose()? else { return Ok(check) };
        let erased = || counted_only(id, &events, moves.erased_item(id));
        let (folded, is_erased) = match self.folded_item(scope, id, events.clone()).await {
            Ok(folded) => (folded, false),
            Err(cause) if is_erased(&cause) => (erased().ok_or(cause)?, true),
            Err(cause) => return Err(cause),
        };
        let mut check = check;
        check.effects = effects(&folded);
        check.work = self.missing_work(scope, &folded.row).await?;
        let what = match row {
            None => Some(String::from("missing")),
            Some(row) => {
                let stored = self.open_items(scope, vec![row]).await?.pop();
                stored.and_then(|stored| differing(&stored, &folded))
            }
        };
        let Some(what) = what else { return Ok(check) };
        let put = match is_erased {
            true => emptied(folded.row),
            false => {
                let key = self.keyring.open(scope.into(), &[key]).await?.get(key)?;
                sealed(&Draft::new(self, scope.into()), &key, &folded)
            }
        };
        Ok(check.differing(what, vec![ViewChange::Item(put)]))
    }

    /// The work that an item waits for, if the queue does not have it.
    async fn missing_work(
        &self,
        scope: &OrgScope,
        row: &ItemRow,
    ) -> Result<Option<NewWork>, AppError> {
        let (kind, lane) = match (row.state, row.linked_to) {
            (ItemState::InFlight, _) => (INGEST, row.id),
            (ItemState::Linked, Some(first)) if row.recording.is_none() && row.blob.is_some() => {
                let first = self.ports.items.item(scope, first).await?;
                let Some(first) = first.filter(follows) else { return Ok(None) };
                (FOLLOW, first.id)
            }
            _ => return Ok(None),
        };
        let (lane, subject) = (format!("item/{lane}"), format!("item/{}", row.id));
        if self.ports.work_views.is_open(scope, kind, &lane, &subject).await? {
            return Ok(None);
        }
        Ok(Some(work(self, kind, lane, subject)))
    }

    async fn folded_item(
        &self,
        scope: &OrgScope,
        id: ItemId,
        events: Vec<StoredEvent>,
    ) -> Result<Item, AppError> {
        let mut item = None;
        for pair in self.open_events(scope.into(), events).await? {
            item = Some(fold(id, item, &fact_of(&pair))?);
        }
        item.ok_or(AppError::NotFound("item"))
    }
}

/// Whether a copy of this item still has to learn what became of it.
fn follows(first: &ItemRow) -> bool {
    first.state == ItemState::InFlight || first.recording.is_some()
}

/// What the item's content did: it came here for the first time.
fn effects(item: &Item) -> Vec<EffectKey> {
    let first = item.row.linked_to.is_none();
    let content = item.details.content_hash.as_ref().filter(|_| first);
    content.map(|hash| content_effect(hash, item.row.id)).into_iter().collect()
}

/// An erased item by what stands in the clear and what its erasure wrote down.
fn counted_only(id: ItemId, events: &[StoredEvent], erased: Option<&ErasedItem>) -> Option<Item> {
    let (first, last, erased) = (events.first()?, events.last()?, erased?);
    let row = ItemRow {
        id,
        state: state_by_kind(&last.kind)?,
        door: erased.door,
        sender: first.actor.clone(),
        site: erased.site,
        received_at: first.at,
        size_bytes: bytes(erased.size_bytes),
        blob: None,
        recording: None,
        linked_to: erased.linked_to,
        position: first.position,
        version: last.version,
        reason: erased.reason.clone(),
        sealed: Vec::new(),
    };
    Some(Item { row, details: ItemDetails::default() })
}

/// Where an item is after an event of this kind.
pub(crate) fn state_by_kind(kind: &str) -> Option<ItemState> {
    Some(match kind {
        "item.received" => ItemState::InFlight,
        "item.filed" => ItemState::Filed,
        "item.linked" => ItemState::Linked,
        "item.held" => ItemState::Held,
        "item.quarantined" => ItemState::Quarantined,
        "item.rejected" => ItemState::Rejected,
        _ => return None,
    })
}

fn differing(a: &Item, b: &Item) -> Option<String> {
    let (x, y) = (&a.row, &b.row);
    unequal(&[
        ("state", x.state == y.state),
        ("door", x.door == y.door),
        ("sender", x.sender == y.sender),
        ("site", x.site == y.site),
        ("received_at", x.received_at == y.received_at),
        ("size_bytes", x.size_bytes == y.size_bytes),
        ("blob", x.blob == y.blob),
        ("recording", x.recording == y.recording),
        ("linked_to", x.linked_to == y.linked_to),
        ("position", x.position == y.position),
        ("version", x.version == y.version),
        ("reason", x.reason == y.reason),
        ("details", a.details == b.details),
    ])
}
