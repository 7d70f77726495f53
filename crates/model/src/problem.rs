//! What a reader noticed about a file, and why it refused one.

use serde::{Deserialize, Serialize};

/// How much a problem matters to someone who uses the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProblemSeverity {
    /// Worth knowing; nothing was changed.
    Info,
    /// Repaired without loss, or doubtful; the recording is usable.
    Warning,
    /// A part could not be read or must not be trusted; the rest is usable.
    Error,
}

/// One repair or doubt. `code` is stable snake_case (`sign_extended`, `lead_name_disagrees`),
/// `place` says where in the file (`WaveformSequence[1].channel 3`), `text` says what and what was
/// done. None of them may hold anything that identifies a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: String,
    pub place: String,
    pub severity: ProblemSeverity,
    pub text: String,
}

impl Problem {
    pub fn new(
        severity: ProblemSeverity,
        code: impl Into<String>,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { code: code.into(), place: place.into(), severity, text: text.into() }
    }

    pub fn info(
        code: impl Into<String>,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(ProblemSeverity::Info, code, place, text)
    }

    pub fn warning(
        code: impl Into<String>,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(ProblemSeverity::Warning, code, place, text)
    }

    pub fn error(
        code: impl Into<String>,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self::new(ProblemSeverity::Error, code, place, text)
    }
}

/// Why no recording could be made of the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefusalReason {
    /// No known ECG format.
    NotAnEcg,
    /// Ends before its own declared size.
    Truncated,
    /// A known format without a rhythm waveform (a PDF in DICOM, for example).
    NoWaveform,
    /// A known format in a form that is not read yet.
    Unsupported,
    /// Amplitude, time base, lead or person would have to be assumed.
    Ambiguous,
    /// The file contradicts itself or breaks its format.
    Malformed,
    /// Larger than the reader's bound.
    TooLarge,
}

/// The bytes are kept for a person; nothing was guessed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{text} (at {place})")]
pub struct Refusal {
    pub reason: RefusalReason,
    /// Stable snake_case code: `units_absent`, `waveform_truncated`.
    pub code: String,
    pub place: String,
    pub text: String,
    /// What the sender can do about it, when that is likely right.
    pub hint: Option<String>,
}

impl Refusal {
    pub fn new(
        reason: RefusalReason,
        code: impl Into<String>,
        place: impl Into<String>,
        text: impl Into<String>,
    ) -> Self {
        Self { reason, code: code.into(), place: place.into(), text: text.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}
