//! Long-term rhythm of version 3. EN 1064:2020 section 12.
//!
//! Its layout is known from one independent writer only. It is read where every size in it agrees and
//! section 3 names the same leads and samples, and always said to be unproven.

use precordia_model::{Filters, Problem, Refusal, RefusalReason, Signal, Trace};

use super::bytes::Bytes;
use super::leads::Leads;
use crate::build;

const PLACE: &str = "section 12";
/// Rate, number of leads and samples, bytes of a sample, date and time, and what is reserved.
const FIXED: usize = 70;
/// Number and multiplier of a lead.
const LEAD: usize = 4;

pub(crate) fn read(
    body: &[u8],
    leads: &Leads,
    filters: Filters,
    problems: &mut Vec<Problem>,
) -> Result<Signal, Refusal> {
    let bytes = Bytes(body);
    let fields = || Some((bytes.u32(0)?, bytes.u8(4)?, bytes.size(5)?, bytes.u8(9)?));
    let Some((rate_hz, count, samples, sample_bytes)) = fields() else {
        return Err(refused(
            RefusalReason::Truncated,
            "section_truncated",
            "the section is too short",
        ));
    };
    let count = usize::from(count);
    if sample_bytes != 2 {
        let text = format!("samples of {sample_bytes} bytes are not read");
        return Err(refused(RefusalReason::Unsupported, "sample_size", &text));
    }
    let size =
        samples.checked_mul(count * 2).and_then(|size| size.checked_add(FIXED + LEAD * count));
    if size != Some(body.len()) {
        let text = "the numbers of leads and samples do not make the length of the section";
        return Err(refused(RefusalReason::Malformed, "long_term_length", text));
    }
    let mut scales_uv = Vec::with_capacity(count);
    for (index, definition) in leads.definitions.iter().enumerate() {
        let at = FIXED + LEAD * index;
        let same =
            index < count && bytes.u8(at) == Some(definition.id) && definition.count() == samples;
        let multiplier_nv = bytes.u32(at).map_or(0, |word| word >> 8);
        if !same || leads.definitions.len() != count {
            let text = "sections 3 and 12 name other leads or numbers of samples";
            return Err(refused(RefusalReason::Ambiguous, "long_term_leads", text));
        }
        if multiplier_nv == 0 {
            let text = "the amplitude of one unit is given as 0";
            return Err(refused(RefusalReason::Ambiguous, "amplitude_multiplier_zero", text));
        }
        scales_uv.push(f64::from(multiplier_nv) / 1000.0);
    }
    let rate = crate::rhythm::rate(f64::from(rate_hz), PLACE)?;
    let text = "long-term rhythm is known from one writer: rate in hertz and multiplier in nanovolts \
                are read as it writes them";
    problems.push(Problem::warning("format_unproven", PLACE, text));
    let data = body.get(FIXED + LEAD * count..).unwrap_or_default();
    let mut traces: Vec<Trace> = Vec::with_capacity(count);
    for (index, (definition, scale_uv)) in leads.definitions.iter().zip(scales_uv).enumerate() {
        let Some(lead) = definition.lead() else {
            let text =
                format!("a lead with the number {} is not known and was not read", definition.id);
            problems.push(Problem::error("lead_unknown", PLACE, text));
            continue;
        };
        // One sample of every lead after the other.
        let own = data.chunks_exact(2).skip(index).step_by(count);
        let samples_uv =
            own.map(|two| (f64::from(i16::from_le_bytes([two[0], two[1]])) * scale_uv) as f32);
        traces.push(build::recorded(lead, samples_uv.collect(), filters));
    }
    let signal = build::signal(rate, traces, PLACE, problems)?;
    crate::rhythm::check_length(signal.duration_s(), PLACE, problems)?;
    Ok(signal)
}

fn refused(reason: RefusalReason, code: &str, text: &str) -> Refusal {
    Refusal::new(reason, code, PLACE, text)
}
