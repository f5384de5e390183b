//! When the stream is read, and how far ahead.

use super::*;

#[test]
fn lam_k_01_each_shard_is_polled_once_a_second() {
    let mut bench = Setup {
        shards: 4,
        hashes: vec![0; 4],
        ..Setup::new()
    }
    .build();
    bench.run_for(30);
    for shard in 0..4 {
        assert_eq!(bench.polls(shard).len(), 30);
        assert!(bench.gaps(shard).iter().all(|&gap| gap == 1_000));
    }
}

#[test]
fn lam_u_03_each_shard_is_polled_at_a_phase_of_its_own() {
    let phases = |seed| {
        let mut bench = Setup {
            shards: 64,
            hashes: vec![0; 64],
            seed,
            ..Setup::new()
        }
        .build();
        bench.run_for(1);
        (0..64)
            .map(|shard| bench.polls(shard)[0].as_nanos())
            .collect::<Vec<_>>()
    };
    let first = phases(1);
    assert!(first.iter().all(|&phase| phase < 1_000_000_000));
    let mean = first.iter().sum::<u64>() / 64;
    assert!((350_000_000..650_000_000).contains(&mean), "{mean}");
    assert_ne!(first, phases(2), "it follows from the seed");
}

/// KDS-R-15 tells the mapping that something was left behind.
/// Also LAM-U-03.
#[test]
fn lam_k_02_lam_u_03_a_shard_that_is_behind_is_read_every_200_ms_until_it_has_caught_up() {
    let mut setup = Setup::new();
    setup.model.poll_page_records = 100;
    setup.blueprint.batch_size = 1_000;
    let mut bench = setup.build();
    bench.store_many(millis(0), 1_000);
    bench.run_for(10);
    let gaps = bench.gaps(0);
    assert_eq!(gaps[..9], [200; 9], "nine pages left something behind");
    assert!(gaps[9..].iter().all(|&gap| gap == 1_000), "{gaps:?}");
    assert_eq!(bench.reader().progress.checkpoint(), 1_000);
}

#[test]
fn lam_u_03_while_no_lane_has_room_only_the_base_rate_goes_on() {
    let mut setup = Setup::new();
    setup.model.poll_page_records = 100;
    let mut bench = setup.build();
    bench.store_many(millis(0), 1_000);
    // Each batch takes three seconds; a hundred records wait behind it.
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(3), Succeeded));
    bench.run_for(40);
    let starts: Vec<u32> = bench
        .invocations
        .iter()
        .map(|invocation| invocation.records[0].ordinal)
        .collect();
    assert_eq!(starts, (0..10).map(|batch| batch * 100).collect::<Vec<_>>());
    for pair in bench.invocations.windows(2) {
        assert_eq!(pair[1].at, pair[0].answered_at + NETWORK, "the next batch was there");
    }
    assert!(bench.gaps(0).iter().all(|&gap| gap >= 200));
    assert!(bench.polls(0).len() <= 40 + 10, "{:?}", bench.polls(0));
}

#[test]
fn kds_r_13_a_refused_poll_is_made_again_at_the_base_rate() {
    let mut bench = Setup::new().build();
    bench.refused.push(SimTime::from_secs(3)..SimTime::from_secs(6));
    bench.store_many(millis(3_000), 5);
    bench.run_for(10);
    assert!(bench.gaps(0).iter().all(|&gap| gap == 1_000));
    assert_eq!(bench.invocations.len(), 1);
    assert!(bench.invocations[0].at > SimTime::from_secs(6));
    assert_eq!(bench.invocations[0].ordinals(), [0, 1, 2, 3, 4]);
}

#[test]
fn lam_u_04_a_batch_leaves_85_ms_after_its_page_came() {
    let mut bench = Setup::new().build();
    bench.store_many(millis(0), 5);
    bench.run_for(2);
    assert_eq!(bench.dispatched(), [Bench::in_lanes(bench.polls(0)[0])]);
}

#[test]
fn lam_k_16_reading_starts_at_the_oldest_record_that_is_left() {
    let mut bench = Setup::new().build();
    bench.retention = SimDuration::from_millis(1);
    bench.store_many(millis(0), 7);
    bench.run_until(millis(500));
    let mut bench = Setup::new().build();
    bench.store_many(millis(0), 7);
    bench.run_for(2);
    assert_eq!(bench.invocations[0].ordinals(), (0..7).collect::<Vec<_>>());
    assert_eq!(bench.reads[0].1.position, 0);
}

/// KDS-RET-09: and the reader goes on at the horizon.
#[test]
fn kds_ret_09_records_that_expired_unread_are_passed_over() {
    let mut setup = Setup::new();
    setup.blueprint.batch_size = 5;
    let mut bench = setup.build();
    bench.retention = SimDuration::from_secs(30);
    bench.store_many(millis(0), 20_000);
    bench.store_many(SimTime::from_secs(20), 10);
    // The first batch takes 40 s; meanwhile 10,000 records wait in the lane, and the others expire unread.
    bench.behaviour = Box::new(|invocation| {
        let first = invocation.records[0].ordinal == 0;
        (
            if first {
                SimDuration::from_secs(40)
            } else {
                SimDuration::from_millis(1)
            },
            Succeeded,
        )
    });
    bench.run_until(SimTime::from_secs(41));
    bench.run_until(SimTime::from_secs(49));
    let expired = bench.harness.notes().iter().find_map(|note| match note.fact {
        Fact::RecordsExpiredUnread {
            first_position, count, ..
        } => Some((first_position, count)),
        _ => None,
    });
    assert_eq!(expired, Some((10_000, 10_000)));
    let last = bench.invocations.last().expect("some").ordinals();
    assert_eq!(last, [20_005, 20_006, 20_007, 20_008, 20_009]);
    let reader = bench.reader();
    assert_eq!(
        (reader.progress.checkpoint(), reader.in_flight, reader.cursor),
        (20_010, 0, 20_010)
    );
    assert!(
        bench
            .harness
            .notes()
            .iter()
            .any(|note| matches!(note.fact, Fact::CheckpointAdvanced { position: 20_000.., .. }))
    );
}

/// Waiting records are at most a page more than the cap.
#[test]
fn lam_u_02_reading_stops_when_a_batch_for_each_lane_waits() {
    let mut setup = Setup::lanes(2);
    setup.blueprint.batch_size = 50;
    setup.model.poll_page_records = 20;
    let mut bench = setup.build();
    bench.store_many(millis(0), 5_000);
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(1_000), Succeeded));
    bench.run_for(60);
    // One lane is stuck with the first page, and reads go on until two batches wait.
    let reader = bench.reader();
    assert_eq!((reader.waiting.records, reader.cursor), (100, 120));
    assert!(bench.harness.component.1.memory() >= 100 * crate::record::RECORD_BYTES);
}

#[test]
fn lam_u_02_reading_stops_when_6_mb_for_each_lane_wait() {
    let mut setup = Setup::lanes(2);
    setup.blueprint.batch_size = 10_000;
    setup.model.poll_page_records = 1;
    let mut bench = setup.build();
    for _ in 0..40 {
        bench.store(millis(0), 0, MIB);
    }
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(1_000), Succeeded));
    bench.run_for(60);
    let reader = bench.reader();
    assert_eq!((reader.waiting.bytes, reader.cursor), (12 * MIB, 13));
}

#[test]
fn polls_are_never_armed_twice_nor_too_frequent_whatever_happens() {
    for seed in 0..12 {
        let mut setup = Setup::lanes(4);
        setup.seed = seed;
        setup.blueprint.batch_size = 30;
        setup.model.poll_page_records = 40;
        let mut bench = setup.build();
        let mut random = RandomStreams::new(seed, 1)
            .stream("mapping.test/behaviour")
            .expect("the first");
        for tick in 0..400 {
            for _ in 0..random.below(12) {
                let key = u32::try_from(random.below(4)).expect("small");
                bench.store(millis(tick * 50), key, 100);
            }
        }
        bench.behaviour = Box::new(move |_| {
            let outcome = [Succeeded, Succeeded, Succeeded, FunctionError, Throttled]
                [usize::try_from(random.below(5)).expect("small")];
            (SimDuration::from_millis(random.below(700)), outcome)
        });
        bench.run_for(60);
        let gaps = bench.gaps(0);
        assert!(gaps.iter().all(|&gap| gap >= 200), "{gaps:?}");
        // Where reading had stopped, the next read comes with a lane that has room, or with the base rate.
        assert!(
            gaps[gaps.len() - 3..].iter().all(|&gap| gap == 1_000),
            "the base rate went on: {gaps:?}"
        );
    }
}
