//! The JSON Schema of a scenario file.
//!
//! It accepts whatever the loader accepts. It does not see what spans several properties, such as a reference to a
//! component that does not exist, nor the range of a quantity with a unit, and it shows the wider of two bounds that
//! depend on the profile.

use super::words;
use crate::schema::top::{FORMAT, TOP};
use crate::schema::{Default, Dimension, Kind, Most, Property, Rows, Shape};
use serde_json::{Map, Value, json};
use sim::profile::Profile;
use toml::de::DeValue;

/// The dialect that the schema is written in.
pub const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";

/// A number as quantities have it. The loader is stricter about underscores.
const NUMBER: &str = r"[0-9][0-9_]*(?:\.[0-9_]*[0-9])?";
/// Units of time.
const TIMES: &str = "(?:ns|us|µs|μs|ms|sec|s|min|h|d)";
/// Units of size.
const SIZES: &str = "(?:B|KB|kB|MB|GB|KiB|MiB|GiB)";
/// At least one digit above zero.
const NOT_ZERO: &str = "(?=.*[1-9])";
/// What component names look like.
const NAME: &str = "[a-z0-9-]{1,128}";
/// Characters that no text may have, in a character class.
const CONTROLS: &str = r"\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069";

/// The JSON Schema of a scenario file, read as JSON.
pub fn json_schema() -> Value {
    let mut definitions = Map::new();
    for dimension in [Dimension::Time, Dimension::Bytes] {
        definitions.insert(quantity_name(dimension).to_owned(), quantity(dimension));
        definitions.insert(distribution_name(dimension).to_owned(), distribution(dimension));
    }
    for &kind in Kind::ALL {
        definitions.insert(kind.name().to_owned(), table(kind.rows()));
    }
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!(DIALECT));
    schema.extend(table_members(&TOP));
    if let Some(format) = schema.get_mut("properties").and_then(|rows| rows.get_mut("format")) {
        format["const"] = json!(FORMAT);
    }
    schema.insert("$defs".to_owned(), Value::Object(definitions));
    Value::Object(schema)
}

fn table(rows: &Rows) -> Value {
    Value::Object(table_members(rows))
}

fn table_members(rows: &Rows) -> Map<String, Value> {
    let properties: Map<String, Value> = rows
        .properties
        .iter()
        .map(|property| (property.name.to_owned(), described(property)))
        .collect();
    let required: Vec<&str> = rows
        .properties
        .iter()
        .filter(|property| property.default == Default::Required)
        .map(|property| property.name)
        .collect();
    let mut members = Map::new();
    members.insert("title".to_owned(), json!(words::title(rows)));
    members.insert("type".to_owned(), json!("object"));
    members.insert("properties".to_owned(), Value::Object(properties));
    if !required.is_empty() {
        members.insert("required".to_owned(), json!(required));
    }
    members.insert("additionalProperties".to_owned(), json!(false));
    members
}

/// A property's schema: its shape, with what its row says.
fn described(property: &Property) -> Value {
    let mut members = Map::new();
    members.insert("description".to_owned(), json!(words::description(property)));
    let default = property.default.text(Profile::Current).and_then(default_value);
    if let Some(default) = default {
        members.insert("default".to_owned(), default);
    }
    if let Value::Object(shape) = shape(&property.shape) {
        members.extend(shape);
    }
    Value::Object(members)
}

/// A default as JSON has it.
fn default_value(text: &str) -> Option<Value> {
    DeValue::parse(text).ok().and_then(|value| json_of(value.get_ref()))
}

fn json_of(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => json!(text),
        DeValue::Integer(integer) => json!(integer.as_str().parse::<i64>().ok()?),
        DeValue::Float(float) => json!(float.as_str().parse::<f64>().ok()?),
        DeValue::Boolean(flag) => json!(flag),
        DeValue::Datetime(_) => return None,
        DeValue::Array(items) => Value::Array(
            items
                .iter()
                .map(|item| json_of(item.get_ref()))
                .collect::<Option<Vec<Value>>>()?,
        ),
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(key, value)| Some((key.get_ref().to_string(), json_of(value.get_ref())?)))
                .collect::<Option<Map<String, Value>>>()?,
        ),
    })
}

fn shape(shape: &Shape) -> Value {
    match *shape {
        Shape::Integer { least, most } => integer(least, most),
        Shape::Limit { least, most } => {
            json!({ "anyOf": [{ "const": -1 }, integer(least, Most::Always(most))] })
        }
        Shape::Number { least, most } => json!({ "type": "number", "minimum": least, "maximum": most }),
        Shape::Fraction => json!({ "type": "number", "minimum": 0, "maximum": 1 }),
        Shape::Factor { zero: true, most } => json!({ "type": "number", "minimum": 0, "maximum": most }),
        Shape::Factor { zero: false, most } => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": most }),
        Shape::Text => pattern(&format!(r"^[^\u0000-\u001f{CONTROLS}]+$")),
        Shape::Prose => pattern(&format!(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f{CONTROLS}]+$")),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Word { words, .. } => json!({ "enum": words }),
        Shape::Duration { zero: true } | Shape::Quantity(Dimension::Time) => reference(quantity_name(Dimension::Time)),
        Shape::Duration { zero: false } => pattern(&format!("^{NOT_ZERO}{}$", duration_pattern())),
        Shape::Bytes { .. } | Shape::Quantity(Dimension::Bytes) => reference(quantity_name(Dimension::Bytes)),
        Shape::Rate { zero: true } => pattern(&format!("^{}$", rate_pattern())),
        Shape::Rate { zero: false } => pattern(&format!("^{NOT_ZERO}{}$", rate_pattern())),
        Shape::Distribution(dimension) => reference(distribution_name(dimension)),
        Shape::Percentiles(dimension) => json!({
            "type": "object",
            "patternProperties": { (format!("^p{NUMBER}$")): reference(quantity_name(dimension)) },
            "additionalProperties": false,
            "minProperties": 2,
        }),
        Shape::Measure => json!({
            "anyOf": [
                { "type": "number", "minimum": 0, "maximum": 1e18 },
                reference(quantity_name(Dimension::Time)),
                reference(quantity_name(Dimension::Bytes)),
            ]
        }),
        Shape::HashKey => pattern("^(?:0|[1-9][0-9]{0,38})$"),
        Shape::Reference(kinds) => {
            let kinds: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            pattern(&format!(r"^(?:{})\.{NAME}$", kinds.join("|")))
        }
        Shape::Table(rows) => table(rows),
        Shape::OneOf(rows) => one_of(rows),
        Shape::WordOr(word, inner) => json!({ "anyOf": [{ "const": word }, self::shape(inner)] }),
        Shape::List(inner) => json!({ "type": "array", "items": self::shape(inner), "minItems": 1 }),
        Shape::Pair(first, second) => json!({
            "type": "array",
            "prefixItems": [self::shape(first), self::shape(second)],
            "items": false,
            "minItems": 2,
        }),
        Shape::Components(kind) => json!({
            "type": "object",
            "patternProperties": { (format!("^{NAME}$")): reference(kind.name()) },
            "additionalProperties": false,
        }),
    }
}

/// JSON readers keep whole numbers exactly up to 2^53; a bound beyond that is none that anybody meets.
fn integer(least: u64, most: Most) -> Value {
    let most = most.in_profile(Profile::Current).max(most.in_profile(Profile::Exam));
    let mut members = Map::new();
    members.insert("type".to_owned(), json!("integer"));
    members.insert("minimum".to_owned(), json!(least));
    if most < 1 << 53 {
        members.insert("maximum".to_owned(), json!(most));
    }
    Value::Object(members)
}

fn one_of(rows: &Rows) -> Value {
    let mut members = table_members(rows);
    members.insert("minProperties".to_owned(), json!(1));
    members.insert("maxProperties".to_owned(), json!(1));
    Value::Object(members)
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

fn reference(definition: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{definition}") })
}

const fn quantity_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Time => "duration",
        Dimension::Bytes => "size",
    }
}

const fn distribution_name(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Time => "durations",
        Dimension::Bytes => "sizes",
    }
}

fn quantity(dimension: Dimension) -> Value {
    let (title, text, examples) = match dimension {
        Dimension::Time => ("A duration", duration_pattern(), ["50ms", "1h 30min"]),
        Dimension::Bytes => ("A size", format!(r"\s*{NUMBER}\s*{SIZES}\s*"), ["600B", "5MiB"]),
    };
    json!({ "title": title, "type": "string", "pattern": format!("^{text}$"), "examples": examples })
}

fn distribution(dimension: Dimension) -> Value {
    let title = match dimension {
        Dimension::Time => "A duration, or a distribution of durations",
        Dimension::Bytes => "A size, or a distribution of sizes",
    };
    json!({
        "title": title,
        "anyOf": [
            reference(quantity_name(dimension)),
            table(dimension.short_form()),
            shape(dimension.form_shape()),
        ]
    })
}

fn duration_pattern() -> String {
    format!(r"\s*(?:{NUMBER}\s*{TIMES}\s*)+")
}

/// A count, a slash, and a unit or a duration: `2400/s`, `1/5min`.
fn rate_pattern() -> String {
    format!(r"\s*{NUMBER}\s*/\s*(?:{NUMBER}\s*)?{TIMES}\s*(?:{NUMBER}\s*{TIMES}\s*)*")
}
