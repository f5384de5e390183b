//! Concurrent batches of a shard, and order.

use super::*;

fn slow(bench: &mut Bench) {
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(2), Succeeded));
}

/// LAM-E-01: the mapping waits for the response.
#[test]
fn lam_k_05_lam_e_01_by_default_a_shard_has_one_batch_in_flight() {
    let mut bench = Setup::new().build();
    for number in 0..400 {
        bench.store(millis(number * 25), 0, 100);
    }
    slow(&mut bench);
    bench.run_for(30);
    assert!(bench.invocations.len() > 3);
    assert_eq!(bench.concurrency(), 1);
}

/// Also LAM-K-07.
#[test]
fn lam_k_06_lam_k_07_a_shard_has_as_many_batches_in_flight_as_lanes() {
    for (shards, lanes) in [(1, 3), (2, 5), (1, 10)] {
        let mut setup = Setup::lanes(lanes);
        setup.shards = shards;
        if shards > 1 {
            // One key for each shard; the shard of key i is shard i.
            setup.hashes = even_ranges(shards).iter().map(|range| range.start).collect();
        }
        let keys = u32::try_from(setup.hashes.len()).expect("few");
        let mut bench = setup.build();
        for number in 0..2_000 {
            bench.store(millis(number * 5), u32::try_from(number).expect("small") % keys, 100);
        }
        slow(&mut bench);
        bench.run_for(30);
        // A key never runs in two batches, so two shards with one key each have two at a time.
        let expected = if shards > 1 { 2 } else { lanes };
        assert_eq!(bench.concurrency(), usize::try_from(expected).expect("small"));
    }
}

#[test]
fn lam_k_08_records_of_one_key_run_in_order_and_never_in_two_batches_at_a_time() {
    let mut setup = Setup::lanes(10);
    // Three keys in each lane.
    let thirds = even_ranges(30);
    setup.hashes = thirds.iter().map(|range| range.start + (1 << 64)).collect();
    setup.blueprint.batch_size = 20;
    let mut bench = setup.build();
    let mut random = RandomStreams::new(3, 0)
        .stream("mapping.test/behaviour")
        .expect("the first");
    for number in 0..4_000 {
        let key = u32::try_from(random.below(30)).expect("small");
        bench.store(millis(number * 5), key, 100);
    }
    bench.behaviour = Box::new(move |_| {
        let outcome = if random.below(4) == 0 { FunctionError } else { Succeeded };
        (SimDuration::from_millis(10 + random.below(900)), outcome)
    });
    bench.run_for(400);
    assert!(bench.concurrency() > 5);
    let mut next = [0; 30];
    for (index, invocation) in bench.invocations.iter().enumerate() {
        for other in &bench.invocations[index + 1..] {
            let shared = invocation
                .records
                .iter()
                .any(|record| other.records.iter().any(|two| two.key == record.key));
            assert!(
                !shared || other.at >= invocation.answered_at,
                "a key ran twice at {}",
                other.at
            );
        }
        if invocation.outcome == Succeeded {
            for record in &invocation.records {
                assert_eq!(record.ordinal, next[to_usize(record.key.0)], "key {}", record.key.0);
                next[to_usize(record.key.0)] += 1;
            }
        }
    }
    assert_eq!(next.iter().sum::<u32>(), 4_000);
    assert_eq!(bench.reader().progress.checkpoint(), 4_000);
}

#[test]
fn lam_k_09_with_one_lane_a_shard_is_processed_in_order() {
    let mut setup = Setup::new();
    setup.hashes = even_ranges(5).iter().map(|range| range.start).collect();
    let mut bench = setup.build();
    for number in 0..500 {
        bench.store(millis(number * 7), u32::try_from(number % 5).expect("small"), 100);
    }
    let mut failures = 0;
    bench.behaviour = Box::new(move |_| {
        failures += 1;
        (
            SimDuration::from_millis(50),
            if failures % 3 == 0 { TimedOut } else { Succeeded },
        )
    });
    bench.run_for(60);
    let done = bench
        .invocations
        .iter()
        .filter(|invocation| invocation.outcome == Succeeded);
    let arrivals: Vec<SimTime> = done
        .flat_map(|invocation| &invocation.records)
        .map(|record| record.arrived_at)
        .collect();
    assert_eq!(arrivals.len(), 500);
    assert!(arrivals.is_sorted());
}

#[test]
fn lam_u_01_lanes_are_equal_parts_of_the_shards_range() {
    let quarter = 1_u128 << 126;
    assert_eq!(lane_of(0, 0, u128::MAX, 4), 0);
    assert_eq!(lane_of(quarter - 1, 0, u128::MAX, 4), 0);
    assert_eq!(lane_of(quarter, 0, u128::MAX, 4), 1);
    assert_eq!(lane_of(u128::MAX, 0, u128::MAX, 4), 3);
    assert_eq!(lane_of(quarter + 9, quarter, quarter + 9, 10), 9);
    assert_eq!(lane_of(quarter + 4, quarter, quarter + 9, 10), 4);
    let mut setup = Setup::lanes(4);
    setup.hashes = vec![0, quarter, 2 * quarter, 3 * quarter + 5];
    let mut bench = setup.build();
    for key in 0..4 {
        bench.store(millis(0), key, 100);
    }
    bench.run_for(2);
    for invocation in &bench.invocations {
        assert_eq!(invocation.records.len(), 1);
        assert_eq!(u32::from(invocation.lane), invocation.records[0].key.0);
    }
    assert_eq!(bench.invocations.len(), 4);
}

/// LAM-U-02: the checkpoint is the lowest record that is not done.
#[test]
fn lam_x_32_lam_u_02_a_failing_key_blocks_its_own_lane_and_the_checkpoint() {
    let mut bench = Setup::lanes(2).build();
    for number in 0..40 {
        bench.store(millis(number * 100), u32::from(number % 2 == 0), 100);
    }
    bench.behaviour = Box::new(|invocation| {
        let poison = invocation.records[0].key.0 == 0;
        (
            SimDuration::from_millis(20),
            if poison { FunctionError } else { Succeeded },
        )
    });
    bench.run_for(20);
    let done: usize = bench
        .invocations
        .iter()
        .filter(|invocation| invocation.outcome == Succeeded)
        .map(|invocation| invocation.records.len())
        .sum();
    assert_eq!(done, 20, "the other lane went on");
    assert_eq!(bench.reader().progress.checkpoint(), 1, "key 0 has position 1");
    // LAM-X-31: blocking does not multiply concurrency.
    let failing: Vec<&Invocation> = bench
        .invocations
        .iter()
        .filter(|one| one.outcome != Succeeded)
        .collect();
    assert!(failing.windows(2).all(|pair| pair[1].at >= pair[0].answered_at));
}

#[test]
fn lam_x_31_failing_batches_occupy_one_execution_for_each_lane() {
    let mut bench = Setup::lanes(3).build();
    for number in 0..600 {
        bench.store(millis(number * 10), u32::try_from(number % 3).expect("small"), 100);
    }
    bench.behaviour = Box::new(|_| (SimDuration::from_secs(2), FunctionError));
    bench.run_for(60);
    assert_eq!(bench.concurrency(), 3);
}

/// Neighbours stay a run; others are listed one by one, and none in between is added.
#[test]
fn positions_join_only_where_they_follow_each_other() {
    let run = |first, count| lane::Positions::Run { first, count };
    let mut neighbours = run(3, 2);
    neighbours.append(&run(5, 4));
    assert_eq!(
        (neighbours.first(), neighbours.count(), neighbours.listed()),
        (3, 6, &[][..])
    );
    let mut apart = run(3, 2);
    apart.append(&run(7, 2));
    assert_eq!((apart.count(), apart.listed()), (4, &[3, 4, 7, 8][..]));
}
