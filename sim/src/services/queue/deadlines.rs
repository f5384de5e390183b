//! When hidden messages become visible.
//!
//! Deadlines further ahead lie in buckets, unsorted, and only those of the nearest bucket in a heap: the cost of one does
//! not depend on how many there are. Nothing is taken out; what is out of date is dropped when its bucket comes up.

use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

/// Nanoseconds of a bucket, as a power of two: 67 ms.
const BUCKET_BITS: u32 = 26;
/// Deadlines that may be out of date before a sweep is worth it.
const SWEEP: usize = 1_024;

/// Ends of delays and visibility timeouts: instant and position.
#[derive(Clone, Debug, Default)]
pub(super) struct Deadlines {
    near: BinaryHeap<Reverse<(SimTime, u64)>>,
    far: BTreeMap<u64, Vec<(SimTime, u64)>>,
    /// Deadlines in `far`.
    waiting: usize,
    /// The last bucket whose deadlines are in `near`.
    reached: u64,
}

impl Deadlines {
    pub(super) fn memory(&self) -> u64 {
        let far: usize = self.far.values().map(Vec::capacity).sum();
        let all = (far + self.near.capacity()) * size_of::<(SimTime, u64)>();
        u64::try_from(all).unwrap_or(u64::MAX)
    }
    /// Adds a deadline. `live` is how many messages are hidden; `holds` tells whether a deadline is still meant.
    pub(super) fn push(&mut self, at: SimTime, position: u64, live: u64, holds: impl Fn(SimTime, u64) -> bool) {
        let bucket = at.as_nanos() >> BUCKET_BITS;
        if bucket <= self.reached {
            self.near.push(Reverse((at, position)));
        } else {
            self.far.entry(bucket).or_default().push((at, position));
            self.waiting += 1;
        }
        let all = self.near.len() + self.waiting;
        if all > SWEEP && u64::from(to_u32(all / 2)) > live {
            self.near.retain(|&Reverse((at, position))| holds(at, position));
            self.far.retain(|_, bucket| {
                bucket.retain(|&(at, position)| holds(at, position));
                bucket.shrink_to_fit();
                !bucket.is_empty()
            });
            self.waiting = self.far.values().map(Vec::len).sum();
        }
    }
    /// The first deadline that is still meant.
    pub(super) fn first(&mut self, holds: impl Fn(SimTime, u64) -> bool) -> Option<(SimTime, u64)> {
        loop {
            while let Some(&Reverse((at, position))) = self.near.peek() {
                if holds(at, position) {
                    return Some((at, position));
                }
                self.near.pop();
            }
            let (number, bucket) = self.far.pop_first()?;
            self.reached = number;
            self.waiting -= bucket.len();
            let meant = bucket.into_iter().filter(|&(at, position)| holds(at, position));
            self.near.extend(meant.map(Reverse));
        }
    }
    /// Takes the first deadline off, after [`Self::first`] has found it.
    pub(super) fn pop(&mut self) {
        self.near.pop();
    }
}
