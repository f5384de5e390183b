//! Redrives out of a dead-letter queue.

use super::*;
use crate::observe::queue_fact::{MoveEnd, QueueChange};
use crate::queue_operation::QueueOperation;

fn start(destination: Option<&str>, rate: Option<u32>) -> QueueOperation {
    QueueOperation::StartMove {
        destination: destination.map(str::to_owned),
        rate,
    }
}
/// A message that was sent to its source at this second.
fn sent(at: u64, ordinal: u32) -> (Record, u64) {
    let record = Record {
        arrived_at: seconds(at),
        ..message(0, ordinal)
    };
    (record, 3)
}

impl Bench {
    fn dead_letters(&mut self, at: SimTime, from: u16, messages: &[(Record, u64)]) {
        let batch = Batch {
            records: messages.iter().map(|(record, _)| *record).collect(),
            positions: messages.iter().map(|(_, receives)| *receives).collect(),
            envelope: Envelope::Moved(QueueId(from)),
            ..Batch::default()
        };
        self.harness
            .send(at, batch, |batch| world::Event::Queue(ME, Event::MovedHere { batch }));
        self.harness.run_until(at);
    }
    /// What redrives have sent since the last time: when, where to, ordinals.
    fn redriven(&mut self) -> Vec<(u64, u16, Vec<u32>)> {
        let calls = self.harness.take_calls().into_iter();
        let moves = calls.filter_map(|call| {
            if let (Envelope::Redriven(ME), world::Event::Queue(QueueId(to), _)) = (call.batch.envelope, call.event) {
                return Some((call.at.as_millis() / 1_000, to, ordinals(&call.batch)));
            }
            None
        });
        moves.collect()
    }
    fn redrive_here(&mut self, at: SimTime, records: Vec<Record>) {
        let batch = Batch {
            positions: vec![0; records.len()],
            records,
            envelope: Envelope::Redriven(QueueId(1)),
            ..Batch::default()
        };
        self.harness
            .send(at, batch, |batch| world::Event::Queue(ME, Event::MovedHere { batch }));
        self.harness.run_until(at);
    }
}

/// SQS-M-02, SQS-M-09: each message goes back to where it came from, the oldest first. SQS-M-17: all of them, as they are.
/// What was sent to the dead-letter queue itself came from nowhere and stays.
#[test]
fn sqs_m_02_without_a_destination_each_message_goes_back() {
    let mut bench = bench(&blueprint());
    bench.dead_letters(seconds(100), 7, &[sent(50, 0), sent(40, 1)]);
    bench.dead_letters(seconds(101), 8, &[sent(45, 2), sent(60, 3)]);
    bench.send(seconds(102), messages(9, 9..10));
    bench.operate(seconds(110), &start(None, Some(1)));
    bench.harness.run_until(seconds(120));
    let moved: Vec<(u16, Vec<u32>)> = bench.redriven().into_iter().map(|(_, to, which)| (to, which)).collect();
    assert_eq!(moved, [(7, vec![1]), (8, vec![2]), (7, vec![0]), (8, vec![3])]);
    assert_eq!(bench.state(), (1, 0, 0));
}

/// SQS-M-03: with a destination all messages go there. SQS-M-04: an unknown one is refused.
#[test]
fn sqs_m_03_a_destination_gets_everything() {
    let mut bench = bench(&blueprint());
    bench.dead_letters(seconds(100), 7, &[sent(50, 0)]);
    bench.dead_letters(seconds(101), 8, &[sent(60, 1)]);
    bench.changes();
    bench.operate(seconds(110), &start(Some("nowhere"), None));
    let error = ServiceError::ResourceNotFound;
    assert_eq!(bench.changes(), [QueueChange::Refused { error }]);
    assert_eq!(error.name(), "ResourceNotFoundException");
    bench.operate(seconds(111), &start(Some("other"), None));
    bench.harness.run_until(seconds(112));
    assert_eq!(bench.redriven(), [(111, 2, vec![0, 1])]);
}

/// SQS-M-05: so many messages a second, at most 500. SQS-Z-24: 500 without a rate, 300 from a FIFO queue.
#[test]
fn sqs_m_05_a_redrive_keeps_its_rate() {
    for (queue, rate, expected) in [
        (blueprint(), Some(50), 50..61),
        (blueprint(), Some(9_999), 500..511),
        (blueprint(), None, 500..511),
        (fifo(), None, 300..311),
    ] {
        let mut bench = bench(&queue);
        let all: Vec<(Record, u64)> = (0..2_000).map(|number| (message(number, number), 3)).collect();
        bench.dead_letters(seconds(100), 7, &all);
        bench.operate(seconds(110), &start(None, rate));
        bench.harness.run_until(seconds(111));
        let moved: usize = bench.redriven().iter().map(|(_, _, which)| which.len()).sum();
        assert!(expected.contains(&moved), "{moved} at {rate:?}");
    }
}

/// SQS-M-06: a second redrive of the same queue is refused. SQS-M-07: so is the one that would be the 101st in the account.
#[test]
fn sqs_m_06_one_redrive_runs_for_each_queue() {
    let mut bench = bench(&blueprint());
    bench.dead_letters(seconds(100), 7, &[sent(50, 0), sent(51, 1), sent(52, 2)]);
    bench.changes();
    bench.operate_among(seconds(109), &start(None, Some(1)), 100);
    let error = ServiceError::LimitExceeded;
    assert_eq!(bench.changes(), [QueueChange::Refused { error }]);
    bench.operate_among(seconds(110), &start(None, Some(1)), 99);
    bench.operate_among(seconds(111), &start(None, Some(1)), 1);
    let error = ServiceError::InvalidParameterValue;
    let to_move = 3;
    assert_eq!(
        bench.changes(),
        [QueueChange::MoveStarted { to_move }, QueueChange::Refused { error }]
    );
    bench.harness.run_until(seconds(120));
    bench.dead_letters(seconds(121), 7, &[sent(50, 4)]);
    bench.changes();
    bench.operate(seconds(122), &start(None, Some(1)));
    assert!(
        matches!(bench.changes()[0], QueueChange::MoveStarted { to_move: 1 }),
        "the first is over"
    );
}

/// SQS-M-08: a redrive that takes longer than 36 hours ends as FAILED.
#[test]
fn sqs_m_08_a_redrive_runs_for_36_hours_at_most() {
    let mut bench = bench(&blueprint());
    let all: Vec<(Record, u64)> = (0..129_700).map(|number| (message(number, number), 3)).collect();
    bench.dead_letters(seconds(100), 7, &all);
    bench.operate(seconds(200), &start(None, Some(1)));
    bench.changes();
    bench.harness.run_until(seconds(200 + 129_599));
    assert_eq!(bench.changes(), []);
    bench.harness.run_until(seconds(200 + 129_700));
    let end = MoveEnd::Failed;
    assert_eq!(bench.changes(), [QueueChange::MoveEnded { end, moved: 129_601 }]);
    assert_eq!(bench.state(), (99, 0, 0));
}

/// SQS-M-11, SQS-M-21: a redrive states at its start how many there are, and at its end how many it has moved; what comes
/// to the queue meanwhile is not among them.
#[test]
fn sqs_m_21_a_redrive_counts() {
    let mut bench = bench(&blueprint());
    let five: Vec<(Record, u64)> = (0..5).map(|number| sent(50, number)).collect();
    bench.dead_letters(seconds(100), 7, &five);
    bench.receive(seconds(101), 1);
    bench.changes();
    bench.operate(seconds(110), &start(None, Some(2)));
    bench.dead_letters(seconds(111), 7, &[sent(20, 8), sent(70, 9)]);
    bench.harness.run_until(seconds(120));
    let (end, to_move, moved) = (MoveEnd::Completed, 4, 4);
    assert_eq!(
        bench.changes(),
        [
            QueueChange::MoveStarted { to_move },
            QueueChange::MoveEnded { end, moved }
        ]
    );
    assert_eq!(bench.state(), (2, 0, 1), "the two that came, and what a consumer holds");
}

/// SQS-M-12, SQS-M-13: a cancelled redrive still moves the batch that is under way, and nothing goes back.
#[test]
fn sqs_m_13_a_cancelled_redrive_ends_a_little_later() {
    let mut bench = bench(&blueprint());
    let all: Vec<(Record, u64)> = (0..100).map(|number| sent(50, number)).collect();
    bench.dead_letters(seconds(100), 7, &all);
    bench.operate(seconds(110), &start(None, Some(5)));
    bench.changes();
    bench.operate(
        seconds(112) + SimDuration::from_millis(500),
        &QueueOperation::CancelMove,
    );
    assert_eq!(bench.changes(), [QueueChange::MoveCancelling { moved: 15 }]);
    bench.harness.run_until(seconds(120));
    let end = MoveEnd::Cancelled;
    assert_eq!(bench.changes(), [QueueChange::MoveEnded { end, moved: 20 }]);
    assert_eq!(bench.state(), (80, 0, 0));
    bench.operate(seconds(121), &QueueOperation::CancelMove);
    let error = ServiceError::ResourceNotFound;
    assert_eq!(
        bench.changes(),
        [QueueChange::Refused { error }],
        "nothing runs any more"
    );
}

/// SQS-M-10: a FIFO queue orders redriven messages by arrival, among what producers send. Their IDs are not compared.
#[test]
fn sqs_m_10_redriven_messages_stand_among_the_others() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), messages(0, 0..2));
    let both = bench.receive(seconds(2), 10);
    bench.delete(seconds(3), &both);
    bench.send(seconds(4), messages(0, 2..3));
    bench.redrive_here(seconds(5), messages(0, 0..2));
    bench.send(seconds(6), messages(0, 3..4));
    assert_eq!(ordinals(&bench.receive(seconds(7), 10)), [2, 0, 1, 3]);
}

/// SQS-L-15, SQS-E-09, SQS-Z-23: it is a new message: its retention begins anew, no receive has been counted, and the delay
/// of the queue holds.
#[test]
fn sqs_e_09_a_redriven_message_is_a_new_one() {
    let mut bench = bench(&QueueBlueprint {
        retention: SimDuration::from_secs(60),
        delay: SimDuration::from_secs(5),
        redrive: Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count: 1,
        }),
        ..blueprint()
    });
    bench.redrive_here(seconds(1_000), vec![sent(10, 0).0]);
    assert_eq!(bench.state(), (0, 1, 0));
    let held = bench.receive(seconds(1_006), 1);
    assert_eq!(held.records[0].attempt(), 1, "SQS-Z-23: it does not bounce");
    assert_eq!(held.records[0].arrived_at, seconds(1_000), "SQS-L-15");
    bench.harness.run_until(seconds(1_059));
    assert_eq!(bench.state().0 + bench.state().2, 1);
    bench.harness.run_until(seconds(1_061));
    assert_eq!(bench.state(), (0, 0, 0), "SQS-E-09");
}

/// SQS-M-19: dead-letter queues of FIFO queues too; what stands behind a message in flight of its group stays there.
#[test]
fn sqs_m_19_a_fifo_queue_is_redriven_in_order() {
    let mut bench = bench(&fifo());
    let of = |key, ordinal| (message(key, ordinal), 3);
    bench.dead_letters(seconds(100), 7, &[of(0, 0), of(1, 1), of(0, 2), of(2, 3)]);
    let held = bench.receive(seconds(101), 1);
    assert_eq!(ordinals(&held), [0], "of the group: the next one stands behind it");
    bench.operate(seconds(110), &start(None, None));
    bench.harness.run_until(seconds(111));
    assert_eq!(bench.redriven(), [(110, 7, vec![1, 3])]);
    assert_eq!(bench.state(), (1, 0, 1));
}
