//! The scenario language as data: one row a property.
//!
//! A row gives name, shape of the value, default, bounds, the fact behind them and a sentence for the reader. Checking,
//! suggestions for misspelt names, and reference pages all read these rows, so there is nothing to keep in step.

pub mod application;
pub mod consumer;
pub mod distribution;
pub mod expect;
pub mod intervention;
pub mod invoker;
pub mod kinesis;
pub mod lambda;
pub mod mapping;
pub mod model;
pub mod producer;
pub mod producer_library;
pub mod queue;
pub mod queue_change;
pub mod sink;
pub mod top;
pub mod topic;
pub mod trace;

use core::fmt;
use sim::profile::Profile;

/// A kind of component: `[stream.NAME]` and so on.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    /// `[producer.NAME]`
    Producer,
    /// `[stream.NAME]`
    Stream,
    /// `[consumer.NAME]`
    Consumer,
    /// `[mapping.NAME]`
    Mapping,
    /// `[application.NAME]`
    Application,
    /// `[function.NAME]`
    Function,
    /// `[invoker.NAME]`
    Invoker,
    /// `[sink.NAME]`
    Sink,
    /// `[queue.NAME]`
    Queue,
    /// `[worker.NAME]`
    Worker,
    /// `[topic.NAME]`
    Topic,
    /// `[subscription.NAME]`
    Subscription,
}

impl Kind {
    /// All kinds.
    pub const ALL: &[Self] = &[
        Self::Producer,
        Self::Stream,
        Self::Consumer,
        Self::Mapping,
        Self::Application,
        Self::Function,
        Self::Invoker,
        Self::Sink,
        Self::Queue,
        Self::Worker,
        Self::Topic,
        Self::Subscription,
    ];

    /// The table's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Stream => "stream",
            Self::Consumer => "consumer",
            Self::Mapping => "mapping",
            Self::Application => "application",
            Self::Function => "function",
            Self::Invoker => "invoker",
            Self::Sink => "sink",
            Self::Queue => "queue",
            Self::Worker => "worker",
            Self::Topic => "topic",
            Self::Subscription => "subscription",
        }
    }
    /// The properties of a component of this kind.
    pub const fn rows(self) -> &'static Rows {
        match self {
            Self::Producer => &producer::PRODUCER,
            Self::Stream => &kinesis::STREAM,
            Self::Consumer => &consumer::CONSUMER,
            Self::Mapping => &mapping::MAPPING,
            Self::Application => &application::APPLICATION,
            Self::Function => &lambda::FUNCTION,
            Self::Invoker => &invoker::INVOKER,
            Self::Sink => &sink::SINK,
            Self::Queue => &queue::QUEUE,
            Self::Worker => &queue::WORKER,
            Self::Topic => &topic::TOPIC,
            Self::Subscription => &topic::SUBSCRIPTION,
        }
    }
    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The properties of a table.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// What the table describes, with article: "a stream".
    pub title: &'static str,
    /// The CloudFormation resource type, if the table stands for one.
    pub aws: Option<&'static str>,
    /// One row a property.
    pub properties: &'static [Property],
    /// Properties that AWS has and the model ignores.
    pub not_modelled: &'static [&'static str],
}

impl Rows {
    /// A table of the simulator's own.
    pub const fn own(title: &'static str, properties: &'static [Property]) -> Self {
        Self {
            title,
            aws: None,
            properties,
            not_modelled: &[],
        }
    }
    /// The row of a property.
    pub fn property(&self, name: &str) -> Option<&'static Property> {
        self.properties.iter().find(|property| property.name == name)
    }
}

/// A property row.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// Name in the file.
    pub name: &'static str,
    /// What values it takes.
    pub shape: Shape,
    /// What holds when it is not given.
    pub default: Default,
    /// The fact behind the bounds, or behind the choice for a model parameter.
    pub fact: Option<&'static str>,
    /// The error with which AWS refuses another value.
    pub refusal: Option<&'static str>,
    /// What it means, in a sentence.
    pub doc: &'static str,
}

/// What holds when a property is not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Default {
    /// It must be given.
    Required,
    /// It must be given unless this other one is.
    RequiredWithout(&'static str),
    /// Nothing: the sentence of the row says what that means.
    Nothing,
    /// This value, as a scenario would write it.
    Value(&'static str),
    /// A value that depends on the profile.
    ByProfile {
        /// In `exam`.
        exam: &'static str,
        /// In `current`.
        current: &'static str,
    },
}

impl Default {
    /// The default's text in a profile.
    pub const fn text(self, profile: Profile) -> Option<&'static str> {
        match self {
            Self::Required | Self::RequiredWithout(_) | Self::Nothing => None,
            Self::Value(text) => Some(text),
            Self::ByProfile { exam, current } => Some(match profile {
                Profile::Exam => exam,
                Profile::Current => current,
            }),
        }
    }
}

/// The greatest value allowed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Most {
    /// In every profile.
    Always(u64),
    /// Depends on the profile.
    ByProfile {
        /// In `exam`.
        exam: u64,
        /// In `current`.
        current: u64,
    },
}

impl Most {
    /// The bound in a profile.
    pub const fn in_profile(self, profile: Profile) -> u64 {
        match self {
            Self::Always(most) => most,
            Self::ByProfile { exam, current } => match profile {
                Profile::Exam => exam,
                Profile::Current => current,
            },
        }
    }
}

/// What a distribution is a distribution of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dimension {
    /// Durations, in nanoseconds.
    Time,
    /// Sizes, in bytes.
    Bytes,
}

/// What values a property takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// A whole number.
    Integer {
        /// Least value.
        least: u64,
        /// Greatest value.
        most: Most,
    },
    /// A whole number, or -1 for no limit.
    Limit {
        /// Least value.
        least: u64,
        /// Greatest value.
        most: u64,
    },
    /// A number.
    Number {
        /// Least value.
        least: f64,
        /// Greatest value.
        most: f64,
    },
    /// A probability or share, from 0 to 1.
    Fraction,
    /// An exact factor, above zero and at most this.
    Factor {
        /// Zero is allowed.
        zero: bool,
        /// Greatest value.
        most: u64,
    },
    /// Free text of one line.
    Text,
    /// Free text of several lines.
    Prose,
    /// `true` or `false`.
    Flag,
    /// One of a few words.
    Word {
        /// The words.
        words: &'static [&'static str],
        /// Words that AWS has and the model does not.
        not_modelled: &'static [&'static str],
    },
    /// A duration.
    Duration {
        /// Zero is allowed.
        zero: bool,
    },
    /// A size in bytes.
    Bytes {
        /// Least value.
        least: u64,
        /// Greatest value.
        most: Most,
    },
    /// A rate.
    Rate {
        /// Zero is allowed.
        zero: bool,
    },
    /// A distribution.
    Distribution(Dimension),
    /// A duration or a size.
    Quantity(Dimension),
    /// `{ p50 = .., p99 = .. }`, any percentiles.
    Percentiles(Dimension),
    /// A bound of an expectation: a number, a duration or a size.
    Measure,
    /// A partition key's explicit hash, in decimal.
    HashKey,
    /// A component of one of these kinds.
    Reference(&'static [Kind]),
    /// A table.
    Table(&'static Rows),
    /// A table with exactly one of the rows' properties.
    OneOf(&'static Rows),
    /// A certain word, or a value of another shape.
    WordOr(&'static str, &'static Shape),
    /// A list of values of one shape, not empty.
    List(&'static Shape),
    /// A list of two values.
    Pair(&'static Shape, &'static Shape),
    /// Tables with names of their own.
    Components(Kind),
}

impl Shape {
    /// What is expected, for messages: "an integer", "a duration such as \"50ms\"".
    pub fn expected(&self) -> String {
        match self {
            Self::Integer { .. } => "an integer".to_owned(),
            Self::Limit { .. } => "an integer, -1 for no limit".to_owned(),
            Self::Number { .. } | Self::Factor { .. } => "a number".to_owned(),
            Self::Fraction => "a number from 0 to 1".to_owned(),
            Self::Text | Self::Prose => "a string".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Word { words, .. } => {
                let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
                match quoted.split_last() {
                    Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
                    _ => quoted.concat(),
                }
            }
            Self::Duration { .. } | Self::Quantity(Dimension::Time) => {
                "a duration such as \"50ms\" or \"10min\"".to_owned()
            }
            Self::Bytes { .. } | Self::Quantity(Dimension::Bytes) => "a size such as \"600B\" or \"5MiB\"".to_owned(),
            Self::Rate { .. } => "a rate such as \"2400/s\"".to_owned(),
            Self::Distribution(Dimension::Time) => {
                "a duration such as \"20ms\" or a distribution such as { p50 = \"20ms\", p99 = \"80ms\" }".to_owned()
            }
            Self::Distribution(Dimension::Bytes) => {
                "a size such as \"600B\" or a distribution such as { p50 = \"600B\", p99 = \"3KB\" }".to_owned()
            }
            Self::Percentiles(_) => "a table of percentiles such as { p0 = .., p50 = .., p100 = .. }".to_owned(),
            Self::Measure => "a number, a duration such as \"2s\" or a size such as \"1MiB\"".to_owned(),
            Self::HashKey => "a decimal number in quotes".to_owned(),
            Self::Reference(kinds) => {
                let examples: Vec<String> = kinds.iter().map(|kind| format!("\"{kind}.NAME\"")).collect();
                format!("the name of a component, {}", examples.join(" or "))
            }
            Self::Table(rows) => format!("a table that describes {}", rows.title),
            Self::OneOf(rows) => {
                let names = rows.properties.iter().map(|property| property.name);
                format!("a table with one of {}", crate::diagnostic::listed(names, "or"))
            }
            Self::WordOr(word, shape) => format!("\"{word}\" or {}", shape.expected()),
            Self::List(_) => "a list".to_owned(),
            Self::Pair(..) => "a list of two values".to_owned(),
            Self::Components(kind) => format!("tables [{kind}.NAME]"),
        }
    }
}

const fn row(name: &'static str, shape: Shape, default: Default, doc: &'static str) -> Property {
    Property {
        name,
        shape,
        default,
        fact: None,
        refusal: None,
        doc,
    }
}
/// A property that must be given.
pub(crate) const fn required(name: &'static str, shape: Shape, doc: &'static str) -> Property {
    row(name, shape, Default::Required, doc)
}
/// A property that must be given unless another one is.
pub(crate) const fn required_without(
    other: &'static str,
    name: &'static str,
    shape: Shape,
    doc: &'static str,
) -> Property {
    row(name, shape, Default::RequiredWithout(other), doc)
}
/// A property whose absence means something of its own.
pub(crate) const fn optional(name: &'static str, shape: Shape, doc: &'static str) -> Property {
    row(name, shape, Default::Nothing, doc)
}
/// A property with a default.
pub(crate) const fn defaulted(name: &'static str, shape: Shape, text: &'static str, doc: &'static str) -> Property {
    row(name, shape, Default::Value(text), doc)
}
impl Property {
    /// Names the fact behind the row.
    pub(crate) const fn fact(mut self, fact: &'static str) -> Self {
        self.fact = Some(fact);
        self
    }
    /// Names the error with which AWS refuses another value, or its absence.
    pub(crate) const fn refused_as(mut self, error: &'static str) -> Self {
        self.refusal = Some(error);
        self
    }
    /// Lets the default depend on the profile.
    pub(crate) const fn by_profile(mut self, exam: &'static str, current: &'static str) -> Self {
        self.default = Default::ByProfile { exam, current };
        self
    }
}
/// A whole number between two bounds that hold in every profile.
pub(crate) const fn integer(least: u64, most: u64) -> Shape {
    Shape::Integer {
        least,
        most: Most::Always(most),
    }
}
/// One of a few words, all of which are modelled.
pub(crate) const fn word(words: &'static [&'static str]) -> Shape {
    Shape::Word {
        words,
        not_modelled: &[],
    }
}
/// A duration that may be zero.
pub(crate) const SPAN: Shape = Shape::Duration { zero: true };
/// A duration that may not be zero.
pub(crate) const LENGTH: Shape = Shape::Duration { zero: false };
/// A rate that may not be zero.
pub(crate) const RATE: Shape = Shape::Rate { zero: false };
