//! Mortara's XML: what its public description proves, and what is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::mortara::{Document, document, text};
use made::{codes, leads, recording, refusal, samples};
use precordia_model::{Filters, GroupKind, Lead};

#[test]
fn a_document_is_read_and_says_that_its_reader_is_not_proven() {
    let read = recording(text(&document(1500)).as_bytes());
    assert_eq!(read.format, "mortara-xml");
    assert_eq!(codes(&read), ["format_unproven"]);
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 1500));
    assert_eq!(leads(&read.rhythm), ["I", "V1"]);
    assert_eq!(samples(&read.rhythm, Lead::I)[50], 1000.0);
    assert_eq!(
        read.rhythm.traces[0].filters,
        Filters { high_hz: Some(150.0), ..Filters::default() }
    );
    let beat = &read.other_groups[0];
    assert_eq!((beat.kind, beat.signal.rate.hz()), (GroupKind::MedianBeat, 250.0));
    assert_eq!(samples(&beat.signal, Lead::I)[50], 1000.0);
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.as_written, "20231201120005");
    assert_eq!(time.local.as_deref(), Some("2023-12-01T12:00:05"));
    assert_eq!(read.patient.id.as_ref().unwrap().reveal(), "PAT001");
    assert!(read.patient.birth_date.is_some() && read.patient.age_years.is_none());
    let measured: Vec<(Option<&str>, f64)> =
        read.device_measurements.iter().map(|one| (one.name.as_deref(), one.value)).collect();
    let expected = [("heart_rate_bpm", 75.0), ("pr_ms", 163.0), ("qrs_axis_deg", -35.0)];
    assert_eq!(measured, expected.map(|(name, value)| (Some(name), value)));
    let said: Vec<&str> =
        read.device_statements.iter().map(|one| one.text.reveal().as_str()).collect();
    assert_eq!(said, ["SINUS RHYTHM", "LEFT AXIS DEVIATION; QRS AXIS < -30"]);
    let kept: Vec<&str> = read.unmapped.iter().map(|field| field.place.as_str()).collect();
    assert!(kept.contains(&"ECG@ROOM") && kept.contains(&"ECG/SOURCE@FILTER_BITMAP"), "{kept:?}");
}

#[test]
fn a_duration_is_samples_or_milliseconds_and_nothing_else() {
    for duration in ["1500", "3000"] {
        let made = Document { duration: duration.into(), ..document(1500) };
        assert_eq!(recording(text(&made).as_bytes()).rhythm.len(), 1500);
    }
    let made = Document { duration: "1600".into(), ..document(1500) };
    assert_eq!(refusal(text(&made).as_bytes()).code, "sample_count_contradicted");
}

#[test]
fn what_would_have_to_be_assumed_is_refused() {
    let form = document(1).form;
    let code = |from: &str, to: &str| {
        assert!(form.contains(from));
        let made = text(&document(1500)).replacen(form, &form.replace(from, to), 2);
        refusal(made.as_bytes()).code
    };
    assert_eq!(code("SAMPLE_FREQ=\"500\"", ""), "sampling_rate_absent");
    assert_eq!(code("SAMPLE_FREQ=\"500\"", "SAMPLE_FREQ=\"5\""), "sampling_rate_invalid");
    assert_eq!(code("UNITS_PER_MV=\"400\"", ""), "scale_absent");
    assert_eq!(code("UNITS_PER_MV=\"400\"", "UNITS_PER_MV=\"0\""), "scale_absent");
    assert_eq!(code("OFFSET=\"0\"", "OFFSET=\"5\""), "offset_unknown");
    assert_eq!(code("BITS=\"16\"", "BITS=\"8\""), "sample_kind");
    assert_eq!(code("SIGNED", "UNSIGNED"), "sample_kind");
    assert_eq!(code("BASE64", "HEX"), "sample_kind");
    let leads = |leads| refusal(text(&Document { leads, ..document(1500) }).as_bytes()).code;
    assert_eq!(leads(vec![("Q", made::beats(1500, 400))]), "leads_unknown");
    assert_eq!(leads(vec![]), "rhythm_absent");
    let other = Document { field_id: "PAT002", ..document(1500) };
    assert_eq!(refusal(text(&other).as_bytes()).code, "patient_conflict");
    let damaged = text(&document(1500)).replace("DATA=\"", "DATA=\"!");
    assert_eq!(refusal(damaged.as_bytes()).code, "samples_damaged");
}

#[test]
fn damaged_documents_are_answered() {
    made::damage(text(&document(120)).as_bytes(), 3);
}
