//! An SQS queue, standard or FIFO.
//!
//! A message is a place of 64 bytes and never an event: calls are events, and one timer for the whole queue serves
//! delays, visibility timeouts, retention and the ends of long polls. A call takes effect when it comes in; its answer
//! leaves after the service time, and there the visibility timeout begins (SQS-V-02).

mod attempts;
mod change;
mod control;
mod deadlines;
mod deduplication;
mod duplicates;
mod fairness;
mod fifo;
mod life;
mod message;
mod move_task;
mod notification;
mod partitions;
mod purge;
pub mod quotas;
mod receive;
mod redrive;
mod send;
mod standard;
#[cfg(test)]
mod tests;

use crate::batch::{Batch, BatchId, Envelope, QueueAction, QueueCall, ServiceError};
use crate::blueprint::{DeduplicationId, FifoSettings, ModelParameters, QueueBlueprint};
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
use attempts::Attempts;
use control::Control;
use deadlines::Deadlines;
use deduplication::Deduplication;
use duplicates::Duplicates;
use fairness::Tenants;
use fifo::Groups;
use message::Messages;
use partitions::Partitions;
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
    /// The producers of the blueprint's senders, in their order.
    pub senders: &'s [ProducerId],
}

/// What a producer states with its messages.
#[derive(Clone, Debug)]
struct Sender {
    producer: ProducerId,
    delay: Option<RandomSpan>,
    id: DeduplicationId,
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
    /// What only a FIFO queue has.
    fifo: Option<FifoSettings>,
    partitions: Option<Partitions>,
    attempts: Attempts,
    /// Where messages of this dead-letter queue came from.
    origins: Vec<QueueId>,
    move_rate: u32,
    duplicate_rate: Ratio,
    duplicates: Duplicates,
    /// Messages of the receive in progress that are to be there twice.
    twins: Vec<u64>,
    outdated_delete_rate: Ratio,
    lost_acknowledgement_rate: Ratio,
    internal_failure_rate: Ratio,
    request_timeout: SimDuration,
    lost_receive_rate: Ratio,
    purge_late_loss_rate: Ratio,
    faults: Random,
    lost_receives: Random,
    service_time: RandomSpan,
    /// The same of the answer to a poller of Lambda that waits (SQS-Z-25).
    poll_time: Option<RandomSpan>,
    link: Link,
    control: Control,
    /// Until then it fails whatever is asked of it.
    unavailable_until: SimTime,
    profile: Profile,
    grouped: Vec<ProducerId>,
    senders: Vec<Sender>,
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
    /// An empty queue. Makes the random streams placement, order-jitter, faults, lost-receives, service, network and, for
    /// each sender that states a delay, delay; beside those of duplicates and of what its control plane does.
    pub fn new(
        blueprint: &QueueBlueprint,
        setting: QueueSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("queue.{}", blueprint.name);
        let (profile, model) = (setting.profile, &setting.model.queue);
        let order = order(blueprint, &setting, streams)?;
        let is_fifo = blueprint.fifo.is_some();
        let rate = if is_fifo { Ratio::ZERO } else { model.duplicate_rate };
        let windows = (model.partition_growth_time, model.partition_shrink_time);
        let mut queue = Self {
            messages: Messages::new(if blueprint.fifo.is_some() {
                u16::MAX
            } else {
                quotas::AGE_METRIC_RECEIVES
            }),
            in_flight_limit: quotas::in_flight_limit(profile, blueprint.fifo.is_some()),
            fifo: blueprint.fifo,
            partitions: is_fifo.then(|| Partitions::new(1, windows)),
            attempts: Attempts::default(),
            origins: Vec::new(),
            move_rate: if is_fifo { model.move_rate_fifo } else { model.move_rate },
            duplicates: Duplicates::new(&component, rate, streams)?,
            twins: Vec::new(),
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
            lost_receive_rate: model.lost_receive_rate,
            purge_late_loss_rate: model.purge_late_loss_rate,
            faults: streams.stream(&format!("{component}/faults"))?,
            lost_receives: streams.stream(&format!("{component}/lost-receives"))?,
            service_time: RandomSpan::new(&component, "service", &model.service_time, streams)?,
            poll_time: receive::poll_time(&component, blueprint, setting, streams)?,
            link: Link::new(&component, setting.model, streams)?,
            control: Control::new(&component, setting.model, streams)?,
            unavailable_until: SimTime::ZERO,
            profile,
            grouped: setting.grouped.to_vec(),
            senders: senders(blueprint, setting.senders, streams)?,
        };
        queue.set_throughput(|_| {});
        Ok(queue)
    }

    /// Changes what a FIFO queue is set to. It has high throughput with one combination of settings only (SQS-A-28).
    fn set_throughput(&mut self, change: impl FnOnce(&mut FifoSettings)) {
        let (Some(fifo), Some(partitions), Order::Fifo(groups)) =
            (&mut self.fifo, &mut self.partitions, &mut self.order)
        else {
            return;
        };
        change(fifo);
        let most = if fifo.has_high_throughput() {
            u64::from(fifo.regional_calls).div_ceil(partitions::CALLS)
        } else {
            1
        };
        partitions.set_most(usize::try_from(most).unwrap_or(1));
        groups.set_partitions(partitions.count(), &self.messages);
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: QueueId, event: Event, cx: &mut Cx<'_, '_>) {
        if self.messages.is_full() {
            let what = "four thousand million messages came after one that a queue still holds".to_owned();
            return cx.fail(Fault::Broken(what));
        }
        self.become_available(me, cx);
        self.expire(me, cx);
        self.happens_by_itself(me, cx);
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
        let delays = self.senders.iter().filter_map(|sender| sender.delay.as_ref());
        let rare = self.control.draws()
            + self.lost_receives.draws()
            + self.duplicates.draws()
            + delays.map(RandomSpan::draws).sum::<u64>();
        let faults = self.faults.draws() ^ rare.rotate_left(32);
        let polls = self.poll_time.iter().map(RandomSpan::draws);
        digest_of_draws(
            [order, faults, self.service_time.draws(), self.link.draws()]
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
        if cx.now() < self.unavailable_until {
            let error = ServiceError::InternalFailure;
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
            let refused = QueueCall {
                error: Some(error),
                ..call
            };
            return self.answer(batch, refused, cx);
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

    /// Sees to it that the timer fires at the next instant at which something is due.
    fn arm(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let hidden = self.first_hidden().map(|(at, _)| at);
        let poll = self.poll_ends.first().map(|(at, _)| *at);
        let oldest = self.messages.oldest();
        let expiry = oldest.map(|(_, sent_at)| sent_at.saturating_add(self.retention));
        let control = Some(self.control.due).filter(|due| *due < SimTime::NEVER);
        let Some(next) = [hidden, poll, expiry, control].into_iter().flatten().min() else {
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

fn senders(
    blueprint: &QueueBlueprint,
    producers: &[ProducerId],
    streams: &mut RandomStreams,
) -> Result<Vec<Sender>, ServiceBuildError> {
    let mut senders = Vec::new();
    for (sender, &producer) in blueprint.senders.iter().zip(producers) {
        let component = format!("queue.{}/{}", blueprint.name, sender.producer);
        let delay = match &sender.delay {
            Some(delay) => Some(RandomSpan::new(&component, "delay", delay, streams)?),
            None => None,
        };
        senders.push(Sender {
            producer,
            delay,
            id: sender.deduplication_id,
        });
    }
    Ok(senders)
}

/// What orders its messages. Makes the random streams placement and order-jitter of a standard queue.
fn order(
    blueprint: &QueueBlueprint,
    setting: &QueueSetting<'_>,
    streams: &mut RandomStreams,
) -> Result<Order, ServiceBuildError> {
    let component = format!("queue.{}", blueprint.name);
    let (profile, model) = (setting.profile, &setting.model.queue);
    if let Some(fifo) = &blueprint.fifo {
        let look_ahead = quotas::fifo_look_ahead(profile);
        let deduplication = Deduplication::new(fifo.deduplication_scope, fifo.content_based_deduplication);
        Ok(Order::Fifo(Box::new(Groups::new(
            look_ahead,
            Arc::clone(setting.groups),
            deduplication,
        ))))
    } else {
        let placement = streams.stream(&format!("{component}/placement"))?;
        let jitter = RandomSpan::new(&component, "order-jitter", &model.order_jitter, streams)?;
        let fair = (!setting.grouped.is_empty()).then(|| Box::new(Tenants::new(Arc::clone(setting.groups))));
        let servers = Servers::new((model.servers, model.short_poll_servers), placement, jitter, fair);
        Ok(Order::Standard(Box::new(servers)))
    }
}
