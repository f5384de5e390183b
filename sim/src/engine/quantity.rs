//! Integers with units: bytes, rates, ratios.

use super::time::SimDuration;
use core::fmt;

/// One KiB.
pub const KIB: u64 = 1_024;
/// One MiB.
pub const MIB: u64 = 1_024 * KIB;

/// A number of bytes, displayed in binary units.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, Debug)]
pub struct ByteCount(pub u64);

impl fmt::Display for ByteCount {
    /// `512 B`, `1.5 KiB`, `3.2 MiB`, `1.1 GiB`: one decimal, rounded down.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let show = |f: &mut fmt::Formatter<'_>, unit: u64, name: &str| {
            let tenths = u128::from(self.0) * 10 / u128::from(unit);
            if tenths % 10 == 0 {
                write!(f, "{} {name}", tenths / 10)
            } else {
                write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
            }
        };
        match self.0 {
            0..KIB => write!(f, "{} B", self.0),
            KIB..MIB => show(f, KIB, "KiB"),
            MIB..1_073_741_824 => show(f, MIB, "MiB"),
            _ => show(f, 1_073_741_824, "GiB"),
        }
    }
}

/// So many events in a span of time; kept as a fraction, so that "3 per minute" is exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Rate {
    /// Number of events.
    pub count: u64,
    /// In this span. Never zero.
    pub per: SimDuration,
}

impl Rate {
    /// No events at all.
    pub const ZERO: Self = Self {
        count: 0,
        per: SimDuration::SECOND,
    };

    /// `count` events a second.
    pub const fn per_second(count: u64) -> Self {
        Self {
            count,
            per: SimDuration::SECOND,
        }
    }
    /// True when no event ever happens.
    pub const fn is_zero(self) -> bool {
        self.count == 0
    }
    /// Events per second, for reports.
    #[expect(clippy::as_conversions, reason = "a report may round")]
    pub fn as_per_second(self) -> f64 {
        self.count as f64 * 1e9 / self.per.as_nanos() as f64
    }
    /// This rate times a ratio, exact as long as the terms fit 64 bits; terms that do not are halved together.
    #[must_use]
    pub fn scaled(self, by: Ratio) -> Self {
        let mut count = u128::from(self.count) * u128::from(by.numerator);
        let mut per = u128::from(self.per.as_nanos()) * u128::from(by.denominator);
        let common = gcd(count, per).max(1);
        count /= common;
        per /= common;
        while count > u128::from(u64::MAX) || per > u128::from(u64::MAX) {
            count /= 2;
            per = (per / 2).max(1);
        }
        match (u64::try_from(count), u64::try_from(per)) {
            (Ok(count), Ok(per)) => Self {
                count,
                per: SimDuration::from_nanos(per),
            },
            _ => Self::ZERO,
        }
    }
}

fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.per == SimDuration::SECOND {
            write!(f, "{}/s", self.count)
        } else {
            write!(f, "{} per {}", self.count, self.per)
        }
    }
}

/// A fraction of two integers. As a probability it lies in 0..=1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Ratio {
    /// Numerator.
    pub numerator: u64,
    /// Denominator. Never zero.
    pub denominator: u64,
}

impl Ratio {
    /// Zero.
    pub const ZERO: Self = Self {
        numerator: 0,
        denominator: 1,
    };
    /// One.
    pub const ONE: Self = Self {
        numerator: 1,
        denominator: 1,
    };

    /// `numerator / denominator`.
    pub const fn new(numerator: u64, denominator: u64) -> Self {
        assert!(denominator > 0, "a ratio needs a denominator");
        Self { numerator, denominator }
    }
    /// The nearest ratio over 10^9, from a parameter given as a float between 0 and 10^9.
    pub fn from_f64(value: f64) -> Self {
        let clamped = value.clamp(0.0, 1e9);
        #[expect(clippy::as_conversions, reason = "clamped to the range of u64 in the line above")]
        Self::new((clamped * 1e9 + 0.5) as u64, 1_000_000_000)
    }
    /// For reports.
    #[expect(clippy::as_conversions, reason = "a report may round")]
    pub fn as_f64(self) -> f64 {
        self.numerator as f64 / self.denominator as f64
    }
    /// True for zero.
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }
    /// The threshold `t` such that a uniform 64-bit word below `t` happens with this probability; `None` for certainty.
    pub fn threshold(self) -> Option<u64> {
        if self.numerator >= self.denominator {
            return None;
        }
        u64::try_from((u128::from(self.numerator) << 64) / u128::from(self.denominator)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_read_in_binary_units() {
        assert_eq!(ByteCount(512).to_string(), "512 B");
        assert_eq!(ByteCount(1_536).to_string(), "1.5 KiB");
        assert_eq!(ByteCount(MIB).to_string(), "1 MiB");
    }

    #[test]
    fn a_scaled_rate_is_exact() {
        assert_eq!(
            Rate::per_second(3).scaled(Ratio::new(1, 2)),
            Rate {
                count: 3,
                per: SimDuration::from_secs(2)
            }
        );
        assert_eq!(
            Rate::per_second(10).scaled(Ratio::new(3, 1)),
            Rate {
                count: 3,
                per: SimDuration::from_millis(100)
            }
        );
    }

    #[test]
    fn a_probability_becomes_a_threshold() {
        assert_eq!(Ratio::new(1, 2).threshold(), Some(1 << 63));
        assert_eq!(Ratio::ZERO.threshold(), Some(0));
        assert_eq!(Ratio::ONE.threshold(), None);
    }
}
