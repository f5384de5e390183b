//! What queues and their workers did, in sentences.

use super::sentences::times;
use crate::account::{QueueAccount, QueueMappingAccount, WorkersAccount};
use crate::text::{count, counted, share};
use sim::engine::quantity::ByteCount;

pub(super) fn queue_told(queue: &QueueAccount) -> String {
    let mut told = vec![format!(
        "{} took {} ({}) and held up to {} waiting and {} in flight.",
        queue.name,
        counted(queue.sent, "message"),
        ByteCount(queue.bytes_sent),
        count(queue.available_max),
        count(queue.in_flight_max)
    )];
    if queue.moved_here > 0 {
        told.push(format!(
            "{} came from other queues.",
            counted(queue.moved_here, "message")
        ));
    }
    if queue.deduplicated > 0 {
        told.push(format!(
            "{} known already and not stored.",
            counted(queue.deduplicated, "message")
        ));
    }
    if queue.refused > 0 {
        told.push(format!("It refused {}.", counted(queue.refused, "send")));
    }
    if queue.receives > 0 {
        told.push(format!(
            "It answered {}, {} of them with nothing, and handed out {}.",
            counted(queue.receives, "receive"),
            share(queue.empty_receives, queue.receives),
            counted(queue.received, "message")
        ));
    }
    if queue.receives_refused > 0 {
        told.push(format!("It refused {}.", counted(queue.receives_refused, "receive")));
    }
    if queue.received_again > 0 {
        told.push(format!(
            "Messages were handed out again {}; {} for their visibility timeout.",
            times(queue.received_again),
            counted(queue.returned, "return")
        ));
    }
    if queue.dead_lettered > 0 {
        told.push(format!(
            "{} went to the dead-letter queue.",
            counted(queue.dead_lettered, "message")
        ));
    }
    told.extend(control_told(queue));
    if queue.expired > 0 {
        told.push(format!("{} lost by retention.", counted(queue.expired, "message")));
    }
    if let (Some(median), Some(high)) = (queue.latency_p50, queue.latency_p99) {
        told.push(format!(
            "From creation to the delete took {median} (median) and {high} (p99)."
        ));
    }
    told.push(format!(
        "{} deleted; at the end {} waited, {} were in flight and {} delayed. A bill counts {}.",
        count(queue.deleted),
        count(queue.available),
        count(queue.in_flight),
        count(queue.delayed),
        counted(queue.requests, "request")
    ));
    told.join(" ")
}

/// What its control plane did.
fn control_told(queue: &QueueAccount) -> Vec<String> {
    let mut told = Vec::new();
    if queue.redriven > 0 {
        told.push(format!(
            "A redrive took {} out of it.",
            counted(queue.redriven, "message")
        ));
    }
    if queue.redriven_here > 0 {
        told.push(format!(
            "{} of those sent came from a redrive.",
            count(queue.redriven_here)
        ));
    }
    if queue.purged > 0 {
        told.push(format!("{} purged.", counted(queue.purged, "message")));
    }
    if queue.operations_refused > 0 {
        told.push(format!(
            "It refused {}.",
            counted(queue.operations_refused, "operation")
        ));
    }
    told
}

pub(super) fn workers_told(workers: &WorkersAccount) -> String {
    let mut told = vec![format!(
        "{} processed {} from {} in {}, with up to {} workers busy at once.",
        workers.name,
        counted(workers.processed, "message"),
        workers.queue,
        counted(workers.batches, "receive"),
        count(u64::from(workers.busy_max))
    )];
    if workers.failed > 0 {
        told.push(format!(
            "Their code failed {}, of which {} with poison.",
            times(workers.failed),
            count(workers.poison)
        ));
    }
    if workers.crashes > 0 {
        told.push(format!(
            "{} died in the middle of a batch.",
            counted(workers.crashes, "worker")
        ));
    }
    told.join(" ")
}

pub(super) fn queue_mapping_told(mapping: &QueueMappingAccount) -> String {
    let mut told = vec![format!(
        "{} brought {} from {} to {} in {}, with up to {} at once of the {} that it allowed itself.",
        mapping.name,
        counted(mapping.polled, "message"),
        mapping.queue,
        mapping.function,
        counted(mapping.batches, "batch"),
        count(u64::from(mapping.concurrent_max)),
        count(u64::from(mapping.limit_max))
    )];
    if mapping.filtered_out > 0 {
        told.push(format!(
            "{} were deleted since no filter wanted them.",
            count(mapping.filtered_out)
        ));
    }
    if mapping.failed > 0 {
        told.push(format!(
            "{} failed or were reported as failed, and came back.",
            count(mapping.failed)
        ));
    }
    if mapping.attempts_throttled > 0 {
        told.push(format!(
            "{} of batches were refused for concurrency, and {} given back for it.",
            counted(mapping.attempts_throttled, "attempt"),
            counted(mapping.let_go, "message")
        ));
    }
    if mapping.deletes_refused > 0 {
        told.push(format!(
            "{} came too late: the visibility timeout was over.",
            counted(mapping.deletes_refused, "delete")
        ));
    }
    if let Some(pollers) = mapping.provisioned_pollers_max {
        told.push(format!(
            "Up to {} provisioned pollers are billed as {:.2} event poller unit hours.",
            count(u64::from(pollers)),
            mapping.poller_hours
        ));
    }
    told.join(" ")
}
