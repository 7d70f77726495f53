//! What CardioSoft files say comes out as they say it, and what they leave open is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use precordia_model::{GroupKind, Lead as Electrode};
use xml_support::cardiosoft::{Block, PERSON, file, rich};
use xml_support::{beats, check_damage, problems, recording, refused};

fn one(change: impl FnOnce(&mut Block)) -> String {
    let mut strip = Block::new(&["I", "II"], &beats(1500, 300));
    change(&mut strip);
    file(&format!("{PERSON}{}", strip.text("StripData")))
}

#[test]
fn a_file_is_read_with_its_person_time_groups_and_words() {
    let read = recording(rich());
    assert_eq!(read.format, "ge-cardiosoft-xml");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 1500));
    assert_eq!(read.rhythm.traces[0].samples_uv[15], 500.0);
    assert_eq!(
        (read.other_groups[0].kind, read.other_groups[0].signal.len()),
        (GroupKind::MedianBeat, 300)
    );
    let filters = read.rhythm.traces[0].filters;
    assert_eq!(
        (filters.low_hz, filters.high_hz, filters.notch_hz),
        (Some(0.05), Some(150.0), Some(50.0))
    );
    assert_eq!(read.patient.id.as_ref().unwrap().reveal(), "P-17");
    assert_eq!(read.patient.birth_date.as_ref().unwrap().reveal().to_string(), "1982-03-23");
    assert_eq!(read.accession.as_ref().unwrap().reveal(), "A-3");
    assert_eq!(read.acquired_at.as_ref().unwrap().local.as_deref(), Some("2024-02-29T09:05:07"));
    let measured: Vec<_> = read
        .device_measurements
        .iter()
        .map(|one| {
            (one.name.as_deref(), one.label.as_str(), one.value, one.unit.as_str(), one.lead)
        })
        .collect();
    assert_eq!(
        measured,
        [
            (Some("heart_rate_bpm"), "VentricularRate", 60.0, "/min", None),
            (None, "QTInterval", 0.4, "s", None),
            (None, "RAmplitude", 500.0, "uV", Some(Electrode::I)),
        ]
    );
    assert_eq!(read.device_statements[0].text.reveal(), "Normal");
    assert_eq!(problems(&read), ["measurement_unit", "measurement_table"]);
    let kept: Vec<&str> = read.unmapped.iter().map(|field| field.value.reveal().as_str()).collect();
    assert!(kept.contains(&"1, 2, 3"), "{kept:?}");
}

#[test]
fn amplitude_time_and_counts_must_be_sure() {
    for (from, to, code) in [
        (r#"<SampleRate units="Hz">500</SampleRate>"#, "", "sampling_rate_absent"),
        (r#"units="Hz">500<"#, r#"units="kHz">0.5<"#, "sampling_rate_invalid"),
        (r#"units="Hz">500<"#, r#"units="Hz">5<"#, "sampling_rate_invalid"),
        (r#"<Resolution units="uVperLsb">5</Resolution>"#, "", "scale_absent"),
        (r#"units="uVperLsb">5<"#, r#"units="uVperLsb">x<"#, "scale_invalid"),
        (r#"units="uVperLsb">5<"#, r#"units="uVperLsb">0<"#, "sensitivity_invalid"),
        (r#"units="uVperLsb">5<"#, r#"units="mV">5<"#, "unit_unknown"),
        (r#" units="uVperLsb">5<"#, ">5<", "unit_absent"),
        (">1500<", ">1499<", "sample_count_contradicted"),
        (">2</NumberOfLeads>", ">12</NumberOfLeads>", "lead_count_contradicted"),
    ] {
        refused(one(|strip| strip.head = strip.head.replace(from, to)), code);
    }
    for (digits, code) in
        [("", "samples_absent"), ("1,2,,3", "digits_invalid"), ("1 2", "digits_invalid")]
    {
        refused(one(|strip| strip.leads[0].1 = digits.into()), code);
    }
    refused(one(|strip| strip.leads[1].0 = "I".into()), "lead_repeated");
    refused(file(PERSON), "rhythm_absent");
    let strip = Block::new(&["I"], &beats(1500, 300)).text("StripData");
    refused(file(&format!("{strip}{strip}")), "rhythm_groups_several");
}

#[test]
fn samples_that_are_said_to_be_invalid_are_gaps() {
    let valid = |text: &str| recording(one(|strip| strip.head.push_str(text)));
    let read = valid(
        "<FirstValid units=\"Sample\">10</FirstValid><LastValid units=\"Sample\">1500</LastValid>",
    );
    let samples = &read.rhythm.traces[0].samples_uv;
    assert_eq!(samples.iter().filter(|sample| sample.is_nan()).count(), 10);
    assert!(samples[9].is_nan() && !samples[10].is_nan());
    assert_eq!(problems(&read), ["padding"]);
}

#[test]
fn what_those_who_remove_names_leave_is_no_time_and_no_birth() {
    let first = "<Day>1</Day><Month>1</Month><Year>1</Year>";
    let text = rich()
        .replace("<Day>29</Day><Month>2</Month><Year>2024</Year>", first)
        .replace("<Day>23</Day><Month>3</Month><Year>1982</Year>", first);
    let read = recording(text);
    let found = problems(&read);
    assert!(
        found.contains(&"acquisition_time_implausible") && found.contains(&"birth_date_invalid")
    );
    assert_eq!((read.patient.birth_date, read.patient.age_years), (None, Some(40)));
}

#[test]
fn damaged_files_never_panic_and_cut_ones_are_refused() {
    let short = file(&Block::new(&["I", "II"], &beats(150, 50)).text("StripData"));
    check_damage(short.as_bytes(), 1);
    check_damage(rich().as_bytes(), 41);
}
