//! A file to the plan by which its samples are read.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, GroupKind, PartialDate, Phi, Problem, Recording,
    Refusal, RefusalReason, SampleRate, Sex, UnmappedField,
};

use super::header::{self, Header};
use super::{annotation, leads};
use crate::build::{self, ClockTime};
use crate::frames::{Group, Layout, Parts, Plan};

/// Free text of the variable block is kept up to this; the file itself is kept whole.
const VARIABLE_BYTES_KEPT: u64 = 4096;

pub(crate) fn plan(parts: &mut Parts<'_>) -> Result<Plan, Refusal> {
    let part = only_ecg(parts)?;
    let header = header::parse(&parts.prefix(part, header::BYTES as u64)?)?;
    let mut problems = Vec::new();
    check_version(&header, &mut problems)?;
    let rate = SampleRate::from_hz(f64::from(header.rate_hz)).ok_or_else(|| {
        let text = "the header states no sampling rate";
        Refusal::new(RefusalReason::Malformed, "rate_invalid", "header", text)
    })?;
    let (samples_at, count) = samples(&header, parts.size(part), &mut problems)?;
    leads::check_unused(&header, &mut problems);
    let channels = leads::channels(&header, samples_at, count, part, &mut problems)?;
    let group =
        Group { kind: GroupKind::Other, label: "rhythm".to_owned(), rate, length: count, channels };
    let layout = Layout { groups: vec![group] };
    let mut unmapped = fields(&header);
    unmapped.extend(variable_block(&header, parts, part)?);
    for index in 0..parts.len() {
        if annotation::is_annotations(&parts.prefix(index, 8)?) {
            unmapped.extend(annotation::counted(parts, index, &mut problems)?);
        }
    }
    let recording = Recording {
        format: super::FORMAT,
        format_detail: format!(
            "ISHNE {}.0, file version {}",
            header.major_version, header.file_version
        ),
        source_id: None,
        device: DeviceDescription {
            model: header::text(&header.recorder),
            ..DeviceDescription::default()
        },
        patient: patient(&header, &mut problems),
        acquired_at: acquired_at(&header, &mut problems),
        accession: None,
        rhythm: Plan::no_samples(&layout)?,
        other_groups: Vec::new(),
        device_measurements: Vec::new(),
        device_statements: Vec::new(),
        unmapped,
        problems,
    };
    Ok(Plan { header: recording, layout, place: "samples".to_owned() })
}

/// One file of samples; beside it only beat labels.
fn only_ecg(parts: &mut Parts<'_>) -> Result<usize, Refusal> {
    let mut found = None;
    for index in 0..parts.len() {
        let prefix = parts.prefix(index, 8)?;
        if header::is_ecg(&prefix) {
            if found.is_some() {
                let text = "two files of samples came together";
                return Err(refuse(RefusalReason::Ambiguous, "parts_several", text));
            }
            found = Some(index);
        } else if !annotation::is_annotations(&prefix) {
            let text = "a part is neither samples nor beat labels";
            return Err(refuse(RefusalReason::Unsupported, "parts_several", text));
        }
    }
    found.ok_or_else(|| {
        let text = "beat labels came without the samples that they belong to";
        refuse(RefusalReason::NoWaveform, "samples_absent", text)
    })
}

/// Of version 2 no public document says that its header is the same; where the checksum holds over
/// the fields of version 1, it is.
fn check_version(header: &Header, problems: &mut Vec<Problem>) -> Result<(), Refusal> {
    let holds = header.checksum == header.checksum_of_fields;
    if header.major_version != 1 {
        if !holds {
            let text = "version 2 with a header that its checksum does not vouch for is not read";
            return Err(refuse(RefusalReason::Unsupported, "version_unsupported", text));
        }
        let text =
            "no public file proves the reading of version 2; its header has the form of version 1";
        problems.push(Problem::warning("format_unproven", "header", text));
    }
    if header.checksum == 0 {
        let text = "the header's checksum is 0 and was not computed";
        problems.push(Problem::info("checksum_absent", "header", text));
    } else if !holds && header.variable_bytes == 0 {
        let text = "the header does not have the checksum that it states";
        problems.push(Problem::warning("checksum_mismatch", "header", text));
    }
    Ok(())
}

/// Where the samples begin, and how many each lead has. Some writers count one lead, as the standard
/// says, others all together; what is on disk tells which.
fn samples(header: &Header, size: u64, problems: &mut Vec<Problem>) -> Result<(u64, u64), Refusal> {
    let leads = u64::try_from(header.leads).ok();
    let leads = leads.filter(|count| (1..=header::LEADS_MAX as u64).contains(count));
    let leads = leads.ok_or_else(|| {
        refuse(RefusalReason::Malformed, "leads_invalid", "the number of leads is not 1 to 12")
    })?;
    let at = u64::try_from(header.samples_at).ok();
    let at = at.filter(|&at| at >= header::BYTES as u64 && at <= size).ok_or_else(|| {
        refuse(RefusalReason::Malformed, "offset_invalid", "the samples begin outside of the file")
    })?;
    let frame = 2 * leads;
    let there = (size - at) / frame;
    if there == 0 {
        return Err(refuse(RefusalReason::NoWaveform, "samples_absent", "the file has no samples"));
    }
    if !(size - at).is_multiple_of(frame) {
        let text = "the file ends within a frame; its part was not read";
        problems.push(Problem::warning("frame_incomplete", "samples", text));
    }
    let stated = u64::try_from(header.samples).unwrap_or(0);
    if stated == there {
        return Ok((at, there));
    }
    if stated == there * leads {
        let text = "the header counts the samples of all leads together";
        problems.push(Problem::info("sample_count_of_all_leads", "header", text));
        return Ok((at, there));
    }
    let text =
        format!("the header states {stated} samples of each lead and the file holds {there}");
    if stated == 0 || stated > there {
        let text =
            format!("{text}; all that are there were read, and the recording may be cut short");
        problems.push(Problem::error("sample_count_mismatch", "header", text));
        return Ok((at, there));
    }
    let text = format!("{text}; those that are stated were read");
    problems.push(Problem::warning("sample_count_mismatch", "header", text));
    Ok((at, stated))
}

fn patient(header: &Header, problems: &mut Vec<Problem>) -> DevicePatient {
    let [day, month, year] = header.birth_date;
    let birth_date = PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"));
    if birth_date.is_none() && header.birth_date.iter().any(|&field| field > 0) {
        let text = "the birth date does not exist; it was not read";
        problems.push(Problem::warning("birth_date_invalid", "header", text));
    }
    let family = header::text(&header.last_name);
    let given = header::text(&header.first_name);
    let name = match (&family, &given) {
        (None, None) => None,
        (family, None) => family.clone(),
        (family, Some(given)) => Some(format!("{}^{given}", family.as_deref().unwrap_or_default())),
    };
    DevicePatient {
        id: header::text(&header.id).map(Phi::new),
        family: family.map(Phi::new),
        given: given.map(Phi::new).into_iter().collect(),
        name_as_written: name.map(Phi::new),
        birth_date: birth_date.map(Phi::new),
        sex: match header.sex {
            1 => Some(Sex::Male),
            2 => Some(Sex::Female),
            _ => None,
        },
        ..DevicePatient::default()
    }
}

fn acquired_at(header: &Header, problems: &mut Vec<Problem>) -> Option<DeviceTime> {
    let [day, month, year] = header.record_date;
    let [hour, minute, second] = header.start_time;
    if header.record_date.iter().all(|&field| field <= 0) {
        return None;
    }
    let as_written = format!("{day}/{month}/{year} {hour:02}:{minute:02}:{second:02}");
    let [hour, minute, second] = header.start_time.map(i64::from);
    let time = ClockTime { hour, minute, second, micros: 0 };
    let date = [year, month, day].map(i64::from);
    let known = build::device_time(as_written, date, Some(time), None);
    if known.local.is_none() {
        let text = "the date or time of the recording does not exist; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", "header", text));
    }
    Some(known)
}

fn fields(header: &Header) -> Vec<UnmappedField> {
    let number = |value: i16| (value > 0).then(|| value.to_string());
    let fields = [
        ("race code", number(header.race)),
        ("pacemaker code", number(header.pacemaker)),
        ("proprietary", header::text(&header.proprietary)),
        ("copyright", header::text(&header.copyright)),
    ];
    let field = |(place, value): (&str, Option<String>)| {
        Some(UnmappedField { place: place.to_owned(), value: Phi::new(value?) })
    };
    fields.into_iter().filter_map(field).collect()
}

fn variable_block(
    header: &Header,
    parts: &mut Parts<'_>,
    part: usize,
) -> Result<Option<UnmappedField>, Refusal> {
    let (Ok(at), Ok(bytes)) =
        (u64::try_from(header.variable_at), u64::try_from(header.variable_bytes))
    else {
        return Ok(None);
    };
    let inside = at.checked_add(bytes).is_some_and(|end| end <= parts.size(part));
    if bytes == 0 || !inside {
        return Ok(None);
    }
    let value = if bytes <= VARIABLE_BYTES_KEPT {
        header::text(&parts.slice(part, at, bytes)?)
    } else {
        Some(format!("{bytes} bytes"))
    };
    let field =
        |value| UnmappedField { place: "variable block".to_owned(), value: Phi::new(value) };
    Ok(value.map(field))
}

fn refuse(reason: RefusalReason, code: &str, text: &str) -> Refusal {
    Refusal::new(reason, code, "header", text)
}
