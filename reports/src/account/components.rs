//! What each component did, and what a bill counts of it.

use sim::engine::time::{SimDuration, SimTime};

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
    /// What its Kinesis Producer Library did, if that is its client.
    pub library: Option<LibraryAccount>,
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

/// What a Kinesis Producer Library did: user records are its producer's, Kinesis records what the stream sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LibraryAccount {
    /// User records that it sent, repetitions included.
    pub user_records_sent: u64,
    /// Kinesis records that these travelled in.
    pub kinesis_records_sent: u64,
    /// PutRecords requests that these travelled in.
    pub requests_sent: u64,
    /// Times that a user record was sent again.
    pub user_records_resent: u64,
    /// Kinesis records that were stored in another shard than expected and sent again.
    pub kinesis_records_misplaced: u64,
}

/// What a stream did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamAccount {
    /// Its name.
    pub name: String,
    /// Records stored.
    pub records_accepted: u64,
    /// Of these, records of the Kinesis Producer Library that hold several user records.
    pub records_aggregated: u64,
    /// User records in these.
    pub user_records_in_aggregated: u64,
    /// Bytes of the records stored.
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

/// What a mapping or an application did as a reader.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReaderAccount {
    /// Its name.
    pub name: String,
    /// The stream that it reads.
    pub stream: String,
    /// The function that it invokes; of an application itself.
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
    /// What only a mapping does; `None` for an application.
    pub mapping: Option<MappingAccount>,
    /// What only an application does; `None` for a mapping.
    pub application: Option<ApplicationAccount>,
}

/// What only an event source mapping did, most of it about failures.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MappingAccount {
    /// Batches cut in two after an error (LAM-X-11).
    pub batches_bisected: u64,
    /// Batches of which the function reported some records as failed (LAM-X-17).
    pub batches_failed_in_part: u64,
    /// Records that it gave up and of which nobody was told.
    pub records_discarded: u64,
    /// Records that it gave up and of which its on-failure destination knows.
    pub records_dead_lettered: u64,
    /// Documents that the destination got.
    pub documents: u64,
    /// Documents that it could not be given (LAM-X-29).
    pub documents_undeliverable: u64,
    /// The destination's name, if there is one.
    pub destination: Option<String>,
    /// Records that its filters let pass by.
    pub records_filtered_out: u64,
}

/// What only an application did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApplicationAccount {
    /// Leases that nobody had owned before a worker took them.
    pub leases_new: u64,
    /// Leases taken over since their owner no longer renewed them (KDS-KCL-05).
    pub leases_failed_over: u64,
    /// Leases moved from one living worker to another.
    pub leases_moved: u64,
    /// When a lease was taken over for the first time.
    pub first_failover: Option<SimTime>,
    /// Records processed again, after a checkpoint (KDS-KCL-32).
    pub records_repeated: u64,
    /// Batches skipped since the code threw (KDS-KCL-34).
    pub batches_skipped: u64,
    /// Records in these.
    pub records_skipped: u64,
    /// Batches that died with their worker.
    pub batches_abandoned: u64,
    /// GetShardIterator calls refused (KDS-R-17).
    pub iterators_throttled: u64,
    /// GetRecords refused for an iterator that was too old (KDS-R-05).
    pub iterators_expired: u64,
    /// Rows of the lease table read (KDS-KCL-40).
    pub lease_rows_read: u64,
    /// Rows of the lease table written (KDS-KCL-39).
    pub lease_rows_written: u64,
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
    /// Invocations refused, by what was short, in plain words; none of them zero.
    pub throttles_for: Vec<(&'static str, u64)>,
    /// Invocations that ran Init again within their duration, after a crash or timeout or a first one that was cut.
    pub inits_within: u64,
    /// Its provisioned environments, if it has any.
    pub provisioned: Option<ProvisionedAccount>,
    /// Its asynchronous events, if it got any.
    pub events: Option<EventAccount>,
}

/// What became of a function's provisioned environments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProvisionedAccount {
    /// So many may be used at the end.
    pub executions: u32,
    /// Since when, if that came about in the run.
    pub ready: Option<SimTime>,
    /// Invocations that ran on them.
    pub invocations: u64,
    /// Invocations that ran on demand beside them.
    pub spilled_over: u64,
}

/// What became of a function's asynchronous events.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventAccount {
    /// Accepted.
    pub received: u64,
    /// That came into being a second time.
    pub duplicated: u64,
    /// Succeeded.
    pub succeeded: u64,
    /// Retries after a function error.
    pub retried: u64,
    /// Attempts refused with 429.
    pub throttled: u64,
    /// Given up.
    pub dropped: u64,
    /// The same by reason, in plain words; none of them zero.
    pub dropped_for: Vec<(&'static str, u64)>,
    /// Given up, and nobody was told.
    pub lost: u64,
    /// Reported to the dead-letter queue.
    pub dead_lettered: u64,
    /// Waiting or running at the end.
    pub unfinished: u64,
    /// The oldest at an attempt.
    pub age_max: SimDuration,
}

/// What a direct caller did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvokerAccount {
    /// Its name.
    pub name: String,
    /// Requests sent.
    pub sent: u64,
    /// Requests that did what was asked, or were queued.
    pub succeeded: u64,
    /// Requests that ended in an error or a timeout.
    pub failed: u64,
    /// Requests refused with 429.
    pub throttled: u64,
    /// Mean time from request to answer, of those that were not refused.
    pub response_mean: SimDuration,
    /// The longest of these.
    pub response_max: SimDuration,
}

/// What a sink did.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SinkAccount {
    /// Its name.
    pub name: String,
    /// Records written, repetitions included.
    pub records_delivered: u64,
    /// Writes; of a table or a bucket requests that wrote something.
    pub writes: u64,
    /// When the last one was.
    pub last_write: SimTime,
    /// Requests that a table or a bucket answered.
    pub requests: u64,
    /// Records in them that it did not take.
    pub refused: u64,
    /// Write units that a table's requests consumed.
    pub write_units: u64,
    /// Writes whose writer was told of an error.
    pub failed_writes: u64,
    /// Records of these that did not take effect.
    pub unwritten: u64,
    /// Records that were there already and replaced themselves.
    pub rewritten: u64,
}

/// What a bill counts of a table or a bucket.
#[derive(Clone, PartialEq, Debug)]
pub struct SinkUsage {
    /// Its name.
    pub name: String,
    /// Requests that wrote something.
    pub requests: u64,
    /// Write units that they consumed.
    pub write_units: u64,
    /// Provisioned write units times hours.
    pub provisioned_unit_hours: Option<f64>,
    /// Bytes written.
    pub bytes: u64,
}

/// What a bill counts.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct UsageAccount {
    /// Of tables and buckets.
    pub sinks: Vec<SinkUsage>,
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
#[derive(Clone, PartialEq, Debug)]
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
    /// `arm64` or `x86_64`.
    pub architecture: &'static str,
    /// Requests: invocations, and what large asynchronous events count beyond one.
    pub requests: u64,
    /// GB-milliseconds of invocations on provisioned environments.
    pub provisioned_gb_ms: u128,
    /// GB-hours for which environments were provisioned.
    pub provisioned_gb_hours: f64,
    /// Billed Init time of provisioned environments in milliseconds.
    pub provisioned_init_ms: u64,
}
