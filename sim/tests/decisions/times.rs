//! Rates, waits and requests.

use super::*;
use sim::blueprint::{DeduplicationId, SenderBlueprint};
use sim::ids::ProducerId;
use sim::observe::Probe;
use sim::observe::fact::{Fact, FleetFact, QueueFact, Queueing};
use sim::testing::blueprints::stream;

/// Consumers from 1 to 50 with 100 ms a message: a queue gives each as much, and a stream no more than a worker a shard.
#[test]
fn sqs_k_10_a_queue_scales_with_its_consumers_and_a_stream_with_its_shards() {
    let per_second = |workers: u32, latency: u64| {
        let mut blueprint = world(60);
        let latency = Distribution::Constant(latency as f64 * 1e6);
        blueprint.model.queue.service_time = latency;
        let load = exactly(50_000, SimDuration::from_secs(5), 100);
        blueprint.producers = vec![sender("a", "jobs", PutApi::SendMessageBatch, load)];
        blueprint.queues = vec![queue("jobs")];
        blueprint.fleets = vec![FleetBlueprint {
            starts_at: SimTime::from_secs(10),
            ..fleet("clerks", "jobs", workers, SimDuration::from_millis(100))
        }];
        let mut session = begun(&blueprint);
        to(&mut session, 20_000);
        let before = of_fleet(&session, "clerks").processed;
        to(&mut session, 60_000);
        (of_fleet(&session, "clerks").processed - before) as f64 / 40.0
    };
    for workers in [1, 2, 10, 50] {
        let (rate, wanted) = (per_second(workers, 0), 10.0 * f64::from(workers));
        assert!((rate - wanted).abs() <= 0.01 * wanted, "{workers} workers: {rate}");
        // With 10 ms for the receive and for the delete.
        let (rate, wanted) = (per_second(workers, 10), f64::from(workers) / 0.12);
        assert!((rate - wanted).abs() <= 0.01 * wanted, "{workers} workers: {rate}");
    }
    let of_stream = |workers: u32, shards: u32| {
        let mut blueprint = world(240);
        blueprint.producers = vec![sender("a", "events", PutApi::PutRecords, evenly(400, 1_000))];
        blueprint.streams = vec![stream("events", shards)];
        blueprint.applications = vec![ApplicationBlueprint {
            workers,
            per_record: SimDuration::from_millis(100),
            settings: sim::blueprint::KclSettings {
                max_records: 10,
                ..application("clerks", "events").settings
            },
            ..application("clerks", "events")
        }];
        let mut session = begun(&blueprint);
        to(&mut session, 120_000);
        let before = of_application(&session, "clerks").acknowledged;
        to(&mut session, 240_000);
        (of_application(&session, "clerks").acknowledged - before) as f64 / 120.0
    };
    let two_shards = of_stream(2, 2);
    let many_workers = of_stream(10, 2);
    assert!(two_shards <= 20.1, "{two_shards}");
    assert!(
        (many_workers - two_shards).abs() < 1.0,
        "{many_workers} against {two_shards}"
    );
    assert!(of_stream(8, 8) > 3.0 * two_shards);
}

/// Nothing to do for a month: a long poll makes three requests a minute and stays within the free million, a short poll
/// every 100 ms does not; shards are paid whether they are used or not.
#[test]
fn sqs_k_17_an_idle_poller_costs_three_requests_a_minute_or_six_hundred() {
    const MONTH: u64 = 30 * 86_400;
    let mut blueprint = world(MONTH);
    blueprint.queues = vec![queue("long")];
    blueprint.fleets = vec![FleetBlueprint {
        wait_time: Some(SimDuration::from_secs(20)),
        idle_pause: SimDuration::ZERO,
        ..fleet("waits", "long", 1, SimDuration::SECOND)
    }];
    blueprint.streams = vec![stream("events", 2)];
    let session = run(&blueprint);
    let minutes = MONTH / 60;
    let long = of_queue(&session, "long").requests;
    assert!((3 * minutes - 3..=3 * minutes + 3).contains(&long), "{long}");
    assert!(long < 1_000_000);
    let usage = observers(&session).usage.as_ref().expect("all are");
    let stream = usage.streams.iter().next().expect("one");
    let hours = stream.shard_nanos(SimDuration::from_secs(MONTH)) / 3_600_000_000_000;
    assert_eq!(hours, 2 * 720);

    let mut blueprint = world(3_600);
    blueprint.queues = vec![QueueBlueprint {
        receive_wait: SimDuration::ZERO,
        ..queue("short")
    }];
    blueprint.fleets = vec![FleetBlueprint {
        idle_pause: SimDuration::from_millis(100),
        ..fleet("asks", "short", 1, SimDuration::SECOND)
    }];
    let session = run(&blueprint);
    let short = of_queue(&session, "short").requests;
    assert!((35_900..=36_010).contains(&short), "600 a minute: {short}");
    assert!(short * 24 * 30 > 25_000_000);
}

/// When workers begin, since the creation of the one message that is about.
#[derive(Default)]
struct Begins {
    sent: SimTime,
    took: Vec<u64>,
}
impl Probe for Begins {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RecordsProduced {
                records,
                producer: ProducerId(0),
            } => self.sent = records[0].created_at,
            Fact::Queueing {
                fact:
                    Queueing::Fleet {
                        fact: FleetFact::Began { .. },
                        ..
                    },
            } => self.took.push(now.since(self.sent).as_millis()),
            _ => {}
        }
    }
}

/// A lone message and a consumer that waits for it: a long poll brings it after about a send and a receive, a polling
/// reader after up to its interval, enhanced fan-out after about 70 ms.
#[test]
fn sqs_k_19_a_lone_message_waits_for_a_poll_or_is_pushed() {
    let mut blueprint = world(640);
    blueprint.model = ModelParameters::default();
    let load = || exactly(200, SimDuration::from_secs(600), 1);
    blueprint.producers = vec![
        sender("a", "jobs", PutApi::SendMessage, load()),
        sender("b", "events", PutApi::PutRecord, load()),
    ];
    blueprint.queues = vec![queue("jobs")];
    blueprint.fleets = vec![FleetBlueprint {
        wait_time: Some(SimDuration::from_secs(20)),
        ..fleet("clerks", "jobs", 1, SimDuration::from_millis(1))
    }];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.consumers = vec![sim::blueprint::ConsumerBlueprint {
        name: "pushed".to_owned(),
        stream: "events".to_owned(),
        registered: true,
    }];
    blueprint.applications = vec![
        application("polls", "events"),
        ApplicationBlueprint {
            retrieval: Retrieval::FanOut,
            ..application("pushed", "events")
        },
    ];
    let mut session = begun(&blueprint);
    let mut begins = Begins::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut begins))
        .expect("it runs");
    begins.took.sort_unstable();
    assert_eq!(begins.took.len(), 200);
    // A message is in the queue when the send has come in, and the receive takes a draw of 10 ms in the median.
    assert!((5..=30).contains(&begins.took[100]), "{:?}", begins.took);
    let latency = observers(&session).latency.as_ref().expect("all are");
    let directory = session.world().directory();
    let of = |name: &str, per_million| {
        let processor = directory.processor_of(directory.application(name).expect("it is there"));
        let place = latency.of(processor).expect("it is there");
        place.end_to_end.quantile(per_million).map_or(0, SimDuration::as_millis)
    };
    // Leases come some time after the start, and bring the first records late.
    let interval = application("polls", "events")
        .settings
        .idle_time_between_reads
        .as_millis();
    assert!(
        (interval / 3..=interval).contains(&of("polls", 500_000)),
        "{}",
        of("polls", 500_000)
    );
    assert!(of("polls", 900_000) <= interval + 200, "{}", of("polls", 900_000));
    assert!((55..=90).contains(&of("pushed", 500_000)), "{}", of("pushed", 500_000));
}

/// How long messages of two producers waited until they were received.
#[derive(Default)]
struct Dwell {
    of: [Vec<u64>; 2],
}
impl Probe for Dwell {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::Queueing {
            fact:
                Queueing::Queue {
                    fact: QueueFact::Received { records, .. },
                    ..
                },
        } = *fact
        {
            for record in records {
                self.of[usize::from(record.key.0 > 0)].push(now.since(record.arrived_at).as_millis());
            }
        }
    }
}

/// Two tenants: one floods with ten times the capacity, the other sends one a second; a hundred consumers. What fairness
/// protects is the time from send to receive (SQS-Q-12). A standard topic hands the MessageGroupId on to the queue, which
/// is fair then as well (SQS-Q-19).
#[test]
fn sqs_k_22_sqs_q_12_sqs_q_19_a_fair_queue_spares_the_quiet_tenant() {
    let dwell = |fair: bool, by_topic: bool| {
        let mut blueprint = world(120);
        blueprint.producers = vec![
            sender("a", "jobs", PutApi::SendMessageBatch, evenly(1_000, 1)),
            sender("b", "jobs", PutApi::SendMessage, evenly(1, 1)),
        ];
        if by_topic {
            blueprint.producers = vec![
                sender("a", "news", PutApi::PublishBatch, evenly(1_000, 1)),
                sender("b", "news", PutApi::Publish, evenly(1, 1)),
            ];
            blueprint.topics = vec![topic("news")];
            blueprint.subscriptions = vec![subscription("of-jobs", "news", "jobs")];
        }
        blueprint.queues = vec![QueueBlueprint {
            grouped: if fair {
                vec!["a".to_owned(), "b".to_owned()]
            } else {
                Vec::new()
            },
            ..queue("jobs")
        }];
        blueprint.fleets = vec![fleet("clerks", "jobs", 100, SimDuration::SECOND)];
        let mut session = begun(&blueprint);
        let mut dwell = Dwell::default();
        let end = session.end();
        session
            .advance_watched(end, u64::MAX, Some(&mut dwell))
            .expect("it runs");
        let latest = |of: &[u64]| of.iter().rev().take(5).sum::<u64>() / 5;
        let processed = of_fleet(&session, "clerks").processed;
        (latest(&dwell.of[0]), latest(&dwell.of[1]), processed)
    };
    let (flood, quiet, throughput) = dwell(false, false);
    assert!(flood > 60_000 && quiet > 60_000, "both wait: {flood} and {quiet}");
    let (flood, quiet, fair_throughput) = dwell(true, false);
    assert!(flood > 60_000, "the flood waits all the same: {flood}");
    assert!(quiet < 2_000, "{quiet}");
    let difference = throughput.abs_diff(fair_throughput);
    assert!(difference < 200, "{throughput} and {fair_throughput}");
    let (_, quiet, _) = dwell(false, true);
    assert!(quiet > 60_000, "without a group it waits behind a topic, too: {quiet}");
    let (flood, quiet, _) = dwell(true, true);
    assert!(flood > 60_000 && quiet < 2_000, "{flood} and {quiet}");
}

/// Each message of a standard queue may state a delay of its own; a FIFO queue has one for all (SQS-L-05 refuses others when
/// a scenario is loaded).
#[test]
fn sqs_k_12_only_a_standard_queue_delays_each_message_for_itself() {
    let waits = |delay: Option<Distribution>, base: QueueBlueprint| {
        let mut blueprint = world(1_000);
        blueprint.producers = vec![sender(
            "a",
            "later",
            PutApi::SendMessage,
            exactly(200, SimDuration::SECOND, 1),
        )];
        let sender = SenderBlueprint {
            producer: "a".to_owned(),
            delay,
            deduplication_id: DeduplicationId::Message,
        };
        blueprint.queues = vec![QueueBlueprint {
            senders: vec![sender],
            ..base
        }];
        blueprint.fleets = vec![fleet("clerks", "later", 10, SimDuration::from_millis(1))];
        let mut session = begun(&blueprint);
        let mut dwell = Dwell::default();
        let end = session.end();
        session
            .advance_watched(end, u64::MAX, Some(&mut dwell))
            .expect("it runs");
        let [mut waits, _] = dwell.of;
        waits.sort_unstable();
        assert_eq!(waits.len(), 200);
        (waits[0], waits[99], waits[199])
    };
    let any = Distribution::Uniform { low: 0.0, high: 9e11 };
    let (shortest, median, longest) = waits(Some(any), queue("later"));
    assert!(
        shortest < 30_000 && longest > 870_000 && longest < 901_000,
        "{shortest} to {longest}"
    );
    assert!((350_000..=550_000).contains(&median), "{median}");
    let of_all = QueueBlueprint {
        delay: SimDuration::from_secs(600),
        ..fifo_queue("later")
    };
    let (shortest, _, longest) = waits(None, of_all);
    assert!(shortest >= 600_000 && longest < 603_000, "{shortest} to {longest}");
}
