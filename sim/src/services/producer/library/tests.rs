//! What the library does, seen from its stream and its facts.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    reason = "a test looks for the facts and calls that it is about, and its numbers are small"
)]

mod containers;
mod limits;
mod results;
mod shard_maps;
mod sizes;

use super::*;
use crate::batch::{BatchId, ChildShard, Envelope, PutCall, ServiceError};
use crate::blueprint::{Arrivals, Keys, Size, Trace, TraceRows};
use crate::engine::time::SimDuration;
use crate::profile::Profile;
use crate::record::Outcome;
use crate::services::kinesis::shard_map::even_ranges;
use crate::testing::blueprints::{NETWORK, millis, model, producer};
use crate::testing::harness::{Call, Harness};
use crate::user_records::LibraryRequest;
use crate::world;
use std::sync::Arc;

const ME: ProducerId = ProducerId(0);
const STREAM: StreamId = StreamId(3);
/// From a request's departure to its response.
const ROUND_TRIP: SimDuration = SimDuration::from_millis(12);
/// What collection adds by default.
const COLLECTION: u64 = 20;

/// A request that reached the stream.
#[derive(Clone, Debug)]
struct Request {
    sent_at: SimTime,
    call: PutCall,
    records: Vec<Record>,
    bytes: u64,
    user: LibraryRequest,
}

impl Request {
    /// By Kinesis record: the ordinals of its user records.
    fn members(&self) -> Vec<Vec<u32>> {
        let mut records = self.user.records.iter().map(|record| record.ordinal);
        let entries = self.user.entries.iter();
        entries
            .map(|entry| records.by_ref().take(entry.members as usize).collect())
            .collect()
    }
    fn predicted(&self) -> Vec<Option<u32>> {
        let entries = self.user.entries.iter();
        entries.map(|entry| entry.predicted.map(|shard| shard.0)).collect()
    }
}

/// What the stream does with a request: it sets outcomes and shards, or an error.
type Behaviour = Box<dyn FnMut(&Request, &mut [Record], &mut LibraryRequest) -> Option<ServiceError>>;

/// A library and a stream that behaves as told.
struct Bench {
    harness: Harness<(ProducerId, Library)>,
    behaviour: Behaviour,
    requests: Vec<Request>,
    /// Answers of `ListShards` to come, and when they were asked for.
    shards: Vec<Option<Vec<(ShardIndex, HashRange)>>>,
    listed_at: Vec<SimTime>,
    round_trip: SimDuration,
}

/// Stores everything where it was predicted.
fn store(_: &Request, _: &mut [Record], user: &mut LibraryRequest) -> Option<ServiceError> {
    for entry in &mut user.entries {
        entry.stored_in = Some(entry.predicted.unwrap_or(ShardIndex(0)));
    }
    None
}
/// Refuses everything.
fn throttle(_: &Request, records: &mut [Record], _: &mut LibraryRequest) -> Option<ServiceError> {
    for record in records {
        record.set_outcome(Outcome::Throttled);
    }
    None
}

/// Refuses the first request and stores every other.
fn throttled_once() -> Behaviour {
    let mut first = true;
    Box::new(move |request, records, user| {
        if core::mem::take(&mut first) {
            throttle(request, records, user)
        } else {
            store(request, records, user)
        }
    })
}

fn defaults() -> ProducerLibrary {
    ProducerLibrary::defaults(Profile::Current)
}

/// A user record: instant in milliseconds, key, bytes of data.
type Arrival = (u64, char, u32);

/// User records at the instants given. Of two shards, keys `a` and `c` belong to the first and `b` to the second.
fn blueprint(library: ProducerLibrary, arrivals: &[Arrival]) -> ProducerBlueprint {
    let names = ['a', 'b', 'c', 'd'];
    let trace = Trace {
        source: "a test".to_owned(),
        rows: TraceRows::Requests {
            at: arrivals.iter().map(|row| row.0 * 1_000_000).collect(),
            key: arrivals
                .iter()
                .map(|row| names.iter().position(|name| *name == row.1).expect("it is one of four") as u32)
                .collect(),
            bytes: arrivals.iter().map(|row| row.2).collect(),
        },
        keys: names.iter().map(char::to_string).collect(),
        span: SimDuration::from_secs(1_000),
        compression: Ratio::ONE,
        repeat: false,
    };
    ProducerBlueprint {
        arrivals: Arrivals::Trace(Arc::new(trace)),
        keys: Keys::FromTrace,
        size: Size::FromTrace,
        library: Some(library),
        ..producer("app", "records")
    }
}

fn bench(library: ProducerLibrary, shards: u32, arrivals: &[Arrival]) -> Bench {
    bench_of(&blueprint(library, arrivals), shards)
}

fn bench_of(blueprint: &ProducerBlueprint, shards: u32) -> Bench {
    let keys = KeyTable::build(&[blueprint]);
    let setting = LibrarySetting {
        target: crate::ids::Destination::Stream(STREAM),
        keys: &keys,
        range: keys.range(ME),
        aggregates: keys.aggregates(ME),
        shards: &even_ranges(shards),
        model: &model(),
    };
    let settings = blueprint.library.expect("it has one");
    let library = Library::new(blueprint, settings, setting, &mut RandomStreams::new(7, 0)).expect("it is valid");
    let mut harness = Harness::with_keys((ME, library), keys);
    harness.apply(|(me, library), cx| library.start(*me, cx));
    Bench {
        harness,
        behaviour: Box::new(store),
        requests: Vec::new(),
        shards: Vec::new(),
        listed_at: Vec::new(),
        round_trip: ROUND_TRIP,
    }
}

impl Bench {
    fn run_until(&mut self, until: SimTime) -> &mut Self {
        while self.harness.now() < until {
            let next = self.harness.now() + SimDuration::from_micros(500);
            self.harness.run_until(next);
            for call in self.harness.take_calls() {
                self.answer(call);
            }
            let held = self.harness.component.1.holdings(self.harness.now());
            assert_eq!(
                held.waiting + held.in_flight,
                self.unsettled(),
                "at {}",
                self.harness.now()
            );
        }
        self
    }
    /// User records stated as produced and not yet as settled.
    fn unsettled(&self) -> u64 {
        let sum = |wanted: fn(&Fact<'_>) -> bool| -> usize {
            let notes = self.harness.notes().iter().filter(|note| wanted(&note.fact));
            notes.map(|note| note.records.len()).sum()
        };
        let settled = |fact: &Fact<'_>| matches!(fact, Fact::RecordsAcknowledged { .. } | Fact::RecordsGivenUp { .. });
        (sum(|fact| matches!(fact, Fact::RecordsProduced { .. })) - sum(settled)) as u64
    }
    fn answer(&mut self, mut call: Call) {
        let to_me = |batch: BatchId| world::Event::Producer(ME, Event::Responded { batch });
        let at = (call.at.saturating_sub(NETWORK) + self.round_trip).max(self.harness.now());
        let put = match call.batch.envelope {
            Envelope::Put(put) => put,
            Envelope::ListShards(mut list) => {
                self.listed_at.push(call.at.saturating_sub(NETWORK));
                let answer = self.shards.remove(0);
                list.failed = answer.is_none();
                let listed = answer.unwrap_or_default().into_iter().map(|(shard, range)| ChildShard {
                    shard,
                    range,
                    parents: [None; 2],
                    opened_at: SimTime::ZERO,
                });
                call.batch.child_shards = listed.collect();
                call.batch.envelope = Envelope::ListShards(list);
                return self.harness.send(at, call.batch, to_me);
            }
            other => panic!("{other:?} is no call of the library"),
        };
        let handle = put.library.expect("the library makes the call").request;
        let mut user = self
            .harness
            .user_records
            .requests
            .get(handle)
            .expect("it is under way")
            .clone();
        let request = Request {
            sent_at: call.at.saturating_sub(NETWORK),
            call: put,
            records: call.batch.records.clone(),
            bytes: call.batch.bytes,
            user: user.clone(),
        };
        let error = (self.behaviour)(&request, &mut call.batch.records, &mut user);
        *self
            .harness
            .user_records
            .requests
            .get_mut(handle)
            .expect("it is under way") = user;
        call.batch.envelope = Envelope::Put(PutCall { error, ..put });
        self.requests.push(request);
        self.harness.send(at, call.batch, to_me);
    }
    /// When each request was sent, in milliseconds, with the user records of each of its Kinesis records.
    fn sent(&self) -> Vec<(u64, Vec<Vec<u32>>)> {
        let requests = self.requests.iter();
        requests
            .map(|request| (request.sent_at.as_millis(), request.members()))
            .collect()
    }
    /// Ordinals given up for a reason, with the instant in milliseconds.
    fn given_up(&self, wanted: GiveUpReason) -> Vec<(u64, Vec<u32>)> {
        self.harness.find(|note| match note.fact {
            Fact::RecordsGivenUp { reason, .. } if reason == wanted => Some((
                note.at.as_millis(),
                note.records.iter().map(|record| record.ordinal).collect(),
            )),
            _ => None,
        })
    }
    fn acknowledged(&self) -> Vec<u32> {
        let notes = self.harness.notes().iter();
        let acknowledged = notes.filter(|note| matches!(note.fact, Fact::RecordsAcknowledged { .. }));
        acknowledged
            .flat_map(|note| note.records.iter().map(|record| record.ordinal))
            .collect()
    }
}

/// So many user records of one key, the first at `from` and then every `step` milliseconds.
fn stream_of(key: char, from: u64, step: u64, count: u64, bytes: u32) -> Vec<Arrival> {
    (0..count).map(|number| (from + number * step, key, bytes)).collect()
}
