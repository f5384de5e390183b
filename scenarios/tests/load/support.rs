//! A small scenario to vary, trace files in memory, and diagnostics as lines of text.

use scenarios::{Diagnostic, LoadOptions, NoTraces, Origin, Scenario, TraceReader, load, set_text};
use std::collections::BTreeMap;

/// A scenario that loads without a word.
pub(crate) const BASE: &str = r#"format = 1
title = "Base"
duration = "10min"

[stream.clicks]
ShardCount = 2

[producer.web]
target = "stream.clicks"
arrivals = { poisson = "100/s" }
keys = { uniform = 100 }
size = "600B"

[mapping.enrich]
EventSourceArn = "stream.clicks"
FunctionName = "function.enrich"
StartingPosition = "TRIM_HORIZON"

[function.enrich]
time = { per_batch = "20ms" }
sink = "sink.orders"

[sink.orders]
capacity = "5000/s"
"#;

/// The base with one piece of text replaced.
pub(crate) fn with(old: &str, new: &str) -> String {
    assert_eq!(BASE.matches(old).count(), 1, "{old:?} occurs once in the base");
    BASE.replace(old, new)
}

/// The base with text below it.
pub(crate) fn and(more: &str) -> String {
    format!("{BASE}\n{more}")
}

/// Trace files in memory.
pub(crate) struct Files(pub(crate) BTreeMap<&'static str, &'static [u8]>);
impl TraceReader for Files {
    fn read(&self, path: &str) -> Result<Vec<u8>, String> {
        self.0
            .get(path)
            .map(|bytes| bytes.to_vec())
            .ok_or_else(|| format!("no such file in memory: {path}"))
    }
    fn read_from_command_line(&self, path: &str) -> Result<Vec<u8>, String> {
        Err(format!("sought in the working directory: {path}"))
    }
}

/// Loads what must load.
pub(crate) fn loaded(text: &str) -> Scenario {
    loaded_with(text, &LoadOptions::default(), &NoTraces)
}
pub(crate) fn loaded_with(text: &str, options: &LoadOptions, traces: &dyn TraceReader) -> Scenario {
    let (scenario, diagnostics) = load(text, "test", options, traces);
    scenario.unwrap_or_else(|| panic!("{:#?}", lines(&diagnostics, text, options)))
}

/// `E0103 4 "ShardCuont" a stream has no property .. (unknown property) -> did you mean ..`: code, line, marked text,
/// title, label, help.
pub(crate) fn lines(diagnostics: &[Diagnostic], text: &str, options: &LoadOptions) -> Vec<String> {
    diagnostics
        .iter()
        .map(|diagnostic| line(diagnostic, text, options))
        .collect()
}

fn line(diagnostic: &Diagnostic, text: &str, options: &LoadOptions) -> String {
    let mut out = diagnostic.code.to_string();
    let set;
    let origin_text = match &diagnostic.origin {
        Origin::Scenario => text,
        Origin::Set(index) => {
            let (path, value) = &options.set[*index];
            set = set_text(path, value);
            out.push_str(" --set");
            &set
        }
        Origin::Trace { path, line } => {
            out = format!("{out} {path}:{line}");
            ""
        }
    };
    for label in &diagnostic.labels {
        let marked = &origin_text[label.span.clone()];
        let line = 1 + origin_text[..label.span.start].matches('\n').count();
        if label.primary {
            out = format!("{out} {line} {marked:?} {} ({})", diagnostic.title, label.text);
        } else {
            out = format!("{out} & {line} {marked:?} ({})", label.text);
        }
    }
    if diagnostic.labels.is_empty() {
        out = format!("{out} {}", diagnostic.title);
    }
    match &diagnostic.help {
        Some(help) => format!("{out} -> {help}"),
        None => out,
    }
}

/// The diagnostics of a text, as lines.
#[track_caller]
pub(crate) fn check(text: &str, expected: &[&str]) {
    check_with(text, &LoadOptions::default(), &NoTraces, expected);
}
#[track_caller]
pub(crate) fn check_with(text: &str, options: &LoadOptions, traces: &dyn TraceReader, expected: &[&str]) {
    let (scenario, diagnostics) = load(text, "test", options, traces);
    let found = lines(&diagnostics, text, options);
    assert_eq!(found, expected, "\n{found:#?}");
    let has_error = found.iter().any(|line| line.starts_with('E'));
    assert_eq!(scenario.is_none(), has_error, "an error means no scenario");
}
