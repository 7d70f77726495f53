//! Every kind of id is its own type, so that a patient is never looked up by a recording's id.
//!
//! Ids are opaque UUIDs; they carry no meaning and may appear in addresses and logs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )+};
}

ids! {
    /// A hospital, clinic or practice group: a world of its own.
    OrganizationId,
    /// A place of an organization where ECGs are recorded.
    SiteId,
    PatientId,
    RecordingId,
    /// One received object, whatever became of it.
    ItemId,
    /// Original bytes, sealed.
    BlobId,
    /// A key of the key hierarchy. Errors about keys name it.
    KeyId,
    UserId,
    SessionId,
    /// An API token's public part.
    TokenId,
    /// One piece of work on the one queue.
    WorkId,
    /// One time that something was wrong, from its beginning to its end.
    AlarmId,
    /// One request of a client; error messages carry it for support.
    RequestId,
}
