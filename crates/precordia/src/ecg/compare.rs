//! `precordia ecg compare`: two recordings.

use std::path::Path;
use std::process::ExitCode;

use precordia_analysis::serial::{self, Comparison};
use precordia_analysis::similarity::{Complex, Similarity};
use precordia_analysis::{Fingerprint, Likeness, measure};
use serde_json::{Value, json};

use super::load::{Loaded, load};
use crate::output::data;

/// `precordia ecg compare EARLIER LATER [--json]`
pub fn compare(earlier: &Path, later: &Path, as_json: bool) -> anyhow::Result<ExitCode> {
    let mut recordings = Vec::new();
    for path in [earlier, later] {
        match load(&[path.to_owned()])? {
            Loaded::Recording(recording) => recordings.push(recording),
            Loaded::Refused(code) => return Ok(code),
        }
    }
    let [first, second] = [&recordings[0], &recordings[1]];
    let [first_measured, second_measured] = [measure(first), measure(second)];
    let likeness = Fingerprint::of(&first.rhythm).compare(&Fingerprint::of(&second.rhythm));
    let complex = |recording: &precordia_model::Recording, measured| {
        Complex::of(&recording.rhythm, measured).ok()
    };
    let similarity = complex(first, &first_measured)
        .zip(complex(second, &second_measured))
        .and_then(|(first, second)| first.compare(&second));
    let changes = serial::compare(&first_measured, &second_measured);
    if as_json {
        let value = as_value(likeness, similarity, &changes);
        data(&serde_json::to_string_pretty(&value)?);
    } else {
        print(likeness, similarity, &changes);
    }
    Ok(ExitCode::SUCCESS)
}

fn as_value(
    likeness: Option<Likeness>,
    similarity: Option<Similarity>,
    changes: &Comparison,
) -> Value {
    json!({
        "fingerprint": likeness.map(|l| json!({
            "same_recording": l.is_same(),
            "correlation": hundredth(l.correlation),
            "leads": l.leads,
            "seconds": l.seconds,
        })),
        "similarity": similarity.map(|s| json!({
            "qrs": hundredth(s.qrs),
            "st_t": s.st_t.map(hundredth),
            "leads": s.leads,
        })),
        "rhythm": changes.rhythm.map(|(from, to)| [from.name(), to.name()]),
        "changes": changes.changes.iter().map(|c| json!({
            "of": c.of.name(),
            "unit": c.of.unit(),
            "earlier": c.earlier.round(),
            "later": c.later.round(),
            "difference": c.difference.round(),
            "limit": c.of.limit(),
        })).collect::<Vec<Value>>(),
        "not_compared": changes.not_compared.iter().map(|(of, why)| json!({
            "of": of.name(),
            "reason": why.name(),
        })).collect::<Vec<Value>>(),
    })
}

fn print(likeness: Option<Likeness>, similarity: Option<Similarity>, changes: &Comparison) {
    match likeness {
        None => data("too little in common to tell whether it is the same recording"),
        Some(l) => data(&format!(
            "{} ({:.2} over {} leads and {:.0} s)",
            if l.is_same() { "the same recording" } else { "another recording" },
            l.correlation,
            l.leads,
            l.seconds
        )),
    }
    if let Some(s) = similarity {
        let st_t = s.st_t.map_or_else(|| String::from("too flat"), |c| format!("{c:.2}"));
        data(&format!("complexes alike: QRS {:.2}, ST-T {st_t} ({} leads)", s.qrs, s.leads));
    }
    if let Some((from, to)) = changes.rhythm {
        data(&format!("  rhythm {} -> {}", from.name(), to.name()));
    }
    for change in &changes.changes {
        data(&format!(
            "  {} {:.0} -> {:.0} {} ({:+.0})",
            change.of.name(),
            change.earlier,
            change.later,
            change.of.unit(),
            change.difference
        ));
    }
    for (of, why) in &changes.not_compared {
        data(&format!("  {} not compared: {}", of.name(), why.name()));
    }
}

fn hundredth(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
