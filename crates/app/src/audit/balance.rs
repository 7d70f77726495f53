//! The conservation equation, taken from the events themselves and compared with the views and the queue.

use std::collections::BTreeMap;

use precordia_model::{Door, OrganizationId};
use precordia_rules::access::Permission;
use precordia_rules::intake::Balance;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::intake::{INGEST, balances};
use crate::port::WorkCounts;

const PAGE: u32 = 5000;

#[derive(Clone, Debug)]
pub struct BalanceReport {
    pub organization: OrganizationId,
    pub slug: String,
    /// By the items' views.
    pub doors: Vec<(Door, Balance)>,
    /// By the events, whatever the views say.
    pub by_events: Balance,
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
        // Items arrive and move on while we count; what disagrees is counted again before it is said.
        let mut report = self.balance_once(scope, slug.clone()).await?;
        for _ in 0..5 {
            if report.closes() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            report = self.balance_once(scope, slug.clone()).await?;
        }
        Ok(report)
    }

    async fn balance_once(
        &self,
        scope: &OrgScope,
        slug: String,
    ) -> Result<BalanceReport, AppError> {
        let by_events = self.balance_by_events(scope).await?;
        let doors = balances(&self.ports.items.item_counts(scope).await?);
        let work = self.ports.work.counts(scope).await?;
        let open = self.ports.work.open_subjects(scope, INGEST).await?.len() as i64;
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

    /// The last word of each item's stream decides where it is.
    async fn balance_by_events(&self, scope: &OrgScope) -> Result<Balance, AppError> {
        let mut balance = Balance::default();
        let mut states: BTreeMap<String, &'static str> = BTreeMap::new();
        let mut after = 0;
        loop {
            let events = self.ports.log.events(scope.into(), after, PAGE).await?;
            let Some(last) = events.last() else { break };
            after = last.position;
            for event in events.iter().filter(|event| event.stream.starts_with("item/")) {
                let state = match event.kind.as_str() {
                    "item.received" => "in-flight",
                    "item.filed" => "filed",
                    "item.linked" => "linked",
                    "item.held" => "held",
                    "item.quarantined" => "quarantined",
                    "item.rejected" => "rejected",
                    _ => continue,
                };
                if event.version == 1 {
                    balance.received += 1;
                }
                states.insert(event.stream.clone(), state);
            }
        }
        for state in states.into_values() {
            match state {
                "filed" => balance.filed += 1,
                "linked" => balance.linked += 1,
                "held" => balance.held += 1,
                "quarantined" => balance.quarantined += 1,
                "rejected" => balance.rejected += 1,
                _ => balance.in_flight += 1,
            }
        }
        Ok(balance)
    }
}

/// Sums over all organizations, for the gauges that an operator watches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IntakeGauges {
    pub in_flight: i64,
    /// Age of the oldest unfinished piece of work.
    pub oldest_seconds: i64,
    pub given_up: i64,
    /// Older than the limit of the configuration.
    pub overdue: bool,
}

impl App {
    pub async fn intake_gauges(&self) -> Result<IntakeGauges, AppError> {
        let mut gauges = IntakeGauges::default();
        let now = self.now();
        for organization in self.ports.directory.organizations(&self.platform()).await? {
            let scope = self.system_scope(organization.id, "metrics");
            let counts = self.ports.work.counts(&scope).await?;
            gauges.in_flight += counts.ready + counts.leased + counts.dead;
            gauges.given_up += counts.dead;
            let age = counts.oldest_at.map_or(0, |at| (now.micros() - at.micros()) / 1_000_000);
            gauges.oldest_seconds = gauges.oldest_seconds.max(age);
        }
        gauges.overdue = gauges.oldest_seconds > self.settings.in_flight_seconds_max;
        Ok(gauges)
    }
}
