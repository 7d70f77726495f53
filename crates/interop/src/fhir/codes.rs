//! Code systems, and the codes of what an ECG measures. Codes only: the texts beside them are ours,
//! not those of LOINC or IEEE.

use precordia_model::{Lead, QtFormula};

pub const LOINC: &str = "http://loinc.org";
/// ISO/IEEE 11073-10101, context-free codes (partition × 65536 + term code).
pub const MDC: &str = "urn:iso:std:iso:11073:10101";
pub const UCUM: &str = "http://unitsofmeasure.org";
pub const INTERPRETATION: &str =
    "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
pub const DATA_ABSENT_REASON: &str = "http://terminology.hl7.org/CodeSystem/data-absent-reason";
pub const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
pub const DIAGNOSTIC_SERVICE: &str = "http://terminology.hl7.org/CodeSystem/v2-0074";
pub const OBSERVATION_STATUS: &str = "http://hl7.org/fhir/observation-status";
pub const DIAGNOSTIC_REPORT_STATUS: &str = "http://hl7.org/fhir/diagnostic-report-status";
pub const DOCUMENT_REFERENCE_STATUS: &str = "http://hl7.org/fhir/document-reference-status";

/// Our own systems; `docs/fhir/extensions.md` lists their codes.
pub const ECG_MEASUREMENT: &str = "https://precordia.org/fhir/CodeSystem/ecg-measurement";
pub const ECG_RHYTHM: &str = "https://precordia.org/fhir/CodeSystem/ecg-rhythm";
pub const ECG_OBSERVATION: &str = "https://precordia.org/fhir/CodeSystem/ecg-observation";
pub const MISSING_REASON: &str = "https://precordia.org/fhir/CodeSystem/missing-reason";
pub const FLAG_CODE: &str = "https://precordia.org/fhir/CodeSystem/flag-code";
pub const FLAG_SEVERITY: &str = "https://precordia.org/fhir/CodeSystem/flag-severity";
pub const ROLE: &str = "https://precordia.org/fhir/CodeSystem/role";

/// Our own identifier systems.
pub const SID_USER: &str = "https://precordia.org/fhir/sid/user";
pub const SID_TOKEN: &str = "https://precordia.org/fhir/sid/api-token";
pub const SID_ORGANIZATION: &str = "https://precordia.org/fhir/sid/organization";

pub const LOINC_PANEL: &str = "34534-8";
pub const LOINC_IMPRESSION: &str = "8601-7";
pub const LOINC_EKG_STUDY: &str = "11524-6";
/// What the device itself says, kept apart from our panel.
pub const DEVICE_SAYS: &str = "device-says";

/// How one measurement is named and in what unit it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MeasurementCode {
    /// Our name, as in `ecg measure --json`.
    pub name: String,
    pub display: String,
    pub loinc: Option<&'static str>,
    pub mdc: Option<u32>,
    /// UCUM; none for what is not a quantity.
    pub unit: &'static str,
}

fn code(
    name: &str,
    display: &str,
    loinc: Option<&'static str>,
    mdc: Option<u32>,
    unit: &'static str,
) -> MeasurementCode {
    MeasurementCode { name: name.to_owned(), display: display.to_owned(), loinc, mdc, unit }
}

/// MDC partition 2 (SCADA): DICOM writes these codes `2:16156`.
const fn mdc(term: u32) -> Option<u32> {
    Some(2 * 65_536 + term)
}

/// MDC_ECG_HEART_RATE.
pub(super) fn heart_rate() -> MeasurementCode {
    code("heart_rate_bpm", "Heart rate", Some("8867-4"), mdc(16_770), "/min")
}

/// MDC_ECG_TIME_PD_RR_GL (DICOM CID 3689).
pub(super) fn rr() -> MeasurementCode {
    code("rr_ms", "R-R interval, mean", None, mdc(16_000), "ms")
}

/// MDC_ECG_TIME_PD_P_GL (DICOM CID 3689).
pub(super) fn p() -> MeasurementCode {
    code("p_ms", "P wave duration", None, mdc(16_184), "ms")
}

/// MDC_ECG_TIME_PD_PR_GL (DICOM CID 3689).
pub(super) fn pr() -> MeasurementCode {
    code("pr_ms", "P-R interval", Some("8625-6"), mdc(15_872), "ms")
}

/// MDC_ECG_TIME_PD_QRS_GL (DICOM CID 3689).
pub(super) fn qrs() -> MeasurementCode {
    code("qrs_ms", "QRS duration", Some("8633-0"), mdc(16_156), "ms")
}

/// MDC_ECG_TIME_PD_QT_GL (DICOM CID 3689).
pub(super) fn qt() -> MeasurementCode {
    code("qt_ms", "Q-T interval", Some("8634-8"), mdc(16_160), "ms")
}

/// MDC_ECG_TIME_PD_QTC (DICOM CID 3227), whatever the formula: that table gives the codes of single
/// formulas twice over, so the formula is told by our own code.
pub(super) fn qtc(formula: QtFormula) -> MeasurementCode {
    let name = format!("qtc_ms.{}", formula.name());
    let display = format!("Q-T interval corrected, {}", formula.name());
    code(&name, &display, Some("8636-3"), mdc(15_876), "ms")
}

/// MDC_ECG_ANGLE_P_FRONT (DICOM CID 3229).
pub(super) fn axis_p() -> MeasurementCode {
    code("axis_deg.p", "P wave axis", Some("8626-4"), mdc(16_128), "deg")
}

/// MDC_ECG_ANGLE_QRS_FRONT (DICOM CID 3229).
pub(super) fn axis_qrs() -> MeasurementCode {
    code("axis_deg.qrs", "QRS axis", Some("8632-2"), mdc(16_132), "deg")
}

/// MDC_ECG_ANGLE_T_FRONT (DICOM CID 3229).
pub(super) fn axis_t() -> MeasurementCode {
    code("axis_deg.t", "T wave axis", Some("8638-9"), mdc(16_136), "deg")
}

/// MDC_ECG_AMPL_ST_<lead>: 2:768 plus the lead's id (DICOM CID 3688), 131841 for lead I.
pub(super) fn st(lead: Lead) -> MeasurementCode {
    let name = format!("st_uv.{}", lead.name());
    let display = format!("ST level at J, lead {}", lead.name());
    code(&name, &display, None, mdc(768 + u32::from(lead.scp_id())), "uV")
}

pub(super) const RHYTHM_NAME: &str = "rhythm";
pub(super) const PACED_NAME: &str = "paced";

/// UCUM units that devices send and that we recognise as such; others are carried as text.
pub(super) const UCUM_UNITS: [&str; 13] =
    ["/min", "ms", "s", "us", "uV", "mV", "V", "deg", "mm", "cm", "Hz", "%", "{beats}/min"];

/// Base of our extensions.
macro_rules! structure {
    ($name:literal) => {
        concat!("https://precordia.org/fhir/StructureDefinition/", $name)
    };
}

pub const EXT_DEVICE_TIME: &str = structure!("device-time");
pub const EXT_SIGNAL_QUALITY: &str = structure!("signal-quality");
pub const EXT_FIDUCIALS: &str = structure!("fiducials");
pub const EXT_R_PEAKS: &str = structure!("r-peaks");
pub const EXT_BEATS_USED: &str = structure!("beats-used");
pub const EXT_FLAG: &str = structure!("flag");
pub const EXT_FLAG_REPORT: &str = structure!("flag-report");
pub const EXT_MACHINE_OUTPUT: &str = structure!("machine-output");
pub const EXT_DEVICE_CODE: &str = structure!("device-code");
pub const EXT_LEAD: &str = structure!("lead");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_free_mdc_codes_are_those_that_monitors_send() {
        assert_eq!(heart_rate().mdc, Some(147_842));
        assert_eq!(axis_p().mdc, Some(147_200));
        assert_eq!(axis_qrs().mdc, Some(147_204));
        assert_eq!(axis_t().mdc, Some(147_208));
        assert_eq!(st(Lead::I).mdc, Some(131_841));
        assert_eq!(st(Lead::III).mdc, Some(131_901));
        assert_eq!(st(Lead::AVR).mdc, Some(131_902));
    }
}
