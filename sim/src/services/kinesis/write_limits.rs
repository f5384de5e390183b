//! The two write limits of a shard, side by side: every put asks both, so they lie in half a cache line, and what all
//! shards have in common is constant.

use super::quotas;
use crate::engine::time::SimTime;
use crate::engine::token_bucket::gcd;

/// Nanoseconds in the second that the limits are given for.
const SECOND: u64 = 1_000_000_000;
const RECORD_SHARE: u64 = gcd(quotas::SHARD_WRITE_RECORDS, SECOND);
const BYTE_SHARE: u64 = gcd(quotas::SHARD_WRITE_BYTES, SECOND);
/// Fractions of a record in one record; every nanosecond adds a whole number of them, so nothing is ever rounded.
const RECORD: u64 = SECOND / RECORD_SHARE;
const RECORD_FLOW: u64 = quotas::SHARD_WRITE_RECORDS / RECORD_SHARE;
const RECORD_CAPACITY: u64 = quotas::SHARD_WRITE_RECORDS * RECORD;
/// Fractions of a byte in one byte.
const BYTE: u64 = SECOND / BYTE_SHARE;
const BYTE_FLOW: u64 = quotas::SHARD_WRITE_BYTES / BYTE_SHARE;
/// In so many nanoseconds the largest bucket has filled for certain; more would only overflow.
const LONG: u64 = 100 * SECOND;
const _: () = assert!(
    LONG * BYTE_FLOW > quotas::SHARD_WRITE_BURST_LARGE * BYTE && LONG * RECORD_FLOW > RECORD_CAPACITY,
    "every bucket fills within the longest span that counts"
);

/// The token buckets of a shard's write limits in records (KDS-W-01) and bytes (KDS-W-02), full at first (KDS-MOD-02). What
/// is kept is what they lack of being full, since that cannot fall below nothing without any comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WriteLimits {
    records_used: u64,
    bytes_used: u64,
    byte_capacity: u64,
    updated: SimTime,
}

impl WriteLimits {
    /// Full buckets, that in bytes with this capacity.
    pub(super) const fn full(burst: u64) -> Self {
        Self {
            records_used: 0,
            bytes_used: 0,
            byte_capacity: burst * BYTE,
            updated: SimTime::ZERO,
        }
    }
    /// Whole records and bytes that are there at `now`, as long as nobody takes any.
    pub(super) fn left(&self, now: SimTime) -> (u64, u64) {
        let (records, bytes) = self.used(now);
        (
            (RECORD_CAPACITY - records) / RECORD,
            (self.byte_capacity - bytes) / BYTE,
        )
    }
    /// Takes one record, which costs so many bytes, at its instant. False if it was not there.
    #[inline]
    pub(super) fn take_one(&mut self, at: SimTime, bytes: u64) -> bool {
        self.refill(at);
        self.records_used += RECORD;
        self.bytes_used += bytes * BYTE;
        self.records_used <= RECORD_CAPACITY && self.bytes_used <= self.byte_capacity
    }
    /// Takes one record, which costs so many bytes, if both are there at `now`. False if not: then nothing is taken.
    #[inline]
    pub(super) fn take_if_held(&mut self, now: SimTime, bytes: u64) -> bool {
        let (records, bytes_used) = self.used(now);
        let (records, bytes) = (records + RECORD, bytes_used + bytes * BYTE);
        if records > RECORD_CAPACITY || bytes > self.byte_capacity {
            return false;
        }
        (self.records_used, self.bytes_used) = (records, bytes);
        self.updated = self.updated.max(now);
        true
    }
    /// Gives one record and so many bytes back, at the instant at which they were taken.
    pub(super) const fn give_back(&mut self, bytes: u64) {
        self.records_used -= RECORD;
        self.bytes_used -= bytes * BYTE;
    }
    /// Lets tokens flow in up to `now`. An earlier instant than the last changes nothing.
    #[inline]
    fn refill(&mut self, now: SimTime) {
        (self.records_used, self.bytes_used) = self.used(now);
        self.updated = self.updated.max(now);
    }
    /// What the buckets lack at `now`.
    #[inline]
    fn used(&self, now: SimTime) -> (u64, u64) {
        let elapsed = now.as_nanos().saturating_sub(self.updated.as_nanos()).min(LONG);
        (
            self.records_used.saturating_sub(elapsed * RECORD_FLOW),
            self.bytes_used.saturating_sub(elapsed * BYTE_FLOW),
        )
    }
    /// Whole records and bytes at `now`.
    #[inline]
    pub(super) fn available(&mut self, now: SimTime) -> (u64, u64) {
        self.refill(now);
        self.left(now)
    }
    /// Whether so many records, and whether so many bytes, are there at `now`.
    #[inline]
    pub(super) fn holds(&mut self, now: SimTime, records: u64, bytes: u64) -> (bool, bool) {
        self.refill(now);
        (
            records.saturating_mul(RECORD) <= RECORD_CAPACITY - self.records_used,
            bytes.saturating_mul(BYTE) <= self.byte_capacity - self.bytes_used,
        )
    }
    /// Takes what is known to be there. Panics otherwise: no bucket ever goes negative.
    #[inline]
    pub(super) fn take(&mut self, records: u64, bytes: u64) {
        self.records_used += records * RECORD;
        self.bytes_used += bytes * BYTE;
        assert!(
            self.records_used <= RECORD_CAPACITY && self.bytes_used <= self.byte_capacity,
            "a write limit was overdrawn"
        );
    }
    /// Another capacity in bytes: what is held stays, as far as there is room.
    pub(super) fn set_burst(&mut self, burst: u64, now: SimTime) {
        self.refill(now);
        let held = (self.byte_capacity - self.bytes_used) / BYTE * BYTE;
        self.byte_capacity = burst * BYTE;
        self.bytes_used = self.byte_capacity.saturating_sub(held);
    }
    /// Used shares at `now`, in parts per million: (records, bytes).
    pub(super) fn used_ppm(&mut self, now: SimTime) -> (u64, u64) {
        self.refill(now);
        let ppm = |used: u64, capacity: u64| {
            let used = u128::from(used) * 1_000_000 / u128::from(capacity.max(1));
            u64::try_from(used).unwrap_or(u64::MAX)
        };
        (
            ppm(self.records_used, RECORD_CAPACITY),
            ppm(self.bytes_used, self.byte_capacity),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimDuration;
    use crate::engine::token_bucket::TokenBucket;
    use proptest::prelude::*;

    proptest! {
        /// Side by side the limits are what two buckets of the engine are, pauses of months and steps back included.
        #[test]
        fn the_limits_are_two_exact_token_buckets(
            large in any::<bool>(),
            steps in prop::collection::vec(
                (prop_oneof![8 => 0_u64..30_000_000, 1 => 0_u64..1 << 55], 0_u64..5, 0_u64..400, 0_u64..700_000), 1..200,
            ),
        ) {
            let burst = if large { quotas::SHARD_WRITE_BURST_LARGE } else { quotas::SHARD_WRITE_BYTES };
            let mut limits = WriteLimits::full(burst);
            let mut of_records = TokenBucket::full(quotas::SHARD_WRITE_RECORDS, quotas::write_records());
            let mut of_bytes = TokenBucket::full(burst, quotas::write_bytes());
            let mut now = SimTime::ZERO;
            for (gap, back, records, bytes) in steps {
                now = now.saturating_add(SimDuration::from_nanos(gap)).saturating_sub(SimDuration::from_nanos(back));
                let held = (of_records.holds(now, records), of_bytes.holds(now, bytes));
                prop_assert_eq!(limits.holds(now, records, bytes), held);
                prop_assert_eq!(limits.available(now), (of_records.available(now), of_bytes.available(now)));
                prop_assert_eq!(limits.used_ppm(now), (of_records.used_ppm(now), of_bytes.used_ppm(now)));
                if held == (true, true) {
                    limits.take(records, bytes);
                    of_records.take(records);
                    of_bytes.take(bytes);
                }
            }
        }
    }
}
