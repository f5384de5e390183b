//! A batch goes to the function, and the function answers.

use super::lane::{LaneBatch, LaneState};
use super::{Mapping, broken};
use crate::batch::{Batch, BatchId, BatchResponse, Envelope, EventSource, InvocationOutcome, InvokeCall};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::ids::{MappingId, ShardIndex};
use crate::observe::fact::{Fact, MappingChange};
use crate::record::{Outcome, Record};
use crate::services::deaggregation::deaggregate_for_function;
use crate::services::lambda;
use crate::world;

/// What a response says about its batch.
enum Verdict {
    /// All of it is done.
    Done,
    /// Everything before this position is done, the rest failed (LAM-X-17).
    FailedFrom(u64),
    /// All of it failed.
    Failed,
}

impl Mapping {
    pub(super) fn invoke(
        &mut self,
        me: MappingId,
        shard: u32,
        lane: u16,
        mut held: LaneBatch,
        mut batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) {
        let (function, now) = (self.function, cx.now());
        let passage = &mut held.passage;
        passage.first_position = held.positions.first();
        if held.attempts == 0 {
            passage.first_dispatched_at = now;
        } else if core::mem::take(&mut held.waits_for_concurrency) {
            passage.throttled_for = passage.throttled_for.saturating_add(now.since(passage.dispatched_at));
        }
        passage.dispatched_at = now;
        if cx.is_watched() || self.errors.report_batch_item_failures {
            batch.positions.extend_from_slice(held.positions.listed());
        }
        self.keep(&mut held, &batch);
        if !self.tumbling_window.is_zero() {
            self.note_arrival(shard, lane, &batch.records);
        }
        batch.envelope = Envelope::Invoke(InvokeCall {
            source: EventSource::Stream(me),
            reader: me.into(),
            function,
            shard: ShardIndex(shard),
            lane,
            outcome: InvocationOutcome::Succeeded,
            response: BatchResponse::default(),
            window: self.window_event(shard, lane, held.is_final),
            state: None,
            passage: held.passage,
        });
        let (attempts_before, payload_full) = (held.attempts, held.payload_full);
        held.attempts += 1;
        let first_position = held.passage.first_position;
        cx.emit(|| Fact::BatchDispatched {
            reader: me.into(),
            processor: function.into(),
            shard: ShardIndex(shard),
            lane,
            first_position,
            records: &batch.records,
            bytes: batch.bytes,
            attempts_before,
            payload_full,
        });
        self.readers[to_usize(shard)].lanes[usize::from(lane)].state = LaneState::InFlight(held);
        if self.fan_out.is_some() {
            self.take_apart(me, shard, (first_position, attempts_before), &mut batch, cx);
        }
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Function(function, lambda::Event::Invoke { batch })
        });
    }

    /// Lambda takes aggregated records apart for a mapping that is pushed to (LAM-K-22, LAM-K-32). BatchSize and payload
    /// stay those of the Kinesis records.
    fn take_apart(
        &self,
        me: MappingId,
        shard: u32,
        (first_position, attempts_before): (u64, u32),
        batch: &mut Batch,
        cx: &mut Cx<'_, '_>,
    ) {
        let wants = |record: &Record| self.filters.as_ref().is_none_or(|filters| filters.wants(record));
        let range = self.readers[to_usize(shard)].range;
        let (dropped, unwanted) = deaggregate_for_function(batch, first_position, range, wants, cx);
        if attempts_before == 0 && dropped + unwanted > 0 {
            cx.emit(|| Fact::MappingChanged {
                reader: me.into(),
                change: MappingChange::UserRecordsLeftOut { dropped, unwanted },
            });
        }
    }

    /// Keeps a copy of records that may be needed once the function has had them: the part of a batch that a response
    /// leaves done, and a batch that is given up unless this attempt succeeds.
    fn keep(&self, held: &mut LaneBatch, batch: &Batch) {
        let errors = &self.errors;
        if errors.report_batch_item_failures || errors.maximum_retry_attempts.is_some_and(|most| held.errors >= most) {
            held.kept.clear();
            held.kept.extend_from_slice(&batch.records);
        }
    }

    pub(super) fn invoked(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Invoke(call) = batch.envelope else {
            return broken(cx, "an answer without its invocation");
        };
        let verdict = self.verdict(&call, &batch);
        cx.recycle(batch);
        let lane = &mut self.readers[to_usize(call.shard.0)].lanes[usize::from(call.lane)];
        lane.window_opened = cx.now();
        let LaneState::InFlight(held) = core::mem::replace(&mut lane.state, LaneState::Gathering) else {
            return broken(cx, "an answer that no lane waits for");
        };
        match (call.outcome, verdict) {
            (InvocationOutcome::Succeeded, Verdict::Done) => self.succeeded(me, &call, held, cx),
            (InvocationOutcome::Succeeded, Verdict::FailedFrom(position)) => {
                self.failed_from(me, &call, held, position, cx);
            }
            (InvocationOutcome::Throttled, _) => self.throttled(me, &call, held, cx),
            (InvocationOutcome::Succeeded, Verdict::Failed)
            | (InvocationOutcome::FunctionError | InvocationOutcome::TimedOut, _) => self.failed(me, &call, held, cx),
        }
    }

    /// What a handler returned counts only with ReportBatchItemFailures (LAM-E-16).
    fn verdict(&self, call: &InvokeCall, batch: &Batch) -> Verdict {
        if call.window.is_some() && call.state.is_none() {
            // Within a window a response without a state is a failure (LAM-W-05).
            return Verdict::Failed;
        }
        if !self.errors.report_batch_item_failures {
            return Verdict::Done;
        }
        match call.response {
            BatchResponse::EmptyList | BatchResponse::NullList | BatchResponse::EmptyObject | BatchResponse::Null => {
                Verdict::Done
            }
            // Of the last two AWS speaks where it tells of queues only.
            BatchResponse::EmptyIdentifier
            | BatchResponse::NullIdentifier
            | BatchResponse::MisnamedIdentifier
            | BatchResponse::InvalidJson
            | BatchResponse::UnknownIdentifier => Verdict::Failed,
            BatchResponse::ItemFailures => {
                let reported = batch.records.iter().zip(&batch.positions);
                let failed = reported.filter(|(record, _)| record.outcome() == Outcome::Failed);
                let lowest = failed.map(|(_, &position)| position).min();
                lowest.map_or(Verdict::Done, Verdict::FailedFrom)
            }
        }
    }

    /// Another poller takes over before the checkpoint has moved, and delivers the batch once more (LAM-U-37).
    fn fails_over(&mut self, held: &LaneBatch) -> bool {
        let failovers = self.failovers.as_mut().filter(|_| !held.repeated);
        failovers.is_some_and(|(rate, stream)| stream.chance(*rate))
    }

    /// Success checkpoints the last record of the batch (LAM-X-01).
    fn succeeded(&mut self, me: MappingId, call: &InvokeCall, mut held: LaneBatch, cx: &mut Cx<'_, '_>) {
        if held.is_final {
            return self.close_window(me, call.shard.0, call.lane, false, cx);
        }
        if self.fails_over(&held) {
            cx.emit(|| Fact::MappingChanged {
                reader: me.into(),
                change: MappingChange::PollerFailedOver {
                    shard: call.shard,
                    records: u32::try_from(held.positions.count()).unwrap_or(u32::MAX),
                },
            });
            (held.repeated, held.throttles, held.read_to) = (true, 0, held.positions.first());
            return self.read_again(me, call.shard.0, call.lane, held, cx);
        }
        cx.emit(|| Fact::BatchAcknowledged {
            reader: me.into(),
            shard: call.shard,
            lane: call.lane,
            records: u32::try_from(held.positions.count()).unwrap_or(u32::MAX),
            again: 0,
            batch: &[],
            positions: held.positions.listed(),
            first_position: held.positions.first(),
        });
        self.advance_window(me, call.shard.0, call.lane, (&held.positions, call.state), cx);
        held.close_run();
        self.go_on(me, call.shard.0, call.lane, held, cx);
    }

    /// A batch, or a piece of one, is done or given up: the lane goes on with the next piece, or is free.
    pub(super) fn go_on(
        &mut self,
        me: MappingId,
        shard: u32,
        lane_number: u16,
        mut held: LaneBatch,
        cx: &mut Cx<'_, '_>,
    ) {
        if held.next_piece() {
            return self.read_again(me, shard, lane_number, held, cx);
        }
        if !held.given_up.is_empty() {
            self.discard_given_up(me, shard, lane_number, &mut held, cx);
        }
        self.dispatch(me, shard, lane_number, cx);
        self.lane_freed(me, shard, cx);
    }
}
