//! Validation of the resources that we write and take: elements, types, cardinality, closed codes,
//! the invariants that apply, and our own extensions. Driven by the tables in `tables`.
//!
//! An element that the tables do not know is refused: what is not understood is not passed on.
//! Terminology beyond closed code lists is not checked.

mod primitive;
mod rules;
mod tables;

use serde_json::{Map, Value};

use super::operation_outcome::{Invalid, IssueCode};

/// Deeper nesting than any resource of ours has.
const DEPTH_MAX: usize = 24;
/// More findings than a sender can use.
const FINDINGS_MAX: usize = 100;

/// Checks one resource. Findings name elements by FHIRPath, never their values.
pub fn check(v: &Value) -> Result<(), Vec<Invalid>> {
    let mut findings = Findings(Vec::new());
    findings.resource(v, tables::RESOURCES, "Resource", 0);
    if findings.0.is_empty() { Ok(()) } else { Err(findings.0) }
}

/// What an element holds.
enum Kind {
    Primitive(primitive::Check),
    Code(&'static [&'static str]),
    Object(&'static Shape),
    /// A resource of one of these types.
    Resource(&'static [&'static Shape]),
}

struct Element {
    name: &'static str,
    required: bool,
    array: bool,
    kind: Kind,
}

/// The elements of a type and the rules between them.
struct Shape {
    name: &'static str,
    elements: &'static [Element],
    rules: &'static [rules::Rule],
}

struct Findings(Vec<Invalid>);

impl Findings {
    fn add(&mut self, path: &str, code: IssueCode, text: impl Into<String>) {
        if self.0.len() < FINDINGS_MAX {
            self.0.push(Invalid::new(path, code, text));
        }
    }

    fn resource(&mut self, v: &Value, known: &[&'static Shape], path: &str, depth: usize) {
        let kind = v.get("resourceType").and_then(Value::as_str).unwrap_or_default();
        let Some(shape) = known.iter().find(|shape| shape.name == kind) else {
            let text = "resourceType is absent or of no type that is taken here";
            return self.add(path, IssueCode::NotSupported, text);
        };
        let root = if depth == 0 { kind } else { path };
        self.object(v, shape, root, depth);
    }

    fn object(&mut self, v: &Value, shape: &Shape, path: &str, depth: usize) {
        let Value::Object(members) = v else {
            return self.add(path, IssueCode::Structure, "must be an object");
        };
        if members.is_empty() {
            return self.add(path, IssueCode::Structure, "must not be empty");
        }
        if depth > DEPTH_MAX {
            return self.add(path, IssueCode::TooCostly, "is nested too deep");
        }
        self.unknown_members(members, shape, path);
        for element in shape.elements {
            self.element(members.get(element.name), element, path, depth);
        }
        for rule in shape.rules {
            if let Some(text) = rule(members) {
                self.add(path, IssueCode::Invariant, text);
            }
        }
    }

    fn unknown_members(&mut self, members: &Map<String, Value>, shape: &Shape, path: &str) {
        let known = |name: &str| shape.elements.iter().any(|e| e.name == name);
        for name in members.keys().filter(|name| !known(name)) {
            // The name is the sender's own; a short one is enough to find it.
            let name: String = name.chars().take(64).collect();
            let text = format!("the element `{name}` is not taken here");
            self.add(path, IssueCode::NotSupported, text);
        }
    }

    fn element(&mut self, found: Option<&Value>, element: &Element, path: &str, depth: usize) {
        let path = format!("{path}.{}", element.name);
        match found {
            None if element.required => self.add(&path, IssueCode::Required, "is required"),
            None => {}
            Some(Value::Array(items)) if element.array => {
                if items.is_empty() {
                    self.add(&path, IssueCode::Structure, "must not be empty");
                }
                for (i, item) in items.iter().enumerate() {
                    self.value(item, &element.kind, &format!("{path}[{i}]"), depth);
                }
            }
            Some(_) if element.array => {
                self.add(&path, IssueCode::Structure, "must be an array");
            }
            Some(value) => self.value(value, &element.kind, &path, depth),
        }
    }

    fn value(&mut self, value: &Value, kind: &Kind, path: &str, depth: usize) {
        match kind {
            Kind::Object(shape) => self.object(value, shape, path, depth + 1),
            Kind::Resource(known) => self.resource(value, known, path, depth + 1),
            Kind::Primitive(check) => {
                if let Err(text) = check(value) {
                    self.add(path, IssueCode::Value, text);
                }
            }
            Kind::Code(codes) => match value.as_str() {
                Some(code) if codes.contains(&code) => {}
                Some(_) => self.add(path, IssueCode::CodeInvalid, "is not a code of its list"),
                None => self.add(path, IssueCode::Structure, "must be a string"),
            },
        }
    }
}
