//! Schiller XML: rate and its proof, units, leads, averages, words, and what is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::schiller::{Document, channel, document, text};
use made::{beats, codes, leads, load, recording, refusal, samples, shared, unmapped};
use precordia_model::{Filters, GroupKind, Lead, Recording};

fn read(document: &Document) -> Recording {
    recording(text(document).as_bytes())
}

fn named(read: &Recording, name: &str) -> Option<f64> {
    let found = read.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
    found.map(|one| one.value)
}

#[test]
fn rhythm_averages_person_and_words_are_read() {
    let read = read(&document(1500));
    assert_eq!(read.format, "schiller-xml");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 1500));
    assert_eq!(leads(&read.rhythm), ["I", "aVR"]);
    assert_eq!(samples(&read.rhythm, Lead::I)[50], 750.0);
    let averages = &read.other_groups[0];
    assert_eq!((averages.kind, averages.signal.len()), (GroupKind::MedianBeat, 200));
    assert_eq!(read.rhythm.traces[0].filters, Filters { low_hz: Some(0.05), ..Filters::default() });
    assert_eq!(read.patient.family.as_ref().unwrap().reveal(), "Noether");
    assert!(read.patient.birth_date.is_some());
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.as_written, "20060502 140610250");
    assert_eq!(time.local.as_deref(), Some("2006-05-02T14:06:10.250"));
    assert_eq!(named(&read, "qrs_ms"), Some(146.0));
    assert_eq!(named(&read, "qrs_axis_deg"), Some(-67.0));
    let of_lead: Vec<(&str, f64, &str)> = read
        .device_measurements
        .iter()
        .filter(|one| one.lead == Some(Lead::AVR))
        .map(|one| (one.label.as_str(), one.value, one.unit.as_str()))
        .collect();
    assert_eq!(of_lead, [("R_AMPL", 0.77, "mV")]);
    let said: Vec<&str> =
        read.device_statements.iter().map(|one| one.text.reveal().as_str()).collect();
    assert_eq!(said, ["sinus rhythm", "normal"]);
    assert_eq!(unmapped(&read, "textdata REMARK_6"), ["3"]);
    assert_eq!(unmapped(&read, "annotation_global BP_D"), ["-"]);
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn the_rate_is_proven_by_fiducials_or_doubted_or_refused() {
    let unproven = Document { annotations: "", ..document(1500) };
    assert_eq!(read(&unproven).rhythm.rate.hz(), 500.0);
    assert_eq!(codes(&read(&unproven)), ["rate_exponent", "rate_exponent"]);
    let plain = Document { samplerate: "<value>500</value>", annotations: "", ..document(1500) };
    assert!(codes(&read(&plain)).is_empty());
    let code = |samplerate| {
        let made = Document { samplerate, ..document(1500) };
        refusal(text(&made).as_bytes()).code
    };
    assert_eq!(code("<value>1000</value>"), "sampling_rate_contradicted");
    assert_eq!(code("<exponent>3</exponent><value>500</value>"), "rate_exponent_unknown");
    assert_eq!(code("<exponent>1</exponent>"), "sampling_rate_absent");
    assert_eq!(code("<value>5</value>"), "sampling_rate_invalid");
}

#[test]
fn what_would_have_to_be_assumed_is_refused() {
    let code = |change: &dyn Fn(&mut Document)| {
        let mut made = document(1500);
        change(&mut made);
        refusal(text(&made).as_bytes()).code
    };
    let units = |units| code(&move |made: &mut Document| made.units = units);
    assert_eq!(units("<unitperbit>1</unitperbit><units>MV</units>"), "unit_unknown");
    assert_eq!(units("<unitperbit>1</unitperbit>"), "unit_absent");
    assert_eq!(units("<units>UV</units>"), "scale_absent");
    let channels = |text: String| code(&move |made: &mut Document| made.channels.clone_from(&text));
    let good = channel("I", &beats(1500, 300));
    assert_eq!(channels(good.replace(">I<", ">Q<")), "leads_unknown");
    assert_eq!(channels(good.replace(">1500<", ">1499<")), "sample_count_contradicted");
    assert_eq!(channels(good.replace("1,2,3", "1,x,3")), "value_invalid");
    assert_eq!(channels(good.replace("COMMASEPARATE", "BASE64")), "encoding_unknown");
    assert_eq!(channels(good.clone() + &good), "lead_repeated");
    assert_eq!(channels(good.clone() + &channel("II", &beats(1400, 30))), "lengths_differ");
    assert_eq!(channels(String::new()), "leads_unknown");
    let none = text(&document(1500)).replace("ECG_RHYTHMS", "OTHER");
    assert_eq!(refusal(none.as_bytes()).code, "rhythm_absent");
}

#[test]
fn damaged_documents_are_answered() {
    let short = Document { averages: String::new(), ..document(120) };
    made::damage(text(&short).as_bytes(), 3);
}

#[test]
fn the_real_file_is_read() {
    let Some(corpus) = shared() else { return };
    let bytes = load(&corpus.join("ecg/schiller/cvrgconv__schiller.xml"));
    let read = recording(&bytes);
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 4998));
    let expected: Vec<&str> = Lead::TWELVE.iter().map(|lead| lead.name()).collect();
    assert_eq!(leads(&read.rhythm), expected);
    let last = |lead| *samples(&read.rhythm, lead).last().unwrap();
    assert_eq!([last(Lead::I), last(Lead::III), last(Lead::AVL)], [1000.0, -1000.0, 1000.0]);
    assert_eq!(read.other_groups[0].signal.len(), 580);
    assert_eq!(named(&read, "pr_ms"), Some(214.0));
    assert_eq!(named(&read, "t_axis_deg"), Some(-30.0));
    assert_eq!(
        read.rhythm.traces[0].filters,
        Filters { low_hz: Some(0.05), high_hz: Some(150.0), notch_hz: None }
    );
    assert_eq!(read.device.model.as_deref(), Some("AT-110"));
    assert!(!codes(&read).contains(&"rate_exponent"), "{:?}", read.problems);
    made::damage(&bytes, 30_011);
}
