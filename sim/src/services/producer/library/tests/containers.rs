//! Aggregation and collection.

use super::*;

#[test]
fn kds_kpl_02_a_container_is_flushed_when_its_first_user_record_has_waited_100_ms() {
    let mut bench = bench(
        defaults(),
        1,
        &[(0, 'a', 50), (60, 'b', 50), (99, 'a', 50), (150, 'a', 50)],
    );
    bench.run_until(millis(400));
    assert_eq!(
        bench.sent(),
        [
            (100 + COLLECTION, vec![vec![0, 0, 1]]),
            (250 + COLLECTION, vec![vec![2]])
        ],
        "the second record of b is the first of its key"
    );
}

/// KDS-KPL-05, KDS-KPL-04: by count, by size, by the earliest deadline, whichever is first.
#[test]
fn kds_kpl_15_a_container_is_flushed_by_count_size_or_deadline() {
    let aggregation_max_count = 3;
    let mut by_count = bench(
        ProducerLibrary {
            aggregation_max_count,
            ..defaults()
        },
        1,
        &stream_of('a', 10, 5, 4, 50),
    );
    by_count.run_until(millis(400));
    assert_eq!(
        by_count.sent(),
        [(110, vec![vec![0, 1, 2]]), (125 + COLLECTION, vec![vec![3]])],
        "the third is there at 20 ms; collection has until the first one's deadline"
    );
    let mut by_size = bench(
        ProducerLibrary {
            aggregation_max_size: 1_000,
            collection_max_count: 1,
            ..defaults()
        },
        1,
        &stream_of('a', 10, 5, 8, 200),
    );
    by_size.run_until(millis(400));
    assert_eq!(
        by_size.sent(),
        [(30, vec![vec![0, 1, 2, 3]]), (130, vec![vec![4, 5, 6, 7]])],
        "four make 824 estimated bytes and five 1,029: the fifth does not fit and stays"
    );
}

/// KDS-KPL-29 has its first source here: a user record that comes back is due before those that came meanwhile.
#[test]
fn kds_kpl_16_at_a_flush_the_earliest_deadlines_leave_and_the_rest_stays() {
    let settings = ProducerLibrary {
        aggregation_max_size: 700,
        record_max_buffered_time: SimDuration::from_secs(1),
        collection_max_count: 1,
        ..defaults()
    };
    // 0, 1 and 2 fill the container at 20 ms and leave without 2; they come back at 32 ms and are due at 532 ms, before
    // 2 and 3, which are due at 1,020 ms and later.
    let mut bench = bench(
        settings,
        1,
        &[(0, 'a', 250), (10, 'a', 250), (20, 'a', 250), (25, 'a', 100)],
    );
    let mut refused = false;
    bench.behaviour = Box::new(move |request, records, user| {
        if core::mem::replace(&mut refused, true) {
            store(request, records, user)
        } else {
            throttle(request, records, user)
        }
    });
    bench.run_until(millis(2_000));
    assert_eq!(
        bench.sent()[..2],
        [(20, vec![vec![0, 1]]), (32, vec![vec![0, 1]])],
        "2 and 3 wait although they were there before"
    );
    assert_eq!(bench.sent().last(), Some(&(1_020, vec![vec![2, 3]])));
}

#[test]
fn kds_kpl_13_there_is_one_container_for_each_predicted_shard() {
    let mut bench = bench(defaults(), 2, &[(0, 'a', 50), (1, 'b', 50), (2, 'c', 50), (3, 'b', 50)]);
    bench.run_until(millis(300));
    let [request] = bench.requests.as_slice() else {
        panic!("one request carries both: {:?}", bench.sent())
    };
    let keys: Vec<u32> = request.user.records.iter().map(|record| record.key.0).collect();
    assert_eq!(keys, [0, 2, 1, 1]);
    assert_eq!(request.predicted(), [Some(0), Some(1)]);
}

/// KDS-KPL-06, KDS-KPL-07, KDS-KPL-21: by count, and by bytes of keys and data.
#[test]
fn kds_kpl_20_collection_is_flushed_by_count_bytes_or_one_shard_s_share() {
    let alone = ProducerLibrary {
        aggregation_max_count: 1,
        ..defaults()
    };
    let count = |count, arrivals: &[Arrival]| {
        let library = ProducerLibrary {
            collection_max_count: count,
            ..alone
        };
        let mut bench = bench(library, 1, arrivals);
        bench.run_until(millis(400));
        bench
            .requests
            .iter()
            .map(|request| (request.sent_at.as_millis(), request.records.len()))
            .collect::<Vec<_>>()
    };
    assert_eq!(count(500, &stream_of('a', 0, 0, 501, 10)), [(0, 500), (100, 1)]);
    assert_eq!(count(4, &stream_of('a', 0, 10, 5, 10)), [(30, 4), (140, 1)]);
    // 52,224 bytes: 52 records of 1,003 bytes of data and one of the key come to 52,208, one more is too much.
    let by_bytes = ProducerLibrary {
        collection_max_size: 52_224,
        ..alone
    };
    let mut bytes = bench(by_bytes, 1, &stream_of('a', 0, 1, 60, 1_003));
    bytes.run_until(millis(400));
    let sizes: Vec<(usize, u64)> = bytes
        .requests
        .iter()
        .map(|request| (request.records.len(), request.bytes))
        .collect();
    assert_eq!(sizes, [(52, 52 * 1_004), (8, 8 * 1_004)]);
    // 256 KiB for one shard: the sixth record of 50,000 bytes of data reaches it; two shards may have that each.
    let large = stream_of('a', 0, 10, 6, 50_000);
    assert_eq!(count(500, &large), [(50, 6)]);
    let mut two = bench(
        alone,
        2,
        &[stream_of('a', 0, 0, 5, 50_000), stream_of('b', 0, 0, 5, 50_000)].concat(),
    );
    two.run_until(millis(200));
    assert_eq!(two.requests.len(), 1);
    assert_eq!(
        (two.requests[0].sent_at, two.requests[0].records.len()),
        (millis(100), 10)
    );
}

/// Both are on by default, and each works without the other.
#[test]
fn kds_kpl_01_aggregation_and_collection_are_independent() {
    let arrivals = [stream_of('a', 0, 1, 3, 50), stream_of('b', 3, 1, 3, 50)].concat();
    let sent = |library: ProducerLibrary| {
        let mut bench = bench(library, 2, &arrivals);
        bench.run_until(millis(400));
        bench.requests.iter().map(Request::members).collect::<Vec<_>>()
    };
    assert_eq!(sent(defaults()), [vec![vec![0, 1, 2], vec![0, 1, 2]]]);
    let plain = ProducerLibrary {
        aggregation_enabled: false,
        ..defaults()
    };
    assert_eq!(sent(plain), [[0, 1, 2, 0, 1, 2].map(|ordinal| vec![ordinal]).to_vec()]);
    let by_itself = ProducerLibrary {
        collection_max_count: 1,
        ..defaults()
    };
    assert_eq!(sent(by_itself), [vec![vec![0, 1, 2]], vec![vec![0, 1, 2]]]);
}

/// KDS-KPL-17: a single one keeps its own key and pays nothing.
#[test]
fn kds_kpl_19_an_aggregated_record_has_the_key_a_and_the_first_user_records_hash() {
    let mut bench = bench(defaults(), 2, &[(0, 'c', 50), (1, 'a', 60), (200, 'c', 50)]);
    bench.run_until(millis(500));
    let keys = KeyTable::build(&[&blueprint(defaults(), &[])]);
    let sent: Vec<Record> = bench
        .requests
        .iter()
        .flat_map(|request| request.records.clone())
        .collect();
    let [aggregated, plain] = sent.as_slice() else {
        panic!("{sent:?} are not two")
    };
    let entry = keys.entry(aggregated.key);
    assert_eq!((keys.text(aggregated.key).as_str(), entry.text_bytes), ("a", 1));
    assert_eq!(entry.hash, crate::key::hash_of("c"), "that of the first user record");
    assert_eq!(aggregated.created_at, millis(0));
    assert_eq!((plain.key, plain.ordinal, plain.bytes), (KeyId(2), 1, 51), "KDS-KPL-17");
}
