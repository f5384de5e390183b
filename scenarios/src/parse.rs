//! From text to tree: the TOML reader and its errors, and what `--set` changes.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics, listed, nearest};
use crate::node::{Entry, Node, NodeValue, Table};
use crate::source::{Place, TextId, printable};
use toml::de::{DeTable, DeValue};

/// Reads the scenario's text; what cannot be read is reported and left out.
pub(crate) fn document(text: &str, diagnostics: &mut Diagnostics) -> Table {
    let (table, errors) = DeTable::parse_recoverable(text);
    let table = Table::from_toml(table.get_ref(), TextId::Scenario);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let place = Place::new(TextId::Scenario, span.start.min(text.len())..span.end.min(text.len()));
        let quoted = text.get(place.span()).unwrap_or_default();
        if error.message() == "duplicate key" {
            let diagnostic = duplicate(&table, place, quoted);
            diagnostics.push(place, diagnostic);
        } else {
            diagnostics.push_syntax(place, syntax(place, error.message(), quoted));
        }
    }
    table
}

fn syntax(place: Place, message: &str, quoted: &str) -> Diagnostic {
    let message = printable(message);
    let (title, label) = message.split_once(", ").unwrap_or((&message, ""));
    if title == "string values must be quoted" {
        let diagnostic = Diagnostic::at(Code::Syntax, place, "a value is missing or lacks its quotes", "");
        let quoted = quoted.trim();
        if quoted.is_empty() {
            return diagnostic.help("write a number, true, false, or a text in quotes");
        }
        return diagnostic.help(format!("write \"{quoted}\""));
    }
    Diagnostic::at(Code::Syntax, place, title, label)
}

fn duplicate(table: &Table, place: Place, quoted: &str) -> Diagnostic {
    let name = printable(quoted.trim_matches(['"', '\'']));
    let title = format!("`{name}` is given twice");
    let mut found = Vec::new();
    table.keys_named(&name, &mut found);
    let diagnostic = Diagnostic::at(Code::DuplicateKey, place, title, "given again here");
    // The reader keeps no note of the first place; it is certain only where the name occurs once.
    match found.as_slice() {
        [first] if first.start < place.start => diagnostic.also(*first, "first given here"),
        _ => diagnostic,
    }
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
    let title = format!(
        "the scenario has no `{}.{}`",
        printable(kind.name),
        printable(name.name)
    );
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
                let title = format!("`{}` has {count} entries, numbered from 0", printable(step.name));
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
            let title = format!("`{}` is {}, not a table", printable(step.name), parent.kind());
            let fault = Diagnostic::at(Code::SetPath, step.place, title, "nothing lies below it");
            Err(Box::new((step.place, fault.help("set the whole value instead"))))
        }
    }
}
