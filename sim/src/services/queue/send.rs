//! SendMessage and SendMessageBatch.

use super::message::{GROUPED, State};
use super::{Order, Queue, quotas};
use crate::batch::{BatchId, Envelope, PutCall, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::QueueId;
use crate::observe::queue_fact::QueueFact;
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
        call.error = self.refusal(&batch.records, bytes, now);
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
        let mut deduplicated = 0;
        for record in &mut batch.records {
            deduplicated += u32::from(self.take_in(record, flags, now));
        }
        call.refused = to_u32(batch.records.iter().filter(|record| !record.is_accepted()).count());
        // A single send has no entries of its own to fail (SQS-B-16).
        if call.refused > 0 && call.api.is_single() {
            call.error = Some(ServiceError::InvalidArgument);
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
    pub(super) fn refusal(&mut self, records: &[Record], bytes: u64, now: SimTime) -> Option<ServiceError> {
        if now < self.unavailable_until {
            return Some(ServiceError::InternalFailure);
        }
        if records.len() > to_usize(quotas::MAX_ENTRIES) {
            return Some(ServiceError::TooManyEntriesInBatchRequest);
        }
        if records.len() > 1 && bytes > self.maximum_batch_size {
            return Some(ServiceError::BatchRequestTooLong);
        }
        if let Some(throughput) = &mut self.throughput
            && !throughput.admits_send(now)
        {
            return Some(ServiceError::RequestThrottled);
        }
        self.faults
            .chance(self.internal_failure_rate)
            .then_some(ServiceError::InternalFailure)
    }

    /// Stores a message, unless it is too large or known. Returns whether it is a duplicate.
    pub(super) fn take_in(&mut self, record: &mut Record, flags: u8, now: SimTime) -> bool {
        if record.bytes > self.maximum_message_size {
            record.set_outcome(Outcome::Failed);
            return false;
        }
        record.set_outcome(Outcome::Accepted);
        record.arrived_at = now;
        if let Order::Fifo(groups) = &mut self.order
            && groups.is_duplicate(record.key, record.ordinal, now)
        {
            return true;
        }
        self.store(record, now, (0, flags), self.queue_delay, now);
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
    ) {
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
