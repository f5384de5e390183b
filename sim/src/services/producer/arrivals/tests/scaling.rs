use super::super::{NotScalable, Source};
use super::{SECOND, arriving, counts, mean, take, take_until};
use crate::blueprint::{Arrivals, Spread, Trace, TraceRows};
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::{SimDuration, SimTime};
use std::sync::Arc;

fn scale(source: &mut Source, at: u64, factor: Ratio) {
    source.set_factor(SimTime::from_nanos(at), factor).expect("not a trace");
}

fn kinds() -> [Arrivals; 4] {
    let hour = SimDuration::from_hours(1);
    [
        Arrivals::Constant(Rate::per_second(70)),
        Arrivals::Poisson(Rate::per_second(70)),
        Arrivals::Bursts {
            on: Rate::per_second(300),
            off: Rate::per_second(20),
            mean_on: SimDuration::from_millis(300),
            mean_off: SimDuration::from_secs(2),
        },
        Arrivals::Profile {
            points: vec![(SimDuration::ZERO, Rate::per_second(10)), (hour, Rate::per_second(500))],
            period: None,
        },
    ]
}

#[test]
fn a_change_known_beforehand_and_one_that_comes_during_look_ahead_give_the_same_records() {
    for arrivals in kinds() {
        for (at, consumed) in [
            (0, 0),
            (10 * SECOND, 0),
            (40 * SECOND, 333),
            (41 * SECOND + 7, 700),
            (900 * SECOND, 10),
        ] {
            let mut known = arriving(arrivals.clone());
            scale(&mut known, at, Ratio::new(5, 2));
            let mut surprised = arriving(arrivals.clone());
            let mut undisturbed = arriving(arrivals.clone());
            assert!(surprised.ensure(9_000) && undisturbed.ensure(9_000));
            let consumed = consumed.min(surprised.times().partition_point(|&time| time < at));
            let before = surprised.times()[..consumed].to_vec();
            surprised.consume(consumed);
            surprised.ensure(3_000);
            scale(&mut surprised, at, Ratio::new(5, 2));

            assert!(known.ensure(20_000) && surprised.ensure(20_000 - consumed));
            let after = surprised.times()[..20_000 - consumed].to_vec();
            assert_eq!(
                [before, after].concat(),
                known.times()[..20_000],
                "{arrivals:?} at {at}"
            );
            assert_eq!(surprised.keys()[..9_000], known.keys()[consumed..consumed + 9_000]);
            assert_eq!(surprised.bytes()[..9_000], known.bytes()[consumed..consumed + 9_000]);
            let same = undisturbed.times().partition_point(|&time| time < at).min(9_000);
            assert_eq!(undisturbed.times()[..same], known.times()[..same], "before the change");
        }
    }
}

#[test]
fn a_change_at_any_moment_of_consumption_leaves_the_consumed_records_alone() {
    for arrivals in kinds() {
        let mut source = arriving(arrivals.clone());
        let mut changes = Vec::new();
        let mut seen = Vec::new();
        for step in 0..60_u64 {
            let portion = 37 + 61 * usize::try_from(step).expect("small");
            seen.extend(take(&mut source, portion));
            let at = seen[seen.len() - 1] + 1 + step * 1_000_003 % 3_000_000;
            let factor = Ratio::new(1 + step * 7 % 5, 2);
            scale(&mut source, at, factor);
            changes.push((at, factor));
        }
        let mut known = arriving(arrivals);
        for (at, factor) in changes {
            scale(&mut known, at, factor);
        }
        assert_eq!(take(&mut known, seen.len()), seen);
    }
}

#[test]
fn the_rate_is_that_many_times_the_configured_one_until_the_next_change() {
    let mut source = arriving(Arrivals::Poisson(Rate::per_second(100)));
    scale(&mut source, 1_000 * SECOND, Ratio::new(4, 1));
    scale(&mut source, 2_000 * SECOND, Ratio::ONE);
    let times = take_until(&mut source, 3_000 * SECOND);
    let counts = counts(&times, 1_000 * SECOND, 3);
    for (count, expected) in counts.iter().zip([100_000.0, 400_000.0, 100_000.0_f64]) {
        assert!(
            (count - expected).abs() < 4.0 * expected.sqrt(),
            "{count} instead of {expected}"
        );
    }
}

#[test]
fn a_constant_rate_goes_on_evenly_after_a_change() {
    let mut source = arriving(Arrivals::Constant(Rate::per_second(1_000)));
    scale(&mut source, SECOND + 500_000, Ratio::new(1, 2));
    let times = take(&mut source, 1_004);
    // At the change half of the next record's gap is over; the other half takes twice as long.
    let millis = 1_000_000;
    assert_eq!(
        times[1_000..],
        [
            1_000 * millis,
            1_001 * millis + 500_000,
            1_003 * millis + 500_000,
            1_005 * millis + 500_000
        ]
    );
}

#[test]
fn a_load_that_was_switched_off_comes_back() {
    for arrivals in kinds() {
        let mut source = arriving(arrivals.clone());
        scale(&mut source, 5 * SECOND, Ratio::ZERO);
        let before = take(&mut source, 100_000);
        assert!(before.iter().all(|&time| time < 5 * SECOND));
        assert!(source.exhausted());
        scale(&mut source, 50 * SECOND, Ratio::ONE);
        assert!(!source.exhausted());
        let after = take(&mut source, 5_000);
        assert!(after[0] >= 50 * SECOND);

        let mut known = arriving(arrivals);
        scale(&mut known, 5 * SECOND, Ratio::ZERO);
        scale(&mut known, 50 * SECOND, Ratio::ONE);
        assert_eq!(take(&mut known, before.len() + 5_000), [before, after].concat());
    }
}

#[test]
fn a_change_that_lies_before_consumed_records_holds_from_the_last_of_them() {
    let mut source = arriving(Arrivals::Poisson(Rate::per_second(1_000)));
    let consumed = take(&mut source, 3_000);
    let mut late = source.clone();
    scale(&mut source, 0, Ratio::new(3, 1));
    scale(&mut late, consumed[2_999] + 1, Ratio::new(3, 1));
    let after = take(&mut source, 3_000);
    assert!(after[0] >= consumed[2_999]);
    assert_eq!(after, take(&mut late, 3_000));
    let gaps: Vec<f64> = after.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    assert!((mean(&gaps) * 3.0 / 1e6 - 1.0).abs() < 0.1);
}

#[test]
fn a_trace_cannot_be_scaled() {
    let trace = Trace {
        source: "requests.csv".to_owned(),
        rows: TraceRows::Counts {
            series: Vec::new(),
            spread: Spread::Even,
        },
        keys: Vec::new(),
        span: SimDuration::SECOND,
        compression: Ratio::ONE,
        repeat: false,
    };
    let mut source = arriving(Arrivals::Trace(Arc::new(trace)));
    assert_eq!(source.set_factor(SimTime::ZERO, Ratio::ONE), Err(NotScalable));
}
