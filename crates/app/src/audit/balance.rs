//! The conservation equation, taken from the events themselves and compared with the views and the queue.

use std::collections::BTreeMap;

use precordia_model::{Door, ItemState, OrganizationId};
use precordia_rules::access::Permission;
use precordia_rules::intake::Balance;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::intake::{FOLLOW, INGEST, balances};
use crate::port::{LogName, Position, WorkCounts};
use crate::view::item::state_by_kind;

const PAGE: u32 = 5000;

#[derive(Clone, Debug)]
pub struct BalanceReport {
    pub organization: OrganizationId,
    pub slug: String,
    /// By the items' views.
    pub doors: Vec<(Door, Balance)>,
    /// By the events, whatever the views say.
    pub by_events: Balance,
    /// Work on items.
    pub work: WorkCounts,
    /// What does not agree, in words.
    pub disagreements: Vec<String>,
}

impl BalanceReport {
    pub fn closes(&self) -> bool {
        self.disagreements.is_empty()
    }
}

impl App {
    pub async fn balance_all(&self) -> Result<Vec<BalanceReport>, AppError> {
        let mut reports = Vec::new();
        for organization in self.ports.directory.organizations(&self.platform()).await? {
            let scope = self.system_scope(organization.id, "audit");
            reports.push(self.balance_of(&scope, organization.slug).await?);
        }
        Ok(reports)
    }

    /// For a signed-in reader: their own organization.
    pub async fn balance(&self, scope: &OrgScope) -> Result<BalanceReport, AppError> {
        self.require(scope, Permission::ReadIntake, "balance.read", "-").await?;
        self.balance_of(scope, String::new()).await
    }

    async fn balance_of(&self, scope: &OrgScope, slug: String) -> Result<BalanceReport, AppError> {
        // Items arrive and move on while we count. Only what was counted while no event came says
        // anything; the events are read on from where the last count ended.
        let mut items = ItemsByEvents::default();
        let mut tries = 0;
        loop {
            self.read_on(scope, &mut items).await?;
            let report = self.balance_once(scope, slug.clone(), items.balance()).await?;
            let head = self.ports.log.head(scope.into(), LogName::Events).await?;
            tries += 1;
            if report.closes() || (head.position == items.after && tries > 5) || tries > 200 {
                return Ok(report);
            }
            // Taking a piece of work, giving it up and ending it are not events.
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    async fn balance_once(
        &self,
        scope: &OrgScope,
        slug: String,
        by_events: Balance,
    ) -> Result<BalanceReport, AppError> {
        let doors = balances(&self.ports.items.item_counts(scope).await?);
        let counts = self.ports.work_views.counts(scope).await?;
        let work = WorkCounts::of(&counts, &[INGEST, FOLLOW]);
        let ingesting = WorkCounts::of(&counts, &[INGEST]);
        let open = ingesting.ready + ingesting.leased + ingesting.dead;
        let views = doors.iter().fold(Balance::default(), |sum, (_, b)| Balance {
            received: sum.received + b.received,
            filed: sum.filed + b.filed,
            linked: sum.linked + b.linked,
            held: sum.held + b.held,
            quarantined: sum.quarantined + b.quarantined,
            rejected: sum.rejected + b.rejected,
            in_flight: sum.in_flight + b.in_flight,
        });
        let mut disagreements = Vec::new();
        if !by_events.closes() {
            disagreements.push(format!(
                "events: {} received, {} accounted for",
                by_events.received,
                by_events.accounted()
            ));
        }
        if views != by_events {
            disagreements.push(format!("views say {views:?}, events say {by_events:?}"));
        }
        if open != by_events.in_flight {
            disagreements.push(format!(
                "{} items are in flight, {open} pieces of work are open",
                by_events.in_flight
            ));
        }
        Ok(BalanceReport {
            organization: scope.organization(),
            slug,
            doors,
            by_events,
            work,
            disagreements,
        })
    }

    async fn read_on(&self, scope: &OrgScope, items: &mut ItemsByEvents) -> Result<(), AppError> {
        loop {
            let events = self.ports.log.events(scope.into(), items.after, PAGE).await?;
            let Some(last) = events.last() else { return Ok(()) };
            items.after = last.position;
            for event in events.iter().filter(|event| event.stream.starts_with("item/")) {
                let Some(state) = state_by_kind(&event.kind) else { continue };
                items.received += i64::from(event.version == 1);
                items.states.insert(event.stream.clone(), state);
            }
        }
    }
}

/// The last word of each item's stream decides where it is.
#[derive(Default)]
struct ItemsByEvents {
    after: Position,
    received: i64,
    states: BTreeMap<String, ItemState>,
}

impl ItemsByEvents {
    fn balance(&self) -> Balance {
        let mut balance = Balance { received: self.received, ..Balance::default() };
        for state in self.states.values() {
            *match state {
                ItemState::Filed => &mut balance.filed,
                ItemState::Linked => &mut balance.linked,
                ItemState::Held => &mut balance.held,
                ItemState::Quarantined => &mut balance.quarantined,
                ItemState::Rejected => &mut balance.rejected,
                ItemState::InFlight => &mut balance.in_flight,
            } += 1;
        }
        balance
    }
}
