//! Merkle proofs (RFC 9162 sections 2.1.3 and 2.1.4), made while the row hashes stream by.
//!
//! A proof is a short list of roots of runs of rows. Which runs is known from the sizes alone, so a maker
//! keeps one small tree at a time and never the log.

use std::ops::Range;

use super::tree::tagged;
use super::{Frontier, Hash};

/// Runs of leaves, in the order of the proof, and their roots as they become known.
#[derive(Debug)]
struct Runs {
    wanted: Vec<Range<u64>>,
    roots: Vec<Option<Hash>>,
    /// Index into `wanted` by where the runs lie in the log; the last is the next.
    ahead: Vec<usize>,
    /// The run that is being read.
    tree: Frontier,
    next: u64,
}

impl Runs {
    fn new(wanted: Vec<Range<u64>>, next: u64) -> Self {
        let mut ahead: Vec<usize> = (0..wanted.len()).collect();
        ahead.sort_by_key(|&index| std::cmp::Reverse(wanted[index].start));
        Self { roots: vec![None; wanted.len()], wanted, ahead, tree: Frontier::default(), next }
    }

    fn push(&mut self, row: &Hash) {
        let at = self.next;
        self.next += 1;
        let Some(&index) = self.ahead.last() else { return };
        let run = &self.wanted[index];
        if !run.contains(&at) {
            return;
        }
        self.tree.push(row);
        if self.next == run.end {
            self.roots[index] = Some(std::mem::take(&mut self.tree).root());
            self.ahead.pop();
        }
    }

    fn finish(self) -> Option<Vec<Hash>> {
        self.roots.into_iter().collect()
    }
}

/// Where a tree of more than one leaf splits: the largest power of two below its size.
fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// Makes the proof that a row is in a tree.
#[derive(Debug)]
pub struct Inclusion(Runs);

impl Inclusion {
    /// For the row with this index, counted from 0, in the tree over the first `size` rows. `None` if it is
    /// not in it.
    pub fn new(index: u64, size: u64) -> Option<Self> {
        (index < size).then(|| {
            let mut wanted = Vec::new();
            let mut tree = 0..size;
            while tree.end - tree.start > 1 {
                let middle = tree.start + split(tree.end - tree.start);
                let (left, right) = (tree.start..middle, middle..tree.end);
                let (own, other) = if index < middle { (left, right) } else { (right, left) };
                wanted.push(other);
                tree = own;
            }
            wanted.reverse();
            Self(Runs::new(wanted, 0))
        })
    }

    /// Takes the hashes of all rows in their order, from the first.
    pub fn push(&mut self, row: &Hash) {
        self.0.push(row);
    }

    /// The path; `None` if not all rows of the tree were pushed.
    pub fn finish(self) -> Option<Vec<Hash>> {
        self.0.finish()
    }
}

/// Makes the proof that a tree begins with all the rows of a smaller one.
#[derive(Debug)]
pub struct Consistency(Runs);

impl Consistency {
    /// Between the tree of `first` and the tree over the first `size` rows. `None` if that is smaller, or
    /// if `first` is empty, of which nothing can be proven.
    pub fn after(first: &Frontier, size: u64) -> Option<Self> {
        let known = first.len();
        if known == 0 || known > size {
            return None;
        }
        let mut wanted = Vec::new();
        let mut tree = 0..size;
        while tree.end != known {
            let middle = tree.start + split(tree.end - tree.start);
            if known <= middle {
                wanted.push(middle..tree.end);
                tree = tree.start..middle;
            } else {
                wanted.push(tree.start..middle);
                tree = middle..tree.end;
            }
        }
        // A tree that is whole in the larger one is what the verifier starts with.
        if tree.start != 0 {
            wanted.push(tree);
        }
        wanted.reverse();
        let mut runs = Runs::new(wanted, known);
        // What lies left of the end of the smaller tree are its peaks.
        let mut start = 0;
        for peak in &first.peaks {
            if let Some(index) =
                runs.wanted.iter().position(|run| run.start == start && run.end <= known)
            {
                runs.roots[index] = Some(*peak);
                runs.ahead.retain(|&other| other != index);
            }
            start += 1 << (known - start).ilog2();
        }
        Some(Self(runs))
    }

    /// Takes the hashes of the rows after the smaller tree, in their order.
    pub fn push(&mut self, row: &Hash) {
        self.0.push(row);
    }

    /// The proof; `None` if not all rows of the larger tree were pushed.
    pub fn finish(self) -> Option<Vec<Hash>> {
        self.0.finish()
    }
}

/// Whether the row with this hash and index is in the tree of `size` rows and this root
/// (RFC 9162 section 2.1.3.2).
pub fn inclusion_holds(row: &Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = tagged(0, &[row]);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = tagged(1, &[sibling, &hash]);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = tagged(1, &[&hash, sibling]);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the tree of `size` rows begins with the `first` rows of the smaller tree
/// (RFC 9162 section 2.1.4.2).
pub fn consistency_holds(
    first: u64,
    first_root: &Hash,
    size: u64,
    root: &Hash,
    path: &[Hash],
) -> bool {
    if first == 0 || first > size {
        return false;
    }
    if first == size {
        return path.is_empty() && first_root == root;
    }
    let whole = first.is_power_of_two().then_some(first_root);
    let mut path = whole.into_iter().chain(path);
    let Some(start) = path.next() else { return false };
    let (mut node, mut last) = (first - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut small, mut large) = (*start, *start);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            small = tagged(1, &[sibling, &small]);
            large = tagged(1, &[sibling, &large]);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            large = tagged(1, &[&large, sibling]);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && small == *first_root && large == *root
}

#[cfg(test)]
mod tests {
    use super::super::tree::tests::root_by_definition;
    use super::*;

    /// More than any split of six levels, and some.
    const ROWS: u64 = 70;

    fn rows() -> Vec<Hash> {
        (0..ROWS as u8).map(|n| [n; 32]).collect()
    }

    fn tree(rows: &[Hash]) -> Frontier {
        let mut tree = Frontier::default();
        rows.iter().for_each(|row| tree.push(row));
        tree
    }

    /// PATH(m, D_n) of section 2.1.3.1, written as the definition reads.
    fn path_by_definition(index: usize, rows: &[Hash]) -> Vec<Hash> {
        if rows.len() == 1 {
            return Vec::new();
        }
        let (left, right) = rows.split_at(rows.len().next_power_of_two() / 2);
        let (mut path, other) = if index < left.len() {
            (path_by_definition(index, left), right)
        } else {
            (path_by_definition(index - left.len(), right), left)
        };
        path.push(root_by_definition(other));
        path
    }

    /// SUBPROOF(m, D_n, b) of section 2.1.4.1, written as the definition reads.
    fn subproof_by_definition(first: usize, rows: &[Hash], whole: bool) -> Vec<Hash> {
        if first == rows.len() {
            return if whole { Vec::new() } else { vec![root_by_definition(rows)] };
        }
        let (left, right) = rows.split_at(rows.len().next_power_of_two() / 2);
        let (mut proof, other) = if first <= left.len() {
            (subproof_by_definition(first, left, whole), right)
        } else {
            (subproof_by_definition(first - left.len(), right, false), left)
        };
        proof.push(root_by_definition(other));
        proof
    }

    fn inclusion(index: u64, rows: &[Hash]) -> Vec<Hash> {
        let mut proof = Inclusion::new(index, rows.len() as u64).unwrap();
        rows.iter().for_each(|row| proof.push(row));
        proof.finish().unwrap()
    }

    fn consistency(first: usize, rows: &[Hash]) -> Vec<Hash> {
        let mut proof = Consistency::after(&tree(&rows[..first]), rows.len() as u64).unwrap();
        rows[first..].iter().for_each(|row| proof.push(row));
        proof.finish().unwrap()
    }

    #[test]
    fn an_inclusion_path_is_the_definition_s_and_holds_for_its_row_alone() {
        let all = rows();
        for size in 1..=ROWS {
            let rows = &all[..size as usize];
            let root = tree(rows).root();
            for index in 0..size {
                let path = inclusion(index, rows);
                assert_eq!(path, path_by_definition(index as usize, rows), "{index} of {size}");
                for (other, row) in (0..).zip(&all) {
                    let holds = inclusion_holds(row, index, size, &path, &root);
                    assert_eq!(holds, other == index, "row {other} as {index} of {size}");
                    let moved = inclusion_holds(&all[index as usize], other, size, &path, &root);
                    assert_eq!(moved, other == index, "{index} as {other} of {size}");
                }
            }
        }
    }

    #[test]
    fn a_consistency_proof_is_the_definition_s_and_holds_for_its_trees_alone() {
        let all = rows();
        for size in 1..=ROWS as usize {
            let rows = &all[..size];
            let root = tree(rows).root();
            for first in 1..=size {
                let path = consistency(first, rows);
                assert_eq!(path, subproof_by_definition(first, rows, true), "{first} in {size}");
                let (m, n) = (first as u64, size as u64);
                let first_root = tree(&rows[..first]).root();
                assert!(consistency_holds(m, &first_root, n, &root, &path), "{first} in {size}");
                let mut other = rows.to_vec();
                other[first / 2] = [0xFF; 32];
                let forged = tree(&other).root();
                assert!(!consistency_holds(m, &first_root, n, &forged, &path), "{first} in {size}");
                let old = tree(&other[..first]).root();
                assert!(!consistency_holds(m, &old, n, &root, &path), "{first} in {size}");
            }
        }
    }

    #[test]
    fn a_proof_with_a_part_changed_added_or_left_out_does_not_hold() {
        let rows = rows();
        let (size, root) = (ROWS, tree(&rows).root());
        let first_root = tree(&rows[..37]).root();
        let included = inclusion(41, &rows);
        let consistent = consistency(37, &rows);
        let in_tree = |path: &[Hash]| inclusion_holds(&rows[41], 41, size, path, &root);
        let grown = |path: &[Hash]| consistency_holds(37, &first_root, size, &root, path);
        assert!(in_tree(&included) && grown(&consistent));
        for at in 0..included.len().max(consistent.len()) {
            for (path, holds) in
                [(&included, &in_tree as &dyn Fn(&[Hash]) -> bool), (&consistent, &grown)]
            {
                let Some(part) = path.get(at) else { continue };
                let mut changed = path.clone();
                changed[at][7] ^= 1;
                assert!(!holds(&changed));
                let mut longer = path.clone();
                longer.insert(at, *part);
                assert!(!holds(&longer));
                let mut shorter = path.clone();
                shorter.remove(at);
                assert!(!holds(&shorter));
            }
        }
    }

    #[test]
    fn what_cannot_be_proven_is_not() {
        let rows = rows();
        assert!(Inclusion::new(3, 3).is_none() && Inclusion::new(0, 0).is_none());
        assert!(Consistency::after(&Frontier::default(), 3).is_none());
        assert!(Consistency::after(&tree(&rows[..4]), 3).is_none());
        let unfinished = Inclusion::new(0, 3).unwrap();
        assert!(unfinished.finish().is_none());
        let root = tree(&rows[..3]).root();
        assert!(!inclusion_holds(&rows[0], 0, 0, &[], &root));
        assert!(!consistency_holds(0, &root, 3, &root, &[]));
        assert!(!consistency_holds(4, &root, 3, &root, &[]));
        assert!(!consistency_holds(3, &root, 3, &root, &[root]));
    }
}
