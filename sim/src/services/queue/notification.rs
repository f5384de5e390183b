//! Deliveries from topics, which a queue takes like sends of anybody else.

use super::Queue;
use super::message::GROUPED;
use crate::batch::{Batch, Envelope, ServiceError};
use crate::context::Cx;
use crate::engine::index::to_u32;
use crate::engine::time::SimDuration;
use crate::ids::QueueId;
use crate::notification_call::NotificationCall;
use crate::observe::queue_fact::QueueFact;
use crate::observe::topic_fact::Notified;
use crate::record::{Outcome, Record};
use crate::services::topic;
use crate::world;

impl Queue {
    pub(super) fn notified(
        &mut self,
        me: QueueId,
        mut batch: Box<Batch>,
        mut call: NotificationCall,
        cx: &mut Cx<'_, '_>,
    ) {
        let (now, bytes) = (cx.now(), batch.bytes);
        call.error = self.refusal(&mut batch.records, (bytes, call.producer), now);
        // A topic tries all of it again where one partition of the queue refuses its part (SQS-T-14).
        let is_refused = |record: &Record| record.outcome() == Outcome::Throttled;
        if call.error.is_none() && self.is_parted() && batch.records.iter().any(is_refused) {
            call.error = Some(ServiceError::RequestThrottled);
        }
        if let Some(error) = call.error {
            self.state_fact(me, cx, || QueueFact::SendRefused {
                producer: call.producer,
                records: to_u32(batch.records.len()),
                error,
            });
            let service = self.service_time.draw();
            return self.answer_topic(batch, call, service, cx);
        }
        let flags = if self.grouped.contains(&call.producer) {
            GROUPED
        } else {
            0
        };
        let mut deduplicated = 0;
        for record in &mut batch.records {
            deduplicated += u32::from(self.take_in(record, (flags, None), now));
        }
        cx.mix_entries(&batch.records);
        self.state_fact(me, cx, || QueueFact::Sent {
            producer: call.producer,
            records: &batch.records,
            deduplicated,
            bytes,
            notified: Some(Notified {
                subscription: call.subscription,
                redriven: call.redriven,
                times: &batch.positions,
            }),
        });
        let mut service = self.service_time.draw();
        if self.faults.chance(self.lost_acknowledgement_rate) {
            // Stored, but the topic never hears of it.
            call.error = Some(ServiceError::RequestTimeout);
            service = self.request_timeout.max(service);
        }
        self.answer_topic(batch, call, service, cx);
    }

    fn answer_topic(
        &mut self,
        mut batch: Box<Batch>,
        call: NotificationCall,
        service: SimDuration,
        cx: &mut Cx<'_, '_>,
    ) {
        batch.envelope = Envelope::Notification(call);
        let delay = service + self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Topic(call.topic, topic::Event::Answered { batch })
        });
    }

    /// The queue fails whatever is asked of it for so long.
    pub fn break_for(&mut self, lasts: SimDuration, cx: &Cx<'_, '_>) {
        self.unavailable_until = cx.now() + lasts;
    }
}
