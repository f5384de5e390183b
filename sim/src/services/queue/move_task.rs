//! Redrives: StartMessageMoveTask and what it moves out of a dead-letter queue (SQS-M).

use super::message::{GROUPED, State};
use super::{Event, Order, Queue, quotas};
use crate::batch::{Batch, BatchId, Envelope, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueId;
use crate::observe::queue_fact::{MoveEnd, QueueChange, QueueFact};
use crate::world;
use std::collections::BTreeMap;

/// A redrive that runs.
#[derive(Clone, Debug)]
pub(super) struct MoveTask {
    destination: Option<QueueId>,
    /// Messages that it moves at a time, as it does with calls for batches (SQS-M-18), and how often.
    batch: u32,
    every: SimDuration,
    next: SimTime,
    ends_at: SimTime,
    /// What stands before this position was there at its start.
    boundary: u64,
    /// How far it has looked: among what was moved here with an older timestamp, and among the rest.
    passed: Option<(SimTime, u64)>,
    from: u64,
    moved: u64,
    cancelling: bool,
}

impl MoveTask {
    pub(super) const fn due(&self) -> SimTime {
        self.next
    }
}

impl Queue {
    /// Whether a redrive out of this queue runs.
    pub(crate) const fn is_moving(&self) -> bool {
        self.control.task.is_some()
    }
    /// Starts a redrive. Without a destination each message goes back to where it came from (SQS-M-02).
    pub(super) fn start_move(
        &mut self,
        me: QueueId,
        destination: Option<QueueId>,
        rate: Option<u32>,
        cx: &mut Cx<'_, '_>,
    ) {
        if self.control.task.is_some() {
            return self.refuse_operation(me, ServiceError::InvalidParameterValue, cx);
        }
        let now = cx.now();
        let rate = rate.unwrap_or(self.move_rate).clamp(1, quotas::MOVE_RATE);
        let batch = rate.min(quotas::MAX_ENTRIES);
        self.control.task = Some(MoveTask {
            destination,
            batch,
            every: SimDuration::from_nanos(u64::from(batch) * 1_000_000_000 / u64::from(rate)),
            next: now,
            ends_at: now + quotas::MOVE_TIME,
            boundary: self.messages.end(),
            passed: None,
            from: 0,
            moved: 0,
            cancelling: false,
        });
        let change = QueueChange::MoveStarted {
            to_move: self.depth.available,
        };
        self.state_fact(me, cx, || QueueFact::Changed { change });
    }
    /// Cancels it: the batch that is under way is still moved (SQS-M-13), and nothing goes back (SQS-M-12).
    pub(super) fn cancel_move(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        match &mut self.control.task {
            Some(task) if !task.cancelling => {
                task.cancelling = true;
                let change = QueueChange::MoveCancelling { moved: task.moved };
                self.state_fact(me, cx, || QueueFact::Changed { change });
            }
            Some(_) | None => self.refuse_operation(me, ServiceError::ResourceNotFound, cx),
        }
    }

    /// Moves the next batch, the oldest messages first (SQS-M-09).
    pub(super) fn move_on(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let Some(mut task) = self.control.task.take() else {
            return;
        };
        let now = cx.now();
        let mut batches: BTreeMap<QueueId, Box<Batch>> = BTreeMap::new();
        let (mut taken, mut exhausted) = (0, false);
        while taken < task.batch && !exhausted {
            let Some((sent_at, position, was_moved)) = self.messages.older(task.passed, &mut task.from) else {
                exhausted = true;
                continue;
            };
            if was_moved {
                task.passed = Some((sent_at, position));
            } else {
                task.from = position + 1;
            }
            let to = task.destination.or_else(|| self.origin(position));
            let Some(to) = to.filter(|_| position < task.boundary && self.is_receivable(position)) else {
                continue;
            };
            let batch = batches.entry(to).or_insert_with(|| cx.fresh());
            let message = self.messages.get(position);
            batch.bytes += u64::from(message.bytes);
            batch.positions.push(u64::from(message.has(GROUPED)));
            batch.records.push(message.record());
            self.leave(position, now);
            taken += 1;
        }
        task.moved += u64::from(taken);
        for (to, batch) in batches {
            self.send_redriven(me, to, batch, cx);
        }
        let end = if exhausted {
            Some(MoveEnd::Completed)
        } else if task.cancelling {
            Some(MoveEnd::Cancelled)
        } else {
            (now >= task.ends_at).then_some(MoveEnd::Failed)
        };
        if let Some(end) = end {
            let change = QueueChange::MoveEnded { end, moved: task.moved };
            return self.state_fact(me, cx, || QueueFact::Changed { change });
        }
        task.next = now + task.every;
        self.control.task = Some(task);
    }
    /// Whether a receive could return the message now.
    fn is_receivable(&self, position: u64) -> bool {
        let message = self.messages.get(position);
        let blocked = match &self.order {
            Order::Fifo(groups) => groups.is_in_flight(message.key),
            Order::Standard(_) => false,
        };
        message.state == State::Available && !blocked
    }
    fn send_redriven(&self, me: QueueId, to: QueueId, mut batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        cx.mix_arrivals(&batch.records);
        self.state_fact(me, cx, || QueueFact::Redriven {
            to,
            records: &batch.records,
            bytes: batch.bytes,
        });
        batch.envelope = Envelope::Redriven(me);
        cx.send(batch, SimDuration::MIN, |batch| {
            world::Event::Queue(to, Event::MovedHere { batch })
        });
    }

    /// Messages come from a redrive: new ones, with a new enqueue timestamp, a full retention (SQS-L-15, SQS-E-09) and no
    /// receives (SQS-Z-23), behind whatever came before them (SQS-M-10). They were accepted once already, so no
    /// deduplication ID is compared.
    pub(super) fn redriven_here(&mut self, me: QueueId, (batch, from): (Box<Batch>, QueueId), cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        for (record, &grouped) in batch.records.iter().zip(&batch.positions) {
            let flags = if grouped == 0 { 0 } else { GROUPED };
            self.store(record, now, (0, flags), self.queue_delay, now);
        }
        self.state_fact(me, cx, || QueueFact::RedrivenHere {
            from,
            messages: to_u32(batch.records.len()),
            bytes: batch.bytes,
        });
        cx.recycle(batch);
    }
    /// What another queue sends: messages for a dead-letter queue, or out of one.
    pub(super) fn moved_here(&mut self, me: QueueId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        if let Envelope::Moved(from) = batch.envelope {
            self.dead_lettered_here(me, (batch, from), cx);
        } else if let Envelope::Redriven(from) = batch.envelope {
            self.redriven_here(me, (batch, from), cx);
        } else {
            let what = format!("a queue received {:?} instead of moved messages", batch.envelope);
            cx.fail(Fault::Broken(what));
        }
    }
}
