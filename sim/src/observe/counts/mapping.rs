//! What event source mappings do about failures, in sums.

use super::{Counts, len};
use crate::batch::InvocationOutcome;
use crate::observe::fact::{Fact, MappingChange, Remains};

/// Totals of an event source mapping beside those of every reader.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MappingCounts {
    /// It was created during the run.
    pub began_late: bool,
    /// Batches of which the function reported some records as failed.
    pub batches_failed_in_part: u64,
    /// Records of failed batches, or reported as failed, each time counted.
    pub records_failed: u64,
    /// Records read again for a failed batch (LAM-K-20).
    pub records_read_again: u64,
    /// Batches cut in two after an error.
    pub batches_bisected: u64,
    /// Records that were given up and stand in a document at the on-failure destination.
    pub dead_lettered: u64,
    /// Documents that the on-failure destination got.
    pub documents: u64,
    /// Bytes of records that came with them (LAM-X-23).
    pub document_payload_bytes: u64,
    /// Documents that could not be delivered (LAM-X-29).
    pub documents_undeliverable: u64,
    /// Tumbling windows that are over (LAM-W-06).
    pub windows_closed: u64,
    /// Of these, those whose state had outgrown its limit (LAM-W-04).
    pub windows_terminated_early: u64,
    /// Of these, those whose final invocation was given up (LAM-W-07).
    pub windows_abandoned: u64,
    /// Records that the filters let pass by.
    pub filtered_out: u64,
}

impl MappingCounts {
    pub(super) fn note(&mut self, change: MappingChange) {
        match change {
            MappingChange::ReadingBegan { .. } => self.began_late = true,
            MappingChange::WindowClosed { early, abandoned, .. } => {
                self.windows_closed += 1;
                self.windows_terminated_early += u64::from(early);
                self.windows_abandoned += u64::from(abandoned);
            }
            MappingChange::DocumentWritten(document) if document.delivered => {
                self.documents += 1;
                self.document_payload_bytes += document.payload_bytes;
            }
            MappingChange::DocumentWritten(_) => self.documents_undeliverable += 1,
        }
    }
}

impl Counts {
    /// What a reader did with records that it could not process, or did not want.
    pub(super) fn failure(&mut self, fact: &Fact<'_>) {
        if let Fact::RecordsDiscarded {
            reader,
            remains,
            records,
            ..
        } = *fact
        {
            let counts = &mut self.readers[reader];
            match remains {
                Remains::DeadLettered => counts.mapping.dead_lettered += len(records),
                Remains::Dropped | Remains::Undeliverable => counts.discarded += len(records),
            }
        }
        if let Fact::RecordsFilteredOut { reader, records, .. } = *fact {
            self.readers[reader].mapping.filtered_out += len(records);
        }
        if let Fact::BatchFailed {
            reader,
            outcome,
            bisected,
            records,
            ..
        } = *fact
        {
            let counts = &mut self.readers[reader];
            counts.batches_failed += 1;
            counts.mapping.records_failed += u64::from(records);
            counts.mapping.batches_failed_in_part += u64::from(outcome == InvocationOutcome::Succeeded);
            counts.mapping.batches_bisected += u64::from(bisected);
        }
    }
}
