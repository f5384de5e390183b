//! The line in front of a sink: first come, first served, so many records per time.

use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};

/// Work is counted in billionths of a record, so that a write in service keeps its progress when the capacity changes.
pub(super) const WORK_PER_RECORD: u128 = 1_000_000_000;

/// A single line with a capacity. Instants are rounded down to whole nanoseconds, and what is cut off is carried over:
/// however long the line is busy, it is never off by a nanosecond.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// `None`: nobody waits for capacity.
    capacity: Option<Rate>,
    /// Everything that stands in line has been served at this instant; `NEVER` when there is no capacity at all.
    free_at: SimTime,
    /// The part of a nanosecond that `free_at` lacks, in units of 1 / (records of the rate x [`WORK_PER_RECORD`]).
    carry: u128,
}

impl Line {
    pub(super) const fn new(capacity: Option<Rate>) -> Self {
        Self {
            capacity,
            free_at: SimTime::ZERO,
            carry: 0,
        }
    }
    pub(super) const fn capacity(&self) -> Option<Rate> {
        self.capacity
    }
    /// Puts work into the line, which a time of its own goes before, and returns the instant at which it has been served.
    #[inline]
    pub(super) fn join(&mut self, now: SimTime, start_up: SimDuration, work: u128) -> SimTime {
        if now > self.free_at {
            self.free_at = now;
            self.carry = 0;
        }
        self.free_at = self.free_at.saturating_add(start_up);
        let Some(rate) = self.capacity else {
            return self.free_at;
        };
        if rate.is_zero() {
            self.free_at = SimTime::NEVER;
            return self.free_at;
        }
        let unit = u128::from(rate.count) * WORK_PER_RECORD;
        let total = work
            .saturating_mul(u128::from(rate.per.as_nanos()))
            .saturating_add(self.carry);
        self.carry = total % unit;
        let span = u64::try_from(total / unit).map_or(SimDuration::MAX, SimDuration::from_nanos);
        self.free_at = self.free_at.saturating_add(span);
        self.free_at
    }
    /// The line stands still from `from` to `until`: whoever is in it, or joins, is served so much later.
    pub(super) fn stand_still(&mut self, from: SimTime, until: SimTime) {
        if self.free_at > from {
            self.free_at = self.free_at.saturating_add(until.since(from));
        } else {
            self.free_at = until;
            self.carry = 0;
        }
    }
    /// Empties the line and gives it another capacity from `from` on; whoever was in it must join again.
    pub(super) const fn restart(&mut self, from: SimTime, capacity: Option<Rate>) {
        *self = Self {
            capacity,
            free_at: from,
            carry: 0,
        };
    }
    /// How much of `work` is left at `now`, when it is in service until `served_at`.
    pub(super) fn left(&self, now: SimTime, served_at: SimTime, work: u128) -> u128 {
        match self.capacity {
            Some(rate) if !rate.is_zero() => {
                let unit = u128::from(rate.count) * WORK_PER_RECORD;
                let left = u128::from(served_at.since(now).as_nanos()).saturating_mul(unit);
                work.min(left / u128::from(rate.per.as_nanos()).max(1))
            }
            Some(_) | None => work,
        }
    }
}
