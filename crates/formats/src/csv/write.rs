//! A recording as a table with its layout.

use std::fmt::Write as _;

use precordia_model::{Recording, Trace, TraceOrigin};

/// The rhythm's recorded leads in microvolts, a column a lead, under the lines that say so. A gap is
/// an empty cell. Who was recorded is not written: a table is passed on too easily.
pub fn write(recording: &Recording) -> String {
    let rhythm = &recording.rhythm;
    let recorded = |trace: &&Trace| trace.origin == TraceOrigin::Recorded;
    let traces: Vec<&Trace> = rhythm.traces.iter().filter(recorded).collect();
    let names: Vec<&str> = traces.iter().map(|trace| trace.lead.name()).collect();
    let mut text = format!(
        "# ecg-layout: 1\n# rate_hz: {}\n# unit: uV\n{}\n",
        rhythm.rate.hz(),
        names.join(",")
    );
    for row in 0..rhythm.len() {
        for (column, trace) in traces.iter().enumerate() {
            if column > 0 {
                text.push(',');
            }
            match trace.samples_uv.get(row) {
                // `Display` of f32 prints the shortest text that reads back as the same number.
                Some(uv) if !uv.is_nan() => {
                    let _ = write!(text, "{uv}");
                }
                _ => {}
            }
        }
        text.push('\n');
    }
    text
}
