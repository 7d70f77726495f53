//! The storage ports on SQLite with local files, and on PostgreSQL.
//!
//! Statements are written once for both engines; the tables of a topic, its rows and its searches are in
//! the file of that name. Nothing here opens what is sealed, and no rule of the product is decided here.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod account;
mod alarm;
mod append;
mod blob;
mod commit;
mod directories;
mod directory;
mod effect;
mod engine;
mod files;
mod item;
mod key;
mod log;
mod master;
mod master_file;
mod member;
mod migration;
mod patient;
mod recording;
mod resource;
mod restore;
mod store;
mod syncs;
mod system;
mod vault;
mod view;
mod witness;
mod work;
mod work_change;
mod work_view;

pub use files::{Files, LocalFiles, OpenFile};
pub use master::{MasterSourceError, master_absent, master_from_env};
pub use master_file::master_from_file;
pub use store::{PostgresOptions, SqliteOptions, Store, open_postgres, open_sqlite, ports};
pub use syncs::SyncAlarm;
pub use system::{SecureRandom, SystemClock};
pub use vault::{vault_in, vault_on};
pub use witness::{witness_in, witness_of};
