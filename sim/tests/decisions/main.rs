//! SQS or Kinesis: the decision points of the sheet as experiments (SQS-K), each with its load and what must be observed.
//! Latencies and duplicates are switched off unless an experiment is about them.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "a test's numbers are small"
)]

mod copies;
mod failures;
mod limits;
mod times;

use sim::blueprint::{
    ApplicationBlueprint, Arrivals, Blueprint, Checkpointing, FifoSettings, FleetBlueprint, InitialPosition, Keys,
    ModelParameters, ProducerBlueprint, PutApi, QueueBlueprint, Retrieval, RetryMode, SdkRetry, Size,
    SubscriptionBlueprint, TopicBlueprint, Trace, TraceRows,
};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::Observers;
use sim::observe::counts::{Counts, FleetCounts, QueueCounts, ReaderCounts, StreamCounts};
use sim::session::{Session, SessionOptions};
use sim::testing::blueprints::{fan_out_application, producer};
use std::sync::Arc;

/// Nothing takes time but work.
fn still() -> ModelParameters {
    let nothing = Distribution::Constant(0.0);
    let mut model = ModelParameters {
        network_latency: nothing.clone(),
        put_service_time: nothing.clone(),
        get_service_time: nothing.clone(),
        lease_write_time: nothing.clone(),
        ..ModelParameters::default()
    };
    model.queue.service_time = nothing.clone();
    model.queue.order_jitter = nothing.clone();
    model.queue.duplicate_rate = Ratio::ZERO;
    model.topic.service_time = nothing.clone();
    model.topic.delivery_time = nothing;
    model.topic.duplicate_rate = Ratio::ZERO;
    model
}
fn world(seconds: u64) -> Blueprint {
    Blueprint {
        model: still(),
        ..Blueprint::empty(1, SimDuration::from_secs(seconds))
    }
}

/// So many messages of 100 bytes, evenly over a span, of so many keys in turn.
fn exactly(count: u32, over: SimDuration, keys: u32) -> (Arrivals, Keys) {
    let step = over.as_nanos() / u64::from(count);
    let trace = Trace {
        source: "evenly".to_owned(),
        rows: TraceRows::Requests {
            at: (0..count).map(|number| u64::from(number) * step).collect(),
            key: (0..count).map(|number| number % keys).collect(),
            bytes: Vec::new(),
        },
        keys: (0..keys).map(|key| format!("key-{key}")).collect(),
        span: over,
        compression: Ratio::ONE,
        repeat: false,
    };
    (Arrivals::Trace(Arc::new(trace)), Keys::FromTrace)
}
/// A sender that gives up what is refused.
fn sender(name: &str, target: &str, api: PutApi, (arrivals, keys): (Arrivals, Keys)) -> ProducerBlueprint {
    ProducerBlueprint {
        api,
        arrivals,
        keys,
        size: Size::Drawn(Distribution::Constant(100.0)),
        linger: SimDuration::from_millis(10),
        max_batch_records: if api == PutApi::PutRecords { 500 } else { 10 },
        max_batch_bytes: 1 << 18,
        concurrency: 10_000,
        retry: SdkRetry {
            mode: RetryMode::Off,
            max_attempts: 1,
            timing_2026: false,
        },
        call_window_threshold: Rate::per_second(1_000_000),
        ..producer(name, target)
    }
}
fn evenly(per_second: u64, keys: u32) -> (Arrivals, Keys) {
    (
        Arrivals::Constant(Rate::per_second(per_second)),
        Keys::Uniform { count: keys },
    )
}
fn queue(name: &str) -> QueueBlueprint {
    QueueBlueprint {
        name: name.to_owned(),
        fifo: None,
        visibility_timeout: SimDuration::from_secs(30),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::ZERO,
        receive_wait: SimDuration::from_secs(20),
        maximum_message_size: 1 << 20,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }
}
fn fifo_queue(name: &str) -> QueueBlueprint {
    QueueBlueprint {
        fifo: Some(FifoSettings::default()),
        ..queue(name)
    }
}
fn fleet(name: &str, queue: &str, workers: u32, work: SimDuration) -> FleetBlueprint {
    FleetBlueprint {
        name: name.to_owned(),
        queue: queue.to_owned(),
        workers,
        starts_at: SimTime::ZERO,
        wait_time: None,
        max_messages: 1,
        visibility_timeout: None,
        idle_pause: SimDuration::from_millis(10),
        per_message: Distribution::Constant(work.as_nanos() as f64),
        failure_rate: Ratio::ZERO,
        poison_rate: Ratio::ZERO,
        release_failed: false,
        heartbeat: None,
        crash_rate: Ratio::ZERO,
        restart_time: SimDuration::SECOND,
        attempt_ids: false,
        retry: SdkRetry::default(),
    }
}
fn topic(name: &str) -> TopicBlueprint {
    TopicBlueprint {
        name: name.to_owned(),
        fifo: None,
        maximum_message_size: sim::blueprint::DEFAULT_MESSAGE_SIZE,
        publishers: Vec::new(),
    }
}
fn subscription(name: &str, topic: &str, queue: &str) -> SubscriptionBlueprint {
    SubscriptionBlueprint {
        name: name.to_owned(),
        topic: topic.to_owned(),
        queue: queue.to_owned(),
        raw: true,
        filter: None,
        dead_letter_queue: None,
        created_at: SimTime::ZERO,
    }
}
/// Polls, from the oldest record, and checkpoints after each batch.
fn application(name: &str, stream: &str) -> ApplicationBlueprint {
    ApplicationBlueprint {
        retrieval: Retrieval::Polling,
        initial_position: InitialPosition::TrimHorizon,
        checkpoint: Checkpointing::EveryBatch,
        ..fan_out_application(name, stream)
    }
}

fn begun(blueprint: &Blueprint) -> Session {
    Session::new(blueprint, SessionOptions::default()).expect("the blueprint is valid")
}
fn run(blueprint: &Blueprint) -> Session {
    let mut session = begun(blueprint);
    to(&mut session, blueprint.duration.as_nanos() / 1_000_000);
    session
}
/// Goes on to so many milliseconds after the start.
fn to(session: &mut Session, millis: u64) {
    let at = SimTime::from_nanos(millis * 1_000_000);
    session.advance(at, u64::MAX).expect("the ledgers balance");
}
fn observers(session: &Session) -> &Observers {
    session.observers().expect("they are attached")
}
fn counts(session: &Session) -> &Counts {
    observers(session).counts.as_ref().expect("all are attached")
}
fn of_queue<'s>(session: &'s Session, name: &str) -> &'s QueueCounts {
    &counts(session).queues[session.world().directory().queue(name).expect("it is there")]
}
fn of_fleet<'s>(session: &'s Session, name: &str) -> &'s FleetCounts {
    &counts(session).fleets[session.world().directory().fleet(name).expect("it is there")]
}
fn of_stream<'s>(session: &'s Session, name: &str) -> &'s StreamCounts {
    &counts(session).streams[session.world().directory().stream(name).expect("it is there")]
}
fn of_application<'s>(session: &'s Session, name: &str) -> &'s ReaderCounts {
    let directory = session.world().directory();
    let reader = directory.reader_of(directory.application(name).expect("it is there"));
    &counts(session).readers[reader]
}
