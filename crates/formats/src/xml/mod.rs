//! XML as a bounded tree, for the formats that are written in it.
//!
//! A document type is passed over and never read, nothing outside the file is looked at, and no
//! entity but the five of XML itself is known. Namespaces are ignored: an element is what its local
//! name says, since those who remove names from files remove namespaces too. What a reader did not
//! ask for is kept for the recording.

mod decode;
mod element;
mod number;
mod parse;
mod root;

pub(crate) use decode::is_legal;
pub(crate) use element::Element;
pub(crate) use number::{decimal, whole};
pub(crate) use parse::parse;
pub(crate) use root::root_name;
