//! Read, measure and flag a 10 s, 12-lead, 500 Hz DICOM file, on one core.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use precordia_analysis::{Limits, Subject};
use precordia_formats::dicom::{self, ObjectIds};
use precordia_formats::{Part, read};
use precordia_model::Sex;
use precordia_synth::{Pattern, Spec, synthesize};

use crate::figures::{Figures, percentile};
use crate::peers;

/// The samples: one file of each pattern.
pub(crate) fn files() -> Result<Vec<Vec<u8>>> {
    Pattern::ALL
        .iter()
        .enumerate()
        .map(|(number, pattern)| file(Spec::pattern(*pattern), number))
        .collect()
}

pub(crate) fn file(spec: Spec, number: usize) -> Result<Vec<u8>> {
    let base = format!("2.25.7311{number}");
    let ids = ObjectIds::new(format!("{base}.3"), format!("{base}.1"), format!("{base}.2"));
    dicom::write(&synthesize(&spec).recording, &ids)
        .map_err(|cause| anyhow!("sample {number}: {cause}"))
}

/// With a Python environment, its peers run on the same files.
pub fn ecg(seconds: f64, peers: Option<&Path>) -> Result<Figures> {
    let files = files()?;
    let deadline = Instant::now() + Duration::from_secs_f64(seconds.clamp(0.1, 600.0));
    let (mut read_ms, mut measure_ms, mut whole_ms) = (Vec::new(), Vec::new(), Vec::new());
    let started = Instant::now();
    while Instant::now() < deadline {
        for bytes in &files {
            let start = Instant::now();
            let recording = read(&[Part { name: "bench.dcm", bytes }])
                .map_err(|refusal| anyhow!("{refusal}"))?;
            let was_read = Instant::now();
            let measurements = precordia_analysis::measure(&recording);
            let subject = Subject { age_years: Some(60), sex: Some(Sex::Female) };
            let flags = precordia_analysis::flag(&measurements, subject, &Limits::default());
            std::hint::black_box(flags);
            let end = Instant::now();
            read_ms.push(ms(was_read - start));
            measure_ms.push(ms(end - was_read));
            whole_ms.push(ms(end - start));
        }
    }
    let elapsed = started.elapsed().as_secs_f64();
    let count = whole_ms.len();
    for samples in [&mut read_ms, &mut measure_ms, &mut whole_ms] {
        samples.sort_by(f64::total_cmp);
    }
    let mut figures = Figures::new("ecg");
    figures.value("files_per_second_one_core", count as f64 / elapsed);
    figures.value("read_ms_median", percentile(&read_ms, 0.5));
    figures.value("measure_and_flag_ms_median", percentile(&measure_ms, 0.5));
    figures.value("whole_ms_median", percentile(&whole_ms, 0.5));
    figures.value("whole_ms_p99", percentile(&whole_ms, 0.99));
    figures.value("files", count as f64);
    if let Some(python) = peers {
        for (name, peer_ms) in peers::ecg(python, &files, seconds)? {
            figures.value(format!("{name}_ratio"), peer_ms / percentile(&whole_ms, 0.5));
            figures.value(name, peer_ms);
        }
    }
    figures.limited_by = String::from("one core: finding and averaging beats takes most of it");
    Ok(figures)
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
