//! The coded samples of sections 5 and 6. EN 1064 5.8 and 5.9.
//!
//! How many samples a lead has is said elsewhere (sections 3 and 4). That number and the bytes of the
//! lead must agree: this proves the number, the table and the kind of coding at once.

use precordia_model::{Problem, Refusal, RefusalReason};

use super::bytes::Bytes;
use super::huffman::{self, Fault, Table};

/// Three quarters of an hour of twelve leads at 1 kHz; a stream of single bits could ask for far more.
pub(crate) const SAMPLES_MAX: usize = 1 << 25;

/// Bytes that may follow a lead's last sample: what fills up 16 bits, and as much again from writers
/// that round up twice.
const FILL_BYTES_MAX: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Difference {
    None,
    First,
    Second,
}

/// How a section's samples are coded, as section 2 says it.
pub(crate) enum Coding {
    Raw,
    Huffman(Vec<Table>),
}

#[derive(Debug)]
pub(crate) struct Block<'a> {
    /// Nanovolts of one unit of a sample.
    pub multiplier_nv: u16,
    pub interval_us: u16,
    difference: Difference,
    /// Bimodal compression, up to version 2.
    pub flag: u8,
    lengths: Vec<usize>,
    data: &'a [u8],
    place: &'static str,
}

impl<'a> Block<'a> {
    pub fn parse(body: &'a [u8], leads: usize, place: &'static str) -> Result<Self, Refusal> {
        let bytes = Bytes(body);
        let short = || {
            let text = "the section ends before the lengths of its leads";
            Refusal::new(RefusalReason::Truncated, "section_truncated", place, text)
        };
        let (multiplier_nv, interval_us) = bytes.u16(0).zip(bytes.u16(2)).ok_or_else(short)?;
        let difference = match bytes.u8(4).ok_or_else(short)? {
            0 => Difference::None,
            1 => Difference::First,
            2 => Difference::Second,
            other => {
                let text = format!("samples are coded in a way that is not known ({other})");
                return Err(Refusal::new(
                    RefusalReason::Unsupported,
                    "difference_unknown",
                    place,
                    text,
                ));
            }
        };
        let flag = bytes.u8(5).ok_or_else(short)?;
        let lengths: Option<Vec<usize>> =
            (0..leads).map(|lead| bytes.u16(6 + 2 * lead).map(usize::from)).collect();
        let lengths = lengths.ok_or_else(short)?;
        let data = body.get(6 + 2 * leads..).ok_or_else(short)?;
        Ok(Self { multiplier_nv, interval_us, difference, flag, lengths, data, place })
    }

    /// The samples of every lead, in units of the multiplier.
    pub fn samples(
        &self,
        counts: &[usize],
        coding: &Coding,
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Vec<i16>>, Refusal> {
        let all = counts.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count));
        if all.is_none_or(|all| all > SAMPLES_MAX || all > self.data.len().saturating_mul(8)) {
            let text = "more samples are declared than its bytes can hold";
            return Err(self.refused("samples_too_many", text));
        }
        let values = match coding {
            Coding::Raw => self.raw(counts, problems)?,
            Coding::Huffman(tables) => self.huffman(counts, tables, problems)?,
        };
        Ok(values.into_iter().map(|lead| self.summed(lead)).collect())
    }

    fn raw(&self, counts: &[usize], problems: &mut Vec<Problem>) -> Result<Vec<Vec<i16>>, Refusal> {
        let sizes: Vec<usize> = counts.iter().map(|count| count * 2).collect();
        if sizes != self.lengths {
            // 16 bits of length are too few for long recordings; the section's own size then proves it.
            let all: usize = sizes.iter().sum();
            let too_long =
                |(size, length): (&usize, &usize)| size == length || *size > usize::from(u16::MAX);
            let proven = sizes.iter().zip(&self.lengths).all(too_long)
                && self.data.len().checked_sub(all).is_some_and(|left| left <= 1);
            if !proven {
                let text = "the samples are not coded, and their number and the bytes of the leads disagree";
                return Err(self.refused("lead_length_disagrees", text));
            }
            self.report_overflow(problems);
        }
        let mut at = 0;
        let mut leads = Vec::with_capacity(sizes.len());
        for size in sizes {
            let bytes = self.data.get(at..at + size).ok_or_else(|| self.truncated())?;
            leads.push(
                bytes.chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect(),
            );
            at += size;
        }
        Ok(leads)
    }

    fn huffman(
        &self,
        counts: &[usize],
        tables: &[Table],
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Vec<i16>>, Refusal> {
        let declared: usize = self.lengths.iter().sum();
        let fault = match self.within_lengths(counts, tables, problems) {
            Ok(leads) => return Ok(leads),
            Err(fault) => fault,
        };
        if let Some(leads) = self.beyond_lengths(counts, tables) {
            self.report_overflow(problems);
            return Ok(leads);
        }
        if counts.iter().zip(&self.lengths).all(|(count, length)| count * 2 == *length) {
            let text = "there is a Huffman table and the samples are not coded with it; \
                        two bytes a sample in every lead prove it";
            problems.push(Problem::warning("huffman_not_used", self.place, text));
            return self.raw(counts, problems);
        }
        if declared > self.data.len() {
            return Err(self.truncated());
        }
        let text = match fault {
            LeadFault::Coded(Fault::Short) => "a lead's bits end before its last sample",
            LeadFault::Coded(Fault::NoCode) => {
                "a lead holds bits that are no code of the Huffman table"
            }
            LeadFault::Left => "a lead holds more than its declared samples",
        };
        Err(self.refused("lead_length_disagrees", text))
    }

    fn within_lengths(
        &self,
        counts: &[usize],
        tables: &[Table],
        problems: &mut Vec<Problem>,
    ) -> Result<Vec<Vec<i16>>, LeadFault> {
        let (mut at, mut filled) = (0, false);
        let mut leads = Vec::with_capacity(counts.len());
        for (&count, &length) in counts.iter().zip(&self.lengths) {
            let bytes = self.data.get(at..at + length).ok_or(LeadFault::Coded(Fault::Short))?;
            let (values, bits) = huffman::decode(bytes, count, tables).map_err(LeadFault::Coded)?;
            let left = &bytes[bits.div_ceil(8)..];
            if left.iter().any(|byte| *byte != 0) {
                return Err(LeadFault::Left);
            }
            filled |= left.len() > FILL_BYTES_MAX;
            leads.push(values.into_iter().map(low_16_bits).collect());
            at += length;
        }
        if filled {
            let text =
                "zero bytes follow the declared samples of a lead; they were not read as samples";
            problems.push(Problem::warning("lead_filled", self.place, text));
        }
        Ok(leads)
    }

    /// For lengths that 16 bits were too few for: the leads one after the other, each as long as its
    /// samples and its length's low 16 bits say, and together as long as the section.
    fn beyond_lengths(&self, counts: &[usize], tables: &[Table]) -> Option<Vec<Vec<i16>>> {
        const WRAP: usize = 1 << 16;
        let mut at = 0_usize;
        let mut leads = Vec::with_capacity(counts.len());
        for (&count, &length) in counts.iter().zip(&self.lengths) {
            let (values, bits) = huffman::decode(self.data.get(at..)?, count, tables).ok()?;
            let least = bits.div_ceil(8);
            let wraps = least.saturating_sub(length).div_ceil(WRAP);
            at = at.checked_add(length + wraps * WRAP)?;
            leads.push(values.into_iter().map(low_16_bits).collect());
        }
        let left = self.data.len().checked_sub(at)?;
        (left <= 1 && at > self.lengths.iter().sum()).then_some(leads)
    }

    /// Samples from their differences (5.8.3). Samples have 16 bits, and so had the writer's
    /// arithmetic: a difference that went over its end comes back the same way.
    fn summed(&self, mut values: Vec<i16>) -> Vec<i16> {
        match self.difference {
            Difference::None => {}
            Difference::First => {
                for at in 1..values.len() {
                    values[at] = values[at].wrapping_add(values[at - 1]);
                }
            }
            Difference::Second => {
                for at in 2..values.len() {
                    let straight = values[at - 1].wrapping_mul(2).wrapping_sub(values[at - 2]);
                    values[at] = values[at].wrapping_add(straight);
                }
            }
        }
        values
    }

    fn report_overflow(&self, problems: &mut Vec<Problem>) {
        let text = "leads are longer than 16 bits of length can say; \
                    their samples and the section's length prove how long they are";
        problems.push(Problem::warning("lead_length_overflow", self.place, text));
    }

    fn refused(&self, code: &str, text: &str) -> Refusal {
        Refusal::new(RefusalReason::Malformed, code, self.place, text)
    }

    fn truncated(&self) -> Refusal {
        let text = "the leads are longer than the section";
        Refusal::new(RefusalReason::Truncated, "section_truncated", self.place, text)
    }
}

enum LeadFault {
    Coded(Fault),
    /// Bytes that are not zero follow the last sample.
    Left,
}

/// Differences are modulo 2^16, as in [`Block::summed`].
const fn low_16_bits(value: i32) -> i16 {
    value as i16
}
