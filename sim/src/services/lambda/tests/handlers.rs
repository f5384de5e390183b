//! How long handlers take and what they leave behind.

use super::*;
use InvocationOutcome::{FunctionError, Succeeded, TimedOut};

fn durations(blueprint: FunctionBlueprint, times: u64) -> Vec<SimDuration> {
    let mut harness = lambda(&[blueprint]);
    for number in 0..times {
        harness.invoke_for(1, SimTime::from_secs(100 * number), ENRICH, 10);
    }
    harness.run();
    harness.ends().iter().map(|end| end.2).collect()
}
const fn ms(millis: u64) -> SimDuration {
    SimDuration::from_millis(millis)
}

#[test]
fn lam_c_28_processor_time_is_in_proportion_to_memory_up_to_one_processor() {
    let takes = |memory_size, bound| {
        let blueprint = FunctionBlueprint {
            memory_size,
            per_record: ms(10),
            processor: ProcessorShare {
                bound,
                measured_at: 1_769,
            },
            ..enrich()
        };
        durations(blueprint, 1)[0]
    };
    assert_eq!(takes(128, Ratio::ZERO), ms(200), "a handler that only waits");
    assert_eq!(takes(1_769, Ratio::ONE), ms(200));
    let an_eighth = takes(221, Ratio::ONE).as_millis();
    assert!(
        (1_600..=1_602).contains(&an_eighth),
        "1,769 / 221 of 200 ms, not {an_eighth}"
    );
    assert_eq!(takes(10_240, Ratio::ONE), ms(200), "one thread uses one processor");
    let half = takes(221, Ratio::new(1, 2)).as_millis();
    assert!(
        (900..=901).contains(&half),
        "100 ms of waiting, 100 ms of computing at an eighth: {half}"
    );
}

#[test]
fn lam_r_17_the_first_handler_in_a_new_environment_may_take_longer() {
    let compiling = FunctionBlueprint {
        first_run: ms(700),
        ..enrich()
    };
    assert_eq!(durations(compiling, 3), [ms(800), ms(100), ms(100)]);
}

#[test]
fn lam_r_03_an_init_of_more_than_ten_seconds_is_cut() {
    let starting = |init| {
        let blueprint = FunctionBlueprint {
            cold_start: ColdStart::Own(constant(init)),
            timeout: SimDuration::from_secs(60),
            ..enrich()
        };
        let mut harness = lambda(&[blueprint]);
        harness.invoke(SimTime::ZERO, ENRICH);
        harness.run();
        (harness.cold_starts()[0], harness.ends()[0].2)
    };
    let ten = SimDuration::from_secs(10);
    assert_eq!(starting(ten), (Some(PLACEMENT + ten), HANDLER));
    let longer = SimDuration::from_secs(12);
    assert_eq!(
        starting(longer),
        (Some(PLACEMENT + ten), longer + HANDLER),
        "LAM-R-04: it runs again, within the invocation"
    );
}

#[test]
fn lam_r_04_the_repeated_init_counts_towards_the_functions_timeout() {
    let blueprint = FunctionBlueprint {
        cold_start: ColdStart::Own(constant(SimDuration::from_secs(12))),
        timeout: SimDuration::from_secs(5),
        ..enrich()
    };
    let mut harness = lambda(&[blueprint]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(minutes(1), ENRICH);
    harness.run();
    let outcomes: Vec<InvocationOutcome> = harness.ends().iter().map(|end| end.1).collect();
    assert_eq!(
        outcomes,
        [TimedOut, TimedOut],
        "this function never gets to its handler"
    );
}

#[test]
fn lam_r_06_a_crash_costs_the_next_invocation_an_init_and_an_exception_does_not() {
    let failing = |crash_share| FunctionBlueprint {
        failure_rate: Ratio::ONE,
        crash_share,
        ..enrich()
    };
    assert_eq!(durations(failing(Ratio::ZERO), 3), [ms(100); 3]);
    assert_eq!(durations(failing(Ratio::ONE), 3), [ms(100), ms(500), ms(500)]);
    let mut harness = lambda(&[failing(Ratio::new(1, 2))]);
    for second in 0..400 {
        harness.invoke(SimTime::from_secs(second), ENRICH);
    }
    harness.run();
    let again = harness.ends().iter().filter(|end| end.2 == ms(500)).count();
    assert!((150..250).contains(&again), "after half of them, not {again} of 400");
    assert!(harness.ends().iter().all(|end| end.1 == FunctionError));
}

#[test]
fn the_share_of_crashes_shifts_no_other_draw() {
    let run = |crash_share| {
        let blueprint = FunctionBlueprint {
            failure_rate: Ratio::new(1, 3),
            crash_share,
            ..enrich()
        };
        let mut harness = lambda(&[blueprint]);
        for second in 0..100 {
            harness.invoke(SimTime::from_secs(second), ENRICH);
        }
        harness.run();
        let outcomes: Vec<InvocationOutcome> = harness.ends().iter().map(|end| end.1).collect();
        assert!(outcomes.contains(&Succeeded));
        outcomes
    };
    assert_eq!(run(Ratio::ZERO), run(Ratio::ONE));
}
