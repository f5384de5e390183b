//! Requests of PutRecords and of PutRecord, one event each.

use super::*;

/// KDS-MOD-03: data before base64 and the partition key in UTF-8.
#[test]
fn kds_rec_05_the_size_of_a_record_is_its_data_and_its_key_in_utf_8() {
    for (text, bytes) in [("a", 1), ("key", 3), ("üß", 4)] {
        let key = WeightedKey {
            text: text.to_owned(),
            weight: 1.0,
            explicit_hash_key: Some(u128::MAX),
        };
        let mut bench = bench(&ProducerBlueprint {
            keys: Keys::Weighted(vec![key]),
            size: Size::Drawn(Distribution::Constant(1_000.0)),
            ..every(100)
        });
        bench.run_until(millis(300));
        assert!(
            bench.requests[0]
                .records
                .iter()
                .all(|record| record.bytes == 1_000 + bytes)
        );
    }
}

#[test]
fn a_batch_leaves_when_the_linger_time_of_its_first_record_is_over() {
    let mut bench = bench(&every(100));
    bench.run_until(millis(350));
    let first = bench.requests[0].records[0].created_at;
    assert_eq!(bench.requests[0].sent_at, first + SimDuration::from_millis(100));
    for request in &bench.requests {
        assert_eq!(request.records.len(), 11, "one each 10 ms, both ends included");
        assert_eq!(request.sent_at, request.records[10].created_at);
    }
}

#[test]
fn kds_w_06_a_batch_leaves_when_it_has_as_many_records_as_allowed() {
    let mut bench = bench(&every(50_000));
    bench.run_until(millis(100));
    assert!(bench.requests.len() >= 9);
    for request in &bench.requests {
        assert_eq!(request.records.len(), 500);
        assert_eq!(
            request.sent_at, request.records[499].created_at,
            "with the record that fills it"
        );
    }
}

#[test]
fn kds_w_07_a_batch_never_exceeds_the_bytes_allowed_and_leaves_when_the_next_record_does_not_fit() {
    let mut bench = bench(&ProducerBlueprint {
        size: Size::Drawn(Distribution::Uniform { low: 1.0, high: 1e6 }),
        linger: SimDuration::from_secs(10),
        ..every(100)
    });
    bench.run_until(millis(3_000));
    assert!(bench.requests.len() > 20);
    for pair in bench.requests.windows(2) {
        let bytes: u64 = pair[0].records.iter().map(|record| u64::from(record.bytes)).sum();
        let next = pair[1].records[0];
        assert!(bytes <= 5 * MIB);
        assert!(bytes + u64::from(next.bytes) > 5 * MIB);
        assert_eq!(pair[0].sent_at, next.created_at);
    }
}

#[test]
fn a_put_record_leaves_when_its_record_is_created() {
    let mut bench = bench(&ProducerBlueprint {
        api: PutApi::PutRecord,
        ..every(100)
    });
    bench.run_until(millis(500));
    assert!(bench.requests.len() >= 49);
    assert!(
        bench
            .requests
            .iter()
            .all(|request| request.sent_at == request.records[0].created_at)
    );
    assert!(bench.requests.iter().all(|request| request.records.len() == 1));
}

#[test]
fn a_client_keeps_to_its_connections_and_serves_what_waits_first_come_first_served() {
    let mut bench = bench(&ProducerBlueprint {
        api: PutApi::PutRecord,
        concurrency: 3,
        ..every(1_000)
    });
    bench.behaviour = Box::new(|_, _| (SimDuration::from_millis(50), None));
    bench.run_until(millis(2_000));
    assert_eq!(bench.busiest, 3);
    let in_flight = |at: SimTime| {
        let during = |request: &&Request| request.sent_at <= at && at < request.sent_at + SimDuration::from_millis(50);
        bench.requests.iter().filter(during).count()
    };
    assert!(bench.requests.iter().all(|request| in_flight(request.sent_at) <= 3));
    assert!((110..=122).contains(&bench.requests.len()), "three each 50 ms");
    let created: Vec<SimTime> = bench
        .requests
        .iter()
        .map(|request| request.records[0].created_at)
        .collect();
    assert!(created.is_sorted());
    let held = bench.client().holdings(bench.harness.now());
    assert_eq!(
        held.waiting + held.in_flight + bench.acknowledged() as u64,
        bench.produced() as u64
    );
}

/// Every other entry of the first attempt is refused.
fn refuse_half(request: &Request, records: &mut [Record]) -> (SimDuration, Option<ServiceError>) {
    if request.call.resends == 0 {
        for record in records.iter_mut().step_by(2) {
            record.set_outcome(Outcome::Throttled);
        }
    }
    (ROUND_TRIP, None)
}

/// KDS-W-09: the others are stored.
#[test]
fn kds_w_14_refused_entries_are_given_up_unless_the_application_sends_them_again() {
    let mut bench = bench(&every(100));
    bench.behaviour = Box::new(refuse_half);
    bench.run_until(millis(1_000));
    assert!(
        bench.requests.iter().all(|request| request.call.attempt == 1),
        "to the SDK it was a success"
    );
    let first = bench.requests[0].records.len();
    assert_eq!(first, 11);
    let lost = bench.given_up(GiveUpReason::NotResent);
    assert_eq!((lost, bench.acknowledged()), (lost, lost * 5 / 6));
}

/// KDS-W-15: what is sent again lands behind what was accepted meanwhile.
#[test]
fn kds_w_14_kds_w_15_the_application_sends_only_refused_entries_again_and_order_is_lost() {
    let one_key = WeightedKey {
        text: "a".to_owned(),
        weight: 1.0,
        explicit_hash_key: None,
    };
    let mut bench = bench(&resending(
        3,
        ProducerBlueprint {
            keys: Keys::Weighted(vec![one_key]),
            ..every(100)
        },
    ));
    bench.behaviour = Box::new(refuse_half);
    bench.run_until(millis(1_000));
    let again: Vec<&Request> = bench
        .requests
        .iter()
        .filter(|request| request.call.resends == 1)
        .collect();
    let first = &bench.requests[0];
    let refused: Vec<u32> = first.ordinals().into_iter().step_by(2).collect();
    assert_eq!(again[0].ordinals(), refused);
    assert_eq!(
        again[0].sent_at,
        first.sent_at + ROUND_TRIP + SimDuration::from_millis(200)
    );
    assert!(
        again[0]
            .records
            .iter()
            .all(|record| record.outcome() == Outcome::Accepted),
        "nothing is noted any more"
    );
    let stored_in_order: Vec<u32> = bench
        .harness
        .notes()
        .iter()
        .filter(|note| matches!(note.fact, Fact::RecordsAcknowledged { .. }))
        .flat_map(|note| note.records.iter().map(|record| record.ordinal))
        .collect();
    assert!(!stored_in_order.is_sorted());
    assert_eq!(bench.given_up(GiveUpReason::NotResent), 0);
}

#[test]
fn an_entry_that_is_refused_every_time_is_given_up_after_the_last_attempt() {
    let mut bench = bench(&resending(2, every(100)));
    bench.behaviour = Box::new(|_, records| {
        for record in records {
            record.set_outcome(Outcome::Throttled);
        }
        (ROUND_TRIP, None)
    });
    bench.run_until(millis(3_000));
    let first = bench.requests[0].ordinals();
    let key = bench.requests[0].records[0].key;
    let times: Vec<u32> = bench
        .requests
        .iter()
        .filter(|request| request.records[0].key == key && request.ordinals() == first)
        .map(|request| request.call.resends)
        .collect();
    assert_eq!(times, [0, 1, 2]);
    assert!(bench.given_up(GiveUpReason::AttemptsExhausted) > 200);
    assert_eq!(bench.acknowledged(), 0);
}

/// KDS-DUP-02: entries that were stored before the response was lost are sent again with the others.
#[test]
fn kds_sdk_17_the_sdk_repeats_whole_requests() {
    let mut bench = bench(&resending(3, every(100)));
    let mut calls = 0;
    bench.behaviour = Box::new(move |_, records| {
        calls += 1;
        records[0].set_outcome(Outcome::Throttled);
        let lost = (calls == 1).then_some(ServiceError::RequestTimeout);
        (ROUND_TRIP, lost)
    });
    bench.run_until(millis(2_500));
    let repeated = bench
        .requests
        .iter()
        .find(|request| request.call.attempt == 2)
        .expect("it was repeated");
    assert_eq!(repeated.ordinals(), bench.requests[0].ordinals());
    assert_eq!(repeated.call.resends, 0);
    assert!(
        repeated
            .records
            .iter()
            .all(|record| record.outcome() == Outcome::Accepted)
    );
}

#[test]
fn kds_mod_16_an_invalid_request_is_not_tried_again() {
    let mut bench = bench(&every(100));
    bench.behaviour = Box::new(|_, _| (ROUND_TRIP, Some(ServiceError::InvalidArgument)));
    bench.run_until(millis(1_000));
    assert!(bench.requests.iter().all(|request| request.call.attempt == 1));
    assert!(bench.given_up(GiveUpReason::NotRetryable) > 50);
}

/// KDS-W-05, KDS-SDK-02.
#[test]
fn kds_w_05_kds_sdk_02_a_throttled_put_record_is_tried_three_times_and_holds_its_connection() {
    let mut bench = bench(&ProducerBlueprint {
        api: PutApi::PutRecord,
        concurrency: 1,
        ..every(1)
    });
    bench.behaviour = Box::new(|_, records| {
        records[0].set_outcome(Outcome::Throttled);
        (ROUND_TRIP, Some(ServiceError::ProvisionedThroughputExceeded))
    });
    bench.run_until(millis(20_000));
    let tried: Vec<(u32, u32)> = bench
        .requests
        .iter()
        .map(|request| (request.records[0].created_at.as_millis() as u32, request.call.attempt))
        .collect();
    for three in tried.chunks_exact(3) {
        let created = three[0].0;
        assert_eq!(
            three,
            [(created, 1), (created, 2), (created, 3)],
            "nothing else is sent in between"
        );
    }
    assert!(bench.given_up(GiveUpReason::AttemptsExhausted) >= 5);
    assert_eq!(
        bench.client().busy,
        u32::from(bench.client().in_flight + bench.client().later.len() as u64 > 0)
    );
}

#[test]
fn a_change_of_load_draws_the_future_anew_and_loses_nothing() {
    let mut bench = bench(&every(100));
    bench.run_until(millis(1_055));
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::new(10, 1), cx));
    bench.run_until(millis(2_000));
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::ZERO, cx));
    bench.run_until(millis(4_000));
    let quiet = bench.sent().iter().filter(|(at, _)| *at > 2_200).count();
    assert_eq!(quiet, 0, "{:?}", bench.sent());
    bench
        .harness
        .apply(|(me, client), cx| client.scale_load(*me, Ratio::ONE, cx));
    bench.run_until(millis(6_000));
    let produced = bench.produced();
    assert!((100 + 940 + 180..100 + 960 + 210).contains(&produced), "{produced}");
    let held = bench.client().holdings(bench.harness.now());
    assert_eq!(
        bench.acknowledged() as u64 + held.waiting + held.in_flight,
        produced as u64
    );
}

/// A producer of single records with two keys, whose first attempts fail for a while.
fn two_keys(sequence_number_for_ordering: bool) -> Bench {
    let mut bench = bench(&ProducerBlueprint {
        api: PutApi::PutRecord,
        keys: Keys::Uniform { count: 2 },
        sequence_number_for_ordering,
        ..every(400)
    });
    // The first put of key 0 is answered late, with an error; everything else is quick.
    bench.behaviour = Box::new(|request, _| {
        let first = request.records[0].key.0 == 0 && request.records[0].ordinal == 0 && request.call.attempt == 1;
        if first {
            (SimDuration::from_millis(300), Some(ServiceError::InternalFailure))
        } else {
            (ROUND_TRIP, None)
        }
    });
    bench
}

/// The key's puts by ordinal, in the order in which they were sent, with the time of each.
fn sends_of(bench: &Bench, key: u32) -> Vec<(u32, SimTime)> {
    let of_key = bench.requests.iter().filter(|request| request.records[0].key.0 == key);
    of_key
        .map(|request| (request.records[0].ordinal, request.sent_at))
        .collect()
}

#[test]
fn kds_seq_08_with_sequence_number_for_ordering_a_put_waits_for_the_result_of_its_keys_put_before() {
    let mut bench = two_keys(true);
    bench.run_until(millis(4_000));
    let sends = sends_of(&bench, 0);
    assert_eq!(
        (sends[0].0, sends[1].0),
        (0, 0),
        "the first put is repeated before anything else of its key"
    );
    for pair in sends.windows(2).skip(1) {
        assert_eq!(pair[1].0, pair[0].0 + 1, "one after another");
        assert!(
            pair[1].1 >= pair[0].1 + ROUND_TRIP,
            "and each after the result of the one before"
        );
    }
    let holdings = bench.client().holdings(bench.harness.now());
    let produced = u64::try_from(bench.produced()).expect("few");
    let settled = u64::try_from(bench.acknowledged()).expect("few");
    assert_eq!(
        produced,
        settled + holdings.waiting + holdings.in_flight,
        "nothing is lost in the queue"
    );
    assert!(
        holdings.waiting > 100,
        "a key makes a put each {ROUND_TRIP}, and 200 records a second come"
    );
}

#[test]
fn kds_seq_09_sequence_number_for_ordering_holds_back_no_other_key() {
    let mut bench = two_keys(true);
    bench.run_until(millis(290));
    assert_eq!(sends_of(&bench, 0).len(), 1, "key 0 waits for its first result");
    assert!(sends_of(&bench, 1).len() > 20, "key 1 does not");
}

/// KDS-SEQ-10: without the parameter only arrival decides, so the repeated put comes after later ones of its key.
#[test]
fn kds_seq_10_without_sequence_number_for_ordering_later_puts_of_a_key_overtake_a_failed_one() {
    let mut bench = two_keys(false);
    bench.run_until(millis(2_000));
    let sends = sends_of(&bench, 0);
    let repeated = sends
        .iter()
        .rposition(|&(ordinal, _)| ordinal == 0)
        .expect("it was repeated");
    assert!(repeated > 10, "{} later puts were sent before", repeated - 1);
}

/// Its own default in scenario terms: legacy waits, four attempts.
#[test]
fn kds_sdk_13_the_older_sdk_for_java_sends_a_failing_put_record_four_times() {
    let mut bench = bench(&ProducerBlueprint {
        api: PutApi::PutRecord,
        keys: Keys::Uniform { count: 1 },
        retry: SdkRetry {
            mode: RetryMode::Legacy,
            max_attempts: 4,
            timing_2026: false,
        },
        ..every(10)
    });
    bench.behaviour = Box::new(|_, _| (ROUND_TRIP, Some(ServiceError::InternalFailure)));
    bench.run_until(millis(20_000));
    let first = sends_of(&bench, 0).into_iter().filter(|(ordinal, _)| *ordinal == 0);
    let at: Vec<SimTime> = first.map(|(_, at)| at).collect();
    assert_eq!(at.len(), 4, "the first and three retries, at {at:?}");
}
