//! How often a failed batch is tried, in which pieces, and what ends it (LAM-X).

use super::failures::outcomes;
use super::*;
use crate::blueprint::{DestinationKind, FailureDestination};
use crate::engine::quantity::Ratio;
use crate::observe::fact::{DiscardReason, FailureDocument, MappingChange, Remains};

/// A destination of a kind that is always reached.
pub(super) fn destination(kind: DestinationKind) -> FailureDestination {
    FailureDestination {
        kind,
        name: "failed".to_owned(),
        failure_rate: Ratio::ZERO,
    }
}
/// A mapping with these rules for failures, and `count` records at the start.
pub(super) fn erring(count: u32, rules: impl FnOnce(&mut crate::blueprint::ErrorHandling)) -> Bench {
    let mut setup = Setup::new();
    rules(&mut setup.blueprint.errors);
    let mut bench = setup.build();
    bench.store_many(millis(0), count);
    bench
}
/// Every batch with one of these records ends in a function error.
pub(super) fn poison(bench: &mut Bench, ordinals: &'static [u32]) {
    bench.behaviour = Box::new(|one| {
        let poisoned = one.records.iter().any(|record| ordinals.contains(&record.ordinal));
        (
            SimDuration::from_millis(20),
            if poisoned { FunctionError } else { Succeeded },
        )
    });
}
/// The ordinals of the invocations, in order.
pub(super) fn tried(bench: &Bench) -> Vec<Vec<u32>> {
    bench.invocations.iter().map(Invocation::ordinals).collect()
}
/// What was given up: first position, ordinals, why, and what has become of it.
pub(super) fn given_up(bench: &Bench) -> Vec<(u64, Vec<u32>, DiscardReason, Remains)> {
    bench.harness.find(|note| match note.fact {
        Fact::RecordsDiscarded {
            first_position,
            reason,
            remains,
            ..
        } => {
            let ordinals = note.records.iter().map(|record| record.ordinal).collect();
            Some((first_position, ordinals, reason, remains))
        }
        _ => None,
    })
}
pub(super) fn documents(bench: &Bench) -> Vec<FailureDocument> {
    bench.harness.find(|note| match note.fact {
        Fact::MappingChanged {
            change: MappingChange::DocumentWritten(document),
            ..
        } => Some(document),
        _ => None,
    })
}
/// Everything is done: the checkpoint is there, and nothing is in hand.
pub(super) fn all_done(bench: &Bench, records: u64) {
    let reader = bench.reader();
    assert_eq!(
        (reader.progress.checkpoint(), reader.in_flight, reader.waiting.records),
        (records, 0, 0)
    );
}

/// LAM-X-04: from none to many; LAM-X-10: the shard goes on behind the batch that was given up.
#[test]
fn lam_x_05_lam_x_10_r_retries_are_r_and_one_invocations_and_then_the_shard_goes_on() {
    for most in [0, 1, 4] {
        let mut bench = erring(3, |errors| errors.maximum_retry_attempts = Some(most));
        bench.store_many(millis(2_000), 2);
        poison(&mut bench, &[1]);
        bench.run_for(60);
        let mut expected = vec![vec![0, 1, 2]; to_usize(most) + 1];
        expected.push(vec![3, 4]);
        assert_eq!(tried(&bench), expected);
        assert_eq!(
            given_up(&bench),
            [(
                0,
                vec![0, 1, 2],
                DiscardReason::RetryAttemptsExhausted,
                Remains::Dropped
            )]
        );
        all_done(&bench, 5);
    }
}

#[test]
fn lam_x_07_throttles_use_no_retry_up() {
    let mut bench = erring(2, |errors| errors.maximum_retry_attempts = Some(1));
    outcomes(
        &mut bench,
        vec![Throttled, FunctionError, Throttled, Throttled, FunctionError],
    );
    bench.run_for(60);
    assert_eq!(bench.invocations.len(), 5, "two of them reached the function");
    assert_eq!(given_up(&bench).len(), 1);
    all_done(&bench, 2);
}

/// MaximumRetryAttempts cannot end it, MaximumRecordAgeInSeconds can.
#[test]
fn lam_x_08_a_throttled_batch_is_ended_by_its_age_alone() {
    let mut bench = erring(2, |errors| {
        errors.maximum_retry_attempts = Some(0);
        errors.maximum_record_age = Some(SimDuration::from_secs(60));
    });
    bench.behaviour = Box::new(|_| (SimDuration::from_millis(1), Throttled));
    bench.run_for(120);
    // Waits of 1, 2, 4, 8, 16 and 30 s.
    assert_eq!(bench.invocations.len(), 6);
    assert_eq!(
        given_up(&bench),
        [(0, vec![0, 1], DiscardReason::RecordAgeExceeded, Remains::Dropped)]
    );
    all_done(&bench, 2);
}

/// Retry limit, record age, retention: whichever comes first.
#[test]
fn lam_x_09_the_first_of_three_limits_ends_a_failed_batch() {
    let secs = SimDuration::from_secs;
    for (most, age, retention, reason) in [
        (2, 90, 500, Some(DiscardReason::RetryAttemptsExhausted)),
        (50, 60, 500, Some(DiscardReason::RecordAgeExceeded)),
        (50, 300, 100, None),
    ] {
        let mut bench = erring(2, |errors| {
            errors.maximum_retry_attempts = Some(most);
            errors.maximum_record_age = Some(secs(age));
        });
        bench.retention = secs(retention);
        poison(&mut bench, &[0]);
        bench.run_for(600);
        let reasons: Vec<DiscardReason> = given_up(&bench).into_iter().map(|(_, _, reason, _)| reason).collect();
        assert_eq!(reasons, reason.into_iter().collect::<Vec<_>>());
        let expired = bench
            .harness
            .notes()
            .iter()
            .any(|note| matches!(note.fact, Fact::RecordsExpiredInRetry { .. }));
        assert_eq!(expired, reason.is_none());
        all_done(&bench, 2);
    }
}

/// LAM-X-12: splits use no retry up; LAM-U-06: halves of four and four, the earlier one first, and both inherit the
/// count of attempts: a poison record among 2^k costs k splits and r + 1 invocations of its own.
#[test]
fn lam_x_11_lam_x_12_lam_u_06_a_failed_batch_is_cut_in_two_and_its_halves_are_tried_in_order() {
    let mut bench = erring(8, |errors| {
        errors.maximum_retry_attempts = Some(2);
        errors.bisect_batch_on_function_error = true;
    });
    poison(&mut bench, &[5]);
    bench.run_for(60);
    let expected: Vec<Vec<u32>> = vec![
        (0..8).collect(),
        (0..4).collect(),
        (4..8).collect(),
        vec![4, 5],
        vec![4],
        vec![5],
        vec![5],
        vec![5],
        vec![6, 7],
    ];
    assert_eq!(tried(&bench), expected);
    assert_eq!(
        given_up(&bench),
        [(5, vec![5], DiscardReason::RetryAttemptsExhausted, Remains::Dropped)]
    );
    let again = bench.reads.iter().filter(|(_, get)| get.retry_lane.is_some()).count();
    assert_eq!(again, expected.len() - 1, "each piece is read again (LAM-K-20)");
    all_done(&bench, 8);
}

#[test]
fn lam_u_06_an_odd_batch_has_its_larger_half_first() {
    let mut bench = erring(7, |errors| errors.bisect_batch_on_function_error = true);
    outcomes(&mut bench, vec![FunctionError]);
    bench.run_for(30);
    let sizes: Vec<usize> = tried(&bench).iter().map(Vec::len).collect();
    assert_eq!(sizes, [7, 4, 3]);
}

#[test]
fn lam_x_13_later_batches_are_as_large_as_ever() {
    let mut setup = Setup::new();
    setup.blueprint.batch_size = 8;
    setup.blueprint.errors.bisect_batch_on_function_error = true;
    let mut bench = setup.build();
    bench.store_many(millis(0), 16);
    outcomes(&mut bench, vec![FunctionError]);
    bench.run_for(30);
    let sizes: Vec<usize> = tried(&bench).iter().map(Vec::len).collect();
    assert_eq!(sizes, [8, 4, 4, 8]);
}

#[test]
fn lam_x_14_without_retries_a_batch_is_cut_all_the_same() {
    let mut bench = erring(4, |errors| {
        errors.maximum_retry_attempts = Some(0);
        errors.bisect_batch_on_function_error = true;
    });
    poison(&mut bench, &[0]);
    bench.run_for(30);
    assert_eq!(
        tried(&bench),
        [vec![0, 1, 2, 3], vec![0, 1], vec![0], vec![1], vec![2, 3]]
    );
    assert_eq!(given_up(&bench).len(), 1);
    all_done(&bench, 4);
}

#[test]
fn lam_x_15_an_exception_cuts_the_batch_whether_or_not_failures_are_reported() {
    for report in [false, true] {
        let mut bench = erring(4, |errors| {
            errors.report_batch_item_failures = report;
            errors.bisect_batch_on_function_error = true;
        });
        outcomes(&mut bench, vec![FunctionError]);
        bench.run_for(30);
        assert_eq!(tried(&bench), [vec![0, 1, 2, 3], vec![0, 1], vec![2, 3]]);
    }
}

/// LAM-X-23: a bucket gets the records with the document; LAM-X-22: a queue and a topic do not.
#[test]
fn lam_x_22_lam_x_23_only_a_bucket_gets_the_records_themselves() {
    for (kind, bytes) in [
        (DestinationKind::Queue, 0),
        (DestinationKind::Topic, 0),
        (DestinationKind::Bucket, 300),
    ] {
        let mut bench = erring(3, |errors| {
            errors.maximum_retry_attempts = Some(0);
            errors.on_failure = Some(destination(kind));
        });
        poison(&mut bench, &[0]);
        bench.run_for(30);
        let payloads: Vec<u64> = documents(&bench)
            .iter()
            .map(|document| document.payload_bytes)
            .collect();
        assert_eq!(payloads, [bytes]);
    }
}

/// LAM-X-24: how often it was tried; LAM-X-25: which records it is about; LAM-X-26: the word for it.
#[test]
fn lam_x_24_lam_x_25_lam_x_26_a_document_tells_which_batch_failed_and_how_often() {
    let mut setup = Setup::new();
    setup.blueprint.batch_size = 3;
    setup.blueprint.errors.maximum_retry_attempts = Some(2);
    setup.blueprint.errors.on_failure = Some(destination(DestinationKind::Queue));
    let mut bench = setup.build();
    for at in 0..6 {
        bench.store(millis(at * 100), 0, 100);
    }
    poison(&mut bench, &[4]);
    bench.run_for(60);
    let expected = FailureDocument {
        condition: DiscardReason::RetryAttemptsExhausted,
        invocations: 3,
        shard: ShardIndex(0),
        start: 3,
        end: 5,
        first_arrival: millis(300),
        last_arrival: millis(500),
        records: 3,
        payload_bytes: 0,
        delivered: true,
    };
    assert_eq!(documents(&bench), [expected]);
    assert_eq!(expected.condition.condition(), "RetryAttemptsExhausted");
}

/// Two neighbours fail one by one and stand in one document; the one further on has a document of its own.
#[test]
fn lam_x_28_neighbours_among_failed_pieces_go_into_one_document() {
    let mut bench = erring(8, |errors| {
        errors.maximum_retry_attempts = Some(0);
        errors.bisect_batch_on_function_error = true;
        errors.on_failure = Some(destination(DestinationKind::Queue));
    });
    poison(&mut bench, &[3, 4, 6]);
    bench.run_for(60);
    let told: Vec<(u64, u64, u32)> = documents(&bench)
        .iter()
        .map(|one| (one.start, one.end, one.records))
        .collect();
    assert_eq!(told, [(3, 4, 2), (6, 6, 1)]);
    all_done(&bench, 8);
}

#[test]
fn lam_x_29_what_the_destination_cannot_take_is_dropped() {
    let mut bench = erring(3, |errors| {
        errors.maximum_retry_attempts = Some(0);
        errors.on_failure = Some(FailureDestination {
            failure_rate: Ratio::ONE,
            ..destination(DestinationKind::Queue)
        });
    });
    poison(&mut bench, &[0]);
    bench.run_for(30);
    let remains: Vec<Remains> = given_up(&bench).into_iter().map(|(_, _, _, remains)| remains).collect();
    assert_eq!(remains, [Remains::Undeliverable]);
    assert!(documents(&bench).iter().all(|document| !document.delivered));
    all_done(&bench, 3);
}

/// Only the records that are too old leave the batch, whether they wait for a first attempt or for another one.
#[test]
fn lam_x_06_lam_u_08_age_is_looked_at_before_every_invocation_and_takes_single_records_away() {
    let mut setup = Setup::new();
    setup.blueprint.errors.maximum_record_age = Some(SimDuration::from_secs(70));
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(20);
    let mut bench = setup.build();
    for at in [0, 5, 10, 15, 60] {
        bench.store_many(SimTime::from_secs(at), 1);
    }
    outcomes(&mut bench, vec![FunctionError; 6]);
    // Attempts begin 20, 21, 23, 27, 35, 51 and 83 s after the start, roughly.
    bench.run_for(120);
    for invocation in &bench.invocations {
        let sent = invocation.at.saturating_sub(NETWORK);
        let too_old = |record: &Record| record.arrived_at + SimDuration::from_secs(70) < sent;
        assert!(!invocation.records.iter().any(too_old), "{:?}", invocation.ordinals());
    }
    assert_eq!(
        given_up(&bench),
        [(0, vec![0, 1, 2], DiscardReason::RecordAgeExceeded, Remains::Dropped)]
    );
    assert_eq!(tried(&bench)[6..], [vec![3], vec![4]]);
    all_done(&bench, 5);
}

#[test]
fn lam_x_06_records_that_waited_too_long_behind_a_failing_batch_never_reach_the_function() {
    let mut setup = Setup::new();
    setup.blueprint.batch_size = 1;
    setup.blueprint.errors.maximum_record_age = Some(SimDuration::from_secs(60));
    setup.blueprint.errors.on_failure = Some(destination(DestinationKind::Queue));
    let mut bench = setup.build();
    for at in [0, 1, 2, 200] {
        bench.store_many(SimTime::from_secs(at), 1);
    }
    poison(&mut bench, &[0]);
    bench.run_for(220);
    assert!(
        tried(&bench)
            .iter()
            .all(|ordinals| ordinals != &[1] && ordinals != &[2])
    );
    assert_eq!(tried(&bench).last(), Some(&vec![3]));
    assert_eq!(documents(&bench).len(), 3);
    assert_eq!(documents(&bench)[1].invocations, 0);
    all_done(&bench, 4);
}

/// With a lane for each key, what is given up need not be consecutive.
#[test]
fn lam_x_32_a_lane_that_gives_up_leaves_the_others_alone() {
    let mut setup = Setup::lanes(2);
    setup.blueprint.errors.maximum_retry_attempts = Some(1);
    setup.blueprint.errors.on_failure = Some(destination(DestinationKind::Queue));
    let mut bench = setup.build();
    for number in 0..6 {
        bench.store(millis(0), number % 2, 100);
    }
    bench.behaviour = Box::new(|one| {
        (
            SimDuration::from_millis(20),
            if one.lane == 1 { FunctionError } else { Succeeded },
        )
    });
    bench.run_for(60);
    let positions: Vec<Vec<u64>> = bench
        .harness
        .find(|note| matches!(note.fact, Fact::RecordsDiscarded { .. }).then(|| note.positions.clone()));
    assert_eq!(positions, [vec![1, 3, 5]]);
    assert_eq!((documents(&bench)[0].start, documents(&bench)[0].end), (1, 5));
    all_done(&bench, 6);
}
