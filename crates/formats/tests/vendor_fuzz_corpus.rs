//! The fuzz corpora of vendors' formats, in every ordinary test run.
//!
//! With `PRECORDIA_WRITE_CORPUS=1` in the environment their first files are written anew.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod made;

use std::path::PathBuf;

use made::{applewatch, beats, contec, csv, mortara, philips, schiller};
use precordia_formats::{Part, read};

fn folder(format: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(format)
}

/// The first files of each format: folder, file name, content.
fn first_files() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    use made::atc;
    let damaged = {
        let mut bytes = atc::whole(70);
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        bytes
    };
    let signed = [
        atc::block_signed(b"fmt ", &atc::format(300, 500, 0)),
        atc::block_signed(b"ecg ", &atc::samples(&beats(70, -800))),
    ];
    let export = |comma| {
        let values = beats(120, 900).iter().map(|value| format!("{value}.5")).collect();
        let made = applewatch::Export { comma, values, ..applewatch::Export::default() };
        applewatch::export(&made).into_bytes()
    };
    let tabs = csv::table("time_ms\tI_uV\tII_uV\n0\t1\t2\n", "\t", 1.0, 20);
    let leads: Vec<Vec<i16>> = philips::twelve(130).into_iter().map(philips::with_start).collect();
    let document = philips::document(&leads);
    vec![
        ("philips", "compressed.xml", philips::text(&document).into_bytes()),
        ("philips", "wide.xml", philips::utf16(&philips::text(&document), true)),
        ("schiller", "averages.xml", schiller::text(&schiller::document(120)).into_bytes()),
        ("mortara", "typical_cycle.xml", mortara::text(&mortara::document(120)).into_bytes()),
        ("atc", "two_leads.atc", atc::whole(70)),
        ("atc", "checksum_wrong.atc", damaged),
        ("atc", "checksum_signed.atc", atc::file(3, &signed)),
        ("applewatch", "english.csv", export(false)),
        ("applewatch", "comma.csv", export(true)),
        ("contec", "without_v6.ecg", contec::whole(170)),
        ("contec", "footer.ecg", contec::file(&contec::rows(170), 3)),
        ("csv", "head.csv", csv::whole(110).into_bytes()),
        ("csv", "tabs.csv", tabs.into_bytes()),
        ("csv", "layout_alone.csv", csv::LAYOUT.as_bytes().to_vec()),
    ]
}

#[test]
fn every_file_of_the_corpora_is_answered() {
    let mut folders: Vec<&str> = first_files().iter().map(|file| file.0).collect();
    folders.dedup();
    for format in folders {
        let files = std::fs::read_dir(folder(format)).expect("the corpus belongs to the project");
        let mut read_well = 0;
        for file in files {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            let part = Part { name: "corpus", bytes: &bytes };
            // A scale beside it is what one of the formats needs and the others do without.
            let layout = b"# ecg-layout: 1\n# unit: 5 uV\n";
            let with = [part, Part { name: "layout", bytes: layout }];
            read_well += usize::from(read(&[part]).is_ok() || read(&with).is_ok());
        }
        assert!(read_well > 0, "no file of the corpus {format} was read");
    }
}

#[test]
fn the_first_files_of_the_corpora_are_what_they_are_made_of() {
    let write = std::env::var_os("PRECORDIA_WRITE_CORPUS").is_some();
    for (format, name, made) in first_files() {
        let path = folder(format).join(name);
        if write {
            std::fs::create_dir_all(folder(format)).unwrap();
            std::fs::write(&path, &made).unwrap();
        }
        let kept = std::fs::read(&path).unwrap_or_else(|cause| panic!("{name}: {cause}"));
        assert!(kept == made, "{name} differs; is the corpus to be written anew?");
    }
}
