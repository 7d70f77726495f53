//! The structure of the China Physiological Signal Challenge 2018 to a plan.
//!
//! `ECG` with `sex`, `age` and `data`: twelve rows, of which the challenge says that they are the
//! standard leads in the usual order, in millivolts at 500 Hz.

use precordia_model::{
    DeviceDescription, DevicePatient, Filters, GroupKind, Lead, Problem, Recording, Refusal,
    RefusalReason, SampleRate, Sex,
};

use super::element::{self, Array, Body, Element};
use crate::frames::{Channel, Group, Layout, Parts, Plan, Run, Scale};

const RATE_HZ: f64 = 500.0;
const UV_PER_MV: f64 = 1000.0;
const LEADS: usize = 12;

/// How far the limb leads may be from what they follow from, in the file's millivolts.
const IDENTITY_TOLERANCE: f64 = 0.02;

const AGE_YEARS_MAX: f64 = 130.0;

pub(crate) fn plan(parts: &mut Parts<'_>) -> Result<Plan, Refusal> {
    let size = parts.size(0);
    if size > crate::MAX_INPUT_BYTES as u64 {
        return Err(crate::too_large(usize::try_from(size).unwrap_or(usize::MAX)));
    }
    let file = parts.slice(0, 0, size)?;
    let variable = element::first_variable(&file)?;
    let array = element::array(&variable)?;
    let Body::Struct(fields) = &array.body else { return Err(unknown()) };
    let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    if array.name != "ECG" || names != ["sex", "age", "data"] {
        return Err(unknown());
    }
    let data = &fields[2].1;
    let (values, samples) = matrix(data).ok_or_else(unknown)?;
    let encoding = element::encoding(values.kind).ok_or_else(unknown)?;
    prove(values, samples)?;
    let patient = patient(&fields[0].1, &fields[1].1);
    let rate = SampleRate::from_hz(RATE_HZ).ok_or_else(unknown)?;
    let scale = Scale { zero: 0.0, uv_per_unit: UV_PER_MV, offset_uv: 0.0 };
    let start = values.at as u64;
    let part = parts.add("decompressed".to_owned(), variable);
    let channel = |(index, lead): (usize, Lead)| Channel {
        lead,
        filters: Filters::default(),
        runs: vec![Run {
            at: 0,
            count: samples as u64,
            skip: 0,
            part,
            start,
            first: index as u64 * encoding.slots(),
            frame: LEADS as u64 * encoding.slots(),
            per_frame: 1,
            encoding,
            scale,
            gap: None,
            stated: None,
        }],
    };
    let group = Group {
        kind: GroupKind::Other,
        label: "rhythm".to_owned(),
        rate,
        length: samples as u64,
        channels: Lead::TWELVE.into_iter().enumerate().map(channel).collect(),
    };
    let layout = Layout { groups: vec![group] };
    let text = "the file has the form of the China Physiological Signal Challenge 2018, which says 500 Hz, mV and the twelve leads in their usual order; the file itself says neither, and its limb leads bear the order out";
    let header = Recording {
        format: super::FORMAT,
        format_detail: "CPSC 2018".to_owned(),
        source_id: None,
        device: DeviceDescription::default(),
        patient,
        acquired_at: None,
        accession: None,
        rhythm: Plan::no_samples(&layout)?,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped: Vec::new(),
        problems: vec![Problem::warning("layout_by_convention", "data", text)],
    };
    Ok(Plan { header, layout, place: "data".to_owned() })
}

/// Twelve rows of numbers, all there; a column is a moment.
fn matrix<'a>(data: &Array<'a>) -> Option<(Element<'a>, usize)> {
    let [LEADS, samples] = data.dimensions[..] else { return None };
    let Body::Values(values) = data.body else { return None };
    let width = element::encoding(values.kind)?.slots() as usize;
    let bytes = samples.checked_mul(LEADS)?.checked_mul(width)?;
    (samples > 0 && values.content.len() == bytes).then_some((values, samples))
}

/// Einthoven's and Goldberger's identities tell the order of the limb leads. Only numbers of 64 bits
/// are found in these files.
fn prove(values: Element<'_>, samples: usize) -> Result<(), Refusal> {
    let mut columns = values.content.chunks_exact(8 * LEADS).map(|column| {
        let number = |lead: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&column[8 * lead..8 * lead + 8]);
            f64::from_le_bytes(bytes)
        };
        [0, 1, 2, 3, 4, 5].map(number)
    });
    let holds = |[i, ii, iii, avr, avl, avf]: [f64; 6]| {
        let errors =
            [ii - i - iii, avr + (i + ii) / 2.0, avl - (i - iii) / 2.0, avf - (ii + iii) / 2.0];
        errors.iter().all(|error| error.abs() <= IDENTITY_TOLERANCE)
    };
    let is_flat = values.content.iter().all(|&byte| byte == 0);
    if columns.len() == samples && !is_flat && columns.all(holds) {
        return Ok(());
    }
    let text = "the samples do not bear out that the rows are the leads in their usual order";
    Err(Refusal::new(RefusalReason::Ambiguous, "layout_unproven", "data", text))
}

fn patient(sex: &Array<'_>, age: &Array<'_>) -> DevicePatient {
    let sex = match sex.body {
        Body::Values(values) => match element::text(values).as_str() {
            "Male" => Some(Sex::Male),
            "Female" => Some(Sex::Female),
            _ => None,
        },
        Body::Struct(_) => None,
    };
    let age = match age.body {
        Body::Values(Element { kind: 2, content: [years], .. }) => Some(f64::from(*years)),
        Body::Values(Element { kind: 9, content, .. }) => {
            <[u8; 8]>::try_from(content).ok().map(f64::from_le_bytes)
        }
        _ => None,
    };
    let age_years = age.filter(|years| (0.0..=AGE_YEARS_MAX).contains(years));
    DevicePatient {
        sex,
        age_years: age_years.map(|years| years as u16),
        ..DevicePatient::default()
    }
}

fn unknown() -> Refusal {
    let text = "the file's variable has no layout that is known, so its samples have no rate, unit or leads";
    Refusal::new(RefusalReason::Ambiguous, "layout_unknown", "variable", text)
        .hint("send the recording with a WFDB header, or as another format")
}
