//! The panel Observation (LOINC 34534-8): one component a measurement, present or absent with its
//! reason.

use std::collections::BTreeMap;

use precordia_model::{
    Axes, FlagCode, FlagReport, Lead, Measured, Measurements, MissingReason, QtFormula, Rhythm,
    WaveTable,
};
use serde_json::{Value, json};

use super::super::codes::{self, MeasurementCode};
use super::super::date::instant;
use super::super::json::{Node, coding, concept, extension, list, object, reference};
use super::super::operation_outcome::{Invalid, IssueCode};
use super::super::{Meta, validate};
use super::{
    EcgFacts, MACHINE_LABEL, Shared, category_procedure, device, flags, numbers, panel_code,
    quality, quantity, read_numbers, read_quantity,
};

/// `status` is preliminary: no person has looked at it.
pub fn observation(facts: &EcgFacts, meta: &Meta) -> Value {
    let (m, shared) = (facts.measurements, Shared::of(&facts.document));
    let extensions = [
        shared.device_time,
        quality::quality(&m.quality),
        quality::fiducials(&m.fiducials),
        numbers(&m.r_peaks).map(|n| extension(codes::EXT_R_PEAKS, "valueString", n)),
        numbers(&m.beats_used).map(|n| extension(codes::EXT_BEATS_USED, "valueString", n)),
        flags::report(facts.flags),
    ];
    object([
        ("resourceType", Some("Observation".into())),
        ("id", Some(facts.document.recording_id.to_string().into())),
        ("meta", Some(meta.to_fhir())),
        ("contained", Some(json!([device::analysis(&m.version)]))),
        ("extension", list(extensions.into_iter().flatten().collect())),
        ("status", Some("preliminary".into())),
        ("category", Some(category_procedure())),
        ("code", Some(panel_code())),
        ("subject", shared.subject),
        ("effectiveDateTime", shared.effective),
        ("issued", Some(instant(facts.measured_at).into())),
        ("interpretation", list(facts.flags.flags.iter().map(flags::interpretation).collect())),
        ("note", Some(json!([{ "text": MACHINE_LABEL }]))),
        ("device", Some(device::local_reference(device::ANALYSIS))),
        ("derivedFrom", Some(json!([shared.derived_from]))),
        ("component", Some(Value::Array(components(m, facts.flags)))),
    ])
}

pub(super) fn result_reference(facts: &EcgFacts) -> Value {
    reference("Observation", facts.document.recording_id)
}

fn components(m: &Measurements, report: &FlagReport) -> Vec<Value> {
    let mut all = vec![
        (codes::heart_rate(), m.heart_rate_bpm),
        (codes::rr(), m.rr_ms),
        (codes::p(), m.p_ms),
        (codes::pr(), m.pr_ms),
        (codes::qrs(), m.qrs_ms),
        (codes::qt(), m.qt_ms),
        (codes::axis_p(), m.axis_deg.p),
        (codes::axis_qrs(), m.axis_deg.qrs),
        (codes::axis_t(), m.axis_deg.t),
    ];
    all.extend(m.qtc_ms.iter().map(|(&formula, &value)| (codes::qtc(formula), value)));
    all.extend(m.st_uv.iter().map(|(&lead, &value)| (codes::st(lead), value)));
    let mut components: Vec<Value> =
        all.into_iter().map(|(code, measured)| component(&code, measured, report)).collect();
    components.push(json!({
        "code": own_concept(codes::RHYTHM_NAME, "Rhythm"),
        "valueCodeableConcept": concept(vec![coding(codes::ECG_RHYTHM, m.rhythm.name())]),
    }));
    components.push(json!({
        "code": own_concept(codes::PACED_NAME, "Ventricular pacing seen"),
        "valueBoolean": m.paced,
    }));
    components
}

fn component(code: &MeasurementCode, measured: Measured, report: &FlagReport) -> Value {
    let quantity = measured.value().and_then(|value| quantity(value, code.unit));
    let absent = quantity.is_none().then(|| absent_reason(measured));
    let interpretation = interpretations(&code.name, measured, report);
    object([
        ("code", Some(measurement_concept(code))),
        ("valueQuantity", quantity),
        ("dataAbsentReason", absent),
        ("interpretation", list(interpretation)),
    ])
}

/// "Normal" is said only where the rules look at both sides of a value: rate and QRS axis.
fn interpretations(name: &str, measured: Measured, report: &FlagReport) -> Vec<Value> {
    let about = |flag: &&precordia_model::Flag| flags::components(flag).iter().any(|c| c == name);
    let found: Vec<Value> =
        report.flags.iter().filter(about).map(flags::short_interpretation).collect();
    let both_sides: &[FlagCode] = match name {
        "heart_rate_bpm" => &[FlagCode::Bradycardia, FlagCode::Tachycardia],
        "axis_deg.qrs" => &[FlagCode::AxisLeft, FlagCode::AxisRight, FlagCode::AxisExtreme],
        _ => return found,
    };
    if found.is_empty() && measured.value().is_some() && flags::all_clear(report, both_sides) {
        return vec![flags::normal()];
    }
    found
}

fn measurement_concept(code: &MeasurementCode) -> Value {
    let mut codings = Vec::new();
    codings.extend(code.loinc.map(|loinc| coding(codes::LOINC, loinc)));
    codings.extend(code.mdc.map(|mdc| coding(codes::MDC, &mdc.to_string())));
    codings.push(coding(codes::ECG_MEASUREMENT, &code.name));
    json!({ "coding": codings, "text": code.display })
}

fn own_concept(name: &str, text: &str) -> Value {
    json!({ "coding": [coding(codes::ECG_MEASUREMENT, name)], "text": text })
}

/// HL7's nearest reason and our exact one. A value that is no number has no reason of ours: it is
/// never read back as a measurement.
fn absent_reason(measured: Measured) -> Value {
    let Some(reason) = measured.missing() else {
        return concept(vec![coding(codes::DATA_ABSENT_REASON, "not-a-number")]);
    };
    let hl7 = match reason {
        MissingReason::Rhythm | MissingReason::Paced => "not-applicable",
        MissingReason::LeadAbsent => "not-performed",
        MissingReason::OutOfScope => "unsupported",
        MissingReason::PoorQuality | MissingReason::Gap => "error",
        MissingReason::NoBeats
        | MissingReason::TooFewBeats
        | MissingReason::NoPWave
        | MissingReason::NoTWave => "unknown",
    };
    concept(vec![
        coding(codes::DATA_ABSENT_REASON, hl7),
        coding(codes::MISSING_REASON, reason.name()),
    ])
}

/// The measurements of a panel Observation, as they were before.
pub fn measurements_from_fhir(v: &Value) -> Result<Measurements, Invalid> {
    let node = Node::resource(v, "Observation")?;
    if let Err(mut invalid) = validate::check(v) {
        return Err(invalid.swap_remove(0));
    }
    require_panel(&node)?;
    let mut components = Components::of(&node)?;
    let measurements = Measurements {
        version: read_version(&node)?,
        heart_rate_bpm: components.take(&codes::heart_rate())?,
        rr_ms: components.take(&codes::rr())?,
        p_ms: components.take(&codes::p())?,
        pr_ms: components.take(&codes::pr())?,
        qrs_ms: components.take(&codes::qrs())?,
        qt_ms: components.take(&codes::qt())?,
        qtc_ms: components.take_each(&QtFormula::ALL, codes::qtc)?,
        axis_deg: Axes {
            p: components.take(&codes::axis_p())?,
            qrs: components.take(&codes::axis_qrs())?,
            t: components.take(&codes::axis_t())?,
        },
        st_uv: components.take_each(Lead::ALL, codes::st)?,
        rhythm: components.take_rhythm()?,
        paced: components.take_paced()?,
        r_peaks: sample_numbers(&node, codes::EXT_R_PEAKS)?,
        beats_used: sample_numbers(&node, codes::EXT_BEATS_USED)?,
        fiducials: quality::read_fiducials(&node)?,
        quality: quality::read_quality(&node)?,
        waves: WaveTable::default(),
        rhythm_report: None,
    };
    components.require_none_left()?;
    Ok(measurements)
}

fn require_panel(node: &Node) -> Result<(), Invalid> {
    let code = node.require("code")?;
    match code.coding(codes::LOINC)? {
        Some(found) if found.str()? == codes::LOINC_PANEL => Ok(()),
        _ => Err(code.invalid(IssueCode::CodeInvalid, "is not the 12-lead panel 34534-8")),
    }
}

fn read_version(node: &Node) -> Result<String, Invalid> {
    let analysis = device::contained(node, device::ANALYSIS)?
        .ok_or_else(|| node.invalid(IssueCode::Required, "the measuring device is required"))?;
    Ok(device::version(&analysis)?.unwrap_or_default())
}

fn sample_numbers(node: &Node, url: &str) -> Result<Vec<u32>, Invalid> {
    match node.extension(url)? {
        Some(found) => read_numbers(&found.require("valueString")?),
        None => Ok(Vec::new()),
    }
}

/// Components by our name, taken one by one; what is left over was not understood.
struct Components<'a> {
    at: Node<'a>,
    by_name: BTreeMap<String, Node<'a>>,
}

impl<'a> Components<'a> {
    fn of(node: &Node<'a>) -> Result<Self, Invalid> {
        let mut by_name = BTreeMap::new();
        for component in node.items("component")? {
            let code = component.require("code")?;
            let name = code
                .coding(codes::ECG_MEASUREMENT)?
                .ok_or_else(|| code.invalid(IssueCode::Required, "our own code is required"))?;
            if by_name.insert(name.string()?, component.clone()).is_some() {
                return Err(name.invalid(IssueCode::Structure, "may stand once only"));
            }
        }
        Ok(Self { at: node.clone(), by_name })
    }

    fn node(&mut self, name: &str) -> Result<Node<'a>, Invalid> {
        let found = self.by_name.remove(name);
        found.ok_or_else(|| {
            self.at.invalid(IssueCode::Required, format!("the component `{name}` is required"))
        })
    }

    fn take(&mut self, code: &MeasurementCode) -> Result<Measured, Invalid> {
        let node = self.node(&code.name)?;
        let Some(quantity) = node.get("valueQuantity") else { return read_absent(&node) };
        let (value, unit) = read_quantity(&quantity)?;
        if unit != code.unit {
            let text = format!("the unit must be `{}`", code.unit);
            return Err(quantity.invalid(IssueCode::Value, text));
        }
        Ok(Measured::Value(value))
    }

    fn take_each<K: Copy + Ord>(
        &mut self,
        keys: &[K],
        code: impl Fn(K) -> MeasurementCode,
    ) -> Result<BTreeMap<K, Measured>, Invalid> {
        let mut found = BTreeMap::new();
        for &key in keys {
            let code = code(key);
            if self.by_name.contains_key(&code.name) {
                found.insert(key, self.take(&code)?);
            }
        }
        Ok(found)
    }

    fn take_rhythm(&mut self) -> Result<Rhythm, Invalid> {
        let value = self.node(codes::RHYTHM_NAME)?.require("valueCodeableConcept")?;
        let code = value.coding(codes::ECG_RHYTHM)?;
        code.ok_or_else(|| value.invalid(IssueCode::Required, "our own code is required"))?.code()
    }

    fn take_paced(&mut self) -> Result<bool, Invalid> {
        self.node(codes::PACED_NAME)?.require("valueBoolean")?.bool()
    }

    fn require_none_left(&self) -> Result<(), Invalid> {
        match self.by_name.values().next() {
            Some(left) => Err(left.invalid(IssueCode::NotSupported, "is not known to the model")),
            None => Ok(()),
        }
    }
}

fn read_absent(node: &Node) -> Result<Measured, Invalid> {
    let absent = node.require("dataAbsentReason")?;
    let reason = absent
        .coding(codes::MISSING_REASON)?
        .ok_or_else(|| absent.invalid(IssueCode::Required, "our own reason is required"))?;
    Ok(Measured::Missing(reason.code()?))
}
