//! Poison, crashes, repeats, loss.

use super::*;
use sim::batch::{Batch, BatchResponse, Envelope, PutCall, QueueAction, QueueCall};
use sim::blueprint::{ErrorHandling, MappingBlueprint, Poison, PoisonResponse, RedrivePolicy, WeightedKey};
use sim::command::{Command, Intervention};
use sim::engine::random::RandomStreams;
use sim::ids::{Destination, FleetId, ProducerId, QueueConsumer, QueueId};
use sim::observe::Probe;
use sim::observe::fact::{Fact, QueueFact, Queueing};
use sim::profile::Profile;
use sim::record::{KeyId, Record};
use sim::services::queue::{self as sqs, Queue, QueueSetting};
use sim::testing::blueprints::{function, mapping, stream};
use sim::testing::harness::Harness;
use sim::world;
use std::collections::BTreeMap;

/// How long each message took from its creation to its delete, by key.
#[derive(Default)]
struct Deleted(BTreeMap<u32, Vec<u64>>);

impl Probe for Deleted {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::Queueing {
            fact:
                Queueing::Queue {
                    fact: QueueFact::Deleted { records, .. },
                    ..
                },
        } = *fact
        {
            for record in records {
                let took = now.since(record.created_at).as_millis();
                self.0.entry(record.key.0).or_default().push(took);
            }
        }
    }
}

/// A queue of a thousand messages of 20 keys with one that is poison, and what was deleted of it.
fn with_one_poison(fifo: bool) -> (Session, Deleted) {
    for seed in 1..200 {
        let mut blueprint = world(300);
        blueprint.seed = seed;
        let load = exactly(1_000, SimDuration::from_secs(100), 20);
        blueprint.producers = vec![sender("a", "jobs", PutApi::SendMessage, load)];
        let jobs = if fifo { fifo_queue("jobs") } else { queue("jobs") };
        blueprint.queues = vec![
            QueueBlueprint {
                visibility_timeout: SimDuration::from_secs(10),
                redrive: Some(RedrivePolicy {
                    dead_letter_queue: "dead".to_owned(),
                    max_receive_count: 3,
                }),
                ..jobs.clone()
            },
            QueueBlueprint {
                name: "dead".to_owned(),
                ..jobs
            },
        ];
        blueprint.fleets = vec![FleetBlueprint {
            poison_rate: Ratio::new(1, 1_000),
            wait_time: Some(SimDuration::from_secs(20)),
            ..fleet("clerks", "jobs", 10, SimDuration::from_millis(20))
        }];
        let mut session = begun(&blueprint);
        let mut deleted = Deleted::default();
        let end = session.end();
        session
            .advance_watched(end, u64::MAX, Some(&mut deleted))
            .expect("it runs");
        if of_queue(&session, "jobs").dead_lettered == 1 {
            return (session, deleted);
        }
    }
    panic!("no seed makes one message of a thousand poison")
}

/// One poison message among a thousand: a standard queue does the others without delay, a FIFO queue lets its group wait, a
/// shard with a default mapping stops until the record expires.
#[test]
fn sqs_k_09_poison_holds_up_nothing_or_its_group_or_the_shard() {
    let (session, deleted) = with_one_poison(false);
    assert_eq!(of_queue(&session, "jobs").deleted, 999);
    assert_eq!(of_fleet(&session, "clerks").poison, 3, "maxReceiveCount deliveries");
    assert!(deleted.0.values().flatten().all(|took| *took < 1_000), "without delay");
    let (session, deleted) = with_one_poison(true);
    assert_eq!(of_queue(&session, "jobs").deleted, 999);
    assert_eq!(of_fleet(&session, "clerks").poison, 3);
    let late: Vec<usize> = deleted
        .0
        .values()
        .map(|took| took.iter().filter(|took| **took > 1_000).count())
        .filter(|late| *late > 0)
        .collect();
    // Three timeouts of ten seconds, in which fifteen messages of the group come.
    assert!(late.len() == 1 && (10..=17).contains(&late[0]), "one group: {late:?}");

    let mut blueprint = world(2 * 3_600);
    blueprint.model.poll_interval = SimDuration::from_secs(10);
    let load = (
        Arrivals::Constant(Rate {
            count: 1,
            per: SimDuration::from_secs(4),
        }),
        Keys::Weighted(vec![WeightedKey {
            text: "orders".to_owned(),
            weight: 1.0,
            explicit_hash_key: None,
        }]),
    );
    blueprint.producers = vec![sender("a", "events", PutApi::PutRecord, load)];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.streams[0].retention_hours = 1;
    blueprint.mappings = vec![mapping("reader", "events", "work")];
    blueprint.functions = vec![function("work", None)];
    blueprint.functions[0].poison = Poison {
        ordinals: vec![100],
        ..Poison::default()
    };
    let mut session = begun(&blueprint);
    let done = |session: &Session| counts(session).readers.iter().map(|one| one.acknowledged).sum::<u64>();
    to(&mut session, 500_000);
    let before = done(&session);
    assert!((90..=100).contains(&before), "what came before the poison: {before}");
    // It was created 400 s after the start and expires an hour later.
    to(&mut session, 3_980_000);
    assert_eq!(done(&session), before, "the shard stands still");
    to(&mut session, 7_200_000);
    let expired: u64 = counts(&session)
        .readers
        .iter()
        .map(|one| one.expired_in_retry + one.expired_unread)
        .sum();
    assert!(expired >= 1, "the poison is lost");
    assert!(done(&session) > 1_500, "the shard goes on: {}", done(&session));
}

/// A consumer dies after it received ten messages: exactly these come back. Of a stream everything after the last
/// checkpoint is read again.
#[test]
fn sqs_k_11_a_crash_returns_what_was_in_hand_or_all_since_the_checkpoint() {
    let mut blueprint = world(600);
    let load = || exactly(100, SimDuration::from_secs(10), 10);
    blueprint.producers = vec![
        sender("a", "jobs", PutApi::SendMessage, load()),
        sender("b", "events", PutApi::PutRecord, load()),
    ];
    blueprint.queues = vec![queue("jobs")];
    let crash = FleetBlueprint {
        starts_at: SimTime::from_secs(20),
        max_messages: 10,
        crash_rate: Ratio::ONE,
        restart_time: SimDuration::from_hours(1),
        ..fleet("crashes", "jobs", 1, SimDuration::from_millis(100))
    };
    let goes_on = FleetBlueprint {
        starts_at: SimTime::from_secs(25),
        ..fleet("goes-on", "jobs", 5, SimDuration::from_millis(10))
    };
    blueprint.fleets = vec![crash, goes_on];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.applications = vec![ApplicationBlueprint {
        workers: 1,
        checkpoint: Checkpointing::Never,
        ..application("reader", "events")
    }];
    blueprint.interventions = vec![
        Intervention {
            at: SimTime::from_secs(100),
            command: Command::KillWorker {
                application: "reader".to_owned(),
                worker: Some(0),
            },
        },
        Intervention {
            at: SimTime::from_secs(101),
            command: Command::StartWorkers {
                application: "reader".to_owned(),
                workers: 1,
            },
        },
    ];
    let mut session = begun(&blueprint);
    to(&mut session, 49_000);
    assert_eq!(
        of_fleet(&session, "goes-on").processed,
        90,
        "the ten are hidden for 30 s"
    );
    to(&mut session, 600_000);
    let jobs = of_queue(&session, "jobs");
    assert_eq!((jobs.received_again, jobs.returned, jobs.deleted), (10, 10, 100));
    assert_eq!(
        of_application(&session, "reader").acknowledged_again,
        100,
        "there was no checkpoint"
    );
}

struct Bench(Harness<(QueueId, Queue)>);

impl Bench {
    fn new(blueprint: &QueueBlueprint) -> Self {
        // One server, so that a short poll sees everything.
        let mut model = still();
        (model.queue.servers, model.queue.short_poll_servers) = (1, 1);
        let setting = QueueSetting {
            profile: Profile::Current,
            model: &model,
            dead_letter_queue: None,
            groups: &Arc::default(),
            grouped: &[],
            mapped: false,
            senders: &[],
        };
        let queue = Queue::new(blueprint, setting, &mut RandomStreams::new(1, 0)).expect("a queue");
        Self(Harness::new((QueueId(0), queue)))
    }
    /// A send arrives, of the n-th message of one group.
    fn send(&mut self, seconds: u64, ordinals: core::ops::Range<u32>) {
        let at = SimTime::from_secs(seconds);
        let records: Vec<Record> = ordinals
            .map(|ordinal| Record {
                created_at: SimTime::ZERO,
                arrived_at: SimTime::ZERO,
                key: KeyId(0),
                ordinal,
                bytes: 100,
                flags: 0,
            })
            .collect();
        let envelope = Envelope::Put(PutCall {
            producer: ProducerId(0),
            target: Destination::Queue(QueueId(0)),
            api: PutApi::SendMessageBatch,
            cohort: false,
            attempt: 1,
            resends: 0,
            retry_cost: 0,
            first_sent_at: at,
            sent_at: at,
            received_at: at,
            refused: 0,
            error: None,
            library: None,
        });
        let batch = Batch {
            bytes: 100 * records.len() as u64,
            records,
            envelope,
            ..Batch::default()
        };
        self.0.send(at, batch, |batch| {
            world::Event::Queue(QueueId(0), sqs::Event::SendReceived { batch })
        });
    }
    fn call(&mut self, seconds: u64, action: QueueAction, batch: Batch) -> Batch {
        let at = SimTime::from_secs(seconds);
        let envelope = Envelope::Queue(QueueCall {
            consumer: QueueConsumer::Fleet(FleetId(0)),
            waited: false,
            worker: 0,
            action,
            error: None,
        });
        self.0.send(at, Batch { envelope, ..batch }, |batch| {
            world::Event::Queue(QueueId(0), sqs::Event::CallReceived { batch })
        });
        self.0.run_until(at + SimDuration::from_millis(1));
        let answers = self.0.take_calls().into_iter().map(|call| call.batch);
        let mut answers = answers.filter(|batch| matches!(batch.envelope, Envelope::Queue(_)));
        answers.next().expect("an answer")
    }
    fn receive(&mut self, seconds: u64) -> Batch {
        let action = QueueAction::Receive {
            max: 10,
            wait: Some(SimDuration::ZERO),
            visibility: None,
            attempt: None,
        };
        self.call(seconds, action, Batch::default())
    }
}

/// Message 3 of 10 is acknowledged: the other nine come back to a queue. A checkpoint covers a prefix, so all ten are read
/// again.
#[test]
fn sqs_k_13_a_queue_acknowledges_each_message_and_a_stream_a_prefix() {
    let mut bench = Bench::new(&QueueBlueprint { ..queue("jobs") });
    bench.send(1, 0..10);
    let got = bench.receive(2);
    assert_eq!(got.records.len(), 10);
    let third = got
        .records
        .iter()
        .position(|record| record.ordinal == 2)
        .expect("it is there");
    let one = Batch {
        records: vec![got.records[third]],
        positions: vec![got.positions[third]],
        ..Batch::default()
    };
    bench.call(3, QueueAction::Delete, one);
    assert!(bench.receive(4).records.is_empty(), "all others are hidden");
    let mut again: Vec<u32> = bench.receive(40).records.iter().map(|record| record.ordinal).collect();
    again.sort_unstable();
    assert_eq!(again, [0, 1, 3, 4, 5, 6, 7, 8, 9]);

    // The function processes the third record alone, and says so; the mapping begins again at the first that failed.
    let mut blueprint = world(120);
    let load = (exactly(10, SimDuration::from_millis(100), 1).0, Keys::FromTrace);
    blueprint.producers = vec![sender("a", "events", PutApi::PutRecords, load)];
    blueprint.producers[0].linger = SimDuration::SECOND;
    blueprint.streams = vec![stream("events", 1)];
    blueprint.mappings = vec![MappingBlueprint {
        errors: ErrorHandling {
            maximum_retry_attempts: Some(2),
            report_batch_item_failures: true,
            ..ErrorHandling::default()
        },
        ..mapping("reader", "events", "work")
    }];
    blueprint.functions = vec![function("work", None)];
    blueprint.functions[0].poison = Poison {
        ordinals: vec![0, 1, 3, 4, 5, 6, 7, 8, 9],
        response: PoisonResponse::Returns {
            response: BatchResponse::ItemFailures,
            stops: false,
        },
        ..Poison::default()
    };
    let session = run(&blueprint);
    let counts = counts(&session);
    let processed = counts.functions.iter().next().expect("one").processed;
    assert_eq!(processed, 3, "the third record, once in each of three attempts");
}

/// A send is repeated after four and after six minutes.
#[test]
fn sqs_k_14_repeats_are_swallowed_for_five_minutes_by_fifo_alone() {
    let stored = |blueprint: &QueueBlueprint| {
        let mut bench = Bench::new(blueprint);
        [0_u64, 240, 360].map(|seconds| {
            bench.send(1 + seconds, 0..1);
            bench.0.run_until(SimTime::from_secs(2 + seconds));
            bench.0.component.1.len()
        })
    };
    assert_eq!(stored(&fifo_queue("ordered")), [1, 1, 2]);
    assert_eq!(stored(&queue("plain")), [1, 2, 3]);
    // A stream, and the SDK, which repeats a request whose answer is lost when it has waited for so long.
    for minutes in [4, 6] {
        let mut blueprint = world(900);
        blueprint.model.lost_acknowledgement_rate = Ratio::ONE;
        blueprint.model.request_timeout = SimDuration::from_minutes(minutes);
        let load = exactly(1, SimDuration::SECOND, 1);
        let mut producer = sender("a", "events", PutApi::PutRecord, load);
        producer.retry = SdkRetry {
            mode: RetryMode::Standard,
            max_attempts: 2,
            timing_2026: false,
        };
        blueprint.producers = vec![producer];
        blueprint.streams = vec![stream("events", 1)];
        let session = run(&blueprint);
        assert_eq!(of_stream(&session, "events").accepted(), 2, "after {minutes} minutes");
    }
}

/// Data that nobody reads for twenty days: a queue keeps it for fourteen at most, a stream as long as it is set to.
#[test]
fn sqs_k_16_a_queue_keeps_fourteen_days_and_a_stream_a_year() {
    const DAY: u64 = 86_400;
    let mut blueprint = world(20 * DAY);
    let load = || exactly(10, SimDuration::from_secs(10), 1);
    blueprint.producers = vec![
        sender("a", "jobs", PutApi::SendMessage, load()),
        sender("b", "events", PutApi::PutRecord, load()),
    ];
    blueprint.queues = vec![QueueBlueprint {
        retention: SimDuration::from_secs(14 * DAY),
        ..queue("jobs")
    }];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.streams[0].retention_hours = 20 * 24 + 1;
    let mut session = begun(&blueprint);
    to(&mut session, 14 * DAY * 1_000 - 1);
    assert_eq!(of_queue(&session, "jobs").expired, 0);
    to(&mut session, 20 * DAY * 1_000);
    assert_eq!(of_queue(&session, "jobs").expired, 10);
    let kept = session.holdings().logs[0].retained;
    assert_eq!(kept, 10);
}

/// Work of 13 hours: the message comes back at the cap of twelve hours, whatever the worker asks for.
#[test]
fn sqs_k_23_a_message_comes_back_after_twelve_hours() {
    let mut blueprint = world(26 * 3_600);
    blueprint.producers = vec![sender(
        "a",
        "jobs",
        PutApi::SendMessage,
        exactly(1, SimDuration::SECOND, 1),
    )];
    blueprint.queues = vec![QueueBlueprint {
        visibility_timeout: SimDuration::from_hours(12),
        ..queue("jobs")
    }];
    for heartbeat in [None, Some(SimDuration::from_hours(1))] {
        blueprint.fleets = vec![FleetBlueprint {
            wait_time: Some(SimDuration::from_secs(20)),
            heartbeat,
            ..fleet("clerks", "jobs", 2, SimDuration::from_hours(13))
        }];
        let mut session = begun(&blueprint);
        to(&mut session, 43_199_000);
        assert_eq!(of_queue(&session, "jobs").received, 1);
        to(&mut session, 43_260_000);
        assert_eq!(
            of_queue(&session, "jobs").received_again,
            1,
            "while the first worker still works"
        );
        to(&mut session, 13 * 3_600_000 + 60_000);
        assert_eq!(of_fleet(&session, "clerks").processed, 1, "and finishes, too late");
    }
}

/// A consumer slower than its producer: the age grows to the retention, and then messages and records are lost without an
/// error.
#[test]
fn sqs_k_25_what_is_never_caught_up_is_lost_silently() {
    let mut blueprint = world(3 * 3_600);
    let load = || evenly(2, 10);
    blueprint.producers = vec![
        sender("a", "jobs", PutApi::SendMessage, load()),
        sender("b", "events", PutApi::PutRecord, load()),
    ];
    blueprint.queues = vec![QueueBlueprint {
        retention: SimDuration::from_hours(1),
        ..queue("jobs")
    }];
    blueprint.fleets = vec![fleet("clerks", "jobs", 1, SimDuration::SECOND)];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.streams[0].retention_hours = 1;
    // What a mapping has read ahead does not expire.
    blueprint.model.poll_page_records = 100;
    blueprint.mappings = vec![mapping("reader", "events", "work")];
    blueprint.functions = vec![function("work", None)];
    blueprint.functions[0].timeout = SimDuration::from_minutes(15);
    blueprint.functions[0].per_record = SimDuration::SECOND;
    let mut session = begun(&blueprint);
    let age = |session: &Session, queue: bool| {
        use sim::directory::Component;
        use sim::observe::metrics::{Metric, Statistic};
        let metrics = observers(session).metrics.as_ref().expect("all are");
        let directory = session.world().directory();
        let (metric, of) = if queue {
            let of = Component::Queue(directory.queue("jobs").expect("it is there"));
            (Metric::ApproximateAgeOfOldestMessage, of)
        } else {
            let of = Component::Function(directory.function("work").expect("it is there"));
            (Metric::IteratorAge, of)
        };
        let (from, until) = (
            session.now().saturating_sub(SimDuration::from_minutes(10)),
            session.now(),
        );
        let value = metrics.value(metric, of, Statistic::Maximum, from, until);
        value.map_or(0.0, sim::observe::metrics::Quotient::as_f64)
    };
    to(&mut session, 3_600_000);
    assert!(
        (1_500.0..2_000.0).contains(&age(&session, true)),
        "{}",
        age(&session, true)
    );
    assert_eq!(of_queue(&session, "jobs").expired, 0);
    to(&mut session, 3 * 3_600_000);
    let queue_age = age(&session, true);
    assert!((3_590.0..=3_600.0).contains(&queue_age), "{queue_age}");
    let stream_age = age(&session, false) / 1_000.0;
    assert!((3_300.0..=3_900.0).contains(&stream_age), "{stream_age}");
    assert!(of_queue(&session, "jobs").expired > 5_000);
    let lost: u64 = counts(&session)
        .readers
        .iter()
        .map(|one| one.expired_unread + one.expired_in_retry)
        .sum();
    assert!(lost > 2_000, "{lost}");
    let jobs = of_queue(&session, "jobs");
    assert_eq!(jobs.sends_refused + jobs.receives_refused, 0, "nobody is told");
    assert_eq!(of_stream(&session, "events").throttled(), 0);
}
