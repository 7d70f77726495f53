//! The attributes that the reader and the writer name. PS3.6 chapters 6 and 7.

use std::fmt;

/// `(group, element)` as one number, so that order of tags is order of numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Tag(pub u32);

impl Tag {
    pub(crate) const fn group(self) -> u16 {
        (self.0 >> 16) as u16
    }

    pub(crate) const fn element(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({:04X},{:04X})", self.group(), self.element())
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! tags {
    ($($name:ident = $number:literal;)+) => {
        $(pub(crate) const $name: Tag = Tag($number);)+
    };
}

tags! {
    META_GROUP_LENGTH = 0x0002_0000;
    META_VERSION = 0x0002_0001;
    META_SOP_CLASS = 0x0002_0002;
    META_SOP_INSTANCE = 0x0002_0003;
    META_TRANSFER_SYNTAX = 0x0002_0010;
    META_IMPLEMENTATION_CLASS = 0x0002_0012;
    META_IMPLEMENTATION_VERSION = 0x0002_0013;

    SPECIFIC_CHARACTER_SET = 0x0008_0005;
    SOP_CLASS = 0x0008_0016;
    SOP_INSTANCE = 0x0008_0018;
    STUDY_DATE = 0x0008_0020;
    ACQUISITION_DATE = 0x0008_0022;
    CONTENT_DATE = 0x0008_0023;
    ACQUISITION_DATE_TIME = 0x0008_002A;
    STUDY_TIME = 0x0008_0030;
    ACQUISITION_TIME = 0x0008_0032;
    CONTENT_TIME = 0x0008_0033;
    ACCESSION_NUMBER = 0x0008_0050;
    MODALITY = 0x0008_0060;
    MANUFACTURER = 0x0008_0070;
    REFERRING_PHYSICIAN = 0x0008_0090;
    CODE_VALUE = 0x0008_0100;
    CODING_SCHEME = 0x0008_0102;
    CODING_SCHEME_VERSION = 0x0008_0103;
    CODE_MEANING = 0x0008_0104;
    LONG_CODE_VALUE = 0x0008_0119;
    TIMEZONE_OFFSET = 0x0008_0201;
    MODEL_NAME = 0x0008_1090;
    PATIENT_NAME = 0x0010_0010;
    PATIENT_ID = 0x0010_0020;
    ISSUER_OF_PATIENT_ID = 0x0010_0021;
    BIRTH_DATE = 0x0010_0030;
    SEX = 0x0010_0040;
    AGE = 0x0010_1010;
    SERIAL_NUMBER = 0x0018_1000;
    SOFTWARE_VERSIONS = 0x0018_1020;
    GROUP_TIME_OFFSET = 0x0018_1068;
    STUDY_INSTANCE = 0x0020_000D;
    SERIES_INSTANCE = 0x0020_000E;
    STUDY_ID = 0x0020_0010;
    SERIES_NUMBER = 0x0020_0011;
    INSTANCE_NUMBER = 0x0020_0013;

    ORIGINALITY = 0x003A_0004;
    CHANNEL_COUNT = 0x003A_0005;
    SAMPLE_COUNT = 0x003A_0010;
    SAMPLING_FREQUENCY = 0x003A_001A;
    GROUP_LABEL = 0x003A_0020;
    CHANNEL_DEFINITIONS = 0x003A_0200;
    CHANNEL_NUMBER = 0x003A_0202;
    CHANNEL_LABEL = 0x003A_0203;
    CHANNEL_SOURCE = 0x003A_0208;
    CHANNEL_SOURCE_MODIFIERS = 0x003A_0209;
    SENSITIVITY = 0x003A_0210;
    SENSITIVITY_UNITS = 0x003A_0211;
    SENSITIVITY_CORRECTION = 0x003A_0212;
    BASELINE = 0x003A_0213;
    TIME_SKEW = 0x003A_0214;
    SAMPLE_SKEW = 0x003A_0215;
    BITS_STORED = 0x003A_021A;
    FILTER_LOW = 0x003A_0220;
    FILTER_HIGH = 0x003A_0221;
    FILTER_NOTCH = 0x003A_0222;

    ACQUISITION_CONTEXT = 0x0040_0555;
    MEASUREMENT_UNITS = 0x0040_08EA;
    CONCEPT_NAME = 0x0040_A043;
    REFERENCED_CHANNELS = 0x0040_A0B0;
    TEMPORAL_RANGE_TYPE = 0x0040_A130;
    CONCEPT_CODE = 0x0040_A168;
    ANNOTATION_GROUP = 0x0040_A180;
    NUMERIC_VALUE = 0x0040_A30A;
    ANNOTATIONS = 0x0040_B020;
    ENCAPSULATED_DOCUMENT = 0x0042_0011;
    UNFORMATTED_TEXT = 0x0070_0006;

    WAVEFORM_SEQUENCE = 0x5400_0100;
    BITS_ALLOCATED = 0x5400_1004;
    SAMPLE_INTERPRETATION = 0x5400_1006;
    PADDING_VALUE = 0x5400_100A;
    WAVEFORM_DATA = 0x5400_1010;

    ITEM = 0xFFFE_E000;
    ITEM_END = 0xFFFE_E00D;
    SEQUENCE_END = 0xFFFE_E0DD;
}

/// Sequences that are walked when the encoding itself does not say that they are sequences:
/// implicit VR with a defined length, and UN (PS3.5 6.2.2). Any other stays unread bytes.
pub(crate) fn is_known_sequence(tag: Tag) -> bool {
    matches!(
        tag,
        WAVEFORM_SEQUENCE
            | CHANNEL_DEFINITIONS
            | CHANNEL_SOURCE
            | CHANNEL_SOURCE_MODIFIERS
            | SENSITIVITY_UNITS
            | ANNOTATIONS
            | CONCEPT_NAME
            | CONCEPT_CODE
            | MEASUREMENT_UNITS
    )
}
