//! Tumbling windows (LAM-W).

use super::failures::outcomes;
use super::retries::{all_done, given_up};
use super::*;
use crate::blueprint::ErrorHandling;
use crate::observe::fact::MappingChange;

const MINUTE: SimDuration = SimDuration::from_secs(60);

/// A mapping with windows of a minute whose function returns a byte of state for each record.
fn windowed(errors: ErrorHandling) -> Bench {
    let mut setup = Setup::new();
    setup.blueprint.tumbling_window = MINUTE;
    setup.blueprint.errors = errors;
    let mut bench = setup.build();
    counting(&mut bench, 1);
    bench
}
fn counting(bench: &mut Bench, per_record: u64) {
    bench.state = Box::new(move |one| {
        let window = one.call.window.expect("every event tells of its window");
        Some(window.state + per_record * u64::try_from(one.records.len()).expect("small"))
    });
}
/// Start of the window in seconds, records, state before, and whether it was the final one: of each invocation.
fn events(bench: &Bench) -> Vec<(u64, usize, u64, bool)> {
    let event = |one: &Invocation| {
        let window = one.call.window.expect("every event tells of its window");
        (
            window.start.as_nanos() / 1_000_000_000,
            one.records.len(),
            window.state,
            window.is_final,
        )
    };
    bench.invocations.iter().map(event).collect()
}
fn closed(bench: &Bench) -> Vec<(u64, bool, bool)> {
    bench.harness.find(|note| match note.fact {
        Fact::MappingChanged {
            change:
                MappingChange::WindowClosed {
                    start,
                    early,
                    abandoned,
                    ..
                },
            ..
        } => Some((start.as_nanos() / 1_000_000_000, early, abandoned)),
        _ => None,
    })
}
fn checkpoints(bench: &Bench) -> Vec<u64> {
    bench.harness.find(|note| match note.fact {
        Fact::CheckpointAdvanced { position, .. } => Some(position),
        _ => None,
    })
}

/// LAM-W-02: membership follows arrival, so two records that are read together go to two windows; LAM-W-13: each
/// invocation brings new records and the state so far; LAM-W-03: the state is handed on.
#[test]
fn lam_w_02_lam_w_03_lam_w_13_records_of_a_window_are_handed_over_with_the_state_so_far() {
    let mut bench = windowed(ErrorHandling::default());
    bench.store_many(SimTime::from_secs(10), 3);
    bench.store_many(SimTime::from_secs(20), 2);
    bench.store_many(millis(59_990), 1);
    bench.store_many(millis(60_000), 4);
    bench.run_for(70);
    assert_eq!(
        events(&bench),
        [
            (0, 3, 0, false),
            (0, 2, 3, false),
            (0, 1, 5, false),
            (0, 0, 6, true),
            (60, 4, 0, false)
        ]
    );
}

/// LAM-U-11: windows are multiples of their length; LAM-W-11: the event tells start, end, state and whether it is final.
#[test]
fn lam_w_11_lam_u_11_an_event_tells_of_its_window() {
    let mut bench = windowed(ErrorHandling::default());
    bench.store_many(SimTime::from_secs(130), 3);
    bench.store_many(SimTime::from_secs(185), 1);
    bench.run_for(190);
    let windows: Vec<crate::batch::WindowEvent> = bench.invocations.iter().filter_map(|one| one.call.window).collect();
    let event = |state, is_final| crate::batch::WindowEvent {
        start: SimTime::from_secs(120),
        end: SimTime::from_secs(180),
        state,
        is_final,
        is_terminated_early: false,
    };
    assert_eq!(windows[..2], [event(0, false), event(3, true)]);
    assert_eq!(bench.invocations[1].call.shard, ShardIndex(0));
}

/// The checkpoint stands still while the window is open.
#[test]
fn lam_w_06_the_final_invocation_drops_the_state_and_checkpoints() {
    let mut bench = windowed(ErrorHandling::default());
    bench.store_many(SimTime::from_secs(10), 3);
    bench.store_many(SimTime::from_secs(30), 2);
    bench.store_many(SimTime::from_secs(65), 1);
    bench.run_for(60);
    assert_eq!((checkpoints(&bench), bench.reader().in_flight), (vec![], 0));
    bench.run_for(75);
    assert_eq!(bench.reader().progress.checkpoint(), 5);
    assert_eq!(closed(&bench), [(0, false, false)]);
    assert_eq!(events(&bench)[2..], [(0, 0, 5, true), (60, 1, 0, false)]);
}

#[test]
fn lam_w_07_a_failing_final_invocation_holds_the_shard_up() {
    let mut bench = windowed(ErrorHandling::default());
    bench.store_many(SimTime::from_secs(10), 3);
    bench.store_many(SimTime::from_secs(65), 1);
    outcomes(&mut bench, vec![Succeeded, FunctionError, TimedOut, FunctionError]);
    bench.run_for(90);
    let (last, is_final) = (events(&bench).len() - 1, (0, 0, 3, true));
    assert_eq!(events(&bench)[1..last], [is_final; 4]);
    assert_eq!(events(&bench)[last], (60, 1, 0, false));
    assert!(bench.invocations[4].at > SimTime::from_secs(65 + 1 + 2 + 4));
}

/// LAM-W-08: two minutes after the end of the window without a further record.
#[test]
fn lam_w_08_without_a_further_record_a_window_is_over_two_minutes_after_its_end() {
    let mut bench = windowed(ErrorHandling::default());
    bench.store_many(SimTime::from_secs(10), 3);
    bench.run_for(300);
    assert_eq!(events(&bench), [(0, 3, 0, false), (0, 0, 3, true)]);
    let closed_at = bench.invocations[1].at;
    assert!(
        (180..182).contains(&(closed_at.as_nanos() / 1_000_000_000)),
        "{closed_at}"
    );
    all_done(&bench, 3);
}

/// LAM-W-04: beyond 1 MB the window ends early, and what is left of it goes on with an empty state.
#[test]
fn lam_w_04_a_state_beyond_1_mb_ends_its_window_early() {
    let mut bench = windowed(ErrorHandling::default());
    counting(&mut bench, 400_000);
    for at in [10, 20, 30, 40] {
        bench.store_many(SimTime::from_secs(at), 1);
    }
    bench.store_many(SimTime::from_secs(65), 1);
    bench.run_for(75);
    let early: Vec<bool> = bench
        .invocations
        .iter()
        .filter_map(|one| one.call.window)
        .map(|window| window.is_terminated_early)
        .collect();
    assert_eq!(early, [false, false, false, true, false, false, false]);
    assert_eq!(closed(&bench), [(0, true, false), (0, false, false)]);
    assert_eq!(events(&bench)[4], (0, 1, 0, false));
}

#[test]
fn lam_w_05_a_response_without_a_state_is_a_failure() {
    let mut bench = windowed(ErrorHandling {
        maximum_retry_attempts: Some(1),
        ..ErrorHandling::default()
    });
    bench.state = Box::new(|_| None);
    bench.store_many(SimTime::from_secs(10), 3);
    bench.run_for(50);
    assert_eq!(bench.invocations.len(), 2);
    assert_eq!(given_up(&bench).len(), 1);
}

/// The child begins with an empty state, and only after the final invocation of its parent.
#[test]
fn lam_w_09_the_end_of_a_shard_ends_its_window() {
    let mut setup = Setup::new();
    setup.blueprint.tumbling_window = MINUTE;
    setup.model.shard_discovery_interval = SimDuration::from_millis(1);
    let mut bench = setup.build();
    counting(&mut bench, 1);
    bench.logs.resize(2, Log::new());
    let child = ChildShard {
        shard: ShardIndex(1),
        range: crate::key::HashRange::WHOLE,
        parents: [Some(ShardIndex(0)), None],
        opened_at: SimTime::from_secs(20),
    };
    bench.closed = vec![(0, vec![child])];
    bench.store_in(0, SimTime::from_secs(10), 0);
    bench.store_in(1, SimTime::from_secs(21), 0);
    bench.run_for(50);
    let shards: Vec<u32> = bench.invocations.iter().map(|one| one.shard).collect();
    assert_eq!(shards, [0, 0, 1]);
    assert_eq!(events(&bench), [(0, 1, 0, false), (0, 0, 1, true), (0, 1, 0, false)]);
}

/// LAM-W-10: the limits hold for batches within a window and for its end.
#[test]
fn lam_w_10_retry_and_age_limits_hold_within_windows() {
    let mut bench = windowed(ErrorHandling {
        maximum_retry_attempts: Some(1),
        ..ErrorHandling::default()
    });
    bench.store_many(SimTime::from_secs(10), 3);
    bench.store_many(SimTime::from_secs(30), 1);
    bench.store_many(SimTime::from_secs(65), 1);
    // The first batch is given up, and so is the end of the window.
    outcomes(
        &mut bench,
        vec![FunctionError, FunctionError, Succeeded, FunctionError, FunctionError],
    );
    bench.run_for(80);
    assert_eq!(given_up(&bench).len(), 1);
    assert_eq!(closed(&bench), [(0, false, true)]);
    assert_eq!(events(&bench).last(), Some(&(60, 1, 0, false)));
    let mut bench = windowed(ErrorHandling {
        maximum_record_age: Some(MINUTE),
        ..ErrorHandling::default()
    });
    bench.store_many(SimTime::from_secs(10), 3);
    bench.store_many(SimTime::from_secs(65), 1);
    bench.behaviour = Box::new(|one| {
        let fails = one.call.window.is_some_and(|window| window.is_final);
        (
            SimDuration::from_millis(1),
            if fails { FunctionError } else { Succeeded },
        )
    });
    bench.run_for(100);
    assert_eq!(closed(&bench), [(0, false, true)]);
}

/// A lane without records does not know that its window is over while its shard still has some for it.
#[test]
fn lam_w_08_a_window_stays_open_until_the_reader_has_caught_up() {
    let mut bench = windowed(ErrorHandling::default());
    for _ in 0..12 {
        bench.store(SimTime::from_secs(10), 0, 1_000_000);
    }
    // The first page holds ten of them; the rest can be read only after the window's grace.
    bench.refused = vec![SimTime::from_secs(12)..SimTime::from_secs(250)];
    bench.run_for(300);
    assert_eq!(closed(&bench), [(0, false, false)]);
    let (last, before) = events(&bench)
        .split_last()
        .map(|(last, all)| (*last, all.len()))
        .expect("events");
    assert_eq!(last, (0, 0, 12, true), "after {before} others");
    all_done(&bench, 12);
}
