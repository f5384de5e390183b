//! Provisioned concurrency.

use super::*;
use crate::blueprint::ProvisionedConcurrency;
use crate::observe::fact::{FunctionChange, ProvisionedUse};
use FunctionChange::{ProvisioningFailed, ProvisioningReady, ProvisioningRequested};

const DELAY: u64 = 90;

fn provisioning(name: &str, executions: u32, ready_at_start: bool) -> FunctionBlueprint {
    FunctionBlueprint {
        provisioned_concurrency: Some(ProvisionedConcurrency {
            executions,
            ready_at_start,
        }),
        ..function(name)
    }
}
fn ready(executions: u32) -> FunctionBlueprint {
    provisioning("enrich", executions, true)
}
fn ask(harness: &mut Harness<Lambda>, at: SimTime, executions: u32) {
    harness.run_until(at);
    harness.apply(|lambda, cx| lambda.set_provisioned_concurrency(ENRICH, executions, cx));
}
fn changes(harness: &Harness<Lambda>) -> Vec<(SimTime, FunctionChange)> {
    harness.find(|note| match note.fact {
        Fact::FunctionChanged { change, .. } => Some((note.at, change)),
        _ => None,
    })
}
/// How each invocation that began ran, in order.
fn uses(harness: &Harness<Lambda>) -> Vec<ProvisionedUse> {
    harness.find(|note| match note.fact {
        Fact::InvocationStarted { provisioned, .. } => Some(provisioned),
        _ => None,
    })
}
fn ready_at(harness: &Harness<Lambda>) -> Vec<(SimTime, u32)> {
    let all = changes(harness).into_iter();
    all.filter_map(|(at, change)| match change {
        ProvisioningReady { executions, .. } => Some((at, executions)),
        ProvisioningRequested { .. } | ProvisioningFailed { .. } => None,
    })
    .collect()
}

#[test]
fn lam_v_05_requests_beyond_provisioned_concurrency_spill_over_to_cold_environments() {
    let mut harness = lambda(&[ready(2)]);
    harness.invoke_many(3, SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(harness.cold_starts(), [None, None, Some(COLD_START)]);
    let on: Vec<bool> = uses(&harness).iter().map(|used| used.on).collect();
    assert_eq!(on, [true, true, false]);
    harness.invoke(SimTime::from_secs(10), ENRICH);
    harness.run();
    assert!(
        uses(&harness)[3].on,
        "a provisioned one comes before an idle one on demand"
    );
}

#[test]
fn lam_v_06_they_also_spill_over_beyond_ten_requests_a_second_for_each() {
    let brief = FunctionBlueprint {
        per_batch: constant(SimDuration::from_millis(1)),
        ..ready(1)
    };
    let mut harness = lambda(&[brief]);
    for number in 0..20 {
        harness.invoke(millis(10 * number), ENRICH);
    }
    harness.run();
    let on = uses(&harness).iter().filter(|used| used.on).count();
    assert_eq!(
        on, 11,
        "ten at once, and one more in 0.19 s, though the environment is idle"
    );
    assert_eq!(harness.throttles(), 0);
}

#[test]
fn lam_v_07_what_is_provisioned_is_part_of_what_is_reserved() {
    let both = |reserved| FunctionBlueprint {
        reserved_concurrency: Some(reserved),
        ..ready(3)
    };
    let mut harness = lambda(&[both(3)]);
    harness.invoke_many(4, SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(
        (harness.reasons(), harness.cold_starts().len()),
        (vec![ThrottleReason::ReservedConcurrency], 3),
        "everything runs on provisioned environments, and nothing beside them"
    );
    let mut harness = lambda(&[both(5)]);
    harness.invoke_many(6, SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!((harness.throttles(), harness.cold_starts().len()), (1, 5));
}

#[test]
fn lam_v_02_more_cannot_be_provisioned_than_is_reserved() {
    let reserving = FunctionBlueprint {
        reserved_concurrency: Some(10),
        ..enrich()
    };
    let mut harness = lambda(&[reserving]);
    ask(&mut harness, SimTime::ZERO, 11);
    ask(&mut harness, SimTime::ZERO, 10);
    let refused = ProvisioningFailed {
        executions: 11,
        available: 10,
    };
    let all: Vec<FunctionChange> = changes(&harness).into_iter().map(|(_, change)| change).collect();
    assert_eq!(all, [refused, ProvisioningRequested { executions: 10 }]);
    assert!(
        harness.component.set_reserved_concurrency(ENRICH, Some(9)).is_err(),
        "nor may the reservation fall below it"
    );
}

/// Also LAM-V-11: the states of an allocation.
#[test]
fn lam_v_03_without_a_reservation_a_hundred_must_stay_unreserved() {
    let mut harness = account(&[enrich(), reserving("report", 50)], 1_000, &model()).expect("valid");
    ask(&mut harness, SimTime::ZERO, 851);
    ask(&mut harness, SimTime::ZERO, 850);
    harness.run();
    let all: Vec<FunctionChange> = changes(&harness).into_iter().map(|(_, change)| change).collect();
    assert_eq!(
        all[..2],
        [
            ProvisioningFailed {
                executions: 851,
                available: 850
            },
            ProvisioningRequested { executions: 850 }
        ]
    );
    assert!(matches!(all[2], ProvisioningReady { executions: 850, .. }));
    assert!(account(&[ready(901)], 1_000, &model()).is_err());
}

/// Also LAM-C-33 and LAM-C-34.
#[test]
fn lam_v_04_provisioned_concurrency_is_out_of_the_others_reach_even_when_idle() {
    let mut harness = account(&[ready(30), function("report")], 130, &model()).expect("valid");
    harness.invoke_many(130, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(harness.component.in_progress(REPORT), 100);
    let claimed = |harness: &Harness<Lambda>| {
        let all = harness.find(|note| match note.fact {
            Fact::InvocationStarted { concurrency, .. } => Some((concurrency.unreserved, concurrency.claimed)),
            _ => None,
        });
        all[all.len() - 1]
    };
    assert_eq!(
        claimed(&harness),
        (100, 130),
        "running on demand, and what is provisioned"
    );
    let both = FunctionBlueprint {
        reserved_concurrency: Some(50),
        ..ready(30)
    };
    let mut harness = account(&[both, function("report")], 150, &model()).expect("valid");
    harness.invoke_many(150, SimTime::ZERO, REPORT);
    harness.run_until(SimTime::ZERO);
    assert_eq!(claimed(&harness), (100, 150), "with both, the reservation counts");
}

/// Also LAM-U-33 and LAM-V-10: 90 s, then 100 a second, and none of them before all.
#[test]
fn lam_v_08_provisioned_environments_take_a_preparation_and_are_usable_only_as_a_whole() {
    let mut harness = lambda(&[enrich()]);
    ask(&mut harness, SimTime::ZERO, 500);
    let all_ready = SimTime::from_secs(DELAY + 5);
    harness.invoke(SimTime::from_secs(DELAY + 4), ENRICH);
    harness.invoke(all_ready + SimDuration::MIN, ENRICH);
    harness.run();
    let [(at, executions)] = ready_at(&harness)[..] else {
        panic!("once")
    };
    assert_eq!(executions, 500);
    assert!(at.since(all_ready) < SimDuration::from_micros(1), "at {at}");
    let on: Vec<bool> = uses(&harness).iter().map(|used| used.on).collect();
    assert_eq!(on, [false, true]);
}

/// The initial allocation of a scenario that does not find its environments ready.
#[test]
fn lam_v_08_what_is_not_ready_when_the_run_begins_is_asked_for_then() {
    let mut harness = lambda(&[provisioning("enrich", 100, false)]);
    harness.apply(Lambda::start);
    harness.invoke(SimTime::from_secs(DELAY), ENRICH);
    harness.invoke(SimTime::from_secs(DELAY + 2), ENRICH);
    harness.run();
    assert_eq!(ready_at(&harness).len(), 1);
    let on: Vec<bool> = uses(&harness).iter().map(|used| used.on).collect();
    assert_eq!(on, [false, true]);
}

#[test]
fn lam_v_09_six_thousand_a_minute_are_allocated_today() {
    let mut harness = account(&[enrich()], 20_000, &model()).expect("valid");
    ask(&mut harness, SimTime::ZERO, 6_000);
    harness.run();
    let [(at, 6_000)] = ready_at(&harness)[..] else {
        panic!("once")
    };
    assert!(
        at.since(SimTime::from_secs(DELAY + 60)) < SimDuration::from_micros(1),
        "at {at}"
    );
}

#[test]
fn lam_h_06_formerly_the_allocation_took_from_the_regions_burst() {
    let limits = Account {
        profile: Profile::Exam,
        concurrency: 20_000,
        region_burst: 1_000,
    };
    let mut harness = account_with(&[enrich(), function("report")], limits, &model()).expect("valid");
    ask(&mut harness, SimTime::ZERO, 1_500);
    harness.invoke(SimTime::from_secs(DELAY + 30), REPORT);
    harness.run();
    let [(at, 1_500)] = ready_at(&harness)[..] else {
        panic!("once")
    };
    let expected = SimTime::from_secs(DELAY + 60);
    assert!(
        at.since(expected) < SimDuration::from_micros(1),
        "1,000 at once and 500 in a minute, not {at}"
    );
    assert_eq!(
        harness.reasons(),
        [ThrottleReason::EnvironmentScaling],
        "in the meantime nothing is left for functions on demand"
    );
}

/// What the allocation leaves of the burst is there for functions on demand.
#[test]
fn lam_h_06_an_allocation_within_the_burst_takes_no_more_than_it_needs() {
    let limits = Account {
        profile: Profile::Exam,
        concurrency: 20_000,
        region_burst: 1_000,
    };
    let mut harness = account_with(&[enrich(), function("report")], limits, &model()).expect("valid");
    ask(&mut harness, SimTime::ZERO, 600);
    harness.invoke_many(500, SimTime::from_secs(DELAY) + SimDuration::MIN, REPORT);
    harness.run();
    assert_eq!(harness.reasons(), vec![ThrottleReason::EnvironmentScaling; 100]);
}

#[test]
fn fewer_provisioned_environments_hold_at_once_and_call_off_what_was_asked_for() {
    let mut harness = lambda(&[ready(5)]);
    ask(&mut harness, SimTime::ZERO, 50);
    ask(&mut harness, SimTime::from_secs(10), 2);
    harness.run();
    assert_eq!(ready_at(&harness), [(SimTime::from_secs(10), 2)]);
    harness.invoke_many(3, SimTime::from_secs(200), ENRICH);
    harness.run();
    let on: Vec<bool> = uses(&harness).iter().map(|used| used.on).collect();
    assert_eq!(on, [true, true, false]);
}

#[test]
fn provisioned_environments_that_are_busy_when_fewer_are_asked_for_go_when_they_are_done() {
    let mut harness = lambda(&[ready(4)]);
    harness.invoke_many(4, SimTime::ZERO, ENRICH);
    ask(&mut harness, millis(50), 1);
    harness.invoke(millis(60), ENRICH);
    harness.invoke_many(2, SimTime::from_secs(5), ENRICH);
    harness.run();
    let on: Vec<bool> = uses(&harness).iter().map(|used| used.on).collect();
    assert_eq!(on, [true, true, true, true, false, true, false]);
    assert_eq!(harness.component.functions[ENRICH].environments.busy_provisioned(), 0);
}

#[test]
fn lam_v_12_their_number_is_kept_and_a_reset_shows_as_init_within_the_next_invocation() {
    let crashing = FunctionBlueprint {
        failure_rate: Ratio::ONE,
        crash_share: Ratio::ONE,
        ..ready(1)
    };
    let mut harness = lambda(&[crashing]);
    for hour in 0..30 {
        harness.invoke(SimTime::from_secs(3_600 * hour), ENRICH);
    }
    harness.run();
    assert!(
        uses(&harness).iter().all(|used| used.on),
        "neither idleness nor age ends a provisioned environment"
    );
    let durations: Vec<SimDuration> = harness.ends().iter().map(|end| end.2).collect();
    assert_eq!(durations[0], HANDLER);
    assert!(durations[1..].iter().all(|&duration| duration == INIT + HANDLER));
}

/// Also LAM-V-13: what is initialised is stated, so that it can be billed.
#[test]
fn lam_v_14_an_init_of_provisioned_environments_may_take_longer_than_ten_seconds() {
    let slow = FunctionBlueprint {
        cold_start: ColdStart::Own(constant(SimDuration::from_secs(60))),
        ..enrich()
    };
    let mut harness = lambda(&[slow]);
    ask(&mut harness, SimTime::ZERO, 3);
    harness.run();
    let init = changes(&harness).into_iter().find_map(|(_, change)| match change {
        ProvisioningReady { initialised, init, .. } => Some((initialised, init)),
        ProvisioningRequested { .. } | ProvisioningFailed { .. } => None,
    });
    assert_eq!(init, Some((3, SimDuration::from_secs(180))));
}
