//! What bits cannot tell of a key: holes far below its highest ordinal, who opened them, and what nobody expects any more.

use crate::engine::time::SimTime;
use crate::observe::holes::Holes;
use crate::record::Record;
use std::collections::VecDeque;

/// What is exceptional about a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Exceptions {
    /// Ordinals below the highest that have not taken effect.
    pub(super) holes: Holes,
    /// Ordinals above the highest that nobody expects any more, since their client gave them up: disjoint, ascending.
    pub(super) excused: VecDeque<(u32, u32)>,
    /// The last batch that opened holes, and the lowest ordinal of these.
    pub(super) opened_last: (u32, u32),
    /// The records that opened the holes, ascending, as long as the first case of a late record is not known.
    pub(super) openers: VecDeque<Overtaker>,
    /// Openers to keep before those whose holes are all filled are looked for.
    pub(super) openers_kept: usize,
}

/// The first later record of a key that took effect before a record that was missing then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Overtaker {
    pub(in super::super) ordinal: u32,
    pub(in super::super) created_at: SimTime,
    pub(in super::super) arrived_at: SimTime,
    pub(in super::super) delivered_at: SimTime,
}

impl Overtaker {
    pub(super) const fn new(record: &Record, delivered_at: SimTime) -> Self {
        Self {
            ordinal: record.ordinal,
            created_at: record.created_at,
            arrived_at: record.arrived_at,
            delivered_at,
        }
    }
}

impl Exceptions {
    /// Opens holes for `from..until`, less what is excused there, and forgets the excuses that are thereby used.
    pub(super) fn open(&mut self, mut from: u32, until: u32, mut opened: impl FnMut(u32, u32)) {
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
    pub(super) fn keep_opener(&mut self, opener: Overtaker) {
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
    pub(super) fn opener_of(&self, ordinal: u32) -> Option<Overtaker> {
        let at = self.openers.partition_point(|opener| opener.ordinal < ordinal);
        self.openers.get(at).copied()
    }
    /// Notes an excuse ahead of the highest ordinal.
    pub(super) fn excuse(&mut self, ordinal: u32) {
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
