use super::super::{Source, SourceError};
use super::{SECOND, arriving, counts, mean, producer, seeded, source, take, take_until, variance};
use crate::blueprint::Arrivals;
use crate::engine::quantity::Rate;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;
use crate::ids::ProducerId;
use crate::key::KeyTable;

fn per(count: u64, per: SimDuration) -> Rate {
    Rate { count, per }
}

#[test]
fn a_constant_rate_gives_exact_instants() {
    for rate in [
        Rate::per_second(3),
        Rate::per_second(999_983),
        Rate::per_second(40_000_003),
        per(7, SimDuration::from_hours(24)),
        per(86_400_001, SimDuration::from_hours(24)),
    ] {
        let times = take(&mut arriving(Arrivals::Constant(rate)), 50_000);
        for (number, time) in (0_u128..).zip(times) {
            let exact = number * u128::from(rate.per.as_nanos()) / u128::from(rate.count);
            assert_eq!(u128::from(time), exact, "record {number} at {rate}");
        }
    }
}

#[test]
fn the_mean_gap_of_a_poisson_process_is_exact_at_a_million_records_a_second() {
    let count = 4_000_000;
    let times = take(&mut arriving(Arrivals::Poisson(Rate::per_second(1_000_000))), count);
    let gap = times[count - 1] as f64 / count as f64;
    // The standard error is 1,000 ns / 2,000.
    assert!((gap - 1_000.0).abs() < 1.75, "a mean gap of {gap} ns");
}

#[test]
fn gaps_of_a_poisson_process_are_exponential_and_independent() {
    let times = take(&mut arriving(Arrivals::Poisson(Rate::per_second(1_000))), 400_000);
    let gaps: Vec<f64> = times.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e6).collect();
    assert!((mean(&gaps) - 1.0).abs() < 0.006, "mean {}", mean(&gaps));
    assert!((variance(&gaps) - 1.0).abs() < 0.02, "variance {}", variance(&gaps));
    for share in [0.1, 0.5, 0.9, 0.99] {
        let limit = -libm::log(1.0 - share);
        let below = gaps.iter().filter(|gap| **gap < limit).count() as f64 / gaps.len() as f64;
        assert!((below - share).abs() < 0.003, "{below} of the gaps are below {limit}");
    }
    let lagged: f64 = gaps.windows(2).map(|pair| (pair[0] - 1.0) * (pair[1] - 1.0)).sum();
    assert!(
        (lagged / gaps.len() as f64).abs() < 0.006,
        "neighbouring gaps are not correlated"
    );
}

#[test]
fn counts_of_a_poisson_process_vary_as_much_as_their_mean() {
    let times = take_until(&mut arriving(Arrivals::Poisson(Rate::per_second(50))), 20_000 * SECOND);
    let counts = counts(&times, SECOND, 20_000);
    assert!((mean(&counts) - 50.0).abs() < 0.2, "mean {}", mean(&counts));
    assert!(
        (variance(&counts) / mean(&counts) - 1.0).abs() < 0.04,
        "variance {}",
        variance(&counts)
    );
}

#[test]
fn bursts_keep_the_long_run_mean_and_clump() {
    let arrivals = Arrivals::Bursts {
        on: Rate::per_second(900),
        off: Rate::per_second(100),
        mean_on: SimDuration::from_secs(1),
        mean_off: SimDuration::from_secs(3),
    };
    let seconds = 20_000_usize;
    let times = take_until(&mut arriving(arrivals), 20_000 * SECOND);
    let counts = counts(&times, SECOND, seconds);
    // (900 * 1 + 100 * 3) / 4; the states decorrelate in 0.75 s, so the standard error is about 3.
    assert!((mean(&counts) - 300.0).abs() < 10.0, "mean {}", mean(&counts));
    let dispersion = variance(&counts) / mean(&counts);
    assert!(dispersion > 100.0, "an index of dispersion of {dispersion}");
}

#[test]
fn lengths_of_bursts_are_exponential() {
    let arrivals = Arrivals::Bursts {
        on: Rate::per_second(10_000),
        off: Rate::ZERO,
        mean_on: SimDuration::from_millis(500),
        mean_off: SimDuration::from_secs(2),
    };
    let times = take_until(&mut arriving(arrivals), 20_000 * SECOND);
    // A gap of more than 2 ms within a burst has the probability e^-20.
    let mut bursts = Vec::new();
    let mut began = times[0];
    for pair in times.windows(2) {
        if pair[1] - pair[0] > 2_000_000 {
            bursts.push((pair[0] - began) as f64 / 1e9);
            began = pair[1];
        }
    }
    let (mean, variance) = (mean(&bursts), variance(&bursts));
    assert!((7_400..8_600).contains(&bursts.len()), "{} bursts", bursts.len());
    assert!((mean - 0.5).abs() < 0.02, "a mean length of {mean} s");
    assert!(
        (variance.sqrt() / mean - 1.0).abs() < 0.05,
        "a deviation of {} s",
        variance.sqrt()
    );
}

#[test]
fn a_profile_follows_its_straight_lines_and_repeats() {
    let hour = SimDuration::from_hours;
    let points = vec![
        (hour(0), Rate::per_second(10)),
        (hour(8), Rate::per_second(50)),
        (hour(12), Rate::per_second(50)),
        (hour(20), Rate::ZERO),
    ];
    let arrivals = Arrivals::Profile {
        points,
        period: Some(hour(24)),
    };
    let times = take_until(&mut arriving(arrivals), 48 * 3_600 * SECOND);
    let counts = counts(&times, 3_600 * SECOND, 48);
    let rate_at_half_past = |hour: usize| match hour % 24 {
        0..8 => 10.0 + 40.0 * ((hour % 24) as f64 + 0.5) / 8.0,
        8..12 => 50.0,
        12..20 => 50.0 - 50.0 * ((hour % 24) as f64 - 11.5) / 8.0,
        // With a period, the last line leads back to the first point.
        _ => 10.0 * ((hour % 24) as f64 - 19.5) / 4.0,
    };
    for (hour, count) in counts.iter().enumerate() {
        let expected = rate_at_half_past(hour) * 3_600.0;
        assert!(
            (count - expected).abs() < 4.5 * expected.sqrt(),
            "{count} records in hour {hour} instead of {expected}"
        );
    }
}

#[test]
fn without_a_period_the_last_rate_of_a_profile_stays() {
    let points = vec![
        (SimDuration::ZERO, Rate::ZERO),
        (SimDuration::from_secs(100), Rate::per_second(100)),
    ];
    let times = take_until(
        &mut arriving(Arrivals::Profile { points, period: None }),
        1_100 * SECOND,
    );
    let rising = times.partition_point(|&time| time < 100 * SECOND) as f64;
    assert!((rising - 5_000.0).abs() < 300.0, "{rising} records while it rises");
    let level = times.len() as f64 - rising;
    assert!((level - 100_000.0).abs() < 1_300.0, "{level} records after that");
}

#[test]
fn a_rate_of_zero_gives_nothing() {
    for arrivals in [
        Arrivals::Constant(Rate::ZERO),
        Arrivals::Poisson(Rate::ZERO),
        Arrivals::Profile {
            points: vec![(SimDuration::ZERO, Rate::ZERO)],
            period: Some(SimDuration::from_hours(24)),
        },
        Arrivals::Bursts {
            on: Rate::ZERO,
            off: Rate::ZERO,
            mean_on: SimDuration::from_millis(1),
            mean_off: SimDuration::from_millis(1),
        },
    ] {
        let mut source = arriving(arrivals);
        assert!(!source.ensure(1));
        assert!(source.exhausted());
    }
}

#[test]
fn a_source_ends_after_146_years() {
    let mut source = arriving(Arrivals::Poisson(per(1, SimDuration::from_hours(5_000_000))));
    assert!(take(&mut source, 1_000).len() < 5, "one in 570 years is expected");
    assert!(source.exhausted());
    let mut source = arriving(Arrivals::Constant(per(1, SimDuration::from_hours(876_600))));
    let times = take(&mut source, 1_000);
    assert_eq!(times.len(), 2, "at zero and after a century");
    assert!(source.exhausted());
}

#[test]
fn the_same_seed_gives_the_same_records_and_another_seed_others() {
    let blueprint = producer(Arrivals::Poisson(Rate::per_second(100)));
    let (mut one, mut two, mut other) = (seeded(&blueprint, 1), seeded(&blueprint, 1), seeded(&blueprint, 2));
    for source in [&mut one, &mut two, &mut other] {
        assert!(source.ensure(5_000));
    }
    assert_eq!(one.times(), two.times());
    assert_eq!(one.keys(), two.keys());
    assert_eq!(one.bytes(), two.bytes());
    assert_ne!(one.times(), other.times());
}

#[test]
fn another_producer_changes_nothing() {
    let blueprint = producer(Arrivals::Poisson(Rate::per_second(100)));
    let mut another = producer(Arrivals::Poisson(Rate::per_second(7)));
    another.name = "another".to_owned();
    let table = KeyTable::build(&[&another, &blueprint]);
    let mut streams = RandomStreams::new(2_024, 0);
    let _ = Source::new(&another, table.range(ProducerId(0)), &table, &mut streams).expect("sound");
    let range = table.range(ProducerId(1));
    let mut among = Source::new(&blueprint, range, &table, &mut streams).expect("sound");
    let mut alone = source(&blueprint);
    assert!(among.ensure(5_000) && alone.ensure(5_000));
    assert_eq!(among.times(), alone.times());
    assert_eq!(among.bytes(), alone.bytes());
    let shifted: Vec<u32> = alone.keys().iter().map(|key| key + range.first).collect();
    assert_eq!(among.keys(), shifted);
}

#[test]
fn portions_do_not_matter() {
    let blueprint = producer(Arrivals::Poisson(Rate::per_second(100)));
    let mut whole = source(&blueprint);
    assert!(whole.ensure(30_000));
    assert_eq!(take(&mut source(&blueprint), 30_000), whole.times()[..30_000]);
}

#[test]
fn look_ahead_does_not_grow_with_the_run() {
    let mut source = arriving(Arrivals::Poisson(Rate::per_second(100)));
    for _ in 0..1_000 {
        assert!(source.ensure(500));
        source.consume(500);
        assert!(source.times.len() <= super::super::BLOCK + 500);
        assert!(source.blocks.len() <= 4, "small ones at first");
    }
}

#[test]
fn wrong_parameters_are_refused() {
    let refused = |arrivals| {
        let blueprint = producer(arrivals);
        let table = KeyTable::build(&[&blueprint]);
        Source::new(
            &blueprint,
            table.range(ProducerId(0)),
            &table,
            &mut RandomStreams::new(1, 0),
        )
        .map(|_| ())
    };
    let fast = per(2, SimDuration::MIN);
    assert_eq!(refused(Arrivals::Poisson(fast)), Err(SourceError::RateTooHigh(fast)));
    let bursts = Arrivals::Bursts {
        on: Rate::ZERO,
        off: Rate::ZERO,
        mean_on: SimDuration::ZERO,
        mean_off: SimDuration::SECOND,
    };
    assert_eq!(refused(bursts), Err(SourceError::SpellWithoutLength));
    for (points, period) in [
        (vec![], None),
        (vec![(SimDuration::SECOND, Rate::ZERO)], None),
        (vec![(SimDuration::ZERO, Rate::ZERO); 2], None),
        (
            vec![(SimDuration::ZERO, Rate::ZERO), (SimDuration::SECOND, Rate::ZERO)],
            Some(SimDuration::MIN),
        ),
    ] {
        let refusal = refused(Arrivals::Profile { points, period });
        assert_eq!(refusal, Err(SourceError::ProfileWithoutOrder));
    }
}
