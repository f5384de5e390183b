//! The quota of calls of a FIFO queue, and the partitions that share it (SQS-T).
//!
//! A queue without high throughput is one partition. With high throughput it has as many as its load asks for, up to what
//! the Region grants. How fast AWS adds and removes them is unpublished (SQS-Z-16): here their number doubles after a window
//! in which one was used for more than four fifths, and halves after a longer time below a fifth.

use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;

/// Calls a second of one action that a partition admits (SQS-T-01, SQS-T-11).
pub(super) const CALLS: u64 = 300;

/// What has a quota of its own. Changes of visibility have none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Action {
    Send,
    Receive,
    Delete,
}

#[derive(Clone, Debug)]
struct Partition {
    send: TokenBucket,
    receive: TokenBucket,
    delete: TokenBucket,
    /// Calls asked for in the present window, by action.
    used: [u64; 3],
}

impl Partition {
    fn full() -> Self {
        let bucket = || TokenBucket::full(CALLS, Rate::per_second(CALLS));
        Self {
            send: bucket(),
            receive: bucket(),
            delete: bucket(),
            used: [0; 3],
        }
    }
    const fn of(&mut self, action: Action) -> (&mut TokenBucket, &mut u64) {
        let [send, receive, delete] = &mut self.used;
        match action {
            Action::Send => (&mut self.send, send),
            Action::Receive => (&mut self.receive, receive),
            Action::Delete => (&mut self.delete, delete),
        }
    }
}

/// The partitions of a FIFO queue.
#[derive(Clone, Debug)]
pub(super) struct Partitions {
    /// Those in use stand first; a group that is in flight stays in one that is no longer.
    partitions: Vec<Partition>,
    count: usize,
    most: usize,
    window: SimDuration,
    calm_time: SimDuration,
    /// Number of the present window, and windows without much use before it.
    number: u64,
    calm: u64,
    turn: usize,
}

impl Partitions {
    pub(super) fn new(most: usize, (window, calm_time): (SimDuration, SimDuration)) -> Self {
        let mut partitions = Self {
            partitions: vec![Partition::full()],
            count: 1,
            most: 1,
            window,
            calm_time,
            number: 0,
            calm: 0,
            turn: 0,
        };
        partitions.set_most(most);
        partitions
    }
    /// Those in use.
    pub(super) const fn count(&self) -> usize {
        self.count
    }
    /// Allows so many. Without a window there are at once as many as may be.
    pub(super) fn set_most(&mut self, most: usize) {
        self.most = most.max(1);
        let wanted = if self.window.is_zero() { self.most } else { self.count };
        self.set_count(wanted);
    }
    fn set_count(&mut self, count: usize) {
        self.count = count.clamp(1, self.most);
        while self.partitions.len() < self.count {
            self.partitions.push(Partition::full());
        }
    }
    /// Judges the windows that are over. Returns whether the number of partitions has changed.
    pub(super) fn advance(&mut self, now: SimTime) -> bool {
        let number = now
            .as_nanos()
            .checked_div(self.window.as_nanos())
            .unwrap_or(self.number);
        let over = number - self.number;
        if over == 0 {
            return false;
        }
        self.number = number;
        let before = self.count;
        let used = self.partitions.iter().flat_map(|partition| partition.used);
        let peak = used.max().unwrap_or(0).saturating_mul(5_000);
        let full = self.window.as_millis().saturating_mul(CALLS);
        if peak > 4 * full {
            self.set_count(self.count * 2);
        }
        self.calm = if peak < full { self.calm + over } else { over - 1 };
        let long = (self.calm_time.as_nanos() / self.window.as_nanos()).max(1);
        while self.calm >= long && self.count > 1 {
            self.calm -= long;
            self.set_count(self.count / 2);
        }
        for partition in &mut self.partitions {
            partition.used = [0; 3];
        }
        self.count != before
    }
    /// Whether a partition admits a call, which it then counts.
    pub(super) fn take(&mut self, partition: usize, action: Action, now: SimTime) -> bool {
        let (bucket, used) = self.partitions[partition].of(action);
        *used += 1;
        bucket.try_take(now, 1)
    }
    /// Whether a partition would admit a call.
    pub(super) fn admits(&mut self, partition: usize, action: Action, now: SimTime) -> bool {
        self.partitions[partition].of(action).0.holds(now, 1)
    }
    /// The partition that a receive asks which finds nothing in any: one after the other.
    pub(super) const fn next_in_turn(&mut self) -> usize {
        self.turn = (self.turn + 1) % self.count;
        self.turn
    }
}
