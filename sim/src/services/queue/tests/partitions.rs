//! The quota of calls of FIFO queues, and their partitions.

use super::*;
use crate::blueprint::{DeduplicationScope, FifoThroughputLimit};
use crate::services::queue::quotas::regional_calls;
use std::collections::BTreeSet;

fn high() -> QueueBlueprint {
    QueueBlueprint {
        fifo: Some(FifoSettings {
            deduplication_scope: DeduplicationScope::MessageGroup,
            throughput_limit: FifoThroughputLimit::PerMessageGroupId,
            ..FifoSettings::default()
        }),
        ..blueprint()
    }
}
/// With as many partitions as there may be from the start.
fn grown(blueprint: &QueueBlueprint) -> Bench {
    let mut model = still();
    model.queue.partition_growth_time = SimDuration::ZERO;
    bench_of(blueprint, Profile::Current, &model)
}

impl Bench {
    fn partitions(&self) -> usize {
        let partitions = self.harness.component.1.partitions.as_ref();
        partitions.expect("a FIFO queue").count()
    }
    fn partition(&self, key: u32) -> usize {
        let Order::Fifo(groups) = &self.harness.component.1.order else {
            panic!("a FIFO queue");
        };
        groups.partition(KeyId(key))
    }
    /// Sends that were stored whole, of those answered since the last time.
    fn stored(&mut self) -> usize {
        let calls = self.harness.take_calls().into_iter();
        calls.filter(|call| error(&call.batch).is_none()).count()
    }
    fn send_each(&mut self, at: SimTime, keys: impl Iterator<Item = u32>) -> usize {
        for (number, key) in keys.enumerate() {
            let ordinal = u32::try_from(at.as_millis()).expect("small") * 1_000 + u32::try_from(number).expect("small");
            self.post(at, vec![message(key, ordinal)]);
        }
        self.harness.run_until(at + SimDuration::from_millis(1));
        self.stored()
    }
}

/// SQS-T-05, SQS-T-06, SQS-T-07, SQS-T-08, SQS-T-09, SQS-T-10, SQS-H-04: what a Region grants.
#[test]
fn sqs_t_05_high_throughput_depends_on_the_region() {
    for (region, calls, partitions) in [
        ("us-west-2", 70_000, 234),
        ("eu-central-1", 19_000, 64),
        ("ap-northeast-1", 9_000, 30),
        ("sa-east-1", 4_500, 15),
        ("ca-central-1", 2_400, 8),
    ] {
        assert_eq!(regional_calls(region, Profile::Current), calls, "{region}");
        assert_eq!(regional_calls(region, Profile::Exam), 3_000, "SQS-T-10");
        let mut queue = high();
        queue.fifo.as_mut().expect("FIFO").regional_calls = calls;
        let mut bench = grown(&queue);
        assert_eq!(bench.partitions(), partitions, "SQS-Z-16: {region}");
        // Each of very many groups sends once: no partition is far from its share, so a second's calls pass in two.
        let sent = bench.send_each(seconds(1), 0..calls.min(4_500) * 3 / 4);
        assert!(
            sent > usize::try_from(calls.min(4_500)).expect("small") * 2 / 3,
            "{region}: {sent}"
        );
    }
}

/// SQS-A-28, SQS-A-27: only both settings together give more than 300 calls a second.
#[test]
fn sqs_a_28_high_throughput_needs_both_settings() {
    for (scope, limit, fast) in [
        (DeduplicationScope::Queue, FifoThroughputLimit::PerQueue, false),
        (DeduplicationScope::MessageGroup, FifoThroughputLimit::PerQueue, false),
        (DeduplicationScope::Queue, FifoThroughputLimit::PerMessageGroupId, false),
        (
            DeduplicationScope::MessageGroup,
            FifoThroughputLimit::PerMessageGroupId,
            true,
        ),
    ] {
        let mut queue = fifo();
        queue.fifo = Some(FifoSettings {
            deduplication_scope: scope,
            throughput_limit: limit,
            ..FifoSettings::default()
        });
        let mut bench = grown(&queue);
        let sent = bench.send_each(seconds(1), 0..1_000);
        assert_eq!(sent, if fast { 1_000 } else { 300 }, "{scope:?}, {limit:?}");
    }
}

/// SQS-T-04, SQS-B-28, SQS-Y-04: a receive beyond the quota fails with RequestThrottled although messages wait.
#[test]
fn sqs_t_04_a_receive_over_the_quota_fails_though_messages_wait() {
    let mut bench = bench(&fifo());
    bench.send_each(seconds(1), 0..300);
    bench.send_each(seconds(3), 300..600);
    let action = QueueAction::Receive {
        max: 1,
        wait: None,
        visibility: None,
        attempt: None,
    };
    for _ in 0..301 {
        bench.call(seconds(5), action, Batch::default());
    }
    bench.harness.run_until(seconds(5) + SimDuration::from_millis(1));
    let answers = bench.answers();
    let refused: Vec<ServiceError> = answers.iter().filter_map(error).collect();
    assert_eq!(refused, [ServiceError::RequestThrottled]);
    assert_eq!(refused[0].name(), "RequestThrottled");
    assert_eq!(bench.state().0, 300);
}

/// SQS-Z-15: 300 at once, then one more each 300th of a second; what is refused is not stored.
#[test]
fn sqs_z_15_the_quota_is_a_bucket_of_300() {
    let mut bench = bench(&fifo());
    assert_eq!(bench.send_each(seconds(1), 0..301), 300);
    let third = SimDuration::from_nanos(1_000_000_000 / 300);
    assert_eq!(bench.send_each(seconds(1) + third.saturating_mul(10), 400..420), 9);
    assert_eq!(bench.send_each(seconds(3), 500..900), 300);
    assert_eq!(bench.state().0, 609);
}

/// SQS-T-11, SQS-T-12, SQS-T-13: a group is in one partition, so it never gets more than 300 calls a second, in whatever
/// queue; with ten messages each, 3,000 messages.
#[test]
fn sqs_t_13_one_group_has_one_partition() {
    let mut bench = grown(&high());
    assert_eq!(bench.partitions(), 234);
    for number in 0..310_u32 {
        bench.post(seconds(1), messages(7, number * 10..number * 10 + 10));
    }
    bench.harness.run_until(seconds(2));
    assert_eq!(bench.stored(), 300);
    assert_eq!(bench.state(), (3_000, 0, 0));
}

/// SQS-T-14: a batch is a call for each partition that it touches; the part whose partition is at its quota fails alone.
#[test]
fn sqs_t_14_a_batch_is_split_by_partition() {
    let mut bench = grown(&high());
    let other = (1..1_000)
        .find(|&key| bench.partition(key) != bench.partition(0))
        .expect("one");
    assert_eq!(bench.send_each(seconds(1), core::iter::repeat_n(0, 300)), 300);
    let both = bench.send(
        seconds(1) + SimDuration::from_millis(1),
        vec![message(0, 7), message(other, 8), message(0, 9)],
    );
    let outcomes: Vec<Outcome> = both.records.iter().map(Record::outcome).collect();
    assert_eq!(error(&both), None);
    assert_eq!(outcomes, [Outcome::Throttled, Outcome::Accepted, Outcome::Throttled]);
    let refused = bench.send(
        seconds(1) + SimDuration::from_millis(2),
        vec![message(0, 7), message(0, 9)],
    );
    assert_eq!(
        error(&refused),
        Some(ServiceError::RequestThrottled),
        "no part was admitted"
    );
}

/// SQS-T-15: what one receive returns is of one partition, so that its delete is one call.
#[test]
fn sqs_t_15_a_receive_returns_messages_of_one_partition() {
    let mut bench = grown(&high());
    bench.send_each(seconds(1), 0..2_000);
    let mut partitions = BTreeSet::new();
    for number in 0..50 {
        let got = bench.receive(seconds(2) + SimDuration::from_millis(10 * number), 10);
        let of: BTreeSet<usize> = got.records.iter().map(|record| bench.partition(record.key.0)).collect();
        assert_eq!(of.len(), 1, "{of:?}");
        assert!(got.records.len() > 1);
        partitions.extend(of);
    }
    assert!(partitions.len() > 10, "one after the other: {partitions:?}");
}

/// SQS-T-16, SQS-Z-16: partitions double after a minute of more than four fifths, and halve after a calm quarter of an hour.
/// SQS-T-17: groups change their partition then.
#[test]
fn sqs_t_16_partitions_come_and_go() {
    let mut bench = bench(&high());
    assert_eq!(bench.partitions(), 1);
    let second = |bench: &mut Bench, at: u64, calls: u32| {
        for part in 0..10_u64 {
            let at = seconds(at) + SimDuration::from_millis(100 * part);
            bench.send_each(at, (0..calls / 10).map(|call| call * 7 % 1_000));
        }
    };
    for at in 60..120 {
        second(&mut bench, at, 230);
    }
    second(&mut bench, 121, 10);
    assert_eq!(bench.partitions(), 1, "77 % is not enough");
    for at in 180..240 {
        second(&mut bench, at, 270);
    }
    second(&mut bench, 241, 10);
    assert_eq!(bench.partitions(), 2);
    let homes: BTreeSet<usize> = (0..50).map(|key| bench.partition(key)).collect();
    assert_eq!(homes.len(), 2, "SQS-T-17");
    second(&mut bench, 1_139, 10);
    assert_eq!(bench.partitions(), 2);
    second(&mut bench, 1_261, 10);
    assert_eq!(bench.partitions(), 1);
}

/// SQS-Z-17: a group that is in flight stays in its partition, and keeps its order through the change.
#[test]
fn sqs_z_17_a_group_in_flight_does_not_move() {
    let mut bench = grown(&high());
    bench.send_each(seconds(1), 0..100);
    let held = bench.receive(seconds(2), 1);
    let key = held.records[0].key.0;
    let before: Vec<usize> = (0..100).map(|key| bench.partition(key)).collect();
    let (_, queue) = &mut bench.harness.component;
    let Order::Fifo(groups) = &mut queue.order else {
        panic!("a FIFO queue");
    };
    groups.set_partitions(3, &queue.messages);
    let stayed = bench.partition(key);
    assert_eq!(stayed, before[usize::try_from(key).expect("small")]);
    assert!(
        (0..100)
            .filter(|other| *other != key)
            .all(|other| bench.partition(other) < 3)
    );
    bench.delete(seconds(3), &held);
    assert!(bench.partition(key) < 3, "and moves once it is back");
}

/// SQS-T-18: an existing queue gets high throughput by a change of its attributes.
#[test]
fn sqs_t_18_high_throughput_is_switched_on() {
    use crate::queue_operation::{QueueAttribute, QueueOperation};
    let mut bench = grown(&fifo());
    assert_eq!(bench.send_each(seconds(1), 0..400), 300);
    bench.operate(
        seconds(5),
        &QueueOperation::SetAttributes(vec![
            QueueAttribute::DeduplicationScope(DeduplicationScope::MessageGroup),
            QueueAttribute::FifoThroughputLimit(FifoThroughputLimit::PerMessageGroupId),
        ]),
    );
    assert_eq!(bench.send_each(seconds(6), 0..400), 400);
    assert_eq!(bench.partitions(), 234);
}
