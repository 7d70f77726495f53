//! The one internal form of an ECG, whatever device or format it came from.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::{DeviceTime, Lead, PartialDate, Phi, Problem, Sex};

/// Samples per second, in thousandths so that 1/0.001667 s devices stay exact; never zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SampleRate(NonZeroU32);

impl SampleRate {
    /// Rounds to a thousandth of a hertz. `None` if not finite, below 0.001 Hz or above 1 MHz.
    pub fn from_hz(hz: f64) -> Option<Self> {
        let millihertz = (hz * 1000.0).round();
        if !(1.0..=1e9).contains(&millihertz) {
            return None;
        }
        NonZeroU32::new(millihertz as u32).map(Self)
    }

    pub fn hz(self) -> f64 {
        f64::from(self.0.get()) / 1000.0
    }

    pub fn seconds(self, samples: usize) -> f64 {
        samples as f64 / self.hz()
    }

    pub fn ms_per_sample(self) -> f64 {
        1000.0 / self.hz()
    }
}

/// Where a trace came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TraceOrigin {
    Recorded,
    /// Computed by us from the named leads (Einthoven, Goldberger).
    Derived {
        from: [Lead; 2],
    },
}

/// One lead's samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    pub lead: Lead,
    /// Microvolts; a gap (padding, lead off) is NaN, never zero.
    pub samples_uv: Vec<f32>,
    pub origin: TraceOrigin,
    /// As the file declares them; 0 Hz notch is "none".
    pub filters: Filters,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Filters {
    pub low_hz: Option<f64>,
    pub high_hz: Option<f64>,
    pub notch_hz: Option<f64>,
}

/// Simultaneously sampled traces of one length.
#[derive(Clone, Debug, PartialEq)]
pub struct Signal {
    pub rate: SampleRate,
    /// File order; derived traces follow the recorded ones.
    pub traces: Vec<Trace>,
}

impl Signal {
    pub fn len(&self) -> usize {
        self.traces.first().map_or(0, |t| t.samples_uv.len())
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub fn duration_s(&self) -> f64 {
        self.rate.seconds(self.len())
    }

    pub fn trace(&self, lead: Lead) -> Option<&Trace> {
        self.traces.iter().find(|t| t.lead == lead)
    }

    pub fn leads(&self) -> impl Iterator<Item = Lead> + '_ {
        self.traces.iter().map(|t| t.lead)
    }
}

/// Further groups of a file: never the rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    MedianBeat,
    /// A rhythm part that is not simultaneous with the first (sequential 3x4 acquisitions).
    FurtherRhythm,
    Other,
}

#[derive(Clone, Debug, PartialEq)]
pub struct OtherGroup {
    pub kind: GroupKind,
    pub label: String,
    pub signal: Signal,
}

/// The device as the file describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceDescription {
    pub manufacturer: Option<String>,
    pub model: Option<String>,
    pub software: Option<String>,
    /// Serial numbers can identify; kept closed.
    pub serial: Option<Phi<String>>,
}

/// The person as the file names them; nothing here is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DevicePatient {
    pub id: Option<Phi<String>>,
    /// Assigning authority of the id, where the file says it.
    pub id_issuer: Option<String>,
    /// Family and given names as separate parts where the format separates them.
    pub family: Option<Phi<String>>,
    pub given: Vec<Phi<String>>,
    /// The name as written (`NOETHER^AMALIE`).
    pub name_as_written: Option<Phi<String>>,
    pub birth_date: Option<Phi<PartialDate>>,
    pub sex: Option<Sex>,
    /// As written where no birth date is known.
    pub age_years: Option<u16>,
}

/// A number that the device itself computed. Kept and shown as *device says*; never ours.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DeviceMeasurement {
    /// Our snake_case name when the code is known (`pr_ms`), else `None`.
    pub name: Option<String>,
    /// `scheme:value`, for example `SCPECG:5.10.2.1-5` or `LN:8625-6`, when the device sent one.
    pub code: Option<String>,
    pub label: String,
    pub value: f64,
    /// UCUM as far as the device's unit is known, else as written.
    pub unit: String,
    pub lead: Option<Lead>,
}

/// A sentence that the device or a reader at the device wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceStatement {
    pub text: Phi<String>,
    pub code: Option<String>,
}

/// Something that the file says and that has no place of its own in a recording, kept as written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnmappedField {
    /// Where, in the format's own terms: `TestInfo/Room`, `section 8 tag 3`.
    pub place: String,
    /// It may hold anything, so it is kept closed.
    pub value: Phi<String>,
}

/// A recording as read, before anyone has measured or matched it.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Stable format name: `dicom`, `scp-ecg`, `hl7-aecg`.
    pub format: &'static str,
    /// What exactly was read, in the format's own terms (SOP class, transfer syntax).
    pub format_detail: String,
    /// The file's own identifier of the recording, where it has one (SOP Instance UID).
    pub source_id: Option<Phi<String>>,
    pub device: DeviceDescription,
    pub patient: DevicePatient,
    pub acquired_at: Option<DeviceTime>,
    /// The order this recording claims to answer, where the file says so.
    pub accession: Option<Phi<String>>,
    pub rhythm: Signal,
    pub other_groups: Vec<OtherGroup>,
    pub device_measurements: Vec<DeviceMeasurement>,
    pub device_statements: Vec<DeviceStatement>,
    /// In file order; large blocks are named with their size, since the file itself is kept whole.
    pub unmapped: Vec<UnmappedField>,
    pub problems: Vec<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_rates_keep_thousandths_and_refuse_nonsense() {
        assert_eq!(SampleRate::from_hz(500.0).map(SampleRate::hz), Some(500.0));
        assert_eq!(SampleRate::from_hz(599.8801).map(SampleRate::hz), Some(599.880));
        for hz in [0.0, -500.0, f64::NAN, f64::INFINITY, 0.0001, 2e6] {
            assert_eq!(SampleRate::from_hz(hz), None, "{hz}");
        }
    }
}
