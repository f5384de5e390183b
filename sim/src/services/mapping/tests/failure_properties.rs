//! Whatever a function does and whatever the limits are: nothing is lost untold, nothing overtakes, and limits hold.

use super::retries::{destination, documents};
use super::*;
use crate::blueprint::{DestinationKind, ErrorHandling, FailureDestination};
use crate::engine::quantity::Ratio;
use crate::observe::fact::Remains;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// What an invocation does: how long, how it ends, and what it returns: a form, and every n-th record as failed.
type Act = (u64, InvocationOutcome, BatchResponse, u32);

#[derive(Clone, Debug)]
struct Story {
    lanes: u32,
    batch_size: u32,
    window: u64,
    errors: ErrorHandling,
    /// (gap in ms, key) of each record.
    records: Vec<(u64, u32)>,
    /// What the first invocations do; later ones succeed.
    acts: Vec<Act>,
    retention: u64,
}

fn error_handling() -> impl Strategy<Value = ErrorHandling> {
    let limit = prop_oneof![1 => Just(None), 3 => (0_u32..4).prop_map(Some)];
    let age = prop_oneof![2 => Just(None), 1 => (5_u64..60).prop_map(|age| Some(SimDuration::from_secs(age)))];
    let unreachable = prop_oneof![Just(Ratio::ZERO), Just(Ratio::new(1, 2))];
    (limit, age, any::<bool>(), any::<bool>(), prop::option::of(unreachable)).prop_map(
        |(most, age, bisect, report, told)| ErrorHandling {
            maximum_retry_attempts: most,
            maximum_record_age: age,
            bisect_batch_on_function_error: bisect,
            report_batch_item_failures: report,
            on_failure: told.map(|failure_rate| FailureDestination {
                failure_rate,
                ..destination(DestinationKind::Bucket)
            }),
        },
    )
}

fn stories() -> impl Strategy<Value = Story> {
    let outcome =
        prop_oneof![4 => Just(Succeeded), 3 => Just(FunctionError), 1 => Just(TimedOut), 1 => Just(Throttled)];
    let response = prop_oneof![
        2 => Just(BatchResponse::EmptyList),
        3 => Just(BatchResponse::ItemFailures),
        1 => Just(BatchResponse::NullIdentifier)
    ];
    (
        (1_u32..=4, 1_u32..=20, 0_u64..3),
        error_handling(),
        prop::collection::vec((0_u64..300, 0_u32..8), 1..80),
        prop::collection::vec((1_u64..2_000, outcome, response, 1_u32..6), 0..60),
        prop_oneof![3 => Just(100_000_u64), 1 => 5_u64..40],
    )
        .prop_map(
            |((lanes, batch_size, window), errors, records, acts, retention)| Story {
                lanes,
                batch_size,
                window,
                errors,
                records,
                acts,
                retention,
            },
        )
}

fn tell(story: &Story) -> Bench {
    let mut setup = Setup::lanes(story.lanes);
    setup.hashes = even_ranges(8).iter().map(|range| range.start + (1 << 64)).collect();
    setup.blueprint.batch_size = story.batch_size;
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(story.window);
    setup.blueprint.errors = story.errors.clone();
    setup.model.retry_backoff_max = SimDuration::from_secs(4);
    setup.model.throttle_backoff_max = SimDuration::from_secs(4);
    let mut bench = setup.build();
    bench.retention = SimDuration::from_secs(story.retention);
    let mut at = 0;
    for &(gap, key) in &story.records {
        at += gap;
        bench.store(millis(at), key, 100);
    }
    let mut left = story.acts.clone().into_iter();
    let mut responses = story.acts.clone().into_iter();
    bench.behaviour = Box::new(move |_| {
        let (takes, outcome, _, _) = left.next().unwrap_or((20, Succeeded, BatchResponse::EmptyList, 1));
        (SimDuration::from_millis(takes), outcome)
    });
    bench.response = Box::new(move |one| {
        let (_, _, response, nth) = responses.next().unwrap_or((20, Succeeded, BatchResponse::EmptyList, 1));
        let failed = one
            .records
            .iter()
            .map(|record| record.ordinal)
            .filter(|ordinal| ordinal % nth == nth - 1);
        (response, failed.collect())
    });
    bench
}

/// How often each position was acknowledged, discarded or has expired, and the checkpoints never passed others.
fn settled(bench: &Bench, count: usize) -> Result<Vec<u32>, TestCaseError> {
    let mut done = vec![0_u32; count];
    for note in bench.harness.notes() {
        let (first, count) = match note.fact {
            Fact::BatchAcknowledged {
                first_position,
                records,
                ..
            } => (first_position, u64::from(records)),
            Fact::RecordsDiscarded { first_position, .. } => {
                (first_position, u64::try_from(note.records.len()).expect("small"))
            }
            Fact::RecordsExpiredUnread {
                first_position, count, ..
            } => (first_position, count),
            // With several lanes these do not lie next to each other: they are what nothing else settles.
            Fact::CheckpointAdvanced { position, .. } => {
                let open = done[..to_usize(u32::try_from(position).expect("small"))]
                    .iter()
                    .filter(|&&times| times == 0);
                let expired: u64 = bench
                    .harness
                    .find(|other| match other.fact {
                        Fact::RecordsExpiredInRetry { count, .. } if other.at <= note.at => Some(count),
                        _ => None,
                    })
                    .iter()
                    .sum();
                prop_assert!(
                    u64::try_from(open.count()).expect("small") <= expired,
                    "a gap was skipped"
                );
                continue;
            }
            _ => continue,
        };
        if note.positions.is_empty() {
            (first..first + count).for_each(|position| done[usize::try_from(position).expect("small")] += 1);
        } else {
            note.positions
                .iter()
                .for_each(|&position| done[usize::try_from(position).expect("small")] += 1);
        }
    }
    Ok(done)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// LAM-E-02 at least once; LAM-K-08 order per key; LAM-X-05 the bound of retries; LAM-X-09 what is given up is told.
    #[test]
    fn failures_lose_nothing_untold_and_let_nothing_overtake(story in stories()) {
        let mut bench = tell(&story);
        bench.run_for(500);
        let count = story.records.len();
        // Each record is settled once, in one of three ways.
        let done = settled(&bench, count)?;
        prop_assert!(done.iter().all(|&times| times <= 1));
        let in_retry: u64 = bench.harness.find(|note| match note.fact {
            Fact::RecordsExpiredInRetry { count, .. } => Some(count),
            _ => None,
        }).iter().sum();
        let open = u64::try_from(done.iter().filter(|&&times| times == 0).count()).expect("small");
        prop_assert_eq!(open, in_retry, "what nothing else has settled has expired");
        let reader = bench.reader();
        let all = u64::try_from(count).expect("small");
        prop_assert_eq!((reader.in_flight, reader.waiting.records, reader.progress.checkpoint()), (0, 0, all));
        // What is given up stands in a document, if there is a destination.
        let mut given_up = [0_usize; 2];
        for note in bench.harness.notes() {
            if let Fact::RecordsDiscarded { remains, .. } = note.fact {
                given_up[usize::from(remains == Remains::DeadLettered)] += note.records.len();
                prop_assert_eq!(remains == Remains::Dropped, story.errors.on_failure.is_none());
            }
        }
        let told: u32 = documents(&bench).iter().filter(|document| document.delivered).map(|document| document.records).sum();
        prop_assert_eq!(usize::try_from(told).expect("small"), given_up[1]);
        one_at_a_time_and_in_order(&bench)?;
        retries_within_bounds(&bench, story.errors.maximum_retry_attempts)?;
    }
}

/// Batches of a key never overlap, and a key's records reach the function for the first time in order.
fn one_at_a_time_and_in_order(bench: &Bench) -> Result<(), TestCaseError> {
    let mut busy_until: BTreeMap<KeyId, SimTime> = BTreeMap::new();
    let mut next: BTreeMap<KeyId, u32> = BTreeMap::new();
    for invocation in &bench.invocations {
        for record in &invocation.records {
            let until = busy_until.get(&record.key).copied().unwrap_or(SimTime::ZERO);
            prop_assert!(until <= invocation.at, "two batches of key {:?} at a time", record.key);
            let expected = next.entry(record.key).or_default();
            if record.ordinal >= *expected {
                *expected = record.ordinal + 1;
            }
        }
        for pair in invocation.records.windows(2) {
            prop_assert!(pair[0].key != pair[1].key || pair[0].ordinal < pair[1].ordinal);
        }
        for record in &invocation.records {
            busy_until.insert(record.key, invocation.answered_at);
        }
    }
    // Once a record is done, the function gets no earlier one of its key for the first time.
    let mut first_seen: BTreeMap<(KeyId, u32), usize> = BTreeMap::new();
    for (number, invocation) in bench.invocations.iter().enumerate() {
        for record in &invocation.records {
            first_seen.entry((record.key, record.ordinal)).or_insert(number);
        }
    }
    let mut last: BTreeMap<KeyId, usize> = BTreeMap::new();
    for ((key, _), number) in first_seen {
        prop_assert!(
            last.get(&key).copied().unwrap_or(0) <= number,
            "key {key:?} was overtaken"
        );
        last.insert(key, number);
    }
    Ok(())
}

/// No batch, unchanged, reaches the function more often than the limit says.
fn retries_within_bounds(bench: &Bench, most: Option<u32>) -> Result<(), TestCaseError> {
    let Some(most) = most else { return Ok(()) };
    let mut times: BTreeMap<Vec<(KeyId, u32)>, u32> = BTreeMap::new();
    for invocation in bench.invocations.iter().filter(|one| one.outcome != Throttled) {
        let batch = invocation
            .records
            .iter()
            .map(|record| (record.key, record.ordinal))
            .collect();
        *times.entry(batch).or_default() += 1;
    }
    prop_assert!(
        times.values().all(|&times| times <= most + 1),
        "a batch was tried {:?} times",
        times.values().max()
    );
    Ok(())
}
