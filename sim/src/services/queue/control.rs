//! What is asked of a queue beside its calls: other attributes, a purge, a redrive. Nothing of it happens at once.

use super::move_task::MoveTask;
use super::purge::Purge;
use super::{Order, Queue, quotas};
use crate::batch::ServiceError;
use crate::blueprint::ModelParameters;
use crate::context::Cx;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueId;
use crate::observe::queue_fact::{QueueChange, QueueFact};
use crate::queue_operation::{QueueAttribute, QueueOperation};
use crate::services::ServiceBuildError;
use crate::services::random_span::RandomSpan;

/// An attribute that is not yet in effect everywhere.
#[derive(Clone, Debug)]
struct Pending {
    at: SimTime,
    attribute: QueueAttribute,
    /// What a redrive policy names.
    dead_letter_queue: Option<QueueId>,
}

/// What is under way in the control plane of a queue.
#[derive(Clone, Debug)]
pub(super) struct Control {
    propagation: RandomSpan,
    retention_propagation: RandomSpan,
    pub(super) purge_time: RandomSpan,
    pub(super) late_losses: Random,
    pending: Vec<Pending>,
    pub(super) purge: Option<Purge>,
    pub(super) task: Option<MoveTask>,
    pub(super) last_purge: Option<SimTime>,
    /// When something of it is due next.
    pub(super) due: SimTime,
}

impl Control {
    /// Makes the random streams attributes, retention, purge and late-losses.
    pub(super) fn new(
        component: &str,
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let model = &model.queue;
        Ok(Self {
            propagation: RandomSpan::new(component, "attributes", &model.attribute_propagation, streams)?,
            retention_propagation: RandomSpan::new(component, "retention", &model.retention_propagation, streams)?,
            purge_time: RandomSpan::new(component, "purge", &model.purge_time, streams)?,
            late_losses: streams.stream(&format!("{component}/late-losses"))?,
            pending: Vec::new(),
            purge: None,
            task: None,
            last_purge: None,
            due: SimTime::NEVER,
        })
    }
    pub(super) fn draws(&self) -> u64 {
        let spans = [&self.propagation, &self.retention_propagation, &self.purge_time];
        spans.iter().map(|span| span.draws()).sum::<u64>() + self.late_losses.draws()
    }
    fn schedule(&mut self) {
        let pending = self.pending.iter().map(|pending| pending.at);
        let purge = self.purge.as_ref().map(|purge| purge.until);
        let task = self.task.as_ref().map(MoveTask::due);
        self.due = pending.chain(purge).chain(task).min().unwrap_or(SimTime::NEVER);
    }
}

impl Queue {
    /// Carries out an operation, or refuses it. `find` knows queues by name; `tasks` is how many redrives run in the account.
    pub(crate) fn operate(
        &mut self,
        me: QueueId,
        operation: &QueueOperation,
        (find, tasks): (impl Fn(&str) -> Option<QueueId>, usize),
        cx: &mut Cx<'_, '_>,
    ) {
        self.become_available(me, cx);
        self.expire(me, cx);
        match operation {
            QueueOperation::SetAttributes(attributes) => self.set_attributes(attributes, find, cx.now()),
            QueueOperation::Purge => {
                self.purge(me, cx);
            }
            QueueOperation::StartMove { destination, rate } => {
                let destination = destination.as_deref().map(find);
                if destination == Some(None) {
                    self.refuse_operation(me, ServiceError::ResourceNotFound, cx);
                } else if tasks >= quotas::MOVE_TASKS {
                    self.refuse_operation(me, ServiceError::LimitExceeded, cx);
                } else {
                    self.start_move(me, destination.flatten(), *rate, cx);
                }
            }
            QueueOperation::CancelMove => self.cancel_move(me, cx),
        }
        self.control.schedule();
        self.happens_by_itself(me, cx);
        self.serve_polls(me, cx);
        self.arm(me, cx);
    }
    pub(super) fn refuse_operation(&self, me: QueueId, error: ServiceError, cx: &mut Cx<'_, '_>) {
        let change = QueueChange::Refused { error };
        self.state_fact(me, cx, || QueueFact::Changed { change });
    }

    fn set_attributes(&mut self, attributes: &[QueueAttribute], find: impl Fn(&str) -> Option<QueueId>, now: SimTime) {
        let common = now + self.control.propagation.draw();
        for attribute in attributes {
            let at = if matches!(attribute, QueueAttribute::MessageRetentionPeriod(_)) {
                now + self.control.retention_propagation.draw()
            } else {
                common
            };
            let dead_letter_queue = if let QueueAttribute::RedrivePolicy(Some(policy)) = attribute {
                find(&policy.dead_letter_queue)
            } else {
                None
            };
            self.control.pending.push(Pending {
                at,
                attribute: attribute.clone(),
                dead_letter_queue,
            });
        }
    }

    /// What of the control plane is due happens.
    pub(super) fn happens_by_itself(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        if self.control.due > now {
            return;
        }
        let mut attributes = 0;
        // In the order in which they were asked for: of two changes that are due the later one counts.
        while let Some(place) = self.control.pending.iter().position(|pending| pending.at <= now) {
            let pending = self.control.pending.remove(place);
            self.take_effect(pending, now);
            attributes += 1;
        }
        if attributes > 0 {
            let change = QueueChange::InEffect { attributes };
            self.state_fact(me, cx, || QueueFact::Changed { change });
        }
        if self.control.purge.as_ref().is_some_and(|purge| purge.until <= now) {
            self.finish_purge(me, cx);
        }
        if self.control.task.as_ref().is_some_and(|task| task.due() <= now) {
            self.move_on(me, cx);
        }
        self.control.schedule();
    }

    fn take_effect(&mut self, pending: Pending, now: SimTime) {
        match pending.attribute {
            QueueAttribute::VisibilityTimeout(timeout) => self.visibility_timeout = timeout,
            QueueAttribute::MessageRetentionPeriod(retention) => self.retention = retention,
            QueueAttribute::DelaySeconds(delay) => self.change_delay(delay, now),
            QueueAttribute::ReceiveMessageWaitTimeSeconds(wait) => self.receive_wait = wait,
            QueueAttribute::MaximumMessageSize(bytes) => self.maximum_message_size = bytes,
            QueueAttribute::RedrivePolicy(policy) => {
                self.max_receive_count = policy.map(|policy| policy.max_receive_count);
                self.dead_letter_queue = pending.dead_letter_queue;
            }
            QueueAttribute::DeduplicationScope(scope) => {
                if let Order::Fifo(groups) = &mut self.order {
                    groups.deduplication.scope = scope;
                }
                self.set_throughput(|fifo| fifo.deduplication_scope = scope);
            }
            QueueAttribute::FifoThroughputLimit(limit) => self.set_throughput(|fifo| fifo.throughput_limit = limit),
        }
    }

    /// Of a FIFO queue what is delayed takes the new delay, of a standard queue it keeps its own (SQS-A-37, SQS-A-38).
    fn change_delay(&mut self, delay: SimDuration, now: SimTime) {
        self.queue_delay = delay;
        if matches!(self.order, Order::Standard(_)) || self.depth.delayed == 0 {
            return;
        }
        let mut from = 0;
        while let Some(position) = self.messages.next_here(from) {
            from = position + 1;
            let message = *self.messages.get(position);
            if message.state == super::message::State::Delayed {
                // What is over already is so by the next event, an instant later.
                let until = (message.sent_at + delay).max(now);
                self.hide(position, until, message.state);
            }
        }
    }
}
