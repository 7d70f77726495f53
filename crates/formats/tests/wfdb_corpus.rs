//! WFDB records of the shared corpus: made by others, and real ones.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod truth;

use std::path::{Path, PathBuf};

use precordia_formats::Part;
use precordia_model::{Recording, Sex};

fn headers(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(headers(&path));
        } else if path.extension().is_some_and(|extension| extension == "hea") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}

#[test]
fn every_record_of_the_truth_is_read_or_refused_as_it_says() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(82) };
    let rows = truth::rows(&corpus, &["wfdb"]);
    assert_eq!(rows.len(), 82, "the corpus has grown or shrunk");
    let failures = truth::failures(&corpus, &rows);
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn every_record_with_expert_annotations_is_read() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(123) };
    let all = headers(&corpus.join("annotated"));
    assert!(all.len() >= 123, "{} headers", all.len());
    let mut failures = Vec::new();
    for path in &all {
        match truth::read_file(path) {
            Ok(recording) => {
                // The challenge of 2017 states first values that some of its records do not have.
                let of_2017 = path.to_string_lossy().contains("cinc2017");
                let is_wrong = |code: &&str| {
                    *code == "checksum_mismatch" || *code == "initial_value_mismatch" && !of_2017
                };
                let found: Vec<&str> = codes(&recording).into_iter().filter(is_wrong).collect();
                if !found.is_empty() {
                    failures.push(format!("{}: {found:?}", path.display()));
                }
            }
            Err(refusal) => failures.push(format!("{}: {refusal}", path.display())),
        }
    }
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn the_ptb_record_has_its_fifteen_leads_of_two_files() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let recording = truth::read_file(&corpus.join("annotated/ptb/s0010_re.hea")).unwrap();
    let leads: Vec<&str> = recording.rhythm.leads().map(|lead| lead.name()).collect();
    let expected = "I II III aVR aVL aVF V1 V2 V3 V4 V5 V6 X Y Z";
    assert_eq!(leads.join(" "), expected);
    assert_eq!((recording.rhythm.rate.hz(), recording.rhythm.len()), (1000.0, 38_400));
    assert_eq!(recording.rhythm.traces[0].samples_uv[0], -244.5);
    assert_eq!(codes(&recording), Vec::<&str>::new());
    assert!(recording.unmapped.len() > 20);
}

#[test]
fn a_challenge_record_says_who_and_what() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let recording = truth::read_file(&corpus.join("ecg/wfdb/torchecg__HR06000.hea")).unwrap();
    assert_eq!(recording.rhythm.traces.len(), 12);
    assert_eq!(recording.patient.sex, Some(Sex::Female));
    assert!(!recording.device_statements.is_empty());
    assert_eq!(recording.rhythm.traces[0].samples_uv[0], 10.0);
    // Written `mv`, twelve times.
    assert_eq!(codes(&recording), ["unit_case"]);
    assert_eq!(recording.problems[0].place.split("; ").count(), 12);
}

#[test]
fn a_header_alone_names_what_is_missing() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let bytes = truth::load(&corpus.join("annotated/mitdb/105.hea"));
    let parts = [Part { name: "105.hea", bytes: &bytes }];
    let refusal = precordia_formats::read(&parts).unwrap_err();
    assert_eq!(refusal.code, "part_missing");
    assert!(refusal.text.contains("`105.dat`"), "{refusal}");
    assert_eq!(precordia_formats::named_files(&bytes), ["105.dat"]);
}

#[test]
fn a_compressed_structure_of_cpsc_2018_is_read_with_a_doubt() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let path = corpus.join("ecg/wfdb/torchecg__A1980.mat");
    let recording = truth::read_file(&path).unwrap();
    assert_eq!((recording.rhythm.traces.len(), recording.rhythm.len()), (12, 5000));
    let first: Vec<f32> = recording.rhythm.traces.iter().map(|one| one.samples_uv[0]).collect();
    assert_eq!(first[..3], [201.867_2, 365.062_07, 163.194_87]);
    assert_eq!((recording.patient.sex, recording.patient.age_years), (Some(Sex::Male), Some(52)));
    assert_eq!(codes(&recording), ["layout_by_convention"]);
    // Whatever is cut off or changed, an answer comes.
    let mut bytes = truth::load(&path);
    for keep in (0..bytes.len()).step_by(4099).chain(0..200) {
        assert!(precordia_formats::read(&[Part { name: "a", bytes: &bytes[..keep] }]).is_err());
    }
    for at in (126..bytes.len()).step_by(9973) {
        bytes[at] ^= 0x10;
        let _ = precordia_formats::read(&[Part { name: "a", bytes: &bytes }]);
        bytes[at] ^= 0x10;
    }
}
