//! An invented course: a steady load with a wave in the middle, too much for one shard.

use reports::account::{MetricPoint, MetricSeries};
use reports::course::{
    ConcurrencyLimit, Course, FunctionCourse, LatencyBar, ProducerCourse, ReaderCourse, ShardCourse, StreamCourse,
};
use sim::engine::time::{SimDuration, SimTime};

/// A wave: `high` in the middle fifth, `low` elsewhere, with a little unrest.
fn wave(steps: usize, low: u64, high: u64) -> Vec<u64> {
    (0..steps)
        .map(|step| {
            let is_high = step * 5 / steps == 2;
            let level = if is_high { high } else { low };
            level + (step as u64 * 7_919) % (level / 16 + 1)
        })
        .collect()
}

fn spans(values: &[u64], micros: u64) -> Vec<Option<SimDuration>> {
    values
        .iter()
        .enumerate()
        // A gap now and then, as where nothing took effect.
        .map(|(step, value)| (step % 50 != 7).then(|| SimDuration::from_micros(value * micros)))
        .collect()
}

fn bars(shift: u64) -> Vec<LatencyBar> {
    (0..40)
        .map(|number| LatencyBar {
            from: SimDuration::from_millis((80 + shift) << (number / 6)),
            to: SimDuration::from_millis((100 + shift) << (number / 6)),
            records: 1 + number * (40 - number) * 80,
        })
        .collect()
}

/// A course of so many steps; shard 2 is the hot one.
pub(crate) fn course(shards: u32, steps: usize, step: SimDuration) -> Course {
    let load = wave(steps, 2_400, 6_000);
    let shard = |number: u32| {
        let is_hot = number == 2;
        let records = wave(steps, if is_hot { 800 } else { 400 }, 1_000);
        ShardCourse {
            number,
            bytes_accepted: records.iter().map(|records| records * 640).collect(),
            entries_throttled: if is_hot { wave(steps, 0, 1_700) } else { vec![0; steps] },
            records_accepted: records,
        }
    };
    Course {
        step,
        steps,
        producers: vec![ProducerCourse {
            name: "producer.web".to_owned(),
            records_produced: load.clone(),
            records_sent_again: wave(steps, 0, 1_500),
            records_given_up: wave(steps, 0, 200),
        }],
        streams: vec![StreamCourse {
            name: "stream.clicks".to_owned(),
            limit_records_per_second: 1_000,
            limit_bytes_per_second: 1_048_576,
            shards: (0..shards).map(shard).collect(),
        }],
        readers: vec![ReaderCourse {
            name: "mapping.enrich".to_owned(),
            behind_max: spans(&load, 400),
        }],
        functions: vec![function(steps, &load)],
    }
}

fn function(steps: usize, load: &[u64]) -> FunctionCourse {
    FunctionCourse {
        name: "function.enrich".to_owned(),
        at: "sink.orders".to_owned(),
        invocations: wave(steps, 20, 45),
        failures: wave(steps, 0, 3),
        throttles: wave(steps, 0, 2),
        cold_starts: wave(steps, 0, 1),
        concurrent_max: wave(steps, 3, 8),
        concurrency_limits: vec![ConcurrencyLimit {
            from: SimTime::ZERO,
            invocations: 10,
            is_reserved: true,
        }],
        iterator_age_max: spans(load, 200),
        records_delivered: load.to_vec(),
        records_out_of_order: wave(steps, 0, 40),
        records_duplicate: wave(steps, 0, 7),
        latency_p50: spans(load, 100),
        latency_p90: spans(load, 300),
        latency_p99: spans(load, 1_500),
        since_creation: bars(20),
        since_arrival: bars(0),
    }
}

/// Two series, one of a shard and in milliseconds with parts.
pub(crate) fn metrics() -> Vec<MetricSeries> {
    let point = |minute: u64, sum, count, minimum, maximum| MetricPoint {
        start: SimTime::ZERO.saturating_add(SimDuration::from_minutes(minute)),
        length: SimDuration::from_minutes(1),
        sum,
        count,
        minimum,
        maximum,
    };
    vec![
        MetricSeries {
            namespace: "AWS/Kinesis".to_owned(),
            metric: "WriteProvisionedThroughputExceeded",
            component: "stream.clicks".to_owned(),
            shard: Some("shardId-000000000002".to_owned()),
            consumer: None,
            unit: "Count",
            parts: 1,
            points: vec![point(0, 0, 600, 0, 0), point(2, 84_510, 598, 0, 412)],
        },
        MetricSeries {
            namespace: "Simulator".to_owned(),
            metric: "EndToEndLatency",
            component: "sink.orders".to_owned(),
            shard: None,
            consumer: None,
            unit: "Milliseconds",
            parts: 1_000,
            points: vec![point(0, 1_234_567_890, 2_400, 40_050, 8_400_001)],
        },
    ]
}
