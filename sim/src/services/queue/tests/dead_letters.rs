//! Dead-letter queues, from both ends.

use super::*;

fn with_policy(max_receive_count: u16, blueprint: QueueBlueprint) -> QueueBlueprint {
    QueueBlueprint {
        redrive: Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count,
        }),
        ..blueprint
    }
}
/// What has been moved away since the last time: ordinals with their receives.
fn moved(bench: &mut Bench) -> Vec<(u32, u64)> {
    let calls = bench.harness.take_calls().into_iter().map(|call| call.batch);
    calls
        .filter(|batch| matches!(batch.envelope, Envelope::Moved(_)))
        .flat_map(|batch| {
            let numbers = batch.records.iter().map(|record| record.ordinal);
            numbers.zip(batch.positions).collect::<Vec<_>>()
        })
        .collect()
}

/// SQS-D-03, SQS-Z-09: the receive that moves a message goes on to others.
#[test]
fn sqs_d_03_the_receive_that_moves_a_message_returns_others() {
    let mut bench = bench(&with_policy(1, blueprint()));
    bench.send(seconds(1), messages(0, 0..1));
    bench.receive(seconds(2), 10);
    bench.send(seconds(3), messages(0, 1..2));
    let action = QueueAction::Receive {
        max: 1,
        wait: None,
        visibility: None,
        attempt: None,
    };
    bench.call(seconds(40), action, Batch::default());
    bench.harness.run_until(seconds(41));
    let calls = bench.harness.take_calls();
    let returned = calls
        .iter()
        .find(|call| matches!(call.batch.envelope, Envelope::Queue(_)));
    assert_eq!(ordinals(&returned.expect("an answer").batch), [1]);
    assert_eq!(calls.len(), 2, "and the move");
}

#[test]
fn sqs_d_04_with_a_maximum_of_one_a_message_is_seen_once() {
    let mut bench = bench(&with_policy(1, blueprint()));
    bench.send(seconds(1), messages(0, 0..1));
    assert_eq!(bench.receive(seconds(2), 10).records.len(), 1);
    bench.ask(seconds(40), 10, 20, None);
    bench.harness.run_until(seconds(80));
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-D-06, SQS-L-18, SQS-L-21: the count goes on in the dead-letter queue, and the message is the same.
#[test]
fn sqs_d_06_the_receive_count_goes_on_in_the_dead_letter_queue() {
    let mut bench = bench(&blueprint());
    let record = Record {
        bytes: 777,
        arrived_at: seconds(1),
        ..message(4, 9)
    };
    bench.move_here(seconds(50), &[(record, 3)]);
    let held = bench.receive(seconds(51), 1);
    assert_eq!(
        (held.records[0].attempt(), held.records[0].bytes, held.records[0].key),
        (4, 777, KeyId(4))
    );
}

/// SQS-D-10: a queue compares with its own receives only, so a chain delivers in each of its queues.
#[test]
fn sqs_d_10_a_queue_of_a_chain_counts_its_own_receives() {
    let mut bench = bench(&with_policy(1, blueprint()));
    bench.move_here(
        seconds(50),
        &[(
            Record {
                arrived_at: seconds(1),
                ..message(0, 0)
            },
            1,
        )],
    );
    assert_eq!(
        bench.receive(seconds(51), 1).records.len(),
        1,
        "delivered here once, too"
    );
    bench.harness.run_until(seconds(90));
    bench.call(
        seconds(91),
        QueueAction::Receive {
            max: 1,
            wait: None,
            visibility: None,
            attempt: None,
        },
        Batch::default(),
    );
    bench.harness.run_until(seconds(92));
    assert_eq!(moved(&mut bench), [(0, 2)]);
}

#[test]
fn sqs_d_12_a_move_unblocks_the_group_and_breaks_its_order() {
    let mut bench = bench(&with_policy(1, fifo()));
    bench.send(seconds(1), messages(0, 0..2));
    assert_eq!(ordinals(&bench.receive(seconds(2), 1)), [0]);
    bench.call(
        seconds(40),
        QueueAction::Receive {
            max: 10,
            wait: None,
            visibility: None,
            attempt: None,
        },
        Batch::default(),
    );
    bench.harness.run_until(seconds(41));
    let calls = bench.harness.take_calls();
    let returned = calls
        .iter()
        .find(|call| matches!(call.batch.envelope, Envelope::Queue(_)));
    assert_eq!(ordinals(&returned.expect("an answer").batch), [1]);
}

/// SQS-D-13: equal IDs of different messages do not swallow each other in a FIFO dead-letter queue.
#[test]
fn sqs_d_13_moved_messages_are_not_deduplicated() {
    let mut bench = bench(&fifo());
    bench.move_here(seconds(50), &[(message(0, 0), 1), (message(0, 0), 1)]);
    assert_eq!(bench.state(), (2, 0, 0));
}

/// SQS-D-15, SQS-L-20: a move is no send, and tells where it comes from. SQS-Z-08: it is available at once.
#[test]
fn sqs_d_15_a_move_is_not_counted_as_sent() {
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(30),
        ..blueprint()
    });
    bench.move_here(seconds(50), &[(message(0, 0), 1)]);
    assert!(matches!(
        bench.stated()[..],
        [QueueFact::MovedHere {
            from: QueueId(7),
            messages: 1
        }]
    ));
    assert_eq!(bench.state(), (1, 0, 0), "SQS-Z-08");
}

/// SQS-D-17, SQS-D-18: without a dead-letter queue a message fails until its retention is over, and blocks its group.
#[test]
fn sqs_d_17_without_a_dead_letter_queue_a_message_fails_until_it_expires() {
    for blueprint in [blueprint(), fifo()] {
        let mut bench = bench(&QueueBlueprint {
            retention: SimDuration::from_secs(200),
            ..blueprint
        });
        bench.send(seconds(1), messages(0, 0..1));
        for round in 0..4 {
            assert_eq!(bench.receive(seconds(2 + round * 40), 1).records.len(), 1);
        }
        bench.send(seconds(160), messages(0, 1..2));
        bench.harness.run_until(seconds(200));
        assert_eq!(bench.state().0 + bench.state().2, 2);
        bench.harness.run_until(seconds(202));
        assert_eq!(ordinals(&bench.receive(seconds(203), 10)), [1]);
    }
}

/// SQS-E-05, SQS-E-07: the time spent in the source counts against the retention of a standard dead-letter queue.
#[test]
fn sqs_e_05_a_standard_dead_letter_queue_keeps_the_timestamp() {
    let mut bench = bench(&QueueBlueprint {
        retention: SimDuration::from_secs(100),
        ..blueprint()
    });
    let old = |sent| Record {
        arrived_at: seconds(sent),
        ..message(0, 0)
    };
    bench.move_here(seconds(150), &[(old(60), 1), (old(40), 1)]);
    assert_eq!(bench.state(), (1, 0, 0), "the older one expired at once (SQS-E-07)");
    bench.harness.run_until(seconds(159));
    assert_eq!(bench.state(), (1, 0, 0));
    bench.harness.run_until(seconds(160));
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-E-06, SQS-H-10: a FIFO dead-letter queue begins anew, but in the profile `exam`.
#[test]
fn sqs_e_06_a_fifo_dead_letter_queue_resets_the_timestamp() {
    for (profile, left) in [(Profile::Current, 1), (Profile::Exam, 0)] {
        let shape = QueueBlueprint {
            retention: SimDuration::from_secs(100),
            ..fifo()
        };
        let mut bench = bench_of(&shape, profile, &still());
        bench.move_here(
            seconds(150),
            &[(
                Record {
                    arrived_at: seconds(60),
                    ..message(0, 0)
                },
                1,
            )],
        );
        bench.harness.run_until(seconds(249));
        assert_eq!(bench.state(), (left, 0, 0));
        bench.harness.run_until(seconds(250));
        assert_eq!(bench.state(), (0, 0, 0));
    }
}

/// SQS-C-10: the age metric of a dead-letter queue counts from the move; SQS-C-07, SQS-C-09, SQS-O-11: a message that was
/// received three times leaves it in a standard queue, and in a FIFO queue does not.
#[test]
fn sqs_c_10_age_counts_from_the_move() {
    let mut dead = bench(&blueprint());
    dead.move_here(
        seconds(150),
        &[(
            Record {
                arrived_at: seconds(60),
                ..message(0, 0)
            },
            1,
        )],
    );
    assert_eq!(dead.harness.component.1.depth_now().oldest, Some(seconds(150)));
    for (shape, counted) in [(blueprint(), seconds(5)), (fifo(), seconds(1))] {
        let mut bench = bench(&shape);
        bench.send(seconds(1), messages(0, 0..1));
        bench.send(seconds(5), messages(0, 1..2));
        for round in 0..3 {
            assert_eq!(bench.harness.component.1.depth_now().oldest, Some(seconds(1)));
            assert_eq!(ordinals(&bench.receive(seconds(6 + round * 40), 1)), [0]);
        }
        assert_eq!(bench.harness.component.1.depth_now().oldest, Some(counted));
    }
}
