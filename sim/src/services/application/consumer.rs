//! A record processor and its fetcher: one for each lease that a worker holds (KDS-KCL-01).

use crate::batch::{Batch, ChildShard, Passage};
use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use std::collections::VecDeque;

/// What a record processor is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It waits for its parents to be done (KDS-KCL-27), and looks again then.
    Blocked { look_at: SimTime },
    /// It needs an iterator.
    Starting,
    /// It reads and processes.
    Running,
}

/// How a record processor stands to its lease.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Standing {
    /// Its worker holds it, as far as it knows.
    Holding,
    /// It was asked to stop: it ends its batch and checkpoints.
    Stopping,
    /// The lease is gone: it only ends its batch.
    Lost,
}

/// A batch with the record processor.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) records: u64,
    /// The records, unless the sink has them.
    pub(super) batch: Option<Box<Batch>>,
    pub(super) fails: bool,
    pub(super) passage: Passage,
}

/// A batch that waits for the record processor: a page.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    /// Position of the first record.
    pub(super) first: u64,
    /// When it was cut from the log and when it came in.
    pub(super) page: (SimTime, SimTime),
    pub(super) batch: Box<Batch>,
}

/// A record processor and its fetcher.
#[derive(Clone, Debug)]
pub(super) struct Consumer {
    /// Its number among all that the application has had; answers to others are stale.
    pub(super) tenure: u16,
    pub(super) stage: Stage,
    pub(super) standing: Standing,
    /// Records before this are dropped, since they are done (KDS-KCL-36).
    pub(super) resume: u64,
    /// The next position to fetch.
    pub(super) next: u64,
    /// When its iterator was issued; `None`: it has none.
    pub(super) iterator_issued_at: Option<SimTime>,
    /// A call is under way.
    pub(super) calling: bool,
    /// Its subscription, and how many events of it the stream has yet to hear are taken.
    pub(super) subscription: u32,
    pub(super) events_taken: u32,
    /// A timer is set for the next call.
    pub(super) timer: bool,
    pub(super) last_success: SimTime,
    /// Bytes fetched since the last renewal.
    pub(super) bytes_fetched: u64,
    waiting: VecDeque<Waiting>,
    waiting_records: u64,
    waiting_bytes: u64,
    pub(super) work: Option<Work>,
    /// After the last record that the record processor was given.
    pub(super) delivered: u64,
    /// After the last record of a batch that it is done with.
    pub(super) finished: u64,
    /// Its last checkpoint.
    pub(super) checkpoint: u64,
    pub(super) checkpoint_at: SimTime,
    /// The value of the checkpoint that the table is being told.
    pub(super) checkpointing: Option<u64>,
    /// The shard is closed and all of it was fetched; its children.
    pub(super) shard_end: Option<Vec<ChildShard>>,
}

impl Consumer {
    pub(super) const fn new(tenure: u16, now: SimTime) -> Self {
        Self {
            tenure,
            stage: Stage::Blocked { look_at: now },
            standing: Standing::Holding,
            resume: 0,
            next: 0,
            iterator_issued_at: None,
            calling: false,
            subscription: 0,
            events_taken: 0,
            timer: false,
            last_success: SimTime::ZERO,
            bytes_fetched: 0,
            waiting: VecDeque::new(),
            waiting_records: 0,
            waiting_bytes: 0,
            work: None,
            delivered: 0,
            finished: 0,
            checkpoint: 0,
            checkpoint_at: now,
            checkpointing: None,
            shard_end: None,
        }
    }
    pub(super) fn is_lost(&self) -> bool {
        self.standing == Standing::Lost
    }
    /// It reads, or is about to.
    pub(super) fn is_begun(&self) -> bool {
        let begun = matches!(self.stage, Stage::Starting | Stage::Running);
        begun && self.standing == Standing::Holding && self.shard_end.is_none()
    }
    pub(super) fn is_stopping(&self) -> bool {
        self.standing == Standing::Stopping
    }
    /// It is asked to stop.
    pub(super) fn stop(&mut self) {
        if self.standing == Standing::Holding {
            self.standing = Standing::Stopping;
        }
    }
    /// Where it begins: everything before is done, or none of its business.
    pub(super) const fn begin_at(&mut self, position: u64) {
        self.resume = position;
        self.next = position;
        self.delivered = position;
        self.finished = position;
        self.checkpoint = position;
    }
    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting_records += u64::from(to_u32(waiting.batch.records.len()));
        self.waiting_bytes += waiting.batch.bytes;
        self.waiting.push_back(waiting);
    }
    pub(super) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.waiting_records -= u64::from(to_u32(waiting.batch.records.len()));
        self.waiting_bytes -= waiting.batch.bytes;
        Some(waiting)
    }
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Waiting> + '_ {
        (self.waiting_records, self.waiting_bytes) = (0, 0);
        self.waiting.drain(..)
    }
    /// Fetching goes on while less waits than the limits (KDS-KCL-23).
    pub(super) fn has_room(&self, batches: usize, records: u64, bytes: u64) -> bool {
        self.waiting.len() < batches && self.waiting_records < records && self.waiting_bytes < bytes
    }
    /// Nothing is processed and the table is told nothing.
    pub(super) const fn is_idle(&self) -> bool {
        self.work.is_none() && self.checkpointing.is_none()
    }
    /// Whether the library accepts a checkpoint: from the last one to what was delivered (KDS-KCL-30).
    pub(super) fn accepts_checkpoint(&self, position: u64) -> bool {
        (self.checkpoint..=self.delivered).contains(&position)
    }
    /// The oldest position that it may still ask for, or has not finished; `None`: it has lost the lease or is at the end.
    pub(super) fn oldest_needed(&self) -> Option<u64> {
        let ended = self.shard_end.is_some() && self.finished == self.next;
        (!self.is_lost() && !ended).then(|| self.finished.min(self.next.saturating_sub(1)))
    }
    pub(super) fn memory(&self) -> u64 {
        let waiting: u64 = self.waiting.iter().map(|waiting| waiting.batch.memory()).sum();
        let work = self.work.as_ref().and_then(|work| work.batch.as_ref());
        waiting + work.map_or(0, |batch| batch.memory())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kds_kcl_30_a_checkpoint_lies_between_the_last_one_and_what_was_delivered() {
        let mut consumer = Consumer::new(1, SimTime::ZERO);
        consumer.begin_at(100);
        consumer.delivered = 150;
        assert!(consumer.accepts_checkpoint(100) && consumer.accepts_checkpoint(150));
        assert!(!consumer.accepts_checkpoint(99), "before the last one");
        assert!(!consumer.accepts_checkpoint(151), "beyond what was delivered");
    }

    #[test]
    fn kds_kcl_23_fetching_stops_at_any_of_three_limits() {
        let record = crate::record::Record {
            created_at: SimTime::ZERO,
            arrived_at: SimTime::ZERO,
            key: crate::record::KeyId(0),
            ordinal: 0,
            bytes: 10,
            flags: 0,
        };
        let page = |first: u64, records: usize| Waiting {
            first,
            page: (SimTime::ZERO, SimTime::ZERO),
            batch: Box::new(Batch {
                records: vec![record; records],
                bytes: 10 * u64::try_from(records).expect("small"),
                ..Batch::default()
            }),
        };
        let mut consumer = Consumer::new(1, SimTime::ZERO);
        consumer.push(page(0, 3));
        consumer.push(page(3, 3));
        assert!(consumer.has_room(3, 7, 61));
        assert!(!consumer.has_room(2, 7, 61), "batches");
        assert!(!consumer.has_room(3, 6, 61), "records");
        assert!(!consumer.has_room(3, 7, 60), "bytes");
        consumer.pop();
        assert!(consumer.has_room(2, 6, 60));
    }
}
