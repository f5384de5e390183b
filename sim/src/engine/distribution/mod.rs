//! Distributions: parameters as people state them, compiled to integer quantile tables.
//!
//! Floats occur only here, while a scenario is compiled; logarithms and powers come from `libm`, so that every platform
//! builds the same table. A draw takes one random word and integer arithmetic.

mod law;
mod normal_grid;
mod special;
mod table;
#[cfg(test)]
mod tests;
mod unit_exponential;

pub use unit_exponential::UnitExponential;

use super::random::Stream;
pub(super) use normal_grid::NormalGrid;
use table::{QuantileTable, to_fixed};

/// A distribution of a non-negative quantity (nanoseconds, bytes), by its parameters.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same value.
    Constant(f64),
    /// Equally likely between two values.
    Uniform {
        /// Least value.
        low: f64,
        /// Greatest value.
        high: f64,
    },
    /// Exponential.
    Exponential {
        /// Mean.
        mean: f64,
    },
    /// Log-normal.
    LogNormal {
        /// Median (p50).
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Gamma.
    Gamma {
        /// Shape, between 0.01 and 10,000.
        shape: f64,
        /// Mean.
        mean: f64,
    },
    /// Pareto (type I).
    Pareto {
        /// Least value.
        scale: f64,
        /// Tail index, above 1.
        shape: f64,
    },
    /// Published percentiles, joined by straight lines: (fraction, value), increasing in both (equal values stand for
    /// an atom). Below the first point and above the last the value stays as it is.
    Percentiles(Vec<(f64, f64)>),
    /// One of several, by weight.
    Mixture(Vec<(f64, Distribution)>),
}

/// Why parameters do not make a distribution, as a sentence.
#[derive(Clone, PartialEq, Debug)]
pub struct DistributionError(pub String);
impl core::fmt::Display for DistributionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
impl core::error::Error for DistributionError {}

/// Greatest value that a parameter may have: 2^62, or 146 years in nanoseconds.
pub const GREATEST_VALUE: f64 = 4_611_686_018_427_387_904.0;
/// Fraction bits of [`Sampler::fixed`].
pub const FRACTION_BITS: u32 = 16;

/// A compiled distribution: one random word gives one value.
///
/// Within a family a greater word gives a greater value, so that variants which share a stream stay comparable.
#[derive(Clone)]
pub struct Sampler {
    form: Form,
    /// Fraction bits of the fixed-point values inside.
    fraction_bits: u32,
    /// Half of one, in those bits.
    half: u64,
    mean: f64,
}

#[derive(Clone)]
enum Form {
    /// A straight line over all words; constants have no slope.
    Line { base: u64, rise: u64 },
    /// The shared exponential table, scaled.
    Exponential { mean: u64 },
    /// A table of its own.
    Table(QuantileTable),
}

impl Distribution {
    /// Checks the parameters and builds the table.
    pub fn compile(&self) -> Result<Sampler, DistributionError> {
        self.compile_with(&mut None)
    }
    /// The same. What several log-normal tables have in common is computed for the first and kept for the others.
    pub(super) fn compile_with(&self, normal: &mut Option<NormalGrid>) -> Result<Sampler, DistributionError> {
        self.check()?;
        let line = |low: f64, high: f64| {
            let bits = fraction_bits(high);
            let base = to_fixed(low, bits);
            let form = Form::Line {
                base,
                rise: to_fixed(high, bits) - base,
            };
            Sampler::new(form, bits, f64::midpoint(low, high))
        };
        Ok(match *self {
            Self::Constant(value) => line(value, value),
            Self::Uniform { low, high } => line(low, high),
            Self::LogNormal { median, sigma: 0.0 } => line(median, median),
            Self::Exponential { mean } => {
                let bits = fraction_bits(mean * LONGEST_EXPONENTIAL);
                let form = Form::Exponential {
                    mean: to_fixed(mean, bits),
                };
                Sampler::new(form, bits, mean)
            }
            Self::LogNormal { .. }
            | Self::Gamma { .. }
            | Self::Pareto { .. }
            | Self::Percentiles(_)
            | Self::Mixture(_) => {
                let normal =
                    matches!(self, Self::LogNormal { .. }).then(|| &*normal.get_or_insert_with(NormalGrid::new));
                let (table, bits, mean) = QuantileTable::of(self, normal)?;
                Sampler::new(Form::Table(table), bits, mean)
            }
        })
    }

    /// The first thing that is wrong with the parameters, as a sentence that says what to write instead.
    fn check(&self) -> Result<(), DistributionError> {
        match self {
            Self::Constant(value) => amount("a constant", *value),
            Self::Uniform { low, high } => {
                amount("the lower bound of a uniform distribution", *low)?;
                amount("the upper bound of a uniform distribution", *high)?;
                require(low <= high, || {
                    format!("a uniform distribution goes from the lower to the upper bound, but {low} is above {high}")
                })
            }
            Self::Exponential { mean } => {
                positive("the mean of an exponential distribution", *mean)?;
                tail(*mean * LONGEST_EXPONENTIAL, GREATEST_VALUE, || {
                    format!("an exponential distribution of mean {mean}")
                })
            }
            Self::LogNormal { median, sigma } => {
                positive("the median of a log-normal distribution", *median)?;
                between("sigma of a log-normal distribution", *sigma, 0.0, 20.0)
            }
            Self::Gamma { shape, mean } => {
                positive("the mean of a gamma distribution", *mean)?;
                between("the shape of a gamma distribution", *shape, 0.01, 10_000.0)
            }
            Self::Pareto { scale, shape } => {
                positive("the scale of a Pareto distribution", *scale)?;
                require(shape.is_finite() && *shape > 1.0, || {
                    format!("the shape of a Pareto distribution must be above 1, else it has no mean, but is {shape}")
                })
            }
            Self::Percentiles(points) => check_percentiles(points),
            Self::Mixture(parts) => {
                require(!parts.is_empty(), || "a mixture needs at least one part".to_owned())?;
                for (weight, part) in parts {
                    positive("the weight of a part of a mixture", *weight)?;
                    part.check()?;
                }
                Ok(())
            }
        }
    }
}

/// The exponential table gives at most this multiple of the mean (65 ln 2, rounded up).
const LONGEST_EXPONENTIAL: f64 = 46.0;

fn check_percentiles(points: &[(f64, f64)]) -> Result<(), DistributionError> {
    require(!points.is_empty(), || {
        "a list of percentiles needs at least one point".to_owned()
    })?;
    for &(fraction, value) in points {
        between("the fraction of a percentile", fraction, 0.0, 1.0)?;
        amount("the value of a percentile", value)?;
    }
    for pair in points.windows(2) {
        let ((f0, v0), (f1, v1)) = (pair[0], pair[1]);
        require(f0 < f1, || {
            format!("percentiles must be listed in rising order, but the fraction {f1} comes after {f0}")
        })?;
        require(v0 <= v1, || {
            format!("percentiles cannot fall, but the value at {f1} is {v1}, below {v0} at {f0}")
        })?;
    }
    Ok(())
}

fn require(holds: bool, message: impl FnOnce() -> String) -> Result<(), DistributionError> {
    if holds {
        Ok(())
    } else {
        Err(DistributionError(message()))
    }
}
fn amount(what: &str, value: f64) -> Result<(), DistributionError> {
    require(value.is_finite() && value >= 0.0, || {
        format!("{what} must be a number, zero or more, but is {value}")
    })?;
    tail(value, GREATEST_VALUE, || format!("{what} of {value}"))
}
fn positive(what: &str, value: f64) -> Result<(), DistributionError> {
    require(value.is_finite() && value > 0.0, || {
        format!("{what} must be a number above zero, but is {value}")
    })?;
    tail(value, GREATEST_VALUE, || format!("{what} of {value}"))
}
fn between(what: &str, value: f64, low: f64, high: f64) -> Result<(), DistributionError> {
    require(value >= low && value <= high, || {
        format!("{what} must lie between {low} and {high}, but is {value}")
    })
}
fn tail(value: f64, limit: f64, what: impl FnOnce() -> String) -> Result<(), DistributionError> {
    require(value <= limit, || {
        format!(
            "{} reaches beyond {limit:e}, the greatest value that can be simulated",
            what()
        )
    })
}

/// As many fraction bits as the greatest value leaves room for below 2^62, at most 32.
fn fraction_bits(greatest: f64) -> u32 {
    let mut bits = 0;
    let mut scaled = greatest;
    while bits < 32 && scaled * 2.0 <= GREATEST_VALUE {
        scaled *= 2.0;
        bits += 1;
    }
    bits
}

impl Sampler {
    fn new(form: Form, fraction_bits: u32, mean: f64) -> Self {
        Self {
            form,
            fraction_bits,
            half: (1 << fraction_bits) >> 1,
            mean,
        }
    }
    /// Whether there is a table of its own, which takes time to compile.
    pub(super) const fn has_table(&self) -> bool {
        matches!(self.form, Form::Table(_))
    }
    #[cfg(test)]
    pub(super) fn shares_table_with(&self, other: &Self) -> bool {
        matches!((&self.form, &other.form), (Form::Table(one), Form::Table(other)) if one.is(other))
    }
    /// The value for a random word, in fixed point with as many bits as the distribution allows.
    #[inline]
    fn inner(&self, word: u64) -> u64 {
        match &self.form {
            Form::Line { base, rise } => base + table::high_product(*rise, word),
            Form::Exponential { mean } => table::scale(*mean, UnitExponential::sample_wide(!word)),
            Form::Table(table) => table.value(word),
        }
    }
    /// The value for a random word, rounded to the nearest whole number.
    #[inline]
    pub fn value(&self, word: u64) -> u64 {
        (self.inner(word) + self.half) >> self.fraction_bits
    }
    /// The value for a random word with [`FRACTION_BITS`] fraction bits, so that sums of short times carry no rounding
    /// bias. At most 2^64 - 1, which is 78 hours in nanoseconds: for longer times use `value`.
    #[inline]
    pub fn fixed(&self, word: u64) -> u64 {
        let inner = self.inner(word);
        if self.fraction_bits >= FRACTION_BITS {
            inner >> (self.fraction_bits - FRACTION_BITS)
        } else {
            inner.saturating_mul(1 << (FRACTION_BITS - self.fraction_bits))
        }
    }
    /// Turns 32-bit words into values in place, at most 2^32 - 1: what [`value`](Self::value) gives for the middle of
    /// what a word stands for. The form is looked up once for all.
    pub fn fill(&self, column: &mut [u32]) {
        match &self.form {
            Form::Line { base, rise } => match (self.whole(*base), self.whole(*rise)) {
                (Some(base), Some(rise)) if base.checked_add(rise).is_some() => fill_whole_line(column, base, rise),
                _ => self.replace(column, |word| base + table::high_product(*rise, word)),
            },
            Form::Exponential { mean } => {
                self.replace(column, |word| table::scale(*mean, UnitExponential::sample_wide(!word)));
            }
            Form::Table(table) => self.replace(column, |word| table.value(word)),
        }
    }
    /// Turns 64-bit words into values in place: what [`value`](Self::value) gives. The form is looked up once for all.
    pub fn values(&self, words: &mut [u64]) {
        match &self.form {
            Form::Line { base, rise } => self.replace_words(words, |word| base + table::high_product(*rise, word)),
            Form::Exponential { mean } => {
                self.replace_words(words, |word| table::scale(*mean, UnitExponential::sample_wide(!word)));
            }
            Form::Table(table) => self.replace_words(words, |word| table.value(word)),
        }
    }
    #[inline]
    fn replace_words(&self, words: &mut [u64], inner: impl Fn(u64) -> u64) {
        for word in words {
            *word = (inner(*word) + self.half) >> self.fraction_bits;
        }
    }
    /// A whole number in the fixed point of this sampler, if it is one and has 32 fraction bits.
    fn whole(&self, fixed: u64) -> Option<u32> {
        let whole = u32::try_from(fixed >> 32).ok()?;
        (self.fraction_bits == 32 && u64::from(whole) << 32 == fixed).then_some(whole)
    }
    #[inline]
    fn replace(&self, column: &mut [u32], inner: impl Fn(u64) -> u64) {
        for word in column {
            let value = (inner(u64::from(*word) << 32 | 1 << 31) + self.half) >> self.fraction_bits;
            *word = u32::try_from(value).unwrap_or(u32::MAX);
        }
    }
    /// Draws a value.
    #[inline]
    pub fn draw(&self, stream: &mut Stream) -> u64 {
        self.value(stream.word())
    }
    /// The mean of the table, for reports and checks; the distribution's own to 1e-4.
    pub const fn mean(&self) -> f64 {
        self.mean
    }
    /// The value below which a draw falls with the probability `fraction`, between 0 and 1; for reports.
    pub fn quantile(&self, fraction: f64) -> u64 {
        self.value(table::word_at(fraction))
    }
}
/// The general rule for a line between whole numbers, without fractions: half-size products, several at a time.
fn fill_whole_line(column: &mut [u32], base: u32, rise: u32) {
    let half = u64::from(rise / 2) + (1 << 31);
    for word in column {
        *word = base + high_half(u64::from(*word) * u64::from(rise) + half);
    }
}

#[inline]
#[expect(clippy::as_conversions, reason = "the high half of 64 bits has 32")]
const fn high_half(value: u64) -> u32 {
    (value >> 32) as u32
}

impl core::fmt::Debug for Sampler {
    /// The mean and two percentiles; the table itself would fill pages.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Sampler")
            .field("mean", &self.mean)
            .field("p50", &self.quantile(0.5))
            .field("p99", &self.quantile(0.99))
            .finish_non_exhaustive()
    }
}
