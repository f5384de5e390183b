//! Totals of an application beyond those that every reader has.

use crate::engine::time::SimTime;
use crate::observe::fact::{ApplicationChange, LeaseTaking};

/// What only an application does.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ApplicationCounts {
    /// Batches that it skipped since its code threw (KDS-KCL-34).
    pub batches_skipped: u64,
    /// Records in these.
    pub records_skipped: u64,
    /// Batches that died with the worker that processed them.
    pub batches_abandoned: u64,
    /// Leases that nobody had owned before a worker took them.
    pub leases_new: u64,
    /// Leases taken over since their owner no longer renewed them (KDS-KCL-05).
    pub leases_failed_over: u64,
    /// Leases moved from one living worker to another.
    pub leases_moved: u64,
    /// When a lease was taken over for the first time.
    pub first_failover_at: Option<SimTime>,
    /// GetShardIterator calls, refused ones included.
    pub iterators: u64,
    /// GetShardIterator calls refused (KDS-R-17).
    pub iterators_throttled: u64,
    /// GetRecords refused for an iterator that was too old (KDS-R-05).
    pub iterators_expired: u64,
}

impl ApplicationCounts {
    /// Leases that workers came to own, for whatever reason.
    pub const fn leases_taken(&self) -> u64 {
        self.leases_new + self.leases_failed_over + self.leases_moved
    }
    /// Takes note of a change.
    pub(super) fn note(&mut self, now: SimTime, change: ApplicationChange) {
        match change {
            ApplicationChange::IteratorAnswered { throttled, .. } => {
                self.iterators += 1;
                self.iterators_throttled += u64::from(throttled);
            }
            ApplicationChange::IteratorExpired { .. } => self.iterators_expired += 1,
            ApplicationChange::LeaseTaken { how, .. } => match how {
                LeaseTaking::New => self.leases_new += 1,
                LeaseTaking::Moved => self.leases_moved += 1,
                LeaseTaking::Expired => {
                    self.leases_failed_over += 1;
                    self.first_failover_at.get_or_insert(now);
                }
            },
            ApplicationChange::BatchSkipped { records, .. } => {
                self.batches_skipped += 1;
                self.records_skipped += u64::from(records);
            }
            ApplicationChange::BatchAbandoned { .. } => self.batches_abandoned += 1,
            ApplicationChange::ReadingBegan { .. }
            | ApplicationChange::LeaseLost { .. }
            | ApplicationChange::LeaseTableUsed { .. } => {}
        }
    }
}
