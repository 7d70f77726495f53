//! Leads of one rate make a group; leads of another make another.

use precordia_model::{GroupKind, SampleRate};

use super::layout::{Channel, Group};

/// A lead, how fast it was sampled and how many samples it has, gaps included.
pub(crate) struct Sampled {
    pub rate: SampleRate,
    pub length: u64,
    pub channel: Channel,
}

/// The rhythm, first, has the most leads, then the highest rate.
pub(crate) fn grouped(leads: Vec<Sampled>) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for Sampled { rate, length, channel } in leads {
        match groups.iter_mut().find(|group| group.rate == rate && group.length == length) {
            Some(group) => group.channels.push(channel),
            None => groups.push(Group {
                kind: GroupKind::Other,
                label: format!("{} Hz", rate.hz()),
                rate,
                length,
                channels: vec![channel],
            }),
        }
    }
    groups.sort_by_key(|group| std::cmp::Reverse((group.channels.len(), group.rate)));
    groups
}
