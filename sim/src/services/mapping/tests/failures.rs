//! Function errors, timeouts, throttles, and records that expire meanwhile.

use super::*;

/// The function ends its invocations like this, and then succeeds.
pub(super) fn outcomes(bench: &mut Bench, outcomes: Vec<InvocationOutcome>) {
    let mut left = outcomes.into_iter();
    bench.behaviour = Box::new(move |_| (SimDuration::from_millis(20), left.next().unwrap_or(Succeeded)));
}
fn expired_in_retry(bench: &Bench) -> Vec<(u64, u64)> {
    let expired = |note: &crate::testing::note::Note| match note.fact {
        Fact::RecordsExpiredInRetry {
            first_position, count, ..
        } => Some((first_position, count)),
        _ => None,
    };
    bench.harness.notes().iter().filter_map(expired).collect()
}

/// LAM-Z-01: and the lane is free.
#[test]
fn lam_x_01_lam_z_01_success_checkpoints_the_last_record_of_the_batch() {
    let mut bench = Setup::new().build();
    bench.store_many(millis(0), 150);
    bench.run_for(3);
    let checkpoints: Vec<u64> = bench
        .harness
        .notes()
        .iter()
        .filter_map(|note| match note.fact {
            Fact::CheckpointAdvanced { position, .. } => Some(position),
            _ => None,
        })
        .collect();
    assert_eq!(checkpoints, [100, 150]);
    assert_eq!(bench.invocations[1].at, bench.invocations[0].answered_at + NETWORK);
}

/// LAM-Z-02, for a function error and for a timeout.
/// Also LAM-K-20.
#[test]
fn lam_x_02_lam_z_02_lam_k_20_a_failed_batch_is_read_and_invoked_again_whole_and_blocks_its_lane() {
    for outcome in [FunctionError, TimedOut] {
        let mut bench = Setup::new().build();
        bench.store_many(millis(0), 30);
        bench.store_many(millis(1_500), 30);
        outcomes(&mut bench, vec![outcome, outcome]);
        bench.run_for(12);
        let (first, second): (Vec<u32>, Vec<u32>) = ((0..30).collect(), (30..60).collect());
        let tried: Vec<Vec<u32>> = bench.invocations.iter().map(Invocation::ordinals).collect();
        assert_eq!(
            tried,
            [first.clone(), first.clone(), first, second],
            "the same batch, and nothing in between"
        );
        let again: Vec<&(SimTime, GetCall)> = bench.reads.iter().filter(|(_, get)| get.retry_lane.is_some()).collect();
        assert_eq!(again.len(), 2, "each retry has read its batch");
        assert!(again.iter().all(|(_, get)| (get.position, get.limit) == (0, 30)));
        assert!(again[0].0 >= bench.invocations[0].answered_at + SECOND);
        assert!(again[0].0 < bench.invocations[1].at);
    }
}

#[test]
fn lam_u_05_waits_double_from_a_second_to_a_minute_after_errors_and_to_half_a_minute_after_throttles() {
    for (outcome, expected) in [
        (FunctionError, [1, 2, 4, 8, 16, 32, 60, 60]),
        (Throttled, [1, 2, 4, 8, 16, 30, 30, 30]),
    ] {
        let mut bench = Setup::new().build();
        bench.store_many(millis(0), 1);
        outcomes(&mut bench, vec![outcome; 8]);
        bench.run_for(300);
        assert_eq!(bench.backoffs(), expected);
        assert_eq!(bench.reader().progress.checkpoint(), 1);
    }
}

#[test]
fn lam_x_07_a_throttle_does_not_count_as_an_attempt() {
    let mut bench = Setup::new().build();
    bench.store_many(millis(0), 1);
    outcomes(
        &mut bench,
        vec![
            FunctionError,
            FunctionError,
            Throttled,
            Throttled,
            FunctionError,
            Throttled,
        ],
    );
    bench.run_for(60);
    assert_eq!(bench.backoffs(), [1, 2, 1, 2, 4, 1]);
}

/// LAM-X-03 without limits of its own; LAM-X-09: retention ends it; LAM-X-30: silently.
/// Also LAM-Z-11.
#[test]
fn lam_x_03_lam_x_30_lam_z_11_a_poison_record_blocks_its_shard_until_it_leaves_the_stream() {
    let mut bench = Setup::new().build();
    bench.retention = SimDuration::from_secs(200);
    bench.store(millis(0), 0, 100);
    bench.store_many(SimTime::from_secs(100), 5);
    bench.behaviour = Box::new(|invocation| {
        let poison = invocation.records[0].ordinal == 0;
        (
            SimDuration::from_millis(20),
            if poison { FunctionError } else { Succeeded },
        )
    });
    bench.run_until(SimTime::from_secs(199));
    assert!(bench.invocations.iter().all(|invocation| invocation.ordinals() == [0]));
    bench.run_until(SimTime::from_secs(290));
    assert_eq!(expired_in_retry(&bench), [(0, 1)]);
    assert_eq!(bench.invocations.last().expect("some").ordinals(), [1, 2, 3, 4, 5]);
    assert_eq!((bench.reader().in_flight, bench.reader().progress.checkpoint()), (0, 6));
}

/// Also LAM-Z-08.
#[test]
fn lam_x_08_lam_z_08_a_throttled_batch_is_tried_whole_until_its_records_expire() {
    let mut bench = Setup::new().build();
    bench.retention = SimDuration::from_secs(500);
    bench.store_many(millis(0), 8);
    bench.behaviour = Box::new(|_| (SimDuration::from_millis(1), Throttled));
    bench.run_until(SimTime::from_secs(600));
    assert!(bench.invocations.len() > 15, "no number of attempts ends it");
    assert!(bench.invocations.iter().all(|invocation| invocation.records.len() == 8));
    assert_eq!(expired_in_retry(&bench), [(0, 8)]);
}

#[test]
fn lam_z_11_what_is_left_of_a_batch_that_has_partly_expired_is_tried_again() {
    for lanes in [1, 2] {
        let mut bench = Setup::lanes(lanes).build();
        bench.retention = SimDuration::from_secs(100);
        for at in 0..10 {
            bench.store(millis(at), at.try_into().map(|at: u32| at % lanes).expect("small"), 100);
        }
        // The next poll finds these as well, as one batch with the others once those have failed for a while.
        bench.behaviour = Box::new(|_| (SimDuration::from_millis(1), Throttled));
        bench.run_for(1);
        bench.logs[0].expire(millis(4) + SimDuration::from_secs(100), SimDuration::from_secs(100));
        bench.retention = SimDuration::from_hours(24);
        bench.run_for(3);
        let gone: u64 = expired_in_retry(&bench).iter().map(|(_, count)| count).sum();
        assert_eq!(gone, 5, "positions 0 to 4");
        outcomes(&mut bench, Vec::new());
        bench.run_for(60);
        let done = bench
            .invocations
            .iter()
            .filter(|invocation| invocation.outcome == Succeeded);
        assert_eq!(done.map(|invocation| invocation.records.len()).sum::<usize>(), 5);
        assert_eq!(
            (bench.reader().in_flight, bench.reader().progress.checkpoint()),
            (0, 10)
        );
    }
}

/// A batch of two lanes' records lies scattered over a stretch of the shard that takes several pages to read.
fn scattered() -> Bench {
    let mut setup = Setup::lanes(2);
    setup.blueprint.batch_size = 10_000;
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(3);
    let mut bench = setup.build();
    for number in 0..10_000 {
        bench.store(millis(0), u32::from(number % 1_000 != 0), 2_000);
    }
    // Lane 0 has ten records among 10,000 of 2,000 bytes, which are two pages of 10 MiB. Its window gathers all ten.
    bench.behaviour = Box::new(|invocation| {
        let fails = invocation.lane == 0 && invocation.at < SimTime::from_secs(5);
        (
            SimDuration::from_millis(20),
            if fails { FunctionError } else { Succeeded },
        )
    });
    bench
}
fn lane_zero(bench: &Bench) -> Vec<Vec<u32>> {
    let of_lane = bench.invocations.iter().filter(|invocation| invocation.lane == 0);
    of_lane.map(Invocation::ordinals).collect()
}

#[test]
fn a_batch_that_is_read_again_in_several_pages_is_whole() {
    let mut bench = scattered();
    bench.run_for(20);
    let tried = lane_zero(&bench);
    assert!(tried.len() > 1);
    assert!(
        tried.iter().all(|ordinals| *ordinals == (0..10).collect::<Vec<_>>()),
        "{tried:?}"
    );
}

#[test]
fn a_refusal_in_the_middle_of_reading_a_batch_again_repeats_and_loses_nothing() {
    let mut undisturbed = scattered();
    undisturbed.run_for(20);
    let again: Vec<SimTime> = undisturbed
        .reads
        .iter()
        .filter(|(_, get)| get.retry_lane == Some(0))
        .map(|&(at, _)| at)
        .collect();
    assert!(again.len() >= 2, "{again:?}");
    let mut bench = scattered();
    bench.refused.push(again[1]..again[1] + SimDuration::from_millis(50));
    bench.run_for(20);
    let tried = lane_zero(&bench);
    assert!(tried.len() > 1);
    assert!(
        tried.iter().all(|ordinals| *ordinals == (0..10).collect::<Vec<_>>()),
        "{tried:?}"
    );
    assert_eq!(
        (bench.reader().in_flight, bench.reader().progress.checkpoint()),
        (0, 10_000)
    );
}

#[test]
fn records_found_again_that_expire_before_the_rest_is_read_are_gone() {
    let mut undisturbed = scattered();
    undisturbed.run_for(20);
    let again: Vec<SimTime> = undisturbed
        .reads
        .iter()
        .filter(|(_, get)| get.retry_lane == Some(0))
        .map(|&(at, _)| at)
        .collect();
    let mut bench = scattered();
    bench.run_until(again[0] + SERVICE);
    // The first page has been cut; now everything in it and the record at 6,000 expire.
    let mut left = Log::new();
    for position in 0..10_000_u64 {
        let at = if position <= 6_500 {
            millis(0)
        } else {
            SimTime::from_secs(1)
        };
        left.append(&Record {
            created_at: at,
            arrived_at: at,
            key: KeyId(u32::from(position % 1_000 != 0)),
            ordinal: u32::try_from(if position % 1_000 == 0 {
                position / 1_000
            } else {
                position
            })
            .expect("small"),
            bytes: 2_000,
            flags: 0,
        });
    }
    left.expire(SimTime::from_secs(1), SECOND);
    bench.logs[0] = left;
    bench.run_for(20);
    assert_eq!(expired_in_retry(&bench), [(0, 7)]);
    let tried = lane_zero(&bench);
    assert!(
        tried.len() > 1 && tried[1..].iter().all(|ordinals| *ordinals == [7, 8, 9]),
        "{tried:?}"
    );
    assert_eq!(
        (bench.reader().in_flight, bench.reader().progress.checkpoint()),
        (0, 10_000)
    );
}

#[test]
fn pages_that_come_while_a_batch_is_read_again_wait_their_turn() {
    let mut bench = Setup::new().build();
    for number in 0..200 {
        bench.store(millis(number * 50), 0, 100);
    }
    outcomes(&mut bench, vec![Succeeded, FunctionError, Throttled, FunctionError]);
    bench.refused.push(SimTime::from_secs(4)..SimTime::from_secs(5));
    bench.run_for(40);
    let done = bench
        .invocations
        .iter()
        .filter(|invocation| invocation.outcome == Succeeded);
    let ordinals: Vec<u32> = done.flat_map(Invocation::ordinals).collect();
    assert_eq!(ordinals, (0..200).collect::<Vec<_>>());
    assert_eq!(bench.reader().progress.checkpoint(), 200);
}
