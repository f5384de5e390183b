//! An SQS queue, standard or FIFO.
//!
//! A message is a place of 64 bytes and never an event: calls are events, and one timer for the whole queue serves
//! delays, visibility timeouts, retention and the ends of long polls. A call takes effect when it comes in; its answer
//! leaves after the service time, and there the visibility timeout begins (SQS-V-02).

mod change;
mod deadlines;
mod fairness;
mod fifo;
mod message;
mod notification;
pub mod quotas;
mod receive;
mod redrive;
mod send;
mod standard;
#[cfg(test)]
mod tests;

use crate::batch::{Batch, BatchId, Envelope, QueueAction, QueueCall, ServiceError};
use crate::blueprint::{ModelParameters, QueueBlueprint};
use crate::context::{Cx, Fault};
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, QueueConsumer, QueueId};
use crate::observe::fact::Fact;
use crate::observe::queue_fact::{Depth, QueueFact, Queueing};
use crate::profile::Profile;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::services::{ServiceBuildError, digest_of_draws, fleet, queue_mapping};
use crate::world;
use deadlines::Deadlines;
use fairness::Tenants;
use fifo::Groups;
use message::{LOOKED_AT, Messages, State};
use quotas::Throughput;
use standard::Servers;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What happens to a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A SendMessage or SendMessageBatch came in.
    SendReceived {
        /// The request.
        batch: BatchId,
    },
    /// A receive, a delete or a change of visibility came in.
    CallReceived {
        /// The request.
        batch: BatchId,
    },
    /// Messages come from a queue whose dead-letter queue this is.
    MovedHere {
        /// The messages.
        batch: BatchId,
    },
    /// Something is due.
    Due,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::SendReceived { .. } => 0,
            Self::CallReceived { .. } => 1,
            Self::MovedHere { .. } => 2,
            Self::Due => 3,
        }
    }
}

/// What order a queue keeps.
#[derive(Clone, Debug)]
enum Order {
    Standard(Box<Servers>),
    Fifo(Box<Groups>),
}

/// What a queue is made from beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct QueueSetting<'s> {
    /// Which quotas hold.
    pub profile: Profile,
    /// The model's choices.
    pub model: &'s ModelParameters,
    /// Its dead-letter queue.
    pub dead_letter_queue: Option<QueueId>,
    /// By key: its text's group, which stands for the MessageGroupId.
    pub groups: &'s Arc<[u32]>,
    /// Whose messages carry their key as MessageGroupId, of a standard queue (SQS-Q-02).
    pub grouped: &'s [ProducerId],
    /// An event source mapping polls it.
    pub mapped: bool,
}

/// A queue.
#[derive(Clone, Debug)]
pub struct Queue {
    messages: Messages,
    order: Order,
    /// Ends of delays and visibility timeouts. Out of date unless the message is hidden until then.
    hidden: Deadlines,
    /// Long polls, in the order in which they came in, and the same by the end of their wait.
    polls: BTreeMap<u64, (BatchId, SimTime)>,
    poll_ends: BTreeSet<(SimTime, u64)>,
    next_poll: u64,
    /// The instant for which the timer is armed.
    armed: Option<SimTime>,
    depth: Depth,
    visibility_timeout: SimDuration,
    retention: SimDuration,
    queue_delay: SimDuration,
    receive_wait: SimDuration,
    maximum_message_size: u32,
    maximum_batch_size: u64,
    in_flight_limit: u64,
    max_receive_count: Option<u16>,
    dead_letter_queue: Option<QueueId>,
    throughput: Option<Throughput>,
    duplicate_rate: Ratio,
    outdated_delete_rate: Ratio,
    lost_acknowledgement_rate: Ratio,
    internal_failure_rate: Ratio,
    request_timeout: SimDuration,
    faults: Random,
    service_time: RandomSpan,
    /// The same of the answer to a poller of Lambda that waits (SQS-Z-25).
    poll_time: Option<RandomSpan>,
    link: Link,
    last_purge: Option<SimTime>,
    /// Until then it fails whatever is asked of it.
    unavailable_until: SimTime,
    profile: Profile,
    grouped: Vec<ProducerId>,
}

/// What a queue holds, for the conservation check.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct QueueState {
    /// Messages available.
    pub available: u64,
    /// Messages delayed.
    pub delayed: u64,
    /// Messages in flight.
    pub in_flight: u64,
}

impl Queue {
    /// An empty queue. Makes the random streams placement, order-jitter, faults, service and network.
    pub fn new(
        blueprint: &QueueBlueprint,
        setting: QueueSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("queue.{}", blueprint.name);
        let (profile, model) = (setting.profile, &setting.model.queue);
        let order = if blueprint.fifo.is_some() {
            let look_ahead = quotas::fifo_look_ahead(profile);
            Order::Fifo(Box::new(Groups::new(look_ahead, Arc::clone(setting.groups))))
        } else {
            let placement = streams.stream(&format!("{component}/placement"))?;
            let jitter = RandomSpan::new(&component, "order-jitter", &model.order_jitter, streams)?;
            let fair = (!setting.grouped.is_empty()).then(|| Box::new(Tenants::new(Arc::clone(setting.groups))));
            let servers = Servers::new((model.servers, model.short_poll_servers), placement, jitter, fair);
            Order::Standard(Box::new(servers))
        };
        Ok(Self {
            messages: Messages::new(if blueprint.fifo.is_some() {
                u16::MAX
            } else {
                quotas::AGE_METRIC_RECEIVES
            }),
            in_flight_limit: quotas::in_flight_limit(profile, blueprint.fifo.is_some()),
            throughput: blueprint
                .fifo
                .map(|fifo| Throughput::new(profile, fifo.high_throughput)),
            order,
            hidden: Deadlines::default(),
            polls: BTreeMap::new(),
            poll_ends: BTreeSet::new(),
            next_poll: 0,
            armed: None,
            depth: Depth::default(),
            visibility_timeout: blueprint.visibility_timeout,
            retention: blueprint.retention,
            queue_delay: blueprint.delay,
            receive_wait: blueprint.receive_wait,
            maximum_message_size: blueprint.maximum_message_size,
            maximum_batch_size: quotas::maximum_batch_size(profile),
            max_receive_count: blueprint.redrive.as_ref().map(|policy| policy.max_receive_count),
            dead_letter_queue: setting.dead_letter_queue,
            duplicate_rate: model.duplicate_rate,
            outdated_delete_rate: model.outdated_delete_rate,
            lost_acknowledgement_rate: setting.model.lost_acknowledgement_rate,
            internal_failure_rate: setting.model.internal_failure_rate,
            request_timeout: setting.model.request_timeout,
            faults: streams.stream(&format!("{component}/faults"))?,
            service_time: RandomSpan::new(&component, "service", &model.service_time, streams)?,
            poll_time: receive::poll_time(&component, blueprint, setting, streams)?,
            link: Link::new(&component, setting.model, streams)?,
            last_purge: None,
            unavailable_until: SimTime::ZERO,
            profile,
            grouped: setting.grouped.to_vec(),
        })
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: QueueId, event: Event, cx: &mut Cx<'_, '_>) {
        if self.messages.is_full() {
            let what = "four thousand million messages came after one that a queue still holds".to_owned();
            return cx.fail(Fault::Broken(what));
        }
        self.become_available(me, cx);
        self.expire(me, cx);
        match event {
            Event::SendReceived { batch } => self.send(me, batch, cx),
            Event::CallReceived { batch } => self.call(me, batch, cx),
            Event::MovedHere { batch } => self.moved_here(me, batch, cx),
            Event::Due => {
                if self.armed.is_some_and(|armed| armed <= cx.now()) {
                    self.armed = None;
                }
            }
        }
        self.serve_polls(me, cx);
        self.end_polls(me, cx);
        self.arm(me, cx);
    }

    /// Messages by state.
    pub const fn state(&self) -> QueueState {
        QueueState {
            available: self.depth.available,
            delayed: self.depth.delayed,
            in_flight: self.depth.in_flight,
        }
    }
    /// Bytes of memory that messages take.
    pub fn memory(&self) -> u64 {
        let order = match &self.order {
            Order::Standard(servers) => servers.memory(),
            Order::Fifo(groups) => groups.memory(),
        };
        self.messages.memory() + order + self.hidden.memory()
    }
    /// Draws on all streams so far, as one word for the fingerprint.
    pub fn draws(&self) -> u64 {
        let order = match &self.order {
            Order::Standard(servers) => servers.draws(),
            Order::Fifo(_) => 0,
        };
        let polls = self.poll_time.iter().map(RandomSpan::draws);
        digest_of_draws(
            [order, self.faults.draws(), self.service_time.draws(), self.link.draws()]
                .into_iter()
                .chain(polls),
        )
    }

    fn call(&mut self, me: QueueId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Queue(call) = batch.envelope else {
            let what = format!("a queue received {:?}", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let now = cx.now();
        let refused = if now < self.unavailable_until {
            Some(ServiceError::InternalFailure)
        } else {
            let throughput = self.throughput.as_mut();
            let throttled = throughput.is_some_and(|throughput| !throughput.admits(call.action, now));
            throttled.then_some(ServiceError::RequestThrottled)
        };
        if let Some(error) = refused {
            self.state_fact(me, cx, || match call.action {
                QueueAction::Receive { .. } => QueueFact::ReceiveRefused {
                    consumer: call.consumer,
                    error,
                },
                QueueAction::Delete | QueueAction::ChangeVisibility { .. } => QueueFact::CallRefused {
                    consumer: call.consumer,
                    error,
                },
            });
            return self.answer(
                batch,
                QueueCall {
                    error: Some(error),
                    ..call
                },
                cx,
            );
        }
        match call.action {
            QueueAction::Receive { .. } => self.receive(me, batch, call, cx),
            QueueAction::Delete => self.delete(me, batch, call, cx),
            QueueAction::ChangeVisibility { timeout } => self.change_visibility(me, batch, call, timeout, cx),
        }
    }

    /// Sends a batch back as the answer to its call, after a service time.
    fn answer(&mut self, batch: Box<Batch>, call: QueueCall, cx: &mut Cx<'_, '_>) {
        let service = self.service_time.draw();
        self.answer_after(batch, call, service, cx);
    }
    fn answer_after(&mut self, mut batch: Box<Batch>, call: QueueCall, service: SimDuration, cx: &mut Cx<'_, '_>) {
        batch.envelope = Envelope::Queue(call);
        let delay = service + self.link.delay();
        cx.send(batch, delay, |batch| match call.consumer {
            QueueConsumer::Fleet(fleet) => world::Event::Fleet(fleet, fleet::Event::Answered { batch }),
            QueueConsumer::Mapping(mapping) => {
                world::Event::QueueMapping(mapping, queue_mapping::Event::Answered { batch })
            }
        });
    }

    /// States a fact about this queue together with its depth.
    fn state_fact<'f>(&self, me: QueueId, cx: &mut Cx<'_, '_>, fact: impl FnOnce() -> QueueFact<'f>) {
        cx.emit(|| Fact::Queueing {
            fact: Queueing::Queue {
                queue: me,
                depth: self.depth_now(),
                fact: fact(),
            },
        });
    }
    fn depth_now(&self) -> Depth {
        Depth {
            groups_in_flight: match &self.order {
                Order::Fifo(groups) => groups.in_flight(),
                Order::Standard(_) => 0,
            },
            oldest: self.messages.ages_since(),
            quiet: match &self.order {
                Order::Fifo(_) => None,
                Order::Standard(servers) => servers.quiet(
                    &self.messages,
                    (self.depth.available, self.depth.in_flight, self.depth.delayed),
                ),
            },
            ..self.depth
        }
    }

    /// Hides a message that is not available until an instant, delayed or in flight.
    fn hide(&mut self, position: u64, until: SimTime, state: State) {
        let message = self.messages.get_mut(position);
        message.state = state;
        message.at = until;
        let live = self.depth.in_flight + self.depth.delayed;
        let messages = &self.messages;
        self.hidden.push(until, position, live, |at, position| {
            is_hidden_until(messages, position, at)
        });
    }
    /// A message that is available is no longer.
    fn withdraw(&mut self, position: u64) {
        self.depth.available -= 1;
        if let Order::Standard(servers) = &mut self.order {
            servers.remove(position, &mut self.messages);
        }
    }
    /// A hidden message becomes visible: one that was in flight comes back.
    fn show(&mut self, position: u64, now: SimTime) {
        let was = self.messages.get(position).state;
        match &mut self.order {
            Order::Standard(servers) if was == State::Delayed => servers.place(position, &mut self.messages, now),
            Order::Standard(servers) => servers.put_back(position, &mut self.messages, now),
            Order::Fifo(groups) => {
                let message = self.messages.get_mut(position);
                message.state = State::Available;
                message.at = now;
                let key = message.key;
                if was == State::InFlight {
                    groups.count_in_flight(key, false);
                }
                groups.refresh(key, &self.messages);
            }
        }
        self.depth.available += 1;
        if was == State::Delayed {
            self.delay(position, false);
        } else {
            self.landed(position, now);
        }
    }
    /// A message leaves the queue.
    fn leave(&mut self, position: u64, now: SimTime) {
        let message = *self.messages.get(position);
        match message.state {
            State::Available => self.withdraw(position),
            State::Taken => self.depth.available -= 1,
            State::Delayed => self.delay(position, false),
            State::InFlight => self.landed(position, now),
            State::Gone => return,
        }
        if let Order::Fifo(groups) = &mut self.order {
            if message.state == State::InFlight {
                groups.count_in_flight(message.key, false);
            }
            groups.unlink(position, &mut self.messages);
        }
        self.messages.remove(position);
        if let Order::Fifo(groups) = &mut self.order {
            groups.look_further(message.has(LOOKED_AT), &mut self.messages);
            groups.refresh(message.key, &self.messages);
        }
    }

    /// What was hidden until now becomes visible (SQS-L-01, SQS-L-08).
    fn become_available(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let (mut delayed, mut returned) = (0, 0);
        while let Some((at, position)) = self.first_hidden()
            && at <= now
        {
            self.hidden.pop();
            if self.messages.get(position).state == State::Delayed {
                delayed += 1;
            } else {
                returned += 1;
            }
            self.show(position, at);
        }
        if delayed + returned > 0 {
            self.state_fact(me, cx, || QueueFact::BecameAvailable { delayed, returned });
        }
    }
    fn first_hidden(&mut self) -> Option<(SimTime, u64)> {
        let messages = &self.messages;
        self.hidden
            .first(|at, position| is_hidden_until(messages, position, at))
    }
    /// What has been kept for longer than the retention is gone, in whatever state it is (SQS-L-12).
    fn expire(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let (mut messages, mut in_flight) = (0, 0);
        while let Some((position, sent_at)) = self.messages.oldest()
            && sent_at.saturating_add(self.retention) <= cx.now()
        {
            messages += 1;
            in_flight += u32::from(self.messages.get(position).state == State::InFlight);
            self.leave(position, cx.now());
        }
        if messages > 0 {
            self.state_fact(me, cx, || QueueFact::Expired { messages, in_flight });
        }
    }

    /// Sees to it that the timer fires at the next instant at which something is due.
    fn arm(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let hidden = self.first_hidden().map(|(at, _)| at);
        let poll = self.poll_ends.first().map(|(at, _)| *at);
        let oldest = self.messages.oldest();
        let expiry = oldest.map(|(_, sent_at)| sent_at.saturating_add(self.retention));
        let Some(next) = [hidden, poll, expiry].into_iter().flatten().min() else {
            return;
        };
        if self.armed.is_none_or(|armed| next < armed) {
            self.armed = Some(next);
            // What is over within the instant comes after the call that is in progress.
            let at = next.max(cx.now() + SimDuration::MIN);
            cx.wake(at, Phase::Release, world::Event::Queue(me, Event::Due));
        }
    }
}

fn is_hidden_until(messages: &Messages, position: u64, at: SimTime) -> bool {
    messages.is_here(position) && {
        let message = messages.get(position);
        matches!(message.state, State::Delayed | State::InFlight) && message.at == at
    }
}
