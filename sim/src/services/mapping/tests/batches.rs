//! When a batch is complete, and what fits it.

use super::*;

fn windowed(window: SimDuration) -> Setup {
    let mut setup = Setup::new();
    setup.blueprint.maximum_batching_window = window;
    setup
}
const WINDOW: SimDuration = SimDuration::from_secs(10);

#[test]
fn lam_e_03_a_batch_leaves_when_batch_size_records_are_there() {
    let mut setup = windowed(WINDOW);
    setup.blueprint.batch_size = 5;
    let mut bench = setup.build();
    bench.store_many(millis(0), 5);
    bench.run_for(3);
    assert_eq!(bench.dispatched(), [bench.gathered(millis(0))]);
}

#[test]
fn lam_e_03_a_batch_leaves_when_6_mb_are_there() {
    let mut bench = windowed(WINDOW).build();
    for _ in 0..5 {
        bench.store(millis(0), 0, MIB);
    }
    bench.run_for(3);
    assert_eq!(bench.dispatched(), [bench.gathered(millis(0))]);
    assert_eq!(bench.invocations[0].records.len(), 4, "four times 1.4 MB in base64");
}

#[test]
fn lam_e_03_a_batch_leaves_when_its_window_is_over() {
    let mut bench = windowed(WINDOW).build();
    bench.store_many(SimTime::from_secs(15), 3);
    bench.store_many(SimTime::from_secs(20), 3);
    bench.run_for(40);
    assert_eq!(bench.dispatched(), [bench.gathered(SimTime::from_secs(15)) + WINDOW]);
    assert_eq!(
        bench.invocations[0].records.len(),
        6,
        "what came within the window goes with it"
    );
}

#[test]
fn lam_e_05_without_a_window_a_single_record_is_a_batch() {
    let mut bench = Setup::new().build();
    bench.store_many(millis(0), 1);
    bench.run_for(3);
    assert_eq!(bench.dispatched(), [bench.gathered(millis(0))]);
    assert_eq!(bench.invocations[0].records.len(), 1);
}

#[test]
fn lam_e_06_the_next_window_opens_when_the_previous_invocation_ends() {
    for arrives_after in [-1_i64, 4] {
        let mut bench = windowed(WINDOW).build();
        bench.store_many(SimTime::from_secs(15), 1);
        bench.behaviour = Box::new(|_| (SimDuration::from_secs(3), Succeeded));
        bench.run_for(29);
        let ends = bench.invocations[0].answered_at;
        let next = u64::try_from(i64::try_from(ends.as_nanos()).expect("early") + arrives_after * 1_000_000_000);
        bench.store_many(SimTime::from_nanos(next.expect("later")), 1);
        bench.run_for(60);
        assert_eq!(
            bench.dispatched()[1],
            ends + WINDOW,
            "the second record came {arrives_after} s after that end"
        );
    }
}

#[test]
fn lam_e_06_after_a_silence_the_window_opens_at_the_first_record() {
    let mut bench = windowed(WINDOW).build();
    for at in [15, 60] {
        bench.store_many(SimTime::from_secs(at), 1);
    }
    bench.run_for(90);
    let whole = |at| bench.gathered(SimTime::from_secs(at)) + WINDOW;
    assert_eq!(bench.dispatched(), [whole(15), whole(60)]);
}

#[test]
fn lam_k_27_a_record_waits_a_window_and_a_poll_interval_at_most() {
    for at in (0..40).map(|step| 15_000 + step * 137) {
        let mut bench = windowed(WINDOW).build();
        bench.store_many(millis(at), 1);
        bench.run_for(40);
        let waited = bench.dispatched()[0].since(millis(at));
        let most = WINDOW + SECOND + NETWORK + SERVICE + NETWORK + SimDuration::from_millis(85);
        assert!(waited <= most, "{waited}");
        assert!(waited >= WINDOW);
    }
}

/// LAM-U-29, with 530 bytes of metadata; LAM-K-13: base64.
fn payload(records: &[Record]) -> u64 {
    let key = "key-0".len() as u64;
    let one = |record: &Record| 4 * (u64::from(record.bytes) - key).div_ceil(3) + key + 530;
    14 + records.iter().map(one).sum::<u64>()
}

/// LAM-E-09, LAM-K-13, LAM-U-29: metadata and base64 count.
/// Also LAM-K-14.
#[test]
fn lam_e_08_lam_k_13_lam_k_14_a_batch_never_exceeds_6_mb_and_fills_them() {
    const LIMIT: u64 = 6 * 1_024 * 1_024;
    for (bytes, count) in [(100, 10_000), (1_000, 9_000), (77_777, 200), (1_000_000, 12), (MIB, 12)] {
        let mut setup = Setup::new();
        setup.blueprint.batch_size = 10_000;
        let mut bench = setup.build();
        for _ in 0..count {
            bench.store(millis(0), 0, bytes);
        }
        bench.run_for(30);
        let all: usize = bench
            .invocations
            .iter()
            .map(|invocation| invocation.records.len())
            .sum();
        assert_eq!(all, count);
        let first = &bench.invocations[0].records;
        assert!(payload(first) <= LIMIT, "{bytes}: {}", payload(first));
        if first.len() < count {
            assert!(
                payload(first) + payload(&first[..1]) - 14 > LIMIT,
                "{bytes}: one more would have fitted"
            );
            assert!(first.iter().map(|record| u64::from(record.bytes)).sum::<u64>() < LIMIT * 3 / 4);
        }
    }
}

#[test]
fn lam_k_25_a_record_that_no_invocation_can_carry_never_blocks_its_shard() {
    for first in [0, 2] {
        let mut bench = Setup::new().build();
        bench.store_many(millis(0), first);
        bench.store(millis(0), 0, 5 * MIB);
        bench.store_many(millis(0), 2);
        bench.run_for(3);
        let delivered: Vec<u32> = bench.invocations.iter().flat_map(Invocation::ordinals).collect();
        let expected: Vec<u32> = (0..first + 3).filter(|&ordinal| ordinal != first).collect();
        assert_eq!(delivered, expected);
        let discarded: Vec<usize> = bench
            .harness
            .notes()
            .iter()
            .filter(|note| matches!(note.fact, Fact::RecordsDiscarded { .. }))
            .map(|note| note.records.len())
            .collect();
        assert_eq!(discarded, [1]);
        let reader = bench.reader();
        assert_eq!(
            (reader.in_flight, reader.waiting.records, reader.waiting.bytes),
            (0, 0, 0)
        );
        assert_eq!(reader.progress.checkpoint(), u64::from(first) + 3);
    }
}

/// Also LAM-E-07.
#[test]
fn lam_k_11_lam_e_07_a_batch_has_batch_size_records_at_most() {
    for batch_size in [1, 100, 10_000] {
        let mut setup = Setup::new();
        setup.blueprint.batch_size = batch_size;
        let mut bench = setup.build();
        bench.store_many(millis(0), 250);
        bench.run_for(12);
        let largest = bench
            .invocations
            .iter()
            .map(|invocation| invocation.records.len())
            .max();
        assert_eq!(largest, Some(usize::try_from(batch_size.min(250)).expect("small")));
        assert_eq!(bench.reader().progress.checkpoint(), 250);
    }
}

/// LAM-E-14: one source for each batch.
#[test]
fn lam_k_10_lam_e_14_a_batch_has_records_of_one_shard() {
    let mut bench = Setup {
        shards: 3,
        hashes: even_ranges(3).iter().map(|range| range.start).collect(),
        ..Setup::new()
    }
    .build();
    for number in 0..300 {
        bench.store(millis(number * 10), u32::try_from(number % 3).expect("small"), 100);
    }
    bench.run_for(6);
    for invocation in &bench.invocations {
        assert!(invocation.records.iter().all(|record| record.key.0 == invocation.shard));
    }
    assert_eq!(
        bench
            .invocations
            .iter()
            .map(|invocation| invocation.records.len())
            .sum::<usize>(),
        300
    );
}

#[test]
fn a_lane_that_gathers_has_one_timer_however_many_pages_come() {
    let mut setup = Setup::lanes(10);
    setup.blueprint.maximum_batching_window = SimDuration::from_secs(300);
    setup.blueprint.batch_size = 10_000;
    let mut bench = setup.build();
    for number in 0..2_400 {
        bench.store(millis(number * 100), u32::try_from(number % 10).expect("small"), 100);
    }
    bench.run_for(250);
    assert!(
        bench.harness.pending() <= 10 + 3,
        "{} events are pending",
        bench.harness.pending()
    );
    bench.run_for(620);
    assert_eq!(bench.reader().progress.checkpoint(), 2_400);
}

/// Each lane of a shard has a window of its own.
#[test]
fn lam_e_06_after_a_silence_the_window_of_a_lane_opens_at_its_first_record() {
    let mut setup = Setup::lanes(2);
    setup.blueprint.maximum_batching_window = WINDOW;
    let mut bench = setup.build();
    for at in [15, 60] {
        bench.store(SimTime::from_secs(at), 1, 100);
    }
    bench.run_for(90);
    let whole = |at| bench.gathered(SimTime::from_secs(at)) + WINDOW;
    assert_eq!(bench.dispatched(), [whole(15), whole(60)]);
}

/// The retry finds nothing that is young enough: that, too, ends what was begun.
#[test]
fn lam_e_06_the_next_window_opens_when_a_retry_has_grown_too_old() {
    let mut setup = windowed(WINDOW);
    setup.blueprint.errors.maximum_record_age = Some(SimDuration::from_secs(60));
    let mut bench = setup.build();
    let first = SimTime::from_secs(15);
    bench.store_many(first, 1);
    // It fails just before the record is too old, and the wait of a second or so does the rest.
    bench.behaviour = Box::new(move |one| {
        let is_first = one.records[0].arrived_at == first;
        let takes = SimDuration::from_millis(59_500).saturating_sub(one.at.since(first));
        if is_first {
            (takes, FunctionError)
        } else {
            (SECOND, Succeeded)
        }
    });
    bench.run_for(70);
    bench.store_many(SimTime::from_secs(70), 1);
    bench.run_for(110);
    let given_up = bench
        .harness
        .find(|note| matches!(note.fact, Fact::RecordsDiscarded { .. }).then_some(note.at));
    assert_eq!(bench.dispatched()[1..], [given_up[0] + WINDOW]);
}
