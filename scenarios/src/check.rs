//! The pass over all properties: names, types, ranges, references, by the rows of the schema.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, listed, nearest};
use crate::fields::{Component, Field, Fields, Value};
use crate::node::{Entry, Node, NodeValue, Table};
use crate::scalar::grouped;
use crate::schema::top::TOP;
use crate::schema::{Kind, Property, Rows, Shape};
use crate::source::{Place, TextId, is_control, quoted};
use sim::profile::Profile;
use std::collections::BTreeMap;
use toml::de::DeValue;

/// What the pass needs to know beside the tree.
pub(crate) struct Checker<'d> {
    pub(crate) profile: Profile,
    /// Names of the components by kind, whatever else may be wrong with them.
    pub(crate) names: BTreeMap<Kind, Vec<String>>,
    pub(crate) diagnostics: &'d mut Diagnostics,
}

/// The names under the tables of components.
pub(crate) fn component_names(top: &Table) -> BTreeMap<Kind, Vec<String>> {
    let mut names = BTreeMap::new();
    let kinds = || Kind::ALL.iter().map(|kind| kind.name());
    for &kind in Kind::ALL {
        let means_kind = |entry: &&Entry| match TOP.property(&entry.name) {
            Some(_) => entry.name == kind.name(),
            // Components below a misspelt kind exist all the same: one fault is enough.
            None => nearest(&entry.name, kinds()) == Some(kind.name()),
        };
        let mut list = Vec::new();
        for entry in top.entries.iter().filter(means_kind) {
            if let NodeValue::Table(table) = &entry.node.value {
                list.extend(table.entries.iter().map(|entry| entry.name.clone()));
            }
        }
        names.insert(kind, list);
    }
    names
}

/// The profile that the file asks for. It is needed before the pass, since bounds and defaults depend on it.
pub(crate) fn stated_profile(top: &Table) -> Profile {
    match top.get("profile").map(|entry| &entry.node.value) {
        Some(NodeValue::Text(name)) if name == Profile::Exam.name() => Profile::Exam,
        _ => Profile::Current,
    }
}

/// The model numbers components of a kind with 16 bits; nobody has drawn a picture of a fraction of that.
const MOST_COMPONENTS: usize = 10_000;

/// A property's value that is being checked.
#[derive(Clone, Copy)]
pub(crate) struct Subject<'n> {
    pub(crate) row: &'static Property,
    pub(crate) node: &'n Node,
}

impl Checker<'_> {
    /// Checks a table: unknown names, missing names, and every value.
    pub(crate) fn table(&mut self, table: &Table, place: Place, rows: &'static Rows) -> Fields {
        let mut fields = Fields::new(place, rows);
        let mut meant = Vec::new();
        for entry in &table.entries {
            let Some(row) = rows.property(&entry.name) else {
                meant.extend(self.unknown(entry, rows));
                continue;
            };
            fields.keys.insert(row.name, entry.key);
            let subject = Subject { row, node: &entry.node };
            if let Some(value) = self.value(&row.shape, subject) {
                let place = entry.node.place;
                fields.found.insert(row.name, Field { value, place });
            }
        }
        for row in rows.properties {
            if fields.keys.contains_key(row.name) {
                continue;
            }
            let is_required = match row.default {
                crate::schema::Default::Required => true,
                crate::schema::Default::RequiredWithout(other) => !fields.keys.contains_key(other),
                _ => false,
            };
            if is_required {
                // A misspelt name is one fault, not two.
                if !meant.contains(&row.name) {
                    self.missing(&fields, row);
                }
            } else if let Some(value) = self.default_value(row) {
                fields.found.insert(row.name, Field { value, place });
            }
        }
        fields
    }

    /// The value of a default, read like any other text.
    fn default_value(&mut self, row: &'static Property) -> Option<Value> {
        let text = row.default.text(self.profile)?;
        let parsed = DeValue::parse(text).ok()?;
        let node = Node::from_toml(&parsed, TextId::Default);
        self.value(&row.shape, Subject { row, node: &node })
    }

    /// Reports a name that has no row, and returns the name that seems to be meant.
    fn unknown(&mut self, entry: &Entry, rows: &'static Rows) -> Option<&'static str> {
        let name = quoted(&entry.name);
        let own = || rows.properties.iter().map(|property| property.name);
        if rows.not_modelled.contains(&entry.name.as_str()) {
            let title = match rows.aws {
                Some(resource) => format!("`{name}` of {resource} is not modelled yet"),
                None => format!("`{name}` is not modelled yet"),
            };
            let label = "the model would ignore it";
            let same = own().find(|property| {
                property.eq_ignore_ascii_case(&name) || format!("{property}s").eq_ignore_ascii_case(&name)
            });
            let help = match same {
                Some(property) => format!("the model's own knob for this is `{property}`"),
                None => "leave it out; the result does not contain its effect".to_owned(),
            };
            let fault = Diagnostic::at(Code::NotModelled, entry.key, title, label).help(help);
            self.diagnostics.push(entry.key, fault);
            return None;
        }
        let title = format!("{} has no property `{name}`", rows.title);
        let mut fault = Diagnostic::at(Code::UnknownProperty, entry.key, title, "unknown property");
        let near = nearest(&entry.name, own().chain(rows.not_modelled.iter().copied()));
        fault = match near {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.note(format!("it has {}", listed(own(), "and"))),
        };
        self.diagnostics.push(entry.key, fault);
        near
    }

    fn missing(&mut self, fields: &Fields, row: &'static Property) {
        let title = format!("{} needs `{}`", fields.rows.title, row.name);
        let mut fault = Diagnostic::at(Code::MissingProperty, fields.place, title, "missing here")
            .help(format!("add `{} = ..`, {}", row.name, row.shape.expected()))
            .note(row.doc);
        if let Some(fact) = row.fact {
            fault = fault.note(format!("see {fact}"));
        }
        if let Some(error) = row.refusal {
            fault = fault.note(format!("AWS refuses it with {error}"));
        }
        self.diagnostics.push(fields.place, fault);
    }

    /// Checks a value against a shape; `None` when a fault was filed.
    pub(crate) fn value(&mut self, shape: &'static Shape, subject: Subject<'_>) -> Option<Value> {
        if let Some(value) = self.scalar(shape, subject) {
            return value;
        }
        match (shape, &subject.node.value) {
            (Shape::Table(rows), NodeValue::Table(table)) => {
                Some(Value::Table(self.table(table, subject.node.place, rows)))
            }
            (Shape::OneOf(rows), NodeValue::Table(table)) => {
                let fields = self.table(table, subject.node.place, rows);
                self.exactly_one(&fields, subject).then_some(Value::Table(fields))
            }
            (Shape::WordOr(word, shape), NodeValue::Text(text)) => {
                if text == word {
                    return Some(Value::Word(word));
                }
                let near = nearest(text, [*word]).is_some();
                if near || matches!(shape, Shape::OneOf(_)) {
                    self.wrong_word(subject, text, &[word]);
                    return None;
                }
                self.value(shape, subject)
            }
            (Shape::WordOr(_, shape), _) => self.value(shape, subject),
            (Shape::List(shape), NodeValue::List(items)) => self.list(shape, items, subject),
            (Shape::Pair(first, second), NodeValue::List(items)) => self.pair(first, second, items, subject),
            (Shape::Components(kind), NodeValue::Table(table)) => Some(self.components(*kind, table)),
            _ => self.wrong_type(shape, subject),
        }
    }

    fn exactly_one(&mut self, fields: &Fields, subject: Subject<'_>) -> bool {
        let place = fields.place;
        let name = subject.row.name;
        let choices = listed(fields.rows.properties.iter().map(|property| property.name), "or");
        match fields.keys.len() {
            1 => true,
            // An unknown name has been reported; that nothing is left follows from it.
            0 if matches!(&subject.node.value, NodeValue::Table(table) if !table.entries.is_empty()) => false,
            0 => {
                let title = format!("`{name}` is empty");
                let fault = Diagnostic::at(Code::MissingProperty, place, title, "one property expected")
                    .help(format!("give one of {choices}"));
                self.diagnostics.push(place, fault);
                false
            }
            _ => {
                let title = format!("`{name}` takes one of {choices}, not several");
                let mut keys: Vec<(Place, &str)> = fields.keys.iter().map(|(name, key)| (*key, *name)).collect();
                keys.sort_unstable();
                let (first, _) = keys[0];
                let (second, _) = keys[1];
                let fault = Diagnostic::at(Code::Contradiction, second, title, "a second choice")
                    .also(first, "the first choice");
                self.diagnostics.push(second, fault);
                false
            }
        }
    }

    fn list(&mut self, shape: &'static Shape, items: &[Node], subject: Subject<'_>) -> Option<Value> {
        if items.is_empty() {
            let title = format!("`{}` is an empty list", subject.row.name);
            let fault = Diagnostic::at(
                Code::InvalidList,
                subject.node.place,
                title,
                "at least one entry is expected",
            );
            self.diagnostics.push(subject.node.place, fault);
            return None;
        }
        let mut complete = true;
        let mut fields = Vec::with_capacity(items.len());
        for node in items {
            match self.value(shape, Subject { row: subject.row, node }) {
                Some(value) => fields.push(Field {
                    value,
                    place: node.place,
                }),
                None => complete = false,
            }
        }
        complete.then_some(Value::List(fields))
    }

    fn pair(
        &mut self,
        first: &'static Shape,
        second: &'static Shape,
        items: &[Node],
        subject: Subject<'_>,
    ) -> Option<Value> {
        let [left, right] = items else {
            let title = format!("`{}` takes pairs", subject.row.name);
            let label = format!("{} values", items.len());
            let fault = Diagnostic::at(Code::InvalidList, subject.node.place, title, label).help(format!(
                "write [{}, {}]",
                first.expected(),
                second.expected()
            ));
            self.diagnostics.push(subject.node.place, fault);
            return None;
        };
        let row = subject.row;
        let left_value = self.value(first, Subject { row, node: left });
        let right_value = self.value(second, Subject { row, node: right });
        let field = |value, node: &Node| Field {
            value,
            place: node.place,
        };
        Some(Value::List(vec![field(left_value?, left), field(right_value?, right)]))
    }

    fn components(&mut self, kind: Kind, table: &Table) -> Value {
        let mut components = Vec::new();
        for entry in &table.entries {
            self.component_name(entry, kind);
            let NodeValue::Table(properties) = &entry.node.value else {
                let title = format!(
                    "`{kind}` holds components, `{}` is {}",
                    quoted(&entry.name),
                    entry.node.kind()
                );
                let fault = Diagnostic::at(Code::WrongType, entry.node.place, title, "a table is expected")
                    .help(format!("components are written [{kind}.NAME], their properties below"));
                self.diagnostics.push(entry.node.place, fault);
                continue;
            };
            let fields = self.table(properties, entry.node.place, kind.rows());
            components.push(Component {
                name: entry.name.clone(),
                key: entry.key,
                fields,
            });
        }
        if let Some(beyond) = table.entries.get(MOST_COMPONENTS) {
            let most = grouped(MOST_COMPONENTS as u64);
            let title = format!("a scenario has at most {most} components of a kind");
            let label = format!("there are {}", grouped(table.entries.len() as u64));
            let fault = Diagnostic::at(Code::OutOfRange, beyond.key, title, label);
            self.diagnostics.push(beyond.key, fault);
        }
        Value::Components(components)
    }

    fn component_name(&mut self, entry: &Entry, kind: Kind) {
        let allowed =
            |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '-';
        let fits = (1..=128).contains(&entry.name.len()) && entry.name.chars().all(allowed);
        if fits {
            return;
        }
        let shown = quoted(&entry.name);
        let code = if entry.name.chars().any(is_control) {
            Code::ControlCharacter
        } else {
            Code::InvalidName
        };
        let suggestion: String = entry
            .name
            .chars()
            .map(|character| {
                if matches!(character, '_' | '.' | ' ') {
                    '-'
                } else {
                    character.to_ascii_lowercase()
                }
            })
            .filter(|&character| allowed(character))
            .take(128)
            .collect();
        let label = "lower-case letters, digits and hyphens are allowed";
        let mut fault = Diagnostic::at(code, entry.key, format!("`{shown}` cannot name a {kind}"), label);
        if !suggestion.is_empty() {
            fault = fault.help(format!("for example `{suggestion}`"));
        }
        self.diagnostics.push(entry.key, fault);
    }
}
