//! The fullest moment of a limit.

use super::ShardUse;
use crate::engine::time::{SimDuration, SimTime};
use crate::observe::fact::ShardTally;

/// How far a limit was used at most. A limit may change during a run; the fullest moment is that of the largest share.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Peak {
    /// Use at the fullest moment, and the limit then.
    pub(super) used: u64,
    pub(super) limit: u64,
    /// When the limit was first reached, or something was first refused for it.
    pub(super) hit_at: Option<SimTime>,
    /// How often it was looked at, and how often it was at its limit then.
    pub(super) uses: u64,
    pub(super) at_limit: u64,
}

impl Peak {
    pub(super) const fn of(limit: u64) -> Self {
        Self {
            used: 0,
            limit,
            hit_at: None,
            uses: 0,
            at_limit: 0,
        }
    }
    /// Notes a use against a limit that never changes.
    #[inline]
    pub(super) fn note(&mut self, now: SimTime, used: u64, refused: bool) {
        self.used = self.used.max(used);
        self.count(now, refused || used >= self.limit);
    }
    /// Notes a use against the limit of the moment.
    pub(super) fn note_of(&mut self, now: SimTime, used: u64, limit: u64, refused: bool) {
        let share = |used: u64, limit: u64| u128::from(used) * u128::from(limit);
        if self.uses == 0 || share(used, self.limit) > share(self.used, limit) {
            (self.used, self.limit) = (used, limit);
        }
        self.count(now, refused || used >= limit);
    }
    #[inline]
    fn count(&mut self, now: SimTime, at_limit: bool) {
        self.uses += 1;
        if at_limit {
            self.hit(now);
        }
    }
    /// One of the uses was at the limit.
    pub(super) fn hit(&mut self, now: SimTime) {
        self.at_limit += 1;
        self.hit_at.get_or_insert(now);
    }
}

/// What puts use of a shard's two write limits in whole seconds. A put may touch hundreds of shards, so it is one cache
/// line. Puts come in order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(align(64))]
pub(super) struct Writes {
    second: u64,
    records: u64,
    bytes: u64,
    /// The most of any second so far.
    pub(super) most_records: u64,
    pub(super) most_bytes: u64,
    pub(super) puts: u64,
}
const _: () = assert!(size_of::<Writes>() == 64, "one cache line");

impl Writes {
    /// What the second has used so far.
    pub(super) fn of_second(&self, now: SimTime) -> (u64, u64) {
        if now.as_nanos() / SimDuration::SECOND.as_nanos() == self.second {
            (self.records, self.bytes)
        } else {
            (0, 0)
        }
    }
    /// Adds a put, and returns what its second has used so far.
    #[inline]
    pub(super) fn add(&mut self, now: SimTime, records: u64, bytes: u64) -> (u64, u64) {
        let second = now.as_nanos() / SimDuration::SECOND.as_nanos();
        if second > self.second {
            (self.second, self.records, self.bytes) = (second, 0, 0);
        }
        self.records += records;
        self.bytes += bytes;
        self.most_records = self.most_records.max(self.records);
        self.most_bytes = self.most_bytes.max(self.bytes);
        self.puts += 1;
        (self.records, self.bytes)
    }
}

impl ShardUse {
    /// Many puts at once. How many of them are told at once says nothing, so a second that reaches the limit counts once, from
    /// its begin on, if nothing is refused.
    pub(super) fn put_together(&mut self, now: SimTime, tally: &ShardTally) {
        let before = self.writes.of_second(now);
        let after = self.writes.add(now, u64::from(tally.accepted), tally.bytes_charged);
        self.writes.puts += u64::from(tally.puts()).saturating_sub(1);
        let second = now.saturating_sub(SimDuration::from_nanos(now.as_nanos() % SimDuration::SECOND.as_nanos()));
        let refused = [tally.out_of_records, tally.out_of_bytes];
        let sums = [(before.0, after.0), (before.1, after.1)];
        for ((peak, refused), (before, after)) in self.peaks.iter_mut().zip(refused).zip(sums) {
            if refused {
                peak.hit(now);
            } else if before < peak.limit && after >= peak.limit {
                peak.hit(second);
            }
        }
    }
}

/// Sums over whole seconds, of amounts that come nearly in order of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct PerSecond {
    second: u64,
    current: u64,
    before: u64,
}

impl PerSecond {
    /// Adds an amount, and returns the sum of its second so far. An amount that is late by more than a second counts in
    /// the one before the current.
    #[inline]
    pub(super) fn add(&mut self, at: SimTime, amount: u64) -> u64 {
        let second = at.as_nanos() / SimDuration::SECOND.as_nanos();
        if second < self.second {
            self.before += amount;
            return self.before;
        }
        if second > self.second {
            let follows = second == self.second + 1;
            self.before = if follows { self.current } else { 0 };
            (self.second, self.current) = (second, 0);
        }
        self.current += amount;
        self.current
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_are_summed_by_whole_second_and_the_fullest_is_kept() {
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let mut writes = Writes::default();
        assert_eq!(writes.add(at(1_000), 3, 70), (3, 70));
        assert_eq!(writes.add(at(1_999), 4, 10), (7, 80));
        assert_eq!(writes.add(at(2_000), 5, 90), (5, 90));
        assert_eq!((writes.most_records, writes.most_bytes, writes.puts), (7, 90, 3));
    }

    #[test]
    fn amounts_are_summed_by_whole_second() {
        let at = |millis: u64| SimTime::from_nanos(millis * 1_000_000);
        let mut sums = PerSecond::default();
        assert_eq!(sums.add(at(1_900), 3), 3);
        assert_eq!(sums.add(at(2_000), 5), 5);
        assert_eq!(sums.add(at(1_999), 4), 7);
        assert_eq!(sums.add(at(2_999), 1), 6);
        assert_eq!(sums.add(at(5_000), 1), 1);
        assert_eq!(sums.add(at(4_000), 1), 1);
    }

    #[test]
    fn the_fullest_moment_is_that_of_the_largest_share() {
        let mut peak = Peak::of(10);
        peak.note_of(SimTime::from_secs(1), 8, 10, false);
        peak.note_of(SimTime::from_secs(2), 3, 3, false);
        peak.note_of(SimTime::from_secs(3), 9, 10, true);
        assert_eq!((peak.used, peak.limit), (3, 3));
        assert_eq!(
            (peak.hit_at, peak.uses, peak.at_limit),
            (Some(SimTime::from_secs(2)), 3, 2)
        );
    }
}
