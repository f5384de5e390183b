//! Cohorts: the single-record calls of fast producers, handled window by window.
//!
//! A cohort carries all calls of one window with their exact times. Each call draws its own service time; the stream
//! gathers the calls by the window in which their service ends, and at the start of that window admits them in the order
//! of those instants, at those instants. What is approximated: results reach the producer up to a window late, calls of
//! one window share the time of their way back, and a call is handled after those that other producers made as calls of
//! their own in the same window.
//!
//! Nearly always no call is refused, and that is certain before any is decided, from what the limits hold. Then the calls
//! are stored without a decision for each, and what they cost is taken when somebody asks for the limits, shard by shard:
//! at the same instants, and with the same result.

use super::certain::Units;
use super::in_service::{Calls, Served};
use super::put::{look_after, respond};
use super::shard::Shard;
use super::{Event, Stream};
use crate::batch::{Batch, Envelope, PutCall, ServiceError, digest_of_cohort};
use crate::blueprint::PutApi;
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, ShardIndex, StreamId};
use crate::observe::fact::{Fact, LateCall, ShardTally};
use crate::record::{Outcome, Record};

/// What a window brings one producer.
struct Answer {
    producer: ProducerId,
    batch: Box<Batch>,
    /// Records of the batch, by index, whose response never comes, and when the client gives up waiting for it.
    lost: Vec<(usize, SimTime)>,
    /// For observers: the calls that were not sent when their record was created.
    late: Vec<LateCall>,
}

impl Answer {
    fn new(producer: ProducerId, batch: Box<Batch>) -> Self {
        Self {
            producer,
            batch,
            lost: Vec::new(),
            late: Vec::new(),
        }
    }
}

impl Stream {
    /// A cohort came in: every call gets a service time of its own. The send time stands in each record's `arrived_at`.
    pub(super) fn cohort_received(&mut self, me: StreamId, mut batch: Box<Batch>, call: PutCall, cx: &mut Cx<'_, '_>) {
        // Refused before any token is taken (KDS-MOD-16).
        let too_large = |record: &Record| u64::from(record.bytes) > self.max_record_bytes;
        // Where all of them together are small enough, so is each.
        if batch.bytes > self.max_record_bytes && batch.records.iter().any(too_large) {
            let mut refused = cx.fresh();
            refused
                .records
                .extend(batch.records.extract_if(.., |record| too_large(record)));
            refused.bytes = refused.records.iter().map(|record| u64::from(record.bytes)).sum();
            let window = self.cohorts.window();
            self.refuse_put(me, refused, call, ServiceError::InvalidArgument, window, cx);
        }
        let (now, way) = (cx.now(), cx.now().since(call.sent_at));
        self.service_times.resize(batch.records.len(), 0);
        self.put_service.draw_each(&mut self.service_times);
        let spans = self
            .service_times
            .iter()
            .map(|nanos| way.as_nanos().saturating_add(*nanos));
        self.cohorts.add(now, call.producer, &batch.records, spans);
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
        let Some(mut due) = self.cohorts.take(now) else { return };
        let way = self.link.delay();
        if self.summing.untold {
            self.tell(me, cx);
        }
        self.tallies.clear();
        self.calls += 1;
        let needed = self.meter.is_some() || !self.subscriptions.is_empty();
        let tallied = cx.is_watched() || needed;
        let answers = if self.takes_all(&due, now, way) {
            for (_, calls) in &due {
                self.store_certain(&calls.records);
            }
            if tallied && (needed || !cx.takes_sums()) {
                // Nobody waits for what has been stored since it was told last: that is this.
                let tallies = self.map.shards().iter();
                let tallies = tallies.filter_map(|shard| self.shards[to_usize(shard.0)].tell());
                self.tallies.extend(tallies);
            }
            let answer = |(producer, calls): (ProducerId, Calls)| {
                let mut batch = cx.fresh();
                self.cohorts.keep(core::mem::replace(&mut batch.records, calls.records));
                batch.bytes = batch.records.iter().map(|record| u64::from(record.bytes)).sum();
                Answer::new(producer, batch)
            };
            due.into_iter().map(answer).collect()
        } else {
            self.tell(me, cx);
            self.tallies.clear();
            let answers = self.decide(&due, way, tallied, cx);
            due.drain(..).for_each(|(_, calls)| self.cohorts.keep(calls.records));
            answers
        };
        if let Some(meter) = &mut self.meter {
            meter.note(now, &self.tallies);
        }
        self.expire_in_turn(now);
        if !self.subscriptions.is_empty() {
            self.push_soon(me, cx);
        }
        // One answer for each producer, in order of id, so that results travel as batches.
        for answer in answers {
            self.answer_cohort(me, answer, way, cx);
        }
        self.arm_cohorts(me, cx);
    }

    /// Whether it is certain that no call of the window fails and no response is lost, in whatever order the calls come.
    /// Then what they take has been set aside.
    fn takes_all(&mut self, due: &[(ProducerId, Calls)], now: SimTime, way: SimDuration) -> bool {
        let longest = self.request_timeout.as_nanos().saturating_sub(way.as_nanos());
        if !self.internal_failure_rate.is_zero()
            || !self.lost_acknowledgement_rate.is_zero()
            || self.decides_each_call
            || due
                .iter()
                .any(|(_, calls)| !calls.are_plain() || calls.longest > longest)
        {
            return false;
        }
        if self.set_aside(due) {
            return true;
        }
        // Perhaps more is there than was known: time has passed.
        self.put_back(due);
        for shard in self.map.shards() {
            self.shards[to_usize(shard.0)].ascertain(now);
        }
        let certain = self.set_aside(due);
        if !certain {
            self.put_back(due);
        }
        certain
    }

    #[inline(never)]
    fn set_aside(&mut self, due: &[(ProducerId, Calls)]) -> bool {
        let mut certain = true;
        for record in due.iter().flat_map(|(_, calls)| &calls.records) {
            let number = self.map.route[to_usize(record.key.0)];
            certain &= self.shards[to_usize(number)].set_aside(Units::of_record(record.bytes));
        }
        certain
    }

    fn put_back(&mut self, due: &[(ProducerId, Calls)]) {
        for record in due.iter().flat_map(|(_, calls)| &calls.records) {
            let number = self.map.route[to_usize(record.key.0)];
            self.shards[to_usize(number)].put_back(Units::of_record(record.bytes));
        }
    }

    /// Stores calls for which has been set aside what they take.
    #[inline(never)]
    fn store_certain(&mut self, records: &[Record]) {
        let route = &self.map.route;
        for record in records {
            self.shards[to_usize(route[to_usize(record.key.0)])].store_certain(record);
        }
    }

    /// Tells what shards have stored and summed up, to whoever has not been told with each window or request.
    pub(super) fn tell(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        if cx.takes_sums() && (self.cohorts.windows() > 0 || self.summing.untold) {
            self.tell_each(|shards| cx.emit(|| Fact::ShardsWritten { stream: me, shards }));
        } else if self.summing.untold {
            // Whoever takes sums is told before somebody else listens.
            self.tell_each(|_| {});
        }
    }
    /// The same of one shard.
    pub(super) fn tell_shard(&mut self, me: StreamId, shard: ShardIndex, cx: &mut Cx<'_, '_>) {
        if cx.takes_sums()
            && let Some(tally) = self.shards[to_usize(shard.0)].tell()
        {
            let shards = &[tally];
            cx.emit(|| Fact::ShardsWritten { stream: me, shards });
        }
    }
    /// Sums up what shards have stored since that was done last.
    pub fn tell_each(&mut self, listener: impl FnOnce(&[ShardTally])) {
        self.summing.untold = false;
        self.tallies.clear();
        self.tallies.extend(self.shards.iter_mut().filter_map(Shard::tell));
        if !self.tallies.is_empty() {
            listener(&self.tallies);
        }
    }

    /// Decides the calls one by one, in the order of their instants.
    #[inline(never)]
    fn decide(
        &mut self,
        due: &[(ProducerId, Calls)],
        way: SimDuration,
        tallied: bool,
        cx: &mut Cx<'_, '_>,
    ) -> Vec<Answer> {
        let mut answers: Vec<Answer> = due
            .iter()
            .map(|(producer, _)| Answer::new(*producer, cx.fresh()))
            .collect();
        let mut order: Vec<(Served, usize)> = (0..)
            .zip(due)
            .flat_map(|(slot, (_, calls))| calls.served().map(move |served| (served, slot)))
            .collect();
        order.sort_unstable_by(|(one, _), (other, _)| one.order(other));
        for (served, slot) in &order {
            self.put_single(served, way, tallied, &mut answers[*slot]);
        }
        answers
    }

    /// Whether the client never hears of a stored or refused call, and if so, when it gives up waiting (KDS-MOD-18).
    #[inline]
    fn response_lost(&mut self, served: &Served, way: SimDuration) -> Option<SimTime> {
        let deadline = served.record.arrived_at.saturating_add(self.request_timeout);
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
            target: crate::ids::Destination::Stream(me),
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
            library: None,
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
        cx.mix(digest_of_cohort(&batch.records));
        self.lose_responses(me, &mut batch, call, (&lost, &late), cx);
        if batch.records.is_empty() {
            return cx.recycle(batch);
        }
        batch.envelope = Envelope::Put(call);
        respond(batch, call, self.cohorts.window() + way, cx);
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
    /// What only facts and the meter need is noted only if one of them is there.
    #[inline]
    fn put_single(&mut self, served: &Served, way: SimDuration, tallied: bool, answer: &mut Answer) {
        let Served { at, record } = *served;
        let number = self.map.route[to_usize(record.key.0)];
        let shard = &mut self.shards[to_usize(number)];
        let failed = !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate);
        let admitted = if failed {
            None
        } else {
            Some(shard.admit_single(at, record.bytes))
        };
        let stored = matches!(admitted, Some(Ok(_)));
        let outcome = match (stored, failed) {
            (true, _) => Outcome::Accepted,
            (false, true) => Outcome::Failed,
            (false, false) => Outcome::Throttled,
        };
        // Stored from its place in the answer: a copy would wait until it is written.
        let place = answer.batch.records.len();
        answer.batch.bytes += u64::from(record.bytes);
        answer.batch.records.push(Record {
            arrived_at: if stored { at } else { SimTime::ZERO },
            flags: record.flags_with(outcome),
            ..record
        });
        let position = match answer.batch.records.last() {
            Some(record) if stored => shard.log.append(record),
            _ => shard.log.next_position(),
        };
        if tallied {
            let index = shard.index;
            let tally = self.touched.tally(self.calls, number, &mut self.tallies, || {
                ShardTally::no_singles(index, position)
            });
            match admitted {
                None => {}
                Some(Ok(charged)) => {
                    tally.note_single(record.bytes);
                    tally.accepted += 1;
                    tally.bytes += u64::from(record.bytes);
                    tally.bytes_charged += charged;
                }
                Some(Err(shortage)) => {
                    tally.throttled += 1;
                    tally.out_of_records |= shortage.records;
                    tally.out_of_bytes |= shortage.bytes;
                }
            }
            let sent_at = record.arrived_at;
            if sent_at != record.created_at {
                answer.late.push(LateCall {
                    index: to_u32(place),
                    sent_at,
                    shard: index,
                    position,
                });
            }
        }
        if !failed && let Some(deadline) = self.response_lost(served, way) {
            answer.lost.push((place, deadline));
        }
    }

    /// Keeps one log after the other within the retention, and forgets what no reader needs. Reads look after the log
    /// that they read themselves, so nobody sees what expires a few windows later.
    fn expire_in_turn(&mut self, now: SimTime) {
        self.next_to_expire = (self.next_to_expire + 1) % self.shards.len();
        let shard = &mut self.shards[self.next_to_expire];
        look_after(shard, now, self.retention, self.readers.is_empty());
        shard.ascertain(now);
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
