//! FIFO topics: order, deduplication and throughput.

use super::*;

fn fifo_model(plan: &mut Plan) {
    plan.model.topic.delivery_time = ModelParameters::default().topic.delivery_time;
}

/// SQS-S-28: each queue gets the messages of a group in the order of their publish, whatever the deliveries take; groups
/// and subscribers do not wait for each other.
#[test]
fn sqs_s_28_order_is_kept_in_each_group_and_queue() {
    let mut plan = fifo(2, ThroughputScope::Topic);
    fifo_model(&mut plan);
    let mut bench = plan.bench();
    for number in 0..300 {
        bench.publish(millis(1 + u64::from(number)), vec![message(number % 3, number / 3)]);
    }
    let mut arrived: Vec<(QueueId, u32, u32)> = Vec::new();
    for step in 1..1_000_u64 {
        for copy in bench.copies(millis(10 * step)) {
            arrived.extend(
                copy.batch
                    .records
                    .iter()
                    .map(|record| (copy.queue, record.key.0, record.ordinal)),
            );
            let now = bench.harness.now();
            // Queue 1 fails now and then.
            let fails = copy.queue == QueueId(1) && step.is_multiple_of(7);
            bench.reply(now, &copy, fails.then_some(ServiceError::InternalFailure));
            if fails {
                let failed = copy.batch.records.len();
                arrived.truncate(arrived.len() - failed);
            }
        }
    }
    for queue in [0, 1] {
        let own: Vec<(u32, u32)> = arrived
            .iter()
            .filter(|(to, ..)| *to == QueueId(queue))
            .map(|(_, key, ordinal)| (*key, *ordinal))
            .collect();
        assert_eq!(own.len(), 300);
        for key in 0..3 {
            let of_group: Vec<u32> = own
                .iter()
                .filter(|(of, _)| *of == key)
                .map(|(_, ordinal)| *ordinal)
                .collect();
            assert_eq!(of_group, (0..100).collect::<Vec<_>>(), "queue {queue}, group {key}");
        }
    }
    let of = |queue| {
        arrived
            .iter()
            .filter(|(to, ..)| *to == QueueId(queue))
            .map(|(_, key, ordinal)| (*key, *ordinal))
            .collect::<Vec<_>>()
    };
    assert_ne!(of(0), of(1), "there is no order between subscribers");
}

/// SQS-S-28: a group whose queue fails waits, the others go on.
#[test]
fn sqs_s_28_a_failure_holds_up_its_group_alone() {
    let mut bench = fifo(1, ThroughputScope::Topic).bench();
    bench.publish(millis(1), vec![message(0, 0), message(1, 0)]);
    let first = bench.copies(millis(30));
    assert_eq!(first.len(), 2, "a call for each group");
    bench.publish(millis(31), vec![message(0, 1), message(1, 1)]);
    let of_group = |copies: &[Copy], key| {
        let found = copies.iter().find(|copy| copy.batch.records[0].key == KeyId(key));
        found.cloned()
    };
    let (failing, well) = (of_group(&first, 0).expect("one"), of_group(&first, 1).expect("one"));
    bench.reply(millis(40), &well, None);
    assert_eq!(identities(&bench.copies(millis(60))[0].batch.records), [(1, 1)]);
    bench.reply(millis(61), &failing, Some(ServiceError::InternalFailure));
    let again = bench.copies(millis(62));
    assert_eq!(identities(&again[0].batch.records), [(0, 0)], "the elder comes first");
    bench.reply(millis(63), &again[0], None);
    assert_eq!(identities(&bench.copies(millis(64))[0].batch.records), [(0, 1)]);
}

/// SQS-S-29: what was published within five minutes is answered as success and not delivered again, even though it was
/// delivered; later it is new.
#[test]
fn sqs_s_29_a_topic_deduplicates_for_five_minutes() {
    let mut bench = fifo(1, ThroughputScope::Topic).bench();
    let mut arrived = 0;
    for (at, new) in [
        (0, true),
        (1, false),
        (240, false),
        (299, false),
        (300, true),
        (599, false),
        (600, true),
    ] {
        let at = SimTime::from_secs(at) + SimDuration::from_millis(1);
        bench.publish(at, vec![message(0, 5)]);
        let (answers, copies) = bench.until(at + SimDuration::from_millis(900));
        let Envelope::Put(call) = answers[0].envelope else {
            panic!("no answer")
        };
        assert_eq!((call.error, call.refused), (None, 0), "a success");
        assert_eq!(copies.len(), usize::from(new), "at {at}");
        for copy in &copies {
            let now = bench.harness.now();
            bench.reply(now, copy, None);
        }
        arrived += copies.len();
    }
    assert_eq!(arrived, 3);
}

/// SQS-S-31: with a filter policy each message comes at most once.
#[test]
fn sqs_s_31_a_filtered_fifo_subscription_gets_each_message_at_most_once() {
    let mut plan = fifo(2, ThroughputScope::Topic);
    plan.model.topic.duplicate_rate = Ratio::ONE;
    plan.topic.publishers = vec![PublisherBlueprint {
        attributes: vec![Attribute {
            name: "kind".to_owned(),
            values: vec![
                (AttributeValue::Text("new".to_owned()), 1),
                (AttributeValue::Text("old".to_owned()), 1),
            ],
        }],
        ..attributes(0)
    }];
    plan.subscriptions[1].filter = Some(filters::policy("kind", "new"));
    let mut bench = plan.bench();
    for number in 0..50 {
        bench.publish(millis(1 + u64::from(number)), vec![message(number, 0)]);
    }
    let copies = bench.copies(SimTime::from_secs(10));
    let of = |queue| {
        let own = copies.iter().filter(|copy| copy.queue == QueueId(queue));
        own.flat_map(|copy| identities(&copy.batch.records)).collect::<Vec<_>>()
    };
    assert_eq!(of(0).len(), 50);
    let mut filtered = of(1);
    let some = filtered.len();
    assert!((15..35).contains(&some), "{some}");
    filtered.sort_unstable();
    filtered.dedup();
    assert_eq!(filtered.len(), some);
}

/// SQS-S-26, SQS-H-12: messages and bytes a second of a topic, by profile.
#[test]
fn sqs_s_26_a_fifo_topic_has_a_throughput_of_its_own() {
    for (profile, messages_quota, megabytes) in [(Profile::Current, 3_000, 20), (Profile::Exam, 300, 10)] {
        let mut plan = fifo(0, ThroughputScope::Topic);
        plan.profile = profile;
        for (bytes, quota) in [
            (100, messages_quota),
            (25_000, (megabytes * 1_000_000 / 25_000 / 10 * 10).min(messages_quota)),
        ] {
            let mut bench = plan.bench();
            let mut taken = 0;
            for number in 0..700 {
                let at = SimTime::from_secs(1) + SimDuration::from_nanos(10 * u64::from(number));
                let batch = (0..10).map(|entry| Record {
                    bytes,
                    ..message(number, entry)
                });
                bench.publish(at, batch.collect());
                let (call, _) = bench.answer(at + SimDuration::from_nanos(5));
                taken += if call.error.is_none() { 10 } else { 0 };
            }
            assert_eq!(taken, quota, "{profile:?}, {bytes} bytes");
        }
    }
}

/// SQS-S-27: with the scope of a message group each group has 300 messages a second, and the topic as many as it has groups.
#[test]
fn sqs_s_27_each_group_may_have_a_throughput_of_its_own() {
    let mut bench = fifo(0, ThroughputScope::MessageGroup).bench();
    let mut taken = [0_u32; 20];
    for (key, taken) in (0_u32..).zip(&mut taken) {
        for number in 0..40 {
            let at = SimTime::from_secs(1) + SimDuration::from_nanos(10 * u64::from(key * 40 + number));
            bench.publish(at, (0..10).map(|entry| message(key, number * 10 + entry)).collect());
            let (call, records) = bench.answer(at + SimDuration::from_nanos(5));
            assert_eq!(call.error, None, "entries are refused one by one");
            let accepted = records
                .iter()
                .filter(|record| record.outcome() == Outcome::Accepted)
                .count();
            assert_eq!(usize::try_from(call.refused).expect("few"), 10 - accepted);
            *taken += u32::try_from(accepted).expect("few");
        }
    }
    assert_eq!(taken, [300; 20]);
    bench.post(
        SimTime::from_secs(1) + SimDuration::from_millis(1),
        PutApi::Publish,
        vec![message(3, 999)],
    );
    let (call, _) = bench.answer(SimTime::from_secs(1) + SimDuration::from_millis(2));
    assert_eq!(
        call.error,
        Some(ServiceError::Throttled),
        "a single publish has no entries"
    );
}

/// A group's copies travel together, up to ten, and in one call at a time.
#[test]
fn copies_of_a_group_share_a_call() {
    let mut bench = fifo(1, ThroughputScope::Topic).bench();
    for number in 0..3 {
        bench.publish(
            millis(1 + number),
            (0..10)
                .map(|entry| message(0, u32::try_from(number).expect("few") * 10 + entry))
                .collect(),
        );
    }
    let sizes = |copies: &[Copy]| copies.iter().map(|copy| copy.batch.records.len()).collect::<Vec<_>>();
    let first = bench.copies(millis(100));
    assert_eq!(sizes(&first), [10]);
    bench.reply(millis(101), &first[0], None);
    let second = bench.copies(millis(110));
    assert_eq!((sizes(&second), second[0].batch.records[0].ordinal), (vec![10], 10));
    assert_eq!(bench.undelivered(), (10, 10));
}
