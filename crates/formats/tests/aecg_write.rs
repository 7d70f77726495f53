//! A recording that was written as an annotated ECG is the same when it is read again.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use precordia_formats::aecg::{DocumentId, WriteError, write};
use precordia_model::{
    DeviceMeasurement, DeviceStatement, DeviceTime, GroupKind, Lead, OtherGroup, PartialDate, Phi,
    Recording, Sex, Trace, TraceOrigin, ZoneKnowledge,
};
use proptest::prelude::*;
use xml_support::aecg::rich;
use xml_support::{problems, recording};

const ID: &str = "2b1f9a52-7c0e-4bb1-9d3e-0f6f1c2d3e4f";

fn id() -> DocumentId {
    DocumentId(ID.into())
}

fn again(original: &Recording) -> Recording {
    let bytes = write(original, &id()).unwrap();
    recording(bytes)
}

/// Everything but the identifier, which is the new file's own.
#[track_caller]
fn assert_same(original: &Recording, read: &Recording) {
    assert_eq!(read.source_id.as_ref().unwrap().reveal(), ID);
    assert_eq!(read.rhythm, original.rhythm);
    assert_eq!(read.other_groups, original.other_groups);
    assert_eq!(read.device, original.device);
    assert_eq!(read.patient, original.patient);
    assert_eq!(read.acquired_at, original.acquired_at);
    assert_eq!(read.device_measurements, original.device_measurements);
    assert_eq!(read.device_statements, original.device_statements);
}

fn full() -> Recording {
    let mut full = recording(rich());
    for trace in full.rhythm.traces.iter_mut() {
        trace.filters.low_hz = Some(0.05);
        trace.filters.notch_hz = Some(50.0);
    }
    full.device.manufacturer = Some("Maker & Söhne <GmbH>".into());
    full.device.model = Some("One \"two\"".into());
    full.device.software = Some("1.0".into());
    full.device.serial = Some(Phi::new("S-9".into()));
    let measurement =
        |name: Option<&str>, code: Option<&str>, label: &str, unit: &str, lead| DeviceMeasurement {
            name: name.map(str::to_owned),
            code: code.map(str::to_owned),
            label: label.into(),
            value: -0.125,
            unit: unit.into(),
            lead,
        };
    full.device_measurements = vec![
        measurement(None, Some("MDC:MDC_ECG_TIME_PD_QT"), "QT, beat 1", "ms", None),
        measurement(Some("qrs_axis_deg"), Some("SCPECG:5.10.3-13"), "QRS axis", "deg", None),
        measurement(Some("p_axis_deg"), Some("LN:8626-4"), "P", "deg", None),
        measurement(None, None, "R", "mV", Some(Lead::V2)),
        measurement(None, Some("99X:1"), "of its own", "", None),
    ];
    let statement = |text: &str, code: Option<&str>| DeviceStatement {
        text: Phi::new(text.into()),
        code: code.map(str::to_owned),
    };
    full.device_statements = vec![
        statement("Sinus rhythm, < 60/min & regular", None),
        statement("two\nlines", Some("99X:17")),
        statement("three\nlines", None),
        statement("窦性心动过缓", Some("MDC:MDC_ECG_RHY_SINUS_BRADY")),
    ];
    full
}

#[test]
fn a_full_recording_is_the_same_again() {
    let full = full();
    let read = again(&full);
    assert_same(&full, &read);
    assert_eq!(problems(&read), Vec::<&str>::new());
}

#[test]
fn kinds_of_groups_times_and_people_are_kept() {
    let mut one = full();
    let mut further = one.rhythm.clone();
    further.traces.truncate(1);
    further.traces[0].lead = Lead::V5;
    let beat = one.other_groups[0].signal.clone();
    one.other_groups.push(OtherGroup {
        kind: GroupKind::Other,
        label: "loop".into(),
        signal: beat,
    });
    one.other_groups.insert(
        0,
        OtherGroup { kind: GroupKind::FurtherRhythm, label: "second".into(), signal: further },
    );
    let kinds = |recording: &Recording| -> Vec<(GroupKind, String)> {
        recording.other_groups.iter().map(|group| (group.kind, group.label.clone())).collect()
    };
    let (mut written, mut read) = (kinds(&one), kinds(&again(&one)));
    written.sort_by(|a, b| a.1.cmp(&b.1));
    read.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(read, written);

    let mut one = full();
    one.rhythm.traces[1].filters.low_hz = Some(0.5);
    // Derived leads have the filters of those that they are derived from, where these agree.
    one.rhythm.traces.retain(|trace| trace.origin == TraceOrigin::Recorded);
    let read = again(&one).rhythm;
    for trace in &one.rhythm.traces {
        assert_eq!(read.trace(trace.lead), Some(trace));
    }

    let mut one = full();
    one.patient.id_issuer = Some("City Hospital".into());
    one.patient.sex = Some(Sex::Unknown);
    one.patient.birth_date = None;
    one.patient.age_years = Some(41);
    one.acquired_at = None;
    assert_same(&one, &again(&one));
    for (local, zone) in [
        ("2024-05-17T08:30:15.250", ZoneKnowledge::Offset { minutes: -330 }),
        ("2024-05-17T08:30", ZoneKnowledge::Unknown),
        ("2024-05-17", ZoneKnowledge::Unknown),
    ] {
        one.acquired_at =
            Some(DeviceTime { as_written: "17 May".into(), local: Some(local.into()), zone });
        let read = again(&one).acquired_at.unwrap();
        assert_eq!((read.local.as_deref(), read.zone), (Some(local), zone));
    }
    for date in ["1950", "1950-03", "1950-03-07"] {
        one.patient.birth_date = PartialDate::parse(date).map(Phi::new);
        let read = again(&one).patient;
        assert_eq!(read.birth_date.unwrap().reveal().to_string(), date);
    }
}

#[test]
fn what_the_format_cannot_say_is_not_written() {
    let check = |change: &dyn Fn(&mut Recording), expected: WriteError| {
        let mut one = full();
        change(&mut one);
        assert_eq!(write(&one, &id()), Err(expected));
    };
    check(&|one| one.rhythm.traces[0].samples_uv[3] = f32::NAN, WriteError::Gap { lead: Lead::I });
    check(
        &|one| one.rhythm.traces[0].samples_uv[3] = 1e9,
        WriteError::AmplitudeOutOfRange { lead: Lead::I },
    );
    check(&|one| one.rhythm.traces.clear(), WriteError::SignalUnwritable);
    check(&|one| one.rhythm.traces[0].samples_uv.clear(), WriteError::SignalUnwritable);
    check(&|one| one.device.model = Some("\u{1b}".into()), WriteError::TextUnwritable);
    check(
        &|one| one.acquired_at.as_mut().unwrap().local = None,
        WriteError::AcquisitionTimeUnwritable,
    );
    let larger = |one: &mut Recording| {
        one.other_groups[0].kind = GroupKind::FurtherRhythm;
        one.other_groups[0].signal = one.rhythm.clone();
        for trace in &mut one.rhythm.traces {
            trace.samples_uv.truncate(1000);
        }
    };
    check(&larger, WriteError::RhythmIndistinct);
    for text in ["", "x", "1", "01.2", "1..2", "2b1f9a52-7c0e-4bb1-9d3e-0f6f1c2d3e4g"] {
        assert_eq!(write(&full(), &DocumentId(text.into())), Err(WriteError::IdInvalid), "{text}");
    }
    assert!(write(&full(), &DocumentId("1.2.840.113619".into())).is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn samples_on_a_step_of_devices_are_exact(
        step in prop::sample::select(vec![5.0, 4.88, 2.5, 1.25, 1.0, 0.61]),
        rate in prop::sample::select(vec![125.0, 240.0, 500.0, 599.88, 600.0, 1000.0]),
        digits in prop::collection::vec(-20_000_i32..20_000, 600),
        text in "[^\\p{C}]{0,12}",
    ) {
        let mut one = full();
        one.rhythm.rate = precordia_model::SampleRate::from_hz(rate).unwrap();
        let samples_uv: Vec<f32> =
            digits.iter().map(|&digit| (f64::from(digit) * step) as f32).collect();
        one.rhythm.traces = vec![Trace {
            lead: Lead::V3,
            samples_uv,
            origin: TraceOrigin::Recorded,
            filters: Default::default(),
        }];
        one.other_groups.clear();
        let text = text.trim();
        one.device.model = Some(text.to_owned()).filter(|text| !text.is_empty());
        let read = again(&one);
        prop_assert_eq!(&read.rhythm, &one.rhythm);
        prop_assert_eq!(&read.device, &one.device);
    }
}
