//! Measures WFDB records of 16-bit samples. On stdout one JSON line a boundary, global, of every
//! beat, in the form that delineation scores take; on stderr one line a record for people.
//!
//! usage: wfdb RECORD.hea... > predictions.jsonl

// A program beside the crate: it may do what the crate may not.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods)]

#[allow(dead_code)]
#[path = "../tests/wfdb/mod.rs"]
mod wfdb;

use std::collections::BTreeSet;
use std::path::Path;

use precordia_analysis::{Limits, Subject, flag, measure};
use precordia_model::Measurements;

fn main() {
    for name in std::env::args().skip(1) {
        let path = Path::new(&name);
        let Some(recording) = wfdb::read(path) else {
            eprintln!("not read: {name}");
            continue;
        };
        let record = path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
        let measured = measure(&recording);
        print(&record, recording.rhythm.rate.hz(), &measured);
        let report = flag(&measured, Subject::default(), &Limits::default());
        let whole = |m: precordia_model::Measured| {
            m.value().map_or(String::from("-"), |v| v.round().to_string())
        };
        eprintln!(
            "{record}: rate {} PR {} QRS {} QT {} axis {} {} {:?}",
            whole(measured.heart_rate_bpm),
            whole(measured.pr_ms),
            whole(measured.qrs_ms),
            whole(measured.qt_ms),
            whole(measured.axis_deg.qrs),
            measured.rhythm.name(),
            report.flags.iter().map(|f| f.code.name()).collect::<Vec<_>>(),
        );
    }
}

fn print(record: &str, fs: f64, measured: &Measurements) {
    let f = &measured.fiducials;
    let used: BTreeSet<u32> = measured.beats_used.iter().copied().collect();
    for (at, &peak) in measured.r_peaks.iter().enumerate() {
        let line = |wave: &str, key: &str, offset: Option<i32>| {
            if let Some(offset) = offset {
                let place = i64::from(peak) + i64::from(offset);
                println!(
                    r#"{{"record":"{record}","lead":"global","wave":"{wave}","{key}":{place},"fs":{fs}}}"#
                );
            }
        };
        line("QRS", "peak", Some(0));
        if used.contains(&(at as u32)) {
            line("P", "onset", f.p_onset);
            line("P", "offset", f.p_offset);
            line("QRS", "onset", f.qrs_onset);
            line("QRS", "offset", f.qrs_offset);
            line("T", "peak", f.t_peak);
            line("T", "offset", f.t_offset);
        }
    }
}
