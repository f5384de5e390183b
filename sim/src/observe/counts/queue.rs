//! Totals of queues and of their workers.

use super::Counts;
use crate::engine::index::to_u32;
use crate::observe::queue_fact::{Depth, FleetFact, QueueChange, QueueFact, Queueing};
use crate::record::{Outcome, Record};

/// A payload is billed in chunks of this size (SQS-G-03).
const CHUNK: u64 = 64 * 1_024;

/// Totals of a queue, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueCounts {
    /// Stored by sends; moves from other queues excluded (SQS-C-15).
    pub sent: u64,
    /// Bytes of these.
    pub bytes_sent: u64,
    /// Answered as success and not stored (SQS-U-21).
    pub deduplicated: u64,
    /// Entries refused one by one.
    pub entries_refused: u64,
    /// Sends refused whole.
    pub sends_refused: u64,
    /// Receives answered.
    pub receives: u64,
    /// Of these, those that returned nothing (SQS-C-18).
    pub empty_receives: u64,
    /// Receives refused.
    pub receives_refused: u64,
    /// Returned by receives, each time counted (SQS-C-16).
    pub received: u64,
    /// Of these, those that had been received before.
    pub received_again: u64,
    /// Calls of DeleteMessage and DeleteMessageBatch answered.
    pub delete_calls: u64,
    /// Left the queue by a delete.
    pub deleted: u64,
    /// Deletes with a valid handle (SQS-C-17).
    pub delete_entries: u64,
    /// Deletes refused.
    pub deletes_refused: u64,
    /// Will come back although they were deleted (SQS-O-04), or are there twice (SQS-Z-03).
    pub copies: u64,
    /// Calls of ChangeMessageVisibility and its batch answered.
    pub visibility_calls: u64,
    /// Changes of visibility that were refused.
    pub changes_refused: u64,
    /// Other calls refused whole.
    pub calls_refused: u64,
    /// Became available when their delay was over.
    pub delays_over: u64,
    /// Came back when their visibility timeout was over.
    pub returned: u64,
    /// Lost by retention.
    pub expired: u64,
    /// Moved to the dead-letter queue.
    pub dead_lettered: u64,
    /// Came from queues whose dead-letter queue this is.
    pub moved_here: u64,
    /// Moved away by redrives.
    pub redriven: u64,
    /// Came from redrives; among those sent (SQS-C-15).
    pub redriven_here: u64,
    /// Operations of the control plane refused.
    pub operations_refused: u64,
    /// Purged.
    pub purged: u64,
    /// Requests as a bill counts them: each call, and each further 64 KB of payload (SQS-G-01 to SQS-G-06).
    pub requests: u64,
    /// Most messages available at one time.
    pub max_available: u64,
    /// Most messages in flight at one time.
    pub max_in_flight: u64,
}

/// Requests that a call with this payload is billed as (SQS-G-03).
const fn chunks(bytes: u64) -> u64 {
    let chunks = bytes.div_ceil(CHUNK);
    if chunks == 0 { 1 } else { chunks }
}

impl QueueCounts {
    pub(in crate::observe) fn note(&mut self, depth: Depth, fact: &QueueFact<'_>) {
        self.max_available = self.max_available.max(depth.available);
        self.max_in_flight = self.max_in_flight.max(depth.in_flight);
        match *fact {
            QueueFact::Sent {
                records,
                deduplicated,
                bytes,
                ..
            } => {
                let stored = |record: &&Record| record.outcome() == Outcome::Accepted;
                let accepted = u64::from(to_u32(records.iter().filter(stored).count()));
                self.sent += accepted - u64::from(deduplicated);
                self.bytes_sent += records
                    .iter()
                    .filter(stored)
                    .map(|record| u64::from(record.bytes))
                    .sum::<u64>();
                self.deduplicated += u64::from(deduplicated);
                self.entries_refused += u64::from(to_u32(records.len())) - accepted;
                self.requests += chunks(bytes);
            }
            QueueFact::SendRefused { .. } => {
                self.sends_refused += 1;
                self.requests += 1;
            }
            QueueFact::Received {
                records,
                again,
                bytes,
                copies,
                ..
            } => {
                self.copies += u64::from(copies);
                self.receives += 1;
                self.empty_receives += u64::from(records.is_empty());
                self.received += u64::from(to_u32(records.len()));
                self.received_again += u64::from(again);
                self.requests += chunks(bytes);
            }
            QueueFact::ReceiveRefused { .. } => {
                self.receives_refused += 1;
                self.requests += 1;
            }
            QueueFact::Deleted {
                records,
                entries,
                refused,
                copies,
                ..
            } => {
                self.delete_calls += 1;
                self.deleted += u64::from(to_u32(records.len()));
                self.delete_entries += u64::from(entries);
                self.deletes_refused += u64::from(refused);
                self.copies += u64::from(copies);
                self.requests += 1;
            }
            QueueFact::VisibilityChanged { refused, .. } => {
                self.visibility_calls += 1;
                self.changes_refused += u64::from(refused);
                self.requests += 1;
            }
            QueueFact::CallRefused { .. } => {
                self.calls_refused += 1;
                self.requests += 1;
            }
            QueueFact::BecameAvailable { delayed, returned } => {
                self.delays_over += u64::from(delayed);
                self.returned += u64::from(returned);
            }
            QueueFact::Expired { messages, .. } => self.expired += u64::from(messages),
            QueueFact::DeadLettered { records, .. } => self.dead_lettered += u64::from(to_u32(records.len())),
            QueueFact::MovedHere { messages, .. } => self.moved_here += u64::from(messages),
            // A redrive receives, deletes and sends with batches, which are requests like others (SQS-M-18, SQS-G-19).
            QueueFact::Redriven { records, bytes, .. } => {
                self.redriven += u64::from(to_u32(records.len()));
                self.requests += chunks(bytes) + 1;
            }
            QueueFact::RedrivenHere { messages, bytes, .. } => {
                self.sent += u64::from(messages);
                self.redriven_here += u64::from(messages);
                self.bytes_sent += bytes;
                self.requests += chunks(bytes);
            }
            QueueFact::Changed { change } => {
                self.operations_refused += u64::from(matches!(change, QueueChange::Refused { .. }));
            }
            QueueFact::Purged { messages } => self.purged += messages,
        }
    }
    /// Messages that came into the queue in whatever way, and those that left it.
    pub const fn balance(&self) -> (u64, u64) {
        (
            self.sent + self.moved_here + self.copies,
            self.deleted + self.expired + self.dead_lettered + self.redriven + self.purged,
        )
    }
}

/// Totals of workers, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct FleetCounts {
    /// Batches begun.
    pub batches: u64,
    /// Processed well, each time counted.
    pub processed: u64,
    /// The handler failed with them, each time counted.
    pub failed: u64,
    /// Of these, those that no attempt succeeds with.
    pub poison: u64,
    /// Workers that died in the middle of a batch.
    pub crashes: u64,
    /// In the hands of these.
    pub abandoned: u64,
    /// Most workers busy at one time.
    pub max_busy: u32,
}

impl FleetCounts {
    pub(super) fn note(&mut self, fact: FleetFact) {
        match fact {
            FleetFact::Began { busy, .. } => {
                self.batches += 1;
                self.max_busy = self.max_busy.max(busy);
            }
            FleetFact::Ended {
                succeeded,
                failed,
                poison,
                ..
            } => {
                self.processed += u64::from(succeeded);
                self.failed += u64::from(failed);
                self.poison += u64::from(poison);
            }
            FleetFact::Crashed { messages, .. } => {
                self.crashes += 1;
                self.abandoned += u64::from(messages);
            }
        }
    }
}

impl Counts {
    pub(super) fn queueing(&mut self, fact: &Queueing<'_>) {
        match *fact {
            Queueing::Queue { queue, depth, ref fact } => self.queues[queue].note(depth, fact),
            Queueing::Mapping { mapping, ref fact } => self.queue_mappings[mapping].note(fact),
            Queueing::Fleet { fleet, fact } => self.fleets[fleet].note(fact),
        }
    }
}
