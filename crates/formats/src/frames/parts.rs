//! The named byte sources that a recording lies in.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use precordia_model::{Refusal, RefusalReason};

use super::open::OpenError;
use crate::Part;

/// Bytes that can be read from any place: a file, or a slice in a cursor.
pub trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// One named source. Parts of a recording are found by name.
pub struct NamedSource<'a> {
    pub name: String,
    pub source: Box<dyn Source + 'a>,
}

/// The parts of a recording, with their sizes.
pub(crate) struct Parts<'a> {
    parts: Vec<(NamedSource<'a>, u64)>,
}

impl<'a> Parts<'a> {
    pub(crate) fn of_sources(sources: Vec<NamedSource<'a>>) -> Result<Self, OpenError> {
        let sized = |(index, mut part): (usize, NamedSource<'a>)| {
            let size = part.source.seek(SeekFrom::End(0));
            let size = size.map_err(|cause| OpenError::Io { part: Self::label(index), cause })?;
            Ok((part, size))
        };
        let parts = sources.into_iter().enumerate().map(sized).collect::<Result<_, OpenError>>()?;
        Ok(Self { parts })
    }

    pub(crate) fn of_bytes(parts: &[Part<'a>]) -> Self {
        let named = |part: &Part<'a>| {
            let source: Box<dyn Source + 'a> = Box::new(Cursor::new(part.bytes));
            (NamedSource { name: part.name.to_owned(), source }, part.bytes.len() as u64)
        };
        Self { parts: parts.iter().map(named).collect() }
    }

    pub(crate) fn len(&self) -> usize {
        self.parts.len()
    }

    pub(crate) fn size(&self, index: usize) -> u64 {
        self.parts.get(index).map_or(0, |(_, size)| *size)
    }

    /// What a part is called in problems: a file's name may name a person.
    pub(crate) fn label(index: usize) -> String {
        format!("part {}", index + 1)
    }

    /// The name without folders, as headers refer to it.
    pub(crate) fn name(&self, index: usize) -> String {
        self.parts.get(index).map_or_else(String::new, |(part, _)| file_name(&part.name).to_owned())
    }

    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        self.parts.iter().position(|(part, _)| file_name(&part.name) == name)
    }

    /// Bytes that are nowhere as they are, because a part holds them compressed.
    pub(crate) fn add(&mut self, name: String, bytes: Vec<u8>) -> usize {
        let size = bytes.len() as u64;
        self.parts.push((NamedSource { name, source: Box::new(Cursor::new(bytes)) }, size));
        self.parts.len() - 1
    }

    /// Fills `into` from a place; an end before that is an error.
    pub(crate) fn read_at(&mut self, index: usize, at: u64, into: &mut [u8]) -> io::Result<()> {
        let (part, _) = self.parts.get_mut(index).ok_or(io::ErrorKind::NotFound)?;
        part.source.seek(SeekFrom::Start(at))?;
        part.source.read_exact(into)
    }

    /// The first bytes of a part, at most so many.
    pub(crate) fn prefix(&mut self, index: usize, most: u64) -> Result<Vec<u8>, Refusal> {
        self.slice(index, 0, self.size(index).min(most))
    }

    /// A stretch of a part, which must lie inside it.
    pub(crate) fn slice(&mut self, index: usize, at: u64, count: u64) -> Result<Vec<u8>, Refusal> {
        let inside = at.checked_add(count).is_some_and(|end| end <= self.size(index));
        let count = usize::try_from(count).ok().filter(|_| inside);
        let Some(count) = count else { return Err(unreadable(&Self::label(index))) };
        let mut bytes = vec![0; count];
        self.read_at(index, at, &mut bytes).map_err(|_| unreadable(&Self::label(index)))?;
        Ok(bytes)
    }
}

pub(crate) fn unreadable(name: &str) -> Refusal {
    let text = "the part could not be read to where it should reach";
    Refusal::new(RefusalReason::Truncated, "part_unreadable", name, text)
}

fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
