//! The facts that the ledger keeps, in the form in which they are sealed.
//!
//! A stored form is for ever. A change of meaning is a new schema number with its own decoder; the
//! golden files under `tests/golden` decode with every later version of this file.

use precordia_model::{
    AlarmFigures, AlarmSeverity, AlarmSubject, BlobId, DeviceDescription, DeviceMeasurement,
    DevicePatient, DeviceStatement, DeviceTime, Door, Filters, FlagReport, GroupKind, ItemId,
    KeyId, Lead, Measurements, OrganizationId, PatientId, PatientIdentity, Phi, Problem,
    RecordingId, Refusal, Role, SiteId, Timestamp, TokenId, TraceOrigin, UserId,
};
use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($(#[$doc:meta])* $variant:ident($payload:ty) = $kind:literal),+ $(,)?) => {
        /// One fact. The payload is sealed; the kind stands in the clear.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Event { $($(#[$doc])* $variant($payload)),+ }

        impl Event {
            pub const KINDS: &'static [&'static str] = &[$($kind),+];

            /// `noun.verb`.
            pub const fn kind(&self) -> &'static str {
                match self { $(Event::$variant(_) => $kind),+ }
            }

            /// Version of the payload's form; see the module text.
            pub const fn schema(&self) -> i64 {
                1
            }

            /// The bytes that are sealed: JSON, keys in the order of the fields.
            pub fn encode(&self) -> Vec<u8> {
                match self {
                    $(Event::$variant(payload) => serde_json::to_vec(payload)),+
                }
                .expect("payloads are plain data with text keys")
            }

            pub fn decode(kind: &str, schema: i64, payload: &[u8]) -> Result<Self, Undecodable> {
                let fail = |cause: serde_json::Error| Undecodable::Payload {
                    kind: kind.to_owned(),
                    schema,
                    line: cause.line(),
                    column: cause.column(),
                };
                match (kind, schema) {
                    $(($kind, 1) => serde_json::from_slice(payload).map(Event::$variant).map_err(fail),)+
                    _ => Err(Undecodable::Unknown { kind: kind.to_owned(), schema }),
                }
            }
        }
    };
}

/// Never quotes the payload.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    #[error("event kind `{kind}` with schema {schema} is not known to this version")]
    Unknown { kind: String, schema: i64 },
    #[error(
        "payload of event kind `{kind}`, schema {schema}, does not decode (line {line}, column {column})"
    )]
    Payload { kind: String, schema: i64, line: usize, column: usize },
}

events! {
    ItemReceived(ItemReceived) = "item.received",
    ItemFiled(ItemFiled) = "item.filed",
    ItemLinked(ItemLinked) = "item.linked",
    ItemHeld(ItemHeld) = "item.held",
    ItemQuarantined(ItemQuarantined) = "item.quarantined",
    ItemRejected(ItemRejected) = "item.rejected",
    RecordingFiled(Box<RecordingFacts>) = "recording.filed",
    RecordingAssigned(RecordingAssigned) = "recording.assigned",
    RecordingUnassigned(RecordingUnassigned) = "recording.unassigned",
    PatientRegistered(PatientRegistered) = "patient.registered",
    PatientMerged(PatientMerged) = "patient.merged",
    PatientUnmerged(PatientUnmerged) = "patient.unmerged",
    PatientErased(PatientErased) = "patient.erased",
    UserAdded(UserFacts) = "user.added",
    UserChanged(UserFacts) = "user.changed",
    UserPasswordChanged(UserPasswordChanged) = "user.password-changed",
    TokenIssued(TokenIssued) = "token.issued",
    TokenRevoked(TokenRevoked) = "token.revoked",
    BreakGlassOpened(BreakGlassOpened) = "break-glass.opened",
    KeyRotated(KeyRotated) = "key.rotated",
    OrganizationRegistered(OrganizationFacts) = "organization.registered",
    OrganizationChanged(OrganizationFacts) = "organization.changed",
    SiteRegistered(SiteFacts) = "site.registered",
    SenderRefused(SenderRefused) = "sender.refused",
    WorkRetried(WorkRetried) = "work.retried",
    WorkGivenUp(WorkGivenUp) = "work.given-up",
    WorkPaused(WorkPaused) = "work.paused",
    WorkResumed(WorkResumed) = "work.resumed",
    LedgerRestored(LedgerRestored) = "ledger.restored",
    BackupDrilled(BackupDrilled) = "backup.drilled",
    AlarmRaised(AlarmRaised) = "alarm.raised",
    AlarmRepeated(AlarmRepeated) = "alarm.repeated",
    AlarmAcknowledged(AlarmAcknowledged) = "alarm.acknowledged",
    AlarmCleared(AlarmCleared) = "alarm.cleared",
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemReceived {
    pub door: Door,
    /// `user/<id>` or `token/<id>`.
    pub sender: String,
    pub site: Option<SiteId>,
    pub size_bytes: u64,
    pub blob: BlobId,
    /// HMAC-SHA-256 of the bytes under the organization's content key, hex.
    pub content_hash: String,
    pub file_name: Option<Phi<String>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemFiled {
    pub recording: RecordingId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemLinked {
    pub to: ItemId,
    pub recording: Option<RecordingId>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemHeld {
    pub recording: RecordingId,
    pub reason: HoldReason,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemQuarantined {
    pub refusal: Refusal,
    pub reader: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemRejected {
    pub door: Door,
    pub sender: String,
    pub site: Option<SiteId>,
    /// As the sender declared it; `None` when it did not.
    pub declared_bytes: Option<u64>,
    pub limit_bytes: u64,
    pub reason: String,
}

/// Why a readable recording waits for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HoldReason {
    /// The file names no patient id.
    NoPatientId,
    /// The file has an id and no name to check it by.
    NoPatientName,
    /// Name, birth date or sex disagree with the patient that has this id.
    DemographicsDisagree,
    /// Several patients have this id.
    IdentifierAmbiguous,
    /// Taken back from a patient.
    Unassigned,
}

impl HoldReason {
    pub const fn name(self) -> &'static str {
        match self {
            HoldReason::NoPatientId => "no-patient-id",
            HoldReason::NoPatientName => "no-patient-name",
            HoldReason::DemographicsDisagree => "demographics-disagree",
            HoldReason::IdentifierAmbiguous => "identifier-ambiguous",
            HoldReason::Unassigned => "unassigned",
        }
    }

    /// For the person who has to decide.
    pub const fn text(self) -> &'static str {
        match self {
            HoldReason::NoPatientId => "the file names no patient id",
            HoldReason::NoPatientName => "the file has a patient id but no name to check it by",
            HoldReason::DemographicsDisagree => {
                "name, birth date or sex disagree with the patient who has this id"
            }
            HoldReason::IdentifierAmbiguous => "more than one patient has this id",
            HoldReason::Unassigned => "the recording was taken back from a patient",
        }
    }
}

/// Everything that was found out about a recording when it was filed or held.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingFacts {
    pub item: ItemId,
    pub blob: BlobId,
    pub door: Door,
    pub site: Option<SiteId>,
    pub format: String,
    pub format_detail: String,
    pub reader: String,
    pub source_id: Option<Phi<String>>,
    pub accession: Option<Phi<String>>,
    pub device: DeviceDescription,
    /// The person as the file names them.
    pub device_patient: DevicePatient,
    pub acquired_at: Option<DeviceTime>,
    pub sampling_hz: f64,
    pub duration_s: f64,
    pub leads: Vec<LeadFacts>,
    pub other_groups: Vec<GroupFacts>,
    pub device_measurements: Vec<DeviceMeasurement>,
    pub device_statements: Vec<DeviceStatement>,
    pub problems: Vec<Problem>,
    pub measurements: Measurements,
    pub flags: FlagReport,
    /// `None` while held.
    pub patient: Option<PatientId>,
    pub hold: Option<HoldReason>,
    /// The merged record whose id the file carries, if `patient` is the one that it was merged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_before_merge: Option<PatientId>,
    /// When its item was received; without it, when this was found out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeadFacts {
    pub lead: Lead,
    pub origin: TraceOrigin,
    pub filters: Filters,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupFacts {
    pub kind: GroupKind,
    pub label: String,
    pub sampling_hz: f64,
    pub leads: Vec<Lead>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingAssigned {
    pub patient: PatientId,
    /// Flags as they stand with this patient's age and sex.
    pub flags: FlagReport,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordingUnassigned {
    pub from: PatientId,
    pub reason: Phi<String>,
    pub flags: FlagReport,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientRegistered {
    pub identity: PatientIdentity,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientMerged {
    pub into: PatientId,
    pub reason: Phi<String>,
    /// The recordings that moved.
    pub recordings: Vec<RecordingId>,
    /// Flags of those that differ with the other record's age and sex.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<MovedFlags>,
}

/// A recording's flags as they stand with another record's age and sex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MovedFlags {
    pub recording: RecordingId,
    pub flags: FlagReport,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientUnmerged {
    pub from: PatientId,
    pub reason: Phi<String>,
    pub recordings: Vec<RecordingId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<MovedFlags>,
}

/// Sealed by the organization's key: the patient's is gone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PatientErased {
    pub reason: Phi<String>,
    pub recordings: Vec<RecordingId>,
    pub keys: Vec<KeyId>,
    /// What stays counted of the items whose own facts nobody can read any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<ErasedItem>,
}

/// An item without what it held: enough to count it for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ErasedItem {
    pub item: ItemId,
    pub door: Door,
    pub site: Option<SiteId>,
    pub size_bytes: u64,
    pub linked_to: Option<ItemId>,
    /// Stable code, as the item's row shows it.
    pub reason: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserFacts {
    pub user_name: Phi<String>,
    pub display_name: Phi<String>,
    pub roles: Vec<Role>,
    pub active: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserPasswordChanged {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenIssued {
    pub token: TokenId,
    pub user: UserId,
    pub label: String,
    pub roles: Vec<Role>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenRevoked {
    pub token: TokenId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BreakGlassOpened {
    pub user: UserId,
    pub reason: Phi<String>,
    pub seconds: i64,
}

/// The ledger was put back from a backup; it goes on from here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRestored {
    /// The last event and access that were brought back.
    pub events: i64,
    pub accesses: i64,
    /// The last event that the backup has. Where it is beyond `events`, those between were left out.
    pub backup_events: i64,
    pub reason: Phi<String>,
}

/// A backup was restored to an empty place, verified and left.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackupDrilled {
    pub realms: u64,
    /// Of all realms together.
    pub events: i64,
    /// Originals that were opened.
    pub opened: u64,
    /// 0 when the backup is good.
    pub problems: u64,
    pub seconds: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyRotated {
    pub old: KeyId,
    pub new: KeyId,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrganizationFacts {
    pub id: OrganizationId,
    pub slug: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SiteFacts {
    pub id: SiteId,
    pub organization: OrganizationId,
    pub name: String,
    pub time_zone: String,
}

/// Somebody came to a door that is not theirs. Holds no content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SenderRefused {
    pub door: Door,
    pub reason: String,
}

/// Somebody asked for another try of work that was given up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkRetried {
    pub kind: String,
    /// The stream that the work is about.
    pub subject: String,
    /// Tries until then.
    pub attempts: i64,
    /// Why the last one failed, as the program said it.
    pub reason: Option<String>,
}

/// Somebody gave up work that waited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkGivenUp {
    pub kind: String,
    pub subject: String,
    pub attempts: i64,
    pub reason: Phi<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkPaused {
    pub kind: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkResumed {
    pub kind: String,
}

/// Something is wrong that was not, or not any more. Of the platform's ledger; holds no person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRaised {
    /// As [`precordia_model::AlarmCode`] names it; a later version may not know it any more.
    pub code: String,
    pub subject: AlarmSubject,
    pub severity: AlarmSeverity,
    /// How often it was seen until now, and when first.
    pub count: i64,
    pub since: Timestamp,
    pub figures: AlarmFigures,
}

/// It is still so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmRepeated {
    /// How often it was seen since the last event.
    pub more: i64,
    pub last_seen_at: Timestamp,
    pub figures: AlarmFigures,
}

/// Somebody knows of it and does something about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmAcknowledged {
    /// `user/<id>` of the platform, or `platform/local`.
    pub by: String,
}

/// It is not so any more.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AlarmCleared {
    /// How often it was seen since the last event.
    pub more: i64,
    pub last_seen_at: Timestamp,
}
