//! EDF and BDF files of the shared corpus: made by others, and real ones.

mod truth;

use precordia_formats::Part;

#[test]
fn every_file_of_the_truth_is_read_or_refused_as_it_says() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(32) };
    let rows = truth::rows(&corpus, &["edf", "bdf"]);
    assert_eq!(rows.len(), 32, "the corpus has grown or shrunk");
    let failures = truth::failures(&corpus, &rows);
    assert!(failures.is_empty(), "{}:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn a_file_without_an_ecg_is_refused_and_one_among_others_is_found() {
    let Some(corpus) = truth::corpus() else { return truth::skipped(5) };
    let folder = corpus.join("ecg/edf");
    for name in [
        "pyedflib__test_generator.bdf",
        "pyedflib__test_generator_datarec_generator_2.bdf",
        "pyedflib__test_utf8.edf",
        "wfdbpy__test_edfann.edf",
    ] {
        let refusal = truth::read_file(&folder.join(name)).unwrap_err();
        assert_eq!(refusal.code, "ecg_absent", "{name}");
    }
    let name = "wfdbpy__test_generator_2.edf";
    let bytes = truth::load(&folder.join(name));
    let recording = precordia_formats::read(&[Part { name, bytes: &bytes }]).unwrap();
    let leads: Vec<&str> = recording.rhythm.leads().map(|lead| lead.name()).collect();
    assert_eq!((leads.as_slice(), recording.rhythm.len()), (&["AB1"][..], 120_000));
    let texts: Vec<&str> =
        recording.device_statements.iter().map(|one| one.text.reveal().as_str()).collect();
    assert!(texts.contains(&"RECORD START"), "{texts:?}");
    let local = recording.acquired_at.unwrap().local;
    assert_eq!(local.as_deref(), Some("2009-12-10T12:44:02"));
}
