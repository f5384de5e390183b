//! Numbers with units, read exactly: durations, sizes, rates, ratios.

use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::SimDuration;

/// A decimal number as it was written: `digits / 10^scale`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Decimal {
    digits: u128,
    scale: u32,
}

/// Why a text is not a quantity.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unreadable {
    /// It is written otherwise.
    Malformed,
    /// It is one, but greater than any that can be counted.
    TooLarge,
}
use Unreadable::{Malformed, TooLarge};

/// Units of time in nanoseconds.
const TIMES: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("sec", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Units of size in bytes.
const SIZES: &[(&str, u64)] = &[
    ("B", 1),
    ("KB", 1_000),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
];

impl Decimal {
    /// Digits, optional decimals, underscores between digits; up to 24 digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::read(text).ok()
    }
    fn read(text: &str) -> Result<Self, Unreadable> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let dot_without_digits = text.contains('.') && (whole.is_empty() || decimals.is_empty());
        if whole.is_empty() || dot_without_digits || whole.starts_with('_') || text.ends_with('_') {
            return Err(Malformed);
        }
        let mut digits: u128 = 0;
        let mut scale = 0;
        let mut count = 0;
        let mut too_long = false;
        for (part, step) in [(whole, 0), (decimals, 1)] {
            for character in part.chars().filter(|&character| character != '_') {
                let digit = character.to_digit(10).ok_or(Malformed)?;
                if count == 24 || scale == 24 {
                    too_long = true;
                    continue;
                }
                digits = digits * 10 + u128::from(digit);
                scale += step;
                count += u32::from(digits > 0);
            }
        }
        if too_long {
            return Err(if scale == 0 { TooLarge } else { Malformed });
        }
        Ok(Self { digits, scale })
    }
    /// As a multiple of a unit's base, rounded to the nearest whole; `None` beyond 64 bits.
    pub(crate) fn times(self, unit: u64) -> Option<u64> {
        let divisor = 10_u128.pow(self.scale);
        let product = self.digits.checked_mul(u128::from(unit))?;
        u64::try_from((product + divisor / 2) / divisor).ok()
    }
    /// As a fraction in lowest terms; `None` if that takes more than 64 bits.
    pub(crate) fn ratio(self) -> Option<Ratio> {
        let (numerator, denominator) = lowest(self.digits, 10_u128.pow(self.scale));
        Some(Ratio::new(
            u64::try_from(numerator).ok()?,
            u64::try_from(denominator).ok()?,
        ))
    }
    fn is_zero(self) -> bool {
        self.digits == 0
    }
}

fn lowest(a: u128, b: u128) -> (u128, u128) {
    let (mut x, mut y) = (a, b);
    while y != 0 {
        (x, y) = (y, x % y);
    }
    (a / x.max(1), b / x.max(1))
}

/// The number and the unit at the head of a text, and the rest.
fn head<'t>(text: &'t str, units: &[(&str, u64)]) -> Result<(Decimal, u64, &'t str), Unreadable> {
    let text = text.trim_start();
    let number_end = text
        .find(|character: char| !(character.is_ascii_digit() || matches!(character, '.' | '_')))
        .ok_or(Malformed)?;
    let number = Decimal::read(&text[..number_end]);
    let rest = text[number_end..].trim_start();
    let unit_end = rest
        .find(|character: char| !character.is_alphabetic())
        .unwrap_or(rest.len());
    let known = units.iter().find(|(name, _)| *name == &rest[..unit_end]);
    let &(_, unit) = known.ok_or(Malformed)?;
    Ok((number?, unit, &rest[unit_end..]))
}

/// A duration such as `50ms` or `1h 30min`.
pub(crate) fn duration(text: &str) -> Result<SimDuration, Unreadable> {
    let mut rest = text;
    let mut sum: u64 = 0;
    let mut last_unit = u64::MAX;
    while !rest.trim().is_empty() {
        let (number, unit, tail) = head(rest, TIMES)?;
        // `1min 1h` is rather a slip than a wish.
        if unit >= last_unit {
            return Err(Malformed);
        }
        last_unit = unit;
        sum = number
            .times(unit)
            .and_then(|nanos| sum.checked_add(nanos))
            .ok_or(TooLarge)?;
        rest = tail;
    }
    if last_unit == u64::MAX {
        return Err(Malformed);
    }
    Ok(SimDuration::from_nanos(sum))
}

/// A size such as `600B` or `1.5MiB`, in bytes.
pub(crate) fn size(text: &str) -> Result<u64, Unreadable> {
    let (number, unit, rest) = head(text, SIZES)?;
    if rest.trim().is_empty() {
        number.times(unit).ok_or(TooLarge)
    } else {
        Err(Malformed)
    }
}

/// A rate such as `2400/s`, `1.5/min` or `1/5min`.
pub(crate) fn rate(text: &str) -> Result<Rate, Unreadable> {
    let (count, per) = text.split_once('/').ok_or(Malformed)?;
    let count = Decimal::read(count.trim());
    let per = per.trim();
    let per = if per.starts_with(|character: char| character.is_ascii_digit()) {
        duration(per)?
    } else {
        duration(&format!("1{per}"))?
    };
    if per.is_zero() {
        return Err(Malformed);
    }
    let count = count?;
    if count.is_zero() {
        return Ok(Rate { count: 0, per });
    }
    exact_rate(count, per).ok_or(TooLarge)
}

/// The rate in whole numbers; `None` if they take more than 64 bits.
fn exact_rate(count: Decimal, per: SimDuration) -> Option<Rate> {
    if count.scale == 0 {
        let count = u64::try_from(count.digits).ok()?;
        return Some(Rate { count, per });
    }
    let (numerator, denominator) = lowest(count.digits, 10_u128.pow(count.scale));
    let (count, per) = lowest(numerator, denominator.checked_mul(u128::from(per.as_nanos()))?);
    Some(Rate {
        count: u64::try_from(count).ok()?,
        per: SimDuration::from_nanos(u64::try_from(per).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_numbers_with_units() {
        let check = |text, expected: Option<u64>| {
            assert_eq!(duration(text).ok(), expected.map(SimDuration::from_nanos), "{text:?}");
        };
        check("50ms", Some(50_000_000));
        check("0.5s", Some(500_000_000));
        check("1h 30min", Some(5_400_000_000_000));
        check("1h30min", Some(5_400_000_000_000));
        check("100us", Some(100_000));
        check("100µs", Some(100_000));
        check("1_000 ns", Some(1_000));
        check("0s", Some(0));
        for wrong in [
            "",
            "10",
            "10m",
            "10 parsecs",
            "min",
            "-1s",
            "1..5s",
            ".5s",
            "5.s",
            "1min 1h",
            "1s 2s",
            "1e3s",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn what_cannot_be_counted_is_told_from_what_is_written_otherwise() {
        for text in [
            "99999999999999999999999d",
            "1234567890123456789012345678901234567890s",
            "300000d 300000h",
        ] {
            assert_eq!(duration(text), Err(TooLarge), "{text}");
        }
        assert_eq!(duration("1234567890123456789012345678901234567890m"), Err(Malformed));
        assert_eq!(size("18446744073709551615GiB"), Err(TooLarge));
        assert_eq!(rate("999999999999999999999999/ns"), Err(TooLarge));
        assert_eq!(rate("1/99999999999999d"), Err(TooLarge));
        assert_eq!(rate("99999999999999999999999999"), Err(Malformed));
    }

    #[test]
    fn sizes_are_binary_or_decimal() {
        let check = |text, expected| assert_eq!(size(text).ok(), expected, "{text:?}");
        check("600B", Some(600));
        check("3KB", Some(3_000));
        check("3KiB", Some(3_072));
        check("1.5 MiB", Some(1_572_864));
        for wrong in ["", "600", "600b", "1MB 2KB", "B"] {
            check(wrong, None);
        }
    }

    #[test]
    fn rates_are_exact_fractions() {
        let check = |text, expected: Option<(u64, u64)>| {
            let expected = expected.map(|(count, per)| Rate {
                count,
                per: SimDuration::from_nanos(per),
            });
            assert_eq!(rate(text).ok(), expected, "{text:?}");
        };
        check("2400/s", Some((2_400, 1_000_000_000)));
        check("1.5/s", Some((3, 2_000_000_000)));
        check("90/min", Some((90, 60_000_000_000)));
        check("1/5min", Some((1, 300_000_000_000)));
        check("0/s", Some((0, 1_000_000_000)));
        for wrong in ["", "5", "5/", "/s", "5/0s", "5/parsec", "-1/s", "5 s"] {
            check(wrong, None);
        }
    }

    #[test]
    fn ratios_come_in_lowest_terms() {
        assert_eq!(Decimal::parse("0.45").and_then(Decimal::ratio), Some(Ratio::new(9, 20)));
        assert_eq!(Decimal::parse("20").and_then(Decimal::ratio), Some(Ratio::new(20, 1)));
        assert_eq!(Decimal::parse("0").and_then(Decimal::ratio), Some(Ratio::ZERO));
        assert_eq!(Decimal::parse("1.2.3"), None);
    }
}
