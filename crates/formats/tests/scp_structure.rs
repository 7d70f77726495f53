//! SCP-ECG records as devices write them: pointers, leads, text and what the device says.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

#[path = "support/scp.rs"]
mod support;

use precordia_model::{DeviceMeasurement, GroupKind, Lead, Recording, RefusalReason, Sex};
use support::*;

fn one_lead() -> Scp {
    Scp::new(&[(2, beats(1200, 500))])
}

fn leads(stretches: &[(u8, u32, usize)]) -> Scp {
    let mut made = one_lead();
    made.leads =
        stretches.iter().map(|(id, first, length)| (*id, *first, beats(*length, 500))).collect();
    made
}

fn kept<'r>(recording: &'r Recording, place: &str) -> Option<&'r str> {
    let field = recording.unmapped.iter().find(|field| field.place == place)?;
    Some(field.value.reveal())
}

#[test]
fn pointers_that_count_from_0_are_proven_by_the_sections() {
    let made = one_lead();
    let recording = read_bytes(&record(20, &made.bodies(), 0)).unwrap();
    assert_eq!(recording.rhythm, made.read().rhythm);
    assert_eq!(codes(&recording), ["pointers_zero_based"]);
}

#[test]
fn a_wrong_pointer_is_repaired_where_the_section_follows_the_others_and_refused_where_not() {
    let made = one_lead();
    let mut bytes = made.bytes();
    // The pointer to section 6 is the last of five.
    let at = 6 + 16 + 4 * 10 + 6;
    bytes[at..at + 4].copy_from_slice(&0x7FFF_FFFF_u32.to_le_bytes());
    let recording = read_bytes(&bytes).unwrap();
    assert_eq!(recording.rhythm, made.read().rhythm);
    assert!(codes(&recording).contains(&"pointer_repaired"));
    // Its header no longer names it.
    let section = bytes.len() - made.bodies()[3].1.len() - 16;
    bytes[section + 2] = 99;
    let refusal = read_bytes(&bytes).unwrap_err();
    assert_eq!(
        (refusal.reason, refusal.code.as_str()),
        (RefusalReason::Truncated, "section_truncated")
    );
}

#[test]
fn lengths_marks_and_checksums_are_reported_and_stop_nothing() {
    let good = one_lead().bytes();
    let changed = |change: fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        let recording = read_bytes(&bytes).unwrap();
        assert_eq!(recording.rhythm, one_lead().read().rhythm);
        codes(&recording).join(" ")
    };
    assert_eq!(changed(|_| {}), "");
    assert_eq!(changed(|bytes| bytes[0] ^= 1), "crc_record");
    assert_eq!(changed(|bytes| bytes[2..6].rotate_left(2)), "record_length_wrong crc_record");
    assert_eq!(changed(|bytes| bytes[2..6].fill(0xFF)), "record_length_wrong crc_record");
    assert_eq!(changed(|bytes| bytes.extend([0; 20])), "trailing_bytes");
    let unmarked = "mark_missing crc_section crc_record";
    assert_eq!(changed(|bytes| bytes[16..22].fill(0)), unmarked);
}

#[test]
fn leads_of_other_stretches_get_gaps_or_groups_of_their_own() {
    let uneven = leads(&[(1, 1, 1000), (2, 11, 1000)]).read();
    assert_eq!(uneven.rhythm.len(), 1010);
    let second = &uneven.rhythm.trace(Lead::II).unwrap().samples_uv;
    assert!(second[..10].iter().all(|uv| uv.is_nan()) && !second[10].is_nan());
    assert!(codes(&uneven).contains(&"leads_uneven"));

    let sequential = leads(&[(1, 1, 1000), (2, 1, 1000), (3, 1001, 900), (4, 1001, 900)]).read();
    assert_eq!(sequential.rhythm.leads().take(2).collect::<Vec<_>>(), [Lead::I, Lead::II]);
    let group = &sequential.other_groups[0];
    assert_eq!((group.kind, group.signal.len()), (GroupKind::FurtherRhythm, 900));
    assert_eq!(group.signal.leads().collect::<Vec<_>>(), [Lead::V1, Lead::V2]);
    assert_eq!(codes(&sequential), ["leads_sequential"]);

    let mut by_two = leads(&[(1, 1, 1000), (2, 1, 1000), (3, 1, 1000), (4, 1, 1000)]);
    by_two.flags = 2 << 3;
    assert_eq!(by_two.read().other_groups.len(), 1);
    assert_eq!(codes(&by_two.read()), ["leads_by_groups"]);
    by_two.flags = 0;
    assert!(by_two.read().other_groups.is_empty());
    assert_eq!(codes(&by_two.read()), ["simultaneity_unstated"]);

    let late = leads(&[(2, 5001, 1000)]).read();
    assert_eq!((late.rhythm.len(), codes(&late)), (1000, vec!["starts_late"]));

    let strange = leads(&[(2, 1, 1000), (200, 1, 1000)]).read();
    assert_eq!((strange.rhythm.traces.len(), codes(&strange)), (1, vec!["lead_unknown"]));
}

#[test]
fn leads_longer_than_their_16_bits_of_length_are_proven_by_the_section() {
    let long = |tables: Tables, samples: Vec<i16>| {
        let made = Scp::new(&[(1, samples.clone()), (2, samples)]).coded(tables, 0);
        let recording = made.read();
        let read = &recording.rhythm.trace(Lead::II).unwrap().samples_uv;
        assert!(read.iter().zip(&made.leads[1].2).all(|(uv, one)| *uv == f32::from(*one) * 2.5));
        assert_eq!(codes(&recording), ["lead_length_overflow"]);
    };
    long(Tables::Raw, beats(40_000, 500));
    long(Tables::Default, beats(60_000, 500).iter().map(|one| one + 1000).collect());
}

#[test]
fn a_table_that_is_not_used_is_proven_by_two_bytes_a_sample() {
    let raw = one_lead().coded(Tables::Raw, 0);
    let recording = raw.clone().with(2, &19_999_u16.to_le_bytes()).read();
    assert_eq!(recording.rhythm, raw.read().rhythm);
    assert_eq!(codes(&recording), ["huffman_not_used"]);
}

#[test]
fn who_and_when_are_read_as_written_and_what_is_none_is_kept() {
    let mut device = vec![0; 36];
    device[8..13].copy_from_slice(b"CART1");
    device[16] = 1;
    device.extend(b"1.0\0SN-7\0SW 3\0\0Caf\xE9 Cardio\0");
    let made = one_lead()
        .tag(0, b"M\xFCller\0")
        .tag(1, b"J\xF6rg")
        .tag(4, &[41, 0, 1])
        .tag(5, &[0x07, 0xA8, 4, 30])
        .tag(6, &[180, 0, 1])
        .tag(7, b"REM")
        .tag(8, &[2])
        .tag(10, b"\0\x01\x02Digoxin\0")
        .tag(13, b"chest pain\0")
        .tag(14, &device)
        .tag(27, &[5, 0])
        .tag(28, &[150, 0])
        .tag(29, &[2])
        .tag(34, &[60, 0, 0, 0, 0]);
    let recording = made.read();
    let patient = &recording.patient;
    assert_eq!(patient.name_as_written.as_ref().unwrap().reveal(), "Müller^Jörg");
    assert_eq!(patient.id.as_ref().unwrap().reveal(), "P-1");
    assert_eq!(String::from(*patient.birth_date.as_ref().unwrap().reveal()), "1960-04-30");
    assert_eq!((patient.sex, patient.age_years), (Some(Sex::Female), None));
    assert_eq!(kept(&recording, "section 1 tag 4"), Some("41 years"));
    assert_eq!(one_lead().tag(4, &[41, 0, 1]).read().patient.age_years, Some(41));
    let device = &recording.device;
    assert_eq!(device.manufacturer.as_deref(), Some("Café Cardio"));
    assert_eq!(
        (device.model.as_deref(), device.software.as_deref()),
        (Some("CART1"), Some("SW 3"))
    );
    let when = recording.acquired_at.as_ref().unwrap();
    assert_eq!(when.local.as_deref(), Some("2021-05-06T07:08:09"));
    assert_eq!(when.utc().unwrap().to_rfc3339(), "2021-05-06T06:08:09.000Z");
    let filters = recording.rhythm.traces[0].filters;
    assert_eq!(
        (filters.low_hz, filters.high_hz, filters.notch_hz),
        (Some(0.05), Some(150.0), Some(50.0))
    );
    assert_eq!(kept(&recording, "section 1 tag 6"), Some("180 cm"));
    assert_eq!(kept(&recording, "section 1 tag 7"), Some("52454d"));
    assert_eq!(kept(&recording, "section 1 tag 10"), Some("class 1 code 2: Digoxin"));
    assert_eq!(kept(&recording, "section 1 tag 13"), Some("chest pain"));
    assert_eq!(codes(&recording), ["date_big_endian"]);

    let undated = one_lead().tag(25, b"REMO").tag(8, b"R").read();
    assert_eq!(undated.acquired_at, None);
    assert_eq!(undated.patient.sex, Some(Sex::Unknown));
    assert_eq!(codes(&undated), ["acquired_at_invalid", "tag_not_numeric"]);
}

fn said<'r>(
    recording: &'r Recording,
    label: &str,
    lead: Option<Lead>,
) -> Option<&'r DeviceMeasurement> {
    recording.device_measurements.iter().find(|one| one.label == label && one.lead == lead)
}

#[test]
fn what_the_device_measured_is_kept_with_codes_and_29999_is_nothing() {
    let shorts =
        |values: &[i16]| -> Vec<u8> { values.iter().flat_map(|one| one.to_le_bytes()).collect() };
    let mut global = vec![1, 1];
    global.extend(shorts(&[800, 29_999, 100, 210, 260, 350, 640, 45, -30, 999]));
    global.extend(shorts(&[1234, -1500]));
    global.extend([1, 0]);
    global.extend(shorts(&[2, 500]));
    global.extend([3, 0, 0, 1, 0]);
    global.extend(shorts(&[75, 29_999, 431]));
    global.extend([1, 0, 0]);
    let mut in_leads = shorts(&[1, 0, 4, 58]);
    let mut values = [29_999; 29];
    (values[2], values[10], values[14]) = (92, 1413, -105);
    in_leads.extend(shorts(&values));
    let recording = one_lead().with(7, &global).with(10, &in_leads).read();
    let named = |name: &str| {
        let found =
            recording.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
        found.map(|one| one.value)
    };
    let cases = [
        ("rr_ms", Some(800.0)),
        ("pp_ms", None),
        ("p_ms", Some(110.0)),
        ("pr_ms", Some(160.0)),
        ("qrs_ms", Some(90.0)),
        ("qt_ms", Some(380.0)),
        ("p_axis_deg", Some(45.0)),
        ("qrs_axis_deg", Some(-30.0)),
        ("t_axis_deg", None),
        ("heart_rate_bpm", Some(75.0)),
        ("atrial_rate_bpm", None),
        ("qtc_ms", Some(431.0)),
    ];
    for (name, value) in cases {
        assert_eq!(named(name), value, "{name}");
    }
    assert!(said(&recording, "QTc (Bazett)", None).is_some());
    assert_eq!(said(&recording, "pacing spike 1: time", None).unwrap().value, 1234.0);
    assert_eq!(said(&recording, "pacing spike 1: amplitude", None).unwrap().value, -1500.0);
    assert_eq!(said(&recording, "pacing spike 1: width", None).unwrap().value, 500.0);
    assert_eq!(kept(&recording, "section 7 types of beats"), Some("0 1 0"));
    let r = said(&recording, "R amplitude", Some(Lead::V2)).unwrap();
    assert_eq!(
        (r.value, r.unit.as_str(), r.code.as_deref()),
        (1413.0, "uV", Some("SCPECG:5.13.5-25"))
    );
    assert_eq!(said(&recording, "J amplitude", Some(Lead::V2)).unwrap().value, -105.0);
    assert_eq!(said(&recording, "P duration", Some(Lead::V2)), None);
}

#[test]
fn measurements_that_end_early_say_so_and_nothing_behind_them_is_guessed() {
    let rates = [0, 0, 75, 0, 47, 117, 175, 1, 0, 0, 0];
    for declared in [[2, 0], [0, 40], [1, 1]] {
        let body = [&declared[..], &[32, 3, 47, 117], &rates].concat();
        let recording = one_lead().with(7, &body).read();
        let names: Vec<_> =
            recording.device_measurements.iter().filter_map(|one| one.name.as_deref()).collect();
        assert_eq!(names, ["rr_ms"], "{declared:?}");
        assert_eq!(codes(&recording), ["measurements_truncated"], "{declared:?}");
    }
}

#[test]
fn statements_keep_their_words_and_codes() {
    let statement = |number: u8, text: &[u8]| {
        let mut bytes = vec![number, text.len() as u8, 0];
        bytes.extend(text);
        bytes
    };
    let head = [1, 0xE5, 7, 5, 6, 7, 8, 9, 2];
    let words =
        [&head[..], &statement(1, b"Sinus rhythm\0"), &statement(2, b"Normal ECG\0")].concat();
    let coded =
        [&head[..], &statement(1, b"\x01SR\0MI\0"), &statement(2, b"\x02as before\0")].concat();
    let recording = one_lead().with(8, &words).with(11, &coded).read();
    let said: Vec<(&str, Option<&str>)> = recording
        .device_statements
        .iter()
        .map(|one| (one.text.reveal().as_str(), one.code.as_deref()))
        .collect();
    assert_eq!(
        said,
        [
            ("Sinus rhythm", None),
            ("Normal ECG", None),
            ("SR MI", Some("SCPECG-USC:SR")),
            ("as before", None)
        ]
    );
    assert_eq!(kept(&recording, "section 8 status"), Some("confirmed report"));
}

#[test]
fn sections_that_are_not_read_are_named_with_their_size() {
    let recording = one_lead().with(9, &[0; 12]).with(200, &[7; 300]).read();
    assert_eq!(kept(&recording, "section 200"), Some("manufacturer's own, 300 bytes"));
    assert!(kept(&recording, "section 9").unwrap().ends_with("12 bytes"));
    assert_eq!(codes(&recording), [""; 0]);
}

fn long_term(samples: usize, multiplier_nv: u32) -> Vec<u8> {
    let mut body = vec![0; 70];
    body[..4].copy_from_slice(&500_u32.to_le_bytes());
    body[4] = 2;
    body[5..9].copy_from_slice(&(samples as u32).to_le_bytes());
    body[9] = 2;
    for id in [1, 2] {
        body.extend((multiplier_nv << 8 | id).to_le_bytes());
    }
    let (first, second) = (beats(samples, 400), beats(samples, 900));
    for (first, second) in first.iter().zip(&second) {
        body.extend(first.to_le_bytes());
        body.extend(second.to_le_bytes());
    }
    body
}

#[test]
fn long_term_rhythm_is_read_where_its_sizes_agree_and_says_that_it_is_unproven() {
    let mut made = Scp::new(&[(1, beats(1200, 400)), (2, beats(1200, 900))]);
    made.protocol = 30;
    let short = made.read();
    made.without = vec![2, 6];
    let recording = made.clone().with(12, &long_term(1200, 2500)).read();
    assert_eq!(recording.rhythm, short.rhythm);
    assert_eq!(codes(&recording), ["format_unproven"]);
    assert_eq!(
        made.clone().with(12, &long_term(1200, 0)).refused().code,
        "amplitude_multiplier_zero"
    );
    assert_eq!(made.clone().with(12, &long_term(1199, 2500)).refused().code, "long_term_leads");
    let mut cut = long_term(1200, 2500);
    cut.truncate(4000);
    assert_eq!(made.with(12, &cut).refused().code, "long_term_length");
}

/// Any damage is answered, and damage that hides a sample is never silent.
#[test]
fn truncation_and_flipped_bits_are_answered_and_never_silent() {
    let good = one_lead().tag(0, b"N").with(7, &[1, 0, 1, 2, 3, 4]).bytes();
    let whole = read_bytes(&good).unwrap();
    for length in 0..good.len() {
        if let Ok(recording) = read_bytes(&good[..length]) {
            assert!(!recording.problems.is_empty(), "{length}");
            assert_eq!(recording.rhythm, whole.rhythm, "{length}");
        }
    }
    for bit in 0..good.len() * 8 {
        let mut bytes = good.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(recording) = read_bytes(&bytes) {
            assert!(!recording.problems.is_empty(), "bit {bit}");
        }
    }
}
