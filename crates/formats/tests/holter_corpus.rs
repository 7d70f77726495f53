//! ISHNE and MFER files of the shared corpus: made by others, and real ones.

mod truth;

use precordia_formats::{Part, read};

#[test]
fn every_file_of_the_truth_is_read_or_refused_as_it_says() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(7) };
    let rows = truth::rows(&corpus, &["ishne", "mfer"]);
    assert_eq!(rows.len(), 7, "the corpus has grown or shrunk");
    let failures = truth::failures(&corpus, &rows);
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_real_ishne_file_with_a_wrong_count_is_read_as_far_as_it_goes() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let folder = corpus.join("ecg/ishne");
    let samples = truth::load(&folder.join("crismartin__1-300m.ecg"));
    let labels = truth::load(&folder.join("crismartin__1-300m.ann"));
    let parts =
        [Part { name: "1-300m.ecg", bytes: &samples }, Part { name: "1-300m.ann", bytes: &labels }];
    let recording = read(&parts).unwrap();
    let leads: Vec<&str> = recording.rhythm.leads().map(|lead| lead.name()).collect();
    assert_eq!(leads, ["X", "Y", "Z"]);
    assert_eq!((recording.rhythm.rate.hz(), recording.rhythm.len()), (200.0, 300_000));
    // 12 stored units of 4878 nV.
    assert!((recording.rhythm.traces[0].samples_uv[0] - 12.0 * 4.878).abs() < 1e-3);
    let codes: Vec<&str> = recording.problems.iter().map(|one| one.code.as_str()).collect();
    assert!(codes.contains(&"sample_count_mismatch"), "{codes:?}");
    let beats = &recording.unmapped.last().unwrap();
    assert!(beats.value.reveal().starts_with("N "), "{}", beats.value.reveal());
    let alone = read(&parts[1..]).unwrap_err();
    assert_eq!(alone.code, "samples_absent");
}

#[test]
fn a_real_mfer_holter_is_read_in_its_own_byte_order() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(1) };
    let path = corpus.join("ecg/mfer/danghieuthang__sample.mwf");
    let recording = truth::read_file(&path).unwrap();
    let leads: Vec<&str> = recording.rhythm.leads().take(2).map(|lead| lead.name()).collect();
    assert_eq!(leads, ["I", "II"]);
    assert_eq!((recording.rhythm.rate.hz(), recording.rhythm.len()), (125.0, 225_000));
    // -6 stored units of 20 uV.
    assert_eq!(recording.rhythm.traces[0].samples_uv[0], -120.0);
    assert_eq!(recording.device.model.as_deref(), Some("CVS-01"));
    let codes: Vec<&str> = recording.problems.iter().map(|one| one.code.as_str()).collect();
    assert!(codes.contains(&"preamble_disagrees") && !codes.contains(&"format_unproven"));
}
