//! Histograms against sorted values and another library, and what the observer measures.

use super::*;
use crate::observe::sample::{ENRICHER, at, delivered, directory, records};
use proptest::prelude::*;

/// Within 1/256 of the exact value (and a nanosecond for the rounding of the middle).
fn close(found: u64, exact: u64) -> bool {
    found.abs_diff(exact) <= exact / 256 + 1
}

fn spans() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(
        (0_u32..63, any::<u64>()).prop_map(|(shift, bits)| (bits >> 1) >> shift),
        1..300,
    )
}

proptest! {
    #[test]
    fn quantiles_agree_with_sorted_values_and_with_hdrhistogram(values in spans()) {
        let mut ours = Histogram::new();
        let mut theirs = hdrhistogram::Histogram::<u64>::new(3).expect("three digits are allowed");
        for value in &values {
            ours.record(SimDuration::from_nanos(*value));
            theirs.record(*value).expect("it grows as needed");
        }
        let mut sorted = values.clone();
        sorted.sort_unstable();
        for per_million in [0, 1_000, 10_000, 250_000, 500_000, 900_000, 990_000, 999_000, 1_000_000] {
            let rank = (sorted.len() * per_million).div_ceil(1_000_000).max(1);
            let exact = sorted[rank - 1];
            let found = ours.quantile(u32::try_from(per_million).expect("small")).expect("not empty").as_nanos();
            prop_assert!(close(found, exact), "{per_million}: {found} for {exact}");
            #[expect(clippy::as_conversions, reason = "a test compares with a library that wants floats")]
            let oracle = theirs.value_at_quantile(per_million as f64 / 1e6);
            // Both are off: by 1/256 and by 1/1000. The oracle may take the next value for its float quantile.
            let neighbour = sorted.get(rank).copied().unwrap_or(exact);
            prop_assert!(
                oracle >= (exact - exact / 500).saturating_sub(1)&& oracle <= neighbour.max(exact) + neighbour.max(exact) / 500 + 1,
                "{per_million}: oracle {oracle}, exact {exact}, next {neighbour}"
            );
        }
        prop_assert_eq!(ours.count(), theirs.len());
        prop_assert_eq!(ours.sum(), values.iter().map(|value| u128::from(*value)).sum::<u128>());
        prop_assert_eq!(ours.min().map(SimDuration::as_nanos), sorted.first().copied());
        prop_assert_eq!(ours.max().map(SimDuration::as_nanos), sorted.last().copied());
    }

    #[test]
    fn merging_is_the_same_as_recording_together(one in spans(), other in spans()) {
        let fill = |values: &[u64]| {
            let mut histogram = Histogram::new();
            for value in values {
                histogram.record(SimDuration::from_nanos(*value));
            }
            histogram
        };
        let mut merged = fill(&one);
        merged.merge(&fill(&other));
        prop_assert_eq!(merged, fill(&[one, other].concat()));
    }
}

#[test]
fn every_value_has_a_bucket_and_its_middle_is_near() {
    for power in 0..64 {
        for value in [
            (1_u64 << power) - 1,
            1 << power,
            (1 << power) + (1 << power) / 3,
            u64::MAX >> (63 - power),
        ] {
            assert!(bucket(value) < BUCKETS, "{value}");
            assert!(close(middle(bucket(value)), value), "{value}");
        }
    }
}

proptest! {
    #[test]
    fn a_batch_is_the_same_as_its_records_one_by_one(creations in prop::collection::vec(0_u64..2_000_000, 0..200)) {
        let end = SimTime::from_nanos(1_500_000);
        let batch: Vec<Record> = creations
            .iter()
            .map(|nanos| Record { created_at: SimTime::from_nanos(*nanos), ..records(&[0])[0] })
            .collect();
        let (mut together, mut singly) = (Histogram::new(), Histogram::new());
        together.record_batch(end, &batch, |record| record.created_at);
        for record in &batch {
            singly.record(end.since(record.created_at));
        }
        prop_assert_eq!(together, singly);
    }

    /// Whatever was recorded before: for each value in turn, `times` of it at once; then all of them spread.
    #[test]
    fn many_at_once_are_the_same_as_one_by_one(values in spans(), times in 0_u64..5) {
        let spread = || values.iter().map(|nanos| SimDuration::from_nanos(*nanos));
        let (mut together, mut singly) = (Histogram::new(), Histogram::new());
        for value in spread() {
            together.record_many(value, times);
            (0..times).for_each(|_| singly.record(value));
            prop_assert_eq!(&together, &singly);
        }
        together.record_spread(spread());
        spread().for_each(|value| singly.record(value));
        prop_assert_eq!(together, singly);
    }
}

#[test]
fn an_empty_histogram_has_no_values() {
    let empty = Histogram::new();
    assert_eq!(
        (empty.min(), empty.max(), empty.mean(), empty.quantile(500_000)),
        (None, None, None, None)
    );
}

#[test]
fn latency_runs_from_creation_and_from_arrival_to_the_sink() {
    let mut latency = Latency::new(&directory());
    // Record n is created at n ms and stored at n + 10 ms; record 5 is stored after the write, and takes no time.
    let batch = records(&[0, 2, 5]);
    latency.on(at(12), &delivered(&batch, at(11)));
    let place = latency.of(ENRICHER.into()).expect("the function exists");
    let millis = |histogram: &Histogram| {
        (
            histogram.count(),
            histogram.sum() / 1_000_000,
            histogram.min().map(SimDuration::as_millis),
            histogram.max().map(SimDuration::as_millis),
        )
    };
    assert_eq!(millis(&place.end_to_end), (3, 12 + 10 + 7, Some(7), Some(12)));
    assert_eq!(millis(&place.since_arrival), (3, 2, Some(0), Some(2)));
    assert_eq!(millis(&latency.end_to_end()).0, 3);
}
