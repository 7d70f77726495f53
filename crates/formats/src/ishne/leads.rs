//! Leads: their codes, qualities and resolutions (table 2 of the standard).

use precordia_model::{Filters, Lead, Problem, Refusal, RefusalReason};

use super::header::{Header, LEADS_MAX};
use crate::channel_name::{ChannelName, Naming};
use crate::frames::{Channel, Encoding, Run, Scale};

/// A lead that is not used, or a field that was not set.
const UNSET: i16 = -9;

/// The lead of a code, or the name of a code of which no lead is known.
fn lead(code: i16) -> Result<Lead, &'static str> {
    const CHEST: [Lead; 6] = [Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];
    Ok(match code {
        2 => Lead::X,
        3 => Lead::Y,
        4 => Lead::Z,
        5 => Lead::I,
        6 => Lead::II,
        7 => Lead::III,
        8 => Lead::AVR,
        9 => Lead::AVL,
        10 => Lead::AVF,
        11..=16 => CHEST[(code - 11) as usize],
        1 => return Err("generic bipolar"),
        17 => return Err("EASI ES"),
        18 => return Err("EASI AS"),
        19 => return Err("EASI AI"),
        _ => return Err(""),
    })
}

/// Every lead, whose samples lie in frames of one sample each from `samples_at` on.
pub(crate) fn channels(
    header: &Header,
    samples_at: u64,
    count: u64,
    part: usize,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Channel>, Refusal> {
    let leads = usize::try_from(header.leads).unwrap_or(0);
    let mut naming = Naming::default();
    let mut channels = Vec::with_capacity(leads);
    for index in 0..leads.min(LEADS_MAX) {
        let place = format!("lead {}", index + 1);
        let found = lead(header.lead_codes[index]);
        let found = match found {
            Ok(lead) => Some(lead),
            Err(name) => naming.lead(name, ChannelName::Unplaced, &place, problems),
        };
        if let (8..=10, Some(lead)) = (header.lead_codes[index], found) {
            // The standard's table calls them VR, VL and VF; recorders store the augmented leads.
            let text =
                format!("the format calls the lead {}; it is read as {lead}", &lead.name()[1..]);
            problems.push(Problem::info("lead_augmented", &*place, text));
        }
        quality(header.qualities[index], &place, problems);
        let Some(lead) = found else { continue };
        let nanovolts = header.resolutions_nv[index];
        if nanovolts <= 0 {
            let text = "the lead has no resolution, so its samples have no amplitude";
            return Err(Refusal::new(RefusalReason::Malformed, "scale_invalid", place, text));
        }
        let scale = Scale { zero: 0.0, uv_per_unit: f64::from(nanovolts) / 1000.0, offset_uv: 0.0 };
        let run = Run {
            at: 0,
            count,
            skip: 0,
            part,
            start: samples_at,
            first: 2 * index as u64,
            frame: 2 * leads as u64,
            per_frame: 1,
            encoding: Encoding::I16Le,
            scale: scale.checked(&place)?,
            gap: None,
            stated: None,
        };
        channels.push(Channel { lead, filters: Filters::default(), runs: vec![run] });
    }
    Ok(channels)
}

fn quality(code: i16, place: &str, problems: &mut Vec<Problem>) {
    let said = match code {
        2 => "noisy at times",
        3 => "often noisy",
        4 => "disconnected at times",
        5 => "often disconnected",
        _ => return,
    };
    let text = format!("the recorder says that the lead is {said}");
    problems.push(Problem::warning("lead_quality", place, text));
}

/// What the header says of leads that are not used.
pub(crate) fn check_unused(header: &Header, problems: &mut Vec<Problem>) {
    let leads = usize::try_from(header.leads).unwrap_or(0).min(LEADS_MAX);
    let described = |code: &&i16| **code != UNSET && **code != 0;
    let more = header.lead_codes[leads..].iter().filter(described).count();
    if more > 0 {
        let text = format!("{more} leads are described beyond the {leads} that are counted");
        problems.push(Problem::warning("leads_more", "header", text));
    }
}
