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
    /// Length of the tumbling windows in seconds; zero, and always with several lanes: none.
    tumbling: u64,
    /// Records are pushed: most of an event, events ahead, and how long a subscription lasts in seconds.
    pushed: Option<(u32, u32, u64)>,
    errors: ErrorHandling,
    shards: u32,
    /// (gap in ms, key) of each record.
    records: Vec<(u64, u32)>,
    /// (after so many records, which shard, into a split or a merge) of each change of the shards.
    reshards: Vec<(usize, usize, bool)>,
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
        (
            1_u32..=4,
            1_u32..=20,
            0_u64..3,
            prop_oneof![2 => Just(0_u64), 1 => 5_u64..40],
        ),
        prop::option::of((1_u32..=30, 1_u32..=4, 3_u64..300)),
        error_handling(),
        (
            1_u32..=2,
            prop::collection::vec((0_usize..80, any::<usize>(), any::<bool>()), 0..4),
        ),
        prop::collection::vec((0_u64..300, 0_u32..8), 1..80),
        prop::collection::vec((1_u64..2_000, outcome, response, 1_u32..6), 0..60),
        prop_oneof![3 => Just(100_000_u64), 1 => 5_u64..40],
    )
        .prop_map(
            |(
                (lanes, batch_size, window, tumbling),
                pushed,
                errors,
                (shards, mut reshards),
                records,
                acts,
                retention,
            )| {
                reshards.sort_by_key(|(after, ..)| *after);
                Story {
                    lanes,
                    batch_size,
                    window,
                    tumbling: if lanes == 1 { tumbling } else { 0 },
                    pushed,
                    errors,
                    shards,
                    records,
                    reshards,
                    acts,
                    retention,
                }
            },
        )
}

/// A shard and its part of the hash space, in eighths: one for each key.
type Part = (u32, core::ops::Range<u32>);

/// Splits an open shard or merges it with the next one; a shard of one key cannot be split, and the last one not be
/// merged. Closed shards know what follows them.
fn reshard(bench: &mut Bench, open: &mut Vec<Part>, (which, splits): (usize, bool), at: SimTime) {
    let eighths = even_ranges(8);
    let mut opened = |parents: [Option<u32>; 2], eighth: core::ops::Range<u32>| {
        let shard = u32::try_from(bench.logs.len()).expect("few");
        bench.logs.push(Log::new());
        let range = crate::key::HashRange {
            start: eighths[to_usize(eighth.start)].start,
            end: eighths[to_usize(eighth.end - 1)].end,
        };
        let child = ChildShard {
            shard: ShardIndex(shard),
            range,
            parents: parents.map(|parent| parent.map(ShardIndex)),
            opened_at: at,
        };
        (child, (shard, eighth))
    };
    let which = which % open.len();
    let (shard, eighth) = open[which].clone();
    if splits && eighth.len() > 1 {
        let middle = eighth.start + (eighth.end - eighth.start) / 2;
        let (low, first) = opened([Some(shard), None], eighth.start..middle);
        let (high, second) = opened([Some(shard), None], middle..eighth.end);
        open.splice(which..=which, [first, second]);
        bench.closed.push((shard, vec![low, high]));
    } else if !splits && which + 1 < open.len() {
        let (other, beyond) = open[which + 1].clone();
        let (child, part) = opened([Some(shard), Some(other)], eighth.start..beyond.end);
        open.splice(which..=which + 1, [part]);
        bench.closed.push((shard, vec![child]));
        bench.closed.push((other, vec![child]));
    }
}

fn tell(story: &Story) -> Bench {
    let mut setup = Setup::lanes(story.lanes);
    setup.shards = story.shards;
    setup.hashes = even_ranges(8).iter().map(|range| range.start + (1 << 64)).collect();
    setup.blueprint.batch_size = story.batch_size;
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(story.window);
    setup.blueprint.tumbling_window = SimDuration::from_secs(story.tumbling);
    setup.blueprint.consumer = story.pushed.map(|_| "reader".to_owned());
    setup.blueprint.errors = story.errors.clone();
    setup.model.retry_backoff_max = SimDuration::from_secs(4);
    setup.model.throttle_backoff_max = SimDuration::from_secs(4);
    setup.model.shard_discovery_interval = SimDuration::from_secs(3);
    let mut bench = setup.build();
    bench.retention = SimDuration::from_secs(story.retention);
    if let Some((records, ahead, lasts)) = story.pushed {
        (bench.pushes.event_records, bench.pushes.ahead) = (records, ahead);
        bench.pushes.lifetime = SimDuration::from_secs(lasts);
    }
    let width = 8 / story.shards;
    let mut open: Vec<Part> = (0..story.shards)
        .map(|shard| (shard, shard * width..(shard + 1) * width))
        .collect();
    let mut reshards = story.reshards.iter().peekable();
    let mut at = 0;
    for (number, &(gap, key)) in story.records.iter().enumerate() {
        at += gap;
        while let Some((_, which, splits)) = reshards.next_if(|(after, ..)| *after <= number) {
            reshard(&mut bench, &mut open, (*which, *splits), millis(at));
        }
        let of = |(_, eighth): &&Part| eighth.contains(&key);
        let (shard, _) = open.iter().find(of).expect("every key has a shard");
        bench.store_in(*shard, millis(at), key);
    }
    let mut left = story.acts.clone().into_iter();
    let mut responses = story.acts.clone().into_iter();
    let mut states = story.acts.clone().into_iter();
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
    // Now and then it forgets to return a state, and now and then the state has grown too large.
    bench.state = Box::new(move |_| match states.next() {
        Some((takes, ..)) if takes % 5 == 0 => None,
        Some((takes, ..)) if takes % 7 == 0 => Some(2 << 20),
        Some(_) | None => Some(8),
    });
    bench
}

/// How often each position of each shard was acknowledged, discarded or has expired, and how many have expired in a
/// retry; the checkpoints never passed others.
fn settled(bench: &Bench) -> Result<Vec<(Vec<u32>, u64)>, TestCaseError> {
    let length = |log: &Log| usize::try_from(log.next_position()).expect("small");
    let mut shards: Vec<(Vec<u32>, u64)> = bench.logs.iter().map(|log| (vec![0; length(log)], 0)).collect();
    for note in bench.harness.notes() {
        let (shard, first, count) = match note.fact {
            Fact::BatchAcknowledged {
                shard,
                first_position,
                records,
                ..
            } => (shard, first_position, u64::from(records)),
            Fact::RecordsDiscarded {
                shard, first_position, ..
            } => (shard, first_position, u64::try_from(note.records.len()).expect("small")),
            Fact::RecordsExpiredUnread {
                shard,
                first_position,
                count,
                ..
            } => (shard, first_position, count),
            // With several lanes these do not lie next to each other: they are what nothing else settles.
            Fact::RecordsExpiredInRetry { shard, count, .. } => {
                shards[to_usize(shard.0)].1 += count;
                continue;
            }
            Fact::CheckpointAdvanced { shard, position, .. } => {
                let (done, expired) = &shards[to_usize(shard.0)];
                let before = &done[..usize::try_from(position).expect("small")];
                let open = before.iter().filter(|&&times| times == 0).count();
                prop_assert!(u64::try_from(open).expect("small") <= *expired, "a gap was skipped");
                continue;
            }
            _ => continue,
        };
        let mut note_done = |position: u64| shards[to_usize(shard.0)].0[usize::try_from(position).expect("small")] += 1;
        if note.positions.is_empty() {
            (first..first + count).for_each(&mut note_done);
        } else {
            note.positions.iter().copied().for_each(&mut note_done);
        }
    }
    Ok(shards)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// LAM-E-02 at least once; LAM-K-08 order per key; LAM-X-05 the bound of retries; LAM-X-09 what is given up is told.
    /// Shards are split and merged meanwhile, and records are polled or pushed.
    #[test]
    fn failures_lose_nothing_untold_and_let_nothing_overtake(story in stories()) {
        let mut bench = tell(&story);
        bench.run_for(900);
        // Each record is settled once, in one of three ways, and nothing is left in hand.
        for ((shard, (done, in_retry)), log) in (0_u32..).zip(settled(&bench)?).zip(&bench.logs) {
            prop_assert!(done.iter().all(|&times| times <= 1));
            let open = u64::try_from(done.iter().filter(|&&times| times == 0).count()).expect("small");
            prop_assert_eq!(open, in_retry, "what nothing else has settled has expired");
            let reader = &bench.harness.component.1.readers[to_usize(shard)];
            prop_assert_eq!(
                (reader.in_flight, reader.waiting.records, reader.progress.checkpoint()),
                (0, 0, log.next_position()),
                "shard {}", shard
            );
        }
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
    let of_records = |one: &&Invocation| one.outcome != Throttled && !one.records.is_empty();
    for invocation in bench.invocations.iter().filter(of_records) {
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
