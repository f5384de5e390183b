//! Totals of a period: what was counted at its end, less what had been counted at its beginning.

mod topics;

use super::Question;
use scenarios::expect::Missing;
use scenarios::metric::Statistic;
use sim::blueprint::PutApi;
use sim::directory::Directory;
use sim::ids::{
    ApplicationId, FleetId, FunctionId, ProcessorId, ProducerId, QueueId, QueueMappingId, ReaderId, SinkId, StreamId,
};
use sim::observe::Observers;
use sim::observe::counts::{
    Counts, FleetCounts, FunctionCounts, InvokerCounts, ProducerCounts, QueueCounts, QueueMappingCounts, ReaderCounts,
    SinkCounts, StreamCounts,
};
use sim::observe::latency::{Histogram, Latency};
use sim::observe::message_path::MessagePaths;
use sim::observe::ordering::{AnomalyCounts, Ordering, Place};
use sim::observe::verdict::Anomaly;
use std::collections::BTreeMap;

/// Totals at an instant, kept.
pub(super) struct Begin {
    counts: Counts,
    latency: BTreeMap<ProcessorId, Spans>,
    /// Anomalies, records delivered and records rewritten.
    anomalies: BTreeMap<Place, (AnomalyCounts, u64, u64)>,
}

/// A histogram without its empty buckets.
#[derive(Default)]
struct Spans {
    count: u64,
    sum: u128,
    /// Middle of each bucket in nanoseconds, and how many values it has.
    buckets: Vec<(u64, u64)>,
}

impl Spans {
    fn of(histogram: &Histogram) -> Self {
        Self {
            count: histogram.count(),
            sum: histogram.sum(),
            buckets: histogram
                .buckets()
                .map(|(middle, count)| (middle.as_nanos(), count))
                .collect(),
        }
    }
}

impl Begin {
    /// What periods that begin now will need.
    pub(super) fn of(observers: &Observers, directory: &Directory, with_latency: bool) -> Option<Self> {
        let End {
            counts,
            latency,
            ordering,
            ..
        } = End::of(observers)?;
        let processors = directory.processors.ids().filter(|_| with_latency);
        let sinks = directory.sinks.ids().map(Place::Sink);
        let places = sinks.chain(directory.processors.ids().map(Place::Processor));
        Some(Self {
            counts: counts.clone(),
            latency: processors
                .filter_map(|id| Some((id, Spans::of(&latency.of(id)?.end_to_end))))
                .collect(),
            anomalies: places
                .map(|place| {
                    let found = (
                        ordering.counts(place),
                        ordering.delivered(place),
                        ordering.rewritten(place),
                    );
                    (place, found)
                })
                .collect(),
        })
    }
}

/// Totals of this instant.
#[derive(Clone, Copy)]
pub(super) struct End<'o> {
    counts: &'o Counts,
    latency: &'o Latency,
    paths: Option<&'o MessagePaths>,
    ordering: &'o Ordering,
}

impl<'o> End<'o> {
    /// `None` if not all of the observers are there.
    pub(super) fn of(observers: &'o Observers) -> Option<Self> {
        Some(Self {
            counts: observers.counts.as_ref()?,
            latency: observers.latency.as_ref()?,
            paths: observers.message_paths.as_ref(),
            ordering: observers.ordering.as_ref()?,
        })
    }
}

/// A period that ends now. Without a beginning it is the whole run until now.
#[derive(Clone, Copy)]
pub(super) struct Period<'t> {
    pub(super) begin: Option<&'t Begin>,
    pub(super) end: End<'t>,
}

type Answer = Option<Result<f64, Missing>>;

const NANOS_PER_MILLI: f64 = 1e6;

fn sum(statistic: Statistic, value: u64) -> Answer {
    (statistic == Statistic::Sum).then_some(Ok(value as f64))
}

impl Period<'_> {
    /// The answer to a question about this period; `None`: totals do not tell.
    pub(super) fn value(
        &self,
        question: &Question,
        directory: &Directory,
        apis: &BTreeMap<StreamId, Vec<PutApi>>,
    ) -> Answer {
        let (kind, name) = question.of.split_once('.')?;
        let Question { metric, statistic, .. } = *question;
        match kind {
            "producer" => {
                let id = directory.producer(name)?;
                let library = directory.producers[id].library;
                self.producer(id, metric, statistic)
                    .or_else(|| library.then(|| self.library(id, metric, statistic)).flatten())
            }
            "stream" => {
                let stream = directory.stream(name)?;
                // The totals do not tell the two put APIs apart, so these are known where only one is used.
                let apis = apis.get(&stream);
                let put_records_only = apis.is_some_and(|apis| apis.iter().all(|api| *api == PutApi::PutRecords));
                self.stream(stream, directory, put_records_only, metric, statistic)
            }
            "mapping" => {
                if let Some(id) = directory.queue_mapping(name) {
                    let event_count = directory.queue_mappings[id].event_count;
                    return self.queue_mapping(id, event_count, metric, statistic);
                }
                let id = directory.mapping(name)?;
                self.mapping(id.into(), directory.mappings[id].event_count, metric, statistic)
            }
            "application" => self.application(directory.application(name)?, directory, metric, statistic),
            "function" => self.function(directory.function(name)?, metric, statistic),
            "queue" => self.queue(directory.queue(name)?, metric, statistic),
            "worker" => self.workers(directory.fleet(name)?, metric, statistic),
            "topic" => self.topic(directory.topic(name)?, directory, metric, statistic),
            "subscription" => self.subscription(directory.subscription(name)?, metric, statistic),
            "invoker" => {
                let id = directory.invoker(name)?;
                let of = |total: fn(&InvokerCounts) -> u64| {
                    sum(statistic, self.growth(|counts| total(&counts.invokers[id])))
                };
                match metric {
                    "RequestsSent" => of(|counts| counts.sent),
                    "RequestsFailed" => of(|counts| counts.errors + counts.timeouts),
                    "RequestsThrottled" => of(|counts| counts.throttled),
                    _ => None,
                }
            }
            "sink" => self.sink(directory.sink(name)?, directory, metric, statistic),
            _ => None,
        }
    }

    /// The growth of a total.
    fn growth(&self, total: impl Fn(&Counts) -> u64) -> u64 {
        total(self.end.counts) - self.begin.map_or(0, |begin| total(&begin.counts))
    }
    /// A running maximum, which only a period from the start of the run has.
    fn maximum(&self, total: impl Fn(&Counts) -> u64) -> Answer {
        self.begin.is_none().then(|| Ok(total(self.end.counts) as f64))
    }
    fn anomalies(&self, place: Place, anomalies: &[Anomaly]) -> u64 {
        let total = |counts: AnomalyCounts| -> u64 { anomalies.iter().map(|anomaly| counts.of(*anomaly)).sum() };
        let before = self.begin.and_then(|begin| begin.anomalies.get(&place));
        total(self.end.ordering.counts(place)) - before.map_or(0, |(counts, ..)| total(*counts))
    }
    fn delivered(&self, place: Place) -> u64 {
        let before = self.begin.and_then(|begin| begin.anomalies.get(&place));
        self.end.ordering.delivered(place) - before.map_or(0, |(_, delivered, _)| *delivered)
    }

    /// A statistic of latency, in milliseconds.
    fn latency(&self, processors: &[ProcessorId], statistic: Statistic) -> Answer {
        let mut all = Histogram::new();
        for place in processors.iter().filter_map(|id| self.end.latency.of(*id)) {
            all.merge(&place.end_to_end);
        }
        let before: Vec<&Spans> = processors.iter().filter_map(|id| self.begin?.latency.get(id)).collect();
        let count = all.count() - before.iter().map(|spans| spans.count).sum::<u64>();
        if statistic == Statistic::SampleCount {
            return Some(Ok(count as f64));
        }
        if count == 0 {
            return Some(match statistic {
                Statistic::Sum => Ok(0.0),
                _ => Err(Missing::NoValueThen),
            });
        }
        let sum = all.sum() - before.iter().map(|spans| spans.sum).sum::<u128>();
        let nanos = match statistic {
            Statistic::Sum => sum as f64,
            Statistic::Average => sum as f64 / count as f64,
            Statistic::Minimum => quantile(&all, &before, count, 0)?,
            Statistic::Maximum => quantile(&all, &before, count, 1_000_000)?,
            Statistic::Percentile(thousandths) => quantile(&all, &before, count, thousandths * 10)?,
            Statistic::SampleCount => count as f64,
        };
        Some(Ok(nanos / NANOS_PER_MILLI))
    }
}

/// A quantile, in nanoseconds, of the values that were not there before.
fn quantile(end: &Histogram, before: &[&Spans], count: u64, per_million: u32) -> Option<f64> {
    if before.is_empty() {
        let value = match per_million {
            0 => end.min(),
            1_000_000 => end.max(),
            _ => end.quantile(per_million),
        };
        return value.map(|span| span.as_nanos() as f64);
    }
    let mut earlier: BTreeMap<u64, u64> = BTreeMap::new();
    for (middle, count) in before.iter().flat_map(|spans| &spans.buckets) {
        *earlier.entry(*middle).or_default() += count;
    }
    let rank = (u128::from(count) * u128::from(per_million)).div_ceil(1_000_000).max(1);
    let mut seen = 0;
    end.buckets().find_map(|(middle, count)| {
        seen += u128::from(count - earlier.get(&middle.as_nanos()).copied().unwrap_or(0));
        (seen >= rank).then_some(middle.as_nanos() as f64)
    })
}

impl Period<'_> {
    /// Metrics that the Kinesis Producer Library publishes (KDS-MET-16).
    fn library(&self, id: ProducerId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&ProducerCounts) -> u64| self.growth(|counts| total(&counts.producers[id]));
        let settled = || of(|counts| counts.acknowledged + counts.given_up());
        let mean = |sum: f64, samples: u64| match statistic {
            Statistic::Sum => Some(Ok(sum)),
            Statistic::SampleCount => Some(Ok(samples as f64)),
            Statistic::Average if samples > 0 => Some(Ok(sum / samples as f64)),
            _ => None,
        };
        match metric {
            "UserRecordsPut" => mean(of(|counts| counts.acknowledged) as f64, settled()),
            "KinesisRecordsPut" => sum(statistic, of(|counts| counts.library.kinesis_records_put)),
            "ErrorsByCode" => sum(statistic, of(|counts| counts.library.errors)),
            "RetriesPerRecord" => mean(of(|counts| counts.library.retries) as f64, settled()),
            "BufferingTime" => {
                let nanos = |counts: &Counts| counts.producers[id].library.buffered_nanos;
                let before = self.begin.map_or(0, |begin| nanos(&begin.counts));
                let millis = (nanos(self.end.counts) - before) as f64 / NANOS_PER_MILLI;
                mean(millis, of(|counts| counts.library.user_records))
            }
            _ => None,
        }
    }

    fn mapping(&self, id: ReaderId, event_count: bool, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&ReaderCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.readers[id])));
        match metric {
            "RecordsDiscarded" => of(|counts| counts.discarded),
            "RecordsDeadLettered" => of(|counts| counts.mapping.dead_lettered),
            "RecordsFilteredOut" => of(|counts| counts.mapping.filtered_out),
            "BatchesFailed" => of(|counts| counts.batches_failed),
            "WindowsClosed" => of(|counts| counts.mapping.windows_closed),
            "WindowsTerminatedEarly" => of(|counts| counts.mapping.windows_terminated_early),
            "BatchesBisected" => of(|counts| counts.mapping.batches_bisected),
            _ if !event_count => None,
            "PolledEventCount" => of(|counts| counts.records_read - counts.mapping.records_read_again),
            "FilteredOutEventCount" => of(|counts| counts.mapping.filtered_out),
            "InvokedEventCount" => of(|counts| counts.batched_records),
            "FailedInvokeEventCount" => of(|counts| counts.mapping.records_failed),
            "DroppedEventCount" => of(|counts| counts.discarded),
            "OnFailureDestinationDeliveredEventCount" => of(|counts| counts.mapping.dead_lettered),
            _ => None,
        }
    }

    fn queue_mapping(&self, id: QueueMappingId, event_count: bool, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&QueueMappingCounts) -> u64| {
            sum(statistic, self.growth(|counts| total(&counts.queue_mappings[id])))
        };
        match metric {
            "RecordsFilteredOut" => of(|counts| counts.filtered_out),
            "BatchesFailed" => {
                of(|counts| counts.batches_failed + counts.batches_failed_in_part + counts.attempts_throttled)
            }
            "BatchesThrottled" => of(|counts| counts.attempts_throttled),
            "MessagesLetGo" => of(|counts| counts.let_go),
            _ if !event_count => None,
            "PolledEventCount" => of(|counts| counts.polled),
            "FilteredOutEventCount" => of(|counts| counts.filtered_out),
            "InvokedEventCount" => of(|counts| counts.invoked),
            "DeletedEventCount" => of(|counts| counts.deleted),
            _ => None,
        }
    }

    fn producer(&self, id: ProducerId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&ProducerCounts) -> u64| self.growth(|counts| total(&counts.producers[id]));
        match metric {
            "RecordsProduced" => sum(statistic, of(|counts| counts.produced)),
            "RecordsGivenUp" => sum(statistic, of(ProducerCounts::given_up)),
            _ => None,
        }
    }

    fn stream(
        &self,
        id: StreamId,
        directory: &Directory,
        put_records_only: bool,
        metric: &str,
        statistic: Statistic,
    ) -> Answer {
        let of = |total: fn(&StreamCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.streams[id])));
        let readers = |counts: &Counts, total: fn(&ReaderCounts) -> u64| -> Vec<u64> {
            let readers = counts.readers.iter_enumerated();
            let mine = readers.filter(|(reader, _)| directory.readers[*reader].stream == id);
            mine.map(|(_, counts)| total(counts)).collect()
        };
        let read =
            |total: fn(&ReaderCounts) -> u64| sum(statistic, self.growth(|counts| readers(counts, total).iter().sum()));
        match metric {
            "IncomingRecords" => of(StreamCounts::accepted),
            "IncomingBytes" => of(StreamCounts::bytes),
            "WriteProvisionedThroughputExceeded" => of(StreamCounts::throttled),
            "PutRecords.SuccessfulRecords" if put_records_only => of(StreamCounts::accepted),
            "PutRecords.ThrottledRecords" if put_records_only => of(StreamCounts::throttled),
            "PutRecords.FailedRecords" if put_records_only => of(|counts| counts.entries_failed),
            "PutRecords.TotalRecords" if put_records_only => {
                of(|counts| counts.accepted() + counts.throttled() + counts.entries_failed)
            }
            "ReadProvisionedThroughputExceeded" => read(|counts| counts.throttled_by_calls + counts.throttled_by_bytes),
            "GetRecords.Bytes" => read(|counts| counts.bytes_read),
            "GetRecords.Records" => read(|counts| counts.records_read),
            "GetRecords.Success" => read(|counts| counts.reads),
            "GetRecords.IteratorAgeMilliseconds" if statistic == Statistic::Maximum => self.maximum(|counts| {
                readers(counts, |counts| counts.max_millis_behind)
                    .into_iter()
                    .max()
                    .unwrap_or(0)
            }),
            "RecordsExpired" => read(|counts| counts.expired_unread + counts.expired_in_retry),
            _ => None,
        }
    }

    fn function(&self, id: FunctionId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&FunctionCounts) -> u64| self.growth(|counts| total(&counts.functions[id]));
        match metric {
            "Invocations" => sum(statistic, of(|counts| counts.started)),
            "Errors" => sum(statistic, of(|counts| counts.errors + counts.timeouts)),
            "Throttles" => sum(statistic, of(|counts| counts.throttles)),
            "ProvisionedConcurrencyInvocations" => sum(statistic, of(|counts| counts.provisioned)),
            "ProvisionedConcurrencySpilloverInvocations" => sum(statistic, of(|counts| counts.spilled_over)),
            "AsyncEventsReceived" => sum(statistic, of(|counts| counts.events.received)),
            "AsyncEventsDropped" => sum(statistic, of(|counts| counts.events.dropped)),
            "DeadLetterErrors" => sum(statistic, of(|counts| counts.events.dead_letter_errors)),
            "DestinationDeliveryFailures" => sum(statistic, of(|counts| counts.events.destination_failures)),
            "ColdStarts" => sum(statistic, of(|counts| counts.cold_starts)),
            "ConcurrentExecutions" if statistic == Statistic::Maximum => {
                self.maximum(|counts| u64::from(counts.functions[id].max_concurrent))
            }
            "Duration" => {
                let nanos = |counts: &Counts| counts.functions[id].duration_nanos;
                let nanos = nanos(self.end.counts) - self.begin.map_or(0, |begin| nanos(&begin.counts));
                let millis = nanos as f64 / NANOS_PER_MILLI;
                match (statistic, of(|counts| counts.ended)) {
                    (Statistic::Sum, _) => Some(Ok(millis)),
                    (Statistic::SampleCount, ended) => Some(Ok(ended as f64)),
                    (Statistic::Average, ended) if ended > 0 => Some(Ok(millis / ended as f64)),
                    _ => None,
                }
            }
            _ => self.place(Place::Processor(id.into()), &[id.into()], metric, statistic),
        }
    }

    fn application(&self, id: ApplicationId, directory: &Directory, metric: &str, statistic: Statistic) -> Answer {
        let reader = directory.reader_of(id);
        let of = |total: fn(&ReaderCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.readers[reader])));
        match metric {
            "RecordsSkipped" => of(|counts| counts.application.records_skipped),
            "LeasesTaken" => of(|counts| counts.application.leases_taken()),
            "LeasesFailedOver" => of(|counts| counts.application.leases_failed_over),
            "LeasesMoved" => of(|counts| counts.application.leases_moved),
            "RecordsRepeated" => of(|counts| counts.acknowledged_again),
            "IteratorsExpired" => of(|counts| counts.application.iterators_expired),
            _ => {
                let processor = directory.processor_of(id);
                self.place(Place::Processor(processor), &[processor], metric, statistic)
            }
        }
    }

    fn queue(&self, id: QueueId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&QueueCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.queues[id])));
        match metric {
            "NumberOfMessagesSent" => of(|counts| counts.sent),
            "NumberOfMessagesReceived" => of(|counts| counts.received),
            "NumberOfEmptyReceives" => of(|counts| counts.empty_receives),
            "NumberOfMessagesDeleted" => of(|counts| counts.delete_entries),
            "NumberOfDeduplicatedSentMessages" => of(|counts| counts.deduplicated),
            "MessagesReceivedAgain" => of(|counts| counts.received_again),
            "MessagesExpired" => of(|counts| counts.expired),
            "MessagesDeadLettered" => of(|counts| counts.dead_lettered),
            "MessagesRedriven" => of(|counts| counts.redriven),
            "MessagesPurged" => of(|counts| counts.purged),
            "MessagesRefused" => of(|counts| counts.entries_refused + counts.sends_refused),
            "ReceivesRefused" => of(|counts| counts.receives_refused),
            "Requests" => of(|counts| counts.requests),
            "EndToEndLatency" if self.begin.is_none() => {
                let place = self.end.latency.of_queue(id)?;
                let nanos = match statistic {
                    Statistic::Percentile(thousandths) => place.end_to_end.quantile(thousandths * 10),
                    Statistic::Maximum => place.end_to_end.max(),
                    Statistic::Average => place.end_to_end.mean(),
                    Statistic::Minimum => place.end_to_end.min(),
                    Statistic::Sum | Statistic::SampleCount => return None,
                };
                let millis = nanos.map(|span| span.as_nanos() as f64 / NANOS_PER_MILLI);
                Some(millis.ok_or(Missing::NoValueThen))
            }
            _ => None,
        }
    }

    fn workers(&self, id: FleetId, metric: &str, statistic: Statistic) -> Answer {
        let of = |total: fn(&FleetCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.fleets[id])));
        match metric {
            "MessagesProcessed" => of(|counts| counts.processed),
            "MessagesFailed" => of(|counts| counts.failed),
            "Crashes" => of(|counts| counts.crashes),
            _ => None,
        }
    }

    fn sink(&self, id: SinkId, directory: &Directory, metric: &str, statistic: Statistic) -> Answer {
        let processors = directory.processors.iter_enumerated();
        let writers: Vec<ProcessorId> = processors
            .filter(|(_, processor)| processor.sink == Some(id))
            .map(|(processor, _)| processor)
            .collect();
        let of = |total: fn(&SinkCounts) -> u64| sum(statistic, self.growth(|counts| total(&counts.sinks[id])));
        match metric {
            "WritesFailed" => of(|counts| counts.failed_writes),
            "RecordsRewritten" => {
                let place = Place::Sink(id);
                let before = self.begin.and_then(|begin| begin.anomalies.get(&place));
                let before = before.map_or(0, |(_, _, rewritten)| *rewritten);
                sum(statistic, self.end.ordering.rewritten(place) - before)
            }
            _ => self.place(Place::Sink(id), &writers, metric, statistic),
        }
    }

    /// Metrics of a place where records take effect.
    fn place(&self, place: Place, processors: &[ProcessorId], metric: &str, statistic: Statistic) -> Answer {
        match metric {
            "RecordsDelivered" => sum(statistic, self.delivered(place)),
            "Duplicates" => sum(statistic, self.anomalies(place, &[Anomaly::Duplicate])),
            "Inversions" => {
                let inversions = [Anomaly::NonmonotonicExternal, Anomaly::NonmonotonicInternal];
                sum(statistic, self.anomalies(place, &inversions))
            }
            "EndToEndLatency" => self.latency(processors, statistic),
            _ => None,
        }
    }
}
