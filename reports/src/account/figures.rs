//! What was measured: latency and its causes, limits, metrics.

use sim::engine::time::{SimDuration, SimTime};

/// Latencies until records have taken effect.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LatencyAccount {
    /// Where they take effect, for example `sink.orders`.
    pub at: String,
    /// The function that did it.
    pub function: String,
    /// Since the producer created them.
    pub since_creation: Spread,
    /// Since the stream stored them.
    pub since_arrival: Spread,
    /// The time since creation split by cause, in the order in which records meet them, without those that took none.
    /// Their totals sum to that of all records.
    pub causes: Vec<CauseAccount>,
}

/// The time of records that is due to a cause.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CauseAccount {
    /// The cause, as a key in files.
    pub key: &'static str,
    /// In a few words.
    pub name: &'static str,
    /// The time of a record.
    pub time: Spread,
    /// The time of all records together, in nanoseconds.
    pub total_ns: u128,
    /// That in thousandths of the time due to all causes.
    pub share_per_mille: u64,
}

/// A distribution in a few figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Spread {
    /// Records measured; one that takes effect twice counts twice.
    pub records: u64,
    /// Smallest.
    pub min: SimDuration,
    /// Median.
    pub p50: SimDuration,
    /// 90th percentile.
    pub p90: SimDuration,
    /// 99th percentile.
    pub p99: SimDuration,
    /// Largest.
    pub max: SimDuration,
    /// Mean.
    pub mean: SimDuration,
}

/// How much of a limit was used.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LimitUse {
    /// The limit: `records written to a shard`.
    pub limit: String,
    /// The same as a key in files.
    pub key: &'static str,
    /// What it is a limit of: `shardId-000000000002 of stream.clicks`.
    pub of: String,
    /// The component of that.
    pub component: String,
    /// The shard, for a limit of shards.
    pub shard: Option<String>,
    /// The unit of the values: `records_per_second`.
    pub unit: &'static str,
    /// Most that was used, with its unit. Rates are counted over whole seconds.
    pub peak: String,
    /// Most that was used.
    pub peak_value: u64,
    /// What is allowed, with its unit.
    pub allowed: String,
    /// What is allowed.
    pub allowed_value: u64,
    /// The peak in thousandths of what is allowed.
    pub used_per_mille: u64,
    /// Something is refused, delayed or lost at the limit; otherwise a request or batch is complete there.
    pub hurts: bool,
    /// When it was reached first.
    pub first_reached: Option<SimTime>,
    /// Requests, reads, batches or invocations that it applied to.
    pub uses: u64,
    /// Of these, those that met or reached the limit.
    pub uses_at_limit: u64,
    /// The multiple of the load at which it would be reached: `1.9 times`, or `as it is`.
    pub reached_at_load: String,
    /// That multiple in thousandths; `None` where use does not grow with the load.
    pub reached_at_load_per_mille: Option<u64>,
    /// The fact that states it; the capacity of a sink is the scenario's own.
    pub fact: Option<&'static str>,
}

/// A metric of a component over time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MetricSeries {
    /// Who publishes it: `AWS/Kinesis`, or `Simulator` where CloudWatch has no such number.
    pub namespace: String,
    /// Its name.
    pub metric: &'static str,
    /// The component.
    pub component: String,
    /// The shard, for a metric of a single shard.
    pub shard: Option<String>,
    /// The registered consumer, for a metric of one (KDS-MET-04).
    pub consumer: Option<String>,
    /// Its unit, as CloudWatch names it.
    pub unit: &'static str,
    /// Parts of the unit that values are counted in.
    pub parts: u64,
    /// The periods that have values, in order of time.
    pub points: Vec<MetricPoint>,
}

/// The values of a period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MetricPoint {
    /// Start of the period.
    pub start: SimTime,
    /// Its length.
    pub length: SimDuration,
    /// Sum of the values, in parts of the unit.
    pub sum: u64,
    /// How many there are.
    pub count: u64,
    /// The least, in parts of the unit.
    pub minimum: u64,
    /// The greatest, in parts of the unit.
    pub maximum: u64,
}
