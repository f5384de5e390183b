//! The ledger of a queue: what came in is somewhere, or left in a way that has a name.

use super::{Component, Conservation, Ledger, SimTime, Term};
use crate::ids::{Destination, ProducerId};
use crate::observe::counts::QueueCounts;
use crate::observe::holdings::Holdings;
use crate::observe::queue_fact::Queueing;

impl Conservation {
    /// What a producer writes to.
    pub(super) fn target(&self, producer: ProducerId) -> Component {
        match self.directory.producers[producer].target {
            Destination::Stream(stream) => Component::Stream(stream),
            Destination::Queue(queue) => Component::Queue(queue),
            Destination::Topic(topic) => Component::Topic(topic),
        }
    }

    pub(super) fn queueing(&mut self, fact: &Queueing<'_>) {
        self.notified(fact);
        if let Queueing::Queue { queue, depth, ref fact } = *fact {
            self.queues[queue].note(depth, fact);
        }
        if let Queueing::Mapping { mapping, ref fact } = *fact {
            self.queue_mappings[mapping].note(fact);
        }
    }

    /// Sent + moved here + come back = available + delayed + in flight + deleted + expired + moved away + redriven + purged.
    pub(super) fn check_queues(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.queues {
            let QueueCounts {
                sent,
                moved_here,
                copies,
                deleted,
                expired,
                dead_lettered,
                redriven,
                purged,
                ..
            } = self.queues[held.queue];
            let state = held.held;
            let left = vec![
                Term::new("sent", sent),
                Term::new("moved here", moved_here),
                Term::new("come back, or there twice", copies),
            ];
            let right = vec![
                Term::new("available", state.available),
                Term::new("delayed", state.delayed),
                Term::new("in flight", state.in_flight),
                Term::new("deleted", deleted),
                Term::new("expired", expired),
                Term::new("moved to the dead-letter queue", dead_lettered),
                Term::new("moved by redrives", redriven),
                Term::new("purged", purged),
            ];
            let total = |terms: &[Term]| terms.iter().map(|term| term.value).sum::<i128>();
            if total(&left) != total(&right) {
                self.violate(now, Ledger::Queue, &[Component::Queue(held.queue)], left, right, None);
            }
        }
    }
}
