//! Closed forms of the distributions: quantile, level, mean and expectation of the tail.

use super::Distribution;
use super::special::{Level, gamma_level, gamma_quantile, normal_level, normal_quantile};

impl Distribution {
    /// The mean by its closed form.
    pub fn mean(&self) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => f64::midpoint(*low, *high),
            Self::Exponential { mean } | Self::Gamma { mean, .. } => *mean,
            Self::LogNormal { median, sigma } => median * libm::exp(sigma * sigma / 2.0),
            Self::Pareto { scale, shape } => scale * shape / (shape - 1.0),
            Self::Percentiles(points) => percentile_mean(points),
            Self::Mixture(parts) => mixed(parts, Self::mean),
        }
    }
    /// The greatest value; `None` if there is none.
    pub(super) fn greatest(&self) -> Option<f64> {
        match self {
            Self::Constant(value) => Some(*value),
            Self::Uniform { high, .. } => Some(*high),
            Self::Percentiles(points) => points.last().map(|&(_, value)| value),
            Self::LogNormal { median, sigma: 0.0 } => Some(*median),
            Self::Exponential { .. } | Self::LogNormal { .. } | Self::Gamma { .. } | Self::Pareto { .. } => None,
            Self::Mixture(parts) => parts
                .iter()
                .try_fold(0.0_f64, |greatest, (_, part)| Some(part.greatest()?.max(greatest))),
        }
    }
    /// The value at a level: the least that is reached with at least the probability `below`.
    pub(super) fn quantile(&self, level: Level) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Uniform { low, high } => low + (high - low) * level.below,
            Self::Exponential { mean } if level.below <= 0.5 => -mean * libm::log1p(-level.below),
            Self::Exponential { mean } => -mean * libm::log(level.above),
            Self::LogNormal { median, sigma: 0.0 } => *median,
            Self::LogNormal { median, sigma } => median * libm::exp(sigma * normal_quantile(level)),
            Self::Gamma { shape, mean } => mean / shape * gamma_quantile(*shape, level),
            Self::Pareto { scale, shape } => scale * libm::pow(level.above, -1.0 / shape),
            Self::Percentiles(points) => percentile_value(points, level.below),
            Self::Mixture(parts) => self.mixture_quantile(parts, level),
        }
    }
    /// The probabilities of values up to `x` and beyond it; `x` itself counts as below if `inclusive`.
    pub(super) fn level(&self, x: f64, inclusive: bool) -> Level {
        const NONE: Level = Level { below: 0.0, above: 1.0 };
        const ALL: Level = Level { below: 1.0, above: 0.0 };
        match self {
            Self::Constant(value)
            | Self::LogNormal {
                median: value,
                sigma: 0.0,
            } => {
                if x > *value || inclusive && x >= *value {
                    ALL
                } else {
                    NONE
                }
            }
            Self::Uniform { low, high } if low < high => {
                let below = ((x - low) / (high - low)).clamp(0.0, 1.0);
                let above = ((high - x) / (high - low)).clamp(0.0, 1.0);
                Level { below, above }
            }
            Self::Uniform { low, .. } => Self::Constant(*low).level(x, inclusive),
            Self::Exponential { mean } if x > 0.0 => Level {
                below: -libm::expm1(-x / mean),
                above: libm::exp(-x / mean),
            },
            Self::LogNormal { median, sigma } if x > 0.0 => normal_level(libm::log(x / median) / sigma),
            Self::Gamma { shape, mean } => gamma_level(*shape, x * shape / mean),
            Self::Pareto { scale, shape } if x > *scale => {
                let above = libm::pow(scale / x, *shape);
                Level {
                    below: -libm::expm1(-shape * libm::log(x / scale)),
                    above,
                }
            }
            Self::Exponential { .. } | Self::LogNormal { .. } | Self::Pareto { .. } => NONE,
            Self::Percentiles(points) => {
                let below = percentile_level(points, x, inclusive);
                Level {
                    below,
                    above: 1.0 - below,
                }
            }
            Self::Mixture(parts) => Level {
                below: mixed(parts, |part| part.level(x, inclusive).below),
                above: mixed(parts, |part| part.level(x, inclusive).above),
            },
        }
    }
    /// The part of the mean that comes from values beyond `x`.
    pub(super) fn tail_expectation(&self, x: f64) -> f64 {
        match self {
            Self::Constant(value)
            | Self::LogNormal {
                median: value,
                sigma: 0.0,
            } => {
                if *value > x {
                    *value
                } else {
                    0.0
                }
            }
            Self::Uniform { low, high } => self.level(x, true).above * f64::midpoint(x.clamp(*low, *high), *high),
            Self::Exponential { mean } => (x + mean) * libm::exp(-x / mean),
            Self::LogNormal { median, sigma } => {
                let z = libm::log(x / median) / sigma;
                self.mean() * normal_level(z - sigma).above
            }
            Self::Gamma { shape, mean } => mean * gamma_level(shape + 1.0, x * shape / mean).above,
            Self::Pareto { scale, shape } => self.mean() * libm::pow(scale / x.max(*scale), shape - 1.0),
            Self::Percentiles(points) => {
                let level = percentile_level(points, x, true);
                percentile_mean_above(points, level)
            }
            Self::Mixture(parts) => mixed(parts, |part| part.tail_expectation(x)),
        }
    }
    /// Adds the values at which the quantile function may jump or bend.
    pub(super) fn corners(&self, corners: &mut Vec<f64>) {
        match self {
            Self::Constant(value) => corners.push(*value),
            Self::Uniform { low, high } => corners.extend([*low, *high]),
            Self::Exponential { .. } | Self::Gamma { .. } => corners.push(0.0),
            Self::LogNormal { median, sigma } => corners.push(if *sigma > 0.0 { 0.0 } else { *median }),
            Self::Pareto { scale, .. } => corners.push(*scale),
            Self::Percentiles(points) => corners.extend(points.iter().map(|&(_, value)| value)),
            Self::Mixture(parts) => {
                for (_, part) in parts {
                    part.corners(corners);
                }
            }
        }
    }
    /// Bisection between the least and the greatest of the parts' quantiles at the same level.
    fn mixture_quantile(&self, parts: &[(f64, Self)], level: Level) -> f64 {
        let (mut low, mut high) = (f64::INFINITY, 0.0_f64);
        for (_, part) in parts {
            let value = part.quantile(level);
            low = low.min(value);
            high = high.max(value);
        }
        if self.level(low, true).reaches(level) {
            return low;
        }
        while high - low > 1e-13 * high {
            let middle = f64::midpoint(low, high);
            if middle <= low || middle >= high {
                break;
            }
            if self.level(middle, true).reaches(level) {
                high = middle;
            } else {
                low = middle;
            }
        }
        high
    }
}

/// The weighted mean over the parts of a mixture.
fn mixed(parts: &[(f64, Distribution)], of: impl Fn(&Distribution) -> f64) -> f64 {
    let total: f64 = parts.iter().map(|(weight, _)| weight).sum();
    parts.iter().map(|(weight, part)| weight / total * of(part)).sum()
}

fn percentile_value(points: &[(f64, f64)], below: f64) -> f64 {
    let next = points.partition_point(|&(fraction, _)| fraction < below);
    match (next.checked_sub(1).and_then(|last| points.get(last)), points.get(next)) {
        (Some(&(f0, v0)), Some(&(f1, v1))) => {
            // Exact at both ends.
            let share = (below - f0) / (f1 - f0);
            if share >= 1.0 { v1 } else { v0 + (v1 - v0) * share }
        }
        (Some(&(_, value)), None) | (None, Some(&(_, value))) => value,
        (None, None) => 0.0,
    }
}

fn percentile_level(points: &[(f64, f64)], x: f64, inclusive: bool) -> f64 {
    let next = points.partition_point(|&(_, value)| value < x || inclusive && value <= x);
    match (next.checked_sub(1).and_then(|last| points.get(last)), points.get(next)) {
        (Some(&(f0, v0)), Some(&(f1, v1))) => f0 + (f1 - f0) * ((x - v0) / (v1 - v0)).clamp(0.0, 1.0),
        (None, _) => 0.0,
        (Some(_), None) => 1.0,
    }
}

fn percentile_mean(points: &[(f64, f64)]) -> f64 {
    percentile_mean_above(points, 0.0)
}
/// The integral of the quantile function from `level` to 1.
fn percentile_mean_above(points: &[(f64, f64)], level: f64) -> f64 {
    let inner = points.iter().map(|&(fraction, _)| fraction).filter(|&f| f > level);
    let mut sum = 0.0;
    let mut last = level;
    for fraction in inner.chain([1.0]) {
        sum += (fraction - last) * f64::midpoint(percentile_value(points, last), percentile_value(points, fraction));
        last = fraction;
    }
    sum
}
