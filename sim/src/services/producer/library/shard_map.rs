//! The library's own idea of a stream's shards.
//!
//! It is cached: when shards are split or merged, the library goes on with the old map until an answer of the stream
//! shows that it is wrong. Then it asks for the open shards anew, and has no map meanwhile (KDS-KPL-14). Closed shards
//! stay known for a minute, so that answers about them are understood (KDS-KPL-30).

use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ShardIndex;
use crate::key::HashRange;
use crate::key::{KeyRange, KeyTable};
use crate::record::KeyId;
use crate::services::kinesis::shard_map::range_of;
use std::collections::BTreeMap;

/// First wait after a ListShards that failed (KDS-KPL-30).
const LEAST_BACKOFF: SimDuration = SimDuration::from_secs(1);
/// Longest wait; it grows by half with each further failure (KDS-KPL-30).
const MOST_BACKOFF: SimDuration = SimDuration::from_secs(30);
/// How long a closed shard stays known after the last refresh (KDS-KPL-30).
const CLOSED_SHARD_MEMORY: SimDuration = SimDuration::from_secs(60);

/// What a stored user record's shard tells about the map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Placement {
    /// As predicted, or there was no prediction.
    Right,
    /// Another shard, but one whose range has the record's hash key: a child. It counts as put, and the map is out of
    /// date if the child has the higher number.
    Child { outdated: bool },
    /// A shard that is unknown or whose range does not have the hash key: the record is sent again (KDS-KPL-28).
    Wrong,
}

/// The map.
#[derive(Clone, Debug)]
pub(super) struct ShardMap {
    keys: KeyRange,
    hashes: Vec<u128>,
    /// By key of the producer; empty while there is no map.
    shards: Vec<ShardIndex>,
    /// Shards that are open according to the map, with their ranges in order.
    open: Vec<(ShardIndex, HashRange)>,
    /// Ranges of these, and of shards that were open before.
    known: BTreeMap<u32, HashRange>,
    updated_at: SimTime,
    updating: bool,
    backoff: SimDuration,
}

impl ShardMap {
    /// The map of a stream with these open shards, fetched when the producer started.
    pub(super) fn new(keys: &KeyTable, range: KeyRange, open: &[(ShardIndex, HashRange)]) -> Self {
        let ids = range.first..range.first + range.count;
        let mut map = Self {
            keys: range,
            hashes: ids.map(|key| keys.entry(KeyId(key)).hash).collect(),
            shards: Vec::new(),
            open: Vec::new(),
            known: BTreeMap::new(),
            updated_at: SimTime::ZERO,
            updating: true,
            backoff: LEAST_BACKOFF,
        };
        map.refreshed(SimTime::ZERO, open);
        map
    }
    /// The shard that a record with this key is expected to go to; `None` while there is no map (KDS-KPL-14).
    #[inline]
    pub(super) fn predict(&self, key: KeyId) -> Option<ShardIndex> {
        self.shards.get(to_usize(key.0 - self.keys.first)).copied()
    }
    /// What it means that a record that was expected in one shard was stored in another.
    pub(super) fn placement(&self, key: KeyId, predicted: Option<ShardIndex>, stored: ShardIndex) -> Placement {
        let Some(predicted) = predicted.filter(|&predicted| predicted != stored) else {
            return Placement::Right;
        };
        let hash = self.hashes[to_usize(key.0 - self.keys.first)];
        match self.known.get(&stored.0) {
            Some(range) if (range.start..=range.end).contains(&hash) => Placement::Child {
                outdated: predicted < stored,
            },
            Some(_) | None => Placement::Wrong,
        }
    }
    /// An answer to a request of `sent_at` has shown that the prediction of this shard is out of date. True: the map is
    /// void from now on, and the open shards must be listed. What was sent before the last refresh proves nothing.
    pub(super) fn invalidate(&mut self, sent_at: SimTime, predicted: ShardIndex) -> bool {
        let current = self.open.iter().any(|(shard, _)| *shard == predicted);
        if self.updating || sent_at <= self.updated_at || !current {
            return false;
        }
        self.updating = true;
        self.shards.clear();
        true
    }
    /// The open shards were listed.
    pub(super) fn refreshed(&mut self, now: SimTime, open: &[(ShardIndex, HashRange)]) {
        self.forget_closed(now);
        self.open = open.to_vec();
        self.open.sort_by_key(|(_, range)| range.start);
        self.known
            .extend(self.open.iter().map(|(shard, range)| (shard.0, *range)));
        let ranges: Vec<HashRange> = self.open.iter().map(|(_, range)| *range).collect();
        let shard_of = |hash: &u128| self.open.get(range_of(&ranges, *hash)).map(|(shard, _)| *shard);
        self.shards = self.hashes.iter().filter_map(shard_of).collect();
        (self.updating, self.updated_at, self.backoff) = (false, now, LEAST_BACKOFF);
    }
    /// Listing the shards failed; returns when to try again.
    pub(super) fn refresh_failed(&mut self, now: SimTime) -> SimTime {
        let at = now.saturating_add(self.backoff);
        let longer = SimDuration::from_nanos(self.backoff.as_nanos() / 2 * 3);
        self.backoff = longer.min(MOST_BACKOFF);
        at
    }
    /// Forgets shards that are no longer open, once the map has stood for a minute.
    pub(super) fn forget_closed(&mut self, now: SimTime) {
        if !self.updating && self.updated_at.saturating_add(CLOSED_SHARD_MEMORY) < now {
            let open: Vec<u32> = self.open.iter().map(|(shard, _)| shard.0).collect();
            self.known.retain(|shard, _| open.contains(shard));
        }
    }
}
