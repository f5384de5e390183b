//! Whatever topics, queues and workers do, and whatever fails: each copy ends in one way, order is kept where it is
//! promised, and the time of a message is the sum of its way.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use proptest::prelude::*;
use sim::blueprint::Blueprint;
use sim::engine::calendar::TieOrder;
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::SubscriptionId;
use sim::observe::Probe;
use sim::observe::fact::{Fact, NotificationFact, Notified, Publishing, QueueFact, Queueing, TopicFact};
use sim::record::{Outcome, Record};
use sim::session::{Checks, Session, SessionOptions};
use sim::testing::blueprints::model;
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
    blueprint.model.lost_acknowledgement_rate = sim::engine::quantity::Ratio::new(lost, 20);
    blueprint.model.internal_failure_rate = sim::engine::quantity::Ratio::new(lost, 30);
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
