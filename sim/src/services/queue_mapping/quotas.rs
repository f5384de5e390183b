//! Limits of event source mappings for queues, each with its fact.

use crate::engine::time::SimDuration;
use crate::profile::Profile;

/// BatchSize by default (LAM-S-10, LAM-S-11).
pub const BATCH_SIZE_DEFAULT: u32 = 10;
/// Largest BatchSize of a standard queue (LAM-S-10).
pub const BATCH_SIZE_MAX: u32 = 10_000;
/// Largest BatchSize of a FIFO queue (LAM-S-11), and of a standard queue without a window (LAM-S-12).
pub const BATCH_SIZE_MAX_AT_ONCE: u32 = 10;
/// Most messages of a receive and entries of a delete (LAM-U-16, SQS-R-01, SQS-B-01).
pub const RECEIVE_MAX: u32 = 10;
/// WaitTimeSeconds of the pollers (LAM-U-16).
pub const LONG_POLL: SimDuration = SimDuration::from_secs(20);
/// Concurrent batches in the beginning (LAM-S-02).
pub const POLLERS_AT_START: u32 = 5;
/// To so few their number is reduced (LAM-S-07).
pub const POLLERS_MIN: u32 = 2;
/// Least and greatest MaximumConcurrency (LAM-Q-14).
pub const MAXIMUM_CONCURRENCY: (u32, u32) = (2, 1_000);
/// Least and greatest MinimumPollers (LAM-P-01).
pub const MINIMUM_POLLERS: (u32, u32) = (2, 200);
/// Greatest MaximumPollers (LAM-P-02).
pub const MAXIMUM_POLLERS_MAX: u32 = 10_000;
/// MaximumPollers by default (LAM-P-02).
pub const MAXIMUM_POLLERS_DEFAULT: u32 = 200;
/// Concurrent invocations of a provisioned poller (LAM-P-04).
pub const INVOCATIONS_OF_A_POLLER: u32 = 10;
/// Calls of the queue of a provisioned poller in a second (LAM-P-04).
pub const CALLS_OF_A_POLLER: u64 = 10;
/// Bytes of a provisioned poller in a second (LAM-P-04).
pub const BYTES_OF_A_POLLER: u64 = 1_024 * 1_024;
/// Pollers that provisioned mode adds in a minute: 1,000 concurrent invocations (LAM-P-05, LAM-U-19).
pub const POLLERS_ADDED_IN_A_MINUTE: u64 = 100;
/// How often provisioned mode looks at its pollers, in seconds (LAM-U-19).
pub const PROVISIONED_LOOKS_EVERY: u64 = 5;
/// A throttled batch is let go so long before its visibility timeout is over (LAM-U-15).
pub const LET_GO_BEFORE: SimDuration = SimDuration::from_secs(1);
/// How long a throttle keeps the number of pollers from growing, and until it takes off more (LAM-U-15).
pub const THROTTLE_INTERVAL: SimDuration = SimDuration::from_secs(10);
/// What the profile `exam` adds to window and function timeout for the visibility timeout (LAM-S-25).
pub const VISIBILITY_MARGIN: SimDuration = SimDuration::from_secs(30);

/// Most concurrent batches of a mapping (LAM-S-05, LAM-S-06, LAM-H-02).
pub const fn ceiling(profile: Profile) -> u32 {
    match profile {
        Profile::Exam => 1_000,
        Profile::Current => 1_250,
    }
}
/// Concurrent batches that a mapping may add in a minute (LAM-S-03, LAM-S-04, LAM-H-01).
pub const fn growth_in_a_minute(profile: Profile) -> u32 {
    match profile {
        Profile::Exam => 60,
        Profile::Current => 300,
    }
}
