//! SCP-ECG in every coding of its rhythm: what was put in comes out again.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "support/scp.rs"]
mod support;

use precordia_model::{GroupKind, Lead, Signal};
use support::*;

const SCALE_UV: f32 = 2.5;

fn microvolts(samples: &[i16]) -> Vec<f32> {
    samples.iter().map(|one| f32::from(*one) * SCALE_UV).collect()
}

fn samples(signal: &Signal, lead: Lead) -> &[f32] {
    &signal.trace(lead).unwrap().samples_uv
}

fn two_leads() -> Scp {
    Scp::new(&[(1, beats(1200, 400)), (2, beats(1200, 900))])
}

fn codings() -> Vec<(String, Tables, u8)> {
    let tables = [("raw", Tables::Raw), ("default", Tables::Default), ("own", own_tables())];
    let all = tables.iter().flat_map(|(name, tables)| {
        (0..3).map(move |difference| (format!("{name} {difference}"), tables.clone(), difference))
    });
    all.collect()
}

#[test]
fn every_coding_gives_back_every_sample() {
    for (name, tables, difference) in codings() {
        let made = two_leads().coded(tables, difference);
        let recording = made.read();
        assert_eq!(recording.rhythm.rate.hz(), 500.0);
        for (lead, (_, _, samples_in)) in [Lead::I, Lead::II].into_iter().zip(&made.leads) {
            assert_eq!(samples(&recording.rhythm, lead), microvolts(samples_in), "{name} {lead}");
        }
        assert_eq!(codes(&recording), [""; 0], "{name}");
    }
}

#[test]
fn differences_that_leave_16_bits_come_back_the_same_way() {
    let extreme: Vec<i16> = (0..1200)
        .map(|at: i32| match at % 5 {
            0 => i16::MIN,
            1 => i16::MAX,
            2 => 0,
            3 => (at * 37 % 30_000) as i16,
            _ => -30_000,
        })
        .collect();
    for (name, tables, difference) in codings() {
        let recording = Scp::new(&[(2, extreme.clone())]).coded(tables, difference).read();
        assert_eq!(samples(&recording.rhythm, Lead::II), microvolts(&extreme), "{name}");
    }
}

#[test]
fn a_number_after_a_code_is_added_to_what_the_code_stands_for() {
    let code = Code { bits: "0", extra: 4, meaning: Meaning::Value(100) };
    let made = Scp::new(&[(2, vec![0; 1200])]).coded(Tables::Own(vec![vec![code]]), 0);
    // 5 bits each: the code and 0, 7, -8 and zeros.
    let mut stream = vec![0b0000_0001, 0b1101_0000];
    stream.extend([0; 748]);
    let mut body = vec![0xC4, 0x09, 0xD0, 0x07, 0, 0];
    body.extend((stream.len() as u16).to_le_bytes());
    body.extend(stream);
    let recording = made.with(6, &body).read();
    let first: Vec<f32> = samples(&recording.rhythm, Lead::II)[..4].to_vec();
    assert_eq!(first, [100.0, 107.0, 92.0, 100.0].map(|one| one * SCALE_UV));
}

fn with_reference(made: Scp) -> Scp {
    let leads = [400, 900].map(steep).to_vec();
    let reference = Reference {
        leads,
        fiducial: 41,
        // The third beat is of another type and was left as it is.
        beats: vec![
            (0, 61, 101, 160),
            (0, 261, 301, 360),
            (1, 0, 501, 0),
            (0, 661, 701, 760),
            (0, 861, 901, 960),
            (0, 1061, 1101, 1160),
        ],
        protected: (0..6).map(|beat| (beat * 200 + 81, beat * 200 + 120)).collect(),
        subtract: true,
        interval_us: made.interval_us,
        multiplier_nv: made.multiplier_nv,
    };
    Scp { reference: Some(reference), ..made }
}

#[test]
fn a_subtracted_reference_beat_is_added_where_it_was() {
    for (name, tables, difference) in codings() {
        let made = with_reference(two_leads().coded(tables, difference));
        let recording = made.read();
        for (lead, (_, _, samples_in)) in [Lead::I, Lead::II].into_iter().zip(&made.leads) {
            assert_eq!(samples(&recording.rhythm, lead), microvolts(samples_in), "{name} {lead}");
        }
        let group = &recording.other_groups[0];
        assert_eq!((group.kind, group.signal.len()), (GroupKind::MedianBeat, 100));
        assert_eq!(samples(&group.signal, Lead::II), microvolts(&steep(900)));
        assert_eq!(codes(&recording), ["format_unproven"], "{name}");
    }
}

#[test]
fn a_reference_beat_that_was_not_subtracted_stands_beside_the_rhythm() {
    let mut made = with_reference(two_leads());
    made.reference.as_mut().unwrap().subtract = false;
    let recording = made.read();
    assert_eq!(samples(&recording.rhythm, Lead::I), microvolts(&made.leads[0].2));
    assert_eq!(recording.other_groups.len(), 1);
    assert_eq!(codes(&recording), [""; 0]);
}

#[test]
fn an_interval_below_a_millisecond_is_one_where_the_reference_beat_proves_it() {
    let mut made = two_leads();
    made.interval_us = 500;
    assert_eq!(made.refused().code, "sample_interval_ambiguous");
    assert_eq!(with_reference(made.clone()).read().rhythm.rate.hz(), 2000.0);
    // 100 samples of 50 ms are not 100 samples of 200 ms.
    let mut hertz = with_reference(made);
    let section_4 = hertz.bodies()[3].clone();
    assert_eq!(section_4.0, 4);
    let mut body = section_4.1;
    body[..2].copy_from_slice(&200_u16.to_le_bytes());
    hertz.reference.as_mut().unwrap().subtract = false;
    assert_eq!(hertz.with(4, &body).refused().code, "sample_interval_ambiguous");
}

#[test]
fn bimodal_compression_keeps_protected_samples_and_interpolates_the_others() {
    for subtract in [false, true] {
        for factor in 2..=4 {
            for (name, tables, difference) in codings() {
                let mut made = with_reference(two_leads().coded(tables, difference));
                made.reference.as_mut().unwrap().subtract = subtract;
                made.bimodal = Some(factor);
                let recording = made.read();
                let protected = made.reference.clone().unwrap().protected;
                let is_protected =
                    |at: usize| protected.iter().any(|(a, b)| (*a..=*b).contains(&(at as u32 + 1)));
                assert_eq!(recording.rhythm.rate.hz(), 500.0);
                for (lead, (_, _, samples_in)) in [Lead::I, Lead::II].into_iter().zip(&made.leads) {
                    let read = samples(&recording.rhythm, lead);
                    assert_eq!(read.len(), samples_in.len());
                    for (at, (read, wanted)) in read.iter().zip(microvolts(samples_in)).enumerate()
                    {
                        // Outside, the made signal rises by half a unit a sample: two units of error
                        // are the rounding of means and half a block at the edge of an area.
                        let bound = if is_protected(at) { 0.0 } else { 2.0 * SCALE_UV };
                        assert!(
                            (read - wanted).abs() <= bound,
                            "{name} {factor} {lead} {at}: {read} for {wanted}"
                        );
                    }
                }
                assert!(codes(&recording).contains(&"samples_interpolated"), "{name}");
            }
        }
    }
}

#[test]
fn what_would_have_to_be_assumed_is_refused() {
    let reference = || with_reference(two_leads());
    let changed = |mut made: Scp, change: fn(&mut Scp)| {
        change(&mut made);
        made.refused()
    };
    let of_reference = |change: fn(&mut Reference)| {
        let mut made = reference();
        change(made.reference.as_mut().unwrap());
        made.refused()
    };
    let bimodal = |change: fn(&mut Scp)| {
        let mut made = reference();
        made.bimodal = Some(4);
        change(&mut made);
        made.refused()
    };
    let cases = [
        (changed(two_leads(), |made| made.multiplier_nv = 0), "amplitude_multiplier_zero"),
        (changed(two_leads(), |made| made.interval_us = 0), "sample_interval_ambiguous"),
        (changed(two_leads(), |made| made.interval_us = 60_000), "sampling_rate_invalid"),
        (changed(two_leads(), |made| made.interval_us = 500), "sample_interval_ambiguous"),
        (changed(two_leads(), |made| made.difference = 3), "difference_unknown"),
        (changed(two_leads(), |made| made.without = vec![2]), "lead_length_disagrees"),
        (changed(two_leads(), |made| made.without = vec![3]), "leads_unknown"),
        (changed(two_leads(), |made| made.without = vec![6]), "rhythm_absent"),
        (changed(two_leads(), |made| made.leads[1].0 = 1), "lead_repeated"),
        (two_leads().with(3, &[3, 4, 1, 0, 0, 0, 9, 0, 0, 0, 1]).refused(), "lead_undefined"),
        (two_leads().with(3, &[1, 4, 9, 0, 0, 0, 1, 0, 0, 0, 1]).refused(), "lead_stretch_invalid"),
        (two_leads().with(3, &[0, 0]).refused(), "leads_absent"),
        (changed(reference(), |made| made.without = vec![4]), "reference_beat_absent"),
        (changed(reference(), |made| made.without = vec![5]), "reference_beat_absent"),
        (of_reference(|reference| reference.interval_us = 1000), "reference_beat_scale"),
        (of_reference(|reference| reference.multiplier_nv = 5000), "reference_beat_scale"),
        (of_reference(|reference| reference.fiducial = 42), "reference_beat_zone"),
        (bimodal(|made| made.without = vec![5]), "reference_beat_absent"),
        (bimodal(|made| made.protocol = 30), "compression_unknown"),
        (bimodal(|made| made.reference.as_mut().unwrap().interval_us = 1000), "bimodal_factor"),
        (
            bimodal(|made| made.reference.as_mut().unwrap().protected[1] = (90, 130)),
            "bimodal_areas_overlap",
        ),
    ];
    for (refusal, code) in cases {
        assert_eq!(refusal.code, code, "{refusal}");
    }
}
