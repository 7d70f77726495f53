//! Read models as folds of events.
//!
//! Each file holds one view: what a row is, opened, and how an event changes it. A use case drafts an
//! event through the view's method, which appends the event and puts the folded row beside it in the same
//! batch; `audit verify` and `views rebuild` fold the same functions over the whole log. So a row that
//! differs from its fold was changed by somebody else. A new view is a file here, its table in the store
//! and a line in [`rebuild`].

pub(crate) mod alarm;
pub(crate) mod directory;
pub(crate) mod item;
pub(crate) mod patient;
mod platform;
mod rebuild;
pub(crate) mod recording;
pub(crate) mod user;

use precordia_model::Timestamp;
use precordia_rules::event::Event;

pub(crate) use rebuild::fact_of;
pub use rebuild::{Rebuilt, ViewDifference, ViewReport};

use crate::app::AppError;
use crate::port::{Position, Version};

/// An event as a fold sees it. `position` is relative while the batch is not yet committed; see
/// [`crate::port::position_in_batch`].
#[derive(Clone, Copy)]
pub(crate) struct Fact<'a> {
    pub(crate) position: Position,
    pub(crate) stream: &'a str,
    pub(crate) version: Version,
    pub(crate) at: Timestamp,
    pub(crate) event: &'a Event,
}

/// An event that cannot follow what is known: a fault of ours or of the storage.
pub(crate) fn misplaced(fact: &Fact<'_>) -> AppError {
    let Fact { stream, version, event, .. } = fact;
    AppError::Damaged(format!("`{}` does not belong at `{stream}` version {version}", event.kind()))
}
