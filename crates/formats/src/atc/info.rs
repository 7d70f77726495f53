//! The information block: when, on what and with which software. It names no person.

use precordia_model::{DeviceDescription, DeviceTime, Phi, Problem, UnmappedField};

use super::block::Block;
use crate::{clock, unmapped};

#[derive(Debug, Default)]
pub(super) struct Info {
    pub device: DeviceDescription,
    pub acquired_at: Option<DeviceTime>,
    pub source_id: Option<Phi<String>>,
}

pub(super) fn read(
    block: &Block<'_>,
    fields: &mut Vec<UnmappedField>,
    problems: &mut Vec<Problem>,
) -> Info {
    let mut rest = block.data;
    let mut next = |length: usize| {
        let (field, after) = rest.split_at(length.min(rest.len()));
        rest = after;
        text(field)
    };
    let (date, recording_id, phone_id) = (next(32), next(40), next(44));
    let (phone, software, hardware, device_data) = (next(32), next(32), next(32), next(52));
    unmapped::keep(fields, "info/phone identifier", phone_id.as_deref().unwrap_or_default());
    unmapped::keep(fields, "info/phone model", phone.as_deref().unwrap_or_default());
    let mut serial = None;
    // Up to specification 1.5 the same bytes were a location in words.
    for pair in device_data.as_deref().unwrap_or_default().split(',') {
        match pair.trim().strip_prefix("SN=") {
            Some(number) if serial.is_none() => serial = Some(Phi::new(number.to_owned())),
            _ => unmapped::keep(fields, "info/device data", pair),
        }
    }
    if date.is_none() {
        let text = "the file does not say when it was recorded";
        problems.push(Problem::warning("acquisition_time_absent", "block info", text));
    }
    Info {
        device: DeviceDescription { manufacturer: None, model: hardware, software, serial },
        acquired_at: date.map(|date| clock::read(&date, "block info, date recorded", problems)),
        source_id: recording_id.map(Phi::new),
    }
}

/// Text up to the first zero byte; blank is absent.
fn text(field: &[u8]) -> Option<String> {
    let end = field.iter().position(|&byte| byte == 0).unwrap_or(field.len());
    let text = String::from_utf8_lossy(&field[..end]);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}
