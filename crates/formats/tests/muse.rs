//! What MUSE files say comes out as they say it, and what they leave open is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use precordia_model::{GroupKind, Lead as Electrode, Sex, TraceOrigin};
use xml_support::muse::{Fields, PERSON, Waveform, file, lead, rich, set};
use xml_support::{beats, check_damage, problems, recording, refused};

fn one(change: impl FnOnce(&mut Waveform)) -> String {
    let mut rhythm = Waveform::new("Rhythm", vec![lead("II", &beats(1500, 300))]);
    change(&mut rhythm);
    file(PERSON, &[rhythm])
}

fn with_lead(change: impl FnOnce(&mut Fields)) -> String {
    one(|rhythm| change(&mut rhythm.leads[0]))
}

#[test]
fn a_file_is_read_with_its_person_time_groups_and_words() {
    let read = recording(rich());
    assert_eq!(read.format, "ge-muse-xml");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 1500));
    assert_eq!(read.rhythm.traces[0].samples_uv[15], 488.0);
    let third = read.rhythm.trace(Electrode::III).unwrap();
    assert!(matches!(third.origin, TraceOrigin::Derived { .. }));
    assert_eq!(
        (read.other_groups[0].kind, read.other_groups[0].signal.len()),
        (GroupKind::MedianBeat, 300)
    );
    let filters = read.rhythm.traces[0].filters;
    assert_eq!((filters.low_hz, filters.high_hz, filters.notch_hz), (None, Some(150.0), None));
    assert_eq!(read.patient.family.as_ref().unwrap().reveal(), "Noether");
    assert_eq!(read.patient.birth_date.as_ref().unwrap().reveal().to_string(), "1982-03-23");
    assert_eq!((read.patient.sex, read.patient.age_years), (Some(Sex::Female), None));
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.local.as_deref(), Some("2021-05-13T13:15:18"));
    let measured: Vec<_> = read
        .device_measurements
        .iter()
        .map(|one| (one.name.as_deref().unwrap(), one.value))
        .collect();
    assert_eq!(measured, [("heart_rate_bpm", 60.0), ("qt_ms", 400.0), ("qrs_axis_deg", -30.0)]);
    let words: Vec<&str> =
        read.device_statements.iter().map(|one| one.text.reveal().as_str()).collect();
    assert_eq!(words, ["Sinus rhythm", "Possible infarct"]);
    let kept = |place: &str| {
        let found = read.unmapped.iter().find(|field| field.place.ends_with(place));
        found.map(|field| field.value.reveal().as_str())
    };
    // What the cart had said before someone changed it, and the filter that no one can name.
    assert_eq!(kept("OriginalRestingECGMeasurements/QTInterval"), Some("380"));
    assert_eq!(kept("OriginalDiagnosis/DiagnosisStatement[3]/StmtText"), Some("nothing"));
    assert_eq!(kept("OriginalRestingECGMeasurements/VentricularRate"), None);
    assert_eq!(kept("Waveform[2]/HighPassFilter"), Some("16"));
    assert_eq!(problems(&read), ["xml_doctype_ignored"]);
}

#[test]
fn samples_are_believed_only_whole() {
    for (name, value, code) in [
        ("LeadDataCRC32", "1", "checksum_wrong"),
        ("LeadDataCRC32", "none", "checksum_wrong"),
        ("LeadSampleCountTotal", "1499", "sample_count_contradicted"),
        ("LeadByteCountTotal", "2999", "sample_count_contradicted"),
        ("LeadSampleSize", "4", "sample_size_unknown"),
        ("WaveFormData", "AAA", "samples_malformed"),
        ("WaveFormData", "", "sample_count_contradicted"),
        ("LeadAmplitudeUnitsPerBit", "", "scale_absent"),
        ("LeadAmplitudeUnitsPerBit", "0", "sensitivity_invalid"),
        ("LeadAmplitudeUnits", "", "unit_absent"),
        ("LeadAmplitudeUnits", "MV", "unit_unknown"),
        ("FirstSampleBaseline", "12", "baseline_unknown"),
        ("LeadID", "Z9", "leads_unknown"),
    ] {
        refused(with_lead(|lead| set(lead, name, value)), code);
    }
    let read = recording(with_lead(|lead| lead.retain(|(name, _)| *name != "LeadDataCRC32")));
    assert_eq!(problems(&read), ["xml_doctype_ignored", "checksum_absent"]);
    let read = recording(with_lead(|lead| set(lead, "LeadAmplitudeUnits", "millivolts")));
    assert_eq!(read.rhythm.traces[0].samples_uv[15], 488_000.0);
    let read = recording(with_lead(|lead| set(lead, "LeadOff", "TRUE")));
    assert!(problems(&read).contains(&"lead_off"));
}

#[test]
fn gaps_and_limits_are_said() {
    let mut samples = beats(1500, 300);
    samples[700] = -32_768;
    samples[800] = 3000;
    let read = recording(one(|rhythm| {
        rhythm.leads[0] = lead("II", &samples);
        set(&mut rhythm.leads[0], "LeadHighLimit", "3000");
    }));
    assert!(read.rhythm.traces[0].samples_uv[700].is_nan());
    let found = problems(&read);
    assert!(
        found.contains(&"padding_undeclared") && found.contains(&"lead_saturated"),
        "{found:?}"
    );
}

#[test]
fn time_leads_and_waveforms_must_be_sure() {
    for (name, value, code) in [
        ("SampleBase", "", "sampling_rate_absent"),
        ("SampleBase", "0", "sampling_rate_invalid"),
        ("SampleBase", "2", "sampling_rate_invalid"),
        ("SampleExponent", "x", "sampling_rate_invalid"),
        ("SampleExponent", "400", "sampling_rate_invalid"),
        ("SampleType", "OTHER", "sample_type_unknown"),
        ("NumberofLeads", "8", "lead_count_contradicted"),
        ("WaveformType", "Median", "rhythm_absent"),
    ] {
        refused(one(|rhythm| set(&mut rhythm.fields, name, value)), code);
    }
    let read = recording(one(|rhythm| {
        set(&mut rhythm.fields, "SampleBase", "5");
        set(&mut rhythm.fields, "SampleExponent", "2");
    }));
    assert_eq!(read.rhythm.rate.hz(), 500.0);
    let two = |change: &dyn Fn(&mut Fields)| {
        let mut leads = vec![lead("I", &beats(1500, 300)), lead("II", &beats(1500, 300))];
        change(&mut leads[1]);
        file(PERSON, &[Waveform::new("Rhythm", leads)])
    };
    refused(two(&|lead| set(lead, "LeadOffsetFirstSample", "5")), "lead_offsets_differ");
    refused(two(&|other| *other = lead("II", &beats(1499, 300))), "lead_lengths_differ");
    refused(two(&|lead| set(lead, "LeadID", "I")), "lead_repeated");
    let rhythm = Waveform::new("Rhythm", vec![lead("II", &beats(1500, 300))]);
    refused(file("", &[rhythm.clone(), rhythm]), "rhythm_groups_several");
    refused(one(|rhythm| rhythm.leads[0] = lead("II", &beats(90, 30))), "rhythm_too_short");
}

#[test]
fn a_broken_median_leaves_the_rhythm() {
    let mut median = Waveform::new("Median", vec![lead("II", &beats(300, 300))]);
    set(&mut median.leads[0], "LeadDataCRC32", "1");
    let rhythm = Waveform::new("Rhythm", vec![lead("II", &beats(1500, 300))]);
    let read = recording(file(PERSON, &[median, rhythm]));
    assert!(read.other_groups.is_empty());
    assert!(problems(&read).contains(&"group_not_read"));
}

#[test]
fn times_and_births_that_are_none_stay_as_written() {
    for (change, code) in [
        (("05-13-2021", "XX-XX-XXXX"), "acquisition_time_invalid"),
        (("05-13-2021", "13-05-2021"), "acquisition_time_invalid"),
        (("05-13-2021", "05-13-2121"), "acquisition_time_implausible"),
        (("03-23-1982", "01-01-0001"), "birth_date_invalid"),
        (("03-23-1982", "06-01-2021"), "birth_date_after_recording"),
        (("FEMALE", "XXXX"), "sex_unknown"),
    ] {
        let read = recording(rich().replace(change.0, change.1));
        assert_eq!(problems(&read), ["xml_doctype_ignored", code], "{change:?}");
    }
}

#[test]
fn damaged_files_never_panic_and_cut_ones_are_refused() {
    let short = one(|rhythm| rhythm.leads[0] = lead("II", &beats(150, 50)));
    check_damage(short.as_bytes(), 1);
    check_damage(rich().as_bytes(), 41);
}
