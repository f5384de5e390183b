//! What a call of a queue by a worker or a poller carries.

use crate::batch::ServiceError;
use crate::engine::time::SimDuration;
use crate::ids::QueueConsumer;

/// A call of a queue by a worker or a poller, and its response. The receipt handles stand in [`Batch::positions`](crate::batch::Batch::positions); in a response the
/// results of a batch's entries stand on the records.
#[derive(Clone, Copy, Debug)]
pub struct QueueCall {
    /// Who calls.
    pub consumer: QueueConsumer,
    /// Number of the worker or poller.
    pub worker: u32,
    /// What is asked.
    pub action: QueueAction,
    /// In the response to a receive: it had to wait at the queue for a message. No field of AWS's: whoever polls sees how
    /// long the call took.
    pub waited: bool,
    /// In a response: the error of the whole call.
    pub error: Option<ServiceError>,
}

/// What is asked of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueAction {
    /// ReceiveMessage.
    Receive {
        /// MaxNumberOfMessages (SQS-R-01).
        max: u8,
        /// WaitTimeSeconds; `None`: what the queue is set to (SQS-R-04).
        wait: Option<SimDuration>,
        /// VisibilityTimeout; `None`: what the queue is set to (SQS-V-01).
        visibility: Option<SimDuration>,
        /// ReceiveRequestAttemptId: the same number for the same receive (SQS-X-02).
        attempt: Option<u32>,
    },
    /// DeleteMessage or DeleteMessageBatch.
    Delete,
    /// ChangeMessageVisibility or ChangeMessageVisibilityBatch.
    ChangeVisibility {
        /// From now on (SQS-V-06).
        timeout: SimDuration,
    },
}
