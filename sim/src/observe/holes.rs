//! The numbers that are missing from a set which grows upwards: a bit each near the top, ranges far below.

use crate::engine::index::to_usize;
use std::collections::VecDeque;

/// Bits in a word.
const WORD: u32 = 64;
/// Words kept; what is missing below them is kept as ranges.
const WIDTH: u32 = 1_024;

/// Missing numbers. Memory: a bit for each number from the lowest missing one to the highest, up to 8 KiB, and a range
/// for each run of those that have been missing for longer.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Holes {
    /// Which word of the number line `words[0]` is.
    first: u32,
    /// Set bits are missing numbers; the first word is not empty.
    words: VecDeque<u64>,
    /// Missing numbers below these words: disjoint, ascending.
    old: VecDeque<(u32, u32)>,
    /// How many numbers are missing.
    missing: u32,
}

/// What has become of the hole of a number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Filled {
    /// There was none.
    Nothing,
    /// It is closed; other numbers are missing.
    Hole,
    /// It is closed, and perhaps nothing is missing any more.
    Word,
}

/// The bits that stand for `from..until` in the word with this number, which has a part of them.
#[inline]
fn mask(number: u32, from: u32, until: u32) -> u64 {
    let start = number * WORD;
    let lowest = from.saturating_sub(start);
    let highest = (until - 1 - start).min(WORD - 1);
    u64::MAX << lowest & u64::MAX >> (WORD - 1 - highest)
}

impl Holes {
    /// Nothing is missing.
    pub(super) const fn is_empty(&self) -> bool {
        self.missing == 0
    }
    /// How many numbers are missing.
    pub(super) const fn len(&self) -> u32 {
        self.missing
    }
    /// Where the number's word is, if it is kept as one; somewhere beyond all words otherwise.
    #[inline]
    const fn index(&self, number: u32) -> usize {
        to_usize((number / WORD).wrapping_sub(self.first))
    }
    /// Makes the numbers `from..until` missing, which are all above those that are missing already.
    #[inline]
    pub(super) fn open(&mut self, from: u32, until: u32) {
        if from >= until {
            return;
        }
        if self.words.is_empty() {
            self.first = from / WORD;
            self.words.push_back(0);
        }
        let index = self.index(from);
        match self.words.get_mut(index) {
            Some(word) if from / WORD == (until - 1) / WORD => {
                *word |= mask(from / WORD, from, until);
                self.missing += until - from;
            }
            Some(_) | None => self.open_words(from, until),
        }
    }
    #[inline(never)]
    fn open_words(&mut self, mut from: u32, until: u32) {
        self.missing += until - from;
        if until - from > WORD * (WIDTH - 1) {
            // Wider than the window: a range up to the last word.
            while !self.words.is_empty() {
                self.retire();
            }
            let middle = until - until % WORD;
            self.push_old(from, middle);
            self.first = middle / WORD;
            from = middle;
            if from == until {
                return;
            }
        }
        let (lowest, highest) = (from / WORD, (until - 1) / WORD);
        // Before words are added: the lowest hole may be as far away as the run is long.
        while !self.words.is_empty() && highest - self.first >= WIDTH {
            self.retire();
        }
        if self.words.is_empty() {
            self.first = lowest;
        }
        while self.words.len() <= to_usize(highest - self.first) {
            self.words.push_back(0);
        }
        for number in lowest..=highest {
            self.words[to_usize(number - self.first)] |= mask(number, from, until);
        }
    }
    /// Closes the hole of one number. After [`Filled::Word`] the caller has to call [`Self::tidy`].
    #[inline]
    pub(super) fn fill(&mut self, number: u32) -> Filled {
        let index = self.index(number);
        let Some(word) = self.words.get_mut(index) else {
            return if self.old.is_empty() {
                Filled::Nothing
            } else {
                self.fill_old(number)
            };
        };
        let bit = 1 << (number % WORD);
        if *word & bit == 0 {
            return Filled::Nothing;
        }
        *word ^= bit;
        self.missing -= 1;
        if *word == 0 { Filled::Word } else { Filled::Hole }
    }
    /// Drops empty words.
    pub(super) fn tidy(&mut self) {
        while self.words.front() == Some(&0) {
            self.words.pop_front();
            self.first += 1;
        }
    }
    /// True if the number is missing.
    #[inline]
    pub(super) fn contains(&self, number: u32) -> bool {
        match self.words.get(self.index(number)) {
            Some(word) => word >> (number % WORD) & 1 > 0,
            None => !self.old.is_empty() && self.old_at(number).is_some_and(|(start, _)| start <= number),
        }
    }
    /// How many of `from..until` are missing.
    #[inline]
    pub(super) fn count_within(&self, from: u32, until: u32) -> u32 {
        if from >= until {
            return 0;
        }
        match self.words.get(self.index(from)) {
            Some(word) if from / WORD == (until - 1) / WORD => (word & mask(from / WORD, from, until)).count_ones(),
            Some(_) | None => self.count_within_words(from, until),
        }
    }
    #[inline(never)]
    fn count_within_words(&self, from: u32, until: u32) -> u32 {
        let (lowest, highest) = (from / WORD, (until - 1) / WORD);
        let mut count = 0;
        for number in lowest.max(self.first)..=highest {
            let Some(word) = self.words.get(to_usize(number - self.first)) else {
                break;
            };
            count += (word & mask(number, from, until)).count_ones();
        }
        if lowest < self.first {
            let above = self.old.partition_point(|&(_, end)| end <= from);
            let within = self.old.range(above..).take_while(|&&(start, _)| start < until);
            count += within
                .map(|&(start, end)| end.min(until) - start.max(from))
                .sum::<u32>();
        }
        count
    }
    /// The lowest number from `from` on that is not missing.
    pub(super) fn first_present(&self, mut from: u32) -> u32 {
        if from / WORD < self.first {
            match self.old_at(from) {
                Some((start, end)) if start <= from => from = end,
                Some(_) | None => return from,
            }
            if from / WORD < self.first {
                return from;
            }
        }
        while let Some(word) = self.words.get(to_usize(from / WORD - self.first)) {
            let present = !word >> (from % WORD);
            if present > 0 {
                return from + present.trailing_zeros();
            }
            from = (from / WORD + 1) * WORD;
        }
        from
    }
    /// The lowest missing number.
    pub(super) fn first_missing(&self) -> Option<u32> {
        let old = self.old.front().map(|&(start, _)| start);
        let of_words = || {
            let word = self.words.front()?;
            Some(self.first * WORD + word.trailing_zeros())
        };
        old.or_else(of_words)
    }

    /// Turns the lowest word into ranges.
    fn retire(&mut self) {
        let Some(mut word) = self.words.pop_front() else {
            return;
        };
        let start = self.first * WORD;
        while word > 0 {
            let low = word.trailing_zeros();
            let high = low + (word >> low).trailing_ones();
            self.push_old(start + low, start + high);
            word &= u64::MAX.checked_shl(high).unwrap_or(0);
        }
        self.first += 1;
        self.tidy();
    }
    fn push_old(&mut self, from: u32, until: u32) {
        match self.old.back_mut() {
            Some((_, end)) if *end == from => *end = until,
            Some(_) | None => self.old.push_back((from, until)),
        }
    }
    /// The lowest old range that ends above the number.
    #[cold]
    #[inline(never)]
    fn old_at(&self, number: u32) -> Option<(u32, u32)> {
        let at = self.old.partition_point(|&(_, end)| end <= number);
        self.old.get(at).copied()
    }
    #[cold]
    #[inline(never)]
    fn fill_old(&mut self, number: u32) -> Filled {
        let at = self.old.partition_point(|&(_, end)| end <= number);
        let Some(range) = self.old.get_mut(at).filter(|range| range.0 <= number) else {
            return Filled::Nothing;
        };
        self.missing -= 1;
        let (start, end) = *range;
        match (start == number, end == number + 1) {
            (true, true) => {
                self.old.remove(at);
            }
            (true, false) => range.0 = number + 1,
            (false, true) => range.1 = number,
            (false, false) => {
                range.1 = number;
                self.old.insert(at + 1, (number + 1, end));
            }
        }
        Filled::Word
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    /// Numbers that lie close together, or words or whole windows apart.
    fn steps() -> impl Strategy<Value = Vec<(u32, u32, usize)>> {
        let distance = || prop_oneof![6 => 0_u32..5, 3 => 0_u32..300, 1 => 0_u32..200_000];
        prop::collection::vec((distance(), distance(), any::<usize>()), 1..40)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn holes_agree_with_a_plain_set(steps in steps()) {
            let (mut holes, mut plain, mut top) = (Holes::default(), BTreeSet::new(), 0);
            for (present, missing, pick) in steps {
                let (from, until) = (top + present, top + present + missing);
                holes.open(from, until);
                plain.extend(from..until);
                // The number at the top is present.
                top = until + 1;
                for offset in [0, 1, 63, 64, 65] {
                    let number = u32::try_from((pick + offset) % to_usize(top)).expect("it is below the top");
                    prop_assert_eq!(holes.contains(number), plain.contains(&number));
                    let filled = holes.fill(number);
                    prop_assert_eq!(filled != Filled::Nothing, plain.remove(&number));
                    if filled == Filled::Word {
                        holes.tidy();
                    }
                    prop_assert!(filled != Filled::Hole || !holes.is_empty());
                }
                let start = u32::try_from(pick % to_usize(top)).expect("it is below the top");
                let end = (start + missing + 70).min(top);
                let counted = plain.range(start..end).count();
                prop_assert_eq!(to_usize(holes.count_within(start, end)), counted);
                let present = (start..=u32::MAX).find(|number| !plain.contains(number));
                prop_assert_eq!(Some(holes.first_present(start)), present);
                prop_assert_eq!(holes.first_missing(), plain.first().copied());
                prop_assert_eq!(to_usize(holes.len()), plain.len());
            }
        }
    }

    #[test]
    fn what_has_been_missing_for_long_takes_a_range() {
        let mut holes = Holes::default();
        holes.open(10, 20);
        for number in 1..10_000 {
            holes.open(number * 100, number * 100 + 1);
            assert_eq!(holes.fill(number * 100), Filled::Word);
        }
        assert!(holes.words.len() <= to_usize(WIDTH));
        assert_eq!(holes.old, [(10, 20)]);
        assert_eq!(holes.fill(15), Filled::Word);
        assert_eq!((holes.first_missing(), holes.len()), (Some(10), 9));
        assert_eq!(holes.first_present(16), 20);
    }

    #[test]
    fn a_hole_far_above_another_takes_no_words_in_between() {
        let mut holes = Holes::default();
        holes.open(10, 20);
        holes.open(3_000_000_000, 3_000_000_001);
        assert!(holes.words.capacity() <= 2 * to_usize(WIDTH));
        assert_eq!(holes.count_within(0, 3_100_000_000), 11);
        assert_eq!(holes.first_present(10), 20);
    }
}
