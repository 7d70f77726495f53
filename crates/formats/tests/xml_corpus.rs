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

/// The sum of V6's samples, each times its number from 1: a value anywhere else shows.
#[track_caller]
fn assert_weighed(signal: &Signal, expected_uv: f64) {
    let trace = signal.traces.iter().find(|trace| trace.lead.name() == "V6").unwrap();
    let numbered = trace.samples_uv.iter().enumerate();
    let sum: f64 = numbered.map(|(at, &uv)| (at + 1) as f64 * f64::from(uv)).sum();
    assert!((sum - expected_uv).abs() < 1e-6 * expected_uv.abs(), "{sum} for {expected_uv}");
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

#[test]
fn muse_files_have_twelve_leads_and_what_the_cart_measured() {
    let Some(folder) = folder() else {
        eprintln!("skipped: corpus not found");
        return;
    };
    let independent = ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6", "III", "aVR", "aVL", "aVF"];
    // The sum of V6's samples, each times its number, in mV as ecgdatakit 2.0.3 reads them.
    for (file, heart_rate, qt, weighed) in [
        ("easyrecg__muse_ecg1", 60.0, 364.0, -59_698.245_36),
        ("easyrecg__muse_ecg2", 60.0, 366.0, -58_684.928),
        ("easyrecg__muse_ecg3", 60.0, 366.0, -72_232.949_92),
        ("braveheart__example1", 48.0, 452.0, -83_715.653_36),
        ("braveheart__example3", 59.0, 436.0, -66_635.985_2),
    ] {
        let read = load(&folder, &format!("muse/{file}.xml"));
        assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 5000), "{file}");
        assert_eq!(leads(&read.rhythm), independent, "{file}");
        assert_eq!(read.other_groups.len(), 1, "{file}");
        let beat = &read.other_groups[0];
        assert_eq!((beat.kind, beat.signal.len()), (GroupKind::MedianBeat, 600), "{file}");
        assert_eq!(named(&read, "heart_rate_bpm"), Some(heart_rate), "{file}");
        assert_eq!(named(&read, "qt_ms"), Some(qt), "{file}");
        assert_weighed(&read.rhythm, weighed * 1000.0);
        assert!(!problems(&read).iter().any(|code| code.contains("checksum")), "{file}");
    }
    let read = load(&folder, "muse/easyrecg__muse_ecg1.xml");
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.local.as_deref(), Some("2021-05-10T13:15:18"));
    assert_eq!(read.device_statements.len(), 3);
}

#[test]
fn cardiosoft_files_have_their_table_and_their_median() {
    let Some(folder) = folder() else {
        eprintln!("skipped: corpus not found");
        return;
    };
    // Sums as Python's own XML reader gives them, of the strip and of the median.
    for (file, heart_rate, pr, statements, weighed) in [
        ("ecgvisualizer__example1", 42.0, 250.0, 0, [-21_147_171_710.0, 20_898_625.0]),
        ("heartwise__dummy_ecg", 74.0, 172.0, 3, [-66_117_680.0, 7_792_410.0]),
    ] {
        let read = load(&folder, &format!("cardiosoft/{file}.xml"));
        assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 5000), "{file}");
        assert_eq!(leads(&read.rhythm), PRINTED_ORDER, "{file}");
        assert_eq!(read.other_groups[0].signal.len(), 600, "{file}");
        assert_weighed(&read.rhythm, weighed[0]);
        assert_weighed(&read.other_groups[0].signal, weighed[1]);
        assert_eq!(named(&read, "heart_rate_bpm"), Some(heart_rate), "{file}");
        assert_eq!(named(&read, "pr_ms"), Some(pr), "{file}");
        assert_eq!(read.device_statements.len(), statements, "{file}");
        assert!(!problems(&read).contains(&"limb_leads_inconsistent"), "{file}");
        assert!(!problems(&read).contains(&"measurement_table"), "{file}");
    }
    let read = load(&folder, "cardiosoft/ecgvisualizer__example1.xml");
    let wave = |label: &str, lead: &str| {
        let is_it = |one: &&precordia_model::DeviceMeasurement| {
            one.label == label && one.lead.is_some_and(|own| own.name() == lead)
        };
        read.device_measurements.iter().find(is_it).map(|one| one.value)
    };
    assert_eq!(wave("SAmplitude", "V3"), Some(4345.0));
    assert_eq!(wave("TAmplitude", "aVL"), None);
    assert_eq!(wave("TAmplitude", "aVF"), Some(561.0));
}
