//! CardioSoft ECGs as text.

use super::beats;

#[derive(Clone, Debug)]
pub struct Block {
    pub head: String,
    pub leads: Vec<(String, String)>,
}

impl Block {
    pub fn new(names: &[&str], samples: &[i32]) -> Self {
        let digits: Vec<String> = samples.iter().map(i32::to_string).collect();
        let head = format!(
            "<NumberOfLeads>{}</NumberOfLeads><SampleRate units=\"Hz\">500</SampleRate><ChannelSampleCountTotal>{}</ChannelSampleCountTotal><Resolution units=\"uVperLsb\">5</Resolution>",
            names.len(),
            samples.len()
        );
        let digits = digits.join(",\n\t\t");
        let leads = names.iter().map(|name| ((*name).to_owned(), digits.clone())).collect();
        Self { head, leads }
    }

    pub fn text(&self, element: &str) -> String {
        let leads: String = self
            .leads
            .iter()
            .map(|(name, digits)| format!("<WaveformData lead=\"{name}\">{digits}</WaveformData>"))
            .collect();
        format!("<{element}>{}{leads}</{element}>", self.head)
    }
}

pub fn file(inner: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"ISO8859-1\" ?>\n<CardiologyXML><ObservationType>RestECG</ObservationType>{inner}</CardiologyXML>"
    )
}

pub const PERSON: &str = "<ObservationDateTime><Hour>9</Hour><Minute>5</Minute><Second>7</Second><Day>29</Day><Month>2</Month><Year>2024</Year></ObservationDateTime><PatientVisit><OrderNumber>A-3</OrderNumber></PatientVisit><PatientInfo><PID>P-17</PID><Name><FamilyName>Noether</FamilyName><GivenName>Amalie</GivenName></Name><Age units=\"YEARS\">40</Age><BirthDateTime><Day>23</Day><Month>3</Month><Year>1982</Year></BirthDateTime><Gender>FEMALE</Gender></PatientInfo><FilterSetting><Filter50Hz>Yes</Filter50Hz><LowPass units=\"Hz\">150</LowPass><HighPass units=\"Hz\">0.05</HighPass></FilterSetting>";

pub const MEASURED: &str = "<VentricularRate units=\"BPM\">60</VentricularRate><PQInterval units=\"ms\"></PQInterval><QTInterval units=\"s\">0.4</QTInterval><MeasurementTable><LeadOrder>I, II</LeadOrder><RAmplitude units=\"uV\">500, </RAmplitude><SAmplitude units=\"uV\">1, 2, 3</SAmplitude></MeasurementTable>";

pub fn rich() -> String {
    let strip = Block::new(&["I", "II", "V1"], &beats(1500, 300)).text("StripData");
    let median = Block::new(&["I", "II", "V1"], &beats(300, 300)).text("MedianSamples");
    file(&format!(
        "{PERSON}<Interpretation><Diagnosis><DiagnosisText>Normal</DiagnosisText></Diagnosis></Interpretation><RestingECGMeasurements>{MEASURED}{median}</RestingECGMeasurements>{strip}"
    ))
}
