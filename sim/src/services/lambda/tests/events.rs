//! Asynchronous invocation.

use super::*;
use crate::blueprint::{DestinationBlueprint, DestinationService};
use crate::observe::fact::{Caller, Delivery, DropReason};
use AsynchronousStep::{Attempted, Dropped, Duplicated, Received, Succeeded, WaitsAfterError, WaitsAfterThrottle};

fn failing() -> FunctionBlueprint {
    FunctionBlueprint {
        failure_rate: Ratio::ONE,
        ..enrich()
    }
}
const fn to(service: DestinationService, failure_rate: Ratio) -> DestinationBlueprint {
    DestinationBlueprint { service, failure_rate }
}
fn with(asynchronous: AsynchronousInvocation, blueprint: FunctionBlueprint) -> FunctionBlueprint {
    FunctionBlueprint {
        asynchronous,
        ..blueprint
    }
}
/// The instants at which events were handed to the function.
fn attempts(harness: &Harness<Lambda>) -> Vec<SimTime> {
    let steps = harness.steps().into_iter();
    steps
        .filter(|(_, step)| matches!(step, Attempted { .. }))
        .map(|(at, _)| at)
        .collect()
}
fn drops(harness: &Harness<Lambda>) -> Vec<(SimTime, DropReason, Delivery, Delivery)> {
    let steps = harness.steps().into_iter();
    steps
        .filter_map(|(at, step)| match step {
            Dropped {
                reason,
                dead_letter,
                destination,
            } => Some((at, reason, dead_letter, destination)),
            _ => None,
        })
        .collect()
}

#[test]
fn lam_a_01_lambda_answers_at_once_and_the_event_runs_by_itself() {
    let mut harness = lambda(&[enrich()]);
    harness.event(millis(10), ENRICH);
    harness.run();
    let calls = harness.take_calls();
    assert_eq!(calls.len(), 1, "nobody else is answered");
    assert_eq!((calls[0].at, answer_in(&calls[0])), (millis(11), DirectAnswer::Queued));
    let (received, age) = (
        Received {
            invoker: SHOP,
            bytes: 1_000,
        },
        SimDuration::ZERO,
    );
    let succeeded = Succeeded {
        destination: Delivery::None,
    };
    let end = millis(10) + COLD_START + HANDLER;
    assert_eq!(
        harness.steps(),
        [
            (millis(10), received),
            (millis(10), Attempted { age }),
            (end, succeeded)
        ]
    );
    assert_eq!(harness.batches_under_way(), 0);
}

/// Also LAM-Z-22: Lambda repeats nothing for a caller who waits.
#[test]
fn lam_z_22_a_caller_who_waits_gets_every_error_and_lambda_repeats_nothing() {
    let waiting = |blueprint: FunctionBlueprint| {
        let mut harness = lambda(&[blueprint]);
        harness.call(SimTime::ZERO, ENRICH, InvocationType::RequestResponse, 1_000);
        harness.run();
        let calls = harness.take_calls();
        assert_eq!(calls.len(), 1);
        assert!(harness.ends().len() <= 1);
        (calls[0].at, answer_in(&calls[0]))
    };
    let done = SimTime::ZERO + COLD_START + HANDLER + NETWORK;
    let ended = DirectAnswer::Ended;
    assert_eq!(waiting(enrich()), (done, ended(InvocationOutcome::Succeeded)));
    assert_eq!(waiting(failing()), (done, ended(InvocationOutcome::FunctionError)));
    let refused = SimTime::ZERO + NETWORK;
    assert_eq!(
        waiting(reserving("enrich", 0)),
        (refused, ended(InvocationOutcome::Throttled))
    );
    let slow = FunctionBlueprint {
        per_batch: constant(SimDuration::from_hours(1)),
        ..enrich()
    };
    let late = SimTime::ZERO + COLD_START + TIMEOUT + NETWORK;
    assert_eq!(waiting(slow), (late, ended(InvocationOutcome::TimedOut)));
}

/// Also LAM-A-02, LAM-Z-20.
#[test]
fn lam_a_03_a_failed_event_is_tried_again_after_one_minute_and_after_two() {
    let mut harness = lambda(&[failing()]);
    harness.event(SimTime::ZERO, ENRICH);
    harness.run();
    let first = SimTime::ZERO;
    let second = first + COLD_START + HANDLER + SimDuration::from_minutes(1);
    let third = second + HANDLER + SimDuration::from_minutes(2);
    assert_eq!(attempts(&harness), [first, second, third]);
    assert_eq!(
        drops(&harness),
        [(
            third + HANDLER,
            DropReason::RetriesExhausted,
            Delivery::None,
            Delivery::None
        )]
    );
    let ages: Vec<SimDuration> = harness
        .steps()
        .iter()
        .filter_map(|(_, step)| match step {
            Attempted { age } => Some(*age),
            _ => None,
        })
        .collect();
    assert_eq!(ages[2], third - first, "LAM-M-16: from its acceptance on");
}

#[test]
fn lam_a_02_two_retries_are_the_default_and_none_and_one_can_be_chosen() {
    for (retries, runs) in [(0, 1), (1, 2), (2, 3)] {
        let config = AsynchronousInvocation {
            maximum_retry_attempts: retries,
            ..AsynchronousInvocation::default()
        };
        let mut harness = lambda(&[with(config, failing())]);
        harness.event(SimTime::ZERO, ENRICH);
        harness.run();
        assert_eq!((attempts(&harness).len(), drops(&harness).len()), (runs, 1));
    }
    assert_eq!(AsynchronousInvocation::default().maximum_retry_attempts, 2);
}

/// Also LAM-A-05, LAM-U-36, LAM-Z-21.
#[test]
fn lam_a_04_throttles_cost_no_retry_and_wait_longer_and_longer_up_to_five_minutes() {
    let busy = FunctionBlueprint {
        per_batch: constant(SimDuration::from_minutes(14)),
        timeout: SimDuration::from_minutes(15),
        failure_rate: Ratio::ONE,
        ..reserving("enrich", 1)
    };
    let mut harness = lambda(&[busy]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.event(SimTime::ZERO, ENRICH);
    harness.run_until(minutes(20));
    let waits: Vec<u64> = harness
        .steps()
        .iter()
        .filter_map(|&(at, step)| match step {
            WaitsAfterThrottle { until } => Some(until.since(at).as_millis() / 1_000),
            _ => None,
        })
        .collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    assert!(
        harness
            .find(|note| match note.fact {
                Fact::InvocationThrottled { caller, .. } => Some(caller),
                _ => None,
            })
            .iter()
            .all(|&caller| caller == Caller::Queue)
    );
    harness.run();
    assert_eq!(
        harness.ends().len(),
        1 + 3,
        "all of its three attempts are left when it gets through"
    );
}

/// Also LAM-A-07: with too little concurrency events wait longer and longer, until they are too old.
#[test]
fn lam_a_06_an_event_is_given_up_when_it_reaches_its_maximum_age() {
    let config = AsynchronousInvocation {
        maximum_event_age: SimDuration::from_secs(60),
        ..AsynchronousInvocation::default()
    };
    let busy = FunctionBlueprint {
        per_batch: constant(SimDuration::from_minutes(10)),
        timeout: SimDuration::from_minutes(15),
        ..reserving("enrich", 1)
    };
    let mut harness = lambda(&[with(config, busy)]);
    harness.invoke(SimTime::ZERO, ENRICH);
    for _ in 0..3 {
        harness.event(SimTime::from_secs(5), ENRICH);
    }
    harness.run();
    assert_eq!(
        drops(&harness),
        [(
            SimTime::from_secs(65),
            DropReason::AgeExceeded,
            Delivery::None,
            Delivery::None
        ); 3]
    );
    assert_eq!(
        AsynchronousInvocation::default().maximum_event_age,
        SimDuration::from_hours(6)
    );
}

#[test]
fn lam_a_06_the_age_also_ends_the_wait_after_an_error() {
    let config = AsynchronousInvocation {
        maximum_event_age: SimDuration::from_secs(100),
        ..AsynchronousInvocation::default()
    };
    let mut harness = lambda(&[with(config, failing())]);
    harness.event(SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(attempts(&harness).len(), 2, "the third would come after 180 s");
    let [(at, DropReason::AgeExceeded, ..)] = drops(&harness)[..] else {
        panic!("given up for its age")
    };
    assert_eq!(at, SimTime::from_secs(100));
}

#[test]
fn lam_a_08_an_event_may_be_delivered_twice() {
    let run = |rate| {
        let model = ModelParameters {
            async_duplicate_rate: rate,
            ..model()
        };
        let mut harness = account(&[enrich()], 1_000, &model).expect("valid");
        for second in 0..400 {
            harness.event(SimTime::from_secs(second), ENRICH);
        }
        harness.run();
        let twice = harness.steps().iter().filter(|(_, step)| *step == Duplicated).count();
        assert_eq!(harness.ends().len(), 400 + twice);
        twice
    };
    assert_eq!(run(Ratio::ZERO), 0);
    assert!((60..140).contains(&run(Ratio::new(1, 4))));
}

#[test]
fn lam_a_09_with_a_reserved_concurrency_of_zero_events_go_to_the_dead_letter_queue_untried() {
    let config = AsynchronousInvocation {
        dead_letter: Some(to(DestinationService::Sqs, Ratio::ZERO)),
        on_failure: Some(to(DestinationService::S3, Ratio::ZERO)),
        ..AsynchronousInvocation::default()
    };
    let mut harness = lambda(&[with(config, reserving("enrich", 0))]);
    harness.event(SimTime::from_secs(3), ENRICH);
    harness.run();
    let (delivered, zero) = (Delivery::Delivered, DropReason::ConcurrencyZero);
    assert_eq!(drops(&harness), [(SimTime::from_secs(3), zero, delivered, delivered)]);
    assert_eq!((attempts(&harness).len(), harness.throttles()), (0, 0));
}

#[test]
fn lam_d_01_events_that_are_given_up_go_to_the_dead_letter_queue_and_others_do_not() {
    let config = AsynchronousInvocation {
        dead_letter: Some(to(DestinationService::Sqs, Ratio::ZERO)),
        ..AsynchronousInvocation::default()
    };
    let mut harness = lambda(&[with(config, failing()), with(config, function("report"))]);
    harness.event(SimTime::ZERO, ENRICH);
    harness.event(SimTime::ZERO, REPORT);
    harness.call(SimTime::ZERO, ENRICH, InvocationType::RequestResponse, 1_000);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.run();
    let told: Vec<Delivery> = drops(&harness).iter().map(|dropped| dropped.2).collect();
    assert_eq!(told, [Delivery::Delivered], "one of four, and only that");
}

#[test]
fn lam_d_03_there_are_destinations_for_failures_and_for_successes() {
    let config = AsynchronousInvocation {
        on_failure: Some(to(DestinationService::EventBridge, Ratio::ZERO)),
        on_success: Some(to(DestinationService::Sns, Ratio::ZERO)),
        ..AsynchronousInvocation::default()
    };
    let mut harness = lambda(&[with(config, failing()), with(config, function("report"))]);
    harness.event(SimTime::ZERO, ENRICH);
    harness.event(SimTime::ZERO, REPORT);
    harness.run();
    assert_eq!(drops(&harness)[0].3, Delivery::Delivered);
    let succeeded = Succeeded {
        destination: Delivery::Delivered,
    };
    assert_eq!(harness.steps().iter().filter(|(_, step)| *step == succeeded).count(), 1);
}

/// Also LAM-D-07: the same for a destination.
#[test]
fn lam_d_06_what_cannot_be_delivered_to_the_dead_letter_queue_is_lost() {
    let config = AsynchronousInvocation {
        dead_letter: Some(to(DestinationService::Sqs, Ratio::ONE)),
        on_failure: Some(to(DestinationService::Sqs, Ratio::new(1, 2))),
        maximum_retry_attempts: 0,
        ..AsynchronousInvocation::default()
    };
    let mut harness = lambda(&[with(config, failing())]);
    for second in 0..200 {
        harness.event(SimTime::from_secs(second), ENRICH);
    }
    harness.run();
    let drops = drops(&harness);
    assert_eq!(drops.len(), 200);
    assert!(drops.iter().all(|dropped| dropped.2 == Delivery::Failed));
    let failed = drops.iter().filter(|dropped| dropped.3 == Delivery::Failed).count();
    assert!((70..130).contains(&failed), "{failed} of 200");
}

#[test]
fn lam_d_10_sns_takes_no_more_than_256_kilobytes() {
    let config = |service| AsynchronousInvocation {
        dead_letter: Some(to(service, Ratio::ZERO)),
        maximum_retry_attempts: 0,
        ..AsynchronousInvocation::default()
    };
    let delivered = |service, bytes| {
        let mut harness = lambda(&[with(config(service), failing())]);
        harness.call(SimTime::ZERO, ENRICH, InvocationType::Event, bytes);
        harness.run();
        drops(&harness)[0].2
    };
    assert_eq!(delivered(DestinationService::Sns, 262_144), Delivery::Delivered);
    assert_eq!(delivered(DestinationService::Sns, 262_145), Delivery::Failed);
    assert_eq!(delivered(DestinationService::Sqs, 1_000_000), Delivery::Delivered);
}

#[test]
fn events_that_wait_and_run_can_be_counted() {
    let mut harness = lambda(&[reserving("enrich", 1)]);
    for _ in 0..5 {
        harness.event(SimTime::ZERO, ENRICH);
    }
    harness.run_until(millis(100));
    assert_eq!(harness.component.queues().collect::<Vec<_>>(), [(ENRICH, 4, 1)]);
    harness.run();
    assert_eq!(harness.component.queues().collect::<Vec<_>>(), [(ENRICH, 0, 0)]);
    assert_eq!(harness.pending(), 0);
    let waits = harness
        .steps()
        .iter()
        .filter(|(_, step)| matches!(step, WaitsAfterError { .. }))
        .count();
    assert_eq!(waits, 0, "a throttle is no error");
}
