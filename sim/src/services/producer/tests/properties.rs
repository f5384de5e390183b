//! No record is lost or counted twice, whatever the stream answers.

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Story {
    windowed: bool,
    api: PutApi,
    rate: u64,
    concurrency: u32,
    max_attempts: u32,
    mode: RetryMode,
    resends: Option<u32>,
    /// (response time in ms, error of the call, which entries fail) of the first requests; later ones succeed.
    answers: Vec<(u64, Option<ServiceError>, u8)>,
    /// (at in ms, factor) of changes of the load.
    changes: Vec<(u64, u64)>,
}

fn stories() -> impl Strategy<Value = Story> {
    let error = prop_oneof![
        4 => Just(None),
        1 => Just(Some(ServiceError::ProvisionedThroughputExceeded)),
        1 => Just(Some(ServiceError::InternalFailure)),
        1 => Just(Some(ServiceError::RequestTimeout)),
        1 => Just(Some(ServiceError::InvalidArgument)),
    ];
    let mode = prop_oneof![
        Just(RetryMode::Off),
        Just(RetryMode::Standard),
        Just(RetryMode::Adaptive),
        Just(RetryMode::Legacy)
    ];
    (
        (any::<bool>(), any::<bool>(), 1_u64..2_000, 1_u32..30, 1_u32..5, mode),
        prop::option::of(0_u32..4),
        prop::collection::vec((2_u64..300, error, 0_u8..6), 0..80),
        prop::collection::vec((0_u64..1_500, 0_u64..4), 0..4),
    )
        .prop_map(
            |((windowed, single, rate, concurrency, max_attempts, mode), resends, answers, mut changes)| {
                changes.sort_unstable();
                Story {
                    windowed,
                    api: if windowed || single {
                        PutApi::PutRecord
                    } else {
                        PutApi::PutRecords
                    },
                    rate,
                    concurrency,
                    max_attempts,
                    mode,
                    resends,
                    answers,
                    changes,
                }
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_was_created_is_acknowledged_given_up_waiting_or_in_flight(story in stories()) {
        let mut blueprint = every(story.rate);
        blueprint.api = story.api;
        blueprint.concurrency = story.concurrency;
        blueprint.retry.max_attempts = story.max_attempts;
        blueprint.retry.mode = story.mode;
        blueprint.call_window_threshold = Rate::per_second(if story.windowed { 0 } else { 1_000_000 });
        if let Some(attempts) = story.resends {
            blueprint = resending(attempts, blueprint);
        }
        let mut bench = bench(&blueprint);
        let mut answers = story.answers.clone().into_iter();
        bench.behaviour = Box::new(move |_, records| {
            let (takes, error, failing) = answers.next().unwrap_or((12, None, 0));
            for record in records.iter_mut().filter(|record| failing > 1 && record.ordinal % u32::from(failing) == 0) {
                record.set_outcome(if failing > 3 { Outcome::Failed } else { Outcome::Throttled });
            }
            // A PutRecord that is refused fails whole.
            let refused = records.len() == 1 && records[0].outcome() != Outcome::Accepted;
            let error = error.or(refused.then_some(ServiceError::ProvisionedThroughputExceeded));
            (SimDuration::from_millis(takes), error)
        });
        let balance = |bench: &Bench| {
            let held = bench.client().holdings(bench.harness.now());
            let given_up = bench.total(|fact| matches!(fact, Fact::RecordsGivenUp { .. }));
            let settled = (bench.acknowledged() + given_up) as u64;
            (bench.produced() as u64, settled + held.waiting + held.in_flight)
        };
        for &(at, factor) in &story.changes {
            bench.run_until(millis(at));
            bench.harness.apply(|(me, client), cx| client.scale_load(*me, Ratio::new(factor, 1), cx));
            let (left, right) = balance(&bench);
            prop_assert_eq!(left, right);
        }
        for at in (1_500..2_000).step_by(100) {
            bench.run_until(millis(at));
            let (left, right) = balance(&bench);
            prop_assert_eq!(left, right);
        }
        prop_assert!(bench.busiest <= story.concurrency);
        // Ordinals of a key are given in order, each once.
        let mut next = [0; 10];
        for note in bench.harness.notes().iter().filter(|note| matches!(note.fact, Fact::RecordsProduced { .. })) {
            for record in &note.records {
                prop_assert_eq!(record.ordinal, next[to_usize(record.key.0)]);
                next[to_usize(record.key.0)] += 1;
            }
        }
        // When nothing more is created and every wait is over, the client is empty.
        bench.harness.apply(|(me, client), cx| client.scale_load(*me, Ratio::ZERO, cx));
        bench.behaviour = Box::new(|_, _| (SimDuration::from_millis(2), None));
        bench.run_until(millis(60_000));
        let held = bench.client().holdings(bench.harness.now());
        prop_assert_eq!((held.gathering, held.waiting, held.in_flight, bench.client().busy), (0, 0, 0, 0));
        let (left, right) = balance(&bench);
        prop_assert_eq!(left, right);
    }
}
