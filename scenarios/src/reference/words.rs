//! Property rows in words.

use crate::scalar::grouped;
use crate::schema::{Default, Most, Property, Rows, Shape};
use sim::engine::quantity::ByteCount;
use sim::profile::Profile;

/// The table's title, with the AWS resource that it stands for.
pub(super) fn title(rows: &Rows) -> String {
    let mut letters = rows.title.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let title: String = first.into_iter().chain(letters).collect();
    match rows.aws {
        Some(resource) => format!("{title} ({resource})"),
        None => title,
    }
}

/// Everything that a row says, in sentences.
pub(super) fn description(property: &Property) -> String {
    let mut sentences = vec![property.doc.to_owned()];
    if let Some(range) = range_words(&property.shape) {
        sentences.push(format!("Range: {range}."));
    }
    if let Some(default) = default_words(property.default) {
        sentences.push(format!("Default: {default}."));
    }
    if let Some(fact) = property.fact {
        sentences.push(format!("See {fact}."));
    }
    sentences.join(" ")
}

/// The default as a scenario writes it; `None` where the property has none.
pub fn default_words(default: Default) -> Option<String> {
    match default {
        Default::Required | Default::RequiredWithout(_) | Default::Nothing => None,
        Default::Value(text) => Some(text.to_owned()),
        Default::ByProfile { exam, current } => Some(format!("{current}, in the profile exam {exam}")),
    }
}

/// What values a property takes: what is expected, and its range.
pub fn value_words(shape: &Shape) -> String {
    match range_words(shape) {
        Some(range) => format!("{}, {range}", shape.expected()),
        None => shape.expected(),
    }
}

/// The values allowed, where a shape bounds them: `1 to 10,000`.
pub fn range_words(shape: &Shape) -> Option<String> {
    match shape {
        Shape::Integer {
            least: 0,
            most: Most::Always(u64::MAX),
        } => None,
        Shape::Integer { least, most } => Some(between(&grouped(*least), *most, grouped)),
        Shape::Limit { least, most } => Some(format!("-1, or {} to {}", grouped(*least), grouped(*most))),
        Shape::Number { least, most } => Some(format!("{least} to {most}")),
        Shape::Factor { zero: true, most } => Some(format!("0 to {}", grouped(*most))),
        Shape::Factor { zero: false, most } => Some(format!("more than 0, up to {}", grouped(*most))),
        Shape::Bytes { least, most } => Some(between(&ByteCount(*least).to_string(), *most, |bytes| {
            ByteCount(bytes).to_string()
        })),
        Shape::Duration { zero: false } | Shape::Rate { zero: false } => Some("more than zero".to_owned()),
        _ => None,
    }
}

fn between(least: &str, most: Most, show: impl Fn(u64) -> String) -> String {
    let current = show(most.in_profile(Profile::Current));
    match most {
        Most::Always(_) => format!("{least} to {current}"),
        Most::ByProfile { exam, .. } => format!("{least} to {current}, in the profile exam to {}", show(exam)),
    }
}
