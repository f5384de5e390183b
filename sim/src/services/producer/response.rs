//! Responses: what is done, what the SDK repeats, what the application sends again, and what is given up.

use super::retry::{self, Decision};
use super::{Event, Producer, WAITED_FOR, broken};
use crate::batch::{Batch, BatchId, Envelope, PutCall};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::ProducerId;
use crate::observe::fact::{Fact, GiveUpReason, RetryBy};
use crate::record::Outcome;
use crate::world;

impl Producer {
    pub(super) fn responded(&mut self, me: ProducerId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Put(call) = batch.envelope else {
            return broken(cx, "a response without its call");
        };
        self.in_flight -= u64::from(to_u32(batch.records.len()));
        if call.cohort {
            return self.window_responded(me, batch, call.error, cx);
        }
        let key = batch.records.first().map(|record| record.key);
        match call.error {
            None => {
                self.retry.on_success(cx.now(), call.attempt, call.retry_cost);
                self.busy -= 1;
                self.settle(me, batch, call, cx);
                self.next_of_key(me, key, cx);
            }
            Some(error) => {
                cx.emit(|| Fact::RequestFailed {
                    producer: me,
                    error,
                    records: to_u32(batch.records.len()),
                });
                match self.retry.on_error(cx.now(), error, call.attempt) {
                    Decision::RetryAfter { wait, cost } => {
                        let call = PutCall {
                            retry_cost: cost,
                            ..call
                        };
                        self.retry_whole(me, batch, call, wait, cx);
                    }
                    Decision::GiveUp(reason) => {
                        self.busy -= 1;
                        Self::give_up(me, batch, reason, cx);
                        self.next_of_key(me, key, cx);
                    }
                }
            }
        }
        self.serve_waiting(me, cx);
    }

    /// The SDK repeats the whole request; it keeps its connection meanwhile.
    fn retry_whole(
        &mut self,
        me: ProducerId,
        mut batch: Box<Batch>,
        call: PutCall,
        wait: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        for record in &mut batch.records {
            record.set_outcome(Outcome::Accepted);
            record.arrived_at = SimTime::ZERO;
        }
        batch.envelope = Envelope::Put(PutCall {
            attempt: call.attempt + 1,
            error: None,
            ..call
        });
        self.repeat_after(me, batch, RetryBy::Sdk, wait, cx);
    }

    /// Sends the request again after a wait.
    fn repeat_after(&mut self, me: ProducerId, batch: Box<Batch>, by: RetryBy, wait: SimDuration, cx: &mut Cx<'_, '_>) {
        let at = cx.now() + wait;
        cx.emit(|| Fact::RetryScheduled {
            producer: me,
            by,
            at,
            records: to_u32(batch.records.len()),
        });
        self.postpone(me, batch, at, cx);
    }

    fn give_up(me: ProducerId, batch: Box<Batch>, reason: GiveUpReason, cx: &mut Cx<'_, '_>) {
        cx.emit(|| Fact::RecordsGivenUp {
            producer: me,
            reason,
            records: &batch.records,
        });
        cx.recycle(batch);
    }

    /// A response without error: stored entries are done, refused ones are sent again or given up.
    fn settle(&mut self, me: ProducerId, mut batch: Box<Batch>, call: PutCall, cx: &mut Cx<'_, '_>) {
        if call.refused == 0 {
            cx.emit(|| Fact::RecordsAcknowledged {
                producer: me,
                records: &batch.records,
            });
            return cx.recycle(batch);
        }
        let mut again = cx.fresh();
        again.records.reserve(to_usize(call.refused));
        batch.records.retain(|record| {
            let accepted = record.outcome() == Outcome::Accepted;
            if !accepted {
                let mut record = *record;
                record.set_outcome(Outcome::Accepted);
                again.bytes += u64::from(record.bytes);
                again.records.push(record);
            }
            accepted
        });
        if !batch.records.is_empty() {
            cx.emit(|| Fact::RecordsAcknowledged {
                producer: me,
                records: &batch.records,
            });
        }
        cx.recycle(batch);
        let Some(resend) = self.resend else {
            return Self::give_up(me, again, GiveUpReason::NotResent, cx);
        };
        let Some(wait) = retry::resend_after(&resend, call.resends, &mut self.resend_stream) else {
            return Self::give_up(me, again, GiveUpReason::AttemptsExhausted, cx);
        };
        again.envelope = self.envelope(me, 1, call.resends + 1, cx.now());
        if let Envelope::Put(repeated) = &mut again.envelope {
            repeated.first_sent_at = call.first_sent_at;
        }
        self.repeat_after(me, again, RetryBy::Application, wait, cx);
    }

    pub(super) fn retry_due(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        while let Some(batch) = self.later.pop_due(now) {
            let Envelope::Put(call) = batch.envelope else {
                return broken(cx, "a request without its call");
            };
            // A repeat by the SDK still holds its connection, as does a first attempt that the SDK made wait.
            let holds = call.attempt > 1 || call.sent_at == WAITED_FOR;
            if holds {
                self.send(me, batch, cx);
            } else {
                self.submit(me, batch, cx);
            }
        }
        if let Some(at) = self.later.fired(now) {
            cx.wake(at, Phase::Act, world::Event::Producer(me, Event::RetryDue));
        }
    }

    fn serve_waiting(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        while self.busy < self.concurrency
            && let Some(batch) = self.ready.pop_front()
        {
            self.busy += 1;
            self.send(me, batch, cx);
        }
    }
}
