//! A recording to an annotated ECG.
//!
//! Recorded traces are written; derived ones follow from them again. The identifier comes from the
//! arguments. Samples become whole numbers, exactly where a usual step allows it. The format has no
//! place for an accession number.

use precordia_model::{
    DeviceTime, Filters, GroupKind, Lead, PartialDate, Recording, Sex, Signal, Trace, TraceOrigin,
    ZoneKnowledge,
};

use super::encode::Encoder;
use super::{remark, when};
use crate::dicom::quantize::{self, Quantized};

/// HL7 ActCode, and ISO/IEEE 11073 nomenclature.
const ACT_CODE: (&str, &str) = ("codeSystem", "2.16.840.1.113883.5.4");
pub(super) const MDC: [(&str, &str); 2] =
    [("codeSystem", "2.16.840.1.113883.6.24"), ("codeSystemName", "MDC")];

/// The identifier of the file to be written: a UUID or an OID (HL7 V3 data type II).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentId(pub String);

/// Why a recording has no form as an annotated ECG.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("the identifier is neither a UUID nor an OID")]
    IdInvalid,
    #[error("the time of acquisition is not a date, and the format takes no other")]
    AcquisitionTimeUnwritable,
    #[error("the recording has no recorded samples, or leads of different lengths")]
    SignalUnwritable,
    #[error("lead {lead} has gaps, and the format has no way to say so")]
    Gap { lead: Lead },
    #[error("lead {lead} does not fit 16 bits of at most 5 uV")]
    AmplitudeOutOfRange { lead: Lead },
    #[error("a part beside the rhythm is larger than it and would be taken for it")]
    RhythmIndistinct,
    #[error("a text has a character that XML does not allow")]
    TextUnwritable,
}

/// A complete file in UTF-8.
pub fn write(recording: &Recording, id: &DocumentId) -> Result<Vec<u8>, WriteError> {
    if !is_object_or_unique_id(&id.0) {
        return Err(WriteError::IdInvalid);
    }
    let time = recording.acquired_at.as_ref().map(stamp).transpose()?;
    let groups = groups(recording)?;
    let mut out = Encoder::new();
    let root = [
        ("xmlns", "urn:hl7-org:v3"),
        ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
        ("type", "Observation"),
    ];
    out.element("AnnotatedECG", &root, |out| {
        out.empty("id", &[("root", &id.0)]);
        out.empty(
            "code",
            &[
                ("code", "93000"),
                ("codeSystem", "2.16.840.1.113883.6.12"),
                ("codeSystemName", "CPT-4"),
            ],
        );
        effective_time(out, time.as_deref());
        subject(out, recording);
        age(out, recording);
        for (index, group) in groups.iter().enumerate() {
            if group.kind.is_none() || group.kind == Some(GroupKind::FurtherRhythm) {
                let inner = |out: &mut Encoder| {
                    if index == 0 {
                        remark::write(out, recording);
                        derived(out, recording, &groups, time.as_deref());
                    }
                };
                out.element("component", &[], |out| {
                    group.series(out, "series", recording, time.as_deref(), inner);
                });
            }
        }
    });
    if out.illegal { Err(WriteError::TextUnwritable) } else { Ok(out.finish()) }
}

fn derived(out: &mut Encoder, recording: &Recording, groups: &[Group<'_>], time: Option<&str>) {
    let is_derived =
        |group: &&Group<'_>| matches!(group.kind, Some(GroupKind::MedianBeat | GroupKind::Other));
    for group in groups.iter().filter(is_derived) {
        out.element("derivation", &[], |out| {
            group.series(out, "derivedSeries", recording, time, |_| {});
        });
    }
}

/// One series, ready to be written.
struct Group<'a> {
    /// `None` is the rhythm.
    kind: Option<GroupKind>,
    label: &'a str,
    signal: &'a Signal,
    leads: Vec<(&'a Trace, Quantized)>,
}

fn groups(recording: &Recording) -> Result<Vec<Group<'_>>, WriteError> {
    let mut groups = vec![group(None, "Rhythm Waveforms", &recording.rhythm)?];
    for other in &recording.other_groups {
        groups.push(group(Some(other.kind), &other.label, &other.signal)?);
    }
    let size = |group: &Group<'_>| (group.leads.len(), group.signal.len());
    let is_larger = |group: &Group<'_>| {
        group.kind == Some(GroupKind::FurtherRhythm) && size(group) > size(&groups[0])
    };
    if groups.iter().any(is_larger) { Err(WriteError::RhythmIndistinct) } else { Ok(groups) }
}

fn group<'a>(
    kind: Option<GroupKind>,
    label: &'a str,
    signal: &'a Signal,
) -> Result<Group<'a>, WriteError> {
    let recorded: Vec<&Trace> =
        signal.traces.iter().filter(|trace| trace.origin == TraceOrigin::Recorded).collect();
    let length = recorded.first().map_or(0, |trace| trace.samples_uv.len());
    if length == 0 || recorded.iter().any(|trace| trace.samples_uv.len() != length) {
        return Err(WriteError::SignalUnwritable);
    }
    let mut leads = Vec::with_capacity(recorded.len());
    for trace in recorded {
        let lead = trace.lead;
        if trace.samples_uv.iter().any(|sample| sample.is_nan()) {
            return Err(WriteError::Gap { lead });
        }
        let quantized =
            quantize::quantize(trace).ok_or(WriteError::AmplitudeOutOfRange { lead })?;
        leads.push((trace, quantized));
    }
    Ok(Group { kind, label, signal, leads })
}

impl Group<'_> {
    fn series(
        &self,
        out: &mut Encoder,
        element: &'static str,
        recording: &Recording,
        time: Option<&str>,
        inner: impl FnOnce(&mut Encoder),
    ) {
        out.element(element, &[], |out| {
            let code = match self.kind {
                None | Some(GroupKind::FurtherRhythm) => Some("RHYTHM"),
                Some(GroupKind::MedianBeat) => Some("REPRESENTATIVE_BEAT"),
                Some(GroupKind::Other) => None,
            };
            match code {
                Some(code) => {
                    out.empty("code", &[("code", code), ACT_CODE, ("displayName", self.label)])
                }
                None => out.empty("code", &[("nullFlavor", "OTH"), ("displayName", self.label)]),
            }
            effective_time(out, time);
            author(out, recording);
            // A series says the filters that all its leads have; else each sequence says its own.
            let first = self.leads.first().map(|(trace, _)| trace.filters);
            let common =
                first.filter(|first| self.leads.iter().all(|(one, _)| one.filters == *first));
            filters(out, common.unwrap_or_default());
            out.path("component/sequenceSet", &mut |out| {
                self.time_axis(out, time);
                for (trace, quantized) in &self.leads {
                    let own = if common.is_some() { Filters::default() } else { trace.filters };
                    sequence(out, trace.lead, quantized, own);
                }
            });
            inner(out);
        });
    }

    /// Only the rhythm is known to begin at the time of acquisition.
    fn time_axis(&self, out: &mut Encoder, time: Option<&str>) {
        let increment = (1.0 / self.signal.rate.hz()).to_string();
        // A day is no time of a sample.
        let head = time.filter(|time| self.kind.is_none() && time.len() > 8);
        out.path("component/sequence", &mut |out| {
            let (code, kind) = match head {
                Some(_) => ("TIME_ABSOLUTE", "GLIST_TS"),
                None => ("TIME_RELATIVE", "GLIST_PQ"),
            };
            out.empty("code", &[("code", code), ACT_CODE]);
            out.element("value", &[("xsi:type", kind)], |out| {
                match head {
                    Some(time) => out.empty("head", &[("value", time)]),
                    None => out.empty("head", &[("value", "0"), ("unit", "s")]),
                }
                out.empty("increment", &[("value", &increment), ("unit", "s")]);
            });
        });
    }
}

fn sequence(out: &mut Encoder, lead: Lead, quantized: &Quantized, own: Filters) {
    let digits: Vec<String> = quantized.values.iter().map(i16::to_string).collect();
    let scale = quantized.step_uv.to_string();
    out.path("component/sequence", &mut |out| {
        out.empty("code", &[("code", &lead_code(lead)), MDC[0], MDC[1]]);
        out.element("value", &[("xsi:type", "SLIST_PQ")], |out| {
            out.empty("origin", &[("value", "0"), ("unit", "uV")]);
            out.empty("scale", &[("value", &scale), ("unit", "uV")]);
            out.leaf("digits", &[], &digits.join(" "));
        });
        filters(out, own);
    });
}

pub(super) fn lead_code(lead: Lead) -> String {
    format!("MDC_ECG_LEAD_{}", lead.name().to_uppercase())
}

fn effective_time(out: &mut Encoder, time: Option<&str>) {
    match time {
        Some(time) => {
            out.element("effectiveTime", &[], |out| out.empty("low", &[("value", time)]));
        }
        None => out.empty("effectiveTime", &[("nullFlavor", "UNK")]),
    }
}

fn subject(out: &mut Encoder, recording: &Recording) {
    let patient = &recording.patient;
    out.path("componentOf/timepointEvent/componentOf/subjectAssignment", &mut |out| {
        out.path("subject/trialSubject", &mut |out| {
            match &patient.id {
                None => out.empty("id", &[("nullFlavor", "UNK")]),
                Some(id) => {
                    let issuer = patient.id_issuer.as_deref().map(|issuer| {
                        let is_id = is_object_or_unique_id(issuer);
                        (if is_id { "root" } else { "assigningAuthorityName" }, issuer)
                    });
                    let extension = ("extension", id.reveal().as_str());
                    out.empty("id", &issuer.into_iter().chain([extension]).collect::<Vec<_>>());
                }
            }
            out.element("subjectDemographicPerson", &[], |out| demographics(out, recording));
        });
        // The format is made for trials; this is none.
        out.path("componentOf/clinicalTrial", &mut |out| out.empty("id", &[("nullFlavor", "NA")]));
    });
}

fn demographics(out: &mut Encoder, recording: &Recording) {
    let patient = &recording.patient;
    if patient.family.is_some() || !patient.given.is_empty() {
        out.element("name", &[], |out| {
            if let Some(family) = &patient.family {
                out.leaf("family", &[], family.reveal());
            }
            for given in &patient.given {
                out.leaf("given", &[], given.reveal());
            }
        });
    } else if let Some(name) = &patient.name_as_written {
        out.leaf("name", &[], name.reveal());
    }
    const GENDER: (&str, &str) = ("codeSystem", "2.16.840.1.113883.5.1");
    match patient.sex {
        Some(Sex::Male) => out.empty("administrativeGenderCode", &[("code", "M"), GENDER]),
        Some(Sex::Female) => out.empty("administrativeGenderCode", &[("code", "F"), GENDER]),
        Some(Sex::Other) => out.empty("administrativeGenderCode", &[("code", "UN"), GENDER]),
        Some(Sex::Unknown) => out.empty("administrativeGenderCode", &[("nullFlavor", "UNK")]),
        None => {}
    }
    if let Some(birth) = &patient.birth_date {
        let date: PartialDate = *birth.reveal();
        out.empty("birthTime", &[("value", &date.to_string().replace('-', ""))]);
    }
}

/// Said only where no birth date says it better.
fn age(out: &mut Encoder, recording: &Recording) {
    let years = recording.patient.age_years.filter(|_| recording.patient.birth_date.is_none());
    let Some(years) = years.map(|years| years.to_string()) else { return };
    out.path("controlVariable/relatedObservation", &mut |out| {
        out.empty(
            "code",
            &[
                ("code", "21612-7"),
                ("codeSystem", "2.16.840.1.113883.6.1"),
                ("codeSystemName", "LOINC"),
            ],
        );
        out.empty("value", &[("xsi:type", "PQ"), ("value", &years), ("unit", "a")]);
    });
}

fn author(out: &mut Encoder, recording: &Recording) {
    let device = &recording.device;
    if *device == precordia_model::DeviceDescription::default() {
        return;
    }
    out.path("author/seriesAuthor", &mut |out| {
        out.element("manufacturedSeriesDevice", &[], |out| {
            if let Some(serial) = &device.serial {
                out.empty("id", &[("extension", serial.reveal())]);
            }
            for (name, text) in
                [("manufacturerModelName", &device.model), ("softwareName", &device.software)]
            {
                if let Some(text) = text {
                    out.leaf(name, &[], text);
                }
            }
        });
        if let Some(name) = &device.manufacturer {
            out.element("manufacturerOrganization", &[], |out| out.leaf("name", &[], name));
        }
    });
}

fn filters(out: &mut Encoder, filters: Filters) {
    let kinds = [
        (
            "MDC_ECG_CTL_VBL_ATTR_FILTER_LOW_PASS",
            "MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ",
            filters.high_hz,
        ),
        (
            "MDC_ECG_CTL_VBL_ATTR_FILTER_HIGH_PASS",
            "MDC_ECG_CTL_VBL_ATTR_FILTER_CUTOFF_FREQ",
            filters.low_hz,
        ),
        (
            "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH",
            "MDC_ECG_CTL_VBL_ATTR_FILTER_NOTCH_FREQ",
            filters.notch_hz,
        ),
    ];
    for (kind, frequency, hz) in kinds {
        let Some(hz) = hz.map(|hz| hz.to_string()) else { continue };
        out.path("controlVariable/controlVariable", &mut |out| {
            out.empty("code", &[("code", kind), MDC[0], MDC[1]]);
            out.path("component/controlVariable", &mut |out| {
                out.empty("code", &[("code", frequency), MDC[0], MDC[1]]);
                out.empty("value", &[("xsi:type", "PQ"), ("value", &hz), ("unit", "Hz")]);
            });
        });
    }
}

/// HL7's own form of a time; what the device wrote stays where it is that.
fn stamp(time: &DeviceTime) -> Result<String, WriteError> {
    let local = time.local.as_deref().ok_or(WriteError::AcquisitionTimeUnwritable)?;
    let is_own_form = !time.as_written.contains([':', ' '])
        && when::device_time(&time.as_written) == *time
        && time.as_written.starts_with(|first: char| first.is_ascii_digit());
    if is_own_form {
        return Ok(time.as_written.clone());
    }
    let mut text = local.replace(['-', ':', 'T'], "");
    if let ZoneKnowledge::Offset { minutes } = time.zone {
        let sign = if minutes < 0 { '-' } else { '+' };
        let minutes = minutes.unsigned_abs();
        text.push_str(&format!("{sign}{:02}{:02}", minutes / 60, minutes % 60));
    }
    Ok(text)
}

fn is_object_or_unique_id(text: &str) -> bool {
    let is_number = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let is_oid = text.contains('.') && text.len() <= 128 && text.split('.').all(is_number);
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let is_uuid = lengths == [8, 4, 4, 4, 12]
        && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    is_oid || is_uuid
}
