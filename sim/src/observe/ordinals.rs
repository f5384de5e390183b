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

/// The bits from a place, below 64, up to another one that is given as its bit; none if that is not higher.
#[inline]
pub(super) const fn between(place: u32, bit: u64) -> u64 {
    bit.saturating_sub(1 << place)
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
    /// Adds an ordinal wherever it stands, and returns whether it was there. Nobody can predict whether it is the next one, so
    /// that makes no difference. `None` if the bits do not reach from the lowest missing one to it and to the highest.
    #[inline]
    const fn add(&mut self, next: &mut u32, ordinal: u32) -> Option<bool> {
        let base = if self.missing == 0 { *next } else { self.base };
        let (place, height) = (ordinal.wrapping_sub(base), next.wrapping_sub(base));
        if (place | height) >= u64::BITS {
            return None;
        }
        let bit = 1 << place;
        let again = place < height && self.missing & bit == 0;
        self.missing = (self.missing | between(height, bit)) & !bit;
        self.base = base;
        *next = if ordinal >= *next { ordinal + 1 } else { *next };
        Some(again)
    }
    /// Lets bits begin with one that is set. False if they did.
    #[inline]
    const fn tidy(&mut self) -> bool {
        if self.missing & 1 > 0 || self.missing == 0 {
            return false;
        }
        let filled = self.missing.trailing_zeros();
        self.missing >>= filled;
        self.base += filled;
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
    pub(super) fn insert_all<T>(&mut self, items: &[T], identity: impl Fn(&T) -> (KeyId, u32) + Copy) -> u64 {
        let (mut rest, mut again, mut stretch) = (items, 0, Stretch::default());
        while let Some(at) = insert_in_order(&mut self.next, rest, identity) {
            let (mut some, others) = rest[at..].split_at(stretch.after(at).min(rest.len() - at));
            while let Some(wide) = insert_near(&mut self.next, &mut self.near, some, identity, &mut again) {
                let (key, ordinal) = identity(&some[wide]);
                again += u64::from(self.insert_wide(key, ordinal));
                some = &some[wide + 1..];
            }
            rest = others;
        }
        again
    }
    /// Adds an ordinal to which bits did not reach. True if it was there.
    #[inline(never)]
    fn insert_wide(&mut self, key: KeyId, ordinal: u32) -> bool {
        let at = to_usize(key.0);
        let near = &mut self.near[at];
        if near.tidy()
            && let Some(again) = near.add(&mut self.next[at], ordinal)
        {
            return again;
        }
        self.insert(key, ordinal) == Inserted::Again
    }
    /// The ordinal below which everything is in the set, as far as that is known at once.
    #[inline]
    pub(super) fn floor(&self, key: KeyId) -> u32 {
        let at = to_usize(key.0);
        let near = self.near[at];
        if self.holes.get(key.0).is_some() {
            0
        } else if near.missing == 0 {
            self.next[at]
        } else {
            near.base + near.missing.trailing_zeros()
        }
    }
    /// Which of the 64 ordinals from `from` on are in the set, a bit each. `None` if that takes longer to tell.
    #[inline]
    pub(super) fn window(&self, key: KeyId, from: u32) -> Option<u64> {
        let at = to_usize(key.0);
        let near = self.near[at];
        let (below, above) = (near.base.saturating_sub(from), from.saturating_sub(near.base));
        if below > 0 && self.holes.get(key.0).is_some() {
            return None;
        }
        let missing = near.missing.unbounded_shl(below).unbounded_shr(above);
        let beyond = u64::MAX.unbounded_shl(self.next[at].saturating_sub(from));
        Some(!(missing | beyond))
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

/// Adds identities, wherever they stand, up to the first to which bits do not reach, and returns where it is.
#[inline]
fn insert_near<T>(
    next: &mut [u32],
    near: &mut [Near],
    items: &[T],
    identity: impl Fn(&T) -> (KeyId, u32),
    again: &mut u64,
) -> Option<usize> {
    let near = &mut near[..next.len()];
    let mut were_there = 0;
    let wide = items.iter().position(|item| {
        let (key, ordinal) = identity(item);
        let at = to_usize(key.0);
        let added = near[at].add(&mut next[at], ordinal);
        were_there += u64::from(added == Some(true));
        added.is_none()
    });
    *again += were_there;
    wide
}

/// Adds identities up to the first that is out of order, and returns where it is.
#[inline]
fn insert_in_order<T>(next: &mut [u32], items: &[T], identity: impl Fn(&T) -> (KeyId, u32)) -> Option<usize> {
    items.iter().position(|item| {
        let (key, ordinal) = identity(item);
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
