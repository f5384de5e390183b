//! One shard: its range of hash keys and its life, its write limits, its read limits and its log.

use super::certain::{Certain, Untold};
use super::quotas;
use super::summed::Summed;
use super::write_limits::WriteLimits;
use crate::engine::quantity::Rate;
use crate::engine::time::{SimDuration, SimTime};
use crate::engine::token_bucket::TokenBucket;
use crate::ids::ShardIndex;
use crate::key::HashRange;
use crate::observe::fact::{ReadLimit, ShardTally};
use crate::record::Record;
use crate::services::log::{Arriving, Log};

/// How far a shard is in its life (KDS-RS-10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShardState {
    /// It is written to and read.
    Open,
    /// It was split or merged: what it holds can still be read, nothing more is stored (KDS-RS-09, KDS-R-23).
    Closed {
        /// When.
        at: SimTime,
    },
    /// All that it held has expired; it is no longer listed (KDS-RET-11).
    Expired {
        /// When.
        at: SimTime,
    },
}

/// Where a shard comes from and where it lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// Its part of the hash space.
    pub range: HashRange,
    /// `ParentShardId` and `AdjacentParentShardId` (KDS-RS-05).
    pub parents: [Option<ShardIndex>; 2],
    /// When it was opened.
    pub opened_at: SimTime,
}

/// A shard. What entries of requests are taken from comes first, then what each stored record touches, in a cache line
/// each.
#[derive(Clone, Debug)]
#[repr(C, align(64))]
pub struct Shard {
    pub(super) limits: WriteLimits,
    pub(super) summed: Summed,
    pub(super) certain: Certain,
    /// Its records.
    pub log: Log,
    /// Its number.
    pub index: ShardIndex,
    /// How far it is in its life.
    pub state: ShardState,
    allowance: Allowance,
    whole: WholeCall,
    pub(super) untold: Untold,
    /// What took its place, once it is closed.
    pub children: [Option<ShardIndex>; 2],
    /// Where it comes from.
    pub origin: Origin,
    read_calls: [SimTime; quotas::SHARD_READ_CALLS],
    reads: ReadAllowance,
    /// Shards an even number of cache lines apart would contend for a part of the cache.
    apart: [u64; 8],
}
const _: () = assert!(size_of::<Shard>() / 64 % 2 == 1, "an odd number of cache lines");

/// What a put may use of a shard. Entries of a call are decided against the tokens that the shard held at the start of
/// the call; the cost is taken once at its end (KDS-MOD-03).
#[derive(Clone, Copy, Debug, Default)]
struct Allowance {
    records: u32,
    bytes: u64,
}

/// Which write limits had no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shortage {
    /// That in records (KDS-W-01).
    pub records: bool,
    /// That in bytes (KDS-W-02).
    pub bytes: bool,
}

/// What a put leaves in a shard, while it is stored without a decision for each entry.
#[derive(Clone, Copy, Debug, Default)]
struct WholeCall {
    first_position: u64,
    bytes: u64,
    arriving: Arriving,
}

impl Shard {
    /// A new shard with full buckets (KDS-MOD-02).
    pub fn new(index: ShardIndex, origin: Origin, write_burst: u64) -> Self {
        Self {
            certain: Certain::default(),
            log: Log::new(),
            index,
            origin,
            state: ShardState::Open,
            children: [None; 2],
            limits: WriteLimits::full(write_burst),
            untold: Untold::default(),
            summed: Summed::default(),
            allowance: Allowance::default(),
            whole: WholeCall::default(),
            read_calls: [SimTime::NEVER; quotas::SHARD_READ_CALLS],
            reads: ReadAllowance::full(),
            apart: [0; 8],
        }
    }

    /// Whether it is written to.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, ShardState::Open)
    }
    /// `EndingSequenceNumber` as a position: that of the last record of a closed shard (KDS-SEQ-15). `None` while it is
    /// open; a shard that closed empty has none either.
    pub fn ending_position(&self) -> Option<u64> {
        if self.is_open() {
            return None;
        }
        self.log.next_position().checked_sub(1)
    }
    /// Whether a reader that stands at `position` has everything behind it, and nothing will follow (KDS-R-06).
    pub fn ends_at(&self, position: u64) -> bool {
        !self.is_open() && position >= self.log.next_position()
    }

    /// Begins a call that touches this shard.
    #[inline]
    pub fn begin_call(&mut self, now: SimTime) -> ShardTally {
        self.forgo();
        let (records, bytes) = self.limits.available(now);
        self.allowance = Allowance {
            records: u32::try_from(records).unwrap_or(u32::MAX),
            bytes,
        };
        ShardTally::none(self.index, self.log.next_position())
    }
    /// Decides an entry of the call in progress, whose accepted entries so far stand in its tally: both limits must have
    /// room (KDS-W-03), bytes rounded up over the sum of the call's accepted entries on this shard (KDS-MOD-03). A
    /// refused entry uses nothing (KDS-MOD-04).
    #[inline]
    pub fn admit(&self, tally: &mut ShardTally, bytes: u32) -> bool {
        let sum = tally.bytes + u64::from(bytes);
        let fits = tally.accepted < self.allowance.records && rounded(sum) <= self.allowance.bytes;
        if fits {
            tally.accepted += 1;
            tally.bytes = sum;
        } else {
            tally.throttled += 1;
            tally.out_of_records |= tally.accepted >= self.allowance.records;
            tally.out_of_bytes |= rounded(sum) > self.allowance.bytes;
        }
        fits
    }
    /// Ends the call: takes what its accepted entries cost.
    #[inline]
    pub fn end_call(&mut self, tally: &mut ShardTally) {
        tally.bytes_charged = rounded(tally.bytes);
        self.limits.take(u64::from(tally.accepted), tally.bytes_charged);
    }

    /// Begins a call all of whose entries would fit here (KDS-W-03), however they are spread over the shards; its cost
    /// is rounded up over their sum (KDS-MOD-03). False if they might not.
    #[inline]
    pub fn begin_whole(&mut self, now: SimTime, records: u64, bytes: u64) -> bool {
        self.forgo();
        if self.limits.holds(now, records, rounded(bytes)) != (true, true) {
            return false;
        }
        let Some(arriving) = self.log.arrive(now) else {
            return false;
        };
        self.whole = WholeCall {
            first_position: self.log.next_position(),
            bytes: 0,
            arriving,
        };
        true
    }
    /// Stores an entry of such a call, which has its arrival already.
    #[inline]
    pub fn store_whole(&mut self, record: &Record) {
        self.whole.bytes += u64::from(record.bytes);
        self.log.append_arriving(&mut self.whole.arriving, record);
    }
    /// Ends such a call: takes what its entries cost. `None` if there were none here.
    #[inline]
    pub fn end_whole(&mut self) -> Option<ShardTally> {
        let accepted = self.log.next_position() - self.whole.first_position;
        if accepted == 0 {
            return None;
        }
        self.log.arrived(&self.whole.arriving);
        let mut tally = ShardTally::none(self.index, self.whole.first_position);
        tally.accepted = u32::try_from(accepted).unwrap_or(u32::MAX);
        tally.bytes = self.whole.bytes;
        self.end_call(&mut tally);
        Some(tally)
    }

    /// Decides a put of one record at its own instant, and takes what it costs: its bytes are rounded up by themselves
    /// (KDS-W-16). Returns the bytes charged.
    #[inline]
    pub fn admit_single(&mut self, at: SimTime, bytes: u32) -> Result<u64, Shortage> {
        self.forgo();
        let cost = rounded(u64::from(bytes));
        match self.limits.holds(at, 1, cost) {
            (true, true) => self.limits.take(1, cost),
            (records, bytes) => {
                return Err(Shortage {
                    records: !records,
                    bytes: !bytes,
                });
            }
        }
        Ok(cost)
    }

    /// Nothing is certain any more: what is there is decided and taken at once.
    #[inline]
    fn forgo(&mut self) {
        self.settle();
        self.certain = Certain::default();
    }
    /// Lets everything expire that was stored `retention` ago or earlier.
    pub(super) fn expire(&mut self, now: SimTime, retention: SimDuration) {
        self.settle();
        self.log.expire(now, retention);
    }
    /// Forgets what lies before a position: no reader will ask for it.
    pub(super) fn forget(&mut self, position: u64) {
        self.settle();
        self.log.forget(position);
    }

    /// Decides a GetRecords (KDS-MOD-07). An admitted call must be followed by [`Self::charge_read`].
    pub fn admit_read(&mut self, now: SimTime) -> Result<(), ReadLimit> {
        let span = quotas::SHARD_READ_CALLS_SPAN;
        let recent = self
            .read_calls
            .iter()
            .filter(|&&at| at != SimTime::NEVER && at.saturating_add(span) > now)
            .count();
        if recent >= quotas::SHARD_READ_CALLS {
            return Err(ReadLimit::Calls);
        }
        if !self.reads.open(now) {
            return Err(ReadLimit::Bytes);
        }
        // The oldest of the remembered calls makes room; one that never happened counts as oldest.
        self.read_calls.sort_unstable_by_key(|&at| {
            if at == SimTime::NEVER {
                SimTime::ZERO
            } else {
                at.saturating_add(SimDuration::MIN)
            }
        });
        self.read_calls[0] = now;
        Ok(())
    }
    /// Charges an admitted read with what it returned.
    pub fn charge_read(&mut self, now: SimTime, bytes: u64) {
        self.reads.charge(now, bytes);
    }
    /// Another capacity of the write byte bucket: what it holds stays, as far as there is room.
    pub(super) fn set_write_burst(&mut self, burst: u64, now: SimTime) {
        self.forgo();
        self.limits.set_burst(burst, now);
    }
    /// Used share of the write limits at `now`, in parts per million: (records, bytes).
    pub fn write_used_ppm(&mut self, now: SimTime) -> (u64, u64) {
        self.settle();
        self.limits.used_ppm(now)
    }
}

/// Rounded up to whole KiB (KDS-W-16).
#[inline]
pub(super) const fn rounded(bytes: u64) -> u64 {
    // Of a power of two, so that nothing is divided or compared.
    (bytes + (quotas::PUT_ROUNDING - 1)) & !(quotas::PUT_ROUNDING - 1)
}
const _: () = assert!(quotas::PUT_ROUNDING.is_power_of_two(), "rounding masks bits");

/// The byte allowance of shared reads: refills at 2 MiB/s up to 2 MiB and may go negative. A call is admitted while it
/// is positive; one that returned more than 2 MiB forfeits the rest, so that a full page of 10 MiB closes the shard for
/// exactly five seconds (KDS-R-11, KDS-R-12, KDS-MOD-07).
#[derive(Clone, Debug)]
struct ReadAllowance {
    bucket: TokenBucket,
    /// Bytes owed beyond an empty bucket, being paid off since `owed_since`.
    owed: u64,
    owed_since: SimTime,
}

impl ReadAllowance {
    fn full() -> Self {
        Self {
            bucket: TokenBucket::full(quotas::SHARD_READ_BYTES, Rate::per_second(quotas::SHARD_READ_BYTES)),
            owed: 0,
            owed_since: SimTime::ZERO,
        }
    }
    /// When the debt will be paid off.
    fn open_at(&self) -> SimTime {
        let nanos = (u128::from(self.owed) * 1_000_000_000).div_ceil(u128::from(quotas::SHARD_READ_BYTES));
        self.owed_since
            .saturating_add(SimDuration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }
    /// Ends a debt that has been paid off. Returns true at the very instant of that: the allowance is zero then, and counts
    /// as open, so that the penalty is five seconds and not a nanosecond more.
    fn settle(&mut self, now: SimTime) -> bool {
        let open_at = self.open_at();
        if self.owed == 0 || now < open_at {
            return false;
        }
        // From there on the bucket fills; what it held before the debt is gone.
        self.owed = 0;
        self.bucket.drain(open_at);
        now == open_at
    }
    fn open(&mut self, now: SimTime) -> bool {
        self.settle(now) || (self.owed == 0 && self.bucket.available(now) > 0)
    }
    fn charge(&mut self, now: SimTime, bytes: u64) {
        self.settle(now);
        if self.owed > 0 {
            self.owed += bytes;
            return;
        }
        let held = if bytes > quotas::SHARD_READ_BYTES {
            0
        } else {
            self.bucket.available(now)
        };
        if bytes <= held {
            self.bucket.take(bytes);
        } else {
            self.owed = bytes - held;
            self.owed_since = now;
            self.bucket.drain(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::quantity::MIB;

    fn shard() -> Shard {
        let origin = Origin {
            range: HashRange::WHOLE,
            parents: [None; 2],
            opened_at: SimTime::ZERO,
        };
        Shard::new(ShardIndex(0), origin, MIB)
    }
    fn read(shard: &mut Shard, at: SimTime, bytes: u64) -> Result<(), ReadLimit> {
        shard.admit_read(at)?;
        shard.charge_read(at, bytes);
        Ok(())
    }

    #[test]
    fn kds_r_09_a_shard_answers_five_calls_in_any_second() {
        let mut shard = shard();
        let ms = |ms: u64| SimTime::from_nanos(ms * 1_000_000);
        for call in 0..5 {
            assert_eq!(read(&mut shard, ms(call * 100), 0), Ok(()));
        }
        assert_eq!(read(&mut shard, ms(999), 0), Err(ReadLimit::Calls));
        assert_eq!(read(&mut shard, ms(1_000), 0), Ok(()), "the first call is a second old");
        assert_eq!(
            read(&mut shard, ms(1_099), 0),
            Err(ReadLimit::Calls),
            "a refused call does not count, an admitted one does"
        );
        assert_eq!(read(&mut shard, ms(1_100), 0), Ok(()));
    }

    #[test]
    fn kds_r_11_a_full_page_closes_the_shard_for_five_seconds() {
        let mut shard = shard();
        assert_eq!(read(&mut shard, SimTime::from_secs(10), 10 * MIB), Ok(()));
        assert_eq!(
            read(&mut shard, SimTime::from_nanos(14_999_999_999), 1),
            Err(ReadLimit::Bytes)
        );
        assert_eq!(read(&mut shard, SimTime::from_secs(15), 1), Ok(()));
    }

    #[test]
    fn kds_r_12_two_mebibytes_out_of_an_empty_allowance_close_it_for_a_second() {
        let mut shard = shard();
        assert_eq!(read(&mut shard, SimTime::from_secs(1), 2 * MIB), Ok(()));
        assert_eq!(
            read(&mut shard, SimTime::from_secs(1), 1),
            Err(ReadLimit::Bytes),
            "nothing is left at this instant"
        );
        assert_eq!(
            read(&mut shard, SimTime::from_nanos(1_000_001_000), 2 * MIB),
            Ok(()),
            "a microsecond has refilled 2 bytes"
        );
        assert_eq!(
            read(&mut shard, SimTime::from_nanos(1_999_999_000), 1),
            Err(ReadLimit::Bytes)
        );
        assert_eq!(
            read(&mut shard, SimTime::from_nanos(2_000_001_000), 1),
            Ok(()),
            "a second later"
        );
    }

    /// KDS-R-10: whatever the page sizes, no reader sustains more than 2 MiB/s.
    #[test]
    fn kds_r_10_shared_reads_sustain_two_mebibytes_a_second() {
        for page in [100_000, 1_900_000, 2 * MIB, 3 * MIB, 10 * MIB] {
            let mut shard = shard();
            let mut total = 0;
            for tick in 0..1_000 {
                if read(&mut shard, SimTime::from_nanos(tick * 200_000_000), page).is_ok() {
                    total += page;
                }
            }
            assert!(total <= 2 * MIB * 200 + 12 * MIB, "{page}: {total} bytes in 200 s");
            if page < 5 * MIB {
                assert!(total >= (page * 5).min(2 * MIB) * 150, "{page}: {total} bytes in 200 s");
            }
        }
    }
}
