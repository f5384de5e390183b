//! What holds for any traffic.

use super::*;
use proptest::prelude::*;

/// One thing that happens from outside.
#[derive(Clone, Copy, Debug)]
enum Step {
    Invoke { after: u64, function: u16, count: u32 },
    Reserve { function: u16, reserved: Option<u32> },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0..400_u64, 0..3_u16, 0..20_u32).prop_map(|(after, function, count)| Step::Invoke { after, function, count }),
        1 => (0..3_u16, prop::option::of(0..4_u32)).prop_map(|(function, reserved)| Step::Reserve { function, reserved }),
    ]
}

/// Runs on until `until`, while a sink answers each write after the given times, taken in turn.
fn run_with_sink(harness: &mut Harness<Lambda>, until: SimTime, answers: &[u64], writes: &mut usize) -> Vec<Call> {
    let mut replies = Vec::new();
    while harness.now() < until {
        harness.run_until(until.min(harness.now() + SimDuration::from_millis(10)));
        for call in harness.take_calls() {
            if let Envelope::Write(write) = call.batch.envelope {
                let at = harness.now() + SimDuration::from_millis(answers[*writes % answers.len()]);
                *writes += 1;
                harness.send(at, call.batch, |batch| {
                    world::Event::Function(FunctionId(write.processor.0), Event::Written { batch })
                });
            } else {
                replies.push(call);
            }
        }
    }
    replies
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn concurrency_stays_below_its_limits_and_every_admitted_invocation_ends_once(
        steps in prop::collection::vec(step(), 1..120),
        answers in prop::collection::vec(0..5_000_u64, 1..8),
        quota in 100..110_u32,
        fails_after_write in any::<bool>(),
    ) {
        let varying = |name: &str, sink: bool| FunctionBlueprint {
            per_batch: Distribution::Uniform { low: 0.0, high: 3.2e9 },
            failure_rate: Ratio::new(1, 4),
            fails_after_write,
            sink: sink.then(|| "orders".to_owned()),
            ..function(name)
        };
        let functions = [varying("enrich", true), varying("report", false), varying("score", true)];
        let mut harness = account(&functions, quota, &model()).expect("the blueprint is valid");
        let mut limits = [None; 3];
        let (mut at, mut writes, mut invocations) = (SimTime::ZERO, 0, 0_u16);
        let mut replies = Vec::new();
        for step in steps {
            match step {
                Step::Invoke { after, function, count } => {
                    at += SimDuration::from_millis(after);
                    // A mapping of its own for each invocation tells the answers apart. Each comes with a small crowd.
                    for _ in 0..12 {
                        harness.invoke_for(invocations, at, FunctionId(function), count);
                        invocations += 1;
                    }
                }
                Step::Reserve { function, reserved } => {
                    let changed = harness.component.set_reserved_concurrency(FunctionId(function), reserved).is_ok();
                    if changed {
                        limits[usize::from(function)] = reserved;
                    }
                }
            }
            let before = harness.notes().len();
            replies.extend(run_with_sink(&mut harness, at, &answers, &mut writes));
            harness.run_until(at);
            for note in &harness.notes()[before..] {
                if let Fact::InvocationStarted { function, concurrent, .. } = note.fact
                    && let Some(limit) = limits[usize::from(function.0)] {
                    prop_assert!(concurrent <= limit, "{concurrent} of {function:?} with {limit} reserved");
                }
            }
            let total: u32 = (0..3).map(|id| harness.component.in_progress(FunctionId(id))).sum();
            prop_assert!(total <= quota);
        }
        replies.extend(run_with_sink(&mut harness, at + SimDuration::from_minutes(1), &answers, &mut writes));
        prop_assert_eq!((harness.pending(), harness.batches_under_way()), (0, 0), "nothing is left over");
        prop_assert_eq!(harness.component.holdings().count(), 0);

        let mut open = std::collections::BTreeMap::new();
        let mut ended = std::collections::BTreeMap::new();
        let mut running = [0_u32; 3];
        for note in harness.notes() {
            if let Fact::InvocationStarted { function, caller, concurrent, .. } = note.fact {
                let reader = caller.reader().expect("mappings call");
                running[usize::from(function.0)] += 1;
                prop_assert_eq!(concurrent, running[usize::from(function.0)], "this one is included");
                prop_assert!(open.insert(reader, note.records.len()).is_none());
            } else if let Fact::InvocationEnded { function, caller, records, outcome, concurrent, .. } = note.fact {
                let reader = caller.reader().expect("mappings call");
                running[usize::from(function.0)] -= 1;
                prop_assert_eq!(concurrent, running[usize::from(function.0)], "this one is not included");
                prop_assert_eq!(open.remove(&reader), Some(usize::try_from(records).expect("few")));
                prop_assert!(ended.insert(reader, outcome).is_none());
            } else if let Fact::InvocationThrottled { caller, .. } = note.fact {
                let reader = caller.reader().expect("mappings call");
                prop_assert!(ended.insert(reader, InvocationOutcome::Throttled).is_none());
            }
        }
        prop_assert!(open.is_empty());
        prop_assert!((0..3).all(|id| harness.component.in_progress(FunctionId(id)) == 0), "every place is given back");
        prop_assert_eq!(ended.len(), usize::from(invocations));
        prop_assert_eq!(replies.len(), usize::from(invocations));
        for reply in &replies {
            let world::Event::Mapping(mapping, _) = reply.event else { panic!("only mappings are answered") };
            prop_assert_eq!(ended.remove(&mapping.into()), Some(outcome_in(reply)), "each caller is answered once");
        }
    }
}
