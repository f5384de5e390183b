//! What happened when: the columns that charts are drawn from, as plain data.
//!
//! Every column has one value for each step of time. The steps are equally long, except the last one, which ends with
//! the run.

use sim::engine::time::{SimDuration, SimTime};

/// The course of a run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Course {
    /// Length of a step.
    pub step: SimDuration,
    /// Number of steps.
    pub steps: usize,
    /// Sources of records.
    pub producers: Vec<ProducerCourse>,
    /// Streams.
    pub streams: Vec<StreamCourse>,
    /// Event source mappings.
    pub readers: Vec<ReaderCourse>,
    /// Functions, each with the place where its effects complete.
    pub functions: Vec<FunctionCourse>,
}

/// A producer over time, in records.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ProducerCourse {
    /// Its name.
    pub name: String,
    /// Created.
    pub records_produced: Vec<u64>,
    /// Scheduled to be sent again.
    pub records_sent_again: Vec<u64>,
    /// Given up.
    pub records_given_up: Vec<u64>,
}

/// A stream over time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StreamCourse {
    /// Its name.
    pub name: String,
    /// Records a second that a shard accepts (KDS-W-01).
    pub limit_records_per_second: u64,
    /// Bytes a second that a shard accepts (KDS-W-02).
    pub limit_bytes_per_second: u64,
    /// Its shards, in order.
    pub shards: Vec<ShardCourse>,
}

/// A shard over time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ShardCourse {
    /// Its number.
    pub number: u32,
    /// Records stored.
    pub records_accepted: Vec<u64>,
    /// Their bytes.
    pub bytes_accepted: Vec<u64>,
    /// Entries refused for throughput.
    pub entries_throttled: Vec<u64>,
}

/// A reader over time.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReaderCourse {
    /// Its name.
    pub name: String,
    /// Greatest `MillisBehindLatest`; `None` without a read.
    pub behind_max: Vec<Option<SimDuration>>,
}

/// A function over time.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct FunctionCourse {
    /// Its name.
    pub name: String,
    /// Where its effects complete: its sink, or itself.
    pub at: String,
    /// Invocations begun.
    pub invocations: Vec<u64>,
    /// Invocations ended in an error or the timeout.
    pub failures: Vec<u64>,
    /// Invocations refused for concurrency.
    pub throttles: Vec<u64>,
    /// New environments.
    pub cold_starts: Vec<u64>,
    /// Most invocations at one time.
    pub concurrent_max: Vec<u64>,
    /// How many there may be: from the start, and from each change on, in order of time.
    pub concurrency_limits: Vec<ConcurrencyLimit>,
    /// Greatest `IteratorAge` (LAM-M-06); `None` without an invocation.
    pub iterator_age_max: Vec<Option<SimDuration>>,
    /// Records that took effect, each time counted.
    pub records_delivered: Vec<u64>,
    /// Of these after a later record of their key.
    pub records_out_of_order: Vec<u64>,
    /// Of these not for the first time.
    pub records_duplicate: Vec<u64>,
    /// From a record's creation to its effect: median; `None` if nothing took effect.
    pub latency_p50: Vec<Option<SimDuration>>,
    /// The 90th percentile.
    pub latency_p90: Vec<Option<SimDuration>>,
    /// The 99th percentile.
    pub latency_p99: Vec<Option<SimDuration>>,
    /// Latencies of the whole run since creation, ascending.
    pub since_creation: Vec<LatencyBar>,
    /// Latencies of the whole run since the record was stored, ascending.
    pub since_arrival: Vec<LatencyBar>,
}

/// How many invocations of a function there may be at one time, from an instant on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ConcurrencyLimit {
    /// The instant.
    pub from: SimTime,
    /// How many.
    pub invocations: u64,
    /// Whether they are reserved for it (LAM-C-06); otherwise they are what reservations leave of the account's quota
    /// (LAM-C-04, LAM-C-09).
    pub is_reserved: bool,
}

/// Records whose latency lies within a range.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LatencyBar {
    /// Least latency of the range.
    pub from: SimDuration,
    /// First latency beyond it.
    pub to: SimDuration,
    /// Records in it.
    pub records: u64,
}

impl Course {
    /// The start of a step.
    pub fn start(&self, step: usize) -> SimTime {
        SimTime::ZERO.saturating_add(self.step.saturating_mul(step as u64))
    }
    /// Lengths of all steps, in seconds: the last one ends with the run.
    pub fn seconds(&self, simulated: SimDuration) -> Vec<f64> {
        let end = SimTime::ZERO.saturating_add(simulated);
        (0..self.steps)
            .map(|step| end.since(self.start(step)).min(self.step).as_nanos() as f64 / 1e9)
            .collect()
    }
}
