//! How close the run came to every limit that it met, and what load would reach it.
//!
//! Rates are counted over whole seconds, since that is how AWS states its limits; a shard's bucket lets a burst of a
//! second's worth pass (KDS-MOD-02), so a rate may pass its limit for a second with nothing refused, and a burst across
//! two seconds may be refused although neither of them is full.

mod limit;
mod peak;
#[cfg(test)]
mod tests;
mod uses;

pub use limit::{AtLimit, Limit, Unit};

use crate::batch::InvocationOutcome;
use crate::blueprint::{Blueprint, PutApi};
use crate::directory::{Component, Directory};
use crate::engine::index::{IndexVec, to_u32, to_usize};
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{FunctionId, ProducerId, QueueMappingId, ReaderId, ShardIndex, SinkId, StreamId};
use crate::key::KeyTable;
use crate::observe::fact::{ConcurrencyUse, DiscardReason, Fact, ReadLimit, ShardTally};
use crate::record::Record;
use crate::services::kinesis::quotas as kinesis;
use crate::services::mapping::payload::Payload;
use crate::services::mapping::quotas as mapping;
use core::cmp::Reverse;
use peak::{Peak, PerSecond, Writes};
use std::sync::Arc;
use uses::{FunctionUse, ReaderUse, SinkUse};

/// One limit and how far it was used. Of a stream's shards, the one that came closest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// Which limit.
    pub limit: Limit,
    /// Whose; `None`: the account's.
    pub component: Option<Component>,
    /// Which shard, for limits of shards.
    pub shard: Option<ShardIndex>,
    /// What it allows, in its unit.
    pub allowed: u64,
    /// The most that was used, in its unit.
    pub used: u64,
    /// When it was reached first, or something was first refused for it.
    pub hit_at: Option<SimTime>,
    /// Requests, reads, batches or invocations that it applied to.
    pub uses: u64,
    /// Of these, those that found it used up or used it up.
    pub at_limit: u64,
}

impl Row {
    /// The most that was used, in thousandths of what is allowed.
    pub fn used_per_mille(&self) -> u64 {
        let share = u128::from(self.used) * 1_000 / u128::from(self.allowed.max(1));
        u64::try_from(share).unwrap_or(u64::MAX)
    }
    /// The load, in thousandths of this run's, at which it would be reached if its use grew in proportion: 1,000 if it
    /// was. `None` where nothing was used, and where use does not grow with the load.
    pub fn load_per_mille(&self) -> Option<u64> {
        if !self.limit.grows_with_load() {
            return None;
        }
        if self.hit_at.is_some() {
            return Some(1_000);
        }
        let load = (u128::from(self.allowed) * 1_000).checked_div(u128::from(self.used))?;
        Some(u64::try_from(load).unwrap_or(u64::MAX))
    }
    /// What was hit and hurts first, then by the share that was used; what only completes a request or batch last.
    fn urgency(&self) -> impl Ord + use<> {
        let hurts = self.limit.at_limit() == AtLimit::Hurts;
        let place = (self.limit, self.component, self.shard);
        (
            !hurts,
            Reverse(hurts && self.hit_at.is_some()),
            Reverse(self.used_per_mille()),
            place,
        )
    }
}

/// A shard's limits.
#[derive(Clone, Debug)]
struct ShardUse {
    writes: Writes,
    calls: PerSecond,
    bytes_read: PerSecond,
    peaks: [Peak; 4],
}

const SHARD_LIMITS: [(Limit, u64); 4] = [
    (Limit::ShardWriteRecords, kinesis::SHARD_WRITE_RECORDS),
    (Limit::ShardWriteBytes, kinesis::SHARD_WRITE_BYTES),
    (Limit::ShardReadCalls, READ_CALLS),
    (Limit::ShardReadBytes, kinesis::SHARD_READ_BYTES),
];
const READ_CALLS: u64 = 5;
const _: () = assert!(kinesis::SHARD_READ_CALLS == 5, "KDS-R-09 stands in two types");

impl ShardUse {
    fn new() -> Self {
        Self {
            writes: Writes::default(),
            calls: PerSecond::default(),
            bytes_read: PerSecond::default(),
            peaks: SHARD_LIMITS.map(|(_, allowed)| Peak::of(allowed)),
        }
    }
    #[inline]
    fn put(&mut self, now: SimTime, tally: &ShardTally) {
        if tally.singles.is_some() || tally.requests > 1 {
            return self.put_together(now, tally);
        }
        let (records, bytes) = self.writes.add(now, u64::from(tally.accepted), tally.bytes_charged);
        if tally.out_of_records || records >= self.peaks[0].limit {
            self.peaks[0].hit(now);
        }
        if tally.out_of_bytes || bytes >= self.peaks[1].limit {
            self.peaks[1].hit(now);
        }
    }
    /// The fullest moment of one of `SHARD_LIMITS`.
    fn peak(&self, number: usize) -> Peak {
        let mut peak = self.peaks[number];
        match number {
            0 => (peak.used, peak.uses) = (self.writes.most_records, self.writes.puts),
            1 => (peak.used, peak.uses) = (self.writes.most_bytes, self.writes.puts),
            _ => {}
        }
        peak
    }
    fn read(&mut self, now: SimTime, received_at: SimTime, bytes: u64) {
        let calls = self.calls.add(received_at, 1);
        let bytes = self.bytes_read.add(now, bytes);
        self.peaks[2].note(received_at, calls, false);
        self.peaks[3].note(now, bytes, false);
    }
    fn read_refused(&mut self, now: SimTime, limit: ReadLimit) {
        let peak = match limit {
            ReadLimit::Calls => &mut self.peaks[2],
            ReadLimit::Bytes => &mut self.peaks[3],
        };
        peak.note(now, 0, true);
    }
}

/// The observer.
#[derive(Clone, Debug)]
pub struct Headroom {
    keys: Arc<KeyTable>,
    payload: Payload,
    producers: IndexVec<ProducerId, [Peak; 2]>,
    streams: IndexVec<StreamId, Vec<ShardUse>>,
    readers: IndexVec<ReaderId, ReaderUse>,
    functions: IndexVec<FunctionId, FunctionUse>,
    account: Peak,
    sinks: IndexVec<SinkId, SinkUse>,
    queue_mappings: IndexVec<QueueMappingId, Peak>,
}

impl Headroom {
    /// An observer for the limits of a run.
    pub fn new(directory: &Directory, keys: Arc<KeyTable>, blueprint: &Blueprint) -> Self {
        let put_bytes = kinesis::max_put_bytes(blueprint.profile);
        let put_limits = [Peak::of(u64::from(kinesis::MAX_PUT_ENTRIES)), Peak::of(put_bytes)];
        let retention = |stream: StreamId| {
            let name = directory.streams.get(stream).map(|entry| &entry.name);
            let found = blueprint.streams.iter().find(|stream| Some(&stream.name) == name);
            let hours = found.map_or(kinesis::RETENTION_HOURS_MIN, |stream| stream.retention_hours);
            SimDuration::from_hours(u64::from(hours)).as_nanos()
        };
        let batch_size = |component: Component| {
            let name = directory.label(component);
            let name = name.strip_prefix("mapping.");
            let found = name.and_then(|name| blueprint.mappings.iter().find(|mapping| mapping.name == name));
            found.map_or(mapping::BATCH_SIZE_DEFAULT, |mapping| mapping.batch_size)
        };
        let timeout = |name: &str| {
            let found = blueprint.functions.iter().find(|function| function.name == name);
            found.map_or(0, |function| function.timeout.as_nanos())
        };
        Self {
            payload: Payload::new(blueprint.model.payload_record_overhead, &keys),
            producers: directory.producers.iter().map(|_| put_limits).collect(),
            streams: directory
                .streams
                .iter()
                .map(|stream| vec![ShardUse::new(); to_usize(stream.shards)])
                .collect(),
            readers: directory
                .readers
                .iter()
                .map(|entry| ReaderUse {
                    component: entry.component,
                    batch_size: Peak::of(u64::from(batch_size(entry.component))),
                    payload: Peak::of(mapping::MAX_PAYLOAD_BYTES),
                    payload_bound: 0,
                    retention: Peak::of(retention(entry.stream)),
                })
                .collect(),
            functions: directory
                .functions
                .iter()
                .map(|entry| FunctionUse {
                    reserved: Peak::of(0),
                    timeout: Peak::of(timeout(&entry.name)),
                })
                .collect(),
            account: Peak::of(u64::from(blueprint.account_concurrency)),
            sinks: directory
                .sinks
                .iter()
                .map(|_| SinkUse {
                    records: PerSecond::default(),
                    capacity: Peak::of(0),
                })
                .collect(),
            queue_mappings: (directory.queue_mappings.iter())
                .map(|entry| Peak::of(u64::from(entry.ceiling)))
                .collect(),
            keys,
        }
    }

    /// Every limit that the run met, the most urgent first.
    pub fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut add = |limit, component, shard, peak: &Peak| {
            if peak.uses > 0 {
                rows.push(Row {
                    limit,
                    component,
                    shard,
                    allowed: peak.limit,
                    used: peak.used,
                    hit_at: peak.hit_at,
                    uses: peak.uses,
                    at_limit: peak.at_limit,
                });
            }
        };
        for (id, [entries, bytes]) in self.producers.iter_enumerated() {
            let component = Some(Component::Producer(id));
            add(Limit::PutEntries, component, None, entries);
            add(Limit::PutBytes, component, None, bytes);
        }
        for (id, shards) in self.streams.iter_enumerated() {
            for (number, (limit, _)) in SHARD_LIMITS.into_iter().enumerate() {
                let peaks = (0..).zip(shards).map(|(shard, used)| (shard, used.peak(number)));
                // Of equals the one that was hit, and of these the first.
                if let Some((shard, peak)) =
                    peaks.max_by_key(|(shard, peak)| (peak.hit_at.is_some(), peak.used, peak.at_limit, Reverse(*shard)))
                {
                    add(limit, Some(Component::Stream(id)), Some(ShardIndex(shard)), &peak);
                }
            }
        }
        for used in &self.readers {
            let component = Some(used.component);
            add(Limit::BatchSize, component, None, &used.batch_size);
            add(Limit::Payload, component, None, &used.payload);
            add(Limit::Retention, component, None, &used.retention);
        }
        for (id, used) in self.functions.iter_enumerated() {
            let component = Some(Component::Function(id));
            add(Limit::ReservedConcurrency, component, None, &used.reserved);
            add(Limit::FunctionTimeout, component, None, &used.timeout);
        }
        for (id, used) in self.queue_mappings.iter_enumerated() {
            add(Limit::MappingConcurrency, Some(Component::QueueMapping(id)), None, used);
        }
        add(Limit::AccountConcurrency, None, None, &self.account);
        for (id, used) in self.sinks.iter_enumerated() {
            add(Limit::SinkCapacity, Some(Component::Sink(id)), None, &used.capacity);
        }
        rows.sort_by_cached_key(Row::urgency);
        rows
    }

    /// Takes note of a fact.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::RequestSent {
                producer,
                api: PutApi::PutRecords,
                records,
                bytes,
                ..
            } => {
                let [entries, size] = &mut self.producers[producer];
                entries.note(now, len(records), false);
                size.note(now, bytes, false);
            }
            Fact::PutHandled { stream, shards, .. } | Fact::ShardsWritten { stream, shards } => {
                for tally in shards {
                    self.shard(stream, tally.shard).put(now, tally);
                }
            }
            Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::BatchDispatched { .. } => self.reader(now, fact),
            Fact::InvocationStarted { .. } | Fact::InvocationThrottled { .. } | Fact::InvocationEnded { .. } => {
                self.invocation(now, fact);
            }
            Fact::Queueing { ref fact } => self.queueing(now, fact),
            Fact::RecordsDelivered {
                sink,
                records,
                capacity: Some(capacity),
                ..
            } => self.delivered(now, sink, len(records), capacity),
            Fact::RecordsProduced { .. }
            | Fact::RequestSent { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::RecordsAcknowledged { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::RecordsGivenUp { .. }
            | Fact::PutRefused { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::RecordsGathered { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::CheckpointAdvanced { .. }
            | Fact::RecordsProcessed { .. }
            | Fact::RecordsDelivered { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::StreamChanged { .. }
            | Fact::ApplicationChanged { .. }
            | Fact::Publishing { .. }
            | Fact::MappingChanged { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::FunctionChanged { .. }
            | Fact::AsynchronousEvent { .. }
            | Fact::SinkChanged { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn invocation(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::InvocationStarted {
            function, concurrency, ..
        } = *fact
        {
            self.concurrency(now, function, concurrency, false);
        }
        if let Fact::InvocationThrottled {
            function, concurrency, ..
        } = *fact
        {
            self.concurrency(now, function, concurrency, true);
        }
        if let Fact::InvocationEnded {
            function,
            duration,
            outcome,
            ..
        } = *fact
        {
            self.ended(now, function, duration, outcome == InvocationOutcome::TimedOut);
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "`on` has sorted the facts, exhaustively")]
    fn reader(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::GetRecordsHandled {
                stream,
                shard,
                reader,
                records,
                bytes,
                received_at,
                again,
                ..
            } => {
                self.shard(stream, shard).read(now, received_at, bytes);
                if let (Some(oldest), false) = (records.first(), again) {
                    let age = now.since(oldest.arrived_at).as_nanos();
                    self.readers[reader].retention.note(now, age, false);
                }
            }
            Fact::SubscriptionEventPushed { reader, records, .. } => {
                if let Some(oldest) = records.first() {
                    let age = now.since(oldest.arrived_at).as_nanos();
                    self.readers[reader].retention.note(now, age, false);
                }
            }
            Fact::GetRecordsThrottled {
                stream, shard, limit, ..
            } => self.shard(stream, shard).read_refused(now, limit),
            Fact::RecordsExpiredUnread { reader, .. } | Fact::RecordsExpiredInRetry { reader, .. } => {
                let retention = &mut self.readers[reader].retention;
                retention.note(now, retention.limit, true);
            }
            Fact::RecordsDiscarded {
                reader,
                reason: DiscardReason::PayloadTooLarge,
                records,
                ..
            } => {
                let payload = self.payload.of_all(records, &self.keys);
                self.readers[reader].payload.note(now, payload, true);
            }
            Fact::BatchDispatched {
                reader,
                records,
                bytes,
                attempts_before: 0,
                payload_full,
                ..
            } => {
                let used = &mut self.readers[reader];
                used.batch_size.note(now, len(records), false);
                // Exact for the batch with the highest bound; those below it cannot be much larger.
                let bound = self.payload.at_most(to_u32(records.len()), bytes);
                let payload = if bound > used.payload_bound {
                    used.payload_bound = bound;
                    self.payload.of_all(records, &self.keys)
                } else {
                    0
                };
                used.payload.note(now, payload, payload_full);
            }
            _ => {}
        }
    }

    #[inline]
    fn shard(&mut self, stream: StreamId, shard: ShardIndex) -> &mut ShardUse {
        let shards = &mut self.streams[stream];
        let at = to_usize(shard.0);
        if at >= shards.len() {
            shards.resize(at + 1, ShardUse::new());
        }
        &mut shards[at]
    }

    fn ended(&mut self, now: SimTime, function: FunctionId, duration: SimDuration, timed_out: bool) {
        let timeout = &mut self.functions[function].timeout;
        timeout.note(now, duration.as_nanos(), timed_out);
    }

    fn concurrency(&mut self, now: SimTime, function: FunctionId, concurrency: ConcurrencyUse, refused: bool) {
        let peak = if concurrency.reserved {
            &mut self.functions[function].reserved
        } else {
            &mut self.account
        };
        let (used, limit) = (u64::from(concurrency.used), u64::from(concurrency.limit));
        peak.note_of(now, used, limit, refused);
    }

    /// A write that takes the sink longer than a second is one second's worth of each second that it takes.
    fn delivered(&mut self, now: SimTime, sink: SinkId, records: u64, capacity: Rate) {
        let used = &mut self.sinks[sink];
        let nanos = u128::from(SimDuration::SECOND.as_nanos()) * u128::from(capacity.count);
        let per_second = nanos.checked_div(u128::from(capacity.per.as_nanos())).unwrap_or(0);
        let allowed = u64::try_from(per_second).unwrap_or(u64::MAX).max(1);
        let delivered = used.records.add(now, records).min(allowed);
        used.capacity.note_of(now, delivered, allowed, false);
    }
}

fn len(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}
