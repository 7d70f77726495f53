//! The annotation block: ticks of beats and their types. A recording has no place for a device's
//! beats, so they are kept as written.

use precordia_model::{Problem, UnmappedField};

use super::block::Block;
use crate::unmapped;

/// More than half a minute at any heart rate.
const BEATS_KEPT_MAX: usize = 150;

pub(super) fn read(
    block: &Block<'_>,
    fields: &mut Vec<UnmappedField>,
    problems: &mut Vec<Problem>,
) {
    let Some((ticks_per_second, rest)) = block.data.split_first_chunk::<4>() else {
        return unreadable(block, problems);
    };
    let (beats, left_over) = rest.as_chunks::<6>();
    if !left_over.is_empty() {
        return unreadable(block, problems);
    }
    let kept: Vec<String> = beats
        .iter()
        .take(BEATS_KEPT_MAX)
        .map(|&[a, b, c, d, e, f]| {
            let tick = u32::from_le_bytes([a, b, c, d]);
            format!("{tick} {}", kind(u16::from_le_bytes([e, f])))
        })
        .collect();
    let rate = u32::from_le_bytes(*ticks_per_second);
    unmapped::keep(fields, "ann/ticks per second", &rate.to_string());
    unmapped::keep(fields, "ann/number of beats", &beats.len().to_string());
    for (index, some) in kept.chunks(30).enumerate() {
        let place = format!("ann/tick and type of beats from {}", index * 30 + 1);
        unmapped::keep(fields, place, &some.join(", "));
    }
}

/// Specification 1.7, table of beat types.
fn kind(number: u16) -> String {
    match number {
        0 => "unknown".into(),
        1 => "normal".into(),
        2 => "ventricular".into(),
        3 => "atrial".into(),
        4 => "fusion".into(),
        5 => "junctional".into(),
        6 => "paced".into(),
        other => format!("type {other}"),
    }
}

fn unreadable(block: &Block<'_>, problems: &mut Vec<Problem>) {
    let text = "the list of beats has a length that no number of beats has; it was not read";
    problems.push(Problem::warning("annotations_unreadable", block.place(), text));
}
