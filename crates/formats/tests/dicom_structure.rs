//! The file around the samples: encodings, groups, leads, objects, damage and bounds.

mod support;

use precordia_formats::{MAX_INPUT_BYTES, Part, dicom};
use precordia_model::{GroupKind, Lead, RefusalReason, TraceOrigin};
use support::*;

fn lead_names(recording: &precordia_model::Recording) -> Vec<&'static str> {
    recording.rhythm.leads().map(Lead::name).collect()
}

#[test]
fn every_encoding_of_an_object_gives_the_same_recording() {
    let plain = one_lead().read();
    for form in [IMPLICIT, BIG, DEFLATED] {
        for undefined_lengths in [false, true] {
            let form = Form { undefined_lengths, ..form };
            let mut read = one_lead().form(form).read();
            assert!(
                read.format_detail.starts_with("General ECG Waveform Storage, "),
                "{}",
                read.format_detail
            );
            read.format_detail.clone_from(&plain.format_detail);
            assert_eq!(read, plain, "{form:?}");
        }
    }
}

#[test]
fn what_stands_before_the_data_set_may_be_missing() {
    let no_preamble = Form { preamble: false, ..EXPLICIT };
    let bare = Form { meta: false, ..no_preamble };
    for form in [no_preamble, bare, Form { explicit: false, ..bare }, Form { big: true, ..bare }] {
        let recording = one_lead().form(form).read();
        assert_eq!(codes(&recording), ["no_preamble"], "{form:?}");
        assert_eq!(recording.rhythm.len(), 1500);
    }
}

#[test]
fn a_transfer_syntax_that_lies_or_is_unknown_is_refused() {
    let body = encode(&vec![text(0x0008_0005, "CS", "ISO_IR 100")], IMPLICIT);
    let lie = dicom::read(&file(&body, EXPLICIT, GENERAL)).unwrap_err();
    assert_eq!(
        (lie.code.as_str(), lie.reason),
        ("transfer_syntax_contradicted", RefusalReason::Malformed)
    );

    let mut unknown = one_lead().bytes();
    let at = unknown.windows(19).position(|window| window == b"1.2.840.10008.1.2.1").unwrap();
    unknown[at + 18] = b'9';
    assert_eq!(dicom::read(&unknown).unwrap_err().code, "transfer_syntax_unknown");
}

#[test]
fn sequences_in_unknown_vr_are_implicit_little_endian() {
    let object = one_lead();
    let waveform = encode(&vec![sequence(0x5400_0100, vec![])], IMPLICIT);
    assert_eq!(waveform.len(), 8);
    let mut header = object.header.clone();
    header.push(text(0x0008_0016, "UI", GENERAL));
    header.sort_by_key(|element| element.tag);
    let inner = Object {
        form: Form { meta: false, preamble: false, ..IMPLICIT },
        header: vec![],
        ..object.clone()
    };
    let whole = inner.bytes();
    let at = whole.windows(4).position(|window| window == [0x00, 0x54, 0x00, 0x01]).unwrap();
    let items = whole[at + 8..].to_vec();
    for length in [items.len() as u32, u32::MAX] {
        let mut body = encode(&header, EXPLICIT);
        body.extend([0x00, 0x54, 0x00, 0x01, b'U', b'N', 0, 0]);
        body.extend(length.to_le_bytes());
        body.extend(&items);
        if length == u32::MAX {
            body.extend([0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
        }
        let recording = dicom::read(&file(&body, EXPLICIT, GENERAL)).unwrap();
        assert_eq!(recording.rhythm, object.read().rhythm);
    }
}

#[test]
fn leads_are_known_by_code_and_by_name_in_any_order() {
    let cases = [
        (("2:61", "MDC", "Lead III"), "III"),
        (("131389", "MDC", "MDC_ECG_LEAD_III"), "III"),
        (("MDC_ECG_LEAD_AVR", "MDC", "aVR"), "aVR"),
        (("5.6.3-9-64", "SCPECG", "aVF, augmented voltage, foot"), "aVF"),
        (("V4R", "99VENDOR", "Lead V4R"), "V4R"),
        (("LEAD_V1", "99ACME", "LEAD_V1"), "V1"),
        (("ii", "99X", "lead ii"), "II"),
        (("2:2", "MDC", "Ableitung zwei"), "II"),
        (("2:20", "MDC", "Lead CM5"), "CM5"),
    ];
    for (source, lead) in cases {
        let mut object = one_lead();
        object.groups[0].channels[0].source = Some(source);
        let recording = object.read();
        assert_eq!(lead_names(&recording), [lead], "{source:?}");
        assert!(codes(&recording).is_empty(), "{source:?} {:?}", codes(&recording));
    }
    let mut shuffled = one_lead();
    shuffled.groups[0].channels.insert(0, Channel::new(LEAD_V1, &beats(1500, 300)));
    assert_eq!(lead_names(&shuffled.read()), ["V1", "II"]);
}

#[test]
fn code_and_names_must_not_contradict_each_other() {
    let refusal = |source, label| {
        let mut object = one_lead();
        object.groups[0].channels[0].source = source;
        object.groups[0].channels[0].label = label;
        object.refusal().code
    };
    assert_eq!(refusal(Some(("131331", "MDC", "MDC_ECG_LEAD_III")), None), "lead_conflict");
    assert_eq!(refusal(Some(("2:61", "MDC", "Lead III")), Some("V1")), "lead_conflict");
    assert_eq!(refusal(Some(("ZZ1", "99Q", "Channel 1")), None), "leads_unknown");
    assert_eq!(refusal(Some(("2:62", "MDC", "Lead III")), None), "lead_conflict");
    assert_eq!(refusal(Some(("-aVR", "99Q", "-aVR")), None), "leads_unknown");
    assert_eq!(refusal(None, None), "leads_unknown");

    let mut twice = one_lead();
    twice.groups[0].channels.push(Channel::new(LEAD_II, &beats(1500, 300)));
    assert_eq!(twice.refusal().code, "lead_repeated");
}

#[test]
fn a_name_stands_in_for_a_code_with_a_problem() {
    let mut object = one_lead();
    object.groups[0].channels[0].source = None;
    object.groups[0].channels[0].label = Some("Lead II");
    assert_eq!(codes(&object.read()), ["lead_code_absent"]);
    object.groups[0].channels[0].source = Some(("2:4000", "MDC", "Lead II"));
    object.groups[0].channels[0].label = None;
    let recording = object.read();
    assert_eq!(
        (lead_names(&recording), codes(&recording)),
        (vec!["II"], vec!["lead_code_unknown"])
    );
}

#[test]
fn a_channel_that_is_no_lead_is_left_out_and_said() {
    let mut object = one_lead();
    let mut pressure = Channel::new(("5.7.1-1", "99P", "Aortic pressure"), &beats(1500, 90));
    pressure.unit = Some(("mm[Hg]", "UCUM", "mmHg"));
    object.groups[0].channels.insert(0, pressure);
    let recording = object.read();
    assert_eq!((lead_names(&recording), codes(&recording)), (vec!["II"], vec!["lead_unknown"]));
    assert_eq!(samples(&recording, Lead::II), samples(&one_lead().read(), Lead::II));
}

#[test]
fn absent_limb_leads_are_derived_behind_the_recorded_ones() {
    let mut object = one_lead();
    object.groups[0].channels.push(Channel::new(LEAD_V1, &beats(1500, 200)));
    object.groups[0].channels.push(Channel::new(LEAD_I, &beats(1500, 500)));
    let recording = object.read();
    assert_eq!(lead_names(&recording), ["II", "V1", "I", "III", "aVR", "aVL", "aVF"]);
    assert_eq!(recording.rhythm.traces[2].origin, TraceOrigin::Recorded);
    assert_eq!(
        recording.rhythm.traces[3].origin,
        TraceOrigin::Derived { from: [Lead::I, Lead::II] }
    );
    assert_eq!(samples(&recording, Lead::III)[202], 400.0);
    assert_eq!(samples(&recording, Lead::AVR)[202], -700.0);

    let inverted: Vec<i64> =
        beats(1500, 900).iter().zip(beats(1500, 500)).map(|(ii, i)| i - ii).collect();
    object.groups[0].channels.push(Channel::new(LEAD_III, &inverted));
    assert_eq!(codes(&object.read()), ["limb_leads_inconsistent"]);
}

fn group(
    label: Option<&'static str>,
    originality: &'static str,
    samples: usize,
    amplitude: i64,
) -> Group {
    let mut group = Group::new(vec![Channel::new(LEAD_II, &beats(samples, amplitude))]);
    group.label = label;
    group.originality = originality;
    group
}

#[test]
fn the_rhythm_is_never_the_median_beat() {
    let cases = [
        vec![
            group(Some("RHYTHM"), "ORIGINAL", 1500, 900),
            group(Some("MEDIAN BEAT"), "DERIVED", 600, 500),
        ],
        vec![
            group(Some("MEDIAN BEAT"), "DERIVED", 600, 500),
            group(Some("RHYTHM"), "ORIGINAL", 1500, 900),
        ],
        vec![group(None, "DERIVED", 600, 500), group(None, "ORIGINAL", 1500, 900)],
        vec![group(Some("Median"), "ORIGINAL", 600, 500), group(None, "ORIGINAL", 1500, 900)],
    ];
    for groups in cases {
        let recording = Object::new(groups).read();
        assert_eq!(recording.rhythm.len(), 1500);
        assert_eq!(recording.other_groups.len(), 1);
        assert_eq!(recording.other_groups[0].kind, GroupKind::MedianBeat);
        assert_eq!(recording.other_groups[0].signal.len(), 600);
    }
    let alone = Object::new(vec![group(Some("MEDIAN BEAT"), "DERIVED", 600, 500)]).refusal();
    assert_eq!((alone.code.as_str(), alone.reason), ("rhythm_absent", RefusalReason::NoWaveform));
    let long = Object::new(vec![group(None, "DERIVED", 2500, 900)]).read();
    assert_eq!(codes(&long), ["rhythm_derived"]);
}

#[test]
fn sequential_groups_are_kept_apart_from_the_earliest() {
    let at = |offset: &'static str, source| {
        let mut group = group(Some("RHYTHM"), "ORIGINAL", 1250, 900);
        group.channels[0].source = Some(source);
        group.more = vec![text(0x0018_1068, "DS", offset)];
        group
    };
    let groups = vec![at("2500", LEAD_V1), at("0", LEAD_I), at("5000", LEAD_III)];
    let recording = Object::new(groups).read();
    assert_eq!(lead_names(&recording), ["I"]);
    assert_eq!(codes(&recording), ["rhythm_groups_several"]);
    let kinds: Vec<GroupKind> = recording.other_groups.iter().map(|group| group.kind).collect();
    assert_eq!(kinds, [GroupKind::FurtherRhythm, GroupKind::FurtherRhythm]);
}

#[test]
fn the_group_with_most_leads_is_the_rhythm_whatever_its_rate() {
    // Twice as long, but of one lead only.
    let mut strip = group(Some("RHYTHM2"), "ORIGINAL", 6000, 900);
    strip.rate = Some("1000");
    let mut wide = group(Some("RHYTHM"), "ORIGINAL", 1500, 900);
    wide.channels.push(Channel::new(LEAD_V1, &beats(1500, 300)));
    let recording = Object::new(vec![strip, wide]).read();
    assert_eq!((lead_names(&recording), recording.rhythm.rate.hz()), (vec!["II", "V1"], 500.0));
    assert_eq!(recording.other_groups[0].signal.rate.hz(), 1000.0);
}

#[test]
fn a_broken_group_beside_the_rhythm_does_not_hide_it() {
    let mut median = group(Some("MEDIAN BEAT"), "DERIVED", 600, 500);
    median.channels[0].unit = None;
    let recording =
        Object::new(vec![median.clone(), group(Some("RHYTHM"), "ORIGINAL", 1500, 900)]).read();
    assert_eq!((codes(&recording), recording.other_groups.len()), (vec!["group_not_read"], 0));
    median.rate = None;
    let recording = Object::new(vec![median, group(Some("RHYTHM"), "ORIGINAL", 1500, 900)]).read();
    assert_eq!(codes(&recording), ["group_not_read"]);
    // A group that could be the rhythm is not passed over.
    let mut nameless = group(None, "ORIGINAL", 1500, 900);
    nameless.rate = None;
    let refusal =
        Object::new(vec![nameless, group(Some("RHYTHM"), "ORIGINAL", 1500, 900)]).refusal();
    assert_eq!(refusal.code, "sampling_rate_absent");
}

#[test]
fn objects_are_accepted_by_content_and_others_are_refused() {
    let class = |class: &'static str| Object { class, ..one_lead() };
    assert!(class(TWELVE_LEAD).read().problems.is_empty());
    assert_eq!(codes(&class(HEMODYNAMIC).read()), ["sop_class_unusual"]);
    assert_eq!(codes(&class("1.3.6.1.4.1.99.1").read()), ["sop_class_unusual"]);
    let refused = [
        ("1.2.840.10008.5.1.4.1.1.2", "sop_class_not_ecg", RefusalReason::NotAnEcg),
        ("1.2.840.10008.5.1.4.1.1.9.4.1", "sop_class_not_ecg", RefusalReason::NotAnEcg),
        ("1.2.840.10008.5.1.4.1.1.9.7.1", "sop_class_not_ecg", RefusalReason::NotAnEcg),
        ("1.2.840.10008.1.3.10", "sop_class_not_ecg", RefusalReason::NotAnEcg),
        ("1.2.840.10008.5.1.4.1.1.104.1", "document_encapsulated", RefusalReason::NoWaveform),
    ];
    for (uid, code, reason) in refused {
        let refusal = class(uid).refusal();
        assert_eq!((refusal.code.as_str(), refusal.reason), (code, reason), "{uid}");
    }
    let empty = Object { groups: vec![], ..one_lead() }.refusal();
    assert_eq!((empty.code.as_str(), empty.reason), ("waveform_absent", RefusalReason::NoWaveform));
}

#[test]
fn other_content_is_no_ecg_whatever_it_is_called() {
    let contents: [&[u8]; 8] = [
        b"",
        b"\x08",
        b"%PDF-1.7",
        b"<?xml version=\"1.0\"?>",
        &[0; 4096],
        b"MSH|^~\\&|",
        b"PK\x03\x04",
        b"\x08\x00text",
    ];
    for bytes in contents {
        let refusal = precordia_formats::read(&[Part { name: "ecg.dcm", bytes }]).unwrap_err();
        assert_eq!(
            (refusal.code.as_str(), refusal.reason),
            ("format_unknown", RefusalReason::NotAnEcg)
        );
    }
    assert_eq!(precordia_formats::read(&[]).unwrap_err().reason, RefusalReason::NotAnEcg);
    let bytes = one_lead().bytes();
    assert!(precordia_formats::read(&[Part { name: "letter.txt", bytes: &bytes }]).is_ok());
    let part = Part { name: "", bytes: &bytes };
    assert_eq!(
        precordia_formats::read(&[part, part]).unwrap_err().reason,
        RefusalReason::Unsupported
    );
}

#[test]
fn a_file_that_ends_early_is_refused_at_every_length() {
    for form in [EXPLICIT, IMPLICIT, BIG, DEFLATED] {
        let mut small = one_lead().form(form);
        small.groups[0].channels[0].raw.truncate(120);
        let whole = small.bytes();
        assert!(dicom::read(&whole).is_ok());
        for length in 0..whole.len() {
            let Err(refusal) = dicom::read(&whole[..length]) else {
                panic!("{length} of {} bytes were read as the whole in {form:?}", whole.len());
            };
            let is_cut = refusal.reason == RefusalReason::Truncated;
            assert_eq!(refusal.hint.is_some(), is_cut, "{length} bytes in {form:?}");
            // Between two elements, what is there is an object without a waveform.
            let between = refusal.reason == RefusalReason::NoWaveform;
            assert!(is_cut || between || length <= 300, "{length} bytes in {form:?}: {refusal:?}");
        }
    }
}

#[test]
fn nesting_and_numbers_of_elements_are_bounded() {
    let mut nested = Vec::new();
    for _ in 0..20_000 {
        nested.extend([0x09, 0x00, 0x10, 0x10, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        nested.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    assert_eq!(
        dicom::read(&file(&nested, EXPLICIT, GENERAL)).unwrap_err().code,
        "nesting_too_deep"
    );

    let mut many = vec![0x09, 0x00, 0x10, 0x10, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
    for _ in 0..300_000 {
        many.extend([0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0]);
    }
    assert_eq!(dicom::read(&file(&many, EXPLICIT, GENERAL)).unwrap_err().code, "elements_too_many");
}

#[test]
fn the_list_of_problems_is_bounded() {
    let mut object = one_lead();
    let unknown = Channel::new(("77", "99P", "Probe"), &vec![0; 1500]);
    object.groups[0].channels.extend(std::iter::repeat_n(unknown, 500));
    let bytes = object.bytes();
    let recording = precordia_formats::read(&[Part { name: "many", bytes: &bytes }]).unwrap();
    assert_eq!(recording.problems.len(), 201);
    assert_eq!(recording.problems[200].code, "problems_many");
    assert!(
        recording.problems[200].text.starts_with("300 more"),
        "{}",
        recording.problems[200].text
    );
}

#[test]
fn what_inflates_without_measure_is_refused() {
    use std::io::Write as _;
    let mut deflater = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        deflater.write_all(&[0; 1 << 20]).unwrap();
    }
    let bomb = file(&deflater.finish().unwrap(), DEFLATED, GENERAL);
    let refusal = dicom::read(&bomb).unwrap_err();
    assert_eq!(
        (refusal.code.as_str(), refusal.reason),
        ("inflated_too_large", RefusalReason::TooLarge)
    );
}

#[test]
fn an_input_over_the_bound_is_refused_unread() {
    let bytes = vec![0; MAX_INPUT_BYTES + 1];
    let refusal = precordia_formats::read(&[Part { name: "", bytes: &bytes }]).unwrap_err();
    assert_eq!(
        (refusal.code.as_str(), refusal.reason),
        ("input_too_large", RefusalReason::TooLarge)
    );
}

#[test]
fn an_element_with_two_values_is_refused_and_disorder_is_not() {
    let body = |elements: Vec<Element>| {
        let mut set = elements;
        set.push(text(0x0008_0016, "UI", GENERAL));
        encode(&set, EXPLICIT)
    };
    let twice = body(vec![text(0x0010_0020, "LO", "A"), text(0x0010_0020, "LO", "B")]);
    assert_eq!(dicom::read(&file(&twice, EXPLICIT, GENERAL)).unwrap_err().code, "element_repeated");
    // The class stands behind the patient: read all the same, as far as there is anything to read.
    let disorder = body(vec![text(0x0010_0020, "LO", "A")]);
    assert_eq!(
        dicom::read(&file(&disorder, EXPLICIT, GENERAL)).unwrap_err().code,
        "waveform_absent"
    );
}
