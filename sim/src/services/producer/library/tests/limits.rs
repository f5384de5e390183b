//! The limiter, and what the library refuses or gives up.

use super::*;

/// Everything plain, nothing collected with anything else: each user record is a request.
fn singly() -> ProducerLibrary {
    ProducerLibrary {
        aggregation_max_count: 1,
        collection_max_count: 1,
        max_connections: 256,
        ..defaults()
    }
}
fn records_until(bench: &Bench, until: SimTime) -> usize {
    let sent = bench.requests.iter().filter(|request| request.sent_at <= until);
    sent.map(|request| request.records.len()).sum()
}

/// KDS-KPL-09: by default half as much again as the shard takes, in records and in bytes. KDS-KPL-24: the buckets fill with
/// time, whatever becomes of what was sent.
#[test]
fn kds_kpl_22_the_limiter_lets_a_shard_have_rate_limit_percent_of_its_own_limits() {
    for (rate_limit, burst, second) in [(150, 1_000, 1_500), (100, 1_000, 1_000), (20, 1_000, 200)] {
        let library = ProducerLibrary {
            rate_limit,
            collection_max_count: 500,
            record_max_buffered_time: SimDuration::ZERO,
            record_ttl: SimDuration::from_secs(60),
            ..singly()
        };
        let mut bench = bench(library, 1, &stream_of('a', 0, 0, 6_000, 10));
        // Nothing ever succeeds.
        bench.behaviour = Box::new(|_, _, _| Some(ServiceError::InternalFailure));
        bench.run_until(millis(2_100));
        assert_eq!(records_until(&bench, millis(1)), burst, "the bucket is full at first");
        let between = records_until(&bench, millis(2_000)) - records_until(&bench, millis(1_000));
        assert_eq!(between, second, "{rate_limit} percent");
    }
    // Bytes: 1.5 MiB a second, and a burst of 10 MiB, or of 1 MiB before version 1.0.6.
    for (profile, burst) in [(Profile::Current, 10), (Profile::Exam, 1)] {
        let library = ProducerLibrary {
            limiter_burst: crate::producer_library::limiter_burst(profile),
            ..singly()
        };
        let mut bench = bench(library, 1, &stream_of('a', 0, 0, 200, 256 * 1_024));
        bench.run_until(millis(2_100));
        assert_eq!(records_until(&bench, millis(1)), burst * 4);
        let between = records_until(&bench, millis(2_010)) - records_until(&bench, millis(10));
        assert_eq!(between, 12, "3 MiB in two seconds");
    }
}

#[test]
fn kds_u_06_the_limiter_counts_a_shard_as_1024_times_1024_bytes_and_1000_records_a_second() {
    let library = ProducerLibrary {
        rate_limit: 100,
        limiter_burst: 1_024 * 1_024,
        record_max_buffered_time: SimDuration::ZERO,
        record_ttl: SimDuration::from_secs(60),
        ..singly()
    };
    let sent = |count: u64, bytes: u32, from: u64, until: u64| {
        let mut bench = bench(library, 1, &stream_of('a', 0, 0, count, bytes));
        bench.run_until(millis(until + 100));
        records_until(&bench, millis(until)) - records_until(&bench, millis(from))
    };
    // Sixteen records of 64 KiB a second: of a million bytes there would be 122 in eight seconds.
    assert_eq!(sent(400, 64 * 1_024, 1_010, 9_010), 128);
    assert_eq!(sent(6_000, 10, 1_010, 4_010), 3_000);
}

#[test]
fn kds_kpl_23_what_waits_is_looked_at_every_25_ms_and_leaves_in_order_of_deadline() {
    let library = ProducerLibrary {
        rate_limit: 10,
        record_ttl: SimDuration::from_millis(500),
        max_connections: 2_000,
        ..singly()
    };
    // The bucket's thousand, and 100 more at 3 ms, of which 2 or 3 leave every 25 ms.
    let mut arrivals = stream_of('a', 0, 0, 1_000, 10);
    arrivals.extend(stream_of('b', 3, 0, 100, 10));
    let mut bench = bench(library, 1, &arrivals);
    bench.run_until(millis(1_000));
    let late: Vec<(u64, u32)> = bench
        .requests
        .iter()
        .skip(1_000)
        .flat_map(|request| {
            request
                .user
                .records
                .iter()
                .map(|record| (request.sent_at.as_millis(), record.ordinal))
        })
        .collect();
    let ordinals: Vec<u32> = late.iter().map(|(_, ordinal)| *ordinal).collect();
    assert_eq!(
        ordinals,
        (0..50).collect::<Vec<u32>>(),
        "100 a second for half a second"
    );
    assert!(late.iter().all(|(at, _)| at % 25 == 0), "{late:?}");
    assert_eq!(late[..4], [(25, 0), (25, 1), (50, 2), (50, 3)]);
    // Those of 3 ms expire at 503 ms, which the limiter notices at its next look.
    assert_eq!(
        bench.given_up(GiveUpReason::Expired),
        [(525, (50..100).collect::<Vec<u32>>())]
    );
}

/// Not later than its expiry, and by default after 30 seconds.
#[test]
fn kds_kpl_03_a_user_record_expires_after_its_time_to_live() {
    for ttl in [30_000, 100] {
        let library = ProducerLibrary {
            record_ttl: SimDuration::from_millis(ttl),
            ..defaults()
        };
        let mut bench = bench(library, 1, &[(0, 'a', 50)]);
        bench.behaviour = Box::new(throttle);
        bench.run_until(millis(31_000));
        let given_up = bench.given_up(GiveUpReason::Expired);
        let [(at, ordinals)] = given_up.as_slice() else {
            panic!("{given_up:?} is not one")
        };
        assert_eq!(ordinals, &[0]);
        assert!((ttl..ttl + 100).contains(at), "{at} for {ttl}");
        let last = bench.requests.last().expect("it was sent").sent_at;
        assert!(last <= millis(ttl), "sent at {last}");
    }
}

#[test]
fn kds_kpl_11_throttled_user_records_are_repeated_unless_told_to_fail() {
    for fail_if_throttled in [false, true] {
        let library = ProducerLibrary {
            fail_if_throttled,
            ..defaults()
        };
        let mut bench = bench(library, 1, &stream_of('a', 0, 1, 3, 50));
        bench.behaviour = throttled_once();
        bench.run_until(millis(600));
        if fail_if_throttled {
            assert_eq!(bench.given_up(GiveUpReason::Throttled), [(132, vec![0, 1, 2])]);
            assert_eq!(bench.requests.len(), 1);
        } else {
            assert_eq!(bench.acknowledged(), [0, 1, 2]);
            assert_eq!(bench.requests.len(), 2);
        }
    }
}

#[test]
fn kds_kpl_12_data_beyond_max_user_record_size_are_refused_before_they_are_buffered() {
    let mut bench = bench(defaults(), 1, &[(0, 'a', 1_048_576), (5, 'a', 1_048_577), (9, 'a', 10)]);
    bench.run_until(millis(300));
    let refused = bench.given_up(GiveUpReason::TooLarge);
    assert_eq!(
        refused.iter().flat_map(|(_, ordinals)| ordinals).collect::<Vec<_>>(),
        [&1]
    );
    assert_eq!(bench.acknowledged(), [0, 2]);
}

#[test]
fn kds_kpl_08_no_more_requests_are_in_flight_than_there_are_connections() {
    for max_connections in [1, 24] {
        let library = ProducerLibrary {
            max_connections,
            ..singly()
        };
        let mut bench = bench(library, 1, &stream_of('a', 0, 0, 60, 10));
        bench.run_until(millis(1_000));
        let mut starts: Vec<u64> = bench
            .requests
            .iter()
            .map(|request| request.sent_at.as_millis())
            .collect();
        starts.dedup();
        let rounds = 60_u64.div_ceil(u64::from(max_connections));
        assert_eq!(starts, (0..rounds).map(|round| round * 12).collect::<Vec<_>>());
        assert_eq!(bench.acknowledged(), (0..60).collect::<Vec<u32>>());
    }
}

/// Without a map, and without aggregation, nobody knows the shard: nothing holds such records back.
#[test]
fn kds_kpl_14_records_whose_shard_is_not_known_bypass_aggregation_and_limiter() {
    let library = ProducerLibrary {
        aggregation_enabled: false,
        rate_limit: 1,
        ..defaults()
    };
    let mut bench = bench(library, 1, &stream_of('a', 0, 0, 3_000, 10));
    bench.run_until(millis(50));
    assert_eq!(records_until(&bench, millis(1)), 3_000, "six requests of 500 at once");
    assert!(
        bench
            .requests
            .iter()
            .all(|request| request.predicted().iter().all(Option::is_none))
    );
}
