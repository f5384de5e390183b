//! What every compiled distribution must satisfy.
#![expect(clippy::as_conversions, reason = "compares integers with closed forms in floats")]

use super::special::{gamma_level, normal_level};
use super::*;
use crate::engine::random::RandomStreams;
use Distribution::{Constant, Exponential, Gamma, LogNormal, Mixture, Pareto, Percentiles, Uniform};
use core::fmt::Write;

/// A spread of every family, in nanoseconds: (name, distribution).
fn families() -> Vec<(&'static str, Distribution)> {
    let log_normal = |median, sigma| LogNormal { median, sigma };
    vec![
        ("constant", Constant(1_234.5)),
        ("uniform", Uniform { low: 5e6, high: 7e6 }),
        ("exponential", Exponential { mean: 412.7 }),
        ("narrow log-normal", log_normal(2e7, 0.1)),
        ("log-normal", log_normal(2e7, 0.595_9)),
        ("wide log-normal", log_normal(2e4, 3.0)),
        ("gamma 0.1", Gamma { shape: 0.1, mean: 1e6 }),
        ("gamma 2.5", Gamma { shape: 2.5, mean: 1e6 }),
        (
            "gamma 400",
            Gamma {
                shape: 400.0,
                mean: 1e6,
            },
        ),
        (
            "Pareto 3",
            Pareto {
                scale: 100.0,
                shape: 3.0,
            },
        ),
        ("Pareto 1.5", Pareto { scale: 1e6, shape: 1.5 }),
        (
            "Pareto 1.05",
            Pareto {
                scale: 1e6,
                shape: 1.05,
            },
        ),
        ("percentiles", percentiles()),
        (
            "mixture of atoms",
            Mixture(vec![(0.9, Constant(1e7)), (0.1, Constant(1e9))]),
        ),
        (
            "mixture far apart",
            Mixture(vec![(0.97, log_normal(1e7, 0.3)), (0.03, log_normal(3e9, 0.4))]),
        ),
        (
            "mixture of all kinds",
            Mixture(vec![
                (3.0, Exponential { mean: 5e6 }),
                (1.0, Uniform { low: 1e6, high: 2e6 }),
                (1.0, percentiles()),
                (0.5, Constant(3e6)),
                (0.01, Pareto { scale: 1e8, shape: 1.8 }),
                (
                    1.0,
                    Mixture(vec![(1.0, Gamma { shape: 3.0, mean: 1e7 }), (1.0, Constant(0.0))]),
                ),
            ]),
        ),
    ]
}
fn percentiles() -> Distribution {
    Percentiles(vec![
        (0.0, 1e6),
        (0.01, 2e6),
        (0.5, 1e7),
        (0.9, 1.5e7),
        (0.99, 8e7),
        (0.999, 2e8),
        (1.0, 9e8),
    ])
}

#[test]
fn the_mean_is_exact_to_a_part_in_ten_thousand_in_every_family() {
    for (name, distribution) in families() {
        let sampler = distribution.compile().expect("valid parameters");
        let error = sampler.mean() / distribution.mean() - 1.0;
        assert!(error.abs() < 1e-4, "{name}: off by {error:e}");
    }
}

#[test]
fn the_mean_that_the_sampler_states_is_the_mean_of_its_values() {
    for (name, distribution) in families() {
        let sampler = distribution.compile().expect("valid parameters");
        // Every octave at both ends by its own midpoint sum, so that tails are seen too.
        let (mut mean, mut values) = (0.0, 0.0);
        for octave in 0..47_u32 {
            let width = if octave == 46 { 1_u64 << 17 } else { 1 << (62 - octave) };
            let begin = if octave == 46 { 0 } else { width };
            let steps = (width >> 1).min(1 << 13);
            let step = width / steps;
            let mut sum = 0.0;
            for i in 0..steps {
                let word = begin + i * step + step / 2;
                for word in [word, !word] {
                    sum += sampler.inner(word) as f64;
                    values += sampler.value(word) as f64 * step as f64;
                }
            }
            mean += sum * step as f64;
        }
        let all = 2.0_f64 * 9_223_372_036_854_775_808.0;
        let one = (1_u64 << sampler.fraction_bits) as f64;
        let error = mean / all / one / sampler.mean() - 1.0;
        let jumps = name.starts_with("mixture"); // the sum steps over them
        assert!(
            error.abs() < if jumps { 5e-5 } else { 1e-6 },
            "{name}: off by {error:e}"
        );
        let error = (values / all - sampler.mean()) / sampler.mean();
        assert!(
            error.abs() < 1e-4 || name == "constant",
            "{name}: whole numbers off by {error:e}"
        );
    }
}

#[test]
fn quantiles_are_those_of_the_closed_form_far_into_both_tails() {
    for (name, distribution) in families() {
        let sampler = distribution.compile().expect("valid parameters");
        let atoms = matches!(distribution, Mixture(_));
        for octave in 1..40_u32 {
            let word = 1_u64 << (64 - octave) | 0x0123_4567_89AB_CDEF >> octave;
            for (word, upper) in [(word, false), (!word, true)] {
                if atoms && !upper {
                    continue; // jumps are tested by the level below
                }
                let small = if upper { !word } else { word } as f64 / 18_446_744_073_709_551_616.0;
                let level = special::Level {
                    below: if upper { 1.0 - small } else { small },
                    above: if upper { small } else { 1.0 - small },
                };
                let expected = distribution.quantile(level);
                let found = sampler.inner(word) as f64 / (1_u64 << sampler.fraction_bits) as f64;
                let error = (found - expected).abs();
                // Where the tail is cut to keep its mean (Pareto near 1), quantiles beyond are not the closed form's.
                let cut = name == "Pareto 1.05" && octave > 30 && upper;
                assert!(
                    error < 1e-3 * expected + 1e-6 * distribution.mean().min(1e9) || cut,
                    "{name} at 2^-{octave} {upper}: {found} for {expected}"
                );
            }
        }
    }
}

#[test]
fn values_never_fall_as_words_rise() {
    for (name, distribution) in families() {
        let sampler = distribution.compile().expect("valid parameters");
        let mut last = 0;
        for step in 0..400_000_u64 {
            let value = sampler.inner(step << 45 | step);
            if step << 45 >> 45 == step {
                assert!(value >= last, "{name} at step {step}");
                last = value;
            }
        }
        let mut last = sampler.inner(u64::MAX);
        for shift in (1..64).rev() {
            let value = sampler.inner(u64::MAX >> shift << shift >> 1 | 1 << 63);
            assert!(value <= sampler.inner(u64::MAX), "{name} at 2^-{shift}");
            last = last.max(value);
        }
        assert_eq!(last, sampler.inner(u64::MAX), "{name}");
    }
}

/// Kolmogorov-Smirnov at the 1 % level against the closed form of the cumulative distribution.
fn assert_kolmogorov_smirnov(name: &str, distribution: &Distribution, level: impl Fn(f64) -> f64) {
    const DRAWS: u32 = 100_000;
    let sampler = distribution.compile().expect("valid parameters");
    let mut stream = RandomStreams::new(1, 0).stream(name).expect("free");
    let mut values: Vec<u64> = (0..DRAWS).map(|_| sampler.draw(&mut stream)).collect();
    values.sort_unstable();
    let draws = f64::from(DRAWS);
    let mut distance = 0.0_f64;
    for (rank, &value) in (0_u32..).zip(&values) {
        let below = level(value as f64);
        distance = distance
            .max((below - f64::from(rank) / draws).abs())
            .max((below - f64::from(rank + 1) / draws).abs());
    }
    assert!(distance < 1.628 / draws.sqrt(), "{name}: distance {distance}");
}

#[test]
fn a_hundred_thousand_draws_pass_kolmogorov_smirnov_in_every_continuous_family() {
    let mean = 1e6;
    assert_kolmogorov_smirnov("exponential", &Exponential { mean }, |x| 1.0 - libm::exp(-x / mean));
    assert_kolmogorov_smirnov("uniform", &Uniform { low: mean, high: 3e6 }, |x| (x - mean) / 2e6);
    assert_kolmogorov_smirnov(
        "log-normal",
        &LogNormal {
            median: 2e7,
            sigma: 0.6,
        },
        |x| normal_level(libm::log(x / 2e7) / 0.6).below,
    );
    assert_kolmogorov_smirnov("gamma", &Gamma { shape: 2.0, mean }, |x| {
        let y = 2.0 * x / mean;
        1.0 - libm::exp(-y) * (1.0 + y)
    });
    assert_kolmogorov_smirnov("small gamma", &Gamma { shape: 0.5, mean }, |x| {
        gamma_level(0.5, 0.5 * (x + 0.5) / mean).below // whole nanoseconds: half a unit up
    });
    assert_kolmogorov_smirnov(
        "pareto",
        &Pareto {
            scale: mean,
            shape: 1.5,
        },
        |x| 1.0 - libm::pow(mean / x, 1.5),
    );
    let parts = vec![(0.75, Exponential { mean }), (0.25, Uniform { low: 5e6, high: 6e6 })];
    assert_kolmogorov_smirnov("mixture", &Mixture(parts), |x| {
        0.75 * (1.0 - libm::exp(-x / mean)) + 0.25 * ((x - 5e6) / 1e6).clamp(0.0, 1.0)
    });
}

#[test]
fn percentiles_are_exact_at_the_given_points_and_straight_between() {
    let points = [
        (0.0, 7.0),
        (0.013, 900.0),
        (0.5, 1_000.0),
        (0.987, 5_000.0),
        (1.0, 123_456.0),
    ];
    let sampler = Percentiles(points.to_vec()).compile().expect("valid parameters");
    for (fraction, value) in points {
        assert!((sampler.quantile(fraction) as f64 - value).abs() < 0.6, "{fraction}");
    }
    for pair in points.windows(2) {
        let ((f0, v0), (f1, v1)) = (pair[0], pair[1]);
        for part in 1..50 {
            let share = f64::from(part) / 50.0;
            let expected = v0 + (v1 - v0) * share;
            let found = sampler.quantile(f0 + (f1 - f0) * share) as f64;
            assert!((found - expected).abs() < 0.6, "{found} for {expected}");
        }
    }
}

#[test]
fn below_the_first_and_above_the_last_percentile_the_value_stays() {
    let sampler = Percentiles(vec![(0.5, 100.0), (0.9, 300.0)]).compile().expect("valid");
    assert_eq!(
        [0.0, 0.3, 0.5, 0.7, 0.9, 0.95, 1.0].map(|f| sampler.quantile(f)),
        [100, 100, 100, 200, 300, 300, 300]
    );
    assert!((sampler.mean() - (50.0 + 80.0 + 30.0)).abs() < 1e-6);
}

#[test]
fn a_mixture_of_constants_has_their_exact_shares_and_nothing_between() {
    let sampler = Mixture(vec![(0.9, Constant(10.0)), (0.1, Constant(1_000.0))])
        .compile()
        .expect("valid");
    let edge = 0xE666_6666_6666_6000; // nine tenths of all words, a little less
    assert_eq!(sampler.value(edge), 10);
    assert_eq!(sampler.value(edge + (1 << 16)), 1_000);
    assert_eq!(sampler.value(0), 10);
    assert_eq!(sampler.value(u64::MAX), 1_000);
}

#[test]
fn an_exponential_tail_has_no_memory() {
    let sampler = Exponential { mean: 1e9 }.compile().expect("valid");
    for octave in 0..45_u32 {
        // Half the mass further out, the value is ln 2 of a mean greater.
        let near = sampler.value(!(u64::MAX >> octave >> 3));
        let far = sampler.value(!(u64::MAX >> octave >> 4));
        assert!((far - near).abs_diff(693_147_181) < 400_000, "{octave}: {}", far - near);
    }
}

#[test]
fn fixed_point_carries_what_whole_numbers_round_away() {
    let sampler = Constant(412.75).compile().expect("valid");
    assert_eq!(sampler.value(5), 413);
    assert_eq!(sampler.fixed(5), 412 << FRACTION_BITS | 3 << (FRACTION_BITS - 2));
    let long = Constant(8.64e13).compile().expect("a day");
    assert_eq!(long.fixed(5), 86_400_000_000_000 << FRACTION_BITS);
    let longer = Constant(8.64e16).compile().expect("a thousand days");
    assert_eq!(longer.value(5), 86_400_000_000_000_000);
    assert_eq!(
        longer.fixed(5),
        u64::MAX,
        "beyond 78 hours the fixed form says so by its greatest value"
    );
}

#[test]
fn wrong_parameters_are_refused_with_a_sentence() {
    let refused = |distribution: Distribution, message: &str| {
        assert_eq!(
            distribution.compile().map(|_| ()),
            Err(DistributionError(message.to_owned()))
        );
    };
    refused(Constant(-1.0), "a constant must be a number, zero or more, but is -1");
    refused(
        Constant(f64::NAN),
        "a constant must be a number, zero or more, but is NaN",
    );
    refused(
        Constant(1e19),
        "a constant of 10000000000000000000 reaches beyond 4.611686018427388e18, the greatest value that can be simulated",
    );
    refused(
        Uniform { low: 3.0, high: 2.0 },
        "a uniform distribution goes from the lower to the upper bound, but 3 is above 2",
    );
    refused(
        Exponential { mean: 0.0 },
        "the mean of an exponential distribution must be a number above zero, but is 0",
    );
    refused(
        LogNormal {
            median: 5.0,
            sigma: -0.1,
        },
        "sigma of a log-normal distribution must lie between 0 and 20, but is -0.1",
    );
    refused(
        Gamma { shape: 0.0, mean: 5.0 },
        "the shape of a gamma distribution must lie between 0.01 and 10000, but is 0",
    );
    refused(
        Pareto { scale: 5.0, shape: 1.0 },
        "the shape of a Pareto distribution must be above 1, else it has no mean, but is 1",
    );
    refused(Percentiles(vec![]), "a list of percentiles needs at least one point");
    refused(
        Percentiles(vec![(0.5, 1.0), (0.4, 2.0)]),
        "percentiles must be listed in rising order, but the fraction 0.4 comes after 0.5",
    );
    refused(
        Percentiles(vec![(0.5, 2.0), (0.9, 1.0)]),
        "percentiles cannot fall, but the value at 0.9 is 1, below 2 at 0.5",
    );
    refused(
        Percentiles(vec![(50.0, 2.0)]),
        "the fraction of a percentile must lie between 0 and 1, but is 50",
    );
    refused(Mixture(vec![]), "a mixture needs at least one part");
    refused(
        Mixture(vec![(0.0, Constant(1.0))]),
        "the weight of a part of a mixture must be a number above zero, but is 0",
    );
    refused(
        Mixture(vec![(1.0, Constant(-3.0))]),
        "a constant must be a number, zero or more, but is -3",
    );
    let message = LogNormal {
        median: 1e9,
        sigma: 20.0,
    }
    .compile()
    .map(|_| ())
    .expect_err("immense")
    .0;
    assert!(message.contains("greatest value"), "{message}");
}

/// Golden variates: they change only if a table or the platform's arithmetic does, which would change every run.
#[test]
fn the_variates_of_fixed_words_are_fixed() {
    let words = [
        1 << 20,
        0x1234_5678_9ABC_DEF0,
        1 << 63,
        0xC0FF_EE00_C0FF_EE00,
        u64::MAX - (1 << 25),
    ];
    let mut found = String::new();
    for (name, distribution) in families() {
        let sampler = distribution.compile().expect("valid parameters");
        writeln!(found, "{name}: {:?}", words.map(|word| sampler.fixed(word))).expect("a string takes it");
    }
    assert_eq!(found, GOLDEN);
}
const GOLDEN: &str = "\
constant: [80904192, 80904192, 80904192, 80904192, 80904192]
uniform: [327680000000, 337000675555, 393216000000, 426495859398, 458751999999]
exponential: [0, 1995135, 18747348, 37920512, 731146604]
narrow log-normal: [623878001639, 1131812229454, 1310719895274, 1403907454611, 2626452267973]
log-normal: [15713185033, 546650517573, 1310716281208, 1973594239840, 82469082420805]
wide log-normal: [0, 16048776, 1310625736, 10288557328, 1490377862118435576]
gamma 0.1: [0, 1, 388706377, 24412929311, 14392424453285]
gamma 2.5: [213393, 17795039627, 57035321186, 87467808628, 838672531279]
gamma 400: [44078824869, 60791704361, 65481393892, 67756733375, 90957181494]
Pareto 3: [6553600, 6716742, 8256999, 10457906, 53686732550]
Pareto 1.5: [65536000000, 68839453440, 104031327488, 166881843200, 4397973216792253696]
Pareto 1.05: [65536000000, 70305713408, 126815125760, 249102512384, 18446744073709551615]
percentiles: [65536000000, 196459392290, 655360000000, 863359121237, 58982399916553]
mixture of atoms: [655360000000, 655360000000, 655360000000, 655360000000, 65536000000000]
mixture far apart: [70757755169, 423991526347, 663026818821, 823889769890, 2581966798935289]
mixture of all kinds: [0, 0, 196608000000, 501390938544, 596609714786529904]
";

/// Lines between whole numbers have a shorter rule of their own.
#[test]
fn a_column_holds_what_each_word_gives() {
    let uniform = |low, high| Distribution::Uniform { low, high };
    let forms = [
        uniform(100.0, 900.0),
        uniform(0.0, 1.0),
        uniform(0.5, 900.25),
        uniform(7.0, 7.0),
        uniform(0.0, 1_000_000_000.0),
        uniform(1.0, 6_000_000_000.0),
        Distribution::Exponential { mean: 500.0 },
    ];
    for distribution in forms {
        let sampler = distribution.compile().expect("it is valid");
        let words: Vec<u32> = (0..u32::MAX)
            .step_by(1_234_567)
            .chain([u32::MAX - 1, u32::MAX])
            .collect();
        let mut column = words.clone();
        sampler.fill(&mut column);
        for (word, value) in words.into_iter().zip(column) {
            let expected = sampler.value(u64::from(word) << 32 | 1 << 31).min(u64::from(u32::MAX));
            assert_eq!(u64::from(value), expected, "{distribution:?} at {word}");
        }
    }
}
