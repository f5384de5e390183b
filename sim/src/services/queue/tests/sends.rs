//! Sends: batches, sizes, deduplication.

use super::*;

fn large(bytes: u32, ordinal: u32) -> Record {
    Record {
        bytes,
        ..message(0, ordinal)
    }
}

/// SQS-B-06, SQS-B-07, SQS-B-08, SQS-H-01: a request carries 1 MiB in all, or 256 KiB in the profile `exam`, or is refused
/// whole.
#[test]
fn sqs_b_06_the_payload_of_a_request_is_limited() {
    for (profile, limit) in [(Profile::Current, 1_048_576_u32), (Profile::Exam, 262_144)] {
        let mut bench = bench_of(&blueprint(), profile, &still());
        let two = |bytes: u32| vec![large(limit / 2, 0), large(bytes, 1)];
        assert_eq!(error(&bench.send(seconds(1), two(limit / 2))), None);
        let refused = bench.send(seconds(2), two(limit / 2 + 1));
        assert_eq!(error(&refused), Some(ServiceError::BatchRequestTooLong));
        assert_eq!(bench.state(), (2, 0, 0));
    }
}

/// SQS-B-09, SQS-B-10, SQS-B-11, SQS-B-15: the queue's own limit is one of each entry, which fails alone.
#[test]
fn sqs_b_09_a_smaller_maximum_message_size_does_not_lower_the_total() {
    let mut bench = bench(&QueueBlueprint {
        maximum_message_size: 2_000,
        ..blueprint()
    });
    let sent = bench.send(seconds(1), vec![large(2_000, 0), large(2_001, 1), large(2_000, 2)]);
    assert_eq!(error(&sent), None, "the answer is a success");
    let outcomes: Vec<bool> = sent.records.iter().map(Record::is_accepted).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert_eq!(bench.state(), (2, 0, 0));
}

#[test]
fn sqs_b_01_sqs_b_03_ten_entries_are_the_most() {
    let mut bench = bench(&blueprint());
    assert_eq!(error(&bench.send(seconds(1), messages(0, 0..10))), None);
    let eleven = bench.send(seconds(2), messages(0, 10..21));
    assert_eq!(error(&eleven), Some(ServiceError::TooManyEntriesInBatchRequest));
    assert_eq!(bench.state(), (10, 0, 0));
}

#[test]
fn sqs_b_12_a_bad_handle_fails_its_own_entry_only() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..3));
    let mut held = bench.receive(seconds(2), 10);
    held.positions[1] += 1;
    bench.call(seconds(3), QueueAction::Delete, held);
    let answer = bench.answer(seconds(3));
    let outcomes: Vec<bool> = answer.records.iter().map(Record::is_accepted).collect();
    assert_eq!(outcomes, [true, false, true]);
    assert_eq!(bench.state(), (0, 0, 1));
}

/// SQS-U-02, SQS-U-06, SQS-Z-12, SQS-Z-13: five minutes from the first acceptance, whatever is repeated in between.
/// SQS-U-01, SQS-U-15.
#[test]
fn sqs_u_02_a_repeat_does_not_prolong_the_interval() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    bench.send(seconds(200), messages(0, 0..1));
    assert_eq!(bench.state(), (1, 0, 0));
    let late = seconds(301).saturating_sub(SimDuration::MIN);
    bench.post(late, messages(0, 0..1));
    bench.harness.run_until(late);
    assert_eq!(bench.state(), (1, 0, 0), "a nanosecond before its end");
    bench.send(seconds(301) + SimDuration::from_millis(2), messages(0, 0..1));
    assert_eq!(bench.state(), (2, 0, 0));
}

#[test]
fn sqs_u_18_a_purge_forgets_the_ids() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    bench.harness.apply(|(me, queue), cx| queue.purge(*me, cx));
    assert_eq!(bench.state(), (0, 0, 0));
    bench.send(seconds(2), messages(0, 0..1));
    assert_eq!(bench.state(), (1, 0, 0));
}

#[test]
fn sqs_u_19_a_message_in_the_dead_letter_queue_still_blocks_its_id() {
    let policy = RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 1,
    };
    let mut bench = bench(&QueueBlueprint {
        redrive: Some(policy),
        ..fifo()
    });
    bench.send(seconds(1), messages(0, 0..1));
    bench.receive(seconds(2), 1);
    bench.ask(seconds(40), 1, 0, None);
    assert_eq!(bench.state(), (0, 0, 0), "it was moved");
    bench.send(seconds(41), messages(0, 0..1));
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-U-20: repeats within the interval leave order and number alone. SQS-U-21, SQS-U-22: they are counted, and requests.
#[test]
fn sqs_u_20_repeats_change_neither_order_nor_number() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..3));
    bench.stated();
    bench.send(seconds(2), messages(0, 1..3));
    assert!(
        matches!(bench.stated()[..], [QueueFact::Sent { deduplicated: 2, .. }]),
        "SQS-U-21"
    );
    bench.send(seconds(3), messages(0, 3..4));
    assert_eq!(ordinals(&bench.receive(seconds(4), 10)), [0, 1, 2, 3]);
}

/// SQS-O-06: what a producer sends again since the answer was lost is stored twice by a standard queue.
#[test]
fn sqs_o_06_a_standard_queue_does_not_deduplicate() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    bench.send(seconds(2), messages(0, 0..1));
    assert_eq!(bench.state(), (2, 0, 0));
}
