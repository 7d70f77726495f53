//! A written annotated ECG as another program reads it: ecgdatakit, where Python has it.
//!
//! `PRECORDIA_PYTHON` names a Python with the package; else `python3` is asked.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

mod xml_support;

use std::process::Command;

use precordia_formats::aecg::{DocumentId, write};
use precordia_model::TraceOrigin;
use xml_support::aecg::rich;
use xml_support::recording;

/// Prints each lead's name, rate, and the sum of its samples in mV, each times its number.
const SCRIPT: &str = "
import sys
from ecgdatakit.parsing import FileParser
for lead in FileParser().parse(sys.argv[1]).leads:
    assert lead.units == 'mV', lead.units
    weighed = sum((at + 1) * float(one) for at, one in enumerate(lead.samples))
    print(lead.label, lead.sampling_rate, len(lead.samples), repr(weighed))
";

#[test]
fn another_reader_finds_the_same_leads_rate_and_samples() {
    let python = std::env::var("PRECORDIA_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_it = Command::new(&python).args(["-c", "import ecgdatakit"]).output();
    if !has_it.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} has no ecgdatakit");
        return;
    }
    let original = recording(rich());
    let path = std::env::temp_dir().join(format!("precordia-aecg-{}.xml", std::process::id()));
    std::fs::write(&path, write(&original, &DocumentId("1.2.3".into())).unwrap()).unwrap();
    let output = Command::new(&python).args(["-c", SCRIPT]).arg(&path).output().unwrap();
    std::fs::remove_file(&path).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let recorded =
        original.rhythm.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded);
    let mut lines = text.lines();
    for trace in recorded {
        let line = lines.next().unwrap_or_else(|| panic!("{} is absent: {text}", trace.lead));
        let [label, rate, count, weighed] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        assert_eq!(label, trace.lead.name());
        assert_eq!(rate.parse::<f64>().unwrap(), original.rhythm.rate.hz());
        assert_eq!(count.parse::<usize>().unwrap(), trace.samples_uv.len());
        let numbered = trace.samples_uv.iter().enumerate();
        let expected: f64 =
            numbered.map(|(at, &uv)| (at + 1) as f64 * f64::from(uv) / 1000.0).sum();
        let weighed: f64 = weighed.parse().unwrap();
        assert!((weighed - expected).abs() < 1e-6 * expected.abs(), "{line}: {expected}");
    }
}
