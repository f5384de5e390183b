//! Topics, their subscriptions, and the way of messages through them as JSON.

use crate::account::{PathAccount, SubscriptionAccount, TopicAccount};
use serde_json::{Map, Value, json};
use sim::engine::time::SimDuration;

pub(super) fn topic(topic: &TopicAccount) -> Value {
    json!({
        "name": topic.name,
        "fifo": topic.fifo,
        "messages_published": topic.published,
        "bytes_published": topic.bytes_published,
        "messages_deduplicated": topic.deduplicated,
        "messages_throttled": topic.throttled,
        "messages_refused": topic.refused,
        "requests": topic.requests,
        "deliveries": topic.deliveries,
        "bytes_delivered": topic.bytes_delivered,
        "subscriptions": topic.subscriptions.iter().map(subscription).collect::<Vec<_>>(),
    })
}

fn subscription(subscription: &SubscriptionAccount) -> Value {
    json!({
        "name": subscription.name,
        "queue": subscription.queue,
        "copies_made": subscription.copied + subscription.duplicated,
        "copies_filtered_out": subscription.filtered_out,
        "copies_delivered": subscription.delivered,
        "copies_delivered_late": subscription.delivered_late,
        "copies_retried": subscription.retried,
        "copies_given_up": subscription.given_up,
        "copies_dead_lettered": subscription.dead_lettered,
        "copies_lost": subscription.lost,
        "copies_out_of_order": subscription.out_of_order,
        "undelivered_max": subscription.undelivered_max,
        "undelivered": subscription.undelivered,
        "delivery_p50_ns": subscription.delivery_p50.map(SimDuration::as_nanos),
        "delivery_p99_ns": subscription.delivery_p99.map(SimDuration::as_nanos),
    })
}

/// Sums over all messages. JSON numbers hold 64 bits: 580 years of waiting.
pub(super) fn path(path: &PathAccount) -> Value {
    let nanos = |nanos: u128| Value::from(u64::try_from(nanos).unwrap_or(u64::MAX));
    let legs: Map<String, Value> = path
        .legs
        .iter()
        .map(|(key, _, sum)| (format!("{key}_ns"), nanos(*sum)))
        .collect();
    json!({
        "queue": path.queue,
        "messages": path.messages,
        "total_ns": nanos(path.total_ns),
        "legs": legs,
    })
}
