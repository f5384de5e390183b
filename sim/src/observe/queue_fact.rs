//! What queues and their workers state.

use crate::batch::ServiceError;
use crate::engine::time::SimTime;
use crate::ids::{FleetId, ProducerId, QueueConsumer, QueueId, QueueMappingId};
use crate::observe::queue_mapping_fact::QueueMappingFact;
use crate::observe::topic_fact::Notified;
use crate::record::Record;

/// How many messages of a queue are in which state (SQS-C-12 to SQS-C-14), after what a fact tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Depth {
    /// Available for receive, those behind a message of their group included (SQS-P-08).
    pub available: u64,
    /// In flight (SQS-I-01).
    pub in_flight: u64,
    /// Delayed.
    pub delayed: u64,
    /// Message groups with a message in flight, of a FIFO queue (SQS-C-20).
    pub groups_in_flight: u32,
    /// Enqueue timestamp of the oldest message that counts (SQS-C-06, SQS-C-07), or when another queue moved it here
    /// (SQS-C-10).
    pub oldest: Option<SimTime>,
    /// The same without noisy tenants, of a fair queue.
    pub quiet: Option<Quiet>,
}

/// What the metrics of quiet groups say (SQS-Q-17).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Quiet {
    /// Available, of quiet tenants.
    pub available: u64,
    /// In flight, of quiet tenants.
    pub in_flight: u64,
    /// Delayed, of quiet tenants.
    pub delayed: u64,
    /// Enqueue timestamp of the message of a quiet tenant that is next in line.
    pub oldest: Option<SimTime>,
    /// Tenants that are noisy.
    pub noisy: u32,
}

/// What a queue or workers state.
#[derive(Clone, Copy, Debug)]
pub enum Queueing<'f> {
    /// Something happened in a queue.
    Queue {
        /// Which.
        queue: QueueId,
        /// Its messages by state, after that.
        depth: Depth,
        /// What.
        fact: QueueFact<'f>,
    },
    /// Something happened to an event source mapping of a queue.
    Mapping {
        /// Which.
        mapping: QueueMappingId,
        /// What.
        fact: QueueMappingFact<'f>,
    },
    /// Something happened to workers of a queue.
    Fleet {
        /// Which.
        fleet: FleetId,
        /// What.
        fact: FleetFact,
    },
}

/// What happened in a queue.
#[derive(Clone, Copy, Debug)]
pub enum QueueFact<'f> {
    /// It answered a SendMessage or SendMessageBatch, whose records carry their results.
    Sent {
        /// Of whom.
        producer: ProducerId,
        /// All entries.
        records: &'f [Record],
        /// Entries that were answered as success and stored nothing (SQS-U-03).
        deduplicated: u32,
        /// Payload of the request in bytes.
        bytes: u64,
        /// How they came, if a topic delivered them.
        notified: Option<Notified<'f>>,
    },
    /// It refused a send whole, storing nothing.
    SendRefused {
        /// Of whom.
        producer: ProducerId,
        /// Entries.
        records: u32,
        /// How.
        error: ServiceError,
    },
    /// It answered a ReceiveMessage.
    Received {
        /// For whom.
        consumer: QueueConsumer,
        /// What it returned; nothing in an empty receive.
        records: &'f [Record],
        /// Of these, those that had been received from this queue before.
        again: u32,
        /// Payload in bytes.
        bytes: u64,
        /// It repeats the answer to an earlier attempt (SQS-X-02).
        repeated: bool,
        /// Messages among these that are there a second time (SQS-Z-03).
        copies: u32,
    },
    /// It refused a receive (SQS-I-03, SQS-T-04).
    ReceiveRefused {
        /// For whom.
        consumer: QueueConsumer,
        /// How.
        error: ServiceError,
    },
    /// It answered a DeleteMessage or DeleteMessageBatch.
    Deleted {
        /// For whom.
        consumer: QueueConsumer,
        /// The messages that left the queue by it.
        records: &'f [Record],
        /// Entries with a valid handle, those of messages that were gone already included (SQS-C-17).
        entries: u32,
        /// Entries refused (SQS-V-14).
        refused: u32,
        /// Messages that a server will bring back all the same (SQS-O-04).
        copies: u32,
    },
    /// It answered a ChangeMessageVisibility or ChangeMessageVisibilityBatch.
    VisibilityChanged {
        /// For whom.
        consumer: QueueConsumer,
        /// Entries that took effect.
        entries: u32,
        /// Entries refused.
        refused: u32,
    },
    /// It refused a call of another kind whole (SQS-T-04).
    CallRefused {
        /// For whom.
        consumer: QueueConsumer,
        /// How.
        error: ServiceError,
    },
    /// Messages became available: their delay or their visibility timeout was over.
    BecameAvailable {
        /// Delay over (SQS-L-01).
        delayed: u32,
        /// Visibility timeout over without a delete (SQS-L-08).
        returned: u32,
    },
    /// Messages were deleted since their retention was over (SQS-L-12).
    Expired {
        /// How many.
        messages: u32,
        /// Of these in flight.
        in_flight: u32,
    },
    /// Messages had been received too often and were moved (SQS-D-01).
    DeadLettered {
        /// Where to.
        to: QueueId,
        /// The messages.
        records: &'f [Record],
    },
    /// Messages came from a queue whose dead-letter queue this is.
    MovedHere {
        /// Where from.
        from: QueueId,
        /// How many.
        messages: u32,
    },
    /// A redrive moved messages (SQS-M).
    Redriven {
        /// Where to.
        to: QueueId,
        /// The messages.
        records: &'f [Record],
        /// Payload in bytes.
        bytes: u64,
    },
    /// Messages came from a redrive, as new ones (SQS-L-15).
    RedrivenHere {
        /// Where from.
        from: QueueId,
        /// How many.
        messages: u32,
        /// Payload in bytes.
        bytes: u64,
    },
    /// Something happened in its control plane.
    Changed {
        /// What.
        change: QueueChange,
    },
    /// PurgeQueue removed messages (SQS-L-13).
    Purged {
        /// How many.
        messages: u64,
    },
}

/// What happened in the control plane of a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum QueueChange {
    /// An operation was refused.
    Refused {
        /// How.
        error: ServiceError,
    },
    /// Attributes are in effect everywhere (SQS-A-34).
    InEffect {
        /// How many.
        attributes: u32,
    },
    /// A purge has begun (SQS-P-01).
    PurgeStarted,
    /// A redrive is RUNNING (SQS-M-11).
    MoveStarted {
        /// ApproximateNumberOfMessagesToMove (SQS-M-21).
        to_move: u64,
    },
    /// It is CANCELLING (SQS-M-13).
    MoveCancelling {
        /// ApproximateNumberOfMessagesMoved so far.
        moved: u64,
    },
    /// It has ended.
    MoveEnded {
        /// How.
        end: MoveEnd,
        /// ApproximateNumberOfMessagesMoved.
        moved: u64,
    },
}

/// How a redrive ended (SQS-M-11).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MoveEnd {
    /// Nothing is left of what it could move.
    Completed,
    /// It was cancelled.
    Cancelled,
    /// It ran for longer than it may (SQS-M-08).
    Failed,
}

/// What happened to workers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FleetFact {
    /// A worker began to process what a receive had brought.
    Began {
        /// Messages.
        messages: u32,
        /// Workers that process, this one included.
        busy: u32,
    },
    /// A worker ended a batch.
    Ended {
        /// Messages processed well.
        succeeded: u32,
        /// Messages that the handler failed with.
        failed: u32,
        /// Of these, those that no attempt succeeds with.
        poison: u32,
        /// Workers that still process.
        busy: u32,
    },
    /// A worker died in the middle of a batch.
    Crashed {
        /// Messages in its hands.
        messages: u32,
        /// Workers that still process.
        busy: u32,
    },
}
