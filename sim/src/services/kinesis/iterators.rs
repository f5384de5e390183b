//! What a reader asks before it reads: which shards there are, and an iterator into each.

use super::shard::{Shard, ShardState};
use super::{Event, Stream, broken, quotas};
use crate::batch::{
    Batch, BatchId, ChildShard, Envelope, GetCall, IteratorType, ListCaller, ReadCaller, ServiceError, ShardFilter,
};
use crate::blueprint::ModelParameters;
use crate::context::Cx;
use crate::engine::index::to_usize;
use crate::engine::phase::Phase;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::StreamId;
use crate::observe::fact::{ApplicationChange, Fact};
use crate::services::ServiceBuildError;
use crate::services::log::Log;
use crate::services::random_span::RandomSpan;
use crate::services::{application, mapping, producer};
use crate::world;

/// What a stream needs to answer `GetShardIterator`.
#[derive(Clone, Debug)]
pub(super) struct Iterators {
    /// `None` where nobody asks.
    service: Option<RandomSpan>,
    /// By shard (KDS-R-17, KDS-MOD-23).
    calls: Vec<TokenBucket>,
}

impl Iterators {
    pub(super) fn new(
        component: &str,
        model: &ModelParameters,
        asked: bool,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let service = || RandomSpan::new(component, "iterator-service-time", &model.get_service_time, streams);
        Ok(Self {
            service: asked.then(service).transpose()?,
            calls: Vec::new(),
        })
    }
    pub(super) fn draws(&self) -> impl Iterator<Item = u64> {
        self.service
            .iter()
            .map(RandomSpan::draws)
            .collect::<Vec<_>>()
            .into_iter()
    }
    fn admit(&mut self, shard: usize, now: SimTime) -> bool {
        let full = || {
            TokenBucket::full(
                quotas::SHARD_ITERATOR_CALLS,
                Rate::per_second(quotas::SHARD_ITERATOR_CALLS),
            )
        };
        if shard >= self.calls.len() {
            self.calls.resize_with(shard + 1, full);
        }
        let bucket = &mut self.calls[shard];
        let admitted = bucket.holds(now, 1);
        if admitted {
            bucket.take(1);
        }
        admitted
    }
    fn service_time(&mut self) -> SimDuration {
        let drawn = self.service.as_mut().map(RandomSpan::draw);
        drawn.unwrap_or_default().max(SimDuration::MIN)
    }
}

/// Whether the iterator of a read is older than it may be (KDS-R-05).
pub(super) fn is_expired(call: &GetCall, now: SimTime) -> bool {
    call.iterator_issued_at != SimTime::NEVER && now.since(call.iterator_issued_at) > quotas::ITERATOR_LIFETIME
}

/// Every answered read carries a fresh iterator (KDS-R-06).
pub(super) fn renew(call: &mut GetCall, now: SimTime) {
    if call.iterator_issued_at != SimTime::NEVER {
        call.iterator_issued_at = now;
    }
}

/// The position that an iterator stands for at an instant (KDS-R-01..04, KDS-MOD-22).
pub(super) fn position(log: &Log, kind: IteratorType, now: SimTime) -> u64 {
    match kind {
        IteratorType::TrimHorizon => log.horizon(),
        IteratorType::Latest => log.first_after(now),
        IteratorType::AtSequenceNumber(position) => position.max(log.horizon()),
        IteratorType::AfterSequenceNumber(position) => (position + 1).max(log.horizon()),
        IteratorType::AtTimestamp(at) => match at.as_nanos().checked_sub(1) {
            Some(before) => log.first_after(SimTime::from_nanos(before)),
            None => log.horizon(),
        },
    }
}

/// Whether a reader that begins there begins with this shard (KDS-KCL-45).
fn is_listed(shards: &[Shard], shard: &Shard, filter: ShardFilter) -> bool {
    let oldest = || {
        let gone =
            |parent: &crate::ids::ShardIndex| matches!(shards[to_usize(parent.0)].state, ShardState::Expired { .. });
        shard.origin.parents.iter().flatten().all(gone)
    };
    match (filter, shard.state) {
        (_, ShardState::Expired { .. }) => false,
        (ShardFilter::AtLatest, state) => state == ShardState::Open,
        (ShardFilter::AtTrimHorizon, _) => oldest(),
        (ShardFilter::AtTimestamp(at), ShardState::Closed { at: closed_at }) => {
            closed_at > at && (shard.origin.opened_at <= at || oldest())
        }
        (ShardFilter::AtTimestamp(at), ShardState::Open) => shard.origin.opened_at <= at || oldest(),
    }
}

impl Stream {
    /// Answers with the shards asked for. What the call costs is no matter of a run.
    pub(super) fn list_shards(&mut self, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::ListShards(mut call) = batch.envelope else {
            return broken(cx, "a ListShards without its call");
        };
        call.failed = !self.internal_failure_rate.is_zero() && self.failure_stream.chance(self.internal_failure_rate);
        batch.envelope = Envelope::ListShards(call);
        let shards = &self.shards;
        let listed = shards.iter().filter(|shard| is_listed(shards, shard, call.filter));
        batch.child_shards.extend(listed.map(|shard| ChildShard {
            shard: shard.index,
            range: shard.origin.range,
            parents: shard.origin.parents,
            opened_at: shard.origin.opened_at,
        }));
        let service = match call.caller {
            ListCaller::Application(_) | ListCaller::Mapping(_) => self.iterators.service_time(),
            ListCaller::Producer(_) => self.get_service.draw().max(SimDuration::MIN),
        };
        let delay = service + self.link.delay();
        cx.send(batch, delay, |batch| match call.caller {
            ListCaller::Mapping(id) => world::Event::Mapping(id, mapping::Event::ShardsListed { batch }),
            ListCaller::Application(id) => world::Event::Application(id, application::Event::ShardsListed { batch }),
            ListCaller::Producer(id) => world::Event::Producer(id, producer::Event::Responded { batch }),
        });
    }

    pub(super) fn iterator_received(&mut self, me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Iterator(mut call) = batch.envelope else {
            return broken(cx, "an iterator's call without its call");
        };
        let now = cx.now();
        let admitted = self.iterators.admit(to_usize(call.shard.0), now);
        cx.emit(|| Fact::ApplicationChanged {
            reader: call.reader,
            change: ApplicationChange::IteratorAnswered {
                shard: call.shard,
                throttled: !admitted,
            },
        });
        if !admitted {
            call.error = Some(ServiceError::ProvisionedThroughputExceeded);
            batch.envelope = Envelope::Iterator(call);
            return self.answer_iterator(batch, cx);
        }
        let at = now + self.iterators.service_time();
        if let Some(batch) = cx.hold(batch) {
            cx.wake(
                at,
                Phase::Arrive,
                world::Event::Stream(me, Event::IteratorServed { batch }),
            );
        }
    }

    pub(super) fn iterator_served(&mut self, _me: StreamId, id: BatchId, cx: &mut Cx<'_, '_>) {
        let Some(mut batch) = cx.take(id) else { return };
        let Envelope::Iterator(mut call) = batch.envelope else {
            return broken(cx, "an iterator's call without its call");
        };
        let now = cx.now();
        let shard = &mut self.shards[to_usize(call.shard.0)];
        shard.expire(now, self.retention);
        call.position = position(&shard.log, call.kind, now);
        call.issued_at = now;
        cx.mix(call.position);
        batch.envelope = Envelope::Iterator(call);
        self.answer_iterator(batch, cx);
    }

    fn answer_iterator(&mut self, batch: Box<Batch>, cx: &mut Cx<'_, '_>) {
        let Envelope::Iterator(call) = batch.envelope else {
            return;
        };
        let delay = self.link.delay();
        cx.send(batch, delay, |batch| match call.caller {
            ReadCaller::Mapping(mapping) => world::Event::Mapping(mapping, mapping::Event::IteratorReceived { batch }),
            ReadCaller::Application { application, .. } => {
                world::Event::Application(application, application::Event::IteratorReceived { batch })
            }
        });
    }

    /// A read with an iterator that is too old returns nothing and counts against nothing.
    pub(super) fn refuse_expired(&mut self, mut batch: Box<Batch>, mut call: GetCall, cx: &mut Cx<'_, '_>) {
        cx.emit(|| Fact::ApplicationChanged {
            reader: call.reader,
            change: ApplicationChange::IteratorExpired { shard: call.shard },
        });
        call.error = Some(ServiceError::ExpiredIterator);
        batch.envelope = Envelope::Get(call);
        self.answer_read(batch, call, cx);
    }
}
