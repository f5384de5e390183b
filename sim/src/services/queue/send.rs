//! SendMessage and SendMessageBatch.

use super::message::{GROUPED, State};
use super::partitions::Action;
use super::{Order, Queue, quotas};
use crate::batch::{BatchId, Envelope, PutCall, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ProducerId, QueueId};
use crate::observe::queue_fact::QueueFact;
use crate::queue_blueprint::DeduplicationId;
use crate::record::{Outcome, Record};
use crate::services::producer;
use crate::world;

impl Queue {
    pub(super) fn send(&mut self, me: QueueId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        if let Envelope::Notification(call) = batch.envelope {
            return self.notified(me, batch, call, cx);
        }
        let Envelope::Put(mut call) = batch.envelope else {
            let what = format!("a queue received {:?} instead of a send", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let (now, bytes) = (cx.now(), batch.bytes);
        call.received_at = now;
        call.error = self.refusal(&mut batch.records, (bytes, call.producer), now);
        if let Some(error) = call.error {
            self.state_fact(me, cx, || QueueFact::SendRefused {
                producer: call.producer,
                records: to_u32(batch.records.len()),
                error,
            });
            batch.envelope = Envelope::Put(call);
            let service = self.service_time.draw();
            return self.acknowledge(batch, call, service, cx);
        }
        let grouped = self.grouped.contains(&call.producer);
        let flags = if grouped { GROUPED } else { 0 };
        let sender = self.senders.iter().position(|sender| sender.producer == call.producer);
        let parted = self.is_parted();
        let mut deduplicated = 0;
        for record in &mut batch.records {
            if !parted || record.outcome() != Outcome::Throttled {
                deduplicated += u32::from(self.take_in(record, (flags, sender), now));
            }
        }
        call.refused = to_u32(batch.records.iter().filter(|record| !record.is_accepted()).count());
        // A single send has no entries of its own to fail (SQS-B-16).
        if call.refused > 0 && call.api.is_single() {
            call.error = Some(ServiceError::InvalidParameterValue);
        }
        cx.mix_entries(&batch.records);
        self.state_fact(me, cx, || QueueFact::Sent {
            producer: call.producer,
            records: &batch.records,
            deduplicated,
            bytes,
            notified: None,
        });
        let mut service = self.service_time.draw();
        if self.faults.chance(self.lost_acknowledgement_rate) {
            // Stored, but the client never hears of it (SQS-O-06).
            call.error = Some(ServiceError::RequestTimeout);
            service = self.request_timeout.max(service);
        }
        self.acknowledge(batch, call, service, cx);
    }

    /// Why the whole request is refused, if it is.
    pub(super) fn refusal(
        &mut self,
        records: &mut [Record],
        (bytes, producer): (u64, ProducerId),
        now: SimTime,
    ) -> Option<ServiceError> {
        if now < self.unavailable_until {
            return Some(ServiceError::InternalFailure);
        }
        if records.len() > to_usize(quotas::MAX_ENTRIES) {
            return Some(ServiceError::TooManyEntriesInBatchRequest);
        }
        if records.len() > 1 && bytes > self.maximum_batch_size {
            return Some(ServiceError::BatchRequestTooLong);
        }
        if let Order::Fifo(groups) = &self.order
            && !groups.deduplication.content_based
            && self.deduplication_id(producer) == DeduplicationId::Absent
        {
            return Some(ServiceError::InvalidParameterValue);
        }
        if !self.admits_parts(records, Action::Send, now) {
            return Some(ServiceError::RequestThrottled);
        }
        self.faults
            .chance(self.internal_failure_rate)
            .then_some(ServiceError::InternalFailure)
    }

    fn deduplication_id(&self, producer: ProducerId) -> DeduplicationId {
        let sender = self.senders.iter().find(|sender| sender.producer == producer);
        sender.map_or(DeduplicationId::Message, |sender| sender.id)
    }
    /// Whether parts of a request may be refused.
    pub(super) fn is_parted(&self) -> bool {
        self.partitions
            .as_ref()
            .is_some_and(|partitions| partitions.count() > 1)
    }
    /// Takes a request about messages out of the quota of a FIFO queue: it is split by partition, and each part is a call
    /// (SQS-T-14, SQS-T-15). Entries of a part that is refused are marked; returns whether any part is admitted.
    pub(super) fn admits_parts(&mut self, records: &mut [Record], action: Action, now: SimTime) -> bool {
        let (Some(partitions), Order::Fifo(groups)) = (&mut self.partitions, &mut self.order) else {
            return true;
        };
        if partitions.advance(now) {
            groups.set_partitions(partitions.count(), &self.messages);
        }
        if partitions.count() == 1 {
            return partitions.take(0, action, now);
        }
        let mut asked: Vec<(usize, bool)> = Vec::new();
        for record in records {
            let partition = groups.partition(record.key);
            let known = asked.iter().find(|known| known.0 == partition).copied();
            let admitted = known.map_or_else(
                || {
                    let admitted = partitions.take(partition, action, now);
                    asked.push((partition, admitted));
                    admitted
                },
                |known| known.1,
            );
            let outcome = if admitted {
                Outcome::Accepted
            } else {
                Outcome::Throttled
            };
            record.set_outcome(outcome);
        }
        asked.iter().any(|known| known.1)
    }

    /// Stores a message, unless it is too large or known. Returns whether it is a duplicate.
    pub(super) fn take_in(&mut self, record: &mut Record, (flags, sender): (u8, Option<usize>), now: SimTime) -> bool {
        if record.bytes > self.maximum_message_size {
            record.set_outcome(Outcome::Failed);
            return false;
        }
        record.set_outcome(Outcome::Accepted);
        record.arrived_at = now;
        let mut delay = self.queue_delay;
        match &mut self.order {
            Order::Fifo(groups) => {
                let id = sender.map_or(DeduplicationId::Message, |sender| self.senders[sender].id);
                if groups.is_duplicate(record, id, now) {
                    return true;
                }
            }
            // What a message states itself counts, a delay of nothing included (SQS-L-02); whole seconds.
            Order::Standard(_) => {
                if let Some(own) = sender.and_then(|sender| self.senders[sender].delay.as_mut()) {
                    delay = SimDuration::from_secs(own.draw().as_secs()).min(quotas::LONGEST_DELAY);
                }
            }
        }
        self.store(record, now, (0, flags), delay, now);
        false
    }

    /// Puts a message in, delayed or available.
    pub(super) fn store(
        &mut self,
        record: &Record,
        sent_at: SimTime,
        (receives, flags): (u16, u8),
        delay: SimDuration,
        now: SimTime,
    ) -> u64 {
        let position = self.messages.insert(record, (sent_at, now), receives);
        if let Order::Fifo(groups) = &mut self.order {
            groups.append(position, &mut self.messages);
        }
        self.messages.get_mut(position).flags |= flags;
        self.delay(position, true);
        if delay.is_zero() {
            self.show(position, now);
        } else {
            self.hide(position, now + delay, State::Delayed);
        }
        position
    }

    fn acknowledge(
        &mut self,
        mut batch: Box<crate::batch::Batch>,
        call: PutCall,
        service: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::Put(call);
        let delay = service + self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Producer(call.producer, producer::Event::Responded { batch })
        });
    }
}
