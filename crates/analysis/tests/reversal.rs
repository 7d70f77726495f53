//! Exchanged electrodes are named; correct ones are left alone.

#![allow(clippy::disallowed_methods, clippy::print_stderr, clippy::unwrap_used)]

#[allow(dead_code)]
mod wfdb;

use std::path::{Path, PathBuf};

use precordia_analysis::measure;
use precordia_analysis::reversal::{Model, Reversal, Segments, Swap, lead_reversal};
use precordia_model::{Lead, MissingReason, Recording, Rhythm};
use precordia_synth::{Pacing, Spec, synthesize};

/// The recording as it would be, had the electrodes been placed otherwise: each limb lead of the
/// potentials (of I and II), chest leads by place.
fn rewired(recording: &Recording, limb: [[f32; 2]; 2], chest: [Lead; 2]) -> Recording {
    let mut other = recording.clone();
    let samples = |lead| recording.rhythm.trace(lead).unwrap().samples_uv.clone();
    let (one, two) = (samples(Lead::I), samples(Lead::II));
    other.rhythm.traces.retain(|t| !t.lead.is_limb() || matches!(t.lead, Lead::I | Lead::II));
    for trace in &mut other.rhythm.traces {
        let mix = |[a, b]: [f32; 2]| one.iter().zip(&two).map(|(x, y)| a * x + b * y).collect();
        match trace.lead {
            Lead::I => trace.samples_uv = mix(limb[0]),
            Lead::II => trace.samples_uv = mix(limb[1]),
            lead if lead == chest[0] => trace.samples_uv = samples(chest[1]),
            lead if lead == chest[1] => trace.samples_uv = samples(chest[0]),
            _ => {}
        }
    }
    other
}

const AS_IS: [[f32; 2]; 2] = [[1.0, 0.0], [0.0, 1.0]];
const NO_CHEST: [Lead; 2] = [Lead::X, Lead::X];

fn verdict(recording: &Recording) -> Reversal {
    lead_reversal(&recording.rhythm, &measure(recording))
}

fn named(recording: &Recording) -> Option<Swap> {
    match verdict(recording) {
        Reversal::Suspected { swap, .. } => Some(swap),
        _ => None,
    }
}

#[test]
fn a_flat_limb_lead_names_the_arm_whose_electrode_is_on_the_right_leg() {
    let normal = synthesize(&Spec::default()).recording;
    assert_eq!(named(&normal), None);
    // RA on the right leg, where LL's potential is: I = LA - LL = I - II, II = LL - LL.
    let right = rewired(&normal, [[1.0, -1.0], [0.0, 0.02]], NO_CHEST);
    assert_eq!(named(&right), Some(Swap::RightArmRightLeg));
    // LA on the right leg: I = LL - RA = II, II unchanged, III = 0.
    let left = rewired(&normal, [[0.0, 0.99], [0.0, 1.0]], NO_CHEST);
    assert_eq!(named(&left), Some(Swap::LeftArmRightLeg));
}

#[test]
fn what_cannot_be_judged_is_not() {
    let mut limb_only = synthesize(&Spec::default()).recording;
    limb_only.rhythm.traces.retain(|trace| trace.lead.is_limb());
    assert_eq!(verdict(&limb_only), Reversal::NotEvaluated(MissingReason::LeadAbsent));
    let paced =
        synthesize(&Spec { pacing: Pacing::Ventricular { spike_uv: 2000.0 }, ..Spec::default() })
            .recording;
    assert_eq!(measure(&paced).rhythm, Rhythm::Paced);
    assert_eq!(verdict(&paced), Reversal::NotEvaluated(MissingReason::Paced));
}

fn ludb() -> Vec<PathBuf> {
    let root = std::env::var_os("PRECORDIA_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let Ok(folder) = std::fs::read_dir(root.join("annotated/ludb/data")) else { return Vec::new() };
    let mut headers: Vec<PathBuf> = folder.filter_map(|entry| Some(entry.ok()?.path())).collect();
    headers.retain(|path| path.extension().is_some_and(|e| e == "hea"));
    headers
}

/// The model was fitted on these recordings among others, so that this is a floor that holds the
/// code to the model; the honest figures are cross-validated, in `docs/accuracy.md`.
#[test]
fn real_recordings_are_left_alone_and_their_exchanges_are_named() {
    let headers = ludb();
    if headers.is_empty() {
        return eprintln!("skipped 1: no corpus");
    }
    let mut suspected = 0;
    let mut found = [0; Swap::MODELED.len()];
    let mut judged = 0;
    for header in &headers {
        let recording = wfdb::read(header).unwrap();
        let measured = measure(&recording);
        let Ok(segments) = Segments::of(&recording.rhythm, &measured) else { continue };
        judged += 1;
        let is_named = |segments: &Segments, swap: Swap| {
            Model::shipped().margins(segments).iter().any(|(s, margin)| *s == swap && *margin > 0.0)
        };
        suspected += Swap::MODELED.iter().filter(|&&swap| is_named(&segments, swap)).count();
        for (found, swap) in found.iter_mut().zip(Swap::MODELED) {
            *found += usize::from(is_named(&segments.exchanged(swap), swap));
        }
    }
    eprintln!("{judged} recordings, {suspected} suspicions, found {found:?}");
    assert!(judged >= 95 && suspected <= judged * 8 / 200, "{suspected} of {judged}");
    for (count, swap) in found.iter().zip(Swap::MODELED) {
        let share = if swap == Swap::LeftArmLeftLeg { 20 } else { 90 };
        assert!(count * 100 >= judged * share, "{}: {count} of {judged}", swap.name());
    }
}

/// Through the samples of a whole recording, not only the averaged beat.
#[test]
fn exchanged_arms_and_chest_electrodes_of_a_real_recording_are_named() {
    let Some(header) = ludb().into_iter().find(|path| path.ends_with("14.hea")) else {
        return eprintln!("skipped 1: no corpus");
    };
    let recording = wfdb::read(&header).unwrap();
    assert_eq!(named(&recording), None);
    let arms = rewired(&recording, [[-1.0, 0.0], [-1.0, 1.0]], NO_CHEST);
    assert_eq!(named(&arms), Some(Swap::LeftArmRightArm));
    let chest = rewired(&recording, AS_IS, [Lead::V3, Lead::V4]);
    assert_eq!(named(&chest), Some(Swap::V3V4));
}
