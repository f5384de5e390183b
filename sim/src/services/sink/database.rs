//! A system with one line in front of it: a database, or a data warehouse into which data is loaded.
//!
//! Writes stand in line, first come, first served: a write of n records takes n / capacity of it. A database takes a
//! latency of its own after that, in which it holds nobody up. In a warehouse the latency is part of the line: loads
//! into one table wait for each other's lock (RS-LOAD-01), so each costs its start-up time however small it is.
//!
//! In an outage everything stands still: what was inside goes on afterwards where it stopped, what arrives meanwhile
//! queues behind it, and nothing is answered.
//!
//! One timer wakes the sink for its next completion; an outage or a change of capacity moves completions, and a timer
//! that comes too early finds nothing to do.

use super::line::{Line, WORK_PER_RECORD};
use super::{Effect, Event, arm, write_call};
use crate::batch::{Batch, BatchId, WriteError, WriteOutcome};
use crate::blueprint::SinkBlueprint;
use crate::context::Cx;
use crate::engine::deadlines::Deadlines;
use crate::engine::index::to_u32;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::SinkId;
use crate::services::random_span::RandomSpan;

/// A line of writes.
#[derive(Clone, Debug)]
pub(super) struct Database {
    line: Line,
    latency: RandomSpan,
    /// The latency is part of the line.
    latency_in_line: bool,
    /// So many writes at a time; `None`: any number.
    max_connections: Option<u32>,
    idempotent: bool,
    /// The writes inside, by the instant of their completion.
    writes: Deadlines<Write>,
    records: u64,
    /// The end of the latest outage.
    out_until: SimTime,
}

/// A write inside.
#[derive(Clone, Copy, Debug)]
struct Write {
    batch: BatchId,
    received_at: SimTime,
    /// What the line must still do, as of the last change of capacity.
    work: u128,
    /// The part of the line that is not work: the start-up of a load.
    start_up: SimDuration,
    /// When it leaves the line.
    served_at: SimTime,
    /// From then to its completion.
    latency: SimDuration,
}

impl Write {
    const fn complete_at(&self) -> SimTime {
        self.served_at.saturating_add(self.latency)
    }
}

impl Database {
    pub(super) const fn new(blueprint: &SinkBlueprint, latency: RandomSpan, latency_in_line: bool) -> Self {
        Self {
            line: Line::new(blueprint.capacity),
            latency,
            latency_in_line,
            max_connections: blueprint.max_connections,
            idempotent: blueprint.idempotent,
            writes: Deadlines::new(),
            records: 0,
            out_until: SimTime::ZERO,
        }
    }

    /// Puts a write in line; gives it back if there is no connection for it.
    pub(super) fn write(
        &mut self,
        me: SinkId,
        batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) -> Option<(Box<Batch>, WriteOutcome)> {
        if self
            .max_connections
            .is_some_and(|most| to_u32(self.writes.len()) >= most)
        {
            let outcome = WriteOutcome::Failed {
                error: WriteError::TooManyConnections,
                unwritten: to_u32(batch.records.len()),
            };
            return Some((batch, outcome));
        }
        let records = to_u32(batch.records.len());
        let batch = cx.hold(batch)?;
        let work = u128::from(records) * WORK_PER_RECORD;
        let drawn = self.latency.draw();
        let (start_up, latency) = if self.latency_in_line {
            (drawn, SimDuration::ZERO)
        } else {
            (SimDuration::ZERO, drawn)
        };
        let write = Write {
            batch,
            received_at: cx.now(),
            work,
            start_up,
            served_at: self.line.join(cx.now(), start_up, work),
            latency,
        };
        self.records += u64::from(records);
        let timer = self.add(write, cx.now());
        arm(timer, me, Event::Done { batch: write.batch }, cx);
        None
    }

    /// The next write that is due, complete. Of an instant, the first that came is the first that goes.
    pub(super) fn complete(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) -> Option<(Box<Batch>, WriteOutcome)> {
        let write = self.writes.pop_due(cx.now())?;
        let batch = cx.take(write.batch)?;
        let call = write_call(&batch, cx)?;
        self.records -= u64::from(to_u32(batch.records.len()));
        Effect {
            sink: me,
            call,
            records: &batch.records,
            positions: &batch.positions,
            received_at: write.received_at,
            capacity: self.line.capacity(),
            rewrites: self.idempotent,
            more: false,
        }
        .take_effect(cx);
        Some((batch, WriteOutcome::Written))
    }

    /// A timer has fired and everything due is complete.
    pub(super) fn await_next(&mut self, me: SinkId, cx: &mut Cx<'_, '_>) {
        let timer = self.writes.fired(cx.now());
        if let Some(batch) = self.writes.first().map(|(_, write)| write.batch) {
            arm(timer, me, Event::Done { batch }, cx);
        }
    }

    /// Changes the capacity; `None`: unlimited. Writes in line go on at the new one, the first of them with what it
    /// still lacks. A load that has begun ends as it began.
    pub(super) fn set_capacity(&mut self, me: SinkId, capacity: Option<Rate>, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let mut from = now.max(self.out_until);
        let mut writes: Vec<Write> = self.writes.take_all().into_iter().map(|(_, write)| write).collect();
        let mut in_line = writes.iter_mut().filter(|write| write.served_at > now).peekable();
        if self.latency_in_line {
            if let Some(first) = in_line.next().filter(|first| first.served_at < SimTime::NEVER) {
                from = first.served_at;
            }
        } else if let Some(first) = in_line.peek_mut() {
            first.work = self.line.left(from, first.served_at, first.work);
        }
        self.line.restart(from, capacity);
        for write in in_line {
            write.served_at = self.line.join(from, write.start_up, write.work);
        }
        self.put_back(writes, me, cx);
    }

    /// Nothing happens inside for a while, from now on or from the end of an outage in progress that ends sooner.
    pub(super) fn break_for(&mut self, me: SinkId, lasts: SimDuration, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let from = now.max(self.out_until);
        let until = now.saturating_add(lasts);
        if until <= from {
            return;
        }
        self.out_until = until;
        self.line.stand_still(from, until);
        let writes = self.writes.take_all().into_iter().map(|(_, mut write)| {
            let longer = until.since(from);
            if write.served_at > now {
                write.served_at = write.served_at.saturating_add(longer);
            } else {
                write.latency = write.latency.saturating_add(longer);
            }
            write
        });
        let writes = writes.collect();
        self.put_back(writes, me, cx);
    }

    pub(super) const fn records(&self) -> u64 {
        self.records
    }
    pub(super) fn writes(&self) -> usize {
        self.writes.len()
    }
    pub(super) const fn draws(&self) -> u64 {
        self.latency.draws()
    }

    /// Files a write that is not yet complete; returns the instant of the timer that it needs, if it needs one.
    fn add(&mut self, write: Write, now: SimTime) -> Option<SimTime> {
        // Even an immediate completion comes after the event in progress.
        let at = write.complete_at().max(now.saturating_add(SimDuration::MIN));
        self.writes.add(at, write)
    }

    /// Files writes again, in the order in which they came, after their completions have moved.
    fn put_back(&mut self, writes: Vec<Write>, me: SinkId, cx: &mut Cx<'_, '_>) {
        let mut timer = None;
        for write in writes {
            timer = self.add(write, cx.now()).or(timer);
        }
        if let Some(batch) = self.writes.first().map(|(_, write)| write.batch) {
            arm(timer, me, Event::Done { batch }, cx);
        }
    }
}
