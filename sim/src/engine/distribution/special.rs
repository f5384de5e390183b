//! Special functions that `libm` lacks: the normal quantile and the incomplete gamma function, in both tails.

use core::f64::consts::SQRT_2;

/// A probability and its complement, both accurate, however near to zero either is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Level {
    /// Probability below.
    pub(super) below: f64,
    /// Probability above.
    pub(super) above: f64,
}

impl Level {
    /// Whether this level lies at or above another, compared in the tail where both are accurate.
    pub(super) fn reaches(self, other: Self) -> bool {
        if other.below <= 0.5 {
            self.below >= other.below
        } else {
            self.above <= other.above
        }
    }
}

/// The level of a standard normal value.
pub(super) fn normal_level(z: f64) -> Level {
    Level {
        below: 0.5 * libm::erfc(-z / SQRT_2),
        above: 0.5 * libm::erfc(z / SQRT_2),
    }
}

/// The standard normal value at a level.
pub(super) fn normal_quantile(level: Level) -> f64 {
    let small = level.below.min(level.above);
    if small <= 0.0 {
        return if level.below <= 0.0 {
            f64::NEG_INFINITY
        } else {
            f64::INFINITY
        };
    }
    // Newton on the logarithm of the tail, which is concave: no step leaves the branch.
    let target = libm::log(small);
    let mut z = (-2.0 * target - 1.386).max(0.0).sqrt() * 0.9;
    for _ in 0..60 {
        let above = 0.5 * libm::erfc(z / SQRT_2);
        let density = libm::exp(-0.5 * z * z) * INVERSE_ROOT_OF_TWO_PI;
        let step = (libm::log(above) - target) * above / density;
        z += step;
        if step.abs() <= 1e-14 * z.abs().max(1e-2) {
            break;
        }
    }
    if level.below < level.above { -z } else { z }
}
const INVERSE_ROOT_OF_TWO_PI: f64 = 0.398_942_280_401_432_7;

/// The level of a gamma variable of this shape and scale one.
pub(super) fn gamma_level(shape: f64, x: f64) -> Level {
    if x <= 0.0 {
        return Level { below: 0.0, above: 1.0 };
    }
    let front = libm::exp(shape * libm::log(x) - x - libm::lgamma(shape));
    if x < shape + 1.0 {
        // Power series of the lower part.
        let (mut term, mut sum, mut n) = (1.0 / shape, 1.0 / shape, shape);
        while term > sum * 1e-17 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        let below = (front * sum).min(1.0);
        Level {
            below,
            above: 1.0 - below,
        }
    } else {
        let above = (front * upper_fraction(shape, x)).min(1.0);
        Level {
            below: 1.0 - above,
            above,
        }
    }
}

/// Continued fraction of the upper part, evaluated from the front with the modified Lentz rule.
fn upper_fraction(shape: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let mut denominator = x + 1.0 - shape;
    let mut forward = 1.0 / TINY;
    let mut backward = 1.0 / denominator;
    let mut fraction = backward;
    let mut step = 0.0;
    while step < 100_000.0 {
        step += 1.0;
        let numerator = -step * (step - shape);
        denominator += 2.0;
        backward = 1.0 / not_zero(numerator * backward + denominator);
        forward = not_zero(denominator + numerator / forward);
        fraction *= forward * backward;
        if (forward * backward - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}
fn not_zero(x: f64) -> f64 {
    if x.abs() < 1e-300 { 1e-300 } else { x }
}

/// The value at a level of a gamma variable of this shape and scale one.
pub(super) fn gamma_quantile(shape: f64, level: Level) -> f64 {
    if level.below <= 0.0 {
        return 0.0;
    }
    // Start: a cube of a normal value in the middle, the leading power of the density near zero.
    let cube = 1.0 - 1.0 / (9.0 * shape) + normal_quantile(level) / (3.0 * shape.sqrt());
    let power = libm::exp((libm::log(level.below) + libm::lgamma(shape + 1.0)) / shape);
    let start = if cube > 0.2 && shape > 0.5 {
        shape * cube * cube * cube
    } else {
        power
    };
    if start < 1e-280 {
        return 0.0;
    }
    let upper = level.below > 0.5;
    let target = libm::log(if upper { level.above } else { level.below });
    let log_gamma = libm::lgamma(shape);
    let (mut low, mut high) = (-700.0_f64, 700.0_f64);
    let mut y = libm::log(start);
    // Newton on logarithms of both, kept inside a bracket by bisection.
    for _ in 0..100 {
        let x = libm::exp(y);
        let found = gamma_level(shape, x);
        if found.reaches(level) {
            high = y;
        } else {
            low = y;
        }
        let tail = if upper { found.above } else { found.below };
        let slope = libm::exp(shape * y - x - log_gamma) / tail;
        let step = (libm::log(tail) - target) / if upper { slope } else { -slope };
        if step.abs() < 1e-13 * y.abs().max(1.0) || high - low < 1e-15 {
            break;
        }
        let next = y + step;
        y = if next > low && next < high {
            next
        } else {
            f64::midpoint(low, high)
        };
    }
    libm::exp(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(below: f64) -> Level {
        Level {
            below,
            above: 1.0 - below,
        }
    }

    #[test]
    fn normal_quantiles_are_those_of_the_tables() {
        for (below, expected) in [
            (0.5, 0.0),
            (0.841_344_746_068_542_9, 1.0),
            (0.975, 1.959_963_984_540_054),
            (0.01, -2.326_347_874_040_841),
        ] {
            assert!((normal_quantile(level(below)) - expected).abs() < 1e-12, "{below}");
        }
        let far = normal_quantile(Level {
            below: 1.0,
            above: 1e-14,
        });
        assert!((far - 7.650_628).abs() < 1e-5, "{far}");
        for exponent in 1..47 {
            let above = 1.0 / two_to_the(exponent);
            let z = normal_quantile(Level {
                below: 1.0 - above,
                above,
            });
            assert!((normal_level(z).above / above - 1.0).abs() < 1e-12, "{exponent}");
        }
    }

    #[test]
    fn gamma_levels_are_those_of_closed_forms() {
        for x in [1e-6, 0.1, 1.0, 1.9, 2.5, 10.0, 40.0] {
            let exponential = gamma_level(1.0, x);
            assert!((exponential.above / libm::exp(-x) - 1.0).abs() < 1e-12, "{x}");
            let erlang = gamma_level(3.0, x);
            let above = libm::exp(-x) * (1.0 + x + x * x / 2.0);
            assert!((erlang.above / above - 1.0).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn gamma_quantiles_invert_the_levels() {
        for shape in [0.01, 0.1, 0.5, 1.0, 2.5, 30.0, 10_000.0] {
            for exponent in 1..47 {
                let small = 1.0 / two_to_the(exponent);
                let x = gamma_quantile(
                    shape,
                    Level {
                        below: 1.0 - small,
                        above: small,
                    },
                );
                let found = gamma_level(shape, x).above / small;
                assert!(
                    (found - 1.0).abs() < 1e-6,
                    "shape {shape}, above 2^-{exponent}: {found}"
                );
                let x = gamma_quantile(
                    shape,
                    Level {
                        below: small,
                        above: 1.0 - small,
                    },
                );
                let found = gamma_level(shape, x).below / small;
                assert!(
                    x == 0.0 || (found - 1.0).abs() < 1e-6,
                    "shape {shape}, below 2^-{exponent}: {found}"
                );
            }
        }
    }

    fn two_to_the(exponent: u32) -> f64 {
        (0..exponent).fold(1.0, |product, _| product * 2.0)
    }
}
