//! Publish and PublishBatch.

use super::delivery::Delivery;
use super::{Topic, Work, quotas};
use crate::batch::{Batch, BatchId, Envelope, PutCall, ServiceError};
use crate::context::{Cx, Fault};
use crate::engine::index::to_u32;
use crate::engine::time::SimTime;
use crate::engine::token_bucket::TokenBucket;
use crate::ids::{ProducerId, TopicId};
use crate::observe::fact::Fact;
use crate::observe::topic_fact::{FilterReason, NotificationFact, Publishing, TopicFact};
use crate::record::{Outcome, Record};
use crate::services::producer;
use crate::world;

impl Topic {
    pub(super) fn publish(&mut self, me: TopicId, id: BatchId, account: &mut TokenBucket, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Put(mut call) = batch.envelope else {
            let what = format!("a topic received {:?} instead of a publish", batch.envelope);
            return cx.fail(Fault::Broken(what));
        };
        let now = cx.now();
        call.received_at = now;
        call.error = self.refusal(&batch, account, now);
        if let Some(error) = call.error {
            let refused = TopicFact::Refused {
                producer: call.producer,
                records: &batch.records,
                error,
            };
            state(me, refused, cx);
            return self.acknowledge(batch, call, cx);
        }
        let mut new = cx.fresh();
        let mut deduplicated = 0;
        for record in &mut batch.records {
            record.set_outcome(self.judge(record, now));
            if record.is_accepted() {
                record.arrived_at = now;
                let fifo = self.fifo.as_mut();
                if fifo.is_some_and(|fifo| fifo.known.is_duplicate(record, now)) {
                    deduplicated += 1;
                } else {
                    new.records.push(*record);
                }
            }
        }
        let first_refused = batch.records.iter().find(|record| !record.is_accepted());
        // A single publish has no entries of its own to fail.
        if call.api.is_single()
            && let Some(refused) = first_refused
        {
            call.error = Some(match refused.outcome() {
                Outcome::Throttled => ServiceError::Throttled,
                Outcome::Accepted | Outcome::Failed => ServiceError::InvalidArgument,
            });
        }
        call.refused = to_u32(batch.records.iter().filter(|record| !record.is_accepted()).count());
        cx.mix_entries(&batch.records);
        let published = TopicFact::Published {
            producer: call.producer,
            records: &batch.records,
            deduplicated,
            bytes: batch.bytes,
        };
        state(me, published, cx);
        for at in 0..self.subscriptions.len() {
            self.copy(at, call.producer, &new.records, cx);
        }
        cx.recycle(new);
        self.acknowledge(batch, call, cx);
    }

    /// Why the whole request is refused, if it is. The quotas count messages, not calls (SQS-S-25).
    fn refusal(&mut self, batch: &Batch, account: &mut TokenBucket, now: SimTime) -> Option<ServiceError> {
        let messages = u64::from(to_u32(batch.records.len()));
        if batch.records.len() > quotas::MAX_ENTRIES {
            return Some(ServiceError::TooManyEntriesInBatchRequest);
        }
        if batch.records.len() > 1 && batch.bytes > u64::from(self.maximum_message_size) {
            return Some(ServiceError::BatchRequestTooLong);
        }
        let fifo = self.fifo.as_mut();
        if !account.holds(now, messages) || fifo.is_some_and(|fifo| !fifo.throughput.holds(now, messages, batch.bytes))
        {
            return Some(ServiceError::Throttled);
        }
        account.take(messages);
        if let Some(fifo) = &mut self.fifo {
            fifo.throughput.take(messages, batch.bytes);
        }
        self.faults
            .chance(self.internal_failure_rate)
            .then_some(ServiceError::InternalFailure)
    }

    /// The result of an entry.
    fn judge(&mut self, record: &Record, now: SimTime) -> Outcome {
        if record.bytes > self.maximum_message_size {
            return Outcome::Failed;
        }
        let admitted = self.fifo.as_mut().is_none_or(|fifo| {
            let group = fifo.group(record.key);
            fifo.throughput.admits_of(group, now)
        });
        if admitted {
            Outcome::Accepted
        } else {
            Outcome::Throttled
        }
    }

    /// Puts copies of messages on their way to a subscription, as far as its filter policy accepts them.
    fn copy(&mut self, at: usize, producer: ProducerId, records: &[Record], cx: &mut Cx<'_, '_>) {
        if records.is_empty() || cx.now() < self.subscriptions[at].created_at {
            return;
        }
        if self.subscriptions[at].filters.is_none() {
            return self.accept(at, producer, records, cx);
        }
        let mut accepted = cx.fresh();
        let mut rejected: Vec<(FilterReason, Record)> = Vec::new();
        for record in records {
            match self.rejects(at, producer, record) {
                None => accepted.records.push(*record),
                Some(reason) => rejected.push((reason, *record)),
            }
        }
        rejected.sort_by_key(|(reason, _)| *reason);
        for alike in rejected.chunk_by(|one, next| one.0 == next.0) {
            let records: Vec<Record> = alike.iter().map(|(_, record)| *record).collect();
            let filtered = || NotificationFact::FilteredOut {
                records: &records,
                reason: alike[0].0,
            };
            self.state(at, filtered, cx);
        }
        if !accepted.records.is_empty() {
            self.accept(at, producer, &accepted.records, cx);
        }
        cx.recycle(accepted);
    }
    /// Why a subscription's filter policy does not accept a message.
    fn rejects(&self, at: usize, producer: ProducerId, record: &Record) -> Option<FilterReason> {
        let filters = self.subscriptions[at].filters.as_ref()?;
        match self.publishers.get(&producer) {
            Some(publisher) => filters.get(&Some(producer))?.rejects(publisher, record),
            None => filters.get(&None)?.rejects(&super::Publisher::default(), record),
        }
    }

    fn accept(&mut self, at: usize, producer: ProducerId, records: &[Record], cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        self.subscriptions[at].waiting += u64::from(to_u32(records.len()));
        self.state(at, || NotificationFact::Copied { records }, cx);
        let envelope = if self.subscriptions[at].raw {
            0
        } else {
            self.envelope_bytes
        };
        for record in records {
            let delivery = Delivery {
                record: Record {
                    bytes: record.bytes.saturating_add(envelope),
                    ..*record
                },
                producer,
                published_at: now,
                first_tried_at: SimTime::NEVER,
                attempts: 0,
                redriven: false,
            };
            let ready = now + self.subscriptions[at].delivery_time.draw();
            if let Some(fifo) = &self.fifo {
                let group = fifo.group(record.key);
                self.join_lane(at, group, ready, delivery);
                continue;
            }
            self.put_in_line(ready, Work::Message { at, delivery });
            if self.faults.chance(self.duplicate_rate) {
                let again = now + self.subscriptions[at].delivery_time.draw();
                self.subscriptions[at].waiting += 1;
                self.state(at, || NotificationFact::Duplicated { records: 1 }, cx);
                self.put_in_line(again, Work::Message { at, delivery });
            }
        }
    }

    fn acknowledge(&mut self, mut batch: Box<Batch>, mut call: PutCall, cx: &mut Cx<'_, '_>) {
        let mut service = self.service_time.draw();
        if call.error.is_none() && self.faults.chance(self.lost_acknowledgement_rate) {
            // Published, but the client never hears of it.
            call.error = Some(ServiceError::RequestTimeout);
            service = self.request_timeout.max(service);
        }
        batch.envelope = Envelope::Put(call);
        let delay = service + self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Producer(call.producer, producer::Event::Responded { batch })
        });
    }
}

fn state(topic: TopicId, fact: TopicFact<'_>, cx: &mut Cx<'_, '_>) {
    cx.emit(|| Fact::Publishing {
        fact: Publishing::Topic { topic, fact },
    });
}
