//! What may be asked of a queue's control plane, as data.

use crate::engine::time::SimDuration;
use crate::queue_blueprint::{DeduplicationScope, FifoThroughputLimit, RedrivePolicy};

/// A change to a queue beside the calls of its data plane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueOperation {
    /// `SetQueueAttributes`, in effect after a while (SQS-A-34, SQS-A-35).
    SetAttributes(Vec<QueueAttribute>),
    /// `PurgeQueue` (SQS-P-01).
    Purge,
    /// `StartMessageMoveTask`: a redrive out of this dead-letter queue (SQS-M).
    StartMove {
        /// Name of the queue that all messages go to; `None`: each goes back to where it came from (SQS-M-02, SQS-M-03).
        destination: Option<String>,
        /// `MaxNumberOfMessagesPerSecond` (SQS-M-05).
        rate: Option<u32>,
    },
    /// `CancelMessageMoveTask` (SQS-M-12).
    CancelMove,
}

/// An attribute of a queue and its new value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum QueueAttribute {
    /// `VisibilityTimeout`: of receives from then on.
    VisibilityTimeout(SimDuration),
    /// `MessageRetentionPeriod`: of stored messages too (SQS-A-36).
    MessageRetentionPeriod(SimDuration),
    /// `DelaySeconds`: of stored messages in a FIFO queue only (SQS-A-37, SQS-A-38).
    DelaySeconds(SimDuration),
    /// `ReceiveMessageWaitTimeSeconds`.
    ReceiveMessageWaitTimeSeconds(SimDuration),
    /// `MaximumMessageSize` in bytes.
    MaximumMessageSize(u32),
    /// `RedrivePolicy`; `None` removes it (SQS-A-12).
    RedrivePolicy(Option<RedrivePolicy>),
    /// `DeduplicationScope` (SQS-U-09).
    DeduplicationScope(DeduplicationScope),
    /// `FifoThroughputLimit` (SQS-T-18).
    FifoThroughputLimit(FifoThroughputLimit),
}
