//! Representative beats: their own rate and resolution, or none that the file says.

use precordia_model::{Filters, GroupKind, OtherGroup, Problem, Refusal, RefusalReason, Signal};

use crate::xml::Element;
use crate::{base64, build, lead_code, rhythm};

/// What a beat is filled up with where it was not averaged.
const FILLER: i16 = i16::MAX;

pub(super) fn read(root: Element<'_>, problems: &mut Vec<Problem>) -> Vec<OtherGroup> {
    let mut groups = Vec::new();
    for beats in root.descendants("repbeats").filter(|beats| beats.child("repbeat").is_some()) {
        let mut own = Vec::new();
        match signal(beats, &mut own) {
            Ok(signal) => {
                // A beat of one lead may be flat without any fault of the recording.
                problems.extend(own.into_iter().filter(|problem| problem.code != "lead_flat"));
                let method = beats.attribute("repbeatmethod").unwrap_or_default();
                let label = format!("representative beat {method}").trim_end().to_owned();
                groups.push(OtherGroup { kind: GroupKind::MedianBeat, label, signal });
            }
            Err(refusal) => {
                let text = format!("the representative beats were not read: {}", refusal.text);
                problems.push(Problem::error("group_not_read", refusal.place, text));
            }
        }
    }
    groups
}

fn signal(beats: Element<'_>, problems: &mut Vec<Problem>) -> Result<Signal, Refusal> {
    let place = beats.place();
    let refused =
        |code: &str, text: &str| Refusal::new(RefusalReason::Ambiguous, code, place.as_str(), text);
    // Public files of 1.03 hold beats of 2.5 uV a bit beside a rhythm of 5 uV, and say neither.
    let scale = beats.attribute_number("resolution").filter(|scale| *scale > 0.0);
    let scale =
        scale.ok_or_else(|| refused("scale_absent", "they do not say the amplitude of a bit"))?;
    let rate = beats
        .attribute_number("samplespersec")
        .or(beats.attribute_number("samplespersecond"))
        .ok_or_else(|| refused("sampling_rate_absent", "they do not say their sampling rate"))?;
    let (rate, scale) = (rhythm::rate(rate, &place)?, rhythm::uv_per_bit(scale, &place)?);
    let mut traces = Vec::new();
    let mut filler = 0;
    for beat in beats.children("repbeat") {
        let name = beat.attribute("leadname").unwrap_or_default();
        let lead = lead_code::from_name(name)
            .ok_or_else(|| refused("leads_unknown", "one has a name that is no lead's"))?;
        let data = beat.child("waveform").unwrap_or(beat);
        let bytes = base64::decode(data.text())
            .ok_or_else(|| refused("samples_damaged", "one is not Base64"))?;
        let (values, half) = bytes.as_chunks::<2>();
        if values.is_empty() || !half.is_empty() {
            return Err(refused("samples_damaged", "one ends within a sample"));
        }
        let duration_ms = data.attribute_number("duration");
        let off = duration_ms.map_or(0.0, |ms| ms / rate.ms_per_sample() - values.len() as f64);
        if off.abs() >= 1.5 {
            return Err(refused("sample_count_contradicted", "duration and samples differ"));
        }
        let mut raw: Vec<i16> = values.iter().map(|value| i16::from_le_bytes(*value)).collect();
        let kept = raw.iter().rposition(|value| *value != FILLER).map_or(0, |last| last + 1);
        let filled = raw.split_off(kept).len();
        filler += filled;
        let in_uv = raw.iter().map(|&raw| (f64::from(raw) * scale) as f32);
        let samples_uv = in_uv.chain(std::iter::repeat_n(f32::NAN, filled)).collect();
        traces.push(build::recorded(lead, samples_uv, Filters::default()));
    }
    let length = traces.first().map_or(0, |trace| trace.samples_uv.len());
    if traces.iter().any(|trace| trace.samples_uv.len() != length) {
        return Err(refused("lengths_differ", "they differ in length"));
    }
    if filler > 0 {
        let text = format!("{filler} samples at ends of beats are filled up and were read as gaps");
        problems.push(Problem::info("padding", place.as_str(), text));
    }
    build::signal(rate, traces, &place, problems)
}
