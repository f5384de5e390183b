//! A Kinesis data stream, provisioned or on demand.
//!
//! A put is routed by key, decided entry by entry against the token buckets of its shards, stamped and appended at the
//! end of its service time. A read is admitted by the shard's read limits when it comes in, and its page is cut from the
//! log at the end of its service time. Readers are declared when the world is built; what all of them have passed is
//! forgotten, what is older than the retention is gone for every reader.

mod certain;
mod cohort;
mod consumers;
mod control;
mod in_service;
mod iterators;
mod library;
mod meter;
mod on_demand;
pub mod operation;
pub mod plan;
mod put;
pub mod quotas;
mod read;
mod reshard;
pub mod sequence_number;
pub mod shard;
pub mod shard_map;
mod subscriptions;
mod summed;
#[cfg(test)]
mod tests;
mod write_limits;

pub use cohort::cohort_error;
use control::Control;
use in_service::Cohorts;
use iterators::Iterators;
use library::AggregatedRecords;
use meter::Meter;
use on_demand::Scaling;
use operation::{CapacityMode, StreamAccount};
use shard::{Origin, Shard};
use shard_map::{HashRange, ShardMap};
pub use subscriptions::ConsumerSetting;
use subscriptions::Subscriptions;
use summed::Summing;

use crate::batch::BatchId;
use crate::blueprint::{ModelParameters, StreamBlueprint};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::{KIB, Ratio};
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ReaderId, ShardIndex, StreamId};
use crate::key::KeyTable;
use crate::observe::fact::ShardTally;
use crate::profile::Profile;
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;

/// What happens to a stream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A put came in; its service time begins.
    PutReceived {
        /// The call.
        batch: BatchId,
    },
    /// A put's service time is over: entries are admitted and stored.
    PutServed {
        /// The call.
        batch: BatchId,
    },
    /// The calls of a cohort whose service ends in the window that begins now are admitted and stored.
    CohortWindow,
    /// A `GetRecords` came in; its service time begins.
    GetReceived {
        /// The call.
        batch: BatchId,
    },
    /// A read's service time is over: the page is cut from the log.
    GetServed {
        /// The call.
        batch: BatchId,
    },
    /// A `GetShardIterator` came in; its service time begins.
    IteratorReceived {
        /// The call.
        batch: BatchId,
    },
    /// Its service time is over: the iterator is issued.
    IteratorServed {
        /// The call.
        batch: BatchId,
    },
    /// A `ListShards` of a producer's library or of an application came in.
    ListShards {
        /// The call.
        batch: BatchId,
    },
    /// A `SubscribeToShard` came in.
    SubscribeReceived {
        /// The call.
        batch: BatchId,
    },
    /// A push over a subscription is due.
    PushDue {
        /// Number of the consumer.
        consumer: u16,
        /// Number of the shard.
        shard: u32,
        /// Number of the subscription; an earlier one is over.
        subscription: u32,
    },
    /// A subscription may have to be kept alive, or is over.
    KeepAlive {
        /// Number of the consumer.
        consumer: u16,
        /// Number of the shard.
        shard: u32,
        /// Number of the subscription; an earlier one is over.
        subscription: u32,
    },
    /// A consumer has taken events.
    EventAcknowledged {
        /// What it tells.
        batch: BatchId,
    },
    /// An application looks for the consumer of its name, and registers it if there is none.
    ConsumerWanted {
        /// Who.
        application: ApplicationId,
        /// The same as a reader.
        reader: ReaderId,
    },
    /// A reader is done with all of a closed shard. No call of AWS: it lets the stream forget the shard's records.
    ShardLeft {
        /// Who.
        reader: ReaderId,
        /// Which shard.
        shard: ShardIndex,
    },
    /// A change of the stream itself is due.
    ChangeDue {
        /// Its number.
        number: u32,
    },
    /// A minute of a stream in on-demand mode is over.
    MinuteOver,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::PutReceived { .. } => 0,
            Self::PutServed { .. } => 1,
            Self::CohortWindow => 2,
            Self::GetReceived { .. } => 3,
            Self::GetServed { .. } => 4,
            Self::IteratorReceived { .. } => 9,
            Self::IteratorServed { .. } => 10,
            Self::ShardLeft { .. } => 5,
            Self::ChangeDue { .. } => 6,
            Self::MinuteOver => 7,
            Self::ListShards { .. } => 11,
            Self::SubscribeReceived { .. } => 12,
            Self::PushDue { .. } => 13,
            Self::KeepAlive { .. } => 14,
            Self::EventAcknowledged { .. } => 15,
            Self::ConsumerWanted { .. } => 8,
        }
    }
}

/// A stream.
#[derive(Clone, Debug)]
pub struct Stream {
    /// All shards that it has ever had, by number.
    shards: Vec<Shard>,
    map: ShardMap,
    write_burst: u64,
    control: Control,
    scaling: Scaling,
    /// Kept where the load of shards decides something.
    meter: Option<Meter>,
    retention: SimDuration,
    max_record_bytes: u64,
    max_put_bytes: u64,
    readers: Vec<Reader>,
    put_service: RandomSpan,
    get_service: RandomSpan,
    iterators: Iterators,
    subscriptions: Subscriptions,
    internal_failure_rate: Ratio,
    entry_failure_rate: Ratio,
    failure_stream: Random,
    lost_acknowledgement_rate: Ratio,
    loss_stream: Random,
    request_timeout: SimDuration,
    link: Link,
    cohorts: Cohorts,
    summing: Summing,
    /// Every call of a cohort is decided by itself, even where it is certain that none is refused.
    decides_each_call: bool,
    /// Room for those of the cohort in hand.
    service_times: Vec<u64>,
    /// Shard whose log was last kept within the retention in its turn.
    next_to_expire: usize,
    /// Number of the put in progress; marks the shards that it has touched.
    calls: u64,
    touched: Touched,
    tallies: Vec<ShardTally>,
    in_service: u64,
    aggregated: AggregatedRecords,
}

/// A declared reader and, by shard, the position before which it needs nothing.
#[derive(Clone, Debug)]
struct Reader {
    id: ReaderId,
    checkpoints: Vec<u64>,
}

/// Which shards the put in progress has touched, and where their tallies stand.
#[derive(Clone, Debug)]
struct Touched {
    marks: Vec<(u64, u32)>,
}

impl Touched {
    #[inline]
    fn tally<'t>(
        &mut self,
        call: u64,
        shard: u32,
        tallies: &'t mut Vec<ShardTally>,
        begin: impl FnOnce() -> ShardTally,
    ) -> &'t mut ShardTally {
        let mark = &mut self.marks[to_usize(shard)];
        if mark.0 != call {
            *mark = (call, to_u32(tallies.len()));
            tallies.push(begin());
        }
        &mut tallies[to_usize(mark.1)]
    }
}

/// What a stream is built from, beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct StreamSetting<'a> {
    /// Quotas.
    pub profile: Profile,
    /// Undocumented choices.
    pub model: &'a ModelParameters,
    /// Keys of the run.
    pub keys: &'a KeyTable,
    /// Whoever reads the stream.
    pub readers: &'a [ReaderId],
    /// Some of them ask for iterators: applications, and mappings that begin during the run.
    pub iterators: bool,
    /// Those of them that are registered consumers.
    pub consumers: &'a [ConsumerSetting<'a>],
    /// What the account has.
    pub account: StreamAccount,
    /// Keep track of every shard's load: something will depend on it.
    pub metered: bool,
    /// Width of the window for single-record calls of fast producers.
    pub call_window: SimDuration,
}

impl Stream {
    /// A stream at the start of its life: empty shards, full buckets.
    pub fn new(
        blueprint: &StreamBlueprint,
        setting: StreamSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let StreamSetting {
            profile,
            model,
            keys,
            readers,
            iterators,
            consumers,
            account,
            metered,
            call_window,
        } = setting;
        let component = format!("stream.{}", blueprint.name);
        let map = ShardMap::new(blueprint.shard_count, keys);
        let write_burst = write_burst(blueprint.max_record_size_kib);
        let split_delay = RandomSpan::new(&component, "on-demand-split", &model.on_demand_split_delay, streams)?;
        let metered = metered || blueprint.mode == CapacityMode::OnDemand;
        let shard_count = to_usize(blueprint.shard_count);
        Ok(Self {
            shards: first_shards(&map, write_burst),
            map,
            write_burst,
            control: Control::new(blueprint.mode, account, model),
            scaling: Scaling::new(split_delay, blueprint.warm_throughput_mib),
            meter: metered.then(Meter::default),
            retention: SimDuration::from_hours(u64::from(blueprint.retention_hours)),
            max_record_bytes: u64::from(blueprint.max_record_size_kib) * KIB,
            max_put_bytes: quotas::max_put_bytes(profile),
            readers: readers
                .iter()
                .map(|&id| Reader {
                    id,
                    checkpoints: vec![0; shard_count],
                })
                .collect(),
            put_service: RandomSpan::new(&component, "put-service-time", &model.put_service_time, streams)?,
            get_service: RandomSpan::new(&component, "get-service-time", &model.get_service_time, streams)?,
            iterators: Iterators::new(&component, model, iterators, streams)?,
            subscriptions: Subscriptions::new(&component, consumers, model, streams)?,
            internal_failure_rate: model.internal_failure_rate,
            entry_failure_rate: model.entry_failure_rate,
            failure_stream: streams.stream(&format!("{component}/internal-failure"))?,
            lost_acknowledgement_rate: model.lost_acknowledgement_rate,
            loss_stream: streams.stream(&format!("{component}/lost-acknowledgement"))?,
            request_timeout: model.request_timeout,
            link: Link::new(&component, model, streams)?,
            cohorts: Cohorts::new(call_window),
            summing: Summing::new(blueprint.shard_count, blueprint.shard_level_metrics),
            decides_each_call: false,
            service_times: Vec::new(),
            next_to_expire: 0,
            calls: 0,
            touched: Touched {
                marks: vec![(0, 0); shard_count],
            },
            tallies: Vec::new(),
            in_service: 0,
            aggregated: AggregatedRecords::default(),
        })
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: StreamId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::PutReceived { batch } => self.put_received(me, batch, cx),
            Event::PutServed { batch } => self.put_served(me, batch, cx),
            Event::CohortWindow => self.cohort_window(me, cx),
            Event::GetReceived { batch } => self.get_received(me, batch, cx),
            Event::GetServed { batch } => self.get_served(me, batch, cx),
            Event::ListShards { batch } => self.list_shards(batch, cx),
            Event::IteratorReceived { batch } => self.iterator_received(me, batch, cx),
            Event::IteratorServed { batch } => self.iterator_served(me, batch, cx),
            Event::SubscribeReceived { batch } => self.subscribe_received(me, batch, cx),
            Event::PushDue {
                consumer,
                shard,
                subscription,
            } => self.push_due(me, consumer, shard, subscription, cx),
            Event::KeepAlive {
                consumer,
                shard,
                subscription,
            } => self.keep_alive(me, consumer, shard, subscription, cx),
            Event::EventAcknowledged { batch } => self.event_acknowledged(me, batch, cx),
            Event::ConsumerWanted { application, reader } => self.consumer_wanted(me, reader, application, cx),
            Event::ShardLeft { reader, shard } => self.shard_left(reader, shard),
            Event::ChangeDue { number } => self.change_due(me, number, cx),
            Event::MinuteOver => self.minute_over(me, cx),
        }
    }

    /// The open shards' hash ranges, in order.
    pub fn ranges(&self) -> &[HashRange] {
        self.map.ranges()
    }
    /// Which shards are open, and what goes where.
    pub const fn map(&self) -> &ShardMap {
        &self.map
    }
    /// All shards that it has ever had, by number.
    pub fn shards(&self) -> &[Shard] {
        &self.shards
    }
    /// Which shard the key goes to.
    pub fn shard_of(&self, key: crate::record::KeyId) -> ShardIndex {
        self.map.shard_of(key)
    }
    /// Records of puts whose service has not ended.
    pub const fn in_service(&self) -> u64 {
        self.in_service + self.cohorts.calls()
    }
    /// Windows of single-record calls that were handled as cohorts.
    pub const fn cohort_windows(&self) -> u64 {
        self.cohorts.windows()
    }
    /// From now on every call of a cohort is decided by itself, even where it is certain that none is refused. That takes
    /// longer and changes nothing; see the module's tests.
    pub const fn decide_each_call(&mut self) {
        self.decides_each_call = true;
    }
    /// Draws on the stream's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        [
            self.put_service.draws(),
            self.get_service.draws(),
            self.failure_stream.draws(),
            self.loss_stream.draws(),
            self.link.draws(),
        ]
        .into_iter()
        .chain(self.iterators.draws())
        .chain(self.subscriptions.draws())
        // Streams that do not scale by themselves have nothing to tell.
        .chain(Some(self.scaling.draws()).filter(|&draws| draws > 0))
    }
    /// Bytes of memory that retained records take.
    pub fn memory(&self) -> u64 {
        self.shards.iter().map(|shard| shard.log.memory()).sum()
    }
    /// Lets old records expire in every shard.
    pub fn expire(&mut self, now: SimTime) {
        for shard in &mut self.shards {
            shard.expire(now, self.retention);
        }
    }
}

/// Capacity of the write byte bucket of a shard (KDS-W-19, KDS-MOD-02).
const fn write_burst(max_record_size_kib: u32) -> u64 {
    if max_record_size_kib > quotas::MAX_RECORD_SIZE_KIB_DEFAULT {
        quotas::SHARD_WRITE_BURST_LARGE
    } else {
        quotas::SHARD_WRITE_BYTES
    }
}

/// The shards of a new stream.
fn first_shards(map: &ShardMap, write_burst: u64) -> Vec<Shard> {
    map.shards()
        .iter()
        .zip(map.ranges())
        .map(|(&index, &range)| {
            let origin = Origin {
                range,
                parents: [None; 2],
                opened_at: SimTime::ZERO,
            };
            Shard::new(index, origin, write_burst)
        })
        .collect()
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("a stream received {what}")));
}
