//! The topics of a world and their subscriptions, and what producers write to.

use super::{Directory, ProducerEntry, UnknownReference, find, maybe, sorted};
use crate::blueprint::Blueprint;
use crate::engine::index::IndexVec;
use crate::engine::time::SimTime;
use crate::ids::{Destination, ProducerId, QueueId, SubscriptionId, TopicId};

/// A topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicEntry {
    /// Its name in the scenario.
    pub name: String,
    /// It is a FIFO topic.
    pub fifo: bool,
}

/// A subscription of a topic.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionEntry {
    /// Its name in the scenario.
    pub name: String,
    /// Its topic.
    pub topic: TopicId,
    /// Its queue.
    pub queue: QueueId,
    /// Its dead-letter queue.
    pub dead_letter_queue: Option<QueueId>,
    /// Since when it exists.
    pub created_at: SimTime,
}

type Topics = (
    IndexVec<TopicId, TopicEntry>,
    IndexVec<SubscriptionId, SubscriptionEntry>,
);

/// The topics and their subscriptions.
pub(super) fn topics(blueprint: &Blueprint, queue_names: &[&str]) -> Result<Topics, UnknownReference> {
    let topics = sorted(blueprint.topics.iter(), |topic| &topic.name);
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let subscriptions = sorted(blueprint.subscriptions.iter(), |subscription| &subscription.name)
        .into_iter()
        .map(|one| {
            Ok(SubscriptionEntry {
                name: one.name.clone(),
                topic: find(&names, &one.topic, &one.name)?,
                queue: find(queue_names, &one.queue, &one.name)?,
                dead_letter_queue: maybe(queue_names, one.dead_letter_queue.as_ref(), &one.name)?,
                created_at: one.created_at,
            })
        })
        .collect::<Result<_, _>>()?;
    let topics = topics.iter().map(|topic| TopicEntry {
        name: topic.name.clone(),
        fifo: topic.fifo.is_some(),
    });
    Ok((topics.collect(), subscriptions))
}

/// The producers, in order of id, with what they write to.
pub(super) fn producers(
    blueprint: &Blueprint,
    stream_names: &[&str],
    queue_names: &[&str],
    topics: &IndexVec<TopicId, TopicEntry>,
) -> Result<IndexVec<ProducerId, ProducerEntry>, UnknownReference> {
    let topic_names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    sorted(blueprint.producers.iter(), |producer| &producer.name)
        .into_iter()
        .map(|producer| {
            Ok(ProducerEntry {
                name: producer.name.clone(),
                target: if producer.api.is_for_queues() {
                    Destination::Queue(find(queue_names, &producer.target, &producer.name)?)
                } else if producer.api.is_for_topics() {
                    Destination::Topic(find(&topic_names, &producer.target, &producer.name)?)
                } else {
                    Destination::Stream(find(stream_names, &producer.target, &producer.name)?)
                },
                api: producer.api,
                library: producer.library.is_some(),
            })
        })
        .collect()
}

impl Directory {
    /// The topic with this name.
    pub fn topic(&self, name: &str) -> Option<TopicId> {
        let mut all = self.topics.iter_enumerated();
        all.find(|(_, entry)| entry.name == name).map(|(id, _)| id)
    }
    /// The subscription with this name.
    pub fn subscription(&self, name: &str) -> Option<SubscriptionId> {
        let mut all = self.subscriptions.iter_enumerated();
        all.find(|(_, entry)| entry.name == name).map(|(id, _)| id)
    }
    /// The subscriptions of a topic.
    pub fn subscriptions_of(&self, topic: TopicId) -> impl Iterator<Item = (SubscriptionId, &SubscriptionEntry)> {
        self.subscriptions
            .iter_enumerated()
            .filter(move |(_, entry)| entry.topic == topic)
    }
}
