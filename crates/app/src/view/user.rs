//! Users of a realm. Their secrets are no facts and no part of this.

use precordia_interop::fhir::fold as folded_text;
use precordia_model::UserId;
use precordia_rules::event::{Event, UserFacts};

use super::rebuild::{Check, fact_of, unequal};
use super::{Fact, misplaced};
use crate::access::{OrgScope, role_names};
use crate::app::{App, AppError};
use crate::keys::{IndexKey, RealmKeys};
use crate::ledger::Draft;
use crate::port::{EffectKey, StoredEvent, Stream, UserRow, ViewChange};
use crate::seal::DataKey;
use crate::user::{UserProfile, hex};

/// A user's row, opened.
#[derive(Clone, Debug)]
pub(crate) struct UserNow {
    /// `sealed` is not looked at.
    pub(crate) row: UserRow,
    pub(crate) profile: UserProfile,
}

impl Draft<'_> {
    /// Appends a user's next event and puts the row that it makes beside it.
    pub(crate) fn user(
        &mut self,
        keys: &RealmKeys,
        id: UserId,
        before: Option<UserNow>,
        event: &Event,
    ) -> Result<UserNow, AppError> {
        let stream = Stream::new("user", id);
        let version = before.as_ref().map_or(1, |now| now.row.version + 1);
        let index = self.event(&keys.organization, &stream, version, event);
        let fact = self.fact(index, stream.as_str(), version, event);
        let now = fold(&keys.index, id, before, &fact)?;
        let row = sealed(self, &keys.organization, &now);
        self.view(ViewChange::User(row));
        Ok(now)
    }
}

pub(crate) fn sealed(draft: &Draft<'_>, key: &DataKey, now: &UserNow) -> UserRow {
    let stream = format!("user/{}", now.row.id);
    let sealed = draft.sealed(key, &stream, "profile", now.row.version, &now.profile);
    UserRow { sealed, ..now.row.clone() }
}

pub(crate) fn fold(
    index_key: &IndexKey,
    id: UserId,
    before: Option<UserNow>,
    fact: &Fact<'_>,
) -> Result<UserNow, AppError> {
    match (fact.event, before) {
        (Event::UserAdded(facts), None) => Ok(standing(index_key, id, facts, fact)),
        (Event::UserChanged(facts), Some(_)) => Ok(standing(index_key, id, facts, fact)),
        (Event::UserPasswordChanged(_), Some(before)) => {
            Ok(UserNow { row: UserRow { version: fact.version, ..before.row }, ..before })
        }
        _ => Err(misplaced(fact)),
    }
}

fn standing(index_key: &IndexKey, id: UserId, facts: &UserFacts, fact: &Fact<'_>) -> UserNow {
    let row = UserRow {
        id,
        login: login(index_key, facts.user_name.reveal()),
        roles: role_names(&facts.roles),
        active: facts.active,
        version: fact.version,
        sealed: Vec::new(),
    };
    let profile = UserProfile {
        user_name: facts.user_name.clone(),
        display_name: facts.display_name.clone(),
    };
    UserNow { row, profile }
}

/// A user name is taken once in a realm.
pub(crate) fn login_effect(row: &UserRow) -> EffectKey {
    EffectKey { key: format!("login/{}", hex(&row.login)), subject: format!("user/{}", row.id) }
}

/// The token by which a user name is found.
pub(crate) fn login(index_key: &IndexKey, user_name: &str) -> Vec<u8> {
    index_key.token("login", &folded_text(user_name))
}

impl App {
    pub(super) async fn check_user(
        &self,
        scope: &OrgScope,
        id: UserId,
        events: Vec<StoredEvent>,
        check: Check,
    ) -> Result<Check, AppError> {
        let row = self.ports.accounts.user(scope.into(), id).await?;
        let keys = self.keyring.realm(scope.into()).await?;
        let mut now = None;
        for pair in self.open_events(scope.into(), events).await? {
            now = Some(fold(&keys.index, id, now, &fact_of(&pair))?);
        }
        let now = now.ok_or(AppError::NotFound("user"))?;
        let mut check = check;
        check.effects = vec![login_effect(&now.row)];
        let put = sealed(&Draft::new(self, scope.into()), &keys.organization, &now);
        let put = vec![ViewChange::User(put)];
        let Some(row) = row else { return Ok(check.differing("missing", put)) };
        let profile = match self.user_profile(scope.into(), &row).await {
            Ok(profile) => Some(profile),
            Err(AppError::Keys(_)) => None,
            Err(cause) => return Err(cause),
        };
        let what = unequal(&[
            ("login", row.login == now.row.login),
            ("roles", row.roles == now.row.roles),
            ("active", row.active == now.row.active),
            ("version", row.version == now.row.version),
            ("profile", profile.as_ref() == Some(&now.profile)),
        ]);
        Ok(match what {
            Some(what) => check.differing(what, put),
            None => check,
        })
    }
}
