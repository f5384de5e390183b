//! What a stream does, seen from its clients and its facts.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a test looks for the facts and calls that it is about"
)]

mod cohorts;
mod consumers;
mod control;
mod iterators;
mod library;
mod listing;
mod on_demand;
mod outcomes;
mod reads;
mod records;
mod reference;
mod reshard;
mod retention;
mod subscriptions;
mod summed;
mod units;
mod writes;

use super::shard_map::even_ranges;
use super::*;
use crate::batch::{Batch, Envelope, GetCall, PutCall, ReadCaller, ServiceError};
use crate::blueprint::PutApi;
use crate::engine::quantity::MIB;
use crate::ids::ProducerId;
use crate::observe::fact::Fact;
use crate::record::{KeyId, Outcome, Record};
use crate::testing::blueprints::{NETWORK, SERVICE, keys_at, millis, model, stream};
use crate::testing::harness::Harness;
use crate::world;

const ME: StreamId = StreamId(0);
const CLICKS: ProducerId = ProducerId(0);
const READER: ReaderId = ReaderId(0);

type Bench = Harness<(StreamId, Stream)>;

/// A stream under test.
struct Setup {
    blueprint: StreamBlueprint,
    profile: Profile,
    model: ModelParameters,
    /// Key i has the explicit hash key i.
    hashes: Vec<u128>,
    readers: Vec<ReaderId>,
    account: StreamAccount,
    iterators: bool,
    consumers: Vec<ConsumerSetting<'static>>,
    metered: bool,
}

impl Setup {
    /// `shards` shards, and key i belongs to shard i.
    fn shards(shards: u32) -> Self {
        Self {
            blueprint: stream("records", shards),
            profile: Profile::Current,
            model: model(),
            hashes: even_ranges(shards).iter().map(|range| range.start).collect(),
            readers: vec![READER],
            iterators: false,
            consumers: Vec::new(),
            metered: true,
            account: StreamAccount::in_region("us-east-1", Profile::Current),
        }
    }
    fn build(self) -> Bench {
        let keys = keys_at(&self.hashes);
        let setting = StreamSetting {
            profile: self.profile,
            model: &self.model,
            keys: &keys,
            readers: &self.readers,
            iterators: self.iterators,
            consumers: &self.consumers,
            account: self.account,
            metered: self.metered,
            call_window: SimDuration::from_millis(1),
        };
        let stream = Stream::new(&self.blueprint, setting, &mut RandomStreams::new(7, 0)).expect("it is valid");
        let mut bench = Harness::with_keys((ME, stream), keys);
        bench.apply(|(me, stream), cx| stream.start(*me, cx));
        bench
    }
}

fn one_shard() -> Bench {
    Setup::shards(1).build()
}

/// A record of key `key`, created at the start.
fn record(key: u32, ordinal: u32, bytes: u64) -> Record {
    Record {
        created_at: SimTime::ZERO,
        arrived_at: SimTime::ZERO,
        key: KeyId(key),
        ordinal,
        bytes: u32::try_from(bytes).expect("a record is small"),
        flags: 0,
    }
}
/// `count` records of key `key` and `bytes` each, numbered from zero.
fn records(key: u32, count: u32, bytes: u64) -> Vec<Record> {
    (0..count).map(|ordinal| record(key, ordinal, bytes)).collect()
}

/// A response to a put.
#[derive(Debug)]
struct PutAnswer {
    at: SimTime,
    error: Option<ServiceError>,
    records: Vec<Record>,
}
impl PutAnswer {
    fn outcomes(&self) -> Vec<Outcome> {
        self.records.iter().map(Record::outcome).collect()
    }
    fn count(&self, outcome: Outcome) -> usize {
        self.records.iter().filter(|record| record.outcome() == outcome).count()
    }
}

/// What a test asks of a stream.
trait Client {
    /// A put is received at `at`.
    fn put(&mut self, at: SimTime, api: PutApi, records: Vec<Record>);
    /// A read is received at `at`.
    fn get(&mut self, at: SimTime, reader: ReaderId, shard: u32, position: u64, limit: u32);
    fn get_with_checkpoint(&mut self, at: SimTime, reader: ReaderId, shard: u32, from: (u64, u64), limit: u32);
    /// Lets everything happen, and returns the responses to puts.
    fn put_answers(&mut self) -> Vec<PutAnswer>;
    /// Lets everything happen, and returns the responses to reads.
    fn pages(&mut self) -> Vec<(SimTime, GetCall, Vec<Record>)>;

    /// The response to one PutRecords that is stored at `at`.
    fn put_records(&mut self, at: SimTime, records: Vec<Record>) -> PutAnswer {
        self.put(at.saturating_sub(SERVICE), PutApi::PutRecords, records);
        only(self.put_answers())
    }
    /// The response to one GetRecords that is served at `at`.
    fn read(&mut self, at: SimTime, shard: u32, position: u64) -> (GetCall, Vec<Record>) {
        self.get(at.saturating_sub(SERVICE), READER, shard, position, 10_000);
        let (_, call, records) = only(self.pages());
        (call, records)
    }
}

fn only<T: core::fmt::Debug>(mut list: Vec<T>) -> T {
    assert_eq!(list.len(), 1, "{list:?}");
    list.remove(0)
}

impl Client for Bench {
    fn put(&mut self, at: SimTime, api: PutApi, records: Vec<Record>) {
        let envelope = Envelope::Put(PutCall {
            first_sent_at: SimTime::ZERO,
            producer: CLICKS,
            target: crate::ids::Destination::Stream(ME),
            api,
            cohort: false,
            attempt: 1,
            resends: 0,
            retry_cost: 0,
            sent_at: at.saturating_sub(NETWORK),
            received_at: SimTime::ZERO,
            refused: 0,
            error: None,
            library: None,
        });
        let bytes = records.iter().map(|record| u64::from(record.bytes)).sum();
        let batch = Batch {
            records,
            bytes,
            envelope,
            ..Batch::default()
        };
        self.send(at, batch, |batch| {
            world::Event::Stream(ME, Event::PutReceived { batch })
        });
    }
    fn get(&mut self, at: SimTime, reader: ReaderId, shard: u32, position: u64, limit: u32) {
        self.get_with_checkpoint(at, reader, shard, (position, 0), limit);
    }
    /// A read that tells its reader's checkpoint.
    fn get_with_checkpoint(
        &mut self,
        at: SimTime,
        reader: ReaderId,
        shard: u32,
        (position, checkpoint): (u64, u64),
        limit: u32,
    ) {
        let envelope = Envelope::Get(GetCall {
            received_at: SimTime::ZERO,
            served_at: SimTime::ZERO,
            reader,
            caller: ReadCaller::Mapping(crate::ids::MappingId(reader.0)),
            stream: ME,
            shard: ShardIndex(shard),
            position,
            limit,
            checkpoint,
            retry_lane: None,
            iterator_issued_at: SimTime::NEVER,
            millis_behind: 0,
            expired: 0,
            shard_end: false,
            error: None,
        });
        let batch = Batch {
            envelope,
            ..Batch::default()
        };
        self.send(at, batch, |batch| {
            world::Event::Stream(ME, Event::GetReceived { batch })
        });
    }
    fn put_answers(&mut self) -> Vec<PutAnswer> {
        self.run();
        let calls = self.take_calls().into_iter();
        calls
            .map(|call| match call.batch.envelope {
                Envelope::Put(put) => PutAnswer {
                    at: call.at,
                    error: put.error,
                    records: call.batch.records,
                },
                other => panic!("{other:?} is no response to a put"),
            })
            .collect()
    }
    fn pages(&mut self) -> Vec<(SimTime, GetCall, Vec<Record>)> {
        self.run();
        let calls = self.take_calls().into_iter();
        calls
            .map(|call| match call.batch.envelope {
                Envelope::Get(get) => (call.at, get, call.batch.records),
                other => panic!("{other:?} is no page"),
            })
            .collect()
    }
}
