//! What topics and their subscriptions are set to.

use crate::text::count;
use sim::blueprint::{
    Blueprint, DEFAULT_MESSAGE_SIZE, FilterScope, SubscriptionBlueprint, ThroughputScope, TopicBlueprint,
};

/// Names and settings of the topics.
pub(super) fn topics(blueprint: &Blueprint) -> Vec<(&String, String)> {
    let topics = blueprint.topics.iter();
    topics.map(|one| (&one.name, topic(one))).collect()
}
/// Names and settings of the subscriptions.
pub(super) fn subscriptions(blueprint: &Blueprint) -> Vec<(&String, String)> {
    let subscriptions = blueprint.subscriptions.iter();
    subscriptions.map(|one| (&one.name, subscription(one))).collect()
}

fn topic(topic: &TopicBlueprint) -> String {
    let mut settings = vec![match topic.fifo {
        None => "standard".to_owned(),
        Some(ThroughputScope::Topic) => "FIFO".to_owned(),
        Some(ThroughputScope::MessageGroup) => "FIFO with a throughput for each message group".to_owned(),
    }];
    if topic.maximum_message_size != DEFAULT_MESSAGE_SIZE {
        let most = count(u64::from(topic.maximum_message_size));
        settings.push(format!("messages of up to {most} bytes"));
    }
    settings.join(", ")
}

fn subscription(one: &SubscriptionBlueprint) -> String {
    let mut settings = vec![format!("topic.{} to queue.{}", one.topic, one.queue)];
    settings.push(if one.raw { "raw" } else { "in an envelope" }.to_owned());
    if let Some(policy) = &one.filter {
        let names: Vec<&str> = policy.names.iter().map(|(name, _)| name.as_str()).collect();
        let place = match policy.scope {
            FilterScope::MessageAttributes => "attributes",
            FilterScope::MessageBody => "body fields",
        };
        settings.push(format!("filtered by the {place} {}", names.join(", ")));
    }
    if let Some(queue) = &one.dead_letter_queue {
        settings.push(format!("dead letters to queue.{queue}"));
    }
    settings.join(", ")
}
