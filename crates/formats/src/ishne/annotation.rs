//! A file of beat labels beside the samples: a copy of the header, then four bytes a beat.

use std::collections::BTreeMap;

use precordia_model::{Phi, Problem, Refusal, UnmappedField};

use super::header;
use crate::frames::Parts;

/// After the header stands the first beat's sample, in four bytes.
const BEATS_FROM: u64 = header::BYTES as u64 + 4;

/// A beat of a quarter second over ten days is not reached.
const BYTES_MAX: u64 = 16 << 20;

pub(crate) fn is_annotations(bytes: &[u8]) -> bool {
    bytes.starts_with(b"ANN  1.0") || bytes.starts_with(b"ANN  2.0")
}

/// How many beats have which label. The file itself is kept whole.
pub(crate) fn counted(
    parts: &mut Parts<'_>,
    part: usize,
    problems: &mut Vec<Problem>,
) -> Result<Option<UnmappedField>, Refusal> {
    let bytes = parts.size(part).saturating_sub(BEATS_FROM);
    if bytes > BYTES_MAX {
        problems.push(Problem::warning(
            "annotations_many",
            "beat labels",
            "the file of beat labels is too large; it was not read",
        ));
        return Ok(None);
    }
    let mut counts: BTreeMap<char, u64> = BTreeMap::new();
    if bytes > 0 {
        for beat in parts.slice(part, BEATS_FROM, bytes)?.chunks_exact(4) {
            let label = char::from(beat[0]);
            *counts.entry(if label.is_ascii_graphic() { label } else { '?' }).or_default() += 1;
        }
    }
    let labels: Vec<String> =
        counts.iter().map(|(label, count)| format!("{label} {count}")).collect();
    let text = "beat labels came along; they were counted and not interpreted";
    problems.push(Problem::info("annotations_counted", "beat labels", text));
    Ok(Some(UnmappedField { place: "beat labels".to_owned(), value: Phi::new(labels.join(", ")) }))
}
