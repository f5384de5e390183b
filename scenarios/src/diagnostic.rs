//! What is wrong with a scenario, in a form that a renderer can draw.

pub use crate::codes::Code;
pub use crate::source::Origin;
use crate::source::{Place, START, visible};
use core::ops::Range;

/// How bad it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Severity {
    /// The scenario cannot run.
    Error,
    /// The scenario runs, but hardly as it was meant.
    Warning,
}

/// A statement about a scenario, with the text that it is about.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnostic {
    /// The code, for `explain` and for searching.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The fact, in one line without full stop.
    pub title: String,
    /// The text that the labels point into.
    pub origin: Origin,
    /// The places, the primary one first.
    pub labels: Vec<Label>,
    /// Background: limits and their facts, what there is to choose from.
    pub notes: Vec<String>,
    /// What to do about it.
    pub help: Option<String>,
}

/// A marked span of the origin's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Bytes of the text. Empty where something is missing.
    pub span: Range<usize>,
    /// What is said of the span. May be empty.
    pub text: String,
    /// The one place where the fault lies, as opposed to those that explain it.
    pub primary: bool,
}

impl Diagnostic {
    /// A diagnostic with one primary label. Whatever a scenario's names and values may contain, messages hold no
    /// control characters.
    pub(crate) fn at(code: Code, place: Place, title: impl Into<String>, label: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            title: told(&title.into()),
            origin: place.origin(),
            labels: vec![Label {
                span: place.span(),
                text: told(&label.into()),
                primary: true,
            }],
            notes: Vec::new(),
            help: None,
        }
    }
    /// A diagnostic about a line of a trace file.
    pub(crate) fn in_trace(code: Code, path: &str, line: u64, title: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            title: told(&title.into()),
            origin: Origin::Trace { path: told(path), line },
            labels: Vec::new(),
            notes: Vec::new(),
            help: None,
        }
    }
    /// Adds a place that explains the fault. Text elsewhere than the fault's own becomes a note.
    #[must_use]
    pub(crate) fn also(mut self, place: Place, text: &str) -> Self {
        if place.origin() == self.origin {
            self.labels.push(Label {
                span: place.span(),
                text: text.to_owned(),
                primary: false,
            });
            self
        } else {
            self.note(text)
        }
    }
    #[must_use]
    pub(crate) fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(told(&text.into()));
        self
    }
    #[must_use]
    pub(crate) fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(told(&text.into()));
        self
    }
    #[must_use]
    pub(crate) fn maybe_help(mut self, text: Option<&str>) -> Self {
        self.help = text.map(told).or(self.help);
        self
    }
}

/// Gathers diagnostics and hands them out in the order in which a reader meets their places.
#[derive(Debug, Default)]
pub(crate) struct Diagnostics {
    found: Vec<(Place, Diagnostic)>,
    syntax: Vec<Place>,
}

impl Diagnostics {
    /// Files a diagnostic under its place, unless a syntax error already covers that place, or may hide what is said to
    /// be missing from the file.
    pub(crate) fn push(&mut self, place: Place, diagnostic: Diagnostic) {
        if place == START && !self.syntax.is_empty() {
            return;
        }
        let covered = |error: &&Place| {
            error.text == place.text && error.start <= place.end && place.start <= error.end && place.start < place.end
        };
        let broken_value =
            |error: &&Place| error.text == place.text && place.start == place.end && error.start == place.start;
        if !self.syntax.iter().any(|error| covered(&error) || broken_value(&error)) {
            self.found.push((place, diagnostic));
        }
    }
    /// Files a syntax error: what was read from its place is a guess, about which nothing further is said.
    pub(crate) fn push_syntax(&mut self, place: Place, diagnostic: Diagnostic) {
        self.found.push((place, diagnostic));
        self.syntax.push(place);
    }
    pub(crate) fn has_errors(&self) -> bool {
        self.found.iter().any(|(_, found)| found.severity == Severity::Error)
    }
    pub(crate) fn into_sorted(mut self) -> Vec<Diagnostic> {
        let line = |found: &Diagnostic| match found.origin {
            Origin::Trace { line, .. } => line,
            Origin::Scenario | Origin::Set(_) => 0,
        };
        self.found.sort_by(|(place, found), (other_place, other)| {
            let key = (place.text, place.start, place.end, line(found), found.code);
            key.cmp(&(
                other_place.text,
                other_place.start,
                other_place.end,
                line(other),
                other.code,
            ))
        });
        self.found.into_iter().map(|(_, diagnostic)| diagnostic).collect()
    }
}

/// What is longer is no misspelt name, and comparing it would take long.
const LONGEST_NAME: usize = 256;

/// What is longer is a name that somebody generated, or worse.
const LONGEST_MESSAGE: usize = 2_000;

/// The text of a message: visible, and of a length that somebody may read.
fn told(text: &str) -> String {
    match text.char_indices().nth(LONGEST_MESSAGE) {
        Some((end, _)) => visible(&text[..end]) + " ...",
        None => visible(text),
    }
}

/// The nearest of several names, if one is near enough to be what was meant.
pub(crate) fn nearest<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let wanted = name.to_ascii_lowercase().replace('_', "");
    let allowed = (wanted.chars().count() / 3).max(1);
    names
        .into_iter()
        .map(|candidate| {
            let distance = strsim::damerau_levenshtein(&wanted, &candidate.to_ascii_lowercase().replace('_', ""));
            (distance, candidate)
        })
        .filter(|&(distance, _)| distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` and `c`, each in backticks.
pub(crate) fn listed<'n>(names: impl IntoIterator<Item = &'n str>, last: &str) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["ShardCount", "RetentionPeriodHours", "max_batch_bytes"];
        assert_eq!(nearest("ShardCuont", names), Some("ShardCount"));
        assert_eq!(nearest("shard_count", names), Some("ShardCount"));
        assert_eq!(nearest("MaxBatchBytes", names), Some("max_batch_bytes"));
        assert_eq!(nearest("BatchSize", names), None);
    }

    #[test]
    fn lists_read_as_prose() {
        assert_eq!(listed(["a"], "or"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
