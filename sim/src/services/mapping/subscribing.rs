//! How a mapping on a registered consumer gets its records: it subscribes to each shard, and they are pushed to it (LAM-K-04).

use super::starting::starting_at;
use super::{Mapping, broken};
use crate::batch::{BatchId, Envelope, EventsTaken, IteratorType, ReadCaller, SubscribeCall};
use crate::blueprint::ModelParameters;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{MappingId, ShardIndex};
use crate::services::kinesis;
use crate::world;

/// The subscriptions of a mapping.
#[derive(Clone, Debug)]
pub(super) struct FanOut {
    dispatch: SimDuration,
    /// By shard.
    taken: Vec<Taken>,
}

/// Events of a subscription that the stream has yet to hear are taken.
#[derive(Clone, Copy, Debug, Default)]
struct Taken {
    subscription: u32,
    events: u32,
}

impl FanOut {
    pub(super) const fn new(model: &ModelParameters) -> Self {
        Self {
            dispatch: model.fan_out_dispatch_delay,
            taken: Vec::new(),
        }
    }
    fn of(&mut self, shard: u32) -> &mut Taken {
        if to_usize(shard) >= self.taken.len() {
            self.taken.resize_with(to_usize(shard) + 1, Taken::default);
        }
        &mut self.taken[to_usize(shard)]
    }
}

impl Mapping {
    /// Subscribes to a shard, from where it has got to.
    pub(super) fn subscribe(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let reader = &mut self.readers[to_usize(shard)];
        reader.reading = true;
        reader.last_poll = cx.now();
        let kind = if reader.begun {
            IteratorType::AtSequenceNumber(reader.cursor)
        } else {
            starting_at(self.starting_position)
        };
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Subscribe(SubscribeCall {
            reader: me.into(),
            caller: ReadCaller::Mapping(me),
            shard: ShardIndex(shard),
            kind,
            subscription: 0,
            position: 0,
            ends_at: SimTime::ZERO,
            error: None,
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::SubscribeReceived { batch })
        });
    }

    pub(super) fn subscribed(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Subscribe(call) = batch.envelope else {
            return broken(cx, "a subscription without its call");
        };
        cx.recycle(batch);
        let shard = call.shard.0;
        if call.error.is_some() {
            // Refused: it tries again at the base rate.
            let reader = &mut self.readers[to_usize(shard)];
            reader.reading = false;
            let at = (reader.last_poll + self.timing.poll).max(cx.now());
            return self.poll_at(me, shard, at, cx);
        }
        if !self.readers[to_usize(shard)].begun {
            self.begin_at(me, call.shard, call.position, cx);
        }
        if let Some(fan_out) = &mut self.fan_out {
            *fan_out.of(shard) = Taken {
                subscription: call.subscription,
                events: 0,
            };
        }
    }

    pub(super) fn event_received(&mut self, me: MappingId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Pushed(event) = batch.envelope else {
            return broken(cx, "an event without its envelope");
        };
        let shard = event.shard.0;
        if event.closed && event.continuation.is_some() {
            // It is over, and another one begins where it ended (KDS-EFO-07, KDS-EFO-12).
            cx.recycle(batch);
            self.readers[to_usize(shard)].reading = false;
            return self.poll_at(me, shard, cx.now(), cx);
        }
        let Some(fan_out) = &mut self.fan_out else {
            return broken(cx, "an event that it has not subscribed to");
        };
        fan_out.of(shard).events += 1;
        let dispatch = fan_out.dispatch;
        // In the lanes a page is a page, however it came.
        let page = event.as_page();
        batch.envelope = Envelope::Get(page);
        self.take_page(me, page, batch, dispatch, cx);
        self.acknowledge(me, shard, cx);
    }

    /// Lets as many more events come as were taken, unless so much waits already that the function cannot keep up.
    pub(super) fn acknowledge(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let reader = &self.readers[to_usize(shard)];
        let Some(fan_out) = &mut self.fan_out else { return };
        let taken = fan_out.of(shard);
        if taken.events == 0 || !reader.waiting.below(self.read_ahead) {
            return;
        }
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Acknowledge(EventsTaken {
            reader: me.into(),
            shard: ShardIndex(shard),
            subscription: taken.subscription,
            events: core::mem::take(&mut taken.events),
            checkpoint: reader.progress.checkpoint(),
        });
        let (stream, delay) = (self.stream, self.link.delay());
        cx.send(batch, delay, |batch| {
            world::Event::Stream(stream, kinesis::Event::EventAcknowledged { batch })
        });
    }
}
