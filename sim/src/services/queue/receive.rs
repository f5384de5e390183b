//! ReceiveMessage: short polls, long polls, and the move of what was received too often.

use super::fifo::Groups;
use super::message::{COPY, GROUPED, Receipt, State};
use super::partitions::Action;
use super::{Order, Queue, QueueSetting, quotas};
use crate::batch::{Batch, QueueAction, QueueCall, ServiceError};
use crate::blueprint::QueueBlueprint;
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{QueueConsumer, QueueId};
use crate::observe::queue_fact::QueueFact;
use crate::profile::Profile;
use crate::services::ServiceBuildError;
use crate::services::random_span::RandomSpan;

/// What a receive asks for.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    max: usize,
    visibility: SimDuration,
    /// All servers are asked.
    all: bool,
}

impl Queue {
    pub(super) fn receive(&mut self, me: QueueId, mut batch: Box<Batch>, call: QueueCall, cx: &mut Cx<'_, '_>) {
        let QueueAction::Receive { max, wait, attempt, .. } = call.action else {
            return;
        };
        let wait = wait.unwrap_or(self.receive_wait);
        if max == 0 || u32::from(max) > quotas::MAX_ENTRIES || wait > SimDuration::from_secs(20) {
            return self.refuse_receive(me, batch, call, ServiceError::InvalidParameterValue, cx);
        }
        if !self.admits_receive(cx.now()) {
            return self.refuse_receive(me, batch, call, ServiceError::RequestThrottled, cx);
        }
        if attempt.is_some() {
            let Some(repeated) = self.repeat(me, batch, call, cx) else {
                return;
            };
            batch = repeated;
        }
        let long = !wait.is_zero();
        let standard = matches!(self.order, Order::Standard(_));
        if standard && !long && self.depth.in_flight >= self.in_flight_limit {
            return self.refuse_receive(me, batch, call, ServiceError::OverLimit, cx);
        }
        // A long poll does not overtake those that wait already.
        if !long || self.polls.is_empty() {
            let service = self.service_time.draw();
            self.collect(me, &mut batch, call, (long, service), cx);
            if !batch.records.is_empty() || !long {
                return self.return_messages(me, batch, call, (service, false), cx);
            }
        }
        let Some(id) = cx.hold(batch) else { return };
        let until = cx.now() + wait;
        self.poll_ends.insert((until, self.next_poll));
        self.polls.insert(self.next_poll, (id, until));
        self.next_poll += 1;
    }

    /// Whether the quota of a FIFO queue admits another receive: that of the partition whose messages it would get
    /// (SQS-T-04), or of any, in turn, if there are none.
    fn admits_receive(&mut self, now: SimTime) -> bool {
        let (Some(partitions), Order::Fifo(groups)) = (&mut self.partitions, &mut self.order) else {
            return true;
        };
        if partitions.advance(now) {
            groups.set_partitions(partitions.count(), &self.messages);
        }
        let partition = match groups.next_partition(|partition| partitions.admits(partition, Action::Receive, now)) {
            Some(partition) => partition,
            None => groups
                .next_partition(|_| true)
                .unwrap_or_else(|| partitions.next_in_turn()),
        };
        partitions.take(partition, Action::Receive, now)
    }

    fn refuse_receive(
        &mut self,
        me: QueueId,
        batch: Box<Batch>,
        call: QueueCall,
        error: ServiceError,
        cx: &mut Cx<'_, '_>,
    ) {
        self.state_fact(me, cx, || QueueFact::ReceiveRefused {
            consumer: call.consumer,
            error,
        });
        self.answer(
            batch,
            QueueCall {
                error: Some(error),
                ..call
            },
            cx,
        );
    }

    /// Fills the answer to a receive. What was received too often goes to the dead-letter queue instead (SQS-L-11).
    fn collect(
        &mut self,
        me: QueueId,
        batch: &mut Batch,
        call: QueueCall,
        (long, service): (bool, SimDuration),
        cx: &mut Cx<'_, '_>,
    ) {
        let QueueAction::Receive { max, visibility, .. } = call.action else {
            return;
        };
        let wanted = Wanted {
            max: usize::from(max),
            visibility: visibility.unwrap_or(self.visibility_timeout),
            all: long,
        };
        let returned_at = cx.now() + service;
        let mut moved = None;
        if let Order::Standard(servers) = &mut self.order {
            servers.ask(wanted.all, &self.messages, cx.now());
        }
        // Lambda's pollers had one message group in a batch (LAM-H-15).
        let one_group = self.profile == Profile::Exam && matches!(call.consumer, QueueConsumer::Mapping(_));
        // All that one answer returns comes from one partition (SQS-T-15).
        let partition = match &self.order {
            Order::Fifo(groups) => groups.next_partition(|_| true).unwrap_or(0),
            Order::Standard(_) => 0,
        };
        let mut last = None;
        while batch.records.len() < wanted.max && self.depth.in_flight < self.in_flight_limit {
            let next = match &mut self.order {
                Order::Standard(servers) => servers.next(&mut self.messages),
                Order::Fifo(groups) => last
                    .take()
                    .and_then(|position| Groups::follower(position, &self.messages))
                    .or_else(|| {
                        groups
                            .next_in(partition)
                            .filter(|_| !one_group || batch.records.is_empty())
                    }),
            };
            let Some(position) = next else { break };
            let received = self.messages.get(position).receives_here;
            if self.max_receive_count.is_some_and(|most| received >= most) {
                let now = cx.now();
                self.take_out(position, moved.get_or_insert_with(|| cx.fresh()), now);
                continue;
            }
            self.deliver(position, returned_at, wanted.visibility, batch);
            last = Some(position);
        }
        if let Some(moved) = moved {
            self.dead_letter(me, moved, cx);
        }
        self.remember_attempt(call, batch, cx.now());
    }

    /// Puts a message into an answer and hides it.
    fn deliver(&mut self, position: u64, returned_at: SimTime, visibility: SimDuration, batch: &mut Batch) {
        let message = self.messages.get_mut(position);
        message.received(returned_at);
        let receipt = Receipt {
            position,
            number: message.receipt,
        };
        let key = message.key;
        let record = message.received_record();
        if self.duplicates.hits() && !message.has(COPY) {
            self.twins.push(position);
        }
        batch.bytes += u64::from(record.bytes);
        batch.records.push(record);
        batch.positions.push(receipt.pack());
        self.depth.available -= 1;
        self.takes_off(position);
        self.hide(position, returned_at + visibility, State::InFlight);
        if let Order::Fifo(groups) = &mut self.order {
            groups.count_in_flight(key, true);
            groups.delivered(key);
            groups.refresh(key, &self.messages);
        }
        self.messages.settle();
    }

    /// Puts an answer under way, which may be lost: the receive counts all the same (SQS-R-18).
    pub(super) fn return_messages(
        &mut self,
        me: QueueId,
        mut batch: Box<Batch>,
        call: QueueCall,
        (service, repeated): (SimDuration, bool),
        cx: &mut Cx<'_, '_>,
    ) {
        cx.mix_arrivals(&batch.records);
        let copies = self.store_twins(cx.now());
        self.state_fact(me, cx, || QueueFact::Received {
            consumer: call.consumer,
            records: &batch.records,
            again: received_again(&batch),
            bytes: batch.bytes,
            repeated,
            copies,
        });
        if !self.lost_receive_rate.is_zero()
            && !batch.records.is_empty()
            && self.lost_receives.chance(self.lost_receive_rate)
        {
            batch.records.clear();
            batch.positions.clear();
            batch.bytes = 0;
            let call = QueueCall {
                error: Some(ServiceError::RequestTimeout),
                ..call
            };
            return self.answer_after(batch, call, service.max(self.request_timeout), cx);
        }
        self.answer_after(batch, call, service, cx);
    }
    /// Messages that were just delivered are there a second time (SQS-Z-03).
    fn store_twins(&mut self, now: SimTime) -> u32 {
        if self.twins.is_empty() {
            return 0;
        }
        let twins = core::mem::take(&mut self.twins);
        for &position in &twins {
            let message = *self.messages.get(position);
            let flags = COPY | message.flags & GROUPED;
            let record = message.record();
            let copy = self.store(
                &record,
                message.sent_at,
                (message.receives, flags),
                SimDuration::ZERO,
                now,
            );
            self.messages.get_mut(copy).receives_here = message.receives_here;
        }
        to_u32(twins.len())
    }

    /// Answers long polls as far as there is something for them (SQS-R-11, SQS-R-13), the first first (SQS-R-15).
    pub(super) fn serve_polls(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        while self.depth.available > 0 && self.depth.in_flight < self.in_flight_limit {
            if let Order::Fifo(groups) = &self.order
                && groups.next_partition(|_| true).is_none()
            {
                return;
            }
            let Some((&number, &(id, until))) = self.polls.first_key_value() else {
                return;
            };
            let Some(mut batch) = cx.take(id) else { return };
            let crate::batch::Envelope::Queue(call) = batch.envelope else {
                return;
            };
            let service = self.time_of_answer(call.consumer);
            self.collect(me, &mut batch, call, (true, service), cx);
            if batch.records.is_empty() {
                // All that there was went to the dead-letter queue: it goes on waiting (SQS-Z-09).
                if let Some(id) = cx.hold(batch) {
                    self.polls.insert(number, (id, until));
                }
                return;
            }
            self.polls.remove(&number);
            self.poll_ends.remove(&(until, number));
            self.return_messages(me, batch, QueueCall { waited: true, ..call }, (service, false), cx);
        }
    }

    /// How long the answer to a poll takes that has waited.
    fn time_of_answer(&mut self, consumer: QueueConsumer) -> SimDuration {
        match (consumer, &mut self.poll_time) {
            (QueueConsumer::Mapping(_), Some(poll_time)) => poll_time.draw(),
            (QueueConsumer::Fleet(_) | QueueConsumer::Mapping(_), _) => self.service_time.draw(),
        }
    }

    /// Answers long polls whose wait is over with nothing (SQS-R-12).
    pub(super) fn end_polls(&mut self, me: QueueId, cx: &mut Cx<'_, '_>) {
        while let Some(&(at, number)) = self.poll_ends.first()
            && at <= cx.now()
        {
            self.poll_ends.pop_first();
            let Some((id, _)) = self.polls.remove(&number) else {
                continue;
            };
            let Some(batch) = cx.take(id) else { return };
            let crate::batch::Envelope::Queue(call) = batch.envelope else {
                return;
            };
            let service = self.service_time.draw();
            self.return_messages(me, batch, QueueCall { waited: true, ..call }, (service, false), cx);
        }
    }
}

/// How many of the messages in an answer this queue had returned before.
fn received_again(batch: &Batch) -> u32 {
    let numbers = batch.positions.iter().map(|&handle| Receipt::unpack(handle).number);
    to_u32(numbers.filter(|&number| number > 1).count())
}

/// How long an answer to a poller of Lambda takes, where there are any.
pub(super) fn poll_time(
    component: &str,
    blueprint: &QueueBlueprint,
    setting: QueueSetting<'_>,
    streams: &mut RandomStreams,
) -> Result<Option<RandomSpan>, ServiceBuildError> {
    let model = &setting.model.queue_mapping;
    let time = if blueprint.fifo.is_some() {
        &model.poll_time_fifo
    } else {
        &model.poll_time
    };
    let span = setting
        .mapped
        .then(|| RandomSpan::new(component, "poll", time, streams));
    span.transpose()
}
