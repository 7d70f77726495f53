//! Backup and restore: logical, the same for every engine, made while everything runs.
//!
//! A backup of a realm is what cannot be made again: the rows of both logs with the resource versions that
//! were written with them, the sealed originals, the secrets that are in no event, and, in a vault of their
//! own, the wrapped keys. Views, effect keys and work are folds of the events and are made anew.
//!
//! ```text
//! data: <realm>/events/<first>-<last>-<hash>    rows, sealed by the realm's backup key
//!       <realm>/access/<first>-<last>-<hash>
//!       <realm>/blobs/<window>/<blob>           as they lie in the storage, each sealed by its own key
//!       <realm>/states/<position>-<time>        how far the last run came, and the secrets
//! keys: <realm>/<position>-<time>/…             every wrapped key, sealed by a key that the master wraps
//! ```
//!
//! Files of logs are written once and stay. Of the keys only the newest set is kept: a key that an erasure
//! destroyed is in no backup after the next run, which the erasure itself asks for.

mod drill;
mod erasure;
mod file;
mod keys;
mod lines;
mod restore;
mod run;
mod state;
mod watch;

pub use drill::Drill;
pub use restore::{RestoreRequest, Restored, RestoredLog, RestoredRealm};
pub use run::BackedUp;
pub use state::BackupState;

use precordia_model::BlobId;

use crate::app::{App, AppError};
use crate::port::{LogName, Position, RealmId, Vaults};

/// Digits of a number in a name, so that names sort as numbers.
const DIGITS: usize = 16;

fn log_folder(realm: RealmId, log: LogName) -> String {
    format!("{realm}/{}", log.name())
}

fn blob_name(realm: RealmId, blob: BlobId) -> String {
    let id = blob.to_string();
    format!("{realm}/blobs/{}/{id}", &id[..5])
}

/// Where a file of rows begins and ends, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    first: Position,
    last: Position,
    /// The first 16 hexadecimal digits of the last row's hash.
    hash: String,
}

impl Segment {
    fn name(&self) -> String {
        format!("{:0DIGITS$}-{:0DIGITS$}-{}", self.first, self.last, self.hash)
    }

    fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('-');
        let (first, last) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let hash = parts.next()?.to_owned();
        (1 <= first && first <= last && parts.next().is_none()).then_some(Self {
            first,
            last,
            hash,
        })
    }
}

impl App {
    pub(crate) fn vaults(&self) -> Result<&Vaults, AppError> {
        let text = "no backup is configured: set backup.data_dir and backup.keys_dir";
        self.ports.vaults.as_ref().ok_or_else(|| AppError::refused("no_backup", text))
    }

    /// The files of rows that a backup has of a log, in order.
    async fn segments(&self, realm: RealmId, log: LogName) -> Result<Vec<Segment>, AppError> {
        let names = self.vaults()?.data.list(&log_folder(realm, log)).await?;
        Ok(names.iter().filter_map(|name| Segment::parse(name)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_segments_sort_as_their_rows_do() {
        let of = |first, last| Segment { first, last, hash: "00ff".into() };
        let (a, b) = (of(1, 999), of(1000, 20_000));
        assert!(a.name() < b.name());
        assert_eq!(Segment::parse(&a.name()), Some(a));
        for other in ["", "1-2", "2-1-ff", "0-1-ff", "1-2-ff-x", "x-2-ff"] {
            assert_eq!(Segment::parse(other), None, "{other}");
        }
    }
}
