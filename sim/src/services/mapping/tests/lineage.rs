//! What a mapping does when shards close and others follow.

use super::*;
use crate::key::HashRange;

/// Closed shards and what follows them, as the stream tells it.
fn child(shard: u32, range: HashRange, parents: [Option<u32>; 2], opened_at: SimTime) -> ChildShard {
    ChildShard {
        shard: ShardIndex(shard),
        range,
        parents: parents.map(|parent| parent.map(ShardIndex)),
        opened_at,
    }
}

/// A shard that is split into two at `at`; keys 0 and 1 go to the first, 2 and 3 to the second, each in a lane of its own
/// there, while lanes 0 and 1 of the parent have two of them each.
fn split(at: SimTime) -> Bench {
    let quarters = even_ranges(4);
    let halves = even_ranges(2);
    let mut setup = Setup::lanes(2);
    setup.hashes = quarters.iter().map(|range| range.start).collect();
    setup.model.shard_discovery_interval = SimDuration::from_millis(1);
    let mut bench = setup.build();
    bench.closed.push((
        0,
        vec![
            child(1, halves[0], [Some(0), None], at),
            child(2, halves[1], [Some(0), None], at),
        ],
    ));
    bench.logs.resize(3, Log::new());
    bench
}

/// LAM-U-09: children are read from TRIM_HORIZON, and only after every lane of the parent has finished its last record.
#[test]
fn lam_u_09_children_are_read_after_every_lane_of_the_parent_has_finished() {
    let mut bench = split(SimTime::ZERO);
    for key in 0..4 {
        bench.store_in(0, millis(10), key);
        bench.store_in(1 + key / 2, millis(20), key);
    }
    // The lane of keys 2 and 3 takes ten seconds.
    bench.behaviour = Box::new(|invocation| {
        let slow = invocation.shard == 0 && invocation.lane == 1;
        (SimDuration::from_secs(if slow { 10 } else { 1 }), Succeeded)
    });
    bench.run_for(60);
    let parents_end = bench.of_shard(0).map(|one| one.answered_at).max().expect("some");
    assert!(parents_end >= SimTime::from_secs(10));
    let children: Vec<SimTime> = bench
        .reads
        .iter()
        .filter(|(_, get)| get.shard.0 > 0)
        .map(|(at, _)| *at)
        .collect();
    let first = *children.first().expect("the children are read");
    assert!(first >= parents_end, "{first} is before {parents_end}");
    assert!(first <= parents_end + NETWORK + SimDuration::from_millis(1), "{first}");
    assert_eq!(bench.left.iter().map(|(_, shard)| shard.0).collect::<Vec<_>>(), [0]);
    // From TRIM_HORIZON: the records that came before the children were known are not missed.
    let (one, other) = (bench.of_shard(1), bench.of_shard(2));
    assert_eq!(one.chain(other).map(|batch| batch.records.len()).sum::<usize>(), 4);
    assert!(
        bench.polls(0).iter().all(|&poll| poll < SimTime::from_secs(2)),
        "the parent is not polled on"
    );
}

/// LAM-U-01: a key's lane follows from the range of its shard, so that children spread their keys over all their lanes.
#[test]
fn lam_u_01_lanes_follow_the_range_of_the_child() {
    let mut bench = split(SimTime::ZERO);
    for key in 0..4 {
        bench.store_in(0, millis(10), key);
        bench.store_in(1 + key / 2, millis(20), key);
    }
    bench.run_for(60);
    let mut lanes: Vec<(u32, u16, Vec<u32>)> = bench
        .invocations
        .iter()
        .map(|one| {
            (
                one.shard,
                one.lane,
                one.records.iter().map(|record| record.key.0).collect(),
            )
        })
        .collect();
    lanes.sort();
    assert_eq!(
        lanes,
        [
            (0, 0, vec![0, 1]),
            (0, 1, vec![2, 3]),
            (1, 0, vec![0]),
            (1, 1, vec![1]),
            (2, 0, vec![2]),
            (2, 1, vec![3])
        ]
    );
}

/// LAM-U-09: new shards are discovered within a minute, however soon the parent is done.
#[test]
fn lam_u_09_a_mapping_hears_of_new_shards_within_a_minute() {
    for seed in 0..5 {
        let opened_at = SimTime::from_secs(100);
        let mut setup = Setup::new();
        setup.seed = seed;
        let mut bench = setup.build();
        bench.logs.resize(2, Log::new());
        bench.run_for(100);
        bench
            .closed
            .push((0, vec![child(1, HashRange::WHOLE, [Some(0), None], opened_at)]));
        bench.run_for(300);
        let first = bench.polls(1)[0];
        assert!(
            opened_at < first && first <= opened_at + SimDuration::from_secs(62),
            "{first}"
        );
    }
}

/// KDS-RS-11: after a merge both parents are read to their end first, whichever is last.
#[test]
fn kds_rs_11_a_merged_shard_waits_for_both_parents() {
    for slow in [0, 1] {
        let mut setup = Setup::new();
        setup.shards = 2;
        setup.model.shard_discovery_interval = SimDuration::from_millis(1);
        let mut bench = setup.build();
        bench.logs.resize(3, Log::new());
        let merged = child(2, HashRange::WHOLE, [Some(0), Some(1)], SimTime::ZERO);
        bench.closed = vec![(0, vec![merged]), (1, vec![merged])];
        for shard in 0..3 {
            bench.store_in(shard, millis(10), 0);
        }
        bench.behaviour = Box::new(move |one| {
            (
                SimDuration::from_secs(if one.shard == slow { 20 } else { 1 }),
                Succeeded,
            )
        });
        bench.run_for(60);
        let end = bench.of_shard(slow).map(|one| one.answered_at).max().expect("some");
        assert!(bench.polls(2)[0] >= end, "shard {slow} was slow");
        assert_eq!(bench.of_shard(2).count(), 1);
    }
}

/// A parent whose last batch fails holds its children up until that is done (LAM-X-02), and its lanes are gone then.
#[test]
fn lam_x_02_a_failing_batch_of_the_parent_holds_its_children_up() {
    let mut bench = split(SimTime::ZERO);
    bench.store_in(0, millis(10), 0);
    bench.store_in(1, millis(20), 0);
    let mut failures = 3;
    bench.behaviour = Box::new(move |one| {
        let fails = one.shard == 0 && failures > 0;
        failures -= u32::from(fails);
        (
            SimDuration::from_millis(20),
            if fails { FunctionError } else { Succeeded },
        )
    });
    bench.run_for(30);
    let order: Vec<u32> = bench.invocations.iter().map(|one| one.shard).collect();
    assert_eq!(order, [0, 0, 0, 0, 1]);
    let readers = &bench.harness.component.1.readers;
    assert_eq!(readers[0].stage, Stage::Left);
    assert!(readers[0].lanes.is_empty());
    assert_eq!(readers[1].lanes.len(), 2);
}
