//! `shardlab bench`: how fast this machine simulates fixed workloads.

use crate::cli::BenchArgs;
use crate::outcome::Outcome;
use crate::terminal::print;
use anyhow::{Context, ensure};
use reports::text::{count, counted};
use sim::blueprint::Blueprint;
use sim::session::{Session, SessionOptions};
use sim::workloads::Workload;
use std::time::Instant;

const CAVEAT: &str = "\
Absolute figures of a shared machine mean little: they move by a third within
an hour. Compare only what was measured side by side.
";

/// Carries out the command.
pub(crate) fn bench(args: &BenchArgs) -> anyhow::Result<Outcome> {
    let workloads: Vec<Workload> = match args.workloads.as_slice() {
        [] => Workload::ALL.to_vec(),
        some => some.iter().map(|&choice| choice.into()).collect(),
    };
    for workload in workloads {
        let measured = measure(workload, args)?;
        print(&format!("{}\n", table(workload, &measured)))?;
    }
    let rounds = counted(u64::from(args.rounds), "round");
    print(&format!("Medians of {rounds}, on one core.\n{CAVEAT}"))?;
    Ok(Outcome::Held)
}

/// One run.
struct Run {
    seconds: f64,
    events: u64,
    fingerprint: String,
    /// Records that the producer created, where somebody counted.
    records: Option<u64>,
}

fn run(workload: Workload, blueprint: &Blueprint, observe: bool) -> anyhow::Result<Run> {
    let began = Instant::now();
    let options = SessionOptions {
        observe,
        ..SessionOptions::default()
    };
    let mut session = Session::new(blueprint, options).context("the workload cannot be built")?;
    let end = session.end();
    session.advance(end, u64::MAX).context("the workload cannot be run")?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(
        workload.ran_as_it_should(session.world()),
        "the workload {} no longer exercises what it is for",
        workload.name()
    );
    let counts = session.observers().and_then(|observers| observers.counts.as_ref());
    Ok(Run {
        seconds,
        events: session.events(),
        fingerprint: session.fingerprint().to_string(),
        records: counts.map(|counts| counts.producers.iter().map(|one| one.produced).sum()),
    })
}

/// What all rounds came to.
struct Measured {
    simulated: u64,
    records: u64,
    events: u64,
    /// Median wall seconds of a run with all observers.
    observed: f64,
    /// Median wall seconds of a run with none.
    unobserved: f64,
    /// The greatest amount of memory in use, in KiB, where the system tells.
    peak_kib: Option<u64>,
}

fn measure(workload: Workload, args: &BenchArgs) -> anyhow::Result<Measured> {
    let simulated = args.seconds.unwrap_or(workload.seconds());
    let blueprint = workload.blueprint(simulated);
    forget_peak_memory();
    let mut runs: [Vec<Run>; 2] = Default::default();
    for _ in 0..args.rounds {
        // Interleaved, so that a busy spell of the machine meets both alike.
        for (kept, observe) in runs.iter_mut().zip([true, false]) {
            kept.push(run(workload, &blueprint, observe)?);
        }
    }
    let peak_kib = peak_memory_kib();
    let first = runs[0].first().context("there is no round")?;
    let same = runs.iter().flatten().all(|run| run.fingerprint == first.fingerprint);
    ensure!(
        same,
        "two runs of the workload {} differ: a defect of shardlab",
        workload.name()
    );
    let records = first.records.unwrap_or_default();
    let events = first.events;
    let seconds = |runs: &[Run]| median(runs.iter().map(|run| run.seconds).collect());
    Ok(Measured {
        simulated,
        records,
        events,
        observed: seconds(&runs[0]),
        unobserved: seconds(&runs[1]),
        peak_kib,
    })
}

fn table(workload: Workload, measured: &Measured) -> String {
    let Measured { records, events, .. } = *measured;
    let rates = |name: &str, seconds: f64| {
        let per_second = |number: u64| count((number as f64 / seconds.max(1e-9)) as u64);
        format!("  {name:<20}{:>14}{:>16}\n", per_second(records), per_second(events))
    };
    let memory = measured.peak_kib.map_or_else(
        || "not known on this system".to_owned(),
        |kib| format!("{} MiB", count(kib.div_ceil(1_024))),
    );
    [
        format!(
            "{}: {} in {} simulated seconds, {:.4} events a record\n",
            workload.name(),
            counted(records, "record"),
            count(measured.simulated),
            events as f64 / records.max(1) as f64
        ),
        format!("  {:<20}{:>14}{:>16}\n", "", "records/s", "events/s"),
        rates("all observers", measured.observed),
        rates("no observers", measured.unobserved),
        format!("  {:<20}{memory:>14}\n", "peak memory"),
    ]
    .concat()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The process's peak memory, as Linux tells it.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Lets Linux measure the peak afresh. Where that is not possible, it covers the earlier workloads too.
fn forget_peak_memory() {
    let _ = std::fs::write("/proc/self/clear_refs", "5");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_value() {
        assert!(median(vec![3.0, 1.0, 2.0]).total_cmp(&2.0).is_eq());
        assert!(median(Vec::new()).is_nan());
    }

    #[test]
    fn a_table_gives_rates_and_events_a_record() {
        let measured = Measured {
            simulated: 10,
            records: 100_000,
            events: 2_000,
            observed: 0.5,
            unobserved: 0.25,
            peak_kib: Some(2_049),
        };
        let expected = "\
plain: 100,000 records in 10 simulated seconds, 0.0200 events a record
                           records/s        events/s
  all observers              200,000           4,000
  no observers               400,000           8,000
  peak memory                  3 MiB
";
        assert_eq!(table(Workload::Plain, &measured), expected);
    }
}
