//! The Kinesis Producer Library as a producer's client.
//!
//! A user record passes three stages. It is aggregated with others for the same shard into a Kinesis record, the limiter
//! holds that back while its shard has had enough, and it is collected with others into a PutRecords. The SDK inside
//! repeats nothing (KDS-KPL-25): what is refused goes back to the beginning by itself, with a new deadline
//! (KDS-KPL-26), until its `RecordTtl` is over.
//!
//! As elsewhere arrivals are drawn ahead, so user records are no events: the library looks ahead which of them fills a
//! container, and wakes up for that, for the earliest deadline, or to poll the limiter.
//!
//! Simplified: a container is flushed at its deadline exactly, where the library takes up to 10 ms (KDS-KPL-02); a
//! connection costs no time to set up.

mod aggregation;
mod collection;
mod limiter;
mod plan;
mod requests;
mod results;
mod shard_map;
mod size;
#[cfg(test)]
mod tests;

use super::arrivals::Source;
use super::{ClientHoldings, Event};
use crate::blueprint::{ModelParameters, ProducerBlueprint, ProducerLibrary};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimTime;
use crate::ids::{Destination, ProducerId, ShardIndex, StreamId};
use crate::key::HashRange;
use crate::key::{KeyRange, KeyTable};
use crate::observe::fact::{Fact, GiveUpReason};
use crate::record::{KeyId, Record};
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use aggregation::{Aggregation, Buffered, Composed, deadline};
use collection::Collection;
use limiter::{Limiter, Released};
use shard_map::ShardMap;
use size::KeySizes;
use std::collections::VecDeque;

/// What a library is built from, beside its producer's blueprint.
#[derive(Clone, Copy, Debug)]
pub struct LibrarySetting<'a> {
    /// Where it writes.
    pub target: Destination,
    /// Keys of the run.
    pub keys: &'a KeyTable,
    /// The producer's keys.
    pub range: KeyRange,
    /// Those of its aggregated records.
    pub aggregates: KeyRange,
    /// The stream's shards at the start.
    pub shards: &'a [HashRange],
    /// Undocumented choices.
    pub model: &'a ModelParameters,
}

/// A producer that hands its records to the library.
#[derive(Clone, Debug)]
pub struct Library {
    settings: ProducerLibrary,
    target: StreamId,
    source: Source,
    keys: KeyRange,
    /// The next ordinal of each of the producer's keys.
    ordinals: Vec<u32>,
    aggregates: KeyRange,
    /// The next ordinal of each key of aggregated records.
    aggregate_ordinals: Vec<u32>,
    sizes: KeySizes,
    shard_map: ShardMap,
    aggregation: Aggregation,
    limiter: Limiter,
    collection: Collection,
    /// User records on their way back to the beginning.
    again: VecDeque<Buffered>,
    /// Requests that wait for a connection, with the instant since which they do.
    ready: VecDeque<(SimTime, Vec<Composed>)>,
    /// Requests in flight.
    busy: u32,
    /// User records in the stages above and waiting for a connection.
    waiting: u64,
    /// User records in flight.
    in_flight: u64,
    /// Marks the armed timer.
    generation: u32,
    link: Link,
    /// User records that the stages have found to be expired, until a fact says so.
    expired: Vec<Record>,
    /// When to list the shards again, after that has failed.
    refresh_at: SimTime,
}

impl Library {
    /// A library that has nothing in hand.
    pub fn new(
        blueprint: &ProducerBlueprint,
        settings: ProducerLibrary,
        setting: LibrarySetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let LibrarySetting {
            target,
            keys,
            range,
            aggregates,
            shards,
            model,
        } = setting;
        let component = format!("producer.{}", blueprint.name);
        let open: Vec<(ShardIndex, HashRange)> = (0..).map(ShardIndex).zip(shards.iter().copied()).collect();
        Ok(Self {
            settings,
            target: target.stream().ok_or_else(|| ServiceBuildError::Invalid {
                component: format!("producer.{}", blueprint.name),
                reason: "the Kinesis Producer Library writes to a stream".to_owned(),
            })?,
            source: Source::new(blueprint, range, keys, streams).map_err(|error| ServiceBuildError::Invalid {
                component: component.clone(),
                reason: error.to_string(),
            })?,
            keys: range,
            ordinals: vec![0; to_usize(range.count)],
            aggregates,
            aggregate_ordinals: vec![0; to_usize(aggregates.count)],
            sizes: KeySizes::new(blueprint, keys, range),
            shard_map: ShardMap::new(keys, range, &open),
            aggregation: Aggregation::new(&settings, range.first, range.count),
            limiter: Limiter::new(&settings),
            collection: Collection::new(&settings),
            again: VecDeque::new(),
            ready: VecDeque::new(),
            busy: 0,
            waiting: 0,
            in_flight: 0,
            generation: 0,
            link: Link::new(&component, model, streams)?,
            expired: Vec::new(),
            refresh_at: SimTime::NEVER,
        })
    }

    /// Schedules the first event.
    pub fn start(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        self.plan(me, cx);
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: ProducerId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Flush { generation } if generation == self.generation => self.wake_up(me, cx),
            Event::Flush { .. } => {}
            Event::Responded { batch } => self.responded(me, batch, cx),
            Event::CallWindow { .. } | Event::RetryDue => {
                cx.fail(Fault::Broken(
                    "the library has neither call windows nor retries".to_owned(),
                ));
            }
        }
    }

    /// Multiplies the configured rate from now on. Look-ahead beyond now is drawn again.
    pub fn scale_load(&mut self, me: ProducerId, factor: Ratio, cx: &mut Cx<'_, '_>) {
        if let Err(error) = self.source.set_factor(cx.now(), factor) {
            return cx.fail(Fault::Broken(error.to_string()));
        }
        self.plan(me, cx);
    }

    /// What the library holds at `now`, in user records.
    pub fn holdings(&self, now: SimTime) -> ClientHoldings {
        let gathering = self.source.times().partition_point(|&at| at <= now.as_nanos());
        ClientHoldings {
            gathering: u64::from(to_u32(gathering)),
            waiting: self.waiting,
            in_flight: self.in_flight,
        }
    }
    /// Bytes of memory that user records take which wait.
    pub fn memory(&self) -> u64 {
        self.waiting * u64::try_from(size_of::<Buffered>()).unwrap_or(u64::MAX)
    }
    /// Draws on the producer's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        [self.source.draws(), self.link.draws()].into_iter()
    }

    /// The timer is due: user records have arrived, and a container is full or has reached its deadline.
    fn wake_up(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        self.shard_map.forget_closed(now);
        if self.refresh_at <= now {
            self.refresh_at = SimTime::NEVER;
            self.list_shards(me, cx);
        }
        self.take_arrivals(me, cx);
        while let Some(composed) = self.aggregation.pop_due(now, &self.sizes) {
            self.limit(me, composed, cx);
        }
        if self.limiter.polls_at(now) {
            let mut released = Released::default();
            self.limiter.poll(now, &mut released);
            self.release(me, released, cx);
        }
        self.re_enter(me, cx);
        if self.collection.deadline() <= now {
            let request = self.collection.flush();
            self.submit(me, request, cx);
        }
        self.plan(me, cx);
    }

    /// Takes the user records that have arrived by now, each with its own instant.
    fn take_arrivals(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        let count = self.source.times().partition_point(|&at| at <= cx.now().as_nanos());
        if count == 0 {
            return;
        }
        let mut arrived = cx.fresh();
        super::create(&mut self.ordinals, self.keys, &self.source, count, &mut arrived.records);
        self.source.consume(count);
        cx.emit(|| Fact::RecordsProduced {
            producer: me,
            records: &arrived.records,
        });
        let (sizes, most) = (&self.sizes, self.settings.max_user_record_size);
        if arrived.records.iter().any(|record| sizes.data(record) > most) {
            let too_large = |record: &Record| sizes.data(record) > most;
            let refused: Vec<Record> = arrived.records.extract_if(.., |record| too_large(record)).collect();
            cx.emit(|| Fact::RecordsGivenUp {
                producer: me,
                reason: GiveUpReason::TooLarge,
                records: &refused,
            });
        }
        self.waiting += size::count(&arrived.records);
        for record in &arrived.records {
            let expires_at = record.created_at.saturating_add(self.settings.record_ttl);
            let buffered = Buffered {
                record: *record,
                deadline: deadline(record.created_at, self.settings.record_max_buffered_time, expires_at),
                expires_at,
                first_sent_at: SimTime::NEVER,
                waits_since: record.created_at,
            };
            self.put(me, buffered, cx);
        }
        cx.recycle(arrived);
    }

    /// A user record enters at the beginning.
    fn put(&mut self, me: ProducerId, record: Buffered, cx: &mut Cx<'_, '_>) {
        let composed = match self.predict(record.record.key) {
            Some(shard) => self.aggregation.put(shard, record, &self.sizes),
            None => Some(Composed::single(record, None, &self.sizes)),
        };
        if let Some(composed) = composed {
            self.limit(me, composed, cx);
        }
    }

    /// The shard that a record is expected to go to; `None` where the library does not want to know.
    fn predict(&self, key: KeyId) -> Option<ShardIndex> {
        if self.settings.aggregation_enabled {
            self.shard_map.predict(key)
        } else {
            None
        }
    }

    /// A Kinesis record comes to the limiter, which it bypasses if nobody knows its shard (KDS-KPL-14).
    fn limit(&mut self, me: ProducerId, composed: Composed, cx: &mut Cx<'_, '_>) {
        let Some(shard) = composed.shard else {
            return self.collect(me, composed, cx);
        };
        let mut released = Released::default();
        self.limiter.put(cx.now(), shard, composed, &mut released);
        self.release(me, released, cx);
    }

    fn release(&mut self, me: ProducerId, released: Released, cx: &mut Cx<'_, '_>) {
        for composed in released.passed {
            self.collect(me, composed, cx);
        }
        for member in released.expired.into_iter().flat_map(|composed| composed.members) {
            self.send_back(member, cx.now());
        }
    }

    /// A Kinesis record comes to collection. If it has used up its time in aggregation, it gets a little more.
    fn collect(&mut self, me: ProducerId, mut composed: Composed, cx: &mut Cx<'_, '_>) {
        if self.settings.aggregation_enabled {
            let extended = cx.now().saturating_add(self.settings.collection_time());
            composed.deadline = composed.deadline.max(extended).min(composed.expires_at);
        }
        if let Some(request) = self.collection.put(composed) {
            self.submit(me, request, cx);
        }
    }

    /// A user record goes back to the beginning, with a new deadline (KDS-KPL-26), unless it has expired (KDS-KPL-03).
    /// True if it has not.
    fn send_back(&mut self, mut record: Buffered, now: SimTime) -> bool {
        if now > record.expires_at {
            self.waiting -= 1;
            self.expired.push(record.record);
            return false;
        }
        record.deadline = deadline(now, self.settings.repeat_time(), record.expires_at);
        record.waits_since = now;
        self.again.push_back(record);
        true
    }

    /// Lets user records enter again that are on their way back, and gives those up that have expired.
    fn re_enter(&mut self, me: ProducerId, cx: &mut Cx<'_, '_>) {
        while let Some(record) = self.again.pop_front() {
            self.put(me, record, cx);
        }
        if !self.expired.is_empty() {
            cx.emit(|| Fact::RecordsGivenUp {
                producer: me,
                reason: GiveUpReason::Expired,
                records: &self.expired,
            });
            self.expired.clear();
        }
    }
}
