//! Topics, subscriptions and filter policies.

use crate::support::{and, check, lines, loaded};
use scenarios::{LoadOptions, NoTraces, load};
use sim::blueprint::{
    AttributeValue, Blueprint, Condition, Decimal, FilterPolicy, FilterScope, PutApi, ThroughputScope, TopicAccount,
};
use sim::command::Command;
use sim::engine::time::{SimDuration, SimTime};

/// A standard topic `orders` that `shop` publishes to; queue `billing`, FIFO queues `ordered` and `dead`.
fn scenario(more: &str) -> String {
    format!(
        r#"format = 1
duration = "10min"

[topic.orders]

[producer.shop]
target = "topic.orders"
arrivals = {{ poisson = "20/s" }}
keys = {{ uniform = 5 }}
size = "300B"

[queue.billing]

[queue.ordered]
FifoQueue = true

[queue.dead]
FifoQueue = true

{more}
"#
    )
}
fn errors(text: &str) -> Vec<String> {
    let (_, diagnostics) = load(text, "test", &LoadOptions::default(), &NoTraces);
    let mut lines = lines(&diagnostics, text, &LoadOptions::default());
    lines.retain(|line| line.starts_with('E'));
    lines
}
fn subscribed(properties: &str) -> Blueprint {
    let text = scenario(&format!(
        "[subscription.billing]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"\n{properties}"
    ));
    loaded(&text).blueprint
}
fn policy(json: &str, more: &str) -> FilterPolicy {
    let blueprint = subscribed(&format!("FilterPolicy = '{json}'\n{more}"));
    let filter = &blueprint.subscriptions[0].filter;
    filter.clone().expect("it has one")
}
fn text(text: &str) -> AttributeValue {
    AttributeValue::Text(text.to_owned())
}

#[test]
fn a_topic_and_its_subscription_are_read() {
    let blueprint = subscribed("RawMessageDelivery = true\ncreated_at = \"2min\"");
    let topic = &blueprint.topics[0];
    assert_eq!((topic.fifo, topic.maximum_message_size), (None, 262_144));
    let one = &blueprint.subscriptions[0];
    assert_eq!(
        (one.topic.as_str(), one.queue.as_str(), one.raw),
        ("orders", "billing", true)
    );
    assert_eq!(one.created_at, SimTime::from_secs(120));
    assert_eq!((one.filter.clone(), one.dead_letter_queue.clone()), (None, None));
    let shop = &blueprint.producers[0];
    // SQS-S-20: a batch holds ten messages, and as much as one message may have.
    assert_eq!(
        (shop.api, shop.max_batch_records, shop.max_batch_bytes),
        (PutApi::PublishBatch, 10, 262_144)
    );
}

/// SQS-S-13: attributes unless the scope says body.
#[test]
fn sqs_s_13_filter_policies_are_read_in_the_syntax_of_aws() {
    let all = policy(
        r#"{"event": ["order", 3, {"prefix": "re"}, {"suffix": "ed"}], "other": [{"anything-but": ["a", 1.5]}, {"anything-but": {"prefix": "x"}}], "price": [{"numeric": [">", 1, "<=", 9.5]}, {"numeric": ["=", 4]}], "gift": [{"exists": false}], "name": [{"equals-ignore-case": "Ann"}]}"#,
        "",
    );
    assert_eq!(all.scope, FilterScope::MessageAttributes);
    let of = |name: &str| {
        let found = all.names.iter().find(|(known, _)| known == name);
        found.map(|(_, conditions)| conditions.clone()).expect("it is there")
    };
    let number = |parts| AttributeValue::Number(Decimal(parts));
    assert_eq!(
        of("event"),
        [
            Condition::Is(text("order")),
            Condition::Is(number(300_000)),
            Condition::Prefix("re".to_owned()),
            Condition::Suffix("ed".to_owned()),
        ]
    );
    assert_eq!(
        of("other"),
        [
            Condition::AnythingBut(vec![text("a"), number(150_000)]),
            Condition::AnythingButPrefix("x".to_owned()),
        ]
    );
    assert_eq!(
        of("price"),
        [
            Condition::Within {
                from: Some((Decimal(100_000), false)),
                to: Some((Decimal(950_000), true)),
            },
            Condition::Is(number(400_000)),
        ]
    );
    assert_eq!(of("gift"), [Condition::Exists(false)]);
    assert_eq!(of("name"), [Condition::IsInAnyCase("Ann".to_owned())]);
    let body = policy(r#"{"order": {"kind": ["new"]}}"#, "FilterPolicyScope = \"MessageBody\"");
    assert_eq!(body.scope, FilterScope::MessageBody);
    assert_eq!(
        body.names,
        [("order.kind".to_owned(), vec![Condition::Is(text("new"))])]
    );
}

/// SQS-S-15: at most five names, 150 combinations and 256 KB.
#[test]
fn sqs_s_15_filter_policies_have_limits() {
    let list = |count: usize| (0..count).map(|value| value.to_string()).collect::<Vec<_>>().join(", ");
    let named = |count: usize| {
        let names = (0..count).map(|name| format!("\"name-{name}\": [1]"));
        names.collect::<Vec<_>>().join(", ")
    };
    let refused = |json: &str| {
        let text = scenario(&format!(
            "[subscription.billing]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"\nFilterPolicy = '{json}'"
        ));
        let errors = errors(&text);
        assert!(errors.len() <= 1, "{errors:?}");
        errors.first().cloned()
    };
    assert_eq!(refused(&format!("{{{}}}", named(5))), None);
    let names = refused(&format!("{{{}}}", named(6))).expect("one too many");
    assert!(
        names.contains("E0211") && names.contains("6 names, 5 are allowed"),
        "{names}"
    );
    let combined = |one: usize, other: usize| format!("{{\"a\": [{}], \"b\": [{}]}}", list(one), list(other));
    assert_eq!(refused(&combined(15, 10)), None);
    let combinations = refused(&combined(151, 1)).expect("one too many");
    assert!(
        combinations.contains("151 combinations of values, 150 are allowed"),
        "{combinations}"
    );
    let long = |bytes: usize| format!("{{\"a\": [\"{}\"]}}", "x".repeat(bytes - 11));
    assert_eq!(refused(&long(262_144)), None);
    let bytes = refused(&long(262_145)).expect("one too many");
    assert!(bytes.contains("262145 bytes, 262144 are allowed"), "{bytes}");
}

/// SQS-S-16, SQS-S-35: as many policies as a topic may have, and not one more.
#[test]
fn sqs_s_16_a_topic_has_two_hundred_filter_policies() {
    let with = |count: usize| {
        let each = (0..count).map(|number| {
            format!(
                "[subscription.number-{number}]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"\nFilterPolicy = '{{\"a\": [1]}}'\n"
            )
        });
        errors(&scenario(&each.collect::<String>()))
    };
    assert_eq!(with(200), [""; 0]);
    let refused = with(201);
    assert!(
        refused[0].contains("more than 200 filter policies of a topic"),
        "{refused:?}"
    );
    assert!(refused[0].contains("SQS-S-16"), "{refused:?}");
    assert_eq!(sim::services::topic::quotas::FILTERS_OF_AN_ACCOUNT_MAX, 10_000);
}

/// SQS-S-19: a topic with larger messages than the default has a hundred subscriptions at most, and only of queues here.
#[test]
fn sqs_s_19_a_topic_with_large_messages_has_a_hundred_subscriptions() {
    let with = |count: usize, size: u32| {
        let each = (0..count).map(|number| {
            format!("[subscription.number-{number}]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"\n")
        });
        let text = scenario(&each.collect::<String>());
        errors(&text.replace(
            "[topic.orders]\n",
            &format!("[topic.orders]\nMaximumMessageSize = {size}\n"),
        ))
    };
    assert_eq!(with(100, 262_145), [""; 0]);
    assert_eq!(with(101, 262_144), [""; 0]);
    let refused = with(101, 262_145);
    assert!(
        refused[0].contains("more than 100 subscriptions of a topic with large messages"),
        "{refused:?}"
    );
}

/// SQS-S-35: a thousand FIFO topics in an account.
#[test]
fn sqs_s_35_an_account_has_a_thousand_fifo_topics() {
    let with = |count: usize| {
        let each = (0..count).map(|number| format!("[topic.number-{number}]\nFifoTopic = true\n"));
        errors(&scenario(&each.collect::<String>()))
    };
    assert_eq!(with(1_000), [""; 0]);
    let refused = with(1_001);
    assert!(refused[0].contains("more than 1000 FIFO topics"), "{refused:?}");
    assert_eq!(sim::services::topic::quotas::STANDARD_TOPICS_MAX, 100_000);
}

/// SQS-S-33: a standard topic cannot have a FIFO queue as subscriber.
#[test]
fn sqs_s_33_a_standard_topic_feeds_no_fifo_queue() {
    let text = scenario("[subscription.a]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.ordered\"");
    let refused = errors(&text);
    assert!(refused.len() == 1 && refused[0].contains("SQS-S-33"), "{refused:?}");
    let fifo = text.replace("[topic.orders]\n", "[topic.orders]\nFifoTopic = true\n");
    assert_eq!(errors(&fifo), [""; 0]);
}

/// SQS-S-32: a FIFO topic may feed standard queues now, and could not by the profile `exam`.
#[test]
fn sqs_s_32_a_fifo_topic_feeds_both_types_of_queues() {
    let text = scenario("[subscription.a]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"")
        .replace("[topic.orders]\n", "[topic.orders]\nFifoTopic = true\n");
    assert_eq!(errors(&text), [""; 0]);
    let exam = errors(&text.replace("format = 1\n", "format = 1\nprofile = \"exam\"\n"));
    assert!(exam.len() == 1 && exam[0].contains("SQS-S-32"), "{exam:?}");
}

/// SQS-S-34: the dead-letter queue of a FIFO topic's subscription is a FIFO queue.
#[test]
fn sqs_s_34_a_fifo_subscription_needs_a_fifo_dead_letter_queue() {
    let with = |dead: &str| {
        let text = scenario(&format!(
            "[subscription.a]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.ordered\"\nRedrivePolicy = {{ deadLetterTargetArn = \"queue.{dead}\" }}"
        ));
        errors(&text.replace("[topic.orders]\n", "[topic.orders]\nFifoTopic = true\n"))
    };
    assert_eq!(with("dead"), [""; 0]);
    let refused = with("billing");
    assert!(refused.len() == 1 && refused[0].contains("SQS-S-34"), "{refused:?}");
}

/// SQS-S-18, SQS-S-26, SQS-S-27: what the profile allows.
#[test]
fn sqs_s_18_27_message_size_and_throughput_follow_the_profile() {
    let topic = |properties: &str| {
        let text = scenario("").replace("[topic.orders]\n", &format!("[topic.orders]\n{properties}\n"));
        (loaded(&text).blueprint.topics[0].clone(), text)
    };
    let (large, text) = topic("MaximumMessageSize = 1048576");
    assert_eq!(large.maximum_message_size, 1_048_576);
    let beyond = errors(&text.replace("1048576", "1048577"));
    assert!(beyond[0].contains("E0205"), "{beyond:?}");
    let small = errors(&text.replace("1048576", "1023"));
    assert!(small[0].contains("E0205"), "{small:?}");
    let exam = errors(&text.replace("format = 1\n", "format = 1\nprofile = \"exam\"\n"));
    assert!(!exam.is_empty(), "it came with 2026");
    let (grouped, text) = topic("FifoTopic = true\nFifoThroughputScope = \"MessageGroup\"");
    assert_eq!(grouped.fifo, Some(ThroughputScope::MessageGroup));
    let exam = errors(&text.replace("format = 1\n", "format = 1\nprofile = \"exam\"\n"));
    assert!(exam.len() == 1 && exam[0].contains("SQS-S-27"), "{exam:?}");
}

#[test]
fn attributes_have_values_with_weights() {
    let text = scenario("").replace(
        "size = \"300B\"\n",
        "size = \"300B\"\nmessage_attributes = [{ name = \"event\", values = [{ text = \"order\" }, { number = 2.5, weight = 8 }, { absent = true }] }]\nbody_fields = [{ name = \"a.b\", values = [{ text = \"x\" }] }]\n",
    );
    let blueprint = loaded(&text).blueprint;
    let shop = &blueprint.topics[0].publishers[0];
    assert_eq!(shop.producer, "shop");
    assert_eq!(
        shop.attributes[0].values,
        [
            (text_of("order"), 1),
            (AttributeValue::Number(Decimal(250_000)), 8),
            (AttributeValue::Absent, 1)
        ]
    );
    assert_eq!(shop.body[0].name, "a.b");
}
fn text_of(value: &str) -> AttributeValue {
    text(value)
}

#[test]
fn interventions_break_queues_deny_subscriptions_and_change_policies() {
    let more = r#"
[[intervention]]
at = "1min"
break_queue = { queue = "queue.billing", lasts = "2min" }

[[intervention]]
at = "4min"
deny_subscription = { of = "subscription.billing", lasts = "30s" }

[[intervention]]
at = "5min"
filter_policy = { of = "subscription.billing", policy = '{"kind": ["new"]}' }

[[intervention]]
at = "6min"
filter_policy = { of = "subscription.billing" }
"#;
    let blueprint = subscribed(&format!(
        "FilterPolicy = '{{\"kind\": [\"old\"]}}'\nFilterPolicyScope = \"MessageBody\"\n{more}"
    ));
    let commands: Vec<&Command> = blueprint.interventions.iter().map(|one| &one.command).collect();
    let [
        Command::BreakQueue { queue, lasts },
        Command::DenySubscription { subscription, .. },
        Command::SetFilterPolicy {
            policy: Some(policy), ..
        },
        Command::SetFilterPolicy { policy: None, .. },
    ] = commands.as_slice()
    else {
        panic!("{commands:?}")
    };
    assert_eq!((queue.as_str(), *lasts), ("billing", SimDuration::from_minutes(2)));
    assert_eq!(subscription, "billing");
    assert_eq!(policy.scope, FilterScope::MessageBody, "the scope of the old one");
}

/// SQS-S-22, SQS-S-24: the quotas of the Region that the account names.
#[test]
fn the_region_of_the_account_sets_the_quotas() {
    let text = scenario("[account]\nRegion = \"eu-west-1\"");
    let account = loaded(&text).blueprint.topic_account;
    assert_eq!(
        account,
        TopicAccount {
            standard: 9_000,
            fifo: 9_000
        }
    );
    assert_eq!(
        loaded(&scenario("")).blueprint.topic_account,
        TopicAccount::in_region("us-east-1")
    );
}

#[test]
fn e0211_a_filter_policy_is_an_object_of_lists() {
    let text = and(
        "[topic.news]\n\n[producer.desk]\ntarget = \"topic.news\"\narrivals = { constant = \"1/s\" }\nkeys = { uniform = 1 }\nsize = \"1KB\"\n\n[queue.inbox]\n\n[subscription.inbox]\nTopicArn = \"topic.news\"\nEndpoint = \"queue.inbox\"\nFilterPolicy = '{\"kind\": \"new\"}'",
    );
    check(
        &text,
        &[
            "E0211 39 \"'{\\\"kind\\\": \\\"new\\\"}'\" `kind` of the filter policy has no list (in this policy) -> each name has a list of values or conditions, one of which must be met",
        ],
    );
}

/// A standard topic hands it on to standard queues only; in the profile `exam` there are no fair queues.
#[test]
fn sqs_q_19_a_message_group_id_goes_through_a_topic_to_standard_queues() {
    let grouped = |group: &str, profile: &str| {
        let subscriptions = "[subscription.one]\nTopicArn = \"topic.orders\"\nEndpoint = \"queue.billing\"\n";
        let text = scenario(subscriptions)
            .replace(
                "target = \"topic.orders\"\n",
                &format!("target = \"topic.orders\"\n{group}"),
            )
            .replace("duration", &format!("{profile}duration"));
        let queues = loaded(&text).blueprint.queues;
        queues
            .into_iter()
            .find(|queue| queue.name == "billing")
            .expect("it is there")
            .grouped
    };
    assert_eq!(grouped("MessageGroupId = \"key\"\n", ""), ["shop"]);
    assert_eq!(grouped("MessageGroupId = \"none\"\n", ""), [""; 0]);
    assert_eq!(grouped("", ""), [""; 0]);
    assert_eq!(grouped("MessageGroupId = \"key\"\n", "profile = \"exam\"\n"), [""; 0]);
}
