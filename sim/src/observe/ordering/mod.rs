//! Order, duplicates and loss at the places where effects complete.
//!
//! A record's identity is (key, ordinal). Order is judged by the first time that a record takes effect; further times
//! are duplicates and nothing else. A function or application has at most one sink, so each is one observation point:
//! effects complete in its sink, or, without a sink, when it has finished its batch.

mod aggregates;
mod causes;
mod messages;
mod point;
#[cfg(test)]
mod tests;
mod witnesses;

use crate::directory::{Component, Directory};
use crate::engine::index::{Idx, IndexVec, to_u32};
use crate::engine::time::SimTime;
use crate::ids::{ProcessorId, ReaderId, SinkId, StreamId};
use crate::key::KeyTable;
use crate::observe::fact::Fact;
use crate::observe::holdings::Holdings;
use crate::observe::ordinals::{Inserted, Ordinals};
use crate::observe::verdict::{Anomaly, Guarantee, Sighting, Verdict, Witness};
use crate::observe::{recent::Recent, sums::Sums};
use crate::record::{KeyId, Record};
use aggregates::Aggregates;
use causes::{Causes, head};
use point::{Effect, Irregular, Point};
use std::sync::Arc;
use witnesses::{Context, place_name, unseen};

/// A place that a guarantee may name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Place {
    /// A sink: everything that functions write there.
    Sink(SinkId),
    /// A function or application: what it writes to its sink, or, without one, what it finishes.
    Processor(ProcessorId),
}

/// Counts of anomalies, in records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct AnomalyCounts([u64; Anomaly::ALL.len()]);

impl AnomalyCounts {
    /// How many records met this fate.
    pub const fn of(&self, anomaly: Anomaly) -> u64 {
        self.0[anomaly.index()]
    }
    /// Adds cases; returns how many there were before.
    #[inline]
    fn add(&mut self, anomaly: Anomaly, records: u64) -> u64 {
        let cases = &mut self.0[anomaly.index()];
        *cases += records;
        *cases - records
    }
}

/// The order and loss checker.
#[derive(Clone, Debug)]
pub struct Ordering {
    directory: Arc<Directory>,
    keys: Arc<KeyTable>,
    /// What streams have accepted, and what clients have given up for good: nobody waits for the rest.
    accepted: Ordinals,
    /// Room for the identities of stored entries.
    stored: Vec<(KeyId, u32)>,
    /// Entries stored a second time, since a client repeated a request whose response was lost.
    stored_again: u64,
    /// By processor.
    places: Vec<Observed>,
    /// By stream: the places of those that get its records.
    readers: IndexVec<StreamId, Vec<usize>>,
    causes: Causes,
    aggregates: Aggregates,
    impossible: Option<String>,
}

/// One observation point with its findings.
#[derive(Clone, Debug)]
struct Observed {
    /// Counts the anomalies that show when a record takes effect.
    point: Point,
    /// Records that expired or were discarded.
    lost: u64,
    /// Stored records not seen by the end.
    unobserved: u64,
    witnesses: [Option<Box<Witness>>; Anomaly::ALL.len()],
    deliveries: Recent<Delivery, 64>,
    /// Those of them that no component holds either.
    unaccounted: u64,
}

impl Observed {
    fn cases(&self, anomaly: Anomaly) -> u64 {
        match anomaly {
            Anomaly::Duplicate | Anomaly::NonmonotonicExternal | Anomaly::NonmonotonicInternal | Anomaly::Skip => {
                self.point.cases().of(anomaly)
            }
            Anomaly::Lost => self.lost,
            Anomaly::Unobserved => self.unobserved,
        }
    }
}

/// A batch that took effect; its first record and its length stand for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Delivery {
    at: SimTime,
    first: (KeyId, u32),
    records: u32,
}

impl Ordering {
    /// A checker for the components of a run.
    pub fn new(directory: Arc<Directory>, keys: Arc<KeyTable>) -> Self {
        let count = keys.entries().len();
        Self {
            accepted: Ordinals::new(count),
            stored: Vec::new(),
            stored_again: 0,
            places: directory
                .processors
                .iter()
                .map(|_| Observed {
                    point: Point::new(count),
                    lost: 0,
                    unobserved: 0,
                    witnesses: [const { None }; Anomaly::ALL.len()],
                    deliveries: Recent::new(),
                    unaccounted: 0,
                })
                .collect(),
            readers: directory
                .streams
                .ids()
                .map(|stream| readers_of(stream, &directory))
                .collect(),
            causes: Causes::default(),
            aggregates: Aggregates::new(&directory),
            impossible: None,
            directory,
            keys,
        }
    }

    /// Takes note of a fact.
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.note(now, fact, &Sums::of(fact));
    }

    /// Takes note of a fact with its sums.
    #[inline]
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        match *fact {
            Fact::PutHandled { records, .. } => self.accept(records, sums.entries.stored),
            Fact::RecordsGivenUp { producer, records, .. } => {
                if let Some(entry) = self.directory.producers.get(producer)
                    && let Some(stream) = entry.target.stream()
                {
                    self.give_up(stream, records);
                }
            }
            Fact::RequestSent {
                records,
                attempt,
                resends,
                ..
            } if attempt > 1 || resends > 0 => self.causes.request_sent(now, records, attempt, resends),
            Fact::UserRecordsSent { records, .. } => self.causes.user_records_sent(now, records),
            Fact::UserRecordsStored { .. }
            | Fact::GetRecordsHandled { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::CheckpointAdvanced { .. } => self.user_records(fact),
            Fact::BatchDispatched { .. } | Fact::BatchFailed { .. } => self.causes.batch(now, fact),
            Fact::RecordsProcessed { processor, records, .. } => self.deliver(now, processor, records),
            Fact::RecordsDelivered {
                processor,
                records,
                rewrites,
                ..
            } => {
                if let Some(observed) = self.places.get_mut(processor.index()) {
                    observed.point.set_rewrites(rewrites);
                }
                self.deliver(now, processor, records);
            }
            Fact::RecordsExpiredUnread { reader, count, .. } | Fact::RecordsExpiredInRetry { reader, count, .. } => {
                self.user_records(fact);
                self.lose(now, reader, count, fact);
            }
            Fact::RecordsDiscarded { reader, records, .. } => {
                self.lose(now, reader, u64::from(to_u32(records.len())), fact);
            }
            Fact::RecordsFilteredOut { .. } | Fact::MappingChanged { .. } => self.left_out(fact),
            Fact::Queueing { ref fact } => self.messages(fact),
            Fact::RequestSent { .. }
            | Fact::RecordsProduced { .. }
            | Fact::RecordsAcknowledged { .. }
            | Fact::RequestAnswered { .. }
            | Fact::RequestFailed { .. }
            | Fact::RetryScheduled { .. }
            | Fact::PutRefused { .. }
            | Fact::ShardsWritten { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionAnswered { .. }
            | Fact::RecordsGathered { .. }
            | Fact::InvocationStarted { .. }
            | Fact::InvocationThrottled { .. }
            | Fact::InvocationEnded { .. }
            | Fact::StreamChanged { .. }
            | Fact::ApplicationChanged { .. }
            | Fact::Publishing { .. }
            | Fact::FunctionChanged { .. }
            | Fact::AsynchronousEvent { .. }
            | Fact::SinkChanged { .. }
            | Fact::InvokerActed { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    fn accept(&mut self, entries: &[Record], stored: u64) {
        let identity = |entry: &Record| (entry.key, entry.ordinal);
        self.stored_again += if stored == u64::from(to_u32(entries.len())) {
            self.accepted.insert_all(entries.iter().map(identity))
        } else {
            // Nobody can predict which entries a hot shard refuses: the others are picked without a branch.
            self.stored.resize(entries.len().max(self.stored.len()), (KeyId(0), 0));
            let (places, mut count) = (&mut self.stored[..entries.len()], 0);
            for entry in entries {
                if let Some(place) = places.get_mut(count) {
                    *place = identity(entry);
                }
                count += usize::from(entry.is_accepted());
            }
            self.accepted.insert_all(places[..count].iter().copied())
        };
    }

    /// A record that was given up but is stored all the same stays expected.
    fn give_up(&mut self, stream: StreamId, records: &[Record]) {
        for record in records {
            if self.accepted.insert(record.key, record.ordinal) == Inserted::Again {
                continue;
            }
            for reader in &self.readers[stream] {
                self.places[*reader].point.excuse(record.key, record.ordinal);
            }
        }
    }

    #[inline]
    fn deliver(&mut self, now: SimTime, processor: ProcessorId, records: &[Record]) {
        let Self {
            accepted,
            places,
            causes,
            directory,
            keys,
            impossible,
            ..
        } = self;
        let Some(observed) = places.get_mut(processor.index()) else {
            return;
        };
        let Observed {
            point,
            witnesses,
            deliveries,
            ..
        } = observed;
        let context = Context {
            now,
            processor,
            records,
            causes,
            directory,
            keys,
            deliveries,
        };
        let effect = Effect { now, records, accepted };
        point.deliver(effect, |irregular, record| {
            let anomaly = match irregular {
                Irregular::Again => Anomaly::Duplicate,
                Irregular::Late { same_batch: true, .. } => Anomaly::NonmonotonicInternal,
                Irregular::Late { same_batch: false, .. } => Anomaly::NonmonotonicExternal,
                Irregular::Skipping { .. } => Anomaly::Skip,
                Irregular::NeverAccepted => {
                    impossible.get_or_insert_with(|| context.never_accepted(record));
                    return;
                }
            };
            witnesses[anomaly.index()].get_or_insert_with(|| Box::new(context.witness(anomaly, irregular, record)));
        });
        if let Some(first) = head(records) {
            deliveries.push(Delivery {
                at: now,
                first,
                records: to_u32(records.len()),
            });
        }
    }

    fn lose(&mut self, now: SimTime, reader: ReaderId, count: u64, fact: &Fact<'_>) {
        let Some(processor) = self.directory.readers.get(reader).map(|entry| entry.processor) else {
            return;
        };
        let Some(observed) = self.places.get_mut(processor.index()) else {
            return;
        };
        observed.lost += count;
        observed.witnesses[Anomaly::Lost.index()].get_or_insert_with(|| {
            let record = causes::discarded(fact);
            Box::new(Witness {
                anomaly: Anomaly::Lost,
                place: place_name(&self.directory, processor),
                key: record.map_or_else(String::new, |record| self.keys.text(record.key)),
                record: record.map(|record| Sighting {
                    ordinal: record.ordinal,
                    created_at: Some(record.created_at),
                    arrived_at: Some(record.arrived_at),
                    delivered_at: None,
                }),
                other: None,
                cause: causes::loss(now, fact, &self.directory),
                cases: 0,
            })
        });
    }

    /// Looks for stored records that have not taken effect. Call at the end of a run (or of what is judged); calling it
    /// again replaces what the call before found.
    pub fn finish(&mut self, holdings: &Holdings) {
        for number in 0..self.places.len() {
            let processor = ProcessorId::from_index(number);
            let (missing, first) = self.missing_at(processor);
            let (mut held, mut before_start) = (0, 0);
            for reader in &holdings.readers {
                if self
                    .directory
                    .readers
                    .get(reader.reader)
                    .is_some_and(|entry| entry.processor == processor)
                {
                    let next = holdings
                        .log(reader.stream, reader.shard)
                        .map_or(0, |log| log.next_position);
                    let (unfinished, before) = self.aggregates.unfinished(reader.reader, reader.shard, reader.start);
                    held += reader.in_flight + next.saturating_sub(reader.cursor) + unfinished;
                    before_start += reader.start + before;
                }
            }
            let readers = self.directory.readers.iter_enumerated();
            let own = readers.filter(|(_, entry)| entry.processor == processor);
            before_start += own.map(|(reader, _)| self.aggregates.before_start(reader)).sum::<u64>();
            let observed = &mut self.places[number];
            let unobserved = missing.saturating_sub(observed.lost + before_start);
            observed.unobserved = unobserved;
            observed.unaccounted = unobserved.saturating_sub(held);
            observed.witnesses[Anomaly::Unobserved.index()] = first.filter(|_| unobserved > 0).map(|(key, ordinal)| {
                Box::new(Witness {
                    anomaly: Anomaly::Unobserved,
                    place: place_name(&self.directory, processor),
                    key: self.keys.text(key),
                    record: Some(unseen(ordinal)),
                    other: None,
                    cause: None,
                    cases: 0,
                })
            });
        }
    }

    /// How many records that the processor's streams accepted have not taken effect, and the first of the first key.
    fn missing_at(&self, processor: ProcessorId) -> (u64, Option<(KeyId, u32)>) {
        let Some(observed) = self.places.get(processor.index()) else {
            return (0, None);
        };
        let (mut missing, mut first) = (0, None);
        for (producer, entry) in self.directory.producers.iter_enumerated() {
            if !self
                .directory
                .readers_of(processor)
                .any(|(_, reader)| Some(reader.stream) == entry.target.stream())
            {
                continue;
            }
            let range = self.keys.range(producer);
            for key in (range.first..range.first + range.count).map(KeyId) {
                let absent = self.accepted.count(key).saturating_sub(observed.point.count(key));
                missing += u64::from(absent);
                if absent > 0 && first.is_none() {
                    first = Some((key, observed.point.first_missing(key)));
                }
            }
        }
        (missing, first)
    }

    /// Records that took effect at the place, repeated ones included.
    pub fn delivered(&self, place: Place) -> u64 {
        self.observed(place).map(|(_, observed)| observed.point.records()).sum()
    }
    /// Records that were written to the place again and replaced themselves.
    pub fn rewritten(&self, place: Place) -> u64 {
        let observed = self.observed(place);
        observed.map(|(_, observed)| observed.point.rewritten()).sum()
    }
    /// Anomalies at the place.
    pub fn counts(&self, place: Place) -> AnomalyCounts {
        let mut sum = AnomalyCounts::default();
        for (_, observed) in self.observed(place) {
            for anomaly in Anomaly::ALL {
                sum.add(anomaly, observed.cases(anomaly));
            }
        }
        sum
    }
    /// The first case of an anomaly at the place.
    pub fn witness(&self, place: Place, anomaly: Anomaly) -> Option<Witness> {
        let cases = self.counts(place).of(anomaly);
        self.observed(place)
            .find_map(|(_, observed)| observed.witnesses[anomaly.index()].as_deref())
            .map(|witness| Witness {
                cases,
                ..witness.clone()
            })
    }
    /// Entries that were stored a second time because a client repeated a put (KDS-W-27).
    pub const fn stored_again(&self) -> u64 {
        self.stored_again
    }
    /// A record that took effect though no stream had accepted it: a bug of the model.
    pub fn impossible(&self) -> Option<&str> {
        self.impossible.as_deref()
    }

    /// The conclusion about a guarantee at a place. Loss is judged as of the last [`finish`](Self::finish).
    pub fn verdict(&self, guarantee: Guarantee, place: Place) -> Verdict {
        let violations: &[Anomaly] = match guarantee {
            Guarantee::OrderPerKey => &[Anomaly::NonmonotonicExternal, Anomaly::NonmonotonicInternal],
            Guarantee::NoDuplicates => &[Anomaly::Duplicate],
            Guarantee::NoLoss if self.observed(place).any(|(_, observed)| observed.unaccounted > 0) => {
                &[Anomaly::Lost, Anomaly::Unobserved]
            }
            Guarantee::NoLoss => &[Anomaly::Lost],
        };
        if let Some(witness) = violations.iter().find_map(|anomaly| self.witness(place, *anomaly)) {
            return Verdict::Violated(Box::new(witness));
        }
        if self.delivered(place) == 0 {
            let place = match place {
                Place::Sink(sink) => self.directory.label(Component::Sink(sink)),
                Place::Processor(processor) => self.directory.processor_label(processor),
            };
            return Verdict::Undecided(format!("no record took effect at {place}"));
        }
        Verdict::Holds
    }

    fn observed(&self, place: Place) -> impl Iterator<Item = (ProcessorId, &Observed)> {
        self.places
            .iter()
            .enumerate()
            .map(|(number, observed)| (ProcessorId::from_index(number), observed))
            .filter(move |&(processor, _)| match place {
                Place::Processor(wanted) => processor == wanted,
                Place::Sink(sink) => self
                    .directory
                    .processors
                    .get(processor)
                    .is_some_and(|entry| entry.sink == Some(sink)),
            })
    }
}

/// The places of the processors that get records of the stream.
fn readers_of(stream: StreamId, directory: &Directory) -> Vec<usize> {
    let reads = |processor: &ProcessorId| {
        let mut readers = directory.readers_of(*processor);
        readers.any(|(_, reader)| reader.stream == stream)
    };
    directory.processors.ids().filter(reads).map(Idx::index).collect()
}
