//! Samples that lie in regular frames, and recordings too long to be held at once.
//!
//! A reader of such a format turns its header into a [`Layout`]: where each lead's samples lie in
//! which part, in which encoding, and what they mean. One decoder follows it, block by block over
//! anything that can be read and sought; a recording read whole is one block of that decoder.

mod blocks;
mod decode;
mod encoding;
mod grouping;
mod layout;
mod open;
mod parts;
mod window;

pub use blocks::{Block, Blocks};
pub use open::{OpenError, Opened, open};
pub use parts::{NamedSource, Source};

pub(crate) use encoding::Encoding;
pub(crate) use grouping::{Sampled, grouped};
pub(crate) use layout::{Channel, Group, Layout, Run, Scale, Stated};
pub(crate) use open::{Framed, Plan, read};
pub(crate) use parts::{Parts, unreadable};
