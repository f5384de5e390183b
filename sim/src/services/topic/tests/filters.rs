//! Filter policies.

use super::*;
use crate::blueprint::{Condition, FilterPolicy, FilterScope};
use crate::observe::topic_fact::FilterReason;

pub(super) fn policy(name: &str, value: &str) -> FilterPolicy {
    FilterPolicy {
        scope: FilterScope::MessageAttributes,
        names: vec![(
            name.to_owned(),
            vec![Condition::Is(AttributeValue::Text(value.to_owned()))],
        )],
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

/// Of ten events one is an order; the body of every other one says `urgent`.
fn shop() -> PublisherBlueprint {
    PublisherBlueprint {
        producer: "shop".to_owned(),
        attributes: vec![Attribute {
            name: "event".to_owned(),
            values: vec![(text("order"), 1), (text("view"), 8), (AttributeValue::Absent, 1)],
        }],
        body: vec![Attribute {
            name: "priority".to_owned(),
            values: vec![(text("urgent"), 1), (text("normal"), 1)],
        }],
    }
}

const EVENTS: u32 = 5_000;

fn publish_events(bench: &mut Bench) {
    for number in 0..EVENTS / 10 {
        let batch = (0..10).map(|entry| message(0, number * 10 + entry)).collect();
        bench.publish(millis(1 + u64::from(number)), batch);
    }
}

/// SQS-S-12, SQS-S-17: each subscription has its own policy or takes everything; what it does not accept does not reach the
/// queue and is counted.
#[test]
fn sqs_s_12_17_a_policy_is_a_subscriptions_own() {
    let mut plan = plan(3);
    plan.topic.publishers = vec![shop()];
    plan.subscriptions[1].filter = Some(policy("event", "order"));
    plan.subscriptions[2].filter = Some(policy("event", "view"));
    let mut bench = plan.bench();
    publish_events(&mut bench);
    let copies = bench.copies(SimTime::from_secs(60));
    let of = |queue| copies.iter().filter(|copy| copy.queue == QueueId(queue)).count();
    assert_eq!(of(0), 5_000);
    assert!((430..570).contains(&of(1)), "{}", of(1));
    assert!((3_900..4_100).contains(&of(2)), "{}", of(2));
    let mut filtered = [0; 3];
    let mut without = [0; 3];
    for (_, subscription, fact, records) in bench.stated() {
        if let NotificationFact::FilteredOut { reason, .. } = fact {
            filtered[usize::from(subscription.0)] += records.len();
            if reason == FilterReason::NoMessageAttributes {
                without[usize::from(subscription.0)] += records.len();
            }
        }
    }
    assert_eq!([of(0), of(1), of(2)].map(|got| 5_000 - got), filtered);
    // A message without attributes is told apart from one with others.
    assert!(
        without[1] == without[2] && (430..570).contains(&without[1]),
        "{without:?}"
    );
}

/// SQS-S-13: the body instead of the attributes.
#[test]
fn sqs_s_13_a_policy_looks_at_attributes_or_at_the_body() {
    let mut plan = plan(2);
    plan.topic.publishers = vec![shop()];
    for (subscription, scope) in [(0, FilterScope::MessageBody), (1, FilterScope::MessageAttributes)] {
        plan.subscriptions[subscription].filter = Some(FilterPolicy {
            scope,
            ..policy("priority", "urgent")
        });
    }
    let mut bench = plan.bench();
    publish_events(&mut bench);
    let copies = bench.copies(SimTime::from_secs(60));
    let of = |queue| copies.iter().filter(|copy| copy.queue == QueueId(queue)).count();
    assert!((2_350..2_650).contains(&of(0)), "{}", of(0));
    assert_eq!(of(1), 0, "there is no such attribute");
    let reasons = bench.stated();
    let by_body = reasons.iter().any(|(_, of, fact, _)| {
        *of == SubscriptionId(0)
            && matches!(
                fact,
                NotificationFact::FilteredOut {
                    reason: FilterReason::MessageBody,
                    ..
                }
            )
    });
    assert!(by_body);
}

/// All names must be allowed, each by one of its conditions.
#[test]
fn names_are_joined_by_and_and_values_by_or() {
    let mut plan = plan(2);
    let attribute = |name: &str, values: &[&str]| Attribute {
        name: name.to_owned(),
        values: values.iter().map(|value| (text(value), 1)).collect(),
    };
    plan.topic.publishers = vec![PublisherBlueprint {
        attributes: vec![
            attribute("colour", &["red", "green", "blue"]),
            attribute("size", &["small", "large"]),
        ],
        ..attributes(0)
    }];
    let conditions = |values: &[&str]| {
        values
            .iter()
            .map(|value| Condition::Is(text(value)))
            .collect::<Vec<_>>()
    };
    plan.subscriptions[0].filter = Some(FilterPolicy {
        scope: FilterScope::MessageAttributes,
        names: vec![
            ("colour".to_owned(), conditions(&["red", "green"])),
            ("size".to_owned(), conditions(&["large"])),
        ],
    });
    // A name that no message has is allowed only by `exists: false`.
    plan.subscriptions[1].filter = Some(FilterPolicy {
        scope: FilterScope::MessageAttributes,
        names: vec![("weight".to_owned(), vec![Condition::Exists(false)])],
    });
    let mut bench = plan.bench();
    publish_events(&mut bench);
    let copies = bench.copies(SimTime::from_secs(60));
    let of = |queue| copies.iter().filter(|copy| copy.queue == QueueId(queue)).count();
    assert!((1_550..1_780).contains(&of(0)), "two thirds of a half: {}", of(0));
    assert_eq!(of(1), 5_000);
}

/// A publisher that states nothing about its messages has no attributes.
#[test]
fn messages_of_an_unknown_publisher_have_no_attributes() {
    let mut plan = plan(1);
    plan.subscriptions[0].filter = Some(policy("event", "order"));
    let mut bench = plan.bench();
    bench.publish(millis(1), messages(10));
    assert_eq!(bench.copies(SimTime::from_secs(1)).len(), 0);
    assert!(bench.stated().iter().all(|(_, _, fact, records)| {
        records.len() == 10
            && matches!(
                fact,
                NotificationFact::FilteredOut {
                    reason: FilterReason::NoMessageAttributes,
                    ..
                }
            )
    }));
}

/// SQS-S-14: another policy is in effect within 15 minutes, not at once.
#[test]
fn sqs_s_14_another_policy_takes_effect_within_fifteen_minutes() {
    let mut latest = SimDuration::ZERO;
    for seed in 0..40_u64 {
        let mut plan = plan(1);
        plan.topic.publishers = vec![shop()];
        plan.subscriptions[0].name = format!("subscriber-{seed}");
        let mut bench = plan.bench();
        bench.harness.apply(|topics, cx| {
            topics.set_filter_policy(ME, SubscriptionId(0), Some(Arc::new(policy("event", "nothing"))), cx);
        });
        bench.harness.run_until(SimTime::from_secs(900));
        let changed: Vec<SimTime> = bench
            .stated()
            .iter()
            .filter(|(_, _, fact, _)| matches!(fact, NotificationFact::PolicyChanged))
            .map(|(at, ..)| *at)
            .collect();
        assert_eq!(changed.len(), 1);
        latest = latest.max(changed[0].since(SimTime::ZERO));
        bench.publish(SimTime::from_secs(901), messages(10));
        assert_eq!(bench.copies(SimTime::from_secs(910)).len(), 0, "it is in effect");
    }
    assert!(latest > SimDuration::from_minutes(10), "{latest}");
    let mut plan = plan(1);
    plan.model.topic.filter_change_time = Distribution::Constant(600e9);
    let mut bench = plan.bench();
    bench.harness.apply(|topics, cx| {
        topics.set_filter_policy(ME, SubscriptionId(0), Some(Arc::new(policy("event", "nothing"))), cx);
    });
    bench.publish(SimTime::from_secs(599), messages(10));
    assert_eq!(
        bench.copies(SimTime::from_secs(610)).len(),
        10,
        "it was not in effect yet"
    );
}
