//! What queues and their workers are set to.

use super::distribution::{percent, spelled_time};
use crate::text::{count, counted};
use sim::blueprint::{
    DeduplicationScope, FifoThroughputLimit, FleetBlueprint, QueueBlueprint, QueueMappingBlueprint, RedrivePolicy,
};
use sim::command::{QueueAttribute, QueueOperation};
use sim::engine::time::SimTime;

pub(super) fn queue(queue: &QueueBlueprint) -> String {
    let mut settings = vec![match queue.fifo {
        None => "standard".to_owned(),
        Some(fifo) if fifo.has_high_throughput() => "FIFO with high throughput".to_owned(),
        Some(_) => "FIFO".to_owned(),
    }];
    settings.push(format!("visibility timeout {}", queue.visibility_timeout));
    settings.push(format!("retention {}", queue.retention));
    if !queue.delay.is_zero() {
        settings.push(format!("delay {}", queue.delay));
    }
    if let Some(policy) = &queue.redrive {
        settings.push(redrive(policy));
    }
    settings.join(", ")
}

/// What is asked of a queue, as a clause.
pub(super) fn operation(operation: &QueueOperation) -> String {
    match operation {
        QueueOperation::SetAttributes(attributes) => {
            let changes: Vec<String> = attributes.iter().map(attribute).collect();
            format!("is set to {}", changes.join(", "))
        }
        QueueOperation::Purge => "is purged".to_owned(),
        QueueOperation::StartMove { destination, rate } => {
            let to = destination.as_ref().map_or_else(
                || "back to where they came from".to_owned(),
                |name| format!("to queue.{name}"),
            );
            let rate = rate.map_or_else(String::new, |rate| format!(", {rate} a second"));
            format!("begins to move its messages {to}{rate}")
        }
        QueueOperation::CancelMove => "stops moving its messages".to_owned(),
    }
}
fn attribute(attribute: &QueueAttribute) -> String {
    match attribute {
        QueueAttribute::VisibilityTimeout(timeout) => format!("visibility timeout {timeout}"),
        QueueAttribute::MessageRetentionPeriod(retention) => format!("retention {retention}"),
        QueueAttribute::DelaySeconds(delay) => format!("delay {delay}"),
        QueueAttribute::ReceiveMessageWaitTimeSeconds(wait) => format!("receive wait {wait}"),
        QueueAttribute::MaximumMessageSize(bytes) => format!("messages of at most {} bytes", count(u64::from(*bytes))),
        QueueAttribute::RedrivePolicy(None) => "no dead-letter queue".to_owned(),
        QueueAttribute::RedrivePolicy(Some(policy)) => redrive(policy),
        QueueAttribute::DeduplicationScope(DeduplicationScope::Queue) => "deduplication in the queue".to_owned(),
        QueueAttribute::DeduplicationScope(DeduplicationScope::MessageGroup) => "deduplication by group".to_owned(),
        QueueAttribute::FifoThroughputLimit(FifoThroughputLimit::PerQueue) => "a quota of the queue".to_owned(),
        QueueAttribute::FifoThroughputLimit(FifoThroughputLimit::PerMessageGroupId) => {
            "a quota of each group".to_owned()
        }
    }
}
fn redrive(policy: &RedrivePolicy) -> String {
    format!(
        "to queue.{} after {}",
        policy.dead_letter_queue,
        counted(u64::from(policy.max_receive_count), "receive")
    )
}

pub(super) fn workers(fleet: &FleetBlueprint) -> String {
    let mut settings = vec![format!(
        "{} of queue.{}, up to {} messages in a receive, {} for each",
        count(u64::from(fleet.workers)),
        fleet.queue,
        fleet.max_messages,
        spelled_time(&fleet.per_message)
    )];
    if let Some(wait) = fleet.wait_time {
        settings.push(format!("WaitTimeSeconds {}", wait.as_secs()));
    }
    if let Some(every) = fleet.heartbeat {
        settings.push(format!("heartbeat every {every}"));
    }
    for (rate, what) in [
        (fleet.failure_rate, "fail"),
        (fleet.poison_rate, "are poison"),
        (fleet.crash_rate, "kill their worker"),
    ] {
        if !rate.is_zero() {
            settings.push(format!("{} % {what}", percent(rate.as_f64())));
        }
    }
    settings.join(", ")
}

pub(super) fn queue_mapping(mapping: &QueueMappingBlueprint) -> String {
    let mut settings = vec![format!("BatchSize {}", count(u64::from(mapping.batch_size)))];
    if !mapping.maximum_batching_window.is_zero() {
        settings.push(format!("batching window {}", mapping.maximum_batching_window));
    }
    if let Some(most) = mapping.maximum_concurrency {
        settings.push(format!("MaximumConcurrency {}", count(u64::from(most))));
    }
    if let Some(pollers) = mapping.provisioned {
        settings.push(format!(
            "{} to {} provisioned pollers",
            pollers.minimum,
            count(u64::from(pollers.maximum))
        ));
    }
    if mapping.report_batch_item_failures {
        settings.push("ReportBatchItemFailures".to_owned());
    }
    if mapping.created_at > SimTime::ZERO {
        settings.push(format!("created at {}", mapping.created_at));
    }
    if !mapping.enabled {
        settings.push("not enabled at first".to_owned());
    }
    if let Some(filters) = &mapping.filters {
        settings.push(format!("{} of messages", counted(filters.len() as u64, "filter")));
    }
    format!(
        "queue.{} to function.{}: {}",
        mapping.queue,
        mapping.function,
        settings.join(", ")
    )
}
