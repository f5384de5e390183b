//! Which of several published figures hold: those of 1,024, those that are bursts, and those that are old.

use super::*;

fn with_record_size(kib: u32) -> Bench {
    let mut setup = Setup::shards(1);
    setup.blueprint.max_record_size_kib = kib;
    setup.build()
}

/// The 10 MiB that some pages print for a shard are a burst, not a rate.
#[test]
fn kds_u_04_a_shard_with_large_records_takes_10_mib_at_once_but_1_mib_a_second() {
    let mut bench = with_record_size(quotas::MAX_RECORD_SIZE_KIB_MAX);
    let mut stored_by = |second: u64| {
        bench.put(SimTime::from_secs(second), PutApi::PutRecord, records(0, 1, MIB / 2));
        for _ in 0..25 {
            bench.put(SimTime::from_secs(second), PutApi::PutRecord, records(0, 1, MIB / 2));
        }
        let answers = bench.put_answers();
        answers.iter().filter(|answer| answer.error.is_none()).count()
    };
    assert_eq!(stored_by(10), 20, "the burst");
    let rest: usize = (11..=110).map(stored_by).sum();
    assert_eq!(rest, 200, "100 MiB in the hundred seconds after it");
}

/// What a read may return is what a put may store: not the MiB that the pages of GetRecords and Record still print.
#[test]
fn kds_u_08_a_read_returns_records_as_large_as_the_streams_setting_allows() {
    for (kib, bytes, read) in [
        (1_024, MIB, vec![MIB]),
        (1_024, MIB + 1, vec![]),
        (10_240, MIB + 1, vec![MIB + 1]),
        (10_240, 10 * MIB, vec![10 * MIB]),
    ] {
        let mut bench = with_record_size(kib);
        bench.put_records(millis(10), records(0, 1, bytes));
        let (_, page) = bench.read(SimTime::from_secs(1), 0, 0);
        let sizes: Vec<u64> = page.iter().map(|record| u64::from(record.bytes)).collect();
        assert_eq!(sizes, read, "{bytes} bytes where {kib} KiB are allowed");
    }
}
