//! Receives whose answer is lost, and their repetition with a ReceiveRequestAttemptId.

use super::*;

impl Bench {
    fn attempt(&mut self, at: SimTime, max: u8, attempt: Option<u32>) -> Batch {
        let action = QueueAction::Receive {
            max,
            wait: None,
            visibility: None,
            attempt,
        };
        self.call(at, action, Batch::default());
        self.answer(at)
    }
}

/// SQS-X-02, SQS-X-05, SQS-Z-34: the same messages with the same handles, hidden anew, and it is not another receive.
/// SQS-X-07: so the order of the group is kept.
#[test]
fn sqs_x_02_a_repeated_receive_gets_the_same_messages() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..5));
    let first = bench.attempt(seconds(10), 3, Some(1));
    assert_eq!(ordinals(&first), [0, 1, 2]);
    let again = bench.attempt(seconds(30), 3, Some(1));
    assert_eq!((&again.records, &again.positions), (&first.records, &first.positions));
    assert_eq!(again.records[0].attempt(), 1, "SQS-Z-34");
    bench.harness.run_until(seconds(59));
    assert_eq!(bench.state(), (2, 0, 3), "SQS-X-05: hidden until 60 s, not 40 s");
    assert!(bench.delete(seconds(59), &part(&again, 0..1)));
    bench.harness.run_until(seconds(61));
    assert_eq!(bench.state(), (4, 0, 0));
}

#[test]
fn sqs_x_03_an_attempt_is_known_for_five_minutes() {
    for (at, known) in [(309, true), (310, false)] {
        let mut bench = bench(&QueueBlueprint {
            visibility_timeout: SimDuration::from_hours(1),
            ..fifo()
        });
        bench.send(seconds(1), messages(0, 0..1));
        bench.attempt(seconds(10), 1, Some(1));
        assert_eq!(
            bench.attempt(seconds(at), 1, Some(1)).records.len() == 1,
            known,
            "{at} s"
        );
    }
}

/// SQS-X-04: if one of the messages was deleted or its visibility changed, it is a receive like any other.
#[test]
fn sqs_x_04_touched_messages_are_not_repeated() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..3));
    let first = bench.attempt(seconds(10), 2, Some(1));
    bench.delete(seconds(11), &part(&first, 0..1));
    assert!(bench.attempt(seconds(12), 2, Some(1)).records.is_empty());
    bench.change(seconds(13), 200, &part(&first, 1..2));
    assert!(bench.attempt(seconds(14), 2, Some(1)).records.is_empty());
}

/// SQS-X-06: without an ID, or with another one, the group is blocked until the timeout is over. SQS-X-01: a standard
/// queue knows no IDs.
#[test]
fn sqs_x_06_without_the_id_a_lost_answer_blocks_the_group() {
    for (queue, first, second) in [
        (fifo(), None, None),
        (fifo(), Some(1), Some(2)),
        (blueprint(), Some(1), Some(1)),
    ] {
        let mut bench = bench(&queue);
        bench.send(seconds(1), messages(0, 0..1));
        bench.attempt(seconds(10), 1, first);
        assert!(bench.attempt(seconds(39), 1, second).records.is_empty());
        let later = bench.attempt(seconds(41), 1, second);
        assert_eq!(later.records[0].attempt(), 2);
    }
}

/// SQS-R-18: SQS has counted the receive and hides the message although the client only sees a timeout. SQS-D-05: with a
/// maxReceiveCount of 1 that was the only one, and nobody has ever seen the message.
#[test]
fn sqs_r_18_a_receive_counts_though_its_answer_is_lost() {
    let mut model = still();
    model.queue.lost_receive_rate = Ratio::ONE;
    let mut bench = bench_of(
        &QueueBlueprint {
            redrive: Some(RedrivePolicy {
                dead_letter_queue: "dead".to_owned(),
                max_receive_count: 1,
            }),
            ..blueprint()
        },
        Profile::Current,
        &model,
    );
    bench.send(seconds(1), messages(0, 0..1));
    assert!(bench.ask(seconds(2), 1, 0, None).is_empty());
    assert_eq!(bench.state(), (0, 0, 1));
    bench.harness.run_until(seconds(8));
    let lost = &bench.answers()[0];
    assert_eq!(
        (error(lost), lost.records.len()),
        (Some(ServiceError::RequestTimeout), 0)
    );
    bench.harness.run_until(seconds(40));
    bench.stated();
    bench.ask(seconds(41), 1, 0, None);
    let moved = |fact: &QueueFact| matches!(fact, QueueFact::DeadLettered { .. });
    assert!(bench.stated().iter().any(moved), "SQS-D-05");
}
