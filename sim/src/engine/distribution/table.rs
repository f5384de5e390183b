//! The integer quantile table: octaves towards both tails, straight lines inside a cell.
//!
//! The word's first bit chooses the half; the number of zeros (or ones) that follow chooses the octave, so that cells
//! get narrower towards both tails; six more bits choose the cell, and the rest is the place inside it. Octaves end at
//! 2^-41, where 64 equal cells reach down to 2^-47. The knots are placed so that the mean of the table is that of the
//! distribution, not only its quantiles.
#![expect(
    clippy::as_conversions,
    reason = "takes bit fields out of words, and turns compiled floats into fixed point"
)]

use super::normal_grid::NormalGrid;
use super::special::Level;
use super::{Distribution, DistributionError, fraction_bits, tail};
use std::sync::Arc;

pub(super) const DEPTH: u32 = 40;
pub(super) const CELL_BITS: u32 = 6;
const CELLS: usize = 1 << CELL_BITS;
const OCTAVES: usize = DEPTH as usize + 1;
const SIZE: usize = 2 * OCTAVES * CELLS;
/// Marks a cell that is divided further; a line never rises that far, since values stay below 2^62.
const DIVIDED: u64 = u64::MAX;
/// The end of all words, as a position.
pub(super) const END: u128 = 1 << 64;
/// Where the tail's last cell begins, counted from the end: 2^-47.
const LAST_CELL: u128 = 1 << (63 - DEPTH - CELL_BITS);
/// Unbounded tails are cut here and their mean is kept: 2^54, or 208 days in nanoseconds.
pub(super) const TAIL_LIMIT: f64 = 18_014_398_509_481_984.0;

/// A straight line over a cell: the value at its beginning and the rise up to its end.
#[derive(Clone, Copy)]
struct Cell {
    base: u64,
    rise: u64,
}
/// A part of a divided cell. `from` and `to` are places inside the cell, in 2^-64.
#[derive(Clone, Copy)]
struct Division {
    from: u64,
    to: u128,
    line: Cell,
}

/// A compiled quantile function.
#[derive(Clone)]
pub(super) struct QuantileTable {
    cells: Arc<[Cell; SIZE]>,
    divisions: Arc<[Division]>,
}

/// The upper half of a product of two 64-bit numbers.
#[inline]
pub(super) fn high_product(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 64) as u64
}
/// A fixed-point number times one with 32 fraction bits.
#[inline]
pub(super) fn scale(a: u64, b: u64) -> u64 {
    ((u128::from(a) * u128::from(b)) >> 32) as u64
}
/// A non-negative number in fixed point, rounded to the nearest.
pub(super) fn to_fixed(value: f64, bits: u32) -> u64 {
    (value * (1_u64 << bits) as f64 + 0.5) as u64
}
/// The word below which this fraction of all words lies.
pub(super) fn word_at(fraction: f64) -> u64 {
    (fraction.clamp(0.0, 1.0) * END as f64) as u64
}

impl QuantileTable {
    /// Whether both are the same table in memory.
    #[cfg(test)]
    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.cells, &other.cells)
    }
    /// The value at a word, in the table's fixed point.
    #[inline]
    pub(super) fn value(&self, word: u64) -> u64 {
        let mirror = (word.cast_signed() >> 63).cast_unsigned(); // all ones in the upper half
        let place = (word ^ mirror) << 1;
        let zeros = place.leading_zeros();
        let mantissa = place << (zeros + 1).min(DEPTH);
        let octave = zeros.min(DEPTH) as usize;
        let index = ((mirror & 1) as usize * OCTAVES + octave) * CELLS + (mantissa >> (64 - CELL_BITS)) as usize;
        let inside = (mantissa << CELL_BITS) ^ mirror;
        let Cell { base, rise } = self.cells[index];
        if rise == DIVIDED {
            return self.divided(base as usize, inside);
        }
        base + high_product(rise, inside)
    }
    #[cold]
    fn divided(&self, first: usize, inside: u64) -> u64 {
        let mut part = first;
        while u128::from(inside) >= self.divisions[part].to {
            part += 1;
        }
        let Division { from, to, line } = self.divisions[part];
        let rise = u128::from(line.rise) * u128::from(inside - from) / (to - u128::from(from));
        line.base + rise as u64
    }

    /// Compiles a quantile function: the table, its fraction bits and the table's own mean.
    pub(super) fn of(
        distribution: &Distribution,
        normal: Option<&NormalGrid>,
    ) -> Result<(Self, u32, f64), DistributionError> {
        let curve = Curve::new(distribution, normal)?;
        let bits = fraction_bits(curve.greatest);
        let lines = curve.lines();
        let mut cells = vec![Cell { base: 0, rise: 0 }; SIZE];
        let mut divisions = Vec::new();
        let mut twice_mean = 0_u128;
        let mut lowest = 0;
        let mut rest = lines.as_slice();
        for (index, start, end) in grid() {
            let count = rest.partition_point(|line| line.end <= end);
            let (parts, others) = rest.split_at(count);
            rest = others;
            let first = divisions.len();
            for part in parts {
                // Quantiles never fall; what rounding or the placing of knots might undo is lifted.
                let base = to_fixed(part.from_value, bits).max(lowest);
                let top = to_fixed(part.to_value, bits).max(base);
                lowest = top;
                let line = Cell { base, rise: top - base };
                twice_mean += (part.end - part.start) * u128::from(base + top);
                if parts.len() == 1 {
                    cells[index] = line;
                } else {
                    let place = |position: u128| ((position - start) << 64) / (end - start);
                    divisions.push(Division {
                        from: place(part.start) as u64,
                        to: place(part.end),
                        line,
                    });
                }
            }
            if parts.len() > 1 {
                cells[index] = Cell {
                    base: first as u64,
                    rise: DIVIDED,
                };
            }
        }
        let mean = twice_mean as f64 / 2.0 / END as f64 / (1_u64 << bits) as f64;
        let cells = Arc::<[Cell]>::from(cells)
            .try_into()
            .unwrap_or_else(|_| unreachable!("made with this size"));
        let table = Self {
            cells,
            divisions: divisions.into(),
        };
        Ok((table, bits, mean))
    }
}

/// The cells of the grid in order of their position: index, start, end.
fn grid() -> impl Iterator<Item = (usize, u128, u128)> {
    let cell = |octave: u32, cell: usize| {
        // The last octave is as wide as the one before it and begins at zero.
        let width = 1_u128 << (62 - octave.min(DEPTH - 1) - CELL_BITS);
        let begin = if octave == DEPTH { 0 } else { width << CELL_BITS };
        let start = begin + cell as u128 * width;
        (octave as usize * CELLS + cell, start, start + width)
    };
    let lower = (0..=DEPTH)
        .rev()
        .flat_map(move |octave| (0..CELLS).map(move |c| cell(octave, c)));
    let upper = (0..=DEPTH).flat_map(move |octave| (0..CELLS).rev().map(move |c| cell(octave, c)));
    lower.chain(upper.map(|(index, start, end)| (OCTAVES * CELLS + index, END - end, END - start)))
}

pub(super) fn level_at(position: u128) -> Level {
    Level {
        below: position as f64 / END as f64,
        above: (END - position) as f64 / END as f64,
    }
}

/// A straight piece of the table while it is compiled.
#[derive(Clone, Copy)]
struct Line {
    start: u128,
    end: u128,
    from_value: f64,
    to_value: f64,
    /// By how much the line lies above the curve on average.
    excess: f64,
    /// Whether the curve jumps at the line's end.
    jumps: bool,
}

/// The quantile function of a distribution, with a bounded last cell.
struct Curve<'a> {
    distribution: &'a Distribution,
    /// Of a log-normal distribution, where it is at hand.
    normal: Option<&'a NormalGrid>,
    greatest: f64,
    mean: f64,
    /// Where the last, straight piece of an unbounded tail begins, with the values at its ends.
    ramp: Option<(u128, f64, f64)>,
    /// Positions at which the curve may jump or bend.
    corners: Vec<u128>,
}

impl<'a> Curve<'a> {
    fn new(distribution: &'a Distribution, normal: Option<&'a NormalGrid>) -> Result<Self, DistributionError> {
        let ramp = if distribution.greatest().is_some() {
            None
        } else {
            Some(ramp(distribution)?)
        };
        let greatest = match (distribution.greatest(), ramp) {
            (Some(greatest), _) | (None, Some((_, _, greatest))) => greatest,
            (None, None) => 0.0,
        };
        let mut values = Vec::new();
        distribution.corners(&mut values);
        let mut corners: Vec<u128> = values
            .iter()
            .flat_map(|&value| [distribution.level(value, false), distribution.level(value, true)])
            .map(position_of)
            .collect();
        if let Distribution::Percentiles(points) = distribution {
            corners = points
                .iter()
                .map(|&(fraction, _)| (fraction * END as f64) as u128)
                .collect();
        }
        corners.sort_unstable();
        corners.dedup();
        Ok(Self {
            distribution,
            normal,
            greatest,
            mean: distribution.mean(),
            ramp,
            corners,
        })
    }
    fn value_at(&self, position: u128) -> f64 {
        if let Some((start, from, to)) = self.ramp
            && position >= start
        {
            return from + (to - from) * ((position - start) as f64 / (END - start) as f64);
        }
        match (self.distribution, self.normal) {
            (Distribution::LogNormal { median, sigma }, Some(normal)) => {
                median * libm::exp(sigma * normal.quantile(position))
            }
            (distribution, _) => distribution.quantile(level_at(position)),
        }
    }
    /// The pieces in order, with knots moved so that the mean is right.
    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::with_capacity(SIZE + 64);
        let mut corners = self.corners.iter().copied().peekable();
        for (_, start, end) in grid() {
            let mut from = start;
            while corners.next_if(|&corner| corner <= from).is_some() {}
            while let Some(corner) = corners.next_if(|&corner| corner < end) {
                self.divide(from, corner, &mut lines);
                from = corner;
            }
            self.divide(from, end, &mut lines);
        }
        move_knots(&mut lines);
        lines
    }
    /// One line, or several where the curve is bent too much for one.
    fn divide(&self, start: u128, end: u128, lines: &mut Vec<Line>) {
        let jump_at = |position| self.jumps() && self.corners.binary_search(&position).is_ok();
        let from_value = if jump_at(start) {
            self.value_at(start + inset(start))
        } else if let Some(last) = lines.last() {
            last.to_value
        } else {
            self.value_at(start)
        };
        let jumps = jump_at(end);
        let to_value = self.value_at(if jumps { end - inset(end) } else { end });
        self.bisect(
            Line {
                start,
                end,
                from_value,
                to_value,
                excess: 0.0,
                jumps,
            },
            0,
            lines,
        );
    }
    fn bisect(&self, line: Line, depth: u32, lines: &mut Vec<Line>) {
        let middle = u128::midpoint(line.start, line.end);
        let value = self.value_at(middle);
        let bend = (f64::midpoint(line.from_value, line.to_value) - value).abs();
        if depth < 8 && bend > 1e-3 * value && bend > 1e-6 * self.mean && line.end - line.start > 64 {
            let left = Line {
                end: middle,
                to_value: value,
                jumps: false,
                ..line
            };
            let right = Line {
                start: middle,
                from_value: value,
                ..line
            };
            self.bisect(left, depth + 1, lines);
            self.bisect(right, depth + 1, lines);
            return;
        }
        // Simpson's rule for the mean of the curve, against the mean of the line.
        let excess = (line.from_value + line.to_value - 2.0 * value) / 3.0;
        lines.push(Line { excess, ..line });
    }
    const fn jumps(&self) -> bool {
        matches!(self.distribution, Distribution::Mixture(_))
    }
}

/// How far from a corner the curve is read on one side of it: more than the rounding of a level.
const fn inset(corner: u128) -> u128 {
    let tail = if corner < END / 2 { corner } else { END - corner };
    (tail >> 44) + 1
}

fn position_of(level: Level) -> u128 {
    if level.below <= 0.5 {
        (level.below * END as f64) as u128
    } else {
        END - (level.above * END as f64) as u128
    }
}

/// Where the last piece of an unbounded tail begins and the values at its ends: its mean is the mean of the tail. It
/// begins at 2^-47, or earlier where that mean could not be represented.
fn ramp(distribution: &Distribution) -> Result<(u128, f64, f64), DistributionError> {
    let mut width = LAST_CELL;
    while width <= END / 4 {
        let start = END - width;
        let level = level_at(start);
        let from = distribution.quantile(level);
        let mean = distribution.tail_expectation(from) / level.above;
        let to = 2.0 * mean - from;
        if to <= TAIL_LIMIT && from <= to {
            return Ok((start, from, to));
        }
        width *= 2;
    }
    tail(f64::INFINITY, TAIL_LIMIT, || {
        format!("the tail of {distribution:?}, on which its mean rests,")
    })?;
    Ok((END, 0.0, 0.0))
}

/// Lines over a bent curve have a wrong mean. Each knot moves by what its two lines are off, so that the mean is right
/// and the pieces still join.
fn move_knots(lines: &mut [Line]) {
    let off = |line: &Line| line.excess * (line.end - line.start) as f64;
    let width = |line: &Line| (line.end - line.start) as f64;
    // The first and the last piece settle their own account at their outer end, where the curve may be steep.
    if let Some(first) = lines.first_mut() {
        first.from_value = (first.from_value - 2.0 * first.excess).max(0.0);
        first.excess = 0.0;
    }
    if let Some(last) = lines.last_mut() {
        last.to_value = (last.to_value - 2.0 * last.excess).max(0.0);
        last.excess = 0.0;
    }
    for i in 1..lines.len() {
        let (left, right) = (lines[i - 1], lines[i]);
        if left.jumps {
            lines[i - 1].to_value -= left.excess;
            lines[i].from_value -= right.excess;
        } else {
            let shift = (off(&left) + off(&right)) / (width(&left) + width(&right));
            lines[i - 1].to_value -= shift;
            lines[i].from_value -= shift;
        }
    }
}
