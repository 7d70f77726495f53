//! Real XML ECGs of the shared corpus, where it is installed, against each other and against facts.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use std::path::{Path, PathBuf};

use precordia_model::{GroupKind, Recording, Refusal, Signal};
use xml_support::{problems, reading};

fn folder() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then(|| path.join("ecg"))
}

fn outcome(folder: &Path, file: &str) -> Result<Recording, Refusal> {
    let path = folder.join(file);
    reading(std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display())))
}

fn load(folder: &Path, file: &str) -> Recording {
    outcome(folder, file).unwrap_or_else(|refusal| panic!("{file}: {refusal:?}"))
}

fn named(recording: &Recording, name: &str) -> Option<f64> {
    let found = recording.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
    found.map(|one| one.value)
}

/// Every lead of the one is in the other, sample by sample.
#[track_caller]
fn assert_same(one: &Signal, other: &Signal) {
    assert_eq!(one.rate, other.rate);
    for trace in &one.traces {
        let twin = other.trace(trace.lead).unwrap_or_else(|| panic!("{} is absent", trace.lead));
        let shared = trace.samples_uv.len().min(twin.samples_uv.len());
        assert!(trace.samples_uv.len().abs_diff(twin.samples_uv.len()) <= 1, "{}", trace.lead);
        let differs = (0..shared).find(|&at| trace.samples_uv[at] != twin.samples_uv[at]);
        assert_eq!(differs, None, "{} differs", trace.lead);
    }
}

const SCP_ORDER: [&str; 12] =
    ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF"];
const PRINTED_ORDER: [&str; 12] =
    ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

fn leads(signal: &Signal) -> Vec<&'static str> {
    signal.leads().map(|lead| lead.name()).collect()
}

#[test]
fn the_example_of_the_standard_is_the_same_in_every_copy_and_as_dicom() {
    let Some(folder) = folder() else {
        eprintln!("skipped: corpus not found");
        return;
    };
    let first = load(&folder, "aecg/ecgtoolkit__Example.xml");
    assert_eq!((first.rhythm.rate.hz(), first.rhythm.len()), (500.0, 5000));
    assert_eq!(leads(&first.rhythm), SCP_ORDER);
    assert_eq!(first.other_groups.len(), 1);
    let beat = &first.other_groups[0];
    assert_eq!((beat.kind, beat.signal.len()), (GroupKind::MedianBeat, 599));
    assert_eq!(first.rhythm.traces[0].filters.high_hz, Some(150.0));
    assert_eq!(first.rhythm.traces[0].filters.notch_hz, Some(60.0));
    for (name, value) in [("pr_ms", 148.0), ("qrs_ms", 120.0), ("qt_ms", 420.0), ("qtc_ms", 443.0)]
    {
        assert_eq!(named(&first, name), Some(value), "{name}");
    }
    for (name, value) in [("p_axis_deg", 44.0), ("qrs_axis_deg", -61.0), ("t_axis_deg", 86.0)] {
        assert_eq!(named(&first, name), Some(value), "{name}");
    }
    assert_eq!(problems(&first), Vec::<&str>::new());
    for copy in [
        "aecg/cabolabs__Example.xml",
        "aecg/ecgkit__ecg_hl7.xml",
        "aecg/ecgutils__Example.xml",
        "aecg/fda__subject1_0.xml",
        "aecg/fda__subject2_2.xml",
    ] {
        let copy = load(&folder, copy);
        assert_eq!(copy.rhythm, first.rhythm);
        assert_eq!(copy.other_groups, first.other_groups);
        assert_eq!(copy.device_measurements, first.device_measurements);
    }
    for file in ["dicom/ecgtoolkit__Example.dcm", "dicom/cabolabs__Example.dcm"] {
        let dicom = load(&folder, file);
        assert_same(&dicom.rhythm, &first.rhythm);
        assert_same(&dicom.other_groups[0].signal, &beat.signal);
    }
}

#[test]
fn the_carts_seconds_are_milliseconds_and_its_leads_agree_with_each_other() {
    let Some(folder) = folder() else {
        eprintln!("skipped: corpus not found");
        return;
    };
    for (file, heart_rate) in [
        ("aecg/ecgutils__data1_1.xml", 58.0),
        ("aecg/ecgutils__data12_1.xml", 56.0),
        ("aecg/ecgutils__data17_1.xml", 65.0),
    ] {
        let read = load(&folder, file);
        assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 5000), "{file}");
        assert_eq!(leads(&read.rhythm), PRINTED_ORDER);
        assert_eq!(named(&read, "heart_rate_bpm"), Some(heart_rate), "{file}");
        for code in ["increment_unit_corrected", "time_dialect", "acquisition_time_conflict"] {
            assert!(problems(&read).contains(&code), "{file}: {:?}", read.problems);
        }
        assert!(!problems(&read).contains(&"limb_leads_inconsistent"), "{file}");
        assert!(!read.device_statements.is_empty());
    }
    let read = load(&folder, "aecg/ecgutils__data12_1.xml");
    let statements: Vec<&str> =
        read.device_statements.iter().map(|one| one.text.reveal().as_str()).collect();
    assert_eq!(statements, ["1.窦性心动过缓", "2.正常心电图"]);
}

#[test]
fn a_second_manufacturers_files_are_read_and_edge_cases_refused() {
    let Some(folder) = folder() else {
        eprintln!("skipped: corpus not found");
        return;
    };
    let [first, second] = ["cvrgaecg", "cvrgconv"]
        .map(|name| load(&folder, &format!("aecg/{name}__hl7aecg-Example2.xml")));
    assert_eq!((first.rhythm.rate.hz(), first.rhythm.len()), (1000.0, 10_000));
    assert_eq!(leads(&first.rhythm), PRINTED_ORDER);
    assert_eq!(first.other_groups[0].signal.len(), 1200);
    // Its rate is in `bmp`, which is no unit.
    assert_eq!(
        (named(&first, "heart_rate_bpm"), problems(&first)),
        (None, vec!["measurement_unit"])
    );
    assert_eq!(first.rhythm, second.rhythm);
    for (file, code) in [
        ("fda__empty", "rhythm_absent"),
        ("fda__minimum_aecg", "rhythm_too_short"),
        ("fda__minimum_aecg_effectiveTime_high", "rhythm_too_short"),
    ] {
        assert_eq!(outcome(&folder, &format!("aecg/{file}.xml")).unwrap_err().code, code, "{file}");
    }
}
