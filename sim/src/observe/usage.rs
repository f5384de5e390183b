//! What a bill counts: quantities, no prices.

mod function;
mod queue_mapping;
mod sink;
mod topic;

pub use function::FunctionUsage;
pub use queue_mapping::PollerUsage;
pub use sink::SinkUsage;
pub use topic::{PUBLISH_CHUNK_BYTES, TopicUsage};

use crate::blueprint::{Blueprint, ColdStart, LeaseTableCapacity, Package, PutApi};
use crate::directory::{Component, Directory};
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::quantity::MIB;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, ProducerId, QueueMappingId, ReaderId, SinkId, StreamId, SubscriptionId, TopicId};
use crate::observe::fact::{ApplicationChange, Fact, ShardTally, StreamChange};
use crate::profile::Profile;
use crate::record::{Outcome, Record};
use crate::services::kinesis::operation::{CapacityMode, ConsumerStatus, Operation};
use crate::services::kinesis::quotas::RETENTION_HOURS_MIN;

/// Bytes of a PUT payload unit: 25 times 1,000 (KDS-PRI-02, KDS-MOD-20).
pub const PUT_PAYLOAD_UNIT_BYTES: u32 = 25_000;
/// Bytes of the KB to which on-demand mode rounds each record (KDS-U-07, KDS-MOD-20).
pub const ON_DEMAND_KB_BYTES: u32 = 1_024;
/// Bytes a second that an account with on-demand Advantage pays for at least, in and out (KDS-CAP-15).
pub const ADVANTAGE_BYTES_PER_SECOND: u64 = 25 * MIB;
/// Retention above this lies in the long-term band (KDS-RET-03).
pub const EXTENDED_RETENTION_HOURS_MAX: u32 = 168;

/// What is billed of a stream, and what costs nothing but is good to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamUsage {
    /// Open shards, which are billed whether they are used or not (KDS-PRI-01).
    pub shards: u32,
    /// It is in on-demand mode.
    pub on_demand: bool,
    /// Registered consumers; one that is being deleted is none any more.
    pub consumers: u32,
    /// Metrics that are published for each shard, which CloudWatch charges (KDS-MET-02).
    pub shard_level_metrics: u32,
    /// Since when there are so many.
    shards_since: SimTime,
    /// Shard time before that.
    before: ShardTime,
    /// RetentionPeriodHours, as it was set last; what exceeds 24 h is billed by shard and hour (KDS-PRI-05).
    pub retention_hours: u32,
    /// Units of 25 KB that were written, rounded up for each record (KDS-PRI-02, KDS-PRI-03).
    pub put_payload_units: u64,
    /// PutRecord requests that it answered.
    pub put_record_requests: u64,
    /// PutRecords requests that it answered.
    pub put_records_requests: u64,
    /// GetRecords requests that it answered, refusals included (free: KDS-PRI-04).
    pub get_records_requests: u64,
    /// Bytes stored, partition keys included.
    pub bytes_in: u64,
    /// Bytes given to readers; what is read again counts again.
    pub bytes_out: u64,
    /// KB stored in on-demand mode, each record rounded up (KDS-U-07).
    pub on_demand_kb_in: u64,
    /// Of the bytes given to readers, those that were pushed to registered consumers (KDS-EFO-18).
    pub fan_out_bytes: u64,
    /// Of the pushed bytes, those in on-demand mode, which have a price of their own in Standard (KDS-EFO-18).
    pub on_demand_fan_out_bytes: u64,
    /// Bytes given to readers in on-demand mode.
    pub on_demand_bytes_out: u64,
}

/// Shard time in shard-nanoseconds: what a bill counts in shard-hours. Shards of a stream in on-demand mode are not billed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ShardTime {
    /// In all.
    pub open: u128,
    /// For each metric of a shard once more, in whatever capacity mode (KDS-MET-02).
    pub shard_level_metrics: u128,
    /// For each registered consumer once more: consumer-shard time, used or not (KDS-EFO-18).
    pub consumers: u128,
    /// With retention beyond 24 h, so that the extended band is paid for (KDS-RET-03).
    pub extended_retention: u128,
    /// With retention beyond seven days, so that the long-term band is in use as well (KDS-RET-03).
    pub long_term_retention: u128,
}

impl StreamUsage {
    /// Shard time over a span from the start on, which ends after the last change of the stream.
    pub fn shard_time(&self, span: SimDuration) -> ShardTime {
        let rest = SimTime::ZERO.saturating_add(span).since(self.shards_since);
        let billed = if self.on_demand { 0 } else { self.shards };
        let nanos = u128::from(billed) * u128::from(rest.as_nanos());
        let beyond = |hours| if self.retention_hours > hours { nanos } else { 0 };
        ShardTime {
            open: self.before.open + nanos,
            shard_level_metrics: self.before.shard_level_metrics
                + u128::from(self.shards) * u128::from(self.shard_level_metrics) * u128::from(rest.as_nanos()),
            consumers: self.before.consumers + nanos * u128::from(self.consumers),
            extended_retention: self.before.extended_retention + beyond(RETENTION_HOURS_MIN),
            long_term_retention: self.before.long_term_retention + beyond(EXTENDED_RETENTION_HOURS_MAX),
        }
    }
    /// All of its shard time over such a span.
    pub fn shard_nanos(&self, span: SimDuration) -> u128 {
        self.shard_time(span).open
    }
    fn changed(&mut self, now: SimTime, change: StreamChange) {
        match change {
            StreamChange::Completed {
                operation: Operation::SetMode { mode },
            } => {
                // What has passed is counted in the mode that held until now.
                self.set_shards(now, self.shards);
                self.on_demand = mode == CapacityMode::OnDemand;
            }
            StreamChange::ShardClosed { .. } => self.set_shards(now, self.shards - 1),
            StreamChange::ShardOpened { .. } => self.set_shards(now, self.shards + 1),
            StreamChange::Completed {
                operation: Operation::SetRetention { hours },
            } => {
                // So is what has passed with the retention that held until now.
                self.set_shards(now, self.shards);
                self.retention_hours = hours;
            }
            StreamChange::ConsumerChanged { status, .. } => {
                self.set_shards(now, self.shards);
                match status {
                    Some(ConsumerStatus::Creating) => self.consumers += 1,
                    Some(ConsumerStatus::Deleting) => self.consumers -= 1,
                    Some(ConsumerStatus::Active) | None => {}
                }
            }
            StreamChange::ConsumerRefused { .. }
            | StreamChange::ShardExpired { .. }
            | StreamChange::ScaledOut { .. }
            | StreamChange::Accepted { .. }
            | StreamChange::Completed { .. }
            | StreamChange::Refused { .. } => {}
        }
    }
    fn set_shards(&mut self, now: SimTime, shards: u32) {
        self.before = self.shard_time(now.since(SimTime::ZERO));
        (self.shards, self.shards_since) = (shards, now);
    }
    /// Hours of retention beyond those that cost nothing (KDS-RET-01).
    pub const fn retention_hours_above_24(&self) -> u32 {
        self.retention_hours.saturating_sub(RETENTION_HOURS_MIN)
    }
}

/// What a reader read, which is part of its stream's usage.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReaderUsage {
    /// GetRecords requests, refusals included.
    pub get_records_requests: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Rows of an application's lease table that it read (KDS-KCL-40).
    pub lease_rows_read: u64,
    /// Rows of an application's lease table that it wrote (KDS-KCL-39).
    pub lease_rows_written: u64,
    /// How that table's capacity is paid for (KDS-KCL-38); `None`: it has no table.
    pub lease_table: Option<LeaseTableCapacity>,
}

/// What an account with on-demand Advantage has committed to, and by how much it falls short (KDS-CAP-15).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AdvantageUsage {
    /// Bytes in and, the same, out that are paid for at least.
    pub committed_bytes: u64,
    /// Of those, bytes that no stream in on-demand mode took.
    pub shortfall_in: u64,
    /// Of those, bytes that none gave out.
    pub shortfall_out: u64,
}

/// The observer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// By sink.
    pub sinks: IndexVec<SinkId, SinkUsage>,
    /// By stream.
    pub streams: IndexVec<StreamId, StreamUsage>,
    /// By reader.
    pub readers: IndexVec<ReaderId, ReaderUsage>,
    /// By function.
    pub functions: IndexVec<FunctionId, FunctionUsage>,
    /// By topic.
    pub topics: IndexVec<TopicId, TopicUsage>,
    topic_of: IndexVec<SubscriptionId, TopicId>,
    /// By mapping of a queue.
    pub queue_mappings: IndexVec<QueueMappingId, PollerUsage>,
    /// The account has on-demand Advantage.
    advantage: bool,
    /// What producers call.
    apis: IndexVec<ProducerId, PutApi>,
    /// Functions whose Init is billed.
    bills_init: IndexVec<FunctionId, bool>,
}

/// Whether a cold start's Init is billed: always now (LAM-B-17), formerly not for zip packages on managed runtimes
/// (LAM-B-18). A cold start of the scenario's own counts as such.
fn bills_init(profile: Profile, cold_start: &ColdStart) -> bool {
    let custom = |runtime: &str| runtime.starts_with("provided") || matches!(runtime, "go" | "rust");
    match (profile, cold_start) {
        (Profile::Current, _) => true,
        (Profile::Exam, ColdStart::Own(_)) => false,
        (Profile::Exam, ColdStart::Published { runtime, package, .. }) => *package == Package::Image || custom(runtime),
    }
}

impl Usage {
    /// An observer for the components of a run.
    pub fn new(directory: &Directory, blueprint: &Blueprint) -> Self {
        let stream = |name: &str| blueprint.streams.iter().find(|stream| stream.name == name);
        let function = |name: &str| blueprint.functions.iter().find(|function| function.name == name);
        Self {
            sinks: directory
                .sinks
                .iter()
                .map(|entry| SinkUsage::new(entry.service))
                .collect(),
            streams: directory
                .streams
                .iter()
                .map(|entry| StreamUsage {
                    shards: entry.shards,
                    shard_level_metrics: entry.shard_level_metrics.count(),
                    consumers: to_u32(entry.consumers.iter().filter(|consumer| consumer.registered).count()),
                    on_demand: stream(&entry.name).is_some_and(|found| found.mode == CapacityMode::OnDemand),
                    retention_hours: stream(&entry.name).map_or(RETENTION_HOURS_MIN, |found| found.retention_hours),
                    ..StreamUsage::default()
                })
                .collect(),
            readers: directory
                .readers
                .iter()
                .map(|entry| ReaderUsage {
                    lease_table: lease_table(entry.component, directory, blueprint),
                    ..ReaderUsage::default()
                })
                .collect(),
            functions: directory
                .functions
                .iter()
                .map(|entry| function(&entry.name).map_or_else(FunctionUsage::default, FunctionUsage::new))
                .collect(),
            topics: topic::topics(directory),
            topic_of: directory.subscriptions.iter().map(|one| one.topic).collect(),
            queue_mappings: directory
                .queue_mappings
                .iter()
                .map(|_| PollerUsage::default())
                .collect(),
            advantage: blueprint.stream_account.advantage,
            apis: directory.producers.iter().map(|entry| entry.api).collect(),
            bills_init: directory
                .functions
                .iter()
                .map(|entry| {
                    function(&entry.name).is_some_and(|found| bills_init(blueprint.profile, &found.cold_start))
                })
                .collect(),
        }
    }

    /// What on-demand Advantage costs at least over a span, which is a matter of all streams in on-demand mode together;
    /// `None` where the account does not have it.
    pub fn advantage(&self, span: SimDuration) -> Option<AdvantageUsage> {
        let per_second = u128::from(ADVANTAGE_BYTES_PER_SECOND) * u128::from(span.as_nanos()) / 1_000_000_000;
        let committed_bytes = u64::try_from(per_second).unwrap_or(u64::MAX);
        let kb: u64 = self.streams.iter().map(|stream| stream.on_demand_kb_in).sum();
        let out: u64 = self.streams.iter().map(|stream| stream.on_demand_bytes_out).sum();
        self.advantage.then(|| AdvantageUsage {
            committed_bytes,
            shortfall_in: committed_bytes.saturating_sub(kb * u64::from(ON_DEMAND_KB_BYTES)),
            shortfall_out: committed_bytes.saturating_sub(out),
        })
    }

    /// Takes note of a fact.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::PutHandled {
                stream,
                api,
                records,
                shards,
                ..
            } => self.streams[stream].put(api, records, shards),
            Fact::ShardsWritten { stream, shards } => self.streams[stream].stored(&[], shards),
            Fact::PutRefused { .. } => self.refused(fact),
            Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionEventPushed { .. } => self.read(fact),
            Fact::ApplicationChanged { reader, change } => self.readers[reader].changed(change),
            Fact::StreamChanged { stream, change } => self.streams[stream].changed(now, change),
            Fact::InvocationStarted { function, .. } => self.functions[function].invocations += 1,
            Fact::InvocationEnded {
                function,
                duration,
                init,
                provisioned,
                ..
            } => {
                let billed = self.bills_init[function];
                let init = if billed { init } else { SimDuration::ZERO };
                self.functions[function].ended(duration, init, provisioned.on);
            }
            Fact::FunctionChanged { function, change } => self.functions[function].changed(now, change),
            Fact::AsynchronousEvent { function, step } => self.functions[function].event(step),
            Fact::SinkChanged { sink, change } => self.sinks[sink].changed(change),
            Fact::Publishing { ref fact } => self.publishing(fact),
            Fact::RecordsDelivered {
                sink,
                records,
                rewrites,
                ..
            } => self.sinks[sink].delivered(records, rewrites),
            Fact::Queueing { ref fact } => self.queueing(now, fact),
            Fact::RecordsProduced { .. }
            | Fact::RequestSent { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::RecordsAcknowledged { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RecordsGivenUp { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsGathered { .. }
            | Fact::BatchDispatched { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::CheckpointAdvanced { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::RecordsProcessed { .. }
            | Fact::MappingChanged { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn refused(&mut self, fact: &Fact<'_>) {
        if let Fact::PutRefused {
            stream,
            producer,
            records,
            ..
        } = *fact
        {
            self.streams[stream].request(self.apis[producer], records);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of a few facts")]
    fn read(&mut self, fact: &Fact<'_>) {
        match *fact {
            Fact::GetRecordsHandled {
                stream, reader, bytes, ..
            } => {
                self.streams[stream].get_records_requests += 1;
                self.streams[stream].gave(bytes);
                self.readers[reader].get_records_requests += 1;
                self.readers[reader].bytes_read += bytes;
            }
            Fact::GetRecordsThrottled { stream, reader, .. } => {
                self.streams[stream].get_records_requests += 1;
                self.readers[reader].get_records_requests += 1;
            }
            Fact::SubscriptionEventPushed {
                stream, reader, bytes, ..
            } => {
                self.streams[stream].pushed(bytes);
                self.readers[reader].bytes_read += bytes;
            }
            _ => {}
        }
    }
}

impl ReaderUsage {
    fn changed(&mut self, change: ApplicationChange) {
        if let ApplicationChange::LeaseTableUsed {
            rows_read,
            rows_written,
        } = change
        {
            self.lease_rows_read += u64::from(rows_read);
            self.lease_rows_written += u64::from(rows_written);
        }
    }
}

impl StreamUsage {
    fn put(&mut self, api: PutApi, records: &[Record], shards: &[ShardTally]) {
        self.request(api, records);
        self.stored(records, shards);
        if self.on_demand {
            let stored = records.iter().filter(|record| record.outcome() == Outcome::Accepted);
            let kb = |record: &Record| u64::from(record.bytes.div_ceil(ON_DEMAND_KB_BYTES));
            self.on_demand_kb_in += stored.map(kb).sum::<u64>();
        }
    }
    fn stored(&mut self, records: &[Record], shards: &[ShardTally]) {
        self.bytes_in += shards.iter().map(|tally| tally.bytes).sum::<u64>();
        self.put_payload_units += payload_units(records, shards);
    }
    fn gave(&mut self, bytes: u64) {
        self.bytes_out += bytes;
        if self.on_demand {
            self.on_demand_bytes_out += bytes;
        }
    }
    fn pushed(&mut self, bytes: u64) {
        self.gave(bytes);
        self.fan_out_bytes += bytes;
        if self.on_demand {
            self.on_demand_fan_out_bytes += bytes;
        }
    }
    fn request(&mut self, api: PutApi, records: &[Record]) {
        match api {
            // In a cohort each record is a request of its own.
            PutApi::PutRecord => self.put_record_requests += u64::from(to_u32(records.len())),
            PutApi::PutRecords => self.put_records_requests += 1,
            // Not of a stream.
            PutApi::SendMessage | PutApi::SendMessageBatch | PutApi::Publish | PutApi::PublishBatch => {}
        }
    }
}

/// Of the application that the reader is.
fn lease_table(reader: Component, directory: &Directory, blueprint: &Blueprint) -> Option<LeaseTableCapacity> {
    let Component::Application(id) = reader else {
        return None;
    };
    let name = &directory.applications[id].name;
    let found = blueprint.applications.iter().find(|found| found.name == *name)?;
    Some(found.kcl.lease_table_capacity())
}

/// One unit for each stored record, and one more for each further 25 KB that it has begun.
fn payload_units(records: &[Record], shards: &[ShardTally]) -> u64 {
    let one_each: u64 = shards.iter().map(|tally| u64::from(tally.accepted)).sum();
    let unit = u64::from(PUT_PAYLOAD_UNIT_BYTES);
    if !shards.is_empty() && shards.iter().all(|tally| tally.bytes <= unit) {
        return one_each;
    }
    let large = |record: &&Record| record.bytes > PUT_PAYLOAD_UNIT_BYTES && record.outcome() == Outcome::Accepted;
    let more = |record: &Record| u64::from((record.bytes - 1) / PUT_PAYLOAD_UNIT_BYTES);
    one_each + records.iter().filter(large).map(more).sum::<u64>()
}

#[cfg(test)]
mod tests;
