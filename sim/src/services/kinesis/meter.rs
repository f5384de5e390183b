//! What each shard got of late, minute by minute: for on-demand scaling, and to find the hottest shard.

use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::ShardTally;

/// What a shard got in a minute.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Load {
    /// Records stored.
    pub(super) records: u64,
    /// Bytes stored.
    pub(super) bytes: u64,
    /// Records refused.
    pub(super) refused: u64,
}

impl Load {
    /// Load as a share of what a shard takes, for comparison: the larger of records and bytes. What was refused counts as
    /// records.
    pub(super) fn weight(self) -> u128 {
        let records = u128::from(self.records + self.refused) * u128::from(super::quotas::SHARD_WRITE_BYTES);
        records.max(u128::from(self.bytes) * u128::from(super::quotas::SHARD_WRITE_RECORDS))
    }
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.bytes += other.bytes;
        self.refused += other.refused;
    }
}

/// The minute in progress and the one before, by shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    minute: u64,
    current: Vec<Load>,
    before: Vec<Load>,
}

impl Meter {
    /// Takes note of what one call did.
    pub(super) fn note(&mut self, now: SimTime, tallies: &[ShardTally]) {
        self.roll(now);
        for tally in tallies {
            let at = to_usize(tally.shard.0);
            if self.current.len() <= at {
                self.current.resize(at + 1, Load::default());
            }
            self.current[at].add(Load {
                records: u64::from(tally.accepted),
                bytes: tally.bytes,
                refused: u64::from(tally.throttled),
            });
        }
    }
    /// Brings it up to `now`.
    pub(super) fn roll(&mut self, now: SimTime) {
        let minute = now.as_nanos() / SimDuration::from_minutes(1).as_nanos();
        if minute == self.minute {
            return;
        }
        self.before = if minute == self.minute + 1 {
            core::mem::take(&mut self.current)
        } else {
            Vec::new()
        };
        self.current.clear();
        self.minute = minute;
    }
    /// What the shard got in the last whole minute.
    pub(super) fn last_minute(&self, shard: usize) -> Load {
        self.before.get(shard).copied().unwrap_or_default()
    }
    /// What all shards got in it together.
    pub(super) fn total(&self) -> Load {
        let mut total = Load::default();
        for load in &self.before {
            total.add(*load);
        }
        total
    }
    /// What the shard got since the start of the minute before.
    pub(super) fn lately(&self, shard: usize) -> Load {
        let mut load = self.last_minute(shard);
        load.add(self.current.get(shard).copied().unwrap_or_default());
        load
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn load(records: u64, bytes: u64, refused: u64) -> Load {
        Load {
            records,
            bytes,
            refused,
        }
    }

    /// A thousand records weigh as much as a mebibyte.
    #[test]
    fn a_load_weighs_as_much_as_the_larger_of_its_shares_of_the_two_limits() {
        assert_eq!(load(1_000, 0, 0).weight(), load(0, 1 << 20, 0).weight());
        assert!(load(500, 1, 0).weight() < load(1, 600 << 10, 0).weight());
        assert!(load(700, 1, 0).weight() > load(1, 600 << 10, 0).weight());
        assert_eq!(
            load(300, 5, 200).weight(),
            load(500, 5, 0).weight(),
            "refused records are load too"
        );
        assert_eq!(
            load(500, 500 << 10, 0).weight(),
            load(500, 0, 0).weight(),
            "they are not added up"
        );
    }
}
