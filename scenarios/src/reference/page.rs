//! The page `docs/reference/properties.md`.

use super::words;
use crate::schema::top::TOP;
use crate::schema::{Default, Dimension, Kind, Property, Rows, Shape};

const HEAD: &str = "\
# Properties of a scenario

Written from the rows that check scenarios; do not edit. `shardlab explain NAME` shows the same of one property, with the
facts behind it, and `shardlab schema` writes it as a JSON Schema for editors.

Properties of AWS keep their CloudFormation spelling (`ShardCount`) and their unit; the simulator's own are in snake_case
(`linger`) and carry the unit in the value: durations `\"50ms\"`, `\"1h 30min\"`; sizes `\"600B\"`, `\"3KB\"` (1,000), `\"5MiB\"`
(1,024 squared); rates `\"2400/s\"`, `\"1/5min\"`. Names of components consist of lower-case letters, digits and hyphens.
";

/// The page so far.
struct Page(String);

impl Page {
    fn add(&mut self, text: &str) {
        self.0.push_str(text);
    }
}

/// The whole page, in Markdown.
pub fn properties_page() -> String {
    let mut page = Page(HEAD.to_owned());
    section(&mut page, "At the top of a file", "", &TOP);
    for &kind in Kind::ALL {
        section(&mut page, &format!("`[{kind}.NAME]`"), kind.name(), kind.rows());
    }
    let tables = TOP.properties.iter().filter_map(|property| match property.shape {
        Shape::Table(rows) => Some((format!("`[{}]`", property.name), property.name, rows)),
        Shape::List(Shape::Table(rows)) => Some((format!("`[[{}]]`", property.name), property.name, *rows)),
        _ => None,
    });
    for (title, name, rows) in tables {
        section(&mut page, &title, name, rows);
    }
    distributions(&mut page);
    page.0
}

fn section(page: &mut Page, title: &str, path: &str, rows: &'static Rows) {
    let resource = rows.aws.map(|resource| format!(": {resource}")).unwrap_or_default();
    heading(page, 2, &format!("{title}{resource}"));
    properties(page, rows);
    if !rows.not_modelled.is_empty() {
        let names: Vec<String> = rows.not_modelled.iter().map(|name| format!("`{name}`")).collect();
        paragraph(page, &format!("Not modelled yet, and refused: {}.", names.join(", ")));
    }
    // What stands at the top has sections of its own.
    if !path.is_empty() {
        for property in rows.properties {
            inner(page, &format!("{path}.{}", property.name), &property.shape);
        }
    }
}

/// The tables within a property.
fn inner(page: &mut Page, path: &str, shape: &'static Shape) {
    match shape {
        Shape::Table(rows) | Shape::OneOf(rows) => {
            heading(page, 3, &format!("`{path}`"));
            if matches!(shape, Shape::OneOf(_)) {
                paragraph(page, "One of these:");
            }
            properties(page, rows);
            for property in rows.properties {
                inner(page, &format!("{path}.{}", property.name), &property.shape);
            }
        }
        Shape::WordOr(_, shape) | Shape::List(shape) => inner(page, path, shape),
        _ => {}
    }
}

fn distributions(page: &mut Page) {
    heading(page, 2, "Distributions");
    paragraph(
        page,
        "Where a distribution is taken, a single value means that it is always the same, and two percentiles \
         (`{ p50 = \"20ms\", p99 = \"80ms\" }`) mean a log-normal one. Otherwise one of these forms, here of durations; sizes \
         have the same:",
    );
    if let Shape::OneOf(rows) = Dimension::Time.form_shape() {
        properties(page, rows);
        for property in rows.properties {
            inner(page, property.name, &property.shape);
        }
    }
}

fn properties(page: &mut Page, rows: &Rows) {
    page.add("\n| property | value | default | meaning |\n| --- | --- | --- | --- |\n");
    for property in rows.properties {
        line(page, property);
    }
}

fn line(page: &mut Page, property: &Property) {
    let default = match property.default {
        Default::Required => "required".to_owned(),
        Default::RequiredWithout(other) => format!("required without `{other}`"),
        Default::Nothing => String::new(),
        Default::Value(text) => format!("`{text}`"),
        Default::ByProfile { exam, current } => format!("`{current}`, in the profile exam `{exam}`"),
    };
    let facts = property.fact.map(|fact| format!(" ({fact})")).unwrap_or_default();
    let cells = [
        format!("`{}`", property.name),
        words::value_words(&property.shape),
        default,
        format!("{}{facts}", property.doc),
    ];
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    page.add(&format!("| {} |\n", cells.join(" | ")));
}

fn heading(page: &mut Page, level: usize, text: &str) {
    page.add(&format!("\n{} {text}\n", "#".repeat(level)));
}

fn paragraph(page: &mut Page, text: &str) {
    page.add(&format!("\n{text}\n"));
}
