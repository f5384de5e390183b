//! Enhanced fan-out: registered consumers, their subscriptions to shards, and the events that are pushed over these.
//!
//! A subscription has one event under way in the calendar at most that pushes, and one that keeps it alive, whatever is
//! put. What is pushed goes by a delay after the storing, by the byte allowance of the consumer and shard alone
//! (KDS-EFO-01, KDS-EFO-15), and by how many events the consumer has yet to acknowledge.

mod pushing;

use super::iterators;
use super::{Event, Stream, broken, quotas};
use crate::batch::{BatchId, Envelope, IteratorType, ReadCaller, ServiceError, SubscribeCall};
use crate::blueprint::ModelParameters;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::{ReaderId, ShardIndex, StreamId};
use crate::observe::fact::{Fact, SubscriptionAnswer};
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::services::{application, mapping};
use crate::world;

/// A registered consumer as a stream is built with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConsumerSetting<'a> {
    /// Its name, which no other consumer of the stream has.
    pub name: &'a str,
    /// Who reads as this consumer.
    pub reader: ReaderId,
    /// It is an event source mapping, which the service pushes to with another delay (LAM-U-04).
    pub mapping: bool,
}

/// The consumers of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions {
    consumers: Vec<Consumer>,
    keep_alive: SimDuration,
    interval: SimDuration,
    ahead: u32,
}

/// A registered consumer.
#[derive(Clone, Debug)]
struct Consumer {
    reader: ReaderId,
    service: RandomSpan,
    push_delay: RandomSpan,
    link: Link,
    /// By shard.
    feeds: Vec<Feed>,
}

/// What a consumer gets from a shard.
#[derive(Clone, Debug)]
struct Feed {
    allowance: TokenBucket,
    /// Bytes of a large record beyond what the allowance held, to be paid off first (KDS-MOD-14).
    owed: u64,
    called_at: SimTime,
    succeeded_at: SimTime,
    /// How many subscriptions there have been; the number of the one that lasts.
    number: u32,
    active: Option<Active>,
}

/// A subscription that lasts.
#[derive(Clone, Copy, Debug)]
struct Active {
    caller: ReadCaller,
    /// The next position that it pushes.
    position: u64,
    /// Nothing is pushed before the response to the call has reached the consumer.
    begins_at: SimTime,
    ends_at: SimTime,
    /// When the last event was pushed.
    pushed_at: SimTime,
    /// Events that may be pushed before one is acknowledged.
    room: u32,
    /// The delay of the push that is due, if one is.
    due: Option<SimDuration>,
}

impl Feed {
    fn new() -> Self {
        Self {
            allowance: TokenBucket::full(
                quotas::CONSUMER_SHARD_BYTES,
                Rate::per_second(quotas::CONSUMER_SHARD_BYTES),
            ),
            owed: 0,
            called_at: SimTime::NEVER,
            succeeded_at: SimTime::NEVER,
            number: 0,
            active: None,
        }
    }
    /// Pays off what is owed; how long it takes until nothing is.
    fn settle(&mut self, now: SimTime) -> Option<SimDuration> {
        let paid = self.allowance.available(now).min(self.owed);
        self.allowance.take(paid);
        self.owed -= paid;
        let next = self.owed.min(quotas::CONSUMER_SHARD_BYTES);
        (self.owed > 0).then(|| self.allowance.time_until(now, next).unwrap_or(SimDuration::SECOND))
    }
    /// How long it takes until the allowance has room for an event; `None`: it has.
    fn wait(&mut self, now: SimTime, bytes: u64) -> Option<SimDuration> {
        let cost = bytes.min(quotas::MAX_EVENT_BYTES);
        let wait = self.settle(now).or_else(|| self.allowance.time_until(now, cost));
        wait.filter(|wait| !wait.is_zero())
    }
    fn charge(&mut self, now: SimTime, bytes: u64) {
        let taken = self.allowance.available(now).min(bytes);
        self.allowance.take(taken);
        self.owed += bytes - taken;
    }
    /// Decides a call (KDS-EFO-08, KDS-EFO-09).
    fn admit(&mut self, now: SimTime) -> Result<(), ServiceError> {
        let within = |at: SimTime, span: SimDuration| at != SimTime::NEVER && at.saturating_add(span) > now;
        let soon = within(self.called_at, quotas::SUBSCRIBE_SPAN);
        if within(self.succeeded_at, quotas::SUBSCRIPTION_TAKEOVER) {
            // A call that fails is a call: the limit can bind after it.
            self.called_at = now;
            return Err(ServiceError::ResourceInUse);
        }
        if soon {
            return Err(ServiceError::LimitExceeded);
        }
        self.called_at = now;
        Ok(())
    }
}

impl Subscriptions {
    pub(super) fn new(
        component: &str,
        consumers: &[ConsumerSetting<'_>],
        model: &ModelParameters,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let consumers = consumers
            .iter()
            .map(|consumer| {
                let component = format!("{component}/consumer.{}", consumer.name);
                let delay = if consumer.mapping {
                    &model.fan_out_mapping_delay
                } else {
                    &model.fan_out_delay
                };
                Ok(Consumer {
                    reader: consumer.reader,
                    service: RandomSpan::new(&component, "subscribe-service-time", &model.get_service_time, streams)?,
                    push_delay: RandomSpan::new(&component, "push-delay", delay, streams)?,
                    link: Link::new(&component, model, streams)?,
                    feeds: Vec::new(),
                })
            })
            .collect::<Result<_, ServiceBuildError>>()?;
        Ok(Self {
            consumers,
            keep_alive: model.fan_out_keep_alive,
            interval: model.fan_out_event_interval,
            ahead: model.fan_out_events_ahead,
        })
    }
    /// Whether the stream has no consumers: then a put has nothing to do for them.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.consumers.is_empty()
    }
    pub(super) fn draws(&self) -> impl Iterator<Item = u64> + '_ {
        self.consumers.iter().flat_map(|consumer| {
            [
                consumer.service.draws(),
                consumer.push_delay.draws(),
                consumer.link.draws(),
            ]
        })
    }
    fn number_of(&self, reader: ReaderId) -> Option<u16> {
        let found = self.consumers.iter().position(|consumer| consumer.reader == reader);
        found.and_then(|number| u16::try_from(number).ok())
    }
    fn feed(&mut self, consumer: u16, shard: u32) -> &mut Feed {
        let feeds = &mut self.consumers[usize::from(consumer)].feeds;
        if to_usize(shard) >= feeds.len() {
            feeds.resize_with(to_usize(shard) + 1, Feed::new);
        }
        &mut feeds[to_usize(shard)]
    }
}

impl Stream {
    /// SubscribeToShard came in.
    pub(super) fn subscribe_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Subscribe(mut call) = batch.envelope else {
            return broken(cx, "a subscription without its call");
        };
        let now = cx.now();
        let Some(number) = self.subscriptions.number_of(call.reader) else {
            return broken(cx, "a subscription of a reader that is no registered consumer");
        };
        let answer = self.subscriptions.feed(number, call.shard.0).admit(now);
        cx.emit(|| Fact::SubscriptionAnswered {
            stream: me,
            shard: call.shard,
            reader: call.reader,
            answer: match answer {
                Ok(()) => SubscriptionAnswer::Begun,
                Err(error) => SubscriptionAnswer::Refused(error),
            },
        });
        let consumer = &mut self.subscriptions.consumers[usize::from(number)];
        let delay = consumer.service.draw() + consumer.link.delay();
        match answer {
            Ok(()) => self.subscribe(me, number, &mut call, now + delay, cx),
            Err(error) => call.error = Some(error),
        }
        batch.envelope = Envelope::Subscribe(call);
        cx.send(batch, delay, |batch| match call.caller {
            ReadCaller::Mapping(id) => world::Event::Mapping(id, mapping::Event::Subscribed { batch }),
            ReadCaller::Application { application, .. } => {
                world::Event::Application(application, application::Event::Pushed { batch })
            }
        });
    }

    fn subscribe(
        &mut self,
        me: StreamId,
        number: u16,
        call: &mut SubscribeCall,
        begins_at: SimTime,
        cx: &mut Cx<'_, '_>,
    ) {
        let (now, shard) = (cx.now(), call.shard.0);
        // One that lasts is taken over (KDS-EFO-10).
        self.end_subscription(me, number, shard, Some(ServiceError::ResourceInUse), cx);
        let shard_state = &mut self.shards[to_usize(shard)];
        shard_state.expire(now, self.retention);
        call.position = match call.kind {
            // What has expired there is told by the first event.
            IteratorType::AtSequenceNumber(position) => position,
            IteratorType::AfterSequenceNumber(position) => position + 1,
            kind @ (IteratorType::TrimHorizon | IteratorType::Latest | IteratorType::AtTimestamp(_)) => {
                iterators::position(&shard_state.log, kind, now)
            }
        };
        call.ends_at = now + quotas::SUBSCRIPTION_LIFETIME;
        cx.mix(call.position);
        let (room, keep_alive) = (self.subscriptions.ahead, self.subscriptions.keep_alive);
        let feed = self.subscriptions.feed(number, shard);
        feed.succeeded_at = now;
        feed.number += 1;
        call.subscription = feed.number;
        feed.active = Some(Active {
            caller: call.caller,
            position: call.position,
            begins_at,
            ends_at: call.ends_at,
            pushed_at: now,
            room,
            due: None,
        });
        let event = Event::KeepAlive {
            consumer: number,
            shard,
            subscription: feed.number,
        };
        cx.wake(now + keep_alive, Phase::Act, world::Event::Stream(me, event));
        self.plan_push(me, number, shard, cx);
    }

    /// Something was stored in these shards, or they were closed.
    pub(super) fn push_soon(&mut self, me: StreamId, cx: &mut Cx<'_, '_>) {
        for touched in 0..self.tallies.len() {
            let shard = self.tallies[touched].shard.0;
            for consumer in 0..self.subscriptions.consumers.len() {
                self.plan_push(me, u16::try_from(consumer).unwrap_or(u16::MAX), shard, cx);
            }
        }
    }
    /// A shard was closed: its consumers are to hear of the end.
    pub(super) fn push_end(&mut self, me: StreamId, shard: ShardIndex, cx: &mut Cx<'_, '_>) {
        for consumer in 0..self.subscriptions.consumers.len() {
            self.plan_push(me, u16::try_from(consumer).unwrap_or(u16::MAX), shard.0, cx);
        }
    }

    /// Arms the subscription's push, unless it is armed, nothing is left to push, or the consumer has enough in hand.
    fn plan_push(&mut self, me: StreamId, number: u16, shard: u32, cx: &mut Cx<'_, '_>) {
        let interval = self.subscriptions.interval;
        let consumer = &mut self.subscriptions.consumers[usize::from(number)];
        let Some(feed) = consumer.feeds.get_mut(to_usize(shard)) else {
            return;
        };
        let Some(active) = &mut feed.active else { return };
        if active.due.is_some() || active.room == 0 {
            return;
        }
        let shard_state = &self.shards[to_usize(shard)];
        let next = shard_state.log.arrival(active.position);
        // What has expired meanwhile is told as well (KDS-RET-09).
        let horizon = shard_state.log.horizon();
        if next.is_none() && horizon <= active.position && !shard_state.ends_at(active.position) {
            return;
        }
        let delay = consumer.push_delay.draw();
        active.due = Some(delay);
        let at = (next.unwrap_or(cx.now()) + delay)
            .max(active.pushed_at + interval)
            .max(active.begins_at)
            .max(cx.now());
        let event = Event::PushDue {
            consumer: number,
            shard,
            subscription: feed.number,
        };
        cx.wake(at, Phase::Act, world::Event::Stream(me, event));
    }

    /// A push is due: what has been there for long enough goes to the consumer, if its allowance has room.
    pub(super) fn push_due(&mut self, me: StreamId, number: u16, shard: u32, subscription: u32, cx: &mut Cx<'_, '_>) {
        let now = cx.now();
        let feed = self.subscriptions.feed(number, shard);
        let Some(active) = feed.active.filter(|_| feed.number == subscription) else {
            return;
        };
        let Some(delay) = active.due else { return };
        if self.shards[to_usize(shard)].log.is_forgotten(active.position) {
            // Its consumer is done with what it would push next: it reads over another subscription.
            return self.end_subscription(me, number, shard, None, cx);
        }
        if active.room == 0 {
            // What keeps it alive has taken the last of it; an acknowledgement goes on.
            self.subscriptions.feed(number, shard).active = Some(Active { due: None, ..active });
            return;
        }
        let mut batch = cx.fresh();
        let shard_state = &mut self.shards[to_usize(shard)];
        shard_state.expire(now, self.retention);
        let visible = SimTime::from_nanos(now.as_nanos().saturating_sub(delay.as_nanos()));
        let (records, bytes) = (quotas::MAX_EVENT_RECORDS, quotas::MAX_EVENT_BYTES);
        let page = shard_state
            .log
            .read(active.position, records, bytes, visible, &mut batch);
        if let Some(wait) = self.subscriptions.feed(number, shard).wait(now, page.bytes) {
            cx.recycle(batch);
            let event = Event::PushDue {
                consumer: number,
                shard,
                subscription,
            };
            return cx.wake(
                now + wait.max(SimDuration::MIN),
                Phase::Act,
                world::Event::Stream(me, event),
            );
        }
        let ended = self.shards[to_usize(shard)].ends_at(page.next);
        if batch.records.is_empty() && page.expired == 0 && !ended {
            // What is there has not been there for long enough.
            cx.recycle(batch);
            if let Some(active) = &mut self.subscriptions.feed(number, shard).active {
                active.due = None;
            }
            return self.plan_push(me, number, shard, cx);
        }
        let millis_behind = page
            .oldest_left
            .map_or(0, |arrived| now.since(arrived).as_millis().max(1));
        self.subscriptions.feed(number, shard).charge(now, page.bytes);
        let push = Push {
            position: page.next,
            expired: page.expired,
            millis_behind,
            ended,
        };
        if self.push(me, number, shard, push, batch, cx) && !ended {
            self.plan_push(me, number, shard, cx);
        }
    }

    /// A subscription is alive: an event tells so if there was none for a while (KDS-EFO-12), and its end is looked after.
    pub(super) fn keep_alive(&mut self, me: StreamId, number: u16, shard: u32, subscription: u32, cx: &mut Cx<'_, '_>) {
        let (now, keep_alive) = (cx.now(), self.subscriptions.keep_alive);
        let feed = self.subscriptions.feed(number, shard);
        let Some(active) = feed.active.filter(|_| feed.number == subscription) else {
            return;
        };
        if now >= active.ends_at {
            return self.end_subscription(me, number, shard, None, cx);
        }
        self.shards[to_usize(shard)].expire(now, self.retention);
        self.plan_push(me, number, shard, cx);
        let mut next = active.pushed_at + keep_alive;
        if next <= now {
            next = now + keep_alive;
            if active.room > 0 {
                let batch = cx.fresh();
                let oldest = self.shards[to_usize(shard)].log.arrival(active.position);
                let push = Push {
                    position: active.position,
                    expired: 0,
                    millis_behind: oldest.map_or(0, |arrived| now.since(arrived).as_millis()),
                    ended: false,
                };
                if !self.push(me, number, shard, push, batch, cx) {
                    return;
                }
            }
        }
        let event = Event::KeepAlive {
            consumer: number,
            shard,
            subscription,
        };
        cx.wake(next.min(active.ends_at), Phase::Act, world::Event::Stream(me, event));
    }
}

/// What an event tells beside its records.
#[derive(Clone, Copy, Debug)]
struct Push {
    position: u64,
    expired: u64,
    millis_behind: u64,
    ended: bool,
}
