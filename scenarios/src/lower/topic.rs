//! Topics, their subscriptions, and what published messages carry.

use super::Lowering;
use super::filter_policy::decimal;
use crate::codes::Code;
use crate::fields::{Component, Fields};
use crate::schema::Kind;
use sim::blueprint::{
    Attribute, AttributeValue, Blueprint, DEFAULT_MESSAGE_SIZE, FilterScope, PublisherBlueprint, QueueBlueprint,
    SubscriptionBlueprint, ThroughputScope, TopicBlueprint,
};
use sim::command::Command;
use sim::engine::time::SimTime;
use sim::profile::Profile;
use sim::services::topic::quotas::{
    FIFO_TOPICS_MAX, FILTERS_OF_A_TOPIC_MAX, FILTERS_OF_AN_ACCOUNT_MAX, LARGE_SUBSCRIPTIONS_MAX, STANDARD_TOPICS_MAX,
};
use std::sync::Arc;

impl Lowering<'_> {
    /// Topics and their subscriptions. The queues are there already.
    pub(super) fn topics(&mut self, top: &Fields, blueprint: &mut Blueprint) {
        for component in top.components(Kind::Topic) {
            let topic = self.topic(top, component);
            blueprint.topics.push(topic);
        }
        for component in top.components(Kind::Subscription) {
            let subscription = self.subscription(component);
            self.endpoints(&component.fields, &subscription, blueprint);
            blueprint.subscriptions.push(subscription);
        }
        self.numbers_of_topics(top, blueprint);
        for producer in top.components(Kind::Producer) {
            if !matches!(producer.fields.reference("target"), Some((Kind::Topic, _))) {
                let why = "only messages to topics are looked at by filter policies";
                self.no_effect(&producer.fields, &["message_attributes", "body_fields"], why);
            }
        }
    }

    fn topic(&mut self, top: &Fields, component: &Component) -> TopicBlueprint {
        let fields = &component.fields;
        let fifo = fields.flag("FifoTopic");
        if !fifo {
            let why = "only a FIFO topic has it";
            self.no_effect(fields, &["ContentBasedDeduplication", "FifoThroughputScope"], why);
        }
        if self.profile == Profile::Exam {
            for (name, differs, label) in [
                (
                    "FifoThroughputScope",
                    fields.word("FifoThroughputScope") == "MessageGroup",
                    "FIFO topics had one limit (SQS-S-27)",
                ),
                (
                    "MaximumMessageSize",
                    fields.integer("MaximumMessageSize") != u64::from(DEFAULT_MESSAGE_SIZE),
                    "AWS has it since 2026-09 (SQS-S-18)",
                ),
            ] {
                if fields.is_given(name) && differs {
                    self.later_than_the_exam(fields, name, label);
                }
            }
        }
        let publishers = top
            .components(Kind::Producer)
            .iter()
            .filter(|producer| producer.fields.reference("target") == Some((Kind::Topic, component.name.as_str())));
        TopicBlueprint {
            name: component.name.clone(),
            fifo: fifo.then(|| match fields.word("FifoThroughputScope") {
                "MessageGroup" => ThroughputScope::MessageGroup,
                _ => ThroughputScope::Topic,
            }),
            maximum_message_size: fields.u32("MaximumMessageSize"),
            publishers: publishers.map(|producer| self.publisher(producer)).collect(),
        }
    }

    fn publisher(&mut self, producer: &Component) -> PublisherBlueprint {
        PublisherBlueprint {
            producer: producer.name.clone(),
            attributes: self.attributes(&producer.fields, "message_attributes"),
            body: self.attributes(&producer.fields, "body_fields"),
        }
    }
    fn attributes(&mut self, fields: &Fields, property: &'static str) -> Vec<Attribute> {
        let mut attributes: Vec<Attribute> = Vec::new();
        for entry in fields.tables(property) {
            let name = entry.text("name").unwrap_or_default().to_owned();
            if attributes.iter().any(|known| known.name == name) {
                let help = "give all its values in one place";
                let title = "an attribute is listed twice";
                self.fault(Code::InvalidList, entry.place_of("name"), title, "again here", help);
            }
            let values: Vec<(AttributeValue, u32)> = entry
                .tables("values")
                .map(|value| (self.value(value), value.u32("weight")))
                .collect();
            if !values.is_empty() && values.iter().all(|(_, weight)| *weight == 0) {
                let title = "the weights sum to zero";
                self.fault(
                    Code::InvalidList,
                    entry.place_of("values"),
                    title,
                    "no value is ever chosen",
                    "",
                );
            }
            attributes.push(Attribute { name, values });
        }
        attributes
    }
    fn value(&mut self, fields: &Fields) -> AttributeValue {
        let given = ["text", "number", "absent"].iter().filter(|name| fields.is_given(name));
        if given.count() != 1 {
            let title = "a value is a text, a number or absent";
            let help = "give one of `text`, `number` or `absent = true`";
            self.fault(
                Code::InvalidList,
                fields.place,
                title,
                "one of the three is expected",
                help,
            );
        }
        match (fields.text("text"), fields.maybe_number("number")) {
            (Some(text), _) => AttributeValue::Text(text.to_owned()),
            (None, Some(number)) => decimal(number).map_or(AttributeValue::Absent, AttributeValue::Number),
            (None, None) => AttributeValue::Absent,
        }
    }

    fn subscription(&mut self, component: &Component) -> SubscriptionBlueprint {
        let fields = &component.fields;
        if !fields.is_given("FilterPolicy") {
            self.no_effect(fields, &["FilterPolicyScope"], "there is no filter policy");
        }
        let place = fields.place_of("FilterPolicy");
        let text = fields.text("FilterPolicy").map(str::to_owned);
        SubscriptionBlueprint {
            name: component.name.clone(),
            topic: fields.name("TopicArn"),
            queue: fields.name("Endpoint"),
            raw: fields.flag("RawMessageDelivery"),
            filter: text.and_then(|text| self.filter_policy(&text, scope(fields), place)),
            dead_letter_queue: fields
                .table("RedrivePolicy")
                .map(|policy| policy.name("deadLetterTargetArn")),
            created_at: SimTime::ZERO + fields.duration("created_at"),
        }
    }

    /// Which queues fit which topics (SQS-S-32 to SQS-S-34).
    fn endpoints(&mut self, fields: &Fields, subscription: &SubscriptionBlueprint, blueprint: &Blueprint) {
        let topic = blueprint.topics.iter().find(|topic| topic.name == subscription.topic);
        let Some(topic) = topic else { return };
        let is_fifo = |name: &String| {
            let found = blueprint.queues.iter().find(|queue| queue.name == *name);
            found.map(|queue: &QueueBlueprint| queue.fifo.is_some())
        };
        match (topic.fifo.is_some(), is_fifo(&subscription.queue)) {
            (false, Some(true)) => {
                let title = "a standard topic cannot have a FIFO queue as subscriber (SQS-S-33)";
                let help = "set FifoTopic = true, or subscribe a standard queue";
                self.fault(
                    Code::Contradiction,
                    fields.place_of("Endpoint"),
                    title,
                    "this is a FIFO queue",
                    help,
                );
            }
            (true, Some(false)) if self.profile == Profile::Exam => {
                let title = "a FIFO topic feeds only FIFO queues in the profile `exam` (SQS-S-32)";
                let help = "subscribe a FIFO queue, or use the profile `current`";
                self.fault(
                    Code::Contradiction,
                    fields.place_of("Endpoint"),
                    title,
                    "this is a standard queue",
                    help,
                );
            }
            (true, Some(_)) | (false, Some(false)) | (_, None) => {}
        }
        let dead_letters = fields.table("RedrivePolicy");
        if let (Some(policy), Some(queue)) = (dead_letters, &subscription.dead_letter_queue)
            && let Some(fifo) = is_fifo(queue)
            && fifo != topic.fifo.is_some()
        {
            let (title, label) = if fifo {
                (
                    "a subscription of a standard topic needs a standard queue as dead-letter queue",
                    "this is a FIFO queue",
                )
            } else {
                (
                    "a subscription of a FIFO topic needs a FIFO queue as dead-letter queue (SQS-S-34)",
                    "this is a standard queue",
                )
            };
            let place = policy.place_of("deadLetterTargetArn");
            self.fault(Code::Contradiction, place, title, label, "set FifoQueue alike");
        }
    }

    /// How many of them there may be (SQS-S-16, SQS-S-19, SQS-S-35).
    fn numbers_of_topics(&mut self, top: &Fields, blueprint: &Blueprint) {
        let too_many = |lowering: &mut Self, what: &str, most: usize, fact: &str, beyond: Option<&Component>| {
            if let Some(beyond) = beyond {
                let title = format!("there are more than {most} {what}");
                lowering.fault(
                    Code::OutOfRange,
                    beyond.key,
                    title,
                    "one too many",
                    &format!("see {fact}"),
                );
            }
        };
        let topics = top.components(Kind::Topic);
        for (fifo, most, what) in [
            (false, STANDARD_TOPICS_MAX, "standard topics"),
            (true, FIFO_TOPICS_MAX, "FIFO topics"),
        ] {
            let of_type = topics.iter().filter(|topic| topic.fields.flag("FifoTopic") == fifo);
            too_many(self, what, most, "SQS-S-35", of_type.clone().nth(most));
        }
        let subscriptions = top.components(Kind::Subscription);
        let filtered = subscriptions.iter().filter(|one| one.fields.is_given("FilterPolicy"));
        let all = "filter policies in the account";
        too_many(
            self,
            all,
            FILTERS_OF_AN_ACCOUNT_MAX,
            "SQS-S-16",
            filtered.clone().nth(FILTERS_OF_AN_ACCOUNT_MAX),
        );
        for topic in &blueprint.topics {
            let of_topic = |one: &&Component| one.fields.name("TopicArn") == topic.name;
            let beyond = filtered.clone().filter(of_topic).nth(FILTERS_OF_A_TOPIC_MAX);
            too_many(
                self,
                "filter policies of a topic",
                FILTERS_OF_A_TOPIC_MAX,
                "SQS-S-16",
                beyond,
            );
            if topic.maximum_message_size > DEFAULT_MESSAGE_SIZE {
                let beyond = subscriptions.iter().filter(of_topic).nth(LARGE_SUBSCRIPTIONS_MAX);
                let what = "subscriptions of a topic with large messages";
                too_many(self, what, LARGE_SUBSCRIPTIONS_MAX, "SQS-S-19", beyond);
            }
        }
    }

    /// A change of a queue or of a subscription.
    pub(super) fn change_of_delivery(&mut self, fields: &Fields, top: &Fields) -> Option<Command> {
        if let Some(change) = fields.table("break_queue") {
            return Some(Command::BreakQueue {
                queue: change.name("queue"),
                lasts: change.duration("lasts"),
            });
        }
        if let Some(change) = fields.table("deny_subscription") {
            return Some(Command::DenySubscription {
                subscription: change.name("of"),
                lasts: change.duration("lasts"),
            });
        }
        let change = fields.table("filter_policy")?;
        let subscription = change.name("of");
        let subscribed = top.components(Kind::Subscription).iter();
        let mut subscribed = subscribed.filter(|one| one.name == subscription);
        let scope = subscribed
            .next()
            .map_or(FilterScope::MessageAttributes, |one| scope(&one.fields));
        let text = change.text("policy").map(str::to_owned);
        let policy = text.and_then(|text| self.filter_policy(&text, scope, change.place_of("policy")));
        Some(Command::SetFilterPolicy {
            subscription,
            policy: policy.map(Arc::new),
        })
    }
}

fn scope(fields: &Fields) -> FilterScope {
    match fields.word("FilterPolicyScope") {
        "MessageBody" => FilterScope::MessageBody,
        _ => FilterScope::MessageAttributes,
    }
}
