//! Queues and their workers.

use super::{Component, Counts, View};
use crate::account::{QueueAccount, QueueMappingAccount, WorkersAccount};
use sim::engine::time::{SimDuration, SimTime};
use sim::services::queue::QueueState;

impl View<'_> {
    pub(super) fn queues(&self, counts: &Counts) -> Vec<QueueAccount> {
        let queues = counts.queues.iter_enumerated();
        queues
            .map(|(id, one)| {
                let held = self.holdings.queues.iter().find(|held| held.queue == id);
                let QueueState {
                    available,
                    delayed,
                    in_flight,
                } = held.map_or_else(QueueState::default, |held| held.held);
                let latency = self.observers.latency.as_ref().and_then(|latency| latency.of_queue(id));
                let quantile = |per_million| latency.and_then(|place| place.end_to_end.quantile(per_million));
                QueueAccount {
                    name: self.label(Component::Queue(id)),
                    fifo: self.directory.queues[id].fifo,
                    sent: one.sent,
                    bytes_sent: one.bytes_sent,
                    deduplicated: one.deduplicated,
                    refused: one.entries_refused + one.sends_refused,
                    receives: one.receives,
                    empty_receives: one.empty_receives,
                    receives_refused: one.receives_refused,
                    received: one.received,
                    received_again: one.received_again,
                    deleted: one.deleted,
                    returned: one.returned,
                    expired: one.expired,
                    dead_lettered: one.dead_lettered,
                    moved_here: one.moved_here,
                    redriven: one.redriven,
                    redriven_here: one.redriven_here,
                    purged: one.purged,
                    operations_refused: one.operations_refused,
                    available_max: one.max_available,
                    in_flight_max: one.max_in_flight,
                    available,
                    in_flight,
                    delayed,
                    requests: one.requests,
                    latency_p50: quantile(500_000),
                    latency_p99: quantile(990_000),
                }
            })
            .collect()
    }

    pub(super) fn workers(&self, counts: &Counts) -> Vec<WorkersAccount> {
        let fleets = counts.fleets.iter_enumerated();
        fleets
            .map(|(id, one)| WorkersAccount {
                name: self.label(Component::Fleet(id)),
                queue: self.label(Component::Queue(self.directory.fleets[id].queue)),
                batches: one.batches,
                processed: one.processed,
                failed: one.failed,
                poison: one.poison,
                crashes: one.crashes,
                busy_max: one.max_busy,
            })
            .collect()
    }

    pub(super) fn queue_mappings(&self, counts: &Counts, now: SimTime) -> Vec<QueueMappingAccount> {
        let mappings = counts.queue_mappings.iter_enumerated();
        mappings
            .map(|(id, one)| {
                let entry = &self.directory.queue_mappings[id];
                let usage = self.observers.usage.as_ref();
                let nanos = usage.map_or(0, |usage| usage.queue_mappings[id].nanos(now));
                QueueMappingAccount {
                    name: self.label(Component::QueueMapping(id)),
                    queue: self.label(Component::Queue(entry.queue)),
                    function: self.label(Component::Function(entry.function)),
                    polled: one.polled,
                    filtered_out: one.filtered_out,
                    batches: one.batches,
                    processed: one.done,
                    failed: one.failed,
                    attempts_throttled: one.attempts_throttled,
                    let_go: one.let_go,
                    deleted: one.deleted,
                    deletes_refused: one.deletes_refused,
                    concurrent_max: one.max_concurrent,
                    limit_max: one.max_limit,
                    limit: one.limit,
                    provisioned_pollers_max: entry.provisioned.map(|_| one.max_pollers),
                    poller_hours: nanos as f64 / SimDuration::from_hours(1).as_nanos() as f64,
                }
            })
            .collect()
    }
}
