//! Draws what is wrong with a scenario, in the shape that every Rust user knows.

use crate::terminal::{Terminal, visible};
use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin as Location, Renderer, Snippet};
use scenarios::diagnostic::{Diagnostic, Label, Origin, Severity};
use scenarios::source::set_text;
use std::ops::Range;

/// The texts that diagnostics of one scenario point into.
#[derive(Clone, Copy)]
pub(crate) struct Texts<'t> {
    /// Path of the scenario as it may be shown.
    pub(crate) path: &'t str,
    /// Its text.
    pub(crate) scenario: &'t str,
    /// The `--set` options.
    pub(crate) set: &'t [(String, String)],
}

/// A statement of the scenario about which nothing could be said.
pub(crate) struct Finding<'t> {
    /// How bad it is.
    pub(crate) severity: Severity,
    /// The fact, in one line.
    pub(crate) title: &'t str,
    /// The text in which it was stated.
    pub(crate) origin: Origin,
    /// Where.
    pub(crate) span: Range<usize>,
    /// Why.
    pub(crate) label: &'t str,
}

/// The diagnostics as text for standard error, in order, an empty line after each.
pub(crate) fn render(diagnostics: &[Diagnostic], texts: Texts<'_>, terminal: &Terminal) -> String {
    let mut drawn = String::new();
    for diagnostic in diagnostics {
        let title = visible(&diagnostic.title);
        let primary = level(diagnostic.severity)
            .primary_title(title)
            .id(diagnostic.code.row().number);
        let notes = diagnostic.notes.iter().map(|note| message(Level::NOTE, note));
        let help = diagnostic.help.iter().map(|help| message(Level::HELP, help));
        let group = primary.element(place(&diagnostic.origin, texts, &diagnostic.labels));
        draw(&mut drawn, terminal, group.elements(notes).elements(help));
    }
    drawn
}

/// Such a statement, drawn the same way.
pub(crate) fn render_finding(finding: &Finding<'_>, texts: Texts<'_>, terminal: &Terminal) -> String {
    let label = Label {
        span: finding.span.clone(),
        text: finding.label.to_owned(),
        primary: true,
    };
    let primary = level(finding.severity).primary_title(visible(finding.title));
    let mut drawn = String::new();
    draw(
        &mut drawn,
        terminal,
        primary.element(place(&finding.origin, texts, &[label])),
    );
    drawn
}

/// The place that a message is about, with its text if that is at hand.
fn place(origin: &Origin, texts: Texts<'_>, labels: &[Label]) -> Element<'static> {
    match origin {
        Origin::Scenario => snippet(texts.path, texts.scenario, labels).into(),
        Origin::Set(index) => {
            let text = texts
                .set
                .get(*index)
                .map(|(path, value)| set_text(path, value))
                .unwrap_or_default();
            snippet("--set", &text, labels).into()
        }
        Origin::Trace { path, line } => {
            let line = usize::try_from(*line).unwrap_or(usize::MAX);
            Location::path(visible(path)).line(line).into()
        }
    }
}

fn draw(drawn: &mut String, terminal: &Terminal, group: Group<'_>) {
    let renderer = if terminal.colour_err {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    drawn.push_str(&renderer.term_width(terminal.width_err).render(&[group]));
    drawn.push_str("\n\n");
}

const fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    }
}

fn message(level: Level<'static>, text: &str) -> Element<'static> {
    level.message(visible(text)).into()
}

fn snippet(path: &str, text: &str, labels: &[Label]) -> Snippet<'static, Annotation<'static>> {
    Snippet::source(text.to_owned())
        .path(path.to_owned())
        .annotations(labels.iter().map(|label| {
            let kind = if label.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            kind.span(within(text, &label.span)).label(visible(&label.text))
        }))
}

/// The span, moved into the text and onto whole characters, so that no fault of a diagnostic can end in a panic here.
fn within(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start.min(text.len()));
    let end = text.ceil_char_boundary(span.end.clamp(start, text.len()));
    start..end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_stays_within_its_text() {
        assert_eq!(within("a\u{e9}b", &(2..2)), 1..3, "the second byte of a character");
        assert_eq!(within("ab", &(1..9)), 1..2);
        assert_eq!(within("ab", &(7..9)), 2..2);
    }
}
