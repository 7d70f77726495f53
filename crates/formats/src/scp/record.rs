//! The record, its pointer section and where each section lies. EN 1064 5.2 and 5.3.
//!
//! A section is believed where a pointer and the section's own header agree. Where they do not, it is
//! looked for where the sections follow each other, and taken only if a second field proves it.

use precordia_model::{Problem, Refusal, RefusalReason};

use super::bytes::{Bytes, crc_ccitt};

/// Checksum and length of the record come before section 0.
const RECORD_HEADER: usize = 6;
/// Checksum, number, length, two versions and six reserved bytes.
pub(crate) const SECTION_HEADER: usize = 16;
const POINTER: usize = 10;
/// Standard sections, reserved ones and the 896 of manufacturers (5.2.7).
const POINTERS_MAX: usize = 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Section<'a> {
    pub id: u16,
    pub body: &'a [u8],
}

/// Why a section that the pointers name is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// It would end after the last byte.
    Truncated,
    /// What lies there is not that section.
    Misplaced,
}

#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub sections: Vec<Section<'a>>,
    /// Version of the protocol, times ten: 13, 20, 30.
    pub protocol: u8,
    lost: Vec<(u16, Loss)>,
}

impl<'a> Record<'a> {
    pub fn body(&self, id: u16) -> Option<&'a [u8]> {
        self.sections.iter().find(|section| section.id == id).map(|section| section.body)
    }

    /// The section or `None` where the record has none; a refusal where it has one that cannot be read.
    pub fn needed(&self, id: u16) -> Result<Option<&'a [u8]>, Refusal> {
        match self.lost.iter().find(|(lost, _)| *lost == id) {
            Some((_, loss)) => Err(refused(id, *loss)),
            None => Ok(self.body(id)),
        }
    }
}

/// Known by the mark in section 0's header, or, where a device leaves it out, by a pointer section whose
/// first pointer is to itself.
pub(crate) fn looks_like_scp(bytes: &[u8]) -> bool {
    let at = Bytes(bytes);
    if at.u16(8) != Some(0) {
        return false;
    }
    if at.slice(16, 6) == Some(b"SCPECG") {
        return true;
    }
    let length = at.u32(10);
    length.is_some_and(|length| (26..=16 + 10 * 1024).contains(&length) && length % 10 == 6)
        && at.u16(22) == Some(0)
        && at.u32(24) == length
        && matches!(at.u32(28), Some(6 | 7))
}

pub(crate) fn open<'a>(
    bytes: &'a [u8],
    problems: &mut Vec<Problem>,
) -> Result<Record<'a>, Refusal> {
    let at = Bytes(bytes);
    let pointers_length = at.size(RECORD_HEADER + 4).ok_or_else(|| truncated(bytes.len()))?;
    let protocol = at.u8(RECORD_HEADER + 9).ok_or_else(|| truncated(bytes.len()))?;
    if pointers_length < SECTION_HEADER + POINTER
        || (pointers_length - SECTION_HEADER) / POINTER > POINTERS_MAX
    {
        let text = format!("the pointer section says that it has {pointers_length} bytes");
        return Err(Refusal::new(RefusalReason::Malformed, "pointers_invalid", "section 0", text));
    }
    let pointers =
        at.slice(RECORD_HEADER, pointers_length).ok_or_else(|| truncated(bytes.len()))?;
    if at.slice(16, 6) != Some(b"SCPECG") {
        let text = "the mark SCPECG is missing from the pointer section";
        problems.push(Problem::info("mark_missing", "section 0", text));
    }
    let mut finder = Finder::new(bytes, RECORD_HEADER + pointers_length);
    let mut record = Record { sections: Vec::new(), protocol, lost: Vec::new() };
    for pointer in pointers[SECTION_HEADER..].chunks_exact(POINTER).map(Bytes) {
        let (Some(id), Some(length), Some(index)) =
            (pointer.u16(0), pointer.size(2), pointer.size(6))
        else {
            continue;
        };
        if id == 0 || length == 0 {
            continue;
        }
        if record.sections.iter().any(|section| section.id == id) {
            let text = "two pointers are to sections of one number; the first was taken";
            problems.push(Problem::warning("section_repeated", place(id), text));
            continue;
        }
        match finder.find(id, length, index) {
            Ok(whole) => {
                check_section_crc(id, whole, problems);
                record.sections.push(Section { id, body: &whole[SECTION_HEADER..] });
            }
            Err(loss) => {
                problems.push(Problem::error("section_lost", place(id), loss_text(loss)));
                record.lost.push((id, loss));
            }
        }
    }
    check_section_crc(0, pointers, problems);
    finder.report(problems);
    check_record(bytes, finder.end, problems);
    Ok(record)
}

pub(crate) fn place(id: u16) -> String {
    format!("section {id}")
}

/// Finds sections and remembers how the pointers were wrong.
struct Finder<'a> {
    bytes: &'a [u8],
    /// Sections as they follow each other: number, place and length.
    chain: Vec<(u16, usize, usize)>,
    /// Where the last section that was found ends.
    end: usize,
    zero_based: bool,
    repaired: Vec<u16>,
}

impl<'a> Finder<'a> {
    fn new(bytes: &'a [u8], first: usize) -> Self {
        let mut chain = Vec::new();
        let mut at = first;
        while let Some((id, length)) = header(bytes, at) {
            if length < SECTION_HEADER || chain.len() >= POINTERS_MAX {
                break;
            }
            let Some(next) = at.checked_add(length).filter(|next| *next <= bytes.len()) else {
                break;
            };
            chain.push((id, at, length));
            at = next;
        }
        Self { bytes, chain, end: first, zero_based: false, repaired: Vec::new() }
    }

    /// All bytes of a section, its header included. Pointers count bytes from 1 (5.3.3).
    fn find(&mut self, id: u16, length: usize, index: usize) -> Result<&'a [u8], Loss> {
        let from_one = index.checked_sub(1);
        if let Some(at) = from_one
            && header(self.bytes, at) == Some((id, length))
        {
            return self.take(at, length).ok_or(Loss::Truncated);
        }
        if header(self.bytes, index) == Some((id, length)) {
            self.zero_based = true;
            return self.take(index, length).ok_or(Loss::Truncated);
        }
        let chained = self.chain.iter().copied().find(|(chained, ..)| *chained == id);
        let there = from_one.and_then(|at| Some((at, header(self.bytes, at)?)));
        let candidates = [
            chained.map(|(_, at, own)| (at, own)),
            there.filter(|(_, (found, _))| *found == id).map(|(at, (_, own))| (at, own)),
            there.filter(|(_, (found, _))| *found == id).map(|(at, _)| (at, length)),
        ];
        for (at, own) in candidates.into_iter().flatten() {
            // The number alone could be chance: the pointer's length or the checksum must agree.
            let proven = own == length && chained.is_some_and(|(_, chain_at, _)| chain_at == at)
                || section(self.bytes, at, own).is_some_and(crc_agrees);
            if proven && let Some(whole) = self.take(at, own) {
                self.repaired.push(id);
                return Ok(whole);
            }
        }
        let ends_after = from_one.and_then(|at| at.checked_add(length)).unwrap_or(usize::MAX);
        Err(if ends_after > self.bytes.len() { Loss::Truncated } else { Loss::Misplaced })
    }

    fn take(&mut self, at: usize, length: usize) -> Option<&'a [u8]> {
        let whole = section(self.bytes, at, length)?;
        self.end = self.end.max(at + length);
        Some(whole)
    }

    fn report(&self, problems: &mut Vec<Problem>) {
        if self.zero_based {
            let text =
                "pointers count bytes from 0 and not from 1; the sections' own headers prove it";
            problems.push(Problem::warning("pointers_zero_based", "section 0", text));
        }
        for &id in &self.repaired {
            let text = "its pointer is wrong; it was found by its own header where sections follow each other";
            problems.push(Problem::warning("pointer_repaired", place(id), text));
        }
    }
}

fn section(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    if length < SECTION_HEADER { None } else { Bytes(bytes).slice(at, length) }
}

/// Number and length of the section whose header lies at a place.
fn header(bytes: &[u8], at: usize) -> Option<(u16, usize)> {
    let bytes = Bytes(bytes.get(at..)?);
    Some((bytes.u16(2)?, bytes.size(4)?))
}

fn crc_agrees(section: &[u8]) -> bool {
    Bytes(section).u16(0) == section.get(2..).map(crc_ccitt)
}

fn check_section_crc(id: u16, section: &[u8], problems: &mut Vec<Problem>) {
    if !crc_agrees(section) {
        let text = "the checksum does not agree with the content, which may be damaged";
        problems.push(Problem::warning("crc_section", place(id), text));
    }
}

fn check_record(bytes: &[u8], end: usize, problems: &mut Vec<Problem>) {
    let declared = Bytes(bytes).size(2).unwrap_or(0);
    let swapped = declared >> 16 | (declared & 0xFFFF) << 16;
    let fits = |length: usize| bytes.get(..length).filter(|record| record.len() >= end);
    let record = fits(declared).or_else(|| fits(swapped)).unwrap_or(bytes);
    if record.len() != declared {
        let swap = if record.len() == swapped { "; with its halves exchanged it fits" } else { "" };
        let text = format!(
            "the record says that it has {declared} bytes, its sections end at {end} of {}{swap}",
            bytes.len()
        );
        problems.push(Problem::warning("record_length_wrong", "record", text));
    }
    if record.len() < bytes.len() {
        let text = format!("{} bytes follow the record's end", bytes.len() - record.len());
        problems.push(Problem::info("trailing_bytes", "record", text));
    }
    if Bytes(bytes).u16(0) != record.get(2..).map(crc_ccitt) {
        let text = "the record's checksum does not agree with its content, which may be damaged";
        problems.push(Problem::warning("crc_record", "record", text));
    }
}

const fn loss_text(loss: Loss) -> &'static str {
    match loss {
        Loss::Truncated => "the section lies beyond the end of the file",
        Loss::Misplaced => "where its pointer leads is another section, or one of another length",
    }
}

fn refused(id: u16, loss: Loss) -> Refusal {
    let (reason, code) = match loss {
        Loss::Truncated => (RefusalReason::Truncated, "section_truncated"),
        Loss::Misplaced => (RefusalReason::Malformed, "section_misplaced"),
    };
    Refusal::new(reason, code, place(id), loss_text(loss))
}

fn truncated(length: usize) -> Refusal {
    let text = format!("the file ends after {length} bytes, within the pointer section");
    Refusal::new(RefusalReason::Truncated, "record_truncated", "section 0", text)
}
