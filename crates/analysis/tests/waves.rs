//! Every wave of synthesized recordings is marked, at any rate, length and number of leads.

#![allow(clippy::unwrap_used)]

use precordia_analysis::{Delineation, delineate};
use precordia_model::Lead;
use precordia_synth::{Noise, Spec, SynthRhythm, Synthetic, synthesize};

/// What marks may be off a synthesized boundary, ms: the habits of experts and a coarse sample.
const OFF_MS: f64 = 22.0;

fn sane(delineation: &Delineation, samples: usize) {
    for beat in &delineation.beats {
        assert_eq!(beat.leads.len(), delineation.leads.len());
        for waves in beat.leads.iter().chain([&beat.global]) {
            for wave in [waves.p, waves.qrs, waves.t].into_iter().flatten() {
                assert!(wave.onset <= wave.peak && wave.peak <= wave.offset);
                assert!((wave.offset as usize) < samples);
            }
        }
    }
}

/// Middle distance of the global QRS boundaries from the truth; how many beats have none.
fn qrs_off_ms(synthetic: &Synthetic, delineation: &Delineation) -> (f64, usize) {
    let rate_hz = synthetic.recording.rhythm.rate.hz();
    let (mut off, mut missed) = (Vec::new(), 0);
    for beat in &synthetic.truth.beats {
        let near = |onset: u32| (f64::from(onset) - beat.qrs.onset).abs() < 0.06 * rate_hz;
        let mut waves = delineation.beats.iter().filter_map(|found| found.global.qrs);
        match waves.find(|wave| near(wave.onset)) {
            Some(wave) => {
                off.push((f64::from(wave.onset) - beat.qrs.onset).abs() * 1000.0 / rate_hz);
                off.push((f64::from(wave.offset) - beat.qrs.offset).abs() * 1000.0 / rate_hz);
            }
            None => missed += 1,
        }
    }
    off.sort_by(f64::total_cmp);
    (off.get(off.len() / 2).copied().unwrap_or(f64::NAN), missed)
}

#[test]
fn any_rate_is_as_good() {
    for sampling_hz in [100.0, 128.0, 250.0, 360.0, 500.0, 1000.0, 2000.0] {
        let synthetic = synthesize(&Spec { sampling_hz, ..Spec::default() });
        let delineation = delineate(&synthetic.recording.rhythm);
        sane(&delineation, synthetic.recording.rhythm.len());
        let (off_ms, missed) = qrs_off_ms(&synthetic, &delineation);
        assert!(off_ms < OFF_MS && missed <= 1, "{sampling_hz} Hz: {off_ms} ms, {missed} missed");
        let with = |has: fn(&precordia_analysis::Waves) -> bool| {
            delineation.beats.iter().filter(|beat| has(&beat.global)).count()
        };
        let beats = delineation.beats.len();
        assert!(with(|w| w.p.is_some()) + 2 >= beats, "{sampling_hz} Hz: P");
        assert!(with(|w| w.t.is_some()) + 2 >= beats, "{sampling_hz} Hz: T");
    }
}

#[test]
fn any_number_of_leads_is_enough() {
    let noise = Noise { muscle_uv: 5.0, ..Noise::default() };
    for leads in [&Lead::TWELVE[1..2], &Lead::TWELVE[..2], &Lead::TWELVE[6..], Lead::ALL] {
        let synthetic = synthesize(&Spec { leads: leads.to_vec(), noise, ..Spec::default() });
        let delineation = delineate(&synthetic.recording.rhythm);
        sane(&delineation, synthetic.recording.rhythm.len());
        let (off_ms, missed) = qrs_off_ms(&synthetic, &delineation);
        assert!(off_ms < OFF_MS && missed <= 1, "{} leads: {off_ms} ms, {missed}", leads.len());
    }
}

#[test]
fn two_seconds_and_many_minutes_are_marked() {
    for (duration_s, rate_bpm) in [(2.0, 90.0), (600.0, 75.0)] {
        let spec =
            Spec { duration_s, rate_bpm, leads: vec![Lead::II, Lead::V5], ..Spec::default() };
        let synthetic = synthesize(&spec);
        let delineation = delineate(&synthetic.recording.rhythm);
        sane(&delineation, synthetic.recording.rhythm.len());
        let (_, missed) = qrs_off_ms(&synthetic, &delineation);
        assert!(missed <= 1, "{duration_s} s: {missed} of {}", synthetic.truth.beats.len());
    }
}

#[test]
fn fibrillation_has_few_p_waves() {
    let rhythm = SynthRhythm::AtrialFibrillation { f_wave_uv: 30.0 };
    let synthetic = synthesize(&Spec { rhythm, qt_ms: 340.0, ..Spec::default() });
    let delineation = delineate(&synthetic.recording.rhythm);
    let p = delineation.beats.iter().filter(|beat| beat.global.p.is_some()).count();
    assert!(3 * p <= delineation.beats.len(), "{p} of {}", delineation.beats.len());
}

#[test]
fn a_wave_in_a_gap_is_not_marked() {
    let mut synthetic = synthesize(&Spec::default());
    let beat = synthetic.truth.beats[4].clone();
    let gap = beat.qrs.onset as usize - 20..beat.qrs.offset as usize + 20;
    synthetic.recording.rhythm.traces[1].samples_uv[gap.clone()].fill(f32::NAN);
    let delineation = delineate(&synthetic.recording.rhythm);
    sane(&delineation, synthetic.recording.rhythm.len());
    let inside = |w: &precordia_analysis::Wave| gap.contains(&(w.peak as usize));
    let marked = |lead: usize| {
        delineation.beats.iter().filter_map(|b| b.leads[lead].qrs).filter(|w| inside(w)).count()
    };
    assert_eq!((marked(1), marked(0)), (0, 1));
}

#[test]
fn nothing_is_marked_where_there_is_nothing() {
    let mut signal = synthesize(&Spec::default()).recording.rhythm;
    for value in [0.0, f32::NAN, 1e9] {
        signal.traces.iter_mut().for_each(|trace| trace.samples_uv.fill(value));
        assert!(delineate(&signal).beats.is_empty());
    }
    signal.traces.clear();
    assert!(delineate(&signal).beats.is_empty());
}
