//! Philips XML: both versions, encodings, compression, leads, beats, words, and what is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::philips::{
    Document, LABELS, compressed, document, plain, text, twelve, utf16, with_start,
};
use made::{codes, leads, load, recording, refusal, samples, shared};
use precordia_model::{Filters, GroupKind, Lead, Recording, Sex};

fn twelve_leads() -> Vec<Vec<i16>> {
    let mut leads = twelve(1500);
    // I and II begin as the header of a compressed channel asks, and the others follow from them.
    for (index, lead) in leads.iter_mut().enumerate() {
        if !(2..6).contains(&index) {
            *lead = with_start(lead.clone());
        }
    }
    for at in 0..3 {
        let (i, ii) = (leads[0][at], leads[1][at]);
        let iii = ii - i - [0, 0, -5][at];
        leads[2][at] = iii;
        leads[3][at] = -((i + ii) / 2) - [0, 0, -5][at];
        leads[4][at] = (i - iii) / 2 - [0, 0, -5][at];
        leads[5][at] = (ii + iii) / 2 - [0, 0, -5][at];
    }
    leads
}

fn read(document: &Document) -> Recording {
    recording(text(document).as_bytes())
}

fn code_of(change: impl Fn(&mut Document)) -> String {
    let mut made = document(&twelve_leads());
    change(&mut made);
    refusal(text(&made).as_bytes()).code
}

#[test]
fn compressed_leads_come_out_sample_by_sample() {
    let leads_made = twelve_leads();
    let made = document(&leads_made);
    let read = read(&made);
    assert_eq!(read.format, "philips-xml");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 1500));
    assert_eq!(leads(&read.rhythm), LABELS.split(' ').collect::<Vec<_>>());
    for (trace, lead) in read.rhythm.traces.iter().zip(&leads_made) {
        let differs =
            trace.samples_uv.iter().zip(lead).position(|(uv, raw)| *uv != f32::from(*raw) * 5.0);
        assert_eq!(differs, None, "{}", trace.lead);
    }
    assert_eq!(
        read.rhythm.traces[0].filters,
        Filters { low_hz: Some(0.05), high_hz: Some(150.0), notch_hz: Some(60.0) }
    );
    assert!(read.problems.is_empty(), "{:?}", read.problems);
    let beat = &read.other_groups[0];
    assert_eq!((beat.kind, beat.signal.rate.hz()), (GroupKind::MedianBeat, 1000.0));
    assert_eq!(samples(&beat.signal, Lead::II)[50], 1000.0);
}

#[test]
fn encodings_and_storage_without_compression_read_the_same() {
    let leads_made = twelve_leads();
    let made = document(&leads_made);
    let expected = read(&made);
    for bytes in [utf16(&text(&made), false), utf16(&text(&made), true)] {
        assert_eq!(recording(&bytes).rhythm, expected.rhythm);
    }
    let old = Document {
        kind: "SierraECG",
        version: "1.03",
        samples: "dataencoding=\"Base64\" compressflag=\"False\" compressmethod=\"XLI\" \
                  durationperchannel=\"3000\" nbitspersample=\"16\""
            .into(),
        data: plain(&leads_made),
        characteristics: "<samplingrate>500</samplingrate><signalresolution>5</signalresolution>\
                          <signalbandwidth>0.05-150</signalbandwidth>\
                          <signalsigned>True</signalsigned>"
            .into(),
        ..document(&leads_made)
    };
    let sample_values = |read: &Recording| -> Vec<Vec<f32>> {
        read.rhythm.traces.iter().map(|trace| trace.samples_uv.clone()).collect()
    };
    assert_eq!(sample_values(&read(&old)), sample_values(&expected));
    // The order of the measurements goes with the order of the sheet, or it is not known.
    let other = text(&old).replace("leadname=\"I\"", "leadname=\"II\"");
    assert_eq!(refusal(other.as_bytes()).code, "lead_conflict");
    let cabrera = text(&old).replace("\"Standard\"", "\"Cabrera\"");
    assert_eq!(refusal(cabrera.as_bytes()).code, "sample_count_contradicted");
    let flagged = Document { samples: old.samples.clone() + " filterflag=\"True\"", ..old };
    assert_eq!(
        read(&flagged).rhythm.traces[0].filters,
        Filters { low_hz: Some(0.5), high_hz: Some(40.0), notch_hz: Some(50.0) }
    );
}

#[test]
fn person_device_measurements_and_statements_are_read() {
    let read = read(&document(&twelve_leads()));
    assert_eq!(read.patient.id.as_ref().unwrap().reveal(), "9999");
    assert_eq!(read.patient.family.as_ref().unwrap().reveal(), "Noether");
    assert_eq!(read.patient.sex, Some(Sex::Female));
    assert!(read.patient.birth_date.is_some() && read.patient.age_years.is_none());
    assert_eq!(read.accession.as_ref().unwrap().reveal(), "A-17");
    assert_eq!(read.device.manufacturer.as_deref(), Some("Philips Medical Products"));
    assert_eq!(read.device.model.as_deref(), Some("PageWriter Touch"));
    assert_eq!(read.device.software.as_deref(), Some("A.01"));
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.local.as_deref(), Some("2010-01-19T15:19:22"));
    let named = |name: &str| {
        let found = read.device_measurements.iter().find(|one| one.name.as_deref() == Some(name));
        found.map(|one| one.value)
    };
    assert_eq!(named("pr_ms"), Some(144.0));
    assert_eq!(named("qtc_ms"), Some(417.0));
    assert_eq!(named("qrs_axis_deg"), Some(-78.0));
    assert_eq!(named("t_axis_deg"), None);
    let of_leads: Vec<(&str, f64)> = read
        .device_measurements
        .iter()
        .filter(|one| one.lead == Some(Lead::I))
        .map(|one| (one.label.as_str(), one.value))
        .collect();
    assert_eq!(of_leads, [("ramp", 265.0), ("qrsdur", 72.0)]);
    let said: Vec<(Option<&str>, &str)> = read
        .device_statements
        .iter()
        .map(|one| (one.code.as_deref(), one.text.reveal().as_str()))
        .collect();
    assert_eq!(
        said,
        [
            (Some("philips-severity:AB"), "- ABNORMAL ECG -"),
            (Some("philips-statement:SR"), "SINUS RHYTHM; rate > 60"),
        ]
    );
    let kept: Vec<&str> = read.unmapped.iter().map(|field| field.place.as_str()).collect();
    assert!(kept.contains(&"restingecgdata/patient/generalpatientdata/age@defaultage"), "{kept:?}");
}

#[test]
fn an_age_in_place_of_a_name_is_no_name() {
    let made = Document { given: "AgeAtECG=10y 9m 8 d", ..document(&twelve_leads()) };
    let read = read(&made);
    assert!(read.patient.given.is_empty());
    assert_eq!(read.patient.name_as_written.as_ref().unwrap().reveal(), "Noether");
    assert_eq!(codes(&read), ["name_misused"]);
}

#[test]
fn documents_and_versions_that_are_not_known_are_refused_or_doubted() {
    assert_eq!(code_of(|made| made.kind = "MortaraECG"), "document_type_unknown");
    assert_eq!(code_of(|made| made.version = "2.00"), "version_unsupported");
    assert_eq!(code_of(|made| made.version = ""), "version_unsupported");
    let later = Document { version: "1.05", ..document(&twelve_leads()) };
    assert_eq!(codes(&read(&later)), ["version_unknown"]);
    let fourth = Document { version: "1.04.02", ..document(&twelve_leads()) };
    assert!(codes(&read(&fourth)).is_empty());
}

#[test]
fn what_would_have_to_be_assumed_is_refused() {
    let replaced = |from: &str, to: &str| {
        code_of(|made| {
            assert!(made.samples.contains(from));
            made.samples = made.samples.replace(from, to);
        })
    };
    assert_eq!(replaced("samplespersecond=\"500\"", "samplespersecond=\"250\""), "header_conflict");
    assert_eq!(replaced("resolution=\"5\"", "resolution=\"2.5\""), "header_conflict");
    assert_eq!(replaced("resolution=\"5\"", "resolution=\"5 uV\""), "number_invalid");
    assert_eq!(replaced("signaloffset=\"0\"", "signaloffset=\"2048\""), "offset_unknown");
    assert_eq!(replaced("signalsigned=\"True\"", "signalsigned=\"False\""), "sample_kind");
    assert_eq!(replaced("bitspersample=\"16\"", "bitspersample=\"12\""), "sample_kind");
    assert_eq!(replaced("\"XLI\"", "\"ZIP\""), "compression_unknown");
    assert_eq!(replaced("\"Base64\"", "\"Plain\""), "encoding_unknown");
    assert_eq!(replaced("I II III", "II I III"), "lead_order_unsupported");
    assert_eq!(replaced("V5 V6", "V5 V6 V7"), "channels_missing");
    assert_eq!(replaced("V5 V6", "V5 Q6"), "leads_unknown");
    assert_eq!(replaced("V5 V6", "V5 V5"), "lead_repeated");
    assert_eq!(
        replaced("durationperchannel=\"3000\"", "durationperchannel=\"4000\""),
        "sample_count_contradicted"
    );
    let no_rate = code_of(|made| {
        made.samples = made.samples.replace("samplespersecond=\"500\"", "");
        made.characteristics = "<resolution>5</resolution>".into();
    });
    assert_eq!(no_rate, "sampling_rate_absent");
    let no_scale = code_of(|made| {
        made.samples = made.samples.replace(" resolution=\"5\"", "");
        made.characteristics = "<samplingrate>500</samplingrate>".into();
    });
    assert_eq!(no_scale, "scale_absent");
    assert_eq!(code_of(|made| made.data = "!!!".into()), "samples_damaged");
    assert_eq!(code_of(|made| made.data = String::new()), "rhythm_absent");
    assert_eq!(code_of(|made| made.data.truncate(198)), "samples_truncated");
}

#[test]
fn beats_without_a_resolution_of_their_own_are_not_read() {
    let mut made = document(&twelve_leads());
    made.beats = made.beats.replace(" resolution=\"2.5\"", "");
    let read_without = read(&made);
    assert!(read_without.other_groups.is_empty());
    assert_eq!(codes(&read_without), ["group_not_read"]);
}

#[test]
fn a_calibration_pulse_is_named_and_is_no_fault_of_the_leads() {
    let mut leads_made = twelve_leads();
    for lead in &mut leads_made {
        lead[1300..1400].fill(200);
    }
    let read = read(&document(&leads_made));
    assert_eq!(codes(&read), ["calibration_pulse"]);
    assert_eq!(samples(&read.rhythm, Lead::III)[1350], 1000.0);
}

#[test]
fn damaged_documents_are_answered() {
    let mut short: Vec<Vec<i16>> = twelve_leads();
    short.iter_mut().for_each(|lead| lead.truncate(130));
    let made = document(&short);
    made::damage_of(text(&made).as_bytes(), 5, 2000);
    let packed = compressed(&short);
    assert!(packed.len() < 4000, "{}", packed.len());
}

#[test]
fn real_files_are_read_and_their_twins_are_equal() {
    let Some(corpus) = shared() else { return };
    let folder = corpus.join("ecg/philips");
    let one = |file: &str| recording(&load(&folder.join(file)));
    // First counts of I, II, III, aVR, aVL, aVF. An independent reader gives all samples alike, but
    // for halves below zero, which it cuts downward: one count in the three augmented leads.
    let cases = [
        ("cvrgconv__Philips103Example01.xml", [3, -19, -22, 8, 12, -20], 0),
        ("cvrgconv__ecg_97082525_1.xml", [-41, 239, 280, -99, -160, 259], 0),
        ("sierra__129DYPRG.XML", [48, 117, 69, -83, -10, 93], 0),
        ("sierra__repbeats_example.xml", [48, 117, 69, -83, -10, 93], 1),
        ("sierra__3191723_ZZDEMOPTONLY_1-04_orig.xml", [33, 38, 5, -35, 14, 22], 1),
    ];
    for (file, first, groups) in cases {
        let read = one(file);
        assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (500.0, 5500), "{file}");
        let counts: Vec<f32> =
            read.rhythm.traces[..6].iter().map(|trace| trace.samples_uv[0] / 5.0).collect();
        assert_eq!(counts, first.map(|count| count as f32), "{file}");
        assert_eq!(read.other_groups.len(), groups, "{file}");
        assert!(codes(&read).contains(&"calibration_pulse"), "{file}");
        assert!(!codes(&read).iter().any(|code| code.starts_with("limb")), "{file}");
    }
    let twins = [
        one("sierra__3191723_ZZDEMOPTONLY_1-04_orig.xml"),
        one("sierrajs__3191723_ZZDEMOPTONLY_1-04_orig.xml"),
    ];
    assert_eq!(twins[0].rhythm, twins[1].rhythm);
    assert_eq!(twins[0].device_measurements, twins[1].device_measurements);
    // Goldberger's leads to half a count, which only halves cut toward zero give.
    let lead = |lead| samples(&twins[0].rhythm, lead);
    for at in 0..5350 {
        let avf = (lead(Lead::II)[at] + lead(Lead::III)[at]) / 2.0;
        assert!((lead(Lead::AVF)[at] - avf).abs() <= 2.5, "aVF at {at}");
        let avl = (lead(Lead::I)[at] - lead(Lead::III)[at]) / 2.0;
        assert!((lead(Lead::AVL)[at] - avl).abs() <= 2.5, "aVL at {at}");
    }
    let beat = &one("sierra__repbeats_example.xml").other_groups[0];
    assert_eq!((beat.signal.rate.hz(), beat.signal.len()), (1000.0, 1200));
    assert_eq!(samples(&beat.signal, Lead::V3).iter().copied().reduce(f32::max), Some(2034.0));
    let refused = refusal(&load(&folder.join("sierra__invalid-doc-type.xml")));
    assert_eq!(refused.code, "document_type_unknown");
    let later = one("sierra__invalid-doc-version.xml");
    assert!(codes(&later).contains(&"version_unknown"));
    assert_eq!(later.rhythm, one("sierra__129DYPRG.XML").rhythm);
    made::damage_of(&load(&folder.join("sierra__129DYPRG.XML")), 4001, 2000);
}
