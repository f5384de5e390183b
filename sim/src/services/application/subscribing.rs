//! How a shard's records come to its record processor by enhanced fan-out: a subscription, and events pushed over it.

use super::timing::{PREFETCH_BYTES, PREFETCH_RECORDS, TASK_BACKOFF};
use super::{Application, Event, broken};
use crate::batch::{Batch, BatchId, Envelope, EventsTaken, PushedEvent, ReadCaller, SubscribeCall};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::SimTime;
use crate::ids::{ApplicationId, ShardIndex};
use crate::services::kinesis;
use crate::world;

impl Application {
    /// Subscribes to a shard, from where the record processor has got to.
    pub(super) fn subscribe(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let Some((kind, caller)) = self.begin_call(me, number, shard) else {
            return;
        };
        let (reader, stream) = (self.reader, self.stream);
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Subscribe(SubscribeCall {
            reader,
            caller,
            shard: ShardIndex(shard),
            kind,
            subscription: 0,
            position: 0,
            ends_at: SimTime::ZERO,
            error: None,
        });
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::SubscribeReceived { batch })
        });
    }

    /// A SubscribeToShard was answered, or an event was pushed.
    pub(super) fn pushed(&mut self, me: ApplicationId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = self.receive(me, id, |batch| Event::Pushed { batch }, cx) else {
            return;
        };
        match batch.envelope {
            Envelope::Subscribe(call) => {
                cx.recycle(batch);
                self.subscribed(me, call, cx);
            }
            Envelope::Pushed(event) => self.event_received(me, event, batch, cx),
            Envelope::Empty
            | Envelope::Acknowledge(_)
            | Envelope::Get(_)
            | Envelope::Invoke(_)
            | Envelope::InvokeDirect(_)
            | Envelope::Iterator(_)
            | Envelope::List(_)
            | Envelope::ListShards(_)
            | Envelope::Moved(_)
            | Envelope::Put(_)
            | Envelope::Queue(_)
            | Envelope::Write(_) => broken(cx, "an event without its envelope"),
        }
    }

    fn subscribed(&mut self, me: ApplicationId, call: SubscribeCall, cx: &mut Cx<'_, '_>) {
        let ReadCaller::Application { worker, tenure, .. } = call.caller else {
            return;
        };
        let shard = call.shard.0;
        let Some(consumer) = self.consumer(worker, shard, tenure) else {
            return;
        };
        if consumer.is_lost() {
            consumer.calling = false;
            return;
        }
        if call.error.is_some() {
            // Tried again after the library's backoff (KDS-KCL-41).
            consumer.calling = false;
            return self.fetch_at(me, worker, shard, cx.now() + TASK_BACKOFF, cx);
        }
        consumer.subscription = call.subscription;
        consumer.events_taken = 0;
        self.start_at(worker, shard, tenure, call.position, cx);
    }

    fn event_received(&mut self, me: ApplicationId, event: PushedEvent, batch: Batch, cx: &mut Cx<'_, '_>) {
        let ReadCaller::Application { worker, tenure, .. } = event.caller else {
            return;
        };
        let (now, shard) = (cx.now(), event.shard.0);
        let Some(consumer) = self
            .consumer(worker, shard, tenure)
            .filter(|consumer| !consumer.is_lost() && consumer.subscription == event.subscription)
        else {
            // Nobody waits for it any more: its lease is gone.
            return cx.recycle(batch);
        };
        if event.closed && event.continuation.is_some() {
            // It is over, and another one begins where it ended (KDS-EFO-07, KDS-EFO-12).
            cx.recycle(batch);
            consumer.calling = false;
            return self.fetch_at(me, worker, shard, now, cx);
        }
        if event.closed {
            consumer.calling = false;
        }
        consumer.last_success = now;
        consumer.next = event.position;
        consumer.bytes_fetched += batch.bytes;
        consumer.events_taken += 1;
        self.take_page(worker, event.as_page(), batch, cx);
        self.process_next(me, worker, shard, cx);
        self.take_more(worker, shard, cx);
    }

    /// Lets as many more events come as were taken, unless so much waits already that the record processor cannot keep up.
    pub(super) fn take_more(&mut self, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let batches = to_usize(self.settings.max_pending_process_records_input);
        let Some(consumer) = self.worker(number).consumers.get_mut(&shard) else {
            return;
        };
        if consumer.events_taken == 0
            || consumer.is_lost()
            || !consumer.has_room(batches, PREFETCH_RECORDS, PREFETCH_BYTES)
        {
            return;
        }
        let (subscription, events) = (consumer.subscription, core::mem::take(&mut consumer.events_taken));
        let checkpoint = self.lowest_needed(shard);
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Acknowledge(EventsTaken {
            reader: self.reader,
            shard: ShardIndex(shard),
            subscription,
            events,
            checkpoint,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::EventAcknowledged { batch })
        });
    }
}
