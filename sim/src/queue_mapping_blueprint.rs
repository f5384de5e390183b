//! An event source mapping of a queue in the blueprint, and what the model chooses about such mappings.

use crate::blueprint::Filter;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::{SimDuration, SimTime};
use crate::services::queue_mapping::quotas;

/// An event source mapping of a queue (`[mapping.NAME]`, AWS::Lambda::EventSourceMapping).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueueMappingBlueprint {
    /// Component name. Mappings of streams and of queues share their names.
    pub name: String,
    /// Name of the queue that it polls.
    pub queue: String,
    /// Name of the function that it invokes.
    pub function: String,
    /// When it is created; zero: long before the run.
    pub created_at: SimTime,
    /// Enabled (LAM-E-13); false: it begins when an intervention switches it on.
    pub enabled: bool,
    /// Most messages in one invocation (LAM-S-10, LAM-S-11).
    pub batch_size: u32,
    /// How long a batch may gather (LAM-S-13).
    pub maximum_batching_window: SimDuration,
    /// ScalingConfig.MaximumConcurrency (LAM-Q-14); `None`: no limit of its own.
    pub maximum_concurrency: Option<u32>,
    /// FunctionResponseTypes holds ReportBatchItemFailures (LAM-Q-05).
    pub report_batch_item_failures: bool,
    /// FilterCriteria: messages that match none of these are deleted (LAM-S-30); `None`: all are wanted.
    pub filters: Option<Vec<Filter>>,
    /// ProvisionedPollerConfig; `None`: on demand.
    pub provisioned: Option<ProvisionedPollers>,
    /// MetricsConfig holds EventCount: it publishes metrics of its own (LAM-M-21).
    pub event_count_metrics: bool,
}

impl QueueMappingBlueprint {
    /// A mapping as CreateEventSourceMapping makes it.
    pub fn new(name: &str, queue: &str, function: &str) -> Self {
        Self {
            name: name.to_owned(),
            queue: queue.to_owned(),
            function: function.to_owned(),
            created_at: SimTime::ZERO,
            enabled: true,
            batch_size: quotas::BATCH_SIZE_DEFAULT,
            maximum_batching_window: SimDuration::ZERO,
            maximum_concurrency: None,
            report_batch_item_failures: false,
            filters: None,
            provisioned: None,
            event_count_metrics: false,
        }
    }
}

/// ProvisionedPollerConfig of a mapping of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProvisionedPollers {
    /// MinimumPollers (LAM-P-01).
    pub minimum: u32,
    /// MaximumPollers (LAM-P-02).
    pub maximum: u32,
}

/// What AWS does not document about mappings of queues.
#[derive(Clone, PartialEq, Debug)]
pub struct QueueMappingModel {
    /// From the moment at which a standard queue has a message for a waiting poller to the answer that brings it (SQS-Z-25).
    pub poll_time: Distribution,
    /// The same of a FIFO queue.
    pub poll_time_fifo: Distribution,
    /// What a function error adds to the reciprocal of the number of pollers (LAM-U-14). That sheet proposes to take off a
    /// constant share, after which concurrency falls with the root of the error rate, and misses the published 25 of 60 at
    /// 1 % by half if it meets the others. Taking off more where there are more pollers makes it fall with the cube root.
    pub error_backoff: Ratio,
    /// What is left of the number of pollers after ten seconds with throttles (LAM-U-15).
    pub throttle_backoff: Ratio,
    /// Growth comes at once at each full minute instead of continuously (LAM-U-12).
    pub scale_in_steps: bool,
    /// So long must less than half of the pollers be busy before their number falls (LAM-U-13).
    pub scale_down_after: SimDuration,
    /// So long without a message, and only two pollers are left (LAM-U-13).
    pub idle_after: SimDuration,
    /// Pause of a poller whose call the queue refuses (SQS-T-04).
    pub retry_pause: SimDuration,
    /// Bytes of a message in an invocation beside its body: metadata and receipt handle (LAM-U-30).
    pub payload_message_overhead: u32,
    /// So long must provisioned pollers be more than are needed before their number falls (LAM-U-19).
    pub provisioned_scale_down_after: SimDuration,
    /// The share of provisioned pollers that then goes each minute (LAM-U-19).
    pub provisioned_scale_down: Ratio,
}

impl Default for QueueMappingModel {
    fn default() -> Self {
        // What was measured from end to end less three ways of 0.5 ms: to the queue, to the poller and to the function.
        let measured = |nanos: [f64; 6]| {
            let shares = [0.0, 0.1, 0.5, 0.9, 0.99, 1.0];
            Distribution::Percentiles(shares.into_iter().zip(nanos).collect())
        };
        Self {
            poll_time: measured([10e6, 12.2e6, 14.7e6, 32.3e6, 103.5e6, 198.5e6]),
            // The published p99 of 645 ms is a cold start's.
            poll_time_fifo: measured([17.5e6, 20.4e6, 26.6e6, 59.7e6, 148.5e6, 248.5e6]),
            error_backoff: Ratio::new(3, 5_000),
            throttle_backoff: Ratio::new(4, 5),
            scale_in_steps: false,
            scale_down_after: SimDuration::from_secs(60),
            idle_after: SimDuration::from_minutes(5),
            retry_pause: SimDuration::from_millis(100),
            payload_message_overhead: 810,
            provisioned_scale_down_after: SimDuration::from_minutes(3),
            provisioned_scale_down: Ratio::new(1, 10),
        }
    }
}
