//! Write limits, results of entries, and failures.

use super::*;
use Outcome::{Accepted, Failed, Throttled};

/// How many records PutRecords calls store that are stored at these instants.
fn stored(bench: &mut Bench, puts: Vec<(SimTime, Vec<Record>)>) -> Vec<usize> {
    for (at, records) in puts {
        bench.put(at.saturating_sub(SERVICE), PutApi::PutRecords, records);
    }
    bench
        .put_answers()
        .iter()
        .map(|answer| answer.count(Accepted))
        .collect()
}

#[test]
fn kds_w_01_a_shard_accepts_a_thousand_records_per_second() {
    let instants = [10, 10, 10, 510, 512];
    let puts = instants.map(|at| (millis(at), records(0, 500, 10)));
    assert_eq!(stored(&mut one_shard(), puts.to_vec()), [500, 500, 0, 500, 2]);
}

/// KDS-MOD-01: the limit is binary.
/// Also KDS-U-01.
#[test]
fn kds_w_02_kds_u_01_a_shard_accepts_a_mebibyte_per_second() {
    let half = MIB / 2;
    let puts = vec![
        (millis(10), records(0, 2, half)),
        (millis(10), records(0, 1, 1)),
        (SimTime::from_nanos(509_999_000), records(0, 1, half)),
        (millis(510), records(0, 1, half)),
    ];
    assert_eq!(
        stored(&mut one_shard(), puts),
        [2, 0, 0, 1],
        "1,048,576 bytes at once, not a byte more, and half of it half a second later"
    );
}

#[test]
fn kds_w_03_reaching_either_limit_throttles() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    bench.put(millis(0), PutApi::PutRecords, records(0, 1, 10));
    let by_count = bench.put_answers();
    assert_eq!(
        by_count[2].outcomes(),
        [Throttled],
        "a thousand records, though few bytes"
    );
    let mut bench = one_shard();
    let by_bytes = bench.put_records(millis(10), records(0, 3, MIB / 2));
    assert_eq!(
        by_bytes.outcomes(),
        [Accepted, Accepted, Throttled],
        "a mebibyte, though few records"
    );
}

#[test]
fn kds_w_05_a_put_record_that_does_not_fit_fails_as_a_whole() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecord, records(0, 1, MIB));
    bench.put(millis(0), PutApi::PutRecord, records(0, 1, 1));
    let errors: Vec<_> = bench.put_answers().iter().map(|answer| answer.error).collect();
    assert_eq!(errors, [None, Some(ServiceError::ProvisionedThroughputExceeded)]);
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 1);
}

/// KDS-MOD-16: refused before any token is taken.
#[test]
fn kds_w_06_kds_mod_16_a_put_records_takes_500_entries() {
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 501, 2_000));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 2_000));
    let answers = bench.put_answers();
    assert_eq!(answers[0].error, Some(ServiceError::InvalidArgument));
    assert_eq!(
        (answers[1].error, answers[1].count(Accepted)),
        (None, 500),
        "every token was still there"
    );
}

#[test]
fn kds_w_07_a_put_records_request_may_be_10_mib_and_5_mib_in_the_exam_profile() {
    let request = |mebibytes: u32, extra: bool, profile| {
        let mut bench = Setup {
            profile,
            ..Setup::shards(16)
        }
        .build();
        let mut entries: Vec<Record> = (0..mebibytes).map(|key| record(key, 0, MIB)).collect();
        entries.extend(extra.then(|| record(15, 0, 1)));
        let answer = bench.put_records(millis(10), entries);
        (answer.error, answer.count(Accepted))
    };
    let refused = (Some(ServiceError::InvalidArgument), 11);
    assert_eq!(request(10, false, Profile::Current), (None, 10));
    assert_eq!(request(10, true, Profile::Current).0, refused.0);
    assert_eq!(request(5, false, Profile::Exam), (None, 5));
    assert_eq!(request(5, true, Profile::Exam).0, refused.0);
}

#[test]
fn kds_w_08_an_entry_may_be_10_mib_if_the_stream_allows_it() {
    let mut setup = Setup::shards(1);
    setup.blueprint.max_record_size_kib = quotas::MAX_RECORD_SIZE_KIB_MAX;
    let answer = setup.build().put_records(millis(10), records(0, 1, 10 * MIB));
    assert_eq!((answer.error, answer.outcomes()), (None, vec![Accepted]));
    let answer = one_shard().put_records(millis(10), records(0, 1, MIB + 1));
    assert_eq!(
        answer.error,
        Some(ServiceError::InvalidArgument),
        "by default a mebibyte is the most"
    );
}

/// Two shards, of which each takes a mebibyte: what becomes of five entries, and what the shards hold then.
fn five_entries() -> (Vec<Record>, PutAnswer, [u64; 2]) {
    let mut bench = Setup::shards(2).build();
    let entries = vec![
        record(0, 0, MIB / 2),
        record(0, 1, MIB),
        record(1, 0, MIB),
        record(0, 2, MIB / 2),
        record(1, 1, 1),
    ];
    let answer = bench.put_records(millis(10), entries.clone());
    let stored = |shard: usize| bench.component.1.shards()[shard].log.next_position();
    (entries, answer, [stored(0), stored(1)])
}

/// KDS-W-10: as many results as entries. KDS-W-13: as many failures as entries with an error code.
#[test]
fn kds_w_09_kds_w_10_kds_w_13_entries_succeed_and_fail_one_by_one() {
    let (entries, answer, stored) = five_entries();
    assert_eq!(answer.records.len(), entries.len());
    assert_eq!(answer.count(Accepted) + answer.count(Throttled), 5);
    assert_eq!(answer.count(Throttled), 2);
    assert_eq!(answer.error, None, "a partial failure is a success to the SDK");
    assert_eq!(stored, [2, 1], "what failed stopped and rolled back nothing");
}

/// KDS-MOD-05: entries are decided in the order of the request, and the first ones win.
#[test]
fn kds_seq_12_kds_mod_05_entries_are_decided_and_answered_in_the_order_of_the_request() {
    let (entries, answer, _) = five_entries();
    assert_eq!(answer.outcomes(), [Accepted, Throttled, Accepted, Accepted, Throttled]);
    let identity = |records: &[Record]| {
        records
            .iter()
            .map(|record| (record.key, record.ordinal))
            .collect::<Vec<_>>()
    };
    assert_eq!(identity(&answer.records), identity(&entries));
}

/// Also KDS-MOD-17.
#[test]
fn kds_w_11_kds_mod_17_an_entry_fails_by_throughput_or_internally() {
    let mut setup = Setup::shards(1);
    setup.model.entry_failure_rate = Ratio::new(1, 4);
    let mut bench = setup.build();
    for _ in 0..3 {
        bench.put(millis(0), PutApi::PutRecords, records(0, 500, 10));
    }
    let answers = bench.put_answers();
    let total = |outcome| answers.iter().map(|answer| answer.count(outcome)).sum::<usize>();
    let failed = total(Failed);
    assert!((300..450).contains(&failed), "{failed} of 1,500");
    assert_eq!((total(Accepted), total(Throttled)), (1_000, 500 - failed));
    assert!(answers.iter().all(|answer| answer.error.is_none()));
}

#[test]
fn a_put_record_has_no_entries_that_fail_by_themselves() {
    let mut setup = Setup::shards(1);
    setup.model.entry_failure_rate = Ratio::ONE;
    let mut bench = setup.build();
    bench.put(millis(0), PutApi::PutRecord, records(0, 1, 10));
    assert_eq!(only(bench.put_answers()).error, None);
}

/// KDS-W-31: a thousand calls of PutRecord a second follow from the record limit.
#[test]
fn kds_w_31_a_thousand_put_record_calls_fit_a_second() {
    let mut bench = one_shard();
    for _ in 0..1_100 {
        bench.put(millis(0), PutApi::PutRecord, records(0, 1, 10));
    }
    let answers = bench.put_answers();
    assert_eq!(answers.iter().filter(|answer| answer.error.is_none()).count(), 1_000);
}

/// Also KDS-MOD-03.
#[test]
fn kds_w_16_kds_mod_03_costs_are_rounded_up_by_record_or_by_the_sum_of_a_call() {
    let mut bench = one_shard();
    for _ in 0..600 {
        bench.put(millis(0), PutApi::PutRecord, records(0, 1, 1_025));
    }
    let single = bench.put_answers();
    let accepted = single.iter().filter(|answer| answer.error.is_none()).count();
    assert_eq!(accepted, 512, "each takes two of 1,024 KiB");
    let mut bench = one_shard();
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 1_025));
    bench.put(millis(0), PutApi::PutRecords, records(0, 500, 1_025));
    let together: usize = bench.put_answers().iter().map(|answer| answer.count(Accepted)).sum();
    assert_eq!(together, 1_000, "each call takes 501 KiB");
}

/// KDS-MOD-03: the sum is that of the entries on one shard.
#[test]
fn kds_mod_03_the_sum_is_rounded_by_shard() {
    let mut bench = Setup::shards(2).build();
    // Shard 0 has a KiB left; 1 and 1,023 bytes on it take exactly that, whatever goes to shard 1.
    bench.put(millis(0), PutApi::PutRecords, records(0, 1, MIB - 1_024));
    bench.put(
        millis(0),
        PutApi::PutRecords,
        vec![record(0, 1, 1), record(1, 0, 500), record(0, 2, 1_023), record(0, 3, 1)],
    );
    assert_eq!(
        bench.put_answers()[1].outcomes(),
        [Accepted, Accepted, Accepted, Throttled]
    );
}

#[test]
fn kds_w_17_a_second_is_throttled_although_the_minute_is_idle() {
    let mut bench = one_shard();
    for second in 0..60 {
        if second == 30 {
            for _ in 0..4 {
                bench.put(millis(second * 1_000), PutApi::PutRecords, records(0, 500, 10));
            }
        }
    }
    let throttled: usize = bench.put_answers().iter().map(|answer| answer.count(Throttled)).sum();
    assert_eq!(throttled, 1_000, "2,000 records in a minute are 33 a second on average");
}

fn large_records() -> Bench {
    let mut setup = Setup::shards(1);
    setup.blueprint.max_record_size_kib = quotas::MAX_RECORD_SIZE_KIB_MAX;
    setup.build()
}

#[test]
fn kds_w_19_a_stream_of_large_records_bursts_to_10_mib() {
    let puts = vec![(millis(10), records(0, 10, MIB)), (millis(10), records(0, 1, 1))];
    assert_eq!(stored(&mut large_records(), puts.clone()), [10, 0]);
    assert_eq!(stored(&mut one_shard(), puts), [1, 0], "by default it is a mebibyte");
}

#[test]
fn kds_w_20_small_records_fit_again_as_soon_as_enough_has_refilled() {
    let puts = vec![
        (millis(10), records(0, 1, 10 * MIB)),
        (SimTime::from_nanos(10_900_000), records(0, 1, 1_024)),
        (millis(11), records(0, 1, 1_024)),
    ];
    assert_eq!(
        stored(&mut large_records(), puts),
        [1, 0, 1],
        "a millisecond brings 1,048 bytes"
    );
}

#[test]
fn kds_w_22_large_records_do_not_raise_the_sustained_limit() {
    let mut bench = large_records();
    let mut total = 0;
    for tick in 0..200 {
        total += bench
            .put_records(millis(10 + tick * 500), records(0, 10, MIB))
            .count(Accepted);
    }
    assert_eq!(
        total,
        10 + 99,
        "10 MiB at once, and a mebibyte for each of the 99.5 seconds"
    );
}

/// KDS-MOD-02: the buckets start full and refill continuously.
#[test]
fn kds_mod_02_buckets_start_full_and_refill_continuously() {
    let mut puts = vec![(millis(10), records(0, 500, 10)); 2];
    puts.extend((11..40).map(|at| (millis(at), records(0, 5, 10))));
    let accepted = stored(&mut one_shard(), puts);
    assert_eq!(accepted[..2], [500, 500]);
    assert!(
        accepted[2..].iter().all(|&count| count == 1),
        "one token each millisecond: {accepted:?}"
    );
}

#[test]
fn kds_mod_04_a_refused_record_costs_nothing() {
    let mut puts = vec![(millis(10), records(0, 500, 10)); 20];
    puts.push((millis(260), records(0, 500, 10)));
    let accepted = stored(&mut one_shard(), puts);
    assert_eq!(
        (accepted[1], accepted[2], accepted[20]),
        (500, 0, 250),
        "what a quarter of a second brought"
    );
}

/// Also KDS-MOD-17.
#[test]
fn kds_w_26_kds_mod_17_a_put_that_fails_internally_stores_nothing() {
    let mut setup = Setup::shards(1);
    setup.model.internal_failure_rate = Ratio::ONE;
    let mut bench = setup.build();
    let answer = bench.put_records(millis(10), records(0, 5, 10));
    assert_eq!(answer.error, Some(ServiceError::InternalFailure));
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 0);
    assert!(matches!(
        bench.notes()[0].fact,
        Fact::PutRefused {
            error: ServiceError::InternalFailure,
            ..
        }
    ));
}

/// Also KDS-MOD-18.
#[test]
fn kds_w_27_kds_mod_18_a_put_whose_response_is_lost_is_stored_all_the_same() {
    let mut setup = Setup::shards(1);
    setup.model.lost_acknowledgement_rate = Ratio::ONE;
    let mut bench = setup.build();
    bench.put(millis(1), PutApi::PutRecords, records(0, 5, 10));
    let answer = only(bench.put_answers());
    let sent_at = millis(0);
    assert_eq!(answer.error, Some(ServiceError::RequestTimeout));
    assert_eq!(
        answer.at,
        sent_at + SimDuration::from_secs(5),
        "the client waits as long as it would"
    );
    assert_eq!(bench.component.1.shards()[0].log.next_position(), 5);
    assert_eq!(bench.read(millis(6_000), 0, 0).1.len(), 5, "and readers see it");
}

#[test]
fn kds_w_29_one_key_never_exceeds_the_limit_of_one_shard() {
    let mut bench = Setup::shards(8).build();
    let mut accepted = 0;
    for second in 0..10 {
        for _ in 0..4 {
            bench.put(millis(second * 1_000), PutApi::PutRecords, records(3, 500, 10));
        }
    }
    for answer in bench.put_answers() {
        accepted += answer.count(Accepted);
    }
    assert_eq!(accepted, 10_000, "a thousand a second, seven shards being idle");
}

/// KDS-MOD-05, KDS-SEQ-11: what one call stores on a shard stands there in the order of the request.
#[test]
fn kds_mod_05_entries_of_one_shard_are_stored_in_the_order_of_the_request() {
    let mut bench = Setup::shards(2).build();
    let entries = (0..20).map(|number| record(number % 2, number / 2, 10)).collect();
    bench.put_records(millis(10), entries);
    for shard in 0..2 {
        let (_, read) = bench.read(SimTime::from_secs(u64::from(shard) + 1), shard, 0);
        let ordinals: Vec<u32> = read.iter().map(|record| record.ordinal).collect();
        assert_eq!(ordinals, (0..10).collect::<Vec<_>>());
    }
}

#[test]
fn a_handled_put_tells_what_each_shard_did() {
    let mut bench = Setup::shards(2).build();
    bench.put_records(millis(10), vec![record(1, 0, 100)]);
    bench.put_records(millis(30), vec![record(1, 1, MIB), record(0, 0, 7), record(1, 2, 50)]);
    let note = &bench.notes()[1];
    let tally = |shard, accepted, throttled, bytes, first_position| ShardTally {
        bytes_charged: u64::next_multiple_of(bytes, 1_024),
        out_of_bytes: throttled > 0,
        out_of_records: false,
        requests: 1,
        singles: None,
        shard: ShardIndex(shard),
        accepted,
        throttled,
        bytes,
        first_position,
    };
    assert_eq!(note.shards, [tally(1, 1, 1, MIB, 1), tally(0, 1, 0, 7, 0)]);
    let Fact::PutHandled { received_at, .. } = note.fact else {
        panic!("{note:?}")
    };
    assert_eq!((note.at, received_at), (millis(30), millis(20)));
}

/// Storing a put whole, where every shard has room, differs in nothing from deciding its entries one by one: over several
/// segments, with refusals in between, after pauses and with records so old that rows become wide.
#[test]
fn a_put_stored_whole_is_the_put_stored_entry_by_entry() {
    let mut each = Setup::shards(3).build().component.1;
    let mut whole = each.clone();
    let mut at = SimTime::from_secs(1);
    let (mut decided, mut refusing) = (0, 0);
    for call in 0..60_u32 {
        let pause = match call % 20 {
            0 => 6_000,
            7 | 13 => 1_500,
            _ => 20,
        };
        at += SimDuration::from_millis(pause);
        let age = if call > 40 && call % 7 == 0 { 5_000 } else { 50 };
        let entry = |number: u32| Record {
            created_at: at.saturating_sub(SimDuration::from_millis(age)),
            ..record(
                (number * number + call) % 3,
                call * 500 + number,
                u64::from(100 + number),
            )
        };
        let records: Vec<Record> = (0..500).map(entry).collect();
        let mut batch = Batch {
            bytes: records.iter().map(|record| u64::from(record.bytes)).sum(),
            records: records.clone(),
            ..Batch::default()
        };
        let mut singly = records;
        each.tallies.clear();
        let refused = each.store_each(false, &mut singly, at);
        let before = whole.calls;
        assert_eq!(whole.store(PutApi::PutRecords, &mut batch, at), refused);
        decided += whole.calls - before;
        refusing += u32::from(refused > 0);
        assert_eq!(batch.records, singly);
        each.tallies.sort_by_key(|tally| tally.shard);
        whole.tallies.sort_by_key(|tally| tally.shard);
        assert_eq!(whole.tallies, each.tallies);
    }
    assert!(refusing > 5, "{refusing} calls had refusals");
    assert!(
        (u64::from(refusing)..45).contains(&decided),
        "{decided} calls needed decisions"
    );
    for (one, other) in whole.shards.iter_mut().zip(&mut each.shards) {
        let read = |log: &crate::services::log::Log| {
            let mut out = Batch::default();
            let page = log.read(0, u32::MAX, u64::MAX, at, &mut out);
            (page, out.records)
        };
        assert!(one.log.next_position() > 5_000, "several segments were filled");
        assert_eq!(read(&one.log), read(&other.log));
        for retention in [10, 2] {
            let retention = SimDuration::from_secs(retention);
            one.log.expire(at, retention);
            other.log.expire(at, retention);
            assert_eq!(one.log.horizon(), other.log.horizon());
        }
    }
}
