//! What is written as a table is read back as it was.

mod support;

use precordia_formats::{Part, csv, read};
use precordia_model::TraceOrigin;
use support::*;

#[test]
fn a_table_that_was_written_is_read_back_to_the_bit() {
    let mut recording = one_lead().read();
    recording.rhythm.traces[0].samples_uv[5] = f32::NAN;
    recording.rhythm.traces[0].samples_uv[6] = 0.1 + 0.2;
    let text = csv::write(&recording);
    let again = read(&[Part { name: "table", bytes: text.as_bytes() }])
        .unwrap_or_else(|refusal| panic!("{refusal}"));
    assert_eq!(again.rhythm.rate, recording.rhythm.rate);
    let bits = |recording: &precordia_model::Recording| -> Vec<Vec<u32>> {
        let recorded = |t: &&precordia_model::Trace| t.origin == TraceOrigin::Recorded;
        let traces = recording.rhythm.traces.iter().filter(recorded);
        traces.map(|t| t.samples_uv.iter().map(|uv| uv.to_bits()).collect()).collect()
    };
    assert_eq!(bits(&again), bits(&recording));
}
