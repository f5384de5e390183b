//! How many requests a second: ten for each unit of concurrency, and the ceiling that rises with a function's traffic.

use super::quotas::{FUNCTION_SCALING_REQUEST_RATE, FUNCTION_SCALING_REQUESTS, REQUESTS_PER_CONCURRENCY};
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;

/// Ten requests a second for each unit of a concurrency (LAM-C-18, LAM-C-19, LAM-U-25).
pub(super) fn of_concurrency(concurrency: u32) -> TokenBucket {
    let requests = REQUESTS_PER_CONCURRENCY * u64::from(concurrency);
    TokenBucket::full(requests, Rate::per_second(requests))
}

/// The requests a second to which a function has grown, and by how much they may rise: to 10,000 at once, and by 1,000
/// in each second from then on (LAM-C-11, LAM-U-24). What it has grown to, it keeps.
#[derive(Clone, Debug)]
pub(super) struct RequestCeiling {
    /// Requests a second that the function has reached.
    reached: u64,
    allowance: TokenBucket,
    /// The second in progress, and its requests.
    second: u64,
    requests: u64,
}

impl RequestCeiling {
    pub(super) fn new() -> Self {
        Self {
            reached: 0,
            allowance: TokenBucket::full(FUNCTION_SCALING_REQUESTS, FUNCTION_SCALING_REQUEST_RATE),
            second: 0,
            requests: 0,
        }
    }
    /// Whether one more request is below the ceiling.
    #[inline]
    pub(super) fn has_room(&mut self, now: SimTime) -> bool {
        let second = now.since(SimTime::ZERO).as_nanos() / SimDuration::SECOND.as_nanos();
        if second != self.second {
            (self.second, self.requests) = (second, 0);
        }
        self.requests < self.reached || self.allowance.holds(now, 1)
    }
    /// Takes the room that there is.
    #[inline]
    pub(super) fn take(&mut self) {
        self.requests += 1;
        if self.requests > self.reached {
            self.allowance.take(1);
            self.reached += 1;
        }
    }
}
