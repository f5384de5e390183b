//! Limits of queues, with their facts.

use crate::engine::quantity::{KIB, MIB};
use crate::engine::time::SimDuration;
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

/// Longest delay of a message (SQS-A-03, SQS-L-04).
pub const LONGEST_DELAY: SimDuration = SimDuration::from_minutes(15);
/// Most messages a second that a redrive moves (SQS-M-05).
pub const MOVE_RATE: u32 = 500;
/// Redrives that run at a time in an account (SQS-M-07).
pub const MOVE_TASKS: usize = 100;
/// Longest time of a redrive (SQS-M-08).
pub const MOVE_TIME: SimDuration = SimDuration::from_hours(36);
/// A repeated receive is known by its ReceiveRequestAttemptId for so long (SQS-X-03).
pub const ATTEMPT_WINDOW: SimDuration = SimDuration::from_minutes(5);

/// Calls a second for each action that a Region grants a FIFO queue with high throughput (SQS-T-05 to SQS-T-10).
pub fn regional_calls(region: &str, profile: Profile) -> u32 {
    match (profile, region) {
        (Profile::Exam, _) => 3_000,
        (Profile::Current, "us-east-1" | "us-west-2" | "eu-west-1") => 70_000,
        (Profile::Current, "us-east-2" | "eu-central-1") => 19_000,
        (Profile::Current, "ap-south-1" | "ap-southeast-1" | "ap-southeast-2" | "ap-northeast-1") => 9_000,
        (Profile::Current, "eu-west-2" | "sa-east-1") => 4_500,
        (Profile::Current, _) => 2_400,
    }
}
