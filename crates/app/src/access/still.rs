//! Long answers (event streams) ask again and again whether their reader is still let in.

use super::{Actor, OrgScope};
use crate::app::{App, AppError};
use crate::port::Realm;

impl App {
    /// Whether what made this handle still would. Unlike a request, asking is no activity: a page that
    /// only listens goes idle like any other.
    pub async fn still_let_in(&self, scope: &OrgScope) -> Result<bool, AppError> {
        let realm = Realm::from(scope);
        let now = self.now();
        let (user, valid) = match *scope.actor() {
            Actor::User { user, session } => {
                let row = self.ports.accounts.session(realm, session).await?;
                let idle_seconds = self.settings.idle_seconds;
                (
                    user,
                    row.is_some_and(|row| {
                        now < row.expires_at && now < row.seen_at.plus_seconds(idle_seconds)
                    }),
                )
            }
            Actor::Token { user, token } => {
                let row = self.ports.accounts.api_token(scope, token).await?;
                (
                    user,
                    row.is_some_and(|row| {
                        row.revoked_at.is_none() && row.expires_at.is_none_or(|at| now < at)
                    }),
                )
            }
            Actor::System { .. } => return Ok(true),
        };
        Ok(valid && self.ports.accounts.user(realm, user).await?.is_some_and(|user| user.active))
    }
}
