//! `shardlab explain`: a diagnostic code, a metric, a property or a fact.

use crate::cli::ExplainArgs;
use crate::facts::{Fact, Facts};
use crate::outcome::Outcome;
use crate::terminal::{Terminal, print, print_error, visible};
use anstyle::Style;
use reports::text::{counted, fill, list};
use scenarios::metric::{METRICS, Metric, Unit};
use scenarios::reference::{self, Entry};
use scenarios::schema::{Default, Property, Rows, Shape};
use scenarios::{CODES, CodeRow, Severity};
use sim::observe::metrics;

/// So many similar names are suggested.
const SUGGESTIONS: usize = 5;

/// Carries out the command.
pub(crate) fn explain(args: &ExplainArgs, terminal: &Terminal) -> anyhow::Result<Outcome> {
    let page = Page {
        facts: Facts::read(),
        width: terminal.width_out,
        colour: terminal.colour_out,
    };
    let Some(id) = &args.id else {
        print(&page.contents())?;
        return Ok(Outcome::Held);
    };
    let found = page.found(id.trim());
    if found.is_empty() {
        print_error(&page.unknown(id.trim()))?;
        return Ok(Outcome::BadInput);
    }
    print(&found.join("\n"))?;
    Ok(Outcome::Held)
}

/// Writes explanations.
struct Page {
    facts: Facts,
    width: usize,
    colour: bool,
}

impl Page {
    /// An explanation for each thing that the name may mean.
    fn found(&self, id: &str) -> Vec<String> {
        let same = |name: &str| name.eq_ignore_ascii_case(id);
        let mut found: Vec<String> = Vec::new();
        found.extend(CODES.iter().filter(|row| same(row.number)).map(|row| self.code(row)));
        found.extend(self.facts.get(id).map(|fact| self.fact(fact)));
        let exact: Vec<&Metric> = METRICS.iter().filter(|metric| metric.name == id).collect();
        found.extend(exact.iter().map(|metric| self.metric(metric)));
        found.extend(reference::find(id).iter().map(|entry| self.property(entry)));
        if found.is_empty() {
            found.extend(
                METRICS
                    .iter()
                    .filter(|metric| same(metric.name))
                    .map(|metric| self.metric(metric)),
            );
            let entries = reference::entries();
            let ends = |entry: &&Entry| same(&entry.path) || same(entry.property.name);
            found.extend(entries.iter().filter(ends).map(|entry| self.property(entry)));
        }
        if found.is_empty() {
            let recorded = metrics::Metric::ALL.iter().map(|metric| metric.row());
            found.extend(recorded.filter(|row| same(row.name)).map(|row| self.recorded(row)));
        }
        if found.is_empty() {
            found.extend(self.group(id));
        }
        found
    }

    fn code(&self, row: &CodeRow) -> String {
        let sort = match row.code.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let title = self.title(row.number, &format!("{sort}: {}", row.title));
        title + &self.paragraph(row.explanation) + &self.facts_of(row.explanation)
    }

    fn fact(&self, fact: &Fact) -> String {
        let mut text = self.title(&fact.id, &fact.section) + &self.paragraph(&fact.statement) + "\n";
        for (label, detail) in &fact.details {
            let detail = match *label {
                "confidence" => with_letters_explained(detail),
                _ => detail.clone(),
            };
            text += &self.detail(label, &detail);
        }
        text += &self.detail("sheet", &format!("docs/facts/{}", fact.sheet));
        let names = |cited: &str| self.facts.named_in(cited).iter().any(|other| other.id == fact.id);
        let entries = reference::entries();
        let properties = entries.iter().filter(|entry| entry.property.fact.is_some_and(names));
        let metrics = METRICS.iter().filter(|metric| names(metric.doc));
        let users: Vec<String> = properties
            .map(|entry| entry.path.clone())
            .chain(metrics.map(|metric| metric.name.to_owned()))
            .collect();
        if !users.is_empty() {
            text += &self.detail("behind", &list(&users));
        }
        text
    }

    fn metric(&self, metric: &Metric) -> String {
        let unit = match metric.unit {
            Unit::Count => "count",
            Unit::Bytes => "bytes",
            Unit::Milliseconds => "milliseconds",
        };
        let kinds: Vec<String> = metric.of.iter().map(|kind| format!("[{kind}.NAME]")).collect();
        let namespace = match metric.namespace {
            "Simulator" => "the simulator's own, CloudWatch has no such metric",
            namespace => namespace,
        };
        self.title(metric.name, "metric")
            + &self.paragraph(metric.doc)
            + "\n"
            + &self.detail("namespace", namespace)
            + &self.detail("unit", unit)
            + &self.detail("of", &list(&kinds))
            + &self.detail("statistics", metric.sort.statistics())
            + &self.facts_of(metric.doc)
    }

    /// A metric that stands in `metrics.csv` and that no expectation can ask for.
    fn recorded(&self, row: &metrics::catalogue::Row) -> String {
        let meaning = format!(
            "{} It stands in metrics.csv; no expectation can ask for it.",
            row.meaning
        );
        self.title(row.name, "metric")
            + &self.paragraph(&meaning)
            + "\n"
            + &self.detail("namespace", &row.namespace.to_string())
            + &self.facts_of(row.fact)
    }

    fn property(&self, entry: &Entry) -> String {
        let property = entry.property;
        let table = match entry.table.aws {
            Some(resource) => format!("{} ({resource})", entry.table.title),
            None => entry.table.title.to_owned(),
        };
        let default = match property.default {
            Default::Required => Some("none, it must be given".to_owned()),
            Default::RequiredWithout(other) => Some(format!("none, it must be given where `{other}` is not")),
            other => reference::default_words(other),
        };
        let mut text = self.title(&entry.path, &format!("property of {table}")) + &self.paragraph(property.doc) + "\n";
        text += &self.detail("value", &reference::value_words(&property.shape));
        if let Some(default) = default {
            text += &self.detail("default", &default);
        }
        text + &self.facts_of(property.fact.unwrap_or_default()) + &self.properties_below(property)
    }

    /// The properties of the table that is a property's value.
    fn properties_below(&self, property: &'static Property) -> String {
        let Some(rows) = table_of(&property.shape) else {
            return String::new();
        };
        let lines = rows.properties.iter().map(|row| (row.name, row.doc.to_owned()));
        format!("\n{}", self.entries(&lines.collect::<Vec<_>>()))
    }

    /// The facts that a text names, a sentence each.
    fn facts_of(&self, text: &str) -> String {
        let facts = self.facts.named_in(text);
        if facts.is_empty() {
            return String::new();
        }
        let lines = facts.iter().map(|fact| (fact.id.as_str(), fact.in_short()));
        format!("\n{}", self.entries(&lines.collect::<Vec<_>>()))
    }

    /// All facts whose IDs begin like this.
    fn group(&self, id: &str) -> Option<String> {
        let begins = |fact: &&Fact| {
            let head = fact
                .id
                .get(..id.len())
                .is_some_and(|head| head.eq_ignore_ascii_case(id));
            // A whole part of the ID: `KDS-R` means no fact of the group `KDS-REC`.
            head && (id.ends_with('-') || fact.id[id.len()..].starts_with('-'))
        };
        let facts = self.facts.iter().filter(begins);
        let lines: Vec<(&str, String)> = facts.map(|fact| (fact.id.as_str(), fact.in_short())).collect();
        (!lines.is_empty()).then(|| self.entries(&lines))
    }

    /// Everything that can be explained.
    fn contents(&self) -> String {
        let entries = reference::entries();
        let codes: Vec<(&str, String)> = CODES.iter().map(|row| (row.number, row.title.to_owned())).collect();
        let metrics: Vec<(&str, String)> = METRICS.iter().map(|row| (row.name, row.doc.to_owned())).collect();
        let properties = entries
            .iter()
            .map(|entry| (entry.path.as_str(), entry.property.doc.to_owned()));
        let properties: Vec<(&str, String)> = properties.collect();
        let mut groups: Vec<(&str, &str, u64)> = Vec::new();
        for fact in self.facts.iter() {
            match groups.last_mut() {
                Some((group, _, number)) if *group == fact.group() => *number += 1,
                _ => groups.push((fact.group(), &fact.section, 1)),
            }
        }
        let groups = groups
            .iter()
            .map(|&(group, section, number)| (group, format!("{section}, {}", counted(number, "fact"))));
        let groups: Vec<(&str, String)> = groups.collect();
        [
            self.title("Diagnostic codes", "") + &self.entries(&codes),
            self.title("Metrics", "") + &self.entries(&metrics),
            self.title("Properties of a scenario", "the end of a path will do") + &self.entries(&properties),
            self.title("Facts", "a group such as KDS-W, or one such as KDS-W-01") + &self.entries(&groups),
        ]
        .join("\n")
    }

    fn unknown(&self, id: &str) -> String {
        let entries = reference::entries();
        let names = CODES
            .iter()
            .map(|row| row.number)
            .chain(METRICS.iter().map(|metric| metric.name))
            .chain(
                entries
                    .iter()
                    .flat_map(|entry| [entry.path.as_str(), entry.property.name]),
            )
            .chain(self.facts.iter().map(|fact| fact.id.as_str()));
        let near: Vec<String> = similar(id, names).iter().map(|name| format!("`{name}`")).collect();
        let near = match near.as_slice() {
            [] => String::new(),
            near => format!("  similar: {}\n", list(near)),
        };
        let id = visible(id);
        format!("error: there is nothing called `{id}` to explain\n{near}  `shardlab explain` lists everything\n")
    }

    fn title(&self, name: &str, rest: &str) -> String {
        let bold = if self.colour { Style::new().bold() } else { Style::new() };
        let rest = if rest.is_empty() {
            String::new()
        } else {
            format!(": {rest}")
        };
        format!("{bold}{name}{bold:#}{rest}\n")
    }
    fn paragraph(&self, text: &str) -> String {
        fill(text, self.width, "", "")
    }
    fn detail(&self, label: &str, text: &str) -> String {
        fill(text, self.width, &format!("  {label:<10}  "), &" ".repeat(14))
    }
    /// Names with texts beside them, in columns.
    fn entries(&self, entries: &[(&str, String)]) -> String {
        let longest = entries.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let column = longest.clamp(10, self.width / 2);
        let indented = " ".repeat(column + 4);
        let line = |(name, text): &(&str, String)| {
            if name.chars().count() > column {
                return format!("  {name}\n") + &fill(text, self.width, &indented, &indented);
            }
            fill(text, self.width, &format!("  {name:<column$}  "), &indented)
        };
        entries.iter().map(line).collect()
    }
}

/// The table that a value of this shape is or holds.
fn table_of(shape: &'static Shape) -> Option<&'static Rows> {
    match shape {
        Shape::Table(rows) | Shape::OneOf(rows) => Some(rows),
        Shape::WordOr(_, inner) | Shape::List(inner) => table_of(inner),
        Shape::Components(kind) => Some(kind.rows()),
        _ => None,
    }
}

/// What the letters mean in which the Lambda sheet states its confidence.
const CONFIDENCE: &[(char, &str)] = &[
    ('A', "documented by AWS"),
    ('B', "from AWS's API model"),
    ('C', "from an AWS blog, announcement or price page"),
    ('D', "measured or reported by third parties"),
    ('E', "follows from what AWS documents"),
    ('M', "from memory, not verified"),
];

/// The text with the meaning of the letters at its beginning: `A+B` stands for two sources.
fn with_letters_explained(text: &str) -> String {
    let end = text.find(|c: char| !"ABCDEM+/-".contains(c)).unwrap_or(text.len());
    let (letters, rest) = text.split_at(end);
    if rest.starts_with(|c: char| c.is_alphanumeric()) {
        return text.to_owned();
    }
    let meant = CONFIDENCE.iter().filter(|(letter, _)| letters.contains(*letter));
    let meant: Vec<String> = meant.map(|(letter, words)| format!("{letter}: {words}")).collect();
    if meant.is_empty() {
        return text.to_owned();
    }
    format!("{text} ({})", meant.join(", "))
}

/// The names most like this one, best first.
fn similar<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Vec<&'n str> {
    let plain = |text: &str| text.to_ascii_lowercase().replace('_', "");
    let wanted = plain(name);
    let allowed = (wanted.chars().count() / 3).max(1);
    let mut near: Vec<(usize, &str)> = names
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .collect();
    near.sort_unstable();
    near.dedup();
    near.into_iter().map(|(_, name)| name).take(SUGGESTIONS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        Page {
            facts: Facts::read(),
            width: 80,
            colour: false,
        }
    }

    #[test]
    fn everything_that_is_listed_can_be_explained() {
        let page = page();
        let entries = reference::entries();
        let names = CODES
            .iter()
            .map(|row| row.number)
            .chain(METRICS.iter().map(|metric| metric.name))
            .chain(entries.iter().map(|entry| entry.path.as_str()))
            .chain(metrics::Metric::ALL.iter().map(|metric| metric.row().name))
            .chain(page.facts.iter().flat_map(|fact| [fact.id.as_str(), fact.group()]));
        for name in names {
            assert!(!page.found(name).is_empty(), "{name}");
        }
    }

    #[test]
    fn every_fact_that_a_row_names_is_in_a_sheet() {
        let page = page();
        for entry in reference::entries() {
            for fact in entry.property.fact.iter().flat_map(|facts| facts.split(", ")) {
                assert!(page.facts.get(fact).is_some(), "{}: {fact}", entry.path);
            }
        }
    }

    #[test]
    fn letters_of_confidence_are_explained() {
        let explained = "A+B. (A: documented by AWS, B: from AWS's API model)";
        assert_eq!(with_letters_explained("A+B."), explained);
        for plain in ["high", "Choice: equal split", "med; older page"] {
            assert_eq!(with_letters_explained(plain), plain);
        }
    }

    #[test]
    fn similar_names_come_best_first() {
        let names = ["Invocations", "IncomingBytes", "Inversions"];
        assert_eq!(
            similar("invocation", names.into_iter()),
            ["Invocations", "Inversions"][..1]
        );
        assert_eq!(similar("nothing like it", names.into_iter()), [""; 0]);
    }
}
