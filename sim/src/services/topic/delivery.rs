//! Attempts to deliver copies to queues, and what becomes of those that fail.

use super::{Topic, Work, quotas, retry};
use crate::batch::{Batch, BatchId, Envelope, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::index::to_u32;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, TopicId};
use crate::notification_call::NotificationCall;
use crate::observe::topic_fact::{DeliveryError, LossReason, NotificationFact};
use crate::record::{Outcome, Record};
use crate::services::queue;
use crate::world;

/// A copy that waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Delivery {
    /// The message, with the bytes that the queue will get.
    pub(super) record: Record,
    pub(super) producer: ProducerId,
    pub(super) published_at: SimTime,
    /// When the first attempt was made; `NEVER` before it.
    pub(super) first_tried_at: SimTime,
    /// Attempts so far.
    pub(super) attempts: u32,
    /// It goes to the dead-letter queue.
    pub(super) redriven: bool,
}

impl Delivery {
    /// Adds it to a call that is made now.
    pub(super) fn put_into(&self, batch: &mut Batch, now: SimTime) {
        batch.records.push(self.record);
        batch.bytes += u64::from(self.record.bytes);
        let tried = self.first_tried_at.min(now);
        batch.positions.extend([self.published_at.as_nanos(), tried.as_nanos()]);
    }
    /// The copies of a call.
    pub(super) fn all_of(batch: &Batch, call: &NotificationCall) -> impl DoubleEndedIterator<Item = Self> {
        let (times, _) = batch.positions.as_chunks::<2>();
        batch
            .records
            .iter()
            .zip(times)
            .map(|(record, &[published, tried])| Self {
                record: Record { flags: 0, ..*record },
                producer: call.producer,
                published_at: SimTime::from_nanos(published),
                first_tried_at: SimTime::from_nanos(tried),
                attempts: call.attempt,
                redriven: call.redriven,
            })
    }
}

fn count(batch: &Batch) -> u64 {
    u64::from(to_u32(batch.records.len()))
}

impl Topic {
    /// Sends a copy that is due.
    pub(super) fn try_message(&mut self, me: TopicId, at: usize, delivery: &Delivery, cx: &mut Cx<'_, '_>) {
        let mut batch = cx.fresh();
        delivery.put_into(&mut batch, cx.now());
        let call = NotificationCall {
            topic: me,
            subscription: self.subscriptions[at].id,
            producer: delivery.producer,
            group: None,
            redriven: delivery.redriven,
            attempt: delivery.attempts + 1,
            error: None,
        };
        self.attempt(at, batch, call, cx);
    }

    /// An attempt to deliver copies that waited until now.
    pub(super) fn attempt(&mut self, at: usize, batch: Box<Batch>, call: NotificationCall, cx: &mut Cx<'_, '_>) {
        let subscription = &mut self.subscriptions[at];
        subscription.waiting -= count(&batch);
        subscription.in_flight += count(&batch);
        if call.redriven {
            return self.transmit(at, batch, call, cx);
        }
        if cx.now() < subscription.denied_until {
            self.give_up(at, batch, call, DeliveryError::AccessDenied, cx);
        } else {
            let (fit, beyond) = self.with_too_many_attributes(at, batch, call.producer, cx);
            if let Some(beyond) = beyond {
                self.give_up(at, beyond, call, DeliveryError::TooManyAttributes, cx);
            }
            if !fit.records.is_empty() {
                return self.transmit(at, fit, call, cx);
            }
            cx.recycle(fit);
        }
        self.next_of(at, &call, cx.now());
    }

    /// Copies that raw delivery carries, and those that have too many attributes for it (SQS-S-05).
    fn with_too_many_attributes(
        &self,
        at: usize,
        batch: Box<Batch>,
        producer: ProducerId,
        cx: &mut Cx<'_, '_>,
    ) -> (Box<Batch>, Option<Box<Batch>>) {
        let publisher = self.publishers.get(&producer).filter(|_| self.subscriptions[at].raw);
        let Some(publisher) = publisher else {
            return (batch, None);
        };
        let beyond = |record: &Record| publisher.has_more_attributes_than(quotas::RAW_ATTRIBUTES_MAX, record);
        if !batch.records.iter().any(beyond) {
            return (batch, None);
        }
        let (refused, rest) = split(batch, beyond, cx);
        (rest, Some(refused))
    }

    fn transmit(&mut self, at: usize, mut batch: Box<Batch>, call: NotificationCall, cx: &mut Cx<'_, '_>) {
        let subscription = &self.subscriptions[at];
        let dead_letters = subscription.dead_letter_queue.filter(|_| call.redriven);
        let queue = dead_letters.unwrap_or(subscription.queue);
        batch.envelope = Envelope::Notification(call);
        // The way is a part of the delivery time (SQS-Z-33).
        cx.send(batch, SimDuration::MIN, |batch| {
            world::Event::Queue(queue, queue::Event::SendReceived { batch })
        });
    }

    /// A queue has answered.
    pub(super) fn answered(&mut self, me: TopicId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Notification(call) = batch.envelope else {
            let what = format!("a topic received {:?}", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let Some(at) = self.place_of(call.subscription) else {
            let what = format!("topic {} has no subscription {}", me.0, call.subscription.0);
            return cx.fail(Fault::Broken(what));
        };
        match call.error {
            Some(error) if is_on_the_server(error) => return self.retry(at, batch, call, error, cx),
            Some(_) => self.give_up(at, batch, call, DeliveryError::MessageTooLarge, cx),
            None => {
                let refused = |record: &Record| record.outcome() != Outcome::Accepted;
                let (refused, taken) = if batch.records.iter().any(refused) {
                    let (refused, taken) = split(batch, refused, cx);
                    (Some(refused), taken)
                } else {
                    (None, batch)
                };
                self.delivered(at, taken, call, cx);
                if let Some(refused) = refused {
                    self.give_up(at, refused, call, DeliveryError::MessageTooLarge, cx);
                }
            }
        }
        self.next_of(at, &call, cx.now());
    }

    fn delivered(&mut self, at: usize, batch: Box<Batch>, call: NotificationCall, cx: &mut Cx<'_, '_>) {
        if batch.records.is_empty() {
            return cx.recycle(batch);
        }
        let subscription = &mut self.subscriptions[at];
        subscription.in_flight -= count(&batch);
        let records = batch.records.as_slice();
        cx.mix_arrivals(records);
        let fact = match subscription.dead_letter_queue.filter(|_| call.redriven) {
            Some(to) => NotificationFact::DeadLettered { to, records },
            None => NotificationFact::Delivered {
                records,
                attempt: call.attempt,
            },
        };
        self.state(at, || fact, cx);
        cx.recycle(batch);
    }

    /// The queue could not: the copies are tried again, if the policy has not come to its end (SQS-S-06).
    fn retry(
        &mut self,
        at: usize,
        batch: Box<Batch>,
        call: NotificationCall,
        error: ServiceError,
        cx: &mut Cx<'_, '_>,
    ) {
        let Some(wait) = retry::wait(call.attempt) else {
            self.give_up(at, batch, call, DeliveryError::Server(error), cx);
            return self.next_of(at, &call, cx.now());
        };
        let jitter = self.retry_jitter;
        let subscription = &mut self.subscriptions[at];
        let again_at = cx.now() + retry::with_jitter(wait, jitter, &mut subscription.retry);
        subscription.in_flight -= count(&batch);
        subscription.waiting += count(&batch);
        let records = to_u32(batch.records.len());
        let failed = || NotificationFact::AttemptFailed {
            records,
            error: DeliveryError::Server(error),
            again_at: Some(again_at),
        };
        self.state(at, failed, cx);
        match call.group {
            Some(group) if !call.redriven => self.back_to_lane(at, group, again_at, &batch, &call),
            Some(_) | None => {
                for delivery in Delivery::all_of(&batch, &call) {
                    self.put_in_line(again_at, Work::Message { at, delivery });
                }
            }
        }
        cx.recycle(batch);
    }

    /// Copies that are not tried again go to the subscription's dead-letter queue, or nowhere (SQS-S-10).
    fn give_up(
        &mut self,
        at: usize,
        batch: Box<Batch>,
        call: NotificationCall,
        error: DeliveryError,
        cx: &mut Cx<'_, '_>,
    ) {
        let records = to_u32(batch.records.len());
        let failed = || NotificationFact::AttemptFailed {
            records,
            error,
            again_at: None,
        };
        self.state(at, failed, cx);
        let subscription = &mut self.subscriptions[at];
        if subscription.dead_letter_queue.is_some() && !call.redriven {
            let call = NotificationCall {
                redriven: true,
                attempt: 1,
                ..call
            };
            return self.transmit(at, batch, call, cx);
        }
        subscription.in_flight -= count(&batch);
        let reason = if call.redriven {
            LossReason::DeadLetterQueueFailed
        } else {
            LossReason::NoDeadLetterQueue
        };
        let lost = || NotificationFact::Lost {
            records: &batch.records,
            reason,
        };
        self.state(at, lost, cx);
        cx.recycle(batch);
    }

    /// What waited for the copies of a call may go on. Those that go to a dead-letter queue hold up nobody.
    fn next_of(&mut self, at: usize, call: &NotificationCall, now: SimTime) {
        if let Some(group) = call.group
            && !call.redriven
        {
            self.go_on_with_lane(at, group, now);
        }
    }
}

/// Those records of a batch that are so, with their times, and the others.
fn split(mut batch: Box<Batch>, is_so: impl Fn(&Record) -> bool, cx: &mut Cx<'_, '_>) -> (Box<Batch>, Box<Batch>) {
    let (mut these, mut others) = (cx.fresh(), cx.fresh());
    let (times, _) = batch.positions.as_chunks::<2>();
    for (record, times) in batch.records.drain(..).zip(times) {
        let to = if is_so(&record) { &mut these } else { &mut others };
        to.records.push(record);
        to.bytes += u64::from(record.bytes);
        to.positions.extend(times);
    }
    cx.recycle(batch);
    (these, others)
}

/// Whether an error is the queue's, so that it may go well another time (SQS-S-06, SQS-S-09).
const fn is_on_the_server(error: ServiceError) -> bool {
    matches!(
        error,
        ServiceError::RequestThrottled | ServiceError::InternalFailure | ServiceError::RequestTimeout
    )
}
