//! Someone who invokes a function directly: a service or a client behind an API, with an event for each request.
//!
//! It sends requests as they arise and does not wait for one before it sends the next. With RequestResponse it gets the
//! outcome, and an error is its own to handle: neither Lambda nor this caller repeats the request (LAM-Z-22). With Event
//! it learns that Lambda has the event.

#[cfg(test)]
mod tests;

use crate::batch::{BatchId, DirectAnswer, DirectCall, Envelope};
use crate::blueprint::{InvocationType, InvokerBlueprint, ModelParameters};
use crate::context::{Cx, Fault};
use crate::engine::phase::Phase;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimTime;
use crate::ids::{FunctionId, InvokerId};
use crate::observe::fact::{Fact, InvokerStep};
use crate::services::network::Link;
use crate::services::producer::arrivals::Instants;
use crate::services::{ServiceBuildError, lambda};
use crate::world;

/// What happens to an invoker.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A request arises.
    Send,
    /// An answer came in.
    Answered {
        /// The response.
        batch: BatchId,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Send => 0,
            Self::Answered { .. } => 1,
        }
    }
}

/// A direct caller of a function.
#[derive(Clone, Debug)]
pub struct Invoker {
    function: FunctionId,
    invocation_type: InvocationType,
    bytes: u32,
    instants: Instants,
    link: Link,
    in_flight: u64,
}

impl Invoker {
    /// An invoker of a function. Makes the streams of its arrivals and the stream network.
    pub fn new(
        blueprint: &InvokerBlueprint,
        function: FunctionId,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("invoker.{}", blueprint.name);
        let instants =
            Instants::new(&component, &blueprint.arrivals, streams).map_err(|error| ServiceBuildError::Invalid {
                component: component.clone(),
                reason: error.to_string(),
            })?;
        Ok(Self {
            function,
            invocation_type: blueprint.invocation_type,
            bytes: blueprint.payload,
            instants,
            link: Link::new(&component, model, streams)?,
            in_flight: 0,
        })
    }

    /// Schedules the first request.
    pub fn start(&mut self, me: InvokerId, cx: &mut Cx<'_, '_>) {
        self.await_next(me, cx);
    }

    /// Reacts to an event.
    #[inline]
    pub fn handle(&mut self, me: InvokerId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Send => self.send(me, cx),
            Event::Answered { batch } => self.answered(me, batch, cx),
        }
    }

    /// Requests without an answer so far.
    pub const fn in_flight(&self) -> u64 {
        self.in_flight
    }
    /// Draws on all streams so far, for the fingerprint.
    pub fn draws(&self) -> [u64; 2] {
        [self.instants.draws(), self.link.draws()]
    }

    fn send(&mut self, me: InvokerId, cx: &mut Cx<'_, '_>) {
        let mut batch = cx.fresh();
        batch.envelope = Envelope::InvokeDirect(DirectCall {
            invoker: me,
            function: self.function,
            invocation_type: self.invocation_type,
            bytes: self.bytes,
            sent_at: cx.now(),
            answer: None,
        });
        self.in_flight += 1;
        cx.emit(|| Fact::InvokerActed {
            invoker: me,
            step: InvokerStep::Sent,
        });
        let (delay, function) = (self.link.delay(), self.function);
        cx.send(batch, delay, |batch| {
            world::Event::Function(function, lambda::Event::Invoke { batch })
        });
        self.await_next(me, cx);
    }

    fn answered(&mut self, me: InvokerId, batch: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(batch) else { return };
        let Envelope::InvokeDirect(DirectCall {
            answer: Some(answer),
            sent_at,
            ..
        }) = batch.envelope
        else {
            let what = format!("an invoker received {:?} instead of an answer", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        cx.recycle(batch);
        self.in_flight -= 1;
        let took = cx.now() - sent_at;
        let step = InvokerStep::Answered { answer, took };
        cx.emit(|| Fact::InvokerActed { invoker: me, step });
    }

    fn await_next(&mut self, me: InvokerId, cx: &mut Cx<'_, '_>) {
        if let Some(at) = self.instants.next_instant() {
            let at: SimTime = at.max(cx.now());
            cx.wake(at, Phase::Act, world::Event::Invoker(me, Event::Send));
        }
    }
}

/// Whether the answer says that the request did what was asked.
pub const fn is_success(answer: DirectAnswer) -> bool {
    use crate::batch::InvocationOutcome::Succeeded;
    matches!(answer, DirectAnswer::Queued | DirectAnswer::Ended(Succeeded))
}
