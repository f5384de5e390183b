//! Topics with publishers, subscribed queues and their workers, and everything that may go wrong between them.

use super::blueprints::producer;
use crate::blueprint::{
    Arrivals, Attribute, AttributeValue, Blueprint, Condition, FifoSettings, FilterPolicy, FilterScope, FleetBlueprint,
    Keys, ProducerBlueprint, PublisherBlueprint, PutApi, QueueBlueprint, SdkRetry, Size, SubscriptionBlueprint,
    ThroughputScope, TopicBlueprint,
};
use crate::command::{Command, Intervention};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::sync::Arc;

/// A topic and everything around it.
#[derive(Clone, Debug)]
pub struct TopicWorld {
    publishers: Vec<ProducerBlueprint>,
    topic: TopicBlueprint,
    subscriptions: Vec<SubscriptionBlueprint>,
    queues: Vec<QueueBlueprint>,
    fleets: Vec<FleetBlueprint>,
    interventions: Vec<Intervention>,
    rates: [Ratio; 3],
    quick: bool,
}

impl TopicWorld {
    /// Adds it to a world.
    pub fn join(self, blueprint: &mut Blueprint) {
        let [duplicates, jitter, queue_duplicates] = self.rates;
        let model = &mut blueprint.model;
        model.topic.duplicate_rate = duplicates;
        model.topic.retry_jitter = jitter;
        model.queue.duplicate_rate = queue_duplicates;
        model.topic.filter_change_time = Distribution::Uniform { low: 0.0, high: 5e9 };
        if self.quick {
            model.topic.delivery_time = Distribution::Constant(0.0);
            model.topic.service_time = Distribution::Constant(0.0);
            model.queue.service_time = Distribution::Constant(0.0);
        }
        blueprint.producers.extend(self.publishers);
        blueprint.topics.push(self.topic);
        blueprint.subscriptions.extend(self.subscriptions);
        blueprint.queues.extend(self.queues);
        blueprint.fleets.extend(self.fleets);
        blueprint.interventions.extend(self.interventions);
    }
    /// Whether it is a FIFO topic.
    pub const fn is_fifo(&self) -> bool {
        self.topic.fifo.is_some()
    }
}

fn queue(name: &str, fifo: bool, (visibility, delay): (u64, u64)) -> QueueBlueprint {
    QueueBlueprint {
        name: name.to_owned(),
        fifo: fifo.then_some(FifoSettings::default()),
        visibility_timeout: SimDuration::from_secs(visibility),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::from_secs(delay),
        receive_wait: SimDuration::from_secs(1),
        maximum_message_size: 2_048,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }
}

fn fleet(queue: &str, (workers, work, failures): (u32, u32, u64)) -> FleetBlueprint {
    FleetBlueprint {
        name: format!("of-{queue}"),
        queue: queue.to_owned(),
        workers,
        starts_at: SimTime::ZERO,
        wait_time: None,
        max_messages: 10,
        visibility_timeout: None,
        idle_pause: SimDuration::from_millis(200),
        per_message: Distribution::Constant(f64::from(work) * 1e6),
        failure_rate: Ratio::new(failures, 10),
        poison_rate: Ratio::ZERO,
        release_failed: failures % 2 == 0,
        heartbeat: None,
        crash_rate: Ratio::new(failures, 40),
        restart_time: SimDuration::SECOND,
        attempt_ids: false,
        retry: SdkRetry::default(),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

fn attributes(count: usize) -> Vec<Attribute> {
    let more = (1..count).map(|number| Attribute {
        name: format!("more-{number}"),
        values: vec![(text("yes"), 3), (AttributeValue::Absent, 1)],
    });
    let kind = Attribute {
        name: "kind".to_owned(),
        values: vec![(text("new"), 2), (text("old"), 1), (AttributeValue::Absent, 1)],
    };
    core::iter::once(kind).chain(more).collect()
}

fn policies() -> impl Strategy<Value = FilterPolicy> {
    let conditions = prop_oneof![
        Just(vec![Condition::Is(text("new"))]),
        Just(vec![Condition::AnythingBut(vec![text("old")])]),
        Just(vec![Condition::Exists(false), Condition::Prefix("o".to_owned())]),
    ];
    let scope = prop_oneof![Just(FilterScope::MessageAttributes), Just(FilterScope::MessageBody)];
    (conditions, scope).prop_map(|(conditions, scope)| FilterPolicy {
        scope,
        names: vec![("kind".to_owned(), conditions)],
    })
}

fn publishers() -> impl Strategy<Value = Vec<ProducerBlueprint>> {
    let one = (any::<bool>(), 1_u64..40, 1_u32..6, 1_u32..3_000, option::of(0_u32..3));
    vec(one, 1..=2).prop_map(|all| {
        let publishers = (0..).zip(all).map(|(number, (single, rate, keys, bytes, resends))| {
            let base = producer(&format!("publisher-{number}"), "news");
            ProducerBlueprint {
                arrivals: Arrivals::Poisson(Rate::per_second(rate)),
                keys: Keys::Uniform { count: keys },
                size: Size::Drawn(Distribution::Uniform {
                    low: 1.0,
                    high: f64::from(bytes),
                }),
                api: if single { PutApi::Publish } else { PutApi::PublishBatch },
                max_batch_records: 10,
                max_batch_bytes: 1 << 18,
                resend_failed: resends.map(|attempts| crate::blueprint::Resend {
                    attempts,
                    backoff: SimDuration::from_millis(100),
                    factor: 2,
                    max_backoff: SimDuration::SECOND,
                    jitter: crate::blueprint::Jitter::Full,
                }),
                ..base
            }
        });
        publishers.collect()
    })
}

fn changes(subscriptions: usize) -> impl Strategy<Value = Vec<Intervention>> {
    let spell = || (1_u64..9_000).prop_map(SimDuration::from_millis);
    let command = prop_oneof![
        3 => (0..subscriptions, spell()).prop_map(|(number, lasts)| Command::BreakQueue {
            queue: format!("inbox-{number}"),
            lasts,
        }),
        1 => spell().prop_map(|lasts| Command::BreakQueue { queue: "dead-letters".to_owned(), lasts }),
        2 => (0..subscriptions, spell()).prop_map(|(number, lasts)| Command::DenySubscription {
            subscription: format!("subscriber-{number}"),
            lasts,
        }),
        1 => (0..subscriptions, option::of(policies())).prop_map(|(number, policy)| Command::SetFilterPolicy {
            subscription: format!("subscriber-{number}"),
            policy: policy.map(Arc::new),
        }),
    ];
    vec((0_u64..20_000, command), 0..=4).prop_map(|all| {
        let dated = all.into_iter().map(|(at, command)| Intervention {
            at: SimTime::from_nanos(at * 1_000_000),
            command,
        });
        dated.collect()
    })
}

/// Topics of either type. Messages may be too large for their queues, and carry too many attributes for raw delivery.
pub fn topic_worlds() -> impl Strategy<Value = TopicWorld> {
    let scope = prop_oneof![
        2 => Just(None),
        1 => Just(Some(ThroughputScope::Topic)),
        1 => Just(Some(ThroughputScope::MessageGroup)),
    ];
    let subscription = (
        any::<bool>(),
        option::of(policies()),
        any::<bool>(),
        prop_oneof![3 => Just(0_u64), 1 => 1_u64..8],
        (any::<bool>(), 1_u64..5, 0_u64..2),
        (1_u32..5, 1_u32..200, 0_u64..4),
    );
    let ratio = || prop_oneof![2 => Just(Ratio::ZERO), 1 => (1_u64..4).prop_map(|tenths| Ratio::new(tenths, 10))];
    let model = (
        [ratio(), ratio(), ratio()],
        any::<bool>(),
        prop_oneof![Just(2_048_u32), Just(262_144)],
    );
    let carried = prop_oneof![3 => Just(1_usize), 1 => 9_usize..14];
    (scope, vec(subscription, 1..=3), publishers(), model, carried)
        .prop_flat_map(|(scope, subscribed, publishers, model, carried)| {
            let changes = changes(subscribed.len());
            (Just((scope, subscribed, publishers, model, carried)), changes)
        })
        .prop_map(|((scope, subscribed, publishers, model, carried), interventions)| {
            let (rates, quick, maximum_message_size) = model;
            let fifo = scope.is_some();
            let mut world = TopicWorld {
                topic: TopicBlueprint {
                    name: "news".to_owned(),
                    fifo: scope,
                    maximum_message_size,
                    publishers: publishers
                        .iter()
                        .map(|publisher| PublisherBlueprint {
                            producer: publisher.name.clone(),
                            attributes: attributes(carried),
                            body: attributes(1),
                        })
                        .collect(),
                },
                publishers,
                subscriptions: Vec::new(),
                queues: vec![queue("dead-letters", fifo, (5, 0))],
                fleets: Vec::new(),
                interventions,
                rates,
                quick,
            };
            for (number, (raw, filter, dead_letters, since, inbox, workers)) in (0..).zip(subscribed) {
                let name = format!("inbox-{number}");
                let (ordered, visibility, delay) = inbox;
                world.queues.push(queue(&name, fifo && ordered, (visibility, delay)));
                world.fleets.push(fleet(&name, workers));
                world.subscriptions.push(SubscriptionBlueprint {
                    name: format!("subscriber-{number}"),
                    topic: "news".to_owned(),
                    queue: name,
                    raw,
                    filter,
                    dead_letter_queue: dead_letters.then(|| "dead-letters".to_owned()),
                    created_at: SimTime::from_secs(since),
                });
            }
            world
        })
}
