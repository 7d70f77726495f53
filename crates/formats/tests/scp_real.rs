//! Real SCP-ECG files of the shared corpus, and the same recording in other formats.
//!
//! `PRECORDIA_CORPUS` names it, as in `corpus.rs`.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use precordia_formats::{Part, read};
use precordia_model::{GroupKind, Lead, Recording, Refusal, RefusalReason, Signal};

const CART_FILE: &str = "scp/scptools__ECG_20070321_110542_191010101010.SCP";
const CART_FILE_ANONYMOUS: &str = "scp/scptools__ECG_20070321_110542_ANON000004.SCP";

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

fn load(corpus: &Path, file: &str) -> Result<Recording, Refusal> {
    let path = corpus.join("ecg").join(file);
    let bytes = std::fs::read(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    read(&[Part { name: file, bytes: &bytes }])
}

fn named(recording: &Recording, name: &str) -> Option<f64> {
    let found = recording.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
    found.map(|one| one.value)
}

fn codes(recording: &Recording) -> Vec<&str> {
    recording.problems.iter().map(|problem| problem.code.as_str()).collect()
}

/// The greatest difference of the leads of one signal from those of another, over the samples that both have.
fn difference_uv(one: &Signal, other: &Signal) -> f32 {
    let mut most: f32 = 0.0;
    for lead in Lead::TWELVE {
        let (a, b) = (&one.trace(lead).unwrap().samples_uv, &other.trace(lead).unwrap().samples_uv);
        for (a, b) in a.iter().zip(b).filter(|(a, b)| !a.is_nan() && !b.is_nan()) {
            most = most.max((a - b).abs());
        }
    }
    most
}

#[test]
fn the_same_recording_is_the_same_in_scp_ecg_dicom_and_aecg() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: corpus not found (6 files)");
        return;
    };
    let dicom = load(&corpus, "dicom/ecgtoolkit__Example.dcm").unwrap();
    let aecg = load(&corpus, "aecg/ecgtoolkit__Example.xml").unwrap();
    for file in ["scp/ecgtoolkit__Example.scp", "scp/cabolabs__Example.scp"] {
        let scp = load(&corpus, file).unwrap();
        assert_eq!((scp.rhythm.rate, scp.rhythm.len()), (dicom.rhythm.rate, 5000), "{file}");
        assert_eq!(difference_uv(&scp.rhythm, &dicom.rhythm), 0.0, "{file}: DICOM");
        assert_eq!(difference_uv(&scp.rhythm, &aecg.rhythm), 0.0, "{file}: aECG");
        let (beat, other) = (&scp.other_groups[0], &dicom.other_groups[0]);
        assert_eq!((beat.kind, beat.signal.len()), (GroupKind::MedianBeat, 599));
        assert_eq!(difference_uv(&beat.signal, &other.signal), 0.0, "{file}: median");
        for name in ["pr_ms", "qrs_ms", "qt_ms", "p_axis_deg", "qrs_axis_deg", "t_axis_deg"] {
            assert_eq!(named(&scp, name), named(&dicom, name), "{file} {name}");
            assert!(named(&scp, name).is_some(), "{file} {name}");
        }
        assert_eq!((named(&scp, "rr_ms"), named(&scp, "pp_ms")), (None, None));
        assert_eq!(codes(&scp), [""; 0], "{file}");
    }
}

#[test]
fn files_of_a_cart_are_read_with_its_beat_its_statements_and_its_measurements_in_leads() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: corpus not found (6 files)");
        return;
    };
    let cases = [
        (CART_FILE, 431, 157.0, vec!["text_undeclared"]),
        (
            CART_FILE_ANONYMOUS,
            431,
            157.0,
            vec!["date_big_endian", "date_big_endian", "tag_not_numeric", "text_undeclared"],
        ),
        ("scp/scptools__ECG_20081029_105642_191010101010.SCP", 425, f64::NAN, vec![]),
    ];
    for (file, beat, pr_ms, problems) in cases {
        let recording = load(&corpus, file).unwrap();
        // 1667 us: what 600 Hz is in whole microseconds.
        assert_eq!((recording.rhythm.rate.hz(), recording.rhythm.len()), (599.88, 6000), "{file}");
        let recorded: Vec<&str> = recording.rhythm.leads().map(Lead::name).take(8).collect();
        assert_eq!(recorded, ["I", "II", "V1", "V2", "V3", "V4", "V5", "V6"], "{file}");
        assert_eq!(recording.rhythm.traces.len(), 12, "{file}: the others are derived");
        assert_eq!(recording.other_groups[0].signal.len(), beat, "{file}");
        assert_eq!(
            named(&recording, "pr_ms").unwrap_or(f64::NAN).to_bits(),
            pr_ms.to_bits(),
            "{file}"
        );
        let in_leads =
            recording.device_measurements.iter().filter(|one| one.lead.is_some()).count();
        assert!(in_leads > 200, "{file}: {in_leads} measurements in leads");
        assert!(!recording.device_statements.is_empty(), "{file}");
        assert_eq!(codes(&recording), problems, "{file}");
        let manufacturer = recording.device.manufacturer.as_deref();
        assert_eq!(manufacturer, Some("Welch Allyn Cardio Control"), "{file}");
    }
    let [named, anonymous] =
        [CART_FILE, CART_FILE_ANONYMOUS].map(|file| load(&corpus, file).unwrap());
    assert_eq!(anonymous.rhythm, named.rhythm, "only the person was changed");
    assert!(named.device_statements.iter().any(|one| one.text.reveal().starts_with("ålders")));
}

/// Its leads, lengths and sample interval are all wrong, and its samples are coded in the maker's own way.
#[test]
fn a_file_that_contradicts_itself_throughout_is_refused() {
    let Some(corpus) = corpus() else {
        eprintln!("skipped: corpus not found (6 files)");
        return;
    };
    let refusal = load(&corpus, "scp/healforce__62.SCP").unwrap_err();
    assert_eq!(refusal.reason, RefusalReason::Malformed);
    assert_eq!(refusal.code, "section_misplaced");
}
