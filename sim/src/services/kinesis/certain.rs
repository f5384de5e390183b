//! What a shard stores without deciding it, since its limits are certain to admit it.
//!
//! What is certain is known beforehand, whatever the order in which records come; what they have cost is taken from the
//! limits afterwards, in the order in which they lie in the log and each at its instant.

use super::quotas;
use super::shard::{Shard, rounded};
use super::write_limits::WriteLimits;
use crate::engine::time::SimTime;
use crate::observe::fact::ShardTally;
use crate::record::Record;

/// Whole records and, as the limit counts them, whole KiB, side by side in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Units(u64);

impl Units {
    const HALF: u32 = 32;

    /// So many of each, or as many as there is place for.
    fn new(records: u64, kib: u64) -> Self {
        let half = |count: u64| count.min(0x3fff_ffff);
        Self(half(records) << Self::HALF | half(kib))
    }
    /// What a put of one record takes: its bytes are rounded up by themselves (KDS-W-16).
    #[inline]
    pub(super) fn of_record(bytes: u32) -> Self {
        Self(1 << Self::HALF | u64::from(bytes).div_ceil(quotas::PUT_ROUNDING))
    }
}

/// What a shard's limits have for certain, whatever the instant, and what has been stored on that.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Certain {
    /// What is there for certain. Where more was set aside, one of the halves is negative.
    left: Units,
    /// Records that were stored and have not been taken from the limits yet.
    owed: u32,
}

impl Certain {
    const SIGNS: u64 = 1 << 63 | 1 << 31;

    /// Sets something aside. False if it is not certain to be there: then it has to be put back.
    #[inline]
    pub(super) const fn set_aside(&mut self, units: Units) -> bool {
        self.left.0 = self.left.0.wrapping_sub(units.0);
        self.left.0 & Self::SIGNS == 0
    }
    /// Puts back what was set aside.
    #[inline]
    pub(super) const fn put_back(&mut self, units: Units) {
        self.left.0 = self.left.0.wrapping_add(units.0);
    }
    /// A record was stored on what has been set aside for it. It is taken later, at its instant all the same.
    #[inline]
    pub(super) const fn owe(&mut self) {
        self.owed += 1;
    }
    /// Records that were stored and not taken.
    #[inline]
    pub(super) const fn owed(&self) -> u32 {
        self.owed
    }
    /// What is there, if nothing is owed.
    fn of(limits: &WriteLimits, now: SimTime) -> Self {
        let (records, bytes) = limits.left(now);
        Self {
            left: Units::new(records, bytes / quotas::PUT_ROUNDING),
            owed: 0,
        }
    }
    /// They have been taken.
    pub(super) const fn paid(&mut self) {
        self.owed = 0;
    }
}

/// What was stored of cohorts and nobody was told yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Untold {
    records: u64,
    bytes: u64,
    bytes_charged: u64,
    least: u32,
    most: u32,
}

impl Default for Untold {
    fn default() -> Self {
        Self {
            records: 0,
            bytes: 0,
            bytes_charged: 0,
            least: u32::MAX,
            most: 0,
        }
    }
}

impl Shard {
    /// Sets aside what a put of one record takes, whenever it comes. False if that is not certain to be there; then it has
    /// to be put back.
    #[inline]
    pub(super) const fn set_aside(&mut self, units: Units) -> bool {
        self.certain.set_aside(units)
    }
    /// Puts back what was set aside.
    #[inline]
    pub(super) const fn put_back(&mut self, units: Units) {
        self.certain.put_back(units);
    }
    /// Finds out what is certain to be there from `now` on.
    pub(super) fn ascertain(&mut self, now: SimTime) {
        self.settle();
        self.certain = Certain::of(&self.limits, now);
    }
    /// Stores a record, for which has been set aside what it takes, before those that arrive later.
    #[inline]
    pub(super) fn store_certain(&mut self, record: &Record) {
        self.certain.owe();
        self.log.insert(record);
    }
    /// Takes what records stored so have cost, each at its instant. Nobody looks at the limits before that.
    #[inline]
    pub(super) fn settle(&mut self) {
        if self.certain.owed() > 0 {
            self.take_owed();
        }
    }
    #[inline(never)]
    fn take_owed(&mut self) {
        let (mut limits, mut left, mut held) = (self.limits.clone(), self.certain.owed(), true);
        let mut untold = self.untold;
        self.log.each_of_last(left, |at, bytes| {
            let charged = rounded(u64::from(bytes));
            held &= limits.take_one(at, charged);
            left -= 1;
            untold.bytes += u64::from(bytes);
            untold.bytes_charged += charged;
            untold.least = untold.least.min(bytes);
            untold.most = untold.most.max(bytes);
        });
        untold.records += u64::from(self.certain.owed());
        self.untold = untold;
        assert!(held, "a write limit was overdrawn");
        assert_eq!(left, 0, "a record was forgotten before its cost was taken");
        self.limits = limits;
        self.certain.paid();
    }
    /// What it has stored of cohorts, or of requests that are told as sums, since it was asked last, if that is anything. A
    /// stream sums up only one kind.
    pub(super) fn tell(&mut self) -> Option<ShardTally> {
        if let Some(tally) = self.tell_summed() {
            return Some(tally);
        }
        self.settle();
        let Untold {
            records,
            bytes,
            bytes_charged,
            least,
            most,
        } = core::mem::take(&mut self.untold);
        (records > 0).then(|| ShardTally {
            accepted: u32::try_from(records).unwrap_or(u32::MAX),
            bytes,
            bytes_charged,
            singles: Some((least, most)),
            ..ShardTally::none(self.index, self.log.next_position() - records)
        })
    }
}
