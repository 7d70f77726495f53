//! Annotated ECGs as text.

use std::fmt::Write as _;

use super::beats;

#[derive(Clone, Debug)]
pub struct Lead {
    pub code: String,
    pub name: String,
    pub origin: String,
    pub scale: String,
    pub kind: String,
    pub digits: String,
}

impl Lead {
    pub fn new(code: &str, digits: &[i32]) -> Self {
        let digits: Vec<String> = digits.iter().map(i32::to_string).collect();
        Self {
            code: code.into(),
            name: String::new(),
            origin: r#"value="0" unit="uV""#.into(),
            scale: r#"value="5" unit="uV""#.into(),
            kind: "SLIST_PQ".into(),
            digits: digits.join(" "),
        }
    }

    fn text(&self) -> String {
        let name = if self.name.is_empty() {
            String::new()
        } else {
            format!(r#" displayName="{}""#, self.name)
        };
        format!(
            r#"<component><sequence><code code="{}" codeSystem="2.16.840.1.113883.6.24"{name}/><value xsi:type="{}"><origin {}/><scale {}/><digits>{}</digits></value></sequence></component>"#,
            self.code, self.kind, self.origin, self.scale, self.digits
        )
    }
}

/// One series, derived or not.
#[derive(Clone, Debug)]
pub struct Series {
    pub code: String,
    pub effective: String,
    pub time: String,
    pub leads: Vec<Lead>,
    pub inner: String,
}

pub const ABSOLUTE: &str = r#"<component><sequence><code code="TIME_ABSOLUTE" codeSystem="2.16.840.1.113883.5.4"/><value xsi:type="GLIST_TS"><head value="20240229101112.5+0100"/><increment value="0.002" unit="s"/></value></sequence></component>"#;

pub fn relative(increment: &str) -> String {
    format!(
        r#"<component><sequence><code code="TIME_RELATIVE" codeSystem="2.16.840.1.113883.5.4"/><value xsi:type="GLIST_PQ"><head value="0" unit="s"/><increment {increment}/></value></sequence></component>"#
    )
}

impl Series {
    pub fn new(leads: Vec<Lead>) -> Self {
        Self {
            code: "RHYTHM".into(),
            effective: String::new(),
            time: ABSOLUTE.into(),
            leads,
            inner: String::new(),
        }
    }

    pub fn text(&self, element: &str) -> String {
        let leads: String = self.leads.iter().map(Lead::text).collect();
        format!(
            r#"<{element}><code code="{}" codeSystem="2.16.840.1.113883.5.4"/>{}<component><sequenceSet>{}{leads}</sequenceSet></component>{}</{element}>"#,
            self.code, self.effective, self.time, self.inner
        )
    }
}

pub fn annotation(code: &str, value: &str) -> String {
    format!(
        r#"<component><annotation><code code="{code}" codeSystem="2.16.840.1.113883.6.24" codeSystemName="MDC"/><value {value}</annotation></component>"#
    )
}

pub fn annotations(all: &[String]) -> String {
    format!("<subjectOf><annotationSet>{}</annotationSet></subjectOf>", all.concat())
}

/// A whole file around its series.
pub fn file(series: &[String]) -> String {
    let mut text = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?><AnnotatedECG xmlns="urn:hl7-org:v3" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><id root="1.2.3" extension="E7"/><code code="93000" codeSystem="2.16.840.1.113883.6.12"/><effectiveTime><center value="20240229101112"/></effectiveTime><componentOf><timepointEvent><componentOf><subjectAssignment><subject><trialSubject><id root="1.2.9" extension="P-17"/><subjectDemographicPerson><name><family>Noether</family><given>Amalie</given></name><administrativeGenderCode code="F"/><birthTime value="18820323"/></subjectDemographicPerson></trialSubject></subject></subjectAssignment></componentOf></timepointEvent></componentOf>"#,
    );
    for one in series {
        write!(text, "<component>{one}</component>").unwrap();
    }
    text + "</AnnotatedECG>"
}

/// Two leads and a median beat, with what devices say beside them.
pub fn rich() -> String {
    let mut median = Series::new(vec![
        Lead::new("MDC_ECG_LEAD_I", &beats(300, 300)),
        Lead::new("MDC_ECG_LEAD_II", &beats(300, 300)),
    ]);
    median.code = "REPRESENTATIVE_BEAT".into();
    median.time = relative(r#"value="1" unit="ms""#);
    median.leads[1].scale = r#"value="0.0025" unit="mV""#.into();
    median.inner = annotations(&[annotation(
        "MDC_ECG_TIME_PD_PR",
        r#"xsi:type="PQ" value="148" unit="ms"/>"#,
    )]);
    let mut rhythm = Series::new(vec![
        Lead::new("MDC_ECG_LEAD_I", &beats(1500, 400)),
        Lead::new("MDC_ECG_LEAD_II", &beats(1500, 400)),
    ]);
    rhythm.inner = annotations(&[
        annotation("MDC_ECG_HEART_RATE", r#"xsi:type="PQ" value="75" unit="bpm"/>"#),
        annotation("MDC_ECG_INTERPRETATION", r#"xsi:type="ST">Sinus rhythm &amp; normal</value>"#),
        annotation(
            "MDC_ECG_RHY",
            r#"xsi:type="CE" code="MDC_ECG_RHY_SINUS_RHY" codeSystem="2.16.840.1.113883.6.24" displayName="Sinus rhythm"/>"#,
        ),
    ]) + &format!("<derivation>{}</derivation>", median.text("derivedSeries"));
    file(&[rhythm.text("series")])
}
