//! What a queue says of itself: depth, age, counts.

use super::*;
use crate::services::queue::message::Receipt;

impl Bench {
    fn oldest(&self) -> Option<u64> {
        let oldest = self.harness.component.1.depth_now().oldest;
        oldest.map(|at| at.as_millis() / 1_000)
    }
    /// Messages of the last delete, and entries that it counts.
    fn deletions(&mut self) -> (usize, u32) {
        let notes = self.harness.take_notes().into_iter();
        let mut deletions = notes.filter_map(|note| {
            if let Fact::Queueing {
                fact:
                    Queueing::Queue {
                        fact: QueueFact::Deleted { entries, .. },
                        ..
                    },
            } = note.fact
            {
                return Some((note.records.len(), entries));
            }
            None
        });
        deletions.next_back().expect("a delete")
    }
}

/// SQS-C-06, SQS-C-08, SQS-C-11, SQS-Z-29: the age is that of the oldest message; one that was received three times does not
/// count, also with a redrive policy; and without another there is no value.
#[test]
fn sqs_c_08_the_age_leaves_out_what_was_received_three_times() {
    let mut bench = bench(&QueueBlueprint {
        redrive: Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count: 10,
        }),
        ..blueprint()
    });
    assert_eq!(bench.oldest(), None, "SQS-C-11");
    bench.send(seconds(1), messages(0, 0..1));
    bench.send(seconds(50), messages(0, 1..2));
    for at in [60, 100] {
        assert_eq!(ordinals(&bench.receive(seconds(at), 1)), [0]);
        assert_eq!(bench.oldest(), Some(1), "SQS-C-06");
    }
    assert_eq!(ordinals(&bench.receive(seconds(140), 1)), [0]);
    assert_eq!(bench.oldest(), Some(50));
    let other = bench.receive(seconds(141), 1);
    assert_eq!(ordinals(&other), [1]);
    bench.delete(seconds(142), &other);
    assert_eq!(bench.oldest(), None, "SQS-Z-29");
    assert_eq!(bench.state(), (0, 0, 1), "though the message is there");
}

/// SQS-C-16, SQS-C-22: a message counts as received each time. SQS-C-17: and a delete counts although its message has gone,
/// with the same handle or another one. So the counts do not give the depth.
#[test]
fn sqs_c_17_deletes_and_receives_count_each_time() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let first = bench.receive(seconds(2), 1);
    let second = bench.receive(seconds(40), 1);
    let received: Vec<u32> = bench
        .stated()
        .iter()
        .filter_map(|fact| {
            if let QueueFact::Received { again, .. } = fact {
                return Some(*again);
            }
            None
        })
        .collect();
    assert_eq!(received, [0, 1], "SQS-C-16");
    bench.delete(seconds(41), &second);
    assert_eq!(bench.deletions(), (1, 1));
    for (at, handle) in [(42, &second), (43, &first)] {
        bench.delete(seconds(at), handle);
        assert_eq!(bench.deletions(), (0, 1));
    }
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-C-12, SQS-C-13, SQS-C-14, SQS-C-20, SQS-F-24, SQS-P-07, SQS-Y-09: the counts are exact, of a FIFO queue as well;
/// available are neither delayed messages nor those in flight.
#[test]
fn sqs_p_07_counts_are_exact_by_state() {
    for queue in [blueprint(), fifo()] {
        let is_fifo = queue.fifo.is_some();
        let mut bench = bench(&QueueBlueprint {
            delay: SimDuration::from_secs(10),
            ..queue
        });
        bench.send(
            seconds(1),
            vec![message(0, 0), message(1, 1), message(1, 2), message(2, 3)],
        );
        bench.harness.run_until(seconds(15));
        bench.send(seconds(16), messages(3, 4..9));
        let held = bench.receive(seconds(17), 2);
        let depth = bench.harness.component.1.depth_now();
        assert_eq!((depth.available, depth.in_flight, depth.delayed), (2, 2, 5));
        let groups = if is_fifo { 2 } else { 0 };
        assert_eq!(depth.groups_in_flight, groups, "SQS-C-20");
        bench.delete(seconds(18), &held);
        assert_eq!(bench.harness.component.1.depth_now().groups_in_flight, 0);
    }
}

/// SQS-F-04: positions within a group, which are its sequence numbers here, grow and are not consecutive. SQS-F-03: of sends
/// that came in together they tell the order in which they are delivered.
#[test]
fn sqs_f_04_sequence_numbers_grow_within_a_group() {
    let mut bench = bench(&fifo());
    bench.post(seconds(1), vec![message(0, 5), message(1, 0)]);
    bench.post(seconds(1), vec![message(0, 3), message(1, 1), message(0, 4)]);
    bench.harness.run_until(seconds(2));
    bench.harness.take_calls();
    let got = bench.receive(seconds(3), 3);
    assert_eq!(ordinals(&got), [5, 3, 4], "SQS-F-03");
    let positions: Vec<u64> = got
        .positions
        .iter()
        .map(|&handle| Receipt::unpack(handle).position)
        .collect();
    assert!(positions.is_sorted_by(|one, other| one < other), "{positions:?}");
    assert!(positions[1] > positions[0] + 1, "{positions:?}");
}

/// SQS-V-04, SQS-N-03: each receive returns a handle of its own, and with the send's timestamp a consumer tells how long the
/// message was in the queue.
#[test]
fn sqs_v_04_each_receive_has_its_own_handle() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), messages(0, 0..1));
    let first = bench.receive(seconds(8), 1);
    let second = bench.receive(seconds(41), 1);
    assert_ne!(first.positions, second.positions);
    assert_eq!(second.records[0].arrived_at, seconds(1), "SQS-N-03");
}

/// SQS-V-27: extended by more than the time between two extensions, a message stays hidden, until twelve hours are over.
#[test]
fn sqs_v_27_a_heartbeat_holds_a_message_for_twelve_hours() {
    for queue in [blueprint(), fifo()] {
        let mut bench = bench(&queue);
        bench.send(seconds(1), messages(0, 0..1));
        let held = bench.receive(seconds(2), 1);
        let mut at = 2;
        loop {
            at += 25;
            assert_eq!(bench.state(), (0, 0, 1), "at {at} s");
            if !bench.change(seconds(at), 30, &held) {
                break;
            }
        }
        assert!(
            (43_172..=43_202).contains(&(at + 5)),
            "the last extension that fitted: {at}"
        );
        bench.harness.run_until(seconds(43_203));
        assert_eq!(bench.state(), (1, 0, 0));
    }
}

/// SQS-V-11, SQS-V-14, SQS-V-18, SQS-V-19, SQS-B-16, SQS-B-29: the errors by which calls about one message fail.
#[test]
fn sqs_v_11_errors_have_the_names_of_aws() {
    let mut bench = bench(&QueueBlueprint {
        maximum_message_size: 1_024,
        ..fifo()
    });
    bench.send(seconds(1), messages(0, 0..1));
    let held = bench.receive(seconds(2), 1);
    let visibility = |timeout| QueueAction::ChangeVisibility {
        timeout: SimDuration::from_secs(timeout),
    };
    let mut fails = |at: u64, action: QueueAction, of: Batch| {
        bench.call(seconds(at), action, of);
        error(&bench.answer(seconds(at)))
    };
    let parameter = Some(ServiceError::InvalidParameterValue);
    assert_eq!(fails(12, visibility(43_199), held.clone()), parameter, "SQS-V-11");
    assert_eq!(fails(13, visibility(100), held.clone()), None);
    assert_eq!(fails(120, QueueAction::Delete, held.clone()), parameter, "SQS-V-14");
    let mut wrong = held.clone();
    wrong.positions[0] += 7;
    let handle = Some(ServiceError::ReceiptHandleIsInvalid);
    assert_eq!(fails(121, QueueAction::Delete, wrong), handle, "SQS-V-18");
    let large = Record {
        bytes: 1_025,
        ..message(0, 9)
    };
    let mut single = Bench {
        harness: bench.harness.clone(),
    };
    single.post_single(seconds(130), large);
    assert_eq!(error(&single.answer(seconds(130))), parameter, "SQS-B-16");
    let names = [
        ServiceError::InvalidParameterValue,
        ServiceError::ReceiptHandleIsInvalid,
        ServiceError::OverLimit,
        ServiceError::RequestThrottled,
    ];
    assert_eq!(
        names.map(ServiceError::name),
        [
            "InvalidParameterValue",
            "ReceiptHandleIsInvalid",
            "OverLimit",
            "RequestThrottled"
        ]
    );
}

/// SQS-B-32: what a send is told of as stored can be received from then on.
#[test]
fn sqs_b_32_what_is_acknowledged_is_stored() {
    let mut model = still();
    model.queue.service_time = Distribution::Constant(50e6);
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.post(seconds(1), messages(0, 0..3));
    bench.harness.run_until(seconds(1) + SimDuration::from_millis(60));
    let acknowledged = bench.harness.take_calls();
    assert!(acknowledged[0].batch.records.iter().all(Record::is_accepted));
    bench.ask(seconds(1) + SimDuration::from_millis(61), 10, 0, None);
    bench.harness.run_until(seconds(2));
    assert_eq!(ordinals(&bench.answers()[0]), [0, 1, 2]);
}

/// SQS-Z-04, SQS-Z-25, SQS-N-01: ten servers; calls take tens to low hundreds of milliseconds, half of them at most ten and
/// one in a hundred more than a hundred.
#[test]
fn sqs_z_25_calls_take_tens_of_milliseconds() {
    let model = ModelParameters::default().queue;
    assert_eq!(model.servers, 10, "SQS-Z-04");
    let calls = model.service_time.compile().expect("a distribution");
    let millis = |fraction| calls.quantile(fraction) / 1_000_000;
    assert!((9..=10).contains(&millis(0.5)), "{}", millis(0.5));
    assert!((98..=101).contains(&millis(0.99)), "{}", millis(0.99));
}

/// SQS-Z-20: among quiet tenants the order is that of a plain standard queue. SQS-A-41: of any number of tenants.
#[test]
fn sqs_z_20_quiet_tenants_are_served_in_the_order_of_sending() {
    let mut bench = bench(&QueueBlueprint {
        grouped: vec!["shop".to_owned()],
        ..blueprint()
    });
    let tenants: Vec<u32> = (0..20_000).map(|number| number * 7_919 % 20_011).collect();
    for (number, ten) in (0..).zip(tenants.chunks(10)) {
        let at = seconds(1) + SimDuration::from_millis(5 * number);
        bench.send(at, ten.iter().map(|&tenant| message(tenant, tenant)).collect());
    }
    let mut got = Vec::new();
    for number in 0..100 {
        let at = seconds(1_000) + SimDuration::from_millis(5 * number);
        let batch = bench.receive(at, 10);
        bench.delete(at + SimDuration::from_millis(2), &batch);
        got.extend(ordinals(&batch));
    }
    assert_eq!(got, tenants[..1_000]);
}
