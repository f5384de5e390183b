//! A small world for tests of observers: `producer.web` -> `stream.clicks` -> `mapping.enrich` -> `function.enrich` ->
//! `sink.orders`, with keys `web-000000` and so on, and a second mapping and function `audit` without a sink.

use super::fact::{ConcurrencyUse, Fact, Sends, ShardTally};
use crate::batch::Passage;
use crate::blueprint::{
    Arrivals, InvocationType, Jitter, Keys, ProducerBlueprint, PutApi, Resend, RetryMode, SdkRetry, SinkService, Size,
};
use crate::directory::{Directory, FunctionEntry, InvokerEntry, MappingEntry, ProducerEntry, SinkEntry, StreamEntry};
use crate::engine::distribution::Distribution;
use crate::engine::index::IndexVec;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, InvokerId, ProducerId, ReaderId, ShardIndex, SinkId, StreamId};
use crate::key::KeyTable;
use crate::record::{KeyId, Outcome, Record};
use std::sync::Arc;

pub(crate) const WEB: ProducerId = ProducerId(0);
pub(crate) const CLICKS: StreamId = StreamId(0);
pub(crate) const AUDIT: ReaderId = ReaderId(0);
pub(crate) const ENRICH: ReaderId = ReaderId(1);
pub(crate) const AUDITOR: FunctionId = FunctionId(0);
pub(crate) const ENRICHER: FunctionId = FunctionId(1);
pub(crate) const SHOP: InvokerId = InvokerId(0);
pub(crate) const ORDERS: SinkId = SinkId(0);
pub(crate) const SHARD: ShardIndex = ShardIndex(0);

pub(crate) fn directory() -> Arc<Directory> {
    let mapping = |name: &str, function| MappingEntry {
        begins_late: false,
        on_failure: None,
        event_count: true,
        name: name.to_owned(),
        stream: CLICKS,
        function,
    };
    let function = |name: &str, sink| FunctionEntry {
        name: name.to_owned(),
        sink,
    };
    let mappings = [mapping("audit", AUDITOR), mapping("enrich", ENRICHER)]
        .into_iter()
        .collect();
    let functions = [function("audit", None), function("enrich", Some(ORDERS))]
        .into_iter()
        .collect();
    Arc::new(Directory {
        queues: IndexVec::new(),
        topics: IndexVec::new(),
        subscriptions: IndexVec::new(),
        fleets: IndexVec::new(),
        queue_mappings: IndexVec::new(),
        producers: core::iter::once(ProducerEntry {
            name: "web".to_owned(),
            target: crate::ids::Destination::Stream(CLICKS),
            api: PutApi::PutRecords,
            library: false,
        })
        .collect(),
        streams: core::iter::once(StreamEntry {
            name: "clicks".to_owned(),
            shards: 1,
            shard_level_metrics: crate::blueprint::ShardLevelMetrics::ALL,
            consumers: Vec::new(),
        })
        .collect(),
        readers: crate::directory::readers(&mappings, &functions, &IndexVec::new()),
        processors: crate::directory::processors(&functions, &IndexVec::new()),
        mappings,
        applications: IndexVec::new(),
        functions,
        invokers: core::iter::once(InvokerEntry {
            name: "shop".to_owned(),
            function: AUDITOR,
            invocation_type: InvocationType::Event,
        })
        .collect(),
        sinks: core::iter::once(SinkEntry {
            name: "orders".to_owned(),
            service: SinkService::Database,
        })
        .collect(),
    })
}

pub(crate) fn keys(count: u32) -> Arc<KeyTable> {
    let web = ProducerBlueprint {
        name: "web".to_owned(),
        target: "clicks".to_owned(),
        arrivals: Arrivals::Constant(Rate::per_second(1)),
        keys: Keys::Uniform { count },
        size: Size::Drawn(Distribution::Constant(100.0)),
        api: PutApi::PutRecords,
        linger: SimDuration::ZERO,
        max_batch_records: 500,
        max_batch_bytes: 1 << 20,
        concurrency: 1,
        sequence_number_for_ordering: false,
        retry: SdkRetry {
            mode: RetryMode::Standard,
            max_attempts: 3,
            timing_2026: false,
        },
        resend_failed: Some(Resend {
            attempts: 3,
            backoff: SimDuration::from_millis(100),
            factor: 2,
            max_backoff: SimDuration::SECOND,
            jitter: Jitter::None,
        }),
        call_window: SimDuration::from_millis(1),
        call_window_threshold: Rate::per_second(10_000),
        library: None,
    };
    Arc::new(KeyTable::build(&[&web]))
}

pub(crate) const fn at(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

/// A record of 100 bytes, created at `ordinal` milliseconds and stored ten later.
pub(crate) fn record(key: u32, ordinal: u32) -> Record {
    Record {
        created_at: at(u64::from(ordinal)),
        arrived_at: at(u64::from(ordinal) + 10),
        key: KeyId(key),
        ordinal,
        bytes: 100,
        flags: 0,
    }
}

pub(crate) fn refused(mut record: Record) -> Record {
    record.set_outcome(Outcome::Throttled);
    record
}

/// The ordinals of key 0 as records.
pub(crate) fn records(ordinals: &[u32]) -> Vec<Record> {
    ordinals.iter().map(|ordinal| record(0, *ordinal)).collect()
}

/// The tally of a put that the shard answered, from the outcomes on the records.
pub(crate) fn tally(records: &[Record], first_position: u64) -> ShardTally {
    let accepted = records
        .iter()
        .filter(|record| record.outcome() == Outcome::Accepted)
        .count();
    ShardTally {
        bytes_charged: 1_024,
        shard: SHARD,
        accepted: u32::try_from(accepted).expect("a small batch"),
        throttled: u32::try_from(records.len() - accepted).expect("a small batch"),
        bytes: 100 * u64::try_from(accepted).expect("a small batch"),
        first_position,
        out_of_records: accepted < records.len(),
        out_of_bytes: false,
        requests: 1,
        singles: None,
    }
}

pub(crate) fn put<'f>(records: &'f [Record], shards: &'f [ShardTally], received_at: SimTime) -> Fact<'f> {
    Fact::PutHandled {
        stream: CLICKS,
        producer: WEB,
        api: PutApi::PutRecords,
        records,
        shards,
        received_at,
        sent: Some(Sends {
            first_at: at(0),
            at: at(0),
        }),
        late: &[],
    }
}

pub(crate) fn delivered(records: &[Record], received_at: SimTime) -> Fact<'_> {
    Fact::RecordsDelivered {
        sink: ORDERS,
        processor: ENRICHER.into(),
        records,
        received_at,
        capacity: None,
        rewrites: false,
        more: false,
        reader: ENRICH,
        shard: SHARD,
        positions: &[],
        passage: Passage::default(),
    }
}

/// One invocation of a function that may run a thousand.
pub(crate) const ONE_OF_MANY: ConcurrencyUse = ConcurrencyUse {
    reserved: false,
    used: 1,
    limit: 1_000,
    unreserved: 1,
    claimed: 1,
};
