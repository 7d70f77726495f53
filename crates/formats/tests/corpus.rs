//! The shared corpus of real and independently made files, where it is installed.
//!
//! `PRECORDIA_CORPUS` names it. Its truth says of each file whether it is read or refused and what
//! its samples are; nothing read may differ from it, and nothing that must be refused may be read.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use precordia_formats::{Part, read};
use precordia_model::{DeviceMeasurement, GroupKind, Recording, Signal};
use serde_json::Value;

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

fn load(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn truth(corpus: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(corpus.join("variants/truth.jsonl"))
        .expect("the corpus has its truth");
    text.lines().map(|line| serde_json::from_str(line).expect("the truth is JSON lines")).collect()
}

fn strings(row: &Value, key: &str) -> Vec<String> {
    let list = row[key].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

/// 0.001 uV or a millionth; 0.32 uV where the writer itself rescaled samples.
fn is_close(read: f64, truth: f64, row: &Value) -> bool {
    let rescaled = row["family"].as_str() == Some("A_ecg2dcm");
    (read - truth).abs() <= f64::max(if rescaled { 0.32 } else { 0.001 }, 1e-6 * truth.abs())
}

/// What differs between a signal and a row (or a further group) of the truth.
fn differences(signal: &Signal, row: &Value, whole: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let leads = strings(row, "leads");
    let read: Vec<&str> = signal.leads().map(|lead| lead.name()).take(leads.len()).collect();
    if read != leads {
        found.push(format!("leads {read:?}"));
    }
    if row["sampling_hz"].as_f64().is_some_and(|hz| (signal.rate.hz() - hz).abs() > 0.001) {
        found.push(format!("{} Hz", signal.rate.hz()));
    }
    if row["n_samples"].as_u64().is_some_and(|count| signal.len() as u64 != count) {
        found.push(format!("{} samples", signal.len()));
    }
    let middle = row["mid_index"].as_u64().unwrap_or(0) as usize;
    for (key, from) in [("first10", 0), ("mid10", middle)] {
        for (index, values) in row[key].as_array().into_iter().flatten().enumerate() {
            for (offset, expected) in values.as_array().into_iter().flatten().enumerate() {
                let read = f64::from(signal.traces[index].samples_uv[from + offset]);
                let agrees =
                    expected.as_f64().map_or(read.is_nan(), |truth| is_close(read, truth, whole));
                if !agrees {
                    found.push(format!("{key} of lead {index} at {offset}: {read} for {expected}"));
                }
            }
        }
    }
    for (index, stats) in row["stats"].as_array().into_iter().flatten().enumerate() {
        let samples = &signal.traces[index].samples_uv;
        let present = || samples.iter().filter(|uv| !uv.is_nan()).map(|&uv| f64::from(uv));
        let gaps = samples.len() - present().count();
        let least = present().fold(f64::INFINITY, f64::min);
        let sum_abs: f64 = present().map(f64::abs).sum();
        let agree = stats["nulls"].as_u64().is_none_or(|nulls| nulls == gaps as u64)
            && stats["min"].as_f64().is_none_or(|min| is_close(least, min, whole))
            && stats["sum_abs"]
                .as_f64()
                .is_none_or(|sum| (sum - sum_abs).abs() <= 1e-4 * sum.max(1.0) + 0.01);
        if !agree && whole["family"].as_str() != Some("A_ecg2dcm") {
            found.push(format!(
                "stats of lead {index}: min {least}, sum {sum_abs}, {gaps} gaps for {stats}"
            ));
        }
    }
    found
}

/// Families whose truth says the person and the time as the file has them.
fn says_who(row: &Value) -> bool {
    matches!(row["family"].as_str(), Some("B_dicom" | "C_aecg"))
}

fn person_and_time(recording: &Recording, row: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let plain = |text: &str| -> String {
        text.chars()
            .filter(|c| !c.is_control())
            .collect::<String>()
            .trim_end_matches(['=', ' '])
            .to_owned()
    };
    let name = recording
        .patient
        .name_as_written
        .as_ref()
        .map_or(String::new(), |name| plain(name.reveal()));
    // The one name that no reader can know is given with an X for each byte.
    if row.get("patient_name").is_some_and(|truth| {
        let truth = plain(truth.as_str().unwrap_or_default());
        truth != name && !truth.contains(&"X".repeat(4)) && says_who(row)
    }) {
        found.push("patient name".to_owned());
    }
    let id = recording.patient.id.as_ref().map(|id| id.reveal().as_str());
    if row["patient_id"].as_str().is_some_and(|truth| id != Some(truth)) {
        found.push("patient id".to_owned());
    }
    let time = recording.acquired_at.as_ref().map(|time| time.as_written.as_str());
    if row.get("acquired_at").is_some_and(|truth| says_who(row) && truth.as_str() != time) {
        found.push("time of acquisition".to_owned());
    }
    found
}

fn device_says(recording: &Recording, row: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (key, expected) in row["measurements"].as_object().into_iter().flatten() {
        let name = match key.as_str() {
            "heart_rate" => "heart_rate_bpm".to_owned(),
            axis if axis.ends_with("_axis") => format!("{axis}_deg"),
            other => other.to_owned(),
        };
        // Some rows name a measurement as the device's label does.
        let is_it =
            |one: &&DeviceMeasurement| one.name.as_deref() == Some(&name) || one.label == *key;
        let read = recording.device_measurements.iter().find(is_it);
        if read.map(|one| one.value) != expected.as_f64() {
            found.push(format!("device says {name} {read:?} for {expected}"));
        }
    }
    let said: Vec<String> =
        recording.device_statements.iter().map(|one| one.text.reveal().clone()).collect();
    let statements = strings(row, "statements");
    if !statements.is_empty() && said != statements {
        found.push("device statements".to_owned());
    }
    found
}

fn check(recording: &Recording, row: &Value) -> Vec<String> {
    let mut found = differences(&recording.rhythm, row, row);
    for (index, group) in row["other_groups"].as_array().into_iter().flatten().enumerate() {
        match recording.other_groups.get(index) {
            Some(other) => found.extend(differences(&other.signal, group, row)),
            None => found.push(format!("group {index} is missing")),
        }
    }
    found.extend(person_and_time(recording, row));
    found.extend(device_says(recording, row));
    found
}

/// FHIR is read in `interop`, and judged there.
fn is_judged(row: &Value) -> bool {
    row["format"] != "fhir_json"
}

#[test]
fn every_file_of_the_truth_is_read_or_refused_as_it_says() {
    let Some(corpus) = corpus() else { return eprintln!("skipped 1: no corpus") };
    let rows = truth(&corpus);
    assert_eq!(rows.len(), 542, "the corpus has grown or shrunk");
    let judged: Vec<&Value> = rows.iter().filter(|row| is_judged(row)).collect();
    let failures: Vec<String> = judged.iter().filter_map(|row| failure(&corpus, row)).collect();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        judged.len(),
        failures.join("\n")
    );
}

/// What is wrong with the outcome of a row, if anything is.
fn failure(corpus: &Path, row: &Value) -> Option<String> {
    let file = row["file"].as_str().unwrap_or_default();
    let mut held = vec![(name_of(file), load(&corpus.join("variants").join(file)))];
    for part in strings(row, "aux_files") {
        // A part that the truth names may be missing on purpose.
        if let Ok(bytes) = std::fs::read(corpus.join("variants").join(&part)) {
            held.push((name_of(&part), bytes));
        }
    }
    let parts: Vec<Part> = held.iter().map(|(name, bytes)| Part { name, bytes }).collect();
    let also = strings(row, "also_ok");
    let allowed = |outcome: &str| row["expect"] == outcome || also.iter().any(|one| one == outcome);
    let recording = match read(&parts) {
        Err(_) if allowed("refuse") => return None,
        Err(refusal) => return Some(format!("{file}: refused: {refusal}")),
        Ok(_) if file.contains("fuzz") => return None,
        Ok(recording) => recording,
    };
    let with_problems = allowed("read_with_problems") && !recording.problems.is_empty();
    if !allowed("read") && !with_problems {
        return Some(format!("{file}: read, with {:?}", recording.problems));
    }
    let found = check(&recording, row);
    (!found.is_empty()).then(|| format!("{file}: {}", found.join("; ")))
}

fn name_of(file: &str) -> String {
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

#[test]
fn real_files_are_read_with_their_rhythm_median_and_measurements() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: corpus not found (3 cases)");
        return;
    };
    let cases = [
        (
            "cabolabs__Example.dcm",
            500.0,
            4999,
            599,
            [("pr_ms", 148.0), ("t_axis_deg", 86.0)],
            vec!["axis_unit"],
        ),
        (
            "ecgtoolkit__Example.dcm",
            500.0,
            5000,
            600,
            [("pr_ms", 148.0), ("t_axis_deg", 86.0)],
            vec!["padding_doubtful", "padding_undeclared", "axis_unit"],
        ),
        (
            "pydicom__waveform_ecg.dcm",
            1000.0,
            10_000,
            1200,
            [("rr_ms", 982.0), ("qrs_axis_deg", 52.0)],
            vec![],
        ),
    ];
    for (file, hz, samples, median, measured, problems) in cases {
        let bytes = load(&corpus.join("ecg/dicom").join(file));
        let recording = read(&[Part { name: file, bytes: &bytes }]).expect(file);
        assert_eq!((recording.rhythm.rate.hz(), recording.rhythm.len()), (hz, samples), "{file}");
        assert_eq!(recording.other_groups[0].kind, GroupKind::MedianBeat, "{file}");
        assert_eq!(recording.other_groups[0].signal.len(), median, "{file}");
        for (name, value) in measured {
            let one =
                recording.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
            assert_eq!(one.map(|one| one.value), Some(value), "{file} {name}");
        }
        let codes: Vec<&str> =
            recording.problems.iter().map(|problem| problem.code.as_str()).collect();
        assert_eq!(codes, problems, "{file}");
    }
    // The same recording came out of two versions of one converter.
    let read = |file: &str| {
        let bytes = load(&corpus.join("ecg/dicom").join(file));
        let mut signal = read(&[Part { name: file, bytes: &bytes }]).expect(file).rhythm;
        signal.traces.iter_mut().for_each(|trace| trace.samples_uv.truncate(4999));
        signal
    };
    assert_eq!(read("cabolabs__Example.dcm"), read("ecgtoolkit__Example.dcm"));
}
