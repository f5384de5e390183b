//! An exact integer token bucket.

use super::quantity::Rate;
use super::time::{SimDuration, SimTime};

/// A bucket that refills continuously and exactly: the level is kept in fractions of a token so fine that every
/// nanosecond adds a whole number of them, so no rounding ever accumulates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenBucket {
    level: u64,
    capacity: u64,
    /// Fractions in one token.
    token: u64,
    /// Fractions that flow in each nanosecond.
    flow: u64,
    updated: SimTime,
}

/// The greatest common divisor.
pub(crate) const fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl TokenBucket {
    /// A full bucket of `capacity` tokens that refills at `rate`.
    ///
    /// Panics if the capacity in fractions does not fit 64 bits (a capacity of 18 GB at whole bytes a second still does).
    pub fn full(capacity: u64, rate: Rate) -> Self {
        let per = rate.per.as_nanos();
        let common = gcd(rate.count, per).max(1);
        let token = per / common;
        let Some(capacity) = capacity.checked_mul(token) else {
            panic!("a token bucket of {capacity} tokens at {rate} is too large")
        };
        Self {
            level: capacity,
            capacity,
            token,
            flow: rate.count / common,
            updated: SimTime::ZERO,
        }
    }
    /// Lets tokens flow in up to `now`. An earlier instant than the last changes nothing.
    #[inline]
    pub fn refill(&mut self, now: SimTime) {
        if now <= self.updated {
            return;
        }
        let elapsed = (now - self.updated).as_nanos();
        self.updated = now;
        let missing = self.capacity - self.level;
        // Where the product overflows, far more has flowed in than was missing.
        self.level += elapsed
            .checked_mul(self.flow)
            .map_or(missing, |flowed| flowed.min(missing));
    }
    /// Whole tokens at `now`.
    #[inline]
    pub fn available(&mut self, now: SimTime) -> u64 {
        self.refill(now);
        self.level / self.token
    }
    /// Whether `tokens` are there at `now`.
    #[inline]
    pub fn holds(&mut self, now: SimTime, tokens: u64) -> bool {
        self.refill(now);
        tokens.checked_mul(self.token).is_some_and(|cost| cost <= self.level)
    }
    /// Takes tokens that `available` has shown to be there. Panics otherwise: the bucket never goes negative.
    #[inline]
    pub fn take(&mut self, tokens: u64) {
        let cost = tokens * self.token;
        assert!(cost <= self.level, "a token bucket was overdrawn");
        self.level -= cost;
    }
    /// Takes `tokens` at `now` if they are there.
    #[inline]
    pub fn try_take(&mut self, now: SimTime, tokens: u64) -> bool {
        let enough = self.holds(now, tokens);
        if enough {
            self.take(tokens);
        }
        enough
    }
    /// Puts tokens in, as far as there is room.
    pub const fn put_back(&mut self, tokens: u64) {
        let room = self.capacity - self.level;
        let held = tokens.saturating_mul(self.token);
        self.level += if held < room { held } else { room };
    }
    /// Empties the bucket as of `now`; it refills from there.
    pub const fn drain(&mut self, now: SimTime) {
        self.level = 0;
        self.updated = now;
    }
    /// How long after `now` until `tokens` are there; `None` if they never will be.
    pub fn time_until(&mut self, now: SimTime, tokens: u64) -> Option<SimDuration> {
        self.refill(now);
        let cost = tokens.checked_mul(self.token).filter(|&cost| cost <= self.capacity)?;
        let missing = cost.saturating_sub(self.level);
        if missing == 0 {
            return Some(SimDuration::ZERO);
        }
        (self.flow > 0).then(|| SimDuration::from_nanos(missing.div_ceil(self.flow)))
    }
    /// Share of the capacity that is used up at `now`, in parts per million.
    pub fn used_ppm(&mut self, now: SimTime) -> u64 {
        self.refill(now);
        let used = u128::from(self.capacity - self.level) * 1_000_000 / u128::from(self.capacity.max(1));
        u64::try_from(used).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mebibyte_a_second_is_exact() {
        let mut bucket = TokenBucket::full(1 << 20, Rate::per_second(1 << 20));
        bucket.take(1 << 20);
        assert_eq!(
            bucket.available(SimTime::from_nanos(953)),
            0,
            "one byte takes 953.67 ns"
        );
        assert_eq!(bucket.available(SimTime::from_nanos(954)), 1);
        assert_eq!(bucket.available(SimTime::from_nanos(999_999_999)), (1 << 20) - 1);
        assert_eq!(bucket.available(SimTime::from_secs(1)), 1 << 20);
        assert_eq!(
            bucket.available(SimTime::from_secs(2)),
            1 << 20,
            "never above the capacity"
        );
    }

    #[test]
    fn waiting_exactly_as_long_as_told_is_enough() {
        let mut bucket = TokenBucket::full(
            5,
            Rate {
                count: 3,
                per: SimDuration::from_secs(7),
            },
        );
        bucket.take(5);
        let wait = bucket.time_until(SimTime::ZERO, 2).expect("below the capacity");
        let at = SimTime::ZERO + wait;
        assert_eq!(bucket.clone().available(at.saturating_sub(SimDuration::MIN)), 1);
        assert!(bucket.try_take(at, 2));
        assert_eq!(bucket.time_until(at, 6), None);
    }

    proptest! {
        #[test]
        fn what_is_admitted_never_exceeds_capacity_plus_flow(
            capacity in 1_u64..5_000, count in 1_u64..5_000, steps in prop::collection::vec((0_u64..50_000_000, 1_u64..50), 1..300),
        ) {
            let mut bucket = TokenBucket::full(capacity, Rate::per_second(count));
            let (mut now, mut taken) = (SimTime::ZERO, 0);
            for (gap, tokens) in steps {
                now += SimDuration::from_nanos(gap);
                if bucket.try_take(now, tokens) {
                    taken += tokens;
                }
                let bound = u128::from(capacity) * 1_000_000_000 + u128::from(count) * u128::from(now.as_nanos());
                prop_assert!(u128::from(taken) * 1_000_000_000 <= bound);
            }
        }
    }
}
