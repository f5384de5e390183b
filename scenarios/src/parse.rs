//! From text to tree: the TOML reader and its errors, and what `--set` changes.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, listed, nearest};
use crate::node::{Entry, Node, NodeValue, Table};
use crate::source::{Place, TextId, quoted, visible};
use core::ops::Range;
use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// Reads the scenario's text; what cannot be read is reported and left out.
pub(crate) fn document(text: &str, diagnostics: &mut Diagnostics) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = Table::from_toml(table.get_ref(), TextId::Scenario);
    let mut duplicates = Duplicates::default();
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = Place::new(TextId::Scenario, span.start.min(text.len())..span.end.min(text.len()));
        if error.message() == "duplicate key" {
            if let Some(diagnostic) = duplicates.next(text, &table, place) {
                diagnostics.push(place, diagnostic);
            }
        } else {
            let found = text.get(place.span()).unwrap_or_default();
            diagnostics.push_syntax(place, syntax(place, error.message(), found));
        }
    }
    table
}

fn syntax(place: Place, message: &str, found: &str) -> Diagnostic {
    let message = visible(message);
    let (title, label) = message.split_once(", ").unwrap_or((&message, ""));
    if title == "string values must be quoted" {
        let diagnostic = Diagnostic::at(Code::Syntax, place, "a value is missing or lacks its quotes", "");
        let found = found.trim();
        if found.is_empty() {
            return diagnostic.help("write a number, true, false, or a text in quotes");
        }
        return diagnostic.help(format!("write \"{}\"", quoted(found)));
    }
    Diagnostic::at(Code::Syntax, place, title, label)
}

/// Names that are given twice.
#[derive(Default)]
struct Duplicates {
    /// Places of all keys by name, once it is needed.
    index: Option<BTreeMap<String, Vec<Place>>>,
    /// The end of a table whose header is given twice. That its properties are given twice too follows from it.
    told_until: usize,
}

impl Duplicates {
    /// A name at this place occurs for the second time.
    fn next(&mut self, text: &str, table: &Table, place: Place) -> Option<Diagnostic> {
        if place.start < self.told_until {
            return None;
        }
        let name = text.get(place.span())?.trim_matches(['"', '\'']);
        let title = format!("`{}` is given twice", quoted(name));
        let diagnostic = Diagnostic::at(Code::DuplicateKey, place, title, "given again here");
        let line_start = text[..place.start].rfind('\n').map_or(0, |end| end + 1);
        let line = text[line_start..].lines().next().unwrap_or_default();
        let first = if line.trim_start().starts_with('[') {
            let rest = &text[place.end..];
            self.told_until = place.end + rest.find("\n[").unwrap_or(rest.len());
            first_header(
                &text[..line_start],
                line,
                place.start - line_start..place.end - line_start,
            )
        } else {
            let index = self.index.get_or_insert_with(|| table.index());
            // The reader keeps no note of the first place; it is certain only where the name occurs once.
            match index.get(name).map(Vec::as_slice) {
                Some([first]) if first.start < place.start => Some(*first),
                _ => None,
            }
        };
        Some(match first {
            Some(first) => diagnostic.also(first, "first given here"),
            None => diagnostic,
        })
    }
}

/// The same span of an earlier line that reads the same.
fn first_header(before: &str, header: &str, span: Range<usize>) -> Option<Place> {
    let mut start = 0;
    for line in before.split_inclusive('\n') {
        if line.trim_end() == header.trim_end() {
            return Some(Place::new(TextId::Scenario, start + span.start..start + span.end));
        }
        start += line.len();
    }
    None
}

/// The part of a `--set` path that is being followed.
struct Step<'p> {
    name: &'p str,
    place: Place,
}

/// Applies `--set path=value` to the tree. `kinds` are the tables whose entries are components.
pub(crate) fn set(
    table: &mut Table,
    index: usize,
    path: &str,
    value: &str,
    kinds: &[&str],
    diagnostics: &mut Diagnostics,
) {
    let text = TextId::Set(index);
    let value_place = Place::new(text, path.len() + 1..path.len() + 1 + value.len());
    let Some(node) = set_value(value, value_place, diagnostics) else {
        return;
    };
    let mut steps = Vec::new();
    let mut start = 0;
    for name in path.split('.') {
        let place = Place::new(text, start..start + name.len());
        start += name.len() + 1;
        if name.is_empty() {
            let whole = Place::new(text, 0..path.len());
            let fault = Diagnostic::at(Code::SetPath, whole, "the path of --set has an empty part", "")
                .help("write the path of a property, for example producer.web.linger");
            diagnostics.push(whole, fault);
            return;
        }
        steps.push(Step { name, place });
    }
    let is_component = steps.len() > 2 && kinds.contains(&steps[0].name);
    let exists = if is_component {
        component_exists(table, &steps)
    } else {
        Ok(())
    };
    if let Err(fault) = exists.and_then(|()| put(table, &steps, node)) {
        let (place, diagnostic) = *fault;
        diagnostics.push(place, diagnostic);
    }
}

/// A value as a scenario writes it; a bare word is a string.
fn set_value(value: &str, place: Place, diagnostics: &mut Diagnostics) -> Option<Node> {
    if let Ok(parsed) = DeValue::parse(value) {
        return Some(Node::from_toml(&parsed, place.text).moved_to(place));
    }
    let looks_structured = value.trim_start().starts_with(['{', '[', '"', '\'']);
    if looks_structured {
        let fault = Diagnostic::at(
            Code::SetValue,
            place,
            "the value of --set cannot be read",
            "not a TOML value",
        )
        .help("write the value as in a scenario, for example '{ poisson = \"5/s\" }'");
        diagnostics.push(place, fault);
        return None;
    }
    Some(Node {
        value: NodeValue::Text(value.to_owned()),
        place,
    })
}

type Fault = Box<(Place, Diagnostic)>;

fn component_exists(table: &Table, steps: &[Step<'_>]) -> Result<(), Fault> {
    let (kind, name) = (&steps[0], &steps[1]);
    let names: Vec<&str> = match table.get(kind.name).map(|entry| &entry.node.value) {
        Some(NodeValue::Table(components)) => components.entries.iter().map(|entry| entry.name.as_str()).collect(),
        _ => Vec::new(),
    };
    if names.contains(&name.name) {
        return Ok(());
    }
    let title = format!("the scenario has no `{}.{}`", quoted(kind.name), quoted(name.name));
    let fault = Diagnostic::at(Code::SetPath, name.place, title, "not a component of the scenario");
    let fault = match nearest(name.name, names.iter().copied()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None if names.is_empty() => fault,
        None => fault.note(format!("there is {}", listed(names, "and"))),
    };
    Err(Box::new((name.place, fault)))
}

fn put(table: &mut Table, steps: &[Step<'_>], node: Node) -> Result<(), Fault> {
    let Some((step, rest)) = steps.split_first() else {
        return Ok(());
    };
    let known = table.entries.iter().position(|entry| entry.name == step.name);
    let position = known.unwrap_or(table.entries.len());
    if known.is_none() {
        table.entries.push(Entry {
            name: step.name.to_owned(),
            key: step.place,
            node: Node {
                value: NodeValue::Table(Table::default()),
                place: step.place,
            },
        });
    }
    let entry = &mut table.entries[position];
    if rest.is_empty() {
        entry.key = step.place;
        entry.node = node;
        return Ok(());
    }
    put_below(&mut entry.node, step, rest, node)
}

fn put_below(parent: &mut Node, step: &Step<'_>, rest: &[Step<'_>], node: Node) -> Result<(), Fault> {
    match &mut parent.value {
        NodeValue::Table(table) => put(table, rest, node),
        NodeValue::List(items) => {
            let count = items.len();
            let next = &rest[0];
            let Some(item) = next.name.parse().ok().and_then(|index: usize| items.get_mut(index)) else {
                let title = format!("`{}` has {count} entries, numbered from 0", quoted(step.name));
                let fault = Diagnostic::at(Code::SetPath, next.place, title, "no such entry");
                return Err(Box::new((next.place, fault)));
            };
            if rest.len() == 1 {
                *item = node;
                return Ok(());
            }
            put_below(item, next, &rest[1..], node)
        }
        NodeValue::Text(_) | NodeValue::Integer(_) | NodeValue::Float(_) | NodeValue::Flag(_) | NodeValue::Datetime => {
            let title = format!("`{}` is {}, not a table", quoted(step.name), parent.kind());
            let fault = Diagnostic::at(Code::SetPath, step.place, title, "nothing lies below it");
            Err(Box::new((step.place, fault.help("set the whole value instead"))))
        }
    }
}
