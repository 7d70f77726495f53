//! XML text, element by element.

use std::fmt::Write as _;

use crate::xml::is_legal;

#[derive(Debug, Default)]
pub(super) struct Encoder {
    text: String,
    open: Vec<&'static str>,
    /// A text held a character that no XML file can.
    pub illegal: bool,
}

type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Encoder {
    pub(super) fn new() -> Self {
        Self {
            text: String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"),
            ..Self::default()
        }
    }

    /// An element around what `inner` writes.
    pub(super) fn element(
        &mut self,
        name: &'static str,
        attributes: Attributes<'_>,
        inner: impl FnOnce(&mut Self),
    ) {
        self.begin(name, attributes);
        self.text.push('>');
        self.open.push(name);
        inner(self);
        self.open.pop();
        let _ = write!(self.text, "</{name}>");
    }

    /// Elements within one another, along names with `/` between them, around what `inner` writes.
    pub(super) fn path(&mut self, names: &'static str, inner: &mut dyn FnMut(&mut Self)) {
        match names.split_once('/') {
            None => self.element(names, &[], inner),
            Some((name, rest)) => self.element(name, &[], |own| own.path(rest, inner)),
        }
    }

    pub(super) fn empty(&mut self, name: &'static str, attributes: Attributes<'_>) {
        self.begin(name, attributes);
        self.text.push_str("/>");
    }

    pub(super) fn leaf(&mut self, name: &'static str, attributes: Attributes<'_>, text: &str) {
        self.element(name, attributes, |own| own.escaped(text));
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        self.text.push('\n');
        self.text.into_bytes()
    }

    fn begin(&mut self, name: &'static str, attributes: Attributes<'_>) {
        // A line each, for those who look at a file with their eyes.
        if !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.extend(std::iter::repeat_n(' ', self.open.len()));
        let _ = write!(self.text, "<{name}");
        for (attribute, value) in attributes {
            let _ = write!(self.text, " {attribute}=\"");
            self.escaped(value);
            self.text.push('"');
        }
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            self.illegal |= !is_legal(character);
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                // Readers make spaces and line feeds of these where they are written as they are.
                '\t' | '\n' | '\r' => {
                    let _ = write!(self.text, "&#{};", u32::from(character));
                }
                other => self.text.push(other),
            }
        }
    }
}
