//! Calibration and analytical signals, lead by lead and wave by wave, within the tolerances of
//! IEC 60601-2-25 as they are remembered: amplitudes 25 uV up to 500 uV and beyond that the greater
//! of 5% and 40 uV; mean and standard deviation of the errors of intervals P 10/8, PQ 10/8, QRS
//! 6/5, QT 12/10 ms.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use precordia_analysis::measure;
use precordia_model::{Lead, Measured, Measurements, SampleRate, Wave, WaveName};
use precordia_synth::{Calibration, CalibrationTruth};

/// The least wave, below which nothing need be found.
const WAVE_UV_MIN: f64 = 20.0;

fn tolerance_uv(amplitude_uv: f64) -> f64 {
    if amplitude_uv.abs() <= 500.0 { 25.0 } else { (0.05 * amplitude_uv.abs()).max(40.0) }
}

fn each(noise_uv: f64, mut check: impl FnMut(&str, &Measurements, &CalibrationTruth)) {
    for hz in [500.0, 1000.0] {
        for signal in Calibration::all() {
            let recording = signal.draw(SampleRate::from_hz(hz).unwrap(), noise_uv, 7);
            let name = format!("{} at {hz} Hz, {noise_uv} uV", signal.name);
            check(&name, &measure(&recording), &signal.truth());
        }
    }
}

#[test]
fn amplitudes_are_within_the_standards_tolerance_in_every_lead() {
    for noise_uv in [0.0, 5.0] {
        each(noise_uv, |name, measured, truth| {
            for lead in Lead::TWELVE {
                // A lead without any signal (III where I and II are equal) is flat, not measured.
                if truth.waves[&lead].is_empty() && !measured.quality.leads[&lead].usable {
                    continue;
                }
                for wave in WaveName::ALL {
                    amplitude(
                        &format!("{name}, {lead} {}", wave.name()),
                        measured,
                        truth,
                        lead,
                        wave,
                    );
                }
                let st = measured.waves.leads[&lead].st;
                for (level, after_j_ms) in [(st.j20_uv, 20.0), (st.j60_uv, 60.0), (st.j80_uv, 80.0)]
                {
                    if after_j_ms + 4.0 > truth.st_segment_ms {
                        continue;
                    }
                    let level = level.value().unwrap();
                    assert!((level - truth.st_uv[&lead]).abs() <= 25.0, "{name} {lead} ST {level}");
                }
            }
        });
    }
}

fn amplitude(
    name: &str,
    measured: &Measurements,
    truth: &CalibrationTruth,
    lead: Lead,
    wave: WaveName,
) {
    let drawn = truth.waves[&lead].get(&wave);
    let is_t = matches!(wave, WaveName::T | WaveName::T2);
    if is_t && truth.st_uv[&Lead::I] != 0.0 {
        return;
    }
    match (measured.waves.leads[&lead].waves[&wave], drawn) {
        (Wave::Found(found), Some(drawn)) => {
            let error = found.amplitude_uv - drawn.amplitude_uv;
            let allowed = tolerance_uv(drawn.amplitude_uv);
            assert!(
                error.abs() <= allowed,
                "{name}: {} for {}",
                found.amplitude_uv,
                drawn.amplitude_uv
            );
        }
        (Wave::Found(found), None) => panic!("{name}: {} where nothing is", found.amplitude_uv),
        (_, Some(drawn)) => {
            // Within its error a wave a little above the least size may be missed.
            assert!(drawn.amplitude_uv.abs() <= 2.0 * WAVE_UV_MIN, "{name}: {drawn:?} missed");
        }
        (_, None) => {}
    }
}

#[test]
fn durations_of_q_r_and_s_are_right() {
    each(0.0, |name, measured, truth| {
        for lead in Lead::TWELVE {
            for (wave, drawn) in &truth.waves[&lead] {
                if !matches!(wave, WaveName::Q | WaveName::R | WaveName::S | WaveName::R2) {
                    continue;
                }
                let Some(found) = measured.waves.wave(lead, *wave) else { continue };
                let error = found.duration_ms.unwrap() - drawn.duration_ms;
                // The two limits of the standard for Q, R and S are not remembered; half of the
                // narrowest wave's duration would hide a wrong name.
                assert!(error.abs() <= 6.0, "{name} {lead} {}: {error}", wave.name());
            }
        }
    });
}

#[test]
fn intervals_are_within_the_standards_mean_and_deviation() {
    for noise_uv in [0.0, 5.0] {
        let mut errors: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        each(noise_uv, |name, measured, truth| {
            for (what, got, wanted) in [
                ("P", measured.p_ms, truth.p_ms),
                ("PQ", measured.pr_ms, truth.pq_ms),
                ("QRS", measured.qrs_ms, Some(truth.qrs_ms)),
                ("QT", measured.qt_ms, truth.qt_ms),
            ] {
                match (got, wanted) {
                    (Measured::Value(got), Some(wanted)) => {
                        errors.entry(what).or_default().push(got - wanted);
                    }
                    (Measured::Value(got), None) => panic!("{name}: {what} {got} does not exist"),
                    (Measured::Missing(reason), Some(_)) => {
                        panic!("{name}: {what} missing, {}", reason.name())
                    }
                    (Measured::Missing(_), None) => {}
                }
            }
        });
        for (what, mean_max, deviation_max) in
            [("P", 10.0, 8.0), ("PQ", 10.0, 8.0), ("QRS", 6.0, 5.0), ("QT", 12.0, 10.0)]
        {
            let errors = &errors[what];
            let count = errors.len() as f64;
            let mean = errors.iter().sum::<f64>() / count;
            let deviation =
                (errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
            println!("{what} {noise_uv} uV: {mean:+.2} +- {deviation:.2} ms of {count}");
            assert!(mean.abs() <= mean_max, "{what}: mean {mean}");
            assert!(deviation <= deviation_max, "{what}: deviation {deviation}");
        }
    }
}

#[test]
fn sums_of_voltages_and_dispersion_follow_from_the_leads() {
    let signal = Calibration::all().into_iter().find(|signal| signal.name == "ane-1").unwrap();
    let measured = measure(&signal.draw(SampleRate::from_hz(1000.0).unwrap(), 0.0, 1));
    let sums = measured.waves.voltages.unwrap();
    // Drawn: S of V1 900 and R of V5 1,350; R of aVL 650 - 1,050 / 2 and S of V3 950; peak to peak
    // 740 in I, 1,210 in II and 470 in III; the largest of the chest in V2, 450 and 1,700.
    for (what, got, wanted) in [
        ("Sokolow-Lyon", sums.sokolow_lyon_uv, 2250.0),
        ("Cornell", sums.cornell_uv, 1075.0),
        ("Cornell product", sums.cornell_product_uv_ms, 1075.0 * 90.0),
        ("limb sum", sums.limb_sum_uv, 2420.0),
        ("limb", sums.limb_greatest_uv, 1210.0),
        ("chest", sums.chest_greatest_uv, 2150.0),
    ] {
        let got = got.value().unwrap();
        assert!((got - wanted).abs() <= 0.01 * wanted, "{what}: {got} instead of {wanted}");
    }
    let dispersion = measured.waves.qt_dispersion.unwrap();
    assert!(dispersion.ms.value().unwrap() < 4.0, "{dispersion:?}");
    assert_eq!(dispersion.leads, 12);
    let jt_ms = measured.waves.jt_ms.and_then(Measured::value).unwrap();
    assert!((jt_ms - 300.0).abs() < 1.0, "JT {jt_ms}");
}

#[test]
fn the_spread_of_an_amplitude_is_that_of_its_beats() {
    for noise_uv in [0.0, 5.0, 15.0] {
        let signal = Calibration::all().into_iter().find(|s| s.name == "ane-2").unwrap();
        let measured = measure(&signal.draw(SampleRate::from_hz(500.0).unwrap(), noise_uv, 3));
        let mut spreads: Vec<f64> = [Lead::V2, Lead::V3, Lead::V4, Lead::V5]
            .into_iter()
            .flat_map(|lead| {
                let of = |wave| measured.waves.wave(lead, wave).unwrap().spread_uv.unwrap();
                [of(WaveName::R), of(WaveName::S), of(WaveName::T)]
            })
            .collect();
        spreads.sort_by(f64::total_cmp);
        let middle = spreads[spreads.len() / 2];
        // One sample against the mean of four: a little more than the noise itself. The beats of
        // a rate that is no multiple of the sampling are cut up to half a sample apart.
        assert!(middle <= 1.5 * noise_uv + 6.0, "{noise_uv} uV: {middle}");
        assert!(middle >= 0.6 * noise_uv, "{noise_uv} uV: {middle}");
    }
}
