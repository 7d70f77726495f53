//! Formats of regular frames: the samples that were put in come out, whole and block by block, and
//! whatever damage is done to a file, an answer comes.

mod framed;

use framed::*;
use precordia_model::Lead;

fn microvolts(values: &[i64], zero: i64, gain: f64) -> Vec<f32> {
    values.iter().map(|value| ((value - zero) as f64 * gain) as f32).collect()
}

#[test]
fn every_signal_format_of_wfdb_gives_back_what_was_stored() {
    for (format, bits) in [
        (16, 16),
        (24, 24),
        (32, 24),
        (61, 16),
        (80, 8),
        (160, 16),
        (212, 12),
        (310, 10),
        (311, 10),
    ] {
        // Counts that end anywhere within a group of samples that share bytes.
        for count in [1, 2, 3, 4, 5, 6, 7, 61] {
            for leads in 1..=3 {
                let stored: Vec<Vec<i64>> =
                    (0..leads).map(|phase| wave(count, bits, phase)).collect();
                let files = wfdb(format, &stored);
                let recording = read_files(&files).unwrap();
                for (trace, stored) in recording.rhythm.traces.iter().zip(&stored) {
                    let expected = microvolts(stored, 3, 10.0);
                    assert_eq!(trace.samples_uv, expected, "{format}, {count} of {leads}");
                }
                let codes: Vec<&str> =
                    recording.problems.iter().map(|one| one.code.as_str()).collect();
                let doubts = ["checksum_mismatch", "initial_value_mismatch", "signal_file_longer"];
                assert!(!codes.iter().any(|code| doubts.contains(code)), "{format}: {codes:?}");
            }
        }
    }
}

#[test]
fn differences_add_up_from_the_initial_value() {
    let stored: Vec<i64> = (0..300).map(|at: i64| 500 + (at * 7 % 90)).collect();
    let recording = read_files(&wfdb(8, &[stored.clone(), stored.clone()])).unwrap();
    assert_eq!(recording.rhythm.traces[1].samples_uv, microvolts(&stored, 3, 10.0));
}

#[test]
fn what_is_read_block_by_block_is_what_is_read_whole() {
    let long = |bits| -> Vec<Vec<i64>> { (0..3).map(|phase| wave(300_000, bits, phase)).collect() };
    let slow: Vec<Vec<i64>> =
        (0..3).map(|lead| (0..300_000).map(|at: i64| at * (lead + 1) % 90).collect()).collect();
    let mut files = every_format();
    files.extend([
        ("long 8", wfdb(8, &slow)),
        ("long 16", wfdb(16, &long(16))),
        ("long 212", wfdb(212, &long(12))),
        ("long 310", wfdb(310, &long(10))),
        ("long edf", edf_plus(900)),
        ("long ishne", ishne(&long(12))),
        ("long mfer", mfer(&long(12))),
    ]);
    for (name, files) in files {
        let whole = read_files(&files).unwrap().rhythm;
        let blocks = read_blocks(&files);
        for (one, other) in whole.traces.iter().zip(&blocks.traces) {
            assert_eq!(one.lead, other.lead, "{name}");
            assert!(same(&one.samples_uv, &other.samples_uv), "{name} {}", one.lead);
        }
    }
}

#[test]
fn every_cut_is_answered_and_never_read_silently() {
    for (name, files) in every_format() {
        read_files(&files).expect(name);
        for part in 0..files.len() {
            for keep in 0..files[part].1.len() {
                let mut cut = files.clone();
                cut[part].1.truncate(keep);
                let answer = read_files(&cut);
                // A header may end early and stay a header; samples that are missing are told.
                let is_samples = files.len() == 1 || part == 1;
                if let (true, Ok(recording)) = (is_samples, answer) {
                    let whole = read_files(&files).unwrap();
                    let same_samples = recording.rhythm.traces.iter().zip(&whole.rhythm.traces);
                    let all =
                        same_samples.into_iter().all(|(a, b)| same(&a.samples_uv, &b.samples_uv));
                    let told = recording.problems.len() > whole.problems.len();
                    assert!(all || told, "{name} cut at {keep} of part {part}");
                }
            }
        }
    }
}

#[test]
fn flipped_bits_and_extreme_numbers_are_answered_within_the_bound() {
    for (name, files) in every_format() {
        let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        for part in 0..files.len() {
            for at in 0..files[part].1.len() {
                let mut changes: Vec<u8> =
                    [0, 3, 5, 7].map(|bit| files[part].1[at] ^ 1 << bit).into();
                changes.extend([0, b'9', 0xFF]);
                for changed in changes {
                    let mut damaged = files.clone();
                    damaged[part].1[at] = changed;
                    if let Ok(recording) = read_files(&damaged) {
                        let samples: usize =
                            recording.rhythm.traces.iter().map(|one| one.samples_uv.len()).sum();
                        let bound = 10 * (bytes * 4 + (8 << 20));
                        assert!(samples <= bound, "{name}: {samples} samples");
                        let infinite = |uv: &f32| uv.is_infinite();
                        let mut traces = recording.rhythm.traces.iter();
                        assert!(!traces.any(|one| one.samples_uv.iter().any(infinite)), "{name}");
                    }
                }
            }
        }
    }
}

#[test]
fn discontinuous_records_become_gaps_and_other_rates_other_groups() {
    let signals =
        [EdfSignal::ecg("ECG II", 4), EdfSignal::ecg("V1", 2), EdfSignal::annotations(24)];
    let record = |onset: &str, first: i64| {
        let mut bytes = shorts(&[first, first + 1, first + 2, first + 3, 70, 71]);
        bytes.extend(list(&format!("+{onset}\u{14}\u{14}\0"), 24));
        bytes
    };
    let records = [record("0.25", 1), record("0.75", 5), record("2.25", 9)];
    let files = edf("EDF+D", "0.5", &signals, &records);
    let recording = read_files(&files).unwrap();
    let nan = f32::NAN;
    let expected = [1., 2., 3., 4., 5., 6., 7., 8., nan, nan, nan, nan, nan, nan, nan, nan];
    let trace = recording.rhythm.trace(Lead::II).unwrap();
    assert!(same(&trace.samples_uv[..16], &expected), "{:?}", trace.samples_uv);
    assert_eq!(trace.samples_uv[16..], [9., 10., 11., 12.]);
    assert_eq!(recording.rhythm.rate.hz(), 8.0);
    let other = &recording.other_groups[0].signal;
    assert_eq!((other.rate.hz(), other.len()), (4.0, 10));
    let local = recording.acquired_at.unwrap().local;
    assert_eq!(local.as_deref(), Some("2002-03-02T10:11:12.250"));
    assert!(recording.problems.iter().any(|one| one.code == "recording_gap"));
    let backwards = edf("EDF+D", "0.5", &signals, &[record("1", 1), record("0.5", 5)]);
    assert_eq!(read_files(&backwards).unwrap_err().code, "records_overlap");
}

#[test]
fn a_null_value_and_the_lowest_stored_value_are_gaps() {
    let mut stored = wave(48, 12, 0);
    stored[7] = -32_768;
    for files in [wfdb(16, &[stored.clone()]), mfer(&[stored.clone()])] {
        let recording = read_files(&files).unwrap();
        let trace = &recording.rhythm.traces[0].samples_uv;
        assert!(trace[7].is_nan() && trace.iter().filter(|uv| uv.is_nan()).count() == 1);
    }
}

#[test]
fn segments_of_a_variable_layout_are_placed_by_name() {
    let text = |text: &str| text.as_bytes().to_vec();
    let files: Files = vec![
        ("v.hea".into(), text("v/4 3 100 9\nv_layout 0\nv_1 3\n~ 2\nv_2 4\n")),
        (
            "v_layout.hea".into(),
            text(
                "v_layout 3 100 0\n~ 0 1000/mV 12 0 0 0 0 II\n~ 0 1000/mV 12 0 0 0 0 V1\n~ 0 1000/mmHg 12 0 0 0 0 ABP\n",
            ),
        ),
        (
            "v_1.hea".into(),
            text(
                "v_1 2 100 3\nv_1.dat 16 1000/mV 12 0 1 6 0 II\nv_1.dat 16 1/mmHg 12 0 9 27 0 ABP\n",
            ),
        ),
        ("v_1.dat".into(), shorts(&[1, 9, 2, 9, 3, 9])),
        (
            "v_2.hea".into(),
            text(
                "v_2 2 100 4\nv_2.dat 16 500/mV 12 0 7 34 0 V1\nv_2.dat 16 500/mV 12 0 4 22 0 II\n",
            ),
        ),
        ("v_2.dat".into(), shorts(&[7, 4, 8, 5, 9, 6, 10, 7])),
    ];
    let recording = read_files(&files).unwrap();
    let nan = f32::NAN;
    let ii = &recording.rhythm.trace(Lead::II).unwrap().samples_uv;
    assert!(same(ii, &[1., 2., 3., nan, nan, 8., 10., 12., 14.]), "{ii:?}");
    let v1 = &recording.rhythm.trace(Lead::V1).unwrap().samples_uv;
    assert!(same(v1, &[nan, nan, nan, nan, nan, 14., 16., 18., 20.]), "{v1:?}");
    let mut missing = files;
    missing.remove(4);
    let refusal = read_files(&missing).unwrap_err();
    assert_eq!(refusal.code, "part_missing");
    assert!(refusal.text.contains("`v_2.hea`"), "{refusal}");
}

#[test]
fn skew_moves_a_signal_and_ends_it_in_a_gap() {
    let header = "s 2 100 4\ns.dat 16:1 1000/mV 12 0 1 10 0 II\ns.dat 16 1000/mV 12 0 5 26 0 V1\n";
    let files: Files = vec![
        ("s.hea".into(), header.as_bytes().to_vec()),
        ("s.dat".into(), shorts(&[1, 5, 2, 6, 3, 7, 4, 8])),
    ];
    let recording = read_files(&files).unwrap();
    let ii = &recording.rhythm.trace(Lead::II).unwrap().samples_uv;
    assert!(same(ii, &[2., 3., 4., f32::NAN]), "{ii:?}");
}

#[test]
fn a_gap_of_any_length_costs_no_memory() {
    let header = "g/2 1 100 4000000004\n~ 4000000000\ng_1 4\n";
    let files: Files = vec![
        ("g.hea".into(), header.as_bytes().to_vec()),
        ("g_1.hea".into(), b"g_1 1 100 4\ng.dat 16 1000/mV 12 0 1 10 0 II\n".to_vec()),
        ("g.dat".into(), shorts(&[1, 2, 3, 4])),
    ];
    assert_eq!(read_files(&files).unwrap_err().code, "duration_implausible");
    let header = "g/2 1 100 400000004\n~ 400000000\ng_1 4\n";
    let files: Files = std::iter::once(("g.hea".to_owned(), header.as_bytes().to_vec()))
        .chain(files.into_iter().skip(1))
        .collect();
    assert_eq!(read_files(&files).unwrap_err().code, "samples_too_many");
}

#[test]
fn words_of_what_is_compressed_or_unknown_say_so() {
    let refused = |files: Files| read_files(&files).unwrap_err().code;
    let stored = [wave(16, 8, 0)];
    let mut flac = wfdb(16, &stored);
    flac[0].1 =
        String::from_utf8(flac[0].1.clone()).unwrap().replace("dat 16", "dat 516").into_bytes();
    assert_eq!(refused(flac), "format_flac");
    let with = |extra: &[u8]| {
        let mut files = mfer(&stored);
        files[0].1.splice(34..34, extra.iter().copied());
        files
    };
    assert_eq!(refused(with(&tag(0x0E, &[0, 1]))), "compression_unsupported");
    assert_eq!(refused(with(&tag(0x0A, &[9]))), "compression_unsupported");
    assert_eq!(refused(with(&tag(0x0D, &[0, 5]))), "offset_unproven");
    assert_eq!(refused(with(&tag(0x07, &[0, 5]))), "pointer_unsupported");
}

#[test]
fn a_structure_whose_limb_leads_contradict_their_order_is_refused() {
    let plain = read_files(&matlab(40, false)).unwrap();
    assert_eq!(read_files(&compressed(matlab(40, false))).unwrap().rhythm, plain.rhythm);
    assert_eq!(plain.rhythm.trace(Lead::II).unwrap().samples_uv[0], 800.0);
    assert_eq!(plain.patient.age_years, Some(52));
    assert_eq!(read_files(&matlab(40, true)).unwrap_err().code, "layout_unproven");
    let mut other = matlab(40, false);
    let at = other[0].1.windows(3).position(|three| three == b"age").unwrap();
    other[0].1[at] = b'A';
    assert_eq!(read_files(&other).unwrap_err().code, "layout_unknown");
}
