//! How a shard's records come to its record processor by enhanced fan-out: a subscription, and events pushed over it.

use super::consumer::Consumer;
use super::timing::{CONSUMER_INTERVAL, PREFETCH_BYTES, PREFETCH_RECORDS, TASK_BACKOFF};
use super::{Application, Event, broken, wake};
use crate::batch::{Batch, BatchId, Envelope, EventsTaken, PushedEvent, ReadCaller, ServiceError, SubscribeCall};
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ShardIndex};
use crate::services::kinesis;
use crate::world;

/// What the workers of an application know of its registered consumer.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Registered {
    /// Nobody has asked.
    #[default]
    Unknown,
    /// Somebody looks every second whether it is ACTIVE.
    Awaited,
    /// It is ACTIVE, as far as they know.
    Active,
}

impl Application {
    /// Looks for the consumer of the application's name; the stream registers one if there is none (KDS-EFO-19).
    pub(super) fn look_for_consumer(&mut self, me: ApplicationId, cx: &mut Cx<'_, '_>) {
        self.registered = Registered::Awaited;
        let event = kinesis::Event::ConsumerWanted {
            application: me,
            reader: self.reader,
        };
        let at = cx.now() + self.link.delay().max(SimDuration::MIN);
        cx.wake(at, Phase::Arrive, world::Event::Stream(self.stream, event));
    }

    /// The stream has told of it: record processors that have waited for it subscribe.
    pub(super) fn consumer_found(&mut self, me: ApplicationId, is_active: bool, cx: &mut Cx<'_, '_>) {
        if !is_active {
            return wake(me, Event::LookForConsumer, cx.now() + CONSUMER_INTERVAL, cx);
        }
        self.registered = Registered::Active;
        for number in 0..u16::try_from(self.workers.len()).unwrap_or(u16::MAX) {
            let worker = self.worker(number);
            if !worker.alive {
                continue;
            }
            let waits = |consumer: &Consumer| consumer.is_begun() && !consumer.calling;
            let waiting = worker.consumers.iter().filter(|(_, consumer)| waits(consumer));
            let waiting: Vec<u32> = waiting.map(|(&shard, _)| shard).collect();
            for shard in waiting {
                self.fetch_at(me, number, shard, cx.now(), cx);
            }
        }
    }

    /// Subscribes to a shard, from where the record processor has got to.
    pub(super) fn subscribe(&mut self, me: ApplicationId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        match self.registered {
            Registered::Active => {}
            Registered::Awaited => return,
            Registered::Unknown => return self.look_for_consumer(me, cx),
        }
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
            | Envelope::ListShards(_)
            | Envelope::Moved(_)
            | Envelope::Notification(_)
            | Envelope::Redriven(_)
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
        if let Some(error) = call.error {
            // Tried again after the library's backoff (KDS-KCL-41).
            consumer.calling = false;
            if error == ServiceError::ResourceNotFound && self.registered == Registered::Active {
                self.registered = Registered::Unknown;
            }
            return self.fetch_at(me, worker, shard, cx.now() + TASK_BACKOFF, cx);
        }
        consumer.subscription = call.subscription;
        consumer.events_taken = 0;
        self.start_at(worker, shard, tenure, call.position, cx);
    }

    fn event_received(&mut self, me: ApplicationId, event: PushedEvent, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
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
