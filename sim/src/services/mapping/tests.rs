//! What a mapping does, seen from its stream, its function and its facts.
#![expect(
    clippy::wildcard_enum_match_arm,
    clippy::as_conversions,
    reason = "a test looks for the facts and calls that it is about, and its numbers are small"
)]

mod batches;
mod failure_properties;
mod failures;
mod filters;
mod lanes;
mod lineage;
mod outcome_matrix;
mod polls;
mod properties;
mod reports;
mod retries;
mod starting;
mod windows;

use super::*;
use crate::batch::{
    BatchResponse, ChildShard, Envelope, GetCall, InvocationOutcome, InvokeCall, IteratorCall, IteratorType,
};
use crate::engine::quantity::MIB;
use crate::record::{KeyId, Outcome, Record};
use crate::services::kinesis::shard_map::even_ranges;
use crate::services::log::Log;
use crate::testing::blueprints::{NETWORK, SERVICE, keys_at, mapping, millis, model};
use crate::testing::harness::{Call, Harness};
use crate::world;
use InvocationOutcome::{FunctionError, Succeeded, Throttled, TimedOut};

const ME: MappingId = MappingId(3);
const STREAM: StreamId = StreamId(1);
const FUNCTION: FunctionId = FunctionId(2);
const SECOND: SimDuration = SimDuration::SECOND;

/// A mapping and what surrounds it.
struct Setup {
    blueprint: MappingBlueprint,
    model: ModelParameters,
    /// Key i has the explicit hash key i.
    hashes: Vec<u128>,
    shards: u32,
    seed: u64,
}

impl Setup {
    /// One shard with one lane; BatchSize 100, no window; one key.
    fn new() -> Self {
        Self {
            blueprint: mapping("reader", "records", "enrich"),
            model: model(),
            hashes: vec![0],
            shards: 1,
            seed: 7,
        }
    }
    /// One shard with so many lanes, and as many keys, key i in lane i.
    fn lanes(lanes: u32) -> Self {
        let mut setup = Self::new();
        setup.blueprint.parallelization_factor = lanes;
        setup.hashes = even_ranges(lanes).iter().map(|range| range.start + (1 << 64)).collect();
        setup
    }
    fn build(self) -> Bench {
        let keys = keys_at(&self.hashes);
        let ranges = even_ranges(self.shards);
        let setting = MappingSetting {
            model: &self.model,
            keys: &keys,
            stream: STREAM,
            ranges: &ranges,
            function: FUNCTION,
        };
        let mapping =
            Mapping::new(&self.blueprint, setting, &mut RandomStreams::new(self.seed, 0)).expect("it is valid");
        let mut harness = Harness::with_keys((ME, mapping), keys);
        harness.apply(|(me, mapping), cx| mapping.start(*me, cx));
        Bench {
            harness,
            logs: vec![Log::new(); usize::try_from(self.shards).expect("few")],
            closed: Vec::new(),
            ordinals: vec![0; self.hashes.len()],
            retention: SimDuration::from_hours(24),
            refused: Vec::new(),
            behaviour: Box::new(|_| (SimDuration::from_millis(20), Succeeded)),
            response: Box::new(|_| (BatchResponse::EmptyList, Vec::new())),
            state: Box::new(|_| None),
            reads: Vec::new(),
            left: Vec::new(),
            invocations: Vec::new(),
        }
    }
}

/// An invocation that reached the function.
#[derive(Clone, Debug)]
struct Invocation {
    at: SimTime,
    shard: u32,
    lane: u16,
    records: Vec<Record>,
    /// When the mapping hears of its end.
    answered_at: SimTime,
    outcome: InvocationOutcome,
    call: InvokeCall,
}
impl Invocation {
    fn ordinals(&self) -> Vec<u32> {
        self.records.iter().map(|record| record.ordinal).collect()
    }
}

/// What the function does: how long an invocation takes, and how it ends.
type Behaviour = Box<dyn FnMut(&Invocation) -> (SimDuration, InvocationOutcome)>;

/// What the handler returns, and which of the records it reports as failed.
type Response = Box<dyn FnMut(&Invocation) -> (BatchResponse, Vec<u32>)>;

/// Bytes of the state that the handler returns.
type State = Box<dyn FnMut(&Invocation) -> Option<u64>>;

/// A mapping between a stream of the test's own and a function that behaves as told.
struct Bench {
    harness: Harness<(MappingId, Mapping)>,
    logs: Vec<Log>,
    /// Shards that are closed, and what follows them.
    closed: Vec<(u32, Vec<ChildShard>)>,
    ordinals: Vec<u32>,
    retention: SimDuration,
    /// Reads that reach the stream in these spans are refused.
    refused: Vec<core::ops::Range<SimTime>>,
    behaviour: Behaviour,
    response: Response,
    state: State,
    reads: Vec<(SimTime, GetCall)>,
    /// Closed shards that the mapping is done with.
    left: Vec<(SimTime, ShardIndex)>,
    invocations: Vec<Invocation>,
}

impl Bench {
    /// The stream stores a record of `bytes` at `at`, in the shard of its key. To be called in order of time.
    fn store(&mut self, at: SimTime, key: u32, bytes: u64) {
        let shard = if self.logs.len() > 1 { key } else { 0 };
        self.append(shard, at, key, bytes);
    }
    /// The stream stores a record of 100 bytes in a shard.
    fn store_in(&mut self, shard: u32, at: SimTime, key: u32) {
        self.append(shard, at, key, 100);
    }
    fn append(&mut self, shard: u32, at: SimTime, key: u32, bytes: u64) {
        let ordinal = &mut self.ordinals[to_usize(key)];
        let record = Record {
            created_at: at,
            arrived_at: at,
            key: KeyId(key),
            ordinal: *ordinal,
            bytes: u32::try_from(bytes).expect("a record is small"),
            flags: 0,
        };
        *ordinal += 1;
        self.logs[to_usize(shard)].append(&record);
    }
    /// The invocations for a shard.
    fn of_shard(&self, shard: u32) -> impl Iterator<Item = &Invocation> {
        self.invocations.iter().filter(move |one| one.shard == shard)
    }
    /// The stream stores `count` records of key 0 and 100 bytes at `at`.
    fn store_many(&mut self, at: SimTime, count: u32) {
        for _ in 0..count {
            self.store(at, 0, 100);
        }
    }
    fn run_until(&mut self, until: SimTime) {
        while self.harness.now() < until {
            let next = self.harness.now() + SimDuration::from_millis(1);
            self.harness.run_until(next);
            for call in self.harness.take_calls() {
                if let world::Event::Stream(_, crate::services::kinesis::Event::ShardLeft { shard, .. }) = call.event {
                    self.left.push((call.at, shard));
                    continue;
                }
                match call.batch.envelope {
                    Envelope::Get(get) => self.answer_read(call, get),
                    Envelope::Invoke(invoke) => self.answer_invocation(call, invoke),
                    Envelope::List(_) => self.answer_list(call),
                    Envelope::Iterator(iterator) => self.answer_iterator(call, iterator),
                    other => panic!("{other:?} is no call of a mapping"),
                }
            }
        }
    }
    fn run_for(&mut self, secs: u64) {
        self.run_until(SimTime::from_secs(secs));
    }
    fn answer_read(&mut self, mut call: Call, mut get: GetCall) {
        self.reads.push((call.at, get));
        let served = call.at + SERVICE;
        if self.refused.iter().any(|span| span.contains(&call.at)) {
            get.error = Some(crate::batch::ServiceError::ProvisionedThroughputExceeded);
        } else {
            let log = &mut self.logs[to_usize(get.shard.0)];
            log.expire(served, self.retention);
            let page = log.read(get.position, get.limit, 10 * MIB, served, &mut call.batch);
            get.position = page.next;
            get.expired = page.expired;
            let closed = self.closed.iter().find(|(shard, _)| *shard == get.shard.0);
            if let Some((_, children)) = closed
                && page.next == log.next_position()
            {
                get.shard_end = true;
                call.batch.child_shards.clone_from(children);
            }
            get.millis_behind = page
                .oldest_left
                .map_or(0, |arrived| served.since(arrived).as_millis().max(1));
        }
        call.batch.envelope = Envelope::Get(get);
        self.harness.send(served + NETWORK, call.batch, |batch| {
            world::Event::Mapping(ME, Event::PageReceived { batch })
        });
    }
    /// All shards are open.
    fn answer_list(&mut self, mut call: Call) {
        let ranges = even_ranges(u32::try_from(self.logs.len()).expect("few"));
        call.batch.child_shards = (0..)
            .zip(ranges)
            .map(|(shard, range)| ChildShard {
                shard: ShardIndex(shard),
                range,
                parents: [None, None],
                opened_at: SimTime::ZERO,
            })
            .collect();
        self.harness.send(call.at + SERVICE + NETWORK, call.batch, |batch| {
            world::Event::Mapping(ME, Event::ShardsListed { batch })
        });
    }
    fn answer_iterator(&mut self, mut call: Call, mut iterator: IteratorCall) {
        let log = &self.logs[to_usize(iterator.shard.0)];
        let served = call.at + SERVICE;
        iterator.position = match iterator.kind {
            IteratorType::Latest => log.first_after(served),
            IteratorType::AtTimestamp(at) => log.first_after(at.saturating_sub(SimDuration::MIN)),
            _ => log.horizon(),
        };
        if self.refused.iter().any(|span| span.contains(&call.at)) {
            iterator.error = Some(crate::batch::ServiceError::ProvisionedThroughputExceeded);
        }
        call.batch.envelope = Envelope::Iterator(iterator);
        self.harness.send(served + NETWORK, call.batch, |batch| {
            world::Event::Mapping(ME, Event::IteratorReceived { batch })
        });
    }
    fn answer_invocation(&mut self, mut call: Call, invoke: InvokeCall) {
        let mut invocation = Invocation {
            at: call.at,
            shard: invoke.shard.0,
            lane: invoke.lane,
            records: core::mem::take(&mut call.batch.records),
            answered_at: call.at,
            outcome: Succeeded,
            call: invoke,
        };
        let (takes, outcome) = (self.behaviour)(&invocation);
        (invocation.outcome, invocation.answered_at) = (outcome, call.at + takes + NETWORK);
        let (response, failed) = (self.response)(&invocation);
        let state = (self.state)(&invocation);
        call.batch.bytes = 0;
        let positions = core::mem::take(&mut call.batch.positions);
        for (index, mut record) in invocation.records.iter().copied().enumerate() {
            if failed.contains(&record.ordinal) {
                record.set_outcome(Outcome::Failed);
                let consecutive = invoke.passage.first_position + u64::try_from(index).expect("small");
                call.batch.records.push(record);
                call.batch
                    .positions
                    .push(positions.get(index).copied().unwrap_or(consecutive));
            }
        }
        call.batch.envelope = Envelope::Invoke(InvokeCall {
            outcome,
            response,
            state,
            ..invoke
        });
        self.harness.send(invocation.answered_at, call.batch, |batch| {
            world::Event::Mapping(ME, Event::Invoked { batch })
        });
        self.invocations.push(invocation);
    }

    fn reader(&self) -> &ShardReader {
        &self.harness.component.1.readers[0]
    }
    /// When polls were sent, without those that read a failed batch again.
    fn polls(&self, shard: u32) -> Vec<SimTime> {
        let polls = self
            .reads
            .iter()
            .filter(|(_, get)| get.shard.0 == shard && get.retry_lane.is_none());
        polls.map(|&(at, _)| at.saturating_sub(NETWORK)).collect()
    }
    /// From one poll to the next, in milliseconds.
    fn gaps(&self, shard: u32) -> Vec<u64> {
        self.polls(shard)
            .windows(2)
            .map(|pair| pair[1].since(pair[0]).as_millis())
            .collect()
    }
    /// When batches left the mapping.
    fn dispatched(&self) -> Vec<SimTime> {
        self.invocations
            .iter()
            .map(|invocation| invocation.at.saturating_sub(NETWORK))
            .collect()
    }
    /// When the first records of the poll sent at `poll` are in the lanes.
    fn in_lanes(poll: SimTime) -> SimTime {
        poll + NETWORK + SERVICE + NETWORK + SimDuration::from_millis(85)
    }
    /// When the record stored at `at` is in its lane: with the first poll that is served after that.
    fn gathered(&self, at: SimTime) -> SimTime {
        let served = |poll: &SimTime| *poll + NETWORK + SERVICE >= at;
        Self::in_lanes(*self.polls(0).iter().find(|poll| served(poll)).expect("it was read"))
    }
    /// The most invocations at one time.
    fn concurrency(&self) -> usize {
        let running = |at: SimTime| {
            let runs = |invocation: &&Invocation| invocation.at <= at && at < invocation.answered_at;
            self.invocations.iter().filter(runs).count()
        };
        self.invocations
            .iter()
            .map(|invocation| running(invocation.at))
            .max()
            .unwrap_or(0)
    }
    /// The waits that were set after failures.
    fn backoffs(&self) -> Vec<u64> {
        let failed = |note: &crate::testing::note::Note| match note.fact {
            Fact::BatchFailed { retry_at, .. } if retry_at != SimTime::NEVER => Some(retry_at.since(note.at).as_secs()),
            _ => None,
        };
        self.harness.notes().iter().filter_map(failed).collect()
    }
}
