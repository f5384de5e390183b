//! Instants from a rate: each record takes its share of what the rate delivers.
//!
//! A record's *demand* is 1 for evenly spaced records and a unit exponential number for a Poisson process. The rate
//! delivers demand, and a record is created when its own is met. So one mechanism serves constant rates, bursts,
//! profiles and changes of load, and a change of the rate moves no random number.

use super::rate::{HORIZON, RateCurve, Stretch};
use crate::engine::distribution::UnitExponential;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::random::Stream;

/// Fraction bits of a demand.
const BITS: u32 = 32;
/// Most bits of a rate's count once it is reduced.
const COUNT_BITS: u32 = 44;
/// Most fraction bits of the time that a demand of one takes.
const MOST_SHIFT: u32 = 44;
/// Demands are drawn in chunks of this many words.
const CHUNK: usize = 256;

/// Changes of the rate's factor: (from this nanosecond on, factor), sorted.
pub(super) type Factors = [(u64, Ratio)];

/// Where demands come from.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a producer has one; a box would cost an allocation for each block"
)]
pub(super) enum Units {
    /// The first record is due at once, each further one takes a demand of one.
    Even { started: bool },
    /// Unit exponential numbers.
    Exponential(Stream),
}

/// An arrival process that follows a rate.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    curve: RateCurve,
    units: Units,
    stretch: Stretch,
    piece: Piece,
    ended: bool,
}

/// A span of time with one effective rate, and how much demand it has met.
#[derive(Clone, Debug)]
struct Piece {
    start: u64,
    /// Records a span of `per` nanoseconds, reduced.
    count: u64,
    per: u64,
    /// Nanoseconds for a demand of one, with `shift` fraction bits, rounded up.
    period: u64,
    shift: u32,
    /// Demand met since the start: whole records, and the fraction of one.
    whole: u64,
    part: u32,
}

impl Demand {
    pub(super) fn new(curve: RateCurve, units: Units) -> Self {
        let nothing = Stretch {
            rate: Rate::ZERO,
            until: 0,
        };
        Self {
            curve,
            units,
            stretch: nothing,
            piece: Piece::new(0, Rate::ZERO),
            ended: false,
        }
    }
    /// True when no further record comes unless the factor changes.
    pub(super) const fn ended(&self) -> bool {
        self.ended
    }
    /// Random words drawn so far.
    pub(super) const fn draws(&self) -> u64 {
        let units = match &self.units {
            Units::Even { .. } => 0,
            Units::Exponential(stream) => stream.draws(),
        };
        units + self.curve.draws()
    }
    /// Creates the next records into `times`, which holds zeros, and returns how many there are, and through how many
    /// pieces of the rate they went. Fewer than asked for: the process has ended.
    pub(super) fn fill(&mut self, factors: &Factors, times: &mut [u64]) -> (usize, usize) {
        let total = self.units.accumulate(times);
        let (mut done, mut met, mut pieces) = (0, 0, 0);
        loop {
            let end = self
                .stretch
                .until
                .min(next_change(factors, self.piece.start))
                .min(HORIZON);
            let room = self.piece.room(end);
            let here = done + times[done..].partition_point(|&demand| demand - met < room);
            self.piece.convert(&mut times[done..here], met, end);
            done = here;
            pieces += 1;
            if done == times.len() {
                self.piece.meet(total - met);
                break;
            }
            met += room;
            if !self.advance(end, factors) {
                self.ended = true;
                break;
            }
        }
        (done, pieces)
    }
    /// Begins the piece at `at`. False when nothing comes any more.
    fn advance(&mut self, at: u64, factors: &Factors) -> bool {
        let factor = factors
            .iter()
            .rev()
            .find(|change| change.0 <= at)
            .map_or(Ratio::ONE, |change| change.1);
        let silent = factor.is_zero() && next_change(factors, at) == u64::MAX;
        if at >= HORIZON || silent || self.curve.is_zero() {
            return false;
        }
        if at >= self.stretch.until {
            self.stretch = self.curve.next(at);
        }
        self.piece = Piece::new(at, self.stretch.rate.scaled(factor));
        true
    }
}

/// The first change of factor after `at`.
fn next_change(factors: &Factors, at: u64) -> u64 {
    factors
        .iter()
        .map(|change| change.0)
        .find(|&from| from > at)
        .unwrap_or(u64::MAX)
}

impl Units {
    /// Fills a column with running sums of demands and returns the last.
    fn accumulate(&mut self, column: &mut [u64]) -> u64 {
        let mut sum = 0;
        match self {
            Self::Even { started } => {
                for demand in column.iter_mut() {
                    sum += u64::from(*started) << BITS;
                    *started = true;
                    *demand = sum;
                }
            }
            Self::Exponential(stream) => {
                let mut words = [0; CHUNK];
                for chunk in column.chunks_mut(CHUNK) {
                    let words = &mut words[..chunk.len()];
                    stream.fill(words);
                    UnitExponential::fill(words, chunk);
                    for demand in chunk {
                        sum += *demand;
                        *demand = sum;
                    }
                }
            }
        }
        sum
    }
}

impl Piece {
    fn new(start: u64, rate: Rate) -> Self {
        let reduced = rate.scaled(Ratio::ONE);
        let (mut count, mut per) = (reduced.count, reduced.per.as_nanos());
        while count >= 1 << COUNT_BITS || per > HORIZON {
            count /= 2;
            per = (per / 2).max(1);
        }
        let mut shift = MOST_SHIFT;
        let period = |shift: u32| (u128::from(per) << shift).div_ceil(u128::from(count.max(1)));
        while period(shift) >= 1 << 63 {
            shift -= 1;
        }
        Self {
            start,
            count,
            per,
            period: u64::try_from(period(shift)).unwrap_or(u64::MAX),
            shift,
            whole: 0,
            part: 0,
        }
    }
    /// Demand that is met from the present account up to `end`: a sum of demands below it is met before `end`, exactly.
    fn room(&self, end: u64) -> u64 {
        let delivered = u128::from(end - self.start) * u128::from(self.count);
        let per = u128::from(self.per);
        // Rounded up, so that "below" is exact; the excess, less than 2^-32 of a record, is lost to the next piece.
        let part = ((delivered % per) << BITS).div_ceil(per);
        let whole = (delivered / per).min(1 << 64);
        let account = (u128::from(self.whole) << BITS) + u128::from(self.part);
        u64::try_from(((whole << BITS) + part).saturating_sub(account)).unwrap_or(u64::MAX)
    }
    /// Turns sums of demands into instants. `met` of each sum was met in earlier pieces.
    ///
    /// The position at the account is exact, so errors never add up from block to block; within a block the rounded
    /// period makes an instant late by less than `2^-shift` nanoseconds a record, which shows only if the exact
    /// instant lies that close below a whole nanosecond.
    fn convert(&self, sums: &mut [u64], met: u64, end: u64) {
        if sums.is_empty() {
            return;
        }
        let count = u128::from(self.count);
        let before = u128::from(self.whole) * u128::from(self.per);
        let origin = self.start + u64::try_from(before / count).unwrap_or(HORIZON);
        let shift = self.shift + BITS;
        let fraction = ((before % count) << shift).div_ceil(count);
        let period = u128::from(self.period);
        let offset = u64::from(self.part).wrapping_sub(met);
        let exact = |sum: u64| fraction + u128::from(sum.wrapping_add(offset)) * period;
        if let Some(beyond_half) = shift.checked_sub(64) {
            for sum in sums.iter_mut() {
                *sum = origin + (high_half(exact(*sum)) >> beyond_half);
            }
        } else {
            for sum in sums.iter_mut() {
                *sum = origin + high_half(exact(*sum) << (64 - shift));
            }
        }
        for late in sums.iter_mut().rev().take_while(|instant| **instant >= end) {
            *late = end - 1;
        }
    }
    /// Notes demand that has been met.
    fn meet(&mut self, demand: u64) {
        let account = (u128::from(self.whole) << BITS) + u128::from(self.part) + u128::from(demand);
        self.whole = u64::try_from(account >> BITS).unwrap_or(u64::MAX);
        self.part = low_bits(account);
    }
}

#[inline]
#[expect(clippy::as_conversions, reason = "the high half of 128 bits has 64")]
const fn high_half(value: u128) -> u64 {
    (value >> 64) as u64
}

#[expect(clippy::as_conversions, reason = "the fraction is the low 32 bits")]
const fn low_bits(value: u128) -> u32 {
    value as u32
}
