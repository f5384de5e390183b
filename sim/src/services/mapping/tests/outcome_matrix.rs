//! Each cell of the outcome matrix of Kinesis (LAM-Z) is a test of its own.

use super::failures::outcomes;
use super::retries::{all_done, destination, documents, erring, given_up, poison, tried};
use super::*;
use crate::blueprint::DestinationKind;
use crate::observe::fact::Remains;

/// Two further records wait behind the batch; nothing of them is tried before `until`.
fn lane_is_blocked(bench: &Bench, until: usize) {
    let first = bench.invocations.iter().position(|one| one.records[0].ordinal >= 4);
    assert_eq!(first, Some(until));
}
fn reporting(bisect: bool) -> Bench {
    let mut bench = erring(4, |errors| {
        errors.report_batch_item_failures = true;
        errors.bisect_batch_on_function_error = bisect;
    });
    bench.store_many(millis(1_500), 2);
    bench
}
fn reports(bench: &mut Bench, reports: Vec<(BatchResponse, Vec<u32>)>) {
    let mut left = reports.into_iter();
    bench.response = Box::new(move |_| left.next().unwrap_or((BatchResponse::Null, Vec::new())));
}

#[test]
fn lam_z_01_a_normal_return_does_the_batch_and_frees_the_lane() {
    let mut bench = erring(4, |_| {});
    bench.store_many(millis(1_500), 2);
    bench.run_for(10);
    assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![4, 5]]);
    all_done(&bench, 6);
}

#[test]
fn lam_z_02_an_exception_or_a_timeout_without_bisect_repeats_the_batch_and_counts() {
    for outcome in [FunctionError, TimedOut] {
        let mut bench = erring(4, |errors| errors.maximum_retry_attempts = Some(1));
        bench.store_many(millis(1_500), 2);
        outcomes(&mut bench, vec![outcome, outcome]);
        bench.run_for(30);
        assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![4, 5]]);
        assert_eq!(given_up(&bench).len(), 1, "the second one used the retry up");
        lane_is_blocked(&bench, 2);
    }
}

#[test]
fn lam_z_03_an_exception_or_a_timeout_with_bisect_cuts_the_batch_and_does_not_count() {
    for outcome in [FunctionError, TimedOut] {
        let mut bench = erring(4, |errors| {
            errors.maximum_retry_attempts = Some(0);
            errors.bisect_batch_on_function_error = true;
        });
        bench.store_many(millis(1_500), 2);
        outcomes(&mut bench, vec![outcome, Succeeded, outcome]);
        bench.run_for(30);
        assert_eq!(
            tried(&bench),
            [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![2], vec![3], vec![4, 5]]
        );
        assert_eq!(given_up(&bench), []);
        lane_is_blocked(&bench, 5);
        all_done(&bench, 6);
    }
}

#[test]
fn lam_z_04_a_single_record_cannot_be_cut_and_counts() {
    let mut bench = erring(1, |errors| {
        errors.maximum_retry_attempts = Some(2);
        errors.bisect_batch_on_function_error = true;
    });
    poison(&mut bench, &[0]);
    bench.run_for(30);
    assert_eq!(tried(&bench), vec![vec![0]; 3]);
    assert_eq!(given_up(&bench).len(), 1);
}

#[test]
fn lam_z_05_a_report_without_bisect_repeats_the_suffix() {
    let mut bench = reporting(false);
    reports(&mut bench, vec![(BatchResponse::ItemFailures, vec![1, 2])]);
    bench.run_for(30);
    assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![1, 2, 3], vec![4, 5]]);
    all_done(&bench, 6);
}

#[test]
fn lam_z_06_a_report_with_bisect_repeats_the_suffix_as_a_batch_of_its_own() {
    let mut bench = reporting(true);
    reports(&mut bench, vec![(BatchResponse::ItemFailures, vec![1])]);
    // The suffix then fails whole, and is cut in two.
    outcomes(&mut bench, vec![Succeeded, FunctionError]);
    bench.run_for(30);
    assert_eq!(
        tried(&bench),
        [vec![0, 1, 2, 3], vec![1, 2, 3], vec![1, 2], vec![3], vec![4, 5]]
    );
    all_done(&bench, 6);
}

#[test]
fn lam_z_07_a_malformed_report_is_a_failure_of_the_whole_batch() {
    use BatchResponse::{EmptyIdentifier, MisnamedIdentifier, NullIdentifier};
    for response in [EmptyIdentifier, NullIdentifier, MisnamedIdentifier] {
        let mut bench = reporting(false);
        reports(&mut bench, vec![(response, vec![1])]);
        bench.run_for(30);
        assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![0, 1, 2, 3], vec![4, 5]]);
        let mut bench = reporting(true);
        reports(&mut bench, vec![(response, vec![1])]);
        bench.run_for(30);
        assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3], vec![4, 5]]);
    }
}

#[test]
fn lam_z_08_a_throttle_repeats_the_batch_whole_and_does_not_count() {
    let mut bench = erring(4, |errors| {
        errors.maximum_retry_attempts = Some(0);
        errors.bisect_batch_on_function_error = true;
    });
    outcomes(&mut bench, vec![Throttled; 3]);
    bench.run_for(30);
    assert_eq!(tried(&bench), vec![vec![0, 1, 2, 3]; 4]);
    assert_eq!(given_up(&bench), []);
    all_done(&bench, 4);
}

#[test]
fn lam_z_09_with_a_destination_what_is_given_up_is_told_and_skipped() {
    for by_age in [false, true] {
        let mut bench = erring(4, |errors| {
            errors.on_failure = Some(destination(DestinationKind::Topic));
            if by_age {
                errors.maximum_record_age = Some(SimDuration::from_secs(60));
            } else {
                errors.maximum_retry_attempts = Some(1);
            }
        });
        bench.store_many(SimTime::from_secs(130), 2);
        poison(&mut bench, &[2]);
        bench.run_for(140);
        let [(0, ordinals, _, Remains::DeadLettered)] = &given_up(&bench)[..] else {
            panic!("{:?}", given_up(&bench));
        };
        assert_eq!(ordinals, &[0, 1, 2, 3]);
        assert_eq!(documents(&bench).len(), 1);
        assert_eq!(tried(&bench).last(), Some(&vec![4, 5]));
        all_done(&bench, 6);
    }
}

#[test]
fn lam_z_10_without_a_destination_what_is_given_up_is_dropped() {
    for by_age in [false, true] {
        let mut bench = erring(4, |errors| {
            if by_age {
                errors.maximum_record_age = Some(SimDuration::from_secs(60));
            } else {
                errors.maximum_retry_attempts = Some(1);
            }
        });
        bench.store_many(SimTime::from_secs(130), 2);
        poison(&mut bench, &[2]);
        bench.run_for(140);
        let [(0, ordinals, _, Remains::Dropped)] = &given_up(&bench)[..] else {
            panic!("{:?}", given_up(&bench));
        };
        assert_eq!(ordinals, &[0, 1, 2, 3]);
        assert_eq!(documents(&bench), []);
        assert_eq!(tried(&bench).last(), Some(&vec![4, 5]));
        all_done(&bench, 6);
    }
}

/// With a destination and limits, what leaves the stream leaves no document.
#[test]
fn lam_z_11_what_the_stream_trims_is_lost_silently() {
    let mut bench = erring(4, |errors| {
        errors.on_failure = Some(destination(DestinationKind::Queue));
        errors.maximum_record_age = Some(SimDuration::from_secs(500));
    });
    bench.retention = SimDuration::from_secs(70);
    bench.store_many(SimTime::from_secs(60), 2);
    poison(&mut bench, &[2]);
    bench.run_for(200);
    assert_eq!((given_up(&bench), documents(&bench)), (vec![], vec![]));
    let lost: Vec<(u64, u64)> = bench.harness.find(|note| match note.fact {
        Fact::RecordsExpiredInRetry {
            first_position, count, ..
        } => Some((first_position, count)),
        _ => None,
    });
    assert_eq!(lost, [(0, 4)]);
    assert_eq!(tried(&bench).last(), Some(&vec![4, 5]));
    all_done(&bench, 6);
}
