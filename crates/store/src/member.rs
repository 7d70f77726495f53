//! Sets that a batch may demand to be exactly as its writer saw them.

use std::collections::{BTreeSet, HashMap};

use precordia_app::port::{Members, ViewChange};
use uuid::Uuid;

use crate::engine::{Connection, DbError, id};

pub(crate) async fn read(
    connection: &mut dyn Connection,
    sets: Vec<Members>,
) -> Result<HashMap<Members, BTreeSet<Uuid>>, DbError> {
    let mut all = HashMap::with_capacity(sets.len());
    for set in sets {
        let (sql, of) = match set {
            Members::RecordingsOf(patient) => {
                ("SELECT id FROM recording WHERE patient = $1", id(patient))
            }
            Members::ItemsOf(blob) => ("SELECT id FROM item WHERE blob = $1", id(blob)),
            Members::MergedInto(patient) => {
                ("SELECT id FROM patient WHERE merged_into = $1", id(patient))
            }
        };
        let mut members = BTreeSet::new();
        for row in connection.query(sql, &[of]).await? {
            members.insert(row.fields("member").id::<Uuid>()?);
        }
        all.insert(set, members);
    }
    Ok(all)
}

/// The row that a view change puts or removes, and the set of that kind that it is in afterwards.
pub(crate) fn moved(change: &ViewChange) -> Option<(Uuid, Kind, Option<Members>)> {
    Some(match change {
        ViewChange::Recording(row) => {
            (row.id.0, Kind::Recording, row.patient.map(Members::RecordingsOf))
        }
        ViewChange::RemoveRecording(id) => (id.0, Kind::Recording, None),
        ViewChange::Item(row) => (row.id.0, Kind::Item, row.blob.map(Members::ItemsOf)),
        ViewChange::Patient(row) => {
            (row.id.0, Kind::Patient, row.merged_into.map(Members::MergedInto))
        }
        ViewChange::RemovePatient(id) => (id.0, Kind::Patient, None),
        _ => return None,
    })
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Recording,
    Item,
    Patient,
}

pub(crate) const fn kind(set: &Members) -> Kind {
    match set {
        Members::RecordingsOf(_) => Kind::Recording,
        Members::ItemsOf(_) => Kind::Item,
        Members::MergedInto(_) => Kind::Patient,
    }
}
