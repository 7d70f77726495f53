//! What surrounds the signal: person, device, time, text, and what the device says.

#![allow(clippy::unwrap_used, clippy::type_complexity)]

mod support;

use precordia_model::{Lead, Recording, Sex, ZoneKnowledge};
use support::*;

#[test]
fn names_are_read_in_the_declared_character_set() {
    let cases: [(Option<&str>, &[u8], &str, &str, &[&str]); 8] = [
        (None, b"Plain^Ascii", "Plain", "Ascii", &[]),
        (Some("ISO_IR 100"), b"M\xFCller^J\xFCrgen", "Müller", "Jürgen", &[]),
        (Some("ISO_IR 192"), "Wałęsa^Łukasz".as_bytes(), "Wałęsa", "Łukasz", &[]),
        (Some("GB18030"), b"=\xCD\xF5^\xD0\xA1\xB6\xAB", "王", "小东", &[]),
        (
            Some("\\ISO 2022 IR 87"),
            b"Yamada^Tarou=\x1B$B;3ED\x1B(B^\x1B$BB@O:\x1B(B",
            "Yamada",
            "Tarou",
            &[],
        ),
        (Some("ISO_IR 192"), b"M\xFCller^J", "M\u{FFFD}ller", "J", &["charset_violated"]),
        (None, "Müller^J".as_bytes(), "Müller", "J", &["charset_undeclared"]),
        (Some("ISO_IR 4711"), b"Plain^Ascii", "Plain", "Ascii", &["charset_unknown"]),
    ];
    for (terms, name, family, given, problems) in cases {
        let mut object = one_lead().with(text(0x0010_0010, "PN", name));
        if let Some(terms) = terms {
            object = object.with(text(0x0008_0005, "CS", terms));
        }
        let recording = object.read();
        assert_eq!(recording.patient.family.as_ref().unwrap().reveal(), family, "{terms:?}");
        assert_eq!(recording.patient.given[0].reveal(), given, "{terms:?}");
        assert_eq!(codes(&recording), problems, "{terms:?}");
    }
}

#[test]
fn the_person_is_kept_as_the_file_names_it() {
    let recording = one_lead()
        .with(text(0x0010_0010, "PN", "Noether^Amalie^Emmy^Dr.^"))
        .with(text(0x0010_0020, "LO", " 0 "))
        .with(text(0x0010_0021, "LO", "HOSPITAL"))
        .with(text(0x0010_0030, "DA", "18820323"))
        .with(text(0x0010_0040, "CS", "F"))
        .with(text(0x0010_1010, "AS", "042Y"))
        .with(text(0x0008_0050, "SH", "ACC-7"))
        .read();
    let patient = &recording.patient;
    assert_eq!(patient.id.as_ref().unwrap().reveal(), "0");
    assert_eq!(patient.id_issuer.as_deref(), Some("HOSPITAL"));
    assert_eq!(patient.name_as_written.as_ref().unwrap().reveal(), "Noether^Amalie^Emmy^Dr.^");
    assert_eq!(
        patient.given.iter().map(|given| given.reveal().as_str()).collect::<Vec<_>>(),
        ["Amalie", "Emmy"]
    );
    assert_eq!(patient.birth_date.as_ref().unwrap().reveal().to_string(), "1882-03-23");
    assert_eq!((patient.sex, patient.age_years), (Some(Sex::Female), None));
    assert_eq!(recording.accession.as_ref().unwrap().reveal(), "ACC-7");
    assert_eq!(recording.source_id.as_ref().unwrap().reveal(), "1.2.3.4");
}

#[test]
fn impossible_demographics_are_problems_and_no_ages() {
    let read = |birth: &'static str, age: &'static str, sex: &'static str| {
        let recording = one_lead()
            .with(text(0x0010_0030, "DA", birth))
            .with(text(0x0010_1010, "AS", age))
            .with(text(0x0010_0040, "CS", sex))
            .read();
        let born = recording.patient.birth_date.as_ref().map(|date| date.reveal().to_string());
        let codes = codes(&recording).join(" ");
        (born, recording.patient.age_years, recording.patient.sex, codes)
    };
    let said = |born: Option<&str>, age, sex, codes: &str| {
        (born.map(str::to_owned), age, sex, codes.to_owned())
    };
    assert_eq!(read("", "042Y", ""), said(None, Some(42), None, ""));
    assert_eq!(read("", "018M", "M"), said(None, Some(1), Some(Sex::Male), ""));
    assert_eq!(
        read("XXXXXXXX", "abc", "M"),
        said(None, None, Some(Sex::Male), "birth_date_invalid")
    );
    assert_eq!(read("00010101", "", "M"), said(None, None, Some(Sex::Male), "birth_date_invalid"));
    assert_eq!(
        read("20250101", "", "M"),
        said(Some("2025-01-01"), None, Some(Sex::Male), "birth_date_after_recording")
    );
    assert_eq!(
        read("19500101", "", "Q"),
        said(Some("1950-01-01"), None, Some(Sex::Unknown), "sex_unknown")
    );
}

fn time(recording: &Recording) -> (String, Option<String>, ZoneKnowledge) {
    let time = recording.acquired_at.clone().unwrap();
    (time.as_written, time.local, time.zone)
}

#[test]
fn times_keep_the_devices_reading_and_what_is_known_of_the_zone() {
    let offset = |minutes| ZoneKnowledge::Offset { minutes };
    let unknown = ZoneKnowledge::Unknown;
    type Case = (
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
        ZoneKnowledge,
        &'static [&'static str],
    );
    let cases: [Case; 10] = [
        ("20240229101112", None, Some("2024-02-29T10:11:12"), unknown, &[]),
        ("20240229101112.5+0530", None, Some("2024-02-29T10:11:12.5"), offset(330), &[]),
        ("20240229101112", Some("-0330"), Some("2024-02-29T10:11:12"), offset(-210), &[]),
        ("20240229101112+0100", Some("+0100"), Some("2024-02-29T10:11:12"), offset(60), &[]),
        (
            "20240229101112+0100",
            Some("-0500"),
            Some("2024-02-29T10:11:12"),
            offset(60),
            &["timezone_conflict"],
        ),
        (
            "20240229101112",
            Some("9999"),
            Some("2024-02-29T10:11:12"),
            unknown,
            &["timezone_invalid"],
        ),
        ("2024", None, Some("2024"), unknown, &["acquisition_time_partial"]),
        ("20240231101112", None, None, unknown, &["acquisition_time_invalid"]),
        ("00000000000000", None, None, unknown, &["acquisition_time_invalid"]),
        (
            "29990101000000",
            None,
            Some("2999-01-01T00:00:00"),
            unknown,
            &["acquisition_time_implausible"],
        ),
    ];
    for (written, zone, local, known, problems) in cases {
        let mut object = one_lead().with(text(0x0008_002A, "DT", written));
        if let Some(zone) = zone {
            object = object.with(text(0x0008_0201, "SH", zone));
        }
        let recording = object.read();
        assert_eq!(
            time(&recording),
            (written.to_owned(), local.map(str::to_owned), known),
            "{written}"
        );
        assert_eq!(codes(&recording), problems, "{written}");
    }
}

#[test]
fn a_split_time_is_joined_and_an_absent_one_stays_absent() {
    let split = one_lead()
        .without(0x0008_002A)
        .with(text(0x0008_0022, "DA", "20230405"))
        .with(text(0x0008_0032, "TM", "0607"))
        .with(text(0x0008_0023, "DA", "20230406"))
        .read();
    let expected =
        ("20230405 0607".to_owned(), Some("2023-04-05T06:07".to_owned()), ZoneKnowledge::Unknown);
    assert_eq!(time(&split), expected);

    let absent = one_lead().without(0x0008_002A).with(text(0x0008_0023, "DA", "20230406")).read();
    assert_eq!(
        (absent.acquired_at.is_none(), codes(&absent)),
        (true, vec!["acquisition_time_absent"])
    );
}

fn number(code_of: (&str, &str, &str), value: &str, unit: Option<&str>) -> Set {
    let mut item = vec![
        code(0x0040_A043, code_of.0, code_of.1, code_of.2),
        Element { tag: 0x0040_A0B0, vr: "US", value: Value::Shorts(vec![1, 0]) },
        text(0x0040_A30A, "DS", value),
    ];
    if let Some(unit) = unit {
        item.insert(0, code(0x0040_08EA, unit, "UCUM", unit));
    }
    item
}

#[test]
fn device_measurements_are_named_by_code_and_in_our_units() {
    let pr = ("5.13.5-7", "SCPECG", "PR Interval");
    let t_axis = ("5.10.3-15", "SCPECG", "QRS Axis");
    let cases = [
        (
            ("2:16770", "MDC", "Heart Rate"),
            "61",
            Some("{H.B.}/min"),
            Some((Some("heart_rate_bpm"), 61.0, "/min")),
        ),
        (
            ("8867-4", "LN", "Heart rate"),
            "61",
            Some("/min"),
            Some((Some("heart_rate_bpm"), 61.0, "/min")),
        ),
        (pr, "161", Some("ms"), Some((Some("pr_ms"), 161.0, "ms"))),
        (("2:16160", "MDC", "QT"), "0.398", Some("s"), Some((Some("qt_ms"), 398.0, "ms"))),
        (
            ("MDC_ECG_TIME_PD_QRS", "MDC", "QRS"),
            "97",
            Some("ms"),
            Some((Some("qrs_ms"), 97.0, "ms")),
        ),
        (t_axis, "86", Some("ms"), Some((Some("t_axis_deg"), 86.0, "deg"))),
        (("2:16128", "MDC", "P Axis"), "0", Some("deg"), Some((Some("p_axis_deg"), 0.0, "deg"))),
        (("77", "99V", "R amplitude"), "1200", Some("uV"), Some((None, 1200.0, "uV"))),
        (pr, "161", None, Some((None, 161.0, ""))),
        (pr, "29999", Some("ms"), None),
        (pr, "0", Some("ms"), None),
        (pr, "", Some("ms"), None),
        (pr, "many", Some("ms"), None),
    ];
    for (concept, value, unit, expected) in cases {
        let recording =
            one_lead().with(sequence(0x0040_B020, vec![number(concept, value, unit)])).read();
        let read = recording.device_measurements.first();
        let read = read.map(|one| (one.name.as_deref(), one.value, one.unit.as_str()));
        assert_eq!(read, expected, "{concept:?} {value} {unit:?}");
        if let Some(one) = recording.device_measurements.first() {
            assert_eq!(one.code.as_deref(), Some(format!("{}:{}", concept.1, concept.0).as_str()));
            assert_eq!(one.label, concept.2);
        }
    }
}

#[test]
fn what_was_measured_in_one_lead_keeps_its_lead_and_has_no_global_name() {
    let mut item = number(("5.13.5-9", "SCPECG", "QRS Duration"), "97", Some("ms"));
    item[2] = Element { tag: 0x0040_A0B0, vr: "US", value: Value::Shorts(vec![1, 1]) };
    let recording = one_lead().with(sequence(0x0040_B020, vec![item])).read();
    let one = &recording.device_measurements[0];
    assert_eq!((one.name.as_deref(), one.lead, one.value), (None, Some(Lead::II), 97.0));
}

#[test]
fn a_stretch_of_the_median_beat_stands_for_the_recording_and_one_of_the_rhythm_does_not() {
    let measured_in = |group: u16| {
        let mut object = one_lead();
        let mut median = Group::new(vec![Channel::new(LEAD_II, &beats(600, 400))]);
        median.label = Some("MEDIAN BEAT");
        object.groups.push(median);
        let mut item = number(("2:15872", "MDC", "PR interval global"), "158", Some("ms"));
        item[2] = Element { tag: 0x0040_A0B0, vr: "US", value: Value::Shorts(vec![group, 0]) };
        item.insert(3, text(0x0040_A130, "CS", "SEGMENT"));
        let recording = object.with(sequence(0x0040_B020, vec![item])).read();
        recording.device_measurements[0].name.clone()
    };
    assert_eq!(measured_in(2).as_deref(), Some("pr_ms"));
    assert_eq!(measured_in(1), None);
}

#[test]
fn statements_are_kept_in_the_devices_words() {
    let free = vec![text(0x0070_0006, "ST", "RITMO SINUSALE")];
    let coded = vec![
        code(0x0040_A043, "8601-7", "LN", "EKG impression"),
        code(0x0040_A168, "10:9216", "MDC", "Atrial fibrillation"),
    ];
    let point = vec![
        code(0x0040_A043, "5.10.3-1", "SCPECG", "P onset"),
        text(0x0040_A130, "CS", "POINT"),
        Element { tag: 0x0040_A132, vr: "UL", value: Value::Long(143) },
    ];
    let recording = one_lead().with(sequence(0x0040_B020, vec![free, coded, point])).read();
    let statements: Vec<(&str, Option<&str>)> = recording
        .device_statements
        .iter()
        .map(|one| (one.text.reveal().as_str(), one.code.as_deref()))
        .collect();
    assert_eq!(
        statements,
        [("RITMO SINUSALE", None), ("Atrial fibrillation", Some("MDC:10:9216"))]
    );
    assert!(recording.device_measurements.is_empty());
}

#[test]
fn the_device_describes_itself() {
    let mut object = one_lead()
        .with(text(0x0008_0070, "LO", "Mortara Instrument, Inc."))
        .with(text(0x0008_1090, "LO", "el250"))
        .with(text(0x0018_1000, "LO", "SN-42"))
        .with(text(0x0018_1020, "LO", "1.2\\3.4"));
    object.groups[0].channels[0].more = vec![
        text(0x003A_0220, "DS", "0.05"),
        text(0x003A_0221, "DS", "150"),
        text(0x003A_0222, "DS", "0"),
    ];
    let recording = object.read();
    let device = &recording.device;
    assert_eq!(device.manufacturer.as_deref(), Some("Mortara Instrument, Inc."));
    assert_eq!(
        (device.model.as_deref(), device.software.as_deref()),
        (Some("el250"), Some("1.2\\3.4"))
    );
    assert_eq!(device.serial.as_ref().unwrap().reveal(), "SN-42");
    let filters = recording.rhythm.traces[0].filters;
    assert_eq!(
        (filters.low_hz, filters.high_hz, filters.notch_hz),
        (Some(0.05), Some(150.0), None)
    );
}

#[test]
fn no_problem_and_no_refusal_repeats_what_identifies_a_person() {
    const MARK: &str = "ZQXJ7";
    let marked = |object: Object| {
        object
            .with(text(0x0010_0010, "PN", "ZQXJ7^Emmy"))
            .with(text(0x0010_0020, "LO", MARK))
            .with(text(0x0010_0030, "DA", MARK))
            .with(text(0x0010_0040, "CS", MARK))
            .with(text(0x0008_002A, "DT", MARK))
            .with(text(0x0008_0050, "SH", MARK))
            .with(text(0x0008_0201, "SH", MARK))
            .with(text(0x0008_0005, "CS", MARK))
            .with(text(0x0018_1000, "LO", MARK))
    };
    let mut labeled = one_lead();
    labeled.groups[0].channels[0].label = Some(MARK);
    labeled.groups[0].channels[0].source = Some((MARK, MARK, "Lead II"));
    labeled.groups[0].channels.push(Channel::new((MARK, MARK, MARK), &beats(1500, 5)));
    let recording = marked(labeled).read();
    assert!(recording.problems.len() >= 6, "{:?}", codes(&recording));
    for problem in &recording.problems {
        assert!(!format!("{problem:?}").contains(MARK), "{problem:?}");
    }
    for change in 0..4 {
        let mut object = one_lead();
        let channel = &mut object.groups[0].channels[0];
        match change {
            0 => channel.unit = Some((MARK, MARK, MARK)),
            1 => channel.sensitivity = Some(MARK),
            2 => channel.source = Some((MARK, MARK, MARK)),
            _ => object.groups[0].rate = Some(MARK),
        }
        let refusal = marked(object).refusal();
        assert!(!format!("{refusal:?}").contains(MARK), "{refusal:?}");
    }
    assert!(!format!("{recording:?}").contains("Emmy"));
}
