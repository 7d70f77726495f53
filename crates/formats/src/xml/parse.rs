//! Characters to a tree, with a bound on everything that a file can make many of.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::BTreeMap;

use precordia_model::{Problem, Refusal, RefusalReason};
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Error, Reader, XmlVersion};

use super::decode::{self, is_legal};
use super::element::{Attribute, Node, Tree, place_name};

/// The deepest vendor's file has 22 levels.
const DEPTH_MAX: usize = 64;
/// The largest real file has some ten thousand.
const ELEMENTS_MAX: usize = 1 << 18;
const ATTRIBUTES_OF_ONE_MAX: usize = 64;
const ATTRIBUTES_MAX: usize = 1 << 19;

/// Reads a whole file. Text is bounded by the file, since nothing in it can stand for more than itself.
pub(crate) fn parse(bytes: &[u8]) -> Result<Tree, Refusal> {
    if bytes.len() > crate::MAX_INPUT_BYTES {
        return Err(crate::too_large(bytes.len()));
    }
    let decoded = decode::decode(bytes)?;
    let mut builder =
        Builder { problems: decoded.problem.into_iter().collect(), ..Builder::default() };
    let mut reader = Reader::from_str(&decoded.text);
    loop {
        let event = reader.read_event().map_err(|cause| builder.broken(&cause))?;
        match event {
            Event::Start(start) => builder.open(&start)?,
            Event::Empty(start) => {
                builder.open(&start)?;
                builder.close();
            }
            Event::End(_) => builder.close(),
            Event::Text(text) => builder.text(&line_ends(text.into_inner()))?,
            Event::CData(text) => builder.text(&line_ends(text.into_inner()))?,
            Event::GeneralRef(reference) => builder.reference(&reference)?,
            Event::DocType(doctype) => builder.doctype(&doctype)?,
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => return builder.finish(),
        }
    }
}

#[derive(Debug, Default)]
struct Builder {
    nodes: Vec<Node>,
    open: Vec<Open>,
    attributes: usize,
    problems: Vec<Problem>,
}

/// An element whose end is still to come.
#[derive(Debug)]
struct Open {
    index: usize,
    last_child: Option<usize>,
    /// How many children of each name there are so far.
    counts: BTreeMap<String, u32>,
}

impl Builder {
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Refusal> {
        if self.open.is_empty() && !self.nodes.is_empty() {
            return Err(self.malformed("a second root element follows the first"));
        }
        if self.open.len() >= DEPTH_MAX {
            let text = format!("elements are nested more than {DEPTH_MAX} deep");
            return Err(self.too_large("xml_too_deep", text));
        }
        if self.nodes.len() >= ELEMENTS_MAX {
            let text = format!("the file has more than {ELEMENTS_MAX} elements");
            return Err(self.too_large("xml_elements_many", text));
        }
        let attributes = self.attributes(start)?;
        let index = self.nodes.len();
        let name = start.local_name().into_inner().to_owned();
        let mut ordinal = 1;
        if let Some(parent) = self.open.last_mut() {
            let count = parent.counts.entry(name.clone()).or_default();
            *count += 1;
            ordinal = *count;
            match parent.last_child.replace(index) {
                None => self.nodes[parent.index].first_child = Some(index),
                Some(earlier) => self.nodes[earlier].next_sibling = Some(index),
            }
        }
        self.nodes.push(Node {
            name,
            text: String::new(),
            asked: Cell::new(false),
            parent: self.open.last().map(|parent| parent.index),
            first_child: None,
            next_sibling: None,
            ordinal,
            end: index + 1,
            attributes,
        });
        self.open.push(Open { index, last_child: None, counts: BTreeMap::new() });
        Ok(())
    }

    fn attributes(&mut self, start: &BytesStart<'_>) -> Result<Vec<Attribute>, Refusal> {
        let mut attributes = Vec::new();
        for attribute in start.attributes() {
            let Ok(attribute) = attribute else {
                return Err(self.malformed("an attribute is not written as XML has them"));
            };
            self.attributes += 1;
            if attributes.len() >= ATTRIBUTES_OF_ONE_MAX || self.attributes > ATTRIBUTES_MAX {
                let text = format!(
                    "an element has more than {ATTRIBUTES_OF_ONE_MAX} attributes, or the file more than {ATTRIBUTES_MAX}"
                );
                return Err(self.too_large("xml_attributes_many", text));
            }
            let Ok(value) = attribute.normalized_value(XmlVersion::Explicit1_0) else {
                return Err(self.unknown_entity());
            };
            if !value.chars().all(is_legal) {
                return Err(self.illegal_reference());
            }
            attributes.push(Attribute {
                name: attribute.key.into_inner().to_owned(),
                value: value.into_owned(),
                asked: Cell::new(false),
            });
        }
        Ok(attributes)
    }

    /// The reader itself has checked that the end is that of the element that is open.
    fn close(&mut self) {
        if let Some(closed) = self.open.pop() {
            let end = self.nodes.len();
            let node = &mut self.nodes[closed.index];
            node.end = end;
            node.text.truncate(node.text.trim_end().len());
            node.text.shrink_to_fit();
        }
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        let Some(open) = self.open.last() else {
            return if text.trim_matches(['\u{feff}', ' ', '\t', '\r', '\n']).is_empty() {
                Ok(())
            } else {
                Err(self.malformed("characters stand outside the root element"))
            };
        };
        let own = &mut self.nodes[open.index].text;
        let text = if own.is_empty() { text.trim_start() } else { text };
        own.push_str(text);
        Ok(())
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Refusal> {
        if let Some(text) = quick_xml::escape::resolve_xml_entity(reference) {
            return self.text(text);
        }
        match reference.resolve_char_ref() {
            Ok(Some(character)) if is_legal(character) => {
                self.text(character.encode_utf8(&mut [0; 4]))
            }
            Ok(None) => Err(self.unknown_entity()),
            _ => Err(self.illegal_reference()),
        }
    }

    /// XML 1.0 2.8. An external subset is never fetched, and an internal one could give entities and
    /// attributes that are not where they are read.
    fn doctype(&mut self, doctype: &str) -> Result<(), Refusal> {
        if doctype.contains('[') {
            let text = "the file's document type holds declarations of its own, which are not read";
            let refusal = Refusal::new(
                RefusalReason::Unsupported,
                "xml_entities_defined",
                "document type",
                text,
            );
            return Err(refusal.hint("send the file without its document type"));
        }
        let text = "the document type was passed over";
        self.problems.push(Problem::info("xml_doctype_ignored", "document type", text));
        Ok(())
    }

    fn finish(self) -> Result<Tree, Refusal> {
        if self.nodes.is_empty() {
            return Err(self.malformed("the file has no root element"));
        }
        if !self.open.is_empty() {
            return Err(self.truncated());
        }
        Ok(Tree { nodes: self.nodes, problems: self.problems })
    }

    fn broken(&self, cause: &Error) -> Refusal {
        match cause {
            Error::Syntax(_) => self.truncated(),
            // Causes name what they found; a name could be a person's.
            Error::IllFormed(_) => self.malformed("an end tag or reference has no matching begin"),
            _ => self.malformed("the file is not XML"),
        }
    }

    fn truncated(&self) -> Refusal {
        let text = "the file ends before its root element does";
        let refusal = Refusal::new(RefusalReason::Truncated, "xml_truncated", self.place(), text);
        refusal.hint("the file may still have been on its way; try again when its size is stable")
    }

    fn unknown_entity(&self) -> Refusal {
        self.malformed("an entity is used that XML itself does not have")
    }

    fn illegal_reference(&self) -> Refusal {
        self.malformed("a character reference names no character that XML allows")
    }

    fn malformed(&self, text: &str) -> Refusal {
        Refusal::new(RefusalReason::Malformed, "xml_malformed", self.place(), text)
    }

    fn too_large(&self, code: &str, text: String) -> Refusal {
        Refusal::new(RefusalReason::TooLarge, code, self.place(), text)
    }

    fn place(&self) -> String {
        let name = |open: &Open| {
            let node = &self.nodes[open.index];
            place_name(&node.name, node.ordinal)
        };
        let names: Vec<String> = self.open.iter().map(name).collect();
        if names.is_empty() { "outside the root element".to_owned() } else { names.join("/") }
    }
}

/// XML 1.0 2.11, and the `\r\r\n` of files that were converted twice.
fn line_ends(text: Cow<'_, str>) -> Cow<'_, str> {
    if !text.contains('\r') {
        return text;
    }
    let mut kept = String::with_capacity(text.len());
    let mut returns = 0_usize;
    for character in text.chars() {
        match character {
            '\r' => returns += 1,
            '\n' => {
                returns = 0;
                kept.push('\n');
            }
            other => {
                kept.extend(std::iter::repeat_n('\n', std::mem::take(&mut returns)));
                kept.push(other);
            }
        }
    }
    kept.extend(std::iter::repeat_n('\n', returns));
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let found = parse(text.as_bytes());
        match (&found, expected) {
            (Ok(tree), Ok(text)) => assert_eq!(tree.root().text(), text),
            (Err(refusal), Err(code)) => assert_eq!(refusal.code, code, "{text}"),
            _ => panic!("{text}: {found:?} for {expected:?}"),
        }
    }

    #[test]
    fn text_is_what_xml_says_it_is() {
        check("<a> x &amp; &#65;&#x42; <b>no</b> y </a>", Ok("x & AB  y"));
        check("<a>&lt; &gt;</a>", Ok("< >"));
        check("<a><![CDATA[1 < 2 &amp;]]></a>", Ok("1 < 2 &amp;"));
        check("<a>one\r\r\ntwo\r\nthree\rfour</a>", Ok("one\ntwo\nthree\nfour"));
        check("<?xml version='1.0'?>\r\r\n<!-- a --><a>x</a>\n<!-- b -->", Ok("x"));
    }

    #[test]
    fn entities_and_document_types_are_never_followed() {
        check("<!DOCTYPE a SYSTEM \"a.dtd\"><a>x</a>", Ok("x"));
        check("<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", Err("xml_entities_defined"));
        check("<!DOCTYPE a [ ]><a/>", Err("xml_entities_defined"));
        check("<a>&x;</a>", Err("xml_malformed"));
        check("<a b='&x;'/>", Err("xml_malformed"));
        check("<a>&#0;</a>", Err("xml_malformed"));
        check("<a>&#27;</a>", Err("xml_malformed"));
        check("<a b='&#1;'/>", Err("xml_malformed"));
    }

    #[test]
    fn what_is_not_one_whole_document_is_refused() {
        for text in ["<a>", "<a><b></b>", "<a", "<a b='", "<a><!-- ", "<a>x"] {
            check(text, Err("xml_truncated"));
        }
        for text in ["", "x", "<a/><b/>", "<a/>x", "<a></b>", "</a>", "<a b=1/>", "<a b='' b=''/>"]
        {
            check(text, Err("xml_malformed"));
        }
    }

    #[test]
    fn depth_elements_and_attributes_are_bounded() {
        let nested = |depth: usize| format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
        assert!(parse(nested(DEPTH_MAX).as_bytes()).is_ok());
        check(&nested(DEPTH_MAX + 1), Err("xml_too_deep"));
        check(&format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX)), Err("xml_elements_many"));
        let attributes: String = (0..65).map(|number| format!(" b{number}=''")).collect();
        check(&format!("<a{attributes}/>"), Err("xml_attributes_many"));
    }
}
