//! Who may run.

use super::*;

/// Neither placement nor Init takes time.
fn instant(name: &str) -> FunctionBlueprint {
    FunctionBlueprint {
        cold_start: ColdStart::Own(constant(SimDuration::ZERO)),
        ..function(name)
    }
}
fn instant_model() -> ModelParameters {
    ModelParameters {
        placement_time: constant(SimDuration::ZERO),
        ..model()
    }
}
fn concurrency_at_starts(harness: &Harness<Lambda>) -> Vec<u32> {
    harness.find(|note| {
        let Fact::InvocationStarted { concurrent, .. } = note.fact else {
            return None;
        };
        Some(concurrent)
    })
}

#[test]
fn lam_c_01_concurrency_is_rate_times_duration() {
    let slow = FunctionBlueprint {
        per_batch: constant(SimDuration::from_millis(500)),
        ..instant("enrich")
    };
    let mut harness = account(&[slow], 1_000, &instant_model()).expect("the blueprint is valid");
    for tick in 0..100 {
        harness.invoke(millis(100 * tick), ENRICH);
    }
    harness.run();
    let concurrent = concurrency_at_starts(&harness);
    assert_eq!(concurrent[..5], [1, 2, 3, 4, 5]);
    assert!(
        concurrent[5..].iter().all(|&n| n == 5),
        "10 a second of half a second each are 5 at a time"
    );
}

#[test]
fn lam_c_04_the_functions_of_an_account_run_a_thousand_invocations_at_a_time_by_default() {
    let mut harness = lambda(&[enrich(), function("report")]);
    harness.invoke_many(600, SimTime::ZERO, ENRICH);
    harness.invoke_many(401, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(
        (
            harness.component.in_progress(ENRICH),
            harness.component.in_progress(REPORT)
        ),
        (600, 400)
    );
    assert_eq!(harness.throttles(), 1);
}

#[test]
fn lam_c_04_the_quota_can_be_raised() {
    let patient = FunctionBlueprint {
        per_batch: constant(SimDuration::from_minutes(10)),
        timeout: SimDuration::from_minutes(15),
        ..enrich()
    };
    let mut harness = account(&[patient], 20_000, &model()).expect("the blueprint is valid");
    // A thousand new environments each ten seconds, as fast as a function may grow (LAM-C-11).
    for step in 0..21 {
        harness.invoke_many(1_000, SimTime::from_secs(10 * step), ENRICH);
    }
    harness.run_until(SimTime::from_secs(200));
    assert_eq!(harness.component.in_progress(ENRICH), 20_000);
    assert!(
        harness
            .reasons()
            .iter()
            .all(|&reason| reason == ThrottleReason::Concurrency)
    );
    assert_eq!(harness.throttles(), 1_000);
}

#[test]
fn lam_c_06_reserved_concurrency_caps_its_function_even_in_an_idle_account() {
    let mut harness = lambda(&[reserving("enrich", 2)]);
    harness.invoke_many(3, SimTime::ZERO, ENRICH);
    harness.run_until(SimTime::ZERO);
    assert_eq!((harness.component.in_progress(ENRICH), harness.throttles()), (2, 1));
}

#[test]
fn lam_c_06_reserved_concurrency_is_kept_free_for_its_function_by_all_others() {
    let mut harness = account(&[reserving("enrich", 10), function("report")], 110, &model()).expect("valid");
    harness.invoke_many(110, SimTime::ZERO, REPORT);
    harness.invoke_many(10, SimTime::ZERO, ENRICH);
    harness.run_until(SimTime::ZERO);
    assert_eq!(
        harness.component.in_progress(REPORT),
        100,
        "the idle reservation is out of its reach"
    );
    assert_eq!(
        harness.component.in_progress(ENRICH),
        10,
        "the full pool is no obstacle"
    );
}

#[test]
fn lam_c_07_a_hundred_always_stay_unreserved() {
    assert!(account(&[reserving("enrich", 900)], 1_000, &model()).is_ok());
    let refused = account(&[reserving("enrich", 500), reserving("report", 401)], 1_000, &model())
        .map(|_| ())
        .expect_err("99 would be left");
    let error = ReservationRefused {
        requested: 401,
        available: 400,
    };
    assert_eq!(
        refused,
        ServiceBuildError::ReservedConcurrency {
            component: "function.report".to_owned(),
            error,
        }
    );

    let mut harness = lambda(&[reserving("enrich", 500), function("report")]);
    assert_eq!(
        harness.component.set_reserved_concurrency(REPORT, Some(401)),
        Err(error)
    );
    harness.invoke_many(450, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(
        harness.component.in_progress(REPORT),
        450,
        "the refused change has changed nothing"
    );
    assert_eq!(harness.component.set_reserved_concurrency(REPORT, Some(400)), Ok(()));
}

#[test]
fn lam_c_07_a_reservation_that_takes_nothing_is_possible_in_the_smallest_account() {
    let mut harness = account(&[enrich()], 10, &model()).expect("the blueprint is valid");
    assert!(harness.component.set_reserved_concurrency(ENRICH, Some(1)).is_err());
    assert_eq!(harness.component.set_reserved_concurrency(ENRICH, Some(0)), Ok(()));
}

#[test]
fn lam_c_08_a_reserved_concurrency_of_zero_throttles_every_invocation() {
    let mut harness = lambda(&[reserving("enrich", 0)]);
    for second in 0..20 {
        harness.invoke(SimTime::from_secs(second), ENRICH);
    }
    harness.run();
    assert_eq!((harness.throttles(), harness.cold_starts().len()), (20, 0));
}

#[test]
fn lam_c_09_functions_without_a_reservation_share_what_is_not_reserved() {
    let functions = [
        function("enrich"),
        function("report"),
        reserving("score", 300),
        reserving("tag", 200),
    ];
    let mut harness = lambda(&functions);
    harness.invoke_many(200, SimTime::ZERO, FunctionId(2));
    harness.invoke_many(400, SimTime::ZERO, ENRICH);
    harness.invoke_many(400, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(harness.component.in_progress(ENRICH), 400);
    assert_eq!(
        harness.component.in_progress(REPORT),
        100,
        "1,000 - 500 reserved - 400 in use"
    );
}

#[test]
fn lam_c_09_a_released_reservation_goes_back_to_the_pool() {
    let mut harness = account(&[reserving("enrich", 50), function("report")], 150, &model()).expect("valid");
    harness.invoke_many(101, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!((harness.component.in_progress(REPORT), harness.throttles()), (100, 1));
    assert_eq!(harness.component.set_reserved_concurrency(ENRICH, None), Ok(()));
    harness.invoke_many(51, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!((harness.component.in_progress(REPORT), harness.throttles()), (150, 2));
}

#[test]
fn lam_c_06_lowering_one_reservation_does_not_eat_into_another() {
    let functions = [reserving("enrich", 60), function("report"), reserving("score", 40)];
    let mut harness = account(&functions, 200, &model()).expect("the blueprint is valid");
    harness.invoke_many(60, SimTime::ZERO, ENRICH);
    harness.run_until(SimTime::ZERO);
    assert_eq!(harness.component.set_reserved_concurrency(ENRICH, Some(10)), Ok(()));
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke_many(200, SimTime::ZERO, REPORT);
    harness.invoke_many(40, SimTime::ZERO, FunctionId(2));
    harness.run_until(SimTime::ZERO);
    assert_eq!(
        harness.component.in_progress(ENRICH),
        60,
        "what runs goes on, nothing is added"
    );
    assert_eq!(
        harness.component.in_progress(REPORT),
        100,
        "the 60 still count until they end"
    );
    assert_eq!(harness.component.in_progress(FunctionId(2)), 40);
}

#[test]
fn lam_c_23_a_throttled_caller_is_told_so_after_the_way_there_and_gets_no_records() {
    let mut harness = lambda(&[reserving("enrich", 0)]);
    harness.invoke_for(4, millis(10), ENRICH, 5);
    harness.run();
    let calls = harness.take_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].at, millis(11));
    assert!(matches!(
        calls[0].event,
        world::Event::Mapping(MappingId(4), mapping::Event::Invoked { .. })
    ));
    assert_eq!(outcome_in(&calls[0]), InvocationOutcome::Throttled);
    let Envelope::Invoke(call) = calls[0].batch.envelope else {
        panic!("a reply to an invocation")
    };
    assert_eq!((call.shard, call.lane, call.function), (ShardIndex(3), 2, ENRICH));
    assert!(calls[0].batch.records.is_empty() && calls[0].batch.positions.is_empty() && calls[0].batch.bytes == 0);
}

#[test]
fn lam_c_25_a_throttled_request_is_neither_an_invocation_nor_an_error() {
    let mut harness = lambda(&[reserving("enrich", 0)]);
    harness.invoke_for(4, SimTime::ZERO, ENRICH, 5);
    harness.run();
    assert!(
        matches!(
            harness.notes(),
            [note] if matches!(note.fact, Fact::InvocationThrottled { function: ENRICH, caller: Caller::Reader(crate::ids::ReaderId(4)), records: 5, .. })
        ),
        "one fact, and no start or end of an invocation: {:?}",
        harness.notes()
    );
}

#[test]
fn capacity_freed_at_an_instant_serves_a_request_of_that_instant() {
    let mut harness = lambda(&[reserving("enrich", 1)]);
    let end = SimTime::ZERO + COLD_START + HANDLER;
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(SimTime::from_nanos(end.as_nanos() - 1), ENRICH);
    harness.invoke(end, ENRICH);
    harness.run();
    assert_eq!(harness.throttles(), 1, "only the one that came a nanosecond too early");
    assert_eq!(harness.cold_starts(), [Some(COLD_START), None]);
}
