//! Use cases, the roles' loops, and the ports that they need.
//!
//! A use case fetches through ports, asks `rules`, seals, and appends. It knows no table, no status code
//! and no socket.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod access;
mod alarm;
mod app;
pub mod audit;
mod authority;
mod backup;
pub mod blob;
pub mod chain;
mod fhir;
mod index;
mod ingest;
mod intake;
pub mod keys;
mod ledger;
mod live;
mod master;
mod named;
mod operations;
mod organization;
mod past;
mod patient;
pub mod port;
mod recording;
mod rotate;
pub mod seal;
mod sheet;
mod sweep;
mod upkeep;
mod user;
mod view;
mod waking;
mod worker;

#[cfg(test)]
mod testing;

pub use alarm::{Alarm, AlarmOverview, AlarmPage, Alarms, ChannelAnswer};
pub use app::{App, AppError, Settings};
pub use authority::Authorities;
pub use backup::{
    BackedUp, BackupState, Drill, RestoreRequest, Restored, RestoredLog, RestoredRealm,
};
pub use fhir::*;
pub use intake::*;
pub use live::{Change, Changes, Next, RecordingChange};
pub use master::MasterRotated;
pub use named::{NamedBy, NamedRecording};
pub use operations::{WorkGauges, WorkKind, WorkPage};
pub use organization::*;
pub use past::{PastStep, Step};
pub use patient::{FoundPatients, PatientBanner, PatientPage};
pub use recording::*;
pub use rotate::Rotated;
pub use sheet::SheetFacts;
pub use upkeep::{BACKUP, END_SESSIONS, PRUNE};
pub use user::{NewUser, User, UserChange};
pub use view::{Rebuilt, ViewDifference, ViewReport};
pub use worker::{KINDS as WORK_KINDS, Stop, Stopping};
