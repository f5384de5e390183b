use super::super::{Source, SourceError};
use super::{SECOND, counts, producer, source, take, take_until, variance};
use crate::blueprint::{Arrivals, CountSeries, Keys, ProducerBlueprint, Size, Spread, Trace, TraceRows};
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::SimDuration;
use crate::ids::ProducerId;
use crate::key::KeyTable;
use std::sync::Arc;

fn replaying(trace: Trace) -> ProducerBlueprint {
    producer(Arrivals::Trace(Arc::new(trace)))
}
fn requests(at: &[u64]) -> Trace {
    Trace {
        source: "requests.csv".to_owned(),
        rows: TraceRows::Requests {
            at: at.to_vec(),
            key: Vec::new(),
            bytes: Vec::new(),
        },
        keys: Vec::new(),
        span: SimDuration::from_secs(10),
        compression: Ratio::ONE,
        repeat: false,
    }
}
fn series(bins: &[(u64, u64, u32)]) -> CountSeries {
    CountSeries {
        key: None,
        bins: bins.to_vec(),
    }
}
fn binned(series: Vec<CountSeries>, spread: Spread) -> Trace {
    Trace {
        rows: TraceRows::Counts { series, spread },
        ..requests(&[])
    }
}

#[test]
fn every_row_is_replayed_at_its_instant_once() {
    let at: Vec<u64> = (0..5_000).map(|i| i * i % 1_999 + i * 2_000).collect();
    let mut source = source(&replaying(requests(&at)));
    assert_eq!(take(&mut source, 6_000), at);
    assert!(source.exhausted());
    assert!(!source.ensure(1));
}

#[test]
fn a_source_that_has_given_its_last_row_is_exhausted_without_being_asked_for_more() {
    let mut source = source(&replaying(requests(&[1; 64])));
    assert!(!source.exhausted());
    assert!(source.ensure(64));
    assert!(!source.exhausted(), "they are not consumed");
    source.consume(64);
    assert!(source.exhausted());
}

#[test]
fn keys_and_sizes_come_from_the_trace_where_the_producer_says_so() {
    let mut trace = requests(&[0, 5, 5, 9]);
    trace.rows = TraceRows::Requests {
        at: vec![0, 5, 5, 9],
        key: vec![1, 0, 2, 1],
        bytes: vec![10, 20, 30, 40],
    };
    trace.keys = ["a", "bb", "ccc"].map(str::to_owned).to_vec();
    let mut blueprint = replaying(trace);
    let mut drawn = source(&blueprint);
    assert!(drawn.ensure(4));
    assert!(
        drawn.bytes().iter().all(|bytes| *bytes > 100),
        "drawn unless it says so"
    );

    blueprint.keys = Keys::FromTrace;
    blueprint.size = Size::FromTrace;
    let mut recorded = source(&blueprint);
    assert!(recorded.ensure(4));
    assert_eq!(recorded.keys(), [1, 0, 2, 1]);
    assert_eq!(recorded.bytes(), [12, 21, 33, 42]);
    assert_eq!(recorded.draws(), 0);
}

#[test]
fn compression_divides_recorded_time() {
    let mut trace = requests(&[0, 10, 20, 1_000_000_007]);
    trace.compression = Ratio::new(20, 3);
    assert_eq!(take(&mut source(&replaying(trace)), 9), [0, 1, 3, 150_000_001]);
}

#[test]
fn a_repeated_trace_starts_again_after_its_span() {
    let mut trace = requests(&[1, 7 * SECOND]);
    trace.repeat = true;
    trace.compression = Ratio::new(2, 1);
    let second = 5 * SECOND;
    let expected = [0, 7 * SECOND / 2, second, second + 7 * SECOND / 2, 2 * second];
    assert_eq!(take(&mut source(&replaying(trace)), 5), expected);

    let mut trace = binned(
        vec![series(&[(SECOND, SECOND, 2), (3 * SECOND, SECOND, 0)])],
        Spread::Start,
    );
    trace.repeat = true;
    let expected = [1, 1, 11, 11, 21].map(|second| second * SECOND);
    assert_eq!(take(&mut source(&replaying(trace)), 5), expected);
}

#[test]
fn even_spread_puts_request_i_of_n_at_i_and_a_half_parts() {
    let trace = binned(vec![series(&[(0, 9, 1), (100, 1_000, 7), (5_000, 0, 2)])], Spread::Even);
    let mut expected = vec![4];
    expected.extend((0..7).map(|i| 100 + (2 * i + 1) * 1_000 / 14));
    expected.extend([5_000, 5_000]);
    assert_eq!(take(&mut source(&replaying(trace)), 20), expected);
}

#[test]
fn start_spread_puts_all_at_the_beginning() {
    let trace = binned(vec![series(&[(3, 100, 2), (200, 100, 3)])], Spread::Start);
    assert_eq!(take(&mut source(&replaying(trace)), 20), [3, 3, 200, 200, 200]);
}

#[test]
fn uniform_spread_stays_in_the_bin_and_fills_it_like_independent_draws() {
    let bins: Vec<_> = (0..40_u64).map(|i| (i * SECOND / 4, SECOND / 4, 2_000)).collect();
    let trace = binned(vec![series(&bins)], Spread::Uniform);
    let times = take(&mut source(&replaying(trace)), 100_000);
    assert_eq!(
        counts(&times, SECOND / 4, 40),
        vec![2_000.0; 40],
        "every bin has its count"
    );
    let fine = counts(&times, SECOND / 400, 4_000);
    // Each hundredth of a bin is hit binomially: 20 in the mean, a variance of 19.8.
    let variance = variance(&fine);
    assert!((variance - 19.8).abs() < 2.0, "a variance of {variance}");
}

#[test]
fn a_single_request_is_uniform_over_its_bin() {
    let bins: Vec<_> = (0..20_000_u64).map(|i| (i * 1_000, 1_000, 1)).collect();
    let times = take(
        &mut source(&replaying(binned(vec![series(&bins)], Spread::Uniform))),
        30_000,
    );
    let mut quarters = [0_u32; 4];
    for (time, bin) in times.iter().zip(bins) {
        quarters[usize::try_from((time - bin.0) / 250).expect("small")] += 1;
    }
    for quarter in quarters {
        assert!(quarter.abs_diff(5_000) < 250, "{quarters:?}");
    }
}

#[test]
fn series_are_merged_by_time_and_ties_go_by_their_order() {
    let mut trace = binned(
        vec![
            series(&[(0, 10, 2), (10, 0, 1)]),
            series(&[(0, 20, 2), (20, 20, 1)]),
            series(&[]),
        ],
        Spread::Start,
    );
    let TraceRows::Counts { series, .. } = &mut trace.rows else {
        unreachable!("counts")
    };
    for (series, key) in series.iter_mut().zip([1, 0, 2]) {
        series.key = Some(key);
    }
    trace.keys = ["a", "b", "c"].map(str::to_owned).to_vec();
    let mut blueprint = replaying(trace);
    blueprint.keys = Keys::FromTrace;
    let mut source = source(&blueprint);
    assert!(source.ensure(6));
    assert_eq!(source.times(), [0, 0, 0, 0, 10, 20]);
    assert_eq!(source.keys(), [1, 1, 0, 0, 1, 0]);
}

#[test]
fn exactly_the_sum_of_counts_comes_out() {
    let mut total = 0;
    let all: Vec<CountSeries> = (0..10_u32)
        .map(|number| {
            let bins: Vec<_> = (0..500_u64)
                .map(|i| {
                    let count = u32::try_from(i * 7_919 + u64::from(number) * 104_729).expect("small") % 61;
                    total += usize::try_from(count).expect("small");
                    (i * 10_000_000, 10_000_000, count)
                })
                .collect();
            series(&bins)
        })
        .collect();
    for spread in [Spread::Even, Spread::Uniform, Spread::Start] {
        for compression in [Ratio::ONE, Ratio::new(300, 1), Ratio::new(7, 3)] {
            let mut trace = binned(all.clone(), spread);
            trace.compression = compression;
            let mut source = source(&replaying(trace));
            assert_eq!(take_until(&mut source, u64::MAX).len(), total);
            assert!(source.exhausted());
        }
    }
}

#[test]
fn a_bin_of_millions_takes_no_room() {
    let mut source = source(&replaying(binned(
        vec![series(&[(0, SECOND, 3_000_000)])],
        Spread::Uniform,
    )));
    let mut seen = 0;
    let mut last = 0;
    while source.ensure(1) {
        let times = source.times();
        assert!(times.is_sorted() && times[0] >= last && times.len() <= super::super::BLOCK);
        last = times[times.len() - 1];
        seen += times.len();
        source.consume(times.len());
    }
    assert_eq!(seen, 3_000_000);
    assert!(last < SECOND);
}

#[test]
fn traces_that_make_no_sense_are_refused() {
    let refused = |change: &dyn Fn(&mut ProducerBlueprint), trace: Trace| {
        let mut blueprint = replaying(trace);
        change(&mut blueprint);
        let table = KeyTable::build(&[&blueprint]);
        let range = table.range(ProducerId(0));
        Source::new(&blueprint, range, &table, &mut RandomStreams::new(1, 0))
            .map(|_| ())
            .expect_err("refused")
    };
    let nothing: &dyn Fn(&mut ProducerBlueprint) = &|_| ();
    assert_eq!(refused(nothing, requests(&[5, 4])), SourceError::TraceWithoutOrder);
    assert_eq!(
        refused(nothing, requests(&[11 * SECOND])),
        SourceError::TraceWithoutOrder
    );
    let overlapping = binned(vec![series(&[(0, 10, 1), (9, 10, 1)])], Spread::Even);
    assert_eq!(refused(nothing, overlapping), SourceError::TraceWithoutOrder);
    let mut endless = requests(&[0]);
    endless.repeat = true;
    endless.span = SimDuration::ZERO;
    assert_eq!(refused(nothing, endless), SourceError::TraceWithoutLength);

    let mut unknown_key = requests(&[0]);
    unknown_key.rows = TraceRows::Requests {
        at: vec![0],
        key: vec![1],
        bytes: Vec::new(),
    };
    unknown_key.keys = vec!["a".to_owned()];
    let keys_of_trace = |blueprint: &mut ProducerBlueprint| blueprint.keys = Keys::FromTrace;
    assert_eq!(refused(&keys_of_trace, unknown_key), SourceError::NoKeysInTrace);
    let sizes_of_trace = |blueprint: &mut ProducerBlueprint| blueprint.size = Size::FromTrace;
    assert_eq!(refused(&sizes_of_trace, requests(&[0])), SourceError::NoSizesInTrace);
}
