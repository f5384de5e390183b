//! End-to-end latency split by cause: where the time of a record went, from its creation to its effect.
//!
//! Every record that takes effect has its time split into [`Parts`] that sum exactly to it. Most parts are the same for
//! many neighbours: all records of a request were sent together, all records of a page were read together, all records
//! of a batch waited for the same things. So the facts of a request and of a page are kept as runs of positions until
//! the reader has passed, and at the effect each run is measured once. Only when a record was created is its own.

mod cause;
mod effect;
mod messages;
mod readers;
mod requests;
mod resent;
mod runs;
mod sends;
#[cfg(test)]
mod tests;

pub use cause::{CAUSES, Cause, Parts};

use crate::batch::{InvocationOutcome, Passage};
use crate::directory::Directory;
use crate::engine::index::{Idx, IndexVec, to_usize};
use crate::engine::time::SimTime;
use crate::ids::{ProcessorId, QueueMappingId, ReaderId, ShardIndex, StreamId};
use crate::key::KeyTable;
use crate::observe::conservation::{Culprit, Ledger, Term, Violation};
use crate::observe::fact::{Caller, Fact, ShardTally, SinkChange, StreamChange};
use crate::observe::latency::Histogram;
use crate::record::Record;
use effect::{Effect, Sent};
use messages::Messages;
use readers::ShardReading;
use runs::PageRun;
use sends::{FirstSends, StreamSends, count};
use std::sync::Arc;

/// Where the time of records went that took effect through one function or application.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PlaceCauses {
    histograms: Vec<Histogram>,
}

impl PlaceCauses {
    fn new() -> Self {
        Self {
            histograms: vec![Histogram::new(); CAUSES],
        }
    }
    /// The times due to a cause, one for each record, zero where there was none. Their sum is exact.
    pub fn of(&self, cause: Cause) -> &Histogram {
        &self.histograms[cause.index()]
    }
    fn mut_of(&mut self, cause: Cause) -> &mut Histogram {
        &mut self.histograms[cause.index()]
    }
    /// Time of all records together over all causes, in nanoseconds.
    pub fn total(&self) -> u128 {
        self.histograms.iter().map(Histogram::sum).sum()
    }
    /// Bytes of memory that they take.
    fn memory(&self) -> u64 {
        self.histograms.iter().map(Histogram::memory).sum()
    }
    /// Records measured; one that takes effect twice counts twice.
    pub fn records(&self) -> u64 {
        self.of(Cause::Handler).count()
    }
    /// Adds everything that another place holds.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.histograms.iter_mut().zip(&other.histograms) {
            mine.merge(theirs);
        }
    }
}

/// A record whose parts do not sum to its time. There is none, unless the model or this observer has a bug.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Unexplained {
    /// When it took effect.
    pub at: SimTime,
    /// Through what.
    pub processor: ProcessorId,
    /// Which.
    pub record: Record,
    /// What its parts sum to, in nanoseconds; `None` if it is not known how it was read.
    pub explained: Option<u128>,
}

/// Latency by cause, for each function and application.
#[derive(Clone, Debug)]
pub struct Causes {
    directory: Arc<Directory>,
    keys: Arc<KeyTable>,
    /// By stream; `None` where nobody reads.
    sends: IndexVec<StreamId, Option<StreamSends>>,
    first_sends: FirstSends,
    /// By reader and shard.
    readings: IndexVec<ReaderId, Vec<ShardReading>>,
    places: IndexVec<ProcessorId, PlaceCauses>,
    /// Whether each record is checked by itself.
    checks: bool,
    unexplained: Option<Unexplained>,
    messages: Messages,
}

impl Causes {
    /// An observer for a run. With `checks` it also adds the parts of each record up and keeps the first record for
    /// which they are not its time; see [`unexplained`](Self::unexplained).
    pub fn new(directory: Arc<Directory>, keys: Arc<KeyTable>, checks: bool) -> Self {
        let shards_of = |stream: StreamId| directory.streams.get(stream).map_or(0, |entry| entry.shards);
        Self {
            sends: directory
                .streams
                .iter_enumerated()
                .map(|(id, entry)| {
                    let is_read = directory.readers.iter().any(|reader| reader.stream == id);
                    is_read.then(|| StreamSends::new(entry.shards))
                })
                .collect(),
            first_sends: FirstSends::default(),
            readings: directory
                .readers
                .iter()
                .map(|reader| vec![ShardReading::new(); to_usize(shards_of(reader.stream))])
                .collect(),
            places: directory.processors.iter().map(|_| PlaceCauses::new()).collect(),
            checks,
            unexplained: None,
            messages: Messages::new(&directory),
            directory,
            keys,
        }
    }

    /// Where the time of records went that took effect through a processor: in its sink, or, without one, in itself.
    pub fn of(&self, processor: ProcessorId) -> Option<&PlaceCauses> {
        self.places.get(processor)
    }
    /// Bytes of memory that the distributions take.
    pub fn memory(&self) -> u64 {
        self.places.iter().map(PlaceCauses::memory).sum()
    }
    /// The first record whose parts do not sum to its time.
    pub const fn unexplained(&self) -> Option<&Unexplained> {
        self.unexplained.as_ref()
    }
    /// The same as a law that is broken.
    pub fn violation(&self) -> Option<Box<Violation>> {
        let found = self.unexplained?;
        let record = found.record;
        let (what, explained) = match found.explained {
            Some(explained) => ("the parts of its time do not sum to it", explained),
            None => ("nothing tells how it was read", 0),
        };
        let side = |name, nanos: u128| vec![Term::new(name, i128::try_from(nanos).unwrap_or(i128::MAX))];
        let took = u128::from(found.at.since(record.created_at).as_nanos());
        Some(Box::new(Violation {
            at: found.at,
            ledger: Ledger::LatencyParts,
            component: self.directory.processor_label(found.processor),
            left: side("nanoseconds from creation to effect", took),
            right: side("explained by cause", explained),
            culprit: Some(Culprit {
                what: what.to_owned(),
                record: Some((
                    self.keys.text(record.key),
                    record.ordinal,
                    record.created_at,
                    record.arrived_at,
                )),
            }),
            history: Vec::new(),
        }))
    }
    /// The parts of each record of an effect, before [`on`](Self::on) has taken note of it; `None` for a record of which
    /// it is not known how it was read. Nothing for other facts.
    pub fn explain(&self, now: SimTime, fact: &Fact<'_>, mut each: impl FnMut(&Record, Option<Parts>)) {
        let Some(effect) = Effect::of(now, fact) else { return };
        if let Some(mapping) = self.directory.queue_mapping_of(effect.reader) {
            for record in effect.records {
                each(record, Some(self.messages.parts(mapping, &effect, record)));
            }
            return;
        }
        let Some((reading, sent)) = sources(&self.directory, &self.readings, &self.sends, &effect) else {
            return;
        };
        let shared = effect.shared();
        effect.segments(&reading.pages, sent, |segment| {
            for record in segment.records {
                each(record, segment.parts(&effect, record, shared));
            }
        });
    }

    /// Takes note of a fact.
    #[inline]
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        match *fact {
            Fact::PutHandled { .. } => self.put(now, fact),
            Fact::ShardsWritten { stream, shards } => self.shards_written(now, stream, shards),
            Fact::UserRecordsStored { .. } => self.user_records(fact),
            Fact::AcknowledgementLost { records, late, .. } => self.first_sends.lost(records, late),
            Fact::RecordsAcknowledged { records, .. } | Fact::RecordsGivenUp { records, .. } => {
                self.first_sends.forget(records);
            }
            Fact::RecordsGathered {
                reader,
                shard,
                first_position,
                records,
                served_at,
            } => self.reading(reader, shard).pages.insert(PageRun {
                first: first_position,
                end: first_position + u64::from(records),
                served_at,
                gathered_at: now,
            }),
            Fact::CheckpointAdvanced {
                reader,
                shard,
                position,
            } => self.advance(reader, shard, position),
            Fact::InvocationEnded {
                outcome: InvocationOutcome::TimedOut,
                write_pending: true,
                caller: Caller::Reader(reader),
                shard,
                passage,
                ..
            } => self
                .reading(reader, shard)
                .write_left_behind(passage.first_position, passage.dispatched_at),
            Fact::RecordsProcessed { .. } | Fact::RecordsDelivered { .. } => self.effect(now, fact),
            Fact::SinkChanged { change, .. } => self.sink(change),
            Fact::StreamChanged { stream, change } => self.changed(stream, change),
            Fact::RequestSent { .. } => self.messages.sent(now, fact),
            Fact::Queueing { ref fact } => self.messages.queueing(now, fact),
            Fact::RecordsProduced { .. }
            | Fact::UserRecordsSent { .. }
            | Fact::RequestAnswered { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::PutRefused { .. }
            | Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::RecordsExpiredUnread { .. }
            | Fact::RecordsExpiredInRetry { .. }
            | Fact::BatchFailed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::InvocationStarted { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::InvocationEnded { .. }
            | Fact::BatchDispatched { .. }
            | Fact::ApplicationChanged { .. }
            | Fact::Publishing { .. }
            | Fact::MappingChanged { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::FunctionChanged { .. }
            | Fact::AsynchronousEvent { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn user_records(&mut self, fact: &Fact<'_>) {
        if let Fact::UserRecordsStored {
            stream,
            shard,
            position,
            records,
            first_sent_at,
            ..
        } = *fact
            && let Some(sends) = &mut self.sends[stream]
        {
            sends.user_records(shard, position, records, first_sent_at);
        }
    }

    #[inline]
    fn put(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Fact::PutHandled {
            stream,
            records,
            shards,
            sent,
            late,
            ..
        } = *fact
        else {
            return;
        };
        if let Some(sends) = &mut self.sends[stream] {
            match sent {
                Some(times) => sends.put(now, records, shards, times),
                None => sends.cohort(records, late, &mut self.first_sends),
            }
        }
    }

    fn shards_written(&mut self, now: SimTime, stream: StreamId, shards: &[ShardTally]) {
        if let Some(sends) = &mut self.sends[stream] {
            sends.written(now, shards);
        }
    }

    /// A shard that is opened during the run is followed like those that were there.
    fn changed(&mut self, stream: StreamId, change: StreamChange) {
        let StreamChange::ShardOpened { shard, .. } = change else {
            return;
        };
        if let Some(sends) = &mut self.sends[stream] {
            sends.open(to_usize(shard.0));
        }
        for reader in self.readings.ids() {
            if self.directory.readers[reader].stream == stream {
                self.reading(reader, shard);
            }
        }
    }

    fn reading(&mut self, reader: ReaderId, shard: ShardIndex) -> &mut ShardReading {
        let shards = &mut self.readings[reader];
        let at = to_usize(shard.0);
        if at >= shards.len() {
            shards.resize(at + 1, ShardReading::new());
        }
        &mut shards[at]
    }

    fn advance(&mut self, reader: ReaderId, shard: ShardIndex, position: u64) {
        self.reading(reader, shard).advance(position);
        self.forget(reader, shard);
    }

    /// Forgets the sends that all readers of a shard have passed.
    fn forget(&mut self, reader: ReaderId, shard: ShardIndex) {
        let Some(stream) = self.directory.readers.get(reader).map(|entry| entry.stream) else {
            return;
        };
        let at = to_usize(shard.0);
        let readers = self.directory.readers.iter().zip(&self.readings);
        let floors = readers
            .filter(|(entry, _)| entry.stream == stream)
            .map(|(_, shards)| shards.get(at).map_or(0, ShardReading::floor));
        if let (Some(floor), Some(sends)) = (floors.min(), &mut self.sends[stream]) {
            sends.forget_before(at, floor);
        }
    }

    fn effect(&mut self, now: SimTime, fact: &Fact<'_>) {
        if self.checks {
            self.check(now, fact);
        }
        let Some(effect) = Effect::of(now, fact) else { return };
        if let Some(mapping) = self.directory.queue_mapping_of(effect.reader) {
            return self.effect_of_messages(mapping, &effect);
        }
        if let Some((reading, sends)) = sources(&self.directory, &self.readings, &self.sends, &effect)
            && effect.processor.index() < self.places.len()
        {
            effect.measure(&reading.pages, sends, &mut self.places[effect.processor]);
        }
        if !matches!(fact, Fact::RecordsDelivered { more: true, .. }) {
            self.written(effect.reader, effect.shard, effect.passage);
        }
    }
    fn effect_of_messages(&mut self, mapping: QueueMappingId, effect: &Effect<'_>) {
        let Some(place) = self.places.get_mut(effect.processor) else {
            return;
        };
        for record in effect.records {
            let parts = self.messages.parts(mapping, effect, record);
            for cause in Cause::ALL {
                place.mut_of(cause).record_many(parts.of(cause), 1);
            }
        }
    }
    fn sink(&mut self, change: SinkChange) {
        if let SinkChange::WriteFailed {
            reader, shard, passage, ..
        } = change
        {
            self.written(reader, shard, passage);
        }
    }
    /// Nothing further of a write will take effect.
    fn written(&mut self, reader: ReaderId, shard: ShardIndex, passage: Passage) {
        if self.directory.queue_mapping_of(reader).is_some() {
            return;
        }
        let reading = self.reading(reader, shard);
        if reading.written(passage.first_position, passage.dispatched_at) {
            self.forget(reader, shard);
        }
    }

    /// Adds the parts of each record up, unless one has been found already that they do not explain.
    fn check(&mut self, now: SimTime, fact: &Fact<'_>) {
        let Some(effect) = Effect::of(now, fact) else { return };
        let processor = effect.processor;
        let (mut found, mut seen) = (self.unexplained, 0);
        self.explain(now, fact, |record, parts| {
            seen += 1;
            let took = u128::from(now.since(record.created_at).as_nanos());
            let explained = parts.map(|parts| parts.sum());
            if explained != Some(took) {
                found.get_or_insert(Unexplained {
                    at: now,
                    processor,
                    record: *record,
                    explained,
                });
            }
        });
        if let Some(first) = effect.records.first()
            && seen != count(effect.records)
        {
            found.get_or_insert(Unexplained {
                at: now,
                processor,
                record: *first,
                explained: None,
            });
        }
        self.unexplained = found;
    }
}

/// What is known of how the records of an effect were sent and read.
fn sources<'c>(
    directory: &Directory,
    readings: &'c IndexVec<ReaderId, Vec<ShardReading>>,
    sends: &'c IndexVec<StreamId, Option<StreamSends>>,
    effect: &Effect<'_>,
) -> Option<(&'c ShardReading, Sent<'c>)> {
    let at = to_usize(effect.shard.0);
    let stream = directory.readers.get(effect.reader)?.stream;
    let sends = sends.get(stream)?.as_ref()?;
    let sent = Sent {
        shard: sends.shard(at)?,
        requests: &sends.requests,
    };
    Some((readings.get(effect.reader)?.get(at)?, sent))
}
