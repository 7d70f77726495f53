//! A recording to a DICOM ECG object: 12-lead where its rules are met, else general or ambulatory.
//!
//! Recorded traces are written; derived ones follow from them again. Every identifier and time comes
//! from the arguments. Samples become 16-bit integers, exactly where a usual step allows it.

use precordia_model::{
    DeviceMeasurement, DeviceStatement, DeviceTime, GroupKind, Lead, OtherGroup, PartialDate,
    Recording, Sex, Signal, Trace, TraceOrigin, ZoneKnowledge,
};

use super::annotation::{OWN_SCHEME, UNCODED};
use super::encode::Encoder;
use super::quantize::{self, Quantized};
use super::{sop_class, tag, when};
use crate::measurement_code;

/// Identifiers of the object to be written; DICOM UIDs (PS3.5 chapter 9).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectIds {
    pub sop_instance_uid: String,
    pub study_instance_uid: String,
    pub series_instance_uid: String,
}

impl ObjectIds {
    pub fn new(
        sop_instance_uid: impl Into<String>,
        study_instance_uid: impl Into<String>,
        series_instance_uid: impl Into<String>,
    ) -> Self {
        Self {
            sop_instance_uid: sop_instance_uid.into(),
            study_instance_uid: study_instance_uid.into(),
            series_instance_uid: series_instance_uid.into(),
        }
    }
}

/// Why a recording has no DICOM form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("{attribute} is not a DICOM UID")]
    UidInvalid { attribute: &'static str },
    #[error("the day and time of acquisition are not both known, and the object must say them")]
    AcquisitionTimeUnknown,
    #[error("the recording has no recorded samples, or leads of different lengths")]
    SignalUnwritable,
    #[error("lead {lead} does not fit 16 bits of at most 5 uV")]
    AmplitudeOutOfRange { lead: Lead },
    #[error("no ECG object takes {groups} groups of up to {channels} channels at {rate_hz} Hz")]
    OutsideObjectRules { groups: usize, channels: usize, rate_hz: String },
    #[error("the text of {attribute} has {characters} characters and at most {limit} are allowed")]
    TextTooLong { attribute: String, characters: usize, limit: usize },
    #[error("the text of {attribute} has a character that cannot be written there")]
    TextUnwritable { attribute: String },
    #[error("the number of {attribute} cannot be written in 16 characters")]
    NumberUnwritable { attribute: String },
    #[error("the object is larger than DICOM lengths can say")]
    ObjectTooLarge,
}

/// Characters of a short string (PS3.5 6.2, VR SH).
const SHORT_CHARS_MAX: usize = 16;

const EXPLICIT_LITTLE_ENDIAN: &str = "1.2.840.10008.1.2.1";

/// Ours, from a random UUID (PS3.5 B.2).
const IMPLEMENTATION_CLASS: &str = "2.25.109503640362402167439496517289589975434";
const IMPLEMENTATION_VERSION: &str = "PRECORDIA_0_1";

/// A complete file: preamble, meta information and an explicit VR little endian data set.
pub fn write(recording: &Recording, object: &ObjectIds) -> Result<Vec<u8>, WriteError> {
    let uids = [
        ("SOPInstanceUID", &object.sop_instance_uid),
        ("StudyInstanceUID", &object.study_instance_uid),
        ("SeriesInstanceUID", &object.series_instance_uid),
    ];
    if let Some((attribute, _)) = uids.into_iter().find(|(_, uid)| !is_uid(uid)) {
        return Err(WriteError::UidInvalid { attribute });
    }
    let groups = groups(recording)?;
    let class = class(&groups)?;
    let mut set = Encoder::default();
    identification(&mut set, recording, object, class)?;
    patient(&mut set, recording);
    equipment(&mut set, recording);
    set.text(tag::STUDY_INSTANCE, *b"UI", &object.study_instance_uid);
    set.text(tag::SERIES_INSTANCE, *b"UI", &object.series_instance_uid);
    set.text(tag::STUDY_ID, *b"SH", "1");
    set.text(tag::SERIES_NUMBER, *b"IS", "1");
    set.text(tag::INSTANCE_NUMBER, *b"IS", "1");
    set.sequence(tag::ACQUISITION_CONTEXT, Vec::new());
    annotations(&mut set, recording, &groups);
    set.sequence(tag::WAVEFORM_SEQUENCE, groups.iter().map(Group::encode).collect());
    let mut file = meta(object, class)?;
    file.extend(set.finish()?);
    Ok(file)
}

fn meta(object: &ObjectIds, class: &str) -> Result<Vec<u8>, WriteError> {
    let mut elements = Encoder::default();
    elements.bytes(tag::META_VERSION, &[0, 1]);
    elements.text(tag::META_SOP_CLASS, *b"UI", class);
    elements.text(tag::META_SOP_INSTANCE, *b"UI", &object.sop_instance_uid);
    elements.text(tag::META_TRANSFER_SYNTAX, *b"UI", EXPLICIT_LITTLE_ENDIAN);
    elements.text(tag::META_IMPLEMENTATION_CLASS, *b"UI", IMPLEMENTATION_CLASS);
    elements.text(tag::META_IMPLEMENTATION_VERSION, *b"SH", IMPLEMENTATION_VERSION);
    let elements = elements.finish()?;
    let mut length = Encoder::default();
    length.long(
        tag::META_GROUP_LENGTH,
        u32::try_from(elements.len()).map_err(|_| WriteError::ObjectTooLarge)?,
    );
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(length.finish()?);
    file.extend(elements);
    Ok(file)
}

/// Groups 0008: SOP Common, General Study and Series, Waveform Identification.
fn identification(
    set: &mut Encoder,
    recording: &Recording,
    object: &ObjectIds,
    class: &str,
) -> Result<(), WriteError> {
    let time = recording.acquired_at.as_ref().ok_or(WriteError::AcquisitionTimeUnknown)?;
    let stamp = Stamp::of(time).ok_or(WriteError::AcquisitionTimeUnknown)?;
    set.text(tag::SPECIFIC_CHARACTER_SET, *b"CS", "ISO_IR 192");
    set.text(tag::SOP_CLASS, *b"UI", class);
    set.text(tag::SOP_INSTANCE, *b"UI", &object.sop_instance_uid);
    set.text(tag::STUDY_DATE, *b"DA", &stamp.date);
    set.text(tag::CONTENT_DATE, *b"DA", &stamp.date);
    set.text(tag::ACQUISITION_DATE_TIME, *b"DT", &stamp.date_time);
    set.text(tag::STUDY_TIME, *b"TM", &stamp.time);
    set.text(tag::CONTENT_TIME, *b"TM", &stamp.time);
    set.text(
        tag::ACCESSION_NUMBER,
        *b"SH",
        recording.accession.as_ref().map_or("", |number| number.reveal()),
    );
    set.text(tag::MODALITY, *b"CS", "ECG");
    set.text(
        tag::MANUFACTURER,
        *b"LO",
        recording.device.manufacturer.as_deref().unwrap_or_default(),
    );
    set.text(tag::REFERRING_PHYSICIAN, *b"PN", "");
    if let ZoneKnowledge::Offset { minutes } = time.zone {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        set.text(
            tag::TIMEZONE_OFFSET,
            *b"SH",
            &format!("{sign}{:02}{:02}", minutes / 60, minutes % 60),
        );
    }
    set.text(tag::MODEL_NAME, *b"LO", recording.device.model.as_deref().unwrap_or_default());
    Ok(())
}

/// The time of acquisition in DICOM's three forms.
struct Stamp {
    date: String,
    time: String,
    date_time: String,
}

impl Stamp {
    fn of(time: &DeviceTime) -> Option<Self> {
        let local = time.local.as_deref()?;
        let (day, clock) = local.split_once('T')?;
        let date = day.replace('-', "");
        let clock = clock.replace(':', "");
        // What the device wrote is kept where it is DICOM's own form.
        let as_written =
            when::date_time(&time.as_written).is_some_and(|reading| reading.local == local);
        let date_time = if as_written { time.as_written.clone() } else { format!("{date}{clock}") };
        Some(Self { date, time: clock, date_time })
    }
}

fn patient(set: &mut Encoder, recording: &Recording) {
    let patient = &recording.patient;
    let built = || {
        let family = patient.family.iter();
        let parts: Vec<&str> =
            family.chain(&patient.given).map(|part| part.reveal().as_str()).collect();
        if patient.family.is_none() && !parts.is_empty() {
            format!("^{}", parts.join("^"))
        } else {
            parts.join("^")
        }
    };
    let name = patient.name_as_written.as_ref().map_or_else(built, |name| name.reveal().clone());
    set.text(tag::PATIENT_NAME, *b"PN", &name);
    set.text(tag::PATIENT_ID, *b"LO", patient.id.as_ref().map_or("", |id| id.reveal()));
    if let Some(issuer) = &patient.id_issuer {
        set.text(tag::ISSUER_OF_PATIENT_ID, *b"LO", issuer);
    }
    // A DA names a day; less is not a birth date that DICOM can say.
    let birth_date = match patient.birth_date.as_ref().map(|date| *date.reveal()) {
        Some(date @ PartialDate::Day(..)) => date.to_string().replace('-', ""),
        _ => String::new(),
    };
    set.text(tag::BIRTH_DATE, *b"DA", &birth_date);
    let sex = match patient.sex {
        Some(Sex::Male) => "M",
        Some(Sex::Female) => "F",
        Some(Sex::Other) => "O",
        Some(Sex::Unknown) | None => "",
    };
    set.text(tag::SEX, *b"CS", sex);
    if let Some(years) = patient.age_years.filter(|&years| years <= 999) {
        set.text(tag::AGE, *b"AS", &format!("{years:03}Y"));
    }
}

fn equipment(set: &mut Encoder, recording: &Recording) {
    let device = &recording.device;
    if let Some(serial) = &device.serial {
        set.text(tag::SERIAL_NUMBER, *b"LO", serial.reveal());
    }
    if let Some(software) = &device.software {
        set.text(tag::SOFTWARE_VERSIONS, *b"LO", software);
    }
}

/// One multiplex group, ready to be encoded.
struct Group<'a> {
    label: &'a str,
    derived: bool,
    rate_hz: f64,
    channels: Vec<(&'a Trace, Quantized)>,
    samples: u32,
}

fn groups(recording: &Recording) -> Result<Vec<Group<'_>>, WriteError> {
    let rhythm = group("RHYTHM", false, &recording.rhythm);
    let others = recording.other_groups.iter().map(|other| {
        let derived = matches!(other.kind, GroupKind::MedianBeat | GroupKind::Other);
        group(label(other), derived, &other.signal)
    });
    std::iter::once(rhythm).chain(others).collect()
}

/// A label is a short string (VR SH); another format's longer words give way to what the group is.
fn label(group: &OtherGroup) -> &str {
    match group.kind {
        _ if group.label.chars().count() <= SHORT_CHARS_MAX => &group.label,
        GroupKind::MedianBeat => "MEDIAN BEAT",
        GroupKind::FurtherRhythm => "RHYTHM",
        GroupKind::Other => "OTHER",
    }
}

fn group<'a>(label: &'a str, derived: bool, signal: &'a Signal) -> Result<Group<'a>, WriteError> {
    let recorded = || signal.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded);
    let length = recorded().next().map_or(0, |trace| trace.samples_uv.len());
    let even = recorded().all(|trace| trace.samples_uv.len() == length);
    let samples = u32::try_from(length)
        .ok()
        .filter(|&samples| samples > 0 && even)
        .ok_or(WriteError::SignalUnwritable)?;
    let channels = recorded()
        .map(|trace| {
            let quantized = quantize::quantize(trace)
                .ok_or(WriteError::AmplitudeOutOfRange { lead: trace.lead })?;
            Ok((trace, quantized))
        })
        .collect::<Result<Vec<(&Trace, Quantized)>, WriteError>>()?;
    Ok(Group { label, derived, rate_hz: signal.rate.hz(), channels, samples })
}

/// PS3.3 A.34.3.4, A.34.4.4 and A.34.5.4: the first class whose rules the groups meet.
fn class(groups: &[Group<'_>]) -> Result<&'static str, WriteError> {
    let channels = groups.iter().map(|group| group.channels.len()).max().unwrap_or_default();
    let samples = groups.iter().map(|group| group.samples).max().unwrap_or_default();
    let rates =
        |low: f64, high: f64| groups.iter().all(|group| (low..=high).contains(&group.rate_hz));
    let independent = [Lead::V1, Lead::V2, Lead::V3, Lead::V4, Lead::V5, Lead::V6];
    let rhythm = |lead| groups[0].channels.iter().any(|(trace, _)| trace.lead == lead);
    let limbs = [Lead::I, Lead::II, Lead::III].into_iter().filter(|&lead| rhythm(lead)).count();
    let twelve_lead = independent.into_iter().all(rhythm) && limbs >= 2;
    if twelve_lead
        && groups.len() <= 5
        && channels <= 13
        && samples <= 16_384
        && rates(200.0, 1000.0)
    {
        return Ok(sop_class::TWELVE_LEAD);
    }
    if groups.len() <= 4 && channels <= 24 && rates(200.0, 1000.0) {
        return Ok(sop_class::GENERAL);
    }
    if groups.len() == 1 && channels <= 12 && rates(50.0, 1000.0) {
        return Ok(sop_class::AMBULATORY);
    }
    let rate_hz = groups[0].rate_hz.to_string();
    Err(WriteError::OutsideObjectRules { groups: groups.len(), channels, rate_hz })
}

impl Group<'_> {
    fn encode(&self) -> Encoder {
        let mut item = Encoder::default();
        item.text(tag::ORIGINALITY, *b"CS", if self.derived { "DERIVED" } else { "ORIGINAL" });
        item.short(tag::CHANNEL_COUNT, &[self.channels.len() as u16]);
        item.long(tag::SAMPLE_COUNT, self.samples);
        item.decimal(tag::SAMPLING_FREQUENCY, self.rate_hz);
        if !self.label.is_empty() {
            item.text(tag::GROUP_LABEL, *b"SH", self.label);
        }
        let definitions = self
            .channels
            .iter()
            .enumerate()
            .map(|(index, (trace, quantized))| channel(index + 1, trace, quantized));
        item.sequence(tag::CHANNEL_DEFINITIONS, definitions.collect());
        item.short(tag::BITS_ALLOCATED, &[16]);
        item.text(tag::SAMPLE_INTERPRETATION, *b"CS", "SS");
        if self.channels.iter().any(|(_, quantized)| quantized.values.contains(&quantize::PADDING))
        {
            item.words(tag::PADDING_VALUE, &[quantize::PADDING]);
        }
        let rows = 0..self.samples as usize;
        let interleaved = rows
            .flat_map(|row| self.channels.iter().map(move |(_, quantized)| quantized.values[row]));
        item.words(tag::WAVEFORM_DATA, &interleaved.collect::<Vec<i16>>());
        item
    }
}

fn channel(number: usize, trace: &Trace, quantized: &Quantized) -> Encoder {
    let mut item = Encoder::default();
    item.text(tag::CHANNEL_NUMBER, *b"IS", &number.to_string());
    item.text(tag::CHANNEL_LABEL, *b"SH", trace.lead.name());
    let source = code(&format!("2:{}", trace.lead.scp_id()), "MDC", &lead_meaning(trace.lead));
    item.sequence(tag::CHANNEL_SOURCE, vec![source]);
    item.decimal(tag::SENSITIVITY, quantized.step_uv);
    item.sequence(tag::SENSITIVITY_UNITS, vec![code("uV", "UCUM", "microvolt")]);
    item.decimal(tag::SENSITIVITY_CORRECTION, 1.0);
    item.decimal(tag::BASELINE, 0.0);
    item.decimal(tag::SAMPLE_SKEW, 0.0);
    item.short(tag::BITS_STORED, &[16]);
    let filters = &trace.filters;
    for (tag, hz) in [
        (tag::FILTER_LOW, filters.low_hz),
        (tag::FILTER_HIGH, filters.high_hz),
        (tag::FILTER_NOTCH, filters.notch_hz),
    ] {
        if let Some(hz) = hz {
            item.decimal(tag, hz);
        }
    }
    item
}

/// The meanings of PS3.16 CID 3001.
fn lead_meaning(lead: Lead) -> String {
    match lead {
        Lead::AVR => "aVR, augmented voltage, right".into(),
        Lead::AVL => "aVL, augmented voltage, left".into(),
        Lead::AVF => "aVF, augmented voltage, foot".into(),
        lead => format!("Lead {lead}"),
    }
}

fn annotations(set: &mut Encoder, recording: &Recording, groups: &[Group<'_>]) {
    let measurements = recording.device_measurements.iter().map(|one| measurement(one, groups));
    let statements = recording.device_statements.iter().flat_map(statement);
    let items: Vec<Encoder> = measurements.chain(statements).collect();
    if !items.is_empty() {
        set.sequence(tag::ANNOTATIONS, items);
    }
}

fn measurement(measurement: &DeviceMeasurement, groups: &[Group<'_>]) -> Encoder {
    let mut item = Encoder::default();
    if !measurement.unit.is_empty() {
        item.sequence(
            tag::MEASUREMENT_UNITS,
            vec![code(&measurement.unit, "UCUM", unit_meaning(&measurement.unit))],
        );
    }
    let named = measurement.name.as_deref().and_then(measurement_code::mdc);
    let own = measurement.code.as_deref().and_then(scheme_and_value);
    let (value, scheme, meaning) = match (own, named) {
        (Some((scheme, value)), _) => (value, scheme, measurement.label.as_str()),
        (None, Some((value, meaning))) => (value, "MDC", meaning),
        (None, None) => (UNCODED, OWN_SCHEME, measurement.label.as_str()),
    };
    item.sequence(tag::CONCEPT_NAME, vec![code(value, scheme, meaning)]);
    let channel = measurement
        .lead
        .and_then(|lead| groups[0].channels.iter().position(|(trace, _)| trace.lead == lead))
        .map_or(0, |index| index as u16 + 1);
    item.short(tag::REFERENCED_CHANNELS, &[1, channel]);
    item.short(tag::ANNOTATION_GROUP, &[0]);
    item.decimal(tag::NUMERIC_VALUE, measurement.value);
    item
}

/// The two parts of a code; a scheme that is no short string names nothing that DICOM knows.
fn scheme_and_value(code: &str) -> Option<(&str, &str)> {
    let parts = code.split_once(':').unwrap_or((OWN_SCHEME, code));
    (parts.0.chars().count() <= SHORT_CHARS_MAX).then_some(parts)
}

fn statement(statement: &DeviceStatement) -> Vec<Encoder> {
    let text = statement.text.reveal();
    let coded = statement.code.as_deref().and_then(scheme_and_value);
    let mut items = Vec::new();
    // Code meanings are LO; a longer sentence is written as text beside its code.
    let fits_meaning = text.chars().count() <= 64 && !text.contains(['\n', '\\']);
    if coded.is_none() || !fits_meaning {
        let mut item = Encoder::default();
        item.short(tag::REFERENCED_CHANNELS, &[1, 0]);
        item.short(tag::ANNOTATION_GROUP, &[0]);
        item.text(tag::UNFORMATTED_TEXT, *b"ST", text);
        items.push(item);
    }
    if let Some((scheme, value)) = coded {
        let meaning: String = text.chars().filter(|c| !matches!(c, '\n' | '\\')).take(64).collect();
        let mut item = Encoder::default();
        item.sequence(tag::CONCEPT_NAME, vec![code("8601-7", "LN", "EKG impression")]);
        item.short(tag::REFERENCED_CHANNELS, &[1, 0]);
        item.sequence(tag::CONCEPT_CODE, vec![code(value, scheme, &meaning)]);
        item.short(tag::ANNOTATION_GROUP, &[0]);
        items.push(item);
    }
    items
}

fn code(value: &str, scheme: &str, meaning: &str) -> Encoder {
    let mut item = Encoder::default();
    let is_long = value.chars().count() > SHORT_CHARS_MAX;
    if !is_long {
        item.text(tag::CODE_VALUE, *b"SH", value);
    }
    item.text(tag::CODING_SCHEME, *b"SH", scheme);
    if scheme == "SCPECG" {
        // The one scheme here whose designator alone does not identify it (PS3.16 chapter 8).
        item.text(tag::CODING_SCHEME_VERSION, *b"SH", "1.3");
    }
    item.text(tag::CODE_MEANING, *b"LO", meaning);
    if is_long {
        item.text(tag::LONG_CODE_VALUE, *b"UC", value);
    }
    item
}

fn unit_meaning(unit: &str) -> &str {
    match unit {
        "ms" => "millisecond",
        "deg" => "degree",
        "/min" => "per minute",
        "uV" => "microvolt",
        "mV" => "millivolt",
        other => other,
    }
}

/// PS3.5 9.1: components of digits without leading zeros, 64 characters at most.
fn is_uid(uid: &str) -> bool {
    let component = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    uid.len() <= 64 && uid.split('.').all(component)
}
