//! The set of a log's positions that a reader is done with: a watermark and a bit for each position beyond it.

use std::collections::VecDeque;

/// A set of positions of one shard that mostly grows at its lower end. Memory: one bit for each position between the
/// lowest missing and the highest present one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Positions {
    /// All positions below (and at or above the start) are in the set.
    base: u64,
    /// Bits of the positions `base ..`, 64 in a word.
    words: VecDeque<u64>,
    /// Members beyond `base`, counted.
    beyond: u64,
    /// Members below `base`.
    below: u64,
}

const WORD: u64 = 64;

impl Positions {
    /// The empty set of positions from `start` on.
    pub const fn new(start: u64) -> Self {
        Self {
            base: start,
            words: VecDeque::new(),
            beyond: 0,
            below: 0,
        }
    }
    /// Number of members.
    pub const fn len(&self) -> u64 {
        self.below + self.beyond
    }
    /// True if there is no member.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Adds one position; false if it is there already (or below the start).
    #[inline]
    pub fn insert(&mut self, position: u64) -> bool {
        let Some(offset) = position.checked_sub(self.base) else {
            return false;
        };
        if offset == 0 && self.words.is_empty() {
            self.base += 1;
            self.below += 1;
            return true;
        }
        let (word, bit) = split(offset);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let mask = 1_u64 << bit;
        let word = &mut self.words[word];
        if *word & mask != 0 {
            return false;
        }
        *word |= mask;
        self.beyond += 1;
        if offset == 0 || self.words.front() == Some(&u64::MAX) {
            self.advance();
        }
        true
    }
    /// Adds `count` consecutive positions and returns how many of them were new.
    pub fn insert_run(&mut self, first: u64, count: u64) -> u64 {
        if first == self.base && self.words.is_empty() {
            self.base += count;
            self.below += count;
            return count;
        }
        let end = first + count;
        let mut at = first.max(self.base);
        let before = self.beyond;
        if at >= end {
            return 0;
        }
        let (last, _) = split(end - 1 - self.base);
        if last >= self.words.len() {
            self.words.resize(last + 1, 0);
        }
        while at < end {
            let (word, bit) = split(at - self.base);
            let take = (WORD - u64::from(bit)).min(end - at);
            let mask = if take == WORD {
                u64::MAX
            } else {
                ((1 << take) - 1) << bit
            };
            let word = &mut self.words[word];
            self.beyond += u64::from((mask & !*word).count_ones());
            *word |= mask;
            at += take;
        }
        let new = self.beyond - before;
        self.advance();
        new
    }
    /// Adds all positions below `limit` and returns how many of them were new.
    pub fn fill_below(&mut self, limit: u64) -> u64 {
        match limit.checked_sub(self.base) {
            None | Some(0) => 0,
            Some(count) => self.insert_run(self.base, count),
        }
    }
    /// How many positions below `limit` (and not below the start) are missing.
    pub fn missing_below(&self, limit: u64) -> u64 {
        let Some(span) = limit.checked_sub(self.base) else {
            return 0;
        };
        let (whole, bits) = split(span);
        let full: u64 = self
            .words
            .iter()
            .take(whole)
            .map(|word| u64::from(word.count_ones()))
            .sum();
        let part = self
            .words
            .get(whole)
            .map_or(0, |word| u64::from((word & ((1_u64 << bits) - 1)).count_ones()));
        span - full - part
    }
    /// The lowest position, at or above the start, that is not in the set.
    pub fn first_missing(&self) -> u64 {
        self.base + self.words.front().map_or(0, |word| u64::from(word.trailing_ones()))
    }
    /// Moves the watermark over full words, and over everything once nothing is missing.
    fn advance(&mut self) {
        while self.words.front() == Some(&u64::MAX) {
            self.words.pop_front();
            self.base += WORD;
            self.beyond -= WORD;
            self.below += WORD;
        }
        if let (1, Some(word)) = (self.words.len(), self.words.front()) {
            // All members stand at the lower end: the watermark takes them, and the next run is a plain addition.
            let ones = u64::from(word.trailing_ones());
            if ones == self.beyond {
                self.words.clear();
                self.base += ones;
                self.below += ones;
                self.beyond = 0;
            }
        }
    }
}

/// Word and bit of an offset. A reader's window of 2^38 positions would need more memory than there is.
#[inline]
fn split(offset: u64) -> (usize, u32) {
    let word = usize::try_from(offset / WORD).unwrap_or(usize::MAX);
    let bit = u32::try_from(offset % WORD).unwrap_or(0);
    (word, bit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn the_bit_set_agrees_with_a_plain_one(
            start in 0_u64..100,
            runs in prop::collection::vec((0_u64..600, 1_u64..150, any::<bool>()), 0..60),
        ) {
            let mut compact = Positions::new(start);
            let mut plain = BTreeSet::new();
            for &(offset, count, singly) in &runs {
                let first = start + offset;
                let new = (first..first + count).filter(|at| plain.insert(*at)).count();
                let found = if singly {
                    (first..first + count).filter(|at| compact.insert(*at)).count()
                } else {
                    usize::try_from(compact.insert_run(first, count)).expect("a small number")
                };
                prop_assert_eq!(found, new);
                prop_assert_eq!(usize::try_from(compact.len()), Ok(plain.len()));
                let lowest = (start..=start + 800).find(|at| !plain.contains(at)).expect("the set is smaller");
                prop_assert_eq!(compact.first_missing(), lowest);
                let limit = start + 333;
                let missing = (start..limit).filter(|at| !plain.contains(at)).count();
                prop_assert_eq!(usize::try_from(compact.missing_below(limit)), Ok(missing));
            }
        }
    }

    #[test]
    fn filling_up_to_a_checkpoint_counts_what_was_missing() {
        let mut done = Positions::new(10);
        assert_eq!(done.insert_run(12, 3), 3);
        assert_eq!(done.fill_below(15), 2);
        assert_eq!(done.first_missing(), 15);
        assert_eq!(done.fill_below(15), 0);
        assert_eq!(done.len(), 5);
    }

    #[test]
    fn a_set_in_order_keeps_no_bits() {
        let mut done = Positions::new(0);
        for batch in 0..100 {
            assert_eq!(done.insert_run(batch * 500, 500), 500);
        }
        for position in (50_000..50_100).rev() {
            assert!(done.insert(position));
        }
        assert!(done.words.is_empty());
        assert_eq!(done.len(), 50_100);
    }
}
