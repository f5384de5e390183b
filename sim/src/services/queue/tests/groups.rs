//! Message groups of FIFO queues.

use super::*;

/// SQS-F-17.
#[test]
fn sqs_f_01_sqs_f_17_groups_do_not_wait_for_each_other() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), vec![message(0, 0), message(1, 0), message(0, 1)]);
    assert_eq!(bench.receive(seconds(2), 1).records[0].key, KeyId(0));
    assert_eq!(
        bench.receive(seconds(3), 1).records[0].key,
        KeyId(1),
        "in flight beside the other group"
    );
    assert!(
        bench.receive(seconds(4), 1).records.is_empty(),
        "two groups, two consumers (SQS-F-18)"
    );
}

/// SQS-F-02, SQS-B-13: the order of a group is that of acceptance, and within a request that of its list.
#[test]
fn sqs_f_02_order_is_that_of_acceptance() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), vec![message(0, 7), message(0, 3)]);
    bench.send(seconds(2), vec![message(0, 5)]);
    assert_eq!(ordinals(&bench.receive(seconds(3), 10)), [7, 3, 5]);
}

/// SQS-F-07: an older message that stays hidden keeps back younger ones whose own timeout is over.
#[test]
fn sqs_f_07_a_hidden_message_keeps_the_younger_ones_back() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..2));
    let two = bench.receive(seconds(2), 10);
    assert!(bench.change(seconds(3), 100, &part(&two, 0..1)));
    assert!(bench.receive(seconds(50), 10).records.is_empty());
    assert_eq!(
        bench.state(),
        (1, 0, 1),
        "the younger one is visible and waits (SQS-P-08)"
    );
    assert_eq!(ordinals(&bench.receive(seconds(104), 10)), [0, 1]);
}

#[test]
fn sqs_f_08_the_oldest_message_goes_alone_when_it_is_released() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..3));
    let three = bench.receive(seconds(2), 10);
    assert!(bench.change(seconds(3), 0, &part(&three, 0..1)));
    assert_eq!(ordinals(&bench.receive(seconds(4), 10)), [0]);
}

#[test]
fn sqs_f_09_new_messages_do_not_unblock_a_group() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    bench.receive(seconds(2), 10);
    bench.send(seconds(3), messages(0, 1..2));
    assert!(bench.receive(seconds(4), 10).records.is_empty());
}

/// SQS-F-10: and a long poll that waits hears of it at once.
#[test]
fn sqs_f_10_deleting_all_that_is_in_flight_unblocks_a_group() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..2));
    let one = bench.receive(seconds(2), 1);
    assert!(bench.ask(seconds(3), 10, 20, None).is_empty());
    bench.call(seconds(4), QueueAction::Delete, one);
    bench.harness.run_until(seconds(5));
    let got: Vec<Vec<u32>> = bench.answers().iter().map(ordinals).collect();
    assert!(got.contains(&vec![1]), "{got:?}");
}

/// SQS-F-15, SQS-F-16, SQS-Z-14: groups whose first message has been visible for longest come first, so what came back
/// stands behind what was never received.
#[test]
fn sqs_f_16_groups_that_came_back_stand_behind_the_others() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), vec![message(0, 0), message(1, 1)]);
    let first = bench.receive(seconds(2), 1);
    assert_eq!(ordinals(&first), [0]);
    assert!(bench.change(seconds(3), 0, &first));
    assert_eq!(ordinals(&bench.receive(seconds(4), 10)), [1, 0]);
}

/// SQS-Z-14: groups that are released together keep the order of the response that held them.
#[test]
fn sqs_z_14_groups_that_come_back_together_keep_their_order() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), vec![message(0, 0), message(1, 1), message(2, 2)]);
    let first = bench.receive(seconds(2), 1);
    bench.change(seconds(3), 0, &first);
    assert_eq!(ordinals(&bench.receive(seconds(4), 10)), [1, 2, 0]);
    assert_eq!(
        ordinals(&bench.receive(seconds(40), 10)),
        [1, 2, 0],
        "all came back at 34 s"
    );
}

#[test]
fn sqs_f_19_a_message_that_comes_back_goes_before_its_siblings() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..3));
    assert_eq!(ordinals(&bench.receive(seconds(2), 1)), [0]);
    assert_eq!(ordinals(&bench.receive(seconds(40), 10)), [0, 1, 2]);
}

#[test]
fn sqs_f_20_a_delay_counts_for_each_message_and_keeps_the_order() {
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(10),
        ..fifo()
    });
    bench.send(seconds(1), messages(0, 0..1));
    bench.send(seconds(4), messages(0, 1..2));
    assert_eq!(ordinals(&bench.receive(seconds(12), 10)), [0]);
    assert!(bench.receive(seconds(13), 10).records.is_empty());
}

#[test]
fn sqs_f_21_a_group_that_was_emptied_is_used_again_at_once() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    let one = bench.receive(seconds(2), 10);
    bench.delete(seconds(3), &one);
    bench.send(seconds(4), messages(0, 1..2));
    assert_eq!(ordinals(&bench.receive(seconds(5), 10)), [1]);
}

#[test]
fn sqs_f_22_a_group_for_each_message_blocks_nothing() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), (0..10).map(|key| message(key, 0)).collect());
    for at in 2..12 {
        assert_eq!(bench.receive(seconds(at), 1).records.len(), 1);
    }
}
