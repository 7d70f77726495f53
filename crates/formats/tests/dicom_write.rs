//! Recordings written and read again: nothing is lost, and what cannot be written is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod support;

use precordia_formats::dicom::{self, ObjectIds, WriteError};
use precordia_model::{
    DeviceDescription, DeviceMeasurement, DevicePatient, DeviceStatement, DeviceTime, Filters,
    GroupKind, Lead, OtherGroup, PartialDate, Phi, Recording, SampleRate, Sex, Signal, Trace,
    TraceOrigin, ZoneKnowledge,
};
use proptest::prelude::*;

fn ids() -> ObjectIds {
    ObjectIds::new("2.25.1", "2.25.2", "2.25.3")
}

fn trace(lead: Lead, samples_uv: Vec<f32>) -> Trace {
    let filters = Filters { low_hz: Some(0.05), high_hz: Some(150.0), notch_hz: None };
    Trace { lead, samples_uv, origin: TraceOrigin::Recorded, filters }
}

fn signal(leads: &[Lead], hz: f64, seconds: f64) -> Signal {
    let rate = SampleRate::from_hz(hz).unwrap();
    let length = (hz * seconds) as usize;
    let samples = |index: usize| support::beats(length, 500 + 10 * index as i64);
    let traces = leads.iter().enumerate();
    let traces = traces.map(|(index, &lead)| {
        trace(lead, samples(index).iter().map(|&uv| uv as f32 * 2.5).collect())
    });
    Signal { rate, traces: traces.collect() }
}

fn recording(leads: &[Lead]) -> Recording {
    Recording {
        format: dicom::FORMAT,
        format_detail: String::new(),
        source_id: None,
        device: DeviceDescription {
            manufacturer: Some("Precordia".into()),
            model: Some("synth".into()),
            software: Some("1".into()),
            serial: Some(Phi::new("SN-1".into())),
        },
        patient: DevicePatient {
            id: Some(Phi::new("P-1".into())),
            id_issuer: Some("HOSPITAL".into()),
            family: Some(Phi::new("Nöther".into())),
            given: vec![Phi::new("Emmy".into())],
            name_as_written: Some(Phi::new("Nöther^Emmy".into())),
            birth_date: PartialDate::parse("1882-03-23").map(Phi::new),
            sex: Some(Sex::Female),
            age_years: None,
        },
        acquired_at: Some(DeviceTime {
            as_written: "20240517083015.250".into(),
            local: Some("2024-05-17T08:30:15.250".into()),
            zone: ZoneKnowledge::Offset { minutes: 120 },
        }),
        accession: Some(Phi::new("ACC-1".into())),
        rhythm: signal(leads, 500.0, 10.0),
        other_groups: vec![],
        device_measurements: vec![
            measurement("pr_ms", Some("SCPECG:5.13.5-7"), "PR Interval", 161.0, "ms", None),
            measurement("qrs_axis_deg", None, "QRS Axis", -30.0, "deg", None),
        ],
        device_statements: vec![
            DeviceStatement { text: Phi::new("Sinus rhythm".into()), code: None },
            DeviceStatement {
                text: Phi::new("Atrial fibrillation".into()),
                code: Some("MDC:10:9216".into()),
            },
        ],
        unmapped: vec![],
        problems: vec![],
    }
}

fn measurement(
    name: &str,
    code: Option<&str>,
    label: &str,
    value: f64,
    unit: &str,
    lead: Option<Lead>,
) -> DeviceMeasurement {
    DeviceMeasurement {
        name: (!name.is_empty()).then(|| name.to_owned()),
        code: code.map(str::to_owned),
        label: label.to_owned(),
        value,
        unit: unit.to_owned(),
        lead,
    }
}

/// Comparable text of a recording: recorded traces only, gaps equal, everything identifying shown.
fn shown(recording: &Recording) -> String {
    let signal = |signal: &Signal| {
        let recorded = signal.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded);
        format!("{} {:?}", signal.rate.hz(), recorded.collect::<Vec<_>>())
    };
    let patient = &recording.patient;
    let revealed = |phi: &Option<Phi<String>>| phi.as_ref().map(|phi| phi.reveal().clone());
    let statements: Vec<_> = recording
        .device_statements
        .iter()
        .map(|one| (one.text.reveal().clone(), one.code.clone()))
        .collect();
    let others: Vec<_> = recording
        .other_groups
        .iter()
        .map(|group| (group.kind, group.label.clone(), signal(&group.signal)))
        .collect();
    format!(
        "{:#?}",
        (
            (signal(&recording.rhythm), others, &recording.device_measurements, statements),
            (
                &recording.acquired_at,
                revealed(&recording.accession),
                revealed(&recording.device.serial)
            ),
            (&recording.device.manufacturer, &recording.device.model, &recording.device.software),
            (
                revealed(&patient.id),
                &patient.id_issuer,
                revealed(&patient.family),
                revealed(&patient.name_as_written)
            ),
            patient.given.iter().map(|given| given.reveal().clone()).collect::<Vec<_>>(),
            (
                patient.birth_date.as_ref().map(|date| date.reveal().to_string()),
                patient.sex,
                patient.age_years
            ),
        )
    )
}

#[test]
fn the_object_class_follows_from_what_is_recorded() {
    let eight = [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];
    let class = |recording: &Recording| {
        let bytes = dicom::write(recording, &ids()).unwrap();
        dicom::read(&bytes).unwrap().format_detail.replace(", explicit VR little endian", "")
    };
    assert_eq!(class(&recording(&Lead::TWELVE)), "12-lead ECG Waveform Storage");
    assert_eq!(class(&recording(&eight)), "12-lead ECG Waveform Storage");
    assert_eq!(class(&recording(&eight[1..])), "General ECG Waveform Storage");
    let fifteen: Vec<Lead> =
        Lead::TWELVE.into_iter().chain([Lead::V3R, Lead::V4R, Lead::V7]).collect();
    assert_eq!(class(&recording(&fifteen)), "General ECG Waveform Storage");
    let long = Recording { rhythm: signal(&Lead::TWELVE, 500.0, 60.0), ..recording(&[]) };
    assert_eq!(class(&long), "General ECG Waveform Storage");
    let slow = Recording { rhythm: signal(&[Lead::V5], 128.0, 60.0), ..recording(&[]) };
    assert_eq!(class(&slow), "Ambulatory ECG Waveform Storage");
}

#[test]
fn what_dicom_cannot_say_is_refused() {
    let good = || recording(&[Lead::II]);
    let write = |recording: Recording| dicom::write(&recording, &ids()).map(|_| ());
    assert_eq!(write(good()), Ok(()));

    let uid = ObjectIds::new("1.02.3", "2.25.2", "2.25.3");
    let refused = dicom::write(&good(), &uid).map(|_| ());
    assert_eq!(refused, Err(WriteError::UidInvalid { attribute: "SOPInstanceUID" }));

    let untimed = Recording { acquired_at: None, ..good() };
    assert_eq!(write(untimed), Err(WriteError::AcquisitionTimeUnknown));
    let mut year = good();
    year.acquired_at.as_mut().unwrap().local = Some("2024".into());
    assert_eq!(write(year), Err(WriteError::AcquisitionTimeUnknown));

    let silent = Recording { rhythm: signal(&[], 500.0, 10.0), ..good() };
    assert_eq!(write(silent), Err(WriteError::SignalUnwritable));
    let mut uneven = recording(&[Lead::I, Lead::II]);
    uneven.rhythm.traces[1].samples_uv.pop();
    assert_eq!(write(uneven), Err(WriteError::SignalUnwritable));
    let mut huge = good();
    huge.rhythm.traces[0].samples_uv[7] = 1e6;
    assert_eq!(write(huge), Err(WriteError::AmplitudeOutOfRange { lead: Lead::II }));

    let slow = Recording { rhythm: signal(&[Lead::II], 20.0, 10.0), ..good() };
    assert!(matches!(
        write(slow),
        Err(WriteError::OutsideObjectRules { groups: 1, channels: 1, .. })
    ));

    let mut long = good();
    long.device.model = Some("x".repeat(65));
    assert!(matches!(write(long), Err(WriteError::TextTooLong { characters: 65, limit: 64, .. })));
    let mut split = good();
    split.device.model = Some("a\\b".into());
    assert!(matches!(write(split), Err(WriteError::TextUnwritable { .. })));
    let mut nan = good();
    nan.device_measurements[0].value = f64::NAN;
    assert!(matches!(write(nan), Err(WriteError::NumberUnwritable { .. })));
}

#[test]
fn a_long_coded_statement_keeps_both_its_words_and_its_code() {
    let mut ecg = recording(&[Lead::II]);
    let text = "Left axis deviation, probably due to left anterior fascicular block, cannot exclude infarction";
    ecg.device_statements =
        vec![DeviceStatement { text: Phi::new(text.into()), code: Some("99V:LAD".into()) }];
    let read = dicom::read(&dicom::write(&ecg, &ids()).unwrap()).unwrap();
    assert_eq!(read.device_statements[0].text.reveal(), text);
    assert_eq!(read.device_statements[1].code.as_deref(), Some("99V:LAD"));
    assert!(text.starts_with(read.device_statements[1].text.reveal()));
}

#[test]
fn written_objects_have_no_problems_of_their_own() {
    let read =
        dicom::read(&dicom::write(&recording(&[Lead::II, Lead::V1]), &ids()).unwrap()).unwrap();
    assert_eq!(read.problems, []);
    assert_eq!(read.source_id.as_ref().unwrap().reveal(), "2.25.1");
}

/// The standard's own checker (dicom3tools), where it is installed.
#[test]
fn written_objects_satisfy_dciodvfy() {
    let median = OtherGroup {
        kind: GroupKind::MedianBeat,
        label: "MEDIAN BEAT".into(),
        signal: signal(&Lead::TWELVE, 1000.0, 1.2),
    };
    let mut gaps = recording(&Lead::TWELVE);
    gaps.rhythm.traces[4].samples_uv[100..200].fill(f32::NAN);
    let cases = [
        ("twelve", recording(&Lead::TWELVE)),
        ("general", recording(&[Lead::I, Lead::V4R])),
        ("median", Recording { other_groups: vec![median], ..recording(&Lead::TWELVE) }),
        ("gaps", gaps),
        ("ambulatory", Recording { rhythm: signal(&[Lead::CM5], 128.0, 60.0), ..recording(&[]) }),
    ];
    let dir = std::env::temp_dir().join(format!("precordia-formats-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    for (name, ecg) in &cases {
        let path = dir.join(format!("{name}.dcm"));
        std::fs::write(&path, dicom::write(ecg, &ids()).unwrap()).unwrap();
        let Ok(checked) = std::process::Command::new("dciodvfy").arg("-new").arg(&path).output()
        else {
            eprintln!("skipped: dciodvfy not found ({} cases)", cases.len());
            return;
        };
        let said = String::from_utf8_lossy(&checked.stderr).into_owned()
            + &String::from_utf8_lossy(&checked.stdout);
        assert!(!said.contains("Error") && !said.contains("Warning"), "{name}: {said}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

fn word() -> impl Strategy<Value = String> {
    "[A-Za-zÄÖÜßéèłŁŚя王小东]{1,12}( [a-z0-9]{1,8})?"
}

/// Samples that lie on one of the steps that devices use, with gaps.
fn samples(length: usize) -> impl Strategy<Value = Vec<f32>> {
    let steps = prop::sample::select(vec![1.0, 1.25, 2.5, 4.88, 5.0, 0.1, 0.25, 0.0125]);
    let value = prop_oneof![20 => (-3000_i16..=3000).prop_map(Some), 1 => Just(None)];
    (steps, prop::collection::vec(value, length)).prop_map(
        |(step, values): (f64, Vec<Option<i16>>)| {
            values
                .into_iter()
                .map(|value| value.map_or(f32::NAN, |value| (f64::from(value) * step) as f32))
                .collect()
        },
    )
}

fn any_signal(most: usize) -> impl Strategy<Value = Signal> {
    let rate = prop::sample::select(vec![200.0, 240.0, 250.0, 333.333, 500.0, 600.0, 1000.0]);
    let leads = prop::sample::subsequence(Lead::ALL.to_vec(), 1..=most).prop_shuffle();
    (rate, leads, 0.25..0.6).prop_flat_map(|(hz, leads, seconds)| {
        let length = (hz * seconds) as usize;
        prop::collection::vec(samples(length), leads.len()).prop_map(move |columns| Signal {
            rate: SampleRate::from_hz(hz).unwrap(),
            traces: leads
                .iter()
                .zip(columns)
                .map(|(&lead, samples)| trace(lead, samples))
                .collect(),
        })
    })
}

fn any_time() -> impl Strategy<Value = DeviceTime> {
    let zone = prop_oneof![Just(None), (-720_i16..=840).prop_map(Some)];
    (1990_i32..2040, 1..=12, 1..=28, 0..24, 0..60, 0..60, zone, any::<bool>()).prop_map(
        |(year, month, day, hour, minute, second, zone, suffixed)| {
            let mut as_written =
                format!("{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
            if let (Some(minutes), true) = (zone, suffixed) {
                let sign = if minutes < 0 { '-' } else { '+' };
                as_written += &format!("{sign}{:02}{:02}", minutes.abs() / 60, minutes.abs() % 60);
            }
            DeviceTime {
                as_written,
                local: Some(format!(
                    "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"
                )),
                zone: zone
                    .map_or(ZoneKnowledge::Unknown, |minutes| ZoneKnowledge::Offset { minutes }),
            }
        },
    )
}

fn any_patient() -> impl Strategy<Value = DevicePatient> {
    let sex =
        prop::sample::select(vec![None, Some(Sex::Male), Some(Sex::Female), Some(Sex::Other)]);
    let birth = prop_oneof![Just(None), "19[0-8][0-9]-0[1-9]-[12][0-9]".prop_map(Some)];
    (
        word(),
        prop::collection::vec(word(), 0..=2),
        word(),
        prop::option::of(word()),
        sex,
        birth,
        0_u16..120,
    )
        .prop_map(|(family, given, id, id_issuer, sex, birth, age)| {
            let name =
                std::iter::once(&family).chain(&given).cloned().collect::<Vec<String>>().join("^");
            let birth_date = birth.and_then(|day| PartialDate::parse(&day)).map(Phi::new);
            DevicePatient {
                age_years: birth_date.is_none().then_some(age),
                id: Some(Phi::new(id)),
                id_issuer,
                family: Some(Phi::new(family)),
                given: given.into_iter().map(Phi::new).collect(),
                name_as_written: Some(Phi::new(name)),
                birth_date,
                sex,
            }
        })
}

prop_compose! {
    fn any_recording()(
        rhythm in any_signal(6),
        median in prop::option::of(any_signal(3)),
        patient in any_patient(),
        time in any_time(),
        manufacturer in prop::option::of(word()),
        serial in prop::option::of(word()),
        accession in prop::option::of("[A-Z0-9]{1,16}"),
        pr_ms in 80_u16..400,
        axis_deg in -180_i16..=180,
        amplitude in -5000.0_f64..5000.0,
        sentence in word(),
    ) -> Recording {
        // A median beat is told by its label, and the rhythm by having at least as many leads.
        let other_groups = median.into_iter().map(|signal| OtherGroup {
            kind: GroupKind::MedianBeat,
            label: "MEDIAN BEAT".into(),
            signal,
        }).collect();
        let lead = rhythm.traces[0].lead;
        Recording {
            device: DeviceDescription { manufacturer, serial: serial.map(Phi::new), model: None, software: None },
            patient,
            acquired_at: Some(time),
            accession: accession.map(Phi::new),
            rhythm,
            other_groups,
            device_measurements: vec![
                measurement("pr_ms", Some("MDC:2:15872"), "PR interval global", f64::from(pr_ms), "ms", None),
                measurement("t_axis_deg", Some("LN:8638-9"), "T axis", f64::from(axis_deg), "deg", None),
                measurement("", Some("99V:77"), "R", (amplitude * 8.0).round() / 8.0, "uV", Some(lead)),
                measurement("", None, "Vendor index", 3.5, "1", None),
            ],
            device_statements: vec![
                DeviceStatement { text: Phi::new(sentence.clone()), code: None },
                DeviceStatement { text: Phi::new(sentence), code: Some("99V:S1".into()) },
            ],
            ..self::recording(&[])
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back_as_it_was(recording in any_recording()) {
        let bytes = dicom::write(&recording, &ids()).unwrap();
        let read = dicom::read(&bytes).unwrap();
        prop_assert_eq!(shown(&read), shown(&recording));
        prop_assert!(read.problems.iter().all(|problem| problem.code != "padding_undeclared"));
        // Derived leads are not written and come back the same.
        let again = dicom::read(&dicom::write(&read, &ids()).unwrap()).unwrap();
        prop_assert_eq!(format!("{:?}", again.rhythm), format!("{:?}", read.rhythm));
        prop_assert_eq!(dicom::write(&read, &ids()), Ok(bytes));
    }

    #[test]
    fn samples_between_the_steps_are_rounded_by_half_a_step_at_most(
        values in prop::collection::vec(-30_000.0_f32..30_000.0, 100..300),
        shrink in prop::sample::select(vec![1.0_f32, 0.1, 0.01]),
    ) {
        let samples_uv: Vec<f32> = values.iter().map(|value| value * shrink).collect();
        let mut ecg = recording(&[Lead::II]);
        ecg.rhythm.traces[0].samples_uv = samples_uv.clone();
        let read = dicom::read(&dicom::write(&ecg, &ids()).unwrap()).unwrap();
        let step = f64::from(shrink);
        for (&read, &written) in support::samples(&read, Lead::II).iter().zip(&samples_uv) {
            prop_assert!(f64::from(read - written).abs() <= 0.5 * step + 0.002, "{} for {}", read, written);
        }
    }
}

#[test]
fn what_other_formats_call_at_length_does_not_keep_a_recording_from_being_written() {
    let mut long = recording(&[Lead::I, Lead::II]);
    long.other_groups.push(precordia_model::OtherGroup {
        kind: precordia_model::GroupKind::MedianBeat,
        label: "representative beat of type 0".into(),
        signal: signal(&[Lead::I], 500.0, 1.0),
    });
    let path = "PhilipsMedicalSystems:qonset";
    long.device_statements = vec![DeviceStatement {
        text: Phi::new("Sinus rhythm".into()),
        code: Some("PhilipsMedicalSystems:SR".into()),
    }];
    long.device_measurements = vec![measurement("qt_ms", Some(path), "QT", 380.0, "ms", None)];
    let bytes = dicom::write(&long, &ids()).unwrap();
    let again = dicom::read(&bytes).unwrap();
    assert_eq!(again.other_groups[0].label, "MEDIAN BEAT");
    let said = &again.device_measurements[0];
    assert_eq!((said.name.as_deref(), said.value), (Some("qt_ms"), 380.0));
    assert_eq!(again.device_statements[0].text.reveal(), "Sinus rhythm");
}
