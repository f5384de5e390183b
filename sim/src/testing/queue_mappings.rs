//! Random queues that event source mappings poll, beside whatever else a world has.

use super::blueprints::{constant, producer, queue};
use super::strategies::blueprints;
use crate::blueprint::{
    Arrivals, Blueprint, FifoSettings, Filter, ProducerBlueprint, ProvisionedPollers, PutApi, QueueBlueprint,
    QueueMappingBlueprint, RedrivePolicy,
};
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use crate::profile::Profile;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};

/// A queue with what sends to it and polls it.
#[derive(Clone, Debug)]
struct Mapped {
    queue: QueueBlueprint,
    dead: Option<QueueBlueprint>,
    mapping: QueueMappingBlueprint,
    sender: ProducerBlueprint,
}

/// The worlds of [`blueprints`], and in most of them one or two queues whose mappings share their functions.
pub fn worlds() -> impl Strategy<Value = Blueprint> {
    let exam = prop_oneof![3 => Just(Profile::Current), 1 => Just(Profile::Exam)];
    (blueprints(), vec(mapped(), 0..=2), exam).prop_map(|(mut blueprint, mapped, profile)| {
        if blueprint.mappings.is_empty() && mapped.iter().all(|one| one.mapping.provisioned.is_none()) {
            blueprint.profile = profile;
        }
        blueprint.model.queue.service_time = constant(SimDuration::from_millis(7));
        for (number, mut one) in mapped.into_iter().enumerate() {
            one.queue.name = format!("queue-{number}");
            one.mapping.name = format!("polls-{number}");
            one.sender.name = format!("sender-{number}");
            one.queue.name.clone_into(&mut one.mapping.queue);
            one.queue.name.clone_into(&mut one.sender.target);
            if let (Some(policy), Some(dead)) = (&mut one.queue.redrive, &mut one.dead) {
                dead.name = format!("dead-{number}");
                dead.name.clone_into(&mut policy.dead_letter_queue);
            }
            blueprint.queues.extend(one.dead);
            blueprint.queues.push(one.queue);
            blueprint.queue_mappings.push(one.mapping);
            blueprint.producers.push(one.sender);
        }
        blueprint
    })
}

fn mapped() -> impl Strategy<Value = Mapped> {
    (queues(), queue_mappings(), (1_u64..120, 1_u32..20, any::<bool>())).prop_map(
        |((queue, dead), mut mapping, (rate, keys, single))| {
            if queue.fifo.is_some() {
                mapping.batch_size = mapping.batch_size.min(10);
                mapping.maximum_batching_window = SimDuration::ZERO;
            }
            let sender = ProducerBlueprint {
                arrivals: Arrivals::Poisson(Rate::per_second(rate)),
                keys: crate::blueprint::Keys::Uniform { count: keys },
                api: if single {
                    PutApi::SendMessage
                } else {
                    PutApi::SendMessageBatch
                },
                max_batch_records: 10,
                max_batch_bytes: 1 << 18,
                ..producer("", "")
            };
            Mapped {
                queue,
                dead,
                mapping,
                sender,
            }
        },
    )
}

fn queues() -> impl Strategy<Value = (QueueBlueprint, Option<QueueBlueprint>)> {
    (any::<bool>(), 1_u64..12, option::of(1_u16..5), 0_u64..2).prop_map(|(fifo, visibility, receives, delay)| {
        let fifo = fifo.then_some(FifoSettings::default());
        let dead = QueueBlueprint { fifo, ..queue("") };
        let queue = QueueBlueprint {
            visibility_timeout: SimDuration::from_secs(visibility),
            delay: SimDuration::from_secs(delay),
            redrive: receives.map(|max_receive_count| RedrivePolicy {
                dead_letter_queue: String::new(),
                max_receive_count,
            }),
            ..dead.clone()
        };
        (queue, receives.map(|_| dead))
    })
}

fn queue_mappings() -> impl Strategy<Value = QueueMappingBlueprint> {
    let scaling = prop_oneof![
        2 => Just((None, None)),
        2 => (2_u32..9).prop_map(|most| (Some(most), None)),
        1 => (2_u32..4, 0_u32..4).prop_map(|(minimum, more)| {
            (None, Some(ProvisionedPollers { minimum, maximum: minimum + more }))
        }),
    ];
    (
        prop_oneof![1_u32..=10, 11_u32..200],
        prop_oneof![2 => Just(0_u64), 1 => 1_u64..4],
        scaling,
        (any::<bool>(), 0_u32..2),
        option::weighted(0.2, 0_u64..10),
        option::weighted(0.2, 0_u64..8),
    )
        .prop_map(|(batch_size, window, scaling, (reports, function), filter, created)| {
            let (maximum_concurrency, provisioned) = scaling;
            QueueMappingBlueprint {
                batch_size: if window == 0 { batch_size.min(10) } else { batch_size },
                maximum_batching_window: SimDuration::from_secs(window),
                maximum_concurrency,
                provisioned,
                report_batch_item_failures: reports,
                filters: filter.map(|tenths| {
                    vec![Filter {
                        share: (Ratio::ZERO, Ratio::new(tenths, 10)),
                        ..Filter::default()
                    }]
                }),
                created_at: SimTime::from_secs(created.unwrap_or(0)),
                event_count_metrics: true,
                ..QueueMappingBlueprint::new("", "", &format!("function-{function}"))
            }
        })
}
