//! Tells open pages that something changed. Ids only; the reader asks for the rest with its own rights.

use precordia_model::{ItemId, ItemState, OrganizationId, RecordingId};
use tokio::sync::broadcast;

/// How many changes a slow page may be behind before it is told to look at everything again.
const BEHIND_MAX: usize = 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Item { item: ItemId, state: ItemState, recording: Option<RecordingId> },
    Recording { recording: RecordingId, change: RecordingChange },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingChange {
    Filed,
    Held,
    Assigned,
    Unassigned,
    Moved,
    Removed,
}

impl RecordingChange {
    pub const fn name(self) -> &'static str {
        match self {
            RecordingChange::Filed => "filed",
            RecordingChange::Held => "held",
            RecordingChange::Assigned => "assigned",
            RecordingChange::Unassigned => "unassigned",
            RecordingChange::Moved => "moved",
            RecordingChange::Removed => "removed",
        }
    }
}

pub(crate) struct Live(broadcast::Sender<(OrganizationId, Change)>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::channel(BEHIND_MAX).0)
    }
}

impl Live {
    pub(crate) fn tell(&self, organization: OrganizationId, change: Change) {
        // Nobody listening is not an error.
        let _ = self.0.send((organization, change));
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<(OrganizationId, Change)> {
        self.0.subscribe()
    }
}

/// One organization's changes.
pub struct Changes {
    organization: OrganizationId,
    receiver: broadcast::Receiver<(OrganizationId, Change)>,
}

impl Changes {
    pub(crate) fn of(organization: OrganizationId, live: &Live) -> Self {
        Self { organization, receiver: live.listen() }
    }

    /// The next change; `Missed` when some were lost; `None` at shutdown.
    pub async fn next(&mut self) -> Option<Next> {
        loop {
            match self.receiver.recv().await {
                Ok((organization, change)) if organization == self.organization => {
                    return Some(Next::Change(change));
                }
                Ok(_) => {}
                Err(broadcast::error::RecvError::Lagged(_)) => return Some(Next::Missed),
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Change(Change),
    Missed,
}
