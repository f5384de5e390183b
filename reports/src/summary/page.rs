//! Text that grows downwards: headings, filled paragraphs, items, verdicts in a column of their own.

use crate::account::Verdict;
use crate::text::fill;
use anstyle::{AnsiColor, Style};

/// How to lay the text out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Columns to fill.
    pub width: usize,
    /// Whether to decorate with colour. It never carries meaning.
    pub colour: bool,
}

impl Default for Layout {
    fn default() -> Self {
        Self {
            width: 80,
            colour: false,
        }
    }
}

/// Text that grows downwards.
pub(super) struct Page {
    pub(super) text: String,
    pub(super) layout: Layout,
}

pub(super) const HEADING: Style = Style::new().bold();
pub(super) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(super) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(super) const OPEN: Style = AnsiColor::Yellow.on_default().bold();

impl Page {
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        if self.layout.colour {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }
    pub(super) fn heading(&mut self, text: &str) {
        let painted = self.paint(HEADING, text);
        self.text.push('\n');
        self.text.push_str(&painted);
        self.text.push('\n');
    }
    pub(super) fn paragraph(&mut self, text: &str) {
        self.text.push_str(&fill(text, self.layout.width, "  ", "  "));
    }
    pub(super) fn item(&mut self, text: &str) {
        self.text.push_str(&fill(text, self.layout.width, "  - ", "    "));
    }
    /// A line that begins with a verdict in a column of its own.
    pub(super) fn judged(&mut self, verdict: Verdict, text: &str) {
        self.marked(colour_of(verdict), verdict.word(), text);
    }
    pub(super) fn marked(&mut self, style: Style, word: &str, text: &str) {
        const COLUMN: &str = "             ";
        let filled = fill(text, self.layout.width, COLUMN, COLUMN);
        let painted = self.paint(style, word);
        self.text.push_str("  ");
        self.text.push_str(&painted);
        self.text.push_str(&filled[2 + word.len()..]);
    }
    pub(super) fn detail(&mut self, text: &str) {
        self.text
            .push_str(&fill(text, self.layout.width, "               ", "               "));
    }
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }
}

const fn colour_of(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Held => GOOD,
        Verdict::Violated => BAD,
        Verdict::Undecided => OPEN,
    }
}
