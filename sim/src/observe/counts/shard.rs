//! Totals of a shard, and its life.

use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::observe::fact::ShardTally;

/// Records and bytes of one whole second.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Second {
    /// Which second since the start of the run.
    pub number: u64,
    /// Records stored in it.
    pub records: u64,
    /// Bytes stored in it.
    pub bytes: u64,
}

/// Totals of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShardCounts {
    /// Entries stored.
    pub accepted: u64,
    /// Bytes stored.
    pub bytes: u64,
    /// Entries refused for throughput (KDS-W-01, KDS-W-02).
    pub throttled: u64,
    /// When the first entry was refused.
    pub first_throttled_at: Option<SimTime>,
    /// When it was opened in the place of others; `None`: it was there at the start.
    pub opened_at: Option<SimTime>,
    /// The shards that it took the place of.
    pub parents: [Option<ShardIndex>; 2],
    /// When it was closed; `None`: it is open.
    pub closed_at: Option<SimTime>,
    /// The second in progress.
    current: Second,
    most_records: Second,
    most_bytes: Second,
}

impl ShardCounts {
    pub(super) fn add(&mut self, now: SimTime, tally: &ShardTally) {
        self.accepted += u64::from(tally.accepted);
        self.bytes += tally.bytes;
        if tally.throttled > 0 {
            self.throttled += u64::from(tally.throttled);
            self.first_throttled_at.get_or_insert(now);
        }
        let number = now.as_nanos() / SimDuration::SECOND.as_nanos();
        if number != self.current.number {
            self.most_records = self.busiest_by_records();
            self.most_bytes = self.busiest_by_bytes();
            self.current = Second {
                number,
                ..Second::default()
            };
        }
        self.current.records += u64::from(tally.accepted);
        self.current.bytes += tally.bytes;
    }
    /// The whole second in which most records were stored; the first of equals.
    pub const fn busiest_by_records(&self) -> Second {
        if self.current.records > self.most_records.records {
            self.current
        } else {
            self.most_records
        }
    }
    /// The whole second in which most bytes were stored; the first of equals.
    pub const fn busiest_by_bytes(&self) -> Second {
        if self.current.bytes > self.most_bytes.bytes {
            self.current
        } else {
            self.most_bytes
        }
    }
}
