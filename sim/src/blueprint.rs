//! The validated description of a world: plain data, no spans, no serde.
//!
//! Scenario files lower to this, property tests generate it, and `World::build` turns it into a model. References are
//! component names. Order within the vectors is irrelevant: ids follow the sorted names.

pub use crate::application_blueprint::*;
use crate::command::Intervention;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;
pub use crate::function_blueprint::{
    AsynchronousInvocation, DestinationBlueprint, DestinationService, FailingWindow, FunctionBlueprint, InvocationType,
    InvokerBlueprint, ProcessorShare, ProvisionedConcurrency,
};
pub use crate::mapping_blueprint::*;
pub use crate::model_parameters::ModelParameters;
pub use crate::producer_library::ProducerLibrary;
use crate::profile::Profile;
pub use crate::queue_blueprint::*;
pub use crate::queue_mapping_blueprint::*;
pub use crate::services::kinesis::operation::{CapacityMode, ShardLevelMetrics, StreamAccount};
pub use crate::sink_blueprint::{
    BucketBlueprint, ItemWrites, SinkBlueprint, SinkService, TableBilling, TableBlueprint,
};
pub use crate::topic_blueprint::*;
pub use crate::trace_blueprint::*;
use std::sync::Arc;

/// Everything that a run depends on.
#[derive(Clone, PartialEq, Debug)]
pub struct Blueprint {
    /// Seed of all random streams.
    pub seed: u64,
    /// Replication number: the same scenario with other random numbers.
    pub replication: u64,
    /// Which quotas hold.
    pub profile: Profile,
    /// How long the simulated run lasts.
    pub duration: SimDuration,
    /// What AWS does not document.
    pub model: ModelParameters,
    /// Concurrency quota of the account and Region (LAM-C-04).
    pub account_concurrency: u32,
    /// New environments that the functions of the Region may get at once (LAM-C-16; profile `exam`).
    pub region_burst: u32,
    /// Quotas of the account for streams.
    pub stream_account: StreamAccount,
    /// Quotas of the account for topics.
    pub topic_account: TopicAccount,
    /// Sources of records.
    pub producers: Vec<ProducerBlueprint>,
    /// Kinesis data streams.
    pub streams: Vec<StreamBlueprint>,
    /// SQS queues.
    pub queues: Vec<QueueBlueprint>,
    /// SNS topics.
    pub topics: Vec<TopicBlueprint>,
    /// Subscriptions of topics.
    pub subscriptions: Vec<SubscriptionBlueprint>,
    /// Workers that poll queues.
    pub fleets: Vec<FleetBlueprint>,
    /// Registered consumers of streams.
    pub consumers: Vec<ConsumerBlueprint>,
    /// Event source mappings of streams.
    pub mappings: Vec<MappingBlueprint>,
    /// Event source mappings of queues.
    pub queue_mappings: Vec<QueueMappingBlueprint>,
    /// Consumer applications.
    pub applications: Vec<ApplicationBlueprint>,
    /// Lambda functions.
    pub functions: Vec<FunctionBlueprint>,
    /// Direct callers of functions.
    pub invokers: Vec<InvokerBlueprint>,
    /// Downstream systems.
    pub sinks: Vec<SinkBlueprint>,
    /// What changes during the run, in any order.
    pub interventions: Vec<Intervention>,
}

/// The Region of a run that names none.
pub const DEFAULT_REGION: &str = "us-east-1";
/// The default account-wide concurrency quota (LAM-C-04).
pub const DEFAULT_ACCOUNT_CONCURRENCY: u32 = 1_000;

impl Blueprint {
    /// A world without components.
    pub fn empty(seed: u64, duration: SimDuration) -> Self {
        Self {
            seed,
            replication: 0,
            profile: Profile::Current,
            duration,
            model: ModelParameters::default(),
            account_concurrency: DEFAULT_ACCOUNT_CONCURRENCY,
            region_burst: crate::services::lambda::quotas::initial_burst(DEFAULT_REGION),
            stream_account: StreamAccount::in_region(DEFAULT_REGION, Profile::Current),
            topic_account: TopicAccount::in_region(DEFAULT_REGION),
            producers: Vec::new(),
            streams: Vec::new(),
            queues: Vec::new(),
            topics: Vec::new(),
            subscriptions: Vec::new(),
            fleets: Vec::new(),
            consumers: Vec::new(),
            mappings: Vec::new(),
            queue_mappings: Vec::new(),
            applications: Vec::new(),
            functions: Vec::new(),
            invokers: Vec::new(),
            sinks: Vec::new(),
            interventions: Vec::new(),
        }
    }
}

/// A source of records and its client (`[producer.NAME]`).
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the stream, queue or topic that it writes to: the API tells which of these.
    pub target: String,
    /// When records are created.
    pub arrivals: Arrivals,
    /// Which partition keys they have.
    pub keys: Keys,
    /// Size of the data blob in bytes (partition key not included).
    pub size: Size,
    /// Which API carries them.
    pub api: PutApi,
    /// How long the client gathers records for one PutRecords. Ignored for PutRecord.
    pub linger: SimDuration,
    /// Most records in one PutRecords (KDS-W-06: 1 to 500).
    pub max_batch_records: u32,
    /// Most bytes in one PutRecords, partition keys included (KDS-W-07).
    pub max_batch_bytes: u64,
    /// Most requests in flight at one time; further ones wait in the client.
    pub concurrency: u32,
    /// Each PutRecord names the sequence number of its key's put before, so it waits for that result (KDS-SEQ-08).
    pub sequence_number_for_ordering: bool,
    /// The SDK's retries of whole requests (KDS-SDK).
    pub retry: SdkRetry,
    /// The application's re-sending of refused entries of a PutRecords (KDS-W-14); `None`: they are given up.
    pub resend_failed: Option<Resend>,
    /// Width of the window in which single-record calls of a fast producer are handled together.
    pub call_window: SimDuration,
    /// Calls a second above which the window is used. Below, each call is its own event and nothing is approximated.
    pub call_window_threshold: Rate,
    /// The Kinesis Producer Library is the client, and what is gathered, sent and repeated is its own affair.
    pub library: Option<ProducerLibrary>,
}

/// An arrival process.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// Evenly spaced.
    Constant(Rate),
    /// Independent, exponential gaps.
    Poisson(Rate),
    /// Two-state Markov-modulated Poisson process: bursts and quiet spells of exponential length.
    Bursts {
        /// Rate during a burst.
        on: Rate,
        /// Rate between bursts.
        off: Rate,
        /// Mean length of a burst.
        mean_on: SimDuration,
        /// Mean length of a quiet spell.
        mean_off: SimDuration,
    },
    /// Poisson with a rate that follows straight lines between points in time.
    Profile {
        /// (time since the start, rate), strictly increasing in time, first at zero.
        points: Vec<(SimDuration, Rate)>,
        /// The pattern repeats with this period (a daily curve: 24 h), and a last line leads back to the first rate;
        /// `None`: the last rate stays.
        period: Option<SimDuration>,
    },
    /// Replay of recorded requests.
    Trace(Arc<Trace>),
}

impl Arrivals {
    /// The long-run mean rate as configured; `None` for a trace without requests.
    pub fn mean_rate(&self) -> Option<Rate> {
        match self {
            Self::Constant(rate) | Self::Poisson(rate) => Some(*rate),
            Self::Bursts {
                on,
                off,
                mean_on,
                mean_off,
            } => {
                let weighted = |rate: &Rate, time: &SimDuration| {
                    u128::from(rate.count) * u128::from(time.as_nanos()) * 1_000_000
                        / u128::from(rate.per.as_nanos().max(1))
                };
                mean(weighted(on, mean_on) + weighted(off, mean_off), *mean_on + *mean_off)
            }
            Self::Profile { points, period } => {
                let last = points.last()?;
                let end = period.unwrap_or(last.0).max(last.0);
                let micro = |rate: &Rate| {
                    u128::from(rate.count) * 1_000_000_000_000_000 / u128::from(rate.per.as_nanos().max(1))
                };
                let mut area = micro(&last.1) * u128::from((end.saturating_sub(last.0)).as_nanos());
                for pair in points.windows(2) {
                    let width = u128::from(pair[1].0.saturating_sub(pair[0].0).as_nanos());
                    area += u128::midpoint(micro(&pair[0].1), micro(&pair[1].1)) * width;
                }
                if end.is_zero() {
                    Some(last.1)
                } else {
                    mean(area / 1_000_000_000, end)
                }
            }
            Self::Trace(trace) => {
                let requests = match &trace.rows {
                    TraceRows::Requests { at, .. } => u64::try_from(at.len()).ok()?,
                    TraceRows::Counts { series, .. } => series
                        .iter()
                        .flat_map(|series| &series.bins)
                        .map(|&(_, _, count)| u64::from(count))
                        .sum(),
                };
                (requests > 0 && !trace.span.is_zero()).then(|| {
                    Rate {
                        count: requests,
                        per: trace.span,
                    }
                    .scaled(trace.compression)
                })
            }
        }
    }
}

/// `millionths` of an event in a span, as a rate; terms that do not fit 64 bits are halved together.
fn mean(millionths: u128, span: SimDuration) -> Option<Rate> {
    let (mut count, mut per) = (millionths, u128::from(span.as_nanos()) * 1_000_000);
    while count > u128::from(u64::MAX) || per > u128::from(u64::MAX) {
        count /= 2;
        per /= 2;
    }
    Some(Rate {
        count: u64::try_from(count).ok()?,
        per: SimDuration::from_nanos(u64::try_from(per).ok()?.max(1)),
    })
}

/// Partition keys of a producer.
#[derive(Clone, PartialEq, Debug)]
pub enum Keys {
    /// `count` keys, equally likely.
    Uniform {
        /// Number of keys.
        count: u32,
    },
    /// Key of rank r has weight 1 / r^exponent.
    Zipf {
        /// Number of keys.
        count: u32,
        /// Exponent, 0 or more.
        exponent: f64,
    },
    /// One hot key with a share of all records; the others share the rest equally.
    Hot {
        /// Share of the hot key, between 0 and 1.
        share: f64,
        /// Number of other keys.
        others: u32,
    },
    /// An explicit list.
    Weighted(Vec<WeightedKey>),
    /// The keys of the trace.
    FromTrace,
}

/// A key of an explicit list.
#[derive(Clone, PartialEq, Debug)]
pub struct WeightedKey {
    /// The partition key (KDS-REC-02: 1 to 256 characters).
    pub text: String,
    /// Relative weight.
    pub weight: f64,
    /// ExplicitHashKey, if the producer sets one (KDS-REC-10).
    pub explicit_hash_key: Option<u128>,
}

/// Sizes of data blobs.
#[derive(Clone, PartialEq, Debug)]
pub enum Size {
    /// Drawn, in bytes.
    Drawn(Distribution),
    /// From the trace's size column.
    FromTrace,
}

/// The API that a producer calls.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum PutApi {
    /// One record for each call.
    PutRecord,
    /// Up to 500 records for each call.
    PutRecords,
    /// One message for each call, to a queue.
    SendMessage,
    /// Up to ten messages for each call, to a queue (SQS-B-01).
    SendMessageBatch,
    /// One message for each call, to a topic.
    Publish,
    /// Up to ten messages for each call, to a topic (SQS-S-20).
    PublishBatch,
}

impl PutApi {
    /// Whether a call carries one record only.
    pub const fn is_single(self) -> bool {
        matches!(self, Self::PutRecord | Self::SendMessage | Self::Publish)
    }
    /// Whether it sends to a queue.
    pub const fn is_for_queues(self) -> bool {
        matches!(self, Self::SendMessage | Self::SendMessageBatch)
    }
    /// Whether it publishes to a topic.
    pub const fn is_for_topics(self) -> bool {
        matches!(self, Self::Publish | Self::PublishBatch)
    }
    /// The name that AWS prints.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Publish => "Publish",
            Self::PublishBatch => "PublishBatch",
            Self::PutRecord => "PutRecord",
            Self::PutRecords => "PutRecords",
            Self::SendMessage => "SendMessage",
            Self::SendMessageBatch => "SendMessageBatch",
        }
    }
}

/// The SDK's retries of whole requests (KDS-SDK-01..17).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SdkRetry {
    /// Which of the modes.
    pub mode: RetryMode,
    /// Attempts in all, the first included (KDS-SDK-02: 3 in standard and adaptive; KDS-SDK-10: 5 in legacy).
    pub max_attempts: u32,
    /// The timing of 2026, opt-in at AWS (KDS-SDK-05, KDS-SDK-06).
    pub timing_2026: bool,
}

impl Default for SdkRetry {
    /// The standard mode with its three attempts.
    fn default() -> Self {
        Self {
            mode: RetryMode::Standard,
            max_attempts: 3,
            timing_2026: false,
        }
    }
}

/// The SDK's retry modes (KDS-SDK-01).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum RetryMode {
    /// Every failure goes to the application at once.
    Off,
    /// Backoff with full jitter and a retry quota.
    Standard,
    /// Standard, and a client-side rate limiter after the first throttle.
    Adaptive,
    /// Five attempts, unbounded exponential backoff, no quota.
    Legacy,
    /// Standard as the SDK for Java 2.x documents it (KDS-SDK-12).
    Java,
}

impl RetryMode {
    /// The mode's default number of attempts.
    pub const fn default_attempts(self) -> u32 {
        match self {
            Self::Off => 1,
            Self::Standard | Self::Adaptive | Self::Java => 3,
            Self::Legacy => 5,
        }
    }
}

/// The application's re-sending of refused entries (KDS-W-14).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resend {
    /// How often an entry is sent again before it is given up.
    pub attempts: u32,
    /// Wait before the first re-send.
    pub backoff: SimDuration,
    /// The wait grows by this factor with each further re-send.
    pub factor: u32,
    /// But never beyond this.
    pub max_backoff: SimDuration,
    /// How the wait is randomised.
    pub jitter: Jitter,
}

impl Resend {
    /// Nothing is sent again.
    pub const NEVER: Self = Self {
        attempts: 0,
        backoff: SimDuration::ZERO,
        factor: 1,
        max_backoff: SimDuration::ZERO,
        jitter: Jitter::None,
    };
}

/// How a wait is randomised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Jitter {
    /// Not at all.
    None,
    /// Uniform between zero and the wait.
    Full,
    /// Uniform between half the wait and the wait.
    Equal,
}

/// A Kinesis data stream (`[stream.NAME]`, AWS::Kinesis::Stream).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StreamBlueprint {
    /// Component name.
    pub name: String,
    /// Open shards.
    pub shard_count: u32,
    /// Retention (KDS-RET-01: 24 h by default).
    pub retention_hours: u32,
    /// Largest record (KDS-REC-04).
    pub max_record_size_kib: u32,
    /// Capacity mode.
    pub mode: CapacityMode,
    /// Capacity of an on-demand stream asked for up front (KDS-CAP-17); zero: none.
    pub warm_throughput_mib: u32,
    /// Metrics for each shard (KDS-MET-02).
    pub shard_level_metrics: ShardLevelMetrics,
}

/// A registered consumer of a stream (`[consumer.NAME]`, AWS::Kinesis::StreamConsumer).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConsumerBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the stream that it is registered with.
    pub stream: String,
    /// It is ACTIVE when the run starts; else an intervention registers it.
    pub registered: bool,
}

/// How long a new execution environment takes, beyond its placement.
#[derive(Clone, PartialEq, Debug)]
pub enum ColdStart {
    /// Drawn from the published percentiles of `Init Duration` for a runtime (LAM-U-20).
    Published {
        /// Runtime identifier as CloudFormation spells it, for example `python3.13`.
        runtime: String,
        /// Processor architecture.
        architecture: Architecture,
        /// Packaging.
        package: Package,
        /// Constant time that the function's own dependencies add.
        extra: SimDuration,
    },
    /// A distribution of the user's own, in nanoseconds; placement is added all the same.
    Own(Distribution),
}

/// Processor architecture of a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Architecture {
    /// `x86_64`
    X86,
    /// `arm64`
    Arm64,
}

/// Packaging of a function.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Package {
    /// `Zip`
    Zip,
    /// `Image`
    Image,
}
