//! What must hold whenever nobody is in the middle of something, and after every restart.

use std::collections::{BTreeMap, BTreeSet};

use precordia_app::port::{LogName, Ports, Realm, RealmId, StoredEvent};
use precordia_app::{App, Item};
use precordia_model::{ItemId, ItemState, OrganizationId};

use crate::actor::scope_of;
use crate::content;
use crate::log::Promises;

/// What the senders of one organization know.
#[derive(Clone, Default)]
pub struct Known {
    /// Items that were acknowledged, and what was sent.
    pub acknowledged: BTreeMap<ItemId, usize>,
    /// Items whose patient somebody tried to erase, and whether they were told that it was done.
    pub erasing: BTreeMap<ItemId, bool>,
    /// Somebody else came in between an erasure: others' items may have become the patient's.
    pub raced: bool,
}

type Checked = Result<(), String>;

fn said(cause: impl std::fmt::Display) -> String {
    cause.to_string()
}

/// Which originals are read again. What is lost stays lost, so the last look finds it.
#[derive(Clone, Copy)]
pub enum Originals {
    All,
    /// One in four; which ones depends on the number.
    Some(usize),
}

impl Originals {
    fn has(self, place: usize) -> bool {
        match self {
            Originals::All => true,
            Originals::Some(number) => place % 4 == number % 4,
        }
    }
}

/// Books, chains with witness and views, everything acknowledged, every item, and originals.
pub async fn everything(
    app: &App,
    ports: &Ports,
    promises: &Promises,
    known: &BTreeMap<OrganizationId, Known>,
    originals: Originals,
) -> Checked {
    books(app).await?;
    for report in app.verify_all().await.map_err(|e| format!("verify: {e}"))? {
        if !report.is_clean() {
            let findings: Vec<_> = report.logs.iter().flat_map(|log| &log.findings).collect();
            let views = report.views.map(|views| views.differences).unwrap_or_default();
            return Err(format!("{} does not verify: {findings:?} {views:?}", report.realm));
        }
    }
    let platform = app.local_operator();
    kept(ports, promises, (&platform).into()).await?;
    for (organization, known) in known {
        let scope = scope_of(*organization);
        kept(ports, promises, (&scope).into()).await?;
        items(app, ports, *organization, known, originals).await?;
    }
    Ok(())
}

/// The conservation equation of every organization.
pub async fn books(app: &App) -> Checked {
    for report in app.balance_all().await.map_err(|e| format!("balance: {e}"))? {
        if !report.closes() {
            return Err(format!("the books do not close: {}", report.disagreements.join("; ")));
        }
    }
    Ok(())
}

/// No acknowledged append is missing or changed.
async fn kept(ports: &Ports, promises: &Promises, realm: Realm<'_>) -> Checked {
    let promised = promises.kept().clone();
    if let Some(broken) = promised.broken {
        return Err(broken);
    }
    let id: RealmId = realm.id();
    let events = ports.log.events(realm, 0, u32::MAX >> 1).await.map_err(said)?;
    let by_position: BTreeMap<i64, &StoredEvent> = events.iter().map(|e| (e.position, e)).collect();
    for ((of, position), promise) in &promised.events {
        if *of != id {
            continue;
        }
        let same = by_position.get(position).is_some_and(|event| {
            event.stream == promise.stream
                && event.version == promise.version
                && event.payload == promise.payload
        });
        if !same {
            let stream = &promise.stream;
            return Err(format!("acknowledged event {position} of {stream} in {id} is missing"));
        }
    }
    let accesses = ports.log.head(realm, LogName::Access).await.map_err(said)?.position;
    let promised = promised.accesses.get(&id).copied().unwrap_or_default();
    if accesses < promised {
        return Err(format!("{promised} access rows were acknowledged, {accesses} are there"));
    }
    Ok(())
}

async fn items(
    app: &App,
    ports: &Ports,
    organization: OrganizationId,
    known: &Known,
    originals: Originals,
) -> Checked {
    let scope = scope_of(organization);
    let all = app.items(&scope, None, None, 10_000).await.map_err(|e| format!("items: {e}"))?;
    once(&all)?;
    for item in &all {
        let Some(recording) = item.row.recording else { continue };
        let row = ports.recordings.recording(&scope, recording).await.map_err(said)?;
        if row.is_none() {
            return Err(format!(
                "item {} names recording {recording}, which is not there",
                item.row.id
            ));
        }
    }
    let there: BTreeMap<ItemId, &Item> = all.iter().map(|item| (item.row.id, item)).collect();
    for (place, (item, content)) in known.acknowledged.iter().enumerate() {
        let Some(row) = there.get(item).map(|item| &item.row) else {
            return Err(format!("acknowledged item {item} is missing"));
        };
        if !originals.has(place) {
            continue;
        }
        let read = app.item_original(&scope, *item).await;
        match (read, known.erasing.get(item)) {
            (Ok(_), Some(true)) => return Err(format!("item {item} was erased and is readable")),
            (Ok(bytes), _) if bytes != content::all()[*content].bytes => {
                return Err(format!("item {item} has other bytes than were sent"));
            }
            (Err(_), None) if known.raced && row.blob.is_none() && row.sealed.is_empty() => {}
            (Err(cause), None) => {
                return Err(format!("acknowledged item {item} is not readable: {cause}"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A content is taken once, whatever came when, and a recording is filed once.
fn once(items: &[Item]) -> Checked {
    let (mut contents, mut recordings) = (BTreeSet::new(), BTreeSet::new());
    for item in items.iter().filter(|item| item.row.state != ItemState::Linked) {
        if let Some(hash) = &item.details.content_hash
            && !contents.insert(hash)
        {
            return Err(format!("the content of item {} was taken twice", item.row.id));
        }
        if let Some(recording) = item.row.recording
            && !recordings.insert(recording)
        {
            return Err(format!("recording {recording} was filed twice"));
        }
    }
    Ok(())
}
