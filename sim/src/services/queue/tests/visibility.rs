//! Visibility timeouts, receipt handles, retention.

use super::*;

/// SQS-V-08.
#[test]
fn sqs_v_01_sqs_v_08_a_receive_may_ask_for_a_timeout_of_its_own_which_the_next_one_does_not_inherit() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    assert_eq!(bench.ask(seconds(2), 1, 0, Some(5))[0].records.len(), 1);
    assert!(bench.receive(seconds(6), 1).records.is_empty());
    assert_eq!(bench.receive(seconds(8), 1).records.len(), 1, "after the 5 s asked for");
    assert!(bench.receive(seconds(14), 1).records.is_empty());
    assert!(bench.receive(seconds(37), 1).records.is_empty());
    assert_eq!(
        bench.receive(seconds(39), 1).records.len(),
        1,
        "after the 30 s of the queue"
    );
}

#[test]
fn sqs_v_02_the_timeout_runs_from_the_return_of_the_message() {
    let mut model = still();
    model.queue.service_time = Distribution::Constant(4e9);
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.post(seconds(1), messages(0, 0..1));
    bench.call(
        seconds(10),
        QueueAction::Receive {
            max: 1,
            wait: None,
            visibility: None,
            attempt: None,
        },
        Batch::default(),
    );
    bench.harness.run_until(seconds(43));
    assert_eq!(bench.state(), (0, 0, 1), "returned at 14 s, hidden until 44 s");
    bench.harness.run_until(seconds(44));
    assert_eq!(bench.state(), (1, 0, 0));
}

#[test]
fn sqs_v_03_sqs_v_04_messages_of_one_receive_tick_alone_and_each_receive_has_its_handle() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..2));
    let two = bench.receive(seconds(2), 10);
    assert!(bench.change(seconds(10), 60, &part(&two, 0..1)));
    bench.harness.run_until(seconds(33));
    assert_eq!(bench.state(), (1, 0, 1), "the other one is back after its 30 s");
    let again = bench.receive(seconds(34), 10);
    assert_eq!(ordinals(&again), [1]);
    assert_ne!(again.positions[0], two.positions[1]);
}

#[test]
fn sqs_v_05_the_longest_change_is_twelve_hours() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    // A change in the millisecond of the return.
    let at = seconds(2) + SimDuration::from_millis(1);
    bench.call(
        at,
        QueueAction::ChangeVisibility {
            timeout: SimDuration::from_secs(43_201),
        },
        held.clone(),
    );
    assert_eq!(bench.answer(at).records[0].outcome(), Outcome::Failed);
}

/// SQS-V-09, SQS-Z-35: extensions do not reset the cap, and the next receive has a cap of its own.
/// SQS-Y-01.
#[test]
fn sqs_v_09_the_cap_counts_from_each_receive() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    assert!(bench.change(seconds(3), 40_000, &held));
    assert!(
        bench.change(seconds(30_002), 13_200, &held),
        "to the twelve hours exactly"
    );
    assert!(
        !bench.change(seconds(30_003), 13_200, &held),
        "and a second beyond them"
    );
    bench.harness.run_until(seconds(43_201));
    assert_eq!(bench.state(), (0, 0, 1));
    bench.harness.run_until(seconds(43_202));
    assert_eq!(bench.state(), (1, 0, 0), "what was refused changed nothing (SQS-V-10)");
    let second = bench.receive(seconds(43_300), 1);
    assert!(bench.change(seconds(43_301), 43_000, &second));
}

#[test]
fn sqs_v_15_an_extension_keeps_the_handle_of_a_fifo_queue_good() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    assert!(bench.change(seconds(30), 30, &held));
    assert!(
        bench.delete(seconds(45), &held),
        "the first 30 s are over, the extension is not"
    );
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-V-17, SQS-Z-10, SQS-O-07: with an outdated handle a delete succeeds; whether it deletes is a lot when another
/// receive holds the message, and sure when nobody does. SQS-V-28: it does so while another one holds it.
/// SQS-Y-07.
#[test]
fn sqs_v_17_a_delete_with_an_outdated_handle_succeeds_and_may_do_nothing() {
    for (rate, left) in [(Ratio::ZERO, (0, 0, 1)), (Ratio::ONE, (0, 0, 0))] {
        let mut model = still();
        model.queue.outdated_delete_rate = rate;
        let mut bench = bench_of(&blueprint(), Profile::Current, &model);
        bench.send(seconds(1), messages(0, 0..1));
        let old = bench.receive(seconds(2), 1);
        assert_eq!(bench.receive(seconds(40), 1).records.len(), 1);
        assert!(bench.delete(seconds(41), &old));
        assert_eq!(bench.state(), left);
    }
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let old = bench.receive(seconds(2), 1);
    bench.receive(seconds(40), 1);
    bench.harness.run_until(seconds(80));
    assert!(bench.delete(seconds(81), &old));
    assert_eq!(bench.state(), (0, 0, 0), "nobody held it");
}

#[test]
fn sqs_v_19_the_visibility_of_a_deleted_message_cannot_change() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    assert!(bench.delete(seconds(3), &held));
    assert!(!bench.change(seconds(4), 10, &held));
}

/// SQS-V-20, SQS-Y-05: a standard queue takes a change after the timeout and hides the message again; its receives do not
/// grow by it. A FIFO queue refuses it.
#[test]
fn sqs_v_20_a_late_change_hides_a_message_of_a_standard_queue_again() {
    let mut bench_1 = bench(&blueprint());
    bench_1.send(seconds(1), messages(0, 0..1));
    let held = bench_1.receive(seconds(2), 1);
    assert!(bench_1.change(seconds(40), 0, &held));
    assert_eq!(bench_1.state(), (1, 0, 0), "nothing leaves it available");
    assert!(bench_1.change(seconds(41), 20, &held));
    assert_eq!(bench_1.state(), (0, 0, 1));
    assert!(bench_1.receive(seconds(60), 1).records.is_empty());
    assert_eq!(bench_1.receive(seconds(62), 1).records[0].attempt(), 2);
    let mut bench_2 = bench(&fifo());
    bench_2.send(seconds(1), messages(0, 0..1));
    let held = bench_2.receive(seconds(2), 1);
    assert!(!bench_2.change(seconds(40), 20, &held));
}

#[test]
fn sqs_v_22_a_timeout_of_nothing_leaves_a_message_available() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    assert_eq!(bench.ask(seconds(2), 1, 0, Some(0))[0].records[0].attempt(), 1);
    assert_eq!(bench.state(), (1, 0, 0));
    assert_eq!(bench.ask(seconds(3), 1, 0, Some(0))[0].records[0].attempt(), 2);
}

/// SQS-Z-11: a handle that another receive has outdated is refused like one that has expired.
#[test]
fn sqs_z_11_an_outdated_handle_of_a_fifo_queue_is_refused() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..1));
    let old = bench.receive(seconds(2), 1);
    let new = bench.receive(seconds(40), 1);
    assert!(!bench.delete(seconds(41), &old));
    assert!(!bench.change(seconds(42), 10, &old));
    assert!(bench.delete(seconds(43), &new));
}

#[test]
fn sqs_l_10_nothing_is_deleted_that_was_never_received() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let never = Batch {
        records: messages(0, 0..1),
        positions: vec![0],
        ..Batch::default()
    };
    assert!(!bench.delete(seconds(2), &never));
    assert_eq!(bench.state(), (1, 0, 0));
}

#[test]
fn sqs_l_09_a_delete_ends_a_message_in_flight_or_available() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..2));
    let held = bench.receive(seconds(2), 10);
    assert!(bench.delete(seconds(3), &part(&held, 0..1)));
    assert_eq!(bench.state(), (0, 0, 1));
    bench.harness.run_until(seconds(40));
    assert_eq!(bench.state(), (1, 0, 0));
    assert!(bench.delete(seconds(41), &part(&held, 1..2)));
    assert!(bench.receive(seconds(100), 10).records.is_empty());
}

/// SQS-L-14, SQS-L-18: a message is the same message at every receive, and tells how many there have been.
#[test]
fn sqs_l_18_receives_are_counted() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(3, 9..10));
    for (round, at) in [(1, 2), (2, 40), (3, 80), (4, 120)] {
        let held = bench.receive(seconds(at), 1);
        assert_eq!(
            (held.records[0].key, held.records[0].ordinal, held.records[0].attempt()),
            (KeyId(3), 9, round)
        );
    }
}

/// SQS-L-13, SQS-P-05, SQS-P-02: what is available, in flight and delayed goes, to nowhere, and not twice in a minute.
#[test]
fn sqs_l_13_a_purge_removes_everything() {
    let policy = RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 1,
    };
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(5),
        redrive: Some(policy),
        ..blueprint()
    });
    bench.send(seconds(1), messages(0, 0..2));
    bench.receive(seconds(7), 1);
    bench.send(seconds(8), messages(0, 2..3));
    assert_eq!(bench.state(), (1, 1, 1));
    let purge = |bench: &mut Bench, at| {
        bench.harness.run_until(seconds(at));
        bench.harness.apply(|(me, queue), cx| queue.purge(*me, cx))
    };
    assert!(purge(&mut bench, 10));
    assert_eq!(bench.state(), (0, 0, 0));
    assert!(!purge(&mut bench, 69), "SQS-P-02");
    assert!(purge(&mut bench, 70));
    bench.harness.run_until(seconds(200));
    assert!(
        bench.harness.take_calls().is_empty(),
        "nothing goes to the dead-letter queue"
    );
}

/// SQS-E-10: retention that is shorter than the delay, and SQS-Z-22: it runs during the delay. SQS-E-04: it goes nowhere.
#[test]
fn sqs_e_10_what_outlives_its_retention_unseen_is_lost() {
    let policy = RedrivePolicy {
        dead_letter_queue: "dead".to_owned(),
        max_receive_count: 1,
    };
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(90),
        retention: SimDuration::from_secs(60),
        redrive: Some(policy),
        ..blueprint()
    });
    bench.send(seconds(1), messages(0, 0..1));
    bench.stated();
    bench.harness.run_until(seconds(60));
    assert_eq!(bench.state(), (0, 1, 0));
    bench.harness.run_until(seconds(61));
    assert_eq!(bench.state(), (0, 0, 0));
    assert!(matches!(
        bench.stated()[..],
        [QueueFact::Expired {
            messages: 1,
            in_flight: 0
        }]
    ));
    assert!(bench.harness.take_calls().is_empty(), "SQS-E-04");
}
