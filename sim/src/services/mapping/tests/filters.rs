//! Filters on what stands for the data of records.

use super::retries::{all_done, tried};
use super::*;
use crate::blueprint::Filter;
use crate::engine::quantity::Ratio;

/// A mapping with these filters, over records of keys `key-0` to `key-3`, 20 of each.
fn filtering(filters: Vec<Filter>) -> Bench {
    let mut setup = Setup::new();
    setup.hashes = vec![0; 4];
    setup.blueprint.filters = Some(filters);
    let mut bench = setup.build();
    for number in 0..80 {
        bench.store(millis(0), number % 4, 100 + u64::from(number));
    }
    bench
}
fn equals(key: &str) -> Filter {
    Filter {
        equals: vec![key.to_owned()],
        ..Filter::default()
    }
}
/// The keys of the records that reached the function, each once.
fn keys(bench: &Bench) -> Vec<u32> {
    let records = bench.invocations.iter().flat_map(|one| &one.records);
    let mut keys: Vec<u32> = records.map(|record| record.key.0).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}
/// A fact about them is stated only where there are some.
fn filtered_out(bench: &Bench) -> usize {
    let counts = bench
        .harness
        .find(|note| matches!(note.fact, Fact::RecordsFilteredOut { .. }).then_some(note.records.len()));
    assert!(counts.iter().all(|&count| count > 0));
    counts.iter().sum()
}

#[test]
fn lam_e_22_one_filter_that_matches_is_enough() {
    let mut bench = filtering(vec![equals("key-1"), equals("key-3")]);
    bench.run_for(3);
    assert_eq!(keys(&bench), [1, 3]);
    assert_eq!(filtered_out(&bench), 40);
}

/// Of the operators those that say something about what stands for the data: equals, anything-but, prefix, suffix,
/// numeric; several of a filter must all match.
#[test]
fn lam_e_24_filters_know_the_operators_and_join_those_of_one_filter() {
    let anything_but = Filter {
        anything_but: vec!["key-0".to_owned(), "key-2".to_owned()],
        ..Filter::default()
    };
    let ends = |prefix: &str, suffix: &str| Filter {
        prefix: Some(prefix.to_owned()),
        suffix: Some(suffix.to_owned()),
        ..Filter::default()
    };
    let numeric = Filter {
        bytes: (110, 112),
        ..equals("key-2")
    };
    for (filter, expected, out) in [
        (anything_but, vec![1, 3], 40),
        (ends("key-", "2"), vec![2], 60),
        (ends("kez", ""), vec![], 80),
        (numeric, vec![2], 79),
    ] {
        let mut bench = filtering(vec![filter]);
        bench.run_for(3);
        assert_eq!(keys(&bench), expected);
        assert_eq!(filtered_out(&bench), out);
    }
}

/// LAM-K-30: the record stays in the stream, and the mapping moves past it.
#[test]
fn lam_k_30_what_is_filtered_out_stays_in_the_stream_and_the_checkpoint_moves_past_it() {
    let mut bench = filtering(vec![equals("nobody")]);
    bench.run_for(3);
    assert!(bench.invocations.is_empty());
    assert_eq!(bench.reader().progress.checkpoint(), 80);
    let mut page = crate::batch::Batch::default();
    let left = bench.logs[0].read(0, 10_000, 10 * MIB, SimTime::from_secs(3), &mut page);
    assert_eq!((left.next, page.records.len()), (80, 80));
}

/// LAM-U-10: filters come before batches, so BatchSize counts what passes.
#[test]
fn lam_u_10_batches_are_made_of_what_the_filters_want() {
    let mut setup = Setup::lanes(2);
    setup.blueprint.batch_size = 10;
    setup.blueprint.filters = Some(vec![equals("key-1")]);
    let mut bench = setup.build();
    for number in 0..80 {
        bench.store(millis(0), number % 2, 100);
    }
    bench.run_for(6);
    assert!(bench.invocations.iter().all(|one| one.records.len() == 10));
    assert_eq!(tried(&bench).concat(), (0..40).collect::<Vec<_>>());
    all_done(&bench, 80);
}

/// A failed batch is read again with the records around it, which are left alone again.
#[test]
fn lam_k_20_a_filtered_batch_that_failed_is_tried_again_without_what_was_filtered_out() {
    let mut bench = filtering(vec![equals("key-1")]);
    super::failures::outcomes(&mut bench, vec![FunctionError]);
    bench.run_for(6);
    let all: Vec<u32> = (0..20).collect();
    assert_eq!(tried(&bench), [all.clone(), all]);
    assert_eq!(filtered_out(&bench), 60);
    all_done(&bench, 80);
}

/// Two mappings with the halves of all lots share the records between them.
#[test]
fn a_share_and_its_complement_leave_nothing_out_and_nothing_twice() {
    let half = |from: Ratio, to: Ratio| {
        let mut bench = filtering(vec![Filter {
            share: (from, to),
            ..Filter::default()
        }]);
        bench.run_for(3);
        let records = bench.invocations.iter().flat_map(|one| &one.records);
        records.map(|record| (record.key.0, record.ordinal)).collect::<Vec<_>>()
    };
    let (low, high) = (half(Ratio::ZERO, Ratio::new(1, 4)), half(Ratio::new(1, 4), Ratio::ONE));
    assert!((8..32).contains(&low.len()), "a quarter of 80: {}", low.len());
    let mut all = [low, high].concat();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 80);
}

#[test]
fn lam_e_22_where_all_are_wanted_nothing_is_filtered_out() {
    let mut bench = filtering(vec![Filter {
        prefix: Some("key-".to_owned()),
        ..Filter::default()
    }]);
    bench.run_for(3);
    assert_eq!((keys(&bench).len(), filtered_out(&bench)), (4, 0));
    all_done(&bench, 80);
}
