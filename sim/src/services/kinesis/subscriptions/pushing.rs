//! Events on their way to a registered consumer, and what it acknowledges.

use super::Push;
use crate::batch::{Batch, BatchId, Envelope, PushedEvent, ReadCaller, ServiceError};
use crate::context::Cx;
use crate::engine::index::{to_u32, to_usize};
use crate::engine::time::SimDuration;
use crate::ids::{ShardIndex, StreamId};
use crate::observe::fact::{Fact, SubscriptionAnswer};
use crate::services::kinesis::{Stream, broken};
use crate::services::{application, mapping};
use crate::world;

impl Stream {
    /// Pushes an event. False if it would come after the subscription's end, which is now.
    pub(super) fn push(
        &mut self,
        me: StreamId,
        number: u16,
        shard: u32,
        push: Push,
        mut batch: Box<Batch>,
        cx: &mut Cx<'_, '_>,
    ) -> bool {
        let now = cx.now();
        let consumer = &mut self.subscriptions.consumers[usize::from(number)];
        let delay = consumer.link.delay();
        let feed = &mut consumer.feeds[to_usize(shard)];
        let subscription = feed.number;
        let (Some(active), Some(reader)) = (&mut feed.active, consumer.reader) else {
            cx.recycle(batch);
            return false;
        };
        if now + delay > active.ends_at {
            // KDS-EFO-07: it goes over the next one.
            cx.recycle(batch);
            self.end_subscription(me, number, shard, None, cx);
            return false;
        }
        let first = push.position - u64::from(to_u32(batch.records.len()));
        active.position = push.position;
        active.pushed_at = now;
        active.due = None;
        active.room -= 1;
        let caller = active.caller;
        if push.ended {
            feed.active = None;
            self.children_of(ShardIndex(shard), &mut batch, cx);
        }
        let event = PushedEvent {
            reader,
            caller,
            stream: me,
            shard: ShardIndex(shard),
            subscription,
            position: push.position,
            served_at: now,
            millis_behind: push.millis_behind,
            expired: push.expired,
            continuation: (!push.ended).then_some(push.position),
            closed: push.ended,
            error: None,
        };
        cx.emit(|| Fact::SubscriptionEventPushed {
            stream: me,
            shard: ShardIndex(shard),
            reader,
            first_position: first,
            records: &batch.records,
            bytes: batch.bytes,
            millis_behind: push.millis_behind,
        });
        cx.mix(first);
        cx.mix(push.position);
        batch.envelope = Envelope::Pushed(event);
        send_event(batch, event, delay, cx);
        true
    }

    /// The subscription is over, and its consumer hears of that.
    pub(in crate::services::kinesis) fn end_subscription(
        &mut self,
        me: StreamId,
        number: u16,
        shard: u32,
        error: Option<ServiceError>,
        cx: &mut Cx<'_, '_>,
    ) {
        let consumer = &mut self.subscriptions.consumers[usize::from(number)];
        let feed = &mut consumer.feeds[to_usize(shard)];
        let (Some(active), Some(reader)) = (feed.active.take(), consumer.reader) else {
            return;
        };
        let event = PushedEvent {
            reader,
            caller: active.caller,
            stream: me,
            shard: ShardIndex(shard),
            subscription: feed.number,
            position: active.position,
            served_at: cx.now(),
            millis_behind: 0,
            expired: 0,
            continuation: Some(active.position),
            closed: true,
            error,
        };
        let delay = consumer.link.delay();
        cx.emit(|| Fact::SubscriptionAnswered {
            stream: me,
            shard: ShardIndex(shard),
            reader,
            answer: error.map_or(SubscriptionAnswer::Ended, SubscriptionAnswer::Failed),
        });
        let mut batch = cx.fresh();
        batch.envelope = Envelope::Pushed(event);
        send_event(batch, event, delay, cx);
    }

    /// The consumer has taken an event, and tells what it needs no more.
    pub(in crate::services::kinesis) fn event_acknowledged(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(batch) = cx.take(id) else { return };
        let Envelope::Acknowledge(taken) = batch.envelope else {
            return broken(cx, "an acknowledgement without its envelope");
        };
        cx.recycle(batch);
        self.note_checkpoint(taken.reader, taken.shard, taken.checkpoint);
        let Some(number) = self.subscriptions.number_of(taken.reader) else {
            return broken(cx, "an acknowledgement of a reader that is no registered consumer");
        };
        let feed = self.subscriptions.feed(number, taken.shard.0);
        if feed.number == taken.subscription
            && let Some(active) = &mut feed.active
        {
            active.room += taken.events;
            self.plan_push(me, number, taken.shard.0, cx);
        }
    }
}

pub(super) fn send_event(batch: Box<Batch>, event: PushedEvent, delay: SimDuration, cx: &mut Cx<'_, '_>) {
    cx.send(batch, delay, |batch| match event.caller {
        ReadCaller::Mapping(id) => world::Event::Mapping(id, mapping::Event::EventReceived { batch }),
        ReadCaller::Application { application, .. } => {
            world::Event::Application(application, application::Event::Pushed { batch })
        }
    });
}
