//! The ledgers of a mapping of a queue: what a poll brought is processed, comes back, or is in its hands.

use super::{Component, Conservation, Ledger, SimTime, Term};
use crate::directory::Directory;
use crate::engine::index::IndexVec;
use crate::ids::QueueMappingId;
use crate::observe::counts::QueueMappingCounts;
use crate::observe::holdings::Holdings;

/// What mappings have done before anything happens.
pub(super) fn none(directory: &Directory) -> IndexVec<QueueMappingId, QueueMappingCounts> {
    let mappings = directory.queue_mappings.iter();
    mappings.map(|_| QueueMappingCounts::default()).collect()
}

impl Conservation {
    /// Polled = filtered out + processed + failed + let go + held, and what is filtered out or processed is deleted.
    pub(super) fn check_queue_mappings(&mut self, holdings: &Holdings, now: SimTime) {
        for holding in &holdings.queue_mappings {
            let (counts, held) = (&self.queue_mappings[holding.mapping], holding.held);
            let polled = vec![Term::new("polled", counts.polled)];
            let settled = vec![
                Term::new("filtered out", counts.filtered_out),
                Term::new("processed", counts.done),
                Term::new("failed", counts.failed),
                Term::new("let go", counts.let_go),
                Term::new("held by pollers", held.held),
            ];
            let to_delete = vec![
                Term::new("filtered out", counts.filtered_out),
                Term::new("processed", counts.done),
            ];
            let deleted = vec![
                Term::new("deleted", counts.deleted),
                Term::new("deletes refused", counts.deletes_refused),
                Term::new("deletes under way", held.deleting),
            ];
            let total = |terms: &[Term]| terms.iter().map(|term| term.value).sum::<i128>();
            let about = [Component::QueueMapping(holding.mapping)];
            for (left, right) in [(polled, settled), (to_delete, deleted)] {
                if total(&left) != total(&right) {
                    self.violate(now, Ledger::QueueMapping, &about, left, right, None);
                }
            }
        }
    }
}
