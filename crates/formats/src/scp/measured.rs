//! Global measurements, beats and pacing spikes of section 7, and the measurements in leads of
//! section 10. EN 1064 5.10 and 5.13.

use precordia_model::{Lead, Problem};

use super::bytes::Bytes;
use super::device_says::DeviceSays;

const BLOCK: usize = 16;
const SPIKE: usize = 4;
const SPIKE_INFO: usize = 6;
/// Not available, not measured, lead rejected: the values that stand for none (5.10.2).
const ABSENT: [u16; 3] = [29_999, 29_998, 19_999];

/// Onsets and offsets in milliseconds from the start of the reference beat, then axes, by their place
/// in a block.
const POINTS: [(usize, &str, &str); 8] = [
    (1, "P onset", "ms"),
    (3, "P offset", "ms"),
    (5, "QRS onset", "ms"),
    (7, "QRS offset", "ms"),
    (9, "T offset", "ms"),
    (11, "P axis", "deg"),
    (13, "QRS axis", "deg"),
    (15, "T axis", "deg"),
];

/// Intervals between the points, under the codes that the standard gives them in a lead.
const INTERVALS: [(&str, &str, usize, usize); 4] = [
    ("5.13.5-5", "P duration", 0, 2),
    ("5.13.5-7", "PR interval", 0, 4),
    ("5.13.5-9", "QRS duration", 4, 6),
    ("5.13.5-11", "QT interval", 4, 8),
];

/// Section 10's values in their order; 29 of them in the versions whose blocks have 58 or 62 bytes.
const LEAD_VALUES: [(&str, &str); 31] = [
    ("P duration", "ms"),
    ("PR interval", "ms"),
    ("QRS duration", "ms"),
    ("QT interval", "ms"),
    ("Q duration", "ms"),
    ("R duration", "ms"),
    ("S duration", "ms"),
    ("R' duration", "ms"),
    ("S' duration", "ms"),
    ("Q amplitude", "uV"),
    ("R amplitude", "uV"),
    ("S amplitude", "uV"),
    ("R' amplitude", "uV"),
    ("S' amplitude", "uV"),
    ("J amplitude", "uV"),
    ("P amplitude, positive", "uV"),
    ("P amplitude, negative", "uV"),
    ("T amplitude, positive", "uV"),
    ("T amplitude, negative", "uV"),
    ("ST slope", "uV/s"),
    ("P morphology", ""),
    ("T morphology", ""),
    ("isoelectric segment at QRS onset", "ms"),
    ("isoelectric segment at QRS offset", "ms"),
    ("intrinsicoid deflection", "ms"),
    ("quality code", ""),
    ("ST amplitude at J+20 ms", "uV"),
    ("ST amplitude at J+60 ms", "uV"),
    ("ST amplitude at J+80 ms", "uV"),
    ("ST amplitude at J+RR/16", "uV"),
    ("ST amplitude at J+RR/8", "uV"),
];
const INTERVALS_IN_LEAD: usize = 4;
const LENGTHS_KNOWN: [usize; 2] = [58, 62];

impl DeviceSays {
    /// Section 7.
    pub fn read_global(&mut self, body: &[u8], problems: &mut Vec<Problem>) {
        let bytes = Bytes(body);
        let (Some(blocks), Some(spikes)) = (bytes.u8(0), bytes.u8(1)) else { return };
        let mut global = |code: &str, label: &str, at: usize, unit: &str| {
            if let Some(value) = present(bytes, at) {
                self.measured(code, label, f64::from(value), unit, None, true);
            }
        };
        global("5.10.2.1-3", "average RR interval", 2, "ms");
        global("5.10.2.1-5", "average PP interval", 4, "ms");
        let mut at = 6;
        for block in 0..usize::from(blocks) {
            let Some(values) = bytes.slice(at, BLOCK) else {
                // What follows the blocks cannot be found without them.
                let text = "the section is shorter than the measurements that it declares";
                problems.push(Problem::warning("measurements_truncated", "section 7", text));
                return;
            };
            self.block(Bytes(values), block);
            at += BLOCK;
        }
        let spikes = usize::from(spikes);
        if bytes.slice(at, spikes * SPIKE).is_none() {
            let text = "the section is shorter than the pacing spikes that it declares";
            problems.push(Problem::warning("measurements_truncated", "section 7", text));
            return;
        }
        self.spikes(bytes, at, spikes);
        at += spikes * (SPIKE + SPIKE_INFO);
        let Some(beats) = bytes.u16(at).map(usize::from) else { return };
        let Some(kinds) = bytes.slice(at + 2, beats) else { return };
        if !kinds.is_empty() {
            let kinds: Vec<String> = kinds.iter().take(1000).map(u8::to_string).collect();
            self.keep("section 7 types of beats", &kinds.join(" "));
        }
        self.rates(bytes, at + 2 + beats);
    }

    fn block(&mut self, values: Bytes<'_>, block: usize) {
        let is_first = block == 0;
        let label = |name: &str| match block {
            0 => name.to_owned(),
            other => format!("{name}, beat type or beat {other}"),
        };
        for (code, name, from, to) in INTERVALS {
            if let (Some(from), Some(to)) = (present(values, from), present(values, to)) {
                let value = f64::from(to) - f64::from(from);
                self.measured(code, label(name), value, "ms", None, is_first);
            }
        }
        for (place, name, unit) in POINTS {
            let value = match unit {
                "ms" => present(values, place - 1).map(f64::from),
                _ => values.i16(place - 1).map(f64::from),
            };
            if let Some(value) = value {
                self.measured(&format!("5.10.3-{place}"), label(name), value, unit, None, is_first);
            }
        }
    }

    fn spikes(&mut self, bytes: Bytes<'_>, at: usize, count: usize) {
        for index in 0..count {
            let (spike, number) = (at + index * SPIKE, index + 1);
            if let Some(time) = present(bytes, spike) {
                self.measured(
                    "5.10.4-1",
                    format!("pacing spike {number}: time"),
                    f64::from(time),
                    "ms",
                    None,
                    false,
                );
            }
            if let Some(amplitude) = bytes.i16(spike + 2) {
                self.measured(
                    "5.10.4-3",
                    format!("pacing spike {number}: amplitude"),
                    f64::from(amplitude),
                    "uV",
                    None,
                    false,
                );
            }
            let info = at + count * SPIKE + index * SPIKE_INFO;
            if let Some(width) = present(bytes, info + 4).filter(|width| *width > 0) {
                self.measured(
                    "5.10.5-5",
                    format!("pacing spike {number}: width"),
                    f64::from(width),
                    "us",
                    None,
                    false,
                );
            }
        }
    }

    fn rates(&mut self, bytes: Bytes<'_>, at: usize) {
        let formula = match bytes.u8(at + 6) {
            Some(1) => "QTc (Bazett)",
            Some(2) => "QTc (Hodges)",
            _ => "QTc (formula not said)",
        };
        let values = [
            ("5.10.2.5-1", "ventricular rate", 0, "/min"),
            ("5.10.2.5-3", "atrial rate", 2, "/min"),
            ("5.10.2.5-5", formula, 4, "ms"),
        ];
        for (code, label, offset, unit) in values {
            if let Some(value) = present(bytes, at + offset) {
                self.measured(code, label, f64::from(value), unit, None, true);
            }
        }
        if let Some(size) = bytes.u16(at + 7).filter(|size| *size > 0) {
            self.keep("section 7 tagged fields", &format!("{size} bytes"));
        }
    }

    /// Section 10: for each lead its number, a length and values of 16 bits.
    pub fn read_leads(&mut self, body: &[u8]) {
        let bytes = Bytes(body);
        let Some(leads) = bytes.u16(0) else { return };
        let mut at = 4;
        for _ in 0..leads {
            let (Some(id), Some(length)) = (bytes.u16(at), bytes.u16(at + 2).map(usize::from))
            else {
                break;
            };
            let Some(values) = bytes.slice(at + 4, length) else { break };
            at += 4 + length;
            match Lead::from_scp_id(id) {
                Some(lead) => self.lead(lead, Bytes(values), length),
                None => self.keep(format!("section 10 lead {id}"), &format!("{length} bytes")),
            }
        }
    }

    fn lead(&mut self, lead: Lead, values: Bytes<'_>, length: usize) {
        // Revisions of the standard put further values between; only the first are the same in all.
        let known =
            if LENGTHS_KNOWN.contains(&length) { LEAD_VALUES.len() } else { INTERVALS_IN_LEAD };
        for index in 0..length / 2 {
            let (label, unit) = match LEAD_VALUES.get(index).filter(|_| index < known) {
                Some((label, unit)) => ((*label).to_owned(), *unit),
                None => (format!("value {}", index + 1), ""),
            };
            if let Some(value) = values.i16(2 * index) {
                let code = format!("5.13.5-{}", 5 + 2 * index);
                self.measured(&code, label, f64::from(value), unit, Some(lead), false);
            }
        }
    }
}

fn present(bytes: Bytes<'_>, at: usize) -> Option<u16> {
    bytes.u16(at).filter(|value| !ABSENT.contains(value))
}
