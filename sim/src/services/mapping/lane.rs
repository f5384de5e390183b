//! A lane: one concurrent batch slot of one shard, with the records that wait for it.

use super::windows::OpenWindow;
use crate::batch::{Batch, Passage};
use crate::engine::time::SimTime;
use crate::observe::fact::DiscardReason;
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
#[expect(clippy::struct_excessive_bools, reason = "each says something else about the batch")]
pub(super) struct LaneBatch {
    /// Positions of its records, in order.
    pub(super) positions: Positions,
    /// Function errors so far.
    pub(super) errors: u32,
    /// Throttles since the function last ran.
    pub(super) throttles: u32,
    /// It has not been sent since it, or an earlier piece of the batch, was throttled.
    pub(super) waits_for_concurrency: bool,
    /// Attempts so far, of either kind.
    pub(super) attempts: u32,
    /// It ended where another record would not have fitted the payload (LAM-E-08).
    pub(super) payload_full: bool,
    /// For observers: when it was sent.
    pub(super) passage: Passage,
    /// While it is read again: the position from which that goes on, and the records found before it.
    pub(super) read_to: u64,
    /// See `read_to`.
    pub(super) found: Option<Box<Batch>>,
    /// A copy of its records, where they are needed after the function has had them.
    pub(super) kept: Vec<Record>,
    /// Later pieces of the batch, cut off by bisecting, the next one last (LAM-U-06).
    pub(super) rest: Vec<Piece>,
    /// Pieces that were given up, in order, while others of the batch are under way.
    pub(super) given_up: Vec<GivenUp>,
    /// It ends a tumbling window, and has no records (LAM-W-06).
    pub(super) is_final: bool,
    /// It has succeeded before, and was not checkpointed (LAM-U-37).
    pub(super) repeated: bool,
    /// The last of these may grow: nothing of the batch has succeeded since.
    run_is_open: bool,
}

/// A piece of a batch that was cut in two.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) positions: Positions,
    /// Function errors of the whole, which it inherits (LAM-U-06).
    pub(super) errors: u32,
}

/// Records that are given up together.
#[derive(Clone, Debug)]
pub(super) struct GivenUp {
    pub(super) positions: Positions,
    pub(super) records: Vec<Record>,
    pub(super) reason: DiscardReason,
    /// How often the function got them, in their last batch.
    pub(super) invocations: u32,
}

impl LaneBatch {
    /// A batch that has not been tried.
    pub(super) fn new(positions: Positions, payload_full: bool) -> Self {
        Self {
            positions,
            errors: 0,
            throttles: 0,
            waits_for_concurrency: false,
            attempts: 0,
            payload_full,
            passage: Passage::default(),
            read_to: 0,
            found: None,
            kept: Vec::new(),
            rest: Vec::new(),
            given_up: Vec::new(),
            is_final: false,
            repeated: false,
            run_is_open: false,
        }
    }
    /// Bytes of memory that records of it take.
    fn memory(&self) -> u64 {
        let kept = self.kept.capacity() + self.given_up.iter().map(|one| one.records.capacity()).sum::<usize>();
        self.found.as_ref().map_or(0, |found| found.memory())
            + u64::try_from(kept * size_of::<Record>()).unwrap_or(u64::MAX)
    }
    /// Turns to the next piece, if there is one.
    pub(super) fn next_piece(&mut self) -> bool {
        let Some(piece) = self.rest.pop() else {
            return false;
        };
        (self.positions, self.errors, self.throttles) = (piece.positions, piece.errors, 0);
        self.read_to = self.positions.first();
        true
    }
    /// Records succeeded: what is given up before them and after them are two runs.
    pub(super) const fn close_run(&mut self) {
        self.run_is_open = false;
    }
    /// Gives the rest of the piece up, whose records were kept.
    pub(super) fn give_up(&mut self, reason: DiscardReason) {
        let positions = core::mem::replace(&mut self.positions, Positions::Run { first: 0, count: 0 });
        let records = core::mem::take(&mut self.kept);
        let invocations = self.errors + 1;
        self.add_given_up(positions, records, reason, invocations);
    }
    /// Gives records up; next to others that were for the same reason they join these.
    pub(super) fn add_given_up(
        &mut self,
        positions: Positions,
        records: Vec<Record>,
        reason: DiscardReason,
        invocations: u32,
    ) {
        let last = self.given_up.last_mut().filter(|last| last.reason == reason);
        if let Some(last) = last.filter(|_| self.run_is_open) {
            last.positions.append(&positions);
            last.records.extend(records);
            last.invocations = last.invocations.max(invocations);
        } else {
            self.given_up.push(GivenUp {
                positions,
                records,
                reason,
                invocations,
            });
        }
        self.run_is_open = true;
    }
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
    /// Takes the first `count` away and returns them.
    pub(super) fn split_first(&mut self, count: u64) -> Self {
        let border = match self {
            Self::Run { first, .. } => *first + count,
            Self::List(list) => {
                let at = usize::try_from(count).unwrap_or(usize::MAX);
                list.get(at).copied().unwrap_or(u64::MAX)
            }
        };
        self.split_before(border)
    }
    /// Adds positions that follow.
    pub(super) fn append(&mut self, later: &Self) {
        if let (
            Self::Run { first, count },
            Self::Run {
                first: next,
                count: more,
            },
        ) = (&mut *self, later)
            && *first + *count == *next
        {
            *count += more;
            return;
        }
        let mut list = self.all();
        list.extend(later.all());
        *self = Self::List(list);
    }
    fn all(&self) -> Vec<u64> {
        match self {
            Self::Run { first, count } => (*first..first + count).collect(),
            Self::List(list) => list.clone(),
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
    /// The tumbling window that its batches belong to.
    pub(super) window: Option<OpenWindow>,
    /// When the batching window opened (LAM-E-06): at the end of the previous invocation, or, if it ran out with
    /// nothing gathered, at the first record gathered.
    pub(super) window_opened: SimTime,
    /// When the lane's timer is due, if it has one.
    pub(super) timer: Option<SimTime>,
    /// Marks that timer; an earlier one is stale.
    pub(super) generation: u16,
    /// So many of the records that wait were read before the mapping was switched off and on: they are read once more.
    pub(super) read_before_pause: usize,
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
            window: None,
            window_opened: SimTime::ZERO,
            timer: None,
            generation: 0,
            read_before_pause: 0,
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
    /// Adds a whole page to a lane that has the shard to itself. An empty lane takes the page's memory over.
    pub(super) fn gather_page(&mut self, page: &mut Batch, first: u64) {
        let waiting = &mut self.waiting;
        let held = waiting.records.len() - waiting.taken;
        waiting.bytes += page.bytes;
        if held == 0 {
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
        self.read_before_pause = self.read_before_pause.saturating_sub(count);
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
        u64::try_from(waiting).unwrap_or(u64::MAX) + self.batch().map_or(0, LaneBatch::memory)
    }
    /// The batch that the lane holds, if it holds one.
    pub(super) fn batch(&self) -> Option<&LaneBatch> {
        match &self.state {
            LaneState::Gathering => None,
            LaneState::InFlight(batch) | LaneState::BackingOff(batch) | LaneState::Rereading(batch) => Some(batch),
        }
    }
}
