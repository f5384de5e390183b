//! Series under CloudWatch's names, in periods that keep their file within bounds.

use crate::account::{MetricPoint, MetricSeries};
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{ShardIndex, StreamId};
use sim::observe::Observers;
use sim::observe::metrics::series::DataPoint;
use sim::observe::metrics::{Metric, Metrics, Point, Series, catalogue};
use std::borrow::Cow;

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
    let points = |period| -> usize { found.iter().map(|(_, _, _, series)| within(series, period).len()).sum() };
    let longest = PERIODS[PERIODS.len() - 1];
    let period = PERIODS
        .into_iter()
        .find(|period| points(*period) <= POINTS_MAX)
        .unwrap_or(longest);
    found
        .into_iter()
        .map(|(component, shard, metric, series)| told(component, shard, metric, within(&series, period)))
        .filter(|series| !series.points.is_empty())
        .collect()
}

type Found<'m> = (String, Option<ShardIndex>, Metric, Cow<'m, Series>);

fn all<'m>(metrics: &'m Metrics, directory: &Directory) -> Vec<Found<'m>> {
    let components = directory
        .producers
        .ids()
        .map(Component::Producer)
        .chain(directory.streams.ids().map(Component::Stream))
        .chain(directory.mappings.ids().map(Component::Mapping))
        .chain(directory.functions.ids().map(Component::Function))
        .chain(directory.invokers.ids().map(Component::Invoker))
        .chain(directory.sinks.ids().map(Component::Sink));
    let mut found = Vec::new();
    for component in components {
        let label = directory.label(component);
        for metric in Metric::ALL {
            if let Some(series) = metrics.series(*metric, component) {
                found.push((label.clone(), None, *metric, Cow::Borrowed(series)));
            }
        }
        if let Component::Stream(stream) = component {
            found.extend(shards(metrics, stream, &label));
        }
    }
    for metric in Metric::ALL {
        if let Some(series) = metrics.account_series(*metric) {
            found.push(("account".to_owned(), None, *metric, Cow::Borrowed(series)));
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
                found.push((label.to_owned(), Some(shard), *metric, Cow::Owned(series)));
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

fn told(component: String, shard: Option<ShardIndex>, metric: Metric, points: Vec<DataPoint>) -> MetricSeries {
    let row = metric.row();
    MetricSeries {
        namespace: row.namespace.to_string(),
        metric: row.name,
        component,
        shard: shard.map(|shard| shard.to_string()),
        unit: match row.unit {
            catalogue::Unit::Count => "Count",
            catalogue::Unit::Bytes => "Bytes",
            catalogue::Unit::Milliseconds => "Milliseconds",
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
