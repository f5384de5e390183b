//! What an invocation costs where there are many: ten thousand environments at work, 100,000 invocations a simulated
//! second. `direct` has callers and no records; `mapping` has a batch of one record each, and its records are taken off:
//! the same records in batches of ten thousand cost what they cost without the invocations.
//!
//! The bar is 1 microsecond of wall time an invocation, with all observers.
//!
//! `cargo bench -p shardlab-sim --bench invocations [-- direct|mapping]`
#![allow(
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time and prints it"
)]

use sim::blueprint::{
    Arrivals, Blueprint, FunctionBlueprint, InvocationType, InvokerBlueprint, Keys, MappingBlueprint,
    ProducerBlueprint, ProvisionedConcurrency, StreamBlueprint,
};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::Rate;
use sim::engine::time::SimDuration;
use sim::session::{Session, SessionOptions};
use sim::workloads::Workload;
use std::time::Instant;

const ROUNDS: usize = 5;
const PER_SECOND: u64 = 100_000;
const SECONDS: u64 = 20;

/// So many functions share the load: one may get 10,000 requests a second at first (LAM-U-24).
const FUNCTIONS: u32 = 10;
const EACH: u64 = PER_SECOND / FUNCTIONS as u64;

/// A handler of 100 ms, so that 10,000 requests a second keep a thousand environments busy. All are provisioned: neither
/// the scaling rate nor ten requests a second and environment stand in their way.
fn function(of: &Blueprint, number: u32) -> FunctionBlueprint {
    FunctionBlueprint {
        name: format!("work-{number}"),
        provisioned_concurrency: Some(ProvisionedConcurrency {
            executions: 1_200,
            ready_at_start: true,
        }),
        per_batch: Distribution::Constant(1e8),
        per_record: SimDuration::ZERO,
        ..of.functions[0].clone()
    }
}

fn direct() -> Blueprint {
    let plain = Workload::Plain.blueprint(SECONDS);
    let mut blueprint = Blueprint::empty(plain.seed, plain.duration);
    blueprint.account_concurrency = 20_000;
    for number in 0..FUNCTIONS {
        blueprint.functions.push(function(&plain, number));
        blueprint.invokers.push(InvokerBlueprint {
            name: format!("caller-{number}"),
            function: format!("work-{number}"),
            arrivals: Arrivals::Poisson(Rate::per_second(EACH)),
            invocation_type: InvocationType::RequestResponse,
            payload: 1_024,
        });
    }
    blueprint
}

/// 100,000 records a second on streams whose 1,000 shards have ten lanes each.
fn records(batch_size: u32) -> Blueprint {
    let plain = Workload::Plain.blueprint(SECONDS);
    let mut blueprint = Blueprint::empty(plain.seed, plain.duration);
    blueprint.account_concurrency = 20_000;
    for number in 0..FUNCTIONS {
        let stream = format!("records-{number}");
        blueprint.functions.push(function(&plain, number));
        blueprint.streams.push(StreamBlueprint {
            name: stream.clone(),
            shard_count: 100,
            ..plain.streams[0].clone()
        });
        blueprint.producers.push(ProducerBlueprint {
            name: format!("source-{number}"),
            target: stream.clone(),
            arrivals: Arrivals::Poisson(Rate::per_second(EACH)),
            keys: Keys::Uniform { count: 5_000 },
            ..plain.producers[0].clone()
        });
        blueprint.mappings.push(MappingBlueprint {
            batch_size,
            parallelization_factor: 10,
            ..MappingBlueprint::new(&format!("reader-{number}"), &stream, &format!("work-{number}"))
        });
    }
    blueprint
}

/// Wall seconds, invocations, and most of them at a time.
fn run(blueprint: &Blueprint, observe: bool) -> (f64, u64, u64) {
    let start = Instant::now();
    let options = SessionOptions {
        observe,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).expect("it builds");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs, and the books balance");
    let taken = start.elapsed().as_secs_f64();
    let counts = session.observers().and_then(|observers| observers.counts.as_ref());
    let functions = || counts.iter().flat_map(|counts| counts.functions.iter());
    assert_eq!(
        functions().map(|function| function.throttles).sum::<u64>(),
        0,
        "nothing is refused"
    );
    let ended = functions().map(|function| function.ended).sum();
    (
        taken,
        ended,
        functions().map(|function| u64::from(function.max_concurrent)).sum(),
    )
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn measure_direct() {
    let blueprint = direct();
    let (mut with, mut without, mut seen) = (Vec::new(), Vec::new(), (0, 0));
    for _ in 0..ROUNDS {
        let (taken, invocations, at_a_time) = run(&blueprint, true);
        with.push(taken * 1e9 / invocations as f64);
        without.push(run(&blueprint, false).0 * 1e9 / invocations as f64);
        seen = (invocations, at_a_time);
    }
    println!("direct ({} invocations, at most {} at a time)", seen.0, seen.1);
    println!("  with observers  {:7.1} ns an invocation", median(with));
    println!("  without         {:7.1} ns an invocation", median(without));
}

fn measure_mapping() {
    let (single, whole) = (records(1), records(10_000));
    let (mut with, mut alone, mut seen) = (Vec::new(), Vec::new(), (0, 0));
    for _ in 0..ROUNDS {
        let (taken, invocations, at_a_time) = run(&single, true);
        let (of_records, few, _) = run(&whole, true);
        let beyond = (taken - of_records) * 1e9 / (invocations - few) as f64;
        with.push(beyond);
        alone.push(of_records * 1e9 / (PER_SECOND * SECONDS) as f64);
        seen = (invocations, at_a_time);
    }
    println!("mapping ({} invocations, at most {} at a time)", seen.0, seen.1);
    println!(
        "  with observers  {:7.1} ns an invocation beyond its record",
        median(with)
    );
    println!("  records alone   {:7.1} ns a record", median(alone));
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    if asked("direct") {
        measure_direct();
    }
    if asked("mapping") {
        measure_mapping();
    }
}
