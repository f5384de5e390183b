//! What a stream does for the Kinesis Producer Library.

use super::*;
use crate::batch::{ListCaller, ListShardsCall, ShardFilter};
use crate::engine::pool::Handle;
use crate::ids::Destination;
use crate::user_records::{LibraryCall, LibraryEntry, LibraryRequest};

const AUDIT: ReaderId = ReaderId(1);

fn members(ordinals: core::ops::Range<u32>) -> Vec<Record> {
    ordinals.map(|ordinal| record(0, ordinal, 50)).collect()
}

/// A put of one Kinesis record of key 0 with so many user records. The keys of the bench count as those of aggregated
/// records.
fn put(bench: &mut Bench, at: SimTime, ordinal: u32, members: Vec<Record>, sent_before: bool) -> Handle {
    let sent_at = at.saturating_sub(NETWORK);
    let first_sent_at = if sent_before { SimTime::ZERO } else { sent_at };
    let request = LibraryRequest {
        entries: vec![LibraryEntry {
            members: to_u32(members.len()),
            predicted: None,
            stored_in: None,
        }],
        first_sent_at: vec![first_sent_at; members.len()],
        records: members,
    };
    let request = bench.user_records.requests.insert(request).expect("there is room");
    let envelope = Envelope::Put(PutCall {
        first_sent_at: sent_at,
        producer: CLICKS,
        target: Destination::Stream(ME),
        api: PutApi::PutRecords,
        cohort: false,
        attempt: 1,
        resends: 0,
        retry_cost: 0,
        sent_at,
        received_at: SimTime::ZERO,
        refused: 0,
        error: None,
        library: Some(LibraryCall {
            request,
            timeout: SimDuration::from_secs(6),
        }),
    });
    let batch = Batch {
        records: vec![record(0, ordinal, 200)],
        bytes: 200,
        envelope,
        ..Batch::default()
    };
    bench.send(at, batch, |batch| {
        world::Event::Stream(ME, Event::PutReceived { batch })
    });
    bench.run();
    bench.take_calls();
    request
}

fn library_bench(readers: Vec<ReaderId>) -> Bench {
    let mut setup = Setup::shards(1);
    setup.readers = readers;
    let mut bench = setup.build();
    bench.user_records = crate::user_records::UserRecords::new(0);
    bench
}

/// A read that tells its reader's checkpoint.
fn passes(bench: &mut Bench, at: SimTime, reader: ReaderId, checkpoint: u64) {
    bench.get_with_checkpoint(at, reader, 0, (checkpoint, checkpoint), 10);
    bench.run();
    bench.take_calls();
}

/// The put that follows forgets them.
#[test]
fn user_records_are_kept_until_the_last_reader_has_passed_their_record() {
    let mut bench = library_bench(vec![READER, AUDIT]);
    for ordinal in 0..3 {
        let at = SimTime::from_secs(u64::from(ordinal) + 1);
        put(&mut bench, at, ordinal, members(4 * ordinal..4 * ordinal + 4), false);
    }
    assert_eq!(bench.user_records.aggregates.kept(), 12);
    passes(&mut bench, SimTime::from_secs(10), READER, 2);
    put(&mut bench, SimTime::from_secs(11), 3, members(12..16), false);
    assert_eq!(
        bench.user_records.aggregates.kept(),
        16,
        "the other reader has passed nothing"
    );
    passes(&mut bench, SimTime::from_secs(20), AUDIT, 1);
    put(&mut bench, SimTime::from_secs(21), 4, members(16..20), false);
    assert_eq!(
        bench.user_records.aggregates.kept(),
        16,
        "both have passed the first record"
    );
    assert!(bench.user_records.aggregates.members(KeyId(0), 0).is_none());
    assert!(bench.user_records.aggregates.members(KeyId(0), 1).is_some());
}

#[test]
fn without_readers_user_records_are_kept_only_until_the_next_put() {
    let mut bench = library_bench(Vec::new());
    for ordinal in 0..20 {
        put(
            &mut bench,
            SimTime::from_secs(u64::from(ordinal) + 1),
            ordinal,
            members(0..4),
            false,
        );
        assert!(bench.user_records.aggregates.kept() <= 4);
    }
}

/// A record by itself says everything, unless its user record was sent before.
#[test]
fn user_records_are_stated_with_shard_and_position_where_the_record_does_not_say_enough() {
    let mut bench = library_bench(vec![READER]);
    for (ordinal, (members, sent_before)) in (0..).zip([
        (members(0..1), false),
        (members(1..4), false),
        (members(4..5), true),
        (members(5..7), true),
    ]) {
        put(
            &mut bench,
            SimTime::from_secs(u64::from(ordinal) + 1),
            ordinal,
            members,
            sent_before,
        );
    }
    let stated: Vec<(u32, u64, usize)> = bench.find(|note| match note.fact {
        Fact::UserRecordsStored { shard, position, .. } => Some((shard.0, position, note.records.len())),
        _ => None,
    });
    assert_eq!(stated, [(0, 1, 3), (0, 2, 1), (0, 3, 2)]);
}

#[test]
fn the_answer_to_the_library_says_where_a_record_was_stored() {
    let mut setup = Setup::shards(3);
    setup.hashes.rotate_left(2);
    let mut bench = setup.build();
    let request = put(&mut bench, SimTime::from_secs(1), 0, members(0..2), false);
    let request = bench.user_records.requests.get_mut(request).expect("it is there");
    assert_eq!(request.entries[0].stored_in, Some(ShardIndex(2)));
}

/// How many of so many ListShards fail, and what the last of them names.
fn list(rate: Ratio, count: u64) -> (usize, Vec<(ShardIndex, HashRange)>) {
    let mut setup = Setup::shards(3);
    setup.model.internal_failure_rate = rate;
    let mut bench = setup.build();
    for number in 0..count {
        let batch = Batch {
            envelope: Envelope::ListShards(ListShardsCall {
                caller: ListCaller::Producer(CLICKS),
                filter: ShardFilter::AtLatest,
                failed: false,
            }),
            ..Batch::default()
        };
        bench.send(millis(number * 50), batch, |batch| {
            world::Event::Stream(ME, Event::ListShards { batch })
        });
    }
    bench.run();
    let answers = bench.take_calls();
    let failed = answers.iter().filter(|call| match call.batch.envelope {
        Envelope::ListShards(call) => call.failed,
        _ => panic!("no answer to ListShards"),
    });
    let last = answers.last().map(|call| &call.batch.child_shards);
    let listed = last.into_iter().flatten().map(|listed| (listed.shard, listed.range));
    (failed.count(), listed.collect())
}

#[test]
fn a_list_of_shards_names_the_open_ones_and_fails_as_often_as_other_calls() {
    let (failed, open) = list(Ratio::ZERO, 10);
    assert_eq!(failed, 0);
    let expected: Vec<_> = (0..3).map(ShardIndex).zip(even_ranges(3)).collect();
    assert_eq!(open, expected);
    let (failed, _) = list(Ratio::new(1, 2), 400);
    assert!((150..250).contains(&failed), "{failed} of 400");
}
