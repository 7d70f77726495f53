//! Which leads there are and which stretch of the recording each holds. EN 1064 5.6.

use precordia_model::{Lead, Refusal, RefusalReason};

use super::bytes::Bytes;

const DEFINITION: usize = 9;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LeadDefinition {
    pub id: u8,
    /// Numbers of the first and last sample on the recording's one axis, from 1.
    pub first: u32,
    pub last: u32,
}

impl LeadDefinition {
    pub fn lead(self) -> Option<Lead> {
        Lead::from_scp_id(u16::from(self.id))
    }

    pub const fn count(self) -> usize {
        (self.last - self.first) as usize + 1
    }

    pub const fn stretch(self) -> (u32, u32) {
        (self.first, self.last)
    }
}

#[derive(Debug)]
pub(crate) struct Leads {
    pub definitions: Vec<LeadDefinition>,
    pub reference_beat_subtracted: bool,
    pub all_simultaneous: bool,
    /// Leads recorded at one time, 0 where not said.
    pub simultaneous: usize,
}

pub(crate) fn parse(body: &[u8]) -> Result<Leads, Refusal> {
    let bytes = Bytes(body);
    let refused =
        |code: &str, text: &str| Refusal::new(RefusalReason::Ambiguous, code, "section 3", text);
    let Some((count, flags)) = bytes.u8(0).zip(bytes.u8(1)) else {
        return Err(refused("leads_unknown", "the section of lead definitions is empty"));
    };
    let mut definitions = Vec::with_capacity(usize::from(count));
    for lead in 0..usize::from(count) {
        let at = 2 + lead * DEFINITION;
        let fields = || Some((bytes.u32(at)?, bytes.u32(at + 4)?, bytes.u8(at + 8)?));
        let Some((first, last, id)) = fields() else {
            let text = format!(
                "{count} leads are declared and {lead} defined; which the others are would have to be assumed"
            );
            return Err(refused("lead_undefined", &text));
        };
        // One more than the difference must be a number of samples.
        if last < first || last - first == u32::MAX {
            let text = format!("lead {} ends before it begins", lead + 1);
            return Err(refused("lead_stretch_invalid", &text));
        }
        definitions.push(LeadDefinition { id, first, last });
    }
    if definitions.is_empty() {
        let text = "the record defines no lead";
        return Err(Refusal::new(RefusalReason::NoWaveform, "leads_absent", "section 3", text));
    }
    Ok(Leads {
        definitions,
        reference_beat_subtracted: flags & 1 != 0,
        all_simultaneous: flags & 4 != 0,
        simultaneous: usize::from(flags >> 3),
    })
}
