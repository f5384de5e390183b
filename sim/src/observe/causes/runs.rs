//! What is the same for many neighbours in a shard, kept once for all of them: how they were sent, and how they were
//! read. Forgotten as their readers pass.

use crate::engine::time::SimTime;
use std::collections::VecDeque;

/// Records at neighbouring positions.
pub(super) trait Run {
    /// Position of the first, and one past the last.
    fn span(&self) -> (u64, u64);
}

/// Runs in order of position, without overlap, not without gaps.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Runs<R> {
    runs: VecDeque<R>,
}

impl<R: Run> Runs<R> {
    pub(super) const fn new() -> Self {
        Self { runs: VecDeque::new() }
    }
    pub(super) fn last_mut(&mut self) -> Option<&mut R> {
        self.runs.back_mut()
    }
    /// Adds a run; nearly always it is the last one.
    #[inline]
    pub(super) fn insert(&mut self, run: R) {
        let first = run.span().0;
        if self.runs.back().is_none_or(|last| last.span().1 <= first) {
            return self.runs.push_back(run);
        }
        let at = self.runs.partition_point(|other| other.span().1 <= first);
        self.runs.insert(at, run);
    }
    /// Forgets what lies before a position.
    #[inline]
    pub(super) fn forget_before(&mut self, position: u64) {
        while self.runs.front().is_some_and(|run| run.span().1 <= position) {
            self.runs.pop_front();
        }
    }
    /// A look-up of positions that only rise, from this one on.
    #[inline]
    pub(super) fn from(&self, position: u64) -> Cursor<'_, R> {
        // A reader mostly asks for the oldest.
        let oldest = self.runs.front().is_some_and(|run| run.span().1 > position);
        let at = if oldest {
            0
        } else {
            self.runs.partition_point(|run| run.span().1 <= position)
        };
        Cursor { runs: &self.runs, at }
    }
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.runs.len()
    }
}

/// A look-up of rising positions.
pub(super) struct Cursor<'r, R> {
    runs: &'r VecDeque<R>,
    at: usize,
}

impl<'r, R: Run> Cursor<'r, R> {
    /// The run that a position lies in, if it lies in one, and the position up to which that holds.
    #[inline]
    pub(super) fn find(&mut self, position: u64) -> (Option<&'r R>, u64) {
        while let Some(run) = self.runs.get(self.at) {
            let (first, end) = run.span();
            if position < first {
                return (None, first);
            }
            if position < end {
                return (Some(run), end);
            }
            self.at += 1;
        }
        (None, u64::MAX)
    }
}

/// Records that were sent together. A record in no run was sent at the instant at which it was created.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SendRun {
    pub(super) first: u64,
    pub(super) end: u64,
    /// When they were first sent.
    pub(super) first_sent_at: SimTime,
    /// When they were sent in the request that was stored.
    pub(super) sent_at: SimTime,
    /// They were stored at one instant; calls of a cohort are not.
    pub(super) together: bool,
}
impl Run for SendRun {
    fn span(&self) -> (u64, u64) {
        (self.first, self.end)
    }
}

/// Records that came to the lanes with one page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct PageRun {
    pub(super) first: u64,
    pub(super) end: u64,
    /// When the page was cut from the log.
    pub(super) served_at: SimTime,
    /// When it was in the lanes.
    pub(super) gathered_at: SimTime,
}
impl Run for PageRun {
    fn span(&self) -> (u64, u64) {
        (self.first, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, end: u64) -> SendRun {
        SendRun {
            first,
            end,
            first_sent_at: SimTime::ZERO,
            sent_at: SimTime::ZERO,
            together: true,
        }
    }

    #[test]
    fn positions_are_found_in_their_run_or_in_none() {
        let mut runs = Runs::new();
        for (first, end) in [(10, 20), (30, 40), (20, 25), (26, 27)] {
            runs.insert(run(first, end));
        }
        let mut cursor = runs.from(0);
        assert_eq!(cursor.find(0), (None, 10));
        assert_eq!(cursor.find(10), (Some(&run(10, 20)), 20));
        assert_eq!(cursor.find(25), (None, 26));
        assert_eq!(cursor.find(39), (Some(&run(30, 40)), 40));
        assert_eq!(cursor.find(40), (None, u64::MAX));
        assert_eq!(runs.from(24).find(24), (Some(&run(20, 25)), 25));
        runs.forget_before(25);
        assert_eq!(runs.len(), 2);
        assert_eq!(runs.from(5).find(5), (None, 26));
    }
}
