//! Cohorts: the single-record calls of fast producers, handled window by window.
//!
//! A cohort carries all calls of one window with their exact times. Each call draws its own service time; the stream
//! gathers the calls by the window in which their service ends, and at the start of that window admits them in the
//! order of those instants, at those instants. What is approximated: results reach the producer up to a window late,
//! calls of one window share the time of their way back, and a call is handled after those that other producers made as
//! calls of their own in the same window.

use super::put::respond;
use super::{Event, Stream};
use crate::batch::{Batch, Envelope, PutCall, ServiceError};
use crate::blueprint::PutApi;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, ShardIndex, StreamId};
use crate::observe::fact::{Fact, LateCall, ShardTally};
use crate::record::{Outcome, Record};
use std::collections::VecDeque;

/// A call whose service ends in some window.
#[derive(Clone, Copy, Debug)]
struct Served {
    /// When its service ends.
    at: SimTime,
    sent_at: SimTime,
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
    /// The calls whose service ends in the window that starts now, in order of that instant. `None`: the event was
    /// scheduled before an earlier window became the next one, and another event has taken its place.
    fn take(&mut self, now: SimTime) -> Option<Vec<Served>> {
        let current = self.number(now);
        if self.armed != Some(current) {
            return None;
        }
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
        self.calls -= u64::from(to_u32(due.len()));
        // Of calls whose service ends at one instant, the one that began first comes first, as with calls of their own.
        due.sort_unstable_by_key(|served| {
            let record = &served.record;
            (served.at, served.sent_at, served.producer, record.key, record.ordinal)
        });
        Some(due)
    }
    fn give_back(&mut self, mut bucket: Vec<Served>) {
        bucket.clear();
        if self.spare.len() < 512 {
            self.spare.push(bucket);
        }
    }
}

/// What a window brings one producer.
struct Answer {
    producer: ProducerId,
    batch: Batch,
    /// Records of the batch, by index, whose response never comes, and when the client gives up waiting for it.
    lost: Vec<(usize, SimTime)>,
    /// For observers: the calls that were not sent when their record was created.
    late: Vec<LateCall>,
}

impl Stream {
    /// A cohort came in: every call gets a service time of its own. The send time stands in each record's `arrived_at`.
    pub(super) fn cohort_received(&mut self, me: StreamId, mut batch: Batch, call: PutCall, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let way = now.since(call.sent_at);
        let mut refused = cx.fresh();
        for record in batch.records.drain(..) {
            // Refused before any token is taken (KDS-MOD-16).
            if u64::from(record.bytes) > self.max_record_bytes {
                refused.bytes += u64::from(record.bytes);
                refused.records.push(record);
                continue;
            }
            let at = record.arrived_at + way + self.put_service.draw();
            let served = Served {
                at,
                sent_at: record.arrived_at,
                producer: call.producer,
                record,
            };
            self.cohorts.add(now, served);
        }
        cx.recycle(batch);
        if refused.records.is_empty() {
            cx.recycle(refused);
        } else {
            let window = self.cohorts.window;
            self.refuse_put(me, refused, call, ServiceError::InvalidArgument, window, cx);
        }
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
        let Some(due) = self.cohorts.take(now) else { return };
        let way = self.link.delay();
        let mut answers: Vec<Answer> = Vec::new();
        self.tallies.clear();
        self.calls += 1;
        for served in &due {
            let known = answers.iter().position(|answer| answer.producer == served.producer);
            let slot = known.unwrap_or_else(|| {
                answers.push(Answer {
                    producer: served.producer,
                    batch: cx.fresh(),
                    lost: Vec::new(),
                    late: Vec::new(),
                });
                answers.len() - 1
            });
            let Answer { batch, lost, late, .. } = &mut answers[slot];
            let index = batch.records.len();
            batch.bytes += u64::from(served.record.bytes);
            batch.records.push(served.record);
            // Decided in its place in the answer: a record that is changed and then copied waits for its own stores.
            let record = &mut batch.records[index];
            let (shard, position) = self.put_single(record, served.at);
            let outcome = record.outcome();
            if served.sent_at != record.created_at && cx.is_watched() {
                late.push(LateCall {
                    index: to_u32(index),
                    sent_at: served.sent_at,
                    shard,
                    position,
                });
            }
            if let Some(deadline) = self.response_lost(served, outcome, way) {
                lost.push((index, deadline));
            }
        }
        self.cohorts.give_back(due);
        self.expire_touched(now);
        // One answer for each producer, in order of id, so that results travel as batches.
        answers.sort_unstable_by_key(|answer| answer.producer);
        for answer in answers {
            self.answer_cohort(me, answer, way, cx);
        }
        self.arm_cohorts(me, cx);
    }

    /// Whether the client never hears of a call, and if so, when it gives up waiting (KDS-MOD-18).
    fn response_lost(&mut self, served: &Served, outcome: Outcome, way: SimDuration) -> Option<SimTime> {
        if outcome == Outcome::Failed {
            return None;
        }
        let deadline = served.sent_at.saturating_add(self.request_timeout);
        let rate = self.lost_acknowledgement_rate;
        let lost = !rate.is_zero() && self.loss_stream.chance(rate);
        (lost || served.at.saturating_add(way) > deadline).then_some(deadline)
    }

    fn answer_cohort(&mut self, me: StreamId, answer: Answer, way: SimDuration, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let Answer {
            producer,
            mut batch,
            lost,
            late,
        } = answer;
        let call = PutCall {
            producer,
            stream: me,
            api: PutApi::PutRecord,
            cohort: true,
            attempt: 1,
            resends: 0,
            retry_cost: 0,
            first_sent_at: SimTime::NEVER,
            sent_at: now,
            received_at: now,
            refused: 0,
            error: None,
        };
        cx.emit(|| Fact::PutHandled {
            stream: me,
            producer,
            api: PutApi::PutRecord,
            records: &batch.records,
            shards: &self.tallies,
            received_at: now,
            sent: None,
            late: &late,
        });
        // With several producers in one window the shards' tallies belong to all of them; they went with the first.
        self.tallies.clear();
        cx.mix_entries(&batch.records);
        cx.mix_arrivals(&batch.records);
        self.lose_responses(me, &mut batch, call, (&lost, &late), cx);
        if batch.records.is_empty() {
            return cx.recycle(batch);
        }
        batch.envelope = Envelope::Put(call);
        respond(batch, call, self.cohorts.window + way, cx);
    }

    /// Takes calls out of an answer whose clients hear nothing and give up waiting, each at its own time. As with
    /// results, the client notices up to a window late.
    fn lose_responses(
        &self,
        me: StreamId,
        answer: &mut Batch,
        mut call: PutCall,
        (lost, late): (&[(usize, SimTime)], &[LateCall]),
        cx: &mut Cx<'_, '_>,
    ) {
        if lost.is_empty() {
            return;
        }
        let heard_at = |&(_, deadline): &(usize, SimTime)| self.cohorts.start(self.cohorts.number(deadline) + 1);
        let mut by_time = lost.to_vec();
        by_time.sort_by_key(heard_at);
        call.error = Some(ServiceError::RequestTimeout);
        for together in by_time.chunk_by(|one, next| heard_at(one) == heard_at(next)) {
            let mut batch = cx.fresh();
            batch
                .records
                .extend(together.iter().map(|&(index, _)| answer.records[index]));
            batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
            let late = late_among(together, late);
            cx.emit(|| Fact::AcknowledgementLost {
                stream: me,
                producer: call.producer,
                records: &batch.records,
                late: &late,
            });
            batch.envelope = Envelope::Put(call);
            let delay = together
                .first()
                .map_or(SimDuration::MIN, |first| heard_at(first).since(cx.now()));
            respond(batch, call, delay, cx);
        }
        let mut indices = lost.iter().map(|&(index, _)| index).peekable();
        let mut index = 0;
        answer.records.retain(|_| {
            let gone = indices.next_if_eq(&index).is_some();
            index += 1;
            !gone
        });
        answer.bytes = answer.records.iter().map(|record| u64::from(record.bytes)).sum();
    }

    /// One PutRecord at its own instant: its cost is rounded up by itself (KDS-W-16), and it fails as a whole (KDS-W-05).
    /// Returns its shard, and its position there if it was stored.
    #[inline]
    fn put_single(&mut self, record: &mut Record, at: SimTime) -> (ShardIndex, u64) {
        let number = self.map.route[crate::engine::index::to_usize(record.key.0)];
        let shard = &mut self.shards[crate::engine::index::to_usize(number)];
        let (index, first_position) = (shard.index, shard.log.next_position());
        let tally = self.touched.tally(self.calls, number, &mut self.tallies, || {
            ShardTally::none(index, first_position)
        });
        record.arrived_at = SimTime::ZERO;
        let failed = !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate);
        if failed {
            record.set_outcome(Outcome::Failed);
        } else if shard.admit_single(tally, at, record.bytes) {
            record.set_outcome(Outcome::Accepted);
            record.arrived_at = at;
            return (index, shard.log.append(record));
        } else {
            record.set_outcome(Outcome::Throttled);
        }
        (index, first_position)
    }
}

/// Those of the late calls that are among the lost ones, by their index there.
fn late_among(lost: &[(usize, SimTime)], late: &[LateCall]) -> Vec<LateCall> {
    let find = |(number, &(index, _)): (u32, &(usize, SimTime))| {
        let at = late.binary_search_by_key(&to_u32(index), |call| call.index).ok()?;
        Some(LateCall {
            index: number,
            ..late[at]
        })
    };
    (0..).zip(lost).filter_map(find).collect()
}

/// The error that a failed record of a cohort stands for.
pub const fn cohort_error(outcome: Outcome) -> Option<ServiceError> {
    match outcome {
        Outcome::Accepted => None,
        Outcome::Throttled => Some(ServiceError::ProvisionedThroughputExceeded),
        Outcome::Failed => Some(ServiceError::InternalFailure),
    }
}
