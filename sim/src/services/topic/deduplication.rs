//! What a FIFO topic remembers of the messages that it took.

use crate::engine::time::{SimDuration, SimTime};
use crate::record::{KeyId, Record};
use std::collections::{BTreeSet, VecDeque};

/// How long a deduplication ID is remembered (SQS-S-29).
pub(super) const DEDUPLICATION_INTERVAL: SimDuration = SimDuration::from_minutes(5);

/// IDs accepted within the interval, by age and by value. A record's own identity stands for its deduplication ID, stated
/// or computed of its content: contents do not exist.
#[derive(Clone, Debug, Default)]
pub(super) struct Deduplication {
    recent: VecDeque<(SimTime, KeyId, u32)>,
    known: BTreeSet<(KeyId, u32)>,
}

impl Deduplication {
    /// Whether the ID was accepted within the interval, whatever has become of its message since; remembers it from now on
    /// if not. A repeat does not prolong the interval, and at exactly five minutes the ID is new, as in a queue (SQS-Z-12,
    /// SQS-Z-13).
    pub(super) fn is_duplicate(&mut self, record: &Record, now: SimTime) -> bool {
        while let Some(&(at, key, ordinal)) = self.recent.front()
            && now.since(at) >= DEDUPLICATION_INTERVAL
        {
            self.recent.pop_front();
            self.known.remove(&(key, ordinal));
        }
        if !self.known.insert((record.key, record.ordinal)) {
            return true;
        }
        self.recent.push_back((now, record.key, record.ordinal));
        false
    }
    pub(super) fn memory(&self) -> u64 {
        let known = self.known.len() * 2 * size_of::<(KeyId, u32)>();
        u64::try_from(known + self.recent.capacity() * size_of::<(SimTime, KeyId, u32)>()).unwrap_or(u64::MAX)
    }
}
