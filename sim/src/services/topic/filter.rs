//! Filter policies, made ready for the messages of a topic's publishers.
//!
//! Messages have no contents, so the value of an attribute is the message's lot among the values that its publisher
//! states. A policy is asked once about each of these values; a message then only needs its lot.

use crate::blueprint::{Attribute, AttributeValue, FilterPolicy, FilterScope, PublisherBlueprint};
use crate::engine::random::fnv1a;
use crate::observe::topic_fact::FilterReason;
use crate::record::Record;

/// An attribute of a publisher's messages.
#[derive(Clone, Debug)]
struct Drawn {
    name: String,
    /// Tells the lots of this attribute from those of others.
    salt: u64,
    /// By value: the lots below this are its, as far as they are not an earlier one's.
    ends: Vec<u128>,
    values: Vec<AttributeValue>,
}

impl Drawn {
    fn new(attribute: &Attribute, salt: u64) -> Self {
        let total: u64 = attribute.values.iter().map(|(_, weight)| u64::from(*weight)).sum();
        let mut sum = 0_u64;
        let ends = attribute.values.iter().map(|(_, weight)| {
            sum += u64::from(*weight);
            (u128::from(sum) << 64) / u128::from(total.max(1))
        });
        Self {
            name: attribute.name.clone(),
            salt: salt ^ fnv1a(&attribute.name),
            ends: ends.collect(),
            values: attribute.values.iter().map(|(value, _)| value.clone()).collect(),
        }
    }
    /// Which of its values the message has.
    fn of(&self, record: &Record) -> usize {
        let lot = u128::from(record.lot(self.salt).0);
        self.ends
            .partition_point(|&end| end <= lot)
            .min(self.values.len().saturating_sub(1))
    }
    fn is_present(&self, record: &Record) -> bool {
        self.values
            .get(self.of(record))
            .is_some_and(|value| *value != AttributeValue::Absent)
    }
}

/// What the messages of a publisher carry.
#[derive(Clone, Debug, Default)]
pub(super) struct Publisher {
    attributes: Vec<Drawn>,
    body: Vec<Drawn>,
}

impl Publisher {
    /// `salt` is the topic's own number.
    pub(super) fn new(blueprint: &PublisherBlueprint, salt: u64) -> Self {
        let drawn = |attributes: &[Attribute], salt| attributes.iter().map(|one| Drawn::new(one, salt)).collect();
        Self {
            attributes: drawn(&blueprint.attributes, salt),
            body: drawn(&blueprint.body, salt.rotate_left(32)),
        }
    }
    fn of(&self, scope: FilterScope) -> &[Drawn] {
        match scope {
            FilterScope::MessageAttributes => &self.attributes,
            FilterScope::MessageBody => &self.body,
        }
    }
    /// Whether the message has more attributes than that.
    pub(super) fn has_more_attributes_than(&self, most: usize, record: &Record) -> bool {
        self.attributes.len() > most && self.attributes.iter().filter(|one| one.is_present(record)).count() > most
    }
}

/// A name of a policy, for one publisher.
#[derive(Clone, Debug)]
enum Test {
    /// No message of the publisher has it.
    Absent { allowed: bool },
    /// By value of the publisher's attribute: whether it is allowed.
    ByValue { attribute: usize, allowed: Vec<bool> },
}

/// A policy, for one publisher.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    scope: FilterScope,
    tests: Vec<Test>,
}

impl Filter {
    pub(super) fn new(policy: &FilterPolicy, publisher: &Publisher) -> Self {
        let drawn = publisher.of(policy.scope);
        let tests = policy.names.iter().map(|(name, conditions)| {
            let allows = |value: &AttributeValue| conditions.iter().any(|condition| condition.allows(value));
            match drawn.iter().position(|one| one.name == *name) {
                None => Test::Absent {
                    allowed: allows(&AttributeValue::Absent),
                },
                Some(attribute) => Test::ByValue {
                    attribute,
                    allowed: drawn[attribute].values.iter().map(allows).collect(),
                },
            }
        });
        Self {
            scope: policy.scope,
            tests: tests.collect(),
        }
    }

    /// Why the message does not pass; `None`: it does.
    pub(super) fn rejects(&self, publisher: &Publisher, record: &Record) -> Option<FilterReason> {
        let drawn = publisher.of(self.scope);
        let passes = self.tests.iter().all(|test| match test {
            Test::Absent { allowed } => *allowed,
            Test::ByValue { attribute, allowed } => {
                let value = drawn.get(*attribute).map(|one| one.of(record));
                value.and_then(|value| allowed.get(value)).copied().unwrap_or(false)
            }
        });
        if passes {
            return None;
        }
        Some(match self.scope {
            FilterScope::MessageBody => FilterReason::MessageBody,
            FilterScope::MessageAttributes if drawn.iter().any(|one| one.is_present(record)) => {
                FilterReason::MessageAttributes
            }
            FilterScope::MessageAttributes => FilterReason::NoMessageAttributes,
        })
    }
}
