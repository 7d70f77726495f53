//! Words that the API uses for values of `model`, with their places in the schema.
//!
//! They stand here a second time, because `model` does not know how its values are shown to anybody.

use std::borrow::Cow;

use precordia_model as model;
use precordia_model::{Phi, Timestamp};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident for $model:ty { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum $name { $(#[serde(rename = $word)] $variant),+ }

        // Derived, the schema would list the variants' own names: a derive does not see through the macro.
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new().schema_type(Type::String).enum_values(Some([$($word),+])).into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }

        #[allow(dead_code, reason = "every list of words has one; not every one is asked")]
        impl $name {
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl From<$model> for $name {
            fn from(value: $model) -> Self {
                match value { $(<$model>::$variant => Self::$variant),+ }
            }
        }

        impl From<$name> for $model {
            fn from(value: $name) -> Self {
                match value { $($name::$variant => Self::$variant),+ }
            }
        }
    };
}

words!(Role for model::Role {
    Technician = "technician",
    Nurse = "nurse",
    Physician = "physician",
    Cardiologist = "cardiologist",
    OrganizationAdministrator = "organization-administrator",
    Auditor = "auditor",
    Researcher = "researcher",
    Service = "service",
    PlatformOperator = "platform-operator",
});

words!(FlagCode for model::FlagCode {
    Bradycardia = "bradycardia",
    Tachycardia = "tachycardia",
    AvBlock1 = "av_block_1",
    LongQt = "long_qt",
    AxisLeft = "axis_left",
    AxisRight = "axis_right",
    AxisExtreme = "axis_extreme",
    StElevation = "st_elevation",
    StDepression = "st_depression",
});

words!(Severity for model::Severity { Info = "info", Borderline = "borderline", Alert = "alert" });

words!(ItemState for model::ItemState {
    InFlight = "in-flight",
    Filed = "filed",
    Linked = "linked",
    Held = "held",
    Quarantined = "quarantined",
    Rejected = "rejected",
});

words!(WorkState for precordia_app::port::WorkState {
    Ready = "ready",
    Leased = "leased",
    Dead = "dead",
    Done = "done",
});

words!(WorkPriority for precordia_app::port::Priority {
    Urgent = "urgent",
    Normal = "normal",
    Background = "background",
});

words!(AlarmSeverity for model::AlarmSeverity {
    Info = "info",
    Warning = "warning",
    Critical = "critical",
});

words!(AlarmState for precordia_app::port::AlarmState {
    Open = "open",
    Acknowledged = "acknowledged",
    Cleared = "cleared",
});

words!(Sex for model::Sex { Male = "male", Female = "female", Other = "other", Unknown = "unknown" });

words!(QtFormula for model::QtFormula {
    Bazett = "bazett",
    Fridericia = "fridericia",
    Framingham = "framingham",
    Hodges = "hodges",
});

words!(ProblemSeverity for model::ProblemSeverity { Info = "info", Warning = "warning", Error = "error" });

words!(RecordingStatus for precordia_app::port::RecordingStatus { Filed = "filed", Held = "held" });

/// A moment in UTC.
pub(crate) fn time(at: Timestamp) -> String {
    at.to_rfc3339()
}

/// What an authorized reader is shown.
pub(crate) fn shown(value: &Phi<String>) -> String {
    value.reveal().clone()
}

pub(crate) fn shown_all(values: &[Phi<String>]) -> Vec<String> {
    values.iter().map(shown).collect()
}

/// `user/<id>`, `system/worker`, or the user's name where it is known.
pub(crate) fn actor(actor: &str, name: Option<&Phi<String>>) -> String {
    name.map_or_else(|| actor.to_owned(), shown)
}

/// The role names of a stored row.
pub(crate) fn roles(text: &str) -> Vec<String> {
    text.split(',').filter(|role| !role.is_empty()).map(str::to_owned).collect()
}
