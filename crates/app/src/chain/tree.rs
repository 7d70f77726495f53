//! The append-only Merkle tree over row hashes (RFC 9162 section 2.1.1), of which only the peaks are kept.

use aws_lc_rs::digest::SHA256;

use super::Hash;

/// The peaks of an append-only Merkle tree: for each set bit of the number of leaves, from the highest,
/// the root of a perfect subtree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    leaves: u64,
    pub(super) peaks: Vec<Hash>,
}

impl Frontier {
    /// Adds a row's hash. Leaf and node hashes have different prefixes (RFC 9162 section 2.1.1).
    pub fn push(&mut self, row: &Hash) {
        let mut node = tagged(0, &[row]);
        let mut size = self.leaves;
        while size & 1 == 1 {
            let left = self.peaks.pop().expect("a set bit has a peak");
            node = tagged(1, &[&left, &node]);
            size >>= 1;
        }
        self.peaks.push(node);
        self.leaves += 1;
    }

    pub const fn len(&self) -> u64 {
        self.leaves
    }

    pub const fn is_empty(&self) -> bool {
        self.leaves == 0
    }

    /// Root over all leaves; of none, the hash of nothing.
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return tagged_bytes(&[]) };
        peaks.fold(*last, |right, left| tagged(1, &[left, &right]))
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.leaves.to_be_bytes().to_vec();
        self.peaks.iter().for_each(|peak| bytes.extend_from_slice(peak));
        bytes
    }

    /// `None` if the bytes are not a frontier (count and peaks disagree). No bytes: the empty tree.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::default());
        }
        let (count, rest) = bytes.split_first_chunk::<8>()?;
        let leaves = u64::from_be_bytes(*count);
        let (peaks, tail) = rest.as_chunks::<32>();
        let fits = tail.is_empty() && peaks.len() == leaves.count_ones() as usize;
        fits.then(|| Self { leaves, peaks: peaks.to_vec() })
    }
}

pub(super) fn tagged(tag: u8, parts: &[&Hash]) -> Hash {
    let mut bytes = Vec::with_capacity(65);
    bytes.push(tag);
    parts.iter().for_each(|part| bytes.extend_from_slice(*part));
    tagged_bytes(&bytes)
}

pub(super) fn tagged_bytes(bytes: &[u8]) -> Hash {
    let digest = aws_lc_rs::digest::digest(&SHA256, bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// RFC 9162 section 2.1.1, written as the definition reads.
    pub(in crate::chain) fn root_by_definition(rows: &[Hash]) -> Hash {
        match rows {
            [] => tagged_bytes(&[]),
            [row] => tagged(0, &[row]),
            _ => {
                let split = rows.len().next_power_of_two() / 2;
                let (left, right) = rows.split_at(split);
                tagged(1, &[&root_by_definition(left), &root_by_definition(right)])
            }
        }
    }

    #[test]
    fn the_frontier_has_the_root_that_the_definition_gives() {
        let rows: Vec<Hash> = (0..70u8).map(|n| [n; 32]).collect();
        let mut frontier = Frontier::default();
        for n in 0..=rows.len() {
            assert_eq!(frontier.root(), root_by_definition(&rows[..n]), "{n} rows");
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Some(frontier.clone()));
            if n < rows.len() {
                frontier.push(&rows[n]);
            }
        }
    }

    #[test]
    fn a_frontier_whose_count_and_peaks_disagree_is_refused() {
        let mut frontier = Frontier::default();
        (0..5).for_each(|n| frontier.push(&[n; 32]));
        let bytes = frontier.to_bytes();
        assert_eq!(Frontier::from_bytes(&bytes[..bytes.len() - 1]), None);
        assert_eq!(Frontier::from_bytes(&bytes[..40]), None);
        assert_eq!(Frontier::from_bytes(&[1]), None);
    }
}
