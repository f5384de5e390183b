//! What topics and their subscriptions state.

use crate::batch::ServiceError;
use crate::engine::time::SimTime;
use crate::ids::{ProducerId, QueueId, SubscriptionId, TopicId};
use crate::record::Record;

/// What a topic or a subscription states.
#[derive(Clone, Copy, Debug)]
pub enum Publishing<'f> {
    /// Something happened at a topic.
    Topic {
        /// Which.
        topic: TopicId,
        /// What.
        fact: TopicFact<'f>,
    },
    /// Something happened to copies for a subscription.
    Subscription {
        /// Which.
        subscription: SubscriptionId,
        /// Copies that wait to be delivered or are being delivered, after what the fact tells.
        undelivered: u64,
        /// What.
        fact: NotificationFact<'f>,
    },
}

/// What happened at a topic.
#[derive(Clone, Copy, Debug)]
pub enum TopicFact<'f> {
    /// It answered a Publish or PublishBatch, whose records carry their results.
    Published {
        /// Of whom.
        producer: ProducerId,
        /// All entries.
        records: &'f [Record],
        /// Entries that were answered as success and go nowhere, since they were known (SQS-S-29).
        deduplicated: u32,
        /// Payload of the request in bytes.
        bytes: u64,
    },
    /// It refused a publish whole.
    Refused {
        /// Of whom.
        producer: ProducerId,
        /// The entries.
        records: &'f [Record],
        /// How.
        error: ServiceError,
    },
}

/// What happened to copies for a subscription.
#[derive(Clone, Copy, Debug)]
pub enum NotificationFact<'f> {
    /// Its filter policy accepts them: they are to be delivered (SQS-S-01).
    Copied {
        /// The messages.
        records: &'f [Record],
    },
    /// Its filter policy does not accept them: they are not delivered (SQS-S-17).
    FilteredOut {
        /// The messages.
        records: &'f [Record],
        /// What the policy looked at.
        reason: FilterReason,
    },
    /// A standard topic will deliver these once more (SQS-S-02, SQS-Z-33).
    Duplicated {
        /// How many.
        records: u32,
    },
    /// An attempt to deliver them failed.
    AttemptFailed {
        /// How many.
        records: u32,
        /// How.
        error: DeliveryError,
        /// When they are tried again; `None`: they are not (SQS-S-09, SQS-S-10).
        again_at: Option<SimTime>,
    },
    /// The queue has answered that it took them.
    Delivered {
        /// The messages, with their arrival in the queue.
        records: &'f [Record],
        /// Number of the attempt that succeeded, from 1.
        attempt: u32,
    },
    /// They are in the subscription's dead-letter queue (SQS-S-10).
    DeadLettered {
        /// Which queue.
        to: QueueId,
        /// The messages.
        records: &'f [Record],
    },
    /// They are lost (SQS-S-10).
    Lost {
        /// The messages.
        records: &'f [Record],
        /// Why.
        reason: LossReason,
    },
    /// Another filter policy is in effect (SQS-S-14).
    PolicyChanged,
}

/// Why a message did not pass a filter policy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FilterReason {
    /// Its attributes have other values.
    MessageAttributes,
    /// It has no attributes.
    NoMessageAttributes,
    /// The fields of its body have other values.
    MessageBody,
}

/// Why an attempt to deliver failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum DeliveryError {
    /// On the side of the queue: it is tried again (SQS-S-06).
    Server(ServiceError),
    /// The queue's policy does not allow the topic to send (SQS-S-09).
    AccessDenied,
    /// The queue does not take so large a message.
    MessageTooLarge,
    /// Raw delivery carries ten attributes at most (SQS-S-05).
    TooManyAttributes,
}

impl DeliveryError {
    /// Whether it is tried again.
    pub const fn is_retried(self) -> bool {
        matches!(self, Self::Server(_))
    }
}

/// Why copies are lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LossReason {
    /// They could not be delivered, and the subscription has no dead-letter queue.
    NoDeadLetterQueue,
    /// They could not be delivered to the dead-letter queue either.
    DeadLetterQueueFailed,
}

/// In the fact of a queue that took messages of a topic: how they came.
#[derive(Clone, Copy, Debug)]
pub struct Notified<'f> {
    /// For which subscription.
    pub subscription: SubscriptionId,
    /// The queue is its dead-letter queue.
    pub redriven: bool,
    /// Two for each message, in nanoseconds: when the topic took it, and when it was first tried to deliver it.
    pub times: &'f [u64],
}

impl Notified<'_> {
    /// When the topic took each message, and when it was first tried to deliver it.
    pub fn each(&self) -> impl Iterator<Item = (SimTime, SimTime)> {
        let (pairs, _) = self.times.as_chunks::<2>();
        pairs
            .iter()
            .map(|&[published, tried]| (SimTime::from_nanos(published), SimTime::from_nanos(tried)))
    }
}
