//! Timestamps of traces, as nanoseconds since 1970.

/// Reads `YYYY-MM-DD HH:MM:SS` with up to nine decimals, RFC 3339, or seconds as a number. Without a zone: UTC.
pub(crate) fn parse(text: &str) -> Option<i128> {
    if text.contains(':') {
        return civil(text);
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, decimals) = digits.split_once('.').unwrap_or((digits, "0"));
    let seconds = i128::from(number(whole, 1..=15)?);
    let nanos = seconds * 1_000_000_000 + fraction(decimals)?;
    Some(if negative { -nanos } else { nanos })
}

/// A whole number with so many digits.
fn number(text: &str, digits: core::ops::RangeInclusive<usize>) -> Option<u64> {
    let fits = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

/// Decimals of a second in nanoseconds; what is beyond the ninth is cut.
fn fraction(decimals: &str) -> Option<i128> {
    number(decimals, 1..=18)?;
    let nine: String = decimals.chars().chain("000000000".chars()).take(9).collect();
    Some(i128::from(number(&nine, 9..=9)?))
}

fn civil(text: &str) -> Option<i128> {
    let (date, time) = text.split_once([' ', 'T', 't'])?;
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4..=4)?;
    let month = number(parts.next()?, 2..=2).filter(|month| (1..=12).contains(month))?;
    let day = number(parts.next()?, 2..=2).filter(|&day| (1..=days_in(year, month)).contains(&day))?;
    if parts.next().is_some() {
        return None;
    }
    let (clock, offset) = zone(time)?;
    let (clock, decimals) = clock.split_once('.').unwrap_or((clock, "0"));
    let seconds = clock_seconds(clock, 3)?;
    let nanos = fraction(decimals)?;
    let days = i128::from(days_from_epoch(year, month, day));
    Some((days * 86_400 + i128::from(seconds) - i128::from(offset)) * 1_000_000_000 + nanos)
}

/// Seconds of `HH:MM:SS` or `HH:MM`.
fn clock_seconds(text: &str, parts: usize) -> Option<u64> {
    let fields: Vec<&str> = text.split(':').collect();
    if fields.len() != parts {
        return None;
    }
    let hours = number(fields.first()?, 2..=2).filter(|&hours| hours < 24)?;
    let minutes = number(fields.get(1)?, 2..=2).filter(|&minutes| minutes < 60)?;
    let seconds = match fields.get(2) {
        Some(seconds) => number(seconds, 2..=2).filter(|&seconds| seconds < 60)?,
        None => 0,
    };
    Some(hours * 3_600 + minutes * 60 + seconds)
}

/// Splits the zone off: the clock, and the seconds by which it is ahead of UTC.
fn zone(time: &str) -> Option<(&str, i64)> {
    let time = time.trim_end();
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock.trim_end(), 0));
    }
    let Some(sign) = time.find(['+', '-']) else {
        return Some((time, 0));
    };
    let seconds = i64::try_from(clock_seconds(&time[sign + 1..], 2)?).ok()?;
    let ahead = if time[sign..].starts_with('+') {
        seconds
    } else {
        -seconds
    };
    Some((time[..sign].trim_end(), ahead))
}

/// Days from the first day of year 1 to that of 1970.
const EPOCH: i64 = 719_162;

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_in(year: u64, month: u64) -> u64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_from_epoch(year: u64, month: u64, day: u64) -> i64 {
    let before = year.saturating_sub(1);
    // Days from the first day of year 1; year 0 was a leap year.
    let whole_years = if year == 0 {
        -366
    } else {
        signed(before * 365 + before / 4 - before / 100 + before / 400)
    };
    let months: u64 = (1..month).map(|month| days_in(year, month)).sum();
    whole_years + signed(months + day - 1) - EPOCH
}

fn signed(days: u64) -> i64 {
    i64::try_from(days).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_come_in_three_forms() {
        let check = |text, expected: Option<i128>| assert_eq!(parse(text), expected, "{text:?}");
        check("1970-01-01 00:00:00", Some(0));
        check("2023-11-16 18:17:03.9799600", Some(1_700_158_623_979_960_000));
        check("2015-02-26 21:42:53", Some(1_424_986_973_000_000_000));
        check("2000-03-01T00:00:00Z", Some(951_868_800_000_000_000));
        check("2024-02-29T01:00:00+01:00", Some(1_709_164_800_000_000_000));
        check("1969-12-31 23:59:59.5", Some(-500_000_000));
        check("12.5", Some(12_500_000_000));
        check("-3", Some(-3_000_000_000));
        for wrong in [
            "",
            "now",
            "2023-02-29 00:00:00",
            "2023-13-01 00:00:00",
            "2023-01-01 24:00:00",
            "2023-01-01 00:60:00",
            "2023-01-01",
            "1e9",
            "2023-01-01 00:00",
            "2023-01-01 00:00:00+1",
            ".",
            "2023-01-01 00:00:00.",
        ] {
            check(wrong, None);
        }
    }
}
