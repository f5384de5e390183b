//! Success, function error, timeout, with and without a sink.

use super::*;
use InvocationOutcome::{FunctionError, Succeeded, TimedOut};

fn writing() -> FunctionBlueprint {
    FunctionBlueprint {
        sink: Some("orders".to_owned()),
        ..enrich()
    }
}
fn failing(blueprint: FunctionBlueprint) -> FunctionBlueprint {
    FunctionBlueprint {
        failure_rate: Ratio::ONE,
        ..blueprint
    }
}
/// The sink answers a write: its batch comes back as it went.
fn answer(harness: &mut Harness<Lambda>, at: SimTime, write: Call) {
    let Envelope::Write(call) = write.batch.envelope else {
        panic!("not a write")
    };
    harness.send(at, write.batch, |batch| {
        world::Event::Function(FunctionId(call.processor.0), Event::Written { batch })
    });
}
/// The only call that has reached someone since the last time.
fn only_call(harness: &mut Harness<Lambda>) -> Call {
    let mut calls = harness.take_calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}
/// When the handler of an invocation that came at zero is done.
fn handler_done() -> SimTime {
    SimTime::ZERO + COLD_START + HANDLER
}
/// When the timeout of an invocation that came at zero is over.
fn timeout_over() -> SimTime {
    SimTime::ZERO + COLD_START + TIMEOUT
}

#[test]
fn a_function_without_a_sink_processes_its_records_when_its_handler_returns() {
    let per_record = SimDuration::from_millis(2);
    let blueprint = FunctionBlueprint { per_record, ..enrich() };
    let mut harness = lambda(&[blueprint]);
    harness.invoke_for(4, SimTime::ZERO, ENRICH, 50);
    harness.run();
    let end = handler_done() + per_record.saturating_mul(50);
    let processed = harness
        .notes()
        .iter()
        .find(|note| matches!(note.fact, Fact::RecordsProcessed { .. }));
    let processed = processed.expect("stated");
    assert_eq!((processed.at, processed.records.len()), (end, 50));
    assert_eq!(
        harness.ends(),
        [(end, Succeeded, HANDLER + per_record.saturating_mul(50))]
    );
    let reply = only_call(&mut harness);
    assert_eq!((reply.at, outcome_in(&reply)), (end + NETWORK, Succeeded));
    assert_eq!(
        (
            reply.batch.records.len(),
            reply.batch.positions.len(),
            reply.batch.bytes
        ),
        (50, 50, 5_000),
        "the mapping acknowledges what comes back"
    );
}

#[test]
fn a_function_with_a_sink_returns_when_the_sink_has_answered() {
    let mut harness = lambda(&[writing()]);
    harness.invoke_for(4, SimTime::ZERO, ENRICH, 50);
    harness.run_until(SimTime::from_secs(1));
    let write = only_call(&mut harness);
    assert_eq!(write.at, handler_done() + NETWORK);
    assert!(matches!(
        write.event,
        world::Event::Sink(SINK, sink::Event::Write { .. })
    ));
    assert_eq!((write.batch.records.len(), harness.ends().len()), (50, 0));
    assert_eq!(harness.component.in_progress(ENRICH), 1, "it waits");
    answer(&mut harness, SimTime::from_secs(2), write);
    harness.run();
    let duration = SimTime::from_secs(2) - (SimTime::ZERO + COLD_START);
    assert_eq!(harness.ends(), [(SimTime::from_secs(2), Succeeded, duration)]);
    let reply = only_call(&mut harness);
    assert_eq!((outcome_in(&reply), reply.batch.records.len()), (Succeeded, 50));
    assert!(
        !harness
            .notes()
            .iter()
            .any(|note| matches!(note.fact, Fact::RecordsProcessed { .. })),
        "the effect is the sink's to state"
    );
}

#[test]
fn a_failing_function_throws_before_its_write_or_after_it() {
    let mut before = lambda(&[failing(writing())]);
    before.invoke(SimTime::ZERO, ENRICH);
    before.run();
    let reply = only_call(&mut before);
    assert_eq!(
        (reply.at, outcome_in(&reply)),
        (handler_done() + NETWORK, FunctionError)
    );
    assert!(reply.batch.records.is_empty());

    let blueprint = FunctionBlueprint {
        fails_after_write: true,
        ..failing(writing())
    };
    let mut after = lambda(&[blueprint]);
    after.invoke(SimTime::ZERO, ENRICH);
    after.run_until(SimTime::from_secs(1));
    let write = only_call(&mut after);
    assert_eq!(write.batch.records.len(), 1, "the records are delivered");
    answer(&mut after, SimTime::from_secs(1), write);
    after.run();
    assert_eq!(after.ends()[0].1, FunctionError);
    let reply = only_call(&mut after);
    assert_eq!((outcome_in(&reply), reply.batch.records.len()), (FunctionError, 0));
}

#[test]
fn lam_c_26_a_handler_that_reaches_the_timeout_is_ended_by_it() {
    let taking = |span: SimDuration| {
        let mut harness = lambda(&[FunctionBlueprint {
            per_batch: constant(span),
            ..enrich()
        }]);
        harness.invoke_for(4, SimTime::ZERO, ENRICH, 5);
        harness.run();
        let reply = only_call(&mut harness);
        assert_eq!(outcome_in(&reply), harness.ends()[0].1);
        (harness.ends()[0], reply.batch.records.len())
    };
    let just_in_time = SimDuration::from_nanos(TIMEOUT.as_nanos() - 1);
    assert_eq!(taking(just_in_time).0.1, Succeeded);
    assert_eq!(taking(TIMEOUT), ((timeout_over(), TimedOut, TIMEOUT), 0));
}

#[test]
fn lam_u_31_a_timed_out_invocation_lasts_exactly_the_timeout() {
    let mut harness = lambda(&[FunctionBlueprint {
        per_batch: constant(SimDuration::from_hours(2)),
        ..enrich()
    }]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(harness.ends(), [(timeout_over(), TimedOut, TIMEOUT)]);
}

#[test]
fn lam_r_05_the_timeout_covers_the_write_to_the_sink_but_not_init() {
    let answered_at = |at: SimTime| {
        let mut harness = lambda(&[writing()]);
        harness.invoke(SimTime::ZERO, ENRICH);
        harness.run_until(SimTime::from_secs(1));
        let write = only_call(&mut harness);
        answer(&mut harness, at, write);
        harness.run();
        assert_eq!(harness.ends().len(), 1);
        assert_eq!(harness.take_calls().len(), 1, "the caller is answered once");
        assert_eq!(harness.batches_under_way(), 0, "a late answer is put away");
        (harness.ends()[0].0, harness.ends()[0].1)
    };
    let last_moment = SimTime::from_nanos(timeout_over().as_nanos() - 1);
    assert!(last_moment > SimTime::ZERO + TIMEOUT, "Init comes on top");
    assert_eq!(answered_at(last_moment), (last_moment, Succeeded));
    assert_eq!(answered_at(timeout_over()), (timeout_over(), TimedOut));
    assert_eq!(answered_at(SimTime::from_secs(60)), (timeout_over(), TimedOut));
}

#[test]
fn lam_r_06_after_a_timeout_the_environment_must_be_initialised_again() {
    let mut harness = lambda(&[writing()]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(SimTime::from_secs(10), ENRICH);
    harness.run_until(SimTime::from_secs(10) + INIT + HANDLER);
    assert_eq!(
        harness.cold_starts(),
        [Some(COLD_START), None],
        "it is the same environment, without placement"
    );
    let writes = harness.take_calls();
    harness.run_until(SimTime::from_secs(10) + INIT + HANDLER + NETWORK);
    let write = only_call(&mut harness);
    assert!(
        matches!(write.batch.envelope, Envelope::Write(_)),
        "after {} others",
        writes.len()
    );
    assert_eq!(
        write.at,
        SimTime::from_secs(10) + INIT + HANDLER + NETWORK,
        "Init runs within the invocation"
    );
}

#[test]
fn lam_r_06_a_function_error_leaves_the_environment_warm() {
    let mut harness = lambda(&[failing(enrich())]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.invoke(SimTime::from_secs(10), ENRICH);
    harness.run();
    assert_eq!(harness.cold_starts(), [Some(COLD_START), None]);
    assert_eq!(harness.ends()[1].1, FunctionError);
}

#[test]
fn lam_r_20_the_duration_leaves_out_the_cold_start() {
    let mut harness = lambda(&[enrich()]);
    harness.invoke(SimTime::ZERO, ENRICH);
    harness.run();
    assert_eq!(harness.ends(), [(handler_done(), Succeeded, HANDLER)]);
}

#[test]
fn each_of_many_waiting_invocations_has_its_own_timeout() {
    let mut harness = lambda(&[writing()]);
    harness.invoke_many(3, SimTime::ZERO, ENRICH);
    harness.invoke(SimTime::from_secs(1), ENRICH);
    harness.invoke(SimTime::from_secs(2), ENRICH);
    harness.run_until(millis(2_700));
    let mut writes = harness.take_calls();
    assert_eq!(writes.len(), 5);
    let of_second_1 = writes.remove(3);
    answer(&mut harness, millis(2_800), of_second_1);
    harness.run();
    let ends: Vec<(SimTime, InvocationOutcome)> =
        harness.ends().iter().map(|&(at, outcome, _)| (at, outcome)).collect();
    let last = SimTime::from_secs(2) + COLD_START + TIMEOUT;
    assert_eq!(
        ends,
        [
            (millis(2_800), Succeeded),
            (timeout_over(), TimedOut),
            (timeout_over(), TimedOut),
            (timeout_over(), TimedOut),
            (last, TimedOut)
        ]
    );
}

#[test]
fn timeouts_that_never_come_true_do_not_pile_up() {
    let patient = FunctionBlueprint {
        timeout: SimDuration::from_minutes(15),
        ..writing()
    };
    let mut harness = lambda(&[patient]);
    for number in 0..1_000 {
        let at = SimTime::from_secs(number);
        harness.invoke(at, ENRICH);
        harness.run_until(at + SimDuration::from_millis(700));
        for write in harness.take_calls() {
            if matches!(write.batch.envelope, Envelope::Write(_)) {
                answer(&mut harness, at + SimDuration::from_millis(800), write);
            }
        }
        harness.run_until(at + SimDuration::from_millis(900));
        assert!(harness.pending() <= 1, "one timer, whatever has ended");
        let remembered = harness.component.functions[ENRICH].timeouts.len();
        assert!(remembered <= 1, "{remembered} deadlines are remembered");
    }
    assert_eq!(harness.ends().len(), 1_000);
}

#[test]
fn the_failure_rate_can_change_and_shifts_no_other_draw() {
    let run = |rates: [Ratio; 2]| {
        let mut harness = lambda(&[enrich()]);
        for (half, rate) in (0..).zip(rates) {
            harness.apply(|lambda, _| lambda.set_failure_rate(ENRICH, rate));
            for second in 0..400 {
                harness.invoke(SimTime::from_secs(second + 400 * half), ENRICH);
            }
            harness.run();
        }
        let failed: Vec<bool> = harness.ends().iter().map(|end| end.1 == FunctionError).collect();
        (failed, harness.component.draws())
    };
    let (half, draws) = run([Ratio::ZERO, Ratio::new(1, 2)]);
    assert!(half[..400].iter().all(|&failed| !failed));
    let failed = half[400..].iter().filter(|&&failed| failed).count();
    assert!((150..250).contains(&failed), "{failed} of 400");
    let (more, same_draws) = run([Ratio::ZERO, Ratio::new(3, 4)]);
    assert_eq!(draws, same_draws);
    assert!(
        half.iter().zip(&more).all(|(half, more)| !half || *more),
        "with common random numbers a higher rate only adds failures"
    );
}

#[test]
fn what_a_function_holds_can_be_counted() {
    let mut harness = lambda(&[writing(), function("report")]);
    harness.invoke_for(1, SimTime::ZERO, ENRICH, 30);
    harness.invoke_for(2, millis(600), REPORT, 4);
    harness.run_until(millis(650));
    let write = only_call(&mut harness);
    let Envelope::Write(call) = write.batch.envelope else {
        panic!("not a write")
    };
    let holding = |function, mapping, records, at_sink| Holding {
        function,
        reader: MappingId(mapping).into(),
        records,
        at_sink,
    };
    let held: Vec<Holding> = harness.component.holdings().collect();
    assert_eq!(held, [holding(ENRICH, 1, 30, true), holding(REPORT, 2, 4, false)]);
    assert!(harness.component.awaits(&call));
    harness.run();
    assert_eq!(harness.component.holdings().count(), 0);
    assert!(!harness.component.awaits(&call), "it has timed out");
}

#[test]
fn the_fingerprint_sees_which_records_were_processed() {
    let run = |swap: bool| {
        let mut harness = lambda(&[enrich()]);
        let mut batch = Batch {
            records: records(0, 2),
            envelope: Envelope::Invoke(InvokeCall {
                passage: crate::batch::Passage::default(),
                source: EventSource::Stream(MappingId(0)),
                reader: MappingId(0).into(),
                function: ENRICH,
                shard: ShardIndex(0),
                lane: 0,
                outcome: Succeeded,
                response: crate::batch::BatchResponse::default(),
                window: None,
                state: None,
            }),
            ..Batch::default()
        };
        if swap {
            batch.records.swap(0, 1);
        }
        harness.send(SimTime::ZERO, batch, |batch| {
            world::Event::Function(ENRICH, Event::Invoke { batch })
        });
        harness.run();
        harness.fingerprint()
    };
    assert_eq!(run(false), run(false));
    assert_ne!(run(false), run(true));
}
