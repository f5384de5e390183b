//! Statistics of the metrics that are kept for each minute.

use super::Question;
use scenarios::expect::Missing;
use scenarios::metric::Statistic;
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::observe::Observers;
use sim::observe::metrics::{self, Metric, Series};

/// The answer to a question about a run that ended `now`.
pub(super) fn value(
    question: &Question,
    directory: &Directory,
    now: SimTime,
    observers: &Observers,
) -> Result<f64, Missing> {
    let Some(metrics) = &observers.metrics else {
        return Err(Missing::NotMeasured);
    };
    let of = component(&question.of, directory).ok_or(Missing::NotMeasured)?;
    let Some(metric) = Metric::named(question.metric) else {
        // Anomalies are no series. They are counted where records take effect.
        let is_counted = matches!(
            of,
            Component::Application(_) | Component::Function(_) | Component::Sink(_)
        );
        return Err(if is_counted {
            Missing::OnlySum
        } else {
            Missing::NotMeasured
        });
    };
    let series = metrics.series(metric, of).ok_or(Missing::NotMeasured)?;
    let statistic = match question.statistic {
        Statistic::Sum => metrics::Statistic::Sum,
        Statistic::Average => metrics::Statistic::Average,
        Statistic::Minimum => metrics::Statistic::Minimum,
        Statistic::Maximum => metrics::Statistic::Maximum,
        Statistic::SampleCount => metrics::Statistic::SampleCount,
        Statistic::Percentile(_) => return Err(Missing::NotMeasured),
    };
    let until = if question.until >= now {
        SimTime::NEVER
    } else {
        question.until
    };
    if let Some(length) = cut(series, question.from, until) {
        return Err(Missing::CutsPeriod(length));
    }
    match metrics.value(metric, of, statistic, question.from, until) {
        Some(found) => Ok(found.as_f64()),
        None => match statistic {
            metrics::Statistic::Sum | metrics::Statistic::SampleCount => Ok(0.0),
            metrics::Statistic::Average | metrics::Statistic::Minimum | metrics::Statistic::Maximum => {
                Err(Missing::NoValueThen)
            }
        },
    }
}

/// Whether the metric got no value in the whole run.
pub(super) fn is_empty(question: &Question, directory: &Directory, observers: &Observers) -> bool {
    let series = || {
        let of = component(&question.of, directory)?;
        observers.metrics.as_ref()?.series(Metric::named(question.metric)?, of)
    };
    series().is_some_and(|series| series.points().next().is_none())
}

/// The length of a data point that lies partly within `[from, until)` and partly outside.
fn cut(series: &Series, from: SimTime, until: SimTime) -> Option<SimDuration> {
    let cuts = |at: SimTime, start: SimTime, end: SimTime| start < at && at < end;
    series
        .points()
        .map(|point| (point.start, point.start + point.length, point.length))
        .find(|(start, end, _)| cuts(from, *start, *end) || cuts(until, *start, *end))
        .map(|(_, _, length)| length)
}

/// The component that a scenario refers to.
fn component(of: &str, directory: &Directory) -> Option<Component> {
    match of.split_once('.')? {
        ("producer", name) => directory.producer(name).map(Component::Producer),
        ("stream", name) => directory.stream(name).map(Component::Stream),
        ("mapping", name) => {
            let of_queue = || directory.queue_mapping(name).map(Component::QueueMapping);
            directory.mapping(name).map(Component::Mapping).or_else(of_queue)
        }
        ("application", name) => directory.application(name).map(Component::Application),
        ("function", name) => directory.function(name).map(Component::Function),
        ("queue", name) => directory.queue(name).map(Component::Queue),
        ("worker", name) => directory.fleet(name).map(Component::Fleet),
        ("topic", name) => directory.topic(name).map(Component::Topic),
        ("subscription", name) => directory.subscription(name).map(Component::Subscription),
        ("invoker", name) => directory.invoker(name).map(Component::Invoker),
        ("sink", name) => directory.sink(name).map(Component::Sink),
        _ => None,
    }
}
