//! What the use cases need from the outside, in our own words.
//!
//! Adapters (crate `store`) translate and nothing else; the same contract suite runs on each of them.
//! A handle is the tenant: every call takes a [`Realm`] or an [`OrgScope`](crate::access::OrgScope),
//! which only [`crate::access`] can make.

mod accounts;
mod alarms;
mod blobs;
mod clock;
mod keys;
mod log;
mod restore;
mod vault;
mod views;
mod witness;
mod work;

pub use accounts::*;
pub use alarms::*;
pub use blobs::*;
pub use clock::*;
pub use keys::*;
pub use log::*;
pub use restore::*;
pub use vault::*;
pub use views::*;
pub use witness::*;
pub use work::*;

use std::sync::Arc;

use precordia_model::OrganizationId;

use crate::access::{OrgScope, PlatformScope};

/// Whose data a call reaches: one organization's, or the platform's own (which holds no patient).
#[derive(Clone, Copy, Debug)]
pub enum Realm<'a> {
    Organization(&'a OrgScope),
    Platform(&'a PlatformScope),
}

impl Realm<'_> {
    /// The name that is bound into every hash and every sealed value of the realm.
    pub fn id(&self) -> RealmId {
        match self {
            Realm::Organization(scope) => RealmId(Some(scope.organization())),
            Realm::Platform(_) => RealmId(None),
        }
    }
}

impl<'a> From<&'a OrgScope> for Realm<'a> {
    fn from(scope: &'a OrgScope) -> Self {
        Realm::Organization(scope)
    }
}

impl<'a> From<&'a PlatformScope> for Realm<'a> {
    fn from(scope: &'a PlatformScope) -> Self {
        Realm::Platform(scope)
    }
}

/// An organization's id, or the platform. A name, not a handle: nothing can be reached with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RealmId(pub Option<OrganizationId>);

impl RealmId {
    pub const PLATFORM: RealmId = RealmId(None);

    /// The 16 bytes that stand for the realm in hashes and associated data; zero for the platform.
    pub fn bytes(self) -> [u8; 16] {
        self.0.map_or([0; 16], |id| *id.0.as_bytes())
    }
}

impl std::fmt::Display for RealmId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(id) => write!(f, "{id}"),
            None => f.write_str("platform"),
        }
    }
}

/// A storage failure. Never holds a value of the data; `context` says what was attempted.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("organization `{0}` is not on this storage")]
    UnknownOrganization(OrganizationId),
    /// The commit was sent and its answer is not known. Settle by effect key; do not retry blindly.
    #[error("outcome of the commit is unknown while {context}")]
    OutcomeUnknown { context: &'static str },
    #[error("storage failed while {context}: {message}")]
    Failed { context: &'static str, message: String },
    /// A stored row does not have the form it was written in.
    #[error("stored {what} is damaged: {detail}")]
    Damaged { what: &'static str, detail: String },
    #[error("storage is full or over its limit while {context}")]
    Full { context: &'static str },
    #[error("blob `{0}` is not on this storage")]
    NoBlob(precordia_model::BlobId),
}

/// All ports, as the use cases hold them.
#[derive(Clone)]
pub struct Ports {
    pub log: Arc<dyn EventLog>,
    pub items: Arc<dyn ItemViews>,
    pub recordings: Arc<dyn RecordingViews>,
    pub patients: Arc<dyn PatientViews>,
    pub resources: Arc<dyn ResourceVersions>,
    pub accounts: Arc<dyn Accounts>,
    pub directory: Arc<dyn Directory>,
    pub work: Arc<dyn WorkQueue>,
    pub work_views: Arc<dyn WorkViews>,
    pub work_waiting: Arc<dyn WorkWaiting>,
    pub alarms: Arc<dyn AlarmStore>,
    pub notifier: Arc<dyn Notifier>,
    pub blobs: Arc<dyn Blobs>,
    pub keys: Arc<dyn KeyStore>,
    pub restore: Arc<dyn Restore>,
    /// `None`: no backups are made here.
    pub vaults: Option<Vaults>,
    pub master: Arc<dyn MasterKey>,
    pub witness: Arc<dyn Witness>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
}
