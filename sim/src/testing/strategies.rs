//! Random blueprints: every kind of arrival, key, retry, mapping and failure, small enough to check after every event.

use super::arrivals::arrivals;
use super::blueprints::{function, model, producer, stream};
use super::functions::{functions, invokers};
use super::libraries::libraries;
use super::mappings::mappings;
use super::operations::{asked_of_records, operations, quick_changes};
use super::sinks::sinks;
use super::topics::topic_worlds;
use crate::blueprint::{
    Arrivals, Blueprint, CapacityMode, Jitter, Keys, MappingBlueprint, ModelParameters, Poison, ProducerBlueprint,
    PutApi, Resend, RetryMode, SdkRetry, SinkService, Size, StreamBlueprint, WeightedKey,
};
use crate::command::{Command, Intervention};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{MIB, Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A whole world of a few components, for ten to thirty seconds, in which anything may fail.
pub fn blueprints() -> impl Strategy<Value = Blueprint> {
    (stream_blueprints(), option::weighted(0.5, topic_worlds())).prop_map(|(mut blueprint, topics)| {
        if let Some(topics) = topics {
            topics.join(&mut blueprint);
        }
        blueprint
    })
}

/// The same without topics.
pub fn stream_blueprints() -> impl Strategy<Value = Blueprint> {
    let parts = (
        vec(producers(), 1..=3),
        streams(),
        vec(mappings(), 0..=3),
        vec(functions(), 2),
        vec(sinks(), 2),
        vec(invokers(), 0..=2),
    );
    (
        any::<u64>(),
        10_u64..=30,
        models(),
        parts,
        vec(interventions(), 0..=6),
        1_u32..=4,
    )
        .prop_map(
            |(
                seed,
                seconds,
                model,
                (producers, records, mappings, functions, sinks, invokers),
                interventions,
                account,
            )| {
                Blueprint {
                    model,
                    account_concurrency: if account == 1 { 103 } else { 1_000 },
                    producers: named(producers, |producer, name| producer.name = name, "producer"),
                    streams: vec![records],
                    mappings: named(
                        mappings,
                        |mapping, name| {
                            mapping.consumer = mapping.consumer.take().map(|_| format!("of-{name}"));
                            mapping.name = name;
                        },
                        "mapping",
                    ),
                    functions: named(functions, |function, name| function.name = name, "function"),
                    sinks: named(sinks, |sink, name| sink.name = name, "sink"),
                    invokers: named(invokers, |invoker, name| invoker.name = name, "invoker"),
                    interventions,
                    ..Blueprint::empty(seed, SimDuration::from_secs(seconds))
                }
            },
        )
        .prop_map(without_impossible_commands)
}

/// A world in which nothing that is put fails or overtakes, so that every key must stay in order, whatever the function
/// and its sink do.
pub fn ordered_blueprints() -> impl Strategy<Value = Blueprint> {
    stream_blueprints().prop_map(|mut blueprint| {
        blueprint.invokers.clear();
        blueprint.model = ModelParameters {
            min_poll_interval: blueprint.model.min_poll_interval,
            poll_page_records: blueprint.model.poll_page_records,
            poll_dispatch_delay: blueprint.model.poll_dispatch_delay,
            ..quick_changes()
        };
        for producer in &mut blueprint.producers {
            producer.arrivals = Arrivals::Poisson(Rate::per_second(60));
            if producer.keys == Keys::FromTrace {
                producer.keys = Keys::Uniform { count: 7 };
            }
            producer.size = Size::Drawn(Distribution::Constant(100.0));
            producer.concurrency = 1_000;
            producer.library = None;
        }
        for sink in &mut blueprint.sinks {
            // A table takes a part of a request, so that what it refused comes later.
            if matches!(sink.service, SinkService::Table(_)) {
                sink.service = SinkService::Database;
            }
        }
        // Whatever fails is tried until it succeeds, and everything is read.
        for mapping in &mut blueprint.mappings {
            mapping.errors.maximum_retry_attempts = None;
            mapping.errors.maximum_record_age = None;
            mapping.created_at = SimTime::ZERO;
        }
        // What one mapping filters out another one may bring to the same function, later than what follows.
        let functions: Vec<String> = blueprint
            .mappings
            .iter()
            .map(|mapping| mapping.function.clone())
            .collect();
        for mapping in &mut blueprint.mappings {
            if functions.iter().filter(|name| **name == mapping.function).count() > 1 {
                mapping.filters = None;
            }
        }
        for function in &mut blueprint.functions {
            function.poison = Poison::default();
        }
        blueprint
            .interventions
            .retain(|intervention| !matches!(intervention.command, Command::ScaleLoad { .. }));
        blueprint
    })
}

/// An hour of retention, shards that come and go, and functions that are broken for longer than that.
pub fn outages() -> impl Strategy<Value = Blueprint> {
    let broken = (60_u64..4_000, 3_600_u64..6_000);
    (
        any::<u64>(),
        1_u32..=2,
        mappings(),
        broken,
        any::<bool>(),
        1_u64..=60,
        1_u32..6,
        (any::<bool>(), vec((0_u64..9_000, operations()), 0..=5)),
    )
        .prop_map(
            |(seed, shards, mut mapping, (from, lasts), throttled, per_minute, page, (on_demand, asked))| {
                // Little is read ahead, so that some records expire unread and others in their lanes.
                mapping.batch_size = mapping.batch_size.min(3);
                mapping.parallelization_factor = mapping.parallelization_factor.min(3);
                let mut blueprint = Blueprint::empty(seed, SimDuration::from_secs(12_000));
                blueprint.model = ModelParameters {
                    poll_interval: SimDuration::from_secs(20),
                    poll_page_records: page,
                    ..model()
                };
                blueprint.producers = vec![ProducerBlueprint {
                    name: "producer-0".to_owned(),
                    arrivals: Arrivals::Poisson(Rate {
                        count: per_minute,
                        per: SimDuration::from_secs(60),
                    }),
                    ..producer("producer-0", "records")
                }];
                blueprint.streams = vec![stream("records", shards)];
                blueprint.streams[0].retention_hours = 1;
                if on_demand {
                    blueprint.streams[0].mode = CapacityMode::OnDemand;
                }
                blueprint.mappings = vec![MappingBlueprint {
                    name: "mapping-0".to_owned(),
                    consumer: mapping.consumer.as_ref().map(|_| "of-mapping-0".to_owned()),
                    function: "function-0".to_owned(),
                    ..mapping
                }];
                blueprint.functions = vec![function("function-0", None)];
                let change = |at: u64, broken: bool| Intervention {
                    at: SimTime::from_secs(at),
                    command: if throttled {
                        Command::SetReservedConcurrency {
                            function: "function-0".to_owned(),
                            limit: broken.then_some(0),
                        }
                    } else {
                        Command::SetFailureRate {
                            function: "function-0".to_owned(),
                            rate: if broken { Ratio::ONE } else { Ratio::ZERO },
                        }
                    },
                };
                blueprint.interventions = vec![change(from, true), change(from + lasts, false)];
                let asked = asked
                    .into_iter()
                    .map(|(at, operation)| (SimTime::from_secs(at), operation));
                blueprint.interventions.extend(asked.map(asked_of_records));
                blueprint
            },
        )
}

fn named<T>(mut parts: Vec<T>, set: impl Fn(&mut T, String), kind: &str) -> Vec<T> {
    for (number, part) in parts.iter_mut().enumerate() {
        set(part, format!("{kind}-{number}"));
    }
    parts
}

/// Commands change components that exist, and never the load of a trace.
fn without_impossible_commands(mut blueprint: Blueprint) -> Blueprint {
    let (producers, functions, mappings) = (&blueprint.producers, &blueprint.functions, &blueprint.mappings);
    let unreserved = blueprint.account_concurrency - 100;
    blueprint
        .interventions
        .retain(|intervention| match &intervention.command {
            Command::ScaleLoad { producer, .. } => producers
                .iter()
                .any(|known| known.name == *producer && !matches!(known.arrivals, Arrivals::Trace(_))),
            Command::SetMappingEnabled { mapping, .. } => mappings.iter().any(|known| known.name == *mapping),
            Command::SetReservedConcurrency { limit, .. } => limit.is_none_or(|limit| limit <= unreserved / 2),
            Command::SetProvisionedConcurrency { .. }
            | Command::SetFailureRate { .. }
            | Command::SetSinkCapacity { .. }
            | Command::BreakSink { .. }
            | Command::BreakQueue { .. }
            | Command::DenySubscription { .. }
            | Command::SetFilterPolicy { .. }
            | Command::KillWorker { .. }
            | Command::PauseWorker { .. }
            | Command::StartWorkers { .. }
            | Command::Deploy { .. }
            | Command::RegisterConsumer { .. }
            | Command::DeregisterConsumer { .. }
            | Command::ChangeQueue { .. }
            | Command::ChangeStream { .. } => true,
        });
    let reserved: u32 = functions
        .iter()
        .filter_map(|function| function.reserved_concurrency)
        .sum();
    if reserved > 0 && unreserved < 10 {
        for function in &mut blueprint.functions {
            function.reserved_concurrency = None;
        }
    }
    // A reservation below what is provisioned is refused.
    let reserves = |change: &Intervention| matches!(change.command, Command::SetReservedConcurrency { .. });
    if unreserved < 10 || blueprint.interventions.iter().any(reserves) {
        for function in &mut blueprint.functions {
            function.provisioned_concurrency = None;
        }
    }
    blueprint
}

fn streams() -> impl Strategy<Value = StreamBlueprint> {
    // Now and then so many that requests are told in sums.
    let shards = prop_oneof![30 => 1_u32..=6, 1 => 64_u32..=66];
    (shards, any::<bool>()).prop_map(|(shards, large)| StreamBlueprint {
        max_record_size_kib: if large { 10_240 } else { 1_024 },
        ..stream("records", shards)
    })
}

fn models() -> impl Strategy<Value = ModelParameters> {
    let ratio =
        |most: u64| prop_oneof![2 => Just(Ratio::ZERO), 1 => (1..=most).prop_map(|tenths| Ratio::new(tenths, 10))];
    let faults = (
        ratio(4),
        ratio(4),
        ratio(4),
        prop_oneof![3 => Just(5_000_u64), 1 => 5_u64..60],
    );
    let timing = (
        any::<bool>(),
        prop_oneof![Just(10_000_u32), 1_u32..200],
        prop_oneof![Just(200_u64), 1_u64..400],
        prop_oneof![Just(85_u64), 0_u64..300],
    );
    (faults, timing).prop_map(
        |((internal, entry, lost, timeout), (random, page, min_poll, dispatch))| {
            let documented = ModelParameters::default();
            ModelParameters {
                put_service_time: if random {
                    documented.put_service_time.clone()
                } else {
                    model().put_service_time
                },
                get_service_time: if random {
                    documented.get_service_time.clone()
                } else {
                    model().get_service_time
                },
                internal_failure_rate: internal,
                poller_failover_rate: internal,
                entry_failure_rate: entry,
                lost_acknowledgement_rate: lost,
                request_timeout: SimDuration::from_millis(timeout),
                poll_page_records: page,
                min_poll_interval: SimDuration::from_millis(min_poll),
                poll_dispatch_delay: SimDuration::from_millis(dispatch),
                ..quick_changes()
            }
        },
    )
}

fn keys() -> impl Strategy<Value = Keys> {
    prop_oneof![
        (1_u32..20).prop_map(|count| Keys::Uniform { count }),
        (1_u32..20).prop_map(|count| Keys::Zipf { count, exponent: 1.2 }),
        (0_u32..10).prop_map(|others| Keys::Hot { share: 0.6, others }),
        vec((0_u32..5, option::of(any::<u128>())), 1..4).prop_map(|list| {
            let listed = list.into_iter().map(|(number, explicit_hash_key)| WeightedKey {
                text: format!("key-{number}"),
                weight: f64::from(number) + 1.0,
                explicit_hash_key,
            });
            Keys::Weighted(listed.collect())
        }),
    ]
}

fn sizes() -> impl Strategy<Value = Size> {
    prop_oneof![
        4 => Just(Size::Drawn(Distribution::Uniform { low: 1.0, high: 3_000.0 })),
        1 => Just(Size::Drawn(Distribution::Uniform { low: 1.0, high: 1_100_000.0 })),
        1 => Just(Size::Drawn(Distribution::Uniform { low: 1.0, high: 6_000_000.0 })),
    ]
}

fn retries() -> impl Strategy<Value = SdkRetry> {
    let mode = prop_oneof![
        Just(RetryMode::Off),
        Just(RetryMode::Standard),
        Just(RetryMode::Adaptive),
        Just(RetryMode::Legacy)
    ];
    (mode, 1_u32..5, any::<bool>()).prop_map(|(mode, max_attempts, timing_2026)| SdkRetry {
        mode,
        max_attempts,
        timing_2026,
    })
}

fn resends() -> impl Strategy<Value = Resend> {
    let jitter = prop_oneof![Just(Jitter::None), Just(Jitter::Full), Just(Jitter::Equal)];
    (0_u32..4, 1_u64..500, 1_u32..3, jitter).prop_map(|(attempts, backoff, factor, jitter)| Resend {
        attempts,
        backoff: SimDuration::from_millis(backoff),
        factor,
        max_backoff: SimDuration::from_secs(2),
        jitter,
    })
}

fn producers() -> impl Strategy<Value = ProducerBlueprint> {
    let client = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        0_u64..800,
        1_u32..60,
        prop_oneof![1_u32..4, Just(100)],
        1_u64..20_000,
    );
    let library = option::weighted(0.3, libraries());
    (
        arrivals(),
        keys(),
        sizes(),
        retries(),
        option::of(resends()),
        client,
        library,
    )
        .prop_map(
            |((arrivals, traced), keys, size, retry, resend_failed, client, library)| {
                let (single, windowed, sequence_number_for_ordering, linger, max_batch_records, concurrency, window) =
                    client;
                ProducerBlueprint {
                    arrivals,
                    keys: if traced { Keys::FromTrace } else { keys },
                    size,
                    api: if single { PutApi::PutRecord } else { PutApi::PutRecords },
                    linger: SimDuration::from_millis(linger),
                    max_batch_records,
                    max_batch_bytes: 3 * MIB,
                    concurrency,
                    sequence_number_for_ordering,
                    retry,
                    resend_failed,
                    call_window: SimDuration::from_micros(window),
                    call_window_threshold: if windowed {
                        Rate::ZERO
                    } else {
                        Rate::per_second(1_000_000)
                    },
                    library,
                    ..producer("", "records")
                }
            },
        )
}

fn interventions() -> impl Strategy<Value = Intervention> {
    let number = || 0_u32..2;
    let command = prop_oneof![
        (number(), 0_u64..4).prop_map(|(number, factor)| Command::ScaleLoad {
            producer: format!("producer-{number}"),
            factor: Ratio::new(factor, 1),
        }),
        (number(), option::of(0_u32..3)).prop_map(|(number, limit)| Command::SetReservedConcurrency {
            function: format!("function-{number}"),
            limit,
        }),
        (number(), 0_u64..=10).prop_map(|(number, tenths)| Command::SetFailureRate {
            function: format!("function-{number}"),
            rate: Ratio::new(tenths, 10),
        }),
        (number(), any::<bool>()).prop_map(|(number, enabled)| Command::SetMappingEnabled {
            mapping: format!("mapping-{number}"),
            enabled,
        }),
        (number(), option::of(0_u64..300)).prop_map(|(number, capacity)| Command::SetSinkCapacity {
            sink: format!("sink-{number}"),
            capacity: capacity.map(Rate::per_second),
        }),
        (number(), 1_u64..8_000).prop_map(|(number, lasts)| Command::BreakSink {
            sink: format!("sink-{number}"),
            lasts: SimDuration::from_millis(lasts),
        }),
    ];
    let asked = operations().prop_map(|operation| asked_of_records((SimTime::ZERO, operation)).command);
    let command = prop_oneof![1 => command, 1 => asked];
    (0_u64..25_000, command).prop_map(|(at, command)| Intervention {
        at: SimTime::ZERO + SimDuration::from_millis(at),
        command,
    })
}
