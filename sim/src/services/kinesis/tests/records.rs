//! Records, keys and hash ranges, arrival, order, retention.

use super::*;
use crate::blueprint::{Keys, ProducerBlueprint, WeightedKey};
use crate::engine::distribution::Distribution;
use crate::key::hash_of;
use crate::testing::blueprints::producer;

/// KDS-REC-15: what is read is what was put.
#[test]
fn kds_rec_01_kds_rec_15_a_record_is_read_as_it_was_put_with_its_arrival() {
    let mut bench = one_shard();
    let put = Record {
        created_at: millis(3),
        ..record(0, 42, 1_234)
    };
    bench.put_records(millis(20), vec![put]);
    let (call, read) = bench.read(millis(1_000), 0, 0);
    assert_eq!(
        read,
        [Record {
            arrived_at: millis(20),
            ..put
        }]
    );
    assert_eq!(call.position, 1, "its sequence number was 0");
}

#[test]
fn kds_rec_04_the_largest_record_is_a_setting_of_the_stream() {
    for (kib, bytes, fits) in [
        (1_024, MIB, true),
        (1_024, MIB + 1, false),
        (2_048, MIB + 1, true),
        (2_048, 2 * MIB + 1, false),
    ] {
        let mut setup = Setup::shards(1);
        setup.blueprint.max_record_size_kib = kib;
        let answer = setup.build().put_records(millis(10), records(0, 1, bytes));
        let expected = (!fits).then_some(ServiceError::InvalidArgument);
        assert_eq!(answer.error, expected, "{bytes} bytes where {kib} KiB are allowed");
    }
}

/// Also KDS-REC-09.
#[test]
fn kds_rec_08_kds_rec_09_the_hash_key_is_the_md5_of_the_utf_8_text_read_as_a_big_endian_number() {
    assert_eq!(hash_of("a"), 0x0cc1_75b9_c0f1_b6a8_31c3_99e2_6977_2661);
    // The two bytes c3 bc.
    assert_eq!(hash_of("ü"), 0xc034_10a5_204b_21cd_8229_ff75_4688_d743);
}

fn table(listed: &[(&str, Option<u128>)]) -> KeyTable {
    let list = listed.iter().map(|&(text, explicit_hash_key)| WeightedKey {
        text: text.to_owned(),
        weight: 1.0,
        explicit_hash_key,
    });
    let blueprint = ProducerBlueprint {
        keys: Keys::Weighted(list.collect()),
        ..producer("clicks", "records")
    };
    KeyTable::build(&[&blueprint])
}

fn shards_of(keys: &KeyTable, shards: u32) -> Vec<u32> {
    let setting = StreamSetting {
        profile: Profile::Current,
        model: &model(),
        keys,
        readers: &[],
        iterators: false,
        consumers: &[],
        account: StreamAccount::in_region("us-east-1", Profile::Current),
        metered: false,
        call_window: SimDuration::from_millis(1),
    };
    let stream = Stream::new(&stream("records", shards), setting, &mut RandomStreams::new(7, 0)).expect("it is valid");
    let ids = (0..).map(KeyId).take(keys.entries().len());
    ids.map(|key| stream.shard_of(key).0).collect()
}

#[test]
fn kds_rec_10_an_explicit_hash_key_overrides_the_hash_of_the_text() {
    let keys = table(&[("a", None), ("a", Some(u128::MAX)), ("a", Some(1 << 126))]);
    // MD5 of "a" begins with 0x0c, which lies in the first quarter.
    assert_eq!(shards_of(&keys, 4), [0, 3, 1]);
}

#[test]
fn kds_rec_12_a_record_goes_to_the_shard_whose_range_contains_its_hash_key() {
    let texts: Vec<String> = (0..200).map(|number| format!("customer-{number}")).collect();
    let listed: Vec<(&str, Option<u128>)> = texts.iter().chain(&texts).map(|text| (text.as_str(), None)).collect();
    let keys = table(&listed);
    let ranges = even_ranges(7);
    let shards = shards_of(&keys, 7);
    for (entry, &shard) in keys.entries().iter().zip(&shards) {
        let range = ranges[to_usize(shard)];
        assert!((range.start..=range.end).contains(&entry.hash));
    }
    assert_eq!(shards[..200], shards[200..], "equal texts, equal shards");
    assert!((0..7).all(|shard| shards.contains(&shard)));
}

#[test]
fn kds_rec_14_shards_are_numbered_from_zero_in_twelve_digits() {
    let bench = Setup::shards(2).build();
    let names: Vec<String> = bench
        .component
        .1
        .shards()
        .iter()
        .map(|shard| shard.index.to_string())
        .collect();
    assert_eq!(names, ["shardId-000000000000", "shardId-000000000001"]);
}

/// KDS-MOD-09: stored at the end of the service time.
#[test]
fn kds_rec_16_kds_mod_09_a_record_arrives_when_it_is_stored() {
    let mut bench = one_shard();
    bench.put(millis(5), PutApi::PutRecords, records(0, 3, 10));
    let answer = only(bench.put_answers());
    assert!(
        answer
            .records
            .iter()
            .all(|record| record.arrived_at == millis(5) + SERVICE)
    );
    assert_eq!(answer.at, millis(5) + SERVICE + NETWORK);
}

#[test]
fn kds_mod_09_a_put_takes_20_ms_at_the_median_and_80_ms_at_p99() {
    let mut setup = Setup::shards(1);
    setup.model.put_service_time = ModelParameters::default().put_service_time;
    let mut bench = setup.build();
    for second in 0..5_000 {
        bench.put(SimTime::from_secs(second), PutApi::PutRecord, records(0, 1, 10));
    }
    let mut times: Vec<u64> = (0..5_000)
        .zip(bench.put_answers())
        .map(|(second, answer)| {
            answer.records[0]
                .arrived_at
                .since(SimTime::from_secs(second))
                .as_nanos()
        })
        .collect();
    times.sort_unstable();
    let (median, p99) = (times[2_500], times[4_950]);
    assert!((19_000_000..21_000_000).contains(&median), "{median}");
    assert!((72_000_000..88_000_000).contains(&p99), "{p99}");
}

/// KDS-SEQ-03: numbers increase over time. KDS-SEQ-05: and records come in that order, whichever call wrote them.
#[test]
fn kds_seq_03_kds_seq_05_records_are_read_in_the_order_in_which_they_were_stored() {
    let mut bench = one_shard();
    for number in 0..30 {
        let (api, count) = if number % 3 == 0 {
            (PutApi::PutRecord, 1)
        } else {
            (PutApi::PutRecords, number % 5 + 1)
        };
        let written = (0..count).map(|entry| record(0, number * 10 + entry, 10)).collect();
        bench.put(millis(u64::from(number) * 7), api, written);
    }
    let answers = bench.put_answers();
    let written: Vec<u32> = answers
        .iter()
        .flat_map(|answer| &answer.records)
        .map(|record| record.ordinal)
        .collect();
    let (call, read) = bench.read(millis(5_000), 0, 0);
    assert_eq!(read.iter().map(|record| record.ordinal).collect::<Vec<_>>(), written);
    assert!(read.is_sorted_by_key(|record| record.arrived_at));
    assert_eq!(call.position, u64::try_from(written.len()).expect("few"));
}

#[test]
fn kds_seq_07_puts_in_quick_succession_may_be_stored_in_another_order() {
    let mut setup = Setup::shards(1);
    setup.model.put_service_time = Distribution::Uniform { low: 5e6, high: 80e6 };
    let mut bench = setup.build();
    for number in 0..100 {
        bench.put(
            millis(u64::from(number)),
            PutApi::PutRecord,
            vec![record(0, number, 10)],
        );
    }
    bench.put_answers();
    let (_, read) = bench.read(millis(1_000), 0, 0);
    assert_eq!(read.len(), 100);
    assert!(read.is_sorted_by_key(|record| record.arrived_at));
    assert!(!read.is_sorted_by_key(|record| record.ordinal));
}

/// KDS-DUP-02, KDS-DUP-06: nothing removes the second one.
#[test]
fn kds_seq_13_kds_dup_06_a_record_put_twice_is_two_records() {
    let mut bench = one_shard();
    bench.put_records(millis(10), records(0, 1, 10));
    bench.put_records(millis(50), records(0, 1, 10));
    let (call, read) = bench.read(millis(1_000), 0, 0);
    assert_eq!((read[0].key, read[0].ordinal), (read[1].key, read[1].ordinal));
    assert_eq!((read[0].arrived_at, read[1].arrived_at), (millis(10), millis(50)));
    assert_eq!(call.position, 2, "each has a number of its own");
}

fn hours(hours: u64) -> SimTime {
    SimTime::ZERO + SimDuration::from_hours(hours)
}

/// KDS-MOD-13: a record is unreadable once its age reaches the retention. KDS-RET-08: read or not.
#[test]
fn kds_ret_01_kds_ret_08_a_record_lives_for_24_hours_read_or_not() {
    for read_before in [false, true] {
        let mut bench = one_shard();
        let stored_at = bench.put_records(millis(10), records(0, 3, 10)).records[0].arrived_at;
        if read_before {
            assert_eq!(bench.read(hours(1), 0, 0).1.len(), 3);
        }
        let end = stored_at + SimDuration::from_hours(24);
        let (call, read) = bench.read(end.saturating_sub(SimDuration::MIN), 0, 0);
        assert_eq!((read.len(), call.expired), (3, 0));
        let (call, read) = bench.read(end + SimDuration::SECOND, 0, 0);
        assert_eq!((read.len(), call.expired), (0, 3));
    }
}

#[test]
fn kds_ret_02_retention_may_be_a_year() {
    let mut setup = Setup::shards(1);
    setup.blueprint.retention_hours = quotas::RETENTION_HOURS_MAX;
    let mut bench = setup.build();
    bench.put_records(millis(10), records(0, 3, 10));
    assert_eq!(bench.read(hours(8_759), 0, 0).1.len(), 3);
    assert_eq!(bench.read(hours(8_761), 0, 0).1.len(), 0);
}

/// KDS-R-03: TRIM_HORIZON is the oldest record that is left.
#[test]
fn kds_ret_09_kds_r_03_a_reader_that_comes_late_starts_later_without_an_error() {
    let mut bench = one_shard();
    bench.put_records(millis(10), records(0, 3, 10));
    bench.put_records(hours(12), vec![record(0, 3, 10)]);
    let (call, read) = bench.read(hours(30), 0, 0);
    assert_eq!((call.error, call.expired, call.position), (None, 3, 4));
    assert_eq!(read.iter().map(|record| record.ordinal).collect::<Vec<_>>(), [3]);
}
