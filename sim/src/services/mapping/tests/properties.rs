//! Every record is done once, whatever happens.

use super::*;
use proptest::prelude::*;

/// What may happen to a mapping.
#[derive(Clone, Debug)]
struct Story {
    lanes: u32,
    batch_size: u32,
    window: u64,
    page: u32,
    /// (gap in ms, key, bytes) of each record.
    records: Vec<(u64, u32, u64)>,
    /// (duration in ms, outcome) of the first invocations; later ones succeed.
    outcomes: Vec<(u64, InvocationOutcome)>,
    /// (start, length) in ms of spans in which reads are refused.
    refused: Vec<(u64, u64)>,
    retention: u64,
}

fn stories() -> impl Strategy<Value = Story> {
    let outcome =
        prop_oneof![3 => Just(Succeeded), 1 => Just(FunctionError), 1 => Just(TimedOut), 1 => Just(Throttled)];
    (
        (1_u32..=4, 1_u32..=40, 0_u64..5, 1_u32..=60),
        prop::collection::vec((0_u64..300, 0_u32..8, 6_u64..3_000_000), 1..120),
        prop::collection::vec((0_u64..4_000, outcome), 0..40),
        prop::collection::vec((0_u64..40_000, 0_u64..5_000), 0..4),
        prop_oneof![Just(100_000_u64), 3_u64..30],
    )
        .prop_map(
            |((lanes, batch_size, window, page), records, outcomes, refused, retention)| Story {
                lanes,
                batch_size,
                window,
                page,
                records,
                outcomes,
                refused,
                retention,
            },
        )
}

fn tell(story: &Story) -> Bench {
    let mut setup = Setup::lanes(story.lanes);
    setup.hashes = even_ranges(8).iter().map(|range| range.start + (1 << 64)).collect();
    setup.blueprint.batch_size = story.batch_size;
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(story.window);
    setup.model.poll_page_records = story.page;
    setup.model.retry_backoff_max = SimDuration::from_secs(4);
    setup.model.throttle_backoff_max = SimDuration::from_secs(4);
    let mut bench = setup.build();
    bench.retention = SimDuration::from_secs(story.retention);
    let mut at = 0;
    for &(gap, key, bytes) in &story.records {
        at += gap;
        bench.store(millis(at), key, bytes);
    }
    bench.refused = story
        .refused
        .iter()
        .map(|&(from, length)| millis(from)..millis(from + length))
        .collect();
    let mut left = story.outcomes.clone().into_iter();
    bench.behaviour = Box::new(move |_| {
        let (takes, outcome) = left.next().unwrap_or((20, Succeeded));
        (SimDuration::from_millis(takes), outcome)
    });
    bench
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    /// LAM-E-02 leaves room for more: an effect may happen twice, but a record is done once.
    #[test]
    fn lam_e_02_every_record_is_done_once_or_has_expired_and_keys_stay_in_order(story in stories()) {
        let mut bench = tell(&story);
        bench.run_for(400);
        let count = story.records.len() as u64;
        let mut done = vec![0_u32; story.records.len()];
        let mut mark = |first: u64, count: u64| {
            for position in first..first + count {
                done[usize::try_from(position).expect("small")] += 1;
            }
        };
        let mut expired = 0;
        for note in bench.harness.notes() {
            match note.fact {
                Fact::BatchAcknowledged { first_position, records, .. } if note.positions.is_empty() => {
                    mark(first_position, u64::from(records));
                }
                Fact::BatchAcknowledged { .. } => note.positions.iter().for_each(|&position| mark(position, 1)),
                Fact::RecordsDiscarded { first_position, .. } => mark(first_position, 1),
                Fact::RecordsExpiredUnread { first_position, count, .. } => mark(first_position, count),
                Fact::RecordsExpiredInRetry { count, .. } => expired += count,
                _ => {}
            }
        }
        prop_assert!(done.iter().all(|&times| times <= 1));
        prop_assert_eq!(done.iter().map(|&times| u64::from(times)).sum::<u64>() + expired, count);
        let reader = bench.reader();
        prop_assert_eq!((reader.in_flight, reader.waiting.records, reader.waiting.bytes), (0, 0, 0));
        prop_assert_eq!((reader.cursor, reader.progress.checkpoint()), (count, count));
        prop_assert!(bench.concurrency() <= usize::try_from(story.lanes).expect("small"));
        let mut next = [0; 8];
        for invocation in bench.invocations.iter().filter(|invocation| invocation.outcome == Succeeded) {
            for record in &invocation.records {
                let next = &mut next[to_usize(record.key.0)];
                prop_assert!(record.ordinal >= *next, "key {}", record.key.0);
                *next = record.ordinal + 1;
            }
        }
        prop_assert!(bench.gaps(0).iter().all(|&gap| gap >= 200));
    }
}
