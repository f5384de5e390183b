//! Facts of queues: a queue alone, with calls put in by hand.

mod attempts;
mod control;
mod copies;
mod dead_letters;
mod fairness;
mod groups;
mod limits;
mod metrics;
mod move_tasks;
mod partitions;
mod polls;
mod reference;
mod sends;
mod standard;
mod visibility;

use super::{Event, Order, Queue, QueueSetting, QueueState};
use crate::batch::{Batch, Envelope, PutCall, QueueAction, QueueCall, ServiceError};
use crate::blueprint::{DeduplicationScope, FifoSettings, ModelParameters, PutApi, QueueBlueprint, RedrivePolicy};
use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::random::RandomStreams;
use crate::engine::time::{SimDuration, SimTime};
use crate::ids::{Destination, FleetId, ProducerId, QueueConsumer, QueueId};
use crate::observe::fact::Fact;
use crate::observe::queue_fact::{QueueFact, Queueing};
use crate::profile::Profile;
use crate::record::{KeyId, Outcome, Record};
use crate::testing::harness::Harness;
use crate::world;
use copies::by_ordinal;
use std::sync::Arc;

const ME: QueueId = QueueId(0);

struct Bench {
    harness: Harness<(QueueId, Queue)>,
}

fn seconds(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

fn blueprint() -> QueueBlueprint {
    QueueBlueprint {
        name: "jobs".to_owned(),
        fifo: None,
        visibility_timeout: SimDuration::from_secs(30),
        retention: SimDuration::from_hours(96),
        delay: SimDuration::ZERO,
        receive_wait: SimDuration::ZERO,
        maximum_message_size: 1_048_576,
        redrive: None,
        grouped: Vec::new(),
        senders: Vec::new(),
    }
}
fn fifo() -> QueueBlueprint {
    QueueBlueprint {
        fifo: Some(FifoSettings::default()),
        ..blueprint()
    }
}

/// A model in which a queue answers at once, with one server, so that only what a test is about takes time or lot.
fn still() -> ModelParameters {
    let mut model = ModelParameters {
        network_latency: Distribution::Constant(1.0),
        ..ModelParameters::default()
    };
    model.queue.service_time = Distribution::Constant(0.0);
    model.queue.order_jitter = Distribution::Constant(0.0);
    model.queue.duplicate_rate = Ratio::ZERO;
    model.queue.servers = 1;
    model.queue.attribute_propagation = Distribution::Constant(0.0);
    model.queue.retention_propagation = Distribution::Constant(0.0);
    model.queue.purge_time = Distribution::Constant(0.0);
    model
}
fn bench(blueprint: &QueueBlueprint) -> Bench {
    bench_of(blueprint, Profile::Current, &still())
}
fn bench_of(blueprint: &QueueBlueprint, profile: Profile, model: &ModelParameters) -> Bench {
    let setting = QueueSetting {
        profile,
        model,
        dead_letter_queue: Some(QueueId(1)),
        groups: &Arc::default(),
        mapped: false,
        grouped: if blueprint.grouped.is_empty() {
            &[]
        } else {
            &[ProducerId(0)]
        },
        senders: if blueprint.senders.is_empty() {
            &[]
        } else {
            &[ProducerId(0)]
        },
    };
    let queue = Queue::new(blueprint, setting, &mut RandomStreams::new(1, 0)).expect("a queue");
    Bench {
        harness: Harness::new((ME, queue)),
    }
}

fn message(key: u32, ordinal: u32) -> Record {
    Record {
        created_at: SimTime::ZERO,
        arrived_at: SimTime::ZERO,
        key: KeyId(key),
        ordinal,
        bytes: 100,
        flags: 0,
    }
}

impl Bench {
    fn answer(&mut self, at: SimTime) -> Batch {
        self.harness.run_until(at + SimDuration::from_millis(1));
        let calls = self.harness.take_calls();
        calls.into_iter().next().expect("an answer").batch
    }
    fn send(&mut self, at: SimTime, records: Vec<Record>) -> Batch {
        self.post(at, records);
        self.answer(at)
    }
    fn post(&mut self, at: SimTime, records: Vec<Record>) {
        self.post_by(at, PutApi::SendMessageBatch, records);
    }
    fn post_single(&mut self, at: SimTime, record: Record) {
        self.post_by(at, PutApi::SendMessage, vec![record]);
    }
    fn post_by(&mut self, at: SimTime, api: PutApi, records: Vec<Record>) {
        let bytes = records.iter().map(|record| u64::from(record.bytes)).sum();
        let envelope = Envelope::Put(PutCall {
            producer: ProducerId(0),
            target: Destination::Queue(ME),
            api,
            cohort: false,
            attempt: 1,
            resends: 0,
            retry_cost: 0,
            first_sent_at: at,
            sent_at: at,
            received_at: at,
            refused: 0,
            error: None,
            library: None,
        });
        let batch = Batch {
            records,
            bytes,
            envelope,
            ..Batch::default()
        };
        self.harness.send(at, batch, |batch| {
            world::Event::Queue(ME, Event::SendReceived { batch })
        });
    }
    fn call(&mut self, at: SimTime, action: QueueAction, batch: Batch) {
        let envelope = Envelope::Queue(QueueCall {
            consumer: QueueConsumer::Fleet(FleetId(0)),
            worker: 0,
            action,
            waited: false,
            error: None,
        });
        self.harness.send(at, Batch { envelope, ..batch }, |batch| {
            world::Event::Queue(ME, Event::CallReceived { batch })
        });
    }
    fn receive(&mut self, at: SimTime, max: u8) -> Batch {
        let action = QueueAction::Receive {
            max,
            wait: None,
            visibility: None,
            attempt: None,
        };
        self.call(at, action, Batch::default());
        self.answer(at)
    }
    /// A receive with all its parameters; the answers that have come by a millisecond later.
    fn ask(&mut self, at: SimTime, max: u8, wait: u64, visibility: Option<u64>) -> Vec<Batch> {
        let action = QueueAction::Receive {
            max,
            wait: Some(SimDuration::from_secs(wait)),
            visibility: visibility.map(SimDuration::from_secs),
            attempt: None,
        };
        self.call(at, action, Batch::default());
        self.harness.run_until(at + SimDuration::from_millis(1));
        self.answers()
    }
    /// The answers to receives that have come since the last time, in order.
    fn answers(&mut self) -> Vec<Batch> {
        let calls = self.harness.take_calls().into_iter().map(|call| call.batch);
        calls
            .filter(|batch| matches!(batch.envelope, Envelope::Queue(_)))
            .collect()
    }
    /// Messages come from a queue whose dead-letter queue this is, with the times when they were sent there and how often
    /// they have been received.
    fn move_here(&mut self, at: SimTime, messages: &[(Record, u64)]) {
        let batch = Batch {
            records: messages.iter().map(|(record, _)| *record).collect(),
            positions: messages.iter().map(|(_, receives)| *receives).collect(),
            envelope: Envelope::Moved(QueueId(7)),
            ..Batch::default()
        };
        self.harness
            .send(at, batch, |batch| world::Event::Queue(ME, Event::MovedHere { batch }));
        self.harness.run_until(at);
    }
    /// What the queue has stated since the last time.
    fn stated(&mut self) -> Vec<QueueFact<'static>> {
        let notes = self.harness.take_notes().into_iter();
        let facts = notes.filter_map(|note| {
            if let Fact::Queueing {
                fact: Queueing::Queue { fact, .. },
            } = note.fact
            {
                return Some(fact);
            }
            None
        });
        facts.collect()
    }
    fn change(&mut self, at: SimTime, timeout: u64, of: &Batch) -> bool {
        let timeout = SimDuration::from_secs(timeout);
        self.call(at, QueueAction::ChangeVisibility { timeout }, of.clone());
        self.answer(at).records[0].outcome() == Outcome::Accepted
    }
    fn delete(&mut self, at: SimTime, of: &Batch) -> bool {
        self.call(at, QueueAction::Delete, of.clone());
        self.answer(at).records[0].outcome() == Outcome::Accepted
    }
    fn state(&self) -> (u64, u64, u64) {
        let QueueState {
            available,
            delayed,
            in_flight,
        } = self.harness.component.1.state();
        (available, delayed, in_flight)
    }
}

/// Part of a batch, for a call about it.
fn part(batch: &Batch, which: core::ops::Range<usize>) -> Batch {
    Batch {
        records: batch.records[which.clone()].to_vec(),
        positions: batch.positions[which].to_vec(),
        ..Batch::default()
    }
}
fn messages(key: u32, ordinals: core::ops::Range<u32>) -> Vec<Record> {
    ordinals.map(|ordinal| message(key, ordinal)).collect()
}
fn ordinals(batch: &Batch) -> Vec<u32> {
    batch.records.iter().map(|record| record.ordinal).collect()
}
fn error(batch: &Batch) -> Option<ServiceError> {
    if let Envelope::Put(call) = batch.envelope {
        return call.error;
    }
    if let Envelope::Queue(call) = batch.envelope {
        return call.error;
    }
    None
}

/// SQS-L-08.
#[test]
fn sqs_l_07_sqs_l_08_a_receive_hides_a_message_until_its_timeout_is_over() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    assert_eq!(bench.state(), (1, 0, 0));
    assert_eq!(ordinals(&bench.receive(seconds(2), 10)), [0]);
    assert_eq!(bench.state(), (0, 0, 1));
    assert!(bench.receive(seconds(31), 10).records.is_empty());
    let again = bench.receive(seconds(33), 10);
    assert_eq!(again.records[0].attempt(), 2, "the second receive (SQS-L-18)");
}

#[test]
fn sqs_l_01_a_delayed_message_becomes_available_after_its_delay() {
    let mut bench = bench(&QueueBlueprint {
        delay: SimDuration::from_secs(10),
        ..blueprint()
    });
    bench.send(seconds(1), vec![message(0, 0)]);
    assert_eq!(bench.state(), (0, 1, 0));
    assert!(bench.receive(seconds(10), 10).records.is_empty());
    assert_eq!(ordinals(&bench.receive(seconds(11), 10)), [0]);
}

/// SQS-L-12, SQS-E-01, SQS-E-02: neither a receive nor an extension prolongs the retention, and what is in flight goes
/// with the rest. SQS-E-03: its delete is a success.
#[test]
fn sqs_l_12_retention_ends_a_message_in_whatever_state() {
    let mut bench = bench(&QueueBlueprint {
        retention: SimDuration::from_secs(60),
        ..blueprint()
    });
    bench.send(seconds(1), vec![message(0, 0), message(0, 1)]);
    let held = bench.receive(seconds(50), 1);
    bench.change(seconds(55), 100, &held);
    bench.harness.run_until(seconds(60));
    assert_eq!(bench.state(), (1, 0, 1));
    bench.harness.run_until(seconds(61));
    assert_eq!(bench.state(), (0, 0, 0));
    assert!(bench.delete(seconds(62), &held));
}

/// SQS-V-07.
#[test]
fn sqs_v_06_sqs_v_07_a_change_counts_from_the_call_and_zero_releases() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    let held = bench.receive(seconds(2), 1);
    assert!(bench.change(seconds(20), 40, &held));
    assert!(bench.receive(seconds(59), 1).records.is_empty());
    let second = bench.receive(seconds(61), 1);
    assert_eq!(ordinals(&second), [0]);
    assert!(bench.change(seconds(62), 0, &second));
    assert_eq!(ordinals(&bench.receive(seconds(63), 1)), [0]);
}

/// SQS-V-12.
#[test]
fn sqs_v_10_sqs_v_12_a_change_beyond_twelve_hours_is_refused_and_changes_nothing() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    let held = bench.receive(seconds(2), 1);
    assert!(!bench.change(seconds(12), 43_191, &held));
    assert!(bench.change(seconds(13), 43_189, &held), "eleven seconds have passed");
}

/// SQS-V-14.
#[test]
fn sqs_v_13_sqs_v_14_a_delete_after_the_timeout_succeeds_but_for_fifo() {
    for (blueprint, succeeds) in [(blueprint(), true), (fifo(), false)] {
        let mut bench = bench(&blueprint);
        bench.send(seconds(1), vec![message(0, 0)]);
        let held = bench.receive(seconds(2), 1);
        assert_eq!(bench.delete(seconds(40), &held), succeeds);
        assert_eq!(bench.state(), (u64::from(!succeeds), 0, 0));
    }
}

#[test]
fn sqs_v_16_a_second_delete_is_a_success() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    let held = bench.receive(seconds(2), 1);
    assert!(bench.delete(seconds(3), &held));
    // Another message has come, which the old handle does not touch.
    bench.send(seconds(4), vec![message(0, 1)]);
    assert!(bench.delete(seconds(5), &held));
    assert_eq!(bench.state(), (1, 0, 0));
}

#[test]
fn sqs_v_18_a_handle_that_was_never_issued_is_refused() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    let mut held = bench.receive(seconds(2), 1);
    held.positions[0] += 1;
    assert!(!bench.delete(seconds(3), &held));
}

#[test]
fn sqs_v_21_an_old_handle_releases_what_a_later_receive_holds() {
    let mut bench = bench(&blueprint());
    bench.send(seconds(1), vec![message(0, 0)]);
    let zombie = bench.receive(seconds(2), 1);
    bench.receive(seconds(40), 1);
    assert!(bench.change(seconds(41), 0, &zombie));
    assert_eq!(bench.state(), (1, 0, 0));
}

/// SQS-R-11, SQS-R-12, SQS-R-13: a long poll ends with the first message, or empty with its wait. SQS-R-15: only one of
/// several gets it.
#[test]
fn sqs_r_12_a_long_poll_waits() {
    let mut bench = bench(&blueprint());
    let action = QueueAction::Receive {
        max: 10,
        wait: Some(SimDuration::from_secs(20)),
        visibility: None,
        attempt: None,
    };
    bench.call(seconds(1), action, Batch::default());
    bench.call(seconds(2), action, Batch::default());
    bench.harness.run_until(seconds(9));
    assert!(bench.harness.take_calls().is_empty());
    bench.send(seconds(10), vec![message(0, 0)]);
    bench.harness.run_until(seconds(23));
    let late = bench.harness.take_calls();
    assert_eq!(late.len(), 1);
    assert!(late[0].batch.records.is_empty());
    assert_eq!(late[0].at.as_millis(), 22_000);
    assert_eq!(bench.state(), (0, 0, 1));
}

#[test]
fn sqs_b_03_sqs_b_08_sqs_b_10_limits_of_a_batch() {
    let mut bench = bench(&QueueBlueprint {
        maximum_message_size: 1_024,
        ..blueprint()
    });
    let eleven = bench.send(seconds(1), (0..11).map(|number| message(0, number)).collect());
    assert_eq!(error(&eleven), Some(ServiceError::TooManyEntriesInBatchRequest));
    let large = |bytes, ordinal| Record {
        bytes,
        ..message(0, ordinal)
    };
    let heavy = bench.send(seconds(2), vec![large(600_000, 0), large(600_000, 1)]);
    assert_eq!(error(&heavy), Some(ServiceError::BatchRequestTooLong));
    let mixed = bench.send(seconds(3), vec![large(1_024, 0), large(1_025, 1)]);
    let outcomes: Vec<Outcome> = mixed.records.iter().map(Record::outcome).collect();
    assert_eq!(outcomes, [Outcome::Accepted, Outcome::Failed]);
    assert_eq!(bench.state(), (1, 0, 0));
}

/// SQS-L-11.
#[test]
fn sqs_d_01_sqs_d_02_the_receive_after_the_last_one_moves_the_message() {
    let mut bench = bench(&QueueBlueprint {
        redrive: Some(RedrivePolicy {
            dead_letter_queue: "dead".to_owned(),
            max_receive_count: 2,
        }),
        ..blueprint()
    });
    bench.send(seconds(1), vec![message(0, 0)]);
    assert_eq!(bench.receive(seconds(2), 1).records.len(), 1);
    assert_eq!(bench.receive(seconds(40), 1).records.len(), 1);
    bench.harness.run_until(seconds(100));
    assert_eq!(bench.state(), (1, 0, 0), "nobody polls: it stays (SQS-D-02)");
    bench.call(
        seconds(101),
        QueueAction::Receive {
            max: 1,
            wait: None,
            visibility: None,
            attempt: None,
        },
        Batch::default(),
    );
    bench.harness.run_until(seconds(102));
    let calls = bench.harness.take_calls();
    let moved = calls
        .iter()
        .find(|call| matches!(call.batch.envelope, Envelope::Moved(_)))
        .expect("a move");
    assert_eq!(
        (ordinals(&moved.batch), moved.batch.positions.as_slice()),
        (vec![0], &[2_u64][..])
    );
    assert_eq!(bench.state(), (0, 0, 0));
}

/// SQS-F-06, SQS-F-13, SQS-F-11: the rest of a group waits behind what is in flight of it, and other groups do not.
/// SQS-Y-06.
#[test]
fn sqs_f_06_a_group_waits_behind_its_hidden_messages() {
    let mut bench = bench(&fifo());
    bench.send(
        seconds(1),
        vec![message(0, 0), message(0, 1), message(0, 2), message(1, 7)],
    );
    let two = bench.receive(seconds(2), 2);
    assert_eq!(ordinals(&two), [0, 1]);
    assert_eq!(ordinals(&bench.receive(seconds(3), 10)), [7]);
    assert!(bench.receive(seconds(4), 10).records.is_empty());
    let half = Batch {
        records: two.records[..1].to_vec(),
        positions: two.positions[..1].to_vec(),
        ..Batch::default()
    };
    assert!(bench.delete(seconds(5), &half));
    assert!(bench.receive(seconds(6), 10).records.is_empty(), "SQS-F-11");
    let rest = Batch {
        records: two.records[1..].to_vec(),
        positions: two.positions[1..].to_vec(),
        ..Batch::default()
    };
    assert!(bench.delete(seconds(7), &rest));
    assert_eq!(ordinals(&bench.receive(seconds(8), 10)), [2], "SQS-F-10");
}

/// SQS-F-14.
#[test]
fn sqs_f_12_sqs_f_14_a_response_takes_one_group_after_the_other() {
    let mut bench = bench(&fifo());
    bench.send(
        seconds(1),
        vec![message(0, 0), message(1, 5), message(0, 1), message(1, 6)],
    );
    assert_eq!(ordinals(&bench.receive(seconds(2), 3)), [0, 1, 5]);
}

/// SQS-U-05.
#[test]
fn sqs_u_03_sqs_u_05_sqs_u_06_a_known_id_is_swallowed_for_five_minutes() {
    let mut bench = bench(&fifo());
    bench.send(seconds(1), vec![message(0, 0)]);
    let held = bench.receive(seconds(2), 1);
    assert!(bench.delete(seconds(3), &held));
    let repeated = bench.send(seconds(300), vec![message(0, 0)]);
    assert_eq!(
        (error(&repeated), repeated.records[0].outcome()),
        (None, Outcome::Accepted)
    );
    assert_eq!(bench.state(), (0, 0, 0));
    bench.send(seconds(301), vec![message(0, 0)]);
    assert_eq!(bench.state(), (1, 0, 0));
}

#[test]
fn sqs_t_01_sqs_t_04_a_fifo_queue_takes_300_calls_a_second_of_each_action() {
    let mut bench = bench(&fifo());
    let refused = |bench: &mut Bench, count: u64| -> usize {
        let at = seconds(1) + SimDuration::from_nanos(count);
        usize::from(error(&bench.receive(at, 1)) == Some(ServiceError::RequestThrottled))
    };
    let mut total = 0;
    for _ in 0..310 {
        let action = QueueAction::Receive {
            max: 1,
            wait: None,
            visibility: None,
            attempt: None,
        };
        bench.call(seconds(1), action, Batch::default());
    }
    bench.harness.run_until(seconds(1) + SimDuration::from_millis(1));
    for call in bench.harness.take_calls() {
        total += usize::from(error(&call.batch) == Some(ServiceError::RequestThrottled));
    }
    assert_eq!(total, 10);
    assert_eq!(refused(&mut bench, 2_000_000_000), 0);
}
