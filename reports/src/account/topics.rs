//! What topics and their subscriptions did.

use sim::engine::time::SimDuration;

/// What a topic did, in messages unless a name says otherwise.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicAccount {
    /// Its name.
    pub name: String,
    /// It is a FIFO topic.
    pub fifo: bool,
    /// Taken.
    pub published: u64,
    /// Bytes of these.
    pub bytes_published: u64,
    /// Answered as success and gone nowhere, since they were known.
    pub deduplicated: u64,
    /// Refused for throughput.
    pub throttled: u64,
    /// Entries refused for their size, and publishes refused whole for other reasons.
    pub refused: u64,
    /// Requests as a bill counts them: publishes, and each further 64 KiB of payload.
    pub requests: u64,
    /// Deliveries as a bill counts them.
    pub deliveries: u64,
    /// Bytes of these.
    pub bytes_delivered: u64,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionAccount>,
}

/// What became of the copies for a subscription.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionAccount {
    /// Its name.
    pub name: String,
    /// Its queue.
    pub queue: String,
    /// Accepted by its filter policy.
    pub copied: u64,
    /// Not accepted.
    pub filtered_out: u64,
    /// Made once more by a standard topic.
    pub duplicated: u64,
    /// Taken by the queue.
    pub delivered: u64,
    /// Of these, by another attempt than the first.
    pub delivered_late: u64,
    /// Attempts that failed and were repeated, each copy counted.
    pub retried: u64,
    /// Copies that the topic stopped trying to deliver.
    pub given_up: u64,
    /// In the dead-letter queue.
    pub dead_lettered: u64,
    /// Lost.
    pub lost: u64,
    /// Came into the queue after a later one of their key.
    pub out_of_order: u64,
    /// Most copies undelivered at one time.
    pub undelivered_max: u64,
    /// Undelivered at the end.
    pub undelivered: u64,
    /// Median time from the publish into the queue.
    pub delivery_p50: Option<SimDuration>,
    /// 99th percentile of it.
    pub delivery_p99: Option<SimDuration>,
}

/// Where the time of the messages went that were deleted from a queue which a topic feeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PathAccount {
    /// The queue.
    pub queue: String,
    /// Messages.
    pub messages: u64,
    /// Time of all of them from creation to delete, in nanoseconds: the sum of the legs.
    pub total_ns: u128,
    /// Key and name of each leg, and the time of all messages on it in nanoseconds.
    pub legs: Vec<(&'static str, &'static str, u128)>,
}
