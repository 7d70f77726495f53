//! What the device or a reader said about the recording: measurements, statements, marks of waves.
//!
//! Kept as *device says*; nothing here is believed or computed with.

use precordia_model::{DeviceMeasurement, DeviceStatement, Lead, Phi, Problem, UnmappedField};

use crate::lead_code;
use crate::measurement_code::{self, Quantity};
use crate::xml::Element;

/// ISO/IEEE 11073 nomenclature, and how it is named.
const MDC_SYSTEM: &str = "2.16.840.1.113883.6.24";

/// What holds statements together, and what says that a text is one: neither says which.
pub(super) const INTERPRETATION: &str = "MDC_ECG_INTERPRETATION";
pub(super) const STATEMENT: &str = "MDC_ECG_INTERPRETATION_STATEMENT";

/// Marks beyond these stay where the file has them.
const MARKS_MAX: usize = 500;

#[derive(Debug, Default)]
pub(crate) struct Annotations {
    pub measurements: Vec<DeviceMeasurement>,
    pub statements: Vec<DeviceStatement>,
    /// Waves and beats with their times, a line each.
    pub marks: Vec<UnmappedField>,
}

/// What stands above an annotation.
#[derive(Clone, Copy, Debug)]
struct Context {
    /// On a representative beat, whose values are the recording's.
    derived: bool,
    /// Made by a person and not by the device.
    by_person: bool,
    beat: Option<usize>,
    lead: Option<Lead>,
}

pub(crate) fn read(root: Element<'_>, problems: &mut Vec<Problem>) -> Annotations {
    let mut reader = Reader::default();
    for component in root.children("component") {
        for series in component.children("series") {
            reader.series(series, false);
            let derivations = series.children("derivation");
            for derived in derivations.flat_map(|one| one.children("derivedSeries")) {
                reader.series(derived, true);
            }
        }
    }
    reader.report(problems);
    reader.found
}

#[derive(Debug, Default)]
struct Reader {
    found: Annotations,
    not_a_number: bool,
    unit: bool,
    repeated: bool,
}

impl Reader {
    fn series(&mut self, series: Element<'_>, derived: bool) {
        let sets = series.children("subjectOf").flat_map(|one| one.children("annotationSet"));
        for set in sets {
            let person = set.path("author/assignedEntity/assignedAuthorType/assignedPerson");
            let context = Context { derived, by_person: person.is_some(), beat: None, lead: None };
            self.children(set, context);
        }
        // Not of the standard: a cart writes its statements so, one a line.
        if let Some(sentences) = series.path("analysis/gread") {
            let lines = sentences.text().lines().map(str::trim).filter(|line| !line.is_empty());
            self.found.statements.extend(lines.map(|line| statement(line, None)));
        }
    }

    fn children(&mut self, parent: Element<'_>, context: Context) {
        let mut beats = 0;
        for one in parent.children("component").flat_map(|one| one.children("annotation")) {
            let mut own = context;
            if code(one).is_some_and(|code| code.glance("code") == Some("MDC_ECG_BEAT")) {
                beats += 1;
                own.beat = Some(beats);
            }
            self.annotation(one, own);
        }
    }

    fn annotation(&mut self, annotation: Element<'_>, mut context: Context) {
        context.lead = lead(annotation).or(context.lead);
        let value = annotation.child("value");
        let says = |name: &str| {
            value.is_some_and(|value| value.glance(name).is_some_and(|text| !text.is_empty()))
        };
        if says("value") {
            self.measurement(annotation, context);
        } else if let Some(sentence) = sentence(annotation) {
            let code = code(annotation).filter(|code| code.glance("code") != Some(STATEMENT));
            let code = code.and_then(joined);
            self.found.statements.push(statement(sentence, code));
            pass_over_code(annotation);
        } else if says("code") {
            self.coded(annotation, context);
        } else if code(annotation).is_some_and(|code| code.glance("code") == Some(INTERPRETATION)) {
            pass_over_code(annotation);
        } else {
            self.mark(annotation);
        }
        self.children(annotation, context);
    }

    fn measurement(&mut self, annotation: Element<'_>, context: Context) {
        let (Some(code), Some(value)) = (code(annotation), annotation.child("value")) else {
            return;
        };
        let Some(number) = value.attribute_number("value") else {
            self.not_a_number = true;
            return;
        };
        let written_unit = value.attribute("unit").unwrap_or_default();
        let known = code
            .glance("code")
            .zip(system(code))
            .and_then(|(code, system)| measurement_code::name(system, code));
        // A name is for the recording as a whole, not for one lead, beat or stretch of it.
        let is_whole = context.lead.is_none()
            && context.beat.is_none()
            && !context.by_person
            && (context.derived || annotation.child("support").is_none());
        let known = known.filter(|_| is_whole);
        if measurement_code::is_not_measured(known.map(|(_, quantity)| quantity), number) {
            return;
        }
        let (name, number, unit) = self.named(known, number, written_unit);
        let label = label(code, context);
        let name = name.filter(|name| self.is_new(name, number));
        self.found.measurements.push(DeviceMeasurement {
            name: name.map(str::to_owned),
            code: joined(code),
            label,
            value: number,
            unit,
            lead: context.lead,
        });
        pass_over_code(annotation);
        // A region that names its lead has said it; a stretch of time is kept as a mark.
        if context.lead.is_some() {
            annotation.child("support").into_iter().for_each(Element::pass_over);
        }
    }

    fn named(
        &mut self,
        known: Option<(&'static str, Quantity)>,
        number: f64,
        unit: &str,
    ) -> (Option<&'static str>, f64, String) {
        let Some((name, quantity)) = known else {
            return (None, number, unit.to_owned());
        };
        match measurement_code::in_our_unit(quantity, number, unit) {
            Some((number, unit)) => (Some(name), number, unit.to_owned()),
            None => {
                self.unit = true;
                (None, number, unit.to_owned())
            }
        }
    }

    /// The first of a name is the recording's; the same again says nothing, and another is a doubt.
    fn is_new(&mut self, name: &str, number: f64) -> bool {
        let earlier = self.found.measurements.iter().find(|one| one.name.as_deref() == Some(name));
        let Some(earlier) = earlier else { return true };
        self.repeated |= earlier.value != number;
        false
    }

    fn coded(&mut self, annotation: Element<'_>, context: Context) {
        let (Some(code), Some(value)) = (code(annotation), annotation.child("value")) else {
            return;
        };
        let what = code.glance("code").unwrap_or_default();
        let is_mark = what.contains("_WAVC") || what.contains("_BEAT") || context.beat.is_some();
        if is_mark {
            self.mark(annotation);
            return;
        }
        let sentence = value.some_attribute("displayName").or_else(|| value.attribute("code"));
        if let Some(sentence) = sentence {
            self.found.statements.push(statement(sentence, joined(value)));
            value.pass_over();
            pass_over_code(annotation);
        }
    }

    /// Keeps a wave or beat as one line of what its attributes say.
    fn mark(&mut self, annotation: Element<'_>) {
        if self.found.marks.len() >= MARKS_MAX {
            return;
        }
        let parts: Vec<Element<'_>> =
            annotation.elements().filter(|one| one.name() != "component").collect();
        let mut words = Vec::new();
        for part in &parts {
            words.extend(said(*part));
            for name in ["code", "low", "high", "center", "value"] {
                words.extend(part.descendants(name).flat_map(said));
            }
            part.pass_over();
        }
        words.retain(|word| {
            !matches!(word.as_str(), "ROIPS" | "ROIFS" | "TIME_ABSOLUTE" | "TIME_RELATIVE")
        });
        if !words.is_empty() {
            let value = Phi::new(words.join(" "));
            self.found.marks.push(UnmappedField { place: annotation.place(), value });
        }
    }

    fn report(&self, problems: &mut Vec<Problem>) {
        let cases = [
            (
                self.not_a_number,
                "measurement_not_a_number",
                "a measurement of the device is not a number and was not read",
            ),
            (
                self.unit,
                "measurement_unit",
                "a measurement of the device has a unit that does not fit its code; it was left unnamed",
            ),
            (
                self.repeated,
                "measurement_repeated",
                "a measurement of the device is there more than once, with different values; the first is named",
            ),
        ];
        for (_, code, text) in cases.into_iter().filter(|(seen, ..)| *seen) {
            problems.push(Problem::warning(code, "annotationSet", text));
        }
    }
}

fn code(annotation: Element<'_>) -> Option<Element<'_>> {
    annotation.child("code")
}

fn is_mdc(code: Element<'_>) -> bool {
    let system = code.glance("codeSystem").unwrap_or_default();
    let name = code.glance("codeSystemName").unwrap_or_default();
    system == MDC_SYSTEM || name == "MDC" || (system.is_empty() && name.is_empty())
}

/// `MDC:MDC_ECG_TIME_PD_PR`, or the system as the file names it.
fn joined(code: Element<'_>) -> Option<String> {
    let value = code.some_attribute("code")?;
    Some(format!("{}:{value}", system(code)?))
}

fn system<'t>(code: Element<'t>) -> Option<&'t str> {
    if is_mdc(code) {
        return Some("MDC");
    }
    code.some_attribute("codeSystemName").or_else(|| code.some_attribute("codeSystem"))
}

fn label(code: Element<'_>, context: Context) -> String {
    let name = code.some_attribute("displayName").or_else(|| code.attribute("code"));
    let mut label = name.unwrap_or_default().to_owned();
    if let Some(beat) = context.beat {
        label.push_str(&format!(", beat {beat}"));
    }
    if context.derived {
        label.push_str(", representative beat");
    }
    if context.by_person {
        label.push_str(", by a person");
    }
    label
}

/// The lead that the annotation's region of interest names.
fn lead(annotation: Element<'_>) -> Option<Lead> {
    let region = annotation.path("support/supportingROI")?;
    let boundaries = region.children("component").flat_map(|one| one.children("boundary"));
    boundaries.filter_map(|one| lead_code::from_mdc(one.child("code")?.glance("code")?)).next()
}

/// Words are a value or, in the standard's other place, a text.
fn sentence(annotation: Element<'_>) -> Option<&str> {
    let own = |name: &str| annotation.child(name).and_then(Element::some_text);
    own("value").or_else(|| own("text"))
}

fn statement(text: &str, code: Option<String>) -> DeviceStatement {
    DeviceStatement { text: Phi::new(text.to_owned()), code }
}

/// The code's system and names, which what was read from it says as well.
fn pass_over_code(annotation: Element<'_>) {
    code(annotation).into_iter().for_each(Element::pass_over);
}

fn said(element: Element<'_>) -> Vec<String> {
    // A code says what its name says.
    let names = match element.glance("code") {
        Some(_) => ["code", "value", "unit"],
        None => ["displayName", "value", "unit"],
    };
    let says = |(name, value): (&str, &str)| {
        (names.contains(&name) && !value.is_empty()).then(|| match element.name() {
            "low" | "high" | "center" if name == "value" => format!("{} {value}", element.name()),
            _ => value.to_owned(),
        })
    };
    element.attributes().filter_map(says).collect()
}
