//! Queues and their workers as JSON.

use crate::account::{QueueAccount, QueueMappingAccount, WorkersAccount};
use serde_json::{Value, json};
use sim::engine::time::SimDuration;

pub(super) fn queue(queue: &QueueAccount) -> Value {
    json!({
        "name": queue.name,
        "fifo": queue.fifo,
        "messages_sent": queue.sent,
        "bytes_sent": queue.bytes_sent,
        "messages_deduplicated": queue.deduplicated,
        "sends_refused": queue.refused,
        "receives": queue.receives,
        "empty_receives": queue.empty_receives,
        "receives_refused": queue.receives_refused,
        "messages_received": queue.received,
        "messages_received_again": queue.received_again,
        "messages_deleted": queue.deleted,
        "messages_returned": queue.returned,
        "messages_expired": queue.expired,
        "messages_dead_lettered": queue.dead_lettered,
        "messages_moved_here": queue.moved_here,
        "messages_redriven": queue.redriven,
        "messages_redriven_here": queue.redriven_here,
        "messages_purged": queue.purged,
        "operations_refused": queue.operations_refused,
        "available_max": queue.available_max,
        "in_flight_max": queue.in_flight_max,
        "available": queue.available,
        "in_flight": queue.in_flight,
        "delayed": queue.delayed,
        "requests": queue.requests,
        "latency_p50_ns": queue.latency_p50.map(SimDuration::as_nanos),
        "latency_p99_ns": queue.latency_p99.map(SimDuration::as_nanos),
    })
}

pub(super) fn workers(workers: &WorkersAccount) -> Value {
    json!({
        "name": workers.name,
        "queue": workers.queue,
        "batches": workers.batches,
        "messages_processed": workers.processed,
        "messages_failed": workers.failed,
        "messages_poison": workers.poison,
        "crashes": workers.crashes,
        "busy_max": workers.busy_max,
    })
}

pub(super) fn queue_mapping(mapping: &QueueMappingAccount) -> Value {
    json!({
        "name": mapping.name,
        "queue": mapping.queue,
        "function": mapping.function,
        "messages_polled": mapping.polled,
        "messages_filtered_out": mapping.filtered_out,
        "batches": mapping.batches,
        "messages_processed": mapping.processed,
        "messages_failed": mapping.failed,
        "attempts_throttled": mapping.attempts_throttled,
        "messages_let_go": mapping.let_go,
        "messages_deleted": mapping.deleted,
        "deletes_refused": mapping.deletes_refused,
        "concurrent_max": mapping.concurrent_max,
        "limit_max": mapping.limit_max,
        "limit": mapping.limit,
        "provisioned_pollers_max": mapping.provisioned_pollers_max,
        "poller_hours": mapping.poller_hours,
    })
}
