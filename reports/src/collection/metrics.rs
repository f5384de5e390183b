//! Series under CloudWatch's names, in periods that keep their file within bounds.

use crate::account::{MetricPoint, MetricSeries};
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{ShardIndex, StreamId};
use sim::observe::Observers;
use sim::observe::metrics::series::DataPoint;
use sim::observe::metrics::{Metric, Metrics, Point, Series, catalogue};

/// Data points of a file at most, as far as periods can be longer.
const POINTS_MAX: usize = 200_000;

/// Periods that CloudWatch's console offers, ascending.
const PERIODS: [SimDuration; 4] = [
    SimDuration::from_minutes(1),
    SimDuration::from_minutes(5),
    SimDuration::from_hours(1),
    SimDuration::from_hours(24),
];

/// All series that have values, in order of component, shard and metric.
pub(super) fn series(observers: &Observers, directory: &Directory) -> Vec<MetricSeries> {
    let Some(metrics) = &observers.metrics else {
        return Vec::new();
    };
    let found = all(metrics, directory);
    let points = |period| -> usize { found.iter().map(|found| within(found.series, period).len()).sum() };
    let longest = PERIODS[PERIODS.len() - 1];
    let period = PERIODS
        .into_iter()
        .find(|period| points(*period) <= POINTS_MAX)
        .unwrap_or(longest);
    found
        .into_iter()
        .map(|found| {
            let points = within(found.series, period);
            told(found, points)
        })
        .filter(|series| !series.points.is_empty())
        .collect()
}

/// A series, with its dimensions (KDS-MET-04).
struct Found<'m> {
    component: String,
    shard: Option<ShardIndex>,
    consumer: Option<String>,
    metric: Metric,
    series: &'m Series,
}

impl<'m> Found<'m> {
    const fn of(component: String, metric: Metric, series: &'m Series) -> Self {
        Self {
            component,
            shard: None,
            consumer: None,
            metric,
            series,
        }
    }
}

/// The stream and name of the registered consumer that a component reads as.
fn consumer_of(component: Component, directory: &Directory) -> Option<(String, String)> {
    let reader = match component {
        Component::Mapping(id) => id.into(),
        Component::Application(id) => directory.reader_of(id),
        Component::Producer(_)
        | Component::Stream(_)
        | Component::Function(_)
        | Component::Invoker(_)
        | Component::Fleet(_)
        | Component::Queue(_)
        | Component::Topic(_)
        | Component::Subscription(_)
        | Component::QueueMapping(_)
        | Component::Sink(_) => return None,
    };
    let stream = directory.readers.get(reader)?.stream;
    let mut consumers = directory.streams[stream].consumers.iter();
    let consumer = consumers.find(|consumer| consumer.reader == Some(reader))?;
    Some((directory.label(Component::Stream(stream)), consumer.name.clone()))
}

fn all<'m>(metrics: &'m Metrics, directory: &Directory) -> Vec<Found<'m>> {
    let components = directory
        .producers
        .ids()
        .map(Component::Producer)
        .chain(directory.streams.ids().map(Component::Stream))
        .chain(directory.mappings.ids().map(Component::Mapping))
        .chain(directory.applications.ids().map(Component::Application))
        .chain(directory.functions.ids().map(Component::Function))
        .chain(directory.invokers.ids().map(Component::Invoker))
        .chain(directory.sinks.ids().map(Component::Sink))
        .chain(directory.queues.ids().map(Component::Queue))
        .chain(directory.topics.ids().map(Component::Topic))
        .chain(directory.subscriptions.ids().map(Component::Subscription))
        .chain(directory.queue_mappings.ids().map(Component::QueueMapping));
    let mut found = Vec::new();
    for component in components {
        let label = directory.label(component);
        for metric in Metric::ALL {
            let Some(series) = metrics.series(*metric, component) else {
                continue;
            };
            found.push(match consumer_of(component, directory) {
                Some((stream, consumer)) if metric.row().name.starts_with("SubscribeToShard") => Found {
                    consumer: Some(consumer),
                    ..Found::of(stream, *metric, series)
                },
                _ => Found::of(label.clone(), *metric, series),
            });
        }
        if let Component::Stream(stream) = component {
            found.extend(shards(metrics, stream, &label));
        }
    }
    for metric in Metric::ALL {
        if let Some(series) = metrics.account_series(*metric) {
            found.push(Found::of("account".to_owned(), *metric, series));
        }
    }
    found
}

fn shards<'m>(metrics: &'m Metrics, stream: StreamId, label: &str) -> Vec<Found<'m>> {
    let mut found = Vec::new();
    for shard in (0..).map(ShardIndex) {
        let before = found.len();
        for metric in Metric::ALL {
            if let Some(series) = metrics.shard_series(*metric, stream, shard) {
                found.push(Found {
                    shard: Some(shard),
                    ..Found::of(label.to_owned(), *metric, series)
                });
            }
        }
        if found.len() == before {
            break;
        }
    }
    found
}

/// The data points, those that begin in one period together.
fn within(series: &Series, period: SimDuration) -> Vec<DataPoint> {
    let mut merged: Vec<DataPoint> = Vec::new();
    for point in series.points() {
        let length = point.length.max(period);
        let start = SimTime::from_nanos(point.start.as_nanos() / length.as_nanos() * length.as_nanos());
        match merged.last_mut() {
            Some(last) if last.start == start => last.values.add(point.values),
            _ => merged.push(DataPoint { start, length, ..point }),
        }
    }
    merged
}

fn told(found: Found<'_>, points: Vec<DataPoint>) -> MetricSeries {
    let row = found.metric.row();
    MetricSeries {
        namespace: row.namespace.to_string(),
        metric: row.name,
        component: found.component,
        shard: found.shard.map(|shard| shard.to_string()),
        consumer: found.consumer,
        unit: match row.unit {
            catalogue::Unit::Count => "Count",
            catalogue::Unit::Bytes => "Bytes",
            catalogue::Unit::Milliseconds => "Milliseconds",
            catalogue::Unit::Seconds => "Seconds",
            catalogue::Unit::Fraction => "Fraction",
        },
        parts: u64::try_from(row.unit.parts()).unwrap_or(1),
        points: points
            .into_iter()
            .map(|DataPoint { start, length, values }| {
                let Point { sum, count, min, max } = values;
                MetricPoint {
                    start,
                    length,
                    sum,
                    count,
                    minimum: min,
                    maximum: max,
                }
            })
            .collect(),
    }
}
