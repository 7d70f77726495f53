//! Opening sealed values for somebody: permission first, one access-log row before the answer.

use precordia_rules::access::Permission;

use super::OrgScope;
use crate::app::{App, AppError};
use crate::port::{Append, Batch, NewAccess, Realm};

/// The right to open sealed values for one request. Whoever holds it must end it with
/// [`Reading::record`], which writes the row before the value may leave.
pub struct Reading<'a> {
    app: &'a App,
    scope: &'a OrgScope,
    action: &'static str,
    target: String,
}

impl App {
    /// Starts a reading; a role that may not is refused, and that too is written down.
    pub async fn reading<'a>(
        &'a self,
        scope: &'a OrgScope,
        permission: Permission,
        action: &'static str,
        target: impl Into<String>,
    ) -> Result<Reading<'a>, AppError> {
        let reading = Reading { app: self, scope, action, target: target.into() };
        if scope.may(permission) {
            return Ok(reading);
        }
        reading.write("denied").await?;
        Err(AppError::Forbidden(permission))
    }

    /// A command that reads nothing sealed still needs its permission; a refusal is written down.
    pub async fn require(
        &self,
        scope: &OrgScope,
        permission: Permission,
        action: &'static str,
        target: impl Into<String>,
    ) -> Result<(), AppError> {
        self.reading(scope, permission, action, target).await.map(drop)
    }

    /// An address that leads nowhere in this organization.
    pub async fn unknown_address(&self, scope: &OrgScope) -> Result<(), AppError> {
        let reading =
            Reading { app: self, scope, action: "address.unknown", target: String::from("-") };
        reading.write("unknown").await
    }
}

impl Reading<'_> {
    pub fn realm(&self) -> Realm<'_> {
        self.scope.into()
    }

    pub const fn scope(&self) -> &OrgScope {
        self.scope
    }

    /// Writes the access row, then lets the result go.
    pub async fn record<T>(self, result: Result<T, AppError>) -> Result<T, AppError> {
        let outcome = match &result {
            Ok(_) => "ok",
            Err(AppError::NotFound(_)) => "unknown",
            Err(_) => "failed",
        };
        self.write(outcome).await?;
        result
    }

    async fn write(&self, outcome: &'static str) -> Result<(), AppError> {
        let row: NewAccess =
            self.app.access_row(self.scope, self.action, self.target.clone(), outcome);
        let batch = Batch { access: vec![row], ..Batch::default() };
        match self.app.append(self.realm(), batch).await? {
            Append::Done { .. } => Ok(()),
            other => Err(AppError::Damaged(format!("the access log answered {other:?}"))),
        }
    }
}
