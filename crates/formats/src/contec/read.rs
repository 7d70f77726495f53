//! Header, samples and a declared scale to a recording.

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, Lead, Phi, Problem, Recording, Refusal,
    RefusalReason, Signal,
};

use super::header;
use crate::csv::layout::{self, Layout};
use crate::{Part, build, clock, rhythm, unmapped};

const FOOTER_BYTES: usize = 37;
const CHANNELS: usize = 8;

/// Documented of the ECG90A; the mains in a public recording stand at 50 Hz with it.
const RATE_HZ: f64 = 800.0;

const LEADS: [Lead; CHANNELS] =
    [Lead::I, Lead::II, Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];

/// A channel without its electrode.
const NO_ELECTRODE: u16 = 0x6800;

/// The middle of twelve bits, around which all channels of public files lie.
const ZERO_LEVEL: u16 = 2048;

pub(super) fn read(parts: &[Part<'_>]) -> Result<Recording, Refusal> {
    let (layout, part) = layout::beside(parts)?;
    let layout = layout.unwrap_or_default();
    let mut problems = Vec::new();
    let body = part.bytes.split_first_chunk::<{ header::BYTES }>();
    let Some((head, (body, footer))) = body.and_then(|(head, rest)| {
        Some((head, rest.split_at(rest.len().checked_sub(FOOTER_BYTES)?)))
    }) else {
        return Err(truncated("the file is shorter than its header and footer"));
    };
    let (rows, rest) = body.as_chunks::<{ CHANNELS * 2 }>();
    if !rest.is_empty() {
        return Err(truncated("the samples end within a row of eight channels"));
    }
    let header = header::read(head);
    let mut other = header.other;
    if footer.iter().any(|&byte| byte != 0) {
        let hex: String = footer.iter().map(|byte| format!("{byte:02x}")).collect();
        unmapped::keep(&mut other, "footer", &hex);
        let text = "the footer is not empty; what it says is not known and was kept";
        problems.push(Problem::warning("footer_unknown", "footer", text));
    }
    let rhythm = signal(rows, uv_per_count(&layout)?, &mut problems)?;
    let acquired_at = Some(clock::read(&header.time, "header, time", &mut problems));
    Ok(Recording {
        format: super::FORMAT,
        format_detail: "native file of eight channels, scale declared beside it".into(),
        source_id: header.case,
        device: DeviceDescription {
            manufacturer: Some("Contec".into()),
            ..DeviceDescription::default()
        },
        patient: DevicePatient {
            id: layout.patient_id.map(Phi::new),
            name_as_written: header.name,
            sex: header.sex,
            age_years: header.age_years,
            ..DevicePatient::default()
        },
        acquired_at,
        accession: None,
        rhythm,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: other.into_iter().chain(layout.other).collect(),
        problems,
    })
}

/// One converter of these files writes 5 uV for a count and another one 30.5 uV. Neither is proof.
fn uv_per_count(layout: &Layout) -> Result<f64, Refusal> {
    let refused =
        |code: &str, text: &str| Err(Refusal::new(RefusalReason::Ambiguous, code, "layout", text));
    let says_what_the_file_says = layout.columns.is_some()
        || layout.acquired_at.is_some()
        || layout.patient_name.is_some()
        || layout.rate_hz.is_some_and(|hz| hz != RATE_HZ);
    if says_what_the_file_says {
        let text = "of this format a layout declares the unit and a patient identifier only";
        return refused("layout_conflict", text);
    }
    let Some(uv_per_count) = layout.uv_per_unit else {
        let text = "the file does not say how large one count of its samples is";
        let hint = "send a second part beside it: `# ecg-layout: 1` and, with the size that the \
                    device's calibration shows, `# unit: 5 uV`";
        return Err(
            Refusal::new(RefusalReason::Ambiguous, "scale_absent", "samples", text).hint(hint)
        );
    };
    Ok(uv_per_count)
}

fn signal(
    rows: &[[u8; CHANNELS * 2]],
    uv_per_count: f64,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let place = "samples";
    let rate = rhythm::rate(RATE_HZ, place)?;
    rhythm::check_length(rate.seconds(rows.len()), place, problems)?;
    let text = "which count is zero is not said; 2048, the middle of the range, was taken, and \
                only the offset of a lead depends on it";
    problems.push(Problem::info("zero_level_assumed", place, text));
    let in_uv = |low: u8, high: u8| match u16::from_le_bytes([low, high]) {
        NO_ELECTRODE => f32::NAN,
        count => (f64::from(i32::from(count) - i32::from(ZERO_LEVEL)) * uv_per_count) as f32,
    };
    let traces = LEADS.iter().enumerate().map(|(channel, &lead)| {
        let samples_uv =
            rows.iter().map(|row| in_uv(row[2 * channel], row[2 * channel + 1])).collect();
        build::recorded(lead, samples_uv, Filters::default())
    });
    build::signal(rate, traces.collect(), place, problems)
}

fn truncated(text: &str) -> Refusal {
    Refusal::new(RefusalReason::Truncated, "file_truncated", "end of the file", text)
        .hint("the file may still have been on its way; try again when its size is stable")
}
