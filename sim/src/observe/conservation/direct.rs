//! The ledgers of direct callers and of the queues of asynchronous events.

use super::{Component, Conservation, Holdings, Ledger, SimTime, Term};
use crate::ids::FunctionId;
use crate::observe::fact::{AsynchronousStep, Fact, InvokerStep};

/// What a direct caller sent, and what it learned of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Requests {
    sent: u64,
    answered: u64,
}

/// What became of the asynchronous events of a function.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Events {
    received: u64,
    duplicated: u64,
    succeeded: u64,
    dropped: u64,
}

impl Conservation {
    /// Facts about requests and events that stand for no record.
    pub(super) fn direct(&mut self, fact: &Fact<'_>) {
        if let Fact::InvokerActed { invoker, step } = *fact {
            let requests = &mut self.invokers[invoker];
            match step {
                InvokerStep::Sent => requests.sent += 1,
                InvokerStep::Answered { .. } => requests.answered += 1,
            }
        }
        if let Fact::AsynchronousEvent { function, step } = *fact {
            let events = &mut self.events[function];
            match step {
                AsynchronousStep::Received { .. } => events.received += 1,
                AsynchronousStep::Duplicated => events.duplicated += 1,
                AsynchronousStep::Succeeded { .. } => events.succeeded += 1,
                AsynchronousStep::Dropped { .. } => events.dropped += 1,
                AsynchronousStep::Attempted { .. }
                | AsynchronousStep::WaitsAfterThrottle { .. }
                | AsynchronousStep::WaitsAfterError { .. } => {}
            }
        }
    }

    /// Every request is answered or on its way, and every event is settled, waiting or running. What an invoker of type
    /// Event knows to be queued, its function has received.
    pub(super) fn check_direct(&mut self, holdings: &Holdings, now: SimTime) {
        for held in &holdings.invokers {
            let Requests { sent, answered } = self.invokers[held.invoker];
            if sent != answered + held.in_flight {
                self.violate(
                    now,
                    Ledger::Invoker,
                    &[Component::Invoker(held.invoker)],
                    vec![Term::new("sent", sent)],
                    vec![Term::new("answered", answered), Term::new("in flight", held.in_flight)],
                    None,
                );
            }
        }
        for held in &holdings.events {
            let events = self.events[held.function];
            let settled = events.succeeded + events.dropped;
            if events.received + events.duplicated != settled + held.waiting + held.running {
                self.broken_queue(now, held.function, events, (held.waiting, held.running));
            }
        }
    }

    fn broken_queue(&mut self, now: SimTime, function: FunctionId, events: Events, (waiting, running): (u64, u64)) {
        self.violate(
            now,
            Ledger::EventQueue,
            &[Component::Function(function)],
            vec![
                Term::new("received", events.received),
                Term::new("duplicated", events.duplicated),
            ],
            vec![
                Term::new("succeeded", events.succeeded),
                Term::new("dropped", events.dropped),
                Term::new("waiting", waiting),
                Term::new("running", running),
            ],
            None,
        );
    }
}
