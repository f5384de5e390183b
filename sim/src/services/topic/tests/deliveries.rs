//! Copies of standard topics.

use super::*;

/// SQS-S-01: n subscriptions, n copies, each message in each queue once.
#[test]
fn sqs_s_01_each_queue_gets_a_copy() {
    for subscriptions in [0, 1, 3, 7] {
        let mut bench = plan(subscriptions).bench();
        bench.publish(millis(1), messages(10));
        let copies = bench.copies(millis(500));
        assert_eq!(copies.len(), subscriptions * 10);
        for number in 0..subscriptions {
            let own: Vec<&Copy> = copies
                .iter()
                .filter(|copy| usize::from(copy.queue.0) == number)
                .collect();
            let mut got: Vec<u32> = own.iter().map(|copy| copy.batch.records[0].ordinal).collect();
            got.sort_unstable();
            assert_eq!(got, (0..10).collect::<Vec<_>>());
        }
        assert_eq!(
            bench.undelivered(),
            (0, u64::try_from(subscriptions).expect("few") * 10)
        );
    }
}

/// SQS-S-02: a standard topic delivers at least once, and not in order.
#[test]
fn sqs_s_02_standard_delivery_repeats_and_reorders() {
    let mut plan = plan(1);
    plan.model.topic = crate::blueprint::TopicModel {
        duplicate_rate: Ratio::new(1, 2),
        ..crate::blueprint::TopicModel::default()
    };
    let mut bench = plan.bench();
    for number in 0..100 {
        let batch = (0..10).map(|entry| message(0, number * 10 + entry)).collect();
        bench.publish(millis(1 + u64::from(number)), batch);
    }
    let copies = bench.copies(SimTime::from_secs(30));
    let order: Vec<u32> = copies.iter().map(|copy| copy.batch.records[0].ordinal).collect();
    let times = |ordinal| order.iter().filter(|other| **other == ordinal).count();
    assert!((0..1_000).all(|ordinal| times(ordinal) >= 1), "none is lost");
    assert!((1_400..1_600).contains(&order.len()), "{}", order.len());
    assert!((0..1_000).all(|ordinal| times(ordinal) <= 2));
    let overtaken = order.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert!(overtaken > 200, "{overtaken}");
}

/// SQS-S-03, SQS-S-04: an envelope around the message, or the message as it is.
#[test]
fn sqs_s_03_04_raw_delivery_leaves_the_envelope_out() {
    let mut plan = plan(2);
    plan.subscriptions[0].raw = false;
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(1));
    let copies = bench.copies(millis(500));
    let bytes = |queue: u16| {
        let found = copies.iter().find(|copy| copy.queue == QueueId(queue));
        found.map(|copy| (copy.batch.records[0].bytes, copy.batch.bytes))
    };
    let enveloped = 100 + plan.model.topic.envelope_bytes;
    assert_eq!(bytes(0), Some((enveloped, u64::from(enveloped))));
    assert_eq!(bytes(1), Some((100, 100)));
}

/// SQS-S-05: raw delivery carries ten attributes. More are a client-side error: not delivered, and not tried again.
#[test]
fn sqs_s_05_raw_delivery_carries_ten_attributes() {
    for (count, raw, delivered) in [(10, true, true), (11, true, false), (11, false, true)] {
        let mut plan = plan(1);
        plan.topic.publishers = vec![attributes(count)];
        plan.subscriptions[0].raw = raw;
        let mut bench = plan.bench();
        bench.publish(millis(1), messages(1));
        let copies = bench.copies(SimTime::from_secs(3_600));
        assert_eq!(copies.len(), usize::from(delivered), "{count} attributes, raw: {raw}");
        let lost = bench
            .stated()
            .iter()
            .any(|(_, _, fact, _)| matches!(fact, NotificationFact::Lost { .. }));
        assert_eq!(lost, !delivered);
    }
}

/// SQS-Z-33: the default delivery time has a median of 20 ms and a 99th percentile of 200 ms.
#[test]
fn sqs_z_33_delivery_takes_20_ms_and_rarely_200() {
    let mut plan = plan(1);
    plan.model.topic.delivery_time = ModelParameters::default().topic.delivery_time;
    let mut bench = plan.bench();
    let published = millis(1);
    for number in 0..1_000 {
        bench.publish(published, (0..10).map(|entry| message(number, entry)).collect());
    }
    let copies = bench.copies(SimTime::from_secs(60));
    let mut times: Vec<u64> = copies
        .iter()
        .map(|copy| copy.at.since(published).as_nanos() / 1_000)
        .collect();
    times.sort_unstable();
    assert_eq!(times.len(), 10_000);
    assert!((19_000..21_000).contains(&times[5_000]), "{}", times[5_000]);
    assert!((180_000..220_000).contains(&times[9_900]), "{}", times[9_900]);
    assert_eq!(
        ModelParameters::default().topic.duplicate_rate,
        Ratio::new(1, 10_000_000)
    );
}

/// SQS-S-36: what was published before there was a subscription does not come to it.
#[test]
fn sqs_s_36_a_later_subscription_gets_no_backlog() {
    let mut plan = plan(2);
    plan.subscriptions[1].created_at = SimTime::from_secs(10);
    let mut bench = plan.bench();
    bench.publish(millis(1), vec![message(0, 0)]);
    bench.publish(SimTime::from_secs(10), vec![message(0, 1)]);
    let copies = bench.copies(SimTime::from_secs(20));
    let of = |queue: u16| -> Vec<u32> {
        let own = copies.iter().filter(|copy| copy.queue == QueueId(queue));
        own.map(|copy| copy.batch.records[0].ordinal).collect()
    };
    assert_eq!((of(0), of(1)), (vec![0, 1], vec![1]));
}
