//! How far an application has come in a shard, all workers together: what the ledger of a reader compares with facts.
//!
//! Workers come and go and start again at a checkpoint, so a position may be read and processed several times. Here each
//! counts once: when it was read for the first time, and when it was done for the first time.

use crate::engine::index::to_u32;
use crate::record::Record;

/// Records that were skipped and would be processed after all if a worker started again before them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Skipped {
    pub(super) first: u64,
    pub(super) records: Vec<Record>,
}

impl Skipped {
    fn end(&self) -> u64 {
        self.first + count(self.records.len())
    }
    /// What of it lies outside `[from, until)`: before and after.
    fn without(mut self, from: u64, until: u64) -> [Self; 2] {
        let (first, end) = (self.first, self.end());
        let index = |position: u64| usize::try_from(position.clamp(first, end) - first).unwrap_or(usize::MAX);
        let after = Self {
            first: until.clamp(first, end),
            records: self.records.split_off(index(until)),
        };
        self.records.truncate(index(from));
        [self, after]
    }
}

fn count(length: usize) -> u64 {
    u64::from(to_u32(length))
}

/// Positions that expired, as first position and count.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Expired {
    /// Read before, and not done.
    pub(super) in_hand: Vec<(u64, u64)>,
    /// Never read.
    pub(super) unread: Option<(u64, u64)>,
}

/// Progress in one shard.
#[derive(Clone, Debug, Default)]
pub(super) struct Progress {
    /// Where the application began; `None` before that.
    pub(super) start: Option<u64>,
    /// After the highest position that a worker has received.
    pub(super) seen: u64,
    /// After the highest position that a record processor was given.
    pub(super) dispatched: u64,
    /// Below it everything is done, except what `skipped` lists.
    done: u64,
    skipped: Vec<Skipped>,
    /// The highest checkpoint so far.
    pub(super) checkpoint: u64,
}

impl Progress {
    /// The application settles where it begins. Only the first time counts.
    pub(super) fn begin(&mut self, position: u64) -> bool {
        if self.start.is_some() {
            return false;
        }
        self.start = Some(position);
        (self.seen, self.done, self.dispatched, self.checkpoint) = (position, position, position, position);
        true
    }
    /// A page came in; returns the first position that nobody had seen.
    pub(super) fn see(&mut self, end: u64) -> u64 {
        let before = self.seen;
        self.seen = before.max(end);
        before
    }
    /// A batch took effect; returns how many of its records had been done before.
    pub(super) fn finish(&mut self, first: u64, records: u64) -> u64 {
        let end = first + records;
        let skipped = self.remove_skipped(first, end);
        let fresh = end.saturating_sub(self.done.max(first)) + skipped;
        self.done = self.done.max(end);
        records - fresh
    }
    /// A batch was skipped: what of it was not done stays open until a checkpoint passes it.
    pub(super) fn skip(&mut self, first: u64, records: &[Record]) {
        let end = first + count(records.len());
        if end <= self.done {
            return;
        }
        let from = first.max(self.done);
        let index = usize::try_from(from - first).unwrap_or(usize::MAX).min(records.len());
        self.skipped.push(Skipped {
            first: from,
            records: records[index..].to_vec(),
        });
        self.done = end;
    }
    /// A checkpoint passes everything before `position`: what was skipped there is given up. Returns it, and whether the
    /// checkpoint is the highest so far.
    pub(super) fn pass(&mut self, position: u64) -> (Vec<Skipped>, bool) {
        let given_up = self.take_skipped(position);
        let moves = position > self.checkpoint;
        self.checkpoint = self.checkpoint.max(position);
        (given_up, moves)
    }
    /// Everything before `horizon` has expired in the stream.
    pub(super) fn expire(&mut self, horizon: u64) -> Expired {
        let mut expired = Expired::default();
        for skipped in self.take_skipped(horizon) {
            expired.in_hand.push((skipped.first, count(skipped.records.len())));
        }
        if horizon > self.done {
            let read_until = self.seen.clamp(self.done, horizon);
            if read_until > self.done {
                expired.in_hand.push((self.done, read_until - self.done));
            }
            if horizon > read_until {
                expired.unread = Some((read_until, horizon - read_until));
            }
            self.done = horizon;
        }
        self.seen = self.seen.max(horizon);
        expired
    }
    /// Records read and not done.
    pub(super) fn in_flight(&self) -> u64 {
        self.seen - self.done + self.skipped()
    }
    /// Records that were skipped and that no checkpoint has passed.
    pub(super) fn skipped(&self) -> u64 {
        self.skipped.iter().map(|skipped| count(skipped.records.len())).sum()
    }

    fn take_skipped(&mut self, before: u64) -> Vec<Skipped> {
        let (mut taken, mut kept) = (Vec::new(), Vec::new());
        for skipped in self.skipped.drain(..) {
            if skipped.first >= before {
                kept.push(skipped);
                continue;
            }
            let end = skipped.end();
            if end > before {
                let [_, after] = skipped.clone().without(skipped.first, before);
                kept.push(after);
            }
            let [head, _] = skipped.without(before, u64::MAX);
            taken.push(head);
        }
        self.skipped = kept;
        taken
    }

    /// Takes what was skipped in `[from, until)` off the list; returns how many records that were.
    fn remove_skipped(&mut self, from: u64, until: u64) -> u64 {
        let before = self.in_flight();
        let pieces = self.skipped.drain(..).flat_map(|skipped| skipped.without(from, until));
        let kept: Vec<Skipped> = pieces.filter(|piece| !piece.records.is_empty()).collect();
        self.skipped = kept;
        before - self.in_flight()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::SimTime;
    use crate::record::KeyId;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn records(count: usize) -> Vec<Record> {
        let record = Record {
            created_at: SimTime::ZERO,
            arrived_at: SimTime::ZERO,
            key: KeyId(0),
            ordinal: 0,
            bytes: 1,
            flags: 0,
        };
        vec![record; count]
    }

    #[test]
    fn what_was_skipped_may_still_be_done_until_a_checkpoint_passes_it() {
        let mut progress = Progress::default();
        assert!(progress.begin(10));
        progress.see(40);
        assert_eq!(progress.finish(10, 10), 0);
        progress.skip(20, &records(10));
        assert_eq!(progress.finish(30, 10), 0);
        assert_eq!(progress.in_flight(), 10, "the skipped ones");
        assert_eq!(progress.finish(15, 10), 5, "15..20 again, 20..25 for the first time");
        let (given_up, moves) = progress.pass(28);
        assert!(moves);
        assert_eq!(given_up.len(), 1);
        assert_eq!((given_up[0].first, given_up[0].records.len()), (25, 3));
        assert_eq!(progress.in_flight(), 2);
        let expired = progress.expire(50);
        assert_eq!((expired.in_hand, expired.unread), (vec![(28, 2)], Some((40, 10))));
        assert_eq!(progress.in_flight(), 0);
    }

    proptest! {
        /// Workers that start again anywhere below what is done: the counts are those of plain sets.
        #[test]
        fn the_counts_are_those_of_sets(steps in prop::collection::vec((0_u64..30, 1_u64..20, 0_u8..4), 1..60)) {
            let mut progress = Progress::default();
            progress.begin(0);
            let (mut seen, mut done) = (0_u64, BTreeSet::new());
            let mut reach = 0_u64;
            for (back, length, what) in steps {
                let first = reach.saturating_sub(back);
                let end = first + length;
                progress.see(end);
                seen = seen.max(end);
                match what {
                    0 => progress.skip(first, &records(usize::try_from(length).expect("small"))),
                    1 => {
                        let (given_up, _) = progress.pass(first);
                        for skipped in given_up {
                            for position in skipped.first..skipped.end() {
                                prop_assert!(done.insert(position), "given up though done");
                            }
                        }
                        continue;
                    }
                    _ => {
                        let again = progress.finish(first, length);
                        let known = (first..end).filter(|position| !done.insert(*position)).count();
                        prop_assert_eq!(usize::try_from(again), Ok(known));
                    }
                }
                reach = reach.max(end);
                let open = (0..seen).filter(|position| !done.contains(position)).count();
                prop_assert_eq!(usize::try_from(progress.in_flight()), Ok(open));
            }
        }
    }
}
