//! Queues that do not take what they get.

use super::*;
use crate::observe::topic_fact::{DeliveryError, LossReason};

fn seconds(seconds: u64) -> SimTime {
    SimTime::from_secs(seconds)
}

/// The attempts of one message against a queue that never takes it, in milliseconds from the first.
fn attempts(plan: &Plan, error: ServiceError, until: SimTime) -> Vec<u64> {
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(1));
    let mut at = Vec::new();
    while bench.harness.now() < until {
        let next = (bench.harness.now() + SimDuration::from_millis(100)).min(until);
        for copy in bench.copies(next) {
            at.push(copy.at);
            let now = bench.harness.now();
            bench.reply(now, &copy, Some(error));
        }
    }
    let first = at[0];
    at.iter().map(|at| at.since(first).as_millis()).collect()
}

/// SQS-S-06: a queue that fails is tried again at once, after a second, after growing waits, and then every 20 seconds.
#[test]
fn sqs_s_06_a_server_side_error_is_tried_again_for_long() {
    for error in [
        ServiceError::InternalFailure,
        ServiceError::RequestThrottled,
        ServiceError::RequestTimeout,
    ] {
        let at = attempts(&plan(1), error, seconds(200));
        let waits: Vec<u64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
        // The answers come up to 100 ms later than the attempts.
        let wanted = [
            0, 0, 0, 1_000, 1_000, 1_000, 1_395, 1_946, 2_714, 3_786, 5_282, 7_368, 10_278, 14_338, 20_000,
        ];
        for (wait, wanted) in waits.iter().zip(wanted.iter().chain([20_000; 5].iter())) {
            assert!((*wanted..=wanted + 101).contains(wait), "{waits:?}");
        }
        assert!(waits.len() > 18, "{waits:?}");
    }
}

/// SQS-S-09: a client-side error is not retried: the queue's policy refuses the topic.
#[test]
fn sqs_s_09_a_client_side_error_is_not_retried() {
    let mut bench = plan(1).bench();
    bench
        .harness
        .apply(|topics, cx| topics.deny(ME, SubscriptionId(0), SimDuration::from_secs(60), cx));
    bench.publish(millis(1), messages(1));
    bench.publish(seconds(61), vec![message(0, 7)]);
    let copies = bench.copies(seconds(3_600));
    let arrived: Vec<u32> = copies.iter().map(|copy| copy.batch.records[0].ordinal).collect();
    assert_eq!(arrived, [7]);
    let stated = bench.stated();
    let refused = stated.iter().filter(|(_, _, fact, _)| {
        matches!(
            fact,
            NotificationFact::AttemptFailed {
                error: DeliveryError::AccessDenied,
                again_at: None,
                ..
            }
        )
    });
    assert_eq!(refused.count(), 1);
}

/// A message that the queue refuses for its size is not tried again either, and those beside it are delivered.
#[test]
fn sqs_s_09_a_message_too_large_for_its_queue_is_not_retried() {
    let mut bench = fifo(1, ThroughputScope::Topic).bench();
    bench.publish(millis(1), messages(3));
    let copies = bench.copies(millis(100));
    assert_eq!(copies.len(), 1);
    let mut answer = copies[0].batch.clone();
    answer.records[1].set_outcome(Outcome::Failed);
    answer.envelope = Envelope::Notification(copies[0].call);
    bench.harness.send(millis(101), answer, |batch| {
        world::Event::Topic(ME, Event::Answered { batch })
    });
    assert!(bench.copies(seconds(3_600)).is_empty());
    let facts = bench.stated();
    let delivered: Vec<_> = facts
        .iter()
        .filter(|(_, _, fact, _)| matches!(fact, NotificationFact::Delivered { .. }))
        .map(|(.., records)| identities(records))
        .collect();
    assert_eq!(delivered, [vec![(0, 0), (0, 2)]]);
    assert!(facts.iter().any(|(_, _, fact, records)| {
        matches!(
            fact,
            NotificationFact::Lost {
                reason: LossReason::NoDeadLetterQueue,
                ..
            }
        ) && identities(records) == [(0, 1)]
    }));
    assert_eq!(bench.undelivered(), (0, 0));
}

/// SQS-S-10, SQS-S-11: what is given up goes to the dead-letter queue of the subscription that has one; another one of the
/// same topic loses it.
#[test]
fn sqs_s_10_11_a_dead_letter_queue_belongs_to_a_subscription() {
    let mut plan = plan(3);
    plan.subscriptions[0].dead_letter_queue = Some("dead".to_owned());
    let mut bench = plan.bench();
    for subscription in [0, 1] {
        bench
            .harness
            .apply(|topics, cx| topics.deny(ME, SubscriptionId(subscription), SimDuration::from_secs(60), cx));
    }
    bench.publish(millis(1), messages(1));
    let copies = bench.copies(millis(500));
    let mut where_to: Vec<(QueueId, SubscriptionId)> =
        copies.iter().map(|copy| (copy.queue, copy.call.subscription)).collect();
    where_to.sort_unstable();
    assert_eq!(where_to, [(QueueId(2), SubscriptionId(2)), (DEAD, SubscriptionId(0))]);
    for copy in &copies {
        bench.reply(millis(501), copy, None);
    }
    bench.harness.run_until(millis(502));
    let ends: Vec<(SubscriptionId, &str)> = bench
        .stated()
        .iter()
        .filter_map(|(_, subscription, fact, _)| match fact {
            NotificationFact::Delivered { .. } => Some((*subscription, "delivered")),
            NotificationFact::DeadLettered { to, .. } if *to == DEAD => Some((*subscription, "dead-lettered")),
            NotificationFact::Lost { .. } => Some((*subscription, "lost")),
            _ => None,
        })
        .collect();
    for end in [(0, "dead-lettered"), (1, "lost"), (2, "delivered")] {
        assert!(ends.contains(&(SubscriptionId(end.0), end.1)), "{ends:?}");
    }
    assert_eq!(ends.len(), 3);
    assert_eq!(bench.undelivered(), (0, 0));
}

/// SQS-S-07, SQS-S-10: after 23 days and 100,015 further attempts the message goes to the dead-letter queue.
#[test]
fn sqs_s_07_10_an_exhausted_policy_ends_in_the_dead_letter_queue() {
    let mut plan = plan(1);
    plan.subscriptions[0].dead_letter_queue = Some("dead".to_owned());
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(1));
    let (mut attempts, mut last) = (0_u32, millis(0));
    loop {
        let Some(copy) = bench.copies(bench.harness.now() + SimDuration::from_secs(21)).pop() else {
            panic!("no attempt after {last}")
        };
        if copy.queue == DEAD {
            assert_eq!(copy.call.attempt, 1);
            break;
        }
        attempts += 1;
        last = copy.at;
        let now = bench.harness.now();
        // The answer comes when the next second of looking begins, so the waits are a little longer than they need be.
        bench.reply(now, &copy, Some(ServiceError::InternalFailure));
    }
    assert_eq!(attempts, 1 + 100_015);
}

/// A failure on the way to the dead-letter queue is tried again like any other; an error of the client's side loses it.
#[test]
fn a_dead_letter_queue_that_fails_is_tried_again() {
    let mut plan = plan(1);
    plan.subscriptions[0].dead_letter_queue = Some("dead".to_owned());
    let mut bench = plan.bench();
    bench
        .harness
        .apply(|topics, cx| topics.deny(ME, SubscriptionId(0), SimDuration::from_secs(60), cx));
    bench.publish(millis(1), messages(1));
    let copies = bench.copies(millis(100));
    bench.reply(millis(101), &copies[0], Some(ServiceError::InternalFailure));
    let again = bench.copies(millis(102));
    assert_eq!((again.len(), again[0].queue, again[0].call.attempt), (1, DEAD, 2));
    bench.reply(millis(103), &again[0], Some(ServiceError::InvalidArgument));
    bench.harness.run_until(millis(104));
    let lost = bench.stated().into_iter().any(|(_, _, fact, _)| {
        matches!(
            fact,
            NotificationFact::Lost {
                reason: LossReason::DeadLetterQueueFailed,
                ..
            }
        )
    });
    assert!(lost);
    assert_eq!(bench.undelivered(), (0, 0));
}
