//! Whatever topics, queues and workers do, and whatever fails: each copy ends in one way, order is kept where it is
//! promised, and the time of a message is the sum of its way.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]
#![expect(clippy::as_conversions, reason = "a test's numbers are small")]

use proptest::prelude::*;
use sim::blueprint::{
    Arrivals, Blueprint, FifoSettings, FleetBlueprint, ProducerBlueprint, PutApi, QueueBlueprint, Size,
    SubscriptionBlueprint, ThroughputScope, TopicBlueprint,
};
use sim::command::{Command, Intervention};
use sim::directory::Component;
use sim::engine::calendar::TieOrder;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::SubscriptionId;
use sim::observe::Probe;
use sim::observe::fact::{Fact, NotificationFact, Notified, Publishing, QueueFact, Queueing, TopicFact};
use sim::observe::message_path::Leg;
use sim::observe::metrics::{Metric, Statistic};
use sim::record::{Outcome, Record};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::{model, producer};
use sim::testing::topics::{TopicWorld, topic_worlds};
use std::collections::BTreeMap;

type Identity = (u16, u32, u32);

fn identity(subscription: SubscriptionId, record: &Record) -> Identity {
    (subscription.0, record.key.0, record.ordinal)
}

/// What a listener knows of copies, one by one.
#[derive(Default)]
struct Auditor {
    published: BTreeMap<(u32, u32), u32>,
    /// By copy: how many are under way.
    open: BTreeMap<Identity, u32>,
    /// By subscription and key: the greatest ordinal that came into the queue for the first time.
    newest: BTreeMap<(u16, u32), u32>,
    entered: BTreeMap<Identity, u32>,
    ended: u64,
    overtaken: u64,
    wrong: Option<String>,
}

impl Auditor {
    fn accuse(&mut self, now: SimTime, what: &str, copy: Identity) {
        self.wrong.get_or_insert_with(|| format!("at {now}: {what}: {copy:?}"));
    }
    fn ended(&mut self, now: SimTime, subscription: SubscriptionId, records: &[Record]) {
        for record in records {
            let copy = identity(subscription, record);
            match self.open.get_mut(&copy).filter(|open| **open > 0) {
                Some(open) => *open -= 1,
                None => self.accuse(now, "it ended, and was not under way", copy),
            }
            self.ended += 1;
        }
    }
    fn notified(&mut self, now: SimTime, records: &[Record], notified: &Notified<'_>) {
        for (record, (published, tried)) in records.iter().zip(notified.each()) {
            let copy = identity(notified.subscription, record);
            if published < record.created_at || tried < published || now < tried {
                self.accuse(now, "its times go back", copy);
            }
            if record.outcome() != Outcome::Accepted || notified.redriven {
                continue;
            }
            if !self.open.contains_key(&copy) {
                self.accuse(now, "it came into a queue, and was not under way", copy);
            }
            let times = self.entered.entry(copy).or_default();
            *times += 1;
            if *times == 1 {
                let newest = self.newest.entry((copy.0, copy.1)).or_insert(copy.2);
                self.overtaken += u64::from(copy.2 < *newest);
                *newest = copy.2.max(*newest);
            }
        }
    }
}

impl Probe for Auditor {
    fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::Publishing {
                fact:
                    Publishing::Topic {
                        fact: TopicFact::Published { records, .. },
                        ..
                    },
            } => {
                for record in records.iter().filter(|record| record.outcome() == Outcome::Accepted) {
                    *self.published.entry((record.key.0, record.ordinal)).or_default() += 1;
                }
            }
            Fact::Publishing {
                fact: Publishing::Subscription { subscription, fact, .. },
            } => {
                if let NotificationFact::Copied { records } = fact {
                    for record in records {
                        let copy = identity(subscription, record);
                        *self.open.entry(copy).or_default() += 1;
                        if !self.published.contains_key(&(copy.1, copy.2)) {
                            self.accuse(now, "copied, and not published", copy);
                        }
                    }
                } else if let NotificationFact::Delivered { records, .. }
                | NotificationFact::DeadLettered { records, .. }
                | NotificationFact::Lost { records, .. } = fact
                {
                    self.ended(now, subscription, records);
                }
            }
            Fact::Queueing {
                fact:
                    Queueing::Queue {
                        fact:
                            QueueFact::Sent {
                                records,
                                notified: Some(ref notified),
                                ..
                            },
                        ..
                    },
            } => self.notified(now, records, notified),
            _ => {}
        }
    }
}

fn blueprint(world: &TopicWorld, seed: u64, lost: u64) -> Blueprint {
    let mut blueprint = Blueprint::empty(seed, SimDuration::from_secs(40));
    blueprint.model = model();
    blueprint.model.lost_acknowledgement_rate = Ratio::new(lost, 20);
    blueprint.model.internal_failure_rate = Ratio::new(lost, 30);
    blueprint.model.request_timeout = SimDuration::SECOND;
    world.clone().join(&mut blueprint);
    blueprint
}

const CHECKED: SessionOptions = SessionOptions {
    observe: true,
    checks: Checks::EveryEvent,
    tie_order: TieOrder::Insertion,
    memory_limit: u64::MAX,
    checkpoint_interval: None,
    checkpoint_memory: 0,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// SQS-S-01, SQS-S-10, SQS-S-28: under outages, refusals, lost answers, failures and changes of policy.
    #[test]
    fn what_topics_state_is_possible(world in topic_worlds(), seed in any::<u64>(), lost in 0_u64..4) {
        // A copy that is made twice may end twice; the ledgers count it.
        let blueprint = blueprint(&world, seed, lost);
        let duplicates = !blueprint.model.topic.duplicate_rate.is_zero() && !world.is_fifo();
        let mut session = Session::new(&blueprint, CHECKED).expect("it builds");
        let mut auditor = Auditor::default();
        let end = session.end();
        let run = session.advance_watched(end, u64::MAX, Some(&mut auditor));
        run.map_err(|error| TestCaseError::fail(error.to_string()))?;
        if !duplicates {
            prop_assert_eq!(auditor.wrong, None);
            let open: u64 = auditor.open.values().map(|open| u64::from(*open)).sum();
            let held = session.holdings().subscriptions.iter().map(|held| held.waiting + held.in_flight).sum::<u64>();
            prop_assert_eq!(open, held, "what the facts leave under way is there");
        }
        if world.is_fifo() {
            // Publishers may overtake themselves: only one at a time keeps the order that they publish in.
            let published_once = auditor.published.values().all(|times| *times == 1);
            let order = session.observers().and_then(|observers| observers.counts.as_ref()).expect("all are");
            let refused: u64 = order.topics.iter().map(|topic| topic.publishes_refused + topic.entries_throttled).sum();
            if published_once && refused == 0 && lost == 0 {
                prop_assert_eq!(auditor.overtaken, 0, "a FIFO topic keeps the order of each group");
            }
        }
        let paths = session.observers().and_then(|observers| observers.message_paths.as_ref()).expect("all are");
        prop_assert_eq!(paths.unexplained(), None);
    }

    /// Runs are the same with and without observers, and the ledgers hold in whatever order simultaneous events come.
    #[test]
    fn a_world_with_topics_takes_its_course(world in topic_worlds(), seed in any::<u64>(), ties in any::<u64>()) {
        let blueprint = blueprint(&world, seed, 1);
        let run = |options: SessionOptions| {
            let mut session = Session::new(&blueprint, options).expect("it builds");
            let end = session.end();
            session.advance(end, u64::MAX).map_err(|error| TestCaseError::fail(error.to_string()))?;
            Ok::<_, TestCaseError>(session.fingerprint())
        };
        let unobserved = SessionOptions { observe: false, ..SessionOptions::default() };
        prop_assert_eq!(run(CHECKED)?, run(unobserved)?);
        run(SessionOptions { tie_order: TieOrder::Shuffled(ties), ..CHECKED })?;
    }
}

/// One publisher of ten messages a second to a topic, one queue and its workers; nothing takes time but the deliveries.
fn small(fifo: bool, seconds: u64) -> Blueprint {
    let mut blueprint = Blueprint::empty(3, SimDuration::from_secs(seconds));
    blueprint.model = model();
    blueprint.model.topic.duplicate_rate = Ratio::ZERO;
    blueprint.model.queue.duplicate_rate = Ratio::ZERO;
    blueprint.producers = vec![ProducerBlueprint {
        arrivals: Arrivals::Constant(Rate::per_second(10)),
        api: PutApi::Publish,
        ..producer("shop", "orders")
    }];
    blueprint.topics = vec![TopicBlueprint {
        name: "orders".to_owned(),
        fifo: fifo.then_some(ThroughputScope::Topic),
        maximum_message_size: 262_144,
        publishers: Vec::new(),
    }];
    blueprint.queues = vec![QueueBlueprint {
        name: "inbox".to_owned(),
        fifo: fifo.then_some(FifoSettings::default()),
        visibility_timeout: SimDuration::from_secs(10),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::ZERO,
        receive_wait: SimDuration::from_secs(20),
        maximum_message_size: 1 << 20,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }];
    blueprint.subscriptions = vec![SubscriptionBlueprint {
        name: "inbox".to_owned(),
        topic: "orders".to_owned(),
        queue: "inbox".to_owned(),
        raw: true,
        filter: None,
        dead_letter_queue: None,
        created_at: SimTime::ZERO,
    }];
    blueprint.fleets = vec![FleetBlueprint {
        name: "clerks".to_owned(),
        queue: "inbox".to_owned(),
        workers: 5,
        starts_at: SimTime::ZERO,
        wait_time: None,
        max_messages: 10,
        visibility_timeout: None,
        idle_pause: SimDuration::from_millis(10),
        per_message: Distribution::Constant(20e6),
        failure_rate: Ratio::ZERO,
        poison_rate: Ratio::ZERO,
        release_failed: false,
        heartbeat: None,
        crash_rate: Ratio::ZERO,
        restart_time: SimDuration::SECOND,
        attempt_ids: false,
        retry: sim::blueprint::SdkRetry::default(),
    }];
    blueprint
}
fn ran(blueprint: &Blueprint) -> Session {
    let mut session = Session::new(blueprint, CHECKED).expect("it builds");
    let end = session.end();
    session.advance(end, u64::MAX).expect("the ledgers balance");
    session
}

/// SQS-S-30: the topic passes its deduplication ID on, so a FIFO queue swallows a delivery that is repeated since the answer
/// was lost; a standard queue stores it again (SQS-S-02).
#[test]
fn sqs_s_30_a_fifo_queue_knows_the_id_that_the_topic_gives() {
    for fifo in [true, false] {
        let mut blueprint = small(fifo, 120);
        blueprint.model.lost_acknowledgement_rate = Ratio::new(1, 10);
        blueprint.model.request_timeout = SimDuration::SECOND;
        let session = ran(&blueprint);
        let counts = session
            .observers()
            .and_then(|observers| observers.counts.as_ref())
            .expect("all are");
        let (topic, queue) = (
            counts.topics.iter().next().expect("one"),
            counts.queues.iter().next().expect("one"),
        );
        let copies = counts.subscriptions.iter().next().expect("one");
        assert!(copies.retried > 50, "{}", copies.retried);
        if fifo {
            assert!(queue.deduplicated > 50 && topic.deduplicated > 50);
            assert!(queue.sent <= topic.published, "{} of {}", queue.sent, topic.published);
        } else {
            assert_eq!(queue.deduplicated, 0);
            assert!(
                queue.sent > topic.published + 50,
                "{} of {}",
                queue.sent,
                topic.published
            );
        }
    }
}

/// The legs of all messages together are the time of all messages from creation to delete, and an outage of the queue is
/// time of the leg that it costs.
#[test]
fn the_legs_of_the_way_sum_to_the_time_of_the_messages() {
    let legs = |outage: bool| {
        let mut blueprint = small(false, 120);
        blueprint.fleets[0].failure_rate = Ratio::new(1, 20);
        if outage {
            blueprint.interventions = vec![Intervention {
                at: SimTime::from_secs(30),
                command: Command::BreakQueue {
                    queue: "inbox".to_owned(),
                    lasts: SimDuration::from_secs(20),
                },
            }];
        }
        let session = ran(&blueprint);
        let observers = session.observers().expect("they are attached");
        let queue = session.world().directory().queue("inbox").expect("it is there");
        let path = observers
            .message_paths
            .as_ref()
            .and_then(|paths| paths.of(queue))
            .expect("it is fed");
        let latency = observers
            .latency
            .as_ref()
            .and_then(|latency| latency.of_queue(queue))
            .expect("all are");
        assert!(path.messages() > 1_000);
        assert_eq!(path.messages(), latency.end_to_end.count());
        assert_eq!(path.total(), latency.end_to_end.sum());
        Leg::ALL.map(|leg| path.of(leg).sum() / 1_000_000_000)
    };
    let [publishing, delivery, retries, waiting, redelivery, processing] = legs(false);
    assert_eq!(retries, 0);
    // A log-normal time of 20 ms in the median has a mean of 33 ms; one message in twenty comes back after 10 s.
    assert!((30..45).contains(&delivery), "{delivery} s for some 1,200 messages");
    assert!((400..900).contains(&redelivery), "{redelivery}");
    assert!(publishing <= 3 && waiting < 100 && (20..200).contains(&processing));
    let [.., broken_delivery, broken_retries, _, _, _] = legs(true);
    assert!((30..45).contains(&broken_delivery));
    // Two hundred messages waited for half of twenty seconds and up to another wait.
    assert!((1_500..4_500).contains(&broken_retries), "{broken_retries}");
}

/// SQS-G-22, SQS-G-21: a publish is billed for each 64 KiB that it has begun; deliveries are counted beside it.
#[test]
fn sqs_g_22_publishes_are_counted_in_chunks() {
    for (bytes, chunks) in [(1.0, 1), (65_536.0, 1), (65_537.0, 2), (200_000.0, 4)] {
        let mut blueprint = small(false, 60);
        blueprint.producers[0].size = Size::Drawn(Distribution::Constant(bytes));
        // The key counts, and is as long for each.
        let key = 11.0;
        if bytes > key {
            blueprint.producers[0].size = Size::Drawn(Distribution::Constant(bytes - key));
        }
        let session = ran(&blueprint);
        let usage = session
            .observers()
            .and_then(|observers| observers.usage.as_ref())
            .expect("all are");
        let topic = usage.topics.iter().next().expect("one");
        assert_eq!(topic.publish_requests, chunks * topic.messages, "{bytes} bytes");
        assert!(topic.messages >= 599 && topic.deliveries + 10 >= topic.messages);
        assert_eq!(
            topic.bytes / topic.messages,
            if bytes > key { bytes as u64 } else { 12 }
        );
    }
}

/// SNS-MET-01: CloudWatch's metrics tell what happened.
#[test]
fn sns_met_01_metrics_of_a_topic_count_publishes_and_copies() {
    let mut blueprint = small(false, 180);
    blueprint.queues.push(QueueBlueprint {
        name: "dead".to_owned(),
        ..blueprint.queues[0].clone()
    });
    blueprint.subscriptions[0].dead_letter_queue = Some("dead".to_owned());
    blueprint.interventions = vec![Intervention {
        at: SimTime::from_secs(60),
        command: Command::DenySubscription {
            subscription: "inbox".to_owned(),
            lasts: SimDuration::from_secs(30),
        },
    }];
    let session = ran(&blueprint);
    let metrics = session
        .observers()
        .and_then(|observers| observers.metrics.as_ref())
        .expect("all are");
    let of = Component::Topic(session.world().directory().topic("orders").expect("it is there"));
    let sum = |metric| {
        let value = metrics.value(metric, of, Statistic::Sum, SimTime::ZERO, session.end());
        value.map_or(0, |value| value.as_f64() as u64)
    };
    let published = sum(Metric::NumberOfMessagesPublished);
    assert!((1_795..=1_800).contains(&published), "{published}");
    let failed = sum(Metric::NumberOfNotificationsFailed);
    assert!((295..=305).contains(&failed), "{failed}");
    assert_eq!(sum(Metric::NumberOfNotificationsRedrivenToDlq), failed);
    assert_eq!(sum(Metric::NumberOfNotificationsFailedToRedriveToDlq), 0);
    assert!(sum(Metric::NumberOfNotificationsDelivered) + failed + 10 >= published);
    assert_eq!(sum(Metric::NumberOfNotificationsFilteredOut), 0);
    assert_eq!(sum(Metric::PublishSize) / published, 100 + 11);
}
