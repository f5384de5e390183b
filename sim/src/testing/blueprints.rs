//! Small blueprints to build on: every delay is constant, nothing fails, nothing is scarce.

use crate::blueprint::{
    ApplicationBlueprint, Arrivals, AsynchronousInvocation, Blueprint, CapacityMode, Checkpointing, ColdStart,
    ConsumerBlueprint, FunctionBlueprint, InitialPosition, KclSettings, KclVersion, Keys, MappingBlueprint,
    ModelParameters, ProcessorShare, ProducerBlueprint, PutApi, QueueBlueprint, QueueMappingBlueprint, Retrieval,
    RetryMode, SdkRetry, SinkBlueprint, SinkService, Size, StreamBlueprint, WeightedKey,
};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{MIB, Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use crate::key::KeyTable;

/// One way through the network.
pub const NETWORK: SimDuration = SimDuration::from_millis(1);
/// Service time of a put and of a read.
pub const SERVICE: SimDuration = SimDuration::from_millis(10);

/// A span that is always the same.
#[expect(clippy::as_conversions, reason = "a parameter of a distribution is a float")]
pub fn constant(span: SimDuration) -> Distribution {
    Distribution::Constant(span.as_nanos() as f64)
}
/// The instant so many milliseconds after the start.
pub const fn millis(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

/// Every delay is constant.
pub fn model() -> ModelParameters {
    ModelParameters {
        network_latency: constant(NETWORK),
        provisioning_delay: SimDuration::from_secs(2),
        put_service_time: constant(SERVICE),
        get_service_time: constant(SERVICE),
        placement_time: constant(SimDuration::from_millis(100)),
        fan_out_delay: constant(SimDuration::from_millis(50)),
        ..ModelParameters::default()
    }
}

/// 100 records a second of 100 bytes and ten keys, in PutRecords every 100 ms; the SDK makes three attempts.
pub fn producer(name: &str, target: &str) -> ProducerBlueprint {
    ProducerBlueprint {
        name: name.to_owned(),
        target: target.to_owned(),
        arrivals: Arrivals::Constant(Rate::per_second(100)),
        keys: Keys::Uniform { count: 10 },
        size: Size::Drawn(Distribution::Constant(100.0)),
        api: PutApi::PutRecords,
        linger: SimDuration::from_millis(100),
        max_batch_records: 500,
        max_batch_bytes: 5 * MIB,
        concurrency: 100,
        sequence_number_for_ordering: false,
        retry: SdkRetry {
            mode: RetryMode::Standard,
            max_attempts: 3,
            timing_2026: false,
        },
        resend_failed: None,
        call_window: SimDuration::from_millis(1),
        call_window_threshold: Rate::per_second(10_000),
        library: None,
    }
}

/// A stream as CreateStream makes it.
pub fn stream(name: &str, shard_count: u32) -> StreamBlueprint {
    StreamBlueprint {
        name: name.to_owned(),
        shard_count,
        retention_hours: 24,
        max_record_size_kib: 1_024,
        mode: CapacityMode::Provisioned,
        warm_throughput_mib: 0,
        shard_level_metrics: crate::blueprint::ShardLevelMetrics::default(),
    }
}

/// BatchSize 100, no window, one lane.
pub fn mapping(name: &str, stream: &str, function: &str) -> MappingBlueprint {
    MappingBlueprint::new(name, stream, function)
}

/// 20 ms a batch, a cold start of half a second.
pub fn function(name: &str, sink: Option<&str>) -> FunctionBlueprint {
    FunctionBlueprint {
        name: name.to_owned(),
        memory_size: 128,
        timeout: SimDuration::from_secs(3),
        reserved_concurrency: None,
        provisioned_concurrency: None,
        asynchronous: AsynchronousInvocation::default(),
        cold_start: ColdStart::Own(constant(SimDuration::from_millis(400))),
        per_batch: constant(SimDuration::from_millis(20)),
        per_record: SimDuration::ZERO,
        first_run: SimDuration::ZERO,
        processor: ProcessorShare::default(),
        failure_rate: Ratio::ZERO,
        crash_share: Ratio::ZERO,
        failing_windows: Vec::new(),
        fails_after_write: false,
        poison: crate::blueprint::Poison::default(),
        window_state: None,
        sink: sink.map(str::to_owned),
    }
}

/// No capacity limit, 5 ms.
pub fn sink(name: &str) -> SinkBlueprint {
    SinkBlueprint {
        name: name.to_owned(),
        capacity: None,
        latency: constant(SimDuration::from_millis(5)),
        max_connections: None,
        idempotent: false,
        service: SinkService::Database,
    }
}

/// One worker of the library's third generation that reads by enhanced fan-out, processes in no time, and keeps no
/// checkpoint.
pub fn fan_out_application(name: &str, stream: &str) -> ApplicationBlueprint {
    ApplicationBlueprint {
        name: name.to_owned(),
        stream: stream.to_owned(),
        starts_at: SimTime::ZERO,
        workers: 1,
        kcl: KclVersion::Three,
        retrieval: Retrieval::FanOut,
        initial_position: InitialPosition::TrimHorizon,
        settings: KclSettings::defaults(KclVersion::Three),
        per_batch: constant(SimDuration::ZERO),
        per_record: SimDuration::ZERO,
        failure_rate: Ratio::ZERO,
        checkpoint: Checkpointing::Never,
        sink: None,
    }
}

/// `clicks` into one shard that so many applications read by enhanced fan-out, each as a consumer that is there already.
pub fn fan_out(applications: u32, duration: SimDuration) -> Blueprint {
    let names = (0..applications).map(|number| format!("audit-{number}"));
    let consumers = names.clone().map(|name| ConsumerBlueprint {
        name,
        stream: "records".to_owned(),
        registered: true,
    });
    Blueprint {
        model: model(),
        producers: vec![producer("clicks", "records")],
        streams: vec![stream("records", 1)],
        consumers: consumers.collect(),
        applications: names.map(|name| fan_out_application(&name, "records")).collect(),
        ..Blueprint::empty(7, duration)
    }
}

/// `clicks` through the stream `records`, the mapping `reader` and the function `enrich` into the sink `orders`.
pub fn pipeline(shard_count: u32, duration: SimDuration) -> Blueprint {
    Blueprint {
        model: model(),
        producers: vec![producer("clicks", "records")],
        streams: vec![stream("records", shard_count)],
        mappings: vec![mapping("reader", "records", "enrich")],
        functions: vec![function("enrich", Some("orders"))],
        sinks: vec![sink("orders")],
        ..Blueprint::empty(7, duration)
    }
}

/// Keys of one producer: `key-0`, `key-1` ..., each with the explicit hash key given (KDS-REC-10).
pub fn keys_at(hashes: &[u128]) -> KeyTable {
    let listed = (0_u32..).zip(hashes).map(|(number, &hash)| WeightedKey {
        text: format!("key-{number}"),
        weight: 1.0,
        explicit_hash_key: Some(hash),
    });
    let blueprint = ProducerBlueprint {
        keys: Keys::Weighted(listed.collect()),
        ..producer("clicks", "records")
    };
    KeyTable::build(&[&blueprint])
}

/// A queue as CreateQueue makes it.
pub fn queue(name: &str) -> QueueBlueprint {
    QueueBlueprint {
        name: name.to_owned(),
        fifo: None,
        visibility_timeout: SimDuration::from_secs(30),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::ZERO,
        receive_wait: SimDuration::ZERO,
        maximum_message_size: 1_048_576,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }
}

/// `web` sends 100 messages a second to the queue `jobs`, and the mapping `work` brings them to the function `worker`. The
/// queue answers in 10 ms.
pub fn queue_pipeline(duration: SimDuration) -> Blueprint {
    let mut model = model();
    model.queue.service_time = constant(SERVICE);
    model.queue.duplicate_rate = Ratio::ZERO;
    model.queue_mapping.poll_time = constant(SERVICE);
    model.queue_mapping.poll_time_fifo = constant(SERVICE);
    Blueprint {
        model,
        producers: vec![ProducerBlueprint {
            api: PutApi::SendMessageBatch,
            max_batch_records: 10,
            ..producer("web", "jobs")
        }],
        queues: vec![queue("jobs")],
        queue_mappings: vec![QueueMappingBlueprint::new("work", "jobs", "worker")],
        functions: vec![function("worker", None)],
        ..Blueprint::empty(7, duration)
    }
}
