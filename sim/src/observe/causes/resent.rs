//! User records of the Kinesis Producer Library that had been sent before they were stored: they share a request with
//! others that had not, so each has a first send of its own. Forgotten as their readers pass.

use crate::engine::time::SimTime;
use crate::record::{KeyId, Record};
use std::collections::{BTreeMap, VecDeque};

/// Those of one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Resent {
    /// First send, and the last position at which the record was stored.
    first_sent: BTreeMap<(KeyId, u32), (SimTime, u64)>,
    /// The same in order of position.
    places: VecDeque<(u64, KeyId, u32)>,
}

impl Resent {
    pub(super) fn stored(&mut self, position: u64, record: &Record, first_sent_at: SimTime) {
        let (key, ordinal) = (record.key, record.ordinal);
        self.first_sent.insert((key, ordinal), (first_sent_at, position));
        self.places.push_back((position, key, ordinal));
    }
    /// When the record was sent for the first time, if that was not with the request that stored it.
    pub(super) fn first_sent_at(&self, record: &Record) -> Option<SimTime> {
        let found = self.first_sent.get(&(record.key, record.ordinal));
        found.map(|&(first_sent_at, _)| first_sent_at)
    }
    /// Whether any of these records is known here.
    #[inline]
    pub(super) fn concerns(&self, records: &[Record]) -> bool {
        !self.first_sent.is_empty() && records.iter().any(|record| self.first_sent_at(record).is_some())
    }
    #[inline]
    pub(super) fn forget_before(&mut self, floor: u64) {
        while let Some(&(position, key, ordinal)) = self.places.front()
            && position < floor
        {
            self.places.pop_front();
            if self
                .first_sent
                .get(&(key, ordinal))
                .is_some_and(|&(_, last)| last == position)
            {
                self.first_sent.remove(&(key, ordinal));
            }
        }
    }
}
