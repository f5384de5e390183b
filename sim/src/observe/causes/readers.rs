//! How far a reader is, and when pages brought it what it has not finished.

use super::runs::{PageRun, Runs};
use crate::engine::time::SimTime;

/// A reader's view of one shard.
#[derive(Clone, Debug)]
pub(super) struct ShardReading {
    pub(super) pages: Runs<PageRun>,
    checkpoint: u64,
    /// Batches whose invocation timed out while their write was under way: position of the first record, and when they
    /// were dispatched. The write takes effect all the same, perhaps long after the checkpoint has passed.
    writes: Vec<(u64, SimTime)>,
}

impl ShardReading {
    pub(super) const fn new() -> Self {
        Self {
            pages: Runs::new(),
            checkpoint: 0,
            writes: Vec::new(),
        }
    }
    /// The first position that may still take effect.
    pub(super) fn floor(&self) -> u64 {
        let writes = self.writes.iter().map(|&(first, _)| first);
        writes.min().map_or(self.checkpoint, |first| first.min(self.checkpoint))
    }
    pub(super) fn advance(&mut self, position: u64) {
        self.checkpoint = self.checkpoint.max(position);
        self.forget();
    }
    pub(super) fn write_left_behind(&mut self, first: u64, dispatched_at: SimTime) {
        self.writes.push((first, dispatched_at));
    }
    /// A write took effect. True if it had been left behind.
    #[inline]
    pub(super) fn written(&mut self, first: u64, dispatched_at: SimTime) -> bool {
        if self.writes.is_empty() {
            return false;
        }
        let Some(at) = self.writes.iter().position(|write| *write == (first, dispatched_at)) else {
            return false;
        };
        self.writes.swap_remove(at);
        self.forget();
        true
    }
    fn forget(&mut self) {
        let floor = self.floor();
        self.pages.forget_before(floor);
    }
}
