//! What a function with ReportBatchItemFailures returns, and what a mapping makes of it.

use super::retries::{all_done, erring, given_up, tried};
use super::*;
use crate::observe::fact::{DiscardReason, Remains};

/// A mapping that listens to reports, and `count` records.
fn listening(count: u32, bisect: bool, most: Option<u32>) -> Bench {
    erring(count, |errors| {
        errors.report_batch_item_failures = true;
        errors.bisect_batch_on_function_error = bisect;
        errors.maximum_retry_attempts = most;
    })
}
/// The responses of the first invocations; then nothing has failed.
fn responses(bench: &mut Bench, responses: Vec<(BatchResponse, Vec<u32>)>) {
    let mut left = responses.into_iter();
    bench.response = Box::new(move |_| left.next().unwrap_or((BatchResponse::EmptyList, Vec::new())));
}
fn items(ordinals: &[u32]) -> (BatchResponse, Vec<u32>) {
    (BatchResponse::ItemFailures, ordinals.to_vec())
}

/// LAM-X-17: the suffix from the lowest failure on is tried again, with records that had succeeded in it; LAM-X-18: the
/// prefix is not.
#[test]
fn lam_x_17_lam_x_18_everything_from_the_lowest_reported_failure_on_is_tried_again() {
    for lanes in [1, 2] {
        let mut setup = Setup::lanes(lanes);
        setup.hashes.truncate(1);
        setup.blueprint.errors.report_batch_item_failures = true;
        let mut bench = setup.build();
        bench.store_many(millis(0), 8);
        responses(&mut bench, vec![items(&[6, 3]), items(&[6])]);
        bench.run_for(30);
        assert_eq!(
            tried(&bench),
            [(0..8).collect::<Vec<_>>(), (3..8).collect(), (6..8).collect()]
        );
        let done: Vec<u32> = bench.harness.find(|note| match note.fact {
            Fact::BatchAcknowledged { records, .. } => Some(records),
            _ => None,
        });
        assert_eq!(done, [3, 3, 2]);
        all_done(&bench, 8);
    }
}

#[test]
fn lam_x_17_the_lowest_reported_failure_becomes_the_checkpoint() {
    let mut bench = listening(8, false, None);
    responses(&mut bench, vec![items(&[5])]);
    bench.run_for(2);
    assert_eq!(bench.reader().progress.checkpoint(), 5);
    assert_eq!(bench.reader().in_flight, 3);
}

#[test]
fn lam_x_16_a_batch_is_cut_where_the_report_says_and_not_in_the_middle() {
    let mut bench = listening(8, true, None);
    responses(&mut bench, vec![items(&[3]), items(&[3])]);
    bench.run_for(30);
    let suffix: Vec<u32> = (3..8).collect();
    assert_eq!(tried(&bench), [(0..8).collect::<Vec<_>>(), suffix.clone(), suffix]);
    all_done(&bench, 8);
}

#[test]
fn lam_x_19_four_responses_mean_that_everything_succeeded() {
    use BatchResponse::{EmptyList, EmptyObject, Null, NullList};
    for response in [EmptyList, NullList, EmptyObject, Null] {
        let mut bench = listening(4, false, None);
        responses(&mut bench, vec![(response, Vec::new())]);
        bench.run_for(10);
        assert_eq!(bench.invocations.len(), 1, "{response:?}");
        all_done(&bench, 4);
    }
}

#[test]
fn lam_x_20_three_responses_mean_that_everything_failed() {
    use BatchResponse::{EmptyIdentifier, MisnamedIdentifier, NullIdentifier};
    for response in [EmptyIdentifier, NullIdentifier, MisnamedIdentifier] {
        let mut bench = listening(4, false, None);
        responses(&mut bench, vec![(response, vec![2])]);
        bench.run_for(10);
        assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![0, 1, 2, 3]], "{response:?}");
        all_done(&bench, 4);
    }
}

#[test]
fn lam_e_16_without_report_batch_item_failures_a_report_is_ignored() {
    use BatchResponse::{EmptyIdentifier, ItemFailures};
    for response in [ItemFailures, EmptyIdentifier] {
        let mut bench = erring(4, |_| {});
        responses(&mut bench, vec![(response, vec![2])]);
        bench.run_for(10);
        assert_eq!(bench.invocations.len(), 1);
        all_done(&bench, 4);
    }
}

/// Each step forward gives the batch all its retries again; standing still uses them up.
#[test]
fn lam_u_07_retries_are_counted_anew_when_the_batch_begins_elsewhere() {
    let mut bench = listening(6, false, Some(1));
    responses(
        &mut bench,
        vec![
            items(&[0]),
            items(&[2]),
            items(&[2]),
            items(&[4]),
            items(&[4]),
            items(&[4]),
        ],
    );
    bench.run_for(60);
    let starts: Vec<u32> = tried(&bench).iter().map(|ordinals| ordinals[0]).collect();
    assert_eq!(starts, [0, 0, 2, 2, 4, 4]);
    assert_eq!(
        given_up(&bench),
        [(4, vec![4, 5], DiscardReason::RetryAttemptsExhausted, Remains::Dropped)]
    );
    all_done(&bench, 6);
}
