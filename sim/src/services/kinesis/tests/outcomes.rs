//! Which puts fail, which answers are lost, and which limit a refusal blames.

use super::*;
use crate::observe::fact::ShardTally;

/// How many of 400 PutRecord calls end so.
fn ended(setup: Setup, error: ServiceError) -> usize {
    let mut bench = setup.build();
    for number in 0..400 {
        bench.put(millis(10 * number), PutApi::PutRecord, records(0, 1, 10));
    }
    let answers = bench.put_answers();
    assert_eq!(answers.len(), 400);
    answers.iter().filter(|answer| answer.error == Some(error)).count()
}

#[test]
fn of_the_calls_that_may_fail_internally_a_share_does() {
    let mut setup = Setup::shards(1);
    setup.model.internal_failure_rate = Ratio::new(1, 2);
    let failed = ended(setup, ServiceError::InternalFailure);
    assert!((150..250).contains(&failed), "{failed} of 400");
}

#[test]
fn of_the_answers_that_may_be_lost_a_share_is() {
    let mut setup = Setup::shards(1);
    setup.model.lost_acknowledgement_rate = Ratio::new(1, 2);
    let lost = ended(setup, ServiceError::RequestTimeout);
    assert!((150..250).contains(&lost), "{lost} of 400");
}

/// A millisecond there, ten of service, and one back: the last of them counts as well.
#[test]
fn an_answer_that_is_under_way_when_the_client_stops_waiting_is_not_heard() {
    for (waits, heard) in [(11_999, false), (12_000, true)] {
        let mut setup = Setup::shards(1);
        setup.model.request_timeout = SimDuration::from_micros(waits);
        let answer = setup.build().put_records(millis(21), records(0, 1, 10));
        let error = (!heard).then_some(ServiceError::RequestTimeout);
        assert_eq!(answer.error, error, "the client waits {waits} µs");
    }
}

fn tally(bench: &Bench) -> ShardTally {
    let last = bench.notes().last().expect("the put was stated");
    last.shards[0]
}

#[test]
fn a_refusal_tells_which_limits_had_no_room() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 2_048));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    bench.put(millis(0), PutApi::PutRecords, records(0, 1, 10));
    bench.put_answers();
    let blamed = (tally(&bench).out_of_records, tally(&bench).out_of_bytes);
    assert_eq!(blamed, (true, false), "a thousand records, and KiB are left");

    let mut bench = one_shard();
    bench.put_records(millis(10), records(0, 2, MIB));
    let blamed = (tally(&bench).out_of_records, tally(&bench).out_of_bytes);
    assert_eq!(blamed, (false, true), "a MiB, and records are left");

    // The thousand-and-first record would just fit into what is left in bytes.
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 1_024));
    bench.put(millis(0), PutApi::PutRecords, records(0, 499, 1_024));
    bench.put(
        millis(0),
        PutApi::PutRecords,
        vec![record(0, 0, 24 * KIB), record(0, 1, KIB)],
    );
    bench.put_answers();
    let blamed = (tally(&bench).out_of_records, tally(&bench).out_of_bytes);
    assert_eq!(blamed, (true, false), "1,023 KiB are used, and the last entry has one");

    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 1_024));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 1_024));
    bench.put(millis(0), PutApi::PutRecords, vec![record(0, 0, MIB)]);
    bench.put_answers();
    let blamed = (tally(&bench).out_of_records, tally(&bench).out_of_bytes);
    assert_eq!(blamed, (true, true));
}

/// 10 MiB at once, and 1,024 bytes more when so many have come in, not one byte before.
#[test]
fn the_burst_of_a_shard_with_large_records_is_10_mib_to_the_byte() {
    let origin = Origin {
        range: HashRange::WHOLE,
        parents: [None; 2],
        opened_at: SimTime::ZERO,
    };
    let mut shard = Shard::new(ShardIndex(0), origin, super::super::write_burst(10_240));
    let start = SimTime::from_secs(100);
    let mebibytes = u32::try_from(10 * MIB).expect("it fits");
    assert_eq!(shard.admit_single(start, mebibytes), Ok(10 * MIB));
    // 976,562.5 ns fill 1,024 bytes.
    assert!(shard.admit_single(start + SimDuration::from_nanos(976_562), 1).is_err());
    assert!(shard.admit_single(start + SimDuration::from_nanos(976_563), 1).is_ok());
}

/// Each kind of event enters the fingerprint as a number of its own.
#[test]
fn no_two_kinds_of_events_have_the_same_number() {
    let batch = crate::batch::BatchPool::default()
        .insert(Box::default())
        .expect("there is room");
    let shard = ShardIndex(0);
    let mut kinds: Vec<u64> = [
        Event::PutReceived { batch },
        Event::PutServed { batch },
        Event::CohortWindow,
        Event::GetReceived { batch },
        Event::GetServed { batch },
        Event::IteratorReceived { batch },
        Event::IteratorServed { batch },
        Event::ListShards { batch },
        Event::ConsumerWanted {
            application: crate::ids::ApplicationId(0),
            reader: READER,
        },
        Event::ShardLeft { reader: READER, shard },
        Event::ChangeDue { number: 0 },
        Event::MinuteOver,
    ]
    .into_iter()
    .map(Event::kind)
    .collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(kinds.len(), 12);
}
