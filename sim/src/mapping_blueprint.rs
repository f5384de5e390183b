//! An event source mapping in the blueprint, and what a function does about records that it cannot process.

use crate::batch::BatchResponse;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};
use crate::services::mapping::quotas;

/// An event source mapping (`[mapping.NAME]`, AWS::Lambda::EventSourceMapping).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MappingBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the stream that it reads.
    pub stream: String,
    /// Name of the registered consumer of this stream that it reads as; `None`: it polls (LAM-K-34).
    pub consumer: Option<String>,
    /// Name of the function that it invokes.
    pub function: String,
    /// Where reading starts (LAM-K-16).
    pub starting_position: StartingPosition,
    /// When it is created; zero: long before the run.
    pub created_at: SimTime,
    /// Most records in one invocation (LAM-K-11).
    pub batch_size: u32,
    /// How long a batch may gather (LAM-E-04).
    pub maximum_batching_window: SimDuration,
    /// Concurrent batches of one shard (LAM-K-06).
    pub parallelization_factor: u32,
    /// What it does about failures.
    pub errors: ErrorHandling,
    /// FilterCriteria: records that match none of these pass by (LAM-E-22); `None`: all are wanted.
    pub filters: Option<Vec<Filter>>,
    /// TumblingWindowInSeconds (LAM-W-01); zero: no windows.
    pub tumbling_window: SimDuration,
    /// MetricsConfig holds EventCount: it publishes metrics of its own (LAM-M-20).
    pub event_count_metrics: bool,
}

impl MappingBlueprint {
    /// A mapping as CreateEventSourceMapping makes it, from TRIM_HORIZON.
    pub fn new(name: &str, stream: &str, function: &str) -> Self {
        Self {
            name: name.to_owned(),
            stream: stream.to_owned(),
            consumer: None,
            function: function.to_owned(),
            starting_position: StartingPosition::TrimHorizon,
            created_at: SimTime::ZERO,
            batch_size: quotas::BATCH_SIZE_DEFAULT,
            maximum_batching_window: SimDuration::ZERO,
            parallelization_factor: 1,
            errors: ErrorHandling::default(),
            filters: None,
            tumbling_window: SimDuration::ZERO,
            event_count_metrics: false,
        }
    }
}

/// Where a reader starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum StartingPosition {
    /// At the oldest record that the stream holds.
    TrimHorizon,
    /// After the newest record at the time.
    Latest,
    /// At the first record stored then or later.
    AtTimestamp(SimTime),
}

/// What a mapping does about batches that fail. The default is AWS's: they are tried until their records expire
/// (LAM-X-03).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ErrorHandling {
    /// MaximumRetryAttempts (LAM-X-04); `None`: no bound.
    pub maximum_retry_attempts: Option<u32>,
    /// MaximumRecordAgeInSeconds (LAM-X-06); `None`: no bound.
    pub maximum_record_age: Option<SimDuration>,
    /// BisectBatchOnFunctionError (LAM-X-11).
    pub bisect_batch_on_function_error: bool,
    /// FunctionResponseTypes holds ReportBatchItemFailures (LAM-X-17).
    pub report_batch_item_failures: bool,
    /// DestinationConfig.OnFailure.Destination (LAM-X-21).
    pub on_failure: Option<FailureDestination>,
}

/// A filter pattern on what stands for the data of a record: its key, its lot and its size. All that it states must hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Filter {
    /// `equals`, any of them; empty: any key.
    pub equals: Vec<String>,
    /// `anything-but`.
    pub anything_but: Vec<String>,
    /// `prefix` of the key.
    pub prefix: Option<String>,
    /// `suffix` of the key.
    pub suffix: Option<String>,
    /// `numeric`: the record's lot lies in this part of all lots, the end excluded.
    pub share: (Ratio, Ratio),
    /// `numeric`: its bytes, the end excluded.
    pub bytes: (u64, u64),
}

impl Default for Filter {
    /// Every record matches.
    fn default() -> Self {
        Self {
            equals: Vec::new(),
            anything_but: Vec::new(),
            prefix: None,
            suffix: None,
            share: (Ratio::ZERO, Ratio::ONE),
            bytes: (0, u64::MAX),
        }
    }
}

/// Size of the state that a function returns to a mapping with tumbling windows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowState {
    /// Bytes for each window.
    pub fixed: u64,
    /// Further bytes for each record of the window.
    pub per_record: u64,
}

/// A place outside of the model that gets a document about each batch that was given up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureDestination {
    /// What it is.
    pub kind: DestinationKind,
    /// Its name.
    pub name: String,
    /// Probability that a document cannot be delivered (LAM-X-29).
    pub failure_rate: Ratio,
}

impl FailureDestination {
    /// As scenarios write it.
    pub fn label(&self) -> String {
        format!("{}.{}", self.kind.name(), self.name)
    }
}

/// What may be an on-failure destination (LAM-X-21).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DestinationKind {
    /// A standard SQS queue.
    Queue,
    /// A standard SNS topic.
    Topic,
    /// An S3 bucket, which gets the records themselves too (LAM-X-23).
    Bucket,
}

impl DestinationKind {
    /// As scenarios write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Topic => "topic",
            Self::Bucket => "bucket",
        }
    }
}

/// Records that a handler can never process, and what it does about them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Poison {
    /// Every record of these partition keys.
    pub keys: Vec<String>,
    /// A share of all records, the same ones at each attempt.
    pub share: Ratio,
    /// What the handler does.
    pub response: PoisonResponse,
}

impl Default for Poison {
    fn default() -> Self {
        Self {
            keys: Vec::new(),
            share: Ratio::ZERO,
            response: PoisonResponse::Throws,
        }
    }
}

impl Poison {
    /// True if no record is poison.
    pub const fn is_none(&self) -> bool {
        self.keys.is_empty() && self.share.numerator == 0
    }
}

/// What a handler does about records that it cannot process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PoisonResponse {
    /// It throws, and nothing of the batch has taken effect.
    Throws,
    /// It processes the other records and returns this.
    Returns {
        /// What.
        response: BatchResponse,
        /// It leaves what follows the first record that fails alone.
        stops: bool,
    },
}
