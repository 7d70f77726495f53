//! The list of views. A new one is a file of its own and one line here.

use precordia_app::port::{Position, ViewChange};

use crate::engine::Script;
use crate::{account, directory, item, patient, recording};

/// Adds the statements that put a changed row in place. `first` is the position of the batch's first
/// event, which a row that says 0 gets.
pub(crate) fn write<'a>(script: &mut Script<'a>, change: &'a ViewChange, first: Position) {
    match change {
        ViewChange::Item(row) => item::put(script, row, first),
        ViewChange::Recording(row) => recording::put(script, row, first),
        ViewChange::RemoveRecording(id) => recording::remove(script, *id),
        ViewChange::Patient(row) => patient::put(script, row),
        ViewChange::PatientTokens { patient, tokens } => {
            patient::put_tokens(script, *patient, tokens);
        }
        ViewChange::RemovePatient(id) => patient::remove(script, *id),
        ViewChange::User(row) => account::put(script, row),
        ViewChange::Organization(row) => directory::put_organization(script, row),
        ViewChange::Site(row) => directory::put_site(script, row),
    }
}

/// True when a row takes its position from the batch's first event.
pub(crate) fn needs_position(change: &ViewChange) -> bool {
    match change {
        ViewChange::Item(row) => row.position == precordia_app::port::POSITION_OF_THIS_BATCH,
        ViewChange::Recording(row) => row.position == precordia_app::port::POSITION_OF_THIS_BATCH,
        _ => false,
    }
}
