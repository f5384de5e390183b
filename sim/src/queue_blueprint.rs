//! What queues and their workers are made from, and what the model chooses about queues.

use crate::blueprint::SdkRetry;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};

/// A queue (`[queue.NAME]`, AWS::SQS::Queue).
#[derive(Clone, PartialEq, Debug)]
pub struct QueueBlueprint {
    /// Component name.
    pub name: String,
    /// What order it keeps (SQS-A-16).
    pub fifo: Option<FifoSettings>,
    /// How long a receive hides a message (SQS-A-01).
    pub visibility_timeout: SimDuration,
    /// How long a message is kept (SQS-A-02).
    pub retention: SimDuration,
    /// How long a message is held back at first (SQS-A-03).
    pub delay: SimDuration,
    /// How long a receive waits for a message if it does not say so itself (SQS-A-04).
    pub receive_wait: SimDuration,
    /// Largest message in bytes (SQS-A-05, SQS-A-06).
    pub maximum_message_size: u32,
    /// Where messages go that were received too often.
    pub redrive: Option<RedrivePolicy>,
    /// Producers whose messages carry their key as MessageGroupId, of a standard queue, which is fair then (SQS-Q-02).
    pub grouped: Vec<String>,
    /// Producers that state more than the usual with their messages.
    pub senders: Vec<SenderBlueprint>,
}

/// What only a FIFO queue has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FifoSettings {
    /// `DeduplicationScope` (SQS-A-24).
    pub deduplication_scope: DeduplicationScope,
    /// `FifoThroughputLimit` (SQS-A-25).
    pub throughput_limit: FifoThroughputLimit,
    /// `ContentBasedDeduplication` (SQS-A-23): messages without an ID of their own get one.
    pub content_based_deduplication: bool,
    /// Calls a second for each action that the Region grants a queue with high throughput (SQS-T-05 to SQS-T-10).
    pub regional_calls: u32,
}

impl FifoSettings {
    /// High throughput is in force with one combination of the two only (SQS-A-28).
    pub fn has_high_throughput(&self) -> bool {
        self.deduplication_scope == DeduplicationScope::MessageGroup
            && self.throughput_limit == FifoThroughputLimit::PerMessageGroupId
    }
}

impl Default for FifoSettings {
    fn default() -> Self {
        Self {
            deduplication_scope: DeduplicationScope::Queue,
            throughput_limit: FifoThroughputLimit::PerQueue,
            content_based_deduplication: false,
            regional_calls: crate::services::queue::quotas::regional_calls(
                crate::blueprint::DEFAULT_REGION,
                crate::profile::Profile::Current,
            ),
        }
    }
}

/// Within what a deduplication ID is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeduplicationScope {
    /// In the whole queue (SQS-U-07).
    Queue,
    /// In its message group (SQS-U-08).
    MessageGroup,
}

/// What the quota of calls is one of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FifoThroughputLimit {
    /// The queue.
    PerQueue,
    /// Message groups: high throughput, if the deduplication scope is one of groups as well (SQS-A-28).
    PerMessageGroupId,
}

/// What a producer states with its messages to a queue.
#[derive(Clone, PartialEq, Debug)]
pub struct SenderBlueprint {
    /// Name of the producer.
    pub producer: String,
    /// `DelaySeconds` of each message, in nanoseconds; whole seconds count (SQS-L-02).
    pub delay: Option<Distribution>,
    /// `MessageDeduplicationId`, to a FIFO queue.
    pub deduplication_id: DeduplicationId,
}

/// What a producer takes for the `MessageDeduplicationId` of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeduplicationId {
    /// Something that no other message has, and that a message keeps when it is sent again.
    Message,
    /// The message's number among those of its key: only unique within its group (SQS-U-07, SQS-U-08).
    Ordinal,
    /// Something new for each attempt, so that nothing is ever a duplicate.
    Attempt,
    /// It states none (SQS-B-25).
    Absent,
}

/// `RedrivePolicy` (SQS-A-08).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RedrivePolicy {
    /// Name of the dead-letter queue.
    pub dead_letter_queue: String,
    /// Receives from this queue before a message is moved (SQS-D-01).
    pub max_receive_count: u16,
}

/// Workers that poll a queue (`[worker.NAME]`).
#[derive(Clone, PartialEq, Debug)]
pub struct FleetBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the queue.
    pub queue: String,
    /// How many of them there are; each has one request or one batch at a time.
    pub workers: u32,
    /// When they start.
    pub starts_at: SimTime,
    /// `WaitTimeSeconds` of a receive (SQS-R-04); `None`: what the queue is set to.
    pub wait_time: Option<SimDuration>,
    /// `MaxNumberOfMessages` of a receive (SQS-R-01).
    pub max_messages: u32,
    /// `VisibilityTimeout` of a receive (SQS-V-01); `None`: what the queue is set to.
    pub visibility_timeout: Option<SimDuration>,
    /// Pause after a receive that brought nothing, or failed (SQS-R-19).
    pub idle_pause: SimDuration,
    /// A receive that is repeated carries the `ReceiveRequestAttemptId` of the first attempt (SQS-X-02), of a FIFO queue.
    pub attempt_ids: bool,
    /// The SDK's retries of their calls.
    pub retry: SdkRetry,
    /// Time of the handler for one message, in nanoseconds. A batch takes the sum.
    pub per_message: Distribution,
    /// Probability that the handler fails with a message, which then is not deleted.
    pub failure_rate: Ratio,
    /// Share of the messages that no attempt succeeds with.
    pub poison_rate: Ratio,
    /// A failed message is made visible again at once, by ChangeMessageVisibility to 0 (SQS-V-07).
    pub release_failed: bool,
    /// How often a batch in progress is hidden for another visibility timeout (SQS-V-27).
    pub heartbeat: Option<SimDuration>,
    /// Probability that a worker dies in the middle of a batch.
    pub crash_rate: Ratio,
    /// How long it then takes until another worker is in its place.
    pub restart_time: SimDuration,
}

/// What AWS does not document about queues.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueModel {
    /// Servers that hold the messages of a standard queue (SQS-Z-04).
    pub servers: u32,
    /// Servers that a short poll asks (SQS-Z-05).
    pub short_poll_servers: u32,
    /// How far servers differ about the order of messages (SQS-Z-01).
    pub order_jitter: Distribution,
    /// Probability that a deleted message of a standard queue comes back once (SQS-Z-02).
    pub duplicate_rate: Ratio,
    /// Probability that a delete with an outdated handle takes effect while a later receive holds the message (SQS-Z-10).
    pub outdated_delete_rate: Ratio,
    /// Service time of every call of a queue (SQS-Z-25).
    pub service_time: Distribution,
    /// Probability that a receive has returned messages, and its answer is lost (SQS-R-18).
    pub lost_receive_rate: Ratio,
    /// After how long a change of attributes is in effect (SQS-A-34, SQS-Z-26).
    pub attribute_propagation: Distribution,
    /// After how long another MessageRetentionPeriod is in effect (SQS-A-35, SQS-Z-26).
    pub retention_propagation: Distribution,
    /// How long a purge takes (SQS-P-01, SQS-Z-27).
    pub purge_time: Distribution,
    /// Probability that a purge takes what was sent while it ran (SQS-P-04, SQS-Z-27).
    pub purge_late_loss_rate: Ratio,
    /// Messages a second that a redrive moves if it states no rate, of a standard queue (SQS-Z-24).
    pub move_rate: u32,
    /// The same of a FIFO queue.
    pub move_rate_fifo: u32,
    /// A partition of a FIFO queue that is used for more than four fifths for so long is split (SQS-Z-16).
    pub partition_growth_time: SimDuration,
    /// Partitions that are used for less than a fifth for so long are merged (SQS-Z-16).
    pub partition_shrink_time: SimDuration,
}

impl Default for QueueModel {
    fn default() -> Self {
        Self {
            servers: 10,
            short_poll_servers: 3,
            order_jitter: Distribution::Exponential { mean: 20e6 },
            duplicate_rate: Ratio::new(1, 10_000_000),
            outdated_delete_rate: Ratio::new(1, 2),
            // p99 / median = exp(2.326 sigma); 100 / 10 gives ln 10 / 2.326.
            service_time: Distribution::LogNormal {
                median: 10e6,
                sigma: 0.989_785_370_747_015_8,
            },
            lost_receive_rate: Ratio::ZERO,
            attribute_propagation: Distribution::Uniform { low: 0.0, high: 60e9 },
            retention_propagation: Distribution::Uniform { low: 0.0, high: 900e9 },
            purge_time: Distribution::Uniform { low: 0.0, high: 60e9 },
            purge_late_loss_rate: Ratio::new(1, 2),
            move_rate: 500,
            move_rate_fifo: 300,
            partition_growth_time: SimDuration::from_secs(60),
            partition_shrink_time: SimDuration::from_minutes(15),
        }
    }
}
