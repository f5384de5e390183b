//! A batch goes to the function, and the function answers.

use super::batching::{State, doubled};
use super::{QueueMapping, QueueMappingFact, Scaling, broken, quotas, state};
use crate::batch::{Batch, BatchId, BatchResponse, Envelope, EventSource, InvocationOutcome, InvokeCall};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{QueueMappingId, ShardIndex};
use crate::record::Outcome;
use crate::services::lambda;
use crate::world;

/// What a response says about its batch.
enum Verdict {
    Done,
    /// The messages with the receipts in the response failed (LAM-Q-05).
    Reported,
    Failed,
}

impl QueueMapping {
    /// The first messages that a poller holds are a batch from now on.
    pub(super) fn begin(
        &mut self,
        me: QueueMappingId,
        poller: u32,
        (messages, payload_full): (usize, bool),
        cx: &mut Cx<'_, '_>,
    ) {
        let now = cx.now();
        let own = &mut self.pollers[to_usize(poller)];
        own.batch = messages;
        own.throttles = 0;
        own.passage = crate::batch::Passage {
            first_position: own.held.receipts.first().copied().unwrap_or(0),
            first_dispatched_at: now,
            dispatched_at: now,
            ..crate::batch::Passage::default()
        };
        self.invoke(me, poller, payload_full, cx);
    }

    /// A throttled batch is tried again, unless its visibility timeout is nearly over: then it is let go (LAM-Q-02).
    pub(super) fn attempt_again(&mut self, me: QueueMappingId, poller: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if now >= self.let_go_at(poller) {
            let messages = self.pollers[to_usize(poller)].batch;
            self.let_go(me, poller, messages, cx);
            return self.free(me, poller, cx);
        }
        let passage = &mut self.pollers[to_usize(poller)].passage;
        let waited = now.since(passage.dispatched_at);
        passage.throttled_for = passage.throttled_for.saturating_add(waited);
        passage.dispatched_at = now;
        self.invoke(me, poller, false, cx);
    }

    fn let_go_at(&self, poller: u32) -> SimTime {
        let own = &self.pollers[to_usize(poller)];
        let first = own.held.hidden_until[..own.batch].iter().min().copied();
        first.unwrap_or(SimTime::ZERO).saturating_sub(quotas::LET_GO_BEFORE)
    }

    fn invoke(&mut self, me: QueueMappingId, poller: u32, payload_full: bool, cx: &mut Cx<'_, '_>) {
        let limit = self.target();
        self.invoking += 1;
        let own = &mut self.pollers[to_usize(poller)];
        own.state = State::Invoking;
        let mut batch = cx.fresh();
        batch.records.extend_from_slice(&own.held.records[..own.batch]);
        batch.positions.extend_from_slice(&own.held.receipts[..own.batch]);
        batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
        batch.envelope = Envelope::Invoke(InvokeCall {
            source: EventSource::Queue(me, poller),
            reader: self.reader,
            function: self.function,
            shard: ShardIndex(0),
            lane: 0,
            outcome: InvocationOutcome::Succeeded,
            response: BatchResponse::default(),
            window: None,
            state: None,
            passage: own.passage,
        });
        let fact = QueueMappingFact::Dispatched {
            records: &batch.records,
            bytes: batch.bytes,
            attempts_before: own.throttles,
            payload_full,
            concurrent: self.invoking,
            limit,
        };
        state(me, fact, cx);
        let (function, delay) = (self.function, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Function(function, lambda::Event::Invoke { batch })
        });
    }

    pub(super) fn invoked(&mut self, me: QueueMappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Invoke(call) = batch.envelope else {
            return broken(cx, "an answer without its invocation");
        };
        let EventSource::Queue(_, poller) = call.source else {
            return broken(cx, "the answer to another mapping");
        };
        if self.pollers[to_usize(poller)].state != State::Invoking {
            return broken(cx, "an answer that no poller waits for");
        }
        self.invoking -= 1;
        self.pollers[to_usize(poller)].window_opened = cx.now();
        match (call.outcome, self.verdict(&call)) {
            (InvocationOutcome::Throttled, _) => {
                cx.recycle(batch);
                return self.throttled(me, poller, cx);
            }
            (InvocationOutcome::Succeeded, Verdict::Done) => self.settle(me, poller, call.outcome, |_| false, cx),
            (InvocationOutcome::Succeeded, Verdict::Reported) => {
                let failed = batch.records.iter().zip(&batch.positions);
                let failed = failed.filter(|(record, _)| record.outcome() == Outcome::Failed);
                let mut receipts: Vec<u64> = failed.map(|(_, &receipt)| receipt).collect();
                receipts.sort_unstable();
                self.settle(
                    me,
                    poller,
                    call.outcome,
                    |receipt| receipts.binary_search(&receipt).is_ok(),
                    cx,
                );
            }
            (InvocationOutcome::Succeeded, Verdict::Failed)
            | (InvocationOutcome::FunctionError | InvocationOutcome::TimedOut, _) => {
                // With ReportBatchItemFailures it does not slow down (LAM-Q-04).
                if let Scaling::OnDemand(scaling) = &mut self.scaling
                    && !self.report_batch_item_failures
                {
                    scaling.failed();
                }
                self.settle(me, poller, call.outcome, |_| true, cx);
            }
        }
        cx.recycle(batch);
        self.free(me, poller, cx);
    }

    /// What a handler returned counts only with ReportBatchItemFailures (LAM-E-16).
    fn verdict(&self, call: &InvokeCall) -> Verdict {
        if !self.report_batch_item_failures {
            return Verdict::Done;
        }
        match call.response {
            BatchResponse::EmptyList | BatchResponse::NullList | BatchResponse::EmptyObject | BatchResponse::Null => {
                Verdict::Done
            }
            BatchResponse::EmptyIdentifier
            | BatchResponse::NullIdentifier
            | BatchResponse::MisnamedIdentifier
            | BatchResponse::InvalidJson
            | BatchResponse::UnknownIdentifier => Verdict::Failed,
            BatchResponse::ItemFailures => Verdict::Reported,
        }
    }

    /// A batch is over: what is processed is deleted, the rest comes back when its visibility timeout is over.
    fn settle(
        &mut self,
        me: QueueMappingId,
        poller: u32,
        outcome: InvocationOutcome,
        has_failed: impl Fn(u64) -> bool,
        cx: &mut Cx<'_, '_>,
    ) {
        let (mut done, mut failed): (Box<Batch>, Box<Batch>) = (cx.fresh(), cx.fresh());
        let own = &mut self.pollers[to_usize(poller)];
        let messages = own.batch;
        for (record, &receipt) in own.held.records[..messages].iter().zip(&own.held.receipts) {
            let to = if has_failed(receipt) { &mut failed } else { &mut done };
            to.records.push(*record);
            to.positions.push(receipt);
        }
        own.held.remove_first(messages);
        if !failed.records.is_empty() {
            let fact = QueueMappingFact::Failed {
                outcome,
                records: &failed.records,
                batch: to_u32(messages),
            };
            state(me, fact, cx);
        }
        if !done.records.is_empty() {
            let records = &done.records;
            state(me, QueueMappingFact::Done { records }, cx);
            self.delete(me, poller, &done, cx);
        }
        cx.recycle(done);
        cx.recycle(failed);
    }

    /// 429: the poller keeps the batch (LAM-Z-16).
    fn throttled(&mut self, me: QueueMappingId, poller: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if let Scaling::OnDemand(scaling) = &mut self.scaling {
            scaling.throttled(now);
        }
        let own = &mut self.pollers[to_usize(poller)];
        own.state = State::Throttled;
        own.throttles += 1;
        let records = to_u32(own.batch);
        let wait = doubled(self.throttle_backoff, own.throttles);
        state(me, QueueMappingFact::Throttled { records }, cx);
        let at = (now + wait).min(self.let_go_at(poller).max(now));
        self.wake_poller(me, poller, at, cx);
    }

    /// A poller is done with its batch.
    fn free(&mut self, me: QueueMappingId, poller: u32, cx: &mut Cx<'_, '_>) {
        let own = &mut self.pollers[to_usize(poller)];
        own.batch = 0;
        own.state = State::Gathering;
        self.go_on(me, poller, cx);
    }
}
