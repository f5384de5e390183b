//! Messages of queues: a mapping brings them to its function, and loses them where the queue does.

use super::witnesses::place_name;
use super::{Anomaly, Ordering, Witness};
use crate::engine::index::{Idx, to_u32};
use crate::ids::ProcessorId;
use crate::observe::fact::{QueueFact, Queueing};

impl Ordering {
    /// Messages that a mapping may bring, and those that it no longer can.
    pub(super) fn messages(&mut self, fact: &Queueing<'_>) {
        let Queueing::Queue { queue, ref fact, .. } = *fact else {
            return;
        };
        if self.directory.queue_mappings.is_empty() {
            return;
        }
        let mut gone = 0;
        match *fact {
            QueueFact::Sent {
                records, deduplicated, ..
            } => {
                let stored = records.iter().filter(|record| record.is_accepted());
                let again = self
                    .accepted
                    .insert_all(stored.map(|record| (record.key, record.ordinal)));
                // What a FIFO queue recognises it does not store.
                self.stored_again += again.saturating_sub(u64::from(deduplicated));
            }
            QueueFact::Expired { messages, .. } => gone = u64::from(messages),
            QueueFact::DeadLettered { records, .. } | QueueFact::Redriven { records, .. } => {
                gone = u64::from(to_u32(records.len()));
            }
            QueueFact::Purged { messages } => gone = messages,
            QueueFact::SendRefused { .. }
            | QueueFact::Received { .. }
            | QueueFact::ReceiveRefused { .. }
            | QueueFact::Deleted { .. }
            | QueueFact::VisibilityChanged { .. }
            | QueueFact::CallRefused { .. }
            | QueueFact::BecameAvailable { .. }
            | QueueFact::RedrivenHere { .. }
            | QueueFact::Changed { .. }
            | QueueFact::MovedHere { .. } => {}
        }
        if gone > 0 {
            let mappings = self.directory.queue_mappings.iter();
            let functions: Vec<ProcessorId> = mappings
                .filter(|mapping| mapping.queue == queue)
                .map(|mapping| mapping.function.into())
                .collect();
            for function in functions {
                self.messages_lost(function, gone);
            }
        }
    }
    fn messages_lost(&mut self, processor: ProcessorId, count: u64) {
        let Some(observed) = self.places.get_mut(processor.index()) else {
            return;
        };
        observed.lost += count;
        observed.witnesses[Anomaly::Lost.index()].get_or_insert_with(|| {
            Box::new(Witness {
                anomaly: Anomaly::Lost,
                place: place_name(&self.directory, processor),
                key: String::new(),
                record: None,
                other: None,
                cause: None,
                cases: 0,
            })
        });
    }
}
