//! What a scenario is sure to need more memory for than it may have.

use super::Lowering;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::fields::Fields;
use crate::scalar::grouped;
use crate::schema::Kind;
use crate::trace;
use sim::blueprint::{Arrivals, Blueprint, Keys, ProducerBlueprint, StreamBlueprint};
use sim::command::Command;
use sim::engine::quantity::{ByteCount, Rate};
use sim::engine::time::SimDuration;

/// Bytes of a retained record: arrival, age, key, size and number in columns.
const RETAINED_RECORD: f64 = 24.0;
/// Bytes of a key table's entry.
const KEY: u64 = 32;
/// A shard stores no more (KDS-W-01).
const RECORDS_PER_SHARD_SECOND: f64 = 1_000.0;

impl Lowering<'_> {
    pub(super) fn memory(&mut self, top: &Fields, blueprint: &Blueprint) {
        let Some(allowed) = self.options.memory else {
            return;
        };
        for stream in &blueprint.streams {
            if is_read(blueprint, stream) {
                continue;
            }
            let retention = SimDuration::from_hours(u64::from(stream.retention_hours));
            let kept_for = retention.min(blueprint.duration);
            let incoming: f64 = blueprint
                .producers
                .iter()
                .filter(|producer| producer.target == stream.name && !is_scaled(blueprint, producer))
                .map(|producer| mean_per_second(&producer.arrivals, blueprint.duration))
                .sum();
            let stored = incoming.min(f64::from(stream.shard_count) * RECORDS_PER_SHARD_SECOND);
            let records = stored * kept_for.as_nanos() as f64 / 1e9;
            let bytes = (records * RETAINED_RECORD) as u64;
            if bytes <= allowed {
                continue;
            }
            let component = top
                .components(Kind::Stream)
                .iter()
                .find(|other| other.name == stream.name);
            let place = component.map_or(top.place, |component| component.fields.place);
            let title = format!("stream.{} would fill {} of memory", stream.name, ByteCount(bytes));
            let label = format!("keeps {} records that nobody reads", grouped(records as u64));
            let why = format!(
                "{stored:.0} records a second, kept for {kept_for}, take 24 bytes each; {} are allowed",
                ByteCount(allowed)
            );
            let help = "shorten the run or the retention, lower the rate, or allow more with --memory";
            let fault = Diagnostic::at(Code::MemoryExceeded, place, title, label)
                .note(why)
                .help(help);
            self.diagnostics.push(place, fault);
        }
        self.key_memory(top, blueprint, allowed);
    }

    fn key_memory(&mut self, top: &Fields, blueprint: &Blueprint, allowed: u64) {
        let keys: u64 = blueprint.producers.iter().map(|producer| count(&producer.keys)).sum();
        if keys * KEY <= allowed {
            return;
        }
        let largest = blueprint.producers.iter().max_by_key(|producer| count(&producer.keys));
        let component = largest.and_then(|largest| {
            let mut components = top.components(Kind::Producer).iter();
            components.find(|component| component.name == largest.name)
        });
        let place = component.map_or(top.place, |component| component.fields.place_of("keys"));
        let title = format!(
            "the table of partition keys would fill {} of memory",
            ByteCount(keys * KEY)
        );
        let label = format!("the producers have {} keys in all", grouped(keys));
        let why = format!("{} are allowed", ByteCount(allowed));
        let fault = Diagnostic::at(Code::MemoryExceeded, place, title, label).note(why);
        self.diagnostics
            .push(place, fault.help("use fewer keys, or allow more with --memory"));
    }
}

/// Someone takes records out: a mapping whose function may run at all.
fn is_read(blueprint: &Blueprint, stream: &StreamBlueprint) -> bool {
    blueprint
        .mappings
        .iter()
        .any(|mapping| mapping.stream == stream.name && !is_barred(blueprint, &mapping.function))
}

/// The function never runs (LAM-C-08).
fn is_barred(blueprint: &Blueprint, function: &str) -> bool {
    let reserved = blueprint.functions.iter().find(|other| other.name == function);
    let zero = reserved.is_some_and(|function| function.reserved_concurrency == Some(0));
    let changes = |command: &Command| matches!(command, Command::SetReservedConcurrency { function: changed, .. } if changed == function);
    zero && !blueprint
        .interventions
        .iter()
        .any(|intervention| changes(&intervention.command))
}

/// Its load changes during the run, so its mean is not certain.
fn is_scaled(blueprint: &Blueprint, producer: &ProducerBlueprint) -> bool {
    blueprint.interventions.iter().any(|intervention| {
        matches!(&intervention.command, Command::ScaleLoad { producer: scaled, .. } if *scaled == producer.name)
    })
}

fn count(keys: &Keys) -> u64 {
    match keys {
        Keys::Uniform { count } | Keys::Zipf { count, .. } => u64::from(*count),
        Keys::Hot { others, .. } => u64::from(*others) + 1,
        Keys::Weighted(list) => u64::try_from(list.len()).unwrap_or(u64::MAX),
        Keys::FromTrace => 0,
    }
}

/// Records a second over the whole run, a little less where chance decides.
fn mean_per_second(arrivals: &Arrivals, duration: SimDuration) -> f64 {
    let seconds = |span: SimDuration| span.as_nanos() as f64 / 1e9;
    match arrivals {
        Arrivals::Constant(rate) => rate.as_per_second(),
        Arrivals::Poisson(rate) => rate.as_per_second() * 0.9,
        Arrivals::Bursts {
            on,
            off,
            mean_on,
            mean_off,
        } => {
            let (on_share, off_share) = (seconds(*mean_on), seconds(*mean_off));
            let sum = on.as_per_second() * on_share + off.as_per_second() * off_share;
            sum / (on_share + off_share).max(1e-9) * 0.5
        }
        Arrivals::Profile { points, .. } => least_rate(points) * 0.9,
        Arrivals::Trace(trace) => {
            let span = trace::replayed_span(trace).max(SimDuration::MIN);
            if span > duration && !trace.repeat {
                return 0.0;
            }
            let over = if trace.repeat { span } else { duration };
            trace::total(trace) as f64 / seconds(over.max(SimDuration::MIN))
        }
    }
}

/// The curve never falls below its lowest point.
fn least_rate(points: &[(SimDuration, Rate)]) -> f64 {
    let rates = points.iter().map(|(_, rate)| rate.as_per_second());
    rates.min_by(f64::total_cmp).unwrap_or(0.0)
}
