//! Any value that the model can hold and FHIR can carry.

use precordia_interop::fhir::ecg::DocumentFacts;
use precordia_model::{
    Axes, BlobId, DeviceDescription, DeviceMeasurement, DeviceStatement, DeviceTime, Evidence,
    Fiducials, Flag, FlagCode, FlagReport, Identifier, Lead, LeadQuality, Measured, Measurements,
    MissingReason, NotEvaluated, PartialDate, Patient, PatientId, PatientIdentity, Phi, QtFormula,
    Quality, QualityIssue, RecordingId, Rhythm, Severity, Sex, Timestamp, WaveTable, ZoneKnowledge,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// FHIR strings: not empty, no control characters.
fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-zÀ-žА-я' -]{1,12}", "[\\PC]{1,8}", Just(String::from("山田")),]
        .prop_filter("FHIR has no empty strings", |s| !s.is_empty())
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        (-500_i32..500).prop_map(f64::from),
        (-5000_i32..5000).prop_map(|n| f64::from(n) / 10.0),
        any::<f64>().prop_filter("NaN and infinities are never measured", |v| v.is_finite()),
    ]
}

pub fn time() -> impl Strategy<Value = Timestamp> {
    (-2_000_000_000_000_000_i64..4_000_000_000_000_000).prop_map(Timestamp)
}

fn uuid() -> impl Strategy<Value = uuid::Uuid> {
    any::<u128>().prop_map(uuid::Uuid::from_u128)
}

fn lead() -> impl Strategy<Value = Lead> {
    select(Lead::ALL)
}

fn formula() -> impl Strategy<Value = QtFormula> {
    select(QtFormula::ALL.to_vec())
}

fn date() -> impl Strategy<Value = PartialDate> {
    (1_i16..=9999, 1_i8..=12, 1_i8..=28, 0..3).prop_map(|(y, m, d, precision)| match precision {
        0 => PartialDate::Year(y),
        1 => PartialDate::Month(y, m),
        _ => PartialDate::Day(y, m, d),
    })
}

prop_compose! {
    pub fn person()(
        id in uuid(),
        identifiers in vec((prop_oneof![Just(String::new()), "urn:oid:1\\.[0-9]{1,9}"], words()), 0..3),
        family in option::of(words()),
        given in vec(words(), 0..3),
        birth_date in option::of(date()),
        sex in option::of(select(vec![Sex::Male, Sex::Female, Sex::Other, Sex::Unknown])),
        merged_into in option::of(uuid()),
    ) -> Patient {
        let identifiers = identifiers
            .into_iter()
            .map(|(system, value)| Identifier { system, value: Phi::new(value) })
            .collect();
        Patient {
            id: PatientId(id),
            identity: PatientIdentity {
                identifiers,
                family: family.map(Phi::new),
                given: given.into_iter().map(Phi::new).collect(),
                birth_date: birth_date.map(Phi::new),
                sex,
            },
            merged_into: merged_into.map(PatientId),
        }
    }
}

fn missing() -> impl Strategy<Value = MissingReason> {
    use MissingReason::*;
    select(vec![
        NoBeats,
        TooFewBeats,
        NoPWave,
        NoTWave,
        LeadAbsent,
        PoorQuality,
        Gap,
        Rhythm,
        Paced,
        OutOfScope,
    ])
}

fn measured() -> impl Strategy<Value = Measured> {
    prop_oneof![
        3 => number().prop_map(Measured::Value),
        1 => missing().prop_map(Measured::Missing),
    ]
}

prop_compose! {
    fn quality()(
        usable in any::<bool>(),
        leads in btree_map(lead(), (any::<bool>(), vec(issue(), 0..3), number()), 0..12),
    ) -> Quality {
        let leads = leads.into_iter().map(|(lead, (usable, issues, noise_uv))| {
            (lead, LeadQuality { usable, issues, noise_uv })
        });
        Quality { usable, leads: leads.collect() }
    }
}

fn issue() -> impl Strategy<Value = QualityIssue> {
    use QualityIssue::*;
    select(vec![Flat, Clipped, Noise, BaselineWander, Mains, Gaps])
}

prop_compose! {
    fn fiducials()(at in proptest::array::uniform6(option::of(any::<i32>()))) -> Fiducials {
        let [p_onset, p_offset, qrs_onset, qrs_offset, t_peak, t_offset] = at;
        Fiducials { p_onset, p_offset, qrs_onset, qrs_offset, t_peak, t_offset }
    }
}

prop_compose! {
    pub fn measurements()(
        version in words(),
        scalars in proptest::array::uniform9(measured()),
        qtc_ms in btree_map(formula(), measured(), 0..4),
        st_uv in btree_map(lead(), measured(), 0..13),
        rhythm in select(vec![
            Rhythm::Sinus, Rhythm::AtrialFibrillation, Rhythm::Paced, Rhythm::Undetermined,
        ]),
        paced in any::<bool>(),
        r_peaks in vec(any::<u32>(), 0..20),
        beats_used in vec(any::<u32>(), 0..20),
        fiducials in fiducials(),
        quality in quality(),
    ) -> Measurements {
        let [heart_rate_bpm, rr_ms, p_ms, pr_ms, qrs_ms, qt_ms, p, qrs, t] = scalars;
        Measurements {
            version, heart_rate_bpm, rr_ms, p_ms, pr_ms, qrs_ms, qt_ms, qtc_ms,
            axis_deg: Axes { p, qrs, t },
            st_uv, rhythm, paced, r_peaks, beats_used, fiducials, quality,
            waves: WaveTable::default(),
            rhythm_report: None,
        }
    }
}

prop_compose! {
    fn flag()(
        code in select(FlagCode::ALL.to_vec()),
        severity in select(vec![Severity::Info, Severity::Borderline, Severity::Alert]),
        value in number(),
        limit in number(),
        unit in select(vec!["/min", "ms", "deg", "uV"]),
        rule_version in words(),
        leads in vec(lead(), 0..4),
        beats in vec(any::<u32>(), 0..5),
        formula in option::of(formula()),
        notes in vec(words(), 0..3),
    ) -> Flag {
        Flag {
            code, severity, value, limit, unit: unit.into(), rule_version,
            evidence: Evidence { leads, beats, formula }, notes,
        }
    }
}

prop_compose! {
    pub fn flag_report()(
        rule_version in prop_oneof![Just(String::new()), words()],
        flags in vec(flag(), 0..5),
        not_evaluated in vec((select(FlagCode::ALL.to_vec()), not_evaluated()), 0..4),
    ) -> FlagReport {
        FlagReport { rule_version, flags, not_evaluated }
    }
}

fn not_evaluated() -> impl Strategy<Value = NotEvaluated> {
    use NotEvaluated::*;
    select(vec![WideQrs, Paced, Paediatric, AtrialFibrillation, NotSinus, PoorQuality, Missing])
}

fn zone() -> impl Strategy<Value = ZoneKnowledge> {
    prop_oneof![
        Just(ZoneKnowledge::Unknown),
        any::<i16>().prop_map(|minutes| ZoneKnowledge::Offset { minutes }),
        (-56_i16..=56).prop_map(|q| ZoneKnowledge::Offset { minutes: q * 15 }),
    ]
}

prop_compose! {
    fn device_time()(
        as_written in words(),
        local in option::of(prop_oneof![
            Just(String::from("2024-05-17T08:30:15.250")),
            Just(String::from("2024-05-17T08:30")),
            Just(String::from("2024-05-17")),
            date().prop_map(|d| d.to_string()),
            words(),
        ]),
        zone in zone(),
    ) -> DeviceTime {
        DeviceTime { as_written, local, zone }
    }
}

prop_compose! {
    fn device()(parts in proptest::array::uniform4(option::of(words()))) -> DeviceDescription {
        let [manufacturer, model, software, serial] = parts;
        DeviceDescription { manufacturer, model, software, serial: serial.map(Phi::new) }
    }
}

prop_compose! {
    fn device_measurement()(
        name in option::of(select(vec!["pr_ms", "heart_rate_bpm"])),
        code in option::of(prop_oneof![
            Just(String::from("LN:8625-6")),
            Just(String::from("LN:8601-7")),
            Just(String::from("SCPECG:5.10.2.1-5")),
            Just(String::from("LN:not a code")),
            words(),
        ]),
        label in prop_oneof![Just(String::new()), words()],
        value in number(),
        unit in prop_oneof![
            Just(String::new()), Just(String::from("ms")), Just(String::from("mm/mV")), words(),
        ],
        lead in option::of(lead()),
    ) -> DeviceMeasurement {
        DeviceMeasurement { name: name.map(String::from), code, label, value, unit, lead }
    }
}

prop_compose! {
    fn device_statement()(
        text in prop_oneof![Just(String::new()), words()],
        code in option::of(words()),
    ) -> DeviceStatement {
        DeviceStatement { text: Phi::new(text), code }
    }
}

#[derive(Clone, Debug)]
pub struct Owned {
    pub recording: RecordingId,
    pub patient: Option<PatientId>,
    pub acquired: Option<DeviceTime>,
    pub received_at: Timestamp,
    pub device: DeviceDescription,
    pub device_measurements: Vec<DeviceMeasurement>,
    pub device_statements: Vec<DeviceStatement>,
    pub blob: BlobId,
    pub size_bytes: u64,
    pub title: String,
}

impl Owned {
    pub fn facts(&self) -> DocumentFacts<'_> {
        DocumentFacts {
            recording_id: self.recording,
            patient: self.patient,
            acquired: self.acquired.as_ref(),
            received_at: self.received_at,
            device: &self.device,
            device_measurements: &self.device_measurements,
            device_statements: &self.device_statements,
            blob: self.blob,
            content_type: "application/dicom",
            size_bytes: self.size_bytes,
            title: &self.title,
        }
    }
}

prop_compose! {
    pub fn document()(
        ids in (uuid(), option::of(uuid()), uuid()),
        acquired in option::of(device_time()),
        received_at in time(),
        device in device(),
        device_measurements in vec(device_measurement(), 0..4),
        device_statements in vec(device_statement(), 0..4),
        size_bytes in 0_u64..0x8000_0010,
        title in words(),
    ) -> Owned {
        let (recording, patient, blob) = ids;
        Owned {
            recording: RecordingId(recording),
            patient: patient.map(PatientId),
            acquired, received_at, device, device_measurements, device_statements,
            blob: BlobId(blob), size_bytes, title,
        }
    }
}
