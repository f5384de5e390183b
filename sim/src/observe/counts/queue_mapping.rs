//! Totals of event source mappings of queues.

use crate::batch::InvocationOutcome;
use crate::engine::index::to_u32;
use crate::observe::queue_mapping_fact::QueueMappingFact;
use crate::record::Record;

/// Totals of a mapping of a queue, in messages unless a name says otherwise; a message that comes back counts again.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct QueueMappingCounts {
    /// Brought by polls.
    pub polled: u64,
    /// Deleted since no filter wanted them (LAM-S-30).
    pub filtered_out: u64,
    /// Batches that went to the function, further attempts excluded.
    pub batches: u64,
    /// Batches that could hold no further message since the payload was full.
    pub batches_payload_full: u64,
    /// Sent to the function, each attempt counted (LAM-M-21).
    pub invoked: u64,
    /// Processed.
    pub done: u64,
    /// Not processed, or reported as failed: they come back (LAM-S-21).
    pub failed: u64,
    /// Batches that failed whole.
    pub batches_failed: u64,
    /// Batches of which the function reported a part as failed.
    pub batches_failed_in_part: u64,
    /// Attempts that were refused for concurrency.
    pub attempts_throttled: u64,
    /// Let go after throttles, or when it was switched off: they come back (LAM-Q-03).
    pub let_go: u64,
    /// Deleted (LAM-M-21).
    pub deleted: u64,
    /// Deletes that the queue refused, the visibility timeout being over.
    pub deletes_refused: u64,
    /// Calls that the queue refused.
    pub calls_refused: u64,
    /// Most batches with the function at one time.
    pub max_concurrent: u32,
    /// How many there may be, and the most that there might ever be.
    pub limit: u32,
    /// The greatest limit.
    pub max_limit: u32,
    /// The least limit.
    pub min_limit: Option<u32>,
    /// Most pollers at work; of a provisioned mapping in its own units.
    pub max_pollers: u32,
}

fn len(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}

impl QueueMappingCounts {
    pub(in crate::observe) fn note(&mut self, fact: &QueueMappingFact<'_>) {
        match *fact {
            QueueMappingFact::Polled { records } => self.polled += len(records),
            QueueMappingFact::FilteredOut { records } => self.filtered_out += len(records),
            QueueMappingFact::Dispatched {
                records,
                attempts_before,
                payload_full,
                concurrent,
                ..
            } => {
                self.invoked += len(records);
                self.batches += u64::from(attempts_before == 0);
                self.batches_payload_full += u64::from(payload_full && attempts_before == 0);
                self.max_concurrent = self.max_concurrent.max(concurrent);
            }
            QueueMappingFact::Failed {
                outcome,
                records,
                batch,
            } => {
                self.failed += len(records);
                let in_part = outcome == InvocationOutcome::Succeeded && to_u32(records.len()) < batch;
                self.batches_failed_in_part += u64::from(in_part);
                self.batches_failed += u64::from(!in_part);
            }
            QueueMappingFact::Throttled { .. } => self.attempts_throttled += 1,
            QueueMappingFact::LetGo { records } => self.let_go += len(records),
            QueueMappingFact::Done { records } => self.done += len(records),
            QueueMappingFact::Deleted { entries, refused } => {
                self.deleted += u64::from(entries);
                self.deletes_refused += u64::from(refused);
            }
            QueueMappingFact::CallRefused => self.calls_refused += 1,
            QueueMappingFact::Weighed { limit, pollers, .. } => {
                self.limit = limit;
                self.max_limit = self.max_limit.max(limit);
                self.min_limit = Some(self.min_limit.map_or(limit, |least| least.min(limit)));
                self.max_pollers = self.max_pollers.max(pollers);
            }
            QueueMappingFact::Switched { .. } => {}
        }
    }
    /// Messages that left its hands, in whatever way.
    pub const fn settled(&self) -> u64 {
        self.filtered_out + self.done + self.failed + self.let_go
    }
}
