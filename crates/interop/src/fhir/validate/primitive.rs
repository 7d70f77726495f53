//! R4's primitive types (datatypes 2.24.0.1), by the forms that it gives them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use precordia_model::PartialDate;
use serde_json::Value;

use super::super::date::is_date_time;

/// Says what a value should have been.
pub(super) type Check = fn(&Value) -> Result<(), &'static str>;

fn text(v: &Value, form: fn(&str) -> bool, otherwise: &'static str) -> Result<(), &'static str> {
    if v.as_str().is_some_and(form) { Ok(()) } else { Err(otherwise) }
}

fn when(holds: bool, otherwise: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(otherwise) }
}

/// R4 forbids control characters other than tab, line feed and carriage return.
fn is_string(s: &str) -> bool {
    !s.is_empty() && s.chars().all(|c| c >= ' ' || matches!(c, '\t' | '\n' | '\r'))
}

pub(super) fn string(v: &Value) -> Result<(), &'static str> {
    text(v, is_string, "must be a string, not empty, without control characters")
}

pub(super) fn boolean(v: &Value) -> Result<(), &'static str> {
    when(v.is_boolean(), "must be true or false")
}

pub(super) fn integer(v: &Value) -> Result<(), &'static str> {
    let fits = v.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
    when(fits, "must be a whole number of 32 bits")
}

pub(super) fn unsigned_int(v: &Value) -> Result<(), &'static str> {
    let fits = v.as_i64().is_some_and(|n| (0..=0x7fff_ffff).contains(&n));
    when(fits, "must be a whole number from 0 to 2147483647")
}

pub(super) fn decimal(v: &Value) -> Result<(), &'static str> {
    when(v.is_number(), "must be a number")
}

pub(super) fn id(v: &Value) -> Result<(), &'static str> {
    text(v, |s| super::super::FhirId::parse(s).is_some(), "must be an id")
}

pub(super) fn uri(v: &Value) -> Result<(), &'static str> {
    let form = |s: &str| is_string(s) && !s.contains(char::is_whitespace);
    text(v, form, "must be a URI without white space")
}

pub(super) fn code(v: &Value) -> Result<(), &'static str> {
    // Single spaces may stand within a code, not around it.
    let form = |s: &str| is_string(s) && s.split(' ').all(|w| !w.is_empty()) && one_line(s);
    text(v, form, "must be a code")
}

fn one_line(s: &str) -> bool {
    s.chars().all(|c| c == ' ' || !c.is_whitespace())
}

pub(super) fn date(v: &Value) -> Result<(), &'static str> {
    text(v, |s| PartialDate::parse(s).is_some(), "must be a date: YYYY, YYYY-MM or YYYY-MM-DD")
}

pub(super) fn date_time(v: &Value) -> Result<(), &'static str> {
    text(v, is_date_time, "must be a date, or a time with seconds and zone")
}

pub(super) fn instant(v: &Value) -> Result<(), &'static str> {
    text(v, |s| s.contains('T') && is_date_time(s), "must be a time with seconds and zone")
}

pub(super) fn base64_binary(v: &Value) -> Result<(), &'static str> {
    text(v, |s| !s.is_empty() && STANDARD.decode(s).is_ok(), "must be base64")
}
