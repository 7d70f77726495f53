//! What the ledger says of one stream in the clear: for an operator, who may open nothing.

use precordia_model::Timestamp;

use crate::app::{App, AppError};
use crate::port::{StoredEvent, Stream};

impl App {
    /// The events of a stream of an organization, ascending, their payloads still sealed; until a moment
    /// if one is given.
    pub async fn stream_in_the_clear(
        &self,
        slug: &str,
        stream: &Stream,
        as_of: Option<Timestamp>,
    ) -> Result<Vec<StoredEvent>, AppError> {
        let organization =
            self.ports.directory.organization_by_slug(&self.platform(), slug).await?;
        let organization = organization.ok_or(AppError::NotFound("organization"))?;
        let scope = self.system_scope(organization.id, "audit");
        let mut events = self.ports.log.stream((&scope).into(), stream).await?;
        let later = events.iter().position(|event| as_of.is_some_and(|as_of| event.at > as_of));
        events.truncate(later.unwrap_or(events.len()));
        Ok(events)
    }
}
