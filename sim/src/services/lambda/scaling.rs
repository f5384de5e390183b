//! How fast environments may become more.

use super::quotas::{FUNCTION_SCALING_ENVIRONMENTS, FUNCTION_SCALING_RATE, PROVISIONING_RATE, REGION_SCALING_RATE};
use crate::engine::index::IndexVec;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::FunctionId;
use crate::profile::Profile;

/// The allowance of new environments: one token each (LAM-U-24).
#[derive(Clone, Debug)]
pub(super) enum Scaling {
    /// 1,000 at once and 100 a second for each function by itself (LAM-C-11..13, LAM-H-05).
    PerFunction(IndexVec<FunctionId, TokenBucket>),
    /// The Region's burst at once and 500 a minute for all functions together (LAM-C-15..17, LAM-H-05).
    PerRegion {
        bucket: TokenBucket,
        /// Until then all that flows in is spoken for.
        taken_until: SimTime,
    },
}

impl Scaling {
    pub(super) fn new(profile: Profile, region_burst: u32, functions: usize) -> Self {
        match profile {
            Profile::Current => {
                let bucket = TokenBucket::full(FUNCTION_SCALING_ENVIRONMENTS, FUNCTION_SCALING_RATE);
                Self::PerFunction((0..functions).map(|_| bucket.clone()).collect())
            }
            Profile::Exam => Self::PerRegion {
                bucket: TokenBucket::full(u64::from(region_burst), REGION_SCALING_RATE),
                taken_until: SimTime::ZERO,
            },
        }
    }
    /// Takes the allowance of one new environment of the function, if there is one.
    #[inline]
    pub(super) fn try_take(&mut self, function: FunctionId, now: SimTime) -> bool {
        match self {
            Self::PerFunction(buckets) => buckets[function].try_take(now, 1),
            Self::PerRegion { bucket, .. } => bucket.try_take(now, 1),
        }
    }
    /// How long it takes from `now` to allocate so many provisioned environments. Today that has a rate of its own
    /// (LAM-V-09); formerly it took from the Region's allowance, which is empty until then (LAM-H-06).
    pub(super) fn provision(&mut self, environments: u32, now: SimTime) -> SimDuration {
        let environments = u64::from(environments);
        match self {
            Self::PerFunction(_) => time_for(environments, PROVISIONING_RATE),
            Self::PerRegion { bucket, taken_until } => {
                let at_once = bucket.available(now).min(environments);
                bucket.take(at_once);
                let rest = environments - at_once;
                if rest == 0 {
                    return SimDuration::ZERO;
                }
                *taken_until = now
                    .max(*taken_until)
                    .saturating_add(time_for(rest, REGION_SCALING_RATE));
                bucket.drain(*taken_until);
                taken_until.since(now)
            }
        }
    }
}

/// The time that a rate takes for a number of things, rounded up.
fn time_for(count: u64, rate: Rate) -> SimDuration {
    let nanos = u128::from(count) * u128::from(rate.per.as_nanos());
    SimDuration::from_nanos(u64::try_from(nanos.div_ceil(u128::from(rate.count))).unwrap_or(u64::MAX))
}
