//! A place where effects complete, and what has taken effect there: one number a key, and holes where order failed.

mod exceptions;
mod near;

use super::AnomalyCounts;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::observe::holes::Filled;
use crate::observe::ordinals::{Ordinals, Stretch, between};
use crate::observe::sparse::Sparse;
use crate::observe::verdict::Anomaly;
use crate::record::{KeyId, Record};
use core::cmp::Ordering as Order;
use exceptions::Exceptions;
pub(super) use exceptions::Overtaker;
use near::Near;
use std::collections::VecDeque;

/// What has taken effect at one place. Memory: 32 bytes a key, and what is missing far below each key's highest ordinal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Point {
    /// By key: the ordinal after the highest that has taken effect.
    next: Vec<u32>,
    /// By key: what is missing shortly below.
    near: Vec<Near>,
    /// What bits cannot tell.
    exceptions: Sparse<Exceptions>,
    batches: u64,
    records: u64,
    cases: AnomalyCounts,
    /// What takes effect now replaces itself.
    rewrites: bool,
    rewritten: u64,
}

/// A record that did not simply follow its predecessor: the first case of its kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Irregular {
    /// It took effect before.
    Again,
    /// It comes after a later one.
    Late {
        /// The later one.
        overtaker: Option<Overtaker>,
        /// Both are in this batch.
        same_batch: bool,
    },
    /// It passes over stored records.
    Skipping {
        /// The first of them.
        first: Option<u32>,
    },
    /// No stream has ever accepted it: a bug of the model.
    NeverAccepted,
}

/// A batch that has just taken effect.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effect<'e> {
    pub(super) now: SimTime,
    pub(super) records: &'e [Record],
    /// What streams have stored.
    pub(super) accepted: &'e Ordinals,
}

impl Point {
    pub(super) fn new(keys: usize) -> Self {
        Self {
            next: vec![0; keys],
            near: vec![Near::default(); keys],
            exceptions: Sparse::new(keys),
            ..Self::default()
        }
    }
    /// Anomalies so far.
    pub(super) const fn cases(&self) -> &AnomalyCounts {
        &self.cases
    }
    /// Deliveries so far, repeated ones included.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Records that replaced themselves when they were written again, as an idempotent sink has it.
    pub(super) const fn rewritten(&self) -> u64 {
        self.rewritten
    }
    /// Whether a record of the effects to come replaces itself if it has taken effect before.
    #[inline]
    pub(super) const fn set_rewrites(&mut self, rewrites: bool) {
        self.rewrites = rewrites;
    }

    /// Takes a batch whose records have just taken effect, and reports the first irregular one of each kind.
    #[inline]
    pub(super) fn deliver<'e>(&mut self, effect: Effect<'e>, mut report: impl FnMut(Irregular, &'e Record)) {
        self.batches += 1;
        self.records += u64::from(to_u32(effect.records.len()));
        let (mut records, mut stretch) = (effect.records, Stretch::default());
        let (batch, mut known) = (number(self.batches), self.knows_both());
        while let Some(at) = deliver_in_order(&mut self.next, effect.accepted.ends(), records) {
            let (some, rest) = records[at..].split_at(stretch.after(at).min(records.len() - at));
            for record in some {
                if !(known && self.deliver_near(&effect, record, batch))
                    && let Some(irregular) = self.deliver_far(&effect, record, batch)
                {
                    report(irregular, record);
                    known = self.knows_both();
                }
            }
            records = rest;
        }
    }

    /// Whether the first record is known that passed over others, and the first that came after one that did.
    const fn knows_both(&self) -> bool {
        self.cases.of(Anomaly::NonmonotonicExternal) > 0 && self.cases.of(Anomaly::Skip) > 0
    }

    /// Takes a record below which everything is stored, as nearly all are, wherever it stands, so that nothing has to be
    /// predicted. False if it needs a closer look.
    #[inline]
    fn deliver_near(&mut self, effect: &Effect<'_>, record: &Record, batch: u32) -> bool {
        let (at, ordinal) = (to_usize(record.key.0), record.ordinal);
        let (next, near) = (&mut self.next[at], &mut self.near[at]);
        let base = if near.missing == 0 { *next } else { near.base };
        let (place, height) = (ordinal.wrapping_sub(base), next.wrapping_sub(base));
        if (place | height) >= u64::BITS || ordinal >= effect.accepted.floor(record.key) {
            return false;
        }
        let (bit, late) = (1 << place, place < height);
        if late && near.missing & bit == 0 {
            return false;
        }
        // What it passes over is stored, and becomes missing.
        let skipped = ordinal.saturating_sub(*next);
        let same_batch = near.opened_in == batch && ordinal >= near.opened_from;
        if late && same_batch && self.cases.of(Anomaly::NonmonotonicInternal) == 0 {
            return false;
        }
        let (internal, external) = (u64::from(late && same_batch), u64::from(late && !same_batch));
        let opens = skipped > 0 && near.opened_in != batch;
        near.opened_in = if opens { batch } else { near.opened_in };
        near.opened_from = if opens { *next } else { near.opened_from };
        near.missing = (near.missing | between(height, bit)) & !bit;
        near.base = base;
        *next = (*next).max(ordinal + 1);
        self.cases.add(Anomaly::Skip, u64::from(skipped));
        self.cases.add(Anomaly::NonmonotonicInternal, internal);
        self.cases.add(Anomaly::NonmonotonicExternal, external);
        true
    }

    /// Takes a record that bits tell enough about. False if it needs a closer look.
    fn deliver_amid(&mut self, effect: &Effect<'_>, record: &Record, batch: u32) -> bool {
        let at = to_usize(record.key.0);
        let (next, near) = (&mut self.next[at], &mut self.near[at]);
        let (missing, base) = near.tidied(*next);
        let place = record.ordinal.wrapping_sub(base);
        let Some(stored) = effect.accepted.window(record.key, base).filter(|_| place < u64::BITS) else {
            return false;
        };
        let (bit, height) = (1 << place, *next - base);
        let beyond = u64::MAX.unbounded_shl(height);
        if (missing | beyond) & stored & bit == 0 {
            return false;
        }
        let opened = beyond & (bit - 1);
        let skipped = u64::from((opened & stored).count_ones());
        let late = place < height;
        let same_batch = near.opened_in == batch && record.ordinal >= near.opened_from;
        let (internal, external) = (u64::from(late && same_batch), u64::from(late && !same_batch));
        let cases = &self.cases;
        // The first case of each kind has a witness, and until one is late, whoever overtakes is remembered.
        if cases.of(Anomaly::NonmonotonicExternal) == 0
            || internal > cases.of(Anomaly::NonmonotonicInternal)
            || (skipped > 0 && cases.of(Anomaly::Skip) == 0)
        {
            return false;
        }
        if opened != 0 && near.opened_in != batch {
            (near.opened_in, near.opened_from) = (batch, *next);
        }
        (near.missing, near.base) = ((missing | opened) & !bit, base);
        *next = (*next).max(record.ordinal + 1);
        self.cases.add(Anomaly::Skip, skipped);
        self.cases.add(Anomaly::NonmonotonicInternal, internal);
        self.cases.add(Anomaly::NonmonotonicExternal, external);
        true
    }

    /// Takes a record by the exceptions of its key.
    #[inline(never)]
    fn deliver_far(&mut self, effect: &Effect<'_>, record: &Record, batch: u32) -> Option<Irregular> {
        if self.deliver_amid(effect, record, batch) {
            return None;
        }
        if !effect.accepted.contains(record.key, record.ordinal) {
            return Some(Irregular::NeverAccepted);
        }
        let at = to_usize(record.key.0);
        let (next, near) = (self.next[at], self.near[at]);
        let order = record.ordinal.cmp(&next);
        if order == Order::Equal {
            self.next[at] += 1;
            return None;
        }
        if order == Order::Less && !near.is_exceptional() && near.bit_of(record.ordinal) == 0 {
            let far = self.exceptions.get(record.key.0);
            if !far.is_some_and(|exceptions| exceptions.holes.contains(record.ordinal)) {
                return self.again();
            }
        }
        let made = self.make_exceptional(record.key);
        let irregular = if order == Order::Less {
            self.late(effect, record)
        } else {
            self.ahead(effect, record)
        };
        if made {
            self.tidy(record.key);
        }
        self.settle(record.key);
        irregular
    }

    /// Lets bits tell again what is missing shortly below the highest ordinal of a key. What is missing further below stays
    /// with its exceptions; while something is excused, or somebody may be asked for who overtook, all of it does.
    fn settle(&mut self, key: KeyId) {
        let at = to_usize(key.0);
        if !self.near[at].is_exceptional() || !self.knows_both() {
            return;
        }
        let Some(exceptions) = self.exceptions.get_mut(key.0) else {
            return;
        };
        if !exceptions.excused.is_empty() {
            return;
        }
        let next = self.next[at];
        let base = next.saturating_sub(SETTLED);
        let missing = (base..next).filter(|&ordinal| exceptions.holes.fill(ordinal) != Filled::Nothing);
        let missing = missing.fold(0, |bits, ordinal| bits | 1 << (ordinal - base));
        exceptions.holes.tidy();
        let (opened_in, opened_from) = exceptions.opened_last;
        self.tidy(key);
        self.near[at] = Near {
            missing,
            base,
            opened_in,
            opened_from,
        };
    }

    /// From here on the exceptions of a key tell what its bits told, until there are none. False if they did already.
    fn make_exceptional(&mut self, key: KeyId) -> bool {
        let near = &mut self.near[to_usize(key.0)];
        if near.is_exceptional() {
            return false;
        }
        let exceptions = self.exceptions.obtain(key.0);
        while let Some(first) = near.first() {
            let from = first - near.base;
            let until = from + (near.missing >> from).trailing_ones();
            near.missing &= u64::MAX.unbounded_shl(until);
            exceptions.holes.open(first, near.base + until);
        }
        exceptions.opened_last = (near.opened_in, near.opened_from);
        *near = Near::exceptional();
        true
    }

    #[inline(never)]
    fn ahead(&mut self, effect: &Effect<'_>, record: &Record) -> Option<Irregular> {
        let (key, until) = (record.key, record.ordinal);
        let from = core::mem::replace(&mut self.next[to_usize(key.0)], until + 1);
        let exceptions = self.exceptions.obtain(key.0);
        let before = exceptions.holes.len();
        let (mut skipped, mut first) = (0, None);
        exceptions.open(from, until, |from, until| {
            skipped += until - from - effect.accepted.missing_within(key, from, until);
            if skipped > 0 && self.cases.of(Anomaly::Skip) == 0 {
                first = first.or_else(|| effect.accepted.first_within(key, from, until));
            }
        });
        if exceptions.holes.len() > before {
            let batch = number(self.batches);
            if exceptions.opened_last.0 != batch {
                exceptions.opened_last = (batch, from);
            }
            if self.cases.of(Anomaly::NonmonotonicExternal) == 0 {
                exceptions.keep_opener(Overtaker::new(record, effect.now));
            }
        } else {
            self.tidy(key);
        }
        let first_case = skipped > 0 && self.cases.add(Anomaly::Skip, u64::from(skipped)) == 0;
        first_case.then_some(Irregular::Skipping { first })
    }

    #[inline(never)]
    fn late(&mut self, effect: &Effect<'_>, record: &Record) -> Option<Irregular> {
        let Some(exceptions) = self.exceptions.get_mut(record.key.0) else {
            return self.again();
        };
        let filled = exceptions.holes.fill(record.ordinal);
        if filled == Filled::Nothing {
            return self.again();
        }
        let (batch, lowest) = exceptions.opened_last;
        let same_batch = batch == number(self.batches) && record.ordinal >= lowest;
        let anomaly = if same_batch {
            Anomaly::NonmonotonicInternal
        } else {
            Anomaly::NonmonotonicExternal
        };
        if self.cases.add(anomaly, 1) == 0 {
            return Some(self.first_late(effect, record, same_batch));
        }
        if filled == Filled::Word {
            self.tidy(record.key);
        }
        None
    }

    #[inline(never)]
    fn again(&mut self) -> Option<Irregular> {
        if self.rewrites {
            self.rewritten += 1;
            return None;
        }
        (self.cases.add(Anomaly::Duplicate, 1) == 0).then_some(Irregular::Again)
    }

    /// Finds out who overtook the first late record of its kind.
    #[cold]
    #[inline(never)]
    fn first_late(&mut self, effect: &Effect<'_>, record: &Record, same_batch: bool) -> Irregular {
        let overtaker = if same_batch {
            effect.first_later(record)
        } else {
            let exceptions = self.exceptions.get(record.key.0);
            exceptions.and_then(|exceptions| exceptions.opener_of(record.ordinal))
        };
        if !same_batch {
            // Nobody asks again.
            for exceptions in self.exceptions.values_mut() {
                exceptions.openers = VecDeque::new();
            }
        }
        self.tidy(record.key);
        Irregular::Late { overtaker, same_batch }
    }

    /// Stops waiting for a record that was given up and is not stored.
    #[inline(never)]
    pub(super) fn excuse(&mut self, key: KeyId, ordinal: u32) {
        let at = to_usize(key.0);
        let next = self.next[at];
        if ordinal > next {
            self.make_exceptional(key);
            self.exceptions.obtain(key.0).excuse(ordinal);
        } else if ordinal == next {
            self.next[at] += 1;
        } else if !self.near[at].is_exceptional() {
            let near = &mut self.near[at];
            let bit = near.bit_of(ordinal);
            near.missing &= !bit;
            if bit == 0 && self.exceptions.get(key.0).is_some() {
                self.make_exceptional(key);
                self.excuse(key, ordinal);
                self.settle(key);
            }
        } else if let Some(exceptions) = self.exceptions.get_mut(key.0)
            && exceptions.holes.fill(ordinal) == Filled::Word
        {
            self.tidy(key);
        }
    }

    /// Gives back what is kept for a key if it has no exceptions any more.
    #[inline(never)]
    fn tidy(&mut self, key: KeyId) {
        if let Some(exceptions) = self.exceptions.get_mut(key.0) {
            exceptions.holes.tidy();
            if exceptions.holes.is_empty() && exceptions.excused.is_empty() {
                exceptions.opened_last = (0, 0);
                exceptions.openers.clear();
                exceptions.openers_kept = 0;
                self.exceptions.release(key.0);
                self.near[to_usize(key.0)] = Near::default();
            }
        }
    }

    /// How many ordinals of the key have taken effect or are excused.
    pub(super) fn count(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        let near = self.near[to_usize(key.0)];
        let next = next
            - if near.is_exceptional() {
                0
            } else {
                near.missing.count_ones()
            };
        let Some(exceptions) = self.exceptions.get(key.0) else {
            return next;
        };
        let excused: u32 = exceptions
            .excused
            .iter()
            .map(|&(from, until)| until.saturating_sub(from.max(next)))
            .sum();
        next - exceptions.holes.len() + excused
    }
    /// The key's lowest ordinal that has neither taken effect nor been excused.
    pub(super) fn first_missing(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        let Some(exceptions) = self.exceptions.get(key.0) else {
            return self.near[to_usize(key.0)].first().unwrap_or(next);
        };
        match (exceptions.holes.first_missing(), exceptions.excused.front()) {
            (Some(missing), _) => missing,
            (None, Some(&(from, until))) if from == next => until,
            (None, _) => next,
        }
    }
    /// Exceptions kept: what memory beyond the keys goes to.
    #[cfg(test)]
    pub(super) fn ranges(&self) -> usize {
        self.exceptions
            .values()
            .iter()
            .map(|exceptions| to_usize(exceptions.holes.len()) + exceptions.excused.len() + exceptions.openers.len())
            .chain(
                self.near
                    .iter()
                    .filter(|near| !near.is_exceptional())
                    .map(|near| to_usize(near.missing.count_ones())),
            )
            .sum()
    }
}

/// Ordinals below the highest of a key of which bits tell when they begin to: some of the bits are for those to come.
const SETTLED: u32 = 40;

/// The number of a batch, short. Numbers that are 2^32 apart are never compared: no hole of a key is open for so long.
fn number(batch: u64) -> u32 {
    u32::try_from(batch & u64::from(u32::MAX)).unwrap_or(0)
}

/// Takes records up to the first that does not simply follow its predecessor, and returns where that stands.
#[inline]
fn deliver_in_order(next: &mut [u32], accepted: &[u32], records: &[Record]) -> Option<usize> {
    let accepted = &accepted[..next.len()];
    records.iter().position(|record| {
        let key = to_usize(record.key.0);
        let next = &mut next[key];
        if record.ordinal != *next || record.ordinal >= accepted[key] {
            return true;
        }
        *next += 1;
        false
    })
}

impl Effect<'_> {
    /// The first record of the batch that is later than one of its key which was overtaken within the batch.
    #[cold]
    fn first_later(&self, late: &Record) -> Option<Overtaker> {
        self.records
            .iter()
            .find(|record| {
                record.key == late.key
                    && record.ordinal > late.ordinal
                    && self.accepted.contains(record.key, record.ordinal)
            })
            .map(|record| Overtaker::new(record, self.now))
    }
}
