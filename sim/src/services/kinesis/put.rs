//! Puts: admission entry by entry, and the answers to them.

use super::shard::Shard;
use super::{Event, Stream, broken, quotas};
use crate::batch::{Batch, BatchId, Envelope, PutCall, ServiceError};
use crate::blueprint::PutApi;
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::StreamId;
use crate::observe::fact::{Fact, Sends};
use crate::record::{Outcome, Record};
use crate::world;

impl Stream {
    pub(super) fn put_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Put(mut call) = batch.envelope else {
            return broken(cx, "a put without its call");
        };
        call.received_at = cx.now();
        if call.cohort {
            return self.cohort_received(me, batch, call, cx);
        }
        // Refused before any token is taken (KDS-MOD-16).
        let too_many = batch.records.len() > to_usize(quotas::MAX_PUT_ENTRIES);
        let too_large = call.api == PutApi::PutRecords && batch.bytes > self.max_put_bytes;
        if too_many || too_large || self.has_oversized(&batch) {
            return self.refuse_put(me, batch, call, ServiceError::InvalidArgument, SimDuration::ZERO, cx);
        }
        self.in_service += u64::from(to_u32(batch.records.len()));
        let at = cx.now() + self.put_service.draw().max(SimDuration::MIN);
        batch.envelope = Envelope::Put(call);
        if let Some(batch) = cx.hold(batch) {
            cx.wake(at, Phase::Arrive, world::Event::Stream(me, Event::PutServed { batch }));
        }
    }

    fn has_oversized(&self, batch: &Batch) -> bool {
        // Where all of them together are small enough, so is each.
        let mut sizes = batch.records.iter().map(|record| u64::from(record.bytes));
        batch.bytes > self.max_record_bytes && sizes.any(|bytes| bytes > self.max_record_bytes)
    }

    pub(super) fn put_served(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Put(mut call) = batch.envelope else {
            return broken(cx, "a put without its call");
        };
        let now = cx.now();
        self.in_service -= u64::from(to_u32(batch.records.len()));
        if !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate) {
            return self.refuse_put(me, batch, call, ServiceError::InternalFailure, SimDuration::ZERO, cx);
        }
        let summed = self.store_summed(&mut batch, &call, cx);
        if summed {
            self.tallies.clear();
        } else {
            self.tell(me, cx);
            call.refused = self.store(call.api, &mut batch, now);
        }
        if call.api == PutApi::PutRecord && call.refused > 0 {
            // A PutRecord that does not fit fails whole (KDS-W-05). The shard's tally tells whose limit it was.
            call.error = Some(ServiceError::ProvisionedThroughputExceeded);
        }
        let tallies = &self.tallies;
        cx.emit(|| Fact::PutHandled {
            stream: me,
            producer: call.producer,
            api: call.api,
            records: &batch.records,
            shards: tallies,
            received_at: call.received_at,
            sent: Some(Sends {
                first_at: call.first_sent_at,
                at: call.sent_at,
            }),
            late: &[],
        });
        cx.mix_entries(&batch.records);
        self.expire_touched(now);
        if !self.subscriptions.is_empty() {
            self.push_soon(me, cx);
        }
        let mut timeout = self.request_timeout;
        if let Some(library) = call.library {
            timeout = library.timeout;
            self.keep_user_records(me, &batch, &call, library, cx);
        }
        let mut delay = self.link.delay();
        let deadline = call.sent_at.saturating_add(timeout);
        let lost = !self.lost_acknowledgement_rate.is_zero() && self.loss_stream.chance(self.lost_acknowledgement_rate);
        if lost || now.saturating_add(delay) > deadline {
            // The client hears nothing and gives up waiting; that instant is all that has to travel.
            call.error = Some(ServiceError::RequestTimeout);
            delay = deadline.since(now);
            cx.emit(|| Fact::AcknowledgementLost {
                stream: me,
                producer: call.producer,
                records: &batch.records,
                late: &[],
            });
        }
        batch.envelope = Envelope::Put(call);
        respond(batch, call, delay, cx);
    }

    /// Decides and stores the entries of one call, in request order (KDS-MOD-05). Returns how many were refused.
    pub(super) fn store(&mut self, api: PutApi, batch: &mut Batch, now: SimTime) -> u32 {
        self.tallies.clear();
        // Only PutRecords has entries that fail by themselves (KDS-W-11).
        let fail_entries = api == PutApi::PutRecords && !self.entry_failure_rate.is_zero();
        // Asking every open shard pays if the call is likely to touch most of them.
        if !fail_entries && batch.records.len() >= self.map.shards().len() && self.begin_whole(batch, now) {
            store_whole(&self.map.route, &mut self.shards, &mut batch.records, now);
            self.tallies.extend(open(&mut self.shards).filter_map(Shard::end_whole));
            return 0;
        }
        self.store_each(fail_entries, &mut batch.records, now)
    }

    /// True if any open shard would take all entries of the call: then none needs a decision of its own.
    fn begin_whole(&mut self, batch: &Batch, now: SimTime) -> bool {
        let records = u64::from(to_u32(batch.records.len()));
        open(&mut self.shards).all(|shard| shard.begin_whole(now, records, batch.bytes))
    }

    pub(super) fn store_each(&mut self, fail_entries: bool, records: &mut [Record], now: SimTime) -> u32 {
        self.calls += 1;
        let mut refused = 0;
        let Self {
            map,
            shards,
            touched,
            tallies,
            failure_stream,
            calls,
            ..
        } = self;
        for record in records {
            let number = map.route[to_usize(record.key.0)];
            let shard = &mut shards[to_usize(number)];
            let tally = touched.tally(*calls, number, tallies, || shard.begin_call(now));
            record.set_outcome(if fail_entries && failure_stream.chance(self.entry_failure_rate) {
                Outcome::Failed
            } else if shard.admit(tally, record.bytes) {
                record.arrived_at = now;
                shard.log.append(record);
                continue;
            } else {
                Outcome::Throttled
            });
            refused += 1;
        }
        for tally in &mut self.tallies {
            self.shards[to_usize(tally.shard.0)].end_call(tally);
        }
        refused
    }

    /// Keeps the logs of the shards just written within the retention and forgets what no reader needs.
    pub(super) fn expire_touched(&mut self, now: SimTime) {
        if let Some(meter) = &mut self.meter {
            meter.note(now, &self.tallies);
        }
        for tally in &self.tallies {
            let shard = &mut self.shards[to_usize(tally.shard.0)];
            look_after(shard, now, self.retention, self.readers.is_empty());
        }
    }

    /// Answers a put that stores nothing, `after` a while and the way back.
    pub(super) fn refuse_put(
        &mut self,
        me: StreamId,
        mut batch: Box<Batch>,
        mut call: PutCall,
        error: ServiceError,
        after: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        cx.emit(|| Fact::PutRefused {
            stream: me,
            producer: call.producer,
            records: &batch.records,
            error,
        });
        call.error = Some(error);
        batch.envelope = Envelope::Put(call);
        let delay = after + self.link.delay();
        respond(batch, call, delay, cx);
    }
}

/// The shards that are written to, by number.
fn open(shards: &mut [Shard]) -> impl Iterator<Item = &mut Shard> {
    shards.iter_mut().filter(|shard| shard.is_open())
}

/// Stores entries that need no decision. By itself, so that the loop has the registers to itself.
#[inline(never)]
fn store_whole(route: &[u32], shards: &mut [Shard], records: &mut [Record], now: SimTime) {
    for record in records {
        record.arrived_at = now;
        shards[to_usize(route[to_usize(record.key.0)])].store_whole(record);
    }
}

/// Keeps a shard's log within the retention; where nobody reads it, it forgets everything.
pub(super) fn look_after(shard: &mut Shard, now: SimTime, retention: SimDuration, unread: bool) {
    shard.expire(now, retention);
    if unread {
        shard.forget(shard.log.next_position());
    }
}

/// Sends a put's response on its way.
pub(super) fn respond(batch: Box<Batch>, call: PutCall, delay: SimDuration, cx: &mut Cx<'_, '_>) {
    cx.send(batch, delay, |batch| {
        world::Event::Producer(call.producer, crate::services::producer::Event::Responded { batch })
    });
}
