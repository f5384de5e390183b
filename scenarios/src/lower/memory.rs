//! What a scenario is sure to need more memory for than it may have.

use super::Lowering;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::fields::Fields;
use crate::scalar::grouped;
use crate::schema::Kind;
use crate::trace;
use sim::blueprint::{
    Arrivals, Blueprint, FunctionBlueprint, Keys, ProducerBlueprint, Size, StreamBlueprint, TraceRows,
};
use sim::command::Command;
use sim::engine::quantity::{ByteCount, Rate};
use sim::engine::time::SimDuration;

/// Bytes of an unread record: arrival, age, key, size and number. What every reader has passed is forgotten, and a
/// stream without readers keeps nothing.
const UNREAD_RECORD: f64 = 20.0;
/// Bytes of a key table's entry.
const KEY: u64 = 32;
/// A shard stores no more records (KDS-W-01) and bytes (KDS-W-02) a second.
const RECORDS_PER_SHARD_SECOND: f64 = 1_000.0;
const BYTES_PER_SHARD_SECOND: f64 = 1_048_576.0;

impl Lowering<'_> {
    pub(super) fn memory(&mut self, top: &Fields, blueprint: &Blueprint) {
        let Some(allowed) = self.options.memory else {
            return;
        };
        for stream in &blueprint.streams {
            self.unread_memory(top, blueprint, stream, allowed);
        }
        self.key_memory(top, blueprint, allowed);
    }

    fn unread_memory(&mut self, top: &Fields, blueprint: &Blueprint, stream: &StreamBlueprint, allowed: u64) {
        let Some((drained, why)) = slowest_reader(blueprint, stream) else {
            return;
        };
        let retention = SimDuration::from_hours(u64::from(stream.retention_hours));
        let kept_for = retention.min(blueprint.duration);
        let stored: f64 = blueprint
            .producers
            .iter()
            .filter(|producer| producer.target == stream.name && !is_scaled(blueprint, producer))
            .map(|producer| least_stored_per_second(producer, blueprint.duration))
            .fold(0.0, f64::max);
        let records = (stored - drained).max(0.0) * kept_for.as_nanos() as f64 / 1e9;
        let bytes = (records * UNREAD_RECORD) as u64;
        if bytes <= allowed {
            return;
        }
        let mut components = top.components(Kind::Stream).iter();
        let component = components.find(|other| other.name == stream.name);
        let place = component.map_or(top.place, |component| component.fields.place);
        let title = format!("stream.{} would fill {} of memory", stream.name, ByteCount(bytes));
        let label = format!("keeps {} unread records", grouped(records as u64));
        let size = format!(
            "{stored:.0} records a second come in for {kept_for}, {drained:.0} go out; each takes 20 bytes, {} are allowed",
            ByteCount(allowed)
        );
        let help = "shorten the run or the retention, lower the rate, or allow more with --memory";
        let fault = Diagnostic::at(Code::MemoryExceeded, place, title, label)
            .note(why)
            .note(size);
        self.diagnostics.push(place, fault.help(help));
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

/// The most that the stream's slowest reader can take a second, and why; `None` where no bound is certain.
fn slowest_reader(blueprint: &Blueprint, stream: &StreamBlueprint) -> Option<(f64, String)> {
    let mappings = blueprint
        .mappings
        .iter()
        .filter(|mapping| mapping.stream == stream.name);
    let limits = mappings.filter_map(|mapping| {
        let mut functions = blueprint.functions.iter();
        most_per_second(blueprint, functions.find(|other| other.name == mapping.function)?)
    });
    limits.min_by(|(one, _), (other, _)| one.total_cmp(other))
}

fn most_per_second(blueprint: &Blueprint, function: &FunctionBlueprint) -> Option<(f64, String)> {
    let changed = |target: String| {
        let mut commands = blueprint.interventions.iter().map(|intervention| &intervention.command);
        commands.any(|command| command.target() == target)
    };
    let name = &function.name;
    if function.reserved_concurrency == Some(0) && !changed(format!("function.{name}")) {
        return Some((
            0.0,
            format!("function.{name} has a reserved concurrency of 0 and never runs (LAM-C-08)"),
        ));
    }
    let sink = blueprint
        .sinks
        .iter()
        .find(|sink| Some(&sink.name) == function.sink.as_ref())?;
    let capacity = sink.capacity.filter(|_| !changed(format!("sink.{}", sink.name)))?;
    Some((
        capacity.as_per_second(),
        format!("sink.{} takes {capacity} at most", sink.name),
    ))
}

/// What certainly reaches the stream, even if all of it goes to one shard.
fn least_stored_per_second(producer: &ProducerBlueprint, duration: SimDuration) -> f64 {
    // A key has at most 1,024 bytes, so this is no less than a record's mean size.
    let mean_size = mean_bytes(producer) + 1_024.0;
    mean_per_second(&producer.arrivals, duration)
        .min(RECORDS_PER_SHARD_SECOND)
        .min(BYTES_PER_SHARD_SECOND / mean_size)
}

fn mean_bytes(producer: &ProducerBlueprint) -> f64 {
    match (&producer.size, &producer.arrivals) {
        (Size::Drawn(distribution), _) => distribution.compile().map_or(0.0, |sampler| sampler.mean()),
        (Size::FromTrace, Arrivals::Trace(trace)) => match &trace.rows {
            TraceRows::Requests { bytes, .. } => {
                bytes.iter().map(|&bytes| f64::from(bytes)).sum::<f64>() / bytes.len().max(1) as f64
            }
            TraceRows::Counts { .. } => 0.0,
        },
        (Size::FromTrace, _) => 0.0,
    }
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
