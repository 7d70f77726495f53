//! The same recording is known again in every format; another one, of the same heart too, is not.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use precordia_analysis::Fingerprint;
use precordia_formats::Part;
use precordia_interop::ecg::read;
use precordia_model::{Lead, SampleRate, Signal};
use precordia_synth::{Noise, Spec, synthesize};

fn corpus() -> Option<PathBuf> {
    let path = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    path.is_dir().then_some(path)
}

fn noisy(seed: u64) -> Signal {
    let noise = Noise { wander_uv: 40.0, muscle_uv: 15.0, ..Noise::default() };
    synthesize(&Spec { seed, noise, sampling_hz: 1000.0, ..Spec::default() }).recording.rhythm
}

/// Every second sample, rounded to 4.88 uV, the first ones lost, without the chest leads but one, at
/// half the scale.
fn copied(signal: &Signal) -> Signal {
    let rate = SampleRate::from_hz(signal.rate.hz() / 2.0).unwrap();
    let mut traces = signal.traces.clone();
    traces.retain(|trace| trace.lead.is_limb() || trace.lead == Lead::V4);
    for trace in &mut traces {
        let halved = trace.samples_uv.iter().skip(20).step_by(2);
        trace.samples_uv = halved.map(|uv| (uv / 4.88).round() * 2.44).collect();
    }
    Signal { rate, traces }
}

#[test]
fn a_copy_is_known_and_the_same_heart_at_another_time_is_not() {
    let first = noisy(1);
    let (print, copy) = (Fingerprint::of(&first), Fingerprint::of(&copied(&first)));
    let likeness = print.compare(&copy).unwrap();
    assert!(likeness.is_same() && likeness.leads == 3, "{likeness:?}");
    // The synthesizer's beats are equal to the microvolt and on time: only the noise is another.
    let other = print.compare(&Fingerprint::of(&noisy(2))).unwrap();
    assert!(!other.is_same(), "{other:?}");
}

#[test]
fn nothing_is_said_of_recordings_with_nothing_in_common() {
    let whole = noisy(1);
    let only = |lead: Lead| {
        let mut signal = whole.clone();
        signal.traces.retain(|trace| trace.lead == lead);
        Fingerprint::of(&signal)
    };
    assert_eq!(only(Lead::I).compare(&only(Lead::V2)), None);
    let mut short = whole.clone();
    for trace in &mut short.traces {
        trace.samples_uv.truncate(3000);
    }
    assert_eq!(Fingerprint::of(&short).compare(&Fingerprint::of(&whole)), None);
    let mut flat = whole.clone();
    for trace in &mut flat.traces {
        trace.samples_uv.fill(f32::NAN);
    }
    assert_eq!(Fingerprint::of(&flat).compare(&Fingerprint::of(&whole)), None);
}

/// Group and file name of everything in the truth.
fn prints(corpus: &Path) -> Vec<(String, String, Fingerprint)> {
    let truth = std::fs::read_to_string(corpus.join("variants/truth_dup.jsonl")).unwrap();
    let mut prints = Vec::new();
    for line in truth.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        for file in row["files"].as_array().unwrap() {
            let path = corpus.join("variants").join(file["file"].as_str().unwrap());
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            let data = path.with_extension("dat");
            let data_name = data.file_name().unwrap().to_string_lossy().into_owned();
            let data_bytes = std::fs::read(&data).unwrap_or_default();
            let mut parts = vec![Part { name: &name, bytes: &bytes }];
            if name.ends_with(".hea") {
                parts.push(Part { name: &data_name, bytes: &data_bytes });
            }
            let recording = read(&parts).unwrap_or_else(|refusal| panic!("{name}: {refusal}"));
            let group = row["group"].as_str().unwrap().to_owned();
            prints.push((group, name, Fingerprint::of(&recording.rhythm)));
        }
    }
    prints
}

#[test]
fn copies_are_linked_and_nothing_else_is() {
    let Some(corpus) = corpus() else {
        return eprintln!("skipped 1: no corpus");
    };
    let prints = prints(&corpus);
    let (mut least_same, mut most_other) = (f64::INFINITY, f64::NEG_INFINITY);
    for (k, (group, name, print)) in prints.iter().enumerate() {
        for (other_group, other_name, other) in &prints[..k] {
            let likeness = print.compare(other).unwrap();
            assert_eq!(
                likeness.is_same(),
                group == other_group,
                "{name} and {other_name}: {likeness:?}"
            );
            if group == other_group {
                least_same = least_same.min(likeness.correlation);
            } else {
                most_other = most_other.max(likeness.correlation);
            }
        }
    }
    eprintln!("{} files: copies from {least_same:.3}, others to {most_other:.3}", prints.len());
}
