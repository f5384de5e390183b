//! A consumer application: workers that read a stream with the Kinesis Client Library.
//!
//! Workers share the shards by leases, rows of a table that name an owner and a checkpoint (KDS-KCL-01). Who owns a lease
//! fetches the shard's records ahead of its record processor, has them processed one batch at a time, and checkpoints as
//! the application is written to. A worker that dies leaves its leases to expire; whoever takes one over starts at the
//! checkpoint, so what was processed after it is processed again (KDS-KCL-32). A worker that was only slow goes on with
//! the batch in hand and overlaps with its successor (KDS-KCL-33).
//!
//! Left out: the table's throttling and its latency except for checkpoints, and the library's own sentinel for LATEST.
//! There a worker that takes over before the first checkpoint would begin at LATEST anew and pass over what lies between;
//! here an application settles once where it begins.

mod assignment;
mod checkpoint;
mod consumer;
mod fetching;
mod lease;
mod processing;
mod progress;
mod subscribing;
#[cfg(test)]
mod tests;
mod timing;
mod worker;

use assignment::leader::Lock;
use lease::LeaseTable;
use progress::Progress;
use timing::Timing;
use worker::{Rollout, Worker};

use crate::batch::BatchId;
use crate::blueprint::{
    ApplicationBlueprint, Checkpointing, InitialPosition, KclSettings, KclVersion, ModelParameters, Retrieval,
};
use crate::context::{Cx, Fault};
use crate::engine::index::{to_u32, to_usize};
use crate::engine::phase::Phase;
use crate::engine::quantity::Ratio;
use crate::engine::random::{RandomStreams, Stream as Random};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{ApplicationId, ProcessorId, ReaderId, ShardIndex, SinkId, StreamId};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::record::Record;
use crate::services::ServiceBuildError;
use crate::services::network::Link;
use crate::services::random_span::RandomSpan;
use crate::world;
use std::collections::BTreeMap;

/// What happens to an application.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// Its first workers start.
    Start,
    /// A worker renews its leases (KDS-KCL-06).
    Renew {
        /// Number of the worker.
        worker: u16,
    },
    /// A worker scans the table and takes leases (KDS-KCL-07), or runs the leader's assignment if it leads (KDS-KCL-12).
    Assign {
        /// Number of the worker.
        worker: u16,
    },
    /// A worker of 3.x looks for leases that the leader has given to it (KDS-KCL-13).
    Discover {
        /// Number of the worker.
        worker: u16,
    },
    /// A worker of 3.x writes its metrics, and renews the leader's lock if it leads (KDS-KCL-19, KDS-KCL-39).
    Heartbeat {
        /// Number of the worker.
        worker: u16,
    },
    /// A worker looks after the record processors of its leases (KDS-KCL-41).
    Dispatch {
        /// Number of the worker.
        worker: u16,
    },
    /// The next read of a shard is due, or the next attempt to get an iterator.
    Fetch {
        /// Number of the shard.
        shard: u32,
        /// Number of the worker.
        worker: u16,
        /// Marks its tenure of the shard.
        tenure: u16,
    },
    /// The shards with which to begin came in.
    ShardsListed {
        /// The response.
        batch: BatchId,
    },
    /// An answer to GetShardIterator came in.
    IteratorReceived {
        /// The response.
        batch: BatchId,
    },
    /// A page of records, or a refusal, came in.
    PageReceived {
        /// The response.
        batch: BatchId,
    },
    /// A SubscribeToShard was answered, or an event was pushed.
    Pushed {
        /// The response, or the event.
        batch: BatchId,
    },
    /// The record processor is done with its batch, or has thrown.
    Processed {
        /// Number of the shard.
        shard: u32,
        /// Number of the worker.
        worker: u16,
        /// Marks its tenure of the shard.
        tenure: u16,
    },
    /// The sink has taken a batch.
    Written {
        /// The response.
        batch: BatchId,
    },
    /// The lease table has answered to a checkpoint.
    Checkpointed {
        /// Number of the shard.
        shard: u32,
        /// Number of the worker.
        worker: u16,
        /// Marks its tenure of the shard.
        tenure: u16,
    },
    /// A deployment replaces a worker.
    Replace {
        /// Number of the worker.
        worker: u16,
    },
    /// A new worker starts.
    Join,
}

impl Event {
    /// The kind of event as a number, for the fingerprint.
    pub(crate) const fn kind(self) -> u64 {
        match self {
            Self::Start => 0,
            Self::Renew { .. } => 1,
            Self::Assign { .. } => 2,
            Self::Discover { .. } => 3,
            Self::Heartbeat { .. } => 4,
            Self::Dispatch { .. } => 5,
            Self::Fetch { .. } => 6,
            Self::IteratorReceived { .. } => 7,
            Self::PageReceived { .. } => 8,
            Self::Processed { .. } => 9,
            Self::Written { .. } => 10,
            Self::Checkpointed { .. } => 11,
            Self::Replace { .. } => 12,
            Self::Join => 13,
            Self::ShardsListed { .. } => 14,
            Self::Pushed { .. } => 15,
        }
    }
    /// The worker whose own timer it is.
    const fn timer_of(self) -> Option<u16> {
        match self {
            Self::Renew { worker }
            | Self::Assign { worker }
            | Self::Discover { worker }
            | Self::Heartbeat { worker }
            | Self::Dispatch { worker }
            | Self::Fetch { worker, .. }
            | Self::Processed { worker, .. }
            | Self::Checkpointed { worker, .. } => Some(worker),
            Self::Start
            | Self::ShardsListed { .. }
            | Self::IteratorReceived { .. }
            | Self::PageReceived { .. }
            | Self::Pushed { .. }
            | Self::Written { .. }
            | Self::Replace { .. }
            | Self::Join => None,
        }
    }
}

/// A consumer application.
#[derive(Clone, Debug)]
pub struct Application {
    stream: StreamId,
    reader: ReaderId,
    processor: ProcessorId,
    sink: Option<SinkId>,
    version: KclVersion,
    retrieval: Retrieval,
    settings: KclSettings,
    timing: Timing,
    initial: InitialPosition,
    starts_at: SimTime,
    first_workers: u32,
    /// Somebody has asked for the shards with which to begin.
    listing: bool,
    checkpointing: Checkpointing,
    table: LeaseTable,
    lock: Lock,
    /// All workers that there have been, by number.
    workers: Vec<Worker>,
    rollout: Rollout,
    progress: Vec<Progress>,
    handler: Handler,
    table_write: RandomSpan,
    link: Link,
    choice: Random,
    /// Tenures so far.
    tenures: u16,
    /// Reads under way, by shard and tenure: from which position.
    reads: BTreeMap<(u32, u16), u64>,
    /// Kinesis records of the batches in work that hold aggregated ones, by shard and tenure.
    aggregated: BTreeMap<(u32, u16), Vec<Record>>,
}

/// The record processor's time and failures.
#[derive(Clone, Debug)]
struct Handler {
    per_batch: RandomSpan,
    per_record: SimDuration,
    failure_rate: Ratio,
    failure: Random,
}

/// What an application is built from, beside its blueprint.
#[derive(Clone, Copy, Debug)]
pub struct ApplicationSetting<'a> {
    /// Undocumented choices.
    pub model: &'a ModelParameters,
    /// The stream.
    pub stream: StreamId,
    /// Its number as a reader.
    pub reader: ReaderId,
    /// Its number as a processor.
    pub processor: ProcessorId,
    /// Where it writes, if anywhere.
    pub sink: Option<SinkId>,
}

/// An application's place in a shard, for the conservation check.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApplicationPlace {
    /// The shard.
    pub shard: ShardIndex,
    /// Where it started.
    pub start: u64,
    /// The next position that no worker has received.
    pub cursor: u64,
    /// Records received and not done.
    pub in_flight: u64,
}

impl Application {
    /// An application without workers.
    pub fn new(
        blueprint: &ApplicationBlueprint,
        setting: ApplicationSetting<'_>,
        streams: &mut RandomStreams,
    ) -> Result<Self, ServiceBuildError> {
        let component = format!("application.{}", blueprint.name);
        let model = setting.model;
        Ok(Self {
            stream: setting.stream,
            reader: setting.reader,
            processor: setting.processor,
            sink: setting.sink,
            version: blueprint.kcl,
            retrieval: blueprint.retrieval,
            settings: blueprint.settings,
            timing: Timing::of(&blueprint.settings),
            initial: blueprint.initial_position,
            starts_at: blueprint.starts_at,
            first_workers: blueprint.workers,
            listing: false,
            checkpointing: blueprint.checkpoint,
            table: LeaseTable::default(),
            lock: Lock::default(),
            workers: Vec::new(),
            rollout: Rollout::default(),
            progress: Vec::new(),
            handler: Handler {
                per_batch: RandomSpan::new(&component, "processing", &blueprint.per_batch, streams)?,
                per_record: blueprint.per_record,
                failure_rate: blueprint.failure_rate,
                failure: streams.stream(&format!("{component}/failure"))?,
            },
            table_write: RandomSpan::new(&component, "checkpoint", &model.lease_write_time, streams)?,
            link: Link::new(&component, model, streams)?,
            choice: streams.stream(&format!("{component}/lease-choice"))?,
            tenures: 0,
            reads: BTreeMap::new(),
            aggregated: BTreeMap::new(),
        })
    }

    /// Schedules the start of the first workers.
    pub fn start(&self, me: ApplicationId, cx: &mut Cx<'_, '_>) {
        wake(me, Event::Start, self.starts_at.max(cx.now()), cx);
    }

    /// Reacts to an event. A worker that is dead reacts to nothing, one that stands still when it goes on.
    pub fn handle(&mut self, me: ApplicationId, event: Event, cx: &mut Cx<'_, '_>) {
        if let Some(number) = event.timer_of() {
            let worker = &self.workers[usize::from(number)];
            if !worker.alive {
                return;
            }
            if worker.paused_until > cx.now() {
                return wake(me, event, worker.paused_until, cx);
            }
        }
        match event {
            Event::Start => {
                for _ in 0..self.first_workers {
                    self.join(me, cx);
                }
            }
            Event::Join => self.join(me, cx),
            Event::ShardsListed { batch } => self.shards_listed(me, batch, cx),
            Event::Renew { worker } => self.renew(me, worker, cx),
            Event::Assign { worker } => self.assign(me, worker, cx),
            Event::Discover { worker } => self.discover(me, worker, cx),
            Event::Heartbeat { worker } => self.heartbeat(me, worker, cx),
            Event::Dispatch { worker } => self.dispatch(me, worker, cx),
            Event::Fetch { shard, worker, tenure } => self.fetch_due(me, worker, shard, tenure, cx),
            Event::IteratorReceived { batch } => self.iterator_received(me, batch, cx),
            Event::PageReceived { batch } => self.page_received(me, batch, cx),
            Event::Pushed { batch } => self.pushed(me, batch, cx),
            Event::Processed { shard, worker, tenure } => self.processed(me, worker, shard, tenure, cx),
            Event::Written { batch } => self.written(me, batch, cx),
            Event::Checkpointed { shard, worker, tenure } => self.checkpointed(me, worker, shard, tenure, cx),
            Event::Replace { worker } => self.replace(me, worker, cx),
        }
    }

    /// The stream that it reads.
    pub const fn stream(&self) -> StreamId {
        self.stream
    }
    /// Its number as a reader.
    pub const fn reader(&self) -> ReaderId {
        self.reader
    }
    /// Workers that live.
    pub fn workers(&self) -> usize {
        self.workers.iter().filter(|worker| worker.alive).count()
    }
    /// The owner of a shard's lease, living or not.
    pub fn owner_of(&self, shard: ShardIndex) -> Option<u16> {
        self.table.get(shard.0).and_then(|lease| lease.owner)
    }
    /// Where it stands in each of so many shards.
    pub fn places(&self, shards: u32) -> impl Iterator<Item = ApplicationPlace> + '_ {
        (0..shards).map(|shard| {
            let none = Progress::default();
            let progress = self.progress.get(to_usize(shard)).unwrap_or(&none);
            ApplicationPlace {
                shard: ShardIndex(shard),
                start: progress.start.unwrap_or(0),
                cursor: progress.seen,
                in_flight: progress.in_flight(),
            }
        })
    }
    /// Bytes of memory that records in its workers, and those that were skipped, take.
    pub fn memory(&self) -> u64 {
        let aggregated: u64 = self.aggregated.values().map(|records| count(records.len())).sum();
        let skipped: u64 = self.progress.iter().map(Progress::skipped).sum();
        let record = count(size_of::<Record>());
        self.workers.iter().map(Worker::memory).sum::<u64>() + (aggregated + skipped) * record
    }
    /// Draws on its random streams, for the fingerprint.
    pub fn draws(&self) -> impl Iterator<Item = u64> {
        [
            self.handler.per_batch.draws(),
            self.handler.failure.draws(),
            self.table_write.draws(),
            self.link.draws(),
            self.choice.draws(),
        ]
        .into_iter()
    }

    fn progress(&mut self, shard: u32) -> &mut Progress {
        let at = to_usize(shard);
        if at >= self.progress.len() {
            self.progress.resize_with(at + 1, Progress::default);
        }
        &mut self.progress[at]
    }

    /// States what a step has read from and written to the lease table.
    fn use_table(&self, rows_read: u32, rows_written: u32, cx: &mut Cx<'_, '_>) {
        if rows_read > 0 || rows_written > 0 {
            let reader = self.reader;
            cx.emit(|| Fact::ApplicationChanged {
                reader,
                change: ApplicationChange::LeaseTableUsed {
                    rows_read,
                    rows_written,
                },
            });
        }
    }
}

/// Schedules an event of the application's own.
fn wake(me: ApplicationId, event: Event, at: SimTime, cx: &mut Cx<'_, '_>) {
    cx.wake(at, Phase::Act, world::Event::Application(me, event));
}

/// Number of records, as positions count.
fn count(length: usize) -> u64 {
    u64::from(to_u32(length))
}

#[cold]
fn broken(cx: &mut Cx<'_, '_>, what: &str) {
    cx.fail(Fault::Broken(format!("an application received {what}")));
}
