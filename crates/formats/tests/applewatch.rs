//! Apple Watch exports: languages, decimal marks, what is declared and what is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::applewatch::{Export, export};
use made::{codes, leads, read_one, recording, refusal, samples, unmapped};
use precordia_model::{Lead, PartialDate, ZoneKnowledge};

#[test]
fn an_export_is_read_with_person_time_device_and_classification() {
    let read = recording(export(&Export::default()).as_bytes());
    assert_eq!(read.format, "apple-watch-csv");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (511.523, 1200));
    assert_eq!(leads(&read.rhythm), ["I"]);
    assert_eq!(samples(&read.rhythm, Lead::I)[50], 900.25);
    assert_eq!(read.patient.name_as_written.as_ref().unwrap().reveal(), "Amalie Noether");
    let born = read.patient.birth_date.as_ref().unwrap().reveal();
    assert_eq!(Some(*born), PartialDate::parse("1982-03-23"));
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.as_written, "2024-02-29 10:11:12 +0100");
    assert_eq!(time.local.as_deref(), Some("2024-02-29T10:11:12"));
    assert_eq!(time.zone, ZoneKnowledge::Offset { minutes: 60 });
    assert_eq!(read.device.model.as_deref(), Some("Watch6,1"));
    assert_eq!(read.device.software.as_deref(), Some("1.90"));
    assert_eq!(read.device_statements[0].text.reveal(), "Sinus Rhythm");
    assert_eq!(unmapped(&read, "line 5"), ["Symptoms: none, as far as I know"]);
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn other_languages_marks_line_ends_and_encodings_read_the_same() {
    let english = recording(export(&Export::default()).as_bytes());
    let german = Export {
        names: [
            "Name",
            "Geburtsdatum",
            "Aufzeichnungsdatum",
            "Klassifizierung",
            "Symptome",
            "Softwareversion",
            "Gerät",
            "Messrate",
            "Ableitung",
            "Einheit",
        ],
        rate: "511,523 Hertz",
        lead: "Ableitung I",
        comma: true,
        ..Export::default()
    };
    let read = recording(export(&german).as_bytes());
    assert_eq!(read.rhythm, english.rhythm);
    let unknown =
        Export { names: ["x"; 10], lead: "I", rate: "511.523 ヘルツ", ..Export::default() };
    // No line is known by its name, so too little is known at all.
    assert_eq!(refusal(export(&unknown).as_bytes()).code, "format_unknown");

    let crlf = export(&Export::default()).replace('\n', "\r\n");
    assert_eq!(recording(format!("\u{feff}{crlf}").as_bytes()).rhythm, english.rhythm);
    let wide: Vec<u8> =
        format!("\u{feff}{crlf}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(recording(&wide).rhythm, english.rhythm);
    let narrow: Vec<u8> = export(&german).chars().map(|c| c as u8).collect();
    let read = recording(&narrow);
    assert_eq!(read.rhythm, english.rhythm);
    assert_eq!(codes(&read), ["encoding_assumed"]);
}

#[test]
fn what_is_not_declared_is_refused_with_what_to_add() {
    let with = |change: fn(&mut Export)| {
        let mut made = Export::default();
        change(&mut made);
        refusal(export(&made).as_bytes())
    };
    let no_rate = with(|made| made.rate = "");
    assert_eq!(no_rate.code, "sampling_rate_absent");
    assert!(no_rate.hint.unwrap().contains("Sample Rate,512 hertz"));
    let no_unit = with(|made| made.unit = "");
    assert_eq!(no_unit.code, "unit_absent");
    assert!(no_unit.hint.unwrap().contains("Unit,µV"));
    assert_eq!(with(|made| made.lead = "").code, "lead_absent");
    assert_eq!(with(|made| made.lead = "Lead Q").code, "leads_unknown");
    assert_eq!(with(|made| made.unit = "MV").code, "unit_unknown");
    assert_eq!(with(|made| made.rate = "5 hertz").code, "sampling_rate_invalid");
    assert_eq!(with(|made| made.values = vec!["1.0".into(), "x".into()]).code, "value_invalid");
    assert_eq!(with(|made| made.values = vec!["1.0".into(), "nan".into()]).code, "value_invalid");
    assert_eq!(with(|made| made.values = vec![]).code, "rhythm_too_short");
    assert_eq!(
        with(|made| made.values = vec!["2,759".into(), "-57,716".into()]).code,
        "decimal_comma_unproven"
    );
    assert_eq!(
        with(|made| made.values = vec!["0,5".into(), "1.5".into()]).code,
        "decimal_mark_mixed"
    );
}

#[test]
fn a_birth_date_of_two_readings_stays_as_written() {
    let made = Export { born: "02.01.1950", ..Export::default() };
    let read = recording(export(&made).as_bytes());
    assert!(read.patient.birth_date.is_none());
    assert_eq!(codes(&read), ["birth_date_unread"]);
    assert_eq!(unmapped(&read, "line 2"), ["Date of Birth: 02.01.1950"]);
}

#[test]
fn damaged_exports_are_answered() {
    made::damage(export(&Export::default()).as_bytes(), 7);
    let short = Export { values: vec!["1.5".into(); 120], ..Export::default() };
    made::damage(export(&short).as_bytes(), 1);
    assert!(read_one(b"Name,\nLead,I\nUnit,uV\nSample Rate,512 hertz\nClassification,").is_err());
}
