//! Data points over time: a minute each, coarser with age as in CloudWatch, so that memory stays small.

use crate::engine::time::{SimDuration, SimTime};
use std::collections::VecDeque;

/// Values of one period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    /// Their sum.
    pub sum: u64,
    /// How many.
    pub count: u64,
    /// The least.
    pub min: u64,
    /// The greatest.
    pub max: u64,
}

const _: () = assert!(
    size_of::<Point>() <= 32,
    "with a queue's spare room a series takes 64 bytes a minute at most"
);

impl Point {
    /// No values.
    pub const EMPTY: Self = Self {
        sum: 0,
        count: 0,
        min: u64::MAX,
        max: 0,
    };
    /// One value.
    pub const fn of(value: u64) -> Self {
        Self::of_equal(value, 1)
    }
    /// Of each of these values.
    pub fn of_all(values: impl Iterator<Item = u64>) -> Self {
        values.fold(Self::EMPTY, |mut all, value| {
            all.add(Self::of(value));
            all
        })
    }
    /// So many equal values.
    pub const fn of_equal(value: u64, count: u64) -> Self {
        if count == 0 {
            return Self::EMPTY;
        }
        Self {
            sum: value.saturating_mul(count),
            count,
            min: value,
            max: value,
        }
    }
    /// Adds the values of another point.
    pub fn add(&mut self, other: Self) {
        self.sum = self.sum.saturating_add(other.sum);
        self.count += other.count;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// How the values of a period become one. The names are CloudWatch's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Statistic {
    /// Sum of the values.
    Sum,
    /// Mean of the values.
    Average,
    /// Least value.
    Minimum,
    /// Greatest value.
    Maximum,
    /// Number of values.
    SampleCount,
}

impl Statistic {
    /// The name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Average => "Average",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
            Self::SampleCount => "SampleCount",
        }
    }
}

/// An exact statistic: an integer, or a mean of integers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Quotient {
    /// Above the line.
    pub numerator: u128,
    /// Below the line; never zero.
    pub denominator: u128,
}

impl Quotient {
    /// The number, for reports and comparisons with a user's bounds.
    #[expect(clippy::as_conversions, reason = "floats are for reports; 53 bits are enough there")]
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
}

pub(super) const MINUTE: u64 = SimDuration::from_minutes(1).as_nanos();
/// Minutes of a middle and of a coarse point.
const MIDDLE: usize = 5;
const COARSE: usize = 60;
/// One-minute points are kept for 15 days, five-minute points until 63 days, hours for ever.
const MINUTES_KEPT: usize = 15 * 24 * 60;
const MIDDLES_KEPT: usize = (63 - 15) * 24 * 12;

/// The data points of a metric. A point belongs to the minute that its values are stamped with, so they may come late.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Series {
    /// The newest minute, which nearly all values belong to.
    newest: Newest,
    coarse: Vec<Point>,
    middle: VecDeque<Point>,
    /// The minutes before the newest.
    minutes: VecDeque<Point>,
}

/// A minute in progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Newest {
    /// When it began, in nanoseconds.
    start: u64,
    values: Point,
}
impl Default for Newest {
    fn default() -> Self {
        Self {
            start: 0,
            values: Point::EMPTY,
        }
    }
}

/// A data point with its period.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DataPoint {
    /// Start of the period.
    pub start: SimTime,
    /// Length of the period.
    pub length: SimDuration,
    /// Its values.
    pub values: Point,
}

impl Series {
    /// The first minute that is kept as one, and the first of the middle points, both in minutes since the start.
    fn borders(&self) -> (usize, usize) {
        let middle = self.coarse.len() * COARSE;
        (middle + self.middle.len() * MIDDLE, middle)
    }

    /// Adds values at an instant.
    #[inline]
    pub fn add(&mut self, at: SimTime, values: Point) {
        if at.as_nanos().wrapping_sub(self.newest.start) < MINUTE {
            self.newest.values.add(values);
        } else {
            self.add_elsewhere(at, values);
        }
    }

    #[inline(never)]
    fn add_elsewhere(&mut self, at: SimTime, values: Point) {
        if at.as_nanos() > self.newest.start {
            let start = at.as_nanos() - at.as_nanos() % MINUTE;
            let before = core::mem::replace(&mut self.newest, Newest { start, values });
            self.minutes.push_back(before.values);
            for _ in 1..(start - before.start) / MINUTE {
                self.minutes.push_back(Point::EMPTY);
            }
            return self.roll_up();
        }
        let minute = usize::try_from(at.as_nanos() / MINUTE).unwrap_or(usize::MAX);
        let (first_minute, first_middle) = self.borders();
        let point = match (minute.checked_sub(first_minute), minute.checked_sub(first_middle)) {
            (Some(offset), _) => self.minutes.get_mut(offset),
            (None, Some(offset)) => self.middle.get_mut(offset / MIDDLE),
            (None, None) => self.coarse.get_mut(minute / COARSE),
        };
        if let Some(point) = point {
            point.add(values);
        }
    }

    fn roll_up(&mut self) {
        fn merge(points: impl Iterator<Item = Point>) -> Point {
            points.fold(Point::EMPTY, |mut sum, point| {
                sum.add(point);
                sum
            })
        }
        // The newest minute counts as one of those that are kept.
        while self.minutes.len() + 1 >= MINUTES_KEPT + MIDDLE {
            self.middle.push_back(merge(self.minutes.drain(..MIDDLE)));
        }
        while self.middle.len() >= MIDDLES_KEPT + COARSE / MIDDLE {
            self.coarse.push(merge(self.middle.drain(..COARSE / MIDDLE)));
        }
    }

    /// The data points that have values, in order of time.
    pub fn points(&self) -> impl Iterator<Item = DataPoint> {
        let (first_minute, first_middle) = self.borders();
        let parts = [(COARSE, 0), (MIDDLE, first_middle), (1, first_minute)];
        let all = self
            .coarse
            .iter()
            .enumerate()
            .map(move |(number, point)| (parts[0], number, point))
            .chain(
                self.middle
                    .iter()
                    .enumerate()
                    .map(move |(number, point)| (parts[1], number, point)),
            )
            .chain(
                self.minutes
                    .iter()
                    .chain(core::iter::once(&self.newest.values))
                    .enumerate()
                    .map(move |(number, point)| (parts[2], number, point)),
            );
        all.filter(|(_, _, point)| point.count > 0)
            .map(|((minutes, first), number, point)| {
                let nanos = |minutes: usize| u64::try_from(minutes).unwrap_or(0) * MINUTE;
                DataPoint {
                    start: SimTime::from_nanos(nanos(first + number * minutes)),
                    length: SimDuration::from_nanos(nanos(minutes)),
                    values: *point,
                }
            })
    }

    /// The statistic over the periods that start within `[from, until)`; `None` if these have no values.
    pub fn statistic(&self, statistic: Statistic, from: SimTime, until: SimTime) -> Option<Quotient> {
        let (mut sum, mut count, mut min, mut max) = (0_u128, 0_u128, u64::MAX, 0);
        for point in self.points() {
            if point.start >= from && point.start < until {
                sum += u128::from(point.values.sum);
                count += u128::from(point.values.count);
                min = min.min(point.values.min);
                max = max.max(point.values.max);
            }
        }
        if count == 0 {
            return None;
        }
        let (numerator, denominator) = match statistic {
            Statistic::Sum => (sum, 1),
            Statistic::Average => (sum, count),
            Statistic::Minimum => (u128::from(min), 1),
            Statistic::Maximum => (u128::from(max), 1),
            Statistic::SampleCount => (count, 1),
        };
        Some(Quotient { numerator, denominator })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(number: u64) -> SimTime {
        SimTime::from_nanos(number * MINUTE)
    }
    fn whole(series: &Series, statistic: Statistic) -> Option<u128> {
        let quotient = series.statistic(statistic, SimTime::ZERO, SimTime::NEVER)?;
        (quotient.denominator == 1).then_some(quotient.numerator)
    }

    #[test]
    fn statistics_are_exact_over_whole_minutes() {
        let mut series = Series::default();
        for (at, value) in [(0, 5), (0, 7), (1, 1), (3, 10)] {
            series.add(minute(at), Point::of(value));
        }
        assert_eq!(whole(&series, Statistic::Sum), Some(23));
        assert_eq!(whole(&series, Statistic::Minimum), Some(1));
        assert_eq!(whole(&series, Statistic::Maximum), Some(10));
        assert_eq!(whole(&series, Statistic::SampleCount), Some(4));
        let average = series
            .statistic(Statistic::Average, minute(0), minute(2))
            .expect("there are values");
        assert_eq!((average.numerator, average.denominator), (13, 3));
        assert_eq!(series.statistic(Statistic::Sum, minute(2), minute(3)), None);
        assert_eq!(series.points().count(), 3);
    }

    #[test]
    fn old_points_are_rolled_up_and_late_values_still_find_their_place() {
        let mut series = Series::default();
        let minutes = 100 * 24 * 60;
        for number in 0..minutes {
            series.add(minute(number), Point::of(number));
        }
        // An hour, five minutes and a minute, in the ages of each, get a late value.
        let now = minute(minutes);
        for days in [80, 30, 5] {
            series.add(
                now.saturating_sub(SimDuration::from_hours(24 * days)),
                Point::of(1_000_000_000),
            );
        }
        assert_eq!(whole(&series, Statistic::SampleCount), Some(u128::from(minutes) + 3));
        assert_eq!(
            whole(&series, Statistic::Sum),
            Some(u128::from(minutes * (minutes - 1) / 2) + 3_000_000_000)
        );
        let late: Vec<SimDuration> = series
            .points()
            .filter(|point| point.values.max == 1_000_000_000)
            .map(|point| point.length)
            .collect();
        assert_eq!(late, [60, 5, 1].map(SimDuration::from_minutes));
        let mut end = SimTime::ZERO;
        for point in series.points() {
            assert_eq!(point.start, end, "periods follow each other");
            end = point.start + point.length;
        }
        assert_eq!(end, now);
        assert!(series.minutes.len() < MINUTES_KEPT + MIDDLE);
    }

    #[test]
    fn a_series_takes_at_most_64_bytes_a_minute() {
        let mut series = Series::default();
        for number in 0..10_080 {
            series.add(minute(number), Point::of(1));
        }
        let bytes = series.minutes.capacity() * size_of::<Point>();
        assert!(bytes <= 64 * 10_080, "{bytes} bytes for a week");
    }
}
