//! Everything that a report says about one run, as plain data with units in the names.

use crate::course::Course;
use sim::engine::time::{SimDuration, SimTime};
use sim::profile::Profile;

/// The account of a run.
#[derive(Clone, PartialEq, Debug)]
pub struct Account {
    /// What was asked.
    pub subject: Subject,
    /// What ran, and how far.
    pub run: Run,
    /// The components, in the order in which records meet them.
    pub components: Vec<Component>,
    /// What was changed during the run, in order of time.
    pub changes: Vec<Change>,
    /// Sources of records.
    pub producers: Vec<ProducerAccount>,
    /// Streams.
    pub streams: Vec<StreamAccount>,
    /// Event source mappings.
    pub readers: Vec<ReaderAccount>,
    /// Functions.
    pub functions: Vec<FunctionAccount>,
    /// Downstream systems.
    pub sinks: Vec<SinkAccount>,
    /// From creation at the producer to the end of processing, by where that is.
    pub latency: Vec<LatencyAccount>,
    /// How close the run came to each limit.
    pub headroom: Vec<LimitUse>,
    /// What a bill counts.
    pub usage: UsageAccount,
    /// Order and duplicates, by place.
    pub checks: Vec<Check>,
    /// The books that were kept.
    pub ledgers: Ledgers,
    /// What happened when.
    pub course: Course,
    /// Series under CloudWatch's names.
    pub metrics: Vec<MetricSeries>,
    /// The scenario's expectations and guarantees.
    pub judgements: Vec<Judgement>,
    /// Modelling choices that this run depended on.
    pub assumptions: Vec<Assumption>,
    /// What else a reader must know.
    pub notes: Vec<String>,
}

/// What was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subject {
    /// Name of the scenario: its file without folder and ending.
    pub name: String,
    /// Its title.
    pub title: String,
    /// Its question.
    pub question: Option<String>,
}

/// What ran, and how far.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Version of shardlab.
    pub version: String,
    /// Seed of all random streams.
    pub seed: u64,
    /// Replication number.
    pub replication: u64,
    /// Set of quotas.
    pub profile: Profile,
    /// How long the run was meant to last.
    pub planned: SimDuration,
    /// How far it came.
    pub simulated: SimDuration,
    /// Events handled.
    pub events: u64,
    /// The trajectory's hash.
    pub fingerprint: u64,
    /// The command line that repeats it.
    pub command: String,
    /// How it ended.
    pub ending: Ending,
}

/// How a run ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    /// As planned.
    Complete,
    /// Somebody stopped it.
    Interrupted,
    /// The model outgrew the memory that it was allowed; says what filled it.
    OutOfMemory(String),
}

/// A component of the scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Component {
    /// Its kind as scenario files name it, for example `stream`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What it is set to, in a few words.
    pub settings: String,
}

/// A change during the run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// When.
    pub at: SimTime,
    /// What, as a clause: `the load of producer.web becomes 4 times what is configured`.
    pub what: String,
}

/// What a producer did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProducerAccount {
    /// Its name.
    pub name: String,
    /// The stream that it writes to.
    pub target: String,
    /// The API that it calls.
    pub api: &'static str,
    /// Records that it created.
    pub records_produced: u64,
    /// Records whose storage it learned of.
    pub records_acknowledged: u64,
    /// Requests that it sent, repetitions included.
    pub requests_sent: u64,
    /// Requests that failed whole.
    pub requests_failed: u64,
    /// Times that a record was sent again because its application re-sends refused entries.
    pub records_resent: u64,
    /// Times that a record was sent again because the SDK repeats failed requests.
    pub records_repeated: u64,
    /// Records that it gave up, by reason.
    pub records_given_up: Vec<(String, u64)>,
    /// Records that still waited in the client or were in flight at the end.
    pub records_pending: u64,
}

/// What a stream did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamAccount {
    /// Its name.
    pub name: String,
    /// Records stored.
    pub records_accepted: u64,
    /// Their bytes.
    pub bytes_accepted: u64,
    /// Entries refused for a shard's throughput, each time that they were refused.
    pub entries_throttled: u64,
    /// Entries failed for other reasons.
    pub entries_failed: u64,
    /// Put requests refused or failed whole.
    pub requests_refused: u64,
    /// Puts that were stored while their response was lost.
    pub acknowledgements_lost: u64,
    /// Records a second that one of its shards accepts (KDS-W-01).
    pub limit_records_per_second: u64,
    /// Bytes a second that one of its shards accepts (KDS-W-02).
    pub limit_bytes_per_second: u64,
    /// All shards that it has had, in order.
    pub shards: Vec<ShardAccount>,
    /// The first refusal.
    pub first_throttle: Option<FirstThrottle>,
}

/// What a shard did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardAccount {
    /// Its id.
    pub id: String,
    /// Records stored.
    pub records_accepted: u64,
    /// Their bytes.
    pub bytes_accepted: u64,
    /// Entries refused.
    pub entries_throttled: u64,
    /// Most records in one second that came to be stored.
    pub peak_records_per_second: u64,
    /// Most bytes in one second that came to be stored.
    pub peak_bytes_per_second: u64,
    /// When entries were first refused.
    pub first_throttle: Option<SimTime>,
    /// When it was opened; `None`: it was there at the start.
    pub opened: Option<SimTime>,
    /// When it was closed; `None`: it is open.
    pub closed: Option<SimTime>,
}

/// The first refusal of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FirstThrottle {
    /// When.
    pub at: SimTime,
    /// By which shard.
    pub shard: String,
}

/// What a mapping did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderAccount {
    /// Its name.
    pub name: String,
    /// The stream that it reads.
    pub stream: String,
    /// The function that it invokes.
    pub function: String,
    /// GetRecords calls that were answered.
    pub reads: u64,
    /// GetRecords calls that were refused for a read limit.
    pub reads_throttled: u64,
    /// Records read, repeated reads included.
    pub records_read: u64,
    /// Records that were processed once and for all.
    pub records_acknowledged: u64,
    /// Batches sent to the function, repetitions included.
    pub batches_sent: u64,
    /// Of these, those that had been sent before.
    pub batches_repeated: u64,
    /// Batches that failed, throttled invocations included.
    pub batches_failed: u64,
    /// Records that expired before they were processed.
    pub records_expired: u64,
    /// Stored records that it had not finished at the end.
    pub records_unfinished: u64,
    /// Largest `MillisBehindLatest`.
    pub behind_max: SimDuration,
    /// When that was.
    pub behind_max_at: SimTime,
}

/// What a function did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionAccount {
    /// Its name.
    pub name: String,
    /// Invocations that began.
    pub invocations: u64,
    /// Those that ended in a function error, timeouts not included.
    pub errors: u64,
    /// Those that ran into the timeout.
    pub timeouts: u64,
    /// Invocations refused for concurrency.
    pub throttles: u64,
    /// When the first of them was.
    pub first_throttle: Option<SimTime>,
    /// New execution environments.
    pub cold_starts: u64,
    /// Mean time of a cold start, placement and Init together.
    pub cold_start_mean: SimDuration,
    /// Most invocations at one time.
    pub concurrent_max: u32,
    /// Mean time of a handler, over the invocations that ended.
    pub duration_mean: SimDuration,
    /// Records in all events together.
    pub records: u64,
}

/// What a sink did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkAccount {
    /// Its name.
    pub name: String,
    /// Records written, repetitions included.
    pub records_delivered: u64,
    /// Writes.
    pub writes: u64,
    /// When the last one was.
    pub last_write: SimTime,
}

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

/// What a bill counts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UsageAccount {
    /// Of streams.
    pub streams: Vec<StreamUsage>,
    /// Of functions.
    pub functions: Vec<FunctionUsage>,
}

/// What a bill counts of a stream in provisioned mode.
#[derive(Clone, PartialEq, Debug)]
pub struct StreamUsage {
    /// Its name.
    pub name: String,
    /// Shards times hours of the run.
    pub shard_hours: f64,
    /// Hours of retention beyond the free 24.
    pub retention_hours_above_24: u32,
    /// PUT payload units of 25 KB.
    pub put_payload_units: u64,
    /// PutRecord requests.
    pub put_record_requests: u64,
    /// PutRecords requests.
    pub put_records_requests: u64,
    /// GetRecords requests.
    pub get_records_requests: u64,
    /// Bytes stored.
    pub bytes_in: u64,
    /// Bytes read.
    pub bytes_out: u64,
}

/// What a bill counts of a function.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FunctionUsage {
    /// Its name.
    pub name: String,
    /// Invocations.
    pub invocations: u64,
    /// Billed time in milliseconds.
    pub billed_ms: u64,
    /// The part of it that is due to Init.
    pub init_ms: u64,
    /// Memory in MB.
    pub memory_mb: u32,
    /// Billed GB-milliseconds.
    pub gb_ms: u128,
}

/// A verdict.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Verdict {
    /// It is as said.
    Held,
    /// It is not.
    Violated,
    /// Nobody can tell.
    Undecided,
}

impl Verdict {
    /// One word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Violated => "violated",
            Self::Undecided => "undecided",
        }
    }
}

/// What a checker found at a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// What was checked, for example `order per key`.
    pub what: String,
    /// Where, for example `sink.orders`.
    pub at: String,
    /// What came out.
    pub verdict: Verdict,
    /// How often it was violated.
    pub violations: u64,
    /// The shortest evidence, or why nobody can tell; a line each.
    pub evidence: Vec<String>,
    /// The first case, if it was violated.
    pub witness: Option<Witness>,
}

/// The first case of a violation: what happened to a record, and to one that it met.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Witness {
    /// Partition key of both.
    pub key: String,
    /// The record.
    pub record: Sighting,
    /// The later record of its key that was faster; for a duplicate the record's first time.
    pub other: Option<Sighting>,
    /// What was done to it meanwhile, and when: `sent again`.
    pub cause: Option<(String, SimTime)>,
}

/// Where and when a record was seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sighting {
    /// Its number within its key.
    pub ordinal: u32,
    /// When it was created.
    pub created: Option<SimTime>,
    /// When the stream stored it.
    pub stored: Option<SimTime>,
    /// When it took effect.
    pub effect: Option<SimTime>,
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

/// The books that were kept during the run. A book that does not balance ends a run, so here they all do.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ledgers {
    /// How often each was checked.
    pub checks: u64,
    /// The entries, a line each, for example `producer.web: 10 created = 9 accepted + 1 given up`.
    pub balances: Vec<String>,
}

/// How an expectation or a guarantee came out.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// `expect` or `guarantee`.
    pub kind: &'static str,
    /// What was stated, in words.
    pub statement: String,
    /// What was measured, in words.
    pub measured: String,
    /// The measured value of an expectation, in the metric's unit.
    pub value: Option<f64>,
    /// That unit: `count`, `bytes` or `ms`.
    pub unit: Option<&'static str>,
    /// What came out.
    pub verdict: Verdict,
    /// Line of the scenario, from 1.
    pub line: Option<u32>,
}

/// A modelling choice that AWS does not document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Assumption {
    /// Its name under `[model]`.
    pub name: &'static str,
    /// Its value, as a scenario writes it.
    pub value: String,
    /// Whether that is the default.
    pub is_default: bool,
    /// The row of the fact sheets that proposes it, if there is one.
    pub fact: Option<&'static str>,
}

impl Account {
    /// The verdict on all expectations and guarantees together.
    pub fn verdict(&self) -> Verdict {
        let any = |verdict| self.judgements.iter().any(|judgement| judgement.verdict == verdict);
        if any(Verdict::Violated) {
            Verdict::Violated
        } else if any(Verdict::Undecided) {
            Verdict::Undecided
        } else {
            Verdict::Held
        }
    }
    /// Records produced by all producers.
    pub fn records_produced(&self) -> u64 {
        self.producers.iter().map(|producer| producer.records_produced).sum()
    }
}
