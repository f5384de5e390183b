//! The fact sheets of `docs/facts`, as the program carries them: one row, one behaviour of AWS, one ID.

use std::collections::BTreeMap;

/// A sheet.
struct Sheet {
    name: &'static str,
    text: &'static str,
}

const SHEETS: &[Sheet] = &[
    Sheet {
        name: "kinesis-data-streams.md",
        text: include_str!("../docs/facts/kinesis-data-streams.md"),
    },
    Sheet {
        name: "lambda.md",
        text: include_str!("../docs/facts/lambda.md"),
    },
    Sheet {
        name: "sqs.md",
        text: include_str!("../docs/facts/sqs.md"),
    },
    Sheet {
        name: "sinks.md",
        text: include_str!("../docs/facts/sinks.md"),
    },
    Sheet {
        name: "topics.md",
        text: include_str!("../docs/facts/topics.md"),
    },
];

/// A row of a sheet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Fact {
    /// Its ID: `KDS-W-01`.
    pub(crate) id: String,
    /// What it says.
    pub(crate) statement: String,
    /// What else the row tells, in order, each with a word for what it is: value, source, confidence.
    pub(crate) details: Vec<(&'static str, String)>,
    /// The sheet.
    pub(crate) sheet: &'static str,
    /// The section of the sheet.
    pub(crate) section: String,
}

/// All facts, by ID.
#[derive(Debug)]
pub(crate) struct Facts(BTreeMap<String, Fact>);

impl Facts {
    /// Reads the sheets.
    pub(crate) fn read() -> Self {
        let facts = SHEETS.iter().flat_map(read_sheet);
        Self(facts.map(|fact| (fact.id.clone(), fact)).collect())
    }
    /// The fact with this ID, in capitals or not.
    pub(crate) fn get(&self, id: &str) -> Option<&Fact> {
        self.0
            .get(id)
            .or_else(|| self.iter().find(|fact| fact.id.eq_ignore_ascii_case(id)))
    }
    /// All of them, in order of their IDs.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.values()
    }
    /// The facts that a text names.
    pub(crate) fn named_in<'f>(&'f self, text: &str) -> Vec<&'f Fact> {
        text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .filter_map(|word| self.0.get(word.trim_matches('-')))
            .collect()
    }
}

impl Fact {
    /// What the IDs of its kind have in common: `KDS-W`.
    pub(crate) fn group(&self) -> &str {
        self.id.rsplit_once('-').map_or(self.id.as_str(), |(group, _)| group)
    }
    /// What it says in a line, with the value where the statement names no figure and the value has one.
    pub(crate) fn in_short(&self) -> String {
        let has_figure = |text: &str| text.contains(|c: char| c.is_ascii_digit());
        let value = self
            .details
            .iter()
            .find(|(label, _)| matches!(*label, "value" | "default"));
        match value {
            Some((_, value)) if has_figure(value) && !has_figure(&self.statement) => {
                format!("{}: {value}", self.statement.trim_end_matches('.'))
            }
            _ => self.statement.clone(),
        }
    }
}

fn read_sheet(sheet: &Sheet) -> Vec<Fact> {
    let links: BTreeMap<&str, &str> = sheet.text.lines().filter_map(link_definition).collect();
    let mut found = Vec::new();
    let mut headings: Vec<String> = Vec::new();
    let mut section = "";
    for line in sheet.text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            let title = title.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '));
            // Some titles end in the group of their facts, which the IDs tell anyway.
            section = title.split(" (LAM-").next().unwrap_or(title);
        }
        let Some(cells) = cells(line) else { continue };
        match cells.first() {
            Some(first) if first == "ID" => headings = cells,
            Some(first) if is_id(first) && cells.len() == headings.len() => {
                let mut cells = cells.into_iter().map(|cell| linked(&cell, &links));
                let (id, statement) = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
                let details = headings.iter().skip(2).map(|heading| label(heading)).zip(cells);
                found.push(Fact {
                    id,
                    statement,
                    details: details.filter(|(_, text)| !text.is_empty()).collect(),
                    sheet: sheet.name,
                    section: section.to_owned(),
                });
            }
            _ => {}
        }
    }
    found
}

/// The cells of a table's line; a bar with a backslash before it is text.
fn cells(line: &str) -> Option<Vec<String>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let mut cells = vec![String::new()];
    let mut escaped = false;
    for c in inner.chars() {
        match (c, escaped) {
            ('\\', false) => {
                escaped = true;
                continue;
            }
            ('|', false) => cells.push(String::new()),
            (c, escaped_before) => {
                if let Some(cell) = cells.last_mut() {
                    if escaped_before && c != '|' {
                        cell.push('\\');
                    }
                    cell.push(c);
                }
            }
        }
        escaped = false;
    }
    Some(cells.iter().map(|cell| cell.trim().to_owned()).collect())
}

/// Two or more parts joined by hyphens, capitals first, a number last.
fn is_id(cell: &str) -> bool {
    let last = cell
        .rsplit_once('-')
        .map(|(_, last)| last.trim_end_matches(|c: char| c.is_ascii_lowercase()));
    cell.starts_with(|c: char| c.is_ascii_uppercase())
        && last.is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A word for what stands below a heading.
fn label(heading: &str) -> &'static str {
    match heading.split(' ').next().unwrap_or_default() {
        "Value(s)" => "value",
        "Source" => "source",
        "Confidence" => "confidence",
        "Recommended" => "default",
        "Why" => "why",
        _ => "note",
    }
}

/// `[name]: address` at the end of a sheet.
fn link_definition(line: &str) -> Option<(&str, &str)> {
    let (name, address) = line.strip_prefix('[')?.split_once("]:")?;
    Some((name, address.split_whitespace().next()?))
}

/// The text with the address of each link behind its words, `[words][name]`, or in their place, `[name]`.
fn linked(text: &str, links: &BTreeMap<&str, &str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        out.push_str(before);
        let parts = link.split_once(']').and_then(|(words, tail)| {
            let named = tail.strip_prefix('[').and_then(|name| name.split_once(']'));
            match named.and_then(|(name, tail)| Some((links.get(name)?, tail))) {
                Some((address, tail)) => Some((format!("{words} <{address}>"), tail)),
                None => Some((format!("<{}>", links.get(words)?), tail)),
            }
        });
        if let Some((words, tail)) = parts {
            out.push_str(&words);
            rest = tail;
        } else {
            out.push('[');
            rest = link;
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_has_statement_value_source_and_confidence() {
        let facts = Facts::read();
        let fact = facts.get("kds-w-01").expect("it is in the sheet");
        assert_eq!((fact.id.as_str(), fact.group()), ("KDS-W-01", "KDS-W"));
        let labels: Vec<&str> = fact.details.iter().map(|(label, _)| *label).collect();
        assert_eq!(labels, ["value", "source", "confidence"]);
        assert!(fact.statement.ends_with('.'), "{}", fact.statement);
    }

    #[test]
    fn every_row_of_the_sheets_is_read() {
        for sheet in SHEETS {
            let rows = sheet.text.lines().filter(|line| {
                let cell = line.strip_prefix("| ").and_then(|line| line.split(" |").next());
                cell.is_some_and(is_id)
            });
            assert_eq!(read_sheet(sheet).len(), rows.count(), "{}", sheet.name);
        }
        let facts = Facts::read();
        assert!(facts.iter().count() > 750, "no two rows share an ID");
        assert!(
            facts
                .iter()
                .all(|fact| !fact.details.is_empty() && !fact.section.is_empty())
        );
    }

    #[test]
    fn links_are_resolved() {
        let facts = Facts::read();
        let details = || {
            facts
                .iter()
                .flat_map(|fact| fact.details.iter().map(move |detail| (&fact.id, detail)))
        };
        for (id, (label, text)) in details() {
            assert!(!text.contains("]["), "{id}: {label}: {text}");
        }
        let sources = details().filter(|(_, (label, _))| *label == "source");
        let without: Vec<&String> = sources
            // Some point to their sheet's list of sources, and rows on contradictions name their sources in words.
            .filter(|(id, (_, text))| {
                !text.contains("https://") && !text.contains("<#sources>") && !id.starts_with("SQS-Y")
            })
            .map(|(id, _)| id)
            .collect();
        assert!(
            without.len() < 12,
            "only a few rows follow from other rows alone: {without:?}"
        );
    }

    #[test]
    fn a_bar_with_a_backslash_is_text() {
        let expected: Vec<String> = ["a", r"0|\d", "c"].map(str::to_owned).to_vec();
        assert_eq!(cells(r"| a | 0\|\d | c |"), Some(expected));
    }

    #[test]
    fn facts_are_found_in_texts() {
        let facts = Facts::read();
        let ids = |text| -> Vec<&str> { facts.named_in(text).iter().map(|fact| fact.id.as_str()).collect() };
        assert_eq!(ids("see KDS-RET-01, KDS-RET-02."), ["KDS-RET-01", "KDS-RET-02"]);
        assert_eq!(ids("nothing (UTF-8)"), [""; 0]);
    }
}
