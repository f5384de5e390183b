//! What queues and their workers are made from, and what the model chooses about queues.

use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};

/// A queue (`[queue.NAME]`, AWS::SQS::Queue).
#[derive(Clone, PartialEq, Eq, Debug)]
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
}

/// What only a FIFO queue has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FifoSettings {
    /// `FifoThroughputLimit = perMessageGroupId` (SQS-A-28).
    pub high_throughput: bool,
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
        }
    }
}
