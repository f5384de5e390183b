//! A document as a tree whose every part knows its place, whichever text it comes from.

use crate::source::{Place, TextId};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: NodeValue,
    pub(crate) place: Place,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    Text(String),
    /// Beyond the range of `i128` clipped to it, which is out of every property's range just the same.
    Integer(i128),
    /// The number's own digits, so that a decimal can be read exactly.
    Float(String),
    Flag(bool),
    Datetime,
    List(Vec<Node>),
    Table(Table),
}

/// Entries in the order of the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) key: Place,
    pub(crate) node: Node,
}

impl Table {
    pub(crate) fn get(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
    pub(crate) fn from_toml(table: &DeTable<'_>, text: TextId) -> Self {
        let mut entries: Vec<Entry> = table
            .iter()
            .map(|(key, value)| Entry {
                name: key.get_ref().to_string(),
                key: Place::new(text, key.span()),
                node: Node::from_toml(value, text),
            })
            .collect();
        entries.sort_by_key(|entry| entry.key);
        Self { entries }
    }
    /// Places of all keys of the tree by name.
    pub(crate) fn index(&self) -> BTreeMap<String, Vec<Place>> {
        let mut index = BTreeMap::new();
        self.add_to(&mut index);
        index
    }
    fn add_to(&self, index: &mut BTreeMap<String, Vec<Place>>) {
        for entry in &self.entries {
            index.entry(entry.name.clone()).or_default().push(entry.key);
            entry.node.add_to(index);
        }
    }
}

impl Node {
    pub(crate) fn from_toml(value: &Spanned<DeValue<'_>>, text: TextId) -> Self {
        let place = Place::new(text, value.span());
        let value = match value.get_ref() {
            DeValue::String(string) => NodeValue::Text(string.to_string()),
            DeValue::Integer(integer) => {
                let digits = integer.as_str();
                let beyond = if digits.starts_with('-') { i128::MIN } else { i128::MAX };
                NodeValue::Integer(i128::from_str_radix(digits, integer.radix()).unwrap_or(beyond))
            }
            DeValue::Float(float) => NodeValue::Float(float.as_str().to_owned()),
            DeValue::Boolean(flag) => NodeValue::Flag(*flag),
            DeValue::Datetime(_) => NodeValue::Datetime,
            DeValue::Array(list) => NodeValue::List(list.iter().map(|item| Self::from_toml(item, text)).collect()),
            DeValue::Table(table) => NodeValue::Table(Table::from_toml(table, text)),
        };
        Self { value, place }
    }
    /// The same value, as if it all stood at one place.
    pub(crate) fn moved_to(mut self, place: Place) -> Self {
        self.place = place;
        match &mut self.value {
            NodeValue::List(items) => {
                for item in items {
                    *item = item.clone().moved_to(place);
                }
            }
            NodeValue::Table(table) => {
                for entry in &mut table.entries {
                    entry.key = place;
                    entry.node = entry.node.clone().moved_to(place);
                }
            }
            NodeValue::Text(_)
            | NodeValue::Integer(_)
            | NodeValue::Float(_)
            | NodeValue::Flag(_)
            | NodeValue::Datetime => {}
        }
        self
    }
    fn add_to(&self, index: &mut BTreeMap<String, Vec<Place>>) {
        match &self.value {
            NodeValue::Table(table) => table.add_to(index),
            NodeValue::List(items) => {
                for item in items {
                    item.add_to(index);
                }
            }
            NodeValue::Text(_)
            | NodeValue::Integer(_)
            | NodeValue::Float(_)
            | NodeValue::Flag(_)
            | NodeValue::Datetime => {}
        }
    }
    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Text(_) => "a string",
            NodeValue::Integer(_) => "an integer",
            NodeValue::Float(_) => "a decimal number",
            NodeValue::Flag(_) => "a truth value",
            NodeValue::Datetime => "a date",
            NodeValue::List(_) => "a list",
            NodeValue::Table(_) => "a table",
        }
    }
}
