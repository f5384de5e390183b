//! Metrics under CloudWatch's names: one-minute series for each component that has them.

pub mod catalogue;
mod fan_out;
mod functions;
mod groups;
mod mapping;
mod points;
mod queue;
mod queue_mapping;
pub mod series;
mod shards;
mod sinks;
#[cfg(test)]
mod tests;
mod topic;

pub use catalogue::Metric;
pub use series::{Point, Quotient, Series, Statistic};

use crate::batch::ServiceError;
use crate::blueprint::PutApi;
use crate::directory::{Component, Directory};
use crate::engine::index::{IndexVec, to_u32};
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{
    InvokerId, MappingId, ProcessorId, ProducerId, QueueId, QueueMappingId, ReaderId, ShardIndex, SinkId, StreamId,
    SubscriptionId, TopicId,
};
use crate::observe::fact::{ApplicationChange, Fact};
use crate::observe::sums::{Entries, Sums};
use crate::record::Record;
use groups::{ACCOUNT, APPLICATION, CONSUMER, FUNCTION, INVOKER, LIBRARY, MAPPING, PRODUCER, STREAM};
use points::{latencies, stored_bytes};
use queue::QueueMetrics;
use shards::ShardMetrics;
use std::sync::Arc;
use topic::{SubscriptionMetrics, TOPIC};

/// The series of one component, in the order of its metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    /// By metric: the place of its series, beyond all of them if there is none.
    places: [u8; Metric::ALL.len()],
    series: Vec<Series>,
}

impl Group {
    fn new(metrics: &'static [Metric]) -> Self {
        let mut places = [u8::MAX; Metric::ALL.len()];
        for (place, metric) in (0..).zip(metrics) {
            places[metric.index()] = place;
        }
        Self {
            places,
            series: vec![Series::default(); metrics.len()],
        }
    }
    fn get(&self, metric: Metric) -> Option<&Series> {
        self.series.get(usize::from(self.places[metric.index()]))
    }
    #[inline]
    fn add(&mut self, at: SimTime, metric: Metric, values: Point) {
        if let Some(series) = self.series.get_mut(usize::from(self.places[metric.index()])) {
            series.add(at, values);
        }
    }
    /// Records whose effect is complete now.
    fn complete(&mut self, now: SimTime, latencies: Point) {
        self.add(now, Metric::EndToEndLatency, latencies);
        self.add(now, Metric::RecordsDelivered, Point::of(latencies.count));
    }
}

/// The metrics of a run.
#[derive(Clone, Debug)]
pub struct Metrics {
    directory: Arc<Directory>,
    producers: IndexVec<ProducerId, Group>,
    streams: IndexVec<StreamId, Group>,
    shards: IndexVec<StreamId, ShardMetrics>,
    /// A mapping publishes its own metrics only where MetricsConfig asks for them (LAM-M-20).
    mappings: IndexVec<MappingId, Option<Group>>,
    /// By reader, of those that are registered consumers.
    consumers: IndexVec<ReaderId, Group>,
    processors: IndexVec<ProcessorId, Group>,
    invokers: IndexVec<InvokerId, Group>,
    account: Group,
    sinks: IndexVec<SinkId, Group>,
    queues: IndexVec<QueueId, QueueMetrics>,
    topics: IndexVec<TopicId, Group>,
    subscriptions: IndexVec<SubscriptionId, SubscriptionMetrics>,
    queue_mappings: IndexVec<QueueMappingId, Group>,
}

fn len(records: &[Record]) -> u64 {
    u64::from(to_u32(records.len()))
}
/// Spans are kept in microseconds, rounded down.
const fn micros(span: SimDuration) -> u64 {
    span.as_nanos() / 1_000
}

impl Metrics {
    /// Empty series for the components of a run.
    pub fn new(directory: Arc<Directory>) -> Self {
        Self {
            producers: directory
                .producers
                .iter()
                .map(|entry| Group::new(if entry.library { LIBRARY } else { PRODUCER }))
                .collect(),
            streams: directory.streams.iter().map(|_| Group::new(STREAM)).collect(),
            shards: directory
                .streams
                .iter()
                .map(|stream| ShardMetrics::new(stream.shard_level_metrics, stream.shards))
                .collect(),
            mappings: directory
                .mappings
                .iter()
                .map(|mapping| mapping.event_count.then(|| Group::new(MAPPING)))
                .collect(),
            consumers: directory.readers.iter().map(|_| Group::new(CONSUMER)).collect(),
            processors: directory
                .processors
                .iter()
                .map(|entry| match entry.component {
                    Component::Application(_) => Group::new(APPLICATION),
                    Component::Function(_)
                    | Component::Invoker(_)
                    | Component::Mapping(_)
                    | Component::Producer(_)
                    | Component::Queue(_)
                    | Component::Fleet(_)
                    | Component::Topic(_)
                    | Component::Subscription(_)
                    | Component::QueueMapping(_)
                    | Component::Sink(_)
                    | Component::Stream(_) => Group::new(FUNCTION),
                })
                .collect(),
            invokers: directory.invokers.iter().map(|_| Group::new(INVOKER)).collect(),
            account: Group::new(ACCOUNT),
            queues: directory
                .queues
                .iter()
                .map(|queue| QueueMetrics::new(queue.fifo))
                .collect(),
            topics: directory.topics.iter().map(|_| Group::new(TOPIC)).collect(),
            subscriptions: directory
                .subscriptions
                .iter()
                .map(|_| SubscriptionMetrics::new())
                .collect(),
            queue_mappings: directory.queue_mappings.iter().map(queue_mapping::group).collect(),
            sinks: directory
                .sinks
                .iter()
                .map(|entry| Group::new(sinks::of(entry.service)))
                .collect(),
            directory,
        }
    }

    /// The series of a component's metric.
    pub fn series(&self, metric: Metric, of: Component) -> Option<&Series> {
        match of {
            Component::Producer(id) => self.producers.get(id),
            Component::Stream(id) => self.streams.get(id),
            Component::Mapping(id) if CONSUMER.contains(&metric) => self.consumers.get(id.into()),
            Component::Mapping(id) => self.mappings.get(id).and_then(Option::as_ref),
            Component::Application(id) if CONSUMER.contains(&metric) => {
                self.consumers.get(self.directory.reader_of(id))
            }
            Component::Application(id) => self.processors.get(self.directory.processor_of(id)),
            Component::Function(id) => self.processors.get(id.into()),
            Component::Invoker(id) => self.invokers.get(id),
            Component::Sink(id) => self.sinks.get(id),
            Component::Queue(id) => return self.queues.get(id)?.get(metric),
            Component::QueueMapping(id) => return self.queue_mappings.get(id)?.get(metric),
            Component::Fleet(_) => None,
            Component::Topic(id) => self.topics.get(id),
            Component::Subscription(id) => return self.subscriptions.get(id)?.get(metric),
        }?
        .get(metric)
    }
    /// The series of a metric that only the account has in its Region (LAM-M-09, LAM-M-10).
    pub fn account_series(&self, metric: Metric) -> Option<&Series> {
        self.account.get(metric)
    }
    /// The series of a shard's metric (enhanced monitoring, KDS-MET-02, KDS-MET-03).
    pub fn shard_series(&self, metric: Metric, stream: StreamId, shard: ShardIndex) -> Option<&Series> {
        self.shards.get(stream)?.series(metric, shard)
    }
    /// A statistic in the metric's unit over the minutes that start within `[from, until)`. `None`: the component has no
    /// such metric, or no value fell into that time.
    pub fn value(
        &self,
        metric: Metric,
        of: Component,
        statistic: Statistic,
        from: SimTime,
        until: SimTime,
    ) -> Option<Quotient> {
        let found = self.series(metric, of)?.statistic(statistic, from, until)?;
        let parts = match statistic {
            Statistic::SampleCount => 1,
            Statistic::Sum | Statistic::Average | Statistic::Minimum | Statistic::Maximum => metric.row().unit.parts(),
        };
        Some(Quotient {
            numerator: found.numerator,
            denominator: found.denominator * parts,
        })
    }

    /// Takes note of a fact.
    pub fn on(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.note(now, fact, &Sums::of(fact));
    }

    /// Takes note of a fact with its sums.
    pub(super) fn note(&mut self, now: SimTime, fact: &Fact<'_>, sums: &Sums) {
        match *fact {
            Fact::RecordsProduced { producer, records } => {
                self.producers[producer].add(now, Metric::RecordsProduced, Point::of(len(records)));
            }
            Fact::RecordsGivenUp { producer, records, .. } => {
                self.producers[producer].add(now, Metric::RecordsGivenUp, Point::of(len(records)));
                self.settled(now, producer, records, 0);
            }
            Fact::RecordsAcknowledged { producer, records } => self.settled(now, producer, records, 1),
            Fact::UserRecordsSent { .. } | Fact::RequestAnswered { .. } | Fact::RequestFailed { .. } => {
                self.library(now, fact);
            }
            Fact::PutHandled { .. } => self.put(now, fact, &sums.entries),
            Fact::ShardsWritten { stream, shards } => self.written(now, stream, shards),
            Fact::PutRefused {
                stream,
                producer,
                records,
                error,
            } => self.put_refused(now, stream, producer, len(records), error),
            Fact::ApplicationChanged { reader, change } => self.application(now, reader, change),
            Fact::BatchDispatched { .. }
            | Fact::BatchFailed { .. }
            | Fact::RecordsDiscarded { .. }
            | Fact::RecordsFilteredOut { .. }
            | Fact::MappingChanged { .. } => self.mapping(now, fact),
            Fact::Queueing { ref fact } => {
                self.queueing(now, fact);
                self.notified(now, fact);
            }
            Fact::Publishing { ref fact } => self.publishing(now, fact),
            Fact::GetRecordsHandled { .. }
            | Fact::GetRecordsThrottled { .. }
            | Fact::SubscriptionEventPushed { .. }
            | Fact::SubscriptionAnswered { .. } => self.served(now, fact),
            Fact::RecordsExpiredUnread { reader, count, .. } | Fact::RecordsExpiredInRetry { reader, count, .. } => {
                self.expired(now, reader, count);
            }
            Fact::InvocationStarted { .. } | Fact::InvocationThrottled { .. } | Fact::InvocationEnded { .. } => {
                self.invocation(now, fact);
            }
            Fact::AsynchronousEvent { function, step } => self.asynchronous(now, function, step),
            Fact::InvokerActed { invoker, step } => self.invoker(now, invoker, step),
            Fact::RecordsProcessed { processor, records, .. } => {
                self.processors[processor].complete(now, latencies(now, records, sums));
            }
            Fact::RecordsDelivered {
                sink,
                processor,
                records,
                ..
            } => {
                let latencies = latencies(now, records, sums);
                self.processors[processor].complete(now, latencies);
                self.sinks[sink].complete(now, latencies);
            }
            Fact::SinkChanged { sink, change } => self.sink(now, sink, change),
            Fact::RequestSent { .. }
            | Fact::UserRecordsStored { .. }
            | Fact::RetryScheduled { .. }
            | Fact::AcknowledgementLost { .. }
            | Fact::RecordsGathered { .. }
            | Fact::BatchAcknowledged { .. }
            | Fact::CheckpointAdvanced { .. }
            | Fact::StreamChanged { .. }
            | Fact::FunctionChanged { .. }
            | Fact::Intervened { .. } => {}
        }
    }

    /// The Kinesis Producer Library is done with user records (KDS-MET-16): each was put or not.
    fn settled(&mut self, now: SimTime, producer: ProducerId, records: &[Record], put: u64) {
        if !self.directory.producers[producer].library {
            return;
        }
        let group = &mut self.producers[producer];
        group.add(now, Metric::UserRecordsPut, Point::of_equal(put, len(records)));
        let retries = Point::of_all(
            records
                .iter()
                .map(|record| u64::from(record.attempt().saturating_sub(1))),
        );
        group.add(now, Metric::RetriesPerRecord, retries);
    }

    /// What else the Kinesis Producer Library publishes (KDS-MET-16).
    fn library(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::UserRecordsSent {
            producer, waited_since, ..
        } = *fact
        {
            let waits = Point::of_all(waited_since.iter().map(|&since| micros(now.since(since))));
            self.producers[producer].add(now, Metric::BufferingTime, waits);
        }
        if let Fact::RequestAnswered {
            producer,
            stored,
            throttled,
            failed,
            ..
        } = *fact
        {
            let refused = u64::from(throttled + failed);
            let mut put = Point::of_equal(1, u64::from(stored));
            put.add(Point::of_equal(0, refused));
            let group = &mut self.producers[producer];
            group.add(now, Metric::KinesisRecordsPut, put);
            group.add(now, Metric::ErrorsByCode, Point::of_equal(1, refused));
        }
        if let Fact::RequestFailed { producer, .. } = *fact {
            self.producers[producer].add(now, Metric::ErrorsByCode, Point::of(1));
        }
    }

    fn put(&mut self, now: SimTime, fact: &Fact<'_>, entries: &Entries) {
        let Fact::PutHandled {
            stream,
            api,
            records,
            shards,
            received_at,
            sent,
            ..
        } = *fact
        else {
            return;
        };
        let service = micros(now.since(received_at));
        let Entries {
            stored,
            throttled,
            failed,
            ..
        } = *entries;
        let group = &mut self.streams[stream];
        match api {
            // Each record is a call of its own, in a cohort too.
            PutApi::PutRecord => {
                let mut success = Point::of_equal(1, stored);
                success.add(Point::of_equal(0, throttled + failed));
                let bytes = stored_bytes(records, stored);
                // The calls of a cohort come in one by one before its window, and nobody notes when.
                if sent.is_some() {
                    group.add(now, Metric::PutRecordLatency, Point::of(service));
                }
                group.add(now, Metric::PutRecordBytes, bytes);
                group.add(now, Metric::PutRecordSuccess, success);
                group.add(now, Metric::IncomingRecords, Point::of_equal(1, stored));
                group.add(now, Metric::IncomingBytes, bytes);
            }
            // Not of a stream.
            PutApi::SendMessage | PutApi::SendMessageBatch | PutApi::Publish | PutApi::PublishBatch => {}
            PutApi::PutRecords => {
                let bytes = entries.bytes;
                group.add(now, Metric::PutRecordsBytes, Point::of(bytes));
                group.add(now, Metric::PutRecordsLatency, Point::of(service));
                group.add(now, Metric::PutRecordsSuccess, Point::of(u64::from(stored > 0)));
                group.add(now, Metric::PutRecordsTotalRecords, Point::of(len(records)));
                group.add(now, Metric::PutRecordsSuccessfulRecords, Point::of(stored));
                group.add(now, Metric::PutRecordsFailedRecords, Point::of(failed));
                group.add(now, Metric::PutRecordsThrottledRecords, Point::of(throttled));
                group.add(now, Metric::IncomingRecords, Point::of(stored));
                group.add(now, Metric::IncomingBytes, Point::of(bytes));
            }
        }
        group.add(now, Metric::WriteProvisionedThroughputExceeded, Point::of(throttled));
        self.written(now, stream, shards);
    }

    fn application(&mut self, now: SimTime, reader: ReaderId, change: ApplicationChange) {
        if let ApplicationChange::LeaseTaken { .. } = change {
            let processor = self.directory.readers[reader].processor;
            self.processors[processor].add(now, Metric::LeasesTaken, Point::of(1));
        }
    }

    /// A stream answered a reader, or pushed to one.
    fn served(&mut self, now: SimTime, fact: &Fact<'_>) {
        self.given(now, fact);
        self.read(now, fact);
        self.fan_out(now, fact);
        self.mapping(now, fact);
    }

    fn read(&mut self, now: SimTime, fact: &Fact<'_>) {
        if let Fact::GetRecordsThrottled { stream, .. } = *fact {
            let group = &mut self.streams[stream];
            group.add(now, Metric::GetRecordsSuccess, Point::of(0));
            group.add(now, Metric::ReadProvisionedThroughputExceeded, Point::of(1));
        }
        let Fact::GetRecordsHandled {
            stream,
            reader,
            records,
            bytes,
            millis_behind,
            received_at,
            ..
        } = *fact
        else {
            return;
        };
        let behind = Point::of(micros(SimDuration::from_millis(millis_behind)));
        let processor = self.directory.readers[reader].processor;
        self.processors[processor].add(now, Metric::MillisBehindLatest, behind);
        let group = &mut self.streams[stream];
        let last = records.last().filter(|_| millis_behind > 0);
        let age = last.map_or(0, |record| micros(now.since(record.arrived_at)));
        group.add(now, Metric::GetRecordsIteratorAgeMilliseconds, Point::of(age));
        group.add(now, Metric::GetRecordsBytes, Point::of(bytes));
        group.add(now, Metric::GetRecordsRecords, Point::of(len(records)));
        let service = micros(now.since(received_at));
        group.add(now, Metric::GetRecordsLatency, Point::of(service));
        group.add(now, Metric::GetRecordsSuccess, Point::of(1));
        group.add(now, Metric::ReadProvisionedThroughputExceeded, Point::of(0));
    }

    fn put_refused(&mut self, now: SimTime, stream: StreamId, producer: ProducerId, records: u64, error: ServiceError) {
        let group = &mut self.streams[stream];
        match self.directory.producers[producer].api {
            PutApi::PutRecord => group.add(now, Metric::PutRecordSuccess, Point::of_equal(0, records)),
            PutApi::SendMessage | PutApi::SendMessageBatch | PutApi::Publish | PutApi::PublishBatch => {}
            PutApi::PutRecords => {
                group.add(now, Metric::PutRecordsSuccess, Point::of(0));
                if error == ServiceError::InternalFailure {
                    group.add(now, Metric::PutRecordsTotalRecords, Point::of(records));
                    group.add(now, Metric::PutRecordsFailedRecords, Point::of(records));
                }
            }
        }
        if error == ServiceError::ProvisionedThroughputExceeded {
            group.add(now, Metric::WriteProvisionedThroughputExceeded, Point::of(records));
        }
    }

    fn expired(&mut self, now: SimTime, reader: ReaderId, count: u64) {
        let stream = self.directory.readers[reader].stream;
        self.streams[stream].add(now, Metric::RecordsExpired, Point::of(count));
    }
}
