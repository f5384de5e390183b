//! Attributes that change during a run, and purges.

use super::*;
use crate::observe::queue_fact::QueueChange;
use crate::queue_operation::{QueueAttribute, QueueOperation};

fn find(name: &str) -> Option<QueueId> {
    match name {
        "jobs" => Some(ME),
        "dead" => Some(QueueId(1)),
        "other" => Some(QueueId(2)),
        _ => None,
    }
}

impl Bench {
    pub(super) fn operate(&mut self, at: SimTime, operation: &QueueOperation) {
        self.operate_among(at, operation, 0);
    }
    /// With so many redrives in the account.
    pub(super) fn operate_among(&mut self, at: SimTime, operation: &QueueOperation, tasks: usize) {
        self.harness.run_until(at);
        self.harness
            .apply(|(me, queue), cx| queue.operate(*me, operation, (find, tasks), cx));
    }
    fn set(&mut self, at: SimTime, attribute: QueueAttribute) {
        self.operate(at, &QueueOperation::SetAttributes(vec![attribute]));
    }
    /// What of the control plane it has stated since the last time.
    pub(super) fn changes(&mut self) -> Vec<QueueChange> {
        let changes = self.stated().into_iter().filter_map(|fact| {
            if let QueueFact::Changed { change } = fact {
                return Some(change);
            }
            None
        });
        changes.collect()
    }
}

/// SQS-A-34, SQS-Z-26: another visibility timeout holds for receives once it has spread, within 60 s.
#[test]
fn sqs_a_34_an_attribute_is_in_effect_after_a_while() {
    let within_a_minute = Distribution::Uniform { low: 0.0, high: 60e9 };
    assert_eq!(ModelParameters::default().queue.attribute_propagation, within_a_minute);
    let mut model = still();
    model.queue.attribute_propagation = Distribution::Constant(40e9);
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.send(seconds(1), messages(0, 0..2));
    bench.set(
        seconds(10),
        QueueAttribute::VisibilityTimeout(SimDuration::from_secs(100)),
    );
    assert_eq!(ordinals(&bench.receive(seconds(45), 1)), [0]);
    assert_eq!(ordinals(&bench.receive(seconds(51), 1)), [1]);
    bench.harness.run_until(seconds(76));
    assert_eq!(bench.state(), (1, 0, 1), "the old timeout held at 45 s");
    bench.harness.run_until(seconds(150));
    assert_eq!(bench.state(), (1, 0, 1));
    bench.harness.run_until(seconds(152));
    assert_eq!(bench.state(), (2, 0, 0), "and the new one at 51 s");
}

/// SQS-A-35, SQS-A-36, SQS-Z-26: a shorter retention takes up to 15 minutes to hold, and then what is stored expires too.
#[test]
fn sqs_a_36_a_shorter_retention_expires_what_is_stored() {
    let within_a_quarter = Distribution::Uniform { low: 0.0, high: 900e9 };
    assert_eq!(ModelParameters::default().queue.retention_propagation, within_a_quarter);
    let mut model = still();
    model.queue.retention_propagation = Distribution::Constant(900e9);
    let mut bench = bench_of(&blueprint(), Profile::Current, &model);
    bench.send(seconds(1), messages(0, 0..1));
    bench.set(
        seconds(1_000),
        QueueAttribute::MessageRetentionPeriod(SimDuration::from_secs(60)),
    );
    bench.send(seconds(1_850), messages(0, 1..2));
    bench.harness.run_until(seconds(1_899));
    assert_eq!(bench.state(), (2, 0, 0));
    bench.stated();
    bench.harness.run_until(seconds(1_901));
    assert_eq!(bench.state(), (1, 0, 0));
    let expired = |fact: &QueueFact| matches!(fact, QueueFact::Expired { messages: 1, .. });
    assert!(bench.stated().iter().any(expired));
    bench.harness.run_until(seconds(1_911));
    assert_eq!(bench.state(), (0, 0, 0), "the younger one a minute after its send");
}

/// SQS-A-37, SQS-A-38: a new delay holds for what is delayed already in a FIFO queue, not in a standard one.
#[test]
fn sqs_a_37_a_new_delay_is_retroactive_in_a_fifo_queue_only() {
    for (queue, old, new, until) in [
        (blueprint(), 100, 10, 101),
        (blueprint(), 10, 100, 11),
        (fifo(), 100, 10, 11),
        (fifo(), 10, 100, 101),
        (fifo(), 100, 2, 5),
    ] {
        let mut bench = bench(&QueueBlueprint {
            delay: SimDuration::from_secs(old),
            ..queue
        });
        bench.send(seconds(1), messages(0, 0..1));
        bench.set(seconds(5), QueueAttribute::DelaySeconds(SimDuration::from_secs(new)));
        if until > 5 {
            bench.harness.run_until(seconds(until).saturating_sub(SimDuration::MIN));
            assert_eq!(bench.state(), (0, 1, 0), "{old} s, then {new} s");
        }
        bench.harness.run_until(seconds(until) + SimDuration::MIN);
        assert_eq!(bench.state(), (1, 0, 0), "{old} s, then {new} s");
        bench.send(seconds(200), messages(0, 1..2));
        bench.harness.run_until(seconds(200 + new) + SimDuration::MIN);
        assert_eq!(bench.state(), (2, 0, 0), "what comes later has the new one");
    }
}

/// SQS-A-12: without its redrive policy a queue returns what it would have moved.
#[test]
fn sqs_a_12_a_redrive_policy_is_removed_and_set() {
    let policy = RedrivePolicy {
        dead_letter_queue: "other".to_owned(),
        max_receive_count: 1,
    };
    let mut bench = bench(&QueueBlueprint {
        redrive: Some(policy.clone()),
        ..blueprint()
    });
    bench.send(seconds(1), messages(0, 0..1));
    bench.receive(seconds(2), 1);
    bench.set(seconds(3), QueueAttribute::RedrivePolicy(None));
    assert_eq!(ordinals(&bench.receive(seconds(40), 1)), [0]);
    bench.set(seconds(41), QueueAttribute::RedrivePolicy(Some(policy)));
    bench.ask(seconds(80), 1, 0, None);
    assert_eq!(bench.state(), (0, 0, 0));
    let to_other = |fact: &QueueFact| matches!(fact, QueueFact::DeadLettered { to: QueueId(2), .. });
    assert!(
        bench.stated().iter().any(to_other),
        "to the queue that the new policy names"
    );
}

/// SQS-A-04, SQS-A-05: the other attributes change alike.
#[test]
fn wait_and_largest_message_change() {
    let mut bench = bench(&blueprint());
    let large = Record {
        bytes: 5_000,
        ..message(0, 0)
    };
    bench.set(seconds(1), QueueAttribute::MaximumMessageSize(4_999));
    assert!(!bench.send(seconds(2), vec![large, message(0, 1)]).records[0].is_accepted());
    bench.set(
        seconds(3),
        QueueAttribute::ReceiveMessageWaitTimeSeconds(SimDuration::from_secs(20)),
    );
    let held = bench.receive(seconds(4), 10);
    assert_eq!(ordinals(&held), [1]);
    let action = QueueAction::Receive {
        max: 1,
        wait: None,
        visibility: None,
        attempt: None,
    };
    bench.call(seconds(5), action, Batch::default());
    bench.harness.run_until(seconds(24));
    assert!(bench.answers().is_empty(), "it waits");
}

/// SQS-U-09: for seconds after a change of the scope the old one still holds; SQS-A-34 explains it.
#[test]
fn sqs_u_09_the_old_scope_holds_until_the_new_one_has_spread() {
    let mut model = still();
    model.queue.attribute_propagation = Distribution::Constant(40e9);
    let mut bench = bench_of(&by_ordinal(fifo()), Profile::Current, &model);
    bench.send(seconds(1), messages(0, 0..1));
    let change = QueueAttribute::DeduplicationScope(DeduplicationScope::MessageGroup);
    bench.set(seconds(2), change);
    bench.send(seconds(5), messages(1, 0..1));
    assert_eq!(bench.state(), (1, 0, 0), "the ID is known in the whole queue");
    bench.send(seconds(43), messages(1, 0..1));
    assert_eq!(bench.state(), (2, 0, 0), "and now in its group only");
}

/// SQS-P-01, SQS-P-03, SQS-P-04, SQS-Z-27: until a purge is done its messages can be received, and what is sent meanwhile
/// may go with them. SQS-P-05: nothing of it goes to the dead-letter queue.
#[test]
fn sqs_p_03_a_purge_takes_its_time() {
    let within_a_minute = Distribution::Uniform { low: 0.0, high: 60e9 };
    assert_eq!(ModelParameters::default().queue.purge_time, within_a_minute);
    let mut model = still();
    model.queue.purge_time = Distribution::Constant(30e9);
    let mut bench = bench_of(
        &QueueBlueprint {
            redrive: Some(RedrivePolicy {
                dead_letter_queue: "dead".to_owned(),
                max_receive_count: 1,
            }),
            ..blueprint()
        },
        Profile::Current,
        &model,
    );
    bench.send(seconds(1), messages(0, 0..5));
    bench.operate(seconds(10), &QueueOperation::Purge);
    assert_eq!(ordinals(&bench.receive(seconds(20), 2)), [0, 1], "SQS-P-03");
    for batch in 0..100 {
        let at = seconds(25) + SimDuration::from_millis(5 * u64::from(batch));
        bench.send(at, messages(1, batch * 10..batch * 10 + 10));
    }
    bench.stated();
    bench.harness.run_until(seconds(39));
    assert_eq!(bench.state(), (1_003, 0, 2));
    bench.harness.run_until(seconds(41));
    let (left, _, in_flight) = bench.state();
    assert_eq!(in_flight, 0);
    assert!((400..600).contains(&left), "{left} of 1,000 (SQS-P-04)");
    let stated = bench.stated();
    let purged = |fact: &QueueFact| matches!(fact, QueueFact::Purged { messages } if *messages == 1_005 - left);
    let moved = |fact: &QueueFact| matches!(fact, QueueFact::DeadLettered { .. });
    assert!(stated.iter().any(purged) && !stated.iter().any(moved), "SQS-P-05");
    bench.send(seconds(50), messages(2, 0..7));
    bench.harness.run_until(seconds(100));
    assert_eq!(bench.state().0, left + 7, "it is over");
}

/// SQS-P-02: and the error of a second one is PurgeQueueInProgress.
#[test]
fn sqs_p_02_a_second_purge_within_a_minute_is_refused() {
    let mut bench = bench(&blueprint());
    bench.operate(seconds(10), &QueueOperation::Purge);
    bench.send(seconds(20), messages(0, 0..3));
    bench.changes();
    bench.operate(seconds(69), &QueueOperation::Purge);
    let error = ServiceError::PurgeQueueInProgress;
    assert_eq!(bench.changes(), [QueueChange::Refused { error }]);
    assert_eq!((bench.state(), error.name()), ((3, 0, 0), "PurgeQueueInProgress"));
    bench.operate(seconds(70), &QueueOperation::Purge);
    assert_eq!(bench.state(), (0, 0, 0));
}
