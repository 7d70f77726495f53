//! AliveCor ATC: blocks, scale, leads, what is kept and what is refused.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use made::atc::{block, block_signed, file, format, information, samples as raw, whole};
use made::{beats, codes, leads, load, recording, refusal, samples, shared, unmapped};
use precordia_model::{Filters, GroupKind, Lead, ZoneKnowledge};

fn one_lead(flags: u8) -> Vec<u8> {
    file(3, &[block(b"fmt ", &format(300, 500, flags)), block(b"ecg ", &raw(&beats(900, 800)))])
}

#[test]
fn a_file_is_read_with_its_leads_time_device_and_average_beat() {
    let read = recording(&whole(900));
    assert_eq!(read.format, "alivecor-atc");
    assert_eq!((read.rhythm.rate.hz(), read.rhythm.len()), (300.0, 900));
    assert_eq!(leads(&read.rhythm), ["I", "II", "III", "aVR", "aVL", "aVF"]);
    assert_eq!(samples(&read.rhythm, Lead::I)[50], 450.0);
    assert_eq!(samples(&read.rhythm, Lead::II)[51], 375.0);
    let average = &read.other_groups[0];
    assert_eq!((average.kind, average.signal.len()), (GroupKind::MedianBeat, 90));
    let time = read.acquired_at.as_ref().unwrap();
    assert_eq!(time.as_written, "2024-02-29T10:11:12.250-7:00");
    assert_eq!(time.zone, ZoneKnowledge::Offset { minutes: -420 });
    assert_eq!(read.device.model.as_deref(), Some("kardia_mobile"));
    assert_eq!(read.device.serial.as_ref().unwrap().reveal(), "AC6L100010");
    assert_eq!(unmapped(&read, "info/device data"), ["BAT=55"]);
    assert_eq!(
        unmapped(&read, "ann/tick and type of beats from 1"),
        ["50 normal, 150 unknown, 250 ventricular"]
    );
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn flags_are_filters_where_they_say_a_frequency() {
    let filters = |flags| recording(&one_lead(flags)).rhythm.traces[0].filters;
    assert_eq!(filters(0), Filters::default());
    assert_eq!(filters(2), Filters::default());
    let both = Filters { low_hz: Some(0.1), high_hz: None, notch_hz: Some(60.0) };
    assert_eq!(filters(2 | 4 | 16), both);
    assert_eq!(filters(32 | 8 | 64), Filters { notch_hz: Some(50.0), ..Filters::default() });
    assert_eq!(unmapped(&recording(&one_lead(0x6A)), "fmt/flags"), ["0x6a"]);
    assert_eq!(refusal(&one_lead(1)).code, "polarity_unknown");
}

#[test]
fn both_kinds_of_checksum_prove_a_block_and_a_wrong_one_refuses_samples() {
    let values = raw(&beats(900, -800));
    let signed =
        file(4, &[block_signed(b"fmt ", &format(300, 500, 0)), block_signed(b"ecg ", &values)]);
    assert_eq!(codes(&recording(&signed)), ["checksum_signed", "info_absent"]);
    let mut broken = one_lead(0);
    broken[200] ^= 1;
    assert_eq!(refusal(&broken).code, "checksum_wrong");
    // Of a part that is not needed, the rest is read without it.
    let mut bytes = whole(900);
    let last = bytes.len() - 5;
    bytes[last] ^= 1;
    let read = recording(&bytes);
    assert_eq!(codes(&read), ["checksum_wrong"]);
    assert!(read.unmapped.iter().all(|field| !field.place.starts_with("ann")));
}

#[test]
fn what_would_have_to_be_assumed_is_refused() {
    let ecg = || block(b"ecg ", &raw(&beats(900, 800)));
    let form = |data: Vec<u8>| file(3, &[block(b"fmt ", &data), ecg()]);
    let cases = [
        (file(3, &[ecg()]), "format_absent"),
        (form(format(300, 0, 0)), "scale_absent"),
        (form(format(0, 500, 0)), "sampling_rate_invalid"),
        (form(vec![2, 44, 1, 244, 1, 0, 0, 0]), "sample_kind"),
        (form(vec![1, 44, 1]), "format_short"),
        (file(3, &[block(b"fmt ", &format(300, 500, 0))]), "rhythm_absent"),
        (
            file(
                3,
                &[
                    block(b"fmt ", &format(300, 500, 0)),
                    block(b"fmt ", &format(600, 500, 0)),
                    ecg(),
                ],
            ),
            "format_conflict",
        ),
        (file(3, &[block(b"fmt ", &format(300, 500, 0)), ecg(), ecg()]), "lead_repeated"),
        (
            file(
                3,
                &[
                    block(b"fmt ", &format(300, 500, 0)),
                    ecg(),
                    block(b"ecg2", &raw(&beats(899, 800))),
                ],
            ),
            "lengths_differ",
        ),
        (
            file(3, &[block(b"fmt ", &format(300, 500, 0)), block(b"ecg ", &[1; 1801])]),
            "samples_incomplete",
        ),
        (one_lead(0)[..500].to_vec(), "file_truncated"),
        (b"ALIVE\0\0\0".to_vec(), "file_truncated"),
    ];
    for (bytes, code) in cases {
        assert_eq!(refusal(&bytes).code, code);
    }
}

#[test]
fn twelve_leads_and_unknown_blocks_are_read_for_what_they_are() {
    let mut blocks = vec![block(b"fmt ", &format(300, 500, 0))];
    for suffix in *b" 23456789abc" {
        blocks.push(block(&[b'e', b'c', b'g', suffix], &raw(&beats(900, 700))));
    }
    blocks.push(block(b"acc ", &[0; 24]));
    blocks.push(block(b"info", &information("", "")));
    let read = recording(&file(9, &blocks));
    let expected: Vec<&str> = Lead::TWELVE.iter().map(|lead| lead.name()).collect();
    assert_eq!(leads(&read.rhythm), expected);
    assert!(codes(&read).contains(&"version_unknown"));
    assert!(codes(&read).contains(&"acquisition_time_absent"));
    assert!(read.unmapped.iter().any(|field| field.place.starts_with("block acc at byte")));
}

#[test]
fn damaged_files_are_answered() {
    made::damage(&whole(70), 1);
}

#[test]
fn real_files_are_read_as_an_independent_look_at_their_bytes_says() {
    let Some(corpus) = shared() else { return };
    let folder = corpus.join("ecg/atc");
    type Case = (&'static str, usize, usize, [f32; 3], &'static [&'static str]);
    let cases: [Case; 5] = [
        // Blank fields of information, and sums of signed bytes.
        (
            "atc2json__test_NSR_ef.atc",
            1,
            8999,
            [26.0, 30.0, 36.0],
            &["checksum_signed", "acquisition_time_absent"],
        ),
        ("atcpy__1_lead.atc", 1, 9000, [497.5, 527.5, 512.0], &[]),
        ("atcpy__6_lead.atc", 6, 9000, [-316.0, -287.0, -235.0], &[]),
        ("atcpy__6_lead_ab.atc", 6, 9000, [-316.0, -287.0, -235.0], &[]),
        ("atcpy__6_lead_ef.atc", 6, 9000, [-56.0, -65.0, -75.5], &[]),
    ];
    for (file, count, length, first, problems) in cases {
        let read = recording(&load(&folder.join(file)));
        assert_eq!((read.rhythm.traces.len(), read.rhythm.len()), (count, length), "{file}");
        assert_eq!(read.rhythm.rate.hz(), 300.0, "{file}");
        assert_eq!(samples(&read.rhythm, Lead::I)[..3], first, "{file}");
        assert_eq!(codes(&read), problems, "{file}");
    }
    let averaged = recording(&load(&folder.join("atcpy__6_lead_ab.atc")));
    assert_eq!(averaged.other_groups[0].signal.len(), 450);
    let filtered = recording(&load(&folder.join("atcpy__6_lead_ef.atc")));
    assert_eq!(
        filtered.rhythm.traces[0].filters,
        Filters { low_hz: Some(0.1), high_hz: None, notch_hz: Some(60.0) }
    );
    let refused = refusal(&load(&folder.join("atcpy__broken_checksum.atc")));
    assert_eq!(refused.code, "checksum_wrong");
    made::damage(&load(&folder.join("atcpy__1_lead.atc")), 1009);
}
