//! Checked values of a table, as lowering reads them.
//!
//! Where a value was wrong, the fault is filed already and a harmless stand-in is returned, so that lowering goes on
//! and finds what else is wrong. A scenario with errors never becomes a blueprint.

use crate::schema::{Kind, Rows};
use crate::source::Place;
use sim::engine::distribution::Distribution;
use sim::engine::quantity::{Rate, Ratio};
use sim::engine::time::SimDuration;
use std::collections::BTreeMap;

/// A checked value.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Integer(u64),
    Number(f64),
    Ratio(Ratio),
    Text(String),
    Flag(bool),
    Word(&'static str),
    Duration(SimDuration),
    Bytes(u64),
    Rate(Rate),
    Distribution(Distribution),
    /// (fraction, value), ascending.
    Percentiles(Vec<(f64, f64)>),
    Hash(u128),
    Reference(Kind, String),
    Table(Fields),
    List(Vec<Field>),
    Components(Vec<Component>),
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) value: Value,
    pub(crate) place: Place,
}

/// A component's table.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    pub(crate) name: String,
    pub(crate) key: Place,
    pub(crate) fields: Fields,
}

/// The values of a table: those given, and the defaults of the others.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    /// The table's header.
    pub(crate) place: Place,
    pub(crate) rows: &'static Rows,
    pub(crate) found: BTreeMap<&'static str, Field>,
    /// Keys of the properties that stand in the text, right or wrong.
    pub(crate) keys: BTreeMap<&'static str, Place>,
}

impl Fields {
    pub(crate) fn new(place: Place, rows: &'static Rows) -> Self {
        Self {
            place,
            rows,
            found: BTreeMap::new(),
            keys: BTreeMap::new(),
        }
    }
    fn value(&self, name: &'static str) -> Option<&Value> {
        debug_assert!(
            self.rows.property(name).is_some(),
            "no row for {name} in {}",
            self.rows.title
        );
        self.found.get(name).map(|field| &field.value)
    }
    /// The property stands in the text.
    pub(crate) fn is_given(&self, name: &'static str) -> bool {
        debug_assert!(
            self.rows.property(name).is_some(),
            "no row for {name} in {}",
            self.rows.title
        );
        self.keys.contains_key(name)
    }
    /// The property has a value, stated or by default, and it is right.
    pub(crate) fn is_sound(&self, name: &'static str) -> bool {
        self.value(name).is_some()
    }
    /// Where the property's value stands; the table's header if it does not.
    pub(crate) fn place_of(&self, name: &'static str) -> Place {
        match self.found.get(name) {
            Some(field) if self.keys.contains_key(name) => field.place,
            _ => self.keys.get(name).copied().unwrap_or(self.place),
        }
    }
    pub(crate) fn maybe_integer(&self, name: &'static str) -> Option<u64> {
        match self.value(name) {
            Some(Value::Integer(integer)) => Some(*integer),
            _ => None,
        }
    }
    pub(crate) fn integer(&self, name: &'static str) -> u64 {
        self.maybe_integer(name).unwrap_or(1)
    }
    pub(crate) fn u32(&self, name: &'static str) -> u32 {
        self.maybe_u32(name).unwrap_or(1)
    }
    pub(crate) fn maybe_u32(&self, name: &'static str) -> Option<u32> {
        self.maybe_integer(name)
            .map(|integer| u32::try_from(integer).unwrap_or(u32::MAX))
    }
    pub(crate) fn maybe_number(&self, name: &'static str) -> Option<f64> {
        match self.value(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        }
    }
    pub(crate) fn number(&self, name: &'static str) -> f64 {
        self.maybe_number(name).unwrap_or(1.0)
    }
    pub(crate) fn ratio(&self, name: &'static str) -> Ratio {
        match self.value(name) {
            Some(Value::Ratio(ratio)) => *ratio,
            _ => Ratio::ZERO,
        }
    }
    pub(crate) fn text(&self, name: &'static str) -> Option<&str> {
        match self.value(name) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }
    pub(crate) fn flag(&self, name: &'static str) -> bool {
        matches!(self.value(name), Some(Value::Flag(true)))
    }
    pub(crate) fn word(&self, name: &'static str) -> &'static str {
        match self.value(name) {
            Some(Value::Word(word)) => word,
            _ => "",
        }
    }
    pub(crate) fn maybe_duration(&self, name: &'static str) -> Option<SimDuration> {
        match self.value(name) {
            Some(Value::Duration(duration)) => Some(*duration),
            _ => None,
        }
    }
    pub(crate) fn duration(&self, name: &'static str) -> SimDuration {
        self.maybe_duration(name).unwrap_or(SimDuration::SECOND)
    }
    pub(crate) fn bytes(&self, name: &'static str) -> u64 {
        match self.value(name) {
            Some(Value::Bytes(bytes)) => *bytes,
            _ => 1,
        }
    }
    pub(crate) fn maybe_rate(&self, name: &'static str) -> Option<Rate> {
        match self.value(name) {
            Some(Value::Rate(rate)) => Some(*rate),
            _ => None,
        }
    }
    pub(crate) fn rate(&self, name: &'static str) -> Rate {
        self.maybe_rate(name).unwrap_or(Rate::per_second(1))
    }
    pub(crate) fn maybe_distribution(&self, name: &'static str) -> Option<&Distribution> {
        match self.value(name) {
            Some(Value::Distribution(distribution)) => Some(distribution),
            _ => None,
        }
    }
    pub(crate) fn distribution(&self, name: &'static str) -> Distribution {
        self.maybe_distribution(name)
            .cloned()
            .unwrap_or(Distribution::Constant(1.0))
    }
    pub(crate) fn hash(&self, name: &'static str) -> Option<u128> {
        match self.value(name) {
            Some(Value::Hash(hash)) => Some(*hash),
            _ => None,
        }
    }
    pub(crate) fn reference(&self, name: &'static str) -> Option<(Kind, &str)> {
        match self.value(name) {
            Some(Value::Reference(kind, component)) => Some((*kind, component)),
            _ => None,
        }
    }
    /// The name of the component referred to; empty if the reference was wrong.
    pub(crate) fn name(&self, name: &'static str) -> String {
        self.reference(name)
            .map_or_else(String::new, |(_, component)| component.to_owned())
    }
    pub(crate) fn table(&self, name: &'static str) -> Option<&Self> {
        match self.value(name) {
            Some(Value::Table(fields)) => Some(fields),
            _ => None,
        }
    }
    pub(crate) fn list(&self, name: &'static str) -> &[Field] {
        match self.value(name) {
            Some(Value::List(items)) => items,
            _ => &[],
        }
    }
    /// The tables of a list.
    pub(crate) fn tables(&self, name: &'static str) -> impl Iterator<Item = &Self> {
        self.list(name).iter().filter_map(|field| match &field.value {
            Value::Table(fields) => Some(fields),
            _ => None,
        })
    }
    pub(crate) fn components(&self, kind: Kind) -> &[Component] {
        match self.value(kind.name()) {
            Some(Value::Components(components)) => components,
            _ => &[],
        }
    }
}
