//! The lease table: one row a shard, in DynamoDB (KDS-KCL-02).
//!
//! A row names its owner and the checkpoint, and carries a counter that each renewal raises. Nobody writes "expired":
//! a worker concludes it from a counter that it sees unchanged (KDS-KCL-08). Rows are read and written at an instant; of
//! all calls to the table only a checkpoint takes time, since the record processor waits for it.

use crate::blueprint::InitialPosition;
use crate::engine::time::SimTime;
use std::collections::BTreeMap;

/// What a lease says about how far its shard has been processed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Checkpoint {
    /// Nobody has begun; this is where to begin (KDS-KCL-25, KDS-KCL-26).
    Initial(InitialPosition),
    /// Everything before this position is done.
    At(u64),
    /// `SHARD_END`: the shard is closed and done.
    ShardEnd,
}

/// A row of the table.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    /// `leaseOwner`.
    pub(super) owner: Option<u16>,
    /// `leaseCounter`.
    pub(super) counter: u64,
    /// `checkpoint`.
    pub(super) checkpoint: Checkpoint,
    /// `parentShardId`s.
    pub(super) parents: [Option<u32>; 2],
    /// `childShardIds`, once it is done.
    pub(super) children: Vec<u32>,
    /// The old owner, while it may still checkpoint before it hands over, and since when (KDS-KCL-17).
    pub(super) handing_over: Option<(u16, SimTime)>,
    /// Nobody has owned it.
    pub(super) unused: bool,
    /// Bytes a second that its owner processes, as of its last renewal (KDS-KCL-16).
    pub(super) throughput: u64,
    /// When `SHARD_END` was written.
    pub(super) ended_at: SimTime,
}

impl Lease {
    const fn new(checkpoint: Checkpoint, parents: [Option<u32>; 2]) -> Self {
        Self {
            owner: None,
            counter: 0,
            checkpoint,
            parents,
            children: Vec::new(),
            handing_over: None,
            unused: true,
            throughput: 0,
            ended_at: SimTime::ZERO,
        }
    }
    pub(super) fn is_done(&self) -> bool {
        self.checkpoint == Checkpoint::ShardEnd
    }
    /// Gives the lease to a worker: a conditional write on the owner and counter that it saw.
    pub(super) const fn give(&mut self, worker: u16) {
        self.owner = Some(worker);
        self.counter += 1;
        self.unused = false;
        self.handing_over = None;
    }
    /// Whether the worker may write a checkpoint: it is the owner, or hands over to it (KDS-KCL-31).
    pub(super) fn may_checkpoint(&self, worker: u16) -> bool {
        match self.handing_over {
            Some((old, _)) => old == worker,
            None => self.owner == Some(worker),
        }
    }
}

/// The table.
#[derive(Clone, Debug, Default)]
pub(super) struct LeaseTable {
    leases: BTreeMap<u32, Lease>,
}

impl LeaseTable {
    /// Adds a row unless the shard has one.
    pub(super) fn create(&mut self, shard: u32, checkpoint: Checkpoint, parents: [Option<u32>; 2]) -> bool {
        let mut created = false;
        self.leases.entry(shard).or_insert_with(|| {
            created = true;
            Lease::new(checkpoint, parents)
        });
        created
    }
    pub(super) fn is_empty(&self) -> bool {
        self.leases.is_empty()
    }
    pub(super) fn get(&self, shard: u32) -> Option<&Lease> {
        self.leases.get(&shard)
    }
    pub(super) fn get_mut(&mut self, shard: u32) -> Option<&mut Lease> {
        self.leases.get_mut(&shard)
    }
    pub(super) fn remove(&mut self, shard: u32) {
        self.leases.remove(&shard);
    }
    /// All rows, in order of shard.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Lease)> {
        self.leases.iter().map(|(shard, lease)| (*shard, lease))
    }
    /// Rows of shards that are not done.
    pub(super) fn open(&self) -> impl Iterator<Item = (u32, &Lease)> {
        self.iter().filter(|(_, lease)| !lease.is_done())
    }
    pub(super) fn rows(&self) -> u32 {
        u32::try_from(self.leases.len()).unwrap_or(u32::MAX)
    }
    /// Leases of the worker that are not done.
    pub(super) fn owned_by(&self, worker: u16) -> u32 {
        let mine = self.open().filter(|(_, lease)| lease.owner == Some(worker));
        u32::try_from(mine.count()).unwrap_or(u32::MAX)
    }
}

/// What a worker has seen of the table, to judge by itself which leases are expired.
#[derive(Clone, Debug, Default)]
pub(super) struct Sight {
    /// By shard: the counter, and when it was first seen with that value.
    seen: BTreeMap<u32, (u64, SimTime)>,
}

impl Sight {
    /// A scan of the whole table.
    pub(super) fn scan(&mut self, table: &LeaseTable, now: SimTime) {
        self.seen.retain(|shard, _| table.get(*shard).is_some());
        for (shard, lease) in table.iter() {
            let seen = self.seen.entry(shard).or_insert((lease.counter, now));
            if seen.0 != lease.counter {
                *seen = (lease.counter, now);
            }
        }
    }
    /// Since when the lease has not changed, as far as this worker knows; a lease without an owner since ever.
    pub(super) fn unchanged_since(&self, shard: u32, lease: &Lease) -> SimTime {
        if lease.owner.is_none() {
            return SimTime::ZERO;
        }
        self.seen.get(&shard).map_or(SimTime::NEVER, |(_, since)| *since)
    }
    /// The lease has no owner, or was not renewed for longer than `limit` (KDS-KCL-08).
    pub(super) fn is_expired(
        &self,
        shard: u32,
        lease: &Lease,
        now: SimTime,
        limit: crate::engine::time::SimDuration,
    ) -> bool {
        lease.owner.is_none() || now.since(self.unchanged_since(shard, lease)) > limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimDuration;

    fn table() -> LeaseTable {
        let mut table = LeaseTable::default();
        table.create(0, Checkpoint::Initial(InitialPosition::TrimHorizon), [None; 2]);
        table
    }

    /// KDS-KCL-08: what counts is the time between the worker's own scans, not that since the last renewal.
    #[test]
    fn kds_kcl_08_a_lease_expires_when_its_counter_is_seen_unchanged() {
        let (mut table, mut sight) = (table(), Sight::default());
        let failover = SimDuration::from_secs(10);
        let expired = |sight: &Sight, table: &LeaseTable, at: u64| {
            let lease = table.get(0).expect("there is one");
            sight.is_expired(0, lease, SimTime::from_secs(at), failover)
        };
        sight.scan(&table, SimTime::from_secs(0));
        assert!(expired(&sight, &table, 0), "without an owner it is free at once");
        table.get_mut(0).expect("there is one").give(1);
        sight.scan(&table, SimTime::from_secs(20));
        assert!(
            !expired(&sight, &table, 20),
            "seen for the first time with this counter"
        );
        table.get_mut(0).expect("there is one").counter += 1;
        sight.scan(&table, SimTime::from_secs(40));
        assert!(!expired(&sight, &table, 40), "renewed once since the last scan");
        sight.scan(&table, SimTime::from_secs(60));
        assert!(
            expired(&sight, &table, 60),
            "unchanged for longer than the failover time"
        );
    }

    #[test]
    fn kds_kcl_02_a_table_has_one_row_for_each_shard() {
        let mut table = table();
        assert!(!table.create(0, Checkpoint::At(7), [None; 2]), "the row is there");
        assert!(table.create(1, Checkpoint::At(7), [Some(0), None]));
        assert_eq!(table.rows(), 2);
        let first = table.get(0).expect("there is one");
        assert_eq!(first.checkpoint, Checkpoint::Initial(InitialPosition::TrimHorizon));
    }
}
