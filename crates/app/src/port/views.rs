//! Read models of an organization: what the lists and searches stand on.
//!
//! Every row is a fold of events and can be made again from them. What identifies a person is sealed;
//! what a list must filter by (state, site, door, flag codes, times) stands in the clear beside opaque
//! ids, as `docs/safety/phi.md` classifies it.

use async_trait::async_trait;
use precordia_model::{
    AlarmId, BlobId, Door, FlagCode, ItemId, ItemState, PatientId, RecordingId, Severity, SiteId,
    Timestamp, UserId,
};

use super::{
    AlarmRow, NoticeRow, OrganizationRow, Position, SiteRow, StoreError, Stream, UserRow, Version,
};
use crate::access::OrgScope;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewChange {
    Item(ItemRow),
    Recording(RecordingRow),
    RemoveRecording(RecordingId),
    Patient(PatientRow),
    /// Replaces all blind-index tokens of a patient.
    PatientTokens {
        patient: PatientId,
        tokens: Vec<Vec<u8>>,
    },
    /// Removes the patient's row and tokens.
    RemovePatient(PatientId),
    /// Removes whatever row the stream has: no event explains it.
    Remove(Stream),
    User(UserRow),
    /// A user's password hash: no fact, but written with the fact that it changed.
    Password {
        user: UserId,
        hash: String,
    },
    /// Platform realm only.
    Organization(OrganizationRow),
    /// Platform realm only.
    Site(SiteRow),
    /// Platform realm only.
    Alarm(AlarmRow),
    /// What is to be told of an alarm: no fact, but written with the fact that it tells of.
    Notice(NoticeRow),
    /// Nobody is to be reminded of an alarm any more.
    EndReminders(AlarmId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemRow {
    pub id: ItemId,
    pub state: ItemState,
    pub door: Door,
    /// `user/<id>` or `token/<id>`: never a name.
    pub sender: String,
    pub site: Option<SiteId>,
    pub received_at: Timestamp,
    pub size_bytes: i64,
    pub blob: Option<BlobId>,
    pub recording: Option<RecordingId>,
    pub linked_to: Option<ItemId>,
    /// Position of the event that received it.
    pub position: Position,
    pub version: Version,
    /// Stable code of the outcome's reason, where there is one.
    pub reason: Option<String>,
    /// Sealed details: file name, keyed content hash, reason in words.
    pub sealed: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingStatus {
    Filed,
    Held,
}

impl RecordingStatus {
    pub const fn name(self) -> &'static str {
        match self {
            RecordingStatus::Filed => "filed",
            RecordingStatus::Held => "held",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        [Self::Filed, Self::Held].into_iter().find(|s| s.name() == name)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingRow {
    pub id: RecordingId,
    pub status: RecordingStatus,
    /// Whose it is now; follows merges.
    pub patient: Option<PatientId>,
    /// Whose it was before any merge.
    pub patient_before_merge: Option<PatientId>,
    pub site: Option<SiteId>,
    pub door: Door,
    pub item: ItemId,
    pub blob: BlobId,
    pub received_at: Timestamp,
    /// Order of acquisition; see `DeviceTime::sort_key`.
    pub acquired_sort: Option<Timestamp>,
    pub flags: Vec<(FlagCode, Severity)>,
    /// Position of the event that filed or held it.
    pub position: Position,
    pub version: Version,
    /// Sealed summary for lists and pages.
    pub sealed: Vec<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatientRow {
    pub id: PatientId,
    pub merged_into: Option<PatientId>,
    pub version: Version,
    /// Newest version of the FHIR Patient resource.
    pub resource_version: i64,
    pub sealed: Vec<u8>,
}

/// The position of a row that the same batch writes is not known to its maker, who says the event's index
/// in the batch this way. See [`position_of`].
pub const fn position_in_batch(index: usize) -> Position {
    -(index as Position)
}

/// The position that a row gets whose batch's first event is at `first`.
pub const fn position_of(row: Position, first: Position) -> Position {
    if row > 0 { row } else { first - row }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingFilter {
    pub patients: Option<Vec<PatientId>>,
    pub ids: Option<Vec<RecordingId>>,
    pub blob: Option<BlobId>,
    /// Half-open range of `acquired_sort`.
    pub acquired_from: Option<Timestamp>,
    pub acquired_before: Option<Timestamp>,
    pub site: Option<SiteId>,
    pub flag: Option<FlagCode>,
    pub severity_min: Option<Severity>,
    pub status: Option<RecordingStatus>,
    /// Rows strictly older than this (received_at, id) come next.
    pub before: Option<(Timestamp, RecordingId)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordingCounts {
    pub total: i64,
    pub alert: i64,
    pub borderline: i64,
    pub info: i64,
    pub held: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorCount {
    pub door: Door,
    pub state: ItemState,
    pub count: i64,
}

#[async_trait]
pub trait ItemViews: Send + Sync {
    async fn item(&self, scope: &OrgScope, id: ItemId) -> Result<Option<ItemRow>, StoreError>;
    /// Newest first by (received_at, id), strictly before the cursor.
    async fn items(
        &self,
        scope: &OrgScope,
        state: Option<ItemState>,
        before: Option<(Timestamp, ItemId)>,
        limit: u32,
    ) -> Result<Vec<ItemRow>, StoreError>;
    async fn items_of_recording(
        &self,
        scope: &OrgScope,
        recording: RecordingId,
    ) -> Result<Vec<ItemRow>, StoreError>;
    async fn items_of_blob(
        &self,
        scope: &OrgScope,
        blob: BlobId,
    ) -> Result<Vec<ItemRow>, StoreError>;
    /// Those of the contents that an item names.
    async fn blobs_of_items(
        &self,
        scope: &OrgScope,
        blobs: &[BlobId],
    ) -> Result<Vec<BlobId>, StoreError>;
    async fn item_counts(&self, scope: &OrgScope) -> Result<Vec<DoorCount>, StoreError>;
}

#[async_trait]
pub trait RecordingViews: Send + Sync {
    async fn recording(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<Option<RecordingRow>, StoreError>;
    /// Newest first by (received_at, id).
    async fn recordings(
        &self,
        scope: &OrgScope,
        filter: &RecordingFilter,
        limit: u32,
    ) -> Result<Vec<RecordingRow>, StoreError>;
    /// What searches find the recording by: its flags, in no order, and the highest of them.
    async fn searched_flags(
        &self,
        scope: &OrgScope,
        id: RecordingId,
    ) -> Result<(Vec<(FlagCode, Severity)>, Option<Severity>), StoreError>;
    async fn recording_counts(
        &self,
        scope: &OrgScope,
        filter: &RecordingFilter,
    ) -> Result<RecordingCounts, StoreError>;
}

#[async_trait]
pub trait PatientViews: Send + Sync {
    async fn patient(
        &self,
        scope: &OrgScope,
        id: PatientId,
    ) -> Result<Option<PatientRow>, StoreError>;
    async fn patients(
        &self,
        scope: &OrgScope,
        ids: &[PatientId],
    ) -> Result<Vec<PatientRow>, StoreError>;
    /// Patients that carry, for every group, at least one of its tokens; ascending by id, after `after`.
    /// No groups: all patients.
    async fn patients_by_tokens(
        &self,
        scope: &OrgScope,
        groups: &[Vec<Vec<u8>>],
        after: Option<PatientId>,
        limit: u32,
    ) -> Result<Vec<PatientRow>, StoreError>;
    /// The tokens by which searches find the patient, ascending.
    async fn tokens_of(&self, scope: &OrgScope, id: PatientId) -> Result<Vec<Vec<u8>>, StoreError>;
    async fn merged_from(
        &self,
        scope: &OrgScope,
        into: PatientId,
    ) -> Result<Vec<PatientId>, StoreError>;
}
