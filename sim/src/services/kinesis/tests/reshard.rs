//! Shards that close, what opens in their place, and what a reader sees of it.

use super::*;
use crate::observe::fact::StreamChange;
use crate::services::kinesis::reshard::Step;
use crate::services::kinesis::shard::ShardState;

const HALF: u128 = 1 << 127;

/// One shard with a key in each half of its range.
fn two_keys() -> Bench {
    let mut setup = Setup::shards(1);
    setup.hashes = vec![0, HALF];
    setup.build()
}
fn switch(bench: &mut Bench, at: SimTime, step: Step) {
    bench.run_until(at);
    bench.apply(|(me, stream), cx| stream.switch(*me, &[step], cx));
}
fn halve(bench: &mut Bench, at: SimTime) {
    let shard = ShardIndex(0);
    switch(bench, at, Step::Split { shard, at: HALF });
}
fn stored(bench: &Bench) -> Vec<u64> {
    bench
        .component
        .1
        .shards()
        .iter()
        .map(|shard| shard.log.next_position())
        .collect()
}
fn children(bench: &mut Bench, at: SimTime, shard: u32, position: u64) -> (GetCall, Vec<(u32, Vec<u32>)>) {
    bench.get(at.saturating_sub(SERVICE), READER, shard, position, 10_000);
    bench.run_until(at + SimDuration::from_millis(100));
    let call = only(bench.take_calls());
    let Envelope::Get(get) = call.batch.envelope else {
        panic!("no page")
    };
    let children = call.batch.child_shards.iter().map(|child| {
        let parents = child.parents.iter().flatten().map(|parent| parent.0).collect();
        (child.shard.0, parents)
    });
    (get, children.collect())
}

/// KDS-RS-01, KDS-RS-02, KDS-RS-05: one parent, two children; the hash key and all above it goes to the upper one.
#[test]
fn kds_rs_02_a_split_gives_the_hash_key_and_all_above_it_to_one_child() {
    let mut bench = two_keys();
    halve(&mut bench, SimTime::from_secs(1));
    let stream = &bench.component.1;
    let origins: Vec<_> = stream.shards()[1..].iter().map(|shard| shard.origin).collect();
    assert_eq!((origins[0].range.start, origins[0].range.end), (0, HALF - 1));
    assert_eq!((origins[1].range.start, origins[1].range.end), (HALF, u128::MAX));
    for origin in origins {
        assert_eq!(origin.parents, [Some(ShardIndex(0)), None]);
        assert_eq!(origin.opened_at, SimTime::from_secs(1));
    }
    assert_eq!(
        (stream.shard_of(KeyId(0)), stream.shard_of(KeyId(1))),
        (ShardIndex(1), ShardIndex(2))
    );
}

/// KDS-RS-04, KDS-RS-05: a merged shard has the union of two neighbours, and both as parents.
#[test]
fn kds_rs_05_a_merged_shard_has_a_parent_in_each_field() {
    let mut bench = Setup::shards(3).build();
    let (lower, upper) = (ShardIndex(1), ShardIndex(2));
    switch(&mut bench, SimTime::from_secs(1), Step::Merge { lower, upper });
    let stream = &bench.component.1;
    let origin = stream.shards()[3].origin;
    assert_eq!(origin.parents, [Some(lower), Some(upper)]);
    assert_eq!(
        (origin.range.start, origin.range.end),
        (even_ranges(3)[1].start, u128::MAX)
    );
    assert_eq!(stream.map().shards(), [ShardIndex(0), ShardIndex(3)]);
    assert_eq!(stream.shard_of(KeyId(2)), ShardIndex(3));
}

/// KDS-RS-09, KDS-RS-10, KDS-RS-26: what was stored stays in the parent, what comes goes to the children.
#[test]
fn kds_rs_09_after_the_switch_only_children_are_written_to() {
    let mut bench = two_keys();
    bench.put_records(millis(500), vec![record(0, 0, 100), record(1, 0, 100)]);
    assert_eq!(bench.component.1.shards()[0].state, ShardState::Open);
    halve(&mut bench, SimTime::from_secs(1));
    let at = SimTime::from_secs(1);
    assert_eq!(bench.component.1.shards()[0].state, ShardState::Closed { at });
    assert_eq!(stored(&bench), [2, 0, 0]);
    bench.put_records(
        millis(1_500),
        vec![record(0, 1, 100), record(1, 1, 100), record(1, 2, 100)],
    );
    assert_eq!(stored(&bench), [2, 1, 2]);
}

/// KDS-SEQ-15: an open shard reports no EndingSequenceNumber, a closed one does.
#[test]
fn kds_seq_15_a_closed_shard_knows_its_last_record() {
    let mut bench = two_keys();
    bench.put_records(millis(500), records(0, 3, 100));
    assert_eq!(bench.component.1.shards()[0].ending_position(), None);
    halve(&mut bench, SimTime::from_secs(1));
    let endings = bench.component.1.shards().iter().map(Shard::ending_position);
    assert_eq!(endings.collect::<Vec<_>>(), [Some(2), None, None]);
}

/// KDS-MOD-24: a put is routed by the map at the instant at which it is stored, not at which it came in.
#[test]
fn kds_mod_24_a_put_under_way_at_the_switch_is_stored_in_a_child() {
    let mut bench = two_keys();
    bench.put(millis(995), PutApi::PutRecords, vec![record(1, 0, 100)]);
    halve(&mut bench, millis(1_000));
    assert_eq!(bench.component.1.in_service(), 1, "it is in service at the switch");
    let answer = only(bench.put_answers());
    assert_eq!(answer.outcomes(), [Outcome::Accepted]);
    assert_eq!(stored(&bench), [0, 0, 1]);
}

/// KDS-R-06, KDS-R-16, KDS-R-23: a closed shard is read as before; only at its end the iterator is null, and then the
/// response names the children.
#[test]
fn kds_r_16_children_are_named_at_the_end_of_a_closed_shard_only() {
    let mut bench = two_keys();
    bench.put_records(millis(500), records(0, 3, 100));
    let (call, named) = children(&mut bench, millis(900), 0, 3);
    assert!(!call.shard_end && named.is_empty(), "an open shard has no end");
    halve(&mut bench, millis(1_000));
    bench.get(millis(1_500), READER, 0, 0, 2);
    bench.run_until(millis(1_600));
    let page = only(bench.take_calls());
    assert!(
        page.batch.records.len() == 2 && page.batch.child_shards.is_empty(),
        "the end is not reached"
    );
    let (call, named) = children(&mut bench, millis(2_000), 0, 2);
    assert_eq!((call.shard_end, call.position), (true, 3));
    assert_eq!(named, [(1, vec![0]), (2, vec![0])]);
    let (call, named) = children(&mut bench, millis(2_500), 0, 3);
    assert!(call.shard_end, "and again");
    assert_eq!(named.len(), 2);
}

/// KDS-R-18, KDS-R-23: after a merge both parents name the same child, with both.
#[test]
fn kds_r_23_what_closed_shards_hold_stays_readable() {
    let mut bench = Setup::shards(2).build();
    bench.put_records(millis(500), vec![record(0, 0, 100), record(1, 0, 100)]);
    let (lower, upper) = (ShardIndex(0), ShardIndex(1));
    switch(&mut bench, SimTime::from_secs(1), Step::Merge { lower, upper });
    for shard in 0..2 {
        let at = SimTime::from_secs(u64::from(shard) + 3_600);
        let (call, named) = children(&mut bench, at, shard, 0);
        assert_eq!((call.shard_end, call.position, call.expired), (true, 1, 0));
        assert_eq!(named, [(2, vec![0, 1])]);
    }
    let (call, read) = bench.read(SimTime::from_secs(86_401), 0, 0);
    assert_eq!(
        (call.shard_end, read.len(), call.expired),
        (true, 0, 1),
        "until it expires"
    );
}

/// KDS-SEQ-06: for one key records of a child come after those of its parent, by the number of their shard.
#[test]
fn kds_seq_06_children_have_higher_numbers_than_their_parents() {
    let mut bench = Setup::shards(2).build();
    let (lower, upper) = (ShardIndex(0), ShardIndex(1));
    switch(&mut bench, SimTime::from_secs(1), Step::Merge { lower, upper });
    let shard = ShardIndex(2);
    switch(&mut bench, SimTime::from_secs(2), Step::Split { shard, at: 77 });
    for shard in bench.component.1.shards() {
        assert!(
            shard
                .origin
                .parents
                .iter()
                .flatten()
                .all(|parent| *parent < shard.index)
        );
    }
    assert_eq!(bench.component.1.map().shards(), [ShardIndex(3), ShardIndex(4)]);
}

/// A closed shard that its readers have left takes no memory for records, and no reader holds up another's.
#[test]
fn a_closed_shard_is_forgotten_once_every_reader_has_left_it() {
    let mut setup = Setup::shards(1);
    let other = ReaderId(1);
    setup.readers = vec![READER, other];
    let mut bench = setup.build();
    bench.put_records(millis(500), records(0, 500, 100));
    halve(&mut bench, SimTime::from_secs(1));
    let memory = |bench: &Bench| bench.component.1.shards()[0].log.memory();
    let full = memory(&bench);
    bench.component.1.shard_left(READER, ShardIndex(0));
    assert_eq!(memory(&bench), full, "the other one still reads it");
    bench.component.1.shard_left(other, ShardIndex(0));
    assert!(memory(&bench) < 200, "{}", memory(&bench));
    let changes = bench.notes().iter().filter_map(|note| match note.fact {
        Fact::StreamChanged { change, .. } => Some(change),
        _ => None,
    });
    let parents = [Some(ShardIndex(0)), None];
    let opened = |number| StreamChange::ShardOpened {
        shard: ShardIndex(number),
        parents,
    };
    let shard = ShardIndex(0);
    assert_eq!(
        changes.collect::<Vec<_>>(),
        [StreamChange::ShardClosed { shard }, opened(1), opened(2)]
    );
}
