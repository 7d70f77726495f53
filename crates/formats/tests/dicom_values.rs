//! Raw numbers to microvolts: stored forms, scales, units, padding, unused bits.

#![allow(clippy::type_complexity)]

mod support;

use precordia_model::{Lead, RefusalReason};
use support::*;

/// An object of one lead whose first samples are the given raw values.
fn object(allocated: u16, interpretation: &'static str, stored: u16, raw: &[i64]) -> Object {
    let mut values = raw.to_vec();
    values.extend(std::iter::repeat_n(0, 1500 - raw.len()));
    let mut object = Object::new(vec![Group::new(vec![Channel::new(LEAD_II, &values)])]);
    let group = &mut object.groups[0];
    group.allocated = allocated;
    group.interpretation = Some(interpretation);
    group.data_vr = if allocated == 8 { "OB" } else { "OW" };
    group.channels[0].bits_stored = Some(stored);
    object
}

#[test]
fn every_stored_form_gives_its_integers() {
    let cases: [(u16, &str, u16, &[i64], &[f32]); 7] = [
        (8, "SB", 8, &[-128, -1, 127, 0], &[-128.0, -1.0, 127.0, 0.0]),
        (8, "UB", 8, &[0, 1, 200, 255], &[0.0, 1.0, 200.0, 255.0]),
        (16, "SS", 16, &[-30_000, -1, 32_767, 0], &[-30_000.0, -1.0, 32_767.0, 0.0]),
        (16, "US", 16, &[0, 40_000, 65_535], &[0.0, 40_000.0, 65_535.0]),
        (32, "SL", 32, &[-2_000_000, 2_000_000], &[-2_000_000.0, 2_000_000.0]),
        (32, "SL", 24, &[-8_388_608, 8_388_607], &[-8_388_608.0, 8_388_607.0]),
        (32, "UL", 32, &[0, 3_000_000_000], &[0.0, 3_000_000_000.0]),
    ];
    for (allocated, interpretation, stored, raw, expected) in cases {
        for form in [EXPLICIT, IMPLICIT] {
            let recording = object(allocated, interpretation, stored, raw).form(form).read();
            assert_eq!(
                samples(&recording, Lead::II)[..expected.len()],
                *expected,
                "{interpretation} {stored}"
            );
        }
    }
}

#[test]
fn big_endian_samples_are_swapped_where_the_byte_order_is_clear() {
    let words = object(16, "SS", 16, &[-30_000, 258, -1]).form(BIG).read();
    assert_eq!(samples(&words, Lead::II)[..3], [-30_000.0, 258.0, -1.0]);
    let bytes = object(8, "SB", 8, &[-100, 3]).form(BIG).read();
    assert_eq!(samples(&bytes, Lead::II)[..2], [-100.0, 3.0]);

    let mut unclear = object(16, "SS", 16, &[1]).form(BIG);
    unclear.groups[0].data_vr = "OB";
    assert_eq!(unclear.refusal().code, "byte_order_unclear");
    assert_eq!(object(32, "SL", 32, &[1]).form(BIG).refusal().code, "byte_order_unclear");
}

#[test]
fn an_odd_number_of_bytes_has_one_byte_of_padding() {
    let mut odd = object(8, "SB", 8, &[-3, 7]);
    odd.groups[0].channels[0].raw.truncate(1499);
    assert_eq!(odd.read().rhythm.len(), 1499);
}

#[test]
fn stored_forms_that_are_unclear_or_contradict_themselves_are_refused() {
    let cases = [
        (8, "MB", 8, "samples_companded"),
        (8, "AB", 8, "samples_companded"),
        (16, "XX", 16, "sample_interpretation_unknown"),
        (8, "SS", 8, "bits_allocated_contradicted"),
        (32, "SS", 16, "bits_allocated_contradicted"),
        (16, "SS", 17, "bits_stored_contradicted"),
        (16, "SS", 0, "bits_stored_contradicted"),
    ];
    for (allocated, interpretation, stored, code) in cases {
        assert_eq!(
            object(allocated, interpretation, stored, &[1]).refusal().code,
            code,
            "{interpretation} {stored}"
        );
    }
    let mut silent = object(16, "SS", 16, &[1]);
    silent.groups[0].interpretation = None;
    assert_eq!(silent.refusal().code, "sample_interpretation_absent");
}

#[test]
fn twelve_bits_in_sixteen_are_sign_extended_only_with_proof() {
    let wave = |offset: i64, mask: i64| -> Vec<i64> {
        (0..1500).map(|at| ((at % 41 - 20) * 10 + offset) & mask).collect()
    };
    let read = |raw: &[i64]| samples(&object(16, "SS", 12, raw).read(), Lead::II)[20];

    // Sign bits above, as the standard asks: nothing to report.
    let proper = object(16, "SS", 12, &wave(-5, -1));
    assert_eq!(samples(&proper.read(), Lead::II)[20], -5.0);
    assert!(codes(&proper.read()).is_empty(), "{:?}", codes(&proper.read()));

    // Zeros above: the signal itself shows where zero is.
    assert_eq!(read(&wave(-5, 0xFFF)), -5.0);
    assert_eq!(codes(&object(16, "SS", 12, &wave(-5, 0xFFF)).read()), ["sign_extended"]);

    // An offset around the middle, or flags above, could mean anything.
    assert_eq!(object(16, "SS", 12, &wave(2048, 0xFFF)).refusal().code, "bits_stored_contradicted");
    let flagged: Vec<i64> = wave(-5, 0xFFF).iter().map(|value| value | 0x5000).collect();
    assert_eq!(object(16, "SS", 12, &flagged).refusal().code, "bits_stored_contradicted");
    assert_eq!(object(16, "US", 12, &[4096]).refusal().code, "bits_stored_contradicted");
}

#[test]
fn microvolts_are_raw_times_sensitivity_times_correction_plus_baseline_in_the_unit() {
    let micro = ("uV", "UCUM", "microvolt");
    let milli = ("mV", "UCUM", "millivolt");
    let cases = [
        ("2.5", Some("1"), Some("0"), micro, 250.0),
        ("2.5", Some("1.02"), Some("0"), micro, 255.0),
        ("2.5", Some("0.5"), Some("100"), micro, 225.0),
        ("0.0025", Some("1"), Some("-0.5"), milli, -250.0),
        ("0.00122", Some("1"), Some("0"), milli, 122.0),
        ("1E-06", Some("1"), Some("0"), ("V", "UCUM", "volt"), 100.0),
        ("152.6", Some("1"), Some("0"), ("nV", "UCUM", "nanovolt"), 15.26),
        (" 2.50 ", Some("1"), Some("0"), micro, 250.0),
        ("-2.5", Some("1"), Some("0"), micro, -250.0),
        ("2.5", None, None, micro, 250.0),
        ("2.5", Some(""), Some(" "), micro, 250.0),
    ];
    for (sensitivity, correction, baseline, unit, expected) in cases {
        let mut object = object(16, "SS", 16, &[100]);
        let channel = &mut object.groups[0].channels[0];
        channel.sensitivity = Some(sensitivity);
        channel.correction = correction;
        channel.baseline = baseline;
        channel.unit = Some(unit);
        let first = samples(&object.read(), Lead::II)[0];
        assert_eq!(first, expected, "{sensitivity} {correction:?} {baseline:?} {unit:?}");
    }
}

#[test]
fn each_channel_has_its_own_scale() {
    let mut object = object(16, "SS", 16, &[100]);
    let mut other = object.groups[0].channels[0].clone();
    other.source = Some(LEAD_V1);
    other.sensitivity = Some("0.005");
    other.unit = Some(("mV", "UCUM", "millivolt"));
    object.groups[0].channels.push(other);
    let recording = object.read();
    assert_eq!(samples(&recording, Lead::II)[0], 100.0);
    assert_eq!(samples(&recording, Lead::V1)[0], 500.0);
}

#[test]
fn an_amplitude_that_would_have_to_be_assumed_is_refused() {
    let some = |text| Some(Some(text));
    type Change = (Option<Option<&'static str>>, Option<Option<&'static str>>, &'static str);
    let cases: [Change; 10] = [
        (Some(None), None, "sensitivity_absent"),
        (some(""), None, "sensitivity_absent"),
        (some("0"), None, "sensitivity_invalid"),
        (some("nan"), None, "sensitivity_invalid"),
        (some("1e308"), None, "sensitivity_invalid"),
        (some("2,5"), None, "sensitivity_invalid"),
        (some("2.5\\2.5"), None, "sensitivity_invalid"),
        (some("2.5µ"), None, "sensitivity_invalid"),
        (None, some("0"), "sensitivity_invalid"),
        (None, some("x"), "sensitivity_invalid"),
    ];
    for (sensitivity, correction, code) in cases {
        let mut object = object(16, "SS", 16, &[100]);
        let channel = &mut object.groups[0].channels[0];
        channel.sensitivity = sensitivity.unwrap_or(channel.sensitivity);
        channel.correction = correction.unwrap_or(channel.correction);
        assert_eq!(object.refusal().code, code, "{sensitivity:?} {correction:?}");
    }
}

#[test]
fn units_are_matched_by_case_and_meaning_must_agree() {
    let read = |unit| {
        let mut object = object(16, "SS", 16, &[100, -100]);
        object.groups[0].channels[0].unit = unit;
        precordia_formats::dicom::read(&object.bytes())
            .map(|recording| {
                (samples(&recording, Lead::II)[0], codes(&recording).contains(&"unit_case"))
            })
            .map_err(|refusal| refusal.code)
    };
    let refused = |code: &str| Err(code.to_owned());
    assert_eq!(read(Some(("mV", "UCUM", "mV"))), Ok((100_000.0, false)));
    assert_eq!(read(Some(("uV", "99X", "microvolts"))), Ok((100.0, false)));
    assert_eq!(read(Some(("mv", "UCUM", "millivolt"))), Ok((100_000.0, true)));
    assert_eq!(read(Some(("mv", "UCUM", "mv"))), refused("unit_unknown"));
    assert_eq!(read(Some(("MV", "UCUM", "millivolt"))), refused("unit_unknown"));
    assert_eq!(read(Some(("MV", "UCUM", "megavolt"))), refused("unit_unknown"));
    assert_eq!(read(Some(("uV", "UCUM", "millivolt"))), refused("unit_conflict"));
    assert_eq!(read(Some(("uV", "99X", "?"))), refused("unit_unknown"));
    assert_eq!(read(Some(("mm[Hg]", "UCUM", "mmHg"))), refused("unit_unknown"));
    assert_eq!(read(Some(("1", "UCUM", "no units"))), refused("unit_unknown"));
    assert_eq!(read(Some(("", "UCUM", "microvolt"))), refused("unit_absent"));
    assert_eq!(read(None), refused("unit_absent"));
}

#[test]
fn declared_padding_is_a_gap_and_not_a_value() {
    let mut object = object(16, "SS", 16, &[5, -32_768, 7, 1234]);
    object.groups[0].padding = Some(-32_768);
    let recording = object.read();
    let read = samples(&recording, Lead::II);
    assert_eq!((read[0], read[2], read[3]), (5.0, 7.0, 1234.0));
    assert!(read[1].is_nan());
    assert!(codes(&recording).contains(&"padding"));

    object.groups[0].padding = Some(1234);
    assert!(samples(&object.read(), Lead::II)[3].is_nan());
}

#[test]
fn padding_wider_than_the_stored_bits_is_padding_still() {
    let mut object = object(16, "SS", 12, &[5, -32_768, 7]);
    object.groups[0].padding = Some(-32_768);
    assert!(samples(&object.read(), Lead::II)[1].is_nan());
}

#[test]
fn undeclared_runs_of_the_most_negative_value_are_gaps_when_the_signal_jumps_there() {
    let recording = object(16, "SS", 16, &[5, -32_768, -32_768, 7]).read();
    let read = samples(&recording, Lead::II);
    assert!(read[1].is_nan() && read[2].is_nan() && read[3] == 7.0);
    assert!(codes(&recording).contains(&"padding_undeclared"));

    // A second channel keeps the rows from being padding; the first drifts into its rail.
    let mut drifting = object(16, "SS", 16, &[-32_000, -32_768, -32_768, -32_768, -32_000]);
    drifting.groups[0].channels.push(Channel::new(LEAD_V1, &beats(1500, 500)));
    let recording = drifting.read();
    assert_eq!(samples(&recording, Lead::II)[2], -32_768.0);
    assert!(codes(&recording).contains(&"lead_saturated"));
}

#[test]
fn a_declared_padding_of_zero_is_doubted() {
    let mut object = object(16, "SS", 16, &[5, 0, 7]);
    object.groups[0].padding = Some(0);
    let recording = object.read();
    assert!(samples(&recording, Lead::II)[1].is_nan());
    assert!(codes(&recording).contains(&"padding_doubtful"));

    // Another group of the same object is padded with another value: zero is its writer's default.
    let mut median = Group::new(vec![Channel::new(LEAD_II, &[3, 0, 4, -32_768])]);
    median.label = Some("MEDIAN BEAT");
    object.groups.push(median);
    let recording = object.read();
    assert_eq!(samples(&recording, Lead::II)[1], 0.0);
    assert!(codes(&recording).contains(&"padding_doubtful"));
    assert!(recording.other_groups[0].signal.traces[0].samples_uv[3].is_nan());
}

#[test]
fn counts_that_the_bytes_do_not_bear_out_are_refused() {
    let change = |channels, samples| {
        let mut object = object(16, "SS", 16, &[1]);
        object.groups[0].declared_channels = channels;
        object.groups[0].declared_samples = samples;
        let refusal = object.refusal();
        (refusal.code, refusal.reason)
    };
    let said = |code: &str, reason| (code.to_owned(), reason);
    assert_eq!(
        change(None, Some(1501)),
        said("sample_count_contradicted", RefusalReason::Truncated)
    );
    assert_eq!(
        change(None, Some(1499)),
        said("sample_count_contradicted", RefusalReason::Malformed)
    );
    assert_eq!(
        change(None, Some(u32::MAX)),
        said("sample_count_contradicted", RefusalReason::Truncated)
    );
    assert_eq!(change(Some(2), None), said("channel_count_contradicted", RefusalReason::Malformed));
    assert_eq!(
        change(Some(u16::MAX), Some(u32::MAX)),
        said("channel_count_contradicted", RefusalReason::Malformed)
    );
    assert_eq!(change(Some(0), None), said("channel_count_absent", RefusalReason::Malformed));
    assert_eq!(change(None, Some(0)), said("rhythm_too_short", RefusalReason::NoWaveform));
}

#[test]
fn sampling_rates_are_numbers_that_an_electrocardiograph_has() {
    for (rate, hz) in [("500", 500.0), ("5.0E2", 500.0), ("333.333333", 333.333), (" 240 ", 240.0)]
    {
        let mut object = object(16, "SS", 16, &[1]);
        object.groups[0].rate = Some(rate);
        assert_eq!(object.read().rhythm.rate.hz(), hz, "{rate}");
    }
    for rate in ["0", "-500", "abc", "2", "1e9", "nan"] {
        let mut object = object(16, "SS", 16, &[1]);
        object.groups[0].rate = Some(rate);
        assert_eq!(object.refusal().code, "sampling_rate_invalid", "{rate}");
    }
    let mut silent = object(16, "SS", 16, &[1]);
    silent.groups[0].rate = None;
    assert_eq!(silent.refusal().code, "sampling_rate_absent");
}

#[test]
fn skew_is_reported_and_samples_stay() {
    let mut object = object(16, "SS", 16, &[9]);
    object.groups[0].channels[0].more =
        vec![text(0x003A_0214, "DS", "0.001"), text(0x003A_0215, "DS", "0")];
    let recording = object.read();
    assert_eq!(samples(&recording, Lead::II)[0], 9.0);
    assert!(codes(&recording).contains(&"channel_time_skew"));
    assert!(!codes(&recording).contains(&"channel_sample_skew"));
}

#[test]
fn flat_saturated_and_absurd_leads_are_reported() {
    let mut object = one_lead();
    object.groups[0].channels.push(Channel::new(LEAD_V1, &vec![0; 1500]));
    assert_eq!(codes(&object.read()), ["lead_flat"]);

    object.groups[0].channels.truncate(1);
    object.groups[0].channels[0].sensitivity = Some("1000");
    assert_eq!(codes(&object.read()), ["amplitude_implausible"]);
    object.groups[0].channels[0].sensitivity = Some("0.001");
    assert_eq!(codes(&object.read()), ["amplitude_implausible"]);

    object.groups[0].channels[0].sensitivity = Some("0.1");
    object.groups[0].channels[0].raw[700..800].fill(32_767);
    assert_eq!(codes(&object.read()), ["lead_saturated"]);
}
