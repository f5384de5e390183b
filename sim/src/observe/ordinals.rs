//! Sets of (key, ordinal) that are nearly always filled in order: one number a key, and holes where order failed.

use super::holes::{Filled, Holes};
use super::sparse::Sparse;
use crate::engine::index::to_usize;
use crate::record::KeyId;
use core::cmp::Ordering as Order;

/// A set of record identities. Memory: 20 bytes a key, and for keys with holes further than 64 ordinals below their highest
/// about a bit an ordinal from the lowest hole on.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ordinals {
    /// By key: what is in the set near its highest.
    near: Vec<Near>,
    /// Missing ordinals below that, by key; none without a hole there.
    holes: Sparse<Holes>,
}

/// Which ordinals of a key are in the set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Near {
    /// Those from `base` on, a bit each; the first is missing.
    present: u64,
    /// All below are in the set, unless there are holes.
    base: u32,
    /// The ordinal after the highest.
    next: u32,
}

/// How many records to take without asking whether they are in order: the more, the more often they have not been.
/// Where that cannot be predicted, asking costs more than it saves.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stretch(usize);

impl Stretch {
    /// So many records have been in order, and one is not.
    #[inline]
    pub(super) fn after(&mut self, in_order: usize) -> usize {
        self.0 = if in_order < 4 { (2 * self.0).clamp(1, 32) } else { 1 };
        self.0
    }
}

impl Near {
    /// Adds the ordinal of a bit, and returns that bit if it was there. Nobody can predict whether it is the next one of its
    /// key, so that makes no difference.
    #[inline]
    const fn add(&mut self, bit: u32) -> u64 {
        let before = self.present >> bit & 1;
        self.present |= 1 << bit;
        let next = self.base + bit + 1;
        self.next = if next > self.next { next } else { self.next };
        let full = self.present.trailing_ones();
        self.base += full;
        self.present = self.present.unbounded_shr(full);
        before
    }
    /// The bits from an ordinal on, which is not below the base.
    #[inline]
    const fn from(self, from: u32) -> u64 {
        self.present.unbounded_shr(from - self.base)
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
            near: vec![Near::default(); keys],
            holes: Sparse::new(keys),
        }
    }
    /// Adds an identity.
    #[inline]
    pub fn insert(&mut self, key: KeyId, ordinal: u32) -> Inserted {
        let near = &mut self.near[to_usize(key.0)];
        let (next, bit) = (near.next, ordinal.wrapping_sub(near.base));
        let again = if bit < u64::BITS {
            near.add(bit) > 0
        } else {
            self.insert_far(key, ordinal)
        };
        match (again, ordinal.cmp(&next)) {
            (true, _) => Inserted::Again,
            (false, Order::Less) => Inserted::Late,
            (false, Order::Equal) => Inserted::InOrder,
            (false, Order::Greater) => Inserted::Ahead,
        }
    }
    /// Adds identities; returns how many of them were in the set already.
    #[inline]
    pub(super) fn insert_all(&mut self, mut identities: impl ExactSizeIterator<Item = (KeyId, u32)>) -> u64 {
        let (mut again, mut stretch, mut left) = (0, Stretch::default(), identities.len());
        while let Some(first) = insert_in_order(&mut self.near, &mut identities) {
            let more = stretch.after(left - identities.len() - 1) - 1;
            for (key, ordinal) in core::iter::once(first).chain(identities.by_ref().take(more)) {
                let near = &mut self.near[to_usize(key.0)];
                let bit = ordinal.wrapping_sub(near.base);
                again += if bit < u64::BITS {
                    near.add(bit)
                } else {
                    u64::from(self.insert_far(key, ordinal))
                };
            }
            left = identities.len();
        }
        again
    }
    /// Adds an ordinal that no bit stands for. True if it was there.
    #[inline(never)]
    fn insert_far(&mut self, key: KeyId, ordinal: u32) -> bool {
        let near = &mut self.near[to_usize(key.0)];
        if ordinal < near.base {
            return self.insert_late(key, ordinal);
        }
        // What is missing goes to the holes, and bits begin anew above it.
        let holes = self.holes.obtain(key.0);
        let next = near.next;
        let mut missing = !near.present & u64::MAX.unbounded_shr(u64::BITS - (next - near.base));
        while missing > 0 {
            let low = missing.trailing_zeros();
            let high = low + (missing >> low).trailing_ones();
            missing &= u64::MAX.unbounded_shl(high);
            holes.open(near.base + low, near.base + high);
        }
        let base = next.max(ordinal.saturating_sub(u64::BITS / 2));
        holes.open(next, base);
        *near = Near {
            present: 0,
            base,
            next: base,
        };
        if holes.is_empty() {
            self.holes.release(key.0);
        }
        near.add(ordinal - base) > 0
    }
    #[inline(never)]
    fn insert_late(&mut self, key: KeyId, ordinal: u32) -> bool {
        let Some(holes) = self.holes.get_mut(key.0) else {
            return true;
        };
        match holes.fill(ordinal) {
            Filled::Nothing => return true,
            Filled::Hole => {}
            Filled::Word => {
                holes.tidy();
                if holes.is_empty() {
                    self.holes.release(key.0);
                }
            }
        }
        false
    }
    /// The ordinal after the highest of the key.
    #[inline]
    pub fn next(&self, key: KeyId) -> u32 {
        self.near[to_usize(key.0)].next
    }
    /// Which of the 64 ordinals from `from` on are in the set, a bit each. `None` if that takes longer to tell.
    #[inline]
    pub(super) fn window(&self, key: KeyId, from: u32) -> Option<u64> {
        let near = self.near[to_usize(key.0)];
        let below = near.base.saturating_sub(from);
        let above = from.saturating_sub(near.base);
        let present = near.present.unbounded_shl(below) | !u64::MAX.unbounded_shl(below);
        let has_holes = self.holes.get(key.0).is_some();
        (!has_holes).then_some(present.unbounded_shr(above))
    }
    /// True if the identity is in the set.
    #[inline]
    pub fn contains(&self, key: KeyId, ordinal: u32) -> bool {
        let near = self.near[to_usize(key.0)];
        if ordinal >= near.base {
            near.from(ordinal) & 1 > 0
        } else {
            !self.holes.get(key.0).is_some_and(|holes| holes.contains(ordinal))
        }
    }
    /// How many ordinals of `from..until` are missing.
    #[inline]
    pub fn missing_within(&self, key: KeyId, from: u32, until: u32) -> u32 {
        if from >= until {
            return 0;
        }
        let near = self.near[to_usize(key.0)];
        let (low, high) = (from.max(near.base), until.max(near.base));
        let present = near.from(low).count_ones() - near.from(high.max(low)).count_ones();
        let missing = high.saturating_sub(low) - present;
        let holes = self.holes.get(key.0).filter(|_| from < near.base);
        missing + holes.map_or(0, |holes| holes.count_within(from, until.min(near.base)))
    }
    /// The lowest ordinal of `from..until` that is in the set.
    pub fn first_within(&self, key: KeyId, from: u32, until: u32) -> Option<u32> {
        let near = self.near[to_usize(key.0)];
        let mut first = self.holes.get(key.0).map_or(from, |holes| holes.first_present(from));
        if first >= near.base {
            let present = near.from(first);
            if present == 0 {
                return None;
            }
            first += present.trailing_zeros();
        }
        (first < until).then_some(first)
    }
    /// How many ordinals of the key are in the set.
    pub fn count(&self, key: KeyId) -> u32 {
        let near = self.near[to_usize(key.0)];
        let far = self.holes.get(key.0).map_or(0, Holes::len);
        near.base - far + near.present.count_ones()
    }
}

/// Adds identities up to the first that is out of order, which it returns.
#[inline]
fn insert_in_order(near: &mut [Near], identities: &mut impl Iterator<Item = (KeyId, u32)>) -> Option<(KeyId, u32)> {
    identities.find(|&(key, ordinal)| {
        let near = &mut near[to_usize(key.0)];
        if ordinal != near.next || near.base != near.next {
            return true;
        }
        (near.base, near.next) = (ordinal + 1, ordinal + 1);
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
                    if let Some(window) = compact.window(KeyId(key), ordinal) {
                        for bit in 0..64 {
                            prop_assert_eq!(window >> bit & 1 > 0, plain.contains(&(key, ordinal + bit)));
                        }
                    }
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
