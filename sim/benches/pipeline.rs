//! Records per second through the whole product: producers, stream, mapping, function, ledgers, order check.
//!
//! The absolute figure of a shared machine says little. Where the environment names a built copy of the reference loop
//! (`SHARDLAB_REFERENCE_LOOP=/path/to/reference-loop`), it runs in the same rounds, and the ratio is printed.
//!
//! It also proves what memory a run takes: `memory` compares the backlog of a short run with that of a long one, and
//! `week`, which takes minutes and runs only when it is asked for, holds a simulated week with all observers to its bound.
//!
//! `wide` is measured against `plain` in the same rounds, and once over its full ten minutes.
//!
//! `cargo bench -p shardlab-sim --bench pipeline [-- plain|hot|cohorts|wide|memory|week]`
#![allow(
    clippy::print_stdout,
    clippy::as_conversions,
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a benchmark measures wall time and prints it"
)]

use sim::blueprint::Blueprint;
use sim::engine::time::SimDuration;
use sim::session::{Session, SessionOptions};
use sim::workloads::Workload;
use std::time::Instant;

const ROUNDS: usize = 5;
/// A simulated week of the plain workload with all observers stays below this.
const WEEK_MIB_MAX: u64 = 256;
const WEEK_SECONDS: u64 = 7 * 86_400;
const WIDE_SECONDS: u64 = 600;

/// Wall seconds, events, and the fingerprint of a run.
fn run(workload: Workload, blueprint: &Blueprint, observe: bool) -> (f64, u64, String) {
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
    assert!(
        workload.ran_as_it_should(session.world()),
        "cohorts run where they should, and nowhere else"
    );
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
    let seconds = workload.seconds();
    let blueprint = workload.blueprint(seconds);
    let records = workload.records_per_second() * seconds;
    let (mut with, mut without, mut yardstick) = (Vec::new(), Vec::new(), Vec::new());
    let mut events = 0;
    let mut fingerprints = Vec::new();
    for _ in 0..ROUNDS {
        yardstick.extend(reference(workload));
        for observe in [true, false] {
            let (seconds, handled, fingerprint) = run(workload, &blueprint, observe);
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

/// Runs the plain workload with all observers; most bytes that its records took, looked at every simulated minute.
fn backlog_peak(seconds: u64) -> u64 {
    let blueprint = Workload::Plain.blueprint(seconds);
    let mut session = Session::new(&blueprint, SessionOptions::default()).expect("it builds");
    let mut peak = 0;
    while session.now() < session.end() {
        let until = session.now() + SimDuration::from_minutes(1);
        session
            .advance(until, u64::MAX)
            .expect("it runs, and the books balance");
        peak = peak.max(session.world().memory());
    }
    peak
}

/// The cost of a record of the wide workload against one of the plain one, in rounds that run both with all observers;
/// then the ten minutes, once.
fn measure_wide() {
    let cost = |workload: Workload, seconds: u64| {
        let (taken, ..) = run(workload, &workload.blueprint(seconds), true);
        taken * 1e9 / (workload.records_per_second() * seconds) as f64
    };
    let (mut plain, mut wide, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let round = [Workload::Plain, Workload::Wide].map(|workload| cost(workload, workload.seconds()));
        plain.push(round[0]);
        wide.push(round[1]);
        ratios.push(round[1] / round[0]);
    }
    println!("wide (1 producer, 1,000 shards, 500,000 records/s), with observers");
    println!("  plain          {:7.1} ns a record", median(plain));
    println!("  wide           {:7.1} ns a record", median(wide));
    println!("  cost to plain  {:7.2}", median(ratios));
    let full = cost(Workload::Wide, WIDE_SECONDS);
    println!(
        "  ten minutes    {:7.2} million records/s, peak memory {} MiB",
        1e3 / full,
        peak_memory().map_or_else(|| "?".to_owned(), |mib| mib.to_string())
    );
}

/// What retained and travelling records take follows the backlog, not the length of the run.
fn compare_memory() {
    let (short, long) = (1_000, 8_000);
    let peaks = [short, long].map(backlog_peak);
    println!("memory of records, plain");
    println!(
        "  {short} s {:6} KiB, {long} s {:6} KiB",
        peaks[0] >> 10,
        peaks[1] >> 10
    );
    assert!(
        peaks[1] <= peaks[0] + peaks[0] / 4,
        "a run of eight times the length takes more than a quarter more"
    );
}

fn simulate_week() {
    let start = Instant::now();
    let backlog = backlog_peak(WEEK_SECONDS);
    let records = Workload::Plain.records_per_second() * WEEK_SECONDS;
    println!(
        "week ({} million records, {:.0} s of wall time)",
        records / 1_000_000,
        start.elapsed().as_secs_f64()
    );
    println!("  memory of records {:6} KiB", backlog >> 10);
    let peak = peak_memory();
    println!(
        "  peak memory       {} MiB of {WEEK_MIB_MAX} allowed",
        peak.map_or_else(|| "?".to_owned(), |mib| mib.to_string())
    );
    assert!(
        peak.is_none_or(|mib| mib < WEEK_MIB_MAX),
        "a simulated week takes too much memory"
    );
}

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    for &workload in Workload::ALL {
        if wanted.is_empty() || wanted.iter().any(|name| name == workload.name()) {
            if workload == Workload::Wide {
                measure_wide();
            } else {
                measure(workload);
            }
        }
    }
    if wanted.is_empty() || wanted.iter().any(|name| name == "memory") {
        compare_memory();
    }
    if wanted.iter().any(|name| name == "week") {
        simulate_week();
    }
}
