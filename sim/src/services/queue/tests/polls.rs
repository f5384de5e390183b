//! Short and long polls.

use super::*;

/// A standard queue with ten servers of which a short poll asks three.
fn servers() -> Bench {
    let mut model = still();
    (model.queue.servers, model.queue.short_poll_servers) = (10, 3);
    bench_of(&blueprint(), Profile::Current, &model)
}

/// SQS-R-02, SQS-R-03.
#[test]
fn sqs_r_01_sqs_r_02_sqs_r_03_what_a_receive_may_ask_for() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..10));
    for (at, max, wait) in [(2, 0, 0), (3, 11, 0), (4, 1, 21)] {
        let answers = bench.ask(seconds(at), max, wait, None);
        assert_eq!(
            error(&answers[0]),
            Some(ServiceError::InvalidParameterValue),
            "{max} messages, {wait} s"
        );
    }
    assert_eq!(bench.ask(seconds(5), 10, 20, Some(0))[0].records.len(), 10);
    assert_eq!(bench.ask(seconds(6), 1, 0, None)[0].records.len(), 1);
}

/// SQS-R-04: what a receive asks for counts before what the queue is set to. SQS-R-05: nothing means a short poll.
#[test]
fn sqs_r_04_a_receive_may_ask_for_a_wait_of_its_own() {
    let mut bench = bench(&QueueBlueprint {
        receive_wait: SimDuration::from_secs(10),
        ..blueprint()
    });
    assert_eq!(
        bench.ask(seconds(1), 1, 0, None).len(),
        1,
        "answered at once (SQS-R-05)"
    );
    assert!(bench.ask(seconds(2), 1, 3, None).is_empty());
    bench.harness.run_until(seconds(6));
    assert_eq!(bench.answers().len(), 1);
    let action = QueueAction::Receive {
        max: 1,
        wait: None,
        visibility: None,
        attempt: None,
    };
    bench.call(seconds(10), action, Batch::default());
    bench.harness.run_until(seconds(19));
    assert!(bench.answers().is_empty());
    bench.harness.run_until(seconds(21));
    let empty = bench.answers();
    assert_eq!(
        (empty.len(), error(&empty[0])),
        (1, None),
        "an empty answer is no error (SQS-R-14)"
    );
}

/// SQS-R-06, SQS-R-07, SQS-R-08, SQS-Z-05: with few messages short polls come back with less than there is, and now and
/// then with nothing; SQS-R-09: in the end they find everything.
#[test]
fn sqs_r_07_short_polls_miss_messages_of_a_small_queue() {
    let mut bench = servers();
    let (mut empty, mut found, mut at) = (0, Vec::new(), 2);
    bench.send(seconds(1), messages(0, 0..5));
    assert!(
        bench.ask(seconds(at), 10, 0, Some(0))[0].records.len() < 5,
        "three servers hold less than all"
    );
    while found.len() < 5 {
        at += 1;
        let got = &bench.ask(seconds(at), 1, 0, Some(40_000))[0];
        empty += u32::from(got.records.is_empty());
        found.extend(ordinals(got));
        assert!(at < 200, "SQS-R-09");
    }
    found.sort_unstable();
    assert_eq!(found, [0, 1, 2, 3, 4]);
    assert!(empty > 0, "false empty receives");
}

#[test]
fn sqs_r_08_with_a_thousand_messages_a_short_poll_finds_ten() {
    let mut bench = servers();
    for batch in 0..100 {
        bench.send(seconds(1 + u64::from(batch)), messages(0, batch * 10..batch * 10 + 10));
    }
    for at in 200..240 {
        assert_eq!(bench.receive(seconds(at), 10).records.len(), 10);
    }
}

/// SQS-Z-07.
#[test]
fn sqs_r_10_a_long_poll_asks_all_servers() {
    let mut bench = servers();
    bench.send(seconds(1), messages(0, 0..10));
    let mut found = ordinals(&bench.ask(seconds(2), 10, 1, None)[0]);
    found.sort_unstable();
    assert_eq!(found, (0..10).collect::<Vec<u32>>());
}

/// SQS-R-13: the end of a delay, and of a visibility timeout, end the wait, too.
#[test]
fn sqs_r_13_whatever_becomes_available_ends_a_wait() {
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(8),
        ..blueprint()
    });
    bench.send(seconds(1), messages(0, 0..1));
    assert!(bench.ask(seconds(2), 10, 20, Some(5)).is_empty());
    bench.harness.run_until(seconds(10));
    assert_eq!(ordinals(&bench.answers()[0]), [0], "at 9 s, when the delay was over");
    assert!(bench.ask(seconds(11), 10, 20, None).is_empty());
    bench.harness.run_until(seconds(15));
    assert_eq!(
        bench.answers()[0].records[0].attempt(),
        2,
        "at 14 s, when the timeout was over"
    );
}

#[test]
fn sqs_r_15_one_message_goes_to_one_of_several_waiting_polls() {
    let mut bench = bench(&blueprint());
    for at in 1..4 {
        assert!(bench.ask(seconds(at), 10, 20, None).is_empty());
    }
    bench.post(seconds(5), messages(0, 0..1));
    bench.harness.run_until(seconds(6));
    assert_eq!(bench.answers().len(), 1);
    assert_eq!(bench.state(), (0, 0, 1));
}

/// SQS-R-20, SQS-C-18: a short and a long poll are a request each, empty or not.
#[test]
fn sqs_r_20_every_poll_is_one_request() {
    let mut bench = bench(&blueprint());
    bench.ask(seconds(1), 10, 0, None);
    bench.ask(seconds(2), 10, 20, None);
    bench.harness.run_until(seconds(30));
    let answered = |fact: &QueueFact<'_>| matches!(fact, QueueFact::Received { .. });
    assert_eq!(bench.stated().iter().filter(|fact| answered(fact)).count(), 2);
}

/// SQS-Z-06: a FIFO queue looks at all there is, short poll or long.
#[test]
fn sqs_z_06_short_polls_of_a_fifo_queue_miss_nothing() {
    let mut model = still();
    (model.queue.servers, model.queue.short_poll_servers) = (10, 1);
    let mut bench = bench_of(&fifo(), Profile::Current, &model);
    bench.send(seconds(1), messages(0, 0..10));
    assert_eq!(ordinals(&bench.receive(seconds(2), 10)), (0..10).collect::<Vec<u32>>());
}
