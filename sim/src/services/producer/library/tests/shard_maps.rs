//! The cached shard map, and what a stream whose shards have changed does to it.

use super::*;
use crate::services::producer::library::shard_map::{Placement, ShardMap};

const HALF: u128 = 1 << 127;

const fn range(start: u128, end: u128) -> HashRange {
    HashRange { start, end }
}
fn whole() -> Vec<(ShardIndex, HashRange)> {
    vec![(ShardIndex(0), range(0, u128::MAX))]
}
/// Shard 0 has been split into 1 and 2.
fn split() -> Vec<(ShardIndex, HashRange)> {
    vec![
        (ShardIndex(1), range(0, HALF - 1)),
        (ShardIndex(2), range(HALF, u128::MAX)),
    ]
}
/// Stores by hash key of the Kinesis record, which is that of its first user record.
fn store_in_halves(request: &Request, _: &mut [Record], user: &mut LibraryRequest) -> Option<ServiceError> {
    let keys = KeyTable::build(&[&blueprint(defaults(), &[])]);
    for (entry, record) in user.entries.iter_mut().zip(&request.records) {
        let first = keys.entry(record.key).hash < HALF;
        entry.stored_in = Some(ShardIndex(if first { 1 } else { 2 }));
    }
    None
}

/// The stream is split behind the library's back. What is stored in a child that it has never heard of is sent again,
/// all user records of it, although they are stored; and the map is refreshed once.
#[test]
fn kds_kpl_28_user_records_in_an_unexpected_shard_are_sent_again() {
    let mut bench = bench(
        defaults(),
        1,
        &[(0, 'a', 50), (1, 'b', 50), (2, 'c', 50), (300, 'b', 50)],
    );
    bench.behaviour = Box::new(store_in_halves);
    bench.shards = vec![Some(split())];
    bench.run_until(millis(700));
    let keys = |request: &Request| {
        request
            .user
            .records
            .iter()
            .map(|record| record.key.0)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        keys(&bench.requests[0]),
        [0, 1, 2],
        "one container for what is two shards by now"
    );
    assert_eq!(bench.listed_at, [millis(132)]);
    // They come back while there is no map, so each travels by itself and for no shard (KDS-KPL-14).
    assert_eq!(bench.requests[1].members(), [vec![0], vec![0], vec![0]]);
    assert_eq!(bench.requests[1].predicted(), [None, None, None]);
    assert_eq!(bench.requests[2].predicted(), [Some(2)], "the new map");
    assert_eq!(bench.acknowledged().len(), 4);
    let misplaced: u32 = bench
        .harness
        .find(|note| match note.fact {
            Fact::RequestAnswered { misplaced, .. } => Some(misplaced),
            _ => None,
        })
        .iter()
        .sum();
    assert_eq!(misplaced, 1, "Kinesis records");
}

fn map() -> (ShardMap, KeyTable) {
    let blueprint = blueprint(defaults(), &[]);
    let keys = KeyTable::build(&[&blueprint]);
    let map = ShardMap::new(&keys, keys.range(ME), &whole());
    (map, keys)
}
const A: KeyId = KeyId(0);

/// A record in a child whose range has its hash key counts as put, but the map of the parent is out of date.
#[test]
fn a_known_child_with_the_hash_key_is_no_wrong_shard() {
    let (mut map, _) = map();
    assert_eq!(map.placement(A, Some(ShardIndex(0)), ShardIndex(0)), Placement::Right);
    assert_eq!(
        map.placement(A, None, ShardIndex(7)),
        Placement::Right,
        "nothing was predicted"
    );
    assert_eq!(
        map.placement(A, Some(ShardIndex(0)), ShardIndex(1)),
        Placement::Wrong,
        "not known"
    );
    assert!(map.invalidate(millis(10), ShardIndex(0)));
    map.refreshed(millis(50), &split());
    let child = Placement::Child { outdated: true };
    assert_eq!(map.placement(A, Some(ShardIndex(0)), ShardIndex(1)), child);
    assert_eq!(
        map.placement(A, Some(ShardIndex(1)), ShardIndex(2)),
        Placement::Wrong,
        "not its range"
    );
    assert_eq!(
        map.placement(A, Some(ShardIndex(1)), ShardIndex(0)),
        Placement::Child { outdated: false },
        "the parent is still known"
    );
}

/// 1 s, half as long again with each failure, 30 s at most; closed shards are remembered for 60 s.
#[test]
fn kds_kpl_30_the_map_is_refreshed_with_backoff_and_remembers_closed_shards_for_a_minute() {
    let (mut map, _) = map();
    assert!(map.invalidate(millis(10), ShardIndex(0)));
    assert_eq!(map.predict(A), None, "there is no map meanwhile");
    assert!(!map.invalidate(millis(11), ShardIndex(0)), "it is under way");
    let now = SimTime::from_secs(1);
    let waits: Vec<u64> = (0..11)
        .map(|_| map.refresh_failed(now).since(now).as_millis())
        .collect();
    assert_eq!(waits[..4], [1_000, 1_500, 2_250, 3_375]);
    assert_eq!(waits[9..], [30_000, 30_000]);
    map.refreshed(SimTime::from_secs(2), &split());
    assert_eq!(map.predict(A), Some(ShardIndex(1)));
    assert!(
        !map.invalidate(SimTime::from_secs(2), ShardIndex(1)),
        "sent before the refresh"
    );
    assert!(
        !map.invalidate(SimTime::from_secs(3), ShardIndex(0)),
        "that one is closed already"
    );
    let parent = |map: &ShardMap| map.placement(A, Some(ShardIndex(1)), ShardIndex(0));
    map.forget_closed(SimTime::from_secs(62));
    assert_eq!(parent(&map), Placement::Child { outdated: false });
    map.forget_closed(SimTime::from_nanos(62_000_000_001));
    assert_eq!(parent(&map), Placement::Wrong, "forgotten");
}

#[test]
fn a_listing_that_fails_is_repeated_after_the_backoff() {
    let mut bench = bench(defaults(), 1, &[(0, 'a', 50), (1, 'b', 50)]);
    bench.behaviour = Box::new(store_in_halves);
    bench.shards = vec![None, None, Some(split())];
    bench.run_until(millis(5_000));
    assert_eq!(bench.listed_at, [millis(132), millis(1_144), millis(2_656)]);
}
