//! A lane: one concurrent batch slot of one shard, with the records that wait for it.

use crate::batch::{Batch, Passage};
use crate::engine::time::SimTime;
use crate::record::Record;

/// What a lane is doing.
#[derive(Clone, Debug)]
pub(super) enum LaneState {
    /// Free: it may dispatch as soon as a batch is complete.
    Gathering,
    /// The function works on a batch.
    InFlight(LaneBatch),
    /// A batch failed and waits before it is read again.
    BackingOff(LaneBatch),
    /// The failed batch is being read again (LAM-K-20).
    Rereading(LaneBatch),
}

/// Where a lane's batch lies in the shard, and how often it has failed.
#[derive(Clone, Debug)]
pub(super) struct LaneBatch {
    /// Positions of its records, in order.
    pub(super) positions: Positions,
    /// Function errors so far.
    pub(super) errors: u32,
    /// Throttles since the function last ran.
    pub(super) throttles: u32,
    /// Attempts so far, of either kind.
    pub(super) attempts: u32,
    /// It ended where another record would not have fitted the payload (LAM-E-08).
    pub(super) payload_full: bool,
    /// For observers: when it was sent.
    pub(super) passage: Passage,
    /// While it is read again: the position from which that goes on, and the records found before it.
    pub(super) read_to: u64,
    /// See `read_to`.
    pub(super) found: Batch,
}

/// Positions of records in a shard.
#[derive(Clone, Debug)]
pub(super) enum Positions {
    /// Consecutive.
    Run { first: u64, count: u64 },
    /// Any, in order.
    List(Vec<u64>),
}

impl Positions {
    pub(super) fn first(&self) -> u64 {
        match self {
            Self::Run { first, .. } => *first,
            Self::List(list) => list.first().copied().unwrap_or(0),
        }
    }
    /// One past the last.
    pub(super) fn end(&self) -> u64 {
        match self {
            Self::Run { first, count } => first + count,
            Self::List(list) => list.last().map_or(0, |last| last + 1),
        }
    }
    pub(super) fn count(&self) -> u64 {
        match self {
            Self::Run { count, .. } => *count,
            Self::List(list) => u64::try_from(list.len()).unwrap_or(u64::MAX),
        }
    }
    pub(super) fn contains(&self, position: u64) -> bool {
        match self {
            Self::Run { first, count } => (*first..first + count).contains(&position),
            Self::List(list) => list.binary_search(&position).is_ok(),
        }
    }
    /// Takes away everything before `position` and returns it.
    pub(super) fn split_before(&mut self, position: u64) -> Self {
        match self {
            Self::Run { first, count } => {
                let gone = position.saturating_sub(*first).min(*count);
                let before = Self::Run {
                    first: *first,
                    count: gone,
                };
                *self = Self::Run {
                    first: *first + gone,
                    count: *count - gone,
                };
                before
            }
            Self::List(list) => {
                let at = list.partition_point(|&held| held < position);
                let rest = list.split_off(at);
                Self::List(core::mem::replace(list, rest))
            }
        }
    }
    /// For facts: the list, or nothing where the positions are consecutive.
    pub(super) fn listed(&self) -> &[u64] {
        match self {
            Self::Run { .. } => &[],
            Self::List(list) => list,
        }
    }
}

/// A lane.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    pub(super) state: LaneState,
    waiting: Waiting,
    /// When the batching window opened (LAM-E-06): at the end of the previous invocation, or, if it ran out with
    /// nothing gathered, at the first record gathered.
    pub(super) window_opened: SimTime,
    /// When the lane's timer is due, if it has one.
    pub(super) timer: Option<SimTime>,
    /// Marks that timer; an earlier one is stale.
    pub(super) generation: u16,
}

/// Records that wait for the lane.
#[derive(Clone, Debug, Default)]
struct Waiting {
    records: Vec<Record>,
    /// Empty while the lane has the shard to itself: then the records are consecutive from `first`.
    positions: Vec<u64>,
    first: u64,
    /// Records already taken from the front.
    taken: usize,
    /// Bytes of the others.
    bytes: u64,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            state: LaneState::Gathering,
            waiting: Waiting::default(),
            window_opened: SimTime::ZERO,
            timer: None,
            generation: 0,
        }
    }
    /// Records that wait.
    pub(super) fn waiting(&self) -> &[Record] {
        &self.waiting.records[self.waiting.taken..]
    }
    /// Their bytes.
    pub(super) const fn waiting_bytes(&self) -> u64 {
        self.waiting.bytes
    }
    /// Position of the first record that waits.
    pub(super) fn first_waiting(&self) -> u64 {
        self.waiting
            .positions
            .get(self.waiting.taken)
            .copied()
            .unwrap_or(self.waiting.first)
    }
    /// Adds a whole page to a lane that has the shard to itself. An empty lane takes the page's memory over.
    pub(super) fn gather_page(&mut self, page: &mut Batch, first: u64) {
        let waiting = &mut self.waiting;
        let held = waiting.records.len() - waiting.taken;
        waiting.bytes += page.bytes;
        if held == 0 {
            waiting.records.clear();
            waiting.positions.clear();
            waiting.taken = 0;
            waiting.first = first;
            core::mem::swap(&mut waiting.records, &mut page.records);
            return;
        }
        let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
        if waiting.positions.is_empty() && waiting.first + count(held) != first {
            // Records between the pages have expired: from here on every position is written down.
            waiting.positions = vec![0; waiting.taken];
            waiting.positions.extend(waiting.first..waiting.first + count(held));
        }
        if !waiting.positions.is_empty() {
            waiting.positions.extend(first..first + count(page.records.len()));
        }
        waiting.records.append(&mut page.records);
    }
    /// Adds one record to a lane that shares the shard.
    #[inline]
    pub(super) fn gather(&mut self, record: Record, position: u64) {
        let waiting = &mut self.waiting;
        if waiting.records.len() == waiting.taken {
            waiting.records.clear();
            waiting.positions.clear();
            waiting.taken = 0;
        }
        waiting.bytes += u64::from(record.bytes);
        waiting.records.push(record);
        waiting.positions.push(position);
    }
    /// Takes the first `count` records that wait into `batch`. Where that is all of them, no record is copied.
    pub(super) fn take(&mut self, count: usize, batch: &mut Batch) -> Positions {
        let waiting = &mut self.waiting;
        let end = waiting.taken + count;
        let positions = if waiting.positions.is_empty() {
            let run = Positions::Run {
                first: waiting.first,
                count: u64::try_from(count).unwrap_or(u64::MAX),
            };
            waiting.first += u64::try_from(count).unwrap_or(u64::MAX);
            run
        } else {
            Positions::List(waiting.positions[waiting.taken..end].to_vec())
        };
        if waiting.taken == 0 && end == waiting.records.len() {
            core::mem::swap(&mut waiting.records, &mut batch.records);
            waiting.records.clear();
            waiting.positions.clear();
            batch.bytes = waiting.bytes;
        } else {
            batch.records.extend_from_slice(&waiting.records[waiting.taken..end]);
            batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
            waiting.taken = end;
            // A long queue gives its front back now and then.
            if waiting.taken * 2 > waiting.records.len() && waiting.taken > 4_096 {
                waiting.records.drain(..waiting.taken);
                if !waiting.positions.is_empty() {
                    waiting.positions.drain(..waiting.taken);
                }
                waiting.taken = 0;
            }
        }
        waiting.bytes -= batch.bytes;
        positions
    }
    /// Bytes of memory that its records take.
    pub(super) fn memory(&self) -> u64 {
        let waiting = self.waiting.records.capacity() * size_of::<Record>() + self.waiting.positions.capacity() * 8;
        u64::try_from(waiting).unwrap_or(u64::MAX) + self.batch().map_or(0, |held| held.found.memory())
    }
    /// The batch that the lane holds, if it holds one.
    pub(super) fn batch(&self) -> Option<&LaneBatch> {
        match &self.state {
            LaneState::Gathering => None,
            LaneState::InFlight(batch) | LaneState::BackingOff(batch) | LaneState::Rereading(batch) => Some(batch),
        }
    }
}
