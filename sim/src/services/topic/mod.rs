//! SNS topics, standard and FIFO, whose subscribers are SQS queues.
//!
//! A publish takes effect when it comes in. Each subscription whose filter policy accepts a message gets a copy, which is
//! sent to its queue after a delivery time, and again until the queue takes it or the policy of SQS-S-06 gives up. Copies
//! wait in the topic, in one line for all subscriptions; one timer serves it.

mod deduplication;
mod delivery;
mod filter;
mod lane;
mod publish;
pub mod quotas;
mod retry;
mod subscription;
#[cfg(test)]
mod tests;

use crate::batch::BatchId;
use crate::blueprint::{FilterPolicy, ModelParameters, SubscriptionBlueprint, TopicAccount, TopicBlueprint};
use crate::context::Cx;
use crate::engine::index::{Idx, IndexVec, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, QueueId, SubscriptionId, TopicId};
use crate::observe::fact::Fact;
use crate::observe::topic_fact::{NotificationFact, Publishing};
use crate::profile::Profile;
use crate::record::KeyId;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, digest_of_draws, queue};
use crate::world;
use deduplication::Deduplication;
use delivery::Delivery;
use filter::Publisher;
use quotas::{Account, Throughput};
use std::collections::BTreeMap;
use std::sync::Arc;
use subscription::Subscription;

/// What happens to a topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A Publish or PublishBatch came in.
    PublishReceived {
        /// The request.
        batch: BatchId,
    },
    /// A queue answered a delivery.
    Answered {
        /// The answer.
        batch: BatchId,
    },
    /// Something is due.
    Due,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::PublishReceived { .. } => 0,
            Self::Answered { .. } => 1,
            Self::Due => 2,
        }
    }
}

/// A subscription with the components that it names.
#[derive(Clone, Copy, Debug)]
pub struct Subscribed<'s> {
    /// What it is made from.
    pub blueprint: &'s SubscriptionBlueprint,
    /// Its number.
    pub id: SubscriptionId,
    /// Its queue.
    pub queue: QueueId,
    /// Its dead-letter queue.
    pub dead_letter_queue: Option<QueueId>,
}

/// What a topic is made from beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct TopicSetting<'s> {
    /// Which quotas hold.
    pub profile: Profile,
    /// The model's choices.
    pub model: &'s ModelParameters,
    /// Its subscriptions, in order of their numbers.
    pub subscriptions: &'s [Subscribed<'s>],
    /// By key: its text's group, which stands for the MessageGroupId.
    pub groups: &'s Arc<[u32]>,
    /// The producers that publish to it, by the names of its publishers.
    pub publishers: &'s [(&'s str, ProducerId)],
}

/// What waits in a topic.
#[derive(Clone, Debug)]
enum Work {
    /// A copy of a standard topic's message, or one that goes to a dead-letter queue.
    Message { at: usize, delivery: Delivery },
    /// The first messages of a group.
    Lane { at: usize, group: u32 },
    /// Another filter policy takes effect.
    Policy {
        at: usize,
        policy: Option<Arc<FilterPolicy>>,
    },
}

/// What only a FIFO topic has.
#[derive(Clone, Debug)]
struct Fifo {
    throughput: Throughput,
    known: Deduplication,
    /// By key: its text's group. A key that is not listed stands for itself.
    groups: Arc<[u32]>,
}

impl Fifo {
    fn group(&self, KeyId(key): KeyId) -> u32 {
        self.groups.get(to_usize(key)).copied().unwrap_or(key)
    }
}

/// A topic.
#[derive(Clone, Debug)]
struct Topic {
    fifo: Option<Box<Fifo>>,
    maximum_message_size: u32,
    /// Of those whose messages carry something.
    publishers: BTreeMap<ProducerId, Publisher>,
    subscriptions: Vec<Subscription>,
    /// By the instant at which it is due, and in the order in which it came.
    waiting: BTreeMap<(SimTime, u64), Work>,
    next: u64,
    /// The instant for which the timer is armed.
    armed: Option<SimTime>,
    maximum_batch_size: u64,
    envelope_bytes: u32,
    duplicate_rate: Ratio,
    retry_jitter: Ratio,
    lost_acknowledgement_rate: Ratio,
    internal_failure_rate: Ratio,
    request_timeout: SimDuration,
    faults: Random,
    service_time: RandomSpan,
    link: Link,
}

/// All topics of a run, which share the quotas of the account (SQS-S-25).
#[derive(Clone, Debug)]
pub struct Topics {
    account: Account,
    topics: IndexVec<TopicId, Topic>,
}

/// What a subscription has to deliver, for the conservation check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Undelivered {
    /// Which.
    pub subscription: SubscriptionId,
    /// Copies that wait.
    pub waiting: u64,
    /// Copies sent to a queue that has not answered.
    pub in_flight: u64,
}

impl Topics {
    /// None, in an account with these quotas.
    pub fn new(account: TopicAccount) -> Self {
        Self {
            account: Account::new(account),
            topics: IndexVec::new(),
        }
    }
    /// Adds a topic. Makes the random streams attributes, faults, service and network, and of each subscription delivery,
    /// retry and policy.
    pub fn add(
        &mut self,
        blueprint: &TopicBlueprint,
        setting: TopicSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<TopicId, ServiceBuildError> {
        let id = TopicId::from_index(self.topics.len());
        self.topics.push(Topic::new(blueprint, setting, streams)?);
        Ok(id)
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: TopicId, event: Event, cx: &mut Cx<'_, '_>) {
        let topic = &mut self.topics[me];
        match event {
            Event::PublishReceived { batch } => {
                let account = self.account.of(topic.fifo.is_some());
                topic.publish(me, batch, account, cx);
            }
            Event::Answered { batch } => topic.answered(me, batch, cx),
            Event::Due => {
                if topic.armed.is_some_and(|armed| armed <= cx.now()) {
                    topic.armed = None;
                }
            }
        }
        topic.serve(me, cx);
        topic.arm(me, cx);
    }

    /// The queue's policy does not allow the subscription's topic to send to it for so long.
    pub fn deny(&mut self, topic: TopicId, subscription: SubscriptionId, lasts: SimDuration, cx: &Cx<'_, '_>) {
        if let Some(found) = self.topics[topic].find(subscription) {
            found.denied_until = cx.now() + lasts;
        }
    }
    /// Asks for another filter policy, which takes effect some time later (SQS-S-14).
    pub fn set_filter_policy(
        &mut self,
        me: TopicId,
        subscription: SubscriptionId,
        policy: Option<Arc<FilterPolicy>>,
        cx: &mut Cx<'_, '_>,
    ) {
        let topic = &mut self.topics[me];
        let Some(at) = topic.place_of(subscription) else { return };
        let in_effect = cx.now() + topic.subscriptions[at].policy_time.draw();
        topic.put_in_line(in_effect, Work::Policy { at, policy });
        topic.arm(me, cx);
    }

    /// What each subscription has to deliver.
    pub fn undelivered(&self) -> impl Iterator<Item = Undelivered> {
        self.topics
            .iter()
            .flat_map(|topic| topic.subscriptions.iter().map(Subscription::undelivered))
    }
    /// Bytes of memory that messages take.
    pub fn memory(&self) -> u64 {
        self.topics.iter().map(Topic::memory).sum()
    }
    /// Draws on all streams so far, as one word for each topic, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        self.topics.iter().map(Topic::draws)
    }
}

impl Topic {
    fn new(
        blueprint: &TopicBlueprint,
        setting: TopicSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("topic.{}", blueprint.name);
        let (profile, model) = (setting.profile, &setting.model.topic);
        let salt = streams.stream(&format!("{component}/attributes"))?.word();
        let of = |name: &str| setting.publishers.iter().find(|(known, _)| *known == name);
        let publishers: BTreeMap<ProducerId, Publisher> = blueprint
            .publishers
            .iter()
            .filter_map(|publisher| Some((of(&publisher.producer)?.1, Publisher::new(publisher, salt))))
            .collect();
        let subscriptions = setting.subscriptions.iter();
        let subscriptions = subscriptions
            .map(|subscribed| Subscription::new(subscribed, &publishers, model, streams))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            fifo: blueprint.fifo.map(|scope| {
                Box::new(Fifo {
                    throughput: Throughput::new(scope, profile),
                    known: Deduplication::default(),
                    groups: Arc::clone(setting.groups),
                })
            }),
            maximum_message_size: blueprint.maximum_message_size,
            publishers,
            subscriptions,
            waiting: BTreeMap::new(),
            next: 0,
            armed: None,
            maximum_batch_size: queue::quotas::maximum_batch_size(profile),
            envelope_bytes: model.envelope_bytes,
            duplicate_rate: model.duplicate_rate,
            retry_jitter: model.retry_jitter,
            lost_acknowledgement_rate: setting.model.lost_acknowledgement_rate,
            internal_failure_rate: setting.model.internal_failure_rate,
            request_timeout: setting.model.request_timeout,
            faults: streams.stream(&format!("{component}/faults"))?,
            service_time: RandomSpan::new(&component, "service", &model.service_time, streams)?,
            link: Link::new(&component, setting.model, streams)?,
        })
    }

    fn place_of(&self, subscription: SubscriptionId) -> Option<usize> {
        self.subscriptions.iter().position(|one| one.id == subscription)
    }
    fn find(&mut self, subscription: SubscriptionId) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|one| one.id == subscription)
    }

    fn put_in_line(&mut self, due: SimTime, work: Work) {
        self.waiting.insert((due, self.next), work);
        self.next += 1;
    }
    /// Does what is due.
    fn serve(&mut self, me: TopicId, cx: &mut Cx<'_, '_>) {
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= cx.now()
        {
            match first.remove() {
                Work::Message { at, delivery } => self.try_message(me, at, &delivery, cx),
                Work::Lane { at, group } => self.try_lane(me, at, group, cx),
                Work::Policy { at, policy } => {
                    self.subscriptions[at].set_policy(policy.as_deref(), &self.publishers);
                    self.state(at, || NotificationFact::PolicyChanged, cx);
                }
            }
        }
    }
    /// Sees to it that the timer fires at the next instant at which something is due.
    fn arm(&mut self, me: TopicId, cx: &mut Cx<'_, '_>) {
        let Some((&(next, _), _)) = self.waiting.first_key_value() else {
            return;
        };
        if self.armed.is_none_or(|armed| next < armed) {
            self.armed = Some(next);
            cx.wake(next, Phase::Act, world::Event::Topic(me, Event::Due));
        }
    }

    /// States a fact about a subscription, with what it has to deliver.
    fn state<'f>(&self, at: usize, fact: impl FnOnce() -> NotificationFact<'f>, cx: &mut Cx<'_, '_>) {
        let held = self.subscriptions[at].undelivered();
        cx.emit(|| Fact::Publishing {
            fact: Publishing::Subscription {
                subscription: held.subscription,
                undelivered: held.waiting + held.in_flight,
                fact: fact(),
            },
        });
    }

    fn memory(&self) -> u64 {
        let line = self.waiting.len() * size_of::<((SimTime, u64), Work)>();
        let fifo = self.fifo.as_ref();
        u64::try_from(line).unwrap_or(u64::MAX)
            + self.subscriptions.iter().map(Subscription::memory).sum::<u64>()
            + fifo.map_or(0, |fifo| fifo.known.memory() + fifo.throughput.memory())
    }
    fn draws(&self) -> u64 {
        let own = [self.faults.draws(), self.service_time.draws(), self.link.draws()];
        digest_of_draws(
            own.into_iter()
                .chain(self.subscriptions.iter().map(Subscription::draws)),
        )
    }
}
