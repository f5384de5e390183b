//! `FilterPolicy`: JSON in AWS's own syntax.

use super::Lowering;
use crate::codes::Code;
use crate::source::Place;
use serde_json::{Map, Value};
use sim::blueprint::{AttributeValue, Condition, Decimal, FilterPolicy, FilterScope};
use sim::services::topic::quotas::{FILTER_BYTES_MAX, FILTER_COMBINATIONS_MAX, FILTER_NAMES_MAX};

/// What is wrong with a policy, and what helps.
type Fault = (String, &'static str);

impl Lowering<'_> {
    /// The policy that a text states; none where it states none, which is filed.
    pub(super) fn filter_policy(&mut self, text: &str, scope: FilterScope, place: Place) -> Option<FilterPolicy> {
        match read(text, scope) {
            Ok(policy) => {
                self.limits_of(&policy, text, place);
                Some(policy)
            }
            Err((title, help)) => {
                self.fault(Code::InvalidFilterPolicy, place, title, "in this policy", help);
                None
            }
        }
    }

    /// SQS-S-15.
    fn limits_of(&mut self, policy: &FilterPolicy, text: &str, place: Place) {
        let combinations: u64 = policy
            .names
            .iter()
            .map(|(_, conditions)| u64::try_from(conditions.len()).unwrap_or(u64::MAX))
            .fold(1, u64::saturating_mul);
        let excess = if policy.names.len() > FILTER_NAMES_MAX {
            format!("{} names, {FILTER_NAMES_MAX} are allowed", policy.names.len())
        } else if combinations > FILTER_COMBINATIONS_MAX {
            format!("{combinations} combinations of values, {FILTER_COMBINATIONS_MAX} are allowed")
        } else if text.len() > FILTER_BYTES_MAX {
            format!("{} bytes, {FILTER_BYTES_MAX} are allowed", text.len())
        } else {
            return;
        };
        let help = "at most 5 names, 150 combinations and 256 KiB (SQS-S-15)";
        self.fault(
            Code::InvalidFilterPolicy,
            place,
            "the filter policy is too large",
            &excess,
            help,
        );
    }
}

fn read(text: &str, scope: FilterScope) -> Result<FilterPolicy, Fault> {
    let help = "write it as AWS does, for example '{\"event\": [\"order\", {\"prefix\": \"re\"}]}'";
    let json: Value = serde_json::from_str(text).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        (format!("the filter policy is not JSON at its {at}"), help)
    })?;
    let Value::Object(object) = json else {
        return Err(("the filter policy is no object".to_owned(), help));
    };
    let mut names = Vec::new();
    gather(&object, "", scope, &mut names)?;
    if names.is_empty() {
        return Err(("the filter policy has no names".to_owned(), help));
    }
    Ok(FilterPolicy { scope, names })
}

/// The names with their conditions; those of nested fields of the body with their path.
fn gather(
    object: &Map<String, Value>,
    path: &str,
    scope: FilterScope,
    names: &mut Vec<(String, Vec<Condition>)>,
) -> Result<(), Fault> {
    for (name, value) in object {
        let path = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        match value {
            Value::Array(items) if !items.is_empty() => {
                let conditions = items.iter().map(|item| condition(&path, item));
                names.push((path.clone(), conditions.collect::<Result<_, _>>()?));
            }
            Value::Object(inner) if scope == FilterScope::MessageBody => gather(inner, &path, scope, names)?,
            Value::Object(_) => {
                let help = "only FilterPolicyScope = \"MessageBody\" looks into nested fields";
                return Err((format!("`{path}` of the filter policy is nested"), help));
            }
            _ => {
                let help = "each name has a list of values or conditions, one of which must be met";
                return Err((format!("`{path}` of the filter policy has no list"), help));
            }
        }
    }
    Ok(())
}

const OPERATORS: &str = "values, prefix, suffix, anything-but, equals-ignore-case, numeric and exists are modelled";

fn condition(name: &str, value: &Value) -> Result<Condition, Fault> {
    if let Some(value) = plain(value) {
        return Ok(Condition::Is(value));
    }
    let wrong = || {
        (
            format!("a condition of `{name}` in the filter policy cannot be read"),
            OPERATORS,
        )
    };
    let object = value.as_object().filter(|object| object.len() == 1);
    let (operator, operand) = object.and_then(|object| object.iter().next()).ok_or_else(wrong)?;
    let text = operand.as_str().map(str::to_owned);
    let found = match operator.as_str() {
        "prefix" => text.map(Condition::Prefix),
        "suffix" => text.map(Condition::Suffix),
        "equals-ignore-case" => text.map(Condition::IsInAnyCase),
        "exists" => operand.as_bool().map(Condition::Exists),
        "anything-but" => anything_but(operand),
        "numeric" => numeric(operand),
        _ => None,
    };
    found.ok_or_else(wrong)
}

fn plain(value: &Value) -> Option<AttributeValue> {
    match value {
        Value::String(text) => Some(AttributeValue::Text(text.clone())),
        Value::Number(number) => decimal(number.as_f64()?).map(AttributeValue::Number),
        _ => None,
    }
}

fn anything_but(operand: &Value) -> Option<Condition> {
    if let Some(object) = operand.as_object() {
        let prefix = object.get("prefix")?.as_str()?;
        return (object.len() == 1).then(|| Condition::AnythingButPrefix(prefix.to_owned()));
    }
    let values = match operand {
        Value::Array(items) if !items.is_empty() => items.iter().map(plain).collect::<Option<Vec<_>>>()?,
        one => vec![plain(one)?],
    };
    Some(Condition::AnythingBut(values))
}

/// `["=", 3]`, or one or two of `>`, `>=`, `<`, `<=` with their numbers.
fn numeric(operand: &Value) -> Option<Condition> {
    let items = operand.as_array()?;
    let (pairs, rest) = items.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() || pairs.len() > 2 {
        return None;
    }
    let (mut from, mut to) = (None, None);
    for [operator, number] in pairs {
        let number = decimal(number.as_f64()?)?;
        let (bound, itself) = match operator.as_str()? {
            "=" if pairs.len() == 1 => return Some(Condition::Is(AttributeValue::Number(number))),
            ">" => (&mut from, false),
            ">=" => (&mut from, true),
            "<" => (&mut to, false),
            "<=" => (&mut to, true),
            _ => return None,
        };
        if bound.replace((number, itself)).is_some() {
            return None;
        }
    }
    Some(Condition::Within { from, to })
}

/// Five digits after the point, between -10^9 and 10^9, as filter policies tell numbers apart.
#[expect(clippy::cast_possible_truncation, reason = "within 10^14 by the check before")]
pub(super) fn decimal(number: f64) -> Option<Decimal> {
    let parts = libm::round(number * Decimal::PARTS as f64);
    (parts.abs() <= 1e14).then_some(Decimal(parts as i64))
}
