//! The limits that a scenario can meet.

/// A limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Limit {
    /// Records that a shard takes in a second.
    ShardWriteRecords,
    /// Bytes that a shard takes in a second, each put rounded up to whole KiB (KDS-W-16).
    ShardWriteBytes,
    /// GetRecords that a shard answers in a second, for all its readers together.
    ShardReadCalls,
    /// Bytes that a shard gives in a second, to all its readers together.
    ShardReadBytes,
    /// A function's reserved concurrency.
    ReservedConcurrency,
    /// Batches of a mapping of a queue that its function has at the same time: MaximumConcurrency, or what a mapping may.
    MappingConcurrency,
    /// What the account's concurrency leaves for the functions that reserve none.
    AccountConcurrency,
    /// A function's timeout.
    FunctionTimeout,
    /// How old a record may become before it has been read.
    Retention,
    /// Records that a sink takes in a second.
    SinkCapacity,
    /// Entries of one PutRecords.
    PutEntries,
    /// Bytes of one PutRecords.
    PutBytes,
    /// Payload of one invocation.
    Payload,
    /// Records of one invocation.
    BatchSize,
}

/// What a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Unit {
    /// Records a second, over whole seconds.
    RecordsPerSecond,
    /// Bytes a second, over whole seconds.
    BytesPerSecond,
    /// Calls a second, over whole seconds.
    CallsPerSecond,
    /// Invocations at one time.
    Invocations,
    /// Nanoseconds.
    Nanoseconds,
    /// Records.
    Records,
    /// Bytes.
    Bytes,
}

impl Unit {
    /// As a key in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::RecordsPerSecond => "records_per_second",
            Self::BytesPerSecond => "bytes_per_second",
            Self::CallsPerSecond => "calls_per_second",
            Self::Invocations => "invocations",
            Self::Nanoseconds => "ns",
            Self::Records => "records",
            Self::Bytes => "bytes",
        }
    }
}

/// What happens at a limit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AtLimit {
    /// Something is refused, cut off, delayed or lost.
    Hurts,
    /// A request or a batch is complete, and another begins.
    Completes,
}

impl Limit {
    /// In a few words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ShardWriteRecords => "records written to a shard",
            Self::ShardWriteBytes => "bytes written to a shard",
            Self::ShardReadCalls => "GetRecords calls to a shard",
            Self::ShardReadBytes => "bytes read from a shard",
            Self::ReservedConcurrency => "reserved concurrency",
            Self::MappingConcurrency => "concurrency of a mapping",
            Self::AccountConcurrency => "account concurrency",
            Self::FunctionTimeout => "function timeout",
            Self::Retention => "age of unread records",
            Self::SinkCapacity => "capacity",
            Self::PutEntries => "entries of a PutRecords",
            Self::PutBytes => "bytes of a PutRecords",
            Self::Payload => "payload of an invocation",
            Self::BatchSize => "BatchSize",
        }
    }
    /// As a key in files.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ShardWriteRecords => "shard_write_records",
            Self::ShardWriteBytes => "shard_write_bytes",
            Self::ShardReadCalls => "shard_read_calls",
            Self::ShardReadBytes => "shard_read_bytes",
            Self::ReservedConcurrency => "reserved_concurrency",
            Self::MappingConcurrency => "mapping_concurrency",
            Self::AccountConcurrency => "account_concurrency",
            Self::FunctionTimeout => "function_timeout",
            Self::Retention => "retention",
            Self::SinkCapacity => "sink_capacity",
            Self::PutEntries => "put_entries",
            Self::PutBytes => "put_bytes",
            Self::Payload => "payload",
            Self::BatchSize => "batch_size",
        }
    }
    /// The row of the fact sheets; a sink's capacity is the scenario's own.
    pub const fn fact(self) -> Option<&'static str> {
        match self {
            Self::ShardWriteRecords => Some("KDS-W-01"),
            Self::ShardWriteBytes => Some("KDS-W-02"),
            Self::ShardReadCalls => Some("KDS-R-09"),
            Self::ShardReadBytes => Some("KDS-R-10"),
            Self::ReservedConcurrency => Some("LAM-C-06"),
            Self::MappingConcurrency => Some("LAM-S-05"),
            Self::AccountConcurrency => Some("LAM-C-04"),
            Self::FunctionTimeout => Some("LAM-C-26"),
            Self::Retention => Some("KDS-RET-10"),
            Self::SinkCapacity => None,
            Self::PutEntries => Some("KDS-W-06"),
            Self::PutBytes => Some("KDS-W-07"),
            Self::Payload => Some("LAM-E-08"),
            Self::BatchSize => Some("LAM-K-11"),
        }
    }
    /// What it counts.
    pub const fn unit(self) -> Unit {
        match self {
            Self::ShardWriteRecords | Self::SinkCapacity => Unit::RecordsPerSecond,
            Self::ShardWriteBytes | Self::ShardReadBytes => Unit::BytesPerSecond,
            Self::ShardReadCalls => Unit::CallsPerSecond,
            Self::ReservedConcurrency | Self::MappingConcurrency | Self::AccountConcurrency => Unit::Invocations,
            Self::FunctionTimeout | Self::Retention => Unit::Nanoseconds,
            Self::PutEntries | Self::BatchSize => Unit::Records,
            Self::PutBytes | Self::Payload => Unit::Bytes,
        }
    }
    /// What happens there.
    pub const fn at_limit(self) -> AtLimit {
        match self {
            Self::ShardWriteRecords
            | Self::ShardWriteBytes
            | Self::ShardReadCalls
            | Self::ShardReadBytes
            | Self::ReservedConcurrency
            | Self::MappingConcurrency
            | Self::AccountConcurrency
            | Self::FunctionTimeout
            | Self::Retention
            | Self::SinkCapacity => AtLimit::Hurts,
            Self::PutEntries | Self::PutBytes | Self::Payload | Self::BatchSize => AtLimit::Completes,
        }
    }
    /// Whether its use grows with the load. A duration and an age do not: they grow where something else is at its limit.
    pub const fn grows_with_load(self) -> bool {
        !matches!(self, Self::FunctionTimeout | Self::Retention)
    }
}
