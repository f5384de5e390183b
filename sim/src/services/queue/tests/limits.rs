//! Messages in flight, and the throughput of FIFO queues.

use super::*;

/// Receives ten messages at a time until nothing comes.
fn drain(bench: &mut Bench, from: u64, visibility: u64) -> usize {
    let (mut got, mut at) = (0, seconds(from));
    loop {
        let answers = bench.ask(at, 10, 0, Some(visibility));
        if answers[0].records.is_empty() {
            return got;
        }
        got += answers[0].records.len();
        at += SimDuration::from_millis(5);
    }
}
/// Sends messages, each of a key of its own.
fn fill(bench: &mut Bench, count: u32) {
    for batch in 0..count / 10 {
        let at = seconds(1) + SimDuration::from_millis(5 * u64::from(batch));
        let batch = (batch * 10..batch * 10 + 10).map(|number| message(number, number));
        bench.send(at, batch.collect());
    }
}

/// SQS-I-02, SQS-I-03, SQS-I-04, SQS-Z-31, SQS-Z-32: a standard queue has 120,000 messages in flight, refuses short polls
/// then, and leaves long ones waiting. SQS-I-11: it stores more.
/// SQS-A-39, SQS-Y-02.
#[test]
fn sqs_i_02_a_standard_queue_has_120_000_messages_in_flight() {
    let mut bench = bench(&blueprint());
    fill(&mut bench, 120_015 / 10 * 10);
    assert_eq!(bench.state(), (120_010, 0, 0), "SQS-I-11");
    bench.ask(seconds(1_000), 5, 0, Some(40_000));
    let mut got = 5;
    for number in 0..12_000_u64 {
        let at = seconds(1_001) + SimDuration::from_millis(5 * number);
        got += bench.ask(at, 10, 0, Some(40_000))[0].records.len();
    }
    assert_eq!(got, 120_000, "the last one brought five (SQS-Z-32)");
    assert_eq!(
        error(&bench.ask(seconds(2_000), 10, 0, None)[0]),
        Some(ServiceError::OverLimit)
    );
    assert!(bench.ask(seconds(2_001), 10, 20, None).is_empty());
    bench.harness.run_until(seconds(2_022));
    let long = bench.answers();
    assert_eq!((error(&long[0]), long[0].records.len()), (None, 0), "SQS-I-04");
}

/// SQS-I-05, SQS-I-06, SQS-I-07: a FIFO queue stops without an error, at 120,000, or at 20,000 in the profile `exam`.
/// SQS-H-03, SQS-Y-03, SQS-A-40.
#[test]
fn sqs_i_06_the_limit_of_a_fifo_queue_depends_on_the_profile() {
    for (profile, limit) in [(Profile::Exam, 20_000_u32), (Profile::Current, 120_000)] {
        let mut bench = bench_of(&fifo(), profile, &still());
        fill(&mut bench, limit + 20);
        assert_eq!(drain(&mut bench, 5_000, 40_000), usize::try_from(limit).expect("small"));
        assert_eq!(error(&bench.ask(seconds(9_000), 10, 0, None)[0]), None, "SQS-I-07");
        assert_eq!(bench.state(), (20, 0, u64::from(limit)));
    }
}

/// SQS-I-01: what is delayed or available is not in flight, and what is deleted or back is no longer.
#[test]
fn sqs_i_01_in_flight_is_what_was_received_and_not_deleted() {
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(1),
        ..blueprint()
    });
    bench.send(seconds(1), messages(0, 0..4));
    assert_eq!(bench.state(), (0, 4, 0));
    let two = bench.receive(seconds(3), 2);
    assert_eq!(bench.state(), (2, 0, 2));
    bench.delete(seconds(4), &part(&two, 0..1));
    assert_eq!(bench.state(), (2, 0, 1));
    bench.harness.run_until(seconds(40));
    assert_eq!(bench.state(), (3, 0, 0));
}

/// SQS-I-08, SQS-I-09, SQS-I-10: behind a backlog of one blocked group as long as the look-ahead, other groups starve.
#[test]
fn sqs_i_10_a_long_backlog_of_a_blocked_group_starves_the_others() {
    for (profile, window) in [(Profile::Exam, 20_000_u32), (Profile::Current, 120_000)] {
        let mut bench = bench_of(&fifo(), profile, &still());
        for batch in 0..window / 10 {
            let at = seconds(1) + SimDuration::from_millis(5 * u64::from(batch));
            bench.send(at, messages(0, batch * 10..batch * 10 + 10));
        }
        bench.send(seconds(5_000), messages(1, 0..1));
        let held = &bench.ask(seconds(5_001), 1, 0, Some(40_000))[0];
        assert_eq!(ordinals(held), [0]);
        assert!(
            bench.receive(seconds(5_002), 10).records.is_empty(),
            "the other group is out of sight"
        );
        bench.delete(seconds(5_003), held);
        let held = bench.receive(seconds(5_004), 10);
        assert_eq!(held.records[0].key, KeyId(0));
        let other = bench.receive(seconds(5_005), 10);
        assert_eq!(other.records[0].key, KeyId(1), "one message less, and it is in sight");
    }
}

/// SQS-T-02, SQS-T-03: requests count, not messages.
/// SQS-H-15.
#[test]
fn sqs_t_02_full_batches_carry_3_000_messages_a_second() {
    let mut bench = bench(&fifo());
    for number in 0..310_u32 {
        bench.post(
            seconds(1),
            (number * 10..number * 10 + 10).map(|key| message(key, key)).collect(),
        );
    }
    bench.harness.run_until(seconds(2));
    let stored: usize = bench
        .harness
        .take_calls()
        .iter()
        .filter(|call| error(&call.batch).is_none())
        .map(|call| call.batch.records.len())
        .sum();
    assert_eq!(stored, 3_000);
    assert_eq!(bench.state(), (3_000, 0, 0), "what is refused is not stored");
}

/// SQS-T-01: sends, receives and deletes have a quota each.
#[test]
fn sqs_t_01_each_action_has_a_quota_of_its_own() {
    let mut bench = bench(&fifo());
    for number in 0..300_u32 {
        bench.post(seconds(1), vec![message(number, number)]);
    }
    for _ in 0..300 {
        let action = QueueAction::Receive {
            max: 1,
            wait: None,
            visibility: None,
            attempt: None,
        };
        bench.call(seconds(1), action, Batch::default());
    }
    bench.harness.run_until(seconds(1) + SimDuration::from_millis(1));
    let held: Vec<Batch> = bench.answers();
    assert!(
        held.iter()
            .all(|batch| error(batch).is_none() && batch.records.len() == 1)
    );
    for batch in &held {
        bench.call(
            seconds(1) + SimDuration::from_millis(2),
            QueueAction::Delete,
            batch.clone(),
        );
    }
    bench.harness.run_until(seconds(1) + SimDuration::from_millis(3));
    assert!(bench.answers().iter().all(|batch| error(batch).is_none()));
    assert_eq!(bench.state(), (0, 0, 0));
}

#[test]
fn sqs_o_09_a_standard_queue_takes_any_number_of_calls() {
    let mut bench = bench(&blueprint());
    for number in 0..10_000_u32 {
        bench.post(seconds(1), vec![message(0, number)]);
    }
    bench.harness.run_until(seconds(2));
    assert!(
        bench
            .harness
            .take_calls()
            .iter()
            .all(|call| error(&call.batch).is_none())
    );
    assert_eq!(bench.state(), (10_000, 0, 0));
}
