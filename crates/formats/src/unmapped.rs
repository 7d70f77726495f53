//! What a file says and a recording has no place for, kept as written and within bounds.

use precordia_model::{Phi, UnmappedField};

/// The file itself is kept whole, so a longer text is only named with its size.
const CHARACTERS_MAX: usize = 2000;

const FIELDS_MAX: usize = 500;

/// Blank values say nothing and are left out.
pub(crate) fn keep(fields: &mut Vec<UnmappedField>, place: impl Into<String>, value: &str) {
    let value = value.trim();
    if value.is_empty() || fields.len() >= FIELDS_MAX {
        return;
    }
    let value = if value.len() > CHARACTERS_MAX {
        format!("({} bytes)", value.len())
    } else {
        value.to_owned()
    };
    fields.push(UnmappedField { place: place.into(), value: Phi::new(value) });
}
