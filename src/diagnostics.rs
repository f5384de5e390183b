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

/// So many diagnostics of a scenario are drawn. Who has more than that has one mistake many times, or another file.
pub(crate) const SHOWN_MAX: usize = 50;

/// The diagnostics as text for standard error, in order, an empty line after each.
pub(crate) fn render(diagnostics: &[Diagnostic], texts: Texts<'_>, terminal: &Terminal) -> String {
    let mut drawn = String::new();
    let shown = worth_showing(diagnostics);
    for diagnostic in &shown {
        let title = visible(&diagnostic.title);
        let primary = level(diagnostic.severity)
            .primary_title(title)
            .id(diagnostic.code.row().number);
        let notes = diagnostic.notes.iter().map(|note| message(Level::NOTE, note));
        let help = diagnostic.help.iter().map(|help| message(Level::HELP, help));
        let group = primary.element(place(&diagnostic.origin, texts, &diagnostic.labels));
        draw(&mut drawn, terminal, group.elements(notes).elements(help));
    }
    drawn + &render_rest(diagnostics.len())
}

/// How many of so many messages are not drawn, if not all of them are.
pub(crate) fn render_rest(messages: usize) -> String {
    match messages.saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        more => format!(
            "{} not shown\n\n",
            reports::text::counted(more as u64, "further message")
        ),
    }
}

/// As many as are drawn, in their order; of too many, errors rather than warnings.
fn worth_showing(diagnostics: &[Diagnostic]) -> Vec<&Diagnostic> {
    let is_error = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Error;
    let errors = diagnostics.iter().filter(|diagnostic| is_error(diagnostic)).count();
    let mut places = [errors.min(SHOWN_MAX), SHOWN_MAX.saturating_sub(errors)];
    let mut shown = Vec::new();
    for diagnostic in diagnostics {
        let place = &mut places[usize::from(!is_error(diagnostic))];
        if *place > 0 {
            *place -= 1;
            shown.push(diagnostic);
        }
    }
    shown
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
    let spans: Vec<Range<usize>> = labels.iter().map(|label| within(text, &label.span)).collect();
    let lines = lines_of(text, &spans);
    let before = text[..lines.start].matches('\n').count();
    Snippet::source(text[lines.clone()].to_owned())
        .line_start(before + 1)
        .path(path.to_owned())
        .annotations(labels.iter().zip(spans).map(move |(label, span)| {
            let kind = if label.primary {
                AnnotationKind::Primary
            } else {
                AnnotationKind::Context
            };
            let span = span.start - lines.start..span.end - lines.start;
            kind.span(span).label(visible(&label.text))
        }))
}

/// The whole lines from the first span to the last, so that a long text is not drawn from its beginning every time.
fn lines_of(text: &str, spans: &[Range<usize>]) -> Range<usize> {
    let first = spans.iter().map(|span| span.start).min().unwrap_or(0);
    let last = spans.iter().map(|span| span.end).max().unwrap_or(0);
    let start = text[..first].rfind('\n').map_or(0, |end| end + 1);
    let end = text[last..].find('\n').map_or(text.len(), |length| last + length);
    start..end
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
    fn only_the_lines_of_the_labels_are_drawn() {
        let text = "a\nbc\nd\n";
        assert_eq!(&text[lines_of(text, &[3..4, 2..2])], "bc");
        assert_eq!(&text[lines_of(text, &[5..6, 2..2])], "bc\nd");
        assert_eq!(lines_of(text, &[7..7, 7..7]), 7..7, "the end of the text");
    }

    #[test]
    fn a_span_stays_within_its_text() {
        assert_eq!(within("a\u{e9}b", &(2..2)), 1..3, "the second byte of a character");
        assert_eq!(within("ab", &(1..9)), 1..2);
        assert_eq!(within("ab", &(7..9)), 2..2);
    }
}
