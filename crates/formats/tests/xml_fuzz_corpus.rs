//! The corpora of the XML formats' fuzz targets, in every ordinary test run.
//!
//! With `PRECORDIA_WRITE_CORPUS=1` in the environment their first files are written anew.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use std::path::PathBuf;

use precordia_formats::aecg::{DocumentId, write};
use xml_support::aecg::{Lead, Series, annotation, annotations, file, relative, rich};
use xml_support::{beats, cardiosoft, muse, reading};

fn corpus(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(format)
}

/// A file's name, its bytes, and whether it is read.
type First = (&'static str, Vec<u8>, bool);

fn check(format: &str, firsts: Vec<First>) {
    let folder = corpus(format);
    if std::env::var_os("PRECORDIA_WRITE_CORPUS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, bytes, _) in &firsts {
            std::fs::write(folder.join(format!("{name}.xml")), bytes).unwrap();
        }
    }
    for (name, bytes, is_read) in &firsts {
        let kept = std::fs::read(folder.join(format!("{name}.xml")))
            .unwrap_or_else(|cause| panic!("{format} {name}: {cause}"));
        assert!(kept == *bytes, "{format} {name} differs; is the corpus to be written anew?");
        assert_eq!(reading(bytes).is_ok(), *is_read, "{format} {name}: {:?}", reading(bytes).err());
    }
    for file in std::fs::read_dir(&folder).unwrap() {
        // What is read of a file of any format is written as an annotated ECG, and read again.
        let Ok(read) = reading(std::fs::read(file.unwrap().path()).unwrap()) else { continue };
        if let Ok(written) = write(&read, &DocumentId("1.2.3".into())) {
            assert_eq!(reading(written).unwrap().rhythm.traces, read.rhythm.traces);
        }
    }
}

fn wide(text: &str) -> Vec<u8> {
    format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn annotated_ecgs() {
    let short = |change: &dyn Fn(&mut Series)| {
        let mut series = Series::new(vec![Lead::new("MDC_ECG_LEAD_II", &beats(300, 100))]);
        change(&mut series);
        file(&[series.text("series")])
    };
    let plain = short(&|_| {});
    let interval = annotation("MDC_ECG_TIME_PD_RR", r#"value="200" unit="ms"/>"#);
    let slip = short(&|series| {
        series.leads = vec![Lead::new("MDC_ECG_LEAD_II", &beats(400, 100))];
        series.time = relative(r#"value="2" unit="s""#);
        series.inner = annotations(std::slice::from_ref(&interval));
    });
    let latin = plain.replace("UTF-8", "ISO-8859-1").replace("Noether", "M\u{1}ller");
    let latin: Vec<u8> = latin.bytes().map(|byte| if byte == 1 { 0xFC } else { byte }).collect();
    let entities = plain.replace("<AnnotatedECG", "<!DOCTYPE a [<!ENTITY x \"y\">]><AnnotatedECG");
    let columns = ["MDC_ECG_LEAD_II", "MDC_ECG_LEAD_V1"]
        .map(|code| Series::new(vec![Lead::new(code, &beats(150, 100))]).text("series"));
    check(
        "aecg",
        vec![
            ("rich", rich().into_bytes(), true),
            ("wide", wide(&plain), true),
            ("plain", plain.into_bytes(), true),
            ("slip", slip.into_bytes(), true),
            ("latin", latin, true),
            ("entities", entities.into_bytes(), false),
            ("columns", file(&columns).into_bytes(), true),
            (
                "padding",
                short(&|series| series.leads[0].digits.push_str(" -32768")).into_bytes(),
                true,
            ),
            (
                "scale",
                short(&|series| series.leads[0].scale = "value=\"5\"".into()).into_bytes(),
                false,
            ),
        ],
    );
}

#[test]
fn muse_files() {
    let lead = || muse::lead("II", &beats(150, 50));
    let plain = muse::file(muse::PERSON, &[muse::Waveform::new("Rhythm", vec![lead()])]);
    let checksum = plain.replace("<LeadDataCRC32>", "<LeadDataCRC32>1");
    let empty = muse::file("", &[muse::Waveform::new("Median", vec![lead()])]);
    check(
        "muse",
        vec![
            ("rich", muse::rich().into_bytes(), true),
            ("wide", wide(&plain), true),
            ("plain", plain.into_bytes(), true),
            ("checksum", checksum.into_bytes(), false),
            ("empty", empty.into_bytes(), false),
        ],
    );
}

#[test]
fn cardiosoft_files() {
    let strip = cardiosoft::Block::new(&["I", "II"], &beats(150, 50)).text("StripData");
    let plain = cardiosoft::file(&strip);
    let unit = plain.replace("uVperLsb", "mV");
    check(
        "cardiosoft",
        vec![
            ("rich", cardiosoft::rich().into_bytes(), true),
            ("wide", wide(&plain), true),
            ("plain", plain.into_bytes(), true),
            ("unit", unit.into_bytes(), false),
            ("empty", cardiosoft::file("").into_bytes(), false),
        ],
    );
}
