//! Collection: Kinesis records become a PutRecords.
//!
//! One container for all shards, flushed when it has enough records or bytes, at the earliest deadline, or when one
//! shard's share reaches 256 KiB, so that no shard is sent too much at once (KDS-KPL-20). Bytes are counted as the
//! service counts them, partition key and data (KDS-KPL-21).

use super::aggregation::Composed;
use super::size::count;
use crate::blueprint::ProducerLibrary;
use crate::engine::index::to_usize;
use crate::engine::quantity::KIB;
use crate::engine::time::SimTime;
use crate::ids::ShardIndex;

/// A flush is due when one shard's share has this many bytes (KDS-KPL-20).
const SHARD_SHARE: u64 = 256 * KIB;

/// The container.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    most_records: u64,
    most_bytes: u64,
    records: Vec<Composed>,
    bytes: u64,
    deadline: SimTime,
    /// By number of the shard: bytes of data that the container holds for it.
    shares: Vec<u64>,
    /// Of a look-ahead: records and bytes.
    ahead: (u64, u64),
}

impl Collection {
    pub(super) fn new(settings: &ProducerLibrary) -> Self {
        Self {
            most_records: u64::from(settings.collection_max_count),
            most_bytes: settings.collection_max_size,
            records: Vec::new(),
            bytes: 0,
            deadline: SimTime::NEVER,
            shares: Vec::new(),
            ahead: (0, 0),
        }
    }
    /// The earliest deadline.
    pub(super) const fn deadline(&self) -> SimTime {
        self.deadline
    }

    /// Adds a Kinesis record; returns what is flushed by that.
    pub(super) fn put(&mut self, composed: Composed) -> Option<Vec<Composed>> {
        let share = match composed.shard {
            Some(shard) => {
                let share = self.share(shard);
                *share += composed.data;
                *share
            }
            None => 0,
        };
        self.hold(composed);
        let full = count(&self.records) >= self.most_records || self.bytes >= self.most_bytes || share >= SHARD_SHARE;
        full.then(|| self.flush())
    }
    fn share(&mut self, shard: ShardIndex) -> &mut u64 {
        let at = to_usize(shard.0);
        if at >= self.shares.len() {
            self.shares.resize(at + 1, 0);
        }
        &mut self.shares[at]
    }
    fn hold(&mut self, composed: Composed) {
        self.bytes += composed.key + composed.data;
        self.deadline = self.deadline.min(composed.deadline);
        self.records.push(composed);
    }

    /// Takes as many as fit, in order of deadline; the rest stays.
    pub(super) fn flush(&mut self) -> Vec<Composed> {
        let mut records = core::mem::take(&mut self.records);
        (self.bytes, self.deadline) = (0, SimTime::NEVER);
        records.sort_by_key(|composed| composed.deadline);
        let (mut fitting, mut bytes) = (0, 0);
        for composed in &records {
            bytes += composed.key + composed.data;
            if fitting > 0 && (count(&records[..=fitting]) > self.most_records || bytes > self.most_bytes) {
                break;
            }
            fitting += 1;
        }
        for left in records.split_off(fitting) {
            self.hold(left);
        }
        for composed in &records {
            if let Some(shard) = composed.shard {
                *self.share(shard) -= composed.data;
            }
        }
        records
    }

    /// Begins to look ahead at records that come by themselves.
    pub(super) const fn look_ahead(&mut self) {
        self.ahead = (0, 0);
    }
    /// Whether such a record of so many bytes, after those looked at before, flushes the container.
    pub(super) fn would_flush(&mut self, bytes: u64) -> bool {
        let (more, more_bytes) = &mut self.ahead;
        *more += 1;
        *more_bytes += bytes;
        count(&self.records) + *more >= self.most_records || self.bytes + *more_bytes >= self.most_bytes
    }
}
