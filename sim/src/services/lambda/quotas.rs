//! Limits of Lambda, each with its fact.

use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;

/// So much of the account's quota always stays unreserved (LAM-C-07).
pub const MINIMUM_UNRESERVED_CONCURRENCY: u32 = 100;
/// New environments that a function may get at once (LAM-C-11, LAM-C-13, profile `current`).
pub const FUNCTION_SCALING_ENVIRONMENTS: u64 = 1_000;
/// How that allowance comes back (LAM-C-11, LAM-C-12, profile `current`).
pub const FUNCTION_SCALING_RATE: Rate = Rate::per_second(100);
/// By so much the requests a second of a function may rise at once (LAM-C-11, LAM-U-24, profile `current`).
pub const FUNCTION_SCALING_REQUESTS: u64 = 10_000;
/// And so fast from then on (LAM-C-11, LAM-U-24, profile `current`).
pub const FUNCTION_SCALING_REQUEST_RATE: Rate = Rate::per_second(1_000);
/// How the allowance of new environments of a whole Region comes back (LAM-C-17, profile `exam`).
pub const REGION_SCALING_RATE: Rate = Rate {
    count: 500,
    per: SimDuration::from_minutes(1),
};
/// Synchronous requests a second for each unit of concurrency (LAM-C-18, LAM-C-19).
pub const REQUESTS_PER_CONCURRENCY: u64 = 10;
/// How fast provisioned environments are allocated (LAM-V-09, LAM-U-33, profile `current`).
pub const PROVISIONING_RATE: Rate = Rate::per_second(100);
/// Longest Init of an environment on demand (LAM-R-03).
pub const INIT_LIMIT: SimDuration = SimDuration::from_secs(10);
/// Waits before the retries of an asynchronous event whose invocation failed (LAM-A-03).
pub const ASYNCHRONOUS_RETRY_WAITS: [SimDuration; 2] = [SimDuration::from_minutes(1), SimDuration::from_minutes(2)];
/// Retries of an asynchronous event by default and at most (LAM-A-02).
pub const MAXIMUM_RETRY_ATTEMPTS: u32 = 2;
/// How old an asynchronous event may become by default and at most (LAM-A-06).
pub const MAXIMUM_EVENT_AGE: SimDuration = SimDuration::from_hours(6);
/// Largest message that SNS takes (LAM-D-10).
pub const MAX_SNS_BYTES: u32 = 256 * 1_024;
/// Memory at which a function has a whole processor, in MB (LAM-C-28).
pub const MEMORY_OF_A_PROCESSOR: u32 = 1_769;

/// New environments that a Region may create at once (LAM-C-16, profile `exam`).
pub fn initial_burst(region: &str) -> u32 {
    match region {
        "us-east-1" | "us-west-2" | "eu-west-1" => 3_000,
        "ap-northeast-1" | "eu-central-1" | "us-east-2" => 1_000,
        _ => 500,
    }
}
