//! Simulated time: whole nanoseconds since the start of the run. No float ever holds a time.

use core::fmt;
use core::ops::{Add, AddAssign, Sub};

/// An instant of simulated time, in nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct SimTime(u64);

/// A span of simulated time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct SimDuration(u64);

impl SimTime {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// An instant that no run reaches (584 years); stands for "never" in comparisons.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant that lies `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// The instant that lies `secs` seconds after the start.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }
    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Whole milliseconds since the start, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// The span from `earlier` to this instant; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> SimDuration {
        SimDuration(self.0.saturating_sub(earlier.0))
    }
    /// This instant plus a span; `NEVER` if that lies beyond all time.
    #[must_use]
    pub const fn saturating_add(self, span: SimDuration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
    /// This instant minus a span; the start of the run if that lies before it.
    #[must_use]
    pub const fn saturating_sub(self, span: SimDuration) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl SimDuration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The shortest span there is, one nanosecond. A call or a reply takes at least this long.
    pub const MIN: Self = Self(1);
    /// The longest span.
    pub const MAX: Self = Self(u64::MAX);
    /// One second.
    pub const SECOND: Self = Self(1_000_000_000);

    /// A span of `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }
    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros * 1_000)
    }
    /// A span of `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * 1_000_000)
    }
    /// A span of `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000_000)
    }
    /// A span of `minutes` minutes.
    pub const fn from_minutes(minutes: u64) -> Self {
        Self::from_secs(minutes * 60)
    }
    /// A span of `hours` hours.
    pub const fn from_hours(hours: u64) -> Self {
        Self::from_secs(hours * 3_600)
    }
    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }
    /// Whole milliseconds, rounded down.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000_000
    }
    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }
    /// True for the empty span.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
    /// This span `times` times over; the longest span if that overflows.
    #[must_use]
    pub const fn saturating_mul(self, times: u64) -> Self {
        Self(self.0.saturating_mul(times))
    }
    /// The sum of two spans; the longest span if that overflows.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// This span less another; zero if the other is longer.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Add<SimDuration> for SimTime {
    type Output = Self;
    /// Panics beyond 584 years of simulated time, which no scenario may ask for.
    fn add(self, span: SimDuration) -> Self {
        let Some(sum) = self.0.checked_add(span.0) else {
            panic!("simulated time overflows")
        };
        Self(sum)
    }
}
impl AddAssign<SimDuration> for SimTime {
    fn add_assign(&mut self, span: SimDuration) {
        *self = *self + span;
    }
}
impl Sub for SimTime {
    type Output = SimDuration;
    /// Panics when the right side is later: a negative span is a bug. Use `since` where it may occur.
    fn sub(self, earlier: Self) -> SimDuration {
        let Some(span) = self.0.checked_sub(earlier.0) else {
            panic!("a negative span of time")
        };
        SimDuration(span)
    }
}
impl Add for SimDuration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let Some(sum) = self.0.checked_add(other.0) else {
            panic!("a span of time overflows")
        };
        Self(sum)
    }
}

impl fmt::Display for SimDuration {
    /// Three significant digits with the unit that people would use: `250 ns`, `12.3 ms`, `4.56 s`, `1 h 02 min`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ns = self.0;
        let decimal = |f: &mut fmt::Formatter<'_>, unit: u64, name: &str| {
            let whole = ns / unit;
            let rest = ns % unit;
            if rest == 0 || whole >= 100 {
                // Rounding up may not reach the next unit's first value; the caller chose the unit for the whole part.
                write!(
                    f,
                    "{} {name}",
                    whole + u64::from(whole >= 100 && rest >= unit / 2 && unit > 1)
                )
            } else if whole >= 10 {
                write!(f, "{whole}.{} {name}", rest / (unit / 10))
            } else {
                write!(f, "{whole}.{:02} {name}", rest / (unit / 100))
            }
        };
        match ns {
            0..1_000 => write!(f, "{ns} ns"),
            1_000..1_000_000 => decimal(f, 1_000, "µs"),
            1_000_000..1_000_000_000 => decimal(f, 1_000_000, "ms"),
            1_000_000_000..60_000_000_000 => decimal(f, 1_000_000_000, "s"),
            _ => {
                let secs = ns / 1_000_000_000;
                let (days, hours, minutes, seconds) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60);
                match (days, hours, minutes, seconds) {
                    (0, 0, m, 0) => write!(f, "{m} min"),
                    (0, 0, m, s) => write!(f, "{m} min {s:02} s"),
                    (0, h, 0, 0) => write!(f, "{h} h"),
                    (0, h, m, _) => write!(f, "{h} h {m:02} min"),
                    (d, 0, 0, 0) => write!(f, "{d} d"),
                    (d, h, _, _) => write!(f, "{d} d {h:02} h"),
                }
            }
        }
    }
}

impl fmt::Display for SimTime {
    /// Clock style since the start of the run: `00:05:30.250`; days in front when there are any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0 / 1_000_000;
        let (days, h, m, s, ms) = (
            millis / 86_400_000,
            millis / 3_600_000 % 24,
            millis / 60_000 % 60,
            millis / 1_000 % 60,
            millis % 1_000,
        );
        if days > 0 {
            write!(f, "{days} d ")?;
        }
        write!(f, "{h:02}:{m:02}:{s:02}.{ms:03}")
    }
}
impl fmt::Debug for SimTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({} ns)", self.0)
    }
}
impl fmt::Debug for SimDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({} ns)", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        let show = |ns| SimDuration::from_nanos(ns).to_string();
        assert_eq!(show(250), "250 ns");
        assert_eq!(show(1_000), "1 µs");
        assert_eq!(show(12_345_678), "12.3 ms");
        assert_eq!(show(123_456_789), "123 ms");
        assert_eq!(show(4_560_000_000), "4.56 s");
        assert_eq!(show(90_000_000_000), "1 min 30 s");
        assert_eq!(show(3_720_000_000_000), "1 h 02 min");
        assert_eq!(show(86_400_000_000_000), "1 d");
    }

    #[test]
    fn instants_read_as_a_clock() {
        assert_eq!(SimTime::from_nanos(330_250_000_000).to_string(), "00:05:30.250");
        assert_eq!(SimTime::from_secs(90_000).to_string(), "1 d 01:00:00.000");
    }

    #[test]
    #[should_panic(expected = "negative span")]
    fn a_negative_span_is_a_bug() {
        let _ = SimTime::ZERO - SimTime::from_secs(1);
    }
}
