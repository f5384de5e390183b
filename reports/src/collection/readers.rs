//! What mappings and applications did as readers.

use super::View;
use crate::account::{ApplicationAccount, MappingAccount, ReaderAccount};
use sim::directory::Component;
use sim::engine::time::SimDuration;
use sim::ids::ReaderId;
use sim::observe::counts::ReaderCounts;

/// What a reader has in hand of a shard, in records.
pub(super) struct InHand {
    pub(super) stored: u64,
    pub(super) unread: u64,
    pub(super) in_flight: u64,
}

impl View<'_> {
    pub(super) fn reader(&self, id: ReaderId, counts: &ReaderCounts) -> ReaderAccount {
        let entry = &self.directory.readers[id];
        ReaderAccount {
            name: self.directory.reader_label(id),
            stream: self.label(Component::Stream(entry.stream)),
            function: self.directory.processor_label(entry.processor),
            reads: counts.reads,
            reads_throttled: counts.throttled_by_calls + counts.throttled_by_bytes,
            records_read: counts.records_read,
            records_acknowledged: counts.acknowledged,
            batches_sent: counts.batches,
            batches_repeated: counts.batches_repeated,
            batches_failed: counts.batches_failed,
            records_expired: counts.expired_unread + counts.expired_in_retry,
            records_unfinished: self
                .in_hand(id)
                .iter()
                .map(|place| place.unread + place.in_flight)
                .sum(),
            behind_max: SimDuration::from_millis(counts.max_millis_behind),
            behind_max_at: counts.max_millis_behind_at,
            mapping: match entry.component {
                Component::Mapping(mapping) => Some(MappingAccount {
                    batches_bisected: counts.mapping.batches_bisected,
                    batches_failed_in_part: counts.mapping.batches_failed_in_part,
                    records_discarded: counts.discarded,
                    records_dead_lettered: counts.mapping.dead_lettered,
                    documents: counts.mapping.documents,
                    documents_undeliverable: counts.mapping.documents_undeliverable,
                    destination: self.directory.mappings[mapping].on_failure.clone(),
                    records_filtered_out: counts.mapping.filtered_out,
                }),
                _ => None,
            },
            application: matches!(entry.component, Component::Application(_)).then(|| self.application(id, counts)),
        }
    }

    /// What only an application did.
    fn application(&self, id: ReaderId, counts: &ReaderCounts) -> ApplicationAccount {
        let own = &counts.application;
        let table = self
            .observers
            .usage
            .as_ref()
            .map(|usage| usage.readers[id])
            .unwrap_or_default();
        ApplicationAccount {
            leases_new: own.leases_new,
            leases_failed_over: own.leases_failed_over,
            leases_moved: own.leases_moved,
            first_failover: own.first_failover_at,
            records_repeated: counts.acknowledged_again,
            batches_skipped: own.batches_skipped,
            records_skipped: own.records_skipped,
            batches_abandoned: own.batches_abandoned,
            iterators_throttled: own.iterators_throttled,
            iterators_expired: own.iterators_expired,
            lease_rows_read: table.lease_rows_read,
            lease_rows_written: table.lease_rows_written,
        }
    }

    /// What a reader had in hand of each shard when the ledgers were compared last.
    pub(super) fn in_hand(&self, id: ReaderId) -> Vec<InHand> {
        let places = self.holdings.readers.iter().filter(|place| place.reader == id);
        places
            .map(|place| {
                let next = self
                    .holdings
                    .log(place.stream, place.shard)
                    .map_or(place.cursor, |log| log.next_position);
                InHand {
                    stored: next.saturating_sub(place.start),
                    unread: next.saturating_sub(place.cursor),
                    in_flight: place.in_flight,
                }
            })
            .collect()
    }
}
