//! What sources promise, by kind of arrivals.

mod attributes;
mod rates;
mod scaling;
mod traces;

use super::Source;
use crate::blueprint::{Arrivals, Keys, ProducerBlueprint, PutApi, RetryMode, SdkRetry, Size};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;
use crate::ids::ProducerId;
use crate::key::KeyTable;

const SECOND: u64 = 1_000_000_000;

/// A producer of some small records.
fn producer(arrivals: Arrivals) -> ProducerBlueprint {
    ProducerBlueprint {
        name: "clicks".to_owned(),
        target: "events".to_owned(),
        arrivals,
        keys: Keys::Uniform { count: 10 },
        size: Size::Drawn(Distribution::Uniform {
            low: 100.0,
            high: 900.0,
        }),
        api: PutApi::PutRecords,
        linger: SimDuration::from_millis(100),
        max_batch_records: 500,
        max_batch_bytes: 10 << 20,
        concurrency: 8,
        sequence_number_for_ordering: false,
        retry: SdkRetry {
            mode: RetryMode::Standard,
            max_attempts: 3,
            timing_2026: false,
        },
        resend_failed: None,
        call_window: SimDuration::from_millis(1),
        call_window_threshold: Rate::per_second(10_000),
        library: None,
    }
}

fn source(blueprint: &ProducerBlueprint) -> Source {
    seeded(blueprint, 2_024)
}
fn seeded(blueprint: &ProducerBlueprint, seed: u64) -> Source {
    let table = KeyTable::build(&[blueprint]);
    let mut streams = RandomStreams::new(seed, 0);
    Source::new(blueprint, table.range(ProducerId(0)), &table, &mut streams).expect("a sound blueprint")
}
fn arriving(arrivals: Arrivals) -> Source {
    source(&producer(arrivals))
}

/// Takes the next `count` instants, in portions of uneven size.
fn take(source: &mut Source, count: usize) -> Vec<u64> {
    let mut times = Vec::with_capacity(count);
    let mut portion = 1;
    while times.len() < count {
        let wanted = portion.min(count - times.len());
        source.ensure(wanted);
        let here = wanted.min(source.times().len());
        if here == 0 {
            break;
        }
        times.extend_from_slice(&source.times()[..here]);
        source.consume(here);
        portion = portion % 977 + 61;
    }
    assert!(times.is_sorted(), "a source is sorted");
    times
}

/// Takes what arrives before `end`.
fn take_until(source: &mut Source, end: u64) -> Vec<u64> {
    let mut times = Vec::new();
    while source.ensure(1) && source.times()[0] < end {
        let here = source.times().partition_point(|&time| time < end);
        times.extend_from_slice(&source.times()[..here]);
        source.consume(here);
    }
    assert!(times.is_sorted(), "a source is sorted");
    times
}

/// Numbers of instants in consecutive bins from zero on.
fn counts(times: &[u64], bin: u64, bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    for time in times {
        let place = usize::try_from(time / bin).expect("a bin's number");
        if place < bins {
            counts[place] += 1.0;
        }
    }
    counts
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / values.len() as f64
}
