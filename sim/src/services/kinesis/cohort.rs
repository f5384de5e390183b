//! Cohorts: the single-record calls of fast producers, handled window by window.
//!
//! A cohort carries all calls of one window with their exact times. Each call draws its own service time; the stream
//! gathers the calls by the window in which their service ends, and at the start of that window admits them in the
//! order of those instants, at those instants. What is approximated: results reach the producer up to a window late,
//! and a call is handled after those that other producers made as calls of their own in the same window.

use super::{Event, Stream};
use crate::batch::{Batch, Envelope, PutCall, ServiceError};
use crate::context::Cx;
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, StreamId};
use crate::observe::fact::Fact;
use crate::record::{Outcome, Record};
use std::collections::VecDeque;

/// A call whose service ends in some window.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// When its service ends.
    at: SimTime,
    producer: ProducerId,
    record: Record,
}

/// Calls in service, by the window in which their service ends.
#[derive(Clone, Debug)]
pub(super) struct Cohorts {
    window: SimDuration,
    /// Number of the window that `buckets[0]` stands for.
    first: u64,
    buckets: VecDeque<Vec<Served>>,
    spare: Vec<Vec<Served>>,
    calls: u64,
    /// The window for whose start an event is scheduled.
    armed: Option<u64>,
}

impl Cohorts {
    pub(super) const fn new(window: SimDuration) -> Self {
        Self {
            window,
            first: 0,
            buckets: VecDeque::new(),
            spare: Vec::new(),
            calls: 0,
            armed: None,
        }
    }
    /// Records in service.
    pub(super) const fn calls(&self) -> u64 {
        self.calls
    }
    fn number(&self, at: SimTime) -> u64 {
        at.as_nanos() / self.window.as_nanos().max(1)
    }
    fn start(&self, window: u64) -> SimTime {
        SimTime::from_nanos(window * self.window.as_nanos().max(1))
    }
    fn add(&mut self, now: SimTime, served: Served) {
        let earliest = self.number(now) + 1;
        if self.buckets.is_empty() {
            self.first = earliest;
        }
        let window = self.number(served.at).max(earliest).max(self.first);
        let index = usize::try_from(window - self.first).unwrap_or(usize::MAX);
        while self.buckets.len() <= index {
            self.buckets.push_back(self.spare.pop().unwrap_or_default());
        }
        self.buckets[index].push(served);
        self.calls += 1;
    }
    /// The start of the next window that has calls, if no event is scheduled for it or an earlier one.
    fn arm(&mut self) -> Option<SimTime> {
        let ahead = self.buckets.iter().position(|bucket| !bucket.is_empty())?;
        let window = self.first + u64::try_from(ahead).unwrap_or(u64::MAX);
        if self.armed.is_some_and(|armed| armed <= window) {
            return None;
        }
        self.armed = Some(window);
        Some(self.start(window))
    }
    /// The calls whose service ends in the window that starts now, in order of that instant.
    fn take(&mut self, now: SimTime) -> Vec<Served> {
        let current = self.number(now);
        self.armed = None;
        let mut due = Vec::new();
        while self.first <= current
            && let Some(mut bucket) = self.buckets.pop_front()
        {
            self.first += 1;
            if due.is_empty() {
                due = bucket;
            } else {
                due.append(&mut bucket);
                self.give_back(bucket);
            }
        }
        self.calls -= u64::from(crate::engine::index::to_u32(due.len()));
        due.sort_unstable_by_key(|served| (served.at, served.producer, served.record.key, served.record.ordinal));
        due
    }
    fn give_back(&mut self, mut bucket: Vec<Served>) {
        bucket.clear();
        if self.spare.len() < 512 {
            self.spare.push(bucket);
        }
    }
}

impl Stream {
    /// A cohort came in: every call gets a service time of its own. The send time stands in each record's `arrived_at`.
    pub(super) fn cohort_received(&mut self, me: StreamId, mut batch: Batch, call: PutCall, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let way = now.since(call.sent_at);
        for record in batch.records.drain(..) {
            let received = record.arrived_at + way;
            let at = received + self.put_service.draw();
            self.cohorts.add(
                now,
                Served {
                    at,
                    producer: call.producer,
                    record,
                },
            );
        }
        cx.recycle(batch);
        self.arm_cohorts(me, cx);
    }

    fn arm_cohorts(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        if let Some(at) = self.cohorts.arm() {
            cx.wake(at, Phase::Act, crate::world::Event::Stream(me, Event::CohortWindow));
        }
    }

    /// The window begins: its calls are admitted and stored at their own instants.
    pub(super) fn cohort_window(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let due = self.cohorts.take(now);
        let window = self.cohorts.window;
        // One answer for each producer, in order of id, so that results travel as batches.
        let mut answers: Vec<(ProducerId, Batch)> = Vec::new();
        self.tallies.clear();
        self.calls += 1;
        for served in &due {
            let mut record = served.record;
            self.put_single(&mut record, served.at);
            let slot = match answers.iter().position(|(producer, _)| *producer == served.producer) {
                Some(slot) => slot,
                None => {
                    answers.push((served.producer, cx.fresh()));
                    answers.len() - 1
                }
            };
            answers[slot].1.bytes += u64::from(record.bytes);
            answers[slot].1.records.push(record);
        }
        self.cohorts.give_back(due);
        answers.sort_unstable_by_key(|(producer, _)| *producer);
        let several = answers.len() > 1;
        for (producer, mut batch) in answers {
            // With several producers in one window the shards' tallies belong to all of them; they go with the first.
            cx.emit(|| Fact::PutHandled {
                stream: me,
                producer,
                api: crate::blueprint::PutApi::PutRecord,
                records: &batch.records,
                shards: &self.tallies,
                received_at: now,
            });
            if several {
                self.tallies.clear();
            }
            cx.mix_records(&batch.records);
            self.lose_acknowledgements(me, producer, &mut batch, cx);
            let call = PutCall {
                producer,
                stream: me,
                api: crate::blueprint::PutApi::PutRecord,
                attempt: 1,
                resends: 0,
                retry_cost: 0,
                sent_at: now,
                error: None,
            };
            batch.envelope = Envelope::Put(call);
            let delay = window + self.link.delay();
            cx.send(batch, delay, |batch| {
                crate::world::Event::Producer(producer, crate::services::producer::Event::Responded { batch })
            });
        }
        self.arm_cohorts(me, cx);
    }

    /// One PutRecord at its own instant: its cost is rounded up by itself (KDS-W-16), and it fails as a whole (KDS-W-05).
    fn put_single(&mut self, record: &mut Record, at: SimTime) {
        let number = self.route[crate::engine::index::to_usize(record.key.0)];
        let shard = &mut self.shards[crate::engine::index::to_usize(number)];
        let tally = self
            .touched
            .tally(self.calls, number, &mut self.tallies, || shard.begin_call(at));
        // A call of its own: the tokens are those of its own instant.
        let fresh = shard.begin_call(at);
        let failed = !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate);
        if failed {
            record.set_outcome(Outcome::Failed);
        } else if shard.admit(record.bytes) {
            record.set_outcome(Outcome::Accepted);
            record.arrived_at = at;
            if tally.accepted == 0 {
                tally.first_position = fresh.first_position;
            }
            tally.accepted += 1;
            tally.bytes += u64::from(record.bytes);
            shard.log.append(record);
        } else {
            record.set_outcome(Outcome::Throttled);
            tally.throttled += 1;
        }
        shard.end_call();
    }

    /// Marks stored records whose acknowledgement is lost as failed for the producer (KDS-MOD-18).
    fn lose_acknowledgements(&mut self, me: StreamId, producer: ProducerId, batch: &mut Batch, cx: &mut Cx<'_, '_>) {
        if self.lost_acknowledgement_rate.is_zero() {
            return;
        }
        let mut lost = cx.fresh();
        for record in &mut batch.records {
            if self.loss_stream.chance(self.lost_acknowledgement_rate) && record.outcome() == Outcome::Accepted {
                lost.records.push(*record);
                record.set_outcome(Outcome::Failed);
            }
        }
        if !lost.records.is_empty() {
            cx.emit(|| Fact::AcknowledgementLost {
                stream: me,
                producer,
                records: &lost.records,
            });
        }
        cx.recycle(lost);
    }
}

/// The error that a failed record of a cohort stands for.
pub const fn cohort_error(outcome: Outcome) -> Option<ServiceError> {
    match outcome {
        Outcome::Accepted => None,
        Outcome::Throttled => Some(ServiceError::ProvisionedThroughputExceeded),
        Outcome::Failed => Some(ServiceError::InternalFailure),
    }
}
