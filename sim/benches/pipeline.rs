//! Records per second through the whole product: producers, stream, mapping, function, ledgers, order check.
//!
//! The absolute figure of a shared machine says little. Where the environment names a built copy of the reference loop
//! (`SHARDLAB_REFERENCE_LOOP=/path/to/reference-loop`), it runs in the same rounds, and the ratio is printed.
//!
//! `cargo bench -p shardlab-sim --bench pipeline [-- plain|hot|cohorts]`
#![allow(
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time and prints it"
)]

use sim::blueprint::{
    Arrivals, Blueprint, ColdStart, FunctionBlueprint, Jitter, Keys, MappingBlueprint, ProducerBlueprint, PutApi,
    Resend, RetryMode, SdkRetry, Size, StartingPosition, StreamBlueprint, WeightedKey,
};
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::SimDuration;
use sim::session::{Session, SessionOptions};
use std::time::Instant;

const ROUNDS: usize = 5;
const SECONDS: u64 = 1_000;

/// The workloads of the reference loop, and one of single-record puts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Workload {
    Plain,
    Hot,
    Cohorts,
}

impl Workload {
    const fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Hot => "hot",
            Self::Cohorts => "cohorts",
        }
    }
    /// Simulated seconds, and records in them.
    const fn size(self) -> (u64, u64) {
        match self {
            Self::Plain | Self::Hot => (SECONDS, 10_000 * SECONDS),
            Self::Cohorts => (SECONDS / 10, 100_000 * SECONDS / 10),
        }
    }
    fn blueprint(self) -> Blueprint {
        let (seconds, _) = self.size();
        let mut blueprint = Blueprint::empty(2_024, SimDuration::from_secs(seconds));
        let (shards, rate, api, keys) = match self {
            Self::Plain => (16, 10_000, PutApi::PutRecords, even_keys(16)),
            Self::Hot => (
                10,
                10_000,
                PutApi::PutRecords,
                Keys::Zipf {
                    count: 1_000,
                    exponent: 1.0,
                },
            ),
            Self::Cohorts => (160, 100_000, PutApi::PutRecord, even_keys(160)),
        };
        blueprint.streams.push(StreamBlueprint {
            name: "records".to_owned(),
            shard_count: shards,
            retention_hours: 24,
            max_record_size_kib: 1_024,
        });
        blueprint.producers.push(ProducerBlueprint {
            name: "source".to_owned(),
            target: "records".to_owned(),
            arrivals: Arrivals::Poisson(Rate::per_second(rate)),
            keys,
            size: Size::Drawn(Distribution::Uniform {
                low: 100.0,
                high: 900.0,
            }),
            api,
            linger: SimDuration::from_millis(100),
            max_batch_records: 500,
            max_batch_bytes: 5 << 20,
            concurrency: u32::MAX,
            retry: SdkRetry {
                mode: RetryMode::Standard,
                max_attempts: 3,
                timing_2026: false,
            },
            resend_failed: Some(Resend {
                attempts: 3,
                backoff: SimDuration::from_millis(100),
                factor: 2,
                max_backoff: SimDuration::from_secs(20),
                jitter: Jitter::None,
            }),
            call_window: SimDuration::from_millis(1),
            call_window_threshold: Rate::per_second(10_000),
        });
        blueprint.functions.push(FunctionBlueprint {
            name: "work".to_owned(),
            memory_size: 1_024,
            timeout: SimDuration::from_secs(60),
            reserved_concurrency: None,
            cold_start: ColdStart::Own(Distribution::Constant(1e8)),
            per_batch: Distribution::Constant(5e7),
            per_record: SimDuration::from_micros(100),
            failure_rate: Ratio::ZERO,
            fails_after_write: false,
            sink: None,
        });
        blueprint.mappings.push(MappingBlueprint {
            name: "reader".to_owned(),
            stream: "records".to_owned(),
            function: "work".to_owned(),
            starting_position: StartingPosition::TrimHorizon,
            batch_size: 10_000,
            maximum_batching_window: SimDuration::ZERO,
            parallelization_factor: 1,
        });
        blueprint
    }
}

/// A thousand equally likely keys, key k on shard k mod `shards`.
fn even_keys(shards: u32) -> Keys {
    let ranges = sim::services::kinesis::shard::even_ranges(shards);
    let key = |k: usize| WeightedKey {
        text: format!("{k}"),
        weight: 1.0,
        explicit_hash_key: Some(ranges[k % ranges.len()].start + k as u128),
    };
    Keys::Weighted((0..1_000).map(key).collect())
}

/// Wall seconds, events, and the fingerprint of a run.
fn run(blueprint: &Blueprint, observe: bool) -> (f64, u64, String) {
    let start = Instant::now();
    let mut session = Session::new(
        blueprint,
        SessionOptions {
            observe,
            ..SessionOptions::default()
        },
    )
    .expect("it builds");
    let end = session.end();
    session.advance(end, u64::MAX).expect("it runs, and the books balance");
    (
        start.elapsed().as_secs_f64(),
        session.events(),
        session.fingerprint().to_string(),
    )
}

/// The reference loop's own rate in million records a second.
fn reference(workload: Workload) -> Option<f64> {
    let program = std::env::var_os("SHARDLAB_REFERENCE_LOOP")?;
    let workload = if workload == Workload::Hot { "hot" } else { "plain" };
    let output = std::process::Command::new(program).arg(workload).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines()
        .find_map(|line| line.strip_prefix("rate")?.split_whitespace().next()?.parse().ok())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The process's peak memory in MiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib / 1_024)
}

fn measure(workload: Workload) {
    let blueprint = workload.blueprint();
    let (_, records) = workload.size();
    if workload == Workload::Cohorts {
        assert!(blueprint.producers[0].uses_call_window(), "no cohort would run");
    }
    let (mut with, mut without, mut yardstick) = (Vec::new(), Vec::new(), Vec::new());
    let mut events = 0;
    let mut fingerprints = Vec::new();
    for _ in 0..ROUNDS {
        yardstick.extend(reference(workload));
        for observe in [true, false] {
            let (seconds, handled, fingerprint) = run(&blueprint, observe);
            if observe { &mut with } else { &mut without }.push(records as f64 / seconds / 1e6);
            events = handled;
            fingerprints.push(fingerprint);
        }
    }
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), 1, "every round is the same run, observed or not");
    let (with, without, yardstick) = (median(with), median(without), median(yardstick));
    println!(
        "{} ({} million records, {:.4} events a record)",
        workload.name(),
        records / 1_000_000,
        events as f64 / records as f64
    );
    println!(
        "  with observers      {with:7.2} million records/s   ratio to the reference {:.3}",
        with / yardstick
    );
    println!(
        "  without             {without:7.2} million records/s   ratio to the reference {:.3}",
        without / yardstick
    );
    println!("  reference loop      {yardstick:7.2} million records/s");
    println!(
        "  peak memory so far  {} MiB",
        peak_memory().map_or_else(|| "?".to_owned(), |mib| mib.to_string())
    );
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for workload in [Workload::Plain, Workload::Hot, Workload::Cohorts] {
        if wanted.is_empty() || wanted.iter().any(|name| name == workload.name()) {
            measure(workload);
        }
    }
}
