//! Totals of an application beyond those that every reader has.

use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::observe::fact::{Fact, LeaseTaking};

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
    /// Takes note of a fact about the application.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the totals of all readers have sorted the facts, exhaustively"
    )]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::ShardIteratorHandled { throttled, .. } => {
                self.iterators += 1;
                self.iterators_throttled += u64::from(throttled);
            }
            Fact::IteratorExpired { .. } => self.iterators_expired += 1,
            Fact::LeaseTaken { how, .. } => match how {
                LeaseTaking::New => self.leases_new += 1,
                LeaseTaking::Moved => self.leases_moved += 1,
                LeaseTaking::Expired => {
                    self.leases_failed_over += 1;
                    self.first_failover_at.get_or_insert(now);
                }
            },
            Fact::BatchSkipped { records, .. } => {
                self.batches_skipped += 1;
                self.records_skipped += u64::from(to_u32(records.len()));
            }
            Fact::BatchAbandoned { .. } => self.batches_abandoned += 1,
            _ => {}
        }
    }
}
