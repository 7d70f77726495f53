//! Which objects are read as ECGs. PS3.4 table B.5-1.
//!
//! Objects are taken by what they hold: carts store ECGs under neighboring classes, and those are
//! read with a problem. A class that is known to be something else is not opened.

use precordia_model::{Problem, Refusal, RefusalReason};

use super::element::DataSet;
use super::tag;

const STORAGE_ROOT: &str = "1.2.840.10008.5.1.4.1.1.";

pub(crate) const TWELVE_LEAD: &str = "1.2.840.10008.5.1.4.1.1.9.1.1";
pub(crate) const GENERAL: &str = "1.2.840.10008.5.1.4.1.1.9.1.2";
pub(crate) const AMBULATORY: &str = "1.2.840.10008.5.1.4.1.1.9.1.3";
const GENERAL_32_BIT: &str = "1.2.840.10008.5.1.4.1.1.9.1.4";
const HEMODYNAMIC: &str = "1.2.840.10008.5.1.4.1.1.9.2.1";

/// The name of the object's class, if it may hold an ECG.
pub(crate) fn accept(
    set: &DataSet<'_>,
    meta_class: Option<&str>,
    problems: &mut Vec<Problem>,
) -> Result<&'static str, Refusal> {
    let class = set.ascii(tag::SOP_CLASS);
    if let (Some(class), Some(meta_class)) = (class, meta_class)
        && class != meta_class
    {
        let text = "file meta information and data set name different SOP classes; the data set's was used";
        problems.push(Problem::warning("sop_class_conflict", "SOPClassUID", text));
    }
    let class = class.or(meta_class).unwrap_or_default();
    let encapsulated =
        class.strip_prefix(STORAGE_ROOT).is_some_and(|rest| rest.starts_with("104."));
    if encapsulated || set.has(tag::ENCAPSULATED_DOCUMENT) {
        let text = "the object is a document, not a waveform";
        let refusal =
            Refusal::new(RefusalReason::NoWaveform, "document_encapsulated", "SOPClassUID", text);
        return Err(refusal.hint("send the ECG as a waveform object; devices often store both"));
    }
    match class {
        TWELVE_LEAD => Ok("12-lead ECG Waveform Storage"),
        GENERAL => Ok("General ECG Waveform Storage"),
        AMBULATORY => Ok("Ambulatory ECG Waveform Storage"),
        GENERAL_32_BIT => Ok("General 32-bit ECG Waveform Storage"),
        HEMODYNAMIC => {
            unusual(
                "the object is stored as a hemodynamic waveform; it was read as the ECG that its leads say it is",
                problems,
            );
            Ok("Hemodynamic Waveform Storage")
        }
        other
            if !other.starts_with("1.2.840.10008.") && set.ascii(tag::MODALITY) == Some("ECG") =>
        {
            unusual(
                "the object has no standard SOP class; its modality says that it is an ECG",
                problems,
            );
            Ok("unknown SOP class")
        }
        _ => Err(Refusal::new(
            RefusalReason::NotAnEcg,
            "sop_class_not_ecg",
            "SOPClassUID",
            "the DICOM object is not an electrocardiogram",
        )),
    }
}

fn unusual(text: &str, problems: &mut Vec<Problem>) {
    problems.push(Problem::warning("sop_class_unusual", "SOPClassUID", text));
}
