//! What expectations are compared with: the totals of a run, and of any period that an expectation names.
//!
//! Observers keep running totals. To tell a period's share, the run pauses at the instants that expectations name and
//! keeps a copy of the totals there; the share is a difference. No series is needed, and the result is exact.

use scenarios::expect::{Expectation, Measurements};
use scenarios::metric::Statistic;
use sim::blueprint::PutApi;
use sim::directory::Directory;
use sim::engine::time::SimTime;
use sim::ids::{FunctionId, ProducerId, SinkId, StreamId};
use sim::observe::Observers;
use sim::observe::counts::{Counts, FunctionCounts, ReaderCounts};
use sim::observe::latency::{Histogram, Latency};
use sim::observe::ordering::{AnomalyCounts, Place};
use sim::observe::verdict::Anomaly;
use std::collections::BTreeMap;

/// Totals at an instant.
#[derive(Clone)]
struct Totals {
    counts: Counts,
    latency: Latency,
    anomalies: BTreeMap<Place, (AnomalyCounts, u64)>,
}

/// Totals at every instant that matters.
pub(crate) struct Totalled {
    directory: Directory,
    apis: BTreeMap<StreamId, Vec<PutApi>>,
    at: BTreeMap<SimTime, Totals>,
}

/// The instants within the run at which the totals are wanted, besides its end: where expectations begin or end to look.
pub(crate) fn pauses(expectations: &[Expectation], end: SimTime) -> Vec<SimTime> {
    let mut instants: Vec<SimTime> = expectations
        .iter()
        .flat_map(|expectation| [expectation.from, expectation.until])
        .filter(|at| *at > SimTime::ZERO && *at < end)
        .collect();
    instants.sort();
    instants.dedup();
    instants
}

impl Totalled {
    /// Nothing yet.
    pub(crate) fn new(session: &sim::session::Session, blueprint: &sim::blueprint::Blueprint) -> Self {
        let directory = session.world().directory().clone();
        let mut apis: BTreeMap<StreamId, Vec<PutApi>> = BTreeMap::new();
        for producer in &directory.producers {
            let found = blueprint.producers.iter().find(|one| one.name == producer.name);
            apis.entry(producer.target)
                .or_default()
                .extend(found.map(|one| one.api));
        }
        Self {
            directory,
            apis,
            at: BTreeMap::new(),
        }
    }
    /// Keeps the totals of this instant.
    pub(crate) fn keep(&mut self, now: SimTime, observers: &Observers) {
        let (Some(counts), Some(latency), Some(ordering)) =
            (&observers.counts, &observers.latency, &observers.ordering)
        else {
            return;
        };
        let sinks = self.directory.sinks.ids().map(Place::Sink);
        let functions = self.directory.functions.ids().map(Place::Function);
        let places = sinks.chain(functions);
        let totals = Totals {
            counts: counts.clone(),
            latency: latency.clone(),
            anomalies: places
                .map(|place| (place, (ordering.counts(place), ordering.delivered(place))))
                .collect(),
        };
        self.at.insert(now, totals);
    }
    /// The totals at both ends of a period. A period that ends after the run ends with it.
    fn period(&self, from: SimTime, until: SimTime) -> Option<Period<'_>> {
        let end = self.at.get(&until).or_else(|| {
            self.at
                .last_key_value()
                .filter(|(last, _)| until > **last)
                .map(|(_, totals)| totals)
        });
        let begin = if from == SimTime::ZERO {
            None
        } else {
            Some(self.at.get(&from)?)
        };
        Some(Period { begin, end: end? })
    }
}

struct Period<'t> {
    begin: Option<&'t Totals>,
    end: &'t Totals,
}

impl Period<'_> {
    /// The growth of a total.
    fn growth(&self, total: impl Fn(&Totals) -> u64) -> u64 {
        total(self.end) - self.begin.map_or(0, total)
    }
    /// A running maximum, which only a period from the start of the run has.
    fn maximum(&self, total: impl Fn(&Totals) -> u64) -> Option<f64> {
        self.begin.is_none().then(|| total(self.end) as f64)
    }
    fn anomalies(&self, place: Place, anomalies: &[Anomaly]) -> u64 {
        let total = |totals: &Totals| {
            let counts = totals
                .anomalies
                .get(&place)
                .map(|(counts, _)| *counts)
                .unwrap_or_default();
            anomalies.iter().map(|anomaly| counts.of(*anomaly)).sum()
        };
        self.growth(total)
    }
    fn delivered(&self, place: Place) -> u64 {
        self.growth(|totals| totals.anomalies.get(&place).map_or(0, |(_, delivered)| *delivered))
    }
    fn latency(&self, functions: &[FunctionId], statistic: Statistic) -> Option<f64> {
        let merged = |totals: &Totals| {
            let mut all = Histogram::new();
            for place in functions.iter().filter_map(|id| totals.latency.of(*id)) {
                all.merge(&place.end_to_end);
            }
            all
        };
        timing(&merged(self.end), self.begin.map(merged).as_ref(), statistic)
    }
}

const NANOS_PER_MILLI: f64 = 1e6;

/// A statistic, in milliseconds, of the values in a histogram that an earlier state of it does not have.
fn timing(end: &Histogram, begin: Option<&Histogram>, statistic: Statistic) -> Option<f64> {
    let (count, sum) = begin.map_or((0, 0), |begin| (begin.count(), begin.sum()));
    let (count, sum) = (end.count() - count, end.sum() - sum);
    if statistic == Statistic::SampleCount {
        return Some(count as f64);
    }
    if count == 0 {
        return None;
    }
    let nanos = match statistic {
        Statistic::Sum => sum as f64,
        Statistic::Average => sum as f64 / count as f64,
        Statistic::Minimum => quantile(end, begin, count, 0)?,
        Statistic::Maximum => quantile(end, begin, count, 1_000_000)?,
        Statistic::Percentile(thousandths) => quantile(end, begin, count, thousandths * 10)?,
        Statistic::SampleCount => count as f64,
    };
    Some(nanos / NANOS_PER_MILLI)
}

fn quantile(end: &Histogram, begin: Option<&Histogram>, count: u64, per_million: u32) -> Option<f64> {
    let Some(begin) = begin else {
        let value = match per_million {
            0 => end.min(),
            1_000_000 => end.max(),
            _ => end.quantile(per_million),
        };
        return value.map(|span| span.as_nanos() as f64);
    };
    let earlier: BTreeMap<u64, u64> = begin
        .buckets()
        .map(|(middle, count)| (middle.as_nanos(), count))
        .collect();
    let rank = (u128::from(count) * u128::from(per_million)).div_ceil(1_000_000).max(1);
    let mut seen = 0;
    end.buckets().find_map(|(middle, count)| {
        seen += u128::from(count - earlier.get(&middle.as_nanos()).copied().unwrap_or(0));
        (seen >= rank).then_some(middle.as_nanos() as f64)
    })
}

impl Measurements for Totalled {
    fn value(&self, metric: &str, of: &str, statistic: Statistic, from: SimTime, until: SimTime) -> Option<f64> {
        let period = self.period(from, until)?;
        let (kind, name) = of.split_once('.')?;
        let directory = &self.directory;
        match kind {
            "producer" => producer_value(&period, directory.producer(name)?, metric, statistic),
            "stream" => self.stream_value(&period, directory.stream(name)?, metric, statistic),
            "function" => function_value(&period, directory.function(name)?, metric, statistic),
            "sink" => self.sink_value(&period, directory.sink(name)?, metric, statistic),
            _ => None,
        }
    }
}

fn sum(statistic: Statistic, value: u64) -> Option<f64> {
    (statistic == Statistic::Sum).then_some(value as f64)
}

fn producer_value(period: &Period<'_>, id: ProducerId, metric: &str, statistic: Statistic) -> Option<f64> {
    let of = |total: fn(&sim::observe::counts::ProducerCounts) -> u64| {
        period.growth(|totals| total(&totals.counts.producers[id]))
    };
    match metric {
        "RecordsProduced" => sum(statistic, of(|counts| counts.produced)),
        "RecordsGivenUp" => sum(statistic, of(sim::observe::counts::ProducerCounts::given_up)),
        _ => None,
    }
}

impl Totalled {
    fn stream_value(&self, period: &Period<'_>, id: StreamId, metric: &str, statistic: Statistic) -> Option<f64> {
        let of = |total: fn(&sim::observe::counts::StreamCounts) -> u64| {
            sum(statistic, period.growth(|totals| total(&totals.counts.streams[id])))
        };
        let readers = |totals: &Totals, total: fn(&ReaderCounts) -> u64| -> Vec<u64> {
            let readers = totals.counts.readers.iter_enumerated();
            let mine = readers.filter(|(reader, _)| self.directory.readers[*reader].stream == id);
            mine.map(|(_, counts)| total(counts)).collect()
        };
        let read = |total: fn(&ReaderCounts) -> u64| {
            sum(statistic, period.growth(|totals| readers(totals, total).iter().sum()))
        };
        // The totals do not tell the two put APIs apart, so these are known where only one is used.
        let put_records_only = self
            .apis
            .get(&id)
            .is_some_and(|apis| apis.iter().all(|api| *api == PutApi::PutRecords));
        match metric {
            "IncomingRecords" => of(sim::observe::counts::StreamCounts::accepted),
            "IncomingBytes" => of(sim::observe::counts::StreamCounts::bytes),
            "WriteProvisionedThroughputExceeded" => of(sim::observe::counts::StreamCounts::throttled),
            "PutRecords.SuccessfulRecords" if put_records_only => of(sim::observe::counts::StreamCounts::accepted),
            "PutRecords.ThrottledRecords" if put_records_only => of(sim::observe::counts::StreamCounts::throttled),
            "PutRecords.FailedRecords" if put_records_only => of(|counts| counts.entries_failed),
            "PutRecords.TotalRecords" if put_records_only => {
                of(|counts| counts.accepted() + counts.throttled() + counts.entries_failed)
            }
            "ReadProvisionedThroughputExceeded" => read(|counts| counts.throttled_by_calls + counts.throttled_by_bytes),
            "GetRecords.Bytes" => read(|counts| counts.bytes_read),
            "GetRecords.Records" => read(|counts| counts.records_read),
            "GetRecords.Success" => read(|counts| counts.reads),
            "GetRecords.IteratorAgeMilliseconds" if statistic == Statistic::Maximum => period.maximum(|totals| {
                readers(totals, |counts| counts.max_millis_behind)
                    .into_iter()
                    .max()
                    .unwrap_or(0)
            }),
            "RecordsExpired" => read(|counts| counts.expired_unread + counts.expired_in_retry),
            _ => None,
        }
    }

    fn sink_value(&self, period: &Period<'_>, id: SinkId, metric: &str, statistic: Statistic) -> Option<f64> {
        let writers = self
            .directory
            .functions
            .iter_enumerated()
            .filter(|(_, function)| function.sink == Some(id));
        let writers: Vec<FunctionId> = writers.map(|(function, _)| function).collect();
        place_value(period, Place::Sink(id), &writers, metric, statistic)
    }
}

fn function_value(period: &Period<'_>, id: FunctionId, metric: &str, statistic: Statistic) -> Option<f64> {
    let growth = |total: fn(&FunctionCounts) -> u64| period.growth(|totals| total(&totals.counts.functions[id]));
    match metric {
        "Invocations" => sum(statistic, growth(|counts| counts.started)),
        "Errors" => sum(statistic, growth(|counts| counts.errors + counts.timeouts)),
        "Throttles" => sum(statistic, growth(|counts| counts.throttles)),
        "ColdStarts" => sum(statistic, growth(|counts| counts.cold_starts)),
        "ConcurrentExecutions" if statistic == Statistic::Maximum => {
            period.maximum(|totals| u64::from(totals.counts.functions[id].max_concurrent))
        }
        "Duration" => {
            let nanos = |totals: &Totals| totals.counts.functions[id].duration_nanos;
            let millis = (nanos(period.end) - period.begin.map_or(0, nanos)) as f64 / NANOS_PER_MILLI;
            match (statistic, growth(|counts| counts.ended)) {
                (Statistic::Sum, _) => Some(millis),
                (Statistic::SampleCount, ended) => Some(ended as f64),
                (Statistic::Average, ended) if ended > 0 => Some(millis / ended as f64),
                _ => None,
            }
        }
        _ => place_value(period, Place::Function(id), &[id], metric, statistic),
    }
}

/// Metrics of a place where records take effect.
fn place_value(
    period: &Period<'_>,
    place: Place,
    functions: &[FunctionId],
    metric: &str,
    statistic: Statistic,
) -> Option<f64> {
    match metric {
        "RecordsDelivered" => sum(statistic, period.delivered(place)),
        "Duplicates" => sum(statistic, period.anomalies(place, &[Anomaly::Duplicate])),
        "Inversions" => {
            let inversions = [Anomaly::NonmonotonicExternal, Anomaly::NonmonotonicInternal];
            sum(statistic, period.anomalies(place, &inversions))
        }
        "EndToEndLatency" => period.latency(functions, statistic),
        _ => None,
    }
}
