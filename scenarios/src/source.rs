//! Where things stand in the texts that a scenario is made of.

use core::ops::Range;
use std::collections::BTreeMap;

/// The text that a diagnostic speaks of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Origin {
    /// The scenario file.
    Scenario,
    /// The `--set` option with this number, from zero. Its text is [`set_text`].
    Set(usize),
    /// A row of a trace file. Diagnostics there have no labels: notes quote the row.
    Trace {
        /// Path as the scenario writes it.
        path: String,
        /// Line, from one.
        line: u64,
    },
}

/// The text into which the spans of [`Origin::Set`] point: `path=value`, as on the command line.
pub fn set_text(path: &str, value: &str) -> String {
    format!("{path}={value}")
}

/// Which text a [`Place`] lies in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum TextId {
    Scenario,
    Set(usize),
    /// The default of a property row, which no user wrote.
    Default,
}

/// A span of a text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    pub(crate) text: TextId,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The beginning of the scenario, where what is missing at the top of the file is reported.
pub(crate) const START: Place = Place {
    text: TextId::Scenario,
    start: 0,
    end: 0,
};

impl Place {
    pub(crate) fn new(text: TextId, span: Range<usize>) -> Self {
        Self {
            text,
            start: span.start,
            end: span.end,
        }
    }
    /// The text.
    pub fn origin(self) -> Origin {
        match self.text {
            TextId::Set(index) => Origin::Set(index),
            TextId::Scenario | TextId::Default => Origin::Scenario,
        }
    }
    /// Bytes of the text.
    pub fn span(self) -> Range<usize> {
        self.start..self.end
    }
    /// True when the user wrote it with `--set`.
    pub fn is_set(self) -> bool {
        matches!(self.text, TextId::Set(_))
    }
}

/// Identifies a place of a [`SourceMap`]; what a scenario states carries one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SourceId(u32);

/// From what a scenario states back to its lines. It outlives loading, so that a failed expectation can point at itself.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SourceMap {
    text: String,
    /// Where its lines end.
    line_ends: Vec<usize>,
    places: Vec<Place>,
    components: BTreeMap<String, SourceId>,
}

impl SourceMap {
    pub(crate) fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            line_ends: text.match_indices('\n').map(|(at, _)| at).collect(),
            places: Vec::new(),
            components: BTreeMap::new(),
        }
    }
    pub(crate) fn add(&mut self, place: Place) -> SourceId {
        let id = SourceId(u32::try_from(self.places.len()).unwrap_or(u32::MAX));
        self.places.push(place);
        id
    }
    pub(crate) fn add_component(&mut self, name: String, place: Place) {
        let id = self.add(place);
        self.components.insert(name, id);
    }
    /// The scenario's text.
    pub fn text(&self) -> &str {
        &self.text
    }
    /// The place of an id of this map.
    pub fn place(&self, id: SourceId) -> Place {
        usize::try_from(id.0)
            .ok()
            .and_then(|index| self.places.get(index))
            .copied()
            .unwrap_or(Place::new(TextId::Scenario, 0..0))
    }
    /// The header of a component, by its full name (`stream.clicks`).
    pub fn component(&self, name: &str) -> Option<SourceId> {
        self.components.get(name).copied()
    }
    /// Line of a byte of the scenario's text, from one.
    pub fn line(&self, byte: usize) -> usize {
        1 + self.line_ends.partition_point(|end| *end < byte)
    }
}

/// The text without control characters and without the marks that turn the direction of writing, for messages.
pub fn printable(text: &str) -> String {
    text.chars().filter(|&character| !is_control(character)).collect()
}

/// The text with control characters and the marks that turn the direction of writing as `\u{..}`, so that a reader sees
/// that they are there and a terminal does not obey them.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if is_control(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    out
}

/// What a message quotes of a text that somebody else wrote: visible, and cut where it leads nowhere.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(QUOTED_MAX) {
        Some((end, _)) => visible(&text[..end]) + " ...",
        None => visible(text),
    }
}

/// Control characters, and the marks that turn the direction of writing: neither belongs in a name, title or path.
pub(crate) fn is_control(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Characters of a text that a message quotes.
const QUOTED_MAX: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_has_a_line() {
        let map = SourceMap::new("a\nb\nc");
        assert_eq!([map.line(0), map.line(2), map.line(4)], [1, 2, 3]);
    }

    #[test]
    fn control_characters_are_not_printed() {
        assert_eq!(printable("a\u{1b}[31mb\u{202e}c"), "a[31mbc");
        assert_eq!(visible("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\u{a}c");
        assert_eq!(
            visible("x\u{202e}txt.exe, orders-2\u{e9}"),
            "x\\u{202e}txt.exe, orders-2\u{e9}"
        );
    }

    #[test]
    fn a_message_quotes_no_more_than_a_line() {
        assert_eq!(quoted("clicks"), "clicks");
        assert_eq!(quoted(&"\u{e9}".repeat(1_000)), "\u{e9}".repeat(QUOTED_MAX) + " ...");
    }
}
