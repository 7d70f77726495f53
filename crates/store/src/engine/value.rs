//! The values that cross into an engine and back, and how a row becomes a type again.
//!
//! Three kinds are enough for everything that is stored; there is no floating point and no time type.

use std::borrow::Cow;
use std::str::FromStr;
use std::vec::IntoIter;

use precordia_app::chain::Hash;
use precordia_model::Timestamp;

use super::DbError;

/// What a column holds: bigint, text or bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(Cow<'a, str>),
    Blob(Cow<'a, [u8]>),
}

impl Value<'_> {
    /// PostgreSQL cannot store NUL in text and SQLite would cut comparisons short at it.
    pub(crate) fn is_storable(&self) -> bool {
        !matches!(self, Value::Text(text) if text.as_bytes().contains(&0))
    }
}

/// An id, as text.
pub(crate) fn id<'a>(id: impl ToString) -> Value<'a> {
    Value::Text(Cow::Owned(id.to_string()))
}

pub(crate) fn id_opt<'a>(of: Option<impl ToString>) -> Value<'a> {
    of.map_or(Value::Null, id)
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Int(i64::from(value))
    }
}

impl From<Timestamp> for Value<'_> {
    fn from(value: Timestamp) -> Self {
        Value::Int(value.micros())
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a String> for Value<'a> {
    fn from(value: &'a String) -> Self {
        Value::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::Text(Cow::Owned(value))
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Value::Blob(Cow::Borrowed(value))
    }
}

impl<'a> From<&'a Vec<u8>> for Value<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Value::Blob(Cow::Borrowed(value))
    }
}

impl From<Vec<u8>> for Value<'_> {
    fn from(value: Vec<u8>) -> Self {
        Value::Blob(Cow::Owned(value))
    }
}

impl From<Hash> for Value<'_> {
    fn from(value: Hash) -> Self {
        Value::Blob(Cow::Owned(value.to_vec()))
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// One row of an answer.
#[derive(Clone, Debug)]
pub(crate) struct Row(pub(crate) Vec<Value<'static>>);

impl Row {
    /// Reads the columns from left to right; `what` names the row in an error.
    pub(crate) fn fields(self, what: &'static str) -> Fields {
        Fields { what, column: 0, values: self.0.into_iter() }
    }
}

/// Columns still to be read. Every reader takes the next one.
pub(crate) struct Fields {
    what: &'static str,
    column: usize,
    values: IntoIter<Value<'static>>,
}

impl Fields {
    fn next(&mut self) -> Value<'static> {
        self.column += 1;
        self.values.next().unwrap_or(Value::Null)
    }

    fn not(&self, wanted: &str) -> DbError {
        let detail = format!("column {} is not {wanted}", self.column);
        DbError::Damaged { what: self.what, detail }
    }

    pub(crate) fn int_opt(&mut self) -> Result<Option<i64>, DbError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Int(value) => Ok(Some(value)),
            _ => Err(self.not("an integer")),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, DbError> {
        self.int_opt()?.ok_or_else(|| self.not("an integer"))
    }

    pub(crate) fn bool(&mut self) -> Result<bool, DbError> {
        match self.int()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.not("0 or 1")),
        }
    }

    pub(crate) fn time(&mut self) -> Result<Timestamp, DbError> {
        self.int().map(Timestamp)
    }

    pub(crate) fn time_opt(&mut self) -> Result<Option<Timestamp>, DbError> {
        Ok(self.int_opt()?.map(Timestamp))
    }

    pub(crate) fn text_opt(&mut self) -> Result<Option<String>, DbError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Text(value) => Ok(Some(value.into_owned())),
            _ => Err(self.not("text")),
        }
    }

    pub(crate) fn text(&mut self) -> Result<String, DbError> {
        self.text_opt()?.ok_or_else(|| self.not("text"))
    }

    pub(crate) fn blob_opt(&mut self) -> Result<Option<Vec<u8>>, DbError> {
        match self.next() {
            Value::Null => Ok(None),
            Value::Blob(value) => Ok(Some(value.into_owned())),
            _ => Err(self.not("bytes")),
        }
    }

    pub(crate) fn blob(&mut self) -> Result<Vec<u8>, DbError> {
        self.blob_opt()?.ok_or_else(|| self.not("bytes"))
    }

    pub(crate) fn hash(&mut self) -> Result<Hash, DbError> {
        self.blob()?.try_into().map_err(|_| self.not("32 bytes"))
    }

    pub(crate) fn id<T: FromStr>(&mut self) -> Result<T, DbError> {
        self.text()?.parse().map_err(|_| self.not("an id"))
    }

    pub(crate) fn id_opt<T: FromStr>(&mut self) -> Result<Option<T>, DbError> {
        let text = self.text_opt()?;
        text.map(|text| text.parse().map_err(|_| self.not("an id"))).transpose()
    }

    /// A choice that is stored by its name.
    pub(crate) fn named<T>(&mut self, parse: fn(&str) -> Option<T>) -> Result<T, DbError> {
        parse(&self.text()?).ok_or_else(|| self.not("a known name"))
    }

    pub(crate) fn damaged(&self, detail: &str) -> DbError {
        DbError::Damaged { what: self.what, detail: detail.into() }
    }
}
