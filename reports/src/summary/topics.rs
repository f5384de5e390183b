//! What topics and their subscriptions did, in sentences.

use crate::account::{PathAccount, SubscriptionAccount, TopicAccount};
use crate::text::{count, counted, share};
use sim::engine::quantity::ByteCount;
use sim::engine::time::SimDuration;

/// The topic, and each of its subscriptions.
pub(super) fn topic_told(topic: &TopicAccount) -> Vec<String> {
    let mut told = vec![format!(
        "{} took {} ({}) in {} as a bill counts them.",
        topic.name,
        counted(topic.published, "message"),
        ByteCount(topic.bytes_published),
        counted(topic.requests, "request")
    )];
    for (messages, what) in [
        (topic.deduplicated, "known already and not delivered again"),
        (topic.throttled, "refused for throughput"),
        (topic.refused, "refused"),
    ] {
        if messages > 0 {
            told.push(format!("{} {what}.", counted(messages, "message")));
        }
    }
    let subscriptions = topic.subscriptions.iter().map(subscription_told);
    core::iter::once(told.join(" ")).chain(subscriptions).collect()
}

fn subscription_told(one: &SubscriptionAccount) -> String {
    let mut told = vec![format!(
        "{} delivered {} to {}.",
        one.name,
        counted(one.delivered, "message"),
        one.queue
    )];
    if let (Some(median), Some(high)) = (one.delivery_p50, one.delivery_p99) {
        told.push(format!("Half of them came within {median}, 99 % within {high}."));
    }
    if one.filtered_out > 0 {
        let all = one.filtered_out + one.copied;
        told.push(format!(
            "Its filter policy kept {} of {} out.",
            share(one.filtered_out, all),
            count(all)
        ));
    }
    if one.retried > 0 {
        told.push(format!(
            "{} of copies failed and were repeated, at most {} waited at one time.",
            counted(one.retried, "delivery attempt"),
            count(one.undelivered_max)
        ));
    }
    for (copies, what) in [
        (one.duplicated, "made twice"),
        (one.out_of_order, "came after a later one of their key"),
        (one.dead_lettered, "went to its dead-letter queue"),
        (one.lost, "lost"),
        (one.undelivered, "not delivered yet"),
    ] {
        if copies > 0 {
            told.push(format!("{} {what}.", count(copies)));
        }
    }
    told.join(" ")
}

/// Where the time of messages went on average.
pub(super) fn path_told(path: &PathAccount) -> String {
    let mean = |sum: u128| {
        let nanos = sum / u128::from(path.messages.max(1));
        SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    };
    let legs: Vec<String> = path
        .legs
        .iter()
        .filter(|(_, _, sum)| *sum > 0)
        .map(|(_, name, sum)| format!("{} {name}", mean(*sum)))
        .collect();
    format!(
        "A message of {} took {} from its creation to its delete on average: {}.",
        path.queue,
        mean(path.total_ns),
        legs.join(", ")
    )
}
