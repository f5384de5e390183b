//! An event source mapping: Lambda's own poller of a stream.
//!
//! Each shard is polled once a second, and back to back while it is behind (LAM-K-01, LAM-K-02). Pages pass to the
//! lanes after the dispatch delay; a lane sends a batch when it has BatchSize records, when 6 MB are reached or when its
//! window is over (LAM-E-03), one batch at a time. A failed batch blocks its lane: it is read again from the stream
//! after a wait and invoked again (LAM-X-02, LAM-K-20), whole, in halves (LAM-X-11) or from the first failure that the
//! function reports (LAM-X-17), until it succeeds, its records have expired, or the mapping gives it up (LAM-X-09).

mod batching;
mod failure;
pub(crate) mod filters;
mod giving_up;
mod invoking;
mod lane;
mod lineage;
mod pausing;
pub(crate) mod payload;
mod polling;
mod progress;
pub mod quotas;
mod reread;
mod starting;
mod subscribing;
#[cfg(test)]
mod tests;
mod windows;

use filters::Filters;
use giving_up::Destination;
use lane::{Lane, LaneState, Positions};
use lineage::Stage;
use payload::Payload;
use polling::ReadAhead;
use progress::Progress;
use subscribing::FanOut;

use crate::batch::BatchId;
use crate::blueprint::{ErrorHandling, MappingBlueprint, ModelParameters, StartingPosition};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, MappingId, ShardIndex, StreamId};
use crate::key::{HashRange, KeyTable};
use crate::observe::fact::Fact;
use crate::services::ServiceBuildError;
use crate::services::network::Link;

/// What happens to a mapping.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// A shard's poll is due.
    Poll {
        /// Number of the shard.
        shard: u32,
        /// Marks the shard's armed timer; an earlier one is stale.
        generation: u32,
    },
    /// A page of records, or a refusal, came in.
    PageReceived {
        /// The response.
        batch: BatchId,
    },
    /// A `SubscribeToShard` was answered.
    Subscribed {
        /// The response.
        batch: BatchId,
    },
    /// An event was pushed, or a subscription is over.
    EventReceived {
        /// The event.
        batch: BatchId,
    },
    /// A page has reached the lanes, the dispatch delay being over (LAM-U-04).
    PageReady {
        /// The page.
        batch: BatchId,
    },
    /// A lane's batching window is over, or its wait before a retry.
    LaneDue {
        /// Number of the shard.
        shard: u32,
        /// Number of the lane.
        lane: u16,
        /// Marks the lane's armed timer; an earlier one is stale.
        generation: u16,
    },
    /// The function answered.
    Invoked {
        /// The response.
        batch: BatchId,
    },
    /// A mapping that was created during the run begins.
    Begin,
    /// The stream told the shards with which it begins.
    ShardsListed {
        /// The response.
        batch: BatchId,
    },
    /// The stream told where reading begins in a shard.
    IteratorReceived {
        /// The response.
        batch: BatchId,
    },
    /// A refused question for an iterator is repeated.
    AskAgain {
        /// Number of the shard.
        shard: u32,
    },
    /// A change of Enabled is in effect.
    Switch {
        /// The new value.
        enabled: bool,
    },
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Poll { .. } => 0,
            Self::PageReceived { .. } => 1,
            Self::PageReady { .. } => 2,
            Self::LaneDue { .. } => 3,
            Self::Invoked { .. } => 4,
            Self::Subscribed { .. } => 5,
            Self::EventReceived { .. } => 6,
            Self::Begin => 7,
            Self::ShardsListed { .. } => 8,
            Self::IteratorReceived { .. } => 9,
            Self::AskAgain { .. } => 10,
            Self::Switch { .. } => 11,
        }
    }
}

/// A mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    stream: StreamId,
    function: FunctionId,
    readers: Vec<ShardReader>,
    starting_position: StartingPosition,
    /// Zero: before the run, whose streams are empty then, so every starting position is the first one.
    created_at: SimTime,
    /// It polls and invokes (LAM-E-13).
    enabled: bool,
    /// It was not when it should have begun.
    begins_when_enabled: bool,
    /// Closed shards that have been read to their end and still have records in hand.
    ending: Vec<u32>,
    lanes: u32,
    /// Lane of each key of the run (LAM-U-01); empty with one lane a shard.
    lanes_of_keys: Vec<u16>,
    batch_size: usize,
    window: SimDuration,
    /// Reading stops while so much waits (LAM-U-02).
    read_ahead: ReadAhead,
    payload: Payload,
    errors: ErrorHandling,
    destination: Option<Destination>,
    filters: Option<Filters>,
    /// Zero: none.
    tumbling_window: SimDuration,
    timing: Timing,
    /// Records are pushed to it: it is a registered consumer.
    fan_out: Option<FanOut>,
    link: Link,
    phase: Random,
    /// How often a batch that succeeded is delivered once more, and what decides it (LAM-U-37).
    failovers: Option<(Ratio, Random)>,
    /// Offset of its listings of shards; drawn when it first needs one.
    discovery_phase: Option<SimDuration>,
}

/// The undocumented durations that a mapping goes by.
#[derive(Clone, Copy, Debug)]
struct Timing {
    poll: SimDuration,
    poll_min: SimDuration,
    dispatch: SimDuration,
    error_backoff: (SimDuration, SimDuration),
    throttle_backoff: (SimDuration, SimDuration),
    page_records: u32,
    /// From creation to the first poll.
    creation: SimDuration,
    /// Between two listings of the stream's shards.
    discovery: SimDuration,
}

impl Timing {
    const fn new(model: &ModelParameters) -> Self {
        Self {
            poll: model.poll_interval,
            poll_min: model.min_poll_interval,
            dispatch: model.poll_dispatch_delay,
            error_backoff: (model.retry_backoff, model.retry_backoff_max),
            throttle_backoff: (model.throttle_backoff, model.throttle_backoff_max),
            page_records: model.poll_page_records,
            creation: model.mapping_creation_delay,
            discovery: model.shard_discovery_interval,
        }
    }
}

/// One shard, as the mapping sees it.
#[derive(Clone, Debug)]
struct ShardReader {
    stage: Stage,
    /// It is known where reading begins: not while a mapping that is created during the run asks for it.
    begun: bool,
    /// Its part of the hash space.
    range: HashRange,
    start: u64,
    cursor: u64,
    progress: Progress,
    lanes: Vec<Lane>,
    /// A poll is under way, or its page is on its way to the lanes.
    reading: bool,
    /// The last page left records behind.
    behind: bool,
    last_poll: SimTime,
    poll_generation: u32,
    /// What is in lanes or on its way there, not yet with the function.
    waiting: ReadAhead,
    /// Records read and neither done nor gone.
    in_flight: u64,
}

/// What a mapping is built from, beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct MappingSetting<'a> {
    /// Undocumented choices.
    pub model: &'a ModelParameters,
    /// Keys of the run.
    pub keys: &'a KeyTable,
    /// The stream.
    pub stream: StreamId,
    /// Hash ranges of its shards.
    pub ranges: &'a [HashRange],
    /// The function.
    pub function: FunctionId,
}

/// A reader's place in a shard, for the conservation check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ReaderPlace {
    /// The shard.
    pub shard: ShardIndex,
    /// Where it started.
    pub start: u64,
    /// The next position that it will read.
    pub cursor: u64,
    /// Records read and neither done nor gone.
    pub in_flight: u64,
    /// The lowest position that is not done.
    pub checkpoint: u64,
}

/// Lane of a hash key: equal parts of the shard's range (LAM-U-01).
fn lane_of(hash: u128, start: u128, end: u128, lanes: u32) -> u16 {
    // floor(lanes x (hash - start) / (end - start + 1)) without overflow: both sides are scaled down to 100 bits first,
    // which moves a border by less than one part in 2^90.
    let shift = (128 - (end - start).leading_zeros()).saturating_sub(100);
    let (offset, width) = ((hash - start) >> shift, ((end - start) >> shift) + 1);
    u16::try_from((u128::from(lanes) * offset / width).min(u128::from(lanes - 1))).unwrap_or(0)
}

impl Mapping {
    /// A mapping that has read nothing.
    pub fn new(
        blueprint: &MappingBlueprint,
        setting: MappingSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let MappingSetting {
            model,
            keys,
            stream,
            ranges,
            function,
        } = setting;
        let component = format!("mapping.{}", blueprint.name);
        let lanes = blueprint.parallelization_factor;
        let lanes_of_keys = if lanes == 1 {
            Vec::new()
        } else {
            let lane = |hash| {
                let range = ranges[super::kinesis::shard_map::range_of(ranges, hash)];
                lane_of(hash, range.start, range.end, lanes)
            };
            keys.entries().iter().map(|entry| lane(entry.hash)).collect()
        };
        let reader = |range: &HashRange| {
            let mut reader = ShardReader::unread();
            reader.begin(lanes, *range);
            reader
        };
        Ok(Self {
            stream,
            function,
            readers: if blueprint.begins_late() {
                Vec::new()
            } else {
                ranges.iter().map(reader).collect()
            },
            starting_position: blueprint.starting_position,
            created_at: blueprint.created_at,
            enabled: blueprint.enabled,
            begins_when_enabled: false,
            ending: Vec::new(),
            lanes,
            lanes_of_keys,
            batch_size: to_usize(blueprint.batch_size),
            window: blueprint.maximum_batching_window,
            read_ahead: ReadAhead {
                records: u64::from(lanes) * u64::from(blueprint.batch_size),
                bytes: u64::from(lanes) * quotas::MAX_PAYLOAD_BYTES,
            },
            payload: Payload::new(model.payload_record_overhead, keys),
            errors: blueprint.errors.clone(),
            destination: Destination::new(&component, blueprint, streams)?,
            filters: blueprint.filters.as_ref().map(|filters| Filters::new(filters, keys)),
            tumbling_window: blueprint.tumbling_window,
            timing: Timing::new(model),
            fan_out: blueprint.consumer.is_some().then(|| FanOut::new(model)),
            link: Link::new(&component, model, streams)?,
            phase: streams.stream(&format!("{component}/poll-phase"))?,
            failovers: failovers(&component, model, streams)?,
            discovery_phase: None,
        })
    }

    /// Schedules the first poll of each shard, at a phase of its own within the poll interval (LAM-U-03).
    pub fn start(&mut self, me: MappingId, cx: &mut Cx<'_, '_>) {
        if self.created_at > SimTime::ZERO {
            return self.start_late(me, cx);
        }
        if !self.enabled {
            self.begins_when_enabled = true;
            return;
        }
        for shard in 0..to_u32(self.readers.len()) {
            self.first_poll(me, shard, cx);
        }
    }

    fn first_poll(&mut self, me: MappingId, shard: u32, cx: &mut Cx<'_, '_>) {
        let offset = self.phase.below(self.timing.poll.as_nanos().max(1));
        self.poll_at(me, shard, cx.now() + SimDuration::from_nanos(offset), cx);
    }

    /// Reacts to an event.
    pub fn handle(&mut self, me: MappingId, event: Event, cx: &mut Cx<'_, '_>) {
        match event {
            Event::Poll { shard, generation } => self.poll(me, shard, generation, cx),
            Event::PageReceived { batch } => self.page_received(me, batch, cx),
            Event::Subscribed { batch } => self.subscribed(me, batch, cx),
            Event::EventReceived { batch } => self.event_received(me, batch, cx),
            Event::PageReady { batch } => self.page_ready(me, batch, cx),
            Event::LaneDue {
                shard,
                lane,
                generation,
            } => self.lane_due(me, shard, lane, generation, cx),
            Event::Invoked { batch } => self.invoked(me, batch, cx),
            Event::Begin => self.begin(me, cx),
            Event::ShardsListed { batch } => self.shards_listed(me, batch, cx),
            Event::IteratorReceived { batch } => self.iterator_received(me, batch, cx),
            Event::AskAgain { shard } => self.ask_for_iterator(me, shard, cx),
            Event::Switch { enabled } => self.switch(me, enabled, cx),
        }
        if !self.ending.is_empty() {
            self.leave_ended(me, cx);
        }
    }

    /// The stream that it reads.
    pub const fn stream(&self) -> StreamId {
        self.stream
    }
    /// The function that it invokes.
    pub const fn function(&self) -> FunctionId {
        self.function
    }
    /// Where it stands in each shard.
    pub fn places(&self) -> impl Iterator<Item = ReaderPlace> + '_ {
        (0..)
            .map(ShardIndex)
            .zip(&self.readers)
            .map(|(shard, reader)| ReaderPlace {
                shard,
                start: reader.start,
                cursor: reader.cursor,
                in_flight: reader.in_flight,
                checkpoint: reader.progress.checkpoint(),
            })
    }
    /// Bytes of memory that records in the lanes take.
    pub fn memory(&self) -> u64 {
        self.readers
            .iter()
            .flat_map(|reader| &reader.lanes)
            .map(Lane::memory)
            .sum()
    }
    /// Draws on the mapping's random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> + '_ {
        let destination = self.destination.iter().map(Destination::draws);
        let failovers = self.failovers.iter().map(|(_, stream)| stream.draws());
        [self.phase.draws(), self.link.draws()]
            .into_iter()
            .chain(destination)
            .chain(failovers)
    }

    /// Positions in flight are done for this reader, one way or another.
    fn finish(&mut self, me: MappingId, shard: u32, positions: &Positions, cx: &mut Cx<'_, '_>) {
        self.readers[to_usize(shard)].in_flight -= positions.count();
        self.advance_checkpoint(me, shard, positions, cx);
    }

    fn advance_checkpoint(&mut self, me: MappingId, shard: u32, done: &Positions, cx: &mut Cx<'_, '_>) {
        let reader = &mut self.readers[to_usize(shard)];
        if reader.progress.done(done) {
            let position = reader.progress.checkpoint();
            cx.emit(|| Fact::CheckpointAdvanced {
                reader: me.into(),
                shard: ShardIndex(shard),
                position,
            });
        }
    }

    fn lane_due(&mut self, me: MappingId, shard: u32, lane_number: u16, generation: u16, cx: &mut Cx<'_, '_>) {
        // A shard that was left has no lanes any more.
        let lanes = &mut self.readers[to_usize(shard)].lanes;
        let Some(lane) = lanes.get_mut(usize::from(lane_number)) else {
            return;
        };
        if lane.generation != generation {
            return;
        }
        lane.timer = None;
        if !self.enabled {
            return;
        }
        match core::mem::replace(&mut lane.state, LaneState::Gathering) {
            LaneState::BackingOff(held) if held.is_final => self.send_final_again(me, shard, lane_number, held, cx),
            LaneState::BackingOff(held) => self.read_again(me, shard, lane_number, held, cx),
            LaneState::Gathering => self.dispatch(me, shard, lane_number, cx),
            state @ (LaneState::InFlight(_) | LaneState::Rereading(_)) => lane.state = state,
        }
    }
}

/// A random stream for the failover of pollers, unless there never is one.
fn failovers(
    component: &str,
    model: &ModelParameters,
    streams: &mut RandomStreams,
) -> Result<Option<(Ratio, Random)>, ServiceBuildError> {
    let rate = model.poller_failover_rate;
    if rate.is_zero() {
        return Ok(None);
    }
    Ok(Some((rate, streams.stream(&format!("{component}/poller-failover"))?)))
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("a mapping received {what}")));
}
