//! Words and figures for people: grouped digits, shares, lists, filled paragraphs.

use sim::engine::time::SimDuration;

/// A count with its digits in groups of three: `1,440,000`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count with its noun: `1 record`, `2,000 records`.
pub fn counted(value: u64, noun: &str) -> String {
    if value == 1 {
        format!("1 {noun}")
    } else {
        format!("{} {}", count(value), plural(noun))
    }
}

/// The plural of a noun that may be part of a phrase: the last word changes.
fn plural(noun: &str) -> String {
    match noun {
        "entry" => "entries".to_owned(),
        "retry" => "retries".to_owned(),
        _ if noun.ends_with("entry") => format!("{}entries", &noun[..noun.len() - 5]),
        _ if noun.ends_with('s') || noun.ends_with("ch") => format!("{noun}es"),
        _ => format!("{noun}s"),
    }
}

/// A share of a whole, in per cent: never `0 %` unless nothing, never `100 %` unless all.
pub fn share(part: u64, whole: u64) -> String {
    if whole == 0 || part == 0 {
        return "0 %".to_owned();
    }
    if part >= whole {
        return format!("{} %", u128::from(part) * 100 / u128::from(whole));
    }
    let millionths = u128::from(part) * 1_000_000 / u128::from(whole);
    match millionths {
        0..=99 => "less than 0.01 %".to_owned(),
        100..=9_999 | 995_000..=999_899 => format!("{}.{:02} %", millionths / 10_000, millionths % 10_000 / 100),
        10_000..=994_999 => format!("{}.{} %", millionths / 10_000, millionths % 10_000 / 1_000),
        _ => "more than 99.99 %".to_owned(),
    }
}

/// An average rate over a span: `2,400/s`, `3.5/s`, `0.02/s`.
pub fn rate(events: u64, over: SimDuration) -> String {
    let nanos = u128::from(over.as_nanos().max(1));
    let thousandths = u128::from(events) * 1_000_000_000_000 / nanos;
    let whole = u64::try_from(thousandths / 1_000).unwrap_or(u64::MAX);
    match thousandths {
        0 => "0/s".to_owned(),
        1..=999 => format!("0.{thousandths:03}/s"),
        1_000..=99_999 => {
            let tenths = (thousandths + 50) / 100;
            format!("{}.{}/s", tenths / 10, tenths % 10)
        }
        _ => format!("{}/s", count(whole + u64::from(thousandths % 1_000 >= 500))),
    }
}

/// Joins with commas and a final "and".
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// Fills a paragraph to `width` columns: the first line begins with `first`, the others with `rest`.
///
/// Counts characters, which is right for the scripts that AWS names and our own words are in. A word that is wider than
/// a line stays whole.
pub fn fill(text: &str, width: usize, first: &str, rest: &str) -> String {
    let mut filled = String::from(first);
    let mut column = first.chars().count();
    let mut empty = true;
    for word in words(text) {
        let length = word.chars().count();
        if !empty && column + 1 + length > width {
            filled.push('\n');
            filled.push_str(rest);
            column = rest.chars().count();
        } else if !empty {
            filled.push(' ');
            column += 1;
        }
        filled.push_str(&word);
        column += length;
        empty = false;
    }
    filled.push('\n');
    filled
}

/// The words of a text; a figure and its unit are one word, so that no line ends between them.
fn words(text: &str) -> Vec<String> {
    const UNITS: [&str; 13] = [
        "%", "ns", "µs", "ms", "s", "min", "h", "d", "B", "KiB", "MiB", "GiB", "MB",
    ];
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let is_unit = UNITS.contains(&word.trim_end_matches([',', '.', ';', ':', ')']));
        match words.last_mut() {
            Some(figure) if is_unit && figure.ends_with(|c: char| c.is_ascii_digit()) => {
                figure.push(' ');
                figure.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// A text whose figures keep their units on their line, by spaces that do not break.
pub fn tied(text: &str) -> String {
    words(text)
        .iter()
        .map(|word| word.replace(' ', "\u{a0}"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A string without control characters, which a scenario could use to move the cursor.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_440_000), "1,440,000");
    }

    #[test]
    fn nouns_agree_with_their_count() {
        assert_eq!(counted(1, "record"), "1 record");
        assert_eq!(counted(2_000, "refused entry"), "2,000 refused entries");
        assert_eq!(counted(0, "batch"), "0 batches");
    }

    #[test]
    fn a_share_never_claims_none_or_all_by_rounding() {
        assert_eq!(share(0, 10), "0 %");
        assert_eq!(share(1, 3), "33.3 %");
        assert_eq!(share(1, 1_000), "0.10 %");
        assert_eq!(share(1, 10_000_000), "less than 0.01 %");
        assert_eq!(share(9_999_999, 10_000_000), "more than 99.99 %");
        assert_eq!(share(998, 1_000), "99.80 %");
        assert_eq!(share(10, 10), "100 %");
        assert_eq!(share(24, 10), "240 %");
        assert_eq!(share(1, 0), "0 %");
    }

    #[test]
    fn rates_keep_the_digits_that_matter() {
        let minute = SimDuration::from_secs(60);
        assert_eq!(rate(144_000, minute), "2,400/s");
        assert_eq!(rate(210, minute), "3.5/s");
        assert_eq!(rate(1, minute), "0.016/s");
        assert_eq!(rate(0, minute), "0/s");
    }

    #[test]
    fn paragraphs_fill_to_the_width() {
        let text = "one two three four five";
        assert_eq!(fill(text, 13, "- ", "  "), "- one two\n  three four\n  five\n");
        assert_eq!(fill("wordlongerthanline", 5, "", ""), "wordlongerthanline\n");
        assert_eq!(fill("it took 12 ms, or so", 10, "", ""), "it took\n12 ms, or\nso\n");
        assert_eq!(tied("it took 12 ms, or so"), "it took 12\u{a0}ms, or so");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }
}
