//! The control ledger's views beside a fresh fold of its events: the directory, and alarms.

use super::rebuild::{LOOK_PAUSE, LOOKS_MAX, Rebuilt, ViewReport};
use crate::access::PlatformScope;
use crate::app::{App, AppError};
use crate::ledger::Draft;
use crate::port::{Append, EffectKey, Stream, Version, ViewChange};

/// A row that is not as it should be, and what puts it right.
pub(super) struct Wrong {
    pub(super) stream: Stream,
    /// Of the stream as it was folded.
    pub(super) version: Version,
    pub(super) what: String,
    pub(super) put: Vec<ViewChange>,
    /// An effect that the storage does not know, or knows as another's.
    pub(super) effect: Option<EffectKey>,
}

impl App {
    /// Compares every row of the control ledger's views with a fresh fold of its events.
    pub async fn compare_platform(&self, platform: &PlatformScope) -> Result<ViewReport, AppError> {
        let mut looks = 0;
        loop {
            let (compared, wrong) = self.wrong_in_platform(platform).await?;
            looks += 1;
            // Somebody may have changed a row between the reading of its events and its own.
            if wrong.is_empty() || looks == LOOKS_MAX {
                let mut report = ViewReport { compared, ..ViewReport::default() };
                wrong.into_iter().for_each(|one| report.tell(&one.stream, one.what));
                return Ok(report);
            }
            tokio::time::sleep(LOOK_PAUSE).await;
        }
    }

    /// Writes the rows that differ, and removes those that no event explains.
    pub async fn rebuild_platform(&self, platform: &PlatformScope) -> Result<Rebuilt, AppError> {
        let (compared, wrong) = self.wrong_in_platform(platform).await?;
        let mut rebuilt = Rebuilt { compared, put_right: 0 };
        for wrong in wrong {
            let mut draft = Draft::new(self, platform.into());
            draft.expect(wrong.stream, wrong.version);
            draft.batch.views = wrong.put;
            if let Some(effect) = wrong.effect {
                draft.batch.forget_effects.push(effect.key.clone());
                draft.batch.effects.push(effect);
            }
            if let Append::Done { .. } = draft.append(platform.into()).await? {
                rebuilt.put_right += 1;
            }
        }
        Ok(rebuilt)
    }

    /// Every view of the control ledger has its line here.
    async fn wrong_in_platform(
        &self,
        platform: &PlatformScope,
    ) -> Result<(u64, Vec<Wrong>), AppError> {
        let (organizations, mut wrong) = self.wrong_in_directory(platform).await?;
        let (alarms, of_alarms) = self.wrong_alarms(platform).await?;
        wrong.extend(of_alarms);
        Ok((organizations + alarms, wrong))
    }
}
