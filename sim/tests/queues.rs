//! Whatever queues, senders and workers do, and whatever fails: nothing is lost or comes from nowhere, what was deleted
//! stays away, groups keep their order, and every move to a dead-letter queue had its receives.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sim::blueprint::{
    Arrivals, Blueprint, DeduplicationScope, FifoSettings, FifoThroughputLimit, FleetBlueprint, ProducerBlueprint,
    PutApi, QueueBlueprint, RedrivePolicy, SdkRetry,
};
use sim::command::{Command, Intervention, QueueAttribute, QueueOperation};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::QueueId;
use sim::observe::Probe;
use sim::observe::fact::{Fact, QueueFact, Queueing};
use sim::observe::queue_fact::QueueChange;
use sim::record::{Outcome, Record};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::producer;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A message that is in a queue.
#[derive(Clone, Copy)]
struct Live {
    ordinal: u32,
    receives: u64,
}

/// What a listener knows of a queue from its facts alone.
#[derive(Default)]
struct Known {
    /// By key, in the order in which they came in.
    live: BTreeMap<u32, Vec<Live>>,
    /// Of these, those that another queue has sent and that have not arrived.
    coming: VecDeque<(u32, u32)>,
    /// How often each message was accepted. Runs are shorter than the deduplication interval.
    accepted: BTreeMap<(u32, u32), u32>,
    expired: bool,
}

struct Auditor {
    fifo: bool,
    most_receives: u64,
    queues: [Known; 2],
    /// Keys of a FIFO queue with a message that came again since a purge began, while it was there: nothing tells the two
    /// apart.
    ambiguous: BTreeSet<u32>,
    moved: u64,
    redriven: u64,
    again: u64,
    wrong: Option<String>,
}

impl Auditor {
    fn accuse(&mut self, now: SimTime, what: &str, queue: QueueId, record: &Record) {
        self.wrong.get_or_insert_with(|| {
            format!(
                "at {now}, queue {}: {what}: key {}, ordinal {}",
                queue.0, record.key.0, record.ordinal
            )
        });
    }
    fn sent(&mut self, queue: QueueId, records: &[Record]) {
        for record in records.iter().filter(|record| record.outcome() == Outcome::Accepted) {
            let identity = (record.key.0, record.ordinal);
            let is_there = |known: &Known| {
                let live = known.live.get(&identity.0);
                live.is_some_and(|live| live.iter().any(|one| one.ordinal == identity.1))
            };
            let twin = self.fifo && self.queues.iter().any(is_there);
            let known = &mut self.queues[usize::from(queue.0)];
            if twin && !known.accepted.contains_key(&identity) {
                self.ambiguous.insert(identity.0);
            }
            let times = known.accepted.entry(identity).or_default();
            *times += 1;
            if self.fifo && *times > 1 {
                continue;
            }
            let live = known.live.entry(record.key.0).or_default();
            live.push(Live {
                ordinal: record.ordinal,
                receives: 0,
            });
        }
    }
    /// A FIFO queue returns, of each group, what stands first in it (SQS-F-06); any queue only what is there.
    fn received(&mut self, now: SimTime, queue: QueueId, records: &[Record], repeated: bool) {
        let mut taken: BTreeMap<u32, usize> = BTreeMap::new();
        for record in records {
            let place = taken.entry(record.key.0).or_default();
            let live = self.queues[usize::from(queue.0)].live.entry(record.key.0).or_default();
            // Of a message that came again since a purge began there are two.
            let first = if self.fifo { *place } else { 0 };
            let of_it = |from: usize| (from..live.len()).find(|&at| live[at].ordinal == record.ordinal);
            let found = of_it(first).or_else(|| of_it(0));
            let in_order = found == Some(*place);
            *place += 1;
            match found {
                None => self.accuse(now, "received, and not there", queue, record),
                // The answer to a receive that was counted already (SQS-X-02, SQS-Z-34).
                Some(_) if repeated => {}
                Some(at) => {
                    live[at].receives += 1;
                    self.again += u64::from(live[at].receives > 1);
                    if self.fifo && !in_order && !self.ambiguous.contains(&record.key.0) {
                        self.accuse(now, "received before its elders", queue, record);
                    }
                }
            }
        }
    }
    fn left(&mut self, now: SimTime, queue: QueueId, records: &[Record], to: Option<(QueueId, bool)>) {
        for record in records {
            let known = &mut self.queues[usize::from(queue.0)];
            let stored = known.accepted.get(&(record.key.0, record.ordinal)).copied();
            let live = known.live.entry(record.key.0).or_default();
            // Of messages that a standard queue stored twice the one with the most receives is meant.
            let found = (0..live.len()).filter(|&at| live[at].ordinal == record.ordinal);
            let Some(at) = found.max_by_key(|&at| live[at].receives) else {
                self.accuse(now, "left, and not there", queue, record);
                continue;
            };
            let gone = live.remove(at);
            if let Some((to, redriven)) = to {
                let apart = !self.ambiguous.contains(&record.key.0);
                let sure = !redriven && apart && (self.fifo || stored == Some(1));
                if sure && gone.receives != self.most_receives {
                    self.accuse(now, "moved without its receives", queue, record);
                }
                self.moved += u64::from(!redriven);
                self.redriven += u64::from(redriven);
                let there = self.queues[usize::from(to.0)].live.entry(record.key.0).or_default();
                there.push(Live {
                    ordinal: record.ordinal,
                    receives: 0,
                });
                let identity = (record.key.0, record.ordinal);
                self.queues[usize::from(to.0)].coming.push_back(identity);
            }
        }
    }
}

impl Probe for Auditor {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Fact::Queueing {
            fact: Queueing::Queue { queue, fact, .. },
        } = *fact
        else {
            return;
        };
        if let QueueFact::Sent { records, .. } = fact {
            self.sent(queue, records);
        } else if let QueueFact::Received { records, repeated, .. } = fact {
            self.received(now, queue, records, repeated);
        } else if let QueueFact::Deleted { records, .. } = fact {
            self.left(now, queue, records, None);
        } else if let QueueFact::DeadLettered { records, to } = fact {
            self.left(now, queue, records, Some((to, false)));
        } else if let QueueFact::Redriven { records, to, .. } = fact {
            self.left(now, queue, records, Some((to, true)));
        } else if let QueueFact::Changed {
            change: QueueChange::PurgeStarted,
        } = fact
        {
            // It forgets the deduplication IDs at once (SQS-U-18); what a standard queue has stored twice, it has until then.
            if self.fifo {
                self.queues[usize::from(queue.0)].accepted.clear();
            }
        } else if let QueueFact::Purged { .. } = fact {
            // Here a purge takes what came meanwhile, too, but not what is on its way.
            let known = &mut self.queues[usize::from(queue.0)];
            let coming = &known.coming;
            for (&key, live) in &mut known.live {
                live.retain(|one| coming.contains(&(key, one.ordinal)));
            }
        } else if let QueueFact::MovedHere { messages, .. } | QueueFact::RedrivenHere { messages, .. } = fact {
            for _ in 0..messages {
                self.queues[usize::from(queue.0)].coming.pop_front();
            }
        } else if let QueueFact::Expired { .. } = fact {
            self.queues[usize::from(queue.0)].expired = true;
        }
    }
}

#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a plan switches whole features on and off by lot"
)]
struct Plan {
    seed: u64,
    fifo: bool,
    single: bool,
    fair: bool,
    visibility: u64,
    delay: u64,
    most_receives: u16,
    workers: u32,
    max_messages: u32,
    work: u64,
    rates: [u64; 4],
    release: bool,
    heartbeat: bool,
    wait: Option<u64>,
    high_throughput: bool,
    attempt_ids: bool,
    lost_receives: u64,
    changes: Changes,
}

/// What is asked of the queues during the run, with the second of it.
#[derive(Clone, Debug)]
struct Changes {
    /// A redrive, with its rate, and after how long it is cancelled.
    redrive: Option<(u64, Option<u32>, Option<u64>)>,
    /// A purge, of the dead-letter queue or of its source, and how long it takes.
    purge: Option<(u64, bool, u64)>,
    /// Another visibility timeout and delay.
    attributes: Option<(u64, u64, u64)>,
}

fn changes() -> impl Strategy<Value = Changes> {
    use proptest::option::of;
    let redrive = of((10_u64..55, of(1_u32..=500), of(0_u64..5)));
    let purge = of((5_u64..50, any::<bool>(), 0_u64..9));
    let attributes = of((5_u64..50, 1_u64..6, 0_u64..4));
    (redrive, purge, attributes).prop_map(|(redrive, purge, attributes)| Changes {
        redrive,
        purge,
        attributes,
    })
}
impl Changes {
    fn interventions(&self) -> Vec<Intervention> {
        let mut all = Vec::new();
        let mut add = |at, queue: &str, operation| {
            let queue = queue.to_owned();
            let command = Command::ChangeQueue { queue, operation };
            let at = SimTime::from_secs(at) + SimDuration::from_millis(7);
            all.push(Intervention { at, command });
        };
        if let Some((at, rate, cancelled)) = self.redrive {
            let destination = None;
            add(at, "dead", QueueOperation::StartMove { destination, rate });
            if let Some(after) = cancelled {
                add(at + after, "dead", QueueOperation::CancelMove);
            }
        }
        if let Some((at, dead, _)) = self.purge {
            add(at, if dead { "dead" } else { "jobs" }, QueueOperation::Purge);
        }
        if let Some((at, visibility, delay)) = self.attributes {
            let attributes = vec![
                QueueAttribute::VisibilityTimeout(SimDuration::from_secs(visibility)),
                QueueAttribute::DelaySeconds(SimDuration::from_secs(delay)),
            ];
            add(at, "jobs", QueueOperation::SetAttributes(attributes));
        }
        all
    }
}

fn plans() -> impl Strategy<Value = Plan> {
    let shape = (
        any::<u64>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
    );
    let queue = (1_u64..6, prop_oneof![Just(0_u64), 1_u64..3], 1_u16..4);
    let workers = (1_u32..12, 1_u32..=10, 1_u64..900, proptest::option::of(0_u64..=3));
    let rates = [0_u64..30, 0_u64..30, 0_u64..20, 0_u64..10];
    let control = (any::<bool>(), any::<bool>(), 0_u64..10, changes());
    (shape, queue, workers, rates, control).prop_map(
        |(shape, (visibility, delay, most_receives), workers, rates, control)| {
            let (seed, fifo, single, fair, release, heartbeat) = shape;
            let (high_throughput, attempt_ids, lost_receives, changes) = control;
            let (workers, max_messages, work, wait) = workers;
            Plan {
                seed,
                fifo,
                single,
                fair: fair && !fifo,
                visibility,
                delay,
                most_receives,
                workers,
                max_messages,
                work,
                rates,
                release,
                heartbeat,
                wait,
                high_throughput,
                attempt_ids,
                lost_receives,
                changes,
            }
        },
    )
}

fn percent(rate: u64) -> Ratio {
    Ratio::new(rate, 100)
}

fn blueprint(plan: &Plan) -> Blueprint {
    let mut blueprint = Blueprint::empty(plan.seed, SimDuration::from_secs(60));
    let [failures, poison, crashes, lost] = plan.rates;
    blueprint.model.lost_acknowledgement_rate = percent(lost);
    blueprint.model.internal_failure_rate = percent(lost);
    blueprint.model.request_timeout = SimDuration::SECOND;
    blueprint.model.queue.duplicate_rate = Ratio::ZERO;
    blueprint.model.queue.lost_receive_rate = percent(plan.lost_receives);
    blueprint.model.queue.partition_growth_time = SimDuration::ZERO;
    blueprint.model.queue.purge_late_loss_rate = Ratio::ONE;
    let purge_time = plan.changes.purge.map_or(0, |(_, _, takes)| takes);
    blueprint.model.queue.purge_time = Distribution::Constant(purge_time as f64 * 1e9);
    blueprint.model.queue.attribute_propagation = Distribution::Uniform { low: 0.0, high: 5e9 };
    blueprint.interventions = plan.changes.interventions();
    for name in ["one", "other"] {
        blueprint.producers.push(ProducerBlueprint {
            arrivals: Arrivals::Poisson(Rate::per_second(15)),
            api: if plan.single {
                PutApi::SendMessage
            } else {
                PutApi::SendMessageBatch
            },
            max_batch_records: 10,
            max_batch_bytes: 1 << 18,
            ..producer(name, "jobs")
        });
    }
    let queue = QueueBlueprint {
        name: "jobs".to_owned(),
        fifo: plan.fifo.then_some(if plan.high_throughput {
            FifoSettings {
                deduplication_scope: DeduplicationScope::MessageGroup,
                throughput_limit: FifoThroughputLimit::PerMessageGroupId,
                ..FifoSettings::default()
            }
        } else {
            FifoSettings::default()
        }),
        visibility_timeout: SimDuration::from_secs(plan.visibility),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::from_secs(plan.delay),
        receive_wait: SimDuration::from_secs(2),
        maximum_message_size: 1 << 18,
        redrive: Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count: plan.most_receives,
        }),
        grouped: if plan.fair { vec!["one".to_owned()] } else { Vec::new() },
        senders: Vec::new(),
    };
    blueprint.queues.push(QueueBlueprint {
        name: "dead".to_owned(),
        redrive: None,
        ..queue.clone()
    });
    blueprint.queues.push(queue);
    let fleet = FleetBlueprint {
        name: "clerks".to_owned(),
        queue: "jobs".to_owned(),
        workers: plan.workers,
        starts_at: SimTime::ZERO,
        wait_time: plan.wait.map(SimDuration::from_secs),
        max_messages: plan.max_messages,
        visibility_timeout: None,
        idle_pause: SimDuration::from_millis(200),
        attempt_ids: plan.attempt_ids && plan.fifo,
        retry: SdkRetry::default(),
        per_message: Distribution::Exponential {
            mean: plan.work as f64 * 1e6,
        },
        failure_rate: percent(failures),
        poison_rate: percent(poison),
        release_failed: plan.release,
        heartbeat: plan.heartbeat.then_some(SimDuration::from_millis(700)),
        crash_rate: percent(crashes),
        restart_time: SimDuration::SECOND,
    };
    blueprint.fleets.push(FleetBlueprint {
        name: "burial".to_owned(),
        queue: "dead".to_owned(),
        workers: 2,
        ..fleet.clone()
    });
    blueprint.fleets.push(fleet);
    blueprint
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// SQS-L-09, SQS-F-06, SQS-F-19, SQS-D-01, SQS-D-12, SQS-U-16, SQS-U-17: under crashes, failures, timeouts, lost
    /// answers, dead-lettering, redrives, purges and changes of attributes.
    #[test]
    fn what_queues_state_is_possible(plan in plans()) {
        let blueprint = blueprint(&plan);
        let options = SessionOptions { checks: Checks::EveryEvent, ..SessionOptions::default() };
        let mut session = Session::new(&blueprint, options).expect("it builds");
        let mut auditor = Auditor {
            fifo: plan.fifo,
            most_receives: u64::from(plan.most_receives),
            queues: Default::default(),
            ambiguous: BTreeSet::new(),
            moved: 0,
            redriven: 0,
            again: 0,
            wrong: None,
        };
        let end = session.end();
        let run = session.advance_watched(end, u64::MAX, Some(&mut auditor));
        run.map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(auditor.wrong, None);
        // What the facts leave in the queues is there, but for what is on its way from one to the other.
        let held: usize = session.world().queues().iter().map(sim::services::queue::Queue::len).sum();
        let live: usize = auditor.queues.iter().flat_map(|known| known.live.values()).map(Vec::len).sum();
        prop_assert!(auditor.queues.iter().all(|known| !known.expired));
        prop_assert!(held <= live && live <= held + 10, "{} held, {} known", held, live);
    }
}
