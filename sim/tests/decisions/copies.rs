//! Who gets what: competing consumers, copies, replays, filters.

use super::*;
use sim::blueprint::{Attribute, AttributeValue, Condition, FilterPolicy, FilterScope, PublisherBlueprint};
use sim::ids::QueueConsumer;
use sim::observe::Probe;
use sim::observe::fact::{Fact, QueueFact, Queueing};
use sim::testing::blueprints::stream;
use std::collections::BTreeMap;

const WORK: SimDuration = SimDuration::from_millis(20);

fn thousand() -> (Arrivals, Keys) {
    exactly(1_000, SimDuration::from_secs(100), 50)
}

/// Two applications on a queue share its messages; on a stream each gets all.
#[test]
fn sqs_k_01_consumers_of_a_queue_compete_and_readers_of_a_stream_do_not() {
    let mut blueprint = world(200);
    blueprint.producers = vec![
        sender("to-queue", "jobs", PutApi::SendMessage, thousand()),
        sender("to-stream", "events", PutApi::PutRecord, thousand()),
    ];
    blueprint.queues = vec![queue("jobs")];
    blueprint.fleets = vec![fleet("a", "jobs", 5, WORK), fleet("b", "jobs", 5, WORK)];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.applications = vec![application("c", "events"), application("d", "events")];
    let session = run(&blueprint);
    let (a, b) = (of_fleet(&session, "a").processed, of_fleet(&session, "b").processed);
    assert_eq!(a + b, 1_000);
    assert!(a > 0 && b > 0, "{a} and {b}");
    for name in ["c", "d"] {
        assert_eq!(of_application(&session, name).acknowledged, 1_000, "{name}");
    }
}

/// Through a topic both get everything, for twice the requests to SQS.
#[test]
fn sqs_k_02_a_topic_gives_both_all_for_twice_the_requests() {
    let mut blueprint = world(200);
    blueprint.producers = vec![
        sender("direct", "alone", PutApi::SendMessage, thousand()),
        sender("to-topic", "events", PutApi::Publish, thousand()),
    ];
    blueprint.topics = vec![topic("events")];
    blueprint.queues = ["alone", "first", "second"].map(queue).to_vec();
    blueprint.subscriptions = vec![
        subscription("a", "events", "first"),
        subscription("b", "events", "second"),
    ];
    blueprint.fleets = ["alone", "first", "second"]
        .map(|name| fleet(name, name, 5, WORK))
        .to_vec();
    let session = run(&blueprint);
    for name in ["alone", "first", "second"] {
        assert_eq!(of_fleet(&session, name).processed, 1_000, "{name}");
    }
    // Empty receives left out, which depend on the load: one send, one receive and one delete a message.
    let requests = |name| of_queue(&session, name).requests - of_queue(&session, name).empty_receives;
    assert_eq!(requests("alone"), 3_000);
    assert_eq!(requests("first") + requests("second"), 2 * requests("alone"));
}

/// What was deleted is gone from a queue; a stream gives it again while it is retained, and not when that is over.
#[test]
fn sqs_k_03_a_stream_can_be_read_again_and_a_queue_cannot() {
    let mut blueprint = world(26 * 3_600);
    blueprint.producers = vec![
        sender("to-queue", "jobs", PutApi::SendMessage, thousand()),
        sender("to-stream", "events", PutApi::PutRecord, thousand()),
    ];
    blueprint.queues = vec![queue("jobs")];
    blueprint.streams = vec![stream("events", 1)];
    let later = |hours: u64| SimTime::from_secs(hours * 3_600);
    let again = FleetBlueprint {
        starts_at: later(1),
        ..fleet("again", "jobs", 1, WORK)
    };
    blueprint.fleets = vec![fleet("once", "jobs", 5, WORK), again];
    let applications = [("once", 0), ("fixed", 1), ("late", 23), ("too-late", 25)];
    blueprint.applications = applications
        .map(|(name, hours)| ApplicationBlueprint {
            starts_at: later(hours),
            ..application(name, "events")
        })
        .to_vec();
    let session = run(&blueprint);
    assert_eq!(of_fleet(&session, "once").processed, 1_000);
    assert_eq!(of_fleet(&session, "again").processed, 0);
    for (name, records) in [("once", 1_000), ("fixed", 1_000), ("late", 1_000), ("too-late", 0)] {
        assert_eq!(of_application(&session, name).acknowledged, records, "{name}");
    }
}

/// Who comes an hour later gets what is left of a queue, and all of a stream.
#[test]
fn sqs_k_04_a_later_consumer_gets_the_rest_of_a_queue_and_all_of_a_stream() {
    let mut blueprint = world(3 * 3_600);
    blueprint.producers = vec![
        sender("to-queue", "jobs", PutApi::SendMessage, thousand()),
        sender("to-stream", "events", PutApi::PutRecord, thousand()),
    ];
    blueprint.queues = vec![queue("jobs")];
    blueprint.streams = vec![stream("events", 1)];
    let slow = SimDuration::from_secs(5);
    let hour = SimTime::from_secs(3_600);
    let later = FleetBlueprint {
        starts_at: hour,
        ..fleet("later", "jobs", 1, slow)
    };
    blueprint.fleets = vec![fleet("first", "jobs", 1, slow), later];
    let later = ApplicationBlueprint {
        starts_at: hour,
        ..application("later", "events")
    };
    blueprint.applications = vec![application("first", "events"), later];
    let session = run(&blueprint);
    let (first, later) = (
        of_fleet(&session, "first").processed,
        of_fleet(&session, "later").processed,
    );
    assert_eq!(first + later, 1_000);
    // 720 messages in the first hour, and half of the rest.
    assert!((130..=150).contains(&later), "{later}");
    assert_eq!(of_application(&session, "later").acknowledged, 1_000);
}

/// Counts messages by consumer, key and window of ten seconds.
#[derive(Default)]
struct Windows {
    of_fleets: BTreeMap<QueueConsumer, BTreeMap<(u32, u64), u64>>,
    of_reader: BTreeMap<(u32, u64), u64>,
}

impl Probe for Windows {
    fn on(&mut self, _now: SimTime, fact: &Fact<'_>) {
        let window = |at: SimTime| at.as_nanos() / 10_000_000_000;
        if let Fact::Queueing {
            fact:
                Queueing::Queue {
                    fact: QueueFact::Received { consumer, records, .. },
                    ..
                },
        } = *fact
        {
            let own = self.of_fleets.entry(consumer).or_default();
            for record in records {
                *own.entry((record.key.0, window(record.created_at))).or_default() += 1;
            }
        }
        if let Fact::RecordsProcessed { records, .. } = *fact {
            for record in records {
                *self
                    .of_reader
                    .entry((record.key.0, window(record.created_at)))
                    .or_default() += 1;
            }
        }
    }
}

/// One reader of a stream counts each key in each window exactly; the consumers of a queue hold disjoint subsets, so none
/// of them knows a count.
#[test]
fn sqs_k_20_windows_over_a_stream_are_exact_and_over_a_shared_queue_are_not() {
    let load = || exactly(4_000, SimDuration::from_secs(100), 10);
    let mut blueprint = world(200);
    blueprint.producers = vec![
        sender("to-queue", "jobs", PutApi::SendMessage, load()),
        sender("to-stream", "events", PutApi::PutRecord, load()),
    ];
    blueprint.queues = vec![queue("jobs")];
    blueprint.fleets = ["a", "b", "c", "d"].map(|name| fleet(name, "jobs", 1, WORK)).to_vec();
    blueprint.streams = vec![stream("events", 1)];
    blueprint.applications = vec![application("windows", "events")];
    let mut session = begun(&blueprint);
    let mut windows = Windows::default();
    let end = session.end();
    session
        .advance_watched(end, u64::MAX, Some(&mut windows))
        .expect("it runs");
    assert_eq!(windows.of_reader.len(), 100, "ten keys in ten windows");
    assert!(
        windows.of_reader.values().all(|count| *count == 40),
        "each of them whole"
    );
    let of_queue = &windows.of_fleets;
    assert_eq!(of_queue.len(), 4);
    let whole: u64 = of_queue.values().flat_map(BTreeMap::values).sum();
    assert_eq!(whole, 4_000, "all of them together have everything, once");
    let (mut partial, mut all) = (0, 0);
    for count in of_queue.values().flat_map(BTreeMap::values) {
        all += 1;
        partial += u32::from(*count < 40);
    }
    assert_eq!(partial, all, "none has all of any key in any window");
}

/// A filter policy brings a tenth of the copies to the queue, and no requests for the rest; a queue alone and a stream
/// deliver everything.
#[test]
fn sqs_k_21_a_filter_policy_saves_the_requests_for_the_rest() {
    let load = || exactly(10_000, SimDuration::from_secs(100), 50);
    let mut blueprint = world(200);
    blueprint.producers = vec![
        sender("to-queue", "everything", PutApi::SendMessage, load()),
        sender("to-stream", "events", PutApi::PutRecord, load()),
        sender("to-topic", "events", PutApi::Publish, load()),
    ];
    let text = |text: &str| AttributeValue::Text(text.to_owned());
    blueprint.topics = vec![TopicBlueprint {
        publishers: vec![PublisherBlueprint {
            producer: "to-topic".to_owned(),
            attributes: vec![Attribute {
                name: "event".to_owned(),
                values: vec![(text("order"), 1), (text("view"), 9)],
            }],
            body: Vec::new(),
        }],
        ..topic("events")
    }];
    blueprint.subscriptions = vec![SubscriptionBlueprint {
        filter: Some(FilterPolicy {
            scope: FilterScope::MessageAttributes,
            names: vec![("event".to_owned(), vec![Condition::Is(text("order"))])],
        }),
        ..subscription("orders", "events", "orders")
    }];
    blueprint.queues = vec![queue("everything"), queue("orders")];
    blueprint.fleets = vec![
        fleet("all", "everything", 20, WORK),
        fleet("orders", "orders", 20, WORK),
    ];
    blueprint.streams = vec![stream("events", 1)];
    blueprint.applications = vec![application("all", "events")];
    let session = run(&blueprint);
    let orders = of_fleet(&session, "orders").processed;
    assert!((900..=1_100).contains(&orders), "{orders}");
    let counts = counts(&session);
    let one = counts.subscriptions.iter().next().expect("one");
    assert_eq!((one.delivered, one.filtered_out()), (orders, 10_000 - orders));
    let requests = |name| of_queue(&session, name).requests - of_queue(&session, name).empty_receives;
    assert_eq!(requests("orders"), 3 * orders);
    assert_eq!(requests("everything"), 30_000);
    assert_eq!(of_application(&session, "all").acknowledged, 10_000);
}
