//! Alarms of operation: their view, what is still to be told, and the channels that tell it.

use async_trait::async_trait;
use precordia_model::{
    AlarmCode, AlarmFigures, AlarmId, AlarmSeverity, AlarmSubject, OrganizationId, Timestamp,
};

use super::{StoreError, Version};
use crate::access::PlatformScope;

/// One time that something was wrong. Of a code and subject, one is open at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    pub id: AlarmId,
    /// As [`AlarmCode`] names it; one that this version does not know is shown as it stands.
    pub code: String,
    pub subject: AlarmSubject,
    pub severity: AlarmSeverity,
    pub raised_at: Timestamp,
    pub last_seen_at: Timestamp,
    /// How often it was seen.
    pub count: i64,
    /// As they were last seen.
    pub figures: AlarmFigures,
    /// When, and by whom: `user/<id>` of the platform, or `platform/local`.
    pub acknowledged: Option<(Timestamp, String)>,
    pub cleared_at: Option<Timestamp>,
    /// Stream version that this row reflects.
    pub version: Version,
}

impl AlarmRow {
    pub const fn state(&self) -> AlarmState {
        match (&self.cleared_at, &self.acknowledged) {
            (Some(_), _) => AlarmState::Cleared,
            (None, Some(_)) => AlarmState::Acknowledged,
            (None, None) => AlarmState::Open,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmState {
    /// Nobody said that they know of it.
    Open,
    /// It is still so, and somebody knows.
    Acknowledged,
    Cleared,
}

impl AlarmState {
    pub const fn name(self) -> &'static str {
        match self {
            AlarmState::Open => "open",
            AlarmState::Acknowledged => "acknowledged",
            AlarmState::Cleared => "cleared",
        }
    }
}

/// Why a channel is told of an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    Raised,
    /// Nobody acknowledged it.
    Reminder,
    Cleared,
    /// Somebody tries the channel.
    Test,
}

impl NoticeKind {
    pub const ALL: [NoticeKind; 4] = [Self::Raised, Self::Reminder, Self::Cleared, Self::Test];

    pub const fn name(self) -> &'static str {
        match self {
            NoticeKind::Raised => "raised",
            NoticeKind::Reminder => "reminder",
            NoticeKind::Cleared => "cleared",
            NoticeKind::Test => "test",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A notice that is still to be delivered. No fact: it is written with the fact that it tells of, and gone
/// when it was delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeRow {
    pub alarm: AlarmId,
    /// The channel's name in the configuration.
    pub channel: String,
    pub kind: NoticeKind,
    /// 1, 2, 3 … of reminders; else 1.
    pub number: i64,
    /// Not before; a claim moves it on, so that a process that dies leaves the notice to another.
    pub due: Timestamp,
    /// Tries that were begun.
    pub attempts: i64,
}

impl NoticeRow {
    /// Equal in every try, so that a receiver can tell a repetition.
    pub fn id(&self) -> String {
        format!("{}.{}.{}", self.alarm, self.kind.name(), self.number)
    }
}

/// Which alarms a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlarmFilter {
    /// Cleared ones only, or those that are not; both when `None`.
    pub cleared: Option<bool>,
    pub organization: Option<OrganizationId>,
    /// Rows strictly older than this (raised_at, id) come next.
    pub before: Option<(Timestamp, AlarmId)>,
}

#[async_trait]
pub trait AlarmStore: Send + Sync {
    async fn alarm(
        &self,
        scope: &PlatformScope,
        id: AlarmId,
    ) -> Result<Option<AlarmRow>, StoreError>;

    /// The one of a code and subject that is not cleared.
    async fn standing_alarm(
        &self,
        scope: &PlatformScope,
        code: AlarmCode,
        subject: &AlarmSubject,
    ) -> Result<Option<AlarmRow>, StoreError>;

    /// Newest first by (raised_at, id).
    async fn alarms(
        &self,
        scope: &PlatformScope,
        filter: &AlarmFilter,
        limit: u32,
    ) -> Result<Vec<AlarmRow>, StoreError>;

    /// Takes up to `limit` notices that are due: they are due again at `until`, and their attempts count
    /// one more. What was raised goes before what is said of it later, channel by channel.
    async fn claim_notices(
        &self,
        scope: &PlatformScope,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<NoticeRow>, StoreError>;

    /// Moves a claimed notice to another time, unless somebody claimed it since.
    async fn postpone_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        due: Timestamp,
    ) -> Result<(), StoreError>;

    /// Removes a notice that was delivered or given up; puts `next` in its place, if given.
    async fn end_notice(
        &self,
        scope: &PlatformScope,
        notice: &NoticeRow,
        next: Option<&NoticeRow>,
    ) -> Result<(), StoreError>;
}

/// What a channel is told: all that a receiver needs, and nothing of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Equal when it is told again.
    pub id: String,
    pub kind: NoticeKind,
    pub at: Timestamp,
    pub alarm: AlarmRow,
    /// Short name of the organization, if the alarm is about one.
    pub organization_slug: Option<String>,
}

/// A way to tell people, as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub name: String,
    /// `webhook` or `email`.
    pub kind: &'static str,
    /// What is less severe is not told here.
    pub severity_min: AlarmSeverity,
}

/// Why a channel did not take a notice; holds no secret and no address of a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotifyError {
    #[error("the configuration has no channel `{0}`")]
    Unknown(String),
    /// Trying again may help.
    #[error("{0}")]
    Failed(String),
}

#[async_trait]
pub trait Notifier: Send + Sync {
    fn channels(&self) -> &[Channel];

    /// Tells one channel, once, within a limit of time; says what it answered. What was sent and not
    /// answered counts as not told.
    async fn tell(&self, channel: &str, notice: &Notice) -> Result<String, NotifyError>;
}

/// No channel is configured: alarms are a page, a metric and a line of the log.
pub struct NoChannels;

#[async_trait]
impl Notifier for NoChannels {
    fn channels(&self) -> &[Channel] {
        &[]
    }

    async fn tell(&self, channel: &str, _notice: &Notice) -> Result<String, NotifyError> {
        Err(NotifyError::Unknown(channel.to_owned()))
    }
}
