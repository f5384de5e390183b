//! Sets of (key, ordinal) that are nearly always filled in order: one number a key, and holes where order failed.

use super::holes::{Filled, Holes};
use super::sparse::Sparse;
use crate::engine::index::to_usize;
use crate::record::KeyId;

/// A set of record identities. Memory: eight bytes a key, and about a bit an ordinal from a key's lowest hole on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    /// By key: the ordinal after the highest in the set.
    next: Vec<u32>,
    /// Missing ordinals below `next`, by key; none without a hole.
    holes: Sparse<Holes>,
}

/// What an insertion found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Inserted {
    /// The next of its key.
    InOrder,
    /// Beyond the next of its key: a hole opened.
    Ahead,
    /// It fills a hole.
    Late,
    /// It was there already.
    Again,
}

impl Ordinals {
    /// The empty set over so many keys.
    pub fn new(keys: usize) -> Self {
        Self {
            next: vec![0; keys],
            holes: Sparse::new(keys),
        }
    }
    /// Adds an identity.
    #[inline]
    pub fn insert(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        let next = &mut self.next[to_usize(key.0)];
        if ordinal == *next {
            *next += 1;
            return Inserted::InOrder;
        }
        self.insert_out_of_order(key, ordinal)
    }
    #[inline]
    fn insert_out_of_order(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        if ordinal > self.next[to_usize(key.0)] {
            self.insert_ahead(key, ordinal);
            Inserted::Ahead
        } else {
            self.insert_late(key, ordinal)
        }
    }
    #[inline(never)]
    fn insert_ahead(&mut self, key: KeyId, ordinal: u32) {
        let next = core::mem::replace(&mut self.next[to_usize(key.0)], ordinal + 1);
        self.holes.obtain(key.0).open(next, ordinal);
    }
    #[inline(never)]
    fn insert_late(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        match self.holes.get_mut(key.0).map(|holes| holes.fill(ordinal)) {
            None | Some(Filled::Nothing) => Inserted::Again,
            Some(Filled::Hole) => Inserted::Late,
            Some(Filled::Word) => self.insert_last(key),
        }
    }
    /// A record was late that may have filled the key's last hole.
    #[inline(never)]
    fn insert_last(&mut self, key: KeyId) -> Inserted {
        if let Some(holes) = self.holes.get_mut(key.0) {
            holes.tidy();
            if holes.is_empty() {
                self.holes.release(key.0);
            }
        }
        Inserted::Late
    }
    /// Adds identities; returns how many of them were in the set already.
    #[inline]
    pub(super) fn insert_all(&mut self, mut identities: impl Iterator<Item = (KeyId, u32)>) -> u64 {
        let mut again = 0;
        while let Some((key, ordinal)) = insert_in_order(&mut self.next, &mut identities) {
            again += u64::from(self.insert_out_of_order(key, ordinal) == Inserted::Again);
        }
        again
    }
    /// By key: the ordinal after its highest.
    pub(super) fn ends(&self) -> &[u32] {
        &self.next
    }
    /// The ordinal after the highest of the key.
    #[inline]
    pub fn next(&self, key: KeyId) -> u32 {
        self.next[to_usize(key.0)]
    }
    /// True if the identity is in the set.
    #[inline]
    pub fn contains(&self, key: KeyId, ordinal: u32) -> bool {
        ordinal < self.next(key) && !self.holes.get(key.0).is_some_and(|holes| holes.contains(ordinal))
    }
    /// How many ordinals of `from..until` are missing.
    pub fn missing_within(&self, key: KeyId, from: u32, until: u32) -> u32 {
        let next = self.next(key);
        let beyond = until.saturating_sub(from.max(next));
        let holes = self.holes.get(key.0);
        beyond + holes.map_or(0, |holes| holes.count_within(from, until.min(next)))
    }
    /// The lowest ordinal of `from..until` that is in the set.
    pub fn first_within(&self, key: KeyId, from: u32, until: u32) -> Option<u32> {
        let first = self.holes.get(key.0).map_or(from, |holes| holes.first_present(from));
        (first < until.min(self.next(key))).then_some(first)
    }
    /// How many ordinals of the key are in the set.
    pub fn count(&self, key: KeyId) -> u32 {
        self.next(key) - self.holes.get(key.0).map_or(0, Holes::len)
    }
}

/// Adds identities up to the first that is out of order, which it returns.
#[inline]
fn insert_in_order(next: &mut [u32], identities: &mut impl Iterator<Item = (KeyId, u32)>) -> Option<(KeyId, u32)> {
    identities.find(|&(key, ordinal)| {
        let next = &mut next[to_usize(key.0)];
        if ordinal != *next {
            return true;
        }
        *next += 1;
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_compact_set_agrees_with_a_plain_one(inserts in prop::collection::vec((0_u32..3, 0_u32..40), 0..200)) {
            let mut compact = Ordinals::new(3);
            let mut plain = BTreeSet::new();
            for &(key, ordinal) in &inserts {
                let highest = plain.range((key, 0)..=(key, u32::MAX)).next_back().map_or(0, |&(_, last): &(u32, u32)| last + 1);
                let expected = match (plain.insert((key, ordinal)), ordinal.cmp(&highest)) {
                    (false, _) => Inserted::Again,
                    (true, core::cmp::Ordering::Less) => Inserted::Late,
                    (true, core::cmp::Ordering::Equal) => Inserted::InOrder,
                    (true, core::cmp::Ordering::Greater) => Inserted::Ahead,
                };
                prop_assert_eq!(compact.insert(KeyId(key), ordinal), expected);
            }
            for key in 0..3 {
                for ordinal in 0..45 {
                    prop_assert_eq!(compact.contains(KeyId(key), ordinal), plain.contains(&(key, ordinal)));
                }
                let missing = (10..30).filter(|ordinal| !plain.contains(&(key, *ordinal))).count();
                prop_assert_eq!(usize::try_from(compact.missing_within(KeyId(key), 10, 30)), Ok(missing));
                let first = (10..30).find(|ordinal| plain.contains(&(key, *ordinal)));
                prop_assert_eq!(compact.first_within(KeyId(key), 10, 30), first);
            }
        }
    }
}
