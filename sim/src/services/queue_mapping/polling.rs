//! Calls of the queue: receives and deletes.

use super::batching::{Poller, State};
use super::{Event, QueueMapping, QueueMappingFact, Scaling, broken, quotas, state};
use crate::batch::{Batch, BatchId, Envelope, QueueAction, QueueCall};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{QueueConsumer, QueueMappingId};
use crate::record::Outcome;
use crate::services::queue;
use crate::world;

impl QueueMapping {
    /// Sets resting pollers to work until there are as many as there may be. They begin within a tenth of a second, so
    /// that they do not march in step.
    pub(super) fn raise(&mut self, me: QueueMappingId, cx: &mut Cx<'_, '_>) {
        let target = self.target();
        let missing = u64::from(target.saturating_sub(self.active));
        let mut number = 0;
        for poller in 0..target {
            if self.active >= target {
                return;
            }
            if self.pollers.len() <= to_usize(poller) {
                self.pollers.push(Poller::default());
            }
            let own = &mut self.pollers[to_usize(poller)];
            if own.state != State::Resting {
                continue;
            }
            own.state = State::Gathering;
            self.active += 1;
            let share = SimDuration::from_nanos(number * 100_000_000 / missing.max(1));
            number += 1;
            self.wake_poller(me, poller, cx.now() + share, cx);
        }
    }

    /// A poller long-polls (LAM-U-16), when its limits allow it.
    pub(super) fn poll(&mut self, me: QueueMappingId, poller: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if let Scaling::Provisioned(scaling) = &mut self.scaling {
            let at = scaling.next_call(poller, now);
            if at > now {
                self.pollers[to_usize(poller)].state = State::Gathering;
                return self.wake_poller(me, poller, at, cx);
            }
        }
        let own = &mut self.pollers[to_usize(poller)];
        own.state = State::Receiving;
        own.asked_at = now;
        let wanted = self.batch_size.saturating_sub(own.held.records.len());
        let max = wanted.min(to_usize(quotas::RECEIVE_MAX));
        let action = QueueAction::Receive {
            max: u8::try_from(max).unwrap_or(u8::MAX),
            wait: Some(quotas::LONG_POLL),
            visibility: self.visibility.1.then_some(self.visibility.0),
            attempt: None,
        };
        let batch = cx.fresh();
        self.call(me, poller, action, batch, cx);
    }

    fn call(
        &mut self,
        me: QueueMappingId,
        poller: u32,
        action: QueueAction,
        mut batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::Queue(QueueCall {
            consumer: QueueConsumer::Mapping(me),
            worker: poller,
            action,
            waited: false,
            error: None,
        });
        self.send_to_queue(batch, cx);
    }
    fn send_to_queue(&mut self, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let (queue, delay) = (self.queue, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Queue(queue, queue::Event::CallReceived { batch })
        });
    }

    pub(super) fn answered(&mut self, me: QueueMappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Queue(call) = batch.envelope else {
            return broken(cx, "an answer that is none of the queue's");
        };
        if call.error.is_some() {
            state(me, QueueMappingFact::CallRefused, cx);
            return self.refused(me, batch, call, cx);
        }
        match call.action {
            QueueAction::Receive { .. } => self.received(me, batch, call, cx),
            QueueAction::Delete => self.deleted(me, batch, cx),
            QueueAction::ChangeVisibility { .. } => broken(cx, "a change of visibility, which it never asks for"),
        }
    }

    /// The queue refused a call: it is made again after a pause.
    fn refused(&mut self, me: QueueMappingId, batch: Box<Batch>, call: QueueCall, cx: &mut Cx<'_, '_>) {
        let at = cx.now() + self.retry_pause;
        if matches!(call.action, QueueAction::Receive { .. }) {
            cx.recycle(batch);
            self.pollers[to_usize(call.worker)].state = State::Gathering;
            // Who is refused is not busy: more pollers would only be refused more often.
            self.waited = self.waited + self.retry_pause;
            return self.wake_poller(me, call.worker, at, cx);
        }
        if let Some(batch) = cx.hold(batch) {
            cx.wake(
                at,
                Phase::Act,
                world::Event::QueueMapping(me, Event::DeleteAgain { batch }),
            );
        }
    }

    fn received(&mut self, me: QueueMappingId, mut batch: Box<Batch>, call: QueueCall, cx: &mut Cx<'_, '_>) {
        let (now, poller) = (cx.now(), call.worker);
        let own = &self.pollers[to_usize(poller)];
        if own.state != State::Receiving {
            return broken(cx, "an answer that no poller waits for");
        }
        if call.waited {
            self.waited = self.waited + now.since(own.asked_at.max(self.last_weighed));
        }
        match &mut self.scaling {
            Scaling::OnDemand(scaling) => scaling.polled(now, batch.records.is_empty()),
            Scaling::Provisioned(scaling) => scaling.polled(poller, now, batch.bytes),
        }
        let records = &batch.records;
        state(me, QueueMappingFact::Polled { records }, cx);
        if !batch.records.is_empty() {
            self.filter(me, poller, &mut batch, cx);
            self.gather(poller, &batch.records, &batch.positions, now);
        }
        cx.recycle(batch);
        self.pollers[to_usize(poller)].state = State::Gathering;
        self.go_on(me, poller, cx);
        // A message may have woken a mapping that had gone down to two pollers.
        if self.active < self.target() {
            self.raise(me, cx);
        }
    }

    /// Takes messages that no filter wants out of a batch and deletes them (LAM-S-30).
    fn filter(&mut self, me: QueueMappingId, poller: u32, batch: &mut Batch, cx: &mut Cx<'_, '_>) {
        let Some(filters) = &self.filters else { return };
        let mut unwanted = cx.fresh();
        let mut kept = 0;
        for at in 0..batch.records.len() {
            let (record, receipt) = (batch.records[at], batch.positions[at]);
            if filters.wants(&record) {
                (batch.records[kept], batch.positions[kept]) = (record, receipt);
                kept += 1;
            } else {
                unwanted.records.push(record);
                unwanted.positions.push(receipt);
            }
        }
        batch.records.truncate(kept);
        batch.positions.truncate(kept);
        if unwanted.records.is_empty() {
            return cx.recycle(unwanted);
        }
        let records = &unwanted.records;
        state(me, QueueMappingFact::FilteredOut { records }, cx);
        self.deleting += u64::from(to_u32(unwanted.records.len()));
        self.call(me, poller, QueueAction::Delete, unwanted, cx);
    }

    /// Deletes messages, ten at a time (SQS-B-01).
    pub(super) fn delete(&mut self, me: QueueMappingId, poller: u32, done: &Batch, cx: &mut Cx<'_, '_>) {
        let most = to_usize(quotas::RECEIVE_MAX);
        for (records, receipts) in done.records.chunks(most).zip(done.positions.chunks(most)) {
            let mut request = cx.fresh();
            request.records.extend_from_slice(records);
            request.positions.extend_from_slice(receipts);
            self.deleting += u64::from(to_u32(records.len()));
            self.call(me, poller, QueueAction::Delete, request, cx);
        }
    }
    pub(super) fn delete_again(&mut self, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Queue(call) = batch.envelope else {
            return broken(cx, "a delete without its call");
        };
        batch.envelope = Envelope::Queue(QueueCall { error: None, ..call });
        self.send_to_queue(batch, cx);
    }
    fn deleted(&mut self, me: QueueMappingId, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let all = to_u32(batch.records.len());
        let failed = batch
            .records
            .iter()
            .filter(|record| record.outcome() == Outcome::Failed);
        let refused = to_u32(failed.count());
        cx.recycle(batch);
        self.deleting -= u64::from(all);
        let entries = all - refused;
        state(me, QueueMappingFact::Deleted { entries, refused }, cx);
    }

    /// Time that pollers have spent waiting for messages since they were weighed last, up to `now`.
    pub(super) fn waiting(&mut self, now: SimTime) -> SimDuration {
        let span = now.since(self.last_weighed);
        let mut waited = core::mem::take(&mut self.waited);
        for poller in &self.pollers {
            // What has been under way for longer than this lies waiting at the queue.
            if poller.state == State::Receiving && poller.asked_at <= self.last_weighed {
                waited = waited + span;
            }
        }
        waited
    }
}
