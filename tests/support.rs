//! What several test modules use.

use scenarios::{LoadOptions, TraceReader};
use sim::blueprint::{
    Arrivals, AsynchronousInvocation, Blueprint, CapacityMode, ColdStart, FunctionBlueprint, Jitter, Keys,
    MappingBlueprint, ProcessorShare, ProducerBlueprint, PutApi, Resend, RetryMode, SdkRetry, SinkBlueprint, Size,
    StreamBlueprint, Trace, TraceRows,
};
use sim::directory::{Component, Directory};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::key::KeyTable;
use sim::observe::Probe;
use sim::observe::fact::{Fact, NotificationFact, Publishing, QueueFact, Queueing, TopicFact};
use sim::record::Record;
use sim::session::{Session, SessionOptions};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads trace files as the command does: beside the scenario, or under the data folder.
struct Files {
    folder: std::path::PathBuf,
}

impl TraceReader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        let place = match path.strip_prefix("data:") {
            Some(rest) => data().ok_or("there is no data folder")?.join(rest),
            None => self.folder.join(path),
        };
        std::fs::read(&place).map_err(|error| error.to_string())
    }
}

/// The folder of public workloads, if this machine has it.
pub(crate) fn data() -> Option<std::path::PathBuf> {
    let named = std::env::var_os("SHARDLAB_DATA").map(std::path::PathBuf::from);
    let folder = named.unwrap_or_else(|| std::path::PathBuf::from("../shared/data"));
    folder.is_dir().then_some(folder)
}

/// Paths of the shipped scenarios, in order.
pub(crate) fn shipped_scenarios() -> Vec<String> {
    let entries = |folder: &std::path::Path| -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).expect("the folder is there");
        entries.map(|entry| entry.expect("readable").path()).collect()
    };
    let mut paths: Vec<String> = entries(std::path::Path::new("scenarios"))
        .iter()
        .filter(|path| path.is_dir() && !path.ends_with("src") && !path.ends_with("tests"))
        .flat_map(|folder| entries(folder))
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| path.to_string_lossy().replace('\\', "/"))
        .collect();
    paths.sort_unstable();
    paths
}

/// The scenario in a file of the project.
pub(crate) fn scenario(path: &str, options: &LoadOptions) -> scenarios::Scenario {
    let text = std::fs::read_to_string(path).expect("the scenario is there");
    let folder = std::path::Path::new(path)
        .parent()
        .expect("it lies in a folder")
        .to_owned();
    let (scenario, diagnostics) = scenarios::load(&text, path, options, &Files { folder });
    assert!(diagnostics.is_empty(), "{path}: {diagnostics:#?}");
    scenario.expect("a scenario without diagnostics is there")
}

/// Its blueprint.
pub(crate) fn blueprint(path: &str) -> Blueprint {
    scenario(path, &LoadOptions::default()).blueprint
}

/// The blueprint of a scenario text without traces.
pub(crate) fn blueprint_of(text: &str) -> Blueprint {
    let files = Files {
        folder: std::path::PathBuf::from("scenarios"),
    };
    let (scenario, diagnostics) = scenarios::load(text, "test", &LoadOptions::default(), &files);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    scenario.expect("a scenario without diagnostics is there").blueprint
}

/// A run to its end.
pub(crate) fn run(blueprint: &Blueprint, options: SessionOptions) -> Session {
    let mut session = Session::new(blueprint, options).expect("the blueprint builds");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs");
    session
}

/// The fingerprint of an observed run.
pub(crate) fn fingerprint(blueprint: &Blueprint) -> String {
    run(blueprint, SessionOptions::default()).fingerprint().to_string()
}

/// A small pipeline whose components all carry the given name.
pub(crate) fn shop(name: &str) -> Blueprint {
    let mut blueprint = Blueprint::empty(7, SimDuration::from_minutes(5));
    let ms = |ms: f64| ms * 1e6;
    blueprint.streams.push(StreamBlueprint {
        name: name.to_owned(),
        shard_count: 2,
        retention_hours: 24,
        max_record_size_kib: 1_024,
        mode: CapacityMode::Provisioned,
        warm_throughput_mib: 0,
        shard_level_metrics: sim::blueprint::ShardLevelMetrics::default(),
    });
    blueprint.producers.push(ProducerBlueprint {
        name: name.to_owned(),
        target: name.to_owned(),
        arrivals: Arrivals::Poisson(Rate::per_second(200)),
        keys: Keys::Uniform { count: 50 },
        size: Size::Drawn(Distribution::LogNormal {
            median: 500.0,
            sigma: 0.5,
        }),
        api: PutApi::PutRecords,
        linger: SimDuration::from_millis(50),
        max_batch_records: 500,
        max_batch_bytes: 5 << 20,
        concurrency: 100,
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
            max_backoff: SimDuration::from_secs(20),
            jitter: Jitter::Full,
        }),
        call_window: SimDuration::from_millis(1),
        call_window_threshold: Rate::per_second(10_000),
        library: None,
    });
    blueprint.functions.push(FunctionBlueprint {
        name: name.to_owned(),
        memory_size: 512,
        timeout: SimDuration::from_secs(30),
        reserved_concurrency: Some(10),
        provisioned_concurrency: None,
        asynchronous: AsynchronousInvocation::default(),
        cold_start: ColdStart::Own(Distribution::Constant(ms(150.0))),
        per_batch: Distribution::LogNormal {
            median: ms(20.0),
            sigma: 0.4,
        },
        per_record: SimDuration::from_micros(100),
        first_run: SimDuration::ZERO,
        processor: ProcessorShare::default(),
        failure_rate: Ratio::new(1, 100),
        crash_share: Ratio::ZERO,
        failing_windows: Vec::new(),
        fails_after_write: true,
        poison: sim::blueprint::Poison::default(),
        window_state: None,
        sink: Some(name.to_owned()),
    });
    blueprint.mappings.push(MappingBlueprint {
        parallelization_factor: 2,
        ..MappingBlueprint::new(name, name, name)
    });
    blueprint.sinks.push(SinkBlueprint {
        max_connections: None,
        idempotent: false,
        service: sim::blueprint::SinkService::Database,
        name: name.to_owned(),
        capacity: Some(Rate::per_second(2_000)),
        latency: Distribution::Exponential { mean: ms(5.0) },
    });
    blueprint
}

/// The same pipeline fed by a trace of (instant, key, bytes).
pub(crate) fn replay(rows: &[(u64, u32, u32)]) -> Blueprint {
    let mut blueprint = shop("orders");
    blueprint.duration = SimDuration::from_secs(10);
    let producer = &mut blueprint.producers[0];
    producer.keys = Keys::FromTrace;
    producer.size = Size::FromTrace;
    producer.arrivals = Arrivals::Trace(Arc::new(Trace {
        source: "rows of a test".to_owned(),
        rows: TraceRows::Requests {
            at: rows.iter().map(|row| row.0).collect(),
            key: rows.iter().map(|row| row.1).collect(),
            bytes: rows.iter().map(|row| row.2).collect(),
        },
        keys: ["anna", "bert", "carl"].map(str::to_owned).to_vec(),
        span: SimDuration::from_secs(5),
        compression: Ratio::ONE,
        repeat: false,
    }));
    blueprint
}

/// A digest of everything that each component stated: (facts, digest) by component name. Ids do not enter, since they
/// follow the sorted names of all components.
struct FactDigest {
    directory: Directory,
    keys: Arc<KeyTable>,
    by_component: BTreeMap<String, (u64, u64)>,
}

impl Probe for FactDigest {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Some(component) = speaker(fact, &self.directory) else {
            return;
        };
        let entry = self.by_component.entry(self.directory.label(component)).or_default();
        entry.0 += 1;
        let mut mix = |word: u64| entry.1 = (entry.1 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
        mix(now.as_nanos());
        // The variant's name; the fields that follow it may hold ids.
        let debug = format!("{fact:?}");
        mix(sim::engine::random::fnv1a(
            debug.split([' ', '{']).next().unwrap_or_default(),
        ));
        for record in records(fact) {
            let hash = self.keys.entry(record.key).hash;
            mix(u64::try_from(hash >> 64).unwrap_or(0));
            mix(record.created_at.as_nanos());
            mix(record.arrived_at.as_nanos());
            mix(u64::from(record.ordinal) << 32 | u64::from(record.bytes));
        }
        figures(fact).into_iter().for_each(mix);
    }
}

/// Which component a fact is about.
fn speaker(fact: &Fact<'_>, directory: &Directory) -> Option<Component> {
    match *fact {
        Fact::RecordsProduced { producer, .. }
        | Fact::RequestSent { producer, .. }
        | Fact::RecordsAcknowledged { producer, .. }
        | Fact::UserRecordsSent { producer, .. }
        | Fact::RequestAnswered { producer, .. }
        | Fact::RequestFailed { producer, .. }
        | Fact::RetryScheduled { producer, .. }
        | Fact::RecordsGivenUp { producer, .. } => Some(Component::Producer(producer)),
        Fact::PutHandled { stream, .. }
        | Fact::ShardsWritten { stream, .. }
        | Fact::UserRecordsStored { stream, .. }
        | Fact::PutRefused { stream, .. }
        | Fact::AcknowledgementLost { stream, .. }
        | Fact::GetRecordsHandled { stream, .. }
        | Fact::GetRecordsThrottled { stream, .. }
        | Fact::SubscriptionAnswered { stream, .. }
        | Fact::SubscriptionEventPushed { stream, .. }
        | Fact::StreamChanged { stream, .. } => Some(Component::Stream(stream)),
        Fact::RecordsExpiredUnread { reader, .. }
        | Fact::RecordsExpiredInRetry { reader, .. }
        | Fact::RecordsGathered { reader, .. }
        | Fact::BatchDispatched { reader, .. }
        | Fact::BatchFailed { reader, .. }
        | Fact::BatchAcknowledged { reader, .. }
        | Fact::RecordsDiscarded { reader, .. }
        | Fact::RecordsFilteredOut { reader, .. }
        | Fact::MappingChanged { reader, .. }
        | Fact::ApplicationChanged { reader, .. }
        | Fact::CheckpointAdvanced { reader, .. } => Some(directory.readers[reader].component),
        Fact::InvocationStarted { function, .. }
        | Fact::InvocationThrottled { function, .. }
        | Fact::InvocationEnded { function, .. }
        | Fact::FunctionChanged { function, .. }
        | Fact::AsynchronousEvent { function, .. } => Some(Component::Function(function)),
        Fact::InvokerActed { invoker, .. } => Some(Component::Invoker(invoker)),
        Fact::RecordsProcessed { processor, .. } => Some(directory.processors[processor].component),
        Fact::Queueing {
            fact: Queueing::Queue { queue, .. },
        } => Some(Component::Queue(queue)),
        Fact::Queueing {
            fact: Queueing::Fleet { fleet, .. },
        } => Some(Component::Fleet(fleet)),
        Fact::Publishing {
            fact: Publishing::Topic { topic, .. },
        } => Some(Component::Topic(topic)),
        Fact::Publishing {
            fact: Publishing::Subscription { subscription, .. },
        } => Some(Component::Subscription(subscription)),
        Fact::Queueing {
            fact: Queueing::Mapping { mapping, .. },
        } => Some(Component::QueueMapping(mapping)),
        Fact::RecordsDelivered { sink, .. } | Fact::SinkChanged { sink, .. } => Some(Component::Sink(sink)),
        Fact::Intervened { .. } => None,
    }
}

/// The records that a fact is about.
fn records<'f>(fact: &Fact<'f>) -> &'f [Record] {
    match *fact {
        Fact::RecordsProduced { records, .. }
        | Fact::RequestSent { records, .. }
        | Fact::UserRecordsSent { records, .. }
        | Fact::UserRecordsStored { records, .. }
        | Fact::RecordsAcknowledged { records, .. }
        | Fact::RecordsGivenUp { records, .. }
        | Fact::PutHandled { records, .. }
        | Fact::PutRefused { records, .. }
        | Fact::AcknowledgementLost { records, .. }
        | Fact::GetRecordsHandled { records, .. }
        | Fact::SubscriptionEventPushed { records, .. }
        | Fact::BatchDispatched { records, .. }
        | Fact::RecordsDiscarded { records, .. }
        | Fact::RecordsFilteredOut { records, .. }
        | Fact::InvocationStarted { records, .. }
        | Fact::RecordsProcessed { records, .. }
        | Fact::RecordsDelivered { records, .. }
        | Fact::Queueing {
            fact:
                Queueing::Queue {
                    fact:
                        QueueFact::Sent { records, .. }
                        | QueueFact::Received { records, .. }
                        | QueueFact::Deleted { records, .. }
                        | QueueFact::DeadLettered { records, .. },
                    ..
                },
        }
        | Fact::Publishing {
            fact:
                Publishing::Topic {
                    fact: TopicFact::Published { records, .. },
                    ..
                }
                | Publishing::Subscription {
                    fact:
                        NotificationFact::Copied { records }
                        | NotificationFact::Delivered { records, .. }
                        | NotificationFact::DeadLettered { records, .. },
                    ..
                },
        } => records,
        Fact::Queueing {
            fact: Queueing::Mapping { fact, .. },
        } => fact.records(),
        _ => &[],
    }
}

/// Numbers in a fact that tell one of a kind from another.
fn figures(fact: &Fact<'_>) -> Vec<u64> {
    match *fact {
        Fact::RetryScheduled { at, records, .. } => vec![at.as_nanos(), u64::from(records)],
        Fact::GetRecordsHandled {
            shard,
            first_position,
            millis_behind,
            ..
        }
        | Fact::SubscriptionEventPushed {
            shard,
            first_position,
            millis_behind,
            ..
        } => {
            vec![u64::from(shard.0), first_position, millis_behind]
        }
        Fact::BatchDispatched {
            shard,
            lane,
            attempts_before,
            ..
        } => {
            vec![u64::from(shard.0), u64::from(lane), u64::from(attempts_before)]
        }
        Fact::BatchFailed {
            shard, lane, retry_at, ..
        } => vec![u64::from(shard.0), u64::from(lane), retry_at.as_nanos()],
        Fact::BatchAcknowledged {
            shard,
            lane,
            records,
            first_position,
            ..
        } => {
            vec![u64::from(shard.0), u64::from(lane), u64::from(records), first_position]
        }
        Fact::CheckpointAdvanced { shard, position, .. } => vec![u64::from(shard.0), position],
        Fact::InvocationStarted {
            cold_start, concurrent, ..
        } => {
            vec![cold_start.map_or(0, SimDuration::as_nanos), u64::from(concurrent)]
        }
        Fact::InvocationEnded {
            duration,
            records,
            concurrent,
            ..
        } => {
            vec![duration.as_nanos(), u64::from(records), u64::from(concurrent)]
        }
        _ => Vec::new(),
    }
}

/// Digests by component of everything that a blueprint's run states.
pub(crate) fn digest_of_facts(blueprint: &Blueprint) -> BTreeMap<String, (u64, u64)> {
    let options = SessionOptions {
        observe: false,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("the blueprint builds");
    let mut digest = FactDigest {
        directory: session.world().directory().clone(),
        keys: Arc::clone(session.world().keys()),
        by_component: BTreeMap::new(),
    };
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut digest))
        .expect("it runs");
    digest.by_component
}
