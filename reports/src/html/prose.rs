//! Text of an account as HTML.

use crate::text::{printable, tied};
use maud::{Markup, html};

/// A text without control characters, its figures tied to their units, what stands in backticks as code.
pub(super) fn prose(text: &str) -> Markup {
    let text = tied(&printable(text));
    html! {
        @for (number, part) in text.split('`').enumerate() {
            // Every second part stood between backticks.
            @if number % 2 == 1 { code { (part) } } @else { (with_ids(part)) }
        }
    }
}

/// A text in which the ID of a fact is never broken at its hyphens.
fn with_ids(text: &str) -> Markup {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let parts = text.split_inclusive(|c| !is_part(c)).map(|part| {
        let id = part.trim_end_matches(|c| !is_part(c));
        (id, &part[id.len()..])
    });
    html! {
        @for (word, rest) in parts {
            @if is_id(word) { span.id { (word) } (rest) } @else { (word) (rest) }
        }
    }
}

/// `KDS-W-01`: capitals and digits between hyphens, capitals first, a digit last.
fn is_id(word: &str) -> bool {
    let is_shouted = word
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    let first = word.split('-').next().unwrap_or_default();
    is_shouted
        && word.contains('-')
        && first.len() > 1
        && first.chars().all(|c| c.is_ascii_uppercase())
        && word.ends_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_fact_stays_on_its_line() {
        assert_eq!(
            prose("takes it (KDS-W-01), A-B").into_string(),
            "takes it (<span class=\"id\">KDS-W-01</span>), A-B"
        );
    }

    #[test]
    fn backticks_make_code_and_figures_keep_their_unit() {
        assert_eq!(
            prose("5 cases of `a<b` in 3 ms").into_string(),
            "5 cases of <code>a&lt;b</code> in 3\u{a0}ms"
        );
    }
}
