//! MUSE ECGs as text.

use super::beats;

/// Elements by name, so that a test may change or take away any.
pub type Fields = Vec<(&'static str, String)>;

pub fn set(fields: &mut Fields, name: &'static str, value: &str) {
    fields.retain(|(own, _)| *own != name);
    fields.push((name, value.to_owned()));
}

fn text(fields: &Fields) -> String {
    fields.iter().map(|(name, value)| format!("<{name}>{value}</{name}>")).collect()
}

pub fn lead(name: &str, samples: &[i32]) -> Fields {
    let bytes: Vec<u8> = samples.iter().flat_map(|&sample| (sample as i16).to_le_bytes()).collect();
    vec![
        ("LeadByteCountTotal", bytes.len().to_string()),
        ("LeadTimeOffset", "0".into()),
        ("LeadSampleCountTotal", samples.len().to_string()),
        ("LeadAmplitudeUnitsPerBit", "4.88".into()),
        ("LeadAmplitudeUnits", "MICROVOLTS".into()),
        ("LeadHighLimit", "32767".into()),
        ("LeadLowLimit", "32768".into()),
        ("LeadID", name.into()),
        ("LeadOffsetFirstSample", "0".into()),
        ("FirstSampleBaseline", "0".into()),
        ("LeadSampleSize", "2".into()),
        ("LeadOff", "FALSE".into()),
        ("BaselineSway", "FALSE".into()),
        ("LeadDataCRC32", crc32(&bytes).to_string()),
        ("WaveFormData", wrapped(&base64(&bytes))),
    ]
}

#[derive(Clone, Debug)]
pub struct Waveform {
    pub fields: Fields,
    pub leads: Vec<Fields>,
}

impl Waveform {
    pub fn new(kind: &str, leads: Vec<Fields>) -> Self {
        let fields = vec![
            ("WaveformType", kind.into()),
            ("NumberofLeads", leads.len().to_string()),
            ("SampleType", "CONTINUOUS_SAMPLES".into()),
            ("SampleBase", "500".into()),
            ("SampleExponent", "0".into()),
            ("HighPassFilter", "16".into()),
            ("LowPassFilter", "150".into()),
            ("ACFilter", "NONE".into()),
        ];
        Self { fields, leads }
    }

    pub fn text(&self) -> String {
        let leads: String =
            self.leads.iter().map(|lead| format!("<LeadData>{}</LeadData>", text(lead))).collect();
        format!("<Waveform>{}{leads}</Waveform>", text(&self.fields))
    }
}

pub const PERSON: &str = "<PatientDemographics><PatientID>P-17</PatientID><DateofBirth>03-23-1982</DateofBirth><PatientAge>40</PatientAge><AgeUnits>YEARS</AgeUnits><Gender>FEMALE</Gender><PatientLastName>Noether</PatientLastName><PatientFirstName>Amalie</PatientFirstName></PatientDemographics><TestDemographics><AcquisitionDevice>MAC55</AcquisitionDevice><AcquisitionTime>13:15:18</AcquisitionTime><AcquisitionDate>05-13-2021</AcquisitionDate></TestDemographics>";

pub fn file(inner: &str, waveforms: &[Waveform]) -> String {
    let waveforms: String = waveforms.iter().map(Waveform::text).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\r\n<!DOCTYPE RestingECG SYSTEM \"restecg.dtd\">\r\n<RestingECG>{inner}{waveforms}</RestingECG>"
    )
}

pub fn rich() -> String {
    let statement = |text: &str, flag: &str| {
        format!(
            "<DiagnosisStatement><StmtFlag>{flag}</StmtFlag><StmtText>{text}</StmtText></DiagnosisStatement>"
        )
    };
    let said = |last: &str| {
        let parts = [
            statement("Sinus rhythm", "ENDSLINE"),
            statement("Possible", "USERINSERT"),
            statement(last, "ENDSLINE"),
        ];
        parts.concat()
    };
    let measured = |qt: &str| {
        format!(
            "<VentricularRate>60</VentricularRate><PRInterval></PRInterval><QTInterval>{qt}</QTInterval><RAxis>-30</RAxis>"
        )
    };
    let inner = format!(
        "{PERSON}<RestingECGMeasurements>{}</RestingECGMeasurements><OriginalRestingECGMeasurements>{}</OriginalRestingECGMeasurements><Diagnosis>{}</Diagnosis><OriginalDiagnosis>{}</OriginalDiagnosis>",
        measured("400"),
        measured("380"),
        said("infarct"),
        said("nothing")
    );
    let leads =
        |count: usize| ["I", "II", "V1"].map(|name| lead(name, &beats(count, 300))).to_vec();
    file(&inner, &[Waveform::new("Median", leads(300)), Waveform::new("Rhythm", leads(1500))])
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for part in bytes.chunks(3) {
        let value = (0..3).fold(0_u32, |sum, at| sum << 8 | u32::from(*part.get(at).unwrap_or(&0)));
        for digit in 0..4 {
            let is_there = digit <= part.len();
            let value = (value >> (18 - 6 * digit)) & 63;
            text.push(if is_there { char::from(DIGITS[value as usize]) } else { '=' });
        }
    }
    text
}

fn wrapped(text: &str) -> String {
    text.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line) + "\r\n").collect()
}

/// Bit by bit, unlike the crate's.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 };
        }
    }
    !crc
}
