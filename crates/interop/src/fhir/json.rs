//! Reading JSON with the place at hand, so that every refusal says where; and writing decimals.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value, json};

use super::operation_outcome::{Invalid, IssueCode};

/// A value and its FHIRPath.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub value: &'a Value,
    pub path: String,
}

impl<'a> Node<'a> {
    /// The root of a resource of one type.
    pub fn resource(value: &'a Value, kind: &str) -> Result<Self, Invalid> {
        let node = Self { value, path: kind.to_owned() };
        match value.get("resourceType").and_then(Value::as_str) {
            Some(found) if found == kind => Ok(node),
            _ => Err(node.invalid(IssueCode::Structure, format!("resourceType is not `{kind}`"))),
        }
    }

    pub fn invalid(&self, code: IssueCode, text: impl Into<String>) -> Invalid {
        Invalid::new(self.path.clone(), code, text)
    }

    pub fn get(&self, name: &str) -> Option<Node<'a>> {
        let value = self.value.get(name)?;
        Some(Node { value, path: format!("{}.{name}", self.path) })
    }

    pub fn require(&self, name: &str) -> Result<Node<'a>, Invalid> {
        self.get(name).ok_or_else(|| {
            Invalid::new(format!("{}.{name}", self.path), IssueCode::Required, "is required")
        })
    }

    /// The members of an array element; none when the element is absent.
    pub fn items(&self, name: &str) -> Result<Vec<Node<'a>>, Invalid> {
        let Some(node) = self.get(name) else { return Ok(Vec::new()) };
        let Value::Array(values) = node.value else {
            return Err(node.invalid(IssueCode::Structure, "must be an array"));
        };
        let item = |(i, value)| Node { value, path: format!("{}[{i}]", node.path) };
        Ok(values.iter().enumerate().map(item).collect())
    }

    pub fn str(&self) -> Result<&'a str, Invalid> {
        self.value.as_str().ok_or_else(|| self.invalid(IssueCode::Structure, "must be a string"))
    }

    pub fn string(&self) -> Result<String, Invalid> {
        self.str().map(str::to_owned)
    }

    pub fn bool(&self) -> Result<bool, Invalid> {
        self.value.as_bool().ok_or_else(|| self.invalid(IssueCode::Structure, "must be a boolean"))
    }

    pub fn f64(&self) -> Result<f64, Invalid> {
        self.value.as_f64().ok_or_else(|| self.invalid(IssueCode::Structure, "must be a number"))
    }

    pub fn integer<T: TryFrom<i64>>(&self) -> Result<T, Invalid> {
        let number = self.value.as_i64().and_then(|n| T::try_from(n).ok());
        number.ok_or_else(|| self.invalid(IssueCode::Value, "must be an integer within its range"))
    }

    /// A value of one of the model's closed lists, by its name.
    pub fn code<T: DeserializeOwned>(&self) -> Result<T, Invalid> {
        let name = self.str()?;
        serde_json::from_value(Value::from(name))
            .map_err(|_| self.invalid(IssueCode::CodeInvalid, "is not a known code"))
    }

    pub fn parse<T>(&self, parse: impl FnOnce(&'a str) -> Option<T>) -> Result<T, Invalid> {
        parse(self.str()?)
            .ok_or_else(|| self.invalid(IssueCode::Value, "is not of its type's form"))
    }

    /// The value of an optional string element.
    pub fn opt_string(&self, name: &str) -> Result<Option<String>, Invalid> {
        self.get(name).map(|node| node.string()).transpose()
    }

    /// The one extension of a URL, if there is one.
    pub fn extension(&self, url: &str) -> Result<Option<Node<'a>>, Invalid> {
        let mut found = self.extensions(url)?;
        match found.len() {
            0 | 1 => Ok(found.pop()),
            _ => Err(found[1].invalid(IssueCode::Structure, "this extension may stand once only")),
        }
    }

    pub fn extensions(&self, url: &str) -> Result<Vec<Node<'a>>, Invalid> {
        let all = self.items("extension")?;
        Ok(all.into_iter().filter(|e| e.value["url"] == url).collect())
    }

    /// The code of one system among the codings of a CodeableConcept.
    pub fn coding(&self, system: &str) -> Result<Option<Node<'a>>, Invalid> {
        let codings = self.items("coding")?;
        let of_system = codings.into_iter().find(|c| c.value["system"] == system);
        of_system.map(|coding| coding.require("code")).transpose()
    }
}

/// A FHIR decimal: whole numbers without a fraction. `None` for what is not a number at all.
pub(super) fn decimal(value: f64) -> Option<Value> {
    // Whole numbers up to 2^53 are exact in both forms.
    if value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0 {
        return Some(Value::from(value as i64));
    }
    Number::from_f64(value).map(Value::Number)
}

/// An object of the members that are there.
pub(super) fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let present = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(present.collect::<Map<_, _>>())
}

/// A string member; absent when empty, since FHIR has no empty strings.
pub(super) fn text(value: &str) -> Option<Value> {
    (!value.is_empty()).then(|| Value::from(value))
}

/// An array member; absent when empty, since FHIR has no empty arrays.
pub(super) fn list(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}

pub(super) fn coding(system: &str, code: &str) -> Value {
    json!({ "system": system, "code": code })
}

pub(super) fn coding_with(system: &str, code: &str, display: &str) -> Value {
    json!({ "system": system, "code": code, "display": display })
}

pub(super) fn concept(codings: Vec<Value>) -> Value {
    json!({ "coding": codings })
}

/// An extension with a value: `value` names the type, as in `valueString`.
pub(super) fn extension(url: &str, value: &str, content: impl Into<Value>) -> Value {
    let mut extension = Map::new();
    extension.insert("url".into(), url.into());
    extension.insert(value.into(), content.into());
    Value::Object(extension)
}

/// An extension of extensions; `None` when nothing is in it.
pub(super) fn nested(url: &str, parts: Vec<Option<Value>>) -> Option<Value> {
    let parts = list(parts.into_iter().flatten().collect())?;
    Some(json!({ "url": url, "extension": parts }))
}

/// A reference to a resource of this server.
pub(super) fn reference(kind: &str, id: impl std::fmt::Display) -> Value {
    json!({ "reference": format!("{kind}/{id}") })
}
