//! The client-side rate limiter of the adaptive retry mode (KDS-SDK-14 to KDS-SDK-16).
//!
//! Integers throughout. Rates are in nanorequests per second, so half a request a second and the shares 0.7, 0.8 and
//! 0.2 are exact; products are rounded down, which is off by less than 10^-9 requests a second a step. The cube law is
//! exact to that unit too, with its K to a nanosecond.

use crate::engine::time::{SimDuration, SimTime};

/// Nanorequests per second in one request per second.
const ONE: u64 = 1_000_000_000;
/// The bucket never fills more slowly (KDS-SDK-15).
const LOWEST_RATE: u64 = ONE / 2;
/// Width of the buckets in which the client measures its rate (KDS-SDK-16).
const MEASURING_BUCKET: u64 = SimDuration::from_millis(500).as_nanos();
/// A token, in the unit in which every nanosecond adds a whole number.
const TOKEN: i128 = 1_000_000_000_000_000_000;
/// Nanoseconds in an hour: farther from K the cube is as good as infinite, and would not fit.
const LONGEST_CUBED: i128 = 3_600_000_000_000;

/// A token bucket whose rate follows what the service can take.
#[derive(Clone, Debug)]
pub(super) struct RateLimiter {
    measured: MeasuredRate,
    cube: CubeLaw,
    /// Off until the first throttling response (KDS-SDK-14).
    enabled: bool,
    /// Nanorequests per second.
    rate: u64,
    /// Level of the bucket. Below zero, places are taken that are still to fill.
    level: i128,
    updated: SimTime,
}

/// The rate at which responses come in (KDS-SDK-16).
#[derive(Clone, Debug, Default)]
struct MeasuredRate {
    count: u64,
    /// Number of the bucket that was current when the rate was last measured.
    bucket: u64,
    smoothed: u64,
}

/// The rate as a function of the time since the last throttling response (KDS-SDK-15).
#[derive(Clone, Debug, Default)]
struct CubeLaw {
    /// Rate at the last throttling response.
    most: u64,
    /// Nanoseconds after which that rate is reached again.
    plateau: u64,
    since: SimTime,
}

impl RateLimiter {
    pub(super) fn new() -> Self {
        Self {
            measured: MeasuredRate::default(),
            cube: CubeLaw::default(),
            enabled: false,
            rate: ONE,
            level: 0,
            updated: SimTime::ZERO,
        }
    }
    /// Takes a token and returns how long it takes to come in, at the present rate. Places are given in the order in
    /// which they are asked for; a later change of rate does not move those already given.
    pub(super) fn reserve(&mut self, now: SimTime) -> SimDuration {
        if !self.enabled {
            return SimDuration::ZERO;
        }
        self.refill(now);
        self.level -= TOKEN;
        let missing = u128::try_from(-self.level).unwrap_or(0);
        SimDuration::from_nanos(u64::try_from(missing.div_ceil(u128::from(self.rate))).unwrap_or(u64::MAX))
    }
    /// Adapts the rate to a response.
    pub(super) fn on_response(&mut self, now: SimTime, throttled: bool) {
        let measured = self.measured.record(now);
        let wanted = if throttled {
            let present = if self.enabled {
                measured.min(self.rate)
            } else {
                measured
            };
            self.enabled = true;
            self.cube.on_throttle(now, present)
        } else {
            self.cube.rate(now)
        };
        self.refill(now);
        let allowed = wanted.min(measured.saturating_mul(2));
        self.rate = allowed.max(LOWEST_RATE);
        self.level = self.level.min(Self::capacity(allowed));
    }
    fn refill(&mut self, now: SimTime) {
        let elapsed = now.since(self.updated).as_nanos();
        self.updated = self.updated.max(now);
        self.level = (self.level + i128::from(elapsed) * i128::from(self.rate)).min(Self::capacity(self.rate));
    }
    /// One second's worth, but at least one token.
    fn capacity(rate: u64) -> i128 {
        i128::from(rate.max(ONE)) * i128::from(ONE)
    }
}

impl MeasuredRate {
    /// Counts a response. At the first one of a new bucket the count so far becomes a rate, and enters with weight 0.8.
    fn record(&mut self, now: SimTime) -> u64 {
        self.count += 1;
        let bucket = now.as_nanos() / MEASURING_BUCKET;
        if bucket > self.bucket {
            let newest = self.count.saturating_mul(2 * ONE) / (bucket - self.bucket);
            self.smoothed = self.smoothed / 5 + newest / 5 * 4 + (self.smoothed % 5 + newest % 5 * 4) / 5;
            self.count = 0;
            self.bucket = bucket;
        }
        self.smoothed
    }
}

impl CubeLaw {
    /// Notes a throttling response at `rate`; returns the rate to go on with.
    fn on_throttle(&mut self, now: SimTime, rate: u64) -> u64 {
        self.most = rate;
        // cbrt(rate * 0.3 / 0.4 s^3), with rate in 10^-9 and the root in 10^-9 s: 10^-9 * 10^27 * 3 / 4.
        self.plateau = cube_root(u128::from(rate) * 750_000_000_000_000_000);
        self.since = now;
        rate / 10 * 7 + rate % 10 * 7 / 10
    }
    /// 0.4 (t - K)^3 + W_max.
    fn rate(&self, now: SimTime) -> u64 {
        let elapsed = i128::from(now.since(self.since).as_nanos());
        let distance = (elapsed - i128::from(self.plateau)).clamp(-LONGEST_CUBED, LONGEST_CUBED);
        // 0.4 * 10^-27 s^3 in nanorequests per second: divided by 2.5 * 10^18.
        let grown = distance * distance * distance / 2_500_000_000_000_000_000;
        u64::try_from((i128::from(self.most) + grown).max(0)).unwrap_or(u64::MAX)
    }
}

/// The cube root, rounded down.
fn cube_root(value: u128) -> u64 {
    let (mut low, mut high) = (0_u64, 1 << 42);
    while high - low > 1 {
        let middle = u64::midpoint(low, high);
        if u128::from(middle) * u128::from(middle) * u128::from(middle) <= value {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

#[cfg(test)]
#[expect(
    clippy::as_conversions,
    clippy::float_cmp,
    reason = "compares with the law in floats"
)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> SimTime {
        SimTime::from_nanos((seconds * 1e9) as u64)
    }
    fn per_second(rate: u64) -> f64 {
        rate as f64 / ONE as f64
    }
    /// A limiter that has measured about `rate` responses a second for ten seconds.
    fn warmed(rate: u32) -> RateLimiter {
        let mut limiter = RateLimiter::new();
        for response in 1..=10 * rate {
            limiter.on_response(at(f64::from(response) / f64::from(rate)), false);
        }
        limiter
    }

    #[test]
    fn cube_roots_are_exact() {
        for root in [0_u64, 1, 2, 3, 10, 999_999_999, 4_201_234_567_890] {
            let cube = u128::from(root) * u128::from(root) * u128::from(root);
            assert_eq!(cube_root(cube), root);
            if root > 0 {
                assert_eq!(cube_root(cube - 1), root - 1);
                assert_eq!(cube_root(cube + 1), root);
            }
        }
        let greatest = cube_root(u128::from(u64::MAX) * 750_000_000_000_000_000);
        assert!(greatest < 1 << 42, "the search reaches every rate");
    }

    #[test]
    fn kds_sdk_16_the_rate_is_measured_in_half_second_buckets_with_weight_0_8_for_the_newest() {
        let mut measured = MeasuredRate::default();
        let mut record = |count: u32, from: f64| {
            let mut rate = 0;
            for response in 0..count {
                rate = measured.record(at(from + 0.4 * f64::from(response) / f64::from(count)));
            }
            rate
        };
        assert_eq!(
            record(10, 0.0),
            0,
            "nothing is known before the first half second is over"
        );
        // Ten responses and the one that closes the bucket: 22 a second, with weight 0.8.
        assert_eq!(record(1, 0.5), 17_600_000_000);
        assert_eq!(record(4, 0.51), 17_600_000_000, "it stays within a bucket");
        // Five more in the next: 0.8 * 10 + 0.2 * 17.6.
        assert_eq!(record(1, 1.0), 11_520_000_000);
        // One response after two seconds: 0.8 * 0.5 + 0.2 * 11.52.
        assert_eq!(record(1, 3.0), 2_704_000_000);
    }

    #[test]
    fn kds_sdk_15_a_throttle_takes_the_rate_to_seven_tenths_of_the_lesser_of_measured_and_current() {
        let mut limiter = warmed(100);
        let measured = limiter.measured.smoothed;
        assert!((per_second(measured) - 100.0).abs() < 3.0, "{}", per_second(measured));
        limiter.on_response(at(10.1), true);
        assert_eq!(limiter.rate, measured / 10 * 7 + measured % 10 * 7 / 10);
        let current = limiter.rate;
        limiter.on_response(at(10.1), true);
        assert_eq!(
            limiter.rate,
            current / 10 * 7 + current % 10 * 7 / 10,
            "below what is measured now"
        );
    }

    #[test]
    fn kds_sdk_15_after_a_throttle_the_rate_follows_the_cube_law() {
        let mut cube = CubeLaw::default();
        for w_max in [0.8, 5.0, 100.0, 12_345.678_9, 1_000_000.0] {
            let throttled = at(3.0);
            let reduced = cube.on_throttle(throttled, (w_max * 1e9) as u64);
            assert!((per_second(reduced) - 0.7 * w_max).abs() < 1e-8);
            let k = libm::cbrt(w_max * 0.3 / 0.4);
            for share in [0.0, 0.25, 0.5, 1.0, 1.5, 2.0] {
                let elapsed = k * share;
                let distance = elapsed - k;
                let expected = 0.4 * distance * distance * distance + w_max;
                let rate = per_second(cube.rate(at(3.0 + elapsed)));
                assert!(
                    (rate / expected - 1.0).abs() < 1e-7,
                    "{rate} instead of {expected} after {elapsed} s"
                );
            }
        }
    }

    #[test]
    fn kds_sdk_15_the_rate_never_exceeds_twice_what_is_measured_and_never_falls_below_a_half() {
        let mut limiter = warmed(10);
        limiter.on_response(at(10.1), true);
        // An hour later the cube is far above anything; ten a second are measured still.
        for response in 0..200 {
            limiter.on_response(at(3_600.0 + f64::from(response) / 10.0), false);
            assert!(limiter.rate <= 2 * limiter.measured.smoothed || limiter.rate == LOWEST_RATE);
        }
        assert_eq!(limiter.rate, 2 * limiter.measured.smoothed);
        for response in 0..100 {
            limiter.on_response(at(3_700.0 + f64::from(response)), true);
            assert!(limiter.rate >= LOWEST_RATE);
        }
        assert_eq!(limiter.rate, LOWEST_RATE);
        assert_eq!(per_second(LOWEST_RATE), 0.5);
    }

    #[test]
    fn kds_sdk_14_the_limiter_is_idle_until_the_first_throttle_and_then_spaces_attempts() {
        let mut limiter = warmed(100);
        for _ in 0..1_000 {
            assert!(limiter.reserve(at(10.0)).is_zero());
        }
        limiter.on_response(at(10.0), true);
        let rate = per_second(limiter.rate);
        let waits: Vec<f64> = (0..300)
            .map(|_| limiter.reserve(at(10.0)).as_nanos() as f64 / 1e9)
            .collect();
        let burst = waits.iter().filter(|wait| **wait == 0.0).count();
        assert!(burst as f64 <= rate, "a second's worth at most may go at once");
        for pair in waits[burst..].windows(2) {
            assert!(
                (pair[1] - pair[0] - 1.0 / rate).abs() < 1e-8,
                "one after the other, at the limiter's rate"
            );
        }
    }
}
