//! What a FIFO queue remembers of the messages that it has accepted (SQS-U).

use crate::engine::time::{SimDuration, SimTime};
use crate::queue_blueprint::{DeduplicationId, DeduplicationScope};
use crate::record::Record;
use std::collections::{BTreeSet, VecDeque};

/// How long a deduplication ID is remembered (SQS-U-01).
const INTERVAL: SimDuration = SimDuration::from_minutes(5);

/// What is remembered: the group, or zero for the whole queue, and the ID.
type Known = (u64, u64);

/// The deduplication IDs that a queue knows.
#[derive(Clone, Debug)]
pub(super) struct Deduplication {
    pub(super) scope: DeduplicationScope,
    /// A message without an ID gets one (SQS-A-23).
    pub(super) content_based: bool,
    /// IDs accepted within the interval, by age and by value.
    recent: VecDeque<(SimTime, Known)>,
    known: BTreeSet<Known>,
}

impl Deduplication {
    pub(super) const fn new(scope: DeduplicationScope, content_based: bool) -> Self {
        Self {
            scope,
            content_based,
            recent: VecDeque::new(),
            known: BTreeSet::new(),
        }
    }
    pub(super) fn memory(&self) -> u64 {
        let recent = self.recent.capacity() * size_of::<(SimTime, Known)>();
        u64::try_from(self.known.len() * size_of::<Known>() + recent).unwrap_or(u64::MAX)
    }

    /// Whether the ID was accepted within the interval (SQS-U-03); remembers it from now on if not. A repeat does not
    /// prolong the interval (SQS-Z-12), and at exactly five minutes the ID is new (SQS-Z-13).
    pub(super) fn is_duplicate(&mut self, record: &Record, id: DeduplicationId, group: usize, now: SimTime) -> bool {
        while let Some(&(at, known)) = self.recent.front()
            && now.since(at) >= INTERVAL
        {
            self.recent.pop_front();
            self.known.remove(&known);
        }
        let id = match id {
            DeduplicationId::Attempt => return false,
            DeduplicationId::Ordinal => u64::from(record.ordinal),
            // A message's own identity stands for what its sender or its contents make of it. Kept apart from ordinals.
            DeduplicationId::Message | DeduplicationId::Absent => {
                u64::from(record.key.0 | 1 << 31) << 32 | u64::from(record.ordinal)
            }
        };
        let group = match self.scope {
            DeduplicationScope::Queue => 0,
            DeduplicationScope::MessageGroup => u64::try_from(group).unwrap_or(u64::MAX) + 1,
        };
        if !self.known.insert((group, id)) {
            return true;
        }
        self.recent.push_back((now, (group, id)));
        false
    }
    /// A purge forgets all IDs (SQS-U-18).
    pub(super) fn forget(&mut self) {
        self.recent.clear();
        self.known.clear();
    }
}
