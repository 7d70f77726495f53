//! Rhythm and beats: synthetic hearts whose truth is known, and the annotated corpora, whose
//! figures may not fall under the floors held here.

#![allow(clippy::print_stderr, clippy::unwrap_used)]

mod tape;

use precordia_analysis::holter::{Holter, HolterError};
use precordia_analysis::measure;
use precordia_model::{BeatClass, HolterReport, Lead, Rhythm, RhythmReport, SampleRate};
use precordia_synth::{BeatKind, Noise, Pacing, Spec, SynthRhythm, Synthetic, synthesize};
use tape::atria::{self, Counts};
use tape::beats::{self, Found};

fn report(spec: &Spec) -> (Synthetic, Rhythm, RhythmReport) {
    let made = synthesize(spec);
    let measured = measure(&made.recording);
    (made, measured.rhythm, measured.rhythm_report.unwrap())
}

/// A long recording in blocks of this many samples.
fn taped(spec: &Spec, block: usize) -> (Synthetic, HolterReport) {
    let made = synthesize(spec);
    let signal = &made.recording.rhythm;
    let leads: Vec<Lead> = signal.traces.iter().map(|trace| trace.lead).collect();
    let mut holter = Holter::new(signal.rate, &leads).unwrap();
    let len = signal.traces[0].samples_uv.len();
    for from in (0..len).step_by(block) {
        let to = (from + block).min(len);
        let rows: Vec<&[f32]> =
            signal.traces.iter().map(|trace| &trace.samples_uv[from..to]).collect();
        holter.push(&rows).unwrap();
    }
    (made, holter.finish())
}

fn long(rhythm: SynthRhythm) -> Spec {
    Spec {
        rhythm,
        rate_bpm: 72.0,
        sampling_hz: 250.0,
        duration_s: 300.0,
        leads: vec![Lead::II, Lead::V1, Lead::V5],
        noise: Noise { wander_uv: 100.0, mains_uv: 5.0, mains_hz: 50.0, muscle_uv: 8.0 },
        ..Spec::default()
    }
}

#[test]
fn a_steady_heart_has_dominant_beats_alone_and_the_intervals_that_were_drawn() {
    for rate_bpm in [45.0, 70.0, 110.0, 150.0] {
        let (_, rhythm, report) = report(&Spec::at_rate(rate_bpm));
        assert_eq!(rhythm, Rhythm::Sinus, "{rate_bpm}");
        assert!(report.beats.iter().all(|class| *class == BeatClass::Dominant), "{rate_bpm}");
        let rr = report.rr.unwrap();
        assert!((rr.mean_ms - 60_000.0 / rate_bpm).abs() < 2.0, "{rr:?}");
        assert!(rr.sd_ms < 3.0 && rr.pnn50_percent == 0.0, "{rr:?}");
        assert!(report.pauses.is_empty() && report.pacing.spikes == 0);
        let atria = report.atria.unwrap();
        assert!(atria.probability < 0.05 && !atria.fibrillation_or_flutter, "{atria:?}");
    }
}

#[test]
fn early_wide_beats_are_ventricular_and_no_other_is() {
    for every in [3, 4, 6] {
        let spec = Spec { rhythm: SynthRhythm::SinusWithEctopy { every }, ..Spec::default() };
        let (made, _, report) = report(&spec);
        let drawn = made.truth.beats.iter().filter(|b| b.kind == BeatKind::Ectopic).count();
        let found = report.ectopy.ventricular as usize;
        // The first and the last beat may be cut off by the end of the recording.
        assert!(found <= drawn && found + 1 >= drawn, "{found} of {drawn}");
        assert_eq!(report.ectopy.supraventricular, 0);
        if every == 3 {
            assert!(report.ectopy.ventricular_trigeminy_beats > 0, "{:?}", report.ectopy);
        }
    }
}

#[test]
fn fibrillation_is_told_at_any_usual_rate_and_has_no_pr() {
    for rate_bpm in [70.0, 95.0, 130.0] {
        for seed in 1..6 {
            let spec = Spec {
                rhythm: SynthRhythm::AtrialFibrillation { f_wave_uv: 60.0 },
                rate_bpm,
                seed,
                ..Spec::default()
            };
            let made = synthesize(&spec);
            let measured = measure(&made.recording);
            let atria = measured.rhythm_report.unwrap().atria.unwrap();
            assert!(atria.fibrillation_or_flutter, "{rate_bpm} {seed}: {atria:?}");
            assert_eq!(measured.pr_ms.value(), None);
        }
    }
}

#[test]
fn paced_beats_are_paced_and_their_spikes_are_counted() {
    let spec = Spec { pacing: Pacing::Ventricular { spike_uv: 900.0 }, ..Spec::default() };
    let (made, rhythm, report) = report(&spec);
    assert_eq!(rhythm, Rhythm::Paced);
    let paced = report.beats.iter().filter(|class| **class == BeatClass::Paced).count();
    assert!(paced + 1 >= made.truth.beats.len(), "{paced}");
    assert_eq!(report.pacing.ventricular_beats as usize, paced);
    assert_eq!(report.pacing.atrial_beats, 0);
}

#[test]
fn a_long_recording_has_every_beat_once_whatever_the_blocks() {
    let spec = long(SynthRhythm::SinusWithEctopy { every: 10 });
    let (made, whole) = taped(&spec, usize::MAX >> 1);
    let (_, pieces) = taped(&spec, 37);
    assert_eq!(whole, pieces, "the answer hangs on the size of the blocks");
    let drawn = made.truth.beats.len();
    assert!(whole.beats.len().abs_diff(drawn) <= 1, "{} of {drawn}", whole.beats.len());
    let ectopic = made.truth.beats.iter().filter(|b| b.kind == BeatKind::Ectopic).count();
    assert!(whole.ectopy.ventricular.abs_diff(ectopic as u32) <= 1, "{:?}", whole.ectopy);
    assert_eq!(whole.ectopy.supraventricular, 0);
    assert!(whole.atrial_episodes.is_empty());
    assert_eq!(whole.hours.len(), 1);
    assert!((whole.duration_s - 300.0).abs() < 0.01 && whole.analyzed_s == whole.duration_s);
}

#[test]
fn fibrillation_fills_a_long_recording_and_none_of_its_beats_is_early() {
    let (_, report) = taped(&long(SynthRhythm::AtrialFibrillation { f_wave_uv: 60.0 }), 250);
    assert!(report.atrial_burden_percent > 99.0, "{:?}", report.atrial_episodes);
    assert_eq!(report.ectopy.supraventricular, 0);
}

#[test]
fn a_gap_makes_no_interval_and_no_pause() {
    let mut made = synthesize(&long(SynthRhythm::Sinus));
    for trace in &mut made.recording.rhythm.traces {
        trace.samples_uv[20_000..24_000].fill(f32::NAN);
    }
    let signal = &made.recording.rhythm;
    let leads: Vec<Lead> = signal.traces.iter().map(|trace| trace.lead).collect();
    let mut holter = Holter::new(signal.rate, &leads).unwrap();
    let rows: Vec<&[f32]> = signal.traces.iter().map(|t| &t.samples_uv[..]).collect();
    holter.push(&rows).unwrap();
    let report = holter.finish();
    assert!(report.pauses.is_empty(), "{:?}", report.pauses);
    assert!(report.longest_rr.unwrap().rr_ms < 900.0);
    let after: Vec<u64> = report.beats.iter().filter(|b| b.after_gap).map(|b| b.at).collect();
    assert_eq!(after.len(), 1, "{after:?}");
}

#[test]
fn a_silent_heart_makes_one_pause_and_no_beats() {
    let mut made = synthesize(&long(SynthRhythm::Sinus));
    let mut noise = precordia_synth::Random::stream(7, 1);
    for trace in &mut made.recording.rhythm.traces {
        for x in &mut trace.samples_uv[20_000..23_000] {
            *x = (10.0 * noise.between(-1.0, 1.0)) as f32;
        }
    }
    let signal = &made.recording.rhythm;
    let leads: Vec<Lead> = signal.traces.iter().map(|trace| trace.lead).collect();
    let mut holter = Holter::new(signal.rate, &leads).unwrap();
    let rows: Vec<&[f32]> = signal.traces.iter().map(|t| &t.samples_uv[..]).collect();
    holter.push(&rows).unwrap();
    let report = holter.finish();
    assert_eq!(report.pauses.len(), 1, "{:?}", report.pauses);
    assert!((11_000.0..14_000.0).contains(&report.pauses[0].rr_ms), "{:?}", report.pauses);
}

#[test]
fn what_is_no_recording_is_refused_or_empty() {
    let rate = SampleRate::from_hz(250.0).unwrap();
    assert_eq!(Holter::new(rate, &[]).err(), Some(HolterError::Leads));
    assert_eq!(Holter::new(rate, &[Lead::I, Lead::I]).err(), Some(HolterError::Leads));
    assert_eq!(
        Holter::new(SampleRate::from_hz(20.0).unwrap(), &[Lead::I]).err(),
        Some(HolterError::Rate)
    );
    let mut holter = Holter::new(rate, &[Lead::I, Lead::II]).unwrap();
    assert_eq!(holter.push(&[&[0.0; 5]]), Err(HolterError::Block));
    assert_eq!(holter.push(&[&[0.0; 5], &[0.0; 4]]), Err(HolterError::Block));
    for sample in [0.0, f32::NAN, f32::INFINITY, 1e30] {
        holter.push(&[&[sample; 20_000], &[sample; 20_000]]).unwrap();
    }
    let report = holter.finish();
    assert!(report.beats.is_empty() && report.rr.is_none() && report.longest_rr.is_none());
    let nothing = Holter::new(rate, &[Lead::I]).unwrap().finish();
    assert_eq!((nothing.beats.len(), nothing.atrial_burden_percent), (0, 0.0));
}

#[test]
fn the_corpora_hold_their_floors() {
    let Some(root) = tape::corpus() else {
        eprintln!("skipped: 1 test, no corpus (set PRECORDIA_CORPUS)");
        return;
    };
    // Sensitivity and specificity, percent; the figures themselves are in docs/accuracy/rhythm.md.
    for (set, cases, sensitivity, specificity) in [
        ("LUDB", atria::ludb(&root), 88.0, 98.0),
        ("CinC 2017", atria::cinc2017(&root), 91.0, 96.0),
        ("CPSC 2021", atria::cpsc2021(&root), 98.0, 80.0),
        ("CinC 2021", atria::cinc2021(&root), 0.0, 89.0),
    ] {
        let counts = Counts::of(&cases);
        eprintln!("{set}: {counts:?}");
        assert!(counts.with == 0 || counts.sensitivity() >= sensitivity, "{set}: {counts:?}");
        assert!(counts.specificity() >= specificity, "{set}: {counts:?}");
    }
    let (mut all, mut ventricular) = (Found::default(), Found::default());
    for taped in beats::corpus(&root, "QTDB", "qtdb") {
        let score = beats::score(&taped);
        all.add(score.beats);
        ventricular.add(score.ventricular);
    }
    eprintln!("QTDB: {all:?}, ventricular {ventricular:?}");
    assert!(all.sensitivity() >= 99.95 && all.predictivity() >= 99.95, "{all:?}");
    assert!(ventricular.sensitivity() >= 88.0, "{ventricular:?}");
    assert!(ventricular.predictivity() >= 90.0, "{ventricular:?}");
}
