//! Which records of a shard are done: the checkpoint is the lowest one that is not (LAM-U-02).

use super::lane::Positions;
use std::collections::VecDeque;

/// Done and open positions of a shard, from the checkpoint on. One bit a record, and none where batches end in order.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    checkpoint: u64,
    /// Bit i of word w stands for position `base + 64 w + i`; `base` is a multiple of 64 at or below the checkpoint.
    base: u64,
    words: VecDeque<u64>,
}

impl Progress {
    pub(super) const fn starting_at(position: u64) -> Self {
        Self {
            checkpoint: position,
            base: position & !63,
            words: VecDeque::new(),
        }
    }
    pub(super) const fn checkpoint(&self) -> u64 {
        self.checkpoint
    }
    /// Notes positions as done and returns true if the checkpoint moved.
    pub(super) fn done(&mut self, positions: &Positions) -> bool {
        let before = self.checkpoint;
        match positions {
            // In order and nothing done beyond it: no bits are needed.
            Positions::Run { first, count } if *first == before && self.words.iter().all(|&word| word == 0) => {
                self.checkpoint += count;
                self.words.clear();
                self.base = self.checkpoint & !63;
            }
            Positions::Run { first, count } => (*first..first + count).for_each(|position| self.mark(position)),
            Positions::List(list) => list.iter().for_each(|&position| self.mark(position)),
        }
        self.advance();
        self.checkpoint > before
    }
    fn mark(&mut self, position: u64) {
        if position < self.checkpoint {
            return;
        }
        let offset = position - self.base;
        let word = usize::try_from(offset / 64).unwrap_or(usize::MAX);
        while self.words.len() <= word {
            self.words.push_back(0);
        }
        self.words[word] |= 1 << (offset % 64);
    }
    fn advance(&mut self) {
        while let Some(&word) = self.words.front() {
            let from = self.checkpoint - self.base;
            let run = u64::from((!(word >> from)).trailing_zeros()).min(64 - from);
            self.checkpoint += run;
            if from + run < 64 {
                return;
            }
            self.words.pop_front();
            self.base += 64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_checkpoint_is_the_lowest_position_that_is_not_done(
            start in 0_u64..200, runs in prop::collection::vec((0_u64..300, 1_u64..100, any::<bool>()), 1..40),
        ) {
            let mut progress = Progress::starting_at(start);
            let mut done = std::collections::BTreeSet::new();
            for (offset, count, listed) in runs {
                let first = start + offset;
                let positions = if listed { Positions::List((first..first + count).collect()) } else { Positions::Run { first, count } };
                let before = progress.checkpoint();
                let moved = progress.done(&positions);
                done.extend(first..first + count);
                let mut positions = start..=start + 400;
                let expected = positions.find(|position| !done.contains(position)).expect("all lie below");
                prop_assert_eq!(progress.checkpoint(), expected);
                prop_assert_eq!(moved, expected > before);
            }
        }
    }
}
