//! The order of standard queues, and their duplicates.

use super::*;

fn model() -> ModelParameters {
    let mut model = still();
    model.queue.servers = 10;
    model.queue.order_jitter = Distribution::Exponential { mean: 20e6 };
    model
}

/// SQS-O-02, SQS-Z-01: messages a second apart come in order; those of one instant do not.
#[test]
fn sqs_o_02_order_is_that_of_sending_but_for_milliseconds() {
    let mut slow = bench_of(&blueprint(), Profile::Current, &model());
    for number in 0..10_u32 {
        slow.send(seconds(u64::from(number) + 1), vec![message(0, number)]);
    }
    assert_eq!(
        ordinals(&slow.ask(seconds(20), 10, 20, None)[0]),
        (0..10).collect::<Vec<u32>>()
    );
    let mut fast = bench_of(&blueprint(), Profile::Current, &model());
    fast.send(seconds(1), messages(0, 0..10));
    let mut got = ordinals(&fast.ask(seconds(2), 10, 20, None)[0]);
    assert_ne!(got, (0..10).collect::<Vec<u32>>());
    got.sort_unstable();
    assert_eq!(got, (0..10).collect::<Vec<u32>>());
}

/// SQS-O-04, SQS-Z-02, SQS-O-08: a server that missed the delete delivers its copy once more, a second to a visibility
/// timeout later, and its old handles are void; a FIFO queue never does.
#[test]
fn sqs_o_04_a_deleted_message_may_come_back_once() {
    let mut model = still();
    model.queue.duplicate_rate = Ratio::ONE;
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.harness.component.1.duplicates.left = u64::MAX;
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    assert!(bench.delete(seconds(3), &held));
    assert_eq!(bench.state(), (0, 1, 0));
    assert!(
        bench.receive(seconds(4), 1).records.is_empty(),
        "not within the first second"
    );
    assert!(bench.delete(seconds(5), &held), "of a message that has gone");
    assert!(!bench.change(seconds(6), 10, &held));
    let copy = bench.receive(seconds(34), 1);
    assert_eq!(ordinals(&copy), [0]);
    assert!(bench.delete(seconds(35), &copy));
    assert_eq!(bench.state(), (0, 0, 0), "at most once");
    let mut fifo = bench_of(&fifo(), Profile::Current, &model);
    fifo.send(seconds(1), messages(0, 0..1));
    let held = fifo.receive(seconds(2), 1);
    assert!(fifo.delete(seconds(3), &held));
    assert_eq!(fifo.state(), (0, 0, 0));
}

/// SQS-O-10, SQS-Z-30, SQS-O-05: what comes back from its third receive stands behind everything, before that where its
/// age puts it.
#[test]
fn sqs_o_10_a_message_goes_to_the_end_after_three_receives() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    bench.send(seconds(2), messages(0, 1..3));
    for at in [3, 40] {
        assert_eq!(ordinals(&bench.receive(seconds(at), 1)), [0], "the oldest one first");
    }
    assert_eq!(ordinals(&bench.receive(seconds(80), 1)), [0], "its third receive");
    bench.harness.run_until(seconds(120));
    assert_eq!(ordinals(&bench.receive(seconds(121), 10)), [1, 2, 0]);
}

#[test]
fn sqs_o_11_a_fifo_queue_keeps_the_place_of_a_failing_message() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..2));
    for round in 0..5 {
        assert_eq!(ordinals(&bench.receive(seconds(2 + round * 40), 1)), [0]);
    }
}

/// SQS-O-12, SQS-Q-16: a key is no lock here.
#[test]
fn sqs_o_12_messages_of_one_key_are_in_flight_side_by_side() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..2));
    assert_eq!(bench.receive(seconds(2), 1).records.len(), 1);
    assert_eq!(bench.receive(seconds(3), 1).records.len(), 1);
}
