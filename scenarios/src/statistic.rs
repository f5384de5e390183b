//! Units and statistics of metrics.

use core::fmt;

/// What a metric's values are measured in. Values are handed over and compared in this unit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Bytes.
    Bytes,
    /// Milliseconds.
    Milliseconds,
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "",
            Self::Bytes => " B",
            Self::Milliseconds => " ms",
        })
    }
}

/// How the values of a period become one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Statistic {
    /// Sum of the values.
    Sum,
    /// Mean.
    Average,
    /// Least value.
    Minimum,
    /// Greatest value.
    Maximum,
    /// Number of values.
    SampleCount,
    /// A percentile, in thousandths of a per cent: 99_900 is p99.9.
    Percentile(u32),
}

impl Statistic {
    /// All but the percentiles.
    pub const PLAIN: &[Self] = &[
        Self::Sum,
        Self::Average,
        Self::Minimum,
        Self::Maximum,
        Self::SampleCount,
    ];

    /// The statistic with CloudWatch's name for it, `p` and a number for percentiles.
    pub fn from_name(name: &str) -> Option<Self> {
        let plain = Self::PLAIN
            .iter()
            .copied()
            .find(|statistic| statistic.to_string() == name);
        plain.or_else(|| {
            let number = name.strip_prefix('p')?;
            let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
            let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
            let ends_well = number.ends_with(|character: char| character.is_ascii_digit());
            if whole.is_empty() || !ends_well || decimals.len() > 3 || !digits(whole) || !digits(decimals) {
                return None;
            }
            let thousandths: u32 = format!("{decimals:0<3}").parse().ok()?;
            let percent: u32 = whole.parse().ok()?;
            let value = percent.checked_mul(1_000)?.checked_add(thousandths)?;
            (value <= 100_000).then_some(Self::Percentile(value))
        })
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sum => f.write_str("Sum"),
            Self::Average => f.write_str("Average"),
            Self::Minimum => f.write_str("Minimum"),
            Self::Maximum => f.write_str("Maximum"),
            Self::SampleCount => f.write_str("SampleCount"),
            Self::Percentile(thousandths) => {
                let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
                if rest == 0 {
                    write!(f, "p{whole}")
                } else {
                    let decimals = format!("{rest:03}");
                    write!(f, "p{whole}.{}", decimals.trim_end_matches('0'))
                }
            }
        }
    }
}

/// What a metric is, which decides its statistics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sort {
    /// Values add up; percentiles say nothing.
    Counter,
    /// Each value stands for one event: a duration, an age. Kept as sum, number, least and greatest value.
    Timing,
    /// The same, and all its values are kept, so that there are percentiles.
    Distribution,
    /// A level that goes up and down; sums say nothing.
    Gauge,
}

impl Sort {
    /// The statistic makes sense for such a metric.
    pub const fn has(self, statistic: Statistic) -> bool {
        match (self, statistic) {
            (Self::Counter | Self::Gauge | Self::Timing, Statistic::Percentile(_)) | (Self::Gauge, Statistic::Sum) => {
                false
            }
            (Self::Counter | Self::Gauge | Self::Timing | Self::Distribution, _) => true,
        }
    }
    /// The statistics in words.
    pub const fn statistics(self) -> &'static str {
        match self {
            Self::Counter | Self::Timing => "Sum, Average, Minimum, Maximum and SampleCount",
            Self::Distribution => "Sum, Average, Minimum, Maximum, SampleCount and percentiles such as p99",
            Self::Gauge => "Average, Minimum, Maximum and SampleCount",
        }
    }
}
