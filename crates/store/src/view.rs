//! The list of views. A new one is a file of its own and one line here.

use precordia_app::port::{Position, Stream, ViewChange};

use crate::engine::{Script, Statement};
use crate::{account, alarm, directory, item, patient, recording};

/// Adds the statements that put a changed row in place. `first` is the position of the batch's first
/// event, to which a row's own may be relative.
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
        ViewChange::Remove(stream) => remove(script, stream),
        ViewChange::User(row) => account::put(script, row),
        ViewChange::Password { user, hash } => account::put_password(script, *user, hash),
        ViewChange::Organization(row) => directory::put_organization(script, row),
        ViewChange::Site(row) => directory::put_site(script, row),
        ViewChange::Alarm(row) => alarm::put(script, row),
        ViewChange::Notice(row) => alarm::put_notice(script, row),
        ViewChange::EndReminders(id) => alarm::end_reminders(script, *id),
    }
}

/// True when a row takes its position from an event of the batch.
pub(crate) fn needs_position(change: &ViewChange) -> bool {
    match change {
        ViewChange::Item(row) => row.position <= 0,
        ViewChange::Recording(row) => row.position <= 0,
        _ => false,
    }
}

/// Removes the row of a stream that has no events.
fn remove<'a>(script: &mut Script<'a>, stream: &'a Stream) {
    let (kind, id) = stream.as_str().split_once('/').unwrap_or_default();
    let all: &[&'static str] = match kind {
        "item" => &["DELETE FROM item WHERE id = $1"],
        "recording" => &[
            "DELETE FROM recording WHERE id = $1",
            "DELETE FROM recording_flag WHERE recording = $1",
        ],
        "patient" => {
            &["DELETE FROM patient WHERE id = $1", "DELETE FROM patient_token WHERE patient = $1"]
        }
        "organization" => &["DELETE FROM organization WHERE id = $1"],
        "site" => &["DELETE FROM site WHERE id = $1"],
        "alarm" => &["DELETE FROM alarm WHERE id = $1"],
        "user" => &["DELETE FROM account WHERE id = $1", "DELETE FROM password WHERE account = $1"],
        _ => &[],
    };
    script.extend(all.iter().map(|sql| Statement { sql, params: vec![id.into()] }));
}

/// Rows of views whose streams have no events, by the names of the streams.
pub(crate) const WITHOUT_EVENTS: &str = "SELECT DISTINCT stream FROM (\
     SELECT 'item/' || id AS stream FROM item UNION ALL \
     SELECT 'recording/' || id FROM recording UNION ALL \
     SELECT 'recording/' || recording FROM recording_flag UNION ALL \
     SELECT 'patient/' || id FROM patient UNION ALL \
     SELECT 'patient/' || patient FROM patient_token UNION ALL \
     SELECT 'user/' || id FROM account) AS streams \
     WHERE NOT EXISTS (SELECT 1 FROM event WHERE event.stream = streams.stream) LIMIT ";
