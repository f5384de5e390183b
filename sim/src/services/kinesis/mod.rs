//! A Kinesis data stream in provisioned mode.
//!
//! A put is routed by key, decided entry by entry against the token buckets of its shards, stamped and appended at the
//! end of its service time. A read is admitted by the shard's read limits when it comes in, and its page is cut from the
//! log at the end of its service time. Readers are declared when the world is built; what all of them have passed is
//! forgotten, what is older than the retention is gone for every reader.

mod cohort;
mod iterators;
pub mod quotas;
pub mod shard;
#[cfg(test)]
mod tests;

use cohort::Cohorts;
pub use cohort::cohort_error;
use iterators::Iterators;
use shard::{HashRange, Shard, even_ranges, range_of};

use crate::batch::{Batch, BatchId, Envelope, GetCall, PutCall, ReadCaller, ServiceError};
use crate::blueprint::{ModelParameters, PutApi, StreamBlueprint};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::{KIB, Ratio};
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ReaderId, ShardIndex, StreamId};
use crate::key::KeyTable;
use crate::observe::fact::{Fact, Sends, ShardTally};
use crate::profile::Profile;
use crate::record::{Outcome, Record};
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::world;

/// What happens to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A put came in; its service time begins.
    PutReceived {
        /// The call.
        batch: BatchId,
    },
    /// A put's service time is over: entries are admitted and stored.
    PutServed {
        /// The call.
        batch: BatchId,
    },
    /// The calls of a cohort whose service ends in the window that begins now are admitted and stored.
    CohortWindow,
    /// A `GetRecords` came in; its service time begins.
    GetReceived {
        /// The call.
        batch: BatchId,
    },
    /// A read's service time is over: the page is cut from the log.
    GetServed {
        /// The call.
        batch: BatchId,
    },
    /// A `GetShardIterator` came in; its service time begins.
    IteratorReceived {
        /// The call.
        batch: BatchId,
    },
    /// Its service time is over: the iterator is issued.
    IteratorServed {
        /// The call.
        batch: BatchId,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::PutReceived { .. } => 0,
            Self::PutServed { .. } => 1,
            Self::CohortWindow => 2,
            Self::GetReceived { .. } => 3,
            Self::GetServed { .. } => 4,
            Self::IteratorReceived { .. } => 5,
            Self::IteratorServed { .. } => 6,
        }
    }
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Stream {
    shards: Vec<Shard>,
    ranges: Vec<HashRange>,
    /// Shard of each key of the run, so that no hashing happens while it runs.
    route: Vec<u32>,
    retention: SimDuration,
    max_record_bytes: u64,
    max_put_bytes: u64,
    readers: Vec<Reader>,
    put_service: RandomSpan,
    get_service: RandomSpan,
    iterators: Iterators,
    internal_failure_rate: Ratio,
    entry_failure_rate: Ratio,
    failure_stream: Random,
    lost_acknowledgement_rate: Ratio,
    loss_stream: Random,
    request_timeout: SimDuration,
    link: Link,
    cohorts: Cohorts,
    /// Number of the put in progress; marks the shards that it has touched.
    calls: u64,
    touched: Touched,
    tallies: Vec<ShardTally>,
    in_service: u64,
}

/// A declared reader and, by shard, the position before which it needs nothing.
#[derive(Clone, Debug)]
struct Reader {
    id: ReaderId,
    checkpoints: Vec<u64>,
}

/// Which shards the put in progress has touched, and where their tallies stand.
#[derive(Clone, Debug)]
struct Touched {
    marks: Vec<(u64, u32)>,
}

impl Touched {
    #[inline]
    fn tally<'t>(
        &mut self,
        call: u64,
        shard: u32,
        tallies: &'t mut Vec<ShardTally>,
        begin: impl FnOnce() -> ShardTally,
    ) -> &'t mut ShardTally {
        let mark = &mut self.marks[to_usize(shard)];
        if mark.0 != call {
            *mark = (call, to_u32(tallies.len()));
            tallies.push(begin());
        }
        &mut tallies[to_usize(mark.1)]
    }
}

/// What a stream is built from, beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct StreamSetting<'a> {
    /// Quotas.
    pub profile: Profile,
    /// Undocumented choices.
    pub model: &'a ModelParameters,
    /// Keys of the run.
    pub keys: &'a KeyTable,
    /// Whoever reads the stream.
    pub readers: &'a [ReaderId],
    /// Some of them are applications, which ask for iterators.
    pub applications: bool,
    /// Width of the window for single-record calls of fast producers.
    pub call_window: SimDuration,
}

impl Stream {
    /// A stream at the start of its life: empty shards, full buckets.
    pub fn new(
        blueprint: &StreamBlueprint,
        setting: StreamSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let StreamSetting {
            profile,
            model,
            keys,
            readers,
            applications,
            call_window,
        } = setting;
        let component = format!("stream.{}", blueprint.name);
        let ranges = even_ranges(blueprint.shard_count);
        let large = blueprint.max_record_size_kib > quotas::MAX_RECORD_SIZE_KIB_DEFAULT;
        let write_burst = if large {
            quotas::SHARD_WRITE_BURST_LARGE
        } else {
            quotas::SHARD_WRITE_BYTES
        };
        let shard_count = to_usize(blueprint.shard_count);
        Ok(Self {
            shards: (0..blueprint.shard_count)
                .map(|number| Shard::new(ShardIndex(number), write_burst))
                .collect(),
            route: keys
                .entries()
                .iter()
                .map(|entry| to_u32(range_of(&ranges, entry.hash)))
                .collect(),
            ranges,
            retention: SimDuration::from_hours(u64::from(blueprint.retention_hours)),
            max_record_bytes: u64::from(blueprint.max_record_size_kib) * KIB,
            max_put_bytes: quotas::max_put_bytes(profile),
            readers: readers
                .iter()
                .map(|&id| Reader {
                    id,
                    checkpoints: vec![0; shard_count],
                })
                .collect(),
            put_service: RandomSpan::new(&component, "put-service-time", &model.put_service_time, streams)?,
            get_service: RandomSpan::new(&component, "get-service-time", &model.get_service_time, streams)?,
            iterators: Iterators::new(&component, model, applications, streams)?,
            internal_failure_rate: model.internal_failure_rate,
            entry_failure_rate: model.entry_failure_rate,
            failure_stream: streams.stream(&format!("{component}/internal-failure"))?,
            lost_acknowledgement_rate: model.lost_acknowledgement_rate,
            loss_stream: streams.stream(&format!("{component}/lost-acknowledgement"))?,
            request_timeout: model.request_timeout,
            link: Link::new(&component, model, streams)?,
            cohorts: Cohorts::new(call_window),
            calls: 0,
            touched: Touched {
                marks: vec![(0, 0); shard_count],
            },
            tallies: Vec::new(),
            in_service: 0,
        })
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: StreamId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::PutReceived { batch } => self.put_received(me, batch, cx),
            Event::PutServed { batch } => self.put_served(me, batch, cx),
            Event::CohortWindow => self.cohort_window(me, cx),
            Event::GetReceived { batch } => self.get_received(me, batch, cx),
            Event::GetServed { batch } => self.get_served(me, batch, cx),
            Event::IteratorReceived { batch } => self.iterator_received(me, batch, cx),
            Event::IteratorServed { batch } => self.iterator_served(me, batch, cx),
        }
    }

    /// The shards' hash ranges, in order.
    pub fn ranges(&self) -> &[HashRange] {
        &self.ranges
    }
    /// The shards.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }
    /// Which shard the key goes to.
    pub fn shard_of(&self, key: crate::record::KeyId) -> ShardIndex {
        ShardIndex(self.route[to_usize(key.0)])
    }
    /// Records of puts whose service has not ended.
    pub const fn in_service(&self) -> u64 {
        self.in_service + self.cohorts.calls()
    }
    /// Draws on the stream's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        [
            self.put_service.draws(),
            self.get_service.draws(),
            self.failure_stream.draws(),
            self.loss_stream.draws(),
            self.link.draws(),
        ]
        .into_iter()
        .chain(self.iterators.draws())
    }
    /// Bytes of memory that retained records take.
    pub fn memory(&self) -> u64 {
        self.shards.iter().map(|shard| shard.log.memory()).sum()
    }
    /// Lets old records expire in every shard.
    pub fn expire(&mut self, now: SimTime) {
        for shard in &mut self.shards {
            shard.log.expire(now, self.retention);
        }
    }

    fn put_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
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
        if too_many
            || too_large
            || batch
                .records
                .iter()
                .any(|record| u64::from(record.bytes) > self.max_record_bytes)
        {
            return self.refuse_put(me, batch, call, ServiceError::InvalidArgument, SimDuration::ZERO, cx);
        }
        self.in_service += u64::from(to_u32(batch.records.len()));
        let at = cx.now() + self.put_service.draw().max(SimDuration::MIN);
        batch.envelope = Envelope::Put(call);
        if let Some(batch) = cx.hold(batch) {
            cx.wake(at, Phase::Arrive, world::Event::Stream(me, Event::PutServed { batch }));
        }
    }

    fn put_served(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Put(mut call) = batch.envelope else {
            return broken(cx, "a put without its call");
        };
        let now = cx.now();
        self.in_service -= u64::from(to_u32(batch.records.len()));
        if !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate) {
            return self.refuse_put(me, batch, call, ServiceError::InternalFailure, SimDuration::ZERO, cx);
        }
        let refused = self.store(call.api, &mut batch.records, now);
        if call.api == PutApi::PutRecord && refused > 0 {
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
        cx.mix_records(&batch.records);
        self.expire_touched(now);
        let mut delay = self.link.delay();
        let deadline = call.sent_at.saturating_add(self.request_timeout);
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
    fn store(&mut self, api: PutApi, records: &mut [Record], now: SimTime) -> u32 {
        self.calls += 1;
        self.tallies.clear();
        let mut refused = 0;
        // Only PutRecords has entries that fail by themselves (KDS-W-11).
        let fail_entries = api == PutApi::PutRecords && !self.entry_failure_rate.is_zero();
        let Self {
            route,
            shards,
            touched,
            tallies,
            failure_stream,
            calls,
            ..
        } = self;
        for record in records.iter_mut() {
            let number = route[to_usize(record.key.0)];
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
    fn expire_touched(&mut self, now: SimTime) {
        for tally in &self.tallies {
            let index = to_usize(tally.shard.0);
            let log = &mut self.shards[index].log;
            log.expire(now, self.retention);
            if self.readers.is_empty() {
                log.forget(log.next_position());
            }
        }
    }

    /// Answers a put that stores nothing, `after` a while and the way back.
    fn refuse_put(
        &mut self,
        me: StreamId,
        mut batch: Batch,
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

    fn get_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Get(mut call) = batch.envelope else {
            return broken(cx, "a read without its call");
        };
        let now = cx.now();
        if iterators::is_expired(&call, now) {
            return self.refuse_expired(me, batch, call, cx);
        }
        self.note_checkpoint(&call);
        if let Err(limit) = self.shards[to_usize(call.shard.0)].admit_read(now) {
            cx.emit(|| Fact::GetRecordsThrottled {
                stream: me,
                shard: call.shard,
                reader: call.reader,
                limit,
            });
            call.error = Some(ServiceError::ProvisionedThroughputExceeded);
            batch.envelope = Envelope::Get(call);
            return self.answer_read(batch, call, cx);
        }
        call.received_at = now;
        batch.envelope = Envelope::Get(call);
        // Two reads may be in service at a time; the page's cost is not known before it is cut, so the allowance is
        // charged at that instant.
        let at = now + self.get_service.draw().max(SimDuration::MIN);
        if let Some(batch) = cx.hold(batch) {
            cx.wake(at, Phase::Arrive, world::Event::Stream(me, Event::GetServed { batch }));
        }
    }

    fn get_served(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Get(mut call) = batch.envelope else {
            return broken(cx, "a read without its call");
        };
        let now = cx.now();
        let shard = &mut self.shards[to_usize(call.shard.0)];
        shard.log.expire(now, self.retention);
        let limit = call.limit.min(quotas::MAX_GET_RECORDS);
        let page = shard
            .log
            .read(call.position, limit, quotas::MAX_GET_BYTES, now, &mut batch);
        shard.charge_read(now, page.bytes);
        call.served_at = now;
        iterators::renew(&mut call, now);
        call.position = page.next;
        call.expired = page.expired;
        // The tip is the present; what is left unread tells how far behind it the response is (KDS-R-15).
        call.millis_behind = page
            .oldest_left
            .map_or(0, |arrived| (now.since(arrived).as_millis()).max(1));
        cx.emit(|| Fact::GetRecordsHandled {
            stream: me,
            shard: call.shard,
            reader: call.reader,
            first_position: page.first,
            records: &batch.records,
            bytes: page.bytes,
            millis_behind: call.millis_behind,
            again: call.retry_lane.is_some(),
            received_at: call.received_at,
        });
        // Positions stand for the records, which were mixed in when they were stored.
        cx.mix(page.first);
        cx.mix(page.next);
        batch.envelope = Envelope::Get(call);
        self.answer_read(batch, call, cx);
    }

    fn answer_read(&mut self, batch: Batch, call: GetCall, cx: &mut Cx<'_, '_>) {
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| match call.caller {
            ReadCaller::Mapping(mapping) => {
                world::Event::Mapping(mapping, crate::services::mapping::Event::PageReceived { batch })
            }
            ReadCaller::Application { application, .. } => world::Event::Application(
                application,
                crate::services::application::Event::PageReceived { batch },
            ),
        });
    }

    /// A read tells its reader's checkpoint; what every declared reader has passed is forgotten.
    fn note_checkpoint(&mut self, call: &GetCall) {
        let index = to_usize(call.shard.0);
        for reader in &mut self.readers {
            if reader.id == call.reader {
                reader.checkpoints[index] = reader.checkpoints[index].max(call.checkpoint);
            }
        }
        if let Some(passed) = self.readers.iter().map(|reader| reader.checkpoints[index]).min() {
            self.shards[index].log.forget(passed);
        }
    }
}

fn respond(batch: Batch, call: PutCall, delay: SimDuration, cx: &mut Cx<'_, '_>) {
    cx.send(batch, delay, |batch| {
        world::Event::Producer(call.producer, crate::services::producer::Event::Responded { batch })
    });
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("a stream received {what}")));
}
