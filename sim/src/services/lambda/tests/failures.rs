//! When and for which records a handler fails.

use super::*;
use crate::batch::{BatchResponse, WindowEvent};
use crate::blueprint::{FailingWindow, Poison, PoisonResponse, WindowState};
use crate::record::{KeyId, Outcome, Record};
use crate::testing::blueprints::keys_at;
use InvocationOutcome::{FunctionError, Succeeded};

/// A function that cannot process some records, in a world with the keys `key-0` to `key-2`.
fn poisoned(poison: Poison) -> Harness<Lambda> {
    let function = FunctionBlueprint {
        poison,
        timeout: SimDuration::from_secs(60),
        ..enrich()
    };
    let limits = Account {
        profile: Profile::Current,
        concurrency: 1_000,
        region_burst: 3_000,
    };
    let mut streams = RandomStreams::new(7, 0);
    let lambda = Lambda::new(&[&function], &[None], limits, &model(), &mut streams).expect("it is valid");
    Harness::with_keys(lambda, keys_at(&[0, 1, 2]))
}
fn record(key: u32, ordinal: u32) -> Record {
    Record {
        key: KeyId(key),
        ..records(ordinal, 1)[0]
    }
}
/// What comes of a batch, which begins at position 40: outcome, response, the records that were processed, and what comes
/// back of the others: position, ordinal, and whether it is said to have failed.
type Told = (InvocationOutcome, BatchResponse, Vec<u32>, Vec<(u64, u32, bool)>);

fn invoke(harness: &mut Harness<Lambda>, records: &[Record], window: Option<WindowEvent>) -> (Told, Option<u64>) {
    let batch = Batch {
        records: records.to_vec(),
        bytes: 100 * u64::try_from(records.len()).expect("small"),
        envelope: Envelope::Invoke(InvokeCall {
            passage: crate::batch::Passage {
                first_position: 40,
                ..crate::batch::Passage::default()
            },
            source: EventSource::Stream(MappingId(0)),
            reader: MappingId(0).into(),
            function: ENRICH,
            shard: ShardIndex(0),
            lane: 0,
            outcome: Succeeded,
            response: BatchResponse::default(),
            window,
            state: None,
        }),
        ..Batch::default()
    };
    let (at, noted) = (harness.now(), harness.notes().len());
    harness.send(at, batch, |batch| {
        world::Event::Function(ENRICH, Event::Invoke { batch })
    });
    harness.run();
    let processed: Vec<u32> = harness.notes()[noted..]
        .iter()
        .filter(|note| matches!(note.fact, Fact::RecordsProcessed { .. }))
        .flat_map(|note| note.records.iter().map(|record| record.ordinal))
        .collect();
    let mut calls = harness.take_calls();
    let reply = calls.remove(0).batch;
    let Envelope::Invoke(call) = reply.envelope else {
        panic!("not an answer to a mapping")
    };
    let back = reply.records.iter().zip(&reply.positions);
    let back = back.map(|(record, &position)| (position, record.ordinal, record.outcome() == Outcome::Failed));
    let back = if call.response == BatchResponse::ItemFailures {
        back.collect()
    } else {
        Vec::new()
    };
    ((call.outcome, call.response, processed, back), call.state)
}

#[test]
fn within_a_window_of_failure_another_rate_holds_and_no_draw_moves() {
    let run = |failing_windows: Vec<FailingWindow>| {
        let mut harness = lambda(&[FunctionBlueprint {
            failing_windows,
            ..enrich()
        }]);
        for second in 0..30 {
            harness.invoke(SimTime::from_secs(second), ENRICH);
        }
        harness.run();
        let failed: Vec<bool> = harness.ends().iter().map(|end| end.1 == FunctionError).collect();
        (failed, harness.component.draws())
    };
    let window = |from, until, rate| FailingWindow {
        from: SimTime::from_secs(from),
        until: SimTime::from_secs(until),
        rate,
    };
    let (failed, draws) = run(vec![window(10, 20, Ratio::ONE), window(15, 17, Ratio::ZERO)]);
    let expected = |second: &usize| (10..15).contains(second) || (17..20).contains(second);
    assert_eq!(failed, (0..30).map(|second| expected(&second)).collect::<Vec<_>>());
    assert_eq!(run(Vec::new()).1, draws);
}

#[test]
fn a_handler_throws_at_a_poison_record_each_time_and_not_without_it() {
    let mut harness = poisoned(Poison {
        keys: vec!["key-1".to_owned()],
        ..Poison::default()
    });
    let batch = [record(0, 0), record(1, 0), record(2, 0)];
    for _ in 0..3 {
        let (told, _) = invoke(&mut harness, &batch, None);
        assert_eq!(told, (FunctionError, BatchResponse::EmptyList, vec![], vec![]));
    }
    let (told, _) = invoke(&mut harness, &[record(0, 0), record(2, 0)], None);
    assert_eq!(told, (Succeeded, BatchResponse::EmptyList, vec![0, 0], vec![]));
}

#[test]
fn a_poison_record_may_be_one_of_its_key_or_of_every_key() {
    for (keys, poison) in [
        (vec!["key-1".to_owned()], [false, false, true, false]),
        (vec![], [true, false, true, false]),
    ] {
        let mut harness = poisoned(Poison {
            keys,
            ordinals: vec![7],
            ..Poison::default()
        });
        let all = [record(0, 7), record(0, 6), record(1, 7), record(1, 8)];
        let throws = all.map(|record| invoke(&mut harness, &[record], None).0.0 == FunctionError);
        assert_eq!(throws, poison);
    }
}

/// LAM-X-17: the records that failed come back with their positions. A handler that stops leaves what follows the first
/// of them alone, without saying that it failed.
#[test]
fn lam_x_17_a_handler_reports_the_records_that_it_cannot_process() {
    let batch = [record(0, 0), record(1, 1), record(0, 2), record(1, 3), record(0, 4)];
    for (stops, processed, back) in [
        (false, vec![0, 2, 4], vec![(41, 1, true), (43, 3, true)]),
        (
            true,
            vec![0],
            vec![(41, 1, true), (42, 2, false), (43, 3, true), (44, 4, false)],
        ),
    ] {
        let mut harness = poisoned(Poison {
            keys: vec!["key-1".to_owned()],
            response: PoisonResponse::Returns {
                response: BatchResponse::ItemFailures,
                stops,
            },
            ..Poison::default()
        });
        let (told, _) = invoke(&mut harness, &batch, None);
        assert_eq!(told, (Succeeded, BatchResponse::ItemFailures, processed, back));
    }
}

/// LAM-X-19, LAM-X-20: what a handler returns by mistake is its own affair; it has processed the other records.
#[test]
fn lam_x_20_a_handler_may_return_something_else_by_mistake() {
    for response in [BatchResponse::MisnamedIdentifier, BatchResponse::Null] {
        let mut harness = poisoned(Poison {
            keys: vec!["key-1".to_owned()],
            response: PoisonResponse::Returns { response, stops: false },
            ..Poison::default()
        });
        let (told, _) = invoke(&mut harness, &[record(0, 0), record(1, 1)], None);
        assert_eq!((told.0, told.1, told.2), (Succeeded, response, vec![0]));
    }
}

/// Whether a record is poison is decided once: the same ones fail at each attempt, in a function of the same name.
#[test]
fn a_share_of_all_records_is_poison_and_always_the_same() {
    let poison = || Poison {
        share: Ratio::new(1, 10),
        ..Poison::default()
    };
    let (mut one, mut other) = (poisoned(poison()), poisoned(poison()));
    let failing: Vec<u32> = (0..1_000)
        .filter(|&ordinal| invoke(&mut one, &[record(0, ordinal)], None).0.0 == FunctionError)
        .collect();
    assert!((70..130).contains(&failing.len()), "{} of 1,000", failing.len());
    let again: Vec<u32> = (0..1_000)
        .filter(|&ordinal| invoke(&mut other, &[record(0, ordinal)], None).0.0 == FunctionError)
        .collect();
    assert_eq!(failing, again);
}

/// LAM-W-13: the state grows with what each invocation brings; LAM-W-03: a window begins without one. An event outside of
/// any window brings back none.
#[test]
fn lam_w_13_a_handler_returns_the_state_of_its_window() {
    let mut function = FunctionBlueprint {
        window_state: Some(WindowState {
            fixed: 100,
            per_record: 8,
        }),
        ..enrich()
    };
    let window = |state| WindowEvent {
        start: SimTime::ZERO,
        end: SimTime::from_secs(60),
        state,
        is_final: false,
        is_terminated_early: false,
    };
    let mut harness = lambda(&[function.clone()]);
    let three = [record(0, 0), record(0, 1), record(0, 2)];
    assert_eq!(invoke(&mut harness, &three, Some(window(0))).1, Some(124));
    assert_eq!(invoke(&mut harness, &three, Some(window(124))).1, Some(148));
    assert_eq!(invoke(&mut harness, &[], Some(window(148))).1, Some(148));
    assert_eq!(invoke(&mut harness, &three, None).1, None);
    function.window_state = None;
    let mut harness = lambda(&[function]);
    assert_eq!(invoke(&mut harness, &three, Some(window(0))).1, None, "it returns none");
}
