//! Facts of topics: a topic alone, whose publishes and queues are played by hand.
#![expect(clippy::wildcard_enum_match_arm, reason = "tests look at a few facts")]

mod deliveries;
mod fifo;
mod filters;
mod publishes;
mod retries;

use super::{Event, Subscribed, TopicSetting, Topics};
use crate::batch::{Batch, Envelope, PutCall, ServiceError};
use crate::blueprint::{
    Attribute, AttributeValue, ModelParameters, PublisherBlueprint, PutApi, SubscriptionBlueprint, ThroughputScope,
    TopicAccount, TopicBlueprint,
};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{Destination, ProducerId, QueueId, SubscriptionId, TopicId};
use crate::notification_call::NotificationCall;
use crate::observe::fact::{Fact, NotificationFact, Publishing, TopicFact};
use crate::profile::Profile;
use crate::record::{KeyId, Outcome, Record};
use crate::testing::blueprints::millis;
use crate::testing::harness::{Call, Harness};
use crate::{services, world};
use std::sync::Arc;

const ME: TopicId = TopicId(0);
/// The dead-letter queue of all subscriptions that have one.
const DEAD: QueueId = QueueId(9);

struct Bench {
    harness: Harness<Topics>,
}

/// A topic, the subscriptions of its queues 0, 1, ... and the rules around it.
#[derive(Clone)]
struct Plan {
    topic: TopicBlueprint,
    subscriptions: Vec<SubscriptionBlueprint>,
    profile: Profile,
    model: ModelParameters,
    account: TopicAccount,
}

/// A standard topic that delivers after 20 ms and answers at once.
fn plan(subscriptions: usize) -> Plan {
    let mut model = ModelParameters {
        network_latency: Distribution::Constant(1.0),
        ..ModelParameters::default()
    };
    model.topic.delivery_time = Distribution::Constant(20e6);
    model.topic.service_time = Distribution::Constant(0.0);
    model.topic.duplicate_rate = Ratio::ZERO;
    model.topic.retry_jitter = Ratio::ZERO;
    Plan {
        topic: TopicBlueprint {
            name: "orders".to_owned(),
            fifo: None,
            maximum_message_size: 262_144,
            publishers: Vec::new(),
        },
        subscriptions: (0..subscriptions)
            .map(|number| SubscriptionBlueprint {
                name: format!("subscriber-{number}"),
                topic: "orders".to_owned(),
                queue: format!("queue-{number}"),
                raw: true,
                filter: None,
                dead_letter_queue: None,
                created_at: SimTime::ZERO,
            })
            .collect(),
        profile: Profile::Current,
        model,
        account: TopicAccount::in_region("us-east-1"),
    }
}
fn fifo(subscriptions: usize, scope: ThroughputScope) -> Plan {
    let mut plan = plan(subscriptions);
    plan.topic.fifo = Some(scope);
    plan
}
/// A publisher whose messages have so many attributes, each with the one value "yes".
fn attributes(count: usize) -> PublisherBlueprint {
    let attribute = |number| Attribute {
        name: format!("attribute-{number}"),
        values: vec![(AttributeValue::Text("yes".to_owned()), 1)],
    };
    PublisherBlueprint {
        producer: "shop".to_owned(),
        attributes: (0..count).map(attribute).collect(),
        body: Vec::new(),
    }
}

impl Plan {
    fn bench(&self) -> Bench {
        let subscribed: Vec<Subscribed<'_>> = (0_u16..)
            .zip(&self.subscriptions)
            .map(|(number, blueprint)| Subscribed {
                blueprint,
                id: SubscriptionId(number),
                queue: QueueId(number),
                dead_letter_queue: blueprint.dead_letter_queue.as_ref().map(|_| DEAD),
            })
            .collect();
        let setting = TopicSetting {
            profile: self.profile,
            model: &self.model,
            subscriptions: &subscribed,
            groups: &Arc::default(),
            publishers: &[("shop", ProducerId(0))],
        };
        let mut topics = Topics::new(self.account);
        topics
            .add(&self.topic, setting, &mut RandomStreams::new(1, 0))
            .expect("a topic");
        Bench {
            harness: Harness::new(topics),
        }
    }
}

fn message(key: u32, ordinal: u32) -> Record {
    Record {
        created_at: SimTime::ZERO,
        arrived_at: SimTime::ZERO,
        key: KeyId(key),
        ordinal,
        bytes: 100,
        flags: 0,
    }
}
fn messages(count: u32) -> Vec<Record> {
    (0..count).map(|ordinal| message(0, ordinal)).collect()
}
fn identities(records: &[Record]) -> Vec<(u32, u32)> {
    records.iter().map(|record| (record.key.0, record.ordinal)).collect()
}

/// A copy that has reached a queue.
#[derive(Clone, Debug)]
struct Copy {
    at: SimTime,
    queue: QueueId,
    call: NotificationCall,
    batch: Batch,
}

impl Bench {
    fn publish_to(&mut self, at: SimTime, topic: TopicId, api: PutApi, records: Vec<Record>) {
        let bytes = records.iter().map(|record| u64::from(record.bytes)).sum();
        let envelope = Envelope::Put(PutCall {
            producer: ProducerId(0),
            target: Destination::Topic(topic),
            api,
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
            records,
            bytes,
            envelope,
            ..Batch::default()
        };
        self.harness.send(at, batch, |batch| {
            world::Event::Topic(topic, Event::PublishReceived { batch })
        });
    }
    /// Publishes a batch, or with `Publish` a single message.
    fn post(&mut self, at: SimTime, api: PutApi, records: Vec<Record>) {
        self.publish_to(at, ME, api, records);
    }
    fn publish(&mut self, at: SimTime, records: Vec<Record>) {
        self.post(at, PutApi::PublishBatch, records);
    }
    /// What has come out by then: answers to publishers, and copies.
    fn until(&mut self, at: SimTime) -> (Vec<Batch>, Vec<Copy>) {
        self.harness.run_until(at);
        let (mut answers, mut copies) = (Vec::new(), Vec::new());
        for Call { at, event, batch } in self.harness.take_calls() {
            match (event, batch.envelope) {
                (world::Event::Queue(queue, _), Envelope::Notification(call)) => {
                    copies.push(Copy { at, queue, call, batch });
                }
                (world::Event::Producer(..), Envelope::Put(_)) => answers.push(batch),
                other => panic!("{other:?}"),
            }
        }
        (answers, copies)
    }
    fn copies(&mut self, at: SimTime) -> Vec<Copy> {
        self.until(at).1
    }
    /// The answer to the one publish that was made since the last time.
    fn answer(&mut self, at: SimTime) -> (PutCall, Vec<Record>) {
        let (answers, _) = self.until(at);
        let [answer] = answers.as_slice() else {
            panic!("{} answers", answers.len())
        };
        let Envelope::Put(call) = answer.envelope else {
            panic!("no answer to a publish")
        };
        (call, answer.records.clone())
    }
    /// A queue answers a copy: it took it, or failed.
    fn reply(&mut self, at: SimTime, copy: &Copy, error: Option<ServiceError>) {
        let mut batch = copy.batch.clone();
        for record in &mut batch.records {
            record.set_outcome(Outcome::Accepted);
            record.arrived_at = copy.at;
        }
        batch.envelope = Envelope::Notification(NotificationCall { error, ..copy.call });
        self.harness.send(at, batch, |batch| {
            world::Event::Topic(ME, services::topic::Event::Answered { batch })
        });
    }
    /// What has been stated about subscriptions: which, what, and about which messages.
    fn stated(&mut self) -> Vec<(SimTime, SubscriptionId, NotificationFact<'static>, Vec<Record>)> {
        let notes = self.harness.take_notes().into_iter();
        let facts = notes.filter_map(|note| match note.fact {
            Fact::Publishing {
                fact: Publishing::Subscription { subscription, fact, .. },
            } => Some((note.at, subscription, fact, note.records)),
            _ => None,
        });
        facts.collect()
    }
    /// What has been stated about publishes.
    fn published(&mut self) -> Vec<(TopicFact<'static>, Vec<Record>)> {
        let notes = self.harness.take_notes().into_iter();
        let facts = notes.filter_map(|note| match note.fact {
            Fact::Publishing {
                fact: Publishing::Topic { fact, .. },
            } => Some((fact, note.records)),
            _ => None,
        });
        facts.collect()
    }
    fn undelivered(&self) -> (u64, u64) {
        let held = self.harness.component.undelivered();
        held.fold((0, 0), |(waiting, in_flight), one| {
            (waiting + one.waiting, in_flight + one.in_flight)
        })
    }
}
