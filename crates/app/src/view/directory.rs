//! The platform's directory: organizations and their sites.

use std::collections::BTreeMap;

use precordia_model::{OrganizationId, SiteId};
use precordia_rules::event::Event;

use super::platform::Wrong;
use super::rebuild::{fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::PlatformScope;
use crate::app::{App, AppError};
use crate::port::{EffectKey, EventFilter, OrganizationRow, Position, SiteRow, Stream, ViewChange};

const PAGE: u32 = 1000;
const KINDS: [&str; 3] = ["organization.registered", "organization.changed", "site.registered"];

/// The directory as the events make it. The code of a first administrator is in none of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DirectoryNow {
    pub(crate) organizations: BTreeMap<OrganizationId, OrganizationRow>,
    pub(crate) sites: BTreeMap<SiteId, SiteRow>,
}

impl DirectoryNow {
    fn add(&mut self, fact: &Fact<'_>) -> Result<(), AppError> {
        match fact.event {
            Event::OrganizationRegistered(facts) | Event::OrganizationChanged(facts) => {
                let row = OrganizationRow {
                    id: facts.id,
                    slug: facts.slug.clone(),
                    name: facts.name.clone(),
                    setup_code_hash: None,
                    version: fact.version,
                };
                self.organizations.insert(row.id, row);
            }
            Event::SiteRegistered(facts) => {
                let row = SiteRow {
                    id: facts.id,
                    organization: facts.organization,
                    name: facts.name.clone(),
                    time_zone: facts.time_zone.clone(),
                };
                self.sites.insert(row.id, row);
            }
            _ => return Err(misplaced(fact)),
        }
        Ok(())
    }
}

pub(crate) fn slug_effect(row: &OrganizationRow) -> EffectKey {
    EffectKey { key: format!("slug/{}", row.slug), subject: Stream::new("organization", row.id).0 }
}

impl App {
    pub(crate) async fn fold_directory(
        &self,
        platform: &PlatformScope,
    ) -> Result<DirectoryNow, AppError> {
        let filter = EventFilter { kinds: KINDS.map(String::from).into(), ..Default::default() };
        let (mut now, mut after): (_, Position) = (DirectoryNow::default(), 0);
        loop {
            let events = self.ports.log.events_where(platform.into(), &filter, after, PAGE).await?;
            let Some(last) = events.last() else { return Ok(now) };
            after = last.position;
            for pair in self.open_events(platform.into(), events).await? {
                now.add(&fact_of(&pair))?;
            }
        }
    }

    /// Rows of organizations and sites that are not what the events make of them, and how many there are.
    /// What an organization's set-up code was, no event says: it stays.
    pub(super) async fn wrong_in_directory(
        &self,
        platform: &PlatformScope,
    ) -> Result<(u64, Vec<Wrong>), AppError> {
        let mut now = self.fold_directory(platform).await?;
        let compared = (now.organizations.len() + now.sites.len()) as u64;
        let mut wrong = Vec::new();
        let mut stored: BTreeMap<OrganizationId, OrganizationRow> = BTreeMap::new();
        for row in self.ports.directory.organizations(platform).await? {
            stored.insert(row.id, row);
        }
        let keys: Vec<String> =
            now.organizations.values().map(|row| slug_effect(row).key).collect();
        let mut effects = BTreeMap::new();
        for some in keys.chunks(PAGE as usize) {
            effects.extend(self.ports.log.effects(platform.into(), some).await?);
        }
        for (id, row) in &mut now.organizations {
            let effect = slug_effect(row);
            let known = effects.get(&effect.key) == Some(&effect.subject);
            let what = match stored.get(id) {
                None => Some(String::from("missing")),
                Some(there) => {
                    row.setup_code_hash.clone_from(&there.setup_code_hash);
                    unequal(&[
                        ("slug", there.slug == row.slug),
                        ("name", there.name == row.name),
                        ("version", there.version == row.version),
                        ("effects", known),
                    ])
                }
            };
            wrong.extend(what.map(|what| Wrong {
                stream: Stream::new("organization", id),
                version: row.version,
                what,
                put: vec![ViewChange::Organization(row.clone())],
                effect: (!known).then_some(effect),
            }));
        }
        let mut sites = BTreeMap::new();
        for id in stored.keys() {
            for row in self.ports.directory.sites(platform, *id).await? {
                sites.insert(row.id, row);
            }
        }
        for (id, row) in &now.sites {
            let what = match sites.get(id) {
                None => Some(String::from("missing")),
                Some(there) => unequal(&[
                    ("organization", there.organization == row.organization),
                    ("name", there.name == row.name),
                    ("time_zone", there.time_zone == row.time_zone),
                ]),
            };
            wrong.extend(what.map(|what| Wrong {
                stream: Stream::new("site", id),
                version: 1,
                what,
                put: vec![ViewChange::Site(row.clone())],
                effect: None,
            }));
        }
        let extra_organizations = stored.keys().filter(|id| !now.organizations.contains_key(id));
        let extra_sites = sites.keys().filter(|id| !now.sites.contains_key(id));
        let extra = extra_organizations.map(|id| Stream::new("organization", id));
        for stream in extra.chain(extra_sites.map(|id| Stream::new("site", id))) {
            // One that was registered while this looked has its events by now.
            if !self.ports.log.stream(platform.into(), &stream).await?.is_empty() {
                continue;
            }
            let put = vec![ViewChange::Remove(stream.clone())];
            let what = String::from("unexplained");
            wrong.push(Wrong { stream, version: 0, what, put, effect: None });
        }
        Ok((compared, wrong))
    }
}
