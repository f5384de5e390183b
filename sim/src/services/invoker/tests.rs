//! What a direct caller sends and learns.
#![expect(clippy::wildcard_enum_match_arm, reason = "a test asks for one kind of fact")]

use super::*;
use crate::batch::{Batch, InvocationOutcome};
use crate::blueprint::Arrivals;
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Rate;
use crate::engine::time::SimDuration;
use crate::testing::harness::Harness;

const SHOP: InvokerId = InvokerId(2);
const PAY: FunctionId = FunctionId(1);

fn invoker(arrivals: Arrivals, invocation_type: InvocationType) -> Harness<(InvokerId, Invoker)> {
    let blueprint = InvokerBlueprint {
        name: "shop".to_owned(),
        function: "pay".to_owned(),
        arrivals,
        invocation_type,
        payload: 2_000,
    };
    let model = ModelParameters {
        network_latency: Distribution::Constant(1e6),
        ..ModelParameters::default()
    };
    let invoker = Invoker::new(&blueprint, PAY, &model, &mut RandomStreams::new(7, 0)).expect("valid");
    let mut harness = Harness::new((SHOP, invoker));
    harness.apply(|(me, invoker), cx| invoker.start(*me, cx));
    harness
}
const fn millis(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}
fn steps(harness: &Harness<(InvokerId, Invoker)>) -> Vec<(SimTime, InvokerStep)> {
    harness.find(|note| match note.fact {
        Fact::InvokerActed { step, .. } => Some((note.at, step)),
        _ => None,
    })
}

#[test]
fn requests_are_sent_as_they_arise_and_nobody_waits_for_an_answer() {
    let mut harness = invoker(Arrivals::Constant(Rate::per_second(10)), InvocationType::Event);
    harness.run_until(millis(950));
    let calls = harness.take_calls();
    let times: Vec<SimTime> = calls.iter().map(|call| call.at).collect();
    assert_eq!(
        times,
        (0..10).map(|number| millis(100 * number + 1)).collect::<Vec<_>>()
    );
    let Envelope::InvokeDirect(call) = calls[3].batch.envelope else {
        panic!("an invocation")
    };
    assert_eq!(
        (call.invoker, call.function, call.bytes, call.sent_at),
        (SHOP, PAY, 2_000, millis(300))
    );
    assert_eq!((call.invocation_type, call.answer), (InvocationType::Event, None));
    assert!(matches!(
        calls[3].event,
        world::Event::Function(PAY, lambda::Event::Invoke { .. })
    ));
    assert_eq!(harness.component.1.in_flight(), 10);
    assert_eq!(steps(&harness).len(), 10);
}

#[test]
fn an_answer_settles_a_request_and_nothing_is_repeated() {
    let mut harness = invoker(Arrivals::Constant(Rate::per_second(1)), InvocationType::RequestResponse);
    harness.run_until(millis(500));
    let mut call = harness.take_calls().remove(0);
    let Envelope::InvokeDirect(request) = call.batch.envelope else {
        panic!("an invocation")
    };
    let answer = DirectAnswer::Ended(InvocationOutcome::Throttled);
    call.batch.envelope = Envelope::InvokeDirect(DirectCall {
        answer: Some(answer),
        ..request
    });
    harness.send(millis(600), call.batch, |batch| {
        world::Event::Invoker(SHOP, Event::Answered { batch })
    });
    harness.run_until(millis(900));
    let took = SimDuration::from_millis(600);
    assert_eq!(
        steps(&harness)[1],
        (millis(600), InvokerStep::Answered { answer, took })
    );
    assert_eq!((harness.component.1.in_flight(), harness.take_calls().len()), (0, 0));
    assert_eq!(harness.batches_under_way(), 0);
}

#[test]
fn arrivals_are_those_of_the_process_that_was_asked_for() {
    let mut harness = invoker(Arrivals::Poisson(Rate::per_second(100)), InvocationType::Event);
    harness.run_until(SimTime::from_secs(100));
    let sent = harness.take_calls().len();
    assert!(
        (9_600..10_400).contains(&sent),
        "10,000 within four standard deviations, not {sent}"
    );
    let mut quiet = invoker(Arrivals::Constant(Rate::ZERO), InvocationType::Event);
    quiet.run();
    assert!(quiet.take_calls().is_empty());
}

#[test]
fn a_wrong_answer_is_a_fault() {
    let mut harness = invoker(Arrivals::Constant(Rate::ZERO), InvocationType::Event);
    harness.send(millis(1), Batch::default(), |batch| {
        world::Event::Invoker(SHOP, Event::Answered { batch })
    });
    let broken = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| harness.run()));
    assert!(broken.is_err());
}
