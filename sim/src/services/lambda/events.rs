//! What happens to asynchronous events: accepted, tried, repeated, reported.

use super::asynchronous::{Next, QueuedEvent};
use super::destination::Destination;
use super::function::Source;
use super::{Event, Lambda};
use crate::batch::{Batch, DirectAnswer, DirectCall, InvocationOutcome};
use crate::context::Cx;
use crate::engine::phase::Phase;
use crate::engine::time::SimTime;
use crate::ids::FunctionId;
use crate::observe::fact::{AsynchronousStep, Caller, Delivery, DropReason, Fact};
use crate::world;

impl Lambda {
    /// Accepts an event and answers at once (LAM-A-01). Now and then it is there twice (LAM-A-08).
    pub(super) fn accept(&mut self, function: FunctionId, batch: Box<Batch>, call: DirectCall, cx: &mut Cx<'_, '_>) {
        let state = &mut self.functions[function];
        state.answer(batch, call, DirectAnswer::Queued, cx);
        let event = QueuedEvent {
            accepted_at: cx.now(),
            bytes: call.bytes,
            errors: 0,
            throttles: 0,
        };
        let twice = match &mut state.duplicates {
            Some((rate, stream)) => stream.chance(*rate),
            None => false,
        };
        let step = AsynchronousStep::Received {
            invoker: call.invoker,
            bytes: call.bytes,
        };
        cx.emit(|| Fact::AsynchronousEvent { function, step });
        self.attempt(function, event, cx);
        if twice {
            let step = AsynchronousStep::Duplicated;
            cx.emit(|| Fact::AsynchronousEvent { function, step });
            self.attempt(function, event, cx);
        }
    }

    /// Tries the events that are due.
    pub(super) fn queue_due(&mut self, function: FunctionId, cx: &mut Cx<'_, '_>) {
        while let Some(event) = self.functions[function].queue.waiting.pop_due(cx.now()) {
            self.attempt(function, event, cx);
        }
        let timer = self.functions[function].queue.waiting.fired(cx.now());
        arm(function, timer, cx);
    }

    /// The invocation of an event has ended.
    pub(super) fn event_ended(
        &mut self,
        function: FunctionId,
        mut event: QueuedEvent,
        outcome: InvocationOutcome,
        cx: &mut Cx<'_, '_>,
    ) {
        let queue = &mut self.functions[function].queue;
        queue.running -= 1;
        if outcome == InvocationOutcome::Succeeded {
            let destination = deliver(queue.on_success.as_mut(), &event);
            let step = AsynchronousStep::Succeeded { destination };
            return cx.emit(|| Fact::AsynchronousEvent { function, step });
        }
        match queue.after_error(&mut event, cx.now()) {
            Next::GiveUp => self.give_up(function, event, DropReason::RetriesExhausted, cx),
            Next::Wait(until) => {
                let step = AsynchronousStep::WaitsAfterError { until };
                cx.emit(|| Fact::AsynchronousEvent { function, step });
                self.wait(function, event, until, cx);
            }
        }
    }

    /// Hands an event to the function, if it may run.
    fn attempt(&mut self, function: FunctionId, mut event: QueuedEvent, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let state = &mut self.functions[function];
        if self.admission.reserved(function) == Some(0) {
            return self.give_up(function, event, DropReason::ConcurrencyZero, cx);
        }
        if state.queue.is_too_old(&event, now) {
            return self.give_up(function, event, DropReason::AgeExceeded, cx);
        }
        match self.admission.admit(function, false, &mut state.environments, now) {
            Ok(occupied) => {
                state.queue.running += 1;
                let age = now.since(event.accepted_at);
                let step = AsynchronousStep::Attempted { age };
                cx.emit(|| Fact::AsynchronousEvent { function, step });
                let batch = cx.fresh();
                state.start(function, batch, Source::Queue(event), occupied, &self.admission, cx);
            }
            Err(reason) => {
                let until = state.queue.after_throttle(&mut event, now);
                self.throttled(function, Caller::Queue, 0, reason, cx);
                let step = AsynchronousStep::WaitsAfterThrottle { until };
                cx.emit(|| Fact::AsynchronousEvent { function, step });
                self.wait(function, event, until, cx);
            }
        }
    }

    fn wait(&mut self, function: FunctionId, event: QueuedEvent, until: SimTime, cx: &mut Cx<'_, '_>) {
        let timer = self.functions[function].queue.waiting.add(until, event);
        arm(function, timer, cx);
    }

    /// Gives an event up, and reports it to whoever is to know (LAM-D-01, LAM-D-03).
    fn give_up(&mut self, function: FunctionId, event: QueuedEvent, reason: DropReason, cx: &mut Cx<'_, '_>) {
        let queue = &mut self.functions[function].queue;
        let step = AsynchronousStep::Dropped {
            reason,
            dead_letter: deliver(queue.dead_letter.as_mut(), &event),
            destination: deliver(queue.on_failure.as_mut(), &event),
        };
        cx.emit(|| Fact::AsynchronousEvent { function, step });
    }
}

fn deliver(to: Option<&mut Destination>, event: &QueuedEvent) -> Delivery {
    match to.map(|destination| destination.deliver(event.bytes)) {
        None => Delivery::None,
        Some(true) => Delivery::Delivered,
        Some(false) => Delivery::Failed,
    }
}

fn arm(function: FunctionId, timer: Option<SimTime>, cx: &mut Cx<'_, '_>) {
    if let Some(at) = timer {
        cx.wake(at, Phase::Act, world::Event::Function(function, Event::QueueDue));
    }
}
