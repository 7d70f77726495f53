//! The access log as its readers see it: newest first, with the names of staff.

use std::collections::BTreeMap;

use precordia_model::{Phi, RecordingId, UserId};
use precordia_rules::access::Permission;

use crate::access::OrgScope;
use crate::app::{App, AppError};
use crate::port::Position;
use crate::recording::AccessEntry;

impl App {
    /// Rows before `before`; `recording` and `user` must both hold if given.
    pub async fn access_log(
        &self,
        scope: &OrgScope,
        recording: Option<RecordingId>,
        user: Option<UserId>,
        before: Option<Position>,
        limit: u32,
    ) -> Result<Vec<AccessEntry>, AppError> {
        let reading =
            self.reading(scope, Permission::ReadAccessLog, "access-log.search", "-").await?;
        let result = async {
            let target = recording.map(|id| format!("recording/{id}"));
            let actor = user.map(|id| format!("user/{id}"));
            let rows = self
                .ports
                .log
                .accesses_to(scope.into(), target.as_deref(), actor.as_deref(), before, limit)
                .await?;
            self.open_accesses(scope, rows).await
        }
        .await;
        reading.record(result).await
    }

    /// Display names of the users among these actors (`user/<id>`); staff, not patients.
    pub async fn actor_names(
        &self,
        scope: &OrgScope,
        actors: &[&str],
    ) -> Result<BTreeMap<String, Phi<String>>, AppError> {
        let mut names = BTreeMap::new();
        for &actor in actors {
            let Some(id) = actor.strip_prefix("user/").and_then(|id| id.parse().ok()) else {
                continue;
            };
            if names.contains_key(actor) {
                continue;
            }
            if let Some(name) = self.display_name(scope.into(), id).await? {
                names.insert(actor.to_owned(), name);
            }
        }
        Ok(names)
    }
}
