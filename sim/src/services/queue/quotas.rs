//! Limits of queues, with their facts.

use crate::batch::QueueAction;
use crate::engine::quantity::{KIB, MIB, Rate};
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::profile::Profile;

/// Longest time that a receive can hide a message in all (SQS-V-09).
pub const VISIBILITY_CAP: SimDuration = SimDuration::from_hours(12);
/// Most entries of a batch, and most messages of a receive (SQS-B-01, SQS-R-01).
pub const MAX_ENTRIES: u32 = 10;
/// Receives from which on a message of a standard queue leaves the age metric (SQS-C-07).
pub const AGE_METRIC_RECEIVES: u16 = 3;
/// A second PurgeQueue within this time is refused (SQS-P-02).
pub const PURGE_INTERVAL: SimDuration = SimDuration::from_secs(60);

/// Most messages in flight (SQS-I-02, SQS-I-05, SQS-I-06, SQS-Z-31).
pub const fn in_flight_limit(profile: Profile, fifo: bool) -> u64 {
    match (profile, fifo) {
        (Profile::Exam, true) => 20_000,
        (Profile::Current, _) | (Profile::Exam, false) => 120_000,
    }
}
/// Messages that a FIFO queue looks at (SQS-I-08, SQS-I-09).
pub const fn fifo_look_ahead(profile: Profile) -> u64 {
    match profile {
        Profile::Exam => 20_000,
        Profile::Current => 120_000,
    }
}
/// Total payload of a SendMessageBatch (SQS-B-06, SQS-B-07).
pub const fn maximum_batch_size(profile: Profile) -> u64 {
    match profile {
        Profile::Exam => 256 * KIB,
        Profile::Current => MIB,
    }
}

/// Calls that a FIFO queue admits, for each action (SQS-T-01, SQS-T-05, SQS-T-10, SQS-Z-15).
#[derive(Clone, Debug)]
pub struct Throughput {
    send: TokenBucket,
    receive: TokenBucket,
    delete: TokenBucket,
}

impl Throughput {
    /// Full buckets.
    pub fn new(profile: Profile, high: bool) -> Self {
        let calls = match (high, profile) {
            (false, _) => 300,
            (true, Profile::Current) => 70_000,
            (true, Profile::Exam) => 3_000,
        };
        let bucket = || TokenBucket::full(calls, Rate::per_second(calls));
        Self {
            send: bucket(),
            receive: bucket(),
            delete: bucket(),
        }
    }
    /// Whether a send is admitted.
    pub fn admits_send(&mut self, now: SimTime) -> bool {
        self.send.try_take(now, 1)
    }
    /// Whether another call is admitted. Changes of visibility have no quota of their own.
    pub fn admits(&mut self, action: QueueAction, now: SimTime) -> bool {
        match action {
            QueueAction::Receive { .. } => self.receive.try_take(now, 1),
            QueueAction::Delete => self.delete.try_take(now, 1),
            QueueAction::ChangeVisibility { .. } => true,
        }
    }
}
