//! Totals of a stream.

use super::{Changes, ShardCounts};
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::ids::ShardIndex;
use crate::observe::fact::StreamChange;

/// Totals of a stream.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamCounts {
    /// Put requests answered; in a cohort of single puts each record is one.
    pub puts: u64,
    /// Put requests refused or failed whole.
    pub puts_refused: u64,
    /// Entries that ended in `InternalFailure`.
    pub entries_failed: u64,
    /// Entries stored that hold several user records (KDS-KPL-18).
    pub aggregated: u64,
    /// User records in these.
    pub user_records_in_aggregated: u64,
    /// Puts stored whose response was lost (KDS-MOD-18).
    pub acknowledgements_lost: u64,
    /// By shard number, closed ones included.
    pub shards: Vec<ShardCounts>,
    /// What happened to the stream itself.
    pub changes: Changes,
}

impl StreamCounts {
    /// Entries stored.
    pub fn accepted(&self) -> u64 {
        self.shards.iter().map(|shard| shard.accepted).sum()
    }
    pub(super) fn changed(&mut self, now: SimTime, change: StreamChange) {
        self.changes.note(now, change);
        match change {
            StreamChange::ShardClosed { shard: closed } => shard(self, closed).closed_at = Some(now),
            StreamChange::ShardExpired { .. }
            | StreamChange::ScaledOut { .. }
            | StreamChange::Accepted { .. }
            | StreamChange::Completed { .. }
            | StreamChange::ConsumerChanged { .. }
            | StreamChange::ConsumerRefused { .. }
            | StreamChange::Refused { .. } => {}
            StreamChange::ShardOpened { shard: opened, parents } => {
                let counts = shard(self, opened);
                (counts.opened_at, counts.parents) = (Some(now), parents);
            }
        }
    }
    /// Shards that are open.
    pub fn open_shards(&self) -> usize {
        self.shards.iter().filter(|shard| shard.closed_at.is_none()).count()
    }
    /// Bytes stored.
    pub fn bytes(&self) -> u64 {
        self.shards.iter().map(|shard| shard.bytes).sum()
    }
    /// User records stored: as many as entries, but where entries hold several of them (KDS-KPL-18).
    pub fn user_records(&self) -> u64 {
        self.accepted() - self.aggregated + self.user_records_in_aggregated
    }
    /// Entries refused for throughput.
    pub fn throttled(&self) -> u64 {
        self.shards.iter().map(|shard| shard.throttled).sum()
    }
    /// When the first entry was refused for throughput.
    pub fn first_throttled_at(&self) -> Option<SimTime> {
        self.shards.iter().filter_map(|shard| shard.first_throttled_at).min()
    }
}

/// The counts of a shard; shards that a stream gets later are added as facts name them.
pub(super) fn shard(counts: &mut StreamCounts, shard: ShardIndex) -> &mut ShardCounts {
    let at = to_usize(shard.0);
    if at >= counts.shards.len() {
        counts.shards.resize(at + 1, ShardCounts::default());
    }
    &mut counts.shards[at]
}
