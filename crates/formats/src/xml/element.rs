//! The tree and how it is read: what is asked for is marked, and the rest is kept for the recording.

use std::cell::Cell;

use precordia_model::{Phi, Problem, UnmappedField};

use super::number::decimal;

/// A value longer than this is named with its size; the file itself is kept whole.
const UNMAPPED_BYTES_MAX: usize = 2000;
const UNMAPPED_FIELDS_MAX: usize = 1000;
const PLACE_NAME_CHARACTERS_MAX: usize = 40;

#[derive(Debug)]
pub(super) struct Attribute {
    /// With its prefix.
    pub name: String,
    pub value: String,
    pub asked: Cell<bool>,
}

#[derive(Debug)]
pub(super) struct Node {
    /// Without its prefix.
    pub name: String,
    /// Its own characters, without those of its children.
    pub text: String,
    pub asked: Cell<bool>,
    pub parent: Option<usize>,
    pub first_child: Option<usize>,
    pub next_sibling: Option<usize>,
    /// Among the siblings of its name, from 1.
    pub ordinal: u32,
    /// The node behind the last of its descendants.
    pub end: usize,
    pub attributes: Vec<Attribute>,
}

/// A whole document.
#[derive(Debug)]
pub(crate) struct Tree {
    /// In document order; the first is the root.
    pub(super) nodes: Vec<Node>,
    /// What is doubtful about the file as XML.
    pub(crate) problems: Vec<Problem>,
}

/// One element of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'t> {
    tree: &'t Tree,
    index: usize,
}

impl Tree {
    pub(crate) fn root(&self) -> Element<'_> {
        Element { tree: self, index: 0 }
    }

    /// Every text and attribute that nobody asked for, in document order.
    pub(crate) fn unmapped(&self) -> Vec<UnmappedField> {
        self.unmapped_except(&[])
    }

    /// The same without the attributes of some local names, which say nothing that the format does
    /// not say of every file.
    pub(crate) fn unmapped_except(&self, fixed: &[&str]) -> Vec<UnmappedField> {
        let mut fields = Vec::new();
        let mut more = 0_usize;
        let mut keep = |place: &dyn Fn() -> String, value: &str| {
            if fields.len() < UNMAPPED_FIELDS_MAX {
                fields.push(UnmappedField { place: place(), value: bounded(value) });
            } else {
                more += 1;
            }
        };
        for (index, node) in self.nodes.iter().enumerate() {
            let element = Element { tree: self, index };
            for attribute in node.attributes.iter().filter(|one| !one.asked.get()) {
                let says = !is_markup(&attribute.name) && !fixed.contains(&local(&attribute.name));
                if says && !attribute.value.is_empty() {
                    keep(&|| format!("{}@{}", element.place(), attribute.name), &attribute.value);
                }
            }
            if !node.asked.get() && !node.text.is_empty() {
                keep(&|| element.place(), &node.text);
            }
        }
        if more > 0 {
            let value = Phi::new(format!("{more} more fields are in the file"));
            fields.push(UnmappedField { place: self.root().place(), value });
        }
        fields
    }
}

impl<'t> Element<'t> {
    fn node(self) -> &'t Node {
        // An index is made with its node and no node is ever removed.
        &self.tree.nodes[self.index]
    }

    /// The local name.
    pub(crate) fn name(self) -> &'t str {
        &self.node().name
    }

    /// All children, in file order.
    pub(crate) fn elements(self) -> impl Iterator<Item = Element<'t>> {
        let next = move |index: &usize| self.tree.nodes[*index].next_sibling;
        std::iter::successors(self.node().first_child, next)
            .map(move |index| Element { tree: self.tree, index })
    }

    pub(crate) fn children(self, name: &str) -> impl Iterator<Item = Element<'t>> {
        self.elements().filter(move |child| child.name() == name)
    }

    /// The first child of a name.
    pub(crate) fn child(self, name: &str) -> Option<Element<'t>> {
        self.children(name).next()
    }

    /// The first descendant along names with `/` between them.
    pub(crate) fn path(self, names: &str) -> Option<Element<'t>> {
        match names.split_once('/') {
            None => self.child(names),
            Some((name, rest)) => self.children(name).find_map(|child| child.path(rest)),
        }
    }

    /// Every descendant of a name, in file order.
    pub(crate) fn descendants(self, name: &str) -> impl Iterator<Item = Element<'t>> {
        (self.index + 1..self.node().end)
            .map(move |index| Element { tree: self.tree, index })
            .filter(move |element| element.name() == name)
    }

    /// The element's own characters, without white space at the ends.
    pub(crate) fn text(self) -> &'t str {
        self.node().asked.set(true);
        &self.node().text
    }

    /// The same for one who only looks: the text is still to be asked for.
    pub(crate) fn glance_text(self) -> &'t str {
        &self.node().text
    }

    /// All texts in the element in file order, for one who only compares.
    pub(crate) fn glance_texts(self) -> Vec<&'t str> {
        self.tree.nodes[self.index..self.node().end].iter().map(|node| node.text.as_str()).collect()
    }

    /// The text where there is any.
    pub(crate) fn some_text(self) -> Option<&'t str> {
        Some(self.text()).filter(|text| !text.is_empty())
    }

    pub(crate) fn number(self) -> Option<f64> {
        decimal(self.text())
    }

    /// An attribute's value without white space at the ends, by local name; one without a prefix
    /// comes first.
    pub(crate) fn attribute(self, name: &str) -> Option<&'t str> {
        let found = self.find_attribute(name)?;
        found.asked.set(true);
        Some(found.value.trim())
    }

    /// The same for one who only looks: the attribute is still to be asked for.
    pub(crate) fn glance(self, name: &str) -> Option<&'t str> {
        self.find_attribute(name).map(|found| found.value.trim())
    }

    fn find_attribute(self, name: &str) -> Option<&'t Attribute> {
        let attributes = &self.node().attributes;
        let exact = attributes.iter().find(|one| one.name == name);
        let local = |one: &&Attribute| local(&one.name) == name && !is_markup(&one.name);
        exact.or_else(|| attributes.iter().find(local))
    }

    /// The attribute where it says anything.
    pub(crate) fn some_attribute(self, name: &str) -> Option<&'t str> {
        self.attribute(name).filter(|value| !value.is_empty())
    }

    pub(crate) fn attribute_number(self, name: &str) -> Option<f64> {
        decimal(self.attribute(name)?)
    }

    /// The text of a child, where there is any.
    pub(crate) fn text_of(self, names: &str) -> Option<&'t str> {
        self.path(names)?.some_text()
    }

    pub(crate) fn number_of(self, names: &str) -> Option<f64> {
        self.path(names)?.number()
    }

    /// Every attribute, for one who keeps the element as a whole.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'t str, &'t str)> {
        self.node().attributes.iter().map(|one| (one.name.as_str(), one.value.trim()))
    }

    /// Counts the element and all in it as read: what it says has its place in the recording.
    pub(crate) fn pass_over(self) {
        for node in &self.tree.nodes[self.index..self.node().end] {
            node.asked.set(true);
            node.attributes.iter().for_each(|attribute| attribute.asked.set(true));
        }
    }

    /// Where the element stands, for people: `AnnotatedECG/component/series[2]`.
    pub(crate) fn place(self) -> String {
        let mut names = Vec::new();
        let mut next = Some(self.index);
        while let Some(node) = next.map(|index| &self.tree.nodes[index]) {
            names.push(place_name(&node.name, node.ordinal));
            next = node.parent;
        }
        names.reverse();
        names.join("/")
    }
}

pub(super) fn place_name(name: &str, ordinal: u32) -> String {
    let name: String = name.chars().take(PLACE_NAME_CHARACTERS_MAX).collect();
    match ordinal {
        0 | 1 => name,
        number => format!("{name}[{number}]"),
    }
}

pub(super) fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// Declarations of namespaces and schemas are about the file, not in it.
fn is_markup(name: &str) -> bool {
    name == "xmlns"
        || name.starts_with("xmlns:")
        || matches!(local(name), "schemaLocation" | "noNamespaceSchemaLocation")
}

fn bounded(value: &str) -> Phi<String> {
    Phi::new(if value.len() <= UNMAPPED_BYTES_MAX {
        value.to_owned()
    } else {
        format!("({} bytes)", value.len())
    })
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn elements_are_found_by_local_names_and_numbers_are_strict() {
        let text = r#"<h:a xmlns:h="urn:x"><b u="ms" h:v="2"> 12 </b><c><d>1</d></c>
            <c><e x:t="T" t="t">nan</e></c></h:a>"#;
        let tree = parse(text.as_bytes()).unwrap();
        let root = tree.root();
        assert_eq!((root.name(), root.elements().count()), ("a", 3));
        let b = root.child("b").unwrap();
        assert_eq!((b.text(), b.number(), b.attribute("u")), ("12", Some(12.0), Some("ms")));
        assert_eq!(b.attribute_number("v"), Some(2.0));
        let e = root.path("c/e").unwrap();
        assert_eq!((e.attribute("t"), e.number()), (Some("t"), None));
        assert_eq!(e.place(), "a/c[2]/e");
        assert_eq!(root.number_of("c/d"), Some(1.0));
        assert_eq!(root.descendants("d").count(), 1);
        assert_eq!(root.children("c").next().unwrap().descendants("e").count(), 0);
        assert!(root.child("B").is_none() && root.path("c/x").is_none());
    }

    #[test]
    fn what_was_not_asked_for_is_kept() {
        let long = "x".repeat(5000);
        let text = format!(
            r#"<a xmlns="urn:x" v="1"><b u="ms">12</b><b u="s">{long}</b><c><d w="9">8</d></c></a>"#
        );
        let tree = parse(text.as_bytes()).unwrap();
        let root = tree.root();
        assert_eq!(root.child("b").unwrap().attribute("u"), Some("ms"));
        root.child("c").unwrap().pass_over();
        let kept: Vec<(String, String)> = tree
            .unmapped()
            .into_iter()
            .map(|field| (field.place, field.value.into_revealed()))
            .collect();
        let expected = [("a@v", "1"), ("a/b", "12"), ("a/b[2]@u", "s"), ("a/b[2]", "(5000 bytes)")];
        assert_eq!(kept, expected.map(|(place, value)| (place.to_owned(), value.to_owned())));
    }

    #[test]
    fn many_fields_are_counted_and_not_listed() {
        let text = format!("<a>{}</a>", "<b>1</b>".repeat(1500));
        let kept = parse(text.as_bytes()).unwrap().unmapped();
        assert_eq!(kept.len(), 1001);
        assert_eq!(kept[1000].value.reveal(), "500 more fields are in the file");
    }
}
