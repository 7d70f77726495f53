//! Who and when: the identification fields. EDF+ 2.1.3.3 gives them subfields, divided by spaces,
//! with `X` for what is not known and `_` for a space inside one.

use precordia_model::{
    DeviceDescription, DevicePatient, DeviceTime, PartialDate, Phi, Problem, Sex,
};

use super::header::Header;
use crate::build::{self, ClockTime};

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// `code sex birthdate name ...`. Plain EDF has free text there, which is taken apart only where it
/// has this form.
pub(crate) fn patient(header: &Header) -> DevicePatient {
    let fields: Vec<&str> = header.patient.split(' ').filter(|field| !field.is_empty()).collect();
    let [code, sex, birth, name, ..] = fields[..] else { return DevicePatient::default() };
    let birth_date = date(birth);
    if !matches!(sex, "M" | "F" | "X") || birth != "X" && birth_date.is_none() {
        return DevicePatient::default();
    }
    DevicePatient {
        id: known(code).map(Phi::new),
        sex: match sex {
            "M" => Some(Sex::Male),
            "F" => Some(Sex::Female),
            _ => None,
        },
        birth_date: birth_date.map(Phi::new),
        name_as_written: known(name).map(Phi::new),
        ..DevicePatient::default()
    }
}

/// `Startdate dd-MMM-yyyy administration technician equipment ...`
pub(crate) fn device(header: &Header) -> DeviceDescription {
    let fields: Vec<&str> = header.recording.split(' ').filter(|field| !field.is_empty()).collect();
    let equipment = match fields[..] {
        ["Startdate", _, _, _, equipment, ..] => known(equipment),
        _ => None,
    };
    DeviceDescription { model: equipment, ..DeviceDescription::default() }
}

fn known(field: &str) -> Option<String> {
    (field != "X").then(|| field.replace('_', " "))
}

/// `02-AUG-1951`, the month in any case.
fn date(text: &str) -> Option<PartialDate> {
    let [year, month, day] = day_of(text)?;
    PartialDate::parse(&format!("{year:04}-{month:02}-{day:02}"))
}

fn day_of(text: &str) -> Option<[i64; 3]> {
    let mut fields = text.split('-');
    let (day, month, year) = (fields.next()?, fields.next()?, fields.next()?);
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let digits = |text: &str, count| {
        let is_number = text.len() <= count && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<i64>().ok()).flatten()
    };
    fields.next().is_none().then_some([digits(year, 4)?, month as i64 + 1, digits(day, 2)?])
}

/// Date and time of the header, `dd.mm.yy` and `hh.mm.ss`, and the time of day at which the first
/// record begins (EDF+: up to a second later). EDF+ says the year in full in the recording field; of
/// plain EDF, 85 to 99 are of the last century (1992 paper).
pub(crate) fn acquired_at(
    header: &Header,
    begins_micros: u32,
    problems: &mut Vec<Problem>,
) -> Option<DeviceTime> {
    let as_written = format!("{} {}", header.date, header.time).trim().to_owned();
    if as_written.is_empty() {
        return None;
    }
    let stated = header.recording.strip_prefix("Startdate ").map(str::trim_start);
    let stated = stated.and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    if stated == "X" && header.is_plus() {
        // EDF+ 2.1.3.3: the date is not known, whatever stands in its field.
        problems.push(Problem::info(
            "acquisition_time_partial",
            "header",
            "the file says that its date is not known",
        ));
        return Some(build::device_time(as_written, [0, 0, 0], None, None));
    }
    let time = three(&header.time).map(|[hour, minute, second]| ClockTime {
        hour,
        minute,
        second,
        micros: begins_micros,
    });
    let short = three(&header.date);
    let date = match (day_of(stated), short) {
        (Some(full), Some([day, month, year])) => {
            if [full[0] % 100, full[1], full[2]] != [year, month, day] {
                let text = "the start date differs from that of the recording field; the field's full date was used";
                problems.push(Problem::warning("acquisition_time_conflict", "header", text));
            }
            Some(full)
        }
        (Some(full), None) => Some(full),
        (None, Some([day, month, year])) => {
            Some([if year >= 85 { 1900 + year } else { 2000 + year }, month, day])
        }
        (None, None) => None,
    };
    let known = build::device_time(as_written, date.unwrap_or_default(), time, None);
    if known.local.is_none() || time.is_none() {
        let text = "the start date or time does not exist; it is kept as written";
        problems.push(Problem::warning("acquisition_time_invalid", "header", text));
    }
    Some(known)
}

fn three(text: &str) -> Option<[i64; 3]> {
    let number = |field: &str| {
        let is_number = field.len() == 2 && field.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| field.parse().ok()).flatten()
    };
    let fields: Vec<i64> = text.split(['.', ':', '-', '/']).map(number).collect::<Option<_>>()?;
    <[i64; 3]>::try_from(fields).ok()
}
