//! Little's law in integers: an integral over time on one side, a sum of individual times on the other.

use super::{Component, Conservation, FunctionId, Ledger, Term};
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::sums::Entries;
use std::collections::VecDeque;

/// A population over time and its integral, in individuals x nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Integral {
    population: u64,
    since: u64,
    area: u128,
}

impl Integral {
    /// The integral up to now.
    #[inline]
    pub(super) fn until(&self, now: SimTime) -> u128 {
        self.area + u128::from(self.population) * u128::from(now.as_nanos() - self.since)
    }
    /// Changes the population now.
    #[inline]
    pub(super) fn step(&mut self, now: SimTime, change: impl FnOnce(u64) -> u64) {
        self.area = self.until(now);
        self.since = now.as_nanos();
        self.population = change(self.population);
    }
    pub(super) const fn population(&self) -> u64 {
        self.population
    }
}

/// Invocations of one function.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Invocations {
    concurrency: Integral,
    /// Cold start and handler times of those that ended.
    ended_nanos: u128,
    /// Starts of those that run, ascending.
    starts: VecDeque<u64>,
    /// Sum of these.
    starts_sum: u128,
}

impl Invocations {
    pub(super) fn start(&mut self, now: SimTime) -> u64 {
        self.concurrency.step(now, |running| running + 1);
        self.starts.push_back(now.as_nanos());
        self.starts_sum += u128::from(now.as_nanos());
        self.concurrency.population()
    }
    /// Ends one that took so long; `None` if none began at that instant.
    pub(super) fn end(&mut self, now: SimTime, took: SimDuration) -> Option<u64> {
        let began = now.as_nanos().checked_sub(took.as_nanos())?;
        let at = self.starts.binary_search(&began).ok()?;
        self.starts.remove(at);
        self.starts_sum -= u128::from(began);
        self.ended_nanos += u128::from(took.as_nanos());
        self.concurrency.step(now, |running| running - 1);
        Some(self.concurrency.population())
    }
    /// The integral of concurrency; the times of those that ended; the times so far of those that run.
    pub(super) fn sides(&self, now: SimTime) -> (u128, u128, u128) {
        let running = u128::from(crate::engine::index::to_u32(self.starts.len()));
        let so_far = running * u128::from(now.as_nanos()) - self.starts_sum;
        (self.concurrency.until(now), self.ended_nanos, so_far)
    }
}

/// Records that entered a place: how many, and the sum of the instants at which they did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Arrivals {
    pub(super) records: u64,
    pub(super) instants: u128,
}

impl Arrivals {
    /// Those of the entries that were stored.
    pub(super) const fn of(entries: &Entries) -> Self {
        Self {
            records: entries.stored,
            instants: entries.instants,
        }
    }
    /// Time that these records have spent there by now; negative where arrivals lie in the future.
    pub(super) fn time_until(&self, now: SimTime) -> i128 {
        signed(u128::from(self.records) * u128::from(now.as_nanos())) - signed(self.instants)
    }
    pub(super) fn add(&mut self, other: Self) {
        self.records += other.records;
        self.instants += other.instants;
    }
    /// These without others that are among them.
    pub(super) fn without(&self, other: Self) -> Option<Self> {
        Some(Self {
            records: self.records.checked_sub(other.records)?,
            instants: self.instants.checked_sub(other.instants)?,
        })
    }
}

/// Areas stay far below 2^127: 10^12 records for a year are 2^95 record nanoseconds.
pub(super) fn signed(area: u128) -> i128 {
    i128::try_from(area).unwrap_or(i128::MAX)
}

impl Conservation {
    #[cold]
    pub(super) fn no_such_start(&mut self, now: SimTime, function: FunctionId, took: u64) {
        self.violate(
            now,
            Ledger::Identity,
            &[Component::Function(function)],
            vec![Term::new("cold start and duration, in nanoseconds", took)],
            vec![Term::new("now, in nanoseconds", now.as_nanos())],
            self.culprit("No invocation in progress began so long ago.", None),
        );
    }
}
