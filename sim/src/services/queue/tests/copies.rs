//! Messages that are there twice, and what messages state themselves: delays and deduplication IDs.

use super::*;
use crate::blueprint::{DeduplicationId, DeduplicationScope, SenderBlueprint};

fn stating(blueprint: QueueBlueprint, delay: Option<f64>, deduplication_id: DeduplicationId) -> QueueBlueprint {
    QueueBlueprint {
        senders: vec![SenderBlueprint {
            producer: "shop".to_owned(),
            delay: delay.map(Distribution::Constant),
            deduplication_id,
        }],
        ..blueprint
    }
}
/// Messages carry their number within the group as ID.
pub(super) fn by_ordinal(blueprint: QueueBlueprint) -> QueueBlueprint {
    stating(blueprint, None, DeduplicationId::Ordinal)
}

/// SQS-V-24, SQS-Z-03, SQS-O-01: a standard queue may return a message a second time while it is in flight; each is deleted
/// for itself. A FIFO queue never does.
#[test]
fn sqs_v_24_a_message_may_be_there_twice() {
    let mut model = still();
    model.queue.duplicate_rate = Ratio::ONE;
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.send(seconds(1), messages(0, 0..1));
    let first = bench.receive(seconds(2), 10);
    assert_eq!(ordinals(&first), [0]);
    let copies = |fact: &QueueFact| matches!(fact, QueueFact::Received { copies: 1, .. });
    assert!(bench.stated().iter().any(copies));
    let second = bench.receive(seconds(3), 10);
    assert_eq!(ordinals(&second), [0], "within the visibility timeout of the first");
    assert_ne!(first.positions, second.positions);
    assert_eq!(bench.state(), (0, 0, 2));
    assert!(bench.receive(seconds(4), 10).records.is_empty(), "twice, and no more");
    let mut fifo = bench_of(&fifo(), Profile::Current, &model);
    fifo.send(seconds(1), messages(0, 0..1));
    fifo.receive(seconds(2), 10);
    assert_eq!(fifo.state(), (0, 0, 1));
}

/// SQS-Z-03: as often as the rate says.
#[test]
fn sqs_z_03_copies_are_as_frequent_as_the_rate_says() {
    let mut model = still();
    model.queue.duplicate_rate = Ratio::new(1, 50);
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    for batch in 0..2_000_u32 {
        let at = seconds(1) + SimDuration::from_millis(5 * u64::from(batch));
        bench.send(at, messages(batch, 0..10));
        bench.ask(at + SimDuration::from_millis(2), 10, 0, Some(40_000));
    }
    let received = bench.stated().into_iter().filter_map(|fact| {
        if let QueueFact::Received { copies, .. } = fact {
            return Some(copies);
        }
        None
    });
    let copies: u32 = received.sum();
    assert!((320..480).contains(&copies), "{copies} of 20,000 at 2 %");
}

/// SQS-L-02, SQS-L-03: what a message states counts, longer or shorter than the queue's delay, nothing included; without it
/// the queue's holds. SQS-L-04: never more than 15 minutes.
#[test]
fn sqs_l_02_a_message_may_state_its_own_delay() {
    for (own, available) in [
        (Some(30.0), 31),
        (Some(2.9), 3),
        (Some(0.0), 1),
        (None, 11),
        (Some(5_000.0), 901),
    ] {
        let mut bench = bench(&stating(
            QueueBlueprint {
                delay: SimDuration::from_secs(10),
                ..blueprint()
            },
            own.map(|delay| delay * 1e9),
            DeduplicationId::Message,
        ));
        bench.post(seconds(1), messages(0, 0..1));
        bench
            .harness
            .run_until(seconds(available).saturating_sub(SimDuration::MIN).max(seconds(1)));
        assert_eq!(bench.state().0, u64::from(available == 1), "{own:?}");
        bench.harness.run_until(seconds(available));
        assert_eq!(bench.state(), (1, 0, 0), "{own:?}");
    }
}

/// SQS-L-06: a FIFO queue's own delay applies, also to a message that states a delay of nothing.
#[test]
fn sqs_l_06_a_fifo_queue_has_one_delay_for_all() {
    let mut bench = bench(&stating(
        QueueBlueprint {
            delay: SimDuration::from_secs(10),
            ..fifo()
        },
        Some(0.0),
        DeduplicationId::Message,
    ));
    bench.send(seconds(1), messages(0, 0..1));
    assert_eq!(bench.state(), (0, 1, 0));
    assert_eq!(ordinals(&bench.receive(seconds(12), 1)), [0]);
}

/// SQS-U-07, SQS-U-08, SQS-A-24, SQS-H-09, SQS-Y-08: the same ID in another group is a duplicate in the scope of the queue,
/// which is the default, and none in that of the group; in both profiles.
#[test]
fn sqs_u_07_an_id_is_known_in_the_queue_or_in_its_group() {
    assert_eq!(FifoSettings::default().deduplication_scope, DeduplicationScope::Queue);
    for profile in [Profile::Current, Profile::Exam] {
        for (deduplication_scope, stored) in [(DeduplicationScope::Queue, 2), (DeduplicationScope::MessageGroup, 4)] {
            let mut queue = by_ordinal(fifo());
            queue.fifo = Some(FifoSettings {
                deduplication_scope,
                ..FifoSettings::default()
            });
            let mut bench = bench_of(&queue, profile, &still());
            bench.send(seconds(1), messages(0, 0..2));
            bench.send(seconds(2), messages(1, 0..2));
            bench.send(seconds(3), messages(1, 0..2));
            assert_eq!(bench.state(), (stored, 0, 0), "{deduplication_scope:?}");
        }
    }
}

/// SQS-B-25, SQS-B-26, SQS-A-23: without an ID a send is refused whole, unless the queue makes one from the contents, which
/// it does not by default.
#[test]
fn sqs_b_25_a_message_without_an_id_is_refused() {
    let mut queue = stating(fifo(), None, DeduplicationId::Absent);
    let mut refusing = bench(&queue);
    let refused = refusing.send(seconds(1), messages(0, 0..2));
    assert_eq!(error(&refused), Some(ServiceError::InvalidParameterValue));
    assert_eq!(refusing.state(), (0, 0, 0));
    queue.fifo = Some(FifoSettings {
        content_based_deduplication: true,
        ..FifoSettings::default()
    });
    let mut making = bench(&queue);
    assert_eq!(error(&making.send(seconds(1), messages(0, 0..2))), None);
    making.send(seconds(2), messages(0, 0..2));
    assert_eq!(making.state(), (2, 0, 0), "and the same contents make the same one");
    let standard = stating(blueprint(), None, DeduplicationId::Absent);
    assert_eq!(error(&bench(&standard).send(seconds(1), messages(0, 0..2))), None);
}

/// SQS-U-14: exactly-once processing rests on an ID that stays the same: with a new one for each attempt a message that is
/// sent again is there twice.
#[test]
fn sqs_u_14_a_new_id_for_each_attempt_defeats_deduplication() {
    for (id, stored) in [(DeduplicationId::Message, 1), (DeduplicationId::Attempt, 2)] {
        let mut bench = bench(&stating(fifo(), None, id));
        bench.send(seconds(1), messages(0, 0..1));
        bench.send(seconds(2), messages(0, 0..1));
        assert_eq!(bench.state(), (stored, 0, 0), "{id:?}");
        bench.harness.run_until(seconds(290));
        assert_eq!(bench.state(), (stored, 0, 0), "and stays until a consumer deletes it");
    }
}
