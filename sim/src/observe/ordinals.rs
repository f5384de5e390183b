//! Sets of (key, ordinal) that are nearly always filled in order: one number a key, and holes where order failed.

use super::holes::{Filled, Holes};
use super::sparse::Sparse;
use crate::engine::index::to_usize;
use crate::record::KeyId;

/// A set of record identities. Memory: 24 bytes a key, and for keys whose holes are further apart than 64 ordinals about
/// a bit an ordinal from the lowest on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    /// By key: the ordinal after the highest in the set.
    next: Vec<u32>,
    /// By key: the highest missing ordinals below `next`.
    near: Vec<Near>,
    /// Missing ordinals below those, by key; none without a hole there.
    holes: Sparse<Holes>,
}

/// Missing ordinals from `base` on, a bit each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Near {
    base: u32,
    missing: u64,
}

impl Near {
    /// Makes `from..until` missing, which are above all that are missing. False if not all find room: what is missing
    /// far below has to go first.
    #[inline]
    fn open(&mut self, from: u32, until: u32) -> bool {
        if self.missing == 0 {
            self.base = from;
        } else if until - self.base > u64::BITS {
            let filled = self.missing.trailing_zeros();
            self.base += filled;
            self.missing >>= filled;
        }
        if until - self.base > u64::BITS {
            return false;
        }
        self.missing |= u64::MAX >> (u64::BITS - (until - from)) << (from - self.base);
        true
    }
    /// The bits of `from` and all above it.
    #[inline]
    fn from(self, from: u32) -> u64 {
        self.missing.checked_shr(from.saturating_sub(self.base)).unwrap_or(0)
    }
    /// How many of `from..until` are missing here.
    #[inline]
    fn count_within(self, from: u32, until: u32) -> u32 {
        self.from(from).count_ones() - self.from(until.max(from)).count_ones()
    }
    /// Takes the lowest run of missing ordinals out.
    fn pop_run(&mut self) -> Option<(u32, u32)> {
        if self.missing == 0 {
            return None;
        }
        let low = self.missing.trailing_zeros();
        let high = low + (self.missing >> low).trailing_ones();
        self.missing &= u64::MAX.checked_shl(high).unwrap_or(0);
        Some((self.base + low, self.base + high))
    }
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
            near: vec![Near::default(); keys],
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
        let at = to_usize(key.0);
        let (next, near) = (&mut self.next[at], &mut self.near[at]);
        if ordinal > *next {
            let from = core::mem::replace(next, ordinal + 1);
            if !near.open(from, ordinal) {
                self.open_far(key, from, ordinal);
            }
            return Inserted::Ahead;
        }
        let bit = ordinal.wrapping_sub(near.base);
        if bit >= u64::BITS {
            return self.insert_late(key, ordinal);
        }
        let hole = near.missing & 1 << bit;
        near.missing ^= hole;
        if hole > 0 { Inserted::Late } else { Inserted::Again }
    }
    /// Holes further apart than there are bits.
    #[inline(never)]
    fn open_far(&mut self, key: KeyId, from: u32, until: u32) {
        let (near, holes) = (&mut self.near[to_usize(key.0)], self.holes.obtain(key.0));
        while let Some((from, until)) = near.pop_run() {
            holes.open(from, until);
        }
        if !near.open(from, until) {
            holes.open(from, until);
            near.base = until;
        }
        if holes.is_empty() {
            self.holes.release(key.0);
        }
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
        if ordinal >= self.next(key) {
            return false;
        }
        let near = &self.near[to_usize(key.0)];
        let bit = ordinal.wrapping_sub(near.base);
        if bit < u64::BITS {
            near.missing >> bit & 1 == 0
        } else {
            !self.holes.get(key.0).is_some_and(|holes| holes.contains(ordinal))
        }
    }
    /// How many ordinals of `from..until` are missing.
    #[inline]
    pub fn missing_within(&self, key: KeyId, from: u32, until: u32) -> u32 {
        let next = self.next(key);
        let beyond = until.saturating_sub(from.max(next));
        let until = until.min(next);
        let near = self.near[to_usize(key.0)];
        let missing = beyond + near.count_within(from, until);
        if from >= near.base {
            return missing;
        }
        let holes = self.holes.get(key.0);
        missing + holes.map_or(0, |holes| holes.count_within(from, until))
    }
    /// The lowest ordinal of `from..until` that is in the set.
    pub fn first_within(&self, key: KeyId, from: u32, until: u32) -> Option<u32> {
        let mut first = self.holes.get(key.0).map_or(from, |holes| holes.first_present(from));
        let near = self.near[to_usize(key.0)];
        if first >= near.base {
            first += near.from(first).trailing_ones();
        }
        (first < until.min(self.next(key))).then_some(first)
    }
    /// How many ordinals of the key are in the set.
    pub fn count(&self, key: KeyId) -> u32 {
        let far = self.holes.get(key.0).map_or(0, Holes::len);
        self.next(key) - far - self.near[to_usize(key.0)].missing.count_ones()
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
        /// Ordinals close together, and so far apart that bits do not reach.
        #[test]
        fn the_compact_set_agrees_with_a_plain_one(
            inserts in (1_u32..12).prop_flat_map(|step| {
                prop::collection::vec((0_u32..3, (0_u32..40).prop_map(move |number| number * step)), 0..200)
            }),
        ) {
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
                for ordinal in 0..450 {
                    prop_assert_eq!(compact.contains(KeyId(key), ordinal), plain.contains(&(key, ordinal)));
                }
                let count = plain.range((key, 0)..=(key, u32::MAX)).count();
                prop_assert_eq!(usize::try_from(compact.count(KeyId(key))), Ok(count));
                for (from, until) in [(10, 30), (0, 450), (64, 128), (37, 300), (200, 201)] {
                    let missing = (from..until).filter(|ordinal| !plain.contains(&(key, *ordinal))).count();
                    prop_assert_eq!(usize::try_from(compact.missing_within(KeyId(key), from, until)), Ok(missing));
                    let first = (from..until).find(|ordinal| plain.contains(&(key, *ordinal)));
                    prop_assert_eq!(compact.first_within(KeyId(key), from, until), first);
                }
            }
        }
    }
}
