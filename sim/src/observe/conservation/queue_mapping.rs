//! The ledgers of a mapping of a queue: what a poll brought is processed, comes back, or is in its hands.

use super::{Component, Conservation, Ledger, SimTime, Term};
use crate::observe::holdings::Holdings;

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
