//! The life of registered consumers: since when they may subscribe to a stream's shards, and until when (KDS-EFO-05).
//!
//! A consumer that is declared is ACTIVE when the run starts, unless an intervention is to register it. The library
//! registers one for an application that is pushed to, when its first record processor begins (KDS-EFO-19); if its
//! consumer is deregistered, it registers it anew. (The library itself would take the shard to be at its end there.)

use super::control::Due;
use super::operation::{CapacityMode, ConsumerStatus, Refusal};
use super::{Stream, broken, quotas};
use crate::batch::ServiceError;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::phase::Phase;
use crate::engine::time::SimDuration;
use crate::ids::{ApplicationId, ReaderId, StreamId};
use crate::observe::fact::{Fact, StreamChange};
use crate::services::application;
use crate::world;

/// How far a consumer is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Registration {
    /// `None`: it is not registered.
    pub(super) status: Option<ConsumerStatus>,
    /// How often that has changed by a call: what was due before is due no more.
    number: u32,
}

impl Registration {
    /// At the start of a run.
    pub(super) fn new(registered: bool) -> Self {
        Self {
            status: registered.then_some(ConsumerStatus::Active),
            number: 0,
        }
    }
    /// Why it cannot read; `None`: it can (KDS-EFO-05).
    pub(super) const fn refusal(self) -> Option<ServiceError> {
        match self.status {
            Some(ConsumerStatus::Active) => None,
            Some(ConsumerStatus::Creating | ConsumerStatus::Deleting) => Some(ServiceError::ResourceInUse),
            None => Some(ServiceError::ResourceNotFound),
        }
    }
}

/// How long consumers are in the states that pass.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spans {
    pub(super) creation: SimDuration,
    pub(super) deletion: SimDuration,
}

impl Stream {
    /// `RegisterStreamConsumer` by somebody outside.
    pub fn register_consumer(&mut self, me: StreamId, name: &str, cx: &mut Cx<'_, '_>) {
        match self.subscriptions.named(name) {
            Some(number) => self.register(me, number, cx),
            None => broken(cx, "a registration of a consumer that it does not know"),
        }
    }

    /// `DeregisterStreamConsumer` by somebody outside: what it has subscribed to ends at once.
    pub fn deregister_consumer(&mut self, me: StreamId, name: &str, cx: &mut Cx<'_, '_>) {
        let Some(number) = self.subscriptions.named(name) else {
            return broken(cx, "the end of a consumer that it does not know");
        };
        let before = self.registration(number).status;
        if !matches!(before, Some(ConsumerStatus::Creating | ConsumerStatus::Active)) {
            return refuse(me, number, Refusal::ResourceNotFound, cx);
        }
        if before == Some(ConsumerStatus::Creating) {
            *cx.consumers_in_creating -= 1;
        }
        let spans = self.subscriptions.spans;
        self.turn(me, number, ConsumerStatus::Deleting, spans.deletion, cx);
        for shard in 0..to_u32(self.shards.len()) {
            if self.subscriptions.has_feed(number, shard) {
                self.end_subscription(me, number, shard, Some(ServiceError::ResourceNotFound), cx);
            }
        }
    }

    /// An application looks for the consumer of its name, and registers it if there is none (KDS-EFO-19).
    pub(super) fn consumer_wanted(
        &mut self,
        me: StreamId,
        reader: ReaderId,
        application: ApplicationId,
        cx: &mut Cx<'_, '_>,
    ) {
        let Some(number) = self.subscriptions.number_of(reader) else {
            return broken(cx, "a call of an application that is no registered consumer");
        };
        if self.registration(number).status.is_none() {
            self.register(me, number, cx);
        }
        let is_active = self.registration(number).status == Some(ConsumerStatus::Active);
        let at = cx.now() + self.subscriptions.delay(number).max(SimDuration::MIN);
        let event = application::Event::ConsumerFound { is_active };
        cx.wake(at, Phase::Arrive, world::Event::Application(application, event));
    }

    fn register(&mut self, me: StreamId, number: u16, cx: &mut Cx<'_, '_>) {
        if self.registration(number).status.is_some() {
            return refuse(me, number, Refusal::ResourceInUse, cx);
        }
        let advantage = self.control.mode == CapacityMode::OnDemand && self.control.account.advantage;
        let full = self.subscriptions.registered() >= quotas::registered_consumers(advantage);
        if full || *cx.consumers_in_creating >= quotas::CREATING_CONSUMERS {
            return refuse(me, number, Refusal::LimitExceeded, cx);
        }
        *cx.consumers_in_creating += 1;
        let spans = self.subscriptions.spans;
        self.turn(me, number, ConsumerStatus::Creating, spans.creation, cx);
    }

    /// The consumer comes to a state that passes.
    fn turn(&mut self, me: StreamId, consumer: u16, to: ConsumerStatus, lasts: SimDuration, cx: &mut Cx<'_, '_>) {
        let registration = self.registration(consumer);
        registration.number += 1;
        registration.status = Some(to);
        let registration = registration.number;
        let at = cx.now() + lasts.max(SimDuration::MIN);
        let due = Due::ConsumerChange { consumer, registration };
        state(me, consumer, Some(to), cx);
        self.later(me, at, due, cx);
    }

    /// A state that passes is over.
    pub(super) fn consumer_change(&mut self, me: StreamId, consumer: u16, number: u32, cx: &mut Cx<'_, '_>) {
        let registration = self.registration(consumer);
        if registration.number != number {
            return;
        }
        let creating = registration.status == Some(ConsumerStatus::Creating);
        registration.status = creating.then_some(ConsumerStatus::Active);
        let status = registration.status;
        if creating {
            *cx.consumers_in_creating -= 1;
        }
        state(me, consumer, status, cx);
    }

    fn registration(&mut self, consumer: u16) -> &mut Registration {
        self.subscriptions.registration(consumer)
    }
}

fn state(me: StreamId, consumer: u16, status: Option<ConsumerStatus>, cx: &mut Cx<'_, '_>) {
    let word = status.map_or(3, |status| match status {
        ConsumerStatus::Creating => 0,
        ConsumerStatus::Active => 1,
        ConsumerStatus::Deleting => 2,
    });
    cx.mix(u64::from(consumer) << 8 | word);
    let change = StreamChange::ConsumerChanged { consumer, status };
    cx.emit(|| Fact::StreamChanged { stream: me, change });
}

fn refuse(me: StreamId, consumer: u16, refusal: Refusal, cx: &mut Cx<'_, '_>) {
    cx.mix(u64::from(consumer) << 8 | 4);
    let change = StreamChange::ConsumerRefused { consumer, refusal };
    cx.emit(|| Fact::StreamChanged { stream: me, change });
}
