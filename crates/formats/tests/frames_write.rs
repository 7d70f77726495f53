//! What is written as WFDB and EDF+ is read again, by us and by readers of others.
//!
//! The readers of others are Python packages (`wfdb`, `pyedflib`). `PRECORDIA_PYTHON` names the
//! interpreter that has them; without one these tests say that they were skipped.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stderr,
    clippy::unwrap_used
)]

mod framed;

use std::process::Command;

use framed::*;
use precordia_formats::wfdb::SignalFormat;
use precordia_formats::{edf, wfdb};
use precordia_model::{DeviceStatement, Lead, PartialDate, Phi, Recording, SampleRate};

/// Two leads of five seconds in steps of 4.88 uV.
fn recording() -> Recording {
    let mut recording =
        read_files(&framed::wfdb(16, &[wave(2500, 11, 0), wave(2500, 11, 3)])).unwrap();
    for trace in &mut recording.rhythm.traces {
        for uv in &mut trace.samples_uv {
            *uv = ((f64::from(*uv) / 10.0).round() * 4.88) as f32;
        }
    }
    recording.patient.id = Some(Phi::new("H 7".to_owned()));
    recording.patient.birth_date = Some(Phi::new(PartialDate::Day(1882, 3, 23)));
    recording.patient.name_as_written = Some(Phi::new("Noether^Emmy".to_owned()));
    let statement = |text: &str| DeviceStatement { text: Phi::new(text.to_owned()), code: None };
    recording.device_statements = vec![statement("Sinus rhythm"), statement("Größe normal")];
    recording
}

fn again(files: Vec<(String, Vec<u8>)>) -> Recording {
    read_files(&files).unwrap()
}

#[test]
fn a_wfdb_record_is_read_again_as_it_was() {
    let original = recording();
    for format in [SignalFormat::Bits16, SignalFormat::Bits12] {
        let read = again(wfdb::write(&original, "made", format).unwrap());
        assert_eq!(read.rhythm, original.rhythm);
        assert_eq!(read.acquired_at.unwrap().local, original.acquired_at.clone().unwrap().local);
        assert_eq!(read.patient.age_years, Some(78));
        assert_eq!(read.problems, []);
    }
}

#[test]
fn gaps_survive_wfdb_and_are_refused_by_edf() {
    let mut original = recording();
    original.rhythm.traces[1].samples_uv[7] = f32::NAN;
    for format in [SignalFormat::Bits16, SignalFormat::Bits12] {
        let read = again(wfdb::write(&original, "made", format).unwrap());
        let [written, read] = [&original, &read].map(|one| &one.rhythm.traces[1].samples_uv);
        assert!(same(written, read));
    }
    let refused = edf::write(&original).unwrap_err();
    assert_eq!(refused, edf::WriteError::GapsUnwritable { lead: Lead::V1 });
}

#[test]
fn an_edf_file_is_read_again_as_it_was() {
    let original = recording();
    let read = again(vec![("made.edf".into(), edf::write(&original).unwrap())]);
    assert_eq!(read.rhythm, original.rhythm);
    assert_eq!(read.acquired_at.unwrap().local, original.acquired_at.clone().unwrap().local);
    assert_eq!(read.patient.id, Some(Phi::new("H 7".to_owned())));
    assert_eq!(read.patient.birth_date, original.patient.birth_date);
    assert_eq!(read.patient.name_as_written, original.patient.name_as_written);
    assert_eq!(read.device_statements, original.device_statements);
    assert_eq!(read.problems, []);
}

#[test]
fn lengths_and_rates_of_every_kind_are_divided_into_records() {
    for (length, hz) in
        [(1, 500.0), (4999, 500.0), (5000, 500.0), (1200, 599.88), (1001, 128.0), (7, 0.5)]
    {
        let mut original = recording();
        original.rhythm.rate = SampleRate::from_hz(hz).unwrap();
        original.rhythm.traces.iter_mut().for_each(|trace| {
            trace.samples_uv = wave(length, 11, 2).iter().map(|value| *value as f32).collect()
        });
        let read = again(vec![("made.edf".into(), edf::write(&original).unwrap())]);
        assert_eq!(read.rhythm, original.rhythm, "{length} at {hz} Hz");
        let read = again(wfdb::write(&original, "made", SignalFormat::Bits16).unwrap());
        assert_eq!(read.rhythm, original.rhythm, "{length} at {hz} Hz");
    }
}

#[test]
fn names_that_are_not_ascii_and_records_that_are_no_names_are_refused() {
    let mut original = recording();
    assert_eq!(
        wfdb::write(&original, "../a", SignalFormat::Bits16),
        Err(wfdb::WriteError::NameInvalid)
    );
    original.patient.name_as_written = Some(Phi::new("Wałęsa".to_owned()));
    let refused = edf::write(&original).unwrap_err();
    assert_eq!(refused, edf::WriteError::TextUnwritable { field: "patient identification" });
    original.patient.name_as_written = Some(Phi::new("a".repeat(90)));
    assert!(matches!(edf::write(&original), Err(edf::WriteError::TextTooLong { .. })));
}

/// Runs a program of Python on files that lie in a folder of their own; its lines, or `None` where
/// the package is not there.
fn python(package: &str, program: &str, files: &[(String, Vec<u8>)]) -> Option<Vec<String>> {
    let interpreter = std::env::var("PRECORDIA_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let there = Command::new(&interpreter).args(["-c", &format!("import {package}")]).output();
    if !there.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: `{interpreter}` has no package `{package}` (1 case)");
        return None;
    }
    let folder = std::env::temp_dir().join(format!("precordia-{package}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (name, bytes) in files {
        std::fs::write(folder.join(name), bytes).unwrap();
    }
    let output =
        Command::new(&interpreter).args(["-c", program]).current_dir(&folder).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(text.lines().map(str::to_owned).collect())
}

fn check_samples(lines: &[String], original: &Recording) {
    for (line, trace) in lines.iter().zip(&original.rhythm.traces) {
        let read: Vec<f64> = line.split(' ').map(|number| number.parse().unwrap()).collect();
        assert_eq!(read.len(), trace.samples_uv.len());
        let furthest = read
            .iter()
            .zip(&trace.samples_uv)
            .map(|(read, uv)| (read - f64::from(*uv)).abs())
            .fold(0.0, f64::max);
        assert!(furthest < 1e-3, "{}: {furthest} uV", trace.lead);
    }
}

#[test]
fn the_wfdb_package_reads_what_is_written() {
    let original = recording();
    let program = "
import wfdb
record = wfdb.rdrecord('made')
print(record.fs, *record.sig_name, record.base_date, record.base_time)
for lead in range(record.n_sig):
    print(*(value * 1000 for value in record.p_signal[:, lead]))
";
    for format in [SignalFormat::Bits16, SignalFormat::Bits12] {
        let files = wfdb::write(&original, "made", format).unwrap();
        let Some(lines) = python("wfdb", program, &files) else { return };
        assert_eq!(lines[0], "500 I V1 2024-02-29 10:11:12");
        assert_eq!(lines.len(), 3);
        check_samples(&lines[1..], &original);
    }
}

#[test]
fn the_pyedflib_package_reads_what_is_written() {
    let original = recording();
    let program = "
import pyedflib
file = pyedflib.EdfReader('made.edf')
print(file.getPatientName(), file.getStartdatetime(), *file.getSignalLabels())
for lead in range(file.signals_in_file):
    print(*file.readSignal(lead))
print(*file.readAnnotations()[2], sep='|')
";
    let files = [("made.edf".to_owned(), edf::write(&original).unwrap())];
    let Some(lines) = python("pyedflib", program, &files) else { return };
    assert_eq!(lines[0], "Noether^Emmy 2024-02-29 10:11:12 ECG I ECG V1");
    check_samples(&lines[1..3], &original);
    assert_eq!(lines[3], "Sinus rhythm|Größe normal");
}
