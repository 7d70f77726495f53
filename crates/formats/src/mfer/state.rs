//! What is defined where a waveform comes: of all channels, and of single ones.

use std::collections::BTreeMap;

use precordia_model::{Refusal, RefusalReason};

use super::content::{Content, tag};
use super::scale::{self, ByteOrder};

/// Channels of one waveform; the largest devices have some hundred.
const CHANNELS_MAX: u64 = 1024;

#[derive(Clone, Debug)]
pub(crate) struct State<'c> {
    pub order: ByteOrder,
    root: BTreeMap<u8, &'c Content>,
    /// By tag and then by channel.
    channels: BTreeMap<(u8, u64), &'c Content>,
}

impl<'c> State<'c> {
    pub(crate) fn new() -> Self {
        Self { order: ByteOrder::Big, root: BTreeMap::new(), channels: BTreeMap::new() }
    }

    pub(crate) fn define(&mut self, content: &'c Content) -> Result<(), Refusal> {
        if content.tag == tag::BYTE_ORDER {
            self.order = match content.bytes[..] {
                [0] => ByteOrder::Big,
                [1] => ByteOrder::Little,
                _ => return Err(malformed(content, "the byte order is neither big nor little")),
            };
            return Ok(());
        }
        match content.channel {
            Some(channel) => {
                self.channels.insert((content.tag, channel), content);
            }
            None => {
                // A new number of channels begins a new set of them.
                if content.tag == tag::CHANNELS {
                    self.channels.clear();
                }
                let all = (content.tag, 0)..=(content.tag, u64::MAX);
                let own = self.channels.range(all).next().is_some();
                if own && is_of_samples(content.tag) {
                    let text = "a definition of all channels comes after one of a single channel, and it is not clear which holds";
                    return Err(Refusal::new(
                        RefusalReason::Ambiguous,
                        "definition_order",
                        content.place(),
                        text,
                    ));
                }
                self.root.insert(content.tag, content);
            }
        }
        Ok(())
    }

    pub(crate) fn root(&self, tag: u8) -> Option<&'c Content> {
        self.root.get(&tag).copied()
    }

    /// The channel's own definition, else that of all.
    pub(crate) fn of(&self, channel: u64, tag: u8) -> Option<&'c Content> {
        self.channels.get(&(tag, channel)).copied().or_else(|| self.root(tag))
    }

    /// A whole number, or what the standard has where it is absent.
    pub(crate) fn whole(&self, content: Option<&Content>, absent: u64) -> Result<u64, Refusal> {
        let Some(content) = content else { return Ok(absent) };
        let number = scale::whole(&content.bytes, self.order).filter(|&number| number > 0);
        number.ok_or_else(|| malformed(content, "the definition is no number above zero"))
    }

    pub(crate) fn channel_count(&self) -> Result<u64, Refusal> {
        let content = self.root(tag::CHANNELS);
        let count = self.whole(content, 1)?;
        match content {
            Some(content) if count > CHANNELS_MAX => {
                Err(malformed(content, "there are more channels than any device has"))
            }
            _ => Ok(count),
        }
    }
}

/// Whether a definition decides where samples lie or what they mean.
fn is_of_samples(tag: u8) -> bool {
    matches!(
        tag,
        tag::BLOCK
            | tag::LEAD
            | tag::DATA_TYPE
            | tag::SAMPLING
            | tag::SENSITIVITY
            | tag::OFFSET
            | tag::COMPRESSION
            | tag::NULL_VALUE
    )
}

pub(crate) fn malformed(content: &Content, text: &str) -> Refusal {
    Refusal::new(RefusalReason::Malformed, "definition_invalid", content.place(), text)
}
