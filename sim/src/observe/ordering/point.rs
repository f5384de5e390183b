//! A place where effects complete, and what has taken effect there: one number a key, and gaps where order failed.

use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::observe::ordinals::Ordinals;
use crate::observe::sparse::Sparse;
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
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Exceptions {
    /// Ordinals below the highest that have not taken effect: disjoint, ascending.
    gaps: VecDeque<Gap>,
    /// Ordinals above the highest that nobody expects any more, since their client gave them up: disjoint, ascending.
    excused: VecDeque<(u32, u32)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Gap {
    from: u32,
    until: u32,
    opened_by: Overtaker,
}

/// The first later record of a key that took effect before the records of a gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Overtaker {
    pub(super) batch: u64,
    pub(super) ordinal: u32,
    pub(super) created_at: SimTime,
    pub(super) arrived_at: SimTime,
    pub(super) delivered_at: SimTime,
}

/// A record that did not simply follow its predecessor.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Irregular {
    /// It took effect before.
    Again,
    /// It comes after a later one.
    Late {
        /// The later one.
        overtaker: Overtaker,
        /// Both are in this batch.
        same_batch: bool,
    },
    /// It passes over so many stored records, of which this is the first.
    Skipping {
        /// Stored records passed over.
        count: u32,
        /// The first of them.
        first: u32,
    },
    /// No stream has ever accepted it: a bug of the model.
    NeverAccepted,
}

impl Point {
    pub(super) fn new(keys: usize) -> Self {
        Self {
            next: vec![0; keys],
            exceptions: Sparse::new(keys),
            ..Self::default()
        }
    }
    /// Deliveries so far, repeated ones included.
    pub(super) const fn records(&self) -> u64 {
        self.records
    }

    /// Takes a batch whose records have just taken effect, and reports each irregular one.
    #[inline]
    pub(super) fn deliver<'r>(
        &mut self,
        now: SimTime,
        records: &'r [Record],
        accepted: &Ordinals,
        mut report: impl FnMut(Irregular, &'r Record),
    ) {
        self.batches += 1;
        for record in records {
            self.records += 1;
            let next = &mut self.next[to_usize(record.key.0)];
            if record.ordinal == *next && record.ordinal < accepted.next(record.key) {
                *next += 1;
            } else if let Some(irregular) = self.out_of_order(now, record, accepted) {
                report(irregular, record);
            }
        }
    }

    #[inline(never)]
    fn out_of_order(&mut self, now: SimTime, record: &Record, accepted: &Ordinals) -> Option<Irregular> {
        if !accepted.contains(record.key, record.ordinal) {
            return Some(Irregular::NeverAccepted);
        }
        let next = &mut self.next[to_usize(record.key.0)];
        if record.ordinal < *next {
            return Some(self.overtaken(record));
        }
        let (from, until) = (*next, record.ordinal);
        *next = until + 1;
        let opened_by = Overtaker {
            batch: self.batches,
            ordinal: record.ordinal,
            created_at: record.created_at,
            arrived_at: record.arrived_at,
            delivered_at: now,
        };
        let exceptions = self.exceptions.obtain(record.key.0);
        let (mut count, mut first) = (0, None);
        exceptions.open(from, until, |from, until| {
            let missing = accepted.missing_within(record.key, from, until);
            count += until - from - missing;
            if first.is_none() {
                first = accepted.first_within(record.key, from, until);
            }
            Gap { from, until, opened_by }
        });
        if exceptions.is_empty() {
            self.exceptions.release(record.key.0);
        }
        first.map(|first| Irregular::Skipping { count, first })
    }

    fn overtaken(&mut self, record: &Record) -> Irregular {
        let Some(exceptions) = self.exceptions.get_mut(record.key.0) else {
            return Irregular::Again;
        };
        let Some(gap) = exceptions.close(record.ordinal) else {
            return Irregular::Again;
        };
        if exceptions.is_empty() {
            self.exceptions.release(record.key.0);
        }
        Irregular::Late {
            overtaker: gap.opened_by,
            same_batch: gap.opened_by.batch == self.batches,
        }
    }

    /// Stops waiting for a record that was given up and is not stored.
    pub(super) fn excuse(&mut self, key: KeyId, ordinal: u32) {
        let next = &mut self.next[to_usize(key.0)];
        if ordinal == *next {
            *next += 1;
            return;
        }
        let exceptions = self.exceptions.obtain(key.0);
        if ordinal < *next {
            exceptions.close(ordinal);
        } else {
            exceptions.excuse(ordinal);
        }
        if exceptions.is_empty() {
            self.exceptions.release(key.0);
        }
    }

    /// How many ordinals of the key have taken effect or are excused.
    pub(super) fn count(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        self.exceptions.get(key.0).map_or(next, |exceptions| {
            let gaps: u32 = exceptions.gaps.iter().map(|gap| gap.until - gap.from).sum();
            let excused: u32 = exceptions
                .excused
                .iter()
                .map(|&(from, until)| until.saturating_sub(from.max(next)))
                .sum();
            next - gaps + excused
        })
    }
    /// The key's lowest ordinal that has neither taken effect nor been excused.
    pub(super) fn first_missing(&self, key: KeyId) -> u32 {
        let next = self.next[to_usize(key.0)];
        let Some(exceptions) = self.exceptions.get(key.0) else {
            return next;
        };
        match (exceptions.gaps.front(), exceptions.excused.front()) {
            (Some(gap), _) => gap.from,
            (None, Some(&(from, until))) if from == next => until,
            (None, _) => next,
        }
    }
    /// Ranges kept for exceptions: what memory beyond the keys goes to.
    #[cfg(test)]
    pub(super) fn ranges(&self) -> usize {
        self.exceptions
            .values()
            .iter()
            .map(|exceptions| exceptions.gaps.len() + exceptions.excused.len())
            .sum()
    }
}

impl Exceptions {
    fn is_empty(&self) -> bool {
        self.gaps.is_empty() && self.excused.is_empty()
    }
    /// Opens gaps for `from..until`, less what is excused there, and forgets the excuses that are thereby used.
    fn open(&mut self, mut from: u32, until: u32, mut gap: impl FnMut(u32, u32) -> Gap) {
        while let Some(&(start, end)) = self.excused.front() {
            if start >= until {
                break;
            }
            if start > from {
                self.gaps.push_back(gap(from, start));
            }
            from = from.max(end);
            self.excused.pop_front();
            // An excused record that was stored after all and has now come cuts its range in two.
            if end > until + 1 {
                self.excused.push_front((until + 1, end));
            }
        }
        if from < until {
            self.gaps.push_back(gap(from, until));
        }
    }
    /// Takes a number out of the gap that it is in.
    fn close(&mut self, ordinal: u32) -> Option<Gap> {
        let at = self.gaps.partition_point(|gap| gap.until <= ordinal);
        let gap = self.gaps.get_mut(at).filter(|gap| gap.from <= ordinal)?;
        let found = *gap;
        match (found.from == ordinal, found.until == ordinal + 1) {
            (true, true) => {
                self.gaps.remove(at);
            }
            (true, false) => gap.from = ordinal + 1,
            (false, true) => gap.until = ordinal,
            (false, false) => {
                gap.until = ordinal;
                self.gaps.insert(
                    at + 1,
                    Gap {
                        from: ordinal + 1,
                        ..found
                    },
                );
            }
        }
        Some(found)
    }
    /// Notes an excuse ahead of the highest ordinal.
    fn excuse(&mut self, ordinal: u32) {
        let at = self.excused.partition_point(|&(_, end)| end < ordinal);
        match self.excused.get_mut(at) {
            Some(range) if range.1 == ordinal => range.1 += 1,
            Some(range) if range.0 == ordinal + 1 => range.0 = ordinal,
            Some(range) if range.0 <= ordinal && ordinal < range.1 => {}
            Some(_) | None => self.excused.insert(at, (ordinal, ordinal + 1)),
        }
    }
}
