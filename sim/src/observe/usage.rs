//! What a bill counts: quantities, no prices.

use crate::blueprint::{Blueprint, ColdStart, Package, PutApi};
use crate::directory::Directory;
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, ProducerId, ReaderId, StreamId};
use crate::observe::fact::{ApplicationChange, Fact, ShardTally, StreamChange};
use crate::profile::Profile;
use crate::record::{Outcome, Record};
use crate::services::kinesis::operation::{CapacityMode, Operation};
use crate::services::kinesis::quotas::RETENTION_HOURS_MIN;

/// Bytes of a PUT payload unit: 25 times 1,000 (KDS-PRI-02, KDS-MOD-20).
pub const PUT_PAYLOAD_UNIT_BYTES: u32 = 25_000;

/// What is billed of a stream, and what costs nothing but is good to know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct StreamUsage {
    /// Open shards, which are billed whether they are used or not (KDS-PRI-01).
    pub shards: u32,
    /// It is in on-demand mode.
    pub on_demand: bool,
    /// Since when there are so many.
    shards_since: SimTime,
    /// Shard time before that.
    shard_nanos_before: u128,
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
}

impl StreamUsage {
    /// Shard time over a span from the start on, which ends after the last reshard, in shard-nanoseconds: what a bill
    /// counts in shard-hours. Shards of a stream in on-demand mode are not billed.
    pub fn shard_nanos(&self, span: SimDuration) -> u128 {
        let rest = SimTime::ZERO.saturating_add(span).since(self.shards_since);
        let billed = if self.on_demand { 0 } else { self.shards };
        self.shard_nanos_before + u128::from(billed) * u128::from(rest.as_nanos())
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
            } => self.retention_hours = hours,
            StreamChange::ShardExpired { .. }
            | StreamChange::ScaledOut { .. }
            | StreamChange::Accepted { .. }
            | StreamChange::Completed { .. }
            | StreamChange::Refused { .. } => {}
        }
    }
    fn set_shards(&mut self, now: SimTime, shards: u32) {
        self.shard_nanos_before = self.shard_nanos(now.since(SimTime::ZERO));
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
}

/// What is billed of a function.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FunctionUsage {
    /// MemorySize in MB.
    pub memory_size: u32,
    /// Invocations that ran; what is refused costs nothing.
    pub invocations: u64,
    /// Time billed for those that have ended, each rounded up to a millisecond (LAM-B-03); with Init where it is billed
    /// (LAM-B-17, LAM-B-18).
    pub billed_millis: u64,
    /// So much of it would not be billed without cold starts.
    pub init_millis: u64,
}

impl FunctionUsage {
    fn ended(&mut self, duration: SimDuration, billed_init: SimDuration) {
        let handler = millis_up(duration);
        let billed = millis_up(duration.saturating_add(billed_init));
        self.billed_millis += billed;
        self.init_millis += billed - handler;
    }
    /// MB-milliseconds; 1,024 of them are a GB-millisecond (LAM-B-03).
    pub fn megabyte_millis(&self) -> u128 {
        u128::from(self.memory_size) * u128::from(self.billed_millis)
    }
    /// Whole GB-milliseconds, rounded down.
    pub fn gigabyte_millis(&self) -> u128 {
        self.megabyte_millis() / 1_024
    }
}

/// The observer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Usage {
    /// By stream.
    pub streams: IndexVec<StreamId, StreamUsage>,
    /// By reader.
    pub readers: IndexVec<ReaderId, ReaderUsage>,
    /// By function.
    pub functions: IndexVec<FunctionId, FunctionUsage>,
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
            streams: directory
                .streams
                .iter()
                .map(|entry| StreamUsage {
                    shards: entry.shards,
                    on_demand: stream(&entry.name).is_some_and(|found| found.mode == CapacityMode::OnDemand),
                    retention_hours: stream(&entry.name).map_or(RETENTION_HOURS_MIN, |found| found.retention_hours),
                    ..StreamUsage::default()
                })
                .collect(),
            readers: directory.readers.iter().map(|_| ReaderUsage::default()).collect(),
            functions: directory
                .functions
                .iter()
                .map(|entry| FunctionUsage {
                    memory_size: function(&entry.name).map_or(0, |found| found.memory_size),
                    ..FunctionUsage::default()
                })
                .collect(),
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
            Fact::PutRefused {
                stream,
                producer,
                records,
                ..
            } => self.streams[stream].request(self.apis[producer], records),
            Fact::GetRecordsHandled {
                stream, reader, bytes, ..
            } => {
                self.streams[stream].get_records_requests += 1;
                self.streams[stream].bytes_out += bytes;
                self.readers[reader].get_records_requests += 1;
                self.readers[reader].bytes_read += bytes;
            }
            Fact::GetRecordsThrottled { stream, reader, .. } => {
                self.streams[stream].get_records_requests += 1;
                self.readers[reader].get_records_requests += 1;
            }
            Fact::ApplicationChanged { reader, change } => self.readers[reader].changed(change),
            Fact::StreamChanged { stream, change } => self.streams[stream].changed(now, change),
            Fact::InvocationStarted { function, .. } => self.functions[function].invocations += 1,
            Fact::InvocationEnded {
                function,
                duration,
                init,
                ..
            } => {
                let init = if self.bills_init[function] {
                    init
                } else {
                    SimDuration::ZERO
                };
                self.functions[function].ended(duration, init);
            }
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
            | Fact::RecordsDelivered { .. }
            | Fact::Queue { .. }
            | Fact::Fleet { .. }
            | Fact::Intervened { .. } => {}
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
        self.bytes_in += shards.iter().map(|tally| tally.bytes).sum::<u64>();
        self.put_payload_units += payload_units(records, shards);
    }
    fn request(&mut self, api: PutApi, records: &[Record]) {
        match api {
            // In a cohort each record is a request of its own.
            PutApi::PutRecord => self.put_record_requests += u64::from(to_u32(records.len())),
            PutApi::PutRecords => self.put_records_requests += 1,
            // Not of a stream.
            PutApi::SendMessage | PutApi::SendMessageBatch => {}
        }
    }
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

/// Milliseconds, rounded up.
const fn millis_up(span: SimDuration) -> u64 {
    span.as_nanos().div_ceil(1_000_000)
}

#[cfg(test)]
mod tests;
