//! The course of a session, as columns.

use super::limits;
use crate::course::{
    ConcurrencyLimit, Course, FunctionCourse, LatencyBar, ProducerCourse, ReaderCourse, ShardCourse, StreamCourse,
};
use sim::blueprint::Blueprint;
use sim::command::Intervention;
use sim::directory::{Component, Directory};
use sim::engine::time::{SimDuration, SimTime};
use sim::ids::{ProcessorId, StreamId};
use sim::observe::Observers;
use sim::observe::course::{Bar, Course as Steps, Spread};
use sim::observe::latency::Histogram;
use sim::services::kinesis::quotas::{SHARD_WRITE_BYTES, SHARD_WRITE_RECORDS};

/// The columns of a run that came to `now`.
pub(super) fn course(
    observers: &Observers,
    directory: &Directory,
    blueprint: &Blueprint,
    changes: &[&Intervention],
    now: SimTime,
) -> Course {
    let Some(steps) = observers.course_until(now) else {
        return Course::default();
    };
    let label = |component| directory.label(component);
    Course {
        step: steps.grid().length(),
        steps: steps.grid().steps(),
        producers: directory
            .producers
            .ids()
            .map(|id| ProducerCourse {
                name: label(Component::Producer(id)),
                records_produced: column(steps.producer(id), |step| step.produced),
                records_sent_again: column(steps.producer(id), |step| step.sent_again),
                records_given_up: column(steps.producer(id), |step| step.given_up),
            })
            .collect(),
        streams: directory
            .streams
            .ids()
            .map(|id| stream(&steps, id, label(Component::Stream(id))))
            .collect(),
        readers: directory
            .readers
            .ids()
            .map(|id| ReaderCourse {
                name: directory.reader_label(id),
                behind_max: column(steps.reader(id), |step| {
                    step.millis_behind_max.map(SimDuration::from_millis)
                }),
            })
            .collect(),
        functions: directory
            .processors
            .iter_enumerated()
            .map(|(id, entry)| {
                let limits = match entry.component {
                    Component::Function(function) => {
                        limits::concurrency(&directory.functions[function].name, blueprint, changes, now)
                    }
                    _ => Vec::new(),
                };
                processor(&steps, id, observers, directory, limits)
            })
            .collect(),
    }
}

fn column<S, T>(steps: &[S], value: impl FnMut(&S) -> T) -> Vec<T> {
    steps.iter().map(value).collect()
}

fn stream(steps: &Steps, id: StreamId, name: String) -> StreamCourse {
    StreamCourse {
        name,
        limit_records_per_second: SHARD_WRITE_RECORDS,
        limit_bytes_per_second: SHARD_WRITE_BYTES,
        shards: (0..)
            .zip(steps.shards(id))
            .map(|(number, shard)| ShardCourse {
                number,
                records_accepted: column(shard, |step| step.accepted),
                bytes_accepted: column(shard, |step| step.bytes),
                entries_throttled: column(shard, |step| step.throttled),
            })
            .collect(),
    }
}

fn processor(
    steps: &Steps,
    id: ProcessorId,
    observers: &Observers,
    directory: &Directory,
    concurrency_limits: Vec<ConcurrencyLimit>,
) -> FunctionCourse {
    let entry = &directory.processors[id];
    let name = directory.label(entry.component);
    let (invocations, effects, latency) = (steps.processor(id), steps.effects(id), steps.latency(id));
    let place = observers.latency.as_ref().and_then(|latency| latency.of(id));
    // A step knows its latencies roughly: none of them exceeds the longest of all, which is exact.
    let longest = place
        .and_then(|place| place.end_to_end.max())
        .unwrap_or(SimDuration::MAX);
    let quantile = |per_million| {
        column(latency, |spread: &Spread| {
            spread.quantile(per_million).map(|span| span.min(longest))
        })
    };
    let bars = |histogram: fn(&sim::observe::latency::PlaceLatency) -> &Histogram| {
        place.map_or_else(Vec::new, |place| bars(&histogram(place).bars_since(None)))
    };
    FunctionCourse {
        at: directory.label(entry.sink.map_or(entry.component, Component::Sink)),
        name,
        invocations: column(invocations, |step| step.started),
        failures: column(invocations, |step| step.failed),
        throttles: column(invocations, |step| step.throttled),
        cold_starts: column(invocations, |step| step.cold_starts),
        concurrent_max: column(invocations, |step| step.concurrent_max),
        concurrency_limits,
        iterator_age_max: column(invocations, |step| step.iterator_age_max),
        records_delivered: column(effects, |step| step.delivered),
        records_out_of_order: column(effects, |step| step.out_of_order),
        records_duplicate: column(effects, |step| step.duplicates),
        latency_p50: quantile(500_000),
        latency_p90: quantile(900_000),
        latency_p99: quantile(990_000),
        since_creation: bars(|place| &place.end_to_end),
        since_arrival: bars(|place| &place.since_arrival),
    }
}

fn bars(bars: &[Bar]) -> Vec<LatencyBar> {
    bars.iter()
        .map(|bar| LatencyBar {
            from: bar.from,
            to: bar.from.saturating_add(bar.width),
            records: bar.records,
        })
        .collect()
}
