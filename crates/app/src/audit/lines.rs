//! A log as lines, page by page, whichever of the two it is.

use serde::Serialize;

use super::rows::{AccessLine, EventLine};
use super::verify::PAGE;
use crate::app::{App, AppError};
use crate::chain::Hash;
use crate::port::{LogName, OrganizationRow, Position, Realm, RealmId};

/// A row of either log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum RowLine {
    Event(Box<EventLine>),
    Access(Box<AccessLine>),
}

impl RowLine {
    pub fn position(&self) -> Position {
        match self {
            RowLine::Event(line) => line.position,
            RowLine::Access(line) => line.position,
        }
    }

    pub fn hash(&self) -> &Hash {
        match self {
            RowLine::Event(line) => &line.hash,
            RowLine::Access(line) => &line.hash,
        }
    }

    /// The hash that the content gives.
    pub fn computed(&self, realm: RealmId) -> Hash {
        match self {
            RowLine::Event(line) => line.computed(realm),
            RowLine::Access(line) => line.computed(realm),
        }
    }
}

impl App {
    /// The next rows after `after`; none at the end of the log.
    pub(super) async fn lines(
        &self,
        realm: Realm<'_>,
        log: LogName,
        after: Position,
    ) -> Result<Vec<RowLine>, AppError> {
        Ok(match log {
            LogName::Events => {
                let rows = self.ports.log.events(realm, after, PAGE).await?;
                rows.into_iter().map(|row| RowLine::Event(Box::new(row.into()))).collect()
            }
            LogName::Access => {
                let rows = self.ports.log.accesses(realm, after, PAGE).await?;
                rows.into_iter().map(|row| RowLine::Access(Box::new(row.into()))).collect()
            }
        })
    }

    pub(super) async fn organization_named(&self, slug: &str) -> Result<OrganizationRow, AppError> {
        let found = self.ports.directory.organization_by_slug(&self.platform(), slug).await?;
        found.ok_or(AppError::NotFound("organization"))
    }
}
