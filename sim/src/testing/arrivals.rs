//! Arrivals of every kind.

use crate::blueprint::{Arrivals, CountSeries, Spread, Trace, TraceRows};
use crate::engine::quantity::{Rate, Ratio};
use crate::engine::time::SimDuration;
use proptest::collection::vec;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use std::sync::Arc;

fn rates() -> impl Strategy<Value = Rate> {
    (0_u64..120).prop_map(Rate::per_second)
}

/// Every kind of arrival, with keys and sizes that fit it.
pub(super) fn arrivals() -> impl Strategy<Value = (Arrivals, bool)> {
    let spell = || (100_u64..4_000).prop_map(SimDuration::from_millis);
    let bursts = (rates(), rates(), spell(), spell()).prop_map(|(on, off, mean_on, mean_off)| Arrivals::Bursts {
        on,
        off,
        mean_on,
        mean_off,
    });
    let profile = (vec((1_u64..5_000, rates()), 1..5), any::<bool>()).prop_map(|(steps, repeats)| {
        let mut at = SimDuration::ZERO;
        let mut points = Vec::new();
        for (step, rate) in steps {
            points.push((at, rate));
            at = at + SimDuration::from_millis(step);
        }
        Arrivals::Profile {
            points,
            period: repeats.then_some(at),
        }
    });
    prop_oneof![
        rates().prop_map(|rate| (Arrivals::Constant(rate), false)),
        rates().prop_map(|rate| (Arrivals::Poisson(rate), false)),
        bursts.prop_map(|arrivals| (arrivals, false)),
        profile.prop_map(|arrivals| (arrivals, false)),
        traces().prop_map(|trace| (Arrivals::Trace(Arc::new(trace)), true)),
    ]
}

fn traces() -> impl Strategy<Value = Trace> {
    let requests = vec((0_u64..200_000_000, 0_u32..3, 1_u32..2_000), 1..80).prop_map(|rows| {
        let mut now = 0;
        let (mut at, mut key, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
        for (gap, of, size) in rows {
            now += gap;
            at.push(now);
            key.push(of);
            bytes.push(size);
        }
        TraceRows::Requests { at, key, bytes }
    });
    let spread = prop_oneof![Just(Spread::Even), Just(Spread::Uniform), Just(Spread::Start)];
    let counts = (vec(vec(0_u32..30, 1..6), 1..3), spread).prop_map(|(series, spread)| {
        let series = (0..).zip(series).map(|(key, counts)| CountSeries {
            key: Some(key),
            bins: (0..)
                .zip(counts)
                .map(|(bin, count)| (bin * 2_000_000_000, 2_000_000_000, count))
                .collect(),
        });
        TraceRows::Counts {
            series: series.collect(),
            spread,
        }
    });
    (prop_oneof![requests, counts], 1_u64..5, any::<bool>()).prop_map(|(rows, compression, repeat)| Trace {
        source: "a random trace".to_owned(),
        rows,
        keys: vec!["a".to_owned(), "b".to_owned(), "c".to_owned()],
        span: SimDuration::from_secs(20),
        compression: Ratio::new(compression, 1),
        repeat,
    })
}
