//! A place where effects complete, and what has taken effect there: one number a key, and holes where order failed.

use super::AnomalyCounts;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::observe::holes::{Filled, Holes};
use crate::observe::ordinals::Ordinals;
use crate::observe::sparse::Sparse;
use crate::observe::verdict::Anomaly;
use crate::record::{KeyId, Record};
use std::collections::VecDeque;

/// What has taken effect at one place. Memory: eight bytes a key, and what is missing below each key's highest ordinal.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Point {
    /// By key: the ordinal after the highest that has taken effect.
    next: Vec<u32>,
    exceptions: Sparse<Exceptions>,
    batches: u64,
    records: u64,
    cases: AnomalyCounts,
    /// What takes effect now replaces itself.
    rewrites: bool,
    rewritten: u64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Exceptions {
    /// Ordinals below the highest that have not taken effect.
    holes: Holes,
    /// Ordinals above the highest that nobody expects any more, since their client gave them up: disjoint, ascending.
    excused: VecDeque<(u32, u32)>,
    /// The last batch that opened holes, and the lowest ordinal of these.
    opened_last: (u64, u32),
    /// The records that opened the holes, ascending, as long as the first case of a late record is not known.
    openers: VecDeque<Overtaker>,
    /// Openers to keep before those whose holes are all filled are looked for.
    openers_kept: usize,
}

/// The first later record of a key that took effect before a record that was missing then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overtaker {
    pub(super) ordinal: u32,
    pub(super) created_at: SimTime,
    pub(super) arrived_at: SimTime,
    pub(super) delivered_at: SimTime,
}

impl Overtaker {
    const fn new(record: &Record, delivered_at: SimTime) -> Self {
        Self {
            ordinal: record.ordinal,
            created_at: record.created_at,
            arrived_at: record.arrived_at,
            delivered_at,
        }
    }
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
        let mut records = effect.records.iter();
        while let Some(record) = deliver_in_order(&mut self.next, effect.accepted.ends(), &mut records) {
            let irregular = if !effect.accepted.contains(record.key, record.ordinal) {
                Some(Irregular::NeverAccepted)
            } else if record.ordinal < self.next[to_usize(record.key.0)] {
                self.late(&effect, record)
            } else {
                self.ahead(&effect, record)
            };
            if let Some(irregular) = irregular {
                report(irregular, record);
            }
        }
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
            if exceptions.opened_last.0 != self.batches {
                exceptions.opened_last = (self.batches, from);
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
        let same_batch = batch == self.batches && record.ordinal >= lowest;
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
        let next = &mut self.next[to_usize(key.0)];
        if ordinal > *next {
            return self.exceptions.obtain(key.0).excuse(ordinal);
        }
        if ordinal == *next {
            *next += 1;
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
            }
        }
    }

    /// How many ordinals of the key have taken effect or are excused.
    pub(super) fn count(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        self.exceptions.get(key.0).map_or(next, |exceptions| {
            let excused: u32 = exceptions
                .excused
                .iter()
                .map(|&(from, until)| until.saturating_sub(from.max(next)))
                .sum();
            next - exceptions.holes.len() + excused
        })
    }
    /// The key's lowest ordinal that has neither taken effect nor been excused.
    pub(super) fn first_missing(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        let Some(exceptions) = self.exceptions.get(key.0) else {
            return next;
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
            .sum()
    }
}

/// Takes records up to the first that does not simply follow its predecessor, which it returns.
#[inline]
fn deliver_in_order<'e>(
    next: &mut [u32],
    accepted: &[u32],
    records: &mut impl Iterator<Item = &'e Record>,
) -> Option<&'e Record> {
    let accepted = &accepted[..next.len()];
    records.find(|record| {
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

impl Exceptions {
    /// Opens holes for `from..until`, less what is excused there, and forgets the excuses that are thereby used.
    fn open(&mut self, mut from: u32, until: u32, mut opened: impl FnMut(u32, u32)) {
        while let Some(&(start, end)) = self.excused.front() {
            if start >= until {
                break;
            }
            if start > from {
                self.holes.open(from, start);
                opened(from, start);
            }
            from = from.max(end);
            self.excused.pop_front();
            // An excused record that was stored after all and has now come cuts its range in two.
            if end > until + 1 {
                self.excused.push_front((until + 1, end));
            }
        }
        if from < until {
            self.holes.open(from, until);
            opened(from, until);
        }
    }
    /// Remembers who opened holes. Openers whose holes have been filled are forgotten before there are twice as many.
    fn keep_opener(&mut self, opener: Overtaker) {
        if self.openers.len() >= 2 * self.openers_kept + 16 {
            let (holes, mut lowest) = (&self.holes, 0);
            self.openers.retain(|opener| {
                let from = core::mem::replace(&mut lowest, opener.ordinal);
                holes.count_within(from, opener.ordinal) > 0
            });
            self.openers_kept = self.openers.len();
        }
        self.openers.push_back(opener);
    }
    /// Who opened the hole that the ordinal was in.
    #[cold]
    fn opener_of(&self, ordinal: u32) -> Option<Overtaker> {
        let at = self.openers.partition_point(|opener| opener.ordinal < ordinal);
        self.openers.get(at).copied()
    }
    /// Notes an excuse ahead of the highest ordinal.
    fn excuse(&mut self, ordinal: u32) {
        match self.excused.back_mut() {
            Some((_, end)) if *end == ordinal => *end += 1,
            Some((_, end)) if *end > ordinal => self.excuse_between(ordinal),
            Some(_) | None => self.excused.push_back((ordinal, ordinal + 1)),
        }
    }
    #[inline(never)]
    fn excuse_between(&mut self, ordinal: u32) {
        let at = self.excused.partition_point(|&(_, end)| end < ordinal);
        match self.excused.get_mut(at) {
            Some(range) if range.1 == ordinal => range.1 += 1,
            Some(range) if range.0 == ordinal + 1 => range.0 = ordinal,
            Some(range) if range.0 <= ordinal && ordinal < range.1 => {}
            Some(_) | None => self.excused.insert(at, (ordinal, ordinal + 1)),
        }
    }
}
