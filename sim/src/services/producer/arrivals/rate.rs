//! A rate over time, as stretches of constant rate.

use super::SourceError;
use crate::engine::distribution::UnitExponential;
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::random::Stream;
use crate::engine::time::SimDuration;
use std::sync::Arc;

/// No source creates a record at or after this instant (2^62 ns, 146 years).
pub(super) const HORIZON: u64 = 1 << 62;

/// The shortest piece that a sloping line is cut into.
const SHORTEST_PIECE: u64 = SimDuration::SECOND.as_nanos();
/// A sloping line is cut into no more pieces than this.
const PIECES_OF_A_LINE: u64 = 256;
/// More than one record a nanosecond cannot be told apart.
const HIGHEST_PER_SECOND: u128 = 1_000_000_000;
/// Fraction bits of the rates along a line, in records a second.
const LINE_BITS: u32 = 32;

/// A stretch of time with one rate, from the end of the one before it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    /// The configured rate.
    pub(super) rate: Rate,
    /// The first instant, in nanoseconds, that it does not hold for.
    pub(super) until: u64,
}

/// The configured rate over time.
#[derive(Clone, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "a producer has one; a box would cost an allocation for each block"
)]
pub(super) enum RateCurve {
    Constant(Rate),
    Bursts(BurstCurve),
    Lines(LineCurve),
}

/// Bursts and quiet spells in turn, each of exponential length.
#[derive(Clone, Debug)]
pub(super) struct BurstCurve {
    /// Rate and mean length, first of the quiet spells, then of the bursts.
    states: [(Rate, SimDuration); 2],
    bursting: bool,
    stream: Stream,
}

/// Straight lines between points.
#[derive(Clone, Debug)]
pub(super) struct LineCurve {
    lines: Arc<[Line]>,
    period: Option<u64>,
    /// When the present repetition began.
    cycle: u64,
    line: usize,
}

#[derive(Clone, Copy, Debug)]
struct Line {
    from: u64,
    until: u64,
    first: Rate,
    last: Rate,
}

impl RateCurve {
    /// One rate for good.
    pub(super) fn constant(rate: Rate) -> Result<Self, SourceError> {
        Ok(Self::Constant(checked(rate)?))
    }
    /// Bursts and quiet spells, each with its rate and mean length.
    pub(super) fn bursts(
        on: (Rate, SimDuration),
        off: (Rate, SimDuration),
        mut stream: Stream,
    ) -> Result<Self, SourceError> {
        if on.1.is_zero() || off.1.is_zero() {
            return Err(SourceError::SpellWithoutLength);
        }
        // In the long run a burst is found with this probability, so the start is like any other instant.
        let (on_nanos, off_nanos) = (on.1.as_nanos() / 2, off.1.as_nanos() / 2);
        let bursting = stream.chance(Ratio::new(on_nanos, (on_nanos + off_nanos).max(1)));
        Ok(Self::Bursts(BurstCurve {
            states: [(checked(off.0)?, off.1), (checked(on.0)?, on.1)],
            bursting,
            stream,
        }))
    }
    /// Straight lines between points; with a period, a last line leads back to the first point's rate.
    pub(super) fn lines(points: &[(SimDuration, Rate)], period: Option<SimDuration>) -> Result<Self, SourceError> {
        Ok(Self::Lines(LineCurve::build(points, period)?))
    }
    /// True when no record ever comes.
    pub(super) fn is_zero(&self) -> bool {
        match self {
            Self::Constant(rate) => rate.is_zero(),
            Self::Bursts(bursts) => bursts.states.iter().all(|(rate, _)| rate.is_zero()),
            Self::Lines(curve) => curve
                .lines
                .iter()
                .all(|line| line.first.is_zero() && line.last.is_zero()),
        }
    }
    /// The stretch that begins at `from`: zero at first, then the end of the stretch before.
    pub(super) fn next(&mut self, from: u64) -> Stretch {
        match self {
            Self::Constant(rate) => Stretch {
                rate: *rate,
                until: HORIZON,
            },
            Self::Bursts(bursts) => bursts.next(from),
            Self::Lines(curve) => curve.next(from),
        }
    }
    /// Random words drawn so far.
    pub(super) const fn draws(&self) -> u64 {
        match self {
            Self::Bursts(bursts) => bursts.stream.draws(),
            Self::Constant(_) | Self::Lines(_) => 0,
        }
    }
}

fn checked(rate: Rate) -> Result<Rate, SourceError> {
    let per = u128::from(rate.per.as_nanos());
    if per == 0 || u128::from(rate.count) * 1_000_000_000 > HIGHEST_PER_SECOND * per {
        return Err(SourceError::RateTooHigh(rate));
    }
    Ok(rate)
}

impl BurstCurve {
    fn next(&mut self, from: u64) -> Stretch {
        let (rate, mean) = self.states[usize::from(self.bursting)];
        self.bursting = !self.bursting;
        let unit = UnitExponential::sample_wide(self.stream.word());
        let length = (u128::from(unit) * u128::from(mean.as_nanos())) >> UnitExponential::FRACTION_BITS;
        let length = u64::try_from(length).unwrap_or(HORIZON).max(1);
        Stretch {
            rate,
            until: from.saturating_add(length).min(HORIZON),
        }
    }
}

impl LineCurve {
    fn build(points: &[(SimDuration, Rate)], period: Option<SimDuration>) -> Result<Self, SourceError> {
        let in_order = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let (Some(first), Some(last)) = (points.first(), points.last()) else {
            return Err(SourceError::ProfileWithoutOrder);
        };
        if !in_order || !first.0.is_zero() || period.is_some_and(|period| period.is_zero() || period < last.0) {
            return Err(SourceError::ProfileWithoutOrder);
        }
        let end = match period {
            Some(period) => (period, first.1),
            None => (SimDuration::from_nanos(HORIZON), last.1),
        };
        let mut lines = Vec::with_capacity(points.len());
        for (from, until) in points.iter().zip(points.iter().skip(1).chain(core::iter::once(&end))) {
            let line = Line {
                from: from.0.as_nanos(),
                until: until.0.as_nanos(),
                first: checked(from.1)?,
                last: checked(until.1)?,
            };
            if line.from < line.until {
                lines.push(line);
            }
        }
        Ok(Self {
            lines: lines.into(),
            period: period.map(SimDuration::as_nanos),
            cycle: 0,
            line: 0,
        })
    }
    fn next(&mut self, from: u64) -> Stretch {
        let position = from - self.cycle;
        let line = self.lines[self.line];
        let Stretch { rate, until } = line.piece(position);
        let end = self.cycle.saturating_add(until);
        if until == line.until {
            self.line += 1;
            if self.line == self.lines.len() {
                self.line = 0;
                self.cycle = self.cycle.saturating_add(self.period.unwrap_or(HORIZON));
            }
        }
        Stretch {
            rate,
            until: end.min(HORIZON),
        }
    }
}

impl Line {
    /// The piece of this line that begins at `position`, with the line's rate at the piece's middle: over each piece
    /// the number of records is that of the line itself.
    fn piece(&self, position: u64) -> Stretch {
        if self.first == self.last {
            return Stretch {
                rate: self.first,
                until: self.until,
            };
        }
        let length = self.until - self.from;
        let step = (length / PIECES_OF_A_LINE).max(SHORTEST_PIECE);
        let until = position.saturating_add(step).min(self.until);
        let twice_middle = u128::from(position - self.from) + u128::from(until - self.from);
        let twice_length = u128::from(length) * 2;
        let weighted = fixed(self.first) * (twice_length - twice_middle) + fixed(self.last) * twice_middle;
        let count = u64::try_from(weighted / twice_length).unwrap_or(u64::MAX);
        let rate = Rate {
            count,
            per: SimDuration::from_nanos(1_000_000_000 << LINE_BITS),
        };
        Stretch { rate, until }
    }
}

/// Records a second with [`LINE_BITS`] fraction bits. Fits 62 bits for every rate that [`checked`] lets through.
fn fixed(rate: Rate) -> u128 {
    ((u128::from(rate.count) * 1_000_000_000) << LINE_BITS) / u128::from(rate.per.as_nanos())
}
