//! Where the samples of each lead lie and what they mean, as plain data.

use precordia_model::{Filters, GroupKind, Lead, Problem, Refusal, RefusalReason, SampleRate};

use super::encoding::Encoding;
use super::parts::Parts;

/// No amplifier resolves finer or coarser than this a bit; a scale outside is a damaged number.
const UV_PER_UNIT: std::ops::RangeInclusive<f64> = 1e-6..=1e6;

/// Longer than any recorder runs; a longer time is a damaged number.
const DURATION_S_MAX: f64 = 400.0 * 86_400.0;

/// No offset of an electrocardiograph is larger.
const OFFSET_UV_MAX: f64 = 1e9;

/// The rhythm first, then what was sampled at another rate.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub groups: Vec<Group>,
}

/// Leads that were sampled at the same moments.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub kind: GroupKind,
    pub label: String,
    pub rate: SampleRate,
    /// Samples of each lead, gaps included.
    pub length: u64,
    pub channels: Vec<Channel>,
}

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub lead: Lead,
    pub filters: Filters,
    /// In order of time; what lies between them is a gap.
    pub runs: Vec<Run>,
}

/// One stretch of one lead that lies in regular frames of one part.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The recording's sample at which it begins.
    pub at: u64,
    pub count: u64,
    /// Samples of the lead that lie before the first of these.
    pub skip: u64,
    pub part: usize,
    /// Byte of the part at which the first frame begins.
    pub start: u64,
    /// Slot of a frame at which the lead's samples begin.
    pub first: u64,
    /// Slots of a frame.
    pub frame: u64,
    /// Samples that the lead has in a frame.
    pub per_frame: u64,
    pub encoding: Encoding,
    pub scale: Scale,
    /// The stored value that means that there is none.
    pub gap: Option<i64>,
    pub stated: Option<Stated>,
}

/// (stored - `zero`) * `uv_per_unit` + `offset_uv`
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scale {
    pub zero: f64,
    pub uv_per_unit: f64,
    pub offset_uv: f64,
}

/// What the header says about a stretch beside where it lies; compared once it was read whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub place: String,
    pub first: Option<i64>,
    /// The sum of all stored values, modulo 65536.
    pub sum: Option<u16>,
}

impl Scale {
    /// Refuses a scale that gives no amplitude which an ECG has.
    pub(crate) fn checked(self, place: &str) -> Result<Self, Refusal> {
        let Self { zero, uv_per_unit, offset_uv } = self;
        let span_uv = (zero * uv_per_unit).abs().max(offset_uv.abs());
        if UV_PER_UNIT.contains(&uv_per_unit.abs()) && span_uv <= OFFSET_UV_MAX {
            return Ok(self);
        }
        let text = "the scale gives no amplitude that an ECG has";
        Err(Refusal::new(RefusalReason::Malformed, "scale_invalid", place, text))
    }

    pub(crate) fn microvolts(self, stored: f64) -> f32 {
        ((stored - self.zero) * self.uv_per_unit + self.offset_uv) as f32
    }
}

impl Run {
    /// The slot, from the start of the first frame, at which the lead's `index`th sample begins.
    pub(crate) fn slot(&self, index: u64) -> Option<u64> {
        let frames = (index / self.per_frame).checked_mul(self.frame)?;
        let within = (index % self.per_frame).checked_mul(self.encoding.slots())?;
        self.first.checked_add(frames)?.checked_add(within)
    }

    /// The byte of the part after the last sample.
    fn end(&self) -> Option<u64> {
        let last = self.skip.checked_add(self.count)?.checked_sub(1)?;
        let slots = self.slot(last)?.checked_add(self.encoding.slots())?;
        self.start.checked_add(self.encoding.bytes_of(slots)?)
    }

    /// Compares what was read with what the header said.
    pub(crate) fn compare(&self, first: Option<i64>, sum: u16, problems: &mut Vec<Problem>) {
        let Some(stated) = &self.stated else { return };
        if let (Some(said), Some(read)) = (stated.first, first)
            && said != read
        {
            let text = format!(
                "the header says that the first sample is {said} and it is {read}; both kept as they are"
            );
            problems.push(Problem::warning("initial_value_mismatch", &*stated.place, text));
        }
        match stated.sum {
            Some(said) if said == sum => {}
            // Many writers leave the field at zero instead of computing it.
            Some(0) => {
                let text = "the header's checksum is 0 and was not computed; nothing vouches for the samples";
                problems.push(Problem::info("checksum_absent", &*stated.place, text));
            }
            Some(_) => {
                let text = "the samples do not have the sum that the header states; one of both was changed";
                problems.push(Problem::warning("checksum_mismatch", &*stated.place, text));
            }
            None => {}
        }
    }
}

impl Layout {
    /// All samples of all leads, gaps included.
    pub(crate) fn samples(&self) -> u64 {
        let of = |group: &Group| group.length.saturating_mul(group.channels.len() as u64);
        self.groups.iter().map(of).fold(0, u64::saturating_add)
    }

    /// Believes no size before it was looked at: every stretch must lie inside its part.
    pub(crate) fn check(&self, parts: &Parts<'_>) -> Result<(), Refusal> {
        for group in &self.groups {
            if group.length as f64 / group.rate.hz() > DURATION_S_MAX {
                let text = "the header states a longer time than any recorder runs";
                return Err(Refusal::new(
                    RefusalReason::Malformed,
                    "duration_implausible",
                    "header",
                    text,
                ));
            }
        }
        let channels =
            self.groups.iter().flat_map(|group| group.channels.iter().map(move |one| (group, one)));
        for (group, channel) in channels {
            for run in &channel.runs {
                let inside = run.at.checked_add(run.count).is_some_and(|end| end <= group.length);
                if run.count == 0 || run.per_frame == 0 || run.frame == 0 || !inside {
                    let text = "a stretch of samples does not lie inside the recording";
                    let place = Parts::label(run.part);
                    return Err(Refusal::new(
                        RefusalReason::Malformed,
                        "layout_invalid",
                        place,
                        text,
                    ));
                }
                let has = parts.size(run.part);
                let name = Parts::label(run.part);
                match run.end() {
                    Some(needs) if needs <= has => {}
                    Some(needs) => return Err(truncated(&name, needs, has)),
                    None => return Err(truncated(&name, u64::MAX, has)),
                }
            }
        }
        Ok(())
    }
}

fn truncated(name: &str, needs: u64, has: u64) -> Refusal {
    let text = format!("the header needs {needs} bytes of samples and there are {has}");
    Refusal::new(RefusalReason::Truncated, "samples_truncated", name, text)
        .hint("the file may still have been on its way; try again when its size is stable")
}
