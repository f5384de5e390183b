//! What topics and subscriptions are made from, and what the model chooses about topics.

use crate::engine::distribution::Distribution;
use crate::engine::quantity::Ratio;
use crate::engine::time::SimTime;
use crate::profile::Profile;

/// A topic (`[topic.NAME]`, AWS::SNS::Topic).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicBlueprint {
    /// Component name.
    pub name: String,
    /// What a FIFO topic is set to; `None`: a standard topic.
    pub fifo: Option<ThroughputScope>,
    /// Largest message in bytes, body and attributes together (SQS-S-18).
    pub maximum_message_size: u32,
    /// What the messages of its publishers carry.
    pub publishers: Vec<PublisherBlueprint>,
}

/// `FifoThroughputScope` (SQS-S-26, SQS-S-27).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ThroughputScope {
    /// One limit for the topic.
    Topic,
    /// One limit for each message group.
    MessageGroup,
}

/// What the messages of a producer carry that filter policies look at.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct PublisherBlueprint {
    /// Name of the producer.
    pub producer: String,
    /// Message attributes.
    pub attributes: Vec<Attribute>,
    /// Fields of the body. A nested field has its path as name, with dots.
    pub body: Vec<Attribute>,
}

/// A message attribute, or a field of the body: each message has one of the values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Values and their relative weights.
    pub values: Vec<(AttributeValue, u32)>,
}

/// A value of an attribute.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum AttributeValue {
    /// The message does not have the attribute.
    Absent,
    /// A string.
    Text(String),
    /// A number.
    Number(Decimal),
}

/// A number with five digits after the point, which is what filter policies tell apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Decimal(pub i64);

impl Decimal {
    /// Parts of one.
    pub const PARTS: i64 = 100_000;
}

/// A subscription of a queue (`[subscription.NAME]`, AWS::SNS::Subscription).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionBlueprint {
    /// Component name.
    pub name: String,
    /// Name of the topic.
    pub topic: String,
    /// Name of the queue.
    pub queue: String,
    /// `RawMessageDelivery` (SQS-S-03, SQS-S-04).
    pub raw: bool,
    /// `FilterPolicy`; `None`: everything is delivered (SQS-S-12).
    pub filter: Option<FilterPolicy>,
    /// Name of the queue in its `RedrivePolicy` (SQS-S-11).
    pub dead_letter_queue: Option<String>,
    /// Since when it exists: it gets nothing that was published before (SQS-S-36).
    pub created_at: SimTime,
}

/// `FilterPolicy` with its `FilterPolicyScope`. A message passes if each of the names has a value that one of its
/// conditions allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterPolicy {
    /// What it looks at (SQS-S-13).
    pub scope: FilterScope,
    /// Names, each with its conditions.
    pub names: Vec<(String, Vec<Condition>)>,
}

/// `FilterPolicyScope` (SQS-S-13).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum FilterScope {
    /// Message attributes.
    MessageAttributes,
    /// Fields of the body.
    MessageBody,
}

/// A condition of a filter policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Condition {
    /// This value.
    Is(AttributeValue),
    /// This string, in whatever case (`equals-ignore-case`).
    IsInAnyCase(String),
    /// A string that begins so (`prefix`).
    Prefix(String),
    /// A string that ends so (`suffix`).
    Suffix(String),
    /// Any value but these (`anything-but`).
    AnythingBut(Vec<AttributeValue>),
    /// Any string but those that begin so (`anything-but` a `prefix`).
    AnythingButPrefix(String),
    /// Numbers within bounds (`numeric`).
    Within {
        /// Least number, and whether it is allowed itself.
        from: Option<(Decimal, bool)>,
        /// Greatest number, and whether it is allowed itself.
        to: Option<(Decimal, bool)>,
    },
    /// Whether there is a value (`exists`).
    Exists(bool),
}

impl Condition {
    /// Whether it allows the value.
    pub fn allows(&self, value: &AttributeValue) -> bool {
        let text = match value {
            AttributeValue::Text(text) => Some(text.as_str()),
            AttributeValue::Absent | AttributeValue::Number(_) => None,
        };
        match self {
            Self::Exists(wanted) => (*value != AttributeValue::Absent) == *wanted,
            Self::Is(wanted) => value == wanted,
            Self::IsInAnyCase(wanted) => text.is_some_and(|text| text.to_lowercase() == wanted.to_lowercase()),
            Self::Prefix(start) => text.is_some_and(|text| text.starts_with(start.as_str())),
            Self::Suffix(end) => text.is_some_and(|text| text.ends_with(end.as_str())),
            Self::AnythingBut(others) => *value != AttributeValue::Absent && !others.contains(value),
            Self::AnythingButPrefix(start) => text.is_some_and(|text| !text.starts_with(start.as_str())),
            Self::Within { from, to } => match value {
                AttributeValue::Number(number) => {
                    from.is_none_or(|(least, itself)| *number > least || itself && *number == least)
                        && to.is_none_or(|(greatest, itself)| *number < greatest || itself && *number == greatest)
                }
                AttributeValue::Absent | AttributeValue::Text(_) => false,
            },
        }
    }
}

/// Messages that an account may publish in its Region each second, over all topics of a type (SQS-S-21 to SQS-S-25).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopicAccount {
    /// To standard topics.
    pub standard: u64,
    /// To FIFO topics.
    pub fifo: u64,
}

impl TopicAccount {
    /// The quotas of a Region.
    pub fn in_region(region: &str) -> Self {
        let (standard, fifo) = match region {
            "us-east-1" => (30_000, 30_000),
            "us-west-2" | "eu-west-1" => (9_000, 9_000),
            "ap-northeast-1" | "us-east-2" | "eu-central-1" | "us-west-1" | "ap-south-1" | "ap-northeast-2"
            | "ap-southeast-1" | "ap-southeast-2" => (1_500, 3_000),
            _ => (300, 3_000),
        };
        Self { standard, fifo }
    }
}

/// Largest message of a topic that says nothing else, in every profile (SQS-S-18).
pub const DEFAULT_MESSAGE_SIZE: u32 = 262_144;

/// Largest `MaximumMessageSize` of a topic (SQS-S-18, SQS-H-11).
pub const fn greatest_message_size(profile: Profile) -> u32 {
    match profile {
        Profile::Exam => DEFAULT_MESSAGE_SIZE,
        Profile::Current => 1_048_576,
    }
}

/// What AWS does not document about topics.
#[derive(Clone, PartialEq, Debug)]
pub struct TopicModel {
    /// From a publish to the arrival in a subscribed queue (SQS-Z-33).
    pub delivery_time: Distribution,
    /// Probability that a standard topic delivers a message twice (SQS-Z-33).
    pub duplicate_rate: Ratio,
    /// Service time of a publish. Nobody publishes a figure, so it is a queue's (SQS-Z-25).
    pub service_time: Distribution,
    /// How far a wait between two attempts may be off, as a share of it. AWS says that there is jitter (SQS-S-08), not how
    /// much of it.
    pub retry_jitter: Ratio,
    /// Bytes that the envelope adds to a message that is not delivered raw (SQS-S-03): the other fields of the JSON, of
    /// which signature, certificate and unsubscribe address take most.
    pub envelope_bytes: u32,
    /// Until another filter policy is in effect (SQS-S-14 gives the bound, 15 minutes).
    pub filter_change_time: Distribution,
}

impl Default for TopicModel {
    fn default() -> Self {
        // p99 / median = exp(2.326 sigma), and both pairs are 10 apart: ln 10 / 2.326.
        const TENFOLD: f64 = 0.989_785_370_747_015_8;
        Self {
            delivery_time: Distribution::LogNormal {
                median: 20e6,
                sigma: TENFOLD,
            },
            duplicate_rate: Ratio::new(1, 10_000_000),
            service_time: Distribution::LogNormal {
                median: 10e6,
                sigma: TENFOLD,
            },
            retry_jitter: Ratio::new(1, 10),
            envelope_bytes: 950,
            filter_change_time: Distribution::Uniform { low: 0.0, high: 900e9 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> AttributeValue {
        AttributeValue::Text(text.to_owned())
    }
    const fn number(number: i64) -> AttributeValue {
        AttributeValue::Number(Decimal(number * Decimal::PARTS))
    }

    #[test]
    fn conditions_allow_what_their_operators_say() {
        let ends = |from, to| Condition::Within { from, to };
        let at = |number: i64, itself| Some((Decimal(number * Decimal::PARTS), itself));
        let allowed = [
            (Condition::Is(text("placed")), text("placed")),
            (Condition::IsInAnyCase("PLACED".to_owned()), text("placed")),
            (Condition::Prefix("pla".to_owned()), text("placed")),
            (Condition::Suffix("ed".to_owned()), text("placed")),
            (Condition::AnythingBut(vec![text("paid")]), text("placed")),
            (Condition::AnythingBut(vec![text("paid")]), number(3)),
            (Condition::AnythingButPrefix("pa".to_owned()), text("placed")),
            (ends(at(3, true), None), number(3)),
            (ends(at(2, false), at(3, true)), number(3)),
            (Condition::Exists(true), number(0)),
            (Condition::Exists(false), AttributeValue::Absent),
        ];
        for (condition, value) in allowed {
            assert!(condition.allows(&value), "{condition:?} {value:?}");
        }
        let refused = [
            (Condition::Is(text("placed")), text("Placed")),
            (Condition::IsInAnyCase("PLACED".to_owned()), text("paid")),
            (Condition::Prefix("pla".to_owned()), number(3)),
            (Condition::Suffix("ed".to_owned()), text("edit")),
            (Condition::AnythingBut(vec![text("paid")]), text("paid")),
            (Condition::AnythingBut(vec![text("paid")]), AttributeValue::Absent),
            (Condition::AnythingButPrefix("pa".to_owned()), text("paid")),
            (ends(at(3, false), None), number(3)),
            (ends(None, at(3, false)), number(3)),
            (ends(at(2, true), at(3, true)), text("3")),
            (Condition::Exists(true), AttributeValue::Absent),
            (Condition::Exists(false), text("")),
        ];
        for (condition, value) in refused {
            assert!(!condition.allows(&value), "{condition:?} {value:?}");
        }
    }

    /// SQS-S-21, SQS-S-22, SQS-S-23, SQS-S-24: messages a second, standard and FIFO.
    #[test]
    fn sqs_s_21_22_23_24_quotas_follow_the_region() {
        for (region, standard, fifo) in [
            ("us-east-1", 30_000, 30_000),
            ("us-west-2", 9_000, 9_000),
            ("eu-west-1", 9_000, 9_000),
            ("ap-northeast-1", 1_500, 3_000),
            ("eu-central-1", 1_500, 3_000),
            ("sa-east-1", 300, 3_000),
        ] {
            assert_eq!(
                TopicAccount::in_region(region),
                TopicAccount { standard, fifo },
                "{region}"
            );
        }
    }
}
